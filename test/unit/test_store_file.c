// SPDX-License-Identifier: Apache-2.0
/* The store's file: damage, a full disk, kill -9, retention that gives space back. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/insight/fill.h"

#define DAY 86400
#define NOW 1720000000LL

static char dir[64];
static char path[96];
static struct fl_store *store;
static struct fl_store_health health;
static struct fl_store_cfg cfg;

static int open_store(void)
{
	cfg.path = path;
	cfg.now_s = NOW;
	return fl_store_open(&cfg, &health, &store);
}

static void setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/fl-store-XXXXXX");
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/insight.db", dir);
}

static void teardown(void)
{
	char command[128];

	fl_store_close(store);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(store_file, .init = setup, .fini = teardown);

static struct fill_plan plan_of(int64_t from_s, int64_t to_s, unsigned int meetings)
{
	struct fill_plan plan = { .clients = 20,
				  .joins = 5,
				  .minutes = 30,
				  .from_s = from_s,
				  .to_s = to_s,
				  .meetings = meetings };

	cr_assert_eq(fl_store_account(store, "account", &plan.account), 0);
	cr_assert_eq(fl_store_site(store, "site", &plan.site), 0);
	cr_assert_eq(fl_store_path(store, plan.site, "router", "wan1", &plan.path), 0);
	return plan;
}

static struct fl_store_usage usage(void)
{
	struct fl_store_usage u = { 0 };

	cr_assert_eq(fl_store_usage(store, &u), 0);
	return u;
}

static void overwrite(const char *file, off_t at, size_t len)
{
	int fd = open(file, O_WRONLY);

	cr_assert_geq(fd, 0);
	for (size_t i = 0; i < len; i++)
		cr_assert_eq(pwrite(fd, "\xa5", 1, at + (off_t)i), 1);
	close(fd);
}

static size_t damaged_files(void)
{
	char pattern[128];
	size_t count = 0;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s.damaged-*", path);
	if (glob(pattern, 0, NULL, &found) == 0) {
		count = found.gl_pathc;
		globfree(&found);
	}
	return count;
}

Test(store_file, nobody_else_may_read_it)
{
	struct stat st;

	cr_assert_eq(open_store(), 0);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
}

/* A header, a page in the middle, the end: each time the file is put aside and a new one works. */
Test(store_file, damage_is_put_aside)
{
	for (int kind = 0; kind < 3; kind++) {
		struct fill_plan plan;
		struct stat st;

		cr_assert_eq(open_store(), 0);
		plan = plan_of(NOW - DAY, NOW, 10);
		cr_assert_eq(fill_meetings(store, &plan, 0, 10), 0);
		cr_assert_eq(usage().meetings, 10);
		fl_store_close(store);
		store = NULL;
		cr_assert_eq(stat(path, &st), 0);
		if (kind == 2)
			cr_assert_eq(truncate(path, st.st_size / 2), 0);
		else
			overwrite(path, kind ? st.st_size / 2 / 4096 * 4096 : 0, 4096);
		cr_assert_eq(open_store(), 0, "kind %d", kind);
		cr_expect(health.quarantined, "kind %d", kind);
		cr_expect_neq(health.problem[0], '\0');
		cr_expect_eq(access(health.put_aside_as, F_OK), 0);
		cr_expect_eq(damaged_files(), 1, "one is kept, not more");
		cr_expect_eq(usage().meetings, 0);
		plan = plan_of(NOW - DAY, NOW, 10);
		cr_expect_eq(fill_meetings(store, &plan, 0, 10), 0);
		fl_store_close(store);
		store = NULL;
		cr_assert_eq(open_store(), 0);
		cr_expect_not(health.quarantined);
		cr_expect_eq(usage().meetings, 10);
		fl_store_close(store);
		store = NULL;
	}
}

Test(store_file, newer_schema_is_left_alone)
{
	cr_assert_eq(open_store(), 0);
	fl_store_close(store);
	store = NULL;
	/* user_version is at byte 60 of the header. */
	overwrite(path, 62, 1);
	cr_expect_eq(open_store(), -EPROTO);
	cr_expect_eq(damaged_files(), 0);
}

static void tidy_all(int64_t now_s)
{
	int more = 1;

	for (int i = 0; more > 0 && i < 10000; i++)
		more = fl_store_tidy(store, now_s);
	cr_assert_eq(more, 0, "%d", more);
}

static off_t file_size(void)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	return st.st_size;
}

Test(store_file, retention_gives_space_back)
{
	struct fl_insights in;
	struct fill_plan plan;
	off_t full, after;

	cr_assert_eq(open_store(), 0);
	plan = plan_of(NOW - 29 * DAY, NOW, 600);
	cr_assert_eq(fill_meetings(store, &plan, 0, 600), 0);
	tidy_all(NOW);
	cr_assert_eq(usage().minutes, 600 * 150, "nothing is too old");
	full = file_size();
	/* Two weeks later half of the minutes are. */
	tidy_all(NOW + 15 * DAY);
	after = file_size();
	cr_expect_lt(usage().minutes, 600 * 150 * 6 / 10);
	cr_expect_gt(usage().minutes, 600 * 150 * 4 / 10);
	cr_expect_eq(usage().meetings, 600);
	cr_expect_lt(after, full * 6 / 10, "%ld of %ld bytes", (long)after, (long)full);
	cr_expect_lt(usage().free_bytes, 1 << 16);
	/* Graphs outlive the minutes: sums stay as long as meetings. */
	cr_assert_eq(fl_store_insights(store, plan.site, NOW - 30 * DAY, NOW, &in), 0);
	cr_expect_eq(in.total.minutes, 600 * 150);
	fl_insights_done(&in);
	tidy_all(NOW + 91 * DAY);
	cr_expect_eq(usage().meetings, 0);
	cr_expect_eq(usage().calls, 0);
	cr_expect_lt(file_size(), full / 10);
}

/* What was removed must not be summed twice when it is polled again. */
Test(store_file, old_minutes_do_not_come_again)
{
	struct fl_insights in;
	struct fill_plan plan;

	cr_assert_eq(open_store(), 0);
	plan = plan_of(NOW - 20 * DAY, NOW - 19 * DAY, 10);
	cr_assert_eq(fill_meetings(store, &plan, 0, 10), 0);
	tidy_all(NOW + 12 * DAY);
	cr_assert_eq(usage().minutes, 0);
	cr_assert_eq(fill_meetings(store, &plan, 0, 10), 0);
	cr_expect_eq(usage().minutes, 0);
	cr_assert_eq(fl_store_insights(store, plan.site, NOW - 21 * DAY, NOW, &in), 0);
	cr_expect_eq(in.total.minutes, 10 * 150);
	fl_insights_done(&in);
}

Test(store_file, quota_takes_the_oldest)
{
	struct fill_plan plan;

	cfg.quota_bytes = 4 << 20;
	cr_assert_eq(open_store(), 0);
	plan = plan_of(NOW - 10 * DAY, NOW, 600);
	cr_assert_eq(fill_meetings(store, &plan, 0, 600), 0);
	cr_assert_gt(usage().file_bytes, cfg.quota_bytes);
	tidy_all(NOW);
	cr_expect_leq(usage().file_bytes, cfg.quota_bytes);
	cr_expect_gt(usage().minutes, 600 * 150 / 5);
	cr_expect_eq(usage().meetings, 600);
}

/* --- a full disk --------------------------------------------------------------------------------
 */

/* A disk of @mb in a namespace of its own. */
static bool small_disk(int mb)
{
	char options[32];

	snprintf(options, sizeof(options), "size=%dm", mb);
	if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return false;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", dir, "tmpfs", 0, options) == 0;
}

Test(store_file, full_disk_is_survived)
{
	unsigned int stored = 0;
	struct fill_plan plan;
	char ballast[96];
	int err = 0, fd;

	if (!small_disk(8))
		cr_skip_test("no namespace to mount a small disk in");
	cr_assert_eq(open_store(), 0);
	plan = plan_of(NOW - DAY, NOW, 2000);
	/* Something else takes the last megabytes, and goes away later. */
	snprintf(ballast, sizeof(ballast), "%s/ballast", dir);
	fd = open(ballast, O_WRONLY | O_CREAT, 0600);
	cr_assert_geq(fd, 0);
	cr_assert_eq(posix_fallocate(fd, 0, 4 << 20), 0);
	for (; !err && stored < 2000; stored += !err)
		err = fill_meetings(store, &plan, stored, 1);
	cr_assert_eq(err, -ENOSPC);
	cr_assert_gt(stored, 10);
	for (int i = 0; i < 5; i++)
		cr_expect_eq(fill_meetings(store, &plan, stored, 1), -ENOSPC);
	cr_expect_eq(usage().meetings, stored, "what was stored can be read");
	cr_expect_eq(usage().minutes, 150 * stored, "nothing is there by halves");
	close(fd);
	cr_assert_eq(unlink(ballast), 0);
	cr_expect_eq(fill_meetings(store, &plan, stored, 1), 0, "and it goes on");
	fl_store_close(store);
	store = NULL;
	cr_assert_eq(open_store(), 0);
	cr_expect_not(health.quarantined);
	cr_expect_eq(usage().meetings, stored + 1);
	fl_store_close(store);
	store = NULL;
	umount(dir);
}

/* --- kill -9 ------------------------------------------------------------------------------------
 */

static bool add_minute(void *ctx, const struct fl_call *call, const struct fl_minute_row *row)
{
	(void)call;
	fl_roll_add(ctx, &row->figures, 1);
	return true;
}

/* Sums are those of the minutes, and every meeting is whole. */
static void check_whole(const struct fill_plan *plan)
{
	struct fl_roll sum = { 0 };
	struct fl_insights in;

	cr_assert_eq(fl_store_each_site_minute(store, plan->site, NOW - 2 * DAY, NOW + DAY,
					       add_minute, &sum),
		     0);
	cr_assert_eq(fl_store_insights(store, plan->site, NOW - 2 * DAY, NOW + DAY, &in), 0);
	cr_expect_eq(sum.minutes, usage().meetings * 150);
	cr_expect_eq(usage().calls, usage().meetings * 5);
	cr_expect_eq(in.total.minutes, sum.minutes);
	cr_expect_eq(memcmp(in.total.sum, sum.sum, sizeof(sum.sum)), 0);
	cr_expect_eq(memcmp(in.total.count, sum.count, sizeof(sum.count)), 0);
	fl_insights_done(&in);
}

/* H25: killed at any moment; what was reported as stored is, and nothing twice. */
Test(store_file, H25_killed_at_any_moment, .timeout = 100)
{
	unsigned int reported = 0;

	for (unsigned int round = 0; round < 50 || reported <= 100; round++) {
		struct fill_plan plan;
		unsigned int first;
		int done[2];
		pid_t pid;

		cr_assert_eq(pipe(done), 0);
		pid = fork();
		if (!pid) {
			int err = open_store();

			plan = plan_of(NOW - DAY, NOW, 4000);
			/* Begin with one that may be there: a poller does not know either. */
			for (unsigned int n = reported ? reported - 1 : 0; !err; n++) {
				err = fill_meetings(store, &plan, n, 1);
				if (!err && write(done[1], &n, sizeof(n)) != sizeof(n))
					break;
			}
			_exit(1);
		}
		close(done[1]);
		/* Every other time while it opens the store; else while it is at work for sure. */
		if (round % 2 && read(done[0], &first, sizeof(first)) == sizeof(first))
			reported = first + 1;
		usleep(2000 + round * 1237 % 40000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		for (unsigned int n; read(done[0], &n, sizeof(n)) == sizeof(n);)
			reported = n + 1;
		close(done[0]);
		cr_assert_eq(open_store(), 0);
		cr_assert_not(health.quarantined);
		plan = plan_of(NOW - DAY, NOW, 4000);
		cr_expect_geq(usage().meetings, reported);
		cr_expect_leq(usage().meetings, reported + 1);
		if (round % 10 == 9)
			check_whole(&plan);
		fl_store_close(store);
		store = NULL;
	}
	cr_assert_gt(reported, 100);
}
