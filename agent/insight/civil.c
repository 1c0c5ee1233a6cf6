// SPDX-License-Identifier: Apache-2.0
/* Local time by libc's reading of the tz database: see civil.h. */
#include "agent/insight/civil.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *const fl_month_names[12] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

/* What the process had before, to be put back. */
struct saved {
	char *tz;
	bool was_set;
};

static struct saved enter(const struct fl_zone *zone)
{
	const char *old = getenv("TZ");
	struct saved saved = { old ? strdup(old) : NULL, old != NULL };
	char value[FL_ZONE_LEN + 1];

	snprintf(value, sizeof(value), ":%s", zone->name[0] ? zone->name : "UTC");
	setenv("TZ", value, 1);
	tzset();
	return saved;
}

static void leave(struct saved *saved)
{
	if (saved->was_set && saved->tz)
		setenv("TZ", saved->tz, 1);
	else
		unsetenv("TZ");
	free(saved->tz);
	tzset();
}

bool fl_zone_is_known(const char *name)
{
	char path[128];

	if (!name[0] || strlen(name) >= FL_ZONE_LEN || strstr(name, "..") || name[0] == '/')
		return false;
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("/_+-", *c))
			return false;
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	return access(path, R_OK) == 0;
}

int64_t fl_civil_to_epoch(const struct fl_zone *zone, const struct fl_civil *civil)
{
	struct tm tm = { .tm_year = civil->year - 1900,
			 .tm_mon = civil->month - 1,
			 .tm_mday = civil->day,
			 .tm_hour = civil->hour,
			 .tm_min = civil->minute,
			 .tm_sec = civil->second,
			 .tm_isdst = -1 };
	struct saved saved;
	time_t t;

	if (!zone->name[0])
		return timegm(&tm);
	saved = enter(zone);
	t = mktime(&tm);
	leave(&saved);
	return t;
}

struct fl_civil fl_civil_of(const struct fl_zone *zone, int64_t epoch_s)
{
	time_t t = epoch_s;
	struct saved saved;
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	if (!zone->name[0]) {
		gmtime_r(&t, &tm);
	} else {
		saved = enter(zone);
		localtime_r(&t, &tm);
		leave(&saved);
	}
	return (struct fl_civil){ tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
				  tm.tm_min,         tm.tm_sec,     tm.tm_wday };
}

const char *fl_civil_format(const struct fl_zone *zone, int64_t epoch_s, char buf[32])
{
	struct fl_civil c = fl_civil_of(zone, epoch_s);

	snprintf(buf, 32, "%s %d, %d:%02d %s", fl_month_names[(c.month + 11) % 12], c.day,
		 c.hour % 12 ? c.hour % 12 : 12, c.minute, c.hour < 12 ? "AM" : "PM");
	return buf;
}
