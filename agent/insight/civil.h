/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calendar time of a site. A zone is a name of the tz database; it is switched in and out of the
 * process, which therefore must have one thread that asks.
 */
#ifndef FL_AGENT_INSIGHT_CIVIL_H
#define FL_AGENT_INSIGHT_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

#define FL_ZONE_LEN 48

/* Local time; fields may run over their ends: day 32 is the first of the next month. */
struct fl_civil {
	int year;
	int month; /* 1..12 */
	int day;   /* 1..31 */
	int hour;
	int minute;
	int second;
	int weekday; /* 0 Sunday; when read */
};

struct fl_zone {
	char name[FL_ZONE_LEN]; /* "" is UTC */
};

/* Is it a name of the tz database? */
bool fl_zone_is_known(const char *name);

/* The first such second, if clocks are set back over it. */
int64_t fl_civil_to_epoch(const struct fl_zone *zone, const struct fl_civil *civil);
struct fl_civil fl_civil_of(const struct fl_zone *zone, int64_t epoch_s);

/* "Jul 28, 10:00 AM" into @buf, which is returned. */
const char *fl_civil_format(const struct fl_zone *zone, int64_t epoch_s, char buf[32]);

extern const char *const fl_month_names[12]; /* "Jan" */

#endif
