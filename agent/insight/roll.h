/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums over many participant-minutes of a site, from which means are drawn (zoom-api.md 10, site
 * aggregation). Figures are added as hundredths, in integers: sums do not depend on the order, and
 * what was added can be taken out again to the last digit.
 */
#ifndef FL_AGENT_INSIGHT_ROLL_H
#define FL_AGENT_INSIGHT_ROLL_H

#include "agent/insight/types.h"

/* Series of the site graphs: three metrics of six streams each, and one more. */
#define FL_SERIES_LATENCY 0
#define FL_SERIES_JITTER  (FL_SERIES_LATENCY + FL_STREAM_MAX)
#define FL_SERIES_LOSS    (FL_SERIES_JITTER + FL_STREAM_MAX)
#define FL_SERIES_CPU     (FL_SERIES_LOSS + FL_STREAM_MAX)
#define FL_SERIES_MAX     (FL_SERIES_CPU + 1)

/* "wan-avg-latency" lies beside them: it comes from the router. */
#define FL_SERIES_WAN_NAME "wan-avg-latency"

#define FL_SHORT_BUCKET_S 600
#define FL_LONG_BUCKET_S  3600

struct fl_roll {
	int64_t sum[FL_SERIES_MAX]; /* hundredths */
	int64_t count[FL_SERIES_MAX];
	int64_t minutes;
	int64_t bad;
	int64_t bad_by[FL_CATEGORY_MAX]; /* of those that were ranked */
};

/* Router round trips of a bucket: one value a minute. */
struct fl_wan_roll {
	int64_t sum_us;
	int64_t count;
};

/* A figure as it is summed and stored; 0 for NAN. */
int64_t fl_roll_hundredths(double value);

/* Value of series @series in @minute, or NAN. */
double fl_roll_value(const struct fl_call_minute *minute, unsigned int series);

/* @sign: 1 adds, -1 takes out what was added before. */
void fl_roll_add(struct fl_roll *roll, const struct fl_call_minute *minute, int sign);

/* Add all of @from to @to. */
void fl_roll_merge(struct fl_roll *to, const struct fl_roll *from);

/* Mean of a series; NAN if nothing is in it: a gap in the graph. */
double fl_roll_mean(const struct fl_roll *roll, unsigned int series);

/* NAN if @roll is empty. */
double fl_wan_roll_mean_ms(const struct fl_wan_roll *roll);

/**
 * fl_wan_minute_rtt() - round trip of a site in one minute
 * @paths: the site's paths in that minute
 *
 * Mean over active paths that have a value, weighted by Zoom bytes where they are known and any
 * were sent. Return: milliseconds, NAN if no active path has a value.
 */
double fl_wan_minute_rtt(const struct fl_path_minute *paths, unsigned int count);

/* Seconds of a bucket of a graph from @from_s to @to_s: the edge is at 24 h. */
static inline int64_t fl_bucket_width(int64_t from_s, int64_t to_s)
{
	return to_s - from_s < 86400 ? FL_SHORT_BUCKET_S : FL_LONG_BUCKET_S;
}

/* First second of the bucket that @t_s lies in; buckets are aligned to multiples since 1970. */
static inline int64_t fl_bucket_start(int64_t t_s, int64_t width_s)
{
	int64_t rest = t_s % width_s;

	return t_s - (rest < 0 ? rest + width_s : rest);
}

/* "latency.audio_in" into @buf, which is returned. */
const char *fl_series_name(unsigned int series, char buf[32]);

#endif
