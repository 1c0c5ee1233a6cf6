// SPDX-License-Identifier: Apache-2.0
/* The configuration as JSON, by the table: in its order of keys, secrets hidden. */
#include <stdlib.h>

#include "agent/config/config_internal.h"

#define HIDDEN "(secret)"

void fl_cfg_copy_value(struct fl_json *to, const char *key, const struct fl_json *value)
{
	int64_t number;
	double real;

	switch (fl_json_type(value)) {
	case FL_JSON_STRING:
		fl_json_add_string(to, key, fl_json_get_string(value));
		break;
	case FL_JSON_BOOL:
		fl_json_add_bool(to, key, fl_json_get_bool(value));
		break;
	case FL_JSON_INT:
		if (!fl_json_get_i64(value, &number))
			fl_json_add_i64(to, key, number);
		break;
	case FL_JSON_DOUBLE:
		if (!fl_json_get_double(value, &real))
			fl_json_add_double(to, key, real);
		break;
	case FL_JSON_NULL:
	case FL_JSON_ARRAY:
	case FL_JSON_OBJECT:
		break; /* the loader lets none of these pass where a single value belongs */
	}
}

void fl_cfg_copy_field(struct fl_json *to, const struct fl_cfg_field *f,
		       const struct fl_json *value, enum fl_config_print what)
{
	struct fl_json *list;

	if (f->flags & FL_CFG_SECRET) {
		fl_json_add_string(to, f->key, HIDDEN);
	} else if (f->kind == FL_CFG_OBJECT || f->kind == FL_CFG_OPTIONAL) {
		fl_cfg_copy_object(fl_json_add_object(to, f->key), f->object, value, what);
	} else if (f->kind == FL_CFG_LIST) {
		list = fl_json_add_array(to, f->key);
		for (size_t i = 0; i < fl_json_count(value); i++) {
			if (f->object)
				fl_cfg_copy_object(fl_json_add_object(list, NULL), f->object,
						   fl_json_at(value, i), what);
			else
				fl_cfg_copy_value(list, NULL, fl_json_at(value, i));
		}
	} else {
		fl_cfg_copy_value(to, f->key, value);
	}
}

void fl_cfg_copy_object(struct fl_json *to, const struct fl_cfg_object *object,
			const struct fl_json *from, enum fl_config_print what)
{
	for (const struct fl_cfg_field *f = object->fields; f->key; f++) {
		const struct fl_json *value = fl_json_member(from, f->key);

		if (value)
			fl_cfg_copy_field(to, f, value, what);
		else if (what == FL_CONFIG_DEFAULTS && f->kind == FL_CFG_OBJECT)
			fl_cfg_copy_object(fl_json_add_object(to, f->key), f->object, NULL, what);
		else if (what == FL_CONFIG_DEFAULTS)
			fl_cfg_add_default(to, f);
	}
}

char *fl_config_print(const struct fl_config *config, enum fl_config_print what)
{
	struct fl_json *json = fl_json_new_object();
	char *text;

	if (!json)
		return NULL;
	fl_cfg_copy_object(json, &fl_cfg_root, config->tree, what);
	text = fl_json_print(json, FL_JSON_PRETTY);
	fl_json_free(json);
	return text;
}
