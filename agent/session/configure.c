// SPDX-License-Identifier: Apache-2.0
/* The session engine and its configuration: names, and sessions that it must move or end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/session/engine_internal.h"

/* Sessions held against a new configuration in one go, and ended: chosen, some ms. */
#define RECHECK_PART   8192
#define RECHECK_CLOSES 1024

void fl_engine_free_plan(struct fl_engine_plan *plan)
{
	free(plan->service_names);
	free(plan->tenant_names);
	free(plan->policy_names);
	free(plan->routes);
	fl_fib_free(plan->fib);
	*plan = (struct fl_engine_plan){ 0 };
}

static int make_plan(struct fl_engine *e, const struct fl_config *config,
		     struct fl_engine_plan *plan)
{
	const struct fl_cfg_authority *a = &config->authority;

	plan->service_names = calloc(a->n_service + 1, sizeof(uint16_t));
	plan->tenant_names = calloc(a->n_tenant + 1, sizeof(uint16_t));
	plan->policy_names = calloc(a->n_service_policy + 1, sizeof(uint16_t));
	plan->routes = calloc(config->router.n_service_route + 1, sizeof(uint16_t));
	if (!plan->service_names || !plan->tenant_names || !plan->policy_names || !plan->routes)
		return -ENOMEM;
	for (size_t i = 0; i < a->n_service; i++)
		plan->service_names[i] =
			fl_store_name(e->store, FL_NAME_SERVICE, a->service[i].name);
	for (size_t i = 0; i < a->n_tenant; i++)
		plan->tenant_names[i] = fl_store_name(e->store, FL_NAME_TENANT, a->tenant[i].name);
	for (size_t i = 0; i < a->n_service_policy; i++)
		plan->policy_names[i] =
			fl_store_name(e->store, FL_NAME_POLICY, a->service_policy[i].name);
	for (size_t i = 0; i < config->router.n_service_route; i++)
		plan->routes[i] = fl_choice_route(e->choice, config->router.service_route[i].name);
	return fl_fib_new(config, &plan->fib);
}

int fl_engine_prepare(struct fl_engine *engine, const struct fl_config *config)
{
	struct fl_engine_plan plan = { 0 };
	int err = make_plan(engine, config, &plan);

	if (err) {
		fl_engine_free_plan(&plan);
		return err;
	}
	fl_engine_free_plan(&engine->next);
	engine->next = plan;
	return 0;
}

static void configure_host(struct fl_engine *e, const struct fl_config *config)
{
	struct fl_settings *settings = e->t->settings;

	settings->host_sessions = config->router.local_tenant != FL_CFG_NONE;
	settings->watch_established = config->router.half_open_connection_limit != 0;
	settings->source = (struct fl_rate){
		.per_second = config->router.first_packet_rate.per_source,
		.burst = config->router.first_packet_rate.burst,
	};
	settings->denial_ms = 1000;
	settings->generation++;
}

void fl_engine_question(struct fl_engine *engine, uint32_t id, struct fl_question *ret_question)
{
	const struct fl_session *s = fl_engine_session(engine, id);
	struct fl_question q = { 0 };

	q.tuple = (struct fl_tuple){
		.sport = s->sport, .dport = s->dport, .family = s->family, .proto = s->proto
	};
	memcpy(q.tuple.src, s->src, 16);
	memcpy(q.tuple.dst, s->dst, 16);
	if (s->in.kind == FL_SIDE_PEER) {
		q.tenant = fl_store_name_text(engine->store, s->tenant);
		q.from_peer = s->in.id;
	} else if (s->in.kind == FL_SIDE_LAN) {
		q.netif = fl_fabric_netif(engine->fabric, s->in.id);
	}
	*ret_question = q;
}

/* Would this session be opened today? */
static bool still_allowed(struct fl_engine *e, uint32_t id)
{
	const struct fl_deciding by = fl_engine_deciding(e);
	static struct fl_decision d;
	struct fl_question q;

	fl_engine_question(e, id, &q);
	q.ignore_ways = true;
	fl_decide(&by, &q, &d);
	return !d.reason &&
	       e->plan.service_names[d.match.service] == fl_engine_session(e, id)->service;
}

/* Is there a path to the peer that sessions of this policy may take? */
static bool has_path(const struct fl_engine *e, uint16_t peer,
		     const struct fl_cfg_service_policy *policy)
{
	for (uint16_t id = 1; id <= fl_fabric_path_limit(e->fabric); id++) {
		const struct fl_path_rt *path = fl_fabric_path(e->fabric, id);

		if (path && path->cfg && path->peer == peer &&
		    fl_fabric_path_cost(path, policy) != FL_CFG_PRIORITY_NEVER)
			return true;
	}
	return false;
}

/*
 * Is there a path for the sessions of a vector, or will there be one? Whose path has been taken
 * away, and which may move, wait for one that can be used. Those of a peer are the peer's to move.
 */
static bool has_way(const struct fl_engine *e, uint16_t vector)
{
	const struct fl_vector *v = &e->t->vectors[vector];
	const struct fl_peer *peer = fl_fabric_peer(e->fabric, v->peer);
	const struct fl_cfg_service_policy *policy;

	if (!v->path && e->steering[vector].state == FL_STEER_ONE_BY_ONE)
		return true;
	if (!peer || !peer->configured)
		return false;
	if (v->path || v->group & FL_GROUP_PEER)
		return v->path || has_path(e, v->peer, NULL);
	policy = fl_engine_policy(e, v->policy);
	return policy && policy->session_resiliency != FL_CFG_RESILIENCY_NONE &&
	       has_path(e, v->peer, policy);
}

static bool side_exists(const struct fl_engine *e, const struct fl_side *side)
{
	const struct fl_netif *netif;

	switch (side->kind) {
	case FL_SIDE_LAN:
		netif = fl_fabric_netif(e->fabric, side->id);
		return netif && netif->cfg;
	case FL_SIDE_PEER:
		return e->t->vectors[side->vector].peer == side->id && has_way(e, side->vector);
	case FL_SIDE_HOST:
	case FL_SIDE_NONE:
		break;
	}
	return true;
}

static void end_recheck(struct fl_engine *e)
{
	e->recheck_cursor = 0;
	fl_fabric_forget_gone(e->fabric);
	if (e->recheck_ended)
		fl_notice("%u sessions ended: the new configuration does not allow them",
			  e->recheck_ended);
	e->recheck_ended = 0;
}

/*
 * Sessions are held against a new configuration a part at a time: a million of them in one go would
 * keep packets waiting for a second. They name what they are about by numbers, and none of those is
 * another's before the last session has been looked at.
 */
bool fl_engine_recheck_some(struct fl_engine *e)
{
	uint32_t left = RECHECK_PART, closes = RECHECK_CLOSES;

	while (e->recheck_cursor && left-- && closes) {
		uint32_t id = e->recheck_cursor++;
		const struct fl_session *s = fl_engine_session(e, id);

		if (id > e->age_limit) {
			end_recheck(e);
			break;
		}
		if (s->state != FL_SESSION_LIVE)
			continue;
		if (side_exists(e, &s->in) && side_exists(e, &s->out) && still_allowed(e, id))
			continue;
		fl_engine_close(e, id, FL_CLOSE_CONFIG);
		e->recheck_ended++;
		closes--;
	}
	return e->recheck_cursor != 0;
}

/*
 * Sessions whose paths have been taken away go to the best that is left. What their peers have sent
 * so far is under way (P-16).
 */
static void leave_lost_paths(struct fl_engine *e)
{
	for (uint16_t id = 1; id < FL_MAX_VECTORS; id++) {
		const struct fl_vector *v = &e->t->vectors[id];

		if (v->peer && !v->path && v->prev_path)
			fl_fabric_vector_accept(e->fabric, id, v->prev_path, e->jiffies);
	}
	fl_engine_paths_changed(e);
}

/* What was under way in vectors, or to paths, that have been taken away. */
static void forget_moves(struct fl_engine *e)
{
	for (uint16_t id = 1; id < FL_MAX_VECTORS; id++) {
		struct fl_steering *st = &e->steering[id];
		const struct fl_path_rt *to = fl_fabric_path(e->fabric, st->to);

		if (!e->t->vectors[id].peer)
			*st = (struct fl_steering){ 0 };
		else if (st->to && !to)
			st->state = FL_STEER_STEADY;
	}
}

void fl_engine_configure(struct fl_engine *engine, const struct fl_config *config)
{
	struct fl_engine *e = engine;
	bool first = !e->config;

	fl_engine_free_plan(&e->plan);
	e->plan = e->next;
	e->next = (struct fl_engine_plan){ 0 };
	e->own_name = fl_store_name(e->store, FL_NAME_ROUTER, config->router.name);
	e->config = config;
	fl_engine_begin(e);
	if (first)
		fl_engine_adopt(e);
	else
		fl_engine_waypoints_changed(e);
	leave_lost_paths(e);
	forget_moves(e);
	fl_engine_dup_configured(e);
	fl_engine_host_prefixes(e);
	configure_host(e, config);
	e->recheck_cursor = 1;
	fl_engine_recheck_some(e);
	e->review_due = true;
}
