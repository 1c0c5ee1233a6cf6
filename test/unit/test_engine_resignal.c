// SPDX-License-Identifier: Apache-2.0
/*
 * What BFD finds out about peers and paths, as sessions see it: a peer without its sessions, a NAT
 * that changed, a path that is used no longer (svr-protocol.md 3.3, 5.3).
 */
#include "test/unit/engine_test.h"

static const struct say dns = { 0 };
static const struct say other = { .sport = 5001 };

/* The peer came back without them: both ends signal as in a first handshake, and nothing is lost.
 */
Test(engine_resignal, a_peer_that_lost_its_sessions_hears_of_them)
{
	struct world *w = two_routers();
	struct router *r1 = &w->r[R1];
	struct drops before;
	struct got g;

	establish(w, &dns);
	establish(w, &other);
	router_forget_all(&w->r[R2]);
	fl_engine_resignal_peer(r1->engine, fl_fabric_peer_named(r1->fabric, "r2")->id);
	world_advance(w, 200);
	cr_assert_eq(r1->t.stats[FL_STAT_RESIGNALLED], 2);
	cr_assert_eq(w->wire.count, 0, "lazily: not before there is a packet");
	before = drops_of(&w->r[R2]);
	w->hold = true;
	client_says(w, &dns);
	cr_assert(got_wire(w, &g) && fl_meta_has(&g.o.meta, FL_META_FORWARD));
	world_deliver(w, g.f);
	assert_arrived(&w->r[R2], &dns, 2);
	assert_no_drops(&w->r[R2], before);
	w->hold = false;
	server_says(w, &dns);
	client_says(w, &dns);
	cr_assert_eq(router_state(&w->r[R2]), SETTLED);
	world_free(w);
}

/* Once is enough, however often it is said meanwhile; and what signals already is not counted. */
Test(engine_resignal, said_twice_is_done_once)
{
	struct world *w = two_routers();
	struct router *r1 = &w->r[R1];
	uint16_t peer = fl_fabric_peer_named(r1->fabric, "r2")->id;

	establish(w, &dns);
	fl_engine_resignal_peer(r1->engine, peer);
	fl_engine_resignal_peer(r1->engine, peer);
	world_advance(w, 200);
	fl_engine_resignal_peer(r1->engine, peer);
	world_advance(w, 200);
	cr_assert_eq(r1->t.stats[FL_STAT_RESIGNALLED], 1);
	world_free(w);
}

/* A NAT has changed: the peer still has its sessions, and its packets pass all the while. */
Test(engine_resignal, sessions_of_a_path_that_moved)
{
	struct world *w = two_routers();
	struct router *r1 = &w->r[R1];
	struct drops before;
	uint16_t path, none;

	establish(w, &dns);
	path = r1->t.vectors[r1->t.sessions[router_session(r1)].out.vector].path;
	none = path == 1 ? 2 : 1;
	fl_engine_resignal_path(r1->engine, none);
	world_advance(w, 200);
	cr_assert_eq(r1->t.stats[FL_STAT_RESIGNALLED], 0);
	fl_engine_resignal_path(r1->engine, path);
	world_advance(w, 200);
	cr_assert_eq(r1->t.stats[FL_STAT_RESIGNALLED], 1);
	before = drops_of(r1);
	server_says(w, &dns);
	assert_no_drops(r1, before);
	cr_assert_eq(drain_out(r1), 1);
	client_says(w, &dns);
	assert_arrived(&w->r[R2], &dns, 2);
	server_says(w, &dns);
	client_says(w, &dns);
	cr_assert_eq(router_state(r1), SETTLED);
	cr_assert_eq(router_state(&w->r[R2]), SETTLED);
	world_free(w);
}

/* As the responder's router: what it says of its sessions ends with the next bare packet. */
Test(engine_resignal, a_path_that_moved_at_the_responder)
{
	struct world *w = two_routers();
	struct router *r2 = &w->r[R2];
	struct got g;

	establish(w, &dns);
	fl_engine_resignal_path(r2->engine,
				r2->t.vectors[r2->t.sessions[router_session(r2)].in.vector].path);
	world_advance(w, 200);
	w->hold = true;
	server_says(w, &dns);
	cr_assert(got_wire(w, &g) && fl_meta_has(&g.o.meta, FL_META_REVERSE));
	world_deliver(w, g.f);
	client_says(w, &dns);
	cr_assert(got_wire(w, &g) && !g.meta);
	world_deliver(w, g.f);
	cr_assert_eq(router_state(r2), SETTLED);
	server_says(w, &dns);
	cr_assert(got_wire(w, &g) && !g.meta, "and not for ever");
	world_free(w);
}

/* --- paths that are not used ------------------------------------------------------------------ */

static uint16_t path_named(const struct router *r, const char *ifname)
{
	for (uint16_t id = 1; id <= fl_fabric_path_limit(r->fabric); id++) {
		const struct fl_path_rt *p = fl_fabric_path(r->fabric, id);

		if (p && p->cfg && !strcmp(fl_fabric_netif(r->fabric, p->iface)->name, ifname))
			return id;
	}
	return 0;
}

static void set_live(struct router *r, const char *ifname, enum fl_live live)
{
	struct fl_path_quality q = { .live = live,
				     .why_not = live == FL_LIVE_NO ? "says the test" : NULL,
				     .vector_switch = true };

	fl_fabric_set_quality(r->fabric, path_named(r, ifname), &q);
}

Test(engine_resignal, a_path_without_its_peer_is_not_used)
{
	struct world *w = two_routers();
	const struct fl_path_rt *wan1;
	struct router *r1 = &w->r[R1];
	uint16_t id = path_named(r1, "wan1");
	struct fl_link link;

	wan1 = fl_fabric_path(r1->fabric, id);
	cr_assert(wan1->usable && !wan1->why);
	set_live(r1, "wan1", FL_LIVE_NO);
	cr_assert(!wan1->usable);
	cr_assert_str_eq(wan1->why, "says the test");
	/* The data plane goes by the link: what is under way goes on. */
	cr_assert_eq(r1->t.paths[id].state, FL_PATH_UP);
	client_says(w, &dns);
	cr_assert_neq(r1->t.vectors[r1->t.sessions[router_session(r1)].out.vector].path, id);
	set_live(r1, "wan1", FL_LIVE_RESTARTING);
	cr_assert(wan1->usable);
	set_live(r1, "wan1", FL_LIVE_UNWATCHED);
	cr_assert(wan1->usable);
	/* The link comes first, and says why. */
	set_live(r1, "wan1", FL_LIVE_NO);
	link = fl_fabric_netif(r1->fabric, wan1->iface)->link;
	link.up = false;
	fl_fabric_link(r1->fabric, &link);
	cr_assert_str_eq(wan1->why, "its device is down");
	cr_assert_eq(r1->t.paths[id].state, FL_PATH_DOWN);
	world_free(w);
}
