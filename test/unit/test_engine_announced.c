// SPDX-License-Identifier: Apache-2.0
/*
 * What a router asks of sessions that a peer announces, beside the service's policy: half-open
 * connections (svr-protocol.md 3.1, 7.4), TCP that starts in the middle (3.5), and the time that a
 * session has left (TLV 42).
 */
#include "test/unit/engine_test.h"

#define TCP .proto = FL_IPPROTO_TCP, .dport = 443

static const struct say dns = { 0 };
static const struct say syn = { TCP, .seq = 100 };

/* R1 announces a session to R2. */
static void announce(struct world *w, const struct say *say, uint8_t n, uint32_t remaining_s)
{
	struct fl_meta m = craft_forward(say, n);
	struct craft c = { .from = R1,
			   .proto = say->proto ? say->proto : FL_IPPROTO_UDP,
			   .sport = (uint16_t)(0x8000 + 2 * n),
			   .dport = (uint16_t)(0x4001 + 2 * n),
			   .tcp_flags = say->tcp_flags ? say->tcp_flags : FL_TH_SYN,
			   .meta = &m };

	if (remaining_s) {
		m.has |= FL_META_BIT(FL_META_REMAINING_TIME);
		m.remaining_s = remaining_s - 1;
	}
	craft_send(w, &c);
}

/* remaining_s of announce() that stands for @s seconds in TLV 42. */
#define SECONDS(s) ((s) + 1)

Test(engine_announced, half_open_connection_limit)
{
	struct world *w =
		world_new(&(struct world_opts){ .router = ",'half-open-connection-limit':2" });
	struct say s = syn, ack = syn;
	struct drops before;

	for (uint8_t n = 0; n < 2; n++, s.sport++) {
		s.sport = (uint16_t)(40000 + n);
		announce(w, &s, n, 0);
	}
	cr_assert_eq(router_sessions(&w->r[R2]), 2);
	before = drops_of(&w->r[R2]);
	s.sport = 40002;
	announce(w, &s, 2, 0);
	assert_dropped(&w->r[R2], before, FL_DROP_HALF_OPEN, 1);
	cr_assert_eq(router_sessions(&w->r[R2]), 2, "no state");
	/* Others are not meant; nor are connections that have been established before. */
	announce(w, &dns, 3, 0);
	s.tcp_flags = FL_TH_ACK;
	announce(w, &s, 4, SECONDS(1900));
	cr_assert_eq(router_sessions(&w->r[R2]), 4);
	/* One is established: there is room again. */
	s = (struct say){ TCP, .sport = 40000, .seq = 100 };
	server_says(w, &s);
	ack = (struct say){ TCP, .sport = 40000, .seq = 101, .ack = 7001, .tcp_flags = FL_TH_ACK };
	announce(w, &ack, 0, 0);
	s.sport = 40005;
	announce(w, &s, 5, 0);
	cr_assert_eq(router_sessions(&w->r[R2]), 5);
	world_free(w);
}

struct start_row {
	const char *how;
	uint8_t flags;
	uint32_t remaining_s;
	bool opens;
};

static const struct start_row start_rows[] = {
	{ "reset", FL_TH_SYN, 0, true },
	{ "reset", FL_TH_ACK, 0, false },
	{ "reset", FL_TH_SYN | FL_TH_ACK, 0, false },
	{ "reset", FL_TH_ACK, SECONDS(60), true },
	{ "block", FL_TH_ACK, 0, false },
	{ "block", FL_TH_ACK, SECONDS(60), true },
	{ "strict", FL_TH_ACK, 0, false },
	{ "strict", FL_TH_ACK, SECONDS(60), true },
	{ "allow", FL_TH_ACK, 0, true },
};

/* 3.5 by the egress router's own policy; a session that was there before may come back (3.4). */
Test(engine_announced, tcp_that_starts_in_the_middle)
{
	for (size_t i = 0; i < sizeof(start_rows) / sizeof(start_rows[0]); i++) {
		const struct start_row *row = &start_rows[i];
		struct say s = { TCP, .tcp_flags = row->flags };
		char policy[64];
		struct world *w;
		struct drops before;

		snprintf(policy, sizeof(policy), ",'transport-state-enforcement':'%s'", row->how);
		w = world_new(&(struct world_opts){ .policy = policy });
		before = drops_of(&w->r[R2]);
		announce(w, &s, 1, row->remaining_s);
		cr_assert_eq(router_sessions(&w->r[R2]), row->opens, "row %zu", i);
		assert_dropped(&w->r[R2], before, FL_DROP_TCP_NOT_SYN, !row->opens);
		world_free(w);
	}
}

struct left_row {
	uint32_t remaining_s; /* for announce() */
	uint64_t left_ms;
};

static const struct left_row left_rows[] = {
	{ 0, 10000 }, /* a new session that nobody has answered (P-29) */
	{ SECONDS(0), 1000 },
	{ SECONDS(7), 7000 },
	{ SECONDS(60), 60000 },
	{ SECONDS(180), 180000 },
	{ SECONDS(100000), 180000 },
	{ SECONDS(0xfffffffe), 180000 },
};

/* TLV 42: what the session has left where it was, instead of a new session's time. */
Test(engine_announced, remaining_time)
{
	for (size_t i = 0; i < sizeof(left_rows) / sizeof(left_rows[0]); i++) {
		const struct left_row *row = &left_rows[i];
		struct world *w = two_routers();
		uint64_t left;

		announce(w, &dns, 1, row->remaining_s);
		left = fl_engine_time_left_ms(w->r[R2].engine, router_session(&w->r[R2]));
		cr_assert_eq(left, row->left_ms, "row %zu: %ju", i, (uintmax_t)left);
		world_free(w);
	}
}

/* A session that a router has lost is announced with the time that it has left; a new one is not.
 */
Test(engine_announced, recovery_says_the_remaining_time)
{
	struct world *w = two_routers();
	struct got g;

	w->hold = true;
	client_says(w, &dns);
	cr_assert(peek_wire(w, 0, &g));
	cr_assert_not(fl_meta_has(&g.o.meta, FL_META_REMAINING_TIME));
	w->hold = false;
	world_run(w);
	establish(w, &dns);
	router_forget_all(&w->r[R2]);
	world_advance(w, 30000);
	client_says(w, &dns); /* answered with enable metadata */
	w->hold = true;
	client_says(w, &dns);
	cr_assert(got_wire(w, &g));
	cr_assert(fl_meta_has(&g.o.meta, FL_META_FORWARD));
	cr_assert(fl_meta_has(&g.o.meta, FL_META_REMAINING_TIME));
	cr_assert_eq(g.o.meta.remaining_s, 180);
	world_deliver(w, g.f);
	cr_assert_eq(fl_engine_time_left_ms(w->r[R2].engine, router_session(&w->r[R2])), 180000);
	world_free(w);
}

/* The router in the middle has lost the connection: so it passes on that it is an old one. */
Test(engine_announced, recovery_through_three_routers)
{
	struct world *w = world_new(&(struct world_opts){ .routers = 3 });
	struct say data = { TCP, .seq = 101, .ack = 7001, .tcp_flags = FL_TH_ACK };

	establish(w, &syn);
	router_forget_all(&w->r[R2]);
	client_says(w, &data);
	client_says(w, &data);
	assert_arrived(&w->r[R3], &data, 3);
	cr_assert_eq(router_drops(&w->r[R3]), 0);
	world_free(w);
}

/* F metadata, same UUID, different content (3.2): what we know is replaced, and answered. */
Test(engine_announced, known_session_with_other_content)
{
	const struct say other = { .sport = 41000 };
	struct world *w = two_routers();
	const struct router *r = &w->r[R2];
	struct drops before;
	struct fl_meta m;
	struct craft c = { .from = R1, .sport = 0x8002, .dport = 0x4003, .meta = &m };

	announce(w, &dns, 1, 0);
	cr_assert_eq(router_sessions(r), 1);
	announce(w, &other, 1, 0);
	cr_assert_eq(router_sessions(r), 1);
	cr_assert_eq(r->t.sessions[router_session(r)].sport, 41000);
	cr_assert_eq(router_state(r), SEND_R);
	/* A tenant that may not: the session ends. */
	m = craft_forward(&other, 1);
	m.tenant = (struct fl_meta_name){ "nobody", 6 };
	before = drops_of(r);
	craft_send(w, &c);
	cr_assert_eq(router_sessions(r), 0);
	assert_dropped(r, before, FL_DROP_NO_TENANT, 1);
	world_free(w);
}

/* P-28: the peer is behind a NAT. Its ports are any, and we do not open sessions toward it. */
Test(engine_announced, p28_peer_behind_a_nat)
{
	struct world *w = world_new(
		&(struct world_opts){ .adjacency = ",'peer-connectivity':'outbound-only'" });
	struct fl_meta m = craft_forward(&dns, 1);
	struct craft c = { .from = R1,
			   .sport = 2000,
			   .dport = 0x4001,
			   .meta = &m,
			   .payload = "as the other end of the NAT sends it",
			   .len = 32 };
	const struct say answer = answer_to(&dns);
	struct drops before = drops_of(&w->r[R1]);
	struct got g;

	client_says(w, &dns);
	assert_dropped(&w->r[R1], before, FL_DROP_NO_PATH, 1);
	cr_assert_eq(craft_send(w, &c), MODEL_PUNTED);
	cr_assert_eq(router_sessions(&w->r[R2]), 1);
	w->hold = true;
	lan_says(w, R2, &answer);
	cr_assert(got_wire(w, &g));
	cr_assert_eq(g.t.dport, 2000);
	/* Well-known ports are not a NAT's: that is the host's own business. */
	c.sport = 53;
	cr_assert_eq(craft_send(w, &c), MODEL_KERNEL);
	world_free(w);
}
