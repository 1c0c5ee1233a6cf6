// SPDX-License-Identifier: Apache-2.0
/*
 * JSON: see json.h. json-c builds and holds the values; a small scanner of our own goes over the
 * text first, because json-c takes the last of two equal keys without a word, keeps no positions,
 * and lets more pass than RFC 8259 does.
 */
#include "agent/codec/json.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/codec/json_scan.h"

/* struct fl_json is never defined: it is json-c's object under another name. */
static struct json_object *obj(const struct fl_json *json)
{
	return (struct json_object *)(uintptr_t)json;
}

static struct fl_json *wrap(struct json_object *o)
{
	return (struct fl_json *)o;
}

/*
 * json-c squeezes a whole number that does not fit into 64 bits until it does. With ".0" behind it,
 * it is a double: the tokener takes text in pieces, so nothing has to be copied.
 */
static struct json_object *tokenize(struct json_tokener *tok, const char *text, size_t len,
				    const struct fl_json_wide *wide)
{
	struct json_object *o = NULL;
	size_t at = 0;

	for (size_t i = 0; i < wide->count; i++) {
		o = json_tokener_parse_ex(tok, text + at, (int)(wide->ends[i] - at));
		if (json_tokener_get_error(tok) != json_tokener_continue)
			return o;
		o = json_tokener_parse_ex(tok, ".0", 2);
		if (json_tokener_get_error(tok) != json_tokener_continue)
			return o;
		at = wide->ends[i];
	}
	if (at < len)
		o = json_tokener_parse_ex(tok, text + at, (int)(len - at));
	/* A number at the very end could go on: an end of text says that it does not. */
	if (json_tokener_get_error(tok) == json_tokener_continue)
		o = json_tokener_parse_ex(tok, "", -1);
	return o;
}

static int build(const char *text, size_t len, const struct fl_json_wide *wide,
		 struct fl_json **ret_json, struct fl_json_error *why)
{
	struct json_tokener *tok = json_tokener_new_ex(FL_JSON_MAX_DEPTH + 1);
	enum json_tokener_error problem;
	struct json_object *o;

	if (!tok)
		return -ENOMEM;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	o = tokenize(tok, text, len, wide);
	problem = json_tokener_get_error(tok);
	json_tokener_free(tok);
	if (problem != json_tokener_success) {
		json_object_put(o);
		*why = (struct fl_json_error){ 0 };
		snprintf(why->problem, sizeof(why->problem), "%s",
			 json_tokener_error_desc(problem));
		return -EBADMSG;
	}
	*ret_json = wrap(o);
	return 0;
}

int fl_json_parse(const char *text, size_t len, struct fl_json **ret_json,
		  struct fl_json_error *why)
{
	struct fl_json_wide wide = { 0 };
	int err;

	if (len > INT_MAX) {
		*why = (struct fl_json_error){ .problem = "too long" };
		return -EBADMSG;
	}
	err = fl_json_scan(text, len, &wide, why);
	if (!err)
		err = build(text, len, &wide, ret_json, why);
	free(wide.ends);
	return err;
}

/* Strings may be secrets: none stays behind in freed memory. */
static void wipe(struct json_object *o)
{
	struct json_object_iterator it, end;

	if (json_object_is_type(o, json_type_string)) {
		explicit_bzero((char *)(uintptr_t)json_object_get_string(o),
			       (size_t)json_object_get_string_len(o));
	} else if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			wipe(json_object_array_get_idx(o, i));
	} else if (json_object_is_type(o, json_type_object)) {
		it = json_object_iter_begin(o);
		end = json_object_iter_end(o);
		for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it))
			wipe(json_object_iter_peek_value(&it));
	}
}

void fl_json_free(struct fl_json *json)
{
	if (json)
		wipe(obj(json));
	json_object_put(obj(json));
}

char *fl_json_print(const struct fl_json *json, enum fl_json_style style)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;
	const char *text;
	char *copy;
	size_t len;

	if (style == FL_JSON_PRETTY)
		flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;
	text = json_object_to_json_string_ext(obj(json), flags);
	if (!text)
		return NULL;
	len = strlen(text);
	copy = malloc(len + 2);
	if (!copy)
		return NULL;
	memcpy(copy, text, len + 1);
	if (style == FL_JSON_PRETTY)
		memcpy(copy + len, "\n", 2);
	return copy;
}

/* --- reading ---------------------------------------------------------------------------------- */

enum fl_json_type fl_json_type(const struct fl_json *json)
{
	switch (json_object_get_type(obj(json))) {
	case json_type_null:
		return FL_JSON_NULL;
	case json_type_boolean:
		return FL_JSON_BOOL;
	case json_type_int:
		return FL_JSON_INT;
	case json_type_double:
		return FL_JSON_DOUBLE;
	case json_type_string:
		return FL_JSON_STRING;
	case json_type_array:
		return FL_JSON_ARRAY;
	case json_type_object:
		return FL_JSON_OBJECT;
	}
	return FL_JSON_NULL;
}

struct fl_json *fl_json_member(const struct fl_json *json, const char *key)
{
	struct json_object *o = NULL;

	if (json_object_is_type(obj(json), json_type_object))
		json_object_object_get_ex(obj(json), key, &o);
	return wrap(o);
}

size_t fl_json_count(const struct fl_json *json)
{
	if (json_object_is_type(obj(json), json_type_array))
		return json_object_array_length(obj(json));
	if (json_object_is_type(obj(json), json_type_object))
		return (size_t)json_object_object_length(obj(json));
	return 0;
}

struct fl_json *fl_json_at(const struct fl_json *json, size_t index)
{
	if (!json_object_is_type(obj(json), json_type_array))
		return NULL;
	return wrap(json_object_array_get_idx(obj(json), index));
}

void fl_json_for_each(const struct fl_json *json, fl_json_member_fn fn, void *ctx)
{
	if (!json_object_is_type(obj(json), json_type_object))
		return;
	json_object_object_foreach(obj(json), key, value)
	{
		if (!fn(ctx, key, wrap(value)))
			return;
	}
}

const char *fl_json_get_string(const struct fl_json *json)
{
	return json_object_is_type(obj(json), json_type_string) ? json_object_get_string(obj(json))
								: NULL;
}

bool fl_json_get_bool(const struct fl_json *json)
{
	return json_object_is_type(obj(json), json_type_boolean) &&
	       json_object_get_boolean(obj(json));
}

int fl_json_get_u64(const struct fl_json *json, uint64_t *ret)
{
	if (!json_object_is_type(obj(json), json_type_int))
		return -EINVAL;
	/* json-c gives 0 for what is below. */
	if (json_object_get_int64(obj(json)) < 0)
		return -EINVAL;
	*ret = json_object_get_uint64(obj(json));
	return 0;
}

int fl_json_get_i64(const struct fl_json *json, int64_t *ret)
{
	if (!json_object_is_type(obj(json), json_type_int) ||
	    json_object_get_uint64(obj(json)) > INT64_MAX)
		return -EINVAL;
	*ret = json_object_get_int64(obj(json));
	return 0;
}

int fl_json_get_double(const struct fl_json *json, double *ret)
{
	if (!json_object_is_type(obj(json), json_type_int) &&
	    !json_object_is_type(obj(json), json_type_double))
		return -EINVAL;
	*ret = json_object_get_double(obj(json));
	return 0;
}

/* --- building --------------------------------------------------------------------------------- */

struct fl_json *fl_json_new_object(void)
{
	return wrap(json_object_new_object());
}

/* Takes @child over, also when there is no place for it. */
static struct fl_json *add(struct fl_json *parent, const char *key, struct json_object *child)
{
	int err = -1;

	if (json_object_is_type(obj(parent), json_type_array))
		err = json_object_array_add(obj(parent), child);
	else if (key && json_object_is_type(obj(parent), json_type_object))
		err = json_object_object_add(obj(parent), key, child);
	if (err) {
		json_object_put(child);
		return NULL;
	}
	return wrap(child);
}

struct fl_json *fl_json_add_object(struct fl_json *parent, const char *key)
{
	struct json_object *o = json_object_new_object();

	return o ? add(parent, key, o) : NULL;
}

struct fl_json *fl_json_add_array(struct fl_json *parent, const char *key)
{
	struct json_object *o = json_object_new_array();

	return o ? add(parent, key, o) : NULL;
}

void fl_json_add_string(struct fl_json *parent, const char *key, const char *value)
{
	add(parent, key, value ? json_object_new_string(value) : NULL);
}

void fl_json_add_bool(struct fl_json *parent, const char *key, bool value)
{
	add(parent, key, json_object_new_boolean(value));
}

void fl_json_add_u64(struct fl_json *parent, const char *key, uint64_t value)
{
	add(parent, key, json_object_new_uint64(value));
}

void fl_json_add_i64(struct fl_json *parent, const char *key, int64_t value)
{
	add(parent, key, json_object_new_int64(value));
}

/* The shortest text that reads back as the same number: 0.1, not 0.10000000000000001. */
void fl_json_add_double(struct fl_json *parent, const char *key, double value)
{
	char text[40];
	int digits = 15;

	if (!isfinite(value)) {
		add(parent, key, NULL);
		return;
	}
	do
		snprintf(text, sizeof(text) - 2, "%.*g", digits, value);
	while (strtod(text, NULL) != value && ++digits <= 17);
	if (!strpbrk(text, ".e"))
		strcat(text, ".0");
	add(parent, key, json_object_new_double_s(value, text));
}
