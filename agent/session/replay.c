// SPDX-License-Identifier: Apache-2.0
/* Sessions that were, by another configuration: see replay.h. */
#include "agent/session/replay.h"

#include <stdio.h>
#include <string.h>

#include "agent/session/engine_internal.h"

/* The adjacency of another configuration that is this path. */
static const struct fl_cfg_adjacency *adjacency_of(const struct fl_config *config,
						   const struct fl_path_rt *rt)
{
	for (size_t i = 0; rt && i < config->n_path; i++)
		if (fl_addr_equal(&config->path[i]->local, &rt->local) &&
		    fl_addr_equal(&config->path[i]->ip_address, &rt->configured))
			return config->path[i];
	return NULL;
}

/* What is decided once more: the other configuration's ways, with the record's measures. */
struct again {
	const struct fl_engine *e;
	const struct fl_deciding *by;
	const struct fl_cfg_service_policy *policy;
	const struct fl_history_decision *record;
	struct fl_sla_snapshot *in;
	uint16_t route[FL_SLA_MAX_PATHS]; /* fl_choice_route() of local ways; 0: of the record none
					   */
	bool to_peer;                     /* there is a route to a peer */
};

/* Limits of a route; what was in use of them is only known if it had any. */
static void limit(const struct again *a, const struct fl_cfg_service_route *route,
		  struct fl_sla_load *load)
{
	const struct fl_cfg_route_policy *policy = fl_route_policy(a->by->config, route);
	const uint64_t max = policy ? policy->max_sessions : 0;

	load->max_sessions = policy ? policy->max_sessions : 0;
	load->session_rate = policy ? policy->session_rate : 0;
	load->above_sessions =
		max && fl_sla_above(load->above_sessions, load->sessions,
				    (uint32_t)(max * policy->session_high_water_mark / 100),
				    (uint32_t)(max * policy->session_low_water_mark / 100));
}

static void add(struct again *a, const struct fl_cfg_service_route *route,
		const struct fl_sla_path *path, uint16_t slot)
{
	struct fl_sla_path *p = &a->in->path[a->in->n_paths];

	if (a->in->n_paths == FL_SLA_MAX_PATHS)
		return;
	a->route[a->in->n_paths++] = slot;
	*p = *path;
	p->from_route = true;
	/* How it stood was by limits that may be others now. */
	p->standing = FL_SLA_UNJUDGED;
	p->credit = 0;
	limit(a, route, &p->load);
}

/* As it was; if it was no candidate then, as it is now. */
static struct fl_sla_path path_then(const struct again *a, uint16_t id)
{
	const struct fl_choice_for what = { .cfg = a->policy };
	struct fl_sla_path path;

	for (size_t i = 0; i < a->record->n_paths; i++) {
		const struct fl_sla_path *p = &a->record->candidate[i].path;

		if (p->kind == FL_SLA_PEER_PATH && p->id == id)
			return *p;
	}
	fl_choice_path(a->e->choice, a->by->fabric, &what, id, 0, &path);
	return path;
}

static void add_paths(struct again *a, const struct fl_cfg_service_route *route)
{
	const struct fl_peer *peer = fl_fabric_peer_named(a->by->fabric, route->peer_name);

	a->to_peer = true;
	for (uint16_t id = 1; peer && id <= fl_fabric_path_limit(a->by->fabric); id++) {
		const struct fl_path_rt *rt = fl_fabric_path(a->by->fabric, id);
		const struct fl_cfg_adjacency *cfg;
		struct fl_path_rt other = { 0 };
		struct fl_sla_path path;

		if (!rt || !rt->cfg || rt->peer != peer->id)
			continue;
		cfg = other.cfg = adjacency_of(a->by->config, rt);
		if (!cfg)
			continue;
		path = path_then(a, id);
		path.vector_cost = fl_fabric_path_cost(&other, a->policy);
		path.cost = route->cost + cfg->cost;
		path.up &= cfg->connectivity != FL_CFG_OUTBOUND_ONLY;
		add(a, route, &path, 0);
	}
}

/* Out of this router: a route that was there then is known by its name; another one is believed. */
static void add_exit(struct again *a, const struct fl_cfg_service_route *route)
{
	struct fl_sla_path path = { .kind = FL_SLA_LOCAL, .up = true };
	uint16_t slot = 0;

	for (size_t i = 0; i < a->record->n_paths && !slot; i++) {
		const struct fl_history_candidate *c = &a->record->candidate[i];

		if (c->path.kind != FL_SLA_LOCAL || !c->route ||
		    strcmp(fl_choice_route_name(a->e->choice, c->route), route->name) != 0)
			continue;
		path = c->path;
		slot = c->route;
	}
	path.cost = route->cost;
	add(a, route, &path, slot);
}

/* As fl_decide() collects them: routes of the service, else of its nearest ancestor with any. */
static void add_routes(struct again *a, int service)
{
	const struct fl_config *config = a->by->config;

	for (; service != FL_CFG_NONE && !a->in->n_paths && !a->to_peer;
	     service = config->authority.service[service].parent)
		for (size_t i = 0; i < config->router.n_service_route; i++) {
			const struct fl_cfg_service_route *route = &config->router.service_route[i];

			if (route->service != service)
				continue;
			if (route->type == FL_CFG_ROUTE_PEER)
				add_paths(a, route);
			else
				add_exit(a, route);
		}
}

static uint16_t path_chosen(const struct fl_sla_decision *d)
{
	if (d->chosen < 0 || d->in.path[d->chosen].kind != FL_SLA_PEER_PATH)
		return 0;
	return (uint16_t)d->in.path[d->chosen].id;
}

/* The way that was taken, among those of today; -1: it is none any more. */
static int same_way(const struct again *a)
{
	const struct fl_history_candidate *c;

	if (a->record->chosen < 0)
		return -1;
	c = &a->record->candidate[a->record->chosen];
	for (size_t i = 0; i < a->in->n_paths; i++) {
		const struct fl_sla_path *p = &a->in->path[i];

		if (p->kind == c->path.kind &&
		    (p->kind == FL_SLA_PEER_PATH ? p->id == c->path.id : a->route[i] == c->route))
			return (int)i;
	}
	return -1;
}

static enum fl_drop_reason no_way(const struct again *a, enum fl_sla_result result)
{
	if (result == FL_SLA_ALL_VIOLATE)
		return FL_DROP_SERVICE_LEVEL;
	if (result == FL_SLA_NO_CAPACITY)
		return FL_DROP_CAPACITY;
	return a->to_peer ? FL_DROP_NO_PATH : FL_DROP_NO_ROUTE;
}

static void choose_again(struct again *a, int service, struct fl_replay *r)
{
	static struct fl_sla_decision then, now;
	static struct fl_sla_snapshot in;
	int here;

	fl_history_restore(a->record, &then);
	r->from = path_chosen(&then);
	in = (struct fl_sla_snapshot){ .policy = fl_choice_policy(a->policy),
				       .only_peer = then.in.only_peer,
				       .avoid_peer = then.in.avoid_peer };
	a->in = &in;
	add_routes(a, service);
	fl_sla_decide(&in, &now);
	r->to = path_chosen(&now);
	here = same_way(a);
	if (then.chosen >= 0 && here < 0)
		snprintf(r->why, sizeof(r->why), "no service route leads there");
	else if (here >= 0 && here != now.chosen)
		fl_sla_explain(&now, (size_t)here, r->why, sizeof(r->why));
	if (now.chosen < 0) {
		r->verdict = FL_REPLAY_DENIED;
		r->reason = no_way(a, now.result);
	} else if (r->from != r->to) {
		r->verdict = FL_REPLAY_MOVED;
	}
}

void fl_replay(const struct fl_engine *engine, const struct fl_deciding *by,
	       const struct fl_history_opening *opening, struct fl_replay *ret_replay)
{
	const struct fl_history_decision *record =
		fl_history_find_decision(engine->history, opening->decision);
	struct fl_question q = { .tuple = opening->tuple,
				 .from_peer = opening->from_peer,
				 .tenant = fl_store_name_text(engine->store, opening->tenant),
				 .ignore_ways = true };
	static struct fl_decision d;

	*ret_replay = (struct fl_replay){ .verdict = FL_REPLAY_SAME };
	fl_decide(by, &q, &d);
	if (d.reason) {
		ret_replay->verdict = FL_REPLAY_DENIED;
		ret_replay->reason = d.reason;
	} else if (!record) {
		ret_replay->verdict = FL_REPLAY_GONE;
	} else {
		struct again a = { .e = engine, .by = by, .policy = d.policy, .record = record };

		choose_again(&a, d.match.service, ret_replay);
	}
}
