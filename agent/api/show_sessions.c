// SPDX-License-Identifier: Apache-2.0
/* Sessions. */
#include <string.h>

#include "agent/api/api_internal.h"

/* Sessions of one answer: the loop is to be back at its packets soon. A client that wants more asks
 * again, from where the answer ended. */
#define PAGE_MAX 1000

static const char *side_text(struct fl_api *api, const struct fl_side *side)
{
	const struct fl_netif *netif;
	const struct fl_peer *peer;

	switch (side->kind) {
	case FL_SIDE_LAN:
		netif = fl_fabric_netif(api->fabric, side->id);
		return netif ? netif->name : "?";
	case FL_SIDE_PEER:
		peer = fl_fabric_peer(api->fabric, side->id);
		return peer ? peer->name : "?";
	case FL_SIDE_HOST:
		return "(host)";
	case FL_SIDE_NONE:
		break;
	}
	return "-";
}

static const char *const tcp_texts[] = {
	[FL_TCP_NONE] = "-",
	[FL_TCP_SYN_SENT] = "syn-sent",
	[FL_TCP_SYN_RECEIVED] = "syn-received",
	[FL_TCP_ESTABLISHED] = "established",
	[FL_TCP_FIN] = "fin",
	[FL_TCP_CLOSING] = "closing",
	[FL_TCP_RESET] = "reset",
};

static const char *state_text(enum fl_flow_state state)
{
	switch (state) {
	case FL_FLOW_ESTABLISHED:
		return "established";
	case FL_FLOW_TX_META:
		return "sends-metadata";
	case FL_FLOW_RX_META:
		return "expects-metadata";
	case FL_FLOW_TX_RX_META:
		return "sends-and-expects-metadata";
	}
	return "?";
}

static void add_flow(struct fl_api *api, struct fl_json *parent, uint32_t id, enum fl_direction dir)
{
	const struct fl_tables *t = fl_dp_tables(api->dp);
	const struct fl_session *s = &t->sessions[id];
	const struct fl_flow *flow = &t->flows[s->slot[dir]];
	struct fl_json *o = fl_json_add_object(parent, dir == FL_FORWARD ? "forward" : "reverse");

	fl_json_add_string(o, "key", flow->key.kind == FL_KEY_INDEXED ? "index" : "hash");
	fl_json_add_u64(o, "packets", flow->packets);
	fl_json_add_u64(o, "bytes", flow->bytes);
	fl_json_add_string(o, "handshake", state_text(flow->state));
	fl_json_add_string(o, "tcp", tcp_texts[flow->tcp]);
	fl_json_add_u64(o, "slot", s->slot[dir]);
}

/* Device, interface and VLAN that a side's packets come and go by. */
static void add_netif(struct fl_api *api, struct fl_json *o, uint16_t id)
{
	const struct fl_netif *netif = fl_fabric_netif(api->fabric, id);

	if (!netif)
		return;
	fl_json_add_string(o, "interface", netif->name);
	if (!netif->cfg)
		return;
	fl_json_add_string(o, "device", netif->device->ifname);
	fl_json_add_u64(o, "vlan", netif->cfg->vlan);
}

static void add_side(struct fl_api *api, struct fl_json *parent, const char *key,
		     const struct fl_side *side)
{
	static const char *const kinds[] = { [FL_SIDE_NONE] = "none",
					     [FL_SIDE_LAN] = "lan",
					     [FL_SIDE_PEER] = "peer",
					     [FL_SIDE_HOST] = "host" };
	struct fl_json *o = fl_json_add_object(parent, key);
	const struct fl_tables *t = fl_dp_tables(api->dp);
	const struct fl_path *path;

	fl_json_add_string(o, "name", side_text(api, side));
	fl_json_add_string(o, "kind", kinds[side->kind]);
	if (side->kind == FL_SIDE_LAN)
		add_netif(api, o, side->id);
	if (side->kind != FL_SIDE_PEER)
		return;
	path = &t->paths[t->vectors[side->vector].path];
	add_netif(api, o, path->iface);
	fl_json_add_string(o, "path", path->label);
	fl_json_add_u64(o, "vector", side->vector);
	fl_api_add_addr(o, "local-waypoint", path->family, path->local);
	fl_json_add_u64(o, "local-port", side->local_port);
	fl_api_add_addr(o, "remote-waypoint", path->family, path->remote);
	fl_json_add_u64(o, "remote-port", side->remote_port);
}

/* Paths that a session carried in copies takes toward one of its ends (packet duplication). */
static void add_copies(struct fl_api *api, struct fl_json *o, uint32_t id)
{
	const struct fl_tables *t = fl_dp_tables(api->dp);

	for (uint32_t end = FL_DUP_IN; end <= FL_DUP_OUT; end++) {
		const struct fl_dup_key key = { .session = id, .side = end };
		struct fl_json *side, *list;
		struct fl_dup dup;

		if (!(t->sessions[id].dup >> end & 1) || t->ops->dup_get(t->ops_ctx, &key, &dup))
			continue;
		side = fl_json_add_object(o, end == FL_DUP_IN ? "copies-in" : "copies-out");
		fl_json_add_u64(side, "sent", dup.sent);
		fl_json_add_u64(side, "highest-received", dup.highest);
		list = fl_json_add_array(side, "paths");
		for (int i = 0; i < FL_DUP_WAYS; i++) {
			struct fl_json *path;

			if (!dup.path[i])
				continue;
			path = fl_json_add_object(list, NULL);
			fl_json_add_string(path, "path", t->paths[dup.path[i]].label);
			fl_json_add_bool(path, "ready", dup.ready >> i & 1);
			fl_json_add_bool(path, "up", t->paths[dup.path[i]].state == FL_PATH_UP);
		}
	}
}

static const char *const enforcement_texts[] = {
	[FL_TCP_ENFORCE_ALLOW] = "allow",
	[FL_TCP_ENFORCE_BLOCK] = "block",
	[FL_TCP_ENFORCE_RESET] = "reset",
	[FL_TCP_ENFORCE_STRICT] = "strict",
};

/* What belongs to the session as a whole and is of interest when one looks at it alone. */
static void add_record(struct fl_api *api, struct fl_json *o, const struct fl_session *s)
{
	const struct fl_store *store = fl_engine_store(api->engine);

	fl_json_add_string(o, "service-policy", fl_store_name_text(store, s->policy));
	fl_json_add_string(o, "source-router",
			   s->source_router ? fl_store_name_text(store, s->source_router)
					    : api->config->router.name);
	fl_json_add_string(o, "tcp-enforcement", enforcement_texts[s->tcp_enforcement]);
	fl_json_add_u64(o, "idle-timeout-seconds", s->idle_timeout_ms / 1000);
	fl_json_add_u64(o, "initial-timeout-seconds", s->initial_timeout_ms / 1000);
	fl_json_add_u64(o, "mss-clamp", s->mss);
	fl_json_add_bool(o, "keep-alive", s->flags & FL_SESSION_KEEP_ALIVE);
	fl_json_add_bool(o, "half-open", s->flags & FL_SESSION_HALF_OPEN);
}

static void add_session(struct fl_api *api, struct fl_json *list, uint32_t id)
{
	const struct fl_tables *t = fl_dp_tables(api->dp);
	const struct fl_session *s = &t->sessions[id];
	const struct fl_store *store = fl_engine_store(api->engine);
	struct fl_json *o = fl_json_add_object(list, NULL);
	char uuid[37], proto[8];

	fl_api_uuid_text(s->uuid, uuid);
	fl_json_add_string(o, "id", uuid);
	fl_json_add_string(o, "service", fl_store_name_text(store, s->service));
	fl_json_add_string(o, "tenant", fl_store_name_text(store, s->tenant));
	fl_json_add_string(o, "protocol", fl_api_proto_text(s->proto, proto));
	fl_api_add_addr(o, "source", s->family, s->src);
	fl_json_add_u64(o, "source-port", s->sport);
	fl_api_add_addr(o, "destination", s->family, s->dst);
	fl_json_add_u64(o, "destination-port", s->dport);
	fl_api_add_addr(o, "nat-source", s->family, s->nat_src);
	fl_json_add_u64(o, "nat-source-port", s->nat_sport);
	fl_api_add_addr(o, "nat-destination", s->family, s->nat_dst);
	fl_json_add_u64(o, "nat-destination-port", s->nat_dport);
	add_side(api, o, "in", &s->in);
	add_side(api, o, "out", &s->out);
	add_flow(api, o, id, FL_FORWARD);
	add_flow(api, o, id, FL_REVERSE);
	fl_json_add_u64(o, "timeout-seconds", fl_engine_time_left_ms(api->engine, id) / 1000);
	fl_json_add_u64(o, "uptime-seconds", (fl_mono_now().ns - s->start_ns) / FL_NS_PER_S);
	fl_json_add_u64(o, "record", id);
}

static bool text_filter(const struct fl_json *request, const char *key, const char *value)
{
	const char *want = fl_json_get_string(fl_json_member(request, key));

	return !want || !strcmp(want, value);
}

static bool wanted(struct fl_api *api, const struct fl_json *request, const struct fl_session *s)
{
	const struct fl_store *store = fl_engine_store(api->engine);
	const char *peer = fl_json_get_string(fl_json_member(request, "peer"));

	if (s->state != FL_SESSION_LIVE)
		return false;
	if (peer && !(s->in.kind == FL_SIDE_PEER && !strcmp(side_text(api, &s->in), peer)) &&
	    !(s->out.kind == FL_SIDE_PEER && !strcmp(side_text(api, &s->out), peer)))
		return false;
	return text_filter(request, "service", fl_store_name_text(store, s->service)) &&
	       text_filter(request, "tenant", fl_store_name_text(store, s->tenant));
}

/*
 * Records after "after" that fit, "limit" of them at most; "next" is what to ask for after that.
 * How many fit in all is counted for the first answer only.
 */
void fl_api_show_sessions(struct fl_api *api, const struct fl_json *request, struct fl_json *reply)
{
	const struct fl_tables *t = fl_dp_tables(api->dp);
	struct fl_json *data = fl_json_add_object(reply, "data");
	struct fl_json *list = fl_json_add_array(data, "sessions");
	uint32_t live = fl_store_count(fl_engine_store(api->engine)), seen = 0, last = 0;
	uint64_t limit = PAGE_MAX, after = 0, shown = 0, matching = 0;

	fl_json_get_u64(fl_json_member(request, "limit"), &limit);
	fl_json_get_u64(fl_json_member(request, "after"), &after);
	limit = limit < PAGE_MAX ? limit : PAGE_MAX;
	fl_engine_begin(api->engine);
	/* Records in use tend to come first: no need to look at more when all have been seen. */
	for (uint64_t n = after + 1; n > after && n <= t->max_sessions && seen < live; n++) {
		uint32_t id = (uint32_t)n;
		const struct fl_session *s = &t->sessions[id];

		seen += s->state == FL_SESSION_LIVE || s->state == FL_SESSION_OPENING;
		if (!wanted(api, request, s))
			continue;
		matching++;
		if (shown < limit) {
			add_session(api, list, id);
			shown++;
			last = id;
		} else if (after) {
			break;
		}
	}
	if (!after)
		fl_json_add_u64(data, "matching", matching);
	if (matching > shown && shown)
		fl_json_add_u64(data, "next", last);
	fl_json_add_u64(data, "shown", shown);
	fl_json_add_u64(data, "live", live);
	fl_json_add_u64(data, "capacity", t->max_sessions);
}

void fl_api_show_session(struct fl_api *api, const struct fl_json *request, struct fl_json *reply)
{
	const char *text = fl_json_get_string(fl_json_member(request, "id"));
	struct fl_json *list;
	uint8_t uuid[16];
	uint32_t id;

	if (!text || !fl_api_uuid_parse(text, uuid)) {
		fl_ctl_error(reply, FL_CTL_USAGE, "\"%s\" is no session id: 32 hex digits",
			     text ? text : "");
		return;
	}
	id = fl_store_find(fl_engine_store(api->engine), uuid);
	if (!id) {
		fl_ctl_error(reply, FL_CTL_NO, "no such session");
		return;
	}
	fl_engine_begin(api->engine);
	list = fl_json_add_array(fl_json_add_object(reply, "data"), "sessions");
	add_session(api, list, id);
	add_record(api, fl_json_at(list, 0), &fl_dp_tables(api->dp)->sessions[id]);
	add_copies(api, fl_json_at(list, 0), id);
}

void fl_api_clear_session(struct fl_api *api, const struct fl_json *request, struct fl_json *reply)
{
	const char *text = fl_json_get_string(fl_json_member(request, "id"));
	uint8_t uuid[16];

	if (text && !strcmp(text, "all")) {
		fl_json_add_u64(fl_json_add_object(reply, "data"), "cleared",
				fl_engine_clear_all(api->engine));
		return;
	}
	if (!text || !fl_api_uuid_parse(text, uuid)) {
		fl_ctl_error(reply, FL_CTL_USAGE, "say which: a session id, or \"all\"");
		return;
	}
	if (fl_engine_clear(api->engine, uuid) < 0)
		fl_ctl_error(reply, FL_CTL_NO, "no such session");
	else
		fl_json_add_u64(fl_json_add_object(reply, "data"), "cleared", 1);
}
