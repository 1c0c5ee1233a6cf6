/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which path a session takes (svr-protocol.md 6.1, 6.2): a function of a snapshot and of nothing
 * else, so that a decision can be recorded, explained and repeated. What has a memory (hysteresis,
 * water marks, round-robin credit) is a small struct of the caller's, moved on by the functions at
 * the end.
 */
#ifndef FL_AGENT_PATH_SLA_H
#define FL_AGENT_PATH_SLA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/monotime.h"
#include "agent/path/mos.h"

#define FL_SLA_MAX_PATHS    32
#define FL_SLA_NEVER        UINT32_MAX /* vector cost: as FL_CFG_PRIORITY_NEVER */
#define FL_SLA_UNLISTED     1000000    /* vector cost: it has none of the listed ones */
#define FL_SLA_PRIORITY_MAX 999999
/* P-40 */
#define FL_SLA_EVALUATE_MS 5000
#define FL_SLA_BAD         2
#define FL_SLA_GOOD        3

/* --- policy ----------------------------------------------------------------------------------- */

enum fl_sla_strategy {
	FL_SLA_HUNT, /* default */
	FL_SLA_PROPORTIONAL,
};

enum fl_sla_criterion {
	FL_SLA_BY_VECTOR, /* default */
	FL_SLA_BY_LATENCY,
	FL_SLA_BY_MOS,
};

struct fl_sla_vector {
	const char *name;
	uint32_t cost; /* FL_SLA_NEVER, or 1 to FL_SLA_PRIORITY_MAX */
};

/* What a service policy says about paths (6.1). */
struct fl_sla_policy {
	enum fl_sla_strategy strategy;
	enum fl_sla_criterion criterion;
	bool quality_filter; /* else the four limits are ignored */
	bool best_effort;
	uint32_t max_loss_ppm;
	uint32_t max_latency_us;
	uint32_t max_jitter_us;
	uint16_t min_mos_x100; /* 0: disabled */
};

#define FL_SLA_POLICY_DEFAULT                                                                      \
	{                                                                                          \
		.best_effort = true, .max_loss_ppm = 5000, .max_latency_us = 250000,               \
		.max_jitter_us = 100000,                                                           \
	}

/* Priority of the vector at this place of a list, "ordered": 1, 10, ... (6.1). */
uint32_t fl_sla_ordered_cost(size_t index);

/**
 * fl_sla_vector_cost() - cost of a path with these labels
 *
 * The least of the policy's vectors that it has; FL_SLA_NEVER if one of them is never to be used;
 * FL_SLA_UNLISTED if it has none of them; 0 if the policy names none.
 */
uint32_t fl_sla_vector_cost(const struct fl_sla_vector *vectors, size_t n_vectors,
			    const char *const *labels, size_t n_labels);

/* --- snapshot --------------------------------------------------------------------------------- */

enum fl_sla_kind {
	FL_SLA_PEER_PATH,
	FL_SLA_LOCAL, /* out by an interface of this router */
};

enum fl_sla_standing {
	FL_SLA_UNJUDGED, /* by what is measured now */
	FL_SLA_MEETS,    /* by hysteresis */
	FL_SLA_VIOLATES,
};

/* Limits of a service-route policy and how much of them is used; 0: unlimited. */
struct fl_sla_load {
	uint32_t max_sessions;
	uint32_t sessions;
	uint32_t session_rate;   /* new ones a second allowed */
	uint32_t rate;           /* as measured */
	bool above_sessions;     /* high-water mark reached, low-water mark not yet */
	bool above_utilisation;  /* likewise, of the device */
	uint16_t device_percent; /* of its capacity that is in use, the busier direction */
	uint32_t device_mbps;    /* its capacity; 0: nobody looks */
};

/* A candidate as it is at this moment. The order of the array is that of the adjacencies. */
struct fl_sla_path {
	uint32_t id; /* for the caller, and for people */
	uint16_t peer;
	enum fl_sla_kind kind;
	bool from_route;   /* of a service route; else of the routing table */
	bool up;           /* BFD up; local: link up and neighbour known */
	bool held_down;    /* up, but not for long enough */
	bool monitor_only; /* FPM is looked at, not used */
	uint32_t vector_cost;
	uint32_t cost; /* of route and adjacency */
	enum fl_sla_standing standing;
	struct fl_quality bfd; /* rolling mean */
	struct fl_quality fpm; /* of the session's class and protocol, as far as valid */
	struct fl_sla_load load;
	int64_t credit; /* of round robin: what the last decision of this vector left */
};

struct fl_sla_snapshot {
	struct fl_sla_policy policy;
	uint16_t only_peer;  /* failover without peer-path-resiliency: the session's; 0: any */
	uint16_t avoid_peer; /* the session came from there; 0: none */
	size_t n_paths;      /* at most FL_SLA_MAX_PATHS; what is beyond is not looked at */
	struct fl_sla_path path[FL_SLA_MAX_PATHS];
};

/* --- decision --------------------------------------------------------------------------------- */

/* X(NAME, "for people"): why a path was not taken, the first reason that applies. */
#define FL_SLA_REASONS(X)                                                                          \
	X(NOT, "taken")                                                                            \
	X(NO_ROUTE, "a service route comes before the routing table")                              \
	X(FROM_PEER, "the session came from that peer")                                            \
	X(OTHER_PEER, "leads to another peer, and peer-path-resiliency is off")                    \
	X(NEVER, "its vector has priority \"never\"")                                              \
	X(DOWN, "is down")                                                                         \
	X(HOLD_DOWN, "came up a moment ago: hold-down")                                            \
	X(MAX_SESSIONS, "has max-sessions")                                                        \
	X(SESSION_RATE, "has session-rate")                                                        \
	X(HIGH_WATER, "is above its session high-water mark")                                      \
	X(UTILISATION, "its device is above its utilization high-water mark")                      \
	X(SLA, "violates the service level")                                                       \
	X(WORSE, "another one is better")                                                          \
	X(TURN, "as good, but it is another one's turn")

enum fl_sla_reason {
#define X(name, text) FL_SLA_WHY_##name,
	FL_SLA_REASONS(X)
#undef X
		FL_SLA_WHY_MAX,
};

/* Limits that are broken; bits. */
#define FL_SLA_LOSS    0x1
#define FL_SLA_LATENCY 0x2
#define FL_SLA_JITTER  0x4
#define FL_SLA_MOS     0x8

enum fl_sla_result {
	FL_SLA_OK,
	FL_SLA_OK_BEST_EFFORT, /* none meets the service level: one of these all the same */
	FL_SLA_NO_PATHS,       /* no candidates */
	FL_SLA_NONE_USABLE,    /* all are down, held down or not allowed */
	FL_SLA_NO_CAPACITY,    /* those that are usable are full */
	FL_SLA_ALL_VIOLATE,    /* and best-effort is off */
};

/* What became of one candidate. */
struct fl_sla_verdict {
	enum fl_sla_reason reason;
	struct fl_quality quality; /* that it was judged by */
	uint8_t fpm;               /* FL_QUALITY_*: measures that are FPM's; the others are BFD's */
	uint8_t breaks;            /* FL_SLA_*: limits that it breaks now */
	uint8_t unmeasured;        /* FL_SLA_*: limits that nothing is known about: not broken */
	bool violates;             /* what counts: by hysteresis, else by @breaks */
	uint16_t mos_x100;         /* 0: unknown */
	uint16_t rank;             /* from 1, among those that came as far as sorting; else 0 */
	int64_t credit;            /* to keep for the next decision */
};

/* The record: inputs and reasons. */
struct fl_sla_decision {
	struct fl_sla_snapshot in;
	enum fl_sla_result result;
	int chosen; /* index in in.path, -1: none */
	struct fl_sla_verdict verdict[FL_SLA_MAX_PATHS];
};

/**
 * fl_sla_decide() - choose
 * @ret_decision: all of it is written, unused parts with zeros
 *
 * A path of which nothing is known breaks no limit; it sorts after those that are measured.
 * Latency counts in whole milliseconds: else no two paths were ever equally good.
 *
 * Source: svr-protocol.md P-39.
 */
void fl_sla_decide(const struct fl_sla_snapshot *snapshot, struct fl_sla_decision *ret_decision);

/*
 * What a path in use must be worse by before a better one is a reason to move. Means of a minute
 * differ by less than that between equal paths (chosen; people do not hear it).
 */
#define FL_SLA_GAIN_LATENCY_MS 10
#define FL_SLA_GAIN_MOS_X100   10

/* Is @other, which sorts before @here, so much better that sessions gain by moving there? */
bool fl_sla_is_gain(const struct fl_sla_decision *decision, size_t other, size_t here);

/* One candidate's fate as a line for people. */
void fl_sla_explain(const struct fl_sla_decision *decision, size_t index, char *text, size_t size);

/* Only how good it is, and which limits it breaks; "" if nothing was measured. */
void fl_sla_quality_text(const struct fl_sla_decision *decision, size_t index, char *text,
			 size_t size);

const char *fl_sla_result_text(enum fl_sla_result result);
const char *fl_sla_reason_text(enum fl_sla_reason reason);

/* Does a path with this quality break a limit? FL_SLA_* bits; without filter none. */
uint8_t fl_sla_breaks(const struct fl_sla_policy *policy, const struct fl_quality *quality);

/* FPM's measures where there are any and they count (P-33), else BFD's. */
struct fl_quality fl_sla_quality(const struct fl_sla_path *path, uint8_t *ret_fpm);

/* --- memory ----------------------------------------------------------------------------------- */

/* P-40, for one path and one policy. Zeroed: meets. */
struct fl_sla_hysteresis {
	bool violated;
	uint8_t bad; /* in a row */
	uint8_t good;
	struct fl_mono judged; /* last evaluation; 0: none */
	struct fl_mono worst;  /* last bad one */
};

/**
 * fl_sla_judge() - one more look at a path
 * @evaluate_ms: looks closer together than this do not count; FL_SLA_EVALUATE_MS
 * @hold_ms:     hold-down-time of the path
 *
 * Violated after 2 bad looks in a row; met again after 3 good ones in a row, the last of them at
 * least @hold_ms after the last bad one. Return: has it changed?
 */
bool fl_sla_judge(struct fl_sla_hysteresis *h, bool bad, uint32_t evaluate_ms, uint32_t hold_ms,
		  struct fl_mono now);

/* Water marks in the unit of @value; @high 0: there are none, @low 0: the same as @high. Return: is
 * it above now? */
bool fl_sla_above(bool was_above, uint32_t value, uint32_t high, uint32_t low);

#endif
