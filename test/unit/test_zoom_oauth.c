// SPDX-License-Identifier: Apache-2.0
/* OAuth: what is sent, what comes back, and what an operator is told (zoom-api.md 2). */
#include <errno.h>
#include <string.h>

#include "agent/base/rand.h"
#include "agent/crypto/digest.h"
#include "agent/zoom/oauth.h"
#include "test/unit/zoom_file.h"

static struct fl_zoom_pendings pendings;
static struct fl_zoom_token token;
static char words[512];

static const struct fl_zoom_app app = { .client_id = "ID",
					.client_secret = "s:e/c",
					.redirect_uri = "https://portal.example.net/zoom/callback",
					.oauth_base = FL_ZOOM_OAUTH_BASE,
					.api_base = FL_ZOOM_API_BASE };
static const struct fl_zoom_link link_of_acme = { .org = "acme" };

static void setup(void)
{
	cr_assert_eq(fl_rand_init(), 0);
	memset(&pendings, 0, sizeof(pendings));
}

static const struct fl_mono start = { 1000 * FL_NS_PER_S };

static void state_of(const char *url, char state[FL_ZOOM_STATE_LEN])
{
	const char *at = strstr(url, "&state=");

	cr_assert(at);
	snprintf(state, FL_ZOOM_STATE_LEN, "%s", at + 7);
	cr_assert_eq(strlen(state), 43);
}

/* A1: the state is random, single use, and bound to the session. */
Test(zoom_oauth, A1_state_and_challenge, .init = setup)
{
	char url[2048], state[FL_ZOOM_STATE_LEN], form[4096], challenge[64];
	struct fl_zoom_pending p;
	uint8_t digest[32];

	cr_assert_eq(fl_zoom_link_begin(&pendings, &app, &link_of_acme, "session", start, url,
					sizeof(url)),
		     0);
	cr_assert_eq(
		strncmp(url,
			"https://zoom.us/oauth/authorize?response_type=code&client_id=ID&"
			"redirect_uri=https%3A%2F%2Fportal.example.net%2Fzoom%2Fcallback&state=",
			133),
		0, "%s", url);
	cr_assert(strstr(url, "&code_challenge_method=S256"));
	state_of(url, state);
	/* Another session, another state: nothing. */
	cr_assert_eq(fl_zoom_link_take(&pendings, "wrong", "session", start, &p), -ENOENT);
	cr_assert_eq(fl_zoom_link_take(&pendings, "", "session", start, &p), -ENOENT);
	cr_assert_eq(fl_zoom_link_take(&pendings, state, "session", start, &p), 0);
	cr_assert_str_eq(p.link.org, "acme");
	cr_assert_eq(fl_zoom_link_take(&pendings, state, "session", start, &p), -ENOENT);
	/* RFC 7636 4.2 */
	fl_sha256(p.verifier, strlen(p.verifier), digest);
	fl_base64url(digest, 32, challenge);
	cr_assert(strstr(url, challenge));
	cr_assert_eq(fl_zoom_form_code(&p, "c&d", form, sizeof(form)), 0);
	cr_assert_eq(strncmp(form,
			     "grant_type=authorization_code&code=c%26d&redirect_uri="
			     "https%3A%2F%2Fportal.example.net%2Fzoom%2Fcallback&code_verifier=",
			     118),
		     0, "%s", form);
	cr_assert(strstr(form, p.verifier));
}

Test(zoom_oauth, A1_state_of_somebody_else, .init = setup)
{
	char url[2048], state[FL_ZOOM_STATE_LEN];
	struct fl_zoom_pending p;

	fl_zoom_link_begin(&pendings, &app, &link_of_acme, "session", start, url, sizeof(url));
	state_of(url, state);
	cr_assert_eq(fl_zoom_link_take(&pendings, state, "thief", start, &p), -ENOENT);
	/* It was used up by that. */
	cr_assert_eq(fl_zoom_link_take(&pendings, state, "session", start, &p), -ENOENT);
}

Test(zoom_oauth, A1_state_grows_old, .init = setup)
{
	char url[2048], state[FL_ZOOM_STATE_LEN];
	struct fl_zoom_pending p;

	fl_zoom_link_begin(&pendings, &app, &link_of_acme, "session", start, url, sizeof(url));
	state_of(url, state);
	cr_assert_eq(fl_zoom_link_take(&pendings, state, "session",
				       fl_mono_add_ms(start, FL_ZOOM_LINK_MS), &p),
		     -ENOENT);
}

/* More than there are places: the oldest goes. */
Test(zoom_oauth, many_links, .init = setup)
{
	char url[2048], states[FL_ZOOM_LINKS_MAX + 1][FL_ZOOM_STATE_LEN];
	struct fl_zoom_pending p;

	for (unsigned int i = 0; i <= FL_ZOOM_LINKS_MAX; i++) {
		cr_assert_eq(fl_zoom_link_begin(&pendings, &app, &link_of_acme, "s",
						fl_mono_add_ms(start, i), url, sizeof(url)),
			     0);
		state_of(url, states[i]);
	}
	cr_assert_eq(fl_zoom_link_take(&pendings, states[0], "s", start, &p), -ENOENT);
	for (unsigned int i = 1; i <= FL_ZOOM_LINKS_MAX; i++)
		cr_assert_eq(fl_zoom_link_take(&pendings, states[i], "s", start, &p), 0);
}

Test(zoom_oauth, other_requests)
{
	struct fl_zoom_app server = app;
	char form[256], basic[FL_ZOOM_BASIC_LEN];

	strcpy(server.account_id, "a b");
	cr_assert_eq(fl_zoom_form_account(&server, form, sizeof(form)), 0);
	cr_assert_str_eq(form, "grant_type=account_credentials&account_id=a%20b");
	cr_assert_eq(fl_zoom_form_refresh("r=r", form, sizeof(form)), 0);
	cr_assert_str_eq(form, "grant_type=refresh_token&refresh_token=r%3Dr");
	cr_assert_eq(fl_zoom_form_revoke("t", form, sizeof(form)), 0);
	cr_assert_str_eq(form, "token=t");
	cr_assert_eq(fl_zoom_form_refresh("rrrr", form, 40), -ENOSPC);
	fl_zoom_basic(&app, basic);
	cr_assert_str_eq(basic, "SUQ6czplL2M=");
}

static enum fl_zoom_grant grant(long status, const char *body)
{
	struct fl_zoom_answer a = { .status = status, .body = body, .len = strlen(body) };

	return fl_zoom_grant(&a, &app, &token, words, sizeof(words));
}

static enum fl_zoom_grant grant_sample(long status, const char *name)
{
	size_t len;
	char *body = zoom_file(name, &len);
	enum fl_zoom_grant g = grant(status, body);

	free(body);
	return g;
}

Test(zoom_oauth, tokens)
{
	cr_assert_eq(grant_sample(200, "samples/oauth_token_authorization_code.json"),
		     FL_ZOOM_GRANTED);
	cr_assert_str_eq(token.access, "EXAMPLE.access.token.AAA1");
	cr_assert_str_eq(token.refresh, "EXAMPLE.refresh.token.RRR1");
	cr_assert_str_eq(token.scope, "dashboard_meetings:read:admin user:read:admin");
	cr_assert_eq(token.expires_in_s, 3599);
	cr_assert_str_eq(token.api_url, "https://api.zoom.us");
	cr_assert_eq(grant_sample(200, "samples/oauth_token_account_credentials.json"),
		     FL_ZOOM_GRANTED);
	cr_assert_str_eq(token.refresh, "");
	cr_assert_str_eq(token.api_url, "https://api-eu.zoom.us");
	cr_assert_eq(grant_sample(200, "samples/oauth_token_refresh.json"), FL_ZOOM_GRANTED);
	cr_assert_str_eq(token.refresh, "EXAMPLE.refresh.token.RRR2");
}

/* A token goes to Zoom and to nobody else, whatever an answer says. */
Test(zoom_oauth, api_url_is_not_believed)
{
	static const char *const urls[] = {
		"https://evil.example",         "http://api.zoom.us",
		"https://zoom.us.evil.example", "https://evilzoom.us",
		"https://api.zoom.us/x",        "https://api.zoom.us@evil.example",
		"https://api.zoom.us:8443",     "https://.zoom.us\\u0000",
		"https://api.zoom.us?x",        ""
	};

	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		char body[256];

		snprintf(body, sizeof(body), "{\"access_token\":\"t\",\"api_url\":\"%s\"}",
			 urls[i]);
		cr_assert_eq(grant(200, body), FL_ZOOM_GRANTED);
		cr_assert_str_eq(token.api_url, "", "%s", urls[i]);
	}
}

Test(zoom_oauth, tokens_that_are_none)
{
	static char longer[FL_ZOOM_SECRET_LEN + 64];

	cr_assert_eq(grant(200, "{}"), FL_ZOOM_GRANT_AGAIN);
	cr_assert_eq(grant(200, "<html>"), FL_ZOOM_GRANT_AGAIN);
	cr_assert_eq(grant(200, "{\"access_token\":\"a\\r\\nX: y\"}"), FL_ZOOM_GRANT_AGAIN);
	cr_assert_eq(grant(200, "{\"access_token\":null}"), FL_ZOOM_GRANT_AGAIN);
	memset(longer, 'x', sizeof(longer) - 1);
	memcpy(longer, "{\"access_token\":\"", 17);
	strcpy(longer + sizeof(longer) - 3, "\"}");
	cr_assert_eq(grant(200, longer), FL_ZOOM_GRANT_AGAIN);
	/* How long it lives is said badly: an hour. */
	cr_assert_eq(grant(200, "{\"access_token\":\"a\",\"expires_in\":-5}"), FL_ZOOM_GRANTED);
	cr_assert_eq(token.expires_in_s, 3600);
	cr_assert_eq(grant(200, "{\"access_token\":\"a\",\"expires_in\":\"1800\"}"),
		     FL_ZOOM_GRANTED);
	cr_assert_eq(token.expires_in_s, 1800);
}

/* A1, A6: every failure of 2.5, in words that say what to do. */
Test(zoom_oauth, A6_failures_in_words)
{
	static const struct {
		const char *reason;
		const char *part;
	} rows[] = {
		{ "Invalid client_id or client_secret", "compare both" },
		{ "Invalid client_id. (4,702)", "compare both" },
		{ "4704", "compare both" },
		{ "unsupported grant type (4,705)", "does not fit" },
		{ "4706", "missing" },
		{ "Redirect URI mismatch (4,709)", "redirect URI" },
		{ "Invalid scope (4,711)", "scopes differ" },
		{ "The app has been disabled (4,717)", "enable it" },
		{ "The code is expired. (4,733)", "link the account again" },
		{ "Invalid authorization code", "5 minutes" },
		{ "4735", "no longer there" },
		{ "4738", "administrator of the Zoom account disabled" },
		{ "4740", "too often" },
		{ "The token has been revoked (4,741)", "took the place" },
		{ "You cannot authorize the app", "must be an administrator" },
		{ "Invalid Token!", "Token refresh failed, link the account again" },
		{ "something new", "link the account again" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char body[256];

		snprintf(body, sizeof(body), "{\"reason\":\"%s\",\"error\":\"invalid_request\"}",
			 rows[i].reason);
		cr_assert_eq(grant(400, body), FL_ZOOM_GRANT_NEVER, "%s", rows[i].reason);
		cr_assert(strstr(words, rows[i].part), "%s: %s", rows[i].reason, words);
	}
	cr_assert_eq(grant_sample(400, "samples/oauth_error_bad_refresh_token.json"),
		     FL_ZOOM_GRANT_NEVER);
	cr_assert_eq(grant_sample(400, "samples/oauth_error_expired_code.json"),
		     FL_ZOOM_GRANT_NEVER);
	cr_assert_eq(grant_sample(401, "samples/oauth_error_invalid_client.json"),
		     FL_ZOOM_GRANT_NEVER);
}

Test(zoom_oauth, failures_that_pass)
{
	struct fl_zoom_answer none = { .err = -ETIMEDOUT, .why = "time ran out" };

	cr_assert_eq(grant(500, "{\"error\":\"invalid_request\",\"reason\":\"x\"}"),
		     FL_ZOOM_GRANT_AGAIN);
	cr_assert_eq(grant(429, "{\"error\":\"invalid_request\",\"reason\":\"x\"}"),
		     FL_ZOOM_GRANT_AGAIN);
	cr_assert_eq(grant(400, "<html>proxy</html>"), FL_ZOOM_GRANT_AGAIN);
	cr_assert_eq(grant(302, ""), FL_ZOOM_GRANT_AGAIN);
	cr_assert_eq(fl_zoom_grant(&none, &app, &token, words, sizeof(words)), FL_ZOOM_GRANT_AGAIN);
	cr_assert(strstr(words, "time ran out"));
}

Test(zoom_oauth, A1_consent_denied)
{
	fl_zoom_denied_words("access_denied", "", words, sizeof(words));
	cr_assert(strstr(words, "denied: nothing was linked"));
	fl_zoom_denied_words("access_denied", "You cannot authorize the app", words, sizeof(words));
	cr_assert(strstr(words, "must be an administrator"));
	fl_zoom_denied_words("", "", words, sizeof(words));
	cr_assert(*words);
}
