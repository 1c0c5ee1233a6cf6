/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots for tests, written short. */
#ifndef FL_TEST_UNIT_SLA_BUILD_H
#define FL_TEST_UNIT_SLA_BUILD_H

#include <string.h>

#include <criterion/criterion.h>

#include "agent/path/sla.h"

/* Latency and jitter in ms, loss in hundredths of a per cent. */
#define QUALITY(latency, jitter, loss)                                                             \
	{                                                                                          \
		(latency) * 1000, (jitter)*1000, (loss)*100, FL_QUALITY_ALL                        \
	}

/* A path of a service route that is up. */
#define UP .from_route = true, .up = true

/* Of the same snapshot: everything that a caller can see. */
static inline bool same_decision(const struct fl_sla_decision *a, const struct fl_sla_decision *b)
{
	if (a->result != b->result || a->chosen != b->chosen)
		return false;
	for (size_t i = 0; i < FL_SLA_MAX_PATHS; i++) {
		const struct fl_sla_verdict *v = &a->verdict[i], *w = &b->verdict[i];

		if (v->reason != w->reason || v->rank != w->rank || v->credit != w->credit ||
		    v->breaks != w->breaks || v->violates != w->violates || v->fpm != w->fpm ||
		    v->mos_x100 != w->mos_x100 || v->unmeasured != w->unmeasured)
			return false;
	}
	return true;
}

#endif
