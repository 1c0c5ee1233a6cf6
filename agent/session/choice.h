/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What choosing among paths needs to remember: how paths stand by the limits of each policy (P-40),
 * whose turn it is, and how many sessions each service route carries. decide.c and steer.c make
 * snapshots of it (sla.h); only what really happens changes it. Loop thread only.
 */
#ifndef FL_AGENT_SESSION_CHOICE_H
#define FL_AGENT_SESSION_CHOICE_H

#include "agent/path/fabric.h"
#include "agent/path/sla.h"

struct fl_choice;

/* FPM's figures of a path, for sessions of a wire protocol; `has` 0: none that are valid. */
typedef struct fl_quality (*fl_choice_fpm)(void *ctx, uint16_t path, uint8_t proto);

int fl_choice_new(struct fl_choice **ret_choice);
void fl_choice_free(struct fl_choice *choice); /* takes NULL */

/* Where FPM's figures come from; NULL: nowhere. */
void fl_choice_set_fpm(struct fl_choice *choice, fl_choice_fpm fpm, void *ctx);

/* What a session asks of its paths. */
struct fl_choice_for {
	const struct fl_cfg_service_policy *cfg; /* NULL: defaults */
	uint16_t policy;                         /* its name id; 0: none */
	uint8_t proto;                           /* between routers: TCP or UDP */
};

/* The configuration's policy as fl_sla_decide() wants it. */
struct fl_sla_policy fl_choice_policy(const struct fl_cfg_service_policy *cfg);

/**
 * fl_choice_path() - a path to a peer as a candidate, as it is now
 * @cost: of the route that leads to it; the adjacency's is added
 */
void fl_choice_path(const struct fl_choice *choice, const struct fl_fabric *fabric,
		    const struct fl_choice_for *what, uint16_t path, uint32_t cost,
		    struct fl_sla_path *ret_path);

/* How busy the device of an interface is, into @load. */
void fl_choice_device(const struct fl_fabric *fabric, uint16_t iface, struct fl_sla_load *load);

/* A new session took its path: whose turn it is next. */
void fl_choice_taken(struct fl_choice *choice, const struct fl_choice_for *what,
		     const struct fl_sla_decision *decision);

/**
 * fl_choice_judge() - look at a path by a policy's limits (P-40)
 *
 * Looks that come too early do not count. Return: does the path stand otherwise now?
 */
bool fl_choice_judge(struct fl_choice *choice, const struct fl_fabric *fabric,
		     const struct fl_choice_for *what, uint16_t path, struct fl_mono now);

/* The path is none any more: how it stood is not how the next one of this number does. */
void fl_choice_forget_path(struct fl_choice *choice, uint16_t path);

/* --- service routes --------------------------------------------------------------------------- */

/* Number of a route by its name, 0 if there are too many; it stays the same over reloads. */
uint16_t fl_choice_route(struct fl_choice *choice, const char *name);

/* "" for 0. */
const char *fl_choice_route_name(const struct fl_choice *choice, uint16_t route);

/* How a route stands by the limits of its policy, into @load. @policy NULL: no limits. */
void fl_choice_load(const struct fl_choice *choice, uint16_t route,
		    const struct fl_cfg_route_policy *policy, struct fl_mono now,
		    struct fl_sla_load *load);

/* A session took it, or has ended; 0 is allowed. @policy: as for fl_choice_load(). */
void fl_choice_route_taken(struct fl_choice *choice, uint16_t route,
			   const struct fl_cfg_route_policy *policy, struct fl_mono now);
void fl_choice_route_left(struct fl_choice *choice, uint16_t route,
			  const struct fl_cfg_route_policy *policy);

/* Found after a restart: it counts, but is not new. */
void fl_choice_route_found(struct fl_choice *choice, uint16_t route);

#endif
