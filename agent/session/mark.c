// SPDX-License-Identifier: Apache-2.0
/*
 * Marks of performance monitoring that the agent handles (svr-protocol.md 4): those that travel
 * alone because there is no user traffic to carry them, and those that a peer puts beside other
 * metadata. All others are the data plane's.
 *
 * Packets with metadata that the agent makes carry none, and belong to no colour: they have waited
 * for the agent, and a time taken here would measure that, not the path. Both sides count by marks
 * alone, so that their losses are not seen and nobody else's are spoiled.
 */
#include <string.h>

#include "agent/session/engine_internal.h"

/* Does this direction of a session leave by the path? */
static bool leaves_by(const struct fl_engine *e, const struct fl_session *s, enum fl_direction dir,
		      uint16_t path)
{
	const struct fl_side *to = fl_side_to(s, dir);

	return to->kind == FL_SIDE_PEER && e->t->vectors[to->vector].path == path;
}

bool fl_engine_mark(struct fl_engine *e, uint32_t session, uint16_t path, uint8_t tos,
		    const struct fl_fpm_mark *mark)
{
	/* Without a security id, it is the block that data planes know. */
	const struct fl_meta meta = { .has = FL_META_BIT(FL_META_METRICS),
				      .metrics = { .tx_time_ms = mark->tx_time_ms,
						   .rx_time_ms = mark->rx_time_ms,
						   .prev_count = mark->prev_count,
						   .tx_colour = mark->tx_colour,
						   .rx_colour = mark->rx_colour,
						   .drop = true } };
	struct fl_generated what = { .id = session, .meta = &meta, .tos = tos };
	const struct fl_session *s;

	if (!session || session > e->t->max_sessions)
		return false;
	s = fl_engine_session(e, session);
	if (s->state != FL_SESSION_LIVE)
		return false;
	what.dir = leaves_by(e, s, FL_FORWARD, path) ? FL_FORWARD : FL_REVERSE;
	if (!leaves_by(e, s, what.dir, path))
		return false;
	fl_engine_begin(e);
	fl_engine_generate(e, &what);
	return true;
}

void fl_engine_heard_mark(struct fl_engine *e, uint16_t path, const struct fl_packet *packet,
			  const struct fl_meta *meta, uint32_t session)
{
	const struct fl_meta_metrics *m = &meta->metrics;
	const struct fl_fpm_mark mark = { .tx_time_ms = m->tx_time_ms,
					  .rx_time_ms = m->rx_time_ms,
					  .prev_count = m->prev_count,
					  .tx_colour = m->tx_colour,
					  .rx_colour = m->rx_colour,
					  .drop = m->drop };
	const uint32_t scope = fl_fpm_scope_of(fl_packet_tos(packet), packet->hdr.proto);

	if (!fl_meta_has(meta, FL_META_METRICS) || !e->t->fpm_paths[path].cfg.interval_ns)
		return;
	e->t->ops->fpm_heard(e->t->ops_ctx, fl_fpm_slot_of(path, scope), session, &mark);
}
