/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inline performance monitoring (svr-protocol.md 4): marks in user packets. common/fpm.h has the
 * rules; here a packet that is otherwise ready to leave gets a block with TLV 26 and its HMAC, and
 * one that arrived with such a block is proven, read and stripped. Both are rare: fl_fpm_wants() is
 * what all other packets of a monitored path cost. Include a context layer first.
 *
 * Packets that carry other metadata, those of the agent, get no mark (agent/session/mark.c): both
 * sides count marks, so that they belong to no colour.
 *
 * Toward peers with which that is agreed, packets without a mark end with an HMAC, too: "sealed"
 * (svr-protocol.md 2.8). That is the same without a block. It costs microseconds for every packet.
 *
 * A block is made room for by moving the payload toward the end of the packet, not the headers
 * toward its front: that is right for every link header, and for a checksum that is left to the
 * device, which is summed from where the layer 4 header stands.
 */
#ifndef FL_BPF_FPM_H
#define FL_BPF_FPM_H

#include "bpf/lib/drop.bpf.h"
#include "bpf/lib/hmac.bpf.h"
#include "common/fpm_map.h"
#include "common/parse.h"

/* A stage asks for the mark to be taken off, or for one to be put on what was sent. */
#define FL_GO_UNMARK 0x205
#define FL_GO_UNSEAL 0x207 /* no mark, only the HMAC */
#define FL_DONE_MARK 0x400

/* What fl_fpm_order() is told. */
#define FL_FPM_MARK 0x1 /* a mark, if there is room for it */
#define FL_FPM_SEAL 0x2 /* the HMAC in any case, or the packet does not leave */
#define FL_FPM_L3   0x4 /* no link header */

/* Headers of anything we look at: two tags, IPv4 with options or IPv6, TCP with options. */
#define FL_PULL_LEN (14 + 8 + 60 + 60)

/* Packets that the block and the longest HMAC do not fit behind are not eligible. */
#define FL_FPM_ROOM    (FL_FPM_BLOCK_LEN + FL_FPM_MAC_MAX)
#define FL_FPM_MAC_MAX 32
#define FL_COPY_STEP   128

/* What the marking of one packet needs, not on the stack. */
struct fl_fpm_work {
	__u32 path;
	__u32 scope;
	__u32 session;
	__u32 what;      /* FL_FPM_* */
	__u32 block_len; /* 0: no mark */
	__u32 mac_len;   /* of the packet's HMAC */
	__u32 len;       /* of what it is of: block and payload */
	__u32 keys;      /* that it may be of */
	struct fl_pkt pkt;
	struct fl_fpm_mark mark;
	__u8 block[32];               /* FL_FPM_BLOCK_LEN are used */
	__u8 trailer[FL_FPM_MAC_MAX]; /* the HMAC that came with the packet */
	__u8 copy[FL_COPY_STEP];
};

struct fl_fpm_work_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fl_fpm_work);
};

struct fl_fpm_work_map FL_OWN(fl_job_fpm) SEC(".maps");

static __always_inline struct fl_fpm_work *fl_fpm_work(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&FL_OWN(fl_job_fpm), &zero);
}

/*
 * Where in fl_path.fpm_due a packet's scope stands, in bytes, by its TOS and for UDP: all packets
 * of a monitored path come by here, and working it out takes longer.
 */
#define FL_DUE_SIZE      ((__u32)sizeof(__u64))
#define FL_DUE_OF(tos)   (FL_FPM_CLASS(tos) * FL_FPM_PROTOS * FL_DUE_SIZE)
#define FL_DUE_OF_4(tos) FL_DUE_OF(tos), FL_DUE_OF(tos + 1), FL_DUE_OF(tos + 2), FL_DUE_OF(tos + 3)
#define FL_DUE_OF_16(tos)                                                                          \
	FL_DUE_OF_4(tos), FL_DUE_OF_4(tos + 4), FL_DUE_OF_4(tos + 8), FL_DUE_OF_4(tos + 12)
#define FL_DUE_OF_64(tos)                                                                          \
	FL_DUE_OF_16(tos), FL_DUE_OF_16(tos + 16), FL_DUE_OF_16(tos + 32), FL_DUE_OF_16(tos + 48)

static const __u8 fl_fpm_due_at[256] = { FL_DUE_OF_64(0), FL_DUE_OF_64(64), FL_DUE_OF_64(128),
					 FL_DUE_OF_64(192) };

/* TCP's number has this bit, UDP's has not. */
#define FL_PROTO_BIT_TCP 4

_Static_assert((FL_IPPROTO_TCP & FL_PROTO_BIT_TCP) && !(FL_IPPROTO_UDP & FL_PROTO_BIT_TCP) &&
		       FL_FPM_TCP * FL_DUE_SIZE == FL_PROTO_BIT_TCP * 2 && !FL_FPM_UDP,
	       "TCP's scopes follow UDP's");

/**
 * fl_fpm_wants() - is a packet that leaves by a monitored path to be marked?
 * @pkt: TCP or UDP
 * @len: bytes that it will have at layer 3
 * @now: jiffies
 *
 * Reads the path's third cache line.
 */
static __always_inline bool fl_fpm_wants(FL_CTX *ctx, const struct fl_pkt *pkt,
					 const struct fl_path *path, __u32 len, __u64 now)
{
	__u32 at = fl_fpm_due_at[pkt->tos] + (pkt->proto & FL_PROTO_BIT_TCP) * 2;

	(void)ctx;
	at &= (FL_PATH_SCOPES - 1) * FL_DUE_SIZE;
	if (now < *(const __u64 *)((const __u8 *)path->fpm_due + at))
		return false;
	return len + FL_FPM_ROOM <= path->mtu && (FL_CTX_IS_XDP || !fl_ctx_gso_size(ctx));
}

/* Remember what fl_fpm_mark() is to do, once the packet is ready. @what: FL_FPM_* */
static __always_inline void fl_fpm_order(const struct fl_pkt *pkt, __u32 path, __u32 what)
{
	struct fl_fpm_work *work = fl_fpm_work();

	if (!work)
		return;
	work->path = path;
	work->scope = fl_fpm_scope_of(pkt->tos, pkt->proto);
	work->what = what;
}

/* Remember what fl_fpm_prove() is to do: an HMAC without a mark is to be there. */
static __always_inline void fl_fpm_expect(__u32 path, bool l3_device)
{
	struct fl_fpm_work *work = fl_fpm_work();

	if (!work)
		return;
	work->path = path;
	work->what = l3_device ? FL_FPM_L3 : 0;
	work->block_len = 0;
}

/* --- shared steps ----------------------------------------------------------------------------- */

static __noinline int fl_fpm_parse(FL_CTX *ctx, struct fl_fpm_work *work)
{
	int err;

	__builtin_memset(&work->pkt, 0, sizeof(work->pkt));
	if (fl_ctx_pull(ctx, FL_PULL_LEN) ||
	    fl_ctx_parse_l2(ctx, (int)(work->what & FL_FPM_L3), &work->pkt, 0))
		return -FL_DROP_MALFORMED;
	err = fl_parse_l3(ctx, fl_ctx_data(ctx), fl_ctx_end(ctx), &work->pkt);
	if (err)
		return err;
	if (!work->pkt.family || work->pkt.flags & (FL_PKT_FRAGMENT | FL_PKT_PORTLESS))
		return -FL_DROP_MALFORMED;
	return 0;
}

/* Bytes from @from on, @len of them, by @by toward the end, or the front if it is negative. */
struct fl_fpm_move {
	FL_CTX *ctx;
	__u32 from;
	__u32 len;
	int by;
};

/* Toward the end, the last bytes go first; toward the front, the first ones. */
static long fl_fpm_move_step(__u32 i, struct fl_fpm_move *move)
{
	struct fl_fpm_work *work = fl_fpm_work();
	__u32 at = move->from + i * FL_COPY_STEP;

	if (!work)
		return 1;
	if (move->by > 0)
		at = move->from + move->len - (i + 1) * FL_COPY_STEP;
	if (fl_ctx_load(move->ctx, at, work->copy, FL_COPY_STEP))
		return 1;
	fl_ctx_store(move->ctx, at + (__u32)move->by, work->copy, FL_COPY_STEP);
	return 0;
}

/* Of less than a step. */
static __always_inline int fl_fpm_move_rest(FL_CTX *ctx, struct fl_fpm_work *work, __u32 from,
					    __u32 to, __u32 len)
{
	__u32 last = len - 1;

	if (!len)
		return 0;
	asm volatile("" : "+r"(last));
	if (last >= FL_COPY_STEP)
		return -FL_DROP_INTERNAL;
	len = last + 1;
	if (fl_ctx_load(ctx, from, work->copy, len))
		return -FL_DROP_MALFORMED;
	return fl_ctx_store(ctx, to, work->copy, len) ? -FL_DROP_MALFORMED : 0;
}

static __noinline int fl_fpm_move(FL_CTX *ctx, __u32 from, __u32 len, int by)
{
	struct fl_fpm_move move = { .ctx = ctx, .from = from, .len = len, .by = by };
	struct fl_fpm_work *work = fl_fpm_work();
	__u32 steps = len / FL_COPY_STEP;

	if (!work || len > 65535)
		return -FL_DROP_INTERNAL;
	if (steps)
		bpf_loop(steps, fl_fpm_move_step, &move, 0);
	if (by < 0)
		from += steps * FL_COPY_STEP;
	return fl_fpm_move_rest(ctx, work, from, from + (__u32)by, len % FL_COPY_STEP);
}

/*
 * @by bytes more at the end of a packet of @len. A frame that was a socket's buffer may have no
 * room there: then it begins further in front. Return: 0, or below 0 with the packet as it was.
 */
static __noinline int fl_fpm_grow(FL_CTX *ctx, __u32 len, __u32 by)
{
	if (!fl_ctx_resize(ctx, len + by))
		return 0;
	if (fl_ctx_grow_head(ctx, by))
		return -1;
	return fl_fpm_move(ctx, by, len, -(int)by);
}

static __always_inline int fl_fpm_add16(FL_CTX *ctx, __u32 at, int by, __u16 *ret_delta)
{
	__be16 old, new;

	if (fl_ctx_load(ctx, at, &old, sizeof(old)))
		return -FL_DROP_MALFORMED;
	new = FL_BE16(FL_HOST16(old) + by);
	*ret_delta = fl_csum_sub((__u16) new, (__u16)old);
	return fl_ctx_store(ctx, at, &new, sizeof(new)) ? -FL_DROP_MALFORMED : 0;
}

/* The IP packet has become longer by @by; @ret_delta is what that does to a sum. */
static __always_inline int fl_fpm_l3_len(FL_CTX *ctx, const struct fl_pkt *pkt, int by,
					 __u16 *ret_delta)
{
	__u32 check_at = pkt->l3 + (__u32)offsetof(struct fl_ip4, check);
	__u16 check;

	if (pkt->family == 6)
		return fl_fpm_add16(ctx, pkt->l3 + (__u32)offsetof(struct fl_ip6, payload_len), by,
				    ret_delta);
	if (fl_fpm_add16(ctx, pkt->l3 + (__u32)offsetof(struct fl_ip4, tot_len), by, ret_delta) ||
	    fl_ctx_load(ctx, check_at, &check, sizeof(check)))
		return -FL_DROP_MALFORMED;
	check = fl_csum_update(check, *ret_delta);
	return fl_ctx_store(ctx, check_at, &check, sizeof(check)) ? -FL_DROP_MALFORMED : 0;
}

/* All lengths and checksums, after bytes of sum @data came in (or, with the sum's complement,
 * went).
 */
static __noinline int fl_fpm_resum(FL_CTX *ctx, const struct fl_pkt *pkt, int by, __u32 data)
{
	__u16 len_delta = 0, udp_delta = 0;
	int err;

	err = fl_fpm_l3_len(ctx, pkt, by, &len_delta);
	if (!err && pkt->proto == FL_IPPROTO_UDP)
		err = fl_fpm_add16(ctx, pkt->l4 + (__u32)offsetof(struct fl_udp, len), by,
				   &udp_delta);
	if (err)
		return err;
	return fl_ctx_csum_l4(ctx, pkt, fl_csum_add((__u16)data, udp_delta), len_delta);
}

/* Sum of the block, if there is one, and of the HMAC at an offset that may be odd. */
static __always_inline __u16 fl_fpm_sum(const struct fl_fpm_work *work, const void *mac, bool odd)
{
	const fl_u16_una *b = (const fl_u16_una *)work->block;
	const __u32 mac_len = work->mac_len;
	const fl_u32_al *m = mac;
	__u32 sum = 0, tail = 0;

#pragma clang loop unroll(full)
	for (int i = 0; i < FL_FPM_BLOCK_LEN / 2; i++)
		sum += b[i];
	if (!work->block_len)
		sum = 0;
#pragma clang loop unroll(full)
	for (__u32 i = 0; i < FL_FPM_MAC_MAX / 4; i++)
		if (i * 4 < mac_len)
			tail += (m[i] & 0xffff) + (m[i] >> 16);
	tail = fl_csum_fold(tail);
	if (odd)
		tail = (tail >> 8 | tail << 8) & 0xffff;
	return fl_csum_add(fl_csum_fold(sum), (__u16)tail);
}

/* --- sending ---------------------------------------------------------------------------------- */

/* Advance the scope; false if it wants no mark after all, or another CPU was faster. */
static __noinline bool fl_fpm_advance(struct fl_fpm_work *work, const struct fl_fpm_path *cfg)
{
	__u32 key = fl_fpm_slot_of(work->path, work->scope & (FL_PATH_SCOPES - 1)), id = work->path;
	struct fl_fpm_slot *slot = bpf_map_lookup_elem(&fl_fpm_scopes, &key);
	struct fl_path *path = bpf_map_lookup_elem(&fl_paths, &id);
	__u64 now = bpf_ktime_get_ns(), start = 0;
	struct fl_fpm_cfg settings = cfg->cfg;
	struct fl_fpm_mark mark = {};
	bool marked, idle;

	if (!slot || !path)
		return false;
	bpf_spin_lock(&slot->lock);
	marked = fl_fpm_send(&slot->scope.tx, &slot->scope.rx, &settings, now, &mark);
	idle = fl_fpm_is_idle(&slot->scope.tx, &settings, now);
	start = slot->scope.tx.start_ns;
	bpf_spin_unlock(&slot->lock);
	if (idle) {
		__u64 left_ns = 1000000000ull;

		if (settings.interval_ns && cfg->jiffy_ns)
			left_ns = (start + settings.interval_ns - now) / cfg->jiffy_ns;
		path->fpm_due[work->scope & (FL_PATH_SCOPES - 1)] = bpf_jiffies64() + left_ns + 1;
	}
	work->mark = mark;
	return marked;
}

/* A block with nothing but the mark. */
static __always_inline void fl_fpm_write_block(struct fl_fpm_work *work)
{
	fl_u32_al *words = (fl_u32_al *)work->block;

	*(fl_u64_al *)work->block = FL_META_COOKIE;
	words[2] = FL_BE32((__u32)(FL_META_VERSION << 12 | FL_FPM_BLOCK_LEN) << 16);
	words[3] = FL_BE32((__u32)FL_TLV_PATH_METRICS << 16 | FL_TLV_METRICS_LEN);
	fl_fpm_put(&work->mark, (struct fl_fpm_wire *)&work->block[16]);
}

/* The packet gets no mark; @as_it_was: it has its length. Return: as fl_fpm_mark(). */
static __noinline int fl_fpm_bare(FL_CTX *ctx, struct fl_fpm_work *work, bool as_it_was)
{
	__u32 len = work->pkt.l3 + work->pkt.l3_len;

	work->block_len = 0;
	if (work->what & FL_FPM_SEAL)
		return fl_fpm_grow(ctx, len, work->mac_len) ? -FL_DROP_TX_ERROR : 1;
	return !as_it_was && fl_ctx_resize(ctx, len) ? -FL_DROP_TX_ERROR : 0;
}

/**
 * fl_fpm_mark() - mark a packet that is ready to leave, or make room for its HMAC alone, as
 * fl_fpm_order() said
 *
 * A packet that cannot be marked leaves without, and is not counted in its colour.
 *
 * Return: 0; 1 if fl_fpm_sign() has to follow; or a negative drop reason with the packet in an
 * undefined state.
 */
__noinline int FL_OWN(fl_fpm_mark)(FL_CTX *ctx)
{
	struct fl_fpm_work *work = fl_fpm_work();
	const struct fl_path_keys *keys;
	const struct fl_fpm_path *cfg;
	__u32 id, at, len;
	int err;

	if (!work)
		return 0;
	id = work->path;
	cfg = bpf_map_lookup_elem(&fl_fpm_paths, &id);
	keys = bpf_map_lookup_elem(&fl_mac_keys, &id);
	if (!cfg || !keys || keys->tx_mode == FL_MAC_UNABLE || fl_fpm_parse(ctx, work))
		return work->what & FL_FPM_SEAL ? -FL_DROP_KEY_UNKNOWN : 0;
	work->mac_len = keys->tx_len;
	at = work->pkt.payload;
	len = work->pkt.l3 + work->pkt.l3_len - at;
	/* Room first: what is counted must leave. */
	if (!(work->what & FL_FPM_MARK) ||
	    fl_ctx_resize(ctx, at + FL_FPM_BLOCK_LEN + len + work->mac_len))
		return fl_fpm_bare(ctx, work, true);
	if (!fl_fpm_advance(work, cfg))
		return fl_fpm_bare(ctx, work, false);
	work->block_len = FL_FPM_BLOCK_LEN;
	err = fl_fpm_move(ctx, at, len, FL_FPM_BLOCK_LEN);
	if (err)
		return err;
	fl_fpm_write_block(work);
	return fl_ctx_store(ctx, at, work->block, FL_FPM_BLOCK_LEN) ? -FL_DROP_MALFORMED : 1;
}

/* The HMAC of what fl_fpm_mark() has made, lengths and checksums. Return: 0 or a drop reason. */
__noinline int FL_OWN(fl_fpm_sign)(FL_CTX *ctx)
{
	struct fl_fpm_work *work = fl_fpm_work();
	struct fl_hmac_work *m = fl_hmac_work();
	__u32 at, len, ref;
	int err = 0;

	if (!m || !work)
		return -FL_DROP_INTERNAL;
	at = work->pkt.payload;
	len = work->block_len + work->pkt.l3 + work->pkt.l3_len - at;
	ref = fl_mac_ref(work->path, 0);
	if (work->mac_len) {
		err = FL_OWN(fl_hmac_begin)(ctx, at, len, ref);
		if (!err)
			err = FL_OWN(fl_hmac_end)(ref, len, fl_hmac_window(ref));
		if (err)
			return err;
		if (work->mac_len == 16 ? fl_ctx_store(ctx, at + len, m->mac, 16)
					: fl_ctx_store(ctx, at + len, m->mac, 32))
			return -FL_DROP_MALFORMED;
		fl_stat_add(FL_STAT_HMAC_ADDED);
	}
	if (work->block_len)
		fl_stat_add(FL_STAT_METRICS_ADDED);
	return fl_fpm_resum(ctx, &work->pkt, (int)(work->block_len + work->mac_len),
			    fl_fpm_sum(work, m->mac, len & 1));
}

/* --- receiving -------------------------------------------------------------------------------- */

/**
 * fl_fpm_is_mark() - does a packet from a peer carry a block that fl_fpm_unmark() can take off?
 * @pkt: starts with a cookie
 */
static __noinline bool fl_fpm_is_mark(FL_CTX *ctx, const struct fl_pkt *pkt, __u32 path,
				      __u32 session)
{
	struct fl_fpm_work *work = fl_fpm_work();
	const struct fl_path_keys *keys = bpf_map_lookup_elem(&fl_mac_keys, &path);
	const fl_u32_al *words;

	if (!work || !keys || keys->rx_mode == FL_MAC_UNABLE)
		return false;
	if (!FL_CTX_IS_XDP && fl_ctx_gso_size(ctx))
		return false;
	if (fl_ctx_load(ctx, pkt->payload, work->block, FL_FPM_BLOCK_LEN))
		return false;
	words = (const fl_u32_al *)work->block;
	work->path = path;
	work->session = session;
	work->what = pkt->l3 ? 0 : FL_FPM_L3;
	work->block_len = FL_FPM_BLOCK_LEN;
	return words[2] == FL_BE32((__u32)(FL_META_VERSION << 12 | FL_FPM_BLOCK_LEN) << 16) &&
	       words[3] == FL_BE32((__u32)FL_TLV_PATH_METRICS << 16 | FL_TLV_METRICS_LEN);
}

/* Is the received HMAC the computed one? Takes the same time wherever they differ. */
static __always_inline bool fl_fpm_mac_holds(struct fl_fpm_work *work, __u32 ref, __u64 window)
{
	const fl_u32_al *got = (const fl_u32_al *)work->trailer;
	const struct fl_hmac_work *m;
	__u32 diff = 0;

	if (FL_OWN(fl_hmac_end)(ref, work->len, window))
		return false;
	m = fl_hmac_work();
	if (!m)
		return false;
#pragma clang loop unroll(full)
	for (__u32 i = 0; i < FL_FPM_MAC_MAX / 4; i++)
		if (i * 4 < work->mac_len)
			diff |= got[i] ^ m->mac[i];
	return !diff;
}

/*
 * Try one key; for time-based HMACs the present window, the one before and the one after (P-11).
 */
static __always_inline bool fl_fpm_try_key(FL_CTX *ctx, struct fl_fpm_work *work, __u32 ref)
{
	__u64 window = fl_hmac_window(ref);

	if (FL_OWN(fl_hmac_begin)(ctx, work->pkt.payload, work->len, ref))
		return false;
	if (fl_fpm_mac_holds(work, ref, window))
		return true;
	if (window == FL_MAC_NO_WINDOW)
		return false;
	if (fl_fpm_mac_holds(work, ref, window - 1)) {
		fl_stat_add(FL_STAT_HMAC_WINDOW_EARLY);
		return true;
	}
	if (!fl_fpm_mac_holds(work, ref, window + 1))
		return false;
	fl_stat_add(FL_STAT_HMAC_WINDOW_LATE);
	return true;
}

/**
 * fl_fpm_prove() - is the mark that fl_fpm_is_mark() has seen of the peer, or the packet that
 * fl_fpm_expect() was told of?
 *
 * Return: 0, and fl_fpm_unmark() has to follow; or a negative drop reason.
 */
__noinline int FL_OWN(fl_fpm_prove)(FL_CTX *ctx)
{
	struct fl_fpm_work *work = fl_fpm_work();
	const struct fl_path_keys *keys;
	__u32 id, at;

	if (!work)
		return -FL_DROP_INTERNAL;
	id = work->path;
	keys = bpf_map_lookup_elem(&fl_mac_keys, &id);
	if (!keys || fl_fpm_parse(ctx, work))
		return -FL_DROP_MALFORMED;
	work->mac_len = keys->rx_len;
	work->keys = keys->rx_keys;
	work->len = work->pkt.l3 + work->pkt.l3_len - work->pkt.payload - work->mac_len;
	if (!work->len || work->len < work->block_len || work->len > 65535)
		return -FL_DROP_HMAC_MISMATCH;
	if (!work->mac_len)
		return work->block_len ? 0 : -FL_DROP_KEY_UNKNOWN;
	at = work->pkt.payload + work->len;
	if (work->mac_len == 16 ? fl_ctx_load(ctx, at, work->trailer, 16)
				: fl_ctx_load(ctx, at, work->trailer, 32))
		return -FL_DROP_MALFORMED;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FL_MAC_RX_KEYS; i++) {
		if (i >= work->keys)
			return -FL_DROP_HMAC_MISMATCH;
		if (!fl_fpm_try_key(ctx, work, fl_mac_ref(work->path, i + 1)))
			continue;
		fl_stat_add(FL_STAT_HMAC_VERIFIED);
		return 0;
	}
	return -FL_DROP_HMAC_MISMATCH;
}

/* What the peer says, into the scope. */
static __noinline void fl_fpm_learn(struct fl_fpm_work *work, __u8 tos)
{
	__u32 scope = fl_fpm_scope_of(tos, work->pkt.proto), id = work->path;
	__u32 key = fl_fpm_slot_of(work->path, scope & (FL_PATH_SCOPES - 1));
	struct fl_fpm_slot *slot = bpf_map_lookup_elem(&fl_fpm_scopes, &key);
	const struct fl_fpm_path *cfg = bpf_map_lookup_elem(&fl_fpm_paths, &id);
	__u64 now = bpf_ktime_get_ns();
	struct fl_fpm_mark mark;
	__u32 session = work->session;

	fl_fpm_get((const struct fl_fpm_wire *)&work->block[16], &mark);
	work->mark = mark;
	if (!slot || !cfg || !cfg->cfg.interval_ns)
		return;
	bpf_spin_lock(&slot->lock);
	fl_fpm_take(&slot->scope, &mark, now);
	slot->session = session;
	bpf_spin_unlock(&slot->lock);
}

/*
 * Where the kernel keeps a sum of the whole packet (CHECKSUM_COMPLETE), it takes off what the tail
 * holds when that is cut; the move has not told it that there is something else than before.
 */
static __always_inline long fl_fpm_clear_tail(FL_CTX *ctx, struct fl_fpm_work *work, __u32 at)
{
	if (FL_CTX_IS_XDP)
		return 0;
	__builtin_memset(work->copy, 0, FL_FPM_ROOM + 6);
	if (!work->block_len)
		return work->mac_len == 16 ? fl_ctx_store(ctx, at, work->copy, 16)
					   : fl_ctx_store(ctx, at, work->copy, 32);
	if (!work->mac_len)
		return fl_ctx_store(ctx, at, work->copy, FL_FPM_BLOCK_LEN);
	if (work->mac_len == 16)
		return fl_ctx_store(ctx, at, work->copy, FL_FPM_BLOCK_LEN + 16);
	return fl_ctx_store(ctx, at, work->copy, FL_FPM_BLOCK_LEN + 32);
}

/**
 * fl_fpm_unmark() - read and take off the mark, and the HMAC, that fl_fpm_prove() has proven
 *
 * Return: 0, the packet is as its sender's host made it; FL_DONE_PUNTED if it was nothing but the
 * mark; or a negative drop reason.
 */
__noinline int FL_OWN(fl_fpm_unmark)(FL_CTX *ctx)
{
	struct fl_fpm_work *work = fl_fpm_work();
	__u32 at, len;
	__u16 sum;
	int err;

	if (!work)
		return -FL_DROP_INTERNAL;
	at = work->pkt.payload;
	len = work->pkt.l3 + work->pkt.l3_len - at - work->block_len - work->mac_len;
	sum = fl_fpm_sum(work, work->trailer, len & 1);
	if (work->block_len) {
		fl_fpm_learn(work, work->pkt.tos);
		if (work->mark.drop) {
			fl_stat_add(FL_STAT_METRICS_DROPPED);
			return FL_DONE_PUNTED;
		}
		fl_stat_add(FL_STAT_METRICS_REMOVED);
		err = fl_fpm_move(ctx, at + FL_FPM_BLOCK_LEN, len, -FL_FPM_BLOCK_LEN);
		if (err)
			return err;
	}
	err = fl_fpm_resum(ctx, &work->pkt, -(int)(work->block_len + work->mac_len), (__u16)~sum);
	if (err)
		return err;
	if (fl_fpm_clear_tail(ctx, work, at + len) || fl_ctx_resize(ctx, at + len))
		return -FL_DROP_TX_ERROR;
	return 0;
}

#endif
