/* SPDX-License-Identifier: Apache-2.0 */
/* What the control socket answers. Names in the JSON are stable: the CLI's tables are made from
 * them. */
#ifndef FL_AGENT_API_API_H
#define FL_AGENT_API_API_H

#include "agent/api/ctl_sock.h"
#include "agent/bfd/io.h"
#include "agent/config/config.h"
#include "agent/dp/dp.h"
#include "agent/export/export.h"
#include "agent/path/fabric.h"
#include "agent/path/fpm_watch.h"
#include "agent/session/engine.h"

/* The daemon, as far as requests may see it. */
struct fl_api {
	struct fl_dp *dp;
	struct fl_fabric *fabric;
	struct fl_engine *engine;
	struct fl_bfd_io *bfd;
	struct fl_fpm_watch *fpm;
	struct fl_export *export;
	const struct fl_config *config; /* in use */
	const char *config_path;
	const char *version;
	const char *instance; /* "" for the one without a name */
	const char *pin_dir;
	struct fl_mono started;
	/*
	 * Check and apply a configuration's text, or with NULL the file that the agent was started
	 * with; what was found and changed goes into @reply.
	 */
	void (*apply)(void *ctx, const char *text, struct fl_json *reply);
	void *ctx;
};

/* For fl_ctl_sock_new(): @ctx is a struct fl_api. */
void fl_api_answer(void *ctx, const struct fl_json *request, struct fl_json *reply);

/* What was found in a configuration, as "findings" of @reply. */
void fl_api_add_findings(struct fl_json *reply, const struct fl_config_errors *errors);

/* What differs, as "changes" of @reply. Return: how much, or -ENOMEM. */
int fl_api_add_changes(struct fl_json *reply, const struct fl_config *from,
		       const struct fl_config *to);

#endif
