// SPDX-License-Identifier: Apache-2.0
/* Link tests: see echo.h. */
#include "agent/path/echo.h"

#include <errno.h>
#include <string.h>

#define LOST UINT32_MAX

/* --- bursts ----------------------------------------------------------------------------------- */

void fl_echo_init(struct fl_echo *echo, const struct fl_echo_cfg *cfg, uint32_t first,
		  struct fl_mono now)
{
	memset(echo, 0, sizeof(*echo));
	echo->cfg = *cfg;
	echo->last_id = first;
	echo->start_at = now;
}

void fl_echo_configure(struct fl_echo *echo, const struct fl_echo_cfg *cfg, struct fl_mono now)
{
	struct fl_mono soonest = fl_mono_add_ms(now, cfg->interval_ms);

	echo->cfg = *cfg;
	if (soonest.ns < echo->start_at.ns)
		echo->start_at = soonest;
}

void fl_echo_restart(struct fl_echo *echo, struct fl_mono now)
{
	for (size_t i = 0; i < FL_ECHO_BURSTS; i++)
		echo->burst[i].id = 0;
	echo->start_at = now;
}

static uint32_t *rtt_of(struct fl_echo *echo, const struct fl_echo_burst *burst)
{
	return echo->rtt_us[burst - echo->burst];
}

static bool is_sending(const struct fl_echo_burst *burst)
{
	return burst->id && burst->sent < burst->length;
}

/* The burst that is being sent, or NULL. */
static struct fl_echo_burst *sending(struct fl_echo *echo)
{
	for (size_t i = 0; i < FL_ECHO_BURSTS; i++)
		if (is_sending(&echo->burst[i]))
			return &echo->burst[i];
	return NULL;
}

bool fl_echo_is_sending(const struct fl_echo *echo)
{
	for (size_t i = 0; i < FL_ECHO_BURSTS; i++)
		if (is_sending(&echo->burst[i]))
			return true;
	return false;
}

uint32_t fl_echo_phase_ms(const struct fl_echo_cfg *cfg, uint16_t path)
{
	return (uint32_t)path / FL_ECHO_TOGETHER * cfg->length * FL_ECHO_SPACING_MS %
	       cfg->interval_ms;
}

/* The beat that is about an interval from now: half of one at least, since one has just begun. */
static struct fl_mono next_beat(const struct fl_echo_cfg *cfg, struct fl_mono now)
{
	const uint64_t interval = cfg->interval_ms * FL_NS_PER_MS;
	const uint64_t soonest = now.ns + interval / 2;
	const uint64_t phase = cfg->phase_ms * FL_NS_PER_MS;

	return (struct fl_mono){ soonest + interval - 1 -
				 (soonest + interval - 1 - phase) % interval };
}

/* Begin a burst where there is room for one. */
static struct fl_echo_burst *begin(struct fl_echo *echo, struct fl_mono now)
{
	struct fl_echo_burst *burst = NULL;

	for (size_t i = 0; i < FL_ECHO_BURSTS; i++)
		if (!echo->burst[i].id)
			burst = &echo->burst[i];
	if (!burst || !echo->cfg.length || !fl_mono_reached(now, echo->start_at))
		return NULL;
	if (!++echo->last_id)
		echo->last_id = 1;
	burst->id = echo->last_id;
	burst->length = echo->cfg.length;
	burst->sent = 0;
	burst->received = 0;
	burst->longest_us = 0;
	echo->start_at = next_beat(&echo->cfg, now);
	return burst;
}

bool fl_echo_tx(struct fl_echo *echo, struct fl_mono now, struct fl_meta_echo *ret_echo)
{
	struct fl_echo_burst *burst = sending(echo);

	if (!burst)
		burst = begin(echo, now);
	else if (!fl_mono_reached(now, fl_mono_add_ms(burst->last_tx, FL_ECHO_SPACING_MS)))
		return false;
	if (!burst)
		return false;
	*ret_echo = (struct fl_meta_echo){ .tx_time_us = now.ns / FL_NS_PER_US,
					   .burst = burst->id,
					   .index = burst->sent,
					   .count = burst->length };
	rtt_of(echo, burst)[burst->sent++] = LOST;
	burst->last_tx = now;
	echo->sent++;
	return true;
}

static int receive(struct fl_echo *echo, const struct fl_meta_echo *said, struct fl_mono at)
{
	uint64_t at_us = at.ns / FL_NS_PER_US;
	uint32_t rtt_us;

	for (size_t i = 0; i < FL_ECHO_BURSTS; i++) {
		struct fl_echo_burst *burst = &echo->burst[i];

		if (!said->burst || burst->id != said->burst)
			continue;
		if (said->index >= burst->sent || said->tx_time_us > at_us ||
		    at_us - said->tx_time_us >= LOST)
			return -EBADMSG;
		if (echo->rtt_us[i][said->index] != LOST)
			return -EALREADY;
		rtt_us = (uint32_t)(at_us - said->tx_time_us);
		echo->rtt_us[i][said->index] = rtt_us;
		if (rtt_us > burst->longest_us)
			burst->longest_us = rtt_us;
		burst->received++;
		return 0;
	}
	return -ESTALE;
}

int fl_echo_rx(struct fl_echo *echo, const struct fl_meta_echo *said, struct fl_mono at)
{
	int err = receive(echo, said, at);

	if (err < 0)
		echo->refused++;
	else
		echo->received++;
	return err;
}

/* 5.3: latency is half the mean round trip, jitter the mean change from one to the next. */
static void summarise(const struct fl_echo_burst *burst, const uint32_t *rtt_us,
		      struct fl_echo_result *result)
{
	struct fl_quality *q = &result->quality;
	uint64_t sum = 0, changes = 0;
	uint32_t last = LOST;

	*result = (struct fl_echo_result){ .sent = burst->sent, .received = burst->received };
	for (size_t i = 0; i < burst->sent; i++) {
		uint32_t rtt = rtt_us[i];

		if (rtt == LOST)
			continue;
		sum += rtt;
		if (last != LOST)
			changes += rtt > last ? rtt - last : last - rtt;
		last = rtt;
	}
	q->has = FL_QUALITY_LOSS;
	q->loss_ppm = (uint32_t)(burst->sent - burst->received) * FL_PPM / burst->sent;
	if (burst->received) {
		q->has |= FL_QUALITY_LATENCY;
		q->latency_us = (uint32_t)(sum / burst->received / 2);
	}
	if (burst->received > 1) {
		q->has |= FL_QUALITY_JITTER;
		q->jitter_us = (uint32_t)(changes / (burst->received - 1u));
	}
}

/*
 * When a burst that was sent is over at the latest: P-36, but who tests more often than that wants
 * to know sooner, and gets no news later than the next burst is sent. Then what has not come half
 * as late again as the latest of its burst counts as lost.
 */
static struct fl_mono burst_end(const struct fl_echo *echo, const struct fl_echo_burst *burst)
{
	const uint32_t longest_ms = burst->longest_us / 1000 + 1;
	const uint32_t later_ms =
		longest_ms / 2 > FL_ECHO_LATER_MS ? longest_ms / 2 : FL_ECHO_LATER_MS;
	uint32_t collect_ms = FL_ECHO_COLLECT_MS;

	if (echo->cfg.interval_ms < collect_ms) {
		collect_ms = echo->cfg.interval_ms;
		if (burst->received && longest_ms + later_ms < collect_ms)
			collect_ms = longest_ms + later_ms;
	}
	return fl_mono_add_ms(burst->last_tx, collect_ms);
}

static bool is_over(const struct fl_echo *echo, const struct fl_echo_burst *burst,
		    struct fl_mono now)
{
	return burst->id && burst->sent == burst->length &&
	       (burst->received == burst->sent || fl_mono_reached(now, burst_end(echo, burst)));
}

bool fl_echo_result(struct fl_echo *echo, struct fl_mono now, struct fl_echo_result *ret_result)
{
	struct fl_echo_burst *first = NULL;

	for (size_t i = 0; i < FL_ECHO_BURSTS; i++) {
		struct fl_echo_burst *burst = &echo->burst[i];

		if (is_over(echo, burst, now) && (!first || burst->last_tx.ns < first->last_tx.ns))
			first = burst;
	}
	if (!first)
		return false;
	summarise(first, rtt_of(echo, first), ret_result);
	first->id = 0;
	return true;
}

struct fl_mono fl_echo_wake(const struct fl_echo *echo)
{
	struct fl_mono wake = { UINT64_MAX }, t;
	bool room = false, busy = false;

	for (size_t i = 0; i < FL_ECHO_BURSTS; i++) {
		const struct fl_echo_burst *burst = &echo->burst[i];

		if (!burst->id) {
			room = true;
			continue;
		}
		t = burst_end(echo, burst);
		if (burst->sent < burst->length) {
			busy = true;
			t = fl_mono_add_ms(burst->last_tx, FL_ECHO_SPACING_MS);
		} else if (burst->received == burst->sent) {
			t = burst->last_tx;
		}
		if (t.ns < wake.ns)
			wake = t;
	}
	if (room && !busy && echo->cfg.length && echo->start_at.ns < wake.ns)
		wake = echo->start_at;
	return wake;
}

/* --- rolling mean ----------------------------------------------------------------------------- */

void fl_rolling_reset(struct fl_rolling *rolling)
{
	rolling->count = 0;
}

void fl_rolling_add(struct fl_rolling *rolling, const struct fl_quality *quality, struct fl_mono at)
{
	uint32_t i = rolling->count++ % FL_ROLLING_SAMPLES;

	rolling->sample[i].at = at;
	rolling->sample[i].quality = *quality;
}

/* One measure's sum so far. Nanoseconds of a window times 32 bits need more than 64 bits. */
struct mean {
	unsigned __int128 sum;
	uint64_t weight;
	bool known;
	uint32_t newest;
};

static void weigh(struct mean *mean, bool has, uint32_t value, uint64_t weight)
{
	if (!has)
		return;
	if (!mean->known)
		mean->newest = value;
	mean->known = true;
	mean->sum += (unsigned __int128)value * weight;
	mean->weight += weight;
}

/* @flag is set in @has if there is a mean. */
static uint32_t mean_of(const struct mean *mean, uint8_t flag, uint8_t *has)
{
	if (!mean->known)
		return 0;
	*has |= flag;
	/* One that came just now. */
	if (!mean->weight)
		return mean->newest;
	return (uint32_t)((mean->sum + mean->weight / 2) / mean->weight);
}

struct fl_quality fl_rolling_mean(const struct fl_rolling *rolling, uint32_t window_ms,
				  struct fl_mono now)
{
	uint64_t window_ns = window_ms * FL_NS_PER_MS, end = now.ns;
	uint64_t begin_ns = now.ns > window_ns ? now.ns - window_ns : 0;
	struct mean latency = { 0 }, jitter = { 0 }, loss = { 0 };
	struct fl_quality mean = { 0 };

	/* From the newest on, until one began before the window. */
	for (uint32_t n = 0; n < rolling->count && n < FL_ROLLING_SAMPLES && end > begin_ns; n++) {
		uint32_t i = (rolling->count - 1 - n) % FL_ROLLING_SAMPLES;
		const struct fl_quality *q = &rolling->sample[i].quality;
		uint64_t from = rolling->sample[i].at.ns, weight;

		if (from > end)
			from = end;
		weight = end - (from > begin_ns ? from : begin_ns);
		weigh(&latency, q->has & FL_QUALITY_LATENCY, q->latency_us, weight);
		weigh(&jitter, q->has & FL_QUALITY_JITTER, q->jitter_us, weight);
		weigh(&loss, q->has & FL_QUALITY_LOSS, q->loss_ppm, weight);
		end = from;
	}
	mean.latency_us = mean_of(&latency, FL_QUALITY_LATENCY, &mean.has);
	mean.jitter_us = mean_of(&jitter, FL_QUALITY_JITTER, &mean.has);
	mean.loss_ppm = mean_of(&loss, FL_QUALITY_LOSS, &mean.has);
	return mean;
}
