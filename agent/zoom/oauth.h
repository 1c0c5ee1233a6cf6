/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OAuth with Zoom (zoom-api.md 2): what is sent, what the answers mean, and what an operator is
 * told. Pure but for randomness: http.h carries it, account.h keeps it.
 */
#ifndef FL_AGENT_ZOOM_OAUTH_H
#define FL_AGENT_ZOOM_OAUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/monotime.h"
#include "agent/zoom/answer.h"

#define FL_ZOOM_OAUTH_BASE "https://zoom.us"
#define FL_ZOOM_API_BASE   "https://api.zoom.us"

#define FL_ZOOM_SECRET_LEN 4096 /* of a token, NUL included */
#define FL_ZOOM_SCOPE_LEN  2048
#define FL_ZOOM_URL_LEN    256
#define FL_ZOOM_ORG_LEN    64

/* An app of Zoom's marketplace. */
struct fl_zoom_app {
	char client_id[128];
	char client_secret[256];
	char account_id[FL_ZOOM_KEY_LEN]; /* Server-to-Server; "": authorization code */
	char redirect_uri[FL_ZOOM_URL_LEN];
	char oauth_base[FL_ZOOM_URL_LEN]; /* https, without a slash at the end */
	char api_base[FL_ZOOM_URL_LEN];
};

struct fl_zoom_token {
	char access[FL_ZOOM_SECRET_LEN];
	char refresh[FL_ZOOM_SECRET_LEN]; /* "" for Server-to-Server */
	char scope[FL_ZOOM_SCOPE_LEN];
	char api_url[FL_ZOOM_URL_LEN]; /* "" unless it may be used */
	int64_t expires_in_s;
};

/* An organisation that linked the account. */
struct fl_zoom_link {
	char org[FL_ZOOM_ORG_LEN];
	char linked_by[FL_ZOOM_NAME_LEN];
	int64_t linked_ms;
	char consent_by[FL_ZOOM_NAME_LEN]; /* who opted in, and when */
	int64_t consent_s;
	bool discard_guests;
	bool keep_topic;
	bool keep_comments;
	bool keep_phone_numbers;
	uint32_t max_daily;
};

/* --- linking: from the operator's click to the code ---------------------------------------------
 */

#define FL_ZOOM_LINKS_MAX 16
#define FL_ZOOM_LINK_MS   600000 /* chosen: time to sign in */
#define FL_ZOOM_STATE_LEN 44     /* 32 random bytes, base64url, NUL */

/* One link that was begun: its state is good once. */
struct fl_zoom_pending {
	char state[FL_ZOOM_STATE_LEN]; /* "": free */
	char verifier[FL_ZOOM_STATE_LEN];
	char session[64];         /* of the operator: who asks must come back */
	struct fl_zoom_link link; /* that it will be */
	struct fl_zoom_app app;
	struct fl_mono until;
};

struct fl_zoom_pendings {
	struct fl_zoom_pending list[FL_ZOOM_LINKS_MAX];
};

/**
 * fl_zoom_link_begin() - where to send the operator
 * @session: of the operator's browser or terminal, at most 63 characters
 * @url:     gets the authorization URL, with state and PKCE challenge
 *
 * The oldest one is forgotten when all places are taken. Return: 0, -EINVAL, -ENOSPC.
 */
int fl_zoom_link_begin(struct fl_zoom_pendings *pendings, const struct fl_zoom_app *app,
		       const struct fl_zoom_link *link, const char *session, struct fl_mono now,
		       char *url, size_t size);

/**
 * fl_zoom_link_take() - the operator is back
 *
 * The state is used up, whatever comes of it. Return: 0; -ENOENT: unknown, used, late, or of
 * somebody else.
 */
int fl_zoom_link_take(struct fl_zoom_pendings *pendings, const char *state, const char *session,
		      struct fl_mono now, struct fl_zoom_pending *ret_pending);

/* --- requests -----------------------------------------------------------------------------------
 */

/* Room for the form of any request. */
#define FL_ZOOM_FORM_LEN (3 * FL_ZOOM_SECRET_LEN + 1024)

/* Forms for oauth_base + "/oauth/token"; return 0 or -ENOSPC. */
int fl_zoom_form_code(const struct fl_zoom_pending *pending, const char *code, char *form,
		      size_t size);
int fl_zoom_form_refresh(const char *refresh, char *form, size_t size);
int fl_zoom_form_account(const struct fl_zoom_app *app, char *form, size_t size);
/* For oauth_base + "/oauth/revoke". */
int fl_zoom_form_revoke(const char *token, char *form, size_t size);

/* base64 of "id:secret"; room for FL_BASE64_ROOM(384). */
#define FL_ZOOM_BASIC_LEN 520
void fl_zoom_basic(const struct fl_zoom_app *app, char basic[FL_ZOOM_BASIC_LEN]);

/* --- answers ------------------------------------------------------------------------------------
 */

enum fl_zoom_grant {
	FL_ZOOM_GRANTED,
	FL_ZOOM_GRANT_AGAIN, /* transient: the same may work later */
	FL_ZOOM_GRANT_NEVER, /* permanent: the account must be linked again */
};

/**
 * fl_zoom_grant() - what came for a request for tokens
 * @words: gets what an operator can do about it, if nothing was granted
 */
enum fl_zoom_grant fl_zoom_grant(const struct fl_zoom_answer *answer, const struct fl_zoom_app *app,
				 struct fl_zoom_token *ret_token, char *words, size_t size);

/* Words for what the browser brought back in place of a code. */
void fl_zoom_denied_words(const char *error, const char *description, char *words, size_t size);

/* Is this what https URLs that tokens may be sent to look like? No user, no query, no path. */
bool fl_zoom_base_is_good(const char *url);

#endif
