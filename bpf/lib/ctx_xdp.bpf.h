/* SPDX-License-Identifier: GPL-2.0 */
/*
 * XDP side of the context layer: the only code that knows struct xdp_md. ctx_tc.bpf.h has the same
 * names for struct __sk_buff; every stage is written against those names.
 */
#ifndef FL_BPF_CTX_XDP_H
#define FL_BPF_CTX_XDP_H

/* Names of maps that each object has for itself. */
#define FL_OWN(name) name##_xdp

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

int FL_OWN(fl_ip4_options)(struct xdp_md *ctx, __u32 at, __u32 len);
int FL_OWN(fl_ip6_ext)(struct xdp_md *ctx, __u32 at, __u32 proto);
#define FL_IP4_OPTIONS(ctx, data, end, at, len) FL_OWN(fl_ip4_options)(ctx, at, len)
#define FL_IP6_EXT(ctx, data, end, at, proto)                                                      \
	((void)(data), (void)(end), FL_OWN(fl_ip6_ext)(ctx, at, proto))

#define FL_LOAD_OPTION(ctx, data, end, at, to)                                                     \
	((void)(data), (void)(end), bpf_xdp_load_bytes(ctx, at, to, 2))

#include "bpf/lib/rewrite.bpf.h"
#include "bpf/maps.bpf.h"

struct fl_job;

#define FL_CTX          struct xdp_md
#define FL_CTX_PASS     XDP_PASS
#define FL_CTX_DROP     XDP_DROP
#define FL_CTX_CONSUMED XDP_DROP /* a punted packet is a copy: the original ends here */
#define FL_CTX_IS_XDP   1

/* In assembly, or clang 14 merges two such loads into one from a computed context pointer (6.1:
 * refused). */
static __always_inline void *fl_ctx_data(const FL_CTX *ctx)
{
	void *ptr;

	asm volatile("%[ptr] = *(u32 *)(%[ctx] + %[off])"
		     : [ptr] "=r"(ptr)
		     : [ctx] "r"(ctx), [off] "i"(offsetof(struct xdp_md, data)));
	return ptr;
}

static __always_inline void *fl_ctx_end(const FL_CTX *ctx)
{
	void *ptr;

	asm volatile("%[ptr] = *(u32 *)(%[ctx] + %[off])"
		     : [ptr] "=r"(ptr)
		     : [ctx] "r"(ctx), [off] "i"(offsetof(struct xdp_md, data_end)));
	return ptr;
}

#include "bpf/lib/headers.bpf.h"

/* Type field of the link header, network order; 0 if there is none. */
static __always_inline __u16 fl_ctx_eth_proto(const FL_CTX *ctx)
{
	const struct fl_eth *eth = fl_ctx_data(ctx);

	return (const void *)(eth + 1) > fl_ctx_end(ctx) ? 0 : (__u16)eth->proto;
}

static __always_inline __u32 fl_ctx_ifindex(const FL_CTX *ctx)
{
	return ctx->ingress_ifindex;
}

/* Bytes of the whole frame, further buffers included. */
static __always_inline __u32 fl_ctx_len(FL_CTX *ctx)
{
	return (__u32)bpf_xdp_get_buff_len(ctx);
}

static __always_inline long fl_ctx_load(FL_CTX *ctx, __u32 off, void *to, __u32 len)
{
	return bpf_xdp_load_bytes(ctx, off, to, len);
}

static __always_inline long fl_ctx_store(FL_CTX *ctx, __u32 off, const void *from, __u32 len)
{
	return bpf_xdp_store_bytes(ctx, off, (void *)from, len);
}

static __always_inline __u16 fl_ctx_gso_size(const FL_CTX *ctx)
{
	(void)ctx;
	return 0;
}

/* Make the headers readable in place; XDP frames have them in the first buffer. */
static __always_inline int fl_ctx_pull(FL_CTX *ctx, __u32 len)
{
	(void)ctx;
	(void)len;
	return 0;
}

static __always_inline int fl_ctx_parse_l2(FL_CTX *ctx, int l3_device, struct fl_pkt *pkt,
					   int plain)
{
	(void)l3_device; /* such a device has no XDP */
	if (plain) {
		/* The caller has seen the type. */
		pkt->l3 = sizeof(struct fl_eth);
		pkt->eth_proto = plain == 6 ? FL_ETH_P_IPV6 : FL_ETH_P_IP;
		return 0;
	}
	return fl_parse_l2(fl_ctx_data(ctx), fl_ctx_end(ctx), pkt, 0);
}

static __always_inline int fl_xdp_rewrite_icmp(void *l4, const void *end,
					       const struct fl_rewrite *rw)
{
	struct fl_icmp *icmp = l4;

	if ((const void *)(icmp + 1) > end)
		return -FL_DROP_MALFORMED;
	icmp->id = FL_BE16(rw->icmp_id);
	icmp->check = (__be16)fl_csum_update((__u16)icmp->check,
					     fl_csum_add(rw->icmp_delta, rw->icmp_addrs));
	return 0;
}

/*
 * Ports and checksum of the layer 4 header at @l4. ICMPv4 has no pseudo header: addresses do not
 * count. Returns 0 or a negative drop reason.
 */
static __always_inline int fl_xdp_rewrite_l4(void *l4, const void *end, const struct fl_rewrite *rw)
{
	FL_KEEP(l4);
	if (rw->proto == FL_IPPROTO_UDP) {
		struct fl_udp *udp = l4;
		__u16 check;

		if ((const void *)(udp + 1) > end)
			return -FL_DROP_MALFORMED;
		*(fl_u32_una *)udp = FL_BE32(rw->ports);
		check = (__u16)udp->check;
		if (check) { /* RFC 768: 0 means that the sender made none */
			check = fl_csum_update(check, rw->addr_delta + rw->port_delta);
			udp->check = (__be16)(check ? check : 0xffff);
		}
	} else if (rw->proto == FL_IPPROTO_TCP) {
		struct fl_tcp *tcp = l4;

		if ((const void *)(tcp + 1) > end)
			return -FL_DROP_MALFORMED;
		*(fl_u32_una *)tcp = FL_BE32(rw->ports);
		tcp->check =
			(__be16)fl_csum_update((__u16)tcp->check, rw->addr_delta + rw->port_delta);
	} else if (rw->id_port) {
		return fl_xdp_rewrite_icmp(l4, end, rw);
	}
	return 0;
}

/* Same family, same link header size, nothing inserted: the packet of every established session. */
static __always_inline int fl_xdp_rewrite_inplace(FL_CTX *ctx, const struct fl_pkt *pkt,
						  const struct fl_rewrite *rw)
{
	void *data = fl_ctx_data(ctx), *end = fl_ctx_end(ctx);
	struct fl_eth *eth = data;

	if ((void *)(eth + 1) > end)
		return -FL_DROP_MALFORMED;
	if (fl_rewrite_l3((__u8 *)data + (pkt->l3 & FL_OFFSET_MASK), end, pkt, rw))
		return -FL_DROP_MALFORMED;
	if (rw->macs)
		fl_macs_copy(eth, rw->macs);
	return fl_xdp_rewrite_l4((__u8 *)data + (pkt->l4 & FL_OFFSET_MASK), end, rw);
}

static __always_inline __u32 fl_xdp_l2_len(const struct fl_rewrite *rw)
{
	return (__u32)sizeof(struct fl_eth) + (rw->vlan ? 4u : 0u) + (rw->ivlan ? 4u : 0u);
}

/* Link header with the tags that @rw asks for. One bounds check a branch: the verifier wants
 * constants. */
static __always_inline int fl_xdp_build_l2(__u8 *data, const void *end, const struct fl_rewrite *rw,
					   const __u8 *keep)
{
	struct fl_eth *eth = (void *)data;
	struct fl_vlan *tag = (void *)(eth + 1);
	__be16 proto = FL_BE16(rw->family == 6 ? FL_ETH_P_IPV6 : FL_ETH_P_IP);

	if ((const void *)(eth + 1) > end)
		return -FL_DROP_MALFORMED;
	if (rw->macs)
		fl_macs_copy(eth, rw->macs);
	else
		__builtin_memcpy(eth, keep, 12);
	if (!rw->vlan) {
		eth->proto = proto;
		return 0;
	}
	if ((const void *)(tag + 1) > end)
		return -FL_DROP_MALFORMED;
	eth->proto = FL_BE16(rw->ivlan ? FL_ETH_P_8021AD : FL_ETH_P_8021Q);
	tag->tci = FL_BE16(rw->vlan);
	if (!rw->ivlan) {
		tag->proto = proto;
		return 0;
	}
	if ((const void *)(tag + 2) > end)
		return -FL_DROP_MALFORMED;
	tag->proto = FL_BE16(FL_ETH_P_8021Q);
	tag[1].tci = FL_BE16(rw->ivlan);
	tag[1].proto = proto;
	return 0;
}

/*
 * Everything in front of layer 4 is written anew: another family, other tags, a UDP header more or
 * less. IPv4 options and IPv6 extension headers end here.
 */
static __noinline int fl_xdp_rebuild(FL_CTX *ctx, const struct fl_pkt *pkt,
				     const struct fl_rewrite *rw)
{
	__u32 old_hdr, l2 = fl_xdp_l2_len(rw), new_hdr = l2;
	__u8 *data = fl_ctx_data(ctx), *end = fl_ctx_end(ctx);
	struct fl_ip_save save;
	__u8 macs[12];

	if (pkt->l3 > 22 || data + sizeof(macs) > end)
		return -FL_DROP_MALFORMED;
	old_hdr = pkt->l4 + (rw->wrap == FL_WRAP_REMOVE ? (__u32)sizeof(struct fl_udp) : 0u);
	__builtin_memcpy(macs, data, sizeof(macs));
	data += pkt->l3;
	FL_KEEP(data);
	if (fl_ip_save(data, end, pkt, rw, &save))
		return -FL_DROP_MALFORMED;

	new_hdr += rw->family == 6 ? sizeof(struct fl_ip6) : sizeof(struct fl_ip4);
	if (rw->wrap == FL_WRAP_INSERT)
		new_hdr += sizeof(struct fl_udp);
	if (bpf_xdp_adjust_head(ctx, (int)old_hdr - (int)new_hdr))
		return -FL_DROP_TX_ERROR;

	data = fl_ctx_data(ctx);
	end = fl_ctx_end(ctx);
	if (fl_xdp_build_l2(data, end, rw, macs))
		return -FL_DROP_MALFORMED;
	data += l2;
	FL_KEEP(data);
	if (rw->family == 6) {
		if (data + sizeof(struct fl_ip6) > end)
			return -FL_DROP_MALFORMED;
		fl_ip6_build((void *)data, rw, &save);
		data += sizeof(struct fl_ip6);
	} else {
		if (data + sizeof(struct fl_ip4) > end)
			return -FL_DROP_MALFORMED;
		fl_ip4_build((void *)data, rw, &save);
		data += sizeof(struct fl_ip4);
	}
	if (rw->wrap != FL_WRAP_INSERT)
		return fl_xdp_rewrite_l4(data, end, rw);
	if (data + sizeof(struct fl_udp) > end)
		return -FL_DROP_MALFORMED;
	fl_udp_build((void *)data, rw, pkt, &save);
	return rw->id_port ? fl_xdp_rewrite_icmp(data + sizeof(struct fl_udp), end, rw) : 0;
}

/* Offset of the checksum in the layer 4 header: TCP or UDP. */
static __always_inline __u32 fl_csum_offset(const struct fl_pkt *pkt)
{
	return pkt->l4 + (pkt->proto == FL_IPPROTO_UDP ? (__u32)offsetof(struct fl_udp, check)
						       : (__u32)offsetof(struct fl_tcp, check));
}

/**
 * fl_ctx_csum_l4() - the checksum of TCP or UDP after a change
 * @data:   new minus old sum of what the layer 4 header and payload hold
 * @pseudo: of the pseudo header
 *
 * Return: 0 or a negative drop reason.
 */
static __always_inline int fl_ctx_csum_l4(FL_CTX *ctx, const struct fl_pkt *pkt, __u16 data,
					  __u16 pseudo)
{
	__u16 check;

	if (bpf_xdp_load_bytes(ctx, fl_csum_offset(pkt), &check, sizeof(check)))
		return -FL_DROP_MALFORMED;
	if (pkt->proto == FL_IPPROTO_UDP && !check)
		return 0;
	check = fl_csum_update(check, fl_csum_add(data, pseudo));
	if (pkt->proto == FL_IPPROTO_UDP && !check)
		check = 0xffff;
	return bpf_xdp_store_bytes(ctx, fl_csum_offset(pkt), &check, sizeof(check))
		       ? -FL_DROP_MALFORMED
		       : 0;
}

/* Cut the frame, or make it longer by zeros. Returns 0, or -errno with the frame as it was. */
static __always_inline long fl_ctx_resize(FL_CTX *ctx, __u32 len)
{
	return bpf_xdp_adjust_tail(ctx, (int)len - (int)fl_ctx_len(ctx));
}

/* Begin the frame @by bytes further in front. Returns 0, or -errno with the frame as it was. */
static __always_inline long fl_ctx_grow_head(FL_CTX *ctx, __u32 by)
{
	return bpf_xdp_adjust_head(ctx, -(int)by);
}

/* Send the packet as it is. Returns the verdict. */
static __always_inline int fl_ctx_send(FL_CTX *ctx, __u16 iface, __u32 ifindex)
{
	(void)ctx;
	(void)ifindex;
	return (int)bpf_redirect_map(&fl_tx_ports, iface, 0);
}

/* May the packet be rewritten where it stands? */
static __always_inline bool fl_ctx_is_simple(const struct fl_pkt *pkt, const struct fl_rewrite *rw)
{
	return rw->family == pkt->family && rw->wrap == FL_WRAP_NONE &&
	       (!rw->macs || (pkt->l3 == sizeof(struct fl_eth) && !rw->vlan));
}

/**
 * fl_ctx_forward() - rewrite a packet and send it where @rw says
 *
 * Return: the program's verdict (>= 0), or a negative drop reason with the packet in an undefined
 * state.
 */
static __always_inline int fl_ctx_forward(FL_CTX *ctx, const struct fl_pkt *pkt,
					  const struct fl_rewrite *rw, bool plain)
{
	int err;

	if (plain || fl_ctx_is_simple(pkt, rw))
		err = fl_xdp_rewrite_inplace(ctx, pkt, rw);
	else
		err = fl_xdp_rebuild(ctx, pkt, rw);
	if (err)
		return err;
	if (!rw->macs)
		return XDP_PASS;
	return fl_ctx_send(ctx, rw->iface, rw->ifindex);
}

/* XDP cannot send one packet twice: the TC program on this device does all of it. */
static __always_inline int fl_dup(FL_CTX *ctx, struct fl_job *job)
{
	(void)ctx;
	(void)job;
	return FL_DONE_KERNEL;
}

#endif
