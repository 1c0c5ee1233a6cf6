/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a metadata block can say, as a struct (svr-protocol.md 2.4, 2.5). The functions are in
 * meta.h.
 */
#ifndef FL_AGENT_CODEC_META_TYPES_H
#define FL_AGENT_CODEC_META_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/meta_wire.h"

#include "agent/base/addr.h"
#include "agent/codec/tuple.h"

/* What a block may say; the bit numbers of fl_meta.has. The two sections in this order. */
enum fl_meta_field {
	FL_META_FRAGMENT = 0,
	FL_META_SECURITY_ID,
	FL_META_DISABLE_FORWARD, /* flag */
	FL_META_ICMP_LOCATION,
	FL_META_CONTROL,
	FL_META_METRICS,
	FL_META_HEALTH,
	FL_META_DUPLICATE_SEQ,
	FL_META_OWN_ENDPOINT,
	FL_META_BOOT_ID,
	FL_META_ECHO,
	FL_META_SEEN_ENDPOINT,
	FL_META_MTU_PROBE,
	FL_META_CAPABILITY,
	FL_META_FORWARD,
	FL_META_REVERSE,
	FL_META_UUID,
	FL_META_TENANT,
	FL_META_INTERFACE_ID,
	FL_META_SERVICE,
	FL_META_ENCRYPTED, /* flag */
	FL_META_TCP_SYN,   /* flag */
	FL_META_SESSION_COUNT,
	FL_META_SOURCE_ROUTER,
	FL_META_SECURITY_POLICY,
	FL_META_DEST_ROUTER,
	FL_META_PATHWAY,
	FL_META_SOURCE_NAT,
	FL_META_MODIFY,
	FL_META_APPLICATION,
	FL_META_REMAINING_TIME,
	FL_META_VECTOR,
	FL_META_PAYLOAD_KEY,
	FL_META_MULTICAST,
	FL_META_MULTICAST_EGRESS,
	FL_META_FIELD_MAX,
};

/* UTF-8 without NUL, at most FL_META_NAME_MAX bytes, borrowed and not terminated. */
struct fl_meta_name {
	const char *s;
	uint16_t len;
};

/* TLV 1: a slice of a packet that was too big (3.7). */
struct fl_meta_fragment {
	uint32_t ext_id;
	uint16_t orig_id;
	uint16_t offset; /* in units of 8 bytes, at most 0x1fff */
	uint16_t largest;
	bool df;
	bool mf;
};

/* TLV 26 (section 4). */
struct fl_meta_metrics {
	uint32_t tx_time_ms; /* 28 bits */
	uint32_t rx_time_ms; /* 28 bits */
	uint16_t prev_count; /* 15 bits */
	uint8_t tx_colour;   /* 4 bits */
	uint8_t rx_colour;   /* 4 bits */
	bool drop;
};

/* TLV 28 (P-05). */
struct fl_meta_modify {
	uint16_t seq; /* 12 bits */
	bool forward; /* F */
	bool done;    /* D */
};

/* TLV 46 in the payload section (P-44): the user payload's key, borrowed. A secret. */
struct fl_meta_payload_key {
	const uint8_t *key;
	uint8_t key_len; /* 16 or 32 */
	uint8_t cipher;
	uint8_t epoch;
};

struct fl_meta_endpoint {
	struct fl_addr addr;
	uint16_t port;
};

struct fl_meta_boot_id {
	uint32_t start_s;
	uint32_t random;
};

struct fl_meta_echo {
	uint64_t tx_time_us;
	uint32_t burst;
	uint16_t index;
	uint16_t count;
	uint8_t reflected; /* 0 or 1; the HMAC is that of 0 (5.2) */
};

struct fl_meta_mtu_probe {
	uint16_t size;
	uint16_t pad_len; /* zero bytes behind it */
};

/*
 * TLV 0x8008, ours: sessions that move together, and a number that grows whenever they do. Who
 * knows it moves all of them with the first that comes by another path (design.md 2).
 */
struct fl_meta_vector {
	uint16_t id;
	uint32_t seq; /* compared as serial numbers (RFC 1982) */
};

struct fl_meta_multicast {
	struct fl_addr source;
	struct fl_addr group; /* same family */
	uint8_t flags;
	uint8_t proto;
};

/* TLV 51: router names, each with a length byte before it; borrowed. See fl_meta_egress_next(). */
struct fl_meta_egress {
	const uint8_t *entries;
	uint16_t len; /* bytes of entries */
	uint16_t count;
};

/* A value counts only if its bit in @has is set. Integers are host order. */
struct fl_meta {
	uint64_t has;     /* FL_META_BIT() */
	uint16_t unknown; /* TLVs that were skipped: unknown, or in a section not theirs */

	struct fl_meta_fragment fragment;
	uint32_t security_id;
	struct fl_addr icmp_location;
	uint8_t control; /* enum fl_control, or what the peer made up */
	uint8_t health;  /* FL_HEALTH_* */
	struct fl_meta_metrics metrics;
	uint32_t duplicate_seq;
	struct fl_meta_endpoint own_endpoint;
	struct fl_meta_endpoint seen_endpoint;
	struct fl_meta_boot_id boot_id;
	struct fl_meta_echo echo;
	struct fl_meta_mtu_probe mtu_probe;
	uint32_t capability; /* FL_CAPABLE_* */

	struct fl_tuple forward;
	struct fl_tuple reverse;
	uint8_t uuid[16];
	struct fl_meta_name tenant;
	uint32_t interface_id;
	struct fl_meta_name service;
	uint64_t session_count;
	struct fl_meta_name source_router;
	struct fl_meta_name security_policy;
	struct fl_meta_name dest_router;
	struct fl_meta_name pathway;
	struct fl_addr source_nat; /* IPv4 */
	struct fl_meta_modify modify;
	struct fl_meta_name application;
	uint32_t remaining_s;
	struct fl_meta_vector vector;
	struct fl_meta_payload_key payload_key;
	struct fl_meta_multicast multicast;
	struct fl_meta_egress egress;
};

#define FL_META_BIT(field) (1ULL << (field))

static inline bool fl_meta_has(const struct fl_meta *meta, enum fl_meta_field field)
{
	return meta->has & FL_META_BIT(field);
}

#endif
