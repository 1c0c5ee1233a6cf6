// SPDX-License-Identifier: Apache-2.0
/* Opening and closing; what is done with a file that is damaged. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/insight/store_internal.h"

#define DAY_S 86400

/* Names and topics of people are in it: nobody else may read it, and SQLite's default is 0644. */
static int make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* Return: -EUCLEAN if the file is damaged. */
static int open_file(struct fl_store *store, struct fl_store_health *health)
{
	int err = make_file(store->path), code;

	if (err)
		return err;
	code = sqlite3_open_v2(store->path, &store->db,
			       SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
			       NULL);
	if (code) {
		snprintf(health->problem, sizeof(health->problem), "%s", sqlite3_errmsg(store->db));
		return fl_store_errno(store->db, code);
	}
	sqlite3_busy_timeout(store->db, 5000);
	err = fl_store_setup(store->db);
	if (err) {
		snprintf(health->problem, sizeof(health->problem), "%s", sqlite3_errmsg(store->db));
		return err;
	}
	err = fl_store_check(store->db, health->problem, sizeof(health->problem));
	return err ? err : fl_store_migrate(store->db);
}

static void close_file(struct fl_store *store)
{
	for (int i = 0; i < SQL_MAX; i++) {
		sqlite3_finalize(store->stmts[i]);
		store->stmts[i] = NULL;
	}
	sqlite3_close(store->db);
	store->db = NULL;
}

/* One damaged file is worth keeping for a look at it; more would fill the disk. */
static void remove_earlier(const char *path)
{
	char pattern[4096];
	glob_t found;

	if ((size_t)snprintf(pattern, sizeof(pattern), "%s.damaged-*", path) >= sizeof(pattern) ||
	    glob(pattern, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		unlink(found.gl_pathv[i]);
	globfree(&found);
}

static int put_aside(const char *path, uint64_t now_s, struct fl_store_health *health)
{
	static const char *const parts[] = { "", "-wal", "-shm" };
	time_t t = (time_t)now_s;
	char stamp[32], from[4096];
	struct tm tm;

	remove_earlier(path);
	gmtime_r(&t, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	for (int i = 0; i < 3; i++) {
		int a = snprintf(from, sizeof(from), "%s%s", path, parts[i]);
		int b = snprintf(health->put_aside_as, sizeof(health->put_aside_as),
				 "%s.damaged-%s%s", path, stamp, parts[i]);

		if (a < 0 || b < 0 || (size_t)b >= sizeof(health->put_aside_as))
			return -ENAMETOOLONG;
		if (rename(from, health->put_aside_as) < 0 && (errno != ENOENT || !i))
			return -errno;
	}
	snprintf(health->put_aside_as, sizeof(health->put_aside_as), "%s.damaged-%s", path, stamp);
	health->quarantined = true;
	return 0;
}

int fl_store_open(const struct fl_store_cfg *cfg, struct fl_store_health *ret_health,
		  struct fl_store **ret_store)
{
	struct fl_store *store = calloc(1, sizeof(*store));
	int err;

	memset(ret_health, 0, sizeof(*ret_health));
	if (!store)
		return -ENOMEM;
	store->path = strdup(cfg->path);
	store->mos = cfg->mos ? *cfg->mos : fl_score_default;
	store->minute_s = (cfg->minute_days ? cfg->minute_days : 30) * DAY_S;
	store->meeting_s = (cfg->meeting_days ? cfg->meeting_days : 90) * DAY_S;
	store->quota_bytes = cfg->quota_bytes;
	store->gone_before_s = (int64_t)cfg->now_s - store->minute_s;
	err = store->path ? open_file(store, ret_health) : -ENOMEM;
	if (err == -EUCLEAN) {
		close_file(store);
		err = put_aside(store->path, cfg->now_s, ret_health);
		if (!err) {
			struct fl_store_health again = { 0 };

			err = open_file(store, &again);
		}
	}
	if (err < 0) {
		fl_store_close(store);
		return err;
	}
	if (!ret_health->quarantined)
		ret_health->problem[0] = '\0';
	*ret_store = store;
	return 0;
}

void fl_store_close(struct fl_store *store)
{
	if (!store)
		return;
	close_file(store);
	free(store->path);
	free(store);
}

/* --- columns ------------------------------------------------------------------------------------
 */

void fl_col_text(sqlite3_stmt *stmt, int column, char *out, size_t len)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);

	snprintf(out, len, "%s", text ? (const char *)text : "");
}

struct fl_addr fl_col_addr(sqlite3_stmt *stmt, int column)
{
	const void *bytes = sqlite3_column_blob(stmt, column);
	int len = sqlite3_column_bytes(stmt, column);

	if (!bytes || (len != 4 && len != 16))
		return (struct fl_addr){ 0 };
	return fl_addr_from(len == 4 ? 4 : 6, bytes);
}

struct fl_mac fl_col_mac(sqlite3_stmt *stmt, int column)
{
	const void *bytes = sqlite3_column_blob(stmt, column);
	struct fl_mac mac = { 0 };

	if (bytes && sqlite3_column_bytes(stmt, column) == sizeof(mac.b))
		memcpy(mac.b, bytes, sizeof(mac.b));
	return mac;
}

double fl_col_figure(sqlite3_stmt *stmt, int column, double scale)
{
	if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return NAN;
	return (double)sqlite3_column_int64(stmt, column) / scale;
}

int64_t fl_col_int(sqlite3_stmt *stmt, int column, int64_t if_null)
{
	if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return if_null;
	return sqlite3_column_int64(stmt, column);
}
