// SPDX-License-Identifier: Apache-2.0
/*
 * Metadata that must create no state: malformed, not proven, of another key, incomplete
 * (svr-protocol.md 2.3, 2.7, 2.8, P-01, P-44). Each is dropped with its reason; what is unknown is
 * skipped.
 */
#include "agent/crypto/keyring.h"
#include "test/unit/engine_test.h"
#include "test/unit/hex.h"
#include "test/unit/vectors.h"

static const struct say dns = { 0 };

static void flip_first_of_hmac(uint8_t *data, size_t *len)
{
	data[*len - 16] ^= 1;
}

static void cut_hmac(uint8_t *data, size_t *len)
{
	(void)data;
	*len -= 16;
}

static void flip_payload(uint8_t *data, size_t *len)
{
	data[*len - 17] ^= 1;
}

static void flip_section(uint8_t *data, size_t *len)
{
	(void)len;
	data[40] ^= 1;
}

static void other_version(uint8_t *data, size_t *len)
{
	(void)len;
	data[8] = (uint8_t)(0x20 | (data[8] & 15));
}

static void header_too_long(uint8_t *data, size_t *len)
{
	(void)len;
	data[8] = 0x1f;
	data[9] = 0xff;
}

static void header_too_short(uint8_t *data, size_t *len)
{
	(void)len;
	data[9] = 11;
}

static void payload_too_long(uint8_t *data, size_t *len)
{
	(void)len;
	data[10] = 0x20;
}

static void key_7(uint8_t *data, size_t *len)
{
	(void)len;
	data[19] = 7;
}

static void only_cookie(uint8_t *data, size_t *len)
{
	(void)data;
	*len = 28;
}

#define USER_DATA "forty bytes that a host sends, or nearly"

struct spoil_row {
	const char *name;
	void (*spoil)(uint8_t *data, size_t *len);
	enum fl_drop_reason reason;
};

static const struct spoil_row spoil_rows[] = {
	{ "HMAC wrong", flip_first_of_hmac, FL_DROP_HMAC_MISMATCH },
	{ "HMAC missing", cut_hmac, FL_DROP_HMAC_MISMATCH },
	{ "user data changed", flip_payload, FL_DROP_HMAC_MISMATCH },
	{ "metadata changed", flip_section, FL_DROP_HMAC_MISMATCH },
	{ "security id of no key", key_7, FL_DROP_KEY_UNKNOWN },
	{ "another version", other_version, FL_DROP_META_MALFORMED },
	{ "header longer than the packet", header_too_long, FL_DROP_META_MALFORMED },
	{ "header shorter than itself", header_too_short, FL_DROP_META_MALFORMED },
	{ "payload section longer than the packet", payload_too_long, FL_DROP_META_MALFORMED },
	{ "nothing but a cookie", only_cookie, FL_DROP_META_MALFORMED },
};

static void assert_refused(struct world *w, const struct craft *c, enum fl_drop_reason reason,
			   const char *name)
{
	struct drops before = drops_of(&w->r[R2]);
	uint64_t vectors = 0, after = 0;

	for (int i = 0; i < FL_MAX_VECTORS; i++)
		vectors += w->r[R2].t.vectors[i].peer;
	w->hold = true;
	craft_send(w, c);
	for (int i = 0; i < FL_MAX_VECTORS; i++)
		after += w->r[R2].t.vectors[i].peer;
	assert_dropped(&w->r[R2], before, reason, 1);
	cr_assert_eq(router_sessions(&w->r[R2]), 0, "%s", name);
	cr_assert_eq(fl_flows_count(w->r[R2].engine->flows), 0, "%s", name);
	cr_assert_eq(after, vectors, "%s", name);
	cr_assert_eq(drain_out(&w->r[R2]), 0, "%s", name);
	cr_assert_eq(drain_wire(w), 0, "%s: silence", name);
}

/* For a new session, in clear and encrypted. */
Test(engine_meta, spoiled_metadata_opens_nothing)
{
	for (int clear = 0; clear < 2; clear++) {
		for (size_t i = 0; i < sizeof(spoil_rows) / sizeof(spoil_rows[0]); i++) {
			struct world_opts opts = { .security = clear ? ",'encrypt':false" : NULL };
			struct world *w = world_new(&opts);
			struct fl_meta m = craft_forward(&dns, 1);
			struct craft c = { .from = R1,
					   .meta = &m,
					   .payload = USER_DATA,
					   .len = 40,
					   .spoil = spoil_rows[i].spoil };

			assert_refused(w, &c, spoil_rows[i].reason, spoil_rows[i].name);
			world_free(w);
		}
	}
}

/* For a session that is there: it stays as it is. */
Test(engine_meta, spoiled_metadata_changes_nothing)
{
	for (size_t i = 0; i < sizeof(spoil_rows) / sizeof(spoil_rows[0]); i++) {
		struct world *w = two_routers();
		struct fl_meta m = craft_reverse(&dns);
		struct craft c = { .from = R2,
				   .meta = &m,
				   .payload = USER_DATA,
				   .len = 40,
				   .spoil = spoil_rows[i].spoil };
		const struct fl_session *s;
		struct drops before;

		w->hold = true;
		client_says(w, &dns);
		s = &w->r[R1].t.sessions[router_session(&w->r[R1])];
		c.sport = s->out.remote_port;
		c.dport = s->out.local_port;
		before = drops_of(&w->r[R1]);
		craft_send(w, &c);
		assert_dropped(&w->r[R1], before, spoil_rows[i].reason, 1);
		cr_assert_eq(router_state(&w->r[R1]), SEND_F, "%s", spoil_rows[i].name);
		cr_assert_eq(drain_out(&w->r[R1]), 0, "%s", spoil_rows[i].name);
		world_free(w);
	}
}

/* --- time and keys ---------------------------------------------------------------------------- */

/* P-11: W, W-1 and W+1 hold, others do not. */
Test(engine_meta, p11_time_window)
{
	static const struct {
		int late_s;
		enum fl_stat stat;
		bool holds;
	} rows[] = { { 0, FL_STAT_HMAC_VERIFIED, true },
		     { 2, FL_STAT_HMAC_WINDOW_EARLY, true },
		     { -2, FL_STAT_HMAC_WINDOW_LATE, true },
		     { 4, FL_STAT_NONE, false },
		     { -4, FL_STAT_NONE, false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = two_routers();
		struct fl_meta m = craft_forward(&dns, 1);
		struct craft c = { .from = R1, .meta = &m, .payload = "x", .len = 1 };
		struct drops before = drops_of(&w->r[R2]);

		c.unix_s = (uint64_t)((int64_t)WORLD_UNIX_S - rows[i].late_s);
		craft_send(w, &c);
		cr_assert_eq(router_sessions(&w->r[R2]), rows[i].holds, "%d s", rows[i].late_s);
		assert_dropped(&w->r[R2], before, FL_DROP_HMAC_MISMATCH, !rows[i].holds);
		if (rows[i].stat)
			cr_assert_eq(w->r[R2].t.stats[rows[i].stat], 1, "%d s", rows[i].late_s);
		world_free(w);
	}
}

#define HMAC_1 "'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'"
#define AES_1  "'000102030405060708090a0b0c0d0e0f'"
#define AES_2  "'ff0102030405060708090a0b0c0d0e0f'"

static struct fl_keyring *ring_of(const char *hmac, const char *aes, bool encrypt)
{
	struct fl_key_cfg key = { .id = 1,
				  .hmac_key = (const uint8_t *)hmac,
				  .hmac_key_len = 32,
				  .cipher_key = (const uint8_t *)aes,
				  .cipher_key_len = 16 };
	const struct fl_security_cfg cfg = { .hmac_alg = FL_HMAC_SHA256_128,
					     .hmac_mode = FL_HMAC_TIME_BASED,
					     .cipher = FL_CIPHER_AES_CBC_128,
					     .encrypt = encrypt,
					     .keys = &key,
					     .key_count = 1 };
	struct fl_keyring *ring;

	cr_assert_eq(fl_keyring_new(&cfg, &ring), 0);
	return ring;
}

static const char right[] =
	"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11"
	"\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f";
static const char wrong[] = "another secret of the same size.";

/* Wrong keys: of the HMAC; of the cipher alone; encrypted where it must not be, and the reverse. */
Test(engine_meta, other_keys)
{
	static const struct {
		const char *name, *hmac, *aes;
		bool encrypt, receiver_encrypts;
		enum fl_drop_reason reason;
	} rows[] = {
		{ "HMAC key", wrong, right, true, true, FL_DROP_HMAC_MISMATCH },
		{ "encrypted with another key", right, wrong, true, true, FL_DROP_DECRYPT },
		{ "in clear, to be encrypted", right, right, false, true, FL_DROP_DECRYPT },
		{ "encrypted, to be in clear", right, right, true, false, FL_DROP_META_MALFORMED },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world_opts opts = { .security = rows[i].receiver_encrypts
							       ? NULL
							       : ",'encrypt':false" };
		struct world *w = world_new(&opts);
		struct fl_meta m = craft_forward(&dns, 1);
		struct craft c = { .from = R1, .meta = &m, .payload = "x", .len = 1 };

		c.ring = ring_of(rows[i].hmac, rows[i].aes, rows[i].encrypt);
		assert_refused(w, &c, rows[i].reason, rows[i].name);
		fl_keyring_free(c.ring);
		world_free(w);
	}
}

#define KEY_AT(id, time, aes)                                                                      \
	"{'security-id':" id ",'not-before':'" time "','hmac-key':" HMAC_1                         \
	",'encryption-key':" aes "}"
/* The world starts at 2023-11-14T22:13:20Z. */
#define TWO_KEYS                                                                                   \
	KEY_AT("1", "2023-01-01T00:00:00Z", AES_1) "," KEY_AT("2", "2023-11-14T22:14:20Z", AES_2)

/* P-44: the newest active id sends; the previous one is accepted for 30 s. */
Test(engine_meta, p44_key_change)
{
	struct world_opts opts = { .key = TWO_KEYS };
	struct world *w = world_new(&opts);
	struct got g, old;

	w->hold = true;
	client_says(w, &dns);
	cr_assert(got_wire(w, &g));
	cr_assert_eq(g.o.meta.security_id, 1);
	world_advance(w, 59000);
	drain_wire(w);
	client_says(w, &(struct say){ .sport = 41000 });
	cr_assert(got_wire(w, &old));
	cr_assert_eq(old.o.meta.security_id, 1);
	world_advance(w, 2000);
	world_deliver(w, old.f);
	cr_assert_eq(router_sessions(&w->r[R2]), 1, "the previous key");
	client_says(w, &(struct say){ .sport = 42000 });
	drain_wire(w);
	client_says(w, &(struct say){ .sport = 42000 });
	cr_assert(got_wire(w, &g));
	cr_assert_eq(g.o.meta.security_id, 2);
	world_deliver(w, g.f);
	cr_assert_eq(router_sessions(&w->r[R2]), 2);
	world_free(w);
}

/* --- blocks as they stand --------------------------------------------------------------------- */

struct block_row {
	const char *name;
	const char *hex;
	enum fl_drop_reason reason; /* FL_DROP_NONE: it opens the session */
};

#define SECURITY "0010 0004 00000001"
#define FORWARD  "0002 000d 0a010005 0a020035 9c40 0035 11"
#define TENANT   "0007 0005 7374616666"
#define SERVICE  "000a 0003 646e73"
#define UUID     "0006 0010 0f1e2d3c4b5a49788796a5b4c3d2e1f0"
#define ROUTER   "000e 0002 7231"
#define PATHWAY  "0013 0007 312e322e332e34"
#define ALL      FORWARD TENANT SERVICE UUID ROUTER PATHWAY /* 17+9+7+20+6+11 = 70 */

static const struct block_row block_rows[] = {
	{ "the mandatory set", COOKIE "1014 0046" SECURITY ALL, FL_DROP_NONE },
	{ "unknown TLV in the header", COOKIE "101a 0046" SECURITY "7777 0002 abcd" ALL,
	  FL_DROP_NONE },
	{ "unknown TLV in the payload", COOKIE "1014 004c" SECURITY "7777 0002 abcd" ALL,
	  FL_DROP_NONE },
	{ "legacy interface id", COOKIE "1014 004e" SECURITY "0008 0004 00000009" ALL,
	  FL_DROP_NONE },
	{ "repeated TLV: the first wins", COOKIE "1014 004f" SECURITY ALL "0007 0005 ffffffffff",
	  FL_DROP_NONE },
	{ "no security id", COOKIE "100c 0046" ALL, FL_DROP_NONE },
	{ "no context", COOKIE "1014 0035" SECURITY TENANT SERVICE UUID ROUTER PATHWAY,
	  FL_DROP_NO_SESSION },
	{ "no tenant", COOKIE "1014 003d" SECURITY FORWARD SERVICE UUID ROUTER PATHWAY,
	  FL_DROP_META_INCOMPLETE },
	{ "no service", COOKIE "1014 003f" SECURITY FORWARD TENANT UUID ROUTER PATHWAY,
	  FL_DROP_META_INCOMPLETE },
	{ "no UUID", COOKIE "1014 0032" SECURITY FORWARD TENANT SERVICE ROUTER PATHWAY,
	  FL_DROP_META_INCOMPLETE },
	{ "no source router", COOKIE "1014 0040" SECURITY FORWARD TENANT SERVICE UUID PATHWAY,
	  FL_DROP_META_INCOMPLETE },
	{ "no pathway", COOKIE "1014 003b" SECURITY FORWARD TENANT SERVICE UUID ROUTER,
	  FL_DROP_META_INCOMPLETE },
	{ "a TLV beyond the section", COOKIE "1014 0045" SECURITY ALL, FL_DROP_META_MALFORMED },
	{ "wrong fixed length",
	  COOKIE "1014 0047" SECURITY
		 "0002 000e 0a010005 0a020035 9c40 0035 1100" TENANT SERVICE UUID ROUTER PATHWAY,
	  FL_DROP_META_MALFORMED },
	{ "a name that is no UTF-8",
	  COOKIE "1014 0046" SECURITY FORWARD "0007 0005 73746166ff" SERVICE UUID ROUTER PATHWAY,
	  FL_DROP_META_MALFORMED },
	{ "payload encrypted, which we cannot decrypt",
	  COOKIE "1014 0053" SECURITY ALL "000b 0000"
		 "000f 0005 7374726f6e",
	  FL_DROP_DECRYPT },
};

Test(engine_meta, blocks)
{
	for (size_t i = 0; i < sizeof(block_rows) / sizeof(block_rows[0]); i++) {
		const struct block_row *row = &block_rows[i];
		struct world_opts opts = { .security = ",'encrypt':false" };
		struct world *w = world_new(&opts);
		uint8_t block[512];
		struct craft c = { .from = R1, .block = block, .payload = "x", .len = 1 };
		struct drops before = drops_of(&w->r[R2]);

		cr_log_info("%s", row->name);
		c.block_len = hex_bytes(row->hex, block, sizeof(block));
		craft_send(w, &c);
		assert_dropped(&w->r[R2], before, row->reason, row->reason ? 1 : 0);
		cr_assert_eq(router_sessions(&w->r[R2]), !row->reason, "%s", row->name);
		cr_assert_eq(drain_out(&w->r[R2]), !row->reason, "%s", row->name);
		cr_assert_eq(w->r[R2].t.stats[FL_STAT_META_UNKNOWN_TLV],
			     strstr(row->name, "unknown TLV") ? 1 : 0, "%s", row->name);
		world_free(w);
	}
}

/* A context that does not fit the packet that carries it. */
Test(engine_meta, tcp_in_udp_and_udp_in_tcp)
{
	static const uint8_t protos[] = { FL_IPPROTO_TCP, FL_IPPROTO_UDP };

	for (size_t i = 0; i < sizeof(protos); i++) {
		struct world *w = two_routers();
		struct fl_meta m = craft_forward(&(struct say){ .proto = protos[i] }, 1);
		struct craft c = { .from = R1,
				   .proto = protos[1 - i],
				   .tcp_flags = FL_TH_SYN,
				   .meta = &m,
				   .payload = USER_DATA,
				   .len = 40 };

		assert_refused(w, &c, FL_DROP_META_UNEXPECTED, "context");
		world_free(w);
	}
}

/* What is no packet at all, or has a wrong checksum, gets no further. */
Test(engine_meta, packets_that_are_none)
{
	static const struct {
		const char *name;
		size_t at;
		uint8_t value;
	} rows[] = { { "version 5", 0, 0x55 },
		     { "header length", 0, 0x42 },
		     { "total length", 2, 0xff },
		     { "checksum of UDP", 26, 0x11 } };
	static uint8_t packet[FL_MAX_FRAME];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = two_routers();
		struct router *r = &w->r[R1];
		size_t len = say_packet(&dns, packet);
		const struct model_punt punt = { .reason = FL_PUNT_NEW,
						 .iface = router_iface(r, DEV_LAN),
						 .slot = FL_NO_SLOT };
		struct drops before = drops_of(r);

		packet[rows[i].at] = rows[i].value;
		model_hand_up(r, &punt, packet, len);
		assert_dropped(r, before, FL_DROP_MALFORMED, 1);
		cr_assert_eq(router_sessions(r), 0, "%s", rows[i].name);
		world_free(w);
	}
}

/* --- marks of performance monitoring beside other metadata (4) ---------------------------------
 */

static void monitor(struct router *r)
{
	r->t.fpm_paths[router_path(r, DEV_WAN1)].cfg =
		(struct fl_fpm_cfg){ .interval_ns = FL_NS_PER_S, .marking_count = 100 };
}

Test(engine_meta, a_mark_beside_metadata_is_heard)
{
	struct world *w = two_routers();
	struct router *r = &w->r[R2];
	const struct say say = { 0 };
	struct fl_meta m = craft_forward(&say, 1);
	struct craft c = { .from = R1, .meta = &m, .payload = "x", .len = 1 };
	const struct fl_fpm_heard *heard = &r->heard[0];

	m.has |= FL_META_BIT(FL_META_METRICS);
	m.metrics = (struct fl_meta_metrics){ .tx_time_ms = 5000,
					      .rx_time_ms = 4000,
					      .prev_count = 98,
					      .tx_colour = 5,
					      .rx_colour = 3 };
	craft_send(w, &c);
	cr_assert_eq(r->n_heard, 0); /* the path is not measured */
	monitor(r);
	craft_send(w, &c);
	cr_assert_eq(r->n_heard, 1);
	cr_assert_eq(heard->slot,
		     fl_fpm_slot_of(router_path(r, DEV_WAN1), fl_fpm_scope_of(0, FL_IPPROTO_UDP)));
	cr_assert_eq(heard->session, router_session(r));
	cr_assert_eq(heard->mark.tx_time_ms, 5000);
	cr_assert_eq(heard->mark.rx_time_ms, 4000);
	cr_assert_eq(heard->mark.prev_count, 98);
	cr_assert_eq(heard->mark.tx_colour, 5);
	cr_assert_eq(heard->mark.rx_colour, 3);
	cr_assert_not(heard->mark.drop);
	cr_assert_eq(drain_out(r), 2);
	/* Replayed: it is not believed. */
	c.unix_s = WORLD_UNIX_S - 100;
	craft_send(w, &c);
	cr_assert_eq(r->n_heard, 1);
	cr_assert_eq(drain_out(r), 0);
	world_free(w);
}

/* Ours carry none, and are in no colour. */
Test(engine_meta, our_metadata_carries_no_mark)
{
	struct world *w = two_routers();
	const struct say say = { 0 };
	struct got g;

	monitor(&w->r[R1]);
	monitor(&w->r[R2]);
	w->hold = true;
	client_says(w, &say);
	cr_assert(got_wire(w, &g) && fl_meta_has(&g.o.meta, FL_META_FORWARD));
	cr_assert_not(fl_meta_has(&g.o.meta, FL_META_METRICS));
	world_deliver(w, g.f);
	server_says(w, &say);
	cr_assert(got_wire(w, &g) && fl_meta_has(&g.o.meta, FL_META_REVERSE));
	cr_assert_not(fl_meta_has(&g.o.meta, FL_META_METRICS));
	cr_assert_eq(w->r[R2].n_heard, 0);
	world_free(w);
}

/* A shorter interval counts at once, not when the next mark was due by the longer one. */
Test(engine_meta, another_profile_counts_at_once)
{
	struct world_opts opts = {
		.adjacency = ",'performance-monitoring':{'enabled':true,'profile':'p'}",
		.authority = ",'performance-monitoring-profile':[{'name':'p',"
			     "'interval-duration':3600000}]"
	};
	struct world *w = world_new(&opts);
	struct router *r = &w->r[R1];
	struct fl_path *path = &r->t.paths[router_path(r, DEV_WAN1)];

	cr_assert(path->tx_flags & FL_TX_FPM);
	path->fpm_due[3] = 1000000;
	router_configure(r, &opts);
	cr_assert_eq(path->fpm_due[3], 1000000);
	opts.authority = ",'performance-monitoring-profile':[{'name':'p',"
			 "'interval-duration':1000}]";
	router_configure(r, &opts);
	cr_assert_eq(path->fpm_due[3], 0);
	world_free(w);
}
