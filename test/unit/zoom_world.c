// SPDX-License-Identifier: Apache-2.0
/* A small Zoom: see zoom_world.h. */
#include "test/unit/zoom_world.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/rand.h"
#include "agent/zoom/uuid.h"
#include "agent/zoom/when.h"

struct world w;

int64_t world_now_s(void)
{
	return (int64_t)(w.wall_ns / FL_NS_PER_S) + w.skew_s;
}

struct journal_sum world_sum(void)
{
	return journal_sum(&w.journal);
}

struct fl_zoom_status world_status(void)
{
	static struct fl_zoom_status s;

	fl_zoom_poller_status(w.poller, &s);
	return s;
}

void world_say(struct fl_zoom_answer *answer, long status, const char *body)
{
	*answer = (struct fl_zoom_answer){ .status = status,
					   .date_s = world_now_s(),
					   .content_type = "application/json",
					   .body = body,
					   .len = strlen(body) };
}

void world_init(void)
{
	memset(&w, 0, sizeof(w));
	w.mono_ns = 1000 * FL_NS_PER_S;
	w.wall_ns = WORLD_START * FL_NS_PER_S;
	w.page = 300;
	w.oldest_s = INT64_MAX;
	w.settings = fl_zoom_settings_default();
	w.settings.live = false;
	fl_clock_replace(&w.mono_ns, &w.wall_ns);
	cr_assert_eq(fl_rand_init(), 0);
	fl_rand_seed_for_test(42);
	cr_assert_eq(journal_init(&w.journal, NULL), 0);
}

void world_done(void)
{
	world_poller_stop();
	journal_done(&w.journal);
	free(w.body);
	fl_clock_replace(NULL, NULL);
}

struct world_meeting *world_meeting(int64_t ago_s, int joins, int minutes)
{
	struct world_meeting *m = &w.meetings[w.count];

	cr_assert_lt(w.count, WORLD_MEETINGS);
	snprintf(m->uuid, sizeof(m->uuid), "/m%04zu//==", w.count++);
	m->end_s = WORLD_START - ago_s;
	m->start_s = (m->end_s - minutes * 60) / 60 * 60;
	m->joins = joins;
	m->minutes = minutes;
	return m;
}

void world_poller_start(void)
{
	cr_assert_eq(fl_zoom_poller_new("acct", &w.settings, &w.journal.sink, &w.poller), 0);
	fl_zoom_poller_token(w.poller, "dashboard_meetings:read:admin user:read:admin");
}

void world_poller_stop(void)
{
	fl_zoom_poller_free(w.poller);
	w.poller = NULL;
}

/* --- bodies -------------------------------------------------------------------------------------
 */

static void stamp(int64_t s, char text[40])
{
	fl_zoom_when_format(s, text);
	text[10] = 'T';
	strcat(text, "Z");
}

static const char *parameter(const char *path, const char *name, char *buf, size_t size)
{
	char with[64];
	const char *at;
	size_t n = 0;

	snprintf(with, sizeof(with), "%s=", name);
	at = strstr(path, with);
	for (at = at ? at + strlen(with) : ""; *at && *at != '&' && n < size - 1; at++) {
		unsigned int c = (unsigned char)*at;

		if (c == '%') {
			sscanf(at + 1, "%2x", &c);
			at += 2;
		}
		buf[n++] = (char)c;
	}
	buf[n] = 0;
	return buf;
}

static int64_t time_parameter(const char *path, const char *name)
{
	char text[FL_ZOOM_WHEN_LEN + 2];

	parameter(path, name, text, sizeof(text) - 1);
	strcat(text, "Z");
	return fl_zoom_when_s(text);
}

static void meeting_line(FILE *f, const struct world_meeting *m)
{
	char start[40], end[40];

	stamp(m->start_s, start);
	stamp(m->end_s, end);
	fprintf(f,
		"{\"uuid\":\"%s\",\"id\":123,\"topic\":\"secret\",\"host\":\"H\",\"email\":\"h@x\",",
		m->uuid);
	fprintf(f, "\"start_time\":\"%s\",\"end_time\":\"%s\",\"participants\":%d}", start, end,
		m->joins);
}

static void list(FILE *f, const char *path)
{
	bool by_end = strstr(path, "query_date_type=end_time"), one = strstr(path, "type=pastOne");
	int64_t from = time_parameter(path, "from"), to = time_parameter(path, "to");
	char token[64];
	int at = atoi(parameter(path, "next_page_token", token, sizeof(token))), n = 0, shown = 0;

	cr_assert_leq(from, to, "%s", path);
	cr_assert_leq(to - from, 31 * 86400, "%s", path);
	if (from < w.oldest_s)
		w.oldest_s = from;
	fputs("{\"meetings\":[", f);
	for (size_t i = 0; i < w.count; i++) {
		const struct world_meeting *m = &w.meetings[i];
		int64_t key = by_end ? m->end_s : m->start_s;

		if (m->one != one || key < from || key > to || m->end_s > world_now_s())
			continue;
		if (n++ < at || shown == w.page)
			continue;
		if (shown++)
			fputc(',', f);
		meeting_line(f, m);
	}
	fputc(']', f);
	if (n > at + shown)
		fprintf(f, ",\"next_page_token\":\"%d\"", at + shown);
	fputc('}', f);
}

static void live(FILE *f)
{
	const char *comma = "";
	char start[40];

	fputs("{\"meetings\":[", f);
	for (size_t i = 0; i < w.count; i++) {
		const struct world_meeting *m = &w.meetings[i];

		if (m->start_s > world_now_s() || m->end_s <= world_now_s())
			continue;
		stamp(m->start_s, start);
		fprintf(f, "%s{\"uuid\":\"%s\",\"id\":1,\"start_time\":\"%s\",\"participants\":%d}",
			comma, m->uuid, start, m->joins);
		comma = ",";
	}
	fputs("]}", f);
}

static void people(FILE *f, const struct world_meeting *m, const char *path, bool qos)
{
	int size = qos ? 10 : 300, at;
	char token[64], text[40];

	at = atoi(parameter(path, "next_page_token", token, sizeof(token)));
	fputs("{\"participants\":[", f);
	for (int i = at; i < m->joins && i < at + size; i++) {
		stamp(m->start_s, text);
		fprintf(f,
			"%s{\"participant_uuid\":\"%s-%d\",\"user_id\":\"%d\",\"id\":\"user%d\",",
			i > at ? "," : "", m->uuid + 1, i, i, i);
		fprintf(f, "\"user_name\":\"Person %d\",\"email\":\"p%d@x\",\"join_time\":\"%s\"",
			i, i, text);
		fprintf(f, ",\"internal_ip_addresses\":[\"10.0.0.%d\"],\"audio_quality\":\"good\"",
			i % 250 + 1);
		if (qos)
			fputs(",\"user_qos\":[", f);
		for (int k = 0; qos && k < m->minutes && m->start_s + k * 60 < world_now_s(); k++) {
			stamp(m->start_s + k * 60, text);
			fprintf(f,
				"%s{\"date_time\":\"%s\",\"audio_input\":{\"latency\":\"30 ms\"}}",
				k ? "," : "", text);
		}
		fputs(qos ? "]}" : "}", f);
	}
	fputc(']', f);
	if (at + size < m->joins)
		fprintf(f, ",\"next_page_token\":\"%d\"", at + size);
	fputc('}', f);
}

static const struct world_meeting *meeting_of(const char *path)
{
	char id[256];

	for (size_t i = 0; i < w.count; i++) {
		fl_zoom_uuid_escape(w.meetings[i].uuid, id, sizeof(id));
		if (strstr(path, id))
			return &w.meetings[i];
	}
	return NULL;
}

static void feedback(FILE *f, const struct world_meeting *m)
{
	char text[40];

	stamp(m->end_s + 30, text);
	fprintf(f,
		"{\"participants\":[{\"date_time\":\"%s\",\"quality\":\"GOOD\",\"user_id\":\"user0\"}]}",
		text);
}

static void summary(FILE *f, const struct world_meeting *m, const char *path)
{
	char token[64];
	int at = atoi(parameter(path, "next_page_token", token, sizeof(token)));

	fputs("{\"participants\":[", f);
	for (int i = at; i < m->joins && i < at + 10; i++)
		fprintf(f,
			"%s{\"participant_id\":\"%d\",\"qos\":[{\"type\":\"video_quality\","
			"\"details\":{\"quality\":\"fair\",\"quality_score\":\"3.%02d\"}}]}",
			i > at ? "," : "", i, i);
	fputc(']', f);
	if (at + 10 < m->joins)
		fprintf(f, ",\"next_page_token\":\"%d\"", at + 10);
	fputc('}', f);
}

static void body(FILE *f, const char *path)
{
	const struct world_meeting *m;

	if (!strncmp(path, "/users", 6)) {
		w.users++;
		fputs("{\"users\":[{\"id\":\"user0\"},{\"id\":\"user1\"}]}", f);
		return;
	}
	if (!strncmp(path, "/metrics/meetings?", 18)) {
		w.lists++;
		if (strstr(path, "type=live")) {
			w.live_lists++;
			live(f);
		} else {
			list(f, path);
		}
		return;
	}
	m = meeting_of(path);
	cr_assert(m, "%s", path);
	if (strstr(path, "/participants/qos_summary")) {
		summary(f, m, path);
	} else if (strstr(path, "/participants/qos")) {
		w.qos++;
		people(f, m, path, true);
	} else if (strstr(path, "/satisfaction")) {
		w.feedback++;
		feedback(f, m);
	} else if (strstr(path, "/participants")) {
		w.participants++;
		people(f, m, path, false);
	} else {
		w.details++;
		meeting_line(f, m);
	}
}

static void answer(const struct fl_zoom_request *request)
{
	struct fl_zoom_answer a;
	size_t len;
	FILE *f;

	bool is_summary = strstr(request->path, "/qos_summary");

	w.requests++;
	w.summaries += is_summary;
	snprintf(w.last, sizeof(w.last), "%s", request->path);
	free(w.body);
	w.body = NULL;
	if (!w.fault || !w.fault(request->path, &a)) {
		if (w.no_end_time && strstr(request->path, "query_date_type")) {
			world_say(&a, 400, "{\"code\":12700,\"message\":\"no\"}");
		} else if (is_summary && !w.qss) {
			world_say(&a, 400, "{\"code\":400,\"message\":\"no add-on\"}");
		} else {
			f = open_memstream(&w.body, &len);
			body(f, request->path);
			fclose(f);
			world_say(&a, 200, w.body);
		}
	}
	if (fl_zoom_poller_answer(w.poller, request->id, &a)) {
		w.refreshes++;
		fl_zoom_poller_token(w.poller, "dashboard_meetings:read:admin user:read:admin");
	}
}

void world_run(int64_t seconds)
{
	uint64_t end = w.mono_ns + (uint64_t)seconds * FL_NS_PER_S;
	struct fl_zoom_request request;
	struct fl_mono wake;

	for (;;) {
		unsigned int burst = 0;
		uint64_t step;

		while (fl_zoom_poller_next(w.poller, &request, &wake)) {
			cr_assert_lt(burst++, 10000, "it never waits");
			answer(&request);
		}
		if (w.mono_ns >= end)
			return;
		if (wake.ns > end)
			wake.ns = end;
		step = wake.ns > w.mono_ns ? wake.ns - w.mono_ns : FL_NS_PER_MS;
		w.mono_ns += step;
		w.wall_ns += step;
	}
}
