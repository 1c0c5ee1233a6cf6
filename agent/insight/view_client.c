// SPDX-License-Identifier: Apache-2.0
/* Views of clients: see view.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/insight/view_internal.h"

#define DAY_S 86400

/* --- the clients behind a point of the CPU graph ------------------------------------------------
 */

struct busy {
	uint32_t client;
	struct fl_mac mac;
	char hostname[FL_HOSTNAME_LEN];
	double sum;
	unsigned int count;
};

struct busies {
	struct busy *list;
	size_t count;
	bool no_memory;
};

static struct busy *busy_of(struct busies *b, const struct fl_call *call)
{
	struct busy *grown;

	for (size_t i = b->count; i--;) {
		if (b->list[i].client == call->client)
			return &b->list[i];
	}
	grown = realloc(b->list, (b->count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	b->list = grown;
	grown[b->count] = (struct busy){ .client = call->client, .mac = call->mac };
	memcpy(grown[b->count].hostname, call->hostname, sizeof(call->hostname));
	return &grown[b->count++];
}

static bool add_busy(void *ctx, const struct fl_call *call, const struct fl_minute_row *row)
{
	struct busies *b = ctx;
	struct busy *busy;

	if (isnan(row->figures.cpu_system_pct))
		return true;
	busy = busy_of(b, call);
	b->no_memory = !busy;
	if (busy) {
		busy->sum += row->figures.cpu_system_pct;
		busy->count++;
	}
	return busy;
}

static int busier_first(const void *a, const void *b)
{
	const struct busy *x = a, *y = b;
	double dx = x->sum / x->count, dy = y->sum / y->count;

	return dx > dy ? -1 : dx < dy;
}

int fl_view_cpu(const struct fl_view *view, uint32_t site, struct fl_view_span span,
		struct fl_json *to)
{
	struct busies b = { 0 };
	struct fl_json *list;
	int err = view_check_span(span, DAY_S);

	if (!err)
		err = view_add_site(view, site, to);
	if (!err)
		err = fl_store_each_site_minute(view->store, site, span.from_s, span.to_s, add_busy,
						&b);
	if (!err && b.no_memory)
		err = -ENOMEM;
	if (b.count)
		qsort(b.list, b.count, sizeof(*b.list), busier_first);
	list = fl_json_add_array(to, "clients");
	for (size_t i = 0; !err && i < b.count; i++) {
		struct fl_json *o = fl_json_add_object(list, NULL);

		fl_json_add_u64(o, "client", b.list[i].client);
		view_add_mac(o, "mac", &b.list[i].mac);
		fl_json_add_string(o, "hostname", b.list[i].hostname);
		view_add_figure(o, "cpu", b.list[i].sum / b.list[i].count);
	}
	free(b.list);
	return err;
}

/* --- lists --------------------------------------------------------------------------------------
 */

struct client_rows {
	struct fl_client_row *list;
	size_t count;
	bool no_memory;
};

static bool take_row(void *ctx, const struct fl_client_row *row)
{
	struct client_rows *rows = ctx;
	struct fl_client_row *grown = rows->list;

	/* Room for powers of two. */
	if (!(rows->count & (rows->count - 1)))
		grown = realloc(grown, (rows->count ? rows->count * 2 : 1) * sizeof(*grown));
	rows->no_memory = !grown;
	if (!grown)
		return false;
	rows->list = grown;
	grown[rows->count++] = *row;
	return true;
}

struct all_sites {
	const struct fl_view *view;
	struct fl_view_span span;
	struct client_rows *rows;
	int err;
};

static bool clients_of(void *ctx, uint32_t id, const char *name)
{
	struct all_sites *all = ctx;

	(void)name;
	all->err = fl_store_each_client(all->view->store, id, all->span.from_s, all->span.to_s,
					take_row, all->rows);
	return !all->err;
}

static int last_first(const void *a, const void *b)
{
	const struct fl_client_row *x = a, *y = b;

	if (x->seen_s != y->seen_s)
		return x->seen_s > y->seen_s ? -1 : 1;
	return x->client < y->client ? -1 : x->client > y->client;
}

static void add_identity(const struct fl_client_row *row, struct fl_json *to)
{
	fl_json_add_u64(to, "client", row->client);
	view_add_mac(to, "mac", &row->mac);
	fl_json_add_string(to, "hostname", row->hostname);
	view_add_addr(to, "ip", &row->addr);
	fl_json_add_string(to, "user", row->user_name);
}

static int add_rows(const struct fl_view *view, const struct client_rows *rows, struct fl_json *to)
{
	struct fl_json *list = fl_json_add_array(to, "results");
	int err = 0;

	for (size_t i = 0; !err && i < rows->count; i++) {
		const struct fl_client_row *row = &rows->list[i];
		struct fl_json *o = fl_json_add_object(list, NULL);

		add_identity(row, o);
		err = view_add_site(view, row->site, o);
		if (row->min_rating)
			fl_json_add_i64(o, "min_rating", row->min_rating);
		else
			fl_json_add_string(o, "min_rating", NULL);
		fl_json_add_u64(o, "calls", row->calls);
		fl_json_add_i64(o, "last_join", row->seen_s);
	}
	return err;
}

int fl_view_clients(const struct fl_view *view, uint32_t site, struct fl_view_span span,
		    struct fl_json *to)
{
	struct client_rows rows = { 0 };
	struct all_sites all = { view, span, &rows, 0 };
	char name[FL_SITE_NAME_LEN];
	int err = view_check_span(span, 0);

	if (!err && site)
		err = view_site_name(view, site, name);
	if (err)
		return err;
	if (site)
		clients_of(&all, site, name);
	else
		err = fl_store_each_site(view->store, clients_of, &all);
	if (!err)
		err = all.err ? all.err : rows.no_memory ? -ENOMEM : 0;
	if (rows.count)
		qsort(rows.list, rows.count, sizeof(*rows.list), last_first);
	fl_json_add_i64(to, "start", span.from_s);
	fl_json_add_i64(to, "end", span.to_s);
	fl_json_add_u64(to, "total", rows.count);
	if (!err)
		err = add_rows(view, &rows, to);
	free(rows.list);
	return err;
}

struct client_search {
	uint32_t site;
	uint32_t client;
};

static bool match_client(void *ctx, const struct fl_client_row *row)
{
	struct client_search *s = ctx;

	if (s->site && row->site != s->site)
		return true;
	s->client = row->client;
	return false;
}

int fl_view_find_client(const struct fl_view *view, const char *text, uint32_t site,
			uint32_t *ret_client)
{
	struct client_search s = { .site = site };
	struct fl_client_row row;
	uint64_t number;
	int err = fl_store_find_clients(view->store, text, match_client, &s);

	if (err)
		return err;
	if (!s.client && view_parse_number(text, &number) && number <= UINT32_MAX) {
		err = fl_store_client(view->store, (uint32_t)number, &row);
		if (!err && (!site || row.site == site))
			s.client = (uint32_t)number;
	}
	if (!s.client)
		return err ? err : -ENOENT;
	*ret_client = s.client;
	return 0;
}

/* --- one client ---------------------------------------------------------------------------------
 */

/* Columns besides those of a site's graphs. */
#define COLUMN_RSSI FL_SERIES_MAX
#define COLUMN_WAN  (FL_SERIES_MAX + 1)
#define COLUMNS     (FL_SERIES_MAX + 2)

#define CALLS_AT_ONCE 1024 /* of one client; newer ones first */

struct client_minute {
	int64_t minute;
	double columns[COLUMNS];
};

struct minutes {
	const struct fl_view *view;
	struct fl_view_span span;
	struct client_minute *list;
	size_t count;
	bool truncated;
	/* The path minutes read last. */
	uint32_t path;
	int64_t path_from, path_to;
	struct fl_path_minute rows[256];
	size_t row_count;
	int err;
};

static double wan_latency(struct minutes *m, uint32_t path, int64_t minute)
{
	const struct fl_path_minute *found;

	if (!path)
		return NAN;
	if (m->path != path || minute <= m->path_from || minute >= m->path_to) {
		m->path = path;
		m->path_from = minute - 8;
		m->path_to = minute + 240;
		m->err = fl_store_path_minutes(m->view->store, path, m->path_from, m->path_to,
					       m->rows, 256, &m->row_count);
	}
	found = m->err ? NULL : fl_path_minute_near(m->rows, m->row_count, minute);
	return found ? found->rtt_ms : NAN;
}

static bool add_minute(void *ctx, const struct fl_call *call, const struct fl_minute_row *row)
{
	struct minutes *m = ctx;
	struct client_minute *to;

	(void)call;
	if (row->figures.minute * 60 < m->span.from_s || row->figures.minute * 60 >= m->span.to_s)
		return true;
	m->truncated = m->count == FL_VIEW_MINUTES;
	if (m->truncated)
		return false;
	to = &m->list[m->count++];
	to->minute = row->figures.minute;
	for (unsigned int s = 0; s < FL_SERIES_MAX; s++)
		to->columns[s] = fl_roll_value(&row->figures, s);
	to->columns[COLUMN_RSSI] = row->figures.rssi_dbm;
	to->columns[COLUMN_WAN] = wan_latency(m, row->path, row->figures.minute);
	return !m->err;
}

static int by_minute(const void *a, const void *b)
{
	const struct client_minute *x = a, *y = b;

	return x->minute < y->minute ? -1 : x->minute > y->minute;
}

struct call_list {
	struct fl_call *list;
	size_t count;
};

static bool take_call(void *ctx, const struct fl_call *call)
{
	struct call_list *calls = ctx;

	calls->list[calls->count++] = *call;
	return true;
}

/* Minutes of all of its calls, ascending. */
static int gather(struct minutes *m, uint32_t client)
{
	const struct fl_call_filter filter = { .client = client,
					       .from_s = m->span.from_s,
					       .to_s = m->span.to_s,
					       .limit = CALLS_AT_ONCE };
	struct call_list calls = { .list = calloc(CALLS_AT_ONCE, sizeof(*calls.list)) };
	int err = calls.list ? 0 : -ENOMEM;

	if (!err)
		err = fl_store_each_call(m->view->store, &filter, take_call, &calls, NULL);
	for (size_t i = 0; !err && !m->truncated && i < calls.count; i++) {
		err = fl_store_each_minute(m->view->store, &calls.list[i], add_minute, m);
		if (!err)
			err = m->err;
	}
	free(calls.list);
	qsort(m->list, m->count, sizeof(*m->list), by_minute);
	return err;
}

static void add_column(const struct minutes *m, unsigned int column, const char *key,
		       struct fl_json *to)
{
	struct fl_json *list = fl_json_add_array(to, key);

	for (size_t i = 0; i < m->count; i++)
		view_add_figure(list, NULL, m->list[i].columns[column]);
}

static void add_minutes(const struct minutes *m, struct fl_json *to)
{
	struct fl_json *list = fl_json_add_array(to, "timestamps");
	char key[32];

	for (size_t i = 0; i < m->count; i++)
		fl_json_add_i64(list, NULL, m->list[i].minute * 60);
	list = fl_json_add_object(to, "series");
	for (unsigned int s = 0; s < FL_SERIES_MAX; s++)
		add_column(m, s, view_series_key(s, key), list);
	add_column(m, COLUMN_RSSI, "rssi", list);
	add_column(m, COLUMN_WAN, "wan-latency", list);
	fl_json_add_bool(to, "truncated", m->truncated);
}

int fl_view_client(const struct fl_view *view, uint32_t client, struct fl_view_span span,
		   struct fl_json *to)
{
	struct minutes *m;
	struct fl_client_row row;
	int err = view_check_span(span, 0);

	if (!err)
		err = fl_store_client(view->store, client, &row);
	if (err)
		return err;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->view = view;
	m->span = span;
	m->list = calloc(FL_VIEW_MINUTES, sizeof(*m->list));
	err = m->list ? gather(m, client) : -ENOMEM;
	if (!err) {
		add_identity(&row, to);
		err = view_add_site(view, row.site, to);
		fl_json_add_i64(to, "start", span.from_s);
		fl_json_add_i64(to, "end", span.to_s);
		add_minutes(m, to);
	}
	free(m->list);
	free(m);
	return err;
}
