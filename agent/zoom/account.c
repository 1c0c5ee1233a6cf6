// SPDX-License-Identifier: Apache-2.0
/* A linked account at work: see account.h. */
#include "agent/zoom/account.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"

#define EARLY_S 300  /* before the end of a token (zoom-api.md 9) */
#define DISK_MS 5000 /* until a token that could not be stored is stored again */

struct under_way {
	struct fl_zoom_account *account;
	struct fl_zoom_transfer *transfer; /* NULL: free */
	uint32_t id;
};

struct fl_zoom_account {
	const struct fl_zoom_env *env;
	struct fl_zoom_record record;
	struct fl_zoom_poller *poller;
	sd_event_source *timer;
	struct under_way calls[FL_ZOOM_PARALLEL_MAX];
	struct fl_zoom_transfer *refresh;
	struct fl_mono refresh_at;
	struct fl_mono gate; /* no refresh before */
	unsigned int failures;
	bool wish;    /* the poller wants a new token */
	bool usable;  /* there is an access token, and it is on disk */
	bool unsaved; /* there is a new one, and it is not */
	char trouble[384];
};

static void pump(struct fl_zoom_account *a);

static struct fl_mono in_s(int64_t s)
{
	return fl_mono_add_ms(fl_mono_now(), s > 0 ? (uint64_t)s * 1000 : 0);
}

static void changed(struct fl_zoom_account *a)
{
	if (a->env->changed)
		a->env->changed(a->env->ctx, a);
}

/* --- tokens -------------------------------------------------------------------------------------
 */

/* The pair is on disk before it is used: the old refresh token died when this one was issued. */
static void save_token(struct fl_zoom_account *a)
{
	int err = fl_zoom_record_save(&a->record, a->env->vault, a->env->dir);

	if (err) {
		if (!a->unsaved)
			fl_log_err(err, "a new token of Zoom's cannot be stored, trying again");
		a->unsaved = true;
		a->usable = false;
		a->gate = fl_mono_add_ms(fl_mono_now(), DISK_MS);
		snprintf(a->trouble, sizeof(a->trouble), "New tokens cannot be stored: %s",
			 strerror(-err));
		return;
	}
	a->unsaved = a->wish = false;
	a->usable = true;
	*a->trouble = 0;
	if (a->poller)
		fl_zoom_poller_token(a->poller, a->record.token.scope);
}

static void never(struct fl_zoom_account *a, const char *words)
{
	fl_error("an account of Zoom's must be linked again: %s", words);
	explicit_bzero(&a->record.token, sizeof(a->record.token));
	a->record.expires_s = 0;
	snprintf(a->record.failed, sizeof(a->record.failed), "%s", words);
	a->usable = a->unsaved = false;
	fl_zoom_record_save(&a->record, a->env->vault, a->env->dir);
}

static void on_refreshed(void *ctx, const struct fl_zoom_answer *answer)
{
	struct fl_zoom_account *a = ctx;
	struct fl_zoom_token *token = calloc(1, sizeof(*token));
	enum fl_zoom_grant grant = FL_ZOOM_GRANT_AGAIN;
	char words[384] = "out of memory";

	a->refresh = NULL;
	if (token)
		grant = fl_zoom_grant(answer, &a->record.app, token, words, sizeof(words));
	switch (grant) {
	case FL_ZOOM_GRANTED:
		/* Server-to-Server has none; a missing one keeps the old. */
		if (!*token->refresh)
			memcpy(token->refresh, a->record.token.refresh, sizeof(token->refresh));
		a->record.token = *token;
		a->record.expires_s =
			(int64_t)(fl_wall_now_ns() / FL_NS_PER_S) + token->expires_in_s;
		a->refresh_at = in_s(token->expires_in_s - EARLY_S);
		a->failures = 0;
		save_token(a);
		break;
	case FL_ZOOM_GRANT_AGAIN:
		snprintf(a->trouble, sizeof(a->trouble), "%s", words);
		a->gate = fl_mono_add_ms(fl_mono_now(), fl_zoom_backoff_ms(a->failures++));
		break;
	case FL_ZOOM_GRANT_NEVER:
		never(a, words);
		break;
	}
	if (token)
		explicit_bzero(token, sizeof(*token));
	free(token);
	pump(a);
	changed(a);
}

static void start_refresh(struct fl_zoom_account *a)
{
	static char form[FL_ZOOM_FORM_LEN], url[FL_ZOOM_URL_LEN + 32];
	char basic[FL_ZOOM_BASIC_LEN];
	struct fl_zoom_http_request request = { .url = url, .basic = basic, .form = form };
	int err;

	if (*a->record.app.account_id)
		err = fl_zoom_form_account(&a->record.app, form, sizeof(form));
	else
		err = fl_zoom_form_refresh(a->record.token.refresh, form, sizeof(form));
	fl_zoom_basic(&a->record.app, basic);
	snprintf(url, sizeof(url), "%s/oauth/token", a->record.app.oauth_base);
	if (!err)
		err = fl_zoom_http_send(a->env->http, &request, on_refreshed, a, &a->refresh);
	explicit_bzero(form, sizeof(form));
	explicit_bzero(basic, sizeof(basic));
	if (err)
		a->gate = fl_mono_add_ms(fl_mono_now(), fl_zoom_backoff_ms(a->failures++));
}

/* --- requests -----------------------------------------------------------------------------------
 */

static void on_answer(void *ctx, const struct fl_zoom_answer *answer)
{
	struct under_way *call = ctx;
	struct fl_zoom_account *a = call->account;

	call->transfer = NULL;
	if (fl_zoom_poller_answer(a->poller, call->id, answer)) {
		/* Already being refreshed, or done meanwhile: the poller knows by its count. */
		a->wish = true;
	}
	pump(a);
}

static bool send_one(struct fl_zoom_account *a, const struct fl_zoom_request *request)
{
	static char url[FL_ZOOM_URL_LEN + FL_ZOOM_PATH_LEN + 8];
	const char *base =
		*a->record.token.api_url ? a->record.token.api_url : a->record.app.api_base;
	const struct fl_zoom_http_request http = { .url = url, .bearer = a->record.token.access };
	struct under_way *call = a->calls;
	struct fl_zoom_answer none = { 0 };

	while (call->transfer)
		call++;
	call->account = a;
	call->id = request->id;
	snprintf(url, sizeof(url), "%s/v2%s", base, request->path);
	none.err = fl_zoom_http_send(a->env->http, &http, on_answer, call, &call->transfer);
	if (!none.err)
		return true;
	fl_zoom_poller_answer(a->poller, request->id, &none);
	return false;
}

static void sooner(struct fl_mono *wake, struct fl_mono t)
{
	if (t.ns < wake->ns)
		*wake = t;
}

/* Token first, then as many requests as may go out; returns when to come again. */
static struct fl_mono work(struct fl_zoom_account *a)
{
	struct fl_mono now = fl_mono_now(), wake = fl_mono_add_ms(now, 3600000), when;
	bool due = a->wish || !a->usable || fl_mono_reached(now, a->refresh_at);
	struct fl_zoom_request request;

	if (due && !a->refresh) {
		if (!fl_mono_reached(now, a->gate))
			sooner(&wake, a->gate);
		else if (a->unsaved)
			save_token(a);
		else
			start_refresh(a);
		if (!a->refresh && !fl_mono_reached(now, a->gate))
			sooner(&wake, a->gate);
	} else if (!due) {
		sooner(&wake, a->refresh_at);
	}
	if (!a->poller || a->wish || !a->usable)
		return wake;
	while (fl_zoom_poller_next(a->poller, &request, &when)) {
		if (!send_one(a, &request))
			break;
	}
	sooner(&wake, when);
	return wake;
}

static void pump(struct fl_zoom_account *a)
{
	struct fl_mono wake;

	if (*a->record.failed) {
		sd_event_source_set_enabled(a->timer, SD_EVENT_OFF);
		return;
	}
	wake = work(a);
	/* A millisecond at least: whatever goes wrong must not become a busy loop. */
	sd_event_source_set_time_relative(a->timer,
					  (fl_mono_ms_between(fl_mono_now(), wake) + 1) * 1000);
	sd_event_source_set_enabled(a->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	pump(userdata);
	return 0;
}

/* --- life ---------------------------------------------------------------------------------------
 */

static void use_record(struct fl_zoom_account *a, const struct fl_zoom_record *record)
{
	int64_t left = record->expires_s - (int64_t)(fl_wall_now_ns() / FL_NS_PER_S);

	a->record = *record;
	a->usable = *record->token.access && left > EARLY_S;
	a->refresh_at = in_s(left < 3600 ? left - EARLY_S : 3600 - EARLY_S);
	a->failures = 0;
	a->gate = (struct fl_mono){ 0 };
	a->wish = a->unsaved = false;
	snprintf(a->trouble, sizeof(a->trouble), "%s", record->failed);
}

int fl_zoom_account_new(const struct fl_zoom_env *env, const struct fl_zoom_record *record,
			struct fl_zoom_account **ret_account)
{
	struct fl_zoom_account *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return -ENOMEM;
	a->env = env;
	use_record(a, record);
	err = sd_event_add_time_relative(env->event, &a->timer, CLOCK_MONOTONIC, 0, 0, on_timer, a);
	if (err < 0) {
		fl_zoom_account_free(a);
		return err;
	}
	*ret_account = a;
	return 0;
}

static void stop_calls(struct fl_zoom_account *a)
{
	for (size_t i = 0; i < FL_ZOOM_PARALLEL_MAX; i++) {
		fl_zoom_http_cancel(a->calls[i].transfer);
		a->calls[i].transfer = NULL;
	}
	fl_zoom_poller_free(a->poller);
	a->poller = NULL;
}

void fl_zoom_account_free(struct fl_zoom_account *account)
{
	if (!account)
		return;
	stop_calls(account);
	fl_zoom_http_cancel(account->refresh);
	sd_event_source_disable_unref(account->timer);
	explicit_bzero(account, sizeof(*account));
	free(account);
}

struct fl_zoom_record *fl_zoom_account_record(struct fl_zoom_account *account)
{
	return &account->record;
}

bool fl_zoom_account_is_failed(const struct fl_zoom_account *account)
{
	return *account->record.failed;
}

struct fl_zoom_settings fl_zoom_account_settings(const struct fl_zoom_settings *base,
						 const struct fl_zoom_record *record)
{
	struct fl_zoom_settings s = *base;

	for (size_t i = 0; i < record->link_count; i++) {
		const struct fl_zoom_link *link = &record->links[i];

		s.discard_guests |= link->discard_guests;
		s.keep_topic &= link->keep_topic;
		s.keep_comments &= link->keep_comments;
		s.keep_phone_numbers &= link->keep_phone_numbers;
		if (link->max_daily && (!s.max_daily || link->max_daily < s.max_daily))
			s.max_daily = link->max_daily;
	}
	return s;
}

int fl_zoom_account_poll(struct fl_zoom_account *account, bool poll)
{
	struct fl_zoom_settings s;
	int err = 0;

	if (poll && !account->poller) {
		s = fl_zoom_account_settings(&account->env->settings, &account->record);
		err = fl_zoom_poller_new(account->record.person.account_id, &s, account->env->sink,
					 &account->poller);
		if (!err && account->usable)
			fl_zoom_poller_token(account->poller, account->record.token.scope);
	} else if (!poll && account->poller) {
		stop_calls(account);
	}
	if (!err)
		pump(account);
	return err;
}

int fl_zoom_account_renew(struct fl_zoom_account *account, const struct fl_zoom_record *record)
{
	bool polls = account->poller;

	stop_calls(account);
	fl_zoom_http_cancel(account->refresh);
	account->refresh = NULL;
	use_record(account, record);
	return fl_zoom_account_poll(account, polls);
}

void fl_zoom_account_sync(struct fl_zoom_account *account)
{
	if (account->poller)
		fl_zoom_poller_sync(account->poller);
	account->gate = (struct fl_mono){ 0 };
	pump(account);
}

void fl_zoom_account_ended(struct fl_zoom_account *account, const struct fl_zoom_meeting *meeting)
{
	if (!account->poller)
		return;
	fl_zoom_poller_ended(account->poller, meeting);
	pump(account);
}

struct fl_zoom_poller *fl_zoom_account_poller(struct fl_zoom_account *account)
{
	return account->poller;
}

const char *fl_zoom_account_trouble(const struct fl_zoom_account *account)
{
	return *account->record.failed ? account->record.failed : account->trouble;
}
