// SPDX-License-Identifier: Apache-2.0
/* Findings about a configuration, and where in the file they are. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config/config_internal.h"

#define MAX_ERRORS 1000
#define VALUE_TEXT 60

struct fl_config_errors {
	struct fl_config_error *list;
	size_t count;
	bool fatal;
};

struct fl_config_errors *fl_config_errors_new(void)
{
	return calloc(1, sizeof(struct fl_config_errors));
}

size_t fl_config_errors_count(const struct fl_config_errors *errors)
{
	return errors ? errors->count : 0;
}

const struct fl_config_error *fl_config_errors_get(const struct fl_config_errors *errors,
						   size_t index)
{
	return &errors->list[index];
}

bool fl_config_errors_fatal(const struct fl_config_errors *errors)
{
	return errors->fatal;
}

void fl_config_errors_free(struct fl_config_errors *errors)
{
	if (!errors)
		return;
	for (size_t i = 0; i < errors->count; i++) {
		free(errors->list[i].pointer);
		free(errors->list[i].value);
		free(errors->list[i].problem);
	}
	free(errors->list);
	free(errors);
}

void fl_config_error_text(const struct fl_config_error *error, char *text, size_t size)
{
	snprintf(text, size, "%s%s: %s%s%s", error->warning ? "warning: " : "",
		 error->pointer[0] ? error->pointer : "/", error->value ? error->value : "",
		 error->value ? ": " : "", error->problem);
	/* One line, whatever a key says. */
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
}

static void add(struct fl_cfg_load *load, bool warning, const char *pointer, const char *value,
		const char *problem)
{
	struct fl_config_errors *errors = load->errors;
	struct fl_config_error *grown, *e;

	errors->fatal |= !warning;
	if (errors->count > MAX_ERRORS)
		return;
	if (errors->count == MAX_ERRORS) {
		pointer = "";
		value = NULL;
		problem = "there are more findings than these";
	}
	grown = realloc(errors->list, (errors->count + 1) * sizeof(*grown));
	if (!grown) {
		load->no_memory = true;
		return;
	}
	errors->list = grown;
	e = &grown[errors->count];
	*e = (struct fl_config_error){ .pointer = strdup(pointer),
				       .value = value ? strdup(value) : NULL,
				       .problem = strdup(problem),
				       .warning = warning };
	if (!e->pointer || !e->problem) {
		free(e->pointer);
		free(e->value);
		free(e->problem);
		load->no_memory = true;
		return;
	}
	errors->count++;
}

/* Where to cut a text of @len bytes so that @max are left, or fewer: not within a character. */
static int cut(const char *text, size_t len, size_t max)
{
	if (len <= max)
		return (int)len;
	for (len = max; len && ((unsigned char)text[len] & 0xc0) == 0x80;)
		len--;
	return (int)len;
}

/* A value as it stands in the file, on one line, cut where it gets long. */
static void value_text(const struct fl_json *value, const struct fl_cfg_field *field,
		       char text[VALUE_TEXT])
{
	char *printed;

	if (field && field->flags & FL_CFG_SECRET) {
		snprintf(text, VALUE_TEXT, "(secret)");
		return;
	}
	if (fl_json_type(value) == FL_JSON_OBJECT || fl_json_type(value) == FL_JSON_ARRAY) {
		snprintf(text, VALUE_TEXT, "%s",
			 fl_json_type(value) == FL_JSON_OBJECT ? "{...}" : "[...]");
		return;
	}
	printed = fl_json_print(value, FL_JSON_COMPACT);
	if (!printed || strlen(printed) < VALUE_TEXT)
		snprintf(text, VALUE_TEXT, "%s", printed ? printed : "?");
	else
		snprintf(text, VALUE_TEXT, "%.*s...", cut(printed, strlen(printed), VALUE_TEXT - 4),
			 printed);
	free(printed);
}

void fl_cfg_complain(struct fl_cfg_load *load, const struct fl_json *value,
		     const struct fl_cfg_field *field, const char *fmt, ...)
{
	char problem[512], text[VALUE_TEXT];
	va_list args;

	va_start(args, fmt);
	vsnprintf(problem, sizeof(problem), fmt, args);
	va_end(args);
	if (value)
		value_text(value, field, text);
	add(load, false, load->pointer, value ? text : NULL, problem);
}

void fl_cfg_complain_at(struct fl_cfg_load *load, bool warning, const char *value,
			const char *problem, const char *pointer_fmt, ...)
{
	char pointer[1024], quoted[VALUE_TEXT];
	va_list args;

	va_start(args, pointer_fmt);
	vsnprintf(pointer, sizeof(pointer), pointer_fmt, args);
	va_end(args);
	if (value)
		snprintf(quoted, sizeof(quoted), "\"%.*s\"",
			 cut(value, strlen(value), VALUE_TEXT - 4), value);
	add(load, warning, pointer, value ? quoted : NULL, problem);
}

/* --- JSON pointers (RFC 6901) ------------------------------------------------------------------
 */

size_t fl_cfg_enter(struct fl_cfg_load *load, const char *key)
{
	size_t before = strlen(load->pointer), at = before;

	if (at + 1 < sizeof(load->pointer))
		load->pointer[at++] = '/';
	for (const char *p = key; *p && at + 3 < sizeof(load->pointer); p++) {
		if (*p == '~' || *p == '/') {
			load->pointer[at++] = '~';
			load->pointer[at++] = *p == '~' ? '0' : '1';
		} else {
			load->pointer[at++] = *p;
		}
	}
	load->pointer[at] = 0;
	return before;
}

size_t fl_cfg_enter_index(struct fl_cfg_load *load, size_t index)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", index);
	return fl_cfg_enter(load, text);
}

void fl_cfg_leave(struct fl_cfg_load *load, size_t len)
{
	load->pointer[len] = 0;
}
