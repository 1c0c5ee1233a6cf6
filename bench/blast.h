/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the packet generator (blast.c) tells its programs (blast.bpf.c). */
#ifndef FL_BENCH_BLAST_H
#define FL_BENCH_BLAST_H

#include "common/types.h"

#define BLAST_MAX_FLOWS (1 << 20)

/* Flow n comes from address base + (n >> 14), port BLAST_PORT + (n & 0x3fff). */
#define BLAST_PORT_BITS 14
#define BLAST_PORT      10000

/*
 * Times are taken once in so many packets; longer runs keep the last slices. A slice is all of 16 k
 * flows: the quickest of shorter ones would be those whose flows happen to be in the cache.
 */
#define BLAST_SLICE  16384
#define BLAST_SLICES 2048

#define BLAST_LENGTHS 2048 /* frames are counted by their length */

#define BLAST_HEADERS 42 /* Ethernet, IPv4 without options, UDP */

struct blast_cfg {
	__u8 headers[BLAST_HEADERS]; /* with flow 0 in them; ports and checksums are filled in */
	__u16 saddr_low;             /* host order */
	__u32 ip_sum;                /* ones' complement sums without what changes, memory order */
	__u32 udp_sum;
	__u32 ifindex;   /* device to send on */
	__u32 flows;     /* to go through, again and again */
	__u32 flow_bits; /* that their numbers have */
	__u32 ordered;   /* by blast_order */
};
FL_ASSERT_SIZE(struct blast_cfg, 68);

struct blast_sent {
	__u64 total; /* packets of this run, set before */
	__u64 packets;
	__u64 start_ns; /* of the first and of the last packet */
	__u64 end_ns;
	__u64 next;     /* place in the order */
	__u64 slice_ns; /* when the present slice began */
};

#endif
