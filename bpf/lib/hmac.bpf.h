/* SPDX-License-Identifier: GPL-2.0 */
/*
 * HMAC-SHA-256 of packets (svr-protocol.md 2.8, RFC 2104, FIPS 180-4), for the few that the data
 * plane makes or proves itself. It costs microseconds: never on the path of every packet. Include a
 * context layer first.
 *
 * The stack is too small for a message schedule and its padding: they lie in a map, one for each
 * CPU and object.
 */
#ifndef FL_BPF_HMAC_H
#define FL_BPF_HMAC_H

#include "bpf/maps.bpf.h"
#include "common/fpm_map.h"

#define FL_SHA_BLOCK     64
#define FL_MAC_NO_WINDOW (~0ull)

/* Blocks of fl_hmac_work.buf: of data, or its last bytes and padding; a second one if both do not
 * fit; and what the outer digest is of. */
enum fl_sha_block {
	FL_SHA_FIRST = 0,
	FL_SHA_SECOND,
	FL_SHA_OUTER,
	FL_SHA_BLOCKS,
};

struct fl_hmac_work {
	__u32 h[8];   /* of the digest under way */
	__u32 mid[8]; /* behind the last whole block of the data */
	__u32 mac[8]; /* result, bytes as on the wire */
	__u32 w[16];  /* schedule */
	__u8 buf[FL_SHA_BLOCKS * FL_SHA_BLOCK];
	__u32 rest; /* bytes of data in the first block */
};

struct fl_hmac_work_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fl_hmac_work);
};

/* Named like the job, which is as private. */
struct fl_hmac_work_map FL_OWN(fl_job_mac) SEC(".maps");

static __always_inline struct fl_hmac_work *fl_hmac_work(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&FL_OWN(fl_job_mac), &zero);
}

/* FIPS 180-4 4.2.2. */
static const __u32 fl_sha256_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

#define FL_ROR(x, n) ((x) >> (n) | (x) << (32 - (n)))

/*
 * Sixteen rounds, FIPS 180-4 6.2.2. The variables a to h go round in v, and each word of the
 * schedule becomes the one that is 16 later as soon as it is used. Unrolled, all indices are
 * constants, and v lives in registers. Volatile keeps the schedule off the stack.
 */
static __always_inline void fl_sha256_rounds(__u32 v[8], volatile __u32 *w, const volatile __u32 *k)
{
#pragma clang loop unroll(full)
	for (int j = 0; j < 16; j++) {
		__u32 a = v[-j & 7], b = v[(1 - j) & 7], c = v[(2 - j) & 7], e = v[(4 - j) & 7],
		      f = v[(5 - j) & 7], g = v[(6 - j) & 7], t;

		t = v[(7 - j) & 7] + (FL_ROR(e, 6) ^ FL_ROR(e, 11) ^ FL_ROR(e, 25)) +
		    (g ^ (e & (f ^ g))) + k[j] + w[j];
		v[(3 - j) & 7] += t;
		v[(7 - j) & 7] = t + (FL_ROR(a, 2) ^ FL_ROR(a, 13) ^ FL_ROR(a, 22)) +
				 ((a & b) | (c & (a | b)));
		/* In this order, or clang computes sixteen words ahead and runs out of stack. */
		asm volatile("" : "+r"(v[(3 - j) & 7]), "+r"(v[(7 - j) & 7]));
		a = w[(j + 1) & 15];
		b = w[(j + 14) & 15];
		w[j] += (FL_ROR(a, 7) ^ FL_ROR(a, 18) ^ a >> 3) + w[(j + 9) & 15] +
			(FL_ROR(b, 17) ^ FL_ROR(b, 19) ^ b >> 10);
	}
}

/*
 * Add a block of buf to the digest under way. Not static: the verifier walks these rounds once, not
 * at each of the calls. Returns 0 or a negative drop reason.
 */
__noinline int FL_OWN(fl_sha256_add)(__u32 which)
{
	struct fl_hmac_work *m = fl_hmac_work();
	const fl_u32_al *in;
	__u32 v[8];

	if (!m || which >= FL_SHA_BLOCKS)
		return -FL_DROP_INTERNAL;
	in = (const fl_u32_al *)&m->buf[which * FL_SHA_BLOCK];
#pragma clang loop unroll(full)
	for (int w = 0; w < 16; w++)
		m->w[w] = FL_HOST32(in[w]);
#pragma clang loop unroll(full)
	for (int w = 0; w < 8; w++)
		v[w] = m->h[w];
#pragma clang loop unroll(disable)
	for (int round = 0; round < 64; round += 16)
		fl_sha256_rounds(v, m->w, &fl_sha256_k[round]);
#pragma clang loop unroll(full)
	for (int w = 0; w < 8; w++)
		m->h[w] += v[w];
	return 0;
}

/* Blocks of the packet, one by one. */
struct fl_sha_run {
	FL_CTX *ctx;
	__u32 off;
	__u32 failed; /* the packet could not be read */
};

static long fl_sha256_step(__u32 i, struct fl_sha_run *run)
{
	struct fl_hmac_work *m = fl_hmac_work();

	run->failed = !m ||
		      fl_ctx_load(run->ctx, run->off + i * FL_SHA_BLOCK, m->buf, FL_SHA_BLOCK) ||
		      FL_OWN(fl_sha256_add)(FL_SHA_FIRST);
	return run->failed;
}

/*
 * Load @len bytes, less than a block, to @to. Before 6.8 the verifier does not learn from a test
 * against 0 that a length is at least 1, so one less is tested.
 */
static __always_inline long fl_load_rest(FL_CTX *ctx, __u32 off, void *to, __u32 len, __u32 room)
{
	__u32 last = len - 1;

	if (!len)
		return 0;
	asm volatile("" : "+r"(last));
	if (last >= room)
		return -1;
	return fl_ctx_load(ctx, off, to, last + 1);
}

/* A key by number: scalars are all that the functions which the verifier checks once may be given.
 */
static __always_inline __u32 fl_mac_ref(__u32 path, __u32 which)
{
	return path << 2 | which;
}

/* @which: 0 to send with, from 1 on to receive with. */
static __always_inline const struct fl_mac_key *fl_mac_key_at(__u32 ref)
{
	__u32 path = ref >> 2, which = ref & 3;
	const struct fl_path_keys *keys = bpf_map_lookup_elem(&fl_mac_keys, &path);

	if (!keys)
		return NULL;
	/*
	 * They stand side by side. An index less one would be the same, but before 6.8 the verifier
	 * does not learn from a test against 0 that it is at least 1.
	 */
	_Static_assert(__builtin_offsetof(struct fl_path_keys, rx) == sizeof(struct fl_mac_key),
		       "keys");
	return (const struct fl_mac_key *)keys + which;
}

/*
 * Begin with the data: @len bytes at @off, by the inner state of key @ref. Then fl_hmac_end() may
 * be called several times, for one time window each. Returns 0 or a negative drop reason.
 */
__noinline int FL_OWN(fl_hmac_begin)(FL_CTX *ctx, __u32 off, __u32 len, __u32 ref)
{
	struct fl_sha_run run = { .ctx = ctx, .off = off };
	const struct fl_mac_key *key = fl_mac_key_at(ref);
	struct fl_hmac_work *m = fl_hmac_work();
	__u32 whole = len / FL_SHA_BLOCK;

	if (!m || !key || len > 65535)
		return -FL_DROP_INTERNAL;
	__builtin_memcpy(m->h, key->inner, sizeof(m->h));
	if (whole)
		bpf_loop(whole, fl_sha256_step, &run, 0);
	m = fl_hmac_work(); /* not kept over the call: stack is short */
	if (!m)
		return -FL_DROP_INTERNAL;
	__builtin_memcpy(m->mid, m->h, sizeof(m->mid));
	__builtin_memset(m->buf, 0, sizeof(m->buf));
	m->rest = len & (FL_SHA_BLOCK - 1);
	if (run.failed ||
	    fl_load_rest(ctx, off + whole * FL_SHA_BLOCK, m->buf, m->rest, FL_SHA_BLOCK))
		return -FL_DROP_MALFORMED;
	return 0;
}

/* The padding of FIPS 180-4 5.1.1, behind one block of key; returns whether a second block is used.
 */
static __always_inline int fl_hmac_pad(struct fl_hmac_work *m, __u32 at, __u32 len)
{
	int second;

	asm volatile("" : "+r"(at));
	if (at > FL_SHA_BLOCK + 4)
		return 0;
	m->buf[at] = 0x80;
	second = at + 9 > FL_SHA_BLOCK;
	*(fl_u32_al *)&m->buf[second ? 2 * FL_SHA_BLOCK - 4 : FL_SHA_BLOCK - 4] =
		FL_BE32((FL_SHA_BLOCK + len) * 8);
	return second;
}

/*
 * The HMAC of what was begun, to fl_hmac_work.mac. @len as in fl_hmac_begin(). @window: number of
 * the time window to append (P-11), or FL_MAC_NO_WINDOW.
 */
__noinline int FL_OWN(fl_hmac_end)(__u32 ref, __u32 len, __u64 window)
{
	const struct fl_mac_key *key = fl_mac_key_at(ref);
	struct fl_hmac_work *m = fl_hmac_work();
	fl_u32_al *outer;
	int second;
	__u32 at;

	if (!m || !key)
		return -FL_DROP_INTERNAL;
	outer = (fl_u32_al *)&m->buf[FL_SHA_OUTER * FL_SHA_BLOCK];
	at = m->rest & (FL_SHA_BLOCK - 1);
	__builtin_memcpy(m->h, m->mid, sizeof(m->h));
	if (window != FL_MAC_NO_WINDOW) {
		*(fl_u32_una *)&m->buf[at] = FL_BE32(window);
		at += sizeof(__u32);
		len += sizeof(__u32);
	}
	second = fl_hmac_pad(m, at, len);
	if (FL_OWN(fl_sha256_add)(FL_SHA_FIRST) || (second && FL_OWN(fl_sha256_add)(FL_SHA_SECOND)))
		return -FL_DROP_INTERNAL;
#pragma clang loop unroll(full)
	for (int i = 0; i < 8; i++)
		outer[i] = FL_BE32(m->h[i]);
	outer[8] = FL_BE32(0x80000000u);
	outer[15] = FL_BE32((FL_SHA_BLOCK + sizeof(m->mac)) * 8);
	__builtin_memcpy(m->h, key->outer, sizeof(m->h));
	if (FL_OWN(fl_sha256_add)(FL_SHA_OUTER))
		return -FL_DROP_INTERNAL;
#pragma clang loop unroll(full)
	for (int i = 0; i < 8; i++)
		m->mac[i] = FL_BE32(m->h[i]);
	return 0;
}

/* Number of the present time window, or FL_MAC_NO_WINDOW for a key that uses none. */
static __always_inline __u64 fl_hmac_window(__u32 ref)
{
	__u32 zero = 0, path = ref >> 2;
	const struct fl_settings *settings = bpf_map_lookup_elem(&fl_settings, &zero);
	const struct fl_path_keys *keys = bpf_map_lookup_elem(&fl_mac_keys, &path);

	if (!settings || !keys || (ref & 3 ? keys->rx_mode : keys->tx_mode) != FL_MAC_TIMED)
		return FL_MAC_NO_WINDOW;
	return (bpf_ktime_get_ns() + settings->wall_offset_ns) / FL_MAC_WINDOW_NS;
}

#endif
