// SPDX-License-Identifier: Apache-2.0
/*
 * Sessions that meet others: signalled again, replaced, in each other's way, replayed, from where
 * they must not come (svr-protocol.md 3.2, 3.3, 3.10, P-45).
 */
#include "test/unit/engine_test.h"

static const struct say dns = { 0 };

/* A session that R1 opened toward R2, as R1 would: forward metadata with a UUID made of @n. */
static enum model_verdict announce(struct world *w, const struct say *say, uint8_t n,
				   uint16_t sport, uint16_t dport)
{
	struct fl_meta m = craft_forward(say, n);
	struct craft c = {
		.from = R1, .meta = &m, .sport = sport, .dport = dport, .payload = "hello", .len = 5
	};

	return craft_send(w, &c);
}

static uint8_t uuid_of(const struct router *r)
{
	return r->t.sessions[router_session(r)].uuid[0];
}

/* Either EST, F metadata with the same UUID: answer with R metadata -> SEND_R. */
Test(engine_replace, established_session_signalled_again)
{
	struct world *w = two_routers();
	struct got g;
	uint32_t id;

	establish(w, &dns);
	id = router_session(&w->r[R1]);
	fl_engine_flow(w->r[R1].engine, id, FL_FORWARD)->state = FL_FLOW_TX_META;
	w->hold = true;
	client_says(w, &dns);
	cr_assert(got_wire(w, &g) && fl_meta_has(&g.o.meta, FL_META_FORWARD));
	world_deliver(w, g.f);
	cr_assert_eq(router_state(&w->r[R2]), SEND_R);
	cr_assert_eq(router_sessions(&w->r[R2]), 1);
	cr_assert_eq(w->r[R2].t.stats[FL_STAT_RESIGNALLED], 1);
	assert_arrived(&w->r[R2], &dns, 2);
	server_says(w, &dns);
	cr_assert(got_wire(w, &g) && fl_meta_has(&g.o.meta, FL_META_REVERSE));
	world_deliver(w, g.f);
	cr_assert_eq(router_state(&w->r[R1]), SETTLED);
	/* Without an answer of the server's it is acknowledged as at first (P-14). */
	client_says(w, &dns);
	world_run(w);
	cr_assert_eq(router_state(&w->r[R2]), SETTLED);
	world_free(w);
}

/* 3.3: a modification carries TLV 28, which the answer acknowledges (P-05). */
Test(engine_replace, modify_request_is_acknowledged)
{
	struct world *w = two_routers();
	const struct fl_session *s;
	struct fl_meta m;
	struct craft c = { .from = R1, .meta = &m, .payload = "hello", .len = 5 };
	struct got g;

	announce(w, &dns, 7, 0x8000, 0x8001);
	m = craft_forward(&dns, 7);
	m.has |= FL_META_BIT(FL_META_MODIFY) | FL_META_BIT(FL_META_REMAINING_TIME);
	m.modify = (struct fl_meta_modify){ .seq = 0x123, .forward = true };
	m.remaining_s = 60;
	c.sport = 0x8000;
	c.dport = 0x8001;
	w->hold = true;
	craft_send(w, &c);
	s = &w->r[R2].t.sessions[router_session(&w->r[R2])];
	cr_assert_eq(s->modify_seq, 0x123);
	server_says(w, &dns);
	cr_assert(got_wire(w, &g));
	cr_assert(fl_meta_has(&g.o.meta, FL_META_MODIFY));
	cr_assert(g.o.meta.modify.done);
	cr_assert_eq(g.o.meta.modify.seq, 0x123);
	world_free(w);
}

/* Same outer tuple, different UUID: the old session on these waypoints is replaced. */
Test(engine_replace, another_uuid_on_the_same_waypoints)
{
	struct world *w = two_routers();
	struct say other = { .sport = 41000 };
	struct drops before = drops_of(&w->r[R2]);

	announce(w, &dns, 1, 0x8000, 0x8001);
	announce(w, &other, 2, 0x8000, 0x8001);
	cr_assert_eq(router_sessions(&w->r[R2]), 1);
	cr_assert_eq(uuid_of(&w->r[R2]), 2);
	cr_assert_eq(w->r[R2].t.sessions[router_session(&w->r[R2])].sport, 41000);
	cr_assert_eq(drain_out(&w->r[R2]), 2);
	assert_no_drops(&w->r[R2], before);
	world_free(w);
}

/* Same UUID on other waypoints: the session has moved there. */
Test(engine_replace, same_uuid_on_other_waypoints)
{
	struct world *w = two_routers();
	const struct fl_session *s;

	announce(w, &dns, 1, 0x8000, 0x8001);
	announce(w, &dns, 1, 0x8002, 0x8003);
	cr_assert_eq(router_sessions(&w->r[R2]), 1);
	s = &w->r[R2].t.sessions[router_session(&w->r[R2])];
	cr_assert_eq(s->in.local_port, 0x8003);
	cr_assert_eq(s->in.remote_port, 0x8002);
	cr_assert_eq(drain_out(&w->r[R2]), 2);
	world_free(w);
}

/* The peer has lost everything and announces the host's flow anew: the old session is nobody's. */
Test(engine_replace, a_peer_that_forgot_announces_the_same_flow)
{
	struct world *w = two_routers();
	uint8_t old[16];

	establish(w, &dns);
	memcpy(old, w->r[R2].t.sessions[router_session(&w->r[R2])].uuid, 16);
	router_forget_all(&w->r[R1]);
	client_says(w, &dns);
	assert_arrived(&w->r[R2], &dns, 2);
	cr_assert_eq(router_sessions(&w->r[R2]), 1);
	cr_assert_neq(memcmp(w->r[R2].t.sessions[router_session(&w->r[R2])].uuid, old, 16), 0);
	establish(w, &dns);
	world_free(w);
}

/* Two peers, one flow: the established session is kept (prefer-established-session), one that is
 * not makes room. */
static void collide(bool established)
{
	struct world_opts opts = { .routers = 3, .internet = ",'source-nat':'disabled'" };
	struct world *w = world_new(&opts);
	struct say web = { .dst = "192.0.2.80" };
	struct fl_meta m = craft_forward(&web, 1);
	struct craft c = { .from = R1, .meta = &m, .payload = "a", .len = 1 };
	struct drops before;

	craft_send(w, &c);
	cr_assert_eq(router_sessions(&w->r[R2]), 1);
	if (established) {
		c.meta = NULL;
		craft_send(w, &c);
		cr_assert_eq(router_state(&w->r[R2]), SETTLED);
		c.meta = &m;
	}
	before = drops_of(&w->r[R2]);
	memset(m.uuid, 2, 16);
	c.from = R3;
	c.dev = DEV_WAN2;
	craft_send(w, &c);
	cr_assert_eq(router_sessions(&w->r[R2]), 1);
	cr_assert_eq(uuid_of(&w->r[R2]), established ? 1 : 2);
	assert_dropped(&w->r[R2], before, established ? FL_DROP_META_UNEXPECTED : FL_DROP_NONE,
		       established);
	world_free(w);
}

/* One that is over, from another peer. */
Test(engine_replace, collision_with_a_closed_connection_replaces_it)
{
	struct world_opts opts = { .routers = 3, .internet = ",'source-nat':'disabled'" };
	struct world *w = world_new(&opts);
	struct say web = { .dst = "192.0.2.80", .proto = FL_IPPROTO_TCP };
	struct fl_meta m = craft_forward(&web, 1);
	struct craft c = {
		.from = R1, .proto = FL_IPPROTO_TCP, .tcp_flags = FL_TH_SYN, .meta = &m
	};

	craft_send(w, &c);
	c.tcp_flags = FL_TH_RST | FL_TH_ACK;
	c.meta = NULL;
	craft_send(w, &c);
	cr_assert_eq(router_state(&w->r[R2]), SETTLED);
	c.tcp_flags = FL_TH_SYN;
	c.meta = &m;
	memset(m.uuid, 2, 16);
	c.from = R3;
	c.dev = DEV_WAN2;
	craft_send(w, &c);
	cr_assert_eq(uuid_of(&w->r[R2]), 2);
	cr_assert_eq(router_sessions(&w->r[R2]), 1);
	world_free(w);
}

Test(engine_replace, collision_keeps_the_established_session)
{
	collide(true);
}

Test(engine_replace, collision_with_an_incomplete_session_replaces_it)
{
	collide(false);
}

/* P-45: metadata of a session that was deleted less than 10 s ago opens nothing. */
Test(engine_replace, p45_replay_of_a_deleted_session)
{
	static const struct {
		uint32_t after_ms;
		bool opens;
	} rows[] = { { 0, false }, { 9900, false }, { 10100, true } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = two_routers();
		struct drops before;

		announce(w, &dns, 5, 0x8000, 0x8001);
		cr_assert_eq(fl_engine_clear_all(w->r[R2].engine), 1);
		drain_out(&w->r[R2]);
		drain_wire(w);
		world_leap(w, rows[i].after_ms);
		before = drops_of(&w->r[R2]);
		announce(w, &dns, 5, 0x8000, 0x8001);
		cr_assert_eq(router_sessions(&w->r[R2]), rows[i].opens, "%u ms", rows[i].after_ms);
		cr_assert_eq(drain_out(&w->r[R2]), rows[i].opens);
		assert_dropped(&w->r[R2], before,
			       rows[i].opens ? FL_DROP_NONE : FL_DROP_META_REPLAY, !rows[i].opens);
		world_free(w);
	}
}

/* The same after another session has taken the waypoints, and after a restart. */
Test(engine_replace, p45_replay_of_a_replaced_session)
{
	struct world *w = two_routers();
	struct drops before;
	struct say other = { .sport = 41000 };

	announce(w, &dns, 1, 0x8000, 0x8001);
	announce(w, &other, 2, 0x8000, 0x8001);
	before = drops_of(&w->r[R2]);
	announce(w, &dns, 1, 0x8000, 0x8001);
	assert_dropped(&w->r[R2], before, FL_DROP_META_REPLAY, 1);
	cr_assert_eq(uuid_of(&w->r[R2]), 2);
	world_free(w);
}

Test(engine_replace, p45_replay_after_a_restart)
{
	struct world *w = two_routers();
	struct drops before;

	announce(w, &dns, 5, 0x8000, 0x8001);
	fl_engine_clear_all(w->r[R2].engine);
	router_restart(&w->r[R2]);
	before = drops_of(&w->r[R2]);
	announce(w, &dns, 5, 0x8000, 0x8001);
	assert_dropped(&w->r[R2], before, FL_DROP_META_REPLAY, 1);
	cr_assert_eq(router_sessions(&w->r[R2]), 0);
	world_free(w);
}

/* A session of ours that comes back to us, by whatever way: routing goes round in circles. */
Test(engine_replace, own_session_that_comes_back)
{
	struct world *w = two_routers();
	struct fl_meta m;
	struct craft c = { .from = R2, .meta = &m, .sport = 0x8000, .dport = 0x8001 };
	struct drops before;

	w->hold = true;
	client_says(w, &dns);
	m = craft_forward(&dns, 0);
	memcpy(m.uuid, w->r[R1].t.sessions[router_session(&w->r[R1])].uuid, 16);
	before = drops_of(&w->r[R1]);
	craft_send(w, &c);
	assert_dropped(&w->r[R1], before, FL_DROP_META_UNEXPECTED, 1);
	cr_assert_eq(router_sessions(&w->r[R1]), 1);
	cr_assert_eq(router_state(&w->r[R1]), SEND_F);
	world_free(w);
}

/* R metadata must come back on the flow that F went out by, not on a session of the peer's. */
Test(engine_replace, reverse_metadata_in_the_wrong_direction)
{
	struct world *w = two_routers();
	struct fl_meta m = craft_reverse(&dns);
	struct craft c = { .from = R1, .meta = &m, .sport = 0x8000, .dport = 0x8001 };
	struct drops before;

	announce(w, &dns, 1, 0x8000, 0x8001);
	before = drops_of(&w->r[R2]);
	craft_send(w, &c);
	assert_dropped(&w->r[R2], before, FL_DROP_META_UNEXPECTED, 1);
	cr_assert_eq(router_state(&w->r[R2]), SEND_R);
	world_free(w);
}

/* 3.10: the initiator's side moves a session to another path by signalling there; answers follow.
 */
Test(engine_replace, the_answer_follows_the_initiators_path)
{
	struct world *w = two_routers();
	struct fl_meta m = craft_forward(&dns, 1);
	struct craft c = { .from = R1,
			   .dev = DEV_WAN2,
			   .meta = &m,
			   .sport = 0x8000,
			   .dport = 0x8001,
			   .payload = "hello",
			   .len = 5 };
	struct got g;

	announce(w, &dns, 1, 0x8000, 0x8001);
	w->hold = true;
	server_says(w, &dns);
	cr_assert(got_wire(w, &g) && g.f->dev == DEV_WAN1);
	craft_send(w, &c);
	cr_assert_eq(router_sessions(&w->r[R2]), 1);
	server_says(w, &dns);
	cr_assert(got_wire(w, &g) && g.f->dev == DEV_WAN2);
	cr_assert_eq(g.t.src[0], 203);
	cr_assert_eq(drain_out(&w->r[R2]), 2);
	world_free(w);
}

/* The responder's side does not move it: answers by another path are dropped. */
Test(engine_replace, an_answer_by_another_path_is_dropped)
{
	struct world *w = two_routers();
	const struct fl_session *s;
	struct fl_meta m = craft_reverse(&dns);
	struct craft c = { .from = R2, .dev = DEV_WAN2, .meta = &m, .payload = "x", .len = 1 };
	struct drops before;

	w->hold = true;
	client_says(w, &dns);
	s = &w->r[R1].t.sessions[router_session(&w->r[R1])];
	c.sport = s->out.remote_port;
	c.dport = s->out.local_port;
	before = drops_of(&w->r[R1]);
	craft_send(w, &c);
	assert_dropped(&w->r[R1], before, FL_DROP_SYMMETRY, 1);
	c.meta = NULL;
	before = drops_of(&w->r[R1]);
	craft_send(w, &c);
	assert_dropped(&w->r[R1], before, FL_DROP_SYMMETRY, 1);
	cr_assert_eq(router_state(&w->r[R1]), SEND_F);
	cr_assert_eq(drain_out(&w->r[R1]), 0);
	world_free(w);
}

/* A path belongs to an interface: by another one somebody only claims to be the peer. */
Test(engine_replace, metadata_by_another_interface_is_dropped)
{
	struct world *w = two_routers();
	struct fl_meta m = craft_forward(&dns, 1);
	const struct craft c = { .from = R1, .meta = &m, .sport = 0x8000, .dport = 0x8001 };
	static uint8_t packet[FL_MAX_FRAME];
	size_t len = craft_packet(w, &c, packet);
	struct router *r = &w->r[R2];
	const struct model_punt punt = { .reason = FL_PUNT_META,
					 .iface = router_iface(r, DEV_WAN2),
					 .path = router_path(r, DEV_WAN1),
					 .slot = FL_NO_SLOT };
	struct drops before = drops_of(r);

	model_hand_up(r, &punt, packet, len);
	assert_dropped(r, before, FL_DROP_SYMMETRY, 1);
	cr_assert_eq(router_sessions(r), 0);
	world_free(w);
}

/* --- moved to another peer (P-16) ------------------------------------------------------------- */

struct moved {
	struct world *w;
	struct fl_meta meta;
	struct craft old; /* a bare packet on the waypoints that it has left */
	uint32_t id;
};

/* A session of R2's that came from R1, and comes from R3 now. */
static struct moved moved_to_r3(void)
{
	static const struct say web = { .dst = "192.0.2.80" };
	struct world_opts opts = { .routers = 3, .internet = ",'source-nat':'disabled'" };
	struct moved m = { .w = world_new(&opts),
			   .meta = craft_forward(&web, 1),
			   .old = { .from = R1, .payload = "old", .len = 3 } };
	struct craft c = m.old;
	struct router *r = &m.w->r[R2];

	c.meta = &m.meta;
	craft_send(m.w, &c);
	craft_send(m.w, &m.old);
	cr_assert_eq(router_state(r), SETTLED);
	m.meta.has |= FL_META_BIT(FL_META_MODIFY) | FL_META_BIT(FL_META_REMAINING_TIME);
	m.meta.modify = (struct fl_meta_modify){ .seq = 1, .forward = true };
	m.meta.remaining_s = 60;
	c.from = R3;
	c.dev = DEV_WAN2;
	c.sport = 0x9000;
	c.dport = 0x9001;
	craft_send(m.w, &c);
	m.id = router_session(r);
	cr_assert_eq(router_sessions(r), 1);
	cr_assert_eq(r->t.sessions[m.id].in.local_port, 0x9001);
	cr_assert_eq(drain_out(r), 3);
	drain_wire(m.w);
	router_check(r);
	return m;
}

static bool is_with_r3(const struct moved *m)
{
	return m->w->r[R2].t.sessions[m->id].state == FL_SESSION_LIVE &&
	       m->w->r[R2].t.sessions[m->id].in.local_port == 0x9001;
}

/* What is under way on the old waypoints arrives for 5 s more, and no longer. */
Test(engine_replace, p16_late_packets_of_a_session_moved_to_another_peer)
{
	struct moved m = moved_to_r3();
	struct router *r = &m.w->r[R2];
	struct drops before = drops_of(r);
	uint64_t packets = fl_engine_flow(r->engine, m.id, FL_FORWARD)->packets;

	cr_assert_eq(craft_send(m.w, &m.old), MODEL_SENT);
	world_advance(m.w, 4800);
	cr_assert_eq(craft_send(m.w, &m.old), MODEL_SENT);
	cr_assert_eq(drain_out(r), 2);
	assert_no_drops(r, before);
	world_advance(m.w, 400);
	cr_assert_eq(r->engine->kept.live, 0);
	cr_assert_eq(fl_engine_flow(r->engine, m.id, FL_FORWARD)->packets, packets + 2);
	cr_assert_eq(craft_send(m.w, &m.old), MODEL_PUNTED);
	assert_dropped(r, before, FL_DROP_NO_SESSION, 1);
	cr_assert_eq(drain_out(r), 0);
	cr_assert(is_with_r3(&m));
	world_free(m.w);
}

/* Metadata from before the move, and word of the old peer's, do not undo it. */
Test(engine_replace, p16_late_metadata_says_nothing)
{
	struct moved m = moved_to_r3();
	struct router *r = &m.w->r[R2];
	struct drops before = drops_of(r);
	struct fl_meta remove = craft_control(FL_CONTROL_DELETE);
	struct craft c = m.old;

	c.meta = &m.meta;
	craft_send(m.w, &c);
	cr_assert_eq(drain_out(r), 1);
	assert_no_drops(r, before);
	c.meta = &remove;
	c.len = 0;
	craft_send(m.w, &c);
	assert_dropped(r, before, FL_DROP_META_UNEXPECTED, 1);
	cr_assert(is_with_r3(&m));
	cr_assert_eq(r->engine->kept.live, 1);
	world_free(m.w);
}

/* The old peer may begin something new on the waypoints. */
Test(engine_replace, p16_another_session_on_waypoints_that_were_left)
{
	struct moved m = moved_to_r3();
	struct router *r = &m.w->r[R2];
	struct say other = { .dst = "192.0.2.80", .sport = 41000 };
	struct fl_meta meta = craft_forward(&other, 2);
	struct drops before = drops_of(r);
	struct craft c = m.old;

	c.meta = &meta;
	craft_send(m.w, &c);
	cr_assert_eq(router_sessions(r), 2);
	cr_assert_eq(r->engine->kept.live, 0);
	cr_assert_eq(drain_out(r), 1);
	assert_no_drops(r, before);
	cr_assert(is_with_r3(&m));
	world_free(m.w);
}

/* They end with the session, and with the process. */
Test(engine_replace, p16_late_flows_end_with_the_session)
{
	struct moved m = moved_to_r3();
	struct router *r = &m.w->r[R2];

	router_restart(r);
	router_check(r);
	cr_assert_eq(fl_flows_count(r->engine->flows), 2);
	cr_assert(is_with_r3(&m));
	world_free(m.w);

	m = moved_to_r3();
	r = &m.w->r[R2];
	cr_assert_eq(fl_flows_count(r->engine->flows), 3);
	fl_engine_clear_all(r->engine);
	router_check(r);
	cr_assert_eq(fl_flows_count(r->engine->flows), 0);
	world_free(m.w);
}

/* TCP: what is under way when the session moves may end it. */
Test(engine_replace, p16_a_late_reset_ends_the_connection)
{
	struct world_opts opts = { .routers = 3, .internet = ",'source-nat':'disabled'" };
	struct world *w = world_new(&opts);
	struct say web = { .dst = "192.0.2.80", .proto = FL_IPPROTO_TCP };
	struct fl_meta m = craft_forward(&web, 1);
	struct craft c = {
		.from = R1, .proto = FL_IPPROTO_TCP, .tcp_flags = FL_TH_SYN, .meta = &m
	};
	struct router *r = &w->r[R2];
	struct craft moved;

	craft_send(w, &c);
	moved = c;
	m.has |= FL_META_BIT(FL_META_MODIFY) | FL_META_BIT(FL_META_REMAINING_TIME);
	m.modify = (struct fl_meta_modify){ .seq = 1, .forward = true };
	m.remaining_s = 60;
	moved.from = R3;
	moved.dev = DEV_WAN2;
	moved.sport = 0x9000;
	moved.dport = 0x9001;
	craft_send(w, &moved);
	cr_assert_eq(r->engine->kept.live, 1);
	c.tcp_flags = FL_TH_RST | FL_TH_ACK;
	c.meta = NULL;
	craft_send(w, &c);
	cr_assert_eq(fl_engine_flow(r->engine, router_session(r), FL_FORWARD)->tcp, FL_TCP_RESET);
	world_free(w);
}

/*
 * A session whose initiator has nothing to say moves to a router in the middle: the responder's
 * router hears of it all the same, again if the first word got lost.
 */
static void word_goes_on(bool lost)
{
	struct world_opts opts = { .routers = 3 };
	struct world *w = world_new(&opts);
	const struct say say = { 0 };
	struct fl_meta m = craft_forward(&say, 9);
	const struct craft c = { .from = R1, .meta = &m };
	const struct fl_session *s;

	m.has |= FL_META_BIT(FL_META_MODIFY) | FL_META_BIT(FL_META_REMAINING_TIME) |
		 FL_META_BIT(FL_META_DISABLE_FORWARD);
	m.modify = (struct fl_meta_modify){ .seq = 1, .forward = true };
	m.remaining_s = 60;
	w->hold = true;
	craft_send(w, &c);
	if (lost)
		drain_wire(w);
	w->hold = false;
	world_advance(w, 1000);
	cr_assert_eq(router_sessions(&w->r[R3]), 1);
	s = &w->r[R3].t.sessions[router_session(&w->r[R3])];
	cr_assert_eq(s->uuid[0], 9);
	cr_assert_eq(s->in.kind, FL_SIDE_PEER);
	/* And the router in the middle knows that it has been heard. */
	cr_assert_not(
		fl_engine_flow(w->r[R2].engine, router_session(&w->r[R2]), FL_FORWARD)->state &
		FL_FLOW_TX_META);
	cr_assert_eq(drain_out(&w->r[R3]), 0);
	world_free(w);
}

Test(engine_replace, word_of_a_move_goes_on_to_the_next_router)
{
	word_goes_on(false);
}

Test(engine_replace, word_of_a_move_goes_on_after_a_loss)
{
	word_goes_on(true);
}
