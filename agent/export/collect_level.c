// SPDX-License-Identifier: Apache-2.0
/* Service levels: paths that violate the limits of a policy, and that meet them again. */
#include <stdio.h>
#include <stdlib.h>

#include "agent/export/collect_internal.h"
#include "common/hdr.h"

void fl_collect_configure_levels(struct fl_collect *c)
{
	const struct fl_cfg_authority *a = &c->config->authority;

	free(c->levels);
	/* Without memory nothing is told of them; sessions go their ways all the same. */
	c->levels = a->n_service_policy ? calloc(a->n_service_policy, sizeof(*c->levels)) : NULL;
	for (size_t i = 0; c->levels && i < a->n_service_policy; i++)
		c->levels[i].policy =
			fl_store_name(c->store, FL_NAME_POLICY, a->service_policy[i].name);
}

static void tell(struct fl_collect *c, const char *policy, const struct fl_sla_path *path)
{
	bool violates = path->standing == FL_SLA_VIOLATES;
	char name[FL_EXPORT_NAME_LEN], detail[192];
	uint8_t fpm;
	struct fl_quality q = fl_sla_quality(path, &fpm);

	fl_collect_way_name(c, (uint16_t)path->id, name);
	snprintf(detail, sizeof(detail),
		 "policy %.80s: latency %.1f ms, jitter %.1f ms, loss %.2f %%", policy,
		 q.latency_us / 1e3, q.jitter_us / 1e3, q.loss_ppm / 1e4);
	fl_collect_put_event(c, violates ? "bad" : "good", violates ? "SLA_VIOLATED" : "SLA_MET",
			     name, detail);
}

/* As datagrams find it: calls are made of them. */
static void watch(struct fl_collect *c, size_t n, uint16_t id)
{
	struct fl_level *level = &c->levels[n];
	const struct fl_cfg_service_policy *cfg = &c->config->authority.service_policy[n];
	const struct fl_choice_for what = { cfg, level->policy, FL_IPPROTO_UDP };
	const struct fl_path_rt *rt = fl_fabric_path(c->fabric, id);
	struct fl_sla_path path;
	uint8_t before = level->standings[id];

	if (!rt || !rt->cfg)
		return;
	fl_choice_path(c->choice, c->fabric, &what, id, 0, &path);
	level->standings[id] = (uint8_t)path.standing;
	if (path.standing == FL_SLA_VIOLATES
		    ? before != FL_SLA_VIOLATES
		    : path.standing == FL_SLA_MEETS && before == FL_SLA_VIOLATES)
		tell(c, cfg->name, &path);
}

void fl_collect_watch_levels(struct fl_collect *c)
{
	uint16_t limit = fl_fabric_path_limit(c->fabric);

	for (size_t n = 0; c->levels && n < c->config->authority.n_service_policy; n++)
		for (uint16_t id = 1;
		     c->config->authority.service_policy[n].path_quality_filter && id <= limit;
		     id++)
			watch(c, n, id);
}
