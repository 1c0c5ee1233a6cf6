// SPDX-License-Identifier: Apache-2.0
/* Questions in words: the phrases of zoom-api.md 12 E, and what people make of them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/insight/ask.h"

/* Wednesday, July 31 2024, 15:00 in New York (19:00 UTC). */
#define NOW 1722452400LL

#define MIN  60LL
#define HOUR 3600LL
#define DAY  86400LL

/* Midnight in New York of July @day. */
#define JUL(day) (1722398400LL + ((day)-31) * DAY)

static const struct fl_zone new_york = { "America/New_York" };

static struct fl_ask ask(const char *text)
{
	struct fl_ask_error why;
	struct fl_ask a;
	int err;

	memset(&a, 0xff, sizeof(a));
	err = fl_ask_parse(text, &new_york, NOW, &a, &why);
	cr_assert_eq(err, 0, "\"%s\": %s (%zu)", text, why.problem, why.column);
	return a;
}

static void expect_span(const char *text, int64_t from_s, int64_t to_s)
{
	struct fl_ask a = ask(text);

	cr_expect_eq(a.from_s, from_s, "\"%s\": from %+ld s", text, (long)(a.from_s - from_s));
	cr_expect_eq(a.to_s, to_s, "\"%s\": to %+ld s", text, (long)(a.to_s - to_s));
}

/* E17 */
Test(ask, E17_list_zoom_calls_for_last_7_days)
{
	const char *const texts[] = {
		"list zoom calls for last 7 days",
		"List Zoom calls for the last 7 days.",
		"show me all zoom meetings in the past week",
		"zoom calls last seven days",
		"which calls were there during the last 7 days?",
		"last 7 days, zoom sessions please",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fl_ask a = ask(texts[i]);

		cr_expect_eq(a.kind, FL_ASK_CALLS, "%s", texts[i]);
		cr_expect_not(a.bad_only);
		cr_expect_str_eq(a.host, "");
		cr_expect_eq(a.page, 1);
		cr_expect_not(a.has_times);
		expect_span(texts[i], NOW - 7 * DAY, NOW);
	}
}

Test(ask, E17_list_bad_zoom_calls)
{
	const char *const texts[] = {
		"list bad zoom calls in last 7 days",
		"show zoom calls with poor quality in the last 7 days",
		"which zoom calls were bad in the last 1 week",
		"bad calls over last 168 hours",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fl_ask a = ask(texts[i]);

		cr_expect_eq(a.kind, FL_ASK_CALLS, "%s", texts[i]);
		cr_expect(a.bad_only, "%s", texts[i]);
		expect_span(texts[i], NOW - 7 * DAY, NOW);
	}
	cr_expect_eq(ask("list bad calls").from_s, NOW - DAY, "without a time: a day");
	cr_expect_str_eq(ask("list bad calls at site hq yesterday").site, "hq");
	cr_expect_eq(ask("list zoom calls page 3 for last 2 days").page, 3);
}

/* E17, E18: a day of a client, or one session of it. */
Test(ask, E18_troubleshoot)
{
	struct fl_ask a = ask("troubleshoot application Zoom for MATEO-MBP on Jul 28");

	cr_expect_eq(a.kind, FL_ASK_TROUBLESHOOT);
	cr_expect_str_eq(a.host, "MATEO-MBP");
	cr_expect_not(a.has_times);
	cr_expect_eq(a.from_s, JUL(28));
	cr_expect_eq(a.to_s, JUL(29));
	a = ask("troubleshoot application Zoom for MATEO-MBP on Jul 28 between 10:00 AM to 10:28 AM");
	cr_expect_eq(a.kind, FL_ASK_TROUBLESHOOT);
	cr_expect_str_eq(a.host, "MATEO-MBP");
	cr_expect(a.has_times);
	cr_expect_eq(a.from_s, JUL(28) + 10 * HOUR);
	cr_expect_eq(a.to_s, JUL(28) + 10 * HOUR + 28 * MIN);
	a = ask("troubleshoot zoom for MATEO-MBP");
	cr_expect_eq(a.from_s, JUL(31), "without a time: today");
	cr_expect_eq(a.to_s, JUL(32));
	a = ask("why was zoom so bad for MATEO-MBP yesterday from 2 to 3:30 pm?");
	cr_expect_eq(a.kind, FL_ASK_TROUBLESHOOT);
	cr_expect_eq(a.from_s, JUL(30) + 14 * HOUR);
	cr_expect_eq(a.to_s, JUL(30) + 15 * HOUR + 30 * MIN);
}

/* E19: names, MACs and addresses; the site's own time. */
Test(ask, E19_hosts)
{
	const char *const hosts[] = { "MATEO-MBP",   "0a:1b:2c:3d:4e:02", "0a1b-2c3d-4e02",
				      "10.20.7.118", "2001:db8::5",       "ws7.corp.example.com" };
	char text[128];

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		snprintf(text, sizeof(text), "troubleshoot zoom for %s on jul 28", hosts[i]);
		cr_expect_str_eq(ask(text).host, hosts[i]);
		snprintf(text, sizeof(text), "troubleshoot zoom on jul 28 for host %s", hosts[i]);
		cr_expect_str_eq(ask(text).host, hosts[i]);
		snprintf(text, sizeof(text), "list zoom calls of %s", hosts[i]);
		cr_expect_str_eq(ask(text).host, hosts[i]);
	}
	cr_expect_str_eq(ask("troubleshoot zoom for \"Mateo's laptop\" today").host,
			 "Mateo's laptop");
	cr_expect_str_eq(ask("troubleshoot zoom for \"today\"").host, "today");
}

Test(ask, E19_local_time_of_the_site)
{
	struct fl_ask_error why;
	struct fl_ask a;
	const struct fl_zone utc = { "" };

	cr_assert_eq(fl_ask_parse("list calls on jul 28 at 10:00", &utc, NOW, &a, &why), 0);
	cr_expect_eq(a.from_s, JUL(28) + 6 * HOUR);
	cr_expect(fl_zone_is_known("America/New_York"));
	cr_expect_not(fl_zone_is_known("../../../etc/passwd"));
	cr_expect_not(fl_zone_is_known("Mars/Olympus"));
}

Test(ask, days)
{
	expect_span("list calls today", JUL(31), JUL(32));
	expect_span("list calls yesterday", JUL(30), JUL(31));
	expect_span("list calls on Monday", JUL(29), JUL(30));
	expect_span("list calls on wednesday", JUL(31), JUL(32));
	expect_span("list calls thu", JUL(25), JUL(26));
	expect_span("list calls on July 4th", JUL(4), JUL(5));
	expect_span("list calls on 4 July", JUL(4), JUL(5));
	expect_span("list calls on the 4th of July, 2024", JUL(4), JUL(5));
	expect_span("list calls on 2024-07-04", JUL(4), JUL(5));
	/* A date that has not come this year is last year's: 2023-08-01 00:00 in New York. */
	expect_span("list calls on Aug 1", 1690862400, 1690862400 + DAY);
	expect_span("list calls from jul 1 to jul 4", JUL(1), JUL(5));
	expect_span("list calls between jul 28 10:00 and jul 29 09:00", JUL(28) + 10 * HOUR,
		    JUL(29) + 9 * HOUR);
	expect_span("list calls since monday", JUL(29), NOW + MIN);
	/* The day clocks are set forward has 23 hours. */
	expect_span("list calls on mar 10", 1710046800, 1710046800 + 23 * HOUR);
}

Test(ask, times)
{
	expect_span("list calls today between 9 am and 10 am", JUL(31) + 9 * HOUR,
		    JUL(31) + 10 * HOUR);
	expect_span("list calls between 14:30 - 15:00", JUL(31) + 14 * HOUR + 30 * MIN,
		    JUL(31) + 15 * HOUR);
	expect_span("list calls from 12 am to noon", JUL(31), JUL(31) + 12 * HOUR);
	expect_span("list calls from 9am to 12:15PM on jul 28", JUL(28) + 9 * HOUR,
		    JUL(28) + 12 * HOUR + 15 * MIN);
	expect_span("list calls yesterday from 11 pm to 1 am", JUL(30) + 23 * HOUR,
		    JUL(31) + 1 * HOUR);
	expect_span("list calls yesterday after 2 p.m.", JUL(30) + 14 * HOUR, JUL(31));
	expect_span("list calls yesterday before noon", JUL(30), JUL(30) + 12 * HOUR);
	expect_span("list calls between 9 and 10:30", JUL(31) + 9 * HOUR,
		    JUL(31) + 10 * HOUR + 30 * MIN);
	expect_span("list calls from 10 to 11 am", JUL(31) + 10 * HOUR, JUL(31) + 11 * HOUR);
	expect_span("list calls from 11 to 1 pm", JUL(31) + 11 * HOUR, JUL(31) + 13 * HOUR);
	expect_span("list calls at 10:15", JUL(31) + 10 * HOUR + 15 * MIN,
		    JUL(31) + 10 * HOUR + 16 * MIN);
}

Test(ask, clients_and_help)
{
	cr_expect_eq(ask("list clients for last 24 hours").kind, FL_ASK_CLIENTS);
	cr_expect_eq(ask("which zoom users were there today").kind, FL_ASK_CLIENTS);
	cr_expect_eq(ask("help").kind, FL_ASK_HELP);
}

Test(ask, every_example_is_understood)
{
	for (const char *const *e = fl_ask_examples; *e; e++)
		ask(*e);
}

/* What is not understood is named, and where it stands. */
Test(ask, says_what_it_does_not_understand)
{
	const struct {
		const char *text, *problem;
		size_t column;
	} rows[] = {
		{ "list purple calls", "\"purple\"", 6 },
		{ "list calls for last 7 fortnights", "\"fortnights\"", 23 },
		{ "list calls for last", "missing after \"last\"", 0 },
		{ "list calls for last 0 days", "days", 23 },
		{ "list calls for last 999999 months", "months", 28 },
		{ "troubleshoot zoom", "Whose calls?", 0 },
		{ "jul 28", "Say what to do", 0 },
		{ "", "Say what to do", 0 },
		{ "list calls on Feb 30", "\"Feb\"", 15 },
		{ "list calls between 25:00 and 26:00", "\"25:00\"", 20 },
		{ "list calls from jul 4 to jul 1", "ends before it begins", 0 },
		{ "troubleshoot zoom for A-1 for B-2", "Two hosts", 31 },
		{ "list calls page zero", "\"zero\"", 17 },
		{ "troubleshoot zoom for <script>", "\"<script>\"", 23 },
		{ "list calls between 10:00 or 11:00", "\"or\"", 26 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fl_ask_error why;
		struct fl_ask a;

		cr_assert_eq(fl_ask_parse(rows[i].text, &new_york, NOW, &a, &why), -EINVAL, "%s",
			     rows[i].text);
		cr_expect(strstr(why.problem, rows[i].problem), "\"%s\": %s", rows[i].text,
			  why.problem);
		cr_expect_eq(why.column, rows[i].column, "\"%s\": column %zu", rows[i].text,
			     why.column);
	}
}
