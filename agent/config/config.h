/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: one JSON file, read and checked as a whole, with every name looked up and
 * every default filled in. Nothing in it changes afterwards; a reload makes a new one. The model is
 * that of svr-protocol.md section 8; keys in the file are the field names here with hyphens. What
 * exists, its range and its default stands in config/table.c, and schemas/config.schema.json says
 * the same.
 */
#ifndef FL_AGENT_CONFIG_CONFIG_H
#define FL_AGENT_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/addr.h"
#include "common/limits.h"
#include "common/session.h"

struct fl_json;

/* Index of what is not there: no tenant, no policy. */
#define FL_CFG_NONE (-1)

/* --- authority -------------------------------------------------------------------------------- */

enum fl_cfg_hmac_mode {
	FL_CFG_HMAC_DISABLED,
	FL_CFG_HMAC_REGULAR,
	FL_CFG_HMAC_TIME_BASED, /* default */
};

enum fl_cfg_hmac_cipher {
	FL_CFG_HMAC_SHA1,
	FL_CFG_HMAC_SHA256_128, /* default */
	FL_CFG_HMAC_SHA256,
	FL_CFG_HMAC_SHA384,
	FL_CFG_HMAC_SHA512,
};

enum fl_cfg_hmac_packets {
	FL_CFG_HMAC_METADATA, /* default: those with metadata */
	FL_CFG_HMAC_ALL,      /* also all others that have a payload */
};

enum fl_cfg_encryption_cipher {
	FL_CFG_AES_CBC_128, /* default */
	FL_CFG_AES_CBC_256,
};

struct fl_cfg_bytes {
	uint8_t *bytes; /* NULL if absent */
	size_t len;
};

/* One generation of a security policy's keys (P-44). */
struct fl_cfg_key {
	uint32_t security_id;               /* 1 and above, unique in its policy */
	int64_t not_before_s;               /* "not-before": RFC 3339 time; default 0 */
	struct fl_cfg_bytes hmac_key;       /* hex digits in the file */
	struct fl_cfg_bytes encryption_key; /* likewise */
};

struct fl_cfg_security {
	char *name;
	bool encrypt; /* metadata; default true */
	enum fl_cfg_encryption_cipher encryption_cipher;
	enum fl_cfg_hmac_mode hmac_mode;
	enum fl_cfg_hmac_cipher hmac_cipher;
	enum fl_cfg_hmac_packets hmac_packets;
	struct fl_cfg_key *key; /* at most FL_MAX_KEYS */
	size_t n_key;
};

struct fl_cfg_member {
	char *neighborhood;
	struct fl_prefix *address;
	size_t n_address;
};

/* Dotted name, child.parent. */
struct fl_cfg_tenant {
	char *name;
	int parent; /* index of the tenant whose name is what follows the first dot; or none */
	struct fl_cfg_member *member;
	size_t n_member;
};

struct fl_cfg_port_range {
	uint16_t start_port;
	uint16_t end_port; /* inclusive; default: start-port */
};

struct fl_cfg_transport {
	uint8_t protocol; /* "tcp", "udp", "icmp" (either family), "gre", "esp", "pim" */
	struct fl_cfg_port_range *port_range;
	size_t n_port_range; /* 0: any port */
};

enum fl_cfg_scope {
	FL_CFG_SCOPE_PRIVATE, /* default */
	FL_CFG_SCOPE_PUBLIC,
};

enum fl_cfg_permission {
	FL_CFG_ALLOW, /* default */
	FL_CFG_DENY,
};

/* "tenant", "tenant@prefix", or "@prefix" for any tenant. */
struct fl_cfg_source {
	char *text;
	int tenant;              /* index or none: any */
	struct fl_prefix prefix; /* family 0: any */
};

struct fl_cfg_access {
	struct fl_cfg_source source;
	enum fl_cfg_permission permission;
};

enum fl_cfg_service_nat {
	FL_CFG_SERVICE_NAT_INTERFACE, /* "network-interface": as the interface says; default */
	FL_CFG_SERVICE_NAT_DISABLED,
};

/* Dotted name as for tenants; a child adds to its parent's access policy and takes its transport
 * and service policy if it has none of its own. */
struct fl_cfg_service {
	char *name;
	int parent;
	bool enabled; /* default true */
	enum fl_cfg_scope scope;
	struct fl_prefix *address;
	size_t n_address;
	struct fl_cfg_transport *transport;  /* inherited */
	size_t n_transport;                  /* 0: any */
	struct fl_cfg_access *access_policy; /* inherited ones included */
	size_t n_access_policy;
	char *service_policy_name; /* "service-policy"; NULL: the parent's */
	char *session_type_name;   /* "session-type"; likewise */
	int service_policy;        /* index or none; inherited */
	int session_type;          /* likewise */
	enum fl_cfg_service_nat source_nat;
};

#define FL_CFG_PRIORITY_NEVER UINT32_MAX

/* "priority": a number 1..999999, "ordered" (default: 10 to the power of its place, 999999 beyond
 * the sixth) or "never". */
struct fl_cfg_vector {
	char *name;
	uint32_t cost;
};

enum fl_cfg_strategy {
	FL_CFG_HUNT, /* default */
	FL_CFG_PROPORTIONAL,
};

enum fl_cfg_criterion {
	FL_CFG_BY_VECTOR, /* default */
	FL_CFG_BY_LATENCY,
	FL_CFG_BY_MOS,
};

/* What becomes of sessions whose path fails. */
enum fl_cfg_resiliency {
	FL_CFG_RESILIENCY_NONE, /* default: they stay on it */
	FL_CFG_FAILOVER,
	FL_CFG_REVERTIBLE_FAILOVER, /* and go back */
	FL_CFG_PACKET_DUPLICATION,  /* by several paths at once (6.4); TCP moves */
};

/* Source of fields, ranges and defaults: svr-protocol.md 6.1. */
struct fl_cfg_service_policy {
	char *name;
	struct fl_cfg_vector *vector;
	size_t n_vector;
	enum fl_tcp_enforcement transport_state_enforcement; /* default reset */
	enum fl_cfg_strategy lb_strategy;
	enum fl_cfg_criterion best_path_criteria;
	bool path_quality_filter; /* else the limits are ignored; default false */
	bool best_effort;         /* if all paths break a limit, one of them; default true */
	uint32_t max_loss_ppm;    /* "max-loss": percent in the file, 0.5 (0..100) */
	uint32_t max_latency_ms;  /* half the round trip; 250 (1..10000) */
	uint32_t max_jitter_ms;   /* 100 (1..10000) */
	uint32_t min_mos_x100;    /* "min-mos": 1.00..5.00; default 0: none */
	enum fl_cfg_resiliency session_resiliency;
	bool peer_path_resiliency; /* sessions may move to another peer; default false */
};

/* How paths are measured on user packets (svr-protocol.md 4). */
struct fl_cfg_performance_profile {
	char *name;
	uint32_t marking_count;        /* packets of an interval, 100 (1..32767) */
	uint32_t interval_duration_ms; /* 10000 (100..3600000) */
	bool monitor_only;             /* shown, but no path is chosen by it; default false */
};

struct fl_cfg_session_type {
	char *name;
	struct fl_cfg_transport *transport;
	size_t n_transport;
	uint32_t timeout_ms;         /* 180000 (1000..86400000) */
	uint32_t initial_timeout_ms; /* 10000 (1000..86400000) */
	bool nat_keep_alive;
};

enum fl_cfg_recovery_mode {
	FL_CFG_RECOVERY_PACKET, /* "packet-based"; default */
	FL_CFG_RECOVERY_INACTIVITY,
};

struct fl_cfg_recovery {
	enum fl_cfg_recovery_mode mode;
	uint32_t inactivity_timeout_s; /* 5 (1..30) */
};

/* How a path is watched (5.1): "bfd" of the authority, a router, or an adjacency; the nearest one
 * counts, as a whole. */
struct fl_cfg_bfd {
	bool enabled;                  /* "state"; default true */
	uint32_t desired_tx_ms;        /* 1000 (50..600000) */
	uint32_t required_min_rx_ms;   /* 500 (50..600000) */
	uint32_t required_min_echo_ms; /* 1000 (0..600000; 0: others' link tests are not wanted) */
	uint8_t multiplier;            /* 3 (3..20) */
	uint32_t link_test_interval_s; /* 10 (1..86400) */
	uint8_t link_test_length;      /* packets, 10 (0..255; 0: no link tests) */
	uint32_t hold_down_s;          /* 5 (1..300) */
	bool dynamic_damping;          /* default false */
	bool echo_detection;           /* default true */
	uint32_t max_hold_down_s;      /* 3600 (1..86400) */
	uint8_t dscp;                  /* 0 (0..63) */
};

struct fl_cfg_router_name {
	char *name;
};

struct fl_cfg_authority {
	char *name;
	struct fl_cfg_recovery session_recovery_detection;
	struct fl_cfg_bfd bfd;
	struct fl_cfg_security *security;
	size_t n_security;
	struct fl_cfg_tenant *tenant;
	size_t n_tenant;
	struct fl_cfg_service *service;
	size_t n_service;
	struct fl_cfg_service_policy *service_policy;
	size_t n_service_policy;
	struct fl_cfg_performance_profile *performance_monitoring_profile;
	size_t n_performance_monitoring_profile;
	struct fl_cfg_session_type *session_type;
	size_t n_session_type;
	struct fl_cfg_router_name *router; /* all routers of the authority, this one too */
	size_t n_router;
};

/* --- router ----------------------------------------------------------------------------------- */

enum fl_cfg_keep_alive_mode {
	FL_CFG_KEEP_ALIVE_AUTO, /* default */
	FL_CFG_KEEP_ALIVE_DISABLED,
};

struct fl_cfg_keep_alive {
	enum fl_cfg_keep_alive_mode mode;
	uint32_t tcp_inactivity_timeout_s; /* 1800 (1..86400) */
	uint32_t udp_inactivity_timeout_s; /* 30 (1..86400) */
};

/* One path to a peer. */
enum fl_cfg_connectivity {
	FL_CFG_BIDIRECTIONAL, /* default */
	FL_CFG_OUTBOUND_ONLY, /* the peer is behind a NAT: it opens sessions, we do not (P-28) */
};

struct fl_cfg_performance {
	bool enabled;       /* default false; both ends must */
	char *profile_name; /* "profile"; NULL: defaults */
	int profile;        /* index or none */
};

struct fl_cfg_adjacency {
	struct fl_addr ip_address; /* the peer's waypoint */
	char *peer_name;           /* "peer" */
	struct fl_addr local; /* "local-address"; default: the interface's address of that family */
	int interface;        /* index in fl_config.interface */
	char *security_name;  /* "inter-router-security"; default: the interface's */
	int security;         /* index or none */
	uint32_t cost;        /* 0 (0..999999) */
	char **vector;
	size_t n_vector;
	struct fl_cfg_port_range *port_range; /* NULL: parity rule; 1025..65535 */
	uint32_t max_way_points;              /* 50000 (1..1000000) */
	uint32_t mtu_bytes;                   /* "mtu"; 0: the interface's; else 576..9216 */
	bool post_encryption_padding;
	enum fl_cfg_connectivity connectivity; /* "peer-connectivity" */
	struct fl_cfg_keep_alive nat_keep_alive;
	struct fl_cfg_bfd *own_bfd;   /* "bfd"; NULL: as the router or the authority says */
	const struct fl_cfg_bfd *bfd; /* what counts */
	uint32_t rolling_avg_s;       /* "path-metrics-rolling-avg-interval", 60 (1..3600) */
	struct fl_cfg_performance performance_monitoring;
};

enum fl_cfg_interface_type {
	FL_CFG_EXTERNAL, /* default: hosts only */
	FL_CFG_FABRIC,   /* peers only */
	FL_CFG_SHARED,   /* both */
};

enum fl_cfg_icmp {
	FL_CFG_ICMP_ALLOW, /* default */
	FL_CFG_ICMP_DROP,
};

enum fl_cfg_reverse_flow {
	FL_CFG_REVERSE_FLOW_NONE, /* default */
	FL_CFG_REVERSE_FLOW_STRICT,
};

/* enforced-mss: "disabled", "automatic", or bytes 64..8960 */
#define FL_CFG_MSS_DISABLED  0
#define FL_CFG_MSS_AUTOMATIC 1

/* Label that generates adjacencies: those of the interface name their peers themselves here. */
struct fl_cfg_neighborhood {
	char *name;
};

struct fl_cfg_network_interface {
	char *name;
	int device; /* index in router.device_interface */
	enum fl_cfg_interface_type type;
	uint16_t vlan;       /* 0 = untagged (0..4094) */
	uint16_t inner_vlan; /* QinQ; needs vlan */
	char *tenant_name;   /* "tenant"; NULL: none */
	int tenant;
	bool source_nat;
	uint32_t mtu_bytes;    /* "mtu"; 0: the device's; else 576..9216 */
	uint16_t enforced_mss; /* default: automatic, so that nothing needs fragmenting */
	enum fl_cfg_icmp icmp;
	enum fl_cfg_reverse_flow reverse_flow_enforcement;
	char *security_name; /* "inter-router-security": of what is received here */
	int security;
	struct fl_addr *address; /* waypoints; the kernel has the addresses and their prefixes */
	size_t n_address;
	struct fl_cfg_neighborhood *neighborhood;
	size_t n_neighborhood;
	struct fl_cfg_adjacency *adjacency;
	size_t n_adjacency;
};

enum fl_cfg_device_mode {
	FL_CFG_DEVICE_AUTO, /* default */
	FL_CFG_DEVICE_XDP,
	FL_CFG_DEVICE_TC,
};

/* How much of a device may be in use before new sessions take other ways. */
struct fl_cfg_load_balancing {
	uint32_t capacity_mbps;               /* of each direction (1..1000000) */
	uint32_t utilization_high_water_mark; /* percent (1..100); 0: none */
	uint32_t utilization_low_water_mark;  /* (1..100); 0: the high one */
};

struct fl_cfg_device_interface {
	char *name;
	char *ifname; /* default: name */
	enum fl_cfg_device_mode mode;
	bool generic_xdp; /* generic XDP may be used where the driver has none; default false */
	struct fl_cfg_load_balancing *load_balancing; /* NULL: however busy it is */
	struct fl_cfg_network_interface *network_interface;
	size_t n_network_interface;
};

/* How sessions to a peer are moved to another of its paths. */
enum fl_cfg_vector_switch {
	FL_CFG_SWITCH_AUTO, /* default: all at once if the peer can follow */
	FL_CFG_SWITCH_ALWAYS,
	FL_CFG_SWITCH_NEVER, /* one by one, with metadata */
};

/* A router that this one has paths to; those that adjacencies name need no entry. */
struct fl_cfg_peer {
	char *name;
	enum fl_cfg_vector_switch vector_switch;
	uint32_t setup_rate; /* packets a second of no session yet, 2000 (0 = no limit) (P-46) */
	uint32_t burst;      /* 4000 */
};

enum fl_cfg_route_type {
	FL_CFG_ROUTE_PEER,
	FL_CFG_ROUTE_NEXT_HOP,
	FL_CFG_ROUTE_KERNEL, /* "use-learned-routes": by the kernel's routes */
};

struct fl_cfg_next_hop {
	char *interface_name;   /* "interface" */
	int interface;          /* index in fl_config.interface */
	struct fl_addr gateway; /* "gateway-ip"; family 0: by the kernel's routes, else on-link */
	struct fl_addr target;  /* "target-address": new destination; family 0: unchanged */
};

/* Limits of service routes that name it, for each of them. 0: no limit. */
struct fl_cfg_route_policy {
	char *name;
	uint32_t max_sessions;            /* (1..4194304) */
	uint32_t session_rate;            /* new ones a second (1..1000000) */
	uint32_t session_high_water_mark; /* percent of max-sessions (1..100) */
	uint32_t session_low_water_mark;  /* (1..100); default: the high one */
};

struct fl_cfg_service_route {
	char *name;
	char *service_name;
	int service;
	char *policy_name; /* "service-route-policy"; NULL: no limits */
	int policy;        /* index or none */
	enum fl_cfg_route_type type;
	char *peer_name;                  /* of a peer route */
	struct fl_cfg_next_hop *next_hop; /* of a next-hop route */
	bool use_learned_routes;
	struct fl_addr nat_target; /* "nat-target"; family 0: none */
	uint32_t cost;             /* 0 (0..999999) */
};

struct fl_cfg_first_packet_rate {
	uint32_t per_source; /* new sessions a second of one host, 500 (0 = no limit) (P-46) */
	uint32_t burst;      /* 1000 */
};

/* What a link toward the Internet or peers can carry; the kernel does not know. */
struct fl_cfg_capacity {
	char *interface_name;   /* "interface" */
	int interface;          /* index in fl_config.interface */
	uint32_t upload_mbps;   /* 0: unknown (0..1000000) */
	uint32_t download_mbps; /* same */
};

/* What the insight service is told (agent/export/). */
struct fl_cfg_export {
	bool enabled;                /* false */
	char *site;                  /* NULL: the router's name */
	uint32_t queue_mb;           /* 64 (1..16384) */
	uint32_t session_minimum_s;  /* 10 (0..3600) */
	uint32_t records_per_second; /* 200 (1..100000) */
	char **zoom_service;
	size_t n_zoom_service;
	char **vpn_service;
	size_t n_vpn_service;
	char **dhcp_leases; /* absolute names of files */
	size_t n_dhcp_leases;
	struct fl_cfg_capacity *capacity;
	size_t n_capacity;
};

struct fl_cfg_router {
	char *name;
	uint32_t max_sessions; /* 262144 (16..4194304); needs `fairleadd --remove` to change */
	uint32_t half_open_connection_limit; /* 0: none */
	char *local_tenant_name;             /* "local-tenant": of this host's own traffic */
	int local_tenant;                    /* index or none: it opens no sessions */
	struct fl_cfg_first_packet_rate first_packet_rate;
	struct fl_cfg_export export;
	struct fl_cfg_bfd *bfd;   /* of all its paths; NULL: as the authority says */
	struct fl_cfg_peer *peer; /* those that adjacencies name added */
	size_t n_peer;
	struct fl_cfg_route_policy *service_route_policy;
	size_t n_service_route_policy;
	struct fl_cfg_service_route *service_route;
	size_t n_service_route;
	struct fl_cfg_device_interface *device_interface;
	size_t n_device_interface;
};

struct fl_config {
	struct fl_cfg_authority authority;
	struct fl_cfg_router router;
	/* All network interfaces and adjacencies, across devices; pointers into the above. */
	struct fl_cfg_network_interface **interface;
	size_t n_interface;
	struct fl_cfg_adjacency **path;
	size_t n_path;
	/* The file as it was, with defaults; for printing and comparing. */
	struct fl_json *tree;
};

/* --- loading ---------------------------------------------------------------------------------- */

/* What is wrong with a file. Strings belong to the list. */
struct fl_config_error {
	char *pointer; /* JSON pointer (RFC 6901) to the value; "" for the file */
	char *value;   /* as in the file, cut to a line; secrets left out; NULL: absent */
	char *problem; /* and what is allowed */
	bool warning;  /* does not prevent its use */
};

struct fl_config_errors;

size_t fl_config_errors_count(const struct fl_config_errors *errors); /* 0 for NULL */
const struct fl_config_error *fl_config_errors_get(const struct fl_config_errors *errors,
						   size_t index);
void fl_config_errors_free(struct fl_config_errors *errors); /* takes NULL */

/* One line for people: "/router/name: 7: must be ...". */
void fl_config_error_text(const struct fl_config_error *error, char *text, size_t size);

/**
 * fl_config_load() - configuration from text
 * @ret_config: written only on success; for the caller to free
 * @ret_errors: all findings, also warnings of a good file; NULL if there are none
 *
 * Return: 0; -EINVAL with at least one finding that is no warning; -ENOMEM.
 */
int fl_config_load(const char *text, size_t len, struct fl_config **ret_config,
		   struct fl_config_errors **ret_errors);

/* The same from a file of at most 8 MB; also -errno of opening and reading it, -EFBIG. */
int fl_config_load_file(const char *path, struct fl_config **ret_config,
			struct fl_config_errors **ret_errors);

/* Wipes secrets; takes NULL. */
void fl_config_free(struct fl_config *config);

enum fl_config_print {
	FL_CONFIG_AS_IS,    /* only what the file says */
	FL_CONFIG_DEFAULTS, /* and all defaults */
};

/* As JSON, secrets replaced by "(secret)". Return: text for the caller to free, or NULL. */
char *fl_config_print(const struct fl_config *config, enum fl_config_print what);

/* JSON schema of the file; committed as schemas/config.schema.json. Return: text to free, or NULL.
 */
char *fl_config_schema(void);

/* --- comparing -------------------------------------------------------------------------------- */

struct fl_config_change {
	char *pointer;   /* list entries by name: /authority/service[web]/enabled */
	char *old_value; /* compact JSON, "(secret)" for secrets; NULL: was not there */
	char *new_value; /* NULL: is gone */
	bool restart;    /* takes effect only with a new data plane */
};

struct fl_config_changes;

/**
 * fl_config_diff() - what differs, defaults filled in
 * @from: NULL: everything is new
 *
 * Entries of lists are matched by name, not by place; order counts only where it means something.
 * Return: 0 or -ENOMEM.
 */
int fl_config_diff(const struct fl_config *from, const struct fl_config *to,
		   struct fl_config_changes **ret_changes);
size_t fl_config_changes_count(const struct fl_config_changes *changes);
const struct fl_config_change *fl_config_changes_get(const struct fl_config_changes *changes,
						     size_t index);
void fl_config_changes_free(struct fl_config_changes *changes); /* takes NULL */

/* --- looking up ------------------------------------------------------------------------------- */

enum fl_cfg_ref {
	FL_CFG_REF_TENANT,
	FL_CFG_REF_SERVICE,
	FL_CFG_REF_SERVICE_POLICY,
	FL_CFG_REF_SESSION_TYPE,
	FL_CFG_REF_SECURITY,
	FL_CFG_REF_PERFORMANCE,
	FL_CFG_REF_INTERFACE,
	FL_CFG_REF_ROUTE_POLICY,
};

/* Index of a thing by its name, or FL_CFG_NONE. */
int fl_config_find(const struct fl_config *config, enum fl_cfg_ref what, const char *name);

/* Is @tenant @ancestor, or a child of it at any depth? */
bool fl_config_tenant_is_within(const struct fl_config *config, int tenant, int ancestor);

#endif
