// SPDX-License-Identifier: Apache-2.0
/* What is written down when sessions open, move and end: decisions, and which route they took. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/bigmem.h"
#include "agent/session/engine_internal.h"

int fl_engine_notes_new(struct fl_engine *e)
{
	e->notes = fl_big_calloc((size_t)e->t->max_sessions + 1, sizeof(*e->notes));
	return e->notes ? 0 : -ENOMEM;
}

struct fl_deciding fl_engine_deciding(const struct fl_engine *engine)
{
	return (struct fl_deciding){
		.config = engine->config,
		.fib = engine->plan.fib,
		.fabric = engine->fabric,
		.choice = engine->choice,
		.policy_names = engine->plan.policy_names,
		.routes = engine->plan.routes,
		.now = engine->now,
	};
}

uint32_t fl_engine_note_decision(struct fl_engine *e, const struct fl_decision *d)
{
	uint16_t routes[FL_MAX_CANDIDATES];

	for (size_t i = 0; i < d->n_candidates; i++)
		routes[i] = d->candidates[i].slot;
	return fl_history_decision(e->history, &d->sla, d->what.policy, routes, e->now);
}

/* Limits of a route by its number; NULL when it has none, or is gone. */
static const struct fl_cfg_route_policy *limits_of(const struct fl_engine *e, uint16_t route)
{
	for (size_t i = 0; route && i < e->config->router.n_service_route; i++)
		if (e->plan.routes[i] == route)
			return fl_route_policy(e->config, &e->config->router.service_route[i]);
	return NULL;
}

static void take_route(struct fl_engine *e, uint32_t id, const struct fl_candidate *way)
{
	e->notes[id].route = way->slot;
	fl_choice_route_taken(e->choice, way->slot, fl_route_policy(e->config, way->route), e->now);
}

static void leave_route(struct fl_engine *e, uint32_t id)
{
	fl_choice_route_left(e->choice, e->notes[id].route, limits_of(e, e->notes[id].route));
	e->notes[id].route = 0;
}

void fl_engine_route_changed(struct fl_engine *e, uint32_t id, const struct fl_candidate *way)
{
	leave_route(e, id);
	take_route(e, id, way);
}

void fl_engine_note_opened(struct fl_engine *e, uint32_t id, const struct fl_decision *d)
{
	const struct fl_session *s = fl_engine_session(e, id);
	struct fl_history_opening opening = {
		.at = e->now,
		.iface = s->in.kind == FL_SIDE_LAN ? s->in.id : 0,
		.from_peer = s->in.kind == FL_SIDE_PEER ? s->in.id : 0,
		.tenant = s->tenant,
		.service = s->service,
		.tuple = { .sport = s->sport,
			   .dport = s->dport,
			   .family = s->family,
			   .proto = s->proto },
	};

	memcpy(opening.uuid, s->uuid, sizeof(opening.uuid));
	memcpy(opening.tuple.src, s->src, sizeof(opening.tuple.src));
	memcpy(opening.tuple.dst, s->dst, sizeof(opening.tuple.dst));
	opening.decision = fl_engine_note_decision(e, d);
	e->notes[id].decision = opening.decision;
	take_route(e, id, d->chosen);
	fl_choice_taken(e->choice, &d->what, &d->sla);
	fl_history_opening(e->history, &opening);
}

void fl_engine_note_closed(struct fl_engine *e, uint32_t id)
{
	leave_route(e, id);
	e->notes[id].decision = 0;
}

/* After a restart: which route the session must have taken, as far as can be told. */
void fl_engine_note_adopted(struct fl_engine *e, uint32_t id)
{
	const struct fl_session *s = fl_engine_session(e, id);

	for (size_t i = 0; i < e->config->router.n_service_route; i++) {
		const struct fl_cfg_service_route *r = &e->config->router.service_route[i];
		const struct fl_peer *peer =
			r->peer_name ? fl_fabric_peer_named(e->fabric, r->peer_name) : NULL;

		if (e->plan.service_names[r->service] != s->service)
			continue;
		if (s->out.kind == FL_SIDE_PEER ? !peer || peer->id != s->out.id : !!r->peer_name)
			continue;
		e->notes[id].route = e->plan.routes[i];
		fl_choice_route_found(e->choice, e->plan.routes[i]);
		return;
	}
}

const struct fl_history *fl_engine_history(const struct fl_engine *engine)
{
	return engine->history;
}

struct fl_choice *fl_engine_choice(struct fl_engine *engine)
{
	return engine->choice;
}

uint32_t fl_engine_decision_of(const struct fl_engine *engine, uint32_t id)
{
	return engine->notes[id].decision;
}
