/* SPDX-License-Identifier: Apache-2.0 */
/* The writer of the flow table (layout and rules: common/flow.h). One per process, loop thread
 * only. */
#ifndef FL_AGENT_SESSION_FLOWS_H
#define FL_AGENT_SESSION_FLOWS_H

#include <stdint.h>

#include "agent/base/monotime.h"
#include "agent/base/tables.h"

struct fl_flows;

/**
 * fl_flows_new() - take over a flow table, empty or from an earlier process
 * @tables: borrowed for the life of the object
 *
 * Slots that hold flows are kept. What an earlier process had in quarantine goes back in.
 *
 * Return: 0 or -ENOMEM.
 */
int fl_flows_new(struct fl_tables *tables, struct fl_flows **ret_flows);
void fl_flows_free(struct fl_flows *flows);

/* Take out flows that no live session names: left by a process that died in between. Those that are
 * in the index must have been removed from there before. */
void fl_flows_tidy(struct fl_flows *flows, struct fl_mono now);

/**
 * fl_flows_insert() - publish a flow
 * @key:  IPv4 and peer keys have their addresses in the first four bytes (or none)
 * @flow: copied; its key field is filled in here
 * @now:  for slots that leave quarantine
 *
 * The data plane sees the flow as a whole or not at all.
 *
 * Return: 0, -EEXIST (*ret_slot is the other's), -ENOSPC when the table is full, or -errno of the
 * index.
 */
int fl_flows_insert(struct fl_flows *flows, const struct fl_wide_key *key,
		    const struct fl_flow *flow, struct fl_mono now, uint32_t *ret_slot);

/**
 * fl_flows_remove() - withdraw a flow; its slot rests for FL_SLOT_QUARANTINE_MS
 * @key: the key it was inserted with
 */
void fl_flows_remove(struct fl_flows *flows, const struct fl_wide_key *key, uint32_t slot,
		     struct fl_mono now);

/**
 * fl_flows_find() - slot of a key, the way the data plane finds it
 *
 * Return: slot, or FL_NO_SLOT.
 */
uint32_t fl_flows_find(const struct fl_flows *flows, const struct fl_wide_key *key);

/* What a search for the key will touch is asked of memory now, so that it is there then. */
void fl_flows_prefetch(const struct fl_flows *flows, const struct fl_wide_key *key);

/* Flows in the table, and those of them that live in indexed slots. */
uint32_t fl_flows_count(const struct fl_flows *flows);
uint32_t fl_flows_indexed(const struct fl_flows *flows);

/* Bytes of heap that the object holds. */
size_t fl_flows_memory(const struct fl_flows *flows);

#endif
