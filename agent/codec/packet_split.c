// SPDX-License-Identifier: Apache-2.0
/* Segmentation and fragmentation: see packet_split.h. */
#include "agent/codec/packet_split.h"

#include <errno.h>
#include <string.h>

#define TH_CWR         0x80
#define IPOPT_END      0
#define IPOPT_NOP      1
#define IPOPT_COPIED   0x80
#define IP4_HEADER_MAX 60

/* Lengths, IP id and sequence number of a segment that starts as a copy of the whole's headers. */
static void segment_headers(const struct fl_split *s, uint8_t *out, size_t slice, bool last)
{
	const struct fl_pkt *hdr = &s->packet->hdr;
	size_t len = hdr->payload + slice;

	if (hdr->family == 6) {
		struct fl_ip6 *ip = (struct fl_ip6 *)out;

		ip->payload_len = FL_BE16(len - sizeof(*ip));
	} else {
		struct fl_ip4 *ip = (struct fl_ip4 *)out;

		ip->tot_len = FL_BE16(len);
		ip->id = FL_BE16(FL_HOST16(ip->id) + s->index);
		fl_ip4_csum_fill(ip);
	}
	if (hdr->proto == FL_IPPROTO_UDP) {
		((struct fl_udp *)(out + hdr->l4))->len = FL_BE16(sizeof(struct fl_udp) + slice);
	} else {
		struct fl_tcp *tcp = (struct fl_tcp *)(out + hdr->l4);

		tcp->seq = FL_BE32(FL_HOST32(tcp->seq) + s->offset);
		if (!last)
			tcp->flags &= (uint8_t) ~(FL_TH_FIN | FL_TH_PSH);
		if (s->index)
			tcp->flags &= (uint8_t)~TH_CWR;
	}
}

static int next_segment(struct fl_split *s, uint8_t *out, size_t room)
{
	const struct fl_packet *p = s->packet;
	uint32_t left = p->payload_len - s->offset;
	size_t slice = left < s->size ? left : s->size;
	size_t front = p->hdr.payload;
	struct fl_packet piece;

	if (!left && s->index)
		return 0;
	if (room < front + slice)
		return -ENOSPC;
	memcpy(out, p->data, front);
	memcpy(out + front, p->payload + s->offset, slice);
	segment_headers(s, out, slice, slice == left);
	if (fl_packet_parse(out, front + slice, &piece) < 0)
		return -EINVAL;
	if (p->hdr.proto == FL_IPPROTO_TCP || p->hdr.family == 6 ||
	    ((const struct fl_udp *)p->l4)->check)
		fl_packet_csum_fill(&piece);
	s->offset += (uint32_t)slice;
	s->index++;
	return (int)(front + slice);
}

int fl_split_gso(struct fl_split *split, const struct fl_packet *packet, uint16_t gso_size)
{
	if (!gso_size || packet->hdr.flags & FL_PKT_FRAGMENT ||
	    (packet->hdr.proto != FL_IPPROTO_TCP && packet->hdr.proto != FL_IPPROTO_UDP))
		return -EINVAL;
	*split = (struct fl_split){ .packet = packet, .size = gso_size, .next = next_segment };
	return 0;
}

/* Bytes of the IPv4 header, options included. */
static size_t ip4_header_len(const struct fl_packet *p)
{
	return (p->data[0] & 15u) * 4;
}

/*
 * The header of a fragment that is not the first: options that are to be copied, padded with
 * end-of-list. Returns its length.
 */
static size_t later_header(const struct fl_packet *p, uint8_t out[IP4_HEADER_MAX])
{
	const uint8_t *opt = p->data + sizeof(struct fl_ip4);
	const uint8_t *end = p->data + ip4_header_len(p);
	size_t len = sizeof(struct fl_ip4);

	memcpy(out, p->data, len);
	while (opt < end && *opt != IPOPT_END) {
		size_t left = (size_t)(end - opt), opt_len = 1;

		if (*opt != IPOPT_NOP)
			opt_len = left < 2 ? 0 : opt[1];
		if (!opt_len || opt_len > left)
			break; /* nonsense is not passed on */
		if (*opt & IPOPT_COPIED) {
			memcpy(out + len, opt, opt_len);
			len += opt_len;
		}
		opt += opt_len;
	}
	while (len % 4)
		out[len++] = IPOPT_END;
	out[0] = (uint8_t)(4 << 4 | len / 4);
	return len;
}

static int next_fragment(struct fl_split *s, uint8_t *out, size_t room)
{
	const struct fl_packet *p = s->packet;
	const uint8_t *body = p->data + ip4_header_len(p);
	uint32_t left = (uint32_t)(p->data + p->len - body) - s->offset;
	size_t front = ip4_header_len(p), slice;
	uint8_t header[IP4_HEADER_MAX];
	struct fl_ip4 *ip = (struct fl_ip4 *)header;
	uint32_t frag;

	if (!left && s->index)
		return 0;
	if (s->index)
		front = later_header(p, header);
	else
		memcpy(header, p->data, front);
	slice = left;
	if (front + slice > s->size)
		slice = (s->size - front) & ~(size_t)7;
	if (room < front + slice)
		return -ENOSPC;
	frag = FL_HOST16(ip->frag_off) + s->offset / 8;
	if (slice < left)
		frag |= FL_IP4_MF;
	ip->frag_off = FL_BE16(frag);
	ip->tot_len = FL_BE16(front + slice);
	fl_ip4_csum_fill(ip);
	memcpy(out, header, front);
	memcpy(out + front, body + s->offset, slice);
	s->offset += (uint32_t)slice;
	s->index++;
	return (int)(front + slice);
}

int fl_split_ip4(struct fl_split *split, const struct fl_packet *packet, uint16_t mtu)
{
	if (packet->hdr.family != 4 || mtu < ip4_header_len(packet) + 8)
		return -EINVAL;
	if (packet->len > mtu && packet->hdr.flags & FL_PKT_DF)
		return -EMSGSIZE;
	*split = (struct fl_split){ .packet = packet, .size = mtu, .next = next_fragment };
	return 0;
}

/* IPv6 header, fragment header, and a part of what was behind the IPv6 header. */
static int next_fragment6(struct fl_split *s, uint8_t *out, size_t room)
{
	const size_t front = sizeof(struct fl_ip6) + sizeof(struct fl_ip6_frag);
	const struct fl_packet *p = s->packet;
	const uint8_t *body = p->data + sizeof(struct fl_ip6);
	uint32_t left = (uint32_t)(p->data + p->len - body) - s->offset;
	struct fl_ip6 *ip = (struct fl_ip6 *)(void *)out;
	struct fl_ip6_frag frag = { 0 };
	size_t slice = left;

	if (!left && s->index)
		return 0;
	if (front + slice > s->size)
		slice = (s->size - front) & ~(size_t)7;
	if (room < front + slice)
		return -ENOSPC;
	memcpy(out, p->data, sizeof(*ip));
	frag.next = ip->next;
	frag.frag_off = FL_BE16(s->offset | (slice < left));
	frag.id = FL_BE32(s->id);
	ip->next = FL_IPPROTO_FRAGMENT;
	ip->payload_len = FL_BE16(sizeof(frag) + slice);
	memcpy(out + sizeof(*ip), &frag, sizeof(frag));
	memcpy(out + front, body + s->offset, slice);
	s->offset += (uint32_t)slice;
	s->index++;
	return (int)(front + slice);
}

int fl_split_ip6(struct fl_split *split, const struct fl_packet *packet, uint16_t mtu, uint32_t id)
{
	if (packet->hdr.family != 6 || packet->hdr.l4 != sizeof(struct fl_ip6) ||
	    mtu < sizeof(struct fl_ip6) + sizeof(struct fl_ip6_frag) + 8)
		return -EINVAL;
	*split = (struct fl_split){
		.packet = packet, .size = mtu, .id = id, .next = next_fragment6
	};
	return 0;
}
