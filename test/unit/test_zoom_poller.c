// SPDX-License-Identifier: Apache-2.0
/* Days of polling in a second: windows, paging, restarts, limits (H25, H26), privacy (A7). */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "agent/zoom/when.h"
#include "test/unit/zoom_world.h"

static struct journal_sum sum(void)
{
	return journal_sum(&w.journal);
}

static struct fl_zoom_status status(void)
{
	static struct fl_zoom_status s;

	fl_zoom_poller_status(w.poller, &s);
	return s;
}

TestSuite(zoom_poller, .init = world_init, .fini = world_done);

Test(zoom_poller, one_meeting)
{
	world_meeting(3600, 12, 30);
	world_poller_start();
	world_run(60);
	cr_assert_eq(sum().meetings, 1);
	cr_assert_eq(sum().joins, 12);
	cr_assert_eq(sum().minutes, 12 * 30);
	cr_assert_eq(sum().feedback, 1);
	cr_assert_eq(sum().open, 0);
	/* ceil(P/300) + ceil(P/10), and feedback once: its second time was over. */
	cr_assert_eq(w.participants, 1);
	cr_assert_eq(w.qos, 2);
	cr_assert_eq(w.feedback, 1);
	cr_assert_eq(w.details, 0);
	cr_assert_eq(status().last_sync_ms / 1000, WORLD_START);
	cr_assert(!status().failed, "%s", status().errors[0]);
	/* Nothing is asked twice. */
	world_run(3600);
	cr_assert_eq(w.qos, 2);
	cr_assert_eq(w.feedback, 1);
	cr_assert_eq(sum().minutes, 12 * 30);
}

/* Five minutes after its end, and feedback again after an hour. */
Test(zoom_poller, two_passes)
{
	world_meeting(60, 3, 10);
	world_poller_start();
	world_run(200);
	cr_assert_eq(w.participants, 0);
	cr_assert_eq(sum().open, 1);
	world_run(100);
	cr_assert_eq(w.participants, 1);
	cr_assert_eq(w.qos, 1);
	cr_assert_eq(w.feedback, 1);
	cr_assert_eq(sum().minutes, 30);
	cr_assert_eq(sum().open, 1);
	world_run(3600 - 360 - 60);
	cr_assert_eq(w.feedback, 1);
	world_run(120);
	cr_assert_eq(w.feedback, 2);
	cr_assert_eq(sum().open, 0);
}

/* By start time a meeting shows up after it ended: the overlap finds it. */
Test(zoom_poller, long_meeting_by_start_time)
{
	struct world_meeting *m;

	w.no_end_time = true;
	world_poller_start();
	world_run(600);
	m = world_meeting(-700, 2, 10);
	m->start_s = WORLD_START - 28 * 3600;
	world_run(1800);
	cr_assert_eq(sum().meetings, 1);
	cr_assert_eq(strstr(w.last, "end_time"), NULL);
}

static unsigned int probes;

static bool count_probes(const char *path, struct fl_zoom_answer *a)
{
	(void)a;
	probes += strstr(path, "query_date_type") != NULL;
	return false;
}

Test(zoom_poller, end_time_is_probed_once)
{
	probes = 0;
	w.no_end_time = true;
	w.fault = count_probes;
	for (int i = 0; i < 3; i++) {
		world_poller_start();
		world_run(3600);
		world_poller_stop();
	}
	cr_assert_eq(probes, 1);
	cr_assert_geq(w.lists, 30);
}

/* A new account: a week back, newest first, a day at a time, also for those who sat alone. */
Test(zoom_poller, catching_up)
{
	for (int day = 0; day < 10; day++)
		world_meeting(day * 86400 + 7200, 2, 10);
	world_meeting(3 * 86400, 1, 10)->one = true;
	world_poller_start();
	world_run(7200);
	cr_assert_eq(sum().meetings, 8);
	cr_assert_eq(sum().open, 0);
	cr_assert(!status().catching_up);
	cr_assert_geq(w.oldest_s, WORLD_START - 7 * 86400 - 6 * 3600);
}

Test(zoom_poller, never_beyond_six_months)
{
	w.settings.first_days = 5000;
	w.settings.max_daily = 0;
	world_poller_start();
	world_run(86400);
	cr_assert_geq(w.oldest_s, WORLD_START - 183 * 86400);
	cr_assert_leq(w.oldest_s, WORLD_START - 182 * 86400);
	cr_assert(!status().catching_up);
}

/* H25: nothing is lost and nothing is twice, wherever it stops. */
Test(zoom_poller, H25_restart_anywhere)
{
	for (int i = 0; i < 40; i++)
		world_meeting(3600 + i * 5000, 15, 20);
	for (int i = 0; i < 200; i++) {
		world_poller_start();
		/* Some requests, then gone. */
		for (int n = 0; n < i % 17; n++) {
			struct fl_zoom_request r;
			struct fl_mono wake;

			if (!fl_zoom_poller_next(w.poller, &r, &wake))
				break;
		}
		world_run(i % 3);
		world_poller_stop();
		w.mono_ns += FL_NS_PER_S;
		w.wall_ns += FL_NS_PER_S;
	}
	world_poller_start();
	world_run(7200);
	cr_assert_eq(sum().meetings, 40);
	cr_assert_eq(sum().joins, 40 * 15);
	cr_assert_eq(sum().minutes, 40 * 15 * 20);
	cr_assert_eq(sum().open, 0);
	cr_assert_leq(status().used_today, 5000);
}

/* After a restart only the id of an open meeting is known: the list says the rest, or the detail.
 */
Test(zoom_poller, H25_header_after_restart)
{
	struct fl_zoom_meeting ended = { .uuid = "/m0000//==", .end_s = WORLD_START - 20 };

	world_meeting(20, 1, 5);
	world_poller_start();
	fl_zoom_poller_ended(w.poller, &ended);
	cr_assert_eq(sum().open, 1);
	world_poller_stop();
	w.mono_ns += 400 * FL_NS_PER_S;
	w.wall_ns += 400 * FL_NS_PER_S;
	world_poller_start();
	world_run(4000);
	cr_assert_eq(sum().meetings, 1);
	cr_assert_eq(sum().minutes, 5);
	cr_assert(w.journal.meetings->has_start);
}

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
Test(zoom_poller, H26_a_day_of_429)
{
	world_meeting(3600, 5, 10);
	w.fault = days_of_429;
	world_poller_start();
	world_run(60);
	cr_assert(status().failed);
	cr_assert_str_eq(status().errors[0], "API daily rate limit reached");
	cr_assert_eq(status().last_sync_ms, 0);
	for (int i = 0; i < 20; i++) {
		world_poller_stop();
		world_poller_start();
		world_run(1200);
	}
	cr_assert_leq(w.requests, 25, "%u", w.requests); /* /users goes through */
	world_run(6 * 3600);
	cr_assert_eq(sum().meetings, 1);
	cr_assert_eq(sum().minutes, 50);
	cr_assert(!status().failed, "%s", status().errors[0]);
}

static bool storm_of_429(const char *path, struct fl_zoom_answer *a)
{
	(void)path;
	world_say(a, 429, "{\"code\":429,\"message\":\"per-second\"}");
	return true;
}

Test(zoom_poller, H26_storm)
{
	w.fault = storm_of_429;
	w.settings.live = true;
	world_poller_start();
	world_run(3600);
	/* One a minute and label, once it has doubled to that. */
	cr_assert_leq(w.requests, 2 * 70, "%u", w.requests);
	w.fault = NULL;
	world_run(120);
	cr_assert_neq(status().last_sync_ms, 0);
}

static bool storm_of_401(const char *path, struct fl_zoom_answer *a)
{
	(void)path;
	world_say(a, 401, "{\"code\":124,\"message\":\"Invalid access token.\"}");
	return true;
}

/* 124: refresh once, repeat once, then it is failed; a storm of it costs next to nothing. */
Test(zoom_poller, H24_token_refused)
{
	w.fault = storm_of_401;
	world_poller_start();
	world_run(60);
	cr_assert_eq(w.refreshes, 1);
	cr_assert_eq(w.requests, 2);
	cr_assert(status().failed);
	world_run(86400);
	cr_assert_leq(w.requests, 2 + 25 * 2, "%u", w.requests);
	w.fault = NULL;
	fl_zoom_poller_sync(w.poller);
	world_run(10);
	cr_assert(!status().failed, "%s", status().errors[0]);
}

static int refusals;

static bool one_401(const char *path, struct fl_zoom_answer *a)
{
	if (!strstr(path, "/qos") || refusals++)
		return false;
	return storm_of_401(path, a);
}

Test(zoom_poller, H24_token_expired)
{
	refusals = 0;
	world_meeting(3600, 5, 10);
	w.fault = one_401;
	world_poller_start();
	world_run(60);
	cr_assert_eq(w.refreshes, 1);
	cr_assert_eq(sum().minutes, 50);
	cr_assert(!status().failed);
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
Test(zoom_poller, H24_stale_page_token)
{
	for (int i = 0; i < 9; i++)
		world_meeting(3600 + i, 25, 10);
	w.page = 4;
	stale = 0;
	w.fault = stale_page;
	world_poller_start();
	world_run(3600);
	cr_assert_gt(stale, 3);
	cr_assert_eq(sum().meetings, 9);
	cr_assert_eq(sum().minutes, 9 * 250);
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
Test(zoom_poller, H24_not_ready)
{
	world_meeting(3600, 2, 10);
	not_ready_until = 17 * 60;
	w.fault = not_ready;
	world_poller_start();
	world_run(17 * 60);
	cr_assert_eq(w.participants, 4);
	cr_assert_eq(sum().minutes, 0);
	world_run(3600);
	cr_assert_eq(sum().minutes, 20);
}

static bool never_ready(const char *path, struct fl_zoom_answer *a)
{
	if (!strncmp(path, "/metrics/meetings?", 18) || !strncmp(path, "/users", 6))
		return false;
	world_say(a, 404, "{\"code\":3001,\"message\":\"Meeting ID is invalid or not end.\"}");
	return true;
}

/* ... then it is marked as having no data, and not asked for again. */
Test(zoom_poller, H24_never_ready)
{
	unsigned int requests;

	world_meeting(3600, 2, 10);
	w.fault = never_ready;
	world_poller_start();
	world_run(4 * 3600);
	cr_assert_eq(sum().meetings, 1);
	cr_assert_eq(sum().open, 0);
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
Test(zoom_poller, H24_webinar_and_too_old)
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
		cr_assert_eq(sum().meetings, (unsigned int)i + 1);
		cr_assert_eq(sum().joins, 0);
		cr_assert_eq(sum().open, 0);
		cr_assert_leq(w.requests - before, 60);
		world_poller_stop();
	}
}

/* Plan and scopes are permanent for that call, are named, and cost one request a day. */
Test(zoom_poller, H24_plan_and_scope)
{
	world_meeting(3600, 2, 10);
	error_path = "/metrics/meetings?";
	error_body =
		"{\"code\":200,\"message\":\"Only available for paid account and enabled Dashboard feature.\"}";
	w.fault = error_at;
	world_poller_start();
	world_run(86000);
	cr_assert_leq(w.requests, 4);
	cr_assert(status().failed);
	cr_assert(strstr(status().errors[0], "Business plan or higher with the Dashboard feature"));
	error_path = "/qos";
	error_body =
		"{\"code\":4711,\"message\":\"Invalid access token, does not contain scopes:[a:b].\"}";
	fl_zoom_poller_sync(w.poller);
	world_run(7200);
	cr_assert(strstr(status().errors[0], "quality of participants"));
	cr_assert(strstr(status().errors[0], "scopes:[a:b]"));
	/* Waits for the permission: figures are not lost. */
	cr_assert_eq(sum().open, 1);
	w.fault = NULL;
	fl_zoom_poller_token(w.poller, "dashboard:read:admin user:read:admin");
	world_run(3600);
	cr_assert_eq(sum().minutes, 20);
	cr_assert(!status().failed, "%s", status().errors[0]);
}

/* A5: what the token does not allow is not even asked. */
Test(zoom_poller, A5_missing_scope_is_named)
{
	world_meeting(3600, 2, 10);
	world_poller_start();
	fl_zoom_poller_token(w.poller, "dashboard_meetings:read:admin");
	world_run(600);
	cr_assert_eq(w.users, 0);
	cr_assert_eq(sum().minutes, 20);
	cr_assert(strstr(status().errors[0], "list users needs user:read:admin"));
}

static bool outage(const char *path, struct fl_zoom_answer *a)
{
	(void)path;
	*a = (struct fl_zoom_answer){ .err = -ETIMEDOUT, .why = "no route" };
	return true;
}

/* A day without Zoom: failed after ten, every five minutes, nothing lost. */
Test(zoom_poller, outage_of_a_day)
{
	for (int i = 0; i < 5; i++)
		world_meeting(3600 + i, 2, 10);
	world_poller_start();
	w.fault = outage;
	world_run(86400);
	cr_assert(status().failed);
	cr_assert(strstr(status().errors[0], "no route"));
	cr_assert_leq(w.requests, 320);
	cr_assert_geq(w.requests, 280);
	w.fault = NULL;
	world_run(7200);
	cr_assert_eq(sum().meetings, 5);
	cr_assert_eq(sum().minutes, 100);
	cr_assert(!status().failed);
}

static bool poison(const char *path, struct fl_zoom_answer *a)
{
	if (!strstr(path, "m0000"))
		return false;
	world_say(a, 500, "<html>");
	return true;
}

/* One meeting that always fails keeps no other one waiting, and is given up in the end. */
Test(zoom_poller, one_meeting_is_poison)
{
	for (int i = 0; i < 10; i++)
		world_meeting(3600 + i, 2, 10);
	w.fault = poison;
	world_poller_start();
	world_run(1800);
	cr_assert_eq(sum().minutes, 9 * 20);
	world_run(3 * 86400);
	cr_assert_eq(sum().open, 0);
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
Test(zoom_poller, endless_page_tokens)
{
	w.fault = endless;
	world_poller_start();
	world_run(3600);
	cr_assert_leq(w.requests, 5000);
	cr_assert_neq(status().last_sync_ms, 0);
}

/* The budget of a day is kept, also when the poller is killed again and again. */
Test(zoom_poller, budget_is_kept_across_restarts)
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
	cr_assert(status().failed);
	/* Then it goes on, day by day, until all are there. */
	world_run(6 * 86400);
	cr_assert_eq(sum().meetings, 200);
	cr_assert_eq(sum().minutes, 200 * 50);
}

/* The sink is full: nothing is lost, nothing is asked for nothing. */
Test(zoom_poller, disk_full)
{
	unsigned int requests;

	world_meeting(3600, 5, 10);
	world_poller_start();
	w.journal.fail = -ENOSPC;
	world_run(600);
	cr_assert(status().failed);
	cr_assert(strstr(status().errors[0], "No space left"));
	requests = w.requests;
	cr_assert_leq(requests, 15);
	w.journal.fail = 0;
	world_run(600);
	cr_assert_eq(sum().minutes, 50);
	cr_assert(!status().failed, "%s", status().errors[0]);
}

static bool is_two(const struct fl_zoom_join *join)
{
	return join->internal_count && join->internal[0].b[3] == 2;
}

/* C8: joins from elsewhere are dropped, and counted. */
Test(zoom_poller, C8_only_the_managed_network)
{
	world_meeting(3600, 12, 10);
	w.journal.wanted = is_two;
	world_poller_start();
	world_run(60);
	cr_assert_eq(sum().joins, 1);
	cr_assert_eq(sum().minutes, 10);
	cr_assert_eq(w.journal.meetings->dropped, 11);
	cr_assert_eq(status().dropped_joins, 11);
}

static unsigned int looked;

static void look(void *ctx, const struct fl_zoom_put *put)
{
	(void)ctx;
	cr_assert_str_eq(put->meeting->topic, "");
	for (size_t i = 0; i < put->join_count; i++) {
		const struct fl_zoom_join *j = &put->joins[i];
		bool ours = !strcmp(j->user, "user0") || !strcmp(j->user, "user1");

		looked++;
		cr_assert_eq(j->guest, !ours);
		cr_assert_eq(j->blank, !ours);
		cr_assert_eq(*j->user_name == 0, !ours);
		cr_assert_eq(*j->email == 0, !ours);
	}
}

/* A7: names of people from outside the account, and topics, do not reach the store. */
Test(zoom_poller, A7_guests_and_topics)
{
	world_meeting(3600, 5, 10);
	world_poller_start();
	looked = 0;
	/* The list of users first. */
	world_run(0);
	w.journal.look = look;
	world_meeting(3500, 5, 10);
	fl_zoom_poller_sync(w.poller);
	world_run(10);
	cr_assert_eq(looked, 5);
}

/* Zoom's clock counts: windows are right although ours is hours off. */
Test(zoom_poller, clock_is_off)
{
	w.skew_s = 5 * 3600;
	world_meeting(-4 * 3600, 2, 10);
	world_poller_start();
	world_run(600);
	cr_assert_eq(status().clock_offset_s, 5 * 3600);
	cr_assert_eq(sum().meetings, 1);
	cr_assert_eq(status().last_sync_ms / 3600000, (WORLD_START + 5 * 3600) / 3600);
	cr_assert(strstr(status().hints[0], "clock"));
}

static bool nobody(const struct fl_zoom_join *join)
{
	(void)join;
	return false;
}

/* G23: what is missing is hinted at, once enough meetings say so. */
Test(zoom_poller, G23_hints)
{
	for (int i = 0; i < 6; i++)
		world_meeting(3600 + i, 12, 10);
	w.journal.wanted = nobody;
	world_poller_start();
	world_run(60);
	cr_assert_eq(status().hint_count, 1);
	cr_assert(strstr(status().hints[0], "managed network"));
	cr_assert(!status().failed);
}

/* A meeting too large for memory goes out in parts, and is whole in the end. */
Test(zoom_poller, huge_meeting)
{
	w.settings.max_daily = 0;
	world_meeting(3600, 300, 400);
	world_poller_start();
	world_run(600);
	cr_assert_eq(sum().joins, 300);
	cr_assert_eq(sum().minutes, 300 * 400);
	cr_assert_gt(w.journal.meetings->puts, 3);
	cr_assert_eq(sum().open, 0);
}
