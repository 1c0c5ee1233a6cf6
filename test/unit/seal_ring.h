/* SPDX-License-Identifier: Apache-2.0 */
/* Key rings with the keys of svr-protocol.md 2.9, and short ways to seal and open with them. */
#ifndef FL_TEST_UNIT_SEAL_RING_H
#define FL_TEST_UNIT_SEAL_RING_H

#include <sodium.h>

#include "agent/base/rand.h"
#include "agent/crypto/seal.h"
#include "test/unit/hex.h"
#include "test/unit/vectors.h"

/* In place of agent/base/rand.c: the IV of vector B. */
void fl_rand_bytes(void *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = (uint8_t)(0xa0 + i);
}

static uint8_t hmac_secret[32], aes_secret[16];

#define ID_NOW  1
#define ID_NEXT 2
/* When the second generation begins. */
#define SWITCH_S (VECTOR_UNIX_S + 1000)

static inline struct fl_keyring *ring_of(bool encrypt, enum fl_hmac_mode mode, enum fl_hmac_alg alg)
{
	static uint8_t other[32] = "the next generation's secret...";
	const struct fl_key_cfg keys[] = {
		{ ID_NOW, 0, hmac_secret, 32, aes_secret, 16 },
		{ ID_NEXT, SWITCH_S, other, 32, other, 16 },
	};
	const struct fl_security_cfg cfg = { .hmac_alg = alg,
					     .hmac_mode = mode,
					     .cipher = FL_CIPHER_AES_CBC_128,
					     .encrypt = encrypt,
					     .keys = keys,
					     .key_count = 2 };
	struct fl_keyring *ring;

	cr_assert(sodium_init() >= 0);
	for (size_t i = 0; i < 32; i++)
		hmac_secret[i] = (uint8_t)i;
	memcpy(aes_secret, hmac_secret, 16);
	cr_assert_eq(fl_keyring_new(&cfg, &ring), 0);
	return ring;
}

static inline struct fl_keyring *plain_ring(void)
{
	return ring_of(false, FL_HMAC_REGULAR, FL_HMAC_SHA256_128);
}

static inline struct fl_keyring *secret_ring(void)
{
	return ring_of(true, FL_HMAC_REGULAR, FL_HMAC_SHA256_128);
}

struct packet {
	uint8_t data[4096];
	size_t len;
};

static uint8_t dns[21];

static inline struct fl_seal seal_of(struct fl_keyring *ring, const struct fl_meta *meta)
{
	return (struct fl_seal){ .ring = ring,
				 .unix_s = VECTOR_UNIX_S,
				 .meta = meta,
				 .payload = dns,
				 .payload_len = hex_bytes(VECTOR_PAYLOAD, dns, sizeof(dns)) };
}

static inline struct packet sealed(const struct fl_seal *seal)
{
	struct packet p;
	int len = fl_seal(seal, p.data, sizeof(p.data));

	cr_assert_geq(len, 0, "%d", len);
	p.len = (size_t)len;
	return p;
}

static inline int open_at(struct fl_keyring *ring, uint64_t now_s, struct packet *p,
			  struct fl_opened *o)
{
	const struct fl_open open = { .ring = ring, .unix_s = now_s };

	return fl_open(&open, p->data, p->len, o);
}

static inline int open_now(struct fl_keyring *ring, struct packet *p, struct fl_opened *o)
{
	return open_at(ring, VECTOR_UNIX_S, p, o);
}

#endif
