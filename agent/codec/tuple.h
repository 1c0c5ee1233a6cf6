/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses and ports that name a flow, as a packet carries them. */
#ifndef FL_AGENT_CODEC_TUPLE_H
#define FL_AGENT_CODEC_TUPLE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * Addresses are wire bytes, an IPv4 address takes the first four and the others are zero; ports are
 * host order. There is no padding: tuples may be compared with memcmp and hashed as bytes.
 *
 * ICMP has its identifier in both ports, protocols without ports have 0 (P-04).
 */
struct fl_tuple {
	uint8_t src[16];
	uint8_t dst[16];
	uint16_t sport;
	uint16_t dport;
	uint8_t family; /* 4, 6, or 0 for none */
	uint8_t proto;
	uint16_t reserved; /* 0 */
};
_Static_assert(sizeof(struct fl_tuple) == 40, "padding in a key");

static inline bool fl_tuple_equal(const struct fl_tuple *a, const struct fl_tuple *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* The tuple of the packet that answers. */
static inline struct fl_tuple fl_tuple_reverse(const struct fl_tuple *t)
{
	struct fl_tuple r = *t;

	memcpy(r.src, t->dst, sizeof(r.src));
	memcpy(r.dst, t->src, sizeof(r.dst));
	r.sport = t->dport;
	r.dport = t->sport;
	return r;
}

#endif
