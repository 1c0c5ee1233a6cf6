// SPDX-License-Identifier: Apache-2.0
/*
 * Quiet sessions (svr-protocol.md 3.4): inactivity-based recovery with health checks (TLV 46,
 * P-18), and keep-alives (P-19).
 */
#include "test/unit/engine_test.h"

static const struct say dns = { 0 };

#define INACTIVITY ",'session-recovery-detection':{'mode':'inactivity-based'}"

static struct world *watchful(void)
{
	return world_new(&(struct world_opts){ .authority = INACTIVITY });
}

/* What the client's next packet carries in TLV 46; 0: it is bare. Not delivered. */
static uint8_t next_question(struct world *w, struct got *g)
{
	client_says(w, &dns);
	cr_assert(got_wire(w, g));
	return g->meta && fl_meta_has(&g->o.meta, FL_META_HEALTH) ? g->o.meta.health : 0;
}

/* Opposite direction idle for 5 s: TLV 46 = 1 on the next data packet, on that one only. */
Test(engine_recover, silence_is_asked_about_on_the_next_packet)
{
	struct world *w = watchful();
	struct got g;

	establish(w, &dns);
	w->hold = true;
	world_advance(w, 4500);
	cr_assert_eq(next_question(w, &g), 0, "4.5 s");
	cr_assert(!g.meta);
	world_advance(w, 3000);
	cr_assert_eq(next_question(w, &g), FL_HEALTH_REQUEST);
	cr_assert_eq(g.o.payload_len, 32, "a data packet");
	cr_assert_not(fl_meta_has(&g.o.meta, FL_META_FORWARD));
	cr_assert_not(w->r[R1].t.sessions[1].flags & FL_SESSION_HEALTH);
	cr_assert_eq(next_question(w, &g), 0, "once");
	cr_assert(!g.meta);
	world_free(w);
}

/* The peer answers control 8, and passes the packet on; nobody signals anew. */
Test(engine_recover, the_peer_says_that_the_session_exists)
{
	struct world *w = watchful();
	struct got g;

	establish(w, &dns);
	w->hold = true;
	world_advance(w, 4500);
	next_question(w, &g);
	world_advance(w, 3000);
	cr_assert_eq(next_question(w, &g), FL_HEALTH_REQUEST);
	world_deliver(w, g.f);
	assert_arrived(&w->r[R2], &dns, 2);
	cr_assert_eq(router_state(&w->r[R2]), SETTLED);
	cr_assert_eq(w->r[R2].t.stats[FL_STAT_HEALTH_RX], 1);
	cr_assert(got_wire(w, &g));
	cr_assert_eq(g.o.meta.control, FL_CONTROL_EXISTS);
	world_deliver(w, g.f);
	cr_assert_eq(drain_out(&w->r[R1]), 0);
	cr_assert_eq(router_state(&w->r[R1]), SETTLED);
	cr_assert_eq(w->r[R1].t.sessions[router_session(&w->r[R1])].health_tries, 0);
	cr_assert_eq(w->r[R1].t.stats[FL_STAT_RESIGNALLED], 0);
	world_free(w);
}

/* ... or 2 (none), and then the session is introduced again. */
Test(engine_recover, the_peer_says_that_it_has_lost_the_session)
{
	struct world *w = watchful();
	struct got g;

	establish(w, &dns);
	router_forget_all(&w->r[R2]);
	w->hold = true;
	world_advance(w, 4500);
	next_question(w, &g);
	world_advance(w, 3000);
	cr_assert_eq(next_question(w, &g), FL_HEALTH_REQUEST);
	world_deliver(w, g.f);
	cr_assert(got_wire(w, &g));
	cr_assert_eq(g.o.meta.control, FL_CONTROL_ENABLE);
	cr_assert_eq(w->wire.count, 0, "one answer");
	world_deliver(w, g.f);
	w->hold = false;
	client_says(w, &dns);
	assert_arrived(&w->r[R2], &dns, 2);
	world_free(w);
}

/* P-17 holds for these answers too. */
Test(engine_recover, answers_about_unknown_sessions_are_limited)
{
	struct world *w = two_routers();
	struct fl_meta m = { .has = FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_HEALTH),
			     .security_id = 1,
			     .health = FL_HEALTH_REQUEST };
	const struct craft c = { .from = R1, .meta = &m, .payload = "x", .len = 1 };

	w->hold = true;
	for (int i = 0; i < 20; i++)
		craft_send(w, &c);
	cr_assert_eq(drain_wire(w), 1);
	world_free(w);
}

/* P-18: three tries, 2 s apart, the last with value 2; then as after a failure: signalled anew. */
Test(engine_recover, p18_no_answer_in_three_tries)
{
	static const uint8_t want[] = { FL_HEALTH_REQUEST, FL_HEALTH_REQUEST, FL_HEALTH_TIMEOUT };
	struct world *w = watchful();
	uint64_t asked_ns[3] = { 0 };
	unsigned int asked = 0;
	struct got g = { 0 };

	establish(w, &dns);
	w->hold = true;
	for (int i = 0; i < 200 && !fl_meta_has(&g.o.meta, FL_META_FORWARD); i++) {
		uint8_t question;

		world_advance(w, 100);
		question = next_question(w, &g);
		if (!question)
			continue;
		cr_assert_lt(asked, 3);
		cr_assert_eq(question, want[asked]);
		asked_ns[asked++] = w->mono_ns;
	}
	cr_assert(fl_meta_has(&g.o.meta, FL_META_FORWARD), "signalled anew");
	cr_assert_eq(asked, 3);
	for (int i = 1; i < 3; i++) {
		cr_assert_geq(asked_ns[i] - asked_ns[i - 1], 2000 * FL_NS_PER_MS);
		cr_assert_leq(asked_ns[i] - asked_ns[i - 1], 2300 * FL_NS_PER_MS);
	}
	cr_assert_eq(w->r[R1].t.stats[FL_STAT_HEALTH_TX], 3);
	cr_assert_eq(w->r[R1].t.stats[FL_STAT_RESIGNALLED], 1);
	/* The peer is heard again: all is well, and the next silence counts from one. */
	world_deliver(w, g.f);
	server_says(w, &dns);
	world_run(w);
	cr_assert_eq(router_state(&w->r[R1]), SETTLED);
	world_advance(w, 2500);
	cr_assert_eq(w->r[R1].t.sessions[router_session(&w->r[R1])].health_tries, 0);
	world_free(w);
}

/* The last question is answered too. */
Test(engine_recover, p18_value_2_is_a_question)
{
	struct world *w = two_routers();
	struct fl_meta m = { .has = FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_HEALTH),
			     .security_id = 1,
			     .health = FL_HEALTH_TIMEOUT };
	struct craft c = { .from = R1, .meta = &m, .payload = "x", .len = 1 };
	const struct fl_session *s;
	struct got g;

	establish(w, &dns);
	s = &w->r[R2].t.sessions[router_session(&w->r[R2])];
	c.sport = s->in.remote_port;
	c.dport = s->in.local_port;
	w->hold = true;
	craft_send(w, &c);
	cr_assert(got_wire(w, &g));
	cr_assert_eq(g.o.meta.control, FL_CONTROL_EXISTS);
	world_free(w);
}

/* Both directions: the responder's side asks as well. */
Test(engine_recover, the_responders_side_asks_too)
{
	struct world *w = watchful();
	struct got g;
	bool asked = false;

	establish(w, &dns);
	w->hold = true;
	for (int i = 0; i < 80 && !asked; i++) {
		world_advance(w, 100);
		server_says(w, &dns);
		cr_assert(got_wire(w, &g));
		asked = g.meta && fl_meta_has(&g.o.meta, FL_META_HEALTH);
	}
	cr_assert(asked);
	world_deliver(w, g.f);
	cr_assert(got_wire(w, &g));
	cr_assert_eq(g.f->router, R1);
	cr_assert_eq(g.o.meta.control, FL_CONTROL_EXISTS);
	world_deliver(w, g.f);
	cr_assert_eq(router_state(&w->r[R1]), SETTLED);
	cr_assert_eq(router_state(&w->r[R2]), SETTLED);
	world_free(w);
}

/* Who sends nothing asks nothing; who hears something neither; packet-based never. */
Test(engine_recover, nothing_is_asked_without_need)
{
	struct world *w = watchful();

	establish(w, &dns);
	world_advance(w, 20000);
	for (int i = 0; i < 200; i++) {
		world_advance(w, 100);
		client_says(w, &dns);
		server_says(w, &dns);
	}
	cr_assert_eq(w->r[R1].t.stats[FL_STAT_HEALTH_TX], 0);
	cr_assert_eq(w->r[R2].t.stats[FL_STAT_HEALTH_TX], 0);
	world_free(w);
	w = two_routers();
	establish(w, &dns);
	for (int i = 0; i < 200; i++) {
		world_advance(w, 100);
		client_says(w, &dns);
	}
	cr_assert_eq(w->r[R1].t.stats[FL_STAT_HEALTH_TX], 0);
	world_free(w);
}

/* --- keep-alives ------------------------------------------------------------------------------ */

struct alive_row {
	const char *name;
	const char *types;
	const char *adjacency;
	struct say first;
	uint64_t run_ms;
	size_t want;
};

#define TYPE(timeout)                                                                              \
	",'session-type':[{'name':'kept','nat-keep-alive':true,'timeout':" timeout                 \
	",'transport':[{'protocol':'udp'},{'protocol':'tcp'}]}]"

static const struct alive_row alive_rows[] = {
	{ "udp: every 30 s", TYPE("1000000"), NULL, { 0 }, 100000, 3 },
	{ "tcp: every 1800 s", TYPE("10000000"), NULL, { .proto = 6, .seq = 1 }, 1850000, 1 },
	{ "as configured",
	  TYPE("1000000"),
	  ",'nat-keep-alive':{'udp-inactivity-timeout':10}",
	  { 0 },
	  35000,
	  3 },
	{ "only with nat-keep-alive", "", NULL, { 0 }, 100000, 0 },
	{ "mode disabled",
	  TYPE("1000000"),
	  ",'nat-keep-alive':{'mode':'disabled'}",
	  { 0 },
	  100000,
	  0 },
};

Test(engine_recover, keep_alives)
{
	for (size_t i = 0; i < sizeof(alive_rows) / sizeof(alive_rows[0]); i++) {
		const struct alive_row *row = &alive_rows[i];
		struct world_opts opts = { .authority = row->types, .adjacency = row->adjacency };
		struct world *w = world_new(&opts);
		size_t seen = 0;
		struct got g;

		establish(w, &row->first);
		w->hold = true;
		for (uint64_t ms = 0; ms < row->run_ms; ms += 100) {
			world_advance(w, 100);
			while (got_wire(w, &g)) {
				cr_assert_eq(g.f->router, R1, "the initiator's side");
				cr_assert_eq(g.o.meta.control, FL_CONTROL_KEEPALIVE);
				world_deliver(w, g.f);
				seen++;
			}
		}
		cr_assert_eq(seen, row->want, "%s: %zu", row->name, seen);
		cr_assert_eq(w->r[R2].t.stats[FL_STAT_CONTROL_KEEPALIVE_RX], row->want);
		cr_assert_eq(drain_out(&w->r[R2]), 0);
		world_free(w);
	}
}

/* P-19: it does not refresh the session's timeout. */
Test(engine_recover, p19_a_keep_alive_is_no_use)
{
	struct world_opts opts = { .authority = TYPE("100000") };
	struct world *w = world_new(&opts);

	establish(w, &dns);
	world_advance(w, 99000);
	cr_assert_eq(w->r[R2].t.stats[FL_STAT_CONTROL_KEEPALIVE_RX], 3);
	cr_assert_eq(router_sessions(&w->r[R1]), 1);
	world_advance(w, 2000);
	cr_assert_eq(router_sessions(&w->r[R1]), 0);
	cr_assert_eq(router_sessions(&w->r[R2]), 0);
	world_free(w);
}

/* A question that no packet has taken along yet must not stand in for metadata that is due. */
Test(engine_recover, a_question_gives_way_to_a_handshake)
{
	struct world *w = watchful();
	struct router *r = &w->r[R2];
	struct fl_session *s;
	struct fl_meta m = craft_forward(&dns, 0);
	struct craft c = { .from = R1, .meta = &m, .payload = "x", .len = 1 };
	struct got g;

	establish(w, &dns);
	w->hold = true;
	s = &r->t.sessions[router_session(r)];
	memcpy(m.uuid, s->uuid, 16);
	c.sport = s->in.remote_port;
	c.dport = s->in.local_port;
	s->flags |= FL_SESSION_HEALTH;
	s->health_tries = 1 | FL_HEALTH_BACK;
	fl_engine_flow(r->engine, router_session(r), FL_REVERSE)->state = FL_FLOW_TX_META;
	craft_send(w, &c);
	server_says(w, &dns);
	cr_assert(got_wire(w, &g) && fl_meta_has(&g.o.meta, FL_META_REVERSE));
	cr_assert_eq(router_state(r), SEND_R);
	world_free(w);
}

/* A question not yet asked is withdrawn when the other side is heard. */
Test(engine_recover, a_question_that_is_answered_before_it_is_asked)
{
	struct world *w = watchful();
	struct router *r = &w->r[R1];
	struct fl_session *s;

	establish(w, &dns);
	w->hold = true;
	world_advance(w, 4000);
	client_says(w, &dns);
	drain_wire(w);
	s = &r->t.sessions[router_session(r)];
	for (int i = 0; i < 40 && !s->health_tries; i++)
		world_advance(w, 100);
	cr_assert_eq(s->health_tries, 1);
	cr_assert_eq(router_state(r), STATE(FL_FLOW_TX_META, 0));
	server_says(w, &dns);
	w->hold = false;
	world_run(w);
	world_advance(w, 2500);
	cr_assert_eq(s->health_tries, 0);
	cr_assert_eq(router_state(r), SETTLED);
	world_free(w);
}
