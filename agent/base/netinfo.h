/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel knows of the network, as plain data: filled by agent/net/, used by agent/path/.
 */
#ifndef FL_AGENT_BASE_NETINFO_H
#define FL_AGENT_BASE_NETINFO_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/addr.h"

struct fl_link {
	uint32_t ifindex;
	char name[16];
	char kind[16]; /* "veth", "tun", ...; "" for a device of its own driver */
	uint8_t mac[6];
	uint32_t mtu;
	bool up; /* administratively up, with carrier */
	bool l3; /* no Ethernet header */
	bool removed;
};

struct fl_neigh {
	uint32_t ifindex;
	struct fl_addr addr;
	uint8_t mac[6];
	bool valid;  /* the MAC may be used */
	bool failed; /* it does not answer, or is gone */
};

enum fl_route_type {
	FL_ROUTE_NONE = 0, /* unreachable, prohibited, blackhole, or no route at all */
	FL_ROUTE_UNICAST,
	FL_ROUTE_LOCAL, /* one of our own addresses */
};

struct fl_route {
	enum fl_route_type type;
	uint32_t ifindex;
	struct fl_addr gateway; /* family 0: on-link */
};

/* Where a packet goes; link-layer fields are ignored for devices without link header. */
struct fl_tx_to {
	uint32_t ifindex;
	uint8_t dmac[6];
	uint8_t smac[6];
	uint16_t vlan; /* tags, 0 = none */
	uint16_t ivlan;
	uint8_t family; /* 4 or 6 */
	bool l3;        /* device has no link header */
};

/* Largest IP packet that the agent sends in one piece: a jumbo frame. */
#define FL_TX_MAX_PACKET 9216

#endif
