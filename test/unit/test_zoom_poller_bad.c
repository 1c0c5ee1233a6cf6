// SPDX-License-Identifier: Apache-2.0
/* Days of polling a Zoom that limits, refuses, fails, or is hostile (H24, H26, A5). */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "test/unit/zoom_world.h"

TestSuite(zoom_poller_bad, .init = world_init, .fini = world_done);

static bool days_of_429(const char *path, struct fl_zoom_answer *a)
{
	if (world_now_s() >= WORLD_START + 12 * 3600 || !strncmp(path, "/users", 6))
		return false;
	world_say(a, 429, "{\"code\":429,\"message\":\"daily\"}");
	strcpy(a->rate_type, "Daily-limit");
	strcpy(a->retry_after, "2024-07-12T00:00:00Z");
	return true;
}

/* H26: a day of 429 costs a handful of requests, also across restarts, and is over at midnight. */
Test(zoom_poller_bad, H26_a_day_of_429)
{
	world_meeting(3600, 5, 10);
	w.fault = days_of_429;
	world_poller_start();
	world_run(60);
	cr_assert(world_status().failed);
	cr_assert_str_eq(world_status().errors[0], "API daily rate limit reached");
	cr_assert_eq(world_status().last_sync_ms, 0);
	for (int i = 0; i < 20; i++) {
		world_poller_stop();
		world_poller_start();
		world_run(1200);
	}
	cr_assert_leq(w.requests, 25, "%u", w.requests); /* /users goes through */
	world_run(6 * 3600);
	cr_assert_eq(world_sum().meetings, 1);
	cr_assert_eq(world_sum().minutes, 50);
	cr_assert(!world_status().failed, "%s", world_status().errors[0]);
}

static bool storm_of_429(const char *path, struct fl_zoom_answer *a)
{
	(void)path;
	world_say(a, 429, "{\"code\":429,\"message\":\"per-second\"}");
	return true;
}

Test(zoom_poller_bad, H26_storm)
{
	w.fault = storm_of_429;
	w.settings.live = true;
	world_poller_start();
	world_run(3600);
	/* One a minute and label, once it has doubled to that. */
	cr_assert_leq(w.requests, 2 * 70, "%u", w.requests);
	w.fault = NULL;
	world_run(120);
	cr_assert_neq(world_status().last_sync_ms, 0);
}

static bool storm_of_401(const char *path, struct fl_zoom_answer *a)
{
	(void)path;
	world_say(a, 401, "{\"code\":124,\"message\":\"Invalid access token.\"}");
	return true;
}

/* 124: refresh once, repeat once, then it is failed; a storm of it costs next to nothing. */
Test(zoom_poller_bad, H24_token_refused)
{
	w.fault = storm_of_401;
	world_poller_start();
	world_run(60);
	cr_assert_eq(w.refreshes, 1);
	cr_assert_eq(w.requests, 2);
	cr_assert(world_status().failed);
	world_run(86400);
	cr_assert_leq(w.requests, 2 + 25 * 2, "%u", w.requests);
	w.fault = NULL;
	fl_zoom_poller_sync(w.poller);
	world_run(10);
	cr_assert(!world_status().failed, "%s", world_status().errors[0]);
}

static int refusals;

static bool one_401(const char *path, struct fl_zoom_answer *a)
{
	if (!strstr(path, "/qos") || refusals++)
		return false;
	return storm_of_401(path, a);
}

Test(zoom_poller_bad, H24_token_expired)
{
	refusals = 0;
	world_meeting(3600, 5, 10);
	w.fault = one_401;
	world_poller_start();
	world_run(60);
	cr_assert_eq(w.refreshes, 1);
	cr_assert_eq(world_sum().minutes, 50);
	cr_assert(!world_status().failed);
}

static int stale;

static bool stale_page(const char *path, struct fl_zoom_answer *a)
{
	if (!strstr(path, "next_page_token") || stale++ % 3)
		return false;
	world_say(a, 400,
		  "{\"code\":300,\"message\":\"The next page token is invalid or expired.\"}");
	return true;
}

/* Listings and meetings begin at page one again. */
Test(zoom_poller_bad, H24_stale_page_token)
{
	for (int i = 0; i < 9; i++)
		world_meeting(3600 + i, 25, 10);
	w.page = 4;
	stale = 0;
	w.fault = stale_page;
	world_poller_start();
	world_run(3600);
	cr_assert_gt(stale, 3);
	cr_assert_eq(world_sum().meetings, 9);
	cr_assert_eq(world_sum().minutes, 9 * 250);
}

static unsigned int not_ready_until;

static bool not_ready(const char *path, struct fl_zoom_answer *a)
{
	if (!strstr(path, "/participants?") ||
	    world_now_s() >= WORLD_START + (int64_t)not_ready_until)
		return false;
	world_say(a, 404, "{\"code\":3001,\"message\":\"Meeting ID is invalid or not end.\"}");
	w.participants++;
	return true;
}

/* 3001: again after 1, 2, 5, 10, 20 minutes. */
Test(zoom_poller_bad, H24_not_ready)
{
	world_meeting(3600, 2, 10);
	not_ready_until = 17 * 60;
	w.fault = not_ready;
	world_poller_start();
	world_run(17 * 60);
	cr_assert_eq(w.participants, 4);
	cr_assert_eq(world_sum().minutes, 0);
	world_run(3600);
	cr_assert_eq(world_sum().minutes, 20);
}

static bool never_ready(const char *path, struct fl_zoom_answer *a)
{
	if (!strncmp(path, "/metrics/meetings?", 18) || !strncmp(path, "/users", 6))
		return false;
	world_say(a, 404, "{\"code\":3001,\"message\":\"Meeting ID is invalid or not end.\"}");
	return true;
}

/* ... then it is marked as having no data, and not asked for again. */
Test(zoom_poller_bad, H24_never_ready)
{
	unsigned int requests;

	world_meeting(3600, 2, 10);
	w.fault = never_ready;
	world_poller_start();
	world_run(4 * 3600);
	cr_assert_eq(world_sum().meetings, 1);
	cr_assert_eq(world_sum().open, 0);
	requests = w.requests - w.lists - w.users;
	world_run(4 * 3600);
	cr_assert_eq(w.requests - w.lists - w.users, requests);
}

static const char *error_body;
static const char *error_path;

static bool error_at(const char *path, struct fl_zoom_answer *a)
{
	if (!strstr(path, error_path))
		return false;
	world_say(a, 400, error_body);
	return true;
}

/* Webinars and what is too old are dropped for good. */
Test(zoom_poller_bad, H24_webinar_and_too_old)
{
	static const char *const bodies[] = {
		"{\"code\":300,\"message\":\"Can not access webinar info, 8.\"}",
		"{\"code\":12702,\"message\":\"Can not access a meeting a year ago.\"}"
	};

	error_path = "/participants";
	for (int i = 0; i < 2; i++) {
		unsigned int before = w.requests;

		world_meeting(3600 + i, 2, 10);
		error_body = bodies[i];
		w.fault = error_at;
		world_poller_start();
		fl_zoom_poller_sync(w.poller);
		world_run(3600);
		cr_assert_eq(world_sum().meetings, (unsigned int)i + 1);
		cr_assert_eq(world_sum().joins, 0);
		cr_assert_eq(world_sum().open, 0);
		cr_assert_leq(w.requests - before, 60);
		world_poller_stop();
	}
}

/* Plan and scopes are permanent for that call, are named, and cost one request a day. */
Test(zoom_poller_bad, H24_plan_and_scope)
{
	world_meeting(3600, 2, 10);
	error_path = "/metrics/meetings?";
	error_body =
		"{\"code\":200,\"message\":\"Only available for paid account and enabled Dashboard feature.\"}";
	w.fault = error_at;
	world_poller_start();
	world_run(86000);
	cr_assert_leq(w.requests, 4);
	cr_assert(world_status().failed);
	cr_assert(strstr(world_status().errors[0],
			 "Business plan or higher with the Dashboard feature"));
	error_path = "/qos";
	error_body =
		"{\"code\":4711,\"message\":\"Invalid access token, does not contain scopes:[a:b].\"}";
	fl_zoom_poller_sync(w.poller);
	world_run(7200);
	cr_assert(strstr(world_status().errors[0], "quality of participants"));
	cr_assert(strstr(world_status().errors[0], "scopes:[a:b]"));
	/* Waits for the permission: figures are not lost. */
	cr_assert_eq(world_sum().open, 1);
	w.fault = NULL;
	fl_zoom_poller_token(w.poller, "dashboard:read:admin user:read:admin");
	world_run(3600);
	cr_assert_eq(world_sum().minutes, 20);
	cr_assert(!world_status().failed, "%s", world_status().errors[0]);
}

/* A5: what the token does not allow is not even asked. */
Test(zoom_poller_bad, A5_missing_scope_is_named)
{
	world_meeting(3600, 2, 10);
	world_poller_start();
	fl_zoom_poller_token(w.poller, "dashboard_meetings:read:admin");
	world_run(600);
	cr_assert_eq(w.users, 0);
	cr_assert_eq(world_sum().minutes, 20);
	cr_assert(strstr(world_status().errors[0], "list users needs user:read:admin"));
}

static bool outage(const char *path, struct fl_zoom_answer *a)
{
	(void)path;
	*a = (struct fl_zoom_answer){ .err = -ETIMEDOUT, .why = "no route" };
	return true;
}

/* A day without Zoom: failed after ten, every five minutes, nothing lost. */
Test(zoom_poller_bad, outage_of_a_day)
{
	for (int i = 0; i < 5; i++)
		world_meeting(3600 + i, 2, 10);
	world_poller_start();
	w.fault = outage;
	world_run(86400);
	cr_assert(world_status().failed);
	cr_assert(strstr(world_status().errors[0], "no route"));
	cr_assert_leq(w.requests, 320);
	cr_assert_geq(w.requests, 280);
	w.fault = NULL;
	world_run(7200);
	cr_assert_eq(world_sum().meetings, 5);
	cr_assert_eq(world_sum().minutes, 100);
	cr_assert(!world_status().failed);
}

static bool poison(const char *path, struct fl_zoom_answer *a)
{
	if (!strstr(path, "m0000"))
		return false;
	world_say(a, 500, "<html>");
	return true;
}

/* One meeting that always fails keeps no other one waiting, and is given up in the end. */
Test(zoom_poller_bad, one_meeting_is_poison)
{
	for (int i = 0; i < 10; i++)
		world_meeting(3600 + i, 2, 10);
	w.fault = poison;
	world_poller_start();
	world_run(1800);
	cr_assert_eq(world_sum().minutes, 9 * 20);
	world_run(3 * 86400);
	cr_assert_eq(world_sum().open, 0);
}

static char endless_body[512];
static int endless_count;

static bool endless(const char *path, struct fl_zoom_answer *a)
{
	const char *what = strstr(path, "meetings?") ? "meetings"
			   : strstr(path, "/users")  ? "users"
						     : "participants";

	snprintf(endless_body, sizeof(endless_body), "{\"%s\":[],\"next_page_token\":\"t%d\"}",
		 what, endless_count++);
	world_say(a, 200, endless_body);
	return true;
}

/* Page tokens without end: a listing ends when nothing new comes. */
Test(zoom_poller_bad, endless_page_tokens)
{
	w.fault = endless;
	world_poller_start();
	world_run(3600);
	cr_assert_leq(w.requests, 5000);
	cr_assert_neq(world_status().last_sync_ms, 0);
}

/* The budget of a day is kept, also when the poller is killed again and again. */
Test(zoom_poller_bad, budget_is_kept_across_restarts)
{
	w.settings.max_daily = 300;
	for (int i = 0; i < 200; i++)
		world_meeting(3600 + i * 60, 5, 10);
	for (int i = 0; i < 40; i++) {
		world_poller_start();
		world_run(60);
		world_poller_stop();
	}
	cr_assert_leq(w.requests, 300);
	world_poller_start();
	world_run(8 * 3600);
	cr_assert_leq(w.requests, 300);
	cr_assert(world_status().failed);
	/* Then it goes on, day by day, until all are there. */
	world_run(6 * 86400);
	cr_assert_eq(world_sum().meetings, 200);
	cr_assert_eq(world_sum().minutes, 200 * 50);
}
