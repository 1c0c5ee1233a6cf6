/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What plain_nat.c tells its program (plain_nat.bpf.c). Byte order is the wire's. */
#ifndef FL_BENCH_PLAIN_NAT_H
#define FL_BENCH_PLAIN_NAT_H

#include "common/types.h"

#define PLAIN_NAT_MAX_FLOWS (1 << 20)

struct plain_nat_key {
	__u64 addrs; /* source, destination */
	__u32 ports;
	__u32 proto;
};
FL_ASSERT_SIZE(struct plain_nat_key, 16);

struct plain_nat_flow {
	__u64 addrs;
	__u32 ports;
	__u16 ip_delta; /* ones' complement sums of new less old words; that of IP with the TTL */
	__u16 udp_delta;
	__u8 macs[12];
	__u32 last_seen;
	__u64 packets;
	__u64 bytes;
};
FL_ASSERT_SIZE(struct plain_nat_flow, 48);

#endif
