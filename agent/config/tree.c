// SPDX-License-Identifier: Apache-2.0
/* The configuration as JSON: printing it, and what differs between two. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config/config_internal.h"

#define HIDDEN "(secret)"

/* --- copies ------------------------------------------------------------------------------------
 */

static void copy_value(struct fl_json *to, const char *key, const struct fl_json *value)
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

static void copy_object(struct fl_json *to, const struct fl_cfg_object *object,
			const struct fl_json *from, enum fl_config_print what);

static void copy_field(struct fl_json *to, const struct fl_cfg_field *f,
		       const struct fl_json *value, enum fl_config_print what)
{
	struct fl_json *list;

	if (f->flags & FL_CFG_SECRET) {
		fl_json_add_string(to, f->key, HIDDEN);
	} else if (f->kind == FL_CFG_OBJECT || f->kind == FL_CFG_OPTIONAL) {
		copy_object(fl_json_add_object(to, f->key), f->object, value, what);
	} else if (f->kind == FL_CFG_LIST) {
		list = fl_json_add_array(to, f->key);
		for (size_t i = 0; i < fl_json_count(value); i++) {
			if (f->object)
				copy_object(fl_json_add_object(list, NULL), f->object,
					    fl_json_at(value, i), what);
			else
				copy_value(list, NULL, fl_json_at(value, i));
		}
	} else {
		copy_value(to, f->key, value);
	}
}

static void copy_object(struct fl_json *to, const struct fl_cfg_object *object,
			const struct fl_json *from, enum fl_config_print what)
{
	for (const struct fl_cfg_field *f = object->fields; f->key; f++) {
		const struct fl_json *value = fl_json_member(from, f->key);

		if (value)
			copy_field(to, f, value, what);
		else if (what == FL_CONFIG_DEFAULTS && f->kind == FL_CFG_OBJECT)
			copy_object(fl_json_add_object(to, f->key), f->object, NULL, what);
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
	copy_object(json, &fl_cfg_root, config->tree, what);
	text = fl_json_print(json, FL_JSON_PRETTY);
	fl_json_free(json);
	return text;
}

/* --- differences -------------------------------------------------------------------------------
 */

struct fl_config_changes {
	struct fl_config_change *list;
	size_t count;
};

struct diff {
	struct fl_config_changes *changes;
	struct fl_cfg_load at; /* for its pointer */
	bool no_memory;
};

size_t fl_config_changes_count(const struct fl_config_changes *changes)
{
	return changes->count;
}

const struct fl_config_change *fl_config_changes_get(const struct fl_config_changes *changes,
						     size_t index)
{
	return &changes->list[index];
}

void fl_config_changes_free(struct fl_config_changes *changes)
{
	if (!changes)
		return;
	for (size_t i = 0; i < changes->count; i++) {
		free(changes->list[i].pointer);
		free(changes->list[i].old_value);
		free(changes->list[i].new_value);
	}
	free(changes->list);
	free(changes);
}

/* Text of one side of a change, NULL if it is not there. A value that is not given is its default.
 */
static char *side_text(const struct fl_cfg_field *f, const struct fl_json *value)
{
	struct fl_json *holder = fl_json_new_object(), *inner;
	char *text = NULL;

	if (value)
		copy_field(holder, f, value, FL_CONFIG_AS_IS);
	else
		fl_cfg_add_default(holder, f);
	inner = fl_json_member(holder, f->key);
	if (inner)
		text = fl_json_print(inner, FL_JSON_COMPACT);
	fl_json_free(holder);
	return text;
}

static void change(struct diff *d, const struct fl_cfg_field *f, char *old_value, char *new_value)
{
	struct fl_config_changes *c = d->changes;
	struct fl_config_change *grown = realloc(c->list, (c->count + 1) * sizeof(*grown));

	if (!grown) {
		d->no_memory = true;
		free(old_value);
		free(new_value);
		return;
	}
	c->list = grown;
	grown[c->count] = (struct fl_config_change){ .pointer = strdup(d->at.pointer),
						     .old_value = old_value,
						     .new_value = new_value,
						     .restart = f->flags & FL_CFG_RESTART };
	d->no_memory |= !grown[c->count++].pointer;
}

/* Are two single values the same? Secrets are compared as they are, and shown hidden. */
static void diff_value(struct diff *d, const struct fl_cfg_field *f, const struct fl_json *from,
		       const struct fl_json *to)
{
	struct fl_json *pair[2] = { fl_json_new_object(), fl_json_new_object() };
	const struct fl_json *sides[2] = { from, to };
	char *texts[2];

	for (int i = 0; i < 2; i++) {
		if (sides[i])
			copy_value(pair[i], f->key, sides[i]);
		else
			fl_cfg_add_default(pair[i], f);
		texts[i] = fl_json_print(pair[i], FL_JSON_COMPACT);
		fl_json_free(pair[i]);
	}
	if (!texts[0] || !texts[1])
		d->no_memory = true;
	else if (strcmp(texts[0], texts[1]))
		change(d, f, side_text(f, from), side_text(f, to));
	free(texts[0]);
	free(texts[1]);
}

static void diff_object(struct diff *d, const struct fl_cfg_object *object,
			const struct fl_json *from, const struct fl_json *to);

/* What an element goes by: its id as text, or the whole of it. */
static char *id_of(const struct fl_cfg_field *list, const struct fl_json *element)
{
	const struct fl_json *id = element;

	if (list->object && list->object->id)
		id = fl_json_member(element, list->object->id);
	if (fl_json_type(id) == FL_JSON_STRING)
		return strdup(fl_json_get_string(id));
	return fl_json_print(id, FL_JSON_COMPACT);
}

static const struct fl_json *find_id(const struct fl_cfg_field *list, const struct fl_json *in,
				     const char *id)
{
	for (size_t i = 0; i < fl_json_count(in); i++) {
		char *own = id_of(list, fl_json_at(in, i));
		bool same = own && !strcmp(own, id);

		free(own);
		if (same)
			return fl_json_at(in, i);
	}
	return NULL;
}

static char *element_text(const struct fl_cfg_field *f, const struct fl_json *element)
{
	struct fl_json *to = fl_json_new_object();
	struct fl_json *list = fl_json_add_array(to, f->key);
	char *text;

	if (f->object)
		copy_object(fl_json_add_object(list, NULL), f->object, element, FL_CONFIG_AS_IS);
	else
		copy_value(list, NULL, element);
	text = fl_json_print(fl_json_at(list, 0), FL_JSON_COMPACT);
	fl_json_free(to);
	return text;
}

/* Elements of @from that @to lacks (@gone), or the other way round, and those that both have. */
static void diff_elements(struct diff *d, const struct fl_cfg_field *f, const struct fl_json *from,
			  const struct fl_json *to, bool gone)
{
	const struct fl_json *these = gone ? from : to, *those = gone ? to : from;
	size_t back = strlen(d->at.pointer);

	for (size_t i = 0; i < fl_json_count(these); i++) {
		const struct fl_json *element = fl_json_at(these, i), *twin;
		char *id = id_of(f, element);

		if (!id) {
			d->no_memory = true;
			return;
		}
		twin = find_id(f, those, id);
		snprintf(d->at.pointer + back, sizeof(d->at.pointer) - back, "[%s]",
			 f->object && f->object->id ? id : "");
		if (!twin)
			change(d, f, gone ? element_text(f, element) : NULL,
			       gone ? NULL : element_text(f, element));
		else if (!gone && f->object)
			diff_object(d, f->object, twin, element);
		d->at.pointer[back] = 0;
		free(id);
	}
}

/* Same elements in another order, where that means something. */
static void diff_order(struct diff *d, const struct fl_cfg_field *f, const struct fl_json *from,
		       const struct fl_json *to)
{
	bool moved = fl_json_count(from) == fl_json_count(to), same = true;

	if (!(f->flags & FL_CFG_ORDERED))
		return;
	for (size_t i = 0; moved && i < fl_json_count(from); i++) {
		char *a = id_of(f, fl_json_at(from, i)), *b = id_of(f, fl_json_at(to, i));

		same &= a && b && !strcmp(a, b);
		moved &= a && find_id(f, to, a) != NULL;
		free(a);
		free(b);
	}
	if (moved && !same)
		change(d, f, side_text(f, from), side_text(f, to));
}

static void diff_object(struct diff *d, const struct fl_cfg_object *object,
			const struct fl_json *from, const struct fl_json *to)
{
	for (const struct fl_cfg_field *f = object->fields; f->key; f++) {
		const struct fl_json *a = fl_json_member(from, f->key);
		const struct fl_json *b = fl_json_member(to, f->key);
		size_t back = fl_cfg_enter(&d->at, f->key);

		if (f->kind == FL_CFG_OBJECT || (f->kind == FL_CFG_OPTIONAL && a && b)) {
			diff_object(d, f->object, a, b);
		} else if (f->kind == FL_CFG_OPTIONAL) {
			if (a || b)
				change(d, f, a ? side_text(f, a) : NULL,
				       b ? side_text(f, b) : NULL);
		} else if (f->kind == FL_CFG_LIST) {
			diff_elements(d, f, a, b, true);
			diff_elements(d, f, a, b, false);
			diff_order(d, f, a, b);
		} else {
			diff_value(d, f, a, b);
		}
		fl_cfg_leave(&d->at, back);
	}
}

int fl_config_diff(const struct fl_config *from, const struct fl_config *to,
		   struct fl_config_changes **ret_changes)
{
	struct diff d = { .changes = calloc(1, sizeof(*d.changes)) };

	if (!d.changes)
		return -ENOMEM;
	diff_object(&d, &fl_cfg_root, from ? from->tree : NULL, to->tree);
	if (d.no_memory) {
		fl_config_changes_free(d.changes);
		return -ENOMEM;
	}
	*ret_changes = d.changes;
	return 0;
}
