// SPDX-License-Identifier: Apache-2.0
/* Packets: see packet.h. */
#include "agent/codec/packet.h"

#include <string.h>

#include "common/drop_reason.h"

int fl_packet_parse(void *data, size_t len, struct fl_packet *ret_packet)
{
	struct fl_packet p = { .data = data };
	int err;

	if (!len)
		return -FL_DROP_MALFORMED;
	p.hdr.eth_proto = p.data[0] >> 4 == 6 ? FL_ETH_P_IPV6 : FL_ETH_P_IP;
	err = fl_parse_l3(NULL, data, p.data + len, &p.hdr);
	if (err < 0)
		return err;
	p.len = p.hdr.l3_len;
	if (p.len > len || p.hdr.payload > p.len)
		return -FL_DROP_MALFORMED;
	p.l4 = p.data + p.hdr.l4;
	p.l4_len = p.len - p.hdr.l4;
	if (p.hdr.proto == FL_IPPROTO_UDP && !(p.hdr.flags & FL_PKT_FRAGMENT)) {
		uint16_t udp_len = FL_HOST16(((const struct fl_udp *)p.l4)->len);

		if (udp_len < sizeof(struct fl_udp) || udp_len > p.l4_len)
			return -FL_DROP_MALFORMED;
		p.l4_len = udp_len;
	}
	p.payload = p.data + p.hdr.payload;
	p.payload_len = p.l4_len - (uint32_t)(p.payload - p.l4);
	*ret_packet = p;
	return 0;
}

uint8_t fl_packet_tos(const struct fl_packet *packet)
{
	const struct fl_ip4 *ip4 = (const void *)packet->data;
	const struct fl_ip6 *ip6 = (const void *)packet->data;

	return packet->hdr.family == 6 ? (uint8_t)(FL_HOST32(ip6->ver_tc_flow) >> 20) : ip4->tos;
}

/* Addresses of the IP header at @ip. */
static void read_addresses(const uint8_t *ip, uint8_t family, struct fl_tuple *t)
{
	size_t size = family == 6 ? 16 : 4;
	size_t src = family == 6 ? offsetof(struct fl_ip6, src) : offsetof(struct fl_ip4, src);

	t->family = family;
	memcpy(t->src, ip + src, size);
	memcpy(t->dst, ip + src + size, size);
}

bool fl_packet_tuple(const struct fl_packet *p, struct fl_tuple *ret_tuple)
{
	struct fl_tuple t = { .proto = p->hdr.proto,
			      .sport = fl_pkt_sport(&p->hdr),
			      .dport = fl_pkt_dport(&p->hdr) };

	if (fl_packet_is_later_fragment(p) || p->hdr.flags & FL_PKT_ICMP_ERROR)
		return false;
	read_addresses(p->data, p->hdr.family, &t);
	*ret_tuple = t;
	return true;
}

/*
 * Where layer 4 starts in the IP packet at @ip, of which @len bytes are there, and its protocol in
 * @t. -1 if it cannot be told, or if it is a later fragment.
 */
static int quoted_l4(const uint8_t *ip, size_t len, struct fl_tuple *t)
{
	int walked;

	if (t->family == 6) {
		const struct fl_ip6 *ip6 = (const void *)ip;

		if (len < sizeof(*ip6) || ip[0] >> 4 != 6)
			return -1;
		walked = fl_walk_ip6_ext(ip, ip + len, sizeof(*ip6), ip6->next);
		t->proto = (uint8_t)(walked >> 16 & 0xff);
		if (walked < 0 ||
		    (walked >> 24 & (FL_PKT_FRAGMENT | FL_PKT_FIRST_FRAGMENT)) == FL_PKT_FRAGMENT)
			return -1;
		return walked & 0xffff;
	}
	if (len < sizeof(struct fl_ip4) || ip[0] >> 4 != 4)
		return -1;
	t->proto = ((const struct fl_ip4 *)ip)->proto;
	if (((const struct fl_ip4 *)ip)->frag_off & FL_BE16(FL_IP4_OFFSET))
		return -1;
	return (ip[0] & 15) * 4;
}

bool fl_packet_quote_tuple(const uint8_t *ip, size_t len, struct fl_tuple *ret_tuple,
			   const uint8_t **ret_l4)
{
	struct fl_tuple t = { .family = len && ip[0] >> 4 == 6 ? 6 : 4 };
	const struct fl_icmp *icmp;
	const uint8_t *l4;
	int off = quoted_l4(ip, len, &t);

	if (off < (int)sizeof(struct fl_ip4) || (size_t)off + 8 > len)
		return false;
	read_addresses(ip, t.family, &t);
	l4 = ip + off;
	icmp = (const void *)l4;
	if (t.proto == FL_IPPROTO_TCP || t.proto == FL_IPPROTO_UDP) {
		t.sport = FL_HOST16(*(const fl_u16_una *)l4);
		t.dport = FL_HOST16(*(const fl_u16_una *)(l4 + 2));
	} else if (t.proto == (t.family == 6 ? FL_IPPROTO_ICMPV6 : FL_IPPROTO_ICMP)) {
		if (fl_icmp_is_error(t.family, icmp->type))
			return false;
		t.sport = t.dport = FL_HOST16(icmp->id);
	}
	*ret_tuple = t;
	*ret_l4 = l4;
	return true;
}

bool fl_packet_quoted_tuple(const struct fl_packet *error, struct fl_tuple *ret_tuple)
{
	const uint8_t *l4;
	struct fl_tuple t;

	if (!(error->hdr.flags & FL_PKT_ICMP_ERROR) ||
	    !fl_packet_quote_tuple(error->payload, error->payload_len, &t, &l4) ||
	    t.family != error->hdr.family)
		return false;
	*ret_tuple = t;
	return true;
}
