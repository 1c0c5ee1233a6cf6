// SPDX-License-Identifier: Apache-2.0
/* Questions to the kernel that have an answer: routes, neighbours, counters, drivers. */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/net/rtnl_internal.h"

/* linux/neighbour.h of kernel 6.1; the headers of Debian 12 have it, older ones do not. */
#ifndef NTF_EXT_MANAGED
#define NTF_EXT_MANAGED (1 << 0)
#endif

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
	uint8_t request[FL_RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);
	struct fl_route route = { .type = FL_ROUTE_NONE };
	struct rtmsg *rtm;
	int err;

	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = (unsigned char)fl_rtnl_af(dst->family);
	rtm->rtm_dst_len = (unsigned char)(fl_addr_size(dst->family) * 8);
	mnl_attr_put(nlh, RTA_DST, fl_addr_size(dst->family), dst->b);
	if (ifindex)
		mnl_attr_put_u32(nlh, RTA_OIF, ifindex);
	err = fl_rtnl_transact(&rtnl->requests, nlh, on_route, &route);
	if (err == -ENETUNREACH || err == -EHOSTUNREACH || err == -EACCES || err == -EINVAL)
		err = 0; /* no route, or one that forbids */
	if (!err)
		*ret_route = route;
	return err;
}

static void put_neigh(struct nlmsghdr *nlh, uint32_t ifindex, const struct fl_addr *addr,
		      uint8_t flags)
{
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));

	ndm->ndm_family = (unsigned char)fl_rtnl_af(addr->family);
	ndm->ndm_ifindex = (int)ifindex;
	ndm->ndm_flags = flags;
	mnl_attr_put(nlh, NDA_DST, fl_addr_size(addr->family), addr->b);
}

bool fl_rtnl_has_neigh(struct fl_rtnl *rtnl, uint32_t ifindex, const struct fl_addr *addr)
{
	uint8_t request[FL_RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);
	int err;

	nlh->nlmsg_type = RTM_GETNEIGH;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	put_neigh(nlh, ifindex, addr, 0);
	/* It is told of, and its users ask for routes: not by the socket of those requests. */
	err = fl_rtnl_transact(&rtnl->dumps, nlh, fl_rtnl_tell, rtnl);
	return err != -ENOENT && err != -ENODEV;
}

static int ignore(const struct nlmsghdr *nlh, void *data)
{
	(void)nlh;
	(void)data;
	return MNL_CB_OK;
}

int fl_rtnl_resolve(struct fl_rtnl *rtnl, uint32_t ifindex, const struct fl_addr *addr)
{
	uint8_t request[FL_RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);

	nlh->nlmsg_type = RTM_NEWNEIGH;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK;
	/*
	 * "Use" sends the first request now; "managed" has the kernel probe again before the entry
	 * gets stale, which nobody else would, since our packets do not pass its stack.
	 */
	put_neigh(nlh, ifindex, addr, NTF_USE);
	mnl_attr_put_u32(nlh, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
	return fl_rtnl_transact(&rtnl->requests, nlh, ignore, NULL);
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
	uint8_t request[FL_RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);
	struct rtnl_link_stats64 stats = { 0 };
	struct ifinfomsg *ifi;
	int err;

	nlh->nlmsg_type = RTM_GETLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = (int)ifindex;
	err = fl_rtnl_transact(&rtnl->requests, nlh, on_stats, &stats);
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
