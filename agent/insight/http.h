/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server of the web page: libmicrohttpd, driven by the loop's thread. It listens on a Unix
 * socket or on loopback; anywhere else only with TLS and a token. What comes in is limited, what
 * changes something must carry the token against forged requests of its session.
 */
#ifndef FL_AGENT_INSIGHT_HTTP_H
#define FL_AGENT_INSIGHT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#define FL_HTTP_BODY_MAX    (64 << 10) /* bytes (chosen: ten times a long question) */
#define FL_HTTP_TOKEN_MIN   16         /* characters: what can be guessed is no token */
#define FL_HTTP_SESSION_LEN 33         /* hexadecimal, NUL included */
#define FL_HTTP_WORDS_LEN   256
#define FL_HTTP_NAMES_MAX   4

struct fl_http;

struct fl_http_cfg {
	const char *listen; /* "unix:/path", "127.0.0.1:8420", "[::1]:8420", any address with TLS */
	const char *cert;   /* files in PEM; NULL: no TLS */
	const char *key;
	const char *token; /* NULL: whoever reaches the socket may look */
	/* Host names of the URL, besides localhost and the address itself; NULL ends it early. */
	const char *names[FL_HTTP_NAMES_MAX];
	/* A path that strangers may reach without session and token: its handler checks who they
	 * are. NULL: none. */
	const char *open_path;
};

/* A request, borrowed by the handler until it returns. */
struct fl_http_request {
	const char *method; /* GET, which HEAD is too, or POST */
	const char *path;   /* decoded, begins with a slash, without the query */
	const char *body;   /* NUL behind it */
	size_t body_len;
	const char *session; /* "" if there is none */
	bool authorised;     /* no token is asked for, or this session showed it */
	void *connection;
};

/* What to answer; zeroed means "404, nothing". */
struct fl_http_reply {
	unsigned int status;
	const char *type;  /* NULL: JSON */
	char *body;        /* of the handler, freed by the server, or NULL for @fixed */
	const char *fixed; /* lives as long as the server */
	size_t len;        /* of either */
	const char *etag;  /* NULL: never kept by the browser */
	char location[64]; /* of a redirection, else "" */
};

/* Fill *reply. */
typedef void (*fl_http_fn)(void *ctx, const struct fl_http_request *request,
			   struct fl_http_reply *reply);

/* Parameter of the query, decoded; NULL if it is not there. Borrowed from the request. */
const char *fl_http_query(const struct fl_http_request *request, const char *name);
/* A header; NULL if it is not there. */
const char *fl_http_header(const struct fl_http_request *request, const char *name);

/**
 * fl_http_new() - listen and serve
 * @cfg:   copied
 * @words: why not, for the operator
 *
 * A Unix socket that nobody serves any more is replaced; it gets mode 0660.
 * Return: 0; -EPERM for an address off this host without TLS and a token; -EINVAL; -errno.
 */
int fl_http_new(sd_event *event, const struct fl_http_cfg *cfg, fl_http_fn fn, void *ctx,
		struct fl_http **ret_http, char words[FL_HTTP_WORDS_LEN]);
void fl_http_free(struct fl_http *http); /* takes NULL */

/* Port that it listens on; 0 for a Unix socket. */
unsigned int fl_http_port(const struct fl_http *http);

#endif
