/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the fabric share. */
#ifndef FL_AGENT_PATH_FABRIC_INTERNAL_H
#define FL_AGENT_PATH_FABRIC_INTERNAL_H

#include "agent/base/hash.h"
#include "agent/path/fabric.h"

/* Neighbour of the kernel's, by device and address. */
struct fl_neigh_key {
	uint8_t addr[16];
	uint32_t ifindex;
	uint32_t family;
};

struct fl_neigh_entry {
	struct fl_neigh_key key;
	uint8_t mac[6];
	UT_hash_handle hh;
};

/* A next hop in fl_nexthops, by interface and address. */
struct fl_hop_key {
	uint8_t addr[16];
	uint16_t iface;
	uint16_t family;
};

struct fl_hop {
	struct fl_hop_key key;
	uint16_t id;
	bool hinted;  /* its MAC is from a packet, not from the kernel */
	bool adopted; /* or what an earlier process knew, until the kernel has looked */
	uint32_t refs;
	UT_hash_handle hh;
};

struct fl_link_entry {
	uint32_t ifindex;
	struct fl_link link;
	UT_hash_handle hh;
};

struct fl_own_addr {
	struct fl_neigh_key key;
	struct fl_addr broadcast; /* of its network; family 0 without one */
	UT_hash_handle hh;
};

/* A route that was asked for. */
struct fl_exit_key {
	uint8_t addr[16];
	uint16_t family;
	uint16_t iface;
};

struct fl_exit_entry {
	struct fl_exit_key key;
	struct fl_exit exit;
	UT_hash_handle hh;
};

#define FL_MAX_REMEMBERED_EXITS 65536

struct fl_fabric {
	struct fl_tables *tables;
	const struct fl_fabric_ops *ops;
	void *ctx;
	const struct fl_config *config;
	struct fl_rings *rings;                /* of the configuration */
	struct fl_rings *next_rings;           /* of the one that was prepared */
	struct fl_netif netifs[FL_MAX_IFACES]; /* by id */
	struct fl_peer peers[FL_MAX_PEERS];    /* by id */
	struct fl_path_rt paths[FL_MAX_PATHS]; /* by id */
	struct fl_mono retired[FL_MAX_PATHS];  /* until when a path that was taken away is kept */
	uint16_t path_limit;                   /* highest id of a configured one */
	struct fl_link_entry *links;           /* every device there is */
	struct fl_neigh_entry *neighs;
	struct fl_own_addr *own_addrs;
	struct fl_hop *hops;
	struct fl_hop *hop_by_id[FL_MAX_NEXTHOPS];
	uint16_t hop_hint;              /* where to look for a free id */
	struct fl_mono hops_full_until; /* there is none before */
	struct fl_exit_entry *exits;
	uint32_t vector_refs[FL_MAX_VECTORS]; /* sessions that name it */
	uint32_t vector_seq[FL_MAX_VECTORS];  /* 0: not known yet */
	uint32_t route_generation;
	struct fl_mono weighed;  /* when it was last looked how busy devices are */
	struct fl_mono watch_at; /* when fl_path_watch_tick() has something to do */
	bool any_xdp;
	bool adopting; /* sessions of an earlier process have not been counted yet */
	bool applying; /* interfaces are of the new configuration, paths still of the old one */
};

/* netif.c */
int fl_netifs_plan(struct fl_fabric *f, const struct fl_config *config, char why[FL_WHY_TEXT]);
/* Devices that an earlier process ran on, and that are not of this configuration by now. */
void fl_netifs_leave(struct fl_fabric *f, const struct fl_config *config);
void fl_netifs_apply(struct fl_fabric *f, const struct fl_config *config);
void fl_netifs_weigh(struct fl_fabric *f);
void fl_netif_publish(struct fl_fabric *f, struct fl_netif *netif);
uint8_t fl_netif_tx_flags(const struct fl_fabric *f, const struct fl_netif *netif);

/* hop.c */
int fl_hops_adopt(struct fl_fabric *f);
void fl_hops_free(struct fl_fabric *f);
void fl_hop_refresh(struct fl_fabric *f, struct fl_hop *hop);
void fl_hops_refresh_iface(struct fl_fabric *f, uint16_t iface);
const struct fl_neigh_entry *fl_neigh_find(const struct fl_fabric *f, uint32_t ifindex,
					   const struct fl_addr *addr);

/* path_watch.c */
/* Keys of a path and how it is measured, into the tables. Return: is it to be measured? */
bool fl_path_watch_publish(struct fl_fabric *f, const struct fl_path_rt *path);
void fl_path_watch_clear(struct fl_fabric *f, uint16_t id);

/* What only time changes: keys, and how far the wall clock is from the monotonic one. */
void fl_path_watch_tick(struct fl_fabric *f);

/* peer.c */
int fl_peers_plan(struct fl_fabric *f, const struct fl_config *config, char why[FL_WHY_TEXT]);
void fl_peers_apply(struct fl_fabric *f, const struct fl_config *config);
void fl_path_refresh(struct fl_fabric *f, struct fl_path_rt *path);
void fl_paths_refresh_iface(struct fl_fabric *f, uint16_t iface);
void fl_path_lookup_clear(struct fl_fabric *f, const struct fl_path_rt *path);

/* liveness.c: is a path usable, after a change of its link or its quality? */
void fl_path_judge(struct fl_fabric *f, struct fl_path_rt *path);

/*
 * vector.c: a path is no longer one. Vectors that sessions name wait for another path. Return: may
 * peers still send by the old one?
 */
bool fl_vectors_lose_path(struct fl_fabric *f, uint16_t path);

/* Its number may soon be another's. */
void fl_vectors_forget_path(struct fl_fabric *f, uint16_t path);

#endif
