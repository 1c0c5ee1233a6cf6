// SPDX-License-Identifier: Apache-2.0
/*
 * Set of numbers: see u32set.h. Open addressing, linear probing, at most half full, no tombstones.
 * It grows without a stall: the members of the old table move over a few with every addition.
 */
#include "agent/base/u32set.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/base/bigmem.h"

/* Slots emptied with every addition: the old table is gone long before the new one is full. */
#define MOVE_SLOTS 16

void fl_u32set_init(struct fl_u32set *set)
{
	*set = (struct fl_u32set){ 0 };
}

void fl_u32set_done(struct fl_u32set *set)
{
	free(set->table.slots);
	free(set->old.slots);
	fl_u32set_init(set);
}

/*
 * Sixteen numbers in a row share a cache line: those who take numbers one after the other find the
 * next ones there. Which line: by the product's high bits, which depend on all bits of @v above.
 */
#define LINE 16u

static size_t home_of(const struct fl_u32table *t, uint32_t v)
{
	uint32_t line = (v / LINE) * 0x9E3779B1u;

	return (size_t)(((uint64_t)line * (t->size / LINE)) >> 32) * LINE + v % LINE;
}

/* The slot of @v, or the empty one where it would go. */
static size_t probe(const struct fl_u32table *t, uint32_t v)
{
	size_t i = home_of(t, v);

	while (t->slots[i] && t->slots[i] != v + 1)
		i = (i + 1) & (t->size - 1);
	return i;
}

static void insert(struct fl_u32table *t, uint32_t v)
{
	size_t i = probe(t, v);

	t->count += !t->slots[i];
	t->slots[i] = v + 1;
}

static void take_out(struct fl_u32table *t, uint32_t v)
{
	size_t mask = t->size - 1, gap, next;

	if (!t->size)
		return;
	gap = probe(t, v);
	if (!t->slots[gap])
		return;
	for (next = (gap + 1) & mask; t->slots[next]; next = (next + 1) & mask) {
		if (((next - home_of(t, t->slots[next] - 1)) & mask) < ((next - gap) & mask))
			continue;
		t->slots[gap] = t->slots[next];
		gap = next;
	}
	t->slots[gap] = 0;
	t->count--;
}

static void move_some(struct fl_u32set *set)
{
	for (int n = 0; n < MOVE_SLOTS && set->old.count; n++) {
		uint32_t entry = set->old.slots[set->moved];

		if (!entry) {
			set->moved++;
			continue;
		}
		/* Another may follow into the gap: the same slot again. */
		take_out(&set->old, entry - 1);
		insert(&set->table, entry - 1);
	}
	if (!set->old.count) {
		free(set->old.slots);
		set->old = (struct fl_u32table){ 0 };
	}
}

static int grow(struct fl_u32set *set)
{
	struct fl_u32table bigger = { .size = set->table.size ? set->table.size * 2 : 16 };

	/* Large ones come from the kernel as zero pages, not cleared here and now. */
	bigger.slots = fl_big_calloc(bigger.size, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	set->old = set->table;
	set->table = bigger;
	set->moved = 0;
	return 0;
}

int fl_u32set_add(struct fl_u32set *set, uint32_t v)
{
	int err;

	if (set->old.size)
		move_some(set);
	if ((set->table.count + set->old.count) * 2 >= set->table.size) {
		err = grow(set);
		if (err < 0)
			return err;
	}
	take_out(&set->old, v);
	insert(&set->table, v);
	return 0;
}

void fl_u32set_remove(struct fl_u32set *set, uint32_t v)
{
	take_out(&set->table, v);
	take_out(&set->old, v);
}

bool fl_u32set_has(const struct fl_u32set *set, uint32_t v)
{
	return (set->table.size && set->table.slots[probe(&set->table, v)]) ||
	       (set->old.size && set->old.slots[probe(&set->old, v)]);
}
