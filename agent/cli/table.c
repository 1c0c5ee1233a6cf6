// SPDX-License-Identifier: Apache-2.0
/* Tables: see table.h. */
#include "agent/cli/table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MAX_COLUMNS 24
#define VALUE_TEXT  8192 /* of a member; longer lists are cut */
#define WRAP_MIN                                                                                   \
	20 /* chosen: narrower text is harder to read than a line that the terminal breaks */

struct column {
	const char *title;
	bool right;
	bool optional;
};

struct fl_table {
	struct column columns[MAX_COLUMNS];
	size_t n_columns;
	char **cells;
	size_t count;
	size_t room;
};

/* What is shown, and how wide. */
struct layout {
	size_t widths[MAX_COLUMNS]; /* 0: left out */
	size_t last;                /* column */
	size_t wrap;                /* width of the last one, 0: as it comes */
	bool left_out;
};

struct fl_table *fl_table_new(const char *const titles[])
{
	struct fl_table *table = calloc(1, sizeof(*table));

	for (; table && *titles && table->n_columns < MAX_COLUMNS; titles++) {
		struct column *c = &table->columns[table->n_columns++];

		for (c->title = *titles; *c->title == '>' || *c->title == '?'; c->title++) {
			c->right |= *c->title == '>';
			c->optional |= *c->title == '?';
		}
	}
	return table;
}

void fl_table_free(struct fl_table *table)
{
	for (size_t i = 0; table && i < table->count; i++)
		free(table->cells[i]);
	if (table)
		free(table->cells);
	free(table);
}

char *fl_text_clean(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			p[0] = p[1] = '?'; /* U+0080 to U+009F: control characters, too */
	}
	return text;
}

void fl_table_text(struct fl_table *table, const char *text)
{
	char *cell;

	if (!table)
		return;
	if (table->count == table->room) {
		size_t room = table->room ? table->room * 2 : 64;
		void *grown = realloc(table->cells, room * sizeof(*table->cells));

		if (!grown)
			return;
		table->cells = grown;
		table->room = room;
	}
	cell = strdup(text && *text ? text : "-");
	if (cell)
		table->cells[table->count++] = fl_text_clean(cell);
}

void fl_table_printf(struct fl_table *table, const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	fl_table_text(table, text);
	free(text);
}

static void value_text(const struct fl_json *value, char *text, size_t size)
{
	size_t len = 0;
	uint64_t number;
	int64_t negative;
	double real;

	text[0] = 0;
	switch (fl_json_type(value)) {
	case FL_JSON_STRING:
		snprintf(text, size, "%s", fl_json_get_string(value));
		break;
	case FL_JSON_INT:
		if (!fl_json_get_u64(value, &number))
			snprintf(text, size, "%" PRIu64, number);
		else if (!fl_json_get_i64(value, &negative))
			snprintf(text, size, "%" PRId64, negative);
		break;
	case FL_JSON_DOUBLE:
		if (!fl_json_get_double(value, &real))
			snprintf(text, size, "%.2f", real);
		break;
	case FL_JSON_BOOL:
		snprintf(text, size, "%s", fl_json_get_bool(value) ? "yes" : "no");
		break;
	case FL_JSON_ARRAY:
		for (size_t i = 0; i < fl_json_count(value) && len + 8 < size; i++) {
			if (i)
				len += (size_t)snprintf(text + len, size - len, ", ");
			value_text(fl_json_at(value, i), text + len, size - len);
			len += strlen(text + len);
		}
		break;
	case FL_JSON_NULL:
	case FL_JSON_OBJECT:
		break;
	}
}

void fl_table_member(struct fl_table *table, const struct fl_json *object, const char *key)
{
	char text[VALUE_TEXT];

	value_text(fl_json_member(object, key), text, sizeof(text));
	fl_table_text(table, text);
}

/* --- printing -----------------------------------------------------------------------------------
 */

/* Columns of text in UTF-8: as many as there are first bytes. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

/* Columns of all that is shown, two between neighbours. */
static size_t total_of(const struct fl_table *table, const struct layout *layout)
{
	size_t total = 0;

	for (size_t c = 0; c < table->n_columns; c++)
		if (layout->widths[c])
			total += layout->widths[c] + (total ? 2 : 0);
	return total;
}

static void lay_out(const struct fl_table *table, size_t width, struct layout *layout)
{
	size_t total, last = 0;

	*layout = (struct layout){ 0 };
	for (size_t c = 0; c < table->n_columns; c++)
		layout->widths[c] = width_of(table->columns[c].title);
	for (size_t i = 0; i < table->count; i++) {
		size_t *w = &layout->widths[i % table->n_columns];
		size_t wanted = width_of(table->cells[i]);

		*w = wanted > *w ? wanted : *w;
	}
	for (size_t c = table->n_columns; width && c-- > 0;) {
		if (total_of(table, layout) <= width)
			break;
		if (!table->columns[c].optional)
			continue;
		layout->widths[c] = 0;
		layout->left_out = true;
	}
	for (size_t c = 0; c < table->n_columns; c++)
		last = layout->widths[c] ? c : last;
	layout->last = last;
	total = total_of(table, layout);
	if (width && total > width && !table->columns[last].right &&
	    total - layout->widths[last] + WRAP_MIN <= width)
		layout->wrap = width - (total - layout->widths[last]);
}

/* How much of @text goes into a line of @width: up to a space if there is one. Return: bytes. */
static size_t line_of(const char *text, size_t width)
{
	size_t at = 0, space = 0, used = 0;

	while (text[at]) {
		if (text[at] == ' ')
			space = at; /* may stand just behind the line */
		used += (text[at] & 0xc0) != 0x80;
		if (used > width)
			return space ? space : at;
		at++;
	}
	return at;
}

static void write_last(FILE *out, const char *text, size_t before, size_t wrap)
{
	size_t len;

	while (wrap && text[len = line_of(text, wrap)]) {
		fprintf(out, "%.*s\n%*s", (int)len, text, (int)before, "");
		text += len + (text[len] == ' ');
	}
	fprintf(out, "%s\n", text);
}

static void write_row(const struct fl_table *table, const struct layout *layout, FILE *out,
		      const char *const *cells)
{
	size_t before = 0;

	for (size_t c = 0; c <= layout->last; c++) {
		const char *text = cells ? cells[c] : table->columns[c].title;
		int pad;

		if (!layout->widths[c])
			continue;
		pad = (int)(layout->widths[c] - width_of(text));
		if (table->columns[c].right)
			fprintf(out, "%*s", pad, "");
		if (c == layout->last) {
			write_last(out, text, before, layout->wrap);
			break;
		}
		fprintf(out, "%s%*s", text, (table->columns[c].right ? 0 : pad) + 2, "");
		before += layout->widths[c] + 2;
	}
}

void fl_table_write(const struct fl_table *table, FILE *out, size_t width)
{
	struct layout layout;
	const char *comma = "";

	if (!table || !table->n_columns)
		return;
	lay_out(table, width, &layout);
	write_row(table, &layout, out, NULL);
	for (size_t i = 0; i + table->n_columns <= table->count; i += table->n_columns)
		write_row(table, &layout, out, (const char *const *)&table->cells[i]);
	if (!layout.left_out)
		return;
	fputs("(no room for: ", out);
	for (size_t c = 0; c < table->n_columns; c++) {
		if (layout.widths[c])
			continue;
		fprintf(out, "%s%s", comma, table->columns[c].title);
		comma = ", ";
	}
	fputs(")\n", out);
}

void fl_table_print(const struct fl_table *table)
{
	struct winsize size = { 0 };

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		size.ws_col = 0;
	fl_table_write(table, stdout, size.ws_col);
}

/* --- units ---------------------------------------------------------------------------------------
 */

const char *fl_duration_text(uint64_t seconds, char text[32])
{
	uint64_t days = seconds / 86400;
	unsigned int rest = (unsigned int)(seconds % 86400);
	int len = 0;

	if (days)
		len = snprintf(text, 32, "%" PRIu64 "d ", days);
	snprintf(text + len, (size_t)(32 - len), "%02u:%02u:%02u", rest / 3600, rest / 60 % 60,
		 rest % 60);
	return text;
}

const char *fl_bytes_text(uint64_t bytes, char text[32])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(text, 32, "%" PRIu64 " B", bytes);
		return text;
	}
	/* 1023.95 would print as "1024.0". */
	for (; value >= 1023.95 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		value /= 1024;
	snprintf(text, 32, "%.1f %s", value, units[unit]);
	return text;
}
