// SPDX-License-Identifier: Apache-2.0
/* What fairleadd's modules tell and ask each other: see daemon.h. */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/daemon.h"

/* Packets handled before timers, netlink and the other ring get their turn. */
#define PUNT_BUDGET 256

void fl_daemon_flush(struct daemon *d)
{
	fl_dp_tables(d->dp)->drops[FL_DROP_TX_ERROR] += fl_tx_flush(d->tx);
}

/* --- what the fabric asks for ----------------------------------------------------------------- */

static int fabric_route(void *ctx, const struct fl_addr *dst, uint32_t ifindex,
			struct fl_route *ret_route)
{
	return fl_rtnl_route(((struct daemon *)ctx)->rtnl, dst, ifindex, ret_route);
}

static int fabric_resolve(void *ctx, uint32_t ifindex, const struct fl_addr *addr)
{
	return fl_rtnl_resolve(((struct daemon *)ctx)->rtnl, ifindex, addr);
}

/*
 * XDP is faster by packets; TC keeps super-packets whole and checksums right where other software
 * devices hand them over, which is what virtual devices do.
 */
static int fabric_attach(void *ctx, const struct fl_link *link,
			 const struct fl_cfg_device_interface *device, bool host,
			 char why[FL_WHY_TEXT])
{
	struct daemon *d = ctx;
	struct fl_dp_attach what = {
		.ifname = link->name,
		.ifindex = link->ifindex,
		.want_xdp = device->mode == FL_CFG_DEVICE_XDP ||
			    (device->mode == FL_CFG_DEVICE_AUTO && !link->kind[0] && !link->l3),
		.allow_generic = device->generic_xdp,
		.host = host,
	};
	char reason[FL_WHY_TEXT];
	int mode;

	mode = fl_dp_attach(d->dp, &what, why);
	if (device->mode != FL_CFG_DEVICE_AUTO)
		return mode;
	if (mode == -EOPNOTSUPP) {
		memcpy(reason, why, sizeof(reason));
		what.want_xdp = false;
		mode = fl_dp_attach(d->dp, &what, why);
		if (mode >= 0)
			snprintf(why, FL_WHY_TEXT, "auto: %.400s", reason);
	} else if (mode == FL_MODE_TC) {
		snprintf(why, FL_WHY_TEXT,
			 "auto: a virtual device (%s), where TC keeps GSO super-packets whole",
			 link->kind[0] ? link->kind : "no link header");
	} else if (mode == FL_MODE_XDP && !why[0]) {
		snprintf(why, FL_WHY_TEXT, "auto: the driver has native XDP");
	}
	return mode;
}

static int fabric_link_bytes(void *ctx, uint32_t ifindex, uint64_t *ret_rx, uint64_t *ret_tx)
{
	return fl_rtnl_link_bytes(((struct daemon *)ctx)->rtnl, ifindex, ret_rx, ret_tx);
}

static void fabric_detach(void *ctx, uint32_t ifindex)
{
	fl_dp_detach(((struct daemon *)ctx)->dp, ifindex);
}

static void fabric_hop_up(void *ctx, uint16_t hop)
{
	struct daemon *d = ctx;

	if (d->engine && d->config)
		fl_engine_hop_up(d->engine, hop);
}

static void fabric_path_usable(void *ctx, uint16_t path, bool usable)
{
	struct daemon *d = ctx;

	(void)path;
	(void)usable;
	/* Not while a configuration is being taken over: the engine has not seen it yet. */
	if (!d->engine || !d->config || d->applying)
		return;
	fl_engine_paths_changed(d->engine);
	fl_daemon_flush(d);
}

static void fabric_watch(void *ctx, const struct fl_path_rt *path, const struct fl_path *entry,
			 struct fl_path_quality *quality)
{
	fl_bfd_io_watch(((struct daemon *)ctx)->bfd, path, entry, quality);
}

static void fabric_unwatch(void *ctx, uint16_t path)
{
	struct daemon *d = ctx;

	fl_bfd_io_unwatch(d->bfd, path);
	fl_fpm_watch_forget(d->fpm, path);
	fl_choice_forget_path(fl_engine_choice(d->engine), path);
}

const struct fl_fabric_ops fl_daemon_fabric_ops = {
	.route = fabric_route,
	.resolve = fabric_resolve,
	.attach = fabric_attach,
	.detach = fabric_detach,
	.link_bytes = fabric_link_bytes,
	.hop_up = fabric_hop_up,
	.path_usable = fabric_path_usable,
	.watch = fabric_watch,
	.unwatch = fabric_unwatch,
};

/* --- what the engine does --------------------------------------------------------------------- */

static uint8_t *io_room(void *ctx)
{
	return fl_tx_room(((struct daemon *)ctx)->tx);
}

static void io_queue(void *ctx, const struct fl_tx_to *to, size_t len)
{
	struct daemon *d = ctx;

	fl_tables_count(fl_dp_tables(d->dp), FL_STAT_TX_PACKETS);
	fl_tx_queue(d->tx, to, len);
}

static uint32_t io_jiffies(void *ctx)
{
	return fl_dp_jiffies(((struct daemon *)ctx)->dp);
}

static bool fpm_reply(void *ctx, uint32_t session, uint16_t path, uint8_t tos,
		      const struct fl_fpm_mark *mark)
{
	return fl_engine_mark(((struct daemon *)ctx)->engine, session, path, tos, mark);
}

const struct fl_fpm_watch_ops fl_daemon_fpm_ops = { .reply = fpm_reply };

/*
 * What user packets say of a path, for choosing. The sessions of a vector may be of several
 * classes, and move together: they are judged by the class that most of the path's packets are of.
 * Not all three measures need be there: of traffic that goes one way only there is one round trip
 * an interval, and no jitter. What is missing is BFD's (sla.h).
 */
struct fl_quality fl_daemon_fpm_quality(void *ctx, uint16_t path, uint8_t proto)
{
	const enum fl_fpm_proto of = proto == IPPROTO_TCP ? FL_FPM_TCP : FL_FPM_UDP;
	const struct fl_mono now = fl_mono_now();
	struct fl_quality quality = { 0 };
	struct daemon *d = ctx;
	struct fl_fpm_metrics m;
	uint64_t most = 0;

	for (int class = 0; class < FL_FPM_CLASSES; class ++) {
		if (!fl_fpm_watch_get(d->fpm, path, (enum fl_fpm_class) class, of, now, &m) ||
		    !m.quality.has || m.monitor_only || m.sent < most)
			continue;
		most = m.sent;
		quality = m.quality;
	}
	return quality;
}

static void io_closing(void *ctx, uint32_t id)
{
	struct daemon *d = ctx;

	if (d->export)
		fl_export_closing(d->export, id);
}

struct fl_io fl_daemon_io(struct daemon *d)
{
	return (struct fl_io){
		.room = io_room,
		.queue = io_queue,
		.jiffies = io_jiffies,
		.closing = io_closing,
		.loopback_ifindex = if_nametoindex("lo"),
		.ctx = d,
	};
}

/* --- news from the kernel --------------------------------------------------------------------- */

static void on_link(void *ctx, const struct fl_link *link)
{
	struct daemon *d = ctx;

	if (fl_fabric_link(d->fabric, link))
		d->routes_changed = true;
}

static void on_addr(void *ctx, uint32_t ifindex, const struct fl_addr *addr,
		    const struct fl_addr *broadcast, bool present)
{
	fl_fabric_addr(((struct daemon *)ctx)->fabric, ifindex, addr, broadcast, present);
}

static void on_neigh(void *ctx, const struct fl_neigh *neigh)
{
	struct daemon *d = ctx;

	fl_fabric_neigh(d->fabric, neigh);
	if (d->export)
		fl_export_neigh(d->export, neigh);
}

/* Routing daemons change many routes at once: looked at once, at the next tick. */
static void on_route(void *ctx)
{
	((struct daemon *)ctx)->routes_changed = true;
}

const struct fl_rtnl_events fl_daemon_rtnl_events = {
	.link = on_link,
	.addr = on_addr,
	.neigh = on_neigh,
	.route = on_route,
};

void fl_daemon_sweep_addrs(struct daemon *d)
{
	if (d->addrs_known || fl_rtnl_is_behind(d->rtnl))
		return;
	d->addrs_known = true;
	fl_fabric_addrs_known(d->fabric);
}

int fl_daemon_on_rtnl(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct daemon *d = userdata;
	int err = fl_rtnl_dispatch(d->rtnl);

	(void)source;
	(void)fd;
	(void)revents;
	if (err < 0)
		fl_log_err(err, "reading netlink events");
	fl_daemon_flush(d);
	return 0;
}

/* --- packets ---------------------------------------------------------------------------------- */

static bool on_punt(void *ctx, const struct fl_punt *punt)
{
	struct daemon *d = ctx;

	fl_engine_punt(d->engine, punt);
	return --d->budget > 0;
}

static void on_punt_ahead(void *ctx, const struct fl_punt *punt)
{
	struct daemon *d = ctx;

	fl_engine_ahead(d->engine, punt);
}

/* Sessions that exist come first; new ones get what is left. */
static void read_rings(struct daemon *d, bool new_ones)
{
	fl_dp_awake(d->dp);
	fl_engine_begin(d->engine);
	d->budget = PUNT_BUDGET;
	fl_dp_punt_read(d->dp, true, on_punt, on_punt_ahead, d);
	if (new_ones) {
		d->budget = PUNT_BUDGET;
		fl_dp_punt_read(d->dp, false, on_punt, on_punt_ahead, d);
	}
	fl_daemon_flush(d);
}

int fl_daemon_on_ring(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct daemon *d = userdata;

	(void)fd;
	(void)revents;
	read_rings(d, source == d->punts[0]);
	return 0;
}

int fl_daemon_on_waiting(sd_event_source *source, void *userdata)
{
	(void)source;
	read_rings(userdata, true);
	return 0;
}

int fl_daemon_before_sleep(sd_event_source *source, void *userdata)
{
	struct daemon *d = userdata;

	(void)source;
	if (fl_dp_may_sleep(d->dp))
		return 0;
	return sd_event_source_set_enabled(d->waiting, SD_EVENT_ONESHOT);
}

/* --- timers ----------------------------------------------------------------------------------- */

int fl_daemon_on_tick(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct daemon *d = userdata;
	bool more;

	fl_dp_awake(d->dp);
	/* An error was logged when events were read, and this comes back until it works. */
	fl_rtnl_catch_up(d->rtnl);
	fl_daemon_sweep_addrs(d);
	if (d->routes_changed) {
		d->routes_changed = false;
		fl_fabric_routes_changed(d->fabric);
		fl_engine_routes_changed(d->engine);
	}
	fl_fabric_tick(d->fabric);
	fl_fpm_watch_tick(d->fpm, fl_mono_now());
	more = fl_engine_tick(d->engine);
	fl_daemon_flush(d);
	fl_export_tick(d->export);
	/* More to age: soon again, but let packets in between. */
	sd_event_source_set_time(source, usec + (more ? 1000 : FL_ENGINE_TICK_MS * 1000));
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}
