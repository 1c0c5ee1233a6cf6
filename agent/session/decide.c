// SPDX-License-Identifier: Apache-2.0
/* Decisions: see decide.h. */
#include "agent/session/decide.h"

#include <stdlib.h>
#include <string.h>

static int tenant_of(const struct fl_config *config, const struct fl_fib *fib,
		     const struct fl_question *q)
{
	struct fl_addr src;

	if (q->tenant)
		return fl_config_find(config, FL_CFG_REF_TENANT, q->tenant);
	if (!q->netif || !q->netif->cfg)
		return config->router.local_tenant;
	src = fl_addr_from(q->tuple.family, q->tuple.src);
	return fl_fib_tenant(fib, q->netif->cfg, &src);
}

/* --- candidates ------------------------------------------------------------------------------- */

static struct fl_candidate *add(struct fl_decision *d, const struct fl_cfg_service_route *route)
{
	struct fl_candidate *candidate;

	if (d->n_candidates == FL_MAX_CANDIDATES)
		return NULL;
	candidate = &d->candidates[d->n_candidates++];
	*candidate = (struct fl_candidate){ .route = route, .cost = route->cost };
	return candidate;
}

static void add_paths(struct fl_fabric *fabric, const struct fl_question *q, struct fl_decision *d,
		      const struct fl_cfg_service_route *route)
{
	const struct fl_peer *peer = fl_fabric_peer_named(fabric, route->peer_name);
	const struct fl_path_rt *path;
	struct fl_candidate *candidate;
	bool any = false;

	for (uint16_t id = 1; peer && id <= fl_fabric_path_limit(fabric); id++) {
		path = fl_fabric_path(fabric, id);
		if (!path || !path->cfg || path->peer != peer->id)
			continue;
		candidate = add(d, route);
		if (!candidate)
			return;
		any = true;
		candidate->peer = peer->id;
		candidate->path = id;
		candidate->vector_cost = fl_fabric_path_cost(path, d->policy);
		candidate->cost += path->cfg->cost;
		candidate->why_not = path->why;
		if (candidate->vector_cost == FL_CFG_PRIORITY_NEVER)
			candidate->why_not = "its vector has priority \"never\"";
		if (path->cfg->connectivity == FL_CFG_OUTBOUND_ONLY)
			candidate->why_not = "its peer is behind a NAT and opens sessions itself";
		/* Back where it came from would go round in circles. */
		if (peer->id == q->from_peer)
			candidate->why_not = "the session came from that peer";
	}
	if (!any && (candidate = add(d, route)))
		candidate->why_not = "there is no path to that peer";
}

static void add_exit(struct fl_fabric *fabric, const struct fl_question *q, struct fl_decision *d,
		     const struct fl_cfg_service_route *route)
{
	struct fl_candidate *candidate = add(d, route);
	const struct fl_cfg_next_hop *hop = route->next_hop;
	struct fl_addr dst = fl_addr_from(q->tuple.family, q->tuple.dst), via = { 0 };
	const struct fl_netif *netif = NULL;

	if (!candidate)
		return;
	if (hop) {
		netif = fl_fabric_netif_named(fabric, hop->interface_name);
		if (!netif || !netif->link.ifindex || !netif->attached) {
			candidate->why_not = "its interface is not there";
			return;
		}
		if (!netif->link.up) {
			candidate->why_not = "its interface is down";
			return;
		}
		via = hop->gateway;
		candidate->nat_dst = hop->target;
	}
	if (route->nat_target.family)
		candidate->nat_dst = route->nat_target;
	if (candidate->nat_dst.family) {
		if (candidate->nat_dst.family != dst.family) {
			candidate->why_not = "its target is of the other address family";
			return;
		}
		dst = candidate->nat_dst;
	}
	if (via.family && via.family != dst.family) {
		candidate->why_not = "its gateway is of the other address family";
		return;
	}
	if (fl_fabric_exit(fabric, &dst, &via, netif ? netif->id : 0, NULL, &candidate->exit) < 0)
		candidate->why_not = "there is no route to the destination";
}

/* Routes of a service: its own, else those of its nearest ancestor that has any. */
static void add_routes(const struct fl_config *config, struct fl_fabric *fabric,
		       const struct fl_question *q, struct fl_decision *d)
{
	int service = d->match.service;

	for (; service != FL_CFG_NONE && !d->n_candidates;
	     service = config->authority.service[service].parent) {
		for (size_t i = 0; i < config->router.n_service_route; i++) {
			const struct fl_cfg_service_route *route = &config->router.service_route[i];

			if (route->service != service)
				continue;
			if (route->type == FL_CFG_ROUTE_PEER)
				add_paths(fabric, q, d, route);
			else
				add_exit(fabric, q, d, route);
		}
	}
}

static bool better(const struct fl_candidate *a, const struct fl_candidate *b)
{
	if (a->vector_cost != b->vector_cost)
		return a->vector_cost < b->vector_cost;
	return a->cost < b->cost;
}

static const struct fl_candidate *choose(const struct fl_decision *d)
{
	const struct fl_candidate *best = NULL;

	for (size_t i = 0; i < d->n_candidates; i++)
		if (!d->candidates[i].why_not && (!best || better(&d->candidates[i], best)))
			best = &d->candidates[i];
	return best;
}

/* --- all of it -------------------------------------------------------------------------------- */

static enum fl_drop_reason no_way(const struct fl_decision *d)
{
	for (size_t i = 0; i < d->n_candidates; i++)
		if (d->candidates[i].route->type == FL_CFG_ROUTE_PEER)
			return FL_DROP_NO_PATH;
	return FL_DROP_NO_ROUTE;
}

void fl_decide(const struct fl_config *config, const struct fl_fib *fib, struct fl_fabric *fabric,
	       const struct fl_question *question, struct fl_decision *ret_decision)
{
	struct fl_decision *d = ret_decision;

	d->reason = FL_DROP_NONE;
	d->service = NULL;
	d->policy = NULL;
	d->type = NULL;
	d->chosen = NULL;
	d->n_candidates = 0;
	d->tenant = tenant_of(config, fib, question);
	fl_fib_lookup(fib, d->tenant, &question->tuple, &d->match);
	if (d->match.access == FL_ACCESS_NO_SERVICE) {
		d->reason = FL_DROP_NO_SERVICE;
		return;
	}
	d->service = &config->authority.service[d->match.service];
	if (d->match.access != FL_ACCESS_ALLOW) {
		d->reason = d->tenant == FL_CFG_NONE && d->match.access == FL_ACCESS_NONE
				    ? FL_DROP_NO_TENANT
				    : FL_DROP_ACCESS_DENIED;
		return;
	}
	if (d->service->service_policy != FL_CFG_NONE)
		d->policy = &config->authority.service_policy[d->service->service_policy];
	d->type = fl_fib_session_type(fib, d->match.service, &question->tuple);
	if (question->ignore_ways)
		return;
	add_routes(config, fabric, question, d);
	d->chosen = choose(d);
	if (!d->chosen)
		d->reason = no_way(d);
}
