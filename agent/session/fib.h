/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may reach what: tenants of packets and services of destinations, compiled from a
 * configuration. Pure; nothing in it changes after fl_fib_new().
 */
#ifndef FL_AGENT_SESSION_FIB_H
#define FL_AGENT_SESSION_FIB_H

#include "agent/codec/tuple.h"
#include "agent/config/config.h"

struct fl_fib;

/**
 * fl_fib_new() - compile
 * @config: borrowed for the life of the object
 *
 * Return: 0 or -ENOMEM.
 */
int fl_fib_new(const struct fl_config *config, struct fl_fib **ret_fib);
void fl_fib_free(struct fl_fib *fib);

/**
 * fl_fib_tenant() - tenant of a packet that comes in on an interface
 *
 * The interface's tenant; a neighborhood member's prefix that holds the source only if there is
 * none, or if that tenant is a child of it. Return: index, or FL_CFG_NONE for the global tenant.
 * Source: svr-protocol.md 3.1, 2.
 */
int fl_fib_tenant(const struct fl_fib *fib, const struct fl_cfg_network_interface *netif,
		  const struct fl_addr *src);

enum fl_access {
	FL_ACCESS_NO_SERVICE = 0, /* no service covers the destination */
	FL_ACCESS_NONE,           /* one does, but its policy has nothing for this tenant */
	FL_ACCESS_DENY,           /* its policy denies this tenant */
	FL_ACCESS_ALLOW,
};

struct fl_fib_match {
	enum fl_access access;
	int service;                      /* index; FL_CFG_NONE with NO_SERVICE */
	struct fl_prefix prefix;          /* of the service, that covers the destination */
	const struct fl_cfg_access *rule; /* that decided; NULL: the service's scope did */
};

/**
 * fl_fib_lookup() - service of a destination, for a tenant
 * @tenant: index or FL_CFG_NONE
 *
 * Longest prefix, then the narrowest port range, then a named protocol before any. Services that
 * the tenant may not use do not exist for it: a shorter prefix may still fit. An explicit denial
 * ends the search. Source: svr-protocol.md 3.1, 3.
 */
void fl_fib_lookup(const struct fl_fib *fib, int tenant, const struct fl_tuple *tuple,
		   struct fl_fib_match *ret_match);

/**
 * fl_fib_access() - may this tenant open sessions to a service at all?
 * @src:      source, or family 0: then rules for prefixes do not count
 * @ret_rule: that decided; NULL: the service's scope did
 */
enum fl_access fl_fib_access(const struct fl_fib *fib, int service, int tenant,
			     const struct fl_addr *src, const struct fl_cfg_access **ret_rule);

/**
 * fl_fib_session_type() - the type of a service's sessions with this transport
 *
 * The service's own, else the first type whose transports hold it, else NULL.
 */
const struct fl_cfg_session_type *fl_fib_session_type(const struct fl_fib *fib, int service,
						      const struct fl_tuple *tuple);

/* Do these transports hold this protocol and port? Returns 0 for no, more for a narrower match. */
unsigned int fl_transport_match(const struct fl_cfg_transport *transport, size_t count,
				const struct fl_tuple *tuple);

/* Entries for `show fib`: one per prefix of an enabled service. */
size_t fl_fib_count(const struct fl_fib *fib);

#endif
