/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Synthetic calls of one site. Each call has one injected cause, which hurts one participant or all
 * of them for a while, and a decoy: a feature of the one that is hurt that is bad all through the
 * call, and hurt nobody.
 */
#ifndef FL_TEST_INSIGHT_GEN_H
#define FL_TEST_INSIGHT_GEN_H

#include "agent/insight/rank.h"

enum gen_cause {
	GEN_CONGESTION,   /* queues on the WAN link: delay, jitter, loss */
	GEN_LINK_FAILURE, /* loss, then a slower path */
	GEN_WEAK_WIFI,
	GEN_CPU,
	GEN_FULL_TUNNEL, /* VPN, from join to leave */
	GEN_NOTHING,     /* the far end's fault, or nobody's */
	GEN_CAUSES,
};

enum gen_decoy {
	GEN_DECOY_NONE,
	GEN_DECOY_CPU,
	GEN_DECOY_RSSI,
	GEN_DECOY_SPLIT_TUNNEL,
	GEN_DECOY_FULL_LINK, /* a link in full use that queues nothing */
	GEN_DECOY_TCP,
	GEN_DECOYS,
};

#define GEN_MAX_JOINS   6
#define GEN_MAX_MINUTES 60

struct gen_join {
	struct fl_rank_client client;
	struct fl_call_minute minutes[GEN_MAX_MINUTES];
	bool hurt[GEN_MAX_MINUTES];
};

struct gen_call {
	enum gen_cause cause;
	enum gen_decoy decoy;
	unsigned int victim; /* of causes that hurt one */
	unsigned int join_count;
	unsigned int minute_count;
	struct gen_join joins[GEN_MAX_JOINS];
	struct fl_path_minute wan[GEN_MAX_MINUTES];
};

struct gen {
	uint64_t state;
};

/* Equal seeds make equal sites. */
void gen_init(struct gen *g, uint64_t seed);

/* The next call; it starts at @minute. */
void gen_call(struct gen *g, int64_t minute, enum gen_cause cause, struct gen_call *ret_call);

/* Uniform in [low, high). */
double gen_between(struct gen *g, double low, double high);

/* Is @ranking the right answer to @cause? */
bool gen_is_right(enum gen_cause cause, const struct fl_ranking *ranking);
/* Does it blame the decoy? */
bool gen_is_fooled(enum gen_decoy decoy, const struct fl_ranking *ranking);

const char *gen_cause_name(enum gen_cause cause);

#endif
