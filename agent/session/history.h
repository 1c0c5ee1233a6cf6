/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was decided, and by which inputs: for `fairlead explain session`, for trying another policy
 * on what has happened (`fairlead policy test`), and for knowing when and why sessions moved.
 * Everything is in rings of fixed size, the oldest goes first. Sessions that were decided alike
 * share a record. Loop thread only.
 */
#ifndef FL_AGENT_SESSION_HISTORY_H
#define FL_AGENT_SESSION_HISTORY_H

#include "agent/session/decide.h"

/* Chosen: some megabytes in all, of which only what is used is ever touched. */
#define FL_HISTORY_DECISIONS 4096
#define FL_HISTORY_OPENINGS  65536
#define FL_HISTORY_MOVES     16384
#define FL_HISTORY_PATHS     8 /* candidates that a record holds; the chosen one is among them */

/* One of the paths that a decision was about. */
struct fl_history_candidate {
	struct fl_sla_path path;
	struct fl_sla_verdict verdict;
	uint16_t route; /* fl_choice_route(); 0: unknown */
};

/* A decision about paths, with its inputs. */
struct fl_history_decision {
	uint32_t seq;      /* 0: none */
	uint32_t sessions; /* that were decided alike */
	struct fl_mono first;
	struct fl_mono last;
	uint16_t policy; /* name id */
	uint8_t result;  /* enum fl_sla_result */
	int8_t chosen;   /* of candidate[], -1: none */
	uint8_t n_paths;
	uint8_t left_out; /* candidates that found no place */
	uint16_t only_peer;
	uint16_t avoid_peer;
	struct fl_sla_policy limits;
	struct fl_history_candidate candidate[FL_HISTORY_PATHS]; /* n_paths of them */
};

/* A session of a host or of a peer, as it was opened. */
struct fl_history_opening {
	uint32_t seq;
	uint32_t decision; /* fl_history_decision.seq */
	struct fl_mono at;
	uint8_t uuid[16];
	struct fl_tuple tuple;
	uint16_t iface;     /* from a LAN; else 0 */
	uint16_t from_peer; /* from a peer, with its tenant; else 0 */
	uint16_t tenant;    /* name ids */
	uint16_t service;
};

enum fl_move_cause {
	FL_MOVE_PATH_DOWN,
	FL_MOVE_SERVICE_LEVEL,
	FL_MOVE_FAILBACK,
	FL_MOVE_BY_PEER, /* the initiator's side moved, and we with it */
};

struct fl_history_move {
	uint32_t seq;
	uint32_t session; /* record; 0: all of the vector's */
	uint8_t uuid[4];  /* of the session, to tell it from a later one with that number */
	struct fl_mono at;
	enum fl_move_cause cause;
	uint16_t vector; /* that the sessions are in afterwards */
	uint16_t was;    /* vector of one session before that */
	uint16_t from;   /* paths */
	uint16_t to;
	uint32_t sessions; /* how many moved */
	uint32_t decision; /* fl_history_decision.seq, 0: none */
};

struct fl_history;

int fl_history_new(struct fl_history **ret_history);
void fl_history_free(struct fl_history *history); /* takes NULL */

/* Note a decision. Return: its number. */
uint32_t fl_history_decision(struct fl_history *history, const struct fl_sla_decision *decision,
			     uint16_t policy, const uint16_t *routes, struct fl_mono now);

/* Note an opening or a move; seq is filled in. */
void fl_history_opening(struct fl_history *history, struct fl_history_opening *opening);
void fl_history_move(struct fl_history *history, struct fl_history_move *move);

/* By number; NULL when it is gone. */
const struct fl_history_decision *fl_history_find_decision(const struct fl_history *history,
							   uint32_t seq);
const struct fl_history_opening *fl_history_find_opening(const struct fl_history *history,
							 uint32_t seq);
const struct fl_history_move *fl_history_find_move(const struct fl_history *history, uint32_t seq);

/* Numbers of the newest ones; 0: there are none. They count up by one. */
uint32_t fl_history_last_opening(const struct fl_history *history);
uint32_t fl_history_last_move(const struct fl_history *history);

/* A record as the decision that it was, so that it can be explained or decided again. */
void fl_history_restore(const struct fl_history_decision *record,
			struct fl_sla_decision *ret_decision);

const char *fl_move_cause_text(enum fl_move_cause cause);

#endif
