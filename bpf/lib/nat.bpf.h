/* SPDX-License-Identifier: GPL-2.0 */
/* From a flow to the rewrite it stands for: vector to path, or next hop, or this host. Include a
 * context layer first. */
#ifndef FL_BPF_NAT_H
#define FL_BPF_NAT_H

#include "bpf/lib/fpm.bpf.h"
#include "bpf/lib/rewrite.bpf.h"
#include "bpf/maps.bpf.h"
#include "common/session.h"

/* May a packet of this flow come by this path? Also for a while after its vector has moved (P-16).
 */
static __always_inline bool fl_path_expected(const struct fl_flow *flow, __u32 path)
{
	__u32 id = flow->in_vector;
	const struct fl_vector *vector = bpf_map_lookup_elem(&fl_vectors, &id);

	if (!vector)
		return false;
	if (vector->path == path)
		return true;
	return vector->prev_path == path &&
	       (__s32)(vector->prev_until - (__u32)bpf_jiffies64()) > 0;
}

/*
 * ICMP whose identifier is another on the other side of this router. Between routers the message is
 * the one that the session's initiator knows, its checksum included (3.6).
 */
static __noinline int fl_nat_icmp(const struct fl_flow *flow, struct fl_rewrite *rw)
{
	const bool reverse = flow->flags & FL_FLOW_REVERSE;
	const struct fl_session *session;
	__u32 id = flow->session;
	__u16 old, addrs;

	session = bpf_map_lookup_elem(&fl_sessions, &id);
	if (!session)
		return -FL_DROP_INTERNAL;
	old = reverse ? session->nat_sport : session->sport;
	rw->id_port = 1;
	rw->icmp_id = reverse ? session->sport : session->nat_sport;
	rw->icmp_delta = fl_csum_sub(FL_BE16(rw->icmp_id), FL_BE16(old));
	if (session->proto != FL_IPPROTO_ICMPV6)
		return 0;
	addrs = fl_csum_sub(
		fl_csum_add(fl_csum_addr6(session->nat_src), fl_csum_addr6(session->nat_dst)),
		fl_csum_add(fl_csum_addr6(session->src), fl_csum_addr6(session->dst)));
	rw->icmp_addrs = reverse ? (__u16)~addrs : addrs;
	return 0;
}

/* By the path that rw->path names. */
static __always_inline int fl_nat_by_path(const struct fl_flow *flow, const struct fl_pkt *pkt,
					  struct fl_rewrite *rw, bool plain)
{
	__u32 id = rw->path;
	const struct fl_path *path = bpf_map_lookup_elem(&fl_paths, &id);

	/* What is plain is up. */
	if (plain && (!path || path->plain != pkt->family))
		return FL_NOT_PLAIN;
	if (!plain && (!path || path->state != FL_PATH_UP))
		return -FL_DROP_NO_PATH;
	if (path->tx_flags & FL_TX_FPM)
		rw->watched = path;
	rw->saddr = path->local;
	rw->daddr = path->remote;
	rw->macs = path->dmac;
	rw->ifindex = path->ifindex;
	rw->iface = path->iface;
	rw->mtu = path->mtu;
	rw->addr_delta = (__u32)flow->addr_delta + path->addr_sum;
	rw->proto = pkt->proto;
	if (plain) {
		rw->family = pkt->family;
		return 0;
	}
	rw->family = path->family;
	rw->vlan = path->vlan;
	rw->ivlan = path->ivlan;
	rw->tx_flags = path->tx_flags;
	if (flow->flags & FL_FLOW_WRAP) {
		/* From peer to peer it is wrapped already. */
		rw->wrap = flow->key.kind == FL_KEY_PEER ? FL_WRAP_NONE : FL_WRAP_INSERT;
		rw->proto = FL_IPPROTO_UDP;
	}
	return flow->flags & FL_FLOW_ID_PORT ? fl_nat_icmp(flow, rw) : 0;
}

static __always_inline int fl_nat_to_peer(const struct fl_flow *flow, const struct fl_pkt *pkt,
					  struct fl_rewrite *rw, bool plain)
{
	const struct fl_vector *vector;
	__u32 id = flow->out;

	vector = bpf_map_lookup_elem(&fl_vectors, &id);
	if (!vector)
		return -FL_DROP_INTERNAL;
	rw->path = vector->path;
	return fl_nat_by_path(flow, pkt, rw, plain);
}

/* New addresses of an IPv6 session stand in its record; a flow slot has no room for them. */
static __always_inline int fl_nat_addrs6(const struct fl_flow *flow, struct fl_rewrite *rw)
{
	__u32 id = flow->session;
	const struct fl_session *session = bpf_map_lookup_elem(&fl_sessions, &id);

	if (!session)
		return -FL_DROP_INTERNAL;
	if (flow->flags & FL_FLOW_REVERSE) {
		rw->saddr = session->dst;
		rw->daddr = session->src;
	} else {
		rw->saddr = session->nat_src;
		rw->daddr = session->nat_dst;
	}
	return 0;
}

static __always_inline int fl_nat_to_nexthop(const struct fl_flow *flow, struct fl_rewrite *rw,
					     bool plain)
{
	__u32 id = flow->out;
	const struct fl_nexthop *hop = bpf_map_lookup_elem(&fl_nexthops, &id);

	if (plain && (!hop || !hop->plain))
		return FL_NOT_PLAIN;
	if (!plain && (!hop || hop->state != FL_PATH_UP))
		return -FL_DROP_NEXT_HOP;
	rw->macs = hop->dmac;
	rw->ifindex = hop->ifindex;
	rw->iface = hop->iface;
	rw->mtu = hop->mtu;
	if (!plain) {
		rw->vlan = hop->vlan;
		rw->ivlan = hop->ivlan;
		rw->tx_flags = hop->tx_flags;
	}
	return 0;
}

/* Toward a LAN, the Internet or this host: the session's own addresses. */
static __always_inline int fl_nat_to_lan(const struct fl_flow *flow, enum fl_out_kind out,
					 const struct fl_pkt *pkt, struct fl_rewrite *rw,
					 bool plain)
{
	int err = 0;

	rw->family = flow->flags & FL_FLOW_INNER6 ? 6 : 4;
	if (plain && rw->family != pkt->family)
		return FL_NOT_PLAIN;
	if (out == FL_OUT_NEXTHOP)
		err = fl_nat_to_nexthop(flow, rw, plain);
	else
		rw->mtu = 0xffff; /* no MAC addresses: this host */
	if (err)
		return err;
	rw->addr_delta = flow->addr_delta;
	rw->proto = pkt->proto;
	if (!plain) {
		if (flow->flags & FL_FLOW_ID_PORT)
			err = fl_nat_icmp(flow, rw);
		if (err)
			return err;
		if (flow->flags & FL_FLOW_WRAP && flow->key.kind == FL_KEY_PEER) {
			__u32 id = flow->session;
			const struct fl_session *session = bpf_map_lookup_elem(&fl_sessions, &id);

			if (!session)
				return -FL_DROP_INTERNAL;
			rw->proto = session->proto;
			rw->wrap = FL_WRAP_REMOVE;
		}
	}
	if (flow->flags & FL_FLOW_INNER6)
		return fl_nat_addrs6(flow, rw);
	rw->saddr = flow->saddr;
	rw->daddr = flow->daddr;
	return 0;
}

/**
 * fl_nat_resolve() - what has to become of a packet of this flow
 * @out:   the flow's out_kind
 * @rw:    zeroed
 * @plain: constant; leave out what only unusual packets and ways need
 *
 * Return: 0, FL_NOT_PLAIN, or a negative drop reason.
 */
static __always_inline int fl_nat_resolve(const struct fl_flow *flow, enum fl_out_kind out,
					  const struct fl_pkt *pkt, struct fl_rewrite *rw,
					  bool plain)
{
	rw->ports = *(const fl_u32_al *)&flow->dport;
	rw->port_delta = flow->port_delta;
	if (out == FL_OUT_PEER)
		return fl_nat_to_peer(flow, pkt, rw, plain);
	return fl_nat_to_lan(flow, out, pkt, rw, plain);
}

#endif
