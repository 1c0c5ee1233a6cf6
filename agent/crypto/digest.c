// SPDX-License-Identifier: Apache-2.0
/* SHA-256, and bytes as text: see digest.h. */
#include "agent/crypto/digest.h"

#include <sodium.h>
#include <string.h>

void fl_sha256(const void *data, size_t len, uint8_t digest[FL_SHA256_LEN])
{
	crypto_hash_sha256(digest, data, len);
}

/* libsodium fills up to what it is told is there: exactly what is needed. */
static void encode(const void *data, size_t len, char *text, int variant)
{
	sodium_bin2base64(text, sodium_base64_encoded_len(len, variant), data, len, variant);
}

void fl_base64(const void *data, size_t len, char *text)
{
	encode(data, len, text, sodium_base64_VARIANT_ORIGINAL);
}

void fl_base64url(const void *data, size_t len, char *text)
{
	encode(data, len, text, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool fl_hex_decode(const char *text, uint8_t *data, size_t len)
{
	size_t got;

	return strlen(text) == 2 * len &&
	       !sodium_hex2bin(data, len, text, 2 * len, NULL, &got, NULL) && got == len;
}

void fl_hex_encode(const uint8_t *data, size_t len, char *text)
{
	sodium_bin2hex(text, 2 * len + 1, data, len);
}
