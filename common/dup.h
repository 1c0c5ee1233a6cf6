/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Packet duplication (svr-protocol.md 6.4, P-42): a session's packets are numbered, travel by
 * several paths to the same peer, and the peer lets the first copy of each number by. This is the
 * state of one side of such a session, and the rule by which numbers are let by. It lives in a map
 * of its own, so that other sessions do not pay for it.
 *
 * All of it is written by the data plane's code, under the lock; the agent asks for it
 * (bpf/query.bpf.c), so that a packet which it had to look at counts like any other.
 */
#ifndef FL_COMMON_DUP_H
#define FL_COMMON_DUP_H

#include "common/meta_wire.h"
#include "common/types.h"

#ifndef __VMLINUX_H__
#include <linux/bpf.h>
#endif

#define FL_DUP_WINDOW    1024  /* numbers, the highest one included */
#define FL_DUP_JUMP      65536 /* farther ahead is no gap any more */
#define FL_DUP_RESYNC_MS 5000  /* unless the other side was silent for so long */
#define FL_DUP_WAYS      4     /* paths that a session's copies take at most: chosen */
#define FL_DUP_MAX       65536 /* sides of sessions carried in copies: chosen */
#define FL_DUP_WORDS     (FL_DUP_WINDOW / 64)

/* A session's side: toward its initiator, toward its responder. */
enum fl_dup_end {
	FL_DUP_IN = 0,
	FL_DUP_OUT = 1,
};

struct fl_dup_key {
	__u32 session;
	__u32 side; /* enum fl_dup_end */
};

struct fl_dup {
	struct bpf_spin_lock lock;
	__u32 sent;    /* number of the last packet to the peer; 0: none yet */
	__u32 highest; /* highest number let by */
	__u32 heard_ms;
	__u64 seen[FL_DUP_WORDS]; /* bit by number, modulo the window */
	__u16 path[FL_DUP_WAYS];  /* packets may come by these; 0 = none */
	__u8 ready;               /* bit by path: the peer knows the session there, copies go */
	__u8 heard;               /* highest and seen hold something */
	__u8 reserved[6];
} FL_ALIGNED(8);
FL_ASSERT_SIZE(struct fl_dup, 160);

enum fl_dup_verdict {
	FL_DUP_NEW = 0,
	FL_DUP_AGAIN,   /* another copy was let by */
	FL_DUP_OUTSIDE, /* behind the window, or implausibly far ahead */
};

/* The block that every packet of such a session carries when it needs no other (2.2, TLV 0x8001).
 */
struct fl_dup_block {
	__u8 cookie[8];
	__be16 ver_hlen;
	__be16 plen;
	__be16 type;
	__be16 len;
	__be32 seq;
} FL_WIRE;
FL_ASSERT_SIZE(struct fl_dup_block, 20);

#define FL_DUP_VER_HLEN (FL_META_VERSION << 12 | (int)sizeof(struct fl_dup_block))

/* What the agent asks: @op by @key; @value is a sequence number, a path, or a mask. */
enum fl_dup_op {
	FL_DUP_ASK_NEXT = 1, /* answer: number for a packet to the peer */
	FL_DUP_ASK_CHECK,    /* value: number that came; answer: enum fl_dup_verdict */
	FL_DUP_ASK_RESTART,  /* value: number that came of a peer that counts anew; answer: 0 */
	FL_DUP_ASK_PATHS,    /* paths, ready: as given; answer: 0 */
};

struct fl_dup_ask {
	__u8 link[16]; /* a test run's data starts with a link header */
	struct fl_dup_key key;
	__u32 op; /* enum fl_dup_op */
	__u32 seq;
	__u16 path[FL_DUP_WAYS];
	__u8 ready;
	__u8 reserved[3];
	__u32 answer;
};
FL_ASSERT_SIZE(struct fl_dup_ask, 48);

/* Bits @lo to @hi of a word. */
static __always_inline __u64 fl_dup_bits(__u32 lo, __u32 hi)
{
	return (~0ULL << (lo & 63)) & (~0ULL >> (63 - (hi & 63)));
}

/* Numbers @from to @to, fewer than the window, have not been seen. */
static __always_inline void fl_dup_clear(struct fl_dup *dup, __u32 from, __u32 to)
{
	__u32 words = ((to >> 6) - (from >> 6)) & (~0U >> 6); /* numbers wrap, and so do words */

	for (__u32 i = 0; i <= FL_DUP_WORDS; i++) {
		__u32 word = ((from >> 6) + i) & (FL_DUP_WORDS - 1);

		dup->seen[word] &= ~fl_dup_bits(i ? 0 : from, i == words ? to : 63);
		if (i == words)
			break;
	}
}

/* Count anew from @seq. */
static __always_inline void fl_dup_restart(struct fl_dup *dup, __u32 seq, __u32 now_ms)
{
	for (__u32 i = 0; i < FL_DUP_WORDS; i++)
		dup->seen[i] = 0;
	dup->seen[seq >> 6 & (FL_DUP_WORDS - 1)] = 1ULL << (seq & 63);
	dup->highest = seq;
	dup->heard_ms = now_ms;
	dup->heard = 1;
}

/**
 * fl_dup_check() - may a packet with this number pass?
 * @seq:    as it came, host order; compared like serial numbers, so it may wrap (RFC 1982)
 * @now_ms: any clock of milliseconds
 *
 * The caller holds the lock. A number that passes is marked as seen.
 *
 * Return: enum fl_dup_verdict. Source: P-42.
 */
static __always_inline enum fl_dup_verdict fl_dup_check(struct fl_dup *dup, __u32 seq, __u32 now_ms)
{
	__u32 ahead = seq - dup->highest, behind = dup->highest - seq;
	__u32 word = seq >> 6 & (FL_DUP_WORDS - 1);
	__u64 bit = 1ULL << (seq & 63);

	if (!dup->heard) {
		fl_dup_restart(dup, seq, now_ms);
		return FL_DUP_NEW;
	}
	if (behind < FL_DUP_WINDOW) {
		if (dup->seen[word] & bit)
			return FL_DUP_AGAIN;
	} else if (ahead > 0x7fffffff) {
		return FL_DUP_OUTSIDE;
	} else if (ahead > FL_DUP_JUMP) {
		if (now_ms - dup->heard_ms < FL_DUP_RESYNC_MS)
			return FL_DUP_OUTSIDE;
		fl_dup_restart(dup, seq, now_ms);
		return FL_DUP_NEW;
	} else if (ahead >= FL_DUP_WINDOW) {
		fl_dup_restart(dup, seq, now_ms);
		return FL_DUP_NEW;
	} else {
		fl_dup_clear(dup, dup->highest + 1, seq);
		dup->highest = seq;
	}
	dup->seen[word] |= bit;
	dup->heard_ms = now_ms;
	return FL_DUP_NEW;
}

/* Number for the next packet; 0 is for packets without user data, which no window counts. */
static __always_inline __u32 fl_dup_next(struct fl_dup *dup)
{
	dup->sent++;
	if (!dup->sent)
		dup->sent = 1;
	return dup->sent;
}

#endif
