/* SPDX-License-Identifier: GPL-2.0 */
/* What all stages work on: a packet with what is known of it so far, and its tuple and sender. */
#ifndef FL_BPF_JOB_H
#define FL_BPF_JOB_H

#include "bpf/lib/flow.bpf.h"
#include "bpf/lib/path.bpf.h"
#include "bpf/lib/punt.bpf.h"

/* The full path goes on with one of these, each a call of its own: call chains share 512 bytes of
 * stack. */
#define FL_GO_FRAGMENT   0x201
#define FL_GO_ICMP_ERROR 0x202
#define FL_GO_PEER_MISS  0x203
#define FL_GO_LAN_MISS   0x204
#define FL_GO_DUP        0x206 /* 0x205 and 0x207: fpm.bpf.h */

/* A packet on its way through the stages. Never pass the address of a member in the common path. */
struct fl_job {
	struct fl_pkt pkt;
	__u32 slot; /* flow, FL_NO_SLOT without one */
	__u32 session;
	__u32 path; /* from a peer: arrival path, else 0 */
	__u16 peer;
	__u16 path_sum; /* of the arrival path's addresses */
	__u16 iface;    /* interface id; 0 = this host */
	__u8 iface_flags;
	enum fl_hook hook;
	__u8 proven; /* an HMAC of the whole packet held, and is no longer there */
};

/* State of the full path: not on the stack, which all functions of a call chain share. One for each
 * object. */
struct fl_job_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fl_job);
};

struct fl_job_map FL_OWN(fl_job) SEC(".maps");

static __always_inline struct fl_job *fl_job_full(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&FL_OWN(fl_job), &zero);
}

/* Hand the full path's packet to the agent. Not static: the verifier walks it once, though it is
 * called from everywhere. @reason: enum fl_punt_reason. */
__noinline int FL_OWN(fl_job_punt)(FL_CTX *ctx, __u32 reason)
{
	const struct fl_job *job = fl_job_full();
	struct fl_punt_req req = { .reason = (enum fl_punt_reason)reason };
	int err;

	if (!job)
		return -FL_DROP_INTERNAL;
	req.hook = job->hook;
	req.iface = job->iface;
	req.path = (__u16)job->path;
	req.slot = job->slot;
	req.session = job->session;
	err = fl_punt(ctx, &job->pkt, &req);
	return err ? err : FL_DONE_PUNTED;
}

/* Take a token of whoever sent this: the peer, or the LAN source @saddr. @purpose: 0 for session
 * set-up, else FL_BUCKET_*. */
static __always_inline int fl_take_token(const struct fl_job *job, const __u8 *saddr, __u32 purpose)
{
	struct fl_local_addr source;

	if (job->path)
		return fl_peer_allowed(job->peer, purpose) ? 0 : -FL_DROP_RATE_PEER;
	fl_addr_key(&source, saddr, job->pkt.family);
	source.family |= purpose;
	return fl_source_allowed(&source) ? 0 : -FL_DROP_RATE_SOURCE;
}

/* Addresses of the packet, of its own family; NULL when they do not lie in the first buffer. */
static __always_inline const __u8 *fl_pkt_saddr(FL_CTX *ctx, const struct fl_pkt *pkt)
{
	const __u8 *ip = (const __u8 *)fl_ctx_data(ctx) + (pkt->l3 & FL_OFFSET_MASK);

	FL_KEEP(ip);
	if (pkt->family == 6) {
		if ((const void *)(ip + sizeof(struct fl_ip6)) > fl_ctx_end(ctx))
			return NULL;
		return ip + offsetof(struct fl_ip6, src);
	}
	if ((const void *)(ip + sizeof(struct fl_ip4)) > fl_ctx_end(ctx))
		return NULL;
	return ip + offsetof(struct fl_ip4, src);
}

/* The packet's own tuple as the index and the denials hold it. */
static __always_inline int fl_tuple_wide(FL_CTX *ctx, const struct fl_job *job, bool host,
					 struct fl_wide_key *wide)
{
	const __u8 *addr = fl_pkt_saddr(ctx, &job->pkt);

	if (!addr)
		return -FL_DROP_MALFORMED;
	__builtin_memset(wide, 0, sizeof(*wide));
	if (job->pkt.family == 6) {
		if ((const void *)(addr + 32) > fl_ctx_end(ctx))
			return -FL_DROP_MALFORMED;
		__builtin_memcpy(wide->saddr, addr, 16);
		__builtin_memcpy(wide->daddr, addr + 16, 16);
		wide->kind = host ? FL_KEY_HOST6 : FL_KEY_LAN6;
	} else {
		if ((const void *)(addr + 8) > fl_ctx_end(ctx))
			return -FL_DROP_MALFORMED;
		*(fl_u32_al *)wide->saddr = *(const fl_u32_una *)addr;
		*(fl_u32_al *)wide->daddr = *(const fl_u32_una *)(addr + 4);
		wide->kind = host ? FL_KEY_HOST4 : FL_KEY_LAN4;
	}
	wide->sport = fl_pkt_sport(&job->pkt);
	wide->dport = fl_pkt_dport(&job->pkt);
	wide->scope = job->iface;
	wide->proto = job->pkt.proto;
	return 0;
}

/* Flow of an IPv6 packet that is not from a peer; NULL without one. */
static __noinline struct fl_flow *fl_find_tuple6(FL_CTX *ctx, __u32 l3, __u64 rest, __u32 *slot)
{
	struct fl_wide_key wide;

	/* Source and destination stand side by side, as they do in the key. */
	if (fl_ctx_load(ctx, l3 + offsetof(struct fl_ip6, src), &wide, 32))
		return NULL;
	*(fl_u64_al *)&wide.dport = rest;
	return fl_find_wide(&wide, slot);
}

static __noinline __u32 fl_find_path6(FL_CTX *ctx, __u32 l3)
{
	struct fl_path6_key key;
	__u8 pair[32];

	if (fl_ctx_load(ctx, l3 + offsetof(struct fl_ip6, src), pair, sizeof(pair)))
		return 0;
	__builtin_memcpy(key.local, pair + 16, 16);
	__builtin_memcpy(key.remote, pair, 16);
	return fl_path_find6(&key);
}

/*
 * Is the sender a peer's waypoint, the destination ours? Sets job->path and job->peer. Returns true
 * for a packet that came in by another interface than its path's.
 */
static __always_inline bool fl_find_path(FL_CTX *ctx, struct fl_job *job)
{
	const struct fl_path *path;
	__u32 id;

	if (job->pkt.family == 4)
		id = fl_path_find4((__u32)(job->pkt.addrs >> 32), (__u32)job->pkt.addrs);
	else
		id = fl_find_path6(ctx, job->pkt.l3);
	if (!id)
		return false;
	path = bpf_map_lookup_elem(&fl_paths, &id);
	if (!path)
		return false;
	job->path = id;
	job->peer = path->peer;
	job->path_sum = path->addr_sum;
	return path->iface != job->iface;
}

static __always_inline bool fl_in_waypoint_range(const struct fl_path *path,
						 const struct fl_pkt *pkt)
{
	return fl_path_has_ports(path, fl_pkt_sport(pkt), fl_pkt_dport(pkt));
}

#endif
