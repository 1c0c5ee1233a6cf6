// SPDX-License-Identifier: Apache-2.0
/*
 * fairlead-insightd: arguments, configuration, the event loop and its sockets. Everything else is
 * in service.c. It runs without any privilege; the router is another process.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/base/process.h"
#include "agent/base/rand.h"
#include "agent/insightd/control.h"
#include "agent/insightd/page.h"
#include "agent/insightd/service.h"

#define VERSION "0.1"

struct options {
	const char *config;
	const char *state_dir;
	const char *run_dir;
	bool check, print, schema, debug;
};

struct daemon {
	struct options opt;
	struct fl_conf *conf;
	sd_event *event;
	struct fl_service service;
	struct fl_control control;
	struct fl_page page;
	struct fl_ctl_sock *ctl;
	int lock_fd;
};

/* --- configuration ------------------------------------------------------------------------------
 */

static int load(struct daemon *d, struct fl_conf **ret_conf)
{
	struct fl_conf_problems problems;
	int err = fl_conf_load_file(d->opt.config, ret_conf, &problems);

	for (size_t i = 0; i < problems.count && i < FL_CONF_PROBLEMS_MAX; i++)
		fl_error("%s: %s", d->opt.config, problems.text[i]);
	return err;
}

/* Everything is built anew: what was learned is in the store. */
static int on_hup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct daemon *d = userdata;
	struct fl_conf *conf, *old = d->conf;
	int err;

	(void)source;
	(void)info;
	sd_notify(0, "RELOADING=1");
	if (load(d, &conf)) {
		fl_error("the configuration in use stays");
	} else {
		fl_page_stop(&d->page);
		fl_service_stop(&d->service);
		d->conf = conf;
		d->service.conf = conf;
		err = fl_service_start(&d->service);
		fl_conf_free(old);
		if (err)
			return sd_event_exit(d->event, err);
		if (fl_page_start(&d->page))
			fl_error("there is no page until the configuration is put right");
		fl_notice("configuration applied");
	}
	sd_notify(0, "READY=1");
	return 0;
}

/* --- start --------------------------------------------------------------------------------------
 */

static int make_dir(const char *path, mode_t mode)
{
	int err = mkdir(path, mode) < 0 && errno != EEXIST ? -errno : 0;

	if (err)
		fl_log_err(err, "cannot make %s", path);
	return err;
}

/* Two of them would both refresh one token, which kills it. */
static int take_lock(struct daemon *d)
{
	char path[512];
	int err = make_dir(d->opt.state_dir, 0700);

	if (!err)
		err = make_dir(d->opt.run_dir, 0750);
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/lock", d->opt.state_dir);
	return fl_process_lock(path, "fairlead-insightd runs", &d->lock_fd);
}

static int add_sources(struct daemon *d)
{
	char path[512];
	int err;

	snprintf(path, sizeof(path), "%s/insightd.sock", d->opt.run_dir);
	err = fl_ctl_sock_new(d->event, path, fl_control_answer, &d->control, &d->ctl);
	if (err < 0)
		fl_log_err(err, "cannot set up the event loop or %s", path);
	return err < 0 ? err : 0;
}

static int run(struct daemon *d)
{
	int err = take_lock(d);

	if (err)
		return err;
	err = sd_event_default(&d->event);
	if (err >= 0)
		err = fl_process_signals(d->event, on_hup, d);
	if (err < 0)
		return err;
	d->service = (struct fl_service){ .event = d->event,
					  .conf = d->conf,
					  .state_dir = d->opt.state_dir };
	d->control = (struct fl_control){ .service = &d->service, .version = VERSION };
	d->page = (struct fl_page){ .service = &d->service,
				    .control = &d->control,
				    .run_dir = d->opt.run_dir };
	err = fl_service_start(&d->service);
	if (!err)
		err = add_sources(d);
	if (!err)
		err = fl_page_start(&d->page);
	if (err)
		return err;
	fl_notice("fairlead-insightd %s: %s, %zu site%s", VERSION,
		  d->conf->enabled ? "Zoom insights are on" : "off until \"enabled\" is true",
		  d->conf->site_count, d->conf->site_count == 1 ? "" : "s");
	sd_event_set_watchdog(d->event, true);
	sd_notify(0, "READY=1");
	err = sd_event_loop(d->event);
	sd_notify(0, "STOPPING=1");
	return err < 0 ? err : 0;
}

static void done(struct daemon *d)
{
	fl_ctl_sock_free(d->ctl);
	fl_page_stop(&d->page);
	fl_service_stop(&d->service);
	sd_event_unref(d->event);
	fl_conf_free(d->conf);
	if (d->lock_fd >= 0)
		close(d->lock_fd);
}

/* --- arguments ----------------------------------------------------------------------------------
 */

static void usage(FILE *out)
{
	fprintf(out, "usage: fairlead-insightd [OPTION]...\n"
		     "  -c, --config FILE  configuration (/etc/fairlead/insight.json)\n"
		     "      --state DIR    store and credentials (/var/lib/fairlead-insight)\n"
		     "      --run DIR      sockets (/run/fairlead-insight)\n"
		     "  -n, --check        check the configuration and exit (3 if it has errors)\n"
		     "  -p, --print        check it and print it, secrets left out\n"
		     "      --schema       print the JSON schema of the configuration\n"
		     "  -d, --debug        say more\n"
		     "      --version\n");
}

static int parse_args(int argc, char **argv, struct options *opt)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "state", required_argument, NULL, 'S' },
		{ "run", required_argument, NULL, 'R' },
		{ "check", no_argument, NULL, 'n' },
		{ "print", no_argument, NULL, 'p' },
		{ "schema", no_argument, NULL, 'J' },
		{ "debug", no_argument, NULL, 'd' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	*opt = (struct options){ .config = "/etc/fairlead/insight.json",
				 .state_dir = "/var/lib/fairlead-insight",
				 .run_dir = "/run/fairlead-insight" };
	while ((c = getopt_long(argc, argv, "c:npdh", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			opt->config = optarg;
			break;
		case 'S':
			opt->state_dir = optarg;
			break;
		case 'R':
			opt->run_dir = optarg;
			break;
		case 'n':
			opt->check = true;
			break;
		case 'p':
			opt->print = true;
			break;
		case 'J':
			opt->schema = true;
			break;
		case 'd':
			opt->debug = true;
			break;
		case 'V':
			printf("fairlead-insightd %s\n", VERSION);
			exit(0);
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			return -EINVAL;
		}
	}
	if (optind < argc || strlen(opt->state_dir) > 300 || strlen(opt->run_dir) > 80) {
		usage(stderr);
		return -EINVAL;
	}
	return 0;
}

static int print_json(void (*fill)(const struct fl_conf *conf, struct fl_json *to),
		      const struct fl_conf *conf)
{
	struct fl_json *json = fl_json_new_object();
	char *text;

	fill(conf, json);
	text = fl_json_print(json, FL_JSON_PRETTY);
	fl_json_free(json);
	if (!text)
		return 1;
	fputs(text, stdout);
	free(text);
	return 0;
}

static void fill_schema(const struct fl_conf *conf, struct fl_json *to)
{
	(void)conf;
	fl_conf_schema(to);
}

int main(int argc, char **argv)
{
	const struct rlimit no_core = { 0, 0 };
	struct daemon d = { .lock_fd = -1 };
	int err;

	if (parse_args(argc, argv, &d.opt) < 0)
		return FL_CTL_USAGE;
	if (d.opt.schema)
		return print_json(fill_schema, NULL);
	fl_log_init(d.opt.debug ? FL_LOG_DEBUG : FL_LOG_INFO);
	/* Tokens are in memory. */
	setrlimit(RLIMIT_CORE, &no_core);
	if (fl_rand_init() < 0) {
		fl_error("the system has no randomness");
		return 1;
	}
	if (load(&d, &d.conf))
		return FL_CTL_BAD_CONFIG;
	if (d.opt.check || d.opt.print)
		err = d.opt.print ? print_json(fl_conf_print, d.conf) : 0;
	else
		err = run(&d);
	done(&d);
	if (err >= 0)
		return err;
	return err == -EPERM || err == -EACCES ? FL_CTL_PERMISSION : 1;
}
