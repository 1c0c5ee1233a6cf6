/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small world for tests of the session engine: one to three routers in a line, each with its own
 * tables in plain memory, fabric and engine; a clock that only the test moves; wires between them.
 * Packets go through a model of the data plane (engine_model.c), which forwards what it can and
 * hands the rest to the engine, as bpf/ does. Nothing here knows Criterion: the fuzz target uses it
 * too. What must not happen in any test ends the program.
 *
 *	R1: hosts 10.1.0.0/24, 2001:db8:1::/64     last router: hosts 10.2.0.0/24, 2001:db8:2::/64
 *	two routers:   R1 = wan1 = R2, R1 = wan2 = R2 (wan1 is preferred)
 *	three routers: R1 = wan1 = R2 = wan2 = R3
 *	every router:  "inet" with source NAT to 192.0.2.0/24, "guest" without a tenant
 */
#ifndef FL_TEST_UNIT_ENGINE_WORLD_H
#define FL_TEST_UNIT_ENGINE_WORLD_H

#include <stdio.h>
#include <stdlib.h>

#include "agent/session/engine_internal.h"

#define MUST_BE(property)                                                                          \
	do {                                                                                       \
		if (!(property)) {                                                                 \
			fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__,           \
				#property);                                                        \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

enum { R1, R2, R3, WORLD_ROUTERS };

enum device { DEV_HOST, DEV_LAN, DEV_WAN1, DEV_WAN2, DEV_INET, DEV_GUEST, DEV_MAX };

#define WORLD_HZ       250
#define WORLD_UNIX_S   1700000000ULL
#define WORLD_LOOPBACK 1
#define WORLD_MAX_KEYS 4096

/* What a configuration has beside the usual: JSON members that start with a comma, ' for ". */
struct world_opts {
	int routers;           /* 2 */
	uint32_t max_sessions; /* 64 */
	bool path6;            /* paths are IPv6 */
	bool no_wan1;          /* without the first path */
	bool no_wan2;          /* without the second path */
	bool no_adjacency2;    /* the second path's interface, without the peer */
	bool no_datacenter;    /* the service is not enabled */
	const char *authority;
	const char *security;
	const char *key;     /* instead of the usual ones */
	const char *staff;   /* the tenant */
	const char *vectors; /* instead of the policy's usual ones */
	const char *policy;
	const char *datacenter; /* the service */
	const char *access;     /* rules of "datacenter" instead of staff's */
	const char *internet;   /* the service */
	const char *router;
	const char *lan;
	const char *wan;
	const char *adjacency;
	const char *adjacency2; /* of wan2, if not the same */
	const char *inet;
	const char *guest;
	const char *routes; /* more service routes */
	bool no_route;      /* "datacenter" is not reached by the next router */
	const char *on;     /* more of the route that reaches it */
	const char *lan_route;
	const char *inet_hop; /* more of the internet's next hop */
};

/* A packet that an engine or the model sent. */
struct frame {
	struct frame *next;
	int router;
	enum device dev;
	struct fl_tx_to to;
	size_t len;
	uint8_t data[];
};

struct frames {
	struct frame *first;
	struct frame **last;
	size_t count;
};

struct world_index {
	struct fl_wide_key key;
	uint32_t slot;
};

struct world_route {
	struct fl_prefix prefix;
	uint32_t ifindex; /* 0: ours */
	struct fl_addr gateway;
};

struct world_denial {
	struct fl_wide_key key;
	struct fl_denial denial;
};

struct world_dup {
	struct fl_dup_key key;
	struct fl_dup dup;
};

struct world_ask {
	uint32_t ifindex;
	struct fl_addr addr;
};

enum model_verdict { MODEL_KERNEL, MODEL_DROPPED, MODEL_PUNTED, MODEL_SENT };

struct router {
	struct world *world;
	int n;
	struct fl_tables t;
	struct fl_config *config;
	struct fl_fabric *fabric;
	struct fl_engine *engine;

	/* Maps that are not memory. */
	struct world_index index[WORLD_MAX_KEYS];
	size_t n_index;
	struct fl_path6_key path6[FL_MAX_PATHS];
	uint32_t path6_id[FL_MAX_PATHS];
	struct world_denial denials[64];
	size_t n_denials;
	struct fl_name names[128];
	struct fl_fpm_heard heard[8]; /* marks beside metadata */
	size_t n_heard;
	uint32_t fpm_cleared[FL_MAX_PATHS]; /* scopes, by path */
	struct world_dup dups[64];
	size_t n_dups;
	struct fl_local_addr locals[64];
	size_t n_locals;
	struct fl_host_prefix host_prefixes[16];
	size_t n_host_prefixes;

	/* The kernel. */
	struct world_route routes[16];
	size_t n_routes;
	unsigned int route_questions;
	struct world_ask asks[256];
	size_t n_asks;
	struct world_ask known[256]; /* neighbours, in the kernel's table */
	size_t n_known;
	bool applying; /* a configuration */
	bool silent;   /* neighbours do not answer */
	bool wan_down[2];
	uint32_t mtu[DEV_MAX];

	/* What has happened. */
	uint8_t room[FL_TX_MAX_PACKET];
	struct frames out; /* to hosts, the Internet, this host's stack */
	unsigned int punts[FL_PUNT_STATE + 1];
	enum fl_punt_reason last_punt;
	unsigned int forwarded; /* by the model */
};

struct world {
	struct world_opts opts;
	int routers;
	uint64_t mono_ns;
	uint64_t wall_ns;
	struct router r[WORLD_ROUTERS];
	struct frames wire; /* under way between routers */
	struct frames past; /* looked at */
	bool odd_peers;     /* packets that tests make up for peers may be wrong inside */
	bool hold;          /* what is on the wire stays there until world_run() */
};

/* --- life ------------------------------------------------------------------------------------- */

struct world *world_new(const struct world_opts *opts);

/* Checks all invariants once more. */
void world_free(struct world *w);

/* Sessions, flows, waypoints and counters of a router agree. */
void router_check(struct router *r);

/* Another process takes over the tables. */
void router_restart(struct router *r);

/* The same, with another configuration. */
void router_restart_with(struct router *r, const struct world_opts *opts);

/* All maps are gone too. */
void router_forget_all(struct router *r);

/* Work by another configuration. */
void router_configure(struct router *r, const struct world_opts *opts);

/* Another one is prepared, but cannot be used after all. */
void router_refuse(struct router *r, const struct world_opts *opts);

/* The text of one (engine_conf.c); static memory. */
const char *world_config_text(int router, const struct world_opts *opts);

/* --- devices and addresses -------------------------------------------------------------------- */

static inline uint32_t dev_ifindex(int router, enum device dev)
{
	return (uint32_t)(router + 1) * 10 + (uint32_t)dev;
}

static inline struct fl_addr addr_of(const char *text)
{
	struct fl_addr addr;

	MUST_BE(!fl_addr_parse(text, &addr));
	return addr;
}

/* Our waypoint on a device, as text; NULL if there is none. */
const char *world_waypoint(const struct world_opts *opts, int router, enum device dev);

/* Who is at the other end of the wire. */
bool world_far_end(const struct world *w, int router, enum device dev, int *ret_router,
		   enum device *ret_dev);

void router_link(struct router *r, enum device dev, bool up);

/* A neighbour answers now, or is lost. */
void router_neighbour(struct router *r, enum device dev, const char *addr, bool valid);

/* What it stands on (engine_kernel.c). */
extern const struct fl_table_ops world_table_ops;
extern const struct fl_fabric_ops world_fabric_ops;
void router_add_routes(struct router *r);
void router_dump_neighbours(struct router *r);

/* Answer what was asked for by ARP or ND. */
void router_answer(struct router *r);

/* Does the data plane take this address for one of ours? */
bool router_has_local(const struct router *r, const char *addr);

uint16_t router_iface(struct router *r, enum device dev);
uint16_t router_path(struct router *r, enum device dev);

void mac_of_addr(const struct fl_addr *addr, uint8_t mac[6]);
void mac_of_device(int router, enum device dev, uint8_t mac[6]);

/* --- time and wires --------------------------------------------------------------------------- */

/* Let what is under way arrive. */
void world_run(struct world *w);

/* Time passes in ticks, packets arrive. */
void world_advance(struct world *w, uint64_t ms);

/* The clock goes on with nobody noticing. */
void world_leap(struct world *w, uint64_t ms);
void world_tick(struct world *w);

void frames_add(struct frames *list, struct frame *f);
struct frame *frames_pop(struct frames *list);
void frames_clear(struct frames *list);

/* Hand a frame to a device, of a router: onto the wire or into its list. */
void router_transmit(struct router *r, const struct fl_tx_to *to, const uint8_t *data, size_t len);

/* A frame from the wire arrives, and stays ours. */
enum model_verdict world_deliver(struct world *w, const struct frame *f);

/* --- the model of the data plane (engine_model.c) ----------------------------------------------
 */

enum model_verdict model_ingress(struct router *r, enum device dev, const uint8_t *data, size_t len,
				 const uint8_t smac[6]);
enum model_verdict model_egress(struct router *r, const uint8_t *data, size_t len);

/* A punt as it comes out of the ring. */
struct model_punt {
	enum fl_punt_reason reason;
	enum fl_hook hook;
	uint16_t iface;
	uint16_t path;
	uint16_t gso_size;
	uint32_t slot;
	uint32_t session;
	const uint8_t *smac;
};

void model_hand_up(struct router *r, const struct model_punt *what, const uint8_t *data,
		   size_t len);

/* --- packets (engine_packet.c) ---------------------------------------------------------------- */

/* Zero means the usual: a UDP datagram of 10.1.0.5:40000 to 10.2.0.53:53 with 32 bytes. */
struct say {
	const char *src;
	const char *dst;
	uint16_t sport; /* ICMP: identifier */
	uint16_t dport;
	uint8_t proto;
	uint8_t ttl; /* 64 */
	bool df;
	bool no_payload;
	uint8_t tcp_flags; /* SYN */
	uint32_t seq;
	uint32_t ack;
	uint16_t window;   /* 65000 */
	uint8_t scale;     /* window scale option of a SYN, behind the other and a NOP; 0: none */
	uint16_t mss;      /* option of a SYN */
	uint8_t icmp_type; /* echo */
	uint8_t icmp_code;
	uint16_t icmp_seq; /* 1; of an error: MTU */
	uint16_t id;       /* IPv4 identification */
	const void *payload;
	size_t len;
};

/* An IP packet with right checksums. Returns its length. */
size_t say_packet(const struct say *say, uint8_t out[FL_MAX_FRAME]);

/* The same with source and destination changed over. */
struct say answer_to(const struct say *say);

/* A host says it, and everything that follows happens (unless world.hold). */
enum model_verdict host_says(struct world *w, int router, enum device dev, const struct say *say);
enum model_verdict lan_says(struct world *w, int router, const struct say *say);

/* R1's host speaks; the last router's answers. */
enum model_verdict client_says(struct world *w, const struct say *say);
enum model_verdict server_says(struct world *w, const struct say *say);

/* A frame, looked at; valid until the world ends. */
struct got {
	const struct frame *f;
	struct fl_packet p;
	struct fl_tuple t;
	struct fl_opened o; /* of a frame on a wire that has metadata */
	bool meta;
};

/* Take the oldest frame that left for a LAN, the Internet, or the host's stack. */
bool got_out(struct router *r, struct got *ret_got);

/* Take the oldest frame on the wires, or only look at the one with number @n. */
bool got_wire(struct world *w, struct got *ret_got);
bool peek_wire(struct world *w, size_t n, struct got *ret_got);

/* A packet as a peer would make it, delivered at once. */
struct craft {
	int from;
	enum device dev;
	uint8_t proto;  /* UDP */
	uint16_t sport; /* 0x8000 */
	uint16_t dport; /* 0x4001 */
	uint8_t tcp_flags;
	uint32_t seq;
	uint32_t ack;
	const struct fl_meta *meta; /* NULL: none */
	bool seal;                  /* without metadata but with HMAC */
	const void *block;          /* instead of @meta: a block as it stands, plain */
	size_t block_len;
	const void *payload;
	size_t len;
	uint64_t unix_s;                           /* 0: now */
	struct fl_keyring *ring;                   /* NULL: the right one */
	void (*spoil)(uint8_t *data, size_t *len); /* layer 4 payload, after sealing */
};

enum model_verdict craft_send(struct world *w, const struct craft *c);
size_t craft_packet(struct world *w, const struct craft *c, uint8_t *out);

/* Forward metadata for the usual datagram, with a UUID made of @n. */
struct fl_meta craft_forward(const struct say *say, uint8_t n);
struct fl_meta craft_reverse(const struct say *say);
struct fl_meta craft_control(uint8_t control);

/* --- looking inside --------------------------------------------------------------------------- */

uint32_t router_sessions(const struct router *r);

/* Id of the newest session; there must be one. */
uint32_t router_session(const struct router *r);

/* Its state, both directions as one number: forward | reverse << 4. */
unsigned int router_state(const struct router *r);
#define STATE(forward, reverse) ((unsigned int)(forward) | (unsigned int)(reverse) << 4)

uint64_t router_drops(const struct router *r);

#endif
