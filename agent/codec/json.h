/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON, behind which json-c hides: a strict parser with limits, and a builder that never fails half
 * way. A value is a struct fl_json; only roots are freed, members are borrowed from them.
 */
#ifndef FL_AGENT_CODEC_JSON_H
#define FL_AGENT_CODEC_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FL_JSON_MAX_DEPTH 32

struct fl_json;

/* Why a text is no JSON; lines and columns count from 1. */
struct fl_json_error {
	char problem[96];
	size_t line;
	size_t column;
};

/**
 * fl_json_parse() - one value and nothing behind it
 * @len: bytes of @text, which need not end with a NUL
 *
 * Strict (RFC 8259): no comments, no trailing commas, UTF-8 only; a key that stands twice in one
 * object is an error. Return: 0; -EBADMSG with @why filled; -ENOMEM.
 */
int fl_json_parse(const char *text, size_t len, struct fl_json **ret_json,
		  struct fl_json_error *why);

/* Roots only; takes NULL. */
void fl_json_free(struct fl_json *json);

enum fl_json_style {
	FL_JSON_COMPACT,
	FL_JSON_PRETTY, /* two spaces a level, a newline at the end */
};

/* Return: text for the caller to free, NULL without memory. */
char *fl_json_print(const struct fl_json *json, enum fl_json_style style);

/* --- reading: NULL stands for "not there" in all of these ------------------------------------- */

enum fl_json_type {
	FL_JSON_NULL, /* null, or not there */
	FL_JSON_BOOL,
	FL_JSON_INT, /* a number without fraction and exponent that fits 64 bits */
	FL_JSON_DOUBLE,
	FL_JSON_STRING,
	FL_JSON_ARRAY,
	FL_JSON_OBJECT,
};

enum fl_json_type fl_json_type(const struct fl_json *json);

/* Member of an object; NULL if there is none or @json is no object. */
struct fl_json *fl_json_member(const struct fl_json *json, const char *key);

/* Elements of an array, members of an object, 0 for others. */
size_t fl_json_count(const struct fl_json *json);
struct fl_json *fl_json_at(const struct fl_json *json, size_t index);

/* Members of an object in their order: pass NULL to start; return false ends the walk. */
typedef bool (*fl_json_member_fn)(void *ctx, const char *key, struct fl_json *value);
void fl_json_for_each(const struct fl_json *json, fl_json_member_fn fn, void *ctx);

/* NULL if it is no string. Strings never contain a NUL byte: the parser refuses those. */
const char *fl_json_get_string(const struct fl_json *json);
/* False if it is no boolean. */
bool fl_json_get_bool(const struct fl_json *json);
/* Return: 0; -EINVAL if it is no such number, *ret is untouched then. */
int fl_json_get_u64(const struct fl_json *json, uint64_t *ret);
int fl_json_get_i64(const struct fl_json *json, int64_t *ret);
int fl_json_get_double(const struct fl_json *json, double *ret);

/* --- building --------------------------------------------------------------------------------- */

struct fl_json *fl_json_new_object(void);

/*
 * Add to an object under @key, or to the end of an array (@key is ignored then). What there is no
 * memory for is left out, as is everything that is added to a NULL parent.
 */
struct fl_json *fl_json_add_object(struct fl_json *parent, const char *key);
struct fl_json *fl_json_add_array(struct fl_json *parent, const char *key);
void fl_json_add_string(struct fl_json *parent, const char *key,
			const char *value); /* NULL: null */
void fl_json_add_bool(struct fl_json *parent, const char *key, bool value);
void fl_json_add_u64(struct fl_json *parent, const char *key, uint64_t value);
void fl_json_add_i64(struct fl_json *parent, const char *key, int64_t value);
void fl_json_add_double(struct fl_json *parent, const char *key, double value);

#endif
