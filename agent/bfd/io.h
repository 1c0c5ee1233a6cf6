/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that keeps BFD sessions alive: sockets, timers, packets; and how what it finds reaches
 * the fabric. All functions are the loop's.
 */
#ifndef FL_AGENT_BFD_IO_H
#define FL_AGENT_BFD_IO_H

#include <stdbool.h>

#include "agent/path/fabric.h"

struct sd_event;
struct fl_bfd_io;

struct fl_bfd_io_cfg {
	const char *run_dir; /* remembers there when it last started; borrowed for the call */
	bool adopted;        /* packets were being forwarded before this process began */
	/* Sessions toward a peer, or by a path, are to be signalled anew (3.3). */
	void (*peer_lost)(void *ctx, uint16_t peer);
	void (*path_moved)(void *ctx, uint16_t path);
	void *ctx;
};

int fl_bfd_io_new(const struct fl_bfd_io_cfg *cfg, struct fl_bfd_io **ret_io);

/* Ends the thread; peers hear no more of us. Takes NULL. */
void fl_bfd_io_free(struct fl_bfd_io *io);

/**
 * fl_bfd_io_configure() - before fl_fabric_apply() of the same configuration
 * @config: must outlive the next call
 * @rings:  of the configuration, for this alone; taken over
 */
void fl_bfd_io_configure(struct fl_bfd_io *io, const struct fl_config *config,
			 struct fl_rings *rings);

/* As fl_fabric_ops has them. */
void fl_bfd_io_watch(struct fl_bfd_io *io, const struct fl_path_rt *path,
		     const struct fl_path *entry, struct fl_path_quality *quality);
void fl_bfd_io_unwatch(struct fl_bfd_io *io, uint16_t path);

/* Begin: the thread runs, and news go to @fabric, from @event's loop. */
int fl_bfd_io_start(struct fl_bfd_io *io, struct fl_fabric *fabric, struct sd_event *event);

/* Counters for `show stats` and tests. */
struct fl_bfd_io_stats {
	uint64_t strangers; /* datagrams to the BFD port that were of no path */
	uint64_t refused;   /* packets that the kernel did not send */
	uint64_t late;      /* times that the thread ran more than 20 ms after it wanted to */
	bool realtime;      /* it has real-time priority */
};

void fl_bfd_io_stats(struct fl_bfd_io *io, struct fl_bfd_io_stats *ret_stats);

#endif
