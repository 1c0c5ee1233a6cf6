// SPDX-License-Identifier: Apache-2.0
/* Peers, and the paths to them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/csum.h"

#include "agent/base/log.h"
#include "agent/path/fabric_internal.h"
#include "agent/path/ports.h"

const struct fl_peer *fl_fabric_peer(const struct fl_fabric *fabric, uint16_t id)
{
	return id && id < FL_MAX_PEERS && fabric->peers[id].id ? &fabric->peers[id] : NULL;
}

const struct fl_peer *fl_fabric_peer_named(const struct fl_fabric *fabric, const char *name)
{
	for (uint16_t id = 1; id < FL_MAX_PEERS; id++)
		if (fabric->peers[id].configured && !strcmp(fabric->peers[id].name, name))
			return &fabric->peers[id];
	return NULL;
}

const struct fl_path_rt *fl_fabric_path(const struct fl_fabric *fabric, uint16_t id)
{
	return id && id < FL_MAX_PATHS && fabric->paths[id].id ? &fabric->paths[id] : NULL;
}

uint16_t fl_fabric_path_limit(const struct fl_fabric *fabric)
{
	return fabric->path_limit;
}

/* --- the tables that the data plane reads ----------------------------------------------------- */

static struct fl_path_way *way_of(const struct fl_fabric *f, const struct fl_path *path,
				  uint16_t id)
{
	struct fl_path_bucket *bucket;
	uint32_t local, remote;

	memcpy(&local, path->local, sizeof(local));
	memcpy(&remote, path->remote, sizeof(remote));
	bucket = &f->tables->path_lookup[fl_path_bucket(local, remote)];
	for (int i = 0; i < FL_PATH_BUCKET_WAYS; i++)
		if (bucket->way[i].path == id)
			return &bucket->way[i];
	return NULL;
}

/* Make a path findable by its waypoint pair, or no longer so. */
static int lookup_set(struct fl_fabric *f, const struct fl_path *path, uint16_t id, bool present)
{
	struct fl_path6_key key6;
	struct fl_path_way *way;

	if (path->family == 6) {
		memcpy(key6.local, path->local, sizeof(key6.local));
		memcpy(key6.remote, path->remote, sizeof(key6.remote));
		if (present)
			return f->tables->ops->path6_set(f->tables->ops_ctx, &key6, id);
		return f->tables->ops->path6_clear(f->tables->ops_ctx, &key6);
	}
	way = way_of(f, path, id);
	if (!present) {
		if (way)
			memset(way, 0, sizeof(*way));
		return 0;
	}
	if (way)
		return 0;
	way = way_of(f, path, 0);
	if (!way)
		return -ENOSPC;
	memcpy(way->local, path->local, sizeof(way->local));
	memcpy(way->remote, path->remote, sizeof(way->remote));
	__atomic_store_n(&way->path, id, __ATOMIC_RELEASE);
	return 0;
}

static void fill_addresses(const struct fl_path_rt *path, struct fl_path *entry)
{
	memcpy(entry->local, path->local.b, sizeof(entry->local));
	memcpy(entry->remote, path->remote.b, sizeof(entry->remote));
	entry->family = path->local.family;
	if (entry->family == 6)
		entry->addr_sum =
			fl_csum_add(fl_csum_addr6(entry->local), fl_csum_addr6(entry->remote));
	else
		entry->addr_sum =
			fl_csum_add(fl_csum_addr4(entry->local), fl_csum_addr4(entry->remote));
}

/*
 * Do packets by this path end with their HMACs: is that the policy, and does the peer ask for it?
 * One that does not would take them for user data. As long as nothing has been heard of it, it is
 * as an earlier process had it.
 */
static bool is_sealed(const struct fl_fabric *f, const struct fl_path_rt *path)
{
	if (!path->tx_ring || !fl_policy_seals(f->config, path->cfg->security))
		return false;
	if (!path->cfg->bfd->enabled)
		return true;
	if (!path->quality.heard)
		return f->tables->paths[path->id].tx_flags & FL_TX_SEAL;
	return path->quality.proves;
}

/* Never plain with that flag. What is left of the MTU is what a session's packet may have. */
static void seal(const struct fl_path_rt *path, struct fl_path *entry)
{
	entry->tx_flags |= FL_TX_SEAL;
	if (entry->mtu)
		entry->mtu = (uint16_t)(entry->mtu - fl_keyring_hmac_len(path->tx_ring));
}

static uint16_t path_mtu(const struct fl_path_rt *path, const struct fl_netif *netif)
{
	uint32_t mtu = netif->cfg->mtu_bytes ? netif->cfg->mtu_bytes : netif->link.mtu;

	if (path->cfg->mtu_bytes && path->cfg->mtu_bytes < mtu)
		mtu = path->cfg->mtu_bytes;
	return (uint16_t)(mtu > 0xffff ? 0xffff : mtu);
}

/* How the path reaches its remote waypoint: NULL, or why it does not. */
static const char *fill_way_out(struct fl_fabric *f, struct fl_path_rt *path, struct fl_path *entry)
{
	const struct fl_netif *netif = &f->netifs[path->iface];
	const struct fl_neigh_entry *neigh;
	struct fl_route route;

	path->hop_addr = (struct fl_addr){ 0 };
	if (!netif->cfg || !netif->link.ifindex)
		return "its device does not exist";
	if (!netif->attached)
		return "its interface is not attached";
	entry->ifindex = netif->link.ifindex;
	entry->mtu = path_mtu(path, netif);
	entry->vlan = netif->cfg->vlan;
	entry->ivlan = netif->cfg->inner_vlan;
	entry->tx_flags = fl_netif_tx_flags(f, netif);
	memcpy(entry->smac, netif->link.mac, sizeof(entry->smac));
	if (!netif->link.up)
		return "its device is down";
	if (netif->link.l3)
		return NULL;
	if (f->ops->route(f->ctx, &path->remote, netif->link.ifindex, &route) < 0 ||
	    route.type != FL_ROUTE_UNICAST)
		return "no route to the remote waypoint by its device";
	path->hop_addr = route.gateway.family ? route.gateway : path->remote;
	neigh = fl_neigh_find(f, netif->link.ifindex, &path->hop_addr);
	if (!neigh) {
		f->ops->resolve(f->ctx, netif->link.ifindex, &path->hop_addr);
		return "its next hop does not answer (ARP, ND)";
	}
	memcpy(entry->dmac, neigh->mac, sizeof(entry->dmac));
	return NULL;
}

static uint32_t key_in_use(const struct fl_path_rt *path)
{
	const struct fl_key *key =
		path->tx_ring ? fl_keyring_current(path->tx_ring, fl_wall_now_ns() / FL_NS_PER_S)
			      : NULL;

	return key ? key->id : 0;
}

void fl_path_refresh(struct fl_fabric *f, struct fl_path_rt *path)
{
	struct fl_path *slot = &f->tables->paths[path->id], entry = { 0 };
	const struct fl_netif *netif = &f->netifs[path->iface];
	struct fl_port_range ports = fl_waypoint_ports(path->cfg->port_range);
	const bool nated = path->cfg->connectivity == FL_CFG_OUTBOUND_ONLY;

	fill_addresses(path, &entry);
	entry.peer = path->peer;
	entry.iface = path->iface;
	entry.port_lo = ports.lo;
	entry.port_hi = ports.hi;
	entry.remote_lo = nated ? FL_NAT_PORT_LO : ports.lo;
	entry.remote_hi = nated ? FL_NAT_PORT_HI : ports.hi;
	entry.security_id = key_in_use(path);
	path->link_why = fill_way_out(f, path, &entry);
	if (is_sealed(f, path))
		seal(path, &entry);
	entry.state = path->link_why ? FL_PATH_DOWN : FL_PATH_UP;
	if (entry.state == FL_PATH_UP && !entry.vlan && !entry.tx_flags)
		entry.plain = entry.family;
	if (fl_path_watch_publish(f, path))
		entry.tx_flags |= FL_TX_FPM;
	memcpy(entry.fpm_due, slot->fpm_due, sizeof(entry.fpm_due)); /* the data plane's */
	snprintf(entry.label, sizeof(entry.label), "%.15s/%.15s", f->peers[path->peer].name,
		 netif->name);
	/* Every path is refreshed again when it has its new configuration. */
	if (f->ops->watch && !f->applying)
		f->ops->watch(f->ctx, path, &entry, &path->quality);
	if (memcmp(slot, &entry, sizeof(entry)))
		*slot = entry;
	if (lookup_set(f, &entry, path->id, true) < 0)
		fl_error("path to %s cannot be looked up: no place in the table",
			 f->peers[path->peer].name);
	fl_path_judge(f, path);
}

void fl_path_lookup_clear(struct fl_fabric *f, const struct fl_path_rt *path)
{
	lookup_set(f, &f->tables->paths[path->id], path->id, false);
}

void fl_paths_refresh_iface(struct fl_fabric *f, uint16_t iface)
{
	for (uint16_t id = 1; id < FL_MAX_PATHS; id++)
		if (f->paths[id].cfg && f->paths[id].iface == iface)
			fl_path_refresh(f, &f->paths[id]);
}

/* --- configuration ---------------------------------------------------------------------------- */

static uint16_t peer_id(const struct fl_fabric *f, const char *name)
{
	uint16_t free_id = 0;

	for (uint16_t id = FL_MAX_PEERS - 1; id; id--) {
		/* The name in the table outlives restarts, and with it the number. */
		if (!strcmp(f->tables->peers[id].name, name))
			return id;
		if (!f->tables->peers[id].name[0])
			free_id = id;
	}
	return free_id;
}

/* Is this path one of the configuration, where the configuration says that it is? */
static bool is_configured(const struct fl_fabric *f, const struct fl_path *slot)
{
	for (size_t i = 0; i < f->config->n_path; i++) {
		const struct fl_cfg_adjacency *cfg = f->config->path[i];

		if (slot->family == cfg->local.family && !memcmp(slot->local, cfg->local.b, 16) &&
		    !memcmp(slot->remote, cfg->ip_address.b, 16))
			return true;
	}
	return false;
}

static uint16_t path_id(const struct fl_fabric *f, const struct fl_cfg_adjacency *cfg,
			uint16_t iface)
{
	uint16_t free_id = 0, moved = 0, peer = peer_id(f, cfg->peer_name);

	for (uint16_t id = FL_MAX_PATHS - 1; id; id--) {
		const struct fl_path *slot = &f->tables->paths[id];
		const struct fl_path_rt *known = &f->paths[id];

		/* Its peer may be reached at another address than the configured one. */
		if (known->id && known->iface == iface &&
		    fl_addr_equal(&known->local, &cfg->local) &&
		    fl_addr_equal(&known->configured, &cfg->ip_address))
			return id;
		if (slot->state == FL_PATH_UNUSED) {
			free_id = id;
			continue;
		}
		if (slot->iface == iface && slot->family == cfg->local.family &&
		    !memcmp(slot->local, cfg->local.b, 16) &&
		    !memcmp(slot->remote, cfg->ip_address.b, 16))
			return id;
		/* An earlier process followed it to where its peer's NAT had moved (P-38). */
		if (!known->id && slot->iface == iface && slot->peer == peer &&
		    slot->family == cfg->local.family && !memcmp(slot->local, cfg->local.b, 16) &&
		    !is_configured(f, slot))
			moved = id;
	}
	return moved ? moved : free_id;
}

int fl_peers_plan(struct fl_fabric *f, const struct fl_config *config, char why[FL_WHY_TEXT])
{
	size_t new_peers = 0, free_peers = 0;

	for (uint16_t id = 1; id < FL_MAX_PEERS; id++)
		free_peers += !f->tables->peers[id].name[0];
	for (size_t i = 0; i < config->router.n_peer; i++) {
		uint16_t id = peer_id(f, config->router.peer[i].name);

		new_peers += !id || !f->tables->peers[id].name[0];
	}
	if (new_peers > free_peers || config->n_path > FL_MAX_ADJACENCIES) {
		snprintf(
			why, FL_WHY_TEXT,
			"%zu peers and %zu paths; at most %d and %d are possible (peers of earlier "
			"configurations count until the data plane is removed)",
			config->router.n_peer, config->n_path, FL_MAX_PEERS - 1,
			FL_MAX_ADJACENCIES);
		return -ENOSPC;
	}
	return 0;
}

static void configure_peer(struct fl_fabric *f, const struct fl_cfg_peer *cfg)
{
	uint16_t id = peer_id(f, cfg->name);
	struct fl_peer_info *info = &f->tables->peers[id];
	struct fl_peer *peer = &f->peers[id];

	peer->id = id;
	peer->configured = true;
	snprintf(peer->name, sizeof(peer->name), "%s", cfg->name);
	memcpy(info->name, peer->name, sizeof(info->name));
	info->setup = (struct fl_rate){ .per_second = cfg->setup_rate, .burst = cfg->burst };
	peer->max_way_points = 0;
	peer->port_range = NULL;
}

static void configure_path(struct fl_fabric *f, const struct fl_cfg_adjacency *cfg)
{
	const struct fl_netif *netif =
		fl_fabric_netif_named(f, f->config->interface[cfg->interface]->name);
	uint16_t iface = netif ? netif->id : 0, id = path_id(f, cfg, iface);
	struct fl_path_rt *path = &f->paths[id];
	struct fl_peer *peer;

	if (!path->id) {
		path->was_up = f->tables->paths[id].state == FL_PATH_UP;
		/* If it was reached elsewhere, it is by BFD that we hear of it again. */
		if (f->tables->paths[id].state != FL_PATH_UNUSED &&
		    memcmp(f->tables->paths[id].remote, cfg->ip_address.b, 16))
			lookup_set(f, &f->tables->paths[id], id, false);
	}
	f->retired[id] = (struct fl_mono){ 0 };
	path->id = id;
	path->cfg = cfg;
	path->peer = peer_id(f, cfg->peer_name);
	path->iface = iface;
	path->local = cfg->local;
	fl_addr_format(&path->local, path->pathway);
	if (!fl_addr_equal(&path->configured, &cfg->ip_address))
		path->remote = path->configured = cfg->ip_address;
	path->tx_ring = fl_rings_at(f->rings, cfg->security);
	/* Ports are per peer: what any of its paths allows, the peer allows. */
	peer = &f->peers[path->peer];
	if (cfg->max_way_points > peer->max_way_points)
		peer->max_way_points = cfg->max_way_points;
	if (cfg->port_range)
		peer->port_range = cfg->port_range;
	fl_path_refresh(f, path);
}

static void drop_path(struct fl_fabric *f, uint16_t id)
{
	struct fl_path *slot = &f->tables->paths[id];
	struct fl_netif *netif = &f->netifs[slot->iface];

	if (slot->state != FL_PATH_UNUSED)
		lookup_set(f, slot, id, false);
	memset(slot, 0, sizeof(*slot));
	fl_vectors_forget_path(f, id);
	fl_path_watch_clear(f, id);
	f->retired[id] = (struct fl_mono){ 0 };
	if (netif->cfg && netif->attached)
		fl_netif_publish(f, netif);
}

/*
 * A path that is no longer configured sends nothing. Its peer hears of that only now: what it has
 * sent to sessions that move elsewhere is taken for a while (P-16).
 */
static void retire_path(struct fl_fabric *f, uint16_t id)
{
	struct fl_path *slot = &f->tables->paths[id];
	bool awaited;

	/* Most numbers were never given. */
	if (slot->state == FL_PATH_UNUSED && !f->paths[id].id)
		return;
	if (f->paths[id].id && f->ops->unwatch)
		f->ops->unwatch(f->ctx, id);
	f->paths[id] = (struct fl_path_rt){ 0 };
	awaited = fl_vectors_lose_path(f, id);
	if (!awaited || !f->netifs[slot->iface].cfg) {
		drop_path(f, id);
		return;
	}
	slot->state = FL_PATH_DOWN;
	slot->plain = 0;
	if (!f->retired[id].ns)
		f->retired[id] = fl_mono_add_ms(fl_mono_now(), FL_VECTOR_KEEP_S * 1000);
}

static void drop_retired(struct fl_fabric *f)
{
	const struct fl_mono now = fl_mono_now();

	for (uint16_t id = 1; id < FL_MAX_PATHS; id++)
		if (f->retired[id].ns && fl_mono_reached(now, f->retired[id]))
			drop_path(f, id);
}

/* Old and new paths have numbers at the same time: where that needs it, retired ones make room. */
static void make_room(struct fl_fabric *f)
{
	size_t used = 0;

	for (uint16_t id = 1; id < FL_MAX_PATHS; id++)
		used += f->tables->paths[id].state != FL_PATH_UNUSED;
	for (uint16_t id = 1; id < FL_MAX_PATHS && used > FL_MAX_ADJACENCIES; id++) {
		const struct fl_path *slot = &f->tables->paths[id];

		if (slot->state == FL_PATH_UNUSED || f->paths[id].id || is_configured(f, slot))
			continue;
		fl_vectors_lose_path(f, id);
		drop_path(f, id);
	}
}

void fl_peers_apply(struct fl_fabric *f, const struct fl_config *config)
{
	bool kept[FL_MAX_PATHS] = { false };

	make_room(f);
	for (uint16_t id = 1; id < FL_MAX_PEERS; id++) {
		f->peers[id].configured = false;
		f->peers[id].port_range = NULL; /* the old configuration's */
	}
	for (size_t i = 0; i < config->router.n_peer; i++)
		configure_peer(f, &config->router.peer[i]);
	for (uint16_t id = 1; id < FL_MAX_PATHS; id++)
		f->paths[id].cfg = NULL;
	for (size_t i = 0; i < config->n_path; i++) {
		configure_path(f, config->path[i]);
		for (uint16_t id = 1; id < FL_MAX_PATHS; id++)
			kept[id] |= f->paths[id].cfg == config->path[i];
	}
	f->path_limit = 0;
	for (uint16_t id = 1; id < FL_MAX_PATHS; id++)
		if (!kept[id])
			retire_path(f, id);
		else
			f->path_limit = id;
}

void fl_fabric_tick(struct fl_fabric *fabric)
{
	fl_path_watch_tick(fabric);
	fl_netifs_weigh(fabric);
	drop_retired(fabric);
	for (uint16_t id = 1; id < FL_MAX_PATHS; id++) {
		uint32_t key = fabric->paths[id].cfg ? key_in_use(&fabric->paths[id]) : 0;

		if (!fabric->paths[id].cfg || fabric->tables->paths[id].security_id == key)
			continue;
		fabric->tables->paths[id].security_id = key;
		fl_info("path %s: sends with key %u from now on", fabric->tables->paths[id].label,
			key);
	}
}
