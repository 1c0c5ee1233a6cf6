// SPDX-License-Identifier: Apache-2.0
/* MOS: the triples of svr-protocol.md 5.3 and section 4, and the formula in exact arithmetic. */
#include <criterion/criterion.h>

#include "agent/path/mos.h"

static const struct {
	uint32_t latency_us, jitter_us, loss_ppm;
	uint16_t mos_x100;
} rows[] = {
	/* published, or worked out in the text */
	{ 0, 0, 0, 440 },
	{ 78000, 21000, 0, 434 },
	{ 113000, 51000, 0, 412 },
	{ 0, 0, 1000000, 100 },
	{ 150000, 30000, 10000, 405 },
	{ 31000, 5700, 20000, 426 },
	/* computed with fractions by another program: where the formula bends, and beyond */
	{ 149999, 0, 0, 432 },
	{ 150000, 0, 0, 432 },
	{ 150001, 0, 0, 432 },
	{ 10000, 0, 0, 440 },
	{ 50000, 0, 0, 438 },
	{ 100000, 0, 0, 435 },
	{ 200000, 0, 0, 417 },
	{ 250000, 0, 0, 399 },
	{ 250000, 100000, 0, 306 },
	{ 300000, 50000, 50000, 266 },
	{ 500000, 0, 0, 280 },
	{ 1000000, 0, 0, 100 },
	{ 1032000, 0, 0, 100 },
	{ 0, 10000, 0, 439 },
	{ 0, 30000, 0, 437 },
	{ 0, 75000, 0, 432 },
	{ 0, 100000, 0, 417 },
	{ 20000, 2000, 5000, 437 },
	{ 20000, 2000, 10000, 434 },
	{ 20000, 2000, 50000, 402 },
	{ 20000, 2000, 100000, 347 },
	{ 20000, 2000, 200000, 218 },
	{ 20000, 2000, 300000, 118 },
	{ 20000, 2000, 371000, 100 },
	{ UINT32_MAX, UINT32_MAX, 0, 100 },
	{ 0, 0, UINT32_MAX, 100 },
	{ 1, 1, 1, 440 },
};

Test(mos, table)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint16_t mos = fl_mos_x100(rows[i].latency_us, rows[i].jitter_us, rows[i].loss_ppm);

		cr_assert_eq(mos, rows[i].mos_x100, "row %zu: %u", i, mos);
	}
}

/* Worse never counts as better, and nothing leaves the range. */
Test(mos, monotonic)
{
	for (uint32_t latency = 0; latency < 600000; latency += 7000)
		for (uint32_t jitter = 0; jitter < 150000; jitter += 11000)
			for (uint32_t loss = 0; loss < 400000; loss += 9000) {
				uint16_t mos = fl_mos_x100(latency, jitter, loss);

				cr_assert(mos >= FL_MOS_MIN && mos <= FL_MOS_MAX);
				cr_assert_leq(fl_mos_x100(latency + 7000, jitter, loss), mos);
				cr_assert_leq(fl_mos_x100(latency, jitter + 11000, loss), mos);
				cr_assert_leq(fl_mos_x100(latency, jitter, loss + 9000), mos);
			}
}

Test(mos, needs_all_three)
{
	for (uint8_t has = 0; has <= FL_QUALITY_ALL; has++) {
		const struct fl_quality q = { .has = has };

		cr_assert_eq(fl_mos_of(&q), has == FL_QUALITY_ALL ? 440 : 0);
	}
}
