/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a request may go out: token buckets at half of Zoom's rates, pauses that 429 asked for, the
 * budget of a day, and the backoff while nothing answers (zoom-api.md 6 and 9). One for each Zoom
 * account, whoever asks. Pure but for randomness; the caller says what time it is.
 */
#ifndef FL_AGENT_ZOOM_LIMITS_H
#define FL_AGENT_ZOOM_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/monotime.h"

enum fl_zoom_label {
	FL_ZOOM_LIGHT,
	FL_ZOOM_MEDIUM,
	FL_ZOOM_HEAVY,
	FL_ZOOM_RESOURCE, /* resource-intensive */
	FL_ZOOM_LABELS,
};

/* What goes first when the day's budget runs short: the earlier the more important. */
enum fl_zoom_rank {
	FL_ZOOM_RANK_QOS,
	FL_ZOOM_RANK_LIST, /* without it there is nothing to ask QoS of */
	FL_ZOOM_RANK_PARTICIPANTS,
	FL_ZOOM_RANK_FEEDBACK,
	FL_ZOOM_RANK_LIVE,
};

#define FL_ZOOM_FAILURES 10 /* in a row, then the account counts as failed */

/* What the caller knows of time. */
struct fl_zoom_now {
	struct fl_mono mono;
	int64_t s; /* Zoom's clock: seconds since 1970 */
};

struct fl_zoom_bucket {
	double per_s;
	double burst;
	double tokens;
	struct fl_mono filled;
	unsigned int slower; /* 429 in a row */
	struct fl_mono resume;
	int64_t tomorrow_s; /* paused until then, 0: not */
};

struct fl_zoom_limits {
	struct fl_zoom_bucket labels[FL_ZOOM_LABELS];
	uint32_t max_daily; /* 0: no budget of our own */
	uint32_t used;
	int64_t day; /* that used is of, days since 1970 */
	unsigned int failures;
	struct fl_mono gate; /* nothing goes out before */
};

/**
 * fl_zoom_limits_init() - full buckets
 * @business: Business plan or higher, else Pro
 * @scale:    1; tests with a server of their own may ask for more
 */
void fl_zoom_limits_init(struct fl_zoom_limits *l, bool business, uint32_t max_daily, double scale,
			 const struct fl_zoom_now *now);

/**
 * fl_zoom_limits_may() - may a request of this label go out now?
 * @ret_when: if not, when to ask again
 */
bool fl_zoom_limits_may(struct fl_zoom_limits *l, enum fl_zoom_label label, enum fl_zoom_rank rank,
			const struct fl_zoom_now *now, struct fl_mono *ret_when);

/* It went out. */
void fl_zoom_limits_sent(struct fl_zoom_limits *l, enum fl_zoom_label label,
			 const struct fl_zoom_now *now);

/* An answer came that is no fault of the server's or of the network's. */
void fl_zoom_limits_answered(struct fl_zoom_limits *l, enum fl_zoom_label label);

/* 429 for a second or a minute: 1 s and up to 1 s more, doubling to 60 s. */
void fl_zoom_limits_slower(struct fl_zoom_limits *l, enum fl_zoom_label label,
			   const struct fl_zoom_now *now);

/* 429 for the day. @until_s: what Retry-After said, 0: nothing. */
void fl_zoom_limits_tomorrow(struct fl_zoom_limits *l, enum fl_zoom_label label, int64_t until_s,
			     const struct fl_zoom_now *now);

/* Nothing, or nothing of use, came: 1 s doubling to 5 min, full jitter. */
void fl_zoom_limits_failed(struct fl_zoom_limits *l, const struct fl_zoom_now *now);

/* Is any label paused for the day? */
bool fl_zoom_limits_is_daily(const struct fl_zoom_limits *l, const struct fl_zoom_now *now);
/* Is the day's budget too small for requests of this rank? */
bool fl_zoom_limits_is_short(struct fl_zoom_limits *l, enum fl_zoom_rank rank,
			     const struct fl_zoom_now *now);

/* Milliseconds to wait after @failures in a row. */
uint64_t fl_zoom_backoff_ms(unsigned int failures);

#endif
