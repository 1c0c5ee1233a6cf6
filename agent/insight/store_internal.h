/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the store share. The only users of SQLite are agent/insight/store*.c. */
#ifndef FL_AGENT_INSIGHT_STORE_INTERNAL_H
#define FL_AGENT_INSIGHT_STORE_INTERNAL_H

#include <sqlite3.h>

#include "agent/insight/store.h"
#include "agent/insight/store_pack.h"

/* Statements; their text is in store.c. */
enum sql {
	SQL_ACCOUNT,
	SQL_ACCOUNT_SET,
	SQL_ACCOUNTS,
	SQL_ACCOUNT_DELETE,
	SQL_ACCOUNT_WORK_DELETE,
	SQL_ACCOUNT_ROLL_DELETE,
	SQL_ACCOUNT_MEETING,
	SQL_WORK_PUT,
	SQL_WORK_DELETE,
	SQL_WORK_DUE,
	SQL_HAS_MEETING,
	SQL_SITE,
	SQL_SITES,
	SQL_PATH,
	SQL_PATHS,
	SQL_PATH_SITE,
	SQL_PATH_MINUTE_PUT,
	SQL_PATH_MINUTES,
	SQL_SITE_MINUTE,
	SQL_WAN_ROLL_ADD,
	SQL_SESSION_PUT,
	SQL_STEPS_DELETE,
	SQL_STEP_PUT,
	SQL_SESSIONS,
	SQL_STEPS,
	SQL_NEIGHBOUR_PUT,
	SQL_NEIGHBOURS,
	SQL_EVENT_PUT,
	SQL_EVENTS,
	SQL_MEETING_PUT,
	SQL_CALL_FIND,
	SQL_CALL_OF_PERSON,
	SQL_CLIENT_PUT,
	SQL_CALL_PUT,
	SQL_CALL_COUNT,
	SQL_MINUTE_GET,
	SQL_MINUTE_PUT,
	SQL_MINUTE_CAUSE,
	SQL_MINUTE_PATH,
	SQL_CALL_SESSIONS,
	SQL_MINUTES,
	SQL_MINUTES_DELETE,
	SQL_ROLL_GET,
	SQL_ROLL_PUT,
	SQL_FEEDBACK_PUT,
	SQL_CALL_RATING,
	SQL_ROLLS,
	SQL_WAN_ROLLS,
	SQL_USERS,
	SQL_RATINGS,
	SQL_CLIENT_CALLS,
	SQL_CLIENT,
	SQL_CLIENTS_FIND,
	SQL_CALLS,
	SQL_CALLS_OF_SITE,
	SQL_CALLS_OF_CLIENT,
	SQL_CALLS_COUNT,
	SQL_CALLS_COUNT_OF_SITE,
	SQL_CALLS_COUNT_OF_CLIENT,
	SQL_CALL,
	SQL_CALL_BY_KEY,
	SQL_UNRANKED,
	SQL_CALL_BETWEEN,
	SQL_STORED_BEFORE,
	SQL_STORED_OLDEST,
	SQL_CALL_EMPTY,
	SQL_MEETINGS_BEFORE,
	SQL_CALLS_OF_MEETING,
	SQL_CALL_DELETE,
	SQL_FEEDBACK_DELETE,
	SQL_MEETING_DELETE,
	SQL_ROLLS_DELETE,
	SQL_WAN_ROLLS_DELETE,
	SQL_PATH_MINUTES_DELETE,
	SQL_SESSIONS_BEFORE,
	SQL_SESSION_DELETE,
	SQL_NEIGHBOURS_DELETE,
	SQL_EVENTS_DELETE,
	SQL_CLIENTS_DELETE,
	SQL_PAGES,
	SQL_USAGE,
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_VACUUM,
	SQL_CHECKPOINT,
	SQL_MAX,
};

struct fl_store {
	sqlite3 *db;
	sqlite3_stmt *stmts[SQL_MAX]; /* prepared when first used */
	char *path;
	struct fl_score_cfg mos;
	int64_t minute_s; /* ages at which they go */
	int64_t meeting_s;
	uint64_t quota_bytes;
	int64_t gone_before_s; /* minutes that ended earlier were removed: they must not come again
				*/
};

/* A value to be bound. */
struct val {
	enum {
		VAL_NULL,
		VAL_INT,
		VAL_TEXT,
		VAL_BLOB,
	} type;
	int64_t number;
	const void *data;
	size_t len;
};

static inline struct val v_int(int64_t number)
{
	return (struct val){ VAL_INT, number, NULL, 0 };
}

/* Unsigned ones beyond 2^63 are nobody's bytes. */
static inline struct val v_uint(uint64_t number)
{
	return v_int(number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

static inline struct val v_int_or_null(int64_t number, bool known)
{
	return known ? v_int(number) : (struct val){ VAL_NULL, 0, NULL, 0 };
}

/* A figure in units of 1 / @scale. */
static inline struct val v_figure(double figure, double scale)
{
	return v_int_or_null(isnan(figure) ? 0 : llround(figure * scale), !isnan(figure));
}

static inline struct val v_text(const char *text)
{
	return (struct val){ VAL_TEXT, 0, text, 0 };
}

/* "" is NULL. */
static inline struct val v_text_or_null(const char *text)
{
	return text[0] ? v_text(text) : (struct val){ VAL_NULL, 0, NULL, 0 };
}

static inline struct val v_blob(const void *data, size_t len)
{
	return (struct val){ VAL_BLOB, 0, data, len };
}

static inline struct val v_addr(const struct fl_addr *addr)
{
	return addr->family ? v_blob(addr->b, fl_addr_size(addr->family))
			    : (struct val){ VAL_NULL, 0, NULL, 0 };
}

static inline struct val v_mac(const struct fl_mac *mac)
{
	return fl_mac_is_known(*mac) ? v_blob(mac->b, sizeof(mac->b))
				     : (struct val){ VAL_NULL, 0, NULL, 0 };
}

#define VALS(...)                                                                                  \
	(const struct val[]){ __VA_ARGS__ },                                                       \
		sizeof((const struct val[]){ __VA_ARGS__ }) / sizeof(struct val)
#define NO_VALS NULL, 0

/* Code of SQLite's as -errno. */
int fl_store_errno(sqlite3 *db, int code);

/* A statement with its values bound, ready to be stepped; reset it when done. NULL on errors, which
 * may be reset too. */
int fl_store_bind(struct fl_store *store, enum sql sql, const struct val *vals, size_t count,
		  sqlite3_stmt **ret_stmt);

/* Return: 1 with a row, 0 at the end, -errno. */
int fl_store_step(sqlite3_stmt *stmt);

/* Bind, run to the end, reset. */
int fl_store_run(struct fl_store *store, enum sql sql, const struct val *vals, size_t count);

/* The first column of the first row; -ENOENT if there is none. */
int fl_store_get(struct fl_store *store, enum sql sql, const struct val *vals, size_t count,
		 int64_t *ret_number);

int fl_store_begin(struct fl_store *store);
/* Commit if @err is 0, else take everything back. Return: what is to be returned. */
int fl_store_end(struct fl_store *store, int err);

/* The file itself: what it takes before the statements work. */
int fl_store_setup(sqlite3 *db);
/* 0, or -EUCLEAN with the first problem. */
int fl_store_check(sqlite3 *db, char *problem, size_t len);
int fl_store_migrate(sqlite3 *db);

/* A meeting with all that hangs on it but its sums; within a transaction. */
int fl_store_delete_meeting(struct fl_store *store, int64_t meeting);

/* Columns. */
void fl_col_text(sqlite3_stmt *stmt, int column, char *out, size_t len);
struct fl_addr fl_col_addr(sqlite3_stmt *stmt, int column);
struct fl_mac fl_col_mac(sqlite3_stmt *stmt, int column);
double fl_col_figure(sqlite3_stmt *stmt, int column, double scale);
int64_t fl_col_int(sqlite3_stmt *stmt, int column, int64_t if_null);

#endif
