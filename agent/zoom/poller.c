// SPDX-License-Identifier: Apache-2.0
/* The poller's order of requests, and what is the same for all answers: see poller.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/zoom/poller_internal.h"
#include "agent/zoom/when.h"

struct fl_zoom_settings fl_zoom_settings_default(void)
{
	return (struct fl_zoom_settings){ .live = true,
					  .business = true,
					  .discard_guests = true,
					  .max_daily = 5000,
					  .first_days = 7,
					  .parallel = 4,
					  .rate_scale = 1 };
}

struct fl_zoom_now poll_now(const struct fl_zoom_poller *p)
{
	return (struct fl_zoom_now){ fl_mono_now(),
				     (int64_t)(fl_wall_now_ns() / FL_NS_PER_S) + p->offset_s };
}

int fl_zoom_poller_new(const char *account, const struct fl_zoom_settings *settings,
		       const struct fl_zoom_sink *sink, struct fl_zoom_poller **ret_poller)
{
	struct fl_zoom_poller *p = calloc(1, sizeof(*p));
	struct fl_zoom_now now;
	int err;

	if (!p)
		return -ENOMEM;
	snprintf(p->account, sizeof(p->account), "%s", account);
	p->settings = *settings;
	p->sink = sink;
	if (!p->settings.parallel || p->settings.parallel > FL_ZOOM_PARALLEL_MAX)
		p->settings.parallel = FL_ZOOM_PARALLEL_MAX;
	now = poll_now(p);
	fl_zoom_limits_init(&p->limits, settings->business, settings->max_daily,
			    settings->rate_scale, &now);
	err = poll_state_load(p);
	if (!err)
		err = poll_work_load(p);
	if (err) {
		fl_zoom_poller_free(p);
		return err;
	}
	poll_listers_init(p);
	*ret_poller = p;
	return 0;
}

void fl_zoom_poller_free(struct fl_zoom_poller *poller)
{
	struct job *job, *tmp;

	if (!poller)
		return;
	poller->cycle_open = false; /* it does not end well by our leaving */
	HASH_ITER(hh, poller->jobs, job, tmp)
		poll_job_free(poller, job);
	HASH_ITER(hh, poller->lives, job, tmp)
		poll_job_free(poller, job);
	free(poller->users);
	free(poller->building);
	free(poller);
}

/* --- what is wrong ------------------------------------------------------------------------------
 */

void poll_block(struct fl_zoom_poller *p, enum fl_zoom_call what, const char *reason)
{
	p->blocked_s[what] = poll_now(p).s + POLL_BLOCK_S;
	snprintf(p->block_reason[what], sizeof(p->block_reason[what]), "%s", reason);
}

bool poll_is_blocked(const struct fl_zoom_poller *p, enum fl_zoom_call what)
{
	return !p->allowed[what] || (p->blocked_s[what] && p->blocked_s[what] > poll_now(p).s);
}

int poll_sink(struct fl_zoom_poller *p, int err)
{
	if (!err) {
		p->sink_err = 0;
		return 0;
	}
	if (!p->sink_err)
		fl_log_err(err, "what Zoom sent cannot be stored, trying again every minute");
	p->sink_err = err;
	p->sink_resume = fl_mono_add_ms(fl_mono_now(), POLL_SINK_MS);
	return err;
}

void poll_cycle_step(struct fl_zoom_poller *p, struct job *job)
{
	if (job) {
		if (!job->in_cycle)
			return;
		job->in_cycle = false;
		p->cycle_left--;
	}
	if (!p->cycle_open || p->cycle_left)
		return;
	p->cycle_open = false;
	p->last_sync_ms = poll_now(p).s * 1000;
	poll_state_save(p);
}

/* --- which request is next ----------------------------------------------------------------------
 */

static void sooner(struct fl_mono *wake, struct fl_mono t)
{
	if (t.ns < wake->ns)
		*wake = t;
}

static struct fl_mono at_s(const struct fl_zoom_now *now, int64_t s)
{
	return fl_mono_add_ms(now->mono, s > now->s ? (uint64_t)(s - now->s) * 1000 : 0);
}

static struct call *call_begin(struct fl_zoom_poller *p, enum fl_zoom_label label,
			       const struct fl_zoom_now *now, struct fl_zoom_request *ret_request)
{
	struct call *call = p->calls;

	while (call->id)
		call++;
	if (!++p->last_id)
		p->last_id = 1;
	*call = (struct call){ .id = p->last_id, .label = label, .token = p->token };
	ret_request->id = call->id;
	ret_request->label = label;
	fl_zoom_limits_sent(&p->limits, label, now);
	p->under_way++;
	p->requests++;
	return call;
}

static enum fl_zoom_label lister_label(const struct lister *l)
{
	return l->kind == LIST_USERS ? FL_ZOOM_MEDIUM : FL_ZOOM_RESOURCE;
}

static bool try_lister(struct fl_zoom_poller *p, struct lister *l, const struct fl_zoom_now *now,
		       struct fl_zoom_request *ret_request, struct fl_mono *wake)
{
	enum fl_zoom_rank rank = l->kind == LIST_LIVE ? FL_ZOOM_RANK_LIVE : FL_ZOOM_RANK_LIST;
	struct fl_mono when;
	struct call *call;

	if (l->busy)
		return false;
	if (!l->active && l->due_s > now->s) {
		sooner(wake, at_s(now, l->due_s));
		return false;
	}
	if (poll_is_blocked(p, poll_lister_call(l))) {
		l->due_s = now->s + POLL_PAST_S;
		l->active = false;
		sooner(wake, at_s(now, l->due_s));
		return false;
	}
	if (l->kind != LIST_LIVE && l->kind != LIST_USERS && HASH_COUNT(p->jobs) >= POLL_JOBS_MAX) {
		sooner(wake, at_s(now, now->s + 60));
		return false;
	}
	if (!poll_lister_is_wanted(p, l, now->s))
		return false;
	if (!fl_zoom_limits_may(&p->limits, lister_label(l), rank, now, &when)) {
		sooner(wake, when);
		return false;
	}
	poll_lister_path(p, l, ret_request->path, sizeof(ret_request->path));
	call = call_begin(p, lister_label(l), now, ret_request);
	call->lister = l;
	call->what = poll_lister_call(l);
	l->busy = true;
	return true;
}

#define RANKS (FL_ZOOM_RANK_LIVE + 1)

/* Of each rank the job that has been due for longest. */
static void due_jobs(struct fl_zoom_poller *p, struct job *jobs, const struct fl_zoom_now *now,
		     struct job *best[RANKS], struct fl_mono *wake)
{
	struct job *job, *tmp;

	memset(best, 0, RANKS * sizeof(*best));
	HASH_ITER(hh, jobs, job, tmp) {
		struct job **slot;

		if (job->busy)
			continue;
		if (job->work.due_s <= now->s && !poll_job_settle(p, job))
			continue;
		if (job->work.due_s > now->s) {
			sooner(wake, at_s(now, job->work.due_s));
			continue;
		}
		slot = &best[poll_job_rank(job)];
		if (!*slot || job->work.due_s < (*slot)->work.due_s)
			*slot = job;
	}
}

static bool try_job(struct fl_zoom_poller *p, struct job *job, const struct fl_zoom_now *now,
		    struct fl_zoom_request *ret_request, struct fl_mono *wake)
{
	struct fl_mono when;
	struct call *call;

	if (!job)
		return false;
	if (!fl_zoom_limits_may(&p->limits, FL_ZOOM_HEAVY, poll_job_rank(job), now, &when)) {
		sooner(wake, when);
		return false;
	}
	poll_job_path(job, ret_request->path, sizeof(ret_request->path));
	call = call_begin(p, FL_ZOOM_HEAVY, now, ret_request);
	call->job = job;
	call->what = poll_job_call(job);
	job->busy = true;
	return true;
}

/* Jobs by rank: the first that may go out does. */
static bool try_jobs(struct fl_zoom_poller *p, struct job *jobs, const struct fl_zoom_now *now,
		     struct fl_zoom_request *ret_request, struct fl_mono *wake)
{
	struct job *best[RANKS];

	due_jobs(p, jobs, now, best, wake);
	for (unsigned int i = 0; i < RANKS; i++) {
		if (try_job(p, best[i], now, ret_request, wake))
			return true;
	}
	return false;
}

static bool pick(struct fl_zoom_poller *p, const struct fl_zoom_now *now,
		 struct fl_zoom_request *ret_request, struct fl_mono *wake)
{
	/* Who is a guest must be known before anything is kept. */
	if (!p->users_known && try_lister(p, &p->listers[LIST_USERS], now, ret_request, wake))
		return true;
	if (try_lister(p, &p->listers[LIST_PAST], now, ret_request, wake))
		return true;
	if (try_jobs(p, p->jobs, now, ret_request, wake))
		return true;
	if (try_lister(p, &p->listers[LIST_LIVE], now, ret_request, wake) ||
	    try_jobs(p, p->lives, now, ret_request, wake))
		return true;
	return try_lister(p, &p->listers[LIST_USERS], now, ret_request, wake) ||
	       try_lister(p, &p->listers[LIST_PASTONE], now, ret_request, wake) ||
	       try_lister(p, &p->listers[LIST_BACKLOG], now, ret_request, wake);
}

bool fl_zoom_poller_next(struct fl_zoom_poller *poller, struct fl_zoom_request *ret_request,
			 struct fl_mono *ret_wake)
{
	struct fl_zoom_now now = poll_now(poller);

	/* An hour: everything that ends sooner wakes us. */
	*ret_wake = fl_mono_add_ms(now.mono, 3600000);
	if (poller->wait_token || poller->under_way >= poller->settings.parallel)
		return false;
	if (poller->refused_s > now.s) {
		sooner(ret_wake, at_s(&now, poller->refused_s));
		return false;
	}
	if (poller->sink_err && !fl_mono_reached(now.mono, poller->sink_resume)) {
		sooner(ret_wake, poller->sink_resume);
		return false;
	}
	/* What is sent is on disk before: a restart must not spend a budget twice. */
	fl_zoom_limits_is_short(&poller->limits, FL_ZOOM_RANK_QOS, &now);
	if (poller->limits.used >= poller->used_on_disk ||
	    poller->limits.day != poller->day_on_disk) {
		if (poll_sink(poller, poll_state_save(poller))) {
			sooner(ret_wake, poller->sink_resume);
			return false;
		}
	}
	return pick(poller, &now, ret_request, ret_wake);
}

/* --- answers ------------------------------------------------------------------------------------
 */

/* Zoom's clock, as well as a header in whole seconds tells. */
static void look_at_clock(struct fl_zoom_poller *p, const struct fl_zoom_answer *answer)
{
	int64_t ours_ms = (int64_t)(fl_wall_now_ns() / FL_NS_PER_MS) - answer->elapsed_ms / 2;
	int64_t offset_s;

	if (!answer->date_s)
		return;
	/* The header is cut to seconds: half of one is added. */
	offset_s = (answer->date_s * 1000 + 500 - ours_ms) / 1000;
	p->offset_s = offset_s >= -2 && offset_s <= 2 ? 0 : offset_s;
	if (p->offset_s >= -30 && p->offset_s <= 30) {
		p->warned_clock = false;
	} else if (!p->warned_clock) {
		p->warned_clock = true;
		fl_warning("this host's clock is %lld s off Zoom's; Zoom's is used for its data",
			   (long long)p->offset_s);
	}
}

static bool refused(struct fl_zoom_poller *p, const struct call *call, bool *repeated)
{
	if (call->token != p->token)
		return false; /* an older token than the one we have by now */
	if (!*repeated) {
		*repeated = true;
		p->wait_token = true;
		return true;
	}
	*repeated = false;
	p->refused_s = poll_now(p).s + POLL_REFUSED_S;
	fl_warning("Zoom refuses access tokens that it has just issued, trying again in an hour");
	return false;
}

/* Verdicts that are the same for whatever was asked. True: nothing is left to do. */
static bool common(struct fl_zoom_poller *p, const struct call *call, enum fl_zoom_verdict verdict,
		   const struct fl_zoom_answer *answer, const struct fl_zoom_page *page)
{
	struct fl_zoom_now now = poll_now(p);
	char words[192];

	switch ((int)verdict) {
	case FL_ZOOM_AGAIN:
		fl_zoom_answer_words(answer, page, p->transient, sizeof(p->transient));
		fl_zoom_limits_failed(&p->limits, &now);
		return false;
	case FL_ZOOM_SLOWER:
		fl_zoom_limits_slower(&p->limits, call->label, &now);
		return true;
	case FL_ZOOM_TOMORROW:
		fl_zoom_limits_tomorrow(&p->limits, call->label,
					fl_zoom_when_header(answer->retry_after, now.s), &now);
		fl_warning("Zoom's daily limit is reached (%s), waiting",
			   *answer->rate_category ? answer->rate_category : "no category");
		poll_state_save(p);
		return true;
	default:
		break;
	}
	fl_zoom_limits_answered(&p->limits, call->label);
	/* An add-on that the account has not is nothing that somebody must mend. */
	if (call->what != FL_ZOOM_CALL_SUMMARY &&
	    (verdict == FL_ZOOM_SCOPE || verdict == FL_ZOOM_PLAN || verdict == FL_ZOOM_DENIED)) {
		fl_zoom_answer_words(answer, page, words, sizeof(words));
		fl_warning("Zoom denies \"%s\" (%s), trying again tomorrow",
			   fl_zoom_call_name(call->what), words);
		if (verdict == FL_ZOOM_PLAN)
			snprintf(words, sizeof(words),
				 "a Business plan or higher with the Dashboard feature is needed");
		poll_block(p, call->what, words);
	}
	return false;
}

bool fl_zoom_poller_answer(struct fl_zoom_poller *poller, uint32_t id,
			   const struct fl_zoom_answer *answer)
{
	enum fl_zoom_verdict verdict;
	struct call *call = poller->calls, done;
	struct fl_zoom_page page;
	bool refresh = false;

	while (call < poller->calls + FL_ZOOM_PARALLEL_MAX && call->id != id)
		call++;
	if (!id || call == poller->calls + FL_ZOOM_PARALLEL_MAX)
		return false;
	done = *call;
	*call = (struct call){ 0 };
	poller->under_way--;
	if (done.lister)
		done.lister->busy = false;
	else
		done.job->busy = false;
	look_at_clock(poller, answer);
	verdict = fl_zoom_judge(answer, &page);
	if (verdict == FL_ZOOM_REFRESH) {
		fl_zoom_limits_answered(&poller->limits, done.label);
		refresh = refused(poller, &done,
				  done.lister ? &done.lister->repeated : &done.job->repeated);
	} else if (!common(poller, &done, verdict, answer, &page)) {
		if (done.lister)
			poll_lister_answer(poller, done.lister, verdict, answer);
		else
			poll_job_answer(poller, done.job, verdict, answer);
	}
	return refresh;
}

void fl_zoom_poller_token(struct fl_zoom_poller *poller, const char *scope)
{
	poller->token++;
	poller->wait_token = false;
	for (unsigned int i = 0; i < FL_ZOOM_CALLS; i++)
		poller->allowed[i] = fl_zoom_scope_has(scope, (enum fl_zoom_call)i);
	if (!strcmp(poller->scope, scope))
		return;
	/* After a restart it is the one that was known before. */
	if (*poller->scope)
		poll_summary_again(poller);
	snprintf(poller->scope, sizeof(poller->scope), "%s", scope);
	memset(poller->blocked_s, 0, sizeof(poller->blocked_s));
}

/* Somebody has made room on the disk: what could not be stored is tried now. */
static void store_now(struct fl_zoom_poller *p)
{
	int64_t now_s = poll_now(p).s;

	p->sink_resume = fl_mono_now();
	for (struct job *job = p->jobs; job; job = job->hh.next) {
		if (job->phase == PHASE_PUT || job->phase == PHASE_END)
			job->work.due_s = now_s;
	}
}

void fl_zoom_poller_sync(struct fl_zoom_poller *poller)
{
	if (poller->sink_err)
		store_now(poller);
	memset(poller->blocked_s, 0, sizeof(poller->blocked_s));
	poller->refused_s = 0;
	poll_summary_again(poller);
	poller->listers[LIST_PAST].due_s = 0;
	/* What is being listed by now may have been asked for too early. */
	poller->list_again = poller->listers[LIST_PAST].active;
}
