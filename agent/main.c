// SPDX-License-Identifier: Apache-2.0
/*
 * fairleadd: wiring. Parses arguments, loads the configuration, builds the modules, connects them
 * by callbacks, runs the loop. One thread does everything.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "agent/api/api.h"
#include "agent/base/log.h"
#include "agent/base/rand.h"
#include "agent/bfd/io.h"
#include "agent/dp/dp.h"
#include "agent/export/export.h"
#include "agent/net/rtnl.h"
#include "agent/net/tx.h"
#include "agent/path/fabric.h"
#include "agent/path/fpm_watch.h"
#include "agent/session/engine.h"

#define VERSION "0.1"

/* Packets handled before timers, netlink and the other ring get their turn. */
#define PUNT_BUDGET 256

struct options {
	const char *config;
	const char *instance;
	bool check;
	bool print;
	bool remove;
	bool debug;
};

struct daemon {
	struct options opt;
	char pin_dir[128];
	char run_dir[128];
	int lock_fd;
	struct fl_config *config;
	sd_event *event;
	struct fl_dp *dp;
	struct fl_rtnl *rtnl;
	struct fl_tx *tx;
	struct fl_fabric *fabric;
	struct fl_engine *engine;
	struct fl_export *export;
	struct fl_bfd_io *bfd;
	struct fl_fpm_watch *fpm;
	struct fl_ctl_sock *ctl;
	struct fl_api api;
	sd_event_source *tick;
	sd_event_source *punts[2]; /* new, live */
	unsigned int budget;
	bool routes_changed;
	bool applying; /* a configuration */
};

static void flush(struct daemon *d)
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
			 const struct fl_cfg_device_interface *device, char why[FL_WHY_TEXT])
{
	struct daemon *d = ctx;
	struct fl_dp_attach what = {
		.ifname = link->name,
		.ifindex = link->ifindex,
		.want_xdp = device->mode == FL_CFG_DEVICE_XDP ||
			    (device->mode == FL_CFG_DEVICE_AUTO && !link->kind[0] && !link->l3),
		.allow_generic = device->generic_xdp,
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

static void fabric_detach(void *ctx, const char *ifname, uint32_t ifindex)
{
	fl_dp_detach(((struct daemon *)ctx)->dp, ifname, ifindex);
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
	flush(d);
}

static void fabric_watch(void *ctx, const struct fl_path_rt *path, const struct fl_path *entry,
			 struct fl_path_quality *quality)
{
	fl_bfd_io_watch(((struct daemon *)ctx)->bfd, path, entry, quality);
}

static void fabric_unwatch(void *ctx, uint16_t path)
{
	fl_bfd_io_unwatch(((struct daemon *)ctx)->bfd, path);
}

static const struct fl_fabric_ops fabric_ops = {
	.route = fabric_route,
	.resolve = fabric_resolve,
	.attach = fabric_attach,
	.detach = fabric_detach,
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

static const struct fl_fpm_watch_ops fpm_ops = { .reply = fpm_reply };

/*
 * What user packets say of a path, for choosing. A vector's sessions may be of several classes: the
 * one that most packets are of comes first.
 */
static struct fl_quality fpm_quality(void *ctx, uint16_t path, uint8_t proto)
{
	struct daemon *d = ctx;
	struct fl_fpm_metrics m;

	for (int class = FL_FPM_CLASSES - 1; class >= 0; class --)
		if (fl_fpm_watch_get(d->fpm, path, (enum fl_fpm_class) class,
				     proto == IPPROTO_TCP ? FL_FPM_TCP : FL_FPM_UDP, fl_mono_now(),
				     &m) &&
		    m.valid && !m.monitor_only)
			return m.quality;
	return (struct fl_quality){ 0 };
}

static void io_closing(void *ctx, uint32_t id)
{
	struct daemon *d = ctx;

	if (d->export)
		fl_export_closing(d->export, id);
}

/* --- news from the kernel --------------------------------------------------------------------- */

static void on_link(void *ctx, const struct fl_link *link)
{
	fl_fabric_link(((struct daemon *)ctx)->fabric, link);
}

static void on_addr(void *ctx, uint32_t ifindex, const struct fl_addr *addr, bool present)
{
	fl_fabric_addr(((struct daemon *)ctx)->fabric, ifindex, addr, present);
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

static void on_resync(void *ctx)
{
	((struct daemon *)ctx)->routes_changed = true;
}

static const struct fl_rtnl_events rtnl_events = {
	.link = on_link,
	.addr = on_addr,
	.neigh = on_neigh,
	.route = on_route,
	.resync = on_resync,
};

static int on_rtnl(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct daemon *d = userdata;
	int err = fl_rtnl_dispatch(d->rtnl);

	(void)source;
	(void)fd;
	(void)revents;
	if (err < 0)
		fl_log_err(err, "reading netlink events");
	flush(d);
	return 0;
}

/* --- packets ---------------------------------------------------------------------------------- */

static bool on_punt(void *ctx, const struct fl_punt *punt)
{
	struct daemon *d = ctx;

	fl_engine_punt(d->engine, punt);
	return --d->budget > 0;
}

static int on_ring(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct daemon *d = userdata;

	(void)fd;
	(void)revents;
	fl_engine_begin(d->engine);
	/* Sessions that exist come first; new ones get what is left. */
	d->budget = PUNT_BUDGET;
	fl_dp_punt_read(d->dp, true, on_punt, d);
	if (source == d->punts[0]) {
		d->budget = PUNT_BUDGET;
		fl_dp_punt_read(d->dp, false, on_punt, d);
	}
	flush(d);
	return 0;
}

/* --- timers ----------------------------------------------------------------------------------- */

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct daemon *d = userdata;
	bool more;

	if (d->routes_changed) {
		d->routes_changed = false;
		fl_fabric_routes_changed(d->fabric);
		fl_engine_routes_changed(d->engine);
	}
	fl_fabric_tick(d->fabric);
	fl_fpm_watch_tick(d->fpm, fl_mono_now());
	more = fl_engine_tick(d->engine);
	flush(d);
	fl_export_tick(d->export);
	/* More to age: soon again, but let packets in between. */
	sd_event_source_set_time(source, usec + (more ? 1000 : FL_ENGINE_TICK_MS * 1000));
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

/* --- configuration ---------------------------------------------------------------------------- */

static void log_findings(const struct fl_config_errors *errors)
{
	char text[1024];

	for (size_t i = 0; i < fl_config_errors_count(errors); i++) {
		const struct fl_config_error *e = fl_config_errors_get(errors, i);

		fl_config_error_text(e, text, sizeof(text));
		fl_log(e->warning ? FL_LOG_WARNING : FL_LOG_ERROR, "%s", text);
	}
}

/* Make @config the one in use. On failure the old one stays, and @config is the caller's still. */
static int use_config(struct daemon *d, struct fl_config *config, char why[FL_WHY_TEXT])
{
	int err = fl_bfd_io_configure(d->bfd, config, why);

	d->applying = true;
	if (!err)
		err = fl_fabric_apply(d->fabric, config, why);
	d->applying = false;
	if (err && d->config)
		fl_bfd_io_configure(d->bfd, d->config, why);
	if (!err) {
		err = fl_engine_configure(d->engine, config);
		if (err)
			snprintf(why, FL_WHY_TEXT, "%s", strerror(-err));
	}
	if (err)
		return err;
	fl_config_free(d->config);
	d->config = config;
	d->api.config = config;
	flush(d);
	/* Packets go on without it. */
	fl_export_configure(d->export, config);
	return 0;
}

static void log_changes(const struct fl_config *from, const struct fl_config *to)
{
	struct fl_config_changes *changes = NULL;

	if (fl_config_diff(from, to, &changes) < 0)
		return;
	for (size_t i = 0; i < fl_config_changes_count(changes); i++) {
		const struct fl_config_change *c = fl_config_changes_get(changes, i);

		fl_info("configuration: %s: %s -> %s%s", c->pointer,
			c->old_value ? c->old_value : "-", c->new_value ? c->new_value : "-",
			c->restart ? " (takes effect only after `fairleadd --remove`)" : "");
	}
	fl_config_changes_free(changes);
}

/* A configuration that has passed its checks; taken over. */
static void apply_config(struct daemon *d, struct fl_config *config, struct fl_json *data,
			 struct fl_json *reply)
{
	int count = fl_api_add_changes(data, d->config, config), err;
	char why[FL_WHY_TEXT] = "";

	if (!count) {
		fl_info("configuration unchanged, nothing to do");
		fl_config_free(config);
		return;
	}
	log_changes(d->config, config);
	err = use_config(d, config, why);
	if (err) {
		fl_error("configuration not applied: %s; the one in use stays", why);
		fl_ctl_error(reply, FL_CTL_BAD_CONFIG, "not applied: %s", why);
		fl_config_free(config);
		return;
	}
	fl_notice("configuration applied");
}

/* @text, or the file that we were started with. */
static void apply(struct daemon *d, const char *text, struct fl_json *reply)
{
	struct fl_json *data = fl_json_add_object(reply, "data");
	struct fl_config_errors *errors = NULL;
	struct fl_config *config = NULL;
	int err;

	if (text)
		err = fl_config_load(text, strlen(text), &config, &errors);
	else
		err = fl_config_load_file(d->opt.config, &config, &errors);
	log_findings(errors);
	fl_api_add_findings(data, errors);
	fl_config_errors_free(errors);
	if (err) {
		fl_error("%s is not used: %s; the configuration in use stays",
			 text ? "the new configuration" : d->opt.config, strerror(-err));
		fl_ctl_error(reply, FL_CTL_BAD_CONFIG, "%s: nothing has changed",
			     err == -EINVAL ? "the configuration has errors" : strerror(-err));
		return;
	}
	apply_config(d, config, data, reply);
}

static void api_apply(void *ctx, const char *text, struct fl_json *reply)
{
	apply(ctx, text, reply);
}

static int on_hup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct fl_json *reply = fl_json_new_object();

	(void)source;
	(void)info;
	sd_notify(0, "RELOADING=1");
	apply(userdata, NULL, reply);
	fl_json_free(reply);
	sd_notify(0, "READY=1");
	return 0;
}

/* --- start ------------------------------------------------------------------------------------ */

static int make_dir(const char *path)
{
	return mkdir(path, 0750) < 0 && errno != EEXIST ? -errno : 0;
}

/* One agent for one instance: a second one would write the same maps. */
static int take_lock(struct daemon *d)
{
	char path[256];
	int err;

	err = make_dir("/run/fairlead");
	if (!err)
		err = make_dir(d->run_dir);
	if (err) {
		fl_log_err(err, "cannot make %s", d->run_dir);
		return err;
	}
	snprintf(path, sizeof(path), "%s/lock", d->run_dir);
	d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (d->lock_fd < 0) {
		err = -errno;
		fl_log_err(err, "cannot open %s", path);
		return err;
	}
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		fl_error("another fairleadd runs as this instance (it holds %s)", path);
		return -EBUSY;
	}
	return 0;
}

static int export_link_bytes(void *ctx, uint32_t ifindex, uint64_t *ret_rx, uint64_t *ret_tx)
{
	return fl_rtnl_link_bytes(((struct daemon *)ctx)->rtnl, ifindex, ret_rx, ret_tx);
}

static int open_export(struct daemon *d)
{
	struct fl_export_cfg cfg = {
		.event = d->event,
		.tables = fl_dp_tables(d->dp),
		.fabric = d->fabric,
		.store = fl_engine_store(d->engine),
		.choice = fl_engine_choice(d->engine),
		.link_bytes = export_link_bytes,
		.ctx = d,
	};

	snprintf(cfg.socket, sizeof(cfg.socket), FL_EXPORT_RUN_DIR "/fairleadd%s%s.sock",
		 d->opt.instance[0] ? "@" : "", d->opt.instance);
	snprintf(cfg.state_dir, sizeof(cfg.state_dir), "/var/lib/fairlead%s%s",
		 d->opt.instance[0] ? "/" : "", d->opt.instance);
	return fl_export_new(&cfg, &d->export);
}

static void peer_lost(void *ctx, uint16_t peer)
{
	fl_engine_resignal_peer(((struct daemon *)ctx)->engine, peer);
}

static void path_moved(void *ctx, uint16_t path)
{
	fl_engine_resignal_path(((struct daemon *)ctx)->engine, path);
}

static int open_modules(struct daemon *d)
{
	const struct fl_dp_cfg dp_cfg = { .pin_dir = d->pin_dir,
					  .max_sessions = d->config->router.max_sessions };
	const struct fl_io io = {
		.room = io_room,
		.queue = io_queue,
		.jiffies = io_jiffies,
		.closing = io_closing,
		.loopback_ifindex = if_nametoindex("lo"),
		.ctx = d,
	};
	char why[FL_DP_WHY];
	int err;

	err = fl_dp_open(&dp_cfg, &d->dp, why);
	if (err) {
		fl_error("%s", why);
		return err;
	}
	if (fl_dp_tables(d->dp)->max_sessions != d->config->router.max_sessions)
		fl_warning(
			"max-sessions stays %u, the size of the pinned maps, until `fairleadd --remove`",
			fl_dp_tables(d->dp)->max_sessions);
	err = fl_tx_new(&d->tx);
	if (err == -EPERM) {
		fl_error("packets cannot be sent: run as root or with CAP_NET_RAW");
		return err;
	}
	if (!err)
		err = fl_fabric_new(fl_dp_tables(d->dp), &fabric_ops, d, &d->fabric);
	if (!err)
		err = fl_engine_new(fl_dp_tables(d->dp), d->fabric, &io, &d->engine);
	if (!err)
		err = fl_bfd_io_new(&(struct fl_bfd_io_cfg){ .run_dir = d->run_dir,
							     .adopted = fl_dp_adopted(d->dp),
							     .peer_lost = peer_lost,
							     .path_moved = path_moved,
							     .ctx = d },
				    &d->bfd);
	if (!err)
		err = fl_fpm_watch_new(fl_dp_tables(d->dp), d->fabric, &fpm_ops, d, &d->fpm);
	if (!err)
		err = fl_rtnl_new(&rtnl_events, d, &d->rtnl);
	if (!err)
		err = open_export(d);
	if (err)
		fl_log_err(err, "cannot start");
	return err;
}

static int start_modules(struct daemon *d)
{
	struct fl_config *config = d->config;
	char why[FL_WHY_TEXT] = "";
	int err;

	/* Devices and neighbours first: the configuration then finds them there. */
	err = fl_rtnl_start(d->rtnl);
	if (err) {
		fl_log_err(err, "cannot read interfaces from the kernel");
		return err;
	}
	d->config = NULL;
	err = use_config(d, config, why);
	if (err) {
		d->config = config;
		fl_error("configuration cannot be used: %s", why);
	}
	return err;
}

static int add_sources(struct daemon *d)
{
	sigset_t signals;
	char path[256];
	int err;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	err = sd_event_add_signal(d->event, NULL, SIGHUP, on_hup, d);
	if (err >= 0)
		err = sd_event_add_signal(d->event, NULL, SIGINT, NULL, NULL);
	if (err >= 0)
		err = sd_event_add_signal(d->event, NULL, SIGTERM, NULL, NULL);
	if (err >= 0)
		err = sd_event_add_io(d->event, NULL, fl_rtnl_fd(d->rtnl), EPOLLIN, on_rtnl, d);
	for (int live = 0; live < 2 && err >= 0; live++) {
		err = sd_event_add_io(d->event, &d->punts[live], fl_dp_punt_fd(d->dp, live),
				      EPOLLIN, on_ring, d);
		if (err >= 0)
			sd_event_source_set_priority(d->punts[live],
						     live ? SD_EVENT_PRIORITY_NORMAL - 1
							  : SD_EVENT_PRIORITY_NORMAL);
	}
	if (err >= 0)
		err = sd_event_add_time_relative(d->event, &d->tick, CLOCK_MONOTONIC, 0, 1000,
						 on_tick, d);
	if (err >= 0)
		sd_event_source_set_priority(d->tick, SD_EVENT_PRIORITY_NORMAL - 2);
	if (err >= 0)
		err = fl_bfd_io_start(d->bfd, d->fabric, d->event);
	snprintf(path, sizeof(path), "%s/fairleadd.sock", d->run_dir);
	if (err >= 0)
		err = fl_ctl_sock_new(d->event, path, fl_api_answer, &d->api, &d->ctl);
	if (err < 0)
		fl_log_err(err, "cannot set up the event loop or %s", path);
	return err < 0 ? err : 0;
}

static int run(struct daemon *d)
{
	int err;

	err = sd_event_default(&d->event);
	if (err < 0)
		return err;
	d->api = (struct fl_api){ .config_path = d->opt.config,
				  .version = VERSION,
				  .instance = d->opt.instance,
				  .pin_dir = d->pin_dir,
				  .started = fl_mono_now(),
				  .apply = api_apply,
				  .ctx = d };
	err = take_lock(d);
	if (!err)
		err = open_modules(d);
	if (err)
		return err;
	d->api.dp = d->dp;
	d->api.fabric = d->fabric;
	d->api.engine = d->engine;
	d->api.bfd = d->bfd;
	d->api.fpm = d->fpm;
	fl_choice_set_fpm(fl_engine_choice(d->engine), fpm_quality, d);
	d->api.export = d->export;
	err = start_modules(d);
	if (!err)
		err = add_sources(d);
	if (err)
		return err;
	fl_notice("fairleadd %s: router %s, %s, %u of %u sessions", VERSION, d->config->router.name,
		  fl_dp_adopted(d->dp) ? "adopted what was running" : "new data plane",
		  fl_store_count(fl_engine_store(d->engine)), fl_dp_tables(d->dp)->max_sessions);
	sd_event_set_watchdog(d->event, true);
	sd_notify(0, "READY=1");
	err = sd_event_loop(d->event);
	sd_notify(0, "STOPPING=1");
	fl_notice("stopping; established sessions go on in the data plane");
	return err < 0 ? err : 0;
}

static void done(struct daemon *d)
{
	fl_ctl_sock_free(d->ctl);
	fl_export_free(d->export);
	sd_event_source_unref(d->tick);
	for (int live = 0; live < 2; live++)
		sd_event_source_unref(d->punts[live]);
	fl_bfd_io_free(d->bfd);
	sd_event_unref(d->event);
	fl_fpm_watch_free(d->fpm);
	fl_engine_free(d->engine);
	fl_fabric_free(d->fabric);
	fl_rtnl_free(d->rtnl);
	fl_tx_free(d->tx);
	fl_dp_close(d->dp);
	fl_config_free(d->config);
	if (d->lock_fd >= 0)
		close(d->lock_fd);
}

/* --- arguments -------------------------------------------------------------------------------- */

static void usage(FILE *out)
{
	fprintf(out,
		"usage: fairleadd [OPTION]...\n"
		"  -c, --config FILE    configuration (/etc/fairlead/fairlead.json)\n"
		"  -i, --instance NAME  one of several on this host: own pins, run directory and socket\n"
		"  -n, --check          check the configuration and exit (3 if it has errors)\n"
		"  -p, --print          check it and print it, secrets left out\n"
		"      --remove         take the data plane away, ending its sessions, and exit\n"
		"  -d, --debug          say more\n"
		"      --version\n");
}

static int parse_args(int argc, char **argv, struct options *opt)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "instance", required_argument, NULL, 'i' },
		{ "check", no_argument, NULL, 'n' },
		{ "print", no_argument, NULL, 'p' },
		{ "remove", no_argument, NULL, 'R' },
		{ "debug", no_argument, NULL, 'd' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	*opt = (struct options){ .config = "/etc/fairlead/fairlead.json", .instance = "" };
	while ((c = getopt_long(argc, argv, "c:i:npdh", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			opt->config = optarg;
			break;
		case 'i':
			opt->instance = optarg;
			break;
		case 'n':
			opt->check = true;
			break;
		case 'p':
			opt->print = true;
			break;
		case 'R':
			opt->remove = true;
			break;
		case 'd':
			opt->debug = true;
			break;
		case 'V':
			printf("fairleadd %s\n", VERSION);
			exit(0);
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			return -EINVAL;
		}
	}
	if (optind < argc || strchr(opt->instance, '/') || strlen(opt->instance) > 32 ||
	    (opt->instance[0] == 'v' && opt->instance[1] >= '0' && opt->instance[1] <= '9')) {
		usage(stderr);
		return -EINVAL;
	}
	return 0;
}

static int print_config(const struct fl_config *config)
{
	char *text = fl_config_print(config, FL_CONFIG_DEFAULTS);

	if (!text)
		return 1;
	fputs(text, stdout);
	free(text);
	return 0;
}

static int load_config(struct daemon *d)
{
	struct fl_config_errors *errors = NULL;
	int err = fl_config_load_file(d->opt.config, &d->config, &errors);

	log_findings(errors);
	fl_config_errors_free(errors);
	if (err)
		fl_error("%s: %s", d->opt.config,
			 err == -EINVAL ? "the configuration has errors" : strerror(-err));
	return err;
}

static int exit_code(int err)
{
	if (!err)
		return 0;
	return err == -EPERM || err == -EACCES ? FL_CTL_PERMISSION : 1;
}

int main(int argc, char **argv)
{
	struct daemon d = { .lock_fd = -1 };
	int err;

	if (parse_args(argc, argv, &d.opt) < 0)
		return FL_CTL_USAGE;
	fl_log_init(d.opt.debug ? FL_LOG_DEBUG : FL_LOG_INFO);
	snprintf(d.pin_dir, sizeof(d.pin_dir), "/sys/fs/bpf/fairlead%s%s",
		 d.opt.instance[0] ? "/" : "", d.opt.instance);
	snprintf(d.run_dir, sizeof(d.run_dir), "/run/fairlead%s%s", d.opt.instance[0] ? "/" : "",
		 d.opt.instance);
	if (fl_rand_init() < 0) {
		fl_error("the system has no randomness");
		return 1;
	}
	if (d.opt.remove) {
		err = take_lock(&d);
		if (!err)
			err = fl_dp_remove(d.pin_dir);
		if (err && err != -EBUSY)
			fl_log_err(err, "cannot remove %s", d.pin_dir);
		done(&d);
		return exit_code(err);
	}
	if (load_config(&d) < 0) {
		done(&d);
		return FL_CTL_BAD_CONFIG;
	}
	if (d.opt.check || d.opt.print) {
		err = d.opt.print ? print_config(d.config) : 0;
		done(&d);
		return err;
	}
	err = run(&d);
	done(&d);
	return exit_code(err);
}
