// SPDX-License-Identifier: Apache-2.0
/*
 * Sessions that move to another path of their peer (svr-protocol.md 6.3, P-16): all of a vector at
 * once, or one by one; because a path is down, breaks a limit, or is there again.
 */
#include "agent/path/fabric_internal.h"
#include "test/unit/engine_test.h"

#define FAILOVER   ",'session-resiliency':'failover'"
#define REVERTIBLE ",'session-resiliency':'revertible-failover'"
#define VOICE      FAILOVER ",'path-quality-filter':true,'max-loss':1,'max-latency':150,'max-jitter':30"
#define HOLD_MS    5000

static struct world *routers_with(const char *policy)
{
	return world_new(&(struct world_opts){ .policy = policy });
}

static uint32_t id_of(const struct router *r, const struct say *say)
{
	for (uint32_t id = 1; id <= r->t.max_sessions; id++)
		if (r->t.sessions[id].state == FL_SESSION_LIVE &&
		    r->t.sessions[id].sport == say->sport)
			return id;
	cr_assert_fail("no such session");
	return 0;
}

/* Path by which a router sends a session's packets: the client's to R2, the server's to R1. */
static uint16_t path_there(struct world *w, const struct say *say)
{
	uint32_t id = id_of(&w->r[R1], say);

	return w->r[R1].t.vectors[w->r[R1].t.sessions[id].out.vector].path;
}

static uint16_t path_back(struct world *w, const struct say *say)
{
	uint32_t id = id_of(&w->r[R2], say);

	return w->r[R2].t.vectors[w->r[R2].t.sessions[id].in.vector].path;
}

/* Both directions of a session work, and use the same path. */
static void assert_works_on(struct world *w, const struct say *say, enum device dev)
{
	struct say answer = answer_to(say);

	client_says(w, say);
	assert_arrived(&w->r[R2], say, 2);
	server_says(w, say);
	assert_arrived(&w->r[R1], &answer, 2);
	cr_assert_eq(path_there(w, say), router_path(&w->r[R1], dev));
	cr_assert_eq(path_back(w, say), router_path(&w->r[R2], dev));
}

/* The cable is cut, or mended: both ends see it. */
static void cable(struct world *w, enum device dev, bool good)
{
	router_link(&w->r[R1], dev, good);
	router_link(&w->r[R2], dev, good);
	router_answer(&w->r[R1]);
	router_answer(&w->r[R2]);
	if (!w->hold)
		world_run(w);
}

static void measure(struct router *r, enum device dev, uint32_t latency_ms, uint32_t loss_ppm)
{
	struct fl_path_quality *q = &r->fabric->paths[router_path(r, dev)].quality;

	q->mean = (struct fl_quality){ .latency_us = latency_ms * 1000,
				       .jitter_us = 1000,
				       .loss_ppm = loss_ppm,
				       .has = FL_QUALITY_ALL };
}

static size_t signalling(struct world *w, int count)
{
	size_t n = 0;

	for (int i = 0; i < count; i++) {
		struct say say = nth_client(i);

		n += !!fl_engine_flow(w->r[R1].engine, id_of(&w->r[R1], &say), FL_FORWARD)->state;
	}
	return n;
}

Test(engine_move, a_path_that_fails_takes_nobody_down)
{
	struct world *w = routers_with(FAILOVER);
	struct drops before[2];

	establish_many(w, 5);
	for (int n = 0; n < 5; n++) {
		struct say say = nth_client(n);

		assert_works_on(w, &say, DEV_WAN1);
	}
	before[0] = drops_of(&w->r[R1]);
	before[1] = drops_of(&w->r[R2]);
	cable(w, DEV_WAN1, false);
	for (int n = 0; n < 5; n++) {
		struct say say = nth_client(n);

		assert_works_on(w, &say, DEV_WAN2);
	}
	assert_no_drops(&w->r[R1], before[0]);
	assert_no_drops(&w->r[R2], before[1]);
	cr_assert_eq(router_sessions(&w->r[R2]), 5);
	cr_assert_eq(w->r[R1].t.stats[FL_STAT_SESSIONS_MOVED], 5);
	cr_assert_eq(w->r[R2].t.stats[FL_STAT_VECTORS_FOLLOWED], 1);
	world_free(w);
}

/* One write: those that carry the word to the peer are signalled, the others know nothing of it. */
Test(engine_move, a_vector_moves_without_touching_its_sessions)
{
	struct world *w = routers_with(FAILOVER);
	uint16_t vector;

	establish_many(w, 20);
	vector = w->r[R1].t.sessions[router_session(&w->r[R1])].out.vector;
	w->hold = true;
	cable(w, DEV_WAN1, false);
	cr_assert_eq(w->r[R1].t.vectors[vector].path, router_path(&w->r[R1], DEV_WAN2));
	cr_assert_eq(w->r[R1].t.vectors[vector].prev_path, router_path(&w->r[R1], DEV_WAN1));
	cr_assert_eq(signalling(w, 20), 0);
	cr_assert_eq(w->wire.count, 2, "announced twice");
	world_free(w);
}

/* Word that gets lost is said again, until the peer has followed. */
Test(engine_move, lost_word_of_a_move_is_repeated)
{
	struct world *w = routers_with(FAILOVER);
	struct say say = nth_client(0);

	establish_many(w, 3);
	w->hold = true;
	cable(w, DEV_WAN1, false);
	cr_assert_eq(drain_wire(w), 2);
	for (int i = 0; i < 5; i++) {
		world_leap(w, FL_ENGINE_TICK_MS);
		world_tick(w);
		cr_assert_eq(drain_wire(w), 1, "tick %d", i);
	}
	world_leap(w, FL_ENGINE_TICK_MS);
	w->hold = false;
	world_tick(w);
	world_leap(w, FL_ENGINE_TICK_MS);
	world_tick(w);
	cr_assert_eq(w->wire.count, 0);
	assert_works_on(w, &say, DEV_WAN2);
	world_free(w);
}

/* A peer that never answers is taken for one that cannot follow: then everybody signals. */
Test(engine_move, a_peer_that_does_not_follow_is_told_session_by_session)
{
	struct world *w = routers_with(FAILOVER);
	struct say say = nth_client(2);

	establish_many(w, 3);
	w->hold = true;
	cable(w, DEV_WAN1, false);
	for (int i = 0; i < 40; i++) {
		world_leap(w, FL_ENGINE_TICK_MS);
		world_tick(w);
		drain_wire(w);
	}
	cr_assert_eq(signalling(w, 3), 3);
	w->hold = false;
	assert_works_on(w, &say, DEV_WAN2);
	world_free(w);
}

Test(engine_move, one_by_one_toward_a_peer_that_is_not_to_follow)
{
	struct world *w = routers_with(FAILOVER);
	struct world_opts opts = { .policy = FAILOVER,
				   .router = ",'peer':[{'name':'r2','vector-switch':'never'}]" };
	struct got g;

	router_configure(&w->r[R1], &opts);
	establish_many(w, 5);
	w->hold = true;
	cable(w, DEV_WAN1, false);
	world_leap(w, FL_ENGINE_TICK_MS);
	world_tick(w);
	cr_assert_eq(signalling(w, 5), 5);
	cr_assert_eq(w->wire.count, 5, "each is announced");
	for (int n = 0; n < 5; n++) {
		/* TLV 28 and 42, and nothing of vectors. */
		cr_assert(got_wire(w, &g) && g.meta);
		cr_assert(fl_meta_has(&g.o.meta, FL_META_MODIFY) && g.o.meta.modify.forward);
		cr_assert(fl_meta_has(&g.o.meta, FL_META_REMAINING_TIME));
		cr_assert(!fl_meta_has(&g.o.meta, FL_META_VECTOR));
		cr_assert_eq(g.o.payload_len, 0);
		world_deliver(w, g.f);
	}
	cr_assert_eq(drain_out(&w->r[R2]), 0);
	w->hold = false;
	world_run(w);
	cr_assert_eq(signalling(w, 5), 0, "acknowledged");
	for (int n = 0; n < 5; n++) {
		struct say say = nth_client(n);

		assert_works_on(w, &say, DEV_WAN2);
		client_says(w, &say);
		drain_out(&w->r[R2]);
		cr_assert_eq(
			fl_engine_flow(w->r[R1].engine, id_of(&w->r[R1], &say), FL_FORWARD)->state,
			0);
	}
	cr_assert_eq(w->r[R2].t.stats[FL_STAT_VECTORS_FOLLOWED], 0);
	world_free(w);
}

/* none: they stay where they are, and go on when that is there again. */
Test(engine_move, without_resiliency_nobody_moves)
{
	struct world *w = routers_with(NULL);
	struct say say = nth_client(0);

	establish_many(w, 2);
	cable(w, DEV_WAN1, false);
	world_advance(w, 2000);
	client_says(w, &say);
	cr_assert_eq(drain_out(&w->r[R2]), 0);
	cr_assert_eq(path_there(w, &say), router_path(&w->r[R1], DEV_WAN1));
	cable(w, DEV_WAN1, true);
	assert_works_on(w, &say, DEV_WAN1);
	world_free(w);
}

Test(engine_move, failover_stays_where_it_went)
{
	struct world *w = routers_with(FAILOVER);
	struct say say = nth_client(0), fresh = nth_client(1);

	establish_many(w, 1);
	cable(w, DEV_WAN1, false);
	cable(w, DEV_WAN1, true);
	world_advance(w, 4 * HOLD_MS);
	assert_works_on(w, &say, DEV_WAN2);
	/* New ones take the better path. */
	establish(w, &fresh);
	assert_works_on(w, &fresh, DEV_WAN1);
	assert_works_on(w, &say, DEV_WAN2);
	world_free(w);
}

Test(engine_move, revertible_failover_returns_after_the_hold_down)
{
	struct world *w = routers_with(REVERTIBLE);
	struct drops before;
	struct say say = nth_client(0);

	establish_many(w, 3);
	cable(w, DEV_WAN1, false);
	cable(w, DEV_WAN1, true);
	world_advance(w, HOLD_MS - 500);
	assert_works_on(w, &say, DEV_WAN2);
	before = drops_of(&w->r[R2]);
	world_advance(w, 2500);
	for (int n = 0; n < 3; n++) {
		struct say one = nth_client(n);

		assert_works_on(w, &one, DEV_WAN1);
	}
	assert_no_drops(&w->r[R2], before);
	cr_assert_eq(router_sessions(&w->r[R2]), 3);
	world_free(w);
}

/* Failback is a few clients at a time, and all of a client's sessions together. */
Test(engine_move, failback_is_paced_by_clients)
{
	struct world *w =
		world_new(&(struct world_opts){ .policy = REVERTIBLE, .max_sessions = 256 });
	const uint32_t moved_before = 192;
	uint64_t last = moved_before;
	int turns = 0;

	establish_many(w, 192);
	cable(w, DEV_WAN1, false);
	cable(w, DEV_WAN1, true);
	cr_assert_eq(w->r[R1].t.stats[FL_STAT_SESSIONS_MOVED], moved_before);
	for (int i = 0; i < 100; i++) {
		uint64_t now;

		world_advance(w, FL_ENGINE_TICK_MS);
		now = w->r[R1].t.stats[FL_STAT_SESSIONS_MOVED];
		cr_assert(now - last <= 64, "%ju at once", (uintmax_t)(now - last));
		turns += now != last;
		last = now;
		/* Three sessions of each client: all of them here, or all there. */
		for (int n = 0; n < 64; n++) {
			struct say a = nth_client(n), b = nth_client(n + 64),
				   c = nth_client(n + 128);

			cr_assert_eq(path_there(w, &a), path_there(w, &b));
			cr_assert_eq(path_there(w, &a), path_there(w, &c));
		}
	}
	cr_assert_eq(last - moved_before, 192);
	cr_assert_geq(turns, 6);
	world_free(w);
}

/* What is under way by the old path when a vector moves is still taken (P-16). */
Test(engine_move, both_paths_are_accepted_during_a_move)
{
	struct world *w = routers_with(VOICE);
	struct say say = nth_client(0);
	struct got early_there, early_back;
	struct drops before[2];
	int passed = 0;

	establish_many(w, 2);
	before[0] = drops_of(&w->r[R1]);
	before[1] = drops_of(&w->r[R2]);
	w->hold = true;
	client_says(w, &say);
	server_says(w, &say);
	cr_assert(got_wire(w, &early_there) && got_wire(w, &early_back));
	w->hold = false;
	measure(&w->r[R1], DEV_WAN1, 200, 0);
	measure(&w->r[R1], DEV_WAN2, 20, 0);
	while (path_there(w, &say) == router_path(&w->r[R1], DEV_WAN1)) {
		world_advance(w, FL_ENGINE_TICK_MS);
		cr_assert(passed++ < 200, "never moved");
	}
	cr_assert_eq(path_back(w, &say), router_path(&w->r[R2], DEV_WAN2));
	world_deliver(w, early_there.f);
	assert_arrived(&w->r[R2], &say, 2);
	world_deliver(w, early_back.f);
	cr_assert_eq(drain_out(&w->r[R1]), 1);
	assert_works_on(w, &say, DEV_WAN2);
	assert_no_drops(&w->r[R1], before[0]);
	assert_no_drops(&w->r[R2], before[1]);
	/* Not for ever. */
	world_advance(w, 6000);
	world_deliver(w, early_there.f);
	cr_assert_eq(drain_out(&w->r[R2]), 0);
	assert_dropped(&w->r[R2], before[1], FL_DROP_SYMMETRY, 1);
	world_free(w);
}

/* P-40: two bad looks, five seconds apart; the peer has followed before the first packet. */
Test(engine_move, sessions_leave_a_path_that_breaks_the_service_level)
{
	struct world *w = routers_with(VOICE);
	struct say say = nth_client(0);

	establish_many(w, 3);
	measure(&w->r[R1], DEV_WAN1, 20, 0);
	measure(&w->r[R1], DEV_WAN2, 40, 0);
	world_advance(w, 20000);
	assert_works_on(w, &say, DEV_WAN1);
	measure(&w->r[R1], DEV_WAN1, 20, 50000);
	world_advance(w, 4500);
	assert_works_on(w, &say, DEV_WAN1);
	world_advance(w, 6000);
	assert_works_on(w, &say, DEV_WAN2);
	cr_assert_eq(w->r[R2].t.stats[FL_STAT_VECTORS_FOLLOWED], 1);
	world_free(w);
}

/* There is nowhere better to go: best effort stays. */
Test(engine_move, no_move_without_a_path_that_meets_the_service_level)
{
	struct world *w = routers_with(VOICE);
	struct say say = nth_client(0);

	establish_many(w, 1);
	measure(&w->r[R1], DEV_WAN1, 200, 0);
	measure(&w->r[R1], DEV_WAN2, 300, 0);
	world_advance(w, 30000);
	assert_works_on(w, &say, DEV_WAN1);
	cr_assert_eq(w->r[R1].t.stats[FL_STAT_SESSIONS_MOVED], 0);
	world_free(w);
}

/* Another process of either router goes on where the last one was. */
Test(engine_move, moves_go_on_after_restarts)
{
	struct world *w = routers_with(FAILOVER);
	struct say say = nth_client(0);

	establish_many(w, 3);
	cable(w, DEV_WAN1, false);
	cable(w, DEV_WAN1, true);
	router_restart(&w->r[R1]);
	router_restart(&w->r[R2]);
	world_advance(w, 1000);
	assert_works_on(w, &say, DEV_WAN2);
	/* Neither knows yet what the other can: the first is told to everybody, or to the group. */
	cable(w, DEV_WAN2, false);
	world_advance(w, 500);
	for (int n = 0; n < 3; n++) {
		struct say one = nth_client(n);

		assert_works_on(w, &one, DEV_WAN1);
	}
	world_free(w);
}

/* An oscillating link: each session leaves once, and comes back when it has been quiet. */
Test(engine_move, an_oscillating_link_does_not_take_sessions_along)
{
	struct world *w = routers_with(REVERTIBLE);
	struct say say = nth_client(0);

	establish_many(w, 4);
	for (int i = 0; i < 60; i++) {
		cable(w, DEV_WAN1, i % 2);
		world_advance(w, 2000);
		client_says(w, &say);
		server_says(w, &say);
	}
	cr_assert_eq(w->r[R1].t.stats[FL_STAT_SESSIONS_MOVED], 4);
	drain_out(&w->r[R1]);
	drain_out(&w->r[R2]);
	world_advance(w, 2 * HOLD_MS);
	assert_works_on(w, &say, DEV_WAN1);
	cr_assert_eq(router_sessions(&w->r[R1]), 4);
	cr_assert_eq(router_sessions(&w->r[R2]), 4);
	world_free(w);
}

/* What a stranger replays of an earlier move does not bring the sessions back. */
Test(engine_move, an_old_word_of_a_move_is_not_followed)
{
	struct world *w = routers_with(FAILOVER);
	struct say say = nth_client(0);
	struct got old;

	establish_many(w, 2);
	w->hold = true;
	cable(w, DEV_WAN1, false);
	cr_assert(got_wire(w, &old));
	world_deliver(w, old.f);
	world_run(w);
	w->hold = false;
	cable(w, DEV_WAN1, true);
	cable(w, DEV_WAN2, false);
	world_advance(w, 300);
	assert_works_on(w, &say, DEV_WAN1);
	cable(w, DEV_WAN2, true);
	world_deliver(w, old.f);
	world_run(w);
	assert_works_on(w, &say, DEV_WAN1);
	world_free(w);
}

/* A download, moved by itself: its client has nothing to say before the server has been heard. */
Test(engine_move, a_tcp_connection_moves_one_by_one)
{
	struct world *w = routers_with(FAILOVER);
	struct world_opts opts = { .policy = FAILOVER,
				   .router = ",'peer':[{'name':'r2','vector-switch':'never'}]" };
	static uint8_t big[1400];
	struct say say = { .proto = FL_IPPROTO_TCP, .sport = 40000 }, ack = say, data;

	router_configure(&w->r[R1], &opts);
	establish(w, &say);
	ack.tcp_flags = FL_TH_ACK;
	ack.no_payload = true;
	data = answer_to(&ack);
	data.no_payload = false;
	data.payload = big;
	data.len = sizeof(big);
	cable(w, DEV_WAN1, false);
	world_advance(w, FL_ENGINE_TICK_MS);
	for (int i = 0; i < 5; i++) {
		data.seq = 7001 + (uint32_t)i * 1400;
		data.ack = 2;
		lan_says(w, R2, &data);
		assert_arrived(&w->r[R1], &data, 2);
		ack.seq = 2;
		ack.ack = data.seq + 1400;
		client_says(w, &ack);
		cr_assert_eq(drain_out(&w->r[R2]), 1, "round %d", i);
	}
	cr_assert_eq(path_there(w, &say), router_path(&w->r[R1], DEV_WAN2));
	cr_assert_eq(router_state(&w->r[R1]), SETTLED);
	cr_assert_eq(router_state(&w->r[R2]), SETTLED);
	world_free(w);
}
