/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Ones' complement sums of 16-bit words as they stand in memory (RFC 1071), and their incremental
 * update (RFC 1624 equation 3). No value here is byte-swapped; a port in host order goes through
 * FL_BE16 first.
 */
#ifndef FL_COMMON_CSUM_H
#define FL_COMMON_CSUM_H

#include "common/types.h"

/* Fold a 32-bit accumulator to 16 bits. */
static __always_inline __u16 fl_csum_fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)(sum + (sum >> 16));
}

static __always_inline __u16 fl_csum_add(__u16 a, __u16 b)
{
	return fl_csum_fold((__u32)a + b);
}

static __always_inline __u16 fl_csum_sub(__u16 a, __u16 b)
{
	return fl_csum_fold((__u32)a + (__u16)~b);
}

/* Sum of a 32-bit and of a 128-bit quantity in memory order, both 2-byte aligned or better. */
static __always_inline __u16 fl_csum_u32(__u32 v)
{
	return fl_csum_fold((v & 0xffff) + (v >> 16));
}

static __always_inline __u16 fl_csum_addr6(const __u8 addr[16])
{
	const fl_u32_una *w = (const fl_u32_una *)addr;
	__u64 sum = (__u64)w[0] + w[1] + w[2] + w[3];

	sum = (sum & 0xffffffff) + (sum >> 32);
	return fl_csum_u32((__u32)((sum & 0xffffffff) + (sum >> 32)));
}

static __always_inline __u16 fl_csum_addr4(const __u8 addr[4])
{
	return fl_csum_u32(*(const fl_u32_una *)addr);
}

/**
 * fl_csum_update() - checksum field after the data it covers changed
 * @check: field as on the wire
 * @delta: ones' complement sum of the new words minus that of the old ones, folded or not
 */
static __always_inline __u16 fl_csum_update(__u16 check, __u32 delta)
{
	return (__u16)~fl_csum_fold((__u16)~check + delta);
}

#endif
