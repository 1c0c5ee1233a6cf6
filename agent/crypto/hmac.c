// SPDX-License-Identifier: Apache-2.0
/*
 * HMAC (RFC 2104): see hmac.h.
 *
 * The digests are OpenSSL's low-level ones. They are marked deprecated in favour of EVP, but an EVP
 * context lives on the heap, is changed by use and may fail to copy, while these are plain structs:
 * the expanded key can lie in guarded memory and be shared, and signing is a struct copy. They are
 * also the fastest way (numbers in the commit that added this file).
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "agent/crypto/hmac.h"

#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sodium.h>

#include "agent/base/buf.h"

union digest_state {
	SHA_CTX sha1;
	SHA256_CTX sha256;
	SHA512_CTX sha512; /* SHA-384 too */
};
_Static_assert(sizeof(union digest_state) <= FL_HMAC_STATE_LEN, "FL_HMAC_STATE_LEN");

#define BLOCK_MAX 128

/* One digest: the three steps on a state of its kind. */
struct digest {
	void (*init)(union digest_state *s);
	void (*update)(union digest_state *s, const void *data, size_t len);
	void (*final)(union digest_state *s, uint8_t *out);
	uint8_t state_len;
	uint8_t block_len;
	uint8_t digest_len;
	uint8_t mac_len;
};

static void sha1_init(union digest_state *s)
{
	SHA1_Init(&s->sha1);
}

static void sha1_update(union digest_state *s, const void *data, size_t len)
{
	SHA1_Update(&s->sha1, data, len);
}

static void sha1_final(union digest_state *s, uint8_t *out)
{
	SHA1_Final(out, &s->sha1);
}

static void sha256_init(union digest_state *s)
{
	SHA256_Init(&s->sha256);
}

static void sha256_update(union digest_state *s, const void *data, size_t len)
{
	SHA256_Update(&s->sha256, data, len);
}

static void sha256_final(union digest_state *s, uint8_t *out)
{
	SHA256_Final(out, &s->sha256);
}

static void sha384_init(union digest_state *s)
{
	SHA384_Init(&s->sha512);
}

static void sha512_init(union digest_state *s)
{
	SHA512_Init(&s->sha512);
}

static void sha512_update(union digest_state *s, const void *data, size_t len)
{
	SHA512_Update(&s->sha512, data, len);
}

/* Writes 48 bytes for SHA-384: the state knows. */
static void sha512_final(union digest_state *s, uint8_t *out)
{
	SHA512_Final(out, &s->sha512);
}

static const struct digest digests[FL_HMAC_ALG_MAX] = {
	[FL_HMAC_SHA256_128] = { sha256_init, sha256_update, sha256_final, sizeof(SHA256_CTX), 64,
				 32, 16 },
	[FL_HMAC_SHA1] = { sha1_init, sha1_update, sha1_final, sizeof(SHA_CTX), 64, 20, 20 },
	[FL_HMAC_SHA256] = { sha256_init, sha256_update, sha256_final, sizeof(SHA256_CTX), 64, 32,
			     32 },
	[FL_HMAC_SHA384] = { sha384_init, sha512_update, sha512_final, sizeof(SHA512_CTX), 128, 48,
			     48 },
	[FL_HMAC_SHA512] = { sha512_init, sha512_update, sha512_final, sizeof(SHA512_CTX), 128, 64,
			     64 },
};

/* State after one block of the key xor @pad. */
static void absorb_pad(const struct digest *d, const uint8_t *block, uint8_t pad, uint8_t *state)
{
	uint8_t padded[BLOCK_MAX];
	union digest_state s;

	memset(&s, 0, sizeof(s));
	for (size_t i = 0; i < d->block_len; i++)
		padded[i] = block[i] ^ pad;
	d->init(&s);
	d->update(&s, padded, d->block_len);
	memcpy(state, &s, sizeof(s));
	sodium_memzero(padded, sizeof(padded));
	sodium_memzero(&s, sizeof(s));
}

int fl_hmac_key_init(struct fl_hmac_key *key, enum fl_hmac_alg alg, enum fl_hmac_mode mode,
		     const void *secret, size_t len)
{
	uint8_t block[BLOCK_MAX] = { 0 };
	const struct digest *d;

	if ((unsigned int)alg >= FL_HMAC_ALG_MAX || (unsigned int)mode > FL_HMAC_DISABLED)
		return -EINVAL;
	if (mode != FL_HMAC_DISABLED && !len)
		return -EINVAL;
	memset(key, 0, sizeof(*key));
	key->alg = alg;
	key->mode = mode;
	if (mode == FL_HMAC_DISABLED)
		return 0;
	d = &digests[alg];
	if (len > d->block_len) {
		union digest_state s;

		d->init(&s);
		d->update(&s, secret, len);
		d->final(&s, block);
		sodium_memzero(&s, sizeof(s));
	} else {
		memcpy(block, secret, len);
	}
	absorb_pad(d, block, 0x36, key->inner);
	absorb_pad(d, block, 0x5c, key->outer);
	sodium_memzero(block, sizeof(block));
	return 0;
}

void fl_hmac_key_done(struct fl_hmac_key *key)
{
	sodium_memzero(key, sizeof(*key));
}

bool fl_hmac_key_words(const struct fl_hmac_key *key, uint32_t inner[8], uint32_t outer[8])
{
	SHA256_CTX state;

	if (key->alg != FL_HMAC_SHA256 && key->alg != FL_HMAC_SHA256_128)
		return false;
	for (int i = 0; i < 2; i++) {
		memcpy(&state, i ? key->outer : key->inner, sizeof(state));
		for (int word = 0; word < 8; word++)
			(i ? outer : inner)[word] = state.h[word];
	}
	sodium_memzero(&state, sizeof(state));
	return true;
}

size_t fl_hmac_len(enum fl_hmac_alg alg, enum fl_hmac_mode mode)
{
	if (mode == FL_HMAC_DISABLED || (unsigned int)alg >= FL_HMAC_ALG_MAX)
		return 0;
	return digests[alg].mac_len;
}

/* Second half: finish the inner digest and run the outer one over it. @out: digest_len bytes. */
static void finish(const struct fl_hmac_key *key, union digest_state *s, uint8_t *out)
{
	const struct digest *d = &digests[key->alg];

	d->final(s, out);
	memcpy(s, key->outer, d->state_len);
	d->update(s, out, d->digest_len);
	d->final(s, out);
}

/* The inner digest @s of the data, with the window's number appended. */
static void finish_window(const struct fl_hmac_key *key, union digest_state *s, uint32_t window,
			  uint8_t *out)
{
	uint8_t be[4];

	fl_put_u32(be, window);
	digests[key->alg].update(s, be, sizeof(be));
	finish(key, s, out);
}

static uint32_t window_of(uint64_t unix_s)
{
	return (uint32_t)(unix_s / FL_HMAC_WINDOW_S);
}

void fl_hmac_sign(const struct fl_hmac_key *key, const void *data, size_t len, uint64_t unix_s,
		  uint8_t *mac)
{
	const struct digest *d = &digests[key->alg];
	uint8_t out[FL_HMAC_LEN_MAX];
	union digest_state s;

	if (key->mode == FL_HMAC_DISABLED)
		return;
	memcpy(&s, key->inner, d->state_len);
	d->update(&s, data, len);
	if (key->mode == FL_HMAC_TIME_BASED)
		finish_window(key, &s, window_of(unix_s), out);
	else
		finish(key, &s, out);
	memcpy(mac, out, d->mac_len);
}

static enum fl_hmac_match verify_windows(const struct fl_hmac_key *key,
					 const union digest_state *inner, uint32_t now,
					 const uint8_t *mac)
{
	static const struct {
		uint32_t step;
		enum fl_hmac_match match;
	} tries[] = { { 0, FL_HMAC_CURRENT }, { ~0u, FL_HMAC_PREVIOUS }, { 1, FL_HMAC_NEXT } };
	const struct digest *d = &digests[key->alg];
	uint8_t out[FL_HMAC_LEN_MAX];
	union digest_state s;

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		memcpy(&s, inner, d->state_len);
		finish_window(key, &s, now + tries[i].step, out);
		if (!CRYPTO_memcmp(out, mac, d->mac_len))
			return tries[i].match;
	}
	return FL_HMAC_MISMATCH;
}

enum fl_hmac_match fl_hmac_verify(const struct fl_hmac_key *key, const void *data, size_t len,
				  uint64_t unix_s, const uint8_t *mac)
{
	const struct digest *d = &digests[key->alg];
	enum fl_hmac_match match = FL_HMAC_MISMATCH;
	uint8_t out[FL_HMAC_LEN_MAX];
	union digest_state s;

	if (key->mode == FL_HMAC_DISABLED)
		return FL_HMAC_CURRENT;
	memcpy(&s, key->inner, d->state_len);
	d->update(&s, data, len);
	if (key->mode == FL_HMAC_TIME_BASED) {
		match = verify_windows(key, &s, window_of(unix_s), mac);
	} else {
		finish(key, &s, out);
		if (!CRYPTO_memcmp(out, mac, d->mac_len))
			match = FL_HMAC_CURRENT;
	}
	/* Of less than a block of data it is still the key's own state. */
	sodium_memzero(&s, d->state_len);
	return match;
}
