// SPDX-License-Identifier: Apache-2.0
/* Services and the FIB: destinations as tenants see them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/api/api_internal.h"

/* "tcp 80, 443-444, udp" */
static void transport_text(const struct fl_cfg_service *s, char *text, size_t size)
{
	size_t len = 0;
	char proto[8];

	snprintf(text, size, "any");
	for (size_t i = 0; i < s->n_transport && len < size; i++) {
		const struct fl_cfg_transport *t = &s->transport[i];

		len += (size_t)snprintf(text + len, size - len, "%s%s", i ? ", " : "",
					fl_api_proto_text(t->protocol, proto));
		for (size_t j = 0; j < t->n_port_range && len < size; j++) {
			const struct fl_cfg_port_range *r = &t->port_range[j];

			len += (size_t)snprintf(text + len, size - len, "%s%u", j ? "," : " ",
						r->start_port);
			if (r->end_port != r->start_port && len < size)
				len += (size_t)snprintf(text + len, size - len, "-%u", r->end_port);
		}
	}
}

static void add_prefixes(struct fl_json *parent, const struct fl_cfg_service *s)
{
	struct fl_json *list = fl_json_add_array(parent, "prefixes");
	char text[FL_PREFIX_TEXT];

	for (size_t i = 0; i < s->n_address; i++)
		fl_json_add_string(list, NULL, fl_prefix_format(&s->address[i], text));
}

static void add_tenants(struct fl_json *parent, const struct fl_cfg_service *s)
{
	struct fl_json *list = fl_json_add_array(parent, "tenants-allowed");

	if (s->scope == FL_CFG_SCOPE_PUBLIC)
		fl_json_add_string(list, NULL, "(public)");
	for (size_t i = 0; i < s->n_access_policy; i++)
		if (s->access_policy[i].permission == FL_CFG_ALLOW)
			fl_json_add_string(list, NULL, s->access_policy[i].source.text);
}

/* Live sessions by name id of their service: one pass over the table. */
static uint32_t *count_sessions(struct fl_api *api)
{
	const struct fl_tables *t = fl_dp_tables(api->dp);
	uint32_t *counts = calloc(FL_MAX_NAMES, sizeof(*counts));
	uint32_t used = fl_store_count(fl_engine_store(api->engine));

	for (uint32_t id = 1; counts && used && id <= t->max_sessions; id++) {
		const struct fl_session *s = &t->sessions[id];

		used -= s->state == FL_SESSION_LIVE || s->state == FL_SESSION_OPENING;
		if (s->state == FL_SESSION_LIVE)
			counts[s->service % FL_MAX_NAMES]++;
	}
	return counts;
}

void fl_api_show_services(struct fl_api *api, const struct fl_json *request, struct fl_json *reply)
{
	struct fl_json *list = fl_json_add_array(fl_json_add_object(reply, "data"), "services");
	const struct fl_cfg_authority *a = &api->config->authority;
	struct fl_store *store = fl_engine_store(api->engine);
	uint32_t *counts = count_sessions(api);
	char text[512];

	(void)request;
	for (size_t i = 0; i < a->n_service; i++) {
		const struct fl_cfg_service *s = &a->service[i];
		struct fl_json *o = fl_json_add_object(list, NULL);
		uint16_t name = fl_store_name(store, FL_NAME_SERVICE, s->name);

		fl_json_add_string(o, "service", s->name);
		add_prefixes(o, s);
		transport_text(s, text, sizeof(text));
		fl_json_add_string(o, "transport", text);
		add_tenants(o, s);
		fl_json_add_string(o, "service-policy",
				   s->service_policy == FL_CFG_NONE
					   ? NULL
					   : a->service_policy[s->service_policy].name);
		fl_json_add_string(o, "state", s->enabled ? "enabled" : "off");
		fl_json_add_u64(o, "sessions", counts ? counts[name] : 0);
	}
	free(counts);
}

/* Paths to the peer of a route, and what they cost the service's sessions. */
static void add_route_paths(struct fl_api *api, struct fl_json *parent,
			    const struct fl_cfg_service_route *route,
			    const struct fl_cfg_service_policy *policy)
{
	const struct fl_peer *peer = fl_fabric_peer_named(api->fabric, route->peer_name);
	struct fl_json *list = fl_json_add_array(parent, "paths");

	for (uint16_t id = 1; peer && id < FL_MAX_PATHS; id++) {
		const struct fl_path_rt *path = fl_fabric_path(api->fabric, id);
		struct fl_json *o, *vectors;
		uint32_t cost;

		if (!path || !path->cfg || path->peer != peer->id)
			continue;
		o = fl_json_add_object(list, NULL);
		fl_json_add_string(o, "path", fl_dp_tables(api->dp)->paths[id].label);
		fl_json_add_string(o, "status", path->why ? "down" : "up");
		vectors = fl_json_add_array(o, "vectors");
		for (size_t i = 0; i < path->cfg->n_vector; i++)
			fl_json_add_string(vectors, NULL, path->cfg->vector[i]);
		cost = fl_fabric_path_cost(path, policy);
		if (cost != FL_CFG_PRIORITY_NEVER)
			fl_json_add_u64(o, "vector-cost", cost);
		else
			fl_json_add_string(o, "vector-cost", "never");
		fl_json_add_u64(o, "cost", (uint64_t)route->cost + path->cfg->cost);
	}
}

static void add_next_hop(struct fl_api *api, struct fl_json *list,
			 const struct fl_cfg_service_route *route,
			 const struct fl_cfg_service_policy *policy)
{
	static const char *const types[] = { [FL_CFG_ROUTE_PEER] = "peer",
					     [FL_CFG_ROUTE_NEXT_HOP] = "next-hop",
					     [FL_CFG_ROUTE_KERNEL] = "learned-routes" };
	struct fl_json *o = fl_json_add_object(list, NULL);
	char text[FL_ADDR_TEXT];

	fl_json_add_string(o, "route", route->name);
	fl_json_add_string(o, "type", types[route->type]);
	fl_json_add_u64(o, "cost", route->cost);
	if (route->nat_target.family)
		fl_json_add_string(o, "nat-target", fl_addr_format(&route->nat_target, text));
	if (route->type == FL_CFG_ROUTE_PEER) {
		fl_json_add_string(o, "peer", route->peer_name);
		add_route_paths(api, o, route, policy);
	} else if (route->next_hop) {
		fl_json_add_string(o, "interface", route->next_hop->interface_name);
		if (route->next_hop->gateway.family)
			fl_json_add_string(o, "gateway",
					   fl_addr_format(&route->next_hop->gateway, text));
	}
}

/* How a service is reached from here: by its own routes, else by its nearest ancestor's (decide.c).
 */
static void add_next_hops(struct fl_api *api, struct fl_json *parent, int service)
{
	struct fl_json *list = fl_json_add_array(parent, "next-hops");
	const struct fl_cfg_authority *a = &api->config->authority;
	const struct fl_cfg_router *router = &api->config->router;
	const struct fl_cfg_service_policy *policy = NULL;

	if (a->service[service].service_policy != FL_CFG_NONE)
		policy = &a->service_policy[a->service[service].service_policy];
	for (; service != FL_CFG_NONE && !fl_json_count(list); service = a->service[service].parent)
		for (size_t i = 0; i < router->n_service_route; i++)
			if (router->service_route[i].service == service)
				add_next_hop(api, list, &router->service_route[i], policy);
}

static void add_fib_entry(struct fl_api *api, struct fl_json *list, int service,
			  const struct fl_prefix *prefix, int tenant)
{
	const struct fl_cfg_authority *a = &api->config->authority;
	struct fl_json *o = fl_json_add_object(list, NULL);
	char text[512];

	fl_json_add_string(o, "prefix", fl_prefix_format(prefix, text));
	transport_text(&a->service[service], text, sizeof(text));
	fl_json_add_string(o, "transport", text);
	fl_json_add_string(o, "tenant",
			   tenant == FL_CFG_NONE ? "(global)" : a->tenant[tenant].name);
	fl_json_add_string(o, "service", a->service[service].name);
	add_next_hops(api, o, service);
}

void fl_api_show_fib(struct fl_api *api, const struct fl_json *request, struct fl_json *reply)
{
	const struct fl_cfg_authority *a = &api->config->authority;
	const struct fl_fib *fib = fl_engine_fib(api->engine);
	struct fl_json *data = fl_json_add_object(reply, "data");
	struct fl_json *list = fl_json_add_array(data, "entries");
	const struct fl_cfg_access *rule;
	const struct fl_addr any = { 0 };

	(void)request;
	for (int s = 0; s < (int)a->n_service; s++) {
		if (!a->service[s].enabled)
			continue;
		for (size_t i = 0; i < a->service[s].n_address; i++)
			for (int t = FL_CFG_NONE; t < (int)a->n_tenant; t++)
				if (fl_fib_access(fib, s, t, &any, &rule) == FL_ACCESS_ALLOW)
					add_fib_entry(api, list, s, &a->service[s].address[i], t);
	}
	fl_json_add_u64(data, "count", fl_json_count(list));
	fl_json_add_u64(data, "prefixes", fl_fib_count(fib));
	/* Made of the configuration, as large as that: no table of fixed size. */
	fl_json_add_string(data, "capacity", NULL);
}
