// SPDX-License-Identifier: Apache-2.0
/* Link tests: bursts, what they measure, and the rolling mean. */
#include <errno.h>

#include <criterion/criterion.h>

#include "agent/path/echo.h"

#define MS FL_NS_PER_MS

static const struct fl_echo_cfg cfg = FL_ECHO_CFG_DEFAULT;

static struct fl_mono at_ms(uint64_t ms)
{
	return (struct fl_mono){ (50000 + ms) * MS };
}

/* --- bursts ----------------------------------------------------------------------------------- */

#define DAY_MS 86400000

/* Round trips of a burst's packets in ms, -1: lost; and what they are to amount to. */
static const struct {
	const char *what;
	uint8_t length;
	int rtt_ms[10];
	struct fl_quality want;
	uint64_t over_ms;     /* when the result is there */
	uint32_t interval_ms; /* between tests */
} bursts[] = {
	{ "all the same",
	  10,
	  { 60, 60, 60, 60, 60, 60, 60, 60, 60, 60 },
	  { 30000, 0, 0, FL_QUALITY_ALL },
	  180 + 60,
	  DAY_MS },
	{ "jitter", 4, { 60, 66, 59, 63 }, { 31000, 5666, 0, FL_QUALITY_ALL }, 60 + 63, DAY_MS },
	{ "one lost",
	  10,
	  { 60, 60, 60, -1, 70, 70, 70, 70, 70, 70 },
	  { 33333, 1250, 100000, FL_QUALITY_ALL },
	  180 + 3000,
	  DAY_MS },
	{ "first and last lost",
	  4,
	  { -1, 40, 42, -1 },
	  { 20500, 2000, 500000, FL_QUALITY_ALL },
	  60 + 3000,
	  DAY_MS },
	{ "one came back",
	  5,
	  { -1, -1, 20, -1, -1 },
	  { 10000, 0, 800000, FL_QUALITY_LOSS | FL_QUALITY_LATENCY },
	  80 + 3000,
	  DAY_MS },
	{ "none came back",
	  5,
	  { -1, -1, -1, -1, -1 },
	  { 0, 0, 1000000, FL_QUALITY_LOSS },
	  80 + 3000,
	  DAY_MS },
	{ "one, and back",
	  1,
	  { 8 },
	  { 4000, 0, 0, FL_QUALITY_LOSS | FL_QUALITY_LATENCY },
	  8,
	  DAY_MS },
	{ "reordered", 3, { 50, 20, 5 }, { 12500, 22500, 0, FL_QUALITY_ALL }, 50, DAY_MS },
	{ "just in time", 2, { 3019, 1 }, { 755000, 3018000, 0, FL_QUALITY_ALL }, 3019, DAY_MS },
	{ "too late",
	  2,
	  { 3021, 1 },
	  { 500, 0, 500000, FL_QUALITY_LOSS | FL_QUALITY_LATENCY },
	  3020,
	  DAY_MS },
	{ "every second: one lost",
	  4,
	  { 300, -1, 300, 300 },
	  { 150000, 0, 250000, FL_QUALITY_ALL },
	  60 + 301 + 250,
	  1000 },
	{ "every second: one lost, long way",
	  4,
	  { 600, -1, 600, 600 },
	  { 300000, 0, 250000, FL_QUALITY_ALL },
	  60 + 601 + 300,
	  1000 },
	{ "every second: longer than that",
	  2,
	  { 900, -1 },
	  { 450000, 0, 500000, FL_QUALITY_LOSS | FL_QUALITY_LATENCY },
	  20 + 1000,
	  1000 },
	{ "every second: none came back",
	  2,
	  { -1, -1 },
	  { 0, 0, 1000000, FL_QUALITY_LOSS },
	  20 + 1000,
	  1000 },
	{ "every second: late, but there",
	  2,
	  { 10, 250 },
	  { 65000, 240000, 0, FL_QUALITY_ALL },
	  20 + 250,
	  1000 },
	{ "every 3 s: as ever",
	  2,
	  { 10, -1 },
	  { 5000, 0, 500000, FL_QUALITY_LOSS | FL_QUALITY_LATENCY },
	  3020,
	  3000 },
};

Test(echo, bursts)
{
	for (size_t i = 0; i < sizeof(bursts) / sizeof(bursts[0]); i++) {
		const struct fl_echo_cfg c = { .interval_ms = bursts[i].interval_ms,
					       .length = bursts[i].length };
		struct fl_meta_echo sent[10] = { 0 };
		struct fl_echo_result r;
		struct fl_echo e;
		uint64_t ms, over = 0;

		fl_echo_init(&e, &c, 76, at_ms(0));
		for (ms = 0; ms < 4000; ms++) {
			struct fl_meta_echo said;

			/* One burst of those that would follow soon is enough. */
			if (ms < c.interval_ms && fl_echo_tx(&e, at_ms(ms), &said)) {
				cr_assert_eq(said.index, ms / FL_ECHO_SPACING_MS);
				cr_assert(said.burst == 77 && said.count == c.length);
				cr_assert_eq(said.tx_time_us, (50000 + ms) * 1000);
				sent[said.index] = said;
				cr_assert(!fl_echo_tx(&e, at_ms(ms), &said));
			}
			for (int n = 0; n < c.length; n++)
				if (bursts[i].rtt_ms[n] >= 0 &&
				    ms == (uint64_t)(n * FL_ECHO_SPACING_MS + bursts[i].rtt_ms[n]))
					fl_echo_rx(&e, &sent[n], at_ms(ms));
			if (fl_echo_result(&e, at_ms(ms), &r)) {
				cr_assert_eq(over, 0);
				over = ms;
				cr_assert_eq(r.quality.has, bursts[i].want.has, "%s",
					     bursts[i].what);
				cr_assert_eq(r.quality.loss_ppm, bursts[i].want.loss_ppm, "%s",
					     bursts[i].what);
				cr_assert_eq(r.quality.latency_us, bursts[i].want.latency_us,
					     "%s: %u", bursts[i].what, r.quality.latency_us);
				cr_assert_eq(r.quality.jitter_us, bursts[i].want.jitter_us,
					     "%s: %u", bursts[i].what, r.quality.jitter_us);
				cr_assert_eq(r.sent, c.length);
			}
		}
		cr_assert_eq(over, bursts[i].over_ms, "%s: %lu", bursts[i].what, over);
	}
}

Test(echo, refused)
{
	struct fl_meta_echo said, other;
	struct fl_echo e;

	fl_echo_init(&e, &cfg, 0, at_ms(0));
	cr_assert(fl_echo_tx(&e, at_ms(0), &said));
	cr_assert_eq(fl_echo_rx(&e, &said, at_ms(5)), 0);
	cr_assert_eq(fl_echo_rx(&e, &said, at_ms(6)), -EALREADY);
	other = said;
	other.index = 1; /* not sent yet */
	cr_assert_eq(fl_echo_rx(&e, &other, at_ms(7)), -EBADMSG);
	other = said;
	other.burst++;
	cr_assert_eq(fl_echo_rx(&e, &other, at_ms(7)), -ESTALE);
	other.burst = 0; /* what unused places look like */
	cr_assert_eq(fl_echo_rx(&e, &other, at_ms(7)), -ESTALE);
	cr_assert(fl_echo_tx(&e, at_ms(20), &said));
	said.tx_time_us = 99999999999; /* the future */
	cr_assert_eq(fl_echo_rx(&e, &said, at_ms(25)), -EBADMSG);
	cr_assert(e.sent == 2 && e.received == 1 && e.refused == 5);
	fl_echo_restart(&e, at_ms(30));
	cr_assert_eq(fl_echo_rx(&e, &said, at_ms(31)), -ESTALE);
}

/* How many packets leave within @until_ms, and the number of bursts, if nothing comes back. */
static uint64_t run(struct fl_echo *e, uint64_t from_ms, uint64_t until_ms, uint32_t *ret_results)
{
	uint64_t before = e->sent;

	for (uint64_t ms = from_ms; ms < until_ms; ms++) {
		struct fl_meta_echo said;
		struct fl_echo_result r;
		bool due = fl_mono_reached(at_ms(ms), fl_echo_wake(e)), any = false;

		any |= fl_echo_tx(e, at_ms(ms), &said);
		while (fl_echo_result(e, at_ms(ms), &r)) {
			any = true;
			if (ret_results)
				(*ret_results)++;
		}
		/* It woke when, and only when, there was something to do. */
		cr_assert_eq(due, any, "%lu ms", ms);
	}
	return e->sent - before;
}

Test(echo, pace)
{
	struct fl_echo_cfg c = cfg;
	uint32_t results = 0;
	struct fl_echo e;

	fl_echo_init(&e, &cfg, UINT32_MAX - 1, at_ms(0));
	cr_assert_eq(run(&e, 0, 30000, NULL), 30);
	cr_assert_eq(e.last_id, 2); /* never 0 */
	/* Every second: two bursts are under way, and each gets its result within a second. */
	c.interval_ms = 1000;
	fl_echo_init(&e, &c, 0, at_ms(0));
	cr_assert_eq(run(&e, 0, 20000, &results), 200);
	cr_assert_eq(results, 19);
	/* As many as can be: 255 every 5.1 s. */
	c.length = 255;
	fl_echo_init(&e, &c, 0, at_ms(0));
	cr_assert_geq(run(&e, 0, 20000, NULL), 990);
	/* None. */
	c.length = 0;
	fl_echo_init(&e, &c, 0, at_ms(0));
	cr_assert_eq(run(&e, 0, 20000, NULL), 0);
	cr_assert_eq(fl_echo_wake(&e).ns, UINT64_MAX);
	/* Faster from now on, not after the long wait. */
	c = (struct fl_echo_cfg){ .interval_ms = 86400000, .length = 10 };
	fl_echo_init(&e, &c, 0, at_ms(0));
	run(&e, 0, 5000, NULL);
	fl_echo_configure(&e, &cfg, at_ms(5000));
	cr_assert_eq(run(&e, 5000, 15200, NULL), 10);
}

/* When packets leave in this time: the times of the first ones of bursts, in ms. */
static size_t starts(struct fl_echo *e, uint64_t from_ms, uint64_t until_ms, uint64_t *ret_ms)
{
	size_t n = 0;

	for (uint64_t ms = from_ms; ms < until_ms; ms++) {
		struct fl_meta_echo said;
		struct fl_echo_result r;

		if (fl_echo_tx(e, at_ms(ms), &said) && !said.index)
			ret_ms[n++] = ms;
		while (fl_echo_result(e, at_ms(ms), &r))
			;
	}
	return n;
}

/* The first test is at once, those that follow on the beat of the path's group. */
Test(echo, groups_begin_together)
{
	static const struct {
		uint16_t path;
		uint64_t came_up_ms, second_ms;
	} cases[] = {
		{ 1, 0, 10000 },
		{ 7, 3000, 10000 },
		{ 7, 4999, 10000 },
		{ 7, 5001, 20000 },
		{ 8, 3000, 10200 },
		{ 15, 40, 10200 },
		{ 16, 5300, 10400 },
		{ 16, 5401, 20400 },
		/* The fifty-first group is where the first one is. */
		{ 400, 0, 10000 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fl_echo_cfg c = cfg;
		uint64_t at[8] = { 0 };
		struct fl_echo e;

		c.phase_ms = fl_echo_phase_ms(&c, cases[i].path);
		fl_echo_init(&e, &c, 0, at_ms(cases[i].came_up_ms));
		cr_assert_eq(starts(&e, cases[i].came_up_ms, 40500, at), 5 - (at[1] > 15000));
		cr_assert_eq(at[0], cases[i].came_up_ms);
		cr_assert_eq(at[1], cases[i].second_ms, "path %u: %lu", cases[i].path, at[1]);
		cr_assert_eq(at[2], at[1] + 10000);
	}
}

/* --- rolling mean ----------------------------------------------------------------------------- */

struct sample {
	uint64_t ms;
	struct fl_quality quality;
};

#define Q(latency, jitter, loss)                                                                   \
	{                                                                                          \
		latency, jitter, loss, FL_QUALITY_ALL                                              \
	}
#define ALL_LOST                                                                                   \
	{                                                                                          \
		0, 0, 1000000, FL_QUALITY_LOSS                                                     \
	}

static const struct {
	const char *what;
	struct sample sample[5];
	size_t count;
	uint64_t now_ms;
	struct fl_quality want;
} means[] = {
	{ "nothing", { { 0 } }, 0, 1000, { 0 } },
	{ "just now", { { 1000, Q(30, 2, 10) } }, 1, 1000, Q(30, 2, 10) },
	{ "one", { { 1000, Q(30, 2, 10) } }, 1, 9000, Q(30, 2, 10) },
	{ "one, older than the window", { { 1000, Q(30, 2, 10) } }, 1, 900000, Q(30, 2, 10) },
	{ "two, equally long",
	  { { 0, Q(30, 2, 10) }, { 10000, Q(50, 6, 0) } },
	  2,
	  20000,
	  Q(40, 4, 5) },
	{ "by time, not by number",
	  { { 0, Q(100, 0, 0) }, { 1000, Q(200, 0, 0) }, { 2000, Q(10, 0, 0) } },
	  3,
	  32000,
	  Q(19, 0, 0) }, /* (100 + 200 + 300) / 32 = 18.75 */
	{ "the first leaves the window",
	  { { 0, Q(1000, 0, 0) }, { 10000, Q(10, 0, 0) } },
	  2,
	  65000,
	  Q(93, 0, 0) }, /* (5 * 1000 + 55 * 10) / 60 = 92.5 */
	{ "and is gone", { { 0, Q(1000, 0, 0) }, { 10000, Q(10, 0, 0) } }, 2, 70000, Q(10, 0, 0) },
	{ "a lost burst has no latency",
	  { { 0, Q(40, 8, 0) }, { 10000, ALL_LOST } },
	  2,
	  20000,
	  Q(40, 8, 500000) },
	{ "only lost", { { 0, ALL_LOST } }, 1, 5000, ALL_LOST },
};

Test(echo, rolling_mean)
{
	for (size_t i = 0; i < sizeof(means) / sizeof(means[0]); i++) {
		struct fl_rolling rolling = { 0 };
		struct fl_quality q;

		for (size_t n = 0; n < means[i].count; n++)
			fl_rolling_add(&rolling, &means[i].sample[n].quality,
				       at_ms(means[i].sample[n].ms));
		q = fl_rolling_mean(&rolling, FL_ECHO_ROLLING_MS, at_ms(means[i].now_ms));
		cr_assert_eq(q.has, means[i].want.has, "%s", means[i].what);
		cr_assert_eq(q.latency_us, means[i].want.latency_us, "%s: %u", means[i].what,
			     q.latency_us);
		cr_assert_eq(q.jitter_us, means[i].want.jitter_us, "%s", means[i].what);
		cr_assert_eq(q.loss_ppm, means[i].want.loss_ppm, "%s: %u", means[i].what,
			     q.loss_ppm);
		fl_rolling_reset(&rolling);
		q = fl_rolling_mean(&rolling, FL_ECHO_ROLLING_MS, at_ms(means[i].now_ms));
		cr_assert_eq(q.has, 0);
	}
}

/* A sample a second for longer than there is room: the mean is that of the last 60 s. */
Test(echo, rolling_many)
{
	struct fl_rolling rolling = { 0 };
	struct fl_quality q = Q(0, 0, 0);

	for (uint32_t s = 0; s <= 1000; s++) {
		q.latency_us = s;
		fl_rolling_add(&rolling, &q, at_ms(1000ULL * s));
	}
	/* seconds 940 to 999, each for one second */
	q = fl_rolling_mean(&rolling, FL_ECHO_ROLLING_MS, at_ms(1000000));
	cr_assert_eq(q.latency_us, 970); /* 969.5 */
	/* Large values for a long time do not overflow. */
	q.latency_us = q.jitter_us = q.loss_ppm = UINT32_MAX;
	fl_rolling_reset(&rolling);
	fl_rolling_add(&rolling, &q, at_ms(0));
	q = fl_rolling_mean(&rolling, UINT32_MAX, at_ms(4000000000ULL));
	cr_assert_eq(q.latency_us, UINT32_MAX);
}
