// SPDX-License-Identifier: Apache-2.0
/*
 * Sessions that a peer has to hear of again (svr-protocol.md 3.3): it came back without its state,
 * or the NAT on a path has changed. They are marked, a part of the table at every tick, and send
 * their metadata with whatever packet comes next.
 */
#include <stdlib.h>

#include "agent/base/log.h"
#include "agent/session/engine_internal.h"

#define PART 16384 /* records looked at in a tick: chosen, about 1 ms */

struct fl_resignal {
	uint32_t cursor; /* session to look at next */
	uint32_t end;    /* the last one that there was when it began */
	size_t marked;
	bool peer[FL_MAX_PEERS];
	bool path[FL_MAX_PATHS];
};

/*
 * One way of a session, toward @to. A peer that lost the session says nothing by it before it has
 * heard of it again; after a change of NAT both still know it, and nothing is to be lost. As the
 * responder's side we say it until a bare packet comes, which loses nothing in either case.
 */
static bool mark_way(const struct fl_resignal *r, const struct fl_engine *e,
		     const struct fl_side *to, struct fl_flow *there, struct fl_flow *back)
{
	const bool responder = there->flags & FL_FLOW_REVERSE;
	bool lost, moved;

	if (to->kind != FL_SIDE_PEER || there->state & FL_FLOW_TX_META)
		return false;
	lost = to->id < FL_MAX_PEERS && r->peer[to->id];
	moved = to->vector < FL_MAX_VECTORS && r->path[e->t->vectors[to->vector].path];
	if (lost || moved)
		there->state |= FL_FLOW_TX_META;
	if (lost || (moved && responder))
		back->state |= FL_FLOW_RX_META;
	return lost || moved;
}

static void mark(struct fl_engine *e, uint32_t id)
{
	const struct fl_session *s = fl_engine_session(e, id);
	struct fl_flow *forward = fl_engine_flow(e, id, FL_FORWARD);
	struct fl_flow *reverse = fl_engine_flow(e, id, FL_REVERSE);
	bool any = mark_way(e->resignal, e, &s->out, forward, reverse);

	any |= mark_way(e->resignal, e, &s->in, reverse, forward);
	if (!any)
		return;
	e->resignal->marked++;
	fl_tables_count(e->t, FL_STAT_RESIGNALLED);
}

void fl_engine_resignal_some(struct fl_engine *e)
{
	struct fl_resignal *r = e->resignal;

	for (uint32_t n = 0; n < PART && r->cursor <= r->end; n++, r->cursor++)
		if (fl_engine_session(e, r->cursor)->state == FL_SESSION_LIVE)
			mark(e, r->cursor);
	if (r->cursor <= r->end)
		return;
	if (r->marked)
		fl_notice("%zu sessions will be signalled anew with their next packet", r->marked);
	free(r);
	e->resignal = NULL;
}

/* From the start, for what was asked before as well: marking twice does no harm. */
static struct fl_resignal *begin(struct fl_engine *e)
{
	if (!e->resignal)
		e->resignal = calloc(1, sizeof(*e->resignal));
	/* Without memory the peer asks for what it needs, session by session (3.4). */
	if (e->resignal) {
		e->resignal->cursor = 1;
		e->resignal->end = e->age_limit;
	}
	return e->resignal;
}

void fl_engine_resignal_peer(struct fl_engine *engine, uint16_t peer)
{
	struct fl_resignal *r = begin(engine);

	if (r && peer < FL_MAX_PEERS)
		r->peer[peer] = true;
}

void fl_engine_resignal_path(struct fl_engine *engine, uint16_t path)
{
	struct fl_resignal *r = begin(engine);

	if (r && path < FL_MAX_PATHS)
		r->path[path] = true;
}
