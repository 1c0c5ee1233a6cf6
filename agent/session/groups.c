// SPDX-License-Identifier: Apache-2.0
/*
 * Which sessions are in which vector: a list for each vector of ours, through the session numbers,
 * and a count for all vectors. A move touches the sessions of a vector and no others.
 */
#include <errno.h>
#include <stdlib.h>

#include "agent/base/bigmem.h"
#include "agent/session/engine_internal.h"

int fl_engine_groups_new(struct fl_engine *e)
{
	e->groups.links = fl_big_calloc((size_t)e->t->max_sessions + 1, sizeof(*e->groups.links));
	return e->groups.links ? 0 : -ENOMEM;
}

void fl_engine_groups_free(struct fl_engine *e)
{
	free(e->groups.links);
}

static void push(struct fl_groups *g, uint16_t vector, uint32_t id)
{
	uint32_t next = g->first[vector];

	g->links[id] = (struct fl_group_link){ .next = next };
	if (next)
		g->links[next].prev = id;
	g->first[vector] = id;
}

static void pull(struct fl_groups *g, uint16_t vector, uint32_t id)
{
	const struct fl_group_link *link = &g->links[id];

	if (link->prev)
		g->links[link->prev].next = link->next;
	else
		g->first[vector] = link->next;
	if (link->next)
		g->links[link->next].prev = link->prev;
	g->links[id] = (struct fl_group_link){ 0 };
}

void fl_engine_join(struct fl_engine *e, uint32_t id, enum fl_direction toward)
{
	const struct fl_side *side = fl_side_to(fl_engine_session(e, id), toward);

	if (side->kind != FL_SIDE_PEER)
		return;
	fl_fabric_vector_get(e->fabric, side->vector);
	if (toward == FL_FORWARD)
		push(&e->groups, side->vector, id);
}

void fl_engine_leave(struct fl_engine *e, uint32_t id, enum fl_direction toward)
{
	const struct fl_side *side = fl_side_to(fl_engine_session(e, id), toward);

	if (side->kind != FL_SIDE_PEER)
		return;
	fl_fabric_vector_put(e->fabric, side->vector);
	if (toward != FL_FORWARD)
		return;
	/* Who walks along the list stands on the next one then. */
	if (e->steering[side->vector].cursor == id)
		e->steering[side->vector].cursor = e->groups.links[id].next;
	pull(&e->groups, side->vector, id);
}

struct fl_vector_key fl_engine_own_key(const struct fl_session *s, uint16_t peer)
{
	return (struct fl_vector_key){ peer, s->policy, fl_session_wire_proto(s) };
}
