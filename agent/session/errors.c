// SPDX-License-Identifier: Apache-2.0
/* ICMP errors, ours and others', and TCP resets. */
#include <errno.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/codec/packet_build.h"
#include "agent/session/engine_internal.h"

/* Where an answer to the sender of a packet goes, by the way that the packet came. */
static bool answer_hop(struct fl_engine *e, const struct fl_packet *about,
		       const struct fl_work *work, uint16_t *ret_hop)
{
	const uint8_t *mac = work->punt ? work->punt->smac : NULL;
	const uint16_t iface = work->punt ? work->punt->iface : 0;
	const struct fl_addr none = { 0 };
	static const uint8_t zero[6];
	struct fl_tuple t;
	struct fl_addr src;
	struct fl_exit out;

	memset(&t, 0, sizeof(t));
	src.family = about->hdr.family;
	src = fl_addr_from(src.family, about->data + (src.family == 6 ? 8 : 12));
	if (mac && !memcmp(mac, zero, sizeof(zero)))
		mac = NULL;
	if (fl_fabric_exit(e->fabric, &src, &none, iface, mac, &out) < 0 || out.host)
		return false;
	*ret_hop = out.hop;
	return true;
}

/* The address that an error of ours comes from: that of the interface toward the sender. */
static struct fl_addr own_address(struct fl_engine *e, uint16_t iface, uint8_t family)
{
	const struct fl_netif *netif = fl_fabric_netif(e->fabric, iface);

	if (!netif)
		return (struct fl_addr){ 0 };
	return fl_fabric_own_addr(e->fabric, netif->link.ifindex, family);
}

/* An error about a packet that came from a LAN, to @hop there. */
static void send_error(struct fl_engine *e, const struct fl_packet *about, uint16_t hop,
		       uint8_t kind, uint16_t mtu)
{
	struct fl_icmp_error error = { .kind = (enum fl_icmp_kind)kind, .mtu = mtu };
	uint8_t *out;
	int len;

	error.from = own_address(e, e->t->nexthops[hop].iface, about->hdr.family);
	if (!error.from.family)
		return;
	out = e->io.room(e->io.ctx);
	len = fl_packet_build_icmp_error(about, &error, out, FL_TX_MAX_PACKET);
	if (len > 0 && fl_engine_send_hop(e, hop, about->hdr.family, (size_t)len))
		fl_tables_count(e->t, FL_STAT_ICMP_SENT);
}

void fl_engine_icmp_to_sender(struct fl_engine *e, const struct fl_work *work, uint8_t kind)
{
	uint16_t hop;

	if (fl_ratelimit_take(&e->icmp_limit, e->now) && answer_hop(e, &work->packet, work, &hop))
		send_error(e, &work->packet, hop, kind, 0);
}

void fl_engine_reset(struct fl_engine *e, const struct fl_work *work)
{
	uint16_t hop;
	uint8_t *out;
	int len;

	if (!fl_ratelimit_take(&e->reset_limit, e->now) ||
	    !answer_hop(e, &work->packet, work, &hop))
		return;
	out = e->io.room(e->io.ctx);
	len = fl_packet_build_rst(&work->packet, out, FL_TX_MAX_PACKET);
	if (len > 0 && fl_engine_send_hop(e, hop, work->packet.hdr.family, (size_t)len))
		fl_tables_count(e->t, FL_STAT_TCP_RESET_SENT);
}

/* --- errors of others ------------------------------------------------------------------------- */

/* What an error says, without the addresses of where it was said. */
struct error_said {
	uint8_t type; /* of the ICMP version of @family */
	uint8_t code;
	uint32_t info; /* the second header word: MTU, pointer; host order */
	uint8_t family;
	struct fl_addr location; /* who said it */
	/*
	 * Second word of the quoted layer 4 header. TCP believes errors only about a sequence
	 * number that is under way (RFC 5927 4.1); a ping knows its requests apart by it. 0 where
	 * it is not known.
	 */
	uint8_t word[4];
};

/* Between the two ICMP versions (RFC 7915 4.2, 5.2); false for what has no counterpart. */
static bool translate(struct error_said *said, uint8_t family)
{
	bool to6 = family == 6;

	if (said->family == family)
		return true;
	if (said->type == (to6 ? FL_ICMP4_TIME_EXCEEDED : FL_ICMP6_TIME_EXCEEDED)) {
		said->type = to6 ? FL_ICMP6_TIME_EXCEEDED : FL_ICMP4_TIME_EXCEEDED;
	} else if (to6 && said->type == FL_ICMP4_UNREACH &&
		   said->code == FL_ICMP4_CODE_FRAG_NEEDED) {
		said->type = FL_ICMP6_PACKET_TOO_BIG;
		said->code = 0;
	} else if (!to6 && said->type == FL_ICMP6_PACKET_TOO_BIG) {
		said->type = FL_ICMP4_UNREACH;
		said->code = FL_ICMP4_CODE_FRAG_NEEDED;
	} else if (said->type == (to6 ? FL_ICMP4_UNREACH : FL_ICMP6_UNREACH)) {
		/* Port unreachable is 3 in IPv4, 4 in IPv6; host or address unreachable 1 and 3. */
		bool port = said->code == (to6 ? 3 : 4);

		said->type = to6 ? FL_ICMP6_UNREACH : FL_ICMP4_UNREACH;
		said->code = to6 ? (port ? 4 : 3) : (port ? 3 : 1);
	} else {
		return false;
	}
	said->family = family;
	return true;
}

static bool is_too_big(const struct error_said *said)
{
	if (said->family == 6)
		return said->type == FL_ICMP6_PACKET_TOO_BIG;
	return said->type == FL_ICMP4_UNREACH && said->code == FL_ICMP4_CODE_FRAG_NEEDED;
}

/* What an error quotes: the headers of the packet @t names, as far as 8 bytes behind IP (RFC 792).
 */
static size_t put_quote(const struct fl_tuple *t, const uint8_t word[4], uint8_t *out)
{
	const struct fl_ip_spec ip = { .tuple = *t, .ttl = 1, .df = true };
	size_t head = fl_ip_header_len(t->family);
	uint8_t *l4 = out + head;

	memset(out, 0, head + 8);
	fl_packet_put_ip(out, &ip, 8);
	memcpy(l4 + 4, word, 4);
	if (t->proto == FL_IPPROTO_ICMP || t->proto == FL_IPPROTO_ICMPV6) {
		l4[0] = t->family == 6 ? FL_ICMP6_ECHO : FL_ICMP4_ECHO;
		fl_put_u16(l4 + 4, t->sport);
	} else {
		fl_put_u16(l4, t->sport);
		fl_put_u16(l4 + 2, t->dport);
		if (t->proto == FL_IPPROTO_UDP)
			fl_put_u16(l4 + 4, 8);
	}
	return head + 8;
}

/* The first 8 bytes of the message; its checksum is left 0. */
static void put_icmp(const struct error_said *said, uint8_t *out)
{
	memset(out, 0, 8);
	out[0] = said->type;
	out[1] = said->code;
	if (said->family == 6)
		fl_put_u32(out + 4, said->info);
	else
		fl_put_u16(out + 6, (uint16_t)said->info);
}

static struct error_said read_icmp(const uint8_t *icmp, const struct fl_addr *location)
{
	struct error_said said = {
		.type = icmp[0], .code = icmp[1], .family = location->family, .location = *location
	};

	said.info = (uint32_t)icmp[6] << 8 | icmp[7];
	if (said.family == 6)
		said.info |= (uint32_t)icmp[4] << 24 | (uint32_t)icmp[5] << 16;
	return said;
}

/*
 * The error as the host on one side of a session must see it: about the packet that this host sent.
 * @dir is the direction of that packet.
 */
static int build_translated(const struct fl_session *s, enum fl_direction dir,
			    const struct error_said *said, uint8_t *out, size_t room)
{
	size_t head = fl_ip_header_len(s->family), len = head + 8 + head + 8;
	struct fl_ip_spec outer = { .ttl = FL_TTL_DEFAULT };
	struct fl_tuple t = { .family = s->family, .proto = s->proto };
	struct fl_packet built;

	if (room < len)
		return -ENOSPC;
	memcpy(t.src, dir == FL_FORWARD ? s->src : s->nat_dst, 16);
	memcpy(t.dst, dir == FL_FORWARD ? s->dst : s->nat_src, 16);
	t.sport = dir == FL_FORWARD ? s->sport : s->nat_dport;
	t.dport = dir == FL_FORWARD ? s->dport : s->nat_sport;

	outer.tuple.family = s->family;
	outer.tuple.proto = s->family == 6 ? FL_IPPROTO_ICMPV6 : FL_IPPROTO_ICMP;
	/* From where it was said if that is of this family, else from the destination. */
	memcpy(outer.tuple.src, said->location.family == s->family ? said->location.b : t.dst, 16);
	memcpy(outer.tuple.dst, t.src, 16);

	put_icmp(said, out + head);
	put_quote(&t, said->word, out + head + 8);
	fl_packet_put_ip(out, &outer, len - head);
	if (fl_packet_parse(out, len, &built) < 0)
		return -EINVAL;
	fl_packet_csum_fill(&built);
	return (int)len;
}

/* Deliver to the host that sent the packet: it is on the side that the packet came from. */
static void deliver_error(struct fl_engine *e, uint32_t id, enum fl_direction dir,
			  const struct error_said *said)
{
	const struct fl_session *s = fl_engine_session(e, id);
	const struct fl_side *to = fl_side_from(s, dir);
	uint8_t *out = e->io.room(e->io.ctx);
	int len = build_translated(s, dir, said, out, FL_TX_MAX_PACKET);

	if (len < 0)
		return;
	if (to->kind == FL_SIDE_HOST)
		fl_engine_send_host(e, s->family, (size_t)len);
	else if (to->kind == FL_SIDE_LAN &&
		 !fl_engine_send_hop(e, to->nexthop, s->family, (size_t)len))
		return;
	fl_tables_count(e->t, FL_STAT_ICMP_TRANSLATED);
}

/* The session's packets of one direction, as its contexts have them (2.5). */
static struct fl_tuple context_of(const struct fl_session *s, enum fl_direction dir)
{
	struct fl_tuple t = {
		.sport = s->sport, .dport = s->dport, .family = s->family, .proto = s->proto
	};

	memcpy(t.src, s->src, 16);
	memcpy(t.dst, s->dst, 16);
	return dir == FL_FORWARD ? t : fl_tuple_reverse(&t);
}

static bool is_behind_nat(const struct fl_engine *e, const struct fl_side *side)
{
	const struct fl_path_rt *path = fl_fabric_path(e->fabric, e->t->vectors[side->vector].path);

	return path && path->cfg && path->cfg->connectivity == FL_CFG_OUTBOUND_ONLY;
}

/*
 * P-24: to the next router an error travels as UDP on the session's waypoints, whatever the session
 * is: who said it (TLV 20/21) in the block, the ICMP message as payload. UDP and TCP number their
 * waypoints apart (P-27), so that the same pair may be a UDP session's as well; which one is meant,
 * the quoted packet says, whose tuple is the session's context. The message's own checksum stays 0:
 * the HMAC covers it. A NAT lets in only what belongs to the session's own packets (P-28).
 */
static void carry_error(struct fl_engine *e, uint32_t id, enum fl_direction dir,
			const struct error_said *said)
{
	const struct fl_tuple about = context_of(fl_engine_session(e, id), dir);
	struct fl_meta meta = { .has = FL_META_BIT(FL_META_SECURITY_ID) |
				       FL_META_BIT(FL_META_ICMP_LOCATION),
				.security_id = 1,
				.icmp_location = said->location };
	uint8_t icmp[8 + sizeof(struct fl_ip6) + 8];
	struct fl_generated what = {
		.id = id,
		.dir = dir == FL_FORWARD ? FL_REVERSE : FL_FORWARD,
		.meta = &meta,
		.payload = icmp,
		.as_udp = !is_behind_nat(e, fl_side_from(fl_engine_session(e, id), dir)),
	};

	put_icmp(said, icmp);
	what.payload_len = 8 + put_quote(&about, said->word, icmp + 8);
	fl_engine_generate(e, &what);
	fl_tables_count(e->t, FL_STAT_ICMP_TRANSLATED);
}

/* An error about a packet that a session sent in direction @dir: toward its sender. */
static void pass_error(struct fl_engine *e, uint32_t id, enum fl_direction dir,
		       struct error_said *said)
{
	const struct fl_session *s = fl_engine_session(e, id);

	if (fl_side_from(s, dir)->kind == FL_SIDE_PEER) {
		carry_error(e, id, dir, said);
		return;
	}
	if (translate(said, s->family))
		deliver_error(e, id, dir, said);
	else
		fl_engine_drop(e, FL_DROP_ICMP_ERROR);
}

/* Of a quoted packet of protocol @proto, if it is the session's own and not what wraps it. */
static void take_word(struct error_said *said, const struct fl_session *s, uint8_t proto,
		      const uint8_t *l4)
{
	if (proto == s->proto)
		memcpy(said->word, l4 + 4, sizeof(said->word));
}

static struct error_said said_by(const struct fl_packet *p, const struct fl_session *s)
{
	const struct fl_addr from =
		fl_addr_from(p->hdr.family, p->data + (p->hdr.family == 6 ? 8 : 12));
	struct error_said said = read_icmp(p->l4, &from);
	struct fl_tuple about;
	const uint8_t *l4;

	if (fl_packet_quote_tuple(p->payload, p->payload_len, &about, &l4))
		take_word(&said, s, about.proto, l4);
	return said;
}

/* An error from a LAN or from under way, about a packet that one of our flows sent. */
void fl_engine_icmp_error(struct fl_engine *e, struct fl_work *work)
{
	const struct fl_session *s;
	const struct fl_flow *flow;
	struct error_said said;
	enum fl_direction dir;

	if (!fl_engine_still_there(e, work->punt)) {
		fl_engine_drop(e, FL_DROP_ICMP_ERROR);
		return;
	}
	flow = &e->t->flows[work->punt->slot];
	/* The flow is the one of answers: the quoted packet went the other way. */
	dir = flow->flags & FL_FLOW_REVERSE ? FL_FORWARD : FL_REVERSE;
	s = fl_engine_session(e, flow->session);
	said = said_by(&work->packet, s);
	/* From under way: what fits the path is less than the host's packet, by what we add. */
	if (is_too_big(&said) && fl_side_to(s, dir)->kind == FL_SIDE_PEER && said.info) {
		size_t wire = fl_ip_header_len(said.family) +
			      (fl_session_wire_proto(s) == s->proto ? 0u : 8u);

		said.info = (uint32_t)(said.info + fl_ip_header_len(s->family) - wire);
	}
	pass_error(e, flow->session, dir, &said);
}

/* Why a packet went no further, as an error of @family. */
static struct error_said say(uint8_t kind, uint16_t mtu, uint8_t family)
{
	struct error_said said = { .family = family, .info = mtu };

	if (kind == FL_ICMP_TOO_BIG) {
		said.type = family == 6 ? FL_ICMP6_PACKET_TOO_BIG : FL_ICMP4_UNREACH;
		said.code = family == 6 ? 0 : FL_ICMP4_CODE_FRAG_NEEDED;
	} else {
		said.type = family == 6 ? FL_ICMP6_TIME_EXCEEDED : FL_ICMP4_TIME_EXCEEDED;
	}
	return said;
}

void fl_engine_tell_sender(struct fl_engine *e, uint32_t id, enum fl_direction dir,
			   const struct fl_packet *packet, const struct fl_why *why)
{
	const struct fl_session *s = fl_engine_session(e, id);
	const struct fl_side *from = fl_side_from(s, dir);
	const struct fl_path *path = &e->t->paths[e->t->vectors[from->vector].path];
	struct error_said said;

	if (!fl_ratelimit_take(&e->icmp_limit, e->now))
		return;
	if (from->kind == FL_SIDE_LAN) {
		send_error(e, packet, from->nexthop, why->kind, why->mtu);
		return;
	}
	if (from->kind == FL_SIDE_PEER) {
		said = say(why->kind, why->mtu, path->family);
		said.location = fl_addr_from(path->family, path->local);
	} else {
		said = say(why->kind, why->mtu, s->family);
	}
	if (packet->l4_len >= 8)
		take_word(&said, s, packet->hdr.proto, packet->l4);
	pass_error(e, id, dir, &said);
}

/* An error that a peer carries to us, on the waypoints of the session that its quote names. */
void fl_engine_carried_error(struct fl_engine *e, const struct fl_work *work,
			     const struct fl_opened *opened)
{
	const struct fl_pkt *hdr = &work->packet.hdr;
	struct fl_wide_key key = { .sport = fl_pkt_sport(hdr),
				   .dport = fl_pkt_dport(hdr),
				   .scope = e->t->paths[work->punt->path].peer,
				   .kind = FL_KEY_PEER };
	const struct fl_session *s;
	const struct fl_flow *flow;
	struct fl_tuple about, own;
	struct error_said said;
	enum fl_direction dir;
	const uint8_t *l4;
	uint32_t slot;

	if (opened->payload_len < 8 ||
	    !fl_packet_quote_tuple(opened->payload + 8, opened->payload_len - 8, &about, &l4)) {
		fl_engine_drop(e, FL_DROP_META_MALFORMED);
		return;
	}
	key.proto = about.proto == FL_IPPROTO_TCP ? FL_IPPROTO_TCP : FL_IPPROTO_UDP;
	slot = fl_flows_find(e->flows, &key);
	if (slot == FL_NO_SLOT) {
		fl_engine_drop(e, FL_DROP_ICMP_ERROR);
		return;
	}
	flow = &e->t->flows[slot];
	s = fl_engine_session(e, flow->session);
	/* It came by the flow of answers: the quoted packet went the other way. */
	dir = flow->flags & FL_FLOW_REVERSE ? FL_FORWARD : FL_REVERSE;
	own = context_of(s, dir);
	if (!fl_tuple_equal(&about, &own)) {
		fl_engine_drop(e, FL_DROP_ICMP_ERROR);
		return;
	}
	said = read_icmp(opened->payload, &opened->meta.icmp_location);
	take_word(&said, s, about.proto, l4);
	pass_error(e, flow->session, dir, &said);
}
