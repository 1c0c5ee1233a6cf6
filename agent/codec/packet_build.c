// SPDX-License-Identifier: Apache-2.0
/* IP and UDP headers, TCP resets, MSS: see packet_build.h. */
#include "agent/codec/packet_build.h"

#include <errno.h>
#include <string.h>

#include "common/csum.h"

#include "agent/base/buf.h"

#define TCPOPT_END 0
#define TCPOPT_NOP 1
#define TCPOPT_MSS 2

static void put_ip4(uint8_t *out, const struct fl_ip_spec *spec, size_t l4_len)
{
	struct fl_ip4 *ip = (struct fl_ip4 *)out;

	*ip = (struct fl_ip4){
		.ver_ihl = 0x45,
		.tos = spec->tos,
		.tot_len = FL_BE16(sizeof(*ip) + l4_len),
		.id = FL_BE16(spec->id),
		.frag_off = spec->df ? FL_BE16(FL_IP4_DF) : 0,
		.ttl = spec->ttl,
		.proto = spec->tuple.proto,
	};
	memcpy(out + offsetof(struct fl_ip4, src), spec->tuple.src, 4);
	memcpy(out + offsetof(struct fl_ip4, dst), spec->tuple.dst, 4);
	fl_ip4_csum_fill(ip);
}

static void put_ip6(uint8_t *out, const struct fl_ip_spec *spec, size_t l4_len)
{
	struct fl_ip6 *ip = (struct fl_ip6 *)out;

	ip->ver_tc_flow =
		FL_BE32(6u << 28 | (uint32_t)spec->tos << 20 | (spec->flow_label & 0xfffff));
	ip->payload_len = FL_BE16(l4_len);
	ip->next = spec->tuple.proto;
	ip->hop_limit = spec->ttl;
	memcpy(ip->src, spec->tuple.src, 16);
	memcpy(ip->dst, spec->tuple.dst, 16);
}

void fl_packet_put_ip(uint8_t *out, const struct fl_ip_spec *spec, size_t l4_len)
{
	if (spec->tuple.family == 6)
		put_ip6(out, spec, l4_len);
	else
		put_ip4(out, spec, l4_len);
}

void fl_packet_put_udp(uint8_t *out, uint16_t sport, uint16_t dport, size_t payload_len)
{
	*(struct fl_udp *)out = (struct fl_udp){
		.src = FL_BE16(sport),
		.dst = FL_BE16(dport),
		.len = FL_BE16(sizeof(struct fl_udp) + payload_len),
	};
}

/* Layer 4 checksum of a packet that was just made. */
static int finish(uint8_t *out, size_t len)
{
	struct fl_packet p;

	if (fl_packet_parse(out, len, &p) < 0)
		return -EINVAL;
	fl_packet_csum_fill(&p);
	return (int)len;
}

int fl_packet_build_udp(const struct fl_ip_spec *spec, const void *payload, size_t len,
			uint8_t *out, size_t room)
{
	size_t ip_len = fl_ip_header_len(spec->tuple.family);
	size_t front = ip_len + sizeof(struct fl_udp);
	struct fl_ip_spec udp = *spec;

	if (len > UINT16_MAX - front)
		return -EMSGSIZE;
	if (room < front + len)
		return -ENOSPC;
	udp.tuple.proto = FL_IPPROTO_UDP;
	if (len && payload != out + front)
		memmove(out + front, payload, len);
	fl_packet_put_ip(out, &udp, front - ip_len + len);
	fl_packet_put_udp(out + ip_len, spec->tuple.sport, spec->tuple.dport, len);
	return finish(out, front + len);
}

/* TOS or traffic class of a packet. */
static uint8_t packet_tos(const struct fl_packet *p)
{
	if (p->hdr.family == 6)
		return (uint8_t)((p->data[0] << 4 | p->data[1] >> 4) & 0xff);
	return p->data[1];
}

int fl_packet_build_rst(const struct fl_packet *offending, uint8_t *out, size_t room)
{
	const struct fl_tcp *in = (const struct fl_tcp *)offending->l4;
	size_t ip_len = fl_ip_header_len(offending->hdr.family);
	uint8_t flags = offending->hdr.tcp_flags;
	struct fl_ip_spec spec = { .ttl = FL_TTL_DEFAULT, .df = true };
	struct fl_tcp *tcp = (struct fl_tcp *)(out + ip_len);
	struct fl_tuple t;

	if (offending->hdr.proto != FL_IPPROTO_TCP || flags & FL_TH_RST ||
	    !fl_packet_tuple(offending, &t))
		return 0;
	if (room < ip_len + sizeof(*tcp))
		return -ENOSPC;
	spec.tuple = fl_tuple_reverse(&t);
	spec.tos = packet_tos(offending) & 0xfc; /* without ECN: RFC 3168 6.1.1 */
	fl_packet_put_ip(out, &spec, sizeof(*tcp));
	*tcp = (struct fl_tcp){
		.src = FL_BE16(t.dport),
		.dst = FL_BE16(t.sport),
		.doff = sizeof(*tcp) / 4 << 4,
		.flags = FL_TH_RST,
	};
	if (flags & FL_TH_ACK) {
		tcp->seq = in->ack;
	} else {
		uint32_t seg_len =
			offending->payload_len + !!(flags & FL_TH_SYN) + !!(flags & FL_TH_FIN);

		tcp->ack = FL_BE32(FL_HOST32(in->seq) + seg_len);
		tcp->flags |= FL_TH_ACK;
	}
	return finish(out, ip_len + sizeof(*tcp));
}

/* The MSS option's value in the TCP options, or NULL. */
static uint8_t *find_mss(const struct fl_packet *p)
{
	uint8_t *opt = p->l4 + sizeof(struct fl_tcp);

	while (opt < p->payload && opt[0] != TCPOPT_END) {
		if (opt[0] == TCPOPT_NOP) {
			opt++;
			continue;
		}
		if (p->payload - opt < 2 || opt[1] < 2 || opt[1] > p->payload - opt)
			return NULL;
		if (opt[0] == TCPOPT_MSS)
			return opt[1] == 4 ? opt + 2 : NULL;
		opt += opt[1];
	}
	return NULL;
}

bool fl_packet_clamp_mss(struct fl_packet *p, uint16_t mss)
{
	enum fl_csum_state state;
	struct fl_tcp *tcp;
	uint16_t old;
	uint8_t *at;

	if (p->hdr.proto != FL_IPPROTO_TCP || fl_packet_is_later_fragment(p) ||
	    !(p->hdr.tcp_flags & FL_TH_SYN))
		return false;
	at = find_mss(p);
	if (!at)
		return false;
	old = (uint16_t)(at[0] << 8 | at[1]);
	if (old <= mss)
		return false;
	state = fl_packet_csum_state(p);
	fl_put_u16(at, mss);
	tcp = (struct fl_tcp *)p->l4;
	if (state != FL_CSUM_PARTIAL) {
		uint16_t delta = fl_csum_sub((uint16_t)FL_BE16(mss), (uint16_t)FL_BE16(old));

		/* At an odd place its bytes are in two words, the other way round. */
		if ((at - p->l4) & 1)
			delta = (uint16_t)(delta << 8 | delta >> 8);
		tcp->check = (__be16)fl_csum_update((uint16_t)tcp->check, delta);
	}
	return true;
}
