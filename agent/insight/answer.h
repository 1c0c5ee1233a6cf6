/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to questions in words, as text: for the CLI and for the box of the web page. */
#ifndef FL_AGENT_INSIGHT_ANSWER_H
#define FL_AGENT_INSIGHT_ANSWER_H

#include "agent/insight/ask.h"
#include "agent/insight/explain.h"

struct fl_answerer {
	struct fl_store *store;
	struct fl_explainer *explainer;
	const struct fl_zone *zone; /* of the site */
	int64_t now_s;
};

/**
 * fl_answer() - ask, look, and say
 *
 * A question that is not understood, an unknown host, or nothing found are answers too.
 * Return: 0 with *ret_text for the caller to free; -errno of the store.
 */
int fl_answer(const struct fl_answerer *answerer, const char *question, char **ret_text);

#endif
