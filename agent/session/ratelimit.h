/* SPDX-License-Identifier: Apache-2.0 */
/* A token bucket for things that the agent sends of its own accord. */
#ifndef FL_AGENT_SESSION_RATELIMIT_H
#define FL_AGENT_SESSION_RATELIMIT_H

#include <stdbool.h>

#include "agent/base/monotime.h"

struct fl_ratelimit {
	uint32_t per_second;
	uint32_t burst;
	uint64_t millitokens;
	struct fl_mono last;
};

static inline struct fl_ratelimit fl_ratelimit(uint32_t per_second, uint32_t burst)
{
	return (struct fl_ratelimit){
		.per_second = per_second,
		.burst = burst,
		.millitokens = (uint64_t)burst * 1000,
	};
}

/* Is there a token? Then it is taken. */
static inline bool fl_ratelimit_take(struct fl_ratelimit *limit, struct fl_mono now)
{
	uint64_t ms = fl_mono_ms_between(limit->last, now);

	if (ms) {
		/* Beyond a minute the bucket is full whatever the rate: no overflow. */
		if (ms > 60000)
			limit->millitokens = (uint64_t)limit->burst * 1000;
		else
			limit->millitokens += ms * limit->per_second;
		if (limit->millitokens > (uint64_t)limit->burst * 1000)
			limit->millitokens = (uint64_t)limit->burst * 1000;
		limit->last = now;
	}
	if (limit->millitokens < 1000)
		return false;
	limit->millitokens -= 1000;
	return true;
}

#endif
