// SPDX-License-Identifier: Apache-2.0
/* OAuth with Zoom: see oauth.h. */
#include "agent/zoom/oauth.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/rand.h"
#include "agent/codec/json_pull.h"
#include "agent/crypto/digest.h"
#include "agent/zoom/uuid.h"

/* --- forms and queries --------------------------------------------------------------------------
 */

/* Pairs of name and value until NULL, joined and escaped, behind what @buf holds. */
static int pairs(char *buf, size_t size, ...)
{
	size_t at = strlen(buf);
	const char *name;
	int err = 0;
	va_list args;

	va_start(args, size);
	while (!err && (name = va_arg(args, const char *))) {
		const char *value = va_arg(args, const char *);
		bool first = !at || buf[at - 1] == '?';
		int n = snprintf(buf + at, size - at, "%s%s=", first ? "" : "&", name);

		if (n < 0 || (size_t)n >= size - at) {
			err = -ENOSPC;
			break;
		}
		at += (size_t)n;
		n = fl_zoom_escape(value, buf + at, size - at);
		if (n < 0)
			err = n;
		else
			at += (size_t)n;
	}
	va_end(args);
	return err;
}

int fl_zoom_form_code(const struct fl_zoom_pending *pending, const char *code, char *form,
		      size_t size)
{
	*form = 0;
	return pairs(form, size, "grant_type", "authorization_code", "code", code, "redirect_uri",
		     pending->app.redirect_uri, "code_verifier", pending->verifier, NULL);
}

int fl_zoom_form_refresh(const char *refresh, char *form, size_t size)
{
	*form = 0;
	return pairs(form, size, "grant_type", "refresh_token", "refresh_token", refresh, NULL);
}

int fl_zoom_form_account(const struct fl_zoom_app *app, char *form, size_t size)
{
	*form = 0;
	return pairs(form, size, "grant_type", "account_credentials", "account_id", app->account_id,
		     NULL);
}

int fl_zoom_form_revoke(const char *token, char *form, size_t size)
{
	*form = 0;
	return pairs(form, size, "token", token, NULL);
}

void fl_zoom_basic(const struct fl_zoom_app *app, char basic[FL_ZOOM_BASIC_LEN])
{
	char both[sizeof(app->client_id) + sizeof(app->client_secret)];
	int len = snprintf(both, sizeof(both), "%s:%s", app->client_id, app->client_secret);

	fl_base64(both, (size_t)len, basic);
	explicit_bzero(both, sizeof(both));
}

/* --- linking ------------------------------------------------------------------------------------
 */

static struct fl_zoom_pending *place(struct fl_zoom_pendings *pendings, struct fl_mono now)
{
	struct fl_zoom_pending *oldest = &pendings->list[0];

	for (size_t i = 0; i < FL_ZOOM_LINKS_MAX; i++) {
		struct fl_zoom_pending *p = &pendings->list[i];

		if (!*p->state || fl_mono_reached(now, p->until))
			return p;
		if (p->until.ns < oldest->until.ns)
			oldest = p;
	}
	return oldest;
}

static void random_text(char text[FL_ZOOM_STATE_LEN])
{
	uint8_t bytes[32];

	fl_rand_bytes(bytes, sizeof(bytes));
	fl_base64url(bytes, sizeof(bytes), text);
	explicit_bzero(bytes, sizeof(bytes));
}

int fl_zoom_link_begin(struct fl_zoom_pendings *pendings, const struct fl_zoom_app *app,
		       const struct fl_zoom_link *link, const char *session, struct fl_mono now,
		       char *url, size_t size)
{
	struct fl_zoom_pending *p = place(pendings, now);
	uint8_t digest[FL_SHA256_LEN];
	char challenge[FL_ZOOM_STATE_LEN];
	int err;

	if (!fl_zoom_base_is_good(app->oauth_base) || !*app->client_id || !*app->redirect_uri ||
	    strlen(session) >= sizeof(p->session))
		return -EINVAL;
	*p = (struct fl_zoom_pending){ .app = *app,
				       .link = *link,
				       .until = fl_mono_add_ms(now, FL_ZOOM_LINK_MS) };
	random_text(p->state);
	random_text(p->verifier);
	strcpy(p->session, session);
	/* RFC 7636 4.2 */
	fl_sha256(p->verifier, strlen(p->verifier), digest);
	fl_base64url(digest, sizeof(digest), challenge);
	if ((size_t)snprintf(url, size, "%s/oauth/authorize?", app->oauth_base) >= size)
		return -ENOSPC;
	err = pairs(url, size, "response_type", "code", "client_id", app->client_id, "redirect_uri",
		    app->redirect_uri, "state", p->state, "code_challenge", challenge,
		    "code_challenge_method", "S256", NULL);
	if (err)
		*p = (struct fl_zoom_pending){ 0 };
	return err;
}

int fl_zoom_link_take(struct fl_zoom_pendings *pendings, const char *state, const char *session,
		      struct fl_mono now, struct fl_zoom_pending *ret_pending)
{
	for (size_t i = 0; *state && i < FL_ZOOM_LINKS_MAX; i++) {
		struct fl_zoom_pending *p = &pendings->list[i];
		bool good;

		if (strcmp(p->state, state) != 0)
			continue;
		good = !fl_mono_reached(now, p->until) && !strcmp(p->session, session);
		if (good)
			*ret_pending = *p;
		explicit_bzero(p, sizeof(*p));
		return good ? 0 : -ENOENT;
	}
	return -ENOENT;
}

/* --- where tokens may go ------------------------------------------------------------------------
 */

/* Host and port of an https URL that is nothing but that; NULL for any other. */
static const char *host_of(const char *url)
{
	const char *host = url + 8;

	if (strncmp(url, "https://", 8) != 0 || !*host)
		return NULL;
	for (const char *c = host; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr(".-:[]", *c))
			return NULL;
	}
	return host;
}

bool fl_zoom_base_is_good(const char *url)
{
	return host_of(url);
}

/* Zoom's own hosts, or the one that was configured: nothing else gets a token. */
static bool api_url_is_good(const char *url, const struct fl_zoom_app *app)
{
	static const char suffix[] = ".zoom.us";
	const char *host = host_of(url);
	size_t len = host ? strlen(host) : 0;

	if (!host)
		return false;
	if (strcmp(app->api_base, FL_ZOOM_API_BASE) != 0)
		return !strcmp(url, app->api_base);
	return len > sizeof(suffix) - 1 && !strcmp(host + len - (sizeof(suffix) - 1), suffix) &&
	       !strpbrk(host, ":[]");
}

/* --- answers ------------------------------------------------------------------------------------
 */

/* All that a token endpoint may say. */
struct reply {
	struct fl_zoom_token token;
	char error[64];
	char reason[256];
	char type[32];
};

static int parse(const struct fl_zoom_answer *answer, struct reply *r)
{
	const struct {
		const char *key;
		char *to;
		size_t size;
	} members[] = {
		{ "access_token", r->token.access, sizeof(r->token.access) },
		{ "refresh_token", r->token.refresh, sizeof(r->token.refresh) },
		{ "scope", r->token.scope, sizeof(r->token.scope) },
		{ "api_url", r->token.api_url, sizeof(r->token.api_url) },
		{ "token_type", r->type, sizeof(r->type) },
		{ "error", r->error, sizeof(r->error) },
		{ "reason", r->reason, sizeof(r->reason) },
		{ "error_description", r->reason, sizeof(r->reason) },
		{ "message", r->reason, sizeof(r->reason) },
		{ "errorMessage", r->reason, sizeof(r->reason) },
		{ "code", r->error, sizeof(r->error) },
		{ "errorCode", r->error, sizeof(r->error) },
	};
	size_t count = sizeof(members) / sizeof(*members), i;
	char key[40], text[24];
	struct fl_pull p;

	fl_pull_init(&p, answer->body, answer->len);
	if (!fl_pull_object(&p))
		return -EBADMSG;
	while (fl_pull_key(&p, key, sizeof(key))) {
		for (i = 0; i < count && strcmp(key, members[i].key) != 0; i++)
			;
		if (i < count) {
			fl_pull_text(&p, members[i].to, members[i].size);
		} else if (!strcmp(key, "expires_in")) {
			long long s = 0;

			if (fl_pull_text(&p, text, sizeof(text)) && sscanf(text, "%lld", &s) == 1)
				r->token.expires_in_s = s;
		} else {
			fl_pull_skip(&p);
		}
	}
	return fl_pull_is_done(&p) ? 0 : -EBADMSG;
}

/* "4702" or "4,702" as a number of its own, somewhere in @text. */
static bool says(const char *text, unsigned int number)
{
	char plain[8], comma[12];

	snprintf(plain, sizeof(plain), "%u", number);
	snprintf(comma, sizeof(comma), "%u,%03u", number / 1000, number % 1000);
	return strstr(text, plain) || strstr(text, comma);
}

static const struct {
	unsigned int number;
	const char *part; /* of the reason, when no number is given; NULL: number only */
	const char *words;
} failures[] = {
	{ 4702, "Invalid client_id or client_secret",
	  "Zoom does not know this client id with this client secret: compare both with the app's page" },
	{ 4704, NULL,
	  "Zoom does not know this client id with this client secret: compare both with the app's page" },
	{ 4705, "nsupported grant",
	  "the app's type does not fit this way of linking: an admin-managed "
	  "app is linked in the browser, a Server-to-Server app with its account id" },
	{ 4706, NULL, "client id or client secret is missing" },
	{ 4709, "edirect",
	  "the redirect URI is not the one that is registered with the app, letter by letter" },
	{ 4711, "scope",
	  "the app's scopes differ from what was granted: check the app's scopes and "
	  "link the account again" },
	{ 4717, "disabled", "the app is disabled at Zoom: enable it, then link the account again" },
	{ 4733, "expired",
	  "the code from Zoom expired (it lives 5 minutes) or was used: link the account again" },
	{ 4734, "Invalid authorization code",
	  "the code from Zoom expired (it lives 5 minutes) or was used: link the account again" },
	{ 4735, "does not exist",
	  "the person who linked the account is no longer there: somebody else "
	  "must link it again" },
	{ 4738, NULL,
	  "an administrator of the Zoom account disabled the app: have it allowed, then link again" },
	{ 4740, NULL, "the refresh token was used too often: link the account again" },
	{ 4741, "revoked",
	  "another authorization of the same app took the place of this one: link the "
	  "account again, or use the newer link" },
	{ 0, "cannot authorize",
	  "you cannot authorize the app: the person must be an administrator of the "
	  "Zoom account whose role holds the app's permissions, and the app must be "
	  "pre-approved if the account demands it" },
	{ 0, "Invalid Token", "Token refresh failed, link the account again" },
};

static const char *words_for(const char *error, const char *reason)
{
	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
		if (failures[i].number &&
		    (says(error, failures[i].number) || says(reason, failures[i].number)))
			return failures[i].words;
	}
	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
		if (failures[i].part && strcasestr(reason, failures[i].part))
			return failures[i].words;
	}
	return NULL;
}

static enum fl_zoom_grant refused(const struct fl_zoom_answer *answer, const struct reply *r,
				  char *words, size_t size)
{
	const char *known = words_for(r->error, r->reason);

	/* 5xx, 429 and what is no OAuth error at all may pass. */
	if (answer->status >= 500 || answer->status == 429 || answer->status < 400 ||
	    (!*r->error && !known)) {
		snprintf(words, size, "Zoom's sign-in service answers HTTP %ld; it is tried again",
			 answer->status);
		return FL_ZOOM_GRANT_AGAIN;
	}
	if (known)
		snprintf(words, size, "%s", known);
	else
		snprintf(words, size, "Zoom refused (%s: %.100s): link the account again", r->error,
			 r->reason);
	return FL_ZOOM_GRANT_NEVER;
}

static bool is_sane(const struct fl_zoom_token *t)
{
	/* Cut tokens would be wrong ones; control characters could become headers. */
	if (!*t->access || strlen(t->access) + 1 >= sizeof(t->access) ||
	    strlen(t->refresh) + 1 >= sizeof(t->refresh))
		return false;
	for (const char *c = t->access; *c; c++) {
		if ((unsigned char)*c <= ' ' || (unsigned char)*c > '~')
			return false;
	}
	return true;
}

enum fl_zoom_grant fl_zoom_grant(const struct fl_zoom_answer *answer, const struct fl_zoom_app *app,
				 struct fl_zoom_token *ret_token, char *words, size_t size)
{
	struct reply r = { 0 };
	enum fl_zoom_grant grant = FL_ZOOM_GRANT_AGAIN;
	int err;

	*words = 0;
	if (answer->err) {
		snprintf(words, size, "Zoom's sign-in service cannot be reached: %.150s",
			 answer->why);
		return FL_ZOOM_GRANT_AGAIN;
	}
	err = parse(answer, &r);
	if (answer->status == 200 && !err && is_sane(&r.token)) {
		if (!api_url_is_good(r.token.api_url, app))
			*r.token.api_url = 0;
		/* An hour at most (2.1): what is said beyond, or not at all, is not believed. */
		if (r.token.expires_in_s < 60 || r.token.expires_in_s > 86400)
			r.token.expires_in_s = 3600;
		*ret_token = r.token;
		grant = FL_ZOOM_GRANTED;
	} else {
		grant = refused(answer, &r, words, size);
	}
	explicit_bzero(&r, sizeof(r));
	return grant;
}

void fl_zoom_denied_words(const char *error, const char *description, char *words, size_t size)
{
	const char *known = words_for(error, description);

	if (!strcmp(error, "access_denied") && !known)
		snprintf(words, size, "the consent was denied: nothing was linked");
	else if (known)
		snprintf(words, size, "%s", known);
	else
		snprintf(words, size, "Zoom sent no code (%.60s): nothing was linked", error);
}
