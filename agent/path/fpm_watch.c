// SPDX-License-Identifier: Apache-2.0
/* What user packets say about paths: see fpm_watch.h. */
#include "agent/path/fpm_watch.h"

#include <errno.h>
#include <stdlib.h>

/* Blocks are overwritten after 16 intervals, and answers must not wait long: read a scope twice an
 * interval, but not more often than needed (chosen). */
#define READ_MIN_MS 100
#define READ_MAX_MS 500

struct watched {
	struct fl_fpm scope[FL_PATH_SCOPES];
	struct fl_fpm_cfg cfg;
	struct fl_mono read_at;
	bool monitor_only;
};

struct fl_fpm_watch {
	struct fl_tables *tables;
	struct fl_fabric *fabric;
	const struct fl_fpm_watch_ops *ops;
	void *ctx;
	struct watched *paths[FL_MAX_PATHS]; /* NULL: not measured */
};

int fl_fpm_watch_new(struct fl_tables *tables, struct fl_fabric *fabric,
		     const struct fl_fpm_watch_ops *ops, void *ctx, struct fl_fpm_watch **ret_watch)
{
	struct fl_fpm_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return -ENOMEM;
	watch->tables = tables;
	watch->fabric = fabric;
	watch->ops = ops;
	watch->ctx = ctx;
	*ret_watch = watch;
	return 0;
}

void fl_fpm_watch_free(struct fl_fpm_watch *watch)
{
	if (!watch)
		return;
	for (uint16_t id = 0; id < FL_MAX_PATHS; id++)
		free(watch->paths[id]);
	free(watch);
}

/* The DSCP by which both ends put a packet into this class (fl_fpm_class()). */
static uint8_t tos_of(uint32_t scope)
{
	static const uint8_t tos[FL_FPM_CLASSES] = { [FL_FPM_HIGH] = 46 << 2,
						     [FL_FPM_MEDIUM] = 34 << 2,
						     [FL_FPM_LOW] = 18 << 2,
						     [FL_FPM_BEST_EFFORT] = 0 };

	return tos[scope / FL_FPM_PROTOS];
}

/* Step 7: our traffic has not carried the answer, so it goes alone. */
static void answer(struct fl_fpm_watch *w, uint16_t path, uint32_t scope,
		   const struct fl_fpm_slot *slot, struct fl_mono now)
{
	const struct fl_tables *t = w->tables;
	struct fl_fpm_mark mark;

	if (!slot->session ||
	    !fl_fpm_owes(&slot->scope.rx, FL_FPM_PATIENCE_MS * FL_NS_PER_MS, now.ns))
		return;
	if (t->ops->fpm_reply(t->ops_ctx, fl_fpm_slot_of(path, scope), &mark))
		return; /* a user packet was faster */
	if (w->ops->reply(w->ctx, slot->session, path, tos_of(scope), &mark))
		fl_tables_count(w->tables, FL_STAT_METRICS_REPLY);
}

static bool read_path(struct fl_fpm_watch *w, uint16_t path, struct fl_mono now)
{
	struct watched *watched = w->paths[path];
	struct fl_fpm_sample samples[FL_FPM_COLOURS];
	const struct fl_tables *t = w->tables;
	struct fl_fpm_slot slot;
	bool changed = false;

	for (uint32_t scope = 0; scope < FL_PATH_SCOPES; scope++) {
		if (t->ops->fpm_read(t->ops_ctx, fl_fpm_slot_of(path, scope), &slot))
			continue;
		changed |= fl_fpm_collect(&watched->scope[scope], &slot.scope, now, samples) > 0;
		answer(w, path, scope, &slot, now);
	}
	return changed;
}

void fl_fpm_watch_forget(struct fl_fpm_watch *watch, uint16_t path)
{
	free(watch->paths[path]);
	watch->paths[path] = NULL;
}

/* Follow the configuration. Return: is the path measured? */
static bool update_path(struct fl_fpm_watch *w, uint16_t id)
{
	struct fl_cfg_performance_profile profile;

	if (!fl_fabric_path_profile(w->fabric, fl_fabric_path(w->fabric, id), &profile)) {
		fl_fpm_watch_forget(w, id);
		return false;
	}
	if (!w->paths[id])
		w->paths[id] = calloc(1, sizeof(*w->paths[id]));
	if (!w->paths[id])
		return false; /* again at the next tick */
	w->paths[id]->cfg = w->tables->fpm_paths[id].cfg;
	w->paths[id]->monitor_only = profile.monitor_only;
	return true;
}

bool fl_fpm_watch_tick(struct fl_fpm_watch *watch, struct fl_mono now)
{
	bool changed = false;

	for (uint16_t id = 1; id <= fl_fabric_path_limit(watch->fabric); id++) {
		uint64_t wait_ms;

		if (!update_path(watch, id) || !fl_mono_reached(now, watch->paths[id]->read_at))
			continue;
		wait_ms = watch->paths[id]->cfg.interval_ns / FL_NS_PER_MS / 2;
		if (wait_ms > READ_MAX_MS)
			wait_ms = READ_MAX_MS;
		if (wait_ms < READ_MIN_MS)
			wait_ms = READ_MIN_MS;
		watch->paths[id]->read_at = fl_mono_add_ms(now, wait_ms);
		changed |= read_path(watch, id, now);
	}
	return changed;
}

bool fl_fpm_watch_get(const struct fl_fpm_watch *watch, uint16_t path, enum fl_fpm_class class,
		      enum fl_fpm_proto proto, struct fl_mono now,
		      struct fl_fpm_metrics *ret_metrics)
{
	const struct watched *w = path < FL_MAX_PATHS ? watch->paths[path] : NULL;
	const struct fl_fpm *fpm;

	if (!w || class >= FL_FPM_CLASSES || proto >= FL_FPM_PROTOS)
		return false;
	fpm = &w->scope[(uint32_t) class * FL_FPM_PROTOS + proto];
	if (!fpm->samples)
		return false;
	*ret_metrics = (struct fl_fpm_metrics){ .monitor_only = w->monitor_only,
						.quality = fl_fpm_quality(fpm, &w->cfg, now),
						.last = fpm->last,
						.samples = fpm->samples,
						.sent = fpm->sent,
						.received = fpm->received };
	ret_metrics->valid = ret_metrics->quality.has == FL_QUALITY_ALL;
	ret_metrics->mos_x100 = fl_mos_of(&ret_metrics->quality);
	return true;
}
