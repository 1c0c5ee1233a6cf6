// SPDX-License-Identifier: Apache-2.0
/* Sessions that were, by another configuration: see replay.h. */
#include "agent/session/replay.h"

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

/* A path as it was measured then, as the other policy ranks it. */
static void reinterpret(const struct fl_deciding *by, const struct fl_cfg_service_policy *policy,
			struct fl_sla_path *path)
{
	const struct fl_path_rt *rt = fl_fabric_path(by->fabric, (uint16_t)path->id);
	const struct fl_cfg_adjacency *cfg = adjacency_of(by->config, rt);
	struct fl_path_rt other = { .cfg = cfg };

	if (path->kind != FL_SLA_PEER_PATH)
		return;
	/* How it stood was by limits that may be others now. */
	path->standing = FL_SLA_UNJUDGED;
	path->credit = 0;
	if (cfg)
		path->vector_cost = fl_fabric_path_cost(&other, policy);
	else
		path->up = false;
}

static uint16_t path_chosen(const struct fl_sla_decision *d)
{
	if (d->chosen < 0 || d->in.path[d->chosen].kind != FL_SLA_PEER_PATH)
		return 0;
	return (uint16_t)d->in.path[d->chosen].id;
}

static void choose_again(const struct fl_deciding *by, const struct fl_cfg_service_policy *policy,
			 const struct fl_history_decision *record, struct fl_replay *r)
{
	static struct fl_sla_decision then, now;

	fl_history_restore(record, &then);
	r->from = path_chosen(&then);
	then.in.policy = fl_choice_policy(policy);
	for (size_t i = 0; i < then.in.n_paths; i++)
		reinterpret(by, policy, &then.in.path[i]);
	fl_sla_decide(&then.in, &now);
	r->to = path_chosen(&now);
	if (then.chosen >= 0 && now.chosen != then.chosen)
		fl_sla_explain(&now, (size_t)then.chosen, r->why, sizeof(r->why));
	if (now.chosen < 0) {
		r->verdict = FL_REPLAY_DENIED;
		r->reason = now.result == FL_SLA_ALL_VIOLATE   ? FL_DROP_SERVICE_LEVEL
			    : now.result == FL_SLA_NO_CAPACITY ? FL_DROP_CAPACITY
							       : FL_DROP_NO_PATH;
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
		choose_again(by, d.policy, record, ret_replay);
	}
}
