// SPDX-License-Identifier: Apache-2.0
/*
 * What goes between routers, whole: vectors A to G with payload and HMAC, padding, fences, key
 * generations. What is refused on receipt is in test_seal_bad.c.
 */
#include <stdlib.h>

#include "test/unit/meta_equal.h"
#include "test/unit/seal_ring.h"

/* Seal @meta before the DNS query: @want on the wire; open it again. */
static void check(struct fl_keyring *ring, const struct fl_meta *meta, const char *want)
{
	struct fl_seal seal = seal_of(ring, meta);
	struct packet p = sealed(&seal);
	struct fl_opened o;

	assert_hex(p.data, p.len, want);
	cr_assert_eq(open_now(ring, &p, &o), 0);
	cr_assert(o.has_meta && !o.fence && o.match == FL_HMAC_CURRENT && o.key_id == ID_NOW);
	cr_assert(meta_equal(meta, &o.meta));
	assert_hex(o.payload, o.payload_len, VECTOR_PAYLOAD);
	cr_assert_eq(o.block_len + o.payload_len + fl_keyring_hmac_len(ring), p.len);
	fl_keyring_free(ring);
}

Test(seal, vector_a_regular)
{
	struct fl_meta m = vector_a();

	check(plain_ring(), &m, VECTOR_A VECTOR_PAYLOAD "c105a621370ca4132a449b7b32345c3a");
	check(ring_of(false, FL_HMAC_REGULAR, FL_HMAC_SHA256), &m,
	      VECTOR_A VECTOR_PAYLOAD
	      "c105a621370ca4132a449b7b32345c3a347a05dbf5424873f62d7db1f8fcbe24");
}

Test(seal, vector_a_time_based)
{
	struct fl_meta m = vector_a();

	check(ring_of(false, FL_HMAC_TIME_BASED, FL_HMAC_SHA256_128), &m,
	      VECTOR_A VECTOR_PAYLOAD "289264c02b9a3e23f88fe9be216d2412");
}

Test(seal, vector_b)
{
	struct fl_meta m = vector_a();

	check(secret_ring(), &m, VECTOR_B VECTOR_PAYLOAD "2120d7e7f4c7e664de88c3a482e54f8d");
}

Test(seal, disabled_hmac_adds_nothing)
{
	struct fl_meta m = vector_a();

	check(ring_of(false, FL_HMAC_DISABLED, FL_HMAC_SHA256), &m, VECTOR_A VECTOR_PAYLOAD);
	check(ring_of(true, FL_HMAC_DISABLED, FL_HMAC_SHA256), &m, VECTOR_B VECTOR_PAYLOAD);
}

/* Vectors C to G have no HMAC of their own in the text: any correct one will do here. */
Test(seal, vectors_c_to_g)
{
	static const char *const text[] = { VECTOR_C, VECTOR_D, VECTOR_E, VECTOR_F, VECTOR_G };
	const struct fl_meta metas[] = { vector_c(), vector_d(), vector_e(), vector_f(),
					 vector_g() };

	for (size_t i = 0; i < 5; i++) {
		struct fl_keyring *ring = plain_ring();
		struct fl_seal seal = seal_of(ring, &metas[i]);
		struct packet p = sealed(&seal), again = p;
		struct fl_hmac_key key;
		struct fl_opened o;
		uint8_t mac[16];

		cr_assert_eq(fl_hmac_key_init(&key, FL_HMAC_SHA256_128, FL_HMAC_REGULAR,
					      hmac_secret, 32),
			     0);
		fl_hmac_sign(&key, p.data, p.len - 16, 0, mac);
		cr_assert(!memcmp(mac, p.data + p.len - 16, 16));
		p.len -= 16;
		cr_assert_eq(open_now(ring, &again, &o), 0);
		cr_assert(meta_equal(&metas[i], &o.meta));
		assert_hex(o.payload, o.payload_len, VECTOR_PAYLOAD);
		assert_hex(p.data, p.len - 21, text[i]);
		fl_keyring_free(ring);
	}
}

/* Blocks without payload section are not encrypted: vector E is itself, then the HMAC. */
Test(seal, header_only_blocks_stay_clear)
{
	struct fl_keyring *ring = secret_ring();
	struct fl_meta m = vector_e();
	struct fl_seal seal = seal_of(ring, &m);
	struct packet p;
	struct fl_opened o;

	seal.payload_len = 0;
	p = sealed(&seal);
	assert_hex(p.data, p.len - 16, VECTOR_E);
	cr_assert_eq(open_now(ring, &p, &o), 0);
	cr_assert_eq(o.meta.control, FL_CONTROL_ENABLE);
	cr_assert_eq(o.payload_len, 0);
	fl_keyring_free(ring);
}

Test(seal, bare_packet)
{
	struct fl_keyring *ring = secret_ring();
	struct fl_seal seal = seal_of(ring, NULL);
	struct packet p = sealed(&seal);
	struct fl_opened o;

	cr_assert_eq(p.len, 21 + 16);
	cr_assert_eq(open_now(ring, &p, &o), 0);
	cr_assert(!o.has_meta && !o.fence && o.key_id == ID_NOW);
	assert_hex(o.payload, o.payload_len, VECTOR_PAYLOAD);
	fl_keyring_free(ring);
}

/* 2.8: no layer 4 payload, no HMAC. */
Test(seal, nothing_stays_nothing)
{
	struct fl_keyring *ring = secret_ring();
	struct fl_seal seal = { .ring = ring, .unix_s = VECTOR_UNIX_S, .pad = true };
	struct packet p = sealed(&seal);
	struct fl_opened o;

	cr_assert_eq(p.len, 0);
	cr_assert_eq(open_now(ring, &p, &o), 0);
	cr_assert(!o.has_meta && !o.payload_len && !o.key_id && o.match == FL_HMAC_MISMATCH);
	fl_keyring_free(ring);
}

/* P-06: user data that starts with the cookie. */
Test(seal, fence)
{
	static const char *const payloads[] = { COOKIE, COOKIE "ff", FENCE, VECTOR_A };

	for (size_t i = 0; i < 4; i++) {
		struct fl_keyring *ring = plain_ring();
		struct fl_seal seal = seal_of(ring, NULL);
		uint8_t data[256];
		struct packet p;
		struct fl_opened o;

		seal.payload = data;
		seal.payload_len = hex_bytes(payloads[i], data, sizeof(data));
		p = sealed(&seal);
		assert_hex(p.data, 12, FENCE);
		cr_assert_eq(p.len, 12 + seal.payload_len + 16);
		cr_assert_eq(open_now(ring, &p, &o), 0);
		cr_assert(o.has_meta && o.fence && !o.meta.has);
		assert_hex(o.payload, o.payload_len, payloads[i]);
		fl_keyring_free(ring);
	}
}

Test(seal, seven_bytes_of_cookie_need_no_fence)
{
	struct fl_keyring *ring = plain_ring();
	struct fl_seal seal = seal_of(ring, NULL);
	struct packet p;
	struct fl_opened o;

	seal.payload = fl_meta_fence;
	seal.payload_len = 7;
	p = sealed(&seal);
	cr_assert_eq(p.len, 7 + 16);
	cr_assert_eq(open_now(ring, &p, &o), 0);
	cr_assert(!o.has_meta && o.payload_len == 7);
	fl_keyring_free(ring);
}

/* P-08, and the receiver takes off what the sender put on. */
Test(seal, padding)
{
	static const struct {
		const char *name;
		bool encrypt, meta, flag_in_session, flag_in_meta;
		size_t want;
	} rows[] = {
		{ "nothing encrypted", false, true, false, false, 0 },
		{ "metadata encrypted", true, true, false, false, 1 },
		{ "payload encrypted, session says so", false, false, true, false, 1 },
		{ "payload encrypted, metadata says so", false, true, false, true, 1 },
		{ "both", true, true, true, true, 1 },
		{ "bare, not encrypted", true, false, false, false, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fl_keyring *ring =
			ring_of(rows[i].encrypt, FL_HMAC_REGULAR, FL_HMAC_SHA256_128);
		struct fl_meta m = vector_a();
		struct fl_seal seal = seal_of(ring, rows[i].meta ? &m : NULL);
		struct packet with, without;
		struct fl_open open = { .ring = ring,
					.unix_s = VECTOR_UNIX_S,
					.payload_encrypted = rows[i].flag_in_session,
					.pad = true };
		struct fl_opened o;

		if (rows[i].flag_in_meta)
			m.has |= FL_META_BIT(FL_META_ENCRYPTED);
		seal.payload_encrypted = rows[i].flag_in_session;
		without = sealed(&seal);
		seal.pad = true;
		with = sealed(&seal);
		cr_expect_eq(with.len - without.len, rows[i].want, "%s", rows[i].name);
		if (rows[i].want)
			cr_expect_eq(with.data[with.len - 17], 0, "%s", rows[i].name);
		cr_assert_eq(fl_open(&open, with.data, with.len, &o), 0, "%s", rows[i].name);
		assert_hex(o.payload, o.payload_len, VECTOR_PAYLOAD);
		/* Ends that do not agree on padding find out (the payload's last byte is 1). */
		cr_expect_eq(fl_open(&open, without.data, without.len, &o),
			     rows[i].want ? -FL_DROP_DECRYPT : 0, "%s", rows[i].name);
		fl_keyring_free(ring);
	}
}

/* Padding is due, but the packet ends with the block, whose last byte happens to be 0. */
Test(seal, padding_missing_altogether)
{
	struct fl_keyring *ring = plain_ring();
	struct fl_meta m = { .has = FL_META_BIT(FL_META_ENCRYPTED) };
	struct fl_seal seal = seal_of(ring, &m);
	const struct fl_open open = { .ring = ring, .unix_s = VECTOR_UNIX_S, .pad = true };
	struct packet p;
	struct fl_opened o;

	seal.payload_len = 0;
	p = sealed(&seal);
	cr_assert_eq(p.data[p.len - 17], 0);
	cr_assert_eq(fl_open(&open, p.data, p.len, &o), -FL_DROP_DECRYPT);
	fl_keyring_free(ring);
}

Test(seal, a_block_without_payload_section_is_not_padded)
{
	struct fl_keyring *ring = secret_ring();
	struct fl_meta m = vector_e();
	struct fl_seal seal = seal_of(ring, &m);
	const struct fl_open open = { .ring = ring, .unix_s = VECTOR_UNIX_S, .pad = true };
	struct packet p;
	struct fl_opened o;

	seal.pad = true;
	p = sealed(&seal);
	assert_hex(p.data, p.len - 16, VECTOR_E VECTOR_PAYLOAD);
	cr_assert_eq(fl_open(&open, p.data, p.len, &o), 0);
	assert_hex(o.payload, o.payload_len, VECTOR_PAYLOAD);
	fl_keyring_free(ring);
}

/* The id in the block is that of the key in use, whatever the caller put there. */
Test(seal, security_id_is_the_keys)
{
	struct fl_keyring *ring = secret_ring();
	struct fl_meta m = vector_a();
	struct fl_seal seal = seal_of(ring, &m);
	struct packet p;
	struct fl_opened o;

	m.security_id = 77;
	seal.unix_s = SWITCH_S;
	p = sealed(&seal);
	cr_assert_eq(p.data[19], ID_NEXT);
	cr_assert_eq(open_at(ring, SWITCH_S, &p, &o), 0);
	cr_assert(o.key_id == ID_NEXT && o.meta.security_id == ID_NEXT);
	cr_assert_eq(m.security_id, 77, "the caller's struct was changed");
	fl_keyring_free(ring);
}

/* Sealed with the old key just before the switch, or with the new one by a clock ahead of ours. */
Test(seal, generations)
{
	static const struct {
		uint64_t sealed_s, opened_s;
		int with_id, without_id;
	} rows[] = {
		{ SWITCH_S - 1, SWITCH_S - 1, 0, 0 },
		{ SWITCH_S - 1, SWITCH_S, 0, 0 },
		{ SWITCH_S - 1, SWITCH_S + 29, 0, 0 },
		{ SWITCH_S - 1, SWITCH_S + 30, -FL_DROP_KEY_UNKNOWN, -FL_DROP_HMAC_MISMATCH },
		{ SWITCH_S, SWITCH_S - 4, 0, 0 },
		{ SWITCH_S, SWITCH_S - 5, -FL_DROP_KEY_UNKNOWN, -FL_DROP_HMAC_MISMATCH },
	};
	struct fl_keyring *ring = secret_ring();
	struct fl_meta with = vector_a(), without = vector_a();

	without.has &= ~FL_META_BIT(FL_META_SECURITY_ID);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct fl_meta *metas[] = { &with, &without, NULL };

		for (size_t j = 0; j < 3; j++) {
			struct fl_seal seal = seal_of(ring, metas[j]);
			struct packet p;
			struct fl_opened o;

			seal.unix_s = rows[i].sealed_s;
			p = sealed(&seal);
			cr_expect_eq(open_at(ring, rows[i].opened_s, &p, &o),
				     j ? rows[i].without_id : rows[i].with_id, "row %zu %zu", i, j);
		}
	}
	fl_keyring_free(ring);
}

Test(seal, no_active_key)
{
	const struct fl_key_cfg key = { 5, 1000, (const uint8_t *)"0123456789abcdef", 16, NULL, 0 };
	const struct fl_security_cfg cfg = { .keys = &key, .key_count = 1 };
	struct fl_keyring *ring;
	struct fl_seal seal;
	struct packet p = { .len = 40 };
	struct fl_opened o;

	cr_assert(sodium_init() >= 0);
	cr_assert_eq(fl_keyring_new(&cfg, &ring), 0);
	seal = seal_of(ring, NULL);
	seal.unix_s = 900;
	cr_assert_eq(fl_seal(&seal, p.data, sizeof(p.data)), -FL_DROP_KEY_UNKNOWN);
	cr_assert_eq(fl_seal_block(&seal, p.data, sizeof(p.data)), -FL_DROP_KEY_UNKNOWN);
	cr_assert_eq(open_at(ring, 900, &p, &o), -FL_DROP_KEY_UNKNOWN);
	fl_keyring_free(ring);
}

Test(seal, payload_key_only_where_it_is_hidden)
{
	struct fl_keyring *plain = plain_ring(), *secret = secret_ring();
	struct fl_meta m = vector_a();
	struct fl_seal seal = seal_of(plain, &m);
	struct packet p;
	struct fl_opened o;

	m.has |= FL_META_BIT(FL_META_PAYLOAD_KEY);
	m.payload_key = (struct fl_meta_payload_key){ aes_secret, 16, 1, 3 };
	cr_assert_eq(fl_seal(&seal, p.data, sizeof(p.data)), -FL_DROP_INTERNAL);
	seal.ring = secret;
	p = sealed(&seal);
	cr_assert_null(memmem(p.data, p.len, aes_secret, 16));
	cr_assert_eq(open_now(secret, &p, &o), 0);
	cr_assert(!memcmp(o.meta.payload_key.key, aes_secret, 16));
	fl_keyring_free(plain);
	fl_keyring_free(secret);
}

Test(seal, time_windows_are_reported)
{
	struct fl_keyring *ring = ring_of(false, FL_HMAC_TIME_BASED, FL_HMAC_SHA256_128);
	struct fl_seal seal = seal_of(ring, NULL);
	struct packet p = sealed(&seal);
	struct fl_opened o;

	cr_assert_eq(open_at(ring, VECTOR_UNIX_S + 2, &p, &o), 0);
	cr_assert_eq(o.match, FL_HMAC_PREVIOUS);
	cr_assert_eq(open_at(ring, VECTOR_UNIX_S - 2, &p, &o), 0);
	cr_assert_eq(o.match, FL_HMAC_NEXT);
	cr_assert_eq(open_at(ring, VECTOR_UNIX_S + 4, &p, &o), -FL_DROP_HMAC_MISMATCH);
	fl_keyring_free(ring);
}

Test(seal, room_is_respected)
{
	struct fl_keyring *rings[] = { plain_ring(), secret_ring() };
	struct fl_meta m = vector_a();

	for (size_t i = 0; i < 2; i++) {
		const struct fl_meta *metas[] = { &m, NULL };

		for (size_t j = 0; j < 2; j++) {
			struct fl_seal seal = seal_of(rings[i], metas[j]);
			size_t need = sealed(&seal).len;

			for (size_t room = 0; room <= need; room++) {
				uint8_t *out = malloc(room ? room : 1);

				cr_assert_eq(fl_seal(&seal, out, room),
					     room < need ? -FL_DROP_INTERNAL : (int)need);
				free(out);
			}
		}
		fl_keyring_free(rings[i]);
	}
}

Test(seal, metadata_that_cannot_be_encoded)
{
	struct fl_keyring *ring = plain_ring();
	struct fl_meta m = { .has = FL_META_BIT(FL_META_FORWARD) };
	struct fl_seal seal = seal_of(ring, &m);
	struct packet p;

	cr_assert_eq(fl_seal(&seal, p.data, sizeof(p.data)), -FL_DROP_INTERNAL);
	fl_keyring_free(ring);
}

/* BFD: the block alone, something else behind it. */
Test(seal, block_alone)
{
	struct fl_keyring *ring = secret_ring();
	struct fl_meta m = vector_a();
	struct fl_seal seal = seal_of(ring, &m);
	const struct fl_open open = { .ring = ring, .unix_s = VECTOR_UNIX_S };
	uint8_t data[256] = { 0 };
	struct fl_opened o;

	cr_assert_eq(fl_seal_block(&seal, data, 115), -FL_DROP_INTERNAL);
	cr_assert_eq(fl_seal_block(&seal, data, sizeof(data)), 116);
	assert_hex(data, 116, VECTOR_B);
	cr_assert_eq(fl_open_block(&open, data, 120, &o), 0);
	cr_assert(meta_equal(&m, &o.meta));
	cr_assert(o.block_len == 116 && o.payload == data + 116 && o.payload_len == 4);
	cr_assert_eq(fl_open_block(&open, data + 1, 100, &o), -FL_DROP_META_MALFORMED);
	fl_keyring_free(ring);
}
