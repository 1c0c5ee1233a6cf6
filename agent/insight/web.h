/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The web page and its API: what a request's path means. GET /api/... shows (view.h), POST
 * /api/zoom/... links, unlinks and syncs; everything else is a file of the page, built in.
 */
#ifndef FL_AGENT_INSIGHT_WEB_H
#define FL_AGENT_INSIGHT_WEB_H

#include "agent/insight/http.h"
#include "agent/insight/view.h"

/* Everything is borrowed. */
struct fl_web {
	const struct fl_view *view;
	const char *org; /* whose accounts are shown */
	/*
	 * Do what the control socket does: {"command": "zoom link" | "zoom link back" |
	 * "zoom link result" | "zoom unlink" | "zoom sync", ...} is answered with {"ok": true,
	 * "data": ...} or {"ok": false, "error": "..."}. "session" is the browser's, to which a
	 * link is bound. NULL: look only.
	 */
	void (*control)(void *ctx, const struct fl_json *request, struct fl_json *reply);
	void *ctx;
};

/* For fl_http_new(): @ctx is a struct fl_web. */
void fl_web_answer(void *ctx, const struct fl_http_request *request, struct fl_http_reply *reply);

/* --- files of the page, made by web/embed.sh -----------------------------------------------------
 */

struct fl_web_asset {
	const char *path; /* "/app.css" */
	const char *type;
	const char *etag;
	const unsigned char *data;
	size_t len;
};

extern const struct fl_web_asset fl_web_assets[];
extern const size_t fl_web_asset_count;

#endif
