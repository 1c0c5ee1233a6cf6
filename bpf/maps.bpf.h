/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The maps: types here, definitions in maps.bpf.c, one object after linking. All are pinned by name
 * below the instance's pin directory. Sizes that depend on the configured capacity are set by the
 * loader (fl_flows, fl_sessions, fl_flow_index).
 */
#ifndef FL_BPF_MAPS_H
#define FL_BPF_MAPS_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "common/drop_reason.h"
#include "common/dup.h"
#include "common/flow.h"
#include "common/fpm_map.h"
#include "common/limits.h"
#include "common/session.h"
#include "common/settings.h"
#include "common/stats.h"

/* Flow table: slots of the buckets, then indexed slots (common/flow.h). Agent writes, in mapped
 * memory. */
struct fl_flows_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fl_flow);
};

/* Eight tags a bucket. */
struct fl_tags_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
};

/* Flows that found no free slot, by their bucket modulo FL_SPILL_GROUPS. */
struct fl_spilled_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FL_SPILL_GROUPS);
	__type(key, __u32);
	__type(value, __u64);
};

/* IPv6 flows and those that found no free slot: key to slot number. Without preallocation, since
 * only the agent inserts, where an allocation may fail politely. */
struct fl_flow_index_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct fl_wide_key);
	__type(value, __u32);
};

struct fl_sessions_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fl_session);
};

struct fl_vectors_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FL_MAX_VECTORS);
	__type(key, __u32);
	__type(value, struct fl_vector);
};

struct fl_paths_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FL_MAX_PATHS);
	__type(key, __u32);
	__type(value, struct fl_path);
};

struct fl_path_lookup_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FL_PATH_BUCKETS);
	__type(key, __u32);
	__type(value, struct fl_path_bucket);
};

struct fl_path_lookup6_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FL_MAX_PATHS);
	__type(key, struct fl_path6_key);
	__type(value, __u32);
};

struct fl_nexthops_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FL_MAX_NEXTHOPS);
	__type(key, __u32);
	__type(value, struct fl_nexthop);
};

struct fl_ifaces_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FL_IFACE_SLOTS);
	__type(key, __u32);
	__type(value, struct fl_iface);
};

/* Where XDP sends: interface id to device. */
struct fl_tx_ports_map {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, FL_MAX_IFACES);
	__type(key, __u32);
	__type(value, __u32);
};

struct fl_local_addrs_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FL_MAX_LOCAL_ADDRS);
	__type(key, struct fl_local_addr);
	__type(value, __u32);
};

struct fl_host_prefixes_map {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, struct fl_host_prefix);
	__type(value, __u32);
};

struct fl_settings_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fl_settings);
};

/* Names that records refer to. The data plane does not read them; people and the agent do. */
struct fl_names_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FL_MAX_NAMES);
	__type(key, __u32);
	__type(value, struct fl_name);
};

/* Token buckets of sources that open sessions: the least recently used makes room. */
struct fl_source_buckets_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct fl_local_addr);
	__type(value, struct fl_token_bucket);
};

struct fl_peers_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FL_MAX_PEERS);
	__type(key, __u32);
	__type(value, struct fl_peer_info);
};

struct fl_peer_buckets_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FL_MAX_PEERS);
	__type(key, __u32);
	__type(value, struct fl_token_bucket);
};

/* Performance monitoring: settings and keys by path, scopes by fl_fpm_slot_of(). */
struct fl_fpm_paths_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FL_MAX_PATHS);
	__type(key, __u32);
	__type(value, struct fl_fpm_path);
};

struct fl_mac_keys_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FL_MAX_PATHS);
	__type(key, __u32);
	__type(value, struct fl_path_keys);
};

struct fl_fpm_scopes_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FL_MAX_PATHS *FL_PATH_SCOPES);
	__type(key, __u32);
	__type(value, struct fl_fpm_slot);
};

/* Link tests that are returned, by path. */
struct fl_echo_buckets_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FL_MAX_PATHS);
	__type(key, __u32);
	__type(value, struct fl_token_bucket);
};

/* Denials remembered for a moment, so that a stubborn host costs the agent one packet, not all. */
struct fl_denials_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct fl_wide_key);
	__type(value, struct fl_denial);
};

/* Numbers and paths of sessions carried in copies. The agent adds and deletes, nothing else. */
struct fl_dups_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, FL_DUP_MAX);
	__type(key, struct fl_dup_key);
	__type(value, struct fl_dup);
};

struct fl_punt_new_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
};

struct fl_punt_live_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
};

/*
 * Counters. Hashes, because an array's key cannot be an enum: so `bpftool map dump` shows reasons
 * by name, and only those that occurred.
 */
struct fl_drops_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, FL_DROP_MAX);
	__type(key, enum fl_drop_reason);
	__type(value, __u64);
};

struct fl_stats_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, FL_STAT_MAX);
	__type(key, enum fl_stat);
	__type(value, __u64);
};

extern struct fl_flows_map fl_flows SEC(".maps");
extern struct fl_tags_map fl_tags SEC(".maps");
extern struct fl_spilled_map fl_spilled SEC(".maps");
extern struct fl_flow_index_map fl_flow_index SEC(".maps");
extern struct fl_sessions_map fl_sessions SEC(".maps");
extern struct fl_vectors_map fl_vectors SEC(".maps");
extern struct fl_paths_map fl_paths SEC(".maps");
extern struct fl_path_lookup_map fl_path_lookup SEC(".maps");
extern struct fl_path_lookup6_map fl_path_lookup6 SEC(".maps");
extern struct fl_nexthops_map fl_nexthops SEC(".maps");
extern struct fl_ifaces_map fl_ifaces SEC(".maps");
extern struct fl_tx_ports_map fl_tx_ports SEC(".maps");
extern struct fl_local_addrs_map fl_local_addrs SEC(".maps");
extern struct fl_host_prefixes_map fl_host_pfx SEC(".maps");
extern struct fl_settings_map fl_settings SEC(".maps");
extern struct fl_names_map fl_names SEC(".maps");
extern struct fl_source_buckets_map fl_source_bkts SEC(".maps");
extern struct fl_peers_map fl_peers SEC(".maps");
extern struct fl_peer_buckets_map fl_peer_bkts SEC(".maps");
extern struct fl_fpm_paths_map fl_fpm_paths SEC(".maps");
extern struct fl_mac_keys_map fl_mac_keys SEC(".maps");
extern struct fl_fpm_scopes_map fl_fpm_scopes SEC(".maps");
extern struct fl_echo_buckets_map fl_echo_bkts SEC(".maps");
extern struct fl_denials_map fl_denials SEC(".maps");
extern struct fl_dups_map fl_dups SEC(".maps");
extern struct fl_punt_new_map fl_punt_new SEC(".maps");
extern struct fl_punt_live_map fl_punt_live SEC(".maps");
extern struct fl_drops_map fl_drops SEC(".maps");
extern struct fl_stats_map fl_stats SEC(".maps");

#endif
