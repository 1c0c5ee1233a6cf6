/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TCP states and, for "strict", sequence windows (svr-protocol.md 3.5). Established sessions come
 * here only for SYN, FIN and RST, so that the common packet pays one compare; with FL_FLOW_FOLLOW
 * always.
 */
#ifndef FL_BPF_TCP_H
#define FL_BPF_TCP_H

#include "bpf/lib/job.bpf.h"
#include "common/punt.h"
#include "common/session.h"
#include "common/tcp.h"

/* May this segment pass without looking any further? @state and @flags are its flow's. */
static __always_inline bool fl_tcp_goes_by(enum fl_tcp_state state, __u8 flags,
					   const struct fl_pkt *pkt)
{
	return state == FL_TCP_ESTABLISHED &&
	       (pkt->tcp_flags & (FL_TH_SYN | FL_TH_FIN | FL_TH_RST | FL_TH_ACK)) == FL_TH_ACK &&
	       !(flags & FL_FLOW_FOLLOW);
}

/* A SYN that starts the same tuple anew: the old session makes room. */
static __always_inline bool fl_tcp_reopens(const struct fl_flow *flow, const struct fl_pkt *pkt)
{
	return flow->tcp >= FL_TCP_CLOSING && !(flow->flags & FL_FLOW_REVERSE) &&
	       (pkt->tcp_flags & (FL_TH_SYN | FL_TH_ACK | FL_TH_RST)) == FL_TH_SYN;
}

/* Window scale option of a SYN, among those from @at up to @end; -1 without one. Not static: the
 * verifier walks it once. */
__noinline int FL_OWN(fl_tcp_scale)(FL_CTX *ctx, __u32 at, __u32 end)
{
	__u8 opt[3];
	int i;

	for (i = 0; i < 20; i++) {
		if (at + 3 > end || fl_ctx_load(ctx, at, opt, sizeof(opt)))
			return -1;
		if (opt[0] == 0)
			return -1;
		if (opt[0] == 1) {
			at++;
			continue;
		}
		if (opt[0] == 3)
			return opt[2] > 14 ? 14 : opt[2]; /* RFC 7323 2.3 */
		if (opt[1] < 2)
			return -1;
		at += opt[1];
	}
	return -1;
}

static __always_inline int fl_tcp_look(FL_CTX *ctx, const struct fl_pkt *pkt,
				       struct fl_session *session, bool reverse)
{
	struct fl_tcp_segment seg;
	struct fl_tcp tcp;

	if (fl_ctx_load(ctx, pkt->l4, &tcp, sizeof(tcp)))
		return -FL_DROP_MALFORMED;
	seg.seq = FL_HOST32(tcp.seq);
	seg.ack = FL_HOST32(tcp.ack);
	seg.window = FL_HOST16(tcp.window);
	seg.flags = tcp.flags;
	seg.end = seg.seq + pkt->l3_len - (pkt->payload - (__u32)pkt->l3) +
		  !!(tcp.flags & FL_TH_SYN) + !!(tcp.flags & FL_TH_FIN);
	seg.scale = -1;
	if (tcp.flags & FL_TH_SYN)
		seg.scale =
			(__s8)FL_OWN(fl_tcp_scale)(ctx, pkt->l4 + (__u32)sizeof(tcp), pkt->payload);
	/* With the index a constant, the verifier need not follow both windows through both cases.
	 */
	if (reverse)
		return fl_tcp_numbers(&session->window[1], &session->window[0],
				      session->tcp_enforcement, &seg);
	return fl_tcp_numbers(&session->window[0], &session->window[1], session->tcp_enforcement,
			      &seg);
}

/* Tell the agent: the session's timeout is another now. A full ring only means that it notices
 * later. */
static __always_inline void fl_tcp_report(__u32 session, __u32 slot)
{
	struct fl_punt *rec = bpf_ringbuf_reserve(&fl_punt_live, sizeof(*rec), 0);

	if (!rec)
		return;
	__builtin_memset(rec, 0, sizeof(*rec));
	rec->reason = FL_PUNT_STATE;
	rec->session = session;
	rec->slot = slot;
	bpf_ringbuf_submit(rec, fl_punt_wake(rec));
}

static __always_inline bool fl_tcp_is_news(int state)
{
	const struct fl_settings *settings;
	__u32 zero = 0;

	if (state >= FL_TCP_CLOSING)
		return true;
	if (state != FL_TCP_ESTABLISHED)
		return false;
	settings = bpf_map_lookup_elem(&fl_settings, &zero);
	return settings && settings->watch_established;
}

/* The state is the session's: both of its flows have it, whichever the packet came by (P-16). */
static __always_inline void fl_tcp_settle(__u32 slot, __u32 session, int state)
{
	struct fl_flow *flow = fl_flow_at(slot);

	if (flow && flow->session == session)
		flow->tcp = (enum fl_tcp_state)state;
}

/**
 * fl_tcp_track() - follow the connection's state, drop what it does not allow
 *
 * Return: 0, or a negative drop reason.
 */
__noinline int FL_OWN(fl_tcp_track)(FL_CTX *ctx)
{
	const struct fl_job *job = fl_job_full();
	struct fl_flow *flow = job ? fl_flow_at(job->slot) : NULL;
	const struct fl_pkt *pkt;
	struct fl_session *session;
	bool reverse;
	int next, err;
	__u32 id;

	if (!flow)
		return -FL_DROP_INTERNAL;
	pkt = &job->pkt;
	reverse = flow->flags & FL_FLOW_REVERSE;
	id = flow->session;
	session = bpf_map_lookup_elem(&fl_sessions, &id);
	if (!session)
		return -FL_DROP_INTERNAL;
	if (fl_tcp_counts(flow->tcp, pkt->tcp_flags) &&
	    (flow->flags & FL_FLOW_FOLLOW ||
	     pkt->tcp_flags & (FL_TH_SYN | FL_TH_FIN | FL_TH_RST))) {
		err = fl_tcp_look(ctx, pkt, session, reverse);
		if (err)
			return err;
	}
	next = fl_tcp_next(flow->tcp, reverse, pkt->tcp_flags);
	if (next < 0)
		return session->tcp_enforcement == FL_TCP_ENFORCE_ALLOW ? 0 : next;
	next = fl_tcp_after(session, reverse, pkt->tcp_flags, next);
	if (next == (int)flow->tcp)
		return 0;
	flow->tcp = (enum fl_tcp_state)next;
	fl_tcp_settle(session->slot[0], id, next);
	fl_tcp_settle(session->slot[1], id, next);
	if (fl_tcp_is_news(next))
		fl_tcp_report(id, session->slot[reverse ? 1 : 0]);
	return 0;
}

#endif
