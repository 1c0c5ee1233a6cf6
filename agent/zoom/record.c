// SPDX-License-Identifier: Apache-2.0
/* Credentials on disk: see record.h. */
#include "agent/zoom/record.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/codec/json.h"
#include "agent/crypto/digest.h"
#include "agent/crypto/vault.h"

#define SUFFIX ".cred"

void fl_zoom_record_name(struct fl_zoom_record *record)
{
	char text[512];
	uint8_t digest[FL_SHA256_LEN];
	int len = snprintf(text, sizeof(text), "%s %s%s", record->app.client_id,
			   *record->app.account_id ? "account " : "person ",
			   *record->app.account_id ? record->app.account_id : record->person.id);

	fl_sha256(text, (size_t)len, digest);
	fl_hex_encode(digest, (sizeof(record->id) - 1) / 2, record->id);
}

bool fl_zoom_record_is_file(const char *file)
{
	size_t len = strlen(file);

	return len == FL_ZOOM_ID_LEN - 1 + strlen(SUFFIX) &&
	       !strcmp(file + FL_ZOOM_ID_LEN - 1, SUFFIX) &&
	       strspn(file, "0123456789abcdef") >= FL_ZOOM_ID_LEN - 1;
}

/* --- members ------------------------------------------------------------------------------------
 */

/* Texts of a record, each under its name. */
struct member {
	const char *key;
	char *to;
	size_t size;
};

#define MEMBERS(r)                                                                                 \
	{                                                                                          \
		{ "client_id", (r)->app.client_id, sizeof((r)->app.client_id) },                   \
			{ "client_secret", (r)->app.client_secret,                                 \
			  sizeof((r)->app.client_secret) },                                        \
			{ "app_account", (r)->app.account_id, sizeof((r)->app.account_id) },       \
			{ "redirect_uri", (r)->app.redirect_uri, sizeof((r)->app.redirect_uri) },  \
			{ "oauth_base", (r)->app.oauth_base, sizeof((r)->app.oauth_base) },        \
			{ "api_base", (r)->app.api_base, sizeof((r)->app.api_base) },              \
			{ "access", (r)->token.access, sizeof((r)->token.access) },                \
			{ "refresh", (r)->token.refresh, sizeof((r)->token.refresh) },             \
			{ "scope", (r)->token.scope, sizeof((r)->token.scope) },                   \
			{ "api_url", (r)->token.api_url, sizeof((r)->token.api_url) },             \
			{ "person", (r)->person.id, sizeof((r)->person.id) },                      \
			{ "email", (r)->person.email, sizeof((r)->person.email) },                 \
			{ "name", (r)->person.name, sizeof((r)->person.name) },                    \
			{ "account", (r)->person.account_id, sizeof((r)->person.account_id) },     \
			{ "number", (r)->person.account_number,                                    \
			  sizeof((r)->person.account_number) },                                    \
			{ "company", (r)->person.company, sizeof((r)->person.company) },           \
			{ "role", (r)->person.role_name, sizeof((r)->person.role_name) },          \
			{ "failed", (r)->failed, sizeof((r)->failed) },                            \
	}
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static void copy(char *to, size_t size, const struct fl_json *from)
{
	const char *text = fl_json_get_string(from);

	snprintf(to, size, "%s", text ? text : "");
}

static int64_t number(const struct fl_json *json, const char *key)
{
	int64_t value = 0;

	fl_json_get_i64(fl_json_member(json, key), &value);
	return value;
}

static void link_print(const struct fl_zoom_link *link, struct fl_json *to)
{
	fl_json_add_string(to, "org", link->org);
	fl_json_add_string(to, "linked_by", link->linked_by);
	fl_json_add_i64(to, "linked_ms", link->linked_ms);
	fl_json_add_string(to, "consent_by", link->consent_by);
	fl_json_add_i64(to, "consent_s", link->consent_s);
	fl_json_add_bool(to, "discard_guests", link->discard_guests);
	fl_json_add_bool(to, "keep_topic", link->keep_topic);
	fl_json_add_bool(to, "keep_comments", link->keep_comments);
	fl_json_add_bool(to, "keep_phone_numbers", link->keep_phone_numbers);
	fl_json_add_i64(to, "max_daily", link->max_daily);
}

static void link_parse(struct fl_zoom_link *link, const struct fl_json *from)
{
	copy(link->org, sizeof(link->org), fl_json_member(from, "org"));
	copy(link->linked_by, sizeof(link->linked_by), fl_json_member(from, "linked_by"));
	copy(link->consent_by, sizeof(link->consent_by), fl_json_member(from, "consent_by"));
	link->linked_ms = number(from, "linked_ms");
	link->consent_s = number(from, "consent_s");
	link->discard_guests = fl_json_get_bool(fl_json_member(from, "discard_guests"));
	link->keep_topic = fl_json_get_bool(fl_json_member(from, "keep_topic"));
	link->keep_comments = fl_json_get_bool(fl_json_member(from, "keep_comments"));
	link->keep_phone_numbers = fl_json_get_bool(fl_json_member(from, "keep_phone_numbers"));
	link->max_daily = (uint32_t)number(from, "max_daily");
}

static char *print(const struct fl_zoom_record *record)
{
	struct fl_zoom_record *r = (struct fl_zoom_record *)(uintptr_t)record;
	const struct member members[] = MEMBERS(r);
	struct fl_json *json = fl_json_new_object(), *links;
	char *text;

	for (size_t i = 0; i < COUNT(members); i++)
		fl_json_add_string(json, members[i].key, members[i].to);
	fl_json_add_i64(json, "expires_s", r->expires_s);
	links = fl_json_add_array(json, "links");
	for (size_t i = 0; i < r->link_count; i++)
		link_print(&r->links[i], fl_json_add_object(links, NULL));
	text = fl_json_print(json, FL_JSON_COMPACT);
	fl_json_free(json);
	return text;
}

static void parse(struct fl_zoom_record *r, const struct fl_json *json)
{
	const struct member members[] = MEMBERS(r);
	const struct fl_json *links = fl_json_member(json, "links");

	for (size_t i = 0; i < COUNT(members); i++)
		copy(members[i].to, members[i].size, fl_json_member(json, members[i].key));
	r->expires_s = number(json, "expires_s");
	for (size_t i = 0; i < fl_json_count(links) && i < FL_ZOOM_ORGS_MAX; i++)
		link_parse(&r->links[r->link_count++], fl_json_at(links, i));
	fl_zoom_record_name(r);
}

/* --- files --------------------------------------------------------------------------------------
 */

int fl_zoom_record_save(const struct fl_zoom_record *record, const struct fl_vault *vault,
			const char *dir)
{
	char path[PATH_MAX];
	char *text = print(record);
	int err;

	if (!text)
		return -ENOMEM;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s" SUFFIX, dir, record->id) < sizeof(path))
		err = fl_vault_write(vault, path, record->id, text, strlen(text));
	else
		err = -ENAMETOOLONG;
	fl_vault_forget(text, strlen(text));
	return err;
}

int fl_zoom_record_load(const char *file, const struct fl_vault *vault, const char *dir,
			struct fl_zoom_record *ret_record)
{
	struct fl_zoom_record *r;
	struct fl_json *json = NULL;
	struct fl_json_error why;
	char path[PATH_MAX], id[FL_ZOOM_ID_LEN];
	char *text = NULL;
	size_t len = 0;
	int err;

	if (!fl_zoom_record_is_file(file) ||
	    (size_t)snprintf(path, sizeof(path), "%s/%s", dir, file) >= sizeof(path))
		return -EINVAL;
	snprintf(id, sizeof(id), "%s", file);
	err = fl_vault_read(vault, path, id, &text, &len);
	if (err)
		return err;
	r = calloc(1, sizeof(*r));
	err = r ? fl_json_parse(text, len, &json, &why) : -ENOMEM;
	fl_vault_forget(text, len);
	if (!err) {
		parse(r, json);
		err = strcmp(r->id, id) ? -EBADMSG : 0;
	}
	fl_json_free(json);
	if (!err)
		*ret_record = *r;
	if (r)
		explicit_bzero(r, sizeof(*r));
	free(r);
	return err;
}

int fl_zoom_record_delete(const struct fl_zoom_record *record, const char *dir)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s" SUFFIX, dir, record->id) >= sizeof(path))
		return -ENAMETOOLONG;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

struct fl_zoom_link *fl_zoom_record_link(struct fl_zoom_record *record, const char *org)
{
	for (size_t i = 0; i < record->link_count; i++) {
		if (!strcmp(record->links[i].org, org))
			return &record->links[i];
	}
	return NULL;
}
