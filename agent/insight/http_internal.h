/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of the HTTP server: where it listens, and whom it lets in. */
#ifndef FL_AGENT_INSIGHT_HTTP_INTERNAL_H
#define FL_AGENT_INSIGHT_HTTP_INTERNAL_H

#include <stdint.h>

#include "agent/base/addr.h"
#include "agent/insight/http.h"

/* --- http_listen.c ------------------------------------------------------------------------------
 */

struct fl_http_socket {
	int fd;
	bool off_host;
	uint16_t port;       /* 0: a Unix socket */
	struct fl_addr addr; /* family 0: a Unix socket */
	char path[108];      /* of a Unix socket, else "" */
};

/* Non-blocking, listening. Return: 0, -EINVAL, -errno; @words says why. */
int fl_http_listen(const char *where, struct fl_http_socket *ret_socket,
		   char words[FL_HTTP_WORDS_LEN]);

/* --- http_guard.c -------------------------------------------------------------------------------
 */

#define FL_HTTP_SESSIONS 256

struct fl_http_session {
	char id[FL_HTTP_SESSION_LEN]; /* "" unused */
	char csrf[FL_HTTP_SESSION_LEN];
	bool authorised;
	uint64_t used; /* the one used least recently goes first */
};

struct fl_http_guard {
	char *token; /* NULL: none */
	char *names[FL_HTTP_NAMES_MAX];
	uint64_t clock;
	uint64_t wrong_since_ms;
	unsigned int wrong; /* tokens, of late */
	struct fl_http_session sessions[FL_HTTP_SESSIONS];
};

int fl_http_guard_init(struct fl_http_guard *guard, const struct fl_http_cfg *cfg);
void fl_http_guard_done(struct fl_http_guard *guard);

/* Is the Host header ours? Else somebody's name was made to point here (DNS rebinding). */
bool fl_http_guard_host(const struct fl_http_guard *guard, const char *host);

/* The session of a Cookie header; NULL if there is none of that name, or it is not known. */
struct fl_http_session *fl_http_guard_find(struct fl_http_guard *guard, const char *cookies);
struct fl_http_session *fl_http_guard_new_session(struct fl_http_guard *guard);

/* Is it "Bearer " and the token? */
bool fl_http_guard_bearer(struct fl_http_guard *guard, const char *authorization, uint64_t now_ms);

/* Return: 0; -EACCES for a wrong token; -EAGAIN if there were too many of those lately. */
int fl_http_guard_check(struct fl_http_guard *guard, const char *token, size_t len,
			uint64_t now_ms);

/* Equal, in a time that does not tell where they differ. */
bool fl_http_equal(const char *a, size_t a_len, const char *b);

#define FL_HTTP_COOKIE "fairlead_session"

#endif
