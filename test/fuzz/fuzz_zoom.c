// SPDX-License-Identifier: Apache-2.0
/*
 * Answers of Zoom's API, of its token endpoint, and its webhooks. The first byte of an input says
 * as what the rest is read.
 */
#include <math.h>

#include "agent/zoom/answer.h"
#include "agent/zoom/oauth.h"
#include "agent/zoom/when.h"
#include "test/fuzz/fuzz.h"

enum what {
	WHAT_MEETINGS,
	WHAT_JOINS,
	WHAT_FEEDBACK,
	WHAT_USERS,
	WHAT_PERSON,
	WHAT_MEETING,
	WHAT_ERROR,
	WHAT_TOKEN,
	WHAT_TIME,
	WHAT_MAX,
};

static struct fl_zoom_page page;

static bool is_text(const char *s, size_t size)
{
	return strnlen(s, size) < size;
}

static void look_at_minutes(const struct fl_zoom_join *j)
{
	MUST(j->minute_count <= FL_ZOOM_MINUTES_MAX);
	for (size_t i = 0; i < j->minute_count; i++) {
		const struct fl_zoom_minute *m = &j->minutes[i];

		MUST(!i || m[-1].minute < m->minute);
		for (int s = 0; s < FL_ZOOM_STREAMS; s++) {
			const struct fl_zoom_figures *f = &m->streams[s];

			MUST(isnan(f->latency_ms) ||
			     (f->latency_ms >= 0 && f->latency_ms <= 3600e3));
			MUST(isnan(f->loss_pct) || (f->loss_pct >= 0 && f->loss_pct <= 100));
			MUST(!f->width == !f->height);
		}
		MUST(!(m->rssi_min_dbm > m->rssi_max_dbm));
	}
}

static void joins(const char *text, size_t len)
{
	struct fl_zoom_joins list, again;

	if (fl_zoom_parse_joins(text, len, &page, &list)) {
		MUST(!list.list && !list.count);
		return;
	}
	MUST(!fl_zoom_parse_joins(text, len, &page, &again));
	MUST(list.count == again.count);
	for (size_t i = 0; i < list.count; i++) {
		struct fl_zoom_join *j = &list.list[i];

		MUST(*j->key && is_text(j->key, sizeof(j->key)) &&
		     is_text(j->user_name, sizeof(j->user_name)));
		MUST(j->internal_count <= FL_ZOOM_ADDRS);
		look_at_minutes(j);
		/* A record put into itself changes nothing. */
		MUST(!fl_zoom_join_merge(j, &again.list[i]));
		look_at_minutes(j);
	}
	fl_zoom_joins_done(&list);
	fl_zoom_joins_done(&again);
}

static void meetings(const char *text, size_t len)
{
	struct fl_zoom_meetings list;

	if (fl_zoom_parse_meetings(text, len, &page, &list))
		return;
	for (size_t i = 0; i < list.count; i++)
		MUST(*list.list[i].uuid && list.list[i].start_s);
	fl_zoom_meetings_done(&list);
}

static void others(enum what what, const char *text, size_t len)
{
	struct fl_zoom_feedbacks feedbacks;
	struct fl_zoom_users users;
	struct fl_zoom_person person;
	struct fl_zoom_meeting meeting;

	if (what == WHAT_FEEDBACK && !fl_zoom_parse_feedback(text, len, &page, &feedbacks)) {
		for (size_t i = 0; i < feedbacks.count; i++)
			MUST(feedbacks.list[i].rating == 1 || feedbacks.list[i].rating == 5);
		fl_zoom_feedbacks_done(&feedbacks);
	}
	if (what == WHAT_USERS && !fl_zoom_parse_users(text, len, &page, &users))
		fl_zoom_users_done(&users);
	if (what == WHAT_PERSON && !fl_zoom_parse_person(text, len, &page, &person))
		MUST(*person.id && *person.account_id);
	if (what == WHAT_MEETING && !fl_zoom_parse_meeting(text, len, &page, &meeting))
		MUST(*meeting.uuid);
}

static void answer(const char *text, size_t len, bool oauth)
{
	static const struct fl_zoom_app app = { .api_base = FL_ZOOM_API_BASE };
	static struct fl_zoom_token token;
	struct fl_zoom_answer a = { .status = oauth ? 200 : 400, .body = text, .len = len };
	char words[512];

	if (!oauth) {
		fl_zoom_judge(&a, &page);
		fl_zoom_answer_words(&a, &page, words, sizeof(words));
		return;
	}
	if (fl_zoom_grant(&a, &app, &token, words, sizeof(words)) != FL_ZOOM_GRANTED)
		return;
	MUST(*token.access && token.expires_in_s >= 60);
	MUST(!*token.api_url || strstr(token.api_url, ".zoom.us"));
}

static void when(const char *text, size_t len)
{
	char copy[64], formed[FL_ZOOM_WHEN_LEN + 1];
	int64_t ms;

	if (len >= sizeof(copy))
		return;
	memcpy(copy, text, len);
	copy[len] = 0;
	fl_zoom_when_header(copy, 1720000000);
	if (!fl_zoom_when_parse(copy, &ms) || ms < 0)
		return;
	fl_zoom_when_format(ms / 1000, formed);
	strcat(formed, "Z");
	MUST(fl_zoom_when_s(formed) == ms / 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	enum what what;
	char *text;

	if (!len)
		return 0;
	what = (enum what)(data[0] % WHAT_MAX);
	text = (char *)exact_copy(data + 1, len - 1);
	switch (what) {
	case WHAT_MEETINGS:
		meetings(text, len - 1);
		break;
	case WHAT_JOINS:
		joins(text, len - 1);
		break;
	case WHAT_FEEDBACK:
	case WHAT_USERS:
	case WHAT_PERSON:
	case WHAT_MEETING:
		others(what, text, len - 1);
		break;
	case WHAT_ERROR:
	case WHAT_TOKEN:
		answer(text, len - 1, what == WHAT_TOKEN);
		break;
	case WHAT_TIME:
		when(text, len - 1);
		break;
	case WHAT_MAX:
		break;
	}
	free(text);
	return 0;
}
