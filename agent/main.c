// SPDX-License-Identifier: Apache-2.0
/*
 * fairleadd: parses arguments, loads the configuration, builds the modules, runs the loop. One
 * thread does everything but BFD, which has its own (agent/bfd/).
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "agent/base/instance.h"
#include "agent/base/log.h"
#include "agent/base/process.h"
#include "agent/base/rand.h"
#include "agent/daemon.h"

#define VERSION "0.1"

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
	return fl_process_lock(path, "fairleadd runs as this instance", &d->lock_fd);
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
	const struct fl_io io = fl_daemon_io(d);
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
		err = fl_fabric_new(fl_dp_tables(d->dp), &fl_daemon_fabric_ops, d, &d->fabric);
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
		err = fl_fpm_watch_new(fl_dp_tables(d->dp), d->fabric, &fl_daemon_fpm_ops, d,
				       &d->fpm);
	if (!err)
		err = fl_rtnl_new(&fl_daemon_rtnl_events, d, &d->rtnl);
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
	fl_daemon_sweep_addrs(d);
	d->config = NULL;
	err = fl_daemon_use_config(d, config, why);
	if (err) {
		d->config = config;
		fl_error("configuration cannot be used: %s", why);
	}
	return err;
}

static int add_sources(struct daemon *d)
{
	char path[256];
	int err = fl_process_signals(d->event, fl_daemon_on_hup, d);

	if (err >= 0)
		err = sd_event_add_io(d->event, NULL, fl_rtnl_fd(d->rtnl), EPOLLIN,
				      fl_daemon_on_rtnl, d);
	for (int live = 0; live < 2 && err >= 0; live++) {
		err = sd_event_add_io(d->event, &d->punts[live], fl_dp_punt_fd(d->dp, live),
				      EPOLLIN, fl_daemon_on_ring, d);
		if (err >= 0)
			sd_event_source_set_priority(d->punts[live],
						     live ? SD_EVENT_PRIORITY_NORMAL - 1
							  : SD_EVENT_PRIORITY_NORMAL);
	}
	if (err >= 0)
		err = sd_event_add_defer(d->event, &d->waiting, fl_daemon_on_waiting, d);
	if (err >= 0)
		err = sd_event_source_set_prepare(d->punts[0], fl_daemon_before_sleep);
	if (err >= 0)
		err = sd_event_add_time_relative(d->event, &d->tick, CLOCK_MONOTONIC, 0, 1000,
						 fl_daemon_on_tick, d);
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
				  .apply = fl_daemon_api_apply,
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
	fl_choice_set_fpm(fl_engine_choice(d->engine), fl_daemon_fpm_quality, d);
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
	sd_event_source_unref(d->waiting);
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
	if (optind < argc) {
		usage(stderr);
		return -EINVAL;
	}
	if (!fl_instance_is_name(opt->instance)) {
		fprintf(stderr, "fairleadd: \"%s\": " FL_INSTANCE_RULE "\n", opt->instance);
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

	fl_daemon_log_findings(errors);
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
