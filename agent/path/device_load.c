// SPDX-License-Identifier: Apache-2.0
/* How busy a device is: see device_load.h. */
#include "agent/path/device_load.h"

#include "agent/path/sla.h"

static uint8_t place_before(uint8_t place, uint8_t steps)
{
	return (uint8_t)((place + FL_DEVICE_LOAD_SAMPLES - steps) % FL_DEVICE_LOAD_SAMPLES);
}

static void remember(struct fl_device_load *l, uint64_t rx, uint64_t tx, struct fl_mono now)
{
	l->seen[l->next].at = now;
	l->seen[l->next].rx_bytes = rx;
	l->seen[l->next].tx_bytes = tx;
	l->next = (uint8_t)((l->next + 1) % FL_DEVICE_LOAD_SAMPLES);
	if (l->count < FL_DEVICE_LOAD_SAMPLES)
		l->count++;
}

/* Of the busier direction, from the oldest sample to the newest; bits a millisecond. */
static uint32_t rate_kbps(const struct fl_device_load *l)
{
	const uint8_t last = place_before(l->next, 1), first = place_before(l->next, l->count);
	uint64_t ms = fl_mono_ms_between(l->seen[first].at, l->seen[last].at);
	uint64_t rx = l->seen[last].rx_bytes - l->seen[first].rx_bytes;
	uint64_t tx = l->seen[last].tx_bytes - l->seen[first].tx_bytes;
	uint64_t kbps = ms ? (rx > tx ? rx : tx) * 8 / ms : 0;

	return kbps > UINT32_MAX ? UINT32_MAX : (uint32_t)kbps;
}

void fl_device_load_take(struct fl_device_load *load, const struct fl_cfg_load_balancing *marks,
			 uint64_t rx_bytes, uint64_t tx_bytes, struct fl_mono now)
{
	const uint8_t last = place_before(load->next, 1);
	const uint32_t per_cent = marks->capacity_mbps * 10; /* kbit/s */
	uint32_t percent;

	if (load->count &&
	    (rx_bytes < load->seen[last].rx_bytes || tx_bytes < load->seen[last].tx_bytes))
		*load = (struct fl_device_load){ 0 };
	remember(load, rx_bytes, tx_bytes, now);
	if (load->count < 2)
		return;
	load->kbps = rate_kbps(load);
	percent = load->kbps / per_cent;
	load->percent = percent > UINT16_MAX ? UINT16_MAX : (uint16_t)percent;
	load->above =
		fl_sla_above(load->above, load->kbps, per_cent * marks->utilization_high_water_mark,
			     per_cent * marks->utilization_low_water_mark);
}
