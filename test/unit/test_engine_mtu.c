// SPDX-License-Identifier: Apache-2.0
/*
 * What does not fit (svr-protocol.md 3.7): fragments of hosts, made whole before the session lookup
 * and cut again where they leave; and packets that may not be cut, whose sender hears how much
 * would fit.
 */
#include "agent/codec/packet_split.h"
#include "test/unit/engine_test.h"

static const struct say dns = { 0 };

/* --- fragments of hosts ------------------------------------------------------------------------
 */

/* A host's packet, cut by the host. */
struct pieces {
	uint8_t data[64][1500];
	size_t len[64];
	size_t n;
};

static void cut(const struct say *say, uint16_t mtu, struct pieces *ret)
{
	static uint8_t whole[FL_MAX_FRAME];
	struct fl_packet p;
	struct fl_split split;
	int len;

	ret->n = 0;
	cr_assert_eq(fl_packet_parse(whole, say_packet(say, whole), &p), 0);
	if (p.hdr.family == 4)
		cr_assert_eq(fl_split_ip4(&split, &p, mtu), 0);
	else
		cr_assert_eq(fl_split_ip6(&split, &p, mtu, 0x77), 0);
	while ((len = fl_split_next(&split, ret->data[ret->n], 1500)) > 0)
		ret->len[ret->n++] = (size_t)len;
	cr_assert_gt(ret->n, 1);
}

static void hear(struct world *w, int router, enum device dev, const struct pieces *p, size_t i)
{
	static const uint8_t mac[6] = { 2, 4, 10, 1, 0, 5 };

	model_ingress(&w->r[router], dev, p->data[i], p->len[i], mac);
	if (!w->hold)
		world_run(w);
}

/* What came out, joined again. */
static bool joined(struct router *r, const struct say *say)
{
	static uint8_t whole[FL_MAX_FRAME], body[FL_MAX_FRAME];
	size_t at = 0, head, skip;
	struct fl_packet p;
	struct got g;

	cr_assert_eq(fl_packet_parse(whole, say_packet(say, whole), &p), 0);
	while (got_out(r, &g)) {
		head = g.p.hdr.family == 6 ? 40 : 20;
		skip = g.p.hdr.family == 6 && g.p.data[6] == FL_IPPROTO_FRAGMENT ? 8 : 0;
		cr_assert_leq(g.p.len, 1500);
		memcpy(body + at, g.p.data + head + skip, g.p.len - head - skip);
		at += g.p.len - head - skip;
	}
	return at == p.l4_len && !memcmp(body, p.l4, at);
}

static const struct say big4 = { .len = 3000, .id = 0x4711 };
static const struct say big6 = { .src = "2001:db8:1::5", .len = 3000 };
static const struct say big_ping = { .proto = FL_IPPROTO_ICMP, .len = 3000 };

/* Reassemble at ingress before the session lookup; the host at the other end gets it all. */
Test(engine_mtu, host_fragments_are_made_whole)
{
	static const struct say *const says[] = { &big4, &big6, &big_ping };
	static struct pieces p;

	for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
		struct world *w = two_routers();

		cut(says[i], 1500, &p);
		for (size_t n = 0; n < p.n; n++) {
			cr_assert_eq(router_sessions(&w->r[R1]), 0);
			hear(w, R1, DEV_LAN, &p, n);
		}
		cr_assert(joined(&w->r[R2], says[i]), "%zu", i);
		for (int r = R1; r <= R2; r++) {
			cr_assert_eq(router_sessions(&w->r[r]), 1);
			cr_assert_eq(router_drops(&w->r[r]), 0);
		}
		cr_assert_eq(w->r[R1].t.stats[FL_STAT_REASSEMBLED], 1);
		/* Of an established session just the same. */
		server_says(w, says[i]);
		client_says(w, says[i]);
		drain_out(&w->r[R2]);
		for (size_t n = p.n; n--;)
			hear(w, R1, DEV_LAN, &p, n);
		cr_assert(joined(&w->r[R2], says[i]), "%zu, last piece first", i);
		world_free(w);
	}
}

struct bad_row {
	const char *name;
	int order[4]; /* of pieces; -1: the end */
	enum fl_drop_reason drop;
	uint64_t count;
};

static const struct bad_row bad_rows[] = {
	{ "twice the same", { 0, 0, -1 }, FL_DROP_FRAG_OVERLAP, 1 },
	{ "one missing", { 0, 2, -1 }, FL_DROP_FRAG_TIMEOUT, 1 },
	{ "without the first", { 1, 2, -1 }, FL_DROP_FRAG_TIMEOUT, 1 },
};

Test(engine_mtu, host_fragments_that_do_not_fit_together)
{
	static struct pieces p;

	cut(&big4, 1500, &p);
	for (size_t i = 0; i < sizeof(bad_rows) / sizeof(bad_rows[0]); i++) {
		const struct bad_row *row = &bad_rows[i];
		struct world *w = two_routers();
		struct drops before = drops_of(&w->r[R1]);

		for (int n = 0; row->order[n] >= 0; n++)
			hear(w, R1, DEV_LAN, &p, (size_t)row->order[n]);
		world_advance(w, 2100);
		assert_dropped(&w->r[R1], before, row->drop, row->count);
		cr_assert_eq(router_sessions(&w->r[R1]), 0, "%s", row->name);
		world_free(w);
	}
}

/* Timeout 2 s, from the first piece. */
Test(engine_mtu, host_fragments_time_out)
{
	static struct pieces p;
	struct world *w = two_routers();

	cut(&big4, 1500, &p);
	hear(w, R1, DEV_LAN, &p, 0);
	world_advance(w, 1900);
	hear(w, R1, DEV_LAN, &p, 1);
	world_advance(w, 100);
	cr_assert_eq(w->r[R1].t.drops[FL_DROP_FRAG_TIMEOUT], 1);
	hear(w, R1, DEV_LAN, &p, 2);
	cr_assert_eq(router_sessions(&w->r[R1]), 0);
	world_free(w);
}

/* 1024 incomplete packets on an interface; another interface has its own. */
Test(engine_mtu, host_fragments_limit)
{
	static struct pieces p;
	struct world *w = two_routers();
	struct drops before = drops_of(&w->r[R1]);
	struct say s = big4;

	for (uint16_t id = 1; id <= 1024; id++) {
		s.id = id;
		cut(&s, 1500, &p);
		hear(w, R1, DEV_LAN, &p, 0);
	}
	assert_no_drops(&w->r[R1], before);
	s.id = 2000;
	cut(&s, 1500, &p);
	hear(w, R1, DEV_LAN, &p, 0);
	assert_dropped(&w->r[R1], before, FL_DROP_FRAG_LIMIT, 1);
	hear(w, R1, DEV_GUEST, &p, 0);
	assert_dropped(&w->r[R1], before, FL_DROP_FRAG_LIMIT, 1);
	world_free(w);
}

/* A gap that only looks filled: the whole is never made of what nobody sent. */
Test(engine_mtu, no_byte_of_the_whole_is_made_up)
{
	static struct pieces p;
	struct world *w = two_routers();
	struct drops before = drops_of(&w->r[R1]);
	uint16_t offset;

	cut(&(struct say){ .len = 1000 }, 300, &p);
	cr_assert_eq(p.n, 4);
	hear(w, R1, DEV_LAN, &p, 0);
	hear(w, R1, DEV_LAN, &p, 2);
	/* The second piece says that it is the last one. */
	offset = (uint16_t)(p.data[1][6] << 8 | p.data[1][7]);
	offset &= 0x1fff;
	p.data[1][6] = (uint8_t)(offset >> 8);
	p.data[1][7] = (uint8_t)offset;
	fl_ip4_csum_fill((void *)p.data[1]);
	hear(w, R1, DEV_LAN, &p, 1);
	assert_dropped(&w->r[R1], before, FL_DROP_FRAG_OVERLAP, 1);
	cr_assert_eq(router_sessions(&w->r[R1]), 0);
	world_free(w);
}

/* A wrong checksum shows only in the whole, and must not be made right. */
Test(engine_mtu, a_broken_whole_is_not_mended)
{
	static struct pieces p;
	struct world *w = two_routers();
	struct drops before = drops_of(&w->r[R1]);

	cut(&big4, 1500, &p);
	p.data[2][30] ^= 1;
	for (size_t n = 0; n < p.n; n++)
		hear(w, R1, DEV_LAN, &p, n);
	assert_dropped(&w->r[R1], before, FL_DROP_MALFORMED, 1);
	cr_assert_eq(drain_out(&w->r[R2]), 0);
	world_free(w);
}

/* The data plane sees no ICMP type in fragments: an answer without a question opens nothing. */
Test(engine_mtu, unsolicited_icmp_in_fragments)
{
	static struct pieces p;
	struct world *w = two_routers();
	struct drops before = drops_of(&w->r[R1]);
	struct say reply = { .proto = FL_IPPROTO_ICMP, .icmp_type = 255, .len = 3000 };

	cut(&reply, 1500, &p);
	for (size_t n = 0; n < p.n; n++)
		hear(w, R1, DEV_LAN, &p, n);
	assert_dropped(&w->r[R1], before, FL_DROP_ICMP_UNSOLICITED, 1);
	cr_assert_eq(router_sessions(&w->r[R1]), 0);
	world_free(w);
}

/* Packets between routers that somebody under way has cut. */
Test(engine_mtu, fragments_from_under_way)
{
	static struct pieces p;
	static uint8_t packet[FL_MAX_FRAME];
	struct world *w = two_routers();
	struct fl_packet whole;
	struct fl_split split;
	struct got g;
	int len;

	w->hold = true;
	client_says(w, &dns);
	cr_assert(got_wire(w, &g));
	memcpy(packet, g.f->data, g.f->len);
	cr_assert_eq(fl_packet_parse(packet, g.f->len, &whole), 0);
	cr_assert_eq(fl_split_ip4(&split, &whole, 100), 0);
	while ((len = fl_split_next(&split, p.data[p.n], 1500)) > 0)
		p.len[p.n++] = (size_t)len;
	for (size_t n = 0; n < p.n; n++)
		hear(w, R2, DEV_WAN1, &p, n);
	cr_assert_eq(router_state(&w->r[R2]), SEND_R);
	assert_arrived(&w->r[R2], &dns, 2);
	world_free(w);
}

/* --- what may not be cut -----------------------------------------------------------------------
 */

struct df_row {
	const char *name;
	struct say say;
	struct world_opts opts;
	uint16_t mtu; /* told to the host */
};

#define V6     .src = "2001:db8:1::5"
#define NARROW .adjacency = ",'mtu':1400"

static const struct df_row df_rows[] = {
	{ "udp", { .df = true, .len = 1400 }, { NARROW }, 1400 },
	{ "tcp",
	  { .df = true, .proto = 6, .tcp_flags = FL_TH_ACK, .len = 1400 },
	  { NARROW },
	  1400 },
	{ "ping: less by the UDP header",
	  { .df = true, .proto = 1, .len = 1400 },
	  { NARROW },
	  1392 },
	{ "gre", { .df = true, .proto = 47, .len = 1400 }, { NARROW }, 1392 },
	{ "IPv6 over IPv4: more by the IP header", { V6, .len = 1400 }, { NARROW }, 1420 },
	{ "IPv6 over IPv6", { V6, .len = 1400 }, { NARROW, .path6 = true }, 1400 },
	{ "IPv4 over IPv6: less", { .df = true, .len = 1400 }, { NARROW, .path6 = true }, 1380 },
	{ "ping/IPv6 over IPv4", { V6, .proto = 58, .len = 1400 }, { NARROW }, 1412 },
};

static void assert_too_big(const struct got *g, uint16_t mtu, const char *name)
{
	const uint8_t *icmp = g->p.l4;
	bool six = g->p.hdr.family == 6;

	cr_assert(g->p.hdr.flags & FL_PKT_ICMP_ERROR, "%s", name);
	cr_assert_eq(icmp[0], six ? 2 : 3, "%s", name);
	cr_assert_eq(icmp[1], six ? 0 : 4, "%s", name);
	cr_assert_eq(icmp[6] << 8 | icmp[7], mtu, "%s: %u", name, icmp[6] << 8 | icmp[7]);
}

/* DF and too big: ICMP fragmentation needed; what it says then fits, one byte more does not. */
Test(engine_mtu, df_is_told_what_fits)
{
	for (size_t i = 0; i < sizeof(df_rows) / sizeof(df_rows[0]); i++) {
		const struct df_row *row = &df_rows[i];
		struct world *w = world_new(&row->opts);
		struct say small = row->say, fits;
		struct drops before;
		struct got g;
		size_t head = row->say.src ? 40 : 20;

		small.len = 32;
		if (row->say.proto == FL_IPPROTO_TCP)
			small.tcp_flags = FL_TH_SYN, small.len = 0;
		establish(w, &small);
		before = drops_of(&w->r[R1]);
		client_says(w, &row->say);
		assert_dropped(&w->r[R1], before, FL_DROP_MTU_EXCEEDED, 1);
		cr_assert(got_out(&w->r[R1], &g), "%s", row->name);
		assert_too_big(&g, row->mtu, row->name);
		head += row->say.proto == 6 ? 20 : row->say.proto == 47 ? 0 : 8;
		fits = row->say;
		fits.len = row->mtu - head;
		client_says(w, &fits);
		cr_assert_eq(drain_out(&w->r[R2]), 1, "%s: it does not fit", row->name);
		fits.len++;
		client_says(w, &fits);
		cr_assert_eq(drain_out(&w->r[R2]), 0, "%s: more fits", row->name);
		world_free(w);
	}
}

/* With metadata: slices carry it, as long as the packet itself fits. */
Test(engine_mtu, df_does_not_mind_the_metadata)
{
	struct say s = { .df = true, .len = 1372 };
	struct world_opts opts = { NARROW };
	struct world *w = world_new(&opts);

	client_says(w, &s);
	assert_arrived(&w->r[R2], &s, 2);
	s.len++;
	client_says(w, &s);
	cr_assert_eq(drain_out(&w->r[R1]), 1, "an error");
	cr_assert_eq(drain_out(&w->r[R2]), 0);
	world_free(w);
}

struct far_row {
	const char *name;
	struct say say;
	int routers;
	bool established;
	struct world_opts far; /* of the router where it does not fit */
	int where;
	uint16_t mtu;
};

static const struct far_row far_rows[] = {
	{ "LAN, established",
	  { .df = true, .len = 1300 },
	  2,
	  true,
	  { .lan = ",'mtu':1200" },
	  R2,
	  1200 },
	{ "LAN, with metadata",
	  { .df = true, .len = 1300 },
	  2,
	  false,
	  { .lan = ",'mtu':1200" },
	  R2,
	  1200 },
	{ "LAN, IPv6", { V6, .len = 1400 }, 2, true, { .lan = ",'mtu':1300" }, R2, 1300 },
	{ "LAN, ping",
	  { .df = true, .proto = 1, .len = 1300 },
	  2,
	  true,
	  { .lan = ",'mtu':1200" },
	  R2,
	  1200 },
	{ "middle, established", { .df = true, .len = 1400 }, 3, true, { NARROW }, R2, 1400 },
	{ "middle, with metadata", { .df = true, .len = 1400 }, 3, false, { NARROW }, R2, 1400 },
	{ "middle, ping", { .df = true, .proto = 1, .len = 1400 }, 3, true, { NARROW }, R2, 1392 },
	{ "last of three",
	  { .df = true, .len = 1300 },
	  3,
	  true,
	  { .lan = ",'mtu':1200" },
	  R3,
	  1200 },
};

/* It does not fit further on: the error comes back inside the session and says what the host must
 * keep to. */
Test(engine_mtu, too_big_further_on)
{
	for (size_t i = 0; i < sizeof(far_rows) / sizeof(far_rows[0]); i++) {
		const struct far_row *row = &far_rows[i];
		struct world_opts opts = { .routers = row->routers }, far = row->far;
		struct world *w = world_new(&opts);
		struct say small = row->say;
		struct drops before;
		struct got g;

		far.routers = row->routers;
		router_configure(&w->r[row->where], &far);
		small.len = 32;
		if (row->established)
			establish(w, &small);
		before = drops_of(&w->r[row->where]);
		client_says(w, &row->say);
		assert_dropped(&w->r[row->where], before, FL_DROP_MTU_EXCEEDED, 1);
		cr_assert_eq(drain_out(&w->r[row->routers - 1]), 0, "%s", row->name);
		cr_assert(got_out(&w->r[R1], &g), "%s", row->name);
		assert_too_big(&g, row->mtu, row->name);
		world_free(w);
	}
}

/* Toward a LAN that is narrower: cut, if the host allows it. */
Test(engine_mtu, cut_for_a_narrow_lan)
{
	struct world_opts narrow = { .lan = ",'mtu':600" };
	struct say s = { .len = 1400, .id = 99 };
	struct world *w = two_routers();
	struct got g;

	router_configure(&w->r[R2], &narrow);
	client_says(w, &s);
	cr_assert_eq(w->r[R2].out.count, 3);
	cr_assert(got_out(&w->r[R2], &g));
	cr_assert_leq(g.p.len, 600);
	cr_assert_eq(g.p.data[4] << 8 | g.p.data[5], 99);
	world_free(w);
}

/* Traffic of the router itself: its own programs hear it too. */
Test(engine_mtu, df_of_the_host_itself)
{
	struct world_opts opts = { NARROW, .router = ",'local-tenant':'staff'" };
	struct say s = { .src = "10.1.0.1", .df = true, .len = 1400 };
	struct world *w = world_new(&opts);
	struct got g;

	host_says(w, R1, DEV_HOST, &s);
	cr_assert(got_out(&w->r[R1], &g));
	cr_assert_eq(g.f->dev, DEV_HOST);
	assert_too_big(&g, 1400, "host");
	world_free(w);
}
