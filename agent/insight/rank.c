// SPDX-License-Identifier: Apache-2.0
/* Feature ranking: see rank.h. */
#include "agent/insight/rank.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/insight/shapley.h"

#define ALL ((1U << FL_FEATURE_MAX) - 1)

#define SITE_WEIGHT_MINUTES 200 /* at which data and prior weigh the same: zoom-api.md 11 */
#define NOISE_MS            15  /* of a minute's latency that no feature explains (chosen) */
#define GROUP_MIN_MINUTES   10  /* to measure the gap of VPN users by (chosen) */
#define STEPS               60  /* of the descent: enough for a hundredth of a millisecond */

/*
 * What is known before any data: milliseconds per unit of the bent feature, how far data may
 * plausibly take it (a standard deviation), and where it must end. None is negative: no feature's
 * getting worse makes a call better.
 */
static const struct feature {
	const char *name;
	enum fl_category category;
	double bend; /* zero up to here, then rising; below it if the feature is better when high */
	bool falling;
	double slope;
	double spread;
	double max;
} features[FL_FEATURE_MAX] = {
	[FL_FEATURE_WAN_RTT] = { "wan_rtt", FL_CATEGORY_WAN, 0, false, 1, 0.5, 3 },
	[FL_FEATURE_WAN_JITTER] = { "wan_jitter", FL_CATEGORY_WAN, 0, false, 1, 1, 5 },
	[FL_FEATURE_WAN_LOSS] = { "wan_loss", FL_CATEGORY_WAN, 0, false, 8, 8, 60 },
	[FL_FEATURE_WAN_DOWNLOAD_UTIL] = { "wan_download_util", FL_CATEGORY_WAN, 70, false, 1, 3,
					   20 },
	[FL_FEATURE_WAN_UPLOAD_UTIL] = { "wan_upload_util", FL_CATEGORY_WAN, 70, false, 1, 3, 20 },
	[FL_FEATURE_WAN_NUM_CLIENTS] = { "wan_num_clients", FL_CATEGORY_WAN, 0, false, 0, 0.05, 1 },
	[FL_FEATURE_CLIENT_CPU] = { "client_cpu", FL_CATEGORY_CLIENT, 80, false, 3, 5, 30 },
	[FL_FEATURE_CLIENT_VPN] = { "client_vpn", FL_CATEGORY_CLIENT, 0, false, 20, 100, 600 },
	[FL_FEATURE_CLIENT_CONN_TYPE] = { "client_conn_type", FL_CATEGORY_CLIENT, 0, false, 5, 20,
					  200 },
	[FL_FEATURE_WIFI_RSSI] = { "wifi_rssi", FL_CATEGORY_WIRELESS, -67, true, 3, 5, 40 },
	[FL_FEATURE_WIFI_NETWORK] = { "wifi_network", FL_CATEGORY_WIRELESS, 0, false, 2, 10, 100 },
};

const char *fl_feature_name(enum fl_feature feature)
{
	return features[feature].name;
}

enum fl_category fl_feature_category(enum fl_feature feature)
{
	return features[feature].category;
}

const char *fl_category_name(enum fl_category category)
{
	static const char *const names[] = {
		[FL_CATEGORY_NONE] = "unexplained",
		[FL_CATEGORY_WAN] = "wan",
		[FL_CATEGORY_CLIENT] = "client",
		[FL_CATEGORY_WIRELESS] = "wireless",
	};

	return names[category];
}

/* --- features -----------------------------------------------------------------------------------
 */

static double util_pct(double rate, double capacity)
{
	return capacity > 0 ? 100 * rate / capacity : NAN;
}

void fl_rank_features(const struct fl_call_minute *minute, const struct fl_path_minute *wan,
		      const struct fl_rank_client *client, double ret_x[FL_FEATURE_MAX])
{
	const struct fl_path_minute none = fl_path_minute_none(0, 0);

	if (!wan)
		wan = &none;
	ret_x[FL_FEATURE_WAN_RTT] = wan->rtt_ms;
	ret_x[FL_FEATURE_WAN_JITTER] = wan->jitter_ms;
	ret_x[FL_FEATURE_WAN_LOSS] = wan->loss_pct;
	ret_x[FL_FEATURE_WAN_DOWNLOAD_UTIL] = util_pct(wan->rx_mbps, wan->rx_capacity_mbps);
	ret_x[FL_FEATURE_WAN_UPLOAD_UTIL] = util_pct(wan->tx_mbps, wan->tx_capacity_mbps);
	ret_x[FL_FEATURE_WAN_NUM_CLIENTS] = wan->clients;
	ret_x[FL_FEATURE_CLIENT_CPU] = minute->cpu_system_pct;
	ret_x[FL_FEATURE_CLIENT_VPN] = client->vpn;
	ret_x[FL_FEATURE_CLIENT_CONN_TYPE] =
		client->conn == FL_CONN_UNKNOWN ? NAN : (double)client->conn - FL_CONN_UDP;
	ret_x[FL_FEATURE_WIFI_RSSI] = minute->rssi_dbm;
	ret_x[FL_FEATURE_WIFI_NETWORK] = client->network == FL_NETWORK_UNKNOWN
						 ? NAN
						 : (double)client->network - FL_NETWORK_WIRED;
}

/* Monotone and piecewise linear; NAN stays NAN. */
static double bend(enum fl_feature feature, double x)
{
	double over =
		features[feature].falling ? features[feature].bend - x : x - features[feature].bend;

	return over < 0 ? 0 : over;
}

/* --- fitting ------------------------------------------------------------------------------------
 */

/* Normal equations of the differences from the site's means. */
struct equations {
	double a[FL_FEATURE_MAX][FL_FEATURE_MAX];
	double b[FL_FEATURE_MAX];
};

/* @means stand for what is missing. */
static void bend_row(const struct fl_rank_row *row, const double *means, double *bent)
{
	for (enum fl_feature i = 0; i < FL_FEATURE_MAX; i++) {
		bent[i] = bend(i, row->x[i]);
		if (isnan(bent[i]))
			bent[i] = means[i];
	}
}

static void add_row(struct equations *eq, const struct fl_rank_row *row, const double *means,
		    double mean_ms)
{
	double d[FL_FEATURE_MAX];

	bend_row(row, means, d);
	for (int i = 0; i < FL_FEATURE_MAX; i++)
		d[i] -= means[i];
	for (int i = 0; i < FL_FEATURE_MAX; i++) {
		for (int k = 0; k < FL_FEATURE_MAX; k++)
			eq->a[i][k] += d[i] * d[k];
		eq->b[i] += d[i] * (row->observed_ms - mean_ms);
	}
}

/*
 * Slopes that fit best, each within its bounds and held to its prior by its spread: a descent along
 * one slope after the other, which ends at the one minimum since the problem is convex.
 */
static void solve(const struct equations *eq, const double *prior, double *slopes)
{
	memcpy(slopes, prior, FL_FEATURE_MAX * sizeof(*slopes));
	for (int step = 0; step < STEPS; step++) {
		for (enum fl_feature i = 0; i < FL_FEATURE_MAX; i++) {
			double hold = NOISE_MS * NOISE_MS / features[i].spread / features[i].spread;
			double b = eq->b[i] + hold * prior[i];

			for (int k = 0; k < FL_FEATURE_MAX; k++)
				if (k != (int)i)
					b -= eq->a[i][k] * slopes[k];
			slopes[i] = fmin(fmax(b / (eq->a[i][i] + hold), 0), features[i].max);
		}
	}
}

static int order_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), order_doubles);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* What VPN users' latency is above that of others, beyond what the other priors say of it. */
static double vpn_gap(const struct fl_rank_row *rows, size_t count, const double *means,
		      const double *prior, double *scratch)
{
	size_t with = 0, without = 0;
	double gap;

	for (size_t n = 0; n < count; n++) {
		double bent[FL_FEATURE_MAX], rest = rows[n].observed_ms;

		bend_row(&rows[n], means, bent);
		for (int i = 0; i < FL_FEATURE_MAX; i++)
			if (i != FL_FEATURE_CLIENT_VPN)
				rest -= prior[i] * bent[i];
		if (rows[n].x[FL_FEATURE_CLIENT_VPN] > 0)
			scratch[with++] = rest;
		else
			scratch[count - ++without] = rest;
	}
	if (with < GROUP_MIN_MINUTES || without < GROUP_MIN_MINUTES)
		return prior[FL_FEATURE_CLIENT_VPN];
	gap = median(scratch, with) - median(scratch + with, without);
	return fmin(fmax(gap, 0), features[FL_FEATURE_CLIENT_VPN].max);
}

static void means_of(const struct fl_rank_row *rows, size_t count, double *means, double *mean_ms)
{
	double sums[FL_FEATURE_MAX] = { 0 }, sum_ms = 0;
	size_t known[FL_FEATURE_MAX] = { 0 };

	for (size_t n = 0; n < count; n++) {
		sum_ms += rows[n].observed_ms;
		for (enum fl_feature i = 0; i < FL_FEATURE_MAX; i++) {
			double bent = bend(i, rows[n].x[i]);

			if (isnan(bent))
				continue;
			sums[i] += bent;
			known[i]++;
		}
	}
	*mean_ms = sum_ms / (double)count;
	for (int i = 0; i < FL_FEATURE_MAX; i++)
		means[i] = known[i] ? sums[i] / (double)known[i] : 0;
}

static int order_rows(const void *a, const void *b)
{
	const struct fl_rank_row *x = a, *y = b;

	return x->observed_ms < y->observed_ms ? -1 : x->observed_ms > y->observed_ms;
}

/* @rows are in order of latency: evenly spaced ones stand for all of them. */
static void choose_background(const struct fl_rank_row *rows, size_t count, const double *means,
			      struct fl_rank_model *model)
{
	memset(model->mean_bent, 0, sizeof(model->mean_bent));
	for (size_t b = 0; b < FL_RANK_BACKGROUND; b++) {
		size_t at = (2 * b + 1) * count / (2 * FL_RANK_BACKGROUND);

		bend_row(&rows[at], means, model->background[b]);
		for (int i = 0; i < FL_FEATURE_MAX; i++)
			model->mean_bent[i] += model->background[b][i] / FL_RANK_BACKGROUND;
	}
}

/* @rows: owned, all of them with a value; @scratch: as many doubles. */
static void fit(struct fl_rank_row *rows, size_t count, const struct fl_rank_model *prior,
		double *scratch, struct fl_rank_model *model)
{
	double weight = (double)count / (double)(count + SITE_WEIGHT_MINUTES);
	double means[FL_FEATURE_MAX], start[FL_FEATURE_MAX], best[FL_FEATURE_MAX];
	struct equations eq = { 0 };

	model->minutes = count;
	model->cross = prior ? prior->cross : 0;
	means_of(rows, count, means, &model->mean_ms);
	for (int i = 0; i < FL_FEATURE_MAX; i++)
		start[i] = prior ? prior->slope[i] : features[i].slope;
	start[FL_FEATURE_CLIENT_VPN] = vpn_gap(rows, count, means, start, scratch);
	for (size_t n = 0; n < count; n++)
		add_row(&eq, &rows[n], means, model->mean_ms);
	solve(&eq, start, best);
	for (int i = 0; i < FL_FEATURE_MAX; i++)
		model->slope[i] = start[i] + weight * (best[i] - start[i]);
	qsort(rows, count, sizeof(*rows), order_rows);
	choose_background(rows, count, means, model);
}

int fl_rank_fit(const struct fl_rank_row *rows, size_t count, const struct fl_rank_model *prior,
		struct fl_rank_model *ret_model)
{
	struct fl_rank_row *own;
	double *scratch;
	size_t kept = 0;
	int err = 0;

	if (count < FL_RANK_MIN_MINUTES)
		return -ENODATA;
	own = calloc(count, sizeof(*own));
	scratch = calloc(count, sizeof(*scratch));
	if (!own || !scratch) {
		err = -ENOMEM;
		goto out;
	}
	for (size_t n = 0; n < count; n++)
		if (!isnan(rows[n].observed_ms))
			own[kept++] = rows[n];
	if (kept < FL_RANK_MIN_MINUTES)
		err = -ENODATA;
	else
		fit(own, kept, prior, scratch, ret_model);
out:
	free(own);
	free(scratch);
	return err;
}

void fl_rank_refine(const struct fl_rank_model *site, const struct fl_rank_row *rows, size_t count,
		    struct fl_rank_model *ret_model)
{
	struct equations eq = { 0 };

	for (size_t n = 0; n < count; n++)
		if (!isnan(rows[n].observed_ms))
			add_row(&eq, &rows[n], site->mean_bent, site->mean_ms);
	*ret_model = *site;
	solve(&eq, site->slope, ret_model->slope);
}

/* --- ranking ------------------------------------------------------------------------------------
 */

static double cross_of(const struct fl_rank_model *model, const double *bent)
{
	return model->cross * bent[FL_FEATURE_WAN_RTT] * bent[FL_FEATURE_WAN_LOSS];
}

/* f less the site's mean, without the cross term. */
static double sum_of(const struct fl_rank_model *model, const double *bent)
{
	double sum = 0;

	for (int i = 0; i < FL_FEATURE_MAX; i++)
		sum += model->slope[i] * (bent[i] - model->mean_bent[i]);
	return sum;
}

static double mean_cross(const struct fl_rank_model *model)
{
	double sum = 0;

	for (int b = 0; b < FL_RANK_BACKGROUND; b++)
		sum += cross_of(model, model->background[b]);
	return sum / FL_RANK_BACKGROUND;
}

double fl_rank_predict(const struct fl_rank_model *model, const struct fl_rank_row *row)
{
	double bent[FL_FEATURE_MAX];

	bend_row(row, model->mean_bent, bent);
	return model->mean_ms + sum_of(model, bent) + cross_of(model, bent) - mean_cross(model);
}

/*
 * Values of all coalitions. Masks follow each other in Gray code: each differs from the one before
 * in one feature, so that a value costs one addition and not a call of the model.
 */
static void coalition_values(const struct fl_rank_model *model, const double *bent, bool known[],
			     double *values)
{
	const double base = model->mean_ms - mean_cross(model);

	memset(values, 0, (ALL + 1) * sizeof(*values));
	for (int b = 0; b < FL_RANK_BACKGROUND; b++) {
		double at[FL_FEATURE_MAX], step[FL_FEATURE_MAX], sum;
		unsigned int mask = 0;

		memcpy(at, model->background[b], sizeof(at));
		for (int i = 0; i < FL_FEATURE_MAX; i++)
			step[i] = known[i] ? model->slope[i] * (bent[i] - at[i]) : 0;
		sum = base + sum_of(model, at);
		values[0] += sum + cross_of(model, at);
		for (unsigned int n = 1; n <= ALL; n++) {
			int i = __builtin_ctz(n);

			mask ^= 1U << i;
			sum += mask >> i & 1 ? step[i] : -step[i];
			if (known[i])
				at[i] = mask >> i & 1 ? bent[i] : model->background[b][i];
			values[mask] += model->cross > 0 ? sum + cross_of(model, at) : sum;
		}
	}
	for (unsigned int mask = 0; mask <= ALL; mask++)
		values[mask] /= FL_RANK_BACKGROUND;
}

/* The largest category, if it is worth naming; and of it the largest feature. */
static void find_dominant(const struct fl_rank_row *row, struct fl_ranking *r)
{
	double over = r->observed_ms - r->expected_ms, best = 0;

	r->dominant = FL_CATEGORY_NONE;
	for (enum fl_category c = FL_CATEGORY_WAN; c < FL_CATEGORY_MAX; c++) {
		if (r->categories_ms[c] > best) {
			best = r->categories_ms[c];
			r->dominant = c;
		}
	}
	r->not_wan = !isnan(row->x[FL_FEATURE_WAN_RTT]) &&
		     r->categories_ms[FL_CATEGORY_WAN] < fmax(5, over / 10);
	/* Less than noise, or less than what nobody can explain. */
	if (best < NOISE_MS || best < r->categories_ms[FL_CATEGORY_NONE])
		r->dominant = FL_CATEGORY_NONE;
	if (r->dominant == FL_CATEGORY_NONE) {
		r->verdict = isnan(row->x[FL_FEATURE_WAN_RTT]) ? FL_RANK_INSUFFICIENT
							       : FL_RANK_UNEXPLAINED;
		return;
	}
	r->verdict = FL_RANK_EXPLAINED;
	best = -INFINITY;
	for (enum fl_feature i = 0; i < FL_FEATURE_MAX; i++) {
		if (features[i].category == r->dominant && r->contributions_ms[i] > best) {
			best = r->contributions_ms[i];
			r->top = i;
		}
	}
}

void fl_rank_minute(const struct fl_rank_model *model, const struct fl_rank_row *row,
		    struct fl_ranking *ret_ranking)
{
	double values[ALL + 1];
	double bent[FL_FEATURE_MAX], sum = 0;
	bool known[FL_FEATURE_MAX];

	memset(ret_ranking, 0, sizeof(*ret_ranking));
	ret_ranking->observed_ms = row->observed_ms;
	if (!model || isnan(row->observed_ms))
		return;
	for (enum fl_feature i = 0; i < FL_FEATURE_MAX; i++)
		known[i] = !isnan(row->x[i]);
	bend_row(row, model->mean_bent, bent);
	coalition_values(model, bent, known, values);
	fl_shapley_contributions(values, FL_FEATURE_MAX, ret_ranking->contributions_ms);
	ret_ranking->expected_ms = values[0];
	for (enum fl_feature i = 0; i < FL_FEATURE_MAX; i++) {
		ret_ranking->categories_ms[features[i].category] +=
			ret_ranking->contributions_ms[i];
		sum += ret_ranking->contributions_ms[i];
	}
	ret_ranking->categories_ms[FL_CATEGORY_NONE] = row->observed_ms - values[0] - sum;
	find_dominant(row, ret_ranking);
}
