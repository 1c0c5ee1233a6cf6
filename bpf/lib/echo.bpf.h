/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Link tests of peers (svr-protocol.md 5.2): their echo packets turn round here, without waking
 * anybody up, so that what is measured is the path. The originator proves its packets to itself;
 * what is returned is what came, so nothing is believed. Include a context layer first.
 */
#ifndef FL_BPF_ECHO_H
#define FL_BPF_ECHO_H

#include "bpf/lib/punt.bpf.h"
#include "common/meta_wire.h"

#define FL_BFD_PORT 1280
#define FL_ECHO_TTL 64

/* Never more than 200 in any second: a full bucket and what flows in. */
#define FL_ECHO_BURST      20
#define FL_ECHO_PER_SECOND 180

/* What stands before the value of TLV 0x8004, behind the cookie: lengths, TLV 16 and TLV head. */
static __always_inline bool fl_echo_block_ok(const __u8 *block)
{
	const __u32 lengths = FL_BE32((__u32)(FL_META_VERSION << 12 | FL_ECHO_BLOCK_LEN) << 16);

	return *(const fl_u64_una *)block == FL_META_COOKIE &&
	       *(const fl_u32_una *)(block + 8) == lengths &&
	       *(const fl_u32_una *)(block + 12) == FL_BE32(FL_TLV_SECURITY_ID << 16 | 4) &&
	       *(const fl_u32_una *)(block + 20) ==
		       FL_BE32((__u32)FL_TLV_ECHO << 16 | FL_TLV_ECHO_LEN);
}

/* Is this an echo that has not been reflected yet? */
static __always_inline bool fl_is_echo(FL_CTX *ctx, const struct fl_pkt *pkt)
{
	const __u8 *block;

	if (pkt->proto != FL_IPPROTO_UDP || fl_pkt_dport(pkt) != FL_BFD_PORT ||
	    pkt->flags & FL_PKT_FRAGMENT)
		return false;
	if (fl_ctx_pull(ctx, (pkt->payload & FL_OFFSET_MASK) + FL_ECHO_BLOCK_LEN))
		return false;
	block = (const __u8 *)fl_ctx_data(ctx) + (pkt->payload & FL_OFFSET_MASK);
	FL_KEEP(block);
	if ((const void *)(block + FL_ECHO_BLOCK_LEN) > fl_ctx_end(ctx))
		return false;
	return fl_echo_block_ok(block) && !block[FL_ECHO_REFLECTED_OFFSET];
}

static __always_inline bool fl_echo_allowed(__u32 path)
{
	const struct fl_rate rate = { .per_second = FL_ECHO_PER_SECOND, .burst = FL_ECHO_BURST };
	struct fl_token_bucket *bucket = bpf_map_lookup_elem(&fl_echo_bkts, &path);

	return bucket && fl_bucket_take(bucket, &rate, bpf_ktime_get_ns());
}

static __always_inline int fl_echo_turn_l2(FL_CTX *ctx)
{
	struct fl_eth *eth = fl_ctx_data(ctx);
	__u8 mac[6];

	if ((const void *)(eth + 1) > fl_ctx_end(ctx))
		return -FL_DROP_MALFORMED;
	fl_mac_copy(mac, eth->src);
	fl_mac_copy(eth->src, eth->dst);
	fl_mac_copy(eth->dst, mac);
	return 0;
}

/* A fresh TTL: it has to come as far again as it came. Swapping changes no checksum. */
static __always_inline int fl_echo_turn_l3(FL_CTX *ctx, const struct fl_pkt *pkt)
{
	void *l3 = (__u8 *)fl_ctx_data(ctx) + (pkt->l3 & FL_OFFSET_MASK);

	FL_KEEP(l3);
	if (pkt->family == 4) {
		struct fl_ip4 *ip = l3;
		__be32 src;

		if ((const void *)(ip + 1) > fl_ctx_end(ctx))
			return -FL_DROP_MALFORMED;
		src = ip->src;
		ip->src = ip->dst;
		ip->dst = src;
		ip->check =
			(__be16)fl_csum_update((__u16)ip->check, fl_csum_sub(FL_ECHO_TTL, ip->ttl));
		ip->ttl = FL_ECHO_TTL;
	} else {
		struct fl_ip6 *ip = l3;
		__u8 src[16];

		if ((const void *)(ip + 1) > fl_ctx_end(ctx))
			return -FL_DROP_MALFORMED;
		__builtin_memcpy(src, ip->src, 16);
		__builtin_memcpy(ip->src, ip->dst, 16);
		__builtin_memcpy(ip->dst, src, 16);
		ip->hop_limit = FL_ECHO_TTL;
	}
	return 0;
}

/* Ports, and the flag that ends the journey: an even offset, so it is a word's first byte. */
static __always_inline int fl_echo_turn_l4(FL_CTX *ctx, const struct fl_pkt *pkt)
{
	__u32 ports = pkt->ports << 16 | pkt->ports >> 16;
	const __u8 reflected = 1;
	__be32 wire = FL_BE32(ports);

	if (fl_ctx_store(ctx, pkt->l4, &wire, sizeof(wire)) ||
	    fl_ctx_store(ctx, pkt->payload + FL_ECHO_REFLECTED_OFFSET, &reflected, 1))
		return -FL_DROP_MALFORMED;
	return fl_ctx_csum_l4(ctx, pkt, 1, 0);
}

/**
 * fl_echo() - return a peer's link test
 * @path: by which the packet came, known and its own
 *
 * Return: 0 if it is none; FL_DONE_SENT with the verdict; FL_DONE_KERNEL where only the TC program
 * can send; or a negative drop reason.
 */
static __noinline int fl_echo(FL_CTX *ctx, const struct fl_pkt *pkt, __u32 path_id)
{
	const struct fl_path *path = bpf_map_lookup_elem(&fl_paths, &path_id);
	int err = 0;

	if (!path || !fl_is_echo(ctx, pkt))
		return 0;
	if (FL_CTX_IS_XDP && path->tx_flags & FL_TX_SKB)
		return FL_DONE_KERNEL;
	if (!fl_echo_allowed(path_id))
		return -FL_DROP_RATE_ECHO;
	if (pkt->l3)
		err = fl_echo_turn_l2(ctx);
	if (!err)
		err = fl_echo_turn_l3(ctx, pkt);
	if (!err)
		err = fl_echo_turn_l4(ctx, pkt);
	if (err)
		return err;
	fl_stat_add(FL_STAT_ECHO_REFLECTED);
	return FL_DONE_SENT | fl_ctx_send(ctx, path->iface, path->ifindex);
}

#endif
