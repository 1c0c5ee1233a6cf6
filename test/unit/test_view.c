// SPDX-License-Identifier: Apache-2.0
/* What the CLI and the page show, over the fixture of zoom-api.md 13. */
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/insight/view.h"
#include "test/insight/fill.h"
#include "test/insight/load.h"

#define END_S (FILL_START_S + 1800)

static char path[64];
static struct fl_store *store;
static struct fl_explainer *explainer;
static struct fl_view view;
static struct fl_json *json;
static const struct fl_view_span hour = { FILL_START_S, END_S };
static const struct fl_view_span never = { 0, 3600 };

static void setup(void)
{
	static const struct fl_view_site hq = { "hq", { "America/New_York" } };
	struct fl_store_cfg cfg = { .path = path };
	struct fl_store_health health;

	snprintf(path, sizeof(path), "/tmp/fl-view-%d.db", getpid());
	cr_assert_eq(fl_store_open(&cfg, &health, &store), 0);
	cr_assert_eq(fl_explainer_new(store, NULL, &explainer), 0);
	view = (struct fl_view){
		.store = store, .explainer = explainer, .sites = &hq, .site_count = 1
	};
	json = fl_json_new_object();
}

static void setup_filled(void)
{
	setup();
	fill_fixture(store);
}

static void teardown(void)
{
	fl_json_free(json);
	fl_explainer_free(explainer);
	fl_store_close(store);
	unlink(path);
}

TestSuite(view, .init = setup_filled, .fini = teardown);
TestSuite(view_empty, .init = setup, .fini = teardown);

static const struct fl_json *member(const struct fl_json *o, const char *key)
{
	const struct fl_json *found = fl_json_member(o, key);

	cr_assert(found, "no member %s", key);
	return found;
}

static int64_t number(const struct fl_json *o, const char *key)
{
	int64_t n = INT64_MIN;

	cr_assert_eq(fl_json_get_i64(member(o, key), &n), 0, "%s", key);
	return n;
}

static double real(const struct fl_json *o, const char *key)
{
	return load_number(member(o, key));
}

static const char *text(const struct fl_json *o, const char *key)
{
	const char *s = fl_json_get_string(member(o, key));

	cr_assert(s, "%s is no text", key);
	return s;
}

/* Every series of the reference's answer, value by value. */
static bool same_series(void *ctx, const char *key, struct fl_json *value)
{
	const char *name = strcmp(key, "cpu.system_max") ? key : "cpu";
	const struct fl_json *got = member(ctx, name);

	cr_assert_eq(fl_json_count(got), fl_json_count(value), "%s", key);
	for (size_t i = 0; i < fl_json_count(value); i++) {
		double a = load_number(fl_json_at(got, i)), b = load_number(fl_json_at(value, i));

		cr_expect(isnan(a) ? isnan(b) : fabs(a - b) <= 0.006, "%s[%zu]: %f, not %f", key, i,
			  a, b);
	}
	return true;
}

Test(view, C9_six_series_and_the_wan)
{
	struct fl_json *expected = load_json("correlation/expected_site_hq_10min.json");

	cr_assert_eq(fl_view_series(&view, FILL_HQ, hour, json), 0);
	cr_expect_eq(number(json, "interval"), number(expected, "interval"));
	cr_expect_eq(number(json, "start"), number(expected, "start"));
	fl_json_for_each(member(expected, "series"), same_series,
			 (void *)(uintptr_t)member(json, "series"));
	cr_expect_eq(fl_json_count(member(json, "series")), 20);
	fl_json_free(expected);
	cr_expect_eq(fl_view_series(&view, 77, hour, json), -ENOENT);
	cr_expect_eq(fl_view_series(&view, FILL_HQ, (struct fl_view_span){ 5, 5 }, json), -EINVAL);
}

Test(view, C11_feedback_and_sums)
{
	const struct fl_json *feedback;

	cr_assert_eq(fl_view_summary(&view, FILL_HQ, hour, json), 0);
	cr_expect_gt(number(json, "bad_minutes"), 0);
	cr_expect_eq(number(json, "bad_minutes"), number(json, "bad_minutes_unranked"));
	feedback = member(json, "feedback");
	cr_expect_eq(number(feedback, "poor"), 1);
	cr_expect_eq(number(feedback, "average"), 0);
	cr_expect_eq(number(feedback, "good"), 0);
}

Test(view, C10_who_is_behind_a_point_of_the_cpu_graph)
{
	const struct fl_json *clients;

	cr_assert_eq(
		fl_view_cpu(&view, FILL_HQ, (struct fl_view_span){ FILL_START_S, END_S }, json), 0);
	clients = member(json, "clients");
	cr_assert_gt(fl_json_count(clients), 1);
	cr_expect_eq(strlen(text(fl_json_at(clients, 0), "mac")), 12);
	for (size_t i = 1; i < fl_json_count(clients); i++)
		cr_expect_leq(real(fl_json_at(clients, i), "cpu"),
			      real(fl_json_at(clients, i - 1), "cpu"));
}

Test(view, C13_clients)
{
	const struct fl_json *rows, *row = NULL;
	uint32_t client;

	cr_assert_eq(fl_view_clients(&view, FILL_HQ, hour, json), 0);
	rows = member(json, "results");
	cr_expect_eq((size_t)number(json, "total"), fl_json_count(rows));
	for (size_t i = 0; i < fl_json_count(rows); i++)
		if (!strcmp(text(fl_json_at(rows, i), "hostname"), "MATEO-MBP"))
			row = fl_json_at(rows, i);
	cr_assert(row);
	cr_expect_str_eq(text(row, "mac"), "0a1b2c3d4e02");
	cr_expect_str_eq(text(row, "ip"), "10.20.7.118");
	cr_expect_eq(number(row, "min_rating"), 1);
	cr_expect_eq(number(row, "calls"), 2);
	cr_assert_eq(fl_view_find_client(&view, "mateo-mbp", 0, &client), 0);
	cr_expect_eq(client, number(row, "client"));
	cr_assert_eq(fl_view_find_client(&view, "0A:1B:2C:3D:4E:02", FILL_HQ, &client), 0);
	cr_expect_eq(fl_view_find_client(&view, "0a1b2c3d4e02", FILL_BRANCH, &client), -ENOENT);
	cr_expect_eq(fl_view_find_client(&view, "nobody", 0, &client), -ENOENT);
}

Test(view, D14_one_client_by_the_minute)
{
	const struct fl_json *series, *times;
	uint32_t client;

	cr_assert_eq(fl_view_find_client(&view, "MATEO-MBP", 0, &client), 0);
	cr_assert_eq(fl_view_client(&view, client, hour, json), 0);
	series = member(json, "series");
	times = member(json, "timestamps");
	cr_expect_gt(fl_json_count(times), 20);
	cr_expect_eq(fl_json_count(member(series, "rssi")), fl_json_count(times));
	cr_expect_eq(fl_json_count(member(series, "wan-latency")), fl_json_count(times));
	cr_expect(load_number(fl_json_at(member(series, "rssi"), 0)) < -20);
	cr_expect(load_number(fl_json_at(member(series, "wan-latency"), 1)) > 0);
	cr_expect_not(fl_json_get_bool(member(json, "truncated")));
	cr_expect_eq(fl_view_client(&view, 99, hour, json), -ENOENT);
}

static const struct fl_json *calls_of_mateo(struct fl_json *to)
{
	struct fl_call_filter filter = { .from_s = FILL_START_S, .to_s = END_S };

	cr_assert_eq(fl_view_find_client(&view, "MATEO-MBP", 0, &filter.client), 0);
	cr_assert_eq(fl_view_calls(&view, &filter, to), 0);
	return member(to, "results");
}

Test(view, D15_meeting_table)
{
	const struct fl_json *rows = calls_of_mateo(json), *first, *second;

	cr_assert_eq(fl_json_count(rows), 2);
	cr_expect_eq(number(json, "total"), 2);
	first = fl_json_at(rows, 0);
	second = fl_json_at(rows, 1);
	cr_expect_gt(number(first, "join_time"), number(second, "join_time"));
	cr_expect_str_eq(text(second, "meeting_id"), "84120657733");
	cr_expect_str_eq(text(member(second, "audio_quality"), "display"), "Fair (MOS 3-4)");
	cr_expect_str_eq(text(member(second, "video_quality"), "mos_range"), "2-3");
	cr_expect_str_eq(text(member(second, "screen_share_quality"), "label"), "not_applicable");
	cr_expect_eq(number(second, "rating"), 1);
	cr_expect(fl_json_get_bool(member(second, "has_feature_ranking")));
	cr_expect_eq(number(second, "usage_bytes"), 201400000);
}

Test(view, D16_events_between_those_of_the_router)
{
	const struct fl_event down = { FILL_HQ, FILL_START_S + 700, FL_SEVERITY_BAD, "PATH_DOWN",
				       "wan1",  "BFD: no answer" };
	const struct fl_json *list;
	int64_t last = 0;
	bool router = false, lost = false;
	uint32_t client;

	cr_assert_eq(fl_store_put_events(store, &down, 1), 0);
	cr_assert_eq(fl_view_find_client(&view, "MATEO-MBP", 0, &client), 0);
	cr_assert_eq(fl_view_events(&view, FILL_HQ, client, hour, json), 0);
	list = member(json, "events");
	for (size_t i = 0; i < fl_json_count(list); i++) {
		const struct fl_json *e = fl_json_at(list, i);

		cr_expect_geq(number(e, "timestamp"), last);
		last = number(e, "timestamp");
		router |= !strcmp(text(e, "display"), "Path down");
		lost |= !strcmp(text(e, "type"), "CLIENT_DISCONNECTED_FROM_CALL");
	}
	cr_expect(router);
	cr_expect(lost);
	cr_expect_eq(number(member(json, "totals"), "good"), 3);
	cr_expect_geq(number(member(json, "totals"), "bad"), 2);
}

Test(view, F22_ranking_sums_up)
{
	const struct fl_json *row, *results, *parts;
	uint64_t call;
	double sum;

	calls_of_mateo(json);
	call = (uint64_t)number(fl_json_at(member(json, "results"), 1), "call");
	fl_json_free(json);
	json = fl_json_new_object();
	cr_assert_eq(fl_view_ranking(&view, call, FL_STREAM_AUDIO_IN, END_S, json), 0);
	results = member(json, "results");
	cr_assert_gt(fl_json_count(results), 5);
	for (size_t i = 0; i < fl_json_count(results); i++) {
		row = fl_json_at(results, i);
		parts = member(row, "contributions");
		sum = real(row, "expected") + real(row, "unexplained");
		for (enum fl_feature f = 0; f < FL_FEATURE_MAX; f++)
			sum += real(parts, fl_feature_name(f));
		cr_expect_float_eq(sum, real(row, "observed"), 0.1);
		cr_expect_str_eq(text(row, "dominant"), "wan");
		cr_expect_gt(real(member(row, "capacity"), "download_mbps"), 0);
	}
	cr_expect_eq(fl_view_ranking(&view, 4711, FL_STREAM_MAX, END_S, json), -ENOENT);
}

Test(view, minutes_of_a_call)
{
	const struct fl_json *minutes;
	struct fl_json *to = fl_json_new_object();
	uint64_t call;
	size_t bad = 0;

	cr_assert_eq(fl_view_find_call(&view, FILL_MEETING, hour, &call), 0);
	cr_assert_eq(fl_view_find_call(&view, "84120657733", hour, &call), 0);
	cr_expect_eq(fl_view_find_call(&view, "84120657733", never, &call), -ENOENT);
	call = (uint64_t)number(fl_json_at(calls_of_mateo(json), 1), "call");
	cr_assert_eq(fl_view_call(&view, call, to), 0);
	minutes = member(to, "minutes");
	cr_expect_eq(fl_json_count(minutes), (size_t)number(member(to, "call"), "minutes"));
	for (size_t i = 0; i < fl_json_count(minutes); i++)
		bad += fl_json_get_bool(member(fl_json_at(minutes, i), "bad"));
	cr_expect_eq(bad, (size_t)number(member(to, "call"), "bad_minutes"));
	cr_expect_str_eq(text(fl_json_at(minutes, 3), "path"), "wan1");
	fl_json_free(to);
}

Test(view, sites_and_questions)
{
	uint32_t site;

	cr_assert_eq(fl_view_sites(&view, json), 0);
	cr_expect_eq(fl_json_count(member(json, "sites")), 2);
	cr_assert_eq(fl_view_find_site(&view, "HQ", &site), 0);
	cr_expect_eq(site, FILL_HQ);
	cr_assert_eq(fl_view_find_site(&view, "2", &site), 0);
	cr_expect_eq(site, FILL_BRANCH);
	cr_expect_eq(fl_view_find_site(&view, "3", &site), -ENOENT);
	cr_expect_str_eq(fl_view_zone(&view, FILL_HQ).name, "America/New_York");
	cr_assert_eq(fl_view_ask(&view, "list bad zoom calls in last 7 days", FILL_HQ, END_S, json),
		     0);
	cr_expect(strstr(text(json, "answer"), "10:30 AM"), "%s", text(json, "answer"));
}

static const struct fl_json *item(const char *key)
{
	const struct fl_json *items = member(json, "items");

	for (size_t i = 0; i < fl_json_count(items); i++)
		if (!strcmp(text(fl_json_at(items, i), "key"), key))
			return fl_json_at(items, i);
	cr_assert_fail("no item %s", key);
	return NULL;
}

Test(view_empty, G23_checklist)
{
	view.site_count = 0;
	cr_assert_eq(fl_view_checklist(&view, "acme", json), 0);
	cr_expect_not(fl_json_get_bool(member(json, "has_data")));
	cr_expect_str_eq(text(item("linked"), "state"), "problem");
	cr_expect_str_eq(text(item("network"), "state"), "problem");
	cr_expect_str_eq(text(item("router"), "state"), "problem");
	cr_expect(strstr(text(item("plan"), "text"), "Business"));
	cr_expect(strstr(text(item("score"), "text"), "Show meeting quality score"));
	cr_expect(strstr(text(item("feedback"), "text"), "Feedback to Zoom"));
	cr_expect(strstr(text(item("signed-in"), "text"), "sign in"));
}

static void one_account(void *ctx, const char *org, struct fl_json *to)
{
	struct fl_json *account;

	cr_expect_str_eq(org, "acme");
	fl_json_add_bool(to, "linked", true);
	account = fl_json_add_object(fl_json_add_array(to, "accounts"), NULL);
	fl_json_add_i64(account, "last_sync", 1720708260000);
	fl_json_add_string(fl_json_add_array(account, "errors"), NULL, ctx);
}

Test(view, G23_checklist_knows_what_is_well)
{
	static char words[] = "a Business plan or higher with the Dashboard feature is needed";

	view.accounts = one_account;
	view.ctx = words;
	cr_assert_eq(fl_view_checklist(&view, "acme", json), 0);
	cr_expect(fl_json_get_bool(member(json, "has_data")));
	cr_expect_str_eq(text(item("linked"), "state"), "ok");
	cr_expect_str_eq(text(item("synced"), "state"), "ok");
	cr_expect_str_eq(text(item("router"), "state"), "ok");
	cr_expect_str_eq(text(item("plan"), "state"), "problem");
}
