// SPDX-License-Identifier: Apache-2.0
/* Waypoint ports of the engine's peers: taken, given back, found in use after a restart. */
#include <stdlib.h>

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
