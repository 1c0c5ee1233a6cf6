// SPDX-License-Identifier: Apache-2.0
/* New sessions: of our hosts (svr-protocol.md 3.1), and those that peers announce. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/rand.h"
#include "agent/codec/packet_build.h"
#include "agent/session/engine_internal.h"
#include "common/hdr.h"

/* Built-in timers (3.11), milliseconds. */
#define IDLE_TCP_MS   1900000
#define IDLE_UDP_MS   180000
#define IDLE_DNS_MS   5000
#define IDLE_ICMP_MS  10000
#define IDLE_OTHER_MS 180000
#define INITIAL_MS    10000

#define DNS_PORT 53

/* Source NAT ports (3.9), and how many are tried before giving up. */
#define NAT_TRIES 64

/* Tries to find a waypoint pair that is not in use. */
#define WAYPOINT_TRIES 256

/* A session being opened. */
struct opening {
	struct fl_engine *e;
	const struct fl_decision *d;
	uint32_t id;
	struct fl_session *s;
};

/* --- parts ------------------------------------------------------------------------------------ */

static void set_timers(struct fl_session *s, const struct fl_cfg_session_type *type)
{
	s->initial_timeout_ms = INITIAL_MS;
	switch (s->proto) {
	case FL_IPPROTO_TCP:
		s->idle_timeout_ms = IDLE_TCP_MS;
		break;
	case FL_IPPROTO_UDP:
		s->idle_timeout_ms = s->dport == DNS_PORT ? IDLE_DNS_MS : IDLE_UDP_MS;
		break;
	case FL_IPPROTO_ICMP:
	case FL_IPPROTO_ICMPV6:
		s->idle_timeout_ms = IDLE_ICMP_MS;
		break;
	default:
		s->idle_timeout_ms = IDLE_OTHER_MS;
		break;
	}
	if (type) {
		s->idle_timeout_ms = type->timeout_ms;
		s->initial_timeout_ms = type->initial_timeout_ms;
		if (type->nat_keep_alive)
			s->flags |= FL_SESSION_KEEP_ALIVE;
	}
}

/* --- installing ------------------------------------------------------------------------------- */

/*
 * A session that stands in the way may give way: it is over, never got going, or came from the very
 * peer that now announces the tuple anew, because it has forgotten the old one.
 */
static bool gives_way(struct fl_engine *e, uint32_t other, const struct fl_side *in)
{
	const struct fl_flow *flow = fl_engine_flow(e, other, FL_FORWARD);
	const struct fl_side *other_in = &fl_engine_session(e, other)->in;

	if (flow->tcp >= FL_TCP_CLOSING)
		return true;
	if (in->kind == FL_SIDE_PEER && other_in->kind == FL_SIDE_PEER && in->id == other_in->id)
		return true;
	/* prefer-established-session: one that still signals gives way to another. */
	return flow->state != FL_FLOW_ESTABLISHED;
}

/* The same waypoints toward the same peer. */
static bool is_on(const struct fl_side *side, const struct fl_side *wanted)
{
	return side->kind == FL_SIDE_PEER && side->id == wanted->id &&
	       side->local_port == wanted->local_port && side->remote_port == wanted->remote_port;
}

static int install_on_waypoints(struct opening *o, const enum fl_flow_state state[2])
{
	struct fl_engine *e = o->e;
	struct fl_waypoints *wp =
		fl_engine_waypoints_of(e, o->s->out.id, fl_session_wire_proto(o->s));
	struct fl_waypoint_pair pair;
	uint32_t other = 0;
	int err;

	for (int i = 0; wp && i < WAYPOINT_TRIES; i++) {
		if (fl_waypoints_next(wp, e->now, &pair) < 0)
			break;
		o->s->out.local_port = pair.local;
		o->s->out.remote_port = pair.remote;
		err = fl_session_install(e->flows, e->t, o->id, state, &other);
		if (!err)
			fl_waypoints_take(wp);
		if (!err)
			return 0;
		if (err != -EEXIST)
			return -FL_DROP_TABLE_FULL;
		/* Taken waypoints: try the next pair. A taken tuple: it is our own session. */
		if (!is_on(&e->t->sessions[other].out, &o->s->out) &&
		    !is_on(&e->t->sessions[other].in, &o->s->out))
			return -EEXIST;
	}
	return -FL_DROP_WAYPOINTS;
}

/* May the session leave by another port than its host's? ICMP has its identifier for it. */
static bool port_is_free(const struct fl_session *s)
{
	return s->proto == FL_IPPROTO_TCP || s->proto == FL_IPPROTO_UDP ||
	       s->proto == FL_IPPROTO_ICMP || s->proto == FL_IPPROTO_ICMPV6;
}

static int install_with_nat(struct opening *o, const enum fl_flow_state state[2])
{
	const bool icmp = o->s->proto == FL_IPPROTO_ICMP || o->s->proto == FL_IPPROTO_ICMPV6;
	const bool any = port_is_free(o->s);
	struct fl_engine *e = o->e;
	uint32_t other = 0;
	int err;

	for (int i = 0; i < (any ? NAT_TRIES : 1); i++) {
		/* The host's own port first: most are free, and some servers look at it. */
		if (any && (i || o->s->sport < FL_NAPT_PORT_LO || o->s->sport > FL_NAPT_PORT_HI))
			o->s->nat_sport =
				(uint16_t)(FL_NAPT_PORT_LO +
					   fl_rand_u64() % (FL_NAPT_PORT_HI - FL_NAPT_PORT_LO + 1));
		if (icmp)
			o->s->nat_dport = o->s->nat_sport;
		err = fl_session_install(e->flows, e->t, o->id, state, &other);
		if (err != -EEXIST)
			return err ? -FL_DROP_TABLE_FULL : 0;
	}
	return -FL_DROP_NAT_PORTS;
}

/* Publish; a session in the way is replaced if it may be. Returns 0 or a negative drop reason. */
static int install(struct opening *o, bool from_peer)
{
	const bool to_peer = o->s->out.kind == FL_SIDE_PEER;
	const bool portless_nat = o->s->flags & FL_SESSION_NAPT;
	const enum fl_flow_state state[2] = {
		(enum fl_flow_state)((from_peer ? FL_FLOW_RX_META : 0) |
				     (to_peer ? FL_FLOW_TX_META : 0)),
		(enum fl_flow_state)((to_peer ? FL_FLOW_RX_META : 0) |
				     (from_peer ? FL_FLOW_TX_META : 0)),
	};
	struct fl_engine *e = o->e;
	uint32_t other = 0;
	int err;

	for (int i = 0; i < 3; i++) {
		if (to_peer)
			err = install_on_waypoints(o, state);
		else if (portless_nat)
			err = install_with_nat(o, state);
		else
			err = fl_session_install(e->flows, e->t, o->id, state, &other);
		if (err != -EEXIST)
			return err == -ENOSPC ? -FL_DROP_TABLE_FULL : err;
		if (to_peer) {
			struct fl_wide_key key;
			uint32_t slot;

			fl_session_key(o->s, FL_FORWARD, &key);
			slot = fl_flows_find(e->flows, &key);
			other = slot == FL_NO_SLOT ? 0 : e->t->flows[slot].session;
		}
		if (!other || other == o->id || !gives_way(e, other, &o->s->in))
			return -FL_DROP_META_UNEXPECTED;
		fl_engine_close(e, other, FL_CLOSE_REPLACED);
	}
	return -FL_DROP_INTERNAL;
}

/* --- ways out --------------------------------------------------------------------------------- */

static int set_peer_side(struct opening *o)
{
	const struct fl_candidate *way = o->d->chosen;

	const struct fl_vector_key key = fl_engine_own_key(o->s, way->peer);

	o->s->out = (struct fl_side){ .kind = FL_SIDE_PEER, .id = way->peer };
	o->s->out.vector = fl_fabric_vector(o->e->fabric, &key, way->path);
	return o->s->out.vector ? 0 : -FL_DROP_TABLE_FULL;
}

static int set_exit_side(struct opening *o)
{
	const struct fl_candidate *way = o->d->chosen;
	const struct fl_netif *netif;
	struct fl_addr own;

	if (way->nat_dst.family)
		memcpy(o->s->nat_dst, way->nat_dst.b, 16);
	if (way->exit.host) {
		o->s->out = (struct fl_side){ .kind = FL_SIDE_HOST };
		return 0;
	}
	o->s->out = (struct fl_side){ .kind = FL_SIDE_LAN,
				      .id = way->exit.iface,
				      .nexthop = way->exit.hop };
	netif = fl_fabric_netif(o->e->fabric, way->exit.iface);
	if (!netif || !netif->cfg)
		return -FL_DROP_INTERFACE_DOWN;
	if (!netif->cfg->source_nat || o->d->service->source_nat == FL_CFG_SERVICE_NAT_DISABLED)
		return 0;
	own = fl_fabric_own_addr(o->e->fabric, netif->link.ifindex, o->s->family);
	if (!own.family)
		return -FL_DROP_NO_ROUTE;
	memcpy(o->s->nat_src, own.b, 16);
	o->s->flags |= FL_SESSION_NAPT;
	return 0;
}

static const struct fl_path *path_of(const struct fl_engine *e, const struct fl_side *side)
{
	return &e->t->paths[e->t->vectors[side->vector].path];
}

static uint16_t side_mtu(const struct fl_engine *e, const struct fl_side *side)
{
	if (side->kind == FL_SIDE_PEER)
		return path_of(e, side)->mtu;
	return side->kind == FL_SIDE_LAN ? e->t->nexthops[side->nexthop].mtu : 0xffff;
}

/* What the side's interface says of segment sizes. */
static uint16_t side_mss(const struct fl_engine *e, const struct fl_side *side)
{
	uint16_t id = side->kind == FL_SIDE_PEER  ? path_of(e, side)->iface
		      : side->kind == FL_SIDE_LAN ? side->id
						  : 0;
	const struct fl_netif *netif = fl_fabric_netif(e->fabric, id);

	return netif && netif->cfg ? netif->cfg->enforced_mss : FL_CFG_MSS_DISABLED;
}

static bool is_six(const struct fl_engine *e, const struct fl_side *side)
{
	return side->kind == FL_SIDE_PEER && path_of(e, side)->family == 6;
}

/* P-23, for both interfaces of a session, whichever is stricter. */
static void set_mss(struct opening *o)
{
	const struct fl_side *sides[2] = { &o->s->in, &o->s->out };
	uint16_t mtu = side_mtu(o->e, sides[0]), other = side_mtu(o->e, sides[1]), header = 40;

	if (o->s->proto != FL_IPPROTO_TCP)
		return;
	if (o->s->family == 6 || is_six(o->e, sides[0]) || is_six(o->e, sides[1]))
		header = 60;
	if (other < mtu)
		mtu = other;
	for (int i = 0; i < 2; i++) {
		uint16_t mss = side_mss(o->e, sides[i]);

		if (mss == FL_CFG_MSS_DISABLED)
			continue;
		if (mss == FL_CFG_MSS_AUTOMATIC)
			mss = (uint16_t)(mtu - header);
		if (!o->s->mss || mss < o->s->mss)
			o->s->mss = mss;
	}
}

/* --- all of it -------------------------------------------------------------------------------- */

static void set_identity(struct opening *o, const struct fl_tuple *t)
{
	struct fl_engine *e = o->e;
	const struct fl_decision *d = o->d;
	struct fl_session *s = o->s;

	memcpy(s->src, t->src, 16);
	memcpy(s->dst, t->dst, 16);
	memcpy(s->nat_src, t->src, 16);
	memcpy(s->nat_dst, t->dst, 16);
	s->sport = t->sport;
	s->dport = t->dport;
	s->nat_sport = t->sport;
	s->nat_dport = t->dport;
	s->family = t->family;
	s->proto = t->proto;
	s->start_ns = e->now.ns;
	s->service = e->plan.service_names[d->match.service];
	s->tenant = d->tenant == FL_CFG_NONE ? 0 : e->plan.tenant_names[d->tenant];
	s->policy = d->policy
			    ? e->plan.policy_names[d->policy - e->config->authority.service_policy]
			    : 0;
	s->tcp_enforcement =
		d->policy ? d->policy->transport_state_enforcement : FL_TCP_ENFORCE_RESET;
	set_timers(s, d->type);
}

static int finish(struct opening *o, bool from_peer)
{
	struct fl_engine *e = o->e;
	int err;

	err = o->d->chosen->peer ? set_peer_side(o) : set_exit_side(o);
	if (!err) {
		set_mss(o);
		if (o->d->chosen->peer)
			fl_engine_dup_open(e, o->id, o->d->chosen->path);
		err = install(o, from_peer);
	}
	if (err) {
		fl_engine_dup_close(e, o->id);
		fl_store_abandon(e->store, o->id);
		return err;
	}
	fl_fabric_hop_get(e->fabric, o->s->in.nexthop);
	fl_fabric_hop_get(e->fabric, o->s->out.nexthop);
	fl_engine_join(e, o->id, FL_FORWARD);
	fl_engine_join(e, o->id, FL_REVERSE);
	fl_engine_note_opened(e, o->id, o->d);
	if (o->s->proto == FL_IPPROTO_TCP && !(o->s->flags & FL_SESSION_MIDSTREAM)) {
		o->s->flags |= FL_SESSION_HALF_OPEN;
		e->half_open++;
	}
	fl_tables_count(e->t, FL_STAT_SESSIONS_OPENED);
	for (int dir = 0; dir < 2; dir++)
		fl_engine_flow(e, o->id, (enum fl_direction)dir)->last_seen = e->jiffies;
	fl_engine_watch(e, o->id);
	return 0;
}

/* --- announced by a peer ---------------------------------------------------------------------- */

static void copy_name(char to[FL_NAME_LEN], const struct fl_meta_name *name)
{
	size_t len = name->len < FL_NAME_LEN ? name->len : FL_NAME_LEN - 1;

	memcpy(to, name->s, len);
	to[len] = 0;
}

/*
 * TLV 42: the session is not new but to us, and has this long to live where it was. Until it is
 * answered here, that is what it gets instead of a new session's time; never more than its idle
 * time here.
 */
static void take_remaining_time(struct fl_session *s, const struct fl_meta *m)
{
	const uint64_t ms = m->remaining_s ? m->remaining_s * 1000ULL : 1000;

	if (fl_meta_has(m, FL_META_REMAINING_TIME))
		s->initial_timeout_ms = ms < s->idle_timeout_ms ? (uint32_t)ms : s->idle_timeout_ms;
}

int fl_engine_open_announced(struct fl_engine *e, const struct fl_announced *what)
{
	static struct fl_decision d;
	const struct fl_meta *m = what->meta;
	const struct fl_path_rt *path = fl_fabric_path(e->fabric, what->path);
	char tenant[FL_NAME_LEN], router[FL_NAME_LEN];
	struct fl_question q = { .tuple = m->forward, .from_peer = path->peer, .tenant = tenant };
	const struct fl_deciding by = fl_engine_deciding(e);
	struct opening o = { .e = e, .d = &d };
	uint16_t in;
	int err;

	copy_name(tenant, &m->tenant);
	copy_name(router, &m->source_router);
	fl_decide(&by, &q, &d);
	err = d.reason ? -(int)d.reason : fl_engine_tcp_may_be_announced(e, what, &d);
	if (err)
		return err;
	fl_engine_ahead_of_announced(e, m, &d);
	if (fl_store_open(e->store, m->uuid, &o.id) < 0)
		return -FL_DROP_TABLE_FULL;
	o.s = fl_engine_session(e, o.id);
	set_identity(&o, &q.tuple);
	take_remaining_time(o.s, m);
	/* The initiator's tenant goes on as it came, also if we know no such tenant. */
	o.s->tenant = fl_store_name(e->store, FL_NAME_TENANT, tenant);
	o.s->source_router = fl_store_name(e->store, FL_NAME_ROUTER, router);
	if (fl_meta_has(m, FL_META_SOURCE_NAT) && o.s->family == 4)
		memcpy(o.s->nat_src, m->source_nat.b, 16);
	if (what->midstream)
		o.s->flags |= FL_SESSION_MIDSTREAM;
	/* Moved to us from another router: those behind us hear of it, too. */
	if (fl_meta_has(m, FL_META_MODIFY)) {
		o.s->flags |= FL_SESSION_RESIGNAL;
		o.s->modify_seq = m->modify.seq;
	}
	o.s->forward_seen = 1;
	o.s->in = (struct fl_side){
		.kind = FL_SIDE_PEER,
		.id = path->peer,
		.local_port = what->local_port,
		.remote_port = what->remote_port,
		.vector = fl_engine_vector_from(e, path->peer, what->path, m),
	};
	if (!o.s->in.vector) {
		fl_store_abandon(e->store, o.id);
		return -FL_DROP_TABLE_FULL;
	}
	/* Held before the other side looks for a vector, which may take one that nobody holds. */
	fl_fabric_vector_get(e->fabric, o.s->in.vector);
	in = o.s->in.vector;
	if (fl_meta_has(m, FL_META_DUPLICATE_SEQ) && o.s->proto != FL_IPPROTO_TCP &&
	    fl_engine_dup_announced(e, o.id, what->path) < 0) {
		fl_fabric_vector_put(e->fabric, in);
		fl_store_abandon(e->store, o.id);
		return -FL_DROP_TABLE_FULL;
	}
	err = finish(&o, true);
	fl_fabric_vector_put(e->fabric, in);
	return err ? err : (int)o.id;
}

/* --- first packets of hosts ------------------------------------------------------------------- */

static void deny(struct fl_engine *e, const struct fl_wide_key *key, enum fl_drop_reason reason)
{
	const struct fl_denial denial = {
		.reason = reason,
		.generation = e->t->settings->generation,
		.until_ns = e->now.ns + e->t->settings->denial_ms * FL_NS_PER_MS,
	};

	fl_engine_drop(e, reason);
	if (e->t->settings->denial_ms)
		e->t->ops->deny(e->t->ops_ctx, key, &denial);
}

/* Strict: the route back to the source leads out by the interface that it came in by (3.10). */
static bool reverse_route_ok(struct fl_engine *e, const struct fl_work *work,
			     const struct fl_addr *src)
{
	const struct fl_netif *netif = fl_fabric_netif(e->fabric, work->punt->iface);
	const struct fl_addr none = { 0 };
	struct fl_exit out;

	if (!netif || !netif->cfg ||
	    netif->cfg->reverse_flow_enforcement != FL_CFG_REVERSE_FLOW_STRICT)
		return true;
	return fl_fabric_exit(e->fabric, src, &none, 0, NULL, &out) == 0 && out.iface == netif->id;
}

/* The initiator's side: where answers go, by the way that the packet came. */
static int set_in_side(struct opening *o, const struct fl_work *work)
{
	struct fl_addr src = fl_addr_from(o->s->family, o->s->src), none = { 0 };
	static const uint8_t zero[6];
	struct fl_exit exit;
	int err;

	if (work->punt->hook == FL_HOOK_TC_EGRESS) {
		o->s->in = (struct fl_side){ .kind = FL_SIDE_HOST };
		return 0;
	}
	if (!reverse_route_ok(o->e, work, &src))
		return -FL_DROP_SYMMETRY;
	err = fl_fabric_exit(o->e->fabric, &src, &none, work->punt->iface,
			     memcmp(work->punt->smac, zero, 6) ? work->punt->smac : NULL, &exit);
	if (err == -ENOSPC)
		return -FL_DROP_TABLE_FULL;
	if (err < 0 || exit.host)
		return -FL_DROP_BAD_SOURCE;
	o->s->in = (struct fl_side){ .kind = FL_SIDE_LAN,
				     .id = work->punt->iface,
				     .nexthop = exit.hop };
	return 0;
}

static void open_own(struct fl_engine *e, struct fl_work *work, const struct fl_tuple *t,
		     const struct fl_decision *d)
{
	struct opening o = { .e = e, .d = d };
	int err;

	if (fl_store_open(e->store, e->next_uuid, &o.id) < 0) {
		fl_engine_drop(e, FL_DROP_TABLE_FULL);
		return;
	}
	o.s = fl_engine_session(e, o.id);
	set_identity(&o, t);
	if (fl_is_midstream(&work->packet))
		o.s->flags |= FL_SESSION_MIDSTREAM;
	/* Looking for one next hop may make room by forgetting others that no session holds yet. */
	fl_fabric_hop_get(e->fabric, d->chosen->exit.hop);
	err = set_in_side(&o, work);
	if (err)
		fl_store_abandon(e->store, o.id);
	else
		err = finish(&o, false);
	fl_fabric_hop_put(e->fabric, d->chosen->exit.hop);
	fl_engine_ahead_of_next(e, &o.s->out, fl_session_wire_proto(o.s));
	if (err) {
		fl_engine_drop(e, (enum fl_drop_reason) - err);
		return;
	}
	err = fl_engine_track(e, o.id, FL_FORWARD, &work->packet);
	if (err)
		fl_engine_drop(e, (enum fl_drop_reason) - err);
	else
		fl_engine_forward(e, o.id, FL_FORWARD, &work->packet);
}

static bool is_icmp(const struct fl_tuple *t)
{
	return t->proto == FL_IPPROTO_ICMP || t->proto == FL_IPPROTO_ICMPV6;
}

static bool icmp_dropped(const struct fl_netif *netif, const struct fl_tuple *t)
{
	return netif && netif->cfg && netif->cfg->icmp == FL_CFG_ICMP_DROP && is_icmp(t);
}

/* The data plane sees it of whole packets. */
static bool is_for_host(const struct fl_engine *e, const struct fl_work *work,
			const struct fl_tuple *t)
{
	const struct fl_addr dst = fl_addr_from(t->family, t->dst);

	return work->packet.came_in_pieces && fl_fabric_is_local(e->fabric, &dst);
}

void fl_engine_first_packet(struct fl_engine *e, struct fl_work *work)
{
	static struct fl_decision d;
	struct fl_question q = { .netif = fl_fabric_netif(e->fabric, work->punt->iface) };
	const struct fl_deciding by = fl_engine_deciding(e);
	struct fl_wide_key key;
	uint32_t slot;

	if (!fl_packet_tuple(&work->packet, &q.tuple)) {
		fl_engine_drop(e, FL_DROP_MALFORMED);
		return;
	}
	fl_engine_host_key(work->punt, &q.tuple, &key);
	slot = fl_flows_find(e->flows, &key);
	if (slot != FL_NO_SLOT) {
		const struct fl_flow *flow = &e->t->flows[slot];

		/* One of several packets that came before the flow was there; or it reopens. */
		if (flow->tcp < FL_TCP_CLOSING || fl_is_midstream(&work->packet) ||
		    flow->flags & FL_FLOW_REVERSE) {
			fl_engine_pass(e, flow->session,
				       flow->flags & FL_FLOW_REVERSE ? FL_REVERSE : FL_FORWARD,
				       &work->packet);
			return;
		}
		fl_engine_close(e, flow->session, FL_CLOSE_REPLACED);
	}
	if (is_for_host(e, work, &q.tuple)) {
		fl_engine_to_host(e, work);
		return;
	}
	/* The data plane has looked at this, but for what came in fragments. */
	if (is_icmp(&q.tuple) && !(work->packet.hdr.flags & FL_PKT_ICMP_REQUEST)) {
		fl_engine_drop(e, FL_DROP_ICMP_UNSOLICITED);
		return;
	}
	if (icmp_dropped(q.netif, &q.tuple)) {
		deny(e, &key, FL_DROP_ACCESS_DENIED);
		return;
	}
	if (!fl_engine_half_open_allowed(e, q.tuple.proto)) {
		fl_engine_drop(e, FL_DROP_HALF_OPEN);
		return;
	}
	fl_decide(&by, &q, &d);
	if (d.reason) {
		deny(e, &key, d.reason);
		return;
	}
	if (!fl_engine_tcp_may_start(e, work, &d))
		return;
	if (work->packet.hdr.ttl <= 1 && !d.chosen->exit.host) {
		fl_engine_icmp_to_sender(e, work, FL_ICMP_TTL_EXPIRED);
		fl_engine_drop(e, FL_DROP_TTL_EXPIRED);
		return;
	}
	open_own(e, work, &q.tuple, &d);
}
