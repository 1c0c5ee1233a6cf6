// SPDX-License-Identifier: Apache-2.0
/*
 * ICMP errors about packets of sessions, translated both ways and carried between routers with the
 * address of who said it (svr-protocol.md 3.6, P-24); errors that we make.
 */
#include "agent/codec/packet_build.h"
#include "test/unit/engine_test.h"

static const struct say dns = { 0 };

/* An error of @from about a packet, toward its source. Identifier and sequence are the second word.
 */
static size_t error_about(const char *from, const struct say *about, uint8_t type, uint8_t code,
			  uint16_t mtu, uint8_t *out)
{
	static uint8_t quoted[FL_MAX_FRAME];
	bool six = strchr(from, ':');
	size_t len = say_packet(about, quoted);
	struct say s = { .src = from,
			 .dst = about->src ? about->src : "10.1.0.5",
			 .proto = six ? FL_IPPROTO_ICMPV6 : FL_IPPROTO_ICMP,
			 .icmp_type = type,
			 .icmp_code = code,
			 .icmp_seq = mtu,
			 .payload = quoted,
			 .len = len < 56 ? len : 56 };
	size_t error_len;

	error_len = say_packet(&s, out);
	/* The identifier is the unused part of the second word. */
	out[six ? 44 : 24] = out[six ? 45 : 25] = 0;
	return error_len;
}

/* Checksums after the change above. */
static void mend(uint8_t *packet, size_t len)
{
	struct fl_packet p;

	cr_assert_eq(fl_packet_parse(packet, len, &p), 0);
	fl_packet_csum_fill(&p);
}

static enum model_verdict hear_error(struct world *w, int router, enum device dev, const char *from,
				     const struct say *about, uint8_t type, uint8_t code,
				     uint16_t mtu)
{
	static uint8_t packet[FL_MAX_FRAME];
	static const uint8_t mac[6] = { 2 };
	size_t len = error_about(from, about, type, code, mtu, packet);
	enum model_verdict verdict;

	mend(packet, len);
	verdict = model_ingress(&w->r[router], dev, packet, len, mac);
	if (!w->hold)
		world_run(w);
	return verdict;
}

/* The packet is an error of this kind, from @from, about what @about says. */
static void assert_error(const struct got *g, const char *from, const struct say *about,
			 uint8_t type, uint8_t code)
{
	const struct fl_addr want = addr_of(from);
	static uint8_t packet[FL_MAX_FRAME];
	struct fl_tuple said, quoted;
	struct fl_packet p;

	cr_assert(g->p.hdr.flags & FL_PKT_ICMP_ERROR);
	cr_assert_eq(g->p.l4[0], type, "type %u", g->p.l4[0]);
	cr_assert_eq(g->p.l4[1], code, "code %u", g->p.l4[1]);
	cr_assert_eq(
		memcmp(g->p.data + (want.family == 6 ? 8 : 12), want.b, fl_addr_size(want.family)),
		0, "from");
	cr_assert_eq(fl_packet_parse(packet, say_packet(about, packet), &p), 0);
	cr_assert(fl_packet_tuple(&p, &said));
	cr_assert(fl_packet_quoted_tuple(&g->p, &quoted));
	cr_assert(fl_tuple_equal(&said, &quoted), "about another packet");
	/* A connection's host believes it by the sequence number. */
	if (said.proto == FL_IPPROTO_TCP)
		cr_assert_eq(memcmp(g->p.payload + fl_ip_header_len(said.family) + 4, p.l4 + 4, 4),
			     0, "of another segment");
}

static uint16_t mtu_of(const struct got *g)
{
	return (uint16_t)(g->p.l4[6] << 8 | g->p.l4[7]);
}

/* --- errors of others ------------------------------------------------------------------------- */

struct error_row {
	const char *name;
	struct say first;
	struct world_opts opts;
	const char *from;
	uint8_t type, code;
};

#define V6   .src = "2001:db8:1::5"
#define TCP  .proto = FL_IPPROTO_TCP, .dport = 443, .seq = 100
#define PING .proto = FL_IPPROTO_ICMP

static const struct error_row error_rows[] = {
	{ "udp, port unreachable", { 0 }, { 0 }, "10.2.0.53", 3, 3 },
	{ "udp, time exceeded beyond", { 0 }, { 0 }, "10.2.0.9", 11, 0 },
	{ "udp through three", { 0 }, { .routers = 3 }, "10.2.0.53", 3, 3 },
	{ "udp, in clear", { 0 }, { .security = ",'encrypt':false" }, "10.2.0.53", 3, 1 },
	{ "tcp, host unreachable", { TCP }, { 0 }, "10.2.0.9", 3, 1 },
	{ "ping, host unreachable", { PING }, { 0 }, "10.2.0.9", 3, 1 },
	{ "udp/IPv6, port unreachable", { V6 }, { 0 }, "2001:db8:2::35", 1, 4 },
	{ "udp/IPv6 through three", { V6 }, { .routers = 3 }, "2001:db8:2::35", 1, 4 },
	{ "ping/IPv6, time exceeded",
	  { .proto = FL_IPPROTO_ICMPV6, V6 },
	  { 0 },
	  "2001:db8:2::9",
	  3,
	  0 },
};

/* About the client's packet, said behind the responder's router: the client hears who said it. */
Test(engine_icmp, p24_errors_reach_the_client)
{
	for (size_t i = 0; i < sizeof(error_rows) / sizeof(error_rows[0]); i++) {
		const struct error_row *row = &error_rows[i];
		struct world *w = world_new(&row->opts);
		struct got g;

		establish(w, &row->first);
		hear_error(w, w->routers - 1, DEV_LAN, row->from, &row->first, row->type, row->code,
			   0);
		cr_assert(got_out(&w->r[R1], &g), "%s", row->name);
		assert_error(&g, row->from, &row->first, row->type, row->code);
		cr_assert_eq(g.f->dev, DEV_LAN);
		for (int r = 0; r < w->routers; r++) {
			cr_assert_eq(w->r[r].t.stats[FL_STAT_ICMP_TRANSLATED], 1, "%s", row->name);
			cr_assert_eq(router_drops(&w->r[r]), 0, "%s", row->name);
			cr_assert_eq(router_state(&w->r[r]), SETTLED, "%s", row->name);
		}
		world_free(w);
	}
}

/* The other way: about the server's packet. */
Test(engine_icmp, p24_errors_reach_the_server)
{
	for (size_t i = 0; i < sizeof(error_rows) / sizeof(error_rows[0]); i++) {
		const struct error_row *row = &error_rows[i];
		struct world *w = world_new(&row->opts);
		struct say about = answer_to(&row->first);
		struct got g;

		/* A ping's answer is no tuple that an error could quote as sent by the server. */
		if (row->first.proto == FL_IPPROTO_ICMP || row->first.proto == FL_IPPROTO_ICMPV6) {
			world_free(w);
			continue;
		}
		establish(w, &row->first);
		hear_error(w, R1, DEV_LAN, about.dst, &about, row->type, row->code, 0);
		cr_assert(got_out(&w->r[w->routers - 1], &g), "%s", row->name);
		assert_error(&g, about.dst, &about, row->type, row->code);
		world_free(w);
	}
}

/* On the wire: UDP, TLV 20 with who said it, and the ICMP message as payload, on the session's
 * ports. */
static void on_the_wire(const struct say *say)
{
	struct world *w = two_routers();
	const struct fl_session *s;
	static uint8_t packet[FL_MAX_FRAME];
	struct fl_tuple said, quoted;
	const uint8_t *l4;
	struct fl_packet p;
	struct got g;

	establish(w, say);
	s = &w->r[R2].t.sessions[router_session(&w->r[R2])];
	w->hold = true;
	hear_error(w, R2, DEV_LAN, "10.2.0.9", say, 3, 4, 1300);
	cr_assert(got_wire(w, &g));
	cr_assert(fl_meta_has(&g.o.meta, FL_META_ICMP_LOCATION));
	cr_assert_eq(g.o.meta.icmp_location.family, 4);
	cr_assert_eq(memcmp(g.o.meta.icmp_location.b, "\x0a\x02\x00\x09", 4), 0);
	cr_assert_eq(g.o.payload_len, 8 + 20 + 8);
	cr_assert_eq(memcmp(g.o.payload, "\x03\x04\x00\x00\x00\x00\x05\x14", 8), 0);
	cr_assert_eq(fl_packet_parse(packet, say_packet(say, packet), &p), 0);
	cr_assert(fl_packet_tuple(&p, &said));
	cr_assert(fl_packet_quote_tuple(g.o.payload + 8, g.o.payload_len - 8, &quoted, &l4));
	cr_assert(fl_tuple_equal(&said, &quoted));
	cr_assert_eq(g.p.hdr.proto, FL_IPPROTO_UDP);
	cr_assert_eq(g.t.sport, s->in.local_port);
	cr_assert_eq(g.t.dport, s->in.remote_port);
	world_free(w);
}

Test(engine_icmp, p24_on_the_wire)
{
	const struct say tcp = { TCP }, ping = { PING };

	on_the_wire(&dns);
	on_the_wire(&tcp);
	on_the_wire(&ping);
}

/* A UDP and a TCP session may have the same waypoints (P-27): the quote tells which one is meant.
 */
Test(engine_icmp, p24_udp_and_tcp_on_one_pair)
{
	const struct say tcp = { TCP, .sport = 41000 }, udp = { .sport = 42000 };
	struct world *w = two_routers();
	struct fl_meta m = craft_forward(&udp, 9);
	struct craft c = { .from = R1, .meta = &m, .payload = "x", .len = 1 };
	const struct fl_session *s;
	struct got g;

	establish(w, &tcp);
	s = &w->r[R2].t.sessions[router_session(&w->r[R2])];
	c.sport = s->in.remote_port;
	c.dport = s->in.local_port;
	craft_send(w, &c);
	cr_assert_eq(router_sessions(&w->r[R2]), 2);
	drain_out(&w->r[R2]);
	w->hold = true;
	hear_error(w, R2, DEV_LAN, "10.2.0.9", &tcp, 3, 1, 0);
	cr_assert(peek_wire(w, 0, &g));
	cr_assert_eq(g.p.hdr.proto, FL_IPPROTO_UDP);
	world_run(w);
	cr_assert(got_out(&w->r[R1], &g));
	assert_error(&g, "10.2.0.9", &tcp, 3, 1);
	/* R1 knows no such UDP session: its error is nobody's. */
	hear_error(w, R2, DEV_LAN, "10.2.0.9", &udp, 3, 1, 0);
	world_run(w);
	cr_assert_eq(drain_out(&w->r[R1]), 0);
	cr_assert_eq(w->r[R1].t.drops[FL_DROP_ICMP_ERROR], 1);
	world_free(w);
}

struct way_row {
	const char *name;
	struct say first;
	struct world_opts opts;
	uint8_t type, code;
	uint16_t mtu;
	uint8_t want_type, want_code;
	uint16_t want_mtu;
	bool dropped; /* has no counterpart in the other version */
};

/* Said by a router under way, about the packet between our routers. */
static const struct way_row way_rows[] = {
	{ "udp, fragmentation needed", { 0 }, { 0 }, 3, 4, 1400, 3, 4, 1400, false },
	{ "tcp, fragmentation needed", { TCP }, { 0 }, 3, 4, 1400, 3, 4, 1400, false },
	{ "ping, less by the UDP header", { PING }, { 0 }, 3, 4, 1400, 3, 4, 1392, false },
	{ "IPv6 over IPv4: packet too big", { V6 }, { 0 }, 3, 4, 1400, 2, 0, 1420, false },
	{ "IPv6 over IPv4: time exceeded", { V6 }, { 0 }, 11, 0, 0, 3, 0, 0, false },
	{ "IPv6 over IPv4: port unreachable", { V6 }, { 0 }, 3, 3, 0, 1, 4, 0, false },
	{ "IPv6 over IPv4: host unreachable", { V6 }, { 0 }, 3, 1, 0, 1, 3, 0, false },
	{ "IPv6 over IPv4: parameter problem", { V6 }, { 0 }, 12, 0, 0, 0, 0, 0, true },
	{ "IPv4 over IPv6: packet too big",
	  { 0 },
	  { .path6 = true },
	  2,
	  0,
	  1400,
	  3,
	  4,
	  1380,
	  false },
	{ "IPv4 over IPv6: time exceeded", { 0 }, { .path6 = true }, 3, 0, 0, 11, 0, 0, false },
	{ "IPv4 over IPv6: port unreachable", { 0 }, { .path6 = true }, 1, 4, 0, 3, 3, 0, false },
	{ "IPv4 over IPv6: address unreachable",
	  { 0 },
	  { .path6 = true },
	  1,
	  3,
	  0,
	  3,
	  1,
	  0,
	  false },
};

/* The outer packet, as the router under way saw it. */
static struct say outer(const struct world *w, const struct fl_session *s)
{
	return (struct say){ .src = world_waypoint(&w->opts, R1, DEV_WAN1),
			     .dst = world_waypoint(&w->opts, R2, DEV_WAN1),
			     .proto = fl_session_wire_proto(s),
			     .seq = s->proto == FL_IPPROTO_TCP ? 100 : 0,
			     .sport = s->out.local_port,
			     .dport = s->out.remote_port };
}

Test(engine_icmp, errors_from_under_way)
{
	for (size_t i = 0; i < sizeof(way_rows) / sizeof(way_rows[0]); i++) {
		const struct way_row *row = &way_rows[i];
		struct world *w = world_new(&row->opts);
		const char *from = row->opts.path6 ? "2001:db8:77::1" : "192.88.99.1";
		bool same = !strchr(from, ':') == !row->first.src;
		struct drops before;
		struct say about;
		struct got g;

		establish(w, &row->first);
		about = outer(w, &w->r[R1].t.sessions[router_session(&w->r[R1])]);
		before = drops_of(&w->r[R1]);
		hear_error(w, R1, DEV_WAN1, from, &about, row->type, row->code, row->mtu);
		assert_dropped(&w->r[R1], before, FL_DROP_ICMP_ERROR, row->dropped);
		cr_assert_eq(got_out(&w->r[R1], &g), !row->dropped, "%s", row->name);
		if (!row->dropped) {
			/* From who said it, if the host can hear of such an address. */
			assert_error(&g,
				     same             ? from
				     : row->first.src ? "2001:db8:2::35"
						      : "10.2.0.53",
				     &row->first, row->want_type, row->want_code);
			if (row->mtu)
				cr_assert_eq(mtu_of(&g), row->want_mtu, "%s: %u", row->name,
					     mtu_of(&g));
		}
		world_free(w);
	}
}

/* Errors pass only if the embedded packet matches a session. */
Test(engine_icmp, errors_about_packets_of_no_session)
{
	struct say other = { .sport = 41000 };
	struct world *w = two_routers();
	struct drops before;

	establish(w, &dns);
	before = drops_of(&w->r[R2]);
	cr_assert_eq(hear_error(w, R2, DEV_LAN, "10.2.0.53", &other, 3, 3, 0), MODEL_DROPPED);
	assert_dropped(&w->r[R2], before, FL_DROP_ICMP_ERROR, 1);
	cr_assert_eq(drain_out(&w->r[R1]), 0);
	world_free(w);
}

/* The session ended while the error waited in the queue; or its place is nonsense. */
Test(engine_icmp, errors_about_sessions_that_are_over)
{
	struct world *w = two_routers();
	static uint8_t packet[FL_MAX_FRAME];
	size_t len = error_about("10.2.0.53", &dns, 3, 3, 0, packet);
	struct model_punt late = { .reason = FL_PUNT_ICMP_ERROR };
	struct drops before;

	mend(packet, len);
	establish(w, &dns);
	late.session = router_session(&w->r[R2]);
	late.slot = w->r[R2].t.sessions[late.session].slot[FL_REVERSE];
	late.iface = router_iface(&w->r[R2], DEV_LAN);
	fl_engine_clear_all(w->r[R2].engine);
	world_run(w);
	before = drops_of(&w->r[R2]);
	model_hand_up(&w->r[R2], &late, packet, len);
	late.slot = FL_NO_SLOT;
	model_hand_up(&w->r[R2], &late, packet, len);
	assert_dropped(&w->r[R2], before, FL_DROP_ICMP_ERROR, 2);
	world_free(w);
}

/* From a peer: an error for no session, about another packet, one that is too short. */
Test(engine_icmp, carried_errors_that_are_none)
{
	struct world *w = two_routers();
	struct fl_meta m = { .has = FL_META_BIT(FL_META_SECURITY_ID) |
				    FL_META_BIT(FL_META_ICMP_LOCATION),
			     .security_id = 1,
			     .icmp_location = { .family = 4, .b = { 10, 2, 0, 9 } } };
	const struct say other = { .sport = 40001 };
	static uint8_t message[8 + FL_MAX_FRAME] = { 3, 3 };
	struct craft c = { .from = R2, .meta = &m, .payload = message, .len = 8 + 28 };
	struct drops before = drops_of(&w->r[R1]);
	const struct fl_session *s;

	say_packet(&dns, message + 8);
	craft_send(w, &c);
	assert_dropped(&w->r[R1], before, FL_DROP_ICMP_ERROR, 1);
	establish(w, &dns);
	s = &w->r[R1].t.sessions[router_session(&w->r[R1])];
	c.sport = s->out.remote_port;
	c.dport = s->out.local_port;
	before = drops_of(&w->r[R1]);
	craft_send(w, &c);
	assert_no_drops(&w->r[R1], before);
	cr_assert_eq(drain_out(&w->r[R1]), 1);
	c.len = 8 + 27;
	craft_send(w, &c);
	c.len = 7;
	craft_send(w, &c);
	assert_dropped(&w->r[R1], before, FL_DROP_META_MALFORMED, 2);
	before = drops_of(&w->r[R1]);
	say_packet(&other, message + 8);
	c.len = 8 + 28;
	craft_send(w, &c);
	assert_dropped(&w->r[R1], before, FL_DROP_ICMP_ERROR, 1);
	cr_assert_eq(drain_out(&w->r[R1]), 0);
	world_free(w);
}

/* --- our own: TTL ------------------------------------------------------------------------------
 */

/* At the host's own router: from its address there, and no session comes of it. */
Test(engine_icmp, ttl_runs_out_at_the_first_router)
{
	static const uint8_t cookie[16] = { FL_META_COOKIE_BYTES };
	struct say last = { .ttl = 1 }, odd = { .ttl = 1, .payload = cookie, .len = 16 };
	struct world *w = two_routers();
	struct drops before = drops_of(&w->r[R1]);
	struct got g;

	client_says(w, &last);
	assert_dropped(&w->r[R1], before, FL_DROP_TTL_EXPIRED, 1);
	cr_assert_eq(router_sessions(&w->r[R1]), 0);
	cr_assert(got_out(&w->r[R1], &g));
	assert_error(&g, "10.1.0.1", &last, 11, 0);
	establish(w, &dns);
	before = drops_of(&w->r[R1]);
	client_says(w, &last);
	cr_assert(got_out(&w->r[R1], &g));
	assert_error(&g, "10.1.0.1", &last, 11, 0);
	client_says(w, &odd);
	cr_assert(got_out(&w->r[R1], &g));
	assert_error(&g, "10.1.0.1", &odd, 11, 0);
	assert_dropped(&w->r[R1], before, FL_DROP_TTL_EXPIRED, 2);
	cr_assert_eq(drain_out(&w->r[R2]), 0);
	world_free(w);
}

struct ttl_row {
	const char *name;
	struct say first;
	struct world_opts opts;
	bool established;
	const char *from;
	uint8_t type;
};

static const struct ttl_row ttl_rows[] = {
	{ "udp, with metadata", { 0 }, { 0 }, false, "198.51.100.2", 11 },
	{ "udp, established", { 0 }, { 0 }, true, "198.51.100.2", 11 },
	{ "tcp, established", { TCP }, { 0 }, true, "198.51.100.2", 11 },
	{ "ping, with metadata", { PING }, { 0 }, false, "198.51.100.2", 11 },
	{ "ping, established", { PING }, { 0 }, true, "198.51.100.2", 11 },
	{ "ping/IPv6 over IPv6",
	  { .proto = FL_IPPROTO_ICMPV6, V6 },
	  { .path6 = true },
	  false,
	  "2001:db8:f1::2",
	  3 },
	{ "udp/IPv6 over IPv4", { V6 }, { 0 }, true, "2001:db8:2::35", 3 },
	{ "gre, with metadata", { .proto = 47 }, { 0 }, false, "198.51.100.2", 11 },
};

/* At the second router: the error comes back inside the session, and is about the host's packet. */
Test(engine_icmp, ttl_runs_out_at_the_second_router)
{
	for (size_t i = 0; i < sizeof(ttl_rows) / sizeof(ttl_rows[0]); i++) {
		const struct ttl_row *row = &ttl_rows[i];
		struct world *w = world_new(&row->opts);
		struct say last = row->first;
		struct drops before;
		struct got g;

		if (row->established)
			establish(w, &row->first);
		before = drops_of(&w->r[R2]);
		last.ttl = 2;
		last.tcp_flags = row->established ? FL_TH_ACK : FL_TH_SYN;
		client_says(w, &last);
		assert_dropped(&w->r[R2], before, FL_DROP_TTL_EXPIRED, 1);
		cr_assert_eq(drain_out(&w->r[R2]), 0, "%s", row->name);
		cr_assert(got_out(&w->r[R1], &g), "%s", row->name);
		assert_error(&g, row->from, &last, row->type, 0);
		world_free(w);
	}
}

/* Errors of ours are limited: 1000 a second (chosen). */
Test(engine_icmp, errors_of_ours_are_limited)
{
	struct say last = { .ttl = 1 };
	struct world *w = two_routers();

	for (int i = 0; i < 1500; i++)
		client_says(w, &last);
	cr_assert_eq(drain_out(&w->r[R1]), 1000);
	cr_assert_eq(w->r[R1].t.drops[FL_DROP_TTL_EXPIRED], 1500);
	world_free(w);
}
