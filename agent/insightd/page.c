// SPDX-License-Identifier: Apache-2.0
/* The page and its server: see page.h. */
#include "agent/insightd/page.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/base/monotime.h"
#include "agent/codec/json.h"

/* Zoom itself calls: its signature is all that says so. */
static void answer_hook(struct fl_page *page, const struct fl_http_request *request,
			struct fl_http_reply *reply)
{
	const char *signature = fl_http_header(request, "x-zm-signature");
	const char *timestamp = fl_http_header(request, "x-zm-request-timestamp");
	const struct fl_zoom_hook_request hook = { .signature = signature,
						   .timestamp = timestamp,
						   .body = request->body,
						   .len = request->body_len,
						   .now_s = (int64_t)(fl_wall_now_ns() /
								      FL_NS_PER_S) };
	char text[1024];

	if (strcmp(request->method, "POST") != 0) {
		reply->status = 405;
		return;
	}
	reply->status = (unsigned int)fl_service_hook(page->service, &hook, text, sizeof(text));
	reply->body = strdup(text);
	reply->len = reply->body ? strlen(reply->body) : 0;
}

static void answer(void *ctx, const struct fl_http_request *request, struct fl_http_reply *reply)
{
	struct fl_page *page = ctx;

	if (!strcmp(request->path, FL_PAGE_HOOK_PATH))
		answer_hook(page, request, reply);
	else
		fl_web_answer(&page->web, request, reply);
}

/* "unix:NAME" stands in the run folder. */
static void place_socket(const struct fl_page *page, const char *listen, char *to, size_t size)
{
	if (!strncmp(listen, "unix:", 5) && listen[5] != '/')
		snprintf(to, size, "unix:%s/%s", page->run_dir, listen + 5);
	else
		snprintf(to, size, "%s", listen);
}

static void say_where(const struct fl_page *page, const char *listen)
{
	const char *colon = strrchr(listen, ':');

	if (!fl_http_port(page->http))
		fl_notice("the page is served on %s", listen);
	else
		fl_notice("the page is served on http%s://%.*s:%u/",
			  *page->service->conf->web.certificate ? "s" : "", (int)(colon - listen),
			  listen, fl_http_port(page->http));
}

int fl_page_start(struct fl_page *page)
{
	const struct fl_conf *c = page->service->conf;
	char listen[FL_CONF_PATH_LEN * 2], names[sizeof(c->web.host_names)];
	char words[FL_HTTP_WORDS_LEN], *rest = names, *name;
	struct fl_http_cfg cfg = { .listen = listen,
				   .cert = *c->web.certificate ? c->web.certificate : NULL,
				   .key = *c->web.key ? c->web.key : NULL,
				   .token = *c->web.token ? c->web.token : NULL,
				   .open_path = FL_PAGE_HOOK_PATH };
	int count = 0, err;

	if (!*c->web.listen)
		return 0;
	place_socket(page, c->web.listen, listen, sizeof(listen));
	snprintf(names, sizeof(names), "%s", c->web.host_names);
	while (count < FL_HTTP_NAMES_MAX && (name = strsep(&rest, " ")))
		if (*name)
			cfg.names[count++] = name;
	page->web = (struct fl_web){ .view = &page->service->view,
				     .org = c->org,
				     .control = fl_control_answer,
				     .ctx = page->control };
	err = fl_http_new(page->service->event, &cfg, answer, page, &page->http, words);
	if (err < 0)
		fl_error("web: %s", words);
	else
		say_where(page, listen);
	return err;
}

void fl_page_stop(struct fl_page *page)
{
	fl_http_free(page->http);
	page->http = NULL;
}
