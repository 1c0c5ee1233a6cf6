// SPDX-License-Identifier: Apache-2.0
/* How paths are watched: see table.h. Source: svr-protocol.md 5.1. */
#include "agent/config/table_macros.h"

static const struct fl_cfg_word states[] = { { "disabled", 0 }, { "enabled", 1 }, { 0 } };

static const struct fl_cfg_field bfd_fields[] = {
	{ .key = "state",
	  WORD(fl_cfg_bfd, enabled, states, 1),
	  .help = "disabled: a path is usable when its device, route and neighbour are" },
	{ .key = "desired-tx-interval",
	  U32(fl_cfg_bfd, desired_tx_ms, 50, 600000, 1000),
	  .help = "between packets to the peer, ms; the peer may ask for fewer" },
	{ .key = "required-min-rx-interval",
	  U32(fl_cfg_bfd, required_min_rx_ms, 50, 600000, 500),
	  .help = "between packets of the peer's, ms: it sends no faster" },
	{ .key = "required-min-echo-interval",
	  U32(fl_cfg_bfd, required_min_echo_ms, 0, 600000, 1000),
	  .help = "between link-test packets of the peer's, ms, as announced; 0: it shall send none" },
	{ .key = "multiplier",
	  NUM(FL_CFG_U8, fl_cfg_bfd, multiplier, 3, 20, 3),
	  .help = "intervals without a packet after which the path is down" },
	{ .key = "link-test-interval",
	  U32(fl_cfg_bfd, link_test_interval_s, 1, 86400, 10),
	  .help = "from one link test to the next, s" },
	{ .key = "link-test-length",
	  NUM(FL_CFG_U8, fl_cfg_bfd, link_test_length, 0, 255, 10),
	  .help = "packets of a link test; 0: none" },
	{ .key = "echo-detection",
	  WORD(fl_cfg_bfd, echo_detection, states, 1),
	  .help = "a peer that is late is asked by echo, and the path is down when none is answered" },
	{ .key = "hold-down-time",
	  U32(fl_cfg_bfd, hold_down_s, 1, 300, 5),
	  .help = "for which a path that comes up is not used yet, s" },
	{ .key = "dynamic-damping",
	  WORD(fl_cfg_bfd, dynamic_damping, states, 0),
	  .help = "a path that goes down in its hold-down doubles the next one" },
	{ .key = "maximum-hold-down-time",
	  U32(fl_cfg_bfd, max_hold_down_s, 1, 86400, 3600),
	  .help = "up to which dynamic damping goes, s" },
	{ .key = "dscp",
	  NUM(FL_CFG_U8, fl_cfg_bfd, dscp, 0, 63, 0),
	  .help = "of packets to the peer" },
	END,
};
const struct fl_cfg_object fl_cfg_bfd_object = { "bfd", sizeof(struct fl_cfg_bfd), bfd_fields,
						 NULL };
