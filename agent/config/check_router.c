// SPDX-License-Identifier: Apache-2.0
/* What must hold between values of the router: interfaces, paths, peers, routes. */
#include <stdio.h>
#include <string.h>

#include "common/bfd.h"

#include "agent/config/config_internal.h"

void fl_cfg_interface_pointer(const struct fl_config *config,
			      const struct fl_cfg_network_interface *n,
			      char pointer[FL_CFG_INTERFACE_POINTER])
{
	size_t at = (size_t)(n - config->router.device_interface[n->device].network_interface);

	snprintf(pointer, FL_CFG_INTERFACE_POINTER,
		 "/router/device-interface/%d/network-interface/%zu", n->device, at);
}

/* Can packets be sent to it? Not to "all zero", a group, or everybody. */
static bool is_unicast(const struct fl_addr *a)
{
	static const struct fl_addr none = { 0 };

	if (!memcmp(a->b, none.b, sizeof(a->b)))
		return false;
	return a->family == 6 ? a->b[0] != 0xff : a->b[0] < 224;
}

static void must_be_unicast(struct fl_cfg_load *load, const struct fl_addr *a, const char *pointer)
{
	char text[FL_ADDR_TEXT];

	if (a->family && !is_unicast(a))
		fl_cfg_complain_at(load, false, fl_addr_format(a, text),
				   "must be the address of one host", "%s", pointer);
}

/* Names of peers: of other routers of the authority, if that has a list. */
static void check_peer_name(struct fl_cfg_load *load, const struct fl_config *config,
			    const char *name, const char *pointer)
{
	bool known = !config->authority.n_router;

	for (size_t k = 0; k < config->authority.n_router; k++)
		known |= !strcmp(config->authority.router[k].name, name);
	if (!strcmp(name, config->router.name))
		fl_cfg_complain_at(load, false, name, "is this router itself", "%s", pointer);
	else if (!known)
		fl_cfg_complain_at(load, false, name, "no such router in /authority/router", "%s",
				   pointer);
}

/* --- adjacencies -------------------------------------------------------------------------------
 */

static void check_ends(struct fl_cfg_load *load, const struct fl_config *config,
		       const struct fl_cfg_adjacency *a, const char *pointer)
{
	char text[FL_ADDR_TEXT], member[256];

	snprintf(member, sizeof(member), "%s/ip-address", pointer);
	must_be_unicast(load, &a->ip_address, member);
	snprintf(member, sizeof(member), "%s/local-address", pointer);
	must_be_unicast(load, &a->local, member);
	fl_addr_format(&a->ip_address, text);
	if (a->local.family && a->local.family != a->ip_address.family)
		fl_cfg_complain_at(load, false, NULL, "must be of the family of ip-address",
				   "%s/local-address", pointer);
	if (fl_addr_equal(&a->local, &a->ip_address))
		fl_cfg_complain_at(load, false, text, "is this router's own address",
				   "%s/ip-address", pointer);
	for (size_t k = 0; config->path[k] != a; k++)
		if (fl_addr_equal(&config->path[k]->local, &a->local) &&
		    fl_addr_equal(&config->path[k]->ip_address, &a->ip_address))
			fl_cfg_complain_at(load, false, text,
					   "another adjacency has this pair of addresses, too",
					   "%s/ip-address", pointer);
}

/* A hold-down that damping may not reach would be cut by it. */
static void check_bfd(struct fl_cfg_load *load, const struct fl_cfg_bfd *bfd, const char *pointer)
{
	if (bfd && bfd->max_hold_down_s < bfd->hold_down_s)
		fl_cfg_complain_at(load, false, NULL, "must not be below hold-down-time",
				   "%s/bfd/maximum-hold-down-time", pointer);
}

static void check_port_range(struct fl_cfg_load *load, const struct fl_cfg_port_range *range,
			     const char *pointer)
{
	if (range->start_port > range->end_port)
		fl_cfg_complain_at(load, false, NULL, "must not be below start-port",
				   "%s/port-range/end-port", pointer);
	else if (range->start_port <= FL_BFD_PORT && range->end_port >= FL_BFD_PORT)
		fl_cfg_complain_at(load, false, NULL, "must not have port 1280, which is BFD's",
				   "%s/port-range", pointer);
}

/* Waypoint ports are the peer's, by whichever of its paths a session goes. */
static void check_same_range(struct fl_cfg_load *load, const struct fl_config *config,
			     const struct fl_cfg_adjacency *a, const char *pointer)
{
	const struct fl_cfg_port_range none = { 0 }, *mine = a->port_range ? a->port_range : &none;

	for (size_t k = 0; config->path[k] != a; k++) {
		const struct fl_cfg_port_range *other = config->path[k]->port_range;

		if (strcmp(config->path[k]->peer_name, a->peer_name) != 0)
			continue;
		if (!other)
			other = &none;
		if (other->start_port != mine->start_port || other->end_port != mine->end_port)
			fl_cfg_complain_at(load, false, NULL,
					   "must be the same in all adjacencies of a peer",
					   "%s/port-range", pointer);
		return;
	}
}

static void check_adjacency(struct fl_cfg_load *load, const struct fl_config *config,
			    const struct fl_cfg_network_interface *n, size_t i, const char *above)
{
	const struct fl_cfg_adjacency *a = &n->adjacency[i];
	char pointer[160], member[192];

	snprintf(pointer, sizeof(pointer), "%s/adjacency/%zu", above, i);
	snprintf(member, sizeof(member), "%s/peer", pointer);
	check_peer_name(load, config, a->peer_name, member);
	check_ends(load, config, a, pointer);
	check_bfd(load, a->own_bfd, pointer);
	if (a->port_range)
		check_port_range(load, a->port_range, pointer);
	check_same_range(load, config, a, pointer);
}

/* --- interfaces --------------------------------------------------------------------------------
 */

static void check_addresses(struct fl_cfg_load *load, const struct fl_cfg_network_interface *n,
			    const char *above)
{
	char pointer[160], text[FL_ADDR_TEXT];

	for (size_t i = 0; i < n->n_address; i++) {
		snprintf(pointer, sizeof(pointer), "%s/address/%zu", above, i);
		must_be_unicast(load, &n->address[i], pointer);
		for (size_t j = 0; j < i; j++)
			if (fl_addr_equal(&n->address[j], &n->address[i])) {
				fl_cfg_complain_at(load, false,
						   fl_addr_format(&n->address[i], text),
						   "stands twice in this list", "%s", pointer);
				break;
			}
	}
}

static void check_interface(struct fl_cfg_load *load, const struct fl_config *config,
			    const struct fl_cfg_network_interface *n)
{
	char pointer[FL_CFG_INTERFACE_POINTER];

	fl_cfg_interface_pointer(config, n, pointer);
	if (n->inner_vlan && !n->vlan)
		fl_cfg_complain_at(load, false, NULL, "needs a vlan, which is the outer tag",
				   "%s/inner-vlan", pointer);
	if (n->n_adjacency && n->type == FL_CFG_EXTERNAL)
		fl_cfg_complain_at(load, false, NULL,
				   "an external interface has no peers: its type must be fabric or "
				   "shared",
				   "%s/adjacency", pointer);
	if (n->n_adjacency && !n->security_name)
		fl_cfg_complain_at(load, false, NULL,
				   "is missing: what peers send here has to be proven",
				   "%s/inter-router-security", pointer);
	if (n->type == FL_CFG_EXTERNAL && !n->tenant_name && !n->n_neighborhood && !n->source_nat)
		fl_cfg_complain_at(load, true, n->name,
				   "hosts on it belong to no tenant: only public services are "
				   "open to them",
				   "%s", pointer);
	check_addresses(load, n, pointer);
	for (size_t i = 0; i < n->n_adjacency; i++)
		check_adjacency(load, config, n, i, pointer);
}

/* Two interfaces must differ in their names and in what packets they get. */
static void check_pair(struct fl_cfg_load *load, const struct fl_config *config,
		       const struct fl_cfg_network_interface *o,
		       const struct fl_cfg_network_interface *n)
{
	const struct fl_cfg_device_interface *d = config->router.device_interface;
	char pointer[FL_CFG_INTERFACE_POINTER];

	fl_cfg_interface_pointer(config, n, pointer);
	if (!strcmp(o->name, n->name))
		fl_cfg_complain_at(load, false, n->name,
				   "another network interface has this name, too", "%s/name",
				   pointer);
	if (!strcmp(d[o->device].ifname, d[n->device].ifname) && o->vlan == n->vlan &&
	    o->inner_vlan == n->inner_vlan)
		fl_cfg_complain_at(load, false, NULL,
				   "another network interface of this device has these tags, too",
				   "%s/vlan", pointer);
}

/* Of the two marks the low one means nothing alone, and is below. */
static void check_load_balancing(struct fl_cfg_load *load, const struct fl_cfg_load_balancing *l,
				 size_t device)
{
	const char *problem = NULL;

	if (!l || !l->utilization_low_water_mark)
		return;
	if (!l->utilization_high_water_mark)
		problem = "means nothing without utilization-high-water-mark";
	else if (l->utilization_low_water_mark > l->utilization_high_water_mark)
		problem = "must not be above utilization-high-water-mark";
	if (problem)
		fl_cfg_complain_at(load, false, NULL, problem,
				   "/router/device-interface/%zu/load-balancing/"
				   "utilization-low-water-mark",
				   device);
}

static void check_interfaces(struct fl_cfg_load *load, const struct fl_config *config)
{
	/* Beyond the limit there is an error already; and pairs would take long. */
	for (size_t i = 0; i < config->n_interface && i < FL_MAX_IFACES; i++) {
		check_interface(load, config, config->interface[i]);
		for (size_t j = 0; j < i; j++)
			check_pair(load, config, config->interface[j], config->interface[i]);
	}
	for (size_t i = 0; i < config->router.n_device_interface; i++) {
		const char *name = config->router.device_interface[i].ifname;

		check_load_balancing(load, config->router.device_interface[i].load_balancing, i);
		if (strlen(name) > 15)
			fl_cfg_complain_at(load, false, name,
					   "a device's name has at most 15 bytes: give it as "
					   "ifname",
					   "/router/device-interface/%zu/ifname", i);
	}
}

/* --- peers and routes --------------------------------------------------------------------------
 */

static bool has_path(const struct fl_config *config, const char *peer)
{
	for (size_t i = 0; i < config->n_path; i++)
		if (!strcmp(config->path[i]->peer_name, peer))
			return true;
	return false;
}

/* Those that adjacencies named have a path, and were looked at there. */
static void check_peers(struct fl_cfg_load *load, const struct fl_config *config)
{
	char pointer[64];

	for (size_t i = 0; i < config->router.n_peer; i++) {
		const char *name = config->router.peer[i].name;

		if (has_path(config, name))
			continue;
		snprintf(pointer, sizeof(pointer), "/router/peer/%zu/name", i);
		check_peer_name(load, config, name, pointer);
		fl_cfg_complain_at(load, true, name, "no adjacency leads to this router", "%s",
				   pointer);
	}
}

static void check_next_hop(struct fl_cfg_load *load, const struct fl_cfg_service_route *r, size_t i)
{
	char pointer[96];

	snprintf(pointer, sizeof(pointer), "/router/service-route/%zu/next-hop/gateway-ip", i);
	must_be_unicast(load, &r->next_hop->gateway, pointer);
	snprintf(pointer, sizeof(pointer), "/router/service-route/%zu/next-hop/target-address", i);
	must_be_unicast(load, &r->next_hop->target, pointer);
	if (r->nat_target.family && r->next_hop->target.family)
		fl_cfg_complain_at(load, false, NULL,
				   "says the same as the next hop's target-address: leave one out",
				   "/router/service-route/%zu/nat-target", i);
}

/* Marks are shares of a limit, which must be there; the low one is below. */
static void check_route_policies(struct fl_cfg_load *load, const struct fl_config *config)
{
	for (size_t i = 0; i < config->router.n_service_route_policy; i++) {
		const struct fl_cfg_route_policy *p = &config->router.service_route_policy[i];

		if (p->session_high_water_mark && !p->max_sessions)
			fl_cfg_complain_at(
				load, false, NULL, "means nothing without max-sessions",
				"/router/service-route-policy/%zu/session-high-water-mark", i);
		if (p->session_low_water_mark && !p->session_high_water_mark)
			fl_cfg_complain_at(
				load, false, NULL, "means nothing without session-high-water-mark",
				"/router/service-route-policy/%zu/session-low-water-mark", i);
		else if (p->session_low_water_mark > p->session_high_water_mark)
			fl_cfg_complain_at(
				load, false, NULL, "must not be above session-high-water-mark",
				"/router/service-route-policy/%zu/session-low-water-mark", i);
	}
}

static void check_routes(struct fl_cfg_load *load, const struct fl_config *config)
{
	char pointer[64];

	check_route_policies(load, config);
	for (size_t i = 0; i < config->router.n_service_route; i++) {
		const struct fl_cfg_service_route *r = &config->router.service_route[i];
		int ways = !!r->peer_name + !!r->next_hop + r->use_learned_routes;

		if (ways != 1)
			fl_cfg_complain_at(load, false, r->name,
					   "must have exactly one of peer, next-hop, "
					   "use-learned-routes",
					   "/router/service-route/%zu", i);
		if (r->next_hop)
			check_next_hop(load, r, i);
		snprintf(pointer, sizeof(pointer), "/router/service-route/%zu/nat-target", i);
		must_be_unicast(load, &r->nat_target, pointer);
		if (!r->peer_name)
			continue;
		if (!has_path(config, r->peer_name))
			fl_cfg_complain_at(load, false, r->peer_name,
					   "no adjacency leads to this router",
					   "/router/service-route/%zu/peer", i);
		if (r->nat_target.family)
			fl_cfg_complain_at(load, false, NULL,
					   "only with next-hop or use-learned-routes",
					   "/router/service-route/%zu/nat-target", i);
	}
}

static void check_own_name(struct fl_cfg_load *load, const struct fl_config *config)
{
	bool known = !config->authority.n_router;

	for (size_t i = 0; i < config->authority.n_router; i++)
		known |= !strcmp(config->authority.router[i].name, config->router.name);
	if (!known)
		fl_cfg_complain_at(load, false, config->router.name,
				   "no such router in /authority/router", "/router/name");
}

static void check_export(struct fl_cfg_load *load, const struct fl_cfg_export *e)
{
	for (size_t i = 0; i < e->n_dhcp_leases; i++)
		if (*e->dhcp_leases[i] != '/')
			fl_cfg_complain_at(load, false, e->dhcp_leases[i],
					   "must be an absolute name of a file",
					   "/router/export/dhcp-leases/%zu", i);
}

void fl_cfg_check_router(struct fl_cfg_load *load, const struct fl_config *config)
{
	check_own_name(load, config);
	check_bfd(load, &config->authority.bfd, "/authority");
	check_bfd(load, config->router.bfd, "/router");
	check_interfaces(load, config);
	check_peers(load, config);
	check_routes(load, config);
	check_export(load, &config->router.export);
}
