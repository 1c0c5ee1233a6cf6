/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TC side of the context layer: the only code that knows struct __sk_buff; same names as
 * ctx_xdp.bpf.h.
 *
 * Checksums go through the kernel's helpers, which know whether a packet's checksum is complete or
 * left to the device; that, and GSO super-packets kept whole, is what this path has over XDP on
 * virtual NICs.
 */
#ifndef FL_BPF_CTX_TC_H
#define FL_BPF_CTX_TC_H

/* Names of maps that each object has for itself. */
#define FL_OWN(name) name##_tc

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

int FL_OWN(fl_ip4_options)(struct __sk_buff *ctx, __u32 at, __u32 len);
int FL_OWN(fl_ip6_ext)(struct __sk_buff *ctx, __u32 at, __u32 proto);
#define FL_IP4_OPTIONS(ctx, data, end, at, len) FL_OWN(fl_ip4_options)(ctx, at, len)
#define FL_IP6_EXT(ctx, data, end, at, proto)                                                      \
	((void)(data), (void)(end), FL_OWN(fl_ip6_ext)(ctx, at, proto))

#define FL_LOAD_OPTION(ctx, data, end, at, to)                                                     \
	((void)(data), (void)(end), bpf_skb_load_bytes(ctx, at, to, 2))

#include "bpf/lib/rewrite.bpf.h"
#include "bpf/maps.bpf.h"

#define FL_CTX      struct __sk_buff
#define FL_CTX_PASS TC_ACT_OK
#define FL_CTX_DROP TC_ACT_SHOT
/* Stolen, not shot: a punted packet lives on in the agent, and its sender is not to hear of a drop.
 */
#define FL_CTX_CONSUMED TC_ACT_STOLEN
#define FL_CTX_IS_XDP   0

/* Not in BTF: include/uapi/linux/pkt_cls.h. */
#define TC_ACT_OK     0
#define TC_ACT_SHOT   2
#define TC_ACT_STOLEN 4

/* skb->tc_index of packets that this program has sent on: the egress hook lets them by. */
#define FL_TC_INDEX_OURS 0xF1

/* In assembly, or clang 14 merges two such loads into one from a computed context pointer (6.1:
 * refused). */
static __always_inline void *fl_ctx_data(const FL_CTX *ctx)
{
	void *ptr;

	asm volatile("%[ptr] = *(u32 *)(%[ctx] + %[off])"
		     : [ptr] "=r"(ptr)
		     : [ctx] "r"(ctx), [off] "i"(offsetof(struct __sk_buff, data)));
	return ptr;
}

static __always_inline void *fl_ctx_end(const FL_CTX *ctx)
{
	void *ptr;

	asm volatile("%[ptr] = *(u32 *)(%[ctx] + %[off])"
		     : [ptr] "=r"(ptr)
		     : [ctx] "r"(ctx), [off] "i"(offsetof(struct __sk_buff, data_end)));
	return ptr;
}

#include "bpf/lib/headers.bpf.h"

/* 0 keeps tagged packets off the common path. */
static __always_inline __u16 fl_ctx_eth_proto(const FL_CTX *ctx)
{
	return ctx->vlan_present ? 0 : (__u16)ctx->protocol;
}

static __always_inline __u32 fl_ctx_ifindex(const FL_CTX *ctx)
{
	return ctx->ifindex;
}

static __always_inline __u32 fl_ctx_len(FL_CTX *ctx)
{
	return ctx->len;
}

static __always_inline long fl_ctx_load(FL_CTX *ctx, __u32 off, void *to, __u32 len)
{
	return bpf_skb_load_bytes(ctx, off, to, len);
}

static __always_inline long fl_ctx_store(FL_CTX *ctx, __u32 off, const void *from, __u32 len)
{
	return bpf_skb_store_bytes(ctx, off, from, len, 0);
}

static __always_inline __u16 fl_ctx_gso_size(const FL_CTX *ctx)
{
	return (__u16)ctx->gso_size;
}

static __always_inline int fl_ctx_pull(FL_CTX *ctx, __u32 len)
{
	if (len > ctx->len)
		len = ctx->len;
	if (fl_ctx_data(ctx) + len <= fl_ctx_end(ctx))
		return 0;
	return (int)bpf_skb_pull_data(ctx, len);
}

/* The kernel has taken the outer tag off the packet and keeps it beside it. */
static __always_inline int fl_ctx_parse_l2(FL_CTX *ctx, int l3_device, struct fl_pkt *pkt,
					   int plain)
{
	const void *data = fl_ctx_data(ctx), *end = fl_ctx_end(ctx);
	int err;

	if (l3_device) {
		pkt->l3 = 0;
		pkt->eth_proto = FL_HOST16(ctx->protocol);
		return 0;
	}
	err = fl_parse_l2(data, end, pkt, plain);
	if (err)
		return err;
	if (ctx->vlan_present) {
		if (pkt->l3 > sizeof(struct fl_eth) + sizeof(struct fl_vlan))
			pkt->eth_proto = FL_ETH_P_8021Q; /* a third tag: not ours */
		pkt->ivlan = pkt->vlan;
		pkt->vlan = (__u16)(ctx->vlan_tci & 0xfff);
	}
	return 0;
}

/* A new ICMP identifier at @l4, and the checksum, which ICMPv6 has over addresses too. */
static __always_inline int fl_tc_rewrite_icmp(FL_CTX *ctx, __u32 l4, const struct fl_rewrite *rw)
{
	const __u32 check = l4 + offsetof(struct fl_icmp, check);
	__be16 id = FL_BE16(rw->icmp_id);

	if (bpf_skb_store_bytes(ctx, l4 + offsetof(struct fl_icmp, id), &id, sizeof(id), 0))
		return -FL_DROP_MALFORMED;
	if (rw->icmp_addrs && bpf_l4_csum_replace(ctx, check, 0, rw->icmp_addrs, BPF_F_PSEUDO_HDR))
		return -FL_DROP_MALFORMED;
	return bpf_l4_csum_replace(ctx, check, 0, rw->icmp_delta, 0) ? -FL_DROP_MALFORMED : 0;
}

static __always_inline bool fl_tc_has_ports(const struct fl_rewrite *rw)
{
	return rw->proto == FL_IPPROTO_UDP || rw->proto == FL_IPPROTO_TCP;
}

/* The checksum at @l4 after the change of addresses, as pseudo header, and of ports, as data. */
static __always_inline int fl_tc_csum_l4(FL_CTX *ctx, __u32 l4, const struct fl_rewrite *rw)
{
	__u32 check = l4 + (__u32)offsetof(struct fl_tcp, check);
	__u64 flags = 0;

	if (rw->proto == FL_IPPROTO_UDP) {
		check = l4 + (__u32)offsetof(struct fl_udp, check);
		flags = BPF_F_MARK_MANGLED_0;
	}
	if (bpf_l4_csum_replace(ctx, check, 0, rw->addr_delta, flags | BPF_F_PSEUDO_HDR))
		return -FL_DROP_MALFORMED;
	if (bpf_l4_csum_replace(ctx, check, 0, rw->port_delta, flags))
		return -FL_DROP_MALFORMED;
	return 0;
}

static __always_inline int fl_tc_rewrite_l4(FL_CTX *ctx, __u32 l4, const struct fl_rewrite *rw)
{
	__be32 ports = FL_BE32(rw->ports);

	if (!fl_tc_has_ports(rw))
		return rw->id_port ? fl_tc_rewrite_icmp(ctx, l4, rw) : 0;
	if (bpf_skb_store_bytes(ctx, l4, &ports, sizeof(ports), 0))
		return -FL_DROP_MALFORMED;
	return fl_tc_csum_l4(ctx, l4, rw);
}

static __always_inline int fl_tc_rewrite_inplace(FL_CTX *ctx, const struct fl_pkt *pkt,
						 const struct fl_rewrite *rw)
{
	if (fl_rewrite_l3((__u8 *)fl_ctx_data(ctx) + (pkt->l3 & FL_OFFSET_MASK), fl_ctx_end(ctx),
			  pkt, rw))
		return -FL_DROP_MALFORMED;
	return fl_tc_rewrite_l4(ctx, pkt->l4, rw);
}

/*
 * The common packet, from one Ethernet device without tags to another: everything but the checksum
 * is written where it stands, which a helper for each part would take twice as long for.
 * FL_NOT_PLAIN, and nothing has been written, if the packet is not like that.
 */
static __always_inline int fl_tc_rewrite_plain(FL_CTX *ctx, const struct fl_pkt *pkt,
					       const struct fl_rewrite *rw)
{
	__u8 *data = fl_ctx_data(ctx), *end = fl_ctx_end(ctx);
	struct fl_eth *eth = (struct fl_eth *)data;
	__u8 *l4 = data + (pkt->l4 & FL_OFFSET_MASK);

	if (!pkt->l3 || rw->tx_flags & FL_TX_L3 || rw->vlan || !rw->macs || !fl_tc_has_ports(rw) ||
	    (void *)(eth + 1) > (void *)end || l4 + 4 > end)
		return FL_NOT_PLAIN;
	*(fl_u32_una *)l4 = FL_BE32(rw->ports);
	fl_macs_copy(eth, rw->macs);
	if (fl_rewrite_l3(data + (pkt->l3 & FL_OFFSET_MASK), end, pkt, rw))
		return -FL_DROP_MALFORMED;
	return fl_tc_csum_l4(ctx, pkt->l4, rw);
}

/* Has the packet a tag beside it? In assembly for the reason that fl_ctx_data() is. */
static __always_inline bool fl_tc_tag_beside(const FL_CTX *ctx)
{
	__u32 present;

	asm volatile("%[present] = *(u32 *)(%[ctx] + %[off])"
		     : [present] "=r"(present)
		     : [ctx] "r"(ctx), [off] "i"(offsetof(struct __sk_buff, vlan_present)));
	return present;
}

/* Take the arriving tags off, which may have VLAN id 0, and stand beside the packet or in it. */
static __always_inline int fl_tc_untag(FL_CTX *ctx, struct fl_pkt *pkt)
{
	__u16 in_packet = 0;

	if (pkt->l3 > sizeof(struct fl_eth))
		in_packet = (__u16)(pkt->l3 - sizeof(struct fl_eth));
	if ((in_packet || fl_tc_tag_beside(ctx)) && bpf_skb_vlan_pop(ctx))
		return -FL_DROP_TX_ERROR;
	/* With the first one gone, the kernel has put the second beside the packet. */
	if (fl_tc_tag_beside(ctx) && bpf_skb_vlan_pop(ctx))
		return -FL_DROP_TX_ERROR;
	pkt->l3 -= in_packet;
	pkt->l4 -= in_packet;
	return 0;
}

/*
 * Another family or a UDP header more or less: resize, then write the headers in front of layer 4
 * anew. IPv4 options and IPv6 extension headers end here: the kernel takes off what follows the
 * plain header, and then has a plain packet to resize.
 */
static __noinline int fl_tc_rebuild(FL_CTX *ctx, struct fl_pkt *pkt, const struct fl_rewrite *rw)
{
	const __u64 room = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET;
	__u32 l3, off = fl_pkt_options(pkt);
	struct fl_ip_save save;
	__u8 *data, *end;

	/* The kernel does not resize behind a tag. */
	if (rw->macs && fl_tc_untag(ctx, pkt))
		return -FL_DROP_TX_ERROR;
	l3 = pkt->l3;
	FL_KEEP(l3);
	if (l3 > 22)
		return -FL_DROP_MALFORMED;
	data = fl_ctx_data(ctx);
	end = fl_ctx_end(ctx);
	data += l3;
	FL_KEEP(data);
	if (fl_ip_save(data, end, pkt, rw, &save))
		return -FL_DROP_MALFORMED;

	if (rw->wrap == FL_WRAP_REMOVE)
		off += sizeof(struct fl_udp);
	if (off && bpf_skb_adjust_room(ctx, -(int)off, BPF_ADJ_ROOM_NET, room))
		return -FL_DROP_TX_ERROR;
	if (rw->family != pkt->family &&
	    bpf_skb_change_proto(ctx, FL_BE16(rw->family == 6 ? FL_ETH_P_IPV6 : FL_ETH_P_IP), 0))
		return -FL_DROP_TX_ERROR;
	if (rw->wrap == FL_WRAP_INSERT && bpf_skb_adjust_room(ctx, 8, BPF_ADJ_ROOM_NET, room))
		return -FL_DROP_TX_ERROR;

	if (rw->family == 6) {
		struct fl_ip6 ip;

		fl_ip6_build(&ip, rw, &save);
		if (bpf_skb_store_bytes(ctx, l3, &ip, sizeof(ip), 0))
			return -FL_DROP_TX_ERROR;
		l3 += sizeof(ip);
	} else {
		struct fl_ip4 ip;

		fl_ip4_build(&ip, rw, &save);
		if (bpf_skb_store_bytes(ctx, l3, &ip, sizeof(ip), 0))
			return -FL_DROP_TX_ERROR;
		l3 += sizeof(ip);
	}
	if (rw->wrap == FL_WRAP_INSERT) {
		struct fl_udp udp;

		fl_udp_build(&udp, rw, pkt, &save);
		if (bpf_skb_store_bytes(ctx, l3, &udp, sizeof(udp), 0))
			return -FL_DROP_TX_ERROR;
		return rw->id_port ? fl_tc_rewrite_icmp(ctx, l3 + (__u32)sizeof(udp), rw) : 0;
	}
	return fl_tc_rewrite_l4(ctx, l3, rw);
}

/* Give a packet without tags the link header and tags of its way out. */
static __always_inline int fl_tc_rewrite_l2(FL_CTX *ctx, const struct fl_pkt *pkt,
					    const struct fl_rewrite *rw)
{
	__be16 proto = FL_BE16(rw->family == 6 ? FL_ETH_P_IPV6 : FL_ETH_P_IP);
	/* As 16-bit words: the stack allows no 32-bit store at the source address. */
	__u16 eth[sizeof(struct fl_eth) / 2];

	if (rw->tx_flags & FL_TX_L3)
		return 0; /* the kernel takes the link header off on the way to such a device */
	/* Coming from a device without link header: make room for one. */
	if (!pkt->l3 && bpf_skb_change_head(ctx, sizeof(eth), 0))
		return -FL_DROP_TX_ERROR;
	for (int i = 0; i < 6; i++)
		eth[i] = ((const fl_u16_una *)rw->macs)[i];
	eth[6] = (__u16)proto;
	if (bpf_skb_store_bytes(ctx, 0, eth, sizeof(eth), 0))
		return -FL_DROP_TX_ERROR;
	if (rw->ivlan && bpf_skb_vlan_push(ctx, FL_BE16(FL_ETH_P_8021Q), rw->ivlan))
		return -FL_DROP_TX_ERROR;
	if (rw->vlan &&
	    bpf_skb_vlan_push(ctx, FL_BE16(rw->ivlan ? FL_ETH_P_8021AD : FL_ETH_P_8021Q), rw->vlan))
		return -FL_DROP_TX_ERROR;
	return 0;
}

/* See ctx_xdp.bpf.h. A checksum that is left to the device covers the data anyway: the kernel's
 * helper knows, and then leaves out @data. */
static __always_inline int fl_ctx_csum_l4(FL_CTX *ctx, const struct fl_pkt *pkt, __u16 data,
					  __u16 pseudo)
{
	__u32 check = pkt->l4 + (__u32)offsetof(struct fl_tcp, check);
	__u64 flags = 0;

	if (pkt->proto == FL_IPPROTO_UDP) {
		check = pkt->l4 + (__u32)offsetof(struct fl_udp, check);
		flags = BPF_F_MARK_MANGLED_0;
	}
	if (bpf_l4_csum_replace(ctx, check, 0, data, flags))
		return -FL_DROP_MALFORMED;
	if (pseudo && bpf_l4_csum_replace(ctx, check, 0, pseudo, flags | BPF_F_PSEUDO_HDR))
		return -FL_DROP_MALFORMED;
	return 0;
}

static __always_inline long fl_ctx_resize(FL_CTX *ctx, __u32 len)
{
	return bpf_skb_change_tail(ctx, len, 0);
}

/* The kernel makes room at the end of its own buffers: nobody needs this. */
static __always_inline long fl_ctx_grow_head(FL_CTX *ctx, __u32 by)
{
	(void)ctx;
	(void)by;
	return -1;
}

/* Send the packet as it is. Returns the verdict. */
static __always_inline int fl_ctx_send(FL_CTX *ctx, __u16 iface, __u32 ifindex)
{
	(void)iface;
	ctx->tc_index = FL_TC_INDEX_OURS;
	return (int)bpf_redirect(ifindex, 0);
}

/* May the packet be rewritten where it stands? */
static __always_inline bool fl_ctx_is_simple(const struct fl_pkt *pkt, const struct fl_rewrite *rw)
{
	return rw->family == pkt->family && rw->wrap == FL_WRAP_NONE;
}

static __always_inline int fl_ctx_forward(FL_CTX *ctx, struct fl_pkt *pkt,
					  const struct fl_rewrite *rw, bool plain)
{
	int err = FL_NOT_PLAIN;

	if (plain)
		err = fl_tc_rewrite_plain(ctx, pkt, rw);
	if (err != FL_NOT_PLAIN)
		return err ? err : fl_ctx_send(ctx, rw->iface, rw->ifindex);
	if (plain || fl_ctx_is_simple(pkt, rw))
		err = fl_tc_rewrite_inplace(ctx, pkt, rw);
	else
		err = fl_tc_rebuild(ctx, pkt, rw);
	if (err)
		return err;
	if (!rw->macs)
		return TC_ACT_OK;
	if (!plain)
		err = fl_tc_untag(ctx, pkt);
	if (!err)
		err = fl_tc_rewrite_l2(ctx, pkt, rw);
	return err ? err : fl_ctx_send(ctx, rw->iface, rw->ifindex);
}

#endif
