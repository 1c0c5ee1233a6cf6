// SPDX-License-Identifier: Apache-2.0
/* Routers that tell of a meeting after it was ranked: paths, bytes and causes are what they would
 * have been. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/insight/explain.h"
#include "test/insight/fill.h"
#include "test/insight/load.h"

#define NOW (FILL_START_S + 7200)

static char path[64];
static struct fl_store *store;
static struct fl_explainer *explainer;
static struct fl_ingest *ingest;

static void setup(void)
{
	struct fl_store_cfg cfg = { .path = path };
	struct fl_store_health health;
	const struct load *l = load_correlation();

	snprintf(path, sizeof(path), "/tmp/fl-late-%d.db", getpid());
	cr_assert_eq(fl_store_open(&cfg, &health, &store), 0);
	cr_assert_eq(fl_explainer_new(store, NULL, &explainer), 0);
	cr_assert_eq(fl_ingest_new(store, l->net.sites, l->net.site_count, &ingest), 0);
}

static void teardown(void)
{
	fl_ingest_free(ingest);
	fl_explainer_free(explainer);
	fl_store_close(store);
	unlink(path);
}

TestSuite(late, .init = setup, .fini = teardown);

/* All calls by their numbers, as the service does. */
static unsigned int rank_all(void)
{
	struct fl_call call;
	unsigned int n = 0;

	for (uint64_t id = 0;
	     !fl_store_next_call(store, id, FILL_START_S, FILL_START_S + 1800, &id); n++) {
		cr_assert_eq(fl_store_call(store, id, &call), 0);
		cr_assert_eq(fl_ingest_again(ingest, &call), 0);
		cr_assert_eq(fl_explain_keep(explainer, &call, NOW), 0);
	}
	return n;
}

static struct fl_roll summary(void)
{
	struct fl_insights in;
	struct fl_roll sum;

	cr_assert_eq(fl_store_insights(store, FILL_HQ, FILL_START_S, FILL_START_S + 1800, &in), 0);
	sum = in.total;
	fl_insights_done(&in);
	return sum;
}

static bool mateo(void *ctx, const struct fl_call *call)
{
	struct fl_call *to = ctx;

	if (to->id || call->join_s > FILL_START_S + 600 || call->addr.b[3] != 118)
		return true;
	*to = *call;
	return true;
}

static struct fl_call find_mateo(void)
{
	const struct fl_call_filter all = { .from_s = 0, .to_s = INT64_MAX };
	struct fl_call call = { 0 };

	cr_assert_eq(fl_store_each_call(store, &all, mateo, &call, NULL), 0);
	cr_assert(call.id);
	return call;
}

static bool count_paths(void *ctx, const struct fl_call *call, const struct fl_minute_row *row)
{
	(void)call;
	*(unsigned int *)ctx += row->path != 0;
	return true;
}

static unsigned int paths_of(const struct fl_call *call)
{
	unsigned int n = 0;

	cr_assert_eq(fl_store_each_minute(store, call, count_paths, &n), 0);
	return n;
}

Test(late, router_that_was_away_for_an_hour)
{
	struct fl_call call;
	struct fl_roll sum;
	unsigned int calls;

	cr_assert_gt(fill_fixture_meeting(store), 0);
	calls = rank_all();
	cr_assert_gt(calls, 2);
	sum = summary();
	cr_expect_eq(sum.bad, 20);
	cr_expect_eq(sum.bad_by[FL_CATEGORY_WAN], 0);
	call = find_mateo();
	cr_expect_eq(paths_of(&call), 0);
	cr_expect_eq(call.bytes, 0);

	fill_fixture_router(store);
	/* A model is kept for a while, and knows nothing of it. */
	fl_explainer_forget(explainer);
	for (int twice = 0; twice < 2; twice++) {
		cr_expect_eq(rank_all(), calls);
		sum = summary();
		cr_expect_eq(sum.bad, 20);
		cr_expect_eq(sum.bad_by[FL_CATEGORY_WAN], 20);
		cr_expect_eq(sum.bad_by[FL_CATEGORY_CLIENT], 0);
		call = find_mateo();
		cr_expect_eq(paths_of(&call), call.minutes);
		cr_expect_eq(call.bytes, 201400000);
	}
}

/* What was known at once is not changed by looking again. */
Test(late, nothing_new)
{
	struct fl_call before, after;

	fill_fixture(store);
	before = find_mateo();
	rank_all();
	after = find_mateo();
	cr_expect_eq(paths_of(&after), after.minutes);
	cr_expect_eq(memcmp(&before, &after, sizeof(before)), 0);
	cr_expect_eq(summary().bad_by[FL_CATEGORY_WAN], 20);
	cr_expect_eq(summary().bad_by[FL_CATEGORY_CLIENT], 28);
}

Test(late, calls_of_another_time)
{
	uint64_t id = 0;

	fill_fixture(store);
	cr_expect_eq(fl_store_next_call(store, 0, FILL_START_S + 1800, INT64_MAX, &id), -ENOENT);
	cr_expect_eq(fl_store_next_call(store, 0, 0, FILL_START_S - 60, &id), -ENOENT);
	cr_expect_eq(fl_store_next_call(store, 0, FILL_START_S + 300, FILL_START_S + 301, &id), 0);
}
