// SPDX-License-Identifier: Apache-2.0
/* The export's queue on disk: order, restarts, bounds, acknowledgements, damage. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/export/queue.h"

#define MB (1U << 20)

static char dir[64];
static struct fl_queue *q;

static void begin(void)
{
	char tmp[] = "/tmp/fl-queue-XXXXXX";

	cr_assert_not_null(mkdtemp(tmp));
	snprintf(dir, sizeof(dir), "%s/q", tmp);
	cr_assert_eq(fl_queue_open(dir, 64 * MB, &q), 0);
}

static void end(void)
{
	char command[128];

	fl_queue_close(q);
	snprintf(command, sizeof(command), "rm -rf %.*s", (int)(strlen(dir) - 2), dir);
	cr_assert_eq(system(command), 0);
}

static void again(uint64_t max_bytes)
{
	fl_queue_close(q);
	cr_assert_eq(fl_queue_open(dir, max_bytes, &q), 0);
}

static void put(unsigned int count)
{
	struct fl_export_record r = { .type = FL_EXPORT_EVENT };

	memset(r.event.detail, 'd', sizeof(r.event.detail) - 1);
	snprintf(r.event.kind, sizeof(r.event.kind), "K");
	while (count--) {
		r.event.at_s++;
		fl_queue_put(q, &r);
	}
	fl_queue_flush(q);
}

/* Read what there is; numbers must follow each other, but for gaps that are allowed. Returns how
 * many; *ret_first and *ret_last are their numbers. */
static uint64_t read_all(uint64_t *ret_first, uint64_t *ret_last)
{
	static char buf[65536];
	uint64_t count = 0, seq;
	size_t len;

	*ret_first = *ret_last = 0;
	while ((len = fl_queue_read(q, buf, sizeof(buf)))) {
		for (char *line = buf, *nl; line < buf + len; line = nl + 1) {
			struct fl_export_record r;

			nl = memchr(line, '\n', (size_t)(buf + len - line));
			cr_assert_not_null(nl, "whole lines only");
			cr_assert_eq(fl_export_decode(line, (size_t)(nl - line), &r, &seq), 0);
			cr_assert_gt(seq, *ret_last, "in order");
			*ret_first = *ret_first ? *ret_first : seq;
			*ret_last = seq;
			count++;
		}
	}
	return count;
}

static struct fl_queue_stats stats(void)
{
	struct fl_queue_stats s;

	fl_queue_stats(q, &s);
	return s;
}

static unsigned int files(void)
{
	DIR *d = opendir(dir);
	unsigned int count = 0;

	for (const struct dirent *e; (e = readdir(d));)
		count += strstr(e->d_name, ".jsonl") != NULL;
	closedir(d);
	return count;
}

static void expect_read(uint64_t count, uint64_t first, uint64_t last)
{
	uint64_t got_first, got_last, got = read_all(&got_first, &got_last);

	cr_expect_eq(got, count, "%lu read, not %lu", got, count);
	cr_expect_eq(got_first, first, "from %lu, not %lu", got_first, first);
	cr_expect_eq(got_last, last, "to %lu, not %lu", got_last, last);
}

TestSuite(export_queue, .init = begin, .fini = end);

Test(export_queue, first_in_first_out)
{
	struct stat st;

	expect_read(0, 0, 0);
	put(3);
	expect_read(3, 1, 3);
	expect_read(0, 0, 0);
	put(2);
	expect_read(2, 4, 5);
	fl_queue_rewind(q);
	expect_read(5, 1, 5);
	cr_assert_eq(stat(dir, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0700);
}

Test(export_queue, what_is_acknowledged_is_gone)
{
	put(20000);
	cr_assert_gt(files(), 1);
	fl_queue_ack(q, 15000);
	fl_queue_rewind(q);
	expect_read(5000, 15001, 20000);
	fl_queue_ack(q, 99999);
	cr_expect_eq(stats().acked, 15000, "of what was never sent nothing is believed");
	fl_queue_ack(q, 10);
	cr_expect_eq(stats().acked, 15000);
	fl_queue_ack(q, 20000);
	cr_expect_eq(files(), 0);
	cr_expect_eq(stats().bytes, 0);
	put(1);
	expect_read(1, 20001, 20001);
	cr_expect_eq(stats().dropped, 0);
}

Test(export_queue, another_process_goes_on)
{
	put(5000);
	fl_queue_ack(q, 1234);
	fl_queue_flush(q);
	again(64 * MB);
	expect_read(3766, 1235, 5000);
	put(10);
	expect_read(10, 5001, 5010);
	again(64 * MB);
	cr_expect_eq(stats().written, 5010);
	/* All of it acknowledged: numbers do not begin anew. */
	fl_queue_ack(q, 5010);
	again(64 * MB);
	put(1);
	expect_read(1, 5011, 5011);
}

/* Issue 4, section 3: bounded, the oldest goes first, drops are counted, also over restarts. */
Test(export_queue, bound_and_drops)
{
	struct fl_queue_stats s;

	again(MB);
	put(20000);
	s = stats();
	cr_expect_leq(s.bytes, MB + 65536, "%lu", s.bytes);
	cr_expect_gt(s.bytes, MB - 2 * 262144, "not more is dropped than must be: %lu", s.bytes);
	cr_expect_gt(s.dropped, 0);
	expect_read(20000 - s.dropped, s.dropped + 1, 20000);
	again(MB);
	cr_expect_eq(stats().dropped, s.dropped);
	/* What was acknowledged and goes is not lost. */
	fl_queue_ack(q, 20000);
	put(1000);
	cr_expect_eq(stats().dropped, s.dropped);
}

/* A reader that is slower than what comes in: it goes on behind what was dropped. */
Test(export_queue, reader_is_overtaken)
{
	static char buf[FL_EXPORT_LINE_MAX];
	uint64_t first, last;

	again(MB);
	put(100);
	cr_assert_gt(fl_queue_read(q, buf, sizeof(buf)), 0);
	put(20000);
	cr_expect_gt(read_all(&first, &last), 0);
	cr_expect_eq(first, stats().dropped + 1);
	cr_expect_eq(last, 20100);
}

/* An hour without insightd: 16 paths and 20 sessions of a call each second, told of once a minute.
 */
Test(export_queue, an_hour_fits)
{
	struct fl_export_record r = { .type = FL_EXPORT_SESSION };

	r.session.client.family = r.session.remote.family = r.session.nat.family = 4;
	r.session.step_count = 1;
	memcpy(r.session.app, "zoom", 5);
	snprintf(r.session.steps[0].path, FL_EXPORT_NAME_LEN, "datacenter-1/broadband");
	for (unsigned int i = 0; i < 60 * (16 + 20 * 60); i++) {
		r.session.bytes = 1000000000 + i;
		r.session.steps[0].since_s = r.session.start_s = 1700000000;
		fl_queue_put(q, &r);
	}
	fl_queue_flush(q);
	cr_expect_eq(stats().dropped, 0);
	expect_read(60 * (16 + 20 * 60), 1, 60 * (16 + 20 * 60));
}

static void damage(const char *name, off_t size, const char *more)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	cr_assert_geq(fd, 0);
	if (size >= 0)
		cr_assert_eq(ftruncate(fd, size), 0);
	cr_assert_eq(write(fd, more, strlen(more)), (ssize_t)strlen(more));
	close(fd);
}

/* Power was lost in the middle of a line. */
Test(export_queue, half_a_line)
{
	put(3);
	fl_queue_close(q);
	damage("00000000000000000001.jsonl", -1, "{\"seq\":4,\"ty");
	cr_assert_eq(fl_queue_open(dir, 64 * MB, &q), 0);
	put(1);
	expect_read(4, 1, 4);
}

/* It was lost after a record had been acknowledged and before it was on disk. */
Test(export_queue, numbers_are_never_used_twice)
{
	put(10);
	fl_queue_ack(q, 7);
	fl_queue_flush(q);
	fl_queue_close(q);
	damage("00000000000000000001.jsonl", 0, "");
	cr_assert_eq(fl_queue_open(dir, 64 * MB, &q), 0);
	put(1);
	expect_read(1, 8, 8);
}

Test(export_queue, a_state_that_cannot_be_read_costs_a_repetition)
{
	put(10);
	fl_queue_ack(q, 7);
	fl_queue_flush(q);
	fl_queue_close(q);
	damage("state", 0, "nonsense");
	cr_assert_eq(fl_queue_open(dir, 64 * MB, &q), 0);
	expect_read(10, 1, 10);
}

/* The disk is full, here: the folder is gone. What cannot be kept is counted, and it goes on after.
 */
Test(export_queue, a_disk_that_takes_nothing)
{
	char moved[80];
	struct fl_queue_stats s;

	put(1);
	again(64 * MB);
	snprintf(moved, sizeof(moved), "%s.away", dir);
	cr_assert_eq(rename(dir, moved), 0);
	put(5);
	s = stats();
	cr_expect_eq(s.dropped, 5);
	cr_assert_eq(rename(moved, dir), 0);
	put(2);
	cr_expect_eq(stats().dropped, 5);
	expect_read(3, 1, 8);
}
