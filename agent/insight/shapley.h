/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact Shapley values: how much each feature moved a model's prediction away from its mean over a
 * background (zoom-api.md 11). A coalition is a bit mask; bit i set: feature i is taken from the
 * row that is explained, else from the background. Pure.
 */
#ifndef FL_AGENT_INSIGHT_SHAPLEY_H
#define FL_AGENT_INSIGHT_SHAPLEY_H

#define FL_SHAPLEY_MAX_FEATURES 12

/* A prediction for one row of features. */
typedef double (*fl_model_fn)(const void *ctx, const double *row);

struct fl_shapley_task {
	fl_model_fn model;
	const void *ctx;
	unsigned int features;    /* 1..FL_SHAPLEY_MAX_FEATURES */
	const double *x;          /* the row to explain */
	const double *background; /* rows of @features */
	unsigned int rows;        /* > 0 */
};

/* Values of all 2^features coalitions of any model into @ret_values. */
void fl_shapley_values(const struct fl_shapley_task *task, double *ret_values);

/* Shapley values from those of all coalitions: they sum up to values[all] - values[0]. */
void fl_shapley_contributions(const double *values, unsigned int features,
			      double *ret_contributions);

#endif
