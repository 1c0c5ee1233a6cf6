/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for people: columns as wide as what is in them, numbers to the right. */
#ifndef FL_AGENT_CLI_TABLE_H
#define FL_AGENT_CLI_TABLE_H

#include "agent/codec/json.h"

#define FL_TABLE_CELL 128 /* bytes of a cell, NUL included; longer text is cut */

struct fl_table;

/* Titles end with NULL; a title that starts with '>' has its column to the right. */
struct fl_table *fl_table_new(const char *const titles[]);
void fl_table_free(struct fl_table *table);

/* The next cell, row by row; a row is full when every column has one. */
void fl_table_text(struct fl_table *table, const char *text); /* NULL and "": "-" */
void fl_table_printf(struct fl_table *table, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* A member of an object: text as it is, numbers, yes or no, lists with commas. */
void fl_table_member(struct fl_table *table, const struct fl_json *object, const char *key);

void fl_table_print(const struct fl_table *table);

/* "3d 04:05:06", "04:05:06" */
const char *fl_duration_text(uint64_t seconds, char text[32]);

#endif
