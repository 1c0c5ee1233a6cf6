// SPDX-License-Identifier: Apache-2.0
/* All linked accounts: see zoom.h. */
#include "agent/zoom/zoom.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/base/log.h"
#include "agent/codec/json.h"
#include "agent/crypto/vault.h"
#include "agent/zoom/zoom_internal.h"

#define ELECT_AGAIN_US 60000000

/* --- who polls ----------------------------------------------------------------------------------
 */

static const char *zoom_id(struct fl_zoom_account *a)
{
	return fl_zoom_account_record(a)->person.account_id;
}

/* Of the credentials of one Zoom account the first that works: budgets are the account's. */
static void elect(struct fl_zoom *zoom)
{
	struct fl_mono now = fl_mono_now();

	if (!fl_mono_reached(now, zoom->hold_until)) {
		sd_event_source_set_time_relative(
			zoom->elect_later, (fl_mono_ms_between(now, zoom->hold_until) + 1) * 1000);
		sd_event_source_set_enabled(zoom->elect_later, SD_EVENT_ONESHOT);
		return;
	}
	for (size_t i = 0; i < zoom->count; i++) {
		struct fl_zoom_account *a = zoom->accounts[i];
		bool leads = !fl_zoom_account_is_failed(a);
		int err;

		for (size_t j = 0; j < i && leads; j++)
			leads = fl_zoom_account_is_failed(zoom->accounts[j]) ||
				strcmp(zoom_id(zoom->accounts[j]), zoom_id(a)) != 0;
		err = fl_zoom_account_poll(a, leads);
		if (err) {
			fl_log_err(
				err,
				"an account of Zoom's cannot be polled, trying again in a minute");
			sd_event_source_set_time_relative(zoom->elect_later, ELECT_AGAIN_US);
			sd_event_source_set_enabled(zoom->elect_later, SD_EVENT_ONESHOT);
		}
	}
}

static int on_elect_later(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	elect(userdata);
	return 0;
}

static int on_elect(sd_event_source *source, void *userdata)
{
	(void)source;
	elect(userdata);
	return 0;
}

/* From within an account's own call: not at once. */
static void on_changed(void *ctx, struct fl_zoom_account *account)
{
	struct fl_zoom *zoom = ctx;

	(void)account;
	sd_event_source_set_enabled(zoom->elect_soon, SD_EVENT_ONESHOT);
}

struct fl_zoom_account *zoom_find_record(struct fl_zoom *zoom, const char *id)
{
	for (size_t i = 0; i < zoom->count; i++) {
		if (!strcmp(fl_zoom_account_record(zoom->accounts[i])->id, id))
			return zoom->accounts[i];
	}
	return NULL;
}

int zoom_adopt(struct fl_zoom *zoom, const struct fl_zoom_record *record)
{
	struct fl_zoom_account *old = zoom_find_record(zoom, record->id);
	int err;

	if (old) {
		err = fl_zoom_account_renew(old, record);
	} else {
		if (zoom->count == FL_ZOOM_ACCOUNTS_MAX)
			return -ENOSPC;
		err = fl_zoom_account_new(&zoom->env, record, &zoom->accounts[zoom->count]);
		if (!err)
			zoom->count++;
	}
	if (!err)
		sd_event_source_set_enabled(zoom->elect_soon, SD_EVENT_ONESHOT);
	return err;
}

static void drop(struct fl_zoom *zoom, struct fl_zoom_account *account)
{
	for (size_t i = 0; i < zoom->count; i++) {
		if (zoom->accounts[i] != account)
			continue;
		/* The order says who polls. */
		memmove(&zoom->accounts[i], &zoom->accounts[i + 1],
			(zoom->count - i - 1) * sizeof(*zoom->accounts));
		zoom->count--;
		break;
	}
	fl_zoom_account_free(account);
	sd_event_source_set_enabled(zoom->elect_soon, SD_EVENT_ONESHOT);
}

/* --- life ---------------------------------------------------------------------------------------
 */

static int load(struct fl_zoom *zoom)
{
	struct fl_zoom_record *record = calloc(1, sizeof(*record));
	DIR *dir = opendir(zoom->dir);
	struct dirent *entry;
	int err = dir ? record ? 0 : -ENOMEM : -errno;

	while (!err && (entry = readdir(dir))) {
		if (!fl_zoom_record_is_file(entry->d_name))
			continue;
		err = fl_zoom_record_load(entry->d_name, zoom->vault, zoom->dir, record);
		if (!err)
			err = zoom_adopt(zoom, record);
		if (err)
			fl_log_err(err, "%s/%s cannot be used, going on without", zoom->dir,
				   entry->d_name);
		err = 0;
	}
	if (dir)
		closedir(dir);
	if (record)
		explicit_bzero(record, sizeof(*record));
	free(record);
	return err;
}

int fl_zoom_new(sd_event *event, const struct fl_zoom_cfg *cfg, const struct fl_zoom_sink *sink,
		struct fl_zoom **ret_zoom)
{
	struct fl_zoom *zoom = calloc(1, sizeof(*zoom));
	int err;

	if (!zoom)
		return -ENOMEM;
	zoom->dir = strdup(cfg->dir);
	zoom->env = (struct fl_zoom_env){ .event = event,
					  .dir = zoom->dir,
					  .sink = sink,
					  .settings = cfg->settings,
					  .changed = on_changed,
					  .ctx = zoom };
	zoom->hold_until = fl_mono_add_ms(fl_mono_now(), cfg->hold_ms);
	if (cfg->hook_secret)
		snprintf(zoom->hook_secret, sizeof(zoom->hook_secret), "%s", cfg->hook_secret);
	err = zoom->dir ? 0 : -ENOMEM;
	if (!err && mkdir(cfg->dir, 0700) < 0 && errno != EEXIST)
		err = -errno;
	if (!err)
		err = fl_vault_open(cfg->key_path, &zoom->vault);
	zoom->env.vault = zoom->vault;
	if (!err)
		err = fl_zoom_http_new(event, &cfg->http, &zoom->env.http);
	if (!err)
		err = sd_event_add_defer(event, &zoom->elect_soon, on_elect, zoom);
	if (err >= 0)
		err = sd_event_add_time(event, &zoom->elect_later, CLOCK_MONOTONIC, 0, 0,
					on_elect_later, zoom);
	if (err >= 0) {
		sd_event_source_set_enabled(zoom->elect_later, SD_EVENT_OFF);
		err = load(zoom);
	}
	if (err < 0) {
		fl_zoom_free(zoom);
		return err;
	}
	*ret_zoom = zoom;
	return 0;
}

void fl_zoom_free(struct fl_zoom *zoom)
{
	if (!zoom)
		return;
	if (zoom->env.http)
		zoom_linkings_stop(zoom);
	for (size_t i = 0; i < zoom->count; i++)
		fl_zoom_account_free(zoom->accounts[i]);
	sd_event_source_disable_unref(zoom->elect_soon);
	sd_event_source_disable_unref(zoom->elect_later);
	fl_zoom_http_free(zoom->env.http);
	fl_vault_close(zoom->vault);
	free(zoom->dir);
	explicit_bzero(zoom, sizeof(*zoom));
	free(zoom);
}

/* --- what an operator does ----------------------------------------------------------------------
 */

static bool is_named(struct fl_zoom_account *a, const char *name)
{
	const struct fl_zoom_person *p = &fl_zoom_account_record(a)->person;

	return !strcmp(p->account_id, name) || !strcmp(p->account_number, name);
}

/* Does another credential use the same Zoom account? */
static bool is_shared(struct fl_zoom *zoom, const struct fl_zoom_account *a, const char *account)
{
	for (size_t i = 0; i < zoom->count; i++) {
		if (zoom->accounts[i] != a && !strcmp(zoom_id(zoom->accounts[i]), account))
			return true;
	}
	return false;
}

/* The last link is gone: nothing stays of it (zoom-api.md 9). */
static int remove_account(struct fl_zoom *zoom, struct fl_zoom_account *a, bool revoke, bool data)
{
	struct fl_zoom_record *r = fl_zoom_account_record(a);
	const struct fl_zoom_sink *sink = zoom->env.sink;
	char account[FL_ZOOM_KEY_LEN];
	int err = fl_zoom_record_delete(r, zoom->dir);

	memcpy(account, r->person.account_id, sizeof(account));
	if (revoke)
		zoom_revoke(zoom, r);
	if (!is_shared(zoom, a, account)) {
		int forgot;

		fl_zoom_account_poll(a, false);
		forgot = sink->ops->account_forget(sink->ctx, account, data);
		err = err ? err : forgot;
	}
	drop(zoom, a);
	return err;
}

static int unlink_one(struct fl_zoom *zoom, struct fl_zoom_account *a, struct fl_zoom_link *link,
		      bool data)
{
	struct fl_zoom_record *r = fl_zoom_account_record(a), *copy;
	int err;

	if (r->link_count == 1)
		return remove_account(zoom, a, true, data);
	copy = malloc(sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*link = r->links[--r->link_count];
	*copy = *r;
	err = fl_zoom_record_save(copy, zoom->vault, zoom->dir);
	/* Others' settings may be less strict. */
	if (!err)
		err = fl_zoom_account_renew(a, copy);
	explicit_bzero(copy, sizeof(*copy));
	free(copy);
	return err;
}

int fl_zoom_unlink(struct fl_zoom *zoom, const char *org, const char *account, bool data)
{
	int err = -ENOENT;

	/* Several credentials of one account may be linked by one organisation. */
	for (size_t i = zoom->count; i--;) {
		struct fl_zoom_account *a = zoom->accounts[i];
		struct fl_zoom_link *link = fl_zoom_record_link(fl_zoom_account_record(a), org);

		if (!link || !is_named(a, account))
			continue;
		err = unlink_one(zoom, a, link, data);
		if (err)
			break;
	}
	return err;
}

int fl_zoom_sync(struct fl_zoom *zoom, const char *org, const char *account)
{
	int count = 0;

	for (size_t i = 0; i < zoom->count; i++) {
		struct fl_zoom_account *a = zoom->accounts[i];

		if (!fl_zoom_record_link(fl_zoom_account_record(a), org) ||
		    (*account && !is_named(a, account)))
			continue;
		fl_zoom_account_sync(a);
		count++;
	}
	return count;
}

/* --- status -------------------------------------------------------------------------------------
 */

static void add_errors(struct fl_json *to, const char *trouble, const struct fl_zoom_status *s)
{
	struct fl_json *errors;

	fl_json_add_string(to, "error", *trouble ? trouble : s->error_count ? s->errors[0] : "");
	errors = fl_json_add_array(to, "errors");
	if (*trouble)
		fl_json_add_string(errors, NULL, trouble);
	for (size_t i = 0; i < s->error_count; i++)
		fl_json_add_string(errors, NULL, s->errors[i]);
}

static void add_account(struct fl_zoom *zoom, struct fl_zoom_account *a,
			const struct fl_zoom_link *link, struct fl_json *to)
{
	const struct fl_zoom_record *r = fl_zoom_account_record(a);
	const char *trouble = fl_zoom_account_trouble(a);
	struct fl_zoom_settings settings = fl_zoom_account_settings(&zoom->env.settings, r);
	struct fl_zoom_status s = { 0 };
	struct fl_json *hints;
	bool failed;

	if (fl_zoom_account_poller(a))
		fl_zoom_poller_status(fl_zoom_account_poller(a), &s);
	failed = *trouble || s.failed;
	fl_json_add_string(to, "application", "zoom");
	fl_json_add_string(to, "account_id",
			   *r->person.account_number ? r->person.account_number
						     : r->person.account_id);
	fl_json_add_string(to, "company", r->person.company);
	fl_json_add_string(to, "linked_by", link->linked_by);
	fl_json_add_double(to, "linked_timestamp", (double)link->linked_ms / 1000);
	fl_json_add_i64(to, "last_sync", s.last_sync_ms);
	fl_json_add_string(to, "last_status",
			   failed           ? "failed"
			   : s.last_sync_ms ? "success"
					    : "pending");
	add_errors(to, trouble, &s);
	hints = fl_json_add_array(to, "hints");
	for (size_t i = 0; i < s.hint_count; i++)
		fl_json_add_string(hints, NULL, s.hints[i]);
	fl_json_add_i64(to, "max_daily_api_requests", settings.max_daily);
	fl_json_add_i64(to, "api_requests_today", s.used_today);
	fl_json_add_bool(to, "discard_guest_info", settings.discard_guests);
	fl_json_add_string(to, "consent_by", link->consent_by);
	fl_json_add_i64(to, "consent_timestamp", link->consent_s);
	fl_json_add_bool(to, "polls", fl_zoom_account_poller(a));
	fl_json_add_bool(to, "catching_up", s.catching_up);
	fl_json_add_i64(to, "open_meetings", s.open_meetings);
	fl_json_add_u64(to, "meetings", s.meetings);
	fl_json_add_u64(to, "participants", s.joins);
	fl_json_add_u64(to, "participant_minutes", s.minutes);
	fl_json_add_u64(to, "dropped_participants", s.dropped_joins);
}

void fl_zoom_status_json(struct fl_zoom *zoom, const char *org, struct fl_json *to)
{
	struct fl_json *accounts;
	bool linked = false;

	for (size_t i = 0; i < zoom->count; i++)
		linked |=
			fl_zoom_record_link(fl_zoom_account_record(zoom->accounts[i]), org) != NULL;
	fl_json_add_bool(to, "linked", linked);
	accounts = fl_json_add_array(to, "accounts");
	for (size_t i = 0; i < zoom->count; i++) {
		struct fl_zoom_link *link =
			fl_zoom_record_link(fl_zoom_account_record(zoom->accounts[i]), org);

		if (link)
			add_account(zoom, zoom->accounts[i], link,
				    fl_json_add_object(accounts, NULL));
	}
}

/* --- webhooks -----------------------------------------------------------------------------------
 */

/* The same as unlinking, by whoever owns the app or the person at Zoom's side. */
static void deauthorized(struct fl_zoom *zoom, const struct fl_zoom_hook *hook)
{
	for (size_t i = zoom->count; i--;) {
		struct fl_zoom_account *a = zoom->accounts[i];
		const struct fl_zoom_record *r = fl_zoom_account_record(a);

		if (strcmp(r->person.account_id, hook->account) != 0 ||
		    strcmp(r->app.client_id, hook->client_id) != 0 ||
		    (*r->person.id && *hook->user && strcmp(r->person.id, hook->user) != 0))
			continue;
		fl_notice("Zoom says that the app was removed from an account: it is unlinked");
		remove_account(zoom, a, false, !hook->keep_data);
	}
}

int fl_zoom_hook(struct fl_zoom *zoom, const struct fl_zoom_hook_request *request,
		 struct fl_zoom_hook *ret_hook, char *reply, size_t size)
{
	int status =
		fl_zoom_hook_take(&zoom->hooks, zoom->hook_secret, request, ret_hook, reply, size);

	if (status != 200)
		return status;
	if (ret_hook->kind == FL_ZOOM_HOOK_DEAUTHORIZED) {
		deauthorized(zoom, ret_hook);
	} else if (ret_hook->kind == FL_ZOOM_HOOK_ENDED) {
		for (size_t i = 0; i < zoom->count; i++) {
			if (!strcmp(zoom_id(zoom->accounts[i]), ret_hook->account))
				fl_zoom_account_ended(zoom->accounts[i], &ret_hook->meeting);
		}
	}
	return status;
}

void fl_zoom_hook_again(struct fl_zoom *zoom, const struct fl_zoom_hook *hook)
{
	fl_zoom_hook_forget(&zoom->hooks, hook);
}
