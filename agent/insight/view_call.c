// SPDX-License-Identifier: Apache-2.0
/* Views of calls, their minutes and who is to blame for those: see view.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/insight/view_internal.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     1000

static const char *network_text(enum fl_network_type network)
{
	static const char *const text[] = { "unknown", "wired", "wifi", "cellular" };

	return text[network];
}

static const char *conn_text(enum fl_conn_type conn)
{
	static const char *const text[] = { "unknown", "udp", "tcp", "proxy" };

	return text[conn];
}

static void add_number_or_null(struct fl_json *to, const char *key, int64_t number, bool known)
{
	if (known)
		fl_json_add_i64(to, key, number);
	else
		fl_json_add_string(to, key, NULL);
}

static void add_meeting_id(struct fl_json *to, const struct fl_call *call)
{
	char number[24];

	snprintf(number, sizeof(number), "%" PRId64, call->meeting_number);
	fl_json_add_string(to, "meeting_id", number);
}

static void add_quality(struct fl_json *to, const char *key, enum fl_grade grade, double mos)
{
	struct fl_json *o = fl_json_add_object(to, key);

	fl_json_add_string(o, "label", fl_grade_name(grade));
	fl_json_add_string(o, "display", fl_grade_display(grade));
	if (fl_grade_mos_range(grade))
		fl_json_add_string(o, "mos_range", fl_grade_mos_range(grade));
	if (mos > 0)
		view_add_figure(o, "mos", mos);
}

int view_add_call(const struct fl_view *view, const struct fl_call *call, struct fl_json *to)
{
	bool ended = call->leave_s != FL_SESSION_OPEN_END;
	int err;

	fl_json_add_string(to, "app", "zoom");
	fl_json_add_u64(to, "call", call->id);
	fl_json_add_u64(to, "client", call->client);
	err = view_add_site(view, call->site, to);
	view_add_mac(to, "mac", &call->mac);
	fl_json_add_string(to, "hostname", call->hostname);
	view_add_addr(to, "ip", &call->addr);
	fl_json_add_string(to, "user", call->user_name);
	add_meeting_id(to, call);
	fl_json_add_string(to, "meeting_uuid", call->meeting_uuid);
	fl_json_add_i64(to, "join_time", call->join_s);
	add_number_or_null(to, "leave_time", call->leave_s, ended);
	add_number_or_null(to, "duration", call->leave_s - call->join_s, ended);
	add_number_or_null(to, "usage_bytes", (int64_t)call->bytes, call->bytes);
	add_quality(to, "audio_quality", call->audio, call->mos[FL_MEDIA_AUDIO]);
	add_quality(to, "video_quality", call->video, call->mos[FL_MEDIA_VIDEO]);
	add_quality(to, "screen_share_quality", call->screen, call->mos[FL_MEDIA_SCREEN]);
	add_number_or_null(to, "rating", call->rating, call->rating);
	fl_json_add_u64(to, "minutes", call->minutes);
	fl_json_add_u64(to, "bad_minutes", call->bad_minutes);
	fl_json_add_bool(to, "has_feature_ranking", call->bad_minutes > 0);
	fl_json_add_bool(to, "vpn", call->vpn);
	fl_json_add_string(to, "network", network_text(call->network));
	fl_json_add_string(to, "connection", conn_text(call->conn));
	fl_json_add_string(to, "match", fl_match_rule_text(call->rule));
	return err;
}

/* --- lists --------------------------------------------------------------------------------------
 */

struct call_list {
	const struct fl_view *view;
	struct fl_json *to;
	int err;
};

static bool add_call(void *ctx, const struct fl_call *call)
{
	struct call_list *list = ctx;

	list->err = view_add_call(list->view, call, fl_json_add_object(list->to, NULL));
	return !list->err;
}

int fl_view_calls(const struct fl_view *view, const struct fl_call_filter *filter,
		  struct fl_json *to)
{
	struct fl_call_filter f = *filter;
	struct call_list list = { view, NULL, 0 };
	uint64_t total;
	int err = view_check_span((struct fl_view_span){ f.from_s, f.to_s }, 0);

	if (err)
		return err;
	if (!f.limit)
		f.limit = LIMIT_DEFAULT;
	if (f.limit > LIMIT_MAX)
		f.limit = LIMIT_MAX;
	fl_json_add_i64(to, "start", f.from_s);
	fl_json_add_i64(to, "end", f.to_s);
	fl_json_add_u64(to, "limit", f.limit);
	fl_json_add_u64(to, "offset", f.offset);
	list.to = fl_json_add_array(to, "results");
	err = fl_store_each_call(view->store, &f, add_call, &list, &total);
	if (!err)
		err = list.err;
	if (!err)
		fl_json_add_u64(to, "total", total);
	return err;
}

struct call_search {
	const char *text;
	uint64_t call;
};

static bool match_call(void *ctx, const struct fl_call *call)
{
	struct call_search *s = ctx;
	char number[24];

	snprintf(number, sizeof(number), "%" PRId64, call->meeting_number);
	if (strcmp(number, s->text) != 0 && strcmp(call->meeting_uuid, s->text) != 0)
		return true;
	s->call = call->id;
	return false;
}

int fl_view_find_call(const struct fl_view *view, const char *text, struct fl_view_span span,
		      uint64_t *ret_call)
{
	struct fl_call_filter filter = { .from_s = span.from_s, .to_s = span.to_s };
	struct call_search s = { .text = text };
	struct fl_call call;
	uint64_t number;
	int err;

	/* A UUID is not searched for by the store, a meeting's number is. */
	if (view_parse_number(text, &number))
		snprintf(filter.search, sizeof(filter.search), "%s", text);
	err = fl_store_each_call(view->store, &filter, match_call, &s, NULL);
	if (err)
		return err;
	if (!s.call && view_parse_number(text, &number)) {
		err = fl_store_call(view->store, number, &call);
		s.call = err ? 0 : number;
	}
	if (!s.call)
		return err ? err : -ENOENT;
	*ret_call = s.call;
	return 0;
}

/* --- one call -----------------------------------------------------------------------------------
 */

struct minute_list {
	const struct fl_view *view;
	struct fl_json *to;
	uint32_t path; /* whose name it is */
	char name[FL_SITE_NAME_LEN];
	int err;
};

static const char *path_name(struct minute_list *list, uint32_t site, uint32_t path)
{
	if (path && path != list->path) {
		list->err = view_path_name(list->view, site, path, list->name);
		list->path = path;
	}
	return path && *list->name ? list->name : NULL;
}

static bool add_minute(void *ctx, const struct fl_call *call, const struct fl_minute_row *row)
{
	struct minute_list *list = ctx;
	struct fl_json *o = fl_json_add_object(list->to, NULL), *part;
	struct fl_minute_score score;

	fl_score_minute(list->view->mos ? list->view->mos : &fl_score_default, &row->figures,
			&score);
	fl_json_add_i64(o, "timestamp", row->figures.minute * 60);
	fl_json_add_bool(o, "bad", row->bad_streams & ((1U << FL_STREAM_JUDGED) - 1));
	part = fl_json_add_array(o, "bad_streams");
	for (enum fl_stream s = 0; s < FL_STREAM_MAX; s++) {
		if (row->bad_streams >> s & 1)
			fl_json_add_string(part, NULL, fl_stream_name(s));
	}
	fl_json_add_string(o, "cause", row->ranked ? fl_category_name(row->cause) : NULL);
	fl_json_add_string(o, "path", path_name(list, call->site, row->path));
	part = fl_json_add_object(o, "mos");
	for (enum fl_stream s = 0; s < FL_STREAM_MAX; s++)
		view_add_figure(part, fl_stream_name(s), score.mos[s]);
	part = fl_json_add_object(o, "latency");
	for (enum fl_stream s = 0; s < FL_STREAM_MAX; s++)
		view_add_figure(part, fl_stream_name(s), row->figures.streams[s].latency_ms);
	return !list->err;
}

int fl_view_call(const struct fl_view *view, uint64_t call, struct fl_json *to)
{
	struct minute_list list = { .view = view };
	struct fl_call found;
	int err = fl_store_call(view->store, call, &found);

	if (!err)
		err = view_add_call(view, &found, fl_json_add_object(to, "call"));
	if (err)
		return err;
	list.to = fl_json_add_array(to, "minutes");
	err = fl_store_each_minute(view->store, &found, add_minute, &list);
	return err ? err : list.err;
}

/* --- ranking ------------------------------------------------------------------------------------
 */

struct ranking_list {
	const struct fl_view *view;
	struct fl_json *to;
	int err;
};

static void add_capacity(struct ranking_list *list, const struct fl_minute_row *row,
			 struct fl_json *to)
{
	struct fl_json *o = fl_json_add_object(to, "capacity");
	const struct fl_path_minute *wan = NULL;
	struct fl_path_minute rows[3];
	size_t count = 0;

	if (row->path)
		list->err =
			fl_store_path_minutes(list->view->store, row->path, row->figures.minute - 1,
					      row->figures.minute + 1, rows, 3, &count);
	if (!list->err)
		wan = fl_path_minute_near(rows, count, row->figures.minute);
	view_add_figure(o, "download_mbps", wan ? wan->rx_capacity_mbps : NAN);
	view_add_figure(o, "upload_mbps", wan ? wan->tx_capacity_mbps : NAN);
}

static const char *verdict_text(enum fl_rank_verdict verdict)
{
	static const char *const text[] = { "insufficient", "unexplained", "explained" };

	return text[verdict];
}

/* To the full figure: their sum is compared to a tenth of a millisecond. */
static void add_sums(const struct fl_ranking *r, struct fl_json *to)
{
	struct fl_json *o = fl_json_add_object(to, "contributions");

	for (enum fl_feature i = 0; i < FL_FEATURE_MAX; i++)
		fl_json_add_double(o, fl_feature_name(i), r->contributions_ms[i]);
	fl_json_add_double(to, "expected", r->expected_ms);
	fl_json_add_double(to, "unexplained", r->categories_ms[FL_CATEGORY_NONE]);
	o = fl_json_add_object(to, "categories");
	for (enum fl_category c = FL_CATEGORY_WAN; c < FL_CATEGORY_MAX; c++)
		fl_json_add_double(o, fl_category_name(c), r->categories_ms[c]);
	fl_json_add_string(to, "dominant",
			   r->dominant == FL_CATEGORY_NONE ? "none"
							   : fl_category_name(r->dominant));
	fl_json_add_bool(to, "not_wan", r->not_wan);
	fl_json_add_string(to, "top",
			   r->verdict == FL_RANK_EXPLAINED ? fl_feature_name(r->top) : NULL);
}

static bool add_ranking(void *ctx, const struct fl_explained *e)
{
	struct ranking_list *list = ctx;
	struct fl_json *o = fl_json_add_object(list->to, NULL), *features;

	fl_json_add_i64(o, "timestamp", e->row->figures.minute * 60);
	fl_json_add_string(o, "stream", fl_stream_name(e->stream));
	fl_json_add_string(o, "metric", "latency_ms");
	fl_json_add_double(o, "observed", e->ranking.observed_ms);
	fl_json_add_string(o, "verdict", verdict_text(e->ranking.verdict));
	if (e->ranking.verdict != FL_RANK_INSUFFICIENT)
		add_sums(&e->ranking, o);
	features = fl_json_add_object(o, "features");
	for (enum fl_feature i = 0; i < FL_FEATURE_MAX; i++)
		view_add_figure(features, fl_feature_name(i), e->features.x[i]);
	add_capacity(list, e->row, o);
	fl_json_add_string(o, "method", FL_RANK_METHOD);
	return !list->err;
}

int fl_view_ranking(const struct fl_view *view, uint64_t call, enum fl_stream stream, int64_t now_s,
		    struct fl_json *to)
{
	struct ranking_list list = { .view = view };
	struct fl_call found;
	int err = fl_store_call(view->store, call, &found);

	if (err)
		return err;
	fl_json_add_string(to, "app", "zoom");
	view_add_mac(to, "mac", &found.mac);
	add_meeting_id(to, &found);
	fl_json_add_u64(to, "call", found.id);
	list.to = fl_json_add_array(to, "results");
	err = fl_explain_call(view->explainer, &found, stream, now_s, add_ranking, &list);
	return err ? err : list.err;
}
