/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes between routers behind the layer 4 header, made and taken apart in the order of P-09:
 *
 *	metadata block | original layer 4 payload | [pad byte] | HMAC
 *
 * The HMAC is checked before anything is decrypted, and before anything is parsed but the header
 * TLVs, of which one names the key. The user payload's own encryption is not done here.
 *
 * All results below zero are a negative enum fl_drop_reason, ready to be counted.
 */
#ifndef FL_AGENT_CRYPTO_SEAL_H
#define FL_AGENT_CRYPTO_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/codec/meta.h"
#include "agent/crypto/keyring.h"

/* Bytes that sealing adds at most, beside the block's TLVs in clear. */
#define FL_SEAL_OVERHEAD_MAX (FL_META_BASE_LEN + FL_CBC_OVERHEAD_MAX + 1 + FL_HMAC_LEN_MAX)

struct fl_seal {
	struct fl_keyring *ring; /* policy toward the peer */
	uint64_t unix_s;         /* wall clock, seconds */
	/*
	 * Borrowed; NULL for a packet without metadata. If it has a security id, that is replaced
	 * by the id of the key in use.
	 */
	const struct fl_meta *meta;
	const uint8_t *payload; /* original layer 4 payload, borrowed */
	size_t payload_len;
	bool payload_encrypted; /* it is cipher text of the session */
	bool pad;               /* post-encryption padding is on for this path (P-08) */
};

/**
 * fl_seal() - make the layer 4 payload of a packet to a peer
 * @out: @room bytes; must not overlap the payload
 *
 * A payload without metadata that starts like metadata gets a fence (P-06). Nothing stays nothing:
 * without block and payload there is no HMAC (svr-protocol.md 2.8).
 *
 * Return: bytes written; -FL_DROP_KEY_UNKNOWN if no key is active; -FL_DROP_INTERNAL if @room is
 * too small, the metadata cannot be encoded, or it holds a payload key that would travel in clear.
 * Source: svr-protocol.md 2.7, 2.8, P-06 to P-11.
 */
int fl_seal(const struct fl_seal *seal, uint8_t *out, size_t room);

/**
 * fl_seal_block() - only the block, encrypted by the policy, without HMAC (for BFD, P-35)
 *
 * Looks at ring, unix_s and meta. Return as fl_seal().
 */
int fl_seal_block(const struct fl_seal *seal, uint8_t *out, size_t room);

struct fl_open {
	struct fl_keyring *ring; /* policy for packets from the peer */
	uint64_t unix_s;
	bool payload_encrypted; /* as the session says; TLV 11 in the packet says it as well */
	bool pad;
};

struct fl_opened {
	bool has_meta;
	bool fence; /* the block was a fence: the payload is user data */
	/* FL_HMAC_PREVIOUS and _NEXT are worth counting; 0 for an empty packet, which has no HMAC
	 */
	enum fl_hmac_match match;
	uint32_t key_id;        /* of the key that held; 0 for an empty packet */
	size_t block_len;       /* as received */
	const uint8_t *payload; /* original layer 4 payload, in the caller's buffer */
	size_t payload_len;
	struct fl_meta meta; /* only if has_meta; points into the caller's buffer */
};

/**
 * fl_open() - take apart the layer 4 payload of a packet from a peer
 * @data:       decrypted in place; after a failure its content is undefined
 * @ret_opened: undefined on failure
 *
 * Return: 0, or
 * -FL_DROP_META_MALFORMED  the block breaks the rules of P-01
 * -FL_DROP_KEY_UNKNOWN     its security id is of no key that is accepted now
 * -FL_DROP_HMAC_MISMATCH   HMAC missing, or of no accepted key
 * -FL_DROP_DECRYPT         the payload section does not decrypt, or padding is missing
 * Source: as fl_seal(), 7.3.
 */
int fl_open(const struct fl_open *open, uint8_t *data, size_t len, struct fl_opened *ret_opened);

/**
 * fl_open_block() - only a block, decrypted by the policy; the caller has verified it (BFD)
 * @data: starts with the block, which may be followed by something else
 *
 * Fills has_meta, fence, key_id, block_len and meta of @ret_opened, and lets the payload be what
 * follows. Return as fl_open(); a missing block is -FL_DROP_META_MALFORMED.
 */
int fl_open_block(const struct fl_open *open, uint8_t *data, size_t len,
		  struct fl_opened *ret_opened);

#endif
