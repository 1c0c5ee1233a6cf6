// SPDX-License-Identifier: Apache-2.0
/* Waypoint port pairs: see waypoints.h. */
#include "agent/session/waypoints.h"

#include <errno.h>

#include "agent/base/rand.h"

struct released {
	uint32_t pair; /* local port << 16 | remote port */
	uint32_t at_s;
};

/* First port of the range and number of ports on each side. */
struct side {
	uint32_t first;
	uint32_t count;
	uint32_t step;
};

static struct side local_side(const struct fl_waypoints *wp)
{
	uint32_t first = wp->parity ? (wp->lo + 1u) & ~1u : wp->lo, step = wp->parity ? 2 : 1;

	return (struct side){ first, first > wp->hi ? 0 : (wp->hi - first) / step + 1, step };
}

static struct side remote_side(const struct fl_waypoints *wp)
{
	uint32_t first = wp->parity ? wp->lo | 1u : wp->lo, step = wp->parity ? 2 : 1;

	return (struct side){ first, first > wp->hi ? 0 : (wp->hi - first) / step + 1, step };
}

/* A number of its own for every pair; those that are given out one after the other are neighbours.
 */
static uint32_t pair_number(struct fl_waypoint_pair pair)
{
	return (uint32_t)(uint16_t)(pair.remote - pair.local) << 16 | pair.local;
}

/*
 * Pair @n of the range. Both ports change from one pair to the next, so that devices that spread
 * flows by a hash of the ports see them spread.
 */
static struct fl_waypoint_pair pair_at(const struct fl_waypoints *wp, uint32_t n)
{
	struct side local = local_side(wp), remote = remote_side(wp);
	uint32_t lap = n / local.count, i = n % local.count;

	return (struct fl_waypoint_pair){
		.local = (uint16_t)(local.first + i * local.step),
		.remote = (uint16_t)(remote.first + (lap + i) % remote.count * remote.step),
	};
}

static uint32_t pair_count(const struct fl_waypoints *wp)
{
	return local_side(wp).count * remote_side(wp).count;
}

void fl_waypoints_init(struct fl_waypoints *wp, uint16_t lo, uint16_t hi, bool parity,
		       uint32_t limit)
{
	*wp = (struct fl_waypoints){ 0 };
	fl_u32set_init(&wp->resting);
	fl_fifo_init(&wp->released, sizeof(struct released));
	fl_waypoints_change(wp, lo, hi, parity, limit);
}

void fl_waypoints_done(struct fl_waypoints *wp)
{
	fl_u32set_done(&wp->resting);
	fl_fifo_done(&wp->released);
}

void fl_waypoints_change(struct fl_waypoints *wp, uint16_t lo, uint16_t hi, bool parity,
			 uint32_t limit)
{
	uint32_t pairs;

	wp->lo = lo;
	wp->hi = hi;
	wp->parity = parity;
	wp->limit = limit;
	pairs = pair_count(wp);
	/* A random start: two routers that restart together do not collide pair after pair. */
	wp->cursor = pairs ? (uint32_t)(fl_rand_u64() % pairs) : 0;
}

static void wake_rested(struct fl_waypoints *wp, struct fl_mono now)
{
	uint32_t now_s = (uint32_t)(now.ns / FL_NS_PER_S);
	const struct released *oldest;

	while ((oldest = fl_fifo_peek(&wp->released)) &&
	       now_s - oldest->at_s > FL_WAYPOINT_REST_S) {
		fl_u32set_remove(&wp->resting, oldest->pair);
		fl_fifo_pop(&wp->released);
	}
}

int fl_waypoints_next(struct fl_waypoints *wp, struct fl_mono now,
		      struct fl_waypoint_pair *ret_pair)
{
	uint32_t pairs = pair_count(wp);
	/* In a range mostly at rest a long search would stall the loop: give up, count, try the
	 * next. */
	uint32_t tries = pairs < 4096 ? pairs : 4096;

	wake_rested(wp, now);
	if (wp->live >= wp->limit)
		return -ENOSPC;
	while (tries--) {
		struct fl_waypoint_pair pair = pair_at(wp, wp->cursor);

		wp->cursor = (wp->cursor + 1) % pairs;
		if (fl_u32set_has(&wp->resting, pair_number(pair)))
			continue;
		*ret_pair = pair;
		return 0;
	}
	return -ENOSPC;
}

struct fl_waypoint_pair fl_waypoints_peek(const struct fl_waypoints *wp)
{
	return pair_count(wp) ? pair_at(wp, wp->cursor) : (struct fl_waypoint_pair){ 0 };
}

void fl_waypoints_take(struct fl_waypoints *wp)
{
	wp->live++;
}

void fl_waypoints_rest(struct fl_waypoints *wp, struct fl_waypoint_pair pair, struct fl_mono since)
{
	struct released item = { pair_number(pair), (uint32_t)(since.ns / FL_NS_PER_S) };

	/* Without memory the pair just does not rest. */
	if (fl_u32set_add(&wp->resting, item.pair) < 0)
		return;
	if (fl_fifo_push(&wp->released, &item) < 0)
		fl_u32set_remove(&wp->resting, item.pair);
}

void fl_waypoints_release(struct fl_waypoints *wp, struct fl_waypoint_pair pair, struct fl_mono now)
{
	if (wp->live)
		wp->live--;
	fl_waypoints_rest(wp, pair, now);
}
