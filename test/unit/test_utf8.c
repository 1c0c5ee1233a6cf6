// SPDX-License-Identifier: Apache-2.0
/* UTF-8: every sequence of up to three bytes, and every code point, against a plain definition. */
#include <criterion/criterion.h>
#include <stdint.h>

#include "agent/codec/utf8.h"

/* RFC 3629 section 3, encoding: bytes of @cp at @out. */
static size_t encode(uint32_t cp, char *out)
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 63));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 63));
		out[2] = (char)(0x80 | (cp & 63));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 63));
	out[2] = (char)(0x80 | (cp >> 6 & 63));
	out[3] = (char)(0x80 | (cp & 63));
	return 4;
}

Test(utf8, every_code_point)
{
	char s[4];

	for (uint32_t cp = 0; cp < 0x1fffff; cp++) {
		bool want = cp && cp < 0x110000 && (cp < 0xd800 || cp > 0xdfff);
		size_t len = encode(cp, s);

		cr_assert_eq(fl_utf8_is_name(s, len), want, "U+%04X", cp);
		if (len > 1)
			cr_assert_not(fl_utf8_is_name(s, len - 1), "U+%04X cut", cp);
	}
}

/* A sequence of n bytes is good if it is made of encodings and nothing else: count them. */
Test(utf8, count_of_good_sequences)
{
	const unsigned long one = 0x7f, two = 0x800 - 0x80, three = 0x10000 - 0x800 - 0x800;
	unsigned long good[4] = { 0 };
	char s[3];

	for (uint32_t v = 0; v < 1 << 24; v++) {
		s[0] = (char)(v >> 16);
		s[1] = (char)(v >> 8);
		s[2] = (char)v;
		good[3] += fl_utf8_is_name(s, 3);
		if (!(v & 0xff))
			good[2] += fl_utf8_is_name(s, 2);
		if (!(v & 0xffff))
			good[1] += fl_utf8_is_name(s, 1);
	}
	cr_assert_eq(good[1], one);
	cr_assert_eq(good[2], one * one + two);
	cr_assert_eq(good[3], one * one * one + 2 * one * two + three);
}

Test(utf8, nothing_is_a_name)
{
	cr_assert(fl_utf8_is_name(NULL, 0));
}
