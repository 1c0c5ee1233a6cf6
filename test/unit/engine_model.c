// SPDX-License-Identifier: Apache-2.0
/*
 * The data plane in a few lines of C: which packets it forwards, drops, or hands up, in the order
 * of bpf/lib/pipeline.bpf.h. test/bpf/ proves that the programs do this; here it only has to be
 * true.
 */
#include <string.h>

#include "agent/codec/packet_build.h"
#include "common/meta_wire.h"
#include "common/tcp.h"
#include "test/unit/engine_world.h"

/* A packet at work. */
struct job {
	struct router *r;
	struct fl_packet p;
	struct fl_tuple t;
	uint16_t iface;
	enum fl_hook hook;
	uint16_t path;
	uint16_t peer;
	uint32_t slot;
	const uint8_t *smac;
};

static enum model_verdict drop(const struct job *j, enum fl_drop_reason reason)
{
	fl_tables_drop(&j->r->t, reason);
	return MODEL_DROPPED;
}

void model_hand_up(struct router *r, const struct model_punt *what, const uint8_t *data, size_t len)
{
	struct fl_punt *punt = calloc(1, sizeof(*punt) + len);

	MUST_BE(punt);
	punt->reason = what->reason;
	punt->hook = what->hook;
	punt->iface = what->iface;
	punt->path = what->path;
	punt->gso_size = what->gso_size;
	punt->slot = what->slot;
	punt->session = what->session;
	punt->len = (uint32_t)len;
	if (what->smac)
		memcpy(punt->smac, what->smac, 6);
	if (len)
		memcpy(punt->data, data, len);
	if (what->reason < sizeof(r->punts) / sizeof(r->punts[0]))
		r->punts[what->reason]++;
	r->last_punt = what->reason;
	fl_engine_begin(r->engine);
	fl_engine_punt(r->engine, punt);
	free(punt);
	router_answer(r);
}

static enum model_verdict punt(const struct job *j, enum fl_punt_reason reason)
{
	const struct model_punt what = {
		.reason = reason,
		.hook = j->hook,
		.iface = j->iface,
		.path = j->path,
		.slot = j->slot,
		.session = j->slot == FL_NO_SLOT ? 0 : j->r->t.flows[j->slot].session,
		.smac = j->smac,
	};

	model_hand_up(j->r, &what, j->p.data, j->p.len);
	return MODEL_PUNTED;
}

/* The path whose waypoints these are. */
static uint16_t path_of(const struct router *r, const uint8_t *local, const uint8_t *remote,
			uint8_t family)
{
	for (uint16_t id = 1; id < FL_MAX_PATHS; id++) {
		const struct fl_path *path = &r->t.paths[id];

		if (path->state != FL_PATH_UNUSED && path->family == family &&
		    !memcmp(path->local, local, 16) && !memcmp(path->remote, remote, 16))
			return id;
	}
	return 0;
}

static struct fl_wide_key key_of(const struct job *j, const struct fl_tuple *t)
{
	bool host = j->hook == FL_HOOK_TC_EGRESS;
	struct fl_wide_key key;

	memset(&key, 0, sizeof(key));
	key.sport = t->sport;
	key.dport = t->dport;
	key.proto = t->proto;
	key.scope = j->path ? j->peer : host ? 0 : j->iface;
	if (j->path) {
		key.kind = FL_KEY_PEER;
		return key;
	}
	memcpy(key.saddr, t->src, 16);
	memcpy(key.daddr, t->dst, 16);
	if (t->family == 6)
		key.kind = host ? FL_KEY_HOST6 : FL_KEY_LAN6;
	else
		key.kind = host ? FL_KEY_HOST4 : FL_KEY_LAN4;
	return key;
}

static void note_path(struct job *j, const uint8_t *local, const uint8_t *remote, uint8_t family)
{
	j->path = path_of(j->r, local, remote, family);
	j->peer = j->path ? j->r->t.paths[j->path].peer : 0;
}

/* About a packet of a session of ours? */
static enum model_verdict icmp_error(struct job *j)
{
	struct fl_wide_key key;
	struct fl_tuple quoted;

	if (!fl_packet_quoted_tuple(&j->p, &quoted))
		return drop(j, FL_DROP_ICMP_ERROR);
	note_path(j, quoted.src, quoted.dst, quoted.family);
	quoted = fl_tuple_reverse(&quoted);
	key = key_of(j, &quoted);
	j->slot = fl_flows_find(fl_engine_flows(j->r->engine), &key);
	if (j->slot != FL_NO_SLOT)
		return punt(j, FL_PUNT_ICMP_ERROR);
	return drop(j, FL_DROP_ICMP_ERROR);
}

static enum model_verdict peer_miss(const struct job *j)
{
	const struct fl_path *path = &j->r->t.paths[j->path];

	if (!fl_path_has_ports(path, j->t.sport, j->t.dport))
		return MODEL_KERNEL;
	return punt(j, fl_meta_has_cookie(j->p.payload, j->p.payload_len) ? FL_PUNT_META
									  : FL_PUNT_BARE);
}

static bool is_ours(const struct router *r, const struct fl_tuple *t)
{
	const struct fl_addr dst = fl_addr_from(t->family, t->dst);

	return fl_fabric_is_local(r->fabric, &dst);
}

static enum model_verdict lan_miss(const struct job *j)
{
	struct fl_wide_key key = key_of(j, &j->t);
	struct router *r = j->r;

	if (j->hook != FL_HOOK_TC_EGRESS && is_ours(r, &j->t))
		return MODEL_KERNEL;
	if ((j->t.proto == FL_IPPROTO_ICMP || j->t.proto == FL_IPPROTO_ICMPV6) &&
	    !(j->p.hdr.flags & FL_PKT_ICMP_REQUEST))
		return drop(j, FL_DROP_ICMP_UNSOLICITED);
	for (size_t i = 0; i < r->n_denials; i++) {
		const struct world_denial *d = &r->denials[i];

		if (!memcmp(&d->key, &key, sizeof(key)) &&
		    d->denial.generation == r->t.settings->generation &&
		    d->denial.until_ns >= r->world->mono_ns) {
			fl_tables_count(&r->t, FL_STAT_DENIED_CACHED);
			return drop(j, d->denial.reason);
		}
	}
	return punt(j, FL_PUNT_NEW);
}

static int window(const struct job *j, struct fl_session *s, bool reverse)
{
	const struct fl_tcp *tcp = (const void *)j->p.l4;
	struct fl_tcp_segment seg = {
		.seq = FL_HOST32(tcp->seq),
		.ack = FL_HOST32(tcp->ack),
		.window = FL_HOST16(tcp->window),
		.flags = tcp->flags,
		.scale = -1,
	};

	seg.end =
		seg.seq + j->p.payload_len + !!(seg.flags & FL_TH_SYN) + !!(seg.flags & FL_TH_FIN);
	return fl_tcp_numbers(&s->window[reverse], &s->window[!reverse], s->tcp_enforcement, &seg);
}

/* TCP's state moves on, or forbids the packet. */
static int track(const struct job *j, struct fl_flow *flow)
{
	struct fl_session *s = &j->r->t.sessions[flow->session];
	bool reverse = flow->flags & FL_FLOW_REVERSE;
	int next;

	if (flow->tcp == FL_TCP_NONE)
		return 0;
	next = flow->flags & FL_FLOW_FOLLOW ||
			       j->p.hdr.tcp_flags & (FL_TH_SYN | FL_TH_FIN | FL_TH_RST)
		       ? window(j, s, reverse)
		       : 0;
	if (next)
		return next;
	next = fl_tcp_next(flow->tcp, reverse, j->p.hdr.tcp_flags);
	if (next < 0)
		return s->tcp_enforcement == FL_TCP_ENFORCE_ALLOW ? 0 : next;
	next = (int)fl_tcp_after(s, reverse, j->p.hdr.tcp_flags, next);
	if (next == (int)flow->tcp)
		return 0;
	j->r->t.flows[s->slot[0]].tcp = (enum fl_tcp_state)next;
	j->r->t.flows[s->slot[1]].tcp = (enum fl_tcp_state)next;
	if (next >= FL_TCP_CLOSING ||
	    (next == FL_TCP_ESTABLISHED && j->r->t.settings->watch_established)) {
		const struct model_punt news = { .reason = FL_PUNT_STATE,
						 .slot = j->slot,
						 .session = flow->session };

		model_hand_up(j->r, &news, NULL, 0);
	}
	return 0;
}

/* Where the flow leads, as an IP header and a frame's destination. */
struct way {
	struct fl_tx_to to;
	struct fl_ip_spec ip;
	uint16_t mtu;
	bool wrap;
	bool unwrap;
};

static void way_to_peer(const struct job *j, const struct fl_flow *flow, struct way *way)
{
	const struct fl_path *path = &j->r->t.paths[j->r->t.vectors[flow->out].path];

	memcpy(way->to.dmac, path->dmac, 6);
	memcpy(way->to.smac, path->smac, 6);
	way->to.ifindex = path->state == FL_PATH_UP ? path->ifindex : 0;
	way->to.family = path->family;
	way->mtu = path->mtu;
	way->wrap = flow->flags & FL_FLOW_WRAP && !j->path;
	way->ip.tuple.family = path->family;
	way->ip.tuple.proto = flow->flags & FL_FLOW_WRAP ? FL_IPPROTO_UDP : j->t.proto;
	memcpy(way->ip.tuple.src, path->local, 16);
	memcpy(way->ip.tuple.dst, path->remote, 16);
}

static void way_to_lan(const struct job *j, const struct fl_flow *flow, struct way *way)
{
	const struct fl_nexthop *hop = &j->r->t.nexthops[flow->out];
	const struct fl_session *s = &j->r->t.sessions[flow->session];
	bool reverse = flow->flags & FL_FLOW_REVERSE;

	way->to.ifindex = WORLD_LOOPBACK;
	way->mtu = 0xffff;
	if (flow->out_kind == FL_OUT_NEXTHOP) {
		memcpy(way->to.dmac, hop->dmac, 6);
		memcpy(way->to.smac, hop->smac, 6);
		way->to.ifindex = hop->state == FL_PATH_UP ? hop->ifindex : 0;
		way->mtu = hop->mtu;
	}
	way->to.family = s->family;
	way->unwrap = flow->flags & FL_FLOW_WRAP && j->path;
	way->ip.tuple.family = s->family;
	way->ip.tuple.proto = s->proto;
	if (s->family == 4) {
		memcpy(way->ip.tuple.src, flow->saddr, 4);
		memcpy(way->ip.tuple.dst, flow->daddr, 4);
		return;
	}
	memcpy(way->ip.tuple.src, reverse ? s->dst : s->nat_src, 16);
	memcpy(way->ip.tuple.dst, reverse ? s->src : s->nat_dst, 16);
}

static void put_l4(const struct job *j, const struct fl_flow *flow, const struct way *way,
		   uint8_t *l4, size_t len)
{
	if (way->wrap) {
		fl_packet_put_udp(l4, flow->sport, flow->dport, j->p.l4_len);
		memcpy(l4 + 8, j->p.l4, j->p.l4_len);
		fl_session_rewrite_icmp(&j->r->t.sessions[flow->session],
					flow->flags & FL_FLOW_REVERSE ? FL_REVERSE : FL_FORWARD,
					l4 + 8);
		return;
	}
	memcpy(l4, way->unwrap ? j->p.payload : j->p.l4, len);
	if (flow->flags & FL_FLOW_ID_PORT)
		fl_put_u16(l4 + 4, flow->flags & FL_FLOW_REVERSE ? flow->dport : flow->sport);
	if (flow->flags & FL_FLOW_WRAP && !j->path)
		return;
	if (!way->unwrap && !(flow->flags & FL_FLOW_ID_PORT) &&
	    (way->ip.tuple.proto == FL_IPPROTO_UDP || way->ip.tuple.proto == FL_IPPROTO_TCP)) {
		fl_put_u16(l4, flow->sport);
		fl_put_u16(l4 + 2, flow->dport);
	}
}

static enum model_verdict send_on(const struct job *j, struct fl_flow *flow)
{
	static uint8_t out[FL_MAX_FRAME];
	struct way way = { 0 };
	struct fl_packet built;
	size_t l4_len, head;

	if (flow->out_kind == FL_OUT_PEER)
		way_to_peer(j, flow, &way);
	else
		way_to_lan(j, flow, &way);
	if (!way.to.ifindex)
		return drop(j, flow->out_kind == FL_OUT_PEER ? FL_DROP_NO_PATH : FL_DROP_NEXT_HOP);
	head = fl_ip_header_len(way.ip.tuple.family);
	l4_len = j->p.l4_len + (way.wrap ? 8u : 0u) - (way.unwrap ? 8u : 0u);
	if (head + l4_len > way.mtu)
		return punt(j, FL_PUNT_TOO_BIG);
	way.ip.ttl = (uint8_t)(j->p.hdr.ttl - (way.to.ifindex == WORLD_LOOPBACK ? 0 : 1));
	way.ip.df = j->p.hdr.flags & FL_PKT_DF;
	put_l4(j, flow, &way, out + head, l4_len);
	fl_packet_put_ip(out, &way.ip, l4_len);
	MUST_BE(!fl_packet_parse(out, head + l4_len, &built));
	fl_packet_csum_fill(&built);
	flow->packets++;
	flow->bytes += j->p.len;
	flow->last_seen = (uint32_t)(j->r->world->mono_ns / (FL_NS_PER_S / WORLD_HZ));
	j->r->forwarded++;
	router_transmit(j->r, &way.to, out, head + l4_len);
	return MODEL_SENT;
}

static enum model_verdict forward(const struct job *j, struct fl_flow *flow)
{
	int err;

	if ((j->path || flow->out_kind == FL_OUT_PEER) &&
	    fl_meta_has_cookie(j->p.payload, j->p.payload_len))
		return punt(j, j->path ? FL_PUNT_META : FL_PUNT_FENCE);
	if (j->p.hdr.ttl <= 1 && flow->out_kind != FL_OUT_HOST)
		return punt(j, FL_PUNT_TTL);
	if (flow->tcp >= FL_TCP_CLOSING && !(flow->flags & FL_FLOW_REVERSE) &&
	    (j->p.hdr.tcp_flags & (FL_TH_SYN | FL_TH_ACK | FL_TH_RST)) == FL_TH_SYN)
		return punt(j, j->path ? FL_PUNT_BARE : FL_PUNT_NEW);
	err = track(j, flow);
	if (err)
		return drop(j, (enum fl_drop_reason) - err);
	if (flow->state & FL_FLOW_RX_META) {
		struct fl_session *s = &j->r->t.sessions[flow->session];

		if (flow->flags & FL_FLOW_REVERSE)
			return drop(j, FL_DROP_NOT_ACKED);
		j->r->t.flows[s->slot[1]].state &= (enum fl_flow_state) ~FL_FLOW_TX_META;
		flow->state &= (enum fl_flow_state) ~FL_FLOW_RX_META;
		fl_tables_count(&j->r->t, FL_STAT_HANDSHAKE_DONE);
	}
	if (flow->state & FL_FLOW_TX_META)
		return punt(j, FL_PUNT_SIGNAL);
	return send_on(j, flow);
}

/* In copies: the agent's, as where the data plane cannot sign. False: this side is not. */
static bool in_copies(const struct job *j, const struct fl_flow *flow, enum model_verdict *verdict)
{
	uint8_t dup = j->r->t.sessions[flow->session].dup;
	uint8_t from = flow->flags & FL_FLOW_REVERSE ? FL_SESSION_DUP_OUT : FL_SESSION_DUP_IN;

	if (j->path && dup & from) {
		*verdict = fl_meta_has_cookie(j->p.payload, j->p.payload_len)
				   ? punt(j, FL_PUNT_META)
				   : drop(j, FL_DROP_META_INCOMPLETE);
		return true;
	}
	if (!(dup & ~from))
		return false;
	*verdict = punt(j, FL_PUNT_SIGNAL);
	return true;
}

/* By the path of its vector, or by the one before for a while (P-16). */
static bool expected(const struct job *j, const struct fl_flow *flow)
{
	const struct fl_vector *v = &j->r->t.vectors[flow->in_vector];
	uint32_t now = (uint32_t)(j->r->world->mono_ns / (FL_NS_PER_S / WORLD_HZ));

	return v->path == j->path ||
	       (v->prev_path == j->path && (int32_t)(v->prev_until - now) > 0);
}

static enum model_verdict stages(struct job *j)
{
	enum model_verdict verdict;
	struct fl_wide_key key;
	struct fl_flow *flow;

	if (j->p.hdr.flags & FL_PKT_FRAGMENT)
		return punt(j, FL_PUNT_FRAGMENT);
	if (j->p.hdr.flags & FL_PKT_ICMP_ERROR)
		return icmp_error(j);
	MUST_BE(fl_packet_tuple(&j->p, &j->t));
	key = key_of(j, &j->t);
	j->slot = fl_flows_find(fl_engine_flows(j->r->engine), &key);
	if (j->slot == FL_NO_SLOT)
		return j->path ? peer_miss(j) : lan_miss(j);
	flow = &j->r->t.flows[j->slot];
	if (flow->flags & FL_FLOW_DUP && in_copies(j, flow, &verdict))
		return verdict;
	if (j->path && !expected(j, flow)) {
		if (fl_meta_has_cookie(j->p.payload, j->p.payload_len))
			return punt(j, FL_PUNT_META);
		if (!(flow->flags & FL_FLOW_REVERSE) && !j->r->t.vectors[flow->in_vector].path)
			return punt(j, FL_PUNT_BARE);
		return drop(j, FL_DROP_SYMMETRY);
	}
	return forward(j, flow);
}

/* A copy, so that one byte too far is noticed and nobody's packet changes. */
static enum model_verdict take(struct job *j, const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	enum model_verdict verdict;
	int err;

	MUST_BE(copy);
	memcpy(copy, data, len);
	j->slot = FL_NO_SLOT;
	err = fl_packet_parse(copy, len, &j->p);
	if (err) {
		verdict = drop(j, (enum fl_drop_reason) - err);
	} else {
		const uint8_t *src = copy + (j->p.hdr.family == 6 ? 8 : 12);
		struct fl_addr local = fl_addr_from(j->p.hdr.family,
						    src + fl_addr_size(j->p.hdr.family)),
			       remote = fl_addr_from(j->p.hdr.family, src);

		if (j->hook != FL_HOOK_TC_EGRESS && !(j->p.hdr.flags & FL_PKT_PORTLESS))
			note_path(j, local.b, remote.b, j->p.hdr.family);
		verdict = stages(j);
	}
	free(copy);
	return verdict;
}

enum model_verdict model_ingress(struct router *r, enum device dev, const uint8_t *data, size_t len,
				 const uint8_t smac[6])
{
	struct job j = {
		.r = r, .iface = router_iface(r, dev), .hook = FL_HOOK_TC_INGRESS, .smac = smac
	};

	if (!j.iface)
		return MODEL_KERNEL;
	return take(&j, data, len);
}

enum model_verdict model_egress(struct router *r, const uint8_t *data, size_t len)
{
	struct job j = { .r = r, .hook = FL_HOOK_TC_EGRESS };

	return take(&j, data, len);
}
