/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The export as the daemon sees it: off until the configuration says otherwise; then a collector
 * that writes to a queue on disk, and a socket that the insight service reads the queue by. See
 * README.md here. Loop thread only.
 */
#ifndef FL_AGENT_EXPORT_EXPORT_H
#define FL_AGENT_EXPORT_EXPORT_H

#include <systemd/sd-event.h>

#include "agent/export/collect.h"
#include "agent/export/queue.h"

struct fl_export;

/*
 * Where sockets are: not beside the control socket, since who reads what is exported need not be
 * able to command the router. The folder's group (setgid) is the readers'.
 */
#define FL_EXPORT_RUN_DIR "/run/fairlead-export"

struct fl_export_cfg {
	sd_event *event;
	/* Borrowed for the life of the object. */
	struct fl_tables *tables;
	const struct fl_fabric *fabric;
	struct fl_store *store;
	const struct fl_choice *choice;
	/* As in struct fl_collect_ops. */
	int (*link_bytes)(void *ctx, uint32_t ifindex, uint64_t *ret_rx, uint64_t *ret_tx);
	void *ctx;
	char socket[160];
	char state_dir[128]; /* absolute; made if missing; the queue is made in it */
};

/* @cfg is copied. Return: 0 or -ENOMEM. */
int fl_export_new(const struct fl_export_cfg *cfg, struct fl_export **ret_export);
void fl_export_free(struct fl_export *export); /* takes NULL; what is queued stays on disk */

/**
 * fl_export_configure() - on, off, or otherwise than before
 * @config: must outlive the next call
 *
 * Return: 0; -errno if it could not be switched on, which is logged: it is off then.
 */
int fl_export_configure(struct fl_export *export, const struct fl_config *config);

/* At every tick of the engine: FL_COLLECT_TICK_MS. */
void fl_export_tick(struct fl_export *export);

/* See collect.h. */
void fl_export_closing(struct fl_export *export, uint32_t session);
void fl_export_neigh(struct fl_export *export, const struct fl_neigh *neigh);

struct fl_export_stats {
	bool enabled;
	bool reader;
	struct fl_queue_stats queue;
	uint64_t skipped; /* session records beyond the rate that is configured */
};

void fl_export_stats(const struct fl_export *export, struct fl_export_stats *ret_stats);

#endif
