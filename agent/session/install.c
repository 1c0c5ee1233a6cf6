// SPDX-License-Identifier: Apache-2.0
/* Session record to flows: see install.h. */
#include "agent/session/install.h"

#include <errno.h>
#include <string.h>

#include "common/csum.h"
#include "common/hdr.h"

/* One direction of a session, as its packets arrive and as they leave. */
struct leg {
	const struct fl_side *from;
	const struct fl_side *to;
	const uint8_t *old_src;
	const uint8_t *old_dst;
	uint16_t old_sport;
	uint16_t old_dport;
	const uint8_t *new_src;
	const uint8_t *new_dst;
	uint16_t new_sport;
	uint16_t new_dport;
};

static struct leg leg_of(const struct fl_session *s, enum fl_direction dir)
{
	struct leg leg;

	if (dir == FL_FORWARD)
		leg = (struct leg){ &s->in,   &s->out,    s->src,     s->dst,       s->sport,
				    s->dport, s->nat_src, s->nat_dst, s->nat_sport, s->nat_dport };
	else
		leg = (struct leg){ &s->out,      &s->in, s->nat_dst, s->nat_src, s->nat_dport,
				    s->nat_sport, s->dst, s->src,     s->dport,   s->sport };
	if (leg.from->kind == FL_SIDE_PEER) {
		leg.old_sport = leg.from->remote_port;
		leg.old_dport = leg.from->local_port;
	}
	if (leg.to->kind == FL_SIDE_PEER) {
		leg.new_sport = leg.to->local_port;
		leg.new_dport = leg.to->remote_port;
	}
	return leg;
}

static bool is_portless(const struct fl_session *s)
{
	return s->proto != FL_IPPROTO_TCP && s->proto != FL_IPPROTO_UDP;
}

static bool is_icmp(const struct fl_session *s)
{
	return s->proto == FL_IPPROTO_ICMP || s->proto == FL_IPPROTO_ICMPV6;
}

void fl_session_key(const struct fl_session *session, enum fl_direction dir,
		    struct fl_wide_key *ret_key)
{
	struct leg leg = leg_of(session, dir);
	bool v6 = session->family == 6;

	memset(ret_key, 0, sizeof(*ret_key));
	ret_key->sport = leg.old_sport;
	ret_key->dport = leg.old_dport;
	ret_key->proto = session->proto;
	switch (leg.from->kind) {
	case FL_SIDE_PEER:
		ret_key->kind = FL_KEY_PEER;
		ret_key->scope = leg.from->id;
		ret_key->proto = fl_session_wire_proto(session);
		return;
	case FL_SIDE_HOST:
		ret_key->kind = v6 ? FL_KEY_HOST6 : FL_KEY_HOST4;
		break;
	case FL_SIDE_LAN:
	case FL_SIDE_NONE:
		ret_key->kind = v6 ? FL_KEY_LAN6 : FL_KEY_LAN4;
		ret_key->scope = leg.from->id;
		break;
	}
	memcpy(ret_key->saddr, leg.old_src, 16);
	memcpy(ret_key->daddr, leg.old_dst, 16);
}

struct fl_tuple fl_session_forward_tuple(const struct fl_session *s)
{
	struct fl_tuple t = {
		.sport = s->sport, .dport = s->dport, .family = s->family, .proto = s->proto
	};

	memcpy(t.src, s->src, 16);
	memcpy(t.dst, s->dst, 16);
	return t;
}

static uint16_t addr_sum(const struct fl_session *s, const uint8_t *a, const uint8_t *b)
{
	if (s->family == 6)
		return fl_csum_add(fl_csum_addr6(a), fl_csum_addr6(b));
	return fl_csum_add(fl_csum_addr4(a), fl_csum_addr4(b));
}

/*
 * What the address change does to checksums. What a peer's packet arrives with, and what one to a
 * peer leaves with, are the path's addresses: the data plane adds those, since paths change
 * (common/flow.h).
 */
static uint16_t addr_delta(const struct fl_session *s, const struct leg *leg)
{
	uint16_t delta = 0;

	if (leg->from->kind != FL_SIDE_PEER)
		delta = (uint16_t)~addr_sum(s, leg->old_src, leg->old_dst);
	if (leg->to->kind != FL_SIDE_PEER)
		delta = fl_csum_add(delta, addr_sum(s, leg->new_src, leg->new_dst));
	return delta;
}

static uint16_t port_delta(const struct fl_session *s, const struct leg *leg)
{
	uint16_t gone = (uint16_t)FL_BE16(leg->old_sport), come = (uint16_t)FL_BE16(leg->new_sport);

	/* An ICMP identifier stands once in the packet, whatever the key says. */
	if (is_portless(s) && leg->from->kind != FL_SIDE_PEER && leg->to->kind != FL_SIDE_PEER)
		return fl_csum_sub(come, gone);
	return fl_csum_sub(fl_csum_add(come, (uint16_t)FL_BE16(leg->new_dport)),
			   fl_csum_add(gone, (uint16_t)FL_BE16(leg->old_dport)));
}

/*
 * Between routers an ICMP message travels as the initiator sent it, or as it must get the answer:
 * where it comes out or goes in, NAPT may change it.
 */
static bool icmp_changes(const struct fl_session *s, const struct leg *leg)
{
	const bool from_peer = leg->from->kind == FL_SIDE_PEER,
		   to_peer = leg->to->kind == FL_SIDE_PEER;

	if (from_peer != to_peer)
		return s->sport != s->nat_sport ||
		       (s->family == 6 &&
			(memcmp(s->src, s->nat_src, 16) || memcmp(s->dst, s->nat_dst, 16)));
	return !from_peer;
}

static void set_way_out(const struct fl_side *to, struct fl_flow *flow)
{
	switch (to->kind) {
	case FL_SIDE_PEER:
		flow->out_kind = FL_OUT_PEER;
		flow->out = to->vector;
		return;
	case FL_SIDE_LAN:
		flow->out_kind = FL_OUT_NEXTHOP;
		flow->out = to->nexthop;
		return;
	case FL_SIDE_HOST:
		flow->out_kind = FL_OUT_HOST;
		return;
	case FL_SIDE_NONE:
		return;
	}
}

void fl_session_flow(const struct fl_session *session, uint32_t id, enum fl_direction dir,
		     struct fl_flow *ret_flow)
{
	struct leg leg = leg_of(session, dir);
	struct fl_flow flow = { .session = id };

	set_way_out(leg.to, &flow);
	if (leg.from->kind == FL_SIDE_PEER)
		flow.in_vector = leg.from->vector;
	flow.sport = leg.new_sport;
	flow.dport = leg.new_dport;
	flow.addr_delta = addr_delta(session, &leg);
	flow.port_delta = port_delta(session, &leg);
	if (dir == FL_REVERSE)
		flow.flags |= FL_FLOW_REVERSE;
	if (session->dup)
		flow.flags |= FL_FLOW_DUP;
	if (session->family == 6) {
		flow.flags |= FL_FLOW_INNER6;
	} else if (leg.to->kind != FL_SIDE_PEER) {
		memcpy(flow.saddr, leg.new_src, sizeof(flow.saddr));
		memcpy(flow.daddr, leg.new_dst, sizeof(flow.daddr));
	}
	if (is_portless(session)) {
		flow.flags |= FL_FLOW_WRAP;
		/* Other protocols have no identifier there, but data. */
		if (is_icmp(session) && icmp_changes(session, &leg))
			flow.flags |= FL_FLOW_ID_PORT;
	}
	if (session->proto == FL_IPPROTO_TCP) {
		flow.tcp = session->flags & FL_SESSION_MIDSTREAM ? FL_TCP_ESTABLISHED
								 : FL_TCP_SYN_SENT;
		/* A keep-alive says numbers of a connection that has been quiet for long. */
		if (session->tcp_enforcement == FL_TCP_ENFORCE_STRICT ||
		    session->flags & FL_SESSION_KEEP_ALIVE)
			flow.flags |= FL_FLOW_FOLLOW;
	}
	*ret_flow = flow;
}

void fl_session_rewrite_icmp(const struct fl_session *session, enum fl_direction dir, uint8_t *l4)
{
	const struct leg leg = leg_of(session, dir);
	const bool to_peer = leg.to->kind == FL_SIDE_PEER;
	const __be16 id = FL_BE16(to_peer ? session->sport : leg.new_sport);
	struct fl_icmp *icmp = (void *)l4;
	uint16_t delta;

	if (!is_icmp(session) || to_peer == (leg.from->kind == FL_SIDE_PEER) ||
	    !icmp_changes(session, &leg))
		return;
	delta = fl_csum_sub((uint16_t)id, (uint16_t)icmp->id);
	if (session->family == 6)
		delta = fl_csum_add(delta,
				    fl_csum_sub(addr_sum(session, leg.new_src, leg.new_dst),
						addr_sum(session, leg.old_src, leg.old_dst)));
	icmp->id = id;
	icmp->check = (__be16)fl_csum_update((uint16_t)icmp->check, delta);
}

int fl_session_install(struct fl_flows *flows, struct fl_tables *tables, uint32_t id,
		       const enum fl_flow_state state[2], uint32_t *ret_other)
{
	struct fl_session *session = &tables->sessions[id];
	struct fl_mono now = fl_mono_now();
	struct fl_wide_key key[2];
	struct fl_flow flow;
	uint32_t slot;
	int err;

	for (int dir = FL_REVERSE; dir >= FL_FORWARD; dir--) {
		fl_session_key(session, (enum fl_direction)dir, &key[dir]);
		fl_session_flow(session, id, (enum fl_direction)dir, &flow);
		flow.state = state[dir];
		err = fl_flows_insert(flows, &key[dir], &flow, now, &slot);
		if (err < 0) {
			*ret_other = err == -EEXIST ? tables->flows[slot].session : 0;
			if (dir == FL_FORWARD)
				fl_flows_remove(flows, &key[FL_REVERSE], session->slot[FL_REVERSE],
						now);
			return err;
		}
		session->slot[dir] = slot;
	}
	session->state = FL_SESSION_LIVE;
	return 0;
}

void fl_session_withdraw(struct fl_flows *flows, struct fl_tables *tables, uint32_t id,
			 struct fl_mono now)
{
	const struct fl_session *session = &tables->sessions[id];
	struct fl_wide_key key;

	for (int dir = FL_FORWARD; dir <= FL_REVERSE; dir++) {
		fl_session_key(session, (enum fl_direction)dir, &key);
		fl_flows_remove(flows, &key, session->slot[dir], now);
	}
}
