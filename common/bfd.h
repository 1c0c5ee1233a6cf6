/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * BFD between waypoints (RFC 5880, svr-protocol.md 5): numbers that the agent and the data plane
 * share. What an echo packet's block looks like stands in meta_wire.h.
 */
#ifndef FL_COMMON_BFD_H
#define FL_COMMON_BFD_H

#include "common/types.h"

#define FL_BFD_PORT        1280 /* control and echo, between waypoints */
#define FL_BFD_VERSION     1
#define FL_BFD_CONTROL_LEN 24
/* P-35: our authentication section. */
#define FL_BFD_AUTH_TYPE       0xf0
#define FL_BFD_AUTH_LEN        24
#define FL_BFD_AUTH_DIGEST_LEN 16
/* Of the digest in a packet whose control section comes first. */
#define FL_BFD_DIGEST_OFFSET (FL_BFD_CONTROL_LEN + FL_BFD_AUTH_LEN - FL_BFD_AUTH_DIGEST_LEN)
#define FL_ECHO_RATE_PER_S   200 /* reflected per path at most (5.2) */

/* RFC 5880 4.1, values on the wire. */
enum fl_bfd_state {
	FL_BFD_ADMIN_DOWN = 0,
	FL_BFD_DOWN,
	FL_BFD_INIT,
	FL_BFD_UP,
} FL_ENUM8;
#define FL_BFD_STATE_MAX 4

/* RFC 5880 4.1: why the sender's session last went down; values on the wire, 0 to 31. */
enum fl_bfd_diag {
	FL_BFD_DIAG_NONE = 0,
	FL_BFD_DIAG_TIMER_EXPIRED = 1,
	FL_BFD_DIAG_ECHO_FAILED = 2,
	FL_BFD_DIAG_NEIGHBOR_DOWN = 3,
	FL_BFD_DIAG_FORWARDING_RESET = 4,
	FL_BFD_DIAG_PATH_DOWN = 5,
	FL_BFD_DIAG_CONCATENATED_DOWN = 6,
	FL_BFD_DIAG_ADMIN_DOWN = 7,
	FL_BFD_DIAG_REVERSE_DOWN = 8,
} FL_ENUM8;

#endif
