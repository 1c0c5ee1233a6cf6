// SPDX-License-Identifier: Apache-2.0
/* Why: the decision that a first packet would meet, by the function that makes it (decide.h). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/api/api_internal.h"

static const char *tenant_name(const struct fl_config *config, int tenant)
{
	return tenant == FL_CFG_NONE ? "(global)" : config->authority.tenant[tenant].name;
}

/* --- who may reach what ------------------------------------------------------------------------
 */

static const char *access_text(enum fl_access access)
{
	switch (access) {
	case FL_ACCESS_ALLOW:
		return "allow";
	case FL_ACCESS_DENY:
		return "deny";
	case FL_ACCESS_NONE:
	case FL_ACCESS_NO_SERVICE:
		break;
	}
	return "no rule: deny";
}

static void add_access(struct fl_api *api, struct fl_json *list, int tenant, int service)
{
	const struct fl_cfg_service *s = &api->config->authority.service[service];
	const struct fl_cfg_access *rule;
	const struct fl_addr any = { 0 };
	struct fl_json *o = fl_json_add_object(list, NULL), *only;
	enum fl_access access =
		fl_fib_access(fl_engine_fib(api->engine), service, tenant, &any, &rule);

	fl_json_add_string(o, "tenant", tenant_name(api->config, tenant));
	fl_json_add_string(o, "service", s->name);
	fl_json_add_string(o, "access", s->enabled ? access_text(access) : "off");
	fl_json_add_string(o, "rule", rule ? rule->source.text : NULL);
	/* Rules for some sources only: they come before the one above. */
	only = fl_json_add_array(o, "exceptions");
	for (size_t i = 0; i < s->n_access_policy; i++) {
		const struct fl_cfg_access *a = &s->access_policy[i];
		char text[FL_NAME_LEN + FL_PREFIX_TEXT + 16];

		if (!a->source.prefix.addr.family ||
		    (a->source.tenant != FL_CFG_NONE &&
		     !fl_config_tenant_is_within(api->config, tenant, a->source.tenant)))
			continue;
		snprintf(text, sizeof(text), "%s %s",
			 a->permission == FL_CFG_DENY ? "deny" : "allow", a->source.text);
		fl_json_add_string(only, NULL, text);
	}
}

static void everybody(struct fl_api *api, struct fl_json *data)
{
	struct fl_json *list = fl_json_add_array(data, "access");
	const struct fl_cfg_authority *a = &api->config->authority;

	for (int tenant = FL_CFG_NONE; tenant < (int)a->n_tenant; tenant++)
		for (int service = 0; service < (int)a->n_service; service++)
			add_access(api, list, tenant, service);
}

/* --- one packet --------------------------------------------------------------------------------
 */

static void add_candidate(struct fl_api *api, struct fl_json *list, const struct fl_decision *d,
			  const struct fl_candidate *c)
{
	struct fl_json *o = fl_json_add_object(list, NULL);
	const struct fl_netif *netif = fl_fabric_netif(api->fabric, c->exit.iface);
	char text[FL_ADDR_TEXT];

	fl_json_add_string(o, "route", c->route->name);
	if (c->route->type == FL_CFG_ROUTE_PEER) {
		fl_json_add_string(o, "peer", c->route->peer_name);
		if (c->path)
			fl_json_add_string(o, "path", fl_dp_tables(api->dp)->paths[c->path].label);
		fl_json_add_u64(o, "vector-cost", c->vector_cost);
	} else if (c->exit.host) {
		fl_json_add_string(o, "interface", "(host)");
	} else if (netif) {
		const struct fl_nexthop *hop = &fl_dp_tables(api->dp)->nexthops[c->exit.hop];

		fl_json_add_string(o, "interface", netif->name);
		fl_api_add_addr(o, "next-hop", hop->family, hop->addr);
		fl_json_add_bool(o, "next-hop-resolved", hop->state == FL_PATH_UP);
	}
	if (c->nat_dst.family)
		fl_json_add_string(o, "nat-target", fl_addr_format(&c->nat_dst, text));
	fl_json_add_u64(o, "cost", c->cost);
	fl_json_add_bool(o, "chosen", c == d->chosen);
	fl_json_add_string(o, "why-not",
			   c->why_not       ? c->why_not
			   : c == d->chosen ? NULL
					    : "another one is better");
}

static void add_decision(struct fl_api *api, struct fl_json *data, const struct fl_decision *d)
{
	const char *meaning = NULL;
	struct fl_json *list;
	char text[FL_PREFIX_TEXT];

	fl_json_add_bool(data, "allowed", !d->reason);
	if (d->reason) {
		fl_json_add_string(data, "reason", fl_api_drop_text(d->reason, &meaning));
		fl_json_add_string(data, "meaning", meaning);
	}
	fl_json_add_string(data, "tenant", tenant_name(api->config, d->tenant));
	fl_json_add_string(data, "service", d->service ? d->service->name : NULL);
	if (d->service)
		fl_json_add_string(data, "prefix", fl_prefix_format(&d->match.prefix, text));
	fl_json_add_string(data, "rule", d->match.rule ? d->match.rule->source.text : NULL);
	fl_json_add_string(data, "service-policy", d->policy ? d->policy->name : NULL);
	fl_json_add_string(data, "session-type", d->type ? d->type->name : NULL);
	list = fl_json_add_array(data, "candidates");
	for (size_t i = 0; i < d->n_candidates; i++)
		add_candidate(api, list, d, &d->candidates[i]);
}

/* The session that such a packet belongs to already, if any. */
static void add_session_id(struct fl_api *api, struct fl_json *data, const struct fl_tuple *t,
			   const struct fl_netif *netif)
{
	struct fl_wide_key key = { .sport = t->sport,
				   .dport = t->dport,
				   .scope = netif ? netif->id : 0,
				   .proto = t->proto };
	const struct fl_tables *tables = fl_dp_tables(api->dp);
	char uuid[37];
	uint32_t slot;

	memcpy(key.saddr, t->src, 16);
	memcpy(key.daddr, t->dst, 16);
	if (netif)
		key.kind = t->family == 6 ? FL_KEY_LAN6 : FL_KEY_LAN4;
	else
		key.kind = t->family == 6 ? FL_KEY_HOST6 : FL_KEY_HOST4;
	slot = fl_flows_find(fl_engine_flows(api->engine), &key);
	if (slot == FL_NO_SLOT)
		return;
	fl_api_uuid_text(tables->sessions[tables->flows[slot].session].uuid, uuid);
	fl_json_add_string(data, "session", uuid);
}

static bool read_addr(const struct fl_json *request, const char *key, struct fl_addr *ret)
{
	const char *text = fl_json_get_string(fl_json_member(request, key));

	return text && fl_addr_parse(text, ret) == 0;
}

static uint16_t read_port(const struct fl_json *request, const char *key)
{
	uint64_t port = 0;

	fl_json_get_u64(fl_json_member(request, key), &port);
	return (uint16_t)port;
}

static bool read_tuple(const struct fl_json *request, struct fl_tuple *t, struct fl_json *reply)
{
	const char *proto = fl_json_get_string(fl_json_member(request, "protocol"));
	struct fl_addr src, dst;

	if (!read_addr(request, "source", &src) || !read_addr(request, "destination", &dst) ||
	    src.family != dst.family) {
		fl_ctl_error(reply, FL_CTL_USAGE,
			     "source and destination must be addresses of one family");
		return false;
	}
	*t = (struct fl_tuple){ .family = src.family };
	if (!proto || fl_api_proto_parse(proto, src.family, &t->proto) < 0) {
		fl_ctl_error(reply, FL_CTL_USAGE,
			     "unknown protocol \"%s\": tcp, udp, icmp, gre, esp, pim, or a number",
			     proto ? proto : "");
		return false;
	}
	memcpy(t->src, src.b, 16);
	memcpy(t->dst, dst.b, 16);
	t->sport = read_port(request, "source-port");
	t->dport = read_port(request, "destination-port");
	return true;
}

/* What would be decided about a session's first packet today. */
void fl_api_explain_session(struct fl_api *api, const struct fl_json *request,
			    struct fl_json *reply)
{
	const char *text = fl_json_get_string(fl_json_member(request, "id"));
	struct fl_store *store = fl_engine_store(api->engine);
	struct fl_question q = { 0 };
	static struct fl_decision d;
	const struct fl_session *s;
	struct fl_json *data;
	uint8_t uuid[16];
	uint32_t id;

	if (!text || !fl_api_uuid_parse(text, uuid)) {
		fl_ctl_error(reply, FL_CTL_USAGE, "\"%s\" is no session id: 32 hex digits",
			     text ? text : "");
		return;
	}
	id = fl_store_find(store, uuid);
	if (!id) {
		fl_ctl_error(reply, FL_CTL_NO, "no such session");
		return;
	}
	s = &fl_dp_tables(api->dp)->sessions[id];
	fl_engine_question(api->engine, id, &q);
	fl_engine_begin(api->engine);
	fl_decide(api->config, fl_engine_fib(api->engine), api->fabric, &q, &d);
	data = fl_json_add_object(reply, "data");
	add_decision(api, data, &d);
	fl_json_add_string(
		data, "path-in-use",
		s->out.kind == FL_SIDE_PEER
			? fl_dp_tables(api->dp)
				  ->paths[fl_dp_tables(api->dp)->vectors[s->out.vector].path]
				  .label
			: NULL);
	fl_json_add_string(data, "session", text);
}

void fl_api_explain(struct fl_api *api, const struct fl_json *request, struct fl_json *reply)
{
	const char *from = fl_json_get_string(fl_json_member(request, "interface"));
	static struct fl_decision d;
	struct fl_question q = { 0 };
	struct fl_json *data;

	if (!from) {
		everybody(api, fl_json_add_object(reply, "data"));
		return;
	}
	if (strcmp(from, "host") != 0) {
		q.netif = fl_fabric_netif_named(api->fabric, from);
		if (!q.netif) {
			fl_ctl_error(reply, FL_CTL_USAGE,
				     "no network interface \"%s\" (`fairlead show interfaces` "
				     "lists them; \"host\" is this host itself)",
				     from);
			return;
		}
	}
	if (!read_tuple(request, &q.tuple, reply))
		return;
	fl_engine_begin(api->engine);
	fl_decide(api->config, fl_engine_fib(api->engine), api->fabric, &q, &d);
	data = fl_json_add_object(reply, "data");
	add_decision(api, data, &d);
	add_session_id(api, data, &q.tuple, q.netif);
}
