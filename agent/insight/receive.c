// SPDX-License-Identifier: Apache-2.0
/* From a router's lines to the store: see receive.h. */
#include "agent/insight/receive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/hash.h"

/* Paths of one router; it has 256, and as many interfaces as that. */
#define MAX_PATHS 1024

struct path_name {
	char name[FL_EXPORT_NAME_LEN];
	uint32_t path;
	UT_hash_handle hh;
};

struct fl_receiver {
	struct fl_store *store;
	struct fl_receiver_stats stats;
	uint32_t site;
	struct path_name *paths;
	uint64_t seq; /* of the last record gathered; 0: none */
	/* Gathered, by kind. */
	struct fl_path_minute minutes[FL_RECEIVER_BATCH];
	struct fl_session_record sessions[FL_RECEIVER_BATCH];
	struct fl_neighbour_record neighbours[FL_RECEIVER_BATCH];
	struct fl_event events[FL_RECEIVER_BATCH];
	size_t n_minutes, n_sessions, n_neighbours, n_events;
};

int fl_receiver_new(struct fl_store *store, struct fl_receiver **ret_receiver)
{
	struct fl_receiver *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->store = store;
	*ret_receiver = r;
	return 0;
}

static void forget_paths(struct fl_receiver *r)
{
	struct path_name *p, *next;

	HASH_ITER(hh, r->paths, p, next) {
		HASH_DEL(r->paths, p);
		free(p);
	}
}

void fl_receiver_free(struct fl_receiver *receiver)
{
	if (!receiver)
		return;
	forget_paths(receiver);
	free(receiver);
}

static int hello(struct fl_receiver *r, const char *line, size_t len)
{
	struct fl_export_hello h;
	int err = fl_export_hello_decode(line, len, &h);

	if (!err && (h.version != FL_EXPORT_VERSION || !h.router[0] || !h.site[0] ||
		     strlen(h.site) >= FL_SITE_NAME_LEN))
		err = -EBADMSG;
	if (!err)
		err = fl_store_site(r->store, h.site, &r->site);
	if (err)
		return err;
	memcpy(r->stats.site, h.site, sizeof(r->stats.site));
	memcpy(r->stats.router, h.router, sizeof(r->stats.router));
	r->stats.dropped = h.dropped;
	return 0;
}

/* The store's number of a path; asked for once. */
static int path_of(struct fl_receiver *r, const char *name, uint32_t *ret_path)
{
	struct path_name *p;
	int err;

	HASH_FIND_STR(r->paths, name, p);
	if (!p) {
		/* Names that change all the time: begin anew. */
		if (HASH_COUNT(r->paths) >= MAX_PATHS)
			forget_paths(r);
		p = calloc(1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		memcpy(p->name, name, strlen(name) + 1);
		err = fl_store_path(r->store, r->site, r->stats.router, name, &p->path);
		if (err) {
			free(p);
			return err;
		}
		HASH_ADD_STR(r->paths, name, p);
	}
	*ret_path = p->path;
	return 0;
}

static int take_minute(struct fl_receiver *r, const struct fl_export_path_minute *m)
{
	struct fl_path_minute *to = &r->minutes[r->n_minutes];
	uint32_t path;
	int err = path_of(r, m->path, &path);

	if (err)
		return err;
	*to = fl_path_minute_none(path, m->minute);
	to->active = m->active;
	to->rtt_ms = m->rtt_ms;
	to->jitter_ms = m->jitter_ms;
	to->loss_pct = m->loss_pct;
	to->tx_mbps = m->tx_mbps;
	to->rx_mbps = m->rx_mbps;
	to->tx_capacity_mbps = m->tx_capacity_mbps;
	to->rx_capacity_mbps = m->rx_capacity_mbps;
	to->zoom_bytes = m->zoom_bytes;
	to->clients = m->clients;
	r->n_minutes++;
	return 0;
}

static enum fl_session_app app_of(const char *name)
{
	if (!strcmp(name, "zoom"))
		return FL_SESSION_ZOOM;
	return strcmp(name, "vpn") ? FL_SESSION_OTHER : FL_SESSION_VPN;
}

static int take_session(struct fl_receiver *r, const struct fl_export_session *s)
{
	struct fl_session_record *to = &r->sessions[r->n_sessions];

	*to = (struct fl_session_record){ .site = r->site,
					  .client = s->client,
					  .remote = s->remote,
					  .nat = s->nat,
					  .client_port = s->client_port,
					  .remote_port = s->remote_port,
					  .nat_port = s->nat_port,
					  .proto = s->protocol,
					  .app = app_of(s->app),
					  .start_s = s->start_s,
					  .end_s = s->until_s,
					  .bytes = s->bytes };
	memcpy(to->uuid, s->uuid, sizeof(to->uuid));
	memcpy(to->mac.b, s->mac, sizeof(to->mac.b));
	for (unsigned int i = 0; i < s->step_count; i++) {
		struct fl_path_step *step = &to->steps[to->step_count];
		int err;

		if (!s->steps[i].path[0])
			continue;
		err = path_of(r, s->steps[i].path, &step->path);
		if (err)
			return err;
		step->since_s = s->steps[i].since_s;
		to->step_count++;
	}
	r->n_sessions++;
	return 0;
}

static void take_neighbour(struct fl_receiver *r, const struct fl_export_neighbour *n)
{
	struct fl_neighbour_record *to = &r->neighbours[r->n_neighbours++];

	*to = (struct fl_neighbour_record){
		.site = r->site, .addr = n->addr, .from_s = n->from_s, .to_s = n->to_s
	};
	memcpy(to->mac.b, n->mac, sizeof(to->mac.b));
	memcpy(to->hostname, n->name, sizeof(to->hostname));
}

static void take_event(struct fl_receiver *r, const struct fl_export_event *e)
{
	struct fl_event *to = &r->events[r->n_events++];

	*to = (struct fl_event){ .site = r->site,
				 .at_s = e->at_s,
				 .severity = FL_SEVERITY_NEUTRAL };
	if (!strcmp(e->severity, "good"))
		to->severity = FL_SEVERITY_GOOD;
	else if (!strcmp(e->severity, "bad"))
		to->severity = FL_SEVERITY_BAD;
	memcpy(to->kind, e->kind, sizeof(to->kind));
	memcpy(to->subject, e->subject, sizeof(to->subject));
	memcpy(to->detail, e->detail, sizeof(to->detail));
}

static int take(struct fl_receiver *r, const struct fl_export_record *record)
{
	switch (record->type) {
	case FL_EXPORT_PATH_MINUTE:
		return take_minute(r, &record->path_minute);
	case FL_EXPORT_SESSION:
		return take_session(r, &record->session);
	case FL_EXPORT_NEIGHBOUR:
		take_neighbour(r, &record->neighbour);
		return 0;
	case FL_EXPORT_EVENT:
		take_event(r, &record->event);
		return 0;
	case FL_EXPORT_TYPES:
		break;
	}
	return -EBADMSG;
}

int fl_receiver_line(struct fl_receiver *receiver, const char *line, size_t len)
{
	struct fl_receiver *r = receiver;
	struct fl_export_record record;
	uint64_t seq;
	int err;

	if (!r->stats.router[0])
		return hello(r, line, len);
	err = fl_export_decode(line, len, &record, &seq);
	if (!seq)
		return err ? err : -EBADMSG;
	if (err == -EBADMSG)
		r->stats.unknown++;
	else if (!err)
		err = take(r, &record);
	if (err && err != -EBADMSG)
		return err;
	r->seq = seq;
	r->stats.records++;
	return r->n_minutes + r->n_sessions + r->n_neighbours + r->n_events >= FL_RECEIVER_BATCH;
}

static void widen(struct fl_receiver_span *span, int64_t from_s, int64_t to_s)
{
	if (!span->to_s || from_s < span->from_s)
		span->from_s = from_s;
	if (to_s > span->to_s)
		span->to_s = to_s;
}

static struct fl_receiver_span late_span(const struct fl_receiver *r, int64_t late_s)
{
	struct fl_receiver_span span = { 0 };

	for (size_t i = 0; i < r->n_minutes; i++) {
		int64_t start_s = r->minutes[i].minute * 60;

		if (start_s + 60 <= late_s)
			widen(&span, start_s, start_s + 60);
	}
	for (size_t i = 0; i < r->n_sessions; i++)
		if (r->sessions[i].end_s <= late_s)
			widen(&span, r->sessions[i].start_s, r->sessions[i].end_s);
	return span;
}

int fl_receiver_commit(struct fl_receiver *receiver, int64_t late_s, uint64_t *ret_ack,
		       struct fl_receiver_span *ret_late)
{
	struct fl_receiver *r = receiver;
	int err = 0;

	*ret_ack = 0;
	*ret_late = (struct fl_receiver_span){ 0 };
	if (!r->seq)
		return 0;
	/* Four transactions: one that failed, and those before it, are put once more. */
	if (r->n_minutes)
		err = fl_store_put_path_minutes(r->store, r->minutes, r->n_minutes);
	if (!err && r->n_sessions)
		err = fl_store_put_sessions(r->store, r->sessions, r->n_sessions);
	if (!err && r->n_neighbours)
		err = fl_store_put_neighbours(r->store, r->neighbours, r->n_neighbours);
	if (!err && r->n_events)
		err = fl_store_put_events(r->store, r->events, r->n_events);
	if (err)
		return err;
	*ret_late = late_span(r, late_s);
	r->n_minutes = r->n_sessions = r->n_neighbours = r->n_events = 0;
	*ret_ack = r->seq;
	r->seq = 0;
	return 0;
}

void fl_receiver_stats(const struct fl_receiver *receiver, struct fl_receiver_stats *ret_stats)
{
	*ret_stats = receiver->stats;
}
