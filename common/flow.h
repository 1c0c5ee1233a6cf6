/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the data plane forwards by: flows, vectors, paths, next hops, interfaces. These structs are
 * the values of pinned maps; a change of any of them is a change of FL_ABI_VERSION.
 *
 * Ports, ids and lengths are host order, so that `bpftool map dump` can be read; addresses are
 * bytes as on the wire. Ones' complement sums (addr_sum, *_delta) are of 16-bit words as they stand
 * in memory, which makes them independent of the byte order (RFC 1071 section 2 B).
 *
 * One writer per field: the agent writes everything but the fields marked "data plane".
 */
#ifndef FL_COMMON_FLOW_H
#define FL_COMMON_FLOW_H

#include "common/limits.h"
#include "common/types.h"

/*
 * The flow table: an array of 64-byte slots, eight to a bucket, and one byte of tag per slot. A
 * lookup hashes the key and looks at its home slot, where most flows are: one cache line per
 * packet. If another flow has taken it, it loads the eight tags of the bucket as one word, and goes
 * to the one slot whose tag matches: two lines. A BPF hash map touches a bucket head and two or
 * three lines, and costs three calls.
 *
 * The agent is the only writer and maps the memory. What keeps readers right without locks:
 *   - insert: fill the slot, barrier, store the key with its kind last, barrier, store the tag;
 *   - remove: clear the tag, mark the slot FL_KEY_DEAD; it is used again only after
 *     FL_SLOT_QUARANTINE_MS, so a packet that found it in that instant never sees another session's
 *     addresses (an element of a BPF hash map is reused at once).
 * Flows whose bucket is full, and IPv6 flows, whose key does not fit a slot, live in slots behind
 * the buckets; the hash map fl_flow_index leads to those.
 */
#define FL_BUCKET_SLOTS 8
/*
 * fl_spilled counts those flows, by bucket: for a first packet, whose flow is nowhere, the data
 * plane need not ask the index as well. The agent counts one before it is in the index.
 */
#define FL_SPILL_GROUPS 4096
/* Equal tags in one bucket that a lookup tries before it goes to the index. */
#define FL_TAG_TRIES          2
#define FL_SLOT_QUARANTINE_MS 1000
#define FL_NO_SLOT            0xffffffffu

enum fl_key_kind {
	FL_KEY_FREE = 0,
	FL_KEY_LAN4,  /* scope: interface id */
	FL_KEY_LAN6,  /* same; only in fl_flow_index */
	FL_KEY_HOST4, /* traffic of this host; scope 0 */
	FL_KEY_HOST6,
	FL_KEY_PEER,    /* scope: peer id; ports are waypoint ports; no addresses */
	FL_KEY_INDEXED, /* the key that counts is in fl_flow_index */
	FL_KEY_DEAD,    /* removed, in quarantine */
} FL_ENUM8;

/* Key of a flow: the packet as it arrives. */
struct fl_flow_key {
	__u8 saddr[4];
	__u8 daddr[4];
	__u16 dport;
	__u16 sport;
	__u16 scope;
	__u8 proto;
	enum fl_key_kind kind;
} FL_ALIGNED(8);
FL_ASSERT_SIZE(struct fl_flow_key, 16);

/* Key in fl_flow_index: any family; an IPv4 address takes the first four bytes. */
struct fl_wide_key {
	__u8 saddr[16];
	__u8 daddr[16];
	__u16 dport;
	__u16 sport;
	__u16 scope;
	__u8 proto;
	enum fl_key_kind kind;
} FL_ALIGNED(8);
FL_ASSERT_SIZE(struct fl_wide_key, 40);

enum fl_out_kind {
	FL_OUT_NONE = 0,
	FL_OUT_PEER,    /* out: vector */
	FL_OUT_NEXTHOP, /* out: next hop */
	FL_OUT_HOST,    /* this host's own stack */
} FL_ENUM8;

/*
 * Handshake state of one direction (svr-protocol.md 3.2), two independent bits: TX_META, packets
 * that leave by this flow need metadata; RX_META, the sender of this flow still sends metadata.
 * What a bare packet means while RX_META is set depends on the direction: on a forward flow the
 * peer has our answer (SEND_R -> EST); on a reverse flow it is not acknowledged yet (P-13).
 */
enum fl_flow_state {
	FL_FLOW_ESTABLISHED = 0,
	FL_FLOW_TX_META = 1,
	FL_FLOW_RX_META = 2,
	FL_FLOW_TX_RX_META = 3,
} FL_ENUM8;

/* TCP as far as it bears on policy and timers (svr-protocol.md 3.5, 3.11); same value in both
 * flows. */
enum fl_tcp_state {
	FL_TCP_NONE = 0, /* not TCP */
	FL_TCP_SYN_SENT,
	FL_TCP_SYN_RECEIVED,
	FL_TCP_ESTABLISHED,
	FL_TCP_FIN,     /* one side has closed */
	FL_TCP_CLOSING, /* both have */
	FL_TCP_RESET,
} FL_ENUM8;

#define FL_FLOW_REVERSE 0x01 /* from responder to initiator */
#define FL_FLOW_INNER6  0x02 /* the session is IPv6, whatever the path is */
#define FL_FLOW_WRAP    0x04 /* no ports: carried as UDP between routers (3.6) */
#define FL_FLOW_FOLLOW  0x08 /* look at the numbers of every TCP segment */
#define FL_FLOW_ID_PORT 0x10 /* the ICMP identifier, or what its checksum covers, changes */
#define FL_FLOW_DUP     0x20 /* one of the sides is carried in copies: fl_dups (common/dup.h) */

struct fl_flow {
	struct fl_flow_key key;
	__u32 session;
	__u16 out;       /* by out_kind: vector or next hop */
	__u16 in_vector; /* from a peer: packets must come by this vector's path */
	__u8 saddr[4];   /* new addresses, IPv4 and out_kind next hop or host */
	__u8 daddr[4];
	__u16 dport; /* new ports */
	__u16 sport;
	__u16 addr_delta; /* new minus old addresses; a path's addresses are left out */
	__u16 port_delta; /* new minus old ports */
	enum fl_out_kind out_kind;
	enum fl_flow_state state; /* data plane also: RX_META, TX_META -> off */
	enum fl_tcp_state tcp;    /* data plane after install */
	__u8 flags;
	__u32 last_seen; /* data plane: jiffies */
	__u64 packets;   /* data plane */
	__u64 bytes;     /* data plane: IP bytes as received */
} FL_ALIGNED(64);
FL_ASSERT_SIZE(struct fl_flow, 64);
_Static_assert(__builtin_offsetof(struct fl_flow, out_kind) == 40 &&
		       __builtin_offsetof(struct fl_flow, flags) == 43,
	       "the data plane loads these four bytes as one word");

/* Peer and policy group; all of its sessions move when `path` is written (design.md 2). */
struct fl_vector {
	__u16 path;
	__u16 prev_path;  /* still accepted from until prev_until (P-16) */
	__u32 prev_until; /* jiffies */
	__u16 peer;
	__u16 policy;    /* name id of the service policy, 0 = none */
	__u16 home_path; /* chosen when the vector was made */
	__u16 group; /* our sessions: wire protocol; the peer's: FL_GROUP_PEER | its vector's id */
};
FL_ASSERT_SIZE(struct fl_vector, 16);

#define FL_GROUP_PEER 0x8000 /* sessions that the peer opened; alone: it named no vector */

#define FL_PATH_SCOPES 8 /* of performance monitoring: traffic classes times protocols */

enum fl_path_state {
	FL_PATH_UNUSED = 0,
	FL_PATH_DOWN, /* interface down or next hop unknown */
	FL_PATH_UP,
} FL_ENUM8;

/* One (local, remote) waypoint pair. The first cache line is what forwarding needs. */
struct fl_path {
	__u8 local[16];
	__u8 remote[16];
	__u8 dmac[6];
	__u8 smac[6];
	__u32 ifindex;
	__u16 addr_sum; /* ones' complement sum of local and remote */
	__u16 mtu;
	__u16 peer;
	__u16 iface; /* interface id, also the slot in fl_tx_ports */
	__u16 vlan;  /* tags to send with, 0 = none */
	__u16 ivlan;
	enum fl_path_state state;
	__u8 family;   /* 4 or 6 */
	__u8 tx_flags; /* FL_TX_* */
	__u8 plain;    /* family if up, untagged and sent to like any Ethernet device; else 0 */
	/* second line: not needed to forward */
	__u16 port_lo; /* waypoint ports on this path, inclusive */
	__u16 port_hi;
	__u16 remote_lo; /* those that the peer's packets come from: a NAT may change them */
	__u16 remote_hi;
	__u32 security_id;        /* key in use, 0 = none */
	char label[FL_LABEL_LEN]; /* peer and interface, for people */
	__u8 reserved2[20];
	/* third line, only with FL_TX_FPM. Data plane: when each scope's next mark is due, jiffies
	 */
	__u64 fpm_due[FL_PATH_SCOPES];
} FL_ALIGNED(64);
FL_ASSERT_SIZE(struct fl_path, 192);
_Static_assert(__builtin_offsetof(struct fl_path, smac) ==
		       __builtin_offsetof(struct fl_path, dmac) + 6,
	       "in the order of a frame");

/* May a packet from the path's peer with these ports be a session's? */
static __always_inline bool fl_path_has_ports(const struct fl_path *path, __u16 sport, __u16 dport)
{
	return dport >= path->port_lo && dport <= path->port_hi && sport >= path->remote_lo &&
	       sport <= path->remote_hi;
}

#define FL_TX_L3   0x01 /* device without Ethernet header (tun, ppp) */
#define FL_TX_SKB  0x02 /* device that takes no XDP frames: leave by the TC program */
#define FL_TX_FPM  0x04 /* paths: measured on user packets (common/fpm_map.h) */
#define FL_TX_SEAL 0x08 /* paths: every packet with a payload ends with its HMAC; never plain */

/* A neighbour on a LAN or on the way to the Internet. */
struct fl_nexthop {
	__u8 dmac[6];
	__u8 smac[6];
	__u32 ifindex;
	__u16 iface;
	__u16 mtu;
	__u16 vlan;
	__u16 ivlan;
	enum fl_path_state state;
	__u8 family; /* of addr */
	__u8 tx_flags;
	__u8 plain; /* 1 if up, untagged and sent to like any Ethernet device */
	__u8 reserved[4];
	__u8 addr[16]; /* whose MAC it is */
	__u8 reserved2[16];
} FL_ALIGNED(64);
FL_ASSERT_SIZE(struct fl_nexthop, 64);
_Static_assert(__builtin_offsetof(struct fl_nexthop, smac) ==
		       __builtin_offsetof(struct fl_nexthop, dmac) + 6,
	       "in the order of a frame");

enum fl_iface_mode {
	FL_MODE_NONE = 0,
	FL_MODE_XDP, /* native XDP */
	FL_MODE_XDP_GENERIC,
	FL_MODE_TC,
} FL_ENUM8;

#define FL_IFACE_WAN      0x01 /* has waypoints: look for peers first */
#define FL_IFACE_SESSIONS 0x02 /* sources on it may open sessions (it has a tenant) */
#define FL_IFACE_L3       0x04 /* packets have no Ethernet header */
#define FL_IFACE_NAPT     0x08 /* answers to sessions come to this host's address */
#define FL_IFACE_SEALED   0x10 /* what peers send in sessions ends with its HMAC */

struct fl_iface {
	__u32 ifindex; /* with the tags one word, which is how it is looked up */
	__u16 vlan;    /* outer tag, 0 = untagged */
	__u16 ivlan;   /* inner tag */
	__u8 mac[6];
	__u16 id;
	__u16 mtu;
	__u8 flags;
	enum fl_iface_mode mode;
	__u8 reserved[12];
	char name[FL_LABEL_LEN];
} FL_ALIGNED(8);
FL_ASSERT_SIZE(struct fl_iface, 64);

/* IPv4 waypoint pair to path, FL_PATH_BUCKETS buckets by fl_path_bucket(). */
struct fl_path_way {
	__u8 local[4];
	__u8 remote[4];
	__u16 path;
	__u16 reserved;
} FL_ALIGNED(4);

struct fl_path_bucket {
	struct fl_path_way way[FL_PATH_BUCKET_WAYS];
};
FL_ASSERT_SIZE(struct fl_path_bucket, 48);

struct fl_path6_key {
	__u8 local[16];
	__u8 remote[16];
};

/* Own addresses, to tell the host's traffic from a session's first packet. */
struct fl_local_addr {
	__u8 addr[16];
	__u32 family;
};

/* Prefixes that this host's own traffic may open sessions to; IPv4 as ::ffff:a.b.c.d, length
 * plus 96. */
struct fl_host_prefix {
	__u32 length; /* bits */
	__u8 addr[16];
};

/**
 * fl_flow_hash() - hash of a slot key
 * @addrs: saddr and daddr as one 64-bit load
 * @rest:  ports, scope, protocol and kind as one 64-bit load
 * @seed:  secret of this table, so that hosts cannot aim at a bucket
 *
 * Multiply and fold; the first two products do not wait for each other. Chosen because a call to
 * the kernel's own hash costs more than this whole lookup.
 */
static __always_inline __u64 fl_flow_hash(__u64 addrs, __u64 rest, __u64 seed)
{
	__u64 h = ((addrs ^ seed) * 0x9E3779B97F4A7C15ULL) ^
		  ((rest ^ (seed >> 7)) * 0xD6E8FEB86659FD93ULL);

	h = (h ^ (h >> 32)) * 0xD6E8FEB86659FD93ULL;
	return h ^ (h >> 32);
}

/* Home slot of a hash in a table of @buckets buckets: by its low half, scaled. */
static __always_inline __u32 fl_flow_home(__u64 hash, __u32 buckets)
{
	return (__u32)(((hash & 0xffffffffULL) * ((__u64)buckets * FL_BUCKET_SLOTS)) >> 32);
}

/* Bucket of a hash: that of its home slot. */
static __always_inline __u32 fl_flow_bucket(__u64 hash, __u32 buckets)
{
	return fl_flow_home(hash, buckets) / FL_BUCKET_SLOTS;
}

/* Tag of a hash: its top byte, never 0, which means "empty". */
static __always_inline __u8 fl_flow_tag(__u64 hash)
{
	__u8 tag = (__u8)(hash >> 56);

	return tag ? tag : 1;
}

/*
 * Slots of a bucket whose tag matches, as one bit (0x80) in each byte.
 */
static __always_inline __u64 fl_tags_match(__u64 tags, __u8 tag)
{
	__u64 diff = tags ^ (tag * 0x0101010101010101ULL);

	/*
	 * Exact: the shorter form with a subtraction also marks the byte above a match, and a
	 * lookup tries FL_TAG_TRIES of them only.
	 */
	return ~(((diff & 0x7f7f7f7f7f7f7f7fULL) + 0x7f7f7f7f7f7f7f7fULL) | diff |
		 0x7f7f7f7f7f7f7f7fULL);
}

/* Number of the lowest slot in a match; there is no bit scan in BPF. */
static __always_inline __u32 fl_tags_first(__u64 match)
{
	return (__u32)((((match & -match) >> 7) * 0x0001020304050607ULL) >> 56);
}

/* Where in fl_ifaces a device and its tags are looked for first. */
static __always_inline __u32 fl_iface_slot(__u32 ifindex, __u16 vlan, __u16 ivlan)
{
	return (ifindex + vlan * 61u + ivlan * 127u) & (FL_IFACE_SLOTS - 1);
}

/* Bucket of an IPv4 waypoint pair, addresses as loaded from memory. */
static __always_inline __u32 fl_path_bucket(__u32 local, __u32 remote)
{
	return ((local * 0x9E3779B1u) ^ (remote * 0x85EBCA6Bu)) >> 24;
}

#endif
