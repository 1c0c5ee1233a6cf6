// SPDX-License-Identifier: Apache-2.0
/*
 * Restart: a second process adopts the tables of the first and goes on, also when the first died in
 * the middle of something (design.md, "Failure"; P-27, P-45).
 */
#include "test/unit/engine_test.h"

static const struct say dns = { 0 };

struct adopt_row {
	const char *name;
	struct say first;
};

static const struct adopt_row adopt_rows[] = {
	{ "udp", { 0 } },
	{ "udp/IPv6", { .src = "2001:db8:1::5" } },
	{ "tcp", { .proto = FL_IPPROTO_TCP, .dport = 443, .seq = 100 } },
	{ "ping", { .proto = FL_IPPROTO_ICMP } },
};

/* An established session: nothing is signalled anew, nobody is told anything. */
Test(engine_restart, established_sessions_go_on)
{
	for (size_t i = 0; i < sizeof(adopt_rows) / sizeof(adopt_rows[0]); i++) {
		const struct adopt_row *row = &adopt_rows[i];
		struct world *w = two_routers();
		struct say next = row->first, answer = answer_to(&row->first);
		struct got g;

		establish(w, &row->first);
		next.tcp_flags = answer.tcp_flags = FL_TH_ACK;
		w->hold = true;
		for (int r = R1; r <= R2; r++) {
			router_restart(&w->r[r]);
			router_check(&w->r[r]);
			cr_assert_eq(router_sessions(&w->r[r]), 1, "%s", row->name);
		}
		world_advance(w, 3000);
		cr_assert_eq(w->wire.count, 0, "%s", row->name);
		client_says(w, &next);
		cr_assert(got_wire(w, &g) && !g.meta, "%s", row->name);
		world_deliver(w, g.f);
		assert_arrived(&w->r[R2], &next, 2);
		lan_says(w, R2, &answer);
		world_run(w);
		assert_arrived(&w->r[R1], &answer, 2);
		world_free(w);
	}
}

/* Interfaces by name: those of the earlier process are these, however many, and take no place
 * twice.
 */
Test(engine_restart, many_interfaces)
{
	static char lans[4096];
	struct world_opts opts = { .lan = lans };
	struct world *w;
	uint16_t wan;

	for (int n = 1; n <= 50; n++)
		snprintf(lans + strlen(lans), sizeof(lans) - strlen(lans),
			 "},{'name':'vlan%d','vlan':%d", n, n);
	w = world_new(&opts);
	wan = router_iface(&w->r[R1], DEV_WAN1);
	establish(w, &dns);
	router_restart(&w->r[R1]);
	cr_assert_eq(router_iface(&w->r[R1], DEV_WAN1), wan);
	cr_assert_eq(router_sessions(&w->r[R1]), 1);
	client_says(w, &dns);
	assert_arrived(&w->r[R2], &dns, 2);
	world_free(w);
}

/* One whose handshake was under way: the same metadata, the same end. */
Test(engine_restart, the_handshake_goes_on)
{
	struct world *w = two_routers();
	struct got before, after;

	w->hold = true;
	client_says(w, &dns);
	cr_assert(got_wire(w, &before));
	world_deliver(w, before.f);
	router_restart(&w->r[R1]);
	router_restart(&w->r[R2]);
	client_says(w, &dns);
	cr_assert(peek_wire(w, 0, &after) && fl_meta_has(&after.o.meta, FL_META_FORWARD));
	cr_assert_eq(memcmp(after.o.meta.uuid, before.o.meta.uuid, 16), 0);
	cr_assert_eq(after.o.meta.has, before.o.meta.has);
	cr_assert(fl_tuple_equal(&after.t, &before.t));
	w->hold = false;
	world_run(w);
	cr_assert_eq(w->r[R2].t.stats[FL_STAT_META_DUPLICATE], 1);
	server_says(w, &dns);
	client_says(w, &dns);
	cr_assert_eq(router_state(&w->r[R1]), SETTLED);
	cr_assert_eq(router_state(&w->r[R2]), SETTLED);
	world_free(w);
}

/* Deadlines are those of the session's last packet, not of the restart. */
Test(engine_restart, deadlines_are_kept)
{
	struct world *w = two_routers();

	establish(w, &dns);
	w->hold = true;
	world_leap(w, 170000);
	router_restart(&w->r[R1]);
	cr_assert_eq(fl_engine_time_left_ms(w->r[R1].engine, router_session(&w->r[R1])), 10000);
	world_advance(w, 9900);
	cr_assert_eq(router_sessions(&w->r[R1]), 1);
	world_advance(w, 400);
	cr_assert_eq(router_sessions(&w->r[R1]), 0);
	drain_wire(w);
	world_free(w);
}

/* Pairs in use count, and a pair that was given back goes on resting. */
Test(engine_restart, waypoints_are_kept)
{
	struct world_opts opts = { .adjacency =
					   ",'port-range':{'start-port':20000,'end-port':20001}" };
	struct world *w = world_new(&opts);
	struct say say = { 0 };
	struct drops before;
	uint32_t ways[2];
	uint16_t peer;

	w->hold = true;
	for (int i = 0; i < 4; i++) {
		say.sport = (uint16_t)(40000 + i);
		client_says(w, &say);
	}
	cr_assert_eq(router_sessions(&w->r[R1]), 4);
	peer = w->r[R1].t.sessions[router_session(&w->r[R1])].out.id;
	fl_engine_clear(w->r[R1].engine, w->r[R1].t.sessions[router_session(&w->r[R1])].uuid);
	router_restart(&w->r[R1]);
	fl_engine_waypoints(w->r[R1].engine, peer, ways);
	cr_assert_eq(ways[0], 3);
	before = drops_of(&w->r[R1]);
	say.sport = 41000;
	world_leap(w, 29000);
	client_says(w, &say);
	assert_dropped(&w->r[R1], before, FL_DROP_WAYPOINTS, 1);
	world_leap(w, 2000);
	client_says(w, &say);
	cr_assert_eq(router_sessions(&w->r[R1]), 4);
	drain_wire(w);
	world_free(w);
}

Test(engine_restart, half_open_sessions_still_count)
{
	struct world_opts opts = { .router = ",'half-open-connection-limit':1" };
	struct world *w = world_new(&opts);
	struct say syn = { .proto = FL_IPPROTO_TCP, .dport = 443 };
	struct drops before;

	w->hold = true;
	client_says(w, &syn);
	router_restart(&w->r[R1]);
	before = drops_of(&w->r[R1]);
	syn.sport = 41000;
	client_says(w, &syn);
	assert_dropped(&w->r[R1], before, FL_DROP_HALF_OPEN, 1);
	world_free(w);
}

/* Names, peers and interfaces keep their numbers, which sessions name. */
Test(engine_restart, new_sessions_beside_adopted_ones)
{
	struct world *w = two_routers();
	struct say other = { .sport = 41000 };

	establish(w, &dns);
	for (int i = 0; i < 3; i++) {
		router_restart(&w->r[R1]);
		router_restart(&w->r[R2]);
	}
	establish(w, &other);
	cr_assert_eq(router_sessions(&w->r[R1]), 2);
	cr_assert_eq(w->r[R1].t.sessions[1].service, w->r[R1].t.sessions[2].service);
	cr_assert_eq(w->r[R1].t.sessions[1].out.id, w->r[R1].t.sessions[2].out.id);
	cr_assert_eq(w->r[R1].t.sessions[1].in.nexthop, w->r[R1].t.sessions[2].in.nexthop);
	cr_assert_neq(w->r[R1].t.sessions[1].out.local_port, w->r[R1].t.sessions[2].out.local_port);
	world_free(w);
}

/* The kernel has forgotten the neighbours meanwhile: their MACs are believed until it has looked.
 */
Test(engine_restart, next_hops_of_an_earlier_process)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R2];

	establish(w, &dns);
	r->silent = true;
	r->n_known = 0;
	router_restart(r);
	router_neighbour(&w->r[R2], DEV_WAN1, world_waypoint(&w->opts, R1, DEV_WAN1), true);
	cr_assert_gt(r->n_asks, 0, "the kernel is asked");
	client_says(w, &dns);
	assert_arrived(r, &dns, 2);
	/* It answers that there is nobody: no more. */
	router_neighbour(r, DEV_LAN, "10.2.0.53", false);
	client_says(w, &dns);
	cr_assert_eq(drain_out(r), 0);
	router_neighbour(r, DEV_LAN, "10.2.0.53", true);
	client_says(w, &dns);
	cr_assert_geq(drain_out(r), 1);
	world_free(w);
}

/* --- died in the middle ----------------------------------------------------------------------- */

enum died {
	OPENING_NOTHING,   /* a record, no flows yet */
	OPENING_FILLED,    /* the reverse slot filled, nobody could see it */
	OPENING_REVERSE,   /* the reverse flow published */
	OPENING_BOTH,      /* both, only the record not live yet */
	CLOSING_FORWARD,   /* the forward flow gone */
	CLOSING_UNINDEXED, /* its key gone, its slot not yet */
	CLOSING_BOTH,      /* both gone, only the record still live */
	DIED_MAX
};

static void unpublish(struct router *r, uint32_t id, enum fl_direction dir, bool slot_too)
{
	struct fl_session *s = &r->t.sessions[id];
	struct fl_wide_key key;
	uint32_t slot = s->slot[dir];

	fl_session_key(s, dir, &key);
	if (slot < r->t.buckets * FL_BUCKET_SLOTS)
		r->t.tags[slot] = 0;
	else
		r->t.ops->index_remove(r->t.ops_ctx, &key);
	if (slot_too)
		r->t.flows[slot].key.kind = FL_KEY_DEAD;
}

static void die(struct router *r, uint32_t id, enum died when)
{
	struct fl_session *s = &r->t.sessions[id];

	switch (when) {
	case OPENING_NOTHING:
		unpublish(r, id, FL_FORWARD, true);
		unpublish(r, id, FL_REVERSE, true);
		s->state = FL_SESSION_OPENING;
		break;
	case OPENING_FILLED:
		unpublish(r, id, FL_FORWARD, true);
		unpublish(r, id, FL_REVERSE, false);
		s->state = FL_SESSION_OPENING;
		s->slot[0] = s->slot[1] = 0;
		break;
	case OPENING_REVERSE:
		unpublish(r, id, FL_FORWARD, true);
		s->state = FL_SESSION_OPENING;
		s->slot[0] = s->slot[1] = 0;
		break;
	case OPENING_BOTH:
		s->state = FL_SESSION_OPENING;
		break;
	case CLOSING_FORWARD:
		unpublish(r, id, FL_FORWARD, true);
		break;
	case CLOSING_UNINDEXED:
		unpublish(r, id, FL_FORWARD, false);
		break;
	case CLOSING_BOTH:
	case DIED_MAX:
		unpublish(r, id, FL_FORWARD, true);
		unpublish(r, id, FL_REVERSE, true);
		break;
	}
}

/* Nothing leaks: neither records nor slots nor keys nor waypoints; the other session goes on. */
Test(engine_restart, what_an_earlier_process_left_unfinished_is_taken_out)
{
	for (int when = 0; when < DIED_MAX; when++) {
		for (int six = 0; six < 2; six++) {
			struct world_opts opts = { .max_sessions = 16 };
			struct say one = { .src = six ? "2001:db8:1::5" : NULL }, two = one;
			struct world *w = world_new(&opts);
			struct router *r = &w->r[R1];
			uint32_t id;

			two.sport = 41000;
			establish(w, &one);
			establish(w, &two);
			id = router_session(r);
			die(r, id, (enum died)when);
			router_restart(r);
			cr_assert_eq(router_sessions(r), 1, "%d", when);
			router_check(r);
			client_says(w, &one);
			cr_assert_eq(drain_out(&w->r[R2]), 1);
			world_leap(w, FL_SLOT_QUARANTINE_MS + 1);
			w->hold = true;
			for (int i = 0; i < 15; i++) {
				two.sport++;
				client_says(w, &two);
			}
			cr_assert_eq(router_sessions(r), 16, "%d %d: %u", when, six,
				     router_sessions(r));
			world_free(w);
		}
	}
}

/* The slot of a flow that was not taken out of its record must not take another's with it. */
Test(engine_restart, a_record_without_flows_does_not_close_anothers)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R1];
	struct say other = { .sport = 41000 };
	uint32_t id;

	establish(w, &dns);
	id = router_session(r);
	die(r, id, CLOSING_BOTH);
	router_restart(r);
	world_leap(w, FL_SLOT_QUARANTINE_MS + 1);
	establish(w, &other);
	w->hold = true;
	world_advance(w, 100000);
	client_says(w, &other);
	world_advance(w, 100000);
	cr_assert_eq(router_sessions(r), 1);
	router_check(r);
	drain_wire(w);
	world_free(w);
}

/* While nobody looked, neighbours were forgotten and a route has changed. */
Test(engine_restart, neighbours_and_routes_of_another_day)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R1];
	struct say web = { .dst = "192.0.2.80" };
	uint8_t mac[6];
	struct got g;

	client_says(w, &web);
	drain_out(r);
	r->n_known = 0;
	for (size_t i = 0; i < r->n_routes; i++)
		if (r->routes[i].gateway.family)
			r->routes[i].gateway = addr_of("100.64.0.253");
	router_restart(r);
	world_advance(w, 200);
	client_says(w, &web);
	cr_assert(got_out(r, &g));
	mac_of_addr(&(struct fl_addr){ .family = 4, .b = { 100, 64, 0, 253 } }, mac);
	cr_assert_eq(memcmp(g.f->to.dmac, mac, 6), 0);
	cr_assert_eq(router_sessions(r), 1);
	world_free(w);
}

static size_t lookups(const struct router *r, uint16_t path)
{
	size_t n = 0;

	for (size_t i = 0; i < FL_PATH_BUCKETS; i++)
		for (size_t j = 0; j < FL_PATH_BUCKET_WAYS; j++)
			n += r->t.path_lookup[i].way[j].path == path;
	return n;
}

/* A path that has followed its peer's NAT elsewhere is the same path to the next process. */
Test(engine_restart, a_path_that_has_moved_is_known)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R2];
	const struct fl_addr moved = addr_of("198.51.100.77");
	uint16_t path = router_path(r, DEV_WAN1);

	establish(w, &dns);
	fl_fabric_path_moved(r->fabric, path, &moved);
	router_answer(r);
	cr_assert_eq(memcmp(r->t.paths[path].remote, moved.b, 4), 0);
	router_restart(r);
	cr_assert_eq(router_sessions(r), 1);
	cr_assert_eq(router_path(r, DEV_WAN1), path);
	cr_assert_eq(lookups(r, path), 1);
	/* Where it is configured, until BFD hears from elsewhere. */
	cr_assert_eq(memcmp(r->t.paths[path].remote, addr_of("198.51.100.1").b, 4), 0);
	client_says(w, &dns);
	cr_assert_eq(drain_out(r), 1);
	world_free(w);
}

/* What an earlier process took for this host's, and is no longer. */
Test(engine_restart, addresses_and_prefixes_of_another_day)
{
	struct world_opts opts = { .router = ",'local-tenant':'staff'" };
	struct world *w = world_new(&opts);
	struct router *r = &w->r[R1];

	cr_assert_eq(r->n_host_prefixes, 2);
	cr_assert(router_has_local(r, "10.1.0.1") && router_has_local(r, "10.7.0.1"));
	cr_assert(router_has_local(r, "10.1.0.255") && router_has_local(r, "10.7.0.255"));
	/* That of "guest" has been taken from it meanwhile, and the service out of the file. */
	r->n_routes -= 2;
	opts.no_datacenter = true;
	router_restart_with(r, &opts);
	cr_assert_eq(r->n_host_prefixes, 0);
	cr_assert(router_has_local(r, "10.1.0.1"));
	cr_assert(!router_has_local(r, "10.7.0.1") && !router_has_local(r, "10.7.0.255"));
	opts.no_datacenter = false;
	router_restart_with(r, &opts);
	cr_assert_eq(r->n_host_prefixes, 2);
	opts.router = NULL;
	router_configure(r, &opts);
	cr_assert_eq(r->n_host_prefixes, 0);
	world_free(w);
}
