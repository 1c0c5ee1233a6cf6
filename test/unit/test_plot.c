// SPDX-License-Identifier: Apache-2.0
/* Small plots of a terminal. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "agent/cli/plot.h"

static struct fl_json *root;

static const struct fl_json *series(const double *values, size_t count)
{
	struct fl_json *list;

	fl_json_free(root);
	root = fl_json_new_object();
	list = fl_json_add_array(root, "s");
	for (size_t i = 0; i < count; i++)
		fl_json_add_double(list, NULL, values[i]);
	return list;
}

Test(plot, sums_leave_gaps_out)
{
	const double values[] = { 4, NAN, 2, 6 };
	struct fl_plot_sum sum = fl_plot_sum(series(values, 4));

	cr_expect_eq(sum.count, 3);
	cr_expect_float_eq(sum.min, 2, 0);
	cr_expect_float_eq(sum.mean, 4, 1e-9);
	cr_expect_float_eq(sum.max, 6, 0);
	sum = fl_plot_sum(series(values + 1, 1));
	cr_expect_eq(sum.count, 0);
	cr_expect(isnan(sum.mean) && isnan(sum.min) && isnan(sum.max));
}

Test(plot, line)
{
	const double values[] = { 0, NAN, 50, 100, 1000, -5 };
	char text[FL_PLOT_TEXT];

	cr_expect_str_eq(fl_plot_line(series(values, 6), 0, 100, false, text), "_ =##_");
	cr_expect_str_eq(fl_plot_line(series(values, 4), 0, 100, true, text),
			 "\u2581 \u2585\u2588");
	/* All the same: no level to tell apart. */
	cr_expect_str_eq(fl_plot_line(series(values, 1), 0, 0, false, text), "_");
	cr_expect_str_eq(fl_plot_line(NULL, 0, 100, false, text), "");
}

/* More values than columns: a spike must not get lost between them. */
Test(plot, spikes_stay)
{
	double values[10 * FL_PLOT_COLUMNS] = { 0 };
	char text[FL_PLOT_TEXT];

	values[777 % (10 * FL_PLOT_COLUMNS)] = 100;
	fl_plot_line(series(values, 10 * FL_PLOT_COLUMNS), 0, 100, false, text);
	cr_expect_eq(strlen(text), FL_PLOT_COLUMNS);
	cr_expect_eq(text[17], '#');
	cr_expect_eq(strcspn(text, "#"), 17);
}

Test(plot, bar)
{
	const double parts[] = { 50, -20, NAN, 25 };
	char text[FL_PLOT_TEXT];

	cr_expect_str_eq(fl_plot_bar(parts, "WCR?", 4, 100, 8, text), "WWWW??");
	cr_expect_str_eq(fl_plot_bar(parts, "WCR?", 4, 50, 4, text), "WWWW");
	cr_expect_str_eq(fl_plot_bar(parts, "WCR?", 4, 0, 4, text), "");
}
