// SPDX-License-Identifier: Apache-2.0
/* Secrets at rest: see vault.h. File: 4 bytes of magic, nonce, sealed data. */
#include "agent/crypto/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_LEN   crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define NONCE_LEN crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN   crypto_aead_xchacha20poly1305_ietf_ABYTES
#define HEAD_LEN  (sizeof(magic) + NONCE_LEN)
#define FILE_MAX  (FL_VAULT_MAX + HEAD_LEN + TAG_LEN)

static const uint8_t magic[4] = { 'F', 'L', 'V', '1' };

struct fl_vault {
	uint8_t *key; /* sodium_malloc() */
};

static int sync_folder(const char *path)
{
	char copy[PATH_MAX];
	int fd, err;

	if (strlen(path) >= sizeof(copy))
		return -ENAMETOOLONG;
	strcpy(copy, path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return err;
}

static int write_all(int fd, const uint8_t *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		data += n;
		len -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

static int replace(const char *path, const uint8_t *data, size_t len)
{
	char temp[PATH_MAX];
	int fd, err;

	if ((size_t)snprintf(temp, sizeof(temp), "%s.new", path) >= sizeof(temp))
		return -ENAMETOOLONG;
	/* One that a dead process left may have any mode. */
	unlink(temp);
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	err = write_all(fd, data, len);
	close(fd);
	if (!err && rename(temp, path) < 0)
		err = -errno;
	if (err)
		unlink(temp);
	return err ? err : sync_folder(path);
}

/* Return: bytes read, -E2BIG if there are more than @size. */
static ssize_t read_file(const char *path, uint8_t *data, size_t size, struct stat *ret_st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = fstat(fd, ret_st) < 0 ? -1 : 1;
	while (n > 0 && len < size) {
		n = read(fd, data + len, size - len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			len += (size_t)n;
	}
	n = n < 0 ? -errno : (ssize_t)len;
	close(fd);
	return n >= 0 && ret_st->st_size > (off_t)size ? -E2BIG : n;
}

static int load_key(const char *path, uint8_t *key)
{
	struct stat st;
	ssize_t n = read_file(path, key, KEY_LEN, &st);

	if (n == -ENOENT) {
		randombytes_buf(key, KEY_LEN);
		return replace(path, key, KEY_LEN);
	}
	if (n < 0)
		return n == -E2BIG ? -EINVAL : (int)n;
	if (st.st_mode & 077)
		return -EPERM;
	return n == KEY_LEN ? 0 : -EINVAL;
}

int fl_vault_open(const char *key_path, struct fl_vault **ret_vault)
{
	struct fl_vault *vault;
	int err;

	if (sodium_init() < 0)
		return -EIO;
	vault = calloc(1, sizeof(*vault));
	if (!vault)
		return -ENOMEM;
	vault->key = sodium_malloc(KEY_LEN);
	err = vault->key ? load_key(key_path, vault->key) : -ENOMEM;
	if (err) {
		fl_vault_close(vault);
		return err;
	}
	sodium_mprotect_readonly(vault->key);
	*ret_vault = vault;
	return 0;
}

void fl_vault_close(struct fl_vault *vault)
{
	if (!vault)
		return;
	sodium_free(vault->key);
	free(vault);
}

int fl_vault_write(const struct fl_vault *vault, const char *path, const char *name,
		   const void *data, size_t len)
{
	uint8_t *file;
	int err;

	if (len > FL_VAULT_MAX)
		return -E2BIG;
	file = malloc(HEAD_LEN + len + TAG_LEN);
	if (!file)
		return -ENOMEM;
	memcpy(file, magic, sizeof(magic));
	randombytes_buf(file + sizeof(magic), NONCE_LEN);
	crypto_aead_xchacha20poly1305_ietf_encrypt(file + HEAD_LEN, NULL, data, len,
						   (const uint8_t *)name, strlen(name), NULL,
						   file + sizeof(magic), vault->key);
	err = replace(path, file, HEAD_LEN + len + TAG_LEN);
	free(file);
	return err;
}

static int unseal(const struct fl_vault *vault, const char *name, const uint8_t *file, size_t len,
		  char *data)
{
	if (len < HEAD_LEN + TAG_LEN || memcmp(file, magic, sizeof(magic)) != 0)
		return -EBADMSG;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    (uint8_t *)data, NULL, NULL, file + HEAD_LEN, len - HEAD_LEN,
		    (const uint8_t *)name, strlen(name), file + sizeof(magic), vault->key))
		return -EBADMSG;
	data[len - HEAD_LEN - TAG_LEN] = 0;
	return 0;
}

int fl_vault_read(const struct fl_vault *vault, const char *path, const char *name, char **ret_data,
		  size_t *ret_len)
{
	uint8_t *file = malloc(FILE_MAX);
	char *data = NULL;
	struct stat st;
	ssize_t n;
	int err;

	if (!file)
		return -ENOMEM;
	n = read_file(path, file, FILE_MAX, &st);
	err = n < 0 ? (int)n : 0;
	if (!err) {
		data = malloc(FILE_MAX);
		err = data ? unseal(vault, name, file, (size_t)n, data) : -ENOMEM;
	}
	free(file);
	if (err) {
		free(data);
		return err;
	}
	*ret_data = data;
	*ret_len = (size_t)n - HEAD_LEN - TAG_LEN;
	return 0;
}

void fl_vault_forget(char *data, size_t len)
{
	if (data)
		sodium_memzero(data, len);
	free(data);
}
