// SPDX-License-Identifier: Apache-2.0
/* Configurations come into use, all of them or nothing: see daemon.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "agent/base/log.h"
#include "agent/daemon.h"

void fl_daemon_log_findings(const struct fl_config_errors *errors)
{
	char text[1024];

	for (size_t i = 0; i < fl_config_errors_count(errors); i++) {
		const struct fl_config_error *e = fl_config_errors_get(errors, i);

		fl_config_error_text(e, text, sizeof(text));
		fl_log(e->warning ? FL_LOG_WARNING : FL_LOG_ERROR, "%s", text);
	}
}

/* All that can fail comes first: what is in use may not point into a configuration that is not. */
static int prepare(struct daemon *d, const struct fl_config *config, struct fl_rings **ret_rings,
		   char why[FL_WHY_TEXT])
{
	struct fl_rings *rings = NULL;
	int err;

	why[0] = 0;
	err = fl_rings_new(config, &rings, why);
	if (!err)
		err = fl_fabric_prepare(d->fabric, config, why);
	if (!err)
		err = fl_engine_prepare(d->engine, config);
	if (!err) {
		*ret_rings = rings;
		return 0;
	}
	if (!why[0])
		snprintf(why, FL_WHY_TEXT, "%s", strerror(-err));
	fl_rings_put(rings);
	return err;
}

int fl_daemon_use_config(struct daemon *d, struct fl_config *config, char why[FL_WHY_TEXT])
{
	struct fl_rings *rings;
	int err = prepare(d, config, &rings, why);

	if (err)
		return err;
	fl_bfd_io_configure(d->bfd, config, rings);
	d->applying = true;
	fl_fabric_apply(d->fabric, config);
	d->applying = false;
	fl_engine_configure(d->engine, config);
	fl_config_free(d->config);
	d->config = config;
	d->api.config = config;
	fl_daemon_flush(d);
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
	err = fl_daemon_use_config(d, config, why);
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
	fl_daemon_log_findings(errors);
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

void fl_daemon_api_apply(void *ctx, const char *text, struct fl_json *reply)
{
	apply(ctx, text, reply);
}

int fl_daemon_on_hup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
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
