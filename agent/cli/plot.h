/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small plots for a terminal: a line of blocks for a series, a bar for parts of a whole. Where the
 * locale is not UTF-8, plain ASCII does.
 */
#ifndef FL_AGENT_CLI_PLOT_H
#define FL_AGENT_CLI_PLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/codec/json.h"

#define FL_PLOT_COLUMNS 60
#define FL_PLOT_TEXT    (FL_PLOT_COLUMNS * 4 + 1)

struct fl_plot_sum {
	size_t count;          /* of known values */
	double min, mean, max; /* NAN if there is none */
};

/* Sums of a series, an array of numbers and nulls. */
struct fl_plot_sum fl_plot_sum(const struct fl_json *series);

/**
 * fl_plot_line() - a series from left to right
 * @min, @max: what the lowest and the highest block stand for
 *
 * Several values of one column are shown by their greatest, so that no spike is lost; nothing known
 * is a gap. Return: @text.
 */
const char *fl_plot_line(const struct fl_json *series, double min, double max, bool utf8,
			 char text[FL_PLOT_TEXT]);

/* Parts of a bar of @columns that stands for @whole, a letter of @letters each; what is not
 * positive has none. Return: @text. */
const char *fl_plot_bar(const double *parts, const char *letters, size_t count, double whole,
			size_t columns, char text[FL_PLOT_TEXT]);

/* Does the terminal show UTF-8? */
bool fl_plot_is_utf8(void);

#endif
