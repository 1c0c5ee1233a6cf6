/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The metadata block on the wire (svr-protocol.md 2.2 to 2.6): numbers and sizes that the agent's
 * codec and the data plane share. Everything on the wire is big-endian and unaligned. The cookie
 * itself stands in common/hdr.h.
 */
#ifndef FL_COMMON_META_WIRE_H
#define FL_COMMON_META_WIRE_H

#include "common/hdr.h"
#include "common/types.h"

#define FL_META_VERSION  1
#define FL_META_BASE_LEN 12 /* cookie, version and header length, payload length */
#define FL_TLV_HEAD_LEN  4  /* type and length */
#define FL_META_NAME_MAX 255
/* The header length has 12 bits, the payload length 16. */
#define FL_META_HEADER_MAX  0xfff
#define FL_META_PAYLOAD_MAX 0xffff

struct fl_meta_base {
	__u8 cookie[8];
	__be16 ver_hlen; /* version << 12 | header length, base header included */
	__be16 plen;     /* payload section as transmitted */
} FL_WIRE;
FL_ASSERT_SIZE(struct fl_meta_base, FL_META_BASE_LEN);

/*
 * A block without TLVs, put before a payload that by chance starts like metadata (2.6, P-06). As
 * initialiser of 12 bytes, and its second half as a word in memory order, behind the cookie.
 */
#define FL_META_FENCE_BYTES FL_META_COOKIE_BYTES, 0x10, 0x0c, 0x00, 0x00
#define FL_META_FENCE_TAIL  0x00000c10u

/* TLV types (2.4). H: clear header section, P: payload section. */
enum fl_tlv_type {
	FL_TLV_FRAGMENT = 1,           /* H */
	FL_TLV_FORWARD4 = 2,           /* P */
	FL_TLV_FORWARD6 = 3,           /* P */
	FL_TLV_REVERSE4 = 4,           /* P */
	FL_TLV_REVERSE6 = 5,           /* P */
	FL_TLV_UUID = 6,               /* P */
	FL_TLV_TENANT = 7,             /* P */
	FL_TLV_INTERFACE_ID = 8,       /* sent in P, accepted in both */
	FL_TLV_SERVICE = 10,           /* P */
	FL_TLV_ENCRYPTED = 11,         /* P */
	FL_TLV_TCP_SYN = 12,           /* P */
	FL_TLV_SESSION_COUNT = 13,     /* sent in P, accepted in both */
	FL_TLV_SOURCE_ROUTER = 14,     /* P */
	FL_TLV_SECURITY_POLICY = 15,   /* P */
	FL_TLV_SECURITY_ID = 16,       /* H */
	FL_TLV_DEST_ROUTER = 17,       /* P */
	FL_TLV_DISABLE_FORWARD = 18,   /* H */
	FL_TLV_PATHWAY = 19,           /* P */
	FL_TLV_ICMP_LOCATION4 = 20,    /* H */
	FL_TLV_ICMP_LOCATION6 = 21,    /* H */
	FL_TLV_CONTROL = 24,           /* H */
	FL_TLV_SOURCE_NAT = 25,        /* P */
	FL_TLV_PATH_METRICS = 26,      /* H */
	FL_TLV_MODIFY = 28,            /* sent in P, accepted in both */
	FL_TLV_APPLICATION = 35,       /* sent in P, accepted in both */
	FL_TLV_REMAINING_TIME = 42,    /* P */
	FL_TLV_46 = 46,                /* H: session health check; P: payload key (P-02) */
	FL_TLV_MULTICAST = 50,         /* P */
	FL_TLV_MULTICAST_EGRESS = 51,  /* P */
	FL_TLV_DUPLICATE_SEQ = 0x8001, /* H; this and the following are ours (P-03) */
	FL_TLV_OWN_ENDPOINT = 0x8002,  /* H, BFD */
	FL_TLV_BOOT_ID = 0x8003,       /* H, BFD */
	FL_TLV_ECHO = 0x8004,          /* H, BFD */
	FL_TLV_SEEN_ENDPOINT = 0x8005, /* H, BFD */
	FL_TLV_MTU_PROBE = 0x8006,     /* H, BFD */
	FL_TLV_CAPABILITY = 0x8007,    /* H, BFD: FL_CAPABLE_* */
	FL_TLV_VECTOR = 0x8008, /* P, F and R: the initiator's vector, and how often it moved */
	FL_TLV_PRIVATE_FIRST = 0x8001,
	FL_TLV_PRIVATE_LAST = 0x8008,
};

/* Sizes of values (2.5). */
#define FL_TLV_CONTEXT4_LEN   13
#define FL_TLV_CONTEXT6_LEN   37
#define FL_TLV_FRAGMENT_LEN   10
#define FL_TLV_METRICS_LEN    10
#define FL_TLV_ENDPOINT4_LEN  8
#define FL_TLV_ENDPOINT6_LEN  20
#define FL_TLV_BOOT_ID_LEN    8
#define FL_TLV_ECHO_LEN       17
#define FL_TLV_VECTOR_LEN     8
#define FL_TLV_MULTICAST4_LEN 11
#define FL_TLV_MULTICAST6_LEN 35

/*
 * An echo packet's block (5.2) always has this layout: base header, security id, echo. So a
 * reflector finds the flag without parsing.
 */
#define FL_ECHO_BLOCK_LEN        (FL_META_BASE_LEN + FL_TLV_HEAD_LEN + 4 + FL_TLV_HEAD_LEN + 17)
#define FL_ECHO_REFLECTED_OFFSET (FL_ECHO_BLOCK_LEN - 1)

/* Values of TLV 24 (2.4, 3.4). */
enum fl_control {
	FL_CONTROL_UNKNOWN = 0,
	FL_CONTROL_KEEPALIVE = 1,
	FL_CONTROL_ENABLE = 2,
	FL_CONTROL_DISABLE = 3,
	FL_CONTROL_DELETE = 6,
	FL_CONTROL_EXISTS = 8,
};

/* What a peer can do, in TLV 0x8007 of its BFD packets; unknown bits are ignored. */
#define FL_CAPABLE_VECTORS                                                                         \
	0x01                 /* moves sessions by vector: its packets may change path unannounced */
#define FL_CAPABLE_KEPT 0x02 /* its sessions are older than its boot id: it adopted them */
/* Wants every packet of a session that has a payload proven on this path, and takes the HMAC off
 * (svr-protocol.md 2.8). Whoever does not say so would take an HMAC for user data. */
#define FL_CAPABLE_PROVES 0x04

/* Values of TLV 46 in the header section (3.4). */
#define FL_HEALTH_REQUEST 1
#define FL_HEALTH_TIMEOUT 2

#endif
