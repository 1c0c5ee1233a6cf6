// SPDX-License-Identifier: Apache-2.0
/*
 * All SQL of the store, and the little around it that knows SQLite's way of running it. Another
 * database would replace this file and the types in store_internal.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <store_schema.h>

#include "agent/insight/store_internal.h"

/* Columns of a call as read_call() in store_read.c expects them. */
#define CALL_COLUMNS                                                                               \
	"c.id, c.meeting, c.key, c.account, c.site, c.client, c.rule, c.vpn, c.conn, c.network,"   \
	" c.addr, c.public_addr, k.key, k.hostname, c.user_name, c.email, c.device, c.join_s,"     \
	" c.leave_s, c.leave_code, c.audio, c.video, c.screen, c.rating, c.bytes, c.minutes,"      \
	" c.bad_minutes, m.uuid, m.number, c.audio_mos, c.video_mos, c.screen_mos "                \
	"FROM call c JOIN client k ON k.id = c.client JOIN meeting m ON m.id = c.meeting "

/* Calls that touch [?2, ?3); no call lasts longer than 30 hours (zoom-api.md 3), so the index
 * helps. */
#define CALL_IN_TIME " c.join_s < ?3 AND c.join_s >= ?2 - 108000 AND ifnull(c.leave_s, ?3) >= ?2 "

/*
 * E17: a label of audio or video is poor or bad (3, 2), or the rating is poor. ?4: only those; ?5:
 * a pattern, or NULL.
 */
#define CALL_WANTED                                                                                \
	" (NOT ?4 OR c.audio BETWEEN 2 AND 3 OR c.video BETWEEN 2 AND 3 OR c.rating <= 2)"         \
	" AND (?5 IS NULL OR k.hostname LIKE ?5 ESCAPE '\\' OR c.user_name LIKE ?5 ESCAPE '\\'"    \
	" OR m.number LIKE ?5 ESCAPE '\\') "

#define CALLS(whose)                                                                               \
	"SELECT " CALL_COLUMNS "WHERE " whose " AND" CALL_IN_TIME "AND" CALL_WANTED                \
	"ORDER BY c.join_s DESC, c.id DESC LIMIT ?6 OFFSET ?7"
#define CALLS_COUNT(whose)                                                                         \
	"SELECT count(*) FROM call c JOIN client k ON k.id = c.client"                             \
	" JOIN meeting m ON m.id = c.meeting WHERE " whose " AND" CALL_IN_TIME "AND" CALL_WANTED

/* A later row replaces an earlier one, but unknown values replace nothing. */
#define NEWER(column) #column " = ifnull(excluded." #column ", " #column ")"
/* The same where 0 is unknown. */
#define KNOWN(column) #column " = ifnull(nullif(excluded." #column ", 0), " #column ")"
#define MEETING_KNOWN KNOWN(number) ", start_s = ifnull(nullif(?7, 0), start_s)"
#define CALL_KNOWN    KNOWN(join_s) ", " KNOWN(conn) ", " KNOWN(network) ", " KNOWN(leave_code)

static const char *const texts[SQL_MAX] = {
	[SQL_ACCOUNT] = "INSERT INTO account (key, state) VALUES (?1, '')"
			" ON CONFLICT DO UPDATE SET key = key RETURNING id",
	[SQL_ACCOUNT_SET] = "UPDATE account SET state = ?2 WHERE id = ?1",
	[SQL_ACCOUNTS] = "SELECT id, key, state FROM account ORDER BY id",
	[SQL_ACCOUNT_DELETE] = "DELETE FROM account WHERE id = ?1",
	[SQL_ACCOUNT_WORK_DELETE] = "DELETE FROM work WHERE account = ?1",
	[SQL_ACCOUNT_ROLL_DELETE] = "DELETE FROM roll WHERE account = ?1",
	[SQL_ACCOUNT_MEETING] = "SELECT id FROM meeting WHERE account = ?1 LIMIT 1",
	[SQL_WORK_PUT] = "INSERT OR REPLACE INTO work (account, uuid, stage, tries, due_s, ended_s)"
			 " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[SQL_WORK_DELETE] = "DELETE FROM work WHERE account = ?1 AND uuid = ?2",
	[SQL_WORK_DUE] = "SELECT uuid, stage, tries, due_s, ended_s FROM work"
			 " WHERE account = ?1 AND due_s <= ?2 ORDER BY due_s, uuid",
	[SQL_HAS_MEETING] = "SELECT 1 FROM meeting WHERE account = ?1 AND uuid = ?2"
			    " AND end_s IS NOT NULL UNION ALL"
			    " SELECT 1 FROM work WHERE account = ?1 AND uuid = ?2 LIMIT 1",
	[SQL_SITE] = "INSERT INTO site (name) VALUES (?1)"
		     " ON CONFLICT DO UPDATE SET name = name RETURNING id",
	[SQL_SITES] = "SELECT id, name FROM site ORDER BY name",
	[SQL_PATH] = "INSERT INTO path (site, router, name) VALUES (?1, ?2, ?3)"
		     " ON CONFLICT DO UPDATE SET name = name RETURNING id",
	[SQL_PATHS] = "SELECT id, name FROM path WHERE site = ?1 ORDER BY name",
	[SQL_PATH_SITE] = "SELECT site FROM path WHERE id = ?1",
	[SQL_PATH_MINUTE_PUT] = "INSERT OR REPLACE INTO path_minute VALUES"
				" (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
	[SQL_PATH_MINUTES] =
		"SELECT * FROM path_minute"
		" WHERE path = ?1 AND minute BETWEEN ?2 AND ?3 ORDER BY minute LIMIT ?4",
	[SQL_SITE_MINUTE] = "SELECT m.* FROM path p JOIN path_minute m ON m.path = p.id"
			    " WHERE p.site = ?1 AND m.minute = ?2",
	[SQL_WAN_ROLL_ADD] = "INSERT INTO wan_roll (site, start_s, sum_us, count)"
			     " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET"
			     " sum_us = sum_us + excluded.sum_us, count = count + excluded.count",
	[SQL_SESSION_PUT] =
		"INSERT INTO session (uuid, site, client, client_port, remote, remote_port, nat,"
		" nat_port, proto, app, mac, hostname, start_s, end_s, bytes)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
		" ON CONFLICT DO UPDATE SET site = excluded.site, app = excluded.app,"
		" start_s = excluded.start_s, end_s = excluded.end_s, bytes = excluded.bytes, " NEWER(
			mac) ", " NEWER(hostname) ", " NEWER(nat) " RETURNING id",
	[SQL_STEPS_DELETE] = "DELETE FROM session_step WHERE session = ?1",
	[SQL_STEP_PUT] = "INSERT OR REPLACE INTO session_step VALUES (?1, ?2, ?3)",
	[SQL_SESSIONS] =
		"SELECT id, uuid, site, client, client_port, remote, remote_port, nat, nat_port,"
		" proto, app, mac, hostname, start_s, end_s, bytes FROM session"
		" WHERE client = ?1 AND start_s <= ?3 AND ifnull(end_s, ?3) >= ?2 ORDER BY start_s",
	[SQL_STEPS] = "SELECT since_s, path FROM session_step WHERE session = ?1"
		      " ORDER BY since_s LIMIT ?2",
	[SQL_NEIGHBOUR_PUT] =
		"INSERT INTO neighbour (mac, addr, site, hostname, from_s, to_s)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET"
		" hostname = CASE excluded.hostname WHEN '' THEN hostname ELSE excluded.hostname END,"
		" from_s = min(from_s, excluded.from_s), to_s = max(to_s, excluded.to_s)",
	[SQL_NEIGHBOURS] = "SELECT site, mac, addr, hostname, from_s, to_s FROM neighbour"
			   " WHERE mac = ?1 OR (hostname = ?2 AND ?2 <> '')",
	[SQL_EVENT_PUT] = "INSERT INTO event (site, at_s, severity, kind, subject, detail)"
			  " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
	[SQL_EVENTS] = "SELECT site, at_s, severity, kind, subject, detail FROM event"
		       " WHERE site = ?1 AND at_s >= ?2 AND at_s < ?3 ORDER BY at_s",
	[SQL_MEETING_PUT] =
		"INSERT INTO meeting (account, uuid, number, topic, host, host_email, start_s, end_s,"
		" participants, dropped) VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
		/* Without a start it must still grow old. */
		" CASE ?7 WHEN 0 THEN ifnull(?8, unixepoch()) ELSE ?7 END, ?8, ?9, ?10)"
		" ON CONFLICT DO UPDATE SET participants = max(participants, excluded.participants),"
		" dropped = max(dropped, excluded.dropped), " MEETING_KNOWN
		", " NEWER(topic) ", " NEWER(host) ", " NEWER(host_email) ", " NEWER(
			end_s) " RETURNING id",
	[SQL_CALL_FIND] = "SELECT id, site, minutes, bad_minutes FROM call"
			  " WHERE meeting = ?1 AND key = ?2",
	[SQL_CALL_OF_PERSON] = "SELECT id, site FROM call WHERE meeting = ?1"
			       " AND (person = ?2 OR email = ?2)"
			       " ORDER BY join_s <= ?3 DESC, join_s DESC LIMIT 1",
	[SQL_CLIENT_PUT] =
		"INSERT INTO client (site, key, addr, hostname, user_name, seen_s)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET " NEWER(addr) ", " NEWER(
			hostname) ", " NEWER(user_name) ", seen_s = max(seen_s, excluded.seen_s) RETURNING id",
	[SQL_CALL_PUT] =
		"INSERT INTO call (meeting, key, account, site, client, rule, vpn, conn, network,"
		" addr, public_addr, user_name, email, device, join_s, leave_s, leave_code, audio,"
		" video, screen, rating, bytes, minutes, bad_minutes, person, audio_mos, video_mos,"
		" screen_mos)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
		" ?17, ?18, ?19, ?20, ?21, ?22, 0, 0, ?23, ?24, ?25, ?26)"
		" ON CONFLICT DO UPDATE SET site = excluded.site, client = excluded.client,"
		" rule = excluded.rule, vpn = excluded.vpn, " CALL_KNOWN ","
		" audio = CASE WHEN excluded.audio < 2 AND audio >= 2 THEN audio ELSE excluded.audio END,"
		" video = CASE WHEN excluded.video < 2 AND video >= 2 THEN video ELSE excluded.video END,"
		" screen = CASE WHEN excluded.screen < 2 AND screen >= 2 THEN screen"
		" ELSE excluded.screen END, bytes = max(bytes, excluded.bytes), " NEWER(person) ", " NEWER(addr) ", " NEWER(public_addr) ", " NEWER(user_name) ", " NEWER(
			email) ", " NEWER(device) ", " NEWER(leave_s) ", " NEWER(rating) ", " NEWER(audio_mos) ", " NEWER(video_mos) ", " NEWER(screen_mos) " RETURNING id",
	[SQL_CALL_COUNT] = "UPDATE call SET minutes = ?2, bad_minutes = ?3 WHERE id = ?1",
	[SQL_MINUTE_GET] =
		"SELECT path, bad, cause, data FROM minute WHERE call = ?1 AND minute = ?2",
	[SQL_MINUTE_PUT] = "INSERT OR REPLACE INTO minute (call, minute, path, bad, cause, data)"
			   " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[SQL_MINUTE_CAUSE] = "UPDATE minute SET cause = ?3 WHERE call = ?1 AND minute = ?2",
	[SQL_MINUTE_PATH] = "UPDATE minute SET path = ?3 WHERE call = ?1 AND minute = ?2"
			    " AND path IS NULL",
	[SQL_CALL_SESSIONS] =
		"UPDATE call SET vpn = max(vpn, ?2), bytes = max(bytes, ?3) WHERE id = ?1",
	[SQL_MINUTES] = "SELECT minute, path, bad, cause, data FROM minute WHERE call = ?1"
			" AND minute BETWEEN ?2 AND ?3 ORDER BY minute",
	[SQL_MINUTES_DELETE] = "DELETE FROM minute WHERE call = ?1",
	[SQL_ROLL_GET] = "SELECT data FROM roll WHERE site = ?1 AND start_s = ?2 AND account = ?3",
	[SQL_ROLL_PUT] = "INSERT OR REPLACE INTO roll (site, start_s, account, data)"
			 " VALUES (?1, ?2, ?3, ?4)",
	[SQL_FEEDBACK_PUT] =
		"INSERT OR REPLACE INTO feedback (meeting, who, at_s, site, call, rating)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[SQL_CALL_RATING] = "UPDATE call SET rating = (SELECT min(rating) FROM feedback"
			    " WHERE meeting = ?2 AND call = ?1) WHERE id = ?1",
	[SQL_ROLLS] = "SELECT start_s, data FROM roll WHERE site = ?1 AND start_s >= ?2"
		      " AND start_s < ?3",
	[SQL_WAN_ROLLS] = "SELECT start_s, sum_us, count FROM wan_roll WHERE site = ?1"
			  " AND start_s >= ?2 AND start_s < ?3",
	[SQL_USERS] =
		"SELECT count(DISTINCT client) FROM call c WHERE c.site = ?1 AND" CALL_IN_TIME,
	[SQL_RATINGS] = "SELECT count(DISTINCT CASE WHEN rating >= 4 THEN who END),"
			" count(DISTINCT CASE WHEN rating = 3 THEN who END),"
			" count(DISTINCT CASE WHEN rating <= 2 THEN who END) FROM feedback"
			" WHERE site = ?1 AND at_s >= ?2 AND at_s < ?3",
	[SQL_CLIENT_CALLS] = "SELECT client, min(rating), count(*), max(join_s) FROM call c"
			     " WHERE c.site = ?1 AND" CALL_IN_TIME "GROUP BY client",
	[SQL_CLIENT] = "SELECT id, site, key, addr, hostname, user_name, seen_s FROM client"
		       " WHERE id = ?1",
	[SQL_CLIENTS_FIND] = "SELECT id, site, key, addr, hostname, user_name, seen_s FROM client"
			     " WHERE key = ?1 OR addr = ?2 OR hostname = ?3"
			     " OR (hostname LIKE ?4 ESCAPE '\\') ORDER BY seen_s DESC, id",
	[SQL_CALLS] = CALLS("?1 = 0"),
	[SQL_CALLS_OF_SITE] = CALLS("c.site = ?1"),
	[SQL_CALLS_OF_CLIENT] = CALLS("c.client = ?1"),
	[SQL_CALLS_COUNT] = CALLS_COUNT("?1 = 0"),
	[SQL_CALLS_COUNT_OF_SITE] = CALLS_COUNT("c.site = ?1"),
	[SQL_CALLS_COUNT_OF_CLIENT] = CALLS_COUNT("c.client = ?1"),
	[SQL_CALL] = "SELECT " CALL_COLUMNS "WHERE c.id = ?1",
	[SQL_CALL_BY_KEY] = "SELECT " CALL_COLUMNS "WHERE m.account = ?1 AND m.uuid = ?2"
			    " AND (?3 = '' OR c.key = ?3) LIMIT 1",
	[SQL_UNRANKED] = "SELECT call FROM minute WHERE cause IS NULL AND bad & 15"
			 " AND call > ?1 ORDER BY call LIMIT 1",
	[SQL_CALL_BETWEEN] = "SELECT id FROM call WHERE id > ?1 AND minutes > 0 AND join_s < ?3"
			     " AND ifnull(leave_s, ?3) >= ?2 ORDER BY id LIMIT 1",
	[SQL_STORED_BEFORE] = "SELECT id FROM call WHERE minutes > 0 AND leave_s < ?1"
			      " ORDER BY leave_s LIMIT ?2",
	[SQL_STORED_OLDEST] = "SELECT id FROM call WHERE minutes > 0 AND leave_s > 0"
			      " ORDER BY leave_s LIMIT ?1",
	[SQL_CALL_EMPTY] = "UPDATE call SET minutes = 0 WHERE id = ?1",
	[SQL_MEETINGS_BEFORE] =
		"SELECT id FROM meeting WHERE start_s < ?1 ORDER BY start_s LIMIT ?2",
	[SQL_CALLS_OF_MEETING] = "SELECT id FROM call WHERE meeting = ?1",
	[SQL_CALL_DELETE] = "DELETE FROM call WHERE id = ?1",
	[SQL_FEEDBACK_DELETE] = "DELETE FROM feedback WHERE meeting = ?1",
	[SQL_MEETING_DELETE] = "DELETE FROM meeting WHERE id = ?1",
	[SQL_ROLLS_DELETE] = "DELETE FROM roll WHERE start_s < ?1",
	[SQL_WAN_ROLLS_DELETE] = "DELETE FROM wan_roll WHERE start_s < ?1",
	[SQL_PATH_MINUTES_DELETE] = "DELETE FROM path_minute WHERE minute < ?1 AND path IN"
				    " (SELECT id FROM path)",
	[SQL_SESSIONS_BEFORE] = "SELECT id FROM session WHERE end_s < ?1 ORDER BY end_s LIMIT ?2",
	[SQL_SESSION_DELETE] = "DELETE FROM session WHERE id = ?1",
	[SQL_NEIGHBOURS_DELETE] = "DELETE FROM neighbour WHERE to_s < ?1",
	[SQL_EVENTS_DELETE] = "DELETE FROM event WHERE at_s < ?1",
	[SQL_CLIENTS_DELETE] = "DELETE FROM client WHERE seen_s < ?1 AND NOT EXISTS"
			       " (SELECT 1 FROM call WHERE call.client = client.id)",
	[SQL_PAGES] = "SELECT page_count, freelist_count, page_size FROM pragma_page_count,"
		      " pragma_freelist_count, pragma_page_size",
	[SQL_USAGE] = "SELECT (SELECT count(*) FROM meeting), (SELECT count(*) FROM call),"
		      " (SELECT ifnull(sum(minutes), 0) FROM call)",
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_VACUUM] = "PRAGMA incremental_vacuum(2000)",
	[SQL_CHECKPOINT] = "PRAGMA wal_checkpoint(TRUNCATE)",
};

int fl_store_errno(sqlite3 *db, int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
		return -EACCES;
	case SQLITE_IOERR:
		/* Growing the log's index fails in its own way when the disk is full. */
		return db && (sqlite3_system_errno(db) == ENOSPC || code == SQLITE_IOERR_SHMSIZE)
			       ? -ENOSPC
			       : -EIO;
	case SQLITE_CONSTRAINT:
	case SQLITE_TOOBIG:
		return -EINVAL;
	default:
		return -EIO;
	}
}

static int bind_one(sqlite3_stmt *stmt, int at, const struct val *v)
{
	switch (v->type) {
	case VAL_INT:
		return sqlite3_bind_int64(stmt, at, v->number);
	case VAL_TEXT:
		return sqlite3_bind_text(stmt, at, v->data, -1, SQLITE_STATIC);
	case VAL_BLOB:
		return sqlite3_bind_blob64(stmt, at, v->data, v->len, SQLITE_STATIC);
	case VAL_NULL:
		break;
	}
	return sqlite3_bind_null(stmt, at);
}

int fl_store_bind(struct fl_store *store, enum sql sql, const struct val *vals, size_t count,
		  sqlite3_stmt **ret_stmt)
{
	sqlite3_stmt **stmt = &store->stmts[sql];
	int code;

	*ret_stmt = NULL;
	if (!*stmt) {
		code = sqlite3_prepare_v3(store->db, texts[sql], -1, SQLITE_PREPARE_PERSISTENT,
					  stmt, NULL);
		if (code)
			return fl_store_errno(store->db, code);
	}
	for (size_t i = 0; i < count; i++) {
		code = bind_one(*stmt, (int)i + 1, &vals[i]);
		if (code)
			return fl_store_errno(store->db, code);
	}
	*ret_stmt = *stmt;
	return 0;
}

int fl_store_step(sqlite3_stmt *stmt)
{
	int code = sqlite3_step(stmt);

	return code == SQLITE_ROW ? 1 : fl_store_errno(sqlite3_db_handle(stmt), code);
}

int fl_store_run(struct fl_store *store, enum sql sql, const struct val *vals, size_t count)
{
	sqlite3_stmt *stmt;
	int err = fl_store_bind(store, sql, vals, count, &stmt);

	if (err)
		return err;
	do {
		err = fl_store_step(stmt);
	} while (err > 0);
	sqlite3_reset(stmt);
	return err;
}

int fl_store_get(struct fl_store *store, enum sql sql, const struct val *vals, size_t count,
		 int64_t *ret_number)
{
	bool found = false;
	sqlite3_stmt *stmt;
	int err = fl_store_bind(store, sql, vals, count, &stmt);

	if (err)
		return err;
	/* To its end: what RETURNING returns is not written before. */
	while ((err = fl_store_step(stmt)) > 0) {
		if (!found)
			*ret_number = sqlite3_column_int64(stmt, 0);
		found = true;
	}
	sqlite3_reset(stmt);
	if (err)
		return err;
	return found ? 0 : -ENOENT;
}

int fl_store_begin(struct fl_store *store)
{
	return fl_store_run(store, SQL_BEGIN, NO_VALS);
}

int fl_store_end(struct fl_store *store, int err)
{
	if (err >= 0) {
		int failed = fl_store_run(store, SQL_COMMIT, NO_VALS);

		if (!failed)
			return err;
		err = failed;
	}
	/* SQLite may have done it by itself: then this fails, and that is well. */
	if (!sqlite3_get_autocommit(store->db))
		(void)fl_store_run(store, SQL_ROLLBACK, NO_VALS);
	return err;
}

/* --- the file -----------------------------------------------------------------------------------
 */

static int exec(sqlite3 *db, const char *sql)
{
	return fl_store_errno(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

int fl_store_setup(sqlite3 *db)
{
	/* auto_vacuum counts for new files only, and must come first. */
	int err = exec(db, "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL");

	if (err)
		return err;
	return exec(db, "PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;"
			"PRAGMA cache_size = -16000; PRAGMA journal_size_limit = 16777216;"
			"PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
}

int fl_store_check(sqlite3 *db, char *problem, size_t len)
{
	sqlite3_stmt *stmt = NULL;
	int code = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &stmt, NULL), err;

	if (!code)
		code = sqlite3_step(stmt);
	if (code == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(stmt, 0);

		err = text && !strcmp(text, "ok") ? 0 : -EUCLEAN;
		snprintf(problem, len, "%s", text ? text : "");
	} else {
		err = fl_store_errno(db, code);
		snprintf(problem, len, "%s", sqlite3_errmsg(db));
	}
	sqlite3_finalize(stmt);
	return err;
}

static int schema_version(sqlite3 *db, int *ret_version)
{
	sqlite3_stmt *stmt = NULL;
	int code = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &stmt, NULL);

	if (!code)
		code = sqlite3_step(stmt);
	if (code == SQLITE_ROW)
		*ret_version = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return fl_store_errno(db, code);
}

int fl_store_migrate(sqlite3 *db)
{
	const int newest = (int)(sizeof(store_schema) / sizeof(store_schema[0]));
	int version = 0, err = schema_version(db, &version);
	char done[64];

	if (err)
		return err;
	if (version > newest)
		return -EPROTO;
	for (; version < newest; version++) {
		snprintf(done, sizeof(done), "PRAGMA user_version = %d; COMMIT", version + 1);
		err = exec(db, "BEGIN IMMEDIATE");
		if (!err)
			err = exec(db, store_schema[version]);
		if (!err)
			err = exec(db, done);
		if (err) {
			(void)exec(db, "ROLLBACK");
			return err;
		}
	}
	return 0;
}
