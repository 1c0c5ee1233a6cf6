/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What has to be done to a packet before it leaves, as data: the stages fill it, the context layer
 * (ctx_xdp.bpf.h, ctx_tc.bpf.h) carries it out.
 */
#ifndef FL_BPF_REWRITE_H
#define FL_BPF_REWRITE_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "common/csum.h"
#include "common/flow.h"
#include "common/hdr.h"
#include "common/parse.h"

/* What a stage returns beside 0, a drop reason and FL_NOT_PLAIN, which is 1. */
#define FL_DONE_KERNEL 2 /* not ours: pass untouched */
#define FL_DONE_PUNTED 3
#define FL_DONE_SENT   0x100 /* the hook's verdict is in the low byte */

enum fl_wrap {
	FL_WRAP_NONE = 0,
	FL_WRAP_INSERT, /* put a UDP header before a portless protocol */
	FL_WRAP_REMOVE, /* take it off */
};

struct fl_rewrite {
	const __u8 *saddr; /* new addresses, of @family */
	const __u8 *daddr;
	/* Destination and source, side by side; NULL: deliver to this host, link header stays. */
	const __u8 *macs;
	const struct fl_path *watched; /* the way out, if it has FL_TX_FPM; else NULL */
	__u32 ifindex;
	__u16 iface;
	__u16 path; /* toward a peer, full path of the stages only; else 0 */
	__u16 mtu;
	__u16 vlan;
	__u16 ivlan;
	__u32 ports;      /* new ports: source << 16 | destination, host order */
	__u32 addr_delta; /* memory order, see common/flow.h; a sum that is not folded */
	__u16 port_delta;
	__u16 icmp_id;    /* host order */
	__u16 icmp_delta; /* what the change does to the message's checksum */
	__u16 icmp_addrs; /* of which by addresses that it covers: ICMPv6 */
	__u8 family;
	__u8 proto; /* protocol behind the new IP header */
	__u8 tx_flags;
	__u8 wrap;
	__u8 id_port;      /* the ICMP identifier becomes @icmp_id */
	__u8 inner_family; /* of the packet, before wrapping or after unwrapping */
};

/* Bytes of IPv4 options or IPv6 extension headers. */
static __always_inline __u32 fl_pkt_options(const struct fl_pkt *pkt)
{
	return pkt->l4 - pkt->l3 -
	       (pkt->family == 6 ? (__u32)sizeof(struct fl_ip6) : (__u32)sizeof(struct fl_ip4));
}

/* Bytes that the packet grows by at layer 3. Another family or wrapping is the end of options. */
static __always_inline int fl_rewrite_growth(const struct fl_pkt *pkt, const struct fl_rewrite *rw)
{
	int growth = 0;

	if (rw->family == pkt->family && rw->wrap == FL_WRAP_NONE)
		return 0;
	growth -= (int)fl_pkt_options(pkt);
	if (rw->family != pkt->family)
		growth += rw->family == 6 ? 20 : -20;
	if (rw->wrap == FL_WRAP_INSERT)
		growth += (int)sizeof(struct fl_udp);
	else if (rw->wrap == FL_WRAP_REMOVE)
		growth -= (int)sizeof(struct fl_udp);
	return growth;
}

/* Both of a frame. */
static __always_inline void fl_macs_copy(struct fl_eth *eth, const __u8 *from)
{
	__u8 *to = (__u8 *)eth;

	*(fl_u64_una *)to = *(const fl_u64_una *)from;
	*(fl_u32_una *)(to + 8) = *(const fl_u32_una *)(from + 8);
}

static __always_inline void fl_mac_copy(__u8 *to, const __u8 *from)
{
	*(fl_u32_una *)to = *(const fl_u32_una *)from;
	*(fl_u16_una *)(to + 4) = *(const fl_u16_una *)(from + 4);
}

/*
 * New addresses and the TTL of @pkt in the IP header at @l3. The checksum of an IPv4 header changes
 * by the addresses and, if the packet is sent on, by the TTL that has become one less: the high
 * byte of its word.
 */
static __always_inline int fl_rewrite_l3(void *l3, const void *end, const struct fl_pkt *pkt,
					 const struct fl_rewrite *rw)
{
	const __u16 hop = rw->macs ? (__u16)~FL_BE16(0x0100) : 0;

	FL_KEEP(l3);
	if (pkt->family == 4) {
		struct fl_ip4 *ip = l3;

		if ((const void *)(ip + 1) > end)
			return -FL_DROP_MALFORMED;
		ip->src = *(const fl_u32_al *)rw->saddr;
		ip->dst = *(const fl_u32_al *)rw->daddr;
		ip->check = (__be16)fl_csum_update((__u16)ip->check, rw->addr_delta + hop);
		ip->ttl = pkt->ttl;
	} else {
		struct fl_ip6 *ip = l3;

		if ((const void *)(ip + 1) > end)
			return -FL_DROP_MALFORMED;
		__builtin_memcpy(ip->src, rw->saddr, 16);
		__builtin_memcpy(ip->dst, rw->daddr, 16);
		ip->hop_limit = pkt->ttl;
	}
	return 0;
}

/* Fields of the old IP header that a rebuilt one needs. */
struct fl_ip_save {
	__u32 payload_len; /* layer 4 and behind, without the wrapping UDP header */
	__u8 tos;
	__u8 ttl;       /* already decremented */
	__u16 id;       /* memory order */
	__u16 frag_off; /* memory order, IPv4 DF only */
	__u16 addr_sum; /* of the old addresses */
};

/* Returns 0, or a negative drop reason if the header at @l3 is not all there. */
static __always_inline int fl_ip_save(const void *l3, const void *end, const struct fl_pkt *pkt,
				      const struct fl_rewrite *rw, struct fl_ip_save *save)
{
	__u32 hdr = pkt->l4 - pkt->l3;

	FL_KEEP(l3);
	if (rw->wrap == FL_WRAP_REMOVE)
		hdr += sizeof(struct fl_udp);
	save->payload_len = pkt->l3_len - hdr;
	save->ttl = pkt->ttl;
	if (pkt->family == 4) {
		const struct fl_ip4 *ip = l3;

		if ((const void *)(ip + 1) > end)
			return -FL_DROP_MALFORMED;
		save->tos = ip->tos;
		save->id = (__u16)ip->id;
		save->frag_off = (__u16)(ip->frag_off & FL_BE16(FL_IP4_DF));
		save->addr_sum =
			fl_csum_add(fl_csum_u32((__u32)ip->src), fl_csum_u32((__u32)ip->dst));
	} else {
		const struct fl_ip6 *ip = l3;

		if ((const void *)(ip + 1) > end)
			return -FL_DROP_MALFORMED;
		/* RFC 7915 5.1: traffic class to TOS, DF set, identification 0. */
		save->tos = (__u8)(FL_HOST32(ip->ver_tc_flow) >> 20);
		save->id = 0;
		save->frag_off = (__u16)FL_BE16(FL_IP4_DF);
		save->addr_sum = fl_csum_add(fl_csum_addr6(ip->src), fl_csum_addr6(ip->dst));
	}
	return 0;
}

/* New IPv4 header without options, checksum included. */
static __always_inline void fl_ip4_build(struct fl_ip4 *ip, const struct fl_rewrite *rw,
					 const struct fl_ip_save *save)
{
	__u32 len = sizeof(*ip) + save->payload_len;
	const fl_u16_una *w = (const fl_u16_una *)ip;
	__u32 sum = 0;
	int i;

	if (rw->wrap == FL_WRAP_INSERT)
		len += sizeof(struct fl_udp);
	ip->ver_ihl = 0x45;
	ip->tos = save->tos;
	ip->tot_len = FL_BE16(len);
	ip->id = (__be16)save->id;
	ip->frag_off = (__be16)save->frag_off;
	ip->ttl = save->ttl;
	ip->proto = rw->proto;
	ip->check = 0;
	ip->src = *(const fl_u32_al *)rw->saddr;
	ip->dst = *(const fl_u32_al *)rw->daddr;
#pragma clang loop unroll(full)
	for (i = 0; i < 10; i++)
		sum += w[i];
	ip->check = (__be16)~fl_csum_fold(sum);
}

static __always_inline void fl_ip6_build(struct fl_ip6 *ip, const struct fl_rewrite *rw,
					 const struct fl_ip_save *save)
{
	__u32 len = save->payload_len;

	if (rw->wrap == FL_WRAP_INSERT)
		len += sizeof(struct fl_udp);
	ip->ver_tc_flow = FL_BE32(6u << 28 | (__u32)save->tos << 20);
	ip->payload_len = FL_BE16(len);
	ip->next = rw->proto;
	ip->hop_limit = save->ttl;
	__builtin_memcpy(ip->src, rw->saddr, 16);
	__builtin_memcpy(ip->dst, rw->daddr, 16);
}

/*
 * UDP header around a portless packet. IPv4 allows checksum 0. Over IPv6 the sum of an ICMP message
 * is known without reading it, because its own checksum makes it so; other protocols go with
 * checksum 0 as RFC 6935 allows for encapsulations.
 */
static __always_inline void fl_udp_build(struct fl_udp *udp, const struct fl_rewrite *rw,
					 const struct fl_pkt *pkt, const struct fl_ip_save *save)
{
	__u16 len = (__u16)(save->payload_len + sizeof(*udp));
	const __u16 addr_sum = fl_csum_add(save->addr_sum, rw->icmp_addrs);
	__u32 sum;

	*(fl_u32_una *)udp = FL_BE32(rw->ports);
	udp->len = FL_BE16(len);
	udp->check = 0;
	if (rw->family != 6)
		return;
	if (pkt->proto == FL_IPPROTO_ICMP && pkt->family == 4)
		sum = 0;
	else if (pkt->proto == FL_IPPROTO_ICMPV6 && pkt->family == 6)
		sum = (__u16)~fl_csum_fold((__u32)addr_sum + FL_BE16(save->payload_len) +
					   FL_BE16(FL_IPPROTO_ICMPV6));
	else
		return;
	sum += fl_csum_add(fl_csum_addr6(rw->saddr), fl_csum_addr6(rw->daddr));
	/* Length counts twice: in the pseudo header and in the header itself. */
	sum += FL_BE16(len) + (__u32)FL_BE16(len) + FL_BE16(FL_IPPROTO_UDP);
	sum += fl_csum_u32(FL_BE32(rw->ports));
	udp->check = (__be16)~fl_csum_fold(sum);
	if (!udp->check)
		udp->check = (__be16)0xffff;
}

#endif
