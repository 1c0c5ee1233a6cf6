/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions in words (zoom-api.md 12 E): a small grammar of clauses in any order. Every word must
 * mean something to it; for what does not, it says so, and shows what it understands.
 */
#ifndef FL_AGENT_INSIGHT_ASK_H
#define FL_AGENT_INSIGHT_ASK_H

#include <stddef.h>

#include "agent/insight/civil.h"

#define FL_ASK_MAX      512 /* bytes of a question */
#define FL_ASK_NAME_LEN 64

enum fl_ask_kind {
	FL_ASK_CALLS,        /* list calls */
	FL_ASK_CLIENTS,      /* list clients */
	FL_ASK_TROUBLESHOOT, /* a client's calls, or what was wrong with one */
	FL_ASK_HELP,
};

struct fl_ask {
	enum fl_ask_kind kind;
	bool bad_only;
	char host[FL_ASK_NAME_LEN]; /* name, MAC or address, as written; "" any */
	char site[FL_ASK_NAME_LEN]; /* "" any */
	int64_t from_s;
	int64_t to_s;
	bool has_times;    /* hours were named, not only days */
	unsigned int page; /* from 1 */
};

struct fl_ask_error {
	char problem[192];
	size_t column; /* of the word, from 1; 0: of none */
};

/* Questions that are understood; NULL ends the list. */
extern const char *const fl_ask_examples[];

/**
 * fl_ask_parse() - what is asked
 * @text:  of the user, with a NUL
 * @zone:  of the site: words for times are local
 * @now_s: wall clock
 *
 * Return: 0, or -EINVAL with @why filled.
 */
int fl_ask_parse(const char *text, const struct fl_zone *zone, int64_t now_s,
		 struct fl_ask *ret_ask, struct fl_ask_error *why);

#endif
