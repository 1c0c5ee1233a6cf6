// SPDX-License-Identifier: Apache-2.0
/* zoom insights, client, rank: figures, as small plots. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "agent/cli/plot.h"
#include "agent/cli/zoom.h"

#define BAR_COLUMNS 24

static double real(const struct fl_json *object, const char *key)
{
	double value = NAN;

	fl_json_get_double(fl_json_member(object, key), &value);
	return value;
}

static const char *figure(double value, char text[16])
{
	if (isnan(value))
		return "-";
	snprintf(text, 16, "%.*f", fabs(value) < 10 ? 1 : 0, value);
	return text;
}

/* --- series -------------------------------------------------------------------------------------
 */

struct plots {
	bool utf8;
	double top[4]; /* highest value of each kind: one scale for those that are compared */
};

static const char *const kinds[] = { "latency", "jitter", "loss" };

/* 0..2 as above, 3: one of its own. */
static size_t kind_of(const char *key)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!strncmp(key, kinds[i], strlen(kinds[i])) || (!i && !strncmp(key, "wan-", 4)))
			return i;
	}
	return 3;
}

static bool find_top(void *ctx, const char *key, struct fl_json *series)
{
	struct plots *p = ctx;
	struct fl_plot_sum sum = fl_plot_sum(series);

	p->top[kind_of(key)] = fmax(p->top[kind_of(key)], sum.max);
	return true;
}

static const char *label(const char *key, char text[32])
{
	snprintf(text, 32, "%s", key);
	for (char *c = text; *c; c++) {
		if (strchr("._", *c))
			*c = ' ';
	}
	return fl_text_clean(text);
}

static bool print_series(void *ctx, const char *key, struct fl_json *series)
{
	struct fl_plot_sum sum = fl_plot_sum(series);
	const struct plots *p = ctx;
	char name[32], min[16], mean[16], max[16], line[FL_PLOT_TEXT];
	size_t kind = kind_of(key);

	if (!sum.count)
		return true;
	printf("%-18s %7s %7s %7s  %s\n", label(key, name), figure(sum.min, min),
	       figure(sum.mean, mean), figure(sum.max, max),
	       fl_plot_line(series, kind < 3 ? 0 : sum.min, kind < 3 ? p->top[kind] : sum.max,
			    p->utf8, line));
	return true;
}

static void print_all_series(const struct fl_json *series)
{
	struct plots p = { fl_plot_is_utf8(), { NAN, NAN, NAN, NAN } };

	printf("%-18s %7s %7s %7s\n", "", "min", "mean", "max");
	fl_json_for_each(series, find_top, &p);
	fl_json_for_each(series, print_series, &p);
}

static void print_span(const struct fl_json *data)
{
	printf("%s to %s", fl_zoom_when(data, "start"), fl_zoom_when(data, "end"));
}

static void print_insights(const struct fl_json *data)
{
	const struct fl_json *sum = fl_json_member(data, "summary");
	const struct fl_json *feedback = fl_json_member(sum, "feedback");

	printf("site %s, ", fl_cli_text(data, "name"));
	print_span(data);
	printf(", %" PRIu64 " values of %" PRIu64 " min each; ms, per cent\n",
	       (fl_cli_number(data, "end") - fl_cli_number(data, "start")) /
		       (fl_cli_number(data, "interval") ? fl_cli_number(data, "interval") : 1),
	       fl_cli_number(data, "interval") / 60);
	print_all_series(fl_json_member(data, "series"));
	printf("%" PRIu64 " clients, %" PRIu64 " participant-minutes, %" PRIu64
	       " of them bad: WAN %" PRIu64 ", client %" PRIu64 ", wireless %" PRIu64
	       ", unexplained %" PRIu64 ", too little data %" PRIu64 "\n",
	       fl_cli_number(sum, "num_users"), fl_cli_number(sum, "total_minutes"),
	       fl_cli_number(sum, "bad_minutes"), fl_cli_number(sum, "bad_minutes_site_wan"),
	       fl_cli_number(sum, "bad_minutes_client"), fl_cli_number(sum, "bad_minutes_wireless"),
	       fl_cli_number(sum, "bad_minutes_unexplained"),
	       fl_cli_number(sum, "bad_minutes_unranked"));
	printf("ratings: %" PRIu64 " poor, %" PRIu64 " average, %" PRIu64 " good\n",
	       fl_cli_number(feedback, "poor"), fl_cli_number(feedback, "average"),
	       fl_cli_number(feedback, "good"));
}

int fl_cmd_zoom_insights(const struct fl_cli *cli, int argc, char **argv)
{
	return fl_zoom_show(cli,
			    fl_zoom_request("zoom insights", NULL,
					    FL_ZOOM_WORD_SITE | FL_ZOOM_WORD_TIME, argc, argv),
			    print_insights);
}

static void print_client(const struct fl_json *data)
{
	size_t minutes = fl_json_count(fl_json_member(data, "timestamps"));

	printf("client %s, %s, %s, user %s, site %s; ", fl_cli_text(data, "hostname"),
	       fl_cli_text(data, "mac"), fl_cli_text(data, "ip"), fl_cli_text(data, "user"),
	       fl_cli_text(data, "site_name"));
	print_span(data);
	printf("\n%zu minutes in calls%s; ms, per cent, dBm\n", minutes,
	       fl_json_get_bool(fl_json_member(data, "truncated"))
		       ? " (more than are shown: name a shorter time)"
		       : "");
	if (minutes)
		print_all_series(fl_json_member(data, "series"));
	putchar('\n');
	fl_zoom_print_calls(fl_json_member(data, "calls"));
	putchar('\n');
	fl_zoom_print_events(fl_json_member(data, "events"));
}

int fl_cmd_zoom_client(const struct fl_cli *cli, int argc, char **argv)
{
	return fl_zoom_show(cli,
			    fl_zoom_request("zoom client", "client",
					    FL_ZOOM_WORD_SITE | FL_ZOOM_WORD_TIME, argc, argv),
			    print_client);
}

/* --- ranking ------------------------------------------------------------------------------------
 */

#define PARTS 4 /* what moved a minute's latency: three categories, and what nothing explains */

static const char *const categories[] = { "wan", "client", "wireless" };

static void parts_of(const struct fl_json *row, double parts[PARTS])
{
	for (size_t i = 0; i < PARTS - 1; i++)
		parts[i] = real(fl_json_member(row, "categories"), categories[i]);
	parts[PARTS - 1] = real(row, "unexplained");
}

static void add_minute(struct fl_table *table, const struct fl_json *row, double whole)
{
	double parts[PARTS];
	char text[16], bar[FL_PLOT_TEXT];

	fl_table_text(table, fl_zoom_when(row, "timestamp"));
	fl_table_member(table, row, "stream");
	fl_table_text(table, figure(real(row, "observed"), text));
	fl_table_text(table, figure(real(row, "expected"), text));
	parts_of(row, parts);
	for (size_t i = 0; i < PARTS; i++)
		fl_table_text(table, figure(parts[i], text));
	fl_table_text(table, fl_json_member(row, "categories") ? fl_cli_text(row, "dominant")
							       : "too little data");
	fl_table_member(table, row, "top");
	fl_table_text(table, fl_plot_bar(parts, "WCR?", PARTS, whole, BAR_COLUMNS, bar));
}

/* What the longest bar of a call stands for. */
static double longest(const struct fl_json *results)
{
	double most = 0;

	for (size_t i = 0; i < fl_json_count(results); i++) {
		double parts[PARTS], sum = 0;

		parts_of(fl_json_at(results, i), parts);
		for (size_t k = 0; k < PARTS; k++)
			sum += fmax(parts[k], 0); /* 0 for NAN, too */
		most = fmax(most, sum);
	}
	return most;
}

static void print_call_ranking(const struct fl_json *ranking)
{
	static const char *const titles[] = { "Minute", "Stream",      ">Observed", ">Expected",
					      ">WAN",   ">Client",     ">Wireless", ">Unexpl.",
					      "Blame",  "?Most of it", "Bar",       NULL };
	const struct fl_json *call = fl_json_member(fl_json_member(ranking, "of"), "call");
	const struct fl_json *results = fl_json_member(ranking, "results");
	struct fl_table *table = fl_table_new(titles);
	double whole = longest(results);

	printf("%s, %s, meeting %s, %s to %s: %" PRIu64 " bad of %" PRIu64 " minutes\n",
	       fl_cli_text(call, "hostname"), fl_cli_text(call, "user"),
	       fl_cli_text(call, "meeting_id"), fl_zoom_when(call, "join_time"),
	       fl_zoom_when(call, "leave_time"), fl_cli_number(call, "bad_minutes"),
	       fl_cli_number(call, "minutes"));
	for (size_t i = 0; i < fl_json_count(results); i++)
		add_minute(table, fl_json_at(results, i), whole);
	fl_table_print(table);
	fl_table_free(table);
}

static void print_ranking(const struct fl_json *data)
{
	const struct fl_json *calls = fl_json_member(data, "calls");

	for (size_t i = 0; i < fl_json_count(calls); i++) {
		if (i)
			putchar('\n');
		print_call_ranking(fl_json_at(calls, i));
	}
	if (fl_json_count(calls))
		printf("latency in ms: what was observed is what the site has on average "
		       "(expected) and what each part adds; W WAN, C client, R wireless, ? "
		       "unexplained\n");
	else
		printf("the meeting had no bad minutes here\n");
}

int fl_cmd_zoom_rank(const struct fl_cli *cli, int argc, char **argv)
{
	return fl_zoom_show(cli,
			    fl_zoom_request("zoom rank", "meeting",
					    FL_ZOOM_WORD_CLIENT | FL_ZOOM_WORD_STREAM |
						    FL_ZOOM_WORD_SITE | FL_ZOOM_WORD_TIME,
					    argc, argv),
			    print_ranking);
}
