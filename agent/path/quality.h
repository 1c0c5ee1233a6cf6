/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known about a path beside its configuration: is its peer there (BFD), and how good is it
 * (link tests by BFD echo). Written by agent/path/watch.c, kept by the fabric with the path
 * (fl_fabric_path_quality()), read by path choice, CLI and export. Loop thread only.
 *
 * A path is usable when nothing stands in fl_path_rt.why: its link works, and here `live` is not
 * FL_LIVE_NO. What FPM measures on user traffic is kept elsewhere, by class and protocol.
 */
#ifndef FL_AGENT_PATH_QUALITY_H
#define FL_AGENT_PATH_QUALITY_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/monotime.h"
#include "agent/base/netinfo.h"
#include "agent/path/bfd_fsm.h"
#include "agent/path/mos.h"

enum fl_live {
	FL_LIVE_UNWATCHED = 0, /* no BFD here: the link alone decides */
	FL_LIVE_NO,            /* down, coming up, or in hold-down: `why_not` says */
	FL_LIVE_YES,
	/* The peer's agent or ours started anew while packets were forwarded: the path stays in
	 * use until BFD is up again, or until it should have been. */
	FL_LIVE_RESTARTING,
};

/* Where a measured value comes from. */
enum fl_quality_source {
	FL_SOURCE_NONE = 0, /* not measured */
	FL_SOURCE_BFD,      /* link test */
	FL_SOURCE_FPM,      /* user traffic */
};

struct fl_path_quality {
	enum fl_live live;
	const char *why_not; /* for people, static; NULL unless FL_LIVE_NO */

	/* BFD */
	enum fl_bfd_state state;
	enum fl_bfd_state remote_state;
	uint8_t diag; /* enum fl_bfd_diag: why it last went down */
	uint8_t remote_diag;
	enum fl_bfd_cause cause;  /* of the last down */
	struct fl_mono since;     /* of the present BFD state */
	struct fl_mono usable_at; /* end of hold-down, while up and not yet usable */
	uint32_t hold_down_ms;    /* that the next time up begins with; grows by damping */
	uint32_t ups;
	uint32_t downs[FL_BFD_CAUSE_MAX]; /* by cause, since the agent started */
	uint32_t detection_us;            /* silence after which it goes down */
	uint32_t tx_interval_us;          /* in use; 0: the peer wants none */
	uint64_t tx_packets;
	uint64_t rx_packets;

	/* What the peer said of itself */
	bool peer_nated;      /* it is reached at another address than its own */
	bool self_nated;      /* it sees us at another address than our own */
	bool heard;           /* since this agent has watched the path: else the next is unknown */
	bool proves;          /* it wants an HMAC at the end of all packets (capability) */
	bool vector_switch;   /* it announced that it moves sessions by vector (capability) */
	uint32_t nat_moves;   /* times that its outer address changed */
	uint32_t peer_boots;  /* times that it came with another boot id */
	struct fl_addr outer; /* where it is reached; family 0: nothing heard yet */
	uint16_t outer_port;  /* host order */
	struct fl_addr seen;  /* where it sees us; family 0: it has not said */
	uint16_t seen_port;   /* host order */
	uint64_t auth_failed; /* packets with a wrong key, a wrong digest, or none */
	uint64_t replayed;    /* packets with a number that was there before, or of an old boot */

	/* Link tests. `has` of both says which values there are. */
	struct fl_quality last;  /* the last burst, as it was */
	struct fl_quality mean;  /* 60 s time-weighted (P-37): what service levels are judged by */
	struct fl_mono burst_at; /* of the last burst's result; 0: none yet */
	uint16_t last_mos_x100;  /* 0: unknown */
	uint16_t mean_mos_x100;
	uint64_t echo_sent;
	uint64_t echo_received;
};

static inline bool fl_path_quality_is_live(const struct fl_path_quality *quality)
{
	return quality->live != FL_LIVE_NO;
}

#endif
