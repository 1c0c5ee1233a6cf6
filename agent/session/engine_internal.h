/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the session engine share. */
#ifndef FL_AGENT_SESSION_ENGINE_INTERNAL_H
#define FL_AGENT_SESSION_ENGINE_INTERNAL_H

#include "agent/base/fifo.h"
#include "agent/codec/packet.h"
#include "agent/crypto/seal.h"
#include "agent/session/decide.h"
#include "agent/session/engine.h"
#include "agent/session/frag.h"
#include "agent/session/moving.h"
#include "agent/session/pending.h"
#include "agent/session/ratelimit.h"
#include "agent/session/waypoints.h"

/* Waypoints toward one peer: [0] UDP, [1] TCP. */
struct fl_peer_ports {
	struct fl_waypoints wp[2];
	uint64_t without_parity; /* sessions opened on pairs that were not the peer's to pick */
	bool ready;
};

/* Flows that a peer was asked about lately, by hash: newer ones push out older ones. */
#define FL_ASKED_FLOWS 1024
struct fl_asked_flow {
	uint32_t hash;
	uint32_t at_ms; /* CLOCK_MONOTONIC, low bits; 0 = never */
};

/* Made of a configuration: who may reach what, and name ids of its objects, by index. */
struct fl_engine_plan {
	struct fl_fib *fib;
	uint16_t *service_names;
	uint16_t *tenant_names;
	uint16_t *policy_names;
	uint16_t *routes; /* fl_choice_route() of each service route */
};

struct fl_engine {
	struct fl_tables *t;
	struct fl_fabric *fabric;
	struct fl_io io;
	const struct fl_config *config;
	struct fl_flows *flows;
	struct fl_store *store;
	struct fl_engine_plan plan; /* of the configuration */
	struct fl_engine_plan next; /* of the one that was prepared */
	uint16_t own_name;
	struct fl_choice *choice;
	struct fl_history *history;
	struct fl_note *notes; /* by session */
	struct fl_kept_flows kept;
	struct fl_groups groups;
	struct fl_steering steering[FL_MAX_VECTORS];
	bool follows[FL_MAX_PEERS]; /* it has said that it moves whole vectors */
	bool review_due;
	struct fl_mono reviewed;
	struct fl_peer_ports *ports[FL_MAX_PEERS];

	/* The present moment, of the batch. */
	struct fl_mono now;
	uint64_t wall_s;
	uint32_t jiffies;

	/* When to look at a session again: tenths of a second of monotonic time; 0 = never. */
	uint32_t *deadlines;
	uint32_t age_cursor;
	uint32_t age_limit; /* highest id in use so far */

	uint8_t next_uuid[16];    /* of the next session of our hosts */
	struct fl_dup_side *dups; /* sides of sessions carried in copies (dup.c) */

	struct fl_fifo acks; /* sessions that may need a generated acknowledgement (P-14) */
	struct fl_pending *pending;
	struct fl_frags *host_frags; /* of hosts */
	struct fl_frags *peer_frags; /* of peers' packets */
	uint32_t next_frag_id;

	uint32_t recheck_cursor; /* session to hold against the configuration next; 0: none */
	uint32_t recheck_ended;
	uint32_t route_cursor; /* session to look at next after a route change */
	bool routes_stale;
	struct fl_resignal *resignal; /* what is left to be signalled anew; NULL: nothing */
	struct fl_mono asked;         /* when a peer last sent what we know no session for */
	uint32_t half_open;           /* TCP sessions opened and not yet seen established */
	uint32_t recover_cursor;
	uint64_t recover_period_ms; /* that a round over all sessions took */
	struct fl_mono recover_started;

	struct fl_ratelimit icmp_limit;
	struct fl_ratelimit reset_limit;
	struct fl_ratelimit delete_limit;
	struct fl_ratelimit enable_limit[FL_MAX_PEERS];
	struct fl_asked_flow asked_flows[FL_ASKED_FLOWS];

	uint8_t rx[FL_PUNT_HUGE];    /* a punted packet, writable */
	uint8_t plain[FL_PUNT_HUGE]; /* a packet taken out of another */
};

/* A packet at work. */
struct fl_work {
	const struct fl_punt *punt;
	struct fl_packet packet;
};

/* Count a drop and be done. */
static inline void fl_engine_drop(struct fl_engine *e, enum fl_drop_reason reason)
{
	fl_tables_drop(e->t, reason);
}

static inline struct fl_session *fl_engine_session(const struct fl_engine *e, uint32_t id)
{
	return &e->t->sessions[id];
}

static inline struct fl_flow *fl_engine_flow(const struct fl_engine *e, uint32_t id,
					     enum fl_direction dir)
{
	return &e->t->flows[e->t->sessions[id].slot[dir]];
}

static inline const struct fl_side *fl_side_from(const struct fl_session *s, enum fl_direction dir)
{
	return dir == FL_FORWARD ? &s->in : &s->out;
}

static inline const struct fl_side *fl_side_to(const struct fl_session *s, enum fl_direction dir)
{
	return dir == FL_FORWARD ? &s->out : &s->in;
}

/* --- engine.c --------------------------------------------------------------------------------- */
/* The flow that the data plane found may be gone by now, or be another's. */
bool fl_engine_still_there(const struct fl_engine *e, const struct fl_punt *punt);

/* A packet of a session that the data plane has not looked at: TTL and TCP first, then on. */
void fl_engine_pass(struct fl_engine *e, uint32_t id, enum fl_direction dir,
		    struct fl_packet *packet);

/* --- open.c: new sessions --------------------------------------------------------------------- */
void fl_engine_first_packet(struct fl_engine *e, struct fl_work *work);

/* A session that a peer announces. Returns its id, or a negative drop reason. */
struct fl_announced {
	const struct fl_meta *meta;
	uint16_t path;
	uint16_t local_port; /* waypoints as the packet has them */
	uint16_t remote_port;
	bool midstream;
};

int fl_engine_open_announced(struct fl_engine *e, const struct fl_announced *what);

/* TCP that is not a connection's first segment. */
static inline bool fl_is_midstream(const struct fl_packet *p)
{
	return p->hdr.proto == FL_IPPROTO_TCP &&
	       (p->hdr.tcp_flags & (FL_TH_SYN | FL_TH_ACK | FL_TH_RST)) != FL_TH_SYN;
}

/* --- configure.c ------------------------------------------------------------------------------ */
void fl_engine_free_plan(struct fl_engine_plan *plan);

/* After a new configuration: end sessions that it does not allow. Return: are some left to see? */
bool fl_engine_recheck_some(struct fl_engine *e);

/* --- host_prefix.c ---------------------------------------------------------------------------- */
/* Into the data plane's table; what is not of this configuration goes, whoever has put it in. */
void fl_engine_host_prefixes(struct fl_engine *e);

/* --- adopt.c ---------------------------------------------------------------------------------- */
/* Before the records are indexed: take out what an earlier process did not finish. */
void fl_engine_tidy(struct fl_engine *e);

/* With the first configuration: take over its sessions. */
void fl_engine_adopt(struct fl_engine *e);

/* --- ahead.c ---------------------------------------------------------------------------------- */
/* Key of a packet from a host, this one or another. */
void fl_engine_host_key(const struct fl_punt *punt, const struct fl_tuple *t,
			struct fl_wide_key *ret_key);
/* Walks over sessions fetch so many ahead (chosen): a miss takes as long as one or two are worked
 * on. First the record (fl_store_fetch()), then the flows that it names. */
#define FL_ENGINE_AHEAD 4
void fl_engine_fetch_flows(const struct fl_engine *e, uint32_t id);
void fl_engine_ahead_of_next(struct fl_engine *e, const struct fl_side *out, uint8_t wire_proto);
void fl_engine_ahead_of_announced(const struct fl_engine *e, const struct fl_meta *m,
				  const struct fl_decision *d);

/* --- peer_ports.c ----------------------------------------------------------------------------- */
/* Allocator of a peer's waypoints; NULL without memory. */
struct fl_waypoints *fl_engine_waypoints_of(struct fl_engine *e, uint16_t peer, uint8_t wire_proto);
void fl_engine_waypoints_changed(struct fl_engine *e);
void fl_engine_check_parity(struct fl_engine *e, uint16_t path, uint16_t local_port,
			    uint16_t remote_port);

/* The pair is ours to give back: we picked it. */
void fl_engine_release_waypoints(struct fl_engine *e, const struct fl_session *s);
void fl_engine_release_pair(struct fl_engine *e, uint16_t peer, uint8_t wire_proto,
			    struct fl_waypoint_pair pair);

/* After a restart: the pair is in use, or was until @closed. */
void fl_engine_adopt_waypoints(struct fl_engine *e, const struct fl_session *s,
			       struct fl_mono closed);

/* --- track.c ---------------------------------------------------------------------------------- */
/* May one more connection be opened, that is not established yet (7.4)? */
bool fl_engine_half_open_allowed(const struct fl_engine *e, uint8_t proto);

/* TCP of a host that may start in the middle (3.5)? If not, it has been dropped, and answered. */
bool fl_engine_tcp_may_start(struct fl_engine *e, const struct fl_work *work,
			     const struct fl_decision *d);

/* The same of TCP that a peer announces. Returns 0 or a negative drop reason. */
int fl_engine_tcp_may_be_announced(const struct fl_engine *e, const struct fl_announced *what,
				   const struct fl_decision *d);

/* Follow TCP's state with a packet that the agent carries. Returns 0 or a negative drop reason. */
int fl_engine_track(struct fl_engine *e, uint32_t id, enum fl_direction dir,
		    const struct fl_packet *p);

/* Take note of the numbers of a segment that goes no further, whose user data is @payload_len. */
void fl_engine_note_numbers(struct fl_engine *e, uint32_t id, enum fl_direction dir,
			    const struct fl_packet *p, size_t payload_len);

/* Numbers and window of a segment of ours that travels in direction @dir (P-17). */
void fl_engine_say_numbers(const struct fl_session *s, enum fl_direction dir, struct fl_tcp *tcp);

/* The session is no longer half open, or is over. */
void fl_engine_not_half_open(struct fl_engine *e, uint32_t id);

/* --- close.c ---------------------------------------------------------------------------------- */
enum fl_close_cause {
	FL_CLOSE_IDLE,
	FL_CLOSE_CLEARED,  /* by an operator */
	FL_CLOSE_REPLACED, /* another session took its tuple or waypoints */
	FL_CLOSE_PEER,     /* the peer said so */
	FL_CLOSE_CONFIG,   /* no longer allowed, or its interface is gone */
	FL_CLOSE_FAILED,   /* never got going */
};

void fl_engine_close(struct fl_engine *e, uint32_t id, enum fl_close_cause cause);

/* --- emit.c: packets out ---------------------------------------------------------------------- */

/**
 * fl_engine_emit() - send a packet of a session on, as the data plane would
 * @packet: as it arrived from the session's @dir side; may be bigger than any frame
 * @meta:   to put before the payload, NULL for none; only toward a peer
 *
 * Counts in the flow, or as a drop. Fragments what is too big, or tells its sender.
 */
void fl_engine_emit(struct fl_engine *e, uint32_t id, enum fl_direction dir,
		    struct fl_packet *packet, const struct fl_meta *meta);

/* One of several copies of a packet. */
struct fl_copy {
	uint32_t id;
	enum fl_direction dir;
	struct fl_packet *packet;
	const struct fl_meta *meta;
	uint16_t path;
	uint16_t mtu; /* smallest of the paths that its copies take */
	bool again;   /* counted already, and its sender told */
};

void fl_engine_emit_copy(struct fl_engine *e, const struct fl_copy *copy);

/* The same with whatever metadata the flow's state asks for. */
void fl_engine_forward(struct fl_engine *e, uint32_t id, enum fl_direction dir,
		       struct fl_packet *packet);

/* Send an IP packet built in fl_io.room() to a host next to us. */
bool fl_engine_send_hop(struct fl_engine *e, uint16_t hop, uint8_t family, size_t len);
bool fl_engine_send_path(struct fl_engine *e, uint16_t path, size_t len);
void fl_engine_send_host(struct fl_engine *e, uint8_t family, size_t len);

/* --- generate.c: packets of our own ----------------------------------------------------------- */
/* A packet of our own on a session's waypoints, without user data. */
struct fl_generated {
	uint32_t id;
	enum fl_direction dir; /* the one it travels in */
	const struct fl_meta *meta;
	uint16_t path;          /* 0: the session's */
	const uint8_t *payload; /* behind the metadata; may be NULL */
	size_t payload_len;
	bool as_udp; /* whatever the session is carried as (P-24) */
	uint8_t tos;
};

void fl_engine_generate(struct fl_engine *e, const struct fl_generated *what);

/* --- describe.c: metadata of ours ------------------------------------------------------------ */
void fl_engine_meta_forward(struct fl_engine *e, uint32_t id, struct fl_meta *ret_meta);
void fl_engine_meta_reverse(struct fl_engine *e, uint32_t id, bool user_data,
			    struct fl_meta *ret_meta);
/* Only the question whether the session exists (P-18). */
void fl_engine_meta_health(struct fl_engine *e, uint32_t id, struct fl_meta *ret_meta);
/* What a packet on its way out has to carry by its flow's state; false: nothing. */
bool fl_engine_meta_due(struct fl_engine *e, uint32_t id, enum fl_direction dir,
			const struct fl_packet *packet, struct fl_meta *ret_meta);
/* It goes by this path, not by the vector's. */
void fl_engine_meta_by(struct fl_engine *e, struct fl_meta *meta, uint16_t path);

/* --- signal.c: packets from peers ------------------------------------------------------------ */
void fl_engine_from_peer(struct fl_engine *e, struct fl_work *work);
void fl_engine_bare(struct fl_engine *e, struct fl_work *work);

/* --- mark.c ----------------------------------------------------------------------------------- */
/* Metadata of a packet that came by @path, proven, may have a mark in it; @session: 0 if unknown.
 */
void fl_engine_heard_mark(struct fl_engine *e, uint16_t path, const struct fl_packet *packet,
			  const struct fl_meta *meta, uint32_t session);

/* --- control.c -------------------------------------------------------------------------------- */
void fl_engine_control(struct fl_engine *e, struct fl_work *work, uint32_t slot,
		       const struct fl_opened *opened);
void fl_engine_ask_metadata(struct fl_engine *e, struct fl_work *work);
void fl_engine_send_control(struct fl_engine *e, uint32_t id, enum fl_direction dir,
			    uint8_t control);
void fl_engine_health(struct fl_engine *e, const struct fl_work *work, uint32_t slot,
		      const struct fl_opened *opened);
void fl_engine_relay_delete(struct fl_engine *e, uint32_t id, enum fl_direction arrived);
void fl_engine_ack_later(struct fl_engine *e, uint32_t id);
void fl_engine_acks_tick(struct fl_engine *e);
void fl_engine_ack_now(struct fl_engine *e, uint32_t id);
size_t fl_engine_ack_bytes(void); /* of an item in fl_engine.acks */

/* --- errors.c: ICMP and resets ---------------------------------------------------------------- */
/* Tell a host that its packet, of no session, went no further. */
void fl_engine_icmp_to_sender(struct fl_engine *e, const struct fl_work *work, uint8_t kind);

/* Why a packet went no further. */
struct fl_why {
	uint8_t kind; /* enum fl_icmp_kind: FL_ICMP_TTL_EXPIRED or FL_ICMP_TOO_BIG */
	uint16_t mtu; /* for packets as the session's hosts send them */
};

/* The same of a session's packet that came in direction @dir: what a peer sent travels back inside
 * the session. */
void fl_engine_tell_sender(struct fl_engine *e, uint32_t id, enum fl_direction dir,
			   const struct fl_packet *packet, const struct fl_why *why);
void fl_engine_icmp_error(struct fl_engine *e, struct fl_work *work);
void fl_engine_carried_error(struct fl_engine *e, const struct fl_work *work,
			     const struct fl_opened *opened);
void fl_engine_reset(struct fl_engine *e, const struct fl_work *work);
/* --- fragments.c ------------------------------------------------------------------------------ */
void fl_engine_fragment(struct fl_engine *e, struct fl_work *work);

/* A packet that was made whole and is for this host itself. */
void fl_engine_to_host(struct fl_engine *e, const struct fl_work *work);

/* --- recover.c: inactivity-based recovery, keep-alives ---------------------------------------- */
#define FL_HEALTH_TRIES 3 /* P-18 */
/* Of fl_session.health_tries: how many, and in which direction. */
#define FL_HEALTH_TRIES_MASK 0x7f
#define FL_HEALTH_BACK       0x80
void fl_engine_recover(struct fl_engine *e);

/* The far side was heard: what was still to be asked need not be. */
void fl_engine_no_question(struct fl_engine *e, uint32_t id);

/* --- dup.c: sessions carried in copies ---------------------------------------------------------
 */
/* A session of ours, not installed yet, that starts on @path: in copies if its policy says so. */
void fl_engine_dup_open(struct fl_engine *e, uint32_t id, uint16_t path);
/* The same of one that a peer announced in copies. Return: 0 or -errno. */
int fl_engine_dup_announced(struct fl_engine *e, uint32_t id, uint16_t path);
void fl_engine_dup_close(struct fl_engine *e, uint32_t id);
void fl_engine_dup_adopt(struct fl_engine *e, uint32_t id);
void fl_engine_dup_configured(struct fl_engine *e);
void fl_engine_dup_tick(struct fl_engine *e);
void fl_engine_dup_free(struct fl_engine *e);

/* Do packets of this direction come from, or go to, a peer in copies? */
bool fl_engine_dup_from(const struct fl_engine *e, uint32_t id, enum fl_direction dir);
bool fl_engine_dup_to(const struct fl_engine *e, uint32_t id, enum fl_direction dir);

/* May they come by this path? @announced: with metadata about the session, which makes it ready. */
bool fl_engine_dup_path(struct fl_engine *e, uint32_t id, enum fl_direction dir, uint16_t path,
			bool announced);
/* Is it the first copy? Else the reason to drop it. */
enum fl_drop_reason fl_engine_dup_let_by(struct fl_engine *e, uint32_t id, enum fl_direction dir,
					 const struct fl_meta *m);
/* The responder has answered on every path that is up. */
bool fl_engine_dup_done(struct fl_engine *e, uint32_t id);
/* The responder's side does not know the session any more. */
void fl_engine_dup_lost(struct fl_engine *e, uint32_t id);
/* That side leads to another peer now, which counts anew. */
void fl_engine_dup_turned(struct fl_engine *e, uint32_t id, enum fl_direction toward);
/* Answer forward metadata where it came from. */
void fl_engine_dup_ack(struct fl_engine *e, uint32_t id, uint16_t path);

/* fl_engine_forward() and fl_engine_generate() for a side carried in copies. */
void fl_engine_dup_forward(struct fl_engine *e, uint32_t id, enum fl_direction dir,
			   struct fl_packet *packet);
void fl_engine_dup_generate(struct fl_engine *e, const struct fl_generated *what);

/* --- resignal.c ------------------------------------------------------------------------------- */
void fl_engine_resignal_some(struct fl_engine *e);

/* --- age.c ------------------------------------------------------------------------------------ */
void fl_engine_watch(struct fl_engine *e, uint32_t id);
bool fl_engine_age(struct fl_engine *e);

#endif
