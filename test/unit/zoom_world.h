/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small Zoom with a clock of its own, for the poller: it has meetings, pages them, and misbehaves
 * as told. Answers come at once; time passes only where the poller waits.
 */
#ifndef FL_TEST_UNIT_ZOOM_WORLD_H
#define FL_TEST_UNIT_ZOOM_WORLD_H

#include "agent/zoom/poller.h"
#include "test/zoom/journal.h"

#define WORLD_MEETINGS 400
#define WORLD_START    1720699200 /* 2024-07-11 12:00:00 */

struct world_meeting {
	char uuid[32];
	int64_t start_s, end_s;
	int joins;
	int minutes;
	bool one; /* with one person only */
};

/* Called for a request before the world answers; true: @answer was filled. */
typedef bool (*world_fault_fn)(const char *path, struct fl_zoom_answer *answer);

struct world {
	uint64_t mono_ns, wall_ns;
	int64_t skew_s; /* Zoom's clock less ours */
	struct world_meeting meetings[WORLD_MEETINGS];
	size_t count;
	bool no_end_time;
	bool qss; /* the account has the add-on with summaries */
	int page; /* meetings on a page */
	world_fault_fn fault;
	struct journal journal;
	struct fl_zoom_poller *poller;
	struct fl_zoom_settings settings;
	/* What was asked. */
	unsigned int requests, lists, live_lists, backlog_days, details, participants, qos,
		feedback, users, summaries;
	unsigned int refreshes;
	int64_t oldest_s; /* that was asked for */
	char last[FL_ZOOM_PATH_LEN];
	char *body;
};

extern struct world w;

void world_init(void);
void world_done(void);
/* One that ended @ago seconds before the start. */
struct world_meeting *world_meeting(int64_t ago_s, int joins, int minutes);
void world_poller_start(void);
void world_poller_stop(void);
/* Let so much time pass, sending all that is to be sent. */
void world_run(int64_t seconds);
int64_t world_now_s(void);
struct journal_sum world_sum(void);
struct fl_zoom_status world_status(void);
/* An answer with this status and body, borrowed. */
void world_say(struct fl_zoom_answer *answer, long status, const char *body);

#endif
