// SPDX-License-Identifier: Apache-2.0
/* Writer of the flow table: see flows.h and common/flow.h. */
#include "agent/session/flows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/bigmem.h"
#include "agent/base/fifo.h"

/* A removed slot and when. Milliseconds since the process started counting are enough here. */
struct resting {
	uint32_t slot;
	uint32_t since_ms;
};

struct fl_flows {
	struct fl_tables *tables;
	struct fl_fifo resting;      /* of struct resting, oldest first */
	struct fl_fifo indexed_free; /* of uint32_t */
	uint32_t hashed;             /* slots of the buckets */
	uint32_t count;
	uint32_t indexed;
	struct bucket_note *notes; /* by bucket */
};

/* What the writer knows of a bucket without looking at its slots, each of which is a cache miss. */
struct bucket_note {
	/*
	 * Flows that found no slot in this bucket: without any, the index need not be asked, which
	 * is a system call. SPILLED_MANY stays.
	 */
	uint8_t spilled;
	uint8_t resting; /* slots in quarantine, a bit each */
};

#define SPILLED_MANY 255

static uint8_t slot_bit(uint32_t slot)
{
	return (uint8_t)(1u << slot % FL_BUCKET_SLOTS);
}

static bool key_is_hashed(const struct fl_wide_key *key)
{
	return key->kind == FL_KEY_LAN4 || key->kind == FL_KEY_HOST4 || key->kind == FL_KEY_PEER;
}

static void slot_key(const struct fl_wide_key *wide, struct fl_flow_key *ret_key)
{
	memset(ret_key, 0, sizeof(*ret_key));
	if (key_is_hashed(wide)) {
		memcpy(ret_key->saddr, wide->saddr, sizeof(ret_key->saddr));
		memcpy(ret_key->daddr, wide->daddr, sizeof(ret_key->daddr));
	}
	ret_key->dport = wide->dport;
	ret_key->sport = wide->sport;
	ret_key->scope = wide->scope;
	ret_key->proto = wide->proto;
	ret_key->kind = wide->kind;
}

static uint64_t key_hash(const struct fl_tables *t, const struct fl_flow_key *key)
{
	uint64_t words[2];

	memcpy(words, key, sizeof(words));
	return fl_flow_hash(words[0], words[1], t->hash_seed);
}

static uint32_t home_of(const struct fl_flows *flows, const struct fl_wide_key *key)
{
	struct fl_flow_key narrow;

	slot_key(key, &narrow);
	return fl_flow_home(key_hash(flows->tables, &narrow), flows->tables->buckets);
}

/*
 * A flow whose bucket has no room comes into the index, which is said before, or has left it, which
 * is said afterwards.
 */
static void count_spilled(struct fl_flows *flows, const struct fl_wide_key *key, int change)
{
	uint64_t *told;
	uint8_t *spilled;
	uint32_t bucket;

	if (!key_is_hashed(key))
		return;
	bucket = home_of(flows, key) / FL_BUCKET_SLOTS;
	told = &flows->tables->spilled[bucket % FL_SPILL_GROUPS];
	__atomic_store_n(told, *told + (uint64_t)(int64_t)change, __ATOMIC_RELEASE);
	spilled = &flows->notes[bucket].spilled;
	if (*spilled != SPILLED_MANY)
		*spilled = (uint8_t)(*spilled + change);
}

static int index_free_init(struct fl_flows *flows)
{
	const struct fl_tables *t = flows->tables;
	int err;

	for (uint32_t slot = t->slots; slot-- > flows->hashed;) {
		if (t->flows[slot].key.kind != FL_KEY_FREE)
			continue;
		err = fl_fifo_push(&flows->indexed_free, &slot);
		if (err < 0)
			return err;
	}
	return 0;
}

/* The slot rests from now on. Without memory for the queue it stays dead until a restart finds it.
 */
static int rest(struct fl_flows *flows, uint32_t slot, struct fl_mono now)
{
	const struct resting item = { slot, (uint32_t)(now.ns / FL_NS_PER_MS) };

	flows->tables->flows[slot].key.kind = FL_KEY_DEAD;
	if (slot < flows->hashed)
		flows->notes[slot / FL_BUCKET_SLOTS].resting |= slot_bit(slot);
	return fl_fifo_push(&flows->resting, &item);
}

/* Count what an earlier process left; slots that it had in quarantine start their rest anew. */
static int adopt(struct fl_flows *flows, struct fl_mono now)
{
	const struct fl_tables *t = flows->tables;
	int err;

	for (uint32_t slot = 0; slot < t->slots; slot++) {
		enum fl_key_kind kind = t->flows[slot].key.kind;
		bool published = slot >= flows->hashed || t->tags[slot];

		if (kind == FL_KEY_FREE)
			continue;
		if (kind != FL_KEY_DEAD && published) {
			flows->count++;
			flows->indexed += slot >= flows->hashed;
			continue;
		}
		/* Dead, or filled but never published: the writer died in between. */
		err = rest(flows, slot, now);
		if (err < 0)
			return err;
	}
	return 0;
}

int fl_flows_new(struct fl_tables *tables, struct fl_flows **ret_flows)
{
	struct fl_flows *flows = calloc(1, sizeof(*flows));
	int err;

	if (!flows)
		return -ENOMEM;
	flows->tables = tables;
	flows->hashed = tables->buckets * FL_BUCKET_SLOTS;
	fl_fifo_init(&flows->resting, sizeof(struct resting));
	fl_fifo_init(&flows->indexed_free, sizeof(uint32_t));
	flows->notes = fl_big_calloc(tables->buckets, sizeof(*flows->notes));
	err = flows->notes ? adopt(flows, fl_mono_now()) : -ENOMEM;
	/* Of an earlier process's flows it is not known whose bucket was full. */
	for (uint32_t i = 0; err >= 0 && flows->indexed && i < tables->buckets; i++)
		flows->notes[i].spilled = SPILLED_MANY;
	/* What it told the data plane of them stays: at most too many, if it died in between. */
	if (!flows->indexed)
		memset(tables->spilled, 0, FL_SPILL_GROUPS * sizeof(*tables->spilled));
	if (err >= 0)
		err = index_free_init(flows);
	if (err < 0) {
		fl_flows_free(flows);
		return err;
	}
	*ret_flows = flows;
	return 0;
}

void fl_flows_free(struct fl_flows *flows)
{
	if (!flows)
		return;
	fl_fifo_done(&flows->resting);
	fl_fifo_done(&flows->indexed_free);
	free(flows->notes);
	free(flows);
}

/*
 * Slots whose rest is over may be used again. One of a bucket keeps the kind FL_KEY_DEAD until
 * then: the note says enough.
 */
static void wake_rested(struct fl_flows *flows, struct fl_mono now)
{
	uint32_t now_ms = (uint32_t)(now.ns / FL_NS_PER_MS);
	const struct resting *oldest;

	while ((oldest = fl_fifo_peek(&flows->resting))) {
		uint32_t slot = oldest->slot;

		if (now_ms - oldest->since_ms < FL_SLOT_QUARANTINE_MS)
			return;
		if (slot < flows->hashed)
			flows->notes[slot / FL_BUCKET_SLOTS].resting &= (uint8_t)~slot_bit(slot);
		else if (fl_fifo_push(&flows->indexed_free, &slot) < 0)
			return; /* no memory: it rests a little longer */
		fl_fifo_pop(&flows->resting);
	}
}

/*
 * A free slot in the key's bucket: its home slot if it can be, since the data plane looks there
 * first. A bucket that already has FL_TAG_TRIES equal tags will not do: the data plane would not
 * look at a third.
 */
static uint32_t bucket_slot(const struct fl_flows *flows, uint64_t hash)
{
	const uint32_t home = fl_flow_home(hash, flows->tables->buckets);
	const uint32_t bucket = home / FL_BUCKET_SLOTS;
	const uint8_t *tags = &flows->tables->tags[bucket * FL_BUCKET_SLOTS];
	const uint8_t resting = flows->notes[bucket].resting, tag = fl_flow_tag(hash);
	uint32_t found = FL_NO_SLOT, same = 0;

	for (uint32_t n = 0; n < FL_BUCKET_SLOTS; n++) {
		uint32_t i = (home + n) % FL_BUCKET_SLOTS;

		same += tags[i] == tag;
		if (found == FL_NO_SLOT && !tags[i] && !(resting & slot_bit(i)))
			found = bucket * FL_BUCKET_SLOTS + i;
	}
	return same < FL_TAG_TRIES ? found : FL_NO_SLOT;
}

/*
 * Fill a slot, with a key that no packet has until everything else is there: who finds a slot by
 * its own key, at home, sees the whole flow. The tag, or the index, comes after it.
 */
static void slot_fill(struct fl_flow *to, const struct fl_flow *flow, const struct fl_flow_key *key)
{
	fl_u64_al *words = (fl_u64_al *)&to->key;
	uint64_t value[2];

	memcpy(value, key, sizeof(value));
	__atomic_store_n(&words[1], 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	memcpy((char *)to + sizeof(to->key), (const char *)flow + sizeof(to->key),
	       sizeof(*to) - sizeof(to->key));
	words[0] = value[0];
	__atomic_store_n(&words[1], value[1], __ATOMIC_RELEASE);
	/* Pairs with the data plane's load of the tag (or of the index) before the slot. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static int insert_indexed(struct fl_flows *flows, const struct fl_wide_key *key,
			  const struct fl_flow *flow, uint32_t *ret_slot)
{
	struct fl_tables *t = flows->tables;
	const uint32_t *free_slot = fl_fifo_peek(&flows->indexed_free);
	struct fl_flow_key narrow;
	uint32_t slot;
	int err;

	if (!free_slot)
		return -ENOSPC;
	slot = *free_slot;
	slot_key(key, &narrow);
	narrow.kind = FL_KEY_INDEXED;
	slot_fill(&t->flows[slot], flow, &narrow);
	count_spilled(flows, key, 1);
	err = t->ops->index_insert(t->ops_ctx, key, slot);
	if (err < 0) {
		count_spilled(flows, key, -1);
		t->flows[slot].key.kind = FL_KEY_FREE;
		return err == -E2BIG ? -ENOSPC : err;
	}
	fl_fifo_pop(&flows->indexed_free);
	flows->indexed++;
	*ret_slot = slot;
	return 0;
}

int fl_flows_insert(struct fl_flows *flows, const struct fl_wide_key *key,
		    const struct fl_flow *flow, struct fl_mono now, uint32_t *ret_slot)
{
	struct fl_tables *t = flows->tables;
	struct fl_flow_key narrow;
	uint32_t slot;
	uint64_t hash;
	int err;

	wake_rested(flows, now);
	slot = fl_flows_find(flows, key);
	if (slot != FL_NO_SLOT) {
		*ret_slot = slot;
		return -EEXIST;
	}
	if (key_is_hashed(key)) {
		slot_key(key, &narrow);
		hash = key_hash(t, &narrow);
		slot = bucket_slot(flows, hash);
		if (slot != FL_NO_SLOT) {
			slot_fill(&t->flows[slot], flow, &narrow);
			__atomic_store_n(&t->tags[slot], fl_flow_tag(hash), __ATOMIC_RELEASE);
			flows->count++;
			*ret_slot = slot;
			return 0;
		}
	}
	err = insert_indexed(flows, key, flow, ret_slot);
	if (!err)
		flows->count++;
	return err;
}

/* Out of sight; the slot rests. */
static void retire(struct fl_flows *flows, uint32_t slot, struct fl_mono now)
{
	if (slot < flows->hashed)
		__atomic_store_n(&flows->tables->tags[slot], 0, __ATOMIC_RELEASE);
	else
		flows->indexed--;
	flows->count--;
	rest(flows, slot, now);
}

static bool is_named(const struct fl_tables *t, uint32_t slot)
{
	uint32_t id = t->flows[slot].session;
	const struct fl_session *s = &t->sessions[id <= t->max_sessions ? id : 0];

	return s->state == FL_SESSION_LIVE && (s->slot[0] == slot || s->slot[1] == slot);
}

void fl_flows_tidy(struct fl_flows *flows, struct fl_mono now)
{
	const struct fl_tables *t = flows->tables;

	for (uint32_t slot = 0; slot < t->slots; slot++) {
		enum fl_key_kind kind = t->flows[slot].key.kind;

		if (kind != FL_KEY_FREE && kind != FL_KEY_DEAD && !is_named(t, slot))
			retire(flows, slot, now);
	}
}

void fl_flows_remove(struct fl_flows *flows, const struct fl_wide_key *key, uint32_t slot,
		     struct fl_mono now)
{
	struct fl_tables *t = flows->tables;

	if (slot >= t->slots || t->flows[slot].key.kind == FL_KEY_FREE ||
	    t->flows[slot].key.kind == FL_KEY_DEAD)
		return;
	if (slot >= flows->hashed) {
		t->ops->index_remove(t->ops_ctx, key);
		count_spilled(flows, key, -1);
	}
	retire(flows, slot, now);
}

uint32_t fl_flows_find(const struct fl_flows *flows, const struct fl_wide_key *key)
{
	const struct fl_tables *t = flows->tables;
	uint32_t slot = FL_NO_SLOT;
	struct fl_flow_key narrow;
	uint64_t hash;

	if (key_is_hashed(key)) {
		slot_key(key, &narrow);
		hash = key_hash(t, &narrow);
		for (uint32_t i = 0; i < FL_BUCKET_SLOTS; i++) {
			slot = fl_flow_bucket(hash, t->buckets) * FL_BUCKET_SLOTS + i;
			if (t->tags[slot] == fl_flow_tag(hash) &&
			    !memcmp(&t->flows[slot].key, &narrow, sizeof(narrow)))
				return slot;
		}
		if (!flows->notes[fl_flow_bucket(hash, t->buckets)].spilled)
			return FL_NO_SLOT;
	}
	if (t->ops->index_lookup(t->ops_ctx, key, &slot) < 0)
		return FL_NO_SLOT;
	return slot;
}

void fl_flows_prefetch(const struct fl_flows *flows, const struct fl_wide_key *key)
{
	uint32_t home;

	if (!key_is_hashed(key))
		return;
	home = home_of(flows, key);
	__builtin_prefetch(&flows->tables->flows[home], 1);
	__builtin_prefetch(&flows->tables->tags[home], 1);
	__builtin_prefetch(&flows->notes[home / FL_BUCKET_SLOTS], 1);
}

uint32_t fl_flows_count(const struct fl_flows *flows)
{
	return flows->count;
}

uint32_t fl_flows_indexed(const struct fl_flows *flows)
{
	return flows->indexed;
}

size_t fl_flows_memory(const struct fl_flows *flows)
{
	return sizeof(*flows) + flows->tables->buckets * sizeof(*flows->notes) +
	       fl_fifo_memory(&flows->resting) + fl_fifo_memory(&flows->indexed_free);
}
