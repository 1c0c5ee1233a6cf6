/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one source of time. Monotonic time is a struct so that a bare integer cannot be passed for
 * it; the wall clock is for logs, records and the HMAC window only. Tests put in a clock of their
 * own.
 */
#ifndef FL_AGENT_BASE_MONOTIME_H
#define FL_AGENT_BASE_MONOTIME_H

#include <stdbool.h>
#include <stdint.h>

#define FL_NS_PER_S  1000000000ULL
#define FL_NS_PER_MS 1000000ULL
#define FL_NS_PER_US 1000ULL

/* A point in CLOCK_MONOTONIC time, the clock of bpf_ktime_get_ns(). */
struct fl_mono {
	uint64_t ns;
};

/* Now. */
struct fl_mono fl_mono_now(void);

static inline struct fl_mono fl_mono_add_ms(struct fl_mono t, uint64_t ms)
{
	return (struct fl_mono){ t.ns + ms * FL_NS_PER_MS };
}

static inline bool fl_mono_reached(struct fl_mono now, struct fl_mono t)
{
	return now.ns >= t.ns;
}

/* Milliseconds from @from to @to, 0 if @to is not later. */
static inline uint64_t fl_mono_ms_between(struct fl_mono from, struct fl_mono to)
{
	return to.ns > from.ns ? (to.ns - from.ns) / FL_NS_PER_MS : 0;
}

/* Wall clock, nanoseconds since 1970 (UTC). */
uint64_t fl_wall_now_ns(void);

/**
 * fl_clock_replace() - let a test decide what time it is
 * @mono_ns, @wall_ns: borrowed until replaced again; NULL restores the kernel's clock
 */
void fl_clock_replace(const uint64_t *mono_ns, const uint64_t *wall_ns);

#endif
