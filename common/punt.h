/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the data plane hands to the agent: a header and the IP packet (no link header), in one of
 * two ring buffers, so that a flood of new sessions cannot delay packets of sessions that exist.
 */
#ifndef FL_COMMON_PUNT_H
#define FL_COMMON_PUNT_H

#include "common/flow.h"
#include "common/types.h"

enum fl_punt_reason {
	FL_PUNT_NONE = 0,
	FL_PUNT_NEW,    /* no flow, no metadata: a session's first packet */
	FL_PUNT_META,   /* from a peer, with metadata */
	FL_PUNT_BARE,   /* from a peer, without metadata, no flow */
	FL_PUNT_SIGNAL, /* flow found, must leave with metadata */
	FL_PUNT_FENCE,  /* flow found, payload looks like metadata: needs a false-positive header */
	FL_PUNT_FRAGMENT,
	FL_PUNT_TTL,
	FL_PUNT_TOO_BIG, /* flow found, does not fit the way out */
	FL_PUNT_ICMP_ERROR,
	FL_PUNT_STATE, /* no packet: TCP of this session has reached another state */
} FL_ENUM8;

enum fl_hook {
	FL_HOOK_XDP = 0,
	FL_HOOK_TC_INGRESS,
	FL_HOOK_TC_EGRESS, /* from this host */
} FL_ENUM8;

/*
 * What else than session set-up a packet needs the agent for: each kind has token buckets of its
 * own, one for each LAN source and peer, so that it does not eat the tokens of new sessions, nor
 * those of another kind. In the key of fl_source_bkts, above the address family; a peer's buckets
 * have no family, and the peer's number as address.
 */
#define FL_BUCKET_FRAGMENTS 0x100
#define FL_BUCKET_ERRORS    0x200 /* ICMP errors about a session's packets */
#define FL_BUCKET_EXPIRED   0x400
#define FL_BUCKET_BARE      0x800 /* peers only: neither metadata nor session */

struct fl_punt {
	enum fl_punt_reason reason;
	enum fl_hook hook;
	__u16 iface;    /* interface id; 0 for the host's own traffic */
	__u16 path;     /* arrival path; 0 unless from a peer */
	__u16 gso_size; /* payload bytes per segment, 0 = not a super-packet */
	__u32 slot;     /* flow, or FL_NO_SLOT */
	__u32 session;  /* of that flow */
	__u32 len;      /* bytes of data */
	__u8 smac[6];   /* source MAC, zero without link header */
	__u16 reserved;
	__u32 reserved2;
	__u8 data[];
};
FL_ASSERT_SIZE(struct fl_punt, 32);

/* Record sizes: bpf_ringbuf_reserve() wants a constant. */
#define FL_PUNT_SMALL  (256 - (int)sizeof(struct fl_punt))
#define FL_PUNT_MEDIUM (2048 - (int)sizeof(struct fl_punt))
#define FL_PUNT_LARGE  (16384 - (int)sizeof(struct fl_punt))
#define FL_PUNT_HUGE   (65536 + 256 - (int)sizeof(struct fl_punt))

#endif
