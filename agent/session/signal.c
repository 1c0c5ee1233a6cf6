// SPDX-License-Identifier: Apache-2.0
/*
 * Packets from peers, and the handshake of svr-protocol.md 3.2 for the metadata in them. One is
 * believed only after fl_open() has verified its HMAC. What we send is made in describe.c.
 */
#include <string.h>

#include "agent/session/engine_internal.h"
#include "common/hdr.h"

#define ACK_EVERY 5 /* P-14: forward packets without an answer */

/* --- packets from peers ----------------------------------------------------------------------- */

/* A packet from a peer, opened. */
struct arrival {
	struct fl_work *work;
	uint16_t path;
	uint16_t peer;
	uint32_t slot; /* flow by its waypoints, or FL_NO_SLOT */
	struct fl_opened opened;
};

static uint32_t find_peer_flow(const struct fl_engine *e, uint16_t peer, const struct fl_packet *p)
{
	const struct fl_wide_key key = {
		.sport = fl_pkt_sport(&p->hdr),
		.dport = fl_pkt_dport(&p->hdr),
		.scope = peer,
		.proto = p->hdr.proto,
		.kind = FL_KEY_PEER,
	};

	return fl_flows_find(e->flows, &key);
}

static enum fl_direction direction_of(const struct fl_flow *flow)
{
	return flow->flags & FL_FLOW_REVERSE ? FL_REVERSE : FL_FORWARD;
}

/*
 * The packet as it was before the first router put metadata into it: IP header of the arrival,
 * layer 4 header (or what the session restores), user payload. Built in e->plain.
 */
static bool strip(struct fl_engine *e, const struct arrival *a, const struct fl_session *s,
		  struct fl_packet *ret_packet)
{
	const struct fl_packet *p = &a->work->packet;
	size_t head = p->hdr.l4, l4 = 0, len;
	bool portless = s->proto != FL_IPPROTO_TCP && s->proto != FL_IPPROTO_UDP;

	if (!portless)
		l4 = p->hdr.payload - p->hdr.l4;
	len = head + l4 + a->opened.payload_len;
	if (len > sizeof(e->plain))
		return false;
	memcpy(e->plain, p->data, head + l4);
	memcpy(e->plain + head + l4, a->opened.payload, a->opened.payload_len);
	if (p->hdr.family == 4) {
		struct fl_ip4 *ip = (void *)e->plain;

		ip->tot_len = FL_BE16(len);
		if (portless)
			ip->proto = s->proto;
		fl_ip4_csum_fill(ip);
	} else {
		struct fl_ip6 *ip = (void *)e->plain;

		ip->payload_len = FL_BE16(len - sizeof(*ip));
		if (portless)
			ip->next = s->proto;
	}
	if (!portless && s->proto == FL_IPPROTO_UDP)
		((struct fl_udp *)(void *)(e->plain + head))->len =
			FL_BE16(sizeof(struct fl_udp) + a->opened.payload_len);
	if (fl_packet_parse(e->plain, len, ret_packet) < 0)
		return false;
	ret_packet->came_in_pieces = p->came_in_pieces;
	/* The old checksum covered the metadata: this one is made good, so that it is carried on.
	 */
	if (!portless && !(s->proto == FL_IPPROTO_UDP && p->hdr.family == 4 &&
			   !((const struct fl_udp *)(const void *)p->l4)->check))
		fl_packet_csum_fill(ret_packet);
	return true;
}

/* Send the user's packet on, if there is one in it. */
static void pass_on(struct fl_engine *e, const struct arrival *a, uint32_t id,
		    enum fl_direction dir)
{
	const struct fl_session *s = fl_engine_session(e, id);
	struct fl_packet packet;

	if (fl_engine_dup_from(e, id, dir)) {
		enum fl_drop_reason why = fl_engine_dup_let_by(e, id, dir, &a->opened.meta);

		if (why) {
			fl_engine_drop(e, why);
			return;
		}
	}
	if (!strip(e, a, s, &packet)) {
		fl_engine_drop(e, FL_DROP_MALFORMED);
		return;
	}
	if (a->opened.has_meta)
		fl_tables_count(e->t, a->opened.fence ? FL_STAT_FALSE_POSITIVE_REMOVED
						      : FL_STAT_META_REMOVED);
	fl_engine_pass(e, id, dir, &packet);
}

/*
 * Is this one of the packets that peers generate to acknowledge (P-14)? TLV 18 and no user data;
 * what fl_engine_meta_reverse() makes beside an empty packet has no TLV 18.
 */
static bool is_generated(const struct arrival *a)
{
	const struct fl_packet *p = &a->work->packet;

	return fl_meta_has(&a->opened.meta, FL_META_DISABLE_FORWARD) && !a->opened.payload_len &&
	       !(p->hdr.tcp_flags & (FL_TH_SYN | FL_TH_FIN | FL_TH_RST));
}

/* May the packet come by the path that it came by? The initiator's side may move a session. */
static bool follow_path(struct fl_engine *e, const struct arrival *a, uint32_t id,
			enum fl_direction dir)
{
	const struct fl_meta *m = &a->opened.meta;

	if (fl_engine_dup_from(e, id, dir))
		return fl_engine_dup_path(e, id, dir, a->path,
					  fl_meta_has(m, FL_META_FORWARD) ||
						  fl_meta_has(m, FL_META_REVERSE));
	if (dir != FL_FORWARD)
		return fl_engine_expects(e, id, dir, a->path);
	return fl_engine_follow(e, id, a->path, &a->opened.meta);
}

/* Answer with reverse metadata until a bare packet comes (SEND_R). */
static void answer_again(struct fl_engine *e, uint32_t id)
{
	fl_engine_flow(e, id, FL_FORWARD)->state |= FL_FLOW_RX_META;
	fl_engine_flow(e, id, FL_REVERSE)->state |= FL_FLOW_TX_META;
	fl_engine_ack_later(e, id);
}

/* Forward metadata for a session that we have. */
static void repeated_forward(struct fl_engine *e, struct arrival *a, uint32_t id)
{
	struct fl_session *s = fl_engine_session(e, id);
	const struct fl_meta *m = &a->opened.meta;
	bool signalling;

	if (!follow_path(e, a, id, FL_FORWARD)) {
		fl_engine_drop(e, FL_DROP_SYMMETRY);
		return;
	}
	fl_engine_no_question(e, id);
	signalling = fl_engine_flow(e, id, FL_REVERSE)->state & FL_FLOW_TX_META;
	fl_tables_count(e->t, FL_STAT_META_DUPLICATE);
	if (fl_meta_has(m, FL_META_MODIFY)) {
		s->modify_seq = m->modify.seq;
		s->flags |= FL_SESSION_RESIGNAL;
	}
	s->forward_seen++;
	if (!signalling && fl_engine_dup_from(e, id, FL_FORWARD)) {
		/* Established by another of its paths: here too, once the peer has heard of it. */
		fl_engine_dup_ack(e, id, a->path);
	} else if (!signalling) {
		/* Established for us, not for the peer: it has lost its state, or moved the
		 * session. */
		s->forward_seen = 1;
		answer_again(e, id);
		fl_tables_count(e->t, FL_STAT_RESIGNALLED);
	} else if (s->forward_seen >= ACK_EVERY) {
		s->forward_seen = 0;
		fl_engine_ack_now(e, id);
	}
	if (is_generated(a)) {
		/* Word of a move, which waits for an answer. */
		fl_engine_ack_now(e, id);
		return;
	}
	pass_on(e, a, id, FL_FORWARD);
	fl_engine_watch(e, id);
}

/* Sessions that we would only spoil: encrypted from end to end, or TCP carried as UDP (P-21). */
static enum fl_drop_reason cannot_carry(const struct arrival *a)
{
	const struct fl_meta *m = &a->opened.meta;
	bool tcp = a->work->packet.hdr.proto == FL_IPPROTO_TCP;

	if (fl_meta_has(m, FL_META_ENCRYPTED))
		return FL_DROP_DECRYPT;
	return (m->forward.proto == FL_IPPROTO_TCP) == tcp ? FL_DROP_NONE : FL_DROP_META_UNEXPECTED;
}

/* Open what forward metadata announces. */
static void open_forward(struct fl_engine *e, struct arrival *a)
{
	const struct fl_packet *p = &a->work->packet;
	const struct fl_announced what = {
		.meta = &a->opened.meta,
		.path = a->path,
		.local_port = fl_pkt_dport(&p->hdr),
		.remote_port = fl_pkt_sport(&p->hdr),
		.midstream = fl_is_midstream(p),
	};
	int id = -(int)cannot_carry(a);

	if (id) {
		fl_engine_drop(e, (enum fl_drop_reason) - id);
		return;
	}
	fl_engine_check_parity(e, a->path, what.local_port, what.remote_port);
	/* Other session on these waypoints: the peer has forgotten it. */
	if (a->slot != FL_NO_SLOT)
		fl_engine_close(e, e->t->flows[a->slot].session, FL_CLOSE_REPLACED);
	id = fl_engine_open_announced(e, &what);
	if (id < 0) {
		fl_engine_drop(e, (enum fl_drop_reason) - id);
		return;
	}
	if (is_generated(a)) {
		/*
		 * Moved to us from another router, and nobody has said anything yet. If only the
		 * responder has something to say, its router must hear where to: from us.
		 */
		fl_engine_ack_now(e, (uint32_t)id);
		if (fl_engine_session(e, (uint32_t)id)->out.kind == FL_SIDE_PEER)
			fl_engine_tell_move(e, (uint32_t)id);
		return;
	}
	fl_engine_ack_later(e, (uint32_t)id);
	if (!is_generated(a))
		pass_on(e, a, (uint32_t)id, FL_FORWARD);
}

/* Does forward metadata say of its session what we know already? */
static bool is_same(const struct fl_engine *e, const struct fl_session *s, const struct fl_meta *m)
{
	const struct fl_tuple known = fl_session_forward_tuple(s);
	const char *tenant = fl_store_name_text(e->store, s->tenant);

	return fl_tuple_equal(&known, &m->forward) && strlen(tenant) == m->tenant.len &&
	       !memcmp(tenant, m->tenant.s, m->tenant.len);
}

/* A session of another peer's that has been moved to this one. */
static void come_from_elsewhere(struct fl_engine *e, struct arrival *a, uint32_t id)
{
	const struct fl_packet *p = &a->work->packet;
	const struct fl_announced what = { .meta = &a->opened.meta,
					   .path = a->path,
					   .local_port = fl_pkt_dport(&p->hdr),
					   .remote_port = fl_pkt_sport(&p->hdr) };
	int err = fl_engine_take_from_peer(e, id, &what);

	if (err) {
		fl_engine_drop(e, (enum fl_drop_reason) - err);
		return;
	}
	fl_engine_check_parity(e, a->path, what.local_port, what.remote_port);
	a->slot = fl_engine_session(e, id)->slot[FL_FORWARD];
	repeated_forward(e, a, id);
}

static void on_forward(struct fl_engine *e, struct arrival *a)
{
	const struct fl_meta *m = &a->opened.meta;
	const struct fl_session *s;
	uint32_t id;

	if (fl_meta_check_forward(m) < 0) {
		fl_engine_drop(e, FL_DROP_META_INCOMPLETE);
		return;
	}
	id = fl_store_find(e->store, m->uuid);
	if (!id) {
		if (fl_store_closed_lately(e->store, m->uuid, e->now))
			fl_engine_drop(e, FL_DROP_META_REPLAY);
		else
			open_forward(e, a);
		return;
	}
	if (a->slot == FL_NO_SLOT && fl_engine_is_moved_here(e, id, a->peer, m)) {
		come_from_elsewhere(e, a, id);
		return;
	}
	s = fl_engine_session(e, id);
	if (s->in.kind != FL_SIDE_PEER || s->in.id != a->peer) {
		/* A session of ours that comes back to us: routing goes round in circles. */
		fl_engine_drop(e, FL_DROP_META_UNEXPECTED);
		return;
	}
	if (a->slot != s->slot[FL_FORWARD] || !is_same(e, s, m)) {
		/* On other waypoints, or with other content: signalled anew from scratch. */
		if (a->slot == s->slot[FL_FORWARD])
			a->slot = FL_NO_SLOT;
		fl_engine_close(e, id, FL_CLOSE_REPLACED);
		open_forward(e, a);
		return;
	}
	repeated_forward(e, a, id);
}

/* What is answered is what we have said beside the session's packets (control.c): once. */
static bool was_introduced(struct fl_session *s)
{
	const bool was = s->flags & FL_SESSION_INTRODUCED;

	s->flags &= (uint8_t)~FL_SESSION_INTRODUCED;
	return was;
}

/* The answer to our forward metadata: the peer knows the session, we need not tell it any more. */
static void on_reverse(struct fl_engine *e, struct arrival *a)
{
	const struct fl_meta *m = &a->opened.meta;
	struct fl_session *s;
	struct fl_tuple want;
	uint32_t id;

	if (a->slot == FL_NO_SLOT) {
		fl_engine_ask_metadata(e, a->work);
		return;
	}
	id = e->t->flows[a->slot].session;
	s = fl_engine_session(e, id);
	want = fl_session_forward_tuple(s);
	want = fl_tuple_reverse(&want);
	if (direction_of(&e->t->flows[a->slot]) != FL_REVERSE || s->out.kind != FL_SIDE_PEER ||
	    !fl_tuple_equal(&m->reverse, &want)) {
		fl_engine_drop(e, FL_DROP_META_UNEXPECTED);
		return;
	}
	if (!follow_path(e, a, id, FL_REVERSE)) {
		fl_engine_drop(e, FL_DROP_SYMMETRY);
		return;
	}
	if (fl_meta_has(m, FL_META_VECTOR))
		fl_engine_move_heard(e, a->peer, &m->vector);
	if (fl_meta_has(m, FL_META_MODIFY) && m->modify.done &&
	    m->modify.seq == (s->modify_seq & 0xfff))
		s->flags &= (uint8_t)~FL_SESSION_RESIGNAL;
	fl_engine_kept_heard(e, id);
	/* Until a move is acknowledged, an answer from before it says nothing (P-05). In copies:
	 * until all paths have answered. */
	if (!(s->flags & FL_SESSION_RESIGNAL) && !(is_generated(a) && was_introduced(s)) &&
	    fl_engine_dup_done(e, id))
		fl_engine_flow(e, id, FL_FORWARD)->state &= (enum fl_flow_state) ~FL_FLOW_TX_META;
	fl_engine_flow(e, id, FL_REVERSE)->state &= (enum fl_flow_state) ~FL_FLOW_RX_META;
	if (is_generated(a))
		return;
	pass_on(e, a, id, FL_REVERSE);
	fl_engine_watch(e, id);
}

/* Metadata that says nothing about the session, or a fence: the packet counts as a bare one. */
static void on_other(struct fl_engine *e, struct arrival *a)
{
	enum fl_direction dir;
	struct fl_flow *flow;

	if (a->slot == FL_NO_SLOT) {
		fl_engine_ask_metadata(e, a->work);
		return;
	}
	flow = &e->t->flows[a->slot];
	dir = direction_of(flow);
	if (!follow_path(e, a, flow->session, dir)) {
		/* Our path is gone: the session's initiator is to say where it is. */
		if (dir == FL_FORWARD && !e->t->vectors[flow->in_vector].path)
			fl_engine_ask_metadata(e, a->work);
		else
			fl_engine_drop(e, FL_DROP_SYMMETRY);
		return;
	}
	if (fl_meta_has(&a->opened.meta, FL_META_DISABLE_FORWARD) && dir == FL_REVERSE) {
		fl_engine_flow(e, flow->session, FL_FORWARD)->state &=
			(enum fl_flow_state) ~FL_FLOW_TX_META;
		flow->state &= (enum fl_flow_state) ~FL_FLOW_RX_META;
	}
	if (dir == FL_FORWARD && (flow->state & FL_FLOW_RX_META)) {
		flow->state &= (enum fl_flow_state) ~FL_FLOW_RX_META;
		fl_engine_flow(e, flow->session, FL_REVERSE)->state &=
			(enum fl_flow_state) ~FL_FLOW_TX_META;
		fl_tables_count(e->t, FL_STAT_HANDSHAKE_DONE);
	}
	if (fl_meta_has(&a->opened.meta, FL_META_METRICS) && a->opened.meta.metrics.drop)
		fl_tables_count(e->t, FL_STAT_METRICS_DROPPED);
	else if (!is_generated(a))
		pass_on(e, a, flow->session, dir);
}

/*
 * By waypoints that the session has left for another peer (P-16). The user's packet goes on; what
 * is said of the session is from before.
 */
static void late(struct fl_engine *e, struct arrival *a)
{
	const struct fl_flow *flow = &e->t->flows[a->slot];
	const struct fl_meta *m = &a->opened.meta;

	if (!fl_fabric_vector_expects(e->fabric, flow->in_vector, a->path, e->jiffies))
		fl_engine_drop(e, FL_DROP_SYMMETRY);
	else if (fl_meta_has(m, FL_META_ICMP_LOCATION))
		fl_engine_carried_error(e, a->work, &a->opened);
	else if (fl_meta_has(m, FL_META_CONTROL))
		fl_engine_drop(e, FL_DROP_META_UNEXPECTED);
	else if (fl_meta_has(m, FL_META_METRICS) && m->metrics.drop)
		fl_tables_count(e->t, FL_STAT_METRICS_DROPPED);
	else if (!is_generated(a))
		pass_on(e, a, flow->session, direction_of(flow));
}

/* Is it? Unless the peer has begun something new on them. */
static bool is_late(struct fl_engine *e, struct arrival *a)
{
	const struct fl_meta *m = &a->opened.meta;
	const struct fl_flow *flow;

	if (a->slot == FL_NO_SLOT || !fl_engine_is_kept(e, a->slot))
		return false;
	flow = &e->t->flows[a->slot];
	if (!fl_meta_has(m, FL_META_UUID) ||
	    !memcmp(m->uuid, fl_engine_session(e, flow->session)->uuid, sizeof(m->uuid)))
		return true;
	fl_engine_kept_drop(e, flow->session, direction_of(flow));
	a->slot = FL_NO_SLOT;
	return false;
}

static void dispatch(struct fl_engine *e, struct arrival *a)
{
	const struct fl_meta *m = &a->opened.meta;

	if (m->unknown)
		e->t->stats[FL_STAT_META_UNKNOWN_TLV] += m->unknown;
	fl_engine_heard_mark(e, a->path, &a->work->packet, m,
			     a->slot == FL_NO_SLOT ? 0 : e->t->flows[a->slot].session);
	if (is_late(e, a)) {
		late(e, a);
		return;
	}
	if (fl_meta_has(m, FL_META_CONTROL)) {
		fl_engine_control(e, a->work, a->slot, &a->opened);
		return;
	}
	if (fl_meta_has(m, FL_META_HEALTH))
		fl_engine_health(e, a->work, a->slot, &a->opened);
	if (fl_meta_has(m, FL_META_ICMP_LOCATION)) {
		fl_engine_carried_error(e, a->work, &a->opened);
		return;
	}
	if (fl_meta_has(m, FL_META_FORWARD))
		on_forward(e, a);
	else if (fl_meta_has(m, FL_META_REVERSE))
		on_reverse(e, a);
	else
		on_other(e, a);
}

/* The sender's identification and DF, that the slices were cut without. */
static void restore_ip(struct fl_packet *p, const struct fl_frag_whole *whole)
{
	struct fl_ip4 *ip = (void *)p->data;

	if (p->hdr.family != 4) {
		p->came_in_pieces = !whole->df;
		return;
	}
	ip->id = FL_BE16(whole->orig_id);
	ip->frag_off = FL_BE16(whole->df ? FL_IP4_DF : 0);
}

/* A slice of a packet that was too big with its metadata. True if @a now holds the whole. */
static bool take_slice(struct fl_engine *e, struct arrival *a, const struct fl_open *open)
{
	const struct fl_meta_fragment *f = &a->opened.meta.fragment;
	const struct fl_packet *p = &a->work->packet;
	struct fl_frag_key key = { .id = f->ext_id, .scope = a->path, .family = p->hdr.family };
	const struct fl_frag_piece piece = {
		.offset = f->offset * 8u,
		.data = a->opened.payload,
		.len = a->opened.payload_len,
		.last = !f->mf,
		.head = f->offset ? NULL : p->data,
		.head_len = p->hdr.payload,
		.largest = f->largest,
		.df = f->df,
		.orig_id = f->orig_id,
	};
	struct fl_frag_whole whole;
	int ret;

	fl_tables_count(e->t, FL_STAT_FRAG_IN);
	ret = fl_frags_add(e->peer_frags, &key, &piece, e->now, &whole);
	if (ret < 0)
		fl_engine_drop(e, (enum fl_drop_reason) - ret);
	if (ret <= 0)
		return false;
	fl_tables_count(e->t, FL_STAT_REASSEMBLED);
	restore_ip(&a->work->packet, &whole);
	/* Without a block of its own it was a fenced or bare payload that alone was too big. */
	if (fl_meta_has_cookie(whole.data, whole.len)) {
		ret = fl_open_block(open, whole.data, whole.len, &a->opened);
		if (ret < 0) {
			fl_engine_drop(e, (enum fl_drop_reason) - ret);
			return false;
		}
	} else {
		memset(&a->opened, 0, sizeof(a->opened));
		a->opened.payload = whole.data;
		a->opened.payload_len = whole.len;
	}
	return true;
}

static void count_window(struct fl_engine *e, enum fl_hmac_match match)
{
	fl_tables_count(e->t, FL_STAT_HMAC_VERIFIED);
	if (match == FL_HMAC_PREVIOUS)
		fl_tables_count(e->t, FL_STAT_HMAC_WINDOW_EARLY);
	else if (match == FL_HMAC_NEXT)
		fl_tables_count(e->t, FL_STAT_HMAC_WINDOW_LATE);
}

void fl_engine_from_peer(struct fl_engine *e, struct fl_work *work)
{
	struct arrival a = { .work = work, .path = work->punt->path };
	const struct fl_path_rt *path = fl_fabric_path(e->fabric, a.path);
	const struct fl_netif *netif = path ? fl_fabric_netif(e->fabric, path->iface) : NULL;
	struct fl_open open = { .unix_s = e->wall_s };
	int err;

	if (!path || !path->cfg || !netif || !netif->rx_ring) {
		fl_engine_drop(e, FL_DROP_UNKNOWN_PEER);
		return;
	}
	/* A path belongs to an interface: by another one somebody only claims to be the peer. */
	if (work->punt->iface != path->iface) {
		fl_engine_drop(e, FL_DROP_SYMMETRY);
		return;
	}
	open.ring = netif->rx_ring;
	open.pad = path->cfg->post_encryption_padding;
	/* What an answer will touch is on its way while its HMAC is computed. */
	a.peer = path->peer;
	a.slot = find_peer_flow(e, a.peer, &work->packet);
	if (a.slot != FL_NO_SLOT)
		fl_store_fetch(e->store, e->t->flows[a.slot].session);
	err = fl_open(&open, work->packet.payload, work->packet.payload_len, &a.opened);
	if (err < 0) {
		fl_engine_drop(e, (enum fl_drop_reason) - err);
		return;
	}
	count_window(e, a.opened.match);
	if (a.slot != FL_NO_SLOT)
		fl_engine_fetch_flows(e, e->t->flows[a.slot].session);
	if (fl_meta_has(&a.opened.meta, FL_META_FRAGMENT) && !take_slice(e, &a, &open))
		return;
	dispatch(e, &a);
}

/* A packet without metadata that the data plane found no flow for. */
void fl_engine_bare(struct fl_engine *e, struct fl_work *work)
{
	struct arrival a = { .work = work, .path = work->punt->path };
	const struct fl_path_rt *path = fl_fabric_path(e->fabric, a.path);
	const struct fl_flow *flow;

	if (!path || !path->cfg) {
		fl_engine_drop(e, FL_DROP_UNKNOWN_PEER);
		return;
	}
	a.peer = path->peer;
	a.slot = find_peer_flow(e, a.peer, &work->packet);
	a.opened.payload = work->packet.payload;
	a.opened.payload_len = work->packet.payload_len;
	flow = a.slot == FL_NO_SLOT ? NULL : &e->t->flows[a.slot];
	if (flow && flow->flags & FL_FLOW_REVERSE && flow->state & FL_FLOW_RX_META) {
		fl_engine_drop(e, FL_DROP_NOT_ACKED);
		return;
	}
	/* Set up while the packet waited in the queue; else we have lost it, or never had it. */
	dispatch(e, &a);
}
