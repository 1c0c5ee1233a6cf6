// SPDX-License-Identifier: Apache-2.0
/* Checksums of whole packets: see packet.h. Sums are in memory order, as in common/csum.h. */
#include "agent/codec/packet.h"

#include <string.h>

#include "common/csum.h"

uint16_t fl_csum_bytes(const void *data, size_t len, uint16_t sum)
{
	const uint8_t *p = data;
	uint64_t total = sum;

	/* Words of 32 bits in a sum of 64 cannot overflow below 16 GB. */
	for (; len >= 4; len -= 4, p += 4)
		total += *(const fl_u32_una *)p;
	if (len >= 2) {
		total += *(const fl_u16_una *)p;
		len -= 2;
		p += 2;
	}
	if (len)
		total += p[0]; /* a zero byte behind it: RFC 1071 */
	total = (total & 0xffffffff) + (total >> 32);
	total = (total & 0xffffffff) + (total >> 32);
	return fl_csum_u32((uint32_t)total);
}

/* Pseudo-header: RFC 9293 3.1, RFC 8200 8.1. */
static uint16_t pseudo_sum(const struct fl_packet *p)
{
	size_t at = offsetof(struct fl_ip4, src), size = 8;
	uint16_t sum;

	if (p->hdr.family == 6) {
		at = offsetof(struct fl_ip6, src);
		size = 32;
	}
	sum = fl_csum_bytes(p->data + at, size, 0);
	sum = fl_csum_add(sum, (uint16_t)FL_BE16(p->hdr.proto));
	sum = fl_csum_add(sum, fl_csum_u32((uint32_t)FL_BE32(p->l4_len)));
	return sum;
}

/* The checksum field, and what is summed besides layer 4; NULL if there is nothing to check. */
static uint8_t *csum_field(const struct fl_packet *p, uint16_t *ret_pseudo)
{
	bool v6 = p->hdr.family == 6;

	*ret_pseudo = 0;
	if (p->hdr.flags & FL_PKT_FRAGMENT)
		return NULL;
	if (p->hdr.proto == FL_IPPROTO_ICMP && !v6)
		return p->l4 + offsetof(struct fl_icmp, check);
	*ret_pseudo = pseudo_sum(p);
	if (p->hdr.proto == FL_IPPROTO_TCP)
		return p->l4 + offsetof(struct fl_tcp, check);
	if (p->hdr.proto == FL_IPPROTO_UDP)
		return p->l4 + offsetof(struct fl_udp, check);
	if (p->hdr.proto == FL_IPPROTO_ICMPV6 && v6)
		return p->l4 + offsetof(struct fl_icmp, check);
	return NULL;
}

enum fl_csum_state fl_packet_csum_state(const struct fl_packet *p)
{
	uint16_t pseudo, field;
	const uint8_t *at = csum_field(p, &pseudo);

	if (!at)
		return FL_CSUM_NONE;
	field = *(const fl_u16_una *)at;
	/* Also over IPv6: tunnels go without (RFC 6935), and a router is not to mind (RFC 6936 5).
	 */
	if (p->hdr.proto == FL_IPPROTO_UDP && !field)
		return FL_CSUM_NONE;
	if (fl_csum_bytes(p->l4, p->l4_len, pseudo) == 0xffff)
		return FL_CSUM_GOOD;
	if ((p->hdr.proto == FL_IPPROTO_TCP || p->hdr.proto == FL_IPPROTO_UDP) && field == pseudo)
		return FL_CSUM_PARTIAL;
	return FL_CSUM_BAD;
}

void fl_packet_csum_fill(struct fl_packet *p)
{
	uint16_t sum;
	uint8_t *at = csum_field(p, &sum);

	if (!at)
		return;
	*(fl_u16_una *)at = 0;
	sum = (uint16_t)~fl_csum_bytes(p->l4, p->l4_len, sum);
	/* RFC 768: 0 says "no checksum". */
	if (!sum && p->hdr.proto == FL_IPPROTO_UDP)
		sum = 0xffff;
	*(fl_u16_una *)at = sum;
}

bool fl_packet_ip_csum_ok(const struct fl_packet *p)
{
	return p->hdr.family == 6 || fl_csum_bytes(p->data, p->hdr.l4, 0) == 0xffff;
}

void fl_ip4_csum_fill(struct fl_ip4 *ip)
{
	ip->check = 0;
	ip->check = (__be16)~fl_csum_bytes(ip, (ip->ver_ihl & 15u) * 4, 0);
}
