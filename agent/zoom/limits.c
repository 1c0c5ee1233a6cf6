// SPDX-License-Identifier: Apache-2.0
/* When a request may go out: see limits.h. */
#include "agent/zoom/limits.h"

#include "agent/base/rand.h"

#define DAY_S          86400
#define BACKOFF_MAX_MS 300000
#define SLOWER_MAX_MS  60000

/* 0 to @max milliseconds. */
static uint64_t jitter_ms(uint64_t max)
{
	return fl_rand_u64() % (max + 1);
}

void fl_zoom_limits_init(struct fl_zoom_limits *l, bool business, uint32_t max_daily, double scale,
			 const struct fl_zoom_now *now)
{
	/* A second, by label (zoom-api.md 6); resource-intensive ones are counted by the minute. */
	static const double rates[2][FL_ZOOM_LABELS] = { { 30, 20, 10, 10.0 / 60 },
							 { 80, 60, 40, 20.0 / 60 } };

	*l = (struct fl_zoom_limits){ .max_daily = max_daily, .day = now->s / DAY_S };
	for (int i = 0; i < FL_ZOOM_LABELS; i++) {
		struct fl_zoom_bucket *b = &l->labels[i];

		b->per_s = rates[business][i] / 2 * scale;
		/* At most half of what a second, or for the last label a minute, allows. */
		b->burst = i == FL_ZOOM_RESOURCE ? b->per_s * 60 : b->per_s;
		b->tokens = b->burst;
		b->filled = now->mono;
	}
}

static void fill(struct fl_zoom_bucket *b, struct fl_mono now)
{
	b->tokens += (double)fl_mono_ms_between(b->filled, now) / 1000 * b->per_s;
	if (b->tokens > b->burst)
		b->tokens = b->burst;
	b->filled = now;
}

static void new_day(struct fl_zoom_limits *l, const struct fl_zoom_now *now)
{
	/* A clock that is set back gives nothing back. */
	if (now->s / DAY_S <= l->day)
		return;
	l->day = now->s / DAY_S;
	l->used = 0;
}

/* Per mille of the budget that is kept for what is more important. */
static uint32_t reserve(enum fl_zoom_rank rank, uint32_t max)
{
	static const uint32_t per_mille[] = { 0, 20, 50, 150, 300 };

	return (uint32_t)((uint64_t)max * per_mille[rank] / 1000);
}

bool fl_zoom_limits_is_short(struct fl_zoom_limits *l, enum fl_zoom_rank rank,
			     const struct fl_zoom_now *now)
{
	new_day(l, now);
	return l->max_daily && l->used + reserve(rank, l->max_daily) >= l->max_daily;
}

static struct fl_mono after_s(const struct fl_zoom_now *now, int64_t until_s)
{
	return fl_mono_add_ms(now->mono,
			      until_s > now->s ? (uint64_t)(until_s - now->s) * 1000 : 0);
}

static void later(struct fl_mono *when, struct fl_mono t)
{
	if (t.ns > when->ns)
		*when = t;
}

bool fl_zoom_limits_may(struct fl_zoom_limits *l, enum fl_zoom_label label, enum fl_zoom_rank rank,
			const struct fl_zoom_now *now, struct fl_mono *ret_when)
{
	struct fl_zoom_bucket *b = &l->labels[label];
	struct fl_mono when = now->mono;

	fill(b, now->mono);
	later(&when, l->gate);
	later(&when, b->resume);
	if (b->tomorrow_s > now->s)
		later(&when, after_s(now, b->tomorrow_s));
	else
		b->tomorrow_s = 0;
	if (fl_zoom_limits_is_short(l, rank, now))
		later(&when, after_s(now, (l->day + 1) * DAY_S));
	if (b->tokens < 1)
		later(&when,
		      fl_mono_add_ms(now->mono, (uint64_t)((1 - b->tokens) / b->per_s * 1000) + 1));
	if (fl_mono_reached(now->mono, when))
		return true;
	*ret_when = when;
	return false;
}

void fl_zoom_limits_sent(struct fl_zoom_limits *l, enum fl_zoom_label label,
			 const struct fl_zoom_now *now)
{
	new_day(l, now);
	l->used++;
	l->labels[label].tokens -= 1;
}

void fl_zoom_limits_answered(struct fl_zoom_limits *l, enum fl_zoom_label label)
{
	l->failures = 0;
	l->gate = (struct fl_mono){ 0 };
	l->labels[label].slower = 0;
}

void fl_zoom_limits_slower(struct fl_zoom_limits *l, enum fl_zoom_label label,
			   const struct fl_zoom_now *now)
{
	struct fl_zoom_bucket *b = &l->labels[label];
	uint64_t ms = 1000ULL << (b->slower < 6 ? b->slower : 6);

	/* Requests that were under way together count once. */
	if (!fl_mono_reached(now->mono, b->resume))
		return;
	b->slower++;
	if (ms > SLOWER_MAX_MS)
		ms = SLOWER_MAX_MS;
	b->resume = fl_mono_add_ms(now->mono, ms + jitter_ms(1000));
	l->failures = 0;
}

void fl_zoom_limits_tomorrow(struct fl_zoom_limits *l, enum fl_zoom_label label, int64_t until_s,
			     const struct fl_zoom_now *now)
{
	int64_t midnight = (now->s / DAY_S + 1) * DAY_S;

	/* More than a day ahead, or past, it cannot be what a daily limit means. */
	if (until_s <= now->s || until_s > midnight + DAY_S)
		until_s = midnight + 60 + (int64_t)jitter_ms(240000) / 1000;
	l->labels[label].tomorrow_s = until_s;
	l->failures = 0;
}

uint64_t fl_zoom_backoff_ms(unsigned int failures)
{
	uint64_t ms = 1000ULL << (failures < 10 ? failures : 10);

	return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

void fl_zoom_limits_failed(struct fl_zoom_limits *l, const struct fl_zoom_now *now)
{
	if (!fl_mono_reached(now->mono, l->gate))
		return;
	/* From the tenth on, every five minutes. */
	if (l->failures + 1 >= FL_ZOOM_FAILURES)
		l->gate = fl_mono_add_ms(now->mono, BACKOFF_MAX_MS);
	else
		l->gate = fl_mono_add_ms(now->mono, jitter_ms(fl_zoom_backoff_ms(l->failures)));
	l->failures++;
}

bool fl_zoom_limits_is_daily(const struct fl_zoom_limits *l, const struct fl_zoom_now *now)
{
	for (int i = 0; i < FL_ZOOM_LABELS; i++) {
		if (l->labels[i].tomorrow_s > now->s)
			return true;
	}
	return false;
}
