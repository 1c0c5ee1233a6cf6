// SPDX-License-Identifier: Apache-2.0
/*
 * Writing of meetings. Sums are kept beside the minutes: what a minute adds is taken out before it
 * is replaced, all in the meeting's one transaction, so that they never disagree.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/insight/store_internal.h"

/* What a transaction adds to the sums of one bucket. */
struct delta {
	uint32_t site;
	uint32_t account;
	int64_t start_s;
	struct fl_roll roll;
};

struct deltas {
	struct delta *list;
	size_t count;
	size_t room;
	size_t last; /* minutes come in order: mostly it is the one before */
};

static struct delta *find_delta(struct deltas *deltas, uint32_t site, uint32_t account,
				int64_t start_s)
{
	struct delta *d;

	for (size_t n = 0; n < deltas->count; n++) {
		d = &deltas->list[(deltas->last + n) % deltas->count];
		if (d->site == site && d->account == account && d->start_s == start_s) {
			deltas->last = (size_t)(d - deltas->list);
			return d;
		}
	}
	if (deltas->count == deltas->room) {
		size_t room = deltas->room ? deltas->room * 2 : 16;
		struct delta *list = realloc(deltas->list, room * sizeof(*list));

		if (!list)
			return NULL;
		deltas->list = list;
		deltas->room = room;
	}
	deltas->last = deltas->count;
	d = &deltas->list[deltas->count++];
	*d = (struct delta){ .site = site, .account = account, .start_s = start_s };
	return d;
}

/* A minute as it is stored. */
struct stored {
	struct fl_call_minute figures;
	int64_t path; /* 0: unknown */
	uint8_t bad_streams;
	int64_t cause; /* -1: not ranked */
};

static bool is_bad(uint8_t bad_streams)
{
	return bad_streams & ((1U << FL_STREAM_JUDGED) - 1);
}

static int add_to_roll(struct deltas *deltas, const struct fl_call *call, const struct stored *m,
		       int sign)
{
	int64_t start_s = fl_bucket_start(m->figures.minute * 60, FL_SHORT_BUCKET_S);
	struct delta *d = find_delta(deltas, call->site, call->account, start_s);

	if (!d)
		return -ENOMEM;
	fl_roll_add(&d->roll, &m->figures, sign);
	if (is_bad(m->bad_streams)) {
		d->roll.bad += sign;
		if (m->cause >= 0 && m->cause < FL_CATEGORY_MAX)
			d->roll.bad_by[m->cause] += sign;
	}
	return 0;
}

static int write_delta(struct fl_store *store, const struct delta *d)
{
	uint8_t data[FL_PACK_ROLL_MAX];
	struct fl_roll roll = { 0 };
	sqlite3_stmt *stmt;
	int err = fl_store_bind(store, SQL_ROLL_GET,
				VALS(v_int(d->site), v_int(d->start_s), v_int(d->account)), &stmt);

	if (err)
		return err;
	err = fl_store_step(stmt);
	if (err > 0)
		err = fl_unpack_roll(sqlite3_column_blob(stmt, 0),
				     (size_t)sqlite3_column_bytes(stmt, 0), &roll) < 0
			      ? -EUCLEAN
			      : 0;
	sqlite3_reset(stmt);
	if (err)
		return err;
	fl_roll_merge(&roll, &d->roll);
	return fl_store_run(store, SQL_ROLL_PUT,
			    VALS(v_int(d->site), v_int(d->start_s), v_int(d->account),
				 v_blob(data, fl_pack_roll(&roll, data))));
}

static int write_deltas(struct fl_store *store, const struct deltas *deltas)
{
	int err = 0;

	for (size_t i = 0; !err && i < deltas->count; i++)
		err = write_delta(store, &deltas->list[i]);
	return err;
}

/* --- minutes ------------------------------------------------------------------------------------
 */

static int read_stored(sqlite3_stmt *stmt, int first, struct stored *m)
{
	const void *data = sqlite3_column_blob(stmt, first + 3);

	m->path = fl_col_int(stmt, first, 0);
	m->bad_streams = (uint8_t)sqlite3_column_int(stmt, first + 1);
	m->cause = fl_col_int(stmt, first + 2, -1);
	if (fl_unpack_minute(data, (size_t)sqlite3_column_bytes(stmt, first + 3), &m->figures) < 0)
		return -EUCLEAN;
	return 0;
}

/* Return: 1 if there is one, 0 if not. */
static int get_minute(struct fl_store *store, int64_t call, int64_t minute, struct stored *m)
{
	sqlite3_stmt *stmt;
	int err = fl_store_bind(store, SQL_MINUTE_GET, VALS(v_int(call), v_int(minute)), &stmt),
	    bad;

	if (err)
		return err;
	m->figures.minute = minute;
	err = fl_store_step(stmt);
	if (err > 0 && (bad = read_stored(stmt, 0, m)) < 0)
		err = bad;
	sqlite3_reset(stmt);
	return err;
}

struct call_state {
	struct fl_call call;
	int64_t id;
	int64_t minutes; /* stored */
	int64_t bad;
	bool is_new; /* no minute of it can be there */
};

static int put_minute(struct fl_store *store, struct call_state *c, const struct fl_call_minute *m,
		      uint32_t path, struct deltas *deltas)
{
	struct stored old = { 0 }, new = { .figures = *m, .path = path, .cause = -1 };
	uint8_t data[FL_PACK_MINUTE_MAX];
	struct fl_minute_score score;
	int there = c->is_new ? 0 : get_minute(store, c->id, m->minute, &old), err = 0;

	if (there < 0)
		return there;
	if (there) {
		new = old;
		if (path)
			new.path = path;
		if (!fl_merge_minute(&new.figures, m) && new.path == old.path)
			return 0;
		err = add_to_roll(deltas, &c->call, &old, -1);
	}
	/* Packed and unpacked: what is summed is what can be read again. */
	new.figures.minute = m->minute;
	(void)fl_unpack_minute(data, fl_pack_minute(&new.figures, data), &new.figures);
	fl_score_minute(&store->mos, &new.figures, &score);
	new.bad_streams = score.bad_streams;
	/* With other figures the blame may be another's: rank it again. */
	new.cause = -1;
	c->minutes += !there;
	c->bad += is_bad(new.bad_streams) - (there && is_bad(old.bad_streams));
	if (!err)
		err = add_to_roll(deltas, &c->call, &new, 1);
	if (!err)
		err = fl_store_run(store, SQL_MINUTE_PUT,
				   VALS(v_int(c->id), v_int(m->minute),
					v_int_or_null(new.path, new.path != 0),
					v_int(new.bad_streams), v_int_or_null(0, false),
					v_blob(data, fl_pack_minute(&new.figures, data))));
	return err;
}

/* --- calls --------------------------------------------------------------------------------------
 */

/* A call that turns out to be another site's: its minutes leave the sums of the old one. */
static int leave_site(struct fl_store *store, struct call_state *c, uint32_t old_site,
		      struct deltas *deltas)
{
	struct fl_call old = c->call;
	sqlite3_stmt *stmt;
	int err = fl_store_bind(store, SQL_MINUTES,
				VALS(v_int(c->id), v_int(INT64_MIN), v_int(INT64_MAX)), &stmt);

	old.site = old_site;
	while (!err && (err = fl_store_step(stmt)) > 0) {
		struct stored m = { .figures.minute = sqlite3_column_int64(stmt, 0) };

		err = read_stored(stmt, 1, &m);
		if (!err)
			err = add_to_roll(deltas, &old, &m, -1);
		if (!err)
			err = add_to_roll(deltas, &c->call, &m, 1);
	}
	sqlite3_reset(stmt);
	return err;
}

/* What is known of the call already. */
static int find_call(struct fl_store *store, int64_t meeting, struct call_state *c,
		     struct deltas *deltas)
{
	uint32_t old_site = 0;
	sqlite3_stmt *stmt;
	int err = fl_store_bind(store, SQL_CALL_FIND, VALS(v_int(meeting), v_text(c->call.key)),
				&stmt);

	if (err)
		return err;
	err = fl_store_step(stmt);
	c->is_new = err == 0;
	if (err > 0) {
		c->id = sqlite3_column_int64(stmt, 0);
		old_site = (uint32_t)sqlite3_column_int64(stmt, 1);
		c->minutes = sqlite3_column_int64(stmt, 2);
		c->bad = sqlite3_column_int64(stmt, 3);
		err = 0;
	}
	sqlite3_reset(stmt);
	if (!err && !c->is_new && old_site != c->call.site)
		err = leave_site(store, c, old_site, deltas);
	return err;
}

static int put_client(struct fl_store *store, const struct fl_call *call, int64_t *ret_client)
{
	struct val key = fl_mac_is_known(call->mac) ? v_mac(&call->mac) : v_addr(&call->addr);

	if (key.type == VAL_NULL)
		return -EINVAL;
	return fl_store_get(store, SQL_CLIENT_PUT,
			    VALS(v_int(call->site), key, v_addr(&call->addr),
				 v_text_or_null(call->hostname), v_text_or_null(call->user_name),
				 v_int(call->join_s)),
			    ret_client);
}

static struct val v_mos(double mos)
{
	return v_figure(mos > 0 ? mos : NAN, 100);
}

static int put_call_row(struct fl_store *store, int64_t meeting, struct call_state *c)
{
	const struct fl_call *call = &c->call;
	int64_t client;
	int err = put_client(store, call, &client);

	if (err)
		return err;
	return fl_store_get(
		store, SQL_CALL_PUT,
		VALS(v_int(meeting), v_text(call->key), v_int(call->account), v_int(call->site),
		     v_int(client), v_int(call->rule), v_int(call->vpn), v_int(call->conn),
		     v_int(call->network), v_addr(&call->addr), v_addr(&call->public_addr),
		     v_text_or_null(call->user_name), v_text_or_null(call->email),
		     v_text_or_null(call->device), v_int(call->join_s),
		     v_int_or_null(call->leave_s, call->leave_s != FL_SESSION_OPEN_END),
		     v_int(call->leave_code), v_int(call->audio), v_int(call->video),
		     v_int(call->screen), v_int_or_null(call->rating, call->rating != 0),
		     v_uint(call->bytes), v_text_or_null(call->person), v_mos(call->mos[0]),
		     v_mos(call->mos[1]), v_mos(call->mos[2])),
		&c->id);
}

static int put_call(struct fl_store *store, int64_t meeting, uint32_t account,
		    const struct fl_call_put *put, struct deltas *deltas)
{
	struct call_state c = { .call = put->call };
	size_t count = put->call.leave_s < store->gone_before_s ? 0 : put->minute_count;
	int err;

	c.call.account = account;
	err = find_call(store, meeting, &c, deltas);
	if (!err)
		err = put_call_row(store, meeting, &c);
	for (size_t i = 0; !err && i < count; i++) {
		err = put_minute(store, &c, &put->minutes[i], put->paths ? put->paths[i] : 0,
				 deltas);
		/* The same minute twice in one answer: the later one has the first to merge with.
		 */
		if (i + 1 < count && put->minutes[i + 1].minute <= put->minutes[i].minute)
			c.is_new = false;
	}
	if (err)
		return err;
	return fl_store_run(store, SQL_CALL_COUNT,
			    VALS(v_int(c.id), v_int(c.minutes), v_int(c.bad)));
}

static int put_feedback(struct fl_store *store, int64_t meeting, const struct fl_feedback *f)
{
	int64_t call = 0, site = 0;
	sqlite3_stmt *stmt;
	int err = *f->call_key ? fl_store_bind(store, SQL_CALL_FIND,
					       VALS(v_int(meeting), v_text(f->call_key)), &stmt)
			       : fl_store_bind(store, SQL_CALL_OF_PERSON,
					       VALS(v_int(meeting), v_text(f->who), v_int(f->at_s)),
					       &stmt);

	if (err)
		return err;
	err = fl_store_step(stmt);
	if (err > 0) {
		call = sqlite3_column_int64(stmt, 0);
		site = sqlite3_column_int64(stmt, 1);
	}
	sqlite3_reset(stmt);
	/* Of someone who is not on the network: of no interest. */
	if (err <= 0)
		return err;
	err = fl_store_run(store, SQL_FEEDBACK_PUT,
			   VALS(v_int(meeting), v_text(f->who), v_int(f->at_s), v_int(site),
				v_int(call), v_int(f->rating)));
	if (err)
		return err;
	return fl_store_run(store, SQL_CALL_RATING, VALS(v_int(call), v_int(meeting)));
}

static int put_meeting_row(struct fl_store *store, const struct fl_meeting_put *put, int64_t *id)
{
	return fl_store_get(store, SQL_MEETING_PUT,
			    VALS(v_int(put->account), v_text(put->uuid), v_int(put->number),
				 v_text_or_null(put->topic), v_text_or_null(put->host),
				 v_text_or_null(put->host_email), v_int(put->start_s),
				 v_int_or_null(put->end_s, put->end_s != FL_SESSION_OPEN_END),
				 v_int(put->participants), v_int(put->dropped)),
			    id);
}

int fl_store_put_meeting(struct fl_store *store, const struct fl_meeting_put *put)
{
	struct deltas deltas = { 0 };
	int64_t meeting;
	int err = fl_store_begin(store);

	if (err)
		return err;
	err = put_meeting_row(store, put, &meeting);
	for (size_t i = 0; !err && i < put->call_count; i++)
		err = put_call(store, meeting, put->account, &put->calls[i], &deltas);
	for (size_t i = 0; !err && i < put->feedback_count; i++)
		err = put_feedback(store, meeting, &put->feedback[i]);
	if (!err)
		err = write_deltas(store, &deltas);
	if (!err && !put->keep_work)
		err = put->work ? fl_store_put_work(store, put->account, put->work)
				: fl_store_delete_work(store, put->account, put->uuid);
	free(deltas.list);
	return fl_store_end(store, err);
}

int fl_store_set_cause(struct fl_store *store, uint64_t call, int64_t minute,
		       enum fl_category cause)
{
	struct deltas deltas = { 0 };
	struct fl_call owner;
	struct stored m = { 0 };
	int err = fl_store_call(store, call, &owner);

	if (!err)
		err = fl_store_begin(store);
	if (err)
		return err;
	err = get_minute(store, (int64_t)call, minute, &m);
	if (err >= 0)
		err = err && is_bad(m.bad_streams) ? 0 : -ENOENT;
	if (!err)
		err = add_to_roll(&deltas, &owner, &m, -1);
	m.cause = cause;
	if (!err)
		err = add_to_roll(&deltas, &owner, &m, 1);
	if (!err)
		err = fl_store_run(store, SQL_MINUTE_CAUSE,
				   VALS(v_uint(call), v_int(minute), v_int(cause)));
	if (!err)
		err = write_deltas(store, &deltas);
	free(deltas.list);
	return fl_store_end(store, err);
}

int fl_store_set_sessions(struct fl_store *store, const struct fl_call *call,
			  const struct fl_minute_path *paths, size_t count)
{
	int err = fl_store_begin(store);

	if (err)
		return err;
	err = fl_store_run(store, SQL_CALL_SESSIONS,
			   VALS(v_uint(call->id), v_int(call->vpn), v_uint(call->bytes)));
	for (size_t i = 0; !err && i < count; i++)
		err = fl_store_run(
			store, SQL_MINUTE_PATH,
			VALS(v_uint(call->id), v_int(paths[i].minute), v_int(paths[i].path)));
	return fl_store_end(store, err);
}
