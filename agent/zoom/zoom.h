/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Zoom side of insightd: linking and unlinking, all accounts at work, what a status page shows.
 * Off until somebody opted in (zoom-api.md 9). The loop's thread only.
 */
#ifndef FL_AGENT_ZOOM_ZOOM_H
#define FL_AGENT_ZOOM_ZOOM_H

#include <systemd/sd-event.h>

#include "agent/zoom/http.h"
#include "agent/zoom/oauth.h"
#include "agent/zoom/poller.h"
#include "agent/zoom/webhook.h"

struct fl_json;
struct fl_zoom;

#define FL_ZOOM_ACCOUNTS_MAX 64
#define FL_ZOOM_WORDS_LEN    512

struct fl_zoom_cfg {
	const char *dir;      /* of the credentials; made if it is not there, mode 0700 */
	const char *key_path; /* of the key that seals them: not in the same folder */
	struct fl_zoom_http_cfg http;
	struct fl_zoom_settings settings; /* what no link says otherwise */
	const char *hook_secret;          /* NULL: no webhooks */
	uint32_t hold_ms; /* before anything is polled: what is matched against may come late */
};

/**
 * fl_zoom_new() - load what was linked, and begin to poll
 * @sink: borrowed
 *
 * A credential that cannot be read is passed over with a log line: it may be of another key.
 * Return: 0 or -errno.
 */
int fl_zoom_new(sd_event *event, const struct fl_zoom_cfg *cfg, const struct fl_zoom_sink *sink,
		struct fl_zoom **ret_zoom);
void fl_zoom_free(struct fl_zoom *zoom); /* takes NULL */

/* @words: for the operator, whatever happened; @account: its number, "" if nothing was linked. */
typedef void (*fl_zoom_linked_fn)(void *ctx, bool linked, const char *words, const char *account);

/**
 * fl_zoom_link_url() - begin to link in the browser
 * @link: org, consent_by and what is to be kept; linked_by and times are filled in here
 *
 * Return: 0 with the URL to send the operator to; -EPERM without consent, -EINVAL; *words says it.
 */
int fl_zoom_link_url(struct fl_zoom *zoom, const struct fl_zoom_app *app,
		     const struct fl_zoom_link *link, const char *session, char *url, size_t size,
		     char words[FL_ZOOM_WORDS_LEN]);

/* What the browser brought back; "" for what it did not. */
struct fl_zoom_back {
	const char *state;
	const char *session;
	const char *code;
	const char *error;
	const char *description;
};

/* @fn is called once, perhaps from here. Nothing is stored unless all went well. */
void fl_zoom_link_back(struct fl_zoom *zoom, const struct fl_zoom_back *back, fl_zoom_linked_fn fn,
		       void *ctx);

/* The same for a Server-to-Server app: no browser. */
void fl_zoom_link_server(struct fl_zoom *zoom, const struct fl_zoom_app *app,
			 const struct fl_zoom_link *link, fl_zoom_linked_fn fn, void *ctx);

/**
 * fl_zoom_unlink() - this organisation no longer uses the account
 * @account: its number or id
 * @data:    also forget what was collected, if nobody else uses it
 *
 * The last one revokes the tokens, which are deleted at once. Return: 0, -ENOENT, -errno.
 */
int fl_zoom_unlink(struct fl_zoom *zoom, const char *org, const char *account, bool data);

/* Ask Zoom now. @account "": all. Return: how many. */
int fl_zoom_sync(struct fl_zoom *zoom, const char *org, const char *account);

/* {"linked": ..., "accounts": [...]} into @to, as in product/account_status.json. */
void fl_zoom_status_json(struct fl_zoom *zoom, const char *org, struct fl_json *to);

/**
 * fl_zoom_hook() - a request to the webhook's URL
 * @reply: gets the body of the answer
 *
 * Return: the HTTP status. *ret_hook is filled if it is 200, and is for fl_zoom_hook_done(): what
 * concerns polling and unlinking was done already.
 */
int fl_zoom_hook(struct fl_zoom *zoom, const struct fl_zoom_hook_request *request,
		 struct fl_zoom_hook *ret_hook, char *reply, size_t size);
/* What it says could not be kept: Zoom is to send it again. */
void fl_zoom_hook_again(struct fl_zoom *zoom, const struct fl_zoom_hook *hook);

#endif
