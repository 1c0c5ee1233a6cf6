/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Inline performance monitoring in the maps that data plane and agent share: settings and keys of a
 * path, which the agent writes, and the scopes, which the data plane writes under their lock.
 */
#ifndef FL_COMMON_FPM_MAP_H
#define FL_COMMON_FPM_MAP_H

#include "common/flow.h"
#include "common/fpm.h"
#include "common/limits.h"
#include "common/meta_wire.h"

#ifndef __VMLINUX_H__
#include <linux/bpf.h> /* struct bpf_spin_lock */
#endif

/* A block with nothing but TLV 26 (svr-protocol.md 4). */
#define FL_FPM_BLOCK_LEN (FL_META_BASE_LEN + FL_TLV_HEAD_LEN + FL_TLV_METRICS_LEN)

/* --- scopes ----------------------------------------------------------------------------------- */

enum fl_fpm_class {
	FL_FPM_HIGH = 0,
	FL_FPM_MEDIUM,
	FL_FPM_LOW,
	FL_FPM_BEST_EFFORT,
	FL_FPM_CLASSES,
} FL_ENUM8;

enum fl_fpm_proto {
	FL_FPM_UDP = 0,
	FL_FPM_TCP,
	FL_FPM_PROTOS,
} FL_ENUM8;

_Static_assert(FL_FPM_CLASSES *FL_FPM_PROTOS == FL_PATH_SCOPES, "scopes of a path");

#define FL_DSCP_CS1 8
#define FL_DSCP_CS3 24
#define FL_DSCP_CS5 40

/*
 * Traffic class of a packet, by its DSCP (RFC 2474 4.2.2): both ends see the same one, which
 * routers copy outward, as long as nobody under way changes it. Chosen: CS5 to CS7 and EF are high,
 * CS3, CS4, AF3x and AF4x medium, CS2, AF1x and AF2x low; CS1 is for what may wait (RFC 3662), like
 * everything else. A constant if @tos is one.
 */
#define FL_FPM_CLASS(tos)                                                                          \
	((tos) >> 2 >= FL_DSCP_CS5   ? FL_FPM_HIGH                                                 \
	 : (tos) >> 2 >= FL_DSCP_CS3 ? FL_FPM_MEDIUM                                               \
	 : (tos) >> 2 > FL_DSCP_CS1  ? FL_FPM_LOW                                                  \
				     : FL_FPM_BEST_EFFORT)

static __always_inline enum fl_fpm_class fl_fpm_class(__u8 tos)
{
	return FL_FPM_CLASS(tos);
}

/* Index of a scope in its path. @proto: number in the IP header, TCP or UDP. */
static __always_inline __u32 fl_fpm_scope_of(__u8 tos, __u8 proto)
{
	return (__u32)fl_fpm_class(tos) * FL_FPM_PROTOS +
	       (proto == FL_IPPROTO_TCP ? FL_FPM_TCP : FL_FPM_UDP);
}

/* Index of a scope in fl_fpm_scopes. */
static __always_inline __u32 fl_fpm_slot_of(__u32 path, __u32 scope)
{
	return path * FL_PATH_SCOPES + scope;
}

/* Data plane only, under the lock. */
struct fl_fpm_slot {
	struct bpf_spin_lock lock;
	__u32 session; /* that last brought a mark; 0: none yet */
	struct fl_fpm_scope scope;
};
FL_ASSERT_SIZE(struct fl_fpm_slot, 872);

/* Data of the program fl_fpm_reply, which takes the mark of a generated packet from a scope. */
struct fl_fpm_reply {
	__u32 slot;
	__u32 reserved;
	struct fl_fpm_mark mark;
};

/* What it returns if the scope owed one; its other value is 0. */
#define FL_FPM_REPLY_OWED 1

/* Data of the program fl_fpm_heard: a mark that came with metadata, which the agent has read. */
struct fl_fpm_heard {
	__u32 slot;
	__u32 session; /* 0: not known */
	struct fl_fpm_mark mark;
};

/* Of a path; agent. */
struct fl_fpm_path {
	struct fl_fpm_cfg cfg;
	__u64 jiffy_ns;
};
FL_ASSERT_SIZE(struct fl_fpm_path, 24);

/* --- keys ------------------------------------------------------------------------------------- */

#define FL_MAC_WINDOW_NS 2000000000ull /* P-11 */
#define FL_MAC_RX_KEYS   3

enum fl_mac_mode {
	FL_MAC_UNABLE = 0, /* no key, or an algorithm that is left to the agent */
	FL_MAC_DISABLED,
	FL_MAC_REGULAR,
	FL_MAC_TIMED,
} FL_ENUM8;

/* States of SHA-256 behind the key's inner and outer pad. A secret. */
struct fl_mac_key {
	__u32 inner[8];
	__u32 outer[8];
};

/* How packets of a path are proven; agent. The map can be read by root only, like the programs. */
struct fl_path_keys {
	struct fl_mac_key tx;
	struct fl_mac_key rx[FL_MAC_RX_KEYS]; /* current, previous, next: as far as accepted */
	enum fl_mac_mode tx_mode;
	enum fl_mac_mode rx_mode;
	__u8 tx_len; /* bytes: 0, 16 or 32 */
	__u8 rx_len;
	__u8 rx_keys;
	__u8 reserved[3];
};
FL_ASSERT_SIZE(struct fl_path_keys, 264);

#endif
