/* SPDX-License-Identifier: Apache-2.0 */
/* One call, told: verdict, rating, who is to blame, and what the network looked like. */
#ifndef FL_AGENT_INSIGHT_FINDINGS_H
#define FL_AGENT_INSIGHT_FINDINGS_H

#include <stdio.h>

#include "agent/insight/civil.h"
#include "agent/insight/explain.h"

/* Sentences, one a line (zoom-api.md 12 E18). Return: 0, or -errno of the store. */
int fl_findings_print(struct fl_store *store, struct fl_explainer *explainer,
		      const struct fl_zone *zone, int64_t now_s, const struct fl_call *call,
		      FILE *f);

#endif
