// SPDX-License-Identifier: Apache-2.0
/* Ranking: the reference vector, the mathematics, synthetic sites, and the cases of the guide. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/insight/rank.h"
#include "agent/insight/score.h"
#include "agent/insight/shapley.h"
#include "test/insight/gen.h"
#include "test/insight/load.h"

/* --- exact values -------------------------------------------------------------------------------
 */

/* The model of vectors/shapley.json: wan_rtt, wan_loss, client_cpu, wifi_rssi. */
static double vector_model(const void *ctx, const double *x)
{
	(void)ctx;
	return 10 + x[0] + 8 * x[1] + 0.5 * fmax(0, x[2] - 60) + (x[3] < -75 ? 30 : 0) +
	       0.05 * x[0] * x[1];
}

Test(rank, vector_within_a_tenth_of_a_millisecond)
{
	struct fl_json *v = load_json("vectors/shapley.json");
	const struct fl_json *names = fl_json_member(v, "features");
	const struct fl_json *rows = fl_json_member(v, "background");
	double background[4][4], x[4], values[16], phi[4];
	const struct fl_shapley_task task = { vector_model, NULL, 4, x, &background[0][0], 4 };

	for (size_t i = 0; i < 4; i++) {
		x[i] = load_number(fl_json_at(fl_json_member(v, "x"), i));
		for (size_t b = 0; b < 4; b++)
			background[b][i] = load_number(fl_json_at(fl_json_at(rows, b), i));
	}
	fl_shapley_values(&task, values);
	for (unsigned int mask = 0; mask < 16; mask++) {
		char key[5] = { 0 };

		for (unsigned int i = 0; i < 4; i++)
			key[i] = mask >> i & 1 ? '1' : '0';
		cr_expect_float_eq(
			values[mask],
			load_number(fl_json_member(fl_json_member(v, "coalition_values"), key)),
			1e-9, "%s", key);
	}
	fl_shapley_contributions(values, 4, phi);
	for (size_t i = 0; i < 4; i++) {
		const char *name = fl_json_get_string(fl_json_at(names, i));
		double want = load_number(fl_json_member(fl_json_member(v, "contributions"), name));

		cr_expect_float_eq(phi[i], want, 1e-9, "%s: %f", name, phi[i]);
	}
	cr_expect_float_eq(values[0] + phi[0] + phi[1] + phi[2] + phi[3],
			   load_number(fl_json_member(v, "prediction")), 1e-9);
	fl_json_free(v);
}

/* --- sites --------------------------------------------------------------------------------------
 */

#define MAX_ROWS 200000

struct site {
	struct gen_call *calls;
	unsigned int call_count;
	struct fl_rank_row *rows;
	size_t row_count;
};

static struct fl_rank_row row_of(const struct gen_call *call, unsigned int who, unsigned int n,
				 enum fl_stream stream)
{
	const struct fl_call_minute *m = &call->joins[who].minutes[n];
	struct fl_rank_row row = { .observed_ms = m->streams[stream].latency_ms };

	fl_rank_features(m, &call->wan[n], &call->joins[who].client, row.x);
	return row;
}

static size_t rows_of_join(const struct gen_call *call, unsigned int who, enum fl_stream stream,
			   struct fl_rank_row *rows)
{
	for (unsigned int n = 0; n < call->minute_count; n++)
		rows[n] = row_of(call, who, n, stream);
	return call->minute_count;
}

static void site_init(struct site *site, uint64_t seed, unsigned int calls)
{
	struct gen g;

	gen_init(&g, seed);
	site->calls = calloc(calls, sizeof(*site->calls));
	site->rows = calloc(MAX_ROWS, sizeof(*site->rows));
	site->call_count = calls;
	site->row_count = 0;
	cr_assert(site->calls && site->rows);
	for (unsigned int i = 0; i < calls; i++) {
		enum gen_cause cause = (enum gen_cause)gen_between(&g, 0, GEN_CAUSES);

		gen_call(&g, 1000 + 100 * i, cause, &site->calls[i]);
	}
}

static void site_done(struct site *site)
{
	free(site->calls);
	free(site->rows);
}

/* All of the site's minutes; a large site's are thinned out, as the service does. */
static void site_rows(struct site *site, enum fl_stream stream)
{
	size_t keep = 0;

	site->row_count = 0;
	for (unsigned int i = 0; i < site->call_count; i++)
		for (unsigned int who = 0; who < site->calls[i].join_count; who++)
			site->row_count += rows_of_join(&site->calls[i], who, stream,
							site->rows + site->row_count);
	if (site->row_count <= FL_RANK_FIT_MINUTES)
		return;
	for (size_t n = 0; n < FL_RANK_FIT_MINUTES; n++)
		site->rows[keep++] = site->rows[n * site->row_count / FL_RANK_FIT_MINUTES];
	site->row_count = keep;
}

struct tally {
	unsigned int bad, right, fooled, with_decoy;
	unsigned int by_cause[GEN_CAUSES], right_by_cause[GEN_CAUSES];
	double worst_sum_ms;
};

static void check_sum(const struct fl_ranking *r, struct tally *t)
{
	double sum = r->expected_ms + r->categories_ms[FL_CATEGORY_NONE];

	for (int i = 0; i < FL_FEATURE_MAX; i++)
		sum += r->contributions_ms[i];
	t->worst_sum_ms = fmax(t->worst_sum_ms, fabs(sum - r->observed_ms));
	sum = r->expected_ms;
	for (int i = 0; i < FL_CATEGORY_MAX; i++)
		sum += r->categories_ms[i];
	t->worst_sum_ms = fmax(t->worst_sum_ms, fabs(sum - r->observed_ms));
}

static void rank_join(const struct fl_rank_model *site_model, const struct gen_call *call,
		      unsigned int who, enum fl_stream stream, struct tally *t)
{
	struct fl_rank_row rows[GEN_MAX_MINUTES];
	struct fl_rank_model model;

	fl_rank_refine(site_model, rows, rows_of_join(call, who, stream, rows), &model);
	for (unsigned int n = 0; n < call->minute_count; n++) {
		struct fl_minute_score score;
		struct fl_ranking r;

		fl_score_minute(&fl_score_default, &call->joins[who].minutes[n], &score);
		if (!score.bad || !call->joins[who].hurt[n])
			continue;
		fl_rank_minute(&model, &rows[n], &r);
		check_sum(&r, t);
		t->bad++;
		t->by_cause[call->cause]++;
		if (gen_is_right(call->cause, &r)) {
			t->right++;
			t->right_by_cause[call->cause]++;
		} else if (getenv("VERBOSE")) {
			fprintf(stderr,
				"# %s decoy %d: verdict %d dominant %d top %s obs %.0f exp %.0f:",
				gen_cause_name(call->cause), call->decoy, r.verdict, r.dominant,
				fl_feature_name(r.top), r.observed_ms, r.expected_ms);
			for (int i = 0; i < FL_FEATURE_MAX; i++)
				fprintf(stderr, " %s %.0f (%.1f x %.1f)", fl_feature_name(i),
					r.contributions_ms[i], rows[n].x[i], model.slope[i]);
			fprintf(stderr, " unexplained %.0f\n", r.categories_ms[0]);
		}
		if (who == call->victim && call->decoy != GEN_DECOY_NONE) {
			t->with_decoy++;
			t->fooled += gen_is_fooled(call->decoy, &r);
		}
	}
}

static struct tally rank_site(uint64_t seed, unsigned int calls, enum fl_stream stream)
{
	struct fl_rank_model model;
	struct tally t = { 0 };
	struct site site;

	site_init(&site, seed, calls);
	site_rows(&site, stream);
	cr_assert_eq(fl_rank_fit(site.rows, site.row_count, NULL, &model), 0);
	for (unsigned int i = 0; i < site.call_count; i++)
		for (unsigned int who = 0; who < site.calls[i].join_count; who++)
			rank_join(&model, &site.calls[i], who, stream, &t);
	site_done(&site);
	return t;
}

static void add_tally(struct tally *to, const struct tally *from)
{
	to->bad += from->bad;
	to->right += from->right;
	to->fooled += from->fooled;
	to->with_decoy += from->with_decoy;
	to->worst_sum_ms = fmax(to->worst_sum_ms, from->worst_sum_ms);
	for (int i = 0; i < GEN_CAUSES; i++) {
		to->by_cause[i] += from->by_cause[i];
		to->right_by_cause[i] += from->right_by_cause[i];
	}
}

static void expect_tally(const struct tally *t)
{
	for (int i = 0; i < GEN_CAUSES; i++)
		fprintf(stderr, "# %-12s %6u bad minutes, %5.1f %% right\n", gen_cause_name(i),
			t->by_cause[i], 100.0 * t->right_by_cause[i] / t->by_cause[i]);
	fprintf(stderr,
		"# all          %6u bad minutes, %5.1f %% right; decoys blamed in %.1f %% of %u\n",
		t->bad, 100.0 * t->right / t->bad, 100.0 * t->fooled / t->with_decoy,
		t->with_decoy);
	fflush(stderr);
	cr_expect_geq(t->right, 0.95 * t->bad, "top cause right in %u of %u", t->right, t->bad);
	cr_expect_leq(t->fooled, 0.05 * t->with_decoy, "decoy blamed in %u of %u", t->fooled,
		      t->with_decoy);
	/* Causes that hurt many do not make up for one that is never found. */
	for (int i = 0; i < GEN_CAUSES; i++)
		cr_expect_geq(t->right_by_cause[i], 0.85 * t->by_cause[i], "%s", gen_cause_name(i));
	cr_expect_leq(t->worst_sum_ms, 0.1, "F22: sums are off by %f ms", t->worst_sum_ms);
}

/* F20, F22 and issue 4: sites of five calls, a hundred of them, so that every mix occurs. */
Test(rank, F22_sites_of_five_calls)
{
	struct tally sum = { 0 };

	for (uint64_t seed = 1; seed <= 100; seed++) {
		struct tally t = rank_site(seed, 5, (enum fl_stream)(seed % FL_STREAM_JUDGED));

		add_tally(&sum, &t);
	}
	expect_tally(&sum);
}

Test(rank, F22_site_of_five_hundred_calls)
{
	const enum fl_stream streams[] = { FL_STREAM_AUDIO_IN, FL_STREAM_VIDEO_OUT };

	for (size_t i = 0; i < 2; i++) {
		struct tally t = rank_site(77 + i, 500, streams[i]);

		expect_tally(&t);
	}
}

/* --- properties ---------------------------------------------------------------------------------
 */

static double predict(const void *ctx, const double *x)
{
	struct fl_rank_row row = { .observed_ms = 0 };

	memcpy(row.x, x, sizeof(row.x));
	return fl_rank_predict(ctx, &row);
}

/* A background row before it was bent: what bends to it. */
static void unbend(const double *bent, double *x)
{
	memcpy(x, bent, FL_FEATURE_MAX * sizeof(*x));
	x[FL_FEATURE_WAN_DOWNLOAD_UTIL] += 70;
	x[FL_FEATURE_WAN_UPLOAD_UTIL] += 70;
	x[FL_FEATURE_CLIENT_CPU] += 80;
	x[FL_FEATURE_WIFI_RSSI] = -67 - x[FL_FEATURE_WIFI_RSSI];
}

/* The Gray code's shortcut gives what 2048 times 50 calls of the model give, product term and all.
 */
Test(rank, shortcut_equals_the_formula)
{
	const double bent[FL_FEATURE_MAX] = { 140, 15, 3, 20, 15, 60, 12, 1, 2, 9, 1 };
	static double background[FL_RANK_BACKGROUND * FL_FEATURE_MAX], values[1 << FL_FEATURE_MAX];
	double phi[FL_FEATURE_MAX];
	struct fl_rank_model model;
	struct fl_rank_row row;
	struct fl_ranking r;
	struct site site;

	site_init(&site, 5, 5);
	site_rows(&site, FL_STREAM_AUDIO_IN);
	cr_assert_eq(fl_rank_fit(site.rows, site.row_count, NULL, &model), 0);
	row.observed_ms = 400;
	unbend(bent, row.x);
	for (int cross = 0; cross < 2; cross++) {
		const struct fl_shapley_task task = { predict, &model,     FL_FEATURE_MAX,
						      row.x,   background, FL_RANK_BACKGROUND };

		model.cross = cross * 0.05;
		for (size_t b = 0; b < FL_RANK_BACKGROUND; b++)
			unbend(model.background[b], background + b * FL_FEATURE_MAX);
		fl_shapley_values(&task, values);
		fl_shapley_contributions(values, FL_FEATURE_MAX, phi);
		fl_rank_minute(&model, &row, &r);
		cr_expect_float_eq(values[0], r.expected_ms, 1e-6);
		for (int i = 0; i < FL_FEATURE_MAX; i++) {
			cr_expect_float_eq(phi[i], r.contributions_ms[i], 1e-6, "%s",
					   fl_feature_name(i));
			if (!cross)
				cr_expect_float_eq(phi[i],
						   model.slope[i] * (bent[i] - model.mean_bent[i]),
						   1e-6, "g(x) - mean g: %s", fl_feature_name(i));
		}
	}
	site_done(&site);
}

Test(rank, missing_features_contribute_nothing)
{
	struct fl_rank_model model;
	struct fl_rank_row row;
	struct fl_ranking r;
	struct site site;

	site_init(&site, 6, 5);
	site_rows(&site, FL_STREAM_AUDIO_IN);
	cr_assert_eq(fl_rank_fit(site.rows, site.row_count, NULL, &model), 0);
	for (int i = 0; i < FL_FEATURE_MAX; i++)
		row.x[i] = NAN;
	row.observed_ms = 400;
	fl_rank_minute(&model, &row, &r);
	for (int i = 0; i < FL_FEATURE_MAX; i++)
		cr_expect_eq(r.contributions_ms[i], 0);
	cr_expect_float_eq(r.expected_ms, model.mean_ms, 1e-6, "the site's mean is expected");
	cr_expect_eq(r.verdict, FL_RANK_INSUFFICIENT, "nothing is known of the WAN");
	cr_expect_not(r.not_wan);
	site_done(&site);
}

Test(rank, insufficient_data)
{
	struct fl_rank_row rows[FL_RANK_MIN_MINUTES + 5] = { 0 };
	struct fl_rank_model model;
	struct fl_ranking r;

	for (size_t i = 0; i < FL_RANK_MIN_MINUTES + 5; i++)
		rows[i].observed_ms = i < FL_RANK_MIN_MINUTES - 1 ? 50 : NAN;
	cr_expect_eq(fl_rank_fit(rows, FL_RANK_MIN_MINUTES - 1, NULL, &model), -ENODATA);
	cr_expect_eq(fl_rank_fit(rows, FL_RANK_MIN_MINUTES + 5, NULL, &model), -ENODATA);
	fl_rank_minute(NULL, &rows[0], &r);
	cr_expect_eq(r.verdict, FL_RANK_INSUFFICIENT);
	rows[FL_RANK_MIN_MINUTES - 1].observed_ms = 50;
	cr_assert_eq(fl_rank_fit(rows, FL_RANK_MIN_MINUTES + 5, NULL, &model), 0);
	fl_rank_minute(&model, &rows[FL_RANK_MIN_MINUTES], &r);
	cr_expect_eq(r.verdict, FL_RANK_INSUFFICIENT, "no latency, nothing to explain");
}

/* --- cases of the product guide -----------------------------------------------------------------
 */

static uint64_t noise_state = 1;

static double noise(void)
{
	noise_state = noise_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (double)(noise_state >> 33) / (double)(1U << 31) * 10 - 5;
}

static struct fl_rank_row quiet_row(double latency_ms)
{
	struct fl_rank_row row = { .observed_ms = latency_ms + noise() };

	row.x[FL_FEATURE_WAN_RTT] = 40 + noise();
	row.x[FL_FEATURE_WAN_JITTER] = 7 + noise();
	row.x[FL_FEATURE_WAN_DOWNLOAD_UTIL] = 40 + noise();
	row.x[FL_FEATURE_WAN_UPLOAD_UTIL] = 30 + noise();
	row.x[FL_FEATURE_WAN_NUM_CLIENTS] = 50 + noise();
	row.x[FL_FEATURE_CLIENT_CPU] = 40 + noise();
	row.x[FL_FEATURE_WIFI_RSSI] = -55 + noise();
	row.x[FL_FEATURE_WIFI_NETWORK] = 1;
	return row;
}

/*
 * F21, first case: the downlink is full in four minutes of ten, and probes of another class do not
 * feel it. 256.8 ms on average, and the WAN's capacity downwards is what costs 187.7 ms more.
 */
Test(rank, F21_download_capacity_first)
{
	struct fl_rank_model site, model;
	struct fl_rank_row rows[1000];
	struct fl_ranking r;

	for (int i = 0; i < 1000; i++) {
		bool full = i % 10 < 4;

		rows[i] = quiet_row(full ? 131.7 + 312.8 : 131.7);
		if (full)
			rows[i].x[FL_FEATURE_WAN_DOWNLOAD_UTIL] = 97 + noise() / 5;
	}
	cr_assert_eq(fl_rank_fit(rows, 1000, NULL, &site), 0);
	fl_rank_refine(&site, rows, 30, &model);
	fl_rank_minute(&model, &rows[2], &r);
	cr_expect_float_eq(r.expected_ms, 256.8, 1, "%f", r.expected_ms);
	cr_expect_float_eq(r.categories_ms[FL_CATEGORY_WAN], 187.7, 20, "%f",
			   r.categories_ms[FL_CATEGORY_WAN]);
	cr_expect_eq(r.dominant, FL_CATEGORY_WAN);
	cr_expect_eq(r.top, FL_FEATURE_WAN_DOWNLOAD_UTIL);
	cr_expect_not(r.not_wan);
}

/* F21, second case: a user of a full tunnel among others. */
Test(rank, F21_full_tunnel)
{
	struct fl_rank_model site, model;
	struct fl_rank_row rows[200];
	struct fl_ranking r;

	for (int i = 0; i < 200; i++) {
		bool tunnel = i < 40;

		rows[i] = quiet_row(tunnel ? 290 : 60);
		rows[i].x[FL_FEATURE_CLIENT_VPN] = tunnel;
		rows[i].x[FL_FEATURE_CLIENT_CONN_TYPE] = tunnel ? 2 : 0;
	}
	cr_assert_eq(fl_rank_fit(rows, 200, NULL, &site), 0);
	fl_rank_refine(&site, rows, 40, &model);
	fl_rank_minute(&model, &rows[7], &r);
	cr_expect_eq(r.dominant, FL_CATEGORY_CLIENT);
	cr_expect_eq(r.top, FL_FEATURE_CLIENT_VPN);
	cr_expect_gt(r.categories_ms[FL_CATEGORY_CLIENT], 150);
	cr_expect(r.not_wan);
}

/* --- the fixture --------------------------------------------------------------------------------
 */

static size_t fixture_rows(const struct load *l, unsigned int who, enum fl_stream stream,
			   struct fl_rank_row *rows)
{
	const struct load_join *j = &l->joins[who];
	struct fl_rank_client client = { .conn = j->conn_type, .network = j->network_type };
	struct fl_match match;

	fl_match(&l->net, &j->ends, &match);
	if (!fl_match_is_on_network(&match) || match.site != 0)
		return 0;
	client.vpn = match.vpn;
	for (unsigned int n = 0; n < j->minute_count; n++) {
		const struct fl_path_minute *wan =
			fl_path_minute_near(l->wan, l->wan_count, j->minutes[n].minute);

		fl_rank_features(&j->minutes[n], wan, &client, rows[n].x);
		rows[n].observed_ms = j->minutes[n].streams[stream].latency_ms;
	}
	return j->minute_count;
}

/*
 * product/calls_summary.json: of 48 bad minutes 28 are the tunnel user's own, even those in which
 * the WAN was congested but her latency did not change.
 */
Test(rank, F20_summary_of_the_fixture)
{
	const struct load *l = load_correlation();
	struct fl_json *want = load_json("product/calls_summary.json");
	unsigned int by[FL_CATEGORY_MAX] = { 0 }, bad = 0;
	struct fl_rank_model site[FL_STREAM_JUDGED], model;
	struct fl_rank_row rows[256];

	for (enum fl_stream s = 0; s < FL_STREAM_JUDGED; s++) {
		size_t count = 0;

		for (unsigned int i = 0; i < l->join_count; i++)
			count += fixture_rows(l, i, s, rows + count);
		cr_assert_eq(count, load_number(fl_json_member(want, "total_minutes")));
		cr_assert_eq(fl_rank_fit(rows, count, NULL, &site[s]), 0);
	}
	for (unsigned int i = 0; i < l->join_count; i++) {
		for (unsigned int n = 0; n < l->joins[i].minute_count; n++) {
			struct fl_minute_score score;
			enum fl_stream worst;
			struct fl_ranking r;
			size_t count;

			fl_score_minute(&fl_score_default, &l->joins[i].minutes[n], &score);
			worst = fl_score_worst_stream(&score);
			count = fixture_rows(l, i, worst, rows);
			if (!score.bad || !count)
				continue;
			fl_rank_refine(&site[worst], rows, count, &model);
			fl_rank_minute(&model, &rows[n], &r);
			by[r.dominant]++;
			bad++;
		}
	}
	cr_expect_eq(bad, load_number(fl_json_member(want, "bad_minutes")));
	cr_expect_eq(by[FL_CATEGORY_CLIENT],
		     load_number(fl_json_member(want, "bad_minutes_client")), "%u",
		     by[FL_CATEGORY_CLIENT]);
	cr_expect_eq(by[FL_CATEGORY_WAN], load_number(fl_json_member(want, "bad_minutes_site_wan")),
		     "%u", by[FL_CATEGORY_WAN]);
	cr_expect_eq(by[FL_CATEGORY_WIRELESS],
		     load_number(fl_json_member(want, "bad_minutes_wireless")));
	fl_json_free(want);
}
