/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the agent tells the data plane while it runs, and the buckets that the data plane keeps.
 * What is fixed at load time stands in bpf/lib/cfg.bpf.h.
 */
#ifndef FL_COMMON_SETTINGS_H
#define FL_COMMON_SETTINGS_H

#include "common/drop_reason.h"
#include "common/limits.h"
#include "common/types.h"

struct fl_rate {
	__u32 per_second; /* 0 = no limit */
	__u32 burst;
};

struct fl_settings {
	__u64 hash_seed;         /* of the flow table; chosen once, when the maps are created */
	__u32 buckets;           /* hashed buckets of fl_flows */
	__u32 slots;             /* all slots: hashed and indexed */
	__u32 generation;        /* of the configuration: denials of an older one are void */
	__u32 denial_ms;         /* how long a denial is remembered, 0 = not at all */
	struct fl_rate source;   /* first packets per LAN source */
	__u16 host_sessions;     /* this host's own traffic may open sessions (it has a tenant) */
	__u16 watch_established; /* report it too when TCP is established */
	__u16 agent_awake;       /* it looks at both rings before it sleeps: need not be woken */
	__u16 reserved;
	__u64 wall_offset_ns; /* from CLOCK_MONOTONIC to the wall clock, for time-based HMAC */
};

/* Peers by id: the name keeps the id its meaning over restarts. */
struct fl_peer_info {
	struct fl_rate setup;   /* packets that need the agent and belong to no session yet */
	char name[FL_NAME_LEN]; /* "" = unused */
};

/* Tokens in units of 1/1000, so that slow rates add up too. Data plane only. */
struct fl_token_bucket {
	__u64 last_ns;
	__u64 millitokens;
};

struct fl_denial {
	enum fl_drop_reason reason;
	__u32 generation;
	__u64 until_ns; /* CLOCK_MONOTONIC */
};

#endif
