// SPDX-License-Identifier: Apache-2.0
/* Decisions: see decide.h. */
#include "agent/session/decide.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/hdr.h"

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

const struct fl_cfg_route_policy *fl_route_policy(const struct fl_config *config,
						  const struct fl_cfg_service_route *route)
{
	return route->policy == FL_CFG_NONE ? NULL
					    : &config->router.service_route_policy[route->policy];
}

/* A decision at work. */
struct deciding {
	const struct fl_deciding *by;
	const struct fl_question *q;
	struct fl_decision *d;
	struct fl_sla_snapshot *in;
};

/* A candidate, and what choosing sees of it: usable, with its route's cost and limits. */
static struct fl_candidate *add(struct deciding *w, const struct fl_cfg_service_route *route)
{
	const struct fl_cfg_router *router = &w->by->config->router;
	struct fl_decision *d = w->d;
	struct fl_candidate *candidate;
	struct fl_sla_path *path;

	if (d->n_candidates == FL_MAX_CANDIDATES)
		return NULL;
	path = &w->in->path[d->n_candidates];
	candidate = &d->candidates[d->n_candidates++];
	*candidate = (struct fl_candidate){ .route = route, .cost = route->cost };
	if (w->by->routes)
		candidate->slot = w->by->routes[route - router->service_route];
	*path = (struct fl_sla_path){
		.kind = FL_SLA_LOCAL, .from_route = true, .up = true, .cost = route->cost
	};
	fl_choice_load(w->by->choice, candidate->slot, fl_route_policy(w->by->config, route),
		       w->by->now, &path->load);
	return candidate;
}

/* It leads nowhere: why. */
static void cannot(struct deciding *w, struct fl_candidate *candidate, const char *why)
{
	candidate->why_not = why;
	w->in->path[candidate - w->d->candidates].up = false;
}

static void add_paths(struct deciding *w, const struct fl_cfg_service_route *route)
{
	struct fl_fabric *fabric = w->by->fabric;
	const struct fl_peer *peer = fl_fabric_peer_named(fabric, route->peer_name);
	struct fl_candidate *candidate;
	bool any = false;

	for (uint16_t id = 1; peer && id <= fl_fabric_path_limit(fabric); id++) {
		const struct fl_path_rt *path = fl_fabric_path(fabric, id);
		struct fl_sla_load load;
		struct fl_sla_path *in;

		if (!path || !path->cfg || path->peer != peer->id)
			continue;
		candidate = add(w, route);
		if (!candidate)
			return;
		any = true;
		in = &w->in->path[w->d->n_candidates - 1];
		load = in->load;
		fl_choice_path(w->by->choice, fabric, &w->d->what, id, route->cost, in);
		in->load = load;
		fl_choice_device(fabric, path->iface, &in->load);
		candidate->peer = peer->id;
		candidate->path = id;
		candidate->vector_cost = in->vector_cost;
		candidate->cost = in->cost;
		if (path->why)
			cannot(w, candidate, path->why);
		if (path->cfg->connectivity == FL_CFG_OUTBOUND_ONLY)
			cannot(w, candidate, "its peer is behind a NAT and opens sessions itself");
	}
	if (!any && (candidate = add(w, route)))
		cannot(w, candidate, "there is no path to that peer");
}

static void add_exit(struct deciding *w, const struct fl_cfg_service_route *route)
{
	struct fl_candidate *candidate = add(w, route);
	const struct fl_cfg_next_hop *hop = route->next_hop;
	const struct fl_tuple *t = &w->q->tuple;
	struct fl_addr dst = fl_addr_from(t->family, t->dst), via = { 0 };
	const struct fl_netif *netif = NULL;
	int err;

	if (!candidate)
		return;
	if (hop) {
		netif = fl_fabric_netif_named(w->by->fabric, hop->interface_name);
		if (!netif || !netif->link.ifindex || !netif->attached) {
			cannot(w, candidate, "its interface is not there");
			return;
		}
		if (!netif->link.up) {
			cannot(w, candidate, "its interface is down");
			return;
		}
		via = hop->gateway;
		candidate->nat_dst = hop->target;
	}
	if (route->nat_target.family)
		candidate->nat_dst = route->nat_target;
	if (candidate->nat_dst.family) {
		if (candidate->nat_dst.family != dst.family) {
			cannot(w, candidate, "its target is of the other address family");
			return;
		}
		dst = candidate->nat_dst;
	}
	if (via.family && via.family != dst.family) {
		cannot(w, candidate, "its gateway is of the other address family");
		return;
	}
	err = fl_fabric_exit(w->by->fabric, &dst, &via, netif ? netif->id : 0, NULL,
			     &candidate->exit);
	if (err < 0)
		cannot(w, candidate,
		       err == -ENOSPC ? "the table of next hops is full"
				      : "there is no route to the destination");
	else if (!candidate->exit.host)
		fl_choice_device(w->by->fabric, candidate->exit.iface,
				 &w->in->path[candidate - w->d->candidates].load);
}

/* Routes of a service: its own, else those of its nearest ancestor that has any. */
static void add_routes(struct deciding *w)
{
	const struct fl_config *config = w->by->config;
	int service = w->d->match.service;

	for (; service != FL_CFG_NONE && !w->d->n_candidates;
	     service = config->authority.service[service].parent) {
		for (size_t i = 0; i < config->router.n_service_route; i++) {
			const struct fl_cfg_service_route *route = &config->router.service_route[i];

			if (route->service != service)
				continue;
			if (route->type == FL_CFG_ROUTE_PEER)
				add_paths(w, route);
			else
				add_exit(w, route);
		}
	}
}

/* Among the candidates, by their quality, order and limits (P-39). */
static void choose(struct deciding *w)
{
	struct fl_decision *d = w->d;

	w->in->policy = fl_choice_policy(d->policy);
	w->in->only_peer = w->q->only_peer;
	/* Back where it came from would go round in circles. */
	w->in->avoid_peer = w->q->from_peer;
	w->in->n_paths = d->n_candidates;
	fl_sla_decide(w->in, &d->sla);
	for (size_t i = 0; i < d->n_candidates; i++) {
		enum fl_sla_reason reason = d->sla.verdict[i].reason;

		if (reason && (reason != FL_SLA_WHY_DOWN || !d->candidates[i].why_not))
			d->candidates[i].why_not = fl_sla_reason_text(reason);
	}
	if (d->sla.chosen >= 0)
		d->chosen = &d->candidates[d->sla.chosen];
}

/* --- all of it -------------------------------------------------------------------------------- */

static enum fl_drop_reason no_way(const struct fl_decision *d)
{
	if (d->sla.result == FL_SLA_ALL_VIOLATE)
		return FL_DROP_SERVICE_LEVEL;
	if (d->sla.result == FL_SLA_NO_CAPACITY)
		return FL_DROP_CAPACITY;
	for (size_t i = 0; i < d->n_candidates; i++)
		if (d->candidates[i].route->type == FL_CFG_ROUTE_PEER)
			return FL_DROP_NO_PATH;
	return FL_DROP_NO_ROUTE;
}

static void set_policy(const struct fl_deciding *by, const struct fl_question *q,
		       struct fl_decision *d)
{
	int policy = d->service->service_policy;

	d->what.proto = q->tuple.proto == FL_IPPROTO_TCP ? FL_IPPROTO_TCP : FL_IPPROTO_UDP;
	if (policy == FL_CFG_NONE)
		return;
	d->policy = &by->config->authority.service_policy[policy];
	d->what.cfg = d->policy;
	d->what.policy = by->policy_names ? by->policy_names[policy] : 0;
}

static void begin(struct fl_decision *d)
{
	d->reason = FL_DROP_NONE;
	d->service = NULL;
	d->policy = NULL;
	d->type = NULL;
	d->chosen = NULL;
	d->n_candidates = 0;
	d->what = (struct fl_choice_for){ 0 };
}

static void find_way(const struct fl_deciding *by, const struct fl_question *q,
		     struct fl_decision *d)
{
	static struct fl_sla_snapshot in; /* big, and the loop's thread is the only one */
	struct deciding w = { by, q, d, &in };

	add_routes(&w);
	choose(&w);
	if (!d->chosen)
		d->reason = no_way(d);
}

void fl_decide(const struct fl_deciding *by, const struct fl_question *question,
	       struct fl_decision *ret_decision)
{
	struct fl_decision *d = ret_decision;

	begin(d);
	d->tenant = tenant_of(by->config, by->fib, question);
	fl_fib_lookup(by->fib, d->tenant, &question->tuple, &d->match);
	if (d->match.access == FL_ACCESS_NO_SERVICE) {
		d->reason = FL_DROP_NO_SERVICE;
		return;
	}
	d->service = &by->config->authority.service[d->match.service];
	if (d->match.access != FL_ACCESS_ALLOW) {
		d->reason = d->tenant == FL_CFG_NONE && d->match.access == FL_ACCESS_NONE
				    ? FL_DROP_NO_TENANT
				    : FL_DROP_ACCESS_DENIED;
		return;
	}
	set_policy(by, question, d);
	d->type = fl_fib_session_type(by->fib, d->match.service, &question->tuple);
	if (question->ignore_ways)
		return;
	find_way(by, question, d);
}

void fl_decide_ways(const struct fl_deciding *by, int service, const struct fl_question *question,
		    struct fl_decision *ret_decision)
{
	struct fl_decision *d = ret_decision;

	begin(d);
	d->tenant = FL_CFG_NONE;
	d->match = (struct fl_fib_match){ .service = service };
	d->service = &by->config->authority.service[service];
	set_policy(by, question, d);
	find_way(by, question, d);
}
