// SPDX-License-Identifier: Apache-2.0
/* Next hops: neighbours that flows and paths are sent to, and the routes that lead there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/path/fabric_internal.h"

#define FULL_MS 100 /* chosen */

static struct fl_neigh_key neigh_key(uint32_t ifindex, const struct fl_addr *addr)
{
	struct fl_neigh_key key = { .ifindex = ifindex, .family = addr->family };

	memcpy(key.addr, addr->b, sizeof(key.addr));
	return key;
}

const struct fl_neigh_entry *fl_neigh_find(const struct fl_fabric *f, uint32_t ifindex,
					   const struct fl_addr *addr)
{
	struct fl_neigh_key key = neigh_key(ifindex, addr);
	struct fl_neigh_entry *entry;

	HASH_FIND(hh, f->neighs, &key, sizeof(key), entry);
	return entry;
}

static struct fl_addr hop_addr(const struct fl_hop *hop)
{
	return fl_addr_from((uint8_t)hop->key.family, hop->key.addr);
}

/* Write a next hop's entry anew, from its interface and its neighbour. */
void fl_hop_refresh(struct fl_fabric *f, struct fl_hop *hop)
{
	struct fl_nexthop *slot = &f->tables->nexthops[hop->id], entry = { 0 };
	const struct fl_netif *netif = &f->netifs[hop->key.iface];
	const struct fl_addr addr = hop_addr(hop);
	const struct fl_neigh_entry *neigh = NULL;
	const bool believed = hop->hinted || hop->adopted;
	bool was_up = slot->state == FL_PATH_UP;

	entry.state = FL_PATH_DOWN;
	entry.iface = hop->key.iface;
	entry.family = (uint8_t)hop->key.family;
	memcpy(entry.addr, hop->key.addr, sizeof(entry.addr));
	if (believed)
		memcpy(entry.dmac, slot->dmac, sizeof(entry.dmac));
	if (netif->cfg && netif->attached && netif->link.ifindex) {
		uint32_t mtu = netif->cfg->mtu_bytes ? netif->cfg->mtu_bytes : netif->link.mtu;

		entry.ifindex = netif->link.ifindex;
		entry.mtu = (uint16_t)(mtu > 0xffff ? 0xffff : mtu);
		entry.vlan = netif->cfg->vlan;
		entry.ivlan = netif->cfg->inner_vlan;
		entry.tx_flags = fl_netif_tx_flags(f, netif);
		memcpy(entry.smac, netif->link.mac, sizeof(entry.smac));
		neigh = fl_neigh_find(f, netif->link.ifindex, &addr);
		if (neigh) {
			memcpy(entry.dmac, neigh->mac, sizeof(entry.dmac));
			hop->hinted = hop->adopted = false;
		}
		if (netif->link.up && (neigh || believed || netif->link.l3))
			entry.state = FL_PATH_UP;
	}
	entry.plain = entry.state == FL_PATH_UP && !entry.vlan && !entry.tx_flags;
	if (memcmp(slot, &entry, sizeof(entry)))
		*slot = entry;
	if (!was_up && entry.state == FL_PATH_UP)
		f->ops->hop_up(f->ctx, hop->id);
}

void fl_hops_refresh_iface(struct fl_fabric *f, uint16_t iface)
{
	struct fl_hop *hop, *tmp;

	HASH_ITER(hh, f->hops, hop, tmp)
		if (hop->key.iface == iface)
			fl_hop_refresh(f, hop);
}

void fl_fabric_neigh(struct fl_fabric *fabric, const struct fl_neigh *neigh)
{
	struct fl_neigh_key key = neigh_key(neigh->ifindex, &neigh->addr);
	struct fl_neigh_entry *entry;
	struct fl_hop *hop, *tmp;
	bool gone = false;

	HASH_FIND(hh, fabric->neighs, &key, sizeof(key), entry);
	if (neigh->valid && entry && !memcmp(entry->mac, neigh->mac, 6))
		return;
	if (neigh->valid) {
		if (!entry) {
			entry = calloc(1, sizeof(*entry));
			if (!entry)
				return;
			entry->key = key;
			HASH_ADD(hh, fabric->neighs, key, sizeof(entry->key), entry);
		}
		memcpy(entry->mac, neigh->mac, sizeof(entry->mac));
	} else if (entry) {
		HASH_DEL(fabric->neighs, entry);
		free(entry);
	} else if (neigh->failed) {
		gone = true;
	} else {
		return;
	}
	HASH_ITER(hh, fabric->hops, hop, tmp) {
		if (memcmp(hop->key.addr, key.addr, sizeof(key.addr)) ||
		    hop->key.family != key.family ||
		    fabric->netifs[hop->key.iface].link.ifindex != neigh->ifindex)
			continue;
		hop->adopted &= !gone;
		fl_hop_refresh(fabric, hop);
	}
	for (uint16_t id = 1; id < FL_MAX_PATHS; id++)
		if (fabric->paths[id].cfg &&
		    fl_addr_equal(&fabric->paths[id].hop_addr, &neigh->addr))
			fl_path_refresh(fabric, &fabric->paths[id]);
}

/* --- next hops by address --------------------------------------------------------------------- */

static uint16_t free_hop_id(struct fl_fabric *f)
{
	for (uint32_t i = 0; i < FL_MAX_NEXTHOPS; i++) {
		uint16_t id = (uint16_t)((f->hop_hint + i) % FL_MAX_NEXTHOPS);

		if (id && f->tables->nexthops[id].state == FL_PATH_UNUSED) {
			f->hop_hint = (uint16_t)(id + 1);
			return id;
		}
	}
	return 0;
}

static void hop_free(struct fl_fabric *f, struct fl_hop *hop)
{
	memset(&f->tables->nexthops[hop->id], 0, sizeof(struct fl_nexthop));
	f->hop_by_id[hop->id] = NULL;
	HASH_DEL(f->hops, hop);
	free(hop);
}

/* Next hops that no session holds make room, when there is none left. */
static void hops_collect(struct fl_fabric *f)
{
	struct fl_exit_entry *found, *found_tmp;
	struct fl_hop *hop, *tmp;

	HASH_ITER(hh, f->exits, found, found_tmp) {
		hop = f->hop_by_id[found->exit.hop];
		if (!hop || hop->refs)
			continue;
		HASH_DEL(f->exits, found);
		free(found);
	}
	HASH_ITER(hh, f->hops, hop, tmp)
		if (!hop->refs)
			hop_free(f, hop);
}

static struct fl_hop *hop_find(const struct fl_fabric *f, const struct fl_hop_key *key)
{
	struct fl_hop *hop;

	HASH_FIND(hh, f->hops, key, sizeof(*key), hop);
	return hop;
}

static struct fl_hop *hop_add(struct fl_fabric *f, const struct fl_hop_key *key, uint16_t id)
{
	struct fl_hop *hop = calloc(1, sizeof(*hop));

	if (!hop)
		return NULL;
	hop->key = *key;
	hop->id = id;
	f->hop_by_id[id] = hop;
	HASH_ADD(hh, f->hops, key, sizeof(hop->key), hop);
	return hop;
}

/*
 * A number that is free, or has been made so; 0: all are held. Looking through all of them for
 * every packet of a flood would be dear, so that the answer holds for a while.
 */
static uint16_t take_hop_id(struct fl_fabric *f)
{
	const struct fl_mono now = fl_mono_now();
	uint16_t id;

	if (!fl_mono_reached(now, f->hops_full_until))
		return 0;
	id = free_hop_id(f);
	if (id)
		return id;
	hops_collect(f);
	id = free_hop_id(f);
	if (!id)
		f->hops_full_until = fl_mono_add_ms(now, FULL_MS);
	return id;
}

/* The next hop @addr on an interface; @hint_mac is believed until the kernel knows better. */
static int hop_for(struct fl_fabric *f, const struct fl_netif *netif, const struct fl_addr *addr,
		   const uint8_t *hint_mac, uint16_t *ret_hop)
{
	struct fl_hop_key key = { .iface = netif->id, .family = addr->family };
	struct fl_nexthop *slot;
	struct fl_hop *hop;
	uint16_t id;

	memcpy(key.addr, addr->b, sizeof(key.addr));
	hop = hop_find(f, &key);
	if (!hop) {
		id = take_hop_id(f);
		hop = id ? hop_add(f, &key, id) : NULL;
		if (!hop)
			return -ENOSPC;
		f->tables->nexthops[id].state = FL_PATH_DOWN;
		fl_hop_refresh(f, hop);
	}
	slot = &f->tables->nexthops[hop->id];
	if (slot->state != FL_PATH_UP && hint_mac && netif->link.up) {
		hop->hinted = true;
		memcpy(slot->dmac, hint_mac, sizeof(slot->dmac));
		fl_hop_refresh(f, hop);
	}
	if (netif->link.ifindex && !netif->link.l3 && !fl_neigh_find(f, netif->link.ifindex, addr))
		f->ops->resolve(f->ctx, netif->link.ifindex, addr);
	*ret_hop = hop->id;
	return 0;
}

void fl_fabric_each_neigh(const struct fl_fabric *fabric, fl_neigh_fn fn, void *ctx)
{
	const struct fl_neigh_entry *entry;

	for (entry = fabric->neighs; entry; entry = entry->hh.next) {
		struct fl_neigh neigh = { .ifindex = entry->key.ifindex, .valid = true };

		neigh.addr = fl_addr_from((uint8_t)entry->key.family, entry->key.addr);
		memcpy(neigh.mac, entry->mac, sizeof(neigh.mac));
		fn(ctx, &neigh);
	}
}

void fl_fabric_hop_get(struct fl_fabric *fabric, uint16_t hop)
{
	struct fl_hop *h = hop < FL_MAX_NEXTHOPS ? fabric->hop_by_id[hop] : NULL;

	if (h)
		h->refs++;
}

void fl_fabric_hop_put(struct fl_fabric *fabric, uint16_t hop)
{
	struct fl_hop *h = hop < FL_MAX_NEXTHOPS ? fabric->hop_by_id[hop] : NULL;

	if (h && h->refs)
		h->refs--;
}

int fl_hops_adopt(struct fl_fabric *f)
{
	for (uint16_t id = 1; id < FL_MAX_NEXTHOPS; id++) {
		const struct fl_nexthop *slot = &f->tables->nexthops[id];
		struct fl_hop_key key = { .iface = slot->iface, .family = slot->family };
		struct fl_hop *hop;

		if (slot->state == FL_PATH_UNUSED)
			continue;
		memcpy(key.addr, slot->addr, sizeof(key.addr));
		hop = hop_add(f, &key, id);
		if (!hop)
			return -ENOMEM;
		hop->adopted = slot->state == FL_PATH_UP;
	}
	return 0;
}

void fl_hops_free(struct fl_fabric *f)
{
	struct fl_neigh_entry *neigh, *neigh_tmp;
	struct fl_exit_entry *found, *found_tmp;
	struct fl_hop *hop, *tmp;

	HASH_ITER(hh, f->exits, found, found_tmp) {
		HASH_DEL(f->exits, found);
		free(found);
	}
	HASH_ITER(hh, f->hops, hop, tmp) {
		HASH_DEL(f->hops, hop);
		free(hop);
	}
	HASH_ITER(hh, f->neighs, neigh, neigh_tmp) {
		HASH_DEL(f->neighs, neigh);
		free(neigh);
	}
}

/* --- exits ------------------------------------------------------------------------------------ */

static int find_exit(struct fl_fabric *f, const struct fl_addr *dst, const struct fl_addr *via,
		     uint16_t iface, struct fl_exit *ret_exit, struct fl_addr *ret_addr)
{
	const struct fl_netif *netif = fl_fabric_netif(f, iface);
	struct fl_route route;
	int err;

	*ret_exit = (struct fl_exit){ 0 };
	if (via->family && netif) {
		ret_exit->iface = iface;
		*ret_addr = *via;
		return 0;
	}
	if (iface && (!netif || !netif->link.ifindex))
		return -ENETUNREACH;
	err = f->ops->route(f->ctx, via->family ? via : dst, netif ? netif->link.ifindex : 0,
			    &route);
	if (err < 0 || route.type == FL_ROUTE_NONE)
		return -ENETUNREACH;
	if (route.type == FL_ROUTE_LOCAL) {
		ret_exit->host = true;
		return 0;
	}
	if (!netif)
		netif = fl_fabric_netif_by_ifindex(f, route.ifindex);
	if (!netif)
		return -ENETUNREACH;
	ret_exit->iface = netif->id;
	*ret_addr = route.gateway.family ? route.gateway : via->family ? *via : *dst;
	return 0;
}

int fl_fabric_exit(struct fl_fabric *fabric, const struct fl_addr *dst, const struct fl_addr *via,
		   uint16_t iface, const uint8_t *hint_mac, struct fl_exit *ret_exit)
{
	struct fl_exit_key key = { .family = dst->family, .iface = iface };
	struct fl_exit_entry *entry = NULL;
	struct fl_addr addr = { 0 };
	struct fl_exit out;
	int err;

	memcpy(key.addr, dst->b, sizeof(key.addr));
	if (!via->family)
		HASH_FIND(hh, fabric->exits, &key, sizeof(key), entry);
	if (entry) {
		*ret_exit = entry->exit;
		return 0;
	}
	err = find_exit(fabric, dst, via, iface, &out, &addr);
	if (!err && !out.host)
		err = hop_for(fabric, &fabric->netifs[out.iface], &addr, hint_mac, &out.hop);
	if (err < 0)
		return err;
	*ret_exit = out;
	if (via->family || HASH_COUNT(fabric->exits) >= FL_MAX_REMEMBERED_EXITS)
		return 0;
	entry = calloc(1, sizeof(*entry));
	if (entry) {
		entry->key = key;
		entry->exit = out;
		HASH_ADD(hh, fabric->exits, key, sizeof(entry->key), entry);
	}
	return 0;
}

void fl_fabric_routes_changed(struct fl_fabric *fabric)
{
	struct fl_exit_entry *entry, *tmp;

	fabric->route_generation++;
	HASH_ITER(hh, fabric->exits, entry, tmp) {
		HASH_DEL(fabric->exits, entry);
		free(entry);
	}
	for (uint16_t id = 1; id < FL_MAX_PATHS; id++)
		if (fabric->paths[id].cfg)
			fl_path_refresh(fabric, &fabric->paths[id]);
}

uint32_t fl_fabric_route_generation(const struct fl_fabric *fabric)
{
	return fabric->route_generation;
}
