/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets at rest: files that are sealed (XChaCha20-Poly1305) with a key that lies elsewhere. A
 * file is replaced as a whole, or not at all, also when the power fails.
 */
#ifndef FL_AGENT_CRYPTO_VAULT_H
#define FL_AGENT_CRYPTO_VAULT_H

#include <stddef.h>

struct fl_vault;

#define FL_VAULT_MAX (64 << 10) /* bytes of one secret */

/**
 * fl_vault_open() - get the key ready
 * @key_path: 32 bytes; made if it is not there, mode 0600
 *
 * Return: 0; -EPERM if others may read the key; -EINVAL if it is no key; -errno.
 */
int fl_vault_open(const char *key_path, struct fl_vault **ret_vault);
void fl_vault_close(struct fl_vault *vault); /* wipes the key; takes NULL */

/**
 * fl_vault_write() - seal @data into a file, mode 0600
 * @name: what the secret is: the same must be said to read it, so that files cannot be swapped
 *
 * Temporary file, fsync, rename, fsync of the folder. Return: 0 or -errno, the old file is there
 * then.
 */
int fl_vault_write(const struct fl_vault *vault, const char *path, const char *name,
		   const void *data, size_t len);

/**
 * fl_vault_read() - the secret, with a NUL behind it
 * @ret_data: for fl_vault_forget()
 *
 * Return: 0; -ENOENT; -EBADMSG if it was not sealed with this key and name; -errno.
 */
int fl_vault_read(const struct fl_vault *vault, const char *path, const char *name, char **ret_data,
		  size_t *ret_len);

/* Wipe and free; takes NULL. */
void fl_vault_forget(char *data, size_t len);

#endif
