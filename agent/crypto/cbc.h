/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-CBC as svr-protocol.md 2.7 uses it (P-07):
 *
 *	AES-CBC(PKCS#7(plain text)) || IV(16)
 *
 * with a new random IV for every packet. It says nothing about who wrote it: verify the HMAC first.
 */
#ifndef FL_AGENT_CRYPTO_CBC_H
#define FL_AGENT_CRYPTO_CBC_H

#include <stddef.h>
#include <stdint.h>

/* The numbers are those of TLV 46 in the payload section (P-44). */
enum fl_cipher {
	FL_CIPHER_AES_CBC_128 = 1, /* default */
	FL_CIPHER_AES_CBC_256 = 2,
};

#define FL_CBC_BLOCK  16
#define FL_CBC_IV_LEN 16
/* Padding and IV: what a section grows by at most. */
#define FL_CBC_OVERHEAD_MAX (FL_CBC_BLOCK + FL_CBC_IV_LEN)

/*
 * A cipher with its key; a secret. It has a working state, hence one thread at a time. Zeroed is a
 * valid "no key".
 */
struct fl_cbc {
	struct evp_cipher_ctx_st *encrypt;
	struct evp_cipher_ctx_st *decrypt;
	uint8_t encrypt_last[FL_CBC_BLOCK]; /* cipher block that each context chains to */
	uint8_t decrypt_last[FL_CBC_BLOCK];
};

/* Key bytes of a cipher: 16 or 32; 0 for an unknown one. */
size_t fl_cipher_key_len(enum fl_cipher cipher);

/* Bytes that a plain text of @len > 0 bytes becomes; nothing stays nothing. */
static inline size_t fl_cbc_sealed_len(size_t len)
{
	return len ? (len / FL_CBC_BLOCK + 1) * FL_CBC_BLOCK + FL_CBC_IV_LEN : 0;
}

/**
 * fl_cbc_init() - set up a cipher
 * @key: fl_cipher_key_len() bytes, borrowed
 *
 * Return: 0; -EINVAL for an unknown cipher or a key of another length; -ENOMEM.
 */
int fl_cbc_init(struct fl_cbc *cbc, enum fl_cipher cipher, const uint8_t *key, size_t key_len);

/* Wipe the key and free; takes a zeroed or half-built one. */
void fl_cbc_done(struct fl_cbc *cbc);

/**
 * fl_cbc_encrypt() - encrypt in place and append the IV
 * @data: @len bytes of plain text, with room for fl_cbc_sealed_len()
 * @room: bytes at @data
 *
 * Return: new length, 0 if @len is 0; -ENOSPC; -EIO if OpenSSL fails.
 */
int fl_cbc_encrypt(struct fl_cbc *cbc, uint8_t *data, size_t len, size_t room);

/* The same with an IV from the caller: for test vectors. An IV must never be used twice. */
int fl_cbc_encrypt_iv(struct fl_cbc *cbc, uint8_t *data, size_t len, size_t room,
		      const uint8_t iv[FL_CBC_IV_LEN]);

/**
 * fl_cbc_decrypt() - decrypt in place
 * @data: cipher text and IV
 *
 * Return: length of the plain text, 0 if @len is 0; -EBADMSG if the length or the padding is wrong
 * (which of them does not show in the time it takes); -EIO if OpenSSL fails. After a failure the
 * data is neither the one nor the other.
 */
int fl_cbc_decrypt(struct fl_cbc *cbc, uint8_t *data, size_t len);

#endif
