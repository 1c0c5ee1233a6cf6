// SPDX-License-Identifier: Apache-2.0
/* From Zoom's records, and from its webhooks, into the store. */
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/insightd/sink.h"

#define NOW     1720000020
#define MINUTE  (NOW / 60)
#define ACCOUNT "acct"
#define UUID    "uuid=="

static char path[64];
static struct fl_store *store;
static struct fl_ingest *ingest;
static struct fl_sink sink;
static const struct fl_zoom_sink_ops *ops;
static unsigned int stored;
static uint32_t account, site;

static void count_stored(void *ctx)
{
	(void)ctx;
	stored++;
}

static void no_damage(void *ctx)
{
	(void)ctx;
	cr_assert_fail("the store is damaged");
}

static void setup(void)
{
	static struct fl_prefix lan;
	static struct fl_addr wan;
	static struct fl_site hq = { "hq", &lan, 1, &wan, 1, NULL, 0 };
	const struct fl_store_cfg cfg = { .path = path };
	struct fl_store_health health;

	snprintf(path, sizeof(path), "/tmp/fl-sink-%d.db", getpid());
	cr_assert_eq(fl_prefix_parse("10.9.0.0/16", &lan), 0);
	cr_assert_eq(fl_addr_parse("198.51.100.1", &wan), 0);
	cr_assert_eq(fl_store_open(&cfg, &health, &store), 0);
	cr_assert_eq(fl_ingest_new(store, &hq, 1, &ingest), 0);
	cr_assert_eq(fl_store_account(store, ACCOUNT, &account), 0);
	cr_assert_eq(fl_store_site(store, "hq", &site), 0);
	sink = (struct fl_sink){ .store = store,
				 .ingest = ingest,
				 .discard_guests = true,
				 .stored = count_stored,
				 .damaged = no_damage };
	fl_sink_init(&sink);
	ops = sink.zoom.ops;
	stored = 0;
}

static void teardown(void)
{
	fl_ingest_free(ingest);
	fl_store_close(store);
	unlink(path);
}

TestSuite(sink, .init = setup, .fini = teardown);

static struct fl_zoom_minute minute(int64_t at, double latency_ms)
{
	struct fl_zoom_minute m = { .minute = at,
				    .cpu_system_pct = 20,
				    .cpu_zoom_pct = 5,
				    .rssi_dbm = -60,
				    .rssi_min_dbm = -70,
				    .rssi_max_dbm = -50 };

	for (int s = 0; s < FL_ZOOM_STREAMS; s++)
		m.streams[s] = (struct fl_zoom_figures){ NAN, NAN, NAN, NAN, NAN, NAN, 0, 0 };
	m.streams[FL_ZOOM_AUDIO_IN].latency_ms = latency_ms;
	m.streams[FL_ZOOM_AUDIO_IN].jitter_ms = 2;
	m.streams[FL_ZOOM_AUDIO_IN].loss_pct = 0;
	m.streams[FL_ZOOM_AUDIO_IN].bitrate_kbps = 30;
	return m;
}

static struct fl_zoom_join person(const char *key, const char *internal)
{
	struct fl_zoom_join j = { .network = FL_ZOOM_NETWORK_WIFI,
				  .conn = FL_ZOOM_CONN_TCP,
				  .join_s = NOW,
				  .leave_s = NOW + 600,
				  .leave = FL_ZOOM_LEAVE_HOST_ENDED,
				  .audio = FL_ZOOM_QUALITY_POOR,
				  .devices = FL_ZOOM_DEVICE_WINDOWS | FL_ZOOM_DEVICE_PHONE,
				  .mac = { 2, 0, 0, 0, 0, 7 } };

	snprintf(j.key, sizeof(j.key), "%s", key);
	snprintf(j.user, sizeof(j.user), "user-of-%s", key);
	snprintf(j.user_name, sizeof(j.user_name), "Ann");
	snprintf(j.email, sizeof(j.email), "%s@example.com", key);
	snprintf(j.pc_name, sizeof(j.pc_name), "ws-7");
	cr_assert_eq(fl_addr_parse("198.51.100.1", &j.public_addr), 0);
	cr_assert_eq(fl_addr_parse(internal, &j.internal[j.internal_count++]), 0);
	return j;
}

static struct fl_zoom_meeting meeting(int64_t end_s)
{
	struct fl_zoom_meeting m = {
		.number = 84120657733, .start_s = NOW, .end_s = end_s, .participants = 2
	};

	snprintf(m.uuid, sizeof(m.uuid), UUID);
	snprintf(m.host, sizeof(m.host), "Dana");
	snprintf(m.host_email, sizeof(m.host_email), "dana@example.com");
	return m;
}

static int put(const struct fl_zoom_meeting *m, const struct fl_zoom_join *joins, size_t count,
	       const struct fl_zoom_work *work, bool live)
{
	const struct fl_zoom_put p = {
		.meeting = m, .joins = joins, .join_count = count, .work = work, .live = live
	};

	return ops->meeting_put(&sink, ACCOUNT, &p);
}

static struct fl_call call_of(const char *key)
{
	struct fl_call call = { 0 };

	cr_assert_eq(fl_store_find_call(store, account, UUID, key, &call), 0, "%s", key);
	return call;
}

static bool count_minute(void *ctx, const struct fl_call *call, const struct fl_minute_row *row)
{
	(void)call;
	(void)row;
	++*(unsigned int *)ctx;
	return true;
}

static unsigned int minutes_of(const char *key)
{
	struct fl_call call = call_of(key);
	unsigned int n = 0;

	cr_assert_eq(fl_store_each_minute(store, &call, count_minute, &n), 0);
	cr_expect_eq(n, call.minutes);
	return n;
}

Test(sink, words_of_one_become_words_of_the_other)
{
	struct fl_zoom_minute m[2] = { minute(MINUTE, 30), minute(MINUTE + 1, 400) };
	struct fl_zoom_meeting head = meeting(NOW + 600);
	struct fl_zoom_join j = person("a", "10.9.0.5");
	struct fl_call call;

	j.minutes = m;
	j.minute_count = 2;
	cr_assert_eq(put(&head, &j, 1, NULL, false), 0);
	call = call_of("a");
	cr_expect_eq(call.site, site);
	cr_expect_eq(call.network, FL_NETWORK_WIFI);
	cr_expect_eq(call.conn, FL_CONN_TCP);
	cr_expect_eq(call.leave_code, FL_LEAVE_HOST_ENDED);
	cr_expect_eq(call.audio, FL_GRADE_POOR);
	cr_expect_eq(call.video, FL_GRADE_NOT_APPLICABLE, "no minute says that it ran");
	cr_expect_str_eq(call.device, "Windows + Phone");
	cr_expect_str_eq(call.user_name, "Ann");
	cr_expect_eq(call.leave_s, NOW + 600);
	cr_expect_eq(call.meeting_number, 84120657733);
	cr_expect_eq(minutes_of("a"), 2);
	cr_expect_eq(call.bad_minutes, 1);
	cr_expect_eq(stored, 1);
}

/* Zoom's own scores: kept as they are, and not lost when they are not said again. */
Test(sink, scores_are_kept)
{
	struct fl_zoom_meeting head = meeting(NOW + 600);
	struct fl_zoom_join j = person("a", "10.9.0.5");
	struct fl_call call;

	j.mos[FL_ZOOM_AUDIO] = 2.87;
	j.mos[FL_ZOOM_SCREEN] = 4.5;
	cr_assert_eq(put(&head, &j, 1, NULL, false), 0);
	memset(j.mos, 0, sizeof(j.mos));
	j.mos[FL_ZOOM_SCREEN] = 4.25;
	cr_assert_eq(put(&head, &j, 1, NULL, false), 0);
	call = call_of("a");
	cr_expect_eq(call.mos[FL_MEDIA_AUDIO], 2.87);
	cr_expect_eq(call.mos[FL_MEDIA_VIDEO], 0);
	cr_expect_eq(call.mos[FL_MEDIA_SCREEN], 4.25);
}

/* A guest of whom no address may be kept is matched by it all the same. */
Test(sink, A7_blank_guests)
{
	struct fl_zoom_meeting head = meeting(NOW + 600);
	struct fl_zoom_join j[2] = { person("a", "10.9.0.5"), person("b", "10.9.0.6") };
	struct fl_call call;

	for (int i = 0; i < 2; i++) {
		j[i].blank = j[i].guest = true;
		*j[i].user_name = *j[i].email = '\0';
	}
	/* Without a MAC only its address would tell it from others. */
	memset(j[1].mac, 0, sizeof(j[1].mac));
	cr_assert_eq(put(&head, j, 2, NULL, false), 0);
	call = call_of("a");
	cr_expect_eq(call.addr.family, 0);
	cr_expect_eq(call.public_addr.family, 0);
	cr_expect(fl_mac_is_known(call.mac));
	cr_expect_eq(fl_store_find_call(store, account, UUID, "b", &call), -ENOENT);
}

Test(sink, C8_who_is_elsewhere_is_not_wanted)
{
	struct fl_zoom_meeting head = meeting(NOW + 600);
	struct fl_zoom_join in = person("a", "10.9.0.5"), out = person("b", "172.16.0.9");

	cr_expect(ops->wanted(&sink, ACCOUNT, &head, &in));
	cr_expect_not(ops->wanted(&sink, ACCOUNT, &head, &out));
}

/* A meeting that was only seen while it went on must be asked for once it has ended. */
Test(sink, live_meetings_are_not_known)
{
	const struct fl_zoom_work work = { .uuid = UUID, .due_s = NOW, .end_s = NOW + 600 };
	struct fl_zoom_meeting head = meeting(0);
	struct fl_zoom_join j = person("a", "10.9.0.5");

	j.leave_s = 0;
	cr_expect_eq(ops->meeting_known(&sink, ACCOUNT, UUID), 0);
	cr_assert_eq(put(&head, &j, 1, NULL, true), 0);
	cr_expect_eq(ops->meeting_known(&sink, ACCOUNT, UUID), 0);
	cr_expect_eq(call_of("a").leave_s, FL_SESSION_OPEN_END);
	cr_assert_eq(ops->work_put(&sink, ACCOUNT, &head, &work), 0);
	cr_expect_eq(ops->meeting_known(&sink, ACCOUNT, UUID), 1);
	/* Live figures that come in between leave the work alone. */
	cr_assert_eq(put(&head, &j, 1, NULL, true), 0);
	cr_expect_eq(ops->meeting_known(&sink, ACCOUNT, UUID), 1);
	head = meeting(NOW + 600);
	cr_assert_eq(put(&head, &j, 1, NULL, false), 0);
	cr_expect_eq(ops->meeting_known(&sink, ACCOUNT, UUID), 1);
	/* Zoom did not say when it left. */
	cr_expect_eq(call_of("a").leave_s, NOW + 600);
}

static bool take_work(struct fl_zoom_work *to, const struct fl_zoom_work *work)
{
	*to = *work;
	return true;
}

static void keep_work(void *ctx, const struct fl_zoom_work *work)
{
	take_work(ctx, work);
}

Test(sink, work_and_state_come_back)
{
	const struct fl_zoom_work work = {
		.uuid = UUID, .stage = FL_ZOOM_STAGE_QOS, .tries = 3, .due_s = NOW + 5, .end_s = NOW
	};
	struct fl_zoom_meeting head = meeting(NOW);
	struct fl_zoom_work got = { 0 };
	char *text = NULL;

	cr_assert_eq(ops->state_load(&sink, ACCOUNT, &text), 0);
	cr_expect_null(text);
	cr_assert_eq(ops->state_save(&sink, ACCOUNT, "cursor"), 0);
	cr_assert_eq(ops->state_load(&sink, ACCOUNT, &text), 0);
	cr_expect_str_eq(text, "cursor");
	free(text);
	cr_assert_eq(ops->work_put(&sink, ACCOUNT, &head, &work), 0);
	cr_assert_eq(ops->work_each(&sink, ACCOUNT, keep_work, &got), 0);
	cr_expect_eq(memcmp(&got, &work, sizeof(got)), 0);
	cr_assert_eq(ops->work_delete(&sink, ACCOUNT, UUID), 0);
	cr_expect_eq(ops->meeting_known(&sink, ACCOUNT, UUID), 0);
	cr_assert_eq(ops->account_forget(&sink, ACCOUNT, true), 0);
	cr_assert_eq(ops->state_load(&sink, ACCOUNT, &text), 0);
	cr_expect_str_eq(text ? text : "", "");
}

/* After a restart the poller knows no more than the UUID of a meeting: its ratings come all the
 * same, and what is known of it stays. */
Test(sink, ratings_come_later_and_name_the_person)
{
	const struct fl_zoom_feedback rating = { .who = "user-of-a",
						 .at_s = NOW + 700,
						 .rating = 1 };
	struct fl_zoom_meeting head = meeting(NOW + 600), bare = { .uuid = UUID };
	struct fl_zoom_join j[2] = { person("a", "10.9.0.5"), person("a2", "10.9.0.5") };
	struct fl_zoom_put later = { .meeting = &bare, .feedback = &rating, .feedback_count = 1 };

	/* The same person once more, after a break. */
	snprintf(j[1].user, sizeof(j[1].user), "user-of-a");
	j[0].leave_s = NOW + 200;
	j[1].join_s = NOW + 300;
	cr_assert_eq(put(&head, j, 2, NULL, false), 0);
	cr_assert_eq(ops->meeting_put(&sink, ACCOUNT, &later), 0);
	cr_expect_eq(call_of("a").rating, 0);
	cr_expect_eq(call_of("a2").rating, 1);
	cr_expect_eq(call_of("a2").meeting_number, 84120657733);
	cr_expect_eq(call_of("a2").join_s, NOW + 300);
}

/* --- webhooks -----------------------------------------------------------------------------------
 */

static struct fl_zoom_hook hook(enum fl_zoom_hook_kind kind)
{
	struct fl_zoom_hook h = { .kind = kind,
				  .account = ACCOUNT,
				  .event_ms = (NOW + 100) * 1000LL,
				  .meeting = { .uuid = UUID },
				  .join = { .key = "a" } };

	return h;
}

static void put_live(void)
{
	struct fl_zoom_meeting head = meeting(0);
	struct fl_zoom_join j = person("a", "10.9.0.5");

	j.leave_s = 0;
	j.leave = FL_ZOOM_LEAVE_UNKNOWN;
	cr_assert_eq(put(&head, &j, 1, NULL, true), 0);
}

Test(sink, webhook_of_a_rating)
{
	struct fl_zoom_hook h = hook(FL_ZOOM_HOOK_FEEDBACK);

	h.feedback = (struct fl_zoom_feedback){ .at_s = NOW + 100, .rating = 1 };
	cr_expect_eq(fl_sink_hook(&sink, &h), 0, "of a call that nobody knows: no matter");
	put_live();
	cr_assert_eq(fl_sink_hook(&sink, &h), 0);
	cr_expect_eq(call_of("a").rating, 1);
	cr_expect_str_eq(call_of("a").user_name, "Ann");
}

Test(sink, webhook_of_leaving)
{
	struct fl_zoom_hook h = hook(FL_ZOOM_HOOK_LEFT);

	put_live();
	h.join.leave_s = NOW + 90;
	h.join.leave = FL_ZOOM_LEAVE_NETWORK_ERROR;
	cr_assert_eq(fl_sink_hook(&sink, &h), 0);
	cr_expect_eq(call_of("a").leave_s, NOW + 90);
	cr_expect_eq(call_of("a").leave_code, FL_LEAVE_NETWORK_ERROR);
	cr_expect_eq(ops->meeting_known(&sink, ACCOUNT, UUID), 0, "it goes on for others");
}

Test(sink, webhook_of_minutes)
{
	struct fl_zoom_minute m = minute(MINUTE, 30);
	struct fl_zoom_hook h = hook(FL_ZOOM_HOOK_QOS);

	h.join.minutes = &m;
	h.join.minute_count = 1;
	cr_assert_eq(fl_sink_hook(&sink, &h), 0);
	put_live();
	cr_assert_eq(fl_sink_hook(&sink, &h), 0);
	cr_assert_eq(fl_sink_hook(&sink, &h), 0, "again, as Zoom does");
	cr_expect_eq(minutes_of("a"), 1);
	cr_expect_eq(call_of("a").network, FL_NETWORK_WIFI);
}

/* Private address and ports equal those of a session: rule 1. */
Test(sink, webhook_of_addresses_and_ports)
{
	struct fl_session_record session = { .uuid = { 1 },
					     .site = site,
					     .client_port = 50001,
					     .remote_port = 8801,
					     .proto = 17,
					     .mac = { { 2, 0, 0, 0, 0, 9 } },
					     .start_s = NOW,
					     .end_s = FL_SESSION_OPEN_END,
					     .bytes = 1000 };
	struct fl_zoom_hook h = hook(FL_ZOOM_HOOK_DATA);

	cr_assert_eq(fl_addr_parse("10.9.0.5", &session.client), 0);
	cr_assert_eq(fl_addr_parse("203.0.113.1", &session.remote), 0);
	cr_assert_eq(fl_store_put_sessions(store, &session, 1), 0);
	cr_assert_eq(fl_addr_parse("10.9.0.5", &h.endpoint.addr), 0);
	h.endpoint.ports[1] = 50001;
	snprintf(h.join.user_name, sizeof(h.join.user_name), "Ann");
	cr_assert_eq(fl_sink_hook(&sink, &h), 0);
	cr_expect_eq(call_of("a").rule, FL_MATCH_QSS_PORTS);
	cr_expect_str_eq(call_of("a").user_name, "", "it may be a guest");
	cr_expect_eq(ops->meeting_known(&sink, ACCOUNT, UUID), 0);
}

static bool keep_event(void *ctx, const struct fl_event *event)
{
	*(struct fl_event *)ctx = *event;
	return true;
}

Test(sink, webhook_of_an_alert)
{
	struct fl_zoom_hook h = hook(FL_ZOOM_HOOK_ALERT);
	struct fl_event event = { 0 };

	put_live();
	*h.join.key = '\0';
	h.issues = FL_ZOOM_ISSUE_AUDIO | FL_ZOOM_ISSUE_CPU;
	cr_assert_eq(fl_sink_hook(&sink, &h), 0);
	cr_assert_eq(fl_store_each_event(store, site, NOW, NOW + 200, keep_event, &event), 0);
	cr_expect_str_eq(event.kind, "ZOOM_ALERT");
	cr_expect_str_eq(event.detail, "Zoom reports: unstable audio; high CPU.");
	cr_expect_eq(event.at_s, NOW + 100);
}
