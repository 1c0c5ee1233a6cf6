// SPDX-License-Identifier: Apache-2.0
/* What the poller keeps of a meeting until it is complete, and what it does not (zoom-api.md 9). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/zoom/poller_internal.h"
#include "agent/zoom/value.h"

static void drop_minutes(struct fl_zoom_poller *p, struct job *job, struct fl_zoom_join *join)
{
	p->held -= join->minute_count;
	job->minutes -= join->minute_count;
	fl_zoom_join_done(join);
}

void poll_keep_nothing(struct fl_zoom_poller *p, struct job *job)
{
	for (size_t i = 0; i < job->join_count; i++)
		drop_minutes(p, job, &job->joins[i]);
	free(job->joins);
	free(job->unwanted);
	free(job->feedback);
	job->joins = NULL;
	job->unwanted = NULL;
	job->feedback = NULL;
	job->join_count = job->feedback_count = 0;
}

static struct fl_zoom_join *find(struct job *job, const char *key)
{
	for (size_t i = 0; i < job->join_count; i++) {
		if (!strcmp(job->joins[i].key, key))
			return &job->joins[i];
	}
	return NULL;
}

/* An empty one with the key of @join; NULL without memory. */
static struct fl_zoom_join *append(struct job *job, const struct fl_zoom_join *join)
{
	size_t n = job->join_count;

	if (!(n & (n - 1))) {
		size_t room = n ? n * 2 : 8;
		struct fl_zoom_join *joins = realloc(job->joins, room * sizeof(*joins));
		bool *unwanted;

		if (!joins)
			return NULL;
		job->joins = joins;
		unwanted = realloc(job->unwanted, room * sizeof(*unwanted));
		if (!unwanted)
			return NULL;
		job->unwanted = unwanted;
	}
	job->unwanted[n] = false;
	job->joins[n] = *join;
	job->joins[n].minutes = NULL;
	job->joins[n].minute_count = 0;
	job->join_count++;
	return &job->joins[n];
}

/* Zoom's list of users knows best; without it, people from outside come without e-mail. */
static void mark_guest(const struct fl_zoom_poller *p, struct fl_zoom_join *join)
{
	if (p->users_known)
		join->guest = !*join->user || !poll_is_user(p, join->user);
	if (!p->settings.keep_phone_numbers && fl_zoom_value_is_phone_number(join->user_name))
		*join->user_name = 0;
}

static bool is_wanted(const struct fl_zoom_poller *p, const struct job *job,
		      const struct fl_zoom_join *join)
{
	const struct fl_zoom_sink_ops *ops = p->sink->ops;

	return !ops->wanted || ops->wanted(p->sink->ctx, p->account, &job->meeting, join);
}

static int keep_join(struct fl_zoom_poller *p, struct job *job, struct fl_zoom_join *from, bool qos,
		     bool *ret_news)
{
	struct fl_zoom_join *join = find(job, from->key);
	size_t before;
	int err;

	if (!join) {
		if (job->join_count == POLL_JOINS_MAX)
			return 0;
		join = append(job, from);
		if (!join)
			return -ENOMEM;
		*ret_news = true;
	}
	before = join->minute_count;
	err = fl_zoom_join_merge(join, from);
	p->held += join->minute_count - before;
	job->minutes += join->minute_count - before;
	*ret_news = *ret_news || join->minute_count > before;
	mark_guest(p, join);
	/* Others' figures are not even held until the meeting is complete. */
	if (qos && !err && !is_wanted(p, job, join)) {
		job->unwanted[join - job->joins] = true;
		drop_minutes(p, job, join);
	}
	return err;
}

int poll_keep_joins(struct fl_zoom_poller *p, struct job *job, struct fl_zoom_joins *joins,
		    bool qos, bool *ret_news)
{
	int err = 0;

	*ret_news = false;
	for (size_t i = 0; i < joins->count && !err; i++)
		err = keep_join(p, job, &joins->list[i], qos, ret_news);
	if (err || p->held <= POLL_HELD_MINUTES)
		return err;
	/* Too much for memory: this meeting goes to the sink in parts, its work stays what it was.
	 */
	err = poll_put(p, job, &job->work);
	for (size_t i = 0; i < job->join_count && !err; i++)
		drop_minutes(p, job, &job->joins[i]);
	return err;
}

int poll_keep_feedback(struct fl_zoom_poller *p, struct job *job, struct fl_zoom_feedbacks *f)
{
	struct fl_zoom_feedback *grown;

	if (!f->count || job->feedback_count + f->count > POLL_JOINS_MAX)
		return 0;
	grown = realloc(job->feedback, (job->feedback_count + f->count) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	job->feedback = grown;
	for (size_t i = 0; i < f->count; i++) {
		struct fl_zoom_feedback *to = &grown[job->feedback_count++];

		*to = f->list[i];
		if (!p->settings.keep_comments)
			*to->comment = 0;
		/* An e-mail is one of the account's own: others' are not sent. */
		if (p->settings.discard_guests && p->users_known && !strchr(to->who, '@') &&
		    !poll_is_user(p, to->who))
			*to->who = 0;
	}
	p->feedback_seen += f->count;
	return 0;
}

static void add_summary(struct fl_zoom_join *join, const struct fl_zoom_summary *s)
{
	enum fl_zoom_quality *const labels[FL_ZOOM_MEDIA] = { &join->audio, &join->video,
							      &join->screen };

	for (int i = 0; i < FL_ZOOM_MEDIA; i++) {
		if (s->mos[i] > 0)
			join->mos[i] = s->mos[i];
		if (!*labels[i])
			*labels[i] = s->labels[i];
	}
}

void poll_keep_summaries(struct job *job, const struct fl_zoom_summaries *summaries)
{
	for (size_t i = 0; i < summaries->count; i++)
		for (size_t k = 0; k < job->join_count; k++)
			if (!strcmp(job->joins[k].user_id, summaries->list[i].user_id))
				add_summary(&job->joins[k], &summaries->list[i]);
}

/* Wanted ones to the front, the others away; the rest is made ready for storage. */
static unsigned int sort_out(struct fl_zoom_poller *p, struct job *job)
{
	unsigned int dropped = 0;
	size_t kept = 0;

	for (size_t i = 0; i < job->join_count; i++) {
		struct fl_zoom_join *join = &job->joins[i];
		bool unwanted = job->unwanted[i] || !is_wanted(p, job, join);

		/* Who never got in from the waiting room was not there. */
		if (unwanted || (join->waiting && !join->minute_count)) {
			dropped += unwanted;
			drop_minutes(p, job, join);
			continue;
		}
		if (join->guest && p->settings.discard_guests) {
			*join->user_name = *join->email = 0;
			join->blank = true;
		}
		job->joins[kept] = *join;
		job->unwanted[kept++] = false;
	}
	job->join_count = kept;
	return dropped;
}

int poll_put(struct fl_zoom_poller *p, struct job *job, const struct fl_zoom_work *work)
{
	unsigned int dropped = sort_out(p, job);
	const struct fl_zoom_put put = { .meeting = &job->meeting,
					 .joins = job->joins,
					 .join_count = job->join_count,
					 .dropped = job->dropped + dropped,
					 .feedback = job->feedback,
					 .feedback_count = job->feedback_count,
					 .work = work,
					 .live = job->live };
	int err;

	if (job->live) {
		job->interesting = job->join_count > 0;
		if (!job->interesting)
			return 0;
	}
	err = poll_sink(p, p->sink->ops->meeting_put(p->sink->ctx, p->account, &put));
	job->dropped += dropped;
	if (err)
		return err;
	p->joins += job->join_count;
	p->dropped += job->dropped;
	job->dropped = 0;
	for (size_t i = 0; i < job->join_count; i++) {
		const struct fl_zoom_join *join = &job->joins[i];

		p->labels_seen += join->audio || join->video || join->screen;
		p->minutes += join->minute_count;
	}
	return 0;
}
