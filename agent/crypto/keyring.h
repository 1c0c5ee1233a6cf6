/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A security policy with its generations of keys (svr-protocol.md 7.1, 7.3, P-44). A ring is made
 * whole from the configuration and replaced whole; it has no state but the wall clock that it is
 * asked with. All times are seconds since 1970.
 *
 *	transmit: the newest key whose not-before has come
 *	receive:  that one; the one before it, for FL_KEY_GRACE_S after it was replaced; the next
 *	          one, FL_KEY_EARLY_S before its time, since the peer's clock may be ahead of ours
 */
#ifndef FL_AGENT_CRYPTO_KEYRING_H
#define FL_AGENT_CRYPTO_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/limits.h"

#include "agent/crypto/cbc.h"
#include "agent/crypto/hmac.h"

#define FL_KEY_GRACE_S 30 /* P-44 */
#define FL_KEY_EARLY_S 4  /* chosen: what the time-based HMAC tolerates between clocks (2.8) */
/* Bytes of HMAC key: the least that svr-protocol.md 7.1 knows; the most is chosen. */
#define FL_HMAC_KEY_MIN 4
#define FL_HMAC_KEY_MAX 128
/* Keys that a received packet without id may be of. */
#define FL_KEY_CANDIDATES 3

/* One generation, as configured; the bytes are borrowed. */
struct fl_key_cfg {
	uint32_t id; /* security id (TLV 16), not 0, unique in its ring */
	uint64_t not_before_s;
	const uint8_t *hmac_key; /* not looked at if HMAC is disabled */
	size_t hmac_key_len;
	const uint8_t *cipher_key; /* not looked at if nothing is encrypted */
	size_t cipher_key_len;
};

struct fl_security_cfg {
	enum fl_hmac_alg hmac_alg;
	enum fl_hmac_mode hmac_mode;
	enum fl_cipher cipher;
	bool encrypt; /* metadata */
	const struct fl_key_cfg *keys;
	size_t key_count; /* 0 only if the policy neither signs nor encrypts */
};

/* A secret; borrowed from its ring. */
struct fl_key {
	struct fl_hmac_key hmac; /* of packets */
	struct fl_hmac_key bfd;  /* same secret as sha256-128, regular, for BFD packets (P-35) */
	struct fl_cbc cbc;
	uint64_t not_before_s;
	uint32_t id;
};

/*
 * Lies in guarded memory that is neither swapped nor dumped; only the cipher's key schedules are on
 * OpenSSL's heap. Everything is wiped when it is freed. One thread at a time (see cbc.h).
 */
struct fl_keyring;

/**
 * fl_keyring_new() - build a ring; fl_rand_init() must have been called
 *
 * A policy that neither signs nor encrypts may come without keys; the ring then has one key with id
 * 1, because TLV 16 is always sent (svr-protocol.md section 9, 17).
 *
 * Return: 0; -EINVAL for unknown algorithms, lengths that do not fit them, id 0, or no keys;
 * -EEXIST for an id used twice; -E2BIG above FL_MAX_KEYS; -ENOMEM.
 */
int fl_keyring_new(const struct fl_security_cfg *cfg, struct fl_keyring **ret_ring);

/* Wipe and free; takes NULL. */
void fl_keyring_free(struct fl_keyring *ring);

/*
 * The key to send with, borrowed; NULL if none is active yet. Of keys with the same not-before only
 * the one with the largest id counts, here and below.
 */
struct fl_key *fl_keyring_current(struct fl_keyring *ring, uint64_t now_s);

/**
 * fl_keyring_find() - the key of a received packet that names it
 *
 * Return: borrowed; NULL if there is no such id, or it is not accepted at this time.
 */
struct fl_key *fl_keyring_find(struct fl_keyring *ring, uint32_t id, uint64_t now_s);

/**
 * fl_keyring_candidates() - keys that a packet without id may be of
 * @ret_keys: borrowed; current, previous, next, as far as accepted
 *
 * Return: how many, 0 to FL_KEY_CANDIDATES.
 */
size_t fl_keyring_candidates(struct fl_keyring *ring, uint64_t now_s,
			     struct fl_key *ret_keys[FL_KEY_CANDIDATES]);

/* Does the policy encrypt metadata? */
bool fl_keyring_encrypts(const struct fl_keyring *ring);

/* Bytes of HMAC at the end of a packet, 0 if disabled. */
size_t fl_keyring_hmac_len(const struct fl_keyring *ring);

#endif
