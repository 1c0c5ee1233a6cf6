/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stages of ingress, in order, for XDP and TC alike: who sent it, which flow, may it pass, does
 * it need the agent, rewrite, send. A stage returns 0 to go on, a negative drop reason, or a
 * positive FL_DONE_*; only fl_verdict() turns that into what the hook returns.
 *
 * The stages are compiled twice. The common path (plain = true) takes the packet of an established
 * session that has no options, tags or fragments, and keeps everything in registers at constant
 * offsets; where it meets anything else it gives up with FL_NOT_PLAIN. The full path (plain =
 * false) then starts anew, with its state in memory. Carrying the common path's results over would
 * keep them alive, and spilling a dozen values to the stack costs the common packet more than all
 * of its lookups.
 */
#ifndef FL_BPF_PIPELINE_H
#define FL_BPF_PIPELINE_H

#include "bpf/lib/job.bpf.h"
#include "bpf/lib/nat.bpf.h"
#include "bpf/lib/tcp.bpf.h"
#include "bpf/lib/uncommon.bpf.h"

/* The responder's side has heard a bare forward packet: the peer has our answer (SEND_R -> EST). */
static __noinline void fl_handshake_done(struct fl_flow *flow)
{
	const struct fl_session *session;
	__u32 id = flow->session;
	struct fl_flow *twin;

	session = bpf_map_lookup_elem(&fl_sessions, &id);
	if (!session)
		return;
	twin = fl_flow_at(session->slot[1]);
	if (twin && twin->session == id)
		twin->state &= ~FL_FLOW_TX_META;
	flow->state &= ~FL_FLOW_RX_META;
	fl_stat_add(FL_STAT_HANDSHAKE_DONE);
}

/* Is there a cookie where any segment of a super-packet starts? Then the agent takes it apart. */
struct fl_gso_scan {
	FL_CTX *ctx;
	__u32 at;
	__u32 step;
	__u32 end;
	__u32 found;
};

static long fl_gso_scan_step(__u32 i, struct fl_gso_scan *scan)
{
	__u64 word;

	(void)i;
	if (scan->at + 8 > scan->end)
		return 1;
	if (!fl_ctx_load(scan->ctx, scan->at, &word, sizeof(word)) && word == FL_META_COOKIE) {
		scan->found = 1;
		return 1;
	}
	scan->at += scan->step;
	return 0;
}

static __noinline bool fl_gso_has_cookie(FL_CTX *ctx, __u32 payload)
{
	struct fl_gso_scan scan = {
		.ctx = ctx,
		.at = payload,
		.step = fl_ctx_gso_size(ctx),
		.end = fl_ctx_len(ctx),
	};

	if (scan.step)
		bpf_loop(512, fl_gso_scan_step, &scan, 0);
	return scan.found;
}

/* TCP state and handshake: may a packet of this flow pass as it is? */
static __noinline int fl_admit(FL_CTX *ctx, const struct fl_job *job, struct fl_flow *flow)
{
	int err;

	if (flow->tcp != FL_TCP_NONE && !fl_tcp_goes_by(flow->tcp, flow->flags, &job->pkt)) {
		if (fl_tcp_reopens(flow, &job->pkt))
			return FL_OWN(fl_job_punt)(ctx, job->path ? FL_PUNT_BARE : FL_PUNT_NEW);
		err = FL_OWN(fl_tcp_track)(ctx);
		if (err)
			return err;
	}
	if (flow->state & FL_FLOW_RX_META) {
		if (flow->flags & FL_FLOW_REVERSE)
			return -FL_DROP_NOT_ACKED;
		fl_handshake_done(flow);
	}
	if (flow->state & FL_FLOW_TX_META)
		return FL_OWN(fl_job_punt)(ctx, FL_PUNT_SIGNAL);
	return 0;
}

/* Metadata, or what looks like it, at the start of the payload. */
static __always_inline bool fl_looks_like_meta(FL_CTX *ctx, const struct fl_pkt *pkt)
{
	if (fl_has_cookie(fl_ctx_data(ctx), fl_ctx_end(ctx), pkt))
		return true;
	if (!FL_CTX_IS_XDP && fl_ctx_gso_size(ctx))
		return fl_gso_has_cookie(ctx, pkt->payload);
	return false;
}

/* Does it fit the way out? A super-packet is as large as its segments. */
static __always_inline bool fl_too_big(FL_CTX *ctx, const struct fl_pkt *pkt,
				       const struct fl_rewrite *rw)
{
	__u32 len = pkt->l3_len;

	if (!FL_CTX_IS_XDP && fl_ctx_gso_size(ctx))
		len = fl_ctx_gso_size(ctx) + (__u32)(pkt->payload - pkt->l3);
	return (int)len + fl_rewrite_growth(pkt, rw) > rw->mtu;
}

/* Is it time for a mark in this packet (fpm.bpf.h)? @now: jiffies */
static __always_inline bool fl_mark_is_due(FL_CTX *ctx, const struct fl_job *job,
					   const struct fl_rewrite *rw, __u64 now)
{
	const struct fl_path *path = rw->watched;

	/* Asked of the pointer itself, not of why it is NULL: the verifier of 6.1 needs that. */
	FL_KEEP(path);
	if (!path || job->pkt.flags & FL_PKT_PORTLESS)
		return false;
	return fl_fpm_wants(ctx, &job->pkt, path,
			    job->pkt.l3_len + (__u32)fl_rewrite_growth(&job->pkt, rw), now);
}

/* Without a payload there is nothing that an HMAC could be of (svr-protocol.md 2.8). */
static __always_inline bool fl_has_payload(const struct fl_pkt *pkt)
{
	return pkt->flags & FL_PKT_PORTLESS || pkt->payload < pkt->l3 + pkt->l3_len;
}

/*
 * Is the packet to be marked, or to end with its HMAC, once it is rewritten? Returns FL_DONE_MARK
 * or 0.
 */
static __always_inline int fl_wants_mark(FL_CTX *ctx, const struct fl_job *job,
					 const struct fl_rewrite *rw, __u64 now)
{
	__u32 what = 0;

	if (!rw->path || !(rw->tx_flags & (FL_TX_FPM | FL_TX_SEAL)))
		return 0;
	if (rw->tx_flags & FL_TX_SEAL && fl_has_payload(&job->pkt))
		what = FL_FPM_SEAL;
	if (fl_mark_is_due(ctx, job, rw, now))
		what |= FL_FPM_MARK;
	if (!what)
		return 0;
	if (!job->pkt.l3 && rw->tx_flags & FL_TX_L3)
		what |= FL_FPM_L3;
	fl_fpm_order(&job->pkt, rw->path, what);
	return FL_DONE_MARK;
}

/* Rewrite and send. @out, a constant in the common path, is the flow's out_kind. */
static __always_inline int fl_send(FL_CTX *ctx, struct fl_job *job, struct fl_flow *flow,
				   enum fl_out_kind out, bool plain)
{
	struct fl_rewrite rw = {};
	int err, mark = 0;
	__u64 now;

	err = fl_nat_resolve(flow, out, &job->pkt, &rw, plain);
	if (err)
		return err;
	/* Packets of a peer arrive with their path's addresses; the flow does not know which path.
	 */
	if (job->path)
		rw.addr_delta += (__u16)~job->path_sum;
	if (fl_too_big(ctx, &job->pkt, &rw))
		return plain ? FL_NOT_PLAIN : FL_OWN(fl_job_punt)(ctx, FL_PUNT_TOO_BIG);
	/* Each segment needs an HMAC of its own: the agent takes the super-packet apart. */
	if (!FL_CTX_IS_XDP && !plain && rw.tx_flags & FL_TX_SEAL && fl_ctx_gso_size(ctx))
		return FL_OWN(fl_job_punt)(ctx, FL_PUNT_TOO_BIG);
	if (FL_CTX_IS_XDP && (rw.tx_flags & FL_TX_SKB))
		return FL_DONE_KERNEL; /* the TC program on this device does the same and can send
					  it */
	now = bpf_jiffies64();
	if (plain && fl_mark_is_due(ctx, job, &rw, now))
		return FL_NOT_PLAIN;
	if (rw.macs)
		job->pkt.ttl--; /* one hop; delivery to this host is none */
	flow->packets++;
	flow->bytes += job->pkt.l3_len;
	flow->last_seen = (__u32)now;
	if (!plain)
		mark = fl_wants_mark(ctx, job, &rw, now);
	err = fl_ctx_forward(ctx, &job->pkt, &rw, plain);
	return err < 0 ? err : FL_DONE_SENT | mark | err;
}

/* A packet with metadata, or that would look as if. A mark is read here, the rest by the agent. */
static __always_inline int fl_meta(FL_CTX *ctx, const struct fl_job *job)
{
	if (!job->path)
		return FL_OWN(fl_job_punt)(ctx, FL_PUNT_FENCE);
	if (fl_fpm_is_mark(ctx, &job->pkt, job->path, job->session))
		return FL_GO_UNMARK;
	return FL_OWN(fl_job_punt)(ctx, FL_PUNT_META);
}

/* Nothing to do for this flow but to rewrite and send. Four bytes side by side: one load. */
static __always_inline bool fl_flow_is_plain(const struct fl_flow *flow, const struct fl_pkt *pkt)
{
	const __u32 four = *(const fl_u32_al *)&flow->out_kind;
	const __u8 state = (__u8)(four >> 8), tcp = (__u8)(four >> 16), flags = (__u8)(four >> 24);

	if (state || flags & (FL_FLOW_WRAP | FL_FLOW_DUP))
		return false;
	return tcp == FL_TCP_NONE || fl_tcp_goes_by((enum fl_tcp_state)tcp, flags, pkt);
}

/*
 * A flow was found: may the packet pass, does it need the agent, then send it. What is not simply
 * sent on makes the common path give up.
 */
static __always_inline int fl_forward(FL_CTX *ctx, struct fl_job *job, struct fl_flow *flow,
				      bool plain)
{
	const enum fl_out_kind out = flow->out_kind;
	int err;

	if (plain && !fl_flow_is_plain(flow, &job->pkt))
		return FL_NOT_PLAIN;
	if (job->path || out == FL_OUT_PEER) {
		if (fl_looks_like_meta(ctx, &job->pkt))
			return plain ? FL_NOT_PLAIN : fl_meta(ctx, job);
	}
	if (job->pkt.ttl <= 1 && out != FL_OUT_HOST)
		return plain ? FL_NOT_PLAIN : fl_expired(ctx, job);
	if (!plain) {
		err = fl_admit(ctx, job, flow);
		if (err)
			return err;
		return fl_send(ctx, job, flow, out, false);
	}
	if (out == FL_OUT_PEER)
		return fl_send(ctx, job, flow, FL_OUT_PEER, true);
	if (out == FL_OUT_NEXTHOP)
		return fl_send(ctx, job, flow, FL_OUT_NEXTHOP, true);
	return FL_NOT_PLAIN;
}

/* Was this frame sent to us? Without promiscuous mode others rarely come up, but veth and bridges
 * do it. */
static __always_inline bool fl_for_us(const __u8 *dst, const void *end,
				      const struct fl_iface *iface)
{
	if ((const void *)(dst + sizeof(struct fl_eth)) > end)
		return false;
	/* Six bytes as one word: what follows them is shifted out. */
	return *(const fl_u64_una *)dst << 16 == *(const fl_u64_al *)iface->mac << 16;
}

/* @family: constant 4 or 6 in the common path, where the caller has looked at the type; else 0. */
static __always_inline int fl_parse(FL_CTX *ctx, struct fl_job *job, __u8 family)
{
	const struct fl_iface *iface;
	const void *data, *end;
	bool l3_device = false;
	int err;

	if (!FL_CTX_IS_XDP) {
		iface = fl_iface_find(fl_ctx_ifindex(ctx), 0, 0);
		l3_device = iface && iface->flags & FL_IFACE_L3;
		if (fl_ctx_pull(ctx, FL_PULL_LEN))
			return FL_DONE_KERNEL;
	}
	err = fl_ctx_parse_l2(ctx, l3_device, &job->pkt, family);
	if (err)
		return err == FL_NOT_PLAIN ? err : FL_DONE_KERNEL;
	if (!family && job->pkt.eth_proto != FL_ETH_P_IP && job->pkt.eth_proto != FL_ETH_P_IPV6)
		return FL_DONE_KERNEL;
	iface = fl_iface_find(fl_ctx_ifindex(ctx), job->pkt.vlan, job->pkt.ivlan);
	if (!iface)
		return FL_DONE_KERNEL;
	data = fl_ctx_data(ctx);
	end = fl_ctx_end(ctx);
	if (!l3_device && !fl_for_us(data, end, iface))
		return FL_DONE_KERNEL;
	job->iface = iface->id;
	job->iface_flags = iface->flags;
	if (family == 4)
		err = fl_parse_ip4(ctx, data, end, &job->pkt, 1);
	else if (family == 6)
		err = fl_parse_ip6(ctx, data, end, &job->pkt, 1);
	else
		err = fl_parse_l3(ctx, data, end, &job->pkt);
	if (err)
		return err;
	if ((long)end - (long)data < (long)(job->pkt.l3 + job->pkt.l3_len) &&
	    (family || job->pkt.l3 + job->pkt.l3_len > fl_ctx_len(ctx)))
		return family ? FL_NOT_PLAIN : -FL_DROP_MALFORMED;
	return 0;
}

/* The flow of a packet: from a peer by waypoint ports, else by its own tuple. */
static __always_inline int fl_find_flow(FL_CTX *ctx, const struct fl_job *job, bool host,
					struct fl_found *found, bool plain)
{
	const struct fl_pkt *pkt = &job->pkt;
	struct fl_key_words words = {};
	__u32 slot = 0;

	if (job->path) {
		words.rest = fl_key_rest(pkt->ports, job->peer, pkt->proto, FL_KEY_PEER);
	} else if (pkt->family == 4) {
		words.addrs = pkt->addrs;
		words.rest = fl_key_rest(pkt->ports, job->iface, pkt->proto,
					 host ? FL_KEY_HOST4 : FL_KEY_LAN4);
	} else {
		found->flow = fl_find_tuple6(ctx, pkt->l3,
					     fl_key_rest(pkt->ports, job->iface, pkt->proto,
							 host ? FL_KEY_HOST6 : FL_KEY_LAN6),
					     &slot);
		found->slot = slot;
		return 0;
	}
	if (!fl_flow_find(&words, found) && !plain) {
		found->flow = fl_flow_find_spilled(words.addrs, words.rest, &slot);
		found->slot = slot;
	}
	return 0;
}

/*
 * Does a peer's packet still have to be proven: one of a session, with a payload that is no block
 * of metadata? Returns 0, FL_GO_UNSEAL, or a negative drop reason.
 */
static __noinline int fl_unproven(FL_CTX *ctx, const struct fl_job *job)
{
	const struct fl_path *path = bpf_map_lookup_elem(&fl_paths, &job->path);

	if (job->proven || job->pkt.flags & (FL_PKT_FRAGMENT | FL_PKT_PORTLESS) || !path ||
	    !fl_in_waypoint_range(path, &job->pkt) || !fl_has_payload(&job->pkt) ||
	    fl_has_cookie(fl_ctx_data(ctx), fl_ctx_end(ctx), &job->pkt))
		return 0;
	/* None of ours: segments that end with HMACs are not merged, their numbers do not fit. */
	if (!FL_CTX_IS_XDP && fl_ctx_gso_size(ctx))
		return -FL_DROP_HMAC_MISMATCH;
	fl_fpm_expect(job->path, !job->pkt.l3);
	return FL_GO_UNSEAL;
}

/* The stages once it is known whether the packet is a peer's. */
static __always_inline int fl_ingress_from(FL_CTX *ctx, struct fl_job *job, bool plain)
{
	struct fl_found found = {};
	int err;

	if (job->path && job->iface_flags & FL_IFACE_SEALED) {
		err = plain ? FL_NOT_PLAIN : fl_unproven(ctx, job);
		if (err)
			return err;
	}
	if (!plain && job->pkt.flags & FL_PKT_FRAGMENT)
		return FL_GO_FRAGMENT;
	if (!plain && job->pkt.flags & FL_PKT_ICMP_ERROR)
		return FL_GO_ICMP_ERROR;
	err = fl_find_flow(ctx, job, false, &found, plain);
	if (err)
		return err;
	if (!found.flow) {
		if (plain)
			return FL_NOT_PLAIN;
		return job->path ? FL_GO_PEER_MISS : FL_GO_LAN_MISS;
	}
	if (!plain) {
		job->slot = found.slot;
		job->session = found.flow->session;
		if (found.flow->flags & FL_FLOW_DUP)
			return FL_GO_DUP;
	}
	if (job->path && !fl_path_expected(found.flow, job->path))
		return plain ? FL_NOT_PLAIN : fl_elsewhere(ctx, job);
	return fl_forward(ctx, job, found.flow, plain);
}

/* The order of the stages for a packet that comes in on an interface. @family as for fl_parse(). */
static __always_inline int fl_ingress_stages(FL_CTX *ctx, struct fl_job *job, __u8 family)
{
	const bool plain = family != 0;
	int err;

	err = fl_parse(ctx, job, family);
	if (err)
		return err;
	if ((job->iface_flags & FL_IFACE_WAN) && !(job->pkt.flags & FL_PKT_PORTLESS) &&
	    fl_find_path(ctx, job))
		return plain ? FL_NOT_PLAIN : fl_stray(job);
	/* Twice: what only a peer's packets need is then nowhere on the others' way. */
	if (plain && !job->path)
		return fl_ingress_from(ctx, job, true);
	return fl_ingress_from(ctx, job, plain);
}

static __always_inline int fl_verdict(int result)
{
	if (result >= FL_DONE_SENT)
		return result & 0xff;
	if (result >= 0)
		return result == FL_DONE_PUNTED ? FL_CTX_CONSUMED : FL_CTX_PASS;
	fl_drop_count((enum fl_drop_reason) - result);
	return FL_CTX_DROP;
}

/* With the hook: the packet's HMAC held, and has been taken off. */
#define FL_HOOK_PROVEN 0x100

/* Not static: the verifier walks it once, though it is called from two places. */
__noinline int FL_OWN(fl_ingress_full)(FL_CTX *ctx, __u32 hook)
{
	struct fl_job *job = fl_job_full();

	if (!job)
		return -FL_DROP_INTERNAL;
	__builtin_memset(job, 0, sizeof(*job));
	job->hook = (enum fl_hook)(hook & 0xff);
	job->proven = hook >> 8;
	job->slot = FL_NO_SLOT;
	return fl_ingress_stages(ctx, job, 0);
}

/* A packet of a flow with FL_FLOW_DUP: dup.bpf.h, but XDP leaves it to TC. */
static __always_inline int fl_dup(FL_CTX *ctx, struct fl_job *job);

/* What the stages left to be done: no flow, or one that is carried in copies. */
static __noinline int fl_ingress_rest(FL_CTX *ctx, int stage)
{
	struct fl_job *job = fl_job_full();

	if (!job)
		return -FL_DROP_INTERNAL;
	switch (stage) {
	case FL_GO_FRAGMENT:
		return fl_fragment(ctx, job);
	case FL_GO_ICMP_ERROR:
		return fl_icmp_error(ctx, job);
	case FL_GO_PEER_MISS:
		return fl_peer_miss(ctx, job);
	case FL_GO_DUP:
		return fl_dup(ctx, job);
	default:
		return fl_lan_miss(ctx, job);
	}
}

/* A packet that was sent, and is to leave marked. */
static __always_inline int fl_marked(FL_CTX *ctx, int result)
{
	int err = FL_OWN(fl_fpm_mark)(ctx);

	/* One after the other from here: call chains share 512 bytes of stack. */
	if (err > 0)
		err = FL_OWN(fl_fpm_sign)(ctx);
	return err ? err : result & ~FL_DONE_MARK;
}

static __always_inline int fl_ingress_uncommon(FL_CTX *ctx, enum fl_hook hook)
{
	int result = FL_OWN(fl_ingress_full)(ctx, hook);

	if (result == FL_GO_UNMARK || result == FL_GO_UNSEAL) {
		result = FL_OWN(fl_fpm_prove)(ctx);
		if (!result)
			result = FL_OWN(fl_fpm_unmark)(ctx);
		if (!result)
			result = FL_OWN(fl_ingress_full)(ctx, hook | FL_HOOK_PROVEN);
		if (result == FL_GO_UNMARK) /* a mark in a mark */
			return -FL_DROP_META_MALFORMED;
	}
	if (result >= (FL_DONE_SENT | FL_DONE_MARK))
		return fl_marked(ctx, result);
	return result >= FL_GO_FRAGMENT ? fl_ingress_rest(ctx, result) : result;
}

static __always_inline int fl_ingress_common(FL_CTX *ctx, enum fl_hook hook)
{
	struct fl_job job = { .hook = hook };

	/* Twice, so that each has constant offsets. */
	switch (fl_ctx_eth_proto(ctx)) {
	case FL_BE16(FL_ETH_P_IP):
		return fl_ingress_stages(ctx, &job, 4);
	case FL_BE16(FL_ETH_P_IPV6):
		return fl_ingress_stages(ctx, &job, 6);
	}
	return FL_NOT_PLAIN;
}

static __always_inline int fl_ingress(FL_CTX *ctx, enum fl_hook hook)
{
	int result = fl_ingress_common(ctx, hook);

	if (result == FL_NOT_PLAIN)
		result = fl_ingress_uncommon(ctx, hook);
	return fl_verdict(result);
}

#endif
