// SPDX-License-Identifier: Apache-2.0
/* Loading, checking and printing of the configuration: see conf.h. */
#include "agent/insightd/conf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/insightd/conf_table.h"

void fl_conf_problem(struct fl_conf_problems *problems, const char *where, const char *fmt, ...)
{
	char what[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	if (problems->count < FL_CONF_PROBLEMS_MAX)
		snprintf(problems->text[problems->count], sizeof(problems->text[0]), "%.80s: %s",
			 where, what);
	problems->count++;
}

static void *place(const struct fl_conf_key *k, const struct fl_conf *conf)
{
	return (void *)((uintptr_t)conf + k->offset);
}

/* --- defaults and values ------------------------------------------------------------------------
 */

static void set_number(const struct fl_conf_key *k, struct fl_conf *conf, uint32_t value)
{
	if (k->kind == FL_CONF_BOOL)
		*(bool *)place(k, conf) = value;
	else
		*(uint32_t *)place(k, conf) = value;
}

static void set_defaults(struct fl_conf *conf)
{
	for (const struct fl_conf_key *k = fl_conf_keys; k->key; k++) {
		if (k->preset_text)
			snprintf(place(k, conf), k->size, "%s", k->preset_text);
		else
			set_number(k, conf, k->preset);
	}
}

static void load_text(const struct fl_conf_key *k, const char *where, const char *text,
		      struct fl_conf *conf, struct fl_conf_problems *problems)
{
	if (!text) {
		fl_conf_problem(problems, where, "must be a text");
	} else if (strlen(text) >= k->size) {
		fl_conf_problem(problems, where, "is longer than %zu bytes", k->size - 1);
	} else if (k->kind == FL_CONF_BASE && !fl_zoom_base_is_good(text)) {
		fl_conf_problem(problems, where,
				"must be https://HOST[:PORT] with nothing behind it");
	} else {
		for (const char *c = text; *c; c++) {
			if ((unsigned char)*c < ' ' || *c == 127) {
				fl_conf_problem(problems, where, "has a control character in it");
				return;
			}
		}
		snprintf(place(k, conf), k->size, "%s", text);
	}
}

static void load_word(const struct fl_conf_key *k, const char *where, const char *text,
		      struct fl_conf *conf, struct fl_conf_problems *problems)
{
	char all[120] = "";

	for (uint32_t i = 0; k->words[i]; i++) {
		size_t len = strlen(all);

		if (text && !strcmp(text, k->words[i])) {
			set_number(k, conf, i);
			return;
		}
		snprintf(all + len, sizeof(all) - len, "%s\"%s\"", i ? ", " : "", k->words[i]);
	}
	fl_conf_problem(problems, where, "must be one of %s", all);
}

static void load_value(const struct fl_conf_key *k, const char *where, const struct fl_json *value,
		       struct fl_conf *conf, struct fl_conf_problems *problems)
{
	uint64_t number;

	switch (k->kind) {
	case FL_CONF_BOOL:
		if (fl_json_type(value) == FL_JSON_BOOL)
			set_number(k, conf, fl_json_get_bool(value));
		else
			fl_conf_problem(problems, where, "must be true or false");
		break;
	case FL_CONF_NUMBER:
		if (!fl_json_get_u64(value, &number) && number >= k->min && number <= k->max)
			set_number(k, conf, (uint32_t)number);
		else
			fl_conf_problem(problems, where,
					"must be a whole number of %" PRIu32 " to %" PRIu32, k->min,
					k->max);
		break;
	case FL_CONF_TEXT:
	case FL_CONF_BASE:
		load_text(k, where, fl_json_get_string(value), conf, problems);
		break;
	case FL_CONF_WORD:
		load_word(k, where, fl_json_get_string(value), conf, problems);
		break;
	}
}

/* --- the file -----------------------------------------------------------------------------------
 */

struct walk {
	const char *section;
	struct fl_conf *conf;
	struct fl_conf_problems *problems;
	int err;
};

static bool is_section(const char *name)
{
	for (const struct fl_conf_key *k = fl_conf_keys; k->key; k++) {
		if (*k->section && !strcmp(k->section, name))
			return true;
	}
	return false;
}

static bool load_member(void *ctx, const char *key, struct fl_json *value)
{
	struct walk *w = ctx;
	struct walk inner = { key, w->conf, w->problems, 0 };
	char where[96];

	snprintf(where, sizeof(where), "%s%s/%s", *w->section ? "/" : "", w->section, key);
	for (const struct fl_conf_key *k = fl_conf_keys; k->key; k++) {
		if (!strcmp(k->section, w->section) && !strcmp(k->key, key)) {
			load_value(k, where, value, w->conf, w->problems);
			return true;
		}
	}
	if (!*w->section && !strcmp(key, "sites"))
		w->err = fl_conf_load_sites(value, w->conf, w->problems);
	else if (!*w->section && !strcmp(key, "$schema"))
		return true;
	else if (*w->section || !is_section(key))
		fl_conf_problem(w->problems, where, "there is no such key");
	else if (fl_json_type(value) != FL_JSON_OBJECT)
		fl_conf_problem(w->problems, where, "must be an object");
	else
		fl_json_for_each(value, load_member, &inner);
	return !w->err;
}

/* What no key alone can tell. */
static void check(const struct fl_conf *conf, struct fl_conf_problems *problems)
{
	if (!*conf->org)
		fl_conf_problem(problems, "/organisation", "must not be empty");
	if (conf->store.meeting_days < conf->store.minute_days)
		fl_conf_problem(problems, "/store/meeting-days",
				"must not be fewer than minute-days");
	if (conf->zoom.rate_pct > 100 && !conf->zoom.allow_private)
		fl_conf_problem(problems, "/zoom/request-rate-percent",
				"may be above 100 with allow-private-addresses only");
}

int fl_conf_load(const char *text, size_t len, struct fl_conf **ret_conf,
		 struct fl_conf_problems *problems)
{
	struct fl_conf *conf = calloc(1, sizeof(*conf));
	struct walk w = { "", conf, problems, 0 };
	struct fl_json *json = NULL;
	struct fl_json_error why;
	int err;

	*problems = (struct fl_conf_problems){ 0 };
	if (!conf)
		return -ENOMEM;
	set_defaults(conf);
	err = fl_json_parse(text, len, &json, &why);
	if (err == -EBADMSG) {
		fl_conf_problem(problems, "", "line %zu, column %zu: %s", why.line, why.column,
				why.problem);
	} else if (!err && fl_json_type(json) != FL_JSON_OBJECT) {
		fl_conf_problem(problems, "", "must be an object");
	} else if (!err) {
		fl_json_for_each(json, load_member, &w);
		err = w.err;
		check(conf, problems);
	}
	fl_json_free(json);
	if (!err || err == -EBADMSG)
		err = problems->count ? -EINVAL : 0;
	if (err)
		fl_conf_free(conf);
	else
		*ret_conf = conf;
	return err;
}

int fl_conf_load_file(const char *path, struct fl_conf **ret_conf,
		      struct fl_conf_problems *problems)
{
	FILE *f = fopen(path, "re");
	char *text;
	size_t len;
	int err;

	*problems = (struct fl_conf_problems){ 0 };
	if (!f) {
		err = -errno;
		fl_conf_problem(problems, path, "%s", strerror(-err));
		return err;
	}
	text = malloc(FL_CONF_BODY_MAX + 1);
	len = text ? fread(text, 1, FL_CONF_BODY_MAX + 1, f) : 0;
	err = text ? ferror(f) ? -EIO : len > FL_CONF_BODY_MAX ? -EFBIG : 0 : -ENOMEM;
	fclose(f);
	if (err)
		fl_conf_problem(problems, path, "%s", strerror(-err));
	else
		err = fl_conf_load(text, len, ret_conf, problems);
	if (text)
		explicit_bzero(text, len);
	free(text);
	return err;
}

void fl_conf_free(struct fl_conf *conf)
{
	if (!conf)
		return;
	free(conf->sites);
	free(conf->view_sites);
	free(conf->site_parts);
	explicit_bzero(conf, sizeof(*conf));
	free(conf);
}

/* --- printing -----------------------------------------------------------------------------------
 */

static void print_value(const struct fl_conf_key *k, const struct fl_conf *conf, struct fl_json *to)
{
	uint32_t number;

	if (k->kind == FL_CONF_BOOL) {
		fl_json_add_bool(to, k->key, *(bool *)place(k, conf));
		return;
	}
	if (k->kind == FL_CONF_TEXT || k->kind == FL_CONF_BASE) {
		if (!(k->flags & FL_CONF_SECRET))
			fl_json_add_string(to, k->key, place(k, conf));
		return;
	}
	number = *(uint32_t *)place(k, conf);
	if (k->kind == FL_CONF_WORD)
		fl_json_add_string(to, k->key, k->words[number]);
	else
		fl_json_add_u64(to, k->key, number);
}

void fl_conf_print(const struct fl_conf *conf, struct fl_json *to)
{
	const char *section = "";
	struct fl_json *at = to;

	for (const struct fl_conf_key *k = fl_conf_keys; k->key; k++) {
		if (strcmp(section, k->section) != 0) {
			section = k->section;
			at = fl_json_add_object(to, section);
		}
		print_value(k, conf, at);
	}
	fl_conf_print_sites(conf, to);
}
