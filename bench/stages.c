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

#define REPEAT  100000
#define GOES    15
#define PAYLOAD 100 /* the headers to restore lie all in the packet */

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

/*
 * Nanoseconds a run, of the quickest third of all goes: what disturbs one (neighbours, interrupts)
 * only makes it longer. Their mean, since the kernel tells whole nanoseconds.
 */
static double quickest(const struct bpf_program *prog, struct bpf_test_run_opts *opts,
		       uint32_t want)
{
	double ns[GOES], sum = 0;

	opts->repeat = REPEAT;
	for (int i = 0; i < GOES; i++) {
		if (bpf_prog_test_run_opts(bpf_program__fd(prog), opts) || opts->retval != want)
			die(bpf_program__name(prog));
		ns[i] = opts->duration;
	}
	qsort(ns, GOES, sizeof(*ns), by_value);
	for (int i = 0; i < GOES / 3; i++)
		sum += ns[i];
	return sum / (GOES / 3);
}

static double run_xdp(const struct bpf_program *prog, const struct pg_packet *packet,
		      uint32_t ifindex, uint32_t want)
{
	static uint8_t out[PG_MAX + 512];
	struct xdp_md ctx = { .data_end = (uint32_t)packet->len, .ingress_ifindex = ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet->data,
		    .data_size_in = (uint32_t)packet->len, .data_out = out,
		    .data_size_out = sizeof(out), .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));

	return quickest(prog, &opts, want);
}

static double run_tc(const struct bpf_program *prog, const struct pg_packet *packet,
		     uint32_t ifindex, uint32_t want)
{
	static uint8_t out[PG_MAX + 512];
	struct __sk_buff ctx = { .ifindex = ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet->data,
		    .data_size_in = (uint32_t)packet->len, .data_out = out,
		    .data_size_out = sizeof(out), .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));

	return quickest(prog, &opts, want);
}

/* The stages one by one, for a packet of the common path. */
static void stages_of(const char *name, const struct pg_spec *spec, uint32_t ifindex)
{
	struct pg_packet packet;
	struct stages_bpf *skel;
	double nothing, parse, find, all;

	pg_build(spec, &packet);
	skel = load(&packet);
	nothing = run_xdp(skel->progs.stage_xdp_nothing, &packet, ifindex, XDP_PASS);
	parse = run_xdp(skel->progs.stage_xdp_parse, &packet, ifindex, XDP_PASS);
	find = run_xdp(skel->progs.stage_xdp_find, &packet, ifindex, XDP_PASS);
	all = run_xdp(skel->progs.stage_xdp_all, &packet, ifindex, XDP_REDIRECT);
	printf("%s-parse %.1f\n%s-find-flow %.1f\n%s-rewrite-send %.1f\n%s-all %.1f\n", name,
	       parse - nothing, name, find - parse, name, all - find, name, all - nothing);
	stages_bpf__destroy(skel);
}

/* A packet as a whole, by program. */
static void whole(const char *name, const struct pg_spec *spec, uint32_t ifindex, bool full)
{
	struct pg_packet packet;
	struct stages_bpf *skel;
	double nothing;

	pg_build(spec, &packet);
	skel = load(&packet);
	nothing = run_xdp(skel->progs.stage_xdp_nothing, &packet, ifindex, XDP_PASS);
	printf("%s %.1f\n", name,
	       run_xdp(full ? skel->progs.stage_xdp_full : skel->progs.stage_xdp_all, &packet,
		       ifindex, XDP_REDIRECT) -
		       nothing);
	stages_bpf__destroy(skel);
}

static void by_tc(const char *name, const struct pg_spec *spec, uint32_t ifindex)
{
	struct pg_packet packet;
	struct stages_bpf *skel;
	double nothing;

	pg_build(spec, &packet);
	skel = load(&packet);
	nothing = run_tc(skel->progs.stage_tc_nothing, &packet, ifindex, TC_ACT_OK);
	printf("%s %.1f\n", name,
	       run_tc(skel->progs.stage_tc_all, &packet, ifindex, TC_ACT_REDIRECT) - nothing);
	stages_bpf__destroy(skel);
}

static void dropped(const char *name, const struct pg_spec *spec, uint32_t ifindex)
{
	struct pg_packet packet;
	struct stages_bpf *skel;
	double nothing;

	pg_build(spec, &packet);
	skel = load(&packet);
	nothing = run_xdp(skel->progs.stage_xdp_nothing, &packet, ifindex, XDP_PASS);
	printf("%s %.1f\n", name,
	       run_xdp(skel->progs.stage_xdp_all, &packet, ifindex, XDP_DROP) - nothing);
	stages_bpf__destroy(skel);
}

#define COLOUR_ROUNDS 7

/* A packet of the common path, its path watched or not; no mark is due. */
static double coloured(const struct stages_bpf *skel, const struct pg_packet *packet, bool watched)
{
	struct fl_path *path = &world.t->paths[W_PATH4];
	double ns;

	path->tx_flags = watched ? FL_TX_FPM : 0;
	for (int scope = 0; scope < FL_PATH_SCOPES; scope++)
		path->fpm_due[scope] = ~0ull;
	ns = run_xdp(skel->progs.stage_xdp_all, packet, world.lan_ifindex, XDP_REDIRECT);
	path->tx_flags = 0;
	return ns;
}

/*
 * What performance monitoring costs a packet that is not marked, as part of what its program costs:
 * median of pairs, measured one after the other because the machine's speed wanders.
 */
static void colouring(void)
{
	double cost[COLOUR_ROUNDS], percent[COLOUR_ROUNDS];
	struct pg_packet packet;
	struct stages_bpf *skel;

	pg_build(&from_lan, &packet);
	skel = load(&packet);
	for (int i = 0; i < COLOUR_ROUNDS; i++) {
		double nothing = run_xdp(skel->progs.stage_xdp_nothing, &packet, world.lan_ifindex,
					 XDP_PASS);
		double off = coloured(skel, &packet, false), on = coloured(skel, &packet, true);

		cost[i] = on - off;
		percent[i] = 100 * (on - off) / (off - nothing);
	}
	qsort(cost, COLOUR_ROUNDS, sizeof(*cost), by_value);
	qsort(percent, COLOUR_ROUNDS, sizeof(*percent), by_value);
	printf("fpm-unmarked %.2f\nfpm-unmarked-percent %.2f\n", cost[COLOUR_ROUNDS / 2],
	       percent[COLOUR_ROUNDS / 2]);
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
	whole("ipv6-lan-to-peer", &from_lan6, world.lan_ifindex, false);
	whole("full-path", &from_lan, world.lan_ifindex, true);
	colouring();
	by_tc("tc-lan-to-peer", &from_lan, world.lan_ifindex);
	by_tc("tc-peer-to-lan", &from_peer, world.wan_ifindex);
	dropped("dropped", &unknown, world.lan_ifindex);
	world_reset(&world);
	world_session(&world, &session_tcp);
	whole("tcp-lan-to-peer", &from_lan_tcp, world.lan_ifindex, false);
	world_close(&world);
	return 0;
}
