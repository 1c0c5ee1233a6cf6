// SPDX-License-Identifier: Apache-2.0
/* Words of a question: see ask_words.h. */
#include "agent/insight/ask_words.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/insight/ask.h"

static bool is_space(char c)
{
	return isspace((unsigned char)c) || c == ',' || c == ';';
}

/* One word from @text on; its length with all that belongs to it. */
static size_t split_word(const char *text, struct fl_word *word)
{
	char quote = *text == '"' || *text == '\'' ? *text : '\0';
	const char *start = text + (quote != '\0'), *end = start;
	size_t len;

	while (*end && (quote ? *end != quote : !is_space(*end)))
		end++;
	len = (size_t)(end - start);
	if (quote && *end == quote)
		end++;
	while (!quote && len > 1 && strchr("?!.", start[len - 1]))
		len--;
	if (len >= FL_WORD_LEN)
		len = FL_WORD_LEN - 1;
	memcpy(word->text, start, len);
	word->text[len] = '\0';
	word->lower[0] = '\0';
	for (size_t i = 0; !quote && i <= len; i++)
		word->lower[i] = (char)tolower((unsigned char)word->text[i]);
	return (size_t)(end - text);
}

int fl_words_split(struct fl_words *words, const char *text)
{
	size_t at = 0;

	memset(words, 0, sizeof(*words));
	if (strnlen(text, FL_ASK_MAX + 1) > FL_ASK_MAX)
		return -E2BIG;
	for (;;) {
		struct fl_word *word = &words->list[words->count];

		while (is_space(text[at]))
			at++;
		if (!text[at])
			return 0;
		if (words->count == FL_WORDS_MAX)
			return -E2BIG;
		word->column = at + 1;
		at += split_word(text + at, word);
		words->count += word->text[0] && strcmp(word->lower, "?") != 0;
	}
}

const struct fl_word *fl_words_peek(const struct fl_words *words, unsigned int ahead)
{
	return words->at + ahead < words->count ? &words->list[words->at + ahead] : NULL;
}

void fl_words_next(struct fl_words *words)
{
	words->at++;
}

bool fl_words_skip(struct fl_words *words, const char *lower)
{
	const struct fl_word *word = fl_words_peek(words, 0);

	if (!word || strcmp(word->lower, lower))
		return false;
	fl_words_next(words);
	return true;
}

/* All of @text is digits, few enough to be a sane number. */
static bool digits(const char *text, unsigned int *ret_number)
{
	size_t len = strlen(text);

	if (!len || len > 6 || strspn(text, "0123456789") != len)
		return false;
	*ret_number = (unsigned int)strtoul(text, NULL, 10);
	return true;
}

bool fl_words_number(struct fl_words *words, unsigned int *ret_number)
{
	static const char *const names[] = { "a",    "one",    "two",   "three", "four",
					     "five", "six",    "seven", "eight", "nine",
					     "ten",  "eleven", "twelve" };
	const struct fl_word *word = fl_words_peek(words, 0);
	unsigned int number = 0;
	bool found;

	if (!word)
		return false;
	found = digits(word->lower, &number);
	for (unsigned int i = 0; !found && i < sizeof(names) / sizeof(names[0]); i++) {
		found = !strcmp(word->lower, names[i]);
		number = i ? i : 1;
	}
	if (!found)
		return false;
	*ret_number = number;
	fl_words_next(words);
	return true;
}

/* --- days ---------------------------------------------------------------------------------------
 */

/* At least three letters of a name, or all of it. */
static int name_index(const char *lower, const char *const *names, int count)
{
	size_t len = strlen(lower);

	for (int i = 0; i < count; i++)
		if (len >= 3 && !strncmp(lower, names[i], len))
			return i;
	return -1;
}

static int month_of(const char *lower)
{
	static const char *const names[] = { "january",   "february", "march",    "april",
					     "may",       "june",     "july",     "august",
					     "september", "october",  "november", "december" };

	return name_index(lower, names, 12) + 1;
}

static int weekday_of(const char *lower)
{
	static const char *const names[] = { "sunday",   "monday", "tuesday", "wednesday",
					     "thursday", "friday", "saturday" };

	return name_index(lower, names, 7);
}

/* "28", "28th" */
static int day_number(const char *lower)
{
	char *end;
	long day = strtol(lower, &end, 10);

	if (!isdigit((unsigned char)lower[0]) || day < 1 || day > 31)
		return 0;
	if (*end && strcmp(end, "st") && strcmp(end, "nd") && strcmp(end, "rd") &&
	    strcmp(end, "th"))
		return 0;
	return (int)day;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100) || year % 400 == 0;
}

static bool is_date(int year, int month, int day)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return year >= 1970 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 &&
	       day <= days[month - 1] && (month != 2 || day != 29 || is_leap(year));
}

/* Without a year it is the last one that has come. */
static int year_of(const struct fl_civil *today, int month, int day)
{
	bool later = month > today->month || (month == today->month && day > today->day);
	int year = today->year - later;

	while (month == 2 && day == 29 && !is_leap(year) && year > 1970)
		year--;
	return year;
}

/* "2024-07-28" */
static bool iso_day(const char *lower, struct fl_civil *day)
{
	int year, month, mday, len = 0;

	if (sscanf(lower, "%4d-%2d-%2d%n", &year, &month, &mday, &len) != 3 || lower[len] ||
	    !is_date(year, month, mday))
		return false;
	*day = (struct fl_civil){ .year = year, .month = month, .day = mday };
	return true;
}

/* "Jul 28 [2024]", "28 [of] July [2024]" */
static bool month_day(struct fl_words *words, const struct fl_civil *today, struct fl_civil *day)
{
	const struct fl_word *first = fl_words_peek(words, 0), *second = fl_words_peek(words, 1);
	unsigned int used = 2, year = 0;
	int month, mday;

	if (second && !strcmp(second->lower, "of"))
		second = fl_words_peek(words, used++);
	if (!second)
		return false;
	month = month_of(first->lower);
	mday = day_number(second->lower);
	if (!month) {
		month = month_of(second->lower);
		mday = day_number(first->lower);
	}
	if (!month || !mday)
		return false;
	second = fl_words_peek(words, used);
	if (second && strlen(second->lower) == 4 && digits(second->lower, &year))
		used++;
	else
		year = (unsigned int)year_of(today, month, mday);
	if (!is_date((int)year, month, mday))
		return false;
	*day = (struct fl_civil){ .year = (int)year, .month = month, .day = mday };
	words->at += used;
	return true;
}

bool fl_words_day(struct fl_words *words, const struct fl_civil *today, struct fl_civil *ret_day)
{
	const struct fl_word *word = fl_words_peek(words, 0);
	int weekday;

	if (!word)
		return false;
	if (month_day(words, today, ret_day))
		return true;
	*ret_day =
		(struct fl_civil){ .year = today->year, .month = today->month, .day = today->day };
	weekday = weekday_of(word->lower);
	if (!strcmp(word->lower, "yesterday"))
		ret_day->day--;
	else if (weekday >= 0)
		ret_day->day -= (today->weekday - weekday + 7) % 7;
	else if (strcmp(word->lower, "today") && !iso_day(word->lower, ret_day))
		return false;
	fl_words_next(words);
	return true;
}

/* --- times --------------------------------------------------------------------------------------
 */

static enum fl_half half_of(const char *text)
{
	if (!strcmp(text, "am") || !strcmp(text, "a.m"))
		return FL_HALF_AM;
	return !strcmp(text, "pm") || !strcmp(text, "p.m") ? FL_HALF_PM : FL_HALF_NONE;
}

/* "10", "10:00", "10:00am" into hours, minutes and what follows. */
static bool clock_parts(const char *lower, int *hour, int *minute, const char **rest)
{
	int len = 0;

	*minute = -1;
	if (!isdigit((unsigned char)lower[0]) || sscanf(lower, "%2d%n", hour, &len) != 1)
		return false;
	*rest = lower + len;
	if (**rest != ':')
		return true;
	if (!isdigit((unsigned char)(*rest)[1]) || !isdigit((unsigned char)(*rest)[2]))
		return false;
	*minute = ((*rest)[1] - '0') * 10 + (*rest)[2] - '0';
	*rest += 3;
	return *minute < 60;
}

bool fl_words_time(struct fl_words *words, int *ret_minutes)
{
	const struct fl_word *word = fl_words_peek(words, 0), *next = fl_words_peek(words, 1);
	enum fl_half half;
	const char *rest;
	int hour, minute;
	bool apart;

	if (!word)
		return false;
	if (!strcmp(word->lower, "noon") || !strcmp(word->lower, "midnight")) {
		*ret_minutes = word->lower[0] == 'n' ? 12 * 60 : 0;
		fl_words_next(words);
		return true;
	}
	if (!clock_parts(word->lower, &hour, &minute, &rest))
		return false;
	apart = !*rest && next && half_of(next->lower) != FL_HALF_NONE;
	half = half_of(apart ? next->lower : rest);
	if ((*rest && half == FL_HALF_NONE) || (half == FL_HALF_NONE && minute < 0))
		return false;
	if (half == FL_HALF_NONE ? hour > 23 : hour < 1 || hour > 12)
		return false;
	if (half != FL_HALF_NONE)
		hour = hour % 12 + (half == FL_HALF_PM ? 12 : 0);
	*ret_minutes = hour * 60 + (minute < 0 ? 0 : minute);
	words->half_before = words->last_half;
	words->last_half = half;
	words->at += 1 + apart;
	return true;
}

bool fl_words_hour(struct fl_words *words, int *ret_minutes)
{
	const struct fl_word *word = fl_words_peek(words, 0);
	unsigned int hour;

	if (fl_words_time(words, ret_minutes))
		return true;
	if (!word || !digits(word->lower, &hour) || hour > 23)
		return false;
	*ret_minutes = (int)hour * 60;
	words->half_before = words->last_half;
	words->last_half = FL_HALF_NONE;
	fl_words_next(words);
	return true;
}

/* --- vocabulary ---------------------------------------------------------------------------------
 */

static const struct {
	const char *word;
	enum fl_meaning meaning;
} vocabulary[] = {
	{ "list", FL_MEANS_LIST },
	{ "show", FL_MEANS_LIST },
	{ "find", FL_MEANS_LIST },
	{ "get", FL_MEANS_LIST },
	{ "which", FL_MEANS_LIST },
	{ "troubleshoot", FL_MEANS_TROUBLESHOOT },
	{ "diagnose", FL_MEANS_TROUBLESHOOT },
	{ "explain", FL_MEANS_TROUBLESHOOT },
	{ "why", FL_MEANS_TROUBLESHOOT },
	{ "help", FL_MEANS_HELP },
	{ "call", FL_MEANS_CALLS },
	{ "calls", FL_MEANS_CALLS },
	{ "meeting", FL_MEANS_CALLS },
	{ "meetings", FL_MEANS_CALLS },
	{ "session", FL_MEANS_CALLS },
	{ "sessions", FL_MEANS_CALLS },
	{ "clients", FL_MEANS_CLIENTS },
	{ "users", FL_MEANS_CLIENTS },
	{ "hosts", FL_MEANS_CLIENTS },
	{ "devices", FL_MEANS_CLIENTS },
	{ "bad", FL_MEANS_BAD },
	{ "poor", FL_MEANS_BAD },
	{ "zoom", FL_MEANS_NOTHING },
	{ "application", FL_MEANS_NOTHING },
	{ "app", FL_MEANS_NOTHING },
	{ "video", FL_MEANS_NOTHING },
	{ "quality", FL_MEANS_NOTHING },
	{ "all", FL_MEANS_NOTHING },
	{ "any", FL_MEANS_NOTHING },
	{ "the", FL_MEANS_NOTHING },
	{ "a", FL_MEANS_NOTHING },
	{ "me", FL_MEANS_NOTHING },
	{ "my", FL_MEANS_NOTHING },
	{ "please", FL_MEANS_NOTHING },
	{ "was", FL_MEANS_NOTHING },
	{ "were", FL_MEANS_NOTHING },
	{ "is", FL_MEANS_NOTHING },
	{ "are", FL_MEANS_NOTHING },
	{ "had", FL_MEANS_NOTHING },
	{ "that", FL_MEANS_NOTHING },
	{ "there", FL_MEANS_NOTHING },
	{ "so", FL_MEANS_NOTHING },
};

enum fl_meaning fl_words_meaning(struct fl_words *words)
{
	const struct fl_word *word = fl_words_peek(words, 0);

	for (size_t i = 0; word && i < sizeof(vocabulary) / sizeof(vocabulary[0]); i++) {
		if (strcmp(word->lower, vocabulary[i].word))
			continue;
		fl_words_next(words);
		return vocabulary[i].meaning;
	}
	return FL_MEANS_UNKNOWN;
}

bool fl_word_is_name(const struct fl_word *word)
{
	for (const char *c = word->text; *c; c++)
		if (!isalnum((unsigned char)*c) &&
		    !strchr(word->lower[0] ? "._:-" : "._:- '()", *c))
			return false;
	return word->text[0] != '\0';
}

bool fl_word_is_device(const struct fl_word *word)
{
	return fl_word_is_name(word) &&
	       (!word->lower[0] || word->text[strcspn(word->text, "0123456789._:-")] != '\0');
}
