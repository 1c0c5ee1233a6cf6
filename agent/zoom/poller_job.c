// SPDX-License-Identifier: Apache-2.0
/* One meeting of the poller: from its line in a list until nothing is left to ask. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/zoom/poller_internal.h"
#include "agent/zoom/uuid.h"

struct job *poll_job_new(struct fl_zoom_poller *p, const struct fl_zoom_meeting *meeting, bool live)
{
	int64_t now_s = poll_now(p).s, first = meeting->end_s + POLL_FIRST_PASS_S;
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->meeting = *meeting;
	job->live = live;
	job->phase = live ? PHASE_QOS : PHASE_DETAIL;
	memcpy(job->work.uuid, meeting->uuid, sizeof(job->work.uuid));
	job->work.end_s = meeting->end_s;
	job->work.due_s = live || first < now_s ? now_s : first;
	if (live)
		HASH_ADD_STR(p->lives, work.uuid, job);
	else
		HASH_ADD_STR(p->jobs, work.uuid, job);
	return job;
}

void poll_job_free(struct fl_zoom_poller *p, struct job *job)
{
	poll_cycle_step(p, job);
	poll_keep_nothing(p, job);
	if (p->prober == job)
		p->prober = NULL;
	if (job->live)
		HASH_DEL(p->lives, job);
	else
		HASH_DEL(p->jobs, job);
	free(job);
}

enum fl_zoom_rank poll_job_rank(const struct job *job)
{
	if (job->live)
		return FL_ZOOM_RANK_LIVE;
	switch (job->phase) {
	case PHASE_QOS:
	case PHASE_SUMMARY: /* soon, while the minutes are held; not at all when it is short */
	case PHASE_PUT:
		return FL_ZOOM_RANK_QOS;
	case PHASE_FEEDBACK:
	case PHASE_END:
		return FL_ZOOM_RANK_FEEDBACK;
	case PHASE_DETAIL:
	case PHASE_PARTICIPANTS:
		break;
	}
	return FL_ZOOM_RANK_PARTICIPANTS;
}

enum fl_zoom_call poll_job_call(const struct job *job)
{
	switch (job->phase) {
	case PHASE_DETAIL:
		return FL_ZOOM_CALL_DETAIL;
	case PHASE_PARTICIPANTS:
		return FL_ZOOM_CALL_PARTICIPANTS;
	case PHASE_FEEDBACK:
	case PHASE_END:
		return FL_ZOOM_CALL_FEEDBACK;
	case PHASE_SUMMARY:
		return FL_ZOOM_CALL_SUMMARY;
	case PHASE_QOS:
	case PHASE_PUT:
		break;
	}
	return FL_ZOOM_CALL_QOS;
}

void poll_job_path(const struct job *job, char *path, size_t size)
{
	char id[3 * 3 * FL_ZOOM_KEY_LEN], next[3 * FL_ZOOM_TOKEN_LEN] = "";
	const char *tail = "", *type = job->live ? "type=live" : "type=past";

	if (fl_zoom_uuid_escape(job->work.uuid, id, sizeof(id)) < 0)
		*id = 0;
	if (*job->next)
		fl_zoom_escape(job->next, next, sizeof(next));
	switch (job->phase) {
	case PHASE_PARTICIPANTS:
		tail = "/participants?page_size=300&";
		break;
	case PHASE_QOS:
	case PHASE_PUT:
		/* The default is one (zoom-api.md 3). */
		tail = "/participants/qos?page_size=10&";
		break;
	case PHASE_SUMMARY:
		tail = "/participants/qos_summary?page_size=10";
		type = ""; /* it knows past ones only */
		break;
	case PHASE_FEEDBACK:
	case PHASE_END:
		tail = "/participants/satisfaction?page_size=300&";
		break;
	case PHASE_DETAIL:
		tail = "?";
		break;
	}
	snprintf(path, size, "/metrics/meetings/%s%s%s%s%s", id, tail, type,
		 *next ? "&next_page_token=" : "", next);
}

/* --- from phase to phase ------------------------------------------------------------------------
 */

static void enter(struct job *job, enum phase phase)
{
	job->phase = phase;
	*job->next = 0;
	job->pages = job->restarts = job->stale_pages = 0;
	job->work.tries = 0;
}

/* --- summaries of the QSS add-on ----------------------------------------------------------------
 */

/* It is asked once whether an account has the add-on, and that is remembered. */
static bool wants_summary(struct fl_zoom_poller *p, const struct job *job)
{
	struct fl_zoom_now now = poll_now(p);

	if (job->live || !job->join_count || p->summary == CAP_NO ||
	    poll_is_blocked(p, FL_ZOOM_CALL_SUMMARY) || fl_zoom_limits_is_daily(&p->limits, &now) ||
	    fl_zoom_limits_is_short(&p->limits, FL_ZOOM_RANK_FEEDBACK, &now))
		return false;
	return p->summary == CAP_YES || !p->prober || p->prober == job;
}

static void summary_known(struct fl_zoom_poller *p, enum capability summary)
{
	p->prober = NULL;
	if (p->summary == summary)
		return;
	p->summary = summary;
	if (summary == CAP_NO)
		fl_info("no summaries of quality for this account (QSS add-on), not asking again");
	poll_sink(p, poll_state_save(p));
}

void poll_summary_again(struct fl_zoom_poller *p)
{
	if (p->summary == CAP_NO)
		p->summary = CAP_UNKNOWN;
}

/* Joins and minutes are complete. */
static bool put_qos(struct fl_zoom_poller *p, struct job *job, int64_t now_s)
{
	struct fl_zoom_work work = job->work;

	work.stage = FL_ZOOM_STAGE_QOS;
	work.due_s = now_s;
	work.tries = 0;
	if (poll_put(p, job, job->live ? NULL : &work)) {
		job->work.due_s = now_s + POLL_SINK_MS / 1000;
		return true;
	}
	poll_keep_nothing(p, job);
	job->work = work;
	if (job->live) {
		enter(job, PHASE_QOS);
		job->work.due_s = now_s + (job->interesting ? POLL_LIVE_QOS_S : POLL_LIVE_IDLE_S);
	} else {
		p->meetings++;
		enter(job, PHASE_FEEDBACK);
	}
	return true;
}

/* Feedback is complete, for now or for good. */
static bool put_end(struct fl_zoom_poller *p, struct job *job, int64_t now_s)
{
	struct fl_zoom_work work = job->work;
	bool again = work.stage != FL_ZOOM_STAGE_FEEDBACK &&
		     now_s < work.end_s + POLL_SECOND_PASS_S - POLL_PAST_S;

	work.stage = FL_ZOOM_STAGE_FEEDBACK;
	work.due_s = work.end_s + POLL_SECOND_PASS_S;
	work.tries = 0;
	if (poll_put(p, job, again ? &work : NULL)) {
		job->work.due_s = now_s + POLL_SINK_MS / 1000;
		return true;
	}
	if (!again) {
		poll_job_free(p, job);
		return false;
	}
	poll_keep_nothing(p, job);
	job->work = work;
	enter(job, PHASE_FEEDBACK);
	poll_cycle_step(p, job);
	return true;
}

bool poll_job_settle(struct fl_zoom_poller *p, struct job *job)
{
	struct fl_zoom_now now = poll_now(p);

	if (job->phase == PHASE_DETAIL &&
	    (job->meeting.start_s || job->detailed || poll_is_blocked(p, FL_ZOOM_CALL_DETAIL)))
		enter(job, PHASE_PARTICIPANTS);
	/* When only the last requests of the day are left, figures are worth more than labels. */
	if (job->phase == PHASE_PARTICIPANTS &&
	    (poll_is_blocked(p, FL_ZOOM_CALL_PARTICIPANTS) ||
	     (fl_zoom_limits_is_short(&p->limits, FL_ZOOM_RANK_PARTICIPANTS, &now) &&
	      !fl_zoom_limits_is_short(&p->limits, FL_ZOOM_RANK_QOS, &now))))
		enter(job, PHASE_QOS);
	/* Without figures there is nothing to keep: wait for the permission. */
	if (job->phase == PHASE_QOS && poll_is_blocked(p, FL_ZOOM_CALL_QOS)) {
		job->work.due_s = now.s + POLL_PAST_S;
		poll_cycle_step(p, job);
	}
	if (job->phase == PHASE_SUMMARY && !wants_summary(p, job))
		enter(job, PHASE_PUT);
	if (job->phase == PHASE_PUT)
		return put_qos(p, job, now.s);
	if (job->phase == PHASE_FEEDBACK && poll_is_blocked(p, FL_ZOOM_CALL_FEEDBACK))
		enter(job, PHASE_END);
	return job->phase != PHASE_END || put_end(p, job, now.s);
}

static void leave_phase(struct fl_zoom_poller *p, struct job *job)
{
	switch (job->phase) {
	case PHASE_DETAIL:
		enter(job, PHASE_PARTICIPANTS);
		break;
	case PHASE_PARTICIPANTS:
		enter(job, PHASE_QOS);
		break;
	case PHASE_QOS:
		enter(job, wants_summary(p, job) ? PHASE_SUMMARY : PHASE_PUT);
		if (job->phase == PHASE_SUMMARY && p->summary == CAP_UNKNOWN)
			p->prober = job;
		break;
	case PHASE_SUMMARY:
		enter(job, PHASE_PUT);
		break;
	case PHASE_FEEDBACK:
		enter(job, PHASE_END);
		break;
	case PHASE_PUT:
	case PHASE_END:
		break;
	}
	poll_job_settle(p, job);
}

/* --- answers ------------------------------------------------------------------------------------
 */

static int take_detail(struct fl_zoom_poller *p, struct job *job,
		       const struct fl_zoom_answer *answer, struct fl_zoom_page *page)
{
	struct fl_zoom_meeting m;
	int err = fl_zoom_parse_meeting(answer->body, answer->len, page, &m);

	if (err)
		return err;
	job->detailed = true;
	/* Another occurrence of the same id is another meeting. */
	if (strcmp(m.uuid, job->work.uuid) != 0)
		return 0;
	if (!p->settings.keep_topic)
		*m.topic = 0;
	job->meeting = m;
	return 0;
}

static int take(struct fl_zoom_poller *p, struct job *job, const struct fl_zoom_answer *answer,
		struct fl_zoom_page *page, bool *news)
{
	int err;

	*news = true;
	if (job->phase == PHASE_DETAIL)
		return take_detail(p, job, answer, page);
	if (job->phase == PHASE_FEEDBACK) {
		struct fl_zoom_feedbacks list;

		err = fl_zoom_parse_feedback(answer->body, answer->len, page, &list);
		*news = list.count;
		if (!err)
			err = poll_keep_feedback(p, job, &list);
		fl_zoom_feedbacks_done(&list);
	} else if (job->phase == PHASE_SUMMARY) {
		struct fl_zoom_summaries list;

		err = fl_zoom_parse_summaries(answer->body, answer->len, page, &list);
		*news = list.count;
		if (!err) {
			poll_keep_summaries(job, &list);
			summary_known(p, CAP_YES);
		}
		fl_zoom_summaries_done(&list);
	} else {
		struct fl_zoom_joins list;

		err = fl_zoom_parse_joins(answer->body, answer->len, page, &list);
		if (!err)
			err = poll_keep_joins(p, job, &list, job->phase == PHASE_QOS, news);
		fl_zoom_joins_done(&list);
	}
	return err;
}

/* Figures are worth more than scores: whatever goes wrong with these, the meeting is put. */
static void summary_refused(struct fl_zoom_poller *p, struct job *job, enum fl_zoom_verdict verdict)
{
	if (verdict == FL_ZOOM_AGAIN) {
		if (p->limits.failures > 1)
			return; /* nothing is answered by now */
		if (++job->failures < 3) {
			job->work.due_s =
				poll_now(p).s + (int64_t)(fl_zoom_backoff_ms(job->failures) / 1000);
			return;
		}
		if (p->prober == job)
			p->prober = NULL;
	} else if (p->summary != CAP_YES || verdict == FL_ZOOM_SCOPE || verdict == FL_ZOOM_PLAN ||
		   verdict == FL_ZOOM_DENIED) {
		summary_known(p, CAP_NO);
	}
	leave_phase(p, job);
}

static void fine(struct fl_zoom_poller *p, struct job *job, const struct fl_zoom_answer *answer)
{
	struct fl_zoom_now now = poll_now(p);
	struct fl_zoom_page page;
	bool news;
	int err = take(p, job, answer, &page, &news);

	job->repeated = false;
	if (err == -EBADMSG || err == -EREMOTEIO) {
		fl_zoom_answer_words(answer, &page, p->transient, sizeof(p->transient));
		fl_zoom_limits_failed(&p->limits, &now);
		if (job->phase == PHASE_SUMMARY)
			summary_refused(p, job, FL_ZOOM_AGAIN);
		else
			job->work.due_s =
				now.s + (int64_t)(fl_zoom_backoff_ms(job->failures++) / 1000);
		return;
	}
	if (err) {
		poll_sink(p, err);
		return;
	}
	job->failures = 0;
	job->stale_pages = news ? 0 : job->stale_pages + 1;
	if (*page.next && strcmp(page.next, job->next) != 0 && ++job->pages < POLL_PAGES_MAX &&
	    job->stale_pages < 3)
		memcpy(job->next, page.next, sizeof(job->next));
	else
		leave_phase(p, job);
}

/* 3001: five times, then what there is must do (zoom-api.md 3). */
static void not_ready(struct fl_zoom_poller *p, struct job *job)
{
	static const int64_t minutes[] = { 1, 2, 5, 10, 20 };

	if (job->live || job->work.tries >= (int)(sizeof(minutes) / sizeof(*minutes))) {
		leave_phase(p, job);
		return;
	}
	job->work.due_s = poll_now(p).s + minutes[job->work.tries++] * 60;
	*job->next = 0;
	/* What a restart must know; the meeting's line was stored when it was listed. */
	poll_sink(p, p->sink->ops->work_put(p->sink->ctx, p->account, &job->meeting, &job->work));
	poll_cycle_step(p, job);
}

/* Nothing more will come of it; kept so that it is not asked for again. */
static void give_up(struct fl_zoom_poller *p, struct job *job)
{
	job->work.stage = FL_ZOOM_STAGE_FEEDBACK;
	enter(job, PHASE_END);
	poll_job_settle(p, job);
}

/* While others succeed, it is this one that is at fault: ever later, and after a day no more. */
static void failed(struct fl_zoom_poller *p, struct job *job)
{
	if (p->limits.failures > 1)
		return;
	if (job->failures++ >= 40) {
		fl_warning(
			"Zoom has failed to answer for one meeting again and again, giving it up");
		give_up(p, job);
		return;
	}
	job->work.due_s =
		poll_now(p).s +
		(job->failures < 10 ? (int64_t)(fl_zoom_backoff_ms(job->failures) / 1000) : 1800);
}

void poll_job_answer(struct fl_zoom_poller *p, struct job *job, enum fl_zoom_verdict verdict,
		     const struct fl_zoom_answer *answer)
{
	if (job->phase == PHASE_SUMMARY && verdict != FL_ZOOM_FINE &&
	    (verdict != FL_ZOOM_STALE_PAGE || job->restarts == 3)) {
		summary_refused(p, job, verdict);
		return;
	}
	switch ((int)verdict) {
	case FL_ZOOM_FINE:
		fine(p, job, answer);
		break;
	case FL_ZOOM_AGAIN:
		failed(p, job);
		break;
	case FL_ZOOM_NOT_READY:
		not_ready(p, job);
		break;
	case FL_ZOOM_STALE_PAGE:
		*job->next = 0;
		job->pages = 0;
		if (++job->restarts > 3) {
			job->restarts = 0;
			job->work.due_s = poll_now(p).s + POLL_PAST_S;
		}
		break;
	case FL_ZOOM_SCOPE:
	case FL_ZOOM_PLAN:
	case FL_ZOOM_DENIED:
		/* That call is blocked now. */
		poll_job_settle(p, job);
		break;
	case FL_ZOOM_TOO_OLD:
	case FL_ZOOM_WEBINAR:
		give_up(p, job);
		break;
	default:
		leave_phase(p, job);
		break;
	}
}
