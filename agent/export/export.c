// SPDX-License-Identifier: Apache-2.0
/* The export, put together: see export.h. */
#include "agent/export/export.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/base/log.h"
#include "agent/export/leases.h"
#include "agent/export/server.h"

#define TICKS_PER_FLUSH  (1000 / FL_COLLECT_TICK_MS) /* and readers are told */
#define FLUSHES_PER_LOOK 60                          /* at lease files */

struct fl_export {
	struct fl_export_cfg cfg;
	struct fl_collect_ops ops;
	/* All or none of them. */
	struct fl_collect *collect;
	struct fl_queue *queue;
	struct fl_export_server *server;
	struct fl_leases *leases;
	const struct fl_cfg_export *lease_files;
	unsigned int ticks, flushes;
};

static void put(void *ctx, const struct fl_export_record *record)
{
	fl_queue_put(((struct fl_export *)ctx)->queue, record);
}

static int link_bytes(void *ctx, uint32_t ifindex, uint64_t *ret_rx, uint64_t *ret_tx)
{
	struct fl_export *e = ctx;

	return e->cfg.link_bytes(e->cfg.ctx, ifindex, ret_rx, ret_tx);
}

static const char *host_name(void *ctx, const struct fl_addr *addr, const uint8_t mac[6])
{
	return fl_leases_name(((struct fl_export *)ctx)->leases, addr, mac);
}

int fl_export_new(const struct fl_export_cfg *cfg, struct fl_export **ret_export)
{
	struct fl_export *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->cfg = *cfg;
	e->ops = (struct fl_collect_ops){ .put = put,
					  .link_bytes = link_bytes,
					  .host_name = host_name };
	*ret_export = e;
	return 0;
}

static void close_all(struct fl_export *e)
{
	fl_export_server_free(e->server);
	fl_collect_free(e->collect);
	fl_queue_close(e->queue);
	fl_leases_free(e->leases);
	e->leases = NULL;
	e->server = NULL;
	e->collect = NULL;
	e->queue = NULL;
}

void fl_export_free(struct fl_export *export)
{
	if (!export)
		return;
	close_all(export);
	free(export);
}

/* A folder and the one that it is in. */
static int make_dirs(const char *path)
{
	const char *slash = strrchr(path, '/');
	char parent[256];

	snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
	if ((mkdir(parent, 0750) < 0 && errno != EEXIST) ||
	    (mkdir(path, 0750) < 0 && errno != EEXIST))
		return -errno;
	return 0;
}

static int open_all(struct fl_export *e, uint64_t max_bytes)
{
	const struct fl_export_cfg *cfg = &e->cfg;
	const struct fl_collect_view view = { cfg->tables, cfg->fabric, cfg->store, cfg->choice };
	char dir[256];
	int err;

	err = make_dirs(cfg->state_dir);
	if (!err && mkdir(FL_EXPORT_RUN_DIR, 0750) < 0 && errno != EEXIST)
		err = -errno;
	if (err)
		return err;
	snprintf(dir, sizeof(dir), "%s/export", cfg->state_dir);
	err = fl_queue_open(dir, max_bytes, &e->queue);
	if (!err)
		err = fl_leases_new(&e->leases);
	if (!err)
		err = fl_collect_new(&view, &e->ops, e, &e->collect);
	if (!err)
		err = fl_export_server_new(cfg->event, cfg->socket, e->queue, &e->server);
	return err;
}

static void hear_neigh(void *ctx, const struct fl_neigh *neigh)
{
	fl_collect_neigh(((struct fl_export *)ctx)->collect, neigh);
}

static void read_leases(struct fl_export *e)
{
	int err = fl_leases_read(e->leases, e->lease_files->dhcp_leases,
				 e->lease_files->n_dhcp_leases);

	if (err)
		fl_log_err(err, "a file of dhcp-leases cannot be read, its hosts have no names");
}

int fl_export_configure(struct fl_export *export, const struct fl_config *config)
{
	const struct fl_cfg_export *cfg = &config->router.export;
	uint64_t max_bytes = (uint64_t)cfg->queue_mb << 20;
	bool on = !export->queue && cfg->enabled;
	int err;

	if (!cfg->enabled) {
		close_all(export);
		return 0;
	}
	if (on) {
		err = open_all(export, max_bytes);
		if (err < 0) {
			fl_log_err(err, "nothing is exported: cannot use %s/export or %s",
				   export->cfg.state_dir, export->cfg.socket);
			close_all(export);
			return err;
		}
	}
	fl_queue_set_max(export->queue, max_bytes);
	export->lease_files = cfg;
	read_leases(export);
	fl_export_server_name(export->server, cfg->site ? cfg->site : config->router.name,
			      config->router.name);
	fl_collect_configure(export->collect, config);
	if (on)
		fl_fabric_each_neigh(export->cfg.fabric, hear_neigh, export);
	return 0;
}

void fl_export_tick(struct fl_export *export)
{
	if (!export->queue)
		return;
	fl_collect_tick(export->collect);
	fl_queue_write(export->queue);
	if (++export->ticks < TICKS_PER_FLUSH)
		return;
	export->ticks = 0;
	fl_queue_flush(export->queue);
	fl_export_server_kick(export->server);
	if (++export->flushes < FLUSHES_PER_LOOK)
		return;
	export->flushes = 0;
	read_leases(export);
}

void fl_export_closing(struct fl_export *export, uint32_t session)
{
	if (export->queue)
		fl_collect_closing(export->collect, session);
}

void fl_export_neigh(struct fl_export *export, const struct fl_neigh *neigh)
{
	if (export->queue)
		fl_collect_neigh(export->collect, neigh);
}

void fl_export_stats(const struct fl_export *export, struct fl_export_stats *ret_stats)
{
	*ret_stats = (struct fl_export_stats){ .enabled = export->queue != NULL };
	if (!export->queue)
		return;
	ret_stats->reader = fl_export_server_has_reader(export->server);
	ret_stats->skipped = fl_collect_skipped(export->collect);
	fl_queue_stats(export->queue, &ret_stats->queue);
}
