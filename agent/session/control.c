// SPDX-License-Identifier: Apache-2.0
/* Control messages, recovery, health checks, generated acknowledgements (svr-protocol.md 3.2, 3.4).
 */
#include <string.h>

#include "agent/codec/packet_build.h"
#include "agent/session/engine_internal.h"
#include "common/meta_wire.h"

#define ACK_AFTER_MS       1000 /* P-14 */
#define ACK_GAP_MS         200  /* P-14: at most 5 a second for each session */
#define ENABLE_PER_FLOW_MS 1000 /* P-17 */
#define ENABLE_PER_PEER    100  /* P-17, a second */

/* --- sending ---------------------------------------------------------------------------------- */

static const enum fl_stat sent_stat[] = {
	[FL_CONTROL_KEEPALIVE] = FL_STAT_CONTROL_KEEPALIVE_TX,
	[FL_CONTROL_ENABLE] = FL_STAT_CONTROL_ENABLE_TX,
	[FL_CONTROL_DISABLE] = FL_STAT_CONTROL_DISABLE_TX,
	[FL_CONTROL_DELETE] = FL_STAT_CONTROL_DELETE_TX,
};

void fl_engine_send_control(struct fl_engine *e, uint32_t id, enum fl_direction dir,
			    uint8_t control)
{
	struct fl_meta meta = { .has = FL_META_BIT(FL_META_SECURITY_ID) |
				       FL_META_BIT(FL_META_CONTROL),
				.security_id = 1,
				.control = control };
	const struct fl_generated what = { .id = id, .dir = dir, .meta = &meta };

	if (control < sizeof(sent_stat) / sizeof(sent_stat[0]) && sent_stat[control])
		fl_tables_count(e->t, sent_stat[control]);
	fl_engine_generate(e, &what);
}

/*
 * Answer a packet for which there is no session, on its own waypoints turned round: there is
 * nothing else to answer on (P-17).
 */
static void answer_stray(struct fl_engine *e, const struct fl_work *work, uint8_t control)
{
	const struct fl_packet *p = &work->packet;
	uint16_t path_id = work->punt->path;
	const struct fl_path_rt *rt = fl_fabric_path(e->fabric, path_id);
	const struct fl_path *path = &e->t->paths[path_id];
	struct fl_meta meta = { .has = FL_META_BIT(FL_META_SECURITY_ID) |
				       FL_META_BIT(FL_META_CONTROL),
				.security_id = 1,
				.control = control };
	struct fl_ip_spec ip = { .ttl = FL_TTL_DEFAULT, .df = true };
	const struct fl_seal seal = { .ring = rt->tx_ring,
				      .unix_s = e->wall_s,
				      .meta = &meta,
				      .pad = rt->cfg->post_encryption_padding };
	bool tcp = p->hdr.proto == FL_IPPROTO_TCP;
	size_t head = fl_ip_header_len(path->family),
	       l4 = tcp ? sizeof(struct fl_tcp) : sizeof(struct fl_udp);
	uint8_t *out = e->io.room(e->io.ctx);
	struct fl_packet built;
	int len = fl_seal(&seal, out + head + l4, FL_TX_MAX_PACKET - head - l4);

	if (len < 0)
		return;
	ip.tuple = (struct fl_tuple){ .family = path->family, .proto = p->hdr.proto };
	memcpy(ip.tuple.src, path->local, 16);
	memcpy(ip.tuple.dst, path->remote, 16);
	if (tcp) {
		const struct fl_tcp *seen = (const void *)p->l4;
		struct fl_tcp *t = (void *)(out + head);

		*t = (struct fl_tcp){ .src = seen->dst,
				      .dst = seen->src,
				      .seq = seen->ack,
				      .ack = FL_BE32(FL_HOST32(seen->seq) + p->payload_len),
				      .doff = (sizeof(*t) / 4) << 4,
				      .flags = FL_TH_ACK,
				      .window = seen->window };
	} else {
		fl_packet_put_udp(out + head, fl_pkt_dport(&p->hdr), fl_pkt_sport(&p->hdr),
				  (size_t)len);
	}
	fl_packet_put_ip(out, &ip, l4 + (size_t)len);
	if (fl_packet_parse(out, head + l4 + (size_t)len, &built) < 0)
		return;
	fl_packet_csum_fill(&built);
	fl_tables_count(e->t, FL_STAT_HMAC_ADDED);
	fl_tables_count(e->t, sent_stat[control]);
	fl_engine_send_path(e, path_id, head + l4 + (size_t)len);
}

/* P-17: once a second for each flow key. Two flows with one hash wait for each other: no harm. */
static bool asked_lately(struct fl_engine *e, uint16_t peer, const struct fl_packet *p)
{
	const uint64_t rest = (uint64_t)peer << 40 | (uint64_t)p->hdr.proto << 32 | p->hdr.ports;
	uint32_t hash = (uint32_t)fl_flow_hash(0, rest, e->t->hash_seed);
	struct fl_asked_flow *slot = &e->asked_flows[hash % FL_ASKED_FLOWS];
	uint32_t now_ms = (uint32_t)(e->now.ns / FL_NS_PER_MS);

	if (slot->at_ms && slot->hash == hash && now_ms - slot->at_ms < ENABLE_PER_FLOW_MS)
		return true;
	*slot = (struct fl_asked_flow){ hash, now_ms ? now_ms : 1 };
	return false;
}

/* A packet of a session that we do not know: ask the peer to introduce it again. */
void fl_engine_ask_metadata(struct fl_engine *e, struct fl_work *work)
{
	const struct fl_path_rt *path = fl_fabric_path(e->fabric, work->punt->path);
	struct fl_ratelimit *limit;

	fl_engine_drop(e, FL_DROP_NO_SESSION);
	if (!path || !path->cfg)
		return;
	/* A reset ends what we do not know: no need to hear more of it. */
	if (work->packet.hdr.tcp_flags & FL_TH_RST)
		return;
	e->asked = e->now;
	if (asked_lately(e, path->peer, &work->packet))
		return;
	limit = &e->enable_limit[path->peer];
	if (!limit->per_second)
		*limit = fl_ratelimit(ENABLE_PER_PEER, ENABLE_PER_PEER);
	if (fl_ratelimit_take(limit, e->now))
		answer_stray(e, work, FL_CONTROL_ENABLE);
}

/* --- receiving -------------------------------------------------------------------------------- */

/*
 * Say at once whose packets these are: if only the responder has something to say, its router must
 * hear where to, and no packet of the initiator's may come for long. It is answered at once, too;
 * the next packet says it again, in case a NAT takes that one elsewhere.
 */
static void introduce(struct fl_engine *e, uint32_t id)
{
	struct fl_meta meta;
	const struct fl_generated what = { .id = id, .dir = FL_FORWARD, .meta = &meta };

	if (fl_engine_dup_to(e, id, FL_FORWARD) ||
	    fl_engine_flow(e, id, FL_FORWARD)->tcp >= FL_TCP_CLOSING)
		return;
	fl_engine_meta_forward(e, id, &meta);
	meta.has |= FL_META_BIT(FL_META_DISABLE_FORWARD);
	fl_engine_session(e, id)->flags |= FL_SESSION_INTRODUCED;
	fl_engine_generate(e, &what);
}

/* The peer lacks the session: introduce it again, whichever side we are on. */
static void enable(struct fl_engine *e, uint32_t id, enum fl_direction arrived)
{
	struct fl_flow *forward = fl_engine_flow(e, id, FL_FORWARD);
	struct fl_flow *reverse = fl_engine_flow(e, id, FL_REVERSE);

	fl_tables_count(e->t, FL_STAT_RESIGNALLED);
	if (arrived == FL_REVERSE) { /* from the responder's side */
		fl_engine_dup_lost(e, id);
		forward->state |= FL_FLOW_TX_META;
		reverse->state |= FL_FLOW_RX_META;
		introduce(e, id);
	} else {
		reverse->state |= FL_FLOW_TX_META;
		forward->state |= FL_FLOW_RX_META;
	}
}

/* The peer has what it needs: as reverse metadata would say, or a bare forward packet. */
static void disable(struct fl_engine *e, uint32_t id, enum fl_direction arrived)
{
	enum fl_direction answer = arrived == FL_REVERSE ? FL_FORWARD : FL_REVERSE;

	fl_engine_flow(e, id, answer)->state &= (enum fl_flow_state) ~FL_FLOW_TX_META;
	fl_engine_flow(e, id, arrived)->state &= (enum fl_flow_state) ~FL_FLOW_RX_META;
}

void fl_engine_control(struct fl_engine *e, struct fl_work *work, uint32_t slot,
		       const struct fl_opened *opened)
{
	const struct fl_flow *flow = slot == FL_NO_SLOT ? NULL : &e->t->flows[slot];
	enum fl_direction dir = flow && flow->flags & FL_FLOW_REVERSE ? FL_REVERSE : FL_FORWARD;

	(void)work;
	/* Both sides end a session at about the same time, and tell each other. */
	if (!flow && opened->meta.control == FL_CONTROL_DELETE) {
		fl_tables_count(e->t, FL_STAT_CONTROL_DELETE_RX);
		return;
	}
	if (!flow) {
		fl_engine_drop(e, FL_DROP_NO_SESSION);
		return;
	}
	switch (opened->meta.control) {
	case FL_CONTROL_KEEPALIVE:
		fl_tables_count(e->t, FL_STAT_CONTROL_KEEPALIVE_RX);
		break;
	case FL_CONTROL_ENABLE:
		fl_tables_count(e->t, FL_STAT_CONTROL_ENABLE_RX);
		fl_engine_no_question(e, flow->session);
		enable(e, flow->session, dir);
		break;
	case FL_CONTROL_DISABLE:
		fl_tables_count(e->t, FL_STAT_CONTROL_DISABLE_RX);
		disable(e, flow->session, dir);
		break;
	case FL_CONTROL_DELETE:
		fl_tables_count(e->t, FL_STAT_CONTROL_DELETE_RX);
		fl_engine_relay_delete(e, flow->session, dir);
		fl_engine_close(e, flow->session, FL_CLOSE_PEER);
		break;
	case FL_CONTROL_EXISTS:
		fl_engine_no_question(e, flow->session);
		break;
	default:
		fl_engine_drop(e, FL_DROP_CONTROL_UNKNOWN);
		break;
	}
}

/* In the middle of a path a deletion goes on to the other side. */
void fl_engine_relay_delete(struct fl_engine *e, uint32_t id, enum fl_direction arrived)
{
	const struct fl_session *s = fl_engine_session(e, id);

	if (fl_side_to(s, arrived)->kind == FL_SIDE_PEER)
		fl_engine_send_control(e, id, arrived, FL_CONTROL_DELETE);
}

/* --- health checks ---------------------------------------------------------------------------- */

void fl_engine_health(struct fl_engine *e, const struct fl_work *work, uint32_t slot,
		      const struct fl_opened *opened)
{
	const struct fl_flow *flow;
	enum fl_direction dir;

	fl_tables_count(e->t, FL_STAT_HEALTH_RX);
	/* Without a session the packet itself is answered, as any of a session that is not here. */
	if (slot == FL_NO_SLOT)
		return;
	flow = &e->t->flows[slot];
	dir = flow->flags & FL_FLOW_REVERSE ? FL_REVERSE : FL_FORWARD;
	fl_engine_note_numbers(e, flow->session, dir, &work->packet, opened->payload_len);
	/* Back the way that it came. */
	fl_engine_send_control(e, flow->session, dir == FL_REVERSE ? FL_FORWARD : FL_REVERSE,
			       FL_CONTROL_EXISTS);
}

/* --- generated acknowledgements (P-14) -------------------------------------------------------- */

struct due_ack {
	uint32_t id;
	uint32_t due_ms;
	uint8_t uuid[4]; /* enough to tell that the id is another session's by now */
};

size_t fl_engine_ack_bytes(void)
{
	return sizeof(struct due_ack);
}

void fl_engine_ack_later(struct fl_engine *e, uint32_t id)
{
	struct due_ack ack = { .id = id,
			       .due_ms = (uint32_t)(e->now.ns / FL_NS_PER_MS) + ACK_AFTER_MS };

	memcpy(ack.uuid, fl_engine_session(e, id)->uuid, sizeof(ack.uuid));
	/* Without memory the initiator goes on sending metadata: costly, not wrong. */
	fl_fifo_push(&e->acks, &ack);
}

void fl_engine_ack_now(struct fl_engine *e, uint32_t id)
{
	const struct fl_flow *reverse = fl_engine_flow(e, id, FL_REVERSE);
	struct fl_session *s = fl_engine_session(e, id);
	uint32_t now_ms = (uint32_t)(e->now.ns / FL_NS_PER_MS);
	struct fl_meta meta;
	const struct fl_generated what = { .id = id, .dir = FL_REVERSE, .meta = &meta };

	if (!(reverse->state & FL_FLOW_TX_META) ||
	    (s->acked_ms && now_ms - s->acked_ms < ACK_GAP_MS))
		return;
	s->acked_ms = now_ms ? now_ms : 1;
	fl_engine_meta_reverse(e, id, true, &meta);
	fl_tables_count(e->t, FL_STAT_GENERATED_ACK);
	fl_engine_generate(e, &what);
}

/* Sessions are not at hand any more when their answers are due: fetch those that come next. */
static void look_ahead(const struct fl_engine *e)
{
	const struct due_ack *near = fl_fifo_ahead(&e->acks, FL_ENGINE_AHEAD);
	const struct due_ack *far = fl_fifo_ahead(&e->acks, 2 * FL_ENGINE_AHEAD);

	if (far)
		fl_store_fetch(e->store, far->id);
	if (near)
		fl_engine_fetch_flows(e, near->id);
}

void fl_engine_acks_tick(struct fl_engine *e)
{
	uint32_t now_ms = (uint32_t)(e->now.ns / FL_NS_PER_MS);
	const struct due_ack *next;

	while ((next = fl_fifo_peek(&e->acks)) && (int32_t)(now_ms - next->due_ms) >= 0) {
		const struct fl_session *s = fl_engine_session(e, next->id);
		uint32_t id = next->id;
		bool same = !memcmp(s->uuid, next->uuid, sizeof(next->uuid));

		fl_fifo_pop(&e->acks);
		look_ahead(e);
		if (same && s->state == FL_SESSION_LIVE && s->in.kind == FL_SIDE_PEER)
			fl_engine_ack_now(e, id);
	}
}
