// SPDX-License-Identifier: Apache-2.0
/*
 * What differs between two configurations, by the table: so no key can be forgotten, and one that
 * was taken out of the file is back at its default. Elements of lists are matched by what tells
 * them apart; those that nothing tells apart are matched in their order.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config/config_internal.h"

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

/* --- single values -----------------------------------------------------------------------------
 */

/* A value, or its default, which then belongs to @holder. */
static const struct fl_json *or_default(const struct fl_cfg_field *f, const struct fl_json *value,
					struct fl_json *holder)
{
	if (value)
		return value;
	fl_cfg_add_default(holder, f);
	return fl_json_member(holder, f->key);
}

/* Secrets are compared as they are, and never printed for that. */
static bool same_value(const struct fl_json *a, const struct fl_json *b)
{
	double real_a = 0, real_b = 0;
	int64_t a_int = 0, b_int = 0;

	if (fl_json_type(a) != fl_json_type(b))
		return false;
	switch (fl_json_type(a)) {
	case FL_JSON_STRING:
		return !strcmp(fl_json_get_string(a), fl_json_get_string(b));
	case FL_JSON_BOOL:
		return fl_json_get_bool(a) == fl_json_get_bool(b);
	case FL_JSON_INT:
		return !fl_json_get_i64(a, &a_int) && !fl_json_get_i64(b, &b_int) && a_int == b_int;
	case FL_JSON_DOUBLE:
		return !fl_json_get_double(a, &real_a) && !fl_json_get_double(b, &real_b) &&
		       !memcmp(&real_a, &real_b, sizeof(real_a));
	case FL_JSON_NULL:
		return true; /* neither is there */
	case FL_JSON_ARRAY:
	case FL_JSON_OBJECT:
		break; /* no single values */
	}
	return false;
}

/* Text of one side of a change, NULL if it is not there. */
static char *side_text(const struct fl_cfg_field *f, const struct fl_json *value)
{
	struct fl_json *holder = fl_json_new_object(), *inner;
	char *text = NULL;

	if (value)
		fl_cfg_copy_field(holder, f, value, FL_CONFIG_AS_IS);
	else
		fl_cfg_add_default(holder, f);
	inner = fl_json_member(holder, f->key);
	if (inner)
		text = fl_json_print(inner, FL_JSON_COMPACT);
	fl_json_free(holder);
	return text;
}

static void diff_value(struct diff *d, const struct fl_cfg_field *f, const struct fl_json *from,
		       const struct fl_json *to)
{
	struct fl_json *holder = fl_json_new_object();

	if (!holder)
		d->no_memory = true;
	else if (!from && !to)
		; /* default on both sides */
	else if (!same_value(or_default(f, from, holder), or_default(f, to, holder)))
		change(d, f, side_text(f, from), side_text(f, to));
	fl_json_free(holder);
}

/* --- lists -------------------------------------------------------------------------------------
 */

static void diff_object(struct diff *d, const struct fl_cfg_object *object,
			const struct fl_json *from, const struct fl_json *to);

struct element {
	char *id;
	const struct fl_json *json;
	size_t place;
	const struct element *twin; /* in the other list */
};

struct elements {
	struct element *all;
	struct element **sorted; /* by id, then by place */
	size_t count;
};

/* What an element goes by: its id, or the whole of it. */
static char *id_of(const struct fl_cfg_field *list, const struct fl_json *element)
{
	struct fl_json *whole;
	const struct fl_json *id = element;
	char *text;

	if (list->object && list->object->id)
		id = fl_json_member(element, list->object->id);
	if (fl_json_type(id) == FL_JSON_STRING)
		return strdup(fl_json_get_string(id));
	if (fl_json_type(id) != FL_JSON_OBJECT)
		return fl_json_print(id, FL_JSON_COMPACT);
	/* The order of keys does not matter, nor whether a default is written. */
	whole = fl_json_new_object();
	fl_cfg_copy_object(whole, list->object, id, FL_CONFIG_DEFAULTS);
	text = fl_json_print(whole, FL_JSON_COMPACT);
	fl_json_free(whole);
	return text;
}

static int by_id(const void *a, const void *b)
{
	const struct element *x = *(const struct element *const *)a;
	const struct element *y = *(const struct element *const *)b;
	int order = strcmp(x->id, y->id);

	if (order)
		return order;
	return x->place < y->place ? -1 : x->place > y->place;
}

static void free_elements(struct elements *e)
{
	for (size_t i = 0; e->all && i < e->count; i++)
		free(e->all[i].id);
	free(e->all);
	free(e->sorted);
}

static bool collect(const struct fl_cfg_field *list, const struct fl_json *json, struct elements *e)
{
	e->count = fl_json_count(json);
	e->all = calloc(e->count + 1, sizeof(*e->all));
	e->sorted = calloc(e->count + 1, sizeof(*e->sorted));
	if (!e->all || !e->sorted)
		return false;
	for (size_t i = 0; i < e->count; i++) {
		e->all[i] = (struct element){ .json = fl_json_at(json, i), .place = i };
		e->all[i].id = id_of(list, e->all[i].json);
		if (!e->all[i].id)
			return false;
		e->sorted[i] = &e->all[i];
	}
	qsort(e->sorted, e->count, sizeof(*e->sorted), by_id);
	return true;
}

static void pair(struct elements *a, struct elements *b)
{
	for (size_t i = 0, j = 0; i < a->count && j < b->count;) {
		int order = strcmp(a->sorted[i]->id, b->sorted[j]->id);

		if (!order) {
			a->sorted[i]->twin = b->sorted[j];
			b->sorted[j]->twin = a->sorted[i];
		}
		i += order <= 0;
		j += order >= 0;
	}
}

static char *element_text(const struct fl_cfg_field *f, const struct fl_json *element)
{
	struct fl_json *to = fl_json_new_object();
	struct fl_json *list = fl_json_add_array(to, f->key);
	char *text;

	if (f->object)
		fl_cfg_copy_object(fl_json_add_object(list, NULL), f->object, element,
				   FL_CONFIG_AS_IS);
	else
		fl_cfg_copy_value(list, NULL, element);
	text = fl_json_print(fl_json_at(list, 0), FL_JSON_COMPACT);
	fl_json_free(to);
	return text;
}

static void diff_element(struct diff *d, const struct fl_cfg_field *f, const struct element *e,
			 bool gone)
{
	size_t back = strlen(d->at.pointer);

	snprintf(d->at.pointer + back, sizeof(d->at.pointer) - back, "[%s]",
		 f->object && f->object->id ? e->id : "");
	if (e->twin)
		diff_object(d, f->object, e->twin->json, e->json);
	else if (gone)
		change(d, f, element_text(f, e->json), NULL);
	else
		change(d, f, NULL, element_text(f, e->json));
	d->at.pointer[back] = 0;
}

/* What is gone, then what is new or other, then whether it was moved where that counts. */
static void diff_list(struct diff *d, const struct fl_cfg_field *f, const struct fl_json *from,
		      const struct fl_json *to)
{
	struct elements a = { 0 }, b = { 0 };
	bool same = true, moved = false;

	if (collect(f, from, &a) && collect(f, to, &b)) {
		pair(&a, &b);
		for (size_t i = 0; i < a.count; i++) {
			same &= a.all[i].twin != NULL;
			if (!a.all[i].twin)
				diff_element(d, f, &a.all[i], true);
		}
		for (size_t i = 0; i < b.count; i++) {
			same &= b.all[i].twin != NULL;
			moved |= b.all[i].twin && b.all[i].twin->place != i;
			if (!b.all[i].twin || (f->object && f->object->id))
				diff_element(d, f, &b.all[i], false);
		}
		if (f->flags & FL_CFG_ORDERED && same && moved)
			change(d, f, side_text(f, from), side_text(f, to));
	} else {
		d->no_memory = true;
	}
	free_elements(&a);
	free_elements(&b);
}

/* --- all of it ---------------------------------------------------------------------------------
 */

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
			diff_list(d, f, a, b);
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
