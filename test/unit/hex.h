/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes in tests are written as hex, with spaces where they help the eye. */
#ifndef FL_TEST_UNIT_HEX_H
#define FL_TEST_UNIT_HEX_H

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

static inline int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes of @text into @out of @room; how many. */
static inline size_t hex_bytes(const char *text, uint8_t *out, size_t room)
{
	size_t n = 0;

	for (; *text; text++) {
		if (*text == ' ')
			continue;
		assert(hex_digit(text[0]) >= 0 && hex_digit(text[1]) >= 0 && n < room);
		out[n++] = (uint8_t)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
		text++;
	}
	return n;
}

static inline const char *hex_text(const uint8_t *data, size_t len)
{
	static char text[2 * 4096 + 1];

	text[0] = 0;
	for (size_t i = 0; i < len && i < 4096; i++)
		snprintf(text + 2 * i, 3, "%02x", data[i]);
	return text;
}

/* Fail unless @data is what the hex @want says. */
#define assert_hex(data, len, want, ...)                                                           \
	do {                                                                                       \
		uint8_t want_[4096];                                                               \
		size_t want_len_ = hex_bytes(want, want_, sizeof(want_));                          \
		cr_assert((size_t)(len) == want_len_ && !memcmp(data, want_, want_len_),           \
			  "got %s, want %s", hex_text(data, (size_t)(len)), want);                 \
	} while (0)

#endif
