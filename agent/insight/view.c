// SPDX-License-Identifier: Apache-2.0
/* Views of sites, and what all views share: see view.h. */
#include "agent/insight/view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/insight/answer.h"
#include "agent/insight/view_internal.h"

/* --- shared -------------------------------------------------------------------------------------
 */

void view_add_figure(struct fl_json *to, const char *key, double value)
{
	fl_json_add_double(to, key, isnan(value) ? NAN : round(value * 100) / 100);
}

void view_add_mac(struct fl_json *to, const char *key, const struct fl_mac *mac)
{
	char text[13] = "";

	if (fl_mac_is_known(*mac))
		snprintf(text, sizeof(text), "%02x%02x%02x%02x%02x%02x", mac->b[0], mac->b[1],
			 mac->b[2], mac->b[3], mac->b[4], mac->b[5]);
	fl_json_add_string(to, key, text);
}

void view_add_addr(struct fl_json *to, const char *key, const struct fl_addr *addr)
{
	char text[FL_ADDR_TEXT];

	fl_json_add_string(to, key, addr->family ? fl_addr_format(addr, text) : "");
}

const char *view_series_key(unsigned int series, char buf[32])
{
	return series == FL_SERIES_CPU ? "cpu" : fl_series_name(series, buf);
}

int view_check_span(struct fl_view_span span, int64_t max_s)
{
	if (span.to_s <= span.from_s)
		return -EINVAL;
	return max_s && span.to_s - span.from_s > max_s ? -EINVAL : 0;
}

bool view_parse_number(const char *text, uint64_t *ret_number)
{
	char *end;

	if (!*text || strlen(text) > 18 || text[strspn(text, "0123456789")])
		return false;
	*ret_number = strtoull(text, &end, 10);
	return true;
}

struct name_search {
	uint32_t id;
	const char *name; /* NULL: by @id */
	bool found;
	char text[FL_SITE_NAME_LEN];
};

static bool match_name(void *ctx, uint32_t id, const char *name)
{
	struct name_search *s = ctx;

	if (s->name ? strcasecmp(name, s->name) != 0 : id != s->id)
		return true;
	s->id = id;
	s->found = true;
	snprintf(s->text, sizeof(s->text), "%s", name);
	return false;
}

int view_site_name(const struct fl_view *view, uint32_t site, char name[FL_SITE_NAME_LEN])
{
	struct name_search s = { .id = site };
	int err = fl_store_each_site(view->store, match_name, &s);

	if (err)
		return err;
	memcpy(name, s.text, FL_SITE_NAME_LEN);
	return s.found ? 0 : -ENOENT;
}

int view_path_name(const struct fl_view *view, uint32_t site, uint32_t path,
		   char name[FL_SITE_NAME_LEN])
{
	struct name_search s = { .id = path };
	int err = fl_store_each_path(view->store, site, match_name, &s);

	memcpy(name, s.text, FL_SITE_NAME_LEN);
	return err;
}

int view_add_site(const struct fl_view *view, uint32_t site, struct fl_json *to)
{
	char name[FL_SITE_NAME_LEN];
	int err = view_site_name(view, site, name);

	if (err)
		return err;
	fl_json_add_u64(to, "site", site);
	fl_json_add_string(to, "site_name", name);
	return 0;
}

/* --- sites --------------------------------------------------------------------------------------
 */

static const struct fl_view_site *managed(const struct fl_view *view, const char *name)
{
	for (size_t i = 0; i < view->site_count; i++) {
		if (!strcasecmp(view->sites[i].name, name))
			return &view->sites[i];
	}
	return NULL;
}

struct site_list {
	const struct fl_view *view;
	struct fl_json *to;
};

static bool add_site(void *ctx, uint32_t id, const char *name)
{
	const struct site_list *list = ctx;
	const struct fl_view_site *site = managed(list->view, name);
	struct fl_json *o = fl_json_add_object(list->to, NULL);

	fl_json_add_u64(o, "id", id);
	fl_json_add_string(o, "name", name);
	fl_json_add_string(o, "time_zone", site ? site->zone.name : "");
	fl_json_add_bool(o, "managed", site);
	return true;
}

int fl_view_sites(const struct fl_view *view, struct fl_json *to)
{
	struct site_list list = { view, fl_json_add_array(to, "sites") };

	return fl_store_each_site(view->store, add_site, &list);
}

int fl_view_find_site(const struct fl_view *view, const char *text, uint32_t *ret_site)
{
	struct name_search s = { .name = text };
	char name[FL_SITE_NAME_LEN];
	uint64_t number;
	int err = fl_store_each_site(view->store, match_name, &s);

	if (err)
		return err;
	if (!s.found && view_parse_number(text, &number) && number <= UINT32_MAX) {
		s.id = (uint32_t)number;
		err = view_site_name(view, s.id, name);
		s.found = !err;
	}
	if (!s.found)
		return err ? err : -ENOENT;
	*ret_site = s.id;
	return 0;
}

struct fl_zone fl_view_zone(const struct fl_view *view, uint32_t site)
{
	const struct fl_view_site *found = NULL;
	char name[FL_SITE_NAME_LEN];

	if (!view_site_name(view, site, name))
		found = managed(view, name);
	return found ? found->zone : (struct fl_zone){ "" };
}

static void add_series(const struct fl_insights *in, unsigned int series, struct fl_json *to)
{
	char key[32];
	struct fl_json *list = fl_json_add_array(to, view_series_key(series, key));

	for (size_t i = 0; i < in->count; i++)
		view_add_figure(list, NULL, fl_roll_mean(&in->points[i].roll, series));
}

int fl_view_series(const struct fl_view *view, uint32_t site, struct fl_view_span span,
		   struct fl_json *to)
{
	char name[FL_SITE_NAME_LEN];
	struct fl_json *series, *wan;
	struct fl_insights in;
	int err = view_site_name(view, site, name);

	if (!err)
		err = fl_store_insights(view->store, site, span.from_s, span.to_s, &in);
	if (err)
		return err;
	fl_json_add_u64(to, "site", site);
	fl_json_add_string(to, "name", name);
	fl_json_add_i64(to, "start", in.start_s);
	fl_json_add_i64(to, "end", in.start_s + (int64_t)in.count * in.width_s);
	fl_json_add_i64(to, "interval", in.width_s);
	series = fl_json_add_object(to, "series");
	for (unsigned int i = 0; i < FL_SERIES_MAX; i++)
		add_series(&in, i, series);
	wan = fl_json_add_array(series, FL_SERIES_WAN_NAME);
	for (size_t i = 0; i < in.count; i++)
		view_add_figure(wan, NULL, fl_wan_roll_mean_ms(&in.points[i].wan));
	fl_insights_done(&in);
	return 0;
}

int fl_view_summary(const struct fl_view *view, uint32_t site, struct fl_view_span span,
		    struct fl_json *to)
{
	char name[FL_SITE_NAME_LEN];
	struct fl_json *feedback;
	struct fl_insights in;
	const int64_t *by = in.total.bad_by;
	int err = view_site_name(view, site, name);

	if (!err)
		err = fl_store_insights(view->store, site, span.from_s, span.to_s, &in);
	if (err)
		return err;
	fl_json_add_i64(to, "total_minutes", in.total.minutes);
	fl_json_add_i64(to, "bad_minutes", in.total.bad);
	fl_json_add_i64(to, "bad_minutes_client", by[FL_CATEGORY_CLIENT]);
	fl_json_add_i64(to, "bad_minutes_site_wan", by[FL_CATEGORY_WAN]);
	fl_json_add_i64(to, "bad_minutes_wireless", by[FL_CATEGORY_WIRELESS]);
	fl_json_add_i64(to, "bad_minutes_unexplained", by[FL_CATEGORY_NONE]);
	fl_json_add_i64(to, "bad_minutes_unranked",
			in.total.bad - by[FL_CATEGORY_CLIENT] - by[FL_CATEGORY_WAN] -
				by[FL_CATEGORY_WIRELESS] - by[FL_CATEGORY_NONE]);
	fl_json_add_u64(to, "num_users", in.users);
	feedback = fl_json_add_object(to, "feedback");
	fl_json_add_u64(feedback, "poor", in.poor);
	fl_json_add_u64(feedback, "average", in.average);
	fl_json_add_u64(feedback, "good", in.good);
	fl_insights_done(&in);
	return 0;
}

/* --- the rest -----------------------------------------------------------------------------------
 */

int fl_view_accounts(const struct fl_view *view, const char *org, struct fl_json *to)
{
	if (view->accounts) {
		view->accounts(view->ctx, org, to);
		return 0;
	}
	fl_json_add_bool(to, "linked", false);
	fl_json_add_array(to, "accounts");
	return 0;
}

int fl_view_ask(const struct fl_view *view, const char *question, uint32_t site, int64_t now_s,
		struct fl_json *to)
{
	struct fl_zone zone = { "" };
	const struct fl_answerer answerer = { view->store, view->explainer, &zone, now_s };
	char *text;
	int err;

	if (site)
		zone = fl_view_zone(view, site);
	else if (view->site_count)
		zone = view->sites[0].zone;
	err = fl_answer(&answerer, question, &text);
	if (err)
		return err;
	fl_json_add_string(to, "question", question);
	fl_json_add_string(to, "answer", text);
	free(text);
	return 0;
}

int fl_view_store(const struct fl_view *view, struct fl_json *to)
{
	struct fl_store_usage usage;
	int err = fl_store_usage(view->store, &usage);

	if (err)
		return err;
	fl_json_add_u64(to, "file_bytes", usage.file_bytes);
	fl_json_add_u64(to, "free_bytes", usage.free_bytes);
	fl_json_add_u64(to, "meetings", usage.meetings);
	fl_json_add_u64(to, "calls", usage.calls);
	fl_json_add_u64(to, "participant_minutes", usage.minutes);
	return 0;
}
