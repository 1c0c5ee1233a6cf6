// SPDX-License-Identifier: Apache-2.0
/*
 * Packets out: what the data plane does to a packet of a session, done in user space for the
 * packets that need metadata, fragmentation or a place to wait. Checksums are made from scratch:
 * these are few packets, and they may come with one that was left to a device.
 */
#include <errno.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/codec/packet_build.h"
#include "agent/codec/packet_split.h"
#include "agent/session/engine_internal.h"
#include "common/dup.h"
#include "common/hdr.h"

/* --- to a device ------------------------------------------------------------------------------ */

bool fl_engine_send_hop(struct fl_engine *e, uint16_t hop, uint8_t family, size_t len)
{
	const struct fl_nexthop *h = &e->t->nexthops[hop];
	struct fl_tx_to to = {
		.ifindex = h->ifindex,
		.vlan = h->vlan,
		.ivlan = h->ivlan,
		.family = family,
		.l3 = h->tx_flags & FL_TX_L3,
	};

	if (h->state != FL_PATH_UP)
		return false;
	memcpy(to.dmac, h->dmac, 6);
	memcpy(to.smac, h->smac, 6);
	e->io.queue(e->io.ctx, &to, len);
	return true;
}

bool fl_engine_send_path(struct fl_engine *e, uint16_t path, size_t len)
{
	const struct fl_path *p = &e->t->paths[path];
	struct fl_tx_to to = {
		.ifindex = p->ifindex,
		.vlan = p->vlan,
		.ivlan = p->ivlan,
		.family = p->family,
		.l3 = p->tx_flags & FL_TX_L3,
	};

	if (p->state != FL_PATH_UP)
		return false;
	memcpy(to.dmac, p->dmac, 6);
	memcpy(to.smac, p->smac, 6);
	e->io.queue(e->io.ctx, &to, len);
	return true;
}

/* Into this host's stack, by way of the loopback device. */
void fl_engine_send_host(struct fl_engine *e, uint8_t family, size_t len)
{
	const struct fl_tx_to to = { .ifindex = e->io.loopback_ifindex, .family = family };

	e->io.queue(e->io.ctx, &to, len);
}

/* --- a packet on its way out ------------------------------------------------------------------ */

struct emission {
	struct fl_engine *e;
	uint32_t id;
	enum fl_direction dir;
	const struct fl_session *session;
	const struct fl_side *to;
	struct fl_packet *packet;
	const struct fl_meta *meta;
	uint16_t path;        /* 0: the vector's */
	uint16_t mtu;         /* 0: the path's */
	bool again;           /* a copy of one that was counted */
	struct fl_ip_spec ip; /* new header */
};

static bool is_portless(const struct fl_session *s)
{
	return s->proto != FL_IPPROTO_TCP && s->proto != FL_IPPROTO_UDP;
}

/* Fields that go over from the old IP header. */
static void take_ip(struct emission *em)
{
	const struct fl_packet *p = em->packet;

	em->ip.ttl = p->hdr.ttl;
	if (em->to->kind != FL_SIDE_HOST)
		em->ip.ttl--;
	em->ip.tos = fl_packet_tos(p);
	if (p->hdr.family == 4) {
		const struct fl_ip4 *ip = (const void *)p->data;

		em->ip.id = FL_HOST16(ip->id);
		em->ip.df = FL_HOST16(ip->frag_off) & FL_IP4_DF;
	} else {
		em->ip.df = !p->came_in_pieces;
	}
}

/* The packet went out in this flow: as if the data plane had seen it off. */
static void count(struct emission *em)
{
	struct fl_flow *flow = fl_engine_flow(em->e, em->id, em->dir);

	if (em->again)
		return;
	flow->packets++;
	flow->bytes += em->packet->len;
	flow->last_seen = em->e->jiffies;
}

/* It does not fit and may not be cut: its sender hears how much would. */
static void drop_too_big(struct emission *em, uint16_t mtu)
{
	const struct fl_why why = { .kind = FL_ICMP_TOO_BIG, .mtu = mtu };

	if (em->again)
		return;
	fl_engine_tell_sender(em->e, em->id, em->dir, em->packet, &why);
	fl_engine_drop(em->e, FL_DROP_MTU_EXCEEDED);
}

/* --- toward a LAN, the Internet, or this host ------------------------------------------------- */

static void set_lan_tuple(struct emission *em)
{
	const struct fl_session *s = em->session;
	struct fl_tuple *t = &em->ip.tuple;

	t->family = s->family;
	t->proto = s->proto;
	if (em->dir == FL_FORWARD) {
		memcpy(t->src, s->nat_src, 16);
		memcpy(t->dst, s->nat_dst, 16);
		t->sport = s->nat_sport;
		t->dport = s->nat_dport;
	} else {
		memcpy(t->src, s->dst, 16);
		memcpy(t->dst, s->src, 16);
		t->sport = s->dport;
		t->dport = s->sport;
	}
}

/* New ports, or a new ICMP identifier, in a layer 4 header. */
static void set_ports(uint8_t *l4, const struct fl_tuple *t)
{
	if (t->proto == FL_IPPROTO_TCP || t->proto == FL_IPPROTO_UDP) {
		fl_put_u16(l4, t->sport);
		fl_put_u16(l4 + 2, t->dport);
	} else if (t->proto == FL_IPPROTO_ICMP || t->proto == FL_IPPROTO_ICMPV6) {
		/* Toward the initiator the identifier is the one that it chose. */
		fl_put_u16(l4 + 4, t->sport);
	}
}

/* IP packet for the LAN in @out; returns its length, or -EMSGSIZE. */
static int build_lan(struct emission *em, uint8_t *out, size_t room)
{
	const struct fl_packet *p = em->packet;
	size_t head = fl_ip_header_len(em->ip.tuple.family);
	struct fl_packet built;

	if (head + p->l4_len > room)
		return -EMSGSIZE;
	memcpy(out + head, p->l4, p->l4_len);
	if (fl_side_from(em->session, em->dir)->kind == FL_SIDE_PEER && is_portless(em->session))
		fl_session_rewrite_icmp(em->session, em->dir, out + head);
	else
		set_ports(out + head, &em->ip.tuple);
	fl_packet_put_ip(out, &em->ip, p->l4_len);
	if (fl_packet_parse(out, head + p->l4_len, &built) < 0)
		return -EMSGSIZE;
	/* UDP over IPv4 may come without a checksum, and goes on without. */
	if (fl_packet_csum_state(p) != FL_CSUM_NONE)
		fl_packet_csum_fill(&built);
	return (int)(head + p->l4_len);
}

static void send_lan(struct emission *em, size_t len)
{
	struct fl_engine *e = em->e;

	if (em->to->kind == FL_SIDE_HOST)
		fl_engine_send_host(e, em->session->family, len);
	else if (!fl_engine_send_hop(e, em->to->nexthop, em->session->family, len))
		fl_engine_drop(e, FL_DROP_NEXT_HOP);
}

static int split_for_lan(struct emission *em, struct fl_split *split, const struct fl_packet *p,
			 uint16_t mtu)
{
	if (p->hdr.family == 4)
		return fl_split_ip4(split, p, mtu);
	return em->ip.df ? -EMSGSIZE : fl_split_ip6(split, p, mtu, em->e->next_frag_id++);
}

/* Too big for the LAN: fragments if allowed, else the sender hears of it. */
static void emit_lan_fragments(struct emission *em, uint8_t *whole, size_t len, uint16_t mtu)
{
	struct fl_engine *e = em->e;
	struct fl_split split;
	struct fl_packet p;
	int n;

	if (fl_packet_parse(whole, len, &p) < 0 || split_for_lan(em, &split, &p, mtu) < 0) {
		drop_too_big(em, mtu);
		return;
	}
	while ((n = fl_split_next(&split, e->io.room(e->io.ctx), FL_TX_MAX_PACKET)) > 0) {
		send_lan(em, (size_t)n);
		fl_tables_count(e->t, FL_STAT_FRAG_OUT);
	}
	count(em);
}

static void wait_for_hop(struct emission *em)
{
	const struct fl_pending_packet packet = {
		.hop = em->to->nexthop,
		.session = em->id,
		.dir = (int)em->dir,
		.data = em->packet->data,
		.len = em->packet->len,
		.came_in_pieces = em->packet->came_in_pieces,
	};
	int ret = fl_pending_add(em->e->pending, &packet, em->e->now);

	if (ret)
		fl_engine_drop(em->e, FL_DROP_PENDING_FULL);
}

static void emit_lan(struct emission *em)
{
	const struct fl_nexthop *hop = &em->e->t->nexthops[em->to->nexthop];
	uint16_t mtu = em->to->kind == FL_SIDE_HOST ? 0xffff : hop->mtu;
	uint8_t *out;
	int len;

	if (em->to->kind == FL_SIDE_LAN && hop->state != FL_PATH_UP) {
		wait_for_hop(em);
		return;
	}
	set_lan_tuple(em);
	if (fl_ip_header_len(em->session->family) + em->packet->l4_len > mtu ||
	    em->packet->l4_len > FL_TX_MAX_PACKET - 40) {
		static uint8_t whole[FL_MAX_FRAME];

		len = build_lan(em, whole, sizeof(whole));
		if (len < 0)
			fl_engine_drop(em->e, FL_DROP_MALFORMED);
		else
			emit_lan_fragments(em, whole, (size_t)len, mtu);
		return;
	}
	out = em->e->io.room(em->e->io.ctx);
	len = build_lan(em, out, FL_TX_MAX_PACKET);
	if (len < 0) {
		fl_engine_drop(em->e, FL_DROP_MALFORMED);
		return;
	}
	send_lan(em, (size_t)len);
	count(em);
}

/* --- toward a peer ---------------------------------------------------------------------------- */

struct peer_way {
	uint16_t path;
	const struct fl_path *p;
	const struct fl_path_rt *rt;
	uint8_t wire_proto;
	const uint8_t *payload; /* user data as it goes behind the wire's layer 4 header */
	size_t payload_len;
	size_t l4_len; /* of the wire's layer 4 header */
	size_t mtu;    /* of all of it, an HMAC included */
};

static bool find_way(struct emission *em, struct peer_way *way)
{
	const struct fl_packet *p = em->packet;

	way->path = em->path ? em->path : em->e->t->vectors[em->to->vector].path;
	way->p = &em->e->t->paths[way->path];
	way->rt = fl_fabric_path(em->e->fabric, way->path);
	if (!way->rt || !way->rt->cfg || way->p->state != FL_PATH_UP)
		return false;
	way->mtu = way->p->mtu;
	if (way->p->tx_flags & FL_TX_SEAL)
		way->mtu += fl_keyring_hmac_len(way->rt->tx_ring);
	way->wire_proto = fl_session_wire_proto(em->session);
	if (is_portless(em->session)) {
		way->payload = p->l4;
		way->payload_len = p->l4_len;
		way->l4_len = sizeof(struct fl_udp);
	} else {
		way->payload = p->payload;
		way->payload_len = p->payload_len;
		way->l4_len = p->hdr.payload - p->hdr.l4;
	}
	em->ip.tuple = (struct fl_tuple){
		.sport = em->to->local_port,
		.dport = em->to->remote_port,
		.family = way->p->family,
		.proto = way->wire_proto,
	};
	memcpy(em->ip.tuple.src, way->p->local, 16);
	memcpy(em->ip.tuple.dst, way->p->remote, 16);
	return true;
}

/* IP and layer 4 header in front of @sealed bytes that are in place already; then send. */
static void finish_peer(struct emission *em, const struct peer_way *way, uint8_t *out,
			size_t sealed)
{
	size_t head = fl_ip_header_len(way->p->family), l4_len = way->l4_len + sealed;
	struct fl_packet built;
	uint8_t *l4 = out + head;

	if (way->wire_proto == FL_IPPROTO_TCP) {
		memcpy(l4, em->packet->l4, way->l4_len);
		fl_put_u16(l4, em->to->local_port);
		fl_put_u16(l4 + 2, em->to->remote_port);
	} else {
		fl_packet_put_udp(l4, em->to->local_port, em->to->remote_port, sealed);
	}
	fl_packet_put_ip(out, &em->ip, l4_len);
	if (fl_packet_parse(out, head + l4_len, &built) < 0) {
		fl_engine_drop(em->e, FL_DROP_INTERNAL);
		return;
	}
	if (is_portless(em->session) || fl_packet_csum_state(em->packet) != FL_CSUM_NONE ||
	    way->p->family == 6)
		fl_packet_csum_fill(&built);
	if (!fl_engine_send_path(em->e, way->path, head + l4_len))
		fl_engine_drop(em->e, FL_DROP_NO_PATH);
}

static int seal_into(struct emission *em, const struct peer_way *way, const struct fl_meta *meta,
		     const uint8_t *payload, size_t payload_len, uint8_t *out)
{
	const struct fl_seal seal = {
		.ring = way->rt->tx_ring,
		.unix_s = em->e->wall_s,
		.meta = meta,
		.payload = payload,
		.payload_len = payload_len,
		.pad = way->rt->cfg->post_encryption_padding,
	};
	size_t head = fl_ip_header_len(way->p->family) + way->l4_len;
	int len = fl_seal(&seal, out + head, FL_TX_MAX_PACKET - head);

	if (len >= 0) {
		fl_tables_count(em->e->t, FL_STAT_HMAC_ADDED);
		if (meta)
			fl_tables_count(em->e->t, FL_STAT_META_ADDED);
		else if (fl_meta_has_cookie(payload, payload_len))
			fl_tables_count(em->e->t, FL_STAT_FALSE_POSITIVE_ADDED);
	}
	return len;
}

/*
 * What stands before the payload of the whole: the session's block, or a fence. Without one, what a
 * host sends could be taken for metadata of ours once the slices are joined.
 */
static int put_whole_front(const struct emission *em, const struct peer_way *way, uint8_t *out)
{
	const struct fl_seal block = { .ring = way->rt->tx_ring,
				       .unix_s = em->e->wall_s,
				       .meta = em->meta };

	if (em->meta)
		return fl_seal_block(&block, out, FL_META_MAX);
	if (!fl_meta_has_cookie(way->payload, way->payload_len))
		return 0;
	memcpy(out, fl_meta_fence, sizeof(fl_meta_fence));
	fl_tables_count(em->e->t, FL_STAT_FALSE_POSITIVE_ADDED);
	return sizeof(fl_meta_fence);
}

/*
 * P-25: cut block and payload as they would travel, and give every slice a block of its own that
 * says where it belongs, and an HMAC.
 */
static void emit_slices(struct emission *em, const struct peer_way *way)
{
	static uint8_t whole[FL_MAX_FRAME + FL_META_MAX];
	size_t head = fl_ip_header_len(way->p->family) + way->l4_len, total, room, slice;
	struct fl_meta meta = { .has = FL_META_BIT(FL_META_FRAGMENT) |
				       FL_META_BIT(FL_META_SECURITY_ID) };
	int len = put_whole_front(em, way, whole);

	if (len < 0 || (size_t)len + way->payload_len > FL_FRAG_WHOLE) {
		fl_engine_drop(em->e, len < 0 ? (enum fl_drop_reason) - len : FL_DROP_FRAG_LIMIT);
		return;
	}
	memcpy(whole + len, way->payload, way->payload_len);
	total = (size_t)len + way->payload_len;
	/* What a slice's packet needs beside the slice: headers, block with TLVs 1 and 16, pad,
	 * HMAC. */
	room = head + FL_META_BASE_LEN + 14 + 8 + 1 + fl_keyring_hmac_len(way->rt->tx_ring);
	if (way->mtu < room + 8) {
		fl_engine_drop(em->e, FL_DROP_MTU_EXCEEDED);
		return;
	}
	slice = (way->mtu - room) & ~(size_t)7;
	meta.fragment = (struct fl_meta_fragment){ .ext_id = em->e->next_frag_id++,
						   .orig_id = em->ip.id,
						   .largest = (uint16_t)way->mtu,
						   .df = em->ip.df };
	em->ip.df = true;
	for (size_t at = 0; at < total; at += slice) {
		uint8_t *out = em->e->io.room(em->e->io.ctx);

		meta.fragment.offset = (uint16_t)(at / 8);
		meta.fragment.mf = at + slice < total;
		len = seal_into(em, way, &meta, whole + at, total - at < slice ? total - at : slice,
				out);
		if (len < 0) {
			fl_engine_drop(em->e, (enum fl_drop_reason) - len);
			return;
		}
		finish_peer(em, way, out, (size_t)len);
		fl_tables_count(em->e->t, FL_STAT_FRAG_OUT);
	}
	count(em);
}

/* Bytes that a packet of the session may have once the handshake is over. Copies carry their number
 * then, and an HMAC. */
static uint16_t steady_mtu(const struct emission *em, const struct peer_way *way)
{
	if (!em->path)
		return way->p->mtu;
	return (uint16_t)(em->mtu - sizeof(struct fl_dup_block) -
			  fl_keyring_hmac_len(way->rt->tx_ring));
}

/* Does what the session's packets weigh without metadata exceed the path's MTU? Then it is the
 * host's matter. */
static bool too_big_in_steady_state(const struct emission *em, const struct peer_way *way)
{
	return em->ip.df && fl_ip_header_len(way->p->family) + way->l4_len + way->payload_len >
				    steady_mtu(em, way);
}

static uint16_t mtu_for_host(const struct emission *em, const struct peer_way *way)
{
	size_t wire = fl_ip_header_len(way->p->family) + (is_portless(em->session) ? 8u : 0u);
	size_t own = fl_ip_header_len(em->session->family);

	return (uint16_t)(steady_mtu(em, way) + own - wire);
}

static void emit_peer(struct emission *em)
{
	struct fl_engine *e = em->e;
	struct peer_way way;
	size_t head, overhead;
	uint8_t *out;
	int len;

	if (!find_way(em, &way)) {
		fl_engine_drop(e, FL_DROP_NO_PATH);
		return;
	}
	if (too_big_in_steady_state(em, &way)) {
		drop_too_big(em, mtu_for_host(em, &way));
		return;
	}
	fl_session_rewrite_icmp(em->session, em->dir, em->packet->l4);
	head = fl_ip_header_len(way.p->family) + way.l4_len;
	overhead = em->meta ? FL_META_MAX : FL_SEAL_OVERHEAD_MAX;
	if (head + way.payload_len + overhead > FL_TX_MAX_PACKET) {
		emit_slices(em, &way);
		return;
	}
	out = e->io.room(e->io.ctx);
	if (em->meta || way.p->tx_flags & FL_TX_SEAL ||
	    fl_meta_has_cookie(way.payload, way.payload_len)) {
		len = seal_into(em, &way, em->meta, way.payload, way.payload_len, out);
		if (len < 0) {
			fl_engine_drop(e, (enum fl_drop_reason) - len);
			return;
		}
	} else {
		memcpy(out + head, way.payload, way.payload_len);
		len = (int)way.payload_len;
	}
	if (head + (size_t)len > way.mtu) {
		emit_slices(em, &way);
		return;
	}
	finish_peer(em, &way, out, (size_t)len);
	count(em);
}

/* --- entry points ----------------------------------------------------------------------------- */

void fl_engine_emit(struct fl_engine *e, uint32_t id, enum fl_direction dir,
		    struct fl_packet *packet, const struct fl_meta *meta)
{
	struct emission em = {
		.e = e,
		.id = id,
		.dir = dir,
		.session = fl_engine_session(e, id),
		.packet = packet,
		.meta = meta,
	};

	em.to = fl_side_to(em.session, dir);
	if (em.session->mss && (packet->hdr.tcp_flags & FL_TH_SYN))
		fl_packet_clamp_mss(packet, em.session->mss);
	take_ip(&em);
	if (em.to->kind == FL_SIDE_PEER)
		emit_peer(&em);
	else
		emit_lan(&em);
}

void fl_engine_emit_copy(struct fl_engine *e, const struct fl_copy *copy)
{
	struct emission em = {
		.e = e,
		.id = copy->id,
		.dir = copy->dir,
		.session = fl_engine_session(e, copy->id),
		.packet = copy->packet,
		.meta = copy->meta,
		.path = copy->path,
		.mtu = copy->mtu,
		.again = copy->again,
	};

	em.to = fl_side_to(em.session, em.dir);
	take_ip(&em);
	emit_peer(&em);
}

void fl_engine_forward(struct fl_engine *e, uint32_t id, enum fl_direction dir,
		       struct fl_packet *packet)
{
	struct fl_meta meta;

	if (fl_engine_dup_to(e, id, dir))
		fl_engine_dup_forward(e, id, dir, packet);
	else if (fl_engine_meta_due(e, id, dir, packet, &meta))
		fl_engine_emit(e, id, dir, packet, &meta);
	else
		fl_engine_emit(e, id, dir, packet, NULL);
}
