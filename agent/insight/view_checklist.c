// SPDX-License-Identifier: Apache-2.0
/* Why there may be nothing to see (zoom-api.md 12 G23): what can be told from here is told. */
#include <string.h>

#include "agent/insight/view_internal.h"

#define STATE_OK      "ok"
#define STATE_PROBLEM "problem"
#define STATE_UNKNOWN "unknown"

static void add(struct fl_json *list, const char *key, const char *state, const char *text)
{
	struct fl_json *o = fl_json_add_object(list, NULL);

	fl_json_add_string(o, "key", key);
	fl_json_add_string(o, "state", state);
	fl_json_add_string(o, "text", text);
}

/* Does any account's error or hint have this word in it? */
static bool is_said(const struct fl_json *accounts, const char *word)
{
	static const char *const lists[] = { "errors", "hints" };

	for (size_t i = 0; i < fl_json_count(accounts); i++) {
		for (size_t k = 0; k < sizeof(lists) / sizeof(*lists); k++) {
			const struct fl_json *list =
				fl_json_member(fl_json_at(accounts, i), lists[k]);

			for (size_t n = 0; n < fl_json_count(list); n++) {
				const char *text = fl_json_get_string(fl_json_at(list, n));

				if (text && strcasestr(text, word))
					return true;
			}
		}
	}
	return false;
}

static bool any_synced(const struct fl_json *accounts)
{
	for (size_t i = 0; i < fl_json_count(accounts); i++) {
		int64_t at = 0;

		fl_json_get_i64(fl_json_member(fl_json_at(accounts, i), "last_sync"), &at);
		if (at)
			return true;
	}
	return false;
}

static void add_account_items(struct fl_json *list, const struct fl_json *status)
{
	const struct fl_json *accounts = fl_json_member(status, "accounts");
	bool linked = fl_json_get_bool(fl_json_member(status, "linked"));
	bool synced = any_synced(accounts);

	add(list, "linked", linked ? STATE_OK : STATE_PROBLEM,
	    linked ? "A Zoom account is linked."
		   : "No Zoom account is linked: `fairlead zoom link`, or the page \"Accounts\".");
	add(list, "synced",
	    synced   ? STATE_OK
	    : linked ? STATE_PROBLEM
		     : STATE_UNKNOWN,
	    synced ? "Zoom has been asked, and has answered."
		   : "No cycle of polling was complete yet: its account's status says why.");
	add(list, "plan",
	    is_said(accounts, "Business plan") ? STATE_PROBLEM
	    : synced                           ? STATE_OK
					       : STATE_UNKNOWN,
	    "The Zoom account has a Business plan or higher, with the Dashboard.");
	add(list, "score", is_said(accounts, "quality score") ? STATE_PROBLEM : STATE_UNKNOWN,
	    "In Zoom's account settings, \"Meeting quality scores and network alerts on Dashboard\" "
	    "is on, with \"Show meeting quality score\".");
	add(list, "feedback", is_said(accounts, "Feedback to Zoom") ? STATE_PROBLEM : STATE_UNKNOWN,
	    "In Zoom's account settings, \"Feedback to Zoom\" is on.");
}

static bool stop_at_first(void *ctx, const struct fl_call *call)
{
	(void)call;
	*(bool *)ctx = true;
	return false;
}

struct path_search {
	const struct fl_view *view;
	bool site, path;
};

static bool found_path(void *ctx, uint32_t id, const char *name)
{
	(void)id;
	(void)name;
	((struct path_search *)ctx)->path = true;
	return false;
}

static bool found_site(void *ctx, uint32_t id, const char *name)
{
	struct path_search *s = ctx;

	(void)name;
	s->site = true;
	return !fl_store_each_path(s->view->store, id, found_path, s) && !s->path;
}

int fl_view_checklist(const struct fl_view *view, const char *org, struct fl_json *to)
{
	const struct fl_call_filter any = { .to_s = INT64_MAX, .limit = 1 };
	struct fl_json *status = fl_json_new_object(), *items;
	struct path_search search = { .view = view };
	bool has_data = false;
	int err = fl_view_accounts(view, org, status);

	if (!err)
		err = fl_store_each_call(view->store, &any, stop_at_first, &has_data, NULL);
	if (!err)
		err = fl_store_each_site(view->store, found_site, &search);
	if (!err) {
		fl_json_add_bool(to, "has_data", has_data);
		items = fl_json_add_array(to, "items");
		add_account_items(items, status);
		add(items, "network", view->site_count ? STATE_OK : STATE_PROBLEM,
		    "Participants are on the managed network: the configuration of insightd names "
		    "each site's LANs and public addresses.");
		add(items, "router", search.path ? STATE_OK : STATE_PROBLEM,
		    "A router reports its paths and sessions: without, only addresses can be "
		    "matched, and nothing be said of the WAN.");
		add(items, "signed-in", STATE_UNKNOWN,
		    "People sign in to Zoom before they join: of guests Zoom tells too little to "
		    "find them.");
		add(items, "ended", STATE_UNKNOWN,
		    "A meeting has ended: Zoom has its figures some minutes later.");
	}
	fl_json_free(status);
	return err;
}
