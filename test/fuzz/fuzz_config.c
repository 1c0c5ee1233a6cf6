// SPDX-License-Identifier: Apache-2.0
/*
 * The configuration, and with it JSON. The input is the file's text. What loads can be printed; it
 * does not differ from itself; and what is printed says the same again, but for secrets, which are
 * replaced by keys that fit.
 */
#include <errno.h>
#include <stdbool.h>

#include "agent/codec/json.h"
#include "agent/config/config.h"
#include "test/fuzz/fuzz.h"

/* Whatever is wrong, it can be said in one line. */
static void say(const struct fl_config_errors *errors, bool good)
{
	size_t fatal = 0;
	char line[300];

	for (size_t i = 0; i < fl_config_errors_count(errors); i++) {
		const struct fl_config_error *e = fl_config_errors_get(errors, i);

		MUST(e->pointer && e->problem && *e->problem);
		MUST(!*e->pointer || *e->pointer == '/');
		fl_config_error_text(e, line, sizeof(line));
		MUST(!strpbrk(line, "\n\r\x1b"));
		fatal += !e->warning;
	}
	MUST(good == !fatal);
}

static size_t changes_between(const struct fl_config *from, const struct fl_config *to)
{
	struct fl_config_changes *changes = NULL;
	size_t count;

	MUST(fl_config_diff(from, to, &changes) == 0);
	count = fl_config_changes_count(changes);
	for (size_t i = 0; i < count; i++) {
		const struct fl_config_change *c = fl_config_changes_get(changes, i);

		MUST(c->pointer && (c->old_value || c->new_value));
	}
	fl_config_changes_free(changes);
	return count;
}

/* Every name that was resolved is one. */
static void look(const struct fl_config *c)
{
	for (size_t i = 0; i < c->authority.n_service; i++) {
		const struct fl_cfg_service *s = &c->authority.service[i];

		MUST(s->parent < (int)c->authority.n_service && s->parent != (int)i);
		MUST(s->service_policy < (int)c->authority.n_service_policy);
		MUST(s->session_type < (int)c->authority.n_session_type);
		MUST(fl_config_find(c, FL_CFG_REF_SERVICE, s->name) == (int)i);
		for (size_t j = 0; j < s->n_access_policy; j++)
			MUST(s->access_policy[j].source.tenant < (int)c->authority.n_tenant);
	}
	for (size_t i = 0; i < c->authority.n_tenant; i++)
		MUST(fl_config_tenant_is_within(c, (int)i, (int)i));
	for (size_t i = 0; i < c->n_interface; i++)
		MUST(fl_config_find(c, FL_CFG_REF_INTERFACE, c->interface[i]->name) == (int)i);
	for (size_t i = 0; i < c->n_path; i++)
		MUST(c->path[i]->local.family == c->path[i]->ip_address.family &&
		     c->path[i]->security >= 0);
}

/* How a hidden key is printed. A name can be "(secret)" too, but no name has a bare quote in it. */
static const char mark[] = "-key\": \"(secret)\"";

/* @text with hidden keys replaced by some of one length that keys have; to be freed. */
static char *fill_secrets(const char *text, size_t digits)
{
	static const char key[] = "-key\": \"";
	size_t count = 0, len = strlen(text);
	char *filled, *at;

	for (const char *p = text; (p = strstr(p, mark)); p++)
		count++;
	filled = malloc(len + count * digits + 1);
	MUST(filled);
	at = filled;
	while (*text) {
		if (strncmp(text, mark, sizeof(mark) - 1)) {
			*at++ = *text++;
			continue;
		}
		text += sizeof(mark) - 1;
		memcpy(at, key, sizeof(key) - 1);
		at += sizeof(key) - 1;
		memset(at, 'a', digits);
		at += digits;
		*at++ = '"';
	}
	*at = 0;
	return filled;
}

/* One length fits all keys of a configuration that mixes no ciphers: else nothing is said. */
static void read_back(const struct fl_config *config, enum fl_config_print what)
{
	char *printed = fl_config_print(config, what), *again, *filled;
	struct fl_config_errors *errors = NULL;
	struct fl_config *back = NULL;
	int err = -EINVAL;

	MUST(printed);
	for (size_t digits = 32; err && digits <= 64; digits += 32) {
		fl_config_errors_free(errors);
		filled = fill_secrets(printed, digits);
		err = fl_config_load(filled, strlen(filled), &back, &errors);
		MUST(err == 0 || strstr(printed, mark));
		free(filled);
	}
	fl_config_errors_free(errors);
	if (!err) {
		again = fl_config_print(back, what);
		MUST(again && !strcmp(again, printed));
		free(again);
		if (!strstr(printed, mark))
			MUST(changes_between(config, back) == 0);
	}
	fl_config_free(back);
	free(printed);
}

/* What is JSON prints, and prints the same after another reading. */
static void json(const char *text, size_t len)
{
	struct fl_json *one = NULL, *two = NULL;
	struct fl_json_error why = { 0 };
	char *first, *second;
	int err = fl_json_parse(text, len, &one, &why);

	MUST(err == 0 || err == -EBADMSG);
	if (err) {
		MUST(why.line && why.column && *why.problem);
		return;
	}
	first = fl_json_print(one, FL_JSON_PRETTY);
	MUST(first);
	MUST(fl_json_parse(first, strlen(first), &two, &why) == 0);
	second = fl_json_print(two, FL_JSON_PRETTY);
	MUST(second && !strcmp(first, second));
	free(first);
	free(second);
	fl_json_free(one);
	fl_json_free(two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = (char *)exact_copy(data, len);
	struct fl_config_errors *errors = NULL;
	struct fl_config *config = NULL;
	int err;

	json(text, len);
	err = fl_config_load(text, len, &config, &errors);
	MUST(err == 0 || err == -EINVAL);
	MUST(!err == !!config);
	say(errors, !err);
	fl_config_errors_free(errors);
	if (config) {
		look(config);
		MUST(changes_between(NULL, config) > 0); /* names, at least */
		MUST(changes_between(config, config) == 0);
		read_back(config, FL_CONFIG_AS_IS);
		read_back(config, FL_CONFIG_DEFAULTS);
	}
	fl_config_free(config);
	free(text);
	return 0;
}
