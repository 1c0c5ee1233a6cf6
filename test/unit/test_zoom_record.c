// SPDX-License-Identifier: Apache-2.0
/* Credentials at rest: sealed, private, replaced as a whole. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/crypto/digest.h"
#include "agent/crypto/vault.h"
#include "agent/zoom/record.h"

static char dir[64], key[96], path[160];
static struct fl_vault *vault;
static struct fl_zoom_record record, back;

static void setup(void)
{
	strcpy(dir, "/tmp/fl-record-XXXXXX");
	cr_assert(mkdtemp(dir));
	snprintf(key, sizeof(key), "%s/key", dir);
	cr_assert_eq(fl_vault_open(key, &vault), 0);
	record = (struct fl_zoom_record){
		.app = { .client_id = "ID", .client_secret = "SECRETSECRET" },
		.token = { .access = "ACCESSACCESS", .refresh = "REFRESHREFRESH" },
		.expires_s = 1720700000,
		.person = { .id = "p1", .account_id = "a1", .email = "x@example.com" },
		.links = { { .org = "acme", .consent_by = "x", .max_daily = 7 },
			   { .org = "beta", .discard_guests = true } },
		.link_count = 2
	};
	fl_zoom_record_name(&record);
	snprintf(path, sizeof(path), "%s/%s.cred", dir, record.id);
}

static void teardown(void)
{
	char command[128];

	fl_vault_close(vault);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(zoom_record, .init = setup, .fini = teardown);

static int load(void)
{
	return fl_zoom_record_load(strrchr(path, '/') + 1, vault, dir, &back);
}

static mode_t mode_of(const char *file)
{
	struct stat st;

	cr_assert_eq(stat(file, &st), 0);
	return st.st_mode & 07777;
}

Test(zoom_record, there_and_back)
{
	cr_assert_eq(load(), -ENOENT);
	cr_assert_eq(fl_zoom_record_save(&record, vault, dir), 0);
	cr_assert_eq(load(), 0);
	cr_assert_str_eq(back.token.refresh, "REFRESHREFRESH");
	cr_assert_str_eq(back.app.client_secret, "SECRETSECRET");
	cr_assert_str_eq(back.person.email, "x@example.com");
	cr_assert_eq(back.expires_s, 1720700000);
	cr_assert_eq(back.link_count, 2);
	cr_assert_str_eq(back.links[1].org, "beta");
	cr_assert(back.links[1].discard_guests);
	cr_assert(!back.links[0].discard_guests);
	cr_assert_eq(back.links[0].max_daily, 7);
	cr_assert(fl_zoom_record_link(&back, "beta"));
	cr_assert(!fl_zoom_record_link(&back, "gamma"));
	cr_assert_eq(fl_zoom_record_delete(&record, dir), 0);
	cr_assert_eq(load(), -ENOENT);
	cr_assert_eq(fl_zoom_record_delete(&record, dir), 0);
}

Test(zoom_record, private_and_sealed)
{
	char text[8192];
	ssize_t n;
	int fd;

	cr_assert_eq(fl_zoom_record_save(&record, vault, dir), 0);
	cr_assert_eq(mode_of(path), 0600);
	cr_assert_eq(mode_of(key), 0600);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text));
	close(fd);
	cr_assert_gt(n, 200);
	for (const char *const *s = (const char *const[]){ "SECRETSECRET", "ACCESSACCESS",
							   "REFRESH", "example", NULL };
	     *s; s++)
		cr_assert(!memmem(text, (size_t)n, *s, strlen(*s)), "%s", *s);
}

static void flip(off_t at)
{
	int fd = open(path, O_RDWR);
	char c;

	cr_assert_eq(pread(fd, &c, 1, at), 1);
	c ^= 1;
	cr_assert_eq(pwrite(fd, &c, 1, at), 1);
	close(fd);
}

Test(zoom_record, tampered_with)
{
	struct stat st;

	cr_assert_eq(fl_zoom_record_save(&record, vault, dir), 0);
	stat(path, &st);
	for (off_t at = 0; at < st.st_size; at += 37) {
		flip(at);
		cr_assert_eq(load(), -EBADMSG);
		flip(at);
		cr_assert_eq(load(), 0);
	}
	cr_assert_eq(truncate(path, 20), 0);
	cr_assert_eq(load(), -EBADMSG);
}

/* One record in the place of another. */
Test(zoom_record, swapped)
{
	char other[160];

	cr_assert_eq(fl_zoom_record_save(&record, vault, dir), 0);
	snprintf(other, sizeof(other), "%s/%032d.cred", dir, 7);
	cr_assert_eq(rename(path, other), 0);
	strcpy(path, other);
	cr_assert_eq(load(), -EBADMSG);
}

Test(zoom_record, another_key)
{
	char elsewhere[128];
	struct fl_vault *second;

	cr_assert_eq(fl_zoom_record_save(&record, vault, dir), 0);
	snprintf(elsewhere, sizeof(elsewhere), "%s/key2", dir);
	cr_assert_eq(fl_vault_open(elsewhere, &second), 0);
	cr_assert_eq(fl_zoom_record_load(strrchr(path, '/') + 1, second, dir, &back), -EBADMSG);
	fl_vault_close(second);
	/* The same key again. */
	fl_vault_close(vault);
	cr_assert_eq(fl_vault_open(key, &vault), 0);
	cr_assert_eq(load(), 0);
}

Test(zoom_record, keys_that_are_none)
{
	struct fl_vault *none;
	char file[128];
	int fd;

	cr_assert_eq(chmod(key, 0640), 0);
	cr_assert_eq(fl_vault_open(key, &none), -EPERM);
	snprintf(file, sizeof(file), "%s/short", dir);
	fd = open(file, O_CREAT | O_WRONLY, 0600);
	cr_assert_eq(write(fd, "x", 1), 1);
	close(fd);
	cr_assert_eq(fl_vault_open(file, &none), -EINVAL);
	cr_assert_eq(truncate(file, 33), 0);
	cr_assert_eq(fl_vault_open(file, &none), -EINVAL);
	cr_assert_eq(fl_vault_open("/nonexistent/key", &none), -ENOENT);
}

/* What a process left that died while it wrote is no obstacle, and not the record. */
Test(zoom_record, died_while_writing)
{
	char temp[176];
	int fd;

	cr_assert_eq(fl_zoom_record_save(&record, vault, dir), 0);
	snprintf(temp, sizeof(temp), "%s.new", path);
	fd = open(temp, O_CREAT | O_WRONLY, 0666);
	close(fd);
	cr_assert_eq(load(), 0);
	strcpy(record.token.refresh, "NEWER");
	cr_assert_eq(fl_zoom_record_save(&record, vault, dir), 0);
	cr_assert_eq(mode_of(path), 0600);
	cr_assert_eq(load(), 0);
	cr_assert_str_eq(back.token.refresh, "NEWER");
	cr_assert_neq(access(temp, F_OK), 0);
}

Test(zoom_record, names)
{
	char before[FL_ZOOM_ID_LEN];

	strcpy(before, record.id);
	/* By app and person. */
	strcpy(record.person.id, "p2");
	fl_zoom_record_name(&record);
	cr_assert_str_neq(record.id, before);
	cr_assert(!fl_zoom_record_is_file("../../etc/passwd"));
	cr_assert(!fl_zoom_record_is_file("x.cred"));
	cr_assert(!fl_zoom_record_is_file("0123456789abcdef0123456789abcdef.cred.new"));
	cr_assert(fl_zoom_record_is_file("0123456789abcdef0123456789abcdef.cred"));
}

/* RFC 4648 10, FIPS 180-4. */
Test(zoom_record, digests)
{
	uint8_t digest[FL_SHA256_LEN];
	char text[80];

	fl_sha256("abc", 3, digest);
	fl_hex_encode(digest, sizeof(digest), text);
	cr_assert_str_eq(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	cr_assert(fl_hex_decode("BA78", digest, 2));
	cr_assert(!fl_hex_decode("BA7", digest, 2));
	cr_assert(!fl_hex_decode("BA7g", digest, 2));
	fl_base64("foob", 4, text);
	cr_assert_str_eq(text, "Zm9vYg==");
	fl_base64url("\xff\xfe\xfd\xfc", 4, text);
	cr_assert_str_eq(text, "__79_A");
}
