/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision about a new session: tenant, service, permission, way. The one place where it is
 * made: first packets, moves, `fairlead explain` and reloads ask here. It changes nothing but the
 * fabric's memory of routes.
 */
#ifndef FL_AGENT_SESSION_DECIDE_H
#define FL_AGENT_SESSION_DECIDE_H

#include "agent/path/fabric.h"
#include "agent/session/choice.h"
#include "agent/session/fib.h"
#include "common/drop_reason.h"

#define FL_MAX_CANDIDATES FL_SLA_MAX_PATHS

/* What decisions are made by. */
struct fl_deciding {
	const struct fl_config *config;
	const struct fl_fib *fib;
	struct fl_fabric *fabric;
	const struct fl_choice *choice;
	const uint16_t *policy_names; /* name id of each service policy of the configuration */
	const uint16_t *routes;       /* fl_choice_route() of each service route */
	struct fl_mono now;
};

struct fl_question {
	struct fl_tuple tuple;        /* as the initiator sent it */
	const struct fl_netif *netif; /* from a LAN; NULL: from a peer, or this host */
	uint16_t from_peer;           /* 0: not from a peer */
	const char *tenant;           /* from metadata; NULL: by interface, or the host's own */
	bool ignore_ways;             /* only who may reach what */
	uint16_t only_peer;           /* a session that moves must stay with this one; 0: any */
};

/* One way that the session could take. */
struct fl_candidate {
	const struct fl_cfg_service_route *route;
	uint16_t peer; /* to a peer: its id and the path; else 0 */
	uint16_t path;
	struct fl_exit exit;    /* not to a peer: out by here */
	struct fl_addr nat_dst; /* new destination; family 0: unchanged */
	uint16_t slot;          /* of the route: fl_choice_route() */
	uint32_t vector_cost;
	uint32_t cost;       /* of route and adjacency */
	const char *why_not; /* NULL: it is the one that is taken */
};

struct fl_decision {
	enum fl_drop_reason reason; /* FL_DROP_NONE: allowed, by @chosen */
	int tenant;                 /* index or FL_CFG_NONE */
	struct fl_fib_match match;
	const struct fl_cfg_service *service;       /* NULL without one */
	const struct fl_cfg_service_policy *policy; /* NULL: defaults */
	const struct fl_cfg_session_type *type;     /* NULL: built-in timers */
	struct fl_candidate candidates[FL_MAX_CANDIDATES];
	size_t n_candidates;
	const struct fl_candidate *chosen;
	struct fl_choice_for what;
	struct fl_sla_decision sla; /* the choice among the candidates, which are its paths */
};

/**
 * fl_decide() - what becomes of a first packet with this tuple
 *
 * Source: svr-protocol.md 3.1, 6.2.
 */
void fl_decide(const struct fl_deciding *by, const struct fl_question *question,
	       struct fl_decision *ret_decision);

/* The ways to a service of the configuration, and the choice among them, whoever may use it. */
void fl_decide_ways(const struct fl_deciding *by, int service, const struct fl_question *question,
		    struct fl_decision *ret_decision);

/* Limits of a service route, NULL without any. */
const struct fl_cfg_route_policy *fl_route_policy(const struct fl_config *config,
						  const struct fl_cfg_service_route *route);

#endif
