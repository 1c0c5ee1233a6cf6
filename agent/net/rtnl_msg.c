// SPDX-License-Identifier: Apache-2.0
/* Messages of rtnetlink, as plain data for whoever asked for events. */
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/net/rtnl_internal.h"

static uint8_t family_of(int af)
{
	return af == AF_INET ? 4 : af == AF_INET6 ? 6 : 0;
}

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
	fl_rtnl_note(rtnl, &(struct fl_rtnl_key){ .kind = FL_RTNL_LINK, .ifindex = link.ifindex },
		     !link.removed);
	rtnl->events->link(rtnl->ctx, &link);
}

struct addr_attrs {
	int af;
	struct fl_addr local;
	struct fl_addr address;
	struct fl_addr broadcast;
};

static int addr_attr(const struct nlattr *attr, void *data)
{
	struct addr_attrs *attrs = data;
	uint8_t family = family_of(attrs->af);
	uint16_t type = mnl_attr_get_type(attr);

	struct fl_addr *to = type == IFA_LOCAL       ? &attrs->local
			     : type == IFA_ADDRESS   ? &attrs->address
			     : type == IFA_BROADCAST ? &attrs->broadcast
						     : NULL;

	if (to && mnl_attr_get_payload_len(attr) == fl_addr_size(family))
		*to = fl_addr_from(family, mnl_attr_get_payload(attr));
	return MNL_CB_OK;
}

/* Without one that was given the kernel takes the last address of the network (its
 * fib_add_ifaddr()); networks of two addresses have none (RFC 3021). */
static struct fl_addr broadcast_of(const struct addr_attrs *attrs, uint8_t len)
{
	struct fl_addr broadcast = attrs->address.family ? attrs->address : attrs->local;

	if (attrs->broadcast.family)
		return attrs->broadcast;
	if (broadcast.family != 4 || len >= 31)
		return (struct fl_addr){ 0 };
	for (int bit = len; bit < 32; bit++)
		broadcast.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return broadcast;
}

static void on_addr(struct fl_rtnl *rtnl, const struct nlmsghdr *nlh)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct addr_attrs attrs = { .af = ifa->ifa_family };
	bool present = nlh->nlmsg_type == RTM_NEWADDR;
	struct fl_addr broadcast;
	const struct fl_addr *own;

	if (!family_of(ifa->ifa_family))
		return;
	mnl_attr_parse(nlh, sizeof(*ifa), addr_attr, &attrs);
	/* On point-to-point links ADDRESS is the other end's. */
	own = attrs.local.family ? &attrs.local : &attrs.address;
	if (!own->family)
		return;
	fl_rtnl_note(rtnl,
		     &(struct fl_rtnl_key){
			     .kind = FL_RTNL_ADDR, .ifindex = ifa->ifa_index, .addr = *own },
		     present);
	broadcast = broadcast_of(&attrs, ifa->ifa_prefixlen);
	rtnl->events->addr(rtnl->ctx, ifa->ifa_index, own, &broadcast, present);
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
	fl_rtnl_note(rtnl,
		     &(struct fl_rtnl_key){
			     .kind = FL_RTNL_NEIGH, .ifindex = neigh.ifindex, .addr = neigh.addr },
		     neigh.valid);
	rtnl->events->neigh(rtnl->ctx, &neigh);
}

int fl_rtnl_tell(const struct nlmsghdr *nlh, void *data)
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
