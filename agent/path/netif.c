// SPDX-License-Identifier: Apache-2.0
/* Network interfaces: numbers, devices, attachment, and their entries in fl_ifaces. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/path/fabric_internal.h"

const struct fl_netif *fl_fabric_netif(const struct fl_fabric *fabric, uint16_t id)
{
	return id && id < FL_MAX_IFACES && fabric->netifs[id].id ? &fabric->netifs[id] : NULL;
}

const struct fl_netif *fl_fabric_netif_named(const struct fl_fabric *fabric, const char *name)
{
	for (uint16_t id = 1; id < FL_MAX_IFACES; id++)
		if (fabric->netifs[id].cfg && !strcmp(fabric->netifs[id].name, name))
			return &fabric->netifs[id];
	return NULL;
}

const struct fl_netif *fl_fabric_netif_by_ifindex(const struct fl_fabric *fabric, uint32_t ifindex)
{
	for (uint16_t id = 1; id < FL_MAX_IFACES; id++)
		if (fabric->netifs[id].cfg && fabric->netifs[id].link.ifindex == ifindex)
			return &fabric->netifs[id];
	return NULL;
}

/* --- the table that the data plane reads ------------------------------------------------------ */

static struct fl_iface *slot_of(const struct fl_fabric *f, uint16_t id)
{
	for (uint32_t slot = 0; slot < FL_IFACE_SLOTS; slot++)
		if (f->tables->ifaces[slot].id == id)
			return &f->tables->ifaces[slot];
	return NULL;
}

static void unpublish(struct fl_fabric *f, uint16_t id)
{
	struct fl_iface *slot = slot_of(f, id);

	if (slot)
		memset(slot, 0, sizeof(*slot));
	f->tables->ops->tx_port(f->tables->ops_ctx, id, 0);
}

/*
 * What leaves by this interface cannot leave by XDP if it has none; on a router without any XDP
 * there is nobody to tell.
 */
uint8_t fl_netif_tx_flags(const struct fl_fabric *f, const struct fl_netif *netif)
{
	uint8_t flags = netif->link.l3 ? FL_TX_L3 : 0;

	if (f->any_xdp && (netif->mode == FL_MODE_TC || netif->link.l3))
		flags |= FL_TX_SKB;
	return flags;
}

bool fl_policy_seals(const struct fl_config *config, int policy)
{
	return policy != FL_CFG_NONE &&
	       config->authority.security[policy].hmac_packets == FL_CFG_HMAC_ALL;
}

bool fl_fabric_is_sealed(const struct fl_fabric *fabric, uint16_t iface)
{
	const struct fl_netif *netif = fl_fabric_netif(fabric, iface);

	return netif && netif->cfg && fl_policy_seals(fabric->config, netif->cfg->security);
}

/* Does a path begin here? One that has been taken away counts while its packets are taken. */
static bool has_paths(const struct fl_fabric *f, uint16_t id)
{
	for (uint16_t path = 1; path < FL_MAX_PATHS; path++)
		if (f->tables->paths[path].state != FL_PATH_UNUSED &&
		    f->tables->paths[path].iface == id)
			return true;
	return false;
}

static uint8_t iface_flags(const struct fl_fabric *f, const struct fl_netif *netif)
{
	const struct fl_cfg_network_interface *cfg = netif->cfg;
	uint8_t flags = 0;

	if (cfg->n_adjacency || has_paths(f, netif->id))
		flags |= FL_IFACE_WAN;
	/* A fabric interface is for peers; others may have hosts whose prefix names their tenant.
	 */
	if (cfg->type != FL_CFG_FABRIC)
		flags |= FL_IFACE_SESSIONS;
	if (netif->link.l3)
		flags |= FL_IFACE_L3;
	if (netif->cfg->source_nat)
		flags |= FL_IFACE_NAPT;
	if (fl_policy_seals(f->config, cfg->security))
		flags |= FL_IFACE_SEALED;
	return flags;
}

void fl_netif_publish(struct fl_fabric *f, struct fl_netif *netif)
{
	uint32_t mtu = netif->cfg->mtu_bytes ? netif->cfg->mtu_bytes : netif->link.mtu;
	struct fl_iface entry = {
		.ifindex = netif->link.ifindex,
		.vlan = netif->cfg->vlan,
		.ivlan = netif->cfg->inner_vlan,
		.id = netif->id,
		.mtu = (uint16_t)(mtu > 0xffff ? 0xffff : mtu),
		.flags = iface_flags(f, netif),
		.mode = netif->mode,
	};
	uint32_t home = fl_iface_slot(entry.ifindex, entry.vlan, entry.ivlan);
	struct fl_iface *slot = slot_of(f, netif->id);

	memcpy(entry.mac, netif->link.mac, sizeof(entry.mac));
	memcpy(entry.name, netif->name, sizeof(entry.name));
	if (slot && !memcmp(slot, &entry, sizeof(entry)))
		return;
	if (slot && slot->ifindex == entry.ifindex && slot->vlan == entry.vlan &&
	    slot->ivlan == entry.ivlan) {
		*slot = entry; /* without a moment in which it is no interface of ours */
		return;
	}
	unpublish(f, netif->id);
	for (uint32_t i = 0; i < FL_IFACE_PROBES; i++) {
		slot = &f->tables->ifaces[(home + i) & (FL_IFACE_SLOTS - 1)];
		if (slot->id)
			continue;
		*slot = entry;
		f->tables->ops->tx_port(f->tables->ops_ctx, netif->id, entry.ifindex);
		return;
	}
	/* Four interfaces whose numbers fall together: cannot happen with less than 64 of 1024. */
	fl_error("no place for interface %s in the data plane's table", netif->name);
}

/* --- devices ---------------------------------------------------------------------------------- */

static bool device_shared(const struct fl_fabric *f, const struct fl_netif *but)
{
	for (uint16_t id = 1; id < FL_MAX_IFACES; id++) {
		const struct fl_netif *other = &f->netifs[id];

		if (other != but && other->cfg && other->attached &&
		    other->link.ifindex == but->link.ifindex)
			return true;
	}
	return false;
}

static void note_xdp(struct fl_fabric *f)
{
	bool any = false;

	for (uint16_t id = 1; id < FL_MAX_IFACES; id++)
		any |= f->netifs[id].attached && f->netifs[id].mode != FL_MODE_TC;
	f->any_xdp = any;
}

static void detach(struct fl_fabric *f, struct fl_netif *netif)
{
	unpublish(f, netif->id);
	if (netif->attached && !device_shared(f, netif))
		f->ops->detach(f->ctx, netif->link.ifindex);
	netif->attached = false;
	netif->mode = FL_MODE_NONE;
	note_xdp(f);
}

static void attach(struct fl_fabric *f, struct fl_netif *netif)
{
	char why[FL_WHY_TEXT] = "";
	bool host = f->config->router.local_tenant != FL_CFG_NONE;
	int mode = f->ops->attach(f->ctx, &netif->link, netif->device, host, why);

	memcpy(netif->why, why, sizeof(netif->why));
	if (mode < 0) {
		fl_error("interface %s: %s; it carries nothing until that is mended", netif->name,
			 netif->why);
		unpublish(f, netif->id);
		netif->attached = false;
		netif->mode = FL_MODE_NONE;
		return;
	}
	if (!netif->attached || netif->mode != (enum fl_iface_mode)mode)
		fl_info("interface %s on %s: %s%s%s", netif->name, netif->link.name,
			mode == FL_MODE_TC    ? "TC"
			: mode == FL_MODE_XDP ? "XDP"
					      : "generic XDP",
			why[0] ? ": " : "", why);
	netif->attached = true;
	netif->mode = (enum fl_iface_mode)mode;
	note_xdp(f);
	fl_netif_publish(f, netif);
}

static void refresh_users(struct fl_fabric *f, uint16_t id)
{
	fl_hops_refresh_iface(f, id);
	fl_paths_refresh_iface(f, id);
}

/*
 * The device of an interface is there, changed, or gone. With another name it is none of ours any
 * more: then the programs, which a device that is removed takes along, are taken off it.
 */
static void device_news(struct fl_fabric *f, struct fl_netif *netif, const struct fl_link *link)
{
	bool other = netif->link.ifindex && netif->link.ifindex != link->ifindex;
	bool renamed = !link->removed && strcmp(netif->device->ifname, link->name) != 0;

	if (link->removed || renamed || other) {
		if (renamed)
			fl_warning("interface %s: device %s is called %s now", netif->name,
				   netif->link.name, link->name);
		else if (netif->link.ifindex)
			fl_warning("interface %s: device %s is gone", netif->name,
				   netif->link.name);
		netif->attached = netif->attached && renamed;
		detach(f, netif);
		netif->link = (struct fl_link){ 0 };
		snprintf(netif->why, sizeof(netif->why), "device %s does not exist",
			 netif->device->ifname);
	}
	if (!link->removed && !renamed) {
		bool first = !netif->attached;

		netif->link = *link;
		if (first)
			attach(f, netif);
		else
			fl_netif_publish(f, netif);
	}
	refresh_users(f, netif->id);
}

bool fl_fabric_link(struct fl_fabric *fabric, const struct fl_link *link)
{
	struct fl_link_entry *entry;
	bool was_up;

	HASH_FIND(hh, fabric->links, &link->ifindex, sizeof(link->ifindex), entry);
	was_up = entry && entry->link.up;
	if (link->removed) {
		if (entry) {
			HASH_DEL(fabric->links, entry);
			free(entry);
		}
	} else {
		if (!entry) {
			entry = calloc(1, sizeof(*entry));
			if (!entry)
				return false;
			entry->ifindex = link->ifindex;
			HASH_ADD(hh, fabric->links, ifindex, sizeof(entry->ifindex), entry);
		}
		entry->link = *link;
	}
	for (uint16_t id = 1; id < FL_MAX_IFACES; id++) {
		struct fl_netif *netif = &fabric->netifs[id];

		if (!netif->cfg)
			continue;
		if (netif->link.ifindex == link->ifindex ||
		    (!link->removed && !strcmp(netif->device->ifname, link->name)))
			device_news(fabric, netif, link);
	}
	return was_up != (link->up && !link->removed);
}

/* --- how busy devices are --------------------------------------------------------------------- */

static void weigh(struct fl_fabric *f, struct fl_netif *netif, struct fl_mono now)
{
	const struct fl_cfg_load_balancing *marks = netif->device->load_balancing;
	const bool was_above = netif->load.above;
	uint64_t rx, tx;

	if (!marks || !netif->link.ifindex ||
	    f->ops->link_bytes(f->ctx, netif->link.ifindex, &rx, &tx) < 0) {
		netif->load = (struct fl_device_load){ 0 };
		return;
	}
	fl_device_load_take(&netif->load, marks, rx, tx, now);
	if (netif->load.above != was_above)
		fl_notice("interface %s: its device is at %u %% of %u Mbit/s: %s", netif->name,
			  netif->load.percent, marks->capacity_mbps,
			  was_above ? "new sessions may take it again"
				    : "new sessions take other ways");
}

void fl_netifs_weigh(struct fl_fabric *f)
{
	const struct fl_mono now = fl_mono_now();

	if (!f->ops->link_bytes ||
	    (f->weighed.ns && fl_mono_ms_between(f->weighed, now) < FL_DEVICE_LOAD_EVERY_MS))
		return;
	f->weighed = now;
	for (uint16_t id = 1; id < FL_MAX_IFACES; id++)
		if (f->netifs[id].cfg)
			weigh(f, &f->netifs[id], now);
}

/* --- configuration ---------------------------------------------------------------------------- */

static uint16_t netif_id(const struct fl_fabric *f, const char *name)
{
	uint16_t free_id = 0;

	for (uint16_t id = FL_MAX_IFACES - 1; id; id--) {
		if (f->netifs[id].id && !strcmp(f->netifs[id].name, name))
			return id;
		if (!f->netifs[id].id)
			free_id = id;
	}
	return free_id;
}

static bool has_number(const struct fl_fabric *f, const char *name)
{
	for (uint16_t id = 1; id < FL_MAX_IFACES; id++)
		if (f->netifs[id].id && !strcmp(f->netifs[id].name, name))
			return true;
	return false;
}

int fl_netifs_plan(struct fl_fabric *f, const struct fl_config *config, char why[FL_WHY_TEXT])
{
	size_t numbers = 0, fresh = 0;

	for (uint16_t id = 1; id < FL_MAX_IFACES; id++)
		numbers += f->netifs[id].id != 0;
	for (size_t i = 0; i < config->n_interface; i++)
		fresh += !has_number(f, config->interface[i]->name);
	/* Those that go have their numbers until the new ones have theirs. */
	if (numbers + fresh >= FL_MAX_IFACES) {
		snprintf(why, FL_WHY_TEXT,
			 "%zu new network interfaces beside the %zu that there are; at most %d are "
			 "possible at a time",
			 fresh, numbers, FL_MAX_IFACES - 1);
		return -ENOSPC;
	}
	for (size_t i = 0; i < config->n_interface; i++) {
		if (strlen(config->interface[i]->name) < FL_LABEL_LEN)
			continue;
		snprintf(why, FL_WHY_TEXT, "interface name \"%s\" has more than %d bytes",
			 config->interface[i]->name, FL_LABEL_LEN - 1);
		return -EINVAL;
	}
	return 0;
}

static const struct fl_link *link_named(const struct fl_fabric *f, const char *ifname)
{
	struct fl_link_entry *entry, *tmp;

	HASH_ITER(hh, f->links, entry, tmp)
		if (!strcmp(entry->link.name, ifname))
			return &entry->link;
	return NULL;
}

static void configure(struct fl_fabric *f, const struct fl_cfg_network_interface *cfg)
{
	const struct fl_cfg_device_interface *device =
		&f->config->router.device_interface[cfg->device];
	const struct fl_link *link = link_named(f, device->ifname);
	uint16_t id = netif_id(f, cfg->name);
	struct fl_netif *netif = &f->netifs[id];
	bool moved = netif->cfg && strcmp(netif->device->ifname, device->ifname);

	netif->id = id;
	snprintf(netif->name, sizeof(netif->name), "%s", cfg->name);
	if (moved) {
		detach(f, netif);
		netif->link = (struct fl_link){ 0 };
	}
	netif->cfg = cfg;
	netif->device = device;
	netif->rx_ring = fl_rings_at(f->rings, cfg->security);
	if (!link) {
		snprintf(netif->why, sizeof(netif->why), "device %s does not exist",
			 device->ifname);
		fl_warning("interface %s: %s; waiting for it", netif->name, netif->why);
		unpublish(f, id);
		return;
	}
	netif->link = *link;
	/* Again, even if it is attached: the mode may have changed. */
	attach(f, netif);
}

static bool is_used(const struct fl_fabric *f, const struct fl_config *config, uint32_t ifindex)
{
	for (size_t i = 0; i < config->n_interface; i++) {
		int device = config->interface[i]->device;
		const struct fl_link *link =
			link_named(f, config->router.device_interface[device].ifname);

		if (link && link->ifindex == ifindex)
			return true;
	}
	return false;
}

void fl_netifs_leave(struct fl_fabric *f, const struct fl_config *config)
{
	for (uint32_t slot = 0; slot < FL_IFACE_SLOTS; slot++) {
		const struct fl_iface *iface = &f->tables->ifaces[slot];

		if (iface->id && iface->ifindex && !is_used(f, config, iface->ifindex))
			f->ops->detach(f->ctx, iface->ifindex);
	}
}

/* Sessions may name it: number and name stay until fl_fabric_forget_gone(). */
static void gone(struct fl_netif *netif)
{
	netif->cfg = NULL;
	netif->device = NULL;
	netif->link = (struct fl_link){ 0 };
	netif->rx_ring = NULL;
	netif->load = (struct fl_device_load){ 0 };
}

void fl_fabric_forget_gone(struct fl_fabric *fabric)
{
	for (uint16_t id = 1; id < FL_MAX_IFACES; id++)
		if (!fabric->netifs[id].cfg)
			fabric->netifs[id] = (struct fl_netif){ 0 };
}

void fl_netifs_apply(struct fl_fabric *f, const struct fl_config *config)
{
	bool kept[FL_MAX_IFACES] = { false };

	for (size_t i = 0; i < config->n_interface; i++) {
		configure(f, config->interface[i]);
		kept[netif_id(f, config->interface[i]->name)] = true;
	}
	for (uint16_t id = 1; id < FL_MAX_IFACES; id++) {
		if (kept[id] || !f->netifs[id].id)
			continue;
		if (f->netifs[id].cfg)
			detach(f, &f->netifs[id]);
		else
			unpublish(f, id);
		gone(&f->netifs[id]);
	}
	for (uint16_t id = 1; id < FL_MAX_IFACES; id++)
		if (f->netifs[id].cfg)
			refresh_users(f, id);
}
