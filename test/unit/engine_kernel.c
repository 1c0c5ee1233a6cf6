// SPDX-License-Identifier: Apache-2.0
/* What the small world's routers stand on: maps, and a kernel with routes and neighbours. */
#include <errno.h>
#include <string.h>

#include "test/unit/engine_world.h"

/* --- maps that are not memory ------------------------------------------------------------------
 */

static struct world_index *index_at(struct router *r, const struct fl_wide_key *key)
{
	for (size_t i = 0; i < r->n_index; i++)
		if (!memcmp(&r->index[i].key, key, sizeof(*key)))
			return &r->index[i];
	return NULL;
}

static int index_insert(void *ctx, const struct fl_wide_key *key, uint32_t slot)
{
	struct router *r = ctx;

	if (index_at(r, key))
		return -EEXIST;
	if (r->n_index == WORLD_MAX_KEYS)
		return -E2BIG;
	r->index[r->n_index++] = (struct world_index){ *key, slot };
	return 0;
}

static int index_remove(void *ctx, const struct fl_wide_key *key)
{
	struct router *r = ctx;
	struct world_index *at = index_at(r, key);

	if (!at)
		return -ENOENT;
	*at = r->index[--r->n_index];
	return 0;
}

static int index_lookup(void *ctx, const struct fl_wide_key *key, uint32_t *ret_slot)
{
	const struct world_index *at = index_at(ctx, key);

	if (!at)
		return -ENOENT;
	*ret_slot = at->slot;
	return 0;
}

static int path6_set(void *ctx, const struct fl_path6_key *key, uint32_t path)
{
	(void)ctx;
	(void)key;
	(void)path;
	return 0;
}

static int path6_clear(void *ctx, const struct fl_path6_key *key)
{
	(void)ctx;
	(void)key;
	return 0;
}

/* The oldest makes room, as in the map. */
static int deny(void *ctx, const struct fl_wide_key *key, const struct fl_denial *denial)
{
	struct router *r = ctx;
	const size_t room = sizeof(r->denials) / sizeof(r->denials[0]);

	if (r->n_denials == room)
		memmove(r->denials, r->denials + 1, --r->n_denials * sizeof(r->denials[0]));
	r->denials[r->n_denials++] = (struct world_denial){ *key, *denial };
	return 0;
}

bool router_has_local(const struct router *r, const char *addr)
{
	const struct fl_addr want = addr_of(addr);

	for (size_t i = 0; i < r->n_locals; i++)
		if (r->locals[i].family == want.family && !memcmp(r->locals[i].addr, want.b, 16))
			return true;
	return false;
}

static int local_addr(void *ctx, const struct fl_local_addr *addr, bool present)
{
	struct router *r = ctx;
	size_t i = 0;

	while (i < r->n_locals && memcmp(&r->locals[i], addr, sizeof(*addr)) != 0)
		i++;
	if (present && i == r->n_locals) {
		MUST_BE(i < sizeof(r->locals) / sizeof(r->locals[0]));
		r->locals[r->n_locals++] = *addr;
	} else if (!present && i < r->n_locals) {
		r->locals[i] = r->locals[--r->n_locals];
	}
	return 0;
}

static int host_prefix(void *ctx, const struct fl_host_prefix *prefix, bool present)
{
	struct router *r = ctx;

	MUST_BE(present);
	for (size_t i = 0; i < r->n_host_prefixes; i++)
		if (!memcmp(&r->host_prefixes[i], prefix, sizeof(*prefix)))
			return 0;
	MUST_BE(r->n_host_prefixes < sizeof(r->host_prefixes) / sizeof(r->host_prefixes[0]));
	r->host_prefixes[r->n_host_prefixes++] = *prefix;
	return 0;
}

static void local_addrs_sweep(void *ctx, fl_keep_key keep, void *keep_ctx)
{
	struct router *r = ctx;

	for (size_t i = r->n_locals; i-- > 0;)
		if (!keep(keep_ctx, &r->locals[i]))
			r->locals[i] = r->locals[--r->n_locals];
}

static void host_prefixes_sweep(void *ctx, fl_keep_key keep, void *keep_ctx)
{
	struct router *r = ctx;

	for (size_t i = r->n_host_prefixes; i-- > 0;)
		if (!keep(keep_ctx, &r->host_prefixes[i]))
			r->host_prefixes[i] = r->host_prefixes[--r->n_host_prefixes];
}

static int tx_port(void *ctx, uint32_t iface, uint32_t ifindex)
{
	(void)ctx;
	(void)iface;
	(void)ifindex;
	return 0;
}

static int name_set(void *ctx, uint32_t id, const struct fl_name *name)
{
	struct router *r = ctx;

	if (id >= sizeof(r->names) / sizeof(r->names[0]))
		return -E2BIG;
	r->names[id] = *name;
	return 0;
}

static int name_get(void *ctx, uint32_t id, struct fl_name *ret_name)
{
	struct router *r = ctx;

	if (id >= sizeof(r->names) / sizeof(r->names[0]))
		return -ENOENT;
	*ret_name = r->names[id];
	return 0;
}

static struct world_dup *dup_find(struct router *r, const struct fl_dup_key *key)
{
	for (size_t i = 0; i < r->n_dups; i++)
		if (!memcmp(&r->dups[i].key, key, sizeof(*key)))
			return &r->dups[i];
	return NULL;
}

static int dup_add(void *ctx, const struct fl_dup_key *key)
{
	struct router *r = ctx;

	if (dup_find(r, key))
		return -EEXIST;
	if (r->n_dups == sizeof(r->dups) / sizeof(r->dups[0]))
		return -E2BIG;
	r->dups[r->n_dups++] = (struct world_dup){ .key = *key };
	return 0;
}

static int dup_remove(void *ctx, const struct fl_dup_key *key)
{
	struct router *r = ctx;
	struct world_dup *entry = dup_find(r, key);

	if (!entry)
		return -ENOENT;
	*entry = r->dups[--r->n_dups];
	return 0;
}

static int dup_get(void *ctx, const struct fl_dup_key *key, struct fl_dup *ret_dup)
{
	const struct world_dup *entry = dup_find(ctx, key);

	if (!entry)
		return -ENOENT;
	*ret_dup = entry->dup;
	return 0;
}

/* As bpf/query.bpf.c. */
static int dup_ask(void *ctx, struct fl_dup_ask *ask)
{
	struct router *r = ctx;
	struct world_dup *entry = dup_find(r, &ask->key);
	uint32_t now_ms = (uint32_t)(r->world->mono_ns / FL_NS_PER_MS);

	if (!entry)
		return -ENOENT;
	ask->answer = 0;
	switch ((enum fl_dup_op)ask->op) {
	case FL_DUP_ASK_NEXT:
		ask->answer = fl_dup_next(&entry->dup);
		break;
	case FL_DUP_ASK_CHECK:
		ask->answer = fl_dup_check(&entry->dup, ask->seq, now_ms);
		break;
	case FL_DUP_ASK_RESTART:
		fl_dup_restart(&entry->dup, ask->seq, now_ms);
		break;
	case FL_DUP_ASK_PATHS:
		memcpy(entry->dup.path, ask->path, sizeof(ask->path));
		entry->dup.ready = ask->ready;
		break;
	}
	return 0;
}

static int fpm_clear(void *ctx, uint32_t slot)
{
	struct router *r = ctx;

	r->fpm_cleared[slot / FL_PATH_SCOPES] |= 1u << slot % FL_PATH_SCOPES;
	return 0;
}

static int fpm_heard(void *ctx, uint32_t slot, uint32_t session, const struct fl_fpm_mark *mark)
{
	struct router *r = ctx;

	MUST_BE(r->n_heard < sizeof(r->heard) / sizeof(r->heard[0]));
	r->heard[r->n_heard++] = (struct fl_fpm_heard){ slot, session, *mark };
	return 0;
}

const struct fl_table_ops world_table_ops = {
	.index_insert = index_insert,
	.index_remove = index_remove,
	.index_lookup = index_lookup,
	.path6_set = path6_set,
	.path6_clear = path6_clear,
	.deny = deny,
	.local_addr = local_addr,
	.host_prefix = host_prefix,
	.local_addrs_sweep = local_addrs_sweep,
	.host_prefixes_sweep = host_prefixes_sweep,
	.tx_port = tx_port,
	.name_set = name_set,
	.name_get = name_get,
	.dup_add = dup_add,
	.dup_remove = dup_remove,
	.dup_get = dup_get,
	.dup_ask = dup_ask,
	.fpm_clear = fpm_clear,
	.fpm_heard = fpm_heard,
};

/* --- the kernel ------------------------------------------------------------------------------- */

static int kernel_route(void *ctx, const struct fl_addr *dst, uint32_t ifindex,
			struct fl_route *ret_route)
{
	const struct world_route *best = NULL;
	struct router *r = ctx;

	r->route_questions++;
	for (size_t i = 0; i < r->n_routes; i++) {
		const struct world_route *route = &r->routes[i];

		if (!fl_prefix_contains(&route->prefix, dst) ||
		    (ifindex && route->ifindex && route->ifindex != ifindex))
			continue;
		if (!best || route->prefix.len > best->prefix.len)
			best = route;
	}
	*ret_route = (struct fl_route){ 0 };
	if (!best)
		return -ENETUNREACH;
	ret_route->type = best->ifindex ? FL_ROUTE_UNICAST : FL_ROUTE_LOCAL;
	ret_route->ifindex = best->ifindex;
	ret_route->gateway = best->gateway;
	return 0;
}

static int kernel_resolve(void *ctx, uint32_t ifindex, const struct fl_addr *addr)
{
	struct router *r = ctx;

	if (r->n_asks < sizeof(r->asks) / sizeof(r->asks[0]))
		r->asks[r->n_asks++] = (struct world_ask){ ifindex, *addr };
	return 0;
}

static int kernel_attach(void *ctx, const struct fl_link *link,
			 const struct fl_cfg_device_interface *device, bool host,
			 char why[FL_WHY_TEXT])
{
	(void)ctx;
	(void)link;
	(void)device;
	(void)host;
	(void)why;
	return FL_MODE_TC;
}

static void kernel_detach(void *ctx, uint32_t ifindex)
{
	(void)ctx;
	(void)ifindex;
}

static void kernel_hop_up(void *ctx, uint16_t hop)
{
	struct router *r = ctx;

	if (r->engine && r->config)
		fl_engine_hop_up(r->engine, hop);
}

static void kernel_unwatch(void *ctx, uint16_t path)
{
	struct router *r = ctx;

	fl_choice_forget_path(fl_engine_choice(r->engine), path);
}

static void kernel_path_usable(void *ctx, uint16_t path, bool usable)
{
	struct router *r = ctx;

	(void)path;
	(void)usable;
	if (r->engine && !r->applying)
		fl_engine_paths_changed(r->engine);
}

const struct fl_fabric_ops world_fabric_ops = {
	.route = kernel_route,
	.resolve = kernel_resolve,
	.attach = kernel_attach,
	.detach = kernel_detach,
	.hop_up = kernel_hop_up,
	.unwatch = kernel_unwatch,
	.path_usable = kernel_path_usable,
};

void mac_of_addr(const struct fl_addr *addr, uint8_t mac[6])
{
	const uint8_t *tail = addr->b + fl_addr_size(addr->family) - 4;

	mac[0] = 2;
	mac[1] = addr->family;
	memcpy(mac + 2, tail, 4);
}

void mac_of_device(int router, enum device dev, uint8_t mac[6])
{
	const uint8_t own[6] = { 2, 0, 0, 0xf1, (uint8_t)router, (uint8_t)dev };

	memcpy(mac, own, 6);
}

static enum device dev_of(const struct router *r, uint32_t ifindex)
{
	return (enum device)(ifindex - dev_ifindex(r->n, DEV_HOST));
}

/* Waypoints are the far router's device; anyone else is a host. */
static void mac_of(const struct router *r, enum device dev, const struct fl_addr *addr,
		   uint8_t mac[6])
{
	enum device far_dev;
	int far;

	if (world_far_end(r->world, r->n, dev, &far, &far_dev))
		mac_of_device(far, far_dev, mac);
	else
		mac_of_addr(addr, mac);
}

/* The kernel has learned or lost a neighbour, and says so. */
static void neighbour(struct router *r, const struct world_ask *who, bool valid)
{
	struct fl_neigh neigh = {
		.ifindex = who->ifindex, .addr = who->addr, .valid = valid, .failed = !valid
	};
	size_t i = 0;

	while (i < r->n_known && (r->known[i].ifindex != who->ifindex ||
				  !fl_addr_equal(&r->known[i].addr, &who->addr)))
		i++;
	if (valid && i == r->n_known) {
		MUST_BE(r->n_known < sizeof(r->known) / sizeof(r->known[0]));
		r->known[r->n_known++] = *who;
	} else if (!valid && i < r->n_known) {
		r->known[i] = r->known[--r->n_known];
	}
	mac_of(r, dev_of(r, who->ifindex), &neigh.addr, neigh.mac);
	fl_fabric_neigh(r->fabric, &neigh);
}

void router_neighbour(struct router *r, enum device dev, const char *addr, bool valid)
{
	const struct world_ask who = { dev_ifindex(r->n, dev), addr_of(addr) };

	neighbour(r, &who, valid);
}

void router_answer(struct router *r)
{
	while (r->n_asks && !r->silent) {
		struct world_ask ask = r->asks[--r->n_asks];

		neighbour(r, &ask, true);
	}
}

void router_dump_neighbours(struct router *r)
{
	for (size_t i = 0; i < r->n_known; i++)
		neighbour(r, &r->known[i], true);
}

void router_link(struct router *r, enum device dev, bool up)
{
	static const char *const names[] = { "lo", "lan0", "wan1", "wan2", "inet", "guest" };
	struct fl_link link = { .ifindex = dev_ifindex(r->n, dev),
				.kind = "veth",
				.mtu = r->mtu[dev] ? r->mtu[dev] : 1500,
				.up = up };

	memcpy(link.name, names[dev], strlen(names[dev]));
	mac_of_device(r->n, dev, link.mac);
	fl_fabric_link(r->fabric, &link);
}

static void add_route(struct router *r, const char *prefix, uint32_t ifindex, const char *gateway)
{
	struct world_route *route = &r->routes[r->n_routes++];

	MUST_BE(r->n_routes <= sizeof(r->routes) / sizeof(r->routes[0]));
	*route = (struct world_route){ .ifindex = ifindex };
	MUST_BE(!fl_prefix_parse(prefix, &route->prefix));
	if (gateway)
		route->gateway = addr_of(gateway);
}

/* An address of ours on a device, and the network that comes with it. */
static void add_network(struct router *r, enum device dev, const char *addr, const char *prefix)
{
	add_route(r, addr, 0, NULL);
	add_route(r, prefix, dev_ifindex(r->n, dev), NULL);
}

void router_add_routes(struct router *r)
{
	bool last = r->n == r->world->routers - 1;
	int net = r->n == 0 ? 1 : last ? 2 : 9;
	char addr[64], prefix[64];

	snprintf(addr, sizeof(addr), "10.%d.0.1", net);
	snprintf(prefix, sizeof(prefix), "10.%d.0.0/24", net);
	add_network(r, DEV_LAN, addr, prefix);
	snprintf(addr, sizeof(addr), "2001:db8:%d::1", net);
	snprintf(prefix, sizeof(prefix), "2001:db8:%d::/64", net);
	add_network(r, DEV_LAN, addr, prefix);
	for (enum device dev = DEV_WAN1; dev <= DEV_WAN2; dev++) {
		const char *own = world_waypoint(&r->world->opts, r->n, dev);
		bool six = r->world->opts.path6;

		if (own)
			add_network(r, dev, own,
				    dev == DEV_WAN1 ? six ? "2001:db8:f1::/64" : "198.51.100.0/24"
				    : six           ? "2001:db8:f2::/64"
						    : "203.0.113.0/24");
	}
	snprintf(addr, sizeof(addr), "100.64.0.%d", r->n + 1);
	add_network(r, DEV_INET, addr, "100.64.0.0/24");
	add_route(r, "192.0.2.0/24", dev_ifindex(r->n, DEV_INET), "100.64.0.254");
	add_network(r, DEV_GUEST, "10.7.0.1", "10.7.0.0/24");
}
