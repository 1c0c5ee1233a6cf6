// SPDX-License-Identifier: Apache-2.0
/* Small plots: see plot.h. */
#include "agent/cli/plot.h"

#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <string.h>

#define LEVELS 8

static double value_at(const struct fl_json *series, size_t i)
{
	double value = NAN;

	fl_json_get_double(fl_json_at(series, i), &value);
	return value;
}

struct fl_plot_sum fl_plot_sum(const struct fl_json *series)
{
	struct fl_plot_sum sum = { 0, NAN, NAN, NAN };
	double total = 0;

	for (size_t i = 0; i < fl_json_count(series); i++) {
		double value = value_at(series, i);

		if (isnan(value))
			continue;
		sum.count++;
		total += value;
		sum.min = fmin(sum.min, value);
		sum.max = fmax(sum.max, value);
	}
	if (sum.count)
		sum.mean = total / (double)sum.count;
	return sum;
}

static void add(char *text, const char *what)
{
	size_t len = strlen(text);

	if (len + strlen(what) < FL_PLOT_TEXT)
		strcpy(text + len, what);
}

const char *fl_plot_line(const struct fl_json *series, double min, double max, bool utf8,
			 char text[FL_PLOT_TEXT])
{
	static const char *const blocks[2][LEVELS] = {
		{ "_", ".", "-", "~", "=", "+", "*", "#" },
		{ "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588" },
	};
	size_t count = fl_json_count(series);
	size_t columns = count < FL_PLOT_COLUMNS ? count : FL_PLOT_COLUMNS;

	*text = '\0';
	for (size_t c = 0; c < columns; c++) {
		double most = NAN, level;

		for (size_t i = c * count / columns; i < (c + 1) * count / columns; i++)
			most = fmax(most, value_at(series, i));
		if (isnan(most)) {
			add(text, " ");
			continue;
		}
		level = max > min ? floor((most - min) / (max - min) * LEVELS) : 0;
		add(text, blocks[utf8][(int)fmin(fmax(level, 0), LEVELS - 1)]);
	}
	return text;
}

const char *fl_plot_bar(const double *parts, const char *letters, size_t count, double whole,
			size_t columns, char text[FL_PLOT_TEXT])
{
	double sum = 0;
	size_t at = 0;

	for (size_t i = 0; i < count && whole > 0; i++) {
		size_t end;

		if (!(parts[i] > 0))
			continue;
		sum += parts[i];
		end = (size_t)fmin(round(sum / whole * (double)columns), (double)columns);
		for (; at < end && at < FL_PLOT_TEXT - 1; at++)
			text[at] = letters[i];
	}
	text[at] = '\0';
	return text;
}

bool fl_plot_is_utf8(void)
{
	return setlocale(LC_CTYPE, "") && !strcmp(nl_langinfo(CODESET), "UTF-8");
}
