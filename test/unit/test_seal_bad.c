// SPDX-License-Identifier: Apache-2.0
/* What a receiver refuses, for which reason, and that the HMAC comes first. */
#include <stdlib.h>

#include "test/unit/seal_ring.h"

/* HMAC first: a broken HMAC hides what else is broken, and nothing was decrypted. */
Test(seal_bad, nothing_is_decrypted_before_the_hmac_holds)
{
	struct fl_keyring *ring = secret_ring();
	struct fl_meta m = vector_a();
	struct fl_seal seal = seal_of(ring, &m);
	struct packet good = sealed(&seal), bad, before;
	struct fl_opened o;

	for (size_t bit = 0; bit < good.len * 8; bit++) {
		int err;

		bad = good;
		bad.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		before = bad;
		err = open_now(ring, &bad, &o);
		cr_assert_lt(err, 0, "bit %zu", bit);
		cr_assert(!memcmp(bad.data, before.data, bad.len), "bit %zu: data changed", bit);
		/* Bits behind the header section: the HMAC's matter, and nobody else's. */
		if (bit >= 20 * 8)
			cr_assert_eq(err, -FL_DROP_HMAC_MISMATCH, "bit %zu: %d", bit, err);
		/* The value of the security id. */
		if (bit >= 16 * 8 && bit < 20 * 8 && bit != 19 * 8 && bit != 19 * 8 + 1)
			cr_assert_eq(err, -FL_DROP_KEY_UNKNOWN, "bit %zu: %d", bit, err);
	}
	cr_assert_eq(open_now(ring, &good, &o), 0);
	fl_keyring_free(ring);
}

Test(seal_bad, every_truncation_is_refused)
{
	struct fl_keyring *ring = secret_ring();
	struct fl_meta m = vector_a();
	struct fl_seal seal = seal_of(ring, &m);
	struct packet good = sealed(&seal);
	struct fl_opened o;

	for (size_t len = 1; len < good.len; len++) {
		uint8_t *copy = malloc(len);
		const struct fl_open open = { .ring = ring, .unix_s = VECTOR_UNIX_S };
		int err;

		memcpy(copy, good.data, len);
		err = fl_open(&open, copy, len, &o);
		cr_assert(err == -FL_DROP_HMAC_MISMATCH || err == -FL_DROP_META_MALFORMED,
			  "%zu bytes: %d", len, err);
		free(copy);
	}
	fl_keyring_free(ring);
}

/* Sign @hex as it is, and open it. */
static int open_signed(struct fl_keyring *ring, const char *hex)
{
	struct packet p = { .len = 0 };
	struct fl_opened o;

	p.len = hex_bytes(hex, p.data, sizeof(p.data));
	fl_hmac_sign(&fl_keyring_current(ring, VECTOR_UNIX_S)->hmac, p.data, p.len, VECTOR_UNIX_S,
		     p.data + p.len);
	p.len += fl_keyring_hmac_len(ring);
	return open_now(ring, &p, &o);
}

#define KEY18 "000102030405060708090a0b0c0d0e0f"

Test(seal_bad, well_signed_but_wrong)
{
	struct fl_keyring *plain = plain_ring(), *secret = secret_ring();

	/* Before the HMAC is looked at. */
	cr_expect_eq(open_signed(plain, COOKIE), -FL_DROP_META_MALFORMED, "no base header");
	cr_expect_eq(open_signed(plain, COOKIE "200c0000"), -FL_DROP_META_MALFORMED, "version 2");
	cr_expect_eq(open_signed(plain, COOKIE "100c0001"), -FL_DROP_META_MALFORMED, "too long");
	cr_expect_eq(open_signed(plain, COOKIE "100f0000 001200"), -FL_DROP_META_MALFORMED,
		     "TLV cut");
	cr_expect_eq(open_signed(plain, COOKIE "10140000 00100004 00000009"), -FL_DROP_KEY_UNKNOWN,
		     "id 9");
	/* After. */
	cr_expect_eq(open_signed(plain, COOKIE "100c0003 000b00"), -FL_DROP_META_MALFORMED,
		     "payload TLV cut");
	cr_expect_eq(open_signed(plain, COOKIE "100c0004 000b0000"), 0);
	cr_expect_eq(open_signed(secret, COOKIE "100c0004 000b0000"), -FL_DROP_DECRYPT,
		     "clear where cipher text is due");
	cr_expect_eq(open_signed(secret, COOKIE "100c0020" KEY18 KEY18), -FL_DROP_DECRYPT,
		     "not our cipher text");
	cr_expect_eq(open_signed(plain, COOKIE "100c0016 002e0012 0100" KEY18),
		     -FL_DROP_META_MALFORMED, "payload key in clear");
	fl_keyring_free(plain);
	fl_keyring_free(secret);
}

Test(seal_bad, hmac_alone_is_no_packet)
{
	struct fl_keyring *ring = plain_ring();

	cr_assert_eq(open_signed(ring, ""), -FL_DROP_HMAC_MISMATCH);
	fl_keyring_free(ring);
}

/* Without HMAC and encryption a peer may call its key what it likes. */
Test(seal_bad, keyless_rings_take_any_id)
{
	const struct fl_security_cfg cfg = { .hmac_mode = FL_HMAC_DISABLED };
	struct fl_keyring *ring;

	cr_assert(sodium_init() >= 0);
	cr_assert_eq(fl_keyring_new(&cfg, &ring), 0);
	cr_assert_eq(open_signed(ring, COOKIE "10140000 00100004 00000009"), 0);
	fl_keyring_free(ring);
}
