// SPDX-License-Identifier: Apache-2.0
/* Sums and means: see roll.h. Pure. */
#include "agent/insight/roll.h"

#include <stdio.h>

#include "agent/insight/score.h"

int64_t fl_roll_hundredths(double value)
{
	return isnan(value) ? 0 : llround(value * 100);
}

double fl_roll_value(const struct fl_call_minute *minute, unsigned int series)
{
	const struct fl_stream_minute *s;

	if (series == FL_SERIES_CPU)
		return minute->cpu_system_pct;
	s = &minute->streams[series % FL_STREAM_MAX];
	switch (series / FL_STREAM_MAX) {
	case 0:
		return s->latency_ms;
	case 1:
		return s->jitter_ms;
	default:
		return s->loss_pct;
	}
}

void fl_roll_add(struct fl_roll *roll, const struct fl_call_minute *minute, int sign)
{
	for (unsigned int i = 0; i < FL_SERIES_MAX; i++) {
		double value = fl_roll_value(minute, i);

		if (isnan(value))
			continue;
		roll->sum[i] += sign * fl_roll_hundredths(value);
		roll->count[i] += sign;
	}
	roll->minutes += sign;
}

void fl_roll_merge(struct fl_roll *to, const struct fl_roll *from)
{
	for (unsigned int i = 0; i < FL_SERIES_MAX; i++) {
		to->sum[i] += from->sum[i];
		to->count[i] += from->count[i];
	}
	to->minutes += from->minutes;
	to->bad += from->bad;
	for (unsigned int i = 0; i < FL_CATEGORY_MAX; i++)
		to->bad_by[i] += from->bad_by[i];
}

double fl_roll_mean(const struct fl_roll *roll, unsigned int series)
{
	if (roll->count[series] <= 0)
		return NAN;
	return (double)roll->sum[series] / (double)roll->count[series] / 100;
}

double fl_wan_roll_mean_ms(const struct fl_wan_roll *roll)
{
	return roll->count > 0 ? (double)roll->sum_us / (double)roll->count / 1000 : NAN;
}

double fl_wan_minute_rtt(const struct fl_path_minute *paths, unsigned int count)
{
	double sum = 0, weighted = 0, bytes = 0;
	bool weights = true;
	int n = 0;

	for (unsigned int i = 0; i < count; i++) {
		if (!paths[i].active || isnan(paths[i].rtt_ms))
			continue;
		n++;
		sum += paths[i].rtt_ms;
		if (isnan(paths[i].zoom_bytes)) {
			weights = false;
			continue;
		}
		bytes += paths[i].zoom_bytes;
		weighted += paths[i].zoom_bytes * paths[i].rtt_ms;
	}
	if (!n)
		return NAN;
	return weights && bytes > 0 ? weighted / bytes : sum / n;
}

const char *fl_series_name(unsigned int series, char buf[32])
{
	static const char *const metrics[] = { "latency", "jitter", "loss" };

	if (series == FL_SERIES_CPU)
		snprintf(buf, 32, "cpu.system_max");
	else
		snprintf(buf, 32, "%s.%s", metrics[series / FL_STREAM_MAX % 3],
			 fl_stream_name(series % FL_STREAM_MAX));
	return buf;
}
