// SPDX-License-Identifier: Apache-2.0
/* What the insight service is told of this router: see table.h and agent/export/README.md. */
#include "agent/config/table_macros.h"

static const struct fl_cfg_field element_name = { .key = "", .kind = FL_CFG_NAME };

static const struct fl_cfg_field capacity_fields[] = {
	{ .key = "interface",
	  .flags = FL_CFG_REQUIRED,
	  NAME(fl_cfg_capacity, interface_name),
	  .help = "network interface of this router" },
	{ .key = "upload",
	  U32(fl_cfg_capacity, upload_mbps, 0, 1000000, 0),
	  .help = "Mbit/s that it can send; 0: not known" },
	{ .key = "download",
	  U32(fl_cfg_capacity, download_mbps, 0, 1000000, 0),
	  .help = "Mbit/s that it can receive; 0: not known" },
	END,
};
static const struct fl_cfg_object capacity_object = { "capacity", sizeof(struct fl_cfg_capacity),
						      capacity_fields, "interface" };

static const struct fl_cfg_field export_fields[] = {
	{ .key = "enabled",
	  BOOL(fl_cfg_export, enabled, false),
	  .help = "tell of sessions, clients and paths by a socket in /run/fairlead-export" },
	{ .key = "site",
	  NAME(fl_cfg_export, site),
	  .help = "site that this router belongs to; default: its own name" },
	{ .key = "queue-size",
	  U32(fl_cfg_export, queue_mb, 1, 16384, 64),
	  .help = "MB on disk that may wait for the insight service; the oldest is dropped then" },
	{ .key = "session-minimum",
	  U32(fl_cfg_export, session_minimum_s, 0, 3600, 10),
	  .help = "s; sessions that do not last that long are not told of" },
	{ .key = "records-per-second",
	  U32(fl_cfg_export, records_per_second, 1, 100000, 200),
	  .help = "session records at most, of Zoom and VPN services, and as many of others" },
	{ .key = "zoom-service",
	  LIST(fl_cfg_export, zoom_service),
	  .element = &element_name,
	  .help = "services that carry Zoom calls; of others, well-known ports tell" },
	{ .key = "vpn-service",
	  LIST(fl_cfg_export, vpn_service),
	  .element = &element_name,
	  .help = "services that carry clients' full tunnels" },
	{ .key = "dhcp-leases",
	  LIST(fl_cfg_export, dhcp_leases),
	  .element = &element_name,
	  .help = "lease files of dnsmasq, Kea (CSV) or ISC dhcpd on this host: names of clients" },
	{ .key = "capacity",
	  LIST(fl_cfg_export, capacity),
	  .object = &capacity_object,
	  .help = "what links can carry: utilisation is a cause of bad calls" },
	END,
};
const struct fl_cfg_object fl_cfg_export_object = { "export", sizeof(struct fl_cfg_export),
						    export_fields, NULL };
