// SPDX-License-Identifier: Apache-2.0
/* ICMP errors: see packet_build.h. */
#include "agent/codec/packet_build.h"

#include <errno.h>
#include <string.h>

#define ICMP6_REDIRECT 137

/* Type and code of each kind: RFC 792, RFC 1812 5.2.7.1, RFC 4443 3. */
struct icmp_code {
	uint8_t type;
	uint8_t code;
};

static const struct icmp_code codes4[FL_ICMP_KIND_MAX] = {
	[FL_ICMP_TTL_EXPIRED] = { FL_ICMP4_TIME_EXCEEDED, 0 },
	[FL_ICMP_TOO_BIG] = { FL_ICMP4_UNREACH, FL_ICMP4_CODE_FRAG_NEEDED },
	[FL_ICMP_NO_ROUTE] = { FL_ICMP4_UNREACH, 0 },
	[FL_ICMP_NO_HOST] = { FL_ICMP4_UNREACH, 1 },
	[FL_ICMP_NO_PORT] = { FL_ICMP4_UNREACH, 3 },
	[FL_ICMP_PROHIBITED] = { FL_ICMP4_UNREACH, 13 },
};

static const struct icmp_code codes6[FL_ICMP_KIND_MAX] = {
	[FL_ICMP_TTL_EXPIRED] = { FL_ICMP6_TIME_EXCEEDED, 0 },
	[FL_ICMP_TOO_BIG] = { FL_ICMP6_PACKET_TOO_BIG, 0 },
	[FL_ICMP_NO_ROUTE] = { FL_ICMP6_UNREACH, 0 },
	[FL_ICMP_NO_HOST] = { FL_ICMP6_UNREACH, 3 },
	[FL_ICMP_NO_PORT] = { FL_ICMP6_UNREACH, 4 },
	[FL_ICMP_PROHIBITED] = { FL_ICMP6_UNREACH, 1 },
};

/* Could errors be sent to this source? RFC 1812 4.3.2.7: not if it is not one host's address. */
static bool is_one_host(const uint8_t *addr, uint8_t family)
{
	static const uint8_t zero[15];

	if (family == 6) {
		bool special = !memcmp(addr, zero, 15) && addr[15] <= 1; /* ::, ::1 */

		return !special && addr[0] != 0xff;
	}
	return addr[0] != 0 && addr[0] != 127 && addr[0] < 224;
}

/* A group's or everybody's address. */
static bool is_multicast(const uint8_t *addr, uint8_t family)
{
	return family == 6 ? addr[0] == 0xff : addr[0] >= 224;
}

/* RFC 1812 4.3.2.7; RFC 4443 2.4 (e). */
static bool may_answer(const struct fl_packet *about, enum fl_icmp_kind kind)
{
	uint8_t family = about->hdr.family;
	size_t src = family == 6 ? offsetof(struct fl_ip6, src) : offsetof(struct fl_ip4, src);
	const uint8_t *dst = about->data + src + (family == 6 ? 16 : 4);

	if (fl_packet_is_later_fragment(about) || about->hdr.flags & FL_PKT_ICMP_ERROR)
		return false;
	if (family == 6 && about->hdr.proto == FL_IPPROTO_ICMPV6 &&
	    about->hdr.icmp_type == ICMP6_REDIRECT)
		return false;
	if (!is_one_host(about->data + src, family))
		return false;
	/* Path MTU discovery works for IPv6 multicast: RFC 4443 2.4 (e.3). */
	return !is_multicast(dst, family) || (family == 6 && kind == FL_ICMP_TOO_BIG);
}

/* The ICMP header; what is the identifier and sequence of an echo holds the MTU here. */
static void put_icmp(uint8_t *out, uint8_t family, const struct fl_icmp_error *error)
{
	const struct icmp_code *code = &(family == 6 ? codes6 : codes4)[error->kind];

	*(struct fl_icmp *)out = (struct fl_icmp){
		.type = code->type,
		.code = code->code,
		/* IPv4: 16 bits behind an unused half-word (RFC 1191 4); IPv6: 32 bits. */
		.seq = error->kind == FL_ICMP_TOO_BIG ? FL_BE16(error->mtu) : 0,
	};
}

int fl_packet_build_icmp_error(const struct fl_packet *about, const struct fl_icmp_error *error,
			       uint8_t *out, size_t room)
{
	uint8_t family = about->hdr.family;
	size_t front = fl_ip_header_len(family) + sizeof(struct fl_icmp);
	size_t max = family == 6 ? FL_ICMP6_ERROR_MAX : FL_ICMP4_ERROR_MAX;
	size_t quote = about->len < max - front ? about->len : max - front;
	struct fl_ip_spec spec = { .ttl = FL_TTL_DEFAULT, .df = true };
	struct fl_packet p;

	if (error->from.family != family)
		return -EINVAL;
	if (!may_answer(about, error->kind))
		return 0;
	if (room < front + quote)
		return -ENOSPC;
	spec.tuple.family = family;
	spec.tuple.proto = family == 6 ? FL_IPPROTO_ICMPV6 : FL_IPPROTO_ICMP;
	memcpy(spec.tuple.src, error->from.b, sizeof(spec.tuple.src));
	if (family == 6) {
		memcpy(spec.tuple.dst, about->data + offsetof(struct fl_ip6, src), 16);
	} else {
		memcpy(spec.tuple.dst, about->data + offsetof(struct fl_ip4, src), 4);
		/* RFC 1812 4.3.2.5: TOS of the packet, precedence of control traffic. */
		spec.tos = (about->data[1] & 0x1e) | 0xc0;
	}
	fl_packet_put_ip(out, &spec, front - fl_ip_header_len(family) + quote);
	put_icmp(out + fl_ip_header_len(family), family, error);
	memcpy(out + front, about->data, quote);
	if (fl_packet_parse(out, front + quote, &p) < 0)
		return -EINVAL;
	fl_packet_csum_fill(&p);
	return (int)(front + quote);
}
