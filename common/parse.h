/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The packet parser of both worlds: the XDP and TC programs run it on packet memory, the agent and
 * the fuzzer on a copy. It looks no further than the layer 4 ports, never loops without bound, and
 * reads nothing that it has not compared with the end of the packet.
 *
 * The parameter @plain, a constant, asks for the common packet only: untagged, no options or
 * extension headers, no fragment, TCP or UDP. Anything else returns FL_NOT_PLAIN at once; the data
 * plane's common path then leaves it to the full one. With it, all offsets are constants.
 */
#ifndef FL_COMMON_PARSE_H
#define FL_COMMON_PARSE_H

#include "common/drop_reason.h"
#include "common/hdr.h"
#include "common/limits.h"
#include "common/types.h"

#define FL_NOT_PLAIN 1

#define FL_PKT_FRAGMENT       0x01 /* part of a fragmented IP packet; ports only in the first */
#define FL_PKT_FIRST_FRAGMENT 0x02
#define FL_PKT_IP_OPTIONS     0x04 /* IPv4 options or IPv6 extension headers present */
#define FL_PKT_ICMP_ERROR     0x08
#define FL_PKT_ICMP_REQUEST   0x10 /* may open a session */
#define FL_PKT_PORTLESS       0x20 /* neither TCP nor UDP */
#define FL_PKT_DF             0x40 /* may not be fragmented: DF, or IPv6 */
/* Set by the caller: quoted by an ICMP error, which may end 8 bytes behind the IP header (RFC 792).
 */
#define FL_PKT_QUOTED 0x80

/*
 * No header starts beyond this: it bounds an offset that comes out of memory, for the verifier and
 * for safety alike. The parser refuses longer chains of headers.
 */
#define FL_OFFSET_MASK 0x7ff
#define FL_OFFSET_MAX  1900

/* Offsets are bytes from the start of the packet; ports are host order, ICMP identifiers stand in
 * both. */
struct fl_pkt {
	__u64 addrs; /* IPv4: source and destination as they stand side by side */
	__u16 l3;
	__u16 l4;
	__u16 payload;   /* behind the layer 4 header; equals l4 where there is none */
	__u16 eth_proto; /* host order, innermost */
	__u32 l3_len;    /* IP packet, header included, without link padding */
	__u16 vlan;      /* outer and inner tag, 0 = none */
	__u16 ivlan;
	__u32 ports; /* source << 16 | destination: as a slot key holds them */
	__u8 family; /* 4 or 6; 0 = not IP */
	__u8 proto;
	__u8 ttl;
	__u8 tos; /* or traffic class */
	__u8 tcp_flags;
	__u8 icmp_type;
	__u8 flags; /* FL_PKT_* */
};

static __always_inline __u16 fl_pkt_sport(const struct fl_pkt *pkt)
{
	return (__u16)(pkt->ports >> 16);
}

static __always_inline __u16 fl_pkt_dport(const struct fl_pkt *pkt)
{
	return (__u16)pkt->ports;
}

/*
 * Layer 2. Fills l3, eth_proto and the tags. Returns 0, or -FL_DROP_MALFORMED; more than two tags
 * leave eth_proto at the third tag's type, which is not IP and hence not ours.
 */
static __always_inline int fl_parse_l2(const void *data, const void *end, struct fl_pkt *pkt,
				       int plain)
{
	const struct fl_eth *eth = data;
	const struct fl_vlan *tag;

	if ((const void *)(eth + 1) > end)
		return -FL_DROP_MALFORMED;
	pkt->l3 = sizeof(*eth);
	pkt->eth_proto = FL_HOST16(eth->proto);
	if (pkt->eth_proto != FL_ETH_P_8021Q && pkt->eth_proto != FL_ETH_P_8021AD)
		return 0;
	if (plain)
		return FL_NOT_PLAIN;

	tag = (const void *)(eth + 1);
	if ((const void *)(tag + 1) > end)
		return -FL_DROP_MALFORMED;
	pkt->vlan = FL_HOST16(tag->tci) & 0xfff;
	pkt->eth_proto = FL_HOST16(tag->proto);
	pkt->l3 = sizeof(*eth) + sizeof(*tag);
	if (pkt->eth_proto != FL_ETH_P_8021Q)
		return 0;

	tag++;
	if ((const void *)(tag + 1) > end)
		return -FL_DROP_MALFORMED;
	pkt->ivlan = FL_HOST16(tag->tci) & 0xfff;
	pkt->eth_proto = FL_HOST16(tag->proto);
	pkt->l3 = sizeof(*eth) + 2 * sizeof(*tag);
	return 0;
}

/* Is this ICMP type an error about another packet? */
static __always_inline int fl_icmp_is_error(__u8 family, __u8 type)
{
	if (family == 6)
		return type < 128;
	return type == FL_ICMP4_UNREACH || type == FL_ICMP4_TIME_EXCEEDED ||
	       type == FL_ICMP4_PARAM_PROBLEM || type == FL_ICMP4_REDIRECT;
}

static __always_inline void fl_parse_icmp(const struct fl_icmp *icmp, struct fl_pkt *pkt)
{
	pkt->icmp_type = icmp->type;
	if (fl_icmp_is_error(pkt->family, icmp->type)) {
		pkt->flags |= FL_PKT_ICMP_ERROR;
		return;
	}
	pkt->ports = FL_HOST16(icmp->id) * 0x10001u;
	if (pkt->family == 6 ? icmp->type == FL_ICMP6_ECHO
			     : icmp->type == FL_ICMP4_ECHO || icmp->type == FL_ICMP4_TIMESTAMP)
		pkt->flags |= FL_PKT_ICMP_REQUEST;
}

/* TCP at @tcp. Of a quoted one no more is looked at than the ports. */
static __always_inline int fl_parse_tcp(const struct fl_tcp *tcp, const void *end,
					struct fl_pkt *pkt, int plain)
{
	__u32 len;

	if (!plain && pkt->flags & FL_PKT_QUOTED) {
		if ((const __u8 *)tcp + 8 > (const __u8 *)end)
			return -FL_DROP_MALFORMED;
		pkt->ports = FL_HOST32(*(const fl_u32_una *)tcp);
		pkt->payload = (__u16)(pkt->l4 + 8);
		return 0;
	}
	if ((const void *)(tcp + 1) > end)
		return -FL_DROP_MALFORMED;
	len = (tcp->doff >> 4) * 4u;
	if (len < sizeof(*tcp))
		return -FL_DROP_MALFORMED;
	pkt->ports = FL_HOST32(*(const fl_u32_una *)tcp);
	pkt->tcp_flags = tcp->flags;
	pkt->payload = (__u16)(pkt->l4 + len);
	return 0;
}

/*
 * Layer 4 at pkt->l4. A later fragment has no ports; its payload starts right there. The header
 * must lie within the IP packet, not only within the frame, but of a quoted packet nothing is
 * certain.
 */
static __always_inline int fl_parse_l4(const void *data, const void *end, struct fl_pkt *pkt,
				       int plain)
{
	const void *l4 = (const __u8 *)data + (pkt->l4 & FL_OFFSET_MASK);

	FL_KEEP(l4);
	pkt->payload = pkt->l4;
	if (!plain && (pkt->flags & (FL_PKT_FRAGMENT | FL_PKT_FIRST_FRAGMENT)) == FL_PKT_FRAGMENT) {
		if (pkt->proto != FL_IPPROTO_TCP && pkt->proto != FL_IPPROTO_UDP)
			pkt->flags |= FL_PKT_PORTLESS;
		return 0;
	}
	if (pkt->proto == FL_IPPROTO_UDP) {
		const struct fl_udp *udp = l4;

		if ((const void *)(udp + 1) > end)
			return -FL_DROP_MALFORMED;
		pkt->ports = FL_HOST32(*(const fl_u32_una *)l4);
		pkt->payload = (__u16)(pkt->l4 + sizeof(*udp));
	} else if (pkt->proto == FL_IPPROTO_TCP) {
		if (fl_parse_tcp(l4, end, pkt, plain))
			return -FL_DROP_MALFORMED;
	} else if (plain) {
		return FL_NOT_PLAIN;
	} else {
		pkt->flags |= FL_PKT_PORTLESS;
		if (pkt->proto == (pkt->family == 6 ? FL_IPPROTO_ICMPV6 : FL_IPPROTO_ICMP)) {
			const struct fl_icmp *icmp = l4;

			if ((const void *)(icmp + 1) > end)
				return -FL_DROP_MALFORMED;
			fl_parse_icmp(icmp, pkt);
			pkt->payload = (__u16)(pkt->l4 + sizeof(*icmp));
		}
	}
	if ((plain || !(pkt->flags & FL_PKT_QUOTED)) && pkt->l3 + pkt->l3_len < pkt->payload)
		return -FL_DROP_MALFORMED;
	return 0;
}

/* Two bytes at offset @at; the data plane has a helper, after which all states are alike. */
#ifndef FL_LOAD_OPTION
static __always_inline int fl_load_option(const void *data, const void *end, __u32 at, __u8 to[2])
{
	const __u8 *p = (const __u8 *)data + at;

	if ((const void *)(p + 2) > end)
		return -1;
	__builtin_memcpy(to, p, 2);
	return 0;
}

#define FL_LOAD_OPTION(ctx, data, end, at, to) ((void)(ctx), fl_load_option(data, end, at, to))
#endif

/*
 * Loose or strict source route among the IPv4 options at @at: a host must not steer packets around
 * its router (RFC 7126 4.3, 4.4).
 */
static __always_inline int fl_ip4_source_routed(void *ctx, const void *data, const void *end,
						__u32 at, __u32 len)
{
	__u32 i, stop = at + len;
	__u8 opt[2];

	for (i = 0; i < 40 && at < stop; i++) {
		if (FL_LOAD_OPTION(ctx, data, end, at, opt) || opt[0] == 0)
			return 0;
		if (opt[0] == 1) {
			at++;
			continue;
		}
		if (opt[0] == 131 || opt[0] == 137 || opt[1] < 2)
			return 1;
		at += opt[1];
	}
	return 0;
}

/*
 * Headers of any length. The data plane has functions of its own for them (bpf/lib/headers.bpf.h),
 * which the verifier walks once, and not in each state of each caller.
 */
#ifndef FL_IP4_OPTIONS
#define FL_IP4_OPTIONS(ctx, data, end, at, len) fl_ip4_source_routed(ctx, data, end, at, len)
#define FL_IP6_EXT(ctx, data, end, at, proto)   ((void)(ctx), fl_walk_ip6_ext(data, end, at, proto))
#endif

static __always_inline int fl_parse_ip4(void *ctx, const void *data, const void *end,
					struct fl_pkt *pkt, int plain)
{
	const struct fl_ip4 *ip = (const void *)((const __u8 *)data + (pkt->l3 & FL_OFFSET_MASK));
	__u32 hlen, frag;

	FL_KEEP(ip);
	if ((const void *)(ip + 1) > end)
		return -FL_DROP_MALFORMED;
	if (plain && (ip->ver_ihl != 0x45 || ip->frag_off & FL_BE16(FL_IP4_MF | FL_IP4_OFFSET)))
		return FL_NOT_PLAIN;
	hlen = plain ? (__u32)sizeof(*ip) : (ip->ver_ihl & 15u) * 4;
	pkt->l3_len = FL_HOST16(ip->tot_len);
	if (ip->ver_ihl >> 4 != 4 || hlen < sizeof(*ip) || (!plain && pkt->l3_len < hlen))
		return -FL_DROP_MALFORMED; /* plain: fl_parse_l4() looks at the length */
	pkt->family = 4;
	pkt->addrs = *(const fl_u64_una *)&ip->src;
	pkt->proto = ip->proto;
	pkt->ttl = ip->ttl;
	pkt->tos = ip->tos;
	pkt->l4 = (__u16)(pkt->l3 + hlen);
	frag = FL_HOST16(ip->frag_off);
	if (frag & FL_IP4_DF)
		pkt->flags |= FL_PKT_DF;
	if (!plain && frag & (FL_IP4_MF | FL_IP4_OFFSET))
		pkt->flags |= frag & FL_IP4_OFFSET ? FL_PKT_FRAGMENT
						   : FL_PKT_FRAGMENT | FL_PKT_FIRST_FRAGMENT;
	if (hlen != sizeof(*ip)) {
		pkt->flags |= FL_PKT_IP_OPTIONS;
		if ((const void *)((const __u8 *)ip + hlen) > end)
			return -FL_DROP_MALFORMED;
		if (FL_IP4_OPTIONS(ctx, data, end, pkt->l3 + (__u32)sizeof(*ip),
				   hlen - (__u32)sizeof(*ip)))
			return -FL_DROP_IP_OPTION;
	}
	return fl_parse_l4(data, end, pkt, plain);
}

/*
 * Walk the extension headers that start at offset @at with type @proto. Scalars in and out, so that
 * the caller's struct need not live in memory. Returns offset | protocol << 16 | FL_PKT_* flags <<
 * 24 of the upper layer (or of the body of a later fragment), or a negative drop reason.
 */
static __always_inline int fl_walk_ip6_ext(const void *data, const void *end, __u32 at, __u32 proto)
{
	__u32 flags = 0;
	int i;

	for (i = 0; i < FL_MAX_EXT_HEADERS; i++) {
		const struct fl_ip6_ext *ext =
			(const void *)((const __u8 *)data + (at & FL_OFFSET_MASK));

		FL_KEEP(ext);
		if (proto == FL_IPPROTO_FRAGMENT) {
			const struct fl_ip6_frag *frag = (const void *)ext;
			__u16 off;

			if ((const void *)(frag + 1) > end)
				return -FL_DROP_MALFORMED;
			off = FL_HOST16(frag->frag_off);
			flags |= FL_PKT_IP_OPTIONS;
			/* RFC 6946: offset 0 without more is a whole packet that carries the
			 * header. */
			if (off & 0xfff9)
				flags |= off & 0xfff8 ? FL_PKT_FRAGMENT
						      : FL_PKT_FRAGMENT | FL_PKT_FIRST_FRAGMENT;
			proto = frag->next;
			at += sizeof(*frag);
			if (off & 0xfff8)
				break;
			continue;
		}
		if (proto != FL_IPPROTO_HOPOPTS && proto != FL_IPPROTO_DSTOPTS &&
		    proto != FL_IPPROTO_ROUTING)
			break;
		if ((const void *)((const __u8 *)ext + 8) > end)
			return -FL_DROP_MALFORMED;
		if (proto == FL_IPPROTO_ROUTING && ext->left)
			return -FL_DROP_IP_OPTION;
		flags |= FL_PKT_IP_OPTIONS;
		proto = ext->next;
		at += ((__u32)ext->len + 1) * 8;
		if (at > FL_OFFSET_MAX)
			return -FL_DROP_MALFORMED;
	}
	if (i == FL_MAX_EXT_HEADERS)
		return -FL_DROP_MALFORMED;
	return (int)(at | proto << 16 | flags << 24);
}

static __always_inline int fl_parse_ip6_ext(void *ctx, const void *data, const void *end,
					    struct fl_pkt *pkt)
{
	int walked = FL_IP6_EXT(ctx, data, end, pkt->l4, pkt->proto);

	if (walked < 0)
		return walked;
	pkt->l4 = (__u16)(walked & 0xffff);
	pkt->proto = (__u8)(walked >> 16 & 0xff);
	pkt->flags |= (__u8)(walked >> 24);
	return (__u32)(pkt->l4 - pkt->l3) > pkt->l3_len ? -FL_DROP_MALFORMED : 0;
}

static __always_inline int fl_parse_ip6(void *ctx, const void *data, const void *end,
					struct fl_pkt *pkt, int plain)
{
	const struct fl_ip6 *ip = (const void *)((const __u8 *)data + (pkt->l3 & FL_OFFSET_MASK));
	int err;

	FL_KEEP(ip);
	if ((const void *)(ip + 1) > end)
		return -FL_DROP_MALFORMED;
	if ((FL_HOST32(ip->ver_tc_flow) >> 28) != 6)
		return -FL_DROP_MALFORMED;
	pkt->l3_len = FL_HOST16(ip->payload_len) + (__u32)sizeof(*ip);
	pkt->family = 6;
	pkt->proto = ip->next;
	pkt->ttl = ip->hop_limit;
	pkt->tos = (__u8)(FL_HOST32(ip->ver_tc_flow) >> 20);
	pkt->flags |= FL_PKT_DF;
	pkt->l4 = (__u16)(pkt->l3 + sizeof(*ip));
	if (pkt->proto != FL_IPPROTO_UDP && pkt->proto != FL_IPPROTO_TCP &&
	    pkt->proto != FL_IPPROTO_ICMPV6) {
		if (plain)
			return FL_NOT_PLAIN;
		err = fl_parse_ip6_ext(ctx, data, end, pkt);
		if (err)
			return err;
	}
	return fl_parse_l4(data, end, pkt, plain);
}

/**
 * fl_parse_l3() - parse from the IP header on
 * @ctx:        the data plane's context, else NULL
 * @data, @end: packet
 * @pkt:        zeroed; l3 and eth_proto set, by fl_parse_l2() or by the caller, who may also set
 *              FL_PKT_QUOTED
 *
 * Return: 0 (pkt->family 0 if it is not IP), or a negative enum fl_drop_reason.
 */
static __always_inline int fl_parse_l3(void *ctx, const void *data, const void *end,
				       struct fl_pkt *pkt)
{
	if (pkt->eth_proto == FL_ETH_P_IP)
		return fl_parse_ip4(ctx, data, end, pkt, 0);
	if (pkt->eth_proto == FL_ETH_P_IPV6)
		return fl_parse_ip6(ctx, data, end, pkt, 0);
	return 0;
}

/*
 * Does the layer 4 payload start with the metadata cookie? 1 or 0; a packet too short cannot. GSO
 * packets are checked at every segment by the caller.
 */
static __always_inline int fl_has_cookie(const void *data, const void *end,
					 const struct fl_pkt *pkt)
{
	const __u8 *p = (const __u8 *)data + (pkt->payload & FL_OFFSET_MASK);

	FL_KEEP(p);
	if ((const void *)(p + 8) > end)
		return 0;
	return *(const fl_u64_una *)p == FL_META_COOKIE;
}

#endif
