/* SPDX-License-Identifier: Apache-2.0 */
/* Stores with something in them: the correlation fixture, or any number of synthetic minutes. */
#ifndef FL_TEST_INSIGHT_FILL_H
#define FL_TEST_INSIGHT_FILL_H

#include "agent/insight/ingest.h"

/* The fixture by way of ingest; ends the program on any error. Sites are numbered from 1. */
#define FILL_HQ      1
#define FILL_BRANCH  2
#define FILL_MEETING "RCCCPP3m8cJrMPkOx90B5A=="
#define FILL_NUMBER  84120657733
#define FILL_START_S 1720708200 /* 2024-07-11 14:30 UTC */
#define FILL_ACCOUNT "7000012345"

void fill_fixture(struct fl_store *store);
/* Its parts: what routers tell, */
void fill_fixture_router(struct fl_store *store);
/* and what Zoom tells. Again, with the figures that a resync would bring: all the same. */
int fill_fixture_meeting(struct fl_store *store);

struct fill_plan {
	uint32_t account;
	uint32_t site;
	uint32_t path;
	unsigned int clients; /* of the site, in turn */
	unsigned int joins;   /* of one meeting */
	unsigned int minutes; /* of one join */
	int64_t from_s;       /* meetings begin evenly between these */
	int64_t to_s;
	unsigned int meetings;
};

/* Meetings number @first to @first + @count - 1 of a plan; 0 or -errno. */
int fill_meetings(struct fl_store *store, const struct fill_plan *plan, unsigned int first,
		  unsigned int count);

#endif
