// SPDX-License-Identifier: Apache-2.0
/*
 * TCP: what may start a connection, and the states of packets that the agent carries; the data
 * plane follows the others (common/tcp.h).
 */
#include "common/tcp.h"

#include "agent/session/engine_internal.h"

/* After a peer's packets of forgotten sessions: chosen, a few of TCP's retransmissions. */
#define RECOVERY_MS 10000

/* --- may it start? ---------------------------------------------------------------------------- */

/*
 * Lately a peer sent packets of sessions that we do not know: this router has lost them, and is
 * being told of them again (3.4). A reset now would kill connections that are about to come back.
 */
static bool recovering(const struct fl_engine *e)
{
	return e->asked.ns && fl_mono_ms_between(e->asked, e->now) < RECOVERY_MS;
}

bool fl_engine_tcp_may_start(struct fl_engine *e, const struct fl_work *work,
			     const struct fl_decision *d)
{
	enum fl_tcp_enforcement how =
		d->policy ? d->policy->transport_state_enforcement : FL_TCP_ENFORCE_RESET;

	if (!fl_is_midstream(&work->packet) || how == FL_TCP_ENFORCE_ALLOW)
		return true;
	fl_engine_drop(e, FL_DROP_TCP_NOT_SYN);
	if (how != FL_TCP_ENFORCE_BLOCK && !recovering(e))
		fl_engine_reset(e, work);
	return false;
}

bool fl_engine_half_open_allowed(const struct fl_engine *e, uint8_t proto)
{
	uint32_t limit = e->config->router.half_open_connection_limit;

	return !limit || proto != FL_IPPROTO_TCP || e->half_open < limit;
}

/*
 * A connection that starts in the middle here may have lost this router, or been moved to it: then
 * the peer says how long it has left (TLV 42). Else our own policy decides, as for our hosts'.
 */
int fl_engine_tcp_may_be_announced(const struct fl_engine *e, const struct fl_announced *what,
				   const struct fl_decision *d)
{
	const enum fl_tcp_enforcement how =
		d->policy ? d->policy->transport_state_enforcement : FL_TCP_ENFORCE_RESET;

	if (!what->midstream)
		return fl_engine_half_open_allowed(e, what->meta->forward.proto)
			       ? 0
			       : -FL_DROP_HALF_OPEN;
	return how == FL_TCP_ENFORCE_ALLOW || fl_meta_has(what->meta, FL_META_REMAINING_TIME)
		       ? 0
		       : -FL_DROP_TCP_NOT_SYN;
}

/* --- states ----------------------------------------------------------------------------------- */

/* Window scale option of a SYN; -1 without one. */
static __s8 window_scale(const struct fl_packet *p)
{
	const uint8_t *opt = p->l4 + sizeof(struct fl_tcp), *end = p->payload;

	while (opt + 1 < end && opt[0] != 0) {
		if (opt[0] == 1) {
			opt++;
			continue;
		}
		if (opt[1] < 2 || opt + opt[1] > end)
			break;
		if (opt[0] == 3 && opt[1] == 3)
			return opt[2] > 14 ? 14 : (__s8)opt[2]; /* RFC 7323 2.3 */
		opt += opt[1];
	}
	return -1;
}

static struct fl_tcp_segment segment_of(const struct fl_packet *p, size_t payload_len)
{
	const struct fl_tcp *tcp = (const void *)p->l4;
	struct fl_tcp_segment seg = {
		.seq = FL_HOST32(tcp->seq),
		.ack = FL_HOST32(tcp->ack),
		.window = FL_HOST16(tcp->window),
		.flags = tcp->flags,
		.scale = -1,
	};

	seg.end = seg.seq + (uint32_t)payload_len + !!(tcp->flags & FL_TH_SYN) +
		  !!(tcp->flags & FL_TH_FIN);
	if (tcp->flags & FL_TH_SYN)
		seg.scale = window_scale(p);
	return seg;
}

void fl_engine_not_half_open(struct fl_engine *e, uint32_t id)
{
	struct fl_session *s = fl_engine_session(e, id);

	if (!(s->flags & FL_SESSION_HALF_OPEN))
		return;
	s->flags &= (uint8_t)~FL_SESSION_HALF_OPEN;
	if (e->half_open)
		e->half_open--;
}

void fl_engine_note_numbers(struct fl_engine *e, uint32_t id, enum fl_direction dir,
			    const struct fl_packet *p, size_t payload_len)
{
	struct fl_session *s = fl_engine_session(e, id);
	const bool reverse = dir == FL_REVERSE;
	struct fl_tcp_segment seg;

	if (s->proto != FL_IPPROTO_TCP || p->hdr.proto != FL_IPPROTO_TCP ||
	    !fl_tcp_counts(fl_engine_flow(e, id, dir)->tcp, p->hdr.tcp_flags))
		return;
	seg = segment_of(p, payload_len);
	/* What is outside the window says nothing. */
	fl_tcp_numbers(&s->window[reverse], &s->window[!reverse], s->tcp_enforcement, &seg);
}

void fl_engine_say_numbers(const struct fl_session *s, enum fl_direction dir, struct fl_tcp *tcp)
{
	const struct fl_tcp_window *own = &s->window[dir == FL_REVERSE];
	const struct fl_tcp_window *other = &s->window[dir != FL_REVERSE];
	const bool scaled = own->flags & other->flags & FL_TCPW_SCALE;
	uint32_t window = own->max_window >> (scaled ? own->scale & 15 : 0);

	tcp->seq = FL_BE32(own->end);
	tcp->ack = FL_BE32(other->end);
	tcp->window = FL_BE16(window > 0xffff ? 0xffff : window);
}

int fl_engine_track(struct fl_engine *e, uint32_t id, enum fl_direction dir,
		    const struct fl_packet *p)
{
	struct fl_session *s = fl_engine_session(e, id);
	struct fl_flow *flow = fl_engine_flow(e, id, dir);
	bool reverse = dir == FL_REVERSE;
	struct fl_tcp_segment seg;
	enum fl_tcp_state state;
	int next, err;

	if (s->proto != FL_IPPROTO_TCP)
		return 0;
	if (fl_tcp_counts(flow->tcp, p->hdr.tcp_flags)) {
		seg = segment_of(p, p->payload_len);
		err = fl_tcp_numbers(&s->window[reverse], &s->window[!reverse], s->tcp_enforcement,
				     &seg);
		if (err)
			return err;
	}
	next = fl_tcp_next(flow->tcp, reverse, p->hdr.tcp_flags);
	if (next < 0)
		return s->tcp_enforcement == FL_TCP_ENFORCE_ALLOW ? 0 : next;
	state = fl_tcp_after(s, reverse, p->hdr.tcp_flags, next);
	if (state != flow->tcp) {
		fl_engine_flow(e, id, FL_FORWARD)->tcp = state;
		fl_engine_flow(e, id, FL_REVERSE)->tcp = state;
		/* Closing takes less time than the deadline that was set for an open connection. */
		fl_engine_watch(e, id);
	}
	if (state >= FL_TCP_ESTABLISHED)
		fl_engine_not_half_open(e, id);
	return 0;
}
