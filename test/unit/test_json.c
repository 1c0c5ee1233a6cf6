// SPDX-License-Identifier: Apache-2.0
/* JSON by the letter of RFC 8259: what is taken, what is refused and where, what is printed. */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/codec/json.h"

static struct fl_json *parse(const char *text)
{
	struct fl_json *json = NULL;
	struct fl_json_error why;
	/* Of exactly its length: the parser needs no NUL at the end, and reads none. */
	size_t len = strlen(text);
	char *exact = malloc(len ? len : 1);
	int err;

	memcpy(exact, text, len);
	err = fl_json_parse(exact, len, &json, &why);
	free(exact);
	cr_assert_eq(err, 0, "%s: %zu:%zu: %s", text, why.line, why.column, why.problem);
	return json;
}

/* Text after a walk through the parser; the next call overwrites it. */
static const char *again(const char *text, enum fl_json_style style)
{
	static char copy[512];
	struct fl_json *json = parse(text);
	char *printed = fl_json_print(json, style);

	cr_assert_not_null(printed);
	snprintf(copy, sizeof(copy), "%s", printed);
	free(printed);
	fl_json_free(json);
	return copy;
}

static const struct {
	const char *text;
	const char *printed;
	enum fl_json_type type;
} good[] = {
	{ "null", "null", FL_JSON_NULL },
	{ " true\r\n", "true", FL_JSON_BOOL },
	{ "\tfalse", "false", FL_JSON_BOOL },
	{ "0", "0", FL_JSON_INT },
	{ "-7", "-7", FL_JSON_INT },
	{ "9223372036854775807", "9223372036854775807", FL_JSON_INT },
	{ "18446744073709551615", "18446744073709551615", FL_JSON_INT },
	{ "-9223372036854775808", "-9223372036854775808", FL_JSON_INT },
	{ "18446744073709551616", "18446744073709551616.0", FL_JSON_DOUBLE },
	{ "-9223372036854775809", "-9223372036854775809.0", FL_JSON_DOUBLE },
	{ "1.5", "1.5", FL_JSON_DOUBLE },
	{ "1e3", "1e3", FL_JSON_DOUBLE },
	{ "1.0", "1.0", FL_JSON_DOUBLE },
	{ "-0.5E-2", "-0.5E-2", FL_JSON_DOUBLE },
	{ "\"\"", "\"\"", FL_JSON_STRING },
	{ "\"a/b\\/c\\\"\\\\\"", "\"a/b/c\\\"\\\\\"", FL_JSON_STRING },
	{ "\"\\b\\f\\n\\r\\t\"", "\"\\b\\f\\n\\r\\t\"", FL_JSON_STRING },
	{ "\"\\u0001\\u00e9\\ud83d\\ude00\"", "\"\\u0001\303\251\360\237\230\200\"",
	  FL_JSON_STRING },
	{ "[]", "[]", FL_JSON_ARRAY },
	{ "[1 ,[2,{}] ]", "[1,[2,{}]]", FL_JSON_ARRAY },
	{ "{\"b\":1,\"a\":null}", "{\"b\":1,\"a\":null}", FL_JSON_OBJECT },
	{ "{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":1}]}",
	  "{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":1}]}", FL_JSON_OBJECT },
	{ "[1,99999999999999999999,2,-99999999999999999999]",
	  "[1,99999999999999999999.0,2,-99999999999999999999.0]", FL_JSON_ARRAY },
};

Test(json, good)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct fl_json *json = parse(good[i].text);

		cr_expect_eq(fl_json_type(json), good[i].type, "%s", good[i].text);
		fl_json_free(json);
		cr_expect_str_eq(again(good[i].text, FL_JSON_COMPACT), good[i].printed);
	}
}

static const struct {
	const char *text;
	size_t line, column;
} bad[] = {
	{ "", 1, 1 },
	{ "  \n ", 2, 2 },
	{ "nul", 1, 1 },
	{ "True", 1, 1 },
	{ "NaN", 1, 1 },
	{ "Infinity", 1, 1 },
	{ "'a'", 1, 1 },
	{ "01", 1, 1 },
	{ "+1", 1, 1 },
	{ "-", 1, 1 },
	{ "1.", 1, 1 },
	{ ".5", 1, 1 },
	{ "1e", 1, 1 },
	{ "1e+", 1, 1 },
	{ "0x10", 1, 2 },
	{ "1 2", 1, 3 },
	{ "[1,]", 1, 4 },
	{ "[,1]", 1, 2 },
	{ "[1 2]", 1, 4 },
	{ "[1", 1, 3 },
	{ "[1}", 1, 3 },
	{ "{\"a\":1,}", 1, 8 },
	{ "{a:1}", 1, 2 },
	{ "{\"a\" 1}", 1, 6 },
	{ "{\"a\":}", 1, 6 },
	{ "{\"a\":1", 1, 7 },
	{ "{\"a\"", 1, 5 },
	{ "{1:1}", 1, 2 },
	{ "{}{}", 1, 3 },
	{ "{}\n\n//", 3, 1 },
	{ "/**/{}", 1, 1 },
	{ "\"abc", 1, 1 },
	{ "\"a\nb\"", 1, 3 },
	{ "\"a\tb\"", 1, 3 },
	{ "\"\\x\"", 1, 3 },
	{ "\"\\", 1, 3 },
	{ "\"\\u12\"", 1, 3 },
	{ "\"\\u12g4\"", 1, 3 },
	{ "\"\\u0000\"", 1, 3 },
	{ "\"\\ud83d\"", 1, 8 },
	{ "\"\\ud83dx\"", 1, 8 },
	{ "\"\\ude00\"", 1, 8 },
	{ "\"\\ud83d\\ud83d\"", 1, 8 },
	{ "\"\xff\"", 1, 1 },
	{ "\"\xc0\x80\"", 1, 1 },
	{ "\"\xed\xa0\x80\"", 1, 1 },
	{ "\"\xf4\x90\x80\x80\"", 1, 1 },
	{ "{\"a\":1,\"a\":1}", 1, 8 },
	{ "{\"a\":1,\n \"b\":2,\n \"a\":1}", 3, 2 },
	{ "{\"a\":1,\"\\u0061\":1}", 1, 8 },
	{ "{\"/\":1,\"\\/\":1}", 1, 8 },
	{ "{\"\\n\":1,\"\\u000A\":1}", 1, 9 },
	{ "{\"\303\251\":1,\"\\u00e9\":1}", 1, 9 },
	{ "{\"\360\237\230\200\":1,\"\\ud83d\\uDE00\":1}", 1, 11 },
	{ "{\"x\":{\"a\":1,\"a\":1}}", 1, 13 },
};

Test(json, bad)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fl_json *json = NULL;
		struct fl_json_error why = { 0 };
		int err = fl_json_parse(bad[i].text, strlen(bad[i].text), &json, &why);

		cr_expect_eq(err, -EBADMSG, "%s", bad[i].text);
		cr_expect_null(json);
		cr_expect(why.line == bad[i].line && why.column == bad[i].column, "%s: %zu:%zu: %s",
			  bad[i].text, why.line, why.column, why.problem);
		cr_expect(why.problem[0]);
	}
}

Test(json, nul_in_the_text)
{
	struct fl_json *json = NULL;
	struct fl_json_error why;

	cr_expect_eq(fl_json_parse("1\0", 2, &json, &why), -EBADMSG);
	cr_expect_eq(fl_json_parse("\"a\0b\"", 5, &json, &why), -EBADMSG);
	cr_expect_eq(fl_json_parse("\0", 1, &json, &why), -EBADMSG);
}

Test(json, a_long_key_is_cut_between_characters)
{
	char text[512] = "{\"", key[160] = "";
	struct fl_json *json = NULL;
	struct fl_json_error why;

	for (int i = 0; i < 40; i++)
		strcat(key, "\342\202\254"); /* three bytes each */
	sprintf(text, "{\"%s\":1,\"%s\":2}", key, key);
	cr_assert_eq(fl_json_parse(text, strlen(text), &json, &why), -EBADMSG);
	for (char *p = why.problem; *p; p++)
		if (!strncmp(p, "\342\202\254", 3))
			p += 2;
		else
			cr_assert((unsigned char)*p < 0x80, "%s", why.problem);
	cr_assert_not_null(strstr(why.problem, "stands twice"), "%s", why.problem);
}

Test(json, depth)
{
	char text[2 * FL_JSON_MAX_DEPTH + 3];

	for (int depth = FL_JSON_MAX_DEPTH; depth <= FL_JSON_MAX_DEPTH + 1; depth++) {
		struct fl_json *json = NULL;
		struct fl_json_error why;
		int err;

		memset(text, '[', (size_t)depth);
		memset(text + depth, ']', (size_t)depth);
		err = fl_json_parse(text, 2 * (size_t)depth, &json, &why);
		cr_expect_eq(err, depth > FL_JSON_MAX_DEPTH ? -EBADMSG : 0, "%d", depth);
		fl_json_free(json);
	}
}

Test(json, a_million_levels_do_no_harm)
{
	size_t len = 1000000;
	char *text = malloc(len);
	struct fl_json *json = NULL;
	struct fl_json_error why;

	memset(text, '[', len);
	cr_expect_eq(fl_json_parse(text, len, &json, &why), -EBADMSG);
	free(text);
}

static bool collect(void *ctx, const char *key, struct fl_json *value)
{
	strcat(ctx, key);
	strcat(ctx, value ? "+ " : "- ");
	return strcmp(key, "stop") != 0;
}

Test(json, reading)
{
	struct fl_json *json =
		parse("{\"s\":\"x\",\"n\":null,\"t\":true,\"i\":-5,\"u\":"
		      "18446744073709551615,\"d\":0.5,\"l\":[1,2],\"stop\":1,\"z\":1}");
	char keys[64] = "";
	uint64_t u = 1;
	int64_t i = 1;
	double d = 1;

	cr_expect_eq(fl_json_count(json), 9);
	cr_expect_str_eq(fl_json_get_string(fl_json_member(json, "s")), "x");
	cr_expect_null(fl_json_member(json, "n"));
	cr_expect_null(fl_json_member(json, "none"));
	cr_expect(fl_json_get_bool(fl_json_member(json, "t")));
	cr_expect_eq(fl_json_get_u64(fl_json_member(json, "i"), &u), -EINVAL);
	cr_expect_eq(u, 1);
	cr_expect_eq(fl_json_get_i64(fl_json_member(json, "i"), &i), 0);
	cr_expect_eq(i, -5);
	cr_expect_eq(fl_json_get_i64(fl_json_member(json, "u"), &i), -EINVAL);
	cr_expect_eq(i, -5);
	cr_expect_eq(fl_json_get_u64(fl_json_member(json, "u"), &u), 0);
	cr_expect_eq(u, UINT64_MAX);
	cr_expect_eq(fl_json_get_double(fl_json_member(json, "d"), &d), 0);
	cr_expect_eq(d, 0.5);
	cr_expect_eq(fl_json_get_double(fl_json_member(json, "i"), &d), 0);
	cr_expect_eq(d, -5.0);
	cr_expect_eq(fl_json_count(fl_json_member(json, "l")), 2);
	cr_expect_null(fl_json_at(fl_json_member(json, "l"), 2));
	fl_json_for_each(json, collect, keys);
	cr_expect_str_eq(keys, "s+ n- t+ i+ u+ d+ l+ stop+ ");
	fl_json_free(json);
}

Test(json, of_another_type_or_not_there)
{
	struct fl_json *json = parse("[\"5\"]"), *text = fl_json_at(json, 0);
	uint64_t u = 9;
	double d = 9;

	cr_expect_eq(fl_json_get_u64(text, &u), -EINVAL);
	cr_expect_eq(fl_json_get_double(text, &d), -EINVAL);
	cr_expect_not(fl_json_get_bool(text));
	cr_expect_null(fl_json_get_string(json));
	cr_expect_null(fl_json_member(json, "a"));
	cr_expect_null(fl_json_at(text, 0));
	cr_expect_eq(fl_json_count(text), 0);
	fl_json_for_each(json, collect, NULL);
	cr_expect_eq(fl_json_type(NULL), FL_JSON_NULL);
	cr_expect_null(fl_json_member(NULL, "a"));
	cr_expect_null(fl_json_at(NULL, 0));
	cr_expect_eq(fl_json_count(NULL), 0);
	cr_expect_null(fl_json_get_string(NULL));
	cr_expect_not(fl_json_get_bool(NULL));
	cr_expect_eq(fl_json_get_u64(NULL, &u), -EINVAL);
	fl_json_for_each(NULL, collect, NULL);
	fl_json_free(NULL);
	fl_json_free(json);
}

Test(json, building)
{
	struct fl_json *json = fl_json_new_object(), *list;
	char *text;

	fl_json_add_string(json, "s", "a\"b");
	fl_json_add_string(json, "n", NULL);
	fl_json_add_bool(json, "b", true);
	fl_json_add_u64(json, "u", UINT64_MAX);
	list = fl_json_add_array(json, "l");
	fl_json_add_i64(list, NULL, INT64_MIN);
	fl_json_add_double(list, NULL, 0.1);
	fl_json_add_double(list, NULL, 3);
	fl_json_add_double(list, NULL, 1.0 / 3);
	fl_json_add_double(list, NULL, 1e300);
	fl_json_add_double(list, NULL, NAN);
	fl_json_add_double(list, NULL, INFINITY);
	fl_json_add_u64(fl_json_add_object(list, NULL), "x", 1);
	/* Nowhere to put it. */
	fl_json_add_u64(NULL, "x", 1);
	fl_json_add_u64(fl_json_add_array(NULL, "x"), NULL, 1);
	text = fl_json_print(json, FL_JSON_COMPACT);
	cr_expect_str_eq(text, "{\"s\":\"a\\\"b\",\"n\":null,\"b\":true,\"u\":18446744073709551615,"
			       "\"l\":[-9223372036854775808,0.1,3.0,0.3333333333333333,1e+300,"
			       "null,null,{\"x\":1}]}");
	free(text);
	fl_json_free(json);
}

Test(json, pretty)
{
	cr_expect_str_eq(again("{\"a\":[1,{\"b\":\"c\"}]}", FL_JSON_PRETTY),
			 "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"c\"\n    }\n  ]\n}\n");
}
