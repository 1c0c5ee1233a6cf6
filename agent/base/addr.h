/* SPDX-License-Identifier: Apache-2.0 */
/* IP addresses and prefixes of both families, as bytes on the wire, and their text. */
#ifndef FL_AGENT_BASE_ADDR_H
#define FL_AGENT_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* IPv4 takes the first four bytes, the others are zero: structs may be compared with memcmp. */
struct fl_addr {
	uint8_t b[16];
	uint8_t family; /* 4, 6, or 0 for none */
};

struct fl_prefix {
	struct fl_addr addr; /* host bits zero */
	uint8_t len;         /* bits, 0..32 or 0..128 */
};

#define FL_ADDR_TEXT   46 /* INET6_ADDRSTRLEN */
#define FL_PREFIX_TEXT (FL_ADDR_TEXT + 4)

/* Bytes of an address of @family. */
static inline size_t fl_addr_size(uint8_t family)
{
	return family == 6 ? 16 : 4;
}

/**
 * fl_addr_parse() - address from text
 *
 * Return: 0, or -EINVAL; *ret_addr is written only on success.
 */
int fl_addr_parse(const char *text, struct fl_addr *ret_addr);

/* Address of @family from wire bytes. */
struct fl_addr fl_addr_from(uint8_t family, const uint8_t *bytes);

/* Text of an address into @buf, which is returned; "-" for none. */
const char *fl_addr_format(const struct fl_addr *addr, char buf[FL_ADDR_TEXT]);

bool fl_addr_equal(const struct fl_addr *a, const struct fl_addr *b);

/**
 * fl_prefix_parse() - prefix from "address/length"; an address alone is a host
 *
 * Return: 0, -EINVAL for what is no prefix, -ERANGE if host bits are set.
 */
int fl_prefix_parse(const char *text, struct fl_prefix *ret_prefix);

const char *fl_prefix_format(const struct fl_prefix *prefix, char buf[FL_PREFIX_TEXT]);

bool fl_prefix_contains(const struct fl_prefix *prefix, const struct fl_addr *addr);

#endif
