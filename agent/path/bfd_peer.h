/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the metadata of BFD packets tells about a peer on one path (svr-protocol.md 5.2, 5.3): is
 * the packet new, did the peer restart, is there a NAT between us and did it change. Pure; the
 * packet's digest held already.
 */
#ifndef FL_AGENT_PATH_BFD_PEER_H
#define FL_AGENT_PATH_BFD_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/monotime.h"
#include "agent/codec/bfd_pkt.h"

#define FL_BFD_SEQ_WINDOW 32 /* P-35 */
/* Packets in a row from a new address before it counts (P-38). */
#define FL_BFD_MOVE_PACKETS 2

/* What a packet has changed; bits, beside FL_BFD_EV_* of the state machine. */
#define FL_BFD_EV_NEW_BOOT 0x100 /* another boot id: re-signal the peer's flows */
#define FL_BFD_EV_MOVED    0x200 /* it is reached at `outer` now: re-signal the path's flows */
#define FL_BFD_EV_NAT      0x400 /* `peer_nated` or `self_nated` changed */

struct fl_bfd_peer {
	bool known;    /* a packet was accepted before */
	bool numbered; /* the last one had a number */
	bool peer_nated;
	bool self_nated;
	uint8_t moving; /* packets in a row from `candidate` */
	uint32_t seq;
	struct fl_meta_boot_id boot;
	struct fl_mono at;                 /* of the last packet accepted */
	struct fl_meta_endpoint outer;     /* where it is reached; family 0 before the first */
	struct fl_meta_endpoint candidate; /* where it may be from now on */
	uint32_t moves;
	uint32_t boots;
	uint64_t replayed;
};

/**
 * fl_bfd_peer_rx() - judge a packet, and learn from it
 * @opened, @meta: what it said
 * @source:        outer source address and port
 * @own:           our own endpoint on this path
 * @silence_us:    twice the detection time (RFC 5880 6.8.1, bfd.AuthSeqKnown)
 *
 * Sequence numbers grow within a boot, by at most FL_BFD_SEQ_WINDOW while the peer is heard; after
 * a silence any larger one will do. A boot that started later begins anew at once, any other boot
 * only after a silence: so packets of an earlier life cannot be replayed into a session that works,
 * and a peer that lost its clock is heard again after a moment.
 *
 * Return: FL_BFD_EV_* bits; -EALREADY for a number that is not new, -ERANGE for one too far ahead,
 * -ESTALE for a boot that is over. Nothing is learned from these.
 */
int fl_bfd_peer_rx(struct fl_bfd_peer *peer, const struct fl_bfd_pkt *pkt,
		   const struct fl_meta *meta, const struct fl_meta_endpoint *source,
		   const struct fl_meta_endpoint *own, uint64_t silence_us, struct fl_mono now);

#endif
