// SPDX-License-Identifier: Apache-2.0
/* Inline performance monitoring, step by step: marking, counting, reporting, summing up. */
#include <criterion/criterion.h>

#include "agent/codec/meta.h"
#include "agent/path/fpm.h"
#include "test/unit/hex.h"

#define MS  FL_FPM_NS_PER_MS
#define U   FL_FPM_UNKNOWN
#define MAX FL_FPM_COUNT_MAX

static const struct fl_fpm_cfg cfg = { .interval_ns = 10000 * MS, .marking_count = 100 };

/* --- the wire --------------------------------------------------------------------------------- */

Test(fpm, vector_d)
{
	static const struct fl_fpm_mark d = { .tx_colour = 3,
					      .tx_time_ms = 1234567,
					      .rx_colour = 6,
					      .rx_time_ms = 7200035,
					      .prev_count = 98 };
	struct fl_fpm_wire wire;
	struct fl_fpm_mark back;

	fl_fpm_put(&d, &wire);
	assert_hex((uint8_t *)&wire, sizeof(wire), "3012d687 606ddd23 0062");
	fl_fpm_get(&wire, &back);
	cr_assert(!memcmp(&d, &back, sizeof(d)));
}

/* The data plane and the metadata codec agree on every bit. */
Test(fpm, wire_is_that_of_the_codec)
{
	static const struct fl_fpm_mark rows[] = {
		{ 0 },
		{ .tx_colour = 15, .tx_time_ms = FL_FPM_TIME_MASK },
		{ .rx_colour = 15, .rx_time_ms = FL_FPM_TIME_MASK },
		{ .prev_count = FL_FPM_UNKNOWN },
		{ .drop = 1 },
		{ .tx_colour = 1,
		  .tx_time_ms = 2,
		  .rx_colour = 3,
		  .rx_time_ms = 4,
		  .prev_count = 5,
		  .drop = 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct fl_fpm_mark *r = &rows[i];
		const struct fl_meta m = {
			.has = FL_META_BIT(FL_META_METRICS),
			.metrics = { r->tx_time_ms, r->rx_time_ms, r->prev_count, r->tx_colour,
				     r->rx_colour, r->drop },
		};
		struct fl_fpm_wire wire;
		struct fl_fpm_mark back;
		struct fl_meta_lens lens;
		uint8_t block[64];
		struct fl_writer w = fl_writer(block, sizeof(block));

		fl_fpm_put(r, &wire);
		cr_assert_eq(fl_meta_build(&m, &w, &lens), 26);
		cr_assert(!memcmp(block + 16, &wire, sizeof(wire)), "row %zu", i);
		fl_fpm_get(&wire, &back);
		cr_assert(!memcmp(r, &back, sizeof(back)), "row %zu", i);
	}
}

/* --- sending ---------------------------------------------------------------------------------- */

/* How many of @packets, @gap_ms apart from @ms on, are marked. */
static unsigned int send(struct fl_fpm_scope *s, const struct fl_fpm_cfg *c, uint64_t *ms,
			 unsigned int packets, uint64_t gap_ms)
{
	unsigned int marked = 0;

	for (unsigned int i = 0; i < packets; i++, *ms += gap_ms) {
		struct fl_fpm_mark m;

		if (fl_fpm_is_idle(&s->tx, c, *ms * MS))
			continue;
		cr_assert(fl_fpm_send(&s->tx, &s->rx, c, *ms * MS, &m));
		cr_assert(m.tx_colour == s->tx.colour && !m.drop);
		cr_assert_eq(m.tx_time_ms, *ms & FL_FPM_TIME_MASK);
		marked++;
	}
	return marked;
}

Test(fpm, marking)
{
	struct fl_fpm_cfg c = cfg;
	struct fl_fpm_scope s = { 0 };
	struct fl_fpm_mark m;
	uint64_t ms = 5;

	cr_assert_eq(send(&s, &c, &ms, 9990, 1), 100);
	cr_assert(s.tx.colour == 1 && s.tx.sent[1] == 100);
	cr_assert_eq(send(&s, &c, &ms, 10, 1), 0);
	cr_assert_eq(send(&s, &c, &ms, 50, 1), 50); /* the next interval */
	cr_assert(s.tx.colour == 2 && s.tx.sent[2] == 50);
	/* Too little traffic: what there is, is the sample. */
	cr_assert_eq(send(&s, &c, &ms, 9, 1000), 9);
	cr_assert(s.tx.colour == 2 && s.tx.sent[2] == 59);
	/* All around. */
	for (int i = 0; i < 17; i++)
		send(&s, &c, &ms, 1, 10000);
	cr_assert(s.tx.colour == 2 && s.tx.sent[2] == 1 && s.tx.sent[1] == 1);
	/* What no count can say is not marked. */
	c.marking_count = 32767;
	s.tx = (struct fl_fpm_tx){ 0 };
	cr_assert_eq(send(&s, &c, &ms, 40000, 0), MAX);
	cr_assert(!fl_fpm_send(&s.tx, &s.rx, &c, ms * MS, &m));
	c.interval_ns = 0;
	cr_assert_eq(send(&s, &c, &ms, 5, 20000), 0); /* switched off */
}

/* --- receiving -------------------------------------------------------------------------------- */

/* Marks that arrive one after the other, and what is known after each. */
static const struct {
	const char *what;
	uint8_t colour;
	uint8_t drop;
	uint32_t time_ms, at_ms;
	uint8_t r;
	uint16_t cur, prev;
} marks[] = {
	{ "the first: any of its colour", 5, 0, 201000, 10, 5, 1, U },
	{ "another", 5, 0, 201001, 11, 5, 2, U },
	{ "next colour: nobody counted all of the first", 6, 0, 201002, 12, 6, 1, U },
	{ "late one of a colour nobody counted", 5, 0, 201001, 13, 6, 1, U },
	{ "another", 6, 0, 201004, 14, 6, 2, U },
	{ "reordered within its colour", 6, 0, 201003, 15, 6, 3, U },
	{ "same millisecond", 6, 0, 201004, 16, 6, 4, U },
	{ "next colour", 7, 0, 201010, 20, 7, 1, 4 },
	{ "late one", 6, 0, 201009, 21, 7, 1, 5 },
	{ "generated: not counted", 7, 1, 201020, 30, 7, 1, 5 },
	{ "generated, other colour: not counted", 8, 1, 201021, 31, 7, 1, 5 },
	{ "gap: two ahead", 9, 0, 201030, 40, 9, 1, U },
	{ "what came behind a gap is counted", 10, 0, 201040, 50, 10, 1, 1 },
	{ "fourteen ahead: gap", 8, 0, 201050, 60, 8, 1, U },
	{ "10 s late, the most there is", 8, 0, 191050, 70, 8, 2, U },
	{ "clock started anew, colour as before", 8, 0, 40, 70, 8, 1, U },
	{ "and next", 9, 0, 50, 80, 9, 1, U },
	{ "and next", 10, 0, 60, 90, 10, 1, 1 },
	{ "long idle", 11, 0, 0x7000000, 100, 11, 1, 1 },
	{ "again", 12, 0, 0xe000000, 110, 12, 1, 1 },
	{ "before the wrap", 13, 0, 0xfffffff, 110, 13, 1, 1 },
	{ "behind the wrap", 13, 0, 3, 113, 13, 2, 1 },
	{ "late, from before the wrap", 13, 0, 0xffffffe, 114, 13, 3, 1 },
	{ "next", 14, 0, 10, 120, 14, 1, 3 },
};

Test(fpm, receiving)
{
	struct fl_fpm_rx rx = { 0 };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const struct fl_fpm_mark m = { .tx_colour = marks[i].colour,
					       .tx_time_ms = marks[i].time_ms,
					       .drop = marks[i].drop };

		fl_fpm_receive(&rx, &m, marks[i].at_ms * MS);
		cr_assert_eq(rx.colour, marks[i].r, "%s: %u", marks[i].what, rx.colour);
		cr_assert_eq(rx.cnt_cur, marks[i].cur, "%s: %u", marks[i].what, rx.cnt_cur);
		cr_assert_eq(rx.cnt_prev, marks[i].prev, "%s: %u", marks[i].what, rx.cnt_prev);
		/* What arrived last is the base of the answer. */
		cr_assert(rx.rx_time_ms == m.tx_time_ms && rx.rx_at_ns == marks[i].at_ms * MS);
	}
}

Test(fpm, colour_wraps_and_counts_stop)
{
	struct fl_fpm_rx rx = { 0 };
	struct fl_fpm_mark m = { .tx_colour = 14 };

	fl_fpm_receive(&rx, &m, 1);
	m.tx_colour = 15;
	for (int i = 0; i < 40000; i++)
		fl_fpm_receive(&rx, &m, 2);
	cr_assert_eq(rx.cnt_cur, MAX);
	m.tx_colour = 0;
	fl_fpm_receive(&rx, &m, 3);
	cr_assert(rx.colour == 0 && rx.cnt_prev == MAX);
	m.tx_colour = 15;
	fl_fpm_receive(&rx, &m, 4);
	cr_assert_eq(rx.cnt_prev, MAX);
}

/* Step 7: who has no user traffic answers by itself, once per colour, and is not answered. */
Test(fpm, unidirectional)
{
	struct fl_fpm_scope a = { 0 }, b = { 0 };
	struct fl_fpm_mark m, answer;

	cr_assert(!fl_fpm_owes(&b.rx, 1000 * MS, 5000 * MS));
	cr_assert(fl_fpm_send(&a.tx, &a.rx, &cfg, 1000 * MS, &m));
	fl_fpm_take(&b, &m, 1030 * MS);
	cr_assert(!fl_fpm_owes(&b.rx, 1000 * MS, 2029 * MS));
	cr_assert(fl_fpm_owes(&b.rx, 1000 * MS, 2030 * MS));
	fl_fpm_generate(&b.tx, &b.rx, 2030 * MS, &answer);
	cr_assert(answer.drop && answer.rx_colour == 1 && answer.prev_count == U);
	cr_assert_eq(answer.rx_time_ms, 2000);
	cr_assert(!fl_fpm_owes(&b.rx, 1000 * MS, 9000 * MS));
	fl_fpm_take(&a, &answer, 2060 * MS);
	cr_assert(!fl_fpm_owes(&a.rx, 0, 99000 * MS));
	cr_assert_eq(a.reports.block[0].rtt_sum_us, 60000);
	/* A user packet that is marked is an answer too. */
	cr_assert(fl_fpm_send(&a.tx, &a.rx, &cfg, 20000 * MS, &m));
	fl_fpm_take(&b, &m, 20030 * MS);
	cr_assert(fl_fpm_send(&b.tx, &b.rx, &cfg, 20100 * MS, &answer));
	cr_assert(!fl_fpm_owes(&b.rx, 0, 99000 * MS));
	/* Nothing was heard: nothing to say, and no round trip. */
	b = (struct fl_fpm_scope){ 0 };
	fl_fpm_send(&b.tx, &b.rx, &cfg, 1 * MS, &answer);
	cr_assert(answer.rx_time_ms == 0 && answer.prev_count == U && answer.rx_colour == 0);
}

/* --- reports ---------------------------------------------------------------------------------- */

/* The worked example of section 4. */
Test(fpm, worked_example)
{
	static const uint64_t rtt_ms[] = { 60, 66, 59, 63 };
	struct fl_fpm_scope a = { 0 }, b = { 0 };
	struct fl_fpm_sample out[FL_FPM_COLOURS];
	struct fl_fpm fpm = { 0 };
	struct fl_fpm_mark m;

	/* A is at colour 6, has marked 100 packets with 5; B has counted 98 of these. */
	a.tx = (struct fl_fpm_tx){ .start_ns = 7200000 * MS, .colour = 6, .sent[5] = 100 };
	b.rx = (struct fl_fpm_rx){ .colour = 5,
				   .cnt_cur = 98,
				   .rx_time_ms = 7199000,
				   .flags = FL_FPM_RX_SEEN | FL_FPM_RX_TIMED };
	b.tx = (struct fl_fpm_tx){ .colour = 3, .start_ns = 1230000 * MS };
	m = (struct fl_fpm_mark){ .tx_colour = 6, .tx_time_ms = 7200000 };
	fl_fpm_receive(&b.rx, &m, 1234532 * MS);
	cr_assert(fl_fpm_send(&b.tx, &b.rx, &cfg, 1234567 * MS, &m));
	cr_assert(m.rx_colour == 6 && m.rx_time_ms == 7200035 && m.prev_count == 98);
	cr_assert(m.tx_colour == 3 && m.tx_time_ms == 1234567);
	for (size_t i = 0; i < 4; i++)
		fl_fpm_take(&a, &m, (7200035 + rtt_ms[i]) * MS);
	cr_assert_eq(fl_fpm_collect(&fpm, &a, (struct fl_mono){ 7201094 * MS }, out), 0);
	cr_assert_eq(fl_fpm_collect(&fpm, &a, (struct fl_mono){ 7201095 * MS }, out), 1);
	cr_assert_eq(fl_fpm_collect(&fpm, &a, (struct fl_mono){ 7201095 * MS }, out), 0);
	cr_assert(out[0].colour == 5 && out[0].sent == 100 && out[0].received == 98);
	cr_assert_eq(out[0].rtt_us, 62000);
	cr_assert_eq(out[0].quality.latency_us, 31000);
	cr_assert_eq(out[0].quality.jitter_us, 5666);
	cr_assert_eq(out[0].quality.loss_ppm, 20000);
	cr_assert_eq(fl_mos_of(&out[0].quality), 426);
}

/* Round trips across the wrap of 2^28 ms, and what is none. */
Test(fpm, round_trips)
{
	static const struct {
		uint32_t rx_time_ms;
		uint64_t now_ms;
		uint32_t rtt_us; /* 0: none */
	} rows[] = {
		{ 1000, 1060, 60000 },
		{ 1000, 11000, 10000000 },
		{ 1000, 11001, 0 },
		{ 0, 50, 0 }, /* nothing received */
		{ 0xffffff0, 0x10000010, 32000 },
		{ 0xffffff0, 0x20000010, 32000 }, /* our clock is past 2^28 ms already */
		{ 1001, 1000, 0 },                /* the future */
		{ 1000, 1000, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fl_fpm_scope s = { .tx = { .colour = 2, .sent[1] = 100 } };
		const struct fl_fpm_mark m = { .rx_colour = 2,
					       .rx_time_ms = rows[i].rx_time_ms,
					       .prev_count = 100 };

		fl_fpm_report(&s.reports, &s.tx, &m, rows[i].now_ms * MS);
		cr_assert_eq(s.reports.block[1].rtt_sum_us, rows[i].rtt_us, "row %zu", i);
	}
}

/* Reports one after the other; colour of ours that a sample is for, what it says. */
static const struct {
	const char *what;
	uint8_t own_colour; /* at which we are */
	uint8_t rx_colour;
	uint16_t count;
	uint8_t block; /* where it goes; 99: ignored */
	uint16_t want;
} reports[] = {
	{ "of colour 1", 2, 2, 90, 1, 90 },
	{ "a late packet came in", 2, 2, 91, 1, 91 },
	{ "of colour 2", 3, 3, 95, 2, 95 },
	{ "late report of colour 1", 3, 2, 99, 99, 0 },
	{ "a colour of long ago", 3, 9, 50, 99, 0 },
	{ "a colour that we have not sent", 3, 4, 50, 2, 95 },
	{ "nobody counted", 4, 4, U, 3, U },
	{ "then somebody did", 4, 4, 80, 3, 80 },
	{ "it knows nothing of us", 5, 0, U, 4, U },
	{ "two colours behind", 8, 6, 70, 5, 70 },
	{ "caught up", 8, 8, 60, 7, 60 },
	{ "wraps", 0, 0, 55, 15, 55 },
	{ "and on", 1, 1, 54, 0, 54 },
	{ "once around", 2, 2, 53, 1, 53 },
};

Test(fpm, reports)
{
	struct fl_fpm_scope s = { 0 };

	for (size_t i = 0; i < sizeof(reports) / sizeof(reports[0]); i++) {
		const struct fl_fpm_mark m = { .rx_colour = reports[i].rx_colour,
					       .prev_count = reports[i].count };
		struct fl_fpm_reports before = s.reports;

		s.tx.colour = reports[i].own_colour;
		fl_fpm_report(&s.reports, &s.tx, &m, (i + 1) * MS);
		if (reports[i].block == 99) {
			cr_assert(!memcmp(&before, &s.reports, sizeof(before)), "%s",
				  reports[i].what);
			continue;
		}
		cr_assert_eq(s.reports.colour, reports[i].block, "%s: %u", reports[i].what,
			     s.reports.colour);
		cr_assert_eq(s.reports.block[reports[i].block].count, reports[i].want, "%s",
			     reports[i].what);
		cr_assert_eq(s.reports.block[reports[i].block].last_ns, (i + 1) * MS);
	}
}

/* What makes a sample of loss, and what does not. */
Test(fpm, loss)
{
	static const struct {
		uint16_t sent, count;
		uint8_t has;
		uint32_t loss_ppm;
	} rows[] = {
		{ 100, 100, FL_QUALITY_LOSS, 0 },
		{ 100, 98, FL_QUALITY_LOSS, 20000 },
		{ 100, 0, FL_QUALITY_LOSS, 1000000 },
		{ 100, 103, FL_QUALITY_LOSS, 0 },
		{ 10, 9, FL_QUALITY_LOSS, 100000 },
		{ 9, 0, 0, 0 },
		{ 100, U, 0, 0 },
		{ MAX, 1, FL_QUALITY_LOSS, 999969 },
		{ 0, 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fl_fpm_scope s = { .reports = { .colour = 4 } };
		struct fl_fpm_sample out[FL_FPM_COLOURS];
		struct fl_fpm fpm = { 0 };

		s.reports.block[4] = (struct fl_fpm_block){ .first_ns = 1,
							    .sent = rows[i].sent,
							    .count = rows[i].count };
		cr_assert_eq(fl_fpm_collect(&fpm, &s, (struct fl_mono){ 5000 * MS }, out), 1);
		cr_assert_eq(out[0].quality.has, rows[i].has, "row %zu", i);
		cr_assert_eq(out[0].quality.loss_ppm, rows[i].loss_ppm, "row %zu", i);
	}
}

/* The peer marks its packets at another time than we do ours: round trips come late. */
Test(fpm, late_round_trips)
{
	struct fl_fpm_scope s = { .tx = { .colour = 2, .sent[1] = 100 } };
	struct fl_fpm_mark m = { .rx_colour = 2, .prev_count = 99, .rx_time_ms = 1000 };
	struct fl_fpm_sample out[FL_FPM_COLOURS];
	struct fl_fpm fpm = { 0 };

	fl_fpm_report(&s.reports, &s.tx, &m, 1060 * MS);
	cr_assert_eq(fl_fpm_collect(&fpm, &s, (struct fl_mono){ 2060 * MS }, out), 1);
	cr_assert_eq(out[0].quality.has, FL_QUALITY_LOSS | FL_QUALITY_LATENCY);
	cr_assert_eq(fl_fpm_collect(&fpm, &s, (struct fl_mono){ 4000 * MS }, out), 0);
	m.rx_time_ms = 5000;
	fl_fpm_report(&s.reports, &s.tx, &m, 5080 * MS);
	m.rx_time_ms = 5002;
	fl_fpm_report(&s.reports, &s.tx, &m, 5102 * MS);
	cr_assert_eq(fl_fpm_collect(&fpm, &s, (struct fl_mono){ 5102 * MS }, out), 1);
	cr_assert_eq(out[0].quality.has, FL_QUALITY_JITTER | FL_QUALITY_LATENCY);
	cr_assert(out[0].rtts == 3 && out[0].rtt_us == 80000); /* (60 + 80 + 100) / 3 */
	cr_assert_eq(out[0].quality.jitter_us, 20000);         /* (20 + 20) / 2 */
	/* What came last is summed up when the next colour is reported on, once. */
	fl_fpm_report(&s.reports, &s.tx, &m, 5103 * MS);
	cr_assert_eq(fl_fpm_collect(&fpm, &s, (struct fl_mono){ 5200 * MS }, out), 0);
	s.tx.colour = m.rx_colour = 3;
	fl_fpm_report(&s.reports, &s.tx, &m, 5300 * MS);
	cr_assert_eq(fl_fpm_collect(&fpm, &s, (struct fl_mono){ 5300 * MS }, out), 1);
	cr_assert(out[0].colour == 1 && out[0].rtt_us == 85250);
	cr_assert_eq(fl_fpm_collect(&fpm, &s, (struct fl_mono){ 5300 * MS }, out), 0);
}

/* P-33, each measure by itself. */
Test(fpm, staleness)
{
	static const struct {
		uint64_t interval_ms, age_ms;
		bool valid;
	} rows[] = {
		{ 10000, 29999, true }, { 10000, 30000, false },     { 100, 29999, true },
		{ 100, 30000, false },  { 60000, 179999, true },     { 60000, 180000, false },
		{ 0, 1, false },        { 3600000, 10799999, true },
	};
	struct fl_fpm fpm = { .value = { 30, 2, 10 },
			      .at = { { 1000 * MS }, { 1000 * MS }, { 1000 * MS } } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct fl_fpm_cfg c = { rows[i].interval_ms * MS, 100, 0 };
		const struct fl_mono now = { (1000 + rows[i].age_ms) * MS };
		struct fl_quality q = fl_fpm_quality(&fpm, &c, now);

		cr_assert_eq(q.has, rows[i].valid ? FL_QUALITY_ALL : 0, "row %zu", i);
		cr_assert_eq(q.latency_us, rows[i].valid ? 30 : 0);
	}
	fpm.at[FL_FPM_JITTER] = (struct fl_mono){ 0 };
	cr_assert_eq(fl_fpm_quality(&fpm, &cfg, (struct fl_mono){ 2000 * MS }).has,
		     FL_QUALITY_LOSS | FL_QUALITY_LATENCY);
}
