/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One BFD session (RFC 5880 6.8; svr-protocol.md 5.1): states, timers, intervals, hold-down. Pure:
 * no I/O and no clock; the owner passes packets, times and randomness in and sends what comes out:
 *
 *	fl_bfd_rx()     a packet that was authenticated and is in sequence (bfd_peer.h)
 *	fl_bfd_tick()   when fl_bfd_wake() has come, after all packets that arrived were passed in
 *	fl_bfd_tx()     while fl_bfd_tx_due()
 *
 * A busy owner causes no false down if it keeps the order of the last but one line and passes the
 * times at which packets arrived at the host, not those at which it came to read them.
 */
#ifndef FL_AGENT_PATH_BFD_FSM_H
#define FL_AGENT_PATH_BFD_FSM_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/monotime.h"
#include "agent/codec/bfd_pkt.h"

/* While a session is not up it sends no faster (RFC 5880 6.8.3). */
#define FL_BFD_SLOW_TX_US 1000000

/* svr-protocol.md 5.1. */
#define FL_BFD_TX_MIN_US     50000
#define FL_BFD_TX_MAX_US     600000000
#define FL_BFD_MULT_MIN      3
#define FL_BFD_MULT_MAX      20
#define FL_BFD_HOLD_MIN_MS   1000
#define FL_BFD_HOLD_MAX_MS   300000
#define FL_BFD_HOLD_LIMIT_MS 86400000
/* Flaps at the maximum hold-down that bring it back to where it began. */
#define FL_BFD_FLAPS_AT_MAX 3

struct fl_bfd_cfg {
	uint32_t desired_tx_us;
	uint32_t required_rx_us;
	uint32_t required_echo_us; /* only announced; 0: we reflect nothing */
	uint32_t hold_down_ms;
	uint32_t max_hold_down_ms;
	uint8_t detect_mult;
	bool damping;
};

#define FL_BFD_CFG_DEFAULT                                                                         \
	{                                                                                          \
		.desired_tx_us = 1000000, .required_rx_us = 500000, .required_echo_us = 1000000,   \
		.hold_down_ms = 5000, .max_hold_down_ms = 3600000, .detect_mult = 3,               \
	}

/* Why an established session went down; the counters of 5.1, and our own doing. */
enum fl_bfd_cause {
	FL_BFD_CAUSE_NONE = 0,
	FL_BFD_CAUSE_TIMER_EXPIRY,
	FL_BFD_CAUSE_ECHO_FAILED,
	FL_BFD_CAUSE_REMOTE_DOWN,
	FL_BFD_CAUSE_REMOTE_ADMIN_DOWN,
	FL_BFD_CAUSE_LOCAL_OPER_DOWN,
	FL_BFD_CAUSE_LOCAL_ADMIN_DOWN,
	FL_BFD_CAUSE_MAX,
};

/* What a call has changed; bits. */
#define FL_BFD_EV_UP      0x01 /* state is now Up; not usable before FL_BFD_EV_USABLE */
#define FL_BFD_EV_DOWN    0x02 /* was Up and no longer is: at once (P-34), see cause */
#define FL_BFD_EV_USABLE  0x04 /* hold-down is over: sessions may use the path */
#define FL_BFD_EV_RESTART 0x08 /* the peer started anew or lost us: re-signal its flows (5.3) */

struct fl_bfd {
	struct fl_bfd_cfg cfg;
	enum fl_bfd_state state;
	enum fl_bfd_state remote_state;
	enum fl_bfd_diag diag;
	uint8_t remote_diag;
	uint8_t remote_mult; /* 0: nothing received yet */
	bool admin_down;
	bool oper_down;
	bool usable;
	bool poll;       /* a poll sequence runs */
	bool poll_again; /* values changed since it began: another one follows */
	bool final_due;
	bool tx_now; /* the peer does not know our state yet */
	uint32_t local_discr;
	uint32_t remote_discr;  /* 0: unknown */
	uint32_t desired_tx_us; /* bfd.DesiredMinTxInterval, as announced */
	uint32_t used_tx_us;    /* as used: a longer one waits for the end of the poll sequence */
	uint32_t used_rx_us;    /* as used: a shorter one waits likewise */
	uint32_t remote_desired_tx_us;
	uint32_t remote_min_rx_us;
	uint32_t remote_min_echo_us;
	uint32_t tx_random; /* jitter of the present interval */
	struct fl_mono last_rx;
	struct fl_mono last_tx;
	/* hold-down */
	uint32_t hold_ms; /* of the next time it comes up */
	uint8_t flaps_at_max;
	struct fl_mono usable_at;
	/* for people */
	enum fl_bfd_cause cause; /* of the last down */
	struct fl_mono since;    /* of the present state */
	uint32_t ups;
	uint32_t downs[FL_BFD_CAUSE_MAX];
	uint64_t rx_packets;
	uint64_t rx_ignored;
	uint64_t tx_packets;
};

/* Is every value in its range (5.1)? Return: 0 or -ERANGE. */
int fl_bfd_cfg_check(const struct fl_bfd_cfg *cfg);

/* Embedded by its owner. @discr: not 0, unique among our sessions, new at each start. */
void fl_bfd_init(struct fl_bfd *bfd, const struct fl_bfd_cfg *cfg, uint32_t discr,
		 struct fl_mono now);

/**
 * fl_bfd_configure() - take on changed parameters
 *
 * A session that is up stays up: the peer learns of new intervals by a poll sequence, and those
 * that could make it miss packets are used only after that (RFC 5880 6.8.3). Unchanged values do
 * nothing.
 */
void fl_bfd_configure(struct fl_bfd *bfd, const struct fl_bfd_cfg *cfg);

/**
 * fl_bfd_rx() - a valid packet from the peer
 * @at: when it arrived at this host
 *
 * Return: FL_BFD_EV_* bits; -ENOENT if it is for another session, -EOPNOTSUPP for demand mode,
 * -ENETDOWN while the interface is down, -ESHUTDOWN while administratively down: it is ignored.
 * Source: RFC 5880 6.8.6.
 */
int fl_bfd_rx(struct fl_bfd *bfd, const struct fl_bfd_pkt *pkt, struct fl_mono at);

/* The data plane has seen the peer alive at this time, by a packet that it authenticated. */
void fl_bfd_heard(struct fl_bfd *bfd, struct fl_mono at);

/* Detection time and hold-down; FL_BFD_EV_* bits. */
int fl_bfd_tick(struct fl_bfd *bfd, struct fl_mono now);

/* Its echoes do not come back (RFC 5880 6.8.5): down, if it was up; FL_BFD_EV_* bits. */
int fl_bfd_echo_failed(struct fl_bfd *bfd, struct fl_mono now);

/* Administratively down, or no longer; FL_BFD_EV_* bits. */
int fl_bfd_set_admin(struct fl_bfd *bfd, bool down, struct fl_mono now);

/* The interface cannot carry packets, or can again; FL_BFD_EV_* bits. */
int fl_bfd_set_oper(struct fl_bfd *bfd, bool down, struct fl_mono now);

bool fl_bfd_tx_due(const struct fl_bfd *bfd, struct fl_mono now);

/**
 * fl_bfd_tx() - the packet to send now
 * @random:  32 random bits, for the jitter of the interval that begins
 * @ret_pkt: has_auth and auth are left to the one who signs
 *
 * Source: RFC 5880 6.8.7.
 */
void fl_bfd_tx(struct fl_bfd *bfd, struct fl_mono now, uint32_t random, struct fl_bfd_pkt *ret_pkt);

/* When the next call of fl_bfd_tick() or fl_bfd_tx() is due; UINT64_MAX: not before an event. */
struct fl_mono fl_bfd_wake(const struct fl_bfd *bfd);

/* Time without a packet after which the session goes down (RFC 5880 6.8.4). */
uint64_t fl_bfd_detection_us(const struct fl_bfd *bfd);

/* Interval between packets before jitter, 0: none are sent (RFC 5880 6.8.2, 6.8.7). */
uint32_t fl_bfd_tx_interval_us(const struct fl_bfd *bfd);

/* The same with jitter: 75 to 100 % of it, to 90 % for a multiplier of 1 (RFC 5880 6.8.7). */
uint32_t fl_bfd_jittered_us(uint32_t interval_us, uint8_t detect_mult, uint32_t random);

/* "timer-expiry", ...: names of counters. */
const char *fl_bfd_cause_name(enum fl_bfd_cause cause);

#endif
