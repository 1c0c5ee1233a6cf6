// SPDX-License-Identifier: Apache-2.0
/* What the router exports: sites, paths and their minutes, sessions, neighbours, events. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "agent/insight/store_internal.h"

/* Paths of a site that a minute is averaged over: the data plane has no more. */
#define SITE_PATHS 256

int fl_store_site(struct fl_store *store, const char *name, uint32_t *ret_site)
{
	int64_t id;
	int err = fl_store_get(store, SQL_SITE, VALS(v_text(name)), &id);

	if (!err)
		*ret_site = (uint32_t)id;
	return err;
}

int fl_store_path(struct fl_store *store, uint32_t site, const char *router, const char *name,
		  uint32_t *ret_path)
{
	int64_t id;
	int err =
		fl_store_get(store, SQL_PATH, VALS(v_int(site), v_text(router), v_text(name)), &id);

	if (!err)
		*ret_path = (uint32_t)id;
	return err;
}

static int each_name(struct fl_store *store, enum sql sql, const struct val *vals, size_t count,
		     fl_name_fn fn, void *ctx)
{
	sqlite3_stmt *stmt;
	int err = fl_store_bind(store, sql, vals, count, &stmt);

	while (!err && (err = fl_store_step(stmt)) > 0) {
		const char *name = (const char *)sqlite3_column_text(stmt, 1);

		err = 0;
		if (!name)
			err = -ENOMEM;
		else if (!fn(ctx, (uint32_t)sqlite3_column_int64(stmt, 0), name))
			break;
	}
	sqlite3_reset(stmt);
	return err;
}

int fl_store_each_site(struct fl_store *store, fl_name_fn fn, void *ctx)
{
	return each_name(store, SQL_SITES, NO_VALS, fn, ctx);
}

int fl_store_each_path(struct fl_store *store, uint32_t site, fl_name_fn fn, void *ctx)
{
	return each_name(store, SQL_PATHS, VALS(v_int(site)), fn, ctx);
}

/* --- path minutes -------------------------------------------------------------------------------
 */

static struct fl_path_minute read_path_minute(sqlite3_stmt *stmt)
{
	return (struct fl_path_minute){
		.path = (uint32_t)sqlite3_column_int64(stmt, 0),
		.minute = sqlite3_column_int64(stmt, 1),
		.active = sqlite3_column_int(stmt, 2),
		.rtt_ms = fl_col_figure(stmt, 3, 1e3),
		.jitter_ms = fl_col_figure(stmt, 4, 1e3),
		.loss_pct = fl_col_figure(stmt, 5, 1e4),
		.tx_mbps = fl_col_figure(stmt, 6, 1e3),
		.rx_mbps = fl_col_figure(stmt, 7, 1e3),
		.tx_capacity_mbps = fl_col_figure(stmt, 8, 1e3),
		.rx_capacity_mbps = fl_col_figure(stmt, 9, 1e3),
		.zoom_bytes = fl_col_figure(stmt, 10, 1),
		.clients = fl_col_figure(stmt, 11, 1),
	};
}

/* What a site's minute adds to its average. */
static int site_rtt(struct fl_store *store, int64_t site, int64_t minute, struct fl_wan_roll *roll)
{
	struct fl_path_minute rows[SITE_PATHS];
	unsigned int count = 0;
	sqlite3_stmt *stmt;
	double rtt;
	int err = fl_store_bind(store, SQL_SITE_MINUTE, VALS(v_int(site), v_int(minute)), &stmt);

	while (!err && count < SITE_PATHS && (err = fl_store_step(stmt)) > 0) {
		rows[count++] = read_path_minute(stmt);
		err = 0;
	}
	sqlite3_reset(stmt);
	rtt = fl_wan_minute_rtt(rows, count);
	*roll = (struct fl_wan_roll){ isnan(rtt) ? 0 : llround(rtt * 1000), !isnan(rtt) };
	return err;
}

static int put_path_minute(struct fl_store *store, const struct fl_path_minute *m)
{
	struct fl_wan_roll before = { 0 }, after = { 0 };
	int64_t site, start = fl_bucket_start(m->minute * 60, FL_SHORT_BUCKET_S);
	int err = fl_store_get(store, SQL_PATH_SITE, VALS(v_int(m->path)), &site);

	if (!err)
		err = site_rtt(store, site, m->minute, &before);
	if (!err)
		err = fl_store_run(store, SQL_PATH_MINUTE_PUT,
				   VALS(v_int(m->path), v_int(m->minute), v_int(m->active),
					v_figure(m->rtt_ms, 1e3), v_figure(m->jitter_ms, 1e3),
					v_figure(m->loss_pct, 1e4), v_figure(m->tx_mbps, 1e3),
					v_figure(m->rx_mbps, 1e3),
					v_figure(m->tx_capacity_mbps, 1e3),
					v_figure(m->rx_capacity_mbps, 1e3),
					v_figure(m->zoom_bytes, 1), v_figure(m->clients, 1)));
	if (!err)
		err = site_rtt(store, site, m->minute, &after);
	if (err || (before.sum_us == after.sum_us && before.count == after.count))
		return err;
	return fl_store_run(store, SQL_WAN_ROLL_ADD,
			    VALS(v_int(site), v_int(start), v_int(after.sum_us - before.sum_us),
				 v_int(after.count - before.count)));
}

int fl_store_put_path_minutes(struct fl_store *store, const struct fl_path_minute *rows,
			      size_t count)
{
	int err = fl_store_begin(store);

	if (err)
		return err;
	for (size_t i = 0; !err && i < count; i++)
		err = put_path_minute(store, &rows[i]);
	return fl_store_end(store, err);
}

int fl_store_path_minutes(struct fl_store *store, uint32_t path, int64_t from_minute,
			  int64_t to_minute, struct fl_path_minute *rows, size_t max,
			  size_t *ret_count)
{
	sqlite3_stmt *stmt;
	size_t count = 0;
	int err = fl_store_bind(
		store, SQL_PATH_MINUTES,
		VALS(v_int(path), v_int(from_minute), v_int(to_minute), v_uint(max)), &stmt);

	while (!err && count < max && (err = fl_store_step(stmt)) > 0) {
		rows[count++] = read_path_minute(stmt);
		err = 0;
	}
	sqlite3_reset(stmt);
	if (!err)
		*ret_count = count;
	return err;
}

/* --- sessions -----------------------------------------------------------------------------------
 */

static int put_session(struct fl_store *store, const struct fl_session_record *s)
{
	int64_t id;
	int err = fl_store_get(
		store, SQL_SESSION_PUT,
		VALS(v_blob(s->uuid, sizeof(s->uuid)), v_int(s->site), v_addr(&s->client),
		     v_int(s->client_port), v_addr(&s->remote), v_int(s->remote_port),
		     v_addr(&s->nat), v_int(s->nat_port), v_int(s->proto), v_int(s->app),
		     v_mac(&s->mac), v_text_or_null(s->hostname), v_int(s->start_s),
		     v_int_or_null(s->end_s, s->end_s != FL_SESSION_OPEN_END), v_uint(s->bytes)),
		&id);

	for (unsigned int i = 0; !err && i < s->step_count && i < FL_SESSION_STEPS; i++)
		err = fl_store_run(
			store, SQL_STEP_PUT,
			VALS(v_int(id), v_int(s->steps[i].since_s), v_int(s->steps[i].path)));
	return err;
}

int fl_store_put_sessions(struct fl_store *store, const struct fl_session_record *rows,
			  size_t count)
{
	int err = fl_store_begin(store);

	if (err)
		return err;
	for (size_t i = 0; !err && i < count; i++)
		err = put_session(store, &rows[i]);
	return fl_store_end(store, err);
}

static int read_steps(struct fl_store *store, int64_t session, struct fl_session_record *s)
{
	sqlite3_stmt *stmt;
	int err = fl_store_bind(store, SQL_STEPS, VALS(v_int(session), v_int(FL_SESSION_STEPS)),
				&stmt);

	while (!err && s->step_count < FL_SESSION_STEPS && (err = fl_store_step(stmt)) > 0) {
		s->steps[s->step_count++] =
			(struct fl_path_step){ sqlite3_column_int64(stmt, 0),
					       (uint32_t)sqlite3_column_int64(stmt, 1) };
		err = 0;
	}
	sqlite3_reset(stmt);
	return err;
}

static void read_session(sqlite3_stmt *stmt, struct fl_session_record *s)
{
	const void *uuid = sqlite3_column_blob(stmt, 1);

	memset(s, 0, sizeof(*s));
	if (uuid && sqlite3_column_bytes(stmt, 1) == sizeof(s->uuid))
		memcpy(s->uuid, uuid, sizeof(s->uuid));
	s->site = (uint32_t)sqlite3_column_int64(stmt, 2);
	s->client = fl_col_addr(stmt, 3);
	s->client_port = (uint16_t)sqlite3_column_int(stmt, 4);
	s->remote = fl_col_addr(stmt, 5);
	s->remote_port = (uint16_t)sqlite3_column_int(stmt, 6);
	s->nat = fl_col_addr(stmt, 7);
	s->nat_port = (uint16_t)sqlite3_column_int(stmt, 8);
	s->proto = (uint8_t)sqlite3_column_int(stmt, 9);
	s->app = (enum fl_session_app)sqlite3_column_int(stmt, 10);
	s->mac = fl_col_mac(stmt, 11);
	fl_col_text(stmt, 12, s->hostname, sizeof(s->hostname));
	s->start_s = sqlite3_column_int64(stmt, 13);
	s->end_s = fl_col_int(stmt, 14, FL_SESSION_OPEN_END);
	s->bytes = (uint64_t)sqlite3_column_int64(stmt, 15);
}

int fl_store_each_session(struct fl_store *store, const struct fl_addr *client, int64_t from_s,
			  int64_t to_s, fl_session_fn fn, void *ctx)
{
	sqlite3_stmt *stmt;
	int err = fl_store_bind(store, SQL_SESSIONS,
				VALS(v_addr(client), v_int(from_s), v_int(to_s)), &stmt);

	while (!err && (err = fl_store_step(stmt)) > 0) {
		struct fl_session_record s;

		read_session(stmt, &s);
		err = read_steps(store, sqlite3_column_int64(stmt, 0), &s);
		if (!err && !fn(ctx, &s))
			break;
	}
	sqlite3_reset(stmt);
	return err;
}

/* --- neighbours and events ----------------------------------------------------------------------
 */

/* Without its domain: names are compared so. */
static void short_name(const char *hostname, char out[FL_HOSTNAME_LEN])
{
	size_t len = strcspn(hostname, ".");

	if (len >= FL_HOSTNAME_LEN)
		len = FL_HOSTNAME_LEN - 1;
	memcpy(out, hostname, len);
	out[len] = '\0';
}

int fl_store_put_neighbours(struct fl_store *store, const struct fl_neighbour_record *rows,
			    size_t count)
{
	int err = fl_store_begin(store);

	if (err)
		return err;
	for (size_t i = 0; !err && i < count; i++) {
		char name[FL_HOSTNAME_LEN];

		if (!fl_mac_is_known(rows[i].mac) || !rows[i].addr.family)
			continue;
		short_name(rows[i].hostname, name);
		err = fl_store_run(store, SQL_NEIGHBOUR_PUT,
				   VALS(v_mac(&rows[i].mac), v_addr(&rows[i].addr),
					v_int(rows[i].site), v_text(name), v_int(rows[i].from_s),
					v_int(rows[i].to_s)));
	}
	return fl_store_end(store, err);
}

int fl_store_each_neighbour(struct fl_store *store, struct fl_mac mac, const char *hostname,
			    fl_neighbour_fn fn, void *ctx)
{
	char name[FL_HOSTNAME_LEN];
	sqlite3_stmt *stmt;
	int err;

	short_name(hostname, name);
	err = fl_store_bind(store, SQL_NEIGHBOURS, VALS(v_mac(&mac), v_text(name)), &stmt);
	while (!err && (err = fl_store_step(stmt)) > 0) {
		struct fl_neighbour_record n = { .site = (uint32_t)sqlite3_column_int64(stmt, 0),
						 .mac = fl_col_mac(stmt, 1),
						 .addr = fl_col_addr(stmt, 2),
						 .from_s = sqlite3_column_int64(stmt, 4),
						 .to_s = sqlite3_column_int64(stmt, 5) };

		err = 0;
		fl_col_text(stmt, 3, n.hostname, sizeof(n.hostname));
		if (!fn(ctx, &n))
			break;
	}
	sqlite3_reset(stmt);
	return err;
}

int fl_store_put_events(struct fl_store *store, const struct fl_event *rows, size_t count)
{
	int err = fl_store_begin(store);

	if (err)
		return err;
	for (size_t i = 0; !err && i < count; i++)
		err = fl_store_run(store, SQL_EVENT_PUT,
				   VALS(v_int(rows[i].site), v_int(rows[i].at_s),
					v_int(rows[i].severity), v_text(rows[i].kind),
					v_text(rows[i].subject), v_text(rows[i].detail)));
	return fl_store_end(store, err);
}

int fl_store_each_event(struct fl_store *store, uint32_t site, int64_t from_s, int64_t to_s,
			fl_event_fn fn, void *ctx)
{
	sqlite3_stmt *stmt;
	int err = fl_store_bind(store, SQL_EVENTS, VALS(v_int(site), v_int(from_s), v_int(to_s)),
				&stmt);

	while (!err && (err = fl_store_step(stmt)) > 0) {
		struct fl_event e = { .site = site,
				      .at_s = sqlite3_column_int64(stmt, 1),
				      .severity = (enum fl_severity)sqlite3_column_int(stmt, 2) };

		err = 0;
		fl_col_text(stmt, 3, e.kind, sizeof(e.kind));
		fl_col_text(stmt, 4, e.subject, sizeof(e.subject));
		fl_col_text(stmt, 5, e.detail, sizeof(e.detail));
		if (!fn(ctx, &e))
			break;
	}
	sqlite3_reset(stmt);
	return err;
}
