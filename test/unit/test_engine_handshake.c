// SPDX-License-Identifier: Apache-2.0
/*
 * The metadata handshake, row by row of the table in svr-protocol.md 3.2: the initiator's router,
 * the responder's, and what they generate (P-13, P-14). Replacement and collisions are in
 * test_engine_replace.c.
 */
#include "test/unit/engine_test.h"

static const struct say dns = { 0 };

/* --- initiator -------------------------------------------------------------------------------- */

/* I SEND_F, LAN packet: rewrite and F metadata; stay. All of a burst carry the same. */
Test(engine_handshake, i_send_f_every_packet_of_a_burst_carries_the_same_metadata)
{
	struct world *w = two_routers();
	struct say second = { .len = 33 };
	struct got g[3];
	char path[FL_ADDR_TEXT];

	w->hold = true;
	client_says(w, &dns);
	client_says(w, &second);
	client_says(w, &dns);
	cr_assert_eq(w->wire.count, 3);
	for (int i = 0; i < 3; i++) {
		const struct fl_meta *m = &g[i].o.meta;

		cr_assert(got_wire(w, &g[i]));
		cr_assert(g[i].meta);
		cr_assert_eq(fl_meta_check_forward(m), 0);
		cr_assert_eq(m->has, g[0].o.meta.has);
		cr_assert_eq(memcmp(m->uuid, g[0].o.meta.uuid, 16), 0);
		cr_assert_eq(m->uuid[6] >> 4, 4, "UUIDv4");
		cr_assert_eq(m->security_id, 1);
		cr_assert_eq(m->forward.sport, 40000);
		cr_assert_eq(m->forward.dport, 53);
		cr_assert_eq(m->forward.src[3], 5);
		cr_assert_eq(m->forward.dst[3], 53);
		cr_assert_eq(strncmp(m->tenant.s, "staff", m->tenant.len), 0);
		cr_assert_eq(strncmp(m->service.s, "datacenter", m->service.len), 0);
		cr_assert_eq(strncmp(m->source_router.s, "r1", m->source_router.len), 0);
		cr_assert_eq(strncmp(m->pathway.s, "198.51.100.1", m->pathway.len), 0);
		cr_assert_eq(g[i].o.payload_len, i == 1 ? 33 : 32);
		cr_assert(fl_tuple_equal(&g[i].t, &g[0].t));
		cr_assert_eq(g[i].p.hdr.ttl, 63);
	}
	cr_assert_str_eq(
		fl_addr_format(&(struct fl_addr){ .family = 4, .b = { 198, 51, 100, 1 } }, path),
		"198.51.100.1");
	cr_assert_eq(g[0].t.src[0], 198);
	cr_assert_eq(g[0].t.sport % 2, 0, "ours is even");
	cr_assert_eq(g[0].t.dport % 2, 1, "the peer's is odd");
	cr_assert_eq(router_state(&w->r[R1]), SEND_F);
	cr_assert_eq(router_sessions(&w->r[R1]), 1);
	cr_assert_eq(w->r[R1].punts[FL_PUNT_NEW], 1);
	cr_assert_eq(w->r[R1].punts[FL_PUNT_SIGNAL], 2);
	world_free(w);
}

/* P-15: packets that were queued before the flow was there. */
Test(engine_handshake, i_packets_in_the_queue_before_the_flow_join_its_session)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R1];
	static uint8_t packet[FL_MAX_FRAME];
	size_t len = say_packet(&dns, packet);
	const struct model_punt queued = { .reason = FL_PUNT_NEW,
					   .hook = FL_HOOK_TC_INGRESS,
					   .iface = router_iface(r, DEV_LAN),
					   .slot = FL_NO_SLOT };
	struct got g;

	w->hold = true;
	for (int i = 0; i < 3; i++)
		model_hand_up(r, &queued, packet, len);
	cr_assert_eq(router_sessions(r), 1);
	for (int i = 0; i < 3; i++)
		cr_assert(got_wire(w, &g) && fl_meta_has(&g.o.meta, FL_META_FORWARD));
	world_free(w);
}

/* What each of these packets from the peer does to I SEND_F. */
enum from_peer { R_META, R_META_EMPTY, TLV18, CONTROL_DISABLE, BARE, FENCED, WRONG_CONTEXT };

struct i_row {
	const char *clause;
	enum from_peer packet;
	unsigned int state; /* afterwards */
	bool arrives;
	enum fl_drop_reason drop;
};

static const struct i_row i_rows[] = {
	{ "packet with R metadata: stop F -> EST", R_META, SETTLED, true, 0 },
	{ "the same with an empty datagram", R_META_EMPTY, SETTLED, true, 0 },
	{ "TLV 18: stop F, drop the packet", TLV18, SETTLED, false, 0 },
	{ "control 3: stop F -> EST", CONTROL_DISABLE, SETTLED, false, 0 },
	{ "without metadata: P-13, drop", BARE, SEND_F, false, FL_DROP_NOT_ACKED },
	{ "without metadata but proven: P-13, accept, stay", FENCED, SEND_F, true, 0 },
	{ "reverse context of another session", WRONG_CONTEXT, SEND_F, false,
	  FL_DROP_META_UNEXPECTED },
};

static void i_packet(struct world *w, enum from_peer what)
{
	const struct fl_session *s = fl_engine_session(w->r[R1].engine, router_session(&w->r[R1]));
	static const uint8_t cookie[16] = { FL_META_COOKIE_BYTES };
	struct fl_meta m = craft_reverse(&dns);
	struct craft c = { .from = R2,
			   .sport = s->out.remote_port,
			   .dport = s->out.local_port,
			   .payload = "answer",
			   .len = 6,
			   .meta = &m };

	switch (what) {
	case R_META_EMPTY:
		c.len = 0;
		break;
	case TLV18:
		m.has |= FL_META_BIT(FL_META_DISABLE_FORWARD);
		c.len = 0;
		break;
	case CONTROL_DISABLE:
		m = craft_control(FL_CONTROL_DISABLE);
		c.len = 0;
		break;
	case BARE:
		c.meta = NULL;
		break;
	case FENCED:
		c.meta = NULL;
		c.seal = true;
		c.payload = cookie;
		c.len = sizeof(cookie);
		break;
	case WRONG_CONTEXT:
		m.reverse.sport++;
		break;
	case R_META:
		break;
	}
	craft_send(w, &c);
}

Test(engine_handshake, i_send_f_by_what_the_peer_sends)
{
	for (size_t i = 0; i < sizeof(i_rows) / sizeof(i_rows[0]); i++) {
		const struct i_row *row = &i_rows[i];
		struct world *w = two_routers();
		struct router *r = &w->r[R1];
		struct drops before;

		w->hold = true;
		client_says(w, &dns);
		drain_wire(w);
		before = drops_of(r);
		i_packet(w, row->packet);
		cr_assert_eq(router_state(r), row->state, "%s: %#x", row->clause, router_state(r));
		cr_assert_eq(drain_out(r), row->arrives, "%s", row->clause);
		assert_dropped(r, before, row->drop, row->drop ? 1 : 0);
		world_free(w);
	}
}

/* P-13 for a packet that the data plane found no flow for, because it was not there yet. */
Test(engine_handshake, i_send_f_bare_packet_from_the_queue_is_dropped)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R1];
	static uint8_t packet[FL_MAX_FRAME];
	const struct fl_session *s;
	struct craft c = { .from = R2, .payload = "answer", .len = 6 };
	struct model_punt queued = { .reason = FL_PUNT_BARE, .slot = FL_NO_SLOT };
	struct drops before;

	w->hold = true;
	client_says(w, &dns);
	s = fl_engine_session(r->engine, router_session(r));
	c.sport = s->out.remote_port;
	c.dport = s->out.local_port;
	queued.iface = router_iface(r, DEV_WAN1);
	queued.path = router_path(r, DEV_WAN1);
	before = drops_of(r);
	model_hand_up(r, &queued, packet, craft_packet(w, &c, packet));
	assert_dropped(r, before, FL_DROP_NOT_ACKED, 1);
	cr_assert_eq(router_state(r), SEND_F);
	cr_assert_eq(drain_out(r), 0);
	world_free(w);
}

/* I EST, packet with R metadata again: strip, forward; stay. And bare packets from then on. */
Test(engine_handshake, i_est_accepts_reverse_metadata_again)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R1];
	struct got g;

	w->hold = true;
	client_says(w, &dns);
	i_packet(w, R_META);
	drain_wire(w);
	i_packet(w, R_META);
	cr_assert_eq(router_state(r), SETTLED);
	cr_assert_eq(drain_out(r), 2);
	client_says(w, &dns);
	cr_assert(got_wire(w, &g));
	cr_assert(!g.meta);
	cr_assert_eq(r->forwarded, 1);
	i_packet(w, BARE);
	cr_assert_eq(drain_out(r), 1);
	world_free(w);
}

/* Control 3 must leave nothing behind that makes the peer's bare packets be dropped. */
Test(engine_handshake, i_after_control_3_bare_packets_pass_both_ways)
{
	struct world *w = two_routers();
	struct got g;

	w->hold = true;
	client_says(w, &dns);
	i_packet(w, CONTROL_DISABLE);
	drain_wire(w);
	client_says(w, &dns);
	cr_assert(got_wire(w, &g));
	cr_assert(!g.meta);
	i_packet(w, BARE);
	cr_assert_eq(drain_out(&w->r[R1]), 1);
	world_free(w);
}

/* --- responder -------------------------------------------------------------------------------- */

/* R new, valid F: session, forward -> SEND_R. */
Test(engine_handshake, r_new_valid_forward_metadata_opens_the_session)
{
	struct world *w = two_routers();
	const struct fl_session *s[2];

	client_says(w, &dns);
	assert_arrived(&w->r[R2], &dns, 2);
	cr_assert_eq(router_state(&w->r[R2]), SEND_R);
	cr_assert_eq(router_state(&w->r[R1]), SEND_F);
	for (int i = 0; i < 2; i++)
		s[i] = fl_engine_session(w->r[i].engine, router_session(&w->r[i]));
	cr_assert_eq(memcmp(s[0]->uuid, s[1]->uuid, 16), 0);
	cr_assert_eq(s[0]->out.local_port, s[1]->in.remote_port);
	cr_assert_eq(s[0]->out.remote_port, s[1]->in.local_port);
	cr_assert_eq(s[1]->out.kind, FL_SIDE_LAN);
	cr_assert_str_eq(fl_store_name_text(w->r[R2].engine->store, s[1]->tenant), "staff");
	cr_assert_str_eq(fl_store_name_text(w->r[R2].engine->store, s[1]->source_router), "r1");
	world_free(w);
}

/* R SEND_R, LAN reverse packet: rewrite and R metadata and TLV 18; stay. */
Test(engine_handshake, r_send_r_answers_carry_reverse_metadata)
{
	struct world *w = two_routers();
	struct say answer = answer_to(&dns);
	struct got g;

	client_says(w, &dns);
	w->hold = true;
	for (int i = 0; i < 3; i++) {
		server_says(w, &dns);
		cr_assert(got_wire(w, &g));
		cr_assert(g.meta);
		cr_assert(fl_meta_has(&g.o.meta, FL_META_DISABLE_FORWARD));
		cr_assert(fl_meta_has(&g.o.meta, FL_META_SECURITY_ID));
		cr_assert_eq(fl_meta_check_reverse(&g.o.meta), 0);
		cr_assert_eq(g.o.meta.reverse.sport, 53, "responder first");
		cr_assert_eq(g.o.meta.reverse.dport, 40000);
		cr_assert_eq(g.o.meta.reverse.src[3], 53);
		cr_assert_eq(strncmp(g.o.meta.pathway.s, "198.51.100.2", g.o.meta.pathway.len), 0);
		cr_assert_eq(g.o.payload_len, 32);
		cr_assert_eq(router_state(&w->r[R2]), SEND_R);
	}
	world_deliver(w, g.f);
	assert_arrived(&w->r[R1], &answer, 2);
	world_free(w);
}

/* R SEND_R, F with the same UUID and context: strip, forward, no new session; stay. */
Test(engine_handshake, r_send_r_duplicate_metadata_only_passes_its_packet)
{
	struct world *w = two_routers();
	struct drops before;

	client_says(w, &dns);
	drain_out(&w->r[R2]);
	before = drops_of(&w->r[R2]);
	for (int i = 1; i <= 3; i++) {
		client_says(w, &dns);
		assert_arrived(&w->r[R2], &dns, 2);
		cr_assert_eq(router_state(&w->r[R2]), SEND_R);
		cr_assert_eq(router_sessions(&w->r[R2]), 1);
		cr_assert_eq(w->r[R2].t.stats[FL_STAT_META_DUPLICATE], i);
	}
	cr_assert_eq(w->r[R2].t.stats[FL_STAT_SESSIONS_OPENED], 1);
	assert_no_drops(&w->r[R2], before);
	world_free(w);
}

/* R SEND_R, forward packet without metadata: stop R -> EST. */
Test(engine_handshake, r_send_r_bare_packet_ends_reverse_metadata)
{
	struct world *w = two_routers();
	struct got g;

	client_says(w, &dns);
	server_says(w, &dns);
	cr_assert_eq(router_state(&w->r[R2]), SEND_R);
	client_says(w, &dns);
	cr_assert_eq(router_state(&w->r[R2]), SETTLED);
	cr_assert_eq(w->r[R2].t.stats[FL_STAT_HANDSHAKE_DONE], 1);
	w->hold = true;
	server_says(w, &dns);
	cr_assert(got_wire(w, &g));
	cr_assert(!g.meta);
	world_free(w);
}

/* The same for a bare packet that the data plane handed up, and for one behind a fence. */
Test(engine_handshake, r_send_r_fenced_packet_counts_as_bare)
{
	static const uint8_t cookie[16] = { FL_META_COOKIE_BYTES };
	struct say odd = { .payload = cookie, .len = sizeof(cookie) };
	struct world *w = two_routers();

	client_says(w, &dns);
	server_says(w, &dns);
	drain_out(&w->r[R2]);
	client_says(w, &odd);
	assert_arrived(&w->r[R2], &odd, 2);
	cr_assert_eq(router_state(&w->r[R2]), SETTLED);
	cr_assert_eq(w->r[R2].t.stats[FL_STAT_HANDSHAKE_DONE], 1);
	world_free(w);
}

/* --- generated packets (P-14) ----------------------------------------------------------------- */

static void assert_generated(const struct got *g)
{
	cr_assert(g->meta);
	cr_assert(fl_meta_has(&g->o.meta, FL_META_SECURITY_ID));
	cr_assert(fl_meta_has(&g->o.meta, FL_META_DISABLE_FORWARD));
	cr_assert(fl_meta_has(&g->o.meta, FL_META_REVERSE));
	cr_assert_eq(g->o.payload_len, 0, "no user data");
}

/* Send @count more F packets one by one; how many acknowledgements come back. */
static size_t acks_after(struct world *w, int count)
{
	size_t acks = 0;
	struct got g;

	w->hold = true;
	for (int i = 0; i < count; i++) {
		client_says(w, &dns);
		cr_assert(got_wire(w, &g) && fl_meta_has(&g.o.meta, FL_META_FORWARD));
		world_deliver(w, g.f);
		while (got_wire(w, &g)) {
			assert_generated(&g);
			acks++;
		}
	}
	return acks;
}

Test(engine_handshake, p14_acknowledges_after_five_forward_packets_and_five_more)
{
	struct world *w = two_routers();

	cr_assert_eq(acks_after(w, 4), 0);
	cr_assert_eq(acks_after(w, 1), 1, "the fifth");
	cr_assert_eq(acks_after(w, 4), 0);
	world_leap(w, 1000);
	cr_assert_eq(acks_after(w, 1), 1, "the tenth");
	world_free(w);
}

/* However many F packets there have been: one in five, not every one. */
Test(engine_handshake, p14_keeps_to_one_in_five_for_ever)
{
	struct world *w = two_routers();
	size_t acks = 0;

	for (int i = 0; i < 600; i++) {
		world_leap(w, 1000);
		acks += acks_after(w, 1);
	}
	cr_assert_eq(acks, 120);
	world_free(w);
}

Test(engine_handshake, p14_at_most_five_a_second_for_each_session)
{
	struct world *w = two_routers();
	size_t acks = 0;

	acks_after(w, 1);
	for (int i = 0; i < 100; i++) {
		world_leap(w, 10);
		acks += acks_after(w, 10);
	}
	cr_assert(acks == 5 || acks == 4, "%zu", acks);
	world_free(w);
}

Test(engine_handshake, p14_acknowledges_a_second_after_the_first_packet)
{
	struct world *w = two_routers();
	struct got g;

	client_says(w, &dns);
	w->hold = true;
	world_advance(w, 900);
	cr_assert_eq(w->wire.count, 0);
	world_advance(w, 200);
	cr_assert(got_wire(w, &g));
	assert_generated(&g);
	cr_assert(!got_wire(w, &g));
	world_advance(w, 5000);
	cr_assert_eq(w->wire.count, 0, "once");
	world_free(w);
}

/* The handshake is over: nothing to acknowledge. */
Test(engine_handshake, p14_does_not_acknowledge_an_established_session)
{
	struct world *w = two_routers();

	establish(w, &dns);
	w->hold = true;
	world_advance(w, 3000);
	cr_assert_eq(w->wire.count, 0);
	cr_assert_eq(w->r[R2].t.stats[FL_STAT_GENERATED_ACK], 0);
	world_free(w);
}

/* I, generated packet with TLV 18: stop F, drop the packet. A one-way flow becomes bare. */
Test(engine_handshake, i_generated_packet_ends_forward_metadata_of_a_one_way_flow)
{
	struct world *w = two_routers();
	struct drops before = drops_of(&w->r[R1]);

	client_says(w, &dns);
	world_advance(w, 1200);
	cr_assert_eq(router_state(&w->r[R1]), SETTLED);
	cr_assert_eq(drain_out(&w->r[R1]), 0, "it is for no host");
	client_says(w, &dns);
	cr_assert_eq(w->r[R1].forwarded, 1);
	cr_assert_eq(router_state(&w->r[R2]), SETTLED);
	assert_no_drops(&w->r[R1], before);
	world_free(w);
}

/* TCP: the acknowledgement is a segment of the connection (P-17). */
Test(engine_handshake, p14_over_tcp_is_an_empty_ack)
{
	struct say syn = { .proto = FL_IPPROTO_TCP, .dport = 443, .seq = 100 };
	struct world *w = two_routers();
	struct got g;

	client_says(w, &syn);
	w->hold = true;
	world_advance(w, 1200);
	cr_assert(got_wire(w, &g));
	assert_generated(&g);
	cr_assert_eq(g.p.hdr.proto, FL_IPPROTO_TCP);
	cr_assert_eq(g.p.hdr.tcp_flags, FL_TH_ACK);
	world_deliver(w, g.f);
	cr_assert_eq(drain_out(&w->r[R1]), 0);
	cr_assert_eq(router_state(&w->r[R1]), SETTLED);
	world_free(w);
}
