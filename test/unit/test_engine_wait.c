// SPDX-License-Identifier: Apache-2.0
/*
 * Next hops that are not resolved yet: packets wait, few of each flow, for a while (P-15).
 */
#include "test/unit/engine_test.h"

static const struct say dns = { 0 };

/* The client's packet arrives with its metadata; what comes back is lost, so that the next one has
 * it too. */
static void arrives(struct world *w, const struct say *say)
{
	struct frame *f;

	w->hold = true;
	client_says(w, say);
	f = frames_pop(&w->wire);
	world_deliver(w, f);
	free(f);
	drain_wire(w);
}

static struct say numbered(int n)
{
	return (struct say){ .len = (size_t)(40 + n) };
}

/* They go out in order once the neighbour answers. */
Test(engine_wait, packets_wait_for_the_next_hop)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R2];
	struct say s;

	r->silent = true;
	for (int i = 0; i < 5; i++) {
		s = numbered(i);
		client_says(w, &s);
	}
	cr_assert_eq(r->out.count, 0);
	cr_assert_eq(fl_pending_count(r->engine->pending), 5);
	cr_assert_eq(router_sessions(r), 1);
	router_neighbour(r, DEV_LAN, "10.2.0.53", true);
	for (int i = 0; i < 5; i++) {
		struct got g;

		s = numbered(i);
		cr_assert(got_out(r, &g));
		cr_assert(arrived_as(&g, &s, 2), "%d", i);
	}
	cr_assert_eq(fl_pending_count(r->engine->pending), 0);
	cr_assert_eq(router_drops(r), 0);
	world_free(w);
}

/* P-15: 16 packets of a flow; the oldest makes room. */
Test(engine_wait, p15_sixteen_of_each_flow)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R2];
	struct drops before;
	struct got g;
	struct say s;

	r->silent = true;
	for (int i = 0; i < 16; i++) {
		s = numbered(i);
		arrives(w, &s);
	}
	before = drops_of(r);
	s = numbered(16);
	arrives(w, &s);
	s = (struct say){ .sport = 41000 };
	arrives(w, &s);
	assert_dropped(r, before, FL_DROP_PENDING_FULL, 1);
	cr_assert_eq(fl_pending_count(r->engine->pending), 17);
	router_neighbour(r, DEV_LAN, "10.2.0.53", true);
	for (int i = 1; i <= 16; i++) {
		s = numbered(i);
		cr_assert(got_out(r, &g));
		cr_assert(arrived_as(&g, &s, 2), "%d", i);
	}
	cr_assert_eq(drain_out(r), 1);
	world_free(w);
}

/* Nobody answers: they are given up after 3 s. */
Test(engine_wait, waiting_ends)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R2];
	struct drops before = drops_of(r);

	r->silent = true;
	client_says(w, &dns);
	w->hold = true;
	world_advance(w, 2900);
	assert_no_drops(r, before);
	world_advance(w, 200);
	assert_dropped(r, before, FL_DROP_NEXT_HOP, 1);
	cr_assert_eq(fl_pending_count(r->engine->pending), 0);
	router_neighbour(r, DEV_LAN, "10.2.0.53", true);
	cr_assert_eq(drain_out(r), 0);
	world_free(w);
}

/* The session ends while its packets wait. */
Test(engine_wait, the_session_ends_first)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R2];
	struct drops before;

	r->silent = true;
	client_says(w, &dns);
	before = drops_of(r);
	fl_engine_clear_all(r->engine);
	assert_dropped(r, before, FL_DROP_SHUTDOWN, 1);
	router_neighbour(r, DEV_LAN, "10.2.0.53", true);
	cr_assert_eq(drain_out(r), 0);
	world_free(w);
}

/* At most 4096 in all, of whatever flows. */
Test(engine_wait, limit_of_all)
{
	struct world *w = world_new(&(struct world_opts){ .max_sessions = 600 });
	struct router *r = &w->r[R2];
	struct drops before = drops_of(r);
	struct say s = { 0 };

	r->silent = true;
	for (int i = 0; i < 257 * 16; i++) {
		s.sport = (uint16_t)(40000 + i / 16);
		arrives(w, &s);
	}
	assert_dropped(r, before, FL_DROP_PENDING_FULL, 16);
	cr_assert_eq(fl_pending_count(r->engine->pending), 4096);
	world_free(w);
}

/* The packet that makes its sender's next hop known goes on as it is, after those that waited. */
Test(engine_wait, a_hosts_own_packet_makes_it_known)
{
	struct say to_server = { .src = "10.1.0.5" };
	struct say from_server = { .src = "10.2.0.53",
				   .dst = "10.1.0.5",
				   .sport = 777,
				   .dport = 888,
				   .payload = "what the server says",
				   .len = 20 };
	struct world_opts opts = { .lan_route = "'use-learned-routes':true" };
	struct world *w = world_new(&opts);
	struct router *r = &w->r[R2];

	r->silent = true;
	client_says(w, &to_server);
	cr_assert_eq(fl_pending_count(r->engine->pending), 1);
	lan_says(w, R2, &from_server);
	assert_arrived(r, &to_server, 2);
	assert_arrived(&w->r[R1], &from_server, 2);
	cr_assert_eq(router_sessions(&w->r[R1]), 2);
	world_free(w);
}

/* A neighbour that is lost and comes back. */
Test(engine_wait, a_neighbour_is_lost)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R2];
	struct drops before;

	establish(w, &dns);
	r->silent = true;
	router_neighbour(r, DEV_LAN, "10.2.0.53", false);
	before = drops_of(r);
	client_says(w, &dns);
	assert_dropped(r, before, FL_DROP_NEXT_HOP, 1);
	router_neighbour(r, DEV_LAN, "10.2.0.53", true);
	client_says(w, &dns);
	assert_arrived(r, &dns, 2);
	world_free(w);
}

/* Routes change: sessions are turned to the new gateway, a part at every tick. */
Test(engine_wait, routes_change)
{
	struct say web = { .dst = "192.0.2.80" };
	struct world *w = two_routers();
	struct router *r = &w->r[R1];
	struct fl_addr gateway = addr_of("100.64.0.253");
	uint8_t mac[6];
	struct got g;

	client_says(w, &web);
	cr_assert(got_out(r, &g));
	mac_of_addr(&(struct fl_addr){ .family = 4, .b = { 100, 64, 0, 254 } }, mac);
	cr_assert_eq(memcmp(g.f->to.dmac, mac, 6), 0);
	for (size_t i = 0; i < r->n_routes; i++)
		if (r->routes[i].gateway.family)
			r->routes[i].gateway = gateway;
	fl_fabric_routes_changed(r->fabric);
	fl_engine_routes_changed(r->engine);
	world_advance(w, 200);
	client_says(w, &web);
	cr_assert(got_out(r, &g));
	mac_of_addr(&gateway, mac);
	cr_assert_eq(memcmp(g.f->to.dmac, mac, 6), 0);
	world_free(w);
}

/* A gateway that the configuration names is not the kernel's to change. */
Test(engine_wait, routes_change_but_the_gateway_is_configured)
{
	struct world_opts opts = { .inet_hop = ",'gateway-ip':'100.64.0.99'" };
	struct say web = { .dst = "192.0.2.80" };
	struct world *w = world_new(&opts);
	struct router *r = &w->r[R1];
	uint8_t mac[6];
	struct got g;

	mac_of_addr(&(struct fl_addr){ .family = 4, .b = { 100, 64, 0, 99 } }, mac);
	for (int i = 0; i < 2; i++) {
		client_says(w, &web);
		cr_assert(got_out(r, &g));
		cr_assert_eq(memcmp(g.f->to.dmac, mac, 6), 0, "%d", i);
		fl_fabric_routes_changed(r->fabric);
		fl_engine_routes_changed(r->engine);
		world_advance(w, 200);
	}
	world_free(w);
}
