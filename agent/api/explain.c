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

/* By which path to the peer, and which of its vectors the policy means. */
static void add_path(struct fl_api *api, struct fl_json *o, const struct fl_candidate *c,
		     const struct fl_cfg_service_policy *policy)
{
	const struct fl_path_rt *path = fl_fabric_path(api->fabric, c->path);
	const char *vector = NULL;

	fl_json_add_string(o, "path", fl_dp_tables(api->dp)->paths[c->path].label);
	for (size_t i = 0; policy && i < policy->n_vector; i++)
		for (size_t j = 0; path && path->cfg && !vector && j < path->cfg->n_vector; j++)
			if (policy->vector[i].cost == c->vector_cost &&
			    !strcmp(policy->vector[i].name, path->cfg->vector[j]))
				vector = policy->vector[i].name;
	fl_json_add_string(o, "vector", vector);
	if (c->vector_cost != FL_CFG_PRIORITY_NEVER)
		fl_json_add_u64(o, "vector-cost", c->vector_cost);
	else
		fl_json_add_string(o, "vector-cost", "never");
}

static void add_candidate(struct fl_api *api, struct fl_json *list, const struct fl_decision *d,
			  const struct fl_candidate *c)
{
	struct fl_json *o = fl_json_add_object(list, NULL);
	const struct fl_netif *netif = fl_fabric_netif(api->fabric, c->exit.iface);
	char text[FL_ADDR_TEXT], quality[256];

	fl_json_add_string(o, "route", c->route->name);
	if (c->route->type == FL_CFG_ROUTE_PEER) {
		fl_json_add_string(o, "peer", c->route->peer_name);
		if (c->path)
			add_path(api, o, c, d->policy);
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
	fl_sla_quality_text(&d->sla, (size_t)(c - d->candidates), quality, sizeof(quality));
	fl_json_add_string(o, "quality", quality);
	fl_json_add_string(o, "why-not", c->why_not);
}

/* The data plane asks nobody about packets from there: they are not ours. */
static bool no_hosts(const struct fl_netif *netif)
{
	return netif && netif->cfg && netif->cfg->type == FL_CFG_FABRIC;
}

static void add_decision(struct fl_api *api, struct fl_json *data, const struct fl_question *q,
			 const struct fl_decision *d)
{
	const char *meaning = NULL;
	struct fl_json *list;
	char text[FL_PREFIX_TEXT];

	fl_json_add_bool(data, "allowed", !d->reason && !no_hosts(q->netif));
	if (no_hosts(q->netif)) {
		fl_json_add_string(data, "reason", "fabric-interface");
		fl_json_add_string(data, "meaning",
				   "only peers' packets are taken from there, others are left to "
				   "the kernel");
	} else if (d->reason) {
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

/* A session that a peer opened, by what its initiator sent: its flows' keys are of waypoints. */
static uint32_t find_from_peer(struct fl_api *api, const struct fl_question *q)
{
	const struct fl_tables *t = fl_dp_tables(api->dp);
	uint32_t used = fl_store_count(fl_engine_store(api->engine));

	for (uint32_t id = 1; used && id <= t->max_sessions; id++) {
		const struct fl_session *s = &t->sessions[id];

		used -= s->state == FL_SESSION_LIVE || s->state == FL_SESSION_OPENING;
		if (s->state == FL_SESSION_LIVE && s->in.kind == FL_SIDE_PEER &&
		    s->in.id == q->from_peer && s->proto == q->tuple.proto &&
		    s->family == q->tuple.family && s->sport == q->tuple.sport &&
		    s->dport == q->tuple.dport && !memcmp(s->src, q->tuple.src, 16) &&
		    !memcmp(s->dst, q->tuple.dst, 16))
			return id;
	}
	return 0;
}

static uint32_t find_from_here(struct fl_api *api, const struct fl_question *q)
{
	const struct fl_tuple *t = &q->tuple;
	struct fl_wide_key key = { .sport = t->sport,
				   .dport = t->dport,
				   .scope = q->netif ? q->netif->id : 0,
				   .proto = t->proto };
	uint32_t slot;

	memcpy(key.saddr, t->src, 16);
	memcpy(key.daddr, t->dst, 16);
	if (q->netif)
		key.kind = t->family == 6 ? FL_KEY_LAN6 : FL_KEY_LAN4;
	else
		key.kind = t->family == 6 ? FL_KEY_HOST6 : FL_KEY_HOST4;
	slot = fl_flows_find(fl_engine_flows(api->engine), &key);
	return slot == FL_NO_SLOT ? 0 : fl_dp_tables(api->dp)->flows[slot].session;
}

/* The session that such a packet belongs to already, if any. */
static void add_session_id(struct fl_api *api, struct fl_json *data, const struct fl_question *q)
{
	uint32_t id = q->from_peer ? find_from_peer(api, q) : find_from_here(api, q);
	char uuid[37];

	if (!id)
		return;
	fl_api_uuid_text(fl_dp_tables(api->dp)->sessions[id].uuid, uuid);
	fl_json_add_string(data, "session", uuid);
}

static bool read_addr(const struct fl_json *request, const char *key, struct fl_addr *ret)
{
	const char *text = fl_json_get_string(fl_json_member(request, key));

	return text && fl_addr_parse(text, ret) == 0;
}

/* Absent: 0. */
static bool read_port(const struct fl_json *request, const char *key, uint16_t *ret)
{
	const struct fl_json *value = fl_json_member(request, key);
	uint64_t port = 0;

	if (value && (fl_json_get_u64(value, &port) < 0 || port > 65535))
		return false;
	*ret = (uint16_t)port;
	return true;
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
	if (!read_port(request, "source-port", &t->sport) ||
	    !read_port(request, "destination-port", &t->dport)) {
		fl_ctl_error(reply, FL_CTL_USAGE, "ports are numbers from 0 to 65535");
		return false;
	}
	return true;
}

/* What would be decided about a session's first packet today. */
void fl_api_explain_session(struct fl_api *api, const struct fl_json *request,
			    struct fl_json *reply)
{
	const char *text = fl_json_get_string(fl_json_member(request, "id"));
	struct fl_store *store = fl_engine_store(api->engine);
	struct fl_question q = { 0 };
	struct fl_deciding by;
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
	by = fl_engine_deciding(api->engine);
	fl_decide(&by, &q, &d);
	data = fl_json_add_object(reply, "data");
	add_decision(api, data, &q, &d);
	fl_json_add_string(
		data, "path-in-use",
		s->out.kind == FL_SIDE_PEER
			? fl_dp_tables(api->dp)
				  ->paths[fl_dp_tables(api->dp)->vectors[s->out.vector].path]
				  .label
			: NULL);
	fl_json_add_string(data, "session", text);
	fl_api_add_history(api, data, id);
}

/* Where the packet comes from: an interface, this host, or a peer; then whose it is, too. */
static bool read_from(struct fl_api *api, const struct fl_json *request, struct fl_question *q,
		      struct fl_json *reply)
{
	const char *from = fl_json_get_string(fl_json_member(request, "interface"));
	const char *tenant = fl_json_get_string(fl_json_member(request, "tenant"));
	const struct fl_peer *peer;

	q->netif = fl_fabric_netif_named(api->fabric, from);
	peer = q->netif ? NULL : fl_fabric_peer_named(api->fabric, from);
	if (!q->netif && !peer && strcmp(from, "host") != 0) {
		fl_ctl_error(reply, FL_CTL_USAGE,
			     "no network interface and no peer \"%s\" (`fairlead show interfaces` "
			     "and `show peers` list them; \"host\" is this host itself)",
			     from);
		return false;
	}
	if (tenant && (!peer || fl_config_find(api->config, FL_CFG_REF_TENANT, tenant) < 0)) {
		fl_ctl_error(reply, FL_CTL_USAGE,
			     peer ? "no tenant \"%s\""
				  : "tenant \"%s\": only sessions from peers bring their tenant "
				    "with them",
			     tenant);
		return false;
	}
	if (peer && !tenant) {
		fl_ctl_error(reply, FL_CTL_USAGE,
			     "\"%s\" is a peer: say whose session it opens, with `tenant NAME`",
			     from);
		return false;
	}
	q->from_peer = peer ? peer->id : 0;
	q->tenant = tenant;
	return true;
}

void fl_api_explain(struct fl_api *api, const struct fl_json *request, struct fl_json *reply)
{
	static struct fl_decision d;
	struct fl_question q = { 0 };
	struct fl_deciding by;
	struct fl_json *data;

	if (!fl_json_get_string(fl_json_member(request, "interface"))) {
		everybody(api, fl_json_add_object(reply, "data"));
		return;
	}
	if (!read_from(api, request, &q, reply) || !read_tuple(request, &q.tuple, reply))
		return;
	fl_engine_begin(api->engine);
	by = fl_engine_deciding(api->engine);
	fl_decide(&by, &q, &d);
	data = fl_json_add_object(reply, "data");
	add_decision(api, data, &q, &d);
	add_session_id(api, data, &q);
}
