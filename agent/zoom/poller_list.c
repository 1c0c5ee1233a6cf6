// SPDX-License-Identifier: Apache-2.0
/* Listings of the poller: windows, pages, and what is new in them (zoom-api.md 3 and 9). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/zoom/poller_internal.h"
#include "agent/zoom/uuid.h"
#include "agent/zoom/when.h"

void poll_listers_init(struct fl_zoom_poller *p)
{
	for (unsigned int i = 0; i < LISTERS; i++)
		p->listers[i] = (struct lister){ .kind = (enum lister_kind)i };
}

enum fl_zoom_call poll_lister_call(const struct lister *l)
{
	return l->kind == LIST_USERS ? FL_ZOOM_CALL_USERS : FL_ZOOM_CALL_LIST;
}

static int64_t overlap(const struct fl_zoom_poller *p)
{
	return p->end_time == CAP_YES ? POLL_END_OVERLAP_S : POLL_OVERLAP_S;
}

/* From where we know everything to now; what is more than the overlap goes to the backlog. */
static void past_window(struct fl_zoom_poller *p, struct lister *l, int64_t now_s)
{
	int64_t recent = now_s - overlap(p);
	/* A clock that was wrong may have left a cursor in the future. */
	int64_t known = p->cursor_s < now_s ? p->cursor_s : now_s;
	int64_t from = p->cursor_s ? known - overlap(p)
				   : now_s - (int64_t)p->settings.first_days * FL_ZOOM_DAY_S;

	if (from < now_s - POLL_OLDEST_S)
		from = now_s - POLL_OLDEST_S;
	if (from < recent - FL_ZOOM_DAY_S) {
		if (!p->backlog_to_s || from < p->backlog_from_s)
			p->backlog_from_s = from;
		if (recent > p->backlog_to_s)
			p->backlog_to_s = recent;
		from = recent;
	}
	l->from_s = from;
	l->to_s = now_s;
}

/* Newest first, a day at a time, never more than six months back. */
static void backlog_window(struct fl_zoom_poller *p, struct lister *l, int64_t now_s)
{
	int64_t oldest = now_s - POLL_OLDEST_S;

	if (p->backlog_from_s < oldest)
		p->backlog_from_s = oldest;
	l->to_s = p->backlog_to_s;
	l->from_s = l->to_s - FL_ZOOM_DAY_S;
	if (l->from_s < p->backlog_from_s)
		l->from_s = p->backlog_from_s;
}

bool poll_lister_is_wanted(struct fl_zoom_poller *p, struct lister *l, int64_t now_s)
{
	if (l->active)
		return true;
	switch (l->kind) {
	case LIST_PAST:
		past_window(p, l, now_s);
		break;
	case LIST_BACKLOG:
		if (p->backlog_to_s <= p->backlog_from_s || HASH_COUNT(p->jobs) >= POLL_OPEN_MAX)
			return false;
		backlog_window(p, l, now_s);
		if (l->to_s <= l->from_s)
			return false;
		break;
	case LIST_LIVE:
		if (!p->settings.live)
			return false;
		l->from_s = now_s - FL_ZOOM_DAY_S;
		l->to_s = now_s;
		break;
	case LIST_PASTONE:
		l->from_s = now_s - POLL_OVERLAP_S;
		l->to_s = now_s;
		break;
	case LIST_USERS:
	case LISTERS:
		break;
	}
	l->active = true;
	l->pages = l->restarts = l->stale_pages = 0;
	*l->next = *l->first = 0;
	if (l->kind == LIST_USERS)
		p->building_count = 0;
	if (l->kind == LIST_LIVE) {
		for (struct job *job = p->lives; job; job = job->hh.next)
			job->seen = false;
	}
	return true;
}

/* Query parameters are ASCII and few: what does not fit cannot happen, and would be refused. */
static void add(char *path, size_t size, const char *name, const char *value)
{
	size_t at = strlen(path);
	int n = snprintf(path + at, size - at, "%c%s=", strchr(path, '?') ? '&' : '?', name);

	if (n > 0 && (size_t)n < size - at)
		fl_zoom_escape(value, path + at + n, size - at - (size_t)n);
}

static bool by_end_time(const struct fl_zoom_poller *p, const struct lister *l)
{
	return p->end_time != CAP_NO && (l->kind == LIST_PAST || l->kind == LIST_BACKLOG) &&
	       !l->one;
}

void poll_lister_path(struct fl_zoom_poller *p, struct lister *l, char *path, size_t size)
{
	static const char *const types[LISTERS] = { "past", "past", "pastOne", "live", NULL };
	char when[FL_ZOOM_WHEN_LEN];

	if (l->kind == LIST_USERS) {
		snprintf(path, size, "/users?status=active&page_size=2000");
	} else {
		snprintf(path, size, "/metrics/meetings?type=%s&page_size=300",
			 l->one ? "pastOne" : types[l->kind]);
		fl_zoom_when_format(l->from_s, when);
		add(path, size, "from", when);
		fl_zoom_when_format(l->to_s, when);
		add(path, size, "to", when);
		if (by_end_time(p, l))
			add(path, size, "query_date_type", "end_time");
	}
	if (*l->next)
		add(path, size, "next_page_token", l->next);
}

/* --- meetings of a page -------------------------------------------------------------------------
 */

static int ended(struct fl_zoom_poller *p, const struct fl_zoom_meeting *m)
{
	struct job *job;
	int err;

	if (!m->end_s)
		return 0;
	HASH_FIND_STR(p->jobs, m->uuid, job);
	if (job) {
		/* After a restart only its id was known. */
		if (!job->meeting.start_s || *job->meeting.host == 0)
			job->meeting = *m;
		return 0;
	}
	err = p->sink->ops->meeting_known(p->sink->ctx, p->account, m->uuid);
	if (err)
		return err < 0 ? poll_sink(p, err) : 0;
	job = poll_job_new(p, m, false);
	if (!job)
		return -ENOMEM;
	err = p->sink->ops->work_put(p->sink->ctx, p->account, &job->meeting, &job->work);
	if (err)
		poll_job_free(p, job);
	return poll_sink(p, err);
}

static int goes_on(struct fl_zoom_poller *p, const struct fl_zoom_meeting *m)
{
	struct job *job;

	if (m->end_s)
		return 0;
	HASH_FIND_STR(p->lives, m->uuid, job);
	if (!job) {
		if (HASH_COUNT(p->lives) >= POLL_LIVES_MAX)
			return 0;
		job = poll_job_new(p, m, true);
		if (!job)
			return -ENOMEM;
	} else if (!job->interesting && job->meeting.participants != m->participants &&
		   !job->busy) {
		/* Whoever came may be one of ours. */
		int64_t soon = poll_now(p).s + POLL_LIVE_QOS_S / 2;

		if (job->work.due_s > soon)
			job->work.due_s = soon;
		job->meeting = *m;
	}
	job->seen = true;
	return 0;
}

static int meetings(struct fl_zoom_poller *p, struct lister *l, const struct fl_zoom_meetings *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct fl_zoom_meeting *m = &list->list[i];
		int err;

		if (!p->settings.keep_topic)
			*m->topic = 0;
		err = l->kind == LIST_LIVE ? goes_on(p, m) : ended(p, m);
		if (err)
			return err;
	}
	return 0;
}

void fl_zoom_poller_ended(struct fl_zoom_poller *poller, const struct fl_zoom_meeting *meeting)
{
	struct fl_zoom_meeting m = *meeting;

	/* The hook does not say who was the host: the list, or the detail, will. */
	m.start_s = 0;
	*m.topic = 0;
	if (*m.uuid && m.end_s)
		ended(poller, &m);
}

/* --- users --------------------------------------------------------------------------------------
 */

/* FNV-1a, 64 bits: users of one account do not collide by chance, and gain nothing by trying. */
static uint64_t hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3;
	return h;
}

static int compare(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

bool poll_is_user(const struct fl_zoom_poller *p, const char *id)
{
	uint64_t h = hash(id);

	return p->user_count && bsearch(&h, p->users, p->user_count, sizeof(h), compare);
}

static int users(struct fl_zoom_poller *p, const struct fl_zoom_users *list)
{
	size_t need = p->building_count + list->count;

	if (need > p->building_room) {
		uint64_t *grown = realloc(p->building, need * 2 * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		p->building = grown;
		p->building_room = need * 2;
	}
	for (size_t i = 0; i < list->count; i++)
		p->building[p->building_count++] = hash(list->ids[i]);
	return 0;
}

/* --- pages --------------------------------------------------------------------------------------
 */

static void cycle_begin(struct fl_zoom_poller *p, int64_t now_s)
{
	if (p->cycle_open)
		return;
	p->cycle_open = true;
	for (struct job *job = p->jobs; job; job = job->hh.next) {
		if (job->work.due_s <= now_s) {
			job->in_cycle = true;
			p->cycle_left++;
		}
	}
	poll_cycle_step(p, NULL);
}

static void finish_live(struct fl_zoom_poller *p)
{
	struct job *job, *tmp;

	HASH_ITER(hh, p->lives, job, tmp) {
		if (!job->seen && !job->busy)
			poll_job_free(p, job);
	}
}

static void finish_users(struct fl_zoom_poller *p)
{
	if (p->building_count)
		qsort(p->building, p->building_count, sizeof(*p->building), compare);
	free(p->users);
	p->users = p->building;
	p->user_count = p->building_count;
	p->users_known = p->user_count > 0;
	p->building = NULL;
	p->building_count = p->building_room = 0;
}

static void finish_backlog(struct fl_zoom_poller *p, struct lister *l)
{
	l->one = !l->one;
	if (l->one)
		return; /* the same day again, for meetings with one person */
	p->backlog_to_s = l->from_s;
	if (p->backlog_to_s <= p->backlog_from_s)
		p->backlog_from_s = p->backlog_to_s = 0;
}

static void finish(struct fl_zoom_poller *p, struct lister *l, int64_t now_s)
{
	static const int64_t periods[LISTERS] = { POLL_PAST_S, 0, POLL_PASTONE_S, POLL_LIVE_S,
						  POLL_USERS_S };

	l->active = false;
	l->due_s = now_s + periods[l->kind];
	switch (l->kind) {
	case LIST_PAST:
		p->cursor_s = l->to_s;
		if (p->list_again)
			l->due_s = 0;
		p->list_again = false;
		if (p->end_time == CAP_UNKNOWN)
			p->end_time = CAP_YES;
		cycle_begin(p, now_s);
		break;
	case LIST_BACKLOG:
		finish_backlog(p, l);
		break;
	case LIST_LIVE:
		finish_live(p);
		return;
	case LIST_USERS:
		finish_users(p);
		return;
	case LIST_PASTONE:
	case LISTERS:
		return;
	}
	poll_sink(p, poll_state_save(p));
}

/* A token that does not change, or pages that repeat themselves, lead nowhere. */
static bool leads_on(struct lister *l, const struct fl_zoom_page *page, const char *first,
		     size_t count)
{
	if (!*page->next || !strcmp(page->next, l->next))
		return false;
	l->stale_pages = count && strcmp(first, l->first) != 0 ? 0 : l->stale_pages + 1;
	snprintf(l->first, sizeof(l->first), "%s", first);
	return ++l->pages < POLL_PAGES_MAX && l->stale_pages < 3;
}

static int take(struct fl_zoom_poller *p, struct lister *l, const struct fl_zoom_answer *answer,
		struct fl_zoom_page *page, char *first, size_t *count)
{
	int err;

	*first = 0;
	if (l->kind == LIST_USERS) {
		struct fl_zoom_users list;

		err = fl_zoom_parse_users(answer->body, answer->len, page, &list);
		if (!err)
			err = users(p, &list);
		*count = list.count;
		if (list.count)
			snprintf(first, FL_ZOOM_KEY_LEN, "%s", list.ids[0]);
		fl_zoom_users_done(&list);
	} else {
		struct fl_zoom_meetings list;

		err = fl_zoom_parse_meetings(answer->body, answer->len, page, &list);
		if (!err)
			err = meetings(p, l, &list);
		*count = list.count;
		if (list.count)
			snprintf(first, FL_ZOOM_KEY_LEN, "%s", list.list[0].uuid);
		fl_zoom_meetings_done(&list);
	}
	return err;
}

static void fine(struct fl_zoom_poller *p, struct lister *l, const struct fl_zoom_answer *answer)
{
	struct fl_zoom_now now = poll_now(p);
	char first[FL_ZOOM_KEY_LEN];
	struct fl_zoom_page page;
	size_t count;
	int err = take(p, l, answer, &page, first, &count);

	l->repeated = false;
	if (err == -EBADMSG || err == -EREMOTEIO) {
		fl_zoom_answer_words(answer, &page, p->transient, sizeof(p->transient));
		fl_zoom_limits_failed(&p->limits, &now);
		return;
	}
	/* The sink, or memory: the same page again, later. */
	if (err) {
		poll_sink(p, err);
		return;
	}
	if (leads_on(l, &page, first, count))
		memcpy(l->next, page.next, sizeof(l->next));
	else
		finish(p, l, now.s);
}

void poll_lister_answer(struct fl_zoom_poller *p, struct lister *l, enum fl_zoom_verdict verdict,
			const struct fl_zoom_answer *answer)
{
	int64_t now_s = poll_now(p).s;

	switch ((int)verdict) {
	case FL_ZOOM_FINE:
		fine(p, l, answer);
		return;
	case FL_ZOOM_AGAIN:
		return;
	case FL_ZOOM_STALE_PAGE:
		/* Its life is 15 minutes: page one again. */
		*l->next = 0;
		l->pages = 0;
		if (l->kind == LIST_USERS)
			p->building_count = 0;
		if (++l->restarts <= 3)
			return;
		break;
	case FL_ZOOM_NO_END_TIME:
	case FL_ZOOM_WRONG:
		if (by_end_time(p, l)) {
			p->end_time = CAP_NO;
			l->active = false;
			poll_sink(p, poll_state_save(p));
			return;
		}
		fl_warning("Zoom did not understand a listing of meetings");
		break;
	default:
		break;
	}
	l->active = false;
	l->due_s = now_s + POLL_PAST_S;
}
