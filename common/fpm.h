/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Inline performance monitoring (svr-protocol.md 4, P-31 to P-33): what happens for each packet of
 * a scope, that is of a path, traffic class and protocol. The data plane marks and reads user
 * packets by these rules, whether or not the agent lives; the agent sums up what they leave behind
 * (agent/path/fpm.h).
 *
 * A scope has one writer at a time: in the data plane its lock is held, which only the marked
 * packets of a sample need; fl_fpm_is_idle() is what all others cost. Times are of CLOCK_MONOTONIC.
 */
#ifndef FL_COMMON_FPM_H
#define FL_COMMON_FPM_H

#include "common/types.h"

#define FL_FPM_COLOURS     16
#define FL_FPM_COLOUR_MASK (FL_FPM_COLOURS - 1)
#define FL_FPM_TIME_MASK   0x0fffffffu /* times on the wire: ms modulo 2^28 */
#define FL_FPM_UNKNOWN     0x7fffu     /* count of a colour that nobody counted */
#define FL_FPM_COUNT_MAX   (FL_FPM_UNKNOWN - 1)
#define FL_FPM_DROP        0x8000u
#define FL_FPM_RTT_MAX_MS  10000
#define FL_FPM_NS_PER_MS   1000000ull
#define FL_FPM_NS_PER_US   1000ull

/* Settings of a scope, from its performance-monitoring profile. */
struct fl_fpm_cfg {
	__u64 interval_ns; /* 0: not monitored */
	__u32 marking_count;
	__u32 reserved;
};

/* The value of TLV 26, host order. */
struct fl_fpm_mark {
	__u32 tx_time_ms; /* 28 bits */
	__u32 rx_time_ms; /* 28 bits */
	__u16 prev_count; /* 15 bits */
	__u8 tx_colour;
	__u8 rx_colour;
	__u8 drop; /* the packet was generated to carry this */
	__u8 reserved[3];
};
FL_ASSERT_SIZE(struct fl_fpm_mark, 16);

/* As it stands on the wire. */
struct fl_fpm_wire {
	__be32 tx; /* colour << 28 | time */
	__be32 rx;
	__be16 count; /* FL_FPM_DROP | count */
} FL_WIRE;

/* What we send in this scope. */
struct fl_fpm_tx {
	__u64 start_ns;  /* of the present interval; 0: none yet */
	__u64 marked_ns; /* when the last mark left */
	__u16 sent[FL_FPM_COLOURS];
	__u8 colour;
	__u8 reserved[7];
};
FL_ASSERT_SIZE(struct fl_fpm_tx, 56);

#define FL_FPM_RX_SEEN    0x01 /* a colour of the peer's is known */
#define FL_FPM_RX_PARTIAL 0x02 /* cnt_cur began somewhere in its colour */
#define FL_FPM_RX_TIMED   0x04 /* rx_time_ms and rx_at_ns are known, and not answered yet */
#define FL_FPM_RX_OWED    0x08 /* the peer has not been told of the last change of colour */

/* What we receive in it. */
struct fl_fpm_rx {
	__u64 rx_at_ns;   /* when rx_time_ms arrived */
	__u64 changed_ns; /* when the colour changed */
	__u32 rx_time_ms; /* the peer's last time */
	__u16 cnt_cur;    /* of this colour */
	__u16 cnt_prev;   /* of the colour before, or FL_FPM_UNKNOWN */
	__u8 colour;
	__u8 flags; /* FL_FPM_RX_* */
	__u8 reserved[6];
};
FL_ASSERT_SIZE(struct fl_fpm_rx, 32);

/* What the peer reported about one of our colours, and round trips measured meanwhile. */
struct fl_fpm_block {
	__u64 first_ns; /* arrival of the first report; 0: none */
	__u64 last_ns;
	__u64 rtt_sum_us;
	__u64 jitter_sum_us;
	__u32 rtt_last_us;
	__u32 rtt_count;
	__u32 jitter_count;
	__u16 sent;  /* as of the first report: the colour was over */
	__u16 count; /* as of the last report: late packets come in */
};
FL_ASSERT_SIZE(struct fl_fpm_block, 48);

/* By the colour that is reported on; a block is overwritten after 16 intervals. */
struct fl_fpm_reports {
	struct fl_fpm_block block[FL_FPM_COLOURS];
	__u8 colour; /* of the block that is being written */
	__u8 reserved[7];
};
FL_ASSERT_SIZE(struct fl_fpm_reports, 776);

struct fl_fpm_scope {
	struct fl_fpm_tx tx;
	struct fl_fpm_rx rx;
	struct fl_fpm_reports reports;
};
FL_ASSERT_SIZE(struct fl_fpm_scope, 864);

static __always_inline __u32 fl_fpm_time(__u64 now_ns)
{
	return (__u32)(now_ns / FL_FPM_NS_PER_MS) & FL_FPM_TIME_MASK;
}

/* --- sending ---------------------------------------------------------------------------------- */

/* Marking counts beyond what a count can say stop there. */
static __always_inline __u32 fl_fpm_marking_count(const struct fl_fpm_cfg *cfg)
{
	return cfg->marking_count > FL_FPM_COUNT_MAX ? FL_FPM_COUNT_MAX : cfg->marking_count;
}

/* Is this packet not to be marked? Most are not: reads only. */
static __always_inline bool fl_fpm_is_idle(const struct fl_fpm_tx *tx, const struct fl_fpm_cfg *cfg,
					   __u64 now_ns)
{
	if (!cfg->interval_ns)
		return true;
	return tx->start_ns && now_ns - tx->start_ns < cfg->interval_ns &&
	       tx->sent[tx->colour & FL_FPM_COLOUR_MASK] >= fl_fpm_marking_count(cfg);
}

/* Steps 2: what the peer needs to know of what it sent. */
static __always_inline void fl_fpm_answer(struct fl_fpm_rx *rx, __u64 now_ns,
					  struct fl_fpm_mark *mark)
{
	__u64 held_ns = now_ns - rx->rx_at_ns;

	mark->rx_colour = rx->colour & FL_FPM_COLOUR_MASK;
	mark->prev_count = rx->flags & FL_FPM_RX_SEEN ? rx->cnt_prev : FL_FPM_UNKNOWN;
	mark->rx_time_ms = 0;
	/*
	 * Rounded, or every answer would make the round trip look half a millisecond longer. Each
	 * of the peer's packets is answered once: saying the same again would be a round trip that
	 * does not differ from the one before, and hide the jitter of the way to us.
	 */
	if (rx->flags & FL_FPM_RX_TIMED)
		mark->rx_time_ms = (rx->rx_time_ms +
				    (__u32)((held_ns + FL_FPM_NS_PER_MS / 2) / FL_FPM_NS_PER_MS)) &
				   FL_FPM_TIME_MASK;
	rx->flags &= (__u8) ~(FL_FPM_RX_OWED | FL_FPM_RX_TIMED);
}

/*
 * Mark a user packet that is not idle: steps 1 and 2 of P-31. Return: false if another CPU has
 * marked the last one meanwhile.
 */
static __always_inline bool fl_fpm_send(struct fl_fpm_tx *tx, struct fl_fpm_rx *rx,
					const struct fl_fpm_cfg *cfg, __u64 now_ns,
					struct fl_fpm_mark *mark)
{
	if (fl_fpm_is_idle(tx, cfg, now_ns))
		return false;
	if (!tx->start_ns || now_ns - tx->start_ns >= cfg->interval_ns) {
		tx->colour = (tx->colour + 1) & FL_FPM_COLOUR_MASK;
		tx->sent[tx->colour & FL_FPM_COLOUR_MASK] = 0;
		tx->start_ns = now_ns;
	}
	tx->sent[tx->colour & FL_FPM_COLOUR_MASK]++;
	tx->marked_ns = now_ns;
	mark->tx_colour = tx->colour & FL_FPM_COLOUR_MASK;
	mark->tx_time_ms = fl_fpm_time(now_ns);
	mark->drop = 0;
	fl_fpm_answer(rx, now_ns, mark);
	return true;
}

/*
 * Is a generated packet to carry our answer (step 7)? The peer's colour changed @patience_ns ago,
 * and no marked packet has left since.
 */
static __always_inline bool fl_fpm_owes(const struct fl_fpm_rx *rx, __u64 patience_ns, __u64 now_ns)
{
	return (rx->flags & FL_FPM_RX_OWED) && now_ns - rx->changed_ns >= patience_ns;
}

/*
 * What a generated packet says. It is not one of the colour's packets: neither side counts it, or
 * two sides without user traffic would answer each other's answers for ever.
 */
static __always_inline void fl_fpm_generate(struct fl_fpm_tx *tx, struct fl_fpm_rx *rx,
					    __u64 now_ns, struct fl_fpm_mark *mark)
{
	tx->marked_ns = now_ns;
	mark->tx_colour = tx->colour & FL_FPM_COLOUR_MASK;
	mark->tx_time_ms = fl_fpm_time(now_ns);
	mark->drop = 1;
	fl_fpm_answer(rx, now_ns, mark);
}

/* --- receiving -------------------------------------------------------------------------------- */

/* The colours before this one cannot be compared with it any more. */
static __always_inline void fl_fpm_colour_anew(struct fl_fpm_rx *rx, const struct fl_fpm_mark *mark)
{
	rx->colour = mark->tx_colour & FL_FPM_COLOUR_MASK;
	rx->cnt_cur = 1;
	rx->cnt_prev = FL_FPM_UNKNOWN;
}

/* Step 3, the counts. Return: has the colour changed? */
static __always_inline bool fl_fpm_count(struct fl_fpm_rx *rx, const struct fl_fpm_mark *mark)
{
	__u32 ahead = (mark->tx_colour - rx->colour) & FL_FPM_COLOUR_MASK;

	/* The first one may be any of its colour: how many there were, nobody knows. */
	if (!(rx->flags & FL_FPM_RX_SEEN)) {
		fl_fpm_colour_anew(rx, mark);
		rx->flags |= FL_FPM_RX_SEEN | FL_FPM_RX_PARTIAL;
		return true;
	}
	if (ahead == 0) {
		if (rx->cnt_cur < FL_FPM_COUNT_MAX)
			rx->cnt_cur++;
		return false;
	}
	if (ahead == FL_FPM_COLOUR_MASK) { /* late */
		if (rx->cnt_prev < FL_FPM_COUNT_MAX)
			rx->cnt_prev++;
		return false;
	}
	if (ahead == 1) {
		rx->cnt_prev = rx->flags & FL_FPM_RX_PARTIAL ? FL_FPM_UNKNOWN : rx->cnt_cur;
		rx->cnt_cur = 1;
		rx->colour = mark->tx_colour & FL_FPM_COLOUR_MASK;
	} else {
		fl_fpm_colour_anew(rx, mark);
	}
	rx->flags &= (__u8)~FL_FPM_RX_PARTIAL;
	return true;
}

/*
 * Step 3: counts and times of what the peer sent. The answer's base is the packet that arrived
 * last, not the one that was sent last: on a link that reorders, the latter has always overtaken
 * others, and round trips would look shorter than they are (by 8 % at 80 +- 15 ms: test_fpm_truth).
 * A time that is older than any packet can be late is that of a peer that started anew.
 */
static __always_inline void fl_fpm_receive(struct fl_fpm_rx *rx, const struct fl_fpm_mark *mark,
					   __u64 now_ns)
{
	__u32 behind = (rx->rx_time_ms - mark->tx_time_ms) & FL_FPM_TIME_MASK;

	if (behind > FL_FPM_RTT_MAX_MS && behind < (FL_FPM_TIME_MASK >> 1))
		rx->flags &= (__u8)~FL_FPM_RX_SEEN;
	if (!mark->drop && fl_fpm_count(rx, mark)) {
		rx->changed_ns = now_ns;
		rx->flags |= FL_FPM_RX_OWED;
	}
	rx->rx_time_ms = mark->tx_time_ms & FL_FPM_TIME_MASK;
	rx->rx_at_ns = now_ns;
	rx->flags |= FL_FPM_RX_TIMED;
}

/* Steps 5 and 6: a round trip and its difference to the one before. */
static __always_inline void fl_fpm_round_trip(struct fl_fpm_block *block,
					      const struct fl_fpm_mark *mark, __u64 now_ns)
{
	__u32 rtt_ms = (fl_fpm_time(now_ns) - mark->rx_time_ms) & FL_FPM_TIME_MASK;
	__u32 rtt_us = rtt_ms * 1000, before = block->rtt_last_us;

	if (rtt_ms == FL_FPM_TIME_MASK) { /* less than a millisecond, and rounded */
		rtt_ms = 0;
		rtt_us = 0;
	}
	if (!mark->rx_time_ms || rtt_ms > FL_FPM_RTT_MAX_MS)
		return;
	if (block->rtt_count) {
		block->jitter_sum_us += rtt_us > before ? rtt_us - before : before - rtt_us;
		block->jitter_count++;
	}
	block->rtt_sum_us += rtt_us;
	block->rtt_last_us = rtt_us;
	block->rtt_count++;
}

/*
 * Steps 4 to 6: what the peer says about what we sent. A colour that it cannot have seen, or whose
 * predecessor it did not count, says nothing about losses; its round trip counts with the last
 * colour that is over.
 */
static __always_inline void fl_fpm_report(struct fl_fpm_reports *reports,
					  const struct fl_fpm_tx *tx,
					  const struct fl_fpm_mark *mark, __u64 now_ns)
{
	__u32 age = (tx->colour + 1u - mark->rx_colour) & FL_FPM_COLOUR_MASK, colour, last_age;
	struct fl_fpm_block *block;
	__u16 count = mark->prev_count;

	if (!age || count == FL_FPM_UNKNOWN) {
		age = 1;
		count = FL_FPM_UNKNOWN;
	}
	colour = (tx->colour - age) & FL_FPM_COLOUR_MASK;
	block = &reports->block[colour];
	/* A late report about an earlier colour than the last one: its block is closed. */
	last_age = (tx->colour - reports->colour) & FL_FPM_COLOUR_MASK;
	if (age > last_age && reports->block[reports->colour & FL_FPM_COLOUR_MASK].first_ns)
		return;
	if (!block->first_ns || age != last_age) {
		*block = (struct fl_fpm_block){ .first_ns = now_ns,
						.sent = tx->sent[colour],
						.count = FL_FPM_UNKNOWN };
		reports->colour = (__u8)colour;
	}
	block->last_ns = now_ns;
	if (count != FL_FPM_UNKNOWN)
		block->count = count;
	fl_fpm_round_trip(block, mark, now_ns);
}

/* All that a received mark does. */
static __always_inline void fl_fpm_take(struct fl_fpm_scope *scope, const struct fl_fpm_mark *mark,
					__u64 now_ns)
{
	fl_fpm_receive(&scope->rx, mark, now_ns);
	fl_fpm_report(&scope->reports, &scope->tx, mark, now_ns);
}

/* --- the wire --------------------------------------------------------------------------------- */

static __always_inline void fl_fpm_put(const struct fl_fpm_mark *mark, struct fl_fpm_wire *wire)
{
	wire->tx = FL_BE32((__u32)mark->tx_colour << 28 | (mark->tx_time_ms & FL_FPM_TIME_MASK));
	wire->rx = FL_BE32((__u32)mark->rx_colour << 28 | (mark->rx_time_ms & FL_FPM_TIME_MASK));
	wire->count = FL_BE16((mark->drop ? FL_FPM_DROP : 0) | (mark->prev_count & FL_FPM_UNKNOWN));
}

static __always_inline void fl_fpm_get(const struct fl_fpm_wire *wire, struct fl_fpm_mark *mark)
{
	__u32 tx = FL_HOST32(wire->tx), rx = FL_HOST32(wire->rx);
	__u16 count = FL_HOST16(wire->count);

	*mark = (struct fl_fpm_mark){ .tx_time_ms = tx & FL_FPM_TIME_MASK,
				      .rx_time_ms = rx & FL_FPM_TIME_MASK,
				      .prev_count = count & FL_FPM_UNKNOWN,
				      .tx_colour = (__u8)(tx >> 28),
				      .rx_colour = (__u8)(rx >> 28),
				      .drop = (__u8)(count >> 15) };
}

#endif
