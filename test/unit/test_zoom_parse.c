// SPDX-License-Identifier: Apache-2.0
/* Answers of the API to records: the samples, and what goes wrong in them. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "agent/codec/json_pull.h"
#include "agent/zoom/parse.h"
#include "test/unit/zoom_file.h"

static struct fl_zoom_page page;

static int joins_of(const char *name, struct fl_zoom_joins *joins)
{
	size_t len;
	char *body = zoom_file(name, &len);
	int err = fl_zoom_parse_joins(body, len, &page, joins);

	free(body);
	return err;
}

static int meetings_of_text(const char *text)
{
	struct fl_zoom_meetings meetings;
	int err = fl_zoom_parse_meetings(text, strlen(text), &page, &meetings);
	int count = (int)meetings.count;

	fl_zoom_meetings_done(&meetings);
	return err ? err : count;
}

Test(zoom_parse, meetings)
{
	struct fl_zoom_meetings meetings;
	size_t len;
	char *body = zoom_file("samples/meetings_past_page1.json", &len);
	const struct fl_zoom_meeting *m;

	cr_assert_eq(fl_zoom_parse_meetings(body, len, &page, &meetings), 0);
	cr_assert_eq(meetings.count, 3);
	cr_assert_str_eq(page.next, "tk62c66a7a5dd70c3146618063c344e532");
	m = &meetings.list[0];
	cr_assert_str_eq(m->uuid, "RCCCPP3m8cJrMPkOx90B5A==");
	/* Trap 1: it does not saturate. */
	cr_assert_eq(m->number, 84120657733);
	cr_assert_str_eq(m->host, "Priya Raman");
	cr_assert_str_eq(m->host_email, "priya.raman@example.com");
	cr_assert_eq(m->start_s, 1720708200);
	cr_assert_eq(m->end_s, 1720709884);
	cr_assert_eq(m->participants, 8);
	cr_assert_eq(m->audio, FL_ZOOM_QUALITY_FAIR);
	cr_assert_eq(m->video, FL_ZOOM_QUALITY_POOR);
	cr_assert_eq(m->screen, FL_ZOOM_QUALITY_GOOD);
	cr_assert_eq(meetings.list[1].screen, FL_ZOOM_QUALITY_NONE);
	fl_zoom_meetings_done(&meetings);
	free(body);
}

/* B: what is collected of a participant. */
Test(zoom_parse, B_participants)
{
	struct fl_zoom_joins joins;
	const struct fl_zoom_join *j;
	char text[FL_ADDR_TEXT];

	cr_assert_eq(joins_of("samples/participants_past_page1.json", &joins), 0);
	cr_assert_eq(joins.count, 5);
	j = &joins.list[1];
	cr_assert_str_eq(j->key, "D444CD01-2ABB-2FCC-019B-39E41D8DAD01");
	cr_assert_str_eq(j->user_id, "16779264");
	cr_assert_str_eq(j->user, "uX03QeR7kTqWm3yBz0LpNg");
	cr_assert_str_eq(j->user_name, "Mateo Silva");
	cr_assert_str_eq(j->email, "mateo.silva@example.com");
	cr_assert_str_eq(fl_addr_format(&j->public_addr, text), "198.51.100.17");
	/* A link-local address says nothing about a client. */
	cr_assert_eq(j->internal_count, 1);
	cr_assert_str_eq(fl_addr_format(&j->internal[0], text), "10.20.7.118");
	cr_assert_eq(memcmp(j->mac, "\x0a\x1b\x2c\x3d\x4e\x02", 6), 0);
	cr_assert_str_eq(j->pc_name, "MATEO-MBP");
	cr_assert_eq(j->devices, FL_ZOOM_DEVICE_MAC);
	cr_assert_eq(j->network, FL_ZOOM_NETWORK_WIFI);
	cr_assert_eq(j->conn, FL_ZOOM_CONN_UDP);
	cr_assert_eq(j->join_s, 1720708222);
	cr_assert_eq(j->leave_s, 1720709260);
	cr_assert_eq(j->leave, FL_ZOOM_LEAVE_NETWORK_ERROR);
	cr_assert(j->disconnected);
	cr_assert(!j->guest);
	cr_assert_eq(j->video, FL_ZOOM_QUALITY_POOR);
	/* The same person again: another join. */
	cr_assert_str_neq(joins.list[2].key, j->key);
	cr_assert_str_eq(joins.list[2].user, j->user);
	cr_assert_eq(joins.list[3].conn, FL_ZOOM_CONN_PROXY);
	cr_assert_eq(joins.list[3].internal_count, 2);
	fl_zoom_joins_done(&joins);

	cr_assert_eq(joins_of("samples/participants_live.json", &joins), 0);
	cr_assert(joins.list[2].waiting);
	cr_assert_eq(joins.list[2].leave_s, 0);
	cr_assert_eq(joins.list[2].devices,
		     (unsigned int)(FL_ZOOM_DEVICE_WINDOWS | FL_ZOOM_DEVICE_PHONE));
	fl_zoom_joins_done(&joins);
}

Test(zoom_parse, B_minutes)
{
	struct fl_zoom_joins joins;
	const struct fl_zoom_minute *m;

	cr_assert_eq(joins_of("samples/qos_list_past_page1.json", &joins), 0);
	cr_assert_eq(joins.count, 4);
	cr_assert_eq(joins.list[0].minute_count, 4);
	m = &joins.list[0].minutes[0];
	cr_assert_eq(m->minute, 1720708680 / 60);
	cr_assert_eq(m->streams[FL_ZOOM_AUDIO_IN].bitrate_kbps, 57);
	cr_assert_eq(m->streams[FL_ZOOM_AUDIO_IN].latency_ms, 34);
	cr_assert_eq(m->streams[FL_ZOOM_AUDIO_OUT].jitter_ms, 3);
	cr_assert_eq(m->streams[FL_ZOOM_VIDEO_OUT].frame_rate, 26);
	cr_assert_eq(m->streams[FL_ZOOM_SCREEN_IN].width, 1920);
	/* Trap 2: not known is not zero. */
	cr_assert(isnan(m->streams[FL_ZOOM_SCREEN_OUT].latency_ms));
	cr_assert_eq(m->cpu_system_pct, 27);
	cr_assert_eq(m->cpu_zoom_pct, 4);
	fl_zoom_joins_done(&joins);

	/* One participant, without a list around the record. */
	cr_assert_eq(joins_of("samples/qos_participant_past_hq_wired.json", &joins), 0);
	cr_assert_eq(joins.count, 1);
	cr_assert_eq(joins.list[0].minute_count, 28);
	fl_zoom_joins_done(&joins);
}

/* H27: two minutes, and no error. */
Test(zoom_parse, H27_tolerant_sample)
{
	struct fl_zoom_joins joins;
	const struct fl_zoom_join *j;
	const struct fl_zoom_minute *m;

	cr_assert_eq(joins_of("samples/qos_participant_tolerant_parser.json", &joins), 0);
	cr_assert_eq(joins.count, 1);
	j = &joins.list[0];
	cr_assert_eq(j->minute_count, 2);
	m = &j->minutes[0];
	cr_assert_eq(m->minute, 1720708200 / 60);
	/* Of the second element. */
	cr_assert_eq(m->streams[FL_ZOOM_AUDIO_IN].bitrate_kbps, 28);
	cr_assert_eq(m->streams[FL_ZOOM_AUDIO_IN].latency_ms, 120);
	cr_assert_eq(m->streams[FL_ZOOM_AUDIO_IN].jitter_ms, 1);
	cr_assert_eq(m->streams[FL_ZOOM_AUDIO_IN].max_loss_pct, 0);
	/* Of the first. */
	cr_assert(isnan(m->streams[FL_ZOOM_AUDIO_OUT].latency_ms));
	cr_assert_eq(m->streams[FL_ZOOM_VIDEO_IN].bitrate_kbps, 3200);
	cr_assert_eq(m->streams[FL_ZOOM_VIDEO_IN].latency_ms, 1204);
	cr_assert(isnan(m->streams[FL_ZOOM_VIDEO_IN].jitter_ms));
	cr_assert(isnan(m->streams[FL_ZOOM_VIDEO_IN].loss_pct));
	cr_assert_eq(m->streams[FL_ZOOM_VIDEO_IN].width, 0);
	cr_assert_eq(m->cpu_system_pct, 100);
	cr_assert(isnan(m->cpu_zoom_pct));
	cr_assert_eq(m->rssi_dbm, -69);
	cr_assert_eq(m->rssi_min_dbm, -75);
	cr_assert_eq(m->rssi_max_dbm, -35);
	m = &j->minutes[1];
	cr_assert_eq(m->minute, 1720708260 / 60);
	cr_assert_eq(m->streams[FL_ZOOM_VIDEO_OUT].width, 1920);
	cr_assert_eq(m->streams[FL_ZOOM_VIDEO_OUT].frame_rate, 29.97);
	cr_assert(isnan(m->streams[FL_ZOOM_AUDIO_IN].latency_ms));
	/* The rest of the record: masked addresses, a MAC with blanks, two devices. */
	cr_assert_eq(j->internal_count, 0);
	cr_assert_eq(memcmp(j->mac, "\x0a\x1b\x2c\x3d\x4e\x02", 6), 0);
	cr_assert_eq(j->devices, (unsigned int)(FL_ZOOM_DEVICE_UNKNOWN | FL_ZOOM_DEVICE_PHONE));
	cr_assert_eq(j->leave_s, 0);
	fl_zoom_joins_done(&joins);
}

/* A web client: its figures are in the variants (4.3), and its processor is a word. */
Test(zoom_parse, web_clients)
{
	static const char body[] =
		"{\"participants\":[{\"user_id\":\"7\",\"join_time\":\"2024-07-11T14:30:00Z\",\"user_qos\":["
		"{\"audio_device_from_rwg\":{\"latency\":\"41 ms\"},\"audio_device_to_rwg\":{\"latency\":\"42\"},"
		"\"audio_input\":{\"latency\":\"\"},\"video_input\":{\"latency\":\"7 ms\"},"
		"\"video_device_from_rwg\":{\"latency\":\"99 ms\"},\"cpu_pressure_level\":\"serious\","
		"\"date_time\":\"2024-07-11T14:31:59.9Z\"}]}]}";
	struct fl_zoom_joins joins;
	const struct fl_zoom_minute *m;

	cr_assert_eq(fl_zoom_parse_joins(body, strlen(body), &page, &joins), 0);
	/* No participant_uuid: the key is made. */
	cr_assert_str_eq(joins.list[0].key, "7@1720708200");
	cr_assert(joins.list[0].guest);
	m = &joins.list[0].minutes[0];
	cr_assert_eq(m->minute, 1720708260 / 60);
	cr_assert_eq(m->streams[FL_ZOOM_AUDIO_IN].latency_ms, 41);
	cr_assert_eq(m->streams[FL_ZOOM_AUDIO_OUT].latency_ms, 42);
	cr_assert_eq(m->streams[FL_ZOOM_VIDEO_IN].latency_ms, 7);
	cr_assert_eq(m->cpu_system_pct, 80);
	fl_zoom_joins_done(&joins);
}

Test(zoom_parse, B_feedback)
{
	struct fl_zoom_feedbacks f;
	size_t len;
	char *body = zoom_file("samples/satisfaction.json", &len);

	cr_assert_eq(fl_zoom_parse_feedback(body, len, &page, &f), 0);
	cr_assert_eq(f.count, 3);
	cr_assert_eq(f.list[0].rating, 1);
	cr_assert_eq(f.list[1].rating, 5);
	cr_assert_str_eq(f.list[0].who, "uX03QeR7kTqWm3yBz0LpNg");
	cr_assert_str_eq(f.list[2].who, "");
	cr_assert_eq(f.list[0].at_s, 1720709911);
	fl_zoom_feedbacks_done(&f);
	free(body);
}

/* Its figures are those of the minutes; the score is in no other answer. */
Test(zoom_parse, summary_of_a_meeting)
{
	struct fl_zoom_summaries s;
	size_t len;
	char *body = zoom_file("samples/qos_summary.json", &len);
	const char *odd =
		"{\"participants\":[{\"participant_id\":\"1\",\"qos\":[{\"details\":"
		"{\"quality_score\":\"4.5\"},\"type\":\"as_quality\"},7,{\"type\":\"video_quality\","
		"\"details\":{\"quality_score\":\"9\",\"quality\":\"odd\"}}]},{\"qos\":[]}],"
		"\"next_page_token\":\"n\"}";

	cr_assert_eq(fl_zoom_parse_summaries(body, len, &page, &s), 0);
	cr_assert_eq(s.count, 1);
	cr_assert_str_eq(s.list[0].user_id, "16778240");
	cr_assert_eq(s.list[0].labels[FL_ZOOM_AUDIO], FL_ZOOM_QUALITY_FAIR);
	cr_assert_eq(s.list[0].mos[FL_ZOOM_AUDIO], 3.42);
	cr_assert_eq(s.list[0].mos[FL_ZOOM_VIDEO], 0);
	fl_zoom_summaries_done(&s);
	free(body);
	/* In another order, out of range, and of nobody. */
	cr_assert_eq(fl_zoom_parse_summaries(odd, strlen(odd), &page, &s), 0);
	cr_assert_eq(s.count, 1);
	cr_assert_eq(s.list[0].mos[FL_ZOOM_SCREEN], 4.5);
	cr_assert_eq(s.list[0].mos[FL_ZOOM_VIDEO], 0);
	cr_assert_eq(s.list[0].labels[FL_ZOOM_VIDEO], FL_ZOOM_QUALITY_NONE);
	cr_assert_str_eq(page.next, "n");
	fl_zoom_summaries_done(&s);
	cr_assert_eq(fl_zoom_parse_summaries("[]", 2, &page, &s), -EBADMSG);
	cr_assert_eq(s.count, 0);
}

Test(zoom_parse, B_administrator)
{
	struct fl_zoom_person person;
	size_t len;
	char *body = zoom_file("samples/user_me.json", &len);

	cr_assert_eq(fl_zoom_parse_person(body, len, &page, &person), 0);
	cr_assert_str_eq(person.email, "dana.okafor@example.com");
	cr_assert_str_eq(person.name, "Dana Okafor");
	cr_assert_str_eq(person.account_id, "qExAmPLeTzexKYTb_I2rpg");
	cr_assert_str_eq(person.account_number, "7000012345");
	cr_assert_str_eq(person.company, "Example Corp");
	free(body);
}

Test(zoom_parse, users)
{
	struct fl_zoom_users users;
	size_t len;
	char *body = zoom_file("samples/users_page1.json", &len);

	cr_assert_eq(fl_zoom_parse_users(body, len, &page, &users), 0);
	cr_assert_gt(users.count, 0);
	cr_assert(*page.next);
	fl_zoom_users_done(&users);
	free(body);
}

/* Trap 9: HTTP 200 may carry an error; a code alone, or 0, is none. */
Test(zoom_parse, errors_in_place_of_answers)
{
	cr_assert_eq(meetings_of_text("{\"code\":200,\"message\":\"No permission.\"}"), -EREMOTEIO);
	cr_assert_eq(page.code, 200);
	cr_assert_str_eq(page.message, "No permission.");
	cr_assert_eq(meetings_of_text("{\"code\":\"300\",\"message\":\"x\",\"errors\":[{}]}"),
		     -EREMOTEIO);
	cr_assert(page.has_errors);
	cr_assert_eq(meetings_of_text("{\"code\":0,\"message\":\"fine\",\"meetings\":[]}"), 0);
	cr_assert_eq(meetings_of_text("{\"code\":7,\"meetings\":[]}"), 0);
}

/* Trap 10, and bodies that were cut. */
Test(zoom_parse, no_json)
{
	static const char *const texts[] = { "",
					     "<html>",
					     "[]",
					     "\"x\"",
					     "{",
					     "{\"meetings\":[",
					     "nul",
					     "{\"meetings\":[]}x",
					     "{\"a\" 1}",
					     "{\"meetings\":[{}{}]}",
					     "{\"meetings\":[\"x]}",
					     "{\"a\":-}",
					     "{\"a\":\"\\x\"}",
					     "{,}" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		cr_assert_eq(meetings_of_text(texts[i]), -EBADMSG, "%s", texts[i]);
}

/* Records that cannot be used do not spoil those that can. */
Test(zoom_parse, odd_records)
{
	cr_assert_eq(meetings_of_text(
			     "{\"meetings\":[null,7,\"x\",[],{},{\"uuid\":null},{\"uuid\":\"a\"},"
			     "{\"uuid\":\"b\",\"start_time\":\"2024-07-11T14:30:00Z\",\"id\":{},"
			     "\"topic\":[1]}]}"),
		     1);
	cr_assert_eq(meetings_of_text("{\"meetings\":null}"), 0);
	cr_assert_eq(meetings_of_text("{\"meetings\":{}}"), 0);
	cr_assert_eq(meetings_of_text("{}"), 0);
}

/* Names come from anybody: half an emoji must not cost a page. */
Test(zoom_parse, hostile_names)
{
	static const char body[] = "{\"participants\":[{\"participant_uuid\":\"k\",\"user_name\":"
				   "\"a\\ud83d \\u0000\\ud83d\\ude00\xff\tz\"}]}";
	struct fl_zoom_joins joins;

	cr_assert_eq(fl_zoom_parse_joins(body, strlen(body), &page, &joins), 0);
	cr_assert_str_eq(joins.list[0].user_name,
			 "a\xef\xbf\xbd \xef\xbf\xbd\xf0\x9f\x98\x80\xef\xbf\xbd z");
	fl_zoom_joins_done(&joins);
}

/* Trap 12. */
Test(zoom_parse, depth)
{
	static char text[200002];

	memset(text, '[', 100000);
	memset(text + 100000, ']', 100000);
	cr_assert_eq(meetings_of_text(text), -EBADMSG);
	memcpy(text, "{\"x\":", 5);
	cr_assert_eq(meetings_of_text(text), -EBADMSG);
}

/* More than any page of Zoom's has. */
Test(zoom_parse, too_many_records)
{
	static const char one[] = "{\"uuid\":\"b\",\"start_time\":\"2024-07-11T14:30:00Z\"},";
	char *text = calloc(1, 2500 * sizeof(one)), *at = stpcpy(text, "{\"meetings\":[");

	for (int i = 0; i < 2400; i++)
		at = stpcpy(at, one);
	strcpy(at - 1, "]}");
	cr_assert_eq(meetings_of_text(text), -EBADMSG);
	free(text);
}

Test(zoom_parse, minutes_out_of_order_and_far_too_many)
{
	struct fl_zoom_join join = { 0 };

	for (int64_t i = 0; i < 5000; i++) {
		struct fl_zoom_minute m = fl_zoom_minute_none((i * 7919) % 5000);

		cr_assert_eq(fl_zoom_join_add_minute(&join, &m), 0);
	}
	cr_assert_eq(join.minute_count, FL_ZOOM_MINUTES_MAX);
	for (size_t i = 1; i < join.minute_count; i++)
		cr_assert_lt(join.minutes[i - 1].minute, join.minutes[i].minute);
	fl_zoom_join_done(&join);
}

/* A list says what a QoS record does not, and the other way round. */
Test(zoom_parse, merge)
{
	struct fl_zoom_joins a, b;

	cr_assert_eq(joins_of("samples/participants_past_page1.json", &a), 0);
	cr_assert_eq(joins_of("samples/qos_list_past_page1.json", &b), 0);
	cr_assert_eq(fl_zoom_join_merge(&a.list[0], &b.list[0]), 0);
	cr_assert_eq(a.list[0].audio, FL_ZOOM_QUALITY_FAIR);
	cr_assert_eq(a.list[0].role, FL_ZOOM_ROLE_HOST);
	cr_assert_eq(a.list[0].minute_count, 4);
	cr_assert_eq(b.list[0].minute_count, 0);
	fl_zoom_joins_done(&a);
	fl_zoom_joins_done(&b);
}

Test(zoom_parse, pull_cuts_between_characters)
{
	struct fl_pull p;
	char buf[6];

	fl_pull_init(&p, "\"abc\xc3\xa4\xc3\xb6\"", 9);
	cr_assert(fl_pull_text(&p, buf, sizeof(buf)));
	cr_assert_str_eq(buf, "abc\xc3\xa4");
	cr_assert(fl_pull_is_done(&p));
	fl_pull_init(&p, " [ -1.5e3 , true,false,null,{} ] ", 33);
	cr_assert(fl_pull_array(&p));
	cr_assert(fl_pull_item(&p) && fl_pull_text(&p, buf, sizeof(buf)));
	/* A number is not cut: it would be another one. */
	cr_assert_str_eq(buf, "");
	cr_assert(fl_pull_item(&p) && fl_pull_text(&p, buf, sizeof(buf)));
	cr_assert_str_eq(buf, "true");
	cr_assert(fl_pull_item(&p) && fl_pull_text(&p, buf, sizeof(buf)));
	cr_assert(fl_pull_item(&p) && !fl_pull_text(&p, buf, sizeof(buf)));
	cr_assert_str_eq(buf, "");
	cr_assert(fl_pull_item(&p) && !fl_pull_text(&p, buf, sizeof(buf)));
	cr_assert(!fl_pull_item(&p));
	cr_assert(fl_pull_is_done(&p));
}
