// SPDX-License-Identifier: Apache-2.0
/*
 * What an earlier process left in the tables: sessions go on; what it died in the middle of is
 * taken out, so that nothing leaks and no slot belongs to two.
 */
#include "agent/session/engine_internal.h"

#define LATELY_S 60 /* chosen: systemd's restart, and a large configuration */

/* Both flows are there and can be found. */
static bool is_whole(const struct fl_engine *e, uint32_t id)
{
	const struct fl_session *s = fl_engine_session(e, id);

	for (int dir = FL_FORWARD; dir <= FL_REVERSE; dir++) {
		struct fl_wide_key key;
		uint32_t slot;

		fl_session_key(s, (enum fl_direction)dir, &key);
		slot = fl_flows_find(e->flows, &key);
		if (slot == FL_NO_SLOT || slot != s->slot[dir] || e->t->flows[slot].session != id)
			return false;
	}
	return true;
}

/* Flows of a record that was being opened or closed. */
static void withdraw(struct fl_engine *e, uint32_t id, struct fl_mono now)
{
	for (int dir = FL_FORWARD; dir <= FL_REVERSE; dir++) {
		struct fl_wide_key key;
		uint32_t slot;

		fl_session_key(fl_engine_session(e, id), (enum fl_direction)dir, &key);
		slot = fl_flows_find(e->flows, &key);
		if (slot != FL_NO_SLOT && e->t->flows[slot].session == id)
			fl_flows_remove(e->flows, &key, slot, now);
	}
}

/*
 * A flow that a session had left for another peer (kept.c) is named by no record. Of one in the
 * index the slot still says the key.
 */
static void forget_kept(struct fl_engine *e, uint32_t slot, struct fl_mono now)
{
	const struct fl_flow_key *narrow = &e->t->flows[slot].key;
	const struct fl_wide_key key = { .sport = narrow->sport,
					 .dport = narrow->dport,
					 .scope = narrow->scope,
					 .proto = narrow->proto,
					 .kind = FL_KEY_PEER };
	uint32_t id = e->t->flows[slot].session;
	const struct fl_session *s = fl_engine_session(e, id <= e->t->max_sessions ? id : 0);

	if (narrow->kind != FL_KEY_INDEXED || s->slot[0] == slot || s->slot[1] == slot)
		return;
	if (fl_flows_find(e->flows, &key) == slot)
		fl_flows_remove(e->flows, &key, slot, now);
}

void fl_engine_tidy(struct fl_engine *e)
{
	struct fl_mono now = fl_mono_now();

	for (uint32_t slot = e->t->buckets * FL_BUCKET_SLOTS; slot < e->t->slots; slot++)
		forget_kept(e, slot, now);
	for (uint32_t id = 1; id <= e->t->max_sessions; id++) {
		struct fl_session *s = fl_engine_session(e, id);

		if (s->state != FL_SESSION_OPENING &&
		    (s->state != FL_SESSION_LIVE || is_whole(e, id)))
			continue;
		withdraw(e, id, now);
		if (s->state != FL_SESSION_LIVE)
			continue; /* the store frees it */
		s->state = FL_SESSION_CLOSED;
		s->start_ns = now.ns;
	}
	fl_flows_tidy(e->flows, now);
}

/*
 * The last process may have died in the middle of a move: a peer that is on another path than we
 * are would stay there for ever. It hears where the vectors are of which one was under way lately.
 */
static void say_where(struct fl_engine *e)
{
	for (uint16_t id = 1; id < FL_MAX_VECTORS; id++) {
		const struct fl_vector *v = &e->t->vectors[id];
		const uint32_t over = e->jiffies - v->prev_until;

		if (v->peer && v->path && v->prev_path && !(v->group & FL_GROUP_PEER) &&
		    e->groups.first[id] && (int32_t)over < (int32_t)(LATELY_S * e->t->hz) &&
		    fl_engine_may_follow(e, v->peer))
			fl_engine_call_back(e, id, true);
	}
}

/*
 * Deadlines, waypoints and next hops of the sessions, all in one go: with the reading of the tables
 * before it about a second for a million of them (bench/table_scale reload). Nothing else is done
 * by then, and the data plane goes on with what it knows.
 */
void fl_engine_adopt(struct fl_engine *e)
{
	for (uint32_t id = 1; id <= e->t->max_sessions; id++) {
		struct fl_session *s = fl_engine_session(e, id);

		if (s->state == FL_SESSION_CLOSED)
			fl_engine_adopt_waypoints(e, s, (struct fl_mono){ s->start_ns });
		if (s->state != FL_SESSION_LIVE)
			continue;
		fl_engine_adopt_waypoints(e, s, (struct fl_mono){ 0 });
		fl_fabric_hop_get(e->fabric, s->in.nexthop);
		fl_fabric_hop_get(e->fabric, s->out.nexthop);
		fl_engine_join(e, id, FL_FORWARD);
		fl_engine_join(e, id, FL_REVERSE);
		fl_engine_note_adopted(e, id);
		e->half_open += !!(s->flags & FL_SESSION_HALF_OPEN);
		fl_engine_dup_adopt(e, id);
		fl_engine_watch(e, id);
	}
	/* Routes may be others by now, and neighbours forgotten. */
	fl_engine_routes_changed(e);
	say_where(e);
}
