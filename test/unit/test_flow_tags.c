// SPDX-License-Identifier: Apache-2.0
/* The tags of a bucket: eight at once, by arithmetic (common/flow.h). */
#include <criterion/criterion.h>
#include <stdint.h>

#include "common/flow.h"

static uint64_t slow(uint64_t tags, uint8_t tag)
{
	uint64_t match = 0;

	for (int i = 0; i < 8; i++)
		if ((uint8_t)(tags >> (8 * i)) == tag)
			match |= 0x80ULL << (8 * i);
	return match;
}

Test(flow_tags, every_pair_of_neighbours)
{
	for (unsigned int a = 0; a < 256; a++)
		for (unsigned int b = 0; b < 256; b++) {
			uint64_t tags = a | b << 8 | (uint64_t)a << 16 | (uint64_t)b << 56;

			cr_assert_eq(fl_tags_match(tags, (uint8_t)a), slow(tags, (uint8_t)a));
			cr_assert_eq(fl_tags_match(tags, (uint8_t)b), slow(tags, (uint8_t)b));
		}
}

/* What a false match between two right ones would cost: the second is not tried any more. */
Test(flow_tags, equal_tags_around_one_that_differs_in_a_bit)
{
	uint64_t match = fl_tags_match(0x000000000000424342ULL, 0x42);

	cr_assert_eq(fl_tags_first(match), 0);
	match &= match - 1;
	cr_assert_eq(fl_tags_first(match), 2);
}
