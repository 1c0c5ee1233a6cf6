// SPDX-License-Identifier: Apache-2.0
/*
 * "hmac-packets": "all" (svr-protocol.md 2.8): when a path is sealed, and what the agent sends and
 * takes there. What the data plane does with all other packets: test/bpf/fixtures/sealed.c.
 */
#include "agent/codec/packet_split.h"
#include "test/unit/engine_test.h"

static const struct world_opts all = { .security = ",'hmac-packets':'all'" };
static const struct say dns = { 0 };

/* What BFD has heard on all paths of a router. */
static void peers_say(struct router *r, bool proves)
{
	const struct fl_path_quality quality = { .live = FL_LIVE_YES,
						 .heard = true,
						 .proves = proves };

	for (uint16_t id = 1; id < FL_MAX_PATHS; id++)
		fl_fabric_set_quality(r->fabric, id, &quality);
}

static void assert_sealed(struct router *r, bool sealed)
{
	const struct fl_path *p = &r->t.paths[router_path(r, DEV_WAN1)];

	cr_assert_eq(!!(p->tx_flags & FL_TX_SEAL), sealed);
	cr_assert_eq(p->plain, sealed ? 0 : 4);
	cr_assert_eq(p->mtu, sealed ? 1500 - 16 : 1500);
}

Test(engine_sealed, as_the_peer_asks)
{
	struct world *w = world_new(&all);
	struct router *r = &w->r[R1];

	cr_assert(fl_fabric_is_sealed(r->fabric, router_iface(r, DEV_WAN1)));
	assert_sealed(r, false);
	peers_say(r, true);
	assert_sealed(r, true);
	/* A new process has heard nothing: the peer still asks. */
	router_restart(r);
	assert_sealed(r, true);
	peers_say(r, false);
	assert_sealed(r, false);
	router_restart(r);
	assert_sealed(r, false);
	world_free(w);
}

Test(engine_sealed, only_by_policy)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R1];

	cr_assert(!fl_fabric_is_sealed(r->fabric, router_iface(r, DEV_WAN1)));
	peers_say(r, true);
	assert_sealed(r, false);
	world_free(w);
}

/* A super-packet's segments, which the data plane has no HMACs for, one by one. */
Test(engine_sealed, what_the_agent_carries)
{
	const struct say bulk = { .len = 2500 };
	struct world *w = world_new(&all);
	struct router *r = &w->r[R1];
	static uint8_t packet[FL_MAX_FRAME];
	size_t len = say_packet(&bulk, packet), got = 0;
	struct model_punt punt = { .reason = FL_PUNT_TOO_BIG,
				   .hook = FL_HOOK_TC_INGRESS,
				   .iface = router_iface(r, DEV_LAN),
				   .gso_size = 1000 };
	struct fl_open open = { .unix_s = w->wall_ns / FL_NS_PER_S };
	struct fl_opened opened;
	struct got g;

	establish(w, &dns);
	peers_say(r, true);
	punt.session = router_session(r);
	punt.slot = r->t.sessions[punt.session].slot[0];
	open.ring = fl_fabric_netif(w->r[R2].fabric, router_iface(&w->r[R2], DEV_WAN1))->rx_ring;
	w->hold = true;
	model_hand_up(r, &punt, packet, len);
	for (int i = 0; i < 3; i++) {
		cr_assert(got_wire(w, &g));
		cr_assert(!g.meta);
		cr_assert_eq(g.p.payload_len, (i < 2 ? 1000u : 500u) + 16u);
		cr_assert_eq(fl_open(&open, g.p.payload, g.p.payload_len, &opened), 0);
		cr_assert(!opened.has_meta && opened.match == FL_HMAC_CURRENT);
		got += opened.payload_len;
	}
	cr_assert_eq(got, 2500);
	world_free(w);
}

/* What fits with its HMAC leaves whole; what fits only without is its sender's matter. */
Test(engine_sealed, the_longest)
{
	struct say say = { .len = 1500 - 28 - 16 };
	struct world *w = world_new(&all);
	struct router *r = &w->r[R1];
	static uint8_t packet[FL_MAX_FRAME];
	struct model_punt punt = { .reason = FL_PUNT_TOO_BIG, .iface = router_iface(r, DEV_LAN) };
	struct drops before;
	struct got g;

	establish(w, &dns);
	peers_say(r, true);
	punt.session = router_session(r);
	punt.slot = r->t.sessions[punt.session].slot[0];
	w->hold = true;
	say.df = true;
	model_hand_up(r, &punt, packet, say_packet(&say, packet));
	cr_assert(got_wire(w, &g));
	cr_assert_eq(g.p.len, 1500);
	before = drops_of(r);
	say.len++;
	model_hand_up(r, &punt, packet, say_packet(&say, packet));
	assert_dropped(r, before, FL_DROP_MTU_EXCEEDED, 1);
	world_free(w);
}

/* Cut by somebody under way, so that the data plane cannot prove it: that is done with the whole.
 */
Test(engine_sealed, in_pieces)
{
	static const uint8_t mac[6] = { 2 };
	static uint8_t whole[FL_MAX_FRAME], piece[1500], data[300];
	struct world *w = world_new(&all);
	struct router *r = &w->r[R2];
	struct craft c = { .from = R1, .payload = data, .len = sizeof(data) };
	struct fl_split split;
	struct fl_packet p;
	struct got g;
	int len;

	establish(w, &dns);
	drain_out(r);
	c.sport = w->r[R1].t.sessions[router_session(&w->r[R1])].out.local_port;
	c.dport = w->r[R1].t.sessions[router_session(&w->r[R1])].out.remote_port;
	for (int sealed = 0; sealed < 2; sealed++) {
		c.seal = sealed;
		cr_assert_eq(fl_packet_parse(whole, craft_packet(w, &c, whole), &p), 0);
		cr_assert_eq(fl_split_ip4(&split, &p, 100), 0);
		while ((len = fl_split_next(&split, piece, sizeof(piece))) > 0)
			model_ingress(r, DEV_WAN1, piece, (size_t)len, mac);
		cr_assert_eq(r->t.drops[FL_DROP_HMAC_MISMATCH], 1);
		cr_assert_eq(got_out(r, &g), sealed);
	}
	cr_assert_eq(g.p.payload_len, sizeof(data));
	world_free(w);
}
