// SPDX-License-Identifier: Apache-2.0
/* The end of sessions. */
#include <errno.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/session/engine_internal.h"
#include "common/meta_wire.h"

static void count_dropped(void *ctx, const struct fl_pending_packet *packet)
{
	(void)packet;
	fl_engine_drop(ctx, FL_DROP_SHUTDOWN);
}

/* P-20: both peers hear of it, but for the one that said so itself. Idle expiry is told sparingly.
 */
static void tell_peers(struct fl_engine *e, uint32_t id, enum fl_close_cause cause)
{
	const struct fl_session *s = fl_engine_session(e, id);

	if (cause == FL_CLOSE_PEER || cause == FL_CLOSE_REPLACED || cause == FL_CLOSE_FAILED)
		return;
	if (cause == FL_CLOSE_IDLE && !fl_ratelimit_take(&e->delete_limit, e->now))
		return;
	if (s->out.kind == FL_SIDE_PEER)
		fl_engine_send_control(e, id, FL_FORWARD, FL_CONTROL_DELETE);
	if (s->in.kind == FL_SIDE_PEER)
		fl_engine_send_control(e, id, FL_REVERSE, FL_CONTROL_DELETE);
}

void fl_engine_close(struct fl_engine *e, uint32_t id, enum fl_close_cause cause)
{
	struct fl_session *s = fl_engine_session(e, id);

	if (s->state != FL_SESSION_LIVE)
		return;
	fl_engine_kept_close(e, id);
	if (e->io.closing)
		e->io.closing(e->io.ctx, id);
	tell_peers(e, id, cause);
	fl_engine_not_half_open(e, id);
	fl_session_withdraw(e->flows, e->t, id, e->now);
	fl_engine_dup_close(e, id);
	fl_engine_release_waypoints(e, s);
	fl_engine_leave(e, id, FL_FORWARD);
	fl_engine_leave(e, id, FL_REVERSE);
	fl_engine_note_closed(e, id);
	fl_fabric_hop_put(e->fabric, s->in.nexthop);
	fl_fabric_hop_put(e->fabric, s->out.nexthop);
	fl_pending_forget(e->pending, id, count_dropped, e);
	e->deadlines[id] = 0;
	fl_store_close(e->store, id, e->now);
	fl_tables_count(e->t, FL_STAT_SESSIONS_CLOSED);
}

int fl_engine_clear(struct fl_engine *engine, const uint8_t uuid[16])
{
	uint32_t id = fl_store_find(engine->store, uuid);

	if (!id)
		return -ENOENT;
	fl_engine_begin(engine);
	fl_engine_close(engine, id, FL_CLOSE_CLEARED);
	return 0;
}

size_t fl_engine_clear_all(struct fl_engine *engine)
{
	size_t count = 0;

	fl_engine_begin(engine);
	for (uint32_t id = 1; id <= engine->t->max_sessions; id++) {
		if (fl_engine_session(engine, id)->state != FL_SESSION_LIVE)
			continue;
		fl_engine_close(engine, id, FL_CLOSE_CLEARED);
		count++;
	}
	return count;
}
