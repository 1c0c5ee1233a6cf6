// SPDX-License-Identifier: Apache-2.0
/* Reading: graphs from sums, lists from calls, minutes. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/insight/store_internal.h"

/* Buckets of one answer: 180 days of hours. */
#define MAX_POINTS 4320

/* --- site insights ------------------------------------------------------------------------------
 */

static struct fl_insight_point *point_at(struct fl_insights *in, int64_t start_s)
{
	size_t i = (size_t)((start_s - in->start_s) / in->width_s);

	return start_s >= in->start_s && i < in->count ? &in->points[i] : NULL;
}

static int read_rolls(struct fl_store *store, uint32_t site, int64_t end_s, struct fl_insights *in)
{
	sqlite3_stmt *stmt;
	int err = fl_store_bind(store, SQL_ROLLS,
				VALS(v_int(site), v_int(in->start_s), v_int(end_s)), &stmt);

	while (!err && (err = fl_store_step(stmt)) > 0) {
		struct fl_insight_point *p = point_at(in, sqlite3_column_int64(stmt, 0));
		const void *data = sqlite3_column_blob(stmt, 1);
		struct fl_roll roll;

		err = 0;
		if (fl_unpack_roll(data, (size_t)sqlite3_column_bytes(stmt, 1), &roll) < 0) {
			err = -EUCLEAN;
		} else if (p) {
			fl_roll_merge(&p->roll, &roll);
			fl_roll_merge(&in->total, &roll);
		}
	}
	sqlite3_reset(stmt);
	return err;
}

static int read_wan_rolls(struct fl_store *store, uint32_t site, int64_t end_s,
			  struct fl_insights *in)
{
	sqlite3_stmt *stmt;
	int err = fl_store_bind(store, SQL_WAN_ROLLS,
				VALS(v_int(site), v_int(in->start_s), v_int(end_s)), &stmt);

	while (!err && (err = fl_store_step(stmt)) > 0) {
		struct fl_insight_point *p = point_at(in, sqlite3_column_int64(stmt, 0));

		err = 0;
		if (p) {
			p->wan.sum_us += sqlite3_column_int64(stmt, 1);
			p->wan.count += sqlite3_column_int64(stmt, 2);
		}
	}
	sqlite3_reset(stmt);
	return err;
}

static int read_people(struct fl_store *store, uint32_t site, int64_t from_s, int64_t to_s,
		       struct fl_insights *in)
{
	const struct val vals[] = { v_int(site), v_int(from_s), v_int(to_s) };
	sqlite3_stmt *stmt = NULL;
	int64_t users;
	int err = fl_store_get(store, SQL_USERS, vals, 3, &users);

	if (!err)
		err = fl_store_bind(store, SQL_RATINGS, vals, 3, &stmt);
	if (err)
		return err;
	in->users = (uint64_t)users;
	err = fl_store_step(stmt);
	if (err > 0) {
		in->good = (uint64_t)sqlite3_column_int64(stmt, 0);
		in->average = (uint64_t)sqlite3_column_int64(stmt, 1);
		in->poor = (uint64_t)sqlite3_column_int64(stmt, 2);
	}
	sqlite3_reset(stmt);
	return err < 0 ? err : 0;
}

int fl_store_insights(struct fl_store *store, uint32_t site, int64_t from_s, int64_t to_s,
		      struct fl_insights *ret_insights)
{
	struct fl_insights in = { .width_s = fl_bucket_width(from_s, to_s) };
	int64_t end_s = fl_bucket_start(to_s + in.width_s - 1, in.width_s);
	int err;

	in.start_s = fl_bucket_start(from_s, in.width_s);
	if (to_s <= from_s || (end_s - in.start_s) / in.width_s > MAX_POINTS)
		return -EINVAL;
	in.count = (size_t)((end_s - in.start_s) / in.width_s);
	in.points = calloc(in.count, sizeof(*in.points));
	if (!in.points)
		return -ENOMEM;
	err = read_rolls(store, site, end_s, &in);
	if (!err)
		err = read_wan_rolls(store, site, end_s, &in);
	if (!err)
		err = read_people(store, site, from_s, to_s, &in);
	if (err)
		fl_insights_done(&in);
	else
		*ret_insights = in;
	return err;
}

void fl_insights_done(struct fl_insights *insights)
{
	free(insights->points);
	insights->points = NULL;
	insights->count = 0;
}

/* --- clients ------------------------------------------------------------------------------------
 */

static void read_client(sqlite3_stmt *stmt, struct fl_client_row *row)
{
	row->client = (uint32_t)sqlite3_column_int64(stmt, 0);
	row->site = (uint32_t)sqlite3_column_int64(stmt, 1);
	row->mac = fl_col_mac(stmt, 2);
	row->addr = fl_col_addr(stmt, 3);
	fl_col_text(stmt, 4, row->hostname, sizeof(row->hostname));
	fl_col_text(stmt, 5, row->user_name, sizeof(row->user_name));
	row->seen_s = sqlite3_column_int64(stmt, 6);
}

int fl_store_client(struct fl_store *store, uint32_t client, struct fl_client_row *ret_row)
{
	struct fl_client_row row = { 0 };
	sqlite3_stmt *stmt;
	int err = fl_store_bind(store, SQL_CLIENT, VALS(v_int(client)), &stmt);

	if (err)
		return err;
	err = fl_store_step(stmt);
	if (err > 0)
		read_client(stmt, &row);
	sqlite3_reset(stmt);
	if (err <= 0)
		return err ? err : -ENOENT;
	*ret_row = row;
	return 0;
}

int fl_store_each_client(struct fl_store *store, uint32_t site, int64_t from_s, int64_t to_s,
			 fl_client_fn fn, void *ctx)
{
	sqlite3_stmt *stmt;
	int err = fl_store_bind(store, SQL_CLIENT_CALLS,
				VALS(v_int(site), v_int(from_s), v_int(to_s)), &stmt);

	while (!err && (err = fl_store_step(stmt)) > 0) {
		struct fl_client_row row = { 0 };

		err = fl_store_client(store, (uint32_t)sqlite3_column_int64(stmt, 0), &row);
		row.min_rating = (int)fl_col_int(stmt, 1, 0);
		row.calls = (unsigned int)sqlite3_column_int64(stmt, 2);
		row.seen_s = sqlite3_column_int64(stmt, 3);
		if (!err && !fn(ctx, &row))
			break;
	}
	sqlite3_reset(stmt);
	return err;
}

/* Digits of a MAC in any of its spellings. */
static struct fl_mac parse_mac(const char *text)
{
	static const char hex[] = "0123456789abcdef";
	struct fl_mac mac = { 0 };
	unsigned int digits = 0;

	for (; *text; text++) {
		const char *digit = strchr(hex, *text >= 'A' && *text <= 'F' ? *text + 32 : *text);

		if (strchr(":-. ", *text))
			continue;
		if (!digit || digits == 12)
			return (struct fl_mac){ 0 };
		mac.b[digits / 2] = (uint8_t)(mac.b[digits / 2] << 4 | (digit - hex));
		digits++;
	}
	return digits == 12 ? mac : (struct fl_mac){ 0 };
}

/* What LIKE would take for a pattern stands for itself; @after is added to the end. */
static const char *pattern_of(const char *before, const char *text, const char *after, char *out,
			      size_t len)
{
	size_t at = (size_t)snprintf(out, len, "%s", before);

	for (; *text && at + 8 < len; text++) {
		if (strchr("%_\\", *text))
			out[at++] = '\\';
		out[at++] = *text;
	}
	snprintf(out + at, len - at, "%s", after);
	return out;
}

int fl_store_find_clients(struct fl_store *store, const char *text, fl_client_fn fn, void *ctx)
{
	struct fl_mac mac = parse_mac(text);
	struct fl_addr addr = { 0 };
	char pattern[2 * FL_HOSTNAME_LEN];
	sqlite3_stmt *stmt;
	int err;

	(void)fl_addr_parse(text, &addr);
	/* Stored with its domain, asked for without it. */
	pattern_of("", text, ".%", pattern, sizeof(pattern));
	err = fl_store_bind(store, SQL_CLIENTS_FIND,
			    VALS(fl_mac_is_known(mac) ? v_mac(&mac) : v_addr(&addr), v_addr(&addr),
				 v_text(text), v_text(pattern)),
			    &stmt);
	while (!err && (err = fl_store_step(stmt)) > 0) {
		struct fl_client_row row = { 0 };

		err = 0;
		read_client(stmt, &row);
		if (!fn(ctx, &row))
			break;
	}
	sqlite3_reset(stmt);
	return err;
}

/* --- calls --------------------------------------------------------------------------------------
 */

/* CALL_COLUMNS of store.c. */
static void read_call(sqlite3_stmt *stmt, struct fl_call *c)
{
	memset(c, 0, sizeof(*c));
	c->id = (uint64_t)sqlite3_column_int64(stmt, 0);
	c->meeting = (uint64_t)sqlite3_column_int64(stmt, 1);
	fl_col_text(stmt, 2, c->key, sizeof(c->key));
	c->account = (uint32_t)sqlite3_column_int64(stmt, 3);
	c->site = (uint32_t)sqlite3_column_int64(stmt, 4);
	c->client = (uint32_t)sqlite3_column_int64(stmt, 5);
	c->rule = (enum fl_match_rule)sqlite3_column_int(stmt, 6);
	c->vpn = sqlite3_column_int(stmt, 7);
	c->conn = (enum fl_conn_type)sqlite3_column_int(stmt, 8);
	c->network = (enum fl_network_type)sqlite3_column_int(stmt, 9);
	c->addr = fl_col_addr(stmt, 10);
	c->public_addr = fl_col_addr(stmt, 11);
	c->mac = fl_col_mac(stmt, 12);
	fl_col_text(stmt, 13, c->hostname, sizeof(c->hostname));
	fl_col_text(stmt, 14, c->user_name, sizeof(c->user_name));
	fl_col_text(stmt, 15, c->email, sizeof(c->email));
	fl_col_text(stmt, 16, c->device, sizeof(c->device));
	c->join_s = sqlite3_column_int64(stmt, 17);
	c->leave_s = fl_col_int(stmt, 18, FL_SESSION_OPEN_END);
	c->leave_code = (enum fl_leave_code)sqlite3_column_int(stmt, 19);
	c->audio = (enum fl_grade)sqlite3_column_int(stmt, 20);
	c->video = (enum fl_grade)sqlite3_column_int(stmt, 21);
	c->screen = (enum fl_grade)sqlite3_column_int(stmt, 22);
	c->rating = (int)fl_col_int(stmt, 23, 0);
	c->bytes = (uint64_t)sqlite3_column_int64(stmt, 24);
	c->minutes = (unsigned int)sqlite3_column_int64(stmt, 25);
	c->bad_minutes = (unsigned int)sqlite3_column_int64(stmt, 26);
	fl_col_text(stmt, 27, c->meeting_uuid, sizeof(c->meeting_uuid));
	c->meeting_number = sqlite3_column_int64(stmt, 28);
	for (int i = 0; i < FL_MEDIA_MAX; i++)
		c->mos[i] = (double)fl_col_int(stmt, 29 + i, 0) / 100;
}

int fl_store_each_call(struct fl_store *store, const struct fl_call_filter *f, fl_call_fn fn,
		       void *ctx, uint64_t *ret_total)
{
	char pattern[2 * sizeof(f->search) + 8];
	const struct val search =
		f->search[0] ? v_text(pattern_of("%", f->search, "%", pattern, sizeof(pattern)))
			     : v_int_or_null(0, false);
	const struct val vals[] = { v_int(f->client ? f->client : f->site),
				    v_int(f->from_s),
				    v_int(f->to_s),
				    v_int(f->bad_only),
				    search,
				    v_int(f->limit ? f->limit : INT_MAX),
				    v_int(f->offset) };
	const enum sql list = f->client ? SQL_CALLS_OF_CLIENT
			      : f->site ? SQL_CALLS_OF_SITE
					: SQL_CALLS;
	const enum sql count = f->client ? SQL_CALLS_COUNT_OF_CLIENT
			       : f->site ? SQL_CALLS_COUNT_OF_SITE
					 : SQL_CALLS_COUNT;
	sqlite3_stmt *stmt;
	int64_t total;
	int err = 0;

	if (ret_total) {
		err = fl_store_get(store, count, vals, 5, &total);
		if (err)
			return err;
		*ret_total = (uint64_t)total;
	}
	err = fl_store_bind(store, list, vals, 7, &stmt);
	while (!err && (err = fl_store_step(stmt)) > 0) {
		struct fl_call call;

		err = 0;
		read_call(stmt, &call);
		if (!fn(ctx, &call))
			break;
	}
	sqlite3_reset(stmt);
	return err;
}

int fl_store_call(struct fl_store *store, uint64_t call, struct fl_call *ret_call)
{
	sqlite3_stmt *stmt;
	int err = fl_store_bind(store, SQL_CALL, VALS(v_uint(call)), &stmt);

	if (err)
		return err;
	err = fl_store_step(stmt);
	if (err > 0)
		read_call(stmt, ret_call);
	sqlite3_reset(stmt);
	return err > 0 ? 0 : err ? err : -ENOENT;
}

int fl_store_find_call(struct fl_store *store, uint32_t account, const char *uuid, const char *key,
		       struct fl_call *ret_call)
{
	sqlite3_stmt *stmt;
	int err = fl_store_bind(store, SQL_CALL_BY_KEY,
				VALS(v_int(account), v_text(uuid), v_text(key)), &stmt);

	if (err)
		return err;
	err = fl_store_step(stmt);
	if (err > 0)
		read_call(stmt, ret_call);
	sqlite3_reset(stmt);
	return err > 0 ? 0 : err ? err : -ENOENT;
}

int fl_store_next_unranked(struct fl_store *store, uint64_t after, uint64_t *ret_call)
{
	int64_t call;
	int err = fl_store_get(store, SQL_UNRANKED, VALS(v_uint(after)), &call);

	if (!err)
		*ret_call = (uint64_t)call;
	return err;
}

int fl_store_next_call(struct fl_store *store, uint64_t after, int64_t from_s, int64_t to_s,
		       uint64_t *ret_call)
{
	int64_t call;
	int err = fl_store_get(store, SQL_CALL_BETWEEN,
			       VALS(v_uint(after), v_int(from_s), v_int(to_s)), &call);

	if (!err)
		*ret_call = (uint64_t)call;
	return err;
}

/* --- minutes ------------------------------------------------------------------------------------
 */

/* Return: 1 if @fn wants no more. */
static int each_minute(struct fl_store *store, const struct fl_call *call, int64_t from_minute,
		       int64_t to_minute, fl_minute_fn fn, void *ctx)
{
	sqlite3_stmt *stmt;
	int err =
		fl_store_bind(store, SQL_MINUTES,
			      VALS(v_uint(call->id), v_int(from_minute), v_int(to_minute)), &stmt);

	while (!err && (err = fl_store_step(stmt)) > 0) {
		struct fl_minute_row row = {
			.figures.minute = sqlite3_column_int64(stmt, 0),
			.path = (uint32_t)fl_col_int(stmt, 1, 0),
			.bad_streams = (uint8_t)sqlite3_column_int(stmt, 2),
			.ranked = sqlite3_column_type(stmt, 3) != SQLITE_NULL,
			.cause = (enum fl_category)fl_col_int(stmt, 3, FL_CATEGORY_NONE),
		};
		const void *data = sqlite3_column_blob(stmt, 4);

		err = 0;
		if (fl_unpack_minute(data, (size_t)sqlite3_column_bytes(stmt, 4), &row.figures) <
		    0) {
			err = -EUCLEAN;
		} else if (!fn(ctx, call, &row)) {
			err = 1;
			break;
		}
	}
	sqlite3_reset(stmt);
	return err;
}

int fl_store_each_minute(struct fl_store *store, const struct fl_call *call, fl_minute_fn fn,
			 void *ctx)
{
	int err = each_minute(store, call, INT64_MIN, INT64_MAX, fn, ctx);

	return err < 0 ? err : 0;
}

struct site_walk {
	struct fl_store *store;
	int64_t from_minute, to_minute;
	fl_minute_fn fn;
	void *ctx;
	int err;
};

static bool walk_call(void *ctx, const struct fl_call *call)
{
	struct site_walk *w = ctx;

	w->err = each_minute(w->store, call, w->from_minute, w->to_minute, w->fn, w->ctx);
	return w->err == 0;
}

int fl_store_each_site_minute(struct fl_store *store, uint32_t site, int64_t from_s, int64_t to_s,
			      fl_minute_fn fn, void *ctx)
{
	const struct fl_call_filter filter = { .site = site, .from_s = from_s, .to_s = to_s };
	struct site_walk w = {
		store, fl_bucket_start(from_s, 60) / 60, (to_s - 1) / 60, fn, ctx, 0
	};
	int err = fl_store_each_call(store, &filter, walk_call, &w, NULL);

	return err ? err : w.err < 0 ? w.err : 0;
}
