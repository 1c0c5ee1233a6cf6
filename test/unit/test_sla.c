// SPDX-License-Identifier: Apache-2.0
/* Path selection: the whole decision as a table, a row for every rule. */
#include "agent/path/device_load.h"
#include "test/unit/sla_build.h"

#define DEF                                                                                        \
	.best_effort = true, .max_loss_ppm = 5000, .max_latency_us = 250000, .max_jitter_us = 100000
#define FILTER DEF, .quality_filter = true
#define STRICT                                                                                     \
	.max_loss_ppm = 5000, .max_latency_us = 250000, .max_jitter_us = 100000,                   \
	.quality_filter = true
#define W(reason) FL_SLA_WHY_##reason

struct row {
	const char *what;
	struct fl_sla_policy policy;
	uint16_t only_peer, avoid_peer;
	size_t n;
	struct fl_sla_path path[4];
	enum fl_sla_result result;
	int chosen;
	enum fl_sla_reason reason[4];
};

static const struct row rows[] = {
	/* step 1: candidates */
	{ .what = "no candidates", .policy = { DEF }, .result = FL_SLA_NO_PATHS, .chosen = -1 },
	{ .what = "one", .policy = { DEF }, .n = 1, .path = { { UP } } },
	{ .what = "down",
	  .policy = { DEF },
	  .n = 2,
	  .path = { { .from_route = true }, { UP, .held_down = true } },
	  .result = FL_SLA_NONE_USABLE,
	  .chosen = -1,
	  .reason = { W(DOWN), W(HOLD_DOWN) } },
	{ .what = "the one that is up",
	  .policy = { DEF },
	  .n = 3,
	  .path = { { .from_route = true }, { UP, .held_down = true }, { UP, .cost = 9 } },
	  .chosen = 2,
	  .reason = { W(DOWN), W(HOLD_DOWN) } },
	{ .what = "a service route beats the routing table",
	  .policy = { DEF },
	  .n = 2,
	  .path = { { .up = true }, { UP, .vector_cost = FL_SLA_UNLISTED, .cost = 5 } },
	  .chosen = 1,
	  .reason = { W(NO_ROUTE) } },
	{ .what = "even one that is down",
	  .policy = { DEF },
	  .n = 2,
	  .path = { { .up = true }, { .from_route = true } },
	  .result = FL_SLA_NONE_USABLE,
	  .chosen = -1,
	  .reason = { W(NO_ROUTE), W(DOWN) } },
	{ .what = "the routing table without one",
	  .policy = { DEF },
	  .n = 1,
	  .path = { { .up = true, .kind = FL_SLA_LOCAL } } },
	{ .what = "not back to where it came from",
	  .policy = { DEF },
	  .avoid_peer = 7,
	  .n = 2,
	  .path = { { UP, .peer = 7 }, { UP, .peer = 8, .cost = 5 } },
	  .chosen = 1,
	  .reason = { W(FROM_PEER) } },
	{ .what = "not to another peer",
	  .policy = { DEF },
	  .only_peer = 8,
	  .n = 3,
	  .path = { { UP, .peer = 7 }, { UP, .kind = FL_SLA_LOCAL }, { UP, .peer = 8, .cost = 5 } },
	  .chosen = 2,
	  .reason = { W(OTHER_PEER), W(OTHER_PEER) } },
	/* step 2: never, full */
	{ .what = "never",
	  .policy = { DEF },
	  .n = 2,
	  .path = { { UP, .vector_cost = FL_SLA_NEVER }, { UP, .vector_cost = FL_SLA_UNLISTED } },
	  .chosen = 1,
	  .reason = { W(NEVER) } },
	{ .what = "never, also as the last one",
	  .policy = { DEF },
	  .n = 1,
	  .path = { { UP, .vector_cost = FL_SLA_NEVER } },
	  .result = FL_SLA_NONE_USABLE,
	  .chosen = -1,
	  .reason = { W(NEVER) } },
	{ .what = "full in four ways",
	  .policy = { DEF },
	  .n = 4,
	  .path = { { UP, .load = { .max_sessions = 10, .sessions = 10 } },
		    { UP, .load = { .session_rate = 5, .rate = 5 } },
		    { UP, .load = { .max_sessions = 10, .sessions = 9, .above_sessions = true } },
		    { UP, .load = { .above_utilisation = true } } },
	  .result = FL_SLA_NO_CAPACITY,
	  .chosen = -1,
	  .reason = { W(MAX_SESSIONS), W(SESSION_RATE), W(HIGH_WATER), W(UTILISATION) } },
	{ .what = "nearly full",
	  .policy = { DEF },
	  .n = 2,
	  .path = { { UP, .load = { 10, 9, 5, 4, false, false } }, { UP, .cost = 1 } },
	  .chosen = 0,
	  .reason = { 0, W(WORSE) } },
	{ .what = "full: the dearer one",
	  .policy = { DEF },
	  .n = 2,
	  .path = { { UP, .load = { .max_sessions = 1, .sessions = 2 } }, { UP, .cost = 1 } },
	  .chosen = 1,
	  .reason = { W(MAX_SESSIONS) } },
	/* step 3: service level */
	{ .what = "without filter limits are nothing",
	  .policy = { DEF },
	  .n = 2,
	  .path = { { UP, .bfd = QUALITY(900, 500, 5000), .standing = FL_SLA_VIOLATES },
		    { UP, .cost = 1, .bfd = QUALITY(1, 1, 0) } },
	  .chosen = 0,
	  .reason = { 0, W(WORSE) } },
	{ .what = "loss, latency, jitter",
	  .policy = { FILTER },
	  .n = 4,
	  .path = { { UP, .bfd = QUALITY(10, 1, 51) },
		    { UP, .bfd = QUALITY(251, 1, 0) },
		    { UP, .bfd = QUALITY(10, 101, 0) },
		    { UP, .cost = 9, .bfd = QUALITY(250, 100, 50) } },
	  .chosen = 3,
	  .reason = { W(SLA), W(SLA), W(SLA) } },
	{ .what = "MOS, which is disabled by default",
	  .policy = { FILTER, .min_mos_x100 = 412 },
	  .n = 2,
	  .path = { { UP, .bfd = QUALITY(113, 52, 0) },
		    { UP, .cost = 1, .bfd = QUALITY(113, 51, 0) } },
	  .chosen = 1,
	  .reason = { W(SLA) } },
	{ .what = "nothing is known: no limit is broken",
	  .policy = { FILTER, .min_mos_x100 = 440 },
	  .n = 2,
	  .path = { { UP, .bfd = QUALITY(900, 0, 0) }, { UP, .cost = 9 } },
	  .chosen = 1,
	  .reason = { W(SLA) } },
	{ .what = "all violate: best effort, by preference",
	  .policy = { FILTER },
	  .n = 3,
	  .path = { { UP, .bfd = QUALITY(900, 0, 0), .vector_cost = 10 },
		    { UP, .bfd = QUALITY(999, 0, 0), .vector_cost = 1 },
		    { .from_route = true } },
	  .result = FL_SLA_OK_BEST_EFFORT,
	  .chosen = 1,
	  .reason = { W(WORSE), 0, W(DOWN) } },
	{ .what = "all violate, and no best effort",
	  .policy = { STRICT },
	  .n = 2,
	  .path = { { UP, .bfd = QUALITY(900, 0, 0) }, { UP, .bfd = QUALITY(999, 0, 0) } },
	  .result = FL_SLA_ALL_VIOLATE,
	  .chosen = -1,
	  .reason = { W(SLA), W(SLA) } },
	{ .what = "the one that meets it is full: best effort",
	  .policy = { FILTER },
	  .n = 2,
	  .path = { { UP, .bfd = QUALITY(900, 0, 0) },
		    { UP, .load = { .max_sessions = 1, .sessions = 1 } } },
	  .result = FL_SLA_OK_BEST_EFFORT,
	  .chosen = 0,
	  .reason = { 0, W(MAX_SESSIONS) } },
	{ .what = "hysteresis decides, either way",
	  .policy = { FILTER },
	  .n = 2,
	  .path = { { UP, .standing = FL_SLA_VIOLATES, .bfd = QUALITY(1, 0, 0) },
		    { UP, .cost = 9, .standing = FL_SLA_MEETS, .bfd = QUALITY(900, 0, 0) } },
	  .chosen = 1,
	  .reason = { W(SLA) } },
	{ .what = "FPM overrides BFD",
	  .policy = { FILTER },
	  .n = 2,
	  .path = { { UP, .bfd = QUALITY(1, 0, 0), .fpm = QUALITY(1, 0, 200) },
		    { UP, .cost = 1, .bfd = QUALITY(1, 0, 200), .fpm = QUALITY(1, 0, 0) } },
	  .chosen = 1,
	  .reason = { W(SLA) } },
	{ .what = "but not where it is only looked at",
	  .policy = { FILTER },
	  .n = 2,
	  .path = { { UP, .monitor_only = true, .bfd = QUALITY(1, 0, 0),
		      .fpm = QUALITY(1, 0, 200) },
		    { UP, .cost = 1 } },
	  .chosen = 0,
	  .reason = { 0, W(WORSE) } },
	{ .what = "nor in what it did not measure",
	  .policy = { FILTER },
	  .n = 2,
	  .path = { { UP, .bfd = QUALITY(1, 0, 200),
		      .fpm = { .latency_us = 1, .has = FL_QUALITY_LATENCY } },
		    { UP, .cost = 1 } },
	  .chosen = 1,
	  .reason = { W(SLA) } },
	/* step 4: order */
	{ .what = "vector before cost",
	  .policy = { DEF },
	  .n = 4,
	  .path = { { UP, .vector_cost = FL_SLA_UNLISTED },
		    { UP, .vector_cost = 10 },
		    { UP, .vector_cost = 1, .cost = 50 },
		    { UP, .vector_cost = 1, .cost = 60 } },
	  .chosen = 2,
	  .reason = { W(WORSE), W(WORSE), 0, W(WORSE) } },
	{ .what = "latency before cost, vectors aside",
	  .policy = { DEF, .criterion = FL_SLA_BY_LATENCY },
	  .n = 3,
	  .path = { { UP, .vector_cost = 1, .bfd = QUALITY(30, 0, 0) },
		    { UP, .vector_cost = 10, .cost = 9, .bfd = QUALITY(20, 0, 9000) },
		    { UP } /* not measured: last */ },
	  .chosen = 1,
	  .reason = { W(WORSE), 0, W(WORSE) } },
	{ .what = "the same millisecond: cost",
	  .policy = { DEF, .criterion = FL_SLA_BY_LATENCY },
	  .n = 2,
	  .path = { { UP, .cost = 2, .bfd = { 20000, 0, 0, FL_QUALITY_LATENCY } },
		    { UP, .cost = 1, .bfd = { 20400, 0, 0, FL_QUALITY_LATENCY } } },
	  .chosen = 1,
	  .reason = { W(WORSE) } },
	{ .what = "MOS",
	  .policy = { DEF, .criterion = FL_SLA_BY_MOS },
	  .n = 3,
	  .path = { { UP, .bfd = QUALITY(10, 0, 100) },
		    { UP, .cost = 9, .bfd = QUALITY(100, 0, 0) },
		    { UP, .bfd = { 1, 0, 0, FL_QUALITY_LATENCY } } },
	  .chosen = 1,
	  .reason = { W(WORSE), 0, W(WORSE) } },
	{ .what = "never stays never, whatever it is sorted by",
	  .policy = { DEF, .criterion = FL_SLA_BY_MOS },
	  .n = 2,
	  .path = { { UP, .vector_cost = FL_SLA_NEVER, .bfd = QUALITY(0, 0, 0) }, { UP } },
	  .chosen = 1,
	  .reason = { W(NEVER) } },
	/* step 5: equals */
	{ .what = "equal: as configured",
	  .policy = { DEF },
	  .n = 3,
	  .path = { { UP }, { UP }, { UP } },
	  .chosen = 0,
	  .reason = { 0, W(TURN), W(TURN) } },
	{ .what = "hunt: the highest capacity first",
	  .policy = { DEF },
	  .n = 3,
	  .path = { { UP, .load.max_sessions = 5 },
		    { UP, .load.max_sessions = 50 },
		    { UP, .load.max_sessions = 20 } },
	  .chosen = 1,
	  .reason = { W(TURN), 0, W(TURN) } },
	{ .what = "unlimited is the highest",
	  .policy = { DEF },
	  .n = 2,
	  .path = { { UP, .load.max_sessions = 4000000000 }, { UP } },
	  .chosen = 1,
	  .reason = { W(TURN) } },
	{ .what = "proportional: who has most credit",
	  .policy = { DEF, .strategy = FL_SLA_PROPORTIONAL },
	  .n = 3,
	  .path = { { UP, .credit = -1 }, { UP, .credit = 2 }, { UP, .cost = 1, .credit = 9 } },
	  .chosen = 1,
	  .reason = { W(TURN), 0, W(WORSE) } },
};

Test(sla, decisions)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct fl_sla_snapshot in = { .policy = r->policy,
					      .only_peer = r->only_peer,
					      .avoid_peer = r->avoid_peer,
					      .n_paths = r->n };
		struct fl_sla_decision d;

		memcpy(in.path, r->path, sizeof(r->path));
		fl_sla_decide(&in, &d);
		cr_assert_eq(d.result, r->result, "%s: %d", r->what, d.result);
		cr_assert_eq(d.chosen, r->chosen, "%s: %d", r->what, d.chosen);
		for (size_t p = 0; p < r->n; p++) {
			char text[512];

			cr_assert_eq(d.verdict[p].reason, r->reason[p], "%s: path %zu: %d", r->what,
				     p, d.verdict[p].reason);
			fl_sla_explain(&d, p, text, sizeof(text));
			cr_assert(text[0]);
		}
		cr_assert(d.result > FL_SLA_OK_BEST_EFFORT || d.verdict[d.chosen].rank > 0);
	}
}

Test(sla, vector_cost)
{
	static const struct fl_sla_vector list[] = {
		{ "mpls", 1 }, { "cable", 10 }, { "lte", 100 }, { "sat", FL_SLA_NEVER }
	};
	static const struct {
		size_t n_list;
		const char *labels[3];
		size_t n_labels;
		uint32_t want;
	} cases[] = {
		{ 0, { "mpls" }, 1, 0 },
		{ 4, { NULL }, 0, FL_SLA_UNLISTED },
		{ 4, { "dsl" }, 1, FL_SLA_UNLISTED },
		{ 4, { "cable" }, 1, 10 },
		{ 4, { "lte", "cable", "dsl" }, 3, 10 },
		{ 4, { "mpls", "sat" }, 2, FL_SLA_NEVER },
		{ 3, { "mpls", "sat" }, 2, 1 },
	};
	static const uint32_t ordered[] = { 1, 10, 100, 1000, 10000, 100000, 999999, 999999 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(fl_sla_vector_cost(list, cases[i].n_list, cases[i].labels,
						cases[i].n_labels),
			     cases[i].want, "row %zu", i);
	for (size_t i = 0; i < 8; i++)
		cr_assert_eq(fl_sla_ordered_cost(i), ordered[i]);
}

Test(sla, water_marks)
{
	static const struct {
		uint32_t value, high, low;
		bool was, above;
	} cases[] = {
		{ 79, 80, 60, false, false }, { 80, 80, 60, false, true },
		{ 79, 80, 60, true, true },   { 60, 80, 60, true, true },
		{ 59, 80, 60, true, false },  { 60, 80, 60, false, false },
		{ 99, 0, 0, true, false },    { 79, 80, 0, true, false },
		{ 80, 80, 90, true, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(
			fl_sla_above(cases[i].was, cases[i].value, cases[i].high, cases[i].low),
			cases[i].above, "row %zu", i);
}

/* A device of 10 Mbit/s, 80 and 50 per cent: kbit/s since the last look, a second ago. */
Test(sla, utilisation_of_a_device)
{
	static const struct fl_cfg_load_balancing marks = { 10, 80, 50 },
						  none = { .capacity_mbps = 10 };
	static const struct {
		uint32_t rx_kbps, tx_kbps, want_kbps;
		uint16_t want_percent;
		bool above;
	} looks[] = {
		{ 9000, 0, 0, 0, false }, /* the first look: no rate yet */
		{ 1000, 7000, 7000, 70, false },
		{ 1000, 9000, 8000, 80, true }, /* mean of two seconds, the busier direction */
		{ 1000, 8000, 8000, 80, true },
		{ 6000, 3000, 6666, 66, true }, /* below the high mark, not the low one: of 3 s */
		{ 4000, 4000, 5000, 50, true },
		{ 4000, 4900, 4666, 46, false },
		{ 9000, 8900, 5933, 59, false },
		{ 11000, 30000, 14600, 146, true },
	};
	struct fl_device_load load = { 0 }, unmarked = { 0 };
	struct fl_mono now = { FL_NS_PER_S };
	uint64_t rx = 1 << 20, tx = 0;

	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		rx += looks[i].rx_kbps * 125;
		tx += looks[i].tx_kbps * 125;
		fl_device_load_take(&load, &marks, rx, tx, now);
		fl_device_load_take(&unmarked, &none, rx, tx, now);
		cr_assert_eq(load.kbps, looks[i].want_kbps, "look %zu: %u", i, load.kbps);
		cr_assert_eq(load.percent, looks[i].want_percent, "look %zu", i);
		cr_assert_eq(load.above, looks[i].above, "look %zu", i);
		cr_assert_eq(unmarked.percent, load.percent);
		cr_assert_not(unmarked.above);
		now = fl_mono_add_ms(now, 1000);
	}
	/* Another device under the same name: nothing is known of it. */
	fl_device_load_take(&load, &marks, rx, 100, now);
	cr_assert_not(load.above);
	cr_assert_eq(load.percent, 0);
	cr_assert_eq(load.count, 1);
}

/* P-40: looks one after the other; hold-down 12 s. */
Test(sla, hysteresis)
{
	static const struct {
		uint64_t ms;
		bool bad, changed, violated;
	} looks[] = {
		{ 1000, true, false, false },
		{ 3000, true, false, false }, /* too soon to count */
		{ 6000, false, false, false },
		{ 11000, true, false, false },
		{ 16000, true, true, true },
		{ 21000, false, false, true },
		{ 26000, false, false, true },
		{ 27000, false, false, true }, /* too soon */
		{ 27999, false, false, true },
		{ 31000, false, true, false }, /* third, 15 s after */
		{ 36000, true, false, false },
		{ 41000, true, true, true },
		{ 46000, false, false, true },
		{ 51000, false, false, true },
		{ 56000, true, false, true }, /* from the start */
		{ 61000, false, false, true },
		{ 66000, false, false, true },
		{ 71000, false, true, false },
	};
	struct fl_sla_hysteresis h = { 0 };

	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		bool changed = fl_sla_judge(&h, looks[i].bad, FL_SLA_EVALUATE_MS, 12000,
					    (struct fl_mono){ looks[i].ms * FL_NS_PER_MS });

		cr_assert_eq(changed, looks[i].changed, "look %zu", i);
		cr_assert_eq(h.violated, looks[i].violated, "look %zu", i);
	}
	/* Three good ones are not enough before the hold-down is over. */
	h = (struct fl_sla_hysteresis){ .violated = true, .worst = { 1000 * FL_NS_PER_MS } };
	for (uint64_t s = 2; s < 13; s++)
		cr_assert(!fl_sla_judge(&h, false, 1000, 12000,
					(struct fl_mono){ s * 1000 * FL_NS_PER_MS }));
	cr_assert(fl_sla_judge(&h, false, 1000, 12000, (struct fl_mono){ 13000 * FL_NS_PER_MS }));
}

/* Sorted by one unit, moved for by a margin. */
Test(sla, gain)
{
	static const struct {
		enum fl_sla_criterion by;
		struct fl_sla_path here, other;
		bool gain;
	} cases[] = {
		{ FL_SLA_BY_VECTOR, { UP, .vector_cost = 2 }, { UP, .vector_cost = 1 }, true },
		{ FL_SLA_BY_VECTOR, { UP, .cost = 2 }, { UP, .cost = 1 }, true },
		{ FL_SLA_BY_VECTOR, { UP }, { UP }, false },
		{ FL_SLA_BY_LATENCY,
		  { UP, .bfd = QUALITY(20, 0, 0) },
		  { UP, .bfd = QUALITY(11, 0, 0) },
		  false },
		{ FL_SLA_BY_LATENCY,
		  { UP, .bfd = QUALITY(20, 0, 0) },
		  { UP, .bfd = QUALITY(10, 0, 0) },
		  true },
		{ FL_SLA_BY_LATENCY,
		  { UP, .bfd = QUALITY(20, 0, 0), .cost = 9 },
		  { UP, .bfd = QUALITY(20, 0, 0), .cost = 5 },
		  true },
		{ FL_SLA_BY_LATENCY, { UP }, { UP, .bfd = QUALITY(10, 0, 0) }, false },
		{ FL_SLA_BY_MOS,
		  { UP, .bfd = QUALITY(20, 0, 5) },
		  { UP, .bfd = QUALITY(20, 0, 0) },
		  false },
		{ FL_SLA_BY_MOS,
		  { UP, .bfd = QUALITY(20, 0, 500) },
		  { UP, .bfd = QUALITY(20, 0, 0) },
		  true },
	};
	struct fl_sla_decision d;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fl_sla_snapshot in = { .policy = { .criterion = cases[i].by },
					      .n_paths = 2,
					      .path = { cases[i].here, cases[i].other } };

		fl_sla_decide(&in, &d);
		cr_assert_eq(fl_sla_is_gain(&d, 1, 0), cases[i].gain, "row %zu", i);
	}
}

Test(sla, explain)
{
	struct fl_sla_snapshot in = {
		.policy = { FILTER },
		.n_paths = 2,
		.path = { { UP, .vector_cost = FL_SLA_UNLISTED, .cost = 3,
			    .load = { .max_sessions = 10, .sessions = 4 },
			    .bfd = QUALITY(260, 12, 75),
			    .fpm = { .loss_ppm = 100, .has = FL_QUALITY_LOSS } },
			  { UP, .vector_cost = 10 } },
	};
	struct fl_sla_decision d;
	char text[512];

	fl_sla_decide(&in, &d);
	fl_sla_explain(&d, 0, text, sizeof(text));
	cr_assert_str_eq(text, "violates the service level; vector not listed; cost 3; "
			       "4 of 10 sessions; latency 260.0 ms (BFD); jitter 12.0 ms (BFD); "
			       "loss 0.01 % (FPM); MOS 3.85; above max-latency 250 ms");
	fl_sla_explain(&d, 1, text, sizeof(text));
	cr_assert_str_eq(text, "taken; rank 1; vector 10; cost 0; not measured");
	for (size_t size = 1; size < 200; size++) {
		fl_sla_explain(&d, 0, text, size);
		cr_assert_lt(strlen(text), size);
	}
	for (int r = 0; r <= FL_SLA_ALL_VIOLATE + 1; r++)
		cr_assert(fl_sla_result_text((enum fl_sla_result)r)[0]);
}
