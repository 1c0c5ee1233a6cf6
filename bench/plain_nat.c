// SPDX-License-Identifier: Apache-2.0
/*
 * A router that is nothing but double NAT (plain_nat.bpf.c), with the sessions that `router` has,
 * between the same devices. Commands and answers as there.
 *
 * usage: build/bench/plain_nat LAN WAN SESSIONS
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/blast.h"
#include "bench/plain_nat.h"
#include "common/csum.h"
#include "common/hdr.h"
#include "plain_nat.skel.h"

#define MACS "\x02\x00\x00\x00\x02\xff\x02\x00\x00\x00\x02" /* sinks take any */

struct router {
	struct plain_nat_bpf *skel;
	struct bpf_link *link[2];
	int lan;
	int wan;
};

static void die(const char *what)
{
	fprintf(stderr, "plain_nat: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t pair(uint32_t src, const char *dst)
{
	const uint32_t addrs[2] = { htonl(src), inet_addr(dst) };
	uint64_t word;

	memcpy(&word, addrs, sizeof(word));
	return word;
}

static uint32_t ports(unsigned int sport, unsigned int dport)
{
	const uint16_t both[2] = { htons((uint16_t)sport), htons((uint16_t)dport) };
	uint32_t word;

	memcpy(&word, both, sizeof(word));
	return word;
}

static uint16_t sum64(uint64_t v)
{
	return fl_csum_add(fl_csum_u32((uint32_t)v), fl_csum_u32((uint32_t)(v >> 32)));
}

/* Session @n is the one of blast's flow @n; its pair of ports is that of `router`. */
static void add_session(struct router *r, uint32_t n)
{
	const struct plain_nat_key key = {
		.addrs = pair(0x0a010064 + (n >> BLAST_PORT_BITS), "10.2.0.2"),
		.ports = ports(BLAST_PORT + (n & ((1 << BLAST_PORT_BITS) - 1)), 9),
		.proto = FL_IPPROTO_UDP,
	};
	struct plain_nat_flow flow = {
		.addrs = pair(0xc6336401, "198.51.100.2"),
		.macs = MACS,
		.ports = ports(16384 + 2 * (n % 16384), 16385 + 2 * ((n + n / 16384) % 16384)),
	};
	const uint16_t addrs = fl_csum_sub(sum64(flow.addrs), sum64(key.addrs));

	flow.ip_delta = fl_csum_sub(addrs, htons(0x0100)); /* and one hop */
	flow.udp_delta =
		fl_csum_add(addrs, fl_csum_sub(fl_csum_u32(flow.ports), fl_csum_u32(key.ports)));
	if (bpf_map__update_elem(r->skel->maps.plain_nat_flows, &key, sizeof(key), &flow,
				 sizeof(flow), BPF_NOEXIST))
		die("a session");
}

static int attach(struct router *r)
{
	r->link[0] = bpf_program__attach_xdp(r->skel->progs.plain_nat, r->lan);
	r->link[1] = bpf_program__attach_xdp(r->skel->progs.plain_nat_out, r->wan);
	return r->link[0] && r->link[1] ? 0 : -errno;
}

static void detach(struct router *r)
{
	for (int i = 0; i < 2; i++) {
		bpf_link__destroy(r->link[i]);
		r->link[i] = NULL;
	}
}

int main(int argc, char **argv)
{
	struct router r = { 0 };
	uint32_t zero = 0;
	char line[64];

	if (argc != 4) {
		fprintf(stderr, "usage: plain_nat LAN WAN SESSIONS\n");
		return 2;
	}
	r.lan = (int)if_nametoindex(argv[1]);
	r.wan = (int)if_nametoindex(argv[2]);
	r.skel = plain_nat_bpf__open_and_load();
	if (!r.skel || bpf_map__update_elem(r.skel->maps.plain_nat_port, &zero, sizeof(zero),
					    &r.wan, sizeof(r.wan), BPF_ANY))
		die("the program");
	for (int n = 0; n < atoi(argv[3]); n++)
		add_session(&r, (uint32_t)n);
	printf("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		int err = 0;

		if (!strncmp(line, "attach", 6))
			err = attach(&r);
		else
			detach(&r);
		printf(err ? "failed\n" : "ok\n");
		fflush(stdout);
	}
	detach(&r);
	plain_nat_bpf__destroy(r.skel);
	return 0;
}
