// SPDX-License-Identifier: Apache-2.0
/* Mean opinion score: see mos.h. */
#include "agent/path/mos.h"

uint16_t fl_mos_x100(uint32_t latency_us, uint32_t jitter_us, uint32_t loss_ppm)
{
	double e = latency_us / 1000.0 + 2 * (jitter_us / 1000.0) + 10;
	double r = e < 160 ? 93.2 - e / 40 : 93.2 - (e - 120) / 10;
	double mos;

	r -= 2.5 * (loss_ppm / 10000.0);
	if (r <= 0)
		return FL_MOS_MIN;
	mos = 100 * (1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r));
	if (mos <= FL_MOS_MIN)
		return FL_MOS_MIN;
	return mos >= FL_MOS_MAX ? FL_MOS_MAX : (uint16_t)(mos + 0.5);
}

uint16_t fl_mos_of(const struct fl_quality *quality)
{
	if (quality->has != FL_QUALITY_ALL)
		return 0;
	return fl_mos_x100(quality->latency_us, quality->jitter_us, quality->loss_ppm);
}
