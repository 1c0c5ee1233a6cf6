// SPDX-License-Identifier: Apache-2.0
/* Sessions: which of them are told of, when, and on which way they were. */
#include <string.h>

#include "agent/export/collect_internal.h"

/* All sessions are looked at once a minute. */
#define TICKS_PER_MINUTE (60000 / FL_COLLECT_TICK_MS)
/* Sessions of no known application are told of again in every fifth round. */
#define OTHER_ROUNDS 5

static const char *const app_names[] = {
	[FL_APP_NONE] = "",
	[FL_APP_ZOOM] = "zoom",
	[FL_APP_VPN] = "vpn",
};

static bool is_listed(char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static enum fl_collect_app app_of(const struct fl_collect *c, const struct fl_session *s)
{
	const struct fl_cfg_export *cfg = &c->config->router.export;
	const char *service = fl_store_name_text(c->store, s->service);

	if (is_listed(cfg->zoom_service, cfg->n_zoom_service, service))
		return FL_APP_ZOOM;
	return is_listed(cfg->vpn_service, cfg->n_vpn_service, service) ? FL_APP_VPN : FL_APP_NONE;
}

/* Sessions of hosts here that leave the site; those that peers opened are their routers' to tell.
 */
static uint16_t way_of(const struct fl_collect *c, const struct fl_session *s)
{
	const struct fl_netif *netif;

	if (s->in.kind != FL_SIDE_LAN)
		return 0;
	if (s->out.kind == FL_SIDE_PEER && s->out.vector < FL_MAX_VECTORS) {
		uint16_t path = c->t->vectors[s->out.vector].path;

		return path < FL_MAX_PATHS ? path : 0;
	}
	if (s->out.kind != FL_SIDE_LAN)
		return 0;
	netif = fl_fabric_netif(c->fabric, s->out.id);
	/* One with a tenant is another LAN. */
	if (!netif || !netif->cfg || (netif->cfg->tenant_name && !netif->cfg->source_nat))
		return 0;
	return (uint16_t)(FL_WAY_IFACE + s->out.id);
}

static int64_t start_of(const struct fl_collect *c, const struct fl_session *s)
{
	struct fl_mono start = { s->start_ns };

	return c->now_s - (int64_t)(fl_mono_ms_between(start, c->now) / 1000);
}

/*
 * Since when it is on its way. Of a session that was there before we were, that is when we began to
 * look: what was before is not known, and records of an earlier process are not to be overwritten.
 */
static int64_t since(const struct fl_collect *c, const struct fl_session *s, bool first)
{
	int64_t start = start_of(c, s), moved = 0;

	if (s->out.kind == FL_SIDE_PEER)
		moved = c->vectors[s->out.vector].at_s;
	if (!first)
		return moved && moved >= start ? moved : c->now_s;
	if (start < c->started_s)
		start = c->started_s;
	return moved > start ? moved : start;
}

static void client_mac(const struct fl_collect *c, const struct fl_session *s, uint8_t mac[6])
{
	const struct fl_nexthop *hop;

	if (!s->in.nexthop || s->in.nexthop >= FL_MAX_NEXTHOPS)
		return;
	hop = &c->t->nexthops[s->in.nexthop];
	/* The MAC of a router behind which the client is tells nothing of the client. */
	if (hop->family == s->family && !memcmp(hop->addr, s->src, fl_addr_size(s->family)))
		memcpy(mac, hop->dmac, 6);
}

static uint64_t bytes_of(const struct fl_collect *c, const struct fl_session *s)
{
	uint64_t sum = 0;

	for (int dir = 0; dir < 2; dir++)
		if (s->slot[dir] < c->t->slots)
			sum += c->t->flows[s->slot[dir]].bytes;
	return sum;
}

/* Between steps that a record does not tell of, a session was where the step before says. */
static void fill_steps(struct fl_collect *c, const struct fl_session *s, struct fl_seen *seen,
		       struct fl_export_session *r)
{
	uint16_t way = way_of(c, s);

	if (seen->told && way == seen->way)
		return;
	r->step_count = 1;
	r->steps[0].since_s = since(c, s, !seen->told);
	fl_collect_way_name(c, way, r->steps[0].path);
	seen->way = way;
}

static void put_session(struct fl_collect *c, uint32_t id, bool closing)
{
	const struct fl_session *s = &c->t->sessions[id];
	struct fl_export_record record = { .type = FL_EXPORT_SESSION };
	struct fl_export_session *r = &record.session;
	struct fl_seen *seen = &c->seen[id];

	if (!fl_ratelimit_take(&c->limit[seen->app == FL_APP_NONE], c->now)) {
		c->skipped++;
		return;
	}
	memcpy(r->uuid, s->uuid, sizeof(r->uuid));
	r->client = fl_addr_from(s->family, s->src);
	r->remote = fl_addr_from(s->family, s->dst);
	r->client_port = s->sport;
	r->remote_port = s->dport;
	if (s->out.kind == FL_SIDE_LAN && memcmp(s->nat_src, s->src, sizeof(s->src))) {
		r->nat = fl_addr_from(s->family, s->nat_src);
		r->nat_port = s->nat_sport;
	}
	r->protocol = s->proto;
	memcpy(r->app, app_names[seen->app], strlen(app_names[seen->app]) + 1);
	client_mac(c, s, r->mac);
	r->start_s = start_of(c, s);
	r->until_s = c->now_s;
	r->ended = closing;
	r->bytes = seen->bytes;
	fill_steps(c, s, seen, r);
	seen->told = true;
	c->ops->put(c->ctx, &record);
}

static uint32_t hash_addr(const uint8_t addr[16])
{
	uint64_t words[2];

	memcpy(words, addr, sizeof(words));
	words[0] = (words[0] ^ (words[1] * 0x9e3779b97f4a7c15ULL)) * 0xd6e8feb86659fd93ULL;
	return (uint32_t)(words[0] >> 33);
}

/* What it carried since the last look is its way's and its application's. */
static bool count(struct fl_collect *c, uint32_t id)
{
	const struct fl_session *s = &c->t->sessions[id];
	struct fl_seen *seen = &c->seen[id];
	uint64_t bytes = bytes_of(c, s);
	uint16_t way = way_of(c, s);
	bool changed = bytes != seen->bytes;

	if (!seen->known) {
		seen->known = true;
		seen->app = (uint8_t)app_of(c, s);
	}
	if (changed) {
		uint32_t host = hash_addr(s->src);

		if (!fl_u32set_has(&c->clients, host) && !fl_u32set_add(&c->clients, host))
			c->client_count++;
	}
	if (way) {
		c->ways[way].used = true;
		if (seen->app == FL_APP_ZOOM && bytes > seen->bytes)
			c->ways[way].zoom_bytes += bytes - seen->bytes;
	}
	seen->bytes = bytes;
	return changed;
}

static bool is_old_enough(const struct fl_collect *c, const struct fl_session *s)
{
	uint64_t age = fl_mono_ms_between((struct fl_mono){ s->start_ns }, c->now);

	return age >= c->config->router.export.session_minimum_s * 1000ULL;
}

static void look(struct fl_collect *c, uint32_t id)
{
	const struct fl_session *s = &c->t->sessions[id];
	struct fl_seen *seen = &c->seen[id];
	bool changed, moved;

	if (s->state != FL_SESSION_LIVE || !way_of(c, s))
		return;
	changed = count(c, id);
	if (!is_old_enough(c, s))
		return;
	moved = seen->told && way_of(c, s) != seen->way;
	if (!seen->told || moved ||
	    (changed && (seen->app != FL_APP_NONE || (c->round + id) % OTHER_ROUNDS == 0)))
		put_session(c, id, false);
}

void fl_collect_look_at_sessions(struct fl_collect *c)
{
	uint32_t part = c->t->max_sessions / TICKS_PER_MINUTE + 1;

	while (part--) {
		look(c, c->cursor);
		if (c->cursor++ < c->t->max_sessions)
			continue;
		c->cursor = 1;
		c->round++;
	}
}

void fl_collect_closing(struct fl_collect *collect, uint32_t session)
{
	const struct fl_session *s = &collect->t->sessions[session];
	struct fl_seen *seen = &collect->seen[session];

	if (way_of(collect, s)) {
		count(collect, session);
		if (seen->told || is_old_enough(collect, s))
			put_session(collect, session, true);
	}
	*seen = (struct fl_seen){ 0 };
}
