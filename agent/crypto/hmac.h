/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HMAC that ends every packet to a peer (svr-protocol.md 2.8). A key is expanded once; after
 * that it is constant data that any thread may use, and signing neither allocates nor fails.
 */
#ifndef FL_AGENT_CRYPTO_HMAC_H
#define FL_AGENT_CRYPTO_HMAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/types.h"

enum fl_hmac_alg {
	FL_HMAC_SHA256_128 = 0, /* default: HMAC-SHA-256, first 16 bytes */
	FL_HMAC_SHA1,
	FL_HMAC_SHA256,
	FL_HMAC_SHA384,
	FL_HMAC_SHA512,
	FL_HMAC_ALG_MAX,
};

enum fl_hmac_mode {
	FL_HMAC_TIME_BASED = 0, /* default: P-11 */
	FL_HMAC_REGULAR,
	FL_HMAC_DISABLED, /* no bytes, all packets hold */
};

#define FL_HMAC_LEN_MAX  64
#define FL_HMAC_WINDOW_S 2 /* seconds a time window lasts (P-11) */

/* Room for the largest digest state, SHA-512's. */
#define FL_HMAC_STATE_LEN 224

/* Embedded by its owner; a secret as a whole. Wipe with fl_hmac_key_done(). */
struct fl_hmac_key {
	uint8_t inner[FL_HMAC_STATE_LEN] FL_ALIGNED(16);
	uint8_t outer[FL_HMAC_STATE_LEN] FL_ALIGNED(16);
	enum fl_hmac_alg alg;
	enum fl_hmac_mode mode;
};

/* Which time window an HMAC belongs to; regular ones are always current. */
enum fl_hmac_match {
	FL_HMAC_MISMATCH = 0,
	FL_HMAC_CURRENT,
	FL_HMAC_PREVIOUS, /* the peer's clock is behind, or the packet was on its way */
	FL_HMAC_NEXT,     /* the peer's clock is ahead */
};

/**
 * fl_hmac_key_init() - expand a key
 * @secret: key bytes, borrowed; any length (a long one is hashed first, RFC 2104 section 3)
 *
 * With mode disabled the secret is not looked at.
 *
 * Return: 0; -EINVAL for an unknown algorithm or mode, or an empty secret.
 */
int fl_hmac_key_init(struct fl_hmac_key *key, enum fl_hmac_alg alg, enum fl_hmac_mode mode,
		     const void *secret, size_t len);

/* Wipe; takes a zeroed key. */
void fl_hmac_key_done(struct fl_hmac_key *key);

/* Bytes that a packet grows by: 16 to 64, or 0 if disabled. */
size_t fl_hmac_len(enum fl_hmac_alg alg, enum fl_hmac_mode mode);

/**
 * fl_hmac_key_words() - an expanded key as the data plane has it
 *
 * Return: false for algorithms other than SHA-256 (of either length).
 */
bool fl_hmac_key_words(const struct fl_hmac_key *key, uint32_t inner[8], uint32_t outer[8]);

/**
 * fl_hmac_sign() - compute an HMAC
 * @data:   what it covers: from behind the layer 4 header on (P-10)
 * @unix_s: wall clock, seconds since 1970
 * @mac:    fl_hmac_len() bytes; untouched if disabled
 */
void fl_hmac_sign(const struct fl_hmac_key *key, const void *data, size_t len, uint64_t unix_s,
		  uint8_t *mac);

/**
 * fl_hmac_verify() - compare with the HMAC that @data should have
 * @mac: fl_hmac_len() bytes, as received
 *
 * Time-based: tries the window of @unix_s, the one before and the one after (P-11). The comparison
 * takes the same time wherever the first difference is.
 *
 * Return: what matched; FL_HMAC_MISMATCH (0) if nothing did.
 */
enum fl_hmac_match fl_hmac_verify(const struct fl_hmac_key *key, const void *data, size_t len,
				  uint64_t unix_s, const uint8_t *mac);

#endif
