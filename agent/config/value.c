// SPDX-License-Identifier: Apache-2.0
/* Single values: from JSON to where they belong, with what is allowed said when they do not fit. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/codec/utf8.h"
#include "agent/config/config_internal.h"

static void store_number(const struct fl_cfg_field *field, void *at, int64_t value)
{
	switch (field->size) {
	case 1:
		*(uint8_t *)at = (uint8_t)value;
		break;
	case 2:
		*(uint16_t *)at = (uint16_t)value;
		break;
	case 4:
		*(uint32_t *)at = (uint32_t)value;
		break;
	default:
		*(int64_t *)at = value;
		break;
	}
}

void fl_cfg_default_value(const struct fl_cfg_field *field, void *at)
{
	switch (field->kind) {
	case FL_CFG_BOOL:
		*(bool *)at = field->preset != 0;
		break;
	case FL_CFG_U8:
	case FL_CFG_U16:
	case FL_CFG_U32:
	case FL_CFG_DECIMAL:
	case FL_CFG_ENUM:
	case FL_CFG_MSS:
		store_number(field, at, field->preset);
		break;
	case FL_CFG_NAME:
	case FL_CFG_ADDR:
	case FL_CFG_PREFIX:
	case FL_CFG_HEX:
	case FL_CFG_TIME:
	case FL_CFG_PRIORITY:
	case FL_CFG_SOURCE:
	case FL_CFG_OBJECT:
	case FL_CFG_OPTIONAL:
	case FL_CFG_LIST:
		break; /* zero */
	}
}

void fl_cfg_add_default(struct fl_json *parent, const struct fl_cfg_field *field)
{
	switch (field->kind) {
	case FL_CFG_BOOL:
		fl_json_add_bool(parent, field->key, field->preset != 0);
		break;
	case FL_CFG_U8:
	case FL_CFG_U16:
	case FL_CFG_U32:
		/* Where 0 is out of range it stands for "not given". */
		if (field->preset >= field->min)
			fl_json_add_i64(parent, field->key, field->preset);
		break;
	case FL_CFG_DECIMAL:
		if (field->preset >= field->min)
			fl_json_add_double(parent, field->key,
					   (double)field->preset / (double)field->scale);
		break;
	case FL_CFG_ENUM:
		if (!(field->flags & FL_CFG_REQUIRED))
			fl_json_add_string(parent, field->key,
					   fl_cfg_word_of(field, (int)field->preset));
		break;
	case FL_CFG_MSS:
		fl_json_add_string(parent, field->key, "automatic");
		break;
	case FL_CFG_PRIORITY:
		fl_json_add_string(parent, field->key, "ordered");
		break;
	case FL_CFG_NAME:
	case FL_CFG_ADDR:
	case FL_CFG_PREFIX:
	case FL_CFG_HEX:
	case FL_CFG_TIME:
	case FL_CFG_SOURCE:
	case FL_CFG_OBJECT:
	case FL_CFG_OPTIONAL:
	case FL_CFG_LIST:
		break;
	}
}

void fl_cfg_free_value(const struct fl_cfg_field *field, void *at)
{
	struct fl_cfg_bytes *bytes;

	if (field->kind == FL_CFG_NAME) {
		free(*(char **)at);
	} else if (field->kind == FL_CFG_SOURCE) {
		free(((struct fl_cfg_source *)at)->text);
	} else if (field->kind == FL_CFG_HEX) {
		bytes = at;
		if (bytes->bytes)
			explicit_bzero(bytes->bytes, bytes->len);
		free(bytes->bytes);
	}
}

/* --- one kind each ---------------------------------------------------------------------------- */

static void load_number(struct fl_cfg_load *load, const struct fl_cfg_field *field,
			const struct fl_json *json, void *at)
{
	int64_t value;

	if (fl_json_get_i64(json, &value) < 0 || value < field->min || value > field->max)
		fl_cfg_complain(load, json, field, "must be a whole number, %lld to %lld",
				(long long)field->min, (long long)field->max);
	else
		store_number(field, at, value);
}

static void load_decimal(struct fl_cfg_load *load, const struct fl_cfg_field *field,
			 const struct fl_json *json, void *at)
{
	double scale = (double)field->scale, value, low = (double)field->min / scale,
	       high = (double)field->max / scale;

	if (fl_json_get_double(json, &value) < 0 || !(value >= low) || !(value <= high))
		fl_cfg_complain(load, json, field, "must be a number, %g to %g", low, high);
	else
		store_number(field, at, (int64_t)(value * scale + 0.5));
}

static void load_word(struct fl_cfg_load *load, const struct fl_cfg_field *field,
		      const struct fl_json *json, void *at)
{
	const char *text = fl_json_get_string(json);
	char allowed[256] = "";
	size_t len = 0;

	for (const struct fl_cfg_word *w = field->words; w->word; w++) {
		if (text && !strcmp(text, w->word)) {
			store_number(field, at, w->value);
			return;
		}
		len += (size_t)snprintf(allowed + len, sizeof(allowed) - len, "%s\"%s\"",
					len ? ", " : "", w->word);
	}
	fl_cfg_complain(load, json, field, "must be one of %s", allowed);
}

static void load_name(struct fl_cfg_load *load, const struct fl_cfg_field *field,
		      const struct fl_json *json, void *at)
{
	const char *text = fl_json_get_string(json);
	bool control = false;

	for (const char *p = text; p && *p; p++)
		control |= (unsigned char)*p < 0x20 || *p == 0x7f;
	if (!text || !*text || control || strlen(text) > fl_cfg_name_max(field) ||
	    !fl_utf8_is_name(text, strlen(text))) {
		fl_cfg_complain(load, json, field,
				"must be a text of 1 to %zu bytes without control characters",
				fl_cfg_name_max(field));
		return;
	}
	*(char **)at = strdup(text);
	load->no_memory |= !*(char **)at;
}

static void load_addr(struct fl_cfg_load *load, const struct fl_cfg_field *field,
		      const struct fl_json *json, void *at)
{
	const char *text = fl_json_get_string(json);

	if (!text || fl_addr_parse(text, at) < 0)
		fl_cfg_complain(load, json, field,
				"must be an IPv4 or IPv6 address, like \"192.0.2.1\"");
}

/* As fl_prefix_parse(), but the length is written in one way only. */
static int parse_prefix(const char *text, struct fl_prefix *ret_prefix)
{
	const char *slash = strchr(text, '/');

	if (slash && slash[1] == '0' && slash[2])
		return -EINVAL;
	return fl_prefix_parse(text, ret_prefix);
}

static void load_prefix(struct fl_cfg_load *load, const struct fl_cfg_field *field,
			const struct fl_json *json, void *at)
{
	const char *text = fl_json_get_string(json);
	int err = text ? parse_prefix(text, at) : -EINVAL;

	if (err == -ERANGE)
		fl_cfg_complain(load, json, field,
				"has bits behind its length: the network is meant, like "
				"\"192.0.2.0/24\"");
	else if (err < 0)
		fl_cfg_complain(load, json, field,
				"must be an IPv4 or IPv6 prefix, like \"192.0.2.0/24\"");
}

static uint8_t nibble(char c)
{
	if (c >= '0' && c <= '9')
		return (uint8_t)(c - '0');
	return (uint8_t)((c | 0x20) - 'a' + 10);
}

static void load_hex(struct fl_cfg_load *load, const struct fl_cfg_field *field,
		     const struct fl_json *json, void *at)
{
	const char *text = fl_json_get_string(json);
	size_t len = text ? strlen(text) : 0;
	const unsigned int *digits = field->digits;
	struct fl_cfg_bytes *bytes = at;

	while (*digits && *digits != len)
		digits++;
	if (!text || !*digits || strspn(text, "0123456789abcdefABCDEF") != len) {
		fl_cfg_complain(load, json, field, "must be %s", field->help);
		return;
	}
	bytes->bytes = malloc(len / 2);
	if (!bytes->bytes) {
		load->no_memory = true;
		return;
	}
	bytes->len = len / 2;
	for (size_t i = 0; i < bytes->len; i++)
		bytes->bytes[i] = (uint8_t)(nibble(text[2 * i]) << 4 | nibble(text[2 * i + 1]));
}

/* Digits where @form has 0, a sign where it has +, else the same character. */
static bool looks_like(const char *text, const char *form)
{
	for (; *form; form++, text++) {
		if (*form == '0'   ? *text < '0' || *text > '9'
		    : *form == '+' ? *text != '+' && *text != '-'
				   : *text != *form)
			return false;
	}
	return !*text;
}

/* RFC 3339 without fractions: date, "T", time, and "Z" or an offset. */
static bool parse_time(const char *text, int64_t *ret_s)
{
	struct tm tm = { 0 };
	int zone_h = 0, zone_m = 0, day;
	char sign = 'Z';

	if (!looks_like(text, "0000-00-00T00:00:00Z") &&
	    !looks_like(text, "0000-00-00T00:00:00+00:00"))
		return false;
	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%c%2d:%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &sign, &zone_h, &zone_m) < 7)
		return false;
	if (tm.tm_year < 1970 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_hour > 23 ||
	    tm.tm_min > 59 || tm.tm_sec > 59 || zone_h > 23 || zone_m > 59)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	day = tm.tm_mday;
	*ret_s = (int64_t)timegm(&tm);
	*ret_s -= (sign == '-' ? -1 : 1) * (zone_h * 3600 + zone_m * 60);
	/* timegm() makes 2 March of 30 February. */
	return tm.tm_mday == day && *ret_s >= 0;
}

static void load_time(struct fl_cfg_load *load, const struct fl_cfg_field *field,
		      const struct fl_json *json, void *at)
{
	const char *text = fl_json_get_string(json);

	if (!text || !parse_time(text, at))
		fl_cfg_complain(load, json, field, "must be a time like \"2026-12-01T00:00:00Z\"");
}

static void load_mss(struct fl_cfg_load *load, const struct fl_cfg_field *field,
		     const struct fl_json *json, void *at)
{
	const char *text = fl_json_get_string(json);
	int64_t value = 0;

	if (text && !strcmp(text, "automatic"))
		value = FL_CFG_MSS_AUTOMATIC;
	else if (text && !strcmp(text, "disabled"))
		value = FL_CFG_MSS_DISABLED;
	else if (fl_json_get_i64(json, &value) < 0 || value < field->min || value > field->max) {
		fl_cfg_complain(load, json, field,
				"must be \"automatic\", \"disabled\", or %lld to %lld bytes",
				(long long)field->min, (long long)field->max);
		return;
	}
	store_number(field, at, value);
}

/* "ordered" stays 0 here: only the list knows the place. */
static void load_priority(struct fl_cfg_load *load, const struct fl_cfg_field *field,
			  const struct fl_json *json, void *at)
{
	const char *text = fl_json_get_string(json);
	int64_t value = 0;

	if (text && !strcmp(text, "never"))
		value = FL_CFG_PRIORITY_NEVER;
	else if ((!text || strcmp(text, "ordered")) &&
		 (fl_json_get_i64(json, &value) < 0 || value < field->min || value > field->max)) {
		fl_cfg_complain(load, json, field,
				"must be \"ordered\", \"never\", or a whole number, %lld to %lld",
				(long long)field->min, (long long)field->max);
		return;
	}
	*(uint32_t *)at = (uint32_t)value;
}

static void load_source(struct fl_cfg_load *load, const struct fl_cfg_field *field,
			const struct fl_json *json, void *at)
{
	const char *text = fl_json_get_string(json), *mark;
	struct fl_cfg_source *source = at;
	int err;

	mark = text ? strchr(text, '@') : NULL;
	err = mark ? parse_prefix(mark + 1, &source->prefix) : 0;
	if (err == -ERANGE) {
		fl_cfg_complain(load, json, field, "its prefix has bits behind its length");
		return;
	}
	if (err || !text || !*text || strlen(text) >= FL_NAME_LEN + FL_PREFIX_TEXT) {
		fl_cfg_complain(load, json, field, "must be %s, like \"staff@192.0.2.0/24\"",
				field->help);
		return;
	}
	source->text = strdup(text);
	load->no_memory |= !source->text;
}

void fl_cfg_load_value(struct fl_cfg_load *load, const struct fl_cfg_field *field,
		       const struct fl_json *json, void *at)
{
	typedef void (*load_fn)(struct fl_cfg_load *, const struct fl_cfg_field *,
				const struct fl_json *, void *);
	static const load_fn loads[] = {
		[FL_CFG_U8] = load_number,     [FL_CFG_U16] = load_number,
		[FL_CFG_U32] = load_number,    [FL_CFG_DECIMAL] = load_decimal,
		[FL_CFG_ENUM] = load_word,     [FL_CFG_NAME] = load_name,
		[FL_CFG_ADDR] = load_addr,     [FL_CFG_PREFIX] = load_prefix,
		[FL_CFG_HEX] = load_hex,       [FL_CFG_TIME] = load_time,
		[FL_CFG_MSS] = load_mss,       [FL_CFG_PRIORITY] = load_priority,
		[FL_CFG_SOURCE] = load_source,
	};

	if (field->kind != FL_CFG_BOOL)
		loads[field->kind](load, field, json, at);
	else if (fl_json_type(json) != FL_JSON_BOOL)
		fl_cfg_complain(load, json, field, "must be true or false");
	else
		*(bool *)at = fl_json_get_bool(json);
}
