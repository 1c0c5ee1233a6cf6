/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry of svr-protocol.md 2.4 as a table: which TLV stands where, how long it is, which
 * value of struct fl_meta it is and how that is encoded. Private to the metadata codec.
 */
#ifndef FL_AGENT_CODEC_META_TLV_H
#define FL_AGENT_CODEC_META_TLV_H

#include <stdint.h>

#include "agent/codec/meta.h"

enum fl_tlv_kind {
	FL_KIND_NONE = 0, /* no such TLV */
	FL_KIND_FLAG,
	FL_KIND_U8,
	FL_KIND_U32,
	FL_KIND_U64,
	FL_KIND_UUID,
	FL_KIND_NAME,
	FL_KIND_ADDR,
	FL_KIND_CONTEXT,
	FL_KIND_FRAGMENT,
	FL_KIND_METRICS,
	FL_KIND_MODIFY,
	FL_KIND_PAYLOAD_KEY,
	FL_KIND_ENDPOINT,
	FL_KIND_BOOT_ID,
	FL_KIND_ECHO,
	FL_KIND_MTU_PROBE,
	FL_KIND_VECTOR,
	FL_KIND_MULTICAST,
	FL_KIND_EGRESS,
	FL_KIND_MAX,
};

#define FL_SECTION_HEADER  1
#define FL_SECTION_PAYLOAD 2

struct fl_tlv_rule {
	enum fl_tlv_kind kind;
	enum fl_meta_field field;
	uint16_t min; /* value bytes; equal to max if fixed */
	uint16_t max;
	uint16_t offset;  /* of the value in struct fl_meta */
	uint8_t sections; /* where it is accepted */
	uint8_t family;   /* the TLV for values of that family; 0: for all */
};

/* Rule for @type in @section, or NULL if it has none there. */
const struct fl_tlv_rule *fl_tlv_rule(uint8_t section, uint16_t type);

/* Types in the order in which a block is written, 0 at the end. */
extern const uint16_t fl_tlv_header_order[];
extern const uint16_t fl_tlv_payload_order[];

#endif
