// SPDX-License-Identifier: Apache-2.0
/* Addresses and prefixes: see addr.h. */
#include "agent/base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int fl_addr_parse(const char *text, struct fl_addr *ret_addr)
{
	struct fl_addr addr = { .family = 4 };

	if (inet_pton(AF_INET, text, addr.b) == 1) {
		*ret_addr = addr;
		return 0;
	}
	addr = (struct fl_addr){ .family = 6 };
	if (inet_pton(AF_INET6, text, addr.b) != 1)
		return -EINVAL;
	*ret_addr = addr;
	return 0;
}

struct fl_addr fl_addr_from(uint8_t family, const uint8_t *bytes)
{
	struct fl_addr addr = { .family = family };

	memcpy(addr.b, bytes, fl_addr_size(family));
	return addr;
}

const char *fl_addr_format(const struct fl_addr *addr, char buf[FL_ADDR_TEXT])
{
	if (!addr->family ||
	    !inet_ntop(addr->family == 6 ? AF_INET6 : AF_INET, addr->b, buf, FL_ADDR_TEXT)) {
		buf[0] = '-';
		buf[1] = 0;
	}
	return buf;
}

bool fl_addr_equal(const struct fl_addr *a, const struct fl_addr *b)
{
	return a->family == b->family && !memcmp(a->b, b->b, sizeof(a->b));
}

/* Does @addr equal @net in its first @len bits? */
static bool bits_equal(const uint8_t *addr, const uint8_t *net, unsigned int len)
{
	unsigned int whole = len / 8, rest = len % 8;

	if (memcmp(addr, net, whole))
		return false;
	return !rest || !((addr[whole] ^ net[whole]) >> (8 - rest));
}

int fl_prefix_parse(const char *text, struct fl_prefix *ret_prefix)
{
	char addr[FL_ADDR_TEXT], *slash, *end;
	struct fl_prefix prefix = { 0 };
	unsigned long len, max;

	if (strlen(text) >= sizeof(addr) + 4)
		return -EINVAL;
	slash = strchr(text, '/');
	snprintf(addr, sizeof(addr), "%.*s", slash ? (int)(slash - text) : (int)sizeof(addr), text);
	if (fl_addr_parse(addr, &prefix.addr) < 0)
		return -EINVAL;
	max = prefix.addr.family == 6 ? 128 : 32;
	len = max;
	if (slash) {
		if (slash[1] < '0' || slash[1] > '9')
			return -EINVAL;
		len = strtoul(slash + 1, &end, 10);
		if (*end || len > max)
			return -EINVAL;
	}
	prefix.len = (uint8_t)len;
	for (unsigned int bit = prefix.len; bit < max; bit++)
		if (prefix.addr.b[bit / 8] & (0x80u >> bit % 8))
			return -ERANGE;
	*ret_prefix = prefix;
	return 0;
}

const char *fl_prefix_format(const struct fl_prefix *prefix, char buf[FL_PREFIX_TEXT])
{
	char addr[FL_ADDR_TEXT];

	snprintf(buf, FL_PREFIX_TEXT, "%s/%u", fl_addr_format(&prefix->addr, addr), prefix->len);
	return buf;
}

bool fl_prefix_contains(const struct fl_prefix *prefix, const struct fl_addr *addr)
{
	return prefix->addr.family == addr->family &&
	       bits_equal(addr->b, prefix->addr.b, prefix->len);
}
