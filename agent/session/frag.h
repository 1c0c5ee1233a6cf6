/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reassembly (svr-protocol.md 3.7, P-25): of hosts' IP fragments before the session lookup, and of
 * what peers cut because their metadata made it too big. Strict: pieces that overlap condemn the
 * whole.
 */
#ifndef FL_AGENT_SESSION_FRAG_H
#define FL_AGENT_SESSION_FRAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/monotime.h"

#define FL_FRAG_MS       2000
#define FL_FRAG_CONTEXTS 1024  /* incomplete packets at a time, of one scope */
#define FL_FRAG_WHOLE    65535 /* bytes of a whole packet */
#define FL_FRAG_HEAD     320   /* bytes of header kept from the first piece */

/* Whose packet: compared as bytes, so zero it first. */
struct fl_frag_key {
	uint8_t src[16];
	uint8_t dst[16];
	uint32_t id;
	uint16_t scope; /* interface or peer; contexts are counted per scope */
	uint8_t proto;
	uint8_t family;
};

struct fl_frag_piece {
	uint32_t offset; /* bytes in the whole */
	const uint8_t *data;
	size_t len;
	bool last;
	const uint8_t *head; /* of the piece at offset 0; else NULL */
	size_t head_len;
	uint16_t largest; /* size that this piece had on the wire, or that its sender had seen */
	bool df;
	uint16_t orig_id;
};

/* Valid until the next call. */
struct fl_frag_whole {
	uint8_t *head;
	size_t head_len;
	uint8_t *data;
	size_t len;
	uint16_t largest;
	bool df;
	uint16_t orig_id;
};

struct fl_frags;

int fl_frags_new(struct fl_frags **ret_frags);
void fl_frags_free(struct fl_frags *frags);

/**
 * fl_frags_add() - take in a piece
 *
 * Return: 1 if that made it whole (*ret_whole), 0 if more is to come, or a negative drop reason:
 * FRAG_OVERLAP, FRAG_LIMIT, MALFORMED.
 */
int fl_frags_add(struct fl_frags *frags, const struct fl_frag_key *key,
		 const struct fl_frag_piece *piece, struct fl_mono now,
		 struct fl_frag_whole *ret_whole);

/* Give up what is too old. Return: packets given up. */
unsigned int fl_frags_expire(struct fl_frags *frags, struct fl_mono now);

#endif
