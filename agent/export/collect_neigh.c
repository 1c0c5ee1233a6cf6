// SPDX-License-Identifier: Apache-2.0
/* Neighbours on this router's LANs: whose MAC an address has, from when to when. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/export/collect_internal.h"

#define MAX_NEIGHS     65536
#define REPEAT_S       600 /* a neighbour that stays is told of again */
#define LOOKS_A_SECOND 200

static const char *name_of(const struct fl_collect *c, const struct fl_neigh_seen *n)
{
	return c->ops->host_name(c->ctx, &n->neighbour.addr, n->neighbour.mac);
}

static void put_neigh(struct fl_collect *c, struct fl_neigh_seen *n)
{
	const struct fl_netif *netif = fl_fabric_netif_by_ifindex(c->fabric, n->ifindex);
	struct fl_export_record r = { .type = FL_EXPORT_NEIGHBOUR };
	const char *name;

	/* Hosts only: next hops toward peers and the Internet are nobody's clients. */
	if (!netif || !netif->cfg || !netif->cfg->tenant_name)
		return;
	r.neighbour = n->neighbour;
	name = name_of(c, n);
	snprintf(r.neighbour.name, sizeof(r.neighbour.name), "%s", name ? name : "");
	n->told = true;
	n->named = name != NULL;
	c->ops->put(c->ctx, &r);
}

static void forget(struct fl_collect *c, struct fl_neigh_seen *n)
{
	if (c->neigh_cursor == n)
		c->neigh_cursor = n->hh.next;
	HASH_DEL(c->neighs, n);
	free(n);
}

static struct fl_neigh_seen *find(struct fl_collect *c, const struct fl_addr *addr)
{
	struct fl_neigh_seen *n;

	HASH_FIND(hh, c->neighs, addr, sizeof(*addr), n);
	return n;
}

static void add(struct fl_collect *c, const struct fl_neigh *neigh)
{
	struct fl_neigh_seen *n;

	if (HASH_COUNT(c->neighs) >= MAX_NEIGHS)
		return;
	n = calloc(1, sizeof(*n));
	if (!n)
		return;
	n->neighbour.addr = neigh->addr;
	memcpy(n->neighbour.mac, neigh->mac, 6);
	n->neighbour.from_s = n->neighbour.to_s = c->now_s;
	n->ifindex = neigh->ifindex;
	HASH_ADD(hh, c->neighs, neighbour.addr, sizeof(n->neighbour.addr), n);
	put_neigh(c, n);
}

void fl_collect_neigh(struct fl_collect *collect, const struct fl_neigh *neigh)
{
	struct fl_neigh_seen *n = find(collect, &neigh->addr);
	bool same = n && !memcmp(n->neighbour.mac, neigh->mac, 6) && n->ifindex == neigh->ifindex;

	collect->now_s = (int64_t)(fl_wall_now_ns() / FL_NS_PER_S);
	if (n && neigh->valid && same)
		return;
	if (n) {
		n->neighbour.to_s = collect->now_s;
		put_neigh(collect, n);
		forget(collect, n);
	}
	if (neigh->valid)
		add(collect, neigh);
}

/* A part of them at a time. */
void fl_collect_repeat_neighs(struct fl_collect *c)
{
	for (int i = 0; i < LOOKS_A_SECOND; i++) {
		struct fl_neigh_seen *n = c->neigh_cursor ? c->neigh_cursor : c->neighs;

		if (!n)
			return;
		c->neigh_cursor = n->hh.next;
		/* A lease may be known later than its holder's first packet. */
		if (!n->told || (!n->named && name_of(c, n)) ||
		    c->now_s - n->neighbour.to_s >= REPEAT_S) {
			n->neighbour.to_s = c->now_s;
			put_neigh(c, n);
		}
		if (!c->neigh_cursor)
			return;
	}
}

void fl_collect_free_neighs(struct fl_collect *c)
{
	struct fl_neigh_seen *n, *next;

	HASH_ITER(hh, c->neighs, n, next) {
		HASH_DEL(c->neighs, n);
		free(n);
	}
}
