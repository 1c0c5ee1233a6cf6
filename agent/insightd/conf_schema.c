// SPDX-License-Identifier: Apache-2.0
/* The JSON schema of the file, from the table that loads it. */
#include <string.h>

#include "agent/insightd/conf_table.h"

static struct fl_json *add_object(struct fl_json *to, const char *key)
{
	struct fl_json *o = key ? fl_json_add_object(to, key) : to;

	fl_json_add_string(o, "type", "object");
	fl_json_add_bool(o, "additionalProperties", false);
	return fl_json_add_object(o, "properties");
}

static void add_key(struct fl_json *properties, const struct fl_conf_key *k)
{
	struct fl_json *o = fl_json_add_object(properties, k->key), *words;

	fl_json_add_string(o, "description", k->help);
	if (k->kind == FL_CONF_BASE)
		fl_json_add_string(o, "pattern", "^https://[^/?#@]+$");
	switch (k->kind) {
	case FL_CONF_BOOL:
		fl_json_add_string(o, "type", "boolean");
		fl_json_add_bool(o, "default", k->preset);
		break;
	case FL_CONF_NUMBER:
		fl_json_add_string(o, "type", "integer");
		fl_json_add_u64(o, "minimum", k->min);
		fl_json_add_u64(o, "maximum", k->max);
		fl_json_add_u64(o, "default", k->preset);
		break;
	case FL_CONF_BASE:
	case FL_CONF_TEXT:
		fl_json_add_string(o, "type", "string");
		fl_json_add_u64(o, "maxLength", k->size - 1);
		fl_json_add_string(o, "default", k->preset_text);
		break;
	case FL_CONF_WORD:
		words = fl_json_add_array(o, "enum");
		for (const char *const *w = k->words; *w; w++)
			fl_json_add_string(words, NULL, *w);
		fl_json_add_string(o, "default", k->words[k->preset]);
		break;
	}
}

static void add_sites(struct fl_json *properties)
{
	struct fl_json *list = fl_json_add_object(properties, "sites"), *site, *o;

	fl_json_add_string(list, "description", "the managed network: who is elsewhere is dropped");
	fl_json_add_string(list, "type", "array");
	fl_json_add_u64(list, "maxItems", FL_CONF_SITES_MAX);
	list = fl_json_add_object(list, "items");
	site = add_object(list, NULL);
	fl_json_add_string(fl_json_add_array(list, "required"), NULL, fl_conf_site_keys[0]);
	for (size_t i = 0; fl_conf_site_keys[i]; i++) {
		o = fl_json_add_object(site, fl_conf_site_keys[i]);
		fl_json_add_string(o, "description", fl_conf_site_help[i]);
		fl_json_add_string(o, "type", i < 2 ? "string" : "array");
		if (i >= 2)
			fl_json_add_string(fl_json_add_object(o, "items"), "type", "string");
	}
}

void fl_conf_schema(struct fl_json *to)
{
	struct fl_json *properties, *at;
	const char *section = "";

	fl_json_add_string(to, "$schema", "https://json-schema.org/draft/2020-12/schema");
	fl_json_add_string(to, "title", "Fairlead insight service");
	properties = at = add_object(to, NULL);
	fl_json_add_string(fl_json_add_object(properties, "$schema"), "type", "string");
	for (const struct fl_conf_key *k = fl_conf_keys; k->key; k++) {
		if (strcmp(section, k->section) != 0) {
			section = k->section;
			at = add_object(properties, section);
		}
		add_key(at, k);
	}
	add_sites(properties);
}
