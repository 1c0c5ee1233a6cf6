/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fabric: interfaces, neighbours, peers, paths and vectors of this router, kept in step with
 * the configuration and with the kernel, and written into the tables that the data plane forwards
 * by. It makes no system call itself: fl_fabric_ops does. Loop thread only.
 *
 * Everything here has a small number that stays the same over reloads and restarts, because flows
 * name it.
 */
#ifndef FL_AGENT_PATH_FABRIC_H
#define FL_AGENT_PATH_FABRIC_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/monotime.h"
#include "agent/base/netinfo.h"
#include "agent/base/tables.h"
#include "agent/config/config.h"
#include "agent/path/device_load.h"
#include "agent/path/quality.h"
#include "agent/path/rings.h"

struct fl_path_rt;

struct fl_fabric_ops {
	/* Where would the kernel send this? Return: 0 or -errno. */
	int (*route)(void *ctx, const struct fl_addr *dst, uint32_t ifindex,
		     struct fl_route *ret_route);
	/* Find a neighbour and keep it found; the answer comes as fl_fabric_neigh(). */
	int (*resolve)(void *ctx, uint32_t ifindex, const struct fl_addr *addr);
	/*
	 * Run the data plane on a device; @host: on what this host itself sends, too. Return: enum
	 * fl_iface_mode, or -errno; @why explains.
	 */
	int (*attach)(void *ctx, const struct fl_link *link,
		      const struct fl_cfg_device_interface *device, bool host,
		      char why[FL_WHY_TEXT]);
	void (*detach)(void *ctx, uint32_t ifindex);
	/* Bytes that a device has received and sent. Return: 0 or -errno. May be NULL. */
	int (*link_bytes)(void *ctx, uint32_t ifindex, uint64_t *ret_rx, uint64_t *ret_tx);
	/* A next hop can be used now, which it could not before. */
	void (*hop_up)(void *ctx, uint16_t hop);
	/*
	 * A path is there, or has changed: watch it. @entry is what the data plane will get; its
	 * state is that of the link. @quality is to be brought up to date. NULL: nobody watches.
	 */
	void (*watch)(void *ctx, const struct fl_path_rt *path, const struct fl_path *entry,
		      struct fl_path_quality *quality);
	/* It is none any more: what is known of it is forgotten. May be NULL. */
	void (*unwatch)(void *ctx, uint16_t path);
	/* A path can be used, or no longer: sessions may have to move. May be NULL. */
	void (*path_usable)(void *ctx, uint16_t path, bool usable);
};

/* A network interface. */
struct fl_netif {
	uint16_t id;                                /* 0: unused */
	const struct fl_cfg_network_interface *cfg; /* NULL: no longer configured */
	const struct fl_cfg_device_interface *device;
	char name[FL_LABEL_LEN];
	struct fl_link link; /* ifindex 0: the device is not there */
	bool attached;
	enum fl_iface_mode mode;
	char why[FL_WHY_TEXT];      /* about mode or failure, for people */
	struct fl_keyring *rx_ring; /* of what is received here; borrowed */
	struct fl_device_load load; /* of the device, where the configuration asks for it */
};

struct fl_peer {
	uint16_t id; /* 0: unused */
	bool configured;
	char name[FL_NAME_LEN];
	uint32_t max_way_points;
	const struct fl_cfg_port_range *port_range; /* NULL: parity rule */
};

struct fl_path_rt {
	uint16_t id;                        /* 0: unused */
	const struct fl_cfg_adjacency *cfg; /* NULL: no longer configured */
	uint16_t peer;
	uint16_t iface;
	struct fl_addr local;
	char pathway[FL_ADDR_TEXT]; /* the same as text: what metadata calls the path (TLV 19) */
	struct fl_addr remote;
	struct fl_addr hop_addr;    /* next hop toward the remote waypoint; family 0: no route */
	struct fl_keyring *tx_ring; /* borrowed */
	struct fl_addr configured;  /* the remote waypoint as the configuration has it */
	struct fl_mono since;       /* of its being usable, or not */
	const char *why;            /* why it is not usable: NULL, link, or BFD */
	const char *link_why;       /* why its link does not work; NULL: it does */
	bool usable;
	bool judged; /* usable has been said once */
	bool was_up; /* in the table that this process found */
	struct fl_path_quality quality;
};

struct fl_fabric;

int fl_fabric_new(struct fl_tables *tables, const struct fl_fabric_ops *ops, void *ctx,
		  struct fl_fabric **ret_fabric);

/* The tables stay as they are: forwarding goes on. */
void fl_fabric_free(struct fl_fabric *fabric);

/**
 * fl_fabric_prepare() - whatever can fail of fl_fabric_apply()
 * @why: on failure, what and where
 *
 * Nothing changes yet. Return: 0; -ENOSPC if a table is too small; -EINVAL for key material that
 * cannot be used; -ENOMEM.
 */
int fl_fabric_prepare(struct fl_fabric *fabric, const struct fl_config *config,
		      char why[FL_WHY_TEXT]);

/**
 * fl_fabric_apply() - become what a configuration says
 * @config: the one that was prepared last; must outlive the next call, the one of the last call may
 *          be freed afterwards
 *
 * What did not change is not touched.
 */
void fl_fabric_apply(struct fl_fabric *fabric, const struct fl_config *config);

/* No session names what is not of the configuration: its interfaces' numbers are free again. */
void fl_fabric_forget_gone(struct fl_fabric *fabric);

/* --- news from the kernel --------------------------------------------------------------------- */
/*
 * Return: may routes lead elsewhere now? The kernel says nothing of routes that it takes away with
 * a device.
 */
bool fl_fabric_link(struct fl_fabric *fabric, const struct fl_link *link);
/* @broadcast: of the network that comes with it, family 0 without one; for the kernel, as it is. */
void fl_fabric_addr(struct fl_fabric *fabric, uint32_t ifindex, const struct fl_addr *addr,
		    const struct fl_addr *broadcast, bool present);
void fl_fabric_neigh(struct fl_fabric *fabric, const struct fl_neigh *neigh);

/* All addresses have been told of: what an earlier process took for one is forgotten. */
void fl_fabric_addrs_known(struct fl_fabric *fabric);

/* Neighbours whose MAC is known, in any order; @fn may not change the fabric. */
typedef void (*fl_neigh_fn)(void *ctx, const struct fl_neigh *neigh);
void fl_fabric_each_neigh(const struct fl_fabric *fabric, fl_neigh_fn fn, void *ctx);

/* Routes changed: paths look for their next hop again, remembered routes are forgotten. */
void fl_fabric_routes_changed(struct fl_fabric *fabric);

/* --- news from those who watch paths ---------------------------------------------------------- */

/* Whoever is to move sessions hears of it when a path becomes usable, or no longer is. */
void fl_fabric_set_quality(struct fl_fabric *fabric, uint16_t id,
			   const struct fl_path_quality *quality);

/* The peer is reached at another address than before, behind a NAT that has changed (P-38). */
void fl_fabric_path_moved(struct fl_fabric *fabric, uint16_t id, const struct fl_addr *remote);

/* Once in a while, a second at most: what only time changes, such as the key in use, and how busy
 * devices are. */
void fl_fabric_tick(struct fl_fabric *fabric);

/* --- questions -------------------------------------------------------------------------------- */
const struct fl_netif *fl_fabric_netif(const struct fl_fabric *fabric, uint16_t id);
/* Does every packet that has a payload end with its HMAC under this policy (index, or FL_CFG_NONE)?
 */
bool fl_policy_seals(const struct fl_config *config, int policy);

/* Does what peers send into sessions by this interface end with its HMAC, metadata or not? */
bool fl_fabric_is_sealed(const struct fl_fabric *fabric, uint16_t iface);

const struct fl_netif *fl_fabric_netif_named(const struct fl_fabric *fabric, const char *name);
const struct fl_netif *fl_fabric_netif_by_ifindex(const struct fl_fabric *fabric, uint32_t ifindex);
const struct fl_peer *fl_fabric_peer(const struct fl_fabric *fabric, uint16_t id);
const struct fl_peer *fl_fabric_peer_named(const struct fl_fabric *fabric, const char *name);
const struct fl_path_rt *fl_fabric_path(const struct fl_fabric *fabric, uint16_t id);

/* What BFD and link tests say of a path; NULL for one that is not configured. */
const struct fl_path_quality *fl_fabric_path_quality(const struct fl_fabric *fabric, uint16_t id);

/*
 * How a path is measured on user packets; name may be NULL. Return: false if it is not.
 */
bool fl_fabric_path_profile(const struct fl_fabric *fabric, const struct fl_path_rt *path,
			    struct fl_cfg_performance_profile *ret_profile);

/* Highest id of a configured path: where a walk over all of them may end. */
uint16_t fl_fabric_path_limit(const struct fl_fabric *fabric);
bool fl_fabric_is_local(const struct fl_fabric *fabric, const struct fl_addr *addr);

/* An address of our own on a device, of this family; family 0 if there is none. */
struct fl_addr fl_fabric_own_addr(const struct fl_fabric *fabric, uint32_t ifindex, uint8_t family);

/* Where a packet for @dst leaves toward a LAN, the Internet, or this host. */
struct fl_exit {
	bool host; /* one of our own addresses */
	uint16_t iface;
	uint16_t hop;
};

/**
 * fl_fabric_exit() - by the kernel's routes
 * @via:     gateway to use instead of a route, family 0 = none
 * @iface:   only by this interface, 0 = any
 * @hint_mac: MAC that the neighbour is known to have (from a packet of its), or NULL
 *
 * Remembered until routes change. The next hop may still be unresolved: its entry says.
 *
 * Return: 0; -ENETUNREACH without a route or by a device that is not ours; -ENOSPC when there are
 * too many neighbours.
 */
int fl_fabric_exit(struct fl_fabric *fabric, const struct fl_addr *dst, const struct fl_addr *via,
		   uint16_t iface, const uint8_t *hint_mac, struct fl_exit *ret_exit);

/* Number of route changes so far: exits found under an older one may be out of date. */
uint32_t fl_fabric_route_generation(const struct fl_fabric *fabric);

/* Sessions hold the next hops that their flows name. */
void fl_fabric_hop_get(struct fl_fabric *fabric, uint16_t hop);
void fl_fabric_hop_put(struct fl_fabric *fabric, uint16_t hop);

/* --- vectors (vector.c) ----------------------------------------------------------------------- */

/* Whose sessions move together. */
struct fl_vector_key {
	uint16_t peer;
	uint16_t policy; /* name id of the service policy, 0: none, or the peer opened them */
	uint16_t group;  /* as fl_vector.group */
};

/**
 * fl_fabric_vector() - the vector for a session that is to take a path
 *
 * One whose home the path is, and which is there. Those that no session names are used again.
 * Return: id, or 0 if there are too many.
 */
uint16_t fl_fabric_vector(struct fl_fabric *fabric, const struct fl_vector_key *key, uint16_t path);

/* The one vector of a peer's group, on whatever path; 0 without one. */
uint16_t fl_fabric_vector_of_group(const struct fl_fabric *fabric, const struct fl_vector_key *key);

/* Sessions hold the vectors that they name; 0 is allowed. */
void fl_fabric_vector_get(struct fl_fabric *fabric, uint16_t vector);
void fl_fabric_vector_put(struct fl_fabric *fabric, uint16_t vector);
uint32_t fl_fabric_vector_refs(const struct fl_fabric *fabric, uint16_t vector);

/**
 * fl_fabric_vector_move() - all sessions of a vector to another path, with one write
 * @now: jiffies; the path that was in use is accepted from for FL_VECTOR_KEEP_S more (P-16)
 */
void fl_fabric_vector_move(struct fl_fabric *fabric, uint16_t vector, uint16_t path, uint32_t now);

/* How often a vector has moved: a serial number (RFC 1982) that restarts do not set back. */
uint32_t fl_fabric_vector_seq(struct fl_fabric *fabric, uint16_t vector);
void fl_fabric_vector_renumber(struct fl_fabric *fabric, uint16_t vector);

/* Packets of its sessions may come by @path, too, for FL_VECTOR_KEEP_S from @now (jiffies) on. */
void fl_fabric_vector_accept(struct fl_fabric *fabric, uint16_t vector, uint16_t path,
			     uint32_t now);

/* The path in use; of a vector that has lost its path, and waits for another one, that path. */
uint16_t fl_fabric_vector_last(const struct fl_fabric *fabric, uint16_t vector);

/* May they, at @now? */
bool fl_fabric_vector_expects(const struct fl_fabric *fabric, uint16_t vector, uint16_t path,
			      uint32_t now);

#define FL_VECTOR_KEEP_S 5 /* P-16 */

/*
 * Cost of a path for a policy's sessions, as fl_sla_vector_cost(): lower is better, 0 without
 * vectors, FL_SLA_NEVER if the policy forbids it.
 */
uint32_t fl_fabric_path_cost(const struct fl_path_rt *path,
			     const struct fl_cfg_service_policy *policy);

#endif
