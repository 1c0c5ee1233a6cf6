// SPDX-License-Identifier: Apache-2.0
/* Calls from the generator, with names, labels, ratings and the router's events: see world.h. */
#include "test/web/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/insight/explain.h"
#include "test/insight/gen.h"

#define DAYS    8
#define SLOT_S  (75 * 60) /* a call lasts an hour at most */
#define CLIENTS 20
#define LATE_S  (5 * 3600) /* before now there are calls at any hour */

const struct fl_view_site world_sites[WORLD_SITES] = {
	{ "hq", { "America/New_York" } },
	{ "branch1", { "Europe/Berlin" } },
	{ "lab", { "" } },
};

static const char *const people[CLIENTS] = {
	"Mateo Silva",    "Dana Okafor",   "Yuki Tan",       "Priya Raman",    "Jonas Weber",
	"Amara Diallo",   "Chloe Laurent", "Tomas Novak",    "Ingrid Solberg", "Femi Adeyemi",
	"Lucia Moretti",  "Hassan Karimi", "Nora Lindqvist", "Ravi Menon",     "Elif Demir",
	"Owen Gallagher", "Sofia Petrova", "Kenji Mori",     "Maya Cohen",     "Rosa Jimenez",
};

struct world {
	struct fl_store *store;
	struct gen gen;
	struct gen_call call;
	uint32_t account;
	uint32_t site;
	unsigned int site_index;
	uint32_t paths[2];
	unsigned int number; /* of calls so far */
};

static void must(int err, const char *what)
{
	if (err >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-err));
	exit(2);
}

/* Odd ones are on Wi-Fi, so that a person's network stays what it is. */
static unsigned int choose_client(struct world *w, unsigned int join)
{
	bool wifi = w->call.joins[join].client.network == FL_NETWORK_WIFI;

	return (w->number * 6 + join * 2 + (wifi ? 1 : 0)) % CLIENTS;
}

static void name_client(const struct world *w, unsigned int who, struct fl_call *c)
{
	const char *name = people[(who + 7 * w->site_index) % CLIENTS];
	char first[32];

	snprintf(first, sizeof(first), "%.*s", (int)strcspn(name, " "), name);
	for (char *p = first; *p; p++)
		*p = (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
	snprintf(c->user_name, sizeof(c->user_name), "%s", name);
	/* What people call themselves is text, whatever it looks like. */
	if (w->site_index && who == 3)
		snprintf(c->user_name, sizeof(c->user_name), WORLD_HOSTILE_NAME);
	snprintf(c->hostname, sizeof(c->hostname), "%s-%s", first, who % 2 ? "MBP" : "WS");
	snprintf(c->device, sizeof(c->device), "%s", who % 2 ? "mac" : "windows");
	c->mac = (struct fl_mac){ { 0x0a, 0x1b, 0x2c, 0x3d, (uint8_t)(0x40 + w->site_index),
				    (uint8_t)who } };
	c->addr = (struct fl_addr){
		.family = 4, .b = { 10, (uint8_t)(20 + w->site_index), 7, (uint8_t)(100 + who) }
	};
	c->public_addr = (struct fl_addr){ .family = 4,
					   .b = { 198, 51, 100, (uint8_t)(17 + w->site_index) } };
}

/* As Zoom would label it: by its mean score. */
static enum fl_grade label(const struct gen_join *join, unsigned int minutes, enum fl_stream in)
{
	double sum = 0;
	unsigned int count = 0;

	for (unsigned int n = 0; n < minutes; n++) {
		struct fl_minute_score score;

		fl_score_minute(&fl_score_default, &join->minutes[n], &score);
		for (enum fl_stream s = in; s <= in + 1; s++) {
			if (isnan(score.mos[s]))
				continue;
			sum += score.mos[s];
			count++;
		}
	}
	return count ? fl_grade_of_mos(sum / count) : FL_GRADE_NOT_APPLICABLE;
}

static void share_screen(struct gen_join *join, unsigned int minutes)
{
	for (unsigned int n = minutes / 4; n < minutes; n++) {
		struct fl_stream_minute *s = join->minutes[n].streams;

		s[FL_STREAM_SCREEN_OUT] = s[FL_STREAM_VIDEO_OUT];
		s[FL_STREAM_SCREEN_IN] = s[FL_STREAM_AUDIO_IN];
	}
}

static void put_path_minutes(struct world *w, uint32_t *paths)
{
	for (unsigned int n = 0; n < w->call.minute_count; n++) {
		struct fl_path_minute *row = &w->call.wan[n];

		row->path = w->paths[row->path == 2];
		paths[n] = row->path;
	}
	must(fl_store_put_path_minutes(w->store, w->call.wan, w->call.minute_count),
	     "path minutes");
}

static void put_event(struct world *w, int64_t at_s, enum fl_severity severity, const char *kind,
		      const char *detail)
{
	struct fl_event e = { .site = w->site, .at_s = at_s, .severity = severity };

	snprintf(e.kind, sizeof(e.kind), "%s", kind);
	snprintf(e.subject, sizeof(e.subject), "edge-1 wan1");
	snprintf(e.detail, sizeof(e.detail), "%s", detail);
	must(fl_store_put_events(w->store, &e, 1), "event");
}

/* What the router said of it, at the minute when it began. */
static void put_events(struct world *w)
{
	const struct gen_call *c = &w->call;
	unsigned int n = 0;
	int64_t at;

	while (n < c->minute_count && c->wan[n].jitter_ms < 10)
		n++;
	if (n == c->minute_count)
		return;
	at = c->wan[n].minute * 60 + 7;
	if (c->cause == GEN_LINK_FAILURE) {
		put_event(w, at, FL_SEVERITY_BAD, "PATH_DOWN", "No answer for 900 ms.");
		put_event(w, at + 1, FL_SEVERITY_NEUTRAL, "VECTOR_MOVED", "wan1 to lte0.");
		put_event(w, at + 1500, FL_SEVERITY_GOOD, "PATH_UP", "");
	} else if (c->cause == GEN_CONGESTION) {
		put_event(w, at, FL_SEVERITY_BAD, "SLA_VIOLATED", "Round trip over 150 ms.");
		put_event(w, at + 900, FL_SEVERITY_GOOD, "SLA_MET", "");
	}
}

static void describe(struct world *w, const struct fl_meeting_put *meeting, unsigned int join,
		     struct fl_call_put *put)
{
	struct gen_join *j = &w->call.joins[join];
	struct fl_call *c = &put->call;

	*c = (struct fl_call){ .site = w->site,
			       .rule = FL_MATCH_SESSION,
			       .vpn = j->client.vpn,
			       .conn = j->client.conn,
			       .network = j->client.network,
			       .join_s = meeting->start_s,
			       .leave_s = meeting->end_s,
			       .leave_code = FL_LEAVE_LEFT,
			       .bytes = 1200000ULL * w->call.minute_count * (1 + join) };
	name_client(w, choose_client(w, join), c);
	snprintf(c->key, sizeof(c->key), "%08X-2ABB-2FCC-019B-%08X%04X", w->number, w->site, join);
	if (w->call.cause == GEN_LINK_FAILURE && join == w->call.victim)
		c->leave_code = FL_LEAVE_NETWORK_ERROR;
	if (w->number % 3 == 0)
		share_screen(j, w->call.minute_count);
	c->audio = label(j, w->call.minute_count, FL_STREAM_AUDIO_IN);
	c->video = label(j, w->call.minute_count, FL_STREAM_VIDEO_IN);
	c->screen = label(j, w->call.minute_count, FL_STREAM_SCREEN_IN);
	put->minutes = j->minutes;
	put->minute_count = w->call.minute_count;
}

/* Whoever had a bad call says so, others now and then. */
static size_t rate(const struct world *w, const struct fl_meeting_put *meeting,
		   const struct fl_call_put *calls, struct fl_feedback *feedback)
{
	size_t count = 0;

	for (unsigned int j = 0; j < w->call.join_count; j++) {
		bool bad =
			calls[j].call.audio < FL_GRADE_GOOD || calls[j].call.video < FL_GRADE_GOOD;

		/* Some never rate. */
		if (calls[j].call.mac.b[5] % 5 == 4 || (!bad && (w->number + j) % 5))
			continue;
		feedback[count] =
			(struct fl_feedback){ .at_s = meeting->end_s, .rating = bad ? 1 : 5 };
		memcpy(feedback[count].call_key, calls[j].call.key,
		       sizeof(feedback[count].call_key));
		memcpy(feedback[count].who, calls[j].call.user_name, sizeof(feedback[count].who));
		count++;
	}
	return count;
}

static void put_call(struct world *w, int64_t start_s)
{
	struct fl_call_put calls[GEN_MAX_JOINS] = { 0 };
	struct fl_feedback feedback[GEN_MAX_JOINS];
	uint32_t paths[GEN_MAX_MINUTES];
	struct fl_meeting_put meeting = { .account = w->account,
					  .number = 84120650000 + w->number,
					  .start_s = start_s };

	gen_call(&w->gen, start_s / 60, (enum gen_cause)(w->number % GEN_CAUSES), &w->call);
	meeting.end_s = start_s + w->call.minute_count * 60;
	meeting.participants = w->call.join_count;
	snprintf(meeting.uuid, sizeof(meeting.uuid), "%08u%08uAAAAAA==", w->number, w->site);
	put_events(w);
	put_path_minutes(w, paths);
	for (unsigned int j = 0; j < w->call.join_count; j++) {
		describe(w, &meeting, j, &calls[j]);
		calls[j].paths = paths;
	}
	meeting.calls = calls;
	meeting.call_count = w->call.join_count;
	meeting.feedback = feedback;
	meeting.feedback_count = rate(w, &meeting, calls, feedback);
	must(fl_store_put_meeting(w->store, &meeting), "meeting");
	w->number++;
}

/* Between calls the router measures all the same. */
static void put_idle(struct world *w, int64_t from_s, int64_t to_s)
{
	for (int64_t minute = from_s / 60; minute < to_s / 60; minute++) {
		struct fl_path_minute row = fl_path_minute_none(w->paths[0], minute);

		row.rtt_ms = round(gen_between(&w->gen, 22, 30));
		row.jitter_ms = round(gen_between(&w->gen, 1, 3));
		row.loss_pct = 0;
		must(fl_store_put_path_minutes(w->store, &row, 1), "idle minute");
	}
}

static void fill_site(struct world *w, int64_t now_s)
{
	const struct fl_view_site *site = &world_sites[w->site_index];

	must(fl_store_site(w->store, site->name, &w->site), "site");
	must(fl_store_path(w->store, w->site, "edge-1", "wan1", &w->paths[0]), "path");
	must(fl_store_path(w->store, w->site, "edge-1", "lte0", &w->paths[1]), "path");
	for (int64_t t = now_s - DAYS * 86400; t + SLOT_S <= now_s; t += SLOT_S) {
		int hour = fl_civil_of(&site->zone, t).hour;

		if (w->site_index < 2 && ((hour >= 8 && hour < 19) || t > now_s - LATE_S))
			put_call(w, t);
		else if (t > now_s - 2 * 86400)
			put_idle(w, t, t + SLOT_S);
	}
}

static bool take_id(void *ctx, const struct fl_call *call)
{
	struct {
		uint64_t ids[4096];
		size_t count;
	} *found = ctx;

	found->ids[found->count++] = call->id;
	return found->count < 4096;
}

/* As insightd does after each meeting. */
static void rank(struct fl_store *store, int64_t now_s)
{
	static struct {
		uint64_t ids[4096];
		size_t count;
	} found;
	const struct fl_call_filter all = { .to_s = now_s, .limit = 4096 };
	struct fl_explainer *explainer;

	must(fl_explainer_new(store, NULL, &explainer), "explainer");
	must(fl_store_each_call(store, &all, take_id, &found, NULL), "calls");
	for (size_t i = 0; i < found.count; i++) {
		struct fl_call call;

		must(fl_store_call(store, found.ids[i], &call), "call");
		must(fl_explain_keep(explainer, &call, now_s), "ranking");
	}
	fl_explainer_free(explainer);
}

void world_fill(struct fl_store *store, int64_t now_s)
{
	static struct world w;

	w = (struct world){ .store = store };
	gen_init(&w.gen, 4);
	must(fl_store_account(store, "7000012345", &w.account), "account");
	for (w.site_index = 0; w.site_index < WORLD_SITES; w.site_index++)
		fill_site(&w, now_s - now_s % 60);
	rank(store, now_s);
}
