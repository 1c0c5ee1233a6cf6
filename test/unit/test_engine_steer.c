// SPDX-License-Identifier: Apache-2.0
/*
 * Moves that something comes between (svr-protocol.md 6.3): the path that they lead to fails, the
 * configuration changes, or the agent starts anew.
 */
#include "agent/path/fabric_internal.h"
#include "test/unit/engine_test.h"

#define FAILOVER   ",'session-resiliency':'failover'"
#define REVERTIBLE ",'session-resiliency':'revertible-failover'"
#define VOICE      FAILOVER ",'path-quality-filter':true,'max-loss':1,'max-latency':150,'max-jitter':30"

static void cable(struct world *w, enum device dev, bool good)
{
	for (int i = 0; i < w->routers; i++) {
		router_link(&w->r[i], dev, good);
		router_answer(&w->r[i]);
	}
	if (!w->hold)
		world_run(w);
}

static void measure(struct router *r, enum device dev, uint32_t latency_ms)
{
	struct fl_path_quality *q = &r->fabric->paths[router_path(r, dev)].quality;

	q->mean = (struct fl_quality){ .latency_us = latency_ms * 1000,
				       .jitter_us = 1000,
				       .has = FL_QUALITY_ALL };
}

/* How many sessions a router sends by this path. */
static int count_on(struct router *r, enum device dev)
{
	const uint16_t path = router_path(r, dev);
	int n = 0;

	for (uint32_t id = 1; id <= r->t.max_sessions; id++)
		n += r->t.sessions[id].state == FL_SESSION_LIVE &&
		     r->t.sessions[id].out.kind == FL_SIDE_PEER &&
		     r->t.vectors[r->t.sessions[id].out.vector].path == path;
	return n;
}

static void assert_works(struct world *w, const struct say *say)
{
	struct say answer = answer_to(say);

	client_says(w, say);
	assert_arrived(&w->r[R2], say, 2);
	server_says(w, say);
	assert_arrived(&w->r[R1], &answer, 2);
}

/*
 * Sessions on wan1, which breaks the service level; R2 has followed to wan2, as it was asked to,
 * and what it says of that gets lost.
 */
static struct world *asked_in_vain(void)
{
	struct world *w = world_new(&(struct world_opts){ .policy = VOICE });
	struct got g;

	establish_many(w, 2);
	measure(&w->r[R1], DEV_WAN1, 200);
	measure(&w->r[R1], DEV_WAN2, 20);
	w->hold = true;
	for (int i = 0; i < 200 && !w->wire.count; i++)
		world_advance(w, FL_ENGINE_TICK_MS);
	cr_assert(got_wire(w, &g));
	world_deliver(w, g.f);
	drain_wire(w);
	cr_assert_eq(w->r[R2].t.stats[FL_STAT_VECTORS_FOLLOWED], 1);
	cr_assert_eq(count_on(&w->r[R1], DEV_WAN1), 2);
	return w;
}

/* Failback session by session: the better path fails again under way, and nobody else goes there.
 */
Test(engine_steer, failback_ends_when_the_better_path_fails_again)
{
	struct world_opts opts = { .policy = REVERTIBLE,
				   .max_sessions = 256,
				   .router = ",'peer':[{'name':'r2','vector-switch':'never'}]" };
	struct world *w =
		world_new(&(struct world_opts){ .policy = REVERTIBLE, .max_sessions = 256 });
	int before;

	router_configure(&w->r[R1], &opts);
	establish_many(w, 192);
	cable(w, DEV_WAN1, false);
	world_advance(w, 1000);
	cr_assert_eq(count_on(&w->r[R1], DEV_WAN1), 0);
	cable(w, DEV_WAN1, true);
	for (int i = 0; i < 200 && !count_on(&w->r[R1], DEV_WAN1); i++)
		world_advance(w, FL_ENGINE_TICK_MS);
	before = count_on(&w->r[R1], DEV_WAN1);
	cr_assert(before > 0 && before < 100);
	cable(w, DEV_WAN1, false);
	for (int i = 0; i < 20; i++) {
		world_advance(w, FL_ENGINE_TICK_MS);
		cr_assert_eq(count_on(&w->r[R1], DEV_WAN1), 0, "tick %d", i);
	}
	world_free(w);
}

/* The path that the peer has followed to fails before we have: both are on the old one at once. */
Test(engine_steer, a_peer_that_went_ahead_is_called_back)
{
	struct world *w = asked_in_vain();
	struct say say = nth_client(0);

	w->hold = false;
	cable(w, DEV_WAN2, false);
	assert_works(w, &say);
	cr_assert_eq(count_on(&w->r[R1], DEV_WAN1), 2);
	world_advance(w, 10000);
	assert_works(w, &say);
	world_free(w);
}

/* Meanwhile another configuration came, by which sessions stay where they are. */
Test(engine_steer, a_reload_during_a_move)
{
	struct world *w = asked_in_vain();
	struct say say = nth_client(0);

	router_configure(&w->r[R1], &(struct world_opts){ 0 });
	w->hold = false;
	for (int i = 0; i < 20; i++) {
		world_advance(w, 500);
		assert_works(w, &say);
	}
	cr_assert_eq(count_on(&w->r[R1], DEV_WAN1), 2);
	world_free(w);
}

/* The path that sessions are leaving is removed: its vector's number is another's, not its move. */
Test(engine_steer, a_reload_without_the_path_that_is_left)
{
	struct world_opts opts = { .policy = REVERTIBLE,
				   .max_sessions = 256,
				   .router = ",'peer':[{'name':'r2','vector-switch':'never'}]" };
	struct say other = { .proto = FL_IPPROTO_TCP, .sport = 50000 };
	struct world *w =
		world_new(&(struct world_opts){ .policy = REVERTIBLE, .max_sessions = 256 });
	struct router *r = &w->r[R1];
	uint16_t vector, path;

	router_configure(r, &opts);
	opts.no_wan2 = true;
	establish_many(w, 192);
	cable(w, DEV_WAN1, false);
	world_advance(w, 1000);
	cable(w, DEV_WAN1, true);
	for (int i = 0; i < 200 && !count_on(r, DEV_WAN1); i++)
		world_advance(w, FL_ENGINE_TICK_MS);
	cr_assert_gt(count_on(r, DEV_WAN2), 0);
	router_configure(r, &opts);
	path = router_path(r, DEV_WAN1);
	client_says(w, &other);
	vector = r->t.sessions[router_session(r)].out.vector;
	world_advance(w, 3000);
	cr_assert_eq(r->t.sessions[router_session(r)].out.vector, vector);
	cr_assert_eq(r->t.vectors[vector].group, FL_IPPROTO_TCP);
	cr_assert_eq(r->t.vectors[vector].path, path);
	drain_wire(w);
	world_free(w);
}

/* Or another process of R1's, which knows nothing of what was asked. */
Test(engine_steer, a_restart_during_a_move)
{
	struct world *w = asked_in_vain();
	struct say say = nth_client(0);

	measure(&w->r[R1], DEV_WAN1, 20);
	router_restart(&w->r[R1]);
	w->hold = false;
	world_run(w);
	for (int i = 0; i < 20; i++) {
		world_advance(w, 500);
		assert_works(w, &say);
	}
	cr_assert_eq(count_on(&w->r[R1], DEV_WAN1), 2);
	world_free(w);
}

/* A path has failed, the peer has not heard of it, and the one that would have said it again dies.
 */
Test(engine_steer, a_restart_before_the_peer_has_heard)
{
	struct world *w = world_new(&(struct world_opts){ .policy = FAILOVER });
	struct say say = nth_client(1);

	establish_many(w, 3);
	w->hold = true;
	cable(w, DEV_WAN1, false);
	cr_assert_eq(count_on(&w->r[R1], DEV_WAN2), 3);
	drain_wire(w);
	router_restart(&w->r[R1]);
	router_link(&w->r[R1], DEV_WAN1, false);
	w->hold = false;
	for (int i = 0; i < 20; i++) {
		world_advance(w, 500);
		assert_works(w, &say);
	}
	world_free(w);
}

/* --- paths that are taken away ---------------------------------------------------------------- */

/* wan2 is the better one. */
#define WAN2_FIRST "{'name':'wan2'},{'name':'wan1'}"

/* Sessions on wan2, then both directions by wan1, with nothing lost or asked anew. */
static void assert_moved_to_wan1(struct world *w, uint32_t sessions)
{
	for (int n = 0; n < (int)sessions; n++) {
		struct say say = nth_client(n);

		assert_works(w, &say);
	}
	cr_assert_eq(count_on(&w->r[R1], DEV_WAN1), (int)sessions);
	for (int i = R1; i <= R2; i++) {
		cr_assert_eq(router_sessions(&w->r[i]), sessions, "r%d", i + 1);
		cr_assert_eq(w->r[i].t.stats[FL_STAT_SESSIONS_CLOSED], 0, "r%d", i + 1);
	}
}

/* The adjacency is removed where sessions begin: they move, also session by session. */
Test(engine_steer, a_removed_path_is_left)
{
	static const char *const switches[] = { "auto", "never" };

	for (size_t i = 0; i < 2; i++) {
		struct world_opts opts = { .policy = FAILOVER, .vectors = WAN2_FIRST };
		char peer[80];
		struct world *w;

		snprintf(peer, sizeof(peer), ",'peer':[{'name':'r2','vector-switch':'%s'}]",
			 switches[i]);
		w = world_new(&opts);
		opts.router = peer;
		router_configure(&w->r[R1], &opts);
		establish_many(w, 3);
		cr_assert_eq(count_on(&w->r[R1], DEV_WAN2), 3);
		opts.no_wan2 = true;
		router_configure(&w->r[R1], &opts);
		world_run(w);
		world_advance(w, 200);
		assert_moved_to_wan1(w, 3);
		world_advance(w, 10000);
		assert_moved_to_wan1(w, 3);
		world_free(w);
	}
}

/* What the peer has sent by it until it heard of the move is taken. */
Test(engine_steer, what_is_under_way_on_a_removed_path)
{
	struct world_opts opts = { .policy = FAILOVER, .vectors = WAN2_FIRST };
	struct world *w = world_new(&opts);
	struct say say = nth_client(0), answer = answer_to(&say);

	establish_many(w, 1);
	/* Only the interface's adjacency goes: the interface is where packets arrive. */
	w->hold = true;
	server_says(w, &say);
	cr_assert_eq(w->wire.count, 1);
	opts.no_adjacency2 = true;
	router_configure(&w->r[R1], &opts);
	w->hold = false;
	world_run(w);
	assert_arrived(&w->r[R1], &answer, 2);
	world_advance(w, 6000);
	assert_moved_to_wan1(w, 1);
	world_free(w);
}

/* It is removed at the other end: who began the sessions says where they are from now on. */
Test(engine_steer, a_path_that_the_peer_removes)
{
	struct world_opts opts = { .policy = FAILOVER, .vectors = WAN2_FIRST };
	struct world *w = world_new(&opts);

	establish_many(w, 3);
	opts.no_wan2 = true;
	router_configure(&w->r[R2], &opts);
	cr_assert_eq(router_sessions(&w->r[R2]), 3);
	/* By BFD R1 hears of it. */
	router_link(&w->r[R1], DEV_WAN2, false);
	world_run(w);
	world_advance(w, 200);
	assert_moved_to_wan1(w, 3);
	world_free(w);
}

/* And given back, with R1 none the wiser: R2 asks it for what it has to know. */
Test(engine_steer, a_path_that_the_peer_removes_for_a_while)
{
	struct world_opts opts = { .policy = FAILOVER, .vectors = WAN2_FIRST, .no_wan2 = true };
	struct world *w =
		world_new(&(struct world_opts){ .policy = FAILOVER, .vectors = WAN2_FIRST });
	struct say say = nth_client(0);

	establish_many(w, 1);
	router_configure(&w->r[R2], &opts);
	opts.no_wan2 = false;
	router_configure(&w->r[R2], &opts);
	client_says(w, &say);
	world_advance(w, 200);
	drain_out(&w->r[R2]);
	assert_works(w, &say);
	cr_assert_eq(router_sessions(&w->r[R2]), 1);
	cr_assert_eq(count_on(&w->r[R1], DEV_WAN2), 1);
	world_free(w);
}

/* Removed while the agent was not there. */
Test(engine_steer, a_path_that_is_gone_after_a_restart)
{
	struct world_opts opts = { .policy = FAILOVER, .vectors = WAN2_FIRST };
	struct world *w = world_new(&opts);

	establish_many(w, 3);
	opts.no_wan2 = true;
	router_restart_with(&w->r[R1], &opts);
	world_run(w);
	world_advance(w, 200);
	assert_moved_to_wan1(w, 3);
	world_free(w);
}

/* Without a way that their policy allows them to take, they end. */
Test(engine_steer, sessions_without_another_path_end)
{
	static const struct world_opts rows[] = {
		{ .vectors = WAN2_FIRST },
		{ .policy = FAILOVER,
		  .vectors = "{'name':'wan2'},{'name':'wan1','priority':'never'}" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world_opts opts = rows[i];
		struct world *w = world_new(&opts);

		establish_many(w, 2);
		opts.no_wan2 = true;
		router_configure(&w->r[R1], &opts);
		cr_assert_eq(router_sessions(&w->r[R1]), 0, "row %zu", i);
		drain_wire(w);
		world_free(w);
	}
}

/* The other path is down just now: they wait for it. */
Test(engine_steer, sessions_wait_for_the_path_that_is_left)
{
	struct world_opts opts = { .policy = FAILOVER, .vectors = WAN2_FIRST };
	struct world *w = world_new(&opts);

	establish_many(w, 2);
	cable(w, DEV_WAN1, false);
	opts.no_wan2 = true;
	router_configure(&w->r[R1], &opts);
	world_advance(w, 3000);
	cr_assert_eq(router_sessions(&w->r[R1]), 2);
	cable(w, DEV_WAN1, true);
	world_advance(w, 3000);
	assert_moved_to_wan1(w, 2);
	world_free(w);
}

/* --- to another peer -------------------------------------------------------------------------- */

#define ROAMING ",'session-resiliency':'revertible-failover','peer-path-resiliency':true"
#define BY_R1   ",{'name':'alt','service-name':'datacenter','peer':'r1'"

/* R2 in the middle reaches "datacenter" by R3, and as it says by R1, too. */
static struct world *middle(const struct world_opts *opts)
{
	struct world *w = world_new(&(struct world_opts){ .routers = 3 });

	router_configure(&w->r[R2], opts);
	w->hold = true;
	return w;
}

static void opens(struct world *w, const char *dst, int n)
{
	struct say say = { .src = "10.9.0.5", .dst = dst, .sport = (uint16_t)(40000 + n) };

	lan_says(w, R2, &say);
	world_leap(w, 1);
}

static void end(struct world *w)
{
	drain_wire(w);
	world_free(w);
}

/* Nobody goes to a peer that is only as good, or because the own one takes no new sessions. */
Test(engine_steer, no_failback_without_a_gain)
{
	static const struct world_opts rows[] = {
		{ .routers = 3,
		  .policy = ROAMING ",'lb-strategy':'proportional'",
		  .vectors = "{'name':'other'}",
		  .routes = BY_R1 "}" },
		{ .routers = 3,
		  .policy = ROAMING,
		  .routes = BY_R1 ",'service-route-policy':'few'}",
		  .router = ",'service-route-policy':[{'name':'few','max-sessions':6,"
			    "'session-high-water-mark':100,'session-low-water-mark':50}]" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = middle(&rows[i]);
		struct router *r = &w->r[R2];
		int there;

		for (int n = 0; n < 6; n++)
			opens(w, NULL, n);
		there = count_on(r, DEV_WAN1);
		cr_assert_eq(there, i ? 6 : 3);
		for (int n = 0; n < 9; n++) {
			world_advance(w, 1000);
			cr_assert_eq(count_on(r, DEV_WAN1), there, "row %zu, %d s", i, n);
		}
		cr_assert_eq(r->t.stats[FL_STAT_SESSIONS_MOVED], 0);
		end(w);
	}
}

/* With one, they go; and return when the better one is there again. */
Test(engine_steer, to_another_peer_and_back)
{
	struct world_opts opts = { .routers = 3, .policy = ROAMING, .routes = BY_R1 "}" };
	struct world *w = middle(&opts);
	struct router *r = &w->r[R2];

	for (int n = 0; n < 3; n++)
		opens(w, NULL, n);
	cr_assert_eq(count_on(r, DEV_WAN1), 3);
	router_link(r, DEV_WAN1, false);
	world_advance(w, 200);
	cr_assert_eq(count_on(r, DEV_WAN2), 3);
	router_link(r, DEV_WAN1, true);
	router_answer(r);
	world_advance(w, 7000);
	cr_assert_eq(count_on(r, DEV_WAN1), 3);
	end(w);
}

/* Of two peers that are as far away, now this one is a little faster, now that one. */
Test(engine_steer, peers_that_are_equal_but_for_noise)
{
	static const struct {
		const char *policy;
		uint32_t here, there; /* ms */
		bool moves;
	} rows[] = {
		{ ROAMING ",'best-path-criteria':'average-latency'", 20, 19, false },
		{ ROAMING ",'best-path-criteria':'average-latency'", 20, 11, false },
		{ ROAMING ",'best-path-criteria':'average-latency'", 20, 9, true },
		{ ROAMING ",'best-path-criteria':'mos'", 200, 197, false },
		{ ROAMING ",'best-path-criteria':'mos'", 300, 100, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world_opts opts = { .routers = 3,
					   .policy = rows[i].policy,
					   .routes = BY_R1 "}" };
		struct world *w = middle(&opts);
		struct router *r = &w->r[R2];

		measure(r, DEV_WAN2, rows[i].here);
		measure(r, DEV_WAN1, rows[i].here + 1);
		for (int n = 0; n < 6; n++)
			opens(w, NULL, n);
		cr_assert_eq(count_on(r, DEV_WAN2), 6, "row %zu", i);
		measure(r, DEV_WAN1, rows[i].there);
		for (int n = 0; n < 9; n++)
			world_advance(w, 1000);
		cr_assert_eq(count_on(r, DEV_WAN1), rows[i].moves ? 6 : 0, "row %zu", i);
		end(w);
	}
}

/* Sessions of one policy, of which the newest have nowhere else to go. */
Test(engine_steer, a_service_without_another_way_does_not_keep_others)
{
	struct world_opts opts = { .routers = 3, .policy = ROAMING, .routes = BY_R1 "}" };
	struct world *w = middle(&opts);
	struct router *r = &w->r[R2];

	for (int n = 0; n < 3; n++)
		opens(w, NULL, n);
	opens(w, "10.1.0.9", 9);
	cr_assert_eq(count_on(r, DEV_WAN1), 4);
	router_link(r, DEV_WAN1, false);
	world_advance(w, 1200);
	cr_assert_eq(count_on(r, DEV_WAN2), 3);
	cr_assert_eq(count_on(r, DEV_WAN1), 1);
	end(w);
}
