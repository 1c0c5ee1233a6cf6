// SPDX-License-Identifier: Apache-2.0
/* What the poller must not forget, and what it says of itself. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/codec/json.h"
#include "agent/zoom/poller_internal.h"

#define VERSION 1

static int64_t number(const struct fl_json *json, const char *key)
{
	int64_t value = 0;

	fl_json_get_i64(fl_json_member(json, key), &value);
	return value > 0 ? value : 0;
}

static const char *const caps[] = { "unknown", "yes", "no" };

static enum capability cap_of(const struct fl_json *json, const char *key)
{
	const char *text = fl_json_get_string(fl_json_member(json, key));

	for (unsigned int i = CAP_UNKNOWN; text && i <= CAP_NO; i++)
		if (!strcmp(text, caps[i]))
			return (enum capability)i;
	return CAP_UNKNOWN;
}

static void parse(struct fl_zoom_poller *p, const struct fl_json *json)
{
	const struct fl_json *pauses = fl_json_member(json, "paused_until");
	int64_t today = poll_now(p).s / 86400, day = number(json, "day");

	p->cursor_s = number(json, "cursor");
	p->backlog_from_s = number(json, "backlog_from");
	p->backlog_to_s = number(json, "backlog_to");
	p->last_sync_ms = number(json, "last_sync");
	p->end_time = cap_of(json, "end_time");
	p->summary = cap_of(json, "summary");
	p->day_on_disk = day;
	/* A clock that went back gives no new budget. */
	if (day >= today) {
		p->limits.day = day;
		p->limits.used = (uint32_t)number(json, "used");
		p->used_on_disk = p->limits.used;
	}
	for (size_t i = 0; i < FL_ZOOM_LABELS; i++) {
		int64_t until = 0;

		fl_json_get_i64(fl_json_at(pauses, i), &until);
		/* As in fl_zoom_limits_tomorrow(): no pause is longer than two days. */
		if (until < (today + 2) * 86400)
			p->limits.labels[i].tomorrow_s = until;
	}
}

int poll_state_load(struct fl_zoom_poller *p)
{
	struct fl_json *json = NULL;
	struct fl_json_error why;
	char *text = NULL;
	int err = p->sink->ops->state_load(p->sink->ctx, p->account, &text);

	if (err || !text || !*text) {
		free(text);
		return err;
	}
	err = fl_json_parse(text, strlen(text), &json, &why);
	free(text);
	/* Damaged, or of a newer version: meetings are told apart by their ids, so beginning anew
	 * costs requests and nothing else. */
	if (err || number(json, "v") != VERSION)
		fl_warning("the poller's state cannot be read, beginning anew");
	else
		parse(p, json);
	fl_json_free(json);
	return 0;
}

int poll_state_save(struct fl_zoom_poller *p)
{
	struct fl_json *json = fl_json_new_object(), *pauses;
	uint32_t ahead = p->limits.used + POLL_BUDGET_STEP;
	char *text;
	int err;

	fl_json_add_i64(json, "v", VERSION);
	fl_json_add_i64(json, "cursor", p->cursor_s);
	fl_json_add_i64(json, "backlog_from", p->backlog_from_s);
	fl_json_add_i64(json, "backlog_to", p->backlog_to_s);
	fl_json_add_string(json, "end_time", caps[p->end_time]);
	fl_json_add_string(json, "summary", caps[p->summary]);
	fl_json_add_i64(json, "last_sync", p->last_sync_ms);
	fl_json_add_i64(json, "day", p->limits.day);
	fl_json_add_i64(json, "used", ahead);
	pauses = fl_json_add_array(json, "paused_until");
	for (size_t i = 0; i < FL_ZOOM_LABELS; i++)
		fl_json_add_i64(pauses, NULL, p->limits.labels[i].tomorrow_s);
	text = fl_json_print(json, FL_JSON_COMPACT);
	fl_json_free(json);
	if (!text)
		return -ENOMEM;
	err = p->sink->ops->state_save(p->sink->ctx, p->account, text);
	free(text);
	if (!err) {
		p->used_on_disk = ahead;
		p->day_on_disk = p->limits.day;
	}
	return err;
}

/* A meeting that was open when we stopped; its line comes with the next list, or as its detail. */
static void work(void *ctx, const struct fl_zoom_work *work)
{
	struct fl_zoom_poller *p = ctx;
	struct fl_zoom_meeting m = { .end_s = work->end_s };
	struct job *job;

	memcpy(m.uuid, work->uuid, sizeof(m.uuid));
	HASH_FIND_STR(p->jobs, work->uuid, job);
	if (job || !*work->uuid)
		return;
	job = poll_job_new(p, &m, false);
	if (!job)
		return;
	job->work = *work;
	job->phase = work->stage == FL_ZOOM_STAGE_LISTED ? PHASE_DETAIL : PHASE_FEEDBACK;
}

int poll_work_load(struct fl_zoom_poller *p)
{
	return p->sink->ops->work_each(p->sink->ctx, p->account, work, p);
}

/* --- status -------------------------------------------------------------------------------------
 */

__attribute__((format(printf, 2, 3))) static void error(struct fl_zoom_status *s, const char *fmt,
							...)
{
	va_list args;

	s->failed = true;
	if (s->error_count == sizeof(s->errors) / sizeof(*s->errors))
		return;
	va_start(args, fmt);
	vsnprintf(s->errors[s->error_count++], sizeof(*s->errors), fmt, args);
	va_end(args);
}

static void hint(struct fl_zoom_status *s, const char *text)
{
	if (s->hint_count < sizeof(s->hints) / sizeof(*s->hints))
		snprintf(s->hints[s->hint_count++], sizeof(*s->hints), "%s", text);
}

static void missing(struct fl_zoom_poller *p, struct fl_zoom_status *s, int64_t now_s)
{
	char scopes[300];

	if (fl_zoom_scope_missing(p->scope, scopes, sizeof(scopes)))
		error(s, "Permissions are missing: %s", scopes);
	for (unsigned int i = 0; i < FL_ZOOM_CALLS; i++) {
		if (p->blocked_s[i] > now_s)
			error(s, "Zoom denies \"%s\": %s", fl_zoom_call_name((enum fl_zoom_call)i),
			      p->block_reason[i]);
	}
}

/* zoom-api.md 2.4: settings of the Zoom account that nothing else tells of. */
static void hints(const struct fl_zoom_poller *p, struct fl_zoom_status *s)
{
	if (p->meetings >= 5 && p->joins && !p->labels_seen)
		hint(s,
		     "No meeting had quality labels: switch on \"Meeting quality scores and network "
		     "alerts on Dashboard\" with \"Show meeting quality score\" in Zoom");
	if (p->meetings >= 5 && p->joins && !p->feedback_seen)
		hint(s, "No meeting had ratings: switch on \"Feedback to Zoom\"");
	if (p->meetings >= 5 && !p->joins)
		hint(s,
		     "No participant was in the managed network: people must sign in before they "
		     "join (\"Only authenticated users can join meetings\")");
	if (p->offset_s < -30 || p->offset_s > 30)
		hint(s, "This host's clock differs from Zoom's");
}

void fl_zoom_poller_status(struct fl_zoom_poller *poller, struct fl_zoom_status *ret_status)
{
	struct fl_zoom_now now = poll_now(poller);
	struct fl_zoom_status *s = ret_status;

	*s = (struct fl_zoom_status){ .last_sync_ms = poller->last_sync_ms,
				      .used_today = poller->limits.used,
				      .max_daily = poller->settings.max_daily,
				      .open_meetings = HASH_COUNT(poller->jobs),
				      .meetings = poller->meetings,
				      .joins = poller->joins,
				      .minutes = poller->minutes,
				      .dropped_joins = poller->dropped,
				      .requests = poller->requests,
				      .clock_offset_s = poller->offset_s,
				      .catching_up =
					      poller->backlog_to_s > poller->backlog_from_s };
	if (poller->refused_s > now.s)
		error(s,
		      "Zoom refuses access tokens that it has just issued, trying again within an hour");
	missing(poller, s, now.s);
	if (fl_zoom_limits_is_daily(&poller->limits, &now))
		error(s, "API daily rate limit reached");
	if (fl_zoom_limits_is_short(&poller->limits, FL_ZOOM_RANK_QOS, &now))
		error(s, "The budget of %u requests a day is used up, going on at 00:00 UTC",
		      poller->settings.max_daily);
	if (poller->limits.failures >= FL_ZOOM_FAILURES)
		error(s, "Zoom does not answer: %s", poller->transient);
	if (poller->sink_err)
		error(s, "What Zoom sent cannot be stored: %s", strerror(-poller->sink_err));
	hints(poller, s);
}
