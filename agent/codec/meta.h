/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata block of svr-protocol.md 2.2 to 2.6: bytes to struct and back. Pure: no I/O, no
 * allocation, no crypto. A received block is read in three steps, because it may be decrypted only
 * after its HMAC held, and the key's id stands in its header section:
 *
 *	fl_meta_peek()          base header: is it a block, how long are its sections
 *	fl_meta_parse_header()  TLVs of the clear section, among them the security id
 *	fl_meta_parse_payload() TLVs of the payload section, once it is plain text
 *
 * agent/crypto/seal.h does all of it in the right order.
 */
#ifndef FL_AGENT_CODEC_META_H
#define FL_AGENT_CODEC_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/drop_reason.h"
#include "common/meta_wire.h"

#include "agent/base/buf.h"
#include "agent/codec/meta_types.h"

/* Lengths of a block's sections, in bytes. */
struct fl_meta_lens {
	uint16_t header;  /* base header included */
	uint16_t payload; /* as transmitted, that is encrypted */
};

static inline size_t fl_meta_block_len(const struct fl_meta_lens *lens)
{
	return (size_t)lens->header + lens->payload;
}

/* A block that says nothing but "what follows is user data" (2.6). */
static inline bool fl_meta_is_fence(const struct fl_meta_lens *lens)
{
	return lens->header == FL_META_BASE_LEN && !lens->payload;
}

/* That block (2.6, P-06). */
extern const uint8_t fl_meta_fence[FL_META_BASE_LEN];

/* Does this payload start like metadata, so that it needs a fence if it is not? */
static inline bool fl_meta_has_cookie(const void *data, size_t len)
{
	return len >= 8 && !memcmp(data, fl_meta_fence, 8);
}

/**
 * fl_meta_peek() - check the base header of a layer 4 payload
 * @data:     layer 4 payload, borrowed
 * @len:      its bytes, those of the trailing HMAC not counted
 * @ret_lens: lengths of the sections, which lie within @len
 *
 * Return: 0; -ENOENT if it does not start with the cookie; -EPROTONOSUPPORT for another version;
 * -EBADMSG if it is too short or the lengths contradict each other.
 * Source: svr-protocol.md 2.2, P-01.
 */
int fl_meta_peek(const void *data, size_t len, struct fl_meta_lens *ret_lens);

/**
 * fl_meta_parse_header() - read the clear section
 * @block: what fl_meta_peek() accepted; names and lists in @meta point into it
 * @lens:  from fl_meta_peek()
 * @meta:  zeroed first; undefined on failure
 *
 * TLVs of unknown type, and of known type in a section where they have no meaning (P-02 makes the
 * sections separate name spaces), are skipped and counted; of a repeated TLV the first one counts.
 *
 * Return: 0; -EBADMSG if TLVs do not end on the section's boundary, or a value breaks its layout.
 * Source: svr-protocol.md 2.3 to 2.5.
 */
int fl_meta_parse_header(const void *block, const struct fl_meta_lens *lens, struct fl_meta *meta);

/**
 * fl_meta_parse_payload() - read the payload section and add it to @meta
 * @section: plain text, without padding and IV; names and lists in @meta point into it
 *
 * Rules and errors as fl_meta_parse_header().
 */
int fl_meta_parse_payload(const void *section, size_t len, struct fl_meta *meta);

/**
 * fl_meta_build() - write a block, payload section in clear
 * @meta:     borrowed
 * @out:      its cursor moves only on success
 * @ret_lens: lengths of the sections; the payload section starts at @ret_lens->header
 *
 * The TLVs come in a fixed order. Whoever changes the payload section's length afterwards (by
 * encryption) corrects it with fl_meta_set_payload_len().
 *
 * Return: bytes written (> 0); -ENOSPC if @out is full; -EMSGSIZE if a section exceeds its length
 * field; -EINVAL if a value does not fit its layout (a receiver would drop the block).
 * Source: svr-protocol.md 2.2 to 2.5.
 */
int fl_meta_build(const struct fl_meta *meta, struct fl_writer *out, struct fl_meta_lens *ret_lens);

/* Set the payload length in the base header of @block. */
void fl_meta_set_payload_len(void *block, uint16_t len);

/**
 * fl_meta_check_forward() - does it have what opens a session?
 *
 * Forward context, tenant, service, UUID, source router, pathway; with an encrypted user payload
 * also the security policy's name. An empty name counts as missing.
 *
 * Return: 0, or -ENODATA. Source: svr-protocol.md 2.4.
 */
int fl_meta_check_forward(const struct fl_meta *meta);

/* The same for the answer: a reverse context. */
int fl_meta_check_reverse(const struct fl_meta *meta);

/* Next router of a multicast egress list; @pos is 0 at first. False at the end. */
bool fl_meta_egress_next(const struct fl_meta_egress *egress, size_t *pos,
			 struct fl_meta_name *ret_name);

/* What to count when a block is dropped for @err, a negative result of a function above. */
enum fl_drop_reason fl_meta_drop_reason(int err);

#endif
