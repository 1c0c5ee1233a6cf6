// SPDX-License-Identifier: Apache-2.0
/*
 * How long sessions live (svr-protocol.md 3.11, P-29) and how many there may be: idle and initial
 * timeouts, the budget of a sweep, a full table, which refuses and never evicts.
 */
#include "test/unit/engine_test.h"

static const struct say dns = { 0 };

/* --- timers ----------------------------------------------------------------------------------- */

struct age_row {
	const char *clause;
	struct say first;
	bool answered;
	const char *types;
	uint64_t ms;
};

#define TYPES(text) ",'session-type':[" text "]"
#define SHORT_UDP                                                                                  \
	TYPES("{'name':'short','timeout':60000,'initial-timeout':4000,"                            \
	      "'transport':[{'protocol':'udp','port-range':[{'start-port':53}]}]}")

static const struct age_row age_rows[] = {
	{ "UDP", { 0 }, true, NULL, 180000 },
	{ "P-29: UDP one-way, no reply yet", { 0 }, false, NULL, 10000 },
	{ "ICMP", { .proto = FL_IPPROTO_ICMP }, true, NULL, 10000 },
	{ "ICMPv6", { .proto = FL_IPPROTO_ICMPV6, .src = "2001:db8:1::5" }, true, NULL, 10000 },
	{ "other protocols", { .proto = 47 }, true, NULL, 180000 },
	{ "P-29: other protocols one-way", { .proto = 47 }, false, NULL, 10000 },
	{ "session-type timeout, by transport", { 0 }, true, SHORT_UDP, 60000 },
	{ "session-type initial-timeout", { 0 }, false, SHORT_UDP, 4000 },
	{ "session-type of another port", { .dport = 54 }, true, SHORT_UDP, 180000 },
	{ "built-in type DNS", { 0 }, true, TYPES("{'name':'t'}"), 5000 },
	{ "built-in type DNS, one-way", { 0 }, false, TYPES("{'name':'t'}"), 5000 },
	{ "built-in type DNS is UDP's",
	  { .proto = 6, .tcp_flags = 2 },
	  false,
	  TYPES("{'name':'t'}"),
	  10000 },
	{ "session-type timeout if unset",
	  { 0 },
	  true,
	  TYPES("{'name':'t','transport':[{'protocol':'udp'}]}"),
	  180000 },
	{ "one-way, timeout below the initial one",
	  { 0 },
	  false,
	  TYPES("{'name':'t','timeout':3000,'transport':[{'protocol':'udp'}]}"),
	  3000 },
};

Test(engine_life, idle_timeouts)
{
	for (size_t i = 0; i < sizeof(age_rows) / sizeof(age_rows[0]); i++) {
		const struct age_row *row = &age_rows[i];
		struct world_opts opts = { .authority = row->types };
		struct world *w = world_new(&opts);

		client_says(w, &row->first);
		if (row->answered)
			server_says(w, &row->first);
		for (int r = R1; r <= R2; r++)
			cr_assert_eq(
				fl_engine_time_left_ms(w->r[r].engine, router_session(&w->r[r])),
				row->ms, "%s: r%d", row->clause, r + 1);
		world_advance(w, row->ms - 300);
		cr_assert_eq(router_sessions(&w->r[R1]), 1, "%s", row->clause);
		cr_assert_eq(router_sessions(&w->r[R2]), 1, "%s", row->clause);
		world_advance(w, 600);
		cr_assert_eq(router_sessions(&w->r[R1]), 0, "%s", row->clause);
		cr_assert_eq(router_sessions(&w->r[R2]), 0, "%s", row->clause);
		world_free(w);
	}
}

/* The idle timer is refreshed by user packets in either direction. */
Test(engine_life, used_sessions_stay)
{
	struct world *w = two_routers();
	struct say answer = answer_to(&dns);

	establish(w, &dns);
	for (int i = 0; i < 6; i++) {
		world_leap(w, 170000);
		world_tick(w);
		cr_assert_eq(router_sessions(&w->r[R1]), 1, "%d", i);
		cr_assert_eq(router_sessions(&w->r[R2]), 1, "%d", i);
		if (i % 2)
			client_says(w, &dns);
		else
			lan_says(w, R2, &answer);
	}
	world_advance(w, 181000);
	cr_assert_eq(router_sessions(&w->r[R1]), 0);
	world_free(w);
}

/* The clock of the data plane wraps around (32 bits of jiffies). */
Test(engine_life, jiffies_wrap)
{
	struct world *w = two_routers();
	const uint64_t wrap_ns = (1ULL << 32) * (FL_NS_PER_S / WORLD_HZ);

	w->mono_ns = wrap_ns - 5 * FL_NS_PER_S;
	establish(w, &dns);
	world_advance(w, 100000);
	cr_assert_eq(router_sessions(&w->r[R1]), 1);
	cr_assert_eq(fl_engine_time_left_ms(w->r[R1].engine, router_session(&w->r[R1])), 80000);
	world_advance(w, 81000);
	cr_assert_eq(router_sessions(&w->r[R1]), 0);
	world_free(w);
}

/* A sweep has a budget: what is left is for the next call, which is wanted soon. */
Test(engine_life, budget_of_a_sweep)
{
	struct world *w = world_new(&(struct world_opts){
		.routers = 1, .max_sessions = 5000, .internet = ",'source-nat':'disabled'" });
	struct say s = { .dst = "192.0.2.80" };
	uint32_t before;
	bool more;
	int calls = 0;

	for (int i = 0; i < 5000; i++) {
		s.sport = (uint16_t)(10000 + i);
		client_says(w, &s);
	}
	cr_assert_eq(router_sessions(&w->r[R1]), 5000);
	world_leap(w, 11000);
	do {
		before = router_sessions(&w->r[R1]);
		more = fl_engine_tick(w->r[R1].engine);
		cr_assert_leq(before - router_sessions(&w->r[R1]), 2048);
		calls++;
	} while (more);
	cr_assert_eq(router_sessions(&w->r[R1]), 0);
	cr_assert_geq(calls, 3);
	cr_assert_leq(calls, 20, "%d: too little at a time", calls);
	world_free(w);
}

/* --- how many --------------------------------------------------------------------------------- */

/* Table full: new sessions are refused with a reason, live ones are kept, and go on. */
Test(engine_life, a_full_table_refuses)
{
	struct world_opts opts = { .max_sessions = 16 };
	struct world *w = world_new(&opts);
	struct say first = { 0 }, s = { 0 };
	struct drops before;

	establish(w, &first);
	for (uint16_t i = 1; i < 16; i++) {
		s.sport = (uint16_t)(41000 + i);
		client_says(w, &s);
	}
	cr_assert_eq(router_sessions(&w->r[R1]), 16);
	before = drops_of(&w->r[R1]);
	for (uint16_t i = 0; i < 50; i++) {
		s.sport = (uint16_t)(42000 + i);
		client_says(w, &s);
	}
	assert_dropped(&w->r[R1], before, FL_DROP_TABLE_FULL, 50);
	cr_assert_eq(router_sessions(&w->r[R1]), 16);
	cr_assert_eq(w->r[R1].n_denials, 0);
	drain_out(&w->r[R2]);
	client_says(w, &first);
	assert_arrived(&w->r[R2], &first, 2);
	fl_engine_clear(w->r[R1].engine, w->r[R1].t.sessions[1].uuid);
	client_says(w, &s);
	cr_assert_eq(router_sessions(&w->r[R1]), 16);
	world_free(w);
}

/* The peer's table is full, ours is not. */
Test(engine_life, a_full_table_refuses_the_peer)
{
	struct world *w = world_new(&(struct world_opts){ .max_sessions = 16 });
	struct drops before;

	for (uint8_t n = 1; n <= 16; n++) {
		struct say s = { .sport = (uint16_t)(40000 + n) };
		struct fl_meta m = craft_forward(&s, n);
		struct craft c = { .from = R1, .meta = &m, .payload = "x", .len = 1 };

		c.sport = (uint16_t)(0x8000 + 2 * n);
		c.dport = (uint16_t)(c.sport + 1);
		craft_send(w, &c);
	}
	cr_assert_eq(router_sessions(&w->r[R2]), 16);
	before = drops_of(&w->r[R2]);
	client_says(w, &dns);
	assert_dropped(&w->r[R2], before, FL_DROP_TABLE_FULL, 1);
	cr_assert_eq(router_sessions(&w->r[R2]), 16);
	world_free(w);
}

/* IPv6 flows all live behind the index: as many fit. */
Test(engine_life, a_full_table_of_ipv6)
{
	struct world *w = world_new(&(struct world_opts){ .max_sessions = 64 });
	struct say s = { .src = "2001:db8:1::5" };

	for (uint16_t i = 0; i < 70; i++) {
		s.sport = (uint16_t)(40000 + i);
		client_says(w, &s);
	}
	cr_assert_eq(router_sessions(&w->r[R1]), 64);
	cr_assert_eq(router_sessions(&w->r[R2]), 64);
	cr_assert_eq(w->r[R1].t.drops[FL_DROP_TABLE_FULL], 6);
	world_free(w);
}

/* Records and slots are used again, and again; nothing is left behind (router_check). */
Test(engine_life, sessions_come_and_go)
{
	struct world *w = world_new(&(struct world_opts){ .max_sessions = 32 });
	uint64_t opened = 0;

	for (int round = 0; round < 20; round++) {
		for (uint16_t i = 0; i < 40; i++) {
			struct say s = { .sport = (uint16_t)(40000 + round * 100 + i),
					 .src = i % 3 ? NULL : "2001:db8:1::5",
					 .proto = i % 3 == 1 ? FL_IPPROTO_TCP : FL_IPPROTO_UDP };

			client_says(w, &s);
			server_says(w, &s);
		}
		cr_assert_eq(router_sessions(&w->r[R1]), 32, "%d: %u", round,
			     router_sessions(&w->r[R1]));
		opened += 32;
		cr_assert_eq(w->r[R1].t.stats[FL_STAT_SESSIONS_OPENED], opened);
		if (round % 2)
			fl_engine_clear_all(w->r[R1].engine);
		else
			world_advance(w, 181000);
		world_run(w);
		router_check(&w->r[R1]);
		router_check(&w->r[R2]);
		cr_assert_eq(router_sessions(&w->r[R2]), 0, "%d", round);
		world_advance(w, 31000);
		drain_out(&w->r[R2]);
		drain_out(&w->r[R1]);
	}
	world_free(w);
}
