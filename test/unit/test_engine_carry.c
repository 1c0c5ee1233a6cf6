// SPDX-License-Identifier: Apache-2.0
/*
 * Whole conversations through two and three routers: whatever the protocol, the address family of
 * the session and of the path, and the security policy, both hosts hear exactly what the other
 * said; the handshake ends, and then no packet needs the agent
 * (svr-protocol.md 3.2, 3.6, 2.6, 2.7).
 */
#include "test/unit/engine_test.h"

struct carry_row {
	const char *name;
	struct say first;
	struct world_opts opts;
};

#define V6     .src = "2001:db8:1::5"
#define TCP    .proto = FL_IPPROTO_TCP, .dport = 443, .seq = 100
#define PLAIN  .security = ",'encrypt':false"
#define PADDED .adjacency = ",'post-encryption-padding':true"

static const struct carry_row carry_rows[] = {
	{ "udp", { 0 }, { 0 } },
	{ "udp, metadata in clear", { 0 }, { PLAIN } },
	{ "udp, padded", { 0 }, { PADDED } },
	{ "udp, regular sha1",
	  { 0 },
	  { .security = ",'hmac-mode':'regular','hmac-cipher':'sha1'" } },
	{ "udp, sha512", { 0 }, { .security = ",'hmac-cipher':'sha512'" } },
	{ "udp, no HMAC", { 0 }, { .security = ",'hmac-mode':'disabled'" } },
	{ "udp over IPv6 path", { 0 }, { .path6 = true } },
	{ "udp/IPv6", { V6 }, { 0 } },
	{ "udp/IPv6 over IPv6 path", { V6 }, { .path6 = true } },
	{ "udp, odd length", { .len = 33 }, { 0 } },
	{ "udp, empty", { .no_payload = true }, { 0 } },
	{ "udp through three", { 0 }, { .routers = 3 } },
	{ "udp/IPv6 through three, in clear", { V6 }, { .routers = 3, PLAIN } },
	{ "tcp", { TCP }, { 0 } },
	{ "tcp over IPv6 path", { TCP }, { .path6 = true } },
	{ "tcp/IPv6", { TCP, V6 }, { 0 } },
	{ "tcp through three", { TCP }, { .routers = 3 } },
	{ "ping", { .proto = FL_IPPROTO_ICMP }, { 0 } },
	{ "ping over IPv6 path", { .proto = FL_IPPROTO_ICMP }, { .path6 = true } },
	{ "ping/IPv6", { .proto = FL_IPPROTO_ICMPV6, V6 }, { 0 } },
	{ "ping/IPv6 over IPv6 path", { .proto = FL_IPPROTO_ICMPV6, V6 }, { .path6 = true } },
	{ "ping through three", { .proto = FL_IPPROTO_ICMP }, { .routers = 3 } },
	{ "gre", { .proto = 47 }, { 0 } },
	{ "esp over IPv6 path", { .proto = 50 }, { .path6 = true } },
	{ "gre through three, in clear", { .proto = 47 }, { .routers = 3, PLAIN } },
};

/* One packet each way, heard as it was said. */
static void exchange(struct world *w, const struct say *say, const struct say *answer)
{
	struct router *last = &w->r[w->routers - 1];

	client_says(w, say);
	assert_arrived(last, say, w->routers);
	lan_says(w, w->routers - 1, answer);
	assert_arrived(&w->r[R1], answer, w->routers);
}

static void next_packets(const struct say *first, struct say *say, struct say *answer)
{
	*say = *first;
	*answer = answer_to(first);
	if (first->proto != FL_IPPROTO_TCP)
		return;
	say->tcp_flags = answer->tcp_flags = FL_TH_ACK | FL_TH_PSH;
	say->seq = first->seq + 1;
	say->ack = 7001;
	answer->seq = 7001;
	answer->ack = first->seq + 1;
	say->len = answer->len = 40;
}

static void converse(const struct carry_row *row)
{
	struct world *w = world_new(&row->opts);
	struct say answer = answer_to(&row->first), say;
	unsigned int punts[WORLD_ROUTERS];

	exchange(w, &row->first, &answer);
	next_packets(&row->first, &say, &answer);
	exchange(w, &say, &answer);
	for (int i = 0; i < w->routers; i++) {
		cr_assert_eq(router_state(&w->r[i]), SETTLED, "%s: r%d", row->name, i + 1);
		cr_assert_eq(router_drops(&w->r[i]), 0, "%s: r%d", row->name, i + 1);
		punts[i] = w->r[i].punts[FL_PUNT_SIGNAL] + w->r[i].punts[FL_PUNT_META];
	}
	exchange(w, &say, &answer);
	for (int i = 0; i < w->routers; i++) {
		cr_assert_eq(w->r[i].punts[FL_PUNT_SIGNAL] + w->r[i].punts[FL_PUNT_META], punts[i],
			     "%s: r%d", row->name, i + 1);
		cr_assert_eq(router_sessions(&w->r[i]), 1, "%s: r%d", row->name, i + 1);
		cr_assert_eq(w->r[i].t.stats[FL_STAT_HMAC_WINDOW_EARLY], 0);
	}
	world_free(w);
}

Test(engine_carry, what_is_said_is_heard)
{
	for (size_t i = 0; i < sizeof(carry_rows) / sizeof(carry_rows[0]); i++)
		converse(&carry_rows[i]);
}

/* On the wire: UDP stays UDP, TCP stays TCP, everything else becomes UDP (3.6). */
Test(engine_carry, protocol_on_the_wire)
{
	for (size_t i = 0; i < sizeof(carry_rows) / sizeof(carry_rows[0]); i++) {
		const struct carry_row *row = &carry_rows[i];
		struct world *w = world_new(&row->opts);
		struct got g;

		w->hold = true;
		client_says(w, &row->first);
		cr_assert(got_wire(w, &g));
		cr_assert_eq(g.p.hdr.proto,
			     row->first.proto == FL_IPPROTO_TCP ? FL_IPPROTO_TCP : FL_IPPROTO_UDP,
			     "%s", row->name);
		cr_assert_eq(g.p.hdr.family, row->opts.path6 ? 6 : 4, "%s", row->name);
		cr_assert_eq(g.o.meta.forward.proto,
			     row->first.proto ? row->first.proto : FL_IPPROTO_UDP, "%s", row->name);
		world_free(w);
	}
}

/* P-04: the context of ICMP has its identifier in both ports, portless protocols have 0. */
Test(engine_carry, context_of_what_has_no_ports)
{
	static const struct {
		struct say say;
		uint16_t port;
	} rows[] = { { { .proto = FL_IPPROTO_ICMP, .sport = 0xbeef }, 0xbeef },
		     { { .proto = FL_IPPROTO_ICMPV6, V6, .sport = 0xbeef }, 0xbeef },
		     { { .proto = 47 }, 0 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = two_routers();
		struct got g;

		w->hold = true;
		client_says(w, &rows[i].say);
		cr_assert(got_wire(w, &g));
		cr_assert_eq(g.o.meta.forward.sport, rows[i].port);
		cr_assert_eq(g.o.meta.forward.dport, rows[i].port);
		/* The ICMP header travels whole. */
		cr_assert_eq(g.o.payload_len, rows[i].port ? 40 : 32);
		world_free(w);
	}
}

/* ICMP sessions match on the identifier: another one is another session. */
Test(engine_carry, pings_with_two_identifiers_are_two_sessions)
{
	struct say one = { .proto = FL_IPPROTO_ICMP, .sport = 1 }, two = one;
	struct world *w = two_routers();

	two.sport = 2;
	client_says(w, &one);
	client_says(w, &two);
	cr_assert_eq(router_sessions(&w->r[R1]), 2);
	cr_assert_eq(router_sessions(&w->r[R2]), 2);
	world_free(w);
}

/* Both hosts start at once: metadata crosses, and the handshake still ends. */
Test(engine_carry, crossing_packets)
{
	struct world *w = two_routers();
	static const struct say dns = { 0 };
	struct got f, r;

	client_says(w, &dns);
	w->hold = true;
	client_says(w, &dns);
	server_says(w, &dns);
	cr_assert(got_wire(w, &f) && fl_meta_has(&f.o.meta, FL_META_FORWARD));
	cr_assert(got_wire(w, &r) && fl_meta_has(&r.o.meta, FL_META_REVERSE));
	world_deliver(w, r.f);
	world_deliver(w, f.f);
	cr_assert_eq(router_state(&w->r[R1]), SETTLED);
	cr_assert_eq(router_state(&w->r[R2]), SEND_R, "the peer has not seen a bare one");
	w->hold = false;
	client_says(w, &dns);
	cr_assert_eq(router_state(&w->r[R2]), SETTLED);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(router_drops(&w->r[i]), 0);
		cr_assert_eq(router_sessions(&w->r[i]), 1);
	}
	world_free(w);
}

/* The first packet is lost: its repetition carries the same metadata, TCP too. */
Test(engine_carry, a_repeated_first_segment_repeats_the_metadata)
{
	struct say syn = { TCP };
	struct world *w = two_routers();
	struct got lost, again;

	w->hold = true;
	client_says(w, &syn);
	cr_assert(got_wire(w, &lost));
	world_leap(w, 1000);
	client_says(w, &syn);
	cr_assert(peek_wire(w, 0, &again));
	cr_assert_eq(memcmp(again.o.meta.uuid, lost.o.meta.uuid, 16), 0);
	cr_assert(fl_tuple_equal(&again.t, &lost.t));
	cr_assert_eq(again.p.hdr.tcp_flags, FL_TH_SYN);
	w->hold = false;
	world_run(w);
	assert_arrived(&w->r[R2], &syn, 2);
	world_free(w);
}

/* A SYN-ACK has no data, but is no generated packet. */
Test(engine_carry, a_syn_ack_with_metadata_reaches_the_client)
{
	struct say syn = { TCP }, syn_ack = answer_to(&syn);
	struct world *w = two_routers();
	struct got g;

	client_says(w, &syn);
	w->hold = true;
	server_says(w, &syn);
	cr_assert(got_wire(w, &g));
	cr_assert(fl_meta_has(&g.o.meta, FL_META_REVERSE));
	cr_assert_not(fl_meta_has(&g.o.meta, FL_META_DISABLE_FORWARD));
	world_deliver(w, g.f);
	assert_arrived(&w->r[R1], &syn_ack, 2);
	cr_assert_eq(router_state(&w->r[R1]), SETTLED);
	world_free(w);
}

/* P-06: payloads that start like metadata are fenced, in both directions and in every state. */
Test(engine_carry, p06_payloads_that_look_like_metadata)
{
	static const uint8_t cookie[40] = { FL_META_COOKIE_BYTES, 0x10, 0x0c };
	struct say odd = { .payload = cookie, .len = sizeof(cookie) }, answer = answer_to(&odd);
	struct world *w = two_routers();
	struct got g;

	for (int i = 0; i < 3; i++)
		exchange(w, &odd, &answer);
	cr_assert_eq(router_state(&w->r[R1]), SETTLED);
	cr_assert_eq(router_state(&w->r[R2]), SETTLED);
	w->hold = true;
	client_says(w, &odd);
	cr_assert(got_wire(w, &g));
	cr_assert(g.meta && g.o.fence);
	cr_assert_eq(g.o.block_len, 12);
	cr_assert_eq(g.p.payload_len, 12 + 40 + 16, "fence, payload, HMAC");
	cr_assert_geq(w->r[R1].t.stats[FL_STAT_FALSE_POSITIVE_ADDED], 1);
	cr_assert_geq(w->r[R2].t.stats[FL_STAT_FALSE_POSITIVE_REMOVED], 1);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(router_drops(&w->r[i]), 0);
	world_free(w);
}

/* A super-packet of a device that merges segments is taken apart, and each part gets its metadata.
 */
Test(engine_carry, super_packets)
{
	struct say bulk = { .len = 2500 };
	struct world *w = two_routers();
	struct router *r = &w->r[R1];
	static uint8_t packet[FL_MAX_FRAME];
	size_t len = say_packet(&bulk, packet), got = 0;
	const struct model_punt punt = { .reason = FL_PUNT_NEW,
					 .hook = FL_HOOK_TC_INGRESS,
					 .iface = router_iface(r, DEV_LAN),
					 .gso_size = 1000,
					 .slot = FL_NO_SLOT };
	struct got g;

	w->hold = true;
	model_hand_up(r, &punt, packet, len);
	cr_assert_eq(router_sessions(r), 1);
	for (int i = 0; i < 3; i++) {
		cr_assert(got_wire(w, &g));
		cr_assert(fl_meta_has(&g.o.meta, FL_META_FORWARD));
		cr_assert_eq(g.o.payload_len, i < 2 ? 1000 : 500);
		got += g.o.payload_len;
	}
	cr_assert_eq(got, 2500);
	world_free(w);
}
