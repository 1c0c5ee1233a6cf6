/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the watch share. */
#ifndef FL_AGENT_PATH_WATCH_INTERNAL_H
#define FL_AGENT_PATH_WATCH_INTERNAL_H

#include "common/limits.h"

#include "agent/path/bfd_peer.h"
#include "agent/path/doubt.h"
#include "agent/path/watch.h"

struct fl_watched {
	struct fl_watch_spec spec;
	struct fl_rings *rings;
	struct fl_bfd bfd;
	struct fl_bfd_peer peer;
	struct fl_echo echo;
	struct fl_rolling rolling;
	struct fl_doubt doubt;
	struct fl_meta_endpoint seen; /* where the peer sees us; family 0: it has not said */
	uint32_t peer_capability;
	uint32_t tx_seq;
	enum fl_live live;
	const char *why_not;
	struct fl_mono restart_end; /* of FL_LIVE_RESTARTING */
	bool no_hold;               /* the next time it comes up there is no hold-down */
	bool kept;                  /* nor was there the last time */
	struct fl_quality last;
	struct fl_mono burst_at;
	struct fl_mono control_at; /* last control packet of the peer's agent */
	struct fl_mono probed_at;  /* last probe of its data plane */
	uint64_t auth_failed;
	uint64_t failed_before; /* as many when a control packet was last accepted */
	unsigned int news;
};

struct fl_watch {
	struct fl_watch_self self;
	char router[FL_NAME_LEN];
	struct fl_rings *rings;
	struct fl_watched *path[FL_MAX_PATHS]; /* by id */
	/*
	 * When each has something to do, and whether it must be punctual then: looked at in every
	 * turn, so they lie together, and not in the paths, of which each has pages of its own.
	 */
	struct fl_mono wake[FL_MAX_PATHS];
	bool urgent[FL_MAX_PATHS];
	uint16_t limit;     /* highest id watched */
	uint32_t seq_floor; /* where new ones begin: no peer has seen larger numbers of this boot */
	bool any_news;
	uint64_t strangers;
};

/* Burst number of link tests that only ask whether the data plane is there. */
#define FL_WATCH_PROBE 0

/* Take @events (FL_BFD_EV_*) of a path into account; after every call into its state machines. */
void fl_watched_react(struct fl_watch *watch, struct fl_watched *p, int events, struct fl_mono now);

#endif
