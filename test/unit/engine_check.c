// SPDX-License-Identifier: Apache-2.0
/* Looking inside the small world's routers, and what must always hold of them. */
#include <string.h>

#include "agent/path/fabric_internal.h"
#include "test/unit/engine_world.h"

/* --- looking inside --------------------------------------------------------------------------- */

uint16_t router_iface(struct router *r, enum device dev)
{
	const struct fl_netif *netif =
		fl_fabric_netif_by_ifindex(r->fabric, dev_ifindex(r->n, dev));

	return netif ? netif->id : 0;
}

uint16_t router_path(struct router *r, enum device dev)
{
	uint16_t iface = router_iface(r, dev);

	for (uint16_t id = 1; id < FL_MAX_PATHS; id++) {
		const struct fl_path_rt *path = fl_fabric_path(r->fabric, id);

		if (path && path->cfg && path->iface == iface)
			return id;
	}
	return 0;
}

uint32_t router_sessions(const struct router *r)
{
	return fl_store_count(r->engine->store);
}

uint32_t router_session(const struct router *r)
{
	uint32_t newest = 0;

	for (uint32_t id = 1; id <= r->t.max_sessions; id++)
		if (r->t.sessions[id].state == FL_SESSION_LIVE &&
		    (!newest || r->t.sessions[id].start_ns >= r->t.sessions[newest].start_ns))
			newest = id;
	MUST_BE(newest);
	return newest;
}

unsigned int router_state(const struct router *r)
{
	uint32_t id = router_session(r);

	return STATE(fl_engine_flow(r->engine, id, FL_FORWARD)->state,
		     fl_engine_flow(r->engine, id, FL_REVERSE)->state);
}

uint64_t router_drops(const struct router *r)
{
	uint64_t sum = 0;

	for (int i = 0; i < FL_DROP_MAX; i++)
		sum += r->t.drops[i];
	return sum;
}

/* --- invariants ------------------------------------------------------------------------------- */

static void check_session(struct router *r, uint32_t id)
{
	const struct fl_session *s = &r->t.sessions[id];

	for (int dir = FL_FORWARD; dir <= FL_REVERSE; dir++) {
		const struct fl_flow *flow = &r->t.flows[s->slot[dir]];
		struct fl_wide_key key;

		MUST_BE(flow->session == id);
		MUST_BE(!(flow->flags & FL_FLOW_REVERSE) == (dir == FL_FORWARD));
		MUST_BE(flow->tcp == r->t.flows[s->slot[0]].tcp);
		MUST_BE((flow->tcp != FL_TCP_NONE) == (s->proto == FL_IPPROTO_TCP));
		fl_session_key(s, (enum fl_direction)dir, &key);
		MUST_BE(fl_flows_find(fl_engine_flows(r->engine), &key) == s->slot[dir]);
	}
	MUST_BE(fl_store_find(r->engine->store, s->uuid) == id);
	MUST_BE(s->in.kind != FL_SIDE_NONE && s->out.kind != FL_SIDE_NONE);
	MUST_BE(r->engine->deadlines[id]);
	MUST_BE(id <= r->engine->age_limit);
	for (int side = 0; side < 2; side++) {
		const struct fl_side *at = side ? &s->out : &s->in;

		if (at->kind == FL_SIDE_PEER)
			MUST_BE(r->t.vectors[at->vector].peer == at->id);
		if (at->kind == FL_SIDE_LAN)
			MUST_BE(r->t.nexthops[at->nexthop].state != FL_PATH_UNUSED);
	}
}

/* A next hop is held by as many sides of sessions as name it. */
static void check_hops(const struct router *r)
{
	for (uint16_t id = 1; id < FL_MAX_NEXTHOPS; id++) {
		const struct fl_hop *hop = r->fabric->hop_by_id[id];
		uint32_t named = 0;

		if (!hop)
			continue;
		for (uint32_t s = 1; s <= r->t.max_sessions; s++) {
			if (r->t.sessions[s].state != FL_SESSION_LIVE)
				continue;
			named += r->t.sessions[s].in.nexthop == id;
			named += r->t.sessions[s].out.nexthop == id;
		}
		MUST_BE(named == hop->refs);
	}
}

/* Flows that sessions have left are there, held, and in the list of theirs; how many of them hold
 * waypoints of ours? */
static uint32_t check_kept(const struct router *r)
{
	const struct fl_kept_flows *kept = &r->engine->kept;
	uint32_t live = 0, listed = 0, ours = 0;

	for (uint32_t i = 1; i < kept->size; i++) {
		const struct fl_kept *k = &kept->item[i];

		if (!k->session)
			continue;
		live++;
		ours += k->dir == FL_REVERSE;
		MUST_BE(r->t.sessions[k->session].state == FL_SESSION_LIVE);
		MUST_BE(r->t.flows[k->slot].session == k->session);
		MUST_BE(fl_flows_find(r->engine->flows, &k->key) == k->slot);
		MUST_BE(fl_engine_is_kept(r->engine, k->slot));
		MUST_BE(fl_fabric_vector_refs(r->fabric, k->vector));
	}
	for (uint32_t id = 1; id <= r->t.max_sessions; id++)
		for (uint32_t at = r->engine->notes[id].kept; at; at = kept->item[at].next) {
			MUST_BE(kept->item[at].session == id);
			listed++;
		}
	MUST_BE(live == kept->live);
	MUST_BE(listed == live);
	return ours;
}

/* What the data plane is told of flows that found no slot is how many are in the index. */
static void check_spilled(const struct router *r)
{
	static uint64_t want[FL_SPILL_GROUPS];
	const struct fl_tables *t = &r->t;

	memset(want, 0, sizeof(want));
	for (size_t i = 0; i < r->n_index; i++) {
		const struct fl_wide_key *key = &r->index[i].key;
		uint64_t addrs, rest, hash;

		if (key->kind == FL_KEY_LAN6 || key->kind == FL_KEY_HOST6)
			continue;
		memcpy(&addrs, key->saddr, 4);
		memcpy((char *)&addrs + 4, key->daddr, 4);
		memcpy(&rest, &key->dport, sizeof(rest));
		hash = fl_flow_hash(addrs, rest, t->hash_seed);
		want[fl_flow_bucket(hash, t->buckets) % FL_SPILL_GROUPS]++;
	}
	MUST_BE(!memcmp(want, t->spilled, sizeof(want)));
}

void router_check(struct router *r)
{
	uint32_t dups = 0, live = 0, half_open = 0, used = 0, published = 0, ways[2];
	const struct fl_tables *t = &r->t;
	uint64_t all_ways = 0;

	for (uint32_t id = 1; id <= t->max_sessions; id++) {
		const struct fl_session *s = &t->sessions[id];

		MUST_BE(s->state != FL_SESSION_OPENING);
		if (s->state != FL_SESSION_LIVE)
			continue;
		check_session(r, id);
		live++;
		dups += (s->dup & 1u) + (s->dup >> 1);
		half_open += !!(s->flags & FL_SESSION_HALF_OPEN);
		used += s->out.kind == FL_SIDE_PEER;
	}
	for (uint32_t slot = 0; slot < t->slots; slot++) {
		enum fl_key_kind kind = t->flows[slot].key.kind;
		bool there = kind != FL_KEY_FREE && kind != FL_KEY_DEAD;

		published += there;
		if (slot < t->buckets * FL_BUCKET_SLOTS)
			MUST_BE(there == !!t->tags[slot]);
	}
	MUST_BE(live == fl_store_count(r->engine->store));
	MUST_BE(published == 2 * live + r->engine->kept.live);
	MUST_BE(published == fl_flows_count(r->engine->flows));
	MUST_BE(fl_flows_indexed(r->engine->flows) == r->n_index);
	check_spilled(r);
	MUST_BE(dups == r->n_dups);
	MUST_BE(half_open == r->engine->half_open);
	check_hops(r);
	for (uint16_t peer = 1; peer < FL_MAX_PEERS; peer++) {
		fl_engine_waypoints(r->engine, peer, ways);
		all_ways += ways[0] + ways[1];
	}
	MUST_BE(all_ways == used + check_kept(r));
	MUST_BE(t->stats[FL_STAT_SESSIONS_OPENED] >= t->stats[FL_STAT_SESSIONS_CLOSED]);
}
