// SPDX-License-Identifier: Apache-2.0
/* Services and the ways to them, as a new session would find them now: show load-balancer, show
 * service-path. */
#include <stdio.h>
#include <string.h>

#include "agent/api/api_internal.h"

static const char *const strategies[] = {
	[FL_SLA_HUNT] = "hunt", [FL_SLA_PROPORTIONAL] = "proportional"
};
static const char *const criteria[] = { [FL_SLA_BY_VECTOR] = "vector",
					[FL_SLA_BY_LATENCY] = "average-latency",
					[FL_SLA_BY_MOS] = "mos" };

/* The ways to a service for its first destination, by TCP. False: it has none. */
static bool ways_to(struct fl_api *api, int service, struct fl_decision *d)
{
	const struct fl_cfg_service *s = &api->config->authority.service[service];
	const struct fl_deciding by = fl_engine_deciding(api->engine);
	struct fl_question q = { .tuple = { .proto = 6 } };

	if (!s->enabled || !s->n_address)
		return false;
	q.tuple.family = s->address[0].addr.family;
	memcpy(q.tuple.dst, s->address[0].addr.b, sizeof(q.tuple.dst));
	fl_decide_ways(&by, service, &q, d);
	return d->n_candidates;
}

static void add_limits(struct fl_json *o, const struct fl_sla_load *load)
{
	fl_json_add_u64(o, "sessions", load->sessions);
	fl_json_add_u64(o, "rate", load->rate);
	if (load->max_sessions) {
		fl_json_add_u64(o, "capacity", load->max_sessions);
		fl_json_add_double(o, "utilization-percent",
				   100.0 * load->sessions / load->max_sessions);
	}
	if (load->session_rate)
		fl_json_add_u64(o, "max-rate", load->session_rate);
	if (load->device_mbps) {
		fl_json_add_u64(o, "device-capacity-mbps", load->device_mbps);
		fl_json_add_u64(o, "device-utilization-percent", load->device_percent);
	}
}

static void add_cost(struct fl_json *o, const struct fl_sla_path *p)
{
	if (p->vector_cost == FL_SLA_NEVER)
		fl_json_add_string(o, "vector-cost", "never");
	else
		fl_json_add_u64(o, "vector-cost", p->vector_cost);
	fl_json_add_u64(o, "cost", p->cost);
}

/* What both commands say of a candidate. */
static void add_way(struct fl_api *api, struct fl_json *o, const struct fl_decision *d, size_t i)
{
	const struct fl_candidate *c = &d->candidates[i];
	const struct fl_sla_path *p = &d->sla.in.path[i];
	const struct fl_sla_verdict *v = &d->sla.verdict[i];
	const struct fl_tables *t = fl_dp_tables(api->dp);
	const struct fl_netif *netif;

	fl_json_add_string(o, "service-route", c->route->name);
	fl_json_add_string(o, "type", c->route->peer_name ? "peer" : "local");
	if (c->path) {
		fl_json_add_string(o, "next-hop", c->route->peer_name);
		fl_json_add_string(o, "path", t->paths[c->path].label);
		netif = fl_fabric_netif(api->fabric, t->paths[c->path].iface);
	} else {
		const struct fl_nexthop *hop = &t->nexthops[c->exit.hop];

		if (c->route->peer_name)
			fl_json_add_string(o, "next-hop", c->route->peer_name);
		else if (hop->family)
			fl_api_add_addr(o, "next-hop", hop->family, hop->addr);
		netif = fl_fabric_netif(api->fabric, c->exit.iface);
	}
	fl_json_add_string(o, "interface", netif ? netif->name : NULL);
	add_cost(o, p);
	fl_json_add_string(o, "state", p->up ? "up" : "down");
	add_limits(o, &p->load);
	fl_api_add_judged(o, v);
	fl_json_add_string(o, "meets-sla", v->violates ? "no" : "yes");
	fl_json_add_bool(o, "chosen", (int)i == d->sla.chosen);
	fl_json_add_string(o, "reason", c->why_not);
}

static void add_vectors(struct fl_api *api, struct fl_json *o, const struct fl_candidate *c)
{
	const struct fl_path_rt *path = fl_fabric_path(api->fabric, c->path);
	struct fl_json *list = fl_json_add_array(o, "vectors");

	for (size_t i = 0; path && path->cfg && i < path->cfg->n_vector; i++)
		fl_json_add_string(list, NULL, path->cfg->vector[i]);
}

void fl_api_show_service_path(struct fl_api *api, const struct fl_json *request,
			      struct fl_json *reply)
{
	struct fl_json *list =
		fl_json_add_array(fl_json_add_object(reply, "data"), "service-paths");
	static struct fl_decision d;
	char text[FL_PREFIX_TEXT];

	(void)request;
	for (int s = 0; s < (int)api->config->authority.n_service; s++) {
		const struct fl_cfg_service *service = &api->config->authority.service[s];

		if (!ways_to(api, s, &d))
			continue;
		for (size_t i = 0; i < d.n_candidates; i++) {
			struct fl_json *o = fl_json_add_object(list, NULL);

			fl_json_add_string(o, "service", service->name);
			fl_json_add_string(o, "destination",
					   fl_prefix_format(&service->address[0], text));
			add_way(api, o, &d, i);
			add_vectors(api, o, &d.candidates[i]);
		}
	}
}

void fl_api_show_load_balancer(struct fl_api *api, const struct fl_json *request,
			       struct fl_json *reply)
{
	struct fl_json *list = fl_json_add_array(fl_json_add_object(reply, "data"), "services");
	static struct fl_decision d;

	(void)request;
	for (int s = 0; s < (int)api->config->authority.n_service; s++) {
		struct fl_json *o, *paths;

		if (!ways_to(api, s, &d))
			continue;
		o = fl_json_add_object(list, NULL);
		fl_json_add_string(o, "service", api->config->authority.service[s].name);
		fl_json_add_string(o, "service-policy", d.policy ? d.policy->name : NULL);
		fl_json_add_string(o, "strategy", strategies[d.sla.in.policy.strategy]);
		fl_json_add_string(o, "best-path-criteria", criteria[d.sla.in.policy.criterion]);
		fl_json_add_bool(o, "best-effort", d.sla.in.policy.best_effort);
		fl_json_add_string(o, "result", fl_sla_result_text(d.sla.result));
		paths = fl_json_add_array(o, "paths");
		for (size_t i = 0; i < d.n_candidates; i++)
			add_way(api, fl_json_add_object(paths, NULL), &d, i);
	}
}
