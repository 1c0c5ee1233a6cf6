// SPDX-License-Identifier: Apache-2.0
/*
 * The JSON schema of the file (2020-12), from the table that loads it: so the two cannot differ.
 * What a schema cannot say, references above all, only the loader finds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config/config_internal.h"

static void add_object(struct fl_json *to, const struct fl_cfg_object *object);

static void add_words(struct fl_json *to, const struct fl_cfg_field *f)
{
	struct fl_json *list = fl_json_add_array(to, "enum");

	for (const struct fl_cfg_word *w = f->words; w->word; w++)
		fl_json_add_string(list, NULL, w->word);
}

static void add_number(struct fl_json *to, const struct fl_cfg_field *f)
{
	fl_json_add_string(to, "type", "integer");
	fl_json_add_i64(to, "minimum", f->min);
	fl_json_add_i64(to, "maximum", f->max);
}

static void add_text(struct fl_json *to, const char *pattern, int64_t max)
{
	fl_json_add_string(to, "type", "string");
	fl_json_add_i64(to, "minLength", 1);
	if (max)
		fl_json_add_i64(to, "maxLength", max);
	if (pattern)
		fl_json_add_string(to, "pattern", pattern);
}

/* A number or one of two words. */
static void add_number_or(struct fl_json *to, const struct fl_cfg_field *f, const char *a,
			  const char *b)
{
	struct fl_json *ways = fl_json_add_array(to, "anyOf"), *words;

	words = fl_json_add_array(fl_json_add_object(ways, NULL), "enum");
	fl_json_add_string(words, NULL, a);
	fl_json_add_string(words, NULL, b);
	add_number(fl_json_add_object(ways, NULL), f);
}

static void add_format_pair(struct fl_json *to, const char *v4, const char *v6)
{
	struct fl_json *ways = fl_json_add_array(to, "anyOf");

	add_text(fl_json_add_object(ways, NULL), v4, 0);
	add_text(fl_json_add_object(ways, NULL), v6, 0);
}

#define OCTET "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
#define IPV4  OCTET "\\." OCTET "\\." OCTET "\\." OCTET
/* Coarse on purpose: which groups may be left out is for the loader to say. */
#define IPV6 "[0-9a-fA-F:]*:[0-9a-fA-F:]*(:" IPV4 ")?"

static void add_digits(struct fl_json *to, const struct fl_cfg_field *f)
{
	char pattern[128] = "^(";
	size_t len = strlen(pattern);

	for (const unsigned int *n = f->digits; *n; n++)
		len += (size_t)snprintf(pattern + len, sizeof(pattern) - len, "[0-9a-fA-F]{%u}%s",
					*n, n[1] ? "|" : ")$");
	add_text(to, pattern, 0);
}

static void add_value(struct fl_json *to, const struct fl_cfg_field *f)
{
	switch (f->kind) {
	case FL_CFG_BOOL:
		fl_json_add_string(to, "type", "boolean");
		break;
	case FL_CFG_U8:
	case FL_CFG_U16:
	case FL_CFG_U32:
		add_number(to, f);
		break;
	case FL_CFG_DECIMAL:
		fl_json_add_string(to, "type", "number");
		fl_json_add_double(to, "minimum", (double)f->min / (double)f->scale);
		fl_json_add_double(to, "maximum", (double)f->max / (double)f->scale);
		break;
	case FL_CFG_ENUM:
		add_words(to, f);
		break;
	case FL_CFG_NAME:
		/* Characters here, bytes in the loader, which are at least as many. */
		add_text(to, "^[^\\u0000-\\u001f\\u007f]*$", (int64_t)fl_cfg_name_max(f));
		break;
	case FL_CFG_ADDR:
		add_format_pair(to, "^" IPV4 "$", "^" IPV6 "$");
		break;
	case FL_CFG_PREFIX:
		add_format_pair(to, "^" IPV4 "(/(3[0-2]|[12]?[0-9]))?$",
				"^" IPV6 "(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?$");
		break;
	case FL_CFG_HEX:
		add_digits(to, f);
		break;
	case FL_CFG_TIME:
		add_text(to,
			 "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
			 "(Z|[+-][0-9]{2}:[0-9]{2})$",
			 0);
		break;
	case FL_CFG_MSS:
		add_number_or(to, f, "automatic", "disabled");
		break;
	case FL_CFG_PRIORITY:
		add_number_or(to, f, "ordered", "never");
		break;
	case FL_CFG_SOURCE:
		add_text(to, "^[^@]*(@[0-9a-fA-F.:]+(/[0-9]{1,3})?)?$", 0);
		break;
	case FL_CFG_OBJECT:
	case FL_CFG_OPTIONAL:
	case FL_CFG_LIST:
		break;
	}
}

static void add_field(struct fl_json *to, const struct fl_cfg_field *f)
{
	struct fl_json *items;

	if (f->help)
		fl_json_add_string(to, "description", f->help);
	if (f->kind == FL_CFG_OBJECT || f->kind == FL_CFG_OPTIONAL) {
		add_object(to, f->object);
	} else if (f->kind == FL_CFG_LIST) {
		fl_json_add_string(to, "type", "array");
		fl_json_add_i64(to, "maxItems", f->max);
		items = fl_json_add_object(to, "items");
		if (f->object)
			add_object(items, f->object);
		else
			add_value(items, f->element);
	} else {
		add_value(to, f);
	}
}

/* A default goes under "default" in the member's own schema. */
static void add_default(struct fl_json *to, const struct fl_cfg_field *f)
{
	struct fl_cfg_field renamed = *f;

	renamed.key = "default";
	if (!(f->flags & FL_CFG_REQUIRED))
		fl_cfg_add_default(to, &renamed);
}

static void add_object(struct fl_json *to, const struct fl_cfg_object *object)
{
	struct fl_json *properties, *required = NULL;

	fl_json_add_string(to, "type", "object");
	fl_json_add_bool(to, "additionalProperties", false);
	for (const struct fl_cfg_field *f = object->fields; f->key; f++) {
		if (!(f->flags & FL_CFG_REQUIRED))
			continue;
		if (!required)
			required = fl_json_add_array(to, "required");
		fl_json_add_string(required, NULL, f->key);
	}
	properties = fl_json_add_object(to, "properties");
	for (const struct fl_cfg_field *f = object->fields; f->key; f++) {
		struct fl_json *member = fl_json_add_object(properties, f->key);

		add_field(member, f);
		add_default(member, f);
	}
}

char *fl_config_schema(void)
{
	struct fl_json *schema = fl_json_new_object();
	char *text;

	fl_json_add_string(schema, "$schema", "https://json-schema.org/draft/2020-12/schema");
	fl_json_add_string(schema, "title", "Fairlead configuration");
	add_object(schema, &fl_cfg_root);
	text = fl_json_print(schema, FL_JSON_PRETTY);
	fl_json_free(schema);
	return text;
}
