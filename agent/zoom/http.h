/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTPS on the event loop, by libcurl. TLS 1.2 or newer with verification, no redirects, no other
 * protocol, no address inside the own network unless configured, a limit for everything that a
 * server may send. The loop's thread only.
 */
#ifndef FL_AGENT_ZOOM_HTTP_H
#define FL_AGENT_ZOOM_HTTP_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "agent/zoom/answer.h"

struct fl_zoom_http;
struct fl_zoom_transfer;

struct fl_zoom_http_cfg {
	const char *ca_file;     /* NULL: the system's */
	bool allow_private;      /* loopback and private addresses too: tests, a proxy inside */
	unsigned int connect_ms; /* 0: 10 s */
	unsigned int total_ms;   /* 0: 60 s */
	size_t body_max;         /* 0: FL_ZOOM_BODY_MAX */
};

int fl_zoom_http_new(sd_event *event, const struct fl_zoom_http_cfg *cfg,
		     struct fl_zoom_http **ret_http);
/* All transfers are cancelled; takes NULL. */
void fl_zoom_http_free(struct fl_zoom_http *http);

/* Everything is borrowed for the call only. */
struct fl_zoom_http_request {
	const char *url;    /* https:// */
	const char *bearer; /* a token, or NULL */
	const char *basic;  /* "id:secret" in base64, or NULL */
	const char *form;   /* body of a POST; NULL: GET */
};

/* The answer is borrowed for the call; the transfer is gone when it is called. */
typedef void (*fl_zoom_http_fn)(void *ctx, const struct fl_zoom_answer *answer);

/**
 * fl_zoom_http_send() - begin a transfer
 * @fn: called once, from the loop, never from here; not if it is cancelled
 *
 * Return: 0 or -ENOMEM, -EINVAL for what is no https URL.
 */
int fl_zoom_http_send(struct fl_zoom_http *http, const struct fl_zoom_http_request *request,
		      fl_zoom_http_fn fn, void *ctx, struct fl_zoom_transfer **ret_transfer);
void fl_zoom_http_cancel(struct fl_zoom_transfer *transfer); /* takes NULL */

/* May a connection go there? IPv4, IPv6, and IPv4 in IPv6. */
bool fl_zoom_http_is_public(const struct fl_addr *addr);

#endif
