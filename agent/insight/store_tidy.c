// SPDX-License-Identifier: Apache-2.0
/* Retention: what is too old, or too much, goes, and its space goes back to the disk. */
#include <errno.h>

#include "agent/insight/store_internal.h"

#define STEP 200 /* calls, meetings or sessions of one step (chosen: some ten milliseconds) */

/* Numbers of what is to go: they are gathered first, as rows are not removed while they are read.
 */
static int gather(struct fl_store *store, enum sql sql, const struct val *vals, size_t count,
		  int64_t ids[STEP])
{
	int found = 0, err;
	sqlite3_stmt *stmt;

	err = fl_store_bind(store, sql, vals, count, &stmt);
	while (!err && found < STEP && (err = fl_store_step(stmt)) > 0) {
		ids[found++] = sqlite3_column_int64(stmt, 0);
		err = 0;
	}
	sqlite3_reset(stmt);
	return err ? err : found;
}

int fl_store_delete_meeting(struct fl_store *store, int64_t meeting)
{
	int64_t calls[STEP];
	int count, err = 0;

	do {
		count = gather(store, SQL_CALLS_OF_MEETING, VALS(v_int(meeting)), calls);
		for (int i = 0; !err && i < count; i++) {
			err = fl_store_run(store, SQL_MINUTES_DELETE, VALS(v_int(calls[i])));
			if (!err)
				err = fl_store_run(store, SQL_CALL_DELETE, VALS(v_int(calls[i])));
		}
	} while (!err && count == STEP);
	if (!err)
		err = count < 0 ? count : 0;
	if (!err)
		err = fl_store_run(store, SQL_FEEDBACK_DELETE, VALS(v_int(meeting)));
	if (!err)
		err = fl_store_run(store, SQL_MEETING_DELETE, VALS(v_int(meeting)));
	return err;
}

static int drop_minutes(struct fl_store *store, const int64_t *calls, int count)
{
	int err = 0;

	for (int i = 0; !err && i < count; i++) {
		err = fl_store_run(store, SQL_MINUTES_DELETE, VALS(v_int(calls[i])));
		if (!err)
			err = fl_store_run(store, SQL_CALL_EMPTY, VALS(v_int(calls[i])));
	}
	return err;
}

static int drop_old_minutes(struct fl_store *store, int64_t now_s)
{
	int64_t ids[STEP];
	int err, count = gather(store, SQL_STORED_BEFORE,
				VALS(v_int(now_s - store->minute_s), v_int(STEP)), ids);

	if (count <= 0)
		return count;
	err = drop_minutes(store, ids, count);
	return err ? err : count == STEP;
}

static int drop_old_meetings(struct fl_store *store, int64_t now_s)
{
	int64_t ids[STEP];
	int err = 0, count = gather(store, SQL_MEETINGS_BEFORE,
				    VALS(v_int(now_s - store->meeting_s), v_int(STEP)), ids);

	for (int i = 0; !err && i < count; i++)
		err = fl_store_delete_meeting(store, ids[i]);
	if (err || count < 0)
		return err ? err : count;
	return count == STEP;
}

static int drop_old_sessions(struct fl_store *store, int64_t now_s)
{
	int64_t ids[STEP];
	int err = 0, count = gather(store, SQL_SESSIONS_BEFORE,
				    VALS(v_int(now_s - store->minute_s), v_int(STEP)), ids);

	for (int i = 0; !err && i < count; i++) {
		err = fl_store_run(store, SQL_STEPS_DELETE, VALS(v_int(ids[i])));
		if (!err)
			err = fl_store_run(store, SQL_SESSION_DELETE, VALS(v_int(ids[i])));
	}
	if (err || count < 0)
		return err ? err : count;
	return count == STEP;
}

/* Small tables, and sums. */
static int drop_old_rest(struct fl_store *store, int64_t now_s)
{
	const int64_t minutes_before = now_s - store->minute_s;
	const int64_t before = now_s - store->meeting_s;
	const struct {
		enum sql sql;
		int64_t limit;
	} steps[] = {
		{ SQL_PATH_MINUTES_DELETE, minutes_before / 60 },
		{ SQL_NEIGHBOURS_DELETE, minutes_before },
		{ SQL_EVENTS_DELETE, before },
		{ SQL_ROLLS_DELETE, before },
		{ SQL_WAN_ROLLS_DELETE, before },
		{ SQL_CLIENTS_DELETE, before },
	};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(steps) / sizeof(steps[0]); i++)
		err = fl_store_run(store, steps[i].sql, VALS(v_int(steps[i].limit)));
	return err;
}

/* Pages of the file, used and free, in bytes. */
static int sizes(struct fl_store *store, uint64_t *file, uint64_t *unused)
{
	sqlite3_stmt *stmt;
	int err = fl_store_bind(store, SQL_PAGES, NO_VALS, &stmt);

	if (err)
		return err;
	err = fl_store_step(stmt);
	if (err > 0) {
		uint64_t page = (uint64_t)sqlite3_column_int64(stmt, 2);

		*file = (uint64_t)sqlite3_column_int64(stmt, 0) * page;
		*unused = (uint64_t)sqlite3_column_int64(stmt, 1) * page;
		err = 0;
	} else if (!err) {
		err = -EIO;
	}
	sqlite3_reset(stmt);
	return err;
}

/* The oldest minutes, when all of them together are too much. */
static int keep_quota(struct fl_store *store)
{
	uint64_t file, unused;
	int64_t ids[STEP];
	int err, count;

	if (!store->quota_bytes)
		return 0;
	err = sizes(store, &file, &unused);
	if (err || file - unused <= store->quota_bytes)
		return err;
	count = gather(store, SQL_STORED_OLDEST, VALS(v_int(STEP)), ids);
	if (count <= 0)
		return count;
	err = drop_minutes(store, ids, count);
	return err ? err : 1;
}

/* Return: 1 if pages were given back, of which there may be more. */
static int give_back(struct fl_store *store)
{
	uint64_t file, unused;
	int err = sizes(store, &file, &unused);

	if (!err && unused)
		err = fl_store_run(store, SQL_VACUUM, NO_VALS);
	/* Until then the file is as long as it was. */
	if (!err)
		err = fl_store_run(store, SQL_CHECKPOINT, NO_VALS);
	return err ? err : unused != 0;
}

int fl_store_tidy(struct fl_store *store, int64_t now_s)
{
	static int (*const steps[])(struct fl_store *,
				    int64_t) = { drop_old_minutes, drop_old_meetings,
						 drop_old_sessions, drop_old_rest };
	bool more = false;
	int err = fl_store_begin(store), done;

	if (err)
		return err;
	store->gone_before_s = now_s - store->minute_s;
	for (size_t i = 0; err >= 0 && i < sizeof(steps) / sizeof(steps[0]); i++) {
		err = steps[i](store, now_s);
		more |= err > 0;
	}
	if (err >= 0)
		err = keep_quota(store);
	more |= err > 0;
	err = fl_store_end(store, err < 0 ? err : 0);
	if (err)
		return err;
	done = give_back(store);
	if (done < 0)
		return done;
	return more || done;
}

int fl_store_usage(struct fl_store *store, struct fl_store_usage *ret_usage)
{
	sqlite3_stmt *stmt = NULL;
	int err = sizes(store, &ret_usage->file_bytes, &ret_usage->free_bytes);

	if (!err)
		err = fl_store_bind(store, SQL_USAGE, NO_VALS, &stmt);
	if (err)
		return err;
	err = fl_store_step(stmt);
	if (err > 0) {
		ret_usage->meetings = (uint64_t)sqlite3_column_int64(stmt, 0);
		ret_usage->calls = (uint64_t)sqlite3_column_int64(stmt, 1);
		ret_usage->minutes = (uint64_t)sqlite3_column_int64(stmt, 2);
	}
	sqlite3_reset(stmt);
	return err < 0 ? err : 0;
}
