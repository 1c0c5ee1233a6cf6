/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a bad link does to frames (impair.c): dice, the queue of what is under way, settings and
 * counts. No I/O and no clock, so that a unit test can look at it.
 */
#ifndef FL_TEST_TOOLS_IMPAIR_H
#define FL_TEST_TOOLS_IMPAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMPAIR_HDR_LEN 10 /* struct virtio_net_hdr before each frame: offloads pass unchanged */
#define IMPAIR_QUEUE   (1u << 18)

struct impair_settings {
	double delay_ms;
	double jitter_ms; /* delay +- this */
	double loss_pct;
	double duplicate_pct;
	double reorder_pct; /* this many come reorder_ms later, and others pass them */
	double reorder_ms;
	double rate_mbps;   /* 0: no limit */
	double queue_ms;    /* of a rate limit; what would wait longer is dropped */
	double independent; /* 0: jitter walks slowly, order is kept; 1: new dice for each frame */
	double blackhole;   /* 1: everything is lost */
	double spare;       /* UDP of this port passes as if the link were good; 0: none */
};

struct impair_counts {
	uint64_t received, sent, bytes;
	uint64_t lost, blackholed, overflowed, errors;
	uint64_t duplicated, reordered;
	/* of what was sent, in ns: delays as decided, and how late it left */
	uint64_t delay_sum, delay_min, delay_max;
	uint64_t change_sum; /* |delay - delay of the frame before| */
	uint64_t late_sum, late_max;
};

struct impair_direction {
	struct impair_settings set;
	struct impair_counts counts;
	uint64_t dice;
	double walk_ms; /* jitter now, if it walks */
	uint64_t walked_at_ns;
	uint64_t last_due_ns;   /* nothing is due earlier, if order is kept */
	uint64_t busy_until_ns; /* rate limit */
	uint64_t last_delay_ns;
};

struct impair_frame {
	uint64_t due_ns;
	uint64_t seq;
	uint64_t delay_ns;
	int dir;
	size_t len;
	uint8_t data[];
};

struct impair {
	struct impair_direction dir[2];
	uint64_t seed;
	uint64_t seq;
	size_t queued;
	struct impair_frame **heap;
};

void impair_init(struct impair *im, uint64_t seed);

/* A frame arrived at this time; @dir: 0 there, 1 back. It is copied. */
void impair_take(struct impair *im, int dir, const void *data, size_t len, uint64_t at_ns);

/* The next frame that is due, for the caller to send and free; NULL if there is none. */
struct impair_frame *impair_due(struct impair *im, uint64_t now_ns);

/* It was sent. */
void impair_sent(struct impair *im, const struct impair_frame *frame, uint64_t now_ns);

/* When the next one is due; UINT64_MAX: never. */
uint64_t impair_next(const struct impair *im);

/* One line of the protocol; the answer ends with "ok\n" or is "error: ...\n". Return: was it ok? */
bool impair_command(struct impair *im, const char *line, char *answer, size_t size);

#endif
