// SPDX-License-Identifier: Apache-2.0
/* Which addresses are out on the Internet: part of http.h. Pure. */
#include <string.h>

#include "agent/zoom/http.h"

/* What IANA's registries of special addresses keep off the Internet. */
static const char *const special[] = {
	"0.0.0.0/8",       "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",    "169.254.0.0/16",
	"172.16.0.0/12",   "192.0.0.0/24",   "192.0.2.0/24",  "192.168.0.0/16", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",   "240.0.0.0/4",    "::/128",
	"::1/128",         "64:ff9b:1::/48", "100::/64",      "2001:db8::/32",  "fc00::/7",
	"fe80::/10",       "ff00::/8",
};

/* The IPv4 address inside: mapped, NAT64, 6to4. Return: false if there is none. */
static bool inner(const struct fl_addr *addr, struct fl_addr *ret_v4)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t nat64[12] = { 0, 0x64, 0xff, 0x9b };

	if (!memcmp(addr->b, mapped, 12) || !memcmp(addr->b, nat64, 12))
		*ret_v4 = fl_addr_from(4, addr->b + 12);
	else if (addr->b[0] == 0x20 && addr->b[1] == 0x02)
		*ret_v4 = fl_addr_from(4, addr->b + 2);
	else
		return false;
	return true;
}

bool fl_zoom_http_is_public(const struct fl_addr *addr)
{
	struct fl_addr v4;

	if (addr->family != 4 && addr->family != 6)
		return false;
	if (addr->family == 6 && inner(addr, &v4))
		return fl_zoom_http_is_public(&v4);
	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++) {
		struct fl_prefix prefix;

		if (!fl_prefix_parse(special[i], &prefix) && fl_prefix_contains(&prefix, addr))
			return false;
	}
	return true;
}
