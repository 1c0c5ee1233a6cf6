// SPDX-License-Identifier: Apache-2.0
/* The queue against what it says: first in, first out, and what is ahead, across chunks. */
#include <criterion/criterion.h>

#include "agent/base/fifo.h"

#define ITEMS 30000 /* more than three chunks of four bytes each */

static void must_be_at(const struct fl_fifo *fifo, size_t n, uint32_t want)
{
	const uint32_t *item = fl_fifo_ahead(fifo, n);

	/* It need not be found, but what is found is it. */
	if (item)
		cr_assert_eq(*item, want, "%zu ahead: %u, not %u", n, *item, want);
}

Test(fifo, order_and_what_is_ahead)
{
	uint32_t pushed = 0, popped = 0;
	struct fl_fifo fifo;

	fl_fifo_init(&fifo, sizeof(uint32_t));
	cr_assert_null(fl_fifo_peek(&fifo));
	cr_assert_null(fl_fifo_ahead(&fifo, 0));
	/* Three in, two out, then all out: the head passes every place of several chunks. */
	while (pushed < ITEMS || popped < pushed) {
		for (int i = 0; i < 3 && pushed < ITEMS; i++, pushed++)
			cr_assert_eq(fl_fifo_push(&fifo, &pushed), 0);
		for (int i = 0; i < 2 && popped < pushed; i++, popped++) {
			cr_assert_eq(*(const uint32_t *)fl_fifo_peek(&fifo), popped);
			cr_assert_eq(*(const uint32_t *)fl_fifo_ahead(&fifo, 0), popped);
			must_be_at(&fifo, 1, popped + 1);
			must_be_at(&fifo, 8, popped + 8);
			must_be_at(&fifo, 8000, popped + 8000);
			must_be_at(&fifo, 16000, popped + 16000);
			cr_assert_null(fl_fifo_ahead(&fifo, pushed - popped));
			fl_fifo_pop(&fifo);
		}
		cr_assert_eq(fifo.count, pushed - popped);
	}
	cr_assert_null(fl_fifo_peek(&fifo));
	fl_fifo_pop(&fifo);
	fl_fifo_done(&fifo);
}

/* Soon ones are always found, or little would be fetched in time. */
Test(fifo, soon_ones_are_found)
{
	struct fl_fifo fifo;

	fl_fifo_init(&fifo, sizeof(uint32_t));
	for (uint32_t i = 0; i < ITEMS; i++)
		cr_assert_eq(fl_fifo_push(&fifo, &i), 0);
	for (uint32_t i = 0; i + 8 < ITEMS; i++) {
		const uint32_t *item = fl_fifo_ahead(&fifo, 8);

		cr_assert(item && *item == i + 8, "8 ahead of %u", i);
		fl_fifo_pop(&fifo);
	}
	fl_fifo_done(&fifo);
}
