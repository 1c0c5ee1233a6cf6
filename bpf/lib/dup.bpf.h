/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sessions carried in copies (svr-protocol.md 6.4, P-42): what comes from the peer is let by once,
 * what goes to the peer is numbered and sent by every path that the session is known on. TC only:
 * it has bpf_clone_redirect(), while XDP can copy a frame to a set of devices, but not give each
 * copy its own addresses.
 *
 * What is not a plain numbered datagram goes to the agent, which does all of this as well:
 * handshakes, super-packets, fragments, and paths whose HMAC is none that fpm.bpf.h and hmac.bpf.h
 * can prove and make.
 */
#ifndef FL_BPF_DUP_H
#define FL_BPF_DUP_H

#include "vmlinux.h"

#include "bpf/lib/ctx_tc.bpf.h"
#include "bpf/lib/pipeline.bpf.h"
#include "common/dup.h"

/* Datagrams up to this are numbered here: a jumbo frame's (chosen). */
#define FL_DUP_PAYLOAD_MAX 9216

/* A packet's block and payload while it moves them, and where its copies go. */
struct fl_dup_buf {
	struct fl_dup_block block;
	__u8 payload[FL_DUP_PAYLOAD_MAX];
	__u32 path[FL_DUP_WAYS];
	__u32 count;
	__u32 mtu;     /* smallest of them */
	__u32 mac_len; /* bytes of HMAC on all of them, or on the one that it came by */
	__u32 mac[8];  /* that stands behind the payload now */
};

struct fl_dup_buf_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fl_dup_buf);
};

struct fl_dup_buf_map fl_job_dup_buf SEC(".maps");

static __always_inline struct fl_dup_buf *fl_dup_buf(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&fl_job_dup_buf, &zero);
}

/* State of the side that packets of @flow come from, or go to; NULL if it has none. */
static __always_inline struct fl_dup *fl_dup_side(const struct fl_flow *flow, bool from)
{
	struct fl_dup_key key = {
		.session = flow->session,
		.side = !(flow->flags & FL_FLOW_REVERSE) != from,
	};

	return bpf_map_lookup_elem(&fl_dups, &key);
}

/* --- lengths and checksums -------------------------------------------------------------------- */

/*
 * The datagram has become longer by @growth, by words that sum up to @sum: say so in its headers.
 * pkt->l3_len is the old length.
 */
static __always_inline int fl_dup_resize(FL_CTX *ctx, struct fl_pkt *pkt, int growth, __u16 sum)
{
	__u32 udp = pkt->l4, check = udp + (__u32)offsetof(struct fl_udp, check);
	__u16 old_len = (__u16)FL_BE16(pkt->l3_len - (pkt->l4 - pkt->l3));
	__u16 new_len = (__u16)FL_BE16(pkt->l3_len - (pkt->l4 - pkt->l3) + (__u32)growth);
	__u16 old_ip = (__u16)FL_BE16(pkt->l3_len);
	__u16 delta = fl_csum_sub(new_len, old_len), ip;

	pkt->l3_len += (__u32)growth;
	if (pkt->family == 4) {
		ip = (__u16)FL_BE16(pkt->l3_len);
		if (bpf_l3_csum_replace(ctx, pkt->l3 + (__u32)offsetof(struct fl_ip4, check),
					old_ip, ip, sizeof(ip)) ||
		    bpf_skb_store_bytes(ctx, pkt->l3 + (__u32)offsetof(struct fl_ip4, tot_len), &ip,
					sizeof(ip), 0))
			return -FL_DROP_TX_ERROR;
	} else {
		ip = (__u16)FL_BE16(pkt->l3_len - sizeof(struct fl_ip6));
		if (bpf_skb_store_bytes(ctx, pkt->l3 + (__u32)offsetof(struct fl_ip6, payload_len),
					&ip, sizeof(ip), BPF_F_RECOMPUTE_CSUM))
			return -FL_DROP_TX_ERROR;
	}
	if (bpf_skb_store_bytes(ctx, udp + (__u32)offsetof(struct fl_udp, len), &new_len,
				sizeof(new_len), 0))
		return -FL_DROP_TX_ERROR;
	/* The length counts twice: in the pseudo header and in the header itself. */
	if (bpf_l4_csum_replace(ctx, check, 0, fl_csum_add(sum, delta), BPF_F_MARK_MANGLED_0) ||
	    bpf_l4_csum_replace(ctx, check, 0, delta, BPF_F_PSEUDO_HDR | BPF_F_MARK_MANGLED_0))
		return -FL_DROP_TX_ERROR;
	return 0;
}

/* Sum of an HMAC of @len bytes behind a payload of @odd length. */
static __always_inline __u16 fl_dup_mac_sum(const __u32 mac[8], __u32 len, bool odd)
{
	__u32 sum = 0;

#pragma clang loop unroll(full)
	for (__u32 i = 0; i < 8; i++)
		if (i * 4 < len)
			sum += (mac[i] & 0xffff) + (mac[i] >> 16);
	sum = fl_csum_fold(sum);
	return (__u16)(odd ? sum >> 8 | sum << 8 : sum);
}

static __always_inline __u16 fl_dup_block_sum(struct fl_dup_buf *buf)
{
	__s64 sum = bpf_csum_diff(NULL, 0, (void *)&buf->block, sizeof(buf->block), 0);

	return fl_csum_u32((__u32)sum);
}

/*
 * Payload of the packet into the buffer, from offset @at on. Returns 0 or a negative drop reason.
 * An empty one is left out, as the helper wants at least a byte.
 */
static __always_inline int fl_dup_load(FL_CTX *ctx, struct fl_dup_buf *buf, __u32 at, __u32 len)
{
	__u32 last = len - 1;

	if (!len)
		return 0;
	asm volatile("" : "+r"(last));
	if (last >= FL_DUP_PAYLOAD_MAX)
		return -FL_DROP_MALFORMED;
	return bpf_skb_load_bytes(ctx, at, buf->payload, last + 1) ? -FL_DROP_MALFORMED : 0;
}

/* --- from the peer ---------------------------------------------------------------------------- */

/* Take block and HMAC off: the payload moves to the front. Its UDP header stays where it is,
 * because a checksum that is left to a device starts there. */
static __noinline int fl_dup_strip(FL_CTX *ctx, struct fl_pkt *pkt)
{
	struct fl_dup_buf *buf = fl_dup_buf();
	__u32 at = pkt->payload, len, last, cut;
	int err;

	if (!buf)
		return -FL_DROP_INTERNAL;
	cut = (__u32)sizeof(buf->block) + buf->mac_len;
	len = pkt->l3_len - (at - pkt->l3) - cut;
	last = len - 1;
	err = fl_dup_load(ctx, buf, at + sizeof(buf->block), len);
	if (err)
		return err;
	asm volatile("" : "+r"(last));
	if (len && (last >= FL_DUP_PAYLOAD_MAX ||
		    bpf_skb_store_bytes(ctx, at, buf->payload, last + 1, BPF_F_RECOMPUTE_CSUM)))
		return -FL_DROP_TX_ERROR;
	if (bpf_skb_change_tail(ctx, pkt->l3 + pkt->l3_len - cut, 0))
		return -FL_DROP_TX_ERROR;
	return fl_dup_resize(ctx, pkt, -(int)cut,
			     (__u16)~fl_csum_add(fl_dup_block_sum(buf),
						 fl_dup_mac_sum(buf->mac, buf->mac_len, len & 1)));
}

static __always_inline bool fl_dup_is_plain(const struct fl_dup_block *block)
{
	return block->ver_hlen == FL_BE16(FL_DUP_VER_HLEN) && !block->plen &&
	       block->type == FL_BE16(FL_TLV_DUPLICATE_SEQ) &&
	       block->len == FL_BE16(sizeof(block->seq)) && block->seq;
}

static __always_inline bool fl_dup_by(const struct fl_dup *dup, __u32 path)
{
#pragma clang loop unroll(full)
	for (int i = 0; i < FL_DUP_WAYS; i++)
		if (dup->path[i] == path)
			return true;
	return false;
}

static __noinline int fl_dup_let_by(struct fl_dup *dup, __u32 seq)
{
	__u32 now_ms = (__u32)(bpf_ktime_get_ns() / 1000000);
	enum fl_dup_verdict verdict;

	bpf_spin_lock(&dup->lock);
	verdict = fl_dup_check(dup, seq, now_ms);
	bpf_spin_unlock(&dup->lock);
	if (verdict == FL_DUP_NEW) {
		fl_stat_add(FL_STAT_DUP_PASSED);
		return 0;
	}
	return verdict == FL_DUP_AGAIN ? -FL_DROP_DUPLICATE : -FL_DROP_DUP_WINDOW;
}

/* Another side of the session is in copies, this one is not. */
static __always_inline int fl_dup_usual(FL_CTX *ctx, struct fl_job *job, const struct fl_flow *flow)
{
	if (!fl_path_expected(flow, job->path))
		return fl_elsewhere(ctx, job);
	return fl_looks_like_meta(ctx, &job->pkt) ? FL_OWN(fl_job_punt)(ctx, FL_PUNT_META) : 0;
}

/* Is its HMAC one that fl_fpm_prove() can prove? Prepares for that. */
static __always_inline bool fl_dup_provable(struct fl_job *job, struct fl_dup_buf *buf, __u32 len)
{
	const struct fl_path_keys *keys = bpf_map_lookup_elem(&fl_mac_keys, &job->path);
	struct fl_fpm_work *work = fl_fpm_work();

	if (!keys || !work || keys->rx_mode == FL_MAC_UNABLE)
		return false;
	buf->mac_len = keys->rx_mode == FL_MAC_DISABLED ? 0 : keys->rx_len;
	work->path = job->path;
	work->what = job->pkt.l3 ? 0 : FL_FPM_L3;
	work->block_len = FL_FPM_BLOCK_LEN; /* one of ours is longer */
	/* It wants room for a mark, which is longer. */
	return !buf->mac_len || len >= FL_FPM_BLOCK_LEN + buf->mac_len;
}

/*
 * A packet from the peer. Returns FL_DUP_PROVE if its number says whether it may pass, once the
 * HMAC has been proven; 0 if it is like any other session's; else what has become of it.
 */
#define FL_DUP_PROVE 0x207

__noinline int FL_OWN(fl_dup_look)(FL_CTX *ctx)
{
	struct fl_job *job = fl_job_full();
	struct fl_dup_buf *buf = fl_dup_buf();
	struct fl_flow *flow;
	struct fl_dup *dup;
	__u32 len;

	if (!job || !buf)
		return -FL_DROP_INTERNAL;
	flow = fl_flow_at(job->slot);
	if (!flow)
		return -FL_DROP_INTERNAL;
	dup = fl_dup_side(flow, true);
	if (!dup)
		return fl_dup_usual(ctx, job, flow);
	if (!fl_has_cookie(fl_ctx_data(ctx), fl_ctx_end(ctx), &job->pkt))
		return -FL_DROP_META_INCOMPLETE;
	len = job->pkt.l3_len - (job->pkt.payload - job->pkt.l3);
	if (!fl_dup_by(dup, job->path) || job->pkt.proto != FL_IPPROTO_UDP ||
	    !fl_dup_provable(job, buf, len) ||
	    len - sizeof(buf->block) - buf->mac_len > FL_DUP_PAYLOAD_MAX ||
	    bpf_skb_load_bytes(ctx, job->pkt.payload, &buf->block, sizeof(buf->block)) ||
	    !fl_dup_is_plain(&buf->block))
		return FL_OWN(fl_job_punt)(ctx, FL_PUNT_META);
	return FL_DUP_PROVE;
}

/* May the packet pass? If so it is without its number now, like any other's. */
__noinline int FL_OWN(fl_dup_take)(FL_CTX *ctx)
{
	struct fl_job *job = fl_job_full();
	struct fl_dup_buf *buf = fl_dup_buf();
	struct fl_fpm_work *work = fl_fpm_work();
	struct fl_flow *flow = job ? fl_flow_at(job->slot) : NULL;
	struct fl_dup *dup = flow ? fl_dup_side(flow, true) : NULL;
	int err;

	if (!dup || !buf || !work)
		return -FL_DROP_INTERNAL;
	__builtin_memcpy(buf->mac, work->trailer, sizeof(buf->mac));
	err = fl_dup_let_by(dup, FL_HOST32(buf->block.seq));
	return err ? err : fl_dup_strip(ctx, &job->pkt);
}

/* --- to the peer ------------------------------------------------------------------------------ */

/* May a copy go by the path, which must be signed like the @at before it? */
static __always_inline bool fl_dup_signable(struct fl_dup_buf *buf, __u32 id, __u32 at)
{
	const struct fl_path_keys *keys = bpf_map_lookup_elem(&fl_mac_keys, &id);
	__u32 len;

	if (!keys || keys->tx_mode == FL_MAC_UNABLE)
		return false;
	len = keys->tx_mode == FL_MAC_DISABLED ? 0 : keys->tx_len;
	if (!at)
		buf->mac_len = len;
	return buf->mac_len == len;
}

/*
 * Paths that copies go by: known to the peer, up, and of one family. None if the agent has to sign
 * on any of them. Returns 0 or a negative drop reason.
 */
static __noinline int fl_dup_ways(struct fl_dup *dup, struct fl_dup_buf *buf)
{
	__u8 family = 0;

	buf->count = 0;
	buf->mtu = 0xffff;
	buf->mac_len = 0;
	__builtin_memset(buf->mac, 0, sizeof(buf->mac));
	for (__u32 i = 0; i < FL_DUP_WAYS; i++) {
		__u32 id = dup->path[i];
		const struct fl_path *path = bpf_map_lookup_elem(&fl_paths, &id);
		__u32 at = buf->count;

		if (!(dup->ready >> i & 1) || !id || !path || path->state != FL_PATH_UP)
			continue;
		if (family && path->family != family)
			continue;
		if (at >= FL_DUP_WAYS || !fl_dup_signable(buf, id, at)) {
			buf->count = 0;
			return 0;
		}
		family = path->family;
		buf->path[at & (FL_DUP_WAYS - 1)] = id;
		buf->count = at + 1;
		if (path->mtu < buf->mtu)
			buf->mtu = path->mtu;
	}
	return buf->count || !dup->ready ? 0 : -FL_DROP_NO_PATH;
}

/* Put number and block before the payload of a datagram that is rewritten already. */
static __noinline int fl_dup_insert(FL_CTX *ctx, struct fl_pkt *pkt)
{
	struct fl_dup_buf *buf = fl_dup_buf();
	__u32 at = pkt->l4 + (__u32)sizeof(struct fl_udp);
	__u32 len = pkt->l3_len - (at - pkt->l3), last = len + sizeof(buf->block) - 1;
	int err;

	if (!buf)
		return -FL_DROP_INTERNAL;
	err = fl_dup_load(ctx, buf, at, len);
	if (err)
		return err;
	if (bpf_skb_change_tail(ctx, pkt->l3 + pkt->l3_len + sizeof(buf->block) + buf->mac_len, 0))
		return -FL_DROP_TX_ERROR;
	asm volatile("" : "+r"(last));
	if (last >= FL_DUP_PAYLOAD_MAX + sizeof(buf->block) ||
	    bpf_skb_store_bytes(ctx, at, &buf->block, last + 1, BPF_F_RECOMPUTE_CSUM))
		return -FL_DROP_TX_ERROR;
	return fl_dup_resize(ctx, pkt, (int)(sizeof(buf->block) + buf->mac_len),
			     fl_dup_block_sum(buf));
}

/* The HMAC of this path, in the place of the one before (2.8). */
static __always_inline int fl_dup_sign(FL_CTX *ctx, const struct fl_pkt *pkt,
				       struct fl_dup_buf *buf, __u32 id)
{
	__u32 at = pkt->l4 + (__u32)sizeof(struct fl_udp), ref = fl_mac_ref(id, 0);
	__u32 len = pkt->l3_len - (at - pkt->l3) - buf->mac_len;
	const struct fl_hmac_work *m = fl_hmac_work();
	__u16 delta;

	if (!buf->mac_len)
		return 0;
	if (!m || FL_OWN(fl_hmac_begin)(ctx, at, len, ref) ||
	    FL_OWN(fl_hmac_end)(ref, len, fl_hmac_window(ref)))
		return -FL_DROP_TX_ERROR;
	if (buf->mac_len == 16 ? bpf_skb_store_bytes(ctx, at + len, m->mac, 16, 0)
			       : bpf_skb_store_bytes(ctx, at + len, m->mac, 32, 0))
		return -FL_DROP_TX_ERROR;
	delta = fl_csum_sub(fl_dup_mac_sum(m->mac, buf->mac_len, len & 1),
			    fl_dup_mac_sum(buf->mac, buf->mac_len, len & 1));
	__builtin_memcpy(buf->mac, m->mac, sizeof(buf->mac));
	fl_stat_add(FL_STAT_HMAC_ADDED);
	return bpf_l4_csum_replace(ctx, pkt->l4 + (__u32)offsetof(struct fl_udp, check), 0, delta,
				   BPF_F_MARK_MANGLED_0)
		       ? -FL_DROP_TX_ERROR
		       : 0;
}

/* The session's packet becomes a datagram to the first path's waypoint. */
__noinline int FL_OWN(fl_dup_first)(FL_CTX *ctx)
{
	struct fl_job *job = fl_job_full();
	const struct fl_flow *flow = job ? fl_flow_at(job->slot) : NULL;
	struct fl_dup_buf *buf = fl_dup_buf();
	struct fl_rewrite rw = {};
	bool simple;
	int err;

	if (!flow || !buf)
		return -FL_DROP_INTERNAL;
	rw.path = (__u16)buf->path[0];
	rw.ports = *(const fl_u32_al *)&flow->dport;
	rw.port_delta = flow->port_delta;
	err = fl_nat_by_path(flow, &job->pkt, &rw, false);
	if (err)
		return err;
	if (job->path)
		rw.addr_delta += (__u16)~job->path_sum;
	job->pkt.ttl--;
	simple = fl_ctx_is_simple(&job->pkt, &rw);
	err = simple ? fl_tc_rewrite_inplace(ctx, &job->pkt, &rw)
		     : fl_tc_rebuild(ctx, &job->pkt, &rw);
	if (err)
		return err;
	job->pkt.l3_len += (__u32)fl_rewrite_growth(&job->pkt, &rw);
	job->pkt.family = rw.family;
	job->pkt.proto = FL_IPPROTO_UDP;
	if (!simple)
		job->pkt.l4 = (__u16)(job->pkt.l3 + (rw.family == 6 ? sizeof(struct fl_ip6)
								    : sizeof(struct fl_ip4)));
	return fl_dup_insert(ctx, &job->pkt);
}

/* The datagram to @old's waypoint becomes one to @path's. */
static __always_inline int fl_dup_readdress(FL_CTX *ctx, const struct fl_pkt *pkt,
					    const struct fl_path *path, __u16 old_sum)
{
	__u32 check = pkt->l4 + (__u32)offsetof(struct fl_udp, check);
	__u16 delta = fl_csum_sub(path->addr_sum, old_sum);
	long err;

	if (pkt->family == 4) {
		__u32 at = pkt->l3 + (__u32)offsetof(struct fl_ip4, src);

		err = bpf_skb_store_bytes(ctx, at, path->local, 4, 0);
		err |= bpf_skb_store_bytes(ctx, at + 4, path->remote, 4, 0);
		err |= bpf_l3_csum_replace(ctx, pkt->l3 + (__u32)offsetof(struct fl_ip4, check), 0,
					   delta, 0);
	} else {
		err = bpf_skb_store_bytes(ctx, pkt->l3 + (__u32)offsetof(struct fl_ip6, src),
					  path->local, 32, 0);
	}
	err |= bpf_l4_csum_replace(ctx, check, 0, delta, BPF_F_PSEUDO_HDR | BPF_F_MARK_MANGLED_0);
	return err ? -FL_DROP_TX_ERROR : 0;
}

/* Link header of the way, and off: a copy if others follow, else the packet itself. */
static __noinline int fl_dup_leave(FL_CTX *ctx, struct fl_job *job, const struct fl_path *path,
				   bool more)
{
	struct fl_rewrite rw = {
		.macs = path->dmac,
		.family = path->family,
		.vlan = path->vlan,
		.ivlan = path->ivlan,
		.tx_flags = path->tx_flags,
	};
	__u16 shift = 0;
	int err;

	err = fl_tc_untag(ctx, &job->pkt);
	if (!err)
		err = fl_tc_rewrite_l2(ctx, &job->pkt, &rw);
	if (err)
		return err;
	fl_stat_add(FL_STAT_DUP_SENT);
	ctx->tc_index = FL_TC_INDEX_OURS;
	if (!more)
		return FL_DONE_SENT | (int)bpf_redirect(path->ifindex, 0);
	if (bpf_clone_redirect(ctx, path->ifindex, 0))
		fl_drop_count(FL_DROP_TX_ERROR);
	/* Bare again for the next: no tags, and a link header if there ever was one. */
	if (rw.vlan && bpf_skb_vlan_pop(ctx))
		return -FL_DROP_TX_ERROR;
	if (rw.ivlan && bpf_skb_vlan_pop(ctx))
		return -FL_DROP_TX_ERROR;
	if (job->pkt.l3 || !(rw.tx_flags & FL_TX_L3))
		shift = (__u16)(sizeof(struct fl_eth) - job->pkt.l3);
	job->pkt.l3 += shift;
	job->pkt.l4 += shift;
	return 0;
}

/* The copy by the way with number @at. */
__noinline int FL_OWN(fl_dup_copy)(FL_CTX *ctx, __u32 at)
{
	struct fl_job *job = fl_job_full();
	struct fl_dup_buf *buf = fl_dup_buf();
	const struct fl_path *path, *before;
	__u32 id;

	if (!job || !buf || at >= FL_DUP_WAYS)
		return -FL_DROP_INTERNAL;
	id = buf->path[at];
	path = bpf_map_lookup_elem(&fl_paths, &id);
	if (!path)
		return -FL_DROP_INTERNAL;
	if (at) {
		__u32 last = buf->path[(at - 1) & (FL_DUP_WAYS - 1)];

		before = bpf_map_lookup_elem(&fl_paths, &last);
		if (!before || fl_dup_readdress(ctx, &job->pkt, path, before->addr_sum))
			return -FL_DROP_TX_ERROR;
	}
	if (fl_dup_sign(ctx, &job->pkt, buf, id))
		return -FL_DROP_TX_ERROR;
	return fl_dup_leave(ctx, job, path, at + 1 < buf->count);
}

static __noinline int fl_dup_copies(FL_CTX *ctx)
{
	struct fl_dup_buf *buf = fl_dup_buf();
	int err = -FL_DROP_INTERNAL;

	if (!buf)
		return -FL_DROP_INTERNAL;
	for (__u32 i = 0; i < FL_DUP_WAYS && i < buf->count; i++) {
		err = FL_OWN(fl_dup_copy)(ctx, i);
		if (err)
			return err;
	}
	return err;
}

/* Bytes that the packet will have at layer 3 before its block is put in. */
static __always_inline __u32 fl_dup_len(const struct fl_job *job, const struct fl_flow *flow,
					__u8 family)
{
	__u32 len = job->pkt.l3_len;

	if (family != job->pkt.family)
		len += family == 6 ? 20 : (__u32)-20;
	if (flow->flags & FL_FLOW_WRAP && flow->key.kind != FL_KEY_PEER)
		len += sizeof(struct fl_udp);
	return len;
}

/*
 * Number the packet: its block and its ways into the buffer. A session whose other side only is
 * carried in copies is sent like any other. Returns 0 if there are copies to be sent.
 */
__noinline int FL_OWN(fl_dup_number)(FL_CTX *ctx)
{
	struct fl_job *job = fl_job_full();
	struct fl_flow *flow = job ? fl_flow_at(job->slot) : NULL;
	struct fl_dup_buf *buf = fl_dup_buf();
	const struct fl_path *path;
	struct fl_dup *dup;
	__u32 len, seq, id;
	int err;

	if (!flow || !buf)
		return -FL_DROP_INTERNAL;
	dup = fl_dup_side(flow, false);
	if (!dup)
		return fl_send(ctx, job, flow, flow->out_kind, false);
	err = fl_dup_ways(dup, buf);
	if (err)
		return err;
	id = buf->path[0];
	path = bpf_map_lookup_elem(&fl_paths, &id);
	if (!buf->count || !path)
		return FL_OWN(fl_job_punt)(ctx, FL_PUNT_SIGNAL);
	len = fl_dup_len(job, flow, path->family);
	if (len + sizeof(buf->block) + buf->mac_len > buf->mtu || len > FL_DUP_PAYLOAD_MAX)
		return FL_OWN(fl_job_punt)(ctx, FL_PUNT_TOO_BIG);
	bpf_spin_lock(&dup->lock);
	seq = fl_dup_next(dup);
	bpf_spin_unlock(&dup->lock);
	*(fl_u64_una *)buf->block.cookie = FL_META_COOKIE;
	buf->block.ver_hlen = FL_BE16(FL_DUP_VER_HLEN);
	buf->block.plen = 0;
	buf->block.type = FL_BE16(FL_TLV_DUPLICATE_SEQ);
	buf->block.len = FL_BE16(sizeof(buf->block.seq));
	buf->block.seq = FL_BE32(seq);
	flow->packets++;
	flow->bytes += job->pkt.l3_len;
	flow->last_seen = (__u32)bpf_jiffies64();
	return 0;
}

/* --- all of it -------------------------------------------------------------------------------- */

/* Does the packet that fl_dup_look() has seen carry an HMAC? */
static __always_inline bool fl_dup_unproven(void)
{
	struct fl_dup_buf *buf = fl_dup_buf();

	return buf && buf->mac_len;
}

/* Every step is a call of its own, so that none of them stands on another's stack; and not static,
 * so that the verifier walks it once. */
static __always_inline int fl_dup(FL_CTX *ctx, struct fl_job *job)
{
	struct fl_flow *flow = fl_flow_at(job->slot);
	int err;

	if (!flow)
		return -FL_DROP_INTERNAL;
	if (fl_ctx_gso_size(ctx))
		return FL_OWN(fl_job_punt)(ctx, job->path ? FL_PUNT_META : FL_PUNT_SIGNAL);
	if (job->path) {
		err = FL_OWN(fl_dup_look)(ctx);
		if (err == FL_DUP_PROVE) {
			err = fl_dup_unproven() ? FL_OWN(fl_fpm_prove)(ctx) : 0;
			if (!err)
				err = FL_OWN(fl_dup_take)(ctx);
		}
		if (err)
			return err;
	}
	if (job->pkt.ttl <= 1 && flow->out_kind != FL_OUT_HOST)
		return fl_expired(ctx, job);
	err = fl_admit(ctx, job, flow);
	if (err)
		return err;
	err = FL_OWN(fl_dup_number)(ctx);
	if (err)
		return err;
	err = FL_OWN(fl_dup_first)(ctx);
	return err ? err : fl_dup_copies(ctx);
}

#endif
