// SPDX-License-Identifier: Apache-2.0
/* IP fragments, of hosts and from under way: made whole, then treated like any packet (3.7). */
#include <string.h>

#include "agent/codec/packet_build.h"
#include "agent/session/engine_internal.h"
#include "common/hdr.h"

/* Where a fragment belongs. */
struct place {
	uint32_t id;
	uint32_t offset;
	bool more;
	size_t head_len; /* IP header, IPv6: up to the fragment header */
	size_t body;     /* offset of what the fragment carries */
	uint8_t proto;   /* of what is fragmented; IPv6: as its first fragment says */
};

static bool place4(const struct fl_packet *p, struct place *place)
{
	const struct fl_ip4 *ip = (const void *)p->data;
	uint16_t frag = FL_HOST16(ip->frag_off);

	place->id = FL_HOST16(ip->id);
	place->offset = (frag & FL_IP4_OFFSET) * 8u;
	place->more = frag & FL_IP4_MF;
	place->head_len = place->body = (ip->ver_ihl & 15u) * 4u;
	place->proto = ip->proto;
	return true;
}

/* The parser has walked these headers once and found them sound. */
static bool place6(const struct fl_packet *p, struct place *place)
{
	uint8_t next = ((const struct fl_ip6 *)(const void *)p->data)->next;
	size_t at = sizeof(struct fl_ip6);

	for (int i = 0; i < FL_MAX_EXT_HEADERS && at + 8 <= p->len; i++) {
		const struct fl_ip6_ext *ext = (const void *)(p->data + at);

		if (next == FL_IPPROTO_FRAGMENT) {
			const struct fl_ip6_frag *frag = (const void *)ext;
			uint16_t off = FL_HOST16(frag->frag_off);

			place->id = FL_HOST32(frag->id);
			place->offset = off & 0xfff8u;
			place->more = off & 1;
			place->head_len = sizeof(struct fl_ip6);
			place->body = at + sizeof(*frag);
			place->proto = frag->next;
			return true;
		}
		next = ext->next;
		at += ((size_t)ext->len + 1) * 8;
	}
	return false;
}

/* The whole packet, in e->plain. */
static bool rebuild(struct fl_engine *e, const struct fl_frag_whole *whole, uint8_t family,
		    uint8_t proto, struct fl_packet *ret_packet)
{
	size_t len = whole->head_len + whole->len;

	if (len > FL_FRAG_WHOLE)
		return false;
	memcpy(e->plain, whole->head, whole->head_len);
	memcpy(e->plain + whole->head_len, whole->data, whole->len);
	if (family == 4) {
		struct fl_ip4 *ip = (void *)e->plain;

		ip->tot_len = FL_BE16(len);
		ip->frag_off = 0;
		fl_ip4_csum_fill(ip);
	} else {
		struct fl_ip6 *ip = (void *)e->plain;

		ip->payload_len = FL_BE16(whole->len);
		ip->next = proto;
	}
	if (fl_packet_parse(e->plain, len, ret_packet) < 0)
		return false;
	ret_packet->came_in_pieces = true;
	return true;
}

void fl_engine_to_host(struct fl_engine *e, const struct fl_work *work)
{
	const struct fl_packet *p = &work->packet;

	if (p->len > FL_TX_MAX_PACKET) {
		fl_engine_drop(e, FL_DROP_MTU_EXCEEDED);
		return;
	}
	memcpy(e->io.room(e->io.ctx), p->data, p->len);
	fl_engine_send_host(e, p->hdr.family, p->len);
}

/* From a peer's address: a packet on waypoints, or something for this host that is none of ours. */
static void whole_from_peer(struct fl_engine *e, struct fl_work *work)
{
	const struct fl_path *path = &e->t->paths[work->punt->path];
	uint16_t sport = fl_pkt_sport(&work->packet.hdr), dport = fl_pkt_dport(&work->packet.hdr);

	if (work->packet.hdr.flags & FL_PKT_PORTLESS || !fl_path_has_ports(path, sport, dport)) {
		fl_engine_to_host(e, work);
		return;
	}
	/* fl_open() decrypts in place and what it opens is built in e->plain: move out of there. */
	memcpy(e->rx, work->packet.data, work->packet.len);
	if (fl_packet_parse(e->rx, work->packet.len, &work->packet) < 0)
		return;
	if (fl_meta_has_cookie(work->packet.payload, work->packet.payload_len) ||
	    fl_fabric_is_sealed(e->fabric, work->punt->iface))
		fl_engine_from_peer(e, work);
	else
		fl_engine_bare(e, work);
}

void fl_engine_fragment(struct fl_engine *e, struct fl_work *work)
{
	const struct fl_packet *p = &work->packet;
	struct fl_frag_key key = { .scope = work->punt->iface, .family = p->hdr.family };
	size_t addr = p->hdr.family == 6 ? 8 : 12, size = fl_addr_size(p->hdr.family);
	struct fl_frag_whole whole;
	struct place place = { 0 };
	struct fl_frag_piece piece;
	int ret;

	fl_tables_count(e->t, FL_STAT_FRAG_IN);
	if (!(p->hdr.family == 6 ? place6(p, &place) : place4(p, &place)) || place.body > p->len) {
		fl_engine_drop(e, FL_DROP_MALFORMED);
		return;
	}
	key.id = place.id;
	key.proto = p->hdr.family == 6 ? 0 : place.proto;
	memcpy(key.src, p->data + addr, size);
	memcpy(key.dst, p->data + addr + size, size);
	piece = (struct fl_frag_piece){
		.offset = place.offset,
		.data = p->data + place.body,
		.len = p->len - place.body,
		.last = !place.more,
		.head = place.offset ? NULL : p->data,
		.head_len = place.head_len,
		.largest = (uint16_t)p->len,
	};
	ret = fl_frags_add(e->host_frags, &key, &piece, e->now, &whole);
	if (ret < 0)
		fl_engine_drop(e, (enum fl_drop_reason) - ret);
	if (ret <= 0)
		return;
	fl_tables_count(e->t, FL_STAT_REASSEMBLED);
	/* The checksum could not be looked at before, and is made anew when the packet goes on. */
	if (!whole.head_len || !rebuild(e, &whole, p->hdr.family, place.proto, &work->packet) ||
	    fl_packet_csum_state(&work->packet) == FL_CSUM_BAD) {
		fl_engine_drop(e, FL_DROP_MALFORMED);
		return;
	}
	if (work->punt->path)
		whole_from_peer(e, work);
	else
		fl_engine_first_packet(e, work);
}
