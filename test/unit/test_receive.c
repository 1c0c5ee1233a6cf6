// SPDX-License-Identifier: Apache-2.0
/* From a router's lines to the store: all of it, once, and no harm by what is not understood. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/insight/receive.h"
#include "test/insight/fill.h"

#define NOW 1720000000

static char file[64];
static struct fl_store *store;
static struct fl_receiver *receiver;

static int line(const char *text)
{
	return fl_receiver_line(receiver, text, strlen(text));
}

static void begin_connection(void)
{
	fl_receiver_free(receiver);
	cr_assert_eq(fl_receiver_new(store, &receiver), 0);
	cr_assert_eq(
		line("{\"fairlead-export\":1,\"site\":\"hq\",\"router\":\"edge\",\"dropped\":3}"),
		0);
}

static void setup(void)
{
	const struct fl_store_cfg cfg = { .path = file };
	struct fl_store_health health;

	snprintf(file, sizeof(file), "/tmp/fl-receive-%d.db", getpid());
	cr_assert_eq(fl_store_open(&cfg, &health, &store), 0);
	begin_connection();
}

static void teardown(void)
{
	char name[80];

	fl_receiver_free(receiver);
	fl_store_close(store);
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", file, i == 0 ? "" : i == 1 ? "-wal" : "-shm");
		unlink(name);
	}
}

TestSuite(receive, .init = setup, .fini = teardown);

static int send_record(const struct fl_export_record *record, uint64_t seq)
{
	char text[FL_EXPORT_LINE_MAX];
	int len = fl_export_encode(record, seq, text, sizeof(text));

	cr_assert_gt(len, 0);
	return fl_receiver_line(receiver, text, (size_t)len - 1);
}

static int64_t late_before_s;
static struct fl_receiver_span late;

static void commit(uint64_t want_ack)
{
	uint64_t ack = 99;

	cr_assert_eq(fl_receiver_commit(receiver, late_before_s, &ack, &late), 0);
	cr_expect_eq(ack, want_ack, "%lu, not %lu", ack, want_ack);
}

static uint32_t site(void)
{
	uint32_t id;

	cr_assert_eq(fl_store_site(store, "hq", &id), 0);
	return id;
}

static uint32_t path(const char *name)
{
	uint32_t id;

	cr_assert_eq(fl_store_path(store, site(), "edge", name, &id), 0);
	return id;
}

static struct fl_export_record minute_of(const char *name, double rtt_ms)
{
	struct fl_export_record r = { .type = FL_EXPORT_PATH_MINUTE };

	r.path_minute = (struct fl_export_path_minute){ .minute = NOW / 60,
							.source = "bfd",
							.active = true,
							.rtt_ms = rtt_ms,
							.jitter_ms = NAN,
							.loss_pct = 0.5,
							.tx_mbps = 1,
							.rx_mbps = 2,
							.tx_capacity_mbps = 40,
							.rx_capacity_mbps = NAN,
							.zoom_bytes = 1e6,
							.clients = 12 };
	snprintf(r.path_minute.path, sizeof(r.path_minute.path), "%s", name);
	return r;
}

Test(receive, minutes_of_paths)
{
	struct fl_export_record r = minute_of("r2/wan1", 21.5);
	struct fl_path_minute row[2];
	size_t count;

	cr_assert_eq(send_record(&r, 1), 0);
	r = minute_of("r2/wan2", 80);
	cr_assert_eq(send_record(&r, 2), 0);
	commit(2);
	commit(0);
	/* Again, by another connection: the acknowledgement had not arrived. */
	begin_connection();
	cr_assert_eq(send_record(&r, 2), 0);
	commit(2);
	cr_assert_neq(path("r2/wan1"), path("r2/wan2"));
	cr_assert_eq(fl_store_path_minutes(store, path("r2/wan1"), 0, INT64_MAX, row, 2, &count),
		     0);
	cr_assert_eq(count, 1);
	cr_expect_eq(row[0].minute, NOW / 60);
	cr_expect(row[0].active);
	cr_expect_eq(row[0].rtt_ms, 21.5);
	cr_expect(isnan(row[0].jitter_ms), "not measured stays so");
	cr_expect_eq(row[0].loss_pct, 0.5);
	cr_expect_eq(row[0].tx_capacity_mbps, 40);
	cr_expect(isnan(row[0].rx_capacity_mbps));
	cr_expect_eq(row[0].zoom_bytes, 1e6);
	cr_expect_eq(row[0].clients, 12);
	cr_assert_eq(fl_store_path_minutes(store, path("r2/wan2"), 0, INT64_MAX, row, 2, &count),
		     0);
	cr_expect_eq(count, 1);
}

static bool take_session(void *ctx, const struct fl_session_record *s)
{
	*(struct fl_session_record *)ctx = *s;
	return false;
}

static struct fl_export_record call(void)
{
	struct fl_export_record r = { .type = FL_EXPORT_SESSION };

	r.session = (struct fl_export_session){ .uuid = { 7 },
						.client_port = 40000,
						.remote_port = 8801,
						.protocol = 17,
						.app = "zoom",
						.mac = { 2, 0, 0, 0, 0, 9 },
						.start_s = NOW,
						.until_s = NOW + 60,
						.bytes = 1000,
						.step_count = 1 };
	cr_assert_eq(fl_addr_parse("10.1.0.2", &r.session.client), 0);
	cr_assert_eq(fl_addr_parse("203.0.113.9", &r.session.remote), 0);
	r.session.steps[0].since_s = NOW;
	snprintf(r.session.steps[0].path, FL_EXPORT_NAME_LEN, "r2/wan1");
	return r;
}

/* What the ranking has to look at again. */
Test(receive, what_comes_late)
{
	struct fl_export_record r = minute_of("wan1", 20), s = { .type = FL_EXPORT_SESSION };

	late_before_s = NOW;
	r.path_minute.minute = NOW / 60 - 60;
	cr_assert_eq(send_record(&r, 1), 0);
	r.path_minute.minute = NOW / 60 + 5;
	cr_assert_eq(send_record(&r, 2), 0);
	commit(2);
	cr_expect_eq(late.from_s, (NOW / 60 - 60) * 60);
	cr_expect_eq(late.to_s, late.from_s + 60);
	/* Long, but told of as it goes. */
	s.session.uuid[0] = 9;
	cr_assert_eq(fl_addr_parse("10.9.0.5", &s.session.client), 0);
	cr_assert_eq(fl_addr_parse("203.0.113.9", &s.session.remote), 0);
	s.session.start_s = NOW - 7200;
	s.session.until_s = NOW + 60;
	cr_assert_eq(send_record(&s, 3), 0);
	commit(3);
	cr_expect_eq(late.to_s, 0);
	s.session.uuid[0] = 10;
	s.session.until_s = NOW - 3600;
	cr_assert_eq(send_record(&s, 4), 0);
	commit(4);
	cr_expect_eq(late.from_s, NOW - 7200);
	cr_expect_eq(late.to_s, NOW - 3600);
	commit(0);
	cr_expect_eq(late.to_s, 0);
}

/* Three records of one session: the store has its tuple, its last bytes, and all of its path. */
Test(receive, a_session_that_moves)
{
	struct fl_export_record r = call();
	struct fl_session_record got = { 0 };

	cr_assert_eq(send_record(&r, 5), 0);
	r.session.until_s = NOW + 130;
	r.session.bytes = 2000;
	r.session.steps[0].since_s = NOW + 125;
	snprintf(r.session.steps[0].path, FL_EXPORT_NAME_LEN, "r2/wan2");
	cr_assert_eq(send_record(&r, 6), 0);
	commit(6);
	r.session.until_s = NOW + 600;
	r.session.ended = true;
	r.session.bytes = 9000;
	r.session.step_count = 0;
	cr_assert_eq(send_record(&r, 7), 0);
	commit(7);
	cr_assert_eq(
		fl_store_each_session(store, &r.session.client, NOW, NOW + 600, take_session, &got),
		0);
	cr_expect_eq(memcmp(got.uuid, r.session.uuid, 16), 0);
	cr_expect_eq(got.site, site());
	cr_expect_eq(got.app, FL_SESSION_ZOOM);
	cr_expect(fl_addr_equal(&got.remote, &r.session.remote));
	cr_expect_eq(got.remote_port, 8801);
	cr_expect_eq(got.mac.b[5], 9);
	cr_expect_eq(got.start_s, NOW);
	cr_expect_eq(got.end_s, NOW + 600);
	cr_expect_eq(got.bytes, 9000);
	cr_assert_eq(got.step_count, 2);
	cr_expect_eq(got.steps[0].path, path("r2/wan1"));
	cr_expect_eq(got.steps[1].path, path("r2/wan2"));
	cr_expect_eq(got.steps[1].since_s, NOW + 125);
}

/* The router went away without a word: the session does not go on for ever. */
Test(receive, an_end_that_is_never_told)
{
	struct fl_export_record r = call();
	struct fl_session_record got = { 0 };

	cr_assert_eq(send_record(&r, 1), 0);
	commit(1);
	cr_assert_eq(fl_store_each_session(store, &r.session.client, NOW + 3600, NOW + 7200,
					   take_session, &got),
		     0);
	cr_expect_eq(got.start_s, 0, "an hour later there is none");
}

static bool take_neighbour(void *ctx, const struct fl_neighbour_record *n)
{
	*(struct fl_neighbour_record *)ctx = *n;
	return false;
}

static bool count_event(void *ctx, const struct fl_event *e)
{
	struct fl_event *last = ctx;

	last->site++;
	last->severity = e->severity;
	memcpy(last->kind, e->kind, sizeof(last->kind));
	memcpy(last->subject, e->subject, sizeof(last->subject));
	return true;
}

/* D16: what became of paths stands between the events of clients. */
Test(receive, D16_neighbours_and_events)
{
	struct fl_export_record n = { .type = FL_EXPORT_NEIGHBOUR },
				e = { .type = FL_EXPORT_EVENT };
	struct fl_neighbour_record got = { 0 };
	struct fl_event last = { 0 };

	n.neighbour = (struct fl_export_neighbour){ .mac = { 2, 0, 0, 0, 0, 9 },
						    .from_s = NOW,
						    .to_s = NOW + 600,
						    .name = "WS-9.example.com" };
	cr_assert_eq(fl_addr_parse("10.1.0.2", &n.neighbour.addr), 0);
	e.event = (struct fl_export_event){ NOW, "bad", "PATH_DOWN", "r2/wan1", "no carrier" };
	for (int again = 0; again < 2; again++) {
		cr_assert_eq(send_record(&n, 1), 0);
		cr_assert_eq(send_record(&e, 2), 0);
		commit(2);
	}
	cr_assert_eq(fl_store_each_neighbour(store, (struct fl_mac){ { 2, 0, 0, 0, 0, 9 } }, "",
					     take_neighbour, &got),
		     0);
	cr_expect(fl_addr_equal(&got.addr, &n.neighbour.addr));
	cr_expect_eq(got.site, site());
	cr_expect_eq(got.to_s, NOW + 600);
	cr_expect_str_eq(got.hostname, "WS-9");
	/* Rule 4 of zoom-api.md 10: by its name alone, whatever the case. */
	memset(&got, 0, sizeof(got));
	cr_assert_eq(
		fl_store_each_neighbour(store, (struct fl_mac){ 0 }, "ws-9", take_neighbour, &got),
		0);
	cr_expect(fl_addr_equal(&got.addr, &n.neighbour.addr));
	cr_assert_eq(fl_store_each_event(store, site(), NOW, NOW + 1, count_event, &last), 0);
	cr_expect_eq(last.site, 1, "an event that is told twice is one");
	cr_expect_eq(last.severity, FL_SEVERITY_BAD);
	cr_expect_str_eq(last.kind, "PATH_DOWN");
	cr_expect_str_eq(last.subject, "r2/wan1");
}

Test(receive, what_is_not_understood_is_passed_over)
{
	struct fl_export_record r = minute_of("p", 1);
	struct fl_receiver_stats stats;

	cr_expect_eq(line("{\"seq\":1,\"type\":\"weather\",\"rain\":true}"), 0);
	cr_expect_eq(send_record(&r, 2), 0);
	cr_expect_eq(line("{\"seq\":3,\"type\":\"session\"}"), 0);
	commit(3);
	fl_receiver_stats(receiver, &stats);
	cr_expect_eq(stats.records, 3);
	cr_expect_eq(stats.unknown, 2);
	cr_expect_eq(stats.dropped, 3);
	cr_expect_str_eq(stats.router, "edge");
	cr_expect_str_eq(stats.site, "hq");
	cr_expect_eq(line("what?"), -EBADMSG, "without a number it cannot be acknowledged");
	cr_expect_eq(line("{}"), -EBADMSG);
}

Test(receive, others_than_routers)
{
	static const char *const hellos[] = {
		"{\"error\":\"another reader is connected\"}",
		"{\"fairlead-export\":2,\"site\":\"hq\",\"router\":\"edge\",\"dropped\":0}",
		"{\"fairlead-export\":1,\"site\":\"\",\"router\":\"edge\",\"dropped\":0}",
		"HTTP/1.1 400 Bad Request",
	};

	for (size_t i = 0; i < sizeof(hellos) / sizeof(hellos[0]); i++) {
		fl_receiver_free(receiver);
		receiver = NULL;
		cr_assert_eq(fl_receiver_new(store, &receiver), 0);
		cr_expect_eq(line(hellos[i]), -EBADMSG, "%s", hellos[i]);
	}
}

/* It says when it has had enough, and takes whatever mixture comes. */
Test(receive, a_batch_is_bounded)
{
	struct fl_export_record r = minute_of("p", 1);
	uint64_t seq = 0;

	for (int full = 0; full < 3; full++) {
		int ret = 0;

		while (!ret) {
			r.path_minute.minute++;
			ret = send_record(&r, ++seq);
		}
		cr_assert_eq(ret, 1);
		cr_expect_eq(seq, (uint64_t)(full + 1) * FL_RECEIVER_BATCH);
		commit(seq);
	}
}
