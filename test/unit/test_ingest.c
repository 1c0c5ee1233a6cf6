// SPDX-License-Identifier: Apache-2.0
/* From Zoom's participants to stored calls. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test/insight/fill.h"

#define NOW 1720000000

static char file[64];
static struct fl_store *store;
static struct fl_ingest *ingest;
static uint32_t site, path;

static void setup(void)
{
	static struct fl_prefix lan;
	static struct fl_addr wan;
	static struct fl_site hq = { "hq", &lan, 1, &wan, 1, NULL, 0 };
	const struct fl_store_cfg cfg = { .path = file };
	struct fl_store_health health;

	snprintf(file, sizeof(file), "/tmp/fl-ingest-%d.db", getpid());
	cr_assert_eq(fl_prefix_parse("10.9.0.0/16", &lan), 0);
	cr_assert_eq(fl_addr_parse("198.51.100.1", &wan), 0);
	cr_assert_eq(fl_store_open(&cfg, &health, &store), 0);
	/* A site of another number than its index. */
	cr_assert_eq(fl_store_site(store, "elsewhere", &site), 0);
	cr_assert_eq(fl_ingest_new(store, &hq, 1, &ingest), 0);
	cr_assert_eq(fl_store_site(store, "hq", &site), 0);
	cr_assert_eq(fl_store_path(store, site, "edge", "wan2", &path), 0);
}

static void teardown(void)
{
	fl_ingest_free(ingest);
	fl_store_close(store);
	unlink(file);
}

TestSuite(ingest, .init = setup, .fini = teardown);

static struct fl_participant person(const char *internal)
{
	struct fl_participant p = { .guest = true };

	snprintf(p.call.key, sizeof(p.call.key), "join");
	snprintf(p.call.user_name, sizeof(p.call.user_name), "Ann");
	snprintf(p.call.email, sizeof(p.call.email), "ann@example.com");
	cr_assert_eq(fl_addr_parse("198.51.100.1", &p.ends.public_addr), 0);
	if (internal)
		cr_assert_eq(fl_addr_parse(internal, &p.ends.internal[p.ends.internal_count++]), 0);
	p.ends.mac = (struct fl_mac){ { 2, 0, 0, 0, 0, 7 } };
	p.ends.join_s = NOW;
	p.ends.leave_s = NOW + 600;
	return p;
}

static bool keep_call(void *ctx, const struct fl_call *call)
{
	*(struct fl_call *)ctx = *call;
	return false;
}

static int put(const struct fl_participant *p, size_t count, bool discard, struct fl_call *call)
{
	const struct fl_ingest_options options = { .discard_guest_info = discard };
	const struct fl_call_filter all = { .from_s = 0, .to_s = INT64_MAX };
	struct fl_meeting_put m = { .uuid = "uuid", .start_s = NOW, .end_s = NOW + 600 };
	int kept = fl_ingest_meeting(ingest, &m, p, count, &options);

	cr_expect_eq(m.dropped, count - (size_t)kept);
	memset(call, 0, sizeof(*call));
	cr_assert_eq(fl_store_each_call(store, &all, keep_call, call, NULL), 0);
	return kept;
}

/* A7: nothing of people elsewhere, and of guests what the operator lets be kept. */
Test(ingest, A7_guests_without_their_names)
{
	struct fl_participant p[2] = { person("10.9.0.5"), person("172.16.0.9") };
	struct fl_call call;

	snprintf(p[1].call.key, FL_KEY_LEN, "other");
	cr_expect_eq(put(p, 2, true, &call), 1);
	cr_expect_eq(call.site, site);
	cr_expect_eq(call.rule, FL_MATCH_PUBLIC_ADDR);
	cr_expect_str_eq(call.user_name, "");
	cr_expect_str_eq(call.email, "");
	cr_expect_eq(call.public_addr.family, 0);
	cr_expect_eq(call.addr.family, 0);
	cr_expect(fl_mac_is_known(call.mac));
	p[0].guest = false;
	cr_expect_eq(put(p, 1, true, &call), 1);
	cr_expect_str_eq(call.user_name, "Ann");
	cr_expect_eq(call.addr.family, 4);
}

/* The address is masked, the MAC is not: its sessions and their path are found all the same. */
Test(ingest, sessions_of_a_client_found_by_mac)
{
	struct fl_call_minute m = fl_call_minute_none(NOW / 60 + 1);
	struct fl_participant p = person(NULL);
	struct fl_neighbour_record n = { .site = site,
					 .mac = p.ends.mac,
					 .hostname = "ws-7.example.com",
					 .from_s = NOW - 100,
					 .to_s = NOW + 700 };
	struct fl_session_record s = { .uuid = { 1 },
				       .site = site,
				       .app = FL_SESSION_ZOOM,
				       .start_s = NOW,
				       .end_s = NOW + 600,
				       .bytes = 5000000,
				       .steps = { { NOW, path } },
				       .step_count = 1 };
	struct fl_call call;

	p.minutes = &m;
	p.minute_count = 1;
	cr_assert_eq(fl_addr_parse("10.9.0.5", &n.addr), 0);
	s.client = n.addr;
	cr_assert_eq(fl_store_put_neighbours(store, &n, 1), 0);
	cr_assert_eq(fl_store_put_sessions(store, &s, 1), 0);
	cr_expect_eq(put(&p, 1, false, &call), 1);
	cr_expect_eq(call.rule, FL_MATCH_MAC);
	cr_expect_eq(call.bytes, 5000000);
	cr_expect_eq(call.minutes, 1);
	cr_expect_str_eq(call.hostname, "ws-7");
	cr_expect(fl_addr_equal(&call.addr, &n.addr));
}
