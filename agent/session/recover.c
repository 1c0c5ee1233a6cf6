// SPDX-License-Identifier: Apache-2.0
/*
 * Sessions that have gone quiet (svr-protocol.md 3.4): health checks when only one side is heard
 * (inactivity-based recovery), and keep-alives for NATs under way. A part of the table at every
 * tick.
 */
#include "agent/session/engine_internal.h"
#include "common/hdr.h"
#include "common/meta_wire.h"

#define PART          16384 /* records looked at in a tick: chosen, about 1 ms */
#define HEALTH_GAP_MS 2000

static uint64_t idle_ms(const struct fl_engine *e, const struct fl_flow *flow)
{
	uint32_t ticks = e->jiffies - flow->last_seen;

	return (int32_t)ticks < 0 ? 0 : (uint64_t)ticks * 1000 / e->t->hz;
}

/*
 * Ask whether the far side still knows the session: the next packet that goes there takes the
 * question along (TLV 46), through the agent.
 */
static void ask(struct fl_engine *e, uint32_t id, enum fl_direction dir)
{
	struct fl_session *s = fl_engine_session(e, id);
	struct fl_flow *used = fl_engine_flow(e, id, dir);
	unsigned int tries = s->health_tries & FL_HEALTH_TRIES_MASK;

	/* Signalled at present, which asks as well; or no packet has taken the last question yet.
	 */
	if (used->state & FL_FLOW_TX_META)
		return;
	if (tries < FL_HEALTH_TRIES) {
		s->health_tries = (uint8_t)((tries + 1) | (dir == FL_REVERSE ? FL_HEALTH_BACK : 0));
		s->flags |= FL_SESSION_HEALTH;
		fl_tables_count(e->t, FL_STAT_HEALTH_TX);
	} else {
		/* P-18: no answer. Signal anew, as after any loss of the peer's state. */
		s->flags &= (uint8_t)~FL_SESSION_HEALTH;
		fl_tables_count(e->t, FL_STAT_RESIGNALLED);
	}
	used->state |= FL_FLOW_TX_META;
}

void fl_engine_no_question(struct fl_engine *e, uint32_t id)
{
	struct fl_session *s = fl_engine_session(e, id);
	enum fl_direction dir = s->health_tries & FL_HEALTH_BACK ? FL_REVERSE : FL_FORWARD;

	if (s->flags & FL_SESSION_HEALTH)
		fl_engine_flow(e, id, dir)->state &= (enum fl_flow_state) ~FL_FLOW_TX_META;
	s->flags &= (uint8_t)~FL_SESSION_HEALTH;
	s->health_tries = 0;
}

/* One direction is used, the other has been silent. */
static void check_health(struct fl_engine *e, uint32_t id, uint32_t timeout_ms)
{
	const struct fl_session *s = fl_engine_session(e, id);

	for (int dir = FL_FORWARD; dir <= FL_REVERSE; dir++) {
		const struct fl_flow *used = fl_engine_flow(e, id, (enum fl_direction)dir);
		const struct fl_flow *quiet =
			fl_engine_flow(e, id, dir == FL_FORWARD ? FL_REVERSE : FL_FORWARD);

		if (fl_side_to(s, (enum fl_direction)dir)->kind != FL_SIDE_PEER ||
		    idle_ms(e, used) > timeout_ms || idle_ms(e, quiet) < timeout_ms)
			continue;
		ask(e, id, (enum fl_direction)dir);
		return;
	}
	fl_engine_no_question(e, id);
}

static const struct fl_cfg_keep_alive *keep_alive_of(const struct fl_engine *e,
						     const struct fl_session *s)
{
	const struct fl_path_rt *path =
		fl_fabric_path(e->fabric, e->t->vectors[s->out.vector].path);

	return path && path->cfg ? &path->cfg->nat_keep_alive : NULL;
}

/* The side that opened the session keeps NATs on its way open; the other's packets follow. */
static void keep_alive(struct fl_engine *e, uint32_t id)
{
	const struct fl_session *s = fl_engine_session(e, id);
	const struct fl_flow *forward = fl_engine_flow(e, id, FL_FORWARD);
	const struct fl_cfg_keep_alive *cfg;
	uint64_t idle, gap;

	if (!(s->flags & FL_SESSION_KEEP_ALIVE) || s->out.kind != FL_SIDE_PEER ||
	    forward->state & FL_FLOW_TX_META)
		return;
	/* A connection that is closing, or not open yet, has nothing to be kept open. */
	if (forward->tcp != FL_TCP_NONE && forward->tcp != FL_TCP_ESTABLISHED)
		return;
	cfg = keep_alive_of(e, s);
	if (!cfg || cfg->mode == FL_CFG_KEEP_ALIVE_DISABLED)
		return;
	gap = 1000ULL * (s->proto == FL_IPPROTO_TCP ? cfg->tcp_inactivity_timeout_s
						    : cfg->udp_inactivity_timeout_s);
	idle = idle_ms(e, forward);
	/* Once in every gap: P-19, a keep-alive does not count as use. */
	if (gap && idle >= gap && idle % gap < e->recover_period_ms)
		fl_engine_send_control(e, id, FL_FORWARD, FL_CONTROL_KEEPALIVE);
}

void fl_engine_recover(struct fl_engine *e)
{
	const struct fl_cfg_recovery *cfg = &e->config->authority.session_recovery_detection;
	bool health = cfg->mode == FL_CFG_RECOVERY_INACTIVITY;
	uint64_t elapsed;

	for (uint32_t n = 0; n < PART; n++) {
		uint32_t id = e->recover_cursor++;

		if (id > e->age_limit) {
			/* Start the next round no sooner than a health check's answer may take. */
			elapsed = fl_mono_ms_between(e->recover_started, e->now);
			e->recover_cursor = id;
			if (elapsed < HEALTH_GAP_MS)
				return;
			e->recover_period_ms = elapsed;
			e->recover_started = e->now;
			e->recover_cursor = 1;
			return;
		}
		/* Live ones have a deadline: dead records need not be looked at. */
		if (!id || !e->deadlines[id] || fl_engine_session(e, id)->state != FL_SESSION_LIVE)
			continue;
		if (health)
			check_health(e, id, cfg->inactivity_timeout_s * 1000);
		keep_alive(e, id);
	}
}
