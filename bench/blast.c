// SPDX-License-Identifier: Apache-2.0
/*
 * Sends 64-byte UDP packets of many flows from a device in one namespace as fast as the way to a
 * device in another takes them, and says how many a second arrived there. Runs on one CPU, with all
 * that the packets cause.
 *
 * usage: build/bench/blast OPTION...       (see usage())
 */
/* The skeleton needs the structs. */
#include "bench/blast.h"

#include <arpa/inet.h>
#include <blast.skel.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/csum.h"
#include "common/hdr.h"

#define FRAME 60 /* 64 with the checksum that a wire adds */
#define PROBE 100000

struct options {
	const char *from_ns, *from_dev, *to_ns, *to_dev;
	const char *dmac, *src, *dst, *order;
	unsigned int dport, flows, cpu;
	double seconds;
	uint64_t count; /* send just so many; 0: by time */
	bool reflect;
	bool sink_only; /* attach the sink and wait for the end of the standard input */
};

static void usage(void)
{
	fprintf(stderr,
		"usage: blast --from NETNS:DEV --to NETNS:DEV --dmac MAC --dst ADDRESS\n"
		"             [--src ADDRESS] [--dport N] [--flows N] [--order FILE]\n"
		"             [--seconds S | --count N] [--reflect] [--cpu N] [--sink-only]\n");
	exit(2);
}

static void die(const char *what)
{
	fprintf(stderr, "blast: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void enter(const char *ns)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", ns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		die(ns);
	close(fd);
}

static void split(char *arg, const char **ns, const char **dev)
{
	char *colon = strchr(arg, ':');

	if (!colon)
		usage();
	*colon = 0;
	*ns = arg;
	*dev = colon + 1;
}

enum {
	OPT_FROM = 1,
	OPT_TO,
	OPT_DMAC,
	OPT_SRC,
	OPT_DST,
	OPT_DPORT,
	OPT_FLOWS,
	OPT_ORDER,
	OPT_SECONDS,
	OPT_COUNT,
	OPT_REFLECT,
	OPT_CPU,
	OPT_SINK
};

static const struct option long_options[] = {
	{ "from", required_argument, NULL, OPT_FROM },
	{ "to", required_argument, NULL, OPT_TO },
	{ "dmac", required_argument, NULL, OPT_DMAC },
	{ "src", required_argument, NULL, OPT_SRC },
	{ "dst", required_argument, NULL, OPT_DST },
	{ "dport", required_argument, NULL, OPT_DPORT },
	{ "flows", required_argument, NULL, OPT_FLOWS },
	{ "order", required_argument, NULL, OPT_ORDER },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "count", required_argument, NULL, OPT_COUNT },
	{ "reflect", no_argument, NULL, OPT_REFLECT },
	{ "cpu", required_argument, NULL, OPT_CPU },
	{ "sink-only", no_argument, NULL, OPT_SINK },
	{ 0 },
};

static void set_option(struct options *o, int opt, char *arg)
{
	switch (opt) {
	case OPT_FROM:
		split(arg, &o->from_ns, &o->from_dev);
		break;
	case OPT_TO:
		split(arg, &o->to_ns, &o->to_dev);
		break;
	case OPT_DMAC:
		o->dmac = arg;
		break;
	case OPT_SRC:
		o->src = arg;
		break;
	case OPT_DST:
		o->dst = arg;
		break;
	case OPT_DPORT:
		o->dport = (unsigned int)atoi(arg);
		break;
	case OPT_FLOWS:
		o->flows = (unsigned int)atoi(arg);
		break;
	case OPT_ORDER:
		o->order = arg;
		break;
	case OPT_SECONDS:
		o->seconds = atof(arg);
		break;
	case OPT_COUNT:
		o->count = strtoull(arg, NULL, 10);
		break;
	case OPT_REFLECT:
		o->reflect = true;
		break;
	case OPT_CPU:
		o->cpu = (unsigned int)atoi(arg);
		break;
	case OPT_SINK:
		o->sink_only = true;
		break;
	default:
		usage();
	}
}

static void parse_args(int argc, char **argv, struct options *o)
{
	int opt;

	*o = (struct options){
		.src = "10.1.0.100", .dport = 9, .flows = 1, .seconds = 1, .cpu = 0
	};
	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		set_option(o, opt, optarg);
	if (optind != argc || !o->to_ns ||
	    (!o->sink_only && (!o->from_ns || !o->dmac || !o->dst)) || !o->flows ||
	    o->flows > BLAST_MAX_FLOWS)
		usage();
}

/* --- the packet ------------------------------------------------------------------------------- */

/* Sum of a header that is known to have an even length. */
static uint32_t sum_words(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] | (uint32_t)p[i + 1] << 8;
	return fl_csum_fold(sum);
}

static void put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void build(const struct options *o, struct blast_cfg *cfg)
{
	unsigned int mac[6], total = FRAME - 14, udp = total - 20;
	uint8_t *h = cfg->headers;
	uint32_t pseudo;

	if (sscanf(o->dmac, "%x:%x:%x:%x:%x:%x", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
		   &mac[5]) != 6)
		usage();
	for (int i = 0; i < 6; i++)
		h[i] = (uint8_t)mac[i];
	h[6] = 2; /* a sender's MAC matters to nobody */
	h[11] = 1;
	put16(h + 12, 0x0800);
	h[14] = 0x45;
	put16(h + 16, total);
	h[22] = 64;
	h[23] = FL_IPPROTO_UDP;
	if (inet_pton(AF_INET, o->src, h + 26) != 1 || inet_pton(AF_INET, o->dst, h + 30) != 1)
		usage();
	cfg->saddr_low = (uint16_t)(h[28] << 8 | h[29]);
	h[28] = 0;
	h[29] = 0;
	put16(h + 36, o->dport);
	put16(h + 38, udp);
	cfg->ip_sum = sum_words(h + 14, 20);
	/* Pseudo header: addresses, protocol, length; then the header. The payload is zero. */
	pseudo = sum_words(h + 26, 8) + (uint32_t)FL_BE16(FL_IPPROTO_UDP) + (uint32_t)FL_BE16(udp);
	cfg->udp_sum = fl_csum_fold(pseudo + sum_words(h + 34, 8));
	cfg->flows = o->flows;
	cfg->ordered = o->order != NULL;
	while (1u << cfg->flow_bits < o->flows)
		cfg->flow_bits++;
}

/* --- the order of flows ----------------------------------------------------------------------- */

/* From a file of 32-bit numbers. */
static void fill_order(const struct options *o, struct blast_bpf *skel)
{
	size_t bytes = (size_t)o->flows * sizeof(uint64_t);
	uint64_t *order = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
			       bpf_map__fd(skel->maps.blast_order), 0);
	FILE *f = fopen(o->order, "re");
	uint32_t flow;

	if (order == MAP_FAILED)
		die("mmap");
	for (uint32_t i = 0; i < o->flows; i++) {
		if (!f || fread(&flow, sizeof(flow), 1, f) != 1)
			die(o->order);
		order[i] = flow;
	}
	fclose(f);
	munmap(order, bytes);
}

/* --- running ---------------------------------------------------------------------------------- */

/* Packets of one length at the sink. */
static uint64_t counted(struct blast_bpf *skel, uint32_t len)
{
	uint64_t values[256] = { 0 }, sum = 0;

	if (bpf_map_lookup_elem(bpf_map__fd(skel->maps.blast_count), &len, values))
		die("count");
	for (int i = 0; i < libbpf_num_possible_cpus(); i++)
		sum += values[i];
	return sum;
}

/* Packets that are still under way arrive. */
static uint64_t settled(struct blast_bpf *skel, uint32_t len)
{
	uint64_t last = counted(skel, len), now;

	for (int i = 0; i < 100; i++) {
		usleep(20000);
		now = counted(skel, len);
		if (now == last)
			break;
		last = now;
	}
	return last;
}

/* The length that most packets have. */
static uint32_t usual_length(struct blast_bpf *skel)
{
	uint32_t best = 0;

	usleep(100000);
	for (uint32_t len = 1; len < BLAST_LENGTHS; len++)
		if (counted(skel, len) > counted(skel, best))
			best = len;
	return best;
}

static int send_packets(struct blast_bpf *skel, uint64_t count)
{
	uint8_t frame[FRAME] = { 0 };
	struct xdp_md ctx = { .data_end = sizeof(frame) };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = (int)count,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = 64);

	skel->bss->sent.packets = 0;
	skel->bss->sent.total = count;
	return bpf_prog_test_run_opts(bpf_program__fd(skel->progs.blast_send), &opts);
}

static struct blast_bpf *load(const struct options *o, const struct blast_cfg *cfg)
{
	struct blast_bpf *skel = blast_bpf__open();

	if (!skel)
		die("open");
	skel->rodata->cfg = *cfg;
	skel->rodata->reflect = o->reflect;
	if (blast_bpf__load(skel))
		die("load");
	if (o->order)
		fill_order(o, skel);
	enter(o->to_ns);
	if (bpf_xdp_attach((int)if_nametoindex(o->to_dev), bpf_program__fd(skel->progs.blast_sink),
			   XDP_FLAGS_DRV_MODE, NULL))
		die("attach the sink");
	if (o->from_ns)
		enter(o->from_ns);
	return skel;
}

static void unload(const struct options *o, struct blast_bpf *skel)
{
	enter(o->to_ns);
	bpf_xdp_detach((int)if_nametoindex(o->to_dev), XDP_FLAGS_DRV_MODE, NULL);
	if (o->from_ns)
		enter(o->from_ns);
	blast_bpf__destroy(skel);
}

static int by_time(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/*
 * Nanoseconds a packet of the quickest tenth of the last run's slices: what disturbs one
 * (neighbours, interrupts) only makes it longer. 0 if the run was shorter than ten.
 */
static double quickest(struct blast_bpf *skel)
{
	static uint64_t ns[BLAST_SLICES];
	uint32_t count = (uint32_t)(skel->bss->sent.packets / BLAST_SLICE);
	double sum = 0;

	if (count > BLAST_SLICES)
		count = BLAST_SLICES;
	for (uint32_t i = 0; i < count; i++)
		if (bpf_map_lookup_elem(bpf_map__fd(skel->maps.blast_slices), &i, &ns[i]))
			die("slices");
	qsort(ns, count, sizeof(*ns), by_time);
	for (uint32_t i = 0; i < count / 10; i++)
		sum += (double)ns[i];
	return count < 10 ? 0 : sum / (count / 10) / BLAST_SLICE;
}

static double seconds_taken(const struct blast_bpf *skel)
{
	return (double)(skel->bss->sent.end_ns - skel->bss->sent.start_ns) / 1e9;
}

/* By time: a first run finds out how many packets that is. */
static uint64_t packets_for(const struct options *o, struct blast_bpf *skel)
{
	if (o->count)
		return o->count;
	if (send_packets(skel, PROBE))
		die("live frames");
	return (uint64_t)(o->seconds * PROBE / seconds_taken(skel));
}

static void run(const struct options *o, struct blast_cfg *cfg)
{
	uint64_t total, before, got;
	struct blast_bpf *skel;
	double took;

	enter(o->from_ns);
	cfg->ifindex = if_nametoindex(o->from_dev);
	skel = load(o, cfg);
	total = packets_for(o, skel);
	before = settled(skel, FRAME);
	if (send_packets(skel, total))
		die("live frames");
	took = seconds_taken(skel);
	got = settled(skel, FRAME) - before;
	printf("{\"sent\":%llu,\"received\":%llu,\"seconds\":%.6f,\"pps\":%.0f,\"ns\":%.2f,"
	       "\"quickest_ns\":%.2f}\n",
	       (unsigned long long)total, (unsigned long long)got, took, (double)got / took,
	       took * 1e9 / (double)(got ? got : 1), quickest(skel));
	unload(o, skel);
}

static void wait_for_end(const struct options *o, const struct blast_cfg *cfg)
{
	struct blast_bpf *skel = load(o, cfg);
	char line[64];

	printf("ready\n");
	fflush(stdout);
	/* A length asks how many there are of it, anything else which length most have. */
	while (fgets(line, sizeof(line), stdin)) {
		uint32_t len = (uint32_t)atoi(line);

		if (len >= BLAST_LENGTHS)
			len = 0;
		printf("%llu\n",
		       (unsigned long long)(len ? settled(skel, len) : usual_length(skel)));
		fflush(stdout);
	}
	unload(o, skel);
}

int main(int argc, char **argv)
{
	struct blast_cfg cfg = { 0 };
	struct options o;
	cpu_set_t cpus;

	parse_args(argc, argv, &o);
	CPU_ZERO(&cpus);
	CPU_SET(o.cpu, &cpus);
	if (!o.sink_only && sched_setaffinity(0, sizeof(cpus), &cpus) < 0)
		die("affinity");
	if (o.sink_only) {
		wait_for_end(&o, &cfg);
		return 0;
	}
	build(&o, &cfg);
	run(&o, &cfg);
	return 0;
}
