// SPDX-License-Identifier: Apache-2.0
/*
 * BFD packets between waypoints. The vectors were computed by another program (Python's hmac) from
 * the keys of svr-protocol.md 2.9.
 */
#include "agent/crypto/bfd_seal.h"
#include "test/unit/seal_ring.h"

#define CONTROL "20e4033011223344aabbccdd000f42400007a120000f4240 f018010000000007"
#define DIGEST  "67f8c6d727b9d3735be5fe439a6b4a28"
#define BLOCK                                                                                      \
	"4c48dbc6ddf6670c1038001b 0010000400000001 8002000804000500c6336401"                       \
	"800300086553f100deadbeef 8005000804009c40cb007109"                                        \
	"000e00076272616e6368310013000c3139382e35312e3130302e31"
#define ECHO_BLOCK                                                                                 \
	"4c48dbc6ddf6670c10290000 0010000400000001 80040011 00000005 0003 000a 00000000075bcd15"
#define ECHO_MAC "27f79a8404cbc9103986fae5166daf26"

static const struct fl_bfd_pkt up = { .state = FL_BFD_UP,
				      .detect_mult = 3,
				      .poll = true,
				      .my_discr = 0x11223344,
				      .your_discr = 0xaabbccdd,
				      .desired_tx_us = 1000000,
				      .required_rx_us = 500000,
				      .required_echo_us = 1000000,
				      .auth.seq = 7 };
static const struct fl_meta_echo echo = { 123456789, 5, 3, 10, 0 };

static struct fl_meta meta_of(void)
{
	return (struct fl_meta){
		.has = FL_META_BIT(FL_META_SECURITY_ID) | FL_META_BIT(FL_META_OWN_ENDPOINT) |
		       FL_META_BIT(FL_META_SEEN_ENDPOINT) | FL_META_BIT(FL_META_BOOT_ID) |
		       FL_META_BIT(FL_META_SOURCE_ROUTER) | FL_META_BIT(FL_META_PATHWAY),
		.own_endpoint = { { { 198, 51, 100, 1 }, 4 }, 1280 },
		.seen_endpoint = { { { 203, 0, 113, 9 }, 4 }, 40000 },
		.boot_id = { 0x6553f100, 0xdeadbeef },
		.source_router = name_of("branch1"),
		.pathway = name_of("198.51.100.1"),
	};
}

static struct packet control(struct fl_keyring *ring, uint64_t now_s)
{
	struct fl_meta meta = meta_of();
	const struct fl_bfd_seal seal = { ring, now_s, &up, &meta };
	struct packet p;
	int len = fl_bfd_seal(&seal, p.data, sizeof(p.data));

	cr_assert_gt(len, 0, "%d", len);
	p.len = (size_t)len;
	return p;
}

static struct packet echo_packet(struct fl_keyring *ring)
{
	struct packet p;
	int len = fl_bfd_echo_seal(ring, VECTOR_UNIX_S, &echo, p.data, sizeof(p.data));

	cr_assert_gt(len, 0, "%d", len);
	p.len = (size_t)len;
	return p;
}

static int open_control(struct fl_keyring *ring, uint64_t now_s, const struct packet *p,
			struct fl_bfd_opened *o)
{
	static struct packet copy;

	copy = *p;
	return fl_bfd_open(ring, now_s, copy.data, copy.len, o);
}

static int open_echo(struct fl_keyring *ring, const struct packet *p, struct fl_meta_echo *e)
{
	return fl_bfd_echo_open(ring, VECTOR_UNIX_S, p->data, p->len, e);
}

static void assert_opened(const struct fl_bfd_opened *o, bool auth)
{
	cr_assert(o->pkt.state == FL_BFD_UP && o->pkt.poll && o->pkt.has_auth == auth);
	cr_assert(!auth || o->pkt.auth.seq == 7);
	cr_assert_eq(o->meta.boot_id.random, 0xdeadbeef);
	cr_assert_eq(o->meta.own_endpoint.port, 1280);
	cr_assert_eq(o->meta.seen_endpoint.port, 40000);
	cr_assert(o->meta.source_router.len == 7 && !memcmp(o->meta.source_router.s, "branch1", 7));
	cr_assert_eq(o->meta.pathway.len, 12);
}

Test(bfd_seal, control_vector)
{
	struct fl_keyring *ring = plain_ring();
	struct packet p = control(ring, VECTOR_UNIX_S);
	struct fl_bfd_opened o;

	assert_hex(p.data, p.len, CONTROL DIGEST BLOCK);
	cr_assert_gt(p.len, 90); /* 5.1 */
	cr_assert_eq(open_control(ring, VECTOR_UNIX_S, &p, &o), 0);
	assert_opened(&o, true);
	cr_assert_eq(o.key_id, ID_NOW);
	fl_keyring_free(ring);
}

/* Digests have no time in them, whatever the policy says about other packets. */
Test(bfd_seal, regular_even_if_policy_is_time_based)
{
	struct fl_keyring *ring = ring_of(false, FL_HMAC_TIME_BASED, FL_HMAC_SHA512);
	struct packet p = control(ring, VECTOR_UNIX_S), e = echo_packet(ring);
	struct fl_meta_echo back;
	struct fl_bfd_opened o;

	assert_hex(p.data, p.len, CONTROL DIGEST BLOCK);
	cr_assert_eq(open_control(ring, VECTOR_UNIX_S + 100, &p, &o), 0);
	assert_hex(e.data, e.len, ECHO_BLOCK "00" ECHO_MAC);
	e.data[FL_ECHO_REFLECTED_OFFSET] = 1;
	cr_assert_eq(open_echo(ring, &e, &back), 0);
	fl_keyring_free(ring);
}

Test(bfd_seal, encrypted_metadata)
{
	struct fl_keyring *ring = secret_ring();
	struct packet p = control(ring, VECTOR_UNIX_S);
	struct fl_bfd_opened o;

	cr_assert(!memmem(p.data, p.len, "branch1", 7));
	cr_assert_eq(open_control(ring, VECTOR_UNIX_S, &p, &o), 0);
	assert_opened(&o, true);
	fl_keyring_free(ring);
}

Test(bfd_seal, policy_without_hmac)
{
	struct fl_keyring *bare = ring_of(false, FL_HMAC_DISABLED, FL_HMAC_SHA256_128);
	struct fl_keyring *ring = plain_ring();
	struct packet p = control(bare, VECTOR_UNIX_S), e = echo_packet(bare);
	struct packet signed_p = control(ring, VECTOR_UNIX_S);
	struct fl_meta_echo back;
	struct fl_bfd_opened o;

	cr_assert_eq(open_control(bare, VECTOR_UNIX_S, &p, &o), 0);
	assert_opened(&o, false);
	/* The section is there if, and only if, it is in use. */
	cr_assert_eq(open_control(ring, VECTOR_UNIX_S, &p, &o), -FL_DROP_HMAC_MISMATCH);
	cr_assert_eq(open_control(bare, VECTOR_UNIX_S, &signed_p, &o), -FL_DROP_HMAC_MISMATCH);
	cr_assert_eq(e.len, FL_ECHO_BLOCK_LEN);
	e.data[FL_ECHO_REFLECTED_OFFSET] = 1;
	cr_assert_eq(open_echo(bare, &e, &back), 0);
	cr_assert_eq(open_echo(ring, &e, &back), -FL_DROP_HMAC_MISMATCH);
	fl_keyring_free(bare);
	fl_keyring_free(ring);
}

Test(bfd_seal, every_flipped_bit_is_noticed)
{
	for (int encrypt = 0; encrypt < 2; encrypt++) {
		struct fl_keyring *ring = encrypt ? secret_ring() : plain_ring();
		struct packet p = control(ring, VECTOR_UNIX_S);
		struct fl_bfd_opened o;

		for (size_t bit = 0; bit < 8 * p.len; bit++) {
			p.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			cr_assert_lt(open_control(ring, VECTOR_UNIX_S, &p, &o), 0, "bit %zu", bit);
			p.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		for (size_t len = 0; len < p.len; len++) {
			struct packet cut = { .len = len };

			memcpy(cut.data, p.data, len);
			cr_assert_lt(open_control(ring, VECTOR_UNIX_S, &cut, &o), 0);
		}
		p.data[p.len++] = 0;
		cr_assert_lt(open_control(ring, VECTOR_UNIX_S, &p, &o), 0);
		fl_keyring_free(ring);
	}
}

Test(bfd_seal, key_generations)
{
	struct fl_keyring *ring = plain_ring();
	struct packet old = control(ring, VECTOR_UNIX_S), next = control(ring, SWITCH_S);
	struct fl_bfd_opened o;

	cr_assert_eq(open_control(ring, SWITCH_S + FL_KEY_GRACE_S - 1, &old, &o), 0);
	cr_assert_eq(o.key_id, ID_NOW);
	cr_assert_eq(open_control(ring, SWITCH_S + FL_KEY_GRACE_S, &old, &o), -FL_DROP_KEY_UNKNOWN);
	cr_assert_eq(open_control(ring, SWITCH_S, &next, &o), 0);
	cr_assert_eq(o.key_id, ID_NEXT);
	cr_assert_eq(o.pkt.auth.key_id, ID_NEXT);
	cr_assert_eq(open_control(ring, VECTOR_UNIX_S, &next, &o), -FL_DROP_KEY_UNKNOWN);
	fl_keyring_free(ring);
}

/* Signed by the peer, but not what it should have sent. */
Test(bfd_seal, incomplete)
{
	struct fl_keyring *ring = plain_ring();
	struct fl_meta meta = meta_of();
	struct fl_bfd_seal seal = { ring, VECTOR_UNIX_S, &up, &meta };
	struct fl_bfd_pkt senseless = up;
	uint8_t out[512];
	struct fl_bfd_opened o;
	struct packet p;

	meta.has &= ~FL_META_BIT(FL_META_BOOT_ID);
	cr_assert_eq(fl_bfd_seal(&seal, out, sizeof(out)), -FL_DROP_INTERNAL);
	meta = meta_of();
	senseless.detect_mult = 0;
	seal.pkt = &senseless;
	cr_assert_eq(fl_bfd_seal(&seal, out, sizeof(out)), -FL_DROP_INTERNAL);
	seal.pkt = &up;
	for (size_t room = 0; room < 48 + 56 + 27; room++)
		cr_assert_eq(fl_bfd_seal(&seal, out, room), -FL_DROP_INTERNAL, "room %zu", room);
	cr_assert_eq(fl_bfd_seal(&seal, out, 48 + 56 + 27), 48 + 56 + 27);
	/* A control packet without any block. */
	p.len = hex_bytes(CONTROL DIGEST, p.data, sizeof(p.data));
	cr_assert_eq(open_control(ring, VECTOR_UNIX_S, &p, &o), -FL_DROP_META_MALFORMED);
	/* An echo is no control packet. */
	p = echo_packet(ring);
	cr_assert_eq(open_control(ring, VECTOR_UNIX_S, &p, &o), -FL_DROP_MALFORMED);
	fl_keyring_free(ring);
}

Test(bfd_seal, echo_vector)
{
	struct fl_keyring *ring = plain_ring();
	struct packet p = echo_packet(ring);
	struct fl_meta_echo back;

	assert_hex(p.data, p.len, ECHO_BLOCK "00" ECHO_MAC);
	cr_assert_eq(open_echo(ring, &p, &back), -FL_DROP_META_UNEXPECTED);
	cr_assert(fl_bfd_echo_reflect(p.data, p.len));
	assert_hex(p.data, p.len, ECHO_BLOCK "01" ECHO_MAC);
	cr_assert_eq(open_echo(ring, &p, &back), 0);
	cr_assert(back.burst == 5 && back.index == 3 && back.count == 10 &&
		  back.tx_time_us == 123456789 && back.reflected == 1);
	fl_keyring_free(ring);
}

Test(bfd_seal, every_flipped_bit_of_an_echo_is_noticed)
{
	struct fl_keyring *ring = plain_ring();
	struct packet p = echo_packet(ring);
	struct fl_meta_echo back;

	p.data[FL_ECHO_REFLECTED_OFFSET] = 1;
	for (size_t bit = 0; bit < 8 * p.len; bit++) {
		p.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_assert_lt(open_echo(ring, &p, &back), 0, "bit %zu", bit);
		p.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t len = 0; len < p.len; len++) {
		struct packet cut = { .len = len };

		memcpy(cut.data, p.data, len);
		cr_assert_lt(open_echo(ring, &cut, &back), 0);
	}
	p.data[p.len++] = 0;
	cr_assert_lt(open_echo(ring, &p, &back), 0);
	p = control(ring, VECTOR_UNIX_S);
	cr_assert_lt(open_echo(ring, &p, &back), 0);
	fl_keyring_free(ring);
}
