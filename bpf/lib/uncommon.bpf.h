/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stages of the full path alone: packets without a flow, from where they must not come, ICMP
 * errors, fragments, and those whose TTL is used up. See pipeline.bpf.h.
 */
#ifndef FL_BPF_UNCOMMON_H
#define FL_BPF_UNCOMMON_H

#include "bpf/lib/echo.bpf.h"
#include "bpf/lib/job.bpf.h"

/* A peer's packet that arrives where it must not: a session's is dropped, others are the kernel's.
 */
static __noinline int fl_stray(const struct fl_job *job)
{
	const struct fl_path *path = bpf_map_lookup_elem(&fl_paths, &job->path);

	return path && fl_in_waypoint_range(path, &job->pkt) ? -FL_DROP_SYMMETRY : FL_DONE_KERNEL;
}

static __always_inline int fl_echo_or_kernel(FL_CTX *ctx, const struct fl_job *job)
{
	int err = fl_echo(ctx, &job->pkt, job->path);

	return err ? err : FL_DONE_KERNEL;
}

/*
 * From a peer, but no flow: a new session of the peer's, a session that we lost, or traffic between
 * the two hosts that has nothing to do with sessions.
 */
static __noinline int fl_peer_miss(FL_CTX *ctx, struct fl_job *job)
{
	const struct fl_path *path;
	bool meta;

	path = bpf_map_lookup_elem(&fl_paths, &job->path);
	if (!path || !fl_in_waypoint_range(path, &job->pkt))
		return fl_echo_or_kernel(ctx, job);
	meta = fl_has_cookie(fl_ctx_data(ctx), fl_ctx_end(ctx), &job->pkt);
	if (!meta)
		fl_stat_add(FL_STAT_META_NOT_PRESENT);
	if (!fl_peer_allowed(job->peer, meta ? 0 : FL_BUCKET_BARE))
		return -FL_DROP_RATE_PEER;
	return FL_OWN(fl_job_punt)(ctx, meta ? FL_PUNT_META : FL_PUNT_BARE);
}

/* A denial that is remembered and still holds; FL_DROP_NONE without one. */
static __always_inline enum fl_drop_reason fl_denied(const struct fl_wide_key *key)
{
	const struct fl_denial *denial = bpf_map_lookup_elem(&fl_denials, key);
	const struct fl_settings *settings;
	__u32 zero = 0;

	if (!denial)
		return FL_DROP_NONE;
	settings = bpf_map_lookup_elem(&fl_settings, &zero);
	if (!settings || denial->generation != settings->generation ||
	    denial->until_ns < bpf_ktime_get_ns())
		return FL_DROP_NONE;
	return denial->reason;
}

/* First packet of a session, or nothing that may become one. */
static __noinline int fl_lan_miss(FL_CTX *ctx, struct fl_job *job)
{
	enum fl_drop_reason denied;
	struct fl_wide_key key;
	int err;

	err = fl_tuple_wide(ctx, job, false, &key);
	if (err)
		return err;
	if (fl_addr_is_special(key.daddr, job->pkt.family) ||
	    fl_addr_is_local(key.daddr, job->pkt.family)) {
		/* Metadata from an address that is no peer's: say nothing. */
		if ((job->iface_flags & FL_IFACE_WAN) && !(job->pkt.flags & FL_PKT_PORTLESS) &&
		    fl_has_cookie(fl_ctx_data(ctx), fl_ctx_end(ctx), &job->pkt))
			return -FL_DROP_UNKNOWN_PEER;
		return FL_DONE_KERNEL;
	}
	if (job->pkt.family == 6 && job->pkt.proto == FL_IPPROTO_ICMPV6 &&
	    job->pkt.icmp_type >= FL_ICMP6_ND_FIRST && job->pkt.icmp_type <= FL_ICMP6_ND_LAST)
		return FL_DONE_KERNEL;
	if (!(job->iface_flags & FL_IFACE_SESSIONS))
		return -FL_DROP_NO_TENANT;
	if (fl_source_is_bad(key.saddr, job->pkt.family))
		return -FL_DROP_BAD_SOURCE;
	if ((job->pkt.proto == FL_IPPROTO_ICMP || job->pkt.proto == FL_IPPROTO_ICMPV6) &&
	    !(job->pkt.flags & (FL_PKT_ICMP_REQUEST | FL_PKT_FRAGMENT)))
		return -FL_DROP_ICMP_UNSOLICITED;
	denied = fl_denied(&key);
	if (denied) {
		fl_stat_add(FL_STAT_DENIED_CACHED);
		return -(int)denied;
	}
	err = fl_take_token(job, key.saddr, 0);
	return err ? err : FL_OWN(fl_job_punt)(ctx, FL_PUNT_NEW);
}

/* The flow that answers to the packet at @inner come by, if we sent that packet in a session. */
static __noinline struct fl_flow *fl_quoted_flow(FL_CTX *ctx, struct fl_job *job,
						 const struct fl_pkt *inner, __u32 *slot)
{
	const struct fl_path *path = NULL;
	struct fl_wide_key key = {};
	__u32 id;

	/* The answer's source is the quoted packet's destination. */
	if (inner->family == 6) {
		struct fl_path6_key pair;

		if (fl_ctx_load(ctx, inner->l3 + offsetof(struct fl_ip6, src), key.daddr, 16) ||
		    fl_ctx_load(ctx, inner->l3 + offsetof(struct fl_ip6, dst), key.saddr, 16))
			return NULL;
		__builtin_memcpy(pair.local, key.daddr, 16);
		__builtin_memcpy(pair.remote, key.saddr, 16);
		id = fl_path_find6(&pair);
		key.kind = FL_KEY_LAN6;
	} else {
		if (fl_ctx_load(ctx, inner->l3 + offsetof(struct fl_ip4, src), key.daddr, 4) ||
		    fl_ctx_load(ctx, inner->l3 + offsetof(struct fl_ip4, dst), key.saddr, 4))
			return NULL;
		id = fl_path_find4(*(fl_u32_al *)key.daddr, *(fl_u32_al *)key.saddr);
		key.kind = FL_KEY_LAN4;
	}
	key.sport = fl_pkt_dport(inner);
	key.dport = fl_pkt_sport(inner);
	key.scope = job->iface;
	key.proto = inner->proto;
	if (id)
		path = bpf_map_lookup_elem(&fl_paths, &id);
	if (path) {
		__builtin_memset(key.saddr, 0, sizeof(key.saddr));
		__builtin_memset(key.daddr, 0, sizeof(key.daddr));
		key.scope = path->peer;
		key.kind = FL_KEY_PEER;
		job->path = id;
		job->peer = path->peer;
	}
	if (key.kind != FL_KEY_LAN6) {
		struct fl_key_words words = {
			.addrs = *(fl_u32_al *)key.saddr | (__u64) * (fl_u32_al *)key.daddr << 32,
			.rest = *(fl_u64_al *)&key.dport,
		};
		struct fl_found found = {};

		if (fl_flow_find(&words, &found)) {
			*slot = found.slot;
			return found.flow;
		}
	}
	return fl_find_wide(&key, slot);
}

/*
 * ICMP error: about a packet of ours (then the agent translates it), or about somebody else's. To
 * us it is the kernel's; through us, there is no session that it could belong to.
 */
static __noinline int fl_icmp_error(FL_CTX *ctx, struct fl_job *job)
{
	struct fl_pkt inner = {};
	struct fl_wide_key key;
	struct fl_flow *flow;
	__u32 slot = 0;
	int err;

	inner.l3 = job->pkt.payload;
	inner.eth_proto = job->pkt.eth_proto;
	inner.flags = FL_PKT_QUOTED;
	if (fl_ctx_pull(ctx, (__u32)inner.l3 + 60 + 60))
		return -FL_DROP_MALFORMED;
	err = fl_parse_l3(ctx, fl_ctx_data(ctx), fl_ctx_end(ctx), &inner);
	if (err || inner.family != job->pkt.family || (inner.flags & FL_PKT_ICMP_ERROR))
		return -FL_DROP_ICMP_ERROR;
	flow = fl_quoted_flow(ctx, job, &inner, &slot);
	err = fl_tuple_wide(ctx, job, false, &key);
	if (err)
		return err;
	if (flow) {
		job->slot = slot;
		job->session = flow->session;
		err = fl_take_token(job, key.saddr, FL_BUCKET_ERRORS);
		return err ? err : FL_OWN(fl_job_punt)(ctx, FL_PUNT_ICMP_ERROR);
	}
	if (fl_addr_is_special(key.daddr, job->pkt.family) ||
	    fl_addr_is_local(key.daddr, job->pkt.family))
		return FL_DONE_KERNEL;
	return -FL_DROP_ICMP_ERROR;
}

/* Fragments have no ports but in the first: the agent makes them whole, at the price of the slow
 * path. */
static __noinline int fl_fragment(FL_CTX *ctx, struct fl_job *job)
{
	struct fl_wide_key key;
	int err;

	err = fl_tuple_wide(ctx, job, false, &key);
	if (err)
		return err;
	if (!job->path && fl_addr_is_special(key.daddr, job->pkt.family))
		return FL_DONE_KERNEL;
	/* With NAPT only the whole says whether it is an answer to a session, or this host's own.
	 */
	if (!job->path && !(job->iface_flags & FL_IFACE_NAPT)) {
		if (fl_addr_is_local(key.daddr, job->pkt.family))
			return FL_DONE_KERNEL;
		if (!(job->iface_flags & FL_IFACE_SESSIONS))
			return -FL_DROP_NO_TENANT;
	}
	err = fl_take_token(job, key.saddr, FL_BUCKET_FRAGMENTS);
	return err ? err : FL_OWN(fl_job_punt)(ctx, FL_PUNT_FRAGMENT);
}

/* TTL used up: the agent answers with an ICMP error. */
static __noinline int fl_expired(FL_CTX *ctx, const struct fl_job *job)
{
	struct fl_wide_key key;
	int err;

	err = fl_tuple_wide(ctx, job, false, &key);
	if (!err)
		err = fl_take_token(job, key.saddr, FL_BUCKET_EXPIRED);
	return err ? -FL_DROP_TTL_EXPIRED : FL_OWN(fl_job_punt)(ctx, FL_PUNT_TTL);
}

/* Has the path been taken away by which the initiator of this flow's session sent? */
static __always_inline bool fl_path_lost(const struct fl_job *job)
{
	const struct fl_flow *flow = fl_flow_at(job->slot);
	const struct fl_vector *vector;
	__u32 id;

	if (!flow || flow->flags & FL_FLOW_REVERSE)
		return false;
	id = flow->in_vector;
	vector = bpf_map_lookup_elem(&fl_vectors, &id);
	return vector && !vector->path;
}

/* By another path than the session's: only metadata may announce a move, which is asked for if the
 * session has no path. */
static __noinline int fl_elsewhere(FL_CTX *ctx, const struct fl_job *job)
{
	if (fl_has_cookie(fl_ctx_data(ctx), fl_ctx_end(ctx), &job->pkt))
		return FL_OWN(fl_job_punt)(ctx, FL_PUNT_META);
	if (!fl_path_lost(job))
		return -FL_DROP_SYMMETRY;
	if (!fl_peer_allowed(job->peer, FL_BUCKET_BARE))
		return -FL_DROP_RATE_PEER;
	return FL_OWN(fl_job_punt)(ctx, FL_PUNT_BARE);
}

#endif
