/* SPDX-License-Identifier: Apache-2.0 */
/* What the control socket answers. Names in the JSON are stable: the CLI's tables are made from
 * them. */
#ifndef FL_AGENT_API_API_H
#define FL_AGENT_API_API_H

#include "agent/api/ctl_sock.h"
#include "agent/config/config.h"
#include "agent/dp/dp.h"
#include "agent/path/fabric.h"
#include "agent/session/engine.h"

/* The daemon, as far as requests may see it. */
struct fl_api {
	struct fl_dp *dp;
	struct fl_fabric *fabric;
	struct fl_engine *engine;
	const struct fl_config *config; /* in use */
	const char *config_path;
	const char *instance; /* "" for the one without a name */
	const char *pin_dir;
	struct fl_mono started;
	/* Load and apply a file, NULL: the one in use; fills @reply. */
	void (*apply)(void *ctx, const char *path, struct fl_json *reply);
	void *ctx;
};

/* For fl_ctl_sock_new(): @ctx is a struct fl_api. */
void fl_api_answer(void *ctx, const struct fl_json *request, struct fl_json *reply);

#endif
