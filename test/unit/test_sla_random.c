// SPDX-License-Identifier: Apache-2.0
/* Path selection: what holds for every snapshot, and how sessions spread over many decisions. */
#include "test/unit/sla_build.h"

static uint64_t seed = 88172645463325252;

static uint32_t below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

static struct fl_quality random_quality(void)
{
	struct fl_quality q = { .has = (uint8_t)below(8) };

	if (below(2))
		q.has = FL_QUALITY_ALL;
	q.latency_us = q.has & FL_QUALITY_LATENCY ? below(400000) : 0;
	q.jitter_us = q.has & FL_QUALITY_JITTER ? below(150000) : 0;
	q.loss_ppm = q.has & FL_QUALITY_LOSS ? below(12000) : 0;
	return q;
}

static struct fl_sla_path random_path(uint32_t id)
{
	static const uint32_t costs[] = { 0, 1, 10, 100, FL_SLA_UNLISTED, FL_SLA_NEVER };
	struct fl_sla_path p = { .id = id,
				 .peer = (uint16_t)below(4),
				 .kind = below(5) ? FL_SLA_PEER_PATH : FL_SLA_LOCAL,
				 .from_route = below(8),
				 .up = below(5),
				 .held_down = !below(6),
				 .monitor_only = !below(4),
				 .vector_cost = costs[below(6)],
				 .cost = below(3),
				 .standing = (enum fl_sla_standing)below(3),
				 .bfd = random_quality(),
				 .fpm = random_quality(),
				 .credit = (int64_t)below(100) - 50 };

	if (!below(3))
		p.load = (struct fl_sla_load){ .max_sessions = 1 + below(20),
					       .sessions = below(20),
					       .session_rate = below(10),
					       .rate = below(10),
					       .above_sessions = !below(5),
					       .above_utilisation = !below(5) };
	return p;
}

static void random_snapshot(struct fl_sla_snapshot *in)
{
	memset(in, 0, sizeof(*in));
	in->policy = (struct fl_sla_policy){ .strategy = (enum fl_sla_strategy)below(2),
					     .criterion = (enum fl_sla_criterion)below(3),
					     .quality_filter = below(3),
					     .best_effort = below(2),
					     .max_loss_ppm = below(12000),
					     .max_latency_us = below(400000),
					     .max_jitter_us = below(150000),
					     .min_mos_x100 = (uint16_t)(below(2) * below(450)) };
	in->only_peer = (uint16_t)(below(4) ? 0 : below(4));
	in->avoid_peer = (uint16_t)(below(4) ? 0 : below(4));
	in->n_paths = below(9);
	for (size_t i = 0; i < in->n_paths; i++)
		in->path[i] = random_path((uint32_t)i);
}

/*
 * May it be used at all, and does it violate? Written anew, from the text and not from sla.c, so
 * that both would have to be wrong in the same way.
 */
static bool allowed(const struct fl_sla_snapshot *in, const struct fl_sla_path *p, bool any_route)
{
	const struct fl_sla_load *l = &p->load;

	return p->up && !p->held_down && p->vector_cost != FL_SLA_NEVER &&
	       (p->from_route || !any_route) && (!in->avoid_peer || p->peer != in->avoid_peer) &&
	       (!in->only_peer || p->peer == in->only_peer) &&
	       !(l->max_sessions && l->sessions >= l->max_sessions) &&
	       !(l->session_rate && l->rate >= l->session_rate) && !l->above_sessions &&
	       !l->above_utilisation;
}

static uint32_t newest(const struct fl_sla_path *p, uint8_t flag, uint32_t fpm, uint32_t bfd)
{
	if (!p->monitor_only && (p->fpm.has & flag))
		return fpm;
	return bfd;
}

static bool violates(const struct fl_sla_policy *policy, const struct fl_sla_path *p)
{
	uint32_t latency = newest(p, FL_QUALITY_LATENCY, p->fpm.latency_us, p->bfd.latency_us);
	uint32_t jitter = newest(p, FL_QUALITY_JITTER, p->fpm.jitter_us, p->bfd.jitter_us);
	uint32_t loss = newest(p, FL_QUALITY_LOSS, p->fpm.loss_ppm, p->bfd.loss_ppm);
	unsigned int has = p->bfd.has | (p->monitor_only ? 0u : p->fpm.has);

	if (!policy->quality_filter || p->standing == FL_SLA_MEETS)
		return false;
	if (p->standing == FL_SLA_VIOLATES)
		return true;
	return latency > policy->max_latency_us || jitter > policy->max_jitter_us ||
	       loss > policy->max_loss_ppm ||
	       (has == FL_QUALITY_ALL && fl_mos_x100(latency, jitter, loss) < policy->min_mos_x100);
}

static void check(const struct fl_sla_snapshot *in, const struct fl_sla_decision *d)
{
	size_t n_allowed = 0, n_conform = 0;
	bool any_route = false;

	for (size_t i = 0; i < in->n_paths; i++)
		any_route |= in->path[i].from_route;
	for (size_t i = 0; i < in->n_paths; i++) {
		if (!allowed(in, &in->path[i], any_route))
			continue;
		n_allowed++;
		n_conform += !violates(&in->policy, &in->path[i]);
	}
	/* One is taken if, and only if, one may be. */
	cr_assert_eq(d->chosen >= 0, n_conform > 0 || (n_allowed > 0 && in->policy.best_effort));
	cr_assert_eq(d->result == FL_SLA_OK, n_conform > 0);
	cr_assert_eq(d->result == FL_SLA_NO_PATHS, in->n_paths == 0);
	if (d->chosen < 0)
		return;
	cr_assert(allowed(in, &in->path[d->chosen], any_route));
	cr_assert_eq(violates(&in->policy, &in->path[d->chosen]), n_conform == 0);
	/* And the record says why the others were not. */
	for (size_t i = 0; i < in->n_paths; i++)
		cr_assert_eq(d->verdict[i].reason == FL_SLA_WHY_NOT, (int)i == d->chosen);
}

Test(sla_random, properties)
{
	unsigned int results[FL_SLA_ALL_VIOLATE + 1] = { 0 };

	for (int n = 0; n < 300000; n++) {
		static struct fl_sla_snapshot in;
		static struct fl_sla_decision d, again;

		random_snapshot(&in);
		memset(&d, 0xa5, sizeof(d));
		fl_sla_decide(&in, &d);
		check(&in, &d);
		fl_sla_decide(&in, &again);
		cr_assert(same_decision(&d, &again));
		/* The record is enough to repeat it. */
		fl_sla_decide(&d.in, &again);
		cr_assert(same_decision(&d, &again));
		results[d.result]++;
	}
	for (int r = 0; r <= FL_SLA_ALL_VIOLATE; r++)
		cr_assert_gt(results[r], 1000, "result %d came %u times", r, results[r]);
}

/* Taking away a path that was not taken changes nothing for hunters. */
Test(sla_random, independent_of_what_is_not_taken)
{
	for (int n = 0; n < 100000; n++) {
		static struct fl_sla_snapshot in;
		static struct fl_sla_decision d, without;
		uint32_t id;

		random_snapshot(&in);
		in.policy.strategy = FL_SLA_HUNT;
		fl_sla_decide(&in, &d);
		if (d.chosen < 0 || in.n_paths < 2)
			continue;
		id = in.path[d.chosen].id;
		/* Whether there is any service route must not change by it. */
		if (d.chosen == (int)in.n_paths - 1 || in.path[in.n_paths - 1].from_route)
			continue;
		in.n_paths--;
		fl_sla_decide(&in, &without);
		cr_assert(without.chosen >= 0 && in.path[without.chosen].id == id);
	}
}

/* Sessions spread by capacity, evenly if it is unlimited, and never in lumps. */
Test(sla_random, proportional)
{
	static const struct {
		uint32_t capacity[3];
		unsigned int want[3]; /* of 700 */
	} cases[] = {
		{ { 400, 200, 100 }, { 400, 200, 100 } },
		{ { 5, 5, 60 }, { 50, 50, 600 } },
		{ { 0, 200, 100 }, { 234, 233, 233 } }, /* one is unlimited: all equal */
	};

	for (size_t c = 0; c < 3; c++) {
		struct fl_sla_snapshot in = { .policy = { .strategy = FL_SLA_PROPORTIONAL,
							  .best_effort = true },
					      .n_paths = 4 };
		unsigned int count[4] = { 0 };

		for (size_t i = 0; i < 4; i++)
			in.path[i] = (struct fl_sla_path){ UP };
		for (size_t i = 0; i < 3; i++)
			in.path[i].load.max_sessions = cases[c].capacity[i];
		in.path[3].cost = 1; /* not as good: gets none */
		for (int n = 0; n < 700; n++) {
			static struct fl_sla_decision d;

			fl_sla_decide(&in, &d);
			count[d.chosen]++;
			for (size_t i = 0; i < 4; i++)
				in.path[i].credit = d.verdict[i].credit;
		}
		for (size_t i = 0; i < 3; i++)
			cr_assert_eq(count[i], cases[c].want[i], "case %zu, path %zu: %u", c, i,
				     count[i]);
		cr_assert_eq(count[3], 0);
	}
}
