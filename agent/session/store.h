/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Session records: numbers, the UUID index, and the names that records refer to. The records
 * themselves are the shared memory of fl_sessions. Loop thread only.
 */
#ifndef FL_AGENT_SESSION_STORE_H
#define FL_AGENT_SESSION_STORE_H

#include <stdint.h>

#include "agent/base/monotime.h"
#include "agent/base/tables.h"

/* P-45: how long metadata of a closed session is told from that of a new one. */
#define FL_CLOSED_REMEMBERED_MS 10000

struct fl_store;

/**
 * fl_store_new() - take over the session records, empty or from an earlier process
 * @tables: borrowed for the life of the object
 *
 * Live records are kept and indexed, closed ones remembered; half-built ones (FL_SESSION_OPENING)
 * are not, they are freed.
 *
 * Return: 0 or -ENOMEM.
 */
int fl_store_new(struct fl_tables *tables, struct fl_store **ret_store);
void fl_store_free(struct fl_store *store);

/**
 * fl_store_open() - a fresh record with this UUID, of which there must be no live one
 *
 * Return: 0, or -ENOSPC when all records are in use. A live session never makes room.
 * *ret_id numbers the record in fl_tables.sessions; it is zeroed but for uuid and state OPENING.
 */
int fl_store_open(struct fl_store *store, const uint8_t uuid[16], uint32_t *ret_id);

/* The record of an id is asked of memory, so that it is there when it is looked at. */
void fl_store_fetch(const struct fl_store *store, uint32_t id);

/*
 * The same for what fl_store_open() will touch for this UUID, and for the record that is used the
 * time after. Returns the id that is likely to be given out, 0 if none.
 */
uint32_t fl_store_prefetch(const struct fl_store *store, const uint8_t uuid[16]);

/* The record rests, remembered as closed (P-45), until it is needed again. */
void fl_store_close(struct fl_store *store, uint32_t id, struct fl_mono now);

/* A record that never got as far as being live: free at once, not remembered. */
void fl_store_abandon(struct fl_store *store, uint32_t id);

/* Live or opening session with this UUID; 0 without one. */
uint32_t fl_store_find(const struct fl_store *store, const uint8_t uuid[16]);

/* Was a session with this UUID closed less than FL_CLOSED_REMEMBERED_MS ago? */
bool fl_store_closed_lately(const struct fl_store *store, const uint8_t uuid[16],
			    struct fl_mono now);

/* Sessions that are live or opening. */
uint32_t fl_store_count(const struct fl_store *store);

/**
 * fl_store_name() - id of a name, made on first use
 *
 * Ids never change their meaning while the maps live. Return: id, or 0 if the table of names is
 * full.
 */
uint16_t fl_store_name(struct fl_store *store, enum fl_name_kind kind, const char *name);

/* The text of an id, "" for 0 and unknown ones; valid for the life of the store. */
const char *fl_store_name_text(const struct fl_store *store, uint16_t id);

/* Bytes of heap that the object holds. */
size_t fl_store_memory(const struct fl_store *store);

#endif
