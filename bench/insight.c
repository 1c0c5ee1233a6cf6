// SPDX-License-Identifier: Apache-2.0
/*
 * What the store and the ranking cost: bytes of a participant-minute, time of the queries behind a
 * site's page over ten million of them, and of ranking. A row says what it must reach, if that was
 * agreed on; one that does not ends the program with 1.
 *
 * usage: build/bench/insight [minutes [file]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "agent/insight/explain.h"
#include "test/insight/fill.h"
#include "test/insight/gen.h"

#define DAY   86400
#define NOW   1720000000LL
#define JOINS 5
#define EACH  30 /* minutes of a join */

static struct fl_store *store;
static struct fl_explainer *explainer;
static struct fill_plan plan = {
	.clients = 3000, .joins = JOINS, .minutes = EACH, .from_s = NOW - 30 * DAY, .to_s = NOW
};
static int failed;

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void must(int err, const char *what)
{
	if (err >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-err));
	exit(2);
}

/* @limit: 0: none was agreed on; negative: at least. */
static void report(const char *name, double value, const char *unit, double limit)
{
	bool ok = limit == 0 || (limit > 0 ? value <= limit : value >= -limit);

	printf("%-52s %12.3f %-4s", name, value, unit);
	if (limit != 0)
		printf(" %s %g %s", limit > 0 ? "<=" : ">=", fabs(limit), ok ? "" : "  MISSED");
	printf("\n");
	failed |= !ok;
}

static void open_store(const char *path)
{
	const struct fl_store_cfg cfg = { .path = path, .now_s = NOW };
	struct fl_store_health health;

	must(fl_store_open(&cfg, &health, &store), path);
	must(fl_explainer_new(store, NULL, &explainer), "explainer");
}

static void close_store(void)
{
	fl_explainer_free(explainer);
	fl_store_close(store);
}

static void fill_wan(void)
{
	struct fl_path_minute rows[DAY / 60];

	for (int day = 30; day > 0; day--) {
		for (int i = 0; i < DAY / 60; i++) {
			rows[i] = fl_path_minute_none(plan.path, (NOW - day * DAY) / 60 + i);
			rows[i].rtt_ms = 20 + i % 13;
			rows[i].jitter_ms = i % 3;
			rows[i].loss_pct = 0;
			rows[i].tx_mbps = 10 + i % 20;
			rows[i].rx_mbps = 30 + i % 40;
			rows[i].tx_capacity_mbps = 50;
			rows[i].rx_capacity_mbps = 100;
			rows[i].clients = 200;
			rows[i].zoom_bytes = 1e7;
		}
		must(fl_store_put_path_minutes(store, rows, DAY / 60), "path minutes");
	}
}

static void fill(unsigned long minutes)
{
	double start;

	must(fl_store_account(store, "account", &plan.account), "account");
	must(fl_store_site(store, "site", &plan.site), "site");
	must(fl_store_path(store, plan.site, "router", "wan1", &plan.path), "path");
	plan.meetings = (unsigned int)(minutes / (JOINS * EACH));
	fill_wan();
	start = now_ms();
	must(fill_meetings(store, &plan, 0, plan.meetings), "meetings");
	report("put meetings, minutes a second", (double)minutes / (now_ms() - start) * 1000, "/s",
	       -20000);
	start = now_ms();
	must(fill_meetings(store, &plan, plan.meetings / 2, 200), "again");
	report("put the same again, minutes a second",
	       200.0 * JOINS * EACH / (now_ms() - start) * 1000, "/s", 0);
}

static bool nothing(void *ctx, const struct fl_client_row *row)
{
	(void)row;
	++*(unsigned int *)ctx;
	return true;
}

static bool take_call(void *ctx, const struct fl_call *call)
{
	*(struct fl_call *)ctx = *call;
	return true;
}

/* The best of three, and the first, of a process that has read nothing yet. */
static void time_query(const char *name, int days, double limit, int (*query)(int64_t from_s))
{
	double first = 0, best = 1e9;
	char text[96];

	for (int i = 0; i < 3; i++) {
		double start = now_ms(), took;

		must(query(NOW - days * (int64_t)DAY), name);
		took = now_ms() - start;
		first = i ? first : took;
		best = fmin(best, took);
	}
	snprintf(text, sizeof(text), "%s, %d days, first", name, days);
	report(text, first, "ms", limit);
	snprintf(text, sizeof(text), "%s, %d days, best of 3", name, days);
	report(text, best, "ms", limit);
}

static int insights(int64_t from_s)
{
	struct fl_insights in;
	int err = fl_store_insights(store, plan.site, from_s, NOW, &in);

	if (!err)
		fl_insights_done(&in);
	return err;
}

static int clients(int64_t from_s)
{
	unsigned int count = 0;

	return fl_store_each_client(store, plan.site, from_s, NOW, nothing, &count);
}

static int bad_calls(int64_t from_s)
{
	const struct fl_call_filter filter = {
		.site = plan.site, .from_s = from_s, .to_s = NOW, .bad_only = true, .limit = 10
	};
	struct fl_call call;
	uint64_t total;

	return fl_store_each_call(store, &filter, take_call, &call, &total);
}

static struct fl_call one_call(void)
{
	const struct fl_call_filter filter = {
		.site = plan.site, .from_s = NOW - 2 * DAY, .to_s = NOW - DAY, .limit = 1
	};
	struct fl_call call = { 0 };

	must(fl_store_each_call(store, &filter, take_call, &call, NULL), "call");
	return call;
}

static bool count_explained(void *ctx, const struct fl_explained *explained)
{
	(void)explained;
	++*(unsigned int *)ctx;
	return true;
}

static void time_explain(void)
{
	struct fl_call call = one_call();
	unsigned int bad = 0;
	double start = now_ms();

	must(fl_explain_call(explainer, &call, FL_STREAM_MAX, NOW, count_explained, &bad), "call");
	report("explain a call of an unknown site", now_ms() - start, "ms", 0);
	start = now_ms();
	must(fl_explain_call(explainer, &call, FL_STREAM_MAX, NOW, count_explained, &bad), "call");
	report("explain it again", now_ms() - start, "ms", 300);
}

/* Rows of synthetic calls: model, refinement, and ranking of one minute. */
static void time_rank(void)
{
	static struct fl_rank_row rows[FL_RANK_FIT_MINUTES];
	static struct gen_call call;
	struct fl_rank_model site, model;
	struct fl_ranking r;
	size_t count = 0;
	double start;
	struct gen g;

	gen_init(&g, 1);
	for (unsigned int n = 0; count + GEN_MAX_MINUTES < FL_RANK_FIT_MINUTES; n++) {
		gen_call(&g, n * 100, (enum gen_cause)(n % GEN_CAUSES), &call);
		for (unsigned int i = 0; i < call.minute_count; i++, count++) {
			fl_rank_features(&call.joins[0].minutes[i], &call.wan[i],
					 &call.joins[0].client, rows[count].x);
			rows[count].observed_ms = call.joins[0].minutes[i].streams[0].latency_ms;
		}
	}
	start = now_ms();
	must(fl_rank_fit(rows, count, NULL, &site), "fit");
	report("fit a site's model, 4000 minutes", now_ms() - start, "ms", 0);
	start = now_ms();
	for (int i = 0; i < 100; i++)
		fl_rank_refine(&site, rows, 30, &model);
	report("refine it by a call of 30 minutes", (now_ms() - start) / 100, "ms", 0);
	start = now_ms();
	for (int i = 0; i < 1000; i++)
		fl_rank_minute(&model, &rows[i], &r);
	report("rank one bad minute", (now_ms() - start) / 1000, "ms", 5);
}

static void time_tidy(void)
{
	struct fl_store_usage before, after;
	double start = now_ms();
	int steps = 0;

	must(fl_store_usage(store, &before), "usage");
	/* A day later: a thirtieth of the minutes goes. */
	for (int more = 1; more > 0 && steps < 100000; steps++) {
		more = fl_store_tidy(store, NOW + DAY);
		must(more, "tidy");
	}
	must(fl_store_usage(store, &after), "usage");
	report("remove a day's minutes, one step", (now_ms() - start) / steps, "ms", 0);
	report("all of its steps", (now_ms() - start) / 1000, "s", 0);
	report("bytes given back for each minute removed",
	       (double)(before.file_bytes - after.file_bytes) /
		       (double)(before.minutes - after.minutes),
	       "B", -50);
}

int main(int argc, char **argv)
{
	unsigned long minutes = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000000;
	const char *path = argc > 2 ? argv[2] : "/tmp/fairlead-bench-insight.db";
	struct fl_store_usage usage;
	struct rusage rusage;
	double start;

	time_rank();
	unlink(path);
	open_store(path);
	fill(minutes);
	must(fl_store_usage(store, &usage), "usage");
	printf("%lu minutes of %lu calls in %lu meetings, %.1f MB\n", usage.minutes, usage.calls,
	       usage.meetings, (double)usage.file_bytes / 1e6);
	report("bytes of a participant-minute, all tables",
	       (double)usage.file_bytes / (double)usage.minutes, "B", 150);
	close_store();
	start = now_ms();
	open_store(path);
	report("open, with quick_check", (now_ms() - start) / 1000, "s", 0);
	time_query("site insights", 1, 150, insights);
	time_query("site insights", 30, 500, insights);
	time_query("list of clients", 1, 300, clients);
	time_query("list of clients", 30, 500, clients);
	time_query("page of bad calls", 1, 300, bad_calls);
	time_query("page of bad calls", 30, 500, bad_calls);
	time_explain();
	time_tidy();
	close_store();
	unlink(path);
	getrusage(RUSAGE_SELF, &rusage);
	report("peak memory", (double)rusage.ru_maxrss / 1024, "MB", 150);
	return failed;
}
