/* SPDX-License-Identifier: Apache-2.0 */
/* Words of a question: splitting, numbers, days, times, vocabulary. Private to ask.c. */
#ifndef FL_AGENT_INSIGHT_ASK_WORDS_H
#define FL_AGENT_INSIGHT_ASK_WORDS_H

#include <stddef.h>

#include "agent/insight/civil.h"

#define FL_WORD_LEN  64
#define FL_WORDS_MAX 64

struct fl_word {
	char text[FL_WORD_LEN];  /* as written, without quotes and punctuation around it */
	char lower[FL_WORD_LEN]; /* "" if it was quoted: then it is a name */
	size_t column;
};

enum fl_half {
	FL_HALF_NONE,
	FL_HALF_AM,
	FL_HALF_PM,
};

struct fl_words {
	struct fl_word list[FL_WORDS_MAX];
	unsigned int count;
	unsigned int at;
	enum fl_half last_half;   /* of the time taken last */
	enum fl_half half_before; /* of the one before */
};

enum fl_meaning {
	FL_MEANS_UNKNOWN,
	FL_MEANS_NOTHING, /* may stand anywhere */
	FL_MEANS_LIST,
	FL_MEANS_TROUBLESHOOT,
	FL_MEANS_HELP,
	FL_MEANS_CALLS,
	FL_MEANS_CLIENTS,
	FL_MEANS_BAD,
};

/* Return: 0, -E2BIG. */
int fl_words_split(struct fl_words *words, const char *text);

/* The word @ahead of the next one; NULL behind the end. */
const struct fl_word *fl_words_peek(const struct fl_words *words, unsigned int ahead);
void fl_words_next(struct fl_words *words);

/* These take words off only if they return true. */
bool fl_words_skip(struct fl_words *words, const char *lower);
bool fl_words_number(struct fl_words *words, unsigned int *ret_number);
/* "today", "Jul 28", "28 July 2024", "2024-07-28", "Monday": never later than @today. */
bool fl_words_day(struct fl_words *words, const struct fl_civil *today, struct fl_civil *ret_day);
/* "10:00 AM", "2 pm", "14:30", "noon": minutes of the day. A bare number is none. */
bool fl_words_time(struct fl_words *words, int *ret_minutes);
/* The same, and "10" too: where it can be nothing else. */
bool fl_words_hour(struct fl_words *words, int *ret_minutes);
/* Takes the word unless it is unknown. */
enum fl_meaning fl_words_meaning(struct fl_words *words);

/* May be a host's or site's name, a MAC, or an address. */
bool fl_word_is_name(const struct fl_word *word);
/* Can hardly be anything else: quoted, or with digits, dots, dashes or colons in it. */
bool fl_word_is_device(const struct fl_word *word);

#endif
