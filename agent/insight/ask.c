// SPDX-License-Identifier: Apache-2.0
/*
 * The grammar: see ask.h. Words are taken from left to right; each clause takes as many as it
 * understands, and a word that begins none is an error.
 */
#include "agent/insight/ask.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/insight/ask_words.h"

#define DAY_S 86400

const char *const fl_ask_examples[] = {
	"list zoom calls for last 7 days",
	"list bad zoom calls in last 7 days",
	"list bad calls at site hq yesterday",
	"list clients for last 24 hours",
	"troubleshoot application Zoom for MATEO-MBP on Jul 28",
	"troubleshoot application Zoom for MATEO-MBP on Jul 28 between 10:00 AM to 10:28 AM",
	"why was zoom bad for 10.20.7.118 today after 2 pm",
	"troubleshoot zoom for 0a:1b:2c:3d:4e:02 yesterday page 2",
	NULL,
};

/* What is known of the time that is asked for. */
struct when {
	bool from_day, to_day; /* days were named */
	struct fl_civil from, to;
	bool from_time, to_time; /* minutes of the day */
	int from_min, to_min;
	bool at;        /* one moment */
	int64_t last_s; /* this long until now; 0: not said */
};

struct parser {
	struct fl_words words;
	const struct fl_zone *zone;
	int64_t now_s;
	struct fl_civil today;
	struct when when;
	bool has_kind, has_noun;
	struct fl_ask *ask;
	struct fl_ask_error *why;
};

/* The next word, and what is wrong with it. */
static int fail(struct parser *p, const char *what)
{
	const struct fl_word *word = fl_words_peek(&p->words, 0);

	if (word) {
		snprintf(p->why->problem, sizeof(p->why->problem), "\"%s\" %s", word->text, what);
		p->why->column = word->column;
	} else {
		snprintf(p->why->problem, sizeof(p->why->problem),
			 "The question ends too early: something is missing after \"%s\".",
			 p->words.count ? p->words.list[p->words.count - 1].text : "");
	}
	return -EINVAL;
}

/* --- times --------------------------------------------------------------------------------------
 */

static int take_day(struct parser *p, struct fl_civil *day)
{
	return fl_words_day(&p->words, &p->today, day);
}

/* A day, a time, or both in either order; @to: the end of a span. */
static bool take_point(struct parser *p, bool to)
{
	struct when *w = &p->when;
	bool day = take_day(p, to ? &w->to : &w->from);
	bool time;

	if (day)
		fl_words_skip(&p->words, "at");
	time = fl_words_hour(&p->words, to ? &w->to_min : &w->from_min);
	if (time && !day)
		day = fl_words_skip(&p->words, "on") ? take_day(p, to ? &w->to : &w->from) : false;
	*(to ? &w->to_day : &w->from_day) |= day;
	*(to ? &w->to_time : &w->from_time) |= time;
	return day || time;
}

/* "between A and B", "from A to B". "10 to 11 am": the first borrows the half of the day. */
static int take_span(struct parser *p)
{
	struct when *w = &p->when;
	bool had_day = w->from_day;
	struct fl_civil day = w->from;

	if (!take_point(p, false))
		return fail(p, "is neither a day nor a time.");
	if (!fl_words_skip(&p->words, "and") && !fl_words_skip(&p->words, "to") &&
	    !fl_words_skip(&p->words, "until") && !fl_words_skip(&p->words, "-"))
		return fail(p, "stands where \"and\" or \"to\" was expected.");
	if (!take_point(p, true))
		return fail(p, "is neither a day nor a time.");
	if (w->from_time && w->to_time && p->words.last_half != FL_HALF_NONE &&
	    p->words.half_before == FL_HALF_NONE && w->from_min < 12 * 60 &&
	    p->words.last_half == FL_HALF_PM && w->from_min + 12 * 60 < w->to_min)
		w->from_min += 12 * 60;
	if (had_day && !w->to_day)
		w->from = day;
	return 0;
}

/* "last 7 days"; "last" is taken already. */
static int take_last(struct parser *p)
{
	static const struct {
		const char *word;
		int64_t seconds;
	} units[] = { { "minute", 60 },
		      { "hour", 3600 },
		      { "day", DAY_S },
		      { "week", 7 * DAY_S },
		      { "month", 30 * DAY_S } };
	unsigned int number = 1;
	const struct fl_word *unit;

	(void)fl_words_number(&p->words, &number);
	unit = fl_words_peek(&p->words, 0);
	for (size_t i = 0; unit && i < sizeof(units) / sizeof(units[0]); i++) {
		size_t len = strlen(units[i].word);

		if (strncmp(unit->lower, units[i].word, len) ||
		    strcmp(unit->lower + len, unit->lower[len] ? "s" : ""))
			continue;
		p->when.last_s = (int64_t)number * units[i].seconds;
		if (!number || p->when.last_s > 400LL * DAY_S)
			return fail(p,
				    "reach back further than what is kept: ask for up to a year.");
		fl_words_next(&p->words);
		return 0;
	}
	return fail(p, "is no unit of time: say minutes, hours, days, weeks or months.");
}

static int take_since(struct parser *p)
{
	struct fl_civil now = p->today;

	if (!take_point(p, false))
		return fail(p, "is neither a day nor a time.");
	if (p->when.from_day) {
		p->when.to_day = p->when.to_time = true;
		p->when.to = now;
		p->when.to_min = now.hour * 60 + now.minute + 1;
	}
	return 0;
}

/* Clauses that say when. Return: 1 if one was taken, 0 if not, -EINVAL. */
static int take_when(struct parser *p)
{
	struct fl_words *w = &p->words;

	if (fl_words_skip(w, "last") || fl_words_skip(w, "past") || fl_words_skip(w, "previous"))
		return take_last(p) < 0 ? -EINVAL : 1;
	if (fl_words_skip(w, "between") || fl_words_skip(w, "from"))
		return take_span(p) < 0 ? -EINVAL : 1;
	if (fl_words_skip(w, "since"))
		return take_since(p) < 0 ? -EINVAL : 1;
	if (fl_words_skip(w, "after")) {
		if (!fl_words_time(w, &p->when.from_min))
			return fail(p, "is no time of the day.");
		p->when.from_time = true;
		return 1;
	}
	if (fl_words_skip(w, "before")) {
		if (!fl_words_time(w, &p->when.to_min))
			return fail(p, "is no time of the day.");
		p->when.to_time = true;
		return 1;
	}
	if (fl_words_time(w, &p->when.from_min)) {
		p->when.from_time = p->when.at = true;
		return 1;
	}
	if (take_day(p, &p->when.from)) {
		p->when.from_day = true;
		return 1;
	}
	return 0;
}

static int64_t epoch(const struct parser *p, struct fl_civil day, int minute)
{
	day.hour = 0;
	day.minute = minute;
	day.second = 0;
	return fl_civil_to_epoch(p->zone, &day);
}

/* From clauses to seconds. */
static int resolve_when(struct parser *p)
{
	struct when *w = &p->when;
	struct fl_ask *a = p->ask;
	bool troubleshoot = a->kind == FL_ASK_TROUBLESHOOT;

	a->has_times = w->from_time || w->to_time;
	if (w->last_s || (!w->from_day && !w->to_day && !a->has_times && !troubleshoot)) {
		a->from_s = p->now_s - (w->last_s ? w->last_s : DAY_S);
		a->to_s = p->now_s;
		return 0;
	}
	if (!w->from_day)
		w->from = w->to_day ? w->to : p->today;
	if (!w->to_day)
		w->to = w->from;
	a->from_s = epoch(p, w->from, w->from_time ? w->from_min : 0);
	a->to_s = epoch(p, w->to, w->to_time ? w->to_min : 24 * 60);
	if (w->at && !w->to_time)
		a->to_s = a->from_s + 60;
	/* From 11 PM to 1 AM. */
	if (a->to_s <= a->from_s && w->from_time && w->to_time && !w->to_day) {
		w->to.day++;
		a->to_s = epoch(p, w->to, w->to_min);
	}
	if (a->to_s > a->from_s)
		return 0;
	snprintf(p->why->problem, sizeof(p->why->problem), "That time ends before it begins.");
	return -EINVAL;
}

/* --- clauses ------------------------------------------------------------------------------------
 */

static int take_name(struct parser *p, char name[FL_ASK_NAME_LEN], const char *what)
{
	const struct fl_word *word = fl_words_peek(&p->words, 0);

	if (!word)
		return fail(p, "");
	if (name[0] && strcmp(name, word->text)) {
		snprintf(p->why->problem, sizeof(p->why->problem), "Two %ss: \"%s\" and \"%s\".",
			 what, name, word->text);
		p->why->column = word->column;
		return -EINVAL;
	}
	if (!fl_word_is_name(word))
		return fail(p, "is no name of a host or site, no MAC and no address.");
	snprintf(name, FL_ASK_NAME_LEN, "%s", word->text);
	fl_words_next(&p->words);
	return 0;
}

static void set_kind(struct parser *p, enum fl_ask_kind kind)
{
	/* "why was the list bad": the first one counts. */
	if (!p->has_kind)
		p->ask->kind = kind;
	p->has_kind = true;
}

/* Verbs and nouns. */
static bool take_subject(struct parser *p)
{
	switch (fl_words_meaning(&p->words)) {
	case FL_MEANS_LIST:
		set_kind(p, FL_ASK_CALLS);
		return true;
	case FL_MEANS_TROUBLESHOOT:
		set_kind(p, FL_ASK_TROUBLESHOOT);
		return true;
	case FL_MEANS_HELP:
		set_kind(p, FL_ASK_HELP);
		return true;
	case FL_MEANS_CALLS:
		set_kind(p, FL_ASK_CALLS);
		p->has_noun = true;
		return true;
	case FL_MEANS_CLIENTS:
		if (p->ask->kind == FL_ASK_CALLS && !p->has_noun)
			p->ask->kind = FL_ASK_CLIENTS;
		p->has_kind = p->has_noun = true;
		return true;
	case FL_MEANS_BAD:
		p->ask->bad_only = true;
		return true;
	case FL_MEANS_NOTHING:
		return true;
	case FL_MEANS_UNKNOWN:
		break;
	}
	return false;
}

static bool is_clause_word(const struct fl_word *word)
{
	return !strcmp(word->lower, "for") || !strcmp(word->lower, "of") ||
	       !strcmp(word->lower, "in") || !strcmp(word->lower, "on") ||
	       !strcmp(word->lower, "at") || !strcmp(word->lower, "during") ||
	       !strcmp(word->lower, "over") || !strcmp(word->lower, "within") ||
	       !strcmp(word->lower, "by") || !strcmp(word->lower, "with");
}

/* "for the last 7 days", "for HOST", "on Jul 28", "at 10:00", "at site hq", "for zoom". */
static int take_preposition(struct parser *p)
{
	bool host = !strcmp(fl_words_peek(&p->words, 0)->lower, "for") ||
		    !strcmp(fl_words_peek(&p->words, 0)->lower, "of") ||
		    !strcmp(fl_words_peek(&p->words, 0)->lower, "by");
	int taken;

	fl_words_next(&p->words);
	fl_words_skip(&p->words, "the");
	taken = take_when(p);
	if (taken)
		return taken < 0 ? taken : 0;
	if (fl_words_skip(&p->words, "site"))
		return take_name(p, p->ask->site, "site");
	if (fl_words_skip(&p->words, "host") || fl_words_skip(&p->words, "client"))
		return take_name(p, p->ask->host, "host");
	if (take_subject(p))
		return 0;
	if (host)
		return take_name(p, p->ask->host, "host");
	return fail(p, "is a word that I do not understand here.");
}

static int take_clause(struct parser *p)
{
	int taken;

	if (is_clause_word(fl_words_peek(&p->words, 0)))
		return take_preposition(p);
	if (fl_words_skip(&p->words, "site"))
		return take_name(p, p->ask->site, "site");
	if (fl_words_skip(&p->words, "host") || fl_words_skip(&p->words, "client"))
		return take_name(p, p->ask->host, "host");
	if (fl_words_skip(&p->words, "page"))
		return fl_words_number(&p->words, &p->ask->page) && p->ask->page
			       ? 0
			       : fail(p, "is no number of a page.");
	taken = take_when(p);
	if (taken)
		return taken < 0 ? taken : 0;
	if (take_subject(p))
		return 0;
	/* "calls MATEO-MBP": what looks like nothing but a name of a device is one. */
	if (p->has_kind && fl_word_is_device(fl_words_peek(&p->words, 0)))
		return take_name(p, p->ask->host, "host");
	return fail(p, "is a word that I do not understand here.");
}

static int finish(struct parser *p)
{
	if (!p->has_kind) {
		snprintf(p->why->problem, sizeof(p->why->problem),
			 "Say what to do: list calls, list clients, or troubleshoot a host.");
		p->why->column = 0;
		return -EINVAL;
	}
	if (p->ask->kind == FL_ASK_TROUBLESHOOT && !p->ask->host[0]) {
		snprintf(p->why->problem, sizeof(p->why->problem),
			 "Whose calls? Add \"for\" and a host name, a MAC or an address.");
		p->why->column = 0;
		return -EINVAL;
	}
	return resolve_when(p);
}

int fl_ask_parse(const char *text, const struct fl_zone *zone, int64_t now_s,
		 struct fl_ask *ret_ask, struct fl_ask_error *why)
{
	struct fl_ask ask = { .page = 1 };
	struct parser p = { .zone = zone, .now_s = now_s, .ask = &ask, .why = why };
	int err = 0;

	memset(why, 0, sizeof(*why));
	p.today = fl_civil_of(zone, now_s);
	if (fl_words_split(&p.words, text) < 0) {
		snprintf(why->problem, sizeof(why->problem), "That is too long a question.");
		return -EINVAL;
	}
	while (!err && fl_words_peek(&p.words, 0))
		err = take_clause(&p);
	if (!err)
		err = finish(&p);
	if (!err)
		*ret_ask = ask;
	return err;
}
