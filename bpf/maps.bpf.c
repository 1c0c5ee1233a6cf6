// SPDX-License-Identifier: GPL-2.0
/* The only definitions of the maps that maps.bpf.h describes. */
#include "bpf/maps.bpf.h"

struct fl_flows_map fl_flows SEC(".maps");
struct fl_tags_map fl_tags SEC(".maps");
struct fl_spilled_map fl_spilled SEC(".maps");
struct fl_flow_index_map fl_flow_index SEC(".maps");
struct fl_sessions_map fl_sessions SEC(".maps");
struct fl_vectors_map fl_vectors SEC(".maps");
struct fl_paths_map fl_paths SEC(".maps");
struct fl_path_lookup_map fl_path_lookup SEC(".maps");
struct fl_path_lookup6_map fl_path_lookup6 SEC(".maps");
struct fl_nexthops_map fl_nexthops SEC(".maps");
struct fl_ifaces_map fl_ifaces SEC(".maps");
struct fl_tx_ports_map fl_tx_ports SEC(".maps");
struct fl_local_addrs_map fl_local_addrs SEC(".maps");
struct fl_host_prefixes_map fl_host_pfx SEC(".maps");
struct fl_settings_map fl_settings SEC(".maps");
struct fl_names_map fl_names SEC(".maps");
struct fl_source_buckets_map fl_source_bkts SEC(".maps");
struct fl_peers_map fl_peers SEC(".maps");
struct fl_peer_buckets_map fl_peer_bkts SEC(".maps");
struct fl_fpm_paths_map fl_fpm_paths SEC(".maps");
struct fl_mac_keys_map fl_mac_keys SEC(".maps");
struct fl_fpm_scopes_map fl_fpm_scopes SEC(".maps");
struct fl_echo_buckets_map fl_echo_bkts SEC(".maps");
struct fl_denials_map fl_denials SEC(".maps");
struct fl_dups_map fl_dups SEC(".maps");
struct fl_punt_new_map fl_punt_new SEC(".maps");
struct fl_punt_live_map fl_punt_live SEC(".maps");
struct fl_drops_map fl_drops SEC(".maps");
struct fl_stats_map fl_stats SEC(".maps");

char fl_license[] SEC("license") = "GPL";
