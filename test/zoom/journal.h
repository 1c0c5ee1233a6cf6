/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sink for tests: counts what it is given, and appends each transaction as one line to a file,
 * which it reads when it is made. So it survives kill -9 as a store must.
 */
#ifndef FL_TEST_ZOOM_JOURNAL_H
#define FL_TEST_ZOOM_JOURNAL_H

#include <stdio.h>

#include "agent/base/hash.h"
#include "agent/zoom/sink.h"

struct journal_join {
	UT_hash_handle hh;
	char key[FL_ZOOM_KEY_LEN];
	int64_t first;     /* minute */
	uint8_t seen[512]; /* a bit for each minute from there on */
};

struct journal_meeting {
	UT_hash_handle hh;
	char id[2 * FL_ZOOM_KEY_LEN]; /* account and uuid */
	bool ended;                   /* stored since it ended */
	bool open;                    /* work is left */
	bool has_start;
	struct fl_zoom_work work;
	struct journal_join *joins;
	unsigned int feedback; /* bits of seconds modulo 32: enough to tell a few apart */
	unsigned int puts;
	unsigned int dropped;
};

struct journal {
	struct fl_zoom_sink sink;
	struct journal_meeting *meetings;
	char account[FL_ZOOM_KEY_LEN];
	char *state;
	FILE *file; /* NULL: memory only */
	int fail;   /* what everything that writes returns, 0: it works */
	bool (*wanted)(const struct fl_zoom_join *join);
	/* The last put, for tests that look closer. */
	void (*look)(void *ctx, const struct fl_zoom_put *put);
	void *look_ctx;
	unsigned int forgotten; /* accounts */
};

/* @path NULL: memory only. Return: 0 or -errno. */
int journal_init(struct journal *j, const char *path);
void journal_done(struct journal *j);

/* One line each: uuid, joins, minutes, feedback, "done" or "open". */
void journal_dump(struct journal *j, FILE *to);

struct journal_sum {
	unsigned int meetings, open, joins, minutes, feedback;
};

struct journal_sum journal_sum(const struct journal *j);

#endif
