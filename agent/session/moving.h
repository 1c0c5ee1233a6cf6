/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the session engine share about choosing and moving: which sessions are in which
 * vector, what is written down of them, and who moves them when. Included by engine_internal.h.
 */
#ifndef FL_AGENT_SESSION_MOVING_H
#define FL_AGENT_SESSION_MOVING_H

#include "agent/codec/meta.h"
#include "agent/session/engine.h"

struct fl_announced;

/* Sessions of a vector of ours, in a list without beginning of its own (groups.c). */
struct fl_group_link {
	uint32_t next; /* session, 0: none */
	uint32_t prev;
};

struct fl_groups {
	struct fl_group_link *links; /* by session */
	uint32_t first[FL_MAX_VECTORS];
};

/* What a session's record does not say (note.c). */
struct fl_note {
	uint32_t decision; /* fl_history_decision.seq; 0: from before a restart */
	uint32_t kept;     /* flows that it has left (kept.c); 0: none */
	uint16_t route;    /* fl_choice_route(), 0: none */
};

/*
 * A flow from a peer that its session has left for another one: what is still under way comes by it
 * (P-16, kept.c).
 */
struct fl_kept {
	struct fl_wide_key key;
	uint32_t slot;
	uint32_t session; /* 0: unused */
	uint32_t next;    /* the session's one before it; unused ones: another; 0: none */
	uint16_t vector;  /* held */
	uint8_t dir;      /* enum fl_direction, of its packets */
	bool heard;       /* the new peer has said something proven: the end is near */
	struct fl_mono until;
};

struct fl_kept_flows {
	struct fl_kept *item; /* from 1 */
	uint32_t size;
	uint32_t live;
	uint32_t unused; /* list */
	uint32_t cursor;
};

enum fl_steering_state {
	FL_STEER_STEADY = 0,
	FL_STEER_ASKED,      /* the peer is to say whether it has followed; then we move */
	FL_STEER_ANNOUNCED,  /* moved; the peer has not said yet that it has followed */
	FL_STEER_ONE_BY_ONE, /* each session is moved */
};

/* A vector that is being moved, or may be (steer.c); of the peer's, what was heard (follow.c). */
struct fl_steering {
	uint8_t state; /* enum fl_steering_state */
	uint8_t tries;
	uint8_t turn; /* one by one: sessions of which turn, of how many */
	uint8_t turns;
	bool quiet;      /* without an answer nothing is done: nothing has moved */
	uint16_t to;     /* path */
	uint16_t target; /* one by one: vector; 0: to other peers */
	enum fl_move_cause cause;
	uint32_t seq;      /* that the peer has to say back */
	uint32_t heard;    /* number of the peer's last move; 0: none */
	uint32_t cursor;   /* session to go on with */
	uint32_t walked;   /* sessions moved one by one */
	uint8_t reminders; /* to the peer, of sessions that moved into it; left */
	struct fl_mono remind_at;
	struct fl_mono announced;
	struct fl_mono moved; /* last; 0: never */
};

/* --- groups.c --------------------------------------------------------------------------------- */
int fl_engine_groups_new(struct fl_engine *e);
void fl_engine_groups_free(struct fl_engine *e);

/* A session is in the vector that its side toward @toward names; or leaves it. Not for LANs. */
void fl_engine_join(struct fl_engine *e, uint32_t id, enum fl_direction toward);
void fl_engine_leave(struct fl_engine *e, uint32_t id, enum fl_direction toward);

/* Vectors that sessions like this one may be in toward a peer. */
struct fl_vector_key fl_engine_own_key(const struct fl_session *s, uint16_t peer);

/* --- note.c ----------------------------------------------------------------------------------- */
int fl_engine_notes_new(struct fl_engine *e);
void fl_engine_note_opened(struct fl_engine *e, uint32_t id, const struct fl_decision *d);
void fl_engine_note_closed(struct fl_engine *e, uint32_t id);
void fl_engine_note_adopted(struct fl_engine *e, uint32_t id);
uint32_t fl_engine_note_decision(struct fl_engine *e, const struct fl_decision *d);
void fl_engine_route_changed(struct fl_engine *e, uint32_t id, const struct fl_candidate *way);

/* --- move.c ----------------------------------------------------------------------------------- */
/* The session's next packet toward the responder says where it is now (3.3). */
void fl_engine_signal_move(struct fl_engine *e, uint32_t id);

/* To another vector of the same peer. */
void fl_engine_move_session(struct fl_engine *e, uint32_t id, uint16_t vector);

/* To another peer: 0, -ENOSPC without waypoints there or without room. */
int fl_engine_move_to_peer(struct fl_engine *e, uint32_t id, const struct fl_candidate *way);

/* One side of a session is another now, on waypoints that are free: 0, -EEXIST, -ENOSPC. */
int fl_engine_change_side(struct fl_engine *e, uint32_t id, enum fl_direction toward,
			  const struct fl_side *to);

/* --- kept.c ----------------------------------------------------------------------------------- */
/* The session's flow of this direction is about to be another, from another peer: the old one stays
 * for what is under way. Its waypoints are given back with it. */
void fl_engine_keep(struct fl_engine *e, uint32_t id, enum fl_direction dir);

/* Something proven has come the new way: the old one goes in FL_VECTOR_KEEP_S. */
void fl_engine_kept_heard(struct fl_engine *e, uint32_t id);

/* Packets of this direction leave by another vector or next hop now. */
void fl_engine_kept_out(struct fl_engine *e, uint32_t id, enum fl_direction dir, uint16_t out);

/* Those of this direction, or all of the session's, are over. */
void fl_engine_kept_drop(struct fl_engine *e, uint32_t id, enum fl_direction dir);
void fl_engine_kept_close(struct fl_engine *e, uint32_t id);

/* Is it a flow that its session has left? */
bool fl_engine_is_kept(const struct fl_engine *e, uint32_t slot);

void fl_engine_kept_tick(struct fl_engine *e);
void fl_engine_kept_free(struct fl_engine *e);

/* Tell the peer where a session is now, without waiting for a packet of its: it may be one whose
 * other end sends, and does so where nothing arrives any more. */
void fl_engine_announce_session(struct fl_engine *e, uint32_t id);

/* Tell the peer by @path, with metadata of the session @carrier, that a vector moves there. */
void fl_engine_announce_move(struct fl_engine *e, uint16_t vector, uint32_t carrier, uint16_t path);

/* --- steer.c ---------------------------------------------------------------------------------- */
void fl_engine_steer(struct fl_engine *e);
void fl_engine_note_move(struct fl_engine *e, struct fl_history_move *move);
/* The peer may have followed what nobody did, or missed what was done: it hears where a vector is.
 */
void fl_engine_call_back(struct fl_engine *e, uint16_t vector, bool quiet);
/* A session of ours is where it is now since a moment ago: the peer there hears of it, until it
 * answers. */
void fl_engine_tell_move(struct fl_engine *e, uint32_t id);
/* A peer has said back which vector of ours it knows, and how often that moved. */
void fl_engine_move_heard(struct fl_engine *e, uint16_t peer, const struct fl_meta_vector *vector);
/* Does the configuration let a peer's whole vectors be moved? */
bool fl_engine_may_follow(const struct fl_engine *e, uint16_t peer);
const struct fl_cfg_service_policy *fl_engine_policy(const struct fl_engine *e, uint16_t name);

/* --- elsewhere.c ------------------------------------------------------------------------------ */
/* Does a decision lead a session of @peer by @path to another peer? For a failback it must be
 * better there, and not only as good, or less busy. */
bool fl_engine_leads_elsewhere(const struct fl_decision *d, uint16_t peer, uint16_t path,
			       bool failback);

/* Would any of a vector's sessions be led elsewhere; unless @anything is better, to a way that
 * meets its service level? */
bool fl_engine_other_peer(struct fl_engine *e, uint16_t vector, bool failback, bool anything);

/* --- follow.c --------------------------------------------------------------------------------- */
/* The vector by which a peer's session is answered that was signalled by @path; 0: too many. */
uint16_t fl_engine_vector_from(struct fl_engine *e, uint16_t peer, uint16_t path,
			       const struct fl_meta *meta);

/* A proven packet of a peer's session came by @path: follow, if it says so. False: drop it. */
bool fl_engine_follow(struct fl_engine *e, uint32_t id, uint16_t path, const struct fl_meta *meta);

/* May a packet of this direction come by @path now? */
bool fl_engine_expects(const struct fl_engine *e, uint32_t id, enum fl_direction dir,
		       uint16_t path);

/* Forward metadata of a session that came by another peer so far: it has been moved to this one. */
bool fl_engine_is_moved_here(const struct fl_engine *e, uint32_t id, uint16_t peer,
			     const struct fl_meta *meta);
int fl_engine_take_from_peer(struct fl_engine *e, uint32_t id, const struct fl_announced *what);

#endif
