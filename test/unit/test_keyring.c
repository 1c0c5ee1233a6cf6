// SPDX-License-Identifier: Apache-2.0
/* Which key is used when (P-44), and which rings are refused. */
#include <errno.h>
#include <stdlib.h>

#include "agent/base/rand.h"
#include "agent/crypto/keyring.h"
#include "test/unit/hex.h"

static const uint8_t secret[32] = { 1, 2, 3 };

#define KEY(i, t)                                                                                  \
	{                                                                                          \
		.id = (i), .not_before_s = (t), .hmac_key = secret, .hmac_key_len = 32,            \
		.cipher_key = secret, .cipher_key_len = 16                                         \
	}

static int ring_new(const struct fl_key_cfg *keys, size_t count, struct fl_keyring **ring)
{
	const struct fl_security_cfg cfg = {
		.cipher = FL_CIPHER_AES_CBC_128, .encrypt = true, .keys = keys, .key_count = count
	};

	cr_assert_eq(fl_rand_init(), 0);
	return fl_keyring_new(&cfg, ring);
}

/* Three generations, given out of order. */
static const struct fl_key_cfg three[] = { KEY(30, 3000), KEY(10, 1000), KEY(20, 2000) };

struct row {
	uint64_t now_s;
	uint32_t current; /* 0: none */
	const char *accepted;
};

/* The accepted ids in the order in which a packet without id is tried. */
static const struct row rows[] = {
	{ 0, 0, "" },          { 995, 0, "" },           { 996, 0, "10" },
	{ 999, 0, "10" },      { 1000, 10, "10" },       { 1029, 10, "10" },
	{ 1995, 10, "10" },    { 1996, 10, "10 20" },    { 1999, 10, "10 20" },
	{ 2000, 20, "20 10" }, { 2029, 20, "20 10" },    { 2030, 20, "20" },
	{ 2999, 20, "20 30" }, { 3000, 30, "30 20" },    { 3029, 30, "30 20" },
	{ 3030, 30, "30" },    { 1ull << 40, 30, "30" },
};

static const char *ids_of(struct fl_key *keys[], size_t count)
{
	static char text[64];
	size_t len = 0;

	text[0] = 0;
	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u", i ? " " : "",
					keys[i]->id);
	return text;
}

Test(keyring, generations)
{
	struct fl_keyring *ring;

	cr_assert_eq(ring_new(three, 3, &ring), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fl_key *keys[FL_KEY_CANDIDATES], *current;
		size_t count = fl_keyring_candidates(ring, rows[i].now_s, keys);

		current = fl_keyring_current(ring, rows[i].now_s);
		cr_expect_eq(current ? current->id : 0, rows[i].current, "at %llu",
			     (unsigned long long)rows[i].now_s);
		cr_expect_str_eq(ids_of(keys, count), rows[i].accepted, "at %llu",
				 (unsigned long long)rows[i].now_s);
		/* By id exactly the same keys are accepted. */
		for (uint32_t id = 0; id < 40; id++) {
			struct fl_key *found = fl_keyring_find(ring, id, rows[i].now_s);
			bool listed = false;

			for (size_t j = 0; j < count; j++)
				listed |= keys[j]->id == id && found == keys[j];
			cr_expect_eq(!!found, listed, "id %u at %llu", id,
				     (unsigned long long)rows[i].now_s);
		}
	}
	fl_keyring_free(ring);
}

Test(keyring, of_equal_age_the_larger_id)
{
	const struct fl_key_cfg keys[] = { KEY(7, 100), KEY(9, 100), KEY(8, 100), KEY(1, 50) };
	struct fl_key *found[FL_KEY_CANDIDATES];
	struct fl_keyring *ring;

	cr_assert_eq(ring_new(keys, 4, &ring), 0);
	cr_assert_eq(fl_keyring_current(ring, 110)->id, 9);
	cr_assert_str_eq(ids_of(found, fl_keyring_candidates(ring, 110, found)), "9 1");
	cr_assert_null(fl_keyring_find(ring, 7, 110));
	fl_keyring_free(ring);
}

Test(keyring, a_full_ring)
{
	struct fl_key_cfg keys[FL_MAX_KEYS + 1];
	struct fl_keyring *ring;

	for (uint32_t i = 0; i <= FL_MAX_KEYS; i++)
		keys[i] = (struct fl_key_cfg)KEY(i + 1, 100 * i);
	cr_assert_eq(ring_new(keys, FL_MAX_KEYS + 1, &ring), -E2BIG);
	cr_assert_eq(ring_new(keys, FL_MAX_KEYS, &ring), 0);
	cr_assert_eq(fl_keyring_current(ring, 10000)->id, FL_MAX_KEYS);
	fl_keyring_free(ring);
}

Test(keyring, keys_do_what_they_should)
{
	struct fl_hmac_key want;
	struct fl_keyring *ring;
	struct fl_key *key;
	uint8_t a[16], b[16], data[64] = "text";

	cr_assert_eq(ring_new(three, 3, &ring), 0);
	cr_assert(fl_keyring_encrypts(ring));
	cr_assert_eq(fl_keyring_hmac_len(ring), 16);
	key = fl_keyring_current(ring, 5000);
	cr_assert_eq(fl_hmac_key_init(&want, FL_HMAC_SHA256_128, FL_HMAC_TIME_BASED, secret, 32),
		     0);
	fl_hmac_sign(&want, "x", 1, 5000, a);
	fl_hmac_sign(&key->hmac, "x", 1, 5000, b);
	cr_assert(!memcmp(a, b, 16));
	cr_assert_eq(fl_hmac_key_init(&want, FL_HMAC_SHA256_128, FL_HMAC_REGULAR, secret, 32), 0);
	fl_hmac_sign(&want, "x", 1, 0, a);
	fl_hmac_sign(&key->bfd, "x", 1, 5000, b);
	cr_assert(!memcmp(a, b, 16));
	cr_assert_eq(
		fl_cbc_decrypt(&key->cbc, data, (size_t)fl_cbc_encrypt(&key->cbc, data, 4, 64)), 4);
	cr_assert(!memcmp(data, "text", 4));
	fl_keyring_free(ring);
}

Test(keyring, without_keys_only_if_none_are_needed)
{
	struct fl_security_cfg cfg = { .hmac_mode = FL_HMAC_DISABLED };
	struct fl_keyring *ring;

	cr_assert_eq(fl_rand_init(), 0);
	cr_assert_eq(fl_keyring_new(&cfg, &ring), 0);
	cr_assert_eq(fl_keyring_current(ring, 0)->id, 1);
	cr_assert_eq(fl_keyring_hmac_len(ring), 0);
	cr_assert_not(fl_keyring_encrypts(ring));
	fl_keyring_free(ring);
	cfg.encrypt = true;
	cr_assert_eq(fl_keyring_new(&cfg, &ring), -EINVAL);
	cfg = (struct fl_security_cfg){ .hmac_mode = FL_HMAC_REGULAR };
	cr_assert_eq(fl_keyring_new(&cfg, &ring), -EINVAL);
}

Test(keyring, refused)
{
	struct fl_keyring *ring = (struct fl_keyring *)&ring, *untouched = ring;
	struct fl_key_cfg keys[2] = { KEY(1, 0), KEY(2, 10) };

	keys[1].id = 1;
	cr_assert_eq(ring_new(keys, 2, &ring), -EEXIST);
	keys[1].id = 0;
	cr_assert_eq(ring_new(keys, 2, &ring), -EINVAL, "id 0");
	keys[1] = (struct fl_key_cfg)KEY(2, 10);
	keys[1].hmac_key_len = FL_HMAC_KEY_MIN - 1;
	cr_assert_eq(ring_new(keys, 2, &ring), -EINVAL, "HMAC key too short");
	keys[1].hmac_key_len = FL_HMAC_KEY_MAX + 1;
	cr_assert_eq(ring_new(keys, 2, &ring), -EINVAL, "HMAC key too long");
	keys[1] = (struct fl_key_cfg)KEY(2, 10);
	keys[1].cipher_key_len = 32;
	cr_assert_eq(ring_new(keys, 2, &ring), -EINVAL, "key of another cipher");
	cr_assert_eq(ring, untouched);
	fl_keyring_free(NULL);
}
