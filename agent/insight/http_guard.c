// SPDX-License-Identifier: Apache-2.0
/* Whom the HTTP server lets in: names, tokens, sessions. No system call but for randomness. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/rand.h"
#include "agent/insight/http_internal.h"

/* Wrong tokens a minute; then even the right one waits (chosen: nobody types faster). */
#define WRONG_MAX    10
#define WRONG_AGE_MS 60000

int fl_http_guard_init(struct fl_http_guard *guard, const struct fl_http_cfg *cfg)
{
	memset(guard, 0, sizeof(*guard));
	if (cfg->token && !(guard->token = strdup(cfg->token)))
		return -ENOMEM;
	for (int i = 0; i < FL_HTTP_NAMES_MAX && cfg->names[i]; i++)
		if (!(guard->names[i] = strdup(cfg->names[i])))
			return -ENOMEM;
	return 0;
}

void fl_http_guard_done(struct fl_http_guard *guard)
{
	if (guard->token)
		explicit_bzero(guard->token, strlen(guard->token));
	free(guard->token);
	for (int i = 0; i < FL_HTTP_NAMES_MAX; i++)
		free(guard->names[i]);
	explicit_bzero(guard, sizeof(*guard));
}

bool fl_http_equal(const char *a, size_t a_len, const char *b)
{
	size_t b_len = strlen(b);
	unsigned char differ = a_len != b_len;

	for (size_t i = 0; i < b_len; i++)
		differ |= (unsigned char)((a_len ? a[i % a_len] : 0) ^ b[i]);
	return !differ;
}

/* --- host names ---------------------------------------------------------------------------------
 */

bool fl_http_guard_host(const struct fl_http_guard *guard, const char *host)
{
	char name[256];
	struct fl_addr addr;
	size_t len;

	if (!host)
		return false;
	if (host[0] == '[') {
		host++;
		len = strcspn(host, "]");
	} else {
		len = strcspn(host, ":");
	}
	if (!len || len >= sizeof(name))
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	if (!strcasecmp(name, "localhost"))
		return true;
	for (int i = 0; i < FL_HTTP_NAMES_MAX && guard->names[i]; i++)
		if (!strcasecmp(name, guard->names[i]))
			return true;
	/* An address was not looked up: no name server can have chosen it. */
	return !fl_addr_parse(name, &addr);
}

/* --- sessions -----------------------------------------------------------------------------------
 */

struct fl_http_session *fl_http_guard_find(struct fl_http_guard *guard, const char *cookies)
{
	const size_t name_len = strlen(FL_HTTP_COOKIE);

	while (cookies && *cookies) {
		size_t len = strcspn(cookies, ";");

		if (len == name_len + FL_HTTP_SESSION_LEN && cookies[name_len] == '=' &&
		    !memcmp(cookies, FL_HTTP_COOKIE, name_len)) {
			for (int i = 0; i < FL_HTTP_SESSIONS; i++) {
				struct fl_http_session *s = &guard->sessions[i];

				if (!s->id[0] || !fl_http_equal(cookies + name_len + 1,
								FL_HTTP_SESSION_LEN - 1, s->id))
					continue;
				s->used = ++guard->clock;
				return s;
			}
		}
		cookies += len;
		cookies += strspn(cookies, "; ");
	}
	return NULL;
}

static void random_text(char to[FL_HTTP_SESSION_LEN])
{
	uint8_t bytes[(FL_HTTP_SESSION_LEN - 1) / 2];

	fl_rand_bytes(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(to + 2 * i, 3, "%02x", bytes[i]);
}

struct fl_http_session *fl_http_guard_new_session(struct fl_http_guard *guard)
{
	struct fl_http_session *s = &guard->sessions[0];

	/* Who showed the token stays while others only knock. */
	for (int i = 1; i < FL_HTTP_SESSIONS; i++) {
		struct fl_http_session *other = &guard->sessions[i];

		if (other->authorised < s->authorised ||
		    (other->authorised == s->authorised && other->used < s->used))
			s = other;
	}
	random_text(s->id);
	random_text(s->csrf);
	s->authorised = !guard->token;
	s->used = ++guard->clock;
	return s;
}

/* --- token --------------------------------------------------------------------------------------
 */

int fl_http_guard_check(struct fl_http_guard *guard, const char *token, size_t len, uint64_t now_ms)
{
	if (!guard->token)
		return 0;
	if (now_ms - guard->wrong_since_ms >= WRONG_AGE_MS) {
		guard->wrong_since_ms = now_ms;
		guard->wrong = 0;
	}
	if (guard->wrong >= WRONG_MAX)
		return -EAGAIN;
	if (fl_http_equal(token, len, guard->token))
		return 0;
	guard->wrong++;
	return -EACCES;
}

bool fl_http_guard_bearer(struct fl_http_guard *guard, const char *authorization, uint64_t now_ms)
{
	if (!guard->token || !authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
		return false;
	return !fl_http_guard_check(guard, authorization + 7, strlen(authorization + 7), now_ms);
}
