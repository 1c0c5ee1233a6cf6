// SPDX-License-Identifier: Apache-2.0
/*
 * Inline performance monitoring against a simulated link: what two ends measure is what the link
 * does to their packets, each direction by itself.
 */
#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "agent/path/fpm.h"

#define MS     FL_FPM_NS_PER_MS
#define END_NS (250000 * MS)
#define QUEUED 512

struct direction {
	double loss_pct;
	double delay_ms;
	double jitter_ms;   /* each packet's delay is off by up to this, evenly */
	double reorder_pct; /* packets that come 3 ms later than others */
	uint64_t gap_ns;    /* between user packets; 0: there are none */
};

struct flight {
	uint64_t due_ns;
	struct fl_fpm_mark mark;
	bool on;
};

struct side {
	struct fl_fpm_scope scope;
	struct fl_fpm fpm;
	struct flight flight[QUEUED]; /* on the way to this side */
	unsigned int flying;
	uint64_t next_ns;
	uint64_t marked, arrived, generated;
	double loss, latency, jitter; /* sums */
	unsigned int losses, latencies, jitters;
	uint64_t sent, counted;
};

static uint64_t seed;

static double chance(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (double)(seed >> 11) / 9007199254740992.0;
}

static void fly(struct side *to, const struct direction *d, const struct fl_fpm_mark *mark,
		uint64_t now_ns)
{
	double ms = d->delay_ms + (2 * chance() - 1) * d->jitter_ms;

	if (chance() * 100 < d->reorder_pct)
		ms += 3;
	if (chance() * 100 < d->loss_pct)
		return;
	for (size_t i = 0; i < QUEUED; i++)
		if (!to->flight[i].on) {
			to->flight[i] =
				(struct flight){ now_ns + (uint64_t)(ms * 1e6), *mark, true };
			to->flying++;
			return;
		}
	cr_assert_fail("too many packets under way");
}

static void collect(struct side *s, uint64_t now_ns)
{
	struct fl_fpm_sample out[FL_FPM_COLOURS];
	size_t count = fl_fpm_collect(&s->fpm, &s->scope, (struct fl_mono){ now_ns }, out);

	for (size_t i = 0; i < count; i++) {
		const struct fl_quality *q = &out[i].quality;

		if (q->has & FL_QUALITY_LOSS) {
			s->sent += out[i].sent;
			s->counted += out[i].received;
			s->losses++;
		}
		if (q->has & FL_QUALITY_LATENCY) {
			s->latency += q->latency_us / 1000.0 * out[i].rtts;
			s->latencies += out[i].rtts;
		}
		if (q->has & FL_QUALITY_JITTER) {
			s->jitter += q->jitter_us / 1000.0;
			s->jitters++;
		}
	}
}

static void step(struct side *me, struct side *other, const struct direction *out,
		 const struct fl_fpm_cfg *cfg, uint64_t now_ns)
{
	struct fl_fpm_mark mark;

	for (size_t i = 0; me->flying && i < QUEUED; i++)
		if (me->flight[i].on && me->flight[i].due_ns <= now_ns) {
			me->flight[i].on = false;
			fl_fpm_take(&me->scope, &me->flight[i].mark, me->flight[i].due_ns);
			me->flying--;
			me->arrived++;
		}
	if (out->gap_ns && now_ns >= me->next_ns) {
		me->next_ns += out->gap_ns;
		if (fl_fpm_send(&me->scope.tx, &me->scope.rx, cfg, now_ns, &mark)) {
			me->marked++;
			fly(other, out, &mark, now_ns);
		}
	}
	if (fl_fpm_owes(&me->scope.rx, FL_FPM_PATIENCE_MS * MS, now_ns)) {
		fl_fpm_generate(&me->scope.tx, &me->scope.rx, now_ns, &mark);
		me->generated++;
		fly(other, out, &mark, now_ns);
	}
	if (now_ns % (100 * MS) == 0)
		collect(me, now_ns);
}

/* A and B, and how far A's clock is ahead of B's does not matter: both are the same one here. */
static struct side a, b;

static void simulate(const struct direction *ab, const struct direction *ba,
		     const struct fl_fpm_cfg *cfg)
{
	seed = 88172645463325252;
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	a.next_ns = 1000 * MS;
	b.next_ns = 1003 * MS + 333333;
	for (uint64_t now = 1000 * MS; now < END_NS; now += MS / 2) {
		step(&a, &b, ab, cfg, now);
		step(&b, &a, ba, cfg, now);
	}
}

static double lost_pct(const struct side *s)
{
	return s->sent ? 100 * (1 - (double)s->counted / (double)s->sent) : -1;
}

/*
 * By how much one round trip differs from the next, on average: each way is off by up to so much,
 * evenly, and the difference of two such delays is spread like a triangle.
 */
static double mean_jump(double ab_ms, double ba_ms)
{
	double sum = 0, weights = 0;

	for (double x = -0.995; x < 1; x += 0.01)
		for (double y = -0.995; y < 1; y += 0.01) {
			double weight = (1 - fabs(x)) * (1 - fabs(y));

			sum += weight * fabs(2 * ab_ms * x + 2 * ba_ms * y);
			weights += weight;
		}
	return sum / weights;
}

/* 20 per cent or 1 ms. */
static void check_jitter(const struct side *s, double wanted, const char *what)
{
	double got = s->jitter / s->jitters, slack = wanted * 0.2 > 1 ? wanted * 0.2 : 1;

	cr_assert_gt(s->jitters, 10, "%s", what);
	cr_assert_float_eq(got, wanted, slack, "%s: jitter %.2f, not %.2f", what, got, wanted);
}

#define GAP (2 * MS)

static const struct {
	const char *what;
	struct direction ab, ba;
} links[] = {
	{ "nothing", { 0, 0, 0, 0, GAP }, { 0, 0, 0, 0, GAP } },
	{ "5 ms", { 0, 5, 0, 0, GAP }, { 0, 5, 0, 0, GAP } },
	{ "200 ms one way", { 0, 200, 0, 0, GAP }, { 0, 1, 0, 0, GAP } },
	{ "200 ms the other way", { 0, 1, 0, 0, GAP }, { 0, 200, 0, 0, GAP } },
	{ "0.5 % loss", { 0.5, 20, 0, 0, GAP }, { 0, 20, 0, 0, GAP } },
	{ "1 % loss back", { 0, 20, 0, 0, GAP }, { 1, 20, 0, 0, GAP } },
	{ "2 and 5 % loss", { 2, 20, 0, 0, GAP }, { 5, 20, 0, 0, GAP } },
	{ "all of it", { 5, 50, 10, 0, GAP }, { 2, 30, 5, 0, GAP } },
	{ "3 % reordered", { 0, 20, 0, 3, GAP }, { 0, 20, 0, 3, GAP } },
	{ "30 ms jitter", { 0, 40, 30, 0, GAP }, { 0, 20, 0, 0, GAP } },
	{ "30 ms jitter back", { 0, 20, 0, 0, GAP }, { 0, 40, 30, 0, GAP } },
	{ "10 ms jitter each way", { 0, 20, 10, 0, GAP }, { 0, 20, 10, 0, GAP } },
};

Test(fpm_truth, links, .timeout = 120)
{
	/* Ten colours of a thousand packets: 10,000 each way. */
	static const struct fl_fpm_cfg cfg = { 10000 * MS, 1000, 0 };

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		const struct direction *ab = &links[i].ab, *ba = &links[i].ba;
		double rtt = ab->delay_ms + ba->delay_ms, got, slack;

		simulate(ab, ba, &cfg);
		cr_assert(a.sent > 10000 && b.sent > 10000, "%s", links[i].what);
		/* 0.2 points, against what the dice did. */
		got = 100 * (1 - (double)b.arrived / (double)a.marked);
		cr_assert_float_eq(lost_pct(&a), got, 0.2, "%s: a %.2f, not %.2f", links[i].what,
				   lost_pct(&a), got);
		got = 100 * (1 - (double)a.arrived / (double)b.marked);
		cr_assert_float_eq(lost_pct(&b), got, 0.2, "%s: b %.2f, not %.2f", links[i].what,
				   lost_pct(&b), got);
		slack = rtt * 0.05 > 1 ? rtt * 0.05 : 1;
		got = 2 * a.latency / a.latencies;
		cr_assert_float_eq(got, rtt, slack, "%s: RTT %.2f, not %.2f", links[i].what, got,
				   rtt);
		got = 2 * b.latency / b.latencies;
		cr_assert_float_eq(got, rtt, slack, "%s: RTT %.2f, not %.2f", links[i].what, got,
				   rtt);
		check_jitter(&a, mean_jump(ab->jitter_ms, ba->jitter_ms), links[i].what);
		check_jitter(&b, mean_jump(ab->jitter_ms, ba->jitter_ms), links[i].what);
		cr_assert(!a.generated && !b.generated, "%s", links[i].what);
	}
}

/* A side without user traffic answers by itself: loss is known, and the link falls silent. */
Test(fpm_truth, unidirectional, .timeout = 60)
{
	static const struct fl_fpm_cfg cfg = { 10000 * MS, 1000, 0 };
	static const struct direction ab = { 2, 20, 0, 0, GAP }, ba = { 0, 20, 0, 0, 0 };

	simulate(&ab, &ba, &cfg);
	cr_assert(a.losses > 20 && b.losses == 0);
	cr_assert_float_eq(lost_pct(&a), 2, 0.3);
	cr_assert_float_eq(2 * a.latency / a.latencies, 40, 2);
	cr_assert(a.generated == 0 && b.generated > 20 && b.generated <= 25);
	/* One round trip a colour has no jitter; the other two measures are to be chosen by. */
	cr_assert_eq(a.jitters, 0);
	cr_assert_eq(fl_fpm_quality(&a.fpm, &cfg, (struct fl_mono){ END_NS }).has,
		     FL_QUALITY_LOSS | FL_QUALITY_LATENCY);
}
