// SPDX-License-Identifier: Apache-2.0
/* Linking: from a code, or from an account's id, to a record on disk. And giving tokens back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "agent/base/log.h"
#include "agent/zoom/scope.h"
#include "agent/zoom/zoom_internal.h"

#define REVOKE_TRIES 3

struct linking {
	struct fl_zoom *zoom;
	struct fl_zoom_record record;
	struct fl_zoom_link link;
	struct fl_zoom_transfer *transfer;
	fl_zoom_linked_fn fn;
	void *ctx;
	struct linking *prev, *next;
};

struct revoking {
	struct fl_zoom *zoom;
	struct fl_zoom_app app;
	char token[FL_ZOOM_SECRET_LEN];
	unsigned int tries;
	struct fl_zoom_transfer *transfer;
	sd_event_source *timer;
	struct revoking *prev, *next;
};

/* --- linking ------------------------------------------------------------------------------------
 */

static void linking_free(struct linking *l)
{
	DL_DELETE(l->zoom->linkings, l);
	fl_zoom_http_cancel(l->transfer);
	explicit_bzero(l, sizeof(*l));
	free(l);
}

static void finish(struct linking *l, bool linked, const char *words)
{
	fl_zoom_linked_fn fn = l->fn;
	void *ctx = l->ctx;
	char account[FL_ZOOM_KEY_LEN] = "";

	if (linked)
		snprintf(account, sizeof(account), "%s",
			 *l->record.person.account_number ? l->record.person.account_number
							  : l->record.person.account_id);
	linking_free(l);
	fn(ctx, linked, words, account);
}

/* A link of the same organisation is replaced, others stay (zoom-api.md 2.1). */
static int add_link(struct linking *l)
{
	struct fl_zoom_account *old = zoom_find_record(l->zoom, l->record.id);
	struct fl_zoom_link *link;

	if (old) {
		const struct fl_zoom_record *r = fl_zoom_account_record(old);

		memcpy(l->record.links, r->links, sizeof(r->links));
		l->record.link_count = r->link_count;
	}
	link = fl_zoom_record_link(&l->record, l->link.org);
	if (!link) {
		if (l->record.link_count == FL_ZOOM_ORGS_MAX)
			return -ENOSPC;
		link = &l->record.links[l->record.link_count++];
	}
	*link = l->link;
	return 0;
}

static void store(struct linking *l)
{
	char words[FL_ZOOM_WORDS_LEN], scopes[300];
	int err;

	l->link.linked_ms = (int64_t)(fl_wall_now_ns() / FL_NS_PER_MS);
	if (*l->record.person.email)
		snprintf(l->link.linked_by, sizeof(l->link.linked_by), "%s",
			 l->record.person.email);
	else if (!*l->link.linked_by)
		snprintf(l->link.linked_by, sizeof(l->link.linked_by), "%s", l->link.consent_by);
	fl_zoom_record_name(&l->record);
	err = add_link(l);
	if (!err)
		err = fl_zoom_record_save(&l->record, l->zoom->env.vault, l->zoom->env.dir);
	if (!err)
		err = zoom_adopt(l->zoom, &l->record);
	if (err) {
		snprintf(words, sizeof(words), "The account cannot be stored: %s", strerror(-err));
		finish(l, false, words);
		return;
	}
	if (fl_zoom_scope_missing(l->record.token.scope, scopes, sizeof(scopes)))
		snprintf(words, sizeof(words), "Linked, but permissions are missing: %s", scopes);
	else
		snprintf(words, sizeof(words), "Linked");
	finish(l, true, words);
}

static void on_person(void *ctx, const struct fl_zoom_answer *answer)
{
	struct linking *l = ctx;
	char words[FL_ZOOM_WORDS_LEN], why[192];
	enum fl_zoom_verdict verdict;
	struct fl_zoom_page page;

	l->transfer = NULL;
	verdict = fl_zoom_judge(answer, &page);
	if (verdict == FL_ZOOM_FINE &&
	    !fl_zoom_parse_person(answer->body, answer->len, &page, &l->record.person)) {
		store(l);
		return;
	}
	fl_zoom_answer_words(answer, &page, why, sizeof(why));
	if (verdict == FL_ZOOM_SCOPE)
		snprintf(
			words, sizeof(words),
			"The app lacks the permission user:read:admin (or user:read:user:admin): %s",
			why);
	else
		snprintf(words, sizeof(words), "Zoom does not say who signed in: %s", why);
	zoom_revoke(l->zoom, &l->record);
	finish(l, false, words);
}

static int ask_person(struct linking *l)
{
	const struct fl_zoom_record *r = &l->record;
	char url[FL_ZOOM_URL_LEN + 32];
	const struct fl_zoom_http_request request = { .url = url, .bearer = r->token.access };

	snprintf(url, sizeof(url), "%s/v2/users/me",
		 *r->token.api_url ? r->token.api_url : r->app.api_base);
	return fl_zoom_http_send(l->zoom->env.http, &request, on_person, l, &l->transfer);
}

static void on_token(void *ctx, const struct fl_zoom_answer *answer)
{
	struct linking *l = ctx;
	struct fl_zoom_record *r = &l->record;
	char words[FL_ZOOM_WORDS_LEN];
	int err = 0;

	l->transfer = NULL;
	if (fl_zoom_grant(answer, &r->app, &r->token, words, sizeof(words)) != FL_ZOOM_GRANTED) {
		finish(l, false, words);
		return;
	}
	r->expires_s = (int64_t)(fl_wall_now_ns() / FL_NS_PER_S) + r->token.expires_in_s;
	if (*r->app.account_id) {
		/* "me" is nobody here (zoom-api.md 1); the account is the one that was named. */
		memcpy(r->person.account_id, r->app.account_id, sizeof(r->person.account_id));
		store(l);
		return;
	}
	if (*r->token.refresh)
		err = ask_person(l);
	else
		err = -EPROTO;
	if (err)
		finish(l, false,
		       err == -EPROTO ? "Zoom sent no refresh token: is the app an "
					"admin-managed app with authorization code?"
				      : strerror(-err));
}

/* @form is wiped. */
static void ask_token(struct linking *l, char *form, size_t size, int err)
{
	char basic[FL_ZOOM_BASIC_LEN], url[FL_ZOOM_URL_LEN + 32];
	const struct fl_zoom_http_request request = { .url = url, .basic = basic, .form = form };

	fl_zoom_basic(&l->record.app, basic);
	snprintf(url, sizeof(url), "%s/oauth/token", l->record.app.oauth_base);
	if (!err)
		err = fl_zoom_http_send(l->zoom->env.http, &request, on_token, l, &l->transfer);
	explicit_bzero(form, size);
	explicit_bzero(basic, sizeof(basic));
	if (err)
		finish(l, false, strerror(-err));
}

static struct linking *linking_new(struct fl_zoom *zoom, const struct fl_zoom_app *app,
				   const struct fl_zoom_link *link, fl_zoom_linked_fn fn, void *ctx)
{
	struct linking *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->zoom = zoom;
	l->record.app = *app;
	l->link = *link;
	l->fn = fn;
	l->ctx = ctx;
	DL_APPEND(zoom->linkings, l);
	return l;
}

/* Nothing is asked of Zoom before somebody said that it may be (zoom-api.md 9). */
static int consent(struct fl_zoom_link *link, const struct fl_zoom_app *app,
		   char words[FL_ZOOM_WORDS_LEN])
{
	if (!*link->consent_by) {
		snprintf(words, FL_ZOOM_WORDS_LEN,
			 "Zoom insights are off for this organisation: somebody must opt in first");
		return -EPERM;
	}
	if (!*link->org || !*app->client_id || !*app->client_secret ||
	    !fl_zoom_base_is_good(app->oauth_base) || !fl_zoom_base_is_good(app->api_base)) {
		snprintf(words, FL_ZOOM_WORDS_LEN,
			 "client id, client secret or a base URL is missing "
			 "or is no https URL");
		return -EINVAL;
	}
	link->consent_s = (int64_t)(fl_wall_now_ns() / FL_NS_PER_S);
	return 0;
}

int fl_zoom_link_url(struct fl_zoom *zoom, const struct fl_zoom_app *app,
		     const struct fl_zoom_link *link, const char *session, char *url, size_t size,
		     char words[FL_ZOOM_WORDS_LEN])
{
	struct fl_zoom_link copy = *link;
	int err = consent(&copy, app, words);

	if (!err)
		err = fl_zoom_link_begin(&zoom->pendings, app, &copy, session, fl_mono_now(), url,
					 size);
	if (err == -EINVAL && !*words)
		snprintf(words, FL_ZOOM_WORDS_LEN, "the redirect URI is missing");
	return err;
}

void fl_zoom_link_back(struct fl_zoom *zoom, const struct fl_zoom_back *back, fl_zoom_linked_fn fn,
		       void *ctx)
{
	static char form[FL_ZOOM_FORM_LEN];
	struct fl_zoom_pending pending;
	char words[FL_ZOOM_WORDS_LEN];
	struct linking *l;

	if (fl_zoom_link_take(&zoom->pendings, back->state, back->session, fl_mono_now(),
			      &pending)) {
		fn(ctx, false,
		   "This link was not begun here, was used before, or is too old: begin again", "");
		return;
	}
	if (*back->error || !*back->code) {
		fl_zoom_denied_words(back->error, back->description, words, sizeof(words));
		fn(ctx, false, words, "");
		return;
	}
	l = linking_new(zoom, &pending.app, &pending.link, fn, ctx);
	if (l)
		ask_token(l, form, sizeof(form),
			  fl_zoom_form_code(&pending, back->code, form, sizeof(form)));
	else
		fn(ctx, false, "out of memory", "");
	explicit_bzero(&pending, sizeof(pending));
}

void fl_zoom_link_server(struct fl_zoom *zoom, const struct fl_zoom_app *app,
			 const struct fl_zoom_link *link, fl_zoom_linked_fn fn, void *ctx)
{
	static char form[FL_ZOOM_FORM_LEN];
	char words[FL_ZOOM_WORDS_LEN] = "";
	struct fl_zoom_link copy = *link;
	struct linking *l;

	if (consent(&copy, app, words)) {
		fn(ctx, false, words, "");
		return;
	}
	if (!*app->account_id) {
		fn(ctx, false, "The account id of the Server-to-Server app is missing", "");
		return;
	}
	l = linking_new(zoom, app, &copy, fn, ctx);
	if (l)
		ask_token(l, form, sizeof(form), fl_zoom_form_account(app, form, sizeof(form)));
	else
		fn(ctx, false, "out of memory", "");
}

/* --- giving tokens back -------------------------------------------------------------------------
 */

static void revoking_free(struct revoking *r)
{
	DL_DELETE(r->zoom->revokings, r);
	fl_zoom_http_cancel(r->transfer);
	sd_event_source_disable_unref(r->timer);
	explicit_bzero(r, sizeof(*r));
	free(r);
}

static void on_revoked(void *ctx, const struct fl_zoom_answer *answer)
{
	struct revoking *r = ctx;

	r->transfer = NULL;
	/* 4xx: it is not valid any more, which is what we want. */
	if (!answer->err && answer->status < 500 && answer->status != 429) {
		revoking_free(r);
		return;
	}
	if (++r->tries == REVOKE_TRIES) {
		fl_warning(
			"a token could not be revoked at Zoom; it is deleted here, and expires there");
		revoking_free(r);
		return;
	}
	sd_event_source_set_time_relative(r->timer, fl_zoom_backoff_ms(r->tries) * 1000);
	sd_event_source_set_enabled(r->timer, SD_EVENT_ONESHOT);
}

static int on_revoke_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	static char form[FL_ZOOM_FORM_LEN];
	char basic[FL_ZOOM_BASIC_LEN], url[FL_ZOOM_URL_LEN + 32];
	struct revoking *r = userdata;
	const struct fl_zoom_http_request request = { .url = url, .basic = basic, .form = form };
	int err = fl_zoom_form_revoke(r->token, form, sizeof(form));

	(void)source;
	(void)usec;
	fl_zoom_basic(&r->app, basic);
	snprintf(url, sizeof(url), "%s/oauth/revoke", r->app.oauth_base);
	if (!err)
		err = fl_zoom_http_send(r->zoom->env.http, &request, on_revoked, r, &r->transfer);
	explicit_bzero(form, sizeof(form));
	explicit_bzero(basic, sizeof(basic));
	if (err)
		revoking_free(r);
	return 0;
}

void zoom_revoke(struct fl_zoom *zoom, const struct fl_zoom_record *record)
{
	const char *token = *record->token.access ? record->token.access : record->token.refresh;
	struct revoking *r = *token ? calloc(1, sizeof(*r)) : NULL;

	if (!r)
		return;
	r->zoom = zoom;
	r->app = record->app;
	snprintf(r->token, sizeof(r->token), "%s", token);
	DL_APPEND(zoom->revokings, r);
	if (sd_event_add_time_relative(zoom->env.event, &r->timer, CLOCK_MONOTONIC, 0, 0,
				       on_revoke_timer, r) < 0)
		revoking_free(r);
}

void zoom_linkings_stop(struct fl_zoom *zoom)
{
	struct revoking *r, *rtmp;
	struct linking *l, *ltmp;

	DL_FOREACH_SAFE(zoom->linkings, l, ltmp)
		linking_free(l);
	DL_FOREACH_SAFE(zoom->revokings, r, rtmp)
		revoking_free(r);
}
