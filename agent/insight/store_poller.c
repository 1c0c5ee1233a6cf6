// SPDX-License-Identifier: Apache-2.0
/* What the poller must not forget: accounts, and meetings that are not done. */
#include <errno.h>

#include "agent/insight/store_internal.h"

int fl_store_account(struct fl_store *store, const char *key, uint32_t *ret_account)
{
	int64_t id;
	int err = fl_store_get(store, SQL_ACCOUNT, VALS(v_text(key)), &id);

	if (!err)
		*ret_account = (uint32_t)id;
	return err;
}

int fl_store_set_account_state(struct fl_store *store, uint32_t account, const char *state)
{
	return fl_store_run(store, SQL_ACCOUNT_SET, VALS(v_int(account), v_text(state)));
}

int fl_store_each_account(struct fl_store *store, fl_account_fn fn, void *ctx)
{
	sqlite3_stmt *stmt;
	int err = fl_store_bind(store, SQL_ACCOUNTS, NO_VALS, &stmt);

	while (!err && (err = fl_store_step(stmt)) > 0) {
		const char *key = (const char *)sqlite3_column_text(stmt, 1);
		const char *state = (const char *)sqlite3_column_text(stmt, 2);

		err = 0;
		if (!key || !state)
			err = -ENOMEM;
		else if (!fn(ctx, (uint32_t)sqlite3_column_int64(stmt, 0), key, state))
			break;
	}
	sqlite3_reset(stmt);
	return err;
}

static int delete_data(struct fl_store *store, uint32_t account)
{
	int64_t meeting;
	int err;

	while (!(err = fl_store_get(store, SQL_ACCOUNT_MEETING, VALS(v_int(account)), &meeting)))
		if ((err = fl_store_delete_meeting(store, meeting)))
			return err;
	if (err != -ENOENT)
		return err;
	return fl_store_run(store, SQL_ACCOUNT_ROLL_DELETE, VALS(v_int(account)));
}

int fl_store_delete_account(struct fl_store *store, uint32_t account, bool data)
{
	int err = fl_store_begin(store);

	if (err)
		return err;
	err = fl_store_run(store, SQL_ACCOUNT_WORK_DELETE, VALS(v_int(account)));
	if (!err && data)
		err = delete_data(store, account);
	if (!err)
		err = fl_store_run(store, SQL_ACCOUNT_DELETE, VALS(v_int(account)));
	return fl_store_end(store, err);
}

int fl_store_put_work(struct fl_store *store, uint32_t account, const struct fl_store_work *work)
{
	return fl_store_run(store, SQL_WORK_PUT,
			    VALS(v_int(account), v_text(work->uuid), v_int(work->stage),
				 v_int(work->tries), v_int(work->due_s), v_int(work->ended_s)));
}

int fl_store_delete_work(struct fl_store *store, uint32_t account, const char *uuid)
{
	return fl_store_run(store, SQL_WORK_DELETE, VALS(v_int(account), v_text(uuid)));
}

int fl_store_each_work(struct fl_store *store, uint32_t account, int64_t now_s, fl_work_fn fn,
		       void *ctx)
{
	sqlite3_stmt *stmt;
	int err = fl_store_bind(store, SQL_WORK_DUE, VALS(v_int(account), v_int(now_s)), &stmt);

	while (!err && (err = fl_store_step(stmt)) > 0) {
		struct fl_store_work work = { .stage = sqlite3_column_int(stmt, 1),
					      .tries = sqlite3_column_int(stmt, 2),
					      .due_s = sqlite3_column_int64(stmt, 3),
					      .ended_s = sqlite3_column_int64(stmt, 4) };

		err = 0;
		fl_col_text(stmt, 0, work.uuid, sizeof(work.uuid));
		if (!fn(ctx, &work))
			break;
	}
	sqlite3_reset(stmt);
	return err;
}

int fl_store_has_meeting(struct fl_store *store, uint32_t account, const char *uuid)
{
	int64_t one;
	int err = fl_store_get(store, SQL_HAS_MEETING, VALS(v_int(account), v_text(uuid)), &one);

	return err == -ENOENT ? 0 : err ? err : 1;
}
