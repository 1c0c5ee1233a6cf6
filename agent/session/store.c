// SPDX-License-Identifier: Apache-2.0
/* Session records: see store.h. */
#include "agent/session/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/bigmem.h"
#include "agent/base/fifo.h"

/* The hash is kept: a record lies anywhere, and looking at it takes as long as all else here. */
struct index_entry {
	uint32_t id; /* 0: empty */
	uint32_t hash;
};

struct fl_store {
	struct fl_tables *tables;
	/* UUID index: open addressing, linear probing. Closed records stay in it. */
	struct index_entry *index;
	uint32_t mask;
	/* Ids to use next: first the never used, then the longest closed. */
	struct fl_fifo free_ids;
	uint32_t count;
	struct fl_name *names; /* copy of the pinned table, by id */
	uint32_t names_used;
	uint16_t *name_index; /* by hash, NAME_SLOTS; ids, 0 = empty; names are never removed */
};

#define NAME_SLOTS (2 * FL_MAX_NAMES)

/* UUIDs of ours are random; those of peers need not be, so the table's secret is mixed in. */
static uint32_t uuid_hash(const struct fl_store *store, const uint8_t uuid[16])
{
	uint64_t words[2];

	memcpy(words, uuid, sizeof(words));
	return (uint32_t)fl_flow_hash(words[0], words[1], store->tables->hash_seed);
}

static struct index_entry *index_find(const struct fl_store *store, const uint8_t uuid[16])
{
	const struct fl_session *sessions = store->tables->sessions;
	const uint32_t hash = uuid_hash(store, uuid);
	struct index_entry *entry;

	for (uint32_t i = hash & store->mask; store->index[i].id; i = (i + 1) & store->mask) {
		entry = &store->index[i];
		if (entry->hash == hash && !memcmp(sessions[entry->id].uuid, uuid, 16))
			return entry;
	}
	return NULL;
}

static void index_add(struct fl_store *store, uint32_t id)
{
	const uint32_t hash = uuid_hash(store, store->tables->sessions[id].uuid);
	uint32_t i = hash & store->mask;

	while (store->index[i].id)
		i = (i + 1) & store->mask;
	store->index[i] = (struct index_entry){ id, hash };
}

/* Linear probing without tombstones: what follows the gap and belongs before it moves up. */
static void index_remove(struct fl_store *store, uint32_t id)
{
	uint32_t gap = uuid_hash(store, store->tables->sessions[id].uuid) & store->mask, next;

	while (store->index[gap].id != id) {
		if (!store->index[gap].id)
			return;
		gap = (gap + 1) & store->mask;
	}
	for (next = (gap + 1) & store->mask; store->index[next].id;
	     next = (next + 1) & store->mask) {
		uint32_t home = store->index[next].hash;

		if (((next - home) & store->mask) < ((next - gap) & store->mask))
			continue;
		store->index[gap] = store->index[next];
		gap = next;
	}
	store->index[gap].id = 0;
}

/* The slot of a name, or the empty one where it would go. */
static uint16_t *name_slot(const struct fl_store *store, enum fl_name_kind kind, const char *name)
{
	uint32_t i = kind;

	for (const char *c = name; *c; c++)
		i = (i ^ (uint8_t)*c) * 16777619u; /* FNV-1a */
	for (i %= NAME_SLOTS; store->name_index[i]; i = (i + 1) % NAME_SLOTS) {
		const struct fl_name *entry = &store->names[store->name_index[i]];

		if (entry->kind == kind && !strcmp(entry->name, name))
			break;
	}
	return &store->name_index[i];
}

static int names_load(struct fl_store *store)
{
	struct fl_tables *t = store->tables;

	store->names = calloc(FL_MAX_NAMES, sizeof(*store->names));
	store->name_index = calloc(NAME_SLOTS, sizeof(*store->name_index));
	if (!store->names || !store->name_index)
		return -ENOMEM;
	store->names_used = 1;
	for (uint32_t id = 1; id < FL_MAX_NAMES; id++) {
		if (t->ops->name_get(t->ops_ctx, id, &store->names[id]) < 0 ||
		    store->names[id].kind == FL_NAME_FREE)
			break;
		store->names[id].name[FL_NAME_LEN - 1] = 0;
		*name_slot(store, store->names[id].kind, store->names[id].name) = (uint16_t)id;
		store->names_used = id + 1;
	}
	return 0;
}

/* In what order records are used again: never used ones, closed ones, those closed lately (P-45).
 */
enum reuse { REUSE_FREE, REUSE_CLOSED, REUSE_CLOSED_LATELY, REUSE_MAX };

static enum reuse reuse_of(const struct fl_session *session, struct fl_mono now)
{
	if (session->state != FL_SESSION_CLOSED)
		return REUSE_FREE;
	return now.ns - session->start_ns < FL_CLOSED_REMEMBERED_MS * FL_NS_PER_MS
		       ? REUSE_CLOSED_LATELY
		       : REUSE_CLOSED;
}

static int adopt_free(struct fl_store *store, enum reuse which, struct fl_mono now)
{
	struct fl_session *sessions = store->tables->sessions;
	int err;

	for (uint32_t id = 1; id <= store->tables->max_sessions; id++) {
		if (sessions[id].state == FL_SESSION_LIVE || reuse_of(&sessions[id], now) != which)
			continue;
		if (which == REUSE_FREE)
			sessions[id].state = FL_SESSION_FREE;
		else
			index_add(store, id);
		err = fl_fifo_push(&store->free_ids, &id);
		if (err < 0)
			return err;
	}
	return 0;
}

static int adopt(struct fl_store *store, struct fl_mono now)
{
	const struct fl_session *sessions = store->tables->sessions;
	int err = 0;

	for (uint32_t id = 1; id <= store->tables->max_sessions; id++) {
		if (sessions[id].state != FL_SESSION_LIVE)
			continue;
		index_add(store, id);
		store->count++;
	}
	for (int which = REUSE_FREE; which < REUSE_MAX && !err; which++)
		err = adopt_free(store, (enum reuse)which, now);
	return err;
}

int fl_store_new(struct fl_tables *tables, struct fl_store **ret_store)
{
	struct fl_store *store = calloc(1, sizeof(*store));
	uint32_t size = 16;
	int err = -ENOMEM;

	if (!store)
		return -ENOMEM;
	store->tables = tables;
	fl_fifo_init(&store->free_ids, sizeof(uint32_t));
	/* Closed records stay in the index, so it may hold all of them: at most 3/4 full. */
	while (size < tables->max_sessions + tables->max_sessions / 3)
		size *= 2;
	store->mask = size - 1;
	store->index = fl_big_calloc(size, sizeof(*store->index));
	if (store->index)
		err = names_load(store);
	if (err >= 0)
		err = adopt(store, fl_mono_now());
	if (err < 0) {
		fl_store_free(store);
		return err;
	}
	*ret_store = store;
	return 0;
}

void fl_store_free(struct fl_store *store)
{
	if (!store)
		return;
	fl_fifo_done(&store->free_ids);
	free(store->index);
	free(store->names);
	free(store->name_index);
	free(store);
}

int fl_store_open(struct fl_store *store, const uint8_t uuid[16], uint32_t *ret_id)
{
	const uint32_t *next = fl_fifo_peek(&store->free_ids);
	const struct index_entry *closed;
	struct fl_session *session;
	uint32_t id;

	if (!next)
		return -ENOSPC;
	/* A session that comes back: its closed record must not be found in its place. */
	closed = index_find(store, uuid);
	if (closed) {
		uint32_t old = closed->id;

		index_remove(store, old);
		store->tables->sessions[old].state = FL_SESSION_FREE;
	}
	id = *next;
	fl_fifo_pop(&store->free_ids);
	session = &store->tables->sessions[id];
	if (session->state == FL_SESSION_CLOSED)
		index_remove(store, id);
	memset(session, 0, sizeof(*session));
	memcpy(session->uuid, uuid, 16);
	session->state = FL_SESSION_OPENING;
	index_add(store, id);
	store->count++;
	*ret_id = id;
	return 0;
}

void fl_store_fetch(const struct fl_store *store, uint32_t id)
{
	const char *record = (const char *)&store->tables->sessions[id];

	for (size_t at = 0; at < sizeof(struct fl_session); at += 64)
		__builtin_prefetch(record + at, 1);
}

uint32_t fl_store_prefetch(const struct fl_store *store, const uint8_t uuid[16])
{
	const struct fl_session *sessions = store->tables->sessions;
	const uint32_t *next = fl_fifo_peek(&store->free_ids);
	const uint32_t *later = fl_fifo_ahead(&store->free_ids, 1);

	__builtin_prefetch(&store->index[uuid_hash(store, uuid) & store->mask], 1);
	if (!next)
		return 0;
	if (later)
		fl_store_fetch(store, *later);
	/* A closed one has to leave the index first; its record was fetched the last time. */
	if (sessions[*next].state == FL_SESSION_CLOSED)
		__builtin_prefetch(
			&store->index[uuid_hash(store, sessions[*next].uuid) & store->mask], 1);
	return *next;
}

void fl_store_close(struct fl_store *store, uint32_t id, struct fl_mono now)
{
	struct fl_session *session = &store->tables->sessions[id];

	session->state = FL_SESSION_CLOSED;
	session->start_ns = now.ns;
	store->count--;
	fl_fifo_push(&store->free_ids, &id);
}

void fl_store_abandon(struct fl_store *store, uint32_t id)
{
	index_remove(store, id);
	store->tables->sessions[id].state = FL_SESSION_FREE;
	store->count--;
	fl_fifo_push(&store->free_ids, &id);
}

uint32_t fl_store_find(const struct fl_store *store, const uint8_t uuid[16])
{
	const struct index_entry *entry = index_find(store, uuid);

	if (!entry || store->tables->sessions[entry->id].state == FL_SESSION_CLOSED)
		return 0;
	return entry->id;
}

bool fl_store_closed_lately(const struct fl_store *store, const uint8_t uuid[16],
			    struct fl_mono now)
{
	const struct index_entry *entry = index_find(store, uuid);
	const struct fl_session *session;

	if (!entry)
		return false;
	session = &store->tables->sessions[entry->id];
	return session->state == FL_SESSION_CLOSED &&
	       now.ns - session->start_ns < FL_CLOSED_REMEMBERED_MS * FL_NS_PER_MS;
}

uint32_t fl_store_count(const struct fl_store *store)
{
	return store->count;
}

uint16_t fl_store_name(struct fl_store *store, enum fl_name_kind kind, const char *name)
{
	struct fl_tables *t = store->tables;
	struct fl_name *entry;
	uint16_t *slot = name_slot(store, kind, name);
	uint32_t id = store->names_used;

	if (*slot)
		return *slot;
	if (id == FL_MAX_NAMES || strlen(name) >= FL_NAME_LEN)
		return 0;
	entry = &store->names[id];
	memset(entry, 0, sizeof(*entry));
	entry->kind = kind;
	memcpy(entry->name, name, strlen(name));
	if (t->ops->name_set(t->ops_ctx, id, entry) < 0)
		return 0;
	store->names_used++;
	*slot = (uint16_t)id;
	return *slot;
}

const char *fl_store_name_text(const struct fl_store *store, uint16_t id)
{
	return id && id < store->names_used ? store->names[id].name : "";
}

size_t fl_store_memory(const struct fl_store *store)
{
	return sizeof(*store) + ((size_t)store->mask + 1) * sizeof(*store->index) +
	       fl_fifo_memory(&store->free_ids) + FL_MAX_NAMES * sizeof(*store->names) +
	       NAME_SLOTS * sizeof(*store->name_index);
}
