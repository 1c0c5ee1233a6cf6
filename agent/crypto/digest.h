/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, and bytes as text: what OAuth needs of cryptography. */
#ifndef FL_AGENT_CRYPTO_DIGEST_H
#define FL_AGENT_CRYPTO_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FL_SHA256_LEN 32

void fl_sha256(const void *data, size_t len, uint8_t digest[FL_SHA256_LEN]);

/* Characters of base64 for @len bytes, the NUL included; section 5 needs up to two less. */
#define FL_BASE64_ROOM(len) (((len) + 2) / 3 * 4 + 1)

/* Base64 of RFC 4648 section 4, with padding; of section 5 (URL safe), without. */
void fl_base64(const void *data, size_t len, char *text);
void fl_base64url(const void *data, size_t len, char *text);

/* Exactly @len bytes from lower-case or upper-case hex digits; false for anything else. */
bool fl_hex_decode(const char *text, uint8_t *data, size_t len);
/* 2 * @len lower-case digits and a NUL. */
void fl_hex_encode(const uint8_t *data, size_t len, char *text);

#endif
