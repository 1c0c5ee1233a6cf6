/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's view of links, addresses, neighbours and routes, over rtnetlink: a dump at start,
 * then events; and route and neighbour requests. The only user of libmnl.
 */
#ifndef FL_AGENT_NET_RTNL_H
#define FL_AGENT_NET_RTNL_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/netinfo.h"

/*
 * Callbacks run from the functions below that say so; pointers are valid for the call. They may ask
 * for routes, neighbours and counters. What exists may be told of more than once. When the kernel
 * had to drop events, everything is read anew, and what has gone meanwhile is told to be gone.
 */
struct fl_rtnl_events {
	void (*link)(void *ctx, const struct fl_link *link);
	/* @broadcast: the directed broadcast address of its network, family 0 without one. */
	void (*addr)(void *ctx, uint32_t ifindex, const struct fl_addr *addr,
		     const struct fl_addr *broadcast, bool present);
	void (*neigh)(void *ctx, const struct fl_neigh *neigh);
	void (*route)(void *ctx); /* some route or rule has changed */
};

struct fl_rtnl;

/**
 * fl_rtnl_new() - open the sockets
 * @events, @ctx: borrowed for the life of the object
 *
 * Return: 0 or -errno.
 */
int fl_rtnl_new(const struct fl_rtnl_events *events, void *ctx, struct fl_rtnl **ret_rtnl);
void fl_rtnl_free(struct fl_rtnl *rtnl);

/* Tell of everything that exists, by callbacks. Return: 0 or -errno. */
int fl_rtnl_start(struct fl_rtnl *rtnl);

/* Descriptor that becomes readable with events, and what to do then: callbacks. Return: 0 or
 * -errno. */
int fl_rtnl_fd(const struct fl_rtnl *rtnl);
int fl_rtnl_dispatch(struct fl_rtnl *rtnl);

/**
 * fl_rtnl_catch_up() - read everything again, if that is still due
 *
 * Things that change all the time cannot be read at one go; nor can what the kernel does not give.
 * To be called now and then; callbacks run. Return: 0 or -errno.
 */
int fl_rtnl_catch_up(struct fl_rtnl *rtnl);

/* Is it? Then something that exists may not have been told of yet. */
bool fl_rtnl_is_behind(const struct fl_rtnl *rtnl);

/**
 * fl_rtnl_route() - where the kernel would send a packet
 * @ifindex: only by this device, 0 = any
 *
 * Follows all of its rules and tables. Return: 0 (also for FL_ROUTE_NONE), or -errno.
 */
int fl_rtnl_route(struct fl_rtnl *rtnl, const struct fl_addr *dst, uint32_t ifindex,
		  struct fl_route *ret_route);

/**
 * fl_rtnl_resolve() - have the kernel find a neighbour and keep it found
 *
 * The answer comes as an event. Return: 0 or -errno.
 */
int fl_rtnl_resolve(struct fl_rtnl *rtnl, uint32_t ifindex, const struct fl_addr *addr);

/* Bytes that a device has received and sent since it was made. Return: 0 or -errno. */
int fl_rtnl_link_bytes(struct fl_rtnl *rtnl, uint32_t ifindex, uint64_t *ret_rx, uint64_t *ret_tx);

/**
 * fl_link_driver() - name of a device's driver, for people
 *
 * Return: 0 or -errno; then @driver is "".
 */
int fl_link_driver(const char *ifname, char driver[32]);

#endif
