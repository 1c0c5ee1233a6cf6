// SPDX-License-Identifier: Apache-2.0
/*
 * The session engine at full size: the agent's own code on the data plane's maps, fed with punted
 * packets by a function call, on a clock that this program turns. It opens sessions as fast as it
 * can, then lets minutes pass and measures what timers cost: while all sessions are in use, and
 * when all of them end at once. Prints one "name value" a line.
 *
 * With "reload" it measures instead the longest turn of the loop when a configuration comes into
 * use again, what a restart costs, and a configuration that denies all sessions. With "move", how
 * long it takes, from the word that BFD is down, until the last session is on another path.
 *
 * usage: build/bench/table_scale CONFIG SESSIONS [move | reload] (config_two of r1; in a namespace
 * of its own)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/base/rand.h"
#include "agent/config/config.h"
#include "agent/dp/dp.h"
#include "agent/path/fabric.h"
#include "agent/session/engine.h"
#include "agent/session/engine_internal.h"
#include "bench/blast.h"
#include "common/csum.h"
#include "common/hdr.h"

#define BATCH 256 /* punts handled before the clock is read again, as in the daemon */

static uint64_t mono_ns = 1000 * FL_NS_PER_S, wall_ns = 1700000000 * FL_NS_PER_S;
static struct fl_tables *t;
static struct fl_engine *engine;
static struct fl_fabric *fabric;
static uint8_t packet_out[FL_TX_MAX_PACKET];
static uint64_t packets_out;

static void die(const char *what)
{
	fprintf(stderr, "table_scale: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- a world without devices -------------------------------------------------------------------
 */

static int route(void *ctx, const struct fl_addr *dst, uint32_t ifindex, struct fl_route *ret_route)
{
	(void)ctx;
	*ret_route = (struct fl_route){ .type = FL_ROUTE_UNICAST, .ifindex = ifindex };
	if (ifindex)
		return 0;
	ret_route->ifindex = dst->b[0] == 10 ? 1 : dst->b[0] == 198 ? 2 : 3;
	return 0;
}

/* Neighbours are told unasked, below; hosts' are known from their packets. */
static int resolve(void *ctx, uint32_t ifindex, const struct fl_addr *addr)
{
	(void)ctx;
	(void)ifindex;
	(void)addr;
	return 0;
}

static int attach(void *ctx, const struct fl_link *link,
		  const struct fl_cfg_device_interface *device, bool host, char why[FL_WHY_TEXT])
{
	(void)ctx;
	(void)link;
	(void)device;
	(void)host;
	why[0] = 0;
	return FL_MODE_XDP;
}

static void detach(void *ctx, uint32_t ifindex)
{
	(void)ctx;
	(void)ifindex;
}

static void hop_up(void *ctx, uint16_t hop)
{
	(void)ctx;
	(void)hop;
}

static void path_usable(void *ctx, uint16_t path, bool usable)
{
	(void)ctx;
	(void)path;
	(void)usable;
	/* As the daemon does, when it is not about to take over a configuration. */
	if (fl_engine_history(engine) && fl_engine_fib(engine))
		fl_engine_paths_changed(engine);
}

static const struct fl_fabric_ops fabric_ops = {
	.route = route,
	.resolve = resolve,
	.attach = attach,
	.detach = detach,
	.hop_up = hop_up,
	.path_usable = path_usable,
};

static uint8_t *io_room(void *ctx)
{
	(void)ctx;
	return packet_out;
}

static void io_queue(void *ctx, const struct fl_tx_to *to, size_t len)
{
	(void)ctx;
	(void)to;
	(void)len;
	packets_out++;
}

static uint32_t io_jiffies(void *ctx)
{
	(void)ctx;
	return (uint32_t)(mono_ns / (FL_NS_PER_S / t->hz));
}

static void link_there(uint32_t ifindex, const char *name, const char *address)
{
	struct fl_link link = { .ifindex = ifindex,
				.mac = { 2, 0, 0, 0, 1, (uint8_t)ifindex },
				.mtu = 1500,
				.up = true };
	const struct fl_addr none = { 0 };
	struct fl_addr addr;

	snprintf(link.name, sizeof(link.name), "%s", name);
	fl_fabric_link(fabric, &link);
	if (fl_addr_parse(address, &addr) < 0)
		die(address);
	fl_fabric_addr(fabric, ifindex, &addr, &none, true);
}

static void neighbour(uint32_t ifindex, const char *address)
{
	struct fl_neigh neigh = { .ifindex = ifindex, .mac = { 2, 0, 0, 0, 9, 9 }, .valid = true };

	if (fl_addr_parse(address, &neigh.addr) < 0)
		die(address);
	fl_fabric_neigh(fabric, &neigh);
}

static struct fl_config *load(const char *file)
{
	struct fl_config_errors *errors = NULL;
	struct fl_config *config;

	if (fl_config_load_file(file, &config, &errors) < 0)
		die("configuration");
	return config;
}

static void use(const struct fl_config *config)
{
	char why[FL_WHY_TEXT] = "out of memory";

	if (fl_fabric_prepare(fabric, config, why) || fl_engine_prepare(engine, config)) {
		fprintf(stderr, "table_scale: %s\n", why);
		exit(1);
	}
	fl_fabric_apply(fabric, config);
	fl_engine_configure(engine, config);
}

/* What a process does when it starts, whatever is in the tables. */
static void start(const struct fl_config *config)
{
	const struct fl_io io = { .room = io_room, .queue = io_queue, .jiffies = io_jiffies };

	if (fl_fabric_new(t, &fabric_ops, NULL, &fabric) || fl_engine_new(t, fabric, &io, &engine))
		die("engine");
	link_there(1, "lan0", "10.1.0.1");
	link_there(2, "wan1", "198.51.100.1");
	link_there(3, "wan2", "203.0.113.1");
	use(config);
	neighbour(2, "198.51.100.2");
	neighbour(3, "203.0.113.2");
}

static struct fl_dp *open_all(const struct fl_config *config, uint32_t sessions, char pin_dir[64])
{
	struct fl_dp_cfg cfg = { .max_sessions = sessions };
	char why[FL_WHY_TEXT];
	struct fl_dp *dp;

	fl_log_init(FL_LOG_ERROR);
	fl_rand_init();
	snprintf(pin_dir, 64, "/sys/fs/bpf/fairlead-bench-%d", getpid());
	cfg.pin_dir = pin_dir;
	if (fl_dp_open(&cfg, &dp, why) < 0) {
		fprintf(stderr, "table_scale: %s\n", why);
		exit(1);
	}
	t = fl_dp_tables(dp);
	fl_clock_replace(&mono_ns, &wall_ns);
	start(config);
	return dp;
}

/* --- measuring -----------------------------------------------------------------------------------
 */

static double cpu_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void result(const char *name, double value)
{
	printf("%s %.10g\n", name, value);
}

static struct fl_punt *first_packet(uint32_t n, uint16_t iface)
{
	static uint8_t record[sizeof(struct fl_punt) + 64] FL_ALIGNED(8);
	struct fl_punt *punt = (struct fl_punt *)record;
	uint32_t src = htonl(0x0a010100 + (n >> BLAST_PORT_BITS));
	uint8_t *ip = punt->data;
	uint32_t sum = 0;
	uint16_t check;

	memset(record, 0, sizeof(record));
	punt->reason = FL_PUNT_NEW;
	punt->iface = iface;
	punt->slot = FL_NO_SLOT;
	punt->len = 46;
	punt->smac[0] = 2;
	ip[0] = 0x45;
	ip[3] = 46;
	ip[8] = 64;
	ip[9] = FL_IPPROTO_UDP;
	memcpy(ip + 12, &src, 4);
	memcpy(ip + 16, "\x0a\x02\x00\x02", 4);
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] | (uint32_t)ip[i + 1] << 8;
	check = (uint16_t)~fl_csum_fold(sum);
	memcpy(ip + 10, &check, 2);
	check = (uint16_t)FL_BE16(BLAST_PORT + (n & ((1 << BLAST_PORT_BITS) - 1)));
	memcpy(ip + 20, &check, 2);
	ip[23] = 9;
	ip[25] = 26; /* UDP checksum 0: none */
	return punt;
}

static void open_sessions(uint32_t count)
{
	uint16_t lan = fl_fabric_netif_named(fabric, "lan0")->id;
	double start = cpu_s();

	for (uint32_t n = 0; n < count; n++) {
		if (n % BATCH == 0) {
			mono_ns += BATCH * FL_NS_PER_US;
			fl_engine_begin(engine);
		}
		fl_engine_punt(engine, first_packet(n, lan));
	}
	result("open-us", (cpu_s() - start) * 1e6 / count);
	result("open-count", fl_store_count(fl_engine_store(engine)));
}

/* All sessions were answered, and are used this instant. */
static void use_all(void)
{
	uint32_t now = io_jiffies(NULL);

	for (uint32_t id = 1; id <= t->max_sessions; id++) {
		if (t->sessions[id].state != FL_SESSION_LIVE)
			continue;
		for (int dir = 0; dir < 2; dir++) {
			struct fl_flow *flow = &t->flows[t->sessions[id].slot[dir]];

			flow->last_seen = now;
			flow->packets++;
			flow->state = FL_FLOW_ESTABLISHED;
		}
	}
}

struct spell {
	double cpu_s;
	double longest_s;
	unsigned int calls;
};

/* One tick as the daemon's loop makes it: again after a millisecond while there is more. */
static void tick(struct spell *spell)
{
	double start = cpu_s(), took;
	bool more = fl_engine_tick(engine);

	took = cpu_s() - start;
	spell->cpu_s += took;
	spell->calls++;
	if (took > spell->longest_s)
		spell->longest_s = took;
	mono_ns += more ? 1000000 + (uint64_t)(took * 1e9) : FL_ENGINE_TICK_MS * FL_NS_PER_MS;
	wall_ns = 1700000000 * FL_NS_PER_S + mono_ns;
}

/* Sessions in use every 10 s, for longer than the idle timeout: each is looked at once or more. */
static void aging_in_use(void)
{
	uint64_t start = mono_ns, used = 0;
	struct spell spell = { 0 };

	while (mono_ns - start < 240 * FL_NS_PER_S) {
		if (mono_ns - used > 10 * FL_NS_PER_S) {
			use_all();
			used = mono_ns;
		}
		tick(&spell);
	}
	result("aging-share", spell.cpu_s / ((double)(mono_ns - start) / 1e9));
	result("aging-stall-ms", spell.longest_s * 1e3);
	result("aging-count", fl_store_count(fl_engine_store(engine)));
}

static void aging_out(uint32_t count)
{
	uint64_t start = mono_ns;
	struct spell spell = { 0 };

	while (fl_store_count(fl_engine_store(engine)) && mono_ns - start < 400 * FL_NS_PER_S)
		tick(&spell);
	result("expiry-stall-ms", spell.longest_s * 1e3);
	result("expiry-us", spell.cpu_s * 1e6 / count);
	result("expiry-left", fl_store_count(fl_engine_store(engine)));
}

/* --- reloads -------------------------------------------------------------------------------------
 */

/* A configuration comes into use; then the loop, until every session was held against it. */
static void reload(const char *name, const struct fl_config *config)
{
	uint64_t start = mono_ns;
	struct spell spell = { 0 };
	char text[64];

	spell.cpu_s = cpu_s();
	use(config);
	spell.cpu_s = spell.longest_s = cpu_s() - spell.cpu_s;
	snprintf(text, sizeof(text), "%s-first-ms", name);
	result(text, spell.longest_s * 1e3);
	while (engine->recheck_cursor)
		tick(&spell);
	snprintf(text, sizeof(text), "%s-stall-ms", name);
	result(text, spell.longest_s * 1e3);
	snprintf(text, sizeof(text), "%s-cpu-ms", name);
	result(text, spell.cpu_s * 1e3);
	snprintf(text, sizeof(text), "%s-s", name);
	result(text, (double)(mono_ns - start) / 1e9);
	snprintf(text, sizeof(text), "%s-count", name);
	result(text, fl_store_count(fl_engine_store(engine)));
}

static void restart(const struct fl_config *config)
{
	double began;

	fl_engine_free(engine);
	fl_fabric_free(fabric);
	began = cpu_s();
	start(config);
	result("restart-ms", (cpu_s() - began) * 1e3);
}

static void reloading(const char *file, const struct fl_config *config)
{
	struct fl_config *same = load(file), *none = load(file);

	for (size_t i = 0; i < none->authority.n_service; i++)
		none->authority.service[i].enabled = false;
	reload("reload", same);
	restart(config);
	reload("denial", none);
}

/* --- moving --------------------------------------------------------------------------------------
 */

static double wall_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* What BFD says of the path by a device. */
static void set_live(uint16_t path, enum fl_live live)
{
	struct fl_path_quality q = { .live = live, .vector_switch = true };

	if (live == FL_LIVE_NO)
		q.why_not = "silent";
	fl_fabric_set_quality(fabric, path, &q);
}

static uint32_t sessions_on(uint16_t path)
{
	uint32_t n = 0;

	for (uint32_t id = 1; id <= t->max_sessions; id++)
		n += t->sessions[id].state == FL_SESSION_LIVE &&
		     t->vectors[t->sessions[id].out.vector].path == path;
	return n;
}

/*
 * Counting a million sessions leaves nothing of the engine in the caches, counting a thousand does
 * not: so that the same is measured, nothing is left either way.
 */
static void cool_down(void)
{
	static uint8_t other[64 << 20];
	static uint8_t value;

	memset(other, ++value, sizeof(other));
	__asm__ volatile("" : : "r"(other) : "memory");
}

/* The two paths fail in turn; every session must be on the other one then. */
static void moving(uint32_t count)
{
	const uint16_t paths[2] = { 1, 2 };
	double longest = 0, sum = 0;
	uint32_t there = 0;

	for (int i = 0; i < 2; i++)
		set_live(paths[i], FL_LIVE_YES);
	for (int round = 0; round < 40; round++) {
		uint16_t down = paths[round % 2], up = paths[1 - round % 2];
		double start, took;

		set_live(up, FL_LIVE_YES);
		mono_ns += 10 * FL_NS_PER_S;
		cool_down();
		start = wall_s();
		set_live(down, FL_LIVE_NO);
		took = wall_s() - start;
		there = sessions_on(up);
		/* The first only brings them all to one path. */
		if (!round)
			continue;
		sum += took;
		longest = took > longest ? took : longest;
		if (there != count)
			break;
	}
	result("move-ms", sum / 39 * 1e3);
	result("move-longest-ms", longest * 1e3);
	result("move-count", there);
}

int main(int argc, char **argv)
{
	const char *what = argc == 4 ? argv[3] : "";
	struct fl_config *config;
	struct fl_dp *dp;
	uint32_t count;
	char pin_dir[64];

	if (argc < 3 || argc > 4 || (*what && strcmp(what, "move") && strcmp(what, "reload"))) {
		fprintf(stderr, "usage: table_scale CONFIG SESSIONS [move | reload]\n");
		return 2;
	}
	count = (uint32_t)atoi(argv[2]);
	config = load(argv[1]);
	dp = open_all(config, count, pin_dir);
	open_sessions(count);
	use_all();
	if (!strcmp(what, "move")) {
		moving(count);
	} else if (*what) {
		reloading(argv[1], config);
	} else {
		aging_in_use();
		aging_out(count);
	}
	fl_engine_free(engine);
	fl_fabric_free(fabric);
	fl_dp_close(dp);
	fl_dp_remove(pin_dir);
	return 0;
}
