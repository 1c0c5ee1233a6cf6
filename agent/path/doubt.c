// SPDX-License-Identifier: Apache-2.0
/* Doubt about a path whose peer is late: see doubt.h. */
#include "agent/path/doubt.h"

static struct fl_mono later(struct fl_mono t, uint64_t us)
{
	return (struct fl_mono){ t.ns + us * FL_NS_PER_US };
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void fl_doubt_reset(struct fl_doubt *doubt, struct fl_mono now)
{
	*doubt = (struct fl_doubt){ .heard = now, .rtt_since = now };
}

void fl_doubt_heard(struct fl_doubt *doubt, struct fl_mono at)
{
	if (at.ns > doubt->heard.ns)
		doubt->heard = at;
	doubt->sent = 0;
	doubt->settled = false;
}

/* --- what is known of the path ---------------------------------------------------------------- */

void fl_doubt_rtt(struct fl_doubt *doubt, uint32_t rtt_us, struct fl_mono at)
{
	if (fl_mono_reached(at, fl_mono_add_ms(doubt->rtt_since, FL_DOUBT_RECENT_MS))) {
		doubt->rtt_us[1] = doubt->rtt_us[0];
		doubt->rtt_us[0] = 0;
		doubt->rtt_since = at;
	}
	if (rtt_us > doubt->rtt_us[0])
		doubt->rtt_us[0] = rtt_us;
}

void fl_doubt_measured(struct fl_doubt *doubt, const struct fl_quality *burst,
		       uint32_t mean_loss_ppm, struct fl_mono at)
{
	/* Without a jitter there is no second packet, and not much is known. */
	doubt->measured = burst->has == FL_QUALITY_ALL;
	doubt->measured_at = at;
	doubt->jitter_us = burst->jitter_us;
	doubt->loss_ppm = burst->loss_ppm > mean_loss_ppm ? burst->loss_ppm : mean_loss_ppm;
}

static bool is_known_good(const struct fl_doubt *doubt, struct fl_mono now)
{
	return doubt->measured && doubt->loss_ppm < FL_DOUBT_LOSS_PPM &&
	       !fl_mono_reached(now, fl_mono_add_ms(doubt->measured_at, FL_DOUBT_RECENT_MS));
}

/* --- the questions ---------------------------------------------------------------------------- */

static uint64_t probes_of(const struct fl_doubt_path *path)
{
	return max_u64(path->mult, FL_DOUBT_PROBES_MIN);
}

/* Silence after which the first one is asked. */
static uint64_t first_us(const struct fl_doubt_path *path)
{
	return path->detection_us / (path->mult ? path->mult : 1) * FL_DOUBT_LATE_PCT / 100;
}

/* From one to the next, and from the last one to the verdict: each has time to come back. */
static uint64_t spacing_us(const struct fl_doubt *doubt, const struct fl_doubt_path *path)
{
	uint64_t end = path->detection_us * FL_DOUBT_SHARE_PCT / 100, first = first_us(path);
	uint64_t even = end > first ? (end - first) / probes_of(path) : 0;
	uint64_t trip = 2 * max_u64(doubt->rtt_us[0], doubt->rtt_us[1]) + doubt->jitter_us;

	return max_u64(FL_DOUBT_SPACING_US, max_u64(even, trip));
}

/* Would the timer be as fast? */
static bool is_in_time(const struct fl_doubt *doubt, const struct fl_doubt_path *path)
{
	return first_us(path) + probes_of(path) * spacing_us(doubt, path) < path->detection_us;
}

struct fl_mono fl_doubt_wake(const struct fl_doubt *doubt, const struct fl_doubt_path *path)
{
	if (!path->may_ask || doubt->settled)
		return (struct fl_mono){ UINT64_MAX };
	if (!doubt->sent)
		return later(doubt->heard, first_us(path));
	return later(doubt->probed, spacing_us(doubt, path));
}

void fl_doubt_sent(struct fl_doubt *doubt, struct fl_mono at)
{
	doubt->probed = at;
}

bool fl_doubt_is_asking(const struct fl_doubt *doubt)
{
	return doubt->sent && !doubt->settled;
}

static enum fl_doubt_verdict ask(struct fl_doubt *doubt, struct fl_mono now)
{
	doubt->probed = now;
	doubt->sent++;
	return FL_DOUBT_PROBE;
}

enum fl_doubt_verdict fl_doubt_run(struct fl_doubt *doubt, const struct fl_doubt_path *path,
				   uint64_t strain, struct fl_mono now)
{
	struct fl_mono due = fl_doubt_wake(doubt, path);

	if (!fl_mono_reached(now, due))
		return FL_DOUBT_WAIT;
	if (!doubt->sent && (!is_known_good(doubt, now) || !is_in_time(doubt, path))) {
		doubt->settled = true;
		return FL_DOUBT_WAIT;
	}
	/* What was sent may have been kept from coming back by this host. */
	if (doubt->sent &&
	    (strain != doubt->strain || fl_mono_reached(now, later(due, FL_DOUBT_PUNCTUAL_US))))
		doubt->sent = 0;
	if (!doubt->sent)
		doubt->strain = strain;
	if (doubt->sent < probes_of(path))
		return ask(doubt, now);
	doubt->settled = true;
	return FL_DOUBT_DEAD;
}
