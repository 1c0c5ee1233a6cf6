// SPDX-License-Identifier: Apache-2.0
/*
 * The web page as insightd serves it, over a store that is filled here; Zoom's side is played. For
 * the tests of test/web/: prints the port, serves until standard input ends.
 *
 * usage: server STORE [--listen WHERE] [--token TOKEN] [--cert FILE --key FILE] [--empty]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/base/monotime.h"
#include "agent/base/rand.h"
#include "agent/codec/json.h"
#include "agent/insight/web.h"
#include "test/web/world.h"

struct played {
	struct fl_http_cfg http;
	const char *store_path;
	bool empty;
	/* Zoom's side */
	bool unlinked;
	bool pending;
	bool refused;
	int64_t synced_s;
};

static void die(const char *what, int err)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-err));
	exit(2);
}

static void add_account(struct fl_json *list, const char *id, const char *company, bool ok,
			int64_t synced_s)
{
	const char *error = "Token refresh failed, link the account again";
	struct fl_json *a = fl_json_add_object(list, NULL), *errors;

	fl_json_add_string(a, "application", "zoom");
	fl_json_add_string(a, "account_id", id);
	fl_json_add_string(a, "company", company);
	fl_json_add_string(a, "linked_by", "dana.okafor@example.com");
	fl_json_add_double(a, "linked_timestamp", 1718971980.25);
	fl_json_add_i64(a, "last_sync", synced_s * 1000);
	fl_json_add_string(a, "last_status", ok ? "success" : "failed");
	fl_json_add_string(a, "error", ok ? "" : error);
	errors = fl_json_add_array(a, "errors");
	if (!ok)
		fl_json_add_string(errors, NULL, error);
	fl_json_add_i64(a, "max_daily_api_requests", 5000);
	fl_json_add_bool(a, "discard_guest_info", ok);
}

static void accounts(void *ctx, const char *org, struct fl_json *to)
{
	const struct played *p = ctx;
	struct fl_json *list;

	(void)org;
	fl_json_add_bool(to, "linked", !p->empty);
	list = fl_json_add_array(to, "accounts");
	if (p->empty)
		return;
	add_account(list, "7000012345", "Example Corp", true, p->synced_s);
	if (!p->unlinked)
		add_account(list, "7000067890", "Example Labs", false, 1720000000);
}

static const char *text_of(const struct fl_json *request, const char *name)
{
	const char *text = fl_json_get_string(fl_json_member(request, name));

	return text ? text : "";
}

/* Zoom's consent page sends the browser straight back; a state of another browser is refused. */
static void control(void *ctx, const struct fl_json *request, struct fl_json *reply)
{
	struct played *p = ctx;
	const char *command = text_of(request, "command"), *error = NULL;
	struct fl_json *data = fl_json_add_object(reply, "data");
	char url[128];

	if (!strcmp(command, "zoom link")) {
		if (!*text_of(request, "consent"))
			error = "Nothing is linked without consent.";
		snprintf(url, sizeof(url), "/zoom/callback?code=c&state=%s",
			 text_of(request, "session"));
		fl_json_add_string(data, "url", url);
	} else if (!strcmp(command, "zoom link back")) {
		p->refused = strcmp(text_of(request, "state"), text_of(request, "session")) != 0;
		p->pending = true;
		fl_json_add_i64(data, "id", 1);
	} else if (!strcmp(command, "zoom link result")) {
		if (!p->pending && p->refused)
			error = "The link was not begun in this browser.";
		fl_json_add_string(data, "state", p->pending ? "pending" : "linked");
		fl_json_add_string(data, "words", "Example Corp is linked.");
		p->pending = false;
	} else if (!strcmp(command, "zoom unlink")) {
		p->unlinked = true;
	} else {
		p->synced_s = (int64_t)(fl_wall_now_ns() / FL_NS_PER_S);
		fl_json_add_string(data, "words", "Zoom is asked now.");
	}
	fl_json_add_bool(reply, "ok", !error);
	if (error)
		fl_json_add_string(reply, "error", error);
}

static int on_stdin(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	char byte;

	(void)events;
	(void)ctx;
	if (read(fd, &byte, 1) <= 0)
		sd_event_exit(sd_event_source_get_event(source), 0);
	return 0;
}

static void parse(int argc, char **argv, struct played *p)
{
	p->store_path = argc > 1 ? argv[1] : "";
	p->http.listen = "127.0.0.1:0";
	for (int i = 2; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(argv[i], "--empty")) {
			p->empty = true;
			continue;
		}
		i++;
		if (!strcmp(argv[i - 1], "--listen"))
			p->http.listen = value;
		else if (!strcmp(argv[i - 1], "--token"))
			p->http.token = value;
		else if (!strcmp(argv[i - 1], "--cert"))
			p->http.cert = value;
		else if (!strcmp(argv[i - 1], "--key"))
			p->http.key = value;
	}
}

static void serve(struct played *p, const struct fl_view *view)
{
	struct fl_web web = { .view = view, .org = "", .control = control, .ctx = p };
	char words[FL_HTTP_WORDS_LEN];
	struct fl_http *http;
	sd_event *event;
	int err = sd_event_default(&event);

	if (err < 0)
		die("event loop", err);
	if (fl_http_new(event, &p->http, fl_web_answer, &web, &http, words) < 0) {
		fprintf(stderr, "%s\n", words);
		exit(3);
	}
	sd_event_add_io(event, NULL, STDIN_FILENO, EPOLLIN, on_stdin, NULL);
	printf("%u\n", fl_http_port(http));
	fflush(stdout);
	err = sd_event_loop(event);
	fl_http_free(http);
	sd_event_unref(event);
	if (err < 0)
		die("event loop", err);
}

int main(int argc, char **argv)
{
	struct played p = { .synced_s = 1720708260 };
	struct fl_view view = { .accounts = accounts, .ctx = &p };
	struct fl_store_health health;
	struct fl_store_cfg cfg;
	int err;

	fl_log_init(FL_LOG_WARNING);
	parse(argc, argv, &p);
	cfg = (struct fl_store_cfg){ .path = p.store_path };
	err = fl_rand_init();
	if (!err)
		err = fl_store_open(&cfg, &health, &view.store);
	if (!err)
		err = fl_explainer_new(view.store, NULL, &view.explainer);
	if (err)
		die(p.store_path, err);
	if (!p.empty)
		world_fill(view.store, (int64_t)(fl_wall_now_ns() / FL_NS_PER_S));
	view.sites = world_sites;
	view.site_count = p.empty ? 0 : WORLD_SITES;
	serve(&p, &view);
	fl_explainer_free(view.explainer);
	fl_store_close(view.store);
	return 0;
}
