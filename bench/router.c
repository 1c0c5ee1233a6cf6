// SPDX-License-Identifier: Apache-2.0
/*
 * The data plane as a router without a daemon: tables filled by the agent's own code with sessions
 * that are established already, from a LAN device to a peer behind a WAN device. Runs in the
 * namespace of the devices. Commands on the standard input, one a line, each answered by a line:
 *
 *   attach, detach       put the programs on the devices, take them off
 *   monitor, unmonitor   watch the path by marks in its packets, none of them due; and not
 *   used                 answered by the number of sessions that a packet has come of
 *
 * usage: build/bench/router LAN WAN SESSIONS [ORDER-FILE]
 *
 * ORDER-FILE gets the sessions' numbers in the order in which their flows lie in memory, for blast.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/rand.h"
#include "agent/dp/dp.h"
#include "agent/session/install.h"
#include "agent/session/store.h"
#include "bench/blast.h"
#include "common/csum.h"
#include "common/hdr.h"

enum { LAN = 1, WAN = 2, PEER = 1, PATH = 1, HOP = 1 };

#define GATEWAY "\x02\x00\x00\x00\x02\xff" /* whoever is next: sinks take any */

struct bench {
	struct fl_dp *dp;
	struct fl_tables *t;
	struct fl_flows *flows;
	struct fl_store *store;
	const char *dev[3]; /* by interface id */
	uint32_t ifindex[3];
	uint8_t mac[3][6];
	uint32_t sessions;
	char pin_dir[64];
};

static void die(const char *what)
{
	fprintf(stderr, "router: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void device(struct bench *b, int id, const char *name)
{
	struct ifreq req = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%.15s", name);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &req) < 0)
		die(name);
	close(fd);
	b->dev[id] = name;
	b->ifindex[id] = if_nametoindex(name);
	memcpy(b->mac[id], req.ifr_hwaddr.sa_data, 6);
}

static void set_iface(struct bench *b, int id, uint8_t flags)
{
	struct fl_iface iface = { .ifindex = b->ifindex[id],
				  .id = (uint16_t)id,
				  .flags = flags,
				  .mtu = 1500,
				  .mode = FL_MODE_XDP };

	memcpy(iface.mac, b->mac[id], 6);
	snprintf(iface.name, sizeof(iface.name), "%.15s", b->dev[id]);
	b->t->ifaces[fl_iface_slot(iface.ifindex, 0, 0)] = iface;
	if (b->t->ops->tx_port(b->t->ops_ctx, iface.id, iface.ifindex))
		die("tx port");
}

static void fill_fabric(struct bench *b)
{
	struct fl_path path = { .peer = PEER,
				.iface = WAN,
				.ifindex = b->ifindex[WAN],
				.mtu = 1500,
				.state = FL_PATH_UP,
				.family = 4,
				.plain = 4,
				.port_lo = 16384,
				.port_hi = 65533 };
	struct fl_nexthop hop = { .iface = LAN,
				  .ifindex = b->ifindex[LAN],
				  .mtu = 1500,
				  .family = 4,
				  .state = FL_PATH_UP,
				  .plain = 1 };
	struct fl_path_way *way;
	uint32_t words[2];

	set_iface(b, LAN, FL_IFACE_SESSIONS);
	set_iface(b, WAN, FL_IFACE_WAN);
	inet_pton(AF_INET, "198.51.100.1", path.local);
	inet_pton(AF_INET, "198.51.100.2", path.remote);
	memcpy(path.dmac, GATEWAY, 6);
	memcpy(path.smac, b->mac[WAN], 6);
	path.addr_sum = fl_csum_add(fl_csum_addr4(path.local), fl_csum_addr4(path.remote));
	memcpy(words, path.local, 4);
	memcpy(words + 1, path.remote, 4);
	way = b->t->path_lookup[fl_path_bucket(words[0], words[1])].way;
	memcpy(way->local, path.local, 4);
	memcpy(way->remote, path.remote, 4);
	way->path = PATH;
	b->t->paths[PATH] = path;
	b->t->vectors[PATH] = (struct fl_vector){ .path = PATH, .peer = PEER, .home_path = PATH };
	memcpy(hop.dmac, GATEWAY, 6);
	memcpy(hop.smac, b->mac[LAN], 6);
	b->t->nexthops[HOP] = hop;
}

/* Session @n is the one of blast's flow @n. */
static void add_session(struct bench *b, uint32_t n)
{
	static const enum fl_flow_state state[2] = { FL_FLOW_ESTABLISHED, FL_FLOW_ESTABLISHED };
	uint32_t src, id, other;
	struct fl_session *s;
	uint8_t uuid[16];

	fl_rand_uuid(uuid);
	if (fl_store_open(b->store, uuid, &id) < 0)
		die("table full");
	s = &b->t->sessions[id];
	s->family = 4;
	s->proto = FL_IPPROTO_UDP;
	src = htonl(0x0a010064 + (n >> BLAST_PORT_BITS));
	memcpy(s->src, &src, 4);
	inet_pton(AF_INET, "10.2.0.2", s->dst);
	memcpy(s->nat_src, s->src, 16);
	memcpy(s->nat_dst, s->dst, 16);
	s->sport = (uint16_t)(BLAST_PORT + (n & ((1 << BLAST_PORT_BITS) - 1)));
	s->dport = 9;
	s->nat_sport = s->sport;
	s->nat_dport = s->dport;
	s->idle_timeout_ms = 180000;
	s->initial_timeout_ms = 10000;
	s->in = (struct fl_side){ .kind = FL_SIDE_LAN, .id = LAN, .nexthop = HOP };
	/* Pairs like those that the allocator gives: both ports change. */
	s->out = (struct fl_side){ .kind = FL_SIDE_PEER,
				   .id = PEER,
				   .vector = PATH,
				   .local_port = (uint16_t)(16384 + 2 * (n % 16384)),
				   .remote_port =
					   (uint16_t)(16385 + 2 * ((n + n / 16384) % 16384)) };
	if (fl_session_install(b->flows, b->t, id, state, &other) < 0)
		die("install");
}

static int by_slot(const void *a, const void *b, void *tables)
{
	const struct fl_tables *t = tables;
	uint32_t x = t->sessions[*(const uint32_t *)a + 1].slot[FL_FORWARD];
	uint32_t y = t->sessions[*(const uint32_t *)b + 1].slot[FL_FORWARD];

	return (x > y) - (x < y);
}

/* Sessions are numbered from 1 in the order of their installation, blast's flows from 0. */
static void write_order(const struct bench *b, const char *file)
{
	uint32_t *order = calloc(b->sessions, sizeof(*order));
	FILE *f = fopen(file, "we");

	if (!order || !f)
		die(file);
	for (uint32_t i = 0; i < b->sessions; i++)
		order[i] = i;
	qsort_r(order, b->sessions, sizeof(*order), by_slot, b->t);
	if (fwrite(order, sizeof(*order), b->sessions, f) != b->sessions || fclose(f))
		die(file);
	free(order);
}

static int attach(struct bench *b)
{
	char why[FL_DP_WHY];

	for (int id = LAN; id <= WAN; id++) {
		const struct fl_dp_attach what = { .ifname = b->dev[id],
						   .ifindex = b->ifindex[id],
						   .want_xdp = true };
		int mode = fl_dp_attach(b->dp, &what, why);

		if (mode < 0) {
			fprintf(stderr, "router: %s\n", why);
			return mode;
		}
	}
	return 0;
}

/* What was not forwarded, and why: nothing should be. */
static void report_drops(struct bench *b)
{
	struct fl_dp_counters counters;

	fl_dp_counters(b->dp, &counters);
	for (int i = 1; i < FL_DROP_MAX; i++)
		if (counters.drops[i])
			fprintf(stderr, "router: drop reason %d: %llu\n", i,
				(unsigned long long)counters.drops[i]);
	for (int i = 1; i < FL_STAT_MAX; i++)
		if (counters.stats[i])
			fprintf(stderr, "router: counter %d: %llu\n", i,
				(unsigned long long)counters.stats[i]);
}

static void detach(struct bench *b)
{
	for (int id = LAN; id <= WAN; id++)
		fl_dp_detach(b->dp, b->ifindex[id]);
}

static void monitor(struct bench *b, bool on)
{
	struct fl_path *path = &b->t->paths[PATH];

	for (int scope = 0; scope < FL_PATH_SCOPES; scope++)
		path->fpm_due[scope] = ~0ull;
	path->tx_flags = on ? FL_TX_FPM : 0;
}

static uint32_t used(const struct bench *b)
{
	uint32_t count = 0;

	for (uint32_t id = 1; id <= b->sessions; id++)
		count += b->t->flows[b->t->sessions[id].slot[FL_FORWARD]].packets > 0;
	return count;
}

static void obey(struct bench *b)
{
	char line[64];

	while (fgets(line, sizeof(line), stdin)) {
		int err = 0;

		line[strcspn(line, "\n")] = 0;
		if (!strcmp(line, "attach"))
			err = attach(b);
		else if (!strcmp(line, "detach"))
			detach(b);
		else if (!strcmp(line, "monitor") || !strcmp(line, "unmonitor"))
			monitor(b, line[0] == 'm');
		else if (strcmp(line, "used"))
			err = -EINVAL;
		if (!strcmp(line, "used"))
			printf("%u\n", used(b));
		else
			printf(err ? "failed\n" : "ok\n");
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	struct fl_dp_cfg cfg = { 0 };
	char why[FL_DP_WHY];
	struct bench b = { 0 };

	if (argc < 4 || argc > 5) {
		fprintf(stderr, "usage: router LAN WAN SESSIONS [ORDER-FILE]\n");
		return 2;
	}
	device(&b, LAN, argv[1]);
	device(&b, WAN, argv[2]);
	b.sessions = (uint32_t)atoi(argv[3]);
	fl_rand_init();
	snprintf(b.pin_dir, sizeof(b.pin_dir), "/sys/fs/bpf/fairlead-bench-%d", getpid());
	cfg.pin_dir = b.pin_dir;
	cfg.max_sessions = b.sessions < 1024 ? 1024 : b.sessions;
	if (fl_dp_open(&cfg, &b.dp, why) < 0) {
		fprintf(stderr, "router: %s\n", why);
		return 1;
	}
	b.t = fl_dp_tables(b.dp);
	if (fl_flows_new(b.t, &b.flows) || fl_store_new(b.t, &b.store))
		die("tables");
	fill_fabric(&b);
	for (uint32_t n = 0; n < b.sessions; n++)
		add_session(&b, n);
	if (argc == 5)
		write_order(&b, argv[4]);
	printf("ready\n");
	fflush(stdout);
	obey(&b);
	detach(&b);
	report_drops(&b);
	fl_store_free(b.store);
	fl_flows_free(b.flows);
	fl_dp_close(b.dp);
	fl_dp_remove(b.pin_dir);
	return 0;
}
