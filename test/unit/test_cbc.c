// SPDX-License-Identifier: Apache-2.0
/* AES-CBC: published vectors, the section of vector B, padding, misuse. */
#include <errno.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "agent/base/rand.h"
#include "agent/crypto/cbc.h"
#include "test/unit/hex.h"
#include "test/unit/vectors.h"

struct row {
	const char *source;
	const char *key;
	const char *iv;
	const char *plain;
	const char *cipher; /* without the padding block that we add */
};

static const struct row rows[] = {
	{ "RFC 3602 4, case 1", "06a9214036b8a15b512e03d534120006",
	  "3dafba429d9eb430b422da802c9fac41", "53696e676c6520626c6f636b206d7367",
	  "e353779c1079aeb82708942dbe77181a" },
	{ "RFC 3602 4, case 2", "c286696d887c9aa0611bbb3e2025a45a",
	  "562e17996d093d28ddb3ba695a2e6f58",
	  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	  "d296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1" },
	{ "SP 800-38A F.2.5", "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
	  "000102030405060708090a0b0c0d0e0f",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
	  "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d" },
};

static struct fl_cbc cbc_of(const char *key_hex)
{
	struct fl_cbc cbc = { 0 };
	uint8_t key[32];
	size_t len = hex_bytes(key_hex, key, sizeof(key));

	cr_assert_eq(fl_cbc_init(&cbc, len == 32 ? FL_CIPHER_AES_CBC_256 : FL_CIPHER_AES_CBC_128,
				 key, len),
		     0);
	return cbc;
}

Test(cbc, published_vectors)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fl_cbc cbc = cbc_of(rows[i].key);
		uint8_t data[128], iv[16];
		size_t len = hex_bytes(rows[i].plain, data, sizeof(data));
		int sealed;

		hex_bytes(rows[i].iv, iv, sizeof(iv));
		sealed = fl_cbc_encrypt_iv(&cbc, data, len, sizeof(data), iv);
		cr_assert_eq(sealed, (int)len + 32, "%s", rows[i].source);
		assert_hex(data, len, rows[i].cipher);
		assert_hex(data + len + 16, 16, rows[i].iv);
		cr_assert_eq(fl_cbc_decrypt(&cbc, data, (size_t)sealed), (int)len);
		assert_hex(data, len, rows[i].plain);
		fl_cbc_done(&cbc);
	}
}

Test(cbc, vector_b_both_ways)
{
	struct fl_cbc cbc = cbc_of("000102030405060708090a0b0c0d0e0f");
	uint8_t a[128], b[128], iv[16];

	hex_bytes(VECTOR_A, a, sizeof(a));
	hex_bytes(VECTOR_B, b, sizeof(b));
	hex_bytes("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf", iv, sizeof(iv));
	cr_assert_eq(fl_cbc_encrypt_iv(&cbc, a + 20, 79, sizeof(a) - 20, iv), 96);
	cr_assert(!memcmp(a + 20, b + 20, 96), "got %s", hex_text(a + 20, 96));
	hex_bytes(VECTOR_A, a, sizeof(a));
	cr_assert_eq(fl_cbc_decrypt(&cbc, b + 20, 96), 79);
	cr_assert(!memcmp(a + 20, b + 20, 79));
	fl_cbc_done(&cbc);
}

Test(cbc, every_length_comes_back)
{
	struct fl_cbc cbc = cbc_of("000102030405060708090a0b0c0d0e0f");
	uint8_t data[600], want[600], last_iv[16] = { 0 };

	cr_assert_eq(fl_rand_init(), 0);
	for (size_t len = 0; len < 500; len++) {
		int sealed;

		fl_rand_bytes(want, len);
		memcpy(data, want, len);
		sealed = fl_cbc_encrypt(&cbc, data, len, sizeof(data));
		cr_assert_eq(sealed, (int)fl_cbc_sealed_len(len));
		if (!len)
			continue;
		cr_assert(sealed >= (int)len + 17 && sealed <= (int)len + FL_CBC_OVERHEAD_MAX &&
			  sealed % 16 == 0);
		cr_assert(memcmp(data + sealed - 16, last_iv, 16), "an IV was used again");
		memcpy(last_iv, data + sealed - 16, 16);
		cr_assert_eq(fl_cbc_decrypt(&cbc, data, (size_t)sealed), (int)len);
		cr_assert(!memcmp(data, want, len), "%zu bytes", len);
	}
	fl_cbc_done(&cbc);
}

/* Nothing of a packet goes into the next one, whatever became of it. */
Test(cbc, each_packet_for_itself)
{
	struct fl_cbc cbc = cbc_of("000102030405060708090a0b0c0d0e0f");
	uint8_t a[128], b[128], junk[48], iv[16];

	hex_bytes("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf", iv, sizeof(iv));
	for (int round = 0; round < 3; round++) {
		memset(junk, round, sizeof(junk));
		(void)fl_cbc_decrypt(&cbc, junk, sizeof(junk)); /* not of this key */
		memset(junk, round, sizeof(junk));
		cr_assert_eq(fl_cbc_encrypt_iv(&cbc, junk, 5, sizeof(junk), iv), 32);
		hex_bytes(VECTOR_A, a, sizeof(a));
		hex_bytes(VECTOR_B, b, sizeof(b));
		cr_assert_eq(fl_cbc_encrypt_iv(&cbc, a + 20, 79, sizeof(a) - 20, iv), 96);
		cr_assert(!memcmp(a + 20, b + 20, 96), "round %d", round);
		cr_assert_eq(fl_cbc_decrypt(&cbc, a + 20, 96), 79);
		hex_bytes(VECTOR_A, b, sizeof(b));
		cr_assert(!memcmp(a + 20, b + 20, 79), "round %d", round);
	}
	fl_cbc_done(&cbc);
}

Test(cbc, room_is_respected)
{
	struct fl_cbc cbc = cbc_of("000102030405060708090a0b0c0d0e0f");
	uint8_t data[64];

	cr_assert_eq(fl_rand_init(), 0);
	memset(data, 0xee, sizeof(data));
	for (size_t room = 16; room < 48; room++)
		cr_assert_eq(fl_cbc_encrypt(&cbc, data, 16, room), -ENOSPC);
	for (size_t i = 0; i < sizeof(data); i++)
		cr_assert_eq(data[i], 0xee, "touched without room");
	cr_assert_eq(fl_cbc_encrypt(&cbc, data, 16, 48), 48);
	cr_assert_eq(data[48], 0xee);
	fl_cbc_done(&cbc);
}

/* Plain text with padding of our own choice, encrypted without any. */
static void encrypt_raw(const uint8_t *key, const uint8_t *plain, int len, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int done;

	memset(out + len, 0x42, 16); /* IV */
	cr_assert(EVP_EncryptInit_ex(ctx, EVP_aes_128_cbc(), NULL, key, out + len));
	EVP_CIPHER_CTX_set_padding(ctx, 0);
	cr_assert(EVP_EncryptUpdate(ctx, out, &done, plain, len));
	cr_assert_eq(done, len);
	EVP_CIPHER_CTX_free(ctx);
}

/* Length that PKCS#7 leaves of two blocks, written down plainly; -EBADMSG if it is none. */
static int unpad(const uint8_t *plain, int len)
{
	int n = plain[len - 1];

	if (n < 1 || n > 16)
		return -EBADMSG;
	for (int i = len - n; i < len; i++)
		if (plain[i] != n)
			return -EBADMSG;
	return len - n;
}

Test(cbc, padding)
{
	static const uint8_t key[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct fl_cbc cbc = cbc_of("000102030405060708090a0b0c0d0e0f");
	int good = 0;

	/* Each last byte, with right padding except for one bit, and without exception (-1). */
	for (int n = 0; n < 256; n++) {
		for (int wrong = -1; wrong < 32 * 8; wrong++) {
			uint8_t plain[32], sealed[48];
			int want;

			memset(plain, 0xcc, sizeof(plain));
			for (int i = 0; i < n && i < 32; i++)
				plain[31 - i] = (uint8_t)n;
			plain[31] = (uint8_t)n;
			if (wrong >= 0)
				plain[wrong / 8] ^= (uint8_t)(1 << wrong % 8);
			want = unpad(plain, 32);
			encrypt_raw(key, plain, 32, sealed);
			cr_assert_eq(fl_cbc_decrypt(&cbc, sealed, 48), want, "n %d wrong %d", n,
				     wrong);
			good += want >= 0;
		}
	}
	cr_assert_gt(good, 16 * 15 * 8);
	fl_cbc_done(&cbc);
}

Test(cbc, lengths_that_cannot_be)
{
	struct fl_cbc cbc = cbc_of("000102030405060708090a0b0c0d0e0f");
	uint8_t data[80] = { 0 };

	cr_assert_eq(fl_cbc_decrypt(&cbc, data, 0), 0);
	for (size_t len = 1; len < 80; len++)
		if (len < 32 || len % 16)
			cr_assert_eq(fl_cbc_decrypt(&cbc, data, len), -EBADMSG, "%zu", len);
	fl_cbc_done(&cbc);
}

Test(cbc, misuse)
{
	struct fl_cbc cbc = { 0 };
	uint8_t key[32] = { 0 };

	cr_assert_eq(fl_cbc_init(&cbc, 0, key, 16), -EINVAL);
	cr_assert_eq(fl_cbc_init(&cbc, 3, key, 16), -EINVAL);
	cr_assert_eq(fl_cbc_init(&cbc, FL_CIPHER_AES_CBC_128, key, 32), -EINVAL);
	cr_assert_eq(fl_cbc_init(&cbc, FL_CIPHER_AES_CBC_256, key, 16), -EINVAL);
	cr_assert_eq(fl_cbc_init(&cbc, 0, key, 0), -EINVAL);
	fl_cbc_done(&cbc); /* a zeroed one */
}
