// SPDX-License-Identifier: Apache-2.0
/*
 * TCP sessions (svr-protocol.md 3.5): what may start one, by transport-state-enforcement; sequence
 * windows of "strict"; closing timers (P-30); the half-open limit; the MSS clamp (P-23).
 */
#include "test/unit/engine_test.h"

#define TCP .proto = FL_IPPROTO_TCP, .dport = 443

static const struct say syn = { TCP, .seq = 100 };

static struct world *enforcing(const char *how)
{
	static char policy[64];

	snprintf(policy, sizeof(policy), ",'transport-state-enforcement':'%s'", how);
	return world_new(&(struct world_opts){ .policy = policy });
}

/* --- non-SYN first packets ---------------------------------------------------------------------
 */

struct start_row {
	const char *how;
	uint8_t flags;
	bool opens;
	bool reset; /* answered with RST */
};

static const struct start_row start_rows[] = {
	{ "reset", FL_TH_SYN, true, false },
	{ "reset", FL_TH_ACK, false, true },
	{ "reset", FL_TH_SYN | FL_TH_ACK, false, true },
	{ "reset", FL_TH_FIN | FL_TH_ACK, false, true },
	{ "reset", FL_TH_RST, false, false }, /* RFC 9293: a reset is not reset */
	{ "block", FL_TH_SYN, true, false },
	{ "block", FL_TH_ACK, false, false },
	{ "block", FL_TH_RST | FL_TH_ACK, false, false },
	{ "allow", FL_TH_SYN, true, false },
	{ "allow", FL_TH_ACK, true, false },
	{ "allow", FL_TH_FIN | FL_TH_ACK, true, false },
	{ "strict", FL_TH_SYN, true, false },
	{ "strict", FL_TH_ACK, false, true },
};

Test(engine_tcp, what_may_start_a_session)
{
	for (size_t i = 0; i < sizeof(start_rows) / sizeof(start_rows[0]); i++) {
		const struct start_row *row = &start_rows[i];
		struct world *w = enforcing(row->how);
		struct say first = { TCP, .tcp_flags = row->flags, .seq = 100, .ack = 555 };
		struct drops before = drops_of(&w->r[R1]);
		const struct fl_tcp *tcp;
		struct got g;

		client_says(w, &first);
		cr_assert_eq(router_sessions(&w->r[R1]), row->opens, "%s %#x", row->how,
			     row->flags);
		cr_assert_eq(router_sessions(&w->r[R2]), row->opens, "%s %#x", row->how,
			     row->flags);
		assert_dropped(&w->r[R1], before, FL_DROP_TCP_NOT_SYN, !row->opens);
		cr_assert_eq(w->r[R1].n_denials, 0, "not remembered: the next SYN is welcome");
		cr_assert_eq(got_out(&w->r[R1], &g), row->reset, "%s %#x", row->how, row->flags);
		if (row->reset) {
			cr_assert_eq(g.f->dev, DEV_LAN);
			cr_assert(g.p.hdr.tcp_flags & FL_TH_RST);
			cr_assert_eq(g.t.src[3], 53);
			cr_assert_eq(g.t.dport, 40000);
			tcp = (const void *)g.p.l4;
			cr_assert_eq(FL_HOST32(tcp->seq), 555);
			cr_assert_eq(w->r[R1].t.stats[FL_STAT_TCP_RESET_SENT], 1);
		}
		world_free(w);
	}
}

/* A session that starts in the middle is established from the start. */
Test(engine_tcp, allow_takes_over_in_the_middle)
{
	struct world *w = enforcing("allow");
	struct say data = { TCP, .tcp_flags = FL_TH_ACK };

	client_says(w, &data);
	cr_assert_eq(w->r[R1].t.flows[w->r[R1].t.sessions[1].slot[0]].tcp, FL_TCP_ESTABLISHED);
	cr_assert_eq(w->r[R1].engine->half_open, 0);
	cr_assert_eq(fl_engine_time_left_ms(w->r[R1].engine, 1), 1900000);
	assert_arrived(&w->r[R2], &data, 2);
	world_free(w);
}

/* While a peer tells us of sessions that we have lost, nobody is reset. */
Test(engine_tcp, no_resets_while_sessions_are_recovered)
{
	struct world *w = two_routers();
	struct say data = { TCP, .tcp_flags = FL_TH_ACK, .sport = 41000 };

	establish(w, &syn);
	router_forget_all(&w->r[R1]);
	server_says(w, &syn);
	client_says(w, &data);
	cr_assert_eq(drain_out(&w->r[R1]), 0);
	world_advance(w, 11000);
	client_says(w, &data);
	cr_assert_eq(drain_out(&w->r[R1]), 1, "a reset");
	world_free(w);
}

/* --- what the state does not allow ------------------------------------------------------------ */

/* The agent follows the packets that it carries by the rules of common/tcp.h. */
Test(engine_tcp, illegal_flags_are_dropped_where_the_agent_carries_them)
{
	static const struct {
		const char *how;
		uint8_t flags;
		enum fl_drop_reason drop;
	} rows[] = {
		{ "reset", FL_TH_SYN | FL_TH_FIN, FL_DROP_TCP_ILLEGAL },
		{ "reset", FL_TH_FIN, FL_DROP_TCP_ILLEGAL },
		{ "block", FL_TH_SYN | FL_TH_RST, FL_DROP_TCP_ILLEGAL },
		{ "allow", FL_TH_SYN | FL_TH_FIN, FL_DROP_NONE },
		{ "reset", FL_TH_SYN, FL_DROP_NONE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = enforcing(rows[i].how);
		struct fl_meta m = craft_forward(&syn, 1);
		struct craft c = {
			.from = R1, .proto = FL_IPPROTO_TCP, .tcp_flags = FL_TH_SYN, .meta = &m
		};
		struct drops before;

		craft_send(w, &c);
		cr_assert_eq(drain_out(&w->r[R2]), 1);
		before = drops_of(&w->r[R2]);
		c.tcp_flags = rows[i].flags;
		craft_send(w, &c);
		assert_dropped(&w->r[R2], before, rows[i].drop, rows[i].drop ? 1 : 0);
		cr_assert_eq(drain_out(&w->r[R2]), !rows[i].drop);
		cr_assert_eq(router_sessions(&w->r[R2]), 1);
		world_free(w);
	}
}

/* Strict: segments outside the window are dropped, also those that come with metadata. */
Test(engine_tcp, strict_drops_what_is_outside_the_window)
{
	struct world *w = enforcing("strict");
	struct fl_meta m = craft_forward(&syn, 1);
	struct craft c = {
		.from = R1, .proto = FL_IPPROTO_TCP, .tcp_flags = FL_TH_SYN, .seq = 100, .meta = &m
	};
	struct drops before;

	w->hold = true;
	craft_send(w, &c);
	server_says(w, &syn);
	drain_wire(w);
	drain_out(&w->r[R2]);
	before = drops_of(&w->r[R2]);
	c.tcp_flags = FL_TH_ACK;
	c.seq = 101;
	c.ack = 7001;
	c.payload = "data";
	c.len = 4;
	craft_send(w, &c);
	assert_no_drops(&w->r[R2], before);
	c.seq = 101 + 200000;
	craft_send(w, &c);
	assert_dropped(&w->r[R2], before, FL_DROP_TCP_WINDOW, 1);
	c.seq = 105;
	c.ack = 9999999;
	craft_send(w, &c);
	assert_dropped(&w->r[R2], before, FL_DROP_TCP_WINDOW, 2);
	cr_assert_eq(drain_out(&w->r[R2]), 1);
	world_free(w);
}

/* An open connection of two routers that are strict, as r2's agent carries its packets. */
static struct world *open_strict(struct fl_meta *m, struct craft *c)
{
	struct world *w = enforcing("strict");

	*m = craft_forward(&syn, 1);
	*c = (struct craft){
		.from = R1, .proto = FL_IPPROTO_TCP, .tcp_flags = FL_TH_SYN, .seq = 100, .meta = m
	};
	w->hold = true;
	craft_send(w, c);
	server_says(w, &syn);
	c->tcp_flags = FL_TH_ACK;
	c->seq = 101;
	c->ack = 7001;
	c->payload = "data";
	c->len = 1;
	craft_send(w, c);
	cr_assert_eq(w->r[R2].t.flows[w->r[R2].t.sessions[1].slot[0]].tcp, FL_TCP_ESTABLISHED);
	return w;
}

/* Anybody can send a SYN: in an open connection it is passed on, and moves no window (RFC 5961 4).
 */
Test(engine_tcp, strict_takes_no_numbers_from_a_made_up_syn)
{
	struct drops before;
	struct fl_meta m;
	struct craft c;
	struct world *w = open_strict(&m, &c);

	before = drops_of(&w->r[R2]);
	c.tcp_flags = FL_TH_SYN;
	c.seq = 0x50000000;
	craft_send(w, &c);
	c.tcp_flags = FL_TH_ACK;
	c.seq = 102;
	craft_send(w, &c);
	assert_no_drops(&w->r[R2], before);
	world_free(w);
}

/* A window that is closed is probed by a byte beyond it (RFC 9293 3.8.6.1). */
Test(engine_tcp, strict_lets_a_closed_window_be_probed)
{
	struct drops before;
	struct fl_meta m;
	struct craft c;
	struct world *w = open_strict(&m, &c);

	before = drops_of(&w->r[R2]);
	c.seq = w->r[R2].t.sessions[1].window[0].max_end;
	craft_send(w, &c);
	assert_no_drops(&w->r[R2], before);
	c.seq++;
	craft_send(w, &c);
	assert_dropped(&w->r[R2], before, FL_DROP_TCP_WINDOW, 1);
	world_free(w);
}

/* A fenced payload does not pass by the data plane's eyes: the agent has to follow it. */
Test(engine_tcp, strict_follows_fenced_packets_too)
{
	static const uint8_t cookie[2000] = { FL_META_COOKIE_BYTES };
	struct world *w = enforcing("strict");
	struct say odd = { TCP,         .tcp_flags = FL_TH_ACK, .seq = 101,
			   .ack = 7001, .payload = cookie,      .len = 500 };
	const struct fl_session *s;

	establish(w, &syn);
	s = &w->r[R1].t.sessions[router_session(&w->r[R1])];
	client_says(w, &odd);
	cr_assert_eq(s->window[0].end, 601);
	odd.seq = 101 + 300000;
	client_says(w, &odd);
	cr_assert_eq(w->r[R1].t.drops[FL_DROP_TCP_WINDOW], 1);
	world_free(w);
}

/* A packet that was queued before its flow was there is followed as well. */
Test(engine_tcp, packets_from_the_queue_move_the_state)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R1];
	static uint8_t packet[FL_MAX_FRAME];
	struct say rst = { TCP, .tcp_flags = FL_TH_RST, .seq = 101, .no_payload = true };
	const struct model_punt queued = { .reason = FL_PUNT_NEW,
					   .iface = router_iface(r, DEV_LAN),
					   .slot = FL_NO_SLOT };

	w->hold = true;
	client_says(w, &syn);
	model_hand_up(r, &queued, packet, say_packet(&rst, packet));
	cr_assert_eq(r->t.flows[r->t.sessions[1].slot[0]].tcp, FL_TCP_RESET);
	cr_assert_eq(drain_wire(w), 2);
	world_free(w);
}

/* A SYN on a connection that is over starts another session. */
Test(engine_tcp, a_closed_connection_is_opened_again)
{
	struct world *w = two_routers();
	struct say rst = { TCP, .tcp_flags = FL_TH_RST, .seq = 101, .no_payload = true };
	uint8_t uuid[16];

	establish(w, &syn);
	memcpy(uuid, w->r[R1].t.sessions[router_session(&w->r[R1])].uuid, 16);
	client_says(w, &rst);
	drain_out(&w->r[R2]);
	establish(w, &syn);
	for (int r = R1; r <= R2; r++) {
		cr_assert_eq(router_sessions(&w->r[r]), 1);
		cr_assert_neq(memcmp(w->r[r].t.sessions[router_session(&w->r[r])].uuid, uuid, 16),
			      0);
	}
	world_free(w);
}

/* --- timers ----------------------------------------------------------------------------------- */

enum closing { SYN_ONLY, SYN_ACKED, OPEN, ONE_FIN, BOTH_FIN, RESET };

struct timer_row {
	const char *clause;
	enum closing state;
	uint64_t ms;
};

static const struct timer_row timer_rows[] = {
	{ "initial-timeout, not yet established", SYN_ONLY, 10000 },
	{ "initial-timeout, answered", SYN_ACKED, 10000 },
	{ "TCP established", OPEN, 1900000 },
	{ "P-30 one FIN seen", ONE_FIN, 120000 },
	{ "P-30 both FIN", BOTH_FIN, 15000 },
	{ "P-30 RST", RESET, 5000 },
};

static void bring_to(struct world *w, enum closing state)
{
	struct say fin = { TCP, .tcp_flags = FL_TH_FIN | FL_TH_ACK, .seq = 101, .ack = 7001,
			   .no_payload = true },
		   back = answer_to(&fin), rst = fin;

	client_says(w, &syn);
	if (state == SYN_ONLY)
		return;
	server_says(w, &syn);
	if (state == SYN_ACKED)
		return;
	establish(w, &syn);
	rst.tcp_flags = FL_TH_RST;
	back.tcp_flags = FL_TH_FIN | FL_TH_ACK;
	back.seq = 7001;
	back.ack = 102;
	if (state == ONE_FIN || state == BOTH_FIN)
		client_says(w, &fin);
	if (state == BOTH_FIN)
		lan_says(w, R2, &back);
	if (state == RESET)
		client_says(w, &rst);
}

/* The session ends after its time, on both routers, and not before. */
Test(engine_tcp, timers)
{
	for (size_t i = 0; i < sizeof(timer_rows) / sizeof(timer_rows[0]); i++) {
		const struct timer_row *row = &timer_rows[i];
		struct world *w = two_routers();

		bring_to(w, row->state);
		for (int r = R1; r <= R2; r++)
			cr_assert_eq(
				fl_engine_time_left_ms(w->r[r].engine, router_session(&w->r[r])),
				row->ms, "%s", row->clause);
		world_advance(w, row->ms - 300);
		cr_assert_eq(router_sessions(&w->r[R1]), 1, "%s", row->clause);
		cr_assert_eq(router_sessions(&w->r[R2]), 1, "%s", row->clause);
		world_advance(w, 600);
		cr_assert_eq(router_sessions(&w->r[R1]), 0, "%s", row->clause);
		cr_assert_eq(router_sessions(&w->r[R2]), 0, "%s", row->clause);
		world_free(w);
	}
}

/* Of a single FIN the data plane says nothing: it is noticed within a minute. */
Test(engine_tcp, p30_one_fin_of_an_old_connection)
{
	struct world *w = two_routers();
	struct say fin = { TCP, .tcp_flags = FL_TH_FIN | FL_TH_ACK, .seq = 101, .ack = 7001,
			   .no_payload = true };

	establish(w, &syn);
	world_advance(w, 300000);
	client_says(w, &fin);
	world_advance(w, 119000);
	cr_assert_eq(router_sessions(&w->r[R1]), 1);
	world_advance(w, 62000);
	cr_assert_eq(router_sessions(&w->r[R1]), 0);
	cr_assert_eq(router_sessions(&w->r[R2]), 0);
	world_free(w);
}

/* --- half-open connections -------------------------------------------------------------------- */

Test(engine_tcp, half_open_connection_limit)
{
	struct world_opts opts = { .router = ",'half-open-connection-limit':2" };
	struct world *w = world_new(&opts);
	struct say s[4] = { syn, syn, syn, syn };
	struct say dns = { 0 };
	struct drops before = drops_of(&w->r[R1]);

	for (int i = 0; i < 4; i++)
		s[i].sport = (uint16_t)(40000 + i);
	client_says(w, &s[0]);
	client_says(w, &s[1]);
	client_says(w, &s[2]);
	assert_dropped(&w->r[R1], before, FL_DROP_HALF_OPEN, 1);
	client_says(w, &dns);
	cr_assert_eq(router_sessions(&w->r[R1]), 3, "only TCP is limited");
	/* One becomes established: there is room for another. */
	s[0].tcp_flags = FL_TH_ACK;
	server_says(w, &s[0]);
	client_says(w, &s[0]);
	cr_assert_eq(w->r[R1].engine->half_open, 1);
	client_says(w, &s[2]);
	cr_assert_eq(router_sessions(&w->r[R1]), 4);
	/* One ends: again. */
	client_says(w, &s[3]);
	assert_dropped(&w->r[R1], before, FL_DROP_HALF_OPEN, 2);
	fl_engine_clear(w->r[R1].engine, w->r[R1].t.sessions[2].uuid);
	client_says(w, &s[3]);
	assert_dropped(&w->r[R1], before, FL_DROP_HALF_OPEN, 2);
	world_free(w);
}

/* Established by a segment that the agent itself carries, with metadata. */
Test(engine_tcp, half_open_ends_with_metadata_too)
{
	struct world *w = two_routers();
	struct fl_meta m = craft_forward(&syn, 1);
	struct craft c = {
		.from = R1, .proto = FL_IPPROTO_TCP, .tcp_flags = FL_TH_SYN, .seq = 100, .meta = &m
	};

	w->hold = true;
	craft_send(w, &c);
	server_says(w, &syn);
	cr_assert_eq(w->r[R2].engine->half_open, 1);
	c.tcp_flags = FL_TH_ACK;
	c.seq = 101;
	c.ack = 7001;
	craft_send(w, &c);
	cr_assert_eq(w->r[R2].engine->half_open, 0);
	world_free(w);
}

/* --- MSS clamp -------------------------------------------------------------------------------- */

struct mss_row {
	const char *name;
	struct world_opts opts;
	bool six;
	uint16_t said;
	uint16_t want; /* at the server, and of its answer at the client */
};

static const struct mss_row mss_rows[] = {
	{ "automatic, nothing to do", { 0 }, false, 1400, 1400 },
	{ "automatic, interface MTU - 40", { 0 }, false, 9000, 1460 },
	{ "automatic, path MTU - 40", { .adjacency = ",'mtu':1400" }, false, 1460, 1360 },
	{ "automatic, interface's own MTU", { .wan = ",'mtu':1300" }, false, 1460, 1260 },
	{ "automatic, LAN's MTU", { .lan = ",'mtu':1200" }, false, 1460, 1160 },
	{ "IPv6 session", { .adjacency = ",'mtu':1400" }, true, 1440, 1340 },
	{ "IPv6 path", { .path6 = true, .adjacency = ",'mtu':1400" }, false, 1460, 1340 },
	{ "fixed", { .wan = ",'enforced-mss':1000" }, false, 1460, 1000 },
	{ "fixed, stricter side counts",
	  { .wan = ",'enforced-mss':1000", .lan = ",'enforced-mss':900" },
	  false,
	  1460,
	  900 },
	{ "disabled",
	  { .wan = ",'enforced-mss':'disabled'", .lan = ",'enforced-mss':'disabled'" },
	  false,
	  9000,
	  9000 },
	{ "disabled on one side",
	  { .wan = ",'enforced-mss':'disabled'", .adjacency = ",'mtu':1400" },
	  false,
	  1460,
	  1360 },
};

static uint16_t mss_of(const struct got *g)
{
	const uint8_t *opt = g->p.l4 + 20;

	cr_assert(opt[0] == 2 && opt[1] == 4);
	return (uint16_t)(opt[2] << 8 | opt[3]);
}

Test(engine_tcp, p23_mss_clamp)
{
	for (size_t i = 0; i < sizeof(mss_rows) / sizeof(mss_rows[0]); i++) {
		const struct mss_row *row = &mss_rows[i];
		struct world *w = world_new(&row->opts);
		struct say s = syn;
		struct got g;

		s.mss = row->said;
		if (row->six)
			s.src = "2001:db8:1::5";
		client_says(w, &s);
		cr_assert(got_out(&w->r[R2], &g), "%s", row->name);
		cr_assert_eq(mss_of(&g), row->want, "%s: %u", row->name, mss_of(&g));
		server_says(w, &s);
		cr_assert(got_out(&w->r[R1], &g), "%s", row->name);
		cr_assert_eq(mss_of(&g), row->want, "%s: %u", row->name, mss_of(&g));
		world_free(w);
	}
}

/* Each router sees to it alone, for both directions, whichever of its sides is narrow. */
Test(engine_tcp, p23_one_router_is_enough)
{
	struct world_opts disabled = { .wan = ",'enforced-mss':'disabled'",
				       .lan = ",'enforced-mss':'disabled'" };
	struct world_opts narrow = { .adjacency = ",'mtu':1400" };

	for (int who = R1; who <= R2; who++) {
		struct world *w = world_new(&disabled);
		struct say s = syn;
		struct got g;

		router_configure(&w->r[who], &narrow);
		s.mss = 1460;
		client_says(w, &s);
		cr_assert(got_out(&w->r[R2], &g));
		cr_assert_eq(mss_of(&g), 1360, "r%d: %u", who + 1, mss_of(&g));
		server_says(w, &s);
		cr_assert(got_out(&w->r[R1], &g));
		cr_assert_eq(mss_of(&g), 1360, "r%d: %u", who + 1, mss_of(&g));
		world_free(w);
	}
}
