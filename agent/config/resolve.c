// SPDX-License-Identifier: Apache-2.0
/* Names to indexes, parents, inheritance, and the lists that go across devices. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config/config_internal.h"

/* Index of the element of a list of structs whose name is @name; the name is their first member. */
static int find_named(const void *list, size_t count, size_t size, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		const char *const *own = (const void *)((const uint8_t *)list + i * size);

		if (*own && !strcmp(*own, name))
			return (int)i;
	}
	return FL_CFG_NONE;
}

#define FIND(list, count, name) find_named(list, count, sizeof(*(list)), name)

int fl_config_find(const struct fl_config *config, enum fl_cfg_ref what, const char *name)
{
	const struct fl_cfg_authority *a = &config->authority;

	switch (what) {
	case FL_CFG_REF_TENANT:
		return FIND(a->tenant, a->n_tenant, name);
	case FL_CFG_REF_SERVICE:
		return FIND(a->service, a->n_service, name);
	case FL_CFG_REF_SERVICE_POLICY:
		return FIND(a->service_policy, a->n_service_policy, name);
	case FL_CFG_REF_SESSION_TYPE:
		return FIND(a->session_type, a->n_session_type, name);
	case FL_CFG_REF_SECURITY:
		return FIND(a->security, a->n_security, name);
	case FL_CFG_REF_ROUTE_POLICY:
		return FIND(config->router.service_route_policy,
			    config->router.n_service_route_policy, name);
	case FL_CFG_REF_PERFORMANCE:
		return FIND(a->performance_monitoring_profile, a->n_performance_monitoring_profile,
			    name);
	case FL_CFG_REF_INTERFACE:
		for (size_t i = 0; i < config->n_interface; i++)
			if (!strcmp(config->interface[i]->name, name))
				return (int)i;
		break;
	}
	return FL_CFG_NONE;
}

bool fl_config_tenant_is_within(const struct fl_config *config, int tenant, int ancestor)
{
	for (; tenant != FL_CFG_NONE; tenant = config->authority.tenant[tenant].parent)
		if (tenant == ancestor)
			return true;
	return false;
}

/* Index of a name that has to exist, if there is a name. */
static int refer(struct fl_cfg_load *load, const struct fl_config *config, enum fl_cfg_ref what,
		 const char *name, const char *pointer)
{
	static const char *const lists[] = {
		[FL_CFG_REF_TENANT] = "no such tenant in /authority/tenant",
		[FL_CFG_REF_SERVICE] = "no such service in /authority/service",
		[FL_CFG_REF_SERVICE_POLICY] = "no such service policy in /authority/service-policy",
		[FL_CFG_REF_SESSION_TYPE] = "no such session type in /authority/session-type",
		[FL_CFG_REF_PERFORMANCE] =
			"no such profile in /authority/performance-monitoring-profile",
		[FL_CFG_REF_SECURITY] = "no such security policy in /authority/security",
		[FL_CFG_REF_INTERFACE] = "no such network interface in /router/device-interface",
		[FL_CFG_REF_ROUTE_POLICY] = "no such policy in /router/service-route-policy",
	};
	int index;

	if (!name)
		return FL_CFG_NONE;
	index = fl_config_find(config, what, name);
	if (index == FL_CFG_NONE)
		fl_cfg_complain_at(load, false, name, lists[what], "%s", pointer);
	return index;
}

/* --- authority ---------------------------------------------------------------------------------
 */

/* What follows the first dot is the parent's name; no such thing: no parent. */
static const char *parent_name(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot ? dot + 1 : NULL;
}

static void resolve_tenants(struct fl_config *config)
{
	for (size_t i = 0; i < config->authority.n_tenant; i++) {
		struct fl_cfg_tenant *t = &config->authority.tenant[i];
		const char *parent = parent_name(t->name);

		t->parent =
			parent ? fl_config_find(config, FL_CFG_REF_TENANT, parent) : FL_CFG_NONE;
	}
}

static void resolve_source(struct fl_cfg_load *load, const struct fl_config *config,
			   struct fl_cfg_source *source, const char *pointer)
{
	size_t len = strcspn(source->text, "@");
	char tenant[FL_NAME_LEN];

	source->tenant = FL_CFG_NONE;
	if (!len)
		return;
	snprintf(tenant, sizeof(tenant), "%.*s", (int)len, source->text);
	source->tenant = refer(load, config, FL_CFG_REF_TENANT, tenant, pointer);
}

static void resolve_services(struct fl_cfg_load *load, struct fl_config *config)
{
	char pointer[128];

	for (size_t i = 0; i < config->authority.n_service; i++) {
		struct fl_cfg_service *s = &config->authority.service[i];
		const char *parent = parent_name(s->name);

		s->parent =
			parent ? fl_config_find(config, FL_CFG_REF_SERVICE, parent) : FL_CFG_NONE;
		snprintf(pointer, sizeof(pointer), "/authority/service/%zu/service-policy", i);
		s->service_policy = refer(load, config, FL_CFG_REF_SERVICE_POLICY,
					  s->service_policy_name, pointer);
		snprintf(pointer, sizeof(pointer), "/authority/service/%zu/session-type", i);
		s->session_type =
			refer(load, config, FL_CFG_REF_SESSION_TYPE, s->session_type_name, pointer);
		for (size_t j = 0; j < s->n_access_policy; j++) {
			snprintf(pointer, sizeof(pointer),
				 "/authority/service/%zu/access-policy/%zu/source", i, j);
			resolve_source(load, config, &s->access_policy[j].source, pointer);
		}
	}
}

static bool copy_transport(const struct fl_cfg_transport *from, struct fl_cfg_transport *to)
{
	size_t bytes = from->n_port_range * sizeof(*from->port_range);

	*to = *from;
	if (!bytes)
		return true;
	to->port_range = malloc(bytes);
	if (!to->port_range) {
		to->n_port_range = 0;
		return false;
	}
	memcpy(to->port_range, from->port_range, bytes);
	return true;
}

static bool inherit_transport(struct fl_cfg_service *s, const struct fl_cfg_service *parent)
{
	if (s->n_transport || !parent->n_transport)
		return true;
	s->transport = calloc(parent->n_transport, sizeof(*s->transport));
	if (!s->transport)
		return false;
	for (; s->n_transport < parent->n_transport; s->n_transport++)
		if (!copy_transport(&parent->transport[s->n_transport],
				    &s->transport[s->n_transport]))
			return false;
	return true;
}

static bool inherit_access(struct fl_cfg_service *s, const struct fl_cfg_service *parent)
{
	size_t count = s->n_access_policy + parent->n_access_policy;
	struct fl_cfg_access *grown;

	if (!parent->n_access_policy)
		return true;
	grown = realloc(s->access_policy, count * sizeof(*grown));
	if (!grown)
		return false;
	s->access_policy = grown;
	for (size_t i = 0; i < parent->n_access_policy; i++) {
		grown[s->n_access_policy] = parent->access_policy[i];
		grown[s->n_access_policy].source.text =
			strdup(parent->access_policy[i].source.text);
		if (!grown[s->n_access_policy++].source.text)
			return false;
	}
	return true;
}

/* Parents first, whatever the order of the list: a name has as many ancestors as dots. */
static void inherit(struct fl_cfg_load *load, struct fl_config *config)
{
	size_t deepest = 0;

	for (size_t i = 0; i < config->authority.n_service; i++) {
		size_t dots = 0;

		for (const char *p = config->authority.service[i].name; *p; p++)
			dots += *p == '.';
		deepest = dots > deepest ? dots : deepest;
	}
	for (size_t depth = 1; depth <= deepest; depth++) {
		for (size_t i = 0; i < config->authority.n_service; i++) {
			struct fl_cfg_service *s = &config->authority.service[i], *parent;
			size_t dots = 0;

			for (const char *p = s->name; *p; p++)
				dots += *p == '.';
			if (dots != depth || s->parent == FL_CFG_NONE)
				continue;
			parent = &config->authority.service[s->parent];
			if (!inherit_transport(s, parent) || !inherit_access(s, parent))
				load->no_memory = true;
			if (s->service_policy == FL_CFG_NONE)
				s->service_policy = parent->service_policy;
			if (s->session_type == FL_CFG_NONE)
				s->session_type = parent->session_type;
		}
	}
}

/* 6.1: "ordered" costs 10 to the power of the place. */
static void order_vectors(struct fl_config *config)
{
	for (size_t i = 0; i < config->authority.n_service_policy; i++) {
		struct fl_cfg_service_policy *p = &config->authority.service_policy[i];
		uint32_t cost = 1;

		for (size_t j = 0; j < p->n_vector; j++) {
			if (!p->vector[j].cost)
				p->vector[j].cost = cost;
			cost = j < 5 ? cost * 10 : 999999;
		}
	}
}

static void default_ports(struct fl_cfg_transport *transport, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < transport[i].n_port_range; j++)
			if (!transport[i].port_range[j].end_port)
				transport[i].port_range[j].end_port =
					transport[i].port_range[j].start_port;
}

/* --- router ------------------------------------------------------------------------------------
 */

static bool collect_interfaces(struct fl_config *config)
{
	struct fl_cfg_router *router = &config->router;
	size_t interfaces = 0, paths = 0;

	for (size_t i = 0; i < router->n_device_interface; i++) {
		struct fl_cfg_device_interface *device = &router->device_interface[i];

		interfaces += device->n_network_interface;
		for (size_t j = 0; j < device->n_network_interface; j++)
			paths += device->network_interface[j].n_adjacency;
	}
	config->interface = calloc(interfaces + 1, sizeof(*config->interface));
	config->path = calloc(paths + 1, sizeof(*config->path));
	if (!config->interface || !config->path)
		return false;
	for (size_t i = 0; i < router->n_device_interface; i++) {
		struct fl_cfg_device_interface *device = &router->device_interface[i];

		if (!device->ifname)
			device->ifname = strdup(device->name);
		if (!device->ifname)
			return false;
		for (size_t j = 0; j < device->n_network_interface; j++) {
			device->network_interface[j].device = (int)i;
			config->interface[config->n_interface++] = &device->network_interface[j];
		}
	}
	return true;
}

static struct fl_addr first_address(const struct fl_cfg_network_interface *netif, uint8_t family)
{
	for (size_t i = 0; i < netif->n_address; i++)
		if (netif->address[i].family == family)
			return netif->address[i];
	return (struct fl_addr){ 0 };
}

static void resolve_interface(struct fl_cfg_load *load, struct fl_config *config, int index)
{
	struct fl_cfg_network_interface *n = config->interface[index];
	size_t at = (size_t)(n - config->router.device_interface[n->device].network_interface);
	char pointer[160], member[256];

	snprintf(pointer, sizeof(pointer), "/router/device-interface/%d/network-interface/%zu",
		 n->device, at);
	snprintf(member, sizeof(member), "%s/tenant", pointer);
	n->tenant = refer(load, config, FL_CFG_REF_TENANT, n->tenant_name, member);
	snprintf(member, sizeof(member), "%s/inter-router-security", pointer);
	n->security = refer(load, config, FL_CFG_REF_SECURITY, n->security_name, member);
	for (size_t i = 0; i < n->n_adjacency; i++) {
		struct fl_cfg_adjacency *a = &n->adjacency[i];

		a->interface = index;
		a->bfd = a->own_bfd           ? a->own_bfd
			 : config->router.bfd ? config->router.bfd
					      : &config->authority.bfd;
		snprintf(member, sizeof(member), "%s/adjacency/%zu/inter-router-security", pointer,
			 i);
		a->security = a->security_name ? refer(load, config, FL_CFG_REF_SECURITY,
						       a->security_name, member)
					       : n->security;
		snprintf(member, sizeof(member), "%s/adjacency/%zu/performance-monitoring/profile",
			 pointer, i);
		a->performance_monitoring.profile =
			refer(load, config, FL_CFG_REF_PERFORMANCE,
			      a->performance_monitoring.profile_name, member);
		if (!a->local.family)
			a->local = first_address(n, a->ip_address.family);
		if (!a->local.family)
			fl_cfg_complain_at(load, false, NULL,
					   "the interface has no address of this family: add one "
					   "to its \"address\" list",
					   "%s/adjacency/%zu/ip-address", pointer, i);
		config->path[config->n_path++] = a;
	}
}

/* Peers that only adjacencies name get an entry with defaults. */
static bool collect_peers(struct fl_config *config)
{
	struct fl_cfg_router *router = &config->router;

	for (size_t i = 0; i < config->n_path; i++) {
		const char *name = config->path[i]->peer_name;
		struct fl_cfg_peer *grown;

		if (FIND(router->peer, router->n_peer, name) != FL_CFG_NONE)
			continue;
		grown = realloc(router->peer, (router->n_peer + 1) * sizeof(*grown));
		if (!grown)
			return false;
		router->peer = grown;
		grown[router->n_peer] = (struct fl_cfg_peer){ 0 };
		fl_cfg_set_defaults(&fl_cfg_peer_object, &grown[router->n_peer]);
		grown[router->n_peer].name = strdup(name);
		if (!grown[router->n_peer++].name)
			return false;
	}
	return true;
}

static void resolve_routes(struct fl_cfg_load *load, struct fl_config *config)
{
	char pointer[128];

	for (size_t i = 0; i < config->router.n_service_route; i++) {
		struct fl_cfg_service_route *r = &config->router.service_route[i];

		snprintf(pointer, sizeof(pointer), "/router/service-route/%zu/service-name", i);
		r->service = refer(load, config, FL_CFG_REF_SERVICE, r->service_name, pointer);
		snprintf(pointer, sizeof(pointer), "/router/service-route/%zu/service-route-policy",
			 i);
		r->policy = refer(load, config, FL_CFG_REF_ROUTE_POLICY, r->policy_name, pointer);
		r->type = r->peer_name  ? FL_CFG_ROUTE_PEER
			  : r->next_hop ? FL_CFG_ROUTE_NEXT_HOP
					: FL_CFG_ROUTE_KERNEL;
		if (!r->next_hop)
			continue;
		snprintf(pointer, sizeof(pointer), "/router/service-route/%zu/next-hop/interface",
			 i);
		r->next_hop->interface = refer(load, config, FL_CFG_REF_INTERFACE,
					       r->next_hop->interface_name, pointer);
	}
}

static void resolve_export(struct fl_cfg_load *load, struct fl_config *config)
{
	struct fl_cfg_export *e = &config->router.export;
	char pointer[128];

	for (size_t i = 0; i < e->n_zoom_service; i++) {
		snprintf(pointer, sizeof(pointer), "/router/export/zoom-service/%zu", i);
		refer(load, config, FL_CFG_REF_SERVICE, e->zoom_service[i], pointer);
	}
	for (size_t i = 0; i < e->n_vpn_service; i++) {
		snprintf(pointer, sizeof(pointer), "/router/export/vpn-service/%zu", i);
		refer(load, config, FL_CFG_REF_SERVICE, e->vpn_service[i], pointer);
	}
	for (size_t i = 0; i < e->n_capacity; i++) {
		snprintf(pointer, sizeof(pointer), "/router/export/capacity/%zu/interface", i);
		e->capacity[i].interface = refer(load, config, FL_CFG_REF_INTERFACE,
						 e->capacity[i].interface_name, pointer);
	}
}

void fl_cfg_resolve(struct fl_cfg_load *load, struct fl_config *config)
{
	resolve_tenants(config);
	for (size_t i = 0; i < config->authority.n_service; i++)
		default_ports(config->authority.service[i].transport,
			      config->authority.service[i].n_transport);
	for (size_t i = 0; i < config->authority.n_session_type; i++)
		default_ports(config->authority.session_type[i].transport,
			      config->authority.session_type[i].n_transport);
	resolve_services(load, config);
	inherit(load, config);
	order_vectors(config);
	if (!collect_interfaces(config)) {
		load->no_memory = true;
		return;
	}
	for (size_t i = 0; i < config->n_interface; i++)
		resolve_interface(load, config, (int)i);
	if (!collect_peers(config))
		load->no_memory = true;
	config->router.local_tenant =
		refer(load, config, FL_CFG_REF_TENANT, config->router.local_tenant_name,
		      "/router/local-tenant");
	resolve_routes(load, config);
	resolve_export(load, config);
}
