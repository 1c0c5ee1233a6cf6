// SPDX-License-Identifier: Apache-2.0
/* Zoom's texts for times: see when.h. */
#include "agent/zoom/when.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Days since 1970 of a date of the Gregorian calendar, years from March on so that leap days are
 * last. */
static int64_t days_from(int64_t year, int64_t month, int64_t day)
{
	int64_t era, year_of_era, day_of_year;

	year -= month <= 2;
	era = year / 400;
	year_of_era = year - era * 400;
	day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

/* Exactly @count digits. */
static bool digits(const char **at, int count, int *ret)
{
	*ret = 0;
	for (int i = 0; i < count; i++, (*at)++) {
		if (!isdigit((unsigned char)**at))
			return false;
		*ret = *ret * 10 + (**at - '0');
	}
	return true;
}

static bool literal(const char **at, char c)
{
	return *(*at)++ == c;
}

static bool clock_time(const char **at, int64_t *ret_s)
{
	int hour, minute, second;

	if (!digits(at, 2, &hour) || !literal(at, ':') || !digits(at, 2, &minute) ||
	    !literal(at, ':') || !digits(at, 2, &second) || hour > 23 || minute > 59 || second > 60)
		return false;
	*ret_s = hour * 3600 + minute * 60 + second;
	return true;
}

/* "Z" or "+hh:mm", with or without the colon. */
static bool zone(const char *at, int *ret_offset_s)
{
	int sign, hour, minute = 0;

	if (*at == 'Z' || *at == 'z') {
		*ret_offset_s = 0;
		return !at[1];
	}
	if (*at != '+' && *at != '-')
		return false;
	sign = *at++ == '-' ? -1 : 1;
	if (!digits(&at, 2, &hour))
		return false;
	if (*at == ':')
		at++;
	if (!digits(&at, 2, &minute) || *at || hour > 15 || minute > 59)
		return false;
	*ret_offset_s = sign * (hour * 3600 + minute * 60);
	return true;
}

bool fl_zoom_when_parse(const char *text, int64_t *ret_ms)
{
	int year, month, day, offset, ms = 0;
	const char *at = text;
	int64_t s;

	if (!text || !digits(&at, 4, &year) || !literal(&at, '-') || !digits(&at, 2, &month) ||
	    !literal(&at, '-') || !digits(&at, 2, &day) || year < 1970 || month < 1 || month > 12 ||
	    day < 1 || day > 31)
		return false;
	if (*at != 'T' && *at != 't' && *at != ' ')
		return false;
	at++;
	if (!clock_time(&at, &s))
		return false;
	if (*at == '.' || *at == ',') {
		int scale = 100;

		if (!isdigit((unsigned char)*++at))
			return false;
		for (; isdigit((unsigned char)*at); at++, scale /= 10)
			ms += (*at - '0') * scale;
	}
	if (!zone(at, &offset))
		return false;
	*ret_ms = (days_from(year, month, day) * FL_ZOOM_DAY_S + s - offset) * 1000 + ms;
	return true;
}

int64_t fl_zoom_when_s(const char *text)
{
	int64_t ms;

	return fl_zoom_when_parse(text, &ms) ? ms / 1000 : 0;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static int64_t http_date(const char *text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *at = strchr(text, ','), *found;
	char name[4] = { 0 };
	int day, year;
	int64_t s;

	if (!at || at[1] != ' ')
		return 0;
	at += 2;
	if (!digits(&at, 2, &day) || !literal(&at, ' ') || strlen(at) < 4)
		return 0;
	memcpy(name, at, 3);
	found = strstr(months, name);
	at += 3;
	if (!found || (found - months) % 3 || !literal(&at, ' ') || !digits(&at, 4, &year) ||
	    !literal(&at, ' ') || !clock_time(&at, &s) || strcmp(at, " GMT") || year < 1970)
		return 0;
	return days_from(year, (found - months) / 3 + 1, day) * FL_ZOOM_DAY_S + s;
}

int64_t fl_zoom_when_header(const char *text, int64_t now_s)
{
	int64_t ms;
	char *end;
	long s;

	if (!text)
		return 0;
	while (*text == ' ')
		text++;
	if (fl_zoom_when_parse(text, &ms))
		return ms / 1000;
	if (isdigit((unsigned char)*text)) {
		s = strtol(text, &end, 10);
		/* Digits alone: "2027-05-31" is not 2027 seconds. */
		return !*end && s >= 0 && s < INT32_MAX ? now_s + s : 0;
	}
	return http_date(text);
}

void fl_zoom_when_format(int64_t s, char buf[FL_ZOOM_WHEN_LEN])
{
	int64_t days = s / FL_ZOOM_DAY_S, rest = s % FL_ZOOM_DAY_S;
	int64_t era, of_era, year_of_era, day_of_year, month;

	/* The inverse of days_from(). */
	days += 719468;
	era = days / 146097;
	of_era = days - era * 146097;
	year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	month = (5 * day_of_year + 2) / 153;
	snprintf(buf, FL_ZOOM_WHEN_LEN, "%04d-%02d-%02d %02d:%02d:%02d",
		 (int)(year_of_era + era * 400 + (month >= 10)) % 10000,
		 (int)(month < 10 ? month + 3 : month - 9) % 100,
		 (int)(day_of_year - (153 * month + 2) / 5 + 1) % 100, (int)(rest / 3600) % 100,
		 (int)(rest / 60 % 60), (int)(rest % 60));
}

int64_t fl_zoom_when_next_day(int64_t s)
{
	return (s / FL_ZOOM_DAY_S + 1) * FL_ZOOM_DAY_S;
}
