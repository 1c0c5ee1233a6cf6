/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TCP states and, for "strict", sequence windows (svr-protocol.md 3.5). Established sessions come
 * here only for SYN, FIN and RST, so that the common packet pays one compare.
 */
#ifndef FL_BPF_TCP_H
#define FL_BPF_TCP_H

#include "bpf/lib/flow.bpf.h"
#include "common/session.h"

/* May this packet pass without looking any further? */
static __always_inline bool fl_tcp_is_plain(const struct fl_flow *flow, const struct fl_pkt *pkt)
{
	if (flow->tcp == FL_TCP_NONE)
		return true;
	return flow->tcp == FL_TCP_ESTABLISHED &&
	       !(pkt->tcp_flags & (FL_TH_SYN | FL_TH_FIN | FL_TH_RST)) &&
	       (pkt->tcp_flags & FL_TH_ACK) && !(flow->flags & FL_FLOW_STRICT);
}

/* Next state, or a negative drop reason for what the state does not allow. */
static __always_inline int fl_tcp_next(enum fl_tcp_state state, bool reverse, __u8 flags)
{
	const bool syn = flags & FL_TH_SYN, ack = flags & FL_TH_ACK, rst = flags & FL_TH_RST,
		   fin = flags & FL_TH_FIN;

	if ((syn && (fin || rst)) || (fin && !ack) ||
	    !(flags & (FL_TH_SYN | FL_TH_ACK | FL_TH_RST)))
		return -FL_DROP_TCP_ILLEGAL;
	if (rst)
		return FL_TCP_RESET;
	switch (state) {
	case FL_TCP_SYN_SENT:
		if (reverse && syn)
			return ack ? FL_TCP_SYN_RECEIVED : FL_TCP_SYN_SENT;
		/* A server that still knows an old connection answers with a bare ACK (RFC
		 * 9293 3.5). */
		if (reverse && ack && !fin)
			return FL_TCP_SYN_SENT;
		return syn && !ack ? FL_TCP_SYN_SENT : -FL_DROP_TCP_ILLEGAL;
	case FL_TCP_SYN_RECEIVED:
		if (syn)
			return reverse == ack ? FL_TCP_SYN_RECEIVED : -FL_DROP_TCP_ILLEGAL;
		if (fin)
			return FL_TCP_FIN;
		return reverse ? FL_TCP_SYN_RECEIVED : FL_TCP_ESTABLISHED;
	case FL_TCP_ESTABLISHED:
		/* A SYN here is a repetition, or a host that restarted: its peer's answer decides.
		 */
		return fin ? FL_TCP_FIN : FL_TCP_ESTABLISHED;
	case FL_TCP_FIN:
	case FL_TCP_CLOSING:
		return (int)state;
	default:
		/* After RST only what was under way: it refreshes nothing. */
		return (int)state;
	}
}

/* A SYN that starts the same tuple anew: the old session makes room. */
static __always_inline bool fl_tcp_reopens(const struct fl_flow *flow, const struct fl_pkt *pkt)
{
	return flow->tcp >= FL_TCP_CLOSING && !(flow->flags & FL_FLOW_REVERSE) &&
	       (pkt->tcp_flags & (FL_TH_SYN | FL_TH_ACK | FL_TH_RST)) == FL_TH_SYN;
}

static __always_inline bool fl_seq_before(__u32 a, __u32 b)
{
	return (__s32)(a - b) < 0;
}

/* Window scale option of a SYN; -1 without one. */
static __noinline int fl_tcp_scale(FL_CTX *ctx, const struct fl_pkt *pkt)
{
	__u32 at = pkt->l4 + (__u32)sizeof(struct fl_tcp);
	__u8 opt[3];
	int i;

	for (i = 0; i < 20; i++) {
		if (at + 3 > pkt->payload || fl_ctx_load(ctx, at, opt, sizeof(opt)))
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

/*
 * Is the segment within what the other side has offered? The rules of RFC 9293 3.10.7.4 as seen
 * from the middle: data no further than the highest (acknowledgement + window), no older than one
 * window back, acknowledgements no further than what was sent. RST is held to the same (P-47).
 */
static __noinline int fl_tcp_window_check(FL_CTX *ctx, const struct fl_pkt *pkt,
					  struct fl_session *session, bool reverse)
{
	struct fl_tcp_window *own = &session->window[reverse ? 1 : 0];
	struct fl_tcp_window *other = &session->window[reverse ? 0 : 1];
	__u32 seq, ack, end, window, data_len;
	struct fl_tcp tcp;
	int scale;

	if (fl_ctx_load(ctx, pkt->l4, &tcp, sizeof(tcp)))
		return -FL_DROP_MALFORMED;
	seq = FL_HOST32(tcp.seq);
	ack = FL_HOST32(tcp.ack);
	window = FL_HOST16(tcp.window);
	data_len = pkt->l3_len - (pkt->payload - (__u32)pkt->l3);
	end = seq + data_len + !!(tcp.flags & FL_TH_SYN) + !!(tcp.flags & FL_TH_FIN);

	if (tcp.flags & FL_TH_SYN) {
		scale = fl_tcp_scale(ctx, pkt);
		own->scale = scale >= 0 ? (__u8)scale : 0;
		own->flags = FL_TCPW_SEEN | (scale >= 0 ? FL_TCPW_SCALE : 0);
		own->end = end;
		own->max_window = window ? window : 1;
		if (!(tcp.flags & FL_TH_ACK))
			own->max_end = end;
	} else {
		if (own->flags & FL_TCPW_SCALE && other->flags & FL_TCPW_SCALE)
			window <<= own->scale & 15;
		/* Adopted in the middle (restart, migration): the first segment each way sets the
		 * scene. */
		if (!(own->flags & FL_TCPW_SEEN)) {
			own->flags = FL_TCPW_SEEN;
			own->end = end;
			own->max_end = end + 65535;
			own->max_window = window ? window : 1;
		}
	}
	if (other->flags & FL_TCPW_SEEN) {
		if (fl_seq_before(own->max_end, end) && own->max_end)
			return -FL_DROP_TCP_WINDOW;
		if (fl_seq_before(end, own->end - other->max_window))
			return -FL_DROP_TCP_WINDOW;
		if ((tcp.flags & FL_TH_ACK) && fl_seq_before(other->end, ack))
			return -FL_DROP_TCP_WINDOW;
	}
	if (fl_seq_before(own->end, end))
		own->end = end;
	if (window > own->max_window)
		own->max_window = window;
	if (tcp.flags & FL_TH_ACK &&
	    (!other->max_end || fl_seq_before(other->max_end, ack + window)))
		other->max_end = ack + window;
	return 0;
}

/**
 * fl_tcp_track() - follow the connection's state, drop what it does not allow
 *
 * Return: 0, or a negative drop reason.
 */
static __noinline int fl_tcp_track(FL_CTX *ctx, const struct fl_pkt *pkt, struct fl_flow *flow)
{
	bool reverse = flow->flags & FL_FLOW_REVERSE;
	struct fl_session *session;
	struct fl_flow *twin;
	__u32 id = flow->session;
	int next, err;

	session = bpf_map_lookup_elem(&fl_sessions, &id);
	if (!session)
		return -FL_DROP_INTERNAL;
	if (flow->flags & FL_FLOW_STRICT) {
		err = fl_tcp_window_check(ctx, pkt, session, reverse);
		if (err)
			return err;
	}
	next = fl_tcp_next(flow->tcp, reverse, pkt->tcp_flags);
	if (next < 0)
		return session->tcp_enforcement == FL_TCP_ENFORCE_ALLOW ? 0 : next;
	if ((pkt->tcp_flags & FL_TH_FIN) && next != FL_TCP_RESET) {
		/* Each direction notes its own FIN; both noted means that the end is in sight. */
		session->window[reverse ? 1 : 0].flags |= FL_TCPW_FIN;
		if (session->window[reverse ? 0 : 1].flags & FL_TCPW_FIN)
			next = FL_TCP_CLOSING;
	}
	if (next == (int)flow->tcp)
		return 0;
	flow->tcp = (enum fl_tcp_state)next;
	twin = fl_flow_at(session->slot[reverse ? 0 : 1]);
	if (twin && twin->session == id)
		twin->tcp = (enum fl_tcp_state)next;
	return 0;
}

#endif
