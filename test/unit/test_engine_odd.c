// SPDX-License-Identifier: Apache-2.0
/*
 * What happens rarely: punts that are out of date when they are read, super-packets of peers,
 * checksums left to devices, ways out that are not complete, limits of what can be sent.
 */
#include "agent/codec/packet_split.h"
#include "test/unit/engine_test.h"

static const struct say dns = { 0 };

static const struct fl_session *newest(struct router *r)
{
	return &r->t.sessions[router_session(r)];
}

/* --- out of date ------------------------------------------------------------------------------ */

/* The session ended while its packet waited in the ring: a host's packet opens another. */
Test(engine_odd, a_hosts_packet_outlives_its_session)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R1];
	static uint8_t packet[FL_MAX_FRAME];
	struct model_punt late = { .reason = FL_PUNT_SIGNAL };
	uint8_t uuid[16];

	w->hold = true;
	client_says(w, &dns);
	late.session = router_session(r);
	late.slot = newest(r)->slot[FL_FORWARD];
	late.iface = router_iface(r, DEV_LAN);
	memcpy(uuid, newest(r)->uuid, 16);
	fl_engine_clear_all(r->engine);
	model_hand_up(r, &late, packet, say_packet(&dns, packet));
	cr_assert_eq(router_sessions(r), 1);
	cr_assert_neq(memcmp(newest(r)->uuid, uuid, 16), 0);
	world_free(w);
}

/* A peer's: it is told that there is none. */
Test(engine_odd, a_peers_packet_outlives_its_session)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R2];
	static uint8_t packet[FL_MAX_FRAME];
	const struct craft c = {
		.from = R1, .sport = 0x8000, .dport = 0x8001, .payload = "x", .len = 1
	};
	const struct model_punt late = { .reason = FL_PUNT_TOO_BIG,
					 .session = 1,
					 .slot = 3,
					 .iface = router_iface(r, DEV_WAN1),
					 .path = router_path(r, DEV_WAN1) };
	struct drops before = drops_of(r);
	struct got g;

	w->hold = true;
	model_hand_up(r, &late, packet, craft_packet(w, &c, packet));
	assert_dropped(r, before, FL_DROP_NO_SESSION, 1);
	cr_assert(got_wire(w, &g));
	cr_assert_eq(g.o.meta.control, FL_CONTROL_ENABLE);
	world_free(w);
}

/* Numbers that no data plane would give: nothing happens. */
Test(engine_odd, nonsense_from_the_ring)
{
	static const enum fl_punt_reason reasons[] = { FL_PUNT_NONE, FL_PUNT_STATE,
						       FL_PUNT_TTL,  FL_PUNT_ICMP_ERROR,
						       FL_PUNT_META, FL_PUNT_BARE };
	struct world *w = two_routers();
	struct router *r = &w->r[R1];
	static uint8_t packet[FL_MAX_FRAME];
	size_t len = say_packet(&dns, packet);

	w->hold = true;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		const struct model_punt punt = { .reason = reasons[i],
						 .session = 0xffffffff,
						 .slot = FL_NO_SLOT - 1,
						 .iface = 60,
						 .path = 250 };

		model_hand_up(r, &punt, packet, len);
	}
	cr_assert_eq(router_sessions(r), 0);
	cr_assert_eq(w->wire.count + r->out.count, 0);
	cr_assert_eq(r->t.drops[FL_DROP_UNKNOWN_PEER], 2);
	world_free(w);
}

/* --- super-packets and checksums -------------------------------------------------------------- */

/* Of a peer's, some segments have metadata and some have none. */
Test(engine_odd, a_super_packet_with_and_without_metadata)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R2];
	struct fl_meta m = craft_forward(&dns, 1);
	struct craft c = { .from = R1, .meta = &m, .payload = "one", .len = 3 };
	static uint8_t packet[FL_MAX_FRAME], joined[2000];
	const struct model_punt punt = { .reason = FL_PUNT_META,
					 .slot = FL_NO_SLOT,
					 .iface = router_iface(r, DEV_WAN1),
					 .path = router_path(r, DEV_WAN1),
					 .gso_size = 0 };
	struct model_punt super = punt;
	struct fl_packet p;
	size_t size;

	cr_assert_eq(fl_packet_parse(packet, craft_packet(w, &c, packet), &p), 0);
	size = p.payload_len;
	memcpy(joined, p.payload, size);
	memset(joined + size, 'b', size);
	c.meta = NULL;
	c.payload = joined;
	c.len = 2 * size;
	super.gso_size = (uint16_t)size;
	model_hand_up(r, &super, packet, craft_packet(w, &c, packet));
	cr_assert_eq(router_sessions(r), 1);
	cr_assert_eq(r->out.count, 2);
	cr_assert_eq(router_state(r), SETTLED, "the bare one ends the handshake");
	world_free(w);
}

/* A checksum left to the device: normal on the TC path, worth a warning on the XDP path. */
Test(engine_odd, partial_checksums)
{
	static const struct {
		enum fl_hook hook;
		uint64_t warned;
	} rows[] = { { FL_HOOK_TC_INGRESS, 0 }, { FL_HOOK_XDP, 1 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = two_routers();
		struct router *r = &w->r[R1];
		static uint8_t packet[FL_MAX_FRAME];
		size_t len = say_packet(&dns, packet);
		const struct model_punt punt = { .reason = FL_PUNT_NEW,
						 .hook = rows[i].hook,
						 .slot = FL_NO_SLOT,
						 .iface = router_iface(r, DEV_LAN) };
		uint32_t sum = 10 * 256 + 1 + 5 + 10 * 256 + 2 + 53 + 17 + (uint32_t)len - 20;

		/* The sum of the pseudo-header, not complemented. */
		packet[26] = (uint8_t)(sum >> 8);
		packet[27] = (uint8_t)sum;
		model_hand_up(r, &punt, packet, len);
		world_run(w);
		assert_arrived(&w->r[R2], &dns, 2);
		cr_assert_eq(r->t.stats[FL_STAT_PARTIAL_CHECKSUM], rows[i].warned);
		world_free(w);
	}
}

/* Over IPv6 a peer's data plane wraps other protocols without a checksum (RFC 6935). */
Test(engine_odd, a_wrapped_packet_without_a_checksum)
{
	const struct world_opts opts = { .path6 = true };
	struct world *w = world_new(&opts);
	struct router *r = &w->r[R2];
	static uint8_t packet[FL_MAX_FRAME];
	const struct craft c = {
		.from = R1, .sport = 0x8000, .dport = 0x8001, .payload = "esp", .len = 3
	};
	const struct model_punt bare = { .reason = FL_PUNT_BARE,
					 .slot = FL_NO_SLOT,
					 .iface = router_iface(r, DEV_WAN1),
					 .path = router_path(r, DEV_WAN1) };
	size_t len = craft_packet(w, &c, packet);
	struct drops before = drops_of(r);
	struct got g;

	w->hold = true;
	memset(packet + sizeof(struct fl_ip6) + offsetof(struct fl_udp, check), 0, 2);
	model_hand_up(r, &bare, packet, len);
	assert_dropped(r, before, FL_DROP_NO_SESSION, 1);
	cr_assert(got_wire(w, &g), "the session is asked about");
	cr_assert_eq(g.o.meta.control, FL_CONTROL_ENABLE);
	world_free(w);
}

/* --- ways out --------------------------------------------------------------------------------- */

/* Source NAT on an interface that has no address of that family. */
Test(engine_odd, source_nat_without_an_address)
{
	struct world *w = two_routers();
	struct say web = { .dst = "192.0.2.80" };
	const struct fl_addr own = addr_of("100.64.0.1"), none = { 0 };
	struct drops before = drops_of(&w->r[R1]);

	fl_fabric_addr(w->r[R1].fabric, dev_ifindex(R1, DEV_INET), &own, &none, false);
	client_says(w, &web);
	assert_dropped(&w->r[R1], before, FL_DROP_NO_ROUTE, 1);
	cr_assert_eq(router_sessions(&w->r[R1]), 0);
	world_free(w);
}

/* A target of the other family is no way for this session. */
Test(engine_odd, a_target_of_the_other_family)
{
	struct world_opts opts = { .inet_hop = ",'target-address':'2001:db8::80'" };
	struct world *w = world_new(&opts);
	struct say web = { .dst = "192.0.2.80" };
	struct drops before = drops_of(&w->r[R1]);

	client_says(w, &web);
	assert_dropped(&w->r[R1], before, FL_DROP_NO_ROUTE, 1);
	world_free(w);
}

/* The path went down after the session was opened: its packets are dropped, and told so. */
Test(engine_odd, the_path_of_a_session_is_down)
{
	struct world *w = two_routers();
	struct drops before;

	client_says(w, &dns);
	drain_out(&w->r[R2]);
	router_link(&w->r[R1], DEV_WAN1, false);
	before = drops_of(&w->r[R1]);
	client_says(w, &dns);
	assert_dropped(&w->r[R1], before, FL_DROP_NO_PATH, 1);
	router_link(&w->r[R1], DEV_WAN1, true);
	client_says(w, &dns);
	assert_arrived(&w->r[R2], &dns, 2);
	world_free(w);
}

/* A path too narrow for any slice with its metadata. */
Test(engine_odd, hmacs_and_narrow_paths)
{
	struct world_opts opts = { .security = ",'hmac-cipher':'sha512'",
				   .adjacency = ",'mtu':576" };
	struct world *w = world_new(&opts);
	struct say s = { .len = 1400 };

	client_says(w, &s);
	assert_arrived(&w->r[R2], &s, 2);
	world_free(w);
}

/* A host's packet that is 64 KB already cannot take a block along. */
Test(engine_odd, more_than_64_kb)
{
	struct say s = { .len = 65480 };
	struct world *w = two_routers();
	struct drops before = drops_of(&w->r[R1]);

	w->hold = true;
	client_says(w, &s);
	assert_dropped(&w->r[R1], before, FL_DROP_FRAG_LIMIT, 1);
	cr_assert_eq(w->wire.count, 0);
	world_free(w);
}

/* The tuple is taken already by another session's answers: the new one is refused. */
Test(engine_odd, a_tuple_that_is_taken)
{
	struct world_opts opts = { .internet = ",'source-nat':'disabled'" };
	struct world *w = world_new(&opts);
	struct say web = { .dst = "192.0.2.80" };
	struct fl_meta m = craft_forward(&web, 1);
	struct craft c = { .from = R1, .meta = &m, .payload = "x", .len = 1 };
	struct drops before;

	/* The same flow from a host of R2's own, and from R1's. */
	m.forward.src[1] = 2;
	m.forward.src[3] = 5;
	web.src = "10.2.0.5";
	lan_says(w, R2, &web);
	cr_assert_eq(router_sessions(&w->r[R2]), 1);
	before = drops_of(&w->r[R2]);
	craft_send(w, &c);
	assert_dropped(&w->r[R2], before, FL_DROP_META_UNEXPECTED, 1);
	cr_assert_eq(router_sessions(&w->r[R2]), 1);
	world_free(w);
}

/* The table of next hops is full: those of no session make room, but not the one just decided on.
 */
Test(engine_odd, next_hops_run_out_while_a_session_is_opened)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R1];
	char src[64], dst[64];

	r->silent = true;
	for (unsigned int n = 0; n <= FL_MAX_NEXTHOPS / 2; n++) {
		struct say s = { .src = src, .dst = dst };

		snprintf(src, sizeof(src), "2001:db8:1::a:%x", n + 1);
		snprintf(dst, sizeof(dst), "2001:db8:1::b:%x", n + 1);
		client_says(w, &s);
		r->n_asks = 0;
		world_leap(w, FL_SLOT_QUARANTINE_MS + 1);
		cr_assert_eq(router_sessions(r), 1);
		cr_assert_neq(newest(r)->in.nexthop, newest(r)->out.nexthop, "%u", n);
		if (n + 2 > FL_MAX_NEXTHOPS / 2)
			router_check(r);
		fl_engine_clear_all(r->engine);
	}
	world_free(w);
}

/* All of them held by sessions: a host without one is refused for that, and nobody else is. */
Test(engine_odd, no_next_hop_is_left)
{
	struct world *w = two_routers();
	const struct say other = { .src = "10.1.0.6" };
	struct router *r = &w->r[R1];
	struct drops before;

	establish(w, &dns);
	for (uint32_t id = 1; id < FL_MAX_NEXTHOPS; id++)
		if (r->t.nexthops[id].state == FL_PATH_UNUSED)
			r->t.nexthops[id].state = FL_PATH_DOWN;
	before = drops_of(r);
	client_says(w, &other);
	assert_dropped(r, before, FL_DROP_TABLE_FULL, 1);
	cr_assert_eq(router_sessions(r), 1);
	client_says(w, &dns);
	assert_arrived(&w->r[R2], &dns, 2);
	world_free(w);
}

/* --- pieces ------------------------------------------------------------------------------------
 */

/* From a peer's address, in pieces, and none of ours: for this host's stack, as it was. */
Test(engine_odd, fragments_for_the_host_itself)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R2];
	struct say ssh = { .src = "198.51.100.1",
			   .dst = "198.51.100.2",
			   .sport = 5000,
			   .dport = 5001,
			   .len = 200 };
	static uint8_t whole[FL_MAX_FRAME], piece[1500];
	static const uint8_t mac[6] = { 2 };
	struct fl_split split;
	struct fl_packet p;
	struct got g;
	int len;

	cr_assert_eq(fl_packet_parse(whole, say_packet(&ssh, whole), &p), 0);
	cr_assert_eq(fl_split_ip4(&split, &p, 100), 0);
	while ((len = fl_split_next(&split, piece, sizeof(piece))) > 0)
		model_ingress(r, DEV_WAN1, piece, (size_t)len, mac);
	cr_assert(got_out(r, &g));
	cr_assert_eq(g.f->dev, DEV_HOST);
	cr_assert(arrived_as(&g, &ssh, 0));
	cr_assert_eq(router_sessions(r), 0);
	world_free(w);
}

/* Without metadata, for no session: asked about as any other. */
Test(engine_odd, fragments_of_a_bare_packet)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R2];
	static uint8_t whole[FL_MAX_FRAME], piece[1500], data[300];
	static const uint8_t mac[6] = { 2 };
	const struct craft c = {
		.from = R1, .sport = 0x8000, .dport = 0x8001, .payload = data, .len = sizeof(data)
	};
	struct fl_split split;
	struct fl_packet p;
	int len;

	w->hold = true;
	cr_assert_eq(fl_packet_parse(whole, craft_packet(w, &c, whole), &p), 0);
	cr_assert_eq(fl_split_ip4(&split, &p, 100), 0);
	while ((len = fl_split_next(&split, piece, sizeof(piece))) > 0)
		model_ingress(r, DEV_WAN1, piece, (size_t)len, mac);
	cr_assert_eq(r->t.drops[FL_DROP_NO_SESSION], 1);
	cr_assert_eq(w->wire.count, 1);
	world_free(w);
}

/* --- the rest --------------------------------------------------------------------------------- */

/* TLV 18 beside nothing else of the handshake stops forward metadata too. */
Test(engine_odd, tlv_18_alone)
{
	struct world *w = two_routers();
	struct fl_meta m = { .has = FL_META_BIT(FL_META_SECURITY_ID) |
				    FL_META_BIT(FL_META_DISABLE_FORWARD),
			     .security_id = 1 };
	struct craft c = { .from = R2, .meta = &m };

	w->hold = true;
	client_says(w, &dns);
	c.sport = newest(&w->r[R1])->out.remote_port;
	c.dport = newest(&w->r[R1])->out.local_port;
	craft_send(w, &c);
	cr_assert_eq(router_state(&w->r[R1]), SETTLED);
	cr_assert_eq(drain_out(&w->r[R1]), 0);
	world_free(w);
}

/* P-05, the side that asks: a modification is repeated until it is acknowledged with its number. */
Test(engine_odd, p05_modification_is_acknowledged)
{
	struct world *w = two_routers();
	struct fl_session *s;
	struct fl_meta m = craft_reverse(&dns);
	struct craft c = { .from = R2, .meta = &m, .payload = "x", .len = 1 };
	struct got g;

	w->hold = true;
	client_says(w, &dns);
	drain_wire(w);
	s = &w->r[R1].t.sessions[router_session(&w->r[R1])];
	s->flags |= FL_SESSION_RESIGNAL;
	s->modify_seq = 5;
	client_says(w, &dns);
	cr_assert(got_wire(w, &g));
	cr_assert(fl_meta_has(&g.o.meta, FL_META_MODIFY) && g.o.meta.modify.forward);
	cr_assert_eq(g.o.meta.modify.seq, 5);
	cr_assert(fl_meta_has(&g.o.meta, FL_META_REMAINING_TIME));
	cr_assert_eq(g.o.meta.remaining_s, 10);
	c.sport = s->out.remote_port;
	c.dport = s->out.local_port;
	m.has |= FL_META_BIT(FL_META_MODIFY);
	m.modify = (struct fl_meta_modify){ .seq = 4, .done = true };
	craft_send(w, &c);
	cr_assert(s->flags & FL_SESSION_RESIGNAL);
	m.modify.seq = 5;
	craft_send(w, &c);
	cr_assert_not(s->flags & FL_SESSION_RESIGNAL);
	world_free(w);
}

/* Strict, with a window scale: both sides have said it, so windows count by it. */
Test(engine_odd, strict_windows_with_a_scale)
{
	struct world_opts opts = { .policy = ",'transport-state-enforcement':'strict'" };
	struct world *w = world_new(&opts);
	struct say syn = { .proto = FL_IPPROTO_TCP, .seq = 100, .mss = 1460, .scale = 7 };

	client_says(w, &syn);
	cr_assert_eq(newest(&w->r[R1])->window[0].scale, 7);
	cr_assert(newest(&w->r[R1])->window[0].flags & FL_TCPW_SCALE);
	cr_assert_eq(newest(&w->r[R2])->window[0].scale, 7);
	world_free(w);
}

/* What `show stats` asks for. */
Test(engine_odd, memory_is_accounted)
{
	struct world *w = two_routers();
	struct fl_engine_memory m;

	client_says(w, &dns);
	fl_engine_memory(w->r[R1].engine, &m);
	cr_assert_gt(m.flows, 0);
	cr_assert_gt(m.store, 0);
	cr_assert_eq(m.deadlines, 65 * sizeof(uint32_t));
	cr_assert_geq(m.other, sizeof(struct fl_engine));
	cr_assert_eq(fl_engine_store(w->r[R1].engine), w->r[R1].engine->store);
	cr_assert_eq(fl_engine_fib(w->r[R1].engine), w->r[R1].engine->plan.fib);
	world_free(w);
}

/* Broadcast addresses of own networks are the kernel's, as long as one of two addresses is there.
 */
Test(engine_odd, broadcasts_of_own_networks)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R1];
	const struct fl_addr one = addr_of("10.1.0.1"), two = addr_of("10.1.0.2"),
			     brd = addr_of("10.1.0.255"), other = addr_of("10.1.0.127");
	const uint32_t lan = dev_ifindex(R1, DEV_LAN);

	cr_assert(router_has_local(r, "10.1.0.255"));
	cr_assert(!fl_fabric_is_local(r->fabric, &brd));
	fl_fabric_addr(r->fabric, lan, &two, &brd, true);
	fl_fabric_addr(r->fabric, lan, &one, &brd, false);
	cr_assert(router_has_local(r, "10.1.0.255") && !router_has_local(r, "10.1.0.1"));
	fl_fabric_addr(r->fabric, lan, &two, &other, true);
	cr_assert(router_has_local(r, "10.1.0.127") && !router_has_local(r, "10.1.0.255"));
	fl_fabric_addr(r->fabric, lan, &two, &other, false);
	cr_assert(!router_has_local(r, "10.1.0.127") && !router_has_local(r, "10.1.0.2"));
	world_free(w);
}

/* Which news of devices may be news of routes, about which the kernel says nothing then. */
Test(engine_odd, devices_that_take_routes_along)
{
	static const struct {
		bool up;
		bool removed;
		bool changes;
	} rows[] = {
		{ true, false, true },   /* comes */
		{ true, false, false },  /* says something else */
		{ false, false, true },  /* goes down */
		{ false, false, false }, /* stays so */
		{ true, false, true },   /* comes up */
		{ true, true, true },    /* is removed */
		{ true, true, false },   /* is not there any more */
	};
	struct world *w = two_routers();
	struct fl_link link = { .ifindex = 77, .name = "other", .mtu = 1500 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		link.up = rows[i].up;
		link.removed = rows[i].removed;
		cr_assert_eq(fl_fabric_link(w->r[R1].fabric, &link), rows[i].changes, "row %zu", i);
	}
	world_free(w);
}

/* All next hops are held: known hosts go on as before, and nobody looks for room all the time. */
Test(engine_odd, no_next_hop_left)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R1];
	const struct say known = { .sport = 40000 }, other = { .sport = 40001 },
			 stranger = { .src = "10.1.0.77" };
	struct drops before;
	unsigned int asked;
	uint16_t last = 0;

	establish(w, &known);
	for (uint16_t id = 1; id < FL_MAX_NEXTHOPS; id++)
		if (r->t.nexthops[id].state == FL_PATH_UNUSED) {
			r->t.nexthops[id].state = FL_PATH_DOWN;
			last = id;
		}
	before = drops_of(r);
	client_says(w, &stranger);
	assert_dropped(r, before, FL_DROP_TABLE_FULL, 1);
	asked = r->route_questions;
	client_says(w, &other);
	cr_assert_eq(r->route_questions, asked);
	cr_assert_eq(router_sessions(r), 2);
	r->t.nexthops[last].state = FL_PATH_UNUSED;
	world_leap(w, 50);
	client_says(w, &stranger);
	assert_dropped(r, before, FL_DROP_TABLE_FULL, 2);
	world_leap(w, 51);
	client_says(w, &stranger);
	cr_assert_eq(router_sessions(r), 3);
	drain_out(&w->r[R2]);
	world_free(w);
}
