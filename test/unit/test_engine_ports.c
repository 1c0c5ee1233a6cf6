// SPDX-License-Identifier: Apache-2.0
/*
 * Ports: waypoints (svr-protocol.md 3.8, P-27), source NAT between routers (TLV 25), local breakout
 * with NAPT, destination NAT (3.9).
 */
#include "test/unit/engine_test.h"

static const struct say dns = { 0 };

static struct say from_port(uint16_t port)
{
	return (struct say){ .sport = port };
}

static const struct fl_session *newest(struct router *r)
{
	return &r->t.sessions[router_session(r)];
}

/* --- waypoints -------------------------------------------------------------------------------- */

/* Local even, peer's odd, in 16384..65533; both change from session to session. */
Test(engine_ports, p27_parity_and_range)
{
	struct world *w = world_new(&(struct world_opts){ .max_sessions = 1000 });
	uint16_t local = 0, remote = 0;

	w->hold = true;
	for (int i = 0; i < 500; i++) {
		struct say s = from_port((uint16_t)(20000 + i));
		const struct fl_session *session;

		client_says(w, &s);
		world_leap(w, 1);
		session = newest(&w->r[R1]);
		cr_assert_eq(session->out.local_port % 2, 0);
		cr_assert_eq(session->out.remote_port % 2, 1);
		cr_assert_geq(session->out.local_port, 16384);
		cr_assert_leq(session->out.remote_port, 65533);
		cr_assert_neq(session->out.local_port, local);
		cr_assert_neq(session->out.remote_port, remote);
		local = session->out.local_port;
		remote = session->out.remote_port;
	}
	world_free(w);
}

/* A peer that is gone has no range any more: its was the old configuration's, whose memory goes. */
Test(engine_ports, the_range_of_a_peer_that_is_gone)
{
	struct world_opts opts = { .routers = 3,
				   .adjacency =
					   ",'port-range':{'start-port':20000,'end-port':20099}" };
	struct world *w = world_new(&opts);
	struct router *r = &w->r[R2];
	int gone = 0;

	client_says(w, &dns);
	opts.routers = 2;
	router_configure(r, &opts);
	for (uint16_t id = 1; id < FL_MAX_PEERS; id++) {
		const struct fl_peer *peer = fl_fabric_peer(r->fabric, id);

		if (!peer || peer->configured)
			continue;
		cr_assert_null(peer->port_range);
		gone++;
	}
	cr_assert_eq(gone, 1);
	world_free(w);
}

/* Which removes glare: both routers open at once, also many. */
Test(engine_ports, both_routers_open_sessions)
{
	struct world *w = world_new(&(struct world_opts){ .max_sessions = 400 });
	uint32_t ways[2];

	for (int i = 0; i < 100; i++) {
		struct say s = from_port((uint16_t)(20000 + i));
		struct say back = { .src = "10.2.0.60", .dst = "10.1.0.5", .sport = s.sport };

		client_says(w, &s);
		lan_says(w, R2, &back);
	}
	for (int r = R1; r <= R2; r++) {
		cr_assert_eq(router_sessions(&w->r[r]), 200);
		cr_assert_eq(router_drops(&w->r[r]), 0);
		fl_engine_waypoints(w->r[r].engine, newest(&w->r[R1])->out.id, ways);
		cr_assert_eq(ways[0], 100, "only those that it picked itself");
		cr_assert_eq(fl_engine_without_parity(w->r[r].engine, newest(&w->r[R1])->out.id),
			     0);
	}
	world_free(w);
}

/* Separate spaces for UDP and TCP. */
Test(engine_ports, p27_tcp_and_udp_apart)
{
	struct world_opts opts = { .adjacency = ",'max-way-points':1" };
	struct world *w = world_new(&opts);
	struct say tcp = { .proto = FL_IPPROTO_TCP, .dport = 443 },
		   ping = { .proto = FL_IPPROTO_ICMP };
	struct drops before;

	client_says(w, &dns);
	client_says(w, &tcp);
	cr_assert_eq(router_sessions(&w->r[R1]), 2);
	before = drops_of(&w->r[R1]);
	client_says(w, &ping);
	assert_dropped(&w->r[R1], before, FL_DROP_WAYPOINTS, 1);
	world_free(w);
}

#define RANGE ",'port-range':{'start-port':20000,'end-port':20001}"

/* A configured range turns the parity rule off: both ports out of it, all pairs. */
Test(engine_ports, configured_range)
{
	struct world_opts opts = { .adjacency = RANGE };
	struct world *w = world_new(&opts);
	struct drops before = drops_of(&w->r[R1]);
	unsigned int pairs = 0;

	for (uint16_t i = 0; i < 4; i++) {
		struct say s = from_port((uint16_t)(40000 + i));
		const struct fl_session *session;

		client_says(w, &s);
		world_leap(w, 1);
		session = newest(&w->r[R1]);
		cr_assert(session->out.local_port / 2 == 10000);
		cr_assert(session->out.remote_port / 2 == 10000);
		pairs |= 1u << (session->out.local_port % 2 * 2 + session->out.remote_port % 2);
	}
	cr_assert_eq(pairs, 15, "four pairs");
	cr_assert_eq(router_sessions(&w->r[R2]), 4);
	assert_no_drops(&w->r[R1], before);
	client_says(w, &dns);
	cr_assert_eq(router_sessions(&w->r[R1]), 4);
	client_says(w, &(struct say){ .sport = 40009 });
	assert_dropped(&w->r[R1], before, FL_DROP_WAYPOINTS, 1);
	world_free(w);
}

/* In such a range the two routers' pairs may meet: then the next one is taken. */
Test(engine_ports, configured_range_and_the_peers_pairs)
{
	struct world_opts opts = { .adjacency = RANGE };
	struct world *w = world_new(&opts);
	struct say back = { .src = "10.2.0.60", .dst = "10.1.0.5" };

	for (uint16_t i = 0; i < 3; i++) {
		struct say s = from_port((uint16_t)(40000 + i));

		client_says(w, &s);
	}
	lan_says(w, R2, &back);
	cr_assert_eq(router_sessions(&w->r[R2]), 4, "%u", router_sessions(&w->r[R2]));
	cr_assert_eq(router_sessions(&w->r[R1]), 4);
	cr_assert_eq(drain_out(&w->r[R1]), 1);
	back.sport++;
	lan_says(w, R2, &back);
	cr_assert_eq(w->r[R2].t.drops[FL_DROP_WAYPOINTS], 1);
	world_free(w);
}

/* P-27: 30 s quarantine after release. */
Test(engine_ports, p27_quarantine)
{
	struct world_opts opts = { .adjacency = RANGE };
	struct world *w = world_new(&opts);
	struct drops before;
	struct say s;

	w->hold = true;
	for (uint16_t i = 0; i < 4; i++) {
		s = from_port((uint16_t)(40000 + i));
		client_says(w, &s);
	}
	cr_assert_eq(fl_engine_clear_all(w->r[R1].engine), 4);
	before = drops_of(&w->r[R1]);
	world_leap(w, 29900);
	client_says(w, &s);
	assert_dropped(&w->r[R1], before, FL_DROP_WAYPOINTS, 1);
	world_leap(w, 1200);
	client_says(w, &s);
	assert_dropped(&w->r[R1], before, FL_DROP_WAYPOINTS, 1);
	cr_assert_eq(router_sessions(&w->r[R1]), 1);
	drain_wire(w);
	world_free(w);
}

/* Sessions that R1 opens with a range, and R2, which has none, counts. */
static uint64_t without_parity(const struct fl_path_quality *quality)
{
	struct world_opts opts = { .adjacency = RANGE };
	struct world *w = world_new(&opts);
	struct router *r = &w->r[R2];
	uint64_t count;

	opts.adjacency = NULL;
	router_configure(r, &opts);
	for (uint16_t id = 1; quality && id < FL_MAX_PATHS; id++)
		fl_fabric_set_quality(r->fabric, id, quality);
	for (uint16_t i = 0; i < 4; i++) {
		struct say s = from_port((uint16_t)(40000 + i));

		client_says(w, &s);
	}
	cr_assert_eq(router_sessions(r), 4, "a range at one end only is no reason to refuse");
	count = fl_engine_without_parity(r->engine, newest(r)->in.id);
	world_free(w);
	return count;
}

/* Of the four pairs of that range one is as the rule has it. Where a NAT was seen, no rule holds.
 */
Test(engine_ports, p27_a_peer_without_parity)
{
	struct fl_path_quality quality = { .live = FL_LIVE_YES, .heard = true };

	cr_assert_eq(without_parity(NULL), 3);
	cr_assert_eq(without_parity(&quality), 3);
	quality.peer_nated = true;
	cr_assert_eq(without_parity(&quality), 0);
	quality =
		(struct fl_path_quality){ .live = FL_LIVE_YES, .heard = true, .self_nated = true };
	cr_assert_eq(without_parity(&quality), 0);
}

/* max-way-points: more are refused, nobody is thrown out; one that ends makes room. */
Test(engine_ports, exhaustion)
{
	struct world_opts opts = { .adjacency = ",'max-way-points':3" };
	struct world *w = world_new(&opts);
	struct drops before = drops_of(&w->r[R1]);
	struct say s;

	for (uint16_t i = 0; i < 5; i++) {
		s = from_port((uint16_t)(40000 + i));
		client_says(w, &s);
	}
	assert_dropped(&w->r[R1], before, FL_DROP_WAYPOINTS, 2);
	cr_assert_eq(router_sessions(&w->r[R1]), 3);
	cr_assert_eq(w->r[R1].n_denials, 0, "not remembered");
	fl_engine_clear(w->r[R1].engine, newest(&w->r[R1])->uuid);
	client_says(w, &s);
	cr_assert_eq(router_sessions(&w->r[R1]), 3);
	world_free(w);
}

/* A reload with another limit, or another range, holds for new sessions. */
Test(engine_ports, other_waypoints_by_configuration)
{
	struct world_opts more = { .adjacency = RANGE };
	struct world_opts opts = { .adjacency = ",'max-way-points':1" };
	struct world *w = world_new(&opts);
	struct say s = from_port(41000);

	establish(w, &dns);
	client_says(w, &s);
	cr_assert_eq(w->r[R1].t.drops[FL_DROP_WAYPOINTS], 1);
	router_configure(&w->r[R1], &more);
	router_configure(&w->r[R2], &more);
	cr_assert_eq(router_sessions(&w->r[R1]), 1);
	world_leap(w, 10);
	client_says(w, &s);
	cr_assert_eq(router_sessions(&w->r[R1]), 2);
	cr_assert_eq(newest(&w->r[R1])->out.local_port / 2, 10000);
	world_free(w);
}

/* --- NAT between routers ---------------------------------------------------------------------- */

/* TLV 25: ingress did source NAT; egress uses it as source. The answer goes back all the same. */
Test(engine_ports, tlv25_source_nat_address)
{
	struct say as_sent = { .src = "10.1.0.77" };
	struct world *w = two_routers();
	struct fl_meta m = craft_forward(&dns, 1);
	struct craft c = { .from = R1, .meta = &m, .payload = "x", .len = 1 };
	struct say answer = answer_to(&as_sent);
	struct got g;

	m.has |= FL_META_BIT(FL_META_SOURCE_NAT);
	m.source_nat = addr_of("10.1.0.77");
	craft_send(w, &c);
	cr_assert(got_out(&w->r[R2], &g));
	cr_assert_eq(g.t.src[3], 77);
	cr_assert_eq(g.t.sport, 40000);
	w->hold = true;
	lan_says(w, R2, &answer);
	cr_assert(got_wire(w, &g));
	cr_assert_eq(g.o.meta.reverse.dst[3], 5, "the context is of what the host sent");
	world_free(w);
}

/* In the middle it is passed on. */
Test(engine_ports, tlv25_is_passed_on)
{
	struct world *w = world_new(&(struct world_opts){ .routers = 3 });
	struct fl_meta m = craft_forward(&dns, 1);
	struct craft c = { .from = R1, .meta = &m, .payload = "x", .len = 1 };
	struct got g;

	m.has |= FL_META_BIT(FL_META_SOURCE_NAT);
	m.source_nat = addr_of("10.1.0.77");
	w->hold = true;
	craft_send(w, &c);
	cr_assert(got_wire(w, &g));
	cr_assert(fl_meta_has(&g.o.meta, FL_META_SOURCE_NAT));
	cr_assert_eq(g.o.meta.source_nat.b[3], 77);
	world_deliver(w, g.f);
	cr_assert(got_out(&w->r[R3], &g));
	cr_assert_eq(g.t.src[3], 77);
	world_free(w);
}

/* It is an IPv4 address: an IPv6 session has no use for it. */
Test(engine_ports, tlv25_of_an_ipv6_session)
{
	struct say six = { .src = "2001:db8:1::5", .payload = "x", .len = 1 };
	struct world *w = two_routers();
	struct fl_meta m = craft_forward(&six, 1);
	struct craft c = { .from = R1, .meta = &m, .payload = "x", .len = 1 };

	m.has |= FL_META_BIT(FL_META_SOURCE_NAT);
	m.source_nat = addr_of("10.1.0.77");
	six.ttl = 64;
	craft_send(w, &c);
	assert_arrived(&w->r[R2], &six, 1);
	world_free(w);
}

/* --- local breakout --------------------------------------------------------------------------- */

static const struct say web = { .dst = "192.0.2.80" };

/* One answer from the Internet to what went out as @out. */
static void internet_answers(struct world *w, int router, const struct got *out)
{
	struct say a = { .src = "192.0.2.80",
			 .dst = "100.64.0.1",
			 .proto = out->t.proto,
			 .sport = out->t.dport,
			 .dport = out->t.sport };

	if (out->t.proto == FL_IPPROTO_ICMP) {
		a.sport = out->t.sport;
		a.icmp_type = 255;
	}
	if (router == R2)
		a.dst = "100.64.0.2";
	cr_assert_geq(host_says(w, router, DEV_INET, &a), MODEL_PUNTED);
}

/* NAPT: the interface's address, the host's own port if it is free; answers come back. */
Test(engine_ports, breakout_keeps_the_port_if_it_can)
{
	struct world *w = two_routers();
	struct say answer = answer_to(&web);
	struct got g;

	client_says(w, &web);
	cr_assert(got_out(&w->r[R1], &g));
	cr_assert_eq(g.f->dev, DEV_INET);
	cr_assert_eq(g.t.src[0], 100);
	cr_assert_eq(g.t.src[3], 1);
	cr_assert_eq(g.t.sport, 40000);
	cr_assert_eq(g.p.hdr.ttl, 63);
	internet_answers(w, R1, &g);
	assert_arrived(&w->r[R1], &answer, 1);
	cr_assert_eq(router_state(&w->r[R1]), SETTLED);
	cr_assert_eq(w->wire.count, 0, "nothing goes to a peer");
	world_free(w);
}

struct napt_row {
	const char *name;
	struct say first, second;
};

static const struct napt_row napt_rows[] = {
	{ "two hosts, one port",
	  { .dst = "192.0.2.80" },
	  { .src = "10.1.0.6", .dst = "192.0.2.80" } },
	{ "two hosts, one port, tcp",
	  { .dst = "192.0.2.80", .proto = 6 },
	  { .src = "10.1.0.6", .dst = "192.0.2.80", .proto = 6 } },
	{ "two pings",
	  { .dst = "192.0.2.80", .proto = 1 },
	  { .src = "10.1.0.6", .dst = "192.0.2.80", .proto = 1 } },
	{ "a port below the range",
	  { .dst = "192.0.2.80", .sport = 1000 },
	  { .src = "10.1.0.6", .dst = "192.0.2.80", .sport = 1000 } },
	{ "a ping's identifier below the range",
	  { .dst = "192.0.2.80", .proto = 1, .sport = 7 },
	  { .src = "10.1.0.6", .dst = "192.0.2.80", .proto = 1, .sport = 7 } },
};

/* Collisions: another port, and each answer finds its host. */
Test(engine_ports, breakout_port_collision)
{
	for (size_t i = 0; i < sizeof(napt_rows) / sizeof(napt_rows[0]); i++) {
		const struct napt_row *row = &napt_rows[i];
		const struct say *says[2] = { &row->first, &row->second };
		struct world *w = two_routers();
		struct got g[2], back;

		for (int n = 0; n < 2; n++) {
			client_says(w, says[n]);
			cr_assert(got_out(&w->r[R1], &g[n]), "%s", row->name);
			cr_assert_geq(g[n].t.sport, 16384, "%s", row->name);
			cr_assert_leq(g[n].t.sport, 65534, "%s", row->name);
		}
		cr_assert_neq(g[0].t.sport, g[1].t.sport, "%s", row->name);
		for (int n = 0; n < 2; n++) {
			struct say answer = answer_to(says[n]);

			if (says[n]->proto == FL_IPPROTO_TCP)
				continue;
			internet_answers(w, R1, &g[n]);
			cr_assert(got_out(&w->r[R1], &back));
			cr_assert(arrived_as(&back, &answer, 1), "%s", row->name);
			/* The next one goes out as the first did. */
			client_says(w, says[n]);
			cr_assert(got_out(&w->r[R1], &back));
			cr_assert(fl_tuple_equal(&back.t, &g[n].t), "%s", row->name);
		}
		world_free(w);
	}
}

/* Protocols without ports: one session for each destination, the second is refused. */
Test(engine_ports, breakout_without_ports)
{
	struct say gre = { .dst = "192.0.2.80", .proto = 47 };
	struct say other = { .src = "10.1.0.6", .dst = "192.0.2.80", .proto = 47 };
	struct say in = { .src = "192.0.2.80", .dst = "100.64.0.1", .proto = 47 };
	struct world *w = two_routers();
	struct say answer = answer_to(&gre);
	struct drops before;
	struct got g;

	client_says(w, &gre);
	cr_assert(got_out(&w->r[R1], &g));
	cr_assert_eq(g.t.src[0], 100);
	cr_assert_eq(host_says(w, R1, DEV_INET, &in), MODEL_SENT);
	assert_arrived(&w->r[R1], &answer, 1);
	client_says(w, &gre);
	cr_assert_eq(drain_out(&w->r[R1]), 1);
	before = drops_of(&w->r[R1]);
	client_says(w, &other);
	assert_dropped(&w->r[R1], before, FL_DROP_NAT_PORTS, 1);
	world_free(w);
}

/* Service source-nat disabled overrides the interface. */
Test(engine_ports, breakout_without_source_nat)
{
	struct world_opts opts = { .internet = ",'source-nat':'disabled'" };
	struct world *w = world_new(&opts);

	client_says(w, &web);
	assert_arrived(&w->r[R1], &web, 1);
	world_free(w);
}

/* Destination NAT: address only; the answer comes from where the host had sent to. */
Test(engine_ports, destination_nat)
{
	struct world_opts opts = { .lan_route = "'next-hop':{'interface':'lan0'},"
						"'nat-target':'10.2.0.99'" };
	struct world *w = world_new(&(struct world_opts){ 0 });
	struct say there = { .dst = "10.2.0.99" }, answer = answer_to(&there),
		   back = answer_to(&dns);

	router_configure(&w->r[R2], &opts);
	client_says(w, &dns);
	assert_arrived(&w->r[R2], &there, 2);
	lan_says(w, R2, &answer);
	assert_arrived(&w->r[R1], &back, 2);
	world_free(w);
}

/* Two hosts behind R1 ping with one identifier through the hub: each gets its own answers. */
Test(engine_ports, breakout_at_the_peer_of_two_pings)
{
	struct world_opts opts = {
		.routes = ",{'name':'hub','service-name':'internet','peer':'r2'}",
	};
	struct world *w = two_routers();
	const struct say s[2] = {
		{ .dst = "192.0.2.80", .proto = 1, .sport = 20000 },
		{ .src = "10.1.0.6", .dst = "192.0.2.80", .proto = 1, .sport = 20000 },
	};
	struct got g[2], wire;

	router_configure(&w->r[R1], &opts);
	router_link(&w->r[R1], DEV_INET, false);
	for (int n = 0; n < 4; n++) {
		for (int i = 0; i < 2; i++) {
			client_says(w, &s[i]);
			cr_assert(got_out(&w->r[R2], &g[i]), "%d", n);
		}
		cr_assert_eq(g[0].t.sport, 20000);
		cr_assert_neq(g[1].t.sport, 20000);
		for (int i = 1; i >= 0; i--) {
			struct say answer = answer_to(&s[i]);

			w->hold = true;
			internet_answers(w, R2, &g[i]);
			/* On the wire it is R1's host's message already. */
			cr_assert(peek_wire(w, 0, &wire));
			w->hold = false;
			world_run(w);
			assert_arrived(&w->r[R1], &answer, 2);
		}
	}
	cr_assert_eq(router_drops(&w->r[R2]), 0);
	world_free(w);
}

/* Breakout at a hub: NAPT for sessions that peers announce. */
Test(engine_ports, breakout_at_the_peer)
{
	static const uint8_t protos[] = { FL_IPPROTO_UDP, FL_IPPROTO_ICMP };
	struct world_opts opts = {
		.routes = ",{'name':'hub','service-name':'internet','peer':'r2'}",
	};

	for (size_t i = 0; i < sizeof(protos); i++) {
		struct world *w = two_routers();
		struct say s = { .dst = "192.0.2.80", .proto = protos[i], .sport = 7 },
			   answer = answer_to(&s);
		struct got g;

		/* R1's own way out is gone: the hub's is taken. */
		router_configure(&w->r[R1], &opts);
		router_link(&w->r[R1], DEV_INET, false);
		for (int n = 0; n < 4; n++) {
			client_says(w, &s);
			cr_assert(got_out(&w->r[R2], &g), "%u: %d", protos[i], n);
			cr_assert_eq(g.f->dev, DEV_INET);
			cr_assert_eq(g.t.src[0], 100);
			internet_answers(w, R2, &g);
			assert_arrived(&w->r[R1], &answer, 2);
		}
		cr_assert_eq(router_state(&w->r[R1]), SETTLED);
		cr_assert_eq(router_state(&w->r[R2]), SETTLED);
		world_free(w);
	}
}
