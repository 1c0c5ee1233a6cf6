// SPDX-License-Identifier: Apache-2.0
/*
 * AES-CBC: see cbc.h. One EVP context per key and direction, keyed once. Padding is done here, so
 * that a packet is one call into OpenSSL.
 *
 * Not even an IV is set: to tell a context that it begins anew costs as much as to encrypt a block
 * of metadata. It goes on chaining to the last cipher block of the packet before instead, and the
 * first plain block, which is all that an IV ever touches, is xored with what makes the difference:
 * E(P ^ last ^ IV ^ last) = E(P ^ IV).
 */
#include "agent/crypto/cbc.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <openssl/evp.h>

#include "agent/base/rand.h"

size_t fl_cipher_key_len(enum fl_cipher cipher)
{
	switch (cipher) {
	case FL_CIPHER_AES_CBC_128:
		return 16;
	case FL_CIPHER_AES_CBC_256:
		return 32;
	default:
		return 0;
	}
}

static const uint8_t zero_iv[FL_CBC_IV_LEN];

/* A context with the key set that chains to a block of zeros; NULL without memory. */
static EVP_CIPHER_CTX *ctx_new(size_t key_len, const uint8_t *key, int encrypt)
{
	const EVP_CIPHER *type = key_len == 32 ? EVP_aes_256_cbc() : EVP_aes_128_cbc();
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (!ctx || !EVP_CipherInit_ex2(ctx, type, key, zero_iv, encrypt, NULL) ||
	    !EVP_CIPHER_CTX_set_padding(ctx, 0)) {
		EVP_CIPHER_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

int fl_cbc_init(struct fl_cbc *cbc, enum fl_cipher cipher, const uint8_t *key, size_t key_len)
{
	if (!key_len || key_len != fl_cipher_key_len(cipher))
		return -EINVAL;
	memset(cbc, 0, sizeof(*cbc));
	cbc->encrypt = ctx_new(key_len, key, 1);
	cbc->decrypt = ctx_new(key_len, key, 0);
	if (!cbc->encrypt || !cbc->decrypt) {
		fl_cbc_done(cbc);
		return -ENOMEM;
	}
	return 0;
}

void fl_cbc_done(struct fl_cbc *cbc)
{
	/* OpenSSL wipes the key schedule as it frees it. */
	EVP_CIPHER_CTX_free(cbc->encrypt);
	EVP_CIPHER_CTX_free(cbc->decrypt);
	cbc->encrypt = NULL;
	cbc->decrypt = NULL;
}

/* What a first plain block needs for @iv to count instead of what the context chains to. */
static void rebase(uint8_t block[FL_CBC_BLOCK], const uint8_t last[FL_CBC_BLOCK],
		   const uint8_t iv[FL_CBC_IV_LEN])
{
	for (int i = 0; i < FL_CBC_BLOCK; i++)
		block[i] ^= last[i] ^ iv[i];
}

/* OpenSSL has failed, and it is unknown how far it came: chain to zeros again. */
static int start_anew(EVP_CIPHER_CTX *ctx, uint8_t last[FL_CBC_BLOCK])
{
	(void)EVP_CipherInit_ex2(ctx, NULL, NULL, zero_iv, -1, NULL);
	memset(last, 0, FL_CBC_BLOCK);
	return -EIO;
}

int fl_cbc_encrypt_iv(struct fl_cbc *cbc, uint8_t *data, size_t len, size_t room,
		      const uint8_t iv[FL_CBC_IV_LEN])
{
	size_t padded = (len / FL_CBC_BLOCK + 1) * FL_CBC_BLOCK;
	int done;

	if (!len)
		return 0;
	if (len > INT_MAX / 2 || fl_cbc_sealed_len(len) > room)
		return -ENOSPC;
	memset(data + len, (int)(padded - len), padded - len);
	rebase(data, cbc->encrypt_last, iv);
	if (!EVP_EncryptUpdate(cbc->encrypt, data, &done, data, (int)padded) || done != (int)padded)
		return start_anew(cbc->encrypt, cbc->encrypt_last);
	memcpy(cbc->encrypt_last, data + padded - FL_CBC_BLOCK, FL_CBC_BLOCK);
	memcpy(data + padded, iv, FL_CBC_IV_LEN);
	return (int)(padded + FL_CBC_IV_LEN);
}

int fl_cbc_encrypt(struct fl_cbc *cbc, uint8_t *data, size_t len, size_t room)
{
	uint8_t iv[FL_CBC_IV_LEN];

	fl_rand_bytes(iv, sizeof(iv));
	return fl_cbc_encrypt_iv(cbc, data, len, room, iv);
}

/*
 * Length of the padding at the end of the last block, or 0 if it is none. Without branches on the
 * plain text: the time must not tell where the padding breaks.
 */
static unsigned int padding_len(const uint8_t last[FL_CBC_BLOCK])
{
	unsigned int n = last[FL_CBC_BLOCK - 1], bad;

	bad = ((n - 1u) | (FL_CBC_BLOCK - n)) >> 8; /* n < 1 or n > 16 wraps */
	for (unsigned int i = 0; i < FL_CBC_BLOCK; i++) {
		/* all ones for the last n bytes */
		unsigned int inside = 0u - ((FL_CBC_BLOCK - 1 - i - n) >> 31);

		bad |= inside & (last[i] ^ n);
	}
	/* bad != 0 to all ones */
	bad = 0u - ((bad | (0u - bad)) >> 31);
	return n & ~bad;
}

int fl_cbc_decrypt(struct fl_cbc *cbc, uint8_t *data, size_t len)
{
	size_t padded = len - FL_CBC_IV_LEN;
	uint8_t last[FL_CBC_BLOCK];
	unsigned int pad;
	int done;

	if (!len)
		return 0;
	if (len < FL_CBC_BLOCK + FL_CBC_IV_LEN || len % FL_CBC_BLOCK || len > INT_MAX)
		return -EBADMSG;
	memcpy(last, data + padded - FL_CBC_BLOCK, FL_CBC_BLOCK);
	if (!EVP_DecryptUpdate(cbc->decrypt, data, &done, data, (int)padded) || done != (int)padded)
		return start_anew(cbc->decrypt, cbc->decrypt_last);
	rebase(data, cbc->decrypt_last, data + padded);
	memcpy(cbc->decrypt_last, last, FL_CBC_BLOCK);
	pad = padding_len(data + padded - FL_CBC_BLOCK);
	return pad ? (int)(padded - pad) : -EBADMSG;
}
