// SPDX-License-Identifier: Apache-2.0
/* From a file to struct fl_config, by the table; and the end of one. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/config/config_internal.h"

#define MAX_FILE (8 << 20)

void *fl_cfg_at(void *base, size_t offset)
{
	return (uint8_t *)base + offset;
}

/* --- defaults and the end ----------------------------------------------------------------------
 */

void fl_cfg_set_defaults(const struct fl_cfg_object *object, void *base)
{
	for (const struct fl_cfg_field *f = object->fields; f->key; f++) {
		if (f->kind == FL_CFG_OBJECT)
			fl_cfg_set_defaults(f->object, fl_cfg_at(base, f->offset));
		else
			fl_cfg_default_value(f, fl_cfg_at(base, f->offset));
	}
}

static void free_object(const struct fl_cfg_object *object, void *base);

static void free_list(const struct fl_cfg_field *f, void *base)
{
	size_t count = *(size_t *)fl_cfg_at(base, f->count_offset);
	void *list = *(void **)fl_cfg_at(base, f->offset);

	for (size_t i = 0; i < count; i++) {
		void *at = fl_cfg_at(list, i * f->size);

		if (f->object)
			free_object(f->object, at);
		else
			fl_cfg_free_value(f->element, at);
	}
	free(list);
}

static void free_object(const struct fl_cfg_object *object, void *base)
{
	for (const struct fl_cfg_field *f = object->fields; f->key; f++) {
		void *at = fl_cfg_at(base, f->offset);

		if (f->kind == FL_CFG_OBJECT) {
			free_object(f->object, at);
		} else if (f->kind == FL_CFG_OPTIONAL) {
			if (*(void **)at)
				free_object(f->object, *(void **)at);
			free(*(void **)at);
		} else if (f->kind == FL_CFG_LIST) {
			free_list(f, base);
		} else {
			fl_cfg_free_value(f, at);
		}
	}
}

void fl_config_free(struct fl_config *config)
{
	if (!config)
		return;
	free_object(&fl_cfg_root, config);
	free(config->interface);
	free(config->path);
	fl_json_free(config->tree);
	free(config);
}

/* --- objects and lists -------------------------------------------------------------------------
 */

static void load_object(struct fl_cfg_load *load, const struct fl_cfg_object *object,
			const struct fl_json *json, void *base);

/* What stands in the wrong place of an object with secrets may be one: its field, or NULL. */
static const struct fl_cfg_field *may_hide(const struct fl_cfg_object *object)
{
	for (const struct fl_cfg_field *f = object->fields; f->key; f++)
		if (f->flags & FL_CFG_SECRET)
			return f;
	return NULL;
}

static void load_list(struct fl_cfg_load *load, const struct fl_cfg_field *f,
		      const struct fl_json *json, void *base)
{
	size_t count = fl_json_count(json), *ret_count = fl_cfg_at(base, f->count_offset);
	void *list;

	if (fl_json_type(json) != FL_JSON_ARRAY || count > (size_t)f->max) {
		fl_cfg_complain(load, json, f->object ? may_hide(f->object) : f,
				"must be a list of at most %lld", (long long)f->max);
		return;
	}
	if (!count)
		return;
	list = calloc(count, f->size);
	if (!list) {
		load->no_memory = true;
		return;
	}
	*(void **)fl_cfg_at(base, f->offset) = list;
	*ret_count = count;
	for (size_t i = 0; i < count; i++) {
		size_t back = fl_cfg_enter_index(load, i);

		if (f->object)
			load_object(load, f->object, fl_json_at(json, i),
				    fl_cfg_at(list, i * f->size));
		else
			fl_cfg_load_value(load, f->element, fl_json_at(json, i),
					  fl_cfg_at(list, i * f->size));
		fl_cfg_leave(load, back);
	}
}

static void load_optional(struct fl_cfg_load *load, const struct fl_cfg_field *f,
			  const struct fl_json *json, void *at)
{
	void *object = calloc(1, f->object->size);

	if (!object) {
		load->no_memory = true;
		return;
	}
	*(void **)at = object;
	load_object(load, f->object, json, object);
}

static void load_field(struct fl_cfg_load *load, const struct fl_cfg_field *f,
		       const struct fl_json *json, void *base)
{
	void *at = fl_cfg_at(base, f->offset);

	if (f->kind == FL_CFG_OBJECT)
		load_object(load, f->object, json, at);
	else if (f->kind == FL_CFG_OPTIONAL)
		load_optional(load, f, json, at);
	else if (f->kind == FL_CFG_LIST)
		load_list(load, f, json, base);
	else
		fl_cfg_load_value(load, f, json, at);
}

/* --- keys that do not exist --------------------------------------------------------------------
 */

/* How many edits apart, as far as it matters: two rows of the usual table. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[64], diagonal, above;
	size_t n = strlen(b);

	if (n >= sizeof(row) / sizeof(row[0]) || strlen(a) >= sizeof(row) / sizeof(row[0]))
		return 99;
	for (unsigned int j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned int i = 1; a[i - 1]; i++) {
		diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			above = row[j];
			row[j] = diagonal + (tolower((unsigned char)a[i - 1]) != b[j - 1]);
			if (above + 1 < row[j])
				row[j] = above + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			diagonal = above;
		}
	}
	return row[n];
}

struct unknown_keys {
	struct fl_cfg_load *load;
	const struct fl_cfg_object *object;
};

/* A key that is null is as if absent to json.h: only here it is seen. */
static void check_null(struct fl_cfg_load *load, const struct fl_cfg_field *f)
{
	size_t back;

	if (f->flags & FL_CFG_REQUIRED)
		return; /* is missing, then */
	back = fl_cfg_enter(load, f->key);
	fl_cfg_complain(load, NULL, f, "null is no value: leave the key out for its default");
	fl_cfg_leave(load, back);
}

static bool check_key(void *ctx, const char *key, struct fl_json *value)
{
	struct unknown_keys *u = ctx;
	const struct fl_cfg_field *nearest = NULL;
	/* Half a word of other letters is no misspelling. */
	size_t len = strlen(key), best = len < 6 ? 2 : len < 9 ? 3 : 4, d;
	size_t back;

	for (const struct fl_cfg_field *f = u->object->fields; f->key; f++) {
		if (!strcmp(f->key, key)) {
			if (!value)
				check_null(u->load, f);
			return true;
		}
		d = distance(key, f->key);
		if (d < best) {
			best = d;
			nearest = f;
		}
	}
	back = fl_cfg_enter(u->load, key);
	if (nearest)
		fl_cfg_complain(u->load, value, may_hide(u->object),
				"unknown key; is \"%s\" meant?", nearest->key);
	else
		fl_cfg_complain(u->load, value, may_hide(u->object), "unknown key");
	fl_cfg_leave(u->load, back);
	return true;
}

static void load_object(struct fl_cfg_load *load, const struct fl_cfg_object *object,
			const struct fl_json *json, void *base)
{
	struct unknown_keys unknown = { load, object };

	fl_cfg_set_defaults(object, base);
	if (fl_json_type(json) != FL_JSON_OBJECT) {
		fl_cfg_complain(load, json, may_hide(object), "must be an object");
		return;
	}
	for (const struct fl_cfg_field *f = object->fields; f->key; f++) {
		const struct fl_json *value = fl_json_member(json, f->key);
		size_t back;

		if (!value && !(f->flags & FL_CFG_REQUIRED))
			continue;
		back = fl_cfg_enter(load, f->key);
		if (value)
			load_field(load, f, value, base);
		else
			fl_cfg_complain(load, NULL, f, "is missing: %s", f->help);
		fl_cfg_leave(load, back);
	}
	fl_json_for_each(json, check_key, &unknown);
}

/* --- all of it ---------------------------------------------------------------------------------
 */

static int load_tree(struct fl_cfg_load *load, struct fl_json *tree, struct fl_config **ret_config)
{
	struct fl_config *config = calloc(1, sizeof(*config));

	if (!config) {
		fl_json_free(tree);
		return -ENOMEM;
	}
	config->tree = tree;
	load_object(load, &fl_cfg_root, tree, config);
	/* References only make sense between values that are good. */
	if (!fl_config_errors_fatal(load->errors)) {
		fl_cfg_resolve(load, config);
		fl_cfg_check(load, config);
	}
	if (load->no_memory || fl_config_errors_fatal(load->errors)) {
		fl_config_free(config);
		return load->no_memory ? -ENOMEM : -EINVAL;
	}
	*ret_config = config;
	return 0;
}

int fl_config_load(const char *text, size_t len, struct fl_config **ret_config,
		   struct fl_config_errors **ret_errors)
{
	struct fl_cfg_load load = { .errors = fl_config_errors_new() };
	struct fl_json *tree = NULL;
	struct fl_json_error why;
	int err;

	*ret_errors = NULL;
	if (!load.errors)
		return -ENOMEM;
	err = fl_json_parse(text, len, &tree, &why);
	if (err == -EBADMSG) {
		fl_cfg_complain(&load, NULL, NULL, "not JSON, line %zu, column %zu: %s", why.line,
				why.column, why.problem);
		err = -EINVAL;
	} else if (!err) {
		err = load_tree(&load, tree, ret_config);
	}
	if (fl_config_errors_count(load.errors)) {
		*ret_errors = load.errors;
	} else {
		fl_config_errors_free(load.errors);
	}
	return err;
}

static int read_all(int fd, char **ret_text, size_t *ret_len)
{
	struct stat st;
	size_t len = 0;
	char *text;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	text = malloc(MAX_FILE + 1);
	if (!text)
		return -ENOMEM;
	while ((n = read(fd, text + len, MAX_FILE + 1 - len)) > 0)
		len += (size_t)n;
	if (n < 0 || len > MAX_FILE) {
		int err = n < 0 ? -errno : -EFBIG;

		free(text);
		return err;
	}
	*ret_text = text;
	*ret_len = len;
	return 0;
}

int fl_config_load_file(const char *path, struct fl_config **ret_config,
			struct fl_config_errors **ret_errors)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	char *text = NULL;
	size_t len = 0;

	*ret_errors = NULL;
	if (fd < 0)
		return -errno;
	err = read_all(fd, &text, &len);
	close(fd);
	if (err < 0)
		return err;
	err = fl_config_load(text, len, ret_config, ret_errors);
	explicit_bzero(text, len);
	free(text);
	return err;
}
