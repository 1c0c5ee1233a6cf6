/* SPDX-License-Identifier: Apache-2.0 */
/* Packets of sessions whose next hop is not resolved yet (P-15: few for each flow, the oldest
 * goes). */
#ifndef FL_AGENT_SESSION_PENDING_H
#define FL_AGENT_SESSION_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/monotime.h"

#define FL_PENDING_PER_FLOW 16
#define FL_PENDING_MAX      4096
#define FL_PENDING_MS       3000 /* what ARP and ND take at most, with their repetitions */

struct fl_pending;

int fl_pending_new(struct fl_pending **ret_pending);
void fl_pending_free(struct fl_pending *pending);

struct fl_pending_packet {
	uint16_t hop;
	uint32_t session;
	int dir;
	const uint8_t *data; /* IP packet */
	size_t len;
	bool came_in_pieces; /* as of struct fl_packet */
};

/**
 * fl_pending_add() - keep a copy until its next hop is known
 *
 * Return: 0; 1 if an older one of the same flow had to go; -ENOSPC or -ENOMEM: it was not kept.
 */
int fl_pending_add(struct fl_pending *pending, const struct fl_pending_packet *packet,
		   struct fl_mono now);

typedef void (*fl_pending_fn)(void *ctx, const struct fl_pending_packet *packet);

/* Hand over and forget, in order, what waits for @hop. */
void fl_pending_release(struct fl_pending *pending, uint16_t hop, fl_pending_fn fn, void *ctx);

/* Hand over and forget what has waited too long, or belongs to @session (0: any). */
void fl_pending_expire(struct fl_pending *pending, struct fl_mono now, fl_pending_fn fn, void *ctx);
void fl_pending_forget(struct fl_pending *pending, uint32_t session, fl_pending_fn fn, void *ctx);

size_t fl_pending_count(const struct fl_pending *pending);

#endif
