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

	for (uint32_t id = 1; counts && id <= t->max_sessions; id++)
		if (t->sessions[id].state == FL_SESSION_LIVE)
			counts[t->sessions[id].service % FL_MAX_NAMES]++;
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

/* How a service is reached from here, in a few words each. */
static void add_next_hops(struct fl_api *api, struct fl_json *parent, int service)
{
	struct fl_json *list = fl_json_add_array(parent, "next-hops");
	const struct fl_cfg_router *router = &api->config->router;

	for (size_t i = 0; i < router->n_service_route; i++) {
		const struct fl_cfg_service_route *r = &router->service_route[i];
		char text[FL_NAME_LEN + 32];

		if (r->service != service)
			continue;
		if (r->type == FL_CFG_ROUTE_PEER)
			snprintf(text, sizeof(text), "peer %s", r->peer_name);
		else if (r->type == FL_CFG_ROUTE_NEXT_HOP)
			snprintf(text, sizeof(text), "interface %s", r->next_hop->interface_name);
		else
			snprintf(text, sizeof(text), "kernel's routes");
		fl_json_add_string(list, NULL, text);
	}
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
	fl_json_add_u64(data, "prefixes", fl_fib_count(fib));
}
