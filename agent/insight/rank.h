/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What made the latency of a minute differ from the site's average: eleven features in three
 * categories, an additive model, exact Shapley values (zoom-api.md 11, option 1).
 *
 * Slopes start from physical priors, are pulled towards a site's data, and from there towards the
 * data of the one participant that is explained: a processor that was as busy in its good minutes
 * is acquitted, and so is a congested link that a tunnel's user did not feel. Pure.
 */
#ifndef FL_AGENT_INSIGHT_RANK_H
#define FL_AGENT_INSIGHT_RANK_H

#include <stddef.h>

#include "agent/insight/types.h"

enum fl_feature {
	FL_FEATURE_WAN_RTT,
	FL_FEATURE_WAN_JITTER,
	FL_FEATURE_WAN_LOSS,
	FL_FEATURE_WAN_DOWNLOAD_UTIL, /* per cent of the capacity */
	FL_FEATURE_WAN_UPLOAD_UTIL,
	FL_FEATURE_WAN_NUM_CLIENTS,
	FL_FEATURE_CLIENT_CPU,
	FL_FEATURE_CLIENT_VPN,       /* 0 or 1 */
	FL_FEATURE_CLIENT_CONN_TYPE, /* 0 UDP, 1 TCP, 2 through a proxy */
	FL_FEATURE_WIFI_RSSI,
	FL_FEATURE_WIFI_NETWORK, /* 0 wired, 1 Wi-Fi, 2 cellular */
	FL_FEATURE_MAX,
};

#define FL_RANK_METHOD     "additive-exact"
#define FL_RANK_BACKGROUND 50 /* rows: zoom-api.md 11 */
#define FL_RANK_MIN_MINUTES                                                                        \
	20 /* of a site, below which nothing is said (chosen: one short call)                      \
	    */
#define FL_RANK_FIT_MINUTES 4000 /* more teach nothing new (chosen) */

/* One minute of one participant as the model sees it; NAN: not known. */
struct fl_rank_row {
	double x[FL_FEATURE_MAX];
	double observed_ms;
};

/* What a participant is over all its minutes. */
struct fl_rank_client {
	bool vpn;
	enum fl_conn_type conn;
	enum fl_network_type network;
};

struct fl_rank_model {
	size_t minutes; /* that it was made of */
	double mean_ms; /* of the site: the expected value */
	double slope[FL_FEATURE_MAX];
	double cross; /* of round trip times loss: 0 unless set */
	/* Features bent by their curves; missing ones stand at the site's mean. */
	double background[FL_RANK_BACKGROUND][FL_FEATURE_MAX];
	double mean_bent[FL_FEATURE_MAX]; /* of the background */
};

enum fl_rank_verdict {
	FL_RANK_INSUFFICIENT, /* too little is known: nothing else is set */
	FL_RANK_UNEXPLAINED,  /* whatever it was, it is not among the features */
	FL_RANK_EXPLAINED,    /* by @dominant */
};

struct fl_ranking {
	enum fl_rank_verdict verdict;
	enum fl_category dominant;
	bool not_wan; /* the WAN is known, and it was not that */
	double observed_ms;
	double expected_ms;
	double contributions_ms[FL_FEATURE_MAX];
	double categories_ms[FL_CATEGORY_MAX]; /* [FL_CATEGORY_NONE]: unexplained */
	enum fl_feature top;                   /* of the dominant category */
};

/* Features of a minute; @wan may be NULL. */
void fl_rank_features(const struct fl_call_minute *minute, const struct fl_path_minute *wan,
		      const struct fl_rank_client *client, double ret_x[FL_FEATURE_MAX]);

/**
 * fl_rank_fit() - a site's model for one stream
 * @rows:   its minutes, in any order; those without an observed value are left out
 * @prior:  of sibling sites, or NULL for the physical one
 *
 * Return: 0; -ENODATA if there are fewer than FL_RANK_MIN_MINUTES; -ENOMEM.
 */
int fl_rank_fit(const struct fl_rank_row *rows, size_t count, const struct fl_rank_model *prior,
		struct fl_rank_model *ret_model);

/* A site's model pulled towards the minutes of one participant. */
void fl_rank_refine(const struct fl_rank_model *site, const struct fl_rank_row *rows, size_t count,
		    struct fl_rank_model *ret_model);

/* Prediction for a row; what is missing stands at the site's mean. */
double fl_rank_predict(const struct fl_rank_model *model, const struct fl_rank_row *row);

/**
 * fl_rank_minute() - who is to blame
 * @model: refined by the participant's minutes; NULL: there is none
 *
 * expected + contributions + unexplained = observed, always.
 */
void fl_rank_minute(const struct fl_rank_model *model, const struct fl_rank_row *row,
		    struct fl_ranking *ret_ranking);

const char *fl_feature_name(enum fl_feature feature); /* "wan_rtt" */
enum fl_category fl_feature_category(enum fl_feature feature);
const char *fl_category_name(enum fl_category category); /* "wan" */

#endif
