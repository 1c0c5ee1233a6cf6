/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranking over the store: models of sites, made when they are needed and kept for a while, and the
 * bad minutes of a call with who is to blame for them.
 */
#ifndef FL_AGENT_INSIGHT_EXPLAIN_H
#define FL_AGENT_INSIGHT_EXPLAIN_H

#include "agent/insight/rank.h"
#include "agent/insight/store.h"

struct fl_explainer;

struct fl_explained {
	const struct fl_minute_row *row;
	enum fl_stream stream; /* that was ranked */
	struct fl_rank_row features;
	struct fl_ranking ranking;
};

/* @store: borrowed. */
int fl_explainer_new(struct fl_store *store, const struct fl_score_cfg *mos,
		     struct fl_explainer **ret_explainer);
void fl_explainer_free(struct fl_explainer *explainer);

typedef bool (*fl_explained_fn)(void *ctx, const struct fl_explained *explained);

/**
 * fl_explain_call() - the bad minutes of a call, in order
 * @stream: to rank; FL_STREAM_MAX: the one that scored least in each minute
 * @now_s:  models older than ten minutes are made again
 *
 * A site with too little data gives FL_RANK_INSUFFICIENT, not an error. @fn must not write to the
 * store.
 */
int fl_explain_call(struct fl_explainer *explainer, const struct fl_call *call,
		    enum fl_stream stream, int64_t now_s, fl_explained_fn fn, void *ctx);

/* Models are made anew: what they were made of has changed. */
void fl_explainer_forget(struct fl_explainer *explainer);

/* Rank a call's bad minutes and store their causes, for the sums of its site. */
int fl_explain_keep(struct fl_explainer *explainer, const struct fl_call *call, int64_t now_s);

#endif
