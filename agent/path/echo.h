/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Link tests by BFD echo (svr-protocol.md 5.3): bursts of packets that the peer reflects, what they
 * say about the path, and the rolling mean that service levels are judged by. Pure: the owner sends
 * when it is due, and passes in what came back and when.
 */
#ifndef FL_AGENT_PATH_ECHO_H
#define FL_AGENT_PATH_ECHO_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/monotime.h"
#include "agent/codec/meta_types.h"
#include "agent/path/mos.h"

#define FL_ECHO_SPACING_MS 20   /* P-36 */
#define FL_ECHO_COLLECT_MS 3000 /* P-36: after the last was sent */
/* With tests more often than that: how much later than the longest so far one may come (chosen). */
#define FL_ECHO_LATER_MS     250
#define FL_ECHO_LENGTH_MAX   255
#define FL_ECHO_ROLLING_MS   60000 /* path-metrics-rolling-avg-interval, default */
#define FL_ECHO_INTERVAL_MIN 1000
/* Bursts under way at once: collecting may take longer than the shortest interval (chosen: 255
 * packets take 5.1 s to send and 3 s to collect). */
#define FL_ECHO_BURSTS 4
/* Paths whose bursts begin together. */
#define FL_ECHO_TOGETHER 8

/* --- bursts ----------------------------------------------------------------------------------- */

struct fl_echo_cfg {
	uint32_t interval_ms; /* link-test-interval, from one burst's start to the next one's */
	uint8_t length;       /* link-test-length; 0: none are sent */
	uint32_t phase_ms; /* bursts begin this long after multiples of the interval; see below */
};

/**
 * fl_echo_phase_ms() - when in the interval the bursts of a path begin
 *
 * A few paths each begin together, so that whoever sends for a hundred of them runs for all at
 * once, and not every few milliseconds for one; no more than a few, because packets of many would
 * queue behind each other on a slow link, and measure that. (FL_ECHO_TOGETHER: chosen.)
 */
uint32_t fl_echo_phase_ms(const struct fl_echo_cfg *cfg, uint16_t path);

#define FL_ECHO_CFG_DEFAULT                                                                        \
	{                                                                                          \
		.interval_ms = 10000, .length = 10                                                 \
	}

struct fl_echo_burst {
	uint32_t id; /* 0: unused */
	uint8_t length;
	uint8_t sent;
	uint8_t received;
	uint32_t longest_us; /* of the round trips so far */
	struct fl_mono last_tx;
};

struct fl_echo {
	struct fl_echo_cfg cfg;
	uint32_t last_id;
	struct fl_mono start_at; /* of the next burst */
	struct fl_echo_burst burst[FL_ECHO_BURSTS];
	/* Of each burst; apart, since few turns need them. UINT32_MAX: not back. */
	uint32_t rtt_us[FL_ECHO_BURSTS][FL_ECHO_LENGTH_MAX];
	uint64_t sent;
	uint64_t received;
	uint64_t refused; /* came back too late, twice, or was never sent */
};

struct fl_echo_result {
	struct fl_quality quality; /* loss always; the others only if enough came back */
	uint8_t sent;
	uint8_t received;
};

/* @first: burst id to begin with; better not the same at each start. */
void fl_echo_init(struct fl_echo *echo, const struct fl_echo_cfg *cfg, uint32_t first,
		  struct fl_mono now);

/* New parameters, from the next burst on. */
void fl_echo_configure(struct fl_echo *echo, const struct fl_echo_cfg *cfg, struct fl_mono now);

/* Forget bursts under way: the path went down or came up. */
void fl_echo_restart(struct fl_echo *echo, struct fl_mono now);

/**
 * fl_echo_tx() - is a packet to be sent now?
 * @ret_echo: what it says; written only if so
 *
 * Call until it returns false. A late caller sends late packets, but not two at once.
 */
bool fl_echo_tx(struct fl_echo *echo, struct fl_mono now, struct fl_meta_echo *ret_echo);

/**
 * fl_echo_rx() - a packet came back, and its HMAC held
 * @at: when it arrived at this host
 *
 * Return: 0; -ESTALE for a burst that is over, -EALREADY for a duplicate, -EBADMSG for what was
 * never sent.
 */
int fl_echo_rx(struct fl_echo *echo, const struct fl_meta_echo *said, struct fl_mono at);

/* Is a burst on its way, whose packets are to leave FL_ECHO_SPACING_MS apart? */
bool fl_echo_is_sending(const struct fl_echo *echo);

/* A burst of which all came back, or which is over; once each. */
bool fl_echo_result(struct fl_echo *echo, struct fl_mono now, struct fl_echo_result *ret_result);

/* When fl_echo_tx() or fl_echo_result() will have something; UINT64_MAX: never. */
struct fl_mono fl_echo_wake(const struct fl_echo *echo);

/* --- rolling mean ----------------------------------------------------------------------------- */

#define FL_ROLLING_SAMPLES 128

/* The last samples; each holds until the next one, the last one until now. */
struct fl_rolling {
	struct {
		struct fl_mono at;
		struct fl_quality quality;
	} sample[FL_ROLLING_SAMPLES];
	uint32_t count; /* ever added since the last reset */
};

void fl_rolling_reset(struct fl_rolling *rolling);
void fl_rolling_add(struct fl_rolling *rolling, const struct fl_quality *quality,
		    struct fl_mono at);

/**
 * fl_rolling_mean() - time-weighted mean of the last @window_ms (P-37)
 *
 * Each measure is weighed by the time for which it was known: a burst that was lost as a whole says
 * nothing about latency. What is as old as the window still counts if there is nothing newer.
 */
struct fl_quality fl_rolling_mean(const struct fl_rolling *rolling, uint32_t window_ms,
				  struct fl_mono now);

#endif
