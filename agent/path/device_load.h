/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How busy a device is: the rate of its byte counters over a few seconds, against the capacity that
 * the configuration gives it, and whether it is above its water marks (svr-protocol.md 6.2, step
 * 2). Pure: whoever reads the counters hands them in.
 */
#ifndef FL_AGENT_PATH_DEVICE_LOAD_H
#define FL_AGENT_PATH_DEVICE_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/monotime.h"
#include "agent/config/config.h"

/* Chosen: 3 s are long enough for bursts to even out, and short beside what sessions take. */
#define FL_DEVICE_LOAD_EVERY_MS 1000
#define FL_DEVICE_LOAD_SAMPLES  4

/* Zeroed: nothing is known. */
struct fl_device_load {
	struct {
		struct fl_mono at;
		uint64_t rx_bytes;
		uint64_t tx_bytes;
	} seen[FL_DEVICE_LOAD_SAMPLES]; /* ring */
	uint8_t count;
	uint8_t next;
	bool above;       /* of the high-water mark, and not yet below the low one */
	uint16_t percent; /* of the capacity, the busier direction */
	uint32_t kbps;    /* likewise */
};

/**
 * fl_device_load_take() - counters as they are now
 * @marks: of the configuration
 *
 * Counters that have become less are another device's: all begins anew, and it is not above.
 */
void fl_device_load_take(struct fl_device_load *load, const struct fl_cfg_load_balancing *marks,
			 uint64_t rx_bytes, uint64_t tx_bytes, struct fl_mono now);

#endif
