// SPDX-License-Identifier: Apache-2.0
/* Paths, interfaces toward the Internet, vectors: minutes and events. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "agent/export/collect_internal.h"
#include "common/hdr.h"

static const struct fl_netif *iface_of(const struct fl_collect *c, uint16_t way)
{
	const struct fl_path_rt *path;

	if (way >= FL_WAY_IFACE)
		return fl_fabric_netif(c->fabric, (uint16_t)(way - FL_WAY_IFACE));
	path = fl_fabric_path(c->fabric, way);
	return path ? fl_fabric_netif(c->fabric, path->iface) : NULL;
}

void fl_collect_way_name(const struct fl_collect *c, uint16_t way, char name[FL_EXPORT_NAME_LEN])
{
	const struct fl_netif *netif;

	name[0] = 0;
	if (way && way < FL_MAX_PATHS) {
		snprintf(name, FL_EXPORT_NAME_LEN, "%.*s", FL_LABEL_LEN, c->t->paths[way].label);
	} else if (way > FL_WAY_IFACE) {
		netif = iface_of(c, way);
		snprintf(name, FL_EXPORT_NAME_LEN, "%s", netif ? netif->name : "");
	}
}

/* --- events -----------------------------------------------------------------------------------
 */

void fl_collect_put_event(struct fl_collect *c, const char *severity, const char *kind,
			  const char *subject, const char *detail)
{
	struct fl_export_record r = { .type = FL_EXPORT_EVENT };

	r.event.at_s = c->now_s;
	snprintf(r.event.severity, sizeof(r.event.severity), "%s", severity);
	snprintf(r.event.kind, sizeof(r.event.kind), "%s", kind);
	snprintf(r.event.subject, sizeof(r.event.subject), "%s", subject);
	snprintf(r.event.detail, sizeof(r.event.detail), "%s", detail);
	c->ops->put(c->ctx, &r);
}

static void watch_path(struct fl_collect *c, uint16_t id)
{
	const struct fl_path_rt *path = fl_fabric_path(c->fabric, id);
	struct fl_way *way = &c->ways[id];
	char name[FL_EXPORT_NAME_LEN];
	bool up;

	if (!path || !path->cfg) {
		way->known = false;
		return;
	}
	up = !path->why;
	way->active |= up;
	if (way->known && way->up != up) {
		fl_collect_way_name(c, id, name);
		fl_collect_put_event(c, up ? "good" : "bad", up ? "PATH_UP" : "PATH_DOWN", name,
				     up ? "" : path->why);
	}
	way->known = true;
	way->up = up;
}

static void watch_vector(struct fl_collect *c, uint16_t id)
{
	const struct fl_vector *vector = &c->t->vectors[id];
	struct fl_moved *moved = &c->vectors[id];
	char from[FL_EXPORT_NAME_LEN], to[FL_EXPORT_NAME_LEN], detail[192];

	if (vector->path == moved->path)
		return;
	if (moved->path && vector->path) {
		const char *policy = fl_store_name_text(c->store, vector->policy);

		moved->at_s = c->now_s;
		fl_collect_way_name(c, moved->path, from);
		fl_collect_way_name(c, vector->path, to);
		snprintf(detail, sizeof(detail), "from %.31s to %.31s, policy %.80s", from, to,
			 policy[0] ? policy : "of the peer");
		fl_collect_put_event(c, "neutral", "VECTOR_MOVED", to, detail);
	} else {
		moved->at_s = 0;
	}
	moved->path = vector->path;
}

static void watch_iface(struct fl_collect *c, uint16_t id)
{
	const struct fl_netif *netif = fl_fabric_netif(c->fabric, id);

	if (netif && netif->cfg && netif->link.up)
		c->ways[FL_WAY_IFACE + id].active = true;
}

void fl_collect_watch_paths(struct fl_collect *c)
{
	uint16_t limit = fl_fabric_path_limit(c->fabric);

	for (uint16_t id = 1; id <= limit; id++)
		watch_path(c, id);
	for (uint16_t id = 1; id < FL_MAX_VECTORS; id++)
		watch_vector(c, id);
	for (uint16_t id = 1; id < FL_MAX_IFACES; id++)
		watch_iface(c, id);
}

/* --- minutes ----------------------------------------------------------------------------------
 */

static void add(struct fl_measured *sum, const struct fl_quality *q)
{
	if (q->has & FL_QUALITY_LATENCY) {
		sum->latency_us += q->latency_us;
		sum->latencies++;
	}
	if (q->has & FL_QUALITY_JITTER) {
		sum->jitter_us += q->jitter_us;
		sum->jitters++;
	}
	if (q->has & FL_QUALITY_LOSS) {
		sum->loss_ppm += q->loss_ppm;
		sum->losses++;
	}
}

/* A link test that ended since the last look, and what user datagrams say, while that is valid. */
static void sample_path(struct fl_collect *c, uint16_t id)
{
	const struct fl_choice_for any = { .proto = FL_IPPROTO_UDP };
	const struct fl_path_rt *rt = fl_fabric_path(c->fabric, id);
	struct fl_way *way = &c->ways[id];
	struct fl_sla_path path;

	if (!rt || !rt->cfg)
		return;
	if (rt->quality.burst_at.ns && rt->quality.burst_at.ns != way->burst_at.ns) {
		way->burst_at = rt->quality.burst_at;
		add(&way->bfd, &rt->quality.last);
	}
	fl_choice_path(c->choice, c->fabric, &any, id, 0, &path);
	add(&way->fpm, &path.fpm);
}

void fl_collect_sample_paths(struct fl_collect *c)
{
	uint16_t limit = fl_fabric_path_limit(c->fabric);

	for (uint16_t id = 1; id <= limit; id++)
		sample_path(c, id);
}

static double mean(uint64_t sum, uint32_t count, double unit)
{
	return count ? (double)sum / count / unit : NAN;
}

/* Rates since the last reading; NAN if there was none, and when counters began anew. */
static void read_meter(struct fl_collect *c, uint16_t id)
{
	const struct fl_netif *netif = fl_fabric_netif(c->fabric, id);
	struct fl_meter *m = &c->meters[id], old = *m;
	double seconds;

	*m = (struct fl_meter){ .rx_mbps = NAN, .tx_mbps = NAN };
	if (!netif || !netif->cfg || !netif->link.ifindex ||
	    c->ops->link_bytes(c->ctx, netif->link.ifindex, &m->rx, &m->tx) < 0)
		return;
	m->at = c->now;
	seconds = (double)fl_mono_ms_between(old.at, c->now) / 1e3;
	if (!old.at.ns || m->rx < old.rx || m->tx < old.tx || seconds < 1)
		return;
	m->rx_mbps = (double)(m->rx - old.rx) * 8 / 1e6 / seconds;
	m->tx_mbps = (double)(m->tx - old.tx) * 8 / 1e6 / seconds;
}

static void put_capacity(const struct fl_collect *c, const struct fl_netif *netif,
			 struct fl_export_path_minute *m)
{
	const struct fl_cfg_export *cfg = &c->config->router.export;

	for (size_t i = 0; i < cfg->n_capacity; i++) {
		if (strcmp(cfg->capacity[i].interface_name, netif->name))
			continue;
		if (cfg->capacity[i].upload_mbps)
			m->tx_capacity_mbps = cfg->capacity[i].upload_mbps;
		if (cfg->capacity[i].download_mbps)
			m->rx_capacity_mbps = cfg->capacity[i].download_mbps;
	}
}

/* FPM's where there are any: they are of what users sent. */
static void put_measured(const struct fl_way *way, struct fl_export_path_minute *m)
{
	static const char names[2][2][sizeof(m->source)] = { { "none", "fpm" },
							     { "bfd", "bfd+fpm" } };
	const struct fl_measured *latency = way->fpm.latencies ? &way->fpm : &way->bfd;
	const struct fl_measured *jitter = way->fpm.jitters ? &way->fpm : &way->bfd;
	const struct fl_measured *loss = way->fpm.losses ? &way->fpm : &way->bfd;
	bool fpm = latency == &way->fpm || jitter == &way->fpm || loss == &way->fpm;
	bool bfd = (latency == &way->bfd && latency->latencies) ||
		   (jitter == &way->bfd && jitter->jitters) || (loss == &way->bfd && loss->losses);

	memcpy(m->source, names[bfd][fpm], sizeof(m->source));
	m->rtt_ms = 2 * mean(latency->latency_us, latency->latencies, 1e3);
	m->jitter_ms = mean(jitter->jitter_us, jitter->jitters, 1e3);
	m->loss_pct = mean(loss->loss_ppm, loss->losses, 1e4);
}

static void put_minute(struct fl_collect *c, uint16_t id)
{
	const struct fl_way *way = &c->ways[id];
	const struct fl_netif *netif = iface_of(c, id);
	struct fl_export_record r = { .type = FL_EXPORT_PATH_MINUTE };
	struct fl_export_path_minute *m = &r.path_minute;

	if (!netif || !netif->cfg)
		return;
	m->minute = c->minute;
	fl_collect_way_name(c, id, m->path);
	m->active = way->active;
	put_measured(way, m);
	m->tx_mbps = c->meters[netif->id].tx_mbps;
	m->rx_mbps = c->meters[netif->id].rx_mbps;
	m->tx_capacity_mbps = m->rx_capacity_mbps = NAN;
	put_capacity(c, netif, m);
	m->zoom_bytes = (double)way->zoom_bytes;
	m->clients = c->client_count;
	c->ops->put(c->ctx, &r);
}

void fl_collect_read_meters(struct fl_collect *c)
{
	for (uint16_t id = 1; id < FL_MAX_IFACES; id++)
		read_meter(c, id);
}

void fl_collect_end_minute(struct fl_collect *c)
{
	uint16_t limit = fl_fabric_path_limit(c->fabric);

	for (uint16_t id = 1; id <= limit; id++) {
		const struct fl_path_rt *path = fl_fabric_path(c->fabric, id);

		if (path && path->cfg)
			put_minute(c, id);
	}
	/* Of interfaces those by which sessions leave for the Internet. */
	for (uint16_t id = 1; id < FL_MAX_IFACES; id++) {
		const struct fl_netif *netif = fl_fabric_netif(c->fabric, id);
		uint16_t way = (uint16_t)(FL_WAY_IFACE + id);

		if (netif && netif->cfg && (netif->cfg->source_nat || c->ways[way].used))
			put_minute(c, way);
	}
}
