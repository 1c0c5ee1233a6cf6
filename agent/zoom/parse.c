// SPDX-License-Identifier: Apache-2.0
/* Answers of the API to records: see parse.h. The records of participants are in parse_join.c. */
#include "agent/zoom/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/codec/json_pull.h"
#include "agent/zoom/value.h"
#include "agent/zoom/when.h"

#define KEY_LEN 40 /* of the longest key that is looked for, and some */

/* --- lists that grow -------------------------------------------------------------------------- */

/* Room for one more; NULL without memory, or if there are more than any page holds. */
static void *grow(void *list, size_t count, size_t size)
{
	if (count >= FL_ZOOM_PAGE_MAX)
		return NULL;
	/* Doubles whenever the length is a power of two. */
	if (count & (count - 1))
		return list;
	return realloc(list, (count ? count * 2 : 1) * size);
}

/* What is done with one element; 0, -ENOMEM, or -E2BIG for too many. */
typedef int (*element_fn)(void *list, struct fl_pull *p);

static int each(struct fl_pull *p, element_fn fn, void *list)
{
	int err = 0;

	if (!fl_pull_array(p))
		return 0;
	while (fl_pull_item(p)) {
		if (err)
			fl_pull_skip(p);
		else
			err = fn(list, p);
	}
	return err;
}

/* --- the envelope ----------------------------------------------------------------------------- */

static int64_t integer(struct fl_pull *p)
{
	char text[32];

	/* A number in lists, a string elsewhere (5.1). */
	return fl_pull_text(p, text, sizeof(text)) ? strtoll(text, NULL, 10) : 0;
}

/* Members that any answer may have; false if @key is none of them. */
static bool page_member(struct fl_zoom_page *page, const char *key, struct fl_pull *p)
{
	if (!strcmp(key, "next_page_token")) {
		fl_pull_text(p, page->next, sizeof(page->next));
	} else if (!strcmp(key, "code")) {
		page->code = integer(p);
	} else if (!strcmp(key, "message")) {
		fl_pull_text(p, page->message, sizeof(page->message));
	} else if (!strcmp(key, "errors")) {
		page->has_errors = fl_pull_peek(p) == FL_PULL_ARRAY;
		fl_pull_skip(p);
	} else {
		return false;
	}
	return true;
}

static int page_end(const struct fl_zoom_page *page, struct fl_pull *p, int err)
{
	if (!fl_pull_is_done(p))
		return -EBADMSG;
	if (err)
		return err == -E2BIG ? -EBADMSG : err;
	/* Both: a record may well have a code of its own one day. */
	return page->code && *page->message ? -EREMOTEIO : 0;
}

/* A page whose records are in the array @name; NULL: none are wanted. */
static int page(const char *body, size_t len, struct fl_zoom_page *ret_page, const char *name,
		element_fn fn, void *list)
{
	char key[KEY_LEN];
	struct fl_pull p;
	int err = 0;

	*ret_page = (struct fl_zoom_page){ 0 };
	fl_pull_init(&p, body, len);
	if (!fl_pull_object(&p))
		return -EBADMSG;
	while (fl_pull_key(&p, key, sizeof(key))) {
		if (name && !strcmp(key, name) && !err)
			err = each(&p, fn, list);
		else if (!page_member(ret_page, key, &p))
			fl_pull_skip(&p);
	}
	return page_end(ret_page, &p, err);
}

int fl_zoom_parse_page(const char *body, size_t len, struct fl_zoom_page *ret_page)
{
	return page(body, len, ret_page, NULL, NULL, NULL);
}

/* --- meetings --------------------------------------------------------------------------------- */

static enum fl_zoom_quality quality(struct fl_pull *p)
{
	char text[16];

	fl_pull_text(p, text, sizeof(text));
	return fl_zoom_value_quality(text);
}

static int64_t when(struct fl_pull *p)
{
	char text[40];

	fl_pull_text(p, text, sizeof(text));
	return fl_zoom_when_s(text);
}

static bool meeting_text(struct fl_zoom_meeting *m, const char *key, struct fl_pull *p)
{
	if (!strcmp(key, "uuid"))
		fl_pull_text(p, m->uuid, sizeof(m->uuid));
	else if (!strcmp(key, "topic"))
		fl_pull_text(p, m->topic, sizeof(m->topic));
	else if (!strcmp(key, "host"))
		fl_pull_text(p, m->host, sizeof(m->host));
	else if (!strcmp(key, "email"))
		fl_pull_text(p, m->host_email, sizeof(m->host_email));
	else
		return false;
	return true;
}

static bool meeting_figure(struct fl_zoom_meeting *m, const char *key, struct fl_pull *p)
{
	if (!strcmp(key, "id"))
		m->number = integer(p);
	else if (!strcmp(key, "start_time"))
		m->start_s = when(p);
	else if (!strcmp(key, "end_time"))
		m->end_s = when(p);
	else if (!strcmp(key, "participants"))
		m->participants = (unsigned int)integer(p);
	else if (!strcmp(key, "audio_quality"))
		m->audio = quality(p);
	else if (!strcmp(key, "video_quality"))
		m->video = quality(p);
	else if (!strcmp(key, "screen_share_quality"))
		m->screen = quality(p);
	else
		return false;
	return true;
}

static int meeting(void *list, struct fl_pull *p)
{
	struct fl_zoom_meetings *meetings = list;
	struct fl_zoom_meeting *grown = grow(meetings->list, meetings->count,
					     sizeof(*meetings->list)),
			       *m;
	char key[KEY_LEN];

	if (!grown)
		return meetings->count < FL_ZOOM_PAGE_MAX ? -ENOMEM : -E2BIG;
	meetings->list = grown;
	m = &grown[meetings->count];
	*m = (struct fl_zoom_meeting){ 0 };
	if (!fl_pull_object(p))
		return 0;
	while (fl_pull_key(p, key, sizeof(key))) {
		if (!meeting_text(m, key, p) && !meeting_figure(m, key, p))
			fl_pull_skip(p);
	}
	/* Without a uuid it could not be asked for, nor stored once. */
	if (*m->uuid && m->start_s)
		meetings->count++;
	return 0;
}

int fl_zoom_parse_meetings(const char *body, size_t len, struct fl_zoom_page *ret_page,
			   struct fl_zoom_meetings *ret_meetings)
{
	int err;

	*ret_meetings = (struct fl_zoom_meetings){ 0 };
	err = page(body, len, ret_page, "meetings", meeting, ret_meetings);
	if (err)
		fl_zoom_meetings_done(ret_meetings);
	return err;
}

int fl_zoom_parse_meeting(const char *body, size_t len, struct fl_zoom_page *ret_page,
			  struct fl_zoom_meeting *ret_meeting)
{
	struct fl_zoom_meeting m = { 0 };
	char key[KEY_LEN];
	struct fl_pull p;
	int err;

	*ret_page = (struct fl_zoom_page){ 0 };
	fl_pull_init(&p, body, len);
	if (!fl_pull_object(&p))
		return -EBADMSG;
	while (fl_pull_key(&p, key, sizeof(key))) {
		if (!meeting_text(&m, key, &p) && !meeting_figure(&m, key, &p) &&
		    !page_member(ret_page, key, &p))
			fl_pull_skip(&p);
	}
	err = page_end(ret_page, &p, 0);
	if (!err && (!*m.uuid || !m.start_s))
		err = -EBADMSG;
	if (!err)
		*ret_meeting = m;
	return err;
}

void fl_zoom_meetings_done(struct fl_zoom_meetings *meetings)
{
	free(meetings->list);
	*meetings = (struct fl_zoom_meetings){ 0 };
}

/* --- participants ----------------------------------------------------------------------------- */

/* Members of one record, until its end or for the ones that were read by the caller. */
static int join_value(struct fl_zoom_join *join, const char *key, struct fl_pull *p)
{
	if (!strcmp(key, "user_qos"))
		return fl_zoom_join_minutes(join, p);
	if (!fl_zoom_join_member(join, key, p))
		fl_pull_skip(p);
	return 0;
}

static struct fl_zoom_join *join_new(struct fl_zoom_joins *joins)
{
	struct fl_zoom_join *grown = grow(joins->list, joins->count, sizeof(*joins->list));

	if (!grown)
		return NULL;
	joins->list = grown;
	grown[joins->count] = (struct fl_zoom_join){ 0 };
	return &grown[joins->count];
}

/* Counts it in if it can be told from others. */
static void join_end(struct fl_zoom_joins *joins, struct fl_zoom_join *join)
{
	fl_zoom_join_finish(join);
	joins->minutes += join->minute_count;
	if (!*join->key || joins->minutes > FL_ZOOM_PAGE_MINUTES)
		fl_zoom_join_done(join);
	if (*join->key)
		joins->count++;
}

static int join(void *list, struct fl_pull *p)
{
	struct fl_zoom_joins *joins = list;
	struct fl_zoom_join *j = join_new(joins);
	char key[KEY_LEN];
	int err = 0;

	if (!j)
		return joins->count < FL_ZOOM_PAGE_MAX ? -ENOMEM : -E2BIG;
	if (!fl_pull_object(p))
		return 0;
	while (fl_pull_key(p, key, sizeof(key))) {
		if (err)
			fl_pull_skip(p);
		else
			err = join_value(j, key, p);
	}
	join_end(joins, j);
	return err;
}

/* Also the answer for one participant, which is its record without a list around it. */
int fl_zoom_parse_joins(const char *body, size_t len, struct fl_zoom_page *ret_page,
			struct fl_zoom_joins *ret_joins)
{
	struct fl_zoom_join alone = { 0 };
	char key[KEY_LEN];
	struct fl_pull p;
	int err = 0;

	*ret_joins = (struct fl_zoom_joins){ 0 };
	*ret_page = (struct fl_zoom_page){ 0 };
	fl_pull_init(&p, body, len);
	if (!fl_pull_object(&p))
		return -EBADMSG;
	while (fl_pull_key(&p, key, sizeof(key))) {
		if (err)
			fl_pull_skip(&p);
		else if (!strcmp(key, "participants"))
			err = each(&p, join, ret_joins);
		else if (!page_member(ret_page, key, &p))
			err = join_value(&alone, key, &p);
	}
	fl_zoom_join_finish(&alone);
	if (!err && *alone.key && !ret_joins->count) {
		struct fl_zoom_join *j = join_new(ret_joins);

		if (j) {
			*j = alone;
			alone = (struct fl_zoom_join){ 0 };
			ret_joins->count = 1;
		} else {
			err = -ENOMEM;
		}
	}
	fl_zoom_join_done(&alone);
	err = page_end(ret_page, &p, err);
	if (err)
		fl_zoom_joins_done(ret_joins);
	return err;
}

void fl_zoom_joins_done(struct fl_zoom_joins *joins)
{
	for (size_t i = 0; i < joins->count; i++)
		fl_zoom_join_done(&joins->list[i]);
	free(joins->list);
	*joins = (struct fl_zoom_joins){ 0 };
}

/* --- feedback --------------------------------------------------------------------------------- */

static int feedback(void *list, struct fl_pull *p)
{
	struct fl_zoom_feedbacks *feedbacks = list;
	struct fl_zoom_feedback *grown = grow(feedbacks->list, feedbacks->count,
					      sizeof(*feedbacks->list)),
				*f;
	char key[KEY_LEN], user[FL_ZOOM_NAME_LEN] = "", email[FL_ZOOM_NAME_LEN] = "", text[16];

	if (!grown)
		return feedbacks->count < FL_ZOOM_PAGE_MAX ? -ENOMEM : -E2BIG;
	feedbacks->list = grown;
	f = &grown[feedbacks->count];
	*f = (struct fl_zoom_feedback){ 0 };
	if (!fl_pull_object(p))
		return 0;
	while (fl_pull_key(p, key, sizeof(key))) {
		if (!strcmp(key, "user_id")) {
			fl_pull_text(p, user, sizeof(user));
		} else if (!strcmp(key, "email")) {
			fl_pull_text(p, email, sizeof(email));
		} else if (!strcmp(key, "date_time")) {
			f->at_s = when(p);
		} else if (!strcmp(key, "comment")) {
			fl_pull_text(p, f->comment, sizeof(f->comment));
		} else if (!strcmp(key, "quality")) {
			fl_pull_text(p, text, sizeof(text));
			/* Zoom knows two (zoom-api.md 10). */
			f->rating = !strcmp(text, "GOOD") ? 5 : !strcmp(text, "NOT GOOD") ? 1 : 0;
		} else {
			fl_pull_skip(p);
		}
	}
	memcpy(f->who, *user ? user : email, sizeof(f->who));
	if (f->rating && f->at_s)
		feedbacks->count++;
	return 0;
}

int fl_zoom_parse_feedback(const char *body, size_t len, struct fl_zoom_page *ret_page,
			   struct fl_zoom_feedbacks *ret_feedbacks)
{
	int err;

	*ret_feedbacks = (struct fl_zoom_feedbacks){ 0 };
	err = page(body, len, ret_page, "participants", feedback, ret_feedbacks);
	if (err)
		fl_zoom_feedbacks_done(ret_feedbacks);
	return err;
}

void fl_zoom_feedbacks_done(struct fl_zoom_feedbacks *feedbacks)
{
	free(feedbacks->list);
	*feedbacks = (struct fl_zoom_feedbacks){ 0 };
}

/* --- summaries -------------------------------------------------------------------------------- */

/*
 * Figures of the streams are left: they are those of the minutes, which we have. Zoom's own score
 * is in no other answer.
 */
static void summary_score(struct fl_zoom_summary *s, const char *type, const char *label,
			  const char *score)
{
	static const char *const types[FL_ZOOM_MEDIA] = { "audio_quality", "video_quality",
							  "as_quality" };

	for (int i = 0; i < FL_ZOOM_MEDIA; i++) {
		if (strcmp(type, types[i]) != 0)
			continue;
		s->labels[i] = fl_zoom_value_quality(label);
		s->mos[i] = fl_zoom_value_mos(score);
	}
}

static void summary_details(struct fl_pull *p, char label[16], char score[16])
{
	char key[KEY_LEN];

	if (!fl_pull_object(p))
		return;
	while (fl_pull_key(p, key, sizeof(key))) {
		if (!strcmp(key, "quality"))
			fl_pull_text(p, label, 16);
		else if (!strcmp(key, "quality_score"))
			fl_pull_text(p, score, 16);
		else
			fl_pull_skip(p);
	}
}

static int summary_item(void *summary, struct fl_pull *p)
{
	char key[KEY_LEN], type[24] = "", label[16] = "", score[16] = "";

	if (!fl_pull_object(p))
		return 0;
	while (fl_pull_key(p, key, sizeof(key))) {
		if (!strcmp(key, "type"))
			fl_pull_text(p, type, sizeof(type));
		else if (!strcmp(key, "details"))
			summary_details(p, label, score);
		else
			fl_pull_skip(p);
	}
	summary_score(summary, type, label, score);
	return 0;
}

static int summary(void *list, struct fl_pull *p)
{
	struct fl_zoom_summaries *summaries = list;
	struct fl_zoom_summary *grown = grow(summaries->list, summaries->count,
					     sizeof(*summaries->list)),
			       *s;
	char key[KEY_LEN];

	if (!grown)
		return summaries->count < FL_ZOOM_PAGE_MAX ? -ENOMEM : -E2BIG;
	summaries->list = grown;
	s = &grown[summaries->count];
	*s = (struct fl_zoom_summary){ 0 };
	if (!fl_pull_object(p))
		return 0;
	while (fl_pull_key(p, key, sizeof(key))) {
		if (!strcmp(key, "participant_id"))
			fl_pull_text(p, s->user_id, sizeof(s->user_id));
		else if (!strcmp(key, "qos"))
			each(p, summary_item, s);
		else
			fl_pull_skip(p);
	}
	if (*s->user_id)
		summaries->count++;
	return 0;
}

int fl_zoom_parse_summaries(const char *body, size_t len, struct fl_zoom_page *ret_page,
			    struct fl_zoom_summaries *ret_summaries)
{
	int err;

	*ret_summaries = (struct fl_zoom_summaries){ 0 };
	err = page(body, len, ret_page, "participants", summary, ret_summaries);
	if (err)
		fl_zoom_summaries_done(ret_summaries);
	return err;
}

void fl_zoom_summaries_done(struct fl_zoom_summaries *summaries)
{
	free(summaries->list);
	*summaries = (struct fl_zoom_summaries){ 0 };
}

/* --- people ----------------------------------------------------------------------------------- */

static int user(void *list, struct fl_pull *p)
{
	struct fl_zoom_users *users = list;
	void *grown = grow(users->ids, users->count, sizeof(*users->ids));
	char key[KEY_LEN];

	if (!grown)
		return users->count < FL_ZOOM_PAGE_MAX ? -ENOMEM : -E2BIG;
	users->ids = grown;
	*users->ids[users->count] = 0;
	if (!fl_pull_object(p))
		return 0;
	while (fl_pull_key(p, key, sizeof(key))) {
		if (!strcmp(key, "id"))
			fl_pull_text(p, users->ids[users->count], sizeof(*users->ids));
		else
			fl_pull_skip(p);
	}
	if (*users->ids[users->count])
		users->count++;
	return 0;
}

int fl_zoom_parse_users(const char *body, size_t len, struct fl_zoom_page *ret_page,
			struct fl_zoom_users *ret_users)
{
	int err;

	*ret_users = (struct fl_zoom_users){ 0 };
	err = page(body, len, ret_page, "users", user, ret_users);
	if (err)
		fl_zoom_users_done(ret_users);
	return err;
}

void fl_zoom_users_done(struct fl_zoom_users *users)
{
	free(users->ids);
	*users = (struct fl_zoom_users){ 0 };
}

int fl_zoom_parse_person(const char *body, size_t len, struct fl_zoom_page *ret_page,
			 struct fl_zoom_person *ret_person)
{
	struct fl_zoom_person person = { 0 };
	const struct {
		const char *key;
		char *to;
		size_t size;
	} members[] = {
		{ "id", person.id, sizeof(person.id) },
		{ "email", person.email, sizeof(person.email) },
		{ "display_name", person.name, sizeof(person.name) },
		{ "account_id", person.account_id, sizeof(person.account_id) },
		{ "account_number", person.account_number, sizeof(person.account_number) },
		{ "company", person.company, sizeof(person.company) },
		{ "role_name", person.role_name, sizeof(person.role_name) },
	};
	size_t count = sizeof(members) / sizeof(*members), i;
	char key[KEY_LEN];
	struct fl_pull p;
	int err;

	*ret_page = (struct fl_zoom_page){ 0 };
	fl_pull_init(&p, body, len);
	if (!fl_pull_object(&p))
		return -EBADMSG;
	while (fl_pull_key(&p, key, sizeof(key))) {
		for (i = 0; i < count && strcmp(key, members[i].key) != 0; i++)
			;
		if (i < count)
			fl_pull_text(&p, members[i].to, members[i].size);
		else if (!page_member(ret_page, key, &p))
			fl_pull_skip(&p);
	}
	err = page_end(ret_page, &p, 0);
	if (!err && (!*person.id || !*person.account_id))
		err = -EBADMSG;
	if (!err)
		*ret_person = person;
	return err;
}
