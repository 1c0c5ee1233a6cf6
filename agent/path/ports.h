/* SPDX-License-Identifier: Apache-2.0 */
/* The range that waypoint ports are taken from (svr-protocol.md 3.8, P-27). */
#ifndef FL_AGENT_PATH_PORTS_H
#define FL_AGENT_PATH_PORTS_H

#include <stdint.h>

#include "agent/config/config.h"

#define FL_WAYPOINT_PORT_LO 16384
#define FL_WAYPOINT_PORT_HI 65533

/* What a NAT may make of them: it stays above the well-known ones (RFC 4787 REQ-3). */
#define FL_NAT_PORT_LO 1024
#define FL_NAT_PORT_HI 65535

struct fl_port_range {
	uint16_t lo; /* inclusive */
	uint16_t hi;
};

static inline struct fl_port_range fl_waypoint_ports(const struct fl_cfg_port_range *configured)
{
	if (configured)
		return (struct fl_port_range){ configured->start_port, configured->end_port };
	return (struct fl_port_range){ FL_WAYPOINT_PORT_LO, FL_WAYPOINT_PORT_HI };
}

#endif
