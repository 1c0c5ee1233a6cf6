/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets for tests, put together byte by byte, and checksums the slow way (RFC 1071, in host
 * order): nothing of the code under test is used to make what it is compared with.
 */
#ifndef FL_TEST_UNIT_PKT_H
#define FL_TEST_UNIT_PKT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/codec/packet.h"

struct pkt {
	uint8_t b[66000];
	size_t len;
	size_t l4;
};

static inline void be16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void be32(uint8_t *p, uint32_t v)
{
	be16(p, v >> 16);
	be16(p + 2, v & 0xffff);
}

static inline unsigned int get16(const uint8_t *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

static inline uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* Ones' complement sum, most significant byte first, on top of @sum; not complemented. */
static inline unsigned int slow_sum(const uint8_t *p, size_t len, unsigned int sum)
{
	for (size_t i = 0; i < len; i++) {
		sum += i & 1 ? p[i] : (unsigned int)p[i] << 8;
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return sum;
}

/* Sum of the pseudo-header of @p, layer 4 at @l4 with @len bytes. */
static inline unsigned int slow_pseudo(const uint8_t *p, size_t len, uint8_t proto)
{
	uint8_t rest[4] = { 0, proto, (uint8_t)(len >> 8), (uint8_t)len };
	unsigned int sum = p[0] >> 4 == 6 ? slow_sum(p + 8, 32, 0) : slow_sum(p + 12, 8, 0);

	return slow_sum(rest, 4, sum);
}

/* Write the checksum at @at of layer 4; @pseudo 0 for ICMP. */
static inline void slow_fill(struct pkt *k, size_t at, unsigned int pseudo)
{
	unsigned int sum;

	be16(k->b + k->l4 + at, 0);
	sum = 0xffff - slow_sum(k->b + k->l4, k->len - k->l4, pseudo);
	be16(k->b + k->l4 + at, sum ? sum : 0xffff);
}

#define P6A                                                                                        \
	{                                                                                          \
		0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5                         \
	}
#define P6B                                                                                        \
	{                                                                                          \
		0x20, 0x01, 0x0d, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 53                        \
	}

/* An IP header from 10.1.0.5 to 10.2.0.53 or 2001:db8:1::5 to 2001:db8:2::35, @l4_len to follow. */
static inline void put_ip(struct pkt *k, int family, uint8_t proto, size_t l4_len)
{
	static const uint8_t v6[2][16] = { P6A, P6B };
	uint8_t *b = k->b;

	memset(b, 0, 40);
	k->l4 = family == 6 ? 40 : 20;
	k->len = k->l4 + l4_len;
	if (family == 6) {
		b[0] = 0x60;
		be16(b + 4, (unsigned int)l4_len);
		b[6] = proto;
		b[7] = 61;
		memcpy(b + 8, v6, 32);
		return;
	}
	b[0] = 0x45;
	be16(b + 2, (unsigned int)k->len);
	be16(b + 4, 0x1234);
	b[8] = 61;
	b[9] = proto;
	memcpy(b + 12, "\x0a\x01\x00\x05\x0a\x02\x00\x35", 8);
	be16(b + 10, 0xffff - slow_sum(b, 20, 0));
}

static inline void put_payload(struct pkt *k, size_t at)
{
	for (size_t i = at; i < k->len; i++)
		k->b[i] = (uint8_t)((i - at) * 7 + ((i - at) >> 8));
}

static inline struct pkt *new_udp(int family, size_t len)
{
	struct pkt *k = calloc(1, sizeof(*k));

	put_ip(k, family, 17, 8 + len);
	be16(k->b + k->l4, 40000);
	be16(k->b + k->l4 + 2, 53);
	be16(k->b + k->l4 + 4, (unsigned int)(8 + len));
	put_payload(k, k->l4 + 8);
	slow_fill(k, 6, slow_pseudo(k->b, 8 + len, 17));
	return k;
}

/* TCP with options of @opt_len bytes (a multiple of 4). */
static inline struct pkt *new_tcp_opt(int family, uint8_t flags, const void *opt, size_t opt_len,
				      size_t len)
{
	struct pkt *k = calloc(1, sizeof(*k));
	uint8_t *t;

	put_ip(k, family, 6, 20 + opt_len + len);
	t = k->b + k->l4;
	be16(t, 40000);
	be16(t + 2, 443);
	be32(t + 4, 0x11111111);
	be32(t + 8, 0x22222222);
	t[12] = (uint8_t)((20 + opt_len) / 4 << 4);
	t[13] = flags;
	be16(t + 14, 0x7210);
	if (opt_len)
		memcpy(t + 20, opt, opt_len);
	put_payload(k, k->l4 + 20 + opt_len);
	slow_fill(k, 16, slow_pseudo(k->b, 20 + opt_len + len, 6));
	return k;
}

static inline struct pkt *new_tcp(int family, uint8_t flags, size_t len)
{
	return new_tcp_opt(family, flags, NULL, 0, len);
}

/* ICMP or ICMPv6 of any type; identifier 0xbeef where it has one. */
static inline struct pkt *new_icmp(int family, uint8_t type, uint8_t code, size_t len)
{
	struct pkt *k = calloc(1, sizeof(*k));

	put_ip(k, family, family == 6 ? 58 : 1, 8 + len);
	k->b[k->l4] = type;
	k->b[k->l4 + 1] = code;
	be16(k->b + k->l4 + 4, 0xbeef);
	be16(k->b + k->l4 + 6, 1);
	put_payload(k, k->l4 + 8);
	slow_fill(k, 2, family == 6 ? slow_pseudo(k->b, 8 + len, 58) : 0);
	return k;
}

/* Are all checksums of this packet (without options or extension headers) right? */
static inline bool slow_ok(const uint8_t *b, size_t len)
{
	bool v6 = b[0] >> 4 == 6;
	size_t l4 = v6 ? 40 : (b[0] & 15u) * 4;
	uint8_t proto = v6 ? b[6] : b[9];
	unsigned int pseudo = proto == 1 ? 0 : slow_pseudo(b, len - l4, proto);

	if (len != (v6 ? 40 + get16(b + 4) : get16(b + 2)))
		return false;
	if (!v6 && slow_sum(b, l4, 0) != 0xffff)
		return false;
	return slow_sum(b + l4, len - l4, pseudo) == 0xffff;
}

#endif
