// SPDX-License-Identifier: Apache-2.0
/*
 * Would sessions rather be with another peer (svr-protocol.md 6.3, peer-path-resiliency)? They are
 * decided as if they began now, and as far as they are of other services than their neighbours in
 * the vector, each by itself: not all of a policy's services have the same routes.
 */
#include "agent/session/engine_internal.h"

#define LOOK_MAX 64 /* sessions looked at: chosen, well below a millisecond */

/* That a path is nearly as good as the best, or takes no new sessions, is no reason to leave it. */
static bool is_fit(const struct fl_sla_decision *d, size_t i)
{
	enum fl_sla_reason reason = d->verdict[i].reason;

	if (reason == FL_SLA_WHY_WORSE)
		return !fl_sla_is_gain(d, (size_t)d->chosen, i);
	return reason == FL_SLA_WHY_NOT || reason == FL_SLA_WHY_TURN ||
	       (reason >= FL_SLA_WHY_MAX_SESSIONS && reason <= FL_SLA_WHY_UTILISATION);
}

bool fl_engine_leads_elsewhere(const struct fl_decision *d, uint16_t peer, uint16_t path,
			       bool failback)
{
	if (!d->chosen || !d->chosen->peer || d->chosen->peer == peer)
		return false;
	for (size_t i = 0; failback && i < d->n_candidates; i++)
		if (d->candidates[i].peer && d->candidates[i].path == path && is_fit(&d->sla, i))
			return false;
	return true;
}

bool fl_engine_other_peer(struct fl_engine *e, uint16_t vector, bool failback, bool anything)
{
	const struct fl_vector *v = &e->t->vectors[vector];
	const struct fl_deciding by = fl_engine_deciding(e);
	uint32_t id = e->groups.first[vector];
	static struct fl_decision d;
	struct fl_question q;
	int last = -1;

	for (int n = 0; id && n < LOOK_MAX; n++, id = e->groups.links[id].next) {
		if (fl_engine_session(e, id)->service == last)
			continue;
		last = fl_engine_session(e, id)->service;
		fl_engine_question(e, id, &q);
		fl_decide(&by, &q, &d);
		if (fl_engine_leads_elsewhere(&d, v->peer, v->path, failback) &&
		    (anything || d.sla.result == FL_SLA_OK))
			return true;
	}
	return false;
}
