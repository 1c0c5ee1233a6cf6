// SPDX-License-Identifier: Apache-2.0
/* insightd's configuration: what is taken, what is refused, and in which words. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "agent/insightd/conf.h"

static struct fl_conf_problems problems;

static struct fl_conf *good(const char *text)
{
	struct fl_conf *conf = NULL;

	cr_assert_eq(fl_conf_load(text, strlen(text), &conf, &problems), 0, "%s: %s", text,
		     problems.text[0]);
	return conf;
}

static void bad(const char *text, const char *why)
{
	struct fl_conf *conf = NULL;

	cr_expect(fl_conf_load(text, strlen(text), &conf, &problems) < 0, "%s", text);
	cr_expect_null(conf);
	for (size_t i = 0; i < problems.count && i < FL_CONF_PROBLEMS_MAX; i++)
		if (strstr(problems.text[i], why))
			return;
	cr_expect_fail("%s: not \"%s\" but \"%s\"", text, why, problems.text[0]);
}

Test(conf, defaults)
{
	struct fl_conf *conf = good("{}");

	cr_expect_not(conf->enabled, "off until opted in");
	cr_expect_str_eq(conf->org, "default");
	cr_expect_eq(conf->store.minute_days, 30);
	cr_expect_eq(conf->store.meeting_days, 90);
	cr_expect(conf->zoom.discard_guests);
	cr_expect_not(conf->zoom.keep_topic || conf->zoom.keep_comments ||
		      conf->zoom.keep_phone_numbers || conf->zoom.allow_private);
	cr_expect_str_eq(conf->zoom.api_base, "https://api.zoom.us");
	cr_expect_eq(conf->zoom.max_daily, 5000);
	cr_expect_eq(conf->site_count, 0);
	fl_conf_free(conf);
}

Test(conf, sites)
{
	struct fl_conf *conf =
		good("{\"sites\": [{\"name\": \"hq\", \"time-zone\": \"America/New_York\","
		     " \"lans\": [\"10.20.0.0/16\", \"2001:db8::/32\"],"
		     " \"public-addresses\": [\"198.51.100.17\"],"
		     " \"tunnel-pools\": [\"10.99.0.0/16\"]}, {\"name\": \"b\"}]}");
	struct fl_addr inside;

	cr_assert_eq(conf->site_count, 2);
	cr_expect_str_eq(conf->sites[0].name, "hq");
	cr_expect_str_eq(conf->view_sites[0].zone.name, "America/New_York");
	cr_assert_eq(conf->sites[0].lan_count, 2);
	cr_assert_eq(fl_addr_parse("10.20.7.118", &inside), 0);
	cr_expect(fl_prefix_contains(&conf->sites[0].lans[0], &inside));
	cr_expect_eq(conf->sites[0].wan_count, 1);
	cr_expect_eq(conf->sites[0].tunnel_pool_count, 1);
	cr_expect_eq(conf->sites[1].lan_count, 0);
	fl_conf_free(conf);
}

Test(conf, what_is_refused)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "line 1" },
		{ "[]", "must be an object" },
		{ "{\"enabled\": 1}", "/enabled: must be true or false" },
		{ "{\"enable\": true}", "/enable: there is no such key" },
		{ "{\"store\": 7}", "/store: must be an object" },
		{ "{\"store\": {\"minute-days\": 0}}",
		  "/store/minute-days: must be a whole number of 1 to 3660" },
		{ "{\"store\": {\"minute-days\": 1.5}}", "whole number" },
		{ "{\"store\": {\"minute-days\": 91}}", "must not be fewer than minute-days" },
		{ "{\"store\": {\"minutes\": 1}}", "/store/minutes: there is no such key" },
		{ "{\"organisation\": \"\"}", "/organisation: must not be empty" },
		{ "{\"organisation\": 7}", "/organisation: must be a text" },
		{ "{\"organisation\": \"a\\nb\"}", "control character" },
		{ "{\"organisation\": \"0123456789012345678901234567890123456789012345678901234567890"
		  "123456789\"}",
		  "is longer than 63 bytes" },
		{ "{\"score\": {\"model\": \"best\"}}", "must be one of \"short\", \"g107\"" },
		{ "{\"zoom\": {\"api-base\": \"http://api.zoom.us\"}}", "must be https://" },
		{ "{\"zoom\": {\"oauth-base\": \"https://zoom.us/x?y\"}}", "must be https://" },
		{ "{\"zoom\": {\"request-rate-percent\": 101}}", "may be above 100 with" },
		{ "{\"sites\": {}}", "/sites: must be a list" },
		{ "{\"sites\": [7]}", "/sites/0: must be an object" },
		{ "{\"sites\": [{}]}", "/sites/0: has no name" },
		{ "{\"sites\": [{\"name\": \"\"}]}", "/sites/0/name: must be a text of 1 to" },
		{ "{\"sites\": [{\"name\": \"a\"}, {\"name\": \"A\"}]}", "the name of /sites/0" },
		{ "{\"sites\": [{\"name\": \"a\", \"time-zone\": \"Mars/Olympus\"}]}",
		  "/sites/0/time-zone: must be a time zone" },
		{ "{\"sites\": [{\"name\": \"a\", \"lans\": [\"10.0.0.0/8\", \"x\"]}]}",
		  "/sites/0/lans/1: must be one of: prefixes" },
		{ "{\"sites\": [{\"name\": \"a\", \"lans\": \"10.0.0.0/8\"}]}",
		  "/sites/0/lans: must be a list" },
		{ "{\"sites\": [{\"name\": \"a\", \"wans\": []}]}",
		  "/sites/0/wans: there is no such key" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		bad(cases[i].text, cases[i].why);
}

/* All mistakes at once, as far as there is room for them. */
Test(conf, more_mistakes_than_room)
{
	char text[4096] = "{\"sites\": [7";
	struct fl_conf *conf = NULL;

	for (int i = 1; i < 100; i++)
		strcat(text, ", 7");
	strcat(text, "]}");
	cr_expect_eq(fl_conf_load(text, strlen(text), &conf, &problems), -22);
	cr_expect_eq(problems.count, 100);
	cr_expect_str_eq(problems.text[FL_CONF_PROBLEMS_MAX - 1], "/sites/31: must be an object");
}

Test(conf, printed_is_loaded_again)
{
	struct fl_conf *conf =
		good("{\"enabled\": true, \"zoom\": {\"client-secret\": \"hush\","
		     " \"live\": false}, \"score\": {\"model\": \"g107\"},"
		     " \"sites\": [{\"name\": \"hq\", \"lans\": [\"10.0.0.0/8\"]}]}");
	struct fl_json *json = fl_json_new_object();
	char *text;

	fl_conf_print(conf, json);
	text = fl_json_print(json, FL_JSON_PRETTY);
	cr_expect_null(strstr(text, "hush"));
	fl_conf_free(conf);
	conf = good(text);
	cr_expect(conf->enabled);
	cr_expect_not(conf->zoom.live);
	cr_expect_eq(conf->score_model, FL_SCORE_G107);
	cr_expect_eq(conf->sites[0].lans[0].len, 8);
	fl_conf_free(conf);
	fl_json_free(json);
	free(text);
}

Test(conf, a_file_that_is_not_there)
{
	struct fl_conf *conf = NULL;

	cr_expect_eq(fl_conf_load_file("/nonexistent/insight.json", &conf, &problems), -2);
	cr_expect(strstr(problems.text[0], "No such file"));
}
