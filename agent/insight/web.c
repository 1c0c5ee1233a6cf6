// SPDX-License-Identifier: Apache-2.0
/* The page's API: see web.h. Nothing here knows more than how to read a request. */
#include "agent/insight/web.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/base/monotime.h"
#include "agent/codec/json.h"

#define SPAN_MAX_S (400 * 86400LL) /* more than anything is kept */

struct request {
	const struct fl_web *web;
	const struct fl_http_request *http;
	struct fl_view_span span;
	uint32_t site;   /* 0: none was named */
	uint32_t client; /* 0: none was named */
	int64_t now_s;
};

static const char *text_of(const struct request *r, const char *name)
{
	const char *text = fl_http_query(r->http, name);

	return text ? text : "";
}

/* Return: 0, *ret untouched if the parameter is not there; -EINVAL. */
static int number_of(const struct request *r, const char *name, int64_t *ret)
{
	const char *text = text_of(r, name);
	char *end;
	long long value;

	if (!*text)
		return 0;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || *end || value < 0)
		return -EINVAL;
	*ret = value;
	return 0;
}

/* --- views --------------------------------------------------------------------------------------
 */

static int get_sites(const struct request *r, struct fl_json *to)
{
	return fl_view_sites(r->web->view, to);
}

static int get_series(const struct request *r, struct fl_json *to)
{
	return fl_view_series(r->web->view, r->site, r->span, to);
}

static int get_summary(const struct request *r, struct fl_json *to)
{
	return fl_view_summary(r->web->view, r->site, r->span, to);
}

static int get_cpu(const struct request *r, struct fl_json *to)
{
	return fl_view_cpu(r->web->view, r->site, r->span, to);
}

static int get_clients(const struct request *r, struct fl_json *to)
{
	return fl_view_clients(r->web->view, r->site, r->span, to);
}

static int get_client(const struct request *r, struct fl_json *to)
{
	return fl_view_client(r->web->view, r->client, r->span, to);
}

static int get_calls(const struct request *r, struct fl_json *to)
{
	struct fl_call_filter filter = { .site = r->site,
					 .client = r->client,
					 .from_s = r->span.from_s,
					 .to_s = r->span.to_s,
					 .bad_only = !strcmp(text_of(r, "bad"), "1") };
	int64_t offset = 0, limit = 10;

	if (number_of(r, "offset", &offset) || number_of(r, "limit", &limit) || limit > 100 ||
	    offset > INT32_MAX)
		return -EINVAL;
	filter.offset = (unsigned int)offset;
	filter.limit = (unsigned int)limit;
	snprintf(filter.search, sizeof(filter.search), "%s", text_of(r, "search"));
	return fl_view_calls(r->web->view, &filter, to);
}

static int call_of(const struct request *r, uint64_t *ret_call)
{
	int64_t call = 0;

	if (number_of(r, "call", &call))
		return -EINVAL;
	*ret_call = (uint64_t)call;
	return call ? 0 : -EINVAL;
}

static int get_call(const struct request *r, struct fl_json *to)
{
	uint64_t call;
	int err = call_of(r, &call);

	return err ? err : fl_view_call(r->web->view, call, to);
}

static int get_ranking(const struct request *r, struct fl_json *to)
{
	const char *name = text_of(r, "stream");
	enum fl_stream stream = *name ? 0 : FL_STREAM_MAX;
	uint64_t call;
	int err = call_of(r, &call);

	while (*name && stream < FL_STREAM_JUDGED && strcmp(name, fl_stream_name(stream)) != 0)
		stream++;
	if (*name && stream == FL_STREAM_JUDGED)
		err = -EINVAL;
	return err ? err : fl_view_ranking(r->web->view, call, stream, r->now_s, to);
}

static int get_events(const struct request *r, struct fl_json *to)
{
	return fl_view_events(r->web->view, r->site, r->client, r->span, to);
}

static int get_accounts(const struct request *r, struct fl_json *to)
{
	return fl_view_accounts(r->web->view, r->web->org, to);
}

static int get_checklist(const struct request *r, struct fl_json *to)
{
	return fl_view_checklist(r->web->view, r->web->org, to);
}

static int get_ask(const struct request *r, struct fl_json *to)
{
	return fl_view_ask(r->web->view, text_of(r, "q"), r->site, r->now_s, to);
}

static int get_store(const struct request *r, struct fl_json *to)
{
	return fl_view_store(r->web->view, to);
}

enum needs {
	NEEDS_SITE = 1,
	NEEDS_CLIENT = 2,
	NEEDS_SPAN = 4,
};

static const struct view {
	const char *name; /* behind /api/ */
	unsigned int needs;
	int (*fn)(const struct request *r, struct fl_json *to);
} views[] = {
	{ "sites", 0, get_sites },
	{ "series", NEEDS_SITE | NEEDS_SPAN, get_series },
	{ "summary", NEEDS_SITE | NEEDS_SPAN, get_summary },
	{ "cpu", NEEDS_SITE | NEEDS_SPAN, get_cpu },
	{ "clients", NEEDS_SPAN, get_clients },
	{ "client", NEEDS_CLIENT | NEEDS_SPAN, get_client },
	{ "calls", NEEDS_SPAN, get_calls },
	{ "call", 0, get_call },
	{ "ranking", 0, get_ranking },
	{ "events", NEEDS_SITE | NEEDS_SPAN, get_events },
	{ "accounts", 0, get_accounts },
	{ "checklist", 0, get_checklist },
	{ "ask", 0, get_ask },
	{ "store", 0, get_store },
};

/* --- answers ------------------------------------------------------------------------------------
 */

static void set_json(struct fl_http_reply *reply, unsigned int status, const struct fl_json *json)
{
	reply->status = status;
	reply->body = fl_json_print(json, FL_JSON_COMPACT);
	reply->len = reply->body ? strlen(reply->body) : 0;
	if (!reply->body)
		reply->status = 503;
}

static void set_error(struct fl_http_reply *reply, unsigned int status, const char *words)
{
	struct fl_json *json = fl_json_new_object();

	fl_json_add_string(json, "error", words);
	set_json(reply, status, json);
	fl_json_free(json);
}

static void set_failure(const struct request *r, int err, struct fl_http_reply *reply)
{
	if (err == -ENOENT)
		return set_error(reply, 404, "There is no such site, client or call.");
	if (err == -EINVAL || err == -ERANGE)
		return set_error(reply, 400, "The request is not understood.");
	fl_log_err(err, "web: %s cannot be answered", r->http->path);
	set_error(reply, 503, "The store does not answer. Try again.");
}

static int read_parameters(struct request *r, unsigned int needs)
{
	int64_t client = 0;
	int err = number_of(r, "from", &r->span.from_s);

	if (!err)
		err = number_of(r, "to", &r->span.to_s);
	if (!err)
		err = number_of(r, "client", &client);
	if (err || client > UINT32_MAX || r->span.to_s < r->span.from_s ||
	    r->span.to_s - r->span.from_s > SPAN_MAX_S)
		return -EINVAL;
	r->client = (uint32_t)client;
	if (*text_of(r, "site"))
		err = fl_view_find_site(r->web->view, text_of(r, "site"), &r->site);
	if (!err && ((needs & NEEDS_SITE && !r->site) || (needs & NEEDS_CLIENT && !r->client) ||
		     (needs & NEEDS_SPAN && r->span.to_s == r->span.from_s)))
		err = -EINVAL;
	return err;
}

static void show(struct request *r, const struct view *view, struct fl_http_reply *reply)
{
	struct fl_json *json = fl_json_new_object();
	int err = read_parameters(r, view->needs);

	if (!err)
		err = view->fn(r, json);
	if (err < 0)
		set_failure(r, err, reply);
	else
		set_json(reply, 200, json);
	fl_json_free(json);
}

/* --- accounts -----------------------------------------------------------------------------------
 */

static bool copy_member(void *ctx, const char *key, struct fl_json *value)
{
	struct fl_json *to = ctx;
	int64_t number;

	/* Ours alone to say. */
	if (!strcmp(key, "command") || !strcmp(key, "session"))
		return true;
	if (fl_json_type(value) == FL_JSON_STRING)
		fl_json_add_string(to, key, fl_json_get_string(value));
	else if (!fl_json_get_i64(value, &number))
		fl_json_add_i64(to, key, number);
	else if (fl_json_type(value) == FL_JSON_BOOL)
		fl_json_add_bool(to, key, fl_json_get_bool(value));
	return true;
}

static void control(const struct request *r, struct fl_json *request, struct fl_json *reply)
{
	fl_json_add_string(request, "session", r->http->session);
	if (r->web->control) {
		r->web->control(r->web->ctx, request, reply);
	} else {
		fl_json_add_bool(reply, "ok", false);
		fl_json_add_string(reply, "error", "This page only shows.");
	}
}

/* NULL: there is none. */
static const char *command_of(const char *verb)
{
	static const char *const commands[][2] = { { "link", "zoom link" },
						   { "link-result", "zoom link result" },
						   { "unlink", "zoom unlink" },
						   { "sync", "zoom sync" } };

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(verb, commands[i][0]))
			return commands[i][1];
	return NULL;
}

/* POST /api/zoom/VERB with an object of strings, numbers and booleans. */
static void act(const struct request *r, const char *verb, struct fl_http_reply *reply)
{
	struct fl_json *body = NULL, *request = fl_json_new_object(), *done = fl_json_new_object();
	struct fl_json_error why;
	const char *command = command_of(verb);

	fl_json_add_string(request, "command", command);
	if (!command) {
		set_error(reply, 404, "There is no such command.");
	} else if (fl_json_parse(r->http->body, r->http->body_len, &body, &why) < 0 ||
		   fl_json_type(body) != FL_JSON_OBJECT) {
		set_error(reply, 400, "The request is not understood.");
	} else {
		fl_json_for_each(body, copy_member, request);
		control(r, request, done);
		set_json(reply, fl_json_get_bool(fl_json_member(done, "ok")) ? 200 : 422, done);
	}
	fl_json_free(body);
	fl_json_free(request);
	fl_json_free(done);
}

/*
 * The way back from Zoom's consent page: hand over what it brought, and show the accounts, where
 * the page asks for the end by its number.
 */
static void link_back(const struct request *r, struct fl_http_reply *reply)
{
	static const char *const brought[][2] = { { "state", "state" },
						  { "code", "code" },
						  { "error", "error" },
						  { "description", "error_description" } };
	struct fl_json *request = fl_json_new_object(), *done = fl_json_new_object();
	int64_t id = 0;

	fl_json_add_string(request, "command", "zoom link back");
	for (size_t i = 0; i < sizeof(brought) / sizeof(brought[0]); i++)
		fl_json_add_string(request, brought[i][0], text_of(r, brought[i][1]));
	control(r, request, done);
	fl_json_get_i64(fl_json_member(fl_json_member(done, "data"), "id"), &id);
	fl_json_free(request);
	fl_json_free(done);
	reply->status = 303;
	snprintf(reply->location, sizeof(reply->location), "/#/accounts/linking?id=%" PRId64, id);
}

/* --- files --------------------------------------------------------------------------------------
 */

static void deliver(const struct fl_http_request *request, struct fl_http_reply *reply)
{
	const char *path = strcmp(request->path, "/") != 0 ? request->path : "/index.html";

	for (size_t i = 0; i < fl_web_asset_count; i++) {
		const struct fl_web_asset *a = &fl_web_assets[i];

		if (strcmp(path, a->path) != 0)
			continue;
		reply->status = 200;
		reply->type = a->type;
		reply->etag = a->etag;
		reply->fixed = (const char *)a->data;
		reply->len = a->len;
		return;
	}
	set_error(reply, 404, "There is no such page.");
}

void fl_web_answer(void *ctx, const struct fl_http_request *http, struct fl_http_reply *reply)
{
	struct request r = { .web = ctx,
			     .http = http,
			     .now_s = (int64_t)(fl_wall_now_ns() / FL_NS_PER_S) };
	bool post = !strcmp(http->method, "POST");

	if (!strncmp(http->path, "/api/zoom/", 10) && post)
		return act(&r, http->path + 10, reply);
	if (!strcmp(http->path, "/zoom/callback") && !post)
		return link_back(&r, reply);
	if (post)
		return set_error(reply, 405, "Only GET here.");
	if (strncmp(http->path, "/api/", 5) != 0)
		return deliver(http, reply);
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
		if (!strcmp(http->path + 5, views[i].name))
			return show(&r, &views[i], reply);
	set_error(reply, 404, "There is no such view.");
}
