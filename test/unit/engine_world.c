// SPDX-License-Identifier: Apache-2.0
/* The small world: tables, kernel, clock and wires. See engine_world.h. */
#include "test/unit/engine_world.h"

#include <errno.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/base/rand.h"

/* --- frames ----------------------------------------------------------------------------------- */

void frames_add(struct frames *list, struct frame *f)
{
	if (!list->first)
		list->last = &list->first;
	f->next = NULL;
	*list->last = f;
	list->last = &f->next;
	list->count++;
}

struct frame *frames_pop(struct frames *list)
{
	struct frame *f = list->first;

	if (!f)
		return NULL;
	list->first = f->next;
	list->count--;
	return f;
}

void frames_clear(struct frames *list)
{
	struct frame *f;

	while ((f = frames_pop(list)))
		free(f);
}

/* --- maps that are not memory ------------------------------------------------------------------ */

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

static int local_addr(void *ctx, const struct fl_local_addr *addr, bool present)
{
	(void)ctx;
	(void)addr;
	(void)present;
	return 0;
}

static int host_prefix(void *ctx, const struct fl_host_prefix *prefix, bool present)
{
	struct router *r = ctx;

	(void)prefix;
	r->host_prefixes += present ? 1 : (size_t)-1;
	return 0;
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

static const struct fl_table_ops table_ops = {
	.index_insert = index_insert,
	.index_remove = index_remove,
	.index_lookup = index_lookup,
	.path6_set = path6_set,
	.path6_clear = path6_clear,
	.deny = deny,
	.local_addr = local_addr,
	.host_prefix = host_prefix,
	.tx_port = tx_port,
	.name_set = name_set,
	.name_get = name_get,
};

static void *zeroed(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	MUST_BE(memory);
	return memory;
}

/* Flows lie on lines of their own, as in the map. */
static void *aligned(size_t count, size_t size)
{
	void *memory = aligned_alloc(64, count * size);

	MUST_BE(memory);
	memset(memory, 0, count * size);
	return memory;
}

static void make_tables(struct router *r, uint32_t max_sessions)
{
	struct fl_tables *t = &r->t;

	t->max_sessions = max_sessions;
	t->buckets = fl_tables_buckets(max_sessions);
	t->slots = fl_tables_slots(max_sessions);
	t->hash_seed = 0x5eed;
	t->flows = aligned(t->slots, sizeof(*t->flows));
	t->tags = zeroed(t->buckets, FL_BUCKET_SLOTS);
	t->sessions = aligned(max_sessions + 1, sizeof(*t->sessions));
	t->vectors = zeroed(FL_MAX_VECTORS, sizeof(*t->vectors));
	t->paths = aligned(FL_MAX_PATHS, sizeof(*t->paths));
	t->path_lookup = zeroed(FL_PATH_BUCKETS, sizeof(*t->path_lookup));
	t->nexthops = aligned(FL_MAX_NEXTHOPS, sizeof(*t->nexthops));
	t->ifaces = zeroed(FL_IFACE_SLOTS, sizeof(*t->ifaces));
	t->peers = zeroed(FL_MAX_PEERS, sizeof(*t->peers));
	t->settings = zeroed(1, sizeof(*t->settings));
	t->ops = &table_ops;
	t->ops_ctx = r;
	t->hz = WORLD_HZ;
}

static void free_tables(struct router *r)
{
	struct fl_tables *t = &r->t;

	free(t->flows);
	free(t->tags);
	free(t->sessions);
	free(t->vectors);
	free(t->paths);
	free(t->path_lookup);
	free(t->nexthops);
	free(t->ifaces);
	free(t->peers);
	free(t->settings);
	*t = (struct fl_tables){ 0 };
	r->n_index = 0;
	r->n_denials = 0;
	memset(r->names, 0, sizeof(r->names));
}

/* --- the kernel ------------------------------------------------------------------------------- */

static int kernel_route(void *ctx, const struct fl_addr *dst, uint32_t ifindex,
			struct fl_route *ret_route)
{
	const struct world_route *best = NULL;
	const struct router *r = ctx;

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
			 const struct fl_cfg_device_interface *device, char why[FL_WHY_TEXT])
{
	(void)ctx;
	(void)link;
	(void)device;
	(void)why;
	return FL_MODE_TC;
}

static void kernel_detach(void *ctx, const char *ifname, uint32_t ifindex)
{
	(void)ctx;
	(void)ifname;
	(void)ifindex;
}

static void kernel_hop_up(void *ctx, uint16_t hop)
{
	struct router *r = ctx;

	if (r->engine && r->config)
		fl_engine_hop_up(r->engine, hop);
}

static const struct fl_fabric_ops fabric_ops = {
	.route = kernel_route,
	.resolve = kernel_resolve,
	.attach = kernel_attach,
	.detach = kernel_detach,
	.hop_up = kernel_hop_up,
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

void router_neighbour(struct router *r, enum device dev, const char *addr, bool valid)
{
	struct fl_neigh neigh = { .ifindex = dev_ifindex(r->n, dev),
				  .addr = addr_of(addr),
				  .valid = valid };

	mac_of(r, dev, &neigh.addr, neigh.mac);
	fl_fabric_neigh(r->fabric, &neigh);
}

void router_answer(struct router *r)
{
	while (r->n_asks && !r->silent) {
		struct world_ask ask = r->asks[--r->n_asks];
		struct fl_neigh neigh = { .ifindex = ask.ifindex, .addr = ask.addr, .valid = true };

		mac_of(r, dev_of(r, ask.ifindex), &ask.addr, neigh.mac);
		fl_fabric_neigh(r->fabric, &neigh);
	}
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

static void add_routes(struct router *r)
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
				    : six	    ? "2001:db8:f2::/64"
						    : "203.0.113.0/24");
	}
	snprintf(addr, sizeof(addr), "100.64.0.%d", r->n + 1);
	add_network(r, DEV_INET, addr, "100.64.0.0/24");
	add_route(r, "192.0.2.0/24", dev_ifindex(r->n, DEV_INET), "100.64.0.254");
	add_network(r, DEV_GUEST, "10.7.0.1", "10.7.0.0/24");
}

/* What a new process hears from the kernel before anything else. */
static void hear_kernel(struct router *r)
{
	for (enum device dev = DEV_LAN; dev < DEV_MAX; dev++)
		router_link(r, dev, true);
	for (size_t i = 0; i + 1 < r->n_routes; i++)
		if (!r->routes[i].ifindex)
			fl_fabric_addr(r->fabric, r->routes[i + 1].ifindex,
				       &r->routes[i].prefix.addr, true);
}

/* --- what the engine asks for ------------------------------------------------------------------ */

static uint8_t *io_room(void *ctx)
{
	return ((struct router *)ctx)->room;
}

static uint32_t io_jiffies(void *ctx)
{
	return (uint32_t)(((struct router *)ctx)->world->mono_ns / (FL_NS_PER_S / WORLD_HZ));
}

void router_transmit(struct router *r, const struct fl_tx_to *to, const uint8_t *data, size_t len)
{
	struct frame *f = malloc(sizeof(*f) + len);
	enum device far_dev;
	int far;

	MUST_BE(f && len <= FL_TX_MAX_PACKET);
	f->router = r->n;
	f->dev = to->ifindex == WORLD_LOOPBACK ? DEV_HOST : dev_of(r, to->ifindex);
	MUST_BE(f->dev < DEV_MAX);
	f->to = *to;
	f->len = len;
	memcpy(f->data, data, len);
	if (world_far_end(r->world, r->n, f->dev, &far, &far_dev))
		frames_add(&r->world->wire, f);
	else
		frames_add(&r->out, f);
}

static void io_queue(void *ctx, const struct fl_tx_to *to, size_t len)
{
	struct router *r = ctx;

	router_transmit(r, to, r->room, len);
	/* What was sent is not there any more: nobody may count on it. */
	memset(r->room, 0xa5, sizeof(r->room));
}

/* --- life ------------------------------------------------------------------------------------- */

static void start_process(struct router *r)
{
	const struct fl_io io = { .room = io_room,
				  .queue = io_queue,
				  .jiffies = io_jiffies,
				  .loopback_ifindex = WORLD_LOOPBACK,
				  .ctx = r };

	MUST_BE(!fl_fabric_new(&r->t, &fabric_ops, r, &r->fabric));
	MUST_BE(!fl_engine_new(&r->t, r->fabric, &io, &r->engine));
	hear_kernel(r);
}

static void end_process(struct router *r)
{
	fl_engine_free(r->engine);
	fl_fabric_free(r->fabric);
	r->engine = NULL;
	r->fabric = NULL;
	r->n_asks = 0;
}

static struct fl_config *load(int router, const struct world_opts *opts)
{
	const char *text = world_config_text(router, opts);
	struct fl_config_errors *errors = NULL;
	struct fl_config *config = NULL;
	char line[512];

	if (!fl_config_load(text, strlen(text), &config, &errors)) {
		fl_config_errors_free(errors);
		return config;
	}
	for (size_t i = 0; i < fl_config_errors_count(errors); i++) {
		fl_config_error_text(fl_config_errors_get(errors, i), line, sizeof(line));
		fprintf(stderr, "%s\n", line);
	}
	fprintf(stderr, "%s\n", text);
	abort();
}

static void use(struct router *r, struct fl_config *config)
{
	char why[FL_WHY_TEXT] = "";

	if (fl_fabric_apply(r->fabric, config, why) < 0) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
	MUST_BE(!fl_engine_configure(r->engine, config));
	router_answer(r);
}

void router_configure(struct router *r, const struct world_opts *opts)
{
	struct fl_config *config = load(r->n, opts);

	use(r, config);
	fl_config_free(r->config);
	r->config = config;
}

void router_restart(struct router *r)
{
	end_process(r);
	start_process(r);
	use(r, r->config);
}

void router_forget_all(struct router *r)
{
	uint32_t max_sessions = r->t.max_sessions;

	end_process(r);
	free_tables(r);
	make_tables(r, max_sessions);
	start_process(r);
	use(r, r->config);
}

struct world *world_new(const struct world_opts *opts)
{
	struct world *w = zeroed(1, sizeof(*w));
	uint32_t max_sessions = opts->max_sessions ? opts->max_sessions : 64;

	fl_log_init(FL_LOG_ERROR);
	MUST_BE(!fl_rand_init());
	fl_rand_seed_for_test(1);
	w->opts = *opts;
	w->routers = opts->routers ? opts->routers : 2;
	w->mono_ns = 1000 * FL_NS_PER_S;
	w->wall_ns = WORLD_UNIX_S * FL_NS_PER_S;
	fl_clock_replace(&w->mono_ns, &w->wall_ns);
	for (int i = 0; i < w->routers; i++) {
		struct router *r = &w->r[i];

		r->world = w;
		r->n = i;
		snprintf(r->name, sizeof(r->name), "r%d", i + 1);
		add_routes(r);
		make_tables(r, max_sessions);
		start_process(r);
		r->config = load(i, opts);
		use(r, r->config);
	}
	return w;
}

void world_free(struct world *w)
{
	for (int i = 0; i < w->routers; i++) {
		struct router *r = &w->r[i];

		router_check(r);
		end_process(r);
		free_tables(r);
		fl_config_free(r->config);
		frames_clear(&r->out);
	}
	frames_clear(&w->wire);
	frames_clear(&w->past);
	fl_clock_replace(NULL, NULL);
	free(w);
}

/* --- time and wires --------------------------------------------------------------------------- */

enum model_verdict world_deliver(struct world *w, const struct frame *f)
{
	enum model_verdict verdict;
	enum device dev;
	uint8_t mac[6];
	int to;

	MUST_BE(world_far_end(w, f->router, f->dev, &to, &dev));
	mac_of_device(to, dev, mac);
	MUST_BE(!memcmp(mac, f->to.dmac, 6));
	if (w->r[f->router].wan_down[dev - DEV_WAN1] || w->r[to].wan_down[dev - DEV_WAN1])
		return MODEL_DROPPED;
	mac_of_device(f->router, f->dev, mac);
	MUST_BE(!memcmp(mac, f->to.smac, 6));
	verdict = model_ingress(&w->r[to], dev, f->data, f->len, mac);
	return verdict;
}

void world_run(struct world *w)
{
	struct frame *f;

	for (int i = 0; i < 10000 && (f = frames_pop(&w->wire)); i++) {
		world_deliver(w, f);
		free(f);
	}
	MUST_BE(!w->wire.first); /* else packets go round in circles */
}

void world_leap(struct world *w, uint64_t ms)
{
	w->mono_ns += ms * FL_NS_PER_MS;
	w->wall_ns += ms * FL_NS_PER_MS;
}

void world_tick(struct world *w)
{
	for (int i = 0; i < w->routers; i++) {
		for (int n = 0; fl_engine_tick(w->r[i].engine); n++)
			MUST_BE(n < 1000);
		router_answer(&w->r[i]);
	}
	if (!w->hold)
		world_run(w);
}

void world_advance(struct world *w, uint64_t ms)
{
	for (uint64_t step; ms; ms -= step) {
		step = ms < FL_ENGINE_TICK_MS ? ms : FL_ENGINE_TICK_MS;
		world_leap(w, step);
		world_tick(w);
	}
}

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

void router_check(struct router *r)
{
	uint32_t live = 0, half_open = 0, used = 0, published = 0, ways[2];
	const struct fl_tables *t = &r->t;
	uint64_t all_ways = 0;

	for (uint32_t id = 1; id <= t->max_sessions; id++) {
		const struct fl_session *s = &t->sessions[id];

		MUST_BE(s->state != FL_SESSION_OPENING);
		if (s->state != FL_SESSION_LIVE)
			continue;
		check_session(r, id);
		live++;
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
	MUST_BE(published == 2 * live);
	MUST_BE(published == fl_flows_count(r->engine->flows));
	MUST_BE(fl_flows_indexed(r->engine->flows) == r->n_index);
	MUST_BE(half_open == r->engine->half_open);
	for (uint16_t peer = 1; peer < FL_MAX_PEERS; peer++) {
		fl_engine_waypoints(r->engine, peer, ways);
		all_ways += ways[0] + ways[1];
	}
	MUST_BE(all_ways == used);
	MUST_BE(t->stats[FL_STAT_SESSIONS_OPENED] >= t->stats[FL_STAT_SESSIONS_CLOSED]);
}
