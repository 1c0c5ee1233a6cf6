/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables that agent and data plane share, as the agent sees them: memory that is mapped from
 * pinned maps, and a few operations for maps that cannot be mapped. agent/dp/ fulfils this; unit
 * tests use plain memory and a fake.
 */
#ifndef FL_AGENT_BASE_TABLES_H
#define FL_AGENT_BASE_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/drop_reason.h"
#include "common/dup.h"
#include "common/flow.h"
#include "common/fpm_map.h"
#include "common/session.h"
#include "common/settings.h"
#include "common/stats.h"

/* Is a key of a table still wanted? */
typedef bool (*fl_keep_key)(void *ctx, const void *key);

/* Return 0 or -errno; keys and values are copied. */
struct fl_table_ops {
	int (*index_insert)(void *ctx, const struct fl_wide_key *key, uint32_t slot);
	int (*index_remove)(void *ctx, const struct fl_wide_key *key);
	int (*index_lookup)(void *ctx, const struct fl_wide_key *key, uint32_t *ret_slot);
	int (*path6_set)(void *ctx, const struct fl_path6_key *key, uint32_t path);
	int (*path6_clear)(void *ctx, const struct fl_path6_key *key);
	int (*deny)(void *ctx, const struct fl_wide_key *key, const struct fl_denial *denial);
	int (*local_addr)(void *ctx, const struct fl_local_addr *addr, bool present);
	int (*host_prefix)(void *ctx, const struct fl_host_prefix *prefix, bool present);
	/* Take out what is not wanted, whoever has put it in: struct fl_local_addr, fl_host_prefix.
	 */
	void (*local_addrs_sweep)(void *ctx, fl_keep_key keep, void *keep_ctx);
	void (*host_prefixes_sweep)(void *ctx, fl_keep_key keep, void *keep_ctx);
	int (*tx_port)(void *ctx, uint32_t iface, uint32_t ifindex); /* ifindex 0 clears */
	int (*name_set)(void *ctx, uint32_t id, const struct fl_name *name);
	int (*name_get)(void *ctx, uint32_t id, struct fl_name *ret_name);
	/* Sides of sessions carried in copies: add one that has no paths yet, remove, look at. */
	int (*dup_add)(void *ctx, const struct fl_dup_key *key);
	int (*dup_remove)(void *ctx, const struct fl_dup_key *key);
	int (*dup_get)(void *ctx, const struct fl_dup_key *key, struct fl_dup *ret_dup);
	/* Everything else is asked for; the answer is put into @ask. */
	int (*dup_ask)(void *ctx, struct fl_dup_ask *ask);
	/* A scope, whole, by fl_fpm_slot_of(); the data plane writes it meanwhile. */
	int (*fpm_read)(void *ctx, uint32_t slot, struct fl_fpm_slot *ret_slot);
	/* Begin it anew; of a path that is none any more. */
	int (*fpm_clear)(void *ctx, uint32_t slot);
	/* Take the mark that a generated packet of this scope is to carry (P-31, 7). */
	int (*fpm_reply)(void *ctx, uint32_t slot, struct fl_fpm_mark *ret_mark);
	/* Into this scope, a mark that came beside metadata; the session's record, or 0. */
	int (*fpm_heard)(void *ctx, uint32_t slot, uint32_t session,
			 const struct fl_fpm_mark *mark);
};

struct fl_tables {
	struct fl_flow *flows;
	uint8_t *tags;     /* one a slot of the buckets, 0 = empty */
	uint64_t *spilled; /* flows that no slot was left for, by bucket modulo FL_SPILL_GROUPS */
	uint32_t buckets;
	uint32_t slots; /* of all: hashed ones first */
	uint64_t hash_seed;
	struct fl_session *sessions; /* [0] is never used */
	uint32_t max_sessions;
	struct fl_vector *vectors;
	struct fl_path *paths;
	struct fl_path_bucket *path_lookup;
	struct fl_nexthop *nexthops;
	struct fl_iface *ifaces;
	struct fl_peer_info *peers;
	struct fl_fpm_path *fpm_paths; /* by path */
	struct fl_path_keys *keys;     /* by path */
	struct fl_settings *settings;
	const struct fl_table_ops *ops;
	void *ops_ctx;
	uint32_t hz; /* jiffies a second */
	/* Counts of this process, by reason and kind; the data plane's own are in its maps. */
	uint64_t drops[FL_DROP_MAX];
	uint64_t stats[FL_STAT_MAX];
};

static inline void fl_tables_drop(struct fl_tables *t, enum fl_drop_reason reason)
{
	t->drops[reason]++;
}

static inline void fl_tables_count(struct fl_tables *t, enum fl_stat stat)
{
	t->stats[stat]++;
}

/*
 * Buckets and slots for @max_sessions: see common/flow.h. Buckets are 45 % full (chosen: a flow in
 * four does not find its home slot free, and one in 200 no slot of its bucket).
 */
static inline uint32_t fl_tables_buckets(uint32_t max_sessions)
{
	return (uint32_t)((uint64_t)max_sessions * 2 * 22 / 10 / FL_BUCKET_SLOTS) + 1;
}

/* Indexed slots: one for each session, should all of them be IPv6, and an eighth for spilled ones.
 */
static inline uint32_t fl_tables_slots(uint32_t max_sessions, uint32_t buckets)
{
	return buckets * FL_BUCKET_SLOTS + max_sessions + max_sessions / 8 + 8;
}

#endif
