// SPDX-License-Identifier: Apache-2.0
/* Path selection: see sla.h. The steps are those of P-39. */
#include "agent/path/sla.h"

#include <stdio.h>
#include <string.h>

/* --- quality ---------------------------------------------------------------------------------- */

static uint32_t pick(const struct fl_quality *fpm, const struct fl_quality *bfd, uint8_t flag,
		     uint32_t of_fpm, uint32_t of_bfd)
{
	if (fpm->has & flag)
		return of_fpm;
	return bfd->has & flag ? of_bfd : 0;
}

struct fl_quality fl_sla_quality(const struct fl_sla_path *path, uint8_t *ret_fpm)
{
	struct fl_quality f = path->fpm, b = path->bfd;

	if (path->monitor_only)
		f = (struct fl_quality){ 0 };
	*ret_fpm = f.has;
	return (struct fl_quality){
		.latency_us = pick(&f, &b, FL_QUALITY_LATENCY, f.latency_us, b.latency_us),
		.jitter_us = pick(&f, &b, FL_QUALITY_JITTER, f.jitter_us, b.jitter_us),
		.loss_ppm = pick(&f, &b, FL_QUALITY_LOSS, f.loss_ppm, b.loss_ppm),
		.has = f.has | b.has,
	};
}

uint8_t fl_sla_breaks(const struct fl_sla_policy *policy, const struct fl_quality *q)
{
	uint16_t mos = fl_mos_of(q);
	unsigned int breaks = 0;

	if (!policy->quality_filter)
		return 0;
	if ((q->has & FL_QUALITY_LOSS) && q->loss_ppm > policy->max_loss_ppm)
		breaks |= FL_SLA_LOSS;
	if ((q->has & FL_QUALITY_LATENCY) && q->latency_us > policy->max_latency_us)
		breaks |= FL_SLA_LATENCY;
	if ((q->has & FL_QUALITY_JITTER) && q->jitter_us > policy->max_jitter_us)
		breaks |= FL_SLA_JITTER;
	if (mos && mos < policy->min_mos_x100)
		breaks |= FL_SLA_MOS;
	return (uint8_t)breaks;
}

static uint8_t unmeasured(const struct fl_sla_policy *policy, const struct fl_quality *q)
{
	unsigned int bits = 0;

	if (!policy->quality_filter)
		return 0;
	if (!(q->has & FL_QUALITY_LOSS))
		bits |= FL_SLA_LOSS;
	if (!(q->has & FL_QUALITY_LATENCY))
		bits |= FL_SLA_LATENCY;
	if (!(q->has & FL_QUALITY_JITTER))
		bits |= FL_SLA_JITTER;
	if (policy->min_mos_x100 && q->has != FL_QUALITY_ALL)
		bits |= FL_SLA_MOS;
	return (uint8_t)bits;
}

static void measure(const struct fl_sla_policy *policy, const struct fl_sla_path *path,
		    struct fl_sla_verdict *v)
{
	v->quality = fl_sla_quality(path, &v->fpm);
	v->mos_x100 = fl_mos_of(&v->quality);
	v->breaks = fl_sla_breaks(policy, &v->quality);
	v->unmeasured = unmeasured(policy, &v->quality);
	v->violates = path->standing == FL_SLA_UNJUDGED ? v->breaks != 0
							: path->standing == FL_SLA_VIOLATES;
	if (!policy->quality_filter)
		v->violates = false;
	v->credit = path->credit;
}

/* --- vectors ---------------------------------------------------------------------------------- */

uint32_t fl_sla_ordered_cost(size_t index)
{
	uint32_t cost = 1;

	if (index >= 6)
		return FL_SLA_PRIORITY_MAX;
	while (index--)
		cost *= 10;
	return cost;
}

uint32_t fl_sla_vector_cost(const struct fl_sla_vector *vectors, size_t n_vectors,
			    const char *const *labels, size_t n_labels)
{
	uint32_t best = FL_SLA_UNLISTED;

	if (!n_vectors)
		return 0;
	for (size_t v = 0; v < n_vectors; v++)
		for (size_t l = 0; l < n_labels; l++) {
			if (strcmp(vectors[v].name, labels[l]))
				continue;
			if (vectors[v].cost == FL_SLA_NEVER)
				return FL_SLA_NEVER;
			if (vectors[v].cost < best)
				best = vectors[v].cost;
		}
	return best;
}

/* --- steps 1 to 3: who is left ---------------------------------------------------------------- */

static enum fl_sla_reason unusable(const struct fl_sla_snapshot *in, const struct fl_sla_path *path,
				   bool any_route)
{
	if (any_route && !path->from_route)
		return FL_SLA_WHY_NO_ROUTE;
	if (in->avoid_peer && path->peer == in->avoid_peer)
		return FL_SLA_WHY_FROM_PEER;
	if (in->only_peer && path->peer != in->only_peer)
		return FL_SLA_WHY_OTHER_PEER;
	if (path->vector_cost == FL_SLA_NEVER)
		return FL_SLA_WHY_NEVER;
	if (!path->up)
		return FL_SLA_WHY_DOWN;
	return path->held_down ? FL_SLA_WHY_HOLD_DOWN : FL_SLA_WHY_NOT;
}

static enum fl_sla_reason full(const struct fl_sla_load *load)
{
	if (load->max_sessions && load->sessions >= load->max_sessions)
		return FL_SLA_WHY_MAX_SESSIONS;
	if (load->session_rate && load->rate >= load->session_rate)
		return FL_SLA_WHY_SESSION_RATE;
	if (load->above_sessions)
		return FL_SLA_WHY_HIGH_WATER;
	return load->above_utilisation ? FL_SLA_WHY_UTILISATION : FL_SLA_WHY_NOT;
}

/* Reasons of all candidates, FL_SLA_WHY_NOT for those that are left. Return: why none is, or OK. */
static enum fl_sla_result filter(struct fl_sla_decision *d)
{
	const struct fl_sla_snapshot *in = &d->in;
	size_t usable = 0, open = 0, conform = 0;
	bool any_route = false;

	for (size_t i = 0; i < in->n_paths; i++)
		any_route |= in->path[i].from_route;
	for (size_t i = 0; i < in->n_paths; i++) {
		struct fl_sla_verdict *v = &d->verdict[i];

		measure(&in->policy, &in->path[i], v);
		v->reason = unusable(in, &in->path[i], any_route);
		if (v->reason)
			continue;
		usable++;
		v->reason = full(&in->path[i].load);
		if (v->reason)
			continue;
		open++;
		conform += !v->violates;
	}
	if (!open)
		return usable ? FL_SLA_NO_CAPACITY : FL_SLA_NONE_USABLE;
	if (!conform && in->policy.best_effort)
		return FL_SLA_OK_BEST_EFFORT;
	for (size_t i = 0; i < in->n_paths; i++)
		if (!d->verdict[i].reason && d->verdict[i].violates)
			d->verdict[i].reason = FL_SLA_WHY_SLA;
	return conform ? FL_SLA_OK : FL_SLA_ALL_VIOLATE;
}

/* --- steps 4 and 5: the best of them ---------------------------------------------------------- */

/* What a path is sorted by, smaller is better. */
static uint64_t key_of(const struct fl_sla_decision *d, size_t i)
{
	const struct fl_sla_verdict *v = &d->verdict[i];

	switch (d->in.policy.criterion) {
	case FL_SLA_BY_LATENCY:
		if (!(v->quality.has & FL_QUALITY_LATENCY))
			return UINT64_MAX;
		return ((uint64_t)v->quality.latency_us + 500) / 1000;
	case FL_SLA_BY_MOS:
		return v->mos_x100 ? (uint64_t)(FL_MOS_MAX - v->mos_x100) : UINT64_MAX;
	case FL_SLA_BY_VECTOR:
		break;
	}
	return d->in.path[i].vector_cost;
}

/* Are they equally good? Then only their order, or their turn, tells them apart. */
static bool equal(const struct fl_sla_decision *d, size_t a, size_t b)
{
	return key_of(d, a) == key_of(d, b) && d->in.path[a].cost == d->in.path[b].cost;
}

/* Unlimited is the highest capacity. */
static uint64_t capacity(const struct fl_sla_decision *d, size_t i)
{
	uint32_t max = d->in.path[i].load.max_sessions;

	return max ? max : UINT64_MAX;
}

/* The whole order: criterion, cost, for hunting the capacity, then as configured. */
static bool before(const struct fl_sla_decision *d, size_t a, size_t b)
{
	uint64_t key_a = key_of(d, a), key_b = key_of(d, b);

	if (key_a != key_b)
		return key_a < key_b;
	if (d->in.path[a].cost != d->in.path[b].cost)
		return d->in.path[a].cost < d->in.path[b].cost;
	if (d->in.policy.strategy == FL_SLA_HUNT && capacity(d, a) != capacity(d, b))
		return capacity(d, a) > capacity(d, b);
	return a < b;
}

bool fl_sla_is_gain(const struct fl_sla_decision *decision, size_t other, size_t here)
{
	const uint64_t better = key_of(decision, other), worse = key_of(decision, here);
	uint64_t margin = 1;

	if (better == worse)
		return decision->in.path[other].cost < decision->in.path[here].cost;
	if (decision->in.policy.criterion == FL_SLA_BY_LATENCY)
		margin = FL_SLA_GAIN_LATENCY_MS;
	else if (decision->in.policy.criterion == FL_SLA_BY_MOS)
		margin = FL_SLA_GAIN_MOS_X100;
	/* Of one that has just begun to be measured nothing is known yet. */
	return worse != UINT64_MAX && worse >= better + margin;
}

/* Ranks of those that are left; the best one, or -1. */
static int rank(struct fl_sla_decision *d)
{
	int best = -1;

	for (size_t i = 0; i < d->in.n_paths; i++) {
		if (d->verdict[i].reason)
			continue;
		d->verdict[i].rank = 1;
		for (size_t other = 0; other < d->in.n_paths; other++)
			if (other != i && !d->verdict[other].reason && before(d, other, i))
				d->verdict[i].rank++;
		if (d->verdict[i].rank == 1)
			best = (int)i;
	}
	return best;
}

/* Weight for round robin: the capacity, or the same for all if one is unlimited. */
static int64_t weight(const struct fl_sla_decision *d, size_t i, bool weighted)
{
	return weighted ? (int64_t)d->in.path[i].load.max_sessions : 1;
}

/*
 * Smooth weighted round robin among those as good as @best: everyone's credit grows by its weight,
 * the richest one is taken and pays what all have got.
 */
static int take_turns(struct fl_sla_decision *d, int best)
{
	bool weighted = true;
	int64_t total = 0;
	int chosen = -1;

	for (size_t i = 0; i < d->in.n_paths; i++)
		if (!d->verdict[i].reason && equal(d, i, (size_t)best))
			weighted &= d->in.path[i].load.max_sessions != 0;
	for (size_t i = 0; i < d->in.n_paths; i++) {
		struct fl_sla_verdict *v = &d->verdict[i];

		if (v->reason || !equal(d, i, (size_t)best))
			continue;
		v->credit += weight(d, i, weighted);
		total += weight(d, i, weighted);
		if (chosen < 0 || v->credit > d->verdict[chosen].credit)
			chosen = (int)i;
	}
	d->verdict[chosen].credit -= total;
	return chosen;
}

void fl_sla_decide(const struct fl_sla_snapshot *snapshot, struct fl_sla_decision *ret_decision)
{
	struct fl_sla_decision *d = ret_decision;
	int best;

	memset(d, 0, sizeof(*d));
	d->in = *snapshot;
	d->chosen = -1;
	if (d->in.n_paths > FL_SLA_MAX_PATHS)
		d->in.n_paths = FL_SLA_MAX_PATHS;
	if (!d->in.n_paths) {
		d->result = FL_SLA_NO_PATHS;
		return;
	}
	d->result = filter(d);
	if (d->result > FL_SLA_OK_BEST_EFFORT)
		return;
	best = rank(d);
	d->chosen = d->in.policy.strategy == FL_SLA_PROPORTIONAL ? take_turns(d, best) : best;
	for (size_t i = 0; i < d->in.n_paths; i++) {
		bool equals = equal(d, i, (size_t)d->chosen);

		if (!d->verdict[i].reason && (int)i != d->chosen)
			d->verdict[i].reason = equals ? FL_SLA_WHY_TURN : FL_SLA_WHY_WORSE;
	}
}

/* --- memory ----------------------------------------------------------------------------------- */

bool fl_sla_judge(struct fl_sla_hysteresis *h, bool bad, uint32_t evaluate_ms, uint32_t hold_ms,
		  struct fl_mono now)
{
	bool was = h->violated;

	if (h->judged.ns && !fl_mono_reached(now, fl_mono_add_ms(h->judged, evaluate_ms)))
		return false;
	h->judged = now;
	if (bad) {
		h->worst = now;
		h->good = 0;
		if (h->bad < FL_SLA_BAD)
			h->bad++;
		h->violated |= h->bad >= FL_SLA_BAD;
	} else {
		h->bad = 0;
		if (h->good < FL_SLA_GOOD)
			h->good++;
		if (h->good >= FL_SLA_GOOD &&
		    fl_mono_reached(now, fl_mono_add_ms(h->worst, hold_ms)))
			h->violated = false;
	}
	return h->violated != was;
}

bool fl_sla_above(bool was_above, uint32_t value, uint32_t high, uint32_t low)
{
	if (!high)
		return false;
	if (!low || low > high)
		low = high;
	return value >= (was_above ? low : high);
}
