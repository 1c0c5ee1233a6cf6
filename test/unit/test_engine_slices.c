// SPDX-License-Identifier: Apache-2.0
/*
 * Fabric fragmentation (svr-protocol.md 3.7, P-25): what is too big with its metadata is cut into
 * slices, each a complete packet of ours, and made whole by the next router.
 */
#include "test/unit/engine_test.h"

/* As large as a host's packet may be: 1500 bytes. */
static const struct say full = { .len = 1472, .id = 0xabcd };
static const struct say dns = { 0 };

struct slices {
	struct got g[8];
	size_t n;
};

/* The client says it; what is then on the wire. */
static struct slices cut(struct world *w, const struct say *say)
{
	struct slices s = { .n = 0 };

	w->hold = true;
	client_says(w, say);
	while (s.n < 8 && got_wire(w, &s.g[s.n]))
		s.n++;
	return s;
}

/* P-25: each slice's own block holds TLV 1 (and 16), slice 0 starts with the session's block. */
Test(engine_slices, p25_what_a_slice_looks_like)
{
	struct world *w = two_routers();
	struct slices s = cut(w, &full);
	size_t at = 0;

	cr_assert_eq(s.n, 2);
	for (size_t i = 0; i < s.n; i++) {
		const struct fl_meta *m = &s.g[i].o.meta;

		cr_assert_leq(s.g[i].p.len, 1500);
		cr_assert_eq(m->has,
			     FL_META_BIT(FL_META_FRAGMENT) | FL_META_BIT(FL_META_SECURITY_ID));
		cr_assert_eq(m->fragment.ext_id, s.g[0].o.meta.fragment.ext_id);
		cr_assert_eq(m->fragment.orig_id, 0xabcd);
		cr_assert_eq(m->fragment.offset * 8u, at);
		cr_assert_eq(m->fragment.mf, i + 1 < s.n);
		cr_assert_not(m->fragment.df);
		cr_assert(s.g[i].p.hdr.flags & FL_PKT_DF, "not to be cut again under way");
		at += s.g[i].o.payload_len;
	}
	cr_assert(fl_meta_has_cookie(s.g[0].o.payload, s.g[0].o.payload_len));
	cr_assert_gt(at, 1472 + 100, "with the block");
	cr_assert_eq(w->r[R1].t.stats[FL_STAT_FRAG_OUT], 2);
	world_free(w);
}

struct whole_row {
	const char *name;
	struct say say;
	struct world_opts opts;
};

#define TCP .proto = FL_IPPROTO_TCP, .dport = 443, .tcp_flags = FL_TH_SYN

static const struct whole_row whole_rows[] = {
	{ "udp", { .len = 1472, .id = 0xabcd }, { 0 } },
	{ "udp, DF", { .len = 1472, .df = true }, { 0 } },
	{ "udp, small path", { .len = 1400 }, { .adjacency = ",'mtu':576" } },
	{ "udp, padded", { .len = 1472 }, { .adjacency = ",'post-encryption-padding':true" } },
	{ "udp, in clear", { .len = 1472 }, { .security = ",'encrypt':false" } },
	{ "udp, no HMAC", { .len = 1472 }, { .security = ",'hmac-mode':'disabled'" } },
	{ "udp over IPv6 path", { .len = 1400 }, { .path6 = true, .adjacency = ",'mtu':1280" } },
	{ "udp/IPv6", { .src = "2001:db8:1::5", .len = 1420 }, { 0 } },
	{ "ping", { .proto = FL_IPPROTO_ICMP, .len = 1472 }, { 0 } },
	{ "tcp, data in the first segment", { TCP, .len = 1460, .seq = 5 }, { 0 } },
	{ "gre", { .proto = 47, .len = 1480 }, { 0 } },
	{ "through three", { .len = 1472 }, { .routers = 3 } },
};

/* Whole again at the next router, whatever it was; DF and identification as the host set them. */
Test(engine_slices, whole_again_at_the_next_router)
{
	for (size_t i = 0; i < sizeof(whole_rows) / sizeof(whole_rows[0]); i++) {
		const struct whole_row *row = &whole_rows[i];
		struct world *w = world_new(&row->opts);
		struct router *last = &w->r[w->routers - 1];
		struct got g;

		client_says(w, &row->say);
		cr_assert(got_out(last, &g), "%s", row->name);
		cr_assert(arrived_as(&g, &row->say, w->routers), "%s", row->name);
		if (g.p.hdr.family == 4) {
			cr_assert_eq(!!(g.p.hdr.flags & FL_PKT_DF), row->say.df, "%s: DF",
				     row->name);
			/* An IPv6 header has no place for it. */
			cr_assert_eq(g.p.data[4] << 8 | g.p.data[5],
				     row->opts.path6 ? 0
				     : row->say.id   ? row->say.id
						     : 0x1234,
				     "%s", row->name);
		}
		cr_assert_eq(last->t.stats[FL_STAT_REASSEMBLED], 1, "%s", row->name);
		for (int r = 0; r < w->routers; r++)
			cr_assert_eq(router_drops(&w->r[r]), 0, "%s", row->name);
		world_free(w);
	}
}

/* Under way the identification may become another: the slices say what it was. */
Test(engine_slices, p25_original_identification)
{
	struct world *w = two_routers();
	struct slices s = cut(w, &full);
	struct got g;

	for (size_t i = 0; i < s.n; i++) {
		struct frame *f = calloc(1, sizeof(*f) + s.g[i].f->len);

		memcpy(f, s.g[i].f, sizeof(*f) + s.g[i].f->len);
		f->data[4] = (uint8_t)i;
		fl_ip4_csum_fill((void *)f->data);
		world_deliver(w, f);
		free(f);
	}
	cr_assert(got_out(&w->r[R2], &g));
	cr_assert_eq(g.p.data[4] << 8 | g.p.data[5], 0xabcd);
	world_free(w);
}

/* The answer is cut as well, by the responder's router. */
Test(engine_slices, the_answer_too)
{
	struct world *w = two_routers();
	struct say big = full, answer = answer_to(&full);

	client_says(w, &dns);
	lan_says(w, R2, &answer);
	assert_arrived(&w->r[R1], &answer, 2);
	cr_assert_eq(w->r[R1].t.stats[FL_STAT_REASSEMBLED], 1);
	cr_assert_eq(router_state(&w->r[R1]), SETTLED);
	drain_out(&w->r[R2]);
	client_says(w, &big);
	assert_arrived(&w->r[R2], &big, 2);
	world_free(w);
}

/* Without metadata a packet may be too big all by itself, and allowed to be cut. */
Test(engine_slices, a_bare_packet_that_is_too_big)
{
	struct world_opts opts = { .adjacency = ",'mtu':1000" };
	struct world *w = world_new(&opts);

	establish(w, &dns);
	client_says(w, &full);
	cr_assert_eq(w->r[R1].last_punt, FL_PUNT_TOO_BIG);
	assert_arrived(&w->r[R2], &full, 2);
	cr_assert_eq(router_state(&w->r[R2]), SETTLED);
	cr_assert_eq(router_drops(&w->r[R1]) + router_drops(&w->r[R2]), 0);
	world_free(w);
}

/* A host cannot slip metadata past us in a packet that needs slices. */
Test(engine_slices, a_host_cannot_forge_metadata_by_size)
{
	static uint8_t forged[1400];
	struct world_opts opts = { .adjacency = ",'mtu':1000", .security = ",'encrypt':false" };
	struct world *w = world_new(&opts);
	struct say odd = { .payload = forged, .len = sizeof(forged) };
	struct fl_meta m = craft_control(FL_CONTROL_DELETE);
	struct fl_meta_lens lens;
	struct fl_writer out = fl_writer(forged, sizeof(forged));

	cr_assert_gt(fl_meta_build(&m, &out, &lens), 0);
	establish(w, &dns);
	client_says(w, &odd);
	cr_assert_eq(router_sessions(&w->r[R2]), 1);
	cr_assert_eq(w->r[R2].t.stats[FL_STAT_CONTROL_DELETE_RX], 0);
	assert_arrived(&w->r[R2], &odd, 2);
	world_free(w);
}

/* --- on the way ------------------------------------------------------------------------------- */

/* In another order: whole all the same. */
Test(engine_slices, in_any_order)
{
	struct world *w = world_new(&(struct world_opts){ .adjacency = ",'mtu':600" });
	struct slices s = cut(w, &full);

	cr_assert_geq(s.n, 3);
	for (size_t i = s.n; i--;)
		world_deliver(w, s.g[i].f);
	assert_arrived(&w->r[R2], &full, 2);
	world_free(w);
}

/* Overlapping pieces: drop all. The same slice twice is one. */
Test(engine_slices, p25_overlap_drops_all)
{
	struct world *w = two_routers();
	struct slices s = cut(w, &full);
	struct drops before = drops_of(&w->r[R2]);

	world_deliver(w, s.g[0].f);
	world_deliver(w, s.g[0].f);
	assert_dropped(&w->r[R2], before, FL_DROP_FRAG_OVERLAP, 1);
	world_deliver(w, s.g[1].f);
	cr_assert_eq(drain_out(&w->r[R2]), 0);
	cr_assert_eq(router_sessions(&w->r[R2]), 0);
	world_advance(w, 3000);
	cr_assert_eq(w->r[R2].t.drops[FL_DROP_FRAG_OVERLAP], 1);
	cr_assert_eq(w->r[R2].t.drops[FL_DROP_FRAG_TIMEOUT], 1, "what came later");
	world_free(w);
}

/* 2 s timeout: then the rest comes too late. */
Test(engine_slices, p25_timeout)
{
	static const struct {
		uint64_t wait_ms;
		bool whole;
	} rows[] = { { 1900, true }, { 2000, false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = two_routers();
		struct slices s = cut(w, &full);
		struct drops before = drops_of(&w->r[R2]);

		world_deliver(w, s.g[0].f);
		world_advance(w, rows[i].wait_ms);
		assert_dropped(&w->r[R2], before, FL_DROP_FRAG_TIMEOUT, !rows[i].whole);
		world_deliver(w, s.g[1].f);
		cr_assert_eq(drain_out(&w->r[R2]), rows[i].whole);
		world_free(w);
	}
}

/* A slice as a peer would make it. */
static void slice(struct world *w, uint32_t id, uint32_t offset, bool more, size_t len,
		  enum device dev)
{
	static const uint8_t zeros[1400];
	struct fl_meta m = {
		.has = FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_FRAGMENT),
		.security_id = 1,
		.fragment = { .ext_id = id, .mf = more, .offset = (uint16_t)(offset / 8) }
	};
	const struct craft c = { .from = R1, .dev = dev, .meta = &m, .payload = zeros, .len = len };

	craft_send(w, &c);
}

/* 1024 contexts for each peer's path; those of another are not touched. */
Test(engine_slices, p25_limit_of_contexts)
{
	struct world *w = two_routers();
	struct drops before = drops_of(&w->r[R2]);

	for (uint32_t id = 0; id < 1024; id++)
		slice(w, id, 0, true, 8, DEV_WAN1);
	assert_no_drops(&w->r[R2], before);
	slice(w, 5000, 0, true, 8, DEV_WAN1);
	assert_dropped(&w->r[R2], before, FL_DROP_FRAG_LIMIT, 1);
	slice(w, 5000, 0, true, 8, DEV_WAN2);
	assert_dropped(&w->r[R2], before, FL_DROP_FRAG_LIMIT, 1);
	world_advance(w, 2100);
	cr_assert_eq(w->r[R2].t.drops[FL_DROP_FRAG_TIMEOUT], 1025);
	slice(w, 5000, 0, true, 8, DEV_WAN1);
	cr_assert_eq(w->r[R2].t.drops[FL_DROP_FRAG_LIMIT], 1);
	world_free(w);
}

struct bad_row {
	const char *name;
	uint32_t offset[2];
	bool more[2];
	size_t len[2];
	enum fl_drop_reason drop;
};

static const struct bad_row bad_rows[] = {
	{ "above 64 KB", { 65528, 0 }, { false, true }, { 16, 8 }, FL_DROP_FRAG_LIMIT },
	{ "a middle one that ends within a unit",
	  { 0, 8 },
	  { true, true },
	  { 8, 7 },
	  FL_DROP_MALFORMED },
	{ "an empty one", { 0, 8 }, { true, true }, { 8, 0 }, FL_DROP_MALFORMED },
	{ "behind the end", { 8, 16 }, { false, true }, { 8, 8 }, FL_DROP_FRAG_OVERLAP },
	{ "two ends", { 8, 16 }, { false, false }, { 8, 8 }, FL_DROP_FRAG_OVERLAP },
	{ "an end before what is there",
	  { 16, 8 },
	  { true, false },
	  { 8, 8 },
	  FL_DROP_FRAG_OVERLAP },
};

Test(engine_slices, bad_slices_condemn_the_whole)
{
	for (size_t i = 0; i < sizeof(bad_rows) / sizeof(bad_rows[0]); i++) {
		const struct bad_row *row = &bad_rows[i];
		struct world *w = two_routers();
		struct drops before = drops_of(&w->r[R2]);
		bool first = row->drop == FL_DROP_FRAG_LIMIT;

		slice(w, 1, row->offset[0], row->more[0], row->len[0], DEV_WAN1);
		assert_dropped(&w->r[R2], before, row->drop, first);
		if (!first)
			slice(w, 1, row->offset[1], row->more[1], row->len[1], DEV_WAN1);
		assert_dropped(&w->r[R2], before, row->drop, 1);
		world_free(w);
	}
}

/* Slices whose whole is nonsense: dropped like any such packet, no state. */
Test(engine_slices, a_whole_without_sense)
{
	static const uint8_t bad[16] = { FL_META_COOKIE_BYTES, 0x20, 0x0c };
	struct fl_meta m = { .has = FL_META_BIT(FL_META_SECURITY_ID) |
				    FL_META_BIT(FL_META_FRAGMENT),
			     .security_id = 1 };
	const struct craft c = { .from = R1, .meta = &m, .payload = bad, .len = sizeof(bad) };
	struct world *w = two_routers();
	struct drops before = drops_of(&w->r[R2]);

	craft_send(w, &c);
	assert_dropped(&w->r[R2], before, FL_DROP_META_MALFORMED, 1);
	cr_assert_eq(router_sessions(&w->r[R2]), 0);
	world_free(w);
}
