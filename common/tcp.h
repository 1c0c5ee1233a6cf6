/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * TCP as seen from the middle (svr-protocol.md 3.5): states, and for "strict" sequence windows. The
 * data plane follows packets that it forwards, the agent those that it carries; both by these
 * rules.
 */
#ifndef FL_COMMON_TCP_H
#define FL_COMMON_TCP_H

#include "common/drop_reason.h"
#include "common/hdr.h"
#include "common/session.h"

/* What the rules need to know of a segment; host order. */
struct fl_tcp_segment {
	__u32 seq;
	__u32 ack;
	__u32 end;    /* seq plus data, SYN and FIN */
	__u16 window; /* as in the header */
	__u8 flags;
	__s8 scale; /* window scale option of a SYN, -1 without */
};

/* Next state, or a negative drop reason for what the state does not allow. */
static __always_inline int fl_tcp_next(enum fl_tcp_state state, bool reverse, __u8 flags)
{
	const bool syn = flags & FL_TH_SYN, ack = flags & FL_TH_ACK, rst = flags & FL_TH_RST,
		   fin = flags & FL_TH_FIN;

	if ((syn && (fin || rst)) || (fin && !ack) || !(syn || ack || rst))
		return -FL_DROP_TCP_ILLEGAL;
	if (rst)
		return FL_TCP_RESET;
	switch (state) {
	case FL_TCP_SYN_SENT:
		if (reverse && syn)
			return ack ? FL_TCP_SYN_RECEIVED : FL_TCP_SYN_SENT;
		/* A server that still knows an old connection answers with a bare ACK. */
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
		/* A SYN here is repeated, or of a host that restarted: its peer's answer decides.
		 */
		return fin ? FL_TCP_FIN : FL_TCP_ESTABLISHED;
	case FL_TCP_NONE:
	case FL_TCP_FIN:
	case FL_TCP_CLOSING:
	case FL_TCP_RESET:
		break;
	}
	return (int)state;
}

static __always_inline bool fl_seq_before(__u32 a, __u32 b)
{
	return (__s32)(a - b) < 0;
}

/*
 * Do the numbers of a segment count? Not those of a SYN in an open connection: who knows the ports
 * can send one. It passes, for the hosts to judge (RFC 5961 4).
 */
static __always_inline bool fl_tcp_counts(enum fl_tcp_state state, __u8 flags)
{
	return state < FL_TCP_ESTABLISHED || !(flags & FL_TH_SYN);
}

/**
 * fl_tcp_window() - is the segment within what the other side has offered?
 *
 * Data no further than the highest acknowledgement plus window, and one byte, by which a closed
 * window is probed (RFC 9293 3.8.6.1); no older than one window back, acknowledgements no further
 * than what was sent; RST is held to the same (P-47). What is in order moves the windows on.
 *
 * Return: 0 or -FL_DROP_TCP_WINDOW. Source: RFC 9293 3.10.7.4.
 */
static __always_inline int fl_tcp_window(struct fl_tcp_window *own, struct fl_tcp_window *other,
					 const struct fl_tcp_segment *seg)
{
	__u32 window = seg->window;

	if (seg->flags & FL_TH_SYN) {
		own->scale = seg->scale >= 0 ? (__u8)seg->scale : 0;
		own->flags = (__u8)(FL_TCPW_SEEN | (seg->scale >= 0 ? FL_TCPW_SCALE : 0));
		own->end = seg->end;
		own->max_window = window ? window : 1;
		if (!(seg->flags & FL_TH_ACK))
			own->max_end = seg->end;
	} else {
		if ((own->flags & FL_TCPW_SCALE) && (other->flags & FL_TCPW_SCALE))
			window <<= own->scale & 15;
		/* Taken over in the middle: the first segment each way sets the scene. */
		if (!(own->flags & FL_TCPW_SEEN)) {
			own->flags = FL_TCPW_SEEN;
			own->end = seg->end;
			own->max_end = seg->end + 65535;
			own->max_window = window ? window : 1;
		}
	}
	if (other->flags & FL_TCPW_SEEN) {
		if (own->max_end && fl_seq_before(own->max_end + 1, seg->end))
			return -FL_DROP_TCP_WINDOW;
		if (fl_seq_before(seg->end, own->end - other->max_window))
			return -FL_DROP_TCP_WINDOW;
		if ((seg->flags & FL_TH_ACK) && fl_seq_before(other->end, seg->ack))
			return -FL_DROP_TCP_WINDOW;
	}
	if (fl_seq_before(own->end, seg->end))
		own->end = seg->end;
	if (window > own->max_window)
		own->max_window = window;
	if ((seg->flags & FL_TH_ACK) &&
	    (!other->max_end || fl_seq_before(other->max_end, seg->ack + window)))
		other->max_end = seg->ack + window;
	return 0;
}

/*
 * Note where a direction's segments end and what it acknowledges, and judge nothing: this router
 * speaks in the connection itself at times (P-17). Numbers that passed unseen are caught up with.
 */
static __always_inline void fl_tcp_note(struct fl_tcp_window *own, struct fl_tcp_window *other,
					const struct fl_tcp_segment *seg)
{
	own->end = seg->end;
	own->max_window = seg->window;
	own->flags |= FL_TCPW_SEEN;
	if (!(seg->flags & FL_TH_ACK))
		return;
	if (!(other->flags & FL_TCPW_SEEN) || fl_seq_before(other->end, seg->ack))
		other->end = seg->ack;
	other->flags |= FL_TCPW_SEEN;
}

/* Take a segment's numbers into account. Returns 0, or -FL_DROP_TCP_WINDOW with "strict". */
static __always_inline int fl_tcp_numbers(struct fl_tcp_window *own, struct fl_tcp_window *other,
					  enum fl_tcp_enforcement how,
					  const struct fl_tcp_segment *seg)
{
	if (how == FL_TCP_ENFORCE_STRICT)
		return fl_tcp_window(own, other, seg);
	fl_tcp_note(own, other, seg);
	return 0;
}

/*
 * State after a segment that fl_tcp_next() allows: two FINs, one each way, close the connection.
 * Notes this side's FIN in its window.
 */
static __always_inline enum fl_tcp_state fl_tcp_after(struct fl_session *session, bool reverse,
						      __u8 flags, int next)
{
	if ((flags & FL_TH_FIN) && next != FL_TCP_RESET) {
		session->window[reverse ? 1 : 0].flags |= FL_TCPW_FIN;
		if (session->window[reverse ? 0 : 1].flags & FL_TCPW_FIN)
			return FL_TCP_CLOSING;
	}
	return (enum fl_tcp_state)next;
}

#endif
