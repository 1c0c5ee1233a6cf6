/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables for people: columns as wide as what is in them, numbers to the right, no control
 * characters whatever names contain. On a terminal that is too narrow, columns that may go are left
 * out (and named below), then the last column is wrapped.
 */
#ifndef FL_AGENT_CLI_TABLE_H
#define FL_AGENT_CLI_TABLE_H

#include <stdio.h>

#include "agent/codec/json.h"

struct fl_table;

/*
 * Titles end with NULL and are borrowed for the life of the table. A title that starts with '>' has
 * its column to the right, one that starts with '?' may be left out; "?>" is both.
 */
struct fl_table *fl_table_new(const char *const titles[]);
void fl_table_free(struct fl_table *table);

/* The next cell, row by row; a row is full when every column has one. */
void fl_table_text(struct fl_table *table, const char *text); /* NULL and "": "-" */
void fl_table_printf(struct fl_table *table, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* A member of an object: text as it is, numbers, yes or no, lists with commas. */
void fl_table_member(struct fl_table *table, const struct fl_json *object, const char *key);

/* To @out; @width: columns that there are, 0 = as many as it takes. */
void fl_table_write(const struct fl_table *table, FILE *out, size_t width);

/* To stdout, by the width of the terminal if it is one. */
void fl_table_print(const struct fl_table *table);

/* Put '?' in place of control characters, which could steer a terminal. Return: @text. */
char *fl_text_clean(char *text);

/* "3d 04:05:06", "04:05:06" */
const char *fl_duration_text(uint64_t seconds, char text[32]);

/* "0 B", "999 B", "1.2 KiB", "71.3 MiB" */
const char *fl_bytes_text(uint64_t bytes, char text[32]);

#endif
