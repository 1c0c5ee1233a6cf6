/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The session record: what a restarted agent needs to know about a session that its two flows do
 * not say. It is the agent's working copy too (the map's memory is mapped), so there is nothing to
 * keep in step.
 */
#ifndef FL_COMMON_SESSION_H
#define FL_COMMON_SESSION_H

#include "common/flow.h"
#include "common/types.h"

enum fl_session_state {
	FL_SESSION_FREE = 0,
	FL_SESSION_OPENING, /* waits for a next hop; not in the flow table yet */
	FL_SESSION_LIVE,
	FL_SESSION_CLOSED, /* removed; slots and id in quarantine */
} FL_ENUM8;

enum fl_side_kind {
	FL_SIDE_NONE = 0,
	FL_SIDE_LAN,  /* id: interface */
	FL_SIDE_PEER, /* id: peer; ports are waypoints */
	FL_SIDE_HOST, /* this host */
} FL_ENUM8;

/* Where a session comes in (toward its initiator) and goes out (toward its responder). */
struct fl_side {
	enum fl_side_kind kind;
	__u8 reserved;
	__u16 id;
	__u16 local_port;  /* our waypoint */
	__u16 remote_port; /* the peer's */
	__u16 vector;
	__u16 nexthop; /* LAN: where packets toward this side go */
};
FL_ASSERT_SIZE(struct fl_side, 12);

enum fl_tcp_enforcement {
	FL_TCP_ENFORCE_ALLOW = 0,
	FL_TCP_ENFORCE_BLOCK,
	FL_TCP_ENFORCE_RESET,
	FL_TCP_ENFORCE_STRICT,
} FL_ENUM8;

/*
 * Highest sequence seen and allowed, one direction (RFC 9293 3.10.7.4). Unless "strict" only end
 * and max_window, of the last segment looked at (P-17).
 */
struct fl_tcp_window {
	__u32 end;     /* highest seq + length sent */
	__u32 max_end; /* highest acknowledged + window the other side offered */
	__u32 max_window;
	__u8 scale;
	__u8 flags; /* FL_TCPW_* */
	__u16 reserved;
};

#define FL_TCPW_SEEN  0x01 /* initialised */
#define FL_TCPW_SCALE 0x02 /* window scale option seen in its SYN */
#define FL_TCPW_FIN   0x04 /* this direction has sent FIN */

struct fl_session {
	__u8 uuid[16];
	__u8 src[16]; /* as the initiator sent it */
	__u8 dst[16];
	__u8 nat_src[16]; /* as it leaves toward the responder */
	__u8 nat_dst[16];
	__u16 sport; /* ICMP: identifier in both */
	__u16 dport;
	__u16 nat_sport;
	__u16 nat_dport;
	__u8 family; /* 4 or 6 */
	__u8 proto;
	enum fl_session_state state;
	enum fl_tcp_enforcement tcp_enforcement;
	__u16 tenant; /* name ids */
	__u16 service;
	__u16 policy;
	__u16 source_router; /* 0: this one */
	struct fl_side in;
	struct fl_side out;
	__u32 slot[2];            /* forward, reverse flow: index in fl_flows */
	__u32 idle_timeout_ms;    /* established, both directions seen */
	__u64 start_ns;           /* CLOCK_MONOTONIC */
	__u32 initial_timeout_ms; /* before that */
	__u8 forward_seen;        /* forward metadata since the last acknowledgement (P-14) */
	__u8 health_tries;        /* unanswered health checks (P-18) */
	__u16 modify_seq;         /* TLV 28 */
	__u16 mss;                /* clamp for TCP SYN, 0 = none */
	__u8 flags;               /* FL_SESSION_* */
	__u8 dup;                 /* FL_SESSION_DUP_*: sides carried in copies (common/dup.h) */
	struct fl_tcp_window window[2]; /* data plane: forward, reverse */
	__u32 acked_ms; /* when one was last generated: CLOCK_MONOTONIC, low bits; 0 = never */
} FL_ALIGNED(64);
FL_ASSERT_SIZE(struct fl_session, 192);

#define FL_SESSION_RESIGNAL    0x01 /* next forward metadata carries a modify request */
#define FL_SESSION_HEALTH      0x02 /* next packet toward the peer asks whether the session exists */
#define FL_SESSION_NAPT        0x04 /* nat_sport was allocated from the interface's NAPT ports */
#define FL_SESSION_DELETE_SENT 0x08
#define FL_SESSION_KEEP_ALIVE  0x40 /* NATs under way are kept open for it */
#define FL_SESSION_HALF_OPEN   0x20 /* counts against the half-open limit */
#define FL_SESSION_MIDSTREAM   0x10 /* TCP taken over after its handshake */
#define FL_SESSION_INTRODUCED                                                                      \
	0x80 /* the peer was told of it beside its packets; not answered yet */

#define FL_SESSION_DUP_IN  0x01 /* 1 << enum fl_dup_end */
#define FL_SESSION_DUP_OUT 0x02

enum fl_name_kind {
	FL_NAME_FREE = 0,
	FL_NAME_TENANT,
	FL_NAME_SERVICE,
	FL_NAME_POLICY,
	FL_NAME_ROUTER,
} FL_ENUM8;

/* Names that records refer to by id: ids stay valid over reloads and restarts. */
struct fl_name {
	enum fl_name_kind kind;
	__u8 reserved[7];
	char name[FL_NAME_LEN];
};
FL_ASSERT_SIZE(struct fl_name, 264);

#endif
