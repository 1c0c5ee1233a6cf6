// SPDX-License-Identifier: Apache-2.0
/* The collector's clock: see collect.h. */
#include "agent/export/collect.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/export/collect_internal.h"

#define TICKS_PER_SECOND (1000 / FL_COLLECT_TICK_MS)

static void look_at_clocks(struct fl_collect *c)
{
	c->now = fl_mono_now();
	c->now_s = (int64_t)(fl_wall_now_ns() / FL_NS_PER_S);
}

int fl_collect_new(const struct fl_collect_view *view, const struct fl_collect_ops *ops, void *ctx,
		   struct fl_collect **ret_collect)
{
	struct fl_collect *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->t = view->tables;
	c->fabric = view->fabric;
	c->store = view->store;
	c->choice = view->choice;
	c->ops = ops;
	c->ctx = ctx;
	c->cursor = 1;
	fl_u32set_init(&c->clients);
	c->seen = calloc((size_t)c->t->max_sessions + 1, sizeof(*c->seen));
	if (!c->seen) {
		fl_collect_free(c);
		return -ENOMEM;
	}
	look_at_clocks(c);
	c->started_s = c->now_s;
	*ret_collect = c;
	return 0;
}

void fl_collect_free(struct fl_collect *collect)
{
	if (!collect)
		return;
	fl_collect_free_neighs(collect);
	fl_u32set_done(&collect->clients);
	free(collect->levels);
	free(collect->seen);
	free(collect);
}

void fl_collect_configure(struct fl_collect *collect, const struct fl_config *config)
{
	uint32_t rate = config->router.export.records_per_second;

	collect->config = config;
	for (int i = 0; i < 2; i++)
		collect->limit[i] = fl_ratelimit(rate, rate * 2);
	fl_collect_configure_levels(collect);
	/* Which service is whose may have changed. */
	for (uint32_t id = 1; id <= collect->t->max_sessions; id++)
		collect->seen[id].known = false;
}

uint64_t fl_collect_skipped(const struct fl_collect *collect)
{
	return collect->skipped;
}

static void new_minute(struct fl_collect *c)
{
	int64_t minute = c->now_s / 60;

	if (minute == c->minute)
		return;
	fl_collect_read_meters(c);
	/* A clock that was set: figures of a minute that never was are nobody's. */
	if (c->minute && minute == c->minute + 1)
		fl_collect_end_minute(c);
	c->minute = minute;
	for (int i = 0; i < FL_WAYS; i++) {
		struct fl_way *w = &c->ways[i];

		*w = (struct fl_way){
			.used = w->used, .burst_at = w->burst_at, .known = w->known, .up = w->up
		};
	}
	fl_u32set_done(&c->clients);
	fl_u32set_init(&c->clients);
	c->client_count = 0;
}

void fl_collect_tick(struct fl_collect *collect)
{
	struct fl_collect *c = collect;

	look_at_clocks(c);
	new_minute(c);
	fl_collect_watch_paths(c);
	fl_collect_look_at_sessions(c);
	if (c->second_ticks) {
		c->second_ticks--;
		return;
	}
	c->second_ticks = TICKS_PER_SECOND - 1;
	fl_collect_sample_paths(c);
	fl_collect_watch_levels(c);
	fl_collect_repeat_neighs(c);
}
