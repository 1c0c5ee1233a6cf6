// SPDX-License-Identifier: Apache-2.0
/* Decisions about paths, for people: see sla.h. */
#include "agent/path/sla.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const reasons[] = {
#define X(name, text) [FL_SLA_WHY_##name] = (text),
	FL_SLA_REASONS(X)
#undef X
};

const char *fl_sla_reason_text(enum fl_sla_reason reason)
{
	return reason < FL_SLA_WHY_MAX ? reasons[reason] : "unknown";
}

const char *fl_sla_result_text(enum fl_sla_result result)
{
	switch (result) {
	case FL_SLA_OK:
		return "a path was chosen";
	case FL_SLA_OK_BEST_EFFORT:
		return "no path meets the service level: best effort";
	case FL_SLA_NO_PATHS:
		return "there are no paths";
	case FL_SLA_NONE_USABLE:
		return "no path can be used";
	case FL_SLA_NO_CAPACITY:
		return "all usable paths are full";
	case FL_SLA_ALL_VIOLATE:
		return "no path meets the service level, and best-effort is off";
	}
	return "unknown";
}

struct line {
	char *text;
	size_t size;
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
	va_list args;
	int n;

	if (line->len >= line->size)
		return;
	va_start(args, format);
	n = vsnprintf(line->text + line->len, line->size - line->len, format, args);
	va_end(args);
	line->len = n < 0 ? line->size : line->len + (size_t)n;
}

static void add_quality(struct line *line, const struct fl_sla_verdict *v)
{
	const struct fl_quality *q = &v->quality;

	if (!q->has) {
		add(line, "; not measured");
		return;
	}
	if (q->has & FL_QUALITY_LATENCY)
		add(line, "; latency %u.%u ms (%s)", q->latency_us / 1000, q->latency_us / 100 % 10,
		    v->fpm & FL_QUALITY_LATENCY ? "FPM" : "BFD");
	if (q->has & FL_QUALITY_JITTER)
		add(line, "; jitter %u.%u ms (%s)", q->jitter_us / 1000, q->jitter_us / 100 % 10,
		    v->fpm & FL_QUALITY_JITTER ? "FPM" : "BFD");
	if (q->has & FL_QUALITY_LOSS)
		add(line, "; loss %u.%02u %% (%s)", q->loss_ppm / 10000, q->loss_ppm / 100 % 100,
		    v->fpm & FL_QUALITY_LOSS ? "FPM" : "BFD");
	if (v->mos_x100)
		add(line, "; MOS %u.%02u", v->mos_x100 / 100u, v->mos_x100 % 100u);
}

static void add_limits(struct line *line, const struct fl_sla_policy *p,
		       const struct fl_sla_verdict *v)
{
	if (v->breaks & FL_SLA_LOSS)
		add(line, "; above max-loss %u.%02u %%", p->max_loss_ppm / 10000,
		    p->max_loss_ppm / 100 % 100);
	if (v->breaks & FL_SLA_LATENCY)
		add(line, "; above max-latency %u ms", p->max_latency_us / 1000);
	if (v->breaks & FL_SLA_JITTER)
		add(line, "; above max-jitter %u ms", p->max_jitter_us / 1000);
	if (v->breaks & FL_SLA_MOS)
		add(line, "; below min-mos %u.%02u", p->min_mos_x100 / 100u,
		    p->min_mos_x100 % 100u);
	if (v->violates && !v->breaks)
		add(line, "; within the limits, but not for long enough");
	if (!v->violates && v->breaks)
		add(line, "; beyond the limits, but not for long enough");
}

void fl_sla_explain(const struct fl_sla_decision *decision, size_t index, char *text, size_t size)
{
	const struct fl_sla_verdict *v = &decision->verdict[index];
	const struct fl_sla_path *p = &decision->in.path[index];
	struct line line = { text, size, 0 };

	if (!size)
		return;
	text[0] = 0;
	/* Left over when nothing was chosen: the result says why. */
	if (v->reason == FL_SLA_WHY_NOT && decision->chosen != (int)index)
		add(&line, "not looked at");
	else
		add(&line, "%s", reasons[v->reason]);
	if (v->rank)
		add(&line, "; rank %u", v->rank);
	if (p->vector_cost == FL_SLA_UNLISTED)
		add(&line, "; vector not listed");
	else if (p->vector_cost != FL_SLA_NEVER)
		add(&line, "; vector %u", p->vector_cost);
	add(&line, "; cost %u", p->cost);
	if (p->load.max_sessions)
		add(&line, "; %u of %u sessions", p->load.sessions, p->load.max_sessions);
	if (p->load.session_rate)
		add(&line, "; %u of %u sessions/s", p->load.rate, p->load.session_rate);
	if (p->load.device_mbps)
		add(&line, "; device at %u %% of %u Mbit/s", p->load.device_percent,
		    p->load.device_mbps);
	add_quality(&line, v);
	add_limits(&line, &decision->in.policy, v);
}

void fl_sla_quality_text(const struct fl_sla_decision *decision, size_t index, char *text,
			 size_t size)
{
	const struct fl_sla_verdict *v = &decision->verdict[index];
	struct line line = { text, size, 0 };

	if (!size)
		return;
	text[0] = 0;
	if (!v->quality.has)
		return;
	add_quality(&line, v);
	add_limits(&line, &decision->in.policy, v);
	/* The parts are made to stand behind something. */
	memmove(text, text + 2, strlen(text + 2) + 1);
}
