/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What another configuration would have made of sessions that were opened (`fairlead policy test`):
 * the access rules, its routes, costs and limits, and the choice among them by what was measured
 * and in use then (history.h).
 * Changes nothing.
 */
#ifndef FL_AGENT_SESSION_REPLAY_H
#define FL_AGENT_SESSION_REPLAY_H

#include "agent/session/engine.h"

enum fl_replay_verdict {
	FL_REPLAY_SAME,
	FL_REPLAY_DENIED, /* no service, no permission, or no path is good enough */
	FL_REPLAY_MOVED,  /* it would take another path */
	FL_REPLAY_GONE,   /* what its decision saw is no longer recorded */
};

struct fl_replay {
	enum fl_replay_verdict verdict;
	enum fl_drop_reason reason; /* if denied */
	uint16_t from;              /* path then, 0: out of this router or none */
	uint16_t to;                /* path it would take */
	char why[512];              /* about the path then, for people; "" if there is nothing */
};

/**
 * fl_replay() - one opening once more
 * @by: the engine's, but for the other configuration and its FIB
 *
 * A tenant is the one that it was then; paths are matched by their two addresses. Ways that were no
 * candidates then count as they are now.
 */
void fl_replay(const struct fl_engine *engine, const struct fl_deciding *by,
	       const struct fl_history_opening *opening, struct fl_replay *ret_replay);

#endif
