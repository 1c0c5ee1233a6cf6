// SPDX-License-Identifier: Apache-2.0
/* Tables: see table.h. */
#include "agent/cli/table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_COLUMNS 24

struct fl_table {
	const char *const *titles;
	size_t columns;
	char (*cells)[FL_TABLE_CELL];
	size_t count;
	size_t room;
};

struct fl_table *fl_table_new(const char *const titles[])
{
	struct fl_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->titles = titles;
	while (titles[table->columns] && table->columns < MAX_COLUMNS)
		table->columns++;
	return table;
}

void fl_table_free(struct fl_table *table)
{
	if (table)
		free(table->cells);
	free(table);
}

void fl_table_text(struct fl_table *table, const char *text)
{
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
	snprintf(table->cells[table->count++], FL_TABLE_CELL, "%s", text && *text ? text : "-");
}

void fl_table_printf(struct fl_table *table, const char *fmt, ...)
{
	char text[FL_TABLE_CELL];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fl_table_text(table, text);
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
		for (size_t i = 0; i < fl_json_count(value) && len < size; i++) {
			if (i)
				len += (size_t)snprintf(text + len, size - len, ", ");
			if (len < size)
				value_text(fl_json_at(value, i), text + len, size - len);
			len = strlen(text);
		}
		break;
	case FL_JSON_NULL:
	case FL_JSON_OBJECT:
		break;
	}
}

void fl_table_member(struct fl_table *table, const struct fl_json *object, const char *key)
{
	char text[FL_TABLE_CELL];

	value_text(fl_json_member(object, key), text, sizeof(text));
	fl_table_text(table, text);
}

/* Columns of text in UTF-8: as many as there are first bytes. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

static void print_cell(const char *text, size_t width, bool right, bool last)
{
	int pad = (int)(width - width_of(text));

	if (right)
		printf("%*s%s", pad, "", text);
	else
		printf("%s%*s", text, last ? 0 : pad, "");
	fputs(last ? "\n" : "  ", stdout);
}

void fl_table_print(const struct fl_table *table)
{
	size_t widths[MAX_COLUMNS] = { 0 };

	if (!table)
		return;
	for (size_t c = 0; c < table->columns; c++)
		widths[c] = width_of(table->titles[c] + (table->titles[c][0] == '>'));
	for (size_t i = 0; i < table->count; i++)
		if (width_of(table->cells[i]) > widths[i % table->columns])
			widths[i % table->columns] = width_of(table->cells[i]);
	for (size_t c = 0; c < table->columns; c++) {
		bool right = table->titles[c][0] == '>';

		print_cell(table->titles[c] + right, widths[c], right, c + 1 == table->columns);
	}
	for (size_t i = 0; i < table->count; i++) {
		size_t c = i % table->columns;

		print_cell(table->cells[i], widths[c], table->titles[c][0] == '>',
			   c + 1 == table->columns);
	}
}

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
