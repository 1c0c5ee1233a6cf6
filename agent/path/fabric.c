// SPDX-License-Identifier: Apache-2.0
/* The fabric as a whole: life, configuration, own addresses. See fabric.h. */
#include "agent/path/fabric.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/path/fabric_internal.h"

/* Numbers that an earlier process gave: names keep them. */
static void adopt_numbers(struct fl_fabric *f)
{
	for (uint32_t slot = 0; slot < FL_IFACE_SLOTS; slot++) {
		const struct fl_iface *iface = &f->tables->ifaces[slot];

		if (!iface->id || iface->id >= FL_MAX_IFACES)
			continue;
		f->netifs[iface->id].id = iface->id;
		memcpy(f->netifs[iface->id].name, iface->name, sizeof(iface->name));
	}
	for (uint16_t id = 1; id < FL_MAX_PEERS; id++) {
		if (!f->tables->peers[id].name[0])
			continue;
		f->peers[id].id = id;
		memcpy(f->peers[id].name, f->tables->peers[id].name, FL_NAME_LEN);
	}
}

int fl_fabric_new(struct fl_tables *tables, const struct fl_fabric_ops *ops, void *ctx,
		  struct fl_fabric **ret_fabric)
{
	struct fl_fabric *fabric = calloc(1, sizeof(*fabric));
	int err;

	if (!fabric)
		return -ENOMEM;
	fabric->tables = tables;
	fabric->ops = ops;
	fabric->ctx = ctx;
	adopt_numbers(fabric);
	err = fl_hops_adopt(fabric);
	if (err < 0) {
		fl_fabric_free(fabric);
		return err;
	}
	*ret_fabric = fabric;
	return 0;
}

void fl_fabric_free(struct fl_fabric *fabric)
{
	struct fl_link_entry *link, *link_tmp;
	struct fl_own_addr *own, *own_tmp;

	if (!fabric)
		return;
	fl_hops_free(fabric);
	HASH_ITER(hh, fabric->links, link, link_tmp) {
		HASH_DEL(fabric->links, link);
		free(link);
	}
	HASH_ITER(hh, fabric->own_addrs, own, own_tmp) {
		HASH_DEL(fabric->own_addrs, own);
		free(own);
	}
	fl_rings_put(fabric->rings);
	fl_rings_put(fabric->next_rings);
	free(fabric);
}

/* --- configuration ---------------------------------------------------------------------------- */

int fl_fabric_prepare(struct fl_fabric *fabric, const struct fl_config *config,
		      char why[FL_WHY_TEXT])
{
	struct fl_rings *rings = NULL;
	int err;

	err = fl_netifs_plan(fabric, config, why);
	if (!err)
		err = fl_peers_plan(fabric, config, why);
	if (!err)
		err = fl_rings_new(config, &rings, why);
	if (err < 0)
		return err;
	fl_rings_put(fabric->next_rings);
	fabric->next_rings = rings;
	return 0;
}

void fl_fabric_apply(struct fl_fabric *fabric, const struct fl_config *config)
{
	struct fl_rings *old = fabric->rings;
	const bool first = !fabric->config;

	if (first)
		fl_netifs_leave(fabric, config);
	fabric->config = config;
	fabric->rings = fabric->next_rings;
	fabric->next_rings = NULL;
	fabric->adopting = first;
	fabric->applying = true;
	fl_netifs_apply(fabric, config);
	fabric->applying = false;
	fl_peers_apply(fabric, config);
	fl_rings_put(old);
}

/* --- own addresses ---------------------------------------------------------------------------- */

static struct fl_local_addr local_addr(const struct fl_addr *addr)
{
	struct fl_local_addr local = { .family = addr->family };

	memcpy(local.addr, addr->b, sizeof(local.addr));
	return local;
}

bool fl_fabric_is_local(const struct fl_fabric *fabric, const struct fl_addr *addr)
{
	struct fl_own_addr *own, *tmp;

	HASH_ITER(hh, fabric->own_addrs, own, tmp)
		if (own->key.family == addr->family && !memcmp(own->key.addr, addr->b, 16))
			return true;
	return false;
}

struct fl_addr fl_fabric_own_addr(const struct fl_fabric *fabric, uint32_t ifindex, uint8_t family)
{
	struct fl_own_addr *own, *tmp;

	HASH_ITER(hh, fabric->own_addrs, own, tmp)
		if (own->key.ifindex == ifindex && own->key.family == family &&
		    !(family == 6 && own->key.addr[0] == 0xfe && (own->key.addr[1] & 0xc0) == 0x80))
			return fl_addr_from(family, own->key.addr);
	return (struct fl_addr){ 0 };
}

/* Does the kernel take packets to this address for its own? */
static bool is_kernels(const struct fl_fabric *f, const struct fl_addr *addr)
{
	struct fl_own_addr *own, *tmp;

	HASH_ITER(hh, f->own_addrs, own, tmp)
		if (fl_addr_equal(&own->broadcast, addr))
			return true;
	return fl_fabric_is_local(f, addr);
}

static bool is_known(void *ctx, const void *key)
{
	const struct fl_local_addr *local = key;
	const struct fl_addr addr = fl_addr_from((uint8_t)local->family, local->addr);

	return is_kernels(ctx, &addr);
}

void fl_fabric_addrs_known(struct fl_fabric *fabric)
{
	fabric->tables->ops->local_addrs_sweep(fabric->tables->ops_ctx, is_known, fabric);
}

/* The same address may stand on two devices, or be that of two networks. */
static void publish_addr(struct fl_fabric *f, const struct fl_addr *addr)
{
	const struct fl_local_addr local = local_addr(addr);

	if (addr->family)
		f->tables->ops->local_addr(f->tables->ops_ctx, &local, is_kernels(f, addr));
}

void fl_fabric_addr(struct fl_fabric *fabric, uint32_t ifindex, const struct fl_addr *addr,
		    const struct fl_addr *broadcast, bool present)
{
	struct fl_neigh_key key = { .ifindex = ifindex, .family = addr->family };
	struct fl_addr before = { 0 };
	struct fl_own_addr *own;

	memcpy(key.addr, addr->b, sizeof(key.addr));
	HASH_FIND(hh, fabric->own_addrs, &key, sizeof(key), own);
	if (own)
		before = own->broadcast;
	if (present && !own) {
		own = calloc(1, sizeof(*own));
		if (!own)
			return;
		own->key = key;
		HASH_ADD(hh, fabric->own_addrs, key, sizeof(own->key), own);
	} else if (!present && own) {
		HASH_DEL(fabric->own_addrs, own);
		free(own);
	} else if (!own || fl_addr_equal(&before, broadcast)) {
		return;
	}
	if (present)
		own->broadcast = *broadcast;
	publish_addr(fabric, addr);
	publish_addr(fabric, &before);
	if (present)
		publish_addr(fabric, broadcast);
}
