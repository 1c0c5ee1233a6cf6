/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inline performance monitoring, the part that sums up (svr-protocol.md 4): from the blocks that
 * common/fpm.h fills packet by packet to loss, latency and jitter of one scope. Pure.
 */
#ifndef FL_AGENT_PATH_FPM_H
#define FL_AGENT_PATH_FPM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/fpm.h"

#include "agent/base/monotime.h"
#include "agent/path/mos.h"

#define FL_FPM_SENT_MIN     10    /* P-31: fewer packets make no sample of loss */
#define FL_FPM_CLOSE_MS     1000  /* P-31: after the first report, or two round trips */
#define FL_FPM_VALID_MIN_MS 30000 /* P-33 */
#define FL_FPM_VALID_TIMES  3     /* P-33: intervals */
#define FL_FPM_PATIENCE_MS  1000  /* chosen: wait for user traffic to carry an answer */

/*
 * What one colour amounts to. Loss is final when reports have come for long enough; round trips
 * that are reported later make further samples of that colour, of all so far but without loss.
 */
struct fl_fpm_sample {
	struct fl_mono at;         /* of its last report */
	struct fl_quality quality; /* of our direction: loss; of both: the others */
	uint32_t rtt_us;           /* mean */
	uint32_t rtts;
	uint16_t sent;
	uint16_t received; /* FL_FPM_UNKNOWN if nobody counted */
	uint8_t colour;
};

enum fl_fpm_measure {
	FL_FPM_LATENCY,
	FL_FPM_JITTER,
	FL_FPM_LOSS,
	FL_FPM_MEASURES,
};

/* The agent's side of a scope. */
struct fl_fpm {
	struct fl_fpm_block done[FL_FPM_COLOURS]; /* what was summed up of each */
	struct fl_fpm_sample last;
	uint32_t value[FL_FPM_MEASURES];
	struct fl_mono at[FL_FPM_MEASURES]; /* 0: never measured */
	uint64_t samples;
	/* Of all samples of loss so far: packets sent, and how many of them the peer counted. */
	uint64_t sent;
	uint64_t received;
};

/**
 * fl_fpm_collect() - sum up the colours that are over
 * @scope:       a copy, taken under the scope's lock
 * @ret_samples: the oldest first
 *
 * Call it at least every 15 intervals, or colours are missed. Return: how many.
 */
size_t fl_fpm_collect(struct fl_fpm *fpm, const struct fl_fpm_scope *scope, struct fl_mono now,
		      struct fl_fpm_sample ret_samples[FL_FPM_COLOURS]);

/* The newest of each measure, as far as it is still valid (P-33). */
struct fl_quality fl_fpm_quality(const struct fl_fpm *fpm, const struct fl_fpm_cfg *cfg,
				 struct fl_mono now);

#endif
