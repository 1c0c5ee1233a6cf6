// SPDX-License-Identifier: Apache-2.0
/* TCP states of packets that the agent carries; the data plane follows the others (common/tcp.h).
 */
#include "common/tcp.h"

#include "agent/session/engine_internal.h"

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

static struct fl_tcp_segment segment_of(const struct fl_packet *p)
{
	const struct fl_tcp *tcp = (const void *)p->l4;
	struct fl_tcp_segment seg = {
		.seq = FL_HOST32(tcp->seq),
		.ack = FL_HOST32(tcp->ack),
		.window = FL_HOST16(tcp->window),
		.flags = tcp->flags,
		.scale = -1,
	};

	seg.end =
		seg.seq + p->payload_len + !!(tcp->flags & FL_TH_SYN) + !!(tcp->flags & FL_TH_FIN);
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
	if (s->tcp_enforcement == FL_TCP_ENFORCE_STRICT) {
		seg = segment_of(p);
		err = fl_tcp_window(&s->window[reverse], &s->window[!reverse], &seg);
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
