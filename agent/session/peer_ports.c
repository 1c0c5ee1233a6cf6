// SPDX-License-Identifier: Apache-2.0
/* Waypoint ports of the engine's peers: taken, given back, found in use after a restart. */
#include <stdlib.h>

#include "agent/base/log.h"
#include "agent/path/ports.h"
#include "agent/session/engine_internal.h"

static struct fl_peer_ports *ports_of(struct fl_engine *e, uint16_t peer)
{
	const struct fl_peer *p = fl_fabric_peer(e->fabric, peer);
	struct fl_port_range range;
	struct fl_peer_ports *ports;

	if (!p)
		return NULL;
	if (!e->ports[peer]) {
		e->ports[peer] = calloc(1, sizeof(*e->ports[peer]));
		if (!e->ports[peer])
			return NULL;
	}
	ports = e->ports[peer];
	if (!ports->ready) {
		range = fl_waypoint_ports(p->port_range);
		for (int i = 0; i < 2; i++)
			fl_waypoints_init(&ports->wp[i], range.lo, range.hi, !p->port_range,
					  p->max_way_points);
		ports->ready = true;
	}
	return ports;
}

struct fl_waypoints *fl_engine_waypoints_of(struct fl_engine *e, uint16_t peer, uint8_t wire_proto)
{
	struct fl_peer_ports *ports = ports_of(e, peer);

	return ports ? &ports->wp[wire_proto == FL_IPPROTO_TCP] : NULL;
}

void fl_engine_waypoints_changed(struct fl_engine *e)
{
	for (uint16_t peer = 1; peer < FL_MAX_PEERS; peer++) {
		const struct fl_peer *p = fl_fabric_peer(e->fabric, peer);
		struct fl_port_range range;

		if (!p || !e->ports[peer] || !e->ports[peer]->ready)
			continue;
		range = fl_waypoint_ports(p->port_range);
		for (int i = 0; i < 2; i++) {
			struct fl_waypoints *wp = &e->ports[peer]->wp[i];

			if (wp->lo != range.lo || wp->hi != range.hi ||
			    wp->limit != p->max_way_points)
				fl_waypoints_change(wp, range.lo, range.hi, !p->port_range,
						    p->max_way_points);
		}
	}
}

/*
 * A pair that a peer picked: its own port even, ours odd (P-27), unless there is a range, or a NAT
 * in between, which takes other ports. Otherwise the peer has a range that we know nothing of, and
 * our picks and its may meet. Its HMAC has proven the packet: the session is taken, and counted.
 */
void fl_engine_check_parity(struct fl_engine *e, uint16_t path, uint16_t local_port,
			    uint16_t remote_port)
{
	const struct fl_path_quality *quality = fl_fabric_path_quality(e->fabric, path);
	const struct fl_path_rt *rt = fl_fabric_path(e->fabric, path);
	const struct fl_peer *peer = fl_fabric_peer(e->fabric, rt->peer);
	struct fl_peer_ports *ports;

	if ((local_port % 2 == 1 && remote_port % 2 == 0) || peer->port_range ||
	    rt->cfg->connectivity == FL_CFG_OUTBOUND_ONLY ||
	    (quality && (quality->peer_nated || quality->self_nated)))
		return;
	ports = ports_of(e, rt->peer);
	if (ports && !ports->without_parity++)
		fl_warning("peer %s opens sessions on waypoint ports %u and %u, which are not even "
			   "at its end and odd at ours: has its adjacency a \"port-range\"? Then "
			   "ours needs the same",
			   peer->name, remote_port, local_port);
}

void fl_engine_release_pair(struct fl_engine *e, uint16_t peer, uint8_t wire_proto,
			    struct fl_waypoint_pair pair)
{
	struct fl_waypoints *wp = fl_engine_waypoints_of(e, peer, wire_proto);

	if (wp)
		fl_waypoints_release(wp, pair, e->now);
}

/* The pair is ours to give back: we picked it. */
void fl_engine_release_waypoints(struct fl_engine *e, const struct fl_session *s)
{
	const struct fl_waypoint_pair pair = { s->out.local_port, s->out.remote_port };

	if (s->out.kind == FL_SIDE_PEER)
		fl_engine_release_pair(e, s->out.id, fl_session_wire_proto(s), pair);
}

void fl_engine_adopt_waypoints(struct fl_engine *e, const struct fl_session *s,
			       struct fl_mono closed)
{
	struct fl_waypoints *wp;

	if (s->out.kind != FL_SIDE_PEER)
		return;
	wp = fl_engine_waypoints_of(e, s->out.id, fl_session_wire_proto(s));
	if (!wp)
		return;
	if (s->state == FL_SESSION_LIVE)
		fl_waypoints_take(wp);
	else if (fl_mono_ms_between(closed, e->now) <= FL_WAYPOINT_REST_S * 1000)
		fl_waypoints_rest(
			wp, (struct fl_waypoint_pair){ s->out.local_port, s->out.remote_port },
			closed);
}
