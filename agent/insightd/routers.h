/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections to the routers of this host, by their export sockets: found, read, acknowledged when
 * the store has what they tell, and found again after a break. The loop's thread only.
 */
#ifndef FL_AGENT_INSIGHTD_ROUTERS_H
#define FL_AGENT_INSIGHTD_ROUTERS_H

#include <systemd/sd-event.h>

#include "agent/codec/json.h"
#include "agent/insight/receive.h"
#include "agent/insight/store.h"

struct fl_routers;

struct fl_routers_cfg {
	const char *pattern; /* of sockets, as for glob(3); copied */
	struct fl_store *store;
	/* Records came, those of this time late. */
	void (*came)(void *ctx, const struct fl_receiver_span *late);
	/* The store turned out to be damaged. */
	void (*damaged)(void *ctx);
	void *ctx;
};

/* Return: 0 or -errno. A router that is not there is none: it is looked for again and again. */
int fl_routers_new(sd_event *event, const struct fl_routers_cfg *cfg,
		   struct fl_routers **ret_routers);
void fl_routers_free(struct fl_routers *routers); /* takes NULL */

/* {"routers": [{"router": "r1", "site": "hq", "socket", "connected": true, "records": 7,
 * "unknown": 0, "dropped": 0 (by the router, before we came)}]}: those met since the start. */
void fl_routers_json(const struct fl_routers *routers, struct fl_json *to);

#endif
