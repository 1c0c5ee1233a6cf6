// SPDX-License-Identifier: Apache-2.0
/* Tables of the CLI: alignment, width of the terminal, hostile text, units. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/table.h"

static const char *const titles[] = { "Name", "?Mode", ">Count", "Meaning", NULL };

static struct fl_table *sample(void)
{
	struct fl_table *table = fl_table_new(titles);

	fl_table_text(table, "a");
	fl_table_text(table, "xdp");
	fl_table_printf(table, "%d", 7);
	fl_table_text(table, "one two three four five six");
	fl_table_text(table, "longer");
	fl_table_text(table, "");
	fl_table_printf(table, "%d", 1234567);
	fl_table_text(table, NULL);
	return table;
}

/* What is printed, in a buffer that the next call overwrites. */
static const char *written(struct fl_table *table, size_t width)
{
	static char text[4096];
	FILE *f = fmemopen(text, sizeof(text), "w");

	fl_table_write(table, f, width);
	fclose(f);
	fl_table_free(table);
	return text;
}

Test(table, as_wide_as_its_contents)
{
	cr_assert_str_eq(written(sample(), 0),
			 "Name    Mode    Count  Meaning\n"
			 "a       xdp         7  one two three four five six\n"
			 "longer  -     1234567  -\n");
	cr_assert_str_eq(written(sample(), 200), written(sample(), 0));
}

Test(table, columns_that_may_go_go_first)
{
	cr_assert_str_eq(written(sample(), 44), "Name      Count  Meaning\n"
						"a             7  one two three four five six\n"
						"longer  1234567  -\n"
						"(no room for: Mode)\n");
}

Test(table, then_the_last_column_is_wrapped)
{
	cr_assert_str_eq(written(sample(), 40), "Name      Count  Meaning\n"
						"a             7  one two three four five\n"
						"                 six\n"
						"longer  1234567  -\n"
						"(no room for: Mode)\n");
}

/* A word longer than the column is cut; less than a readable column is left to the terminal. */
Test(table, narrow)
{
	static const char *const two[] = { "A", "B", NULL };
	struct fl_table *table = fl_table_new(two);

	fl_table_text(table, "x");
	fl_table_text(table, "0123456789012345678901234567890123456789");
	cr_assert_str_eq(written(table, 28), "A  B\n"
					     "x  0123456789012345678901234\n"
					     "   567890123456789\n");
	table = fl_table_new(two);
	fl_table_text(table, "x");
	fl_table_text(table, "0123456789012345678901234567890123456789");
	cr_assert_str_eq(written(table, 10), "A  B\n"
					     "x  0123456789012345678901234567890123456789\n");
}

Test(table, only_titles)
{
	cr_assert_str_eq(written(fl_table_new(titles), 80), "Name  Mode  Count  Meaning\n");
}

/* A row that is not full is not shown; so nothing is read behind the cells. */
Test(table, half_a_row)
{
	struct fl_table *table = fl_table_new(titles);

	fl_table_text(table, "a");
	fl_table_text(table, "b");
	cr_assert_str_eq(written(table, 0), "Name  Mode  Count  Meaning\n");
}

Test(table, no_memory_is_no_crash)
{
	fl_table_text(NULL, "x");
	fl_table_printf(NULL, "x");
	fl_table_member(NULL, NULL, "x");
	fl_table_write(NULL, stdout, 0);
	fl_table_free(NULL);
}

Test(table, members)
{
	static const char *const names[] = { "s", "i", "n", "b", "l", "o", "no", NULL };
	static const char json[] = "{\"s\":\"text\",\"i\":18446744073709551615,\"n\":-3,"
				   "\"b\":true,\"l\":[\"a\",2,false],\"o\":{}}";
	struct fl_table *table = fl_table_new(names);
	struct fl_json *object = NULL;
	struct fl_json_error why;

	cr_assert_eq(fl_json_parse(json, strlen(json), &object, &why), 0);
	for (const char *const *name = names; *name; name++)
		fl_table_member(table, object, *name);
	fl_json_free(object);
	cr_assert_str_eq(written(table, 0),
			 "s     i                     n   b    l         o  no\n"
			 "text  18446744073709551615  -3  yes  a, 2, no  -  -\n");
}

/* Lists of any length end in bounds. */
Test(table, long_list)
{
	static const char *const one[] = { "l", NULL };
	struct fl_json *object = fl_json_new_object(), *list = fl_json_add_array(object, "l");
	struct fl_table *table = fl_table_new(one);
	char *text = NULL;
	size_t len = 0;
	FILE *f;

	for (int i = 0; i < 10000; i++)
		fl_json_add_string(list, NULL, "2001:db8:1234:5678::/64");
	fl_table_member(table, object, "l");
	f = open_memstream(&text, &len);
	fl_table_write(table, f, 0);
	fclose(f);
	cr_assert_gt(len, 4000);
	cr_assert_lt(len, 20000);
	free(text);
	fl_table_free(table);
	fl_json_free(object);
}

Test(table, nothing_steers_the_terminal)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "plain", "plain" },
		{ "\x1b[2J", "?[2J" },
		{ "a\nb\tc\x7f", "a?b?c?" },
		{ "\xc2\x9b"
		  "31m",
		  "??31m" }, /* CSI as one character */
		{ "\xc3\xa4\xc2\xa0", "\xc3\xa4\xc2\xa0" },
		{ "\xc2", "\xc2" },
		{ "", "" },
	};
	char text[32];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "%s", rows[i].in);
		cr_expect_str_eq(fl_text_clean(text), rows[i].out);
	}
}

Test(table, letters_of_two_bytes_take_one_column)
{
	static const char *const two[] = { "A", "B", NULL };
	struct fl_table *table = fl_table_new(two);

	fl_table_text(table, "\xc3\xa4\xc3\xb6");
	fl_table_text(table, "x");
	fl_table_text(table, "abc");
	fl_table_text(table, "y");
	cr_assert_str_eq(written(table, 0), "A    B\n"
					    "\xc3\xa4\xc3\xb6   x\n"
					    "abc  y\n");
}

Test(units, duration)
{
	char text[32];

	cr_expect_str_eq(fl_duration_text(0, text), "00:00:00");
	cr_expect_str_eq(fl_duration_text(86399, text), "23:59:59");
	cr_expect_str_eq(fl_duration_text(86400 * 3 + 3661, text), "3d 01:01:01");
	cr_expect_str_eq(fl_duration_text(UINT64_MAX, text), "213503982334601d 07:00:15");
}

Test(units, bytes)
{
	char text[32];

	cr_expect_str_eq(fl_bytes_text(0, text), "0 B");
	cr_expect_str_eq(fl_bytes_text(1023, text), "1023 B");
	cr_expect_str_eq(fl_bytes_text(1024, text), "1.0 KiB");
	cr_expect_str_eq(fl_bytes_text(1048575, text), "1.0 MiB");
	cr_expect_str_eq(fl_bytes_text(74805248, text), "71.3 MiB");
	cr_expect_str_eq(fl_bytes_text(UINT64_MAX, text), "16.0 EiB");
}
