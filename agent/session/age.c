// SPDX-License-Identifier: Apache-2.0
/*
 * Aging. Every session has a deadline in a compact array that is swept a part at a time; only a
 * session whose deadline has come costs a look at its flows. One that was used meanwhile gets a new
 * deadline.
 */
#include "agent/session/engine_internal.h"
#include "common/hdr.h"

/* P-30. */
#define FIN_MS     120000
#define CLOSING_MS 15000
#define RESET_MS   5000

/* Entries swept and sessions ended in one go: keeps a go well below 10 ms (chosen, measured in
 * bench/). */
#define SWEEP_ENTRIES 262144
#define SWEEP_CLOSES  1024

#define DECISECOND_NS (100 * FL_NS_PER_MS)

static uint32_t deciseconds(struct fl_mono t)
{
	uint32_t ds = (uint32_t)(t.ns / DECISECOND_NS);

	return ds ? ds : 1;
}

static uint64_t idle_ms(const struct fl_engine *e, const struct fl_flow *flow)
{
	uint32_t ticks = e->jiffies - flow->last_seen;

	/* Stamped after this batch's clock was read. */
	if ((int32_t)ticks < 0)
		return 0;
	return (uint64_t)ticks * 1000 / e->t->hz;
}

static uint64_t timeout_ms(const struct fl_engine *e, uint32_t id)
{
	const struct fl_session *s = fl_engine_session(e, id);
	const struct fl_flow *forward = fl_engine_flow(e, id, FL_FORWARD);

	switch (forward->tcp) {
	case FL_TCP_SYN_SENT:
	case FL_TCP_SYN_RECEIVED:
		return s->initial_timeout_ms;
	case FL_TCP_FIN:
		return FIN_MS;
	case FL_TCP_CLOSING:
		return CLOSING_MS;
	case FL_TCP_RESET:
		return RESET_MS;
	case FL_TCP_ESTABLISHED:
		return s->idle_timeout_ms;
	case FL_TCP_NONE:
		break;
	}
	/* P-29: nobody has answered yet. */
	if (!fl_engine_flow(e, id, FL_REVERSE)->packets &&
	    s->idle_timeout_ms > s->initial_timeout_ms)
		return s->initial_timeout_ms;
	return s->idle_timeout_ms;
}

uint64_t fl_engine_time_left_ms(struct fl_engine *engine, uint32_t id)
{
	uint64_t idle = idle_ms(engine, fl_engine_flow(engine, id, FL_FORWARD));
	uint64_t other = idle_ms(engine, fl_engine_flow(engine, id, FL_REVERSE));
	uint64_t timeout = timeout_ms(engine, id);

	if (other < idle)
		idle = other;
	return idle >= timeout ? 0 : timeout - idle;
}

void fl_engine_watch(struct fl_engine *e, uint32_t id)
{
	uint64_t left = fl_engine_time_left_ms(e, id);

	e->deadlines[id] = deciseconds(fl_mono_add_ms(e->now, left + 100));
	if (id > e->age_limit)
		e->age_limit = id;
}

/*
 * The data plane reports when both sides have closed, or one has reset. Of a connection that only
 * one side has closed it is noticed when it is looked at next: within this time.
 */
#define LOOK_AGAIN_MS 60000

static void look(struct fl_engine *e, uint32_t id)
{
	uint64_t left = fl_engine_time_left_ms(e, id);

	if (fl_engine_flow(e, id, FL_FORWARD)->tcp >= FL_TCP_ESTABLISHED)
		fl_engine_not_half_open(e, id);
	if (!left) {
		fl_engine_close(e, id, FL_CLOSE_IDLE);
		return;
	}
	if (fl_engine_session(e, id)->proto == FL_IPPROTO_TCP && left > LOOK_AGAIN_MS)
		left = LOOK_AGAIN_MS;
	e->deadlines[id] = deciseconds(fl_mono_add_ms(e->now, left));
}

static bool is_due(const struct fl_engine *e, uint32_t id, uint32_t now)
{
	return e->deadlines[id] && (int32_t)(now - e->deadlines[id]) >= 0;
}

/* Ask for what those sessions need that come next, while one is dealt with. */
static void look_ahead(const struct fl_engine *e, uint32_t id, uint32_t now)
{
	uint32_t near = id + FL_ENGINE_AHEAD, far = near + FL_ENGINE_AHEAD;

	if (far <= e->age_limit && is_due(e, far, now))
		fl_store_fetch(e->store, far);
	if (near <= e->age_limit && is_due(e, near, now))
		fl_engine_fetch_flows(e, near);
}

/* The first session from @id on, before @end, that is due; else @end. */
static uint32_t next_due(const struct fl_engine *e, uint32_t id, uint32_t end, uint32_t now)
{
	/* All of the table passes here ten times a second: nothing is loaded but deadlines. */
	const uint32_t *deadlines = e->deadlines;

	while (id < end && (!deadlines[id] || (int32_t)(now - deadlines[id]) < 0))
		id++;
	return id;
}

bool fl_engine_age(struct fl_engine *e)
{
	uint32_t now = deciseconds(e->now), end = e->age_cursor + SWEEP_ENTRIES, id;

	if (end > e->age_limit)
		end = e->age_limit + 1;
	for (uint32_t closes = 0; closes < SWEEP_CLOSES; closes++) {
		id = next_due(e, e->age_cursor, end, now);
		e->age_cursor = id;
		if (id >= end)
			break;
		look_ahead(e, id, now);
		if (fl_engine_session(e, id)->state == FL_SESSION_LIVE)
			look(e, id);
		else
			e->deadlines[id] = 0;
		e->age_cursor++;
	}
	if (e->age_cursor <= e->age_limit)
		return true;
	e->age_cursor = 1;
	return false;
}
