// SPDX-License-Identifier: Apache-2.0
/*
 * The responder's side of moves (svr-protocol.md 3.10, 6.3): sessions that a peer opened are
 * answered by the path on which its last proven word came. A peer that names its vectors (TLV
 * 0x8008) takes all sessions of one along with one packet.
 */
#include <errno.h>

#include "agent/session/engine_internal.h"

/* Serial numbers: RFC 1982. */
static bool is_newer(uint32_t seq, uint32_t known)
{
	return (int32_t)(seq - known) > 0;
}

static void group_moved(struct fl_engine *e, uint16_t vector, uint16_t path)
{
	struct fl_history_move move = {
		.at = e->now,
		.cause = FL_MOVE_BY_PEER,
		.vector = vector,
		.from = fl_fabric_vector_last(e->fabric, vector),
		.to = path,
		.sessions = fl_fabric_vector_refs(e->fabric, vector),
	};

	fl_fabric_vector_move(e->fabric, vector, path, e->jiffies);
	fl_history_move(e->history, &move);
	fl_tables_count(e->t, FL_STAT_VECTORS_FOLLOWED);
}

uint16_t fl_engine_vector_from(struct fl_engine *e, uint16_t peer, uint16_t path,
			       const struct fl_meta *meta)
{
	struct fl_vector_key key = { .peer = peer, .group = FL_GROUP_PEER };
	uint16_t vector;

	if (!fl_meta_has(meta, FL_META_VECTOR) || !meta->vector.id ||
	    meta->vector.id >= FL_MAX_VECTORS || !fl_engine_may_follow(e, peer))
		return fl_fabric_vector(e->fabric, &key, path);
	key.group |= meta->vector.id;
	vector = fl_fabric_vector_of_group(e->fabric, &key);
	if (!vector) {
		vector = fl_fabric_vector(e->fabric, &key, path);
		e->steering[vector].heard = meta->vector.seq;
		return vector;
	}
	/* Also after a restart of ours, when no number is known yet, and when its path is gone. */
	if (e->steering[vector].heard && e->t->vectors[vector].path &&
	    !is_newer(meta->vector.seq, e->steering[vector].heard))
		return vector;
	e->steering[vector].heard = meta->vector.seq;
	if (e->t->vectors[vector].path != path)
		group_moved(e, vector, path);
	return vector;
}

/* A session of the peer's into the vector by which it is answered from now on. */
static void answer_by(struct fl_engine *e, uint32_t id, uint16_t vector)
{
	struct fl_session *s = fl_engine_session(e, id);
	uint16_t old_path = fl_fabric_vector_last(e->fabric, s->in.vector);
	struct fl_history_move move = { .session = id,
					.at = e->now,
					.cause = FL_MOVE_BY_PEER,
					.vector = vector,
					.was = s->in.vector,
					.from = old_path,
					.to = e->t->vectors[vector].path,
					.sessions = 1 };

	if (s->in.vector == vector)
		return;
	fl_engine_leave(e, id, FL_REVERSE);
	s->in.vector = vector;
	fl_engine_join(e, id, FL_REVERSE);
	fl_engine_flow(e, id, FL_FORWARD)->in_vector = vector;
	fl_engine_flow(e, id, FL_REVERSE)->out = vector;
	fl_engine_kept_out(e, id, FL_REVERSE, vector);
	if (move.to == old_path || !old_path)
		return;
	/* What is still under way comes by the old one (P-16). */
	fl_fabric_vector_accept(e->fabric, vector, old_path, e->jiffies);
	fl_engine_note_move(e, &move);
}

bool fl_engine_follow(struct fl_engine *e, uint32_t id, uint16_t path, const struct fl_meta *meta)
{
	struct fl_session *s = fl_engine_session(e, id);
	bool expected = fl_fabric_vector_expects(e->fabric, s->in.vector, path, e->jiffies);
	uint16_t vector;

	if (fl_meta_has(meta, FL_META_FORWARD))
		vector = fl_engine_vector_from(e, s->in.id, path, meta);
	else if (expected || !meta->has || e->t->vectors[s->in.vector].group != FL_GROUP_PEER)
		return expected;
	else
		vector = fl_engine_vector_from(e, s->in.id, path, meta);
	if (!vector)
		return false;
	answer_by(e, id, vector);
	return fl_fabric_vector_expects(e->fabric, vector, path, e->jiffies);
}

bool fl_engine_expects(const struct fl_engine *e, uint32_t id, enum fl_direction dir, uint16_t path)
{
	const struct fl_side *from = fl_side_from(fl_engine_session(e, id), dir);

	return fl_fabric_vector_expects(e->fabric, from->vector, path, e->jiffies);
}

/* --- sessions that come by another peer than before ------------------------------------------- */

bool fl_engine_is_moved_here(const struct fl_engine *e, uint32_t id, uint16_t peer,
			     const struct fl_meta *meta)
{
	const struct fl_session *s = fl_engine_session(e, id);

	return s->in.kind == FL_SIDE_PEER && s->in.id != peer &&
	       fl_meta_has(meta, FL_META_MODIFY) && meta->modify.forward &&
	       fl_meta_has(meta, FL_META_REMAINING_TIME);
}

int fl_engine_take_from_peer(struct fl_engine *e, uint32_t id, const struct fl_announced *what)
{
	const struct fl_path_rt *path = fl_fabric_path(e->fabric, what->path);
	struct fl_session *s = fl_engine_session(e, id);
	struct fl_side side = { .kind = FL_SIDE_PEER,
				.id = path->peer,
				.local_port = what->local_port,
				.remote_port = what->remote_port };
	struct fl_history_move move = { .session = id,
					.at = e->now,
					.cause = FL_MOVE_BY_PEER,
					.was = s->in.vector,
					.from = e->t->vectors[s->in.vector].path,
					.to = what->path,
					.sessions = 1 };
	int err;

	side.vector = fl_engine_vector_from(e, path->peer, what->path, what->meta);
	if (!side.vector)
		return -FL_DROP_TABLE_FULL;
	err = fl_engine_change_side(e, id, FL_REVERSE, &side);
	if (err)
		return err == -EEXIST ? -FL_DROP_META_UNEXPECTED : -FL_DROP_TABLE_FULL;
	fl_engine_kept_heard(e, id);
	move.vector = side.vector;
	fl_engine_note_move(e, &move);
	return 0;
}
