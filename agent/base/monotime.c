// SPDX-License-Identifier: Apache-2.0
/* Clocks: see monotime.h. */
#include "agent/base/monotime.h"

#include <stddef.h>
#include <time.h>

static const uint64_t *fake_mono, *fake_wall;

static uint64_t clock_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * FL_NS_PER_S + (uint64_t)now.tv_nsec;
}

struct fl_mono fl_mono_now(void)
{
	return (struct fl_mono){ fake_mono ? *fake_mono : clock_ns(CLOCK_MONOTONIC) };
}

uint64_t fl_wall_now_ns(void)
{
	return fake_wall ? *fake_wall : clock_ns(CLOCK_REALTIME);
}

void fl_clock_replace(const uint64_t *mono_ns, const uint64_t *wall_ns)
{
	fake_mono = mono_ns;
	fake_wall = wall_ns;
}
