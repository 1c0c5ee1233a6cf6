/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Integer types and annotations that mean the same in the data plane and in user space.
 * The data plane takes its types from vmlinux.h (include it first), user space from the kernel's
 * UAPI headers.
 */
#ifndef FL_COMMON_TYPES_H
#define FL_COMMON_TYPES_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#else
#ifndef NULL
#define NULL ((void *)0)
#endif
#ifndef offsetof
#define offsetof(type, member) __builtin_offsetof(type, member)
#endif
#endif

/* One byte on both sides, and bpftool prints the enumerator's name. */
#define FL_ENUM8 __attribute__((packed))

#define FL_ALIGNED(n) __attribute__((aligned(n)))

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/*
 * Every struct that crosses the kernel/user border asserts its size: a hole or a different
 * compiler's opinion of an enum fails the build, not the session table.
 */
#define FL_ASSERT_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type " changed size")

/*
 * Keep a pointer in its register as it is. Without it clang folds "packet + offset + size" into one
 * sum for the bounds check and another for the access, and the verifier (6.1 to 6.18, clang 14) no
 * longer sees that the one covers the other.
 */
#ifdef __bpf__
#define FL_KEEP(ptr) asm volatile("" : "+r"(ptr))
#else
#define FL_KEEP(ptr) ((void)(ptr))
#endif

/*
 * Packet fields may lie at any address. In user space that has to be said (FL_WIRE on a struct, the
 * *_una types for a load); in BPF it must not be, since clang would then load byte by byte, and
 * the machines that the data plane runs on load unaligned words.
 */
#ifdef __bpf__
#define FL_WIRE
#define FL_UNALIGNED
#else
#define FL_WIRE      __attribute__((packed))
#define FL_UNALIGNED , aligned(1)
#endif

typedef __u16 fl_u16_una __attribute__((may_alias FL_UNALIGNED));
typedef __u32 fl_u32_una __attribute__((may_alias FL_UNALIGNED));
typedef __u64 fl_u64_una __attribute__((may_alias FL_UNALIGNED));
/* The same for memory that is known to be aligned: one instruction, also in BPF. */
typedef __u32 fl_u32_al __attribute__((may_alias));
typedef __u64 fl_u64_al __attribute__((may_alias));

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "slot keys are compared as little-endian words (common/flow.h): big-endian machines are not supported"
#endif
#define FL_BE16(x)   ((__be16)__builtin_bswap16((__u16)(x)))
#define FL_BE32(x)   ((__be32)__builtin_bswap32((__u32)(x)))
#define FL_HOST16(x) __builtin_bswap16((__u16)(x))
#define FL_HOST32(x) __builtin_bswap32((__u32)(x))

#endif
