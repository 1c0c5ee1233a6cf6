// SPDX-License-Identifier: Apache-2.0
/*
 * Control messages and recovery, clause by clause of svr-protocol.md 3.4: enable, disable, delete,
 * exists and what is unknown, with their rate limits (P-17), recovery by packets. Keep-alives and
 * health checks are in test_engine_recover.c.
 */
#include "test/unit/engine_test.h"

static const struct say dns = { 0 };

/* A packet of a session that R2 does not know, from R1. */
static enum model_verdict stray(struct world *w, uint16_t sport, uint16_t dport)
{
	const struct craft c = {
		.from = R1, .sport = sport, .dport = dport, .payload = "hello", .len = 5
	};

	return craft_send(w, &c);
}

/* A control message to a router's newest session, from the peer at its @side. */
static void control(struct world *w, int to, bool out_side, uint8_t value,
		    void (*spoil)(uint8_t *, size_t *))
{
	const struct fl_session *s = &w->r[to].t.sessions[router_session(&w->r[to])];
	const struct fl_side *side = out_side ? &s->out : &s->in;
	struct fl_meta m = craft_control(value);
	const struct craft c = { .from = out_side ? to + 1 : to - 1,
				 .meta = &m,
				 .proto = fl_session_wire_proto(s),
				 .sport = side->remote_port,
				 .dport = side->local_port,
				 .tcp_flags = FL_TH_ACK,
				 .spoil = spoil };

	craft_send(w, &c);
}

/* --- enable metadata -------------------------------------------------------------------------- */

/* Packet without metadata from a known peer, no such flow: reply Enable metadata (2). */
Test(engine_control, stray_packet_is_answered_with_enable_metadata)
{
	struct world *w = two_routers();
	struct drops before = drops_of(&w->r[R2]);
	struct got g;

	w->hold = true;
	stray(w, 0x8000, 0x8001);
	assert_dropped(&w->r[R2], before, FL_DROP_NO_SESSION, 1);
	cr_assert(got_wire(w, &g));
	cr_assert(g.meta);
	cr_assert_eq(g.o.meta.has, FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_CONTROL));
	cr_assert_eq(g.o.meta.control, FL_CONTROL_ENABLE);
	cr_assert_eq(g.o.payload_len, 0);
	cr_assert_eq(g.t.sport, 0x8001, "the same ports, reversed");
	cr_assert_eq(g.t.dport, 0x8000);
	cr_assert_eq(g.f->router, R2);
	cr_assert_eq(w->r[R2].t.stats[FL_STAT_CONTROL_ENABLE_TX], 1);
	cr_assert_eq(router_sessions(&w->r[R2]), 0, "no state");
	world_free(w);
}

/* P-17: TCP sessions by an ACK with the numbers of what it answers. */
Test(engine_control, p17_stray_tcp_is_answered_by_an_ack)
{
	struct world *w = two_routers();
	const struct craft c = { .from = R1,
				 .proto = FL_IPPROTO_TCP,
				 .sport = 0x8000,
				 .dport = 0x8001,
				 .tcp_flags = FL_TH_ACK | FL_TH_PSH,
				 .seq = 1000,
				 .ack = 2000,
				 .payload = "hello",
				 .len = 5 };
	const struct fl_tcp *tcp;
	struct got g;

	w->hold = true;
	craft_send(w, &c);
	cr_assert(got_wire(w, &g));
	cr_assert_eq(g.o.meta.control, FL_CONTROL_ENABLE);
	cr_assert_eq(g.p.hdr.proto, FL_IPPROTO_TCP);
	cr_assert_eq(g.p.hdr.tcp_flags, FL_TH_ACK);
	tcp = (const void *)g.p.l4;
	cr_assert_eq(FL_HOST32(tcp->seq), 2000);
	cr_assert_eq(FL_HOST32(tcp->ack), 1005);
	world_free(w);
}

/* A reset ends what we do not know: nothing to ask. */
Test(engine_control, stray_reset_is_not_answered)
{
	struct world *w = two_routers();
	const struct craft c = { .from = R1,
				 .proto = FL_IPPROTO_TCP,
				 .sport = 0x8000,
				 .dport = 0x8001,
				 .tcp_flags = FL_TH_RST };
	struct drops before = drops_of(&w->r[R2]);

	w->hold = true;
	craft_send(w, &c);
	assert_dropped(&w->r[R2], before, FL_DROP_NO_SESSION, 1);
	cr_assert_eq(w->wire.count, 0);
	world_free(w);
}

/* Outside the waypoints' range a peer's host may talk to ours: none of our business. */
Test(engine_control, traffic_between_the_routers_hosts_is_the_kernels)
{
	struct world *w = two_routers();

	cr_assert_eq(stray(w, 5000, 22), MODEL_KERNEL);
	cr_assert_eq(w->r[R2].punts[FL_PUNT_BARE], 0);
	world_free(w);
}

/* P-17: 1 a second for each flow key. */
Test(engine_control, p17_enable_once_a_second_for_each_flow)
{
	struct world *w = two_routers();

	w->hold = true;
	for (int i = 0; i < 10; i++) {
		stray(w, 0x8000, 0x8001);
		world_leap(w, 90);
	}
	cr_assert_eq(drain_wire(w), 1);
	world_leap(w, 200);
	stray(w, 0x8000, 0x8001);
	stray(w, 0x8000, 0x8001);
	cr_assert_eq(drain_wire(w), 1);
	stray(w, 0x8002, 0x8003);
	cr_assert_eq(drain_wire(w), 1, "another flow");
	world_free(w);
}

/* P-17: 100 a second for each peer. */
Test(engine_control, p17_enable_a_hundred_a_second_for_each_peer)
{
	struct world *w = two_routers();
	struct drops before = drops_of(&w->r[R2]);
	uint16_t port = 0x8000;

	w->hold = true;
	for (int i = 0; i < 300; i++, port += 2)
		stray(w, port, (uint16_t)(port + 1));
	cr_assert_eq(drain_wire(w), 100);
	assert_dropped(&w->r[R2], before, FL_DROP_NO_SESSION, 300);
	world_leap(w, 500);
	for (int i = 0; i < 300; i++, port += 2)
		stray(w, port, (uint16_t)(port + 1));
	cr_assert_eq(drain_wire(w), 50);
	world_free(w);
}

/* The other end verifies and invalidates the flow: its next packet carries metadata. */
Test(engine_control, enable_makes_the_initiator_signal_again)
{
	struct world *w = two_routers();
	struct got g;
	uint8_t uuid[16];

	establish(w, &dns);
	memcpy(uuid, w->r[R1].t.sessions[router_session(&w->r[R1])].uuid, 16);
	w->hold = true;
	control(w, R1, true, FL_CONTROL_ENABLE, NULL);
	cr_assert_eq(drain_out(&w->r[R1]), 0, "control messages are for no host");
	cr_assert_eq(router_state(&w->r[R1]), SEND_F);
	cr_assert(got_wire(w, &g) && fl_meta_has(&g.o.meta, FL_META_FORWARD));
	cr_assert_eq(g.o.payload_len, 0, "at once, if nobody says anything");
	client_says(w, &dns);
	cr_assert(got_wire(w, &g) && fl_meta_has(&g.o.meta, FL_META_FORWARD));
	cr_assert_eq(memcmp(g.o.meta.uuid, uuid, 16), 0, "the UUID never changes");
	world_free(w);
}

/* The peer has lost it, and only the responder has something to say from then on. */
Test(engine_control, a_peer_that_lost_a_download)
{
	static const struct say rows[] = {
		{ 0 }, { .proto = FL_IPPROTO_TCP, .dport = 443, .seq = 100, .tcp_flags = FL_TH_SYN }
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = two_routers();
		struct say more = rows[i];

		establish(w, &rows[i]);
		router_forget_all(&w->r[R2]);
		if (more.proto) {
			more.tcp_flags = FL_TH_ACK;
			more.seq++;
			more.ack = 7001;
			more.no_payload = true;
		}
		client_says(w, &more);
		cr_assert_eq(router_sessions(&w->r[R2]), 1, "row %zu: introduced", i);
		drain_out(&w->r[R1]);
		server_says(w, &rows[i]);
		cr_assert_eq(drain_out(&w->r[R1]), 1, "row %zu", i);
		world_free(w);
	}
}

Test(engine_control, enable_makes_the_responder_signal_again)
{
	struct world *w = two_routers();
	struct got g;

	establish(w, &dns);
	w->hold = true;
	control(w, R2, false, FL_CONTROL_ENABLE, NULL);
	cr_assert_eq(drain_out(&w->r[R2]), 0);
	cr_assert_eq(router_state(&w->r[R2]), SEND_R);
	server_says(w, &dns);
	cr_assert(got_wire(w, &g) && fl_meta_has(&g.o.meta, FL_META_REVERSE));
	world_free(w);
}

/* --- recovery, packet-based ------------------------------------------------------------------- */

struct lost_row {
	const char *name;
	struct say first;
	int routers;
	int who;
};

static const struct lost_row lost_rows[] = {
	{ "responder, udp", { 0 }, 2, R2 },
	{ "responder, udp/IPv6", { .src = "2001:db8:1::5" }, 2, R2 },
	{ "responder, ping", { .proto = FL_IPPROTO_ICMP }, 2, R2 },
	{ "responder, tcp", { .proto = FL_IPPROTO_TCP, .dport = 443, .seq = 100 }, 2, R2 },
	{ "middle, udp", { 0 }, 3, R2 },
	{ "middle, tcp", { .proto = FL_IPPROTO_TCP, .dport = 443, .seq = 100 }, 3, R2 },
	{ "last of three, udp", { 0 }, 3, R3 },
};

/* A router loses all sessions: after one lost packet the conversation goes on, same UUID. */
Test(engine_control, recovery_of_what_a_router_has_lost)
{
	for (size_t i = 0; i < sizeof(lost_rows) / sizeof(lost_rows[0]); i++) {
		const struct lost_row *row = &lost_rows[i];
		struct world *w = world_new(&(struct world_opts){ .routers = row->routers });
		struct say next = row->first, answer = answer_to(&row->first);
		struct router *last = &w->r[row->routers - 1];
		uint8_t uuid[16];

		establish(w, &row->first);
		memcpy(uuid, w->r[R1].t.sessions[router_session(&w->r[R1])].uuid, 16);
		router_forget_all(&w->r[row->who]);
		next.tcp_flags = answer.tcp_flags = FL_TH_ACK;
		client_says(w, &next);
		cr_assert_eq(drain_out(last), 0, "%s: lost", row->name);
		client_says(w, &next);
		assert_arrived(last, &next, row->routers);
		lan_says(w, row->routers - 1, &answer);
		assert_arrived(&w->r[R1], &answer, row->routers);
		client_says(w, &next);
		assert_arrived(last, &next, row->routers);
		for (int r = 0; r < row->routers; r++) {
			uint32_t id = router_session(&w->r[r]);

			cr_assert_eq(memcmp(w->r[r].t.sessions[id].uuid, uuid, 16), 0, "%s",
				     row->name);
			cr_assert_eq(router_sessions(&w->r[r]), 1, "%s", row->name);
			cr_assert_eq(router_state(&w->r[r]), SETTLED, "%s: r%d", row->name, r + 1);
		}
		world_free(w);
	}
}

/* The initiator's router has lost it, and the server speaks first: the client's next packet opens a
 * session that takes the place of the old one. */
Test(engine_control, recovery_of_what_the_initiators_router_has_lost)
{
	struct world *w = two_routers();
	struct say answer = answer_to(&dns);

	establish(w, &dns);
	router_forget_all(&w->r[R1]);
	server_says(w, &dns);
	cr_assert_eq(drain_out(&w->r[R1]), 0);
	client_says(w, &dns);
	assert_arrived(&w->r[R2], &dns, 2);
	server_says(w, &dns);
	assert_arrived(&w->r[R1], &answer, 2);
	cr_assert_eq(router_sessions(&w->r[R2]), 1);
	world_free(w);
}

/* --- what else there is ----------------------------------------------------------------------- */

struct control_row {
	const char *name;
	uint8_t value;
	bool known;               /* a session is there */
	unsigned int state;       /* afterwards, of what was SEND_R before */
	bool gone;                /* the session */
	enum fl_drop_reason drop; /* counted */
	enum fl_stat stat;
};

static const struct control_row control_rows[] = {
	{ "keep-alive", FL_CONTROL_KEEPALIVE, true, SEND_R, false, 0,
	  FL_STAT_CONTROL_KEEPALIVE_RX },
	{ "enable", FL_CONTROL_ENABLE, true, SEND_R, false, 0, FL_STAT_CONTROL_ENABLE_RX },
	{ "disable: stop sending metadata on this flow", FL_CONTROL_DISABLE, true, SETTLED, false,
	  0, FL_STAT_CONTROL_DISABLE_RX },
	{ "delete", FL_CONTROL_DELETE, true, 0, true, 0, FL_STAT_CONTROL_DELETE_RX },
	{ "exists", FL_CONTROL_EXISTS, true, SEND_R, false, 0, FL_STAT_NONE },
	{ "0 is unknown", FL_CONTROL_UNKNOWN, true, SEND_R, false, FL_DROP_CONTROL_UNKNOWN,
	  FL_STAT_NONE },
	{ "5 is unknown", 5, true, SEND_R, false, FL_DROP_CONTROL_UNKNOWN, FL_STAT_NONE },
	{ "255 is unknown", 255, true, SEND_R, false, FL_DROP_CONTROL_UNKNOWN, FL_STAT_NONE },
	{ "enable, no such flow", FL_CONTROL_ENABLE, false, 0, true, FL_DROP_NO_SESSION,
	  FL_STAT_NONE },
	{ "disable, no such flow", FL_CONTROL_DISABLE, false, 0, true, FL_DROP_NO_SESSION,
	  FL_STAT_NONE },
};

Test(engine_control, each_value_of_tlv_24)
{
	for (size_t i = 0; i < sizeof(control_rows) / sizeof(control_rows[0]); i++) {
		const struct control_row *row = &control_rows[i];
		struct world *w = two_routers();
		struct router *r = &w->r[R2];
		struct fl_meta m = craft_control(row->value);
		struct craft c = { .from = R1, .meta = &m, .sport = 0x8000, .dport = 0x8001 };
		struct drops before;
		uint64_t stat;

		w->hold = true;
		if (row->known) {
			client_says(w, &dns);
			world_deliver(w, w->wire.first);
			drain_out(r);
			c.sport = r->t.sessions[router_session(r)].in.remote_port;
			c.dport = r->t.sessions[router_session(r)].in.local_port;
		}
		drain_wire(w);
		before = drops_of(r);
		stat = r->t.stats[row->stat];
		craft_send(w, &c);
		assert_dropped(r, before, row->drop, row->drop ? 1 : 0);
		cr_assert_eq(router_sessions(r), !row->gone, "%s", row->name);
		if (!row->gone)
			cr_assert_eq(router_state(r), row->state, "%s", row->name);
		if (row->stat)
			cr_assert_eq(r->t.stats[row->stat], stat + 1, "%s", row->name);
		cr_assert_eq(drain_out(r), 0, "%s: for no host", row->name);
		cr_assert_eq(w->wire.count, 0, "%s: not answered", row->name);
		world_free(w);
	}
}

static void flip_last_bit(uint8_t *data, size_t *len)
{
	data[*len - 1] ^= 1;
}

/* Only the peer may end a session. */
Test(engine_control, control_messages_need_the_peers_hmac)
{
	static const uint8_t values[] = { FL_CONTROL_ENABLE, FL_CONTROL_DISABLE,
					  FL_CONTROL_DELETE };

	for (size_t i = 0; i < sizeof(values); i++) {
		struct world *w = two_routers();
		struct drops before;

		client_says(w, &dns);
		before = drops_of(&w->r[R2]);
		control(w, R2, false, values[i], flip_last_bit);
		assert_dropped(&w->r[R2], before, FL_DROP_HMAC_MISMATCH, 1);
		cr_assert_eq(router_sessions(&w->r[R2]), 1);
		cr_assert_eq(router_state(&w->r[R2]), SEND_R);
		world_free(w);
	}
}

/* P-20: administrative delete is told to the peer; in the middle it goes on to the far side. */
Test(engine_control, p20_delete_ends_the_session_on_all_routers)
{
	for (int who = R1; who <= R3; who++) {
		struct world *w = world_new(&(struct world_opts){ .routers = 3 });
		uint8_t uuid[16];

		establish(w, &dns);
		memcpy(uuid, w->r[who].t.sessions[router_session(&w->r[who])].uuid, 16);
		cr_assert_eq(fl_engine_clear(w->r[who].engine, uuid), 0);
		world_run(w);
		for (int r = R1; r <= R3; r++) {
			cr_assert_eq(router_sessions(&w->r[r]), 0, "cleared on r%d, r%d", who + 1,
				     r + 1);
			cr_assert_eq(router_drops(&w->r[r]), 0);
		}
		cr_assert_lt(fl_engine_clear(w->r[who].engine, uuid), 0, "gone");
		world_free(w);
	}
}

/* P-20: idle expiry too. */
Test(engine_control, p20_idle_expiry_is_told)
{
	struct world *w = two_routers();
	struct got g;

	establish(w, &dns);
	w->hold = true;
	world_leap(w, 181000);
	fl_engine_tick(w->r[R1].engine);
	cr_assert_eq(router_sessions(&w->r[R1]), 0);
	cr_assert(got_wire(w, &g));
	cr_assert_eq(g.o.meta.control, FL_CONTROL_DELETE);
	world_deliver(w, g.f);
	cr_assert_eq(router_sessions(&w->r[R2]), 0);
	cr_assert_eq(drain_wire(w), 0, "not told back");
	world_free(w);
}

/* What the peer itself has forgotten or replaced it need not be told. */
Test(engine_control, replaced_sessions_are_not_told)
{
	struct world *w = two_routers();
	struct fl_meta m = craft_forward(&dns, 1);
	const struct craft c = { .from = R1, .meta = &m, .payload = "x", .len = 1 };

	w->hold = true;
	craft_send(w, &c);
	memset(m.uuid, 2, 16);
	craft_send(w, &c);
	cr_assert_eq(drain_wire(w), 0);
	world_free(w);
}
