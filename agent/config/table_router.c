// SPDX-License-Identifier: Apache-2.0
/* This router, from the leaves up: see table.h. Source: svr-protocol.md 8.1. */
#include "agent/config/table_macros.h"

static const struct fl_cfg_field element_addr = { .key = "", .kind = FL_CFG_ADDR };
static const struct fl_cfg_field element_name = { .key = "", .kind = FL_CFG_NAME };

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

static const struct fl_cfg_word connectivities[] = { { "bidirectional", FL_CFG_BIDIRECTIONAL },
						     { "outbound-only", FL_CFG_OUTBOUND_ONLY },
						     { 0 } };
static const struct fl_cfg_field performance_fields[] = {
	{ .key = "enabled",
	  BOOL(fl_cfg_performance, enabled, false),
	  .help = "the peer has to enable it too" },
	{ .key = "profile",
	  NAME(fl_cfg_performance, profile_name),
	  .help = "name of a performance-monitoring-profile; default: every key's default" },
	END,
};
static const struct fl_cfg_object performance_object = { "performance-monitoring",
							 sizeof(struct fl_cfg_performance),
							 performance_fields, NULL };

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
	  .help = "waypoint ports, the same in all adjacencies of a peer; default: 16384 to "
		  "65533, own even, the peer's odd" },
	{ .key = "max-way-points",
	  U32(fl_cfg_adjacency, max_way_points, 1, 1000000, 50000),
	  .help = "sessions of a protocol that this router may open toward the peer" },
	{ .key = "mtu",
	  U32(fl_cfg_adjacency, mtu_bytes, 576, 9216, 0),
	  .help = "of the path, bytes; default: the interface's" },
	{ .key = "post-encryption-padding",
	  BOOL(fl_cfg_adjacency, post_encryption_padding, false),
	  .help = "one byte behind encrypted packets; both ends must agree" },
	{ .key = "peer-connectivity",
	  WORD(fl_cfg_adjacency, connectivity, connectivities, FL_CFG_BIDIRECTIONAL),
	  .help = "outbound-only: the peer is behind a NAT, whose address is given here, and opens "
		  "sessions itself" },
	{ .key = "nat-keep-alive",
	  .kind = FL_CFG_OBJECT,
	  AT(fl_cfg_adjacency, nat_keep_alive),
	  .object = &keep_alive_object,
	  .help = "keeping NATs on the path open" },
	{ .key = "bfd",
	  .kind = FL_CFG_OPTIONAL,
	  AT(fl_cfg_adjacency, own_bfd),
	  .object = &fl_cfg_bfd_object,
	  .help = "how the path is watched, as a whole instead of the router's" },
	{ .key = "path-metrics-rolling-avg-interval",
	  U32(fl_cfg_adjacency, rolling_avg_s, 1, 3600, 60),
	  .help = "over which measured latency, jitter and loss are averaged, s" },
	{ .key = "performance-monitoring",
	  .kind = FL_CFG_OBJECT,
	  AT(fl_cfg_adjacency, performance_monitoring),
	  .object = &performance_object,
	  .help = "measuring the path on user packets" },
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
	  .help = "name by which next hops refer to it, at most 31 bytes" },
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

static const struct fl_cfg_field load_balancing_fields[] = {
	{ .key = "capacity",
	  .flags = FL_CFG_REQUIRED,
	  U32(fl_cfg_load_balancing, capacity_mbps, 1, 1000000, 0),
	  .help = "Mbit/s that the device carries, each way" },
	{ .key = "utilization-high-water-mark",
	  U32(fl_cfg_load_balancing, utilization_high_water_mark, 1, 100, 0),
	  .help = "percent of the capacity, of the busier direction, from which on new sessions "
		  "take other ways; default: none" },
	{ .key = "utilization-low-water-mark",
	  U32(fl_cfg_load_balancing, utilization_low_water_mark, 1, 100, 0),
	  .help = "percent below which it takes some again; default: the high-water mark" },
	END,
};
static const struct fl_cfg_object load_balancing_object = { "load-balancing",
							    sizeof(struct fl_cfg_load_balancing),
							    load_balancing_fields, NULL };

static const struct fl_cfg_word device_modes[] = { { "auto", FL_CFG_DEVICE_AUTO },
						   { "xdp", FL_CFG_DEVICE_XDP },
						   { "tc", FL_CFG_DEVICE_TC },
						   { 0 } };

static const struct fl_cfg_field device_interface_fields[] = {
	{ .key = "name",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_device_interface, name),
	  .help = "name of this entry, and of the device unless ifname says another" },
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
	{ .key = "load-balancing",
	  .kind = FL_CFG_OPTIONAL,
	  AT(fl_cfg_device_interface, load_balancing),
	  .object = &load_balancing_object,
	  .help = "how busy it may be before new sessions take other ways" },
	{ .key = "network-interface",
	  LIST(fl_cfg_device_interface, network_interface),
	  .object = &network_interface_object,
	  .help = "networks on the device, by their tags" },
	END,
};
static const struct fl_cfg_object device_interface_object = {
	"device-interface", sizeof(struct fl_cfg_device_interface), device_interface_fields, "name"
};

static const struct fl_cfg_word vector_switches[] = { { "auto", FL_CFG_SWITCH_AUTO },
						      { "always", FL_CFG_SWITCH_ALWAYS },
						      { "never", FL_CFG_SWITCH_NEVER },
						      { 0 } };

static const struct fl_cfg_field peer_fields[] = {
	{ .key = "name",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_peer, name),
	  .help = "the peer router" },
	{ .key = "setup-rate",
	  U32(fl_cfg_peer, setup_rate, 0, 10000000, 2000),
	  .help = "packets a second from it that belong to no session yet; 0: no limit" },
	{ .key = "vector-switch",
	  WORD(fl_cfg_peer, vector_switch, vector_switches, FL_CFG_SWITCH_AUTO),
	  .help = "sessions move to another path all at once (auto: if the peer can follow), or each "
		  "with metadata of its own (never)" },
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

static const struct fl_cfg_field route_policy_fields[] = {
	{ .key = "name",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_route_policy, name),
	  .help = "name by which service routes refer to it" },
	{ .key = "max-sessions",
	  U32(fl_cfg_route_policy, max_sessions, 1, 4194304, 0),
	  .help = "by the route at a time; default: no limit" },
	{ .key = "session-rate",
	  U32(fl_cfg_route_policy, session_rate, 1, 1000000, 0),
	  .help = "new ones a second; default: no limit" },
	{ .key = "session-high-water-mark",
	  U32(fl_cfg_route_policy, session_high_water_mark, 1, 100, 0),
	  .help = "percent of max-sessions from which on the route takes no more; default: none" },
	{ .key = "session-low-water-mark",
	  U32(fl_cfg_route_policy, session_low_water_mark, 1, 100, 0),
	  .help = "percent below which it takes some again; default: the high-water mark" },
	END,
};
static const struct fl_cfg_object route_policy_object = { "service-route-policy",
							  sizeof(struct fl_cfg_route_policy),
							  route_policy_fields, "name" };

static const struct fl_cfg_field service_route_fields[] = {
	{ .key = "name",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_service_route, name),
	  .help = "name of this entry" },
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
	{ .key = "service-route-policy",
	  NAME(fl_cfg_service_route, policy_name),
	  .help = "limits; default: none" },
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
	  .help = "name of this router, as peers know it" },
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
	{ .key = "export",
	  .kind = FL_CFG_OBJECT,
	  AT(fl_cfg_router, export),
	  .object = &fl_cfg_export_object,
	  .help = "what the insight service on this host is told" },
	{ .key = "bfd",
	  .kind = FL_CFG_OPTIONAL,
	  AT(fl_cfg_router, bfd),
	  .object = &fl_cfg_bfd_object,
	  .help = "how paths are watched, as a whole instead of the authority's" },
	{ .key = "peer",
	  LIST(fl_cfg_router, peer),
	  .object = &fl_cfg_peer_object,
	  .help = "settings of peers; those of adjacencies need no entry" },
	{ .key = "service-route-policy",
	  LIST(fl_cfg_router, service_route_policy),
	  .object = &route_policy_object,
	  .help = "limits of service routes" },
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
const struct fl_cfg_object fl_cfg_router_object = { "router", sizeof(struct fl_cfg_router),
						    router_fields, NULL };
