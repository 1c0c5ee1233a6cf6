// SPDX-License-Identifier: Apache-2.0
/* Days of polling in a second: windows, paging, restarts (H25), privacy (A7). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "agent/zoom/poller_internal.h"
#include "agent/zoom/when.h"
#include "test/unit/zoom_world.h"

static bool nobody(const struct fl_zoom_join *join)
{
	(void)join;
	return false;
}

TestSuite(zoom_poller, .init = world_init, .fini = world_done);

Test(zoom_poller, one_meeting)
{
	world_meeting(3600, 12, 30);
	world_poller_start();
	world_run(60);
	cr_assert_eq(world_sum().meetings, 1);
	cr_assert_eq(world_sum().joins, 12);
	cr_assert_eq(world_sum().minutes, 12 * 30);
	cr_assert_eq(world_sum().feedback, 1);
	cr_assert_eq(world_sum().open, 0);
	/* ceil(P/300) + ceil(P/10), and feedback once: its second time was over. */
	cr_assert_eq(w.participants, 1);
	cr_assert_eq(w.qos, 2);
	cr_assert_eq(w.feedback, 1);
	cr_assert_eq(w.details, 0);
	cr_assert_eq(world_status().last_sync_ms / 1000, WORLD_START);
	cr_assert(!world_status().failed, "%s", world_status().errors[0]);
	/* Nothing is asked twice. */
	world_run(3600);
	cr_assert_eq(w.qos, 2);
	cr_assert_eq(w.feedback, 1);
	cr_assert_eq(world_sum().minutes, 12 * 30);
}

/* Five minutes after its end, and feedback again after an hour. */
Test(zoom_poller, two_passes)
{
	world_meeting(60, 3, 10);
	world_poller_start();
	world_run(200);
	cr_assert_eq(w.participants, 0);
	cr_assert_eq(world_sum().open, 1);
	world_run(100);
	cr_assert_eq(w.participants, 1);
	cr_assert_eq(w.qos, 1);
	cr_assert_eq(w.feedback, 1);
	cr_assert_eq(world_sum().minutes, 30);
	cr_assert_eq(world_sum().open, 1);
	world_run(3600 - 360 - 60);
	cr_assert_eq(w.feedback, 1);
	world_run(120);
	cr_assert_eq(w.feedback, 2);
	cr_assert_eq(world_sum().open, 0);
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
	cr_assert_eq(world_sum().meetings, 1);
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

static unsigned int scored;

static void look_at_scores(void *ctx, const struct fl_zoom_put *put)
{
	(void)ctx;
	for (size_t i = 0; i < put->join_count; i++) {
		const struct fl_zoom_join *join = &put->joins[i];

		cr_expect_eq(join->audio, FL_ZOOM_QUALITY_GOOD, "it has a label of its own");
		if (!(join->mos[FL_ZOOM_VIDEO] > 0))
			continue;
		scored++;
		cr_expect_float_eq(join->mos[FL_ZOOM_VIDEO], 3 + atoi(join->user_id) / 100., 1e-9);
		cr_expect_eq(join->video, FL_ZOOM_QUALITY_FAIR);
		cr_expect_eq(join->mos[FL_ZOOM_AUDIO], 0);
	}
}

/* Most accounts have not the add-on: one question, whatever restarts, and no error. */
Test(zoom_poller, summaries_are_probed_once)
{
	for (int i = 0; i < 8; i++)
		world_meeting(3600 + i * 600, 12, 30);
	for (int i = 0; i < 3; i++) {
		world_poller_start();
		world_run(3600);
		cr_expect(!world_status().failed, "%s", world_status().errors[0]);
		world_poller_stop();
		world_meeting(-3600 * i, 12, 30);
	}
	cr_expect_eq(w.summaries, 1, "%u", w.summaries);
	cr_expect_eq(world_sum().minutes, 12 * 30 * world_sum().meetings);
	cr_assert_gt(world_sum().meetings, 8);
	/* Somebody has bought it, and says so. */
	w.qss = true;
	w.journal.look = look_at_scores;
	scored = 0;
	world_poller_start();
	fl_zoom_poller_sync(w.poller);
	world_run(7200);
	world_meeting(-4 * 3600, 12, 30);
	world_run(7200);
	cr_expect_geq(w.summaries, 3);
	cr_expect_geq(scored, 12);
}

Test(zoom_poller, summaries_give_scores)
{
	for (int i = 0; i < 5; i++)
		world_meeting(3600 + i * 600, 12, 30);
	w.qss = true;
	w.journal.look = look_at_scores;
	scored = 0;
	world_poller_start();
	world_run(3600);
	cr_expect_eq(world_sum().meetings, 5);
	/* Two pages each; while it is being found out, the others do not wait. */
	cr_expect_leq(w.summaries, 10);
	cr_expect_geq(w.summaries, 2);
	cr_expect_eq(scored, 6 * w.summaries);
	/* The add-on is remembered. */
	world_poller_stop();
	w.summaries = scored = 0;
	world_meeting(-3600, 12, 30);
	world_meeting(-3600, 12, 30);
	world_poller_start();
	world_run(7200);
	cr_expect_eq(w.summaries, 4);
	cr_expect_eq(scored, 24);
	world_poller_stop();
	/* Not worth the last requests of a day, which figures get. */
	world_meeting(-4 * 3600, 12, 30);
	w.settings.max_daily = 500;
	w.summaries = 0;
	world_poller_start();
	w.poller->limits.used = 420;
	world_run(3 * 3600);
	cr_expect_eq(w.summaries, 0);
	cr_expect_eq(world_sum().meetings, 8);
}

static bool no_summary(const char *path, struct fl_zoom_answer *a)
{
	if (!strstr(path, "/qos_summary"))
		return false;
	world_say(a, 503, "{}");
	return true;
}

/* Whatever goes wrong with them: minutes are put. */
Test(zoom_poller, summaries_hold_nothing_up)
{
	for (int i = 0; i < 4; i++)
		world_meeting(3600 + i * 600, 12, 30);
	w.qss = true;
	w.fault = no_summary;
	world_poller_start();
	world_run(3600);
	cr_expect_eq(world_sum().meetings, 4);
	cr_expect_eq(world_sum().open, 0);
	cr_expect_eq(world_sum().minutes, 4 * 12 * 30);
}

/* A new account: a week back, newest first, a day at a time, also for those who sat alone. */
Test(zoom_poller, catching_up)
{
	for (int day = 0; day < 10; day++)
		world_meeting(day * 86400 + 7200, 2, 10);
	world_meeting(3 * 86400, 1, 10)->one = true;
	world_poller_start();
	world_run(7200);
	cr_assert_eq(world_sum().meetings, 8);
	cr_assert_eq(world_sum().open, 0);
	cr_assert(!world_status().catching_up);
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
	cr_assert(!world_status().catching_up);
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
	cr_assert_eq(world_sum().meetings, 40);
	cr_assert_eq(world_sum().joins, 40 * 15);
	cr_assert_eq(world_sum().minutes, 40 * 15 * 20);
	cr_assert_eq(world_sum().open, 0);
	cr_assert_leq(world_status().used_today, 5000);
}

/* After a restart only the id of an open meeting is known: the list says the rest, or the detail.
 */
Test(zoom_poller, H25_header_after_restart)
{
	struct fl_zoom_meeting ended = { .uuid = "/m0000//==", .end_s = WORLD_START - 20 };

	world_meeting(20, 1, 5);
	world_poller_start();
	fl_zoom_poller_ended(w.poller, &ended);
	cr_assert_eq(world_sum().open, 1);
	world_poller_stop();
	w.mono_ns += 400 * FL_NS_PER_S;
	w.wall_ns += 400 * FL_NS_PER_S;
	world_poller_start();
	world_run(4000);
	cr_assert_eq(world_sum().meetings, 1);
	cr_assert_eq(world_sum().minutes, 5);
	cr_assert(w.journal.meetings->has_start);
}

/* While it goes on every five minutes, then all of it once more; nothing is twice. */
Test(zoom_poller, live_meeting)
{
	w.settings.live = true;
	world_meeting(-1800, 3, 40);
	world_poller_start();
	world_run(1700);
	cr_assert_eq(world_sum().joins, 3);
	cr_assert_geq(world_sum().minutes, 3 * 30);
	cr_assert_eq(world_sum().meetings, 0);
	cr_assert_geq(w.qos, 5);
	cr_assert_leq(w.qos, 7);
	world_run(3600);
	cr_assert_eq(world_sum().meetings, 1);
	cr_assert_eq(world_sum().joins, 3);
	cr_assert_eq(world_sum().minutes, 3 * 40);
	cr_assert_leq(w.qos, 9);
}

/* Of strangers' meetings little is asked, and nothing kept. */
Test(zoom_poller, C8_live_meeting_of_strangers)
{
	w.settings.live = true;
	w.journal.wanted = nobody;
	world_meeting(-3000, 3, 60);
	world_poller_start();
	world_run(2900);
	cr_assert_eq(world_sum().joins, 0);
	cr_assert_leq(w.qos, 4);
}

/* The sink is full: nothing is lost, nothing is asked for nothing. */
Test(zoom_poller, disk_full)
{
	unsigned int requests;

	world_meeting(3600, 5, 10);
	world_poller_start();
	w.journal.fail = -ENOSPC;
	world_run(600);
	cr_assert(world_status().failed);
	cr_assert(strstr(world_status().errors[0], "No space left"));
	requests = w.requests;
	cr_assert_leq(requests, 15);
	w.journal.fail = 0;
	world_run(600);
	cr_assert_eq(world_sum().minutes, 50);
	cr_assert(!world_status().failed, "%s", world_status().errors[0]);
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
	cr_assert_eq(world_sum().joins, 1);
	cr_assert_eq(world_sum().minutes, 10);
	cr_assert_eq(w.journal.meetings->dropped, 11);
	cr_assert_eq(world_status().dropped_joins, 11);
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
	cr_assert_eq(world_status().clock_offset_s, 5 * 3600);
	cr_assert_eq(world_sum().meetings, 1);
	cr_assert_eq(world_status().last_sync_ms / 3600000, (WORLD_START + 5 * 3600) / 3600);
	cr_assert(strstr(world_status().hints[0], "clock"));
}

/* G23: what is missing is hinted at, once enough meetings say so. */
Test(zoom_poller, G23_hints)
{
	for (int i = 0; i < 6; i++)
		world_meeting(3600 + i, 12, 10);
	w.journal.wanted = nobody;
	world_poller_start();
	world_run(60);
	cr_assert_eq(world_status().hint_count, 1);
	cr_assert(strstr(world_status().hints[0], "managed network"));
	cr_assert(!world_status().failed);
}

/* A meeting too large for memory goes out in parts, and is whole in the end. */
Test(zoom_poller, huge_meeting)
{
	w.settings.max_daily = 0;
	world_meeting(3600, 300, 400);
	world_poller_start();
	world_run(600);
	cr_assert_eq(world_sum().joins, 300);
	cr_assert_eq(world_sum().minutes, 300 * 400);
	cr_assert_gt(w.journal.meetings->puts, 3);
	cr_assert_eq(world_sum().open, 0);
}
