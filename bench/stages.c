// SPDX-License-Identifier: Apache-2.0
/*
 * Nanoseconds a packet by stage, from BPF_PROG_TEST_RUN in the world of the fixtures: one session,
 * the tables in the cache, nothing sent. Prints one "name nanoseconds" a line.
 *
 * usage: build/bench/stages
 */
/* The skeleton needs the struct. */
#include "bench/stages.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stages.skel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/abi_version.h"
#include "test/bpf/fixture.h"

#define REPEAT    4000 /* times STAGES_LOOP */
#define GOES      30
#define PAIR_GOES GOES
#define PAYLOAD   100 /* the headers to restore lie all in the packet */

/* The fixtures' session, from the LAN and from the peer. */
static const struct world_session session = {
	.src = "10.1.0.5",
	.dst = "10.2.0.53",
	.sport = 40000,
	.dport = 53,
	.proto = 17,
	.in = LAN_SIDE(W_NH_CLIENT),
	.out = PEER_SIDE(W_PATH4),
};

static const struct world_session session6 = {
	.src = "2001:db8:1::5",
	.dst = "2001:db8:2::53",
	.sport = 40000,
	.dport = 53,
	.proto = 17,
	.in = LAN_SIDE(W_NH_CLIENT),
	.out = { .kind = FL_SIDE_PEER,
		 .id = 1,
		 .local_port = 20002,
		 .remote_port = 20003,
		 .vector = W_PATH6 },
};

static const struct world_session session_tcp = {
	.src = "10.1.0.5",
	.dst = "10.2.0.53",
	.sport = 40000,
	.dport = 53,
	.proto = 6,
	.in = LAN_SIDE(W_NH_CLIENT),
	.out = PEER_SIDE(W_PATH4),
	.tcp = FL_TCP_ESTABLISHED,
};

static const struct pg_spec from_lan = { .dmac = MAC_LAN,
					 .smac = MAC_CLIENT,
					 .src = "10.1.0.5",
					 .dst = "10.2.0.53",
					 .proto = 17,
					 .sport = 40000,
					 .dport = 53,
					 .payload_len = PAYLOAD };

static const struct pg_spec from_lan6 = { .dmac = MAC_LAN,
					  .smac = MAC_CLIENT,
					  .src = "2001:db8:1::5",
					  .dst = "2001:db8:2::53",
					  .proto = 17,
					  .sport = 40000,
					  .dport = 53,
					  .payload_len = PAYLOAD };

static const struct pg_spec from_lan_tcp = { .dmac = MAC_LAN,
					     .smac = MAC_CLIENT,
					     .src = "10.1.0.5",
					     .dst = "10.2.0.53",
					     .proto = 6,
					     .sport = 40000,
					     .dport = 53,
					     .tcp_flags = 0x10,
					     .payload_len = PAYLOAD };

static const struct pg_spec from_peer = { .dmac = MAC_WAN,
					  .smac = MAC_GATEWAY,
					  .src = WP_REMOTE,
					  .dst = WP_LOCAL,
					  .proto = 17,
					  .sport = 20001,
					  .dport = 20000,
					  .payload_len = PAYLOAD };

static const struct pg_spec unknown = { .dmac = MAC_LAN,
					.smac = MAC_CLIENT,
					.src = "10.1.0.5",
					.dst = "10.2.0.53",
					.proto = 1,
					.payload_len = PAYLOAD };

static struct world world;

static void die(const char *what)
{
	fprintf(stderr, "stages: %s\n", what);
	exit(1);
}

/* The programs on the world's own maps, with a packet's headers in them. */
static struct stages_bpf *load(const struct pg_packet *packet)
{
	struct stages_bpf *skel = stages_bpf__open();
	struct bpf_map *map;
	char path[128];

	if (!skel || packet->len < STAGES_HEADERS)
		die("open");
	memcpy(skel->rodata->cfg.headers, packet->data, STAGES_HEADERS);
	skel->rodata->cfg.path = W_PATH4;
	skel->rodata->fl_hash_seed = world.t->hash_seed;
	skel->rodata->fl_hash_buckets = world.t->buckets;
	bpf_object__for_each_map(map, skel->obj)
	{
		int fd;

		snprintf(path, sizeof(path), "%s/v%d/%s", world.pin_dir, FL_ABI_VERSION,
			 bpf_map__name(map));
		fd = bpf_obj_get(path);
		if (fd >= 0 && bpf_map__reuse_fd(map, fd))
			die("reuse");
	}
	if (stages_bpf__load(skel))
		die("load");
	return skel;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* A program on a packet, as a test run. */
struct run {
	struct bpf_test_run_opts opts;
	struct xdp_md xdp;
	struct __sk_buff skb;
	uint8_t out[PG_MAX + 512];
	const struct bpf_program *prog;
	uint32_t want; /* its verdict */
	double ns[GOES];
};

static void run_init(struct run *run, const struct bpf_program *prog,
		     const struct pg_packet *packet, uint32_t ifindex, uint32_t want)
{
	memset(run, 0, sizeof(*run));
	run->prog = prog;
	run->want = want;
	run->opts.sz = sizeof(run->opts);
	run->opts.repeat = REPEAT;
	run->opts.data_in = packet->data;
	run->opts.data_size_in = (uint32_t)packet->len;
	run->opts.data_out = run->out;
	run->opts.data_size_out = sizeof(run->out);
	if (bpf_program__type(prog) == BPF_PROG_TYPE_XDP) {
		run->xdp.data_end = (uint32_t)packet->len;
		run->xdp.ingress_ifindex = ifindex;
		run->opts.ctx_in = &run->xdp;
		run->opts.ctx_size_in = sizeof(run->xdp);
	} else {
		run->skb.ifindex = ifindex;
		run->opts.ctx_in = &run->skb;
		run->opts.ctx_size_in = sizeof(run->skb);
	}
}

/* Nanoseconds a packet. */
static double run_once(struct run *run)
{
	if (bpf_prog_test_run_opts(bpf_program__fd(run->prog), &run->opts) ||
	    run->opts.retval != run->want)
		die(bpf_program__name(run->prog));
	return (double)run->opts.duration / STAGES_LOOP;
}

/*
 * The mean of the quickest third of all goes: what disturbs one (neighbours, interrupts) only makes
 * it longer.
 */
static double quickest(double *ns)
{
	double sum = 0;

	qsort(ns, GOES, sizeof(*ns), by_value);
	for (int i = 0; i < GOES / 3; i++)
		sum += ns[i];
	return sum / (GOES / 3);
}

/* Nanoseconds of each of @runs, in turns: the machine's speed wanders. */
static void run_all(struct run *runs, int count, double *ret_ns)
{
	for (int go = 0; go < GOES; go++)
		for (int i = 0; i < count; i++)
			runs[i].ns[go] = run_once(&runs[i]);
	for (int i = 0; i < count; i++)
		ret_ns[i] = quickest(runs[i].ns);
}

/* The stages one by one, for a packet of the common path. */
static void stages_of(const char *name, const struct pg_spec *spec, uint32_t ifindex)
{
	static struct run runs[4];
	struct pg_packet packet;
	struct stages_bpf *skel;
	double ns[4];

	pg_build(spec, &packet);
	skel = load(&packet);
	run_init(&runs[0], skel->progs.stage_xdp_nothing, &packet, ifindex, XDP_PASS);
	run_init(&runs[1], skel->progs.stage_xdp_parse, &packet, ifindex, XDP_PASS);
	run_init(&runs[2], skel->progs.stage_xdp_find, &packet, ifindex, XDP_PASS);
	run_init(&runs[3], skel->progs.stage_xdp_all, &packet, ifindex, XDP_REDIRECT);
	run_all(runs, 4, ns);
	printf("%s-parse %.1f\n%s-find-flow %.1f\n%s-rewrite-send %.1f\n%s-all %.1f\n", name,
	       ns[1] - ns[0], name, ns[2] - ns[1], name, ns[3] - ns[2], name, ns[3] - ns[0]);
	stages_bpf__destroy(skel);
}

/* Which programs measure a packet as a whole, and what they say. */
enum way { XDP_COMMON, XDP_FULL, XDP_DROPS, TC_COMMON };

static void whole(const char *name, enum way way, const struct pg_spec *spec, uint32_t ifindex)
{
	static struct run runs[2];
	struct pg_packet packet;
	struct stages_bpf *skel;
	double ns[2];

	pg_build(spec, &packet);
	skel = load(&packet);
	if (way == TC_COMMON) {
		run_init(&runs[0], skel->progs.stage_tc_nothing, &packet, ifindex, TC_ACT_OK);
		run_init(&runs[1], skel->progs.stage_tc_all, &packet, ifindex, TC_ACT_REDIRECT);
	} else {
		run_init(&runs[0], skel->progs.stage_xdp_nothing, &packet, ifindex, XDP_PASS);
		run_init(&runs[1],
			 way == XDP_FULL ? skel->progs.stage_xdp_full : skel->progs.stage_xdp_all,
			 &packet, ifindex, way == XDP_DROPS ? XDP_DROP : XDP_REDIRECT);
	}
	run_all(runs, 2, ns);
	printf("%s %.1f\n", name, ns[1] - ns[0]);
	stages_bpf__destroy(skel);
}

/* Nanoseconds a packet of the quickest tenth of the pairs' halves. */
static double quickest_half(double *ns)
{
	const int count = PAIR_GOES * STAGES_PAIRS;
	double sum = 0;

	qsort(ns, count, sizeof(*ns), by_value);
	for (int i = 0; i < count / 10; i++)
		sum += ns[i];
	return sum / (count / 10) / (STAGES_LOOP * STAGES_PAIR_LOOPS);
}

/*
 * What performance monitoring costs a packet that is not marked, also as part of what its program
 * costs. Spread over seconds: a neighbour on the core's other half can stay for a while.
 */
static void colouring(void)
{
	static double off[PAIR_GOES * STAGES_PAIRS], on[PAIR_GOES * STAGES_PAIRS];
	static struct run nothing, pairs;
	struct pg_packet packet;
	struct stages_bpf *skel;
	double least, cost;

	pg_build(&from_lan, &packet);
	skel = load(&packet);
	for (int scope = 0; scope < FL_PATH_SCOPES; scope++)
		world.t->paths[W_PATH4].fpm_due[scope] = ~0ull;
	run_init(&nothing, skel->progs.stage_xdp_nothing, &packet, world.lan_ifindex, XDP_PASS);
	run_init(&pairs, skel->progs.stage_xdp_pairs, &packet, world.lan_ifindex, XDP_REDIRECT);
	pairs.opts.repeat = STAGES_PAIRS;
	for (int go = 0; go < PAIR_GOES; go++) {
		skel->bss->pairs.done = 0;
		run_once(&pairs);
		nothing.ns[go] = run_once(&nothing);
		for (int i = 0; i < STAGES_PAIRS; i++) {
			off[go * STAGES_PAIRS + i] = skel->bss->pairs.off_ns[i];
			on[go * STAGES_PAIRS + i] = skel->bss->pairs.on_ns[i];
		}
	}
	least = quickest_half(off);
	cost = quickest_half(on) - least;
	printf("fpm-unmarked %.2f\nfpm-unmarked-percent %.2f\n", cost,
	       100 * cost / (least - quickest(nothing.ns)));
	stages_bpf__destroy(skel);
}

int main(void)
{
	if (world_open(&world) < 0)
		die("no world");
	world_session(&world, &session);
	world_session(&world, &session6);
	stages_of("lan-to-peer", &from_lan, world.lan_ifindex);
	stages_of("peer-to-lan", &from_peer, world.wan_ifindex);
	whole("ipv6-lan-to-peer", XDP_COMMON, &from_lan6, world.lan_ifindex);
	whole("full-path", XDP_FULL, &from_lan, world.lan_ifindex);
	colouring();
	whole("tc-lan-to-peer", TC_COMMON, &from_lan, world.lan_ifindex);
	whole("tc-peer-to-lan", TC_COMMON, &from_peer, world.wan_ifindex);
	whole("dropped", XDP_DROPS, &unknown, world.lan_ifindex);
	world_reset(&world);
	world_session(&world, &session_tcp);
	whole("tcp-lan-to-peer", XDP_COMMON, &from_lan_tcp, world.lan_ifindex);
	world_close(&world);
	return 0;
}
