/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What user packets say about paths (svr-protocol.md 4): reads the scopes that the data plane
 * fills, keeps the newest of each measure, and sees to it that a side without user traffic answers.
 * Loop thread only.
 */
#ifndef FL_AGENT_PATH_FPM_WATCH_H
#define FL_AGENT_PATH_FPM_WATCH_H

#include "agent/base/tables.h"
#include "agent/path/fabric.h"
#include "agent/path/fpm.h"
#include "common/fpm_map.h"

struct fl_fpm_watch;

struct fl_fpm_watch_ops {
	/*
	 * Send a mark alone, in a packet of this session toward the path's peer, of this class and
	 * protocol. Return: false if the session is not there or does not go by this path.
	 */
	bool (*reply)(void *ctx, uint32_t session, uint16_t path, uint8_t tos,
		      const struct fl_fpm_mark *mark);
};

int fl_fpm_watch_new(struct fl_tables *tables, struct fl_fabric *fabric,
		     const struct fl_fpm_watch_ops *ops, void *ctx,
		     struct fl_fpm_watch **ret_watch);
void fl_fpm_watch_free(struct fl_fpm_watch *watch); /* takes NULL */

/**
 * fl_fpm_watch_tick() - read what has come in; call it often, it knows when something is to be done
 *
 * Return: true if measures have changed.
 */
bool fl_fpm_watch_tick(struct fl_fpm_watch *watch, struct fl_mono now);

/* The path is none any more: the next one of this number begins anew. */
void fl_fpm_watch_forget(struct fl_fpm_watch *watch, uint16_t path);

/* One scope. */
struct fl_fpm_metrics {
	bool monitor_only;         /* to be shown, not to be chosen by */
	bool valid;                /* P-33: all three measures are, and mos is of them */
	struct fl_quality quality; /* as far as valid (quality.has) */
	uint16_t mos_x100;         /* 0 unless valid */
	struct fl_fpm_sample last; /* newest colour; of no time: none yet */
	uint64_t samples;
	uint64_t sent;     /* by all samples of loss so far */
	uint64_t received; /* of these, by the peer */
};

/**
 * fl_fpm_watch_get() - what a path is like for packets of a class and protocol
 * @ret_metrics: written only on success
 *
 * Return: false if the path is not measured, or has never been in this scope. Whoever chooses paths
 * uses those measures that quality.has names, unless monitor_only, and BFD's otherwise (P-33).
 */
bool fl_fpm_watch_get(const struct fl_fpm_watch *watch, uint16_t path, enum fl_fpm_class class,
		      enum fl_fpm_proto proto, struct fl_mono now,
		      struct fl_fpm_metrics *ret_metrics);

#endif
