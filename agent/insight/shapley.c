// SPDX-License-Identifier: Apache-2.0
/* Exact Shapley values: see shapley.h. */
#include "agent/insight/shapley.h"

void fl_shapley_values(const struct fl_shapley_task *task, double *ret_values)
{
	double row[FL_SHAPLEY_MAX_FEATURES];

	for (unsigned int mask = 0; mask < 1U << task->features; mask++) {
		double sum = 0;

		for (unsigned int b = 0; b < task->rows; b++) {
			const double *other = task->background + b * task->features;

			for (unsigned int i = 0; i < task->features; i++)
				row[i] = mask >> i & 1 ? task->x[i] : other[i];
			sum += task->model(task->ctx, row);
		}
		ret_values[mask] = sum / task->rows;
	}
}

/* |S|! (M - |S| - 1)! / M! for all sizes of S. */
static void weights_by_size(unsigned int features, double *weights)
{
	/* 1 / (M * binomial(M - 1, s)), from one size to the next. */
	double binomial = 1;

	for (unsigned int s = 0; s < features; s++) {
		weights[s] = 1 / (features * binomial);
		binomial = binomial * (features - 1 - s) / (s + 1);
	}
}

void fl_shapley_contributions(const double *values, unsigned int features,
			      double *ret_contributions)
{
	double weights[FL_SHAPLEY_MAX_FEATURES];

	weights_by_size(features, weights);
	for (unsigned int i = 0; i < features; i++) {
		unsigned int bit = 1U << i;
		double sum = 0;

		for (unsigned int mask = 0; mask < 1U << features; mask++)
			if (!(mask & bit))
				sum += weights[__builtin_popcount(mask)] *
				       (values[mask | bit] - values[mask]);
		ret_contributions[i] = sum;
	}
}
