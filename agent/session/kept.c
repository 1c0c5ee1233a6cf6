// SPDX-License-Identifier: Apache-2.0
/*
 * Flows that sessions have left for another peer (svr-protocol.md 3.3, P-16): the data plane goes
 * on taking what is under way on the old waypoints, until a while after the first proven packet on
 * the new ones. Nothing is sent there any more, and nothing that is said there about the session
 * counts.
 *
 * No record names them, so that a restart ends them.
 */
#include <stdlib.h>

#include "agent/session/engine_internal.h"

#define KEPT_MAX  131072 /* beyond it an old flow goes at once; chosen: 2048 a tick, and some */
#define KEPT_STEP 1024
#define SILENT_MS 60000 /* without a proven packet on the new way (chosen) */
#define PART      16384 /* looked at in a tick: as steer.c */

/* The new peer has an account of its own: what came by the old flow meanwhile is added here. */
static void settle(struct fl_engine *e, uint32_t id, enum fl_direction dir, uint32_t slot)
{
	struct fl_flow *flow = fl_engine_flow(e, id, dir);
	const struct fl_flow *old = &e->t->flows[slot];

	__atomic_fetch_add(&flow->packets, old->packets, __ATOMIC_RELAXED);
	__atomic_fetch_add(&flow->bytes, old->bytes, __ATOMIC_RELAXED);
}

/* The flow is over; its waypoints, if we picked them, are given back. */
static void let_go(struct fl_engine *e, const struct fl_kept *k)
{
	fl_flows_remove(e->flows, &k->key, k->slot, e->now);
	if (k->dir == FL_REVERSE)
		fl_engine_release_pair(e, k->key.scope, k->key.proto,
				       (struct fl_waypoint_pair){ k->key.dport, k->key.sport });
}

/* A place for one more; 0: none. */
static uint32_t take(struct fl_kept_flows *kept, uint32_t max)
{
	uint32_t size = kept->size + KEPT_STEP;
	struct fl_kept *more;
	uint32_t at;

	if (!kept->unused && kept->size < max) {
		more = realloc(kept->item, size * sizeof(*more));
		if (!more)
			return 0;
		/* Number 0 is nobody's. */
		for (uint32_t i = kept->size ? kept->size : 1; i < size; i++) {
			more[i] = (struct fl_kept){ .next = kept->unused };
			kept->unused = i;
		}
		kept->item = more;
		kept->size = size;
	}
	at = kept->unused;
	if (at) {
		kept->unused = kept->item[at].next;
		kept->live++;
	}
	return at;
}

void fl_engine_keep(struct fl_engine *e, uint32_t id, enum fl_direction dir)
{
	const struct fl_session *s = fl_engine_session(e, id);
	const uint32_t some = e->t->max_sessions / 4 + 1;
	struct fl_kept k = { .slot = s->slot[dir],
			     .session = id,
			     .next = e->notes[id].kept,
			     .vector = fl_side_from(s, dir)->vector,
			     .dir = (uint8_t)dir,
			     .until = fl_mono_add_ms(e->now, SILENT_MS) };
	struct fl_flow *flow = &e->t->flows[k.slot];
	uint32_t at;

	fl_session_key(s, dir, &k.key);
	/* Copies come by several paths and are numbered for each peer anew: not those (dup.c). */
	at = s->dup || e->kept.live >= some ? 0 : take(&e->kept, KEPT_MAX);
	if (!at) {
		let_go(e, &k);
		return;
	}
	/* A bare packet there is no answer to what the new peer is told. */
	if (dir == FL_FORWARD)
		flow->state &= (enum fl_flow_state) ~FL_FLOW_RX_META;
	flow->packets = 0;
	flow->bytes = 0;
	fl_fabric_vector_get(e->fabric, k.vector);
	e->kept.item[at] = k;
	e->notes[id].kept = at;
}

/* Take out the one that @link names. */
static void drop_one(struct fl_engine *e, uint32_t *link)
{
	uint32_t at = *link;
	struct fl_kept *k = &e->kept.item[at];

	*link = k->next;
	settle(e, k->session, (enum fl_direction)k->dir, k->slot);
	let_go(e, k);
	fl_fabric_vector_put(e->fabric, k->vector);
	*k = (struct fl_kept){ .next = e->kept.unused };
	e->kept.unused = at;
	e->kept.live--;
}

void fl_engine_kept_drop(struct fl_engine *e, uint32_t id, enum fl_direction dir)
{
	for (uint32_t *link = &e->notes[id].kept; *link;)
		if (e->kept.item[*link].dir == dir)
			drop_one(e, link);
		else
			link = &e->kept.item[*link].next;
}

void fl_engine_kept_close(struct fl_engine *e, uint32_t id)
{
	while (e->notes[id].kept)
		drop_one(e, &e->notes[id].kept);
}

void fl_engine_kept_heard(struct fl_engine *e, uint32_t id)
{
	for (uint32_t at = e->notes[id].kept; at; at = e->kept.item[at].next) {
		struct fl_kept *k = &e->kept.item[at];

		if (k->heard)
			continue;
		k->heard = true;
		k->until = fl_mono_add_ms(e->now, FL_VECTOR_KEEP_S * 1000);
	}
}

void fl_engine_kept_out(struct fl_engine *e, uint32_t id, enum fl_direction dir, uint16_t out)
{
	for (uint32_t at = e->notes[id].kept; at; at = e->kept.item[at].next)
		if (e->kept.item[at].dir == dir)
			e->t->flows[e->kept.item[at].slot].out = out;
}

bool fl_engine_is_kept(const struct fl_engine *e, uint32_t slot)
{
	const struct fl_session *s = fl_engine_session(e, e->t->flows[slot].session);

	return slot != s->slot[FL_FORWARD] && slot != s->slot[FL_REVERSE];
}

static bool is_over(const struct fl_engine *e, const struct fl_kept *k)
{
	return k->until.ns <= e->now.ns || !fl_fabric_peer(e->fabric, k->key.scope);
}

void fl_engine_kept_tick(struct fl_engine *e)
{
	struct fl_kept_flows *kept = &e->kept;

	for (uint32_t n = 0; n < PART && n < kept->size && kept->live; n++) {
		const struct fl_kept *k;
		uint32_t *link;

		kept->cursor = kept->cursor + 1 < kept->size ? kept->cursor + 1 : 1;
		k = &kept->item[kept->cursor];
		if (!k->session || !is_over(e, k))
			continue;
		link = &e->notes[k->session].kept;
		while (*link != kept->cursor)
			link = &kept->item[*link].next;
		drop_one(e, link);
	}
}

void fl_engine_kept_free(struct fl_engine *e)
{
	free(e->kept.item);
}
