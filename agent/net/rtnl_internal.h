/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of rtnetlink alone: see rtnl.h. */
#ifndef FL_AGENT_NET_RTNL_INTERNAL_H
#define FL_AGENT_NET_RTNL_INTERNAL_H

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "agent/base/hash.h"
#include "agent/base/log.h"
#include "agent/net/rtnl.h"

/* The kernel fills 32 KiB at the most with one part of a dump. */
#define FL_RTNL_RECV_BYTES    65536
#define FL_RTNL_REQUEST_BYTES 256

/*
 * A socket with a buffer of its own, so that what is read from one is not overwritten by what its
 * reader asks another: events and dumps have their users ask for routes and neighbours.
 */
struct fl_rtnl_socket {
	struct mnl_socket *mnl;
	uint32_t seq; /* of the last request */
	_Alignas(NLMSG_ALIGNTO) uint8_t buf[FL_RTNL_RECV_BYTES];
};

enum fl_rtnl_kind { FL_RTNL_LINK = 1, FL_RTNL_ADDR, FL_RTNL_NEIGH };

struct fl_rtnl_key {
	uint32_t kind;
	uint32_t ifindex;
	struct fl_addr addr; /* none: a link */
	uint8_t pad[3];
};

/* Something that exists by what we told last. As many as the kernel has, whose limits hold. */
struct fl_rtnl_told {
	struct fl_rtnl_key key;
	uint32_t round; /* of fl_rtnl.round, when it was told last */
	UT_hash_handle hh;
};

struct fl_rtnl {
	const struct fl_rtnl_events *events;
	void *ctx;
	struct fl_rtnl_socket monitor;
	struct fl_rtnl_socket dumps;
	struct fl_rtnl_socket requests;
	struct fl_rtnl_told *told;
	uint32_t round; /* counts dumps */
	bool behind;    /* events were lost, and not everything has been read since */
	struct fl_log_rate lost_rate;
};

/* Tell the users of what a message says. @data: the struct fl_rtnl. For fl_rtnl_transact(). */
int fl_rtnl_tell(const struct nlmsghdr *nlh, void *data);

/**
 * fl_rtnl_transact() - send a request and feed all of its answers to @cb
 * @cb: may use another socket, never this one
 *
 * Return: 0; -EINTR if what was dumped changed meanwhile, so that some may be missing; or the
 * kernel's -errno. The socket is ready for the next request in each case.
 */
int fl_rtnl_transact(struct fl_rtnl_socket *s, struct nlmsghdr *nlh, mnl_cb_t cb, void *data);

/* Remember that something was told to exist, or to be gone. */
void fl_rtnl_note(struct fl_rtnl *rtnl, const struct fl_rtnl_key *key, bool exists);

/* Tell that everything of a kind is gone which was not told of in this round. */
void fl_rtnl_sweep(struct fl_rtnl *rtnl, enum fl_rtnl_kind kind);
void fl_rtnl_forget(struct fl_rtnl *rtnl);

/* Whether the kernel has a neighbour; also true if it does not answer. Tells of it, if so. */
bool fl_rtnl_has_neigh(struct fl_rtnl *rtnl, uint32_t ifindex, const struct fl_addr *addr);

static inline int fl_rtnl_af(uint8_t family)
{
	return family == 6 ? AF_INET6 : AF_INET;
}

#endif
