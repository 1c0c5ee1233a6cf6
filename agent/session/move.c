// SPDX-License-Identifier: Apache-2.0
/*
 * Moving sessions of ours (svr-protocol.md 6.3): all of a vector with one write, and word of it to
 * the peer; or one by one, with metadata that carries TLV 28; or to another peer, with new
 * waypoints there. Who moves when is steer.c's business.
 */
#include <errno.h>
#include <string.h>

#include "agent/session/engine_internal.h"

/* Tries to find a waypoint pair that is not in use. */
#define WAYPOINT_TRIES 256

void fl_engine_signal_move(struct fl_engine *e, uint32_t id)
{
	struct fl_session *s = fl_engine_session(e, id);

	s->modify_seq = (s->modify_seq + 1) & 0xfff;
	s->flags |= FL_SESSION_RESIGNAL;
	fl_engine_flow(e, id, FL_FORWARD)->state |= FL_FLOW_TX_META;
	fl_tables_count(e->t, FL_STAT_SESSIONS_MOVED);
}

void fl_engine_move_session(struct fl_engine *e, uint32_t id, uint16_t vector)
{
	struct fl_session *s = fl_engine_session(e, id);
	uint16_t old_path = fl_fabric_vector_last(e->fabric, s->out.vector);

	fl_engine_leave(e, id, FL_FORWARD);
	s->out.vector = vector;
	fl_engine_join(e, id, FL_FORWARD);
	/* Until the peer has heard of it, its packets come as before (P-16). */
	if (old_path && e->t->vectors[vector].path != old_path)
		fl_fabric_vector_accept(e->fabric, vector, old_path, e->jiffies);
	fl_engine_flow(e, id, FL_REVERSE)->in_vector = vector;
	fl_engine_flow(e, id, FL_FORWARD)->out = vector;
	fl_engine_kept_out(e, id, FL_FORWARD, vector);
	fl_engine_signal_move(e, id);
}

/* --- to another peer -------------------------------------------------------------------------- */

/* What a flow does to packets, from a record that has changed; counters and state stay. */
static void rewrite(struct fl_engine *e, uint32_t id, enum fl_direction dir)
{
	struct fl_flow *flow = fl_engine_flow(e, id, dir), fresh;

	fl_session_flow(fl_engine_session(e, id), id, dir, &fresh);
	flow->sport = fresh.sport;
	flow->dport = fresh.dport;
	flow->addr_delta = fresh.addr_delta;
	flow->port_delta = fresh.port_delta;
	flow->in_vector = fresh.in_vector;
	flow->out_kind = fresh.out_kind;
	flow->out = fresh.out;
}

/* The flow that comes from the side that has changed: under its new key, with what it was. */
static int reinsert(struct fl_engine *e, uint32_t id, enum fl_direction dir,
		    const struct fl_session *changed, uint32_t *ret_slot)
{
	const struct fl_flow *old = fl_engine_flow(e, id, dir);
	struct fl_wide_key key;
	struct fl_flow flow;

	fl_session_key(changed, dir, &key);
	fl_session_flow(changed, id, dir, &flow);
	flow.state = old->state;
	flow.tcp = old->tcp;
	flow.flags = old->flags;
	flow.last_seen = old->last_seen;
	flow.packets = old->packets;
	flow.bytes = old->bytes;
	return fl_flows_insert(e->flows, &key, &flow, e->now, ret_slot);
}

int fl_engine_change_side(struct fl_engine *e, uint32_t id, enum fl_direction toward,
			  const struct fl_side *to)
{
	const enum fl_direction from = toward == FL_FORWARD ? FL_REVERSE : FL_FORWARD;
	struct fl_session *s = fl_engine_session(e, id), changed = *s;
	uint32_t slot;
	int err;

	*(toward == FL_FORWARD ? &changed.out : &changed.in) = *to;
	err = reinsert(e, id, from, &changed, &slot);
	if (err)
		return err;
	/* What the data plane would rewrite by half old, half new values, it hands up instead. */
	fl_engine_flow(e, id, toward)->state |= FL_FLOW_TX_META;
	fl_engine_kept_drop(e, id, toward);
	fl_engine_keep(e, id, from);
	fl_engine_leave(e, id, toward);
	*(toward == FL_FORWARD ? &s->out : &s->in) = *to;
	s->slot[from] = slot;
	fl_engine_join(e, id, toward);
	fl_engine_dup_turned(e, id, toward);
	rewrite(e, id, toward);
	return 0;
}

int fl_engine_move_to_peer(struct fl_engine *e, uint32_t id, const struct fl_candidate *way)
{
	const struct fl_session *s = fl_engine_session(e, id);
	const struct fl_vector_key key = fl_engine_own_key(s, way->peer);
	struct fl_waypoints *wp = fl_engine_waypoints_of(e, way->peer, fl_session_wire_proto(s));
	struct fl_side side = { .kind = FL_SIDE_PEER,
				.id = way->peer,
				.vector = fl_fabric_vector(e->fabric, &key, way->path) };
	struct fl_waypoint_pair pair;
	int err = -ENOSPC;

	for (int i = 0; wp && side.vector && i < WAYPOINT_TRIES; i++) {
		if (fl_waypoints_next(wp, e->now, &pair) < 0)
			return -ENOSPC;
		side.local_port = pair.local;
		side.remote_port = pair.remote;
		err = fl_engine_change_side(e, id, FL_FORWARD, &side);
		if (err != -EEXIST)
			break;
	}
	if (err)
		return err;
	fl_waypoints_take(wp);
	fl_engine_signal_move(e, id);
	return 0;
}

/* --- word to the peer ------------------------------------------------------------------------- */

/* Metadata of a session without user data, which the peer answers at once. */
static void say(struct fl_engine *e, const struct fl_generated *what, struct fl_meta *meta)
{
	meta->has |= FL_META_BIT(FL_META_DISABLE_FORWARD);
	fl_tables_count(e->t, FL_STAT_MOVES_ANNOUNCED);
	fl_engine_generate(e, what);
}

void fl_engine_announce_session(struct fl_engine *e, uint32_t id)
{
	struct fl_meta meta;
	const struct fl_generated what = { .id = id, .dir = FL_FORWARD, .meta = &meta };

	fl_engine_meta_forward(e, id, &meta);
	say(e, &what, &meta);
}

void fl_engine_announce_move(struct fl_engine *e, uint16_t vector, uint32_t carrier, uint16_t path)
{
	struct fl_session *s = fl_engine_session(e, carrier);
	struct fl_meta meta;
	const struct fl_generated what = {
		.id = carrier, .dir = FL_FORWARD, .meta = &meta, .path = path
	};

	if (!(s->flags & FL_SESSION_RESIGNAL)) {
		s->modify_seq = (s->modify_seq + 1) & 0xfff;
		s->flags |= FL_SESSION_RESIGNAL;
	}
	fl_engine_meta_forward(e, carrier, &meta);
	meta.has |= FL_META_BIT(FL_META_VECTOR);
	meta.vector = (struct fl_meta_vector){ vector, e->steering[vector].seq };
	fl_engine_meta_by(e, &meta, path);
	say(e, &what, &meta);
}
