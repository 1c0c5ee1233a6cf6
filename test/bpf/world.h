/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world that fixtures play in: devices in a network namespace of its own, the data plane loaded
 * on maps of its own, interfaces, paths, next hops, and sessions installed by the agent's own code.
 */
#ifndef FL_TEST_BPF_WORLD_H
#define FL_TEST_BPF_WORLD_H

#include "agent/dp/dp.h"
#include "agent/session/flows.h"
#include "agent/session/install.h"
#include "agent/session/store.h"
#include "test/bpf/pktgen.h"

/* Interface ids. */
enum {
	W_LAN = 1,
	W_LAN_VLAN, /* 100 on the same device */
	W_LAN_QINQ, /* 200, 300 */
	W_WAN,
	W_WAN2,
	W_INET, /* no tenant, no waypoint: towards the Internet */
	W_TUN,  /* without link header */
};

/* Paths, all to peer 1, and the vectors that use them. */
enum {
	W_PATH4 = 1,
	W_PATH4B, /* other WAN device */
	W_PATH6,
	W_PATH4_VLAN, /* peer 2, leaves tagged */
};

/* Next hops. */
enum {
	W_NH_CLIENT = 1,
	W_NH_SERVER,
	W_NH_VLAN,
	W_NH_GATEWAY,
	W_NH_TUN,
	W_NH_DOWN,
};

/* MAC addresses: ours on each device, and the neighbours'. */
#define MAC_LAN     "02:00:00:00:01:01"
#define MAC_WAN     "02:00:00:00:02:01"
#define MAC_WAN2    "02:00:00:00:03:01"
#define MAC_CLIENT  "02:00:00:00:01:aa"
#define MAC_SERVER  "02:00:00:00:01:bb"
#define MAC_GATEWAY "02:00:00:00:02:ff"
#define MAC_OTHER   "02:00:00:00:99:99"

#define WP_LOCAL   "198.51.100.10"
#define WP_REMOTE  "203.0.113.20"
#define WP_LOCAL2  "192.0.2.10"
#define WP_LOCAL6  "2001:db8:f::10"
#define WP_REMOTE6 "2001:db8:f::20"
#define WP_REMOTE3 "203.0.113.30" /* peer 2 */

struct world {
	struct fl_dp *dp;
	struct fl_tables *t;
	struct fl_flows *flows;
	struct fl_store *store;
	uint32_t lan_ifindex;
	uint32_t wan_ifindex;
	uint32_t wan2_ifindex;
	uint32_t tun_ifindex;
	char pin_dir[64];
};

/* A session to install: sides by kind and id, addresses as text. */
struct world_session {
	const char *src;
	const char *dst;
	uint16_t sport;
	uint16_t dport;
	uint8_t proto;
	const char *nat_src; /* NULL: as src */
	const char *nat_dst;
	uint16_t nat_sport; /* 0: as sport */
	struct fl_side in;
	struct fl_side out;
	enum fl_flow_state state[2];
	enum fl_tcp_enforcement enforcement;
	enum fl_tcp_state tcp; /* of both flows, if not NONE */
	uint8_t dup;           /* FL_SESSION_DUP_* */
};

int world_open(struct world *w);
void world_close(struct world *w);

/* Forget all sessions, empty the counters and the punt rings. */
void world_reset(struct world *w);

/* Install; aborts if it does not go in. Returns the session's id. */
uint32_t world_session(struct world *w, const struct world_session *spec);

/* Set peer @peer's bucket of the kind @purpose: 0 for session set-up, else FL_BUCKET_*. */
void world_peer_bucket(struct world *w, uint32_t peer, uint32_t purpose, uint64_t millitokens);

#endif
