/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waypoint port pairs toward one peer, one protocol (svr-protocol.md 3.8, P-27). The side that
 * opens a session picks both ports: its own even, the peer's odd, which keeps the two sides' picks
 * apart; with a configured range any ports of that range, without parity. Pairs are taken
 * round-robin, and a released one rests for FL_WAYPOINT_REST_S.
 */
#ifndef FL_AGENT_SESSION_WAYPOINTS_H
#define FL_AGENT_SESSION_WAYPOINTS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/fifo.h"
#include "agent/base/monotime.h"
#include "agent/base/u32set.h"

#define FL_WAYPOINT_REST_S 30

struct fl_waypoint_pair {
	uint16_t local;
	uint16_t remote;
};

struct fl_waypoints {
	uint16_t lo; /* inclusive */
	uint16_t hi;
	bool parity;
	uint32_t limit; /* pairs in use at a time */
	uint32_t live;
	uint32_t cursor; /* number of the next pair to try */
	struct fl_u32set resting;
	struct fl_fifo released; /* oldest first */
};

/**
 * fl_waypoints_init() - an allocator with nothing in use, starting somewhere in its range
 * @lo, @hi:  ports, inclusive
 * @parity:   local even, remote odd
 * @limit:    pairs in use at a time
 */
void fl_waypoints_init(struct fl_waypoints *wp, uint16_t lo, uint16_t hi, bool parity,
		       uint32_t limit);
void fl_waypoints_done(struct fl_waypoints *wp);

/* Other range or limit; pairs in use stay what they are. */
void fl_waypoints_change(struct fl_waypoints *wp, uint16_t lo, uint16_t hi, bool parity,
			 uint32_t limit);

/**
 * fl_waypoints_next() - the next pair that does not rest
 *
 * Whether it is in use, only the flow table knows: the caller inserts, and on -EEXIST asks again.
 * Nothing is taken until fl_waypoints_take().
 *
 * Return: 0, or -ENOSPC when the limit is reached or no pair of the range is at hand.
 */
int fl_waypoints_next(struct fl_waypoints *wp, struct fl_mono now,
		      struct fl_waypoint_pair *ret_pair);

/* The pair that is likely next, to load in advance what it needs; zeros for an empty range. */
struct fl_waypoint_pair fl_waypoints_peek(const struct fl_waypoints *wp);

/* A pair from fl_waypoints_next(), or one found in use after a restart. */
void fl_waypoints_take(struct fl_waypoints *wp);

/* A pair that was given back before a restart goes on resting. */
void fl_waypoints_rest(struct fl_waypoints *wp, struct fl_waypoint_pair pair, struct fl_mono since);

/* A pair is no longer in use; it rests from @now. */
void fl_waypoints_release(struct fl_waypoints *wp, struct fl_waypoint_pair pair,
			  struct fl_mono now);

#endif
