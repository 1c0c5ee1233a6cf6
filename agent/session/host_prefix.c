// SPDX-License-Identifier: Apache-2.0
/*
 * Services that are reached by a peer: what of the host's own traffic the data plane shows us at
 * all. The kernel itself sends the rest where it belongs, answers of this host's servers above all.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/session/engine_internal.h"

struct wanted {
	struct fl_host_prefix *list;
	size_t count;
};

static struct fl_host_prefix host_prefix(const struct fl_prefix *p)
{
	struct fl_host_prefix prefix = { .length = p->len };

	if (p->addr.family == 6) {
		memcpy(prefix.addr, p->addr.b, 16);
		return prefix;
	}
	prefix.length += 96;
	prefix.addr[10] = 0xff;
	prefix.addr[11] = 0xff;
	memcpy(prefix.addr + 12, p->addr.b, 4);
	return prefix;
}

/* Is a service, or an ancestor that has its routes, reached by a peer? */
static bool by_peer(const struct fl_config *config, int service)
{
	for (; service != FL_CFG_NONE; service = config->authority.service[service].parent)
		for (size_t i = 0; i < config->router.n_service_route; i++)
			if (config->router.service_route[i].service == service &&
			    config->router.service_route[i].type == FL_CFG_ROUTE_PEER)
				return true;
	return false;
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct fl_host_prefix));
}

static bool is_wanted(void *ctx, const void *prefix)
{
	const struct wanted *w = ctx;

	return w->count && bsearch(prefix, w->list, w->count, sizeof(*w->list), by_bytes);
}

static size_t count_addresses(const struct fl_config *config)
{
	size_t count = 0;

	for (size_t i = 0; i < config->authority.n_service; i++)
		count += config->authority.service[i].n_address;
	return count;
}

static void collect(const struct fl_config *config, struct wanted *w)
{
	for (size_t i = 0; i < config->authority.n_service; i++) {
		const struct fl_cfg_service *service = &config->authority.service[i];

		if (!service->enabled || !by_peer(config, (int)i))
			continue;
		for (size_t j = 0; j < service->n_address; j++)
			w->list[w->count++] = host_prefix(&service->address[j]);
	}
	qsort(w->list, w->count, sizeof(*w->list), by_bytes);
}

void fl_engine_host_prefixes(struct fl_engine *e)
{
	const struct fl_config *config = e->config;
	struct wanted w = { .list = calloc(count_addresses(config) + 1, sizeof(*w.list)) };

	/* Without memory it stays as it is. */
	if (!w.list)
		return;
	if (config->router.local_tenant != FL_CFG_NONE)
		collect(config, &w);
	/* What stays is never missing; what goes makes room. */
	e->t->ops->host_prefixes_sweep(e->t->ops_ctx, is_wanted, &w);
	for (size_t i = 0; i < w.count; i++)
		e->t->ops->host_prefix(e->t->ops_ctx, &w.list[i], true);
	free(w.list);
}
