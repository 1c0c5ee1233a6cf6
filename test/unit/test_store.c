// SPDX-License-Identifier: Apache-2.0
/* What goes into the store comes out of it, once, however often it is put in. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/insight/store_pack.h"
#include "test/insight/fill.h"
#include "test/insight/load.h"

static char path[64];
static struct fl_store *store;

static void open_store(void)
{
	struct fl_store_health health;
	struct fl_store_cfg cfg = { .path = path };

	cr_assert_eq(fl_store_open(&cfg, &health, &store), 0);
	cr_assert_not(health.quarantined);
}

static void setup(void)
{
	snprintf(path, sizeof(path), "/tmp/fl-store-%d.db", getpid());
	open_store();
}

static void teardown(void)
{
	char name[80];

	fl_store_close(store);
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", path, i == 0 ? "" : i == 1 ? "-wal" : "-shm");
		unlink(name);
	}
}

TestSuite(store, .init = setup, .fini = teardown);

/* --- packing ------------------------------------------------------------------------------------
 */

Test(store, minutes_are_packed_and_unpacked)
{
	const struct load *l = load_correlation();
	size_t bytes = 0, count = 0;

	for (unsigned int i = 0; i < l->join_count; i++) {
		for (unsigned int n = 0; n < l->joins[i].minute_count; n++) {
			const struct fl_call_minute *m = &l->joins[i].minutes[n];
			struct fl_call_minute back = { .minute = m->minute };
			uint8_t data[FL_PACK_MINUTE_MAX], again[FL_PACK_MINUTE_MAX];
			size_t len = fl_pack_minute(m, data);

			bytes += len;
			count++;
			cr_assert_eq(fl_unpack_minute(data, len, &back), 0);
			cr_assert_eq(fl_pack_minute(&back, again), len);
			cr_assert_eq(memcmp(data, again, len), 0);
			cr_assert_not(fl_merge_minute(&back, m), "not a figure was lost");
			for (size_t cut = 0; cut < len; cut++)
				cr_assert_eq(fl_unpack_minute(data, cut, &back), -EBADMSG);
		}
	}
	cr_expect_leq(bytes / count, 80, "%zu bytes a minute", bytes / count);
}

/* --- the fixture --------------------------------------------------------------------------------
 */

static void expect_value(const struct fl_json *want, double value, const char *name, size_t bucket)
{
	if (fl_json_type(want) == FL_JSON_NULL)
		cr_expect(isnan(value), "%s, bucket %zu: %f, not a gap", name, bucket, value);
	else
		cr_expect_float_eq(value, load_number(want), 5.1e-5, "%s, bucket %zu: %f", name,
				   bucket, value);
}

static void check_insights(const char *file, int64_t from_s, int64_t to_s)
{
	struct fl_json *want = load_json(file);
	const struct fl_json *series = fl_json_member(want, "series");
	int64_t start = (int64_t)load_number(fl_json_member(want, "start"));
	int64_t end = (int64_t)load_number(fl_json_member(want, "end"));
	struct fl_insights in;
	char name[32];

	cr_assert_eq(fl_store_insights(store, FILL_HQ, from_s, to_s, &in), 0);
	cr_expect_eq(in.width_s, load_number(fl_json_member(want, "interval")));
	for (size_t i = 0; i < in.count; i++) {
		int64_t at = in.start_s + (int64_t)i * in.width_s;
		size_t bucket = (size_t)((at - start) / in.width_s);

		if (at < start || at >= end)
			continue;
		for (unsigned int s = 0; s < FL_SERIES_MAX; s++)
			expect_value(
				fl_json_at(fl_json_member(series, fl_series_name(s, name)), bucket),
				fl_roll_mean(&in.points[i].roll, s), name, bucket);
		expect_value(fl_json_at(fl_json_member(series, FL_SERIES_WAN_NAME), bucket),
			     fl_wan_roll_mean_ms(&in.points[i].wan), FL_SERIES_WAN_NAME, bucket);
	}
	cr_expect_eq(in.total.minutes, 84);
	cr_expect_eq(in.total.bad, 48);
	cr_expect_eq(in.users, 3);
	cr_expect_eq(in.poor, 1);
	cr_expect_eq(in.good + in.average, 0);
	fl_insights_done(&in);
	fl_json_free(want);
}

static void check_fixture(void)
{
	check_insights("correlation/expected_site_hq_10min.json", FILL_START_S,
		       FILL_START_S + 1800);
	/* Two days: buckets of an hour. */
	check_insights("correlation/expected_site_hq_1h.json", FILL_START_S + 1800 - 2 * 86400,
		       FILL_START_S + 1800);
}

/* C9, C11, C12 by way of ingest, tables and sums. */
Test(store, C9_site_insights_of_the_fixture)
{
	fill_fixture(store);
	check_fixture();
}

/* H25: the same again, after a restart too, is the same. */
Test(store, H25_again_is_once)
{
	struct fl_store_usage usage;

	fill_fixture(store);
	fill_fixture(store);
	fl_store_close(store);
	open_store();
	fill_fixture(store);
	check_fixture();
	cr_assert_eq(fl_store_usage(store, &usage), 0);
	cr_expect_eq(usage.meetings, 1);
	cr_expect_eq(usage.calls, 5, "on the network; C8: the others are not stored");
	cr_expect_eq(usage.minutes, 112);
}

static bool count_calls(void *ctx, const struct fl_call *call)
{
	(void)call;
	++*(unsigned int *)ctx;
	return true;
}

static bool keep_call(void *ctx, const struct fl_call *call)
{
	*(struct fl_call *)ctx = *call;
	return false;
}

static bool keep_minute(void *ctx, const struct fl_call *call, const struct fl_minute_row *row)
{
	struct fl_minute_row **next = ctx;

	(void)call;
	*(*next)++ = *row;
	return true;
}

static bool keep_client(void *ctx, const struct fl_client_row *row)
{
	struct fl_client_row **next = ctx;

	*(*next)++ = *row;
	return true;
}

/* B, C13: what the client list shows. */
Test(store, C13_clients)
{
	struct fl_client_row rows[8], *next = rows;
	int with_rating = 0;

	fill_fixture(store);
	cr_assert_eq(fl_store_each_client(store, FILL_HQ, FILL_START_S, FILL_START_S + 60,
					  keep_client, &next),
		     0);
	cr_assert_eq(next - rows, 3);
	for (int i = 0; i < 3; i++) {
		cr_expect(fl_mac_is_known(rows[i].mac));
		cr_expect_eq(rows[i].addr.family, 4);
		cr_expect_neq(rows[i].user_name[0], '\0');
		if (rows[i].min_rating == 0)
			continue;
		with_rating++;
		cr_expect_eq(rows[i].min_rating, 1);
		cr_expect_str_eq(rows[i].hostname, "MATEO-MBP");
	}
	cr_expect_eq(with_rating, 1);
	next = rows;
	cr_assert_eq(fl_store_each_client(store, FILL_HQ, FILL_START_S + 7200, FILL_START_S + 9000,
					  keep_client, &next),
		     0);
	cr_expect_eq(next - rows, 0);
}

/* E19: host name, MAC or address, however it is written. */
Test(store, E19_clients_by_any_name)
{
	const char *const names[] = { "MATEO-MBP",         "mateo-mbp",    "0a1b-2c3d-4e02",
				      "0A:1B:2C:3D:4E:02", "0a1b2c3d4e02", "10.20.7.118" };

	fill_fixture(store);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct fl_client_row rows[8], *next = rows;

		cr_assert_eq(fl_store_find_clients(store, names[i], keep_client, &next), 0);
		cr_assert_eq(next - rows, 1, "%s", names[i]);
		cr_expect_str_eq(rows[0].user_name, "Mateo Silva");
	}
	for (int i = 0; i < 2; i++) {
		struct fl_client_row rows[8], *next = rows;

		cr_assert_eq(fl_store_find_clients(store, i ? "%" : "HQ", keep_client, &next), 0);
		cr_expect_eq(next - rows, 0);
	}
}

/* D15: newest first, search, pages; E17: bad ones. */
Test(store, D15_meeting_table)
{
	struct fl_call_filter f = { .site = FILL_HQ,
				    .from_s = FILL_START_S - 86400,
				    .to_s = FILL_START_S + 86400 };
	unsigned int count = 0;
	struct fl_call call;
	uint64_t total;

	fill_fixture(store);
	cr_assert_eq(fl_store_each_call(store, &f, count_calls, &count, &total), 0);
	cr_expect_eq(count, 4);
	cr_expect_eq(total, 4);
	cr_assert_eq(fl_store_each_call(store, &f, keep_call, &call, NULL), 0);
	cr_expect_eq(call.join_s, FILL_START_S + 18 * 60 + 31, "the rejoin is the newest");
	cr_expect_eq(call.meeting_number, FILL_NUMBER);
	cr_expect_eq(call.minutes, 10);
	cr_expect_eq(call.bad_minutes, 2);
	cr_expect_eq(call.bytes, 118600000);
	f.bad_only = true;
	cr_assert_eq(fl_store_each_call(store, &f, keep_call, &call, &total), 0);
	cr_expect_eq(total, 2);
	cr_expect_eq(call.leave_code, FL_LEAVE_HOST_ENDED);
	cr_expect(call.vpn);
	f.bad_only = false;
	f.limit = 1;
	f.offset = 3;
	cr_assert_eq(fl_store_each_call(store, &f, keep_call, &call, &total), 0);
	cr_expect_eq(total, 4);
	cr_expect_str_eq(call.user_name, "Priya Raman");
	f.offset = 0;
	for (int i = 0; i < 4; i++) {
		const char *const words[] = { "lena", "hq-ws-05", "84120657733", "100%" };

		snprintf(f.search, sizeof(f.search), "%s", words[i]);
		cr_assert_eq(fl_store_each_call(store, &f, keep_call, &call, &total), 0);
		cr_expect_eq(total, i == 3 ? 0 : i == 2 ? 4 : 1, "%s", words[i]);
	}
	f = (struct fl_call_filter){ .client = call.client, .from_s = 0, .to_s = INT64_MAX };
	cr_assert_eq(fl_store_each_call(store, &f, keep_call, &call, &total), 0);
	cr_expect_geq(total, 1);
	f.client = 0;
	cr_assert_eq(fl_store_each_call(store, &f, keep_call, &call, &total), 0);
	cr_expect_eq(total, 5, "of all sites");
}

/* --- upserts ------------------------------------------------------------------------------------
 */

static struct fl_meeting_put meeting_of(struct fl_call_put *call)
{
	struct fl_meeting_put m = {
		.number = 5, .start_s = 6000, .end_s = 9000, .calls = call, .call_count = 1
	};

	cr_assert_eq(fl_store_account(store, "a", &m.account), 0);
	snprintf(m.uuid, sizeof(m.uuid), "uuid==");
	snprintf(call->call.key, sizeof(call->call.key), "join");
	call->call.rule = FL_MATCH_SESSION;
	call->call.mac.b[5] = 1;
	call->call.join_s = 6000;
	call->call.leave_s = 9000;
	cr_assert_eq(fl_store_site(store, "one", &call->call.site), 0);
	return m;
}

static void read_first_minute(struct fl_minute_row *row, struct fl_call *call)
{
	const struct fl_call_filter f = { .from_s = 0, .to_s = 100000 };
	struct fl_minute_row rows[64], *next = rows;

	cr_assert_eq(fl_store_each_call(store, &f, keep_call, call, NULL), 0);
	cr_assert_eq(fl_store_each_minute(store, call, keep_minute, &next), 0);
	cr_assert_geq(next - rows, 1);
	*row = rows[0];
}

Test(store, later_replaces_and_null_does_not)
{
	struct fl_call_minute m = fl_call_minute_none(100);
	struct fl_call_put call = { .minutes = &m, .minute_count = 1 };
	struct fl_meeting_put put = meeting_of(&call);
	struct fl_minute_row row;
	struct fl_insights in;
	struct fl_call back;

	m.streams[FL_STREAM_AUDIO_IN].latency_ms = 500;
	m.cpu_system_pct = 40;
	snprintf(call.call.user_name, sizeof(call.call.user_name), "Ann");
	call.call.audio = FL_GRADE_POOR;
	cr_assert_eq(fl_store_put_meeting(store, &put), 0);
	m = fl_call_minute_none(100);
	m.streams[FL_STREAM_AUDIO_IN].latency_ms = 40;
	m.streams[FL_STREAM_AUDIO_OUT].latency_ms = 12.5;
	call.call.user_name[0] = '\0';
	call.call.audio = FL_GRADE_UNKNOWN;
	cr_assert_eq(fl_store_put_meeting(store, &put), 0);
	read_first_minute(&row, &back);
	cr_expect_str_eq(back.user_name, "Ann");
	cr_expect_eq(back.audio, FL_GRADE_POOR);
	cr_expect_eq(back.minutes, 1);
	cr_expect_eq(back.bad_minutes, 0);
	cr_expect_eq(row.figures.streams[FL_STREAM_AUDIO_IN].latency_ms, 40);
	cr_expect_eq(row.figures.streams[FL_STREAM_AUDIO_OUT].latency_ms, 12.5);
	cr_expect_eq(row.figures.cpu_system_pct, 40);
	cr_expect(isnan(row.figures.rssi_dbm));
	cr_assert_eq(fl_store_insights(store, call.call.site, 6000, 6600, &in), 0);
	cr_expect_eq(in.total.minutes, 1);
	cr_expect_eq(in.total.bad, 0);
	cr_expect_eq(fl_roll_mean(&in.total, FL_SERIES_LATENCY + FL_STREAM_AUDIO_IN), 40);
	fl_insights_done(&in);
}

/* H27: the same minute twice in one answer, stream by stream the later one. */
Test(store, H27_same_minute_twice)
{
	struct fl_call_minute m[3] = { fl_call_minute_none(100), fl_call_minute_none(101),
				       fl_call_minute_none(100) };
	struct fl_call_put call = { .minutes = m, .minute_count = 3 };
	struct fl_meeting_put put = meeting_of(&call);
	struct fl_minute_row row;
	struct fl_call back;

	m[0].streams[FL_STREAM_AUDIO_IN].latency_ms = 126;
	m[0].streams[FL_STREAM_VIDEO_IN].latency_ms = 1204;
	m[2].streams[FL_STREAM_AUDIO_IN].latency_ms = 120;
	cr_assert_eq(fl_store_put_meeting(store, &put), 0);
	read_first_minute(&row, &back);
	cr_expect_eq(back.minutes, 2);
	cr_expect_eq(row.figures.streams[FL_STREAM_AUDIO_IN].latency_ms, 120);
	cr_expect_eq(row.figures.streams[FL_STREAM_VIDEO_IN].latency_ms, 1204);
}

Test(store, call_of_another_site_takes_its_sums_along)
{
	struct fl_call_minute m = fl_call_minute_none(100);
	struct fl_call_put call = { .minutes = &m, .minute_count = 1 };
	struct fl_meeting_put put = meeting_of(&call);
	struct fl_insights in;
	uint32_t first = call.call.site;

	m.streams[FL_STREAM_AUDIO_IN].latency_ms = 500;
	cr_assert_eq(fl_store_put_meeting(store, &put), 0);
	cr_assert_eq(fl_store_site(store, "two", &call.call.site), 0);
	cr_assert_eq(fl_store_put_meeting(store, &put), 0);
	cr_assert_eq(fl_store_insights(store, first, 6000, 6600, &in), 0);
	cr_expect_eq(in.total.minutes, 0);
	cr_expect_eq(in.total.bad, 0);
	cr_expect_eq(in.users, 0);
	fl_insights_done(&in);
	cr_assert_eq(fl_store_insights(store, call.call.site, 6000, 6600, &in), 0);
	cr_expect_eq(in.total.minutes, 1);
	cr_expect_eq(in.total.bad, 1);
	fl_insights_done(&in);
}

/* F20: each bad minute goes to its dominant category. */
Test(store, F20_causes_are_counted)
{
	struct fl_call_minute m[2] = { fl_call_minute_none(100), fl_call_minute_none(101) };
	struct fl_call_put call = { .minutes = m, .minute_count = 2 };
	struct fl_meeting_put put = meeting_of(&call);
	struct fl_minute_row row;
	struct fl_insights in;
	struct fl_call back;

	m[0].streams[FL_STREAM_AUDIO_IN].latency_ms = 500;
	m[1].streams[FL_STREAM_AUDIO_IN].latency_ms = 20;
	cr_assert_eq(fl_store_put_meeting(store, &put), 0);
	read_first_minute(&row, &back);
	cr_expect_not(row.ranked);
	cr_expect_eq(fl_store_set_cause(store, back.id, 100, FL_CATEGORY_WAN), 0);
	cr_expect_eq(fl_store_set_cause(store, back.id, 100, FL_CATEGORY_CLIENT), 0);
	cr_expect_eq(fl_store_set_cause(store, back.id, 101, FL_CATEGORY_WAN), -ENOENT);
	cr_expect_eq(fl_store_set_cause(store, back.id, 102, FL_CATEGORY_WAN), -ENOENT);
	cr_expect_eq(fl_store_set_cause(store, back.id + 1, 100, FL_CATEGORY_WAN), -ENOENT);
	read_first_minute(&row, &back);
	cr_expect(row.ranked);
	cr_expect_eq(row.cause, FL_CATEGORY_CLIENT);
	cr_assert_eq(fl_store_insights(store, call.call.site, 6000, 6600, &in), 0);
	cr_expect_eq(in.total.bad, 1);
	cr_expect_eq(in.total.bad_by[FL_CATEGORY_WAN], 0);
	cr_expect_eq(in.total.bad_by[FL_CATEGORY_CLIENT], 1);
	fl_insights_done(&in);
}

/* --- router -------------------------------------------------------------------------------------
 */

Test(store, wan_average_follows_late_and_corrected_rows)
{
	uint32_t site, paths[2];
	struct fl_path_minute rows[3];
	struct fl_insights in;
	size_t count;

	cr_assert_eq(fl_store_site(store, "one", &site), 0);
	cr_assert_eq(fl_store_path(store, site, "r", "a", &paths[0]), 0);
	cr_assert_eq(fl_store_path(store, site, "r", "b", &paths[1]), 0);
	for (int i = 0; i < 3; i++) {
		rows[i] = fl_path_minute_none(paths[i == 2], 100 + i % 2);
		rows[i].rtt_ms = 10 + i;
	}
	rows[2].minute = 100;
	rows[2].rtt_ms = 30;
	/* 10 and 30 in one minute, 11 in the next: 20 and 11. The last one comes later, and twice.
	 */
	for (int i = 0; i < 3; i++)
		cr_assert_eq(fl_store_put_path_minutes(store, rows, i ? 3 : 2), 0);
	cr_assert_eq(fl_store_insights(store, site, 6000, 6600, &in), 0);
	cr_expect_eq(in.points[0].wan.count, 2);
	cr_expect_eq(fl_wan_roll_mean_ms(&in.points[0].wan), 15.5);
	fl_insights_done(&in);
	cr_assert_eq(fl_store_path_minutes(store, paths[0], 0, 1000, rows, 3, &count), 0);
	cr_expect_eq(count, 2);
	cr_expect_eq(rows[1].rtt_ms, 11);
	cr_expect(isnan(rows[1].clients));
}

static bool keep_session(void *ctx, const struct fl_session_record *s)
{
	*(struct fl_session_record *)ctx = *s;
	return true;
}

Test(store, sessions_come_back_whole)
{
	struct fl_session_record s = { .uuid = { 1, 2, 3 },
				       .site = 1,
				       .client_port = 50000,
				       .remote_port = 8801,
				       .nat_port = 1024,
				       .proto = 17,
				       .app = FL_SESSION_ZOOM,
				       .mac = { { 2, 0, 0, 0, 0, 1 } },
				       .hostname = "ws",
				       .start_s = 1000,
				       .end_s = FL_SESSION_OPEN_END,
				       .bytes = 77,
				       .steps = { { 1000, 3 }, { 1200, 4 } },
				       .step_count = 2 };
	struct fl_session_record back;

	cr_assert_eq(fl_addr_parse("2001:db8::5", &s.client), 0);
	cr_assert_eq(fl_addr_parse("192.0.2.1", &s.remote), 0);
	cr_assert_eq(fl_store_put_sessions(store, &s, 1), 0);
	memset(&back, 0xff, sizeof(back));
	cr_assert_eq(fl_store_each_session(store, &s.client, 5000, 6000, keep_session, &back), 0);
	cr_expect_eq(memcmp(&s, &back, sizeof(s)), 0);
	s.end_s = 2000;
	s.bytes = 99;
	s.steps[2] = (struct fl_path_step){ 1500, 5 };
	s.step_count = 3;
	cr_assert_eq(fl_store_put_sessions(store, &s, 1), 0);
	memset(&back, 0, sizeof(back));
	cr_assert_eq(fl_store_each_session(store, &s.client, 2001, 6000, keep_session, &back), 0);
	cr_expect_eq(back.bytes, 0, "it was over then");
	cr_assert_eq(fl_store_each_session(store, &s.client, 2000, 6000, keep_session, &back), 0);
	cr_expect_eq(memcmp(&s, &back, sizeof(s)), 0);
}

static bool count_events(void *ctx, const struct fl_event *e)
{
	cr_expect_str_eq(e->kind, "PATH_DOWN");
	++*(unsigned int *)ctx;
	return true;
}

Test(store, D16_router_events)
{
	struct fl_event e = { 1, 1000, FL_SEVERITY_BAD, "PATH_DOWN", "wan1", "no answer for 3 s" };
	unsigned int count = 0;

	cr_assert_eq(fl_store_put_events(store, &e, 1), 0);
	cr_assert_eq(fl_store_put_events(store, &e, 1), 0, "told twice, kept once");
	cr_assert_eq(fl_store_each_event(store, 1, 0, 2000, count_events, &count), 0);
	cr_assert_eq(fl_store_each_event(store, 1, 1001, 2000, count_events, &count), 0);
	cr_expect_eq(count, 1);
}

/* --- poller -------------------------------------------------------------------------------------
 */

static bool keep_account(void *ctx, uint32_t account, const char *key, const char *state)
{
	(void)account;
	snprintf(ctx, 64, "%s %s", key, state);
	return true;
}

static bool count_work(void *ctx, const struct fl_store_work *work)
{
	cr_expect_str_eq(work->uuid, "uuid==");
	++*(unsigned int *)ctx;
	return true;
}

Test(store, A4_account_goes_with_all_it_brought)
{
	struct fl_call_minute m = fl_call_minute_none(100);
	struct fl_call_put call = { .minutes = &m, .minute_count = 1 };
	struct fl_meeting_put put = meeting_of(&call), other = put;
	const struct fl_store_work work = { "uuid==", 2, 1, 500, 400 };
	struct fl_store_usage usage;
	unsigned int due = 0;
	struct fl_insights in;
	char text[64] = "";

	m.streams[0].latency_ms = 30;
	cr_assert_eq(fl_store_set_account_state(store, put.account, "{cursor}"), 0);
	put.work = &work;
	cr_assert_eq(fl_store_put_meeting(store, &put), 0);
	cr_assert_eq(fl_store_each_work(store, put.account, 499, count_work, &due), 0);
	cr_expect_eq(due, 0);
	cr_assert_eq(fl_store_each_work(store, put.account, 500, count_work, &due), 0);
	cr_expect_eq(due, 1);
	cr_expect_eq(fl_store_has_meeting(store, put.account, "uuid=="), 1);
	cr_expect_eq(fl_store_has_meeting(store, put.account, "else"), 0);
	put.work = NULL;
	cr_assert_eq(fl_store_put_meeting(store, &put), 0);
	cr_assert_eq(fl_store_each_work(store, put.account, 500, count_work, &due), 0);
	cr_expect_eq(due, 1, "done with the meeting");
	/* A2: the same meeting of another account is its own. */
	cr_assert_eq(fl_store_account(store, "b", &other.account), 0);
	cr_assert_eq(fl_store_put_meeting(store, &other), 0);
	cr_assert_eq(fl_store_delete_account(store, put.account, true), 0);
	cr_assert_eq(fl_store_each_account(store, keep_account, text), 0);
	cr_expect_str_eq(text, "b ");
	cr_assert_eq(fl_store_usage(store, &usage), 0);
	cr_expect_eq(usage.meetings, 1);
	cr_assert_eq(fl_store_insights(store, call.call.site, 6000, 6600, &in), 0);
	cr_expect_eq(in.total.minutes, 1);
	fl_insights_done(&in);
}
