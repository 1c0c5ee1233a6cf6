// SPDX-License-Identifier: Apache-2.0
/*
 * Fetching ahead. Most of the time that it takes to open a session is waiting for memory that
 * nobody has touched lately: flows, records and index entries lie anywhere. Where they are going to
 * be is often known before they are needed.
 */
#include <string.h>

#include "agent/base/rand.h"
#include "agent/codec/packet.h"
#include "agent/session/engine_internal.h"

void fl_engine_fetch_flows(const struct fl_engine *e, uint32_t id)
{
	for (int dir = FL_FORWARD; dir <= FL_REVERSE; dir++)
		__builtin_prefetch(fl_engine_flow(e, id, (enum fl_direction)dir), 1);
}

void fl_engine_host_key(const struct fl_punt *punt, const struct fl_tuple *t,
			struct fl_wide_key *ret_key)
{
	const bool host = punt->hook == FL_HOOK_TC_EGRESS;

	memset(ret_key, 0, sizeof(*ret_key));
	memcpy(ret_key->saddr, t->src, 16);
	memcpy(ret_key->daddr, t->dst, 16);
	ret_key->sport = t->sport;
	ret_key->dport = t->dport;
	ret_key->scope = host ? 0 : punt->iface;
	ret_key->proto = t->proto;
	if (t->family == 6)
		ret_key->kind = host ? FL_KEY_HOST6 : FL_KEY_LAN6;
	else
		ret_key->kind = host ? FL_KEY_HOST4 : FL_KEY_LAN4;
}

void fl_engine_ahead(const struct fl_engine *engine, const struct fl_punt *punt)
{
	const struct fl_path_rt *path;
	struct fl_packet packet;
	struct fl_wide_key key;
	struct fl_tuple t;

	if (punt->reason != FL_PUNT_NEW && punt->reason != FL_PUNT_META)
		return;
	/* Parsing reads only. */
	if (fl_packet_parse((void *)(uintptr_t)punt->data, punt->len, &packet) < 0 ||
	    !fl_packet_tuple(&packet, &t))
		return;
	fl_engine_host_key(punt, &t, &key);
	if (punt->reason == FL_PUNT_META) {
		path = fl_fabric_path(engine->fabric, punt->path);
		if (!path)
			return;
		key = (struct fl_wide_key){ .kind = FL_KEY_PEER,
					    .scope = path->peer,
					    .proto = t.proto,
					    .sport = t.sport,
					    .dport = t.dport };
	}
	fl_flows_prefetch(engine->flows, &key);
}

/* Which record, UUID and waypoints the next session gets is known. */
void fl_engine_ahead_of_next(struct fl_engine *e, const struct fl_side *out, uint8_t wire_proto)
{
	struct fl_wide_key key = { .kind = FL_KEY_PEER, .scope = out->id, .proto = wire_proto };
	const struct fl_waypoints *wp;
	struct fl_waypoint_pair pair;

	fl_rand_uuid(e->next_uuid);
	__builtin_prefetch(&e->deadlines[fl_store_prefetch(e->store, e->next_uuid)], 1);
	if (out->kind != FL_SIDE_PEER)
		return;
	wp = fl_engine_waypoints_of(e, out->id, wire_proto);
	if (!wp)
		return;
	pair = fl_waypoints_peek(wp);
	key.sport = pair.remote;
	key.dport = pair.local;
	fl_flows_prefetch(e->flows, &key);
}

/* A session that a peer announces, once it is decided where it goes. */
void fl_engine_ahead_of_announced(const struct fl_engine *e, const struct fl_meta *m,
				  const struct fl_decision *d)
{
	const struct fl_tuple *t = &m->forward;
	struct fl_wide_key key = { .kind = FL_KEY_LAN4,
				   .scope = d->chosen->exit.iface,
				   .proto = t->proto,
				   .sport = t->dport,
				   .dport = t->sport };

	__builtin_prefetch(&e->deadlines[fl_store_prefetch(e->store, m->uuid)], 1);
	if (d->chosen->peer || d->chosen->exit.host || t->family != 4)
		return;
	/* Without source NAT or another target, as most are. */
	memcpy(key.saddr, t->dst, 4);
	memcpy(key.daddr, t->src, 4);
	fl_flows_prefetch(e->flows, &key);
}
