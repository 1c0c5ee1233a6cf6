// SPDX-License-Identifier: Apache-2.0
/*
 * Linking and unlinking of accounts. A link takes several requests to Zoom, and an answer must not
 * wait for them: it has a number, by which its end can be asked for.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/insightd/control.h"

static bool is_pending(const struct fl_request *r, const struct fl_linking *l)
{
	return l->id && !l->done && l->generation == r->service->generation;
}

/* Of those that have ended, the oldest gives way. NULL: too many are under way. */
static struct fl_linking *new_linking(struct fl_request *r)
{
	struct fl_control *c = r->control;
	struct fl_linking *oldest = NULL;

	for (size_t i = 0; i < FL_LINKINGS; i++) {
		struct fl_linking *l = &c->linkings[i];

		if (!is_pending(r, l) && (!oldest || l->id < oldest->id))
			oldest = l;
	}
	if (oldest)
		*oldest = (struct fl_linking){ .id = ++c->next_linking,
					       .generation = r->service->generation };
	else
		fl_request_fail(r, FL_CTL_NO,
				"too many links are under way: try again in a minute");
	return oldest;
}

static void linked(void *ctx, bool good, const char *words, const char *account)
{
	struct fl_linking *l = ctx;

	l->done = true;
	l->linked = good;
	snprintf(l->words, sizeof(l->words), "%s", words);
	snprintf(l->account, sizeof(l->account), "%s", account);
}

static void add_linking(struct fl_request *r, const struct fl_linking *l)
{
	const char *state = !l->done ? "pending" : l->linked ? "linked" : "refused";

	fl_json_add_u64(r->data, "id", l->id);
	fl_json_add_string(r->data, "state", state);
	if (is_pending(r, l))
		return;
	if (!l->done) {
		fl_request_fail(r, FL_CTL_NO, "insightd was restarted meanwhile: begin again");
		return;
	}
	fl_json_add_string(r->data, "words", l->words);
	fl_json_add_string(r->data, "account", l->account);
	if (!l->linked)
		fl_request_fail(r, FL_CTL_NO, "%s", l->words);
}

static void link_server(struct fl_request *r, struct fl_zoom_app *app,
			const struct fl_zoom_link *link)
{
	struct fl_linking *l = new_linking(r);

	if (!l)
		return;
	snprintf(app->account_id, sizeof(app->account_id), "%s", fl_request_text(r, "account-id"));
	fl_zoom_link_server(r->service->zoom, app, link, linked, l);
	add_linking(r, l);
}

static void link_browser(struct fl_request *r, const struct fl_zoom_app *app,
			 const struct fl_zoom_link *link)
{
	const char *session = fl_request_text(r, "session");
	char url[2048], words[FL_ZOOM_WORDS_LEN] = "";
	int err;

	if (!*session || strlen(session) > 63) {
		fl_request_fail(r, FL_CTL_USAGE, "\"session\" must be a text of 1 to 63 bytes");
		return;
	}
	err = fl_zoom_link_url(r->service->zoom, app, link, session, url, sizeof(url), words);
	if (err) {
		fl_request_fail(r, FL_CTL_NO, "%s", *words ? words : strerror(-err));
		return;
	}
	fl_json_add_string(r->data, "url", url);
	fl_json_add_string(r->data, "redirect-uri", app->redirect_uri);
}

void fl_control_link(struct fl_request *r)
{
	struct fl_zoom_app app = fl_service_app(r->service);
	struct fl_zoom_link link = fl_service_link(r->service, fl_request_text(r, "org"),
						   fl_request_text(r, "consent"));

	if (!*app.client_id || !*app.client_secret)
		fl_request_fail(r, FL_CTL_BAD_CONFIG,
				"no app to link with: set zoom/client-id and zoom/client-secret in "
				"insight.json, as the app at Zoom's marketplace has them");
	else if (*fl_request_text(r, "account-id"))
		link_server(r, &app, &link);
	else
		link_browser(r, &app, &link);
	explicit_bzero(&app, sizeof(app));
}

void fl_control_link_back(struct fl_request *r)
{
	const struct fl_zoom_back back = { .state = fl_request_text(r, "state"),
					   .session = fl_request_text(r, "session"),
					   .code = fl_request_text(r, "code"),
					   .error = fl_request_text(r, "error"),
					   .description = fl_request_text(r, "description") };
	struct fl_linking *l = new_linking(r);

	if (!l)
		return;
	fl_zoom_link_back(r->service->zoom, &back, linked, l);
	add_linking(r, l);
}

void fl_control_link_result(struct fl_request *r)
{
	int64_t id = fl_request_number(r, "id", 0);

	for (size_t i = 0; id > 0 && i < FL_LINKINGS; i++) {
		if (r->control->linkings[i].id == (uint64_t)id) {
			add_linking(r, &r->control->linkings[i]);
			return;
		}
	}
	fl_request_fail(r, FL_CTL_NO, "no link of this number was begun here");
}

void fl_control_unlink(struct fl_request *r)
{
	const char *account = fl_request_text(r, "account");
	bool data = fl_json_get_bool(fl_json_member(r->json, "data"));
	int err = fl_zoom_unlink(r->service->zoom, fl_request_org(r), account, data);

	if (err == -ENOENT)
		fl_request_fail(r, FL_CTL_NO,
				"%s has linked no account \"%s\": `fairlead zoom accounts` lists "
				"those that are linked",
				fl_request_org(r), account);
	else if (err)
		fl_request_fail(r, FL_CTL_NO, "the account cannot be removed from disk: %s",
				strerror(-err));
	else
		fl_json_add_string(r->data, "unlinked", account);
}

void fl_control_sync(struct fl_request *r)
{
	const char *account = fl_request_text(r, "account");
	int count = fl_zoom_sync(r->service->zoom, fl_request_org(r), account);

	if (count)
		fl_json_add_i64(r->data, "accounts", count);
	else if (*account)
		fl_request_fail(r, FL_CTL_NO, "%s has linked no account \"%s\"", fl_request_org(r),
				account);
	else
		fl_request_fail(r, FL_CTL_NO, "%s has linked no account: `fairlead zoom link`",
				fl_request_org(r));
}
