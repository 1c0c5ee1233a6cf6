// SPDX-License-Identifier: Apache-2.0
/* The description itself, from the leaves up: see table.h. Source: svr-protocol.md 8.1. */
#include "agent/config/table.h"

#include "common/hdr.h"

#define END                                                                                        \
	{                                                                                          \
		.key = NULL                                                                        \
	}
#define AT(type, f) .offset = offsetof(struct type, f), .size = sizeof(((struct type *)0)->f)
#define LIST(type, f)                                                                              \
	.kind = FL_CFG_LIST, .offset = offsetof(struct type, f),                                   \
	.count_offset = offsetof(struct type, n_##f), .size = sizeof(*((struct type *)0)->f),      \
	.max = 100000
#define NUM(k, type, f, lo, hi, def) .kind = k, AT(type, f), .min = lo, .max = hi, .preset = def
#define U32(type, f, lo, hi, def)    NUM(FL_CFG_U32, type, f, lo, hi, def)
#define U16(type, f, lo, hi, def)    NUM(FL_CFG_U16, type, f, lo, hi, def)
#define BOOL(type, f, def)           .kind = FL_CFG_BOOL, AT(type, f), .preset = def
#define WORD(type, f, list, def)     .kind = FL_CFG_ENUM, AT(type, f), .words = list, .preset = def
#define NAME(type, f)                .kind = FL_CFG_NAME, AT(type, f)
#define ADDR(type, f)                .kind = FL_CFG_ADDR, AT(type, f)

static const struct fl_cfg_field element_prefix = { .key = "", .kind = FL_CFG_PREFIX };
static const struct fl_cfg_field element_addr = { .key = "", .kind = FL_CFG_ADDR };
static const struct fl_cfg_field element_name = { .key = "", .kind = FL_CFG_NAME };

/* --- authority -------------------------------------------------------------------------------- */

static const struct fl_cfg_word hmac_modes[] = { { "disabled", FL_CFG_HMAC_DISABLED },
						 { "regular", FL_CFG_HMAC_REGULAR },
						 { "time-based", FL_CFG_HMAC_TIME_BASED },
						 { 0 } };
static const struct fl_cfg_word hmac_ciphers[] = {
	{ "sha1", FL_CFG_HMAC_SHA1 },     { "sha256-128", FL_CFG_HMAC_SHA256_128 },
	{ "sha256", FL_CFG_HMAC_SHA256 }, { "sha384", FL_CFG_HMAC_SHA384 },
	{ "sha512", FL_CFG_HMAC_SHA512 }, { 0 }
};
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
	  .help = "icmp: that of either address family" },
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
	END,
};
static const struct fl_cfg_object service_policy_object = { "service-policy",
							    sizeof(struct fl_cfg_service_policy),
							    service_policy_fields, "name" };

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
	  .help = "of the whole network" },
	{ .key = "session-recovery-detection",
	  .kind = FL_CFG_OBJECT,
	  AT(fl_cfg_authority, session_recovery_detection),
	  .object = &recovery_object,
	  .help = "recovery of sessions after a peer's restart" },
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
static const struct fl_cfg_object authority_object = { "authority", sizeof(struct fl_cfg_authority),
						       authority_fields, NULL };

/* --- router ----------------------------------------------------------------------------------- */

static const struct fl_cfg_word keep_alive_modes[] = { { "auto", FL_CFG_KEEP_ALIVE_AUTO },
						       { "disabled", FL_CFG_KEEP_ALIVE_DISABLED },
						       { 0 } };

static const struct fl_cfg_field keep_alive_fields[] = {
	{ .key = "mode",
	  WORD(fl_cfg_keep_alive, mode, keep_alive_modes, FL_CFG_KEEP_ALIVE_AUTO),
	  .help = "for sessions whose type asks for it" },
	{ .key = "tcp-inactivity-timeout",
	  U32(fl_cfg_keep_alive, tcp_inactivity_timeout_s, 1, 86400, 1800),
	  .help = "s" },
	{ .key = "udp-inactivity-timeout",
	  U32(fl_cfg_keep_alive, udp_inactivity_timeout_s, 1, 86400, 30),
	  .help = "s" },
	END,
};
static const struct fl_cfg_object keep_alive_object = { "nat-keep-alive",
							sizeof(struct fl_cfg_keep_alive),
							keep_alive_fields, NULL };

static const struct fl_cfg_field way_port_fields[] = {
	{ .key = "start-port",
	  .flags = FL_CFG_REQUIRED,
	  U16(fl_cfg_port_range, start_port, 1025, 65535, 0),
	  .help = "first port" },
	{ .key = "end-port",
	  .flags = FL_CFG_REQUIRED,
	  U16(fl_cfg_port_range, end_port, 1025, 65535, 0),
	  .help = "last port" },
	END,
};
static const struct fl_cfg_object way_port_object = { "waypoint-port-range",
						      sizeof(struct fl_cfg_port_range),
						      way_port_fields, NULL };

static const struct fl_cfg_field adjacency_fields[] = {
	{ .key = "ip-address",
	  .flags = FL_CFG_REQUIRED,
	  ADDR(fl_cfg_adjacency, ip_address),
	  .help = "the peer's waypoint" },
	{ .key = "peer",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_adjacency, peer_name),
	  .help = "router that it belongs to" },
	{ .key = "local-address",
	  ADDR(fl_cfg_adjacency, local),
	  .help = "our waypoint; default: the interface's first address of that family" },
	{ .key = "inter-router-security",
	  NAME(fl_cfg_adjacency, security_name),
	  .help = "security policy to send by; default: the interface's" },
	{ .key = "cost", U32(fl_cfg_adjacency, cost, 0, 999999, 0), .help = "lower is better" },
	{ .key = "vector",
	  LIST(fl_cfg_adjacency, vector),
	  .element = &element_name,
	  .help = "labels that service policies choose paths by" },
	{ .key = "port-range",
	  .kind = FL_CFG_OPTIONAL,
	  AT(fl_cfg_adjacency, port_range),
	  .object = &way_port_object,
	  .help = "waypoint ports; default: 16384 to 65533, own even, the peer's odd" },
	{ .key = "max-way-points",
	  U32(fl_cfg_adjacency, max_way_points, 1, 1000000, 50000),
	  .help = "sessions of a protocol that this router may open toward the peer" },
	{ .key = "mtu",
	  U32(fl_cfg_adjacency, mtu_bytes, 576, 9216, 0),
	  .help = "of the path, bytes; default: the interface's" },
	{ .key = "post-encryption-padding",
	  BOOL(fl_cfg_adjacency, post_encryption_padding, false),
	  .help = "one byte behind encrypted packets; both ends must agree" },
	{ .key = "nat-keep-alive",
	  .kind = FL_CFG_OBJECT,
	  AT(fl_cfg_adjacency, nat_keep_alive),
	  .object = &keep_alive_object,
	  .help = "keeping NATs on the path open" },
	END,
};
static const struct fl_cfg_object adjacency_object = { "adjacency", sizeof(struct fl_cfg_adjacency),
						       adjacency_fields, "ip-address" };

static const struct fl_cfg_word interface_types[] = { { "external", FL_CFG_EXTERNAL },
						      { "fabric", FL_CFG_FABRIC },
						      { "shared", FL_CFG_SHARED },
						      { 0 } };
static const struct fl_cfg_word icmps[] = { { "allow", FL_CFG_ICMP_ALLOW },
					    { "drop", FL_CFG_ICMP_DROP },
					    { 0 } };
static const struct fl_cfg_word reverse_flows[] = { { "none", FL_CFG_REVERSE_FLOW_NONE },
						    { "strict", FL_CFG_REVERSE_FLOW_STRICT },
						    { 0 } };

static const struct fl_cfg_field neighborhood_fields[] = {
	{ .key = "name",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_neighborhood, name),
	  .help = "label that members of tenants refer to" },
	END,
};
static const struct fl_cfg_object neighborhood_object = { "neighborhood",
							  sizeof(struct fl_cfg_neighborhood),
							  neighborhood_fields, "name" };

static const struct fl_cfg_field network_interface_fields[] = {
	{ .key = "name",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_network_interface, name),
	  .max = FL_LABEL_LEN - 1,
	  .help = "at most 31 bytes" },
	{ .key = "type",
	  WORD(fl_cfg_network_interface, type, interface_types, FL_CFG_EXTERNAL),
	  .help = "external: hosts; fabric: peers; shared: both" },
	{ .key = "vlan",
	  U16(fl_cfg_network_interface, vlan, 0, 4094, 0),
	  .help = "802.1Q tag, the outer one with inner-vlan; 0: untagged" },
	{ .key = "inner-vlan",
	  U16(fl_cfg_network_interface, inner_vlan, 0, 4094, 0),
	  .help = "inner tag of QinQ; 0: none" },
	{ .key = "tenant",
	  NAME(fl_cfg_network_interface, tenant_name),
	  .help = "tenant of the hosts on it" },
	{ .key = "source-nat",
	  BOOL(fl_cfg_network_interface, source_nat, false),
	  .help = "sessions that leave by it get its address as their source" },
	{ .key = "mtu",
	  U32(fl_cfg_network_interface, mtu_bytes, 576, 9216, 0),
	  .help = "bytes; default: the device's" },
	{ .key = "enforced-mss",
	  .kind = FL_CFG_MSS,
	  AT(fl_cfg_network_interface, enforced_mss),
	  .min = 64,
	  .max = 8960,
	  .preset = FL_CFG_MSS_AUTOMATIC,
	  .help = "clamp of TCP's segment size: \"automatic\", \"disabled\", or bytes" },
	{ .key = "icmp",
	  WORD(fl_cfg_network_interface, icmp, icmps, FL_CFG_ICMP_ALLOW),
	  .help = "drop: hosts on it may not ping through" },
	{ .key = "reverse-flow-enforcement",
	  WORD(fl_cfg_network_interface, reverse_flow_enforcement, reverse_flows,
	       FL_CFG_REVERSE_FLOW_NONE),
	  .help = "strict: the route back to a source must lead out by this interface" },
	{ .key = "inter-router-security",
	  NAME(fl_cfg_network_interface, security_name),
	  .help = "security policy of what peers send here" },
	{ .key = "address",
	  LIST(fl_cfg_network_interface, address),
	  .element = &element_addr,
	  .flags = FL_CFG_ORDERED,
	  .help = "waypoints; the device must have these addresses" },
	{ .key = "neighborhood",
	  LIST(fl_cfg_network_interface, neighborhood),
	  .object = &neighborhood_object,
	  .help = "labels of the network behind it" },
	{ .key = "adjacency",
	  LIST(fl_cfg_network_interface, adjacency),
	  .object = &adjacency_object,
	  .help = "paths to peers" },
	END,
};
static const struct fl_cfg_object network_interface_object = {
	"network-interface", sizeof(struct fl_cfg_network_interface), network_interface_fields,
	"name"
};

static const struct fl_cfg_word device_modes[] = { { "auto", FL_CFG_DEVICE_AUTO },
						   { "xdp", FL_CFG_DEVICE_XDP },
						   { "tc", FL_CFG_DEVICE_TC },
						   { 0 } };

static const struct fl_cfg_field device_interface_fields[] = {
	{ .key = "name",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_device_interface, name),
	  .help = "of this entry" },
	{ .key = "ifname",
	  NAME(fl_cfg_device_interface, ifname),
	  .max = 15, /* IFNAMSIZ - 1 */
	  .help = "the kernel's name of the device; default: the name" },
	{ .key = "mode",
	  WORD(fl_cfg_device_interface, mode, device_modes, FL_CFG_DEVICE_AUTO),
	  .help = "auto: XDP on hardware, TC on virtual devices" },
	{ .key = "generic-xdp",
	  BOOL(fl_cfg_device_interface, generic_xdp, false),
	  .help = "generic XDP may be used where the driver has none of its own" },
	{ .key = "network-interface",
	  LIST(fl_cfg_device_interface, network_interface),
	  .object = &network_interface_object,
	  .help = "networks on the device, by their tags" },
	END,
};
static const struct fl_cfg_object device_interface_object = {
	"device-interface", sizeof(struct fl_cfg_device_interface), device_interface_fields, "name"
};

static const struct fl_cfg_field peer_fields[] = {
	{ .key = "name",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_peer, name),
	  .help = "the peer router" },
	{ .key = "setup-rate",
	  U32(fl_cfg_peer, setup_rate, 0, 10000000, 2000),
	  .help = "packets a second from it that belong to no session yet; 0: no limit" },
	{ .key = "burst", U32(fl_cfg_peer, burst, 1, 10000000, 4000), .help = "as many at once" },
	END,
};
const struct fl_cfg_object fl_cfg_peer_object = { "peer", sizeof(struct fl_cfg_peer), peer_fields,
						  "name" };

static const struct fl_cfg_field next_hop_fields[] = {
	{ .key = "interface",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_next_hop, interface_name),
	  .help = "network interface to leave by" },
	{ .key = "gateway-ip",
	  ADDR(fl_cfg_next_hop, gateway),
	  .help = "default: by the kernel's routes on that device" },
	{ .key = "target-address",
	  ADDR(fl_cfg_next_hop, target),
	  .help = "new destination; default: unchanged" },
	END,
};
static const struct fl_cfg_object next_hop_object = { "next-hop", sizeof(struct fl_cfg_next_hop),
						      next_hop_fields, NULL };

static const struct fl_cfg_field service_route_fields[] = {
	{ .key = "name",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_service_route, name),
	  .help = "of this entry" },
	{ .key = "service-name",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_service_route, service_name),
	  .help = "service that is reached so; also for its children without routes" },
	{ .key = "peer",
	  NAME(fl_cfg_service_route, peer_name),
	  .help = "by a peer (one of peer, next-hop, use-learned-routes)" },
	{ .key = "next-hop",
	  .kind = FL_CFG_OPTIONAL,
	  AT(fl_cfg_service_route, next_hop),
	  .object = &next_hop_object,
	  .help = "by a local interface" },
	{ .key = "use-learned-routes",
	  BOOL(fl_cfg_service_route, use_learned_routes, false),
	  .help = "by the kernel's routes, on whatever managed interface" },
	{ .key = "nat-target",
	  ADDR(fl_cfg_service_route, nat_target),
	  .help = "new destination; default: unchanged" },
	{ .key = "cost", U32(fl_cfg_service_route, cost, 0, 999999, 0), .help = "lower is better" },
	END,
};
static const struct fl_cfg_object service_route_object = { "service-route",
							   sizeof(struct fl_cfg_service_route),
							   service_route_fields, "name" };

static const struct fl_cfg_field first_packet_rate_fields[] = {
	{ .key = "per-source",
	  U32(fl_cfg_first_packet_rate, per_source, 0, 10000000, 500),
	  .help = "new sessions a second of one host; 0: no limit" },
	{ .key = "burst",
	  U32(fl_cfg_first_packet_rate, burst, 1, 10000000, 1000),
	  .help = "as many at once" },
	END,
};
static const struct fl_cfg_object first_packet_rate_object = {
	"first-packet-rate", sizeof(struct fl_cfg_first_packet_rate), first_packet_rate_fields, NULL
};

static const struct fl_cfg_field router_fields[] = {
	{ .key = "name",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_router, name),
	  .help = "this router, as peers know it" },
	{ .key = "max-sessions",
	  .flags = FL_CFG_RESTART,
	  U32(fl_cfg_router, max_sessions, 16, 4194304, 262144),
	  .help = "size of the session table, about 700 bytes each" },
	{ .key = "half-open-connection-limit",
	  U32(fl_cfg_router, half_open_connection_limit, 0, 4194304, 0),
	  .help = "TCP sessions not yet established; 0: no limit" },
	{ .key = "local-tenant",
	  NAME(fl_cfg_router, local_tenant_name),
	  .help = "tenant of this host's own traffic; default: it opens no sessions" },
	{ .key = "first-packet-rate",
	  .kind = FL_CFG_OBJECT,
	  AT(fl_cfg_router, first_packet_rate),
	  .object = &first_packet_rate_object,
	  .help = "limit on new sessions" },
	{ .key = "peer",
	  LIST(fl_cfg_router, peer),
	  .object = &fl_cfg_peer_object,
	  .help = "settings of peers; those of adjacencies need no entry" },
	{ .key = "service-route",
	  LIST(fl_cfg_router, service_route),
	  .object = &service_route_object,
	  .help = "how services are reached from here" },
	{ .key = "device-interface",
	  LIST(fl_cfg_router, device_interface),
	  .object = &device_interface_object,
	  .help = "devices that Fairlead manages" },
	END,
};
static const struct fl_cfg_object router_object = { "router", sizeof(struct fl_cfg_router),
						    router_fields, NULL };

static const struct fl_cfg_field root_fields[] = {
	{ .key = "authority",
	  .kind = FL_CFG_OBJECT,
	  .flags = FL_CFG_REQUIRED,
	  AT(fl_config, authority),
	  .object = &authority_object,
	  .help = "what holds for the whole network" },
	{ .key = "router",
	  .kind = FL_CFG_OBJECT,
	  .flags = FL_CFG_REQUIRED,
	  AT(fl_config, router),
	  .object = &router_object,
	  .help = "this router" },
	END,
};
const struct fl_cfg_object fl_cfg_root = { "configuration", sizeof(struct fl_config), root_fields,
					   NULL };

size_t fl_cfg_name_max(const struct fl_cfg_field *field)
{
	return field->max ? (size_t)field->max : FL_NAME_LEN - 1;
}

const char *fl_cfg_word_of(const struct fl_cfg_field *field, int value)
{
	for (const struct fl_cfg_word *w = field->words; w->word; w++)
		if (w->value == value)
			return w->word;
	return NULL;
}
