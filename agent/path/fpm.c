// SPDX-License-Identifier: Apache-2.0
/* Inline performance monitoring: see fpm.h. */
#include "agent/path/fpm.h"

/* Steps 4 to 6 of P-31, for one colour. */
static struct fl_fpm_sample summarise(const struct fl_fpm_block *block, uint8_t colour)
{
	struct fl_fpm_sample s = { .at = { block->last_ns },
				   .sent = block->sent,
				   .received = block->count,
				   .rtts = block->rtt_count,
				   .colour = colour };
	uint32_t lost = 0;

	if (block->rtt_count) {
		s.rtt_us = (uint32_t)(block->rtt_sum_us / block->rtt_count);
		s.quality.latency_us = s.rtt_us / 2;
		s.quality.has |= FL_QUALITY_LATENCY;
	}
	if (block->jitter_count) {
		s.quality.jitter_us = (uint32_t)(block->jitter_sum_us / block->jitter_count);
		s.quality.has |= FL_QUALITY_JITTER;
	}
	if (block->sent >= FL_FPM_SENT_MIN && block->count != FL_FPM_UNKNOWN) {
		/* Packets that the network doubled are no gain. */
		if (block->sent > block->count)
			lost = (uint32_t)block->sent - block->count;
		s.quality.loss_ppm = (uint32_t)((uint64_t)lost * FL_PPM / block->sent);
		s.quality.has |= FL_QUALITY_LOSS;
	}
	return s;
}

/* Is it time for a sample of this colour: will no more be reported, or has enough been? */
static bool is_due(const struct fl_fpm_scope *scope, const struct fl_fpm_block *done,
		   uint8_t colour, struct fl_mono now)
{
	const struct fl_fpm_block *block = &scope->reports.block[colour];
	uint64_t wait_ns = FL_FPM_CLOSE_MS * FL_NS_PER_MS, from_ns = block->first_ns;

	if (!block->first_ns)
		return false;
	if (block->first_ns == done->first_ns) {
		if (block->rtt_count == done->rtt_count)
			return false;
		from_ns = done->last_ns;
	}
	if (scope->reports.colour != colour)
		return true;
	if (block->rtt_last_us * FL_NS_PER_US * 2 > wait_ns)
		wait_ns = block->rtt_last_us * FL_NS_PER_US * 2;
	return fl_mono_reached(now, (struct fl_mono){ from_ns + wait_ns });
}

static void remember(struct fl_fpm *fpm, enum fl_fpm_measure measure, bool has, uint32_t value,
		     struct fl_mono at)
{
	if (!has)
		return;
	fpm->value[measure] = value;
	fpm->at[measure] = at;
}

static void add_sample(struct fl_fpm *fpm, const struct fl_fpm_sample *s)
{
	const struct fl_quality *q = &s->quality;

	remember(fpm, FL_FPM_LATENCY, q->has & FL_QUALITY_LATENCY, q->latency_us, s->at);
	remember(fpm, FL_FPM_JITTER, q->has & FL_QUALITY_JITTER, q->jitter_us, s->at);
	remember(fpm, FL_FPM_LOSS, q->has & FL_QUALITY_LOSS, q->loss_ppm, s->at);
	if (q->has & FL_QUALITY_LOSS) {
		fpm->sent += s->sent;
		fpm->received += s->received < s->sent ? s->received : s->sent;
	}
	fpm->last = *s;
	fpm->samples++;
}

size_t fl_fpm_collect(struct fl_fpm *fpm, const struct fl_fpm_scope *scope, struct fl_mono now,
		      struct fl_fpm_sample ret_samples[FL_FPM_COLOURS])
{
	size_t count = 0;

	/* The oldest block is the one behind the one that is being written. */
	for (uint8_t i = 1; i <= FL_FPM_COLOURS; i++) {
		uint8_t colour = (scope->reports.colour + i) & FL_FPM_COLOUR_MASK;
		const struct fl_fpm_block *block = &scope->reports.block[colour];
		struct fl_fpm_block whole = *block;

		if (!is_due(scope, &fpm->done[colour], colour, now))
			continue;
		if (block->first_ns == fpm->done[colour].first_ns)
			whole.sent = 0; /* its loss is known */
		ret_samples[count] = summarise(&whole, colour);
		add_sample(fpm, &ret_samples[count++]);
		fpm->done[colour] = *block;
		fpm->done[colour].last_ns = now.ns;
	}
	return count;
}

struct fl_quality fl_fpm_quality(const struct fl_fpm *fpm, const struct fl_fpm_cfg *cfg,
				 struct fl_mono now)
{
	static const uint8_t flags[FL_FPM_MEASURES] = { FL_QUALITY_LATENCY, FL_QUALITY_JITTER,
							FL_QUALITY_LOSS };
	uint64_t valid_ns = FL_FPM_VALID_TIMES * cfg->interval_ns;
	struct fl_quality q = { .latency_us = fpm->value[FL_FPM_LATENCY],
				.jitter_us = fpm->value[FL_FPM_JITTER],
				.loss_ppm = fpm->value[FL_FPM_LOSS] };

	if (valid_ns < FL_FPM_VALID_MIN_MS * FL_NS_PER_MS)
		valid_ns = FL_FPM_VALID_MIN_MS * FL_NS_PER_MS;
	for (int m = 0; cfg->interval_ns && m < FL_FPM_MEASURES; m++)
		if (fpm->at[m].ns &&
		    !fl_mono_reached(now, (struct fl_mono){ fpm->at[m].ns + valid_ns }))
			q.has |= flags[m];
	q.latency_us = q.has & FL_QUALITY_LATENCY ? q.latency_us : 0;
	q.jitter_us = q.has & FL_QUALITY_JITTER ? q.jitter_us : 0;
	q.loss_ppm = q.has & FL_QUALITY_LOSS ? q.loss_ppm : 0;
	return q;
}
