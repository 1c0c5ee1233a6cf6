// SPDX-License-Identifier: Apache-2.0
/* Events of calls between those of the router: see view.h. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/insight/view_internal.h"

#define HIGH_CPU_PCT 90 /* as the findings have it */

#define CALLS_MAX  1000 /* of one answer (chosen: more than a page shows) */
#define EVENTS_MAX 4000

enum event_kind {
	EVENT_JOINED,
	EVENT_LEFT,
	EVENT_DISCONNECTED,
	EVENT_HIGH_CPU,
	EVENT_ROUTER,
};

struct event {
	int64_t at_s;
	enum event_kind kind;
	enum fl_severity severity;
	size_t call;            /* EVENT_ROUTER: of @router instead */
	struct fl_event router; /* only of that kind */
	double cpu_pct;
};

struct events {
	struct fl_call *calls;
	size_t call_count;
	struct event *list;
	size_t count;
	bool busy; /* the minute before was */
	size_t at; /* the call whose minutes come */
	struct fl_view_span span;
	uint64_t totals[FL_SEVERITY_BAD + 1];
};

static const char *const severity_text[] = { "good", "neutral", "bad" };

static struct event *add(struct events *e, int64_t at_s, enum event_kind kind, size_t call)
{
	static struct event ignored;
	struct event *to = &ignored;

	if (at_s >= e->span.from_s && at_s < e->span.to_s && e->count < EVENTS_MAX)
		to = &e->list[e->count++];
	*to = (struct event){ .at_s = at_s,
			      .kind = kind,
			      .severity = kind == EVENT_JOINED || kind == EVENT_LEFT
						  ? FL_SEVERITY_GOOD
						  : FL_SEVERITY_BAD,
			      .call = call };
	return to;
}

static bool take_call(void *ctx, const struct fl_call *call)
{
	struct events *e = ctx;

	e->calls[e->call_count] = *call;
	add(e, call->join_s, EVENT_JOINED, e->call_count);
	if (call->leave_s != FL_SESSION_OPEN_END)
		add(e, call->leave_s,
		    call->leave_code == FL_LEAVE_NETWORK_ERROR ||
				    call->leave_code == FL_LEAVE_DISCONNECTED
			    ? EVENT_DISCONNECTED
			    : EVENT_LEFT,
		    e->call_count);
	return ++e->call_count < CALLS_MAX;
}

static bool take_minute(void *ctx, const struct fl_call *call, const struct fl_minute_row *row)
{
	struct events *e = ctx;
	bool busy = row->figures.cpu_system_pct >= HIGH_CPU_PCT;

	(void)call;
	if (busy && !e->busy)
		add(e, row->figures.minute * 60, EVENT_HIGH_CPU, e->at)->cpu_pct =
			row->figures.cpu_system_pct;
	e->busy = busy;
	return true;
}

static bool take_router(void *ctx, const struct fl_event *event)
{
	struct events *e = ctx;
	struct event *to = add(e, event->at_s, EVENT_ROUTER, 0);

	to->severity = event->severity;
	to->router = *event;
	return true;
}

static int earlier_first(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->at_s != y->at_s)
		return x->at_s < y->at_s ? -1 : 1;
	return x->kind < y->kind ? -1 : x->kind > y->kind;
}

/* --- as JSON ------------------------------------------------------------------------------------
 */

/* "PATH_DOWN" is "Path down". */
static void add_display(struct fl_json *to, const char *kind)
{
	char text[sizeof(((struct fl_event *)0)->kind)];

	snprintf(text, sizeof(text), "%s", kind);
	for (char *c = text; *c; c++)
		*c = (char)(*c == '_' ? ' ' : c == text ? *c : tolower((unsigned char)*c));
	if (!strncmp(text, "Sla ", 4))
		memcpy(text, "SLA", 3);
	fl_json_add_string(to, "display", text);
}

static void add_router(const struct event *event, struct fl_json *to)
{
	fl_json_add_string(to, "source", "router");
	fl_json_add_string(to, "type", event->router.kind);
	add_display(to, event->router.kind);
	fl_json_add_string(to, "subject", event->router.subject);
	fl_json_add_string(to, "description", event->router.detail);
}

static const char *leave_text(enum fl_leave_code code)
{
	static const char *const text[] = {
		[FL_LEAVE_UNKNOWN] = "Left the meeting, nobody said why.",
		[FL_LEAVE_LEFT] = "Left the meeting.",
		[FL_LEAVE_HOST_ENDED] = "The host ended the meeting.",
		[FL_LEAVE_REMOVED] = "The host removed the participant.",
		[FL_LEAVE_NETWORK_ERROR] = "The connection was lost.",
		[FL_LEAVE_DISCONNECTED] = "The connection was lost.",
	};

	return text[code];
}

static const char *reason_text(enum fl_leave_code code)
{
	static const char *const text[] = {
		[FL_LEAVE_UNKNOWN] = "unknown",
		[FL_LEAVE_LEFT] = "left",
		[FL_LEAVE_HOST_ENDED] = "host_ended",
		[FL_LEAVE_REMOVED] = "removed",
		[FL_LEAVE_NETWORK_ERROR] = "network_error",
		[FL_LEAVE_DISCONNECTED] = "disconnected",
	};

	return text[code];
}

static void add_leave(const struct fl_call *call, struct fl_json *to)
{
	fl_json_add_string(to, "reason", reason_text(call->leave_code));
	fl_json_add_string(to, "description", leave_text(call->leave_code));
	fl_json_add_string(to, "audio_quality", fl_grade_name(call->audio));
	fl_json_add_string(to, "video_quality", fl_grade_name(call->video));
}

static void add_of_call(const struct event *event, const struct fl_call *call, struct fl_json *to)
{
	static const struct {
		const char *type, *display;
	} kinds[] = {
		[EVENT_JOINED] = { "CLIENT_JOINED_CALL", "Client Joined Call (Zoom)" },
		[EVENT_LEFT] = { "CLIENT_LEFT_CALL", "Client Left Call (Zoom)" },
		[EVENT_DISCONNECTED] = { "CLIENT_DISCONNECTED_FROM_CALL",
					 "Client Disconnected From Call (Zoom)" },
		[EVENT_HIGH_CPU] = { "HIGH_CPU_OBSERVED", "High CPU Observed" },
	};
	char text[64];

	fl_json_add_string(to, "source", "call");
	fl_json_add_string(to, "type", kinds[event->kind].type);
	fl_json_add_string(to, "display", kinds[event->kind].display);
	fl_json_add_string(to, "app", "zoom");
	view_add_mac(to, "mac", &call->mac);
	fl_json_add_string(to, "hostname", call->hostname);
	fl_json_add_u64(to, "client", call->client);
	fl_json_add_u64(to, "call", call->id);
	snprintf(text, sizeof(text), "%" PRId64, call->meeting_number);
	fl_json_add_string(to, "meeting_id", text);
	if (event->kind == EVENT_LEFT || event->kind == EVENT_DISCONNECTED) {
		add_leave(call, to);
	} else if (event->kind == EVENT_HIGH_CPU) {
		snprintf(text, sizeof(text), "The processor was at %.0f %%.", event->cpu_pct);
		fl_json_add_string(to, "description", text);
	} else {
		fl_json_add_string(to, "description", "Joined the meeting.");
	}
}

static void print_all(struct events *e, struct fl_json *to)
{
	struct fl_json *totals, *list;

	qsort(e->list, e->count, sizeof(*e->list), earlier_first);
	for (size_t i = 0; i < e->count; i++)
		e->totals[e->list[i].severity]++;
	totals = fl_json_add_object(to, "totals");
	for (unsigned int s = 0; s <= FL_SEVERITY_BAD; s++)
		fl_json_add_u64(totals, severity_text[s], e->totals[s]);
	list = fl_json_add_array(to, "events");
	for (size_t i = 0; i < e->count; i++) {
		const struct event *event = &e->list[i];
		struct fl_json *o = fl_json_add_object(list, NULL);

		if (event->kind == EVENT_ROUTER)
			add_router(event, o);
		else
			add_of_call(event, &e->calls[event->call], o);
		fl_json_add_string(o, "severity", severity_text[event->severity]);
		fl_json_add_i64(o, "timestamp", event->at_s);
	}
	fl_json_add_bool(to, "truncated", e->count == EVENTS_MAX || e->call_count == CALLS_MAX);
}

static int gather(const struct fl_view *view, uint32_t site, uint32_t client, struct events *e)
{
	const struct fl_call_filter filter = { .site = site,
					       .client = client,
					       .from_s = e->span.from_s,
					       .to_s = e->span.to_s,
					       .limit = CALLS_MAX };
	int err = fl_store_each_event(view->store, site, e->span.from_s, e->span.to_s, take_router,
				      e);

	if (!err)
		err = fl_store_each_call(view->store, &filter, take_call, e, NULL);
	for (e->at = 0; !err && client && e->at < e->call_count; e->at++) {
		e->busy = false;
		err = fl_store_each_minute(view->store, &e->calls[e->at], take_minute, e);
	}
	return err;
}

int fl_view_events(const struct fl_view *view, uint32_t site, uint32_t client,
		   struct fl_view_span span, struct fl_json *to)
{
	struct events e = { .span = span };
	char name[FL_SITE_NAME_LEN];
	int err = view_check_span(span, 0);

	if (!err)
		err = view_site_name(view, site, name);
	if (err)
		return err;
	e.calls = calloc(CALLS_MAX, sizeof(*e.calls));
	e.list = calloc(EVENTS_MAX, sizeof(*e.list));
	err = e.calls && e.list ? gather(view, site, client, &e) : -ENOMEM;
	if (!err)
		print_all(&e, to);
	free(e.calls);
	free(e.list);
	return err;
}
