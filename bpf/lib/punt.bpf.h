/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Handing packets to the agent, and the token buckets in front of that door. Include a context
 * layer first.
 */
#ifndef FL_BPF_PUNT_H
#define FL_BPF_PUNT_H

#include "bpf/lib/drop.bpf.h"
#include "bpf/maps.bpf.h"
#include "common/punt.h"

struct fl_punt_req {
	enum fl_punt_reason reason;
	enum fl_hook hook;
	__u16 iface;
	__u16 path;
	__u32 slot;
	__u32 session;
};

/*
 * How to submit a record that has been reserved: to an agent that is awake without waking it, which
 * costs an interrupt of this CPU to itself. Before the agent sleeps, it says so and then looks for
 * reserved records; here one is reserved before it is looked whether the agent sleeps. Both put a
 * full barrier in between, so one of them sees the other.
 */
static __always_inline __u64 fl_punt_wake(struct fl_punt *rec)
{
	const struct fl_settings *settings;
	__u32 zero = 0;

	settings = bpf_map_lookup_elem(&fl_settings, &zero);
	/* An exchange is the barrier that BPF has. */
	if (__sync_lock_test_and_set(&rec->reserved2, 0) || !settings)
		return 0;
	return *(const volatile __u16 *)&settings->agent_awake ? BPF_RB_NO_WAKEUP : 0;
}

/*
 * Copy the IP packet into a record of @cap data bytes. @ring and @cap are constants at each call.
 * Returns 0 or a negative drop reason.
 */
static __always_inline int fl_punt_copy(void *ring, __u32 cap, FL_CTX *ctx,
					const struct fl_pkt *pkt, const struct fl_punt_req *req,
					__u32 len)
{
	struct fl_punt *rec = bpf_ringbuf_reserve(ring, sizeof(*rec) + cap, 0);
	__u32 last = len - 1;

	if (!rec)
		return -FL_DROP_PUNT_FULL;
	rec->reason = req->reason;
	rec->hook = req->hook;
	rec->iface = req->iface;
	rec->path = req->path;
	rec->gso_size = fl_ctx_gso_size(ctx);
	rec->slot = req->slot;
	rec->session = req->session;
	rec->reserved = 0;
	rec->reserved2 = 0;
	__builtin_memset(rec->smac, 0, sizeof(rec->smac));
	if (pkt->l3 >= sizeof(struct fl_eth))
		fl_ctx_load(ctx, offsetof(struct fl_eth, src), rec->smac, sizeof(rec->smac));
	/*
	 * Keep clang from reasoning the bounds away: the verifier needs to see them. Before 6.8 it
	 * does not learn from a test against 0 that a length is at least 1, so one less is tested.
	 */
	asm volatile("" : "+r"(last));
	if (last >= cap) {
		bpf_ringbuf_discard(rec, 0);
		return -FL_DROP_MALFORMED;
	}
	len = last + 1;
	rec->len = len;
	if (fl_ctx_load(ctx, pkt->l3, rec->data, len)) {
		bpf_ringbuf_discard(rec, 0);
		return -FL_DROP_MALFORMED;
	}
	bpf_ringbuf_submit(rec, fl_punt_wake(rec));
	return 0;
}

static __always_inline int fl_punt_class(void *ring, FL_CTX *ctx, const struct fl_pkt *pkt,
					 const struct fl_punt_req *req, __u32 len)
{
	if (len <= FL_PUNT_SMALL)
		return fl_punt_copy(ring, FL_PUNT_SMALL, ctx, pkt, req, len);
	if (len <= FL_PUNT_MEDIUM)
		return fl_punt_copy(ring, FL_PUNT_MEDIUM, ctx, pkt, req, len);
	if (FL_CTX_IS_XDP || len <= FL_PUNT_LARGE)
		return fl_punt_copy(ring, FL_PUNT_LARGE, ctx, pkt, req, len);
	return fl_punt_copy(ring, FL_PUNT_HUGE, ctx, pkt, req, len);
}

static __always_inline enum fl_stat fl_punt_stat(enum fl_punt_reason reason)
{
	if (reason == FL_PUNT_NEW)
		return FL_STAT_PUNT_NEW;
	if (reason == FL_PUNT_META)
		return FL_STAT_PUNT_META;
	if (reason == FL_PUNT_SIGNAL || reason == FL_PUNT_FENCE)
		return FL_STAT_PUNT_SIGNAL;
	return FL_STAT_PUNT_OTHER;
}

/**
 * fl_punt() - hand a packet to the agent
 *
 * Packets of flows that exist go through a ring of their own, which new sessions cannot fill.
 *
 * Return: 0, the packet is the agent's now; or a negative drop reason.
 */
static __always_inline int fl_punt(FL_CTX *ctx, const struct fl_pkt *pkt,
				   const struct fl_punt_req *req)
{
	__u32 len = fl_ctx_len(ctx);
	int err;

	if (len <= pkt->l3)
		return -FL_DROP_MALFORMED;
	len -= pkt->l3;
	if (len > pkt->l3_len && !fl_ctx_gso_size(ctx))
		len = pkt->l3_len;
	if (req->slot != FL_NO_SLOT)
		err = fl_punt_class(&fl_punt_live, ctx, pkt, req, len);
	else
		err = fl_punt_class(&fl_punt_new, ctx, pkt, req, len);
	if (!err)
		fl_stat_add(fl_punt_stat(req->reason));
	return err;
}

/*
 * Take one token. Racing CPUs may both take the last one: a bucket limits, it does not count.
 * Returns true if there was one.
 */
static __always_inline bool fl_bucket_take(struct fl_token_bucket *bucket,
					   const struct fl_rate *rate, __u64 now_ns)
{
	__u64 elapsed_us = (now_ns - bucket->last_ns) / 1000;
	__u64 limit = (__u64)rate->burst * 1000;
	__u64 have = bucket->millitokens;

	/* After a long pause the bucket is full: do not let the product overflow. */
	if (elapsed_us > 60000000)
		have = limit;
	else
		have += elapsed_us * rate->per_second / 1000;
	if (have > limit)
		have = limit;
	if (elapsed_us)
		bucket->last_ns = now_ns;
	if (have < 1000) {
		bucket->millitokens = have;
		return false;
	}
	bucket->millitokens = have - 1000;
	return true;
}

/* Fragments come many to a session: their rate is a multiple (chosen). */
#define FL_FRAGMENT_RATE_FACTOR 32

/* Take a token of the bucket @who, which is full at first. @base: its rate, but for fragments. */
static __always_inline bool fl_bucket_of(const struct fl_local_addr *who,
					 const struct fl_rate *base)
{
	struct fl_token_bucket fresh = {}, *bucket;
	struct fl_rate rate = *base;
	__u64 now = bpf_ktime_get_ns();

	if (who->family & FL_BUCKET_FRAGMENTS) {
		rate.per_second *= FL_FRAGMENT_RATE_FACTOR;
		rate.burst *= FL_FRAGMENT_RATE_FACTOR;
	}
	bucket = bpf_map_lookup_elem(&fl_source_bkts, who);
	if (bucket)
		return fl_bucket_take(bucket, &rate, now);
	fresh.last_ns = now;
	fresh.millitokens = rate.burst ? ((__u64)rate.burst - 1) * 1000 : 0;
	bpf_map_update_elem(&fl_source_bkts, who, &fresh, BPF_ANY);
	return true;
}

/* May the agent be bothered once more for this LAN source? */
static __noinline bool fl_source_allowed(const struct fl_local_addr *source)
{
	struct fl_settings *settings;
	__u32 zero = 0;

	settings = bpf_map_lookup_elem(&fl_settings, &zero);
	if (!settings || !settings->source.per_second)
		return true;
	return fl_bucket_of(source, &settings->source);
}

/* May this peer send one more packet that needs the agent? @purpose: 0 for session set-up, else
 * FL_BUCKET_*. */
static __noinline bool fl_peer_allowed(__u32 peer, __u32 purpose)
{
	const struct fl_peer_info *info = bpf_map_lookup_elem(&fl_peers, &peer);
	struct fl_local_addr who = { .family = purpose };
	struct fl_token_bucket *bucket;

	if (!info || !info->setup.per_second)
		return true;
	if (purpose) {
		*(fl_u32_al *)who.addr = peer;
		return fl_bucket_of(&who, &info->setup);
	}
	bucket = bpf_map_lookup_elem(&fl_peer_bkts, &peer);
	return !bucket || fl_bucket_take(bucket, &info->setup, bpf_ktime_get_ns());
}

#endif
