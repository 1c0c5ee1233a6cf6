// SPDX-License-Identifier: Apache-2.0
/* The small world: tables, kernel, clock and wires. See engine_world.h. */
#include "test/unit/engine_world.h"

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
	t->slots = fl_tables_slots(max_sessions, t->buckets);
	t->hash_seed = 0x5eed;
	t->flows = aligned(t->slots, sizeof(*t->flows));
	t->tags = zeroed(t->buckets, FL_BUCKET_SLOTS);
	t->spilled = zeroed(FL_SPILL_GROUPS, sizeof(*t->spilled));
	t->sessions = aligned(max_sessions + 1, sizeof(*t->sessions));
	t->vectors = zeroed(FL_MAX_VECTORS, sizeof(*t->vectors));
	t->paths = aligned(FL_MAX_PATHS, sizeof(*t->paths));
	t->path_lookup = zeroed(FL_PATH_BUCKETS, sizeof(*t->path_lookup));
	t->nexthops = aligned(FL_MAX_NEXTHOPS, sizeof(*t->nexthops));
	t->ifaces = zeroed(FL_IFACE_SLOTS, sizeof(*t->ifaces));
	t->peers = zeroed(FL_MAX_PEERS, sizeof(*t->peers));
	t->fpm_paths = zeroed(FL_MAX_PATHS, sizeof(*t->fpm_paths));
	t->keys = zeroed(FL_MAX_PATHS, sizeof(*t->keys));
	t->settings = zeroed(1, sizeof(*t->settings));
	t->ops = &world_table_ops;
	t->ops_ctx = r;
	t->hz = WORLD_HZ;
}

static void free_tables(struct router *r)
{
	struct fl_tables *t = &r->t;

	free(t->flows);
	free(t->tags);
	free(t->spilled);
	free(t->sessions);
	free(t->vectors);
	free(t->paths);
	free(t->path_lookup);
	free(t->nexthops);
	free(t->ifaces);
	free(t->peers);
	free(t->fpm_paths);
	free(t->keys);
	free(t->settings);
	*t = (struct fl_tables){ 0 };
	r->n_index = 0;
	r->n_denials = 0;
	r->n_dups = 0;
	r->n_locals = 0;
	r->n_host_prefixes = 0;
	memset(r->names, 0, sizeof(r->names));
}

/* An address of ours; its network is the next route. */
static void hear_addr(struct router *r, const struct world_route *own)
{
	struct fl_addr broadcast = own[1].prefix.addr;

	if (broadcast.family == 4)
		broadcast.b[3] = 255;
	else
		broadcast = (struct fl_addr){ 0 };
	fl_fabric_addr(r->fabric, own[1].ifindex, &own->prefix.addr, &broadcast, true);
}

/* What a new process hears from the kernel before anything else. */
static void hear_kernel(struct router *r)
{
	for (enum device dev = DEV_LAN; dev < DEV_MAX; dev++)
		router_link(r, dev, true);
	for (size_t i = 0; i + 1 < r->n_routes; i++)
		if (!r->routes[i].ifindex)
			hear_addr(r, &r->routes[i]);
	router_dump_neighbours(r);
	fl_fabric_addrs_known(r->fabric);
}

/* --- what the engine asks for ------------------------------------------------------------------
 */

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
	f->dev = to->ifindex == WORLD_LOOPBACK
			 ? DEV_HOST
			 : (enum device)(to->ifindex - dev_ifindex(r->n, DEV_HOST));
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

	MUST_BE(!fl_fabric_new(&r->t, &world_fabric_ops, r, &r->fabric));
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

	if (fl_fabric_prepare(r->fabric, config, why) < 0) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
	MUST_BE(!fl_engine_prepare(r->engine, config));
	r->applying = true;
	fl_fabric_apply(r->fabric, config);
	r->applying = false;
	fl_engine_configure(r->engine, config);
	router_answer(r);
}

void router_configure(struct router *r, const struct world_opts *opts)
{
	struct fl_config *config = load(r->n, opts);

	use(r, config);
	fl_config_free(r->config);
	r->config = config;
}

void router_refuse(struct router *r, const struct world_opts *opts)
{
	struct fl_config *config = load(r->n, opts);
	char why[FL_WHY_TEXT];

	MUST_BE(!fl_fabric_prepare(r->fabric, config, why));
	MUST_BE(!fl_engine_prepare(r->engine, config));
	fl_config_free(config);
}

void router_restart(struct router *r)
{
	end_process(r);
	start_process(r);
	use(r, r->config);
}

void router_restart_with(struct router *r, const struct world_opts *opts)
{
	end_process(r);
	fl_config_free(r->config);
	r->config = load(r->n, opts);
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
		router_add_routes(r);
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
