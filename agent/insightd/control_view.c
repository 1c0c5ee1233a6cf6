// SPDX-License-Identifier: Apache-2.0
/* Commands that only look. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/insightd/control.h"

#define RANK_CALLS 64 /* of one meeting that are ranked in one answer: each takes milliseconds */

static void done(struct fl_request *r, int err, const char *what)
{
	if (err)
		fl_request_fail_err(r, err, what);
}

/* "site" of the request; 0 if none is named. False: the request has failed. */
static bool find_site(struct fl_request *r, uint32_t *ret_site)
{
	const char *name = fl_request_text(r, "site");
	int err;

	*ret_site = 0;
	if (!*name)
		return true;
	err = fl_view_find_site(&r->service->view, name, ret_site);
	if (err == -ENOENT)
		fl_request_fail(r, FL_CTL_NO, "there is no site \"%s\": `fairlead zoom sites`",
				name);
	else if (err)
		fl_request_fail_err(r, err, "");
	return !err;
}

struct first_site {
	uint32_t id;
	unsigned int count;
};

static bool count_site(void *ctx, uint32_t id, const char *name)
{
	struct first_site *first = ctx;

	(void)name;
	first->id = id;
	return ++first->count < 2;
}

/* The same where one is needed: the only one goes without saying. */
static bool need_site(struct fl_request *r, uint32_t *ret_site)
{
	struct first_site first = { 0 };
	int err;

	if (!find_site(r, ret_site))
		return false;
	if (*ret_site)
		return true;
	err = fl_store_each_site(r->service->store, count_site, &first);
	*ret_site = first.id;
	if (!err && first.count == 1)
		return true;
	if (err)
		fl_request_fail_err(r, err, "");
	else if (!first.count)
		fl_request_fail(r, FL_CTL_NO,
				"there is no site yet: name them in insight.json, under sites");
	else
		fl_request_fail(r, FL_CTL_USAGE,
				"which site? `fairlead zoom sites` lists them, then: site NAME");
	return false;
}

/* "client" of the request; 0 if none is named. */
static bool find_client(struct fl_request *r, uint32_t site, uint32_t *ret_client)
{
	const char *name = fl_request_text(r, "client");
	int err;

	*ret_client = 0;
	if (!*name)
		return true;
	err = fl_view_find_client(&r->service->view, name, site, ret_client);
	if (err == -ENOENT)
		fl_request_fail(r, FL_CTL_NO,
				"no client with the name, MAC or address \"%s\" has been in a Zoom "
				"call: `fairlead zoom clients`",
				name);
	else if (err)
		fl_request_fail_err(r, err, "");
	return !err;
}

void fl_control_accounts(struct fl_request *r)
{
	const struct fl_json *list;

	fl_json_add_bool(r->data, "enabled", r->service->conf->enabled);
	fl_json_add_string(r->data, "organisation", fl_request_org(r));
	done(r, fl_view_accounts(&r->service->view, fl_request_org(r), r->data), "");
	list = fl_json_member(r->data, "accounts");
	if (*fl_request_text(r, "account")) {
		for (size_t i = 0; i < fl_json_count(list); i++) {
			const char *id = fl_json_get_string(
				fl_json_member(fl_json_at(list, i), "account_id"));

			if (id && !strcmp(id, fl_request_text(r, "account")))
				return;
		}
		fl_request_fail(r, FL_CTL_NO, "%s has linked no account \"%s\"", fl_request_org(r),
				fl_request_text(r, "account"));
	}
}

void fl_control_status(struct fl_request *r)
{
	const struct fl_service *s = r->service;

	fl_json_add_string(r->data, "version", r->control->version);
	fl_json_add_bool(r->data, "enabled", s->conf->enabled);
	fl_json_add_string(r->data, "organisation", s->conf->org);
	fl_json_add_u64(r->data, "sites", s->conf->site_count);
	fl_json_add_bool(r->data, "store-was-damaged", s->health.quarantined);
	fl_routers_json(s->routers, r->data);
	done(r, fl_view_store(&s->view, fl_json_add_object(r->data, "store")), "");
}

void fl_control_sites(struct fl_request *r)
{
	done(r, fl_view_sites(&r->service->view, r->data), "");
}

void fl_control_calls(struct fl_request *r)
{
	struct fl_view_span span = fl_request_span(r);
	int64_t offset = fl_request_number(r, "offset", 0),
		limit = fl_request_number(r, "limit", 0);
	struct fl_call_filter filter = {
		.from_s = span.from_s,
		.to_s = span.to_s,
		.bad_only = fl_json_get_bool(fl_json_member(r->json, "bad")),
		.offset = offset > 0 && offset < INT32_MAX ? (unsigned int)offset : 0,
		.limit = limit > 0 && limit < INT32_MAX ? (unsigned int)limit : 0,
	};

	snprintf(filter.search, sizeof(filter.search), "%s", fl_request_text(r, "search"));
	if (find_site(r, &filter.site) && find_client(r, filter.site, &filter.client))
		done(r, fl_view_calls(&r->service->view, &filter, r->data), "");
}

void fl_control_clients(struct fl_request *r)
{
	uint32_t site;

	if (find_site(r, &site))
		done(r, fl_view_clients(&r->service->view, site, fl_request_span(r), r->data), "");
}

/* Its figures, its calls, and what happened. */
void fl_control_client(struct fl_request *r)
{
	const struct fl_view *view = &r->service->view;
	struct fl_view_span span = fl_request_span(r);
	struct fl_call_filter filter = { .from_s = span.from_s, .to_s = span.to_s };
	struct fl_client_row row;
	int err;

	if (!find_site(r, &filter.site) || !find_client(r, filter.site, &filter.client))
		return;
	if (!filter.client) {
		fl_request_fail(r, FL_CTL_USAGE, "which client? A host name, MAC or address");
		return;
	}
	err = fl_view_client(view, filter.client, span, r->data);
	if (!err)
		err = fl_view_calls(view, &filter, fl_json_add_object(r->data, "calls"));
	if (!err)
		err = fl_store_client(r->service->store, filter.client, &row);
	if (!err)
		err = fl_view_events(view, row.site, filter.client, span,
				     fl_json_add_object(r->data, "events"));
	done(r, err, "the client is gone");
}

void fl_control_insights(struct fl_request *r)
{
	const struct fl_view *view = &r->service->view;
	struct fl_view_span span = fl_request_span(r);
	uint32_t site;
	int err;

	if (!need_site(r, &site))
		return;
	err = fl_view_series(view, site, span, r->data);
	if (!err)
		err = fl_view_summary(view, site, span, fl_json_add_object(r->data, "summary"));
	done(r, err, "there is no such site");
}

void fl_control_events(struct fl_request *r)
{
	uint32_t site, client;

	if (need_site(r, &site) && find_client(r, site, &client))
		done(r,
		     fl_view_events(&r->service->view, site, client, fl_request_span(r), r->data),
		     "there is no such site");
}

/* --- ranking ------------------------------------------------------------------------------------
 */

struct rank_calls {
	const char *meeting;
	uint64_t list[RANK_CALLS];
	size_t count;
	bool found; /* any call, if without bad minutes */
};

static bool take_call(void *ctx, const struct fl_call *call)
{
	struct rank_calls *calls = ctx;
	char number[24];

	snprintf(number, sizeof(number), "%" PRId64, call->meeting_number);
	if (strcmp(calls->meeting, number) != 0 && strcmp(calls->meeting, call->meeting_uuid) != 0)
		return true;
	calls->found = true;
	if (call->bad_minutes)
		calls->list[calls->count++] = call->id;
	return calls->count < RANK_CALLS;
}

static bool find_stream(struct fl_request *r, enum fl_stream *ret_stream)
{
	const char *name = fl_request_text(r, "stream");

	*ret_stream = FL_STREAM_MAX;
	if (!*name)
		return true;
	for (enum fl_stream s = 0; s < FL_STREAM_JUDGED; s++) {
		if (!strcmp(name, fl_stream_name(s))) {
			*ret_stream = s;
			return true;
		}
	}
	fl_request_fail(r, FL_CTL_USAGE,
			"no stream \"%s\": audio_in, audio_out, video_in, video_out are those that "
			"are ranked",
			name);
	return false;
}

static int rank_calls(struct fl_request *r, const struct rank_calls *calls, enum fl_stream stream)
{
	const struct fl_view *view = &r->service->view;
	struct fl_json *list = fl_json_add_array(r->data, "calls"), *o;
	int err = 0;

	for (size_t i = 0; !err && i < calls->count; i++) {
		o = fl_json_add_object(list, NULL);
		err = fl_view_ranking(view, calls->list[i], stream, r->now_s, o);
		if (!err)
			err = fl_view_call(view, calls->list[i], fl_json_add_object(o, "of"));
	}
	return err;
}

void fl_control_rank(struct fl_request *r)
{
	struct rank_calls calls = { .meeting = fl_request_text(r, "meeting") };
	/* A meeting is named without its day. */
	struct fl_call_filter filter = {
		.from_s = fl_request_number(
			r, "from", r->now_s - r->service->conf->store.meeting_days * 86400LL),
		.to_s = fl_request_number(r, "to", r->now_s),
	};
	enum fl_stream stream;
	int err;

	if (!*calls.meeting) {
		fl_request_fail(r, FL_CTL_USAGE, "which meeting? Its number, or its UUID");
		return;
	}
	if (!find_site(r, &filter.site) || !find_client(r, filter.site, &filter.client) ||
	    !find_stream(r, &stream))
		return;
	if (!calls.meeting[strspn(calls.meeting, "0123456789")])
		snprintf(filter.search, sizeof(filter.search), "%s", calls.meeting);
	err = fl_store_each_call(r->service->store, &filter, take_call, &calls, NULL);
	if (!err && !calls.found)
		fl_request_fail(r, FL_CTL_NO,
				"nobody here was in a meeting \"%s\" in that time: `fairlead zoom "
				"calls` lists calls",
				calls.meeting);
	else if (!err)
		err = rank_calls(r, &calls, stream);
	done(r, err, "the call is gone");
}

void fl_control_checklist(struct fl_request *r)
{
	done(r, fl_view_checklist(&r->service->view, fl_request_org(r), r->data), "");
}

void fl_control_ask(struct fl_request *r)
{
	uint32_t site;

	if (!*fl_request_text(r, "question"))
		fl_request_fail(r, FL_CTL_USAGE, "what is the question? \"help\" shows examples");
	else if (find_site(r, &site))
		done(r,
		     fl_view_ask(&r->service->view, fl_request_text(r, "question"), site, r->now_s,
				 r->data),
		     "");
}
