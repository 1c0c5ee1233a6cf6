// SPDX-License-Identifier: Apache-2.0
/*
 * rtnetlink: see rtnl.h. Two sockets: one for events, one for requests with an answer, so that an
 * answer is never waited for behind a stream of events.
 */
#include "agent/net/rtnl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/log.h"

/* linux/neighbour.h of kernel 6.1; the headers of Debian 12 have it, older ones do not. */
#ifndef NTF_EXT_MANAGED
#define NTF_EXT_MANAGED (1 << 0)
#endif

#define RECV_BYTES    65536
#define REQUEST_BYTES 256
#define ANSWER_MS     500
#define EVENT_BUFFER  (8 << 20)

struct fl_rtnl {
	const struct fl_rtnl_events *events;
	void *ctx;
	struct mnl_socket *monitor;
	struct mnl_socket *request;
	uint32_t seq;
	uint8_t buf[RECV_BYTES];
};

static uint8_t family_of(int af)
{
	return af == AF_INET ? 4 : af == AF_INET6 ? 6 : 0;
}

static int af_of(uint8_t family)
{
	return family == 6 ? AF_INET6 : AF_INET;
}

/* --- messages to events ----------------------------------------------------------------------- */

static int link_info_attr(const struct nlattr *attr, void *data)
{
	struct fl_link *link = data;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
		snprintf(link->kind, sizeof(link->kind), "%s", mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

static int link_attr(const struct nlattr *attr, void *data)
{
	struct fl_link *link = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		snprintf(link->name, sizeof(link->name), "%s", mnl_attr_get_str(attr));
		break;
	case IFLA_MTU:
		link->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == sizeof(link->mac))
			memcpy(link->mac, mnl_attr_get_payload(attr), sizeof(link->mac));
		break;
	case IFLA_LINKINFO:
		mnl_attr_parse_nested(attr, link_info_attr, link);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static void on_link(struct fl_rtnl *rtnl, const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct fl_link link = { .ifindex = (uint32_t)ifi->ifi_index };

	/* Bridge ports report themselves once more in their own family. */
	if (ifi->ifi_family != AF_UNSPEC)
		return;
	link.up = (ifi->ifi_flags & IFF_UP) && (ifi->ifi_flags & IFF_RUNNING);
	link.l3 = ifi->ifi_type != ARPHRD_ETHER && ifi->ifi_type != ARPHRD_LOOPBACK;
	link.removed = nlh->nlmsg_type == RTM_DELLINK;
	mnl_attr_parse(nlh, sizeof(*ifi), link_attr, &link);
	rtnl->events->link(rtnl->ctx, &link);
}

struct addr_attrs {
	int af;
	struct fl_addr local;
	struct fl_addr address;
};

static int addr_attr(const struct nlattr *attr, void *data)
{
	struct addr_attrs *attrs = data;
	uint8_t family = family_of(attrs->af);
	uint16_t type = mnl_attr_get_type(attr);

	if ((type != IFA_LOCAL && type != IFA_ADDRESS) ||
	    mnl_attr_get_payload_len(attr) != fl_addr_size(family))
		return MNL_CB_OK;
	*(type == IFA_LOCAL ? &attrs->local : &attrs->address) =
		fl_addr_from(family, mnl_attr_get_payload(attr));
	return MNL_CB_OK;
}

static void on_addr(struct fl_rtnl *rtnl, const struct nlmsghdr *nlh)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct addr_attrs attrs = { .af = ifa->ifa_family };
	const struct fl_addr *own;

	if (!family_of(ifa->ifa_family))
		return;
	mnl_attr_parse(nlh, sizeof(*ifa), addr_attr, &attrs);
	/* On point-to-point links ADDRESS is the other end's. */
	own = attrs.local.family ? &attrs.local : &attrs.address;
	if (own->family)
		rtnl->events->addr(rtnl->ctx, ifa->ifa_index, own, nlh->nlmsg_type == RTM_NEWADDR);
}

static int neigh_attr(const struct nlattr *attr, void *data)
{
	struct fl_neigh *neigh = data;
	uint8_t family = neigh->addr.family;

	switch (mnl_attr_get_type(attr)) {
	case NDA_DST:
		if (mnl_attr_get_payload_len(attr) == fl_addr_size(family))
			neigh->addr = fl_addr_from(family, mnl_attr_get_payload(attr));
		break;
	case NDA_LLADDR:
		if (mnl_attr_get_payload_len(attr) == sizeof(neigh->mac))
			memcpy(neigh->mac, mnl_attr_get_payload(attr), sizeof(neigh->mac));
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static void on_neigh(struct fl_rtnl *rtnl, const struct nlmsghdr *nlh)
{
	const uint16_t usable = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT;
	static const uint8_t zero[6];
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	struct fl_neigh neigh = { .ifindex = (uint32_t)ndm->ndm_ifindex };

	neigh.addr.family = family_of(ndm->ndm_family);
	if (!neigh.addr.family)
		return;
	mnl_attr_parse(nlh, sizeof(*ndm), neigh_attr, &neigh);
	neigh.valid = nlh->nlmsg_type == RTM_NEWNEIGH && (ndm->ndm_state & usable) &&
		      memcmp(neigh.mac, zero, sizeof(zero));
	neigh.failed = nlh->nlmsg_type == RTM_DELNEIGH || ndm->ndm_state & NUD_FAILED;
	rtnl->events->neigh(rtnl->ctx, &neigh);
}

static int on_message(const struct nlmsghdr *nlh, void *data)
{
	struct fl_rtnl *rtnl = data;

	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		on_link(rtnl, nlh);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		on_addr(rtnl, nlh);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		on_neigh(rtnl, nlh);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
	case RTM_NEWRULE:
	case RTM_DELRULE:
		rtnl->events->route(rtnl->ctx);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

/* --- sockets ---------------------------------------------------------------------------------- */

static int open_socket(struct mnl_socket **ret_socket, unsigned int groups)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int on = 1;

	if (!socket)
		return -errno;
	/* Only what is asked for by hand: other processes' requests are not ours. */
	mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &on, sizeof(on));
	if (mnl_socket_bind(socket, groups, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(socket);
		return -errno;
	}
	*ret_socket = socket;
	return 0;
}

int fl_rtnl_new(const struct fl_rtnl_events *events, void *ctx, struct fl_rtnl **ret_rtnl)
{
	const unsigned int groups = RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_IFADDR |
				    RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE |
				    RTMGRP_IPV4_RULE | (1u << (RTNLGRP_IPV6_RULE - 1));
	const struct timeval answer = { .tv_usec = ANSWER_MS * 1000 };
	struct fl_rtnl *rtnl = calloc(1, sizeof(*rtnl));
	int err, size = EVENT_BUFFER;

	if (!rtnl)
		return -ENOMEM;
	rtnl->events = events;
	rtnl->ctx = ctx;
	err = open_socket(&rtnl->monitor, groups);
	if (err >= 0)
		err = open_socket(&rtnl->request, 0);
	if (err < 0) {
		fl_rtnl_free(rtnl);
		return err;
	}
	setsockopt(mnl_socket_get_fd(rtnl->monitor), SOL_SOCKET, SO_RCVBUFFORCE, &size,
		   sizeof(size));
	setsockopt(mnl_socket_get_fd(rtnl->request), SOL_SOCKET, SO_RCVTIMEO, &answer,
		   sizeof(answer));
	*ret_rtnl = rtnl;
	return 0;
}

void fl_rtnl_free(struct fl_rtnl *rtnl)
{
	if (!rtnl)
		return;
	if (rtnl->monitor)
		mnl_socket_close(rtnl->monitor);
	if (rtnl->request)
		mnl_socket_close(rtnl->request);
	free(rtnl);
}

int fl_rtnl_fd(const struct fl_rtnl *rtnl)
{
	return mnl_socket_get_fd(rtnl->monitor);
}

/* Send a request and feed all answers to @cb. Return: 0 or the kernel's -errno. */
static int transact(struct fl_rtnl *rtnl, struct nlmsghdr *nlh, mnl_cb_t cb, void *data)
{
	unsigned int port = mnl_socket_get_portid(rtnl->request);
	ssize_t len;
	int ret;

	nlh->nlmsg_seq = ++rtnl->seq;
	if (mnl_socket_sendto(rtnl->request, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		len = mnl_socket_recvfrom(rtnl->request, rtnl->buf, sizeof(rtnl->buf));
		if (len < 0)
			return -errno;
		ret = mnl_cb_run(rtnl->buf, (size_t)len, rtnl->seq, port, cb, data);
		if (ret < 0) {
			/* An answer to an earlier request that we stopped waiting for. */
			if (errno == EPROTO || errno == ESRCH)
				continue;
			return -errno;
		}
	} while (ret > 0 || (ret < 0 && (errno == EPROTO || errno == ESRCH)));
	return 0;
}

static int dump(struct fl_rtnl *rtnl, uint16_t type)
{
	uint8_t request[REQUEST_BYTES];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	if (type == RTM_GETLINK)
		mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	else if (type == RTM_GETADDR)
		mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifaddrmsg));
	else
		mnl_nlmsg_put_extra_header(nlh, sizeof(struct ndmsg));
	return transact(rtnl, nlh, on_message, rtnl);
}

int fl_rtnl_start(struct fl_rtnl *rtnl)
{
	static const uint16_t types[] = { RTM_GETLINK, RTM_GETADDR, RTM_GETNEIGH };
	int err = 0;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]) && !err; i++)
		err = dump(rtnl, types[i]);
	return err;
}

int fl_rtnl_dispatch(struct fl_rtnl *rtnl)
{
	int fd = mnl_socket_get_fd(rtnl->monitor);
	ssize_t len;

	/* A bounded number of reads: the loop has other work too. */
	for (int i = 0; i < 64; i++) {
		len = recv(fd, rtnl->buf, sizeof(rtnl->buf), MSG_DONTWAIT);
		if (len < 0 && errno == ENOBUFS) {
			fl_warning("netlink events were lost, reading everything anew");
			rtnl->events->resync(rtnl->ctx);
			return fl_rtnl_start(rtnl);
		}
		if (len < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		mnl_cb_run(rtnl->buf, (size_t)len, 0, 0, on_message, rtnl);
	}
	return 0;
}

/* --- requests --------------------------------------------------------------------------------- */

static int route_attr(const struct nlattr *attr, void *data)
{
	struct fl_route *route = data;
	const struct rtvia *via;
	size_t len = mnl_attr_get_payload_len(attr);

	switch (mnl_attr_get_type(attr)) {
	case RTA_OIF:
		route->ifindex = mnl_attr_get_u32(attr);
		break;
	case RTA_GATEWAY:
		route->gateway = fl_addr_from(len == 16 ? 6 : 4, mnl_attr_get_payload(attr));
		break;
	case RTA_VIA: /* IPv4 by an IPv6 gateway (RFC 5549) */
		via = mnl_attr_get_payload(attr);
		if (len == sizeof(*via) + 16 && via->rtvia_family == AF_INET6)
			route->gateway = fl_addr_from(6, via->rtvia_addr);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int on_route(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct fl_route *route = data;

	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	if (rtm->rtm_type == RTN_UNICAST)
		route->type = FL_ROUTE_UNICAST;
	else if (rtm->rtm_type == RTN_LOCAL)
		route->type = FL_ROUTE_LOCAL;
	mnl_attr_parse(nlh, sizeof(*rtm), route_attr, route);
	return MNL_CB_OK;
}

int fl_rtnl_route(struct fl_rtnl *rtnl, const struct fl_addr *dst, uint32_t ifindex,
		  struct fl_route *ret_route)
{
	uint8_t request[REQUEST_BYTES];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);
	struct fl_route route = { .type = FL_ROUTE_NONE };
	struct rtmsg *rtm;
	int err;

	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = (unsigned char)af_of(dst->family);
	rtm->rtm_dst_len = (unsigned char)(fl_addr_size(dst->family) * 8);
	mnl_attr_put(nlh, RTA_DST, fl_addr_size(dst->family), dst->b);
	if (ifindex)
		mnl_attr_put_u32(nlh, RTA_OIF, ifindex);
	err = transact(rtnl, nlh, on_route, &route);
	if (err == -ENETUNREACH || err == -EHOSTUNREACH || err == -EACCES || err == -EINVAL)
		err = 0; /* no route, or one that forbids */
	if (!err)
		*ret_route = route;
	return err;
}

static int ignore(const struct nlmsghdr *nlh, void *data)
{
	(void)nlh;
	(void)data;
	return MNL_CB_OK;
}

int fl_rtnl_resolve(struct fl_rtnl *rtnl, uint32_t ifindex, const struct fl_addr *addr)
{
	uint8_t request[REQUEST_BYTES];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);
	struct ndmsg *ndm;

	nlh->nlmsg_type = RTM_NEWNEIGH;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK;
	ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));
	ndm->ndm_family = (unsigned char)af_of(addr->family);
	ndm->ndm_ifindex = (int)ifindex;
	/*
	 * "Use" sends the first request now; "managed" has the kernel probe again before the entry
	 * gets stale, which nobody else would, since our packets do not pass its stack.
	 */
	ndm->ndm_flags = NTF_USE;
	mnl_attr_put(nlh, NDA_DST, fl_addr_size(addr->family), addr->b);
	mnl_attr_put_u32(nlh, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
	return transact(rtnl, nlh, ignore, NULL);
}

static int stats_attr(const struct nlattr *attr, void *data)
{
	struct rtnl_link_stats64 *stats = data;
	size_t len = mnl_attr_get_payload_len(attr);

	if (mnl_attr_get_type(attr) == IFLA_STATS64)
		memcpy(stats, mnl_attr_get_payload(attr),
		       len < sizeof(*stats) ? len : sizeof(*stats));
	return MNL_CB_OK;
}

static int on_stats(const struct nlmsghdr *nlh, void *data)
{
	mnl_attr_parse(nlh, sizeof(struct ifinfomsg), stats_attr, data);
	return MNL_CB_OK;
}

int fl_rtnl_link_bytes(struct fl_rtnl *rtnl, uint32_t ifindex, uint64_t *ret_rx, uint64_t *ret_tx)
{
	uint8_t request[REQUEST_BYTES];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);
	struct rtnl_link_stats64 stats = { 0 };
	struct ifinfomsg *ifi;
	int err;

	nlh->nlmsg_type = RTM_GETLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = (int)ifindex;
	err = transact(rtnl, nlh, on_stats, &stats);
	if (err)
		return err;
	*ret_rx = stats.rx_bytes;
	*ret_tx = stats.tx_bytes;
	return 0;
}

int fl_link_driver(const char *ifname, char driver[32])
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq ifr = { .ifr_data = (void *)&info };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	driver[0] = 0;
	if (fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	if (ioctl(fd, SIOCETHTOOL, &ifr) < 0)
		err = -errno;
	else
		snprintf(driver, 32, "%s", info.driver);
	close(fd);
	return err;
}
