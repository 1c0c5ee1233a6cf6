// SPDX-License-Identifier: Apache-2.0
/* Questions over the fixture, answered (zoom-api.md 12 E), and the ranking that stands behind. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/insight/answer.h"
#include "test/insight/fill.h"

static char path[64];
static struct fl_store *store;
static struct fl_explainer *explainer;
static const struct fl_zone new_york = { "America/New_York" };

static void setup(void)
{
	struct fl_store_cfg cfg = { .path = path };
	struct fl_store_health health;

	snprintf(path, sizeof(path), "/tmp/fl-answer-%d.db", getpid());
	cr_assert_eq(fl_store_open(&cfg, &health, &store), 0);
	cr_assert_eq(fl_explainer_new(store, NULL, &explainer), 0);
	fill_fixture(store);
}

static void teardown(void)
{
	fl_explainer_free(explainer);
	fl_store_close(store);
	unlink(path);
}

TestSuite(answer, .init = setup, .fini = teardown);

static const char *answer(const char *question)
{
	const struct fl_answerer a = { store, explainer, &new_york, FILL_START_S + 7200 };
	static char text[8192];
	char *got = NULL;

	cr_assert_eq(fl_answer(&a, question, &got), 0, "%s", question);
	snprintf(text, sizeof(text), "%s", got);
	free(got);
	return text;
}

static void expect(const char *question, const char *part)
{
	const char *text = answer(question);

	cr_expect(strstr(text, part), "\"%s\": no \"%s\" in:\n%s", question, part, text);
}

Test(answer, E17_list_calls)
{
	expect("list zoom calls for last 7 days", "5 Zoom calls from Jul 4, 12:30 PM to Jul 11");
	expect("list zoom calls for last 7 days", "Yuki Tan");
	expect("list zoom calls for last 7 days", "1-5 of 5.");
	expect("list bad zoom calls in last 7 days", "2 bad Zoom calls");
	expect("list bad zoom calls at site branch1", "no bad Zoom call");
	expect("list zoom calls for last 7 days page 2", "no page 2");
	expect("list calls at site mars", "There is no site \"mars\". Sites: branch1 hq.");
}

/* Newest first, megabytes of the router, five a page. */
Test(answer, E17_troubleshoot_a_day)
{
	const char *text = answer("troubleshoot application Zoom for MATEO-MBP on Jul 11");
	const char *newer = strstr(text, "118.6"), *older = strstr(text, "201.4");

	cr_assert(newer && older, "%s", text);
	cr_expect_lt(newer, older);
	cr_expect(strstr(text, "1-2 of 2."), "%s", text);
	cr_expect(strstr(text, "Jul 11, 10:30 AM"), "local time: %s", text);
}

/* Verdict, poor rating, WAN findings, wireless as far as the signal shows. */
Test(answer, E18_one_session)
{
	const char *ask = "troubleshoot application Zoom for MATEO-MBP on Jul 11 "
			  "between 10:30 AM to 10:46 AM";

	expect(ask, "meeting 84120657733, Jul 11, 10:30 AM to Jul 11, 10:47 AM, 201.4 MB.");
	expect(ask, "Verdict: a bad call. Audio Fair (MOS 3-4), video Poor (MOS 2-3); 8 of 18 ");
	expect(ask, "rated the call poor");
	expect(ask, "lost connection");
	expect(ask, "The WAN explains 8 bad minutes");
	expect(ask, "round trip 316 ms, loss 3.4 %");
	expect(ask, "Wi-Fi: weakest signal");
	ask = "why was zoom bad for 10.20.5.77 on jul 11 at 10:45 am";
	expect(ask, "The client itself explains 28 bad minutes");
	expect(ask, "through a VPN");
}

Test(answer, E19_plain_answers)
{
	expect("troubleshoot zoom for NOBODY today", "No client with the name, MAC or address");
	expect("troubleshoot zoom for MATEO-MBP on Jul 4", "MATEO-MBP had no Zoom session");
	expect("troubleshoot zoom for 0a1b-2c3d-4e02 on jul 11", "1-2 of 2.");
	expect("frobnicate", "\"frobnicate\"");
	expect("frobnicate", "list bad zoom calls in last 7 days");
	expect("help", "troubleshoot application Zoom");
	expect("list clients for last 24 hours at site hq", "0a:1b:2c:3d:4e:02");
}

static bool take_call(void *ctx, const struct fl_call *call)
{
	struct fl_call **next = ctx;

	*(*next)++ = *call;
	return true;
}

/* F20: causes of all bad minutes, kept: the summary of product/calls_summary.json. */
Test(answer, F20_summary_from_the_store)
{
	const struct fl_call_filter all = { .from_s = 0, .to_s = INT64_MAX };
	struct fl_call calls[8], *next = calls;
	struct fl_insights in;

	cr_assert_eq(fl_store_each_call(store, &all, take_call, &next, NULL), 0);
	cr_assert_eq(next - calls, 5);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(fl_explain_keep(explainer, &calls[i], FILL_START_S + 7200), 0);
	cr_assert_eq(fl_store_insights(store, FILL_HQ, FILL_START_S, FILL_START_S + 1800, &in), 0);
	cr_expect_eq(in.total.minutes, 84);
	cr_expect_eq(in.total.bad, 48);
	cr_expect_eq(in.total.bad_by[FL_CATEGORY_CLIENT], 28);
	cr_expect_eq(in.total.bad_by[FL_CATEGORY_WAN], 20);
	cr_expect_eq(in.total.bad_by[FL_CATEGORY_WIRELESS], 0);
	cr_expect_eq(in.users, 3);
	fl_insights_done(&in);
}
