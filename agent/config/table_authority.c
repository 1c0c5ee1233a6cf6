// SPDX-License-Identifier: Apache-2.0
/* What holds for all routers, from the leaves up: see table.h. Source: svr-protocol.md 8.1. */
#include "common/hdr.h"

#include "agent/config/table_macros.h"

static const struct fl_cfg_field element_prefix = { .key = "", .kind = FL_CFG_PREFIX };

static const struct fl_cfg_word hmac_modes[] = { { "disabled", FL_CFG_HMAC_DISABLED },
						 { "regular", FL_CFG_HMAC_REGULAR },
						 { "time-based", FL_CFG_HMAC_TIME_BASED },
						 { 0 } };
static const struct fl_cfg_word hmac_ciphers[] = {
	{ "sha1", FL_CFG_HMAC_SHA1 },     { "sha256-128", FL_CFG_HMAC_SHA256_128 },
	{ "sha256", FL_CFG_HMAC_SHA256 }, { "sha384", FL_CFG_HMAC_SHA384 },
	{ "sha512", FL_CFG_HMAC_SHA512 }, { 0 }
};
static const struct fl_cfg_word hmac_packets[] = { { "metadata", FL_CFG_HMAC_METADATA },
						   { "all", FL_CFG_HMAC_ALL },
						   { 0 } };
static const struct fl_cfg_word encryption_ciphers[] = { { "aes-cbc-128", FL_CFG_AES_CBC_128 },
							 { "aes-cbc-256", FL_CFG_AES_CBC_256 },
							 { 0 } };

static const unsigned int hmac_digits[] = { 8, 16, 32, 40, 64, 0 };
static const unsigned int encryption_digits[] = { 32, 64, 0 };

static const struct fl_cfg_field key_fields[] = {
	{ .key = "security-id",
	  .flags = FL_CFG_REQUIRED,
	  U32(fl_cfg_key, security_id, 1, UINT32_MAX, 0),
	  .help = "generation of the key, sent with every metadata block" },
	{ .key = "not-before",
	  .kind = FL_CFG_TIME,
	  AT(fl_cfg_key, not_before_s),
	  .help = "time from which on it is used to send, like 2026-12-01T00:00:00Z; default: at once" },
	{ .key = "hmac-key",
	  .kind = FL_CFG_HEX,
	  .flags = FL_CFG_SECRET,
	  AT(fl_cfg_key, hmac_key),
	  .digits = hmac_digits,
	  .help = "8, 16, 32, 40 or 64 hex digits" },
	{ .key = "encryption-key",
	  .kind = FL_CFG_HEX,
	  .flags = FL_CFG_SECRET,
	  AT(fl_cfg_key, encryption_key),
	  .digits = encryption_digits,
	  .help = "32 hex digits for aes-cbc-128, 64 for aes-cbc-256" },
	END,
};
static const struct fl_cfg_object key_object = { "key", sizeof(struct fl_cfg_key), key_fields,
						 "security-id" };

static const struct fl_cfg_field security_fields[] = {
	{ .key = "name",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_security, name),
	  .help = "name by which interfaces and adjacencies refer to it" },
	{ .key = "encrypt", BOOL(fl_cfg_security, encrypt, true), .help = "encrypt metadata" },
	{ .key = "encryption-cipher",
	  WORD(fl_cfg_security, encryption_cipher, encryption_ciphers, FL_CFG_AES_CBC_128),
	  .help = "cipher of encrypted metadata" },
	{ .key = "hmac-mode",
	  WORD(fl_cfg_security, hmac_mode, hmac_modes, FL_CFG_HMAC_TIME_BASED),
	  .help = "time-based needs clocks within 2 s of each other" },
	{ .key = "hmac-cipher",
	  WORD(fl_cfg_security, hmac_cipher, hmac_ciphers, FL_CFG_HMAC_SHA256_128),
	  .help = "hash that proves a packet to be from the peer" },
	{ .key = "hmac-packets",
	  WORD(fl_cfg_security, hmac_packets, hmac_packets, FL_CFG_HMAC_METADATA),
	  .help = "which packets to the peer end with an HMAC; all: microseconds and 16 or 32 bytes a packet; the same at both ends" },
	{ .key = "key",
	  LIST(fl_cfg_security, key),
	  .object = &key_object,
	  .help = "generations of keys; the newest active one sends, the one before is accepted for 30 s" },
	END,
};
static const struct fl_cfg_object security_object = { "security", sizeof(struct fl_cfg_security),
						      security_fields, "name" };

static const struct fl_cfg_field member_fields[] = {
	{ .key = "neighborhood",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_member, neighborhood),
	  .help = "label of the interfaces that this holds for" },
	{ .key = "address",
	  .flags = FL_CFG_REQUIRED,
	  LIST(fl_cfg_member, address),
	  .element = &element_prefix,
	  .help = "prefixes of sources" },
	END,
};
static const struct fl_cfg_object member_object = { "member", sizeof(struct fl_cfg_member),
						    member_fields, "neighborhood" };

static const struct fl_cfg_field tenant_fields[] = {
	{ .key = "name",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_tenant, name),
	  .help = "dotted, child.parent: a child may do what its parent may" },
	{ .key = "member",
	  LIST(fl_cfg_tenant, member),
	  .object = &member_object,
	  .help = "sources that belong to the tenant by their address" },
	END,
};
static const struct fl_cfg_object tenant_object = { "tenant", sizeof(struct fl_cfg_tenant),
						    tenant_fields, "name" };

static const struct fl_cfg_field port_range_fields[] = {
	{ .key = "start-port",
	  .flags = FL_CFG_REQUIRED,
	  U16(fl_cfg_port_range, start_port, 1, 65535, 0),
	  .help = "first port" },
	{ .key = "end-port",
	  U16(fl_cfg_port_range, end_port, 1, 65535, 0),
	  .help = "last port; default: the first" },
	END,
};
static const struct fl_cfg_object port_range_object = { "port-range",
							sizeof(struct fl_cfg_port_range),
							port_range_fields, NULL };

static const struct fl_cfg_word protocols[] = { { "tcp", FL_IPPROTO_TCP },
						{ "udp", FL_IPPROTO_UDP },
						{ "icmp", FL_IPPROTO_ICMP },
						{ "gre", 47 },
						{ "esp", 50 },
						{ "pim", 103 },
						{ 0 } };

static const struct fl_cfg_field transport_fields[] = {
	{ .key = "protocol",
	  .flags = FL_CFG_REQUIRED,
	  WORD(fl_cfg_transport, protocol, protocols, 0),
	  .help = "name of the protocol; icmp: that of either address family" },
	{ .key = "port-range",
	  LIST(fl_cfg_transport, port_range),
	  .object = &port_range_object,
	  .help = "destination ports of tcp and udp; default: any" },
	END,
};
static const struct fl_cfg_object transport_object = { "transport", sizeof(struct fl_cfg_transport),
						       transport_fields, NULL };

static const struct fl_cfg_word permissions[] = { { "allow", FL_CFG_ALLOW },
						  { "deny", FL_CFG_DENY },
						  { 0 } };

static const struct fl_cfg_field access_fields[] = {
	{ .key = "source",
	  .kind = FL_CFG_SOURCE,
	  .flags = FL_CFG_REQUIRED,
	  AT(fl_cfg_access, source),
	  .help = "TENANT, TENANT@PREFIX, or @PREFIX for any tenant" },
	{ .key = "permission",
	  WORD(fl_cfg_access, permission, permissions, FL_CFG_ALLOW),
	  .help = "of rules that hold, the nearest tenant's counts, then the longest prefix, then deny" },
	END,
};
static const struct fl_cfg_object access_object = { "access-policy", sizeof(struct fl_cfg_access),
						    access_fields, "source" };

static const struct fl_cfg_word scopes[] = { { "private", FL_CFG_SCOPE_PRIVATE },
					     { "public", FL_CFG_SCOPE_PUBLIC },
					     { 0 } };
static const struct fl_cfg_word service_nats[] = { { "network-interface",
						     FL_CFG_SERVICE_NAT_INTERFACE },
						   { "disabled", FL_CFG_SERVICE_NAT_DISABLED },
						   { 0 } };

static const struct fl_cfg_field service_fields[] = {
	{ .key = "name",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_service, name),
	  .help = "dotted, child.parent: a child inherits what it does not say" },
	{ .key = "enabled", BOOL(fl_cfg_service, enabled, true), .help = "false: as if not there" },
	{ .key = "scope",
	  WORD(fl_cfg_service, scope, scopes, FL_CFG_SCOPE_PRIVATE),
	  .help = "public: for every tenant that no rule denies" },
	{ .key = "address",
	  LIST(fl_cfg_service, address),
	  .element = &element_prefix,
	  .help = "destinations" },
	{ .key = "transport",
	  LIST(fl_cfg_service, transport),
	  .object = &transport_object,
	  .help = "protocols and ports; default: the parent's, else any" },
	{ .key = "access-policy",
	  LIST(fl_cfg_service, access_policy),
	  .object = &access_object,
	  .help = "who may open sessions; added to the parent's" },
	{ .key = "service-policy",
	  NAME(fl_cfg_service, service_policy_name),
	  .help = "name of a service policy; default: the parent's" },
	{ .key = "session-type",
	  NAME(fl_cfg_service, session_type_name),
	  .help = "name of a session type; default: the parent's, else by transport" },
	{ .key = "source-nat",
	  WORD(fl_cfg_service, source_nat, service_nats, FL_CFG_SERVICE_NAT_INTERFACE),
	  .help = "network-interface: if the interface that it leaves by says so" },
	END,
};
static const struct fl_cfg_object service_object = { "service", sizeof(struct fl_cfg_service),
						     service_fields, "name" };

static const struct fl_cfg_field vector_fields[] = {
	{ .key = "name",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_vector, name),
	  .help = "vector of adjacencies" },
	{ .key = "priority",
	  .kind = FL_CFG_PRIORITY,
	  AT(fl_cfg_vector, cost),
	  .min = 1,
	  .max = 999999,
	  .help = "1 to 999999, lower first; \"ordered\" (default): by its place; \"never\"" },
	END,
};
static const struct fl_cfg_object vector_object = { "vector", sizeof(struct fl_cfg_vector),
						    vector_fields, "name" };

static const struct fl_cfg_word enforcements[] = { { "allow", FL_TCP_ENFORCE_ALLOW },
						   { "block", FL_TCP_ENFORCE_BLOCK },
						   { "reset", FL_TCP_ENFORCE_RESET },
						   { "strict", FL_TCP_ENFORCE_STRICT },
						   { 0 } };

static const struct fl_cfg_word strategies[] = { { "hunt", FL_CFG_HUNT },
						 { "proportional", FL_CFG_PROPORTIONAL },
						 { 0 } };
static const struct fl_cfg_word criteria[] = { { "vector", FL_CFG_BY_VECTOR },
					       { "average-latency", FL_CFG_BY_LATENCY },
					       { "mos", FL_CFG_BY_MOS },
					       { 0 } };
static const struct fl_cfg_word resiliencies[] = {
	{ "none", FL_CFG_RESILIENCY_NONE },
	{ "failover", FL_CFG_FAILOVER },
	{ "revertible-failover", FL_CFG_REVERTIBLE_FAILOVER },
	{ "packet-duplication", FL_CFG_PACKET_DUPLICATION },
	{ 0 }
};

static const struct fl_cfg_field service_policy_fields[] = {
	{ .key = "name",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_service_policy, name),
	  .help = "name by which services refer to it" },
	{ .key = "vector",
	  .flags = FL_CFG_ORDERED,
	  LIST(fl_cfg_service_policy, vector),
	  .object = &vector_object,
	  .help = "which paths, in which order; default: by cost alone" },
	{ .key = "transport-state-enforcement",
	  WORD(fl_cfg_service_policy, transport_state_enforcement, enforcements,
	       FL_TCP_ENFORCE_RESET),
	  .help = "TCP that does not start with SYN: reset, block (silently), allow; strict also checks "
		  "sequence numbers" },
	{ .key = "lb-strategy",
	  WORD(fl_cfg_service_policy, lb_strategy, strategies, FL_CFG_HUNT),
	  .help = "equally good paths: hunt fills the largest first, proportional shares by capacity" },
	{ .key = "best-path-criteria",
	  WORD(fl_cfg_service_policy, best_path_criteria, criteria, FL_CFG_BY_VECTOR),
	  .help = "which path is the better one: by the vectors' order, by latency, or by MOS" },
	{ .key = "path-quality-filter",
	  BOOL(fl_cfg_service_policy, path_quality_filter, false),
	  .help = "false: max-loss, max-latency, max-jitter and min-mos are ignored" },
	{ .key = "max-loss",
	  DECIMAL(fl_cfg_service_policy, max_loss_ppm, 10000, 0, 1000000, 5000),
	  .help = "percent" },
	{ .key = "max-latency",
	  U32(fl_cfg_service_policy, max_latency_ms, 1, 10000, 250),
	  .help = "half of the round trip, ms" },
	{ .key = "max-jitter",
	  U32(fl_cfg_service_policy, max_jitter_ms, 1, 10000, 100),
	  .help = "ms" },
	{ .key = "min-mos",
	  DECIMAL(fl_cfg_service_policy, min_mos_x100, 100, 100, 500, 0),
	  .help = "default: no limit" },
	{ .key = "best-effort",
	  BOOL(fl_cfg_service_policy, best_effort, true),
	  .help = "false: sessions are denied, not carried, while no path meets the limits" },
	{ .key = "session-resiliency",
	  WORD(fl_cfg_service_policy, session_resiliency, resiliencies, FL_CFG_RESILIENCY_NONE),
	  .help = "sessions whose path fails or breaks a limit: stay on it, move, or move and go back; "
		  "packet-duplication: by several paths at once; TCP moves" },
	{ .key = "peer-path-resiliency",
	  BOOL(fl_cfg_service_policy, peer_path_resiliency, false),
	  .help = "they may also move to another peer" },
	END,
};
static const struct fl_cfg_object service_policy_object = { "service-policy",
							    sizeof(struct fl_cfg_service_policy),
							    service_policy_fields, "name" };

static const struct fl_cfg_field performance_fields[] = {
	{ .key = "name",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_performance_profile, name),
	  .help = "name by which adjacencies refer to it" },
	{ .key = "marking-count",
	  U32(fl_cfg_performance_profile, marking_count, 1, 32767, 100),
	  .help = "packets of an interval that are marked" },
	{ .key = "interval-duration",
	  U32(fl_cfg_performance_profile, interval_duration_ms, 100, 3600000, 10000),
	  .help = "from one sample to the next, ms" },
	{ .key = "monitor-only",
	  BOOL(fl_cfg_performance_profile, monitor_only, false),
	  .help = "true: measured and shown, but paths are not chosen by it" },
	END,
};
static const struct fl_cfg_object performance_object = { "performance-monitoring-profile",
							 sizeof(struct fl_cfg_performance_profile),
							 performance_fields, "name" };

static const struct fl_cfg_field session_type_fields[] = {
	{ .key = "name",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_session_type, name),
	  .help = "name by which services refer to it" },
	{ .key = "transport",
	  LIST(fl_cfg_session_type, transport),
	  .object = &transport_object,
	  .help = "sessions that are of this type when their service names none" },
	{ .key = "timeout",
	  U32(fl_cfg_session_type, timeout_ms, 1000, 86400000, 180000),
	  .help = "idle time, ms" },
	{ .key = "initial-timeout",
	  U32(fl_cfg_session_type, initial_timeout_ms, 1000, 86400000, 10000),
	  .help = "idle time before it is established, ms" },
	{ .key = "nat-keep-alive",
	  BOOL(fl_cfg_session_type, nat_keep_alive, false),
	  .help = "keep NATs between routers open while the session is idle" },
	END,
};
static const struct fl_cfg_object session_type_object = { "session-type",
							  sizeof(struct fl_cfg_session_type),
							  session_type_fields, "name" };

static const struct fl_cfg_word recovery_modes[] = { { "packet-based", FL_CFG_RECOVERY_PACKET },
						     { "inactivity-based",
						       FL_CFG_RECOVERY_INACTIVITY },
						     { 0 } };

static const struct fl_cfg_field recovery_fields[] = {
	{ .key = "mode",
	  WORD(fl_cfg_recovery, mode, recovery_modes, FL_CFG_RECOVERY_PACKET),
	  .help = "how it is noticed that a peer has lost a session" },
	{ .key = "inactivity-timeout",
	  U32(fl_cfg_recovery, inactivity_timeout_s, 1, 30, 5),
	  .help = "silence of one direction before the peer is asked, s" },
	END,
};
static const struct fl_cfg_object recovery_object = { "session-recovery-detection",
						      sizeof(struct fl_cfg_recovery),
						      recovery_fields, NULL };

static const struct fl_cfg_field router_name_fields[] = {
	{ .key = "name",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_router_name, name),
	  .help = "a router of the authority" },
	END,
};
static const struct fl_cfg_object router_name_object = { "authority-router",
							 sizeof(struct fl_cfg_router_name),
							 router_name_fields, "name" };

static const struct fl_cfg_field authority_fields[] = {
	{ .key = "name",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_authority, name),
	  .help = "name of the whole network" },
	{ .key = "session-recovery-detection",
	  .kind = FL_CFG_OBJECT,
	  AT(fl_cfg_authority, session_recovery_detection),
	  .object = &recovery_object,
	  .help = "recovery of sessions after a peer's restart" },
	{ .key = "bfd",
	  .kind = FL_CFG_OBJECT,
	  AT(fl_cfg_authority, bfd),
	  .object = &fl_cfg_bfd_object,
	  .help = "how paths are watched, where neither router nor adjacency say" },
	{ .key = "security",
	  LIST(fl_cfg_authority, security),
	  .object = &security_object,
	  .help = "security policies: keys and algorithms between routers" },
	{ .key = "tenant",
	  LIST(fl_cfg_authority, tenant),
	  .object = &tenant_object,
	  .help = "named populations of sources" },
	{ .key = "service",
	  LIST(fl_cfg_authority, service),
	  .object = &service_object,
	  .help = "named destinations" },
	{ .key = "service-policy",
	  LIST(fl_cfg_authority, service_policy),
	  .object = &service_policy_object,
	  .help = "how sessions are carried" },
	{ .key = "performance-monitoring-profile",
	  LIST(fl_cfg_authority, performance_monitoring_profile),
	  .object = &performance_object,
	  .help = "how paths are measured on user packets" },
	{ .key = "session-type",
	  LIST(fl_cfg_authority, session_type),
	  .object = &session_type_object,
	  .help = "timers of sessions" },
	{ .key = "router",
	  LIST(fl_cfg_authority, router),
	  .object = &router_name_object,
	  .help = "all routers of the authority; if there are any, peers must be among them" },
	END,
};
const struct fl_cfg_object fl_cfg_authority_object = { "authority", sizeof(struct fl_cfg_authority),
						       authority_fields, NULL };
