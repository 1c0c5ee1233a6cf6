// SPDX-License-Identifier: Apache-2.0
/* UTF-8: see utf8.h. */
#include "agent/codec/utf8.h"

#include <stdint.h>

/*
 * Continuation bytes behind a lead byte, or -1; @low and @high are the range of the first of them,
 * which is narrower where the full one would allow an overlong form, a surrogate, or too much (RFC
 * 3629 section 4).
 */
static int tail_len(uint8_t lead, uint8_t *low, uint8_t *high)
{
	*low = 0x80;
	*high = 0xbf;
	if (lead < 0x80)
		return lead ? 0 : -1;
	if (lead < 0xc2 || lead > 0xf4)
		return -1;
	if (lead < 0xe0)
		return 1;
	if (lead == 0xe0)
		*low = 0xa0;
	if (lead == 0xed)
		*high = 0x9f;
	if (lead == 0xf0)
		*low = 0x90;
	if (lead == 0xf4)
		*high = 0x8f;
	return lead < 0xf0 ? 2 : 3;
}

bool fl_utf8_is_name(const char *s, size_t len)
{
	const uint8_t *p = (const uint8_t *)s, *end;

	/* Nothing is a name too, and may have no address. */
	if (!len)
		return true;
	end = p + len;
	while (p < end) {
		uint8_t low, high;
		int tail = tail_len(*p++, &low, &high);

		if (tail < 0 || end - p < tail)
			return false;
		for (int i = 0; i < tail; i++, p++) {
			if (*p < low || *p > high)
				return false;
			low = 0x80;
			high = 0xbf;
		}
	}
	return true;
}
