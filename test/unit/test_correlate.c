// SPDX-License-Identifier: Apache-2.0
/* Matching, paths and site series: the fixture of zoom-api.md 10, then the rules one by one. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "agent/insight/correlate.h"
#include "agent/insight/roll.h"
#include "test/insight/load.h"

#define T0 1720708200 /* 2024-07-11 14:30 UTC */

/* C8 and section 10: who is on the network, as which client, and why. */
Test(correlate, C8_matches_of_the_fixture)
{
	struct fl_json *want = load_json("correlation/expected_match.json");
	const struct load *l = load_correlation();

	cr_assert_eq(fl_json_count(want), l->join_count);
	for (unsigned int i = 0; i < l->join_count; i++) {
		const struct fl_json *row = fl_json_at(want, i);
		const char *client = fl_json_get_string(fl_json_member(row, "match"));
		const char *site = fl_json_get_string(fl_json_member(row, "site"));
		char text[FL_ADDR_TEXT];
		struct fl_match match;

		fl_match(&l->net, &l->joins[i].ends, &match);
		cr_assert_str_eq(fl_json_get_string(fl_json_member(row, "participant_uuid")),
				 l->joins[i].uuid);
		cr_expect_str_eq(fl_match_rule_text(match.rule),
				 fl_json_get_string(fl_json_member(row, "rule")));
		cr_expect_eq(fl_match_is_on_network(&match), client != NULL);
		if (!client)
			continue;
		cr_expect_str_eq(fl_addr_format(&match.client, text), client);
		cr_expect_str_eq(l->net.sites[match.site].name, site);
		cr_expect_eq(match.vpn, !strcmp(l->joins[i].name, "Lena Vogt"));
	}
	fl_json_free(want);
}

/* E17: megabytes come from the router's sessions, each rejoin has its own; a tunnel hides them. */
Test(correlate, E17_usage_bytes)
{
	const uint64_t want[] = { 367900000, 201400000, 118600000, 0 };
	const struct load *l = load_correlation();

	for (int i = 0; i < 4; i++) {
		const struct fl_join_ends *ends = &l->joins[i].ends;
		struct fl_match match;

		fl_match(&l->net, ends, &match);
		cr_expect_eq(fl_match_bytes(&match, ends->join_s, ends->leave_s), want[i], "%s",
			     l->joins[i].name);
	}
}

static void roll_site(const struct load *l, int64_t from_s, int64_t to_s, struct fl_roll *roll,
		      struct fl_wan_roll *wan)
{
	for (unsigned int i = 0; i < l->join_count; i++) {
		struct fl_match match;

		fl_match(&l->net, &l->joins[i].ends, &match);
		if (!fl_match_is_on_network(&match) || match.site != 0)
			continue;
		for (unsigned int n = 0; n < l->joins[i].minute_count; n++) {
			const struct fl_call_minute *m = &l->joins[i].minutes[n];

			if (m->minute * 60 >= from_s && m->minute * 60 < to_s)
				fl_roll_add(roll, m, 1);
		}
	}
	for (unsigned int i = 0; i < l->wan_count; i++) {
		const struct fl_path_minute *m = &l->wan[i];

		if (m->minute * 60 < from_s || m->minute * 60 >= to_s)
			continue;
		wan->sum_us += llround(fl_wan_minute_rtt(m, 1) * 1000);
		wan->count++;
	}
}

static void expect_value(const struct fl_json *want, double value, const char *name, size_t bucket)
{
	if (fl_json_type(want) == FL_JSON_NULL)
		cr_expect(isnan(value), "%s, bucket %zu: %f, not a gap", name, bucket, value);
	else
		cr_expect_float_eq(value, load_number(want), 5.1e-5, "%s, bucket %zu: %f", name,
				   bucket, value);
}

static void check_series(const char *file, int64_t width)
{
	struct fl_json *want = load_json(file);
	const struct fl_json *series = fl_json_member(want, "series");
	int64_t start = (int64_t)load_number(fl_json_member(want, "start"));
	int64_t end = (int64_t)load_number(fl_json_member(want, "end"));

	cr_assert_eq(width, load_number(fl_json_member(want, "interval")));
	cr_assert_eq(fl_bucket_start(T0, width), start);
	cr_assert_eq(fl_json_count(series), FL_SERIES_MAX + 1);
	for (int64_t at = start; at < end; at += width) {
		size_t bucket = (size_t)((at - start) / width);
		struct fl_wan_roll wan = { 0 };
		struct fl_roll roll = { 0 };
		char name[32];

		roll_site(load_correlation(), at, at + width, &roll, &wan);
		for (unsigned int i = 0; i < FL_SERIES_MAX; i++)
			expect_value(
				fl_json_at(fl_json_member(series, fl_series_name(i, name)), bucket),
				fl_roll_mean(&roll, i), name, bucket);
		expect_value(fl_json_at(fl_json_member(series, FL_SERIES_WAN_NAME), bucket),
			     fl_wan_roll_mean_ms(&wan), FL_SERIES_WAN_NAME, bucket);
	}
	fl_json_free(want);
}

/* C9, C10: the six series of three metrics, CPU, and wan-avg-latency. */
Test(correlate, C9_site_series_of_ten_minutes)
{
	check_series("correlation/expected_site_hq_10min.json", FL_SHORT_BUCKET_S);
}

Test(correlate, C9_site_series_of_an_hour)
{
	check_series("correlation/expected_site_hq_1h.json", FL_LONG_BUCKET_S);
}

Test(correlate, C12_edge_of_buckets_is_24_hours)
{
	cr_expect_eq(fl_bucket_width(T0, T0 + 86399), 600);
	cr_expect_eq(fl_bucket_width(T0, T0 + 86400), 3600);
	cr_expect_eq(fl_bucket_start(T0 + 599, 600), T0);
	cr_expect_eq(fl_bucket_start(T0 + 600, 600), T0 + 600);
	cr_expect_eq(fl_bucket_start(-1, 600), -600);
}

/* --- rules --------------------------------------------------------------------------------------
 */

static struct fl_addr addr(const char *text)
{
	struct fl_addr a = { 0 };

	cr_assert_eq(fl_addr_parse(text, &a), 0);
	return a;
}

/* Two sites that use the same private range, and one that has its own. */
struct world {
	struct fl_prefix lans[3], pool;
	struct fl_addr wans[3];
	struct fl_site sites[3];
	struct fl_session_record sessions[8];
	struct fl_neighbour_record neighbours[4];
	struct fl_network net;
	struct fl_join_ends join;
};

static void world_init(struct world *w)
{
	const char *const lans[] = { "192.168.1.0/24", "192.168.1.0/24", "10.9.0.0/16" };
	const char *const wans[] = { "198.51.100.1", "198.51.100.2", "198.51.100.3" };

	memset(w, 0, sizeof(*w));
	cr_assert_eq(fl_prefix_parse("10.200.0.0/16", &w->pool), 0);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(fl_prefix_parse(lans[i], &w->lans[i]), 0);
		w->wans[i] = addr(wans[i]);
		w->sites[i] = (struct fl_site){ "", &w->lans[i], 1, &w->wans[i], 1, &w->pool, 1 };
	}
	w->net = (struct fl_network){ w->sites, 3, w->sessions, 0, w->neighbours, 0 };
	w->join.join_s = T0;
	w->join.leave_s = T0 + 1800;
}

static struct fl_session_record *session(struct world *w, uint32_t site, const char *client)
{
	struct fl_session_record *s = &w->sessions[w->net.session_count++];

	*s = (struct fl_session_record){ .site = site,
					 .client = addr(client),
					 .proto = 17,
					 .remote_port = 8801,
					 .start_s = T0,
					 .end_s = T0 + 1800,
					 .step_count = 1 };
	return s;
}

static struct fl_neighbour_record *neighbour(struct world *w, uint32_t site, const char *client)
{
	struct fl_neighbour_record *n = &w->neighbours[w->net.neighbour_count++];

	*n = (struct fl_neighbour_record){
		.site = site, .addr = addr(client), .from_s = T0, .to_s = T0 + 1800
	};
	return n;
}

static void internal(struct world *w, const char *text)
{
	w->join.internal[w->join.internal_count++] = addr(text);
}

static struct fl_match match(struct world *w)
{
	struct fl_match m;

	fl_sessions_sort(w->sessions, w->net.session_count);
	fl_match(&w->net, &w->join, &m);
	return m;
}

Test(correlate, public_address_decides_between_overlapping_ranges)
{
	struct world w;

	world_init(&w);
	session(&w, 0, "192.168.1.5");
	session(&w, 1, "192.168.1.5");
	internal(&w, "192.168.1.5");
	cr_expect_eq(match(&w).rule, FL_MATCH_OFF_NETWORK);
	w.join.public_addr = addr("198.51.100.2");
	cr_expect_eq(match(&w).rule, FL_MATCH_SESSION);
	cr_expect_eq(match(&w).site, 1);
	cr_expect_not(match(&w).vpn);
}

Test(correlate, session_must_overlap_within_two_minutes)
{
	struct world w;

	world_init(&w);
	internal(&w, "10.9.0.5");
	session(&w, 2, "10.9.0.5")->start_s = T0 + 1800 + 120;
	w.sessions[0].end_s = T0 + 4000;
	cr_expect_eq(match(&w).rule, FL_MATCH_SESSION);
	w.sessions[0].start_s++;
	cr_expect_eq(match(&w).rule, FL_MATCH_OFF_NETWORK);
	w.sessions[0].start_s = T0 - 4000;
	w.sessions[0].end_s = T0 - 120;
	cr_expect_eq(match(&w).rule, FL_MATCH_SESSION);
	w.sessions[0].end_s--;
	cr_expect_eq(match(&w).rule, FL_MATCH_OFF_NETWORK);
	w.sessions[0].end_s = FL_SESSION_OPEN_END;
	cr_expect_eq(match(&w).rule, FL_MATCH_SESSION);
}

Test(correlate, ports_that_are_zoom)
{
	const struct {
		uint8_t proto;
		uint16_t port;
		bool zoom;
	} rows[] = {
		{ 17, 8801, true }, { 17, 8810, true }, { 17, 8811, false }, { 17, 3478, true },
		{ 17, 3479, true }, { 17, 443, false }, { 6, 443, true },    { 6, 8801, true },
		{ 6, 8802, true },  { 6, 8803, false }, { 47, 0, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fl_session_record *s;
		struct world w;

		world_init(&w);
		internal(&w, "10.9.0.5");
		s = session(&w, 2, "10.9.0.5");
		s->proto = rows[i].proto;
		s->remote_port = rows[i].port;
		cr_expect_eq(match(&w).rule == FL_MATCH_SESSION, rows[i].zoom, "%d/%d",
			     rows[i].proto, rows[i].port);
		s->app = FL_SESSION_ZOOM;
		cr_expect_eq(match(&w).rule, FL_MATCH_SESSION);
	}
}

Test(correlate, useless_addresses_are_left_out)
{
	const char *const texts[] = { "127.0.0.1", "169.254.3.4", "0.0.0.0", "fe80::1",
				      "::1",       "::",          "ff02::1", "224.0.0.1" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fl_addr a = addr(texts[i]);

		cr_expect_not(fl_addr_is_usable(&a), "%s", texts[i]);
	}
}

Test(correlate, qss_ports_come_first)
{
	struct world w;

	world_init(&w);
	internal(&w, "10.9.0.5");
	internal(&w, "10.9.0.6");
	session(&w, 2, "10.9.0.5")->client_port = 50001;
	session(&w, 2, "10.9.0.6")->client_port = 50002;
	cr_expect_eq(match(&w).rule, FL_MATCH_OFF_NETWORK, "two answers are none");
	w.join.qss_addr = 1;
	w.join.qss_ports[w.join.qss_port_count++] = 50002;
	cr_expect_eq(match(&w).rule, FL_MATCH_QSS_PORTS);
	cr_expect_eq(match(&w).client.b[3], 6);
}

Test(correlate, one_client_with_addresses_of_both_families)
{
	const struct fl_mac mac = { { 2, 0, 0, 0, 0, 9 } };
	struct fl_prefix lans[2];
	struct world w;

	world_init(&w);
	lans[0] = w.lans[2];
	cr_assert_eq(fl_prefix_parse("2001:db8:9::/48", &lans[1]), 0);
	w.sites[2].lans = lans;
	w.sites[2].lan_count = 2;
	internal(&w, "10.9.0.5");
	internal(&w, "2001:db8:9::5");
	session(&w, 2, "10.9.0.5")->mac = mac;
	session(&w, 2, "2001:db8:9::5")->mac = mac;
	cr_expect_eq(match(&w).rule, FL_MATCH_SESSION);
	cr_expect_eq(match(&w).session_count, 2);
}

Test(correlate, mac_then_host_name)
{
	const struct fl_mac mac = { { 2, 0, 0, 0, 0, 9 } };
	struct world w;

	world_init(&w);
	snprintf(neighbour(&w, 2, "10.9.0.7")->hostname, FL_HOSTNAME_LEN, "ws-7.example.com");
	snprintf(w.join.pc_name, FL_HOSTNAME_LEN, "WS-7");
	cr_expect_eq(match(&w).rule, FL_MATCH_HOSTNAME);
	w.neighbours[0].mac = w.join.mac = mac;
	cr_expect_eq(match(&w).rule, FL_MATCH_MAC);
	/* The same client at two addresses is one, two clients of a name are none. */
	neighbour(&w, 2, "10.9.0.8")->mac = mac;
	cr_expect_eq(match(&w).rule, FL_MATCH_MAC);
	w.join.mac = (struct fl_mac){ 0 };
	w.neighbours[1].mac.b[0] = 4;
	snprintf(w.neighbours[1].hostname, FL_HOSTNAME_LEN, "Ws-7");
	cr_expect_eq(match(&w).rule, FL_MATCH_OFF_NETWORK);
}

Test(correlate, public_address_alone_gives_no_client)
{
	struct world w;

	world_init(&w);
	w.join.public_addr = addr("198.51.100.1");
	cr_expect_eq(match(&w).rule, FL_MATCH_OFF_NETWORK);
	internal(&w, "172.16.0.1");
	cr_expect_eq(match(&w).rule, FL_MATCH_OFF_NETWORK);
	internal(&w, "192.168.1.77");
	cr_expect_eq(match(&w).rule, FL_MATCH_PUBLIC_ADDR);
	cr_expect_eq(match(&w).site, 0);
	/* Two sites with the same public address: neither. */
	w.wans[1] = w.wans[0];
	cr_expect_eq(match(&w).rule, FL_MATCH_OFF_NETWORK);
}

/* Someone at home has the address of one of our clients: MAC and name tell them apart. */
Test(correlate, same_private_address_elsewhere_is_no_tunnel)
{
	struct fl_session_record *s;
	struct world w;

	world_init(&w);
	internal(&w, "10.9.0.5");
	w.join.public_addr = addr("203.0.113.9");
	s = session(&w, 2, "10.9.0.5");
	s->app = FL_SESSION_VPN;
	s->mac.b[5] = 1;
	w.join.mac.b[5] = 1;
	cr_expect_eq(match(&w).rule, FL_MATCH_VPN_SESSION);
	cr_expect(match(&w).vpn);
	w.join.mac.b[5] = 2;
	cr_expect_eq(match(&w).rule, FL_MATCH_OFF_NETWORK);
}

Test(correlate, tunnel_pool_sets_the_vpn_flag)
{
	struct world w;

	world_init(&w);
	internal(&w, "10.9.0.5");
	session(&w, 2, "10.9.0.5");
	cr_expect_not(match(&w).vpn);
	internal(&w, "10.200.1.1");
	cr_expect(match(&w).vpn);
}

/* A branch that breaks out at the hub is seen with the hub's address: no VPN. */
Test(correlate, hub_breakout_is_no_vpn)
{
	struct world w;

	world_init(&w);
	internal(&w, "10.9.0.5");
	session(&w, 2, "10.9.0.5");
	w.join.public_addr = addr("198.51.100.1");
	cr_expect_eq(match(&w).rule, FL_MATCH_SESSION);
	cr_expect_eq(match(&w).site, 2);
	cr_expect_not(match(&w).vpn);
}

/* --- paths --------------------------------------------------------------------------------------
 */

Test(correlate, path_moves_with_the_session)
{
	struct fl_session_record *s;
	struct world w;
	struct fl_match m;
	uint32_t path;

	world_init(&w);
	internal(&w, "10.9.0.5");
	s = session(&w, 2, "10.9.0.5");
	s->steps[0] = (struct fl_path_step){ T0, 1 };
	s->steps[1] = (struct fl_path_step){ T0 + 10 * 60 + 20, 2 };
	s->steps[2] = (struct fl_path_step){ T0 + 20 * 60 + 40, 3 };
	s->step_count = 3;
	m = match(&w);
	for (int i = 0; i < 30; i++) {
		uint32_t want = i < 10 ? 1 : i < 21 ? 2 : 3;

		cr_assert(fl_match_path(&m, T0 / 60 + i, &path));
		cr_expect_eq(path, want, "minute %d: path %u", i, path);
	}
	/* Zoom's clock is ahead by a minute: the nearest end. */
	cr_expect(fl_match_path(&m, T0 / 60 - 1, &path) && path == 1);
	cr_expect(fl_match_path(&m, T0 / 60 + 31, &path) && path == 3);
	cr_expect_not(fl_match_path(&m, T0 / 60 + 40, &path));
}

Test(correlate, path_of_the_session_with_most_bytes)
{
	struct world w;
	struct fl_match m;
	uint32_t path;

	world_init(&w);
	internal(&w, "10.9.0.5");
	for (uint32_t i = 0; i < 3; i++) {
		struct fl_session_record *s = session(&w, 2, "10.9.0.5");

		s->bytes = i == 1 ? 900 : 100;
		s->steps[0].path = i;
		s->end_s = i == 1 ? T0 + 600 : s->end_s;
	}
	m = match(&w);
	cr_assert_eq(m.session_count, 3);
	cr_expect(fl_match_path(&m, T0 / 60 + 9, &path) && path == 1);
	cr_expect(fl_match_path(&m, T0 / 60 + 10, &path) && path != 1);
}

Test(correlate, missing_wan_minute_is_looked_for_nearby_only)
{
	const int64_t have[] = { 100, 101, 104, 108 };
	const struct {
		int64_t minute, found;
	} rows[] = { { 98, 0 },    { 99, 100 }, { 100, 100 }, { 102, 101 }, { 103, 104 },
		     { 105, 104 }, { 106, 0 },  { 107, 108 }, { 109, 108 }, { 110, 0 } };
	struct fl_path_minute wan[4];

	for (int i = 0; i < 4; i++)
		wan[i] = fl_path_minute_none(1, have[i]);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct fl_path_minute *m = fl_path_minute_near(wan, 4, rows[i].minute);

		cr_expect_eq(m ? m->minute : 0, rows[i].found, "%ld", (long)rows[i].minute);
	}
	cr_expect_null(fl_path_minute_near(wan, 0, 100));
}

Test(correlate, wan_average_is_weighted_by_zoom_bytes)
{
	struct fl_path_minute m[3];

	for (unsigned int i = 0; i < 3; i++)
		m[i] = fl_path_minute_none(i, 1);
	cr_expect(isnan(fl_wan_minute_rtt(m, 3)));
	m[0].rtt_ms = 10;
	m[1].rtt_ms = 100;
	m[2].rtt_ms = 5000;
	m[2].active = false;
	cr_expect_eq(fl_wan_minute_rtt(m, 3), 55, "bytes unknown: the plain mean");
	m[0].zoom_bytes = 900;
	cr_expect_eq(fl_wan_minute_rtt(m, 3), 55, "bytes known of one only");
	m[1].zoom_bytes = 100;
	cr_expect_eq(fl_wan_minute_rtt(m, 3), 19);
	m[0].zoom_bytes = m[1].zoom_bytes = 0;
	cr_expect_eq(fl_wan_minute_rtt(m, 3), 55, "none sent");
}

/* What was added can be taken out to the last digit, in any order. */
Test(correlate, sums_are_exact)
{
	const struct load *l = load_correlation();
	struct fl_roll roll = { 0 }, empty = { 0 };

	for (unsigned int n = 0; n < 28; n++)
		fl_roll_add(&roll, &l->joins[0].minutes[n], 1);
	cr_expect_eq(roll.minutes, 28);
	for (unsigned int n = 28; n-- > 0;)
		fl_roll_add(&roll, &l->joins[0].minutes[n], -1);
	cr_expect_eq(memcmp(&roll, &empty, sizeof(roll)), 0);
}
