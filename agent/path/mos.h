/* SPDX-License-Identifier: Apache-2.0 */
/* How good a path is: latency, jitter, loss, and the one number made of them (5.3). Pure. */
#ifndef FL_AGENT_PATH_MOS_H
#define FL_AGENT_PATH_MOS_H

#include <stdbool.h>
#include <stdint.h>

#define FL_PPM 1000000u

#define FL_QUALITY_LATENCY 0x1
#define FL_QUALITY_JITTER  0x2
#define FL_QUALITY_LOSS    0x4
#define FL_QUALITY_ALL     0x7

struct fl_quality {
	uint32_t latency_us; /* half the round trip */
	uint32_t jitter_us;
	uint32_t loss_ppm;
	uint8_t has; /* FL_QUALITY_*: what was measured; the other values are 0 */
};

/* MOS in hundredths: 100 (useless) to 450. Source: svr-protocol.md 5.3. */
#define FL_MOS_MIN 100
#define FL_MOS_MAX 450

uint16_t fl_mos_x100(uint32_t latency_us, uint32_t jitter_us, uint32_t loss_ppm);

/* Of measured values; 0 if one is missing. */
uint16_t fl_mos_of(const struct fl_quality *quality);

#endif
