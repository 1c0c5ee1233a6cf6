// SPDX-License-Identifier: Apache-2.0
/* One call, told: see findings.h. */
#include "agent/insight/findings.h"

#include <inttypes.h>
#include <string.h>

#define WEAK_DBM -67 /* above it signal strength costs nothing: zoom-api.md 11 */

/* Bad minutes that have one cause. */
struct blame {
	unsigned int minutes;
	double observed_ms, expected_ms, category_ms; /* sums */
	double features_ms[FL_FEATURE_MAX];
};

struct findings {
	unsigned int bad;
	unsigned int insufficient;
	unsigned int not_wan;
	struct blame by[FL_CATEGORY_MAX];
	/* Worst of the bad minutes; NAN: not known. */
	double rtt_ms, loss_pct, download_pct, upload_pct;
	/* Of all minutes. */
	double rssi_dbm, cpu_pct;
};

static void keep_worst(double *worst, double value)
{
	*worst = fmax(*worst, value);
}

static bool add_minute(void *ctx, const struct fl_explained *e)
{
	struct findings *f = ctx;
	const struct fl_ranking *r = &e->ranking;
	struct blame *b = &f->by[r->dominant];

	f->bad++;
	f->not_wan += r->verdict != FL_RANK_INSUFFICIENT && r->not_wan;
	keep_worst(&f->rtt_ms, e->features.x[FL_FEATURE_WAN_RTT]);
	keep_worst(&f->loss_pct, e->features.x[FL_FEATURE_WAN_LOSS]);
	keep_worst(&f->download_pct, e->features.x[FL_FEATURE_WAN_DOWNLOAD_UTIL]);
	keep_worst(&f->upload_pct, e->features.x[FL_FEATURE_WAN_UPLOAD_UTIL]);
	if (r->verdict == FL_RANK_INSUFFICIENT) {
		f->insufficient++;
		return true;
	}
	b->minutes++;
	b->observed_ms += r->observed_ms;
	b->expected_ms += r->expected_ms;
	b->category_ms += r->categories_ms[r->dominant];
	for (int i = 0; i < FL_FEATURE_MAX; i++)
		b->features_ms[i] += r->contributions_ms[i];
	return true;
}

static bool add_figures(void *ctx, const struct fl_call *call, const struct fl_minute_row *row)
{
	struct findings *f = ctx;

	(void)call;
	f->rssi_dbm = fmin(f->rssi_dbm, row->figures.rssi_dbm);
	keep_worst(&f->cpu_pct, row->figures.cpu_system_pct);
	return true;
}

static void print_head(const struct fl_call *c, const struct fl_zone *zone, FILE *f)
{
	char from[32], to[32] = "now";

	fl_civil_format(zone, c->join_s, from);
	if (c->leave_s != FL_SESSION_OPEN_END)
		fl_civil_format(zone, c->leave_s, to);
	fprintf(f, "%s%s%s, Zoom meeting %" PRId64 ", %s to %s",
		c->hostname[0] ? c->hostname : "Client", c->user_name[0] ? ", " : "", c->user_name,
		c->meeting_number, from, to);
	if (c->bytes)
		fprintf(f, ", %.1f MB", (double)c->bytes / 1e6);
	fputs(".\n", f);
}

static void print_verdict(const struct fl_call *c, FILE *f)
{
	bool labels = (c->audio >= FL_GRADE_BAD && c->audio <= FL_GRADE_POOR) ||
		      (c->video >= FL_GRADE_BAD && c->video <= FL_GRADE_POOR);
	bool bad = labels || (c->rating && c->rating <= 2);
	const char *verdict = bad              ? "a bad call"
			      : c->bad_minutes ? "a good call with bad minutes"
			      : c->minutes     ? "a good call"
					       : "no minutes were collected";

	fprintf(f, "Verdict: %s. Audio %s, video %s; %u of %u minutes were bad.\n", verdict,
		fl_grade_display(c->audio), fl_grade_display(c->video), c->bad_minutes, c->minutes);
	if (c->rating)
		fprintf(f, "The user rated the call %s.\n", c->rating <= 2 ? "poor" : "good");
	if (c->leave_code == FL_LEAVE_NETWORK_ERROR || c->leave_code == FL_LEAVE_DISCONNECTED)
		fputs("It ended with a lost connection.\n", f);
}

static const char *cause_text(enum fl_category category)
{
	static const char *const text[] = {
		[FL_CATEGORY_NONE] = "Nothing that is measured here",
		[FL_CATEGORY_WAN] = "The WAN",
		[FL_CATEGORY_CLIENT] = "The client itself",
		[FL_CATEGORY_WIRELESS] = "The wireless network",
	};

	return text[category];
}

static void print_cause(const struct blame *b, enum fl_category category, FILE *f)
{
	enum fl_feature top = FL_FEATURE_MAX;
	double n = b->minutes;

	if (!b->minutes)
		return;
	for (enum fl_feature i = 0; i < FL_FEATURE_MAX; i++)
		if (fl_feature_category(i) == category &&
		    (top == FL_FEATURE_MAX || b->features_ms[i] > b->features_ms[top]))
			top = i;
	fprintf(f,
		"%s explains %u bad minute%s: latency %.0f ms where the site has %.0f ms on average",
		cause_text(category), b->minutes, b->minutes == 1 ? "" : "s", b->observed_ms / n,
		b->expected_ms / n);
	if (top != FL_FEATURE_MAX)
		fprintf(f, "; %s %+.0f ms, most of it %s (%+.0f ms)", fl_category_name(category),
			b->category_ms / n, fl_feature_name(top), b->features_ms[top] / n);
	fputs(".\n", f);
}

static void print_figure(FILE *f, const char *what, double value, const char *unit)
{
	if (!isnan(value))
		fprintf(f, "%s %.*f %s", what, value < 10 ? 1 : 0, value, unit);
}

static void print_network(const struct findings *found, const struct fl_call *call, FILE *f)
{
	if (found->bad && isnan(found->rtt_ms)) {
		fputs("WAN: nothing was measured in the bad minutes.\n", f);
	} else if (found->bad) {
		print_figure(f, "WAN in the bad minutes, at worst: round trip", found->rtt_ms,
			     "ms");
		print_figure(f, ", loss", found->loss_pct, "%");
		print_figure(f, ", download", found->download_pct, "% of capacity");
		print_figure(f, ", upload", found->upload_pct, "% of capacity");
		fputs(".\n", f);
	}
	if (found->not_wan)
		fprintf(f,
			"Not the WAN: in %u of the bad minutes it did not change this call's latency.\n",
			found->not_wan);
	if (call->network == FL_NETWORK_WIFI && !isnan(found->rssi_dbm))
		fprintf(f, "Wi-Fi: weakest signal %.0f dBm%s.\n", found->rssi_dbm,
			found->rssi_dbm < WEAK_DBM ? ", which is weak" : "");
	if (call->vpn)
		fputs("The call went through a VPN.\n", f);
	if (found->cpu_pct >= 90)
		fprintf(f, "The client's processor was at %.0f %%.\n", found->cpu_pct);
}

int fl_findings_print(struct fl_store *store, struct fl_explainer *explainer,
		      const struct fl_zone *zone, int64_t now_s, const struct fl_call *call,
		      FILE *f)
{
	struct findings found = { .rtt_ms = NAN,
				  .loss_pct = NAN,
				  .download_pct = NAN,
				  .upload_pct = NAN,
				  .rssi_dbm = NAN,
				  .cpu_pct = NAN };
	int err = fl_store_each_minute(store, call, add_figures, &found);

	if (!err)
		err = fl_explain_call(explainer, call, FL_STREAM_MAX, now_s, add_minute, &found);
	if (err)
		return err;
	print_head(call, zone, f);
	print_verdict(call, f);
	for (enum fl_category c = FL_CATEGORY_WAN; c < FL_CATEGORY_MAX; c++)
		print_cause(&found.by[c], c, f);
	print_cause(&found.by[FL_CATEGORY_NONE], FL_CATEGORY_NONE, f);
	if (found.insufficient)
		fprintf(f, "Insufficient data to explain %u bad minute%s.\n", found.insufficient,
			found.insufficient == 1 ? "" : "s");
	print_network(&found, call, f);
	return 0;
}
