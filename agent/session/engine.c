// SPDX-License-Identifier: Apache-2.0
/* The session engine: life, configuration, and what the data plane hands up. See engine.h. */
#include "agent/session/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/bigmem.h"
#include "agent/base/log.h"
#include "agent/base/rand.h"
#include "agent/codec/packet_build.h"
#include "agent/codec/packet_split.h"
#include "agent/session/engine_internal.h"

/* What we send of our own accord, a second (chosen; RFC 1812 4.3.2.8 asks for some limit). */
#define ICMP_PER_S    1000
#define RESETS_PER_S  1000
#define DELETES_PER_S 5000

#define ROUTE_PART 16384 /* sessions looked at in a tick after a route change */

/* --- life ------------------------------------------------------------------------------------- */

static int make_parts(struct fl_engine *e)
{
	int err;

	err = fl_flows_new(e->t, &e->flows);
	if (err)
		return err;
	fl_engine_tidy(e);
	err = fl_store_new(e->t, &e->store);
	if (!err)
		err = fl_pending_new(&e->pending);
	if (!err)
		err = fl_frags_new(&e->host_frags);
	if (!err)
		err = fl_frags_new(&e->peer_frags);
	if (!err)
		err = fl_choice_new(&e->choice);
	if (!err)
		err = fl_history_new(&e->history);
	if (!err)
		err = fl_engine_notes_new(e);
	if (!err)
		err = fl_engine_groups_new(e);
	if (err)
		return err;
	e->deadlines = fl_big_calloc((size_t)e->t->max_sessions + 1, sizeof(*e->deadlines));
	return e->deadlines ? 0 : -ENOMEM;
}

int fl_engine_new(struct fl_tables *tables, struct fl_fabric *fabric, const struct fl_io *io,
		  struct fl_engine **ret_engine)
{
	struct fl_engine *e = calloc(1, sizeof(*e));
	int err;

	if (!e)
		return -ENOMEM;
	e->t = tables;
	e->fabric = fabric;
	e->io = *io;
	e->age_cursor = 1;
	e->recover_cursor = 1;
	e->icmp_limit = fl_ratelimit(ICMP_PER_S, ICMP_PER_S);
	e->reset_limit = fl_ratelimit(RESETS_PER_S, RESETS_PER_S);
	e->delete_limit = fl_ratelimit(DELETES_PER_S, DELETES_PER_S);
	fl_rand_uuid(e->next_uuid);
	fl_fifo_init(&e->acks, fl_engine_ack_bytes());
	err = make_parts(e);
	if (err) {
		fl_engine_free(e);
		return err;
	}
	*ret_engine = e;
	return 0;
}

void fl_engine_free(struct fl_engine *engine)
{
	if (!engine)
		return;
	for (int peer = 0; peer < FL_MAX_PEERS; peer++) {
		if (!engine->ports[peer])
			continue;
		for (int i = 0; i < 2; i++)
			fl_waypoints_done(&engine->ports[peer]->wp[i]);
		free(engine->ports[peer]);
	}
	fl_engine_free_plan(&engine->plan);
	fl_engine_free_plan(&engine->next);
	fl_frags_free(engine->host_frags);
	fl_frags_free(engine->peer_frags);
	fl_pending_free(engine->pending);
	fl_fifo_done(&engine->acks);
	fl_engine_dup_free(engine);
	fl_choice_free(engine->choice);
	fl_history_free(engine->history);
	fl_engine_groups_free(engine);
	fl_engine_kept_free(engine);
	free(engine->notes);
	free(engine->resignal);
	free(engine->deadlines);
	fl_flows_free(engine->flows);
	fl_store_free(engine->store);
	free(engine);
}

/* --- packets ---------------------------------------------------------------------------------- */

void fl_engine_begin(struct fl_engine *engine)
{
	engine->now = fl_mono_now();
	engine->wall_s = fl_wall_now_ns() / FL_NS_PER_S;
	engine->jiffies = engine->io.jiffies(engine->io.ctx);
}

bool fl_engine_still_there(const struct fl_engine *e, const struct fl_punt *punt)
{
	return punt->slot < e->t->slots && punt->session <= e->t->max_sessions &&
	       e->t->flows[punt->slot].session == punt->session &&
	       e->t->sessions[punt->session].state == FL_SESSION_LIVE;
}

static enum fl_direction direction_of(const struct fl_flow *flow)
{
	return flow->flags & FL_FLOW_REVERSE ? FL_REVERSE : FL_FORWARD;
}

void fl_engine_pass(struct fl_engine *e, uint32_t id, enum fl_direction dir,
		    struct fl_packet *packet)
{
	const struct fl_session *s = fl_engine_session(e, id);
	const struct fl_why why = { .kind = FL_ICMP_TTL_EXPIRED };
	int err;

	if (packet->hdr.ttl <= 1 && fl_side_to(s, dir)->kind != FL_SIDE_HOST) {
		fl_engine_tell_sender(e, id, dir, packet, &why);
		fl_engine_drop(e, FL_DROP_TTL_EXPIRED);
		return;
	}
	err = fl_engine_track(e, id, dir, packet);
	if (err)
		fl_engine_drop(e, (enum fl_drop_reason) - err);
	else
		fl_engine_forward(e, id, dir, packet);
}

/* Of a session that exists: it needs metadata, or a fence, or does not fit. */
static void existing(struct fl_engine *e, struct fl_work *work)
{
	const struct fl_flow *flow = &e->t->flows[work->punt->slot];

	if (!fl_engine_still_there(e, work->punt)) {
		if (work->punt->path)
			fl_engine_bare(e, work);
		else
			fl_engine_first_packet(e, work);
		return;
	}
	/* What needs a fence was handed up before anything else was looked at. */
	if (work->punt->reason == FL_PUNT_FENCE)
		fl_engine_pass(e, flow->session, direction_of(flow), &work->packet);
	else
		fl_engine_forward(e, flow->session, direction_of(flow), &work->packet);
}

static void expired(struct fl_engine *e, struct fl_work *work)
{
	const struct fl_flow *flow = &e->t->flows[work->punt->slot];
	const struct fl_why why = { .kind = FL_ICMP_TTL_EXPIRED };

	fl_engine_drop(e, FL_DROP_TTL_EXPIRED);
	if (fl_engine_still_there(e, work->punt))
		fl_engine_tell_sender(e, flow->session, direction_of(flow), &work->packet, &why);
}

static void state_changed(struct fl_engine *e, const struct fl_punt *punt)
{
	if (!fl_engine_still_there(e, punt))
		return;
	if (e->t->flows[punt->slot].tcp >= FL_TCP_ESTABLISHED)
		fl_engine_not_half_open(e, punt->session);
	fl_engine_watch(e, punt->session);
}

static void one_packet(struct fl_engine *e, struct fl_work *work)
{
	switch (work->punt->reason) {
	case FL_PUNT_NEW:
		fl_engine_first_packet(e, work);
		break;
	case FL_PUNT_META:
		fl_engine_from_peer(e, work);
		break;
	case FL_PUNT_BARE:
		fl_engine_bare(e, work);
		break;
	case FL_PUNT_SIGNAL:
	case FL_PUNT_FENCE:
	case FL_PUNT_TOO_BIG:
		existing(e, work);
		break;
	case FL_PUNT_FRAGMENT:
		fl_engine_fragment(e, work);
		break;
	case FL_PUNT_TTL:
		expired(e, work);
		break;
	case FL_PUNT_ICMP_ERROR:
		fl_engine_icmp_error(e, work);
		break;
	case FL_PUNT_NONE:
	case FL_PUNT_STATE:
		break;
	}
}

/* A segment of a super-packet from a peer may or may not start with metadata. */
static void one_segment(struct fl_engine *e, struct fl_work *work)
{
	if (work->punt->path && work->punt->reason == FL_PUNT_META &&
	    !fl_meta_has_cookie(work->packet.payload, work->packet.payload_len))
		fl_engine_bare(e, work);
	else
		one_packet(e, work);
}

static void super_packet(struct fl_engine *e, struct fl_work *work)
{
	static uint8_t segment[FL_MAX_FRAME];
	const struct fl_packet whole = work->packet;
	struct fl_split split;
	int len;

	if (fl_split_gso(&split, &whole, work->punt->gso_size) < 0) {
		fl_engine_drop(e, FL_DROP_MALFORMED);
		return;
	}
	while ((len = fl_split_next(&split, segment, sizeof(segment))) > 0)
		if (!fl_packet_parse(segment, (size_t)len, &work->packet))
			one_segment(e, work);
}

/*
 * A wrong checksum is the sender's: it would be carried on as a right one. One that was left to a
 * device is normal on the TC path; on the XDP path packets that we do not see go on with it, and
 * that is worth a warning.
 */
static bool checksum_ok(struct fl_engine *e, const struct fl_work *work)
{
	static struct fl_log_rate rate;

	switch (fl_packet_csum_state(&work->packet)) {
	case FL_CSUM_BAD:
		return false;
	case FL_CSUM_PARTIAL:
		if (work->punt->hook != FL_HOOK_XDP)
			return true;
		fl_tables_count(e->t, FL_STAT_PARTIAL_CHECKSUM);
		fl_log_ratelimited(
			&rate, FL_LOG_WARNING,
			"a host sends packets whose checksum it leaves to its device, and XDP "
			"cannot complete it: on the host, `ethtool -K DEV tx off`, or here "
			"mode \"tc\" for the interface");
		return true;
	case FL_CSUM_NONE:
	case FL_CSUM_GOOD:
		break;
	}
	return true;
}

void fl_engine_punt(struct fl_engine *engine, const struct fl_punt *punt)
{
	struct fl_engine *e = engine;
	struct fl_work work = { .punt = punt };
	int err;

	if (punt->reason == FL_PUNT_STATE) {
		state_changed(e, punt);
		return;
	}
	if (!e->config || punt->len > sizeof(e->rx))
		return;
	/* The ring is read-only, and packets are worked on in place. */
	memcpy(e->rx, punt->data, punt->len);
	err = fl_packet_parse(e->rx, punt->len, &work.packet);
	if (err < 0) {
		fl_engine_drop(e, (enum fl_drop_reason) - err);
		return;
	}
	if (!checksum_ok(e, &work)) {
		fl_engine_drop(e, FL_DROP_MALFORMED);
		return;
	}
	if (punt->gso_size && work.packet.payload_len > punt->gso_size)
		super_packet(e, &work);
	else
		one_packet(e, &work);
}

/* --- timers ----------------------------------------------------------------------------------- */

static void drop_waiting(void *ctx, const struct fl_pending_packet *packet)
{
	struct fl_engine *e = ctx;

	(void)packet;
	fl_engine_drop(e, FL_DROP_NEXT_HOP);
}

/*
 * Not by way of e->rx: the packet that has just made the next hop known may be in there, and still
 * be at work.
 */
static void send_waiting(void *ctx, const struct fl_pending_packet *packet)
{
	static uint8_t copy[FL_PUNT_HUGE];
	struct fl_engine *e = ctx;
	struct fl_packet p;

	if (packet->len > sizeof(copy) ||
	    fl_engine_session(e, packet->session)->state != FL_SESSION_LIVE)
		return;
	memcpy(copy, packet->data, packet->len);
	if (fl_packet_parse(copy, packet->len, &p))
		return;
	p.came_in_pieces = packet->came_in_pieces;
	fl_engine_forward(e, packet->session, (enum fl_direction)packet->dir, &p);
}

void fl_engine_hop_up(struct fl_engine *engine, uint16_t hop)
{
	fl_engine_begin(engine);
	fl_pending_release(engine->pending, hop, send_waiting, engine);
}

void fl_engine_routes_changed(struct fl_engine *engine)
{
	engine->route_cursor = 1;
	engine->routes_stale = true;
}

/* Turn one side of a session to the way out that there is now; @out is only right for that side. */
static void turn(struct fl_engine *e, uint32_t id, enum fl_direction dir, const struct fl_exit *out)
{
	struct fl_session *s = fl_engine_session(e, id);
	struct fl_side *side = dir == FL_FORWARD ? &s->out : &s->in;

	if (out->host || out->iface != side->id || out->hop == side->nexthop)
		return;
	fl_fabric_hop_get(e->fabric, out->hop);
	fl_fabric_hop_put(e->fabric, side->nexthop);
	side->nexthop = out->hop;
	fl_engine_flow(e, id, dir)->out = out->hop;
	fl_engine_kept_out(e, id, dir, out->hop);
}

/* Sessions to peers follow their path; of the others, one way out is what the decision about them
 * says today, the other the route to their initiator. */
static void turn_session(struct fl_engine *e, uint32_t id)
{
	const struct fl_session *s = fl_engine_session(e, id);
	const struct fl_addr src = fl_addr_from(s->family, s->src), none = { 0 };
	const struct fl_deciding by = fl_engine_deciding(e);
	static struct fl_decision d;
	struct fl_question q;
	struct fl_exit out;

	if (s->out.kind == FL_SIDE_LAN) {
		fl_engine_question(e, id, &q);
		fl_decide(&by, &q, &d);
		if (!d.reason && !d.chosen->peer)
			turn(e, id, FL_FORWARD, &d.chosen->exit);
	}
	if (s->in.kind == FL_SIDE_LAN &&
	    !fl_fabric_exit(e->fabric, &src, &none, s->in.id, NULL, &out))
		turn(e, id, FL_REVERSE, &out);
}

static void turn_some(struct fl_engine *e)
{
	for (uint32_t n = 0; n < ROUTE_PART; n++) {
		uint32_t id = e->route_cursor++;

		if (id > e->age_limit) {
			e->routes_stale = false;
			return;
		}
		if (fl_engine_session(e, id)->state == FL_SESSION_LIVE)
			turn_session(e, id);
	}
}

bool fl_engine_tick(struct fl_engine *engine)
{
	struct fl_engine *e = engine;
	unsigned int given_up;
	bool more;

	if (!e->config)
		return false;
	fl_engine_begin(e);
	fl_engine_acks_tick(e);
	fl_engine_dup_tick(e);
	fl_engine_kept_tick(e);
	fl_pending_expire(e->pending, e->now, drop_waiting, e);
	given_up = fl_frags_expire(e->host_frags, e->now) + fl_frags_expire(e->peer_frags, e->now);
	e->t->drops[FL_DROP_FRAG_TIMEOUT] += given_up;
	if (e->routes_stale)
		turn_some(e);
	fl_engine_steer(e);
	if (e->resignal)
		fl_engine_resignal_some(e);
	fl_engine_recover(e);
	more = fl_engine_recheck_some(e);
	return fl_engine_age(e) || more;
}

/* --- questions -------------------------------------------------------------------------------- */

struct fl_store *fl_engine_store(struct fl_engine *engine)
{
	return engine->store;
}

struct fl_flows *fl_engine_flows(struct fl_engine *engine)
{
	return engine->flows;
}

const struct fl_fib *fl_engine_fib(const struct fl_engine *engine)
{
	return engine->plan.fib;
}

void fl_engine_waypoints(const struct fl_engine *engine, uint16_t peer, uint32_t ret_live[2])
{
	const struct fl_peer_ports *ports = peer < FL_MAX_PEERS ? engine->ports[peer] : NULL;

	for (int i = 0; i < 2; i++)
		ret_live[i] = ports && ports->ready ? ports->wp[i].live : 0;
}

uint64_t fl_engine_without_parity(const struct fl_engine *engine, uint16_t peer)
{
	const struct fl_peer_ports *ports = peer < FL_MAX_PEERS ? engine->ports[peer] : NULL;

	return ports ? ports->without_parity : 0;
}

void fl_engine_memory(const struct fl_engine *engine, struct fl_engine_memory *ret_memory)
{
	struct fl_engine_memory m = {
		.flows = fl_flows_memory(engine->flows),
		.store = fl_store_memory(engine->store),
		.deadlines = ((size_t)engine->t->max_sessions + 1) * sizeof(*engine->deadlines),
		.other = sizeof(*engine) + fl_fifo_memory(&engine->acks) +
			 engine->kept.size * sizeof(*engine->kept.item) +
			 ((size_t)engine->t->max_sessions + 1) *
				 (sizeof(*engine->notes) + sizeof(*engine->groups.links)),
	};

	for (int peer = 0; peer < FL_MAX_PEERS; peer++)
		for (int i = 0; engine->ports[peer] && i < 2; i++)
			m.waypoints += fl_u32set_memory(&engine->ports[peer]->wp[i].resting) +
				       fl_fifo_memory(&engine->ports[peer]->wp[i].released);
	*ret_memory = m;
}
