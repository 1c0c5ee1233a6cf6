// SPDX-License-Identifier: Apache-2.0
/* Stores with something in them: see fill.h. */
#include "test/insight/fill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/insight/load.h"

static void must(int err, const char *what)
{
	if (err >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-err));
	exit(2);
}

int fill_fixture_meeting(struct fl_store *store)
{
	static struct fl_participant people[16];
	const struct load *l = load_correlation();
	const struct fl_ingest_options options = { 0 };
	struct fl_feedback feedback = { .at_s = FILL_START_S + 1700, .rating = 1 };
	struct fl_meeting_put meeting = { .number = FILL_NUMBER,
					  .start_s = FILL_START_S,
					  .end_s = FILL_START_S + 1684,
					  .participants = l->join_count,
					  .feedback = &feedback,
					  .feedback_count = 1 };
	struct fl_ingest *ingest;
	int kept;

	must(fl_store_account(store, FILL_ACCOUNT, &meeting.account), "account");
	snprintf(meeting.uuid, sizeof(meeting.uuid), "%s", FILL_MEETING);
	snprintf(meeting.host, sizeof(meeting.host), "Dana Okafor");
	snprintf(feedback.who, sizeof(feedback.who), "mateo.silva@example.com");
	snprintf(feedback.call_key, sizeof(feedback.call_key), "%s", l->joins[1].uuid);
	for (unsigned int i = 0; i < l->join_count; i++) {
		const struct load_join *j = &l->joins[i];
		struct fl_call *c = &people[i].call;

		people[i] = (struct fl_participant){ .ends = j->ends,
						     .guest = i == 5,
						     .minutes = j->minutes,
						     .minute_count = j->minute_count };
		snprintf(c->key, sizeof(c->key), "%s", j->uuid);
		snprintf(c->user_name, sizeof(c->user_name), "%s", j->name);
		c->conn = j->conn_type;
		c->network = j->network_type;
		c->leave_code = i == 1 ? FL_LEAVE_NETWORK_ERROR : FL_LEAVE_HOST_ENDED;
		c->audio = i == 0 || i == 1 || i == 3 ? FL_GRADE_FAIR : FL_GRADE_GOOD;
		c->video = i == 1 || i == 3 ? FL_GRADE_POOR : FL_GRADE_GOOD;
	}
	must(fl_ingest_new(store, l->net.sites, l->net.site_count, &ingest), "sites");
	kept = fl_ingest_meeting(ingest, &meeting, people, l->join_count, &options);
	fl_ingest_free(ingest);
	return kept;
}

void fill_fixture_router(struct fl_store *store)
{
	static struct fl_session_record sessions[16];
	static struct fl_path_minute wan[128];
	const struct load *l = load_correlation();
	uint32_t sites[2], paths[2];

	must(fl_store_site(store, "hq", &sites[0]), "site");
	must(fl_store_site(store, "branch1", &sites[1]), "site");
	must(fl_store_path(store, sites[0], "hq-edge-1", "wan1", &paths[0]), "path");
	must(fl_store_path(store, sites[1], "br1-edge-1", "wan1", &paths[1]), "path");
	for (unsigned int i = 0; i < l->session_count; i++) {
		sessions[i] = l->sessions[i];
		sessions[i].steps[0].path = paths[sessions[i].site];
		sessions[i].site = sites[sessions[i].site];
	}
	for (unsigned int i = 0; i < l->wan_count; i++) {
		wan[i] = l->wan[i];
		wan[i].path = paths[0];
	}
	must(fl_store_put_sessions(store, sessions, l->session_count), "sessions");
	must(fl_store_put_path_minutes(store, wan, l->wan_count), "path minutes");
}

void fill_fixture(struct fl_store *store)
{
	fill_fixture_router(store);
	must(fill_fixture_meeting(store), "meeting");
}

/* --- synthetic ----------------------------------------------------------------------------------
 */

static uint32_t mix(uint32_t v)
{
	v ^= v >> 16;
	v *= 0x7feb352dU;
	v ^= v >> 15;
	v *= 0x846ca68bU;
	return v ^ v >> 16;
}

/* A figure of @low to @high that depends on @seed only. */
static double figure(uint32_t seed, int low, int high)
{
	return low + (int)(mix(seed) % (uint32_t)(high - low + 1));
}

/* As a call with video looks to Zoom; one minute in forty is bad. */
static void fill_minute(struct fl_call_minute *m, int64_t minute, uint32_t seed)
{
	bool bad = mix(seed) % 40 == 0;

	*m = fl_call_minute_none(minute);
	for (int s = 0; s < 4 + (mix(seed ^ 77) % 4 == 0); s++) {
		struct fl_stream_minute *to = &m->streams[s];
		uint32_t n = seed * 8 + (uint32_t)s;

		to->latency_ms = figure(n, 20, 90) + (bad ? 280 : 0);
		to->jitter_ms = figure(n ^ 1, 0, 12);
		to->loss_pct = figure(n ^ 2, 0, 25) / 10;
		to->max_loss_pct = figure(n ^ 3, 0, 90) / 10;
		to->bitrate_kbps =
			s < 2 ? figure(n ^ 4, 2700, 6600) / 100 : figure(n ^ 4, 180, 1600);
		if (s < 2)
			continue;
		to->frame_rate = figure(n ^ 5, 15, 30);
		to->width = 1280;
		to->height = 720;
	}
	m->cpu_system_pct = figure(seed ^ 5, 5, 95);
	m->cpu_zoom_pct = figure(seed ^ 6, 1, 20);
	if (mix(seed ^ 9) % 2)
		m->rssi_dbm = -figure(seed ^ 7, 45, 80);
}

static void fill_call(const struct fill_plan *plan, const struct fl_meeting_put *meeting,
		      unsigned int n, unsigned int j, struct fl_call *c)
{
	unsigned int client = (n * plan->joins + j) % plan->clients;

	*c = (struct fl_call){ .site = plan->site,
			       .rule = FL_MATCH_SESSION,
			       .conn = FL_CONN_UDP,
			       .network = client % 2 ? FL_NETWORK_WIFI : FL_NETWORK_WIRED,
			       .join_s = meeting->start_s,
			       .leave_s = meeting->end_s,
			       .leave_code = FL_LEAVE_LEFT,
			       .audio = n % 20 ? FL_GRADE_GOOD : FL_GRADE_POOR,
			       .video = FL_GRADE_GOOD,
			       .bytes = 1000000 * plan->minutes };
	c->mac = (struct fl_mac){ { 2, 0, 0, (uint8_t)plan->site, (uint8_t)(client >> 8),
				    (uint8_t)client } };
	c->addr = (struct fl_addr){ .family = 4,
				    .b = { 10, 20, (uint8_t)(client >> 8), (uint8_t)client } };
	c->public_addr = (struct fl_addr){ .family = 4, .b = { 198, 51, 100, 17 } };
	snprintf(c->key, sizeof(c->key), "%08X-2ABB-2FCC-019B-39E41D8D%04X", n, j);
	snprintf(c->hostname, sizeof(c->hostname), "WS-%u", client);
	snprintf(c->user_name, sizeof(c->user_name), "Person %u", client);
	snprintf(c->device, sizeof(c->device), "windows");
}

static int fill_meeting(struct fl_store *store, const struct fill_plan *plan, unsigned int n)
{
	struct fl_meeting_put meeting = { .account = plan->account,
					  .number = 80000000000 + n % 997 };
	struct fl_call_put *calls = calloc(plan->joins, sizeof(*calls));
	struct fl_call_minute *minutes = calloc(plan->joins * plan->minutes, sizeof(*minutes));
	uint32_t *paths = calloc(plan->minutes, sizeof(*paths));
	struct fl_feedback feedback = { .rating = n % 3 ? 5 : 1 };
	int err;

	if (!calls || !minutes || !paths) {
		fprintf(stderr, "no memory\n");
		exit(2);
	}
	meeting.start_s = plan->from_s + (plan->to_s - plan->from_s) / plan->meetings * n;
	meeting.end_s = meeting.start_s + plan->minutes * 60;
	meeting.participants = plan->joins;
	snprintf(meeting.uuid, sizeof(meeting.uuid), "%016xAAAAAA==", n + plan->site * 100000000U);
	for (unsigned int i = 0; i < plan->minutes; i++)
		paths[i] = plan->path;
	for (unsigned int j = 0; j < plan->joins; j++) {
		fill_call(plan, &meeting, n, j, &calls[j].call);
		calls[j].minutes = minutes + j * plan->minutes;
		calls[j].paths = paths;
		calls[j].minute_count = plan->minutes;
		for (unsigned int i = 0; i < plan->minutes; i++)
			fill_minute(&minutes[j * plan->minutes + i], meeting.start_s / 60 + i,
				    (n * 64 + j) * 512 + i);
	}
	feedback.at_s = meeting.end_s;
	snprintf(feedback.call_key, sizeof(feedback.call_key), "%s", calls[0].call.key);
	snprintf(feedback.who, sizeof(feedback.who), "%s", calls[0].call.user_name);
	meeting.calls = calls;
	meeting.call_count = plan->joins;
	meeting.feedback = &feedback;
	meeting.feedback_count = n % 10 == 0;
	err = fl_store_put_meeting(store, &meeting);
	free(calls);
	free(minutes);
	free(paths);
	return err;
}

int fill_meetings(struct fl_store *store, const struct fill_plan *plan, unsigned int first,
		  unsigned int count)
{
	int err = 0;

	for (unsigned int n = first; !err && n < first + count; n++)
		err = fill_meeting(store, plan, n);
	return err;
}
