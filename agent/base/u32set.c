// SPDX-License-Identifier: Apache-2.0
/* Set of numbers: see u32set.h. Open addressing, linear probing, at most half full, no tombstones.
 */
#include "agent/base/u32set.h"

#include <errno.h>
#include <stdlib.h>

void fl_u32set_init(struct fl_u32set *set)
{
	*set = (struct fl_u32set){ 0 };
}

void fl_u32set_done(struct fl_u32set *set)
{
	free(set->slots);
	fl_u32set_init(set);
}

static size_t home_of(const struct fl_u32set *set, uint32_t v)
{
	return (v * 0x9E3779B1u) & (set->size - 1);
}

/* The slot of @v, or the empty one where it would go. */
static size_t probe(const struct fl_u32set *set, uint32_t v)
{
	size_t i = home_of(set, v);

	while (set->slots[i] && set->slots[i] != v + 1)
		i = (i + 1) & (set->size - 1);
	return i;
}

static int grow(struct fl_u32set *set)
{
	struct fl_u32set bigger = { .size = set->size ? set->size * 2 : 16 };

	bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < set->size; i++)
		if (set->slots[i])
			bigger.slots[probe(&bigger, set->slots[i] - 1)] = set->slots[i];
	bigger.count = set->count;
	free(set->slots);
	*set = bigger;
	return 0;
}

int fl_u32set_add(struct fl_u32set *set, uint32_t v)
{
	size_t i;
	int err;

	if (set->count * 2 >= set->size) {
		err = grow(set);
		if (err < 0)
			return err;
	}
	i = probe(set, v);
	set->count += !set->slots[i];
	set->slots[i] = v + 1;
	return 0;
}

void fl_u32set_remove(struct fl_u32set *set, uint32_t v)
{
	size_t mask = set->size - 1, gap, next;

	if (!set->size)
		return;
	gap = probe(set, v);
	if (!set->slots[gap])
		return;
	for (next = (gap + 1) & mask; set->slots[next]; next = (next + 1) & mask) {
		if (((next - home_of(set, set->slots[next] - 1)) & mask) < ((next - gap) & mask))
			continue;
		set->slots[gap] = set->slots[next];
		gap = next;
	}
	set->slots[gap] = 0;
	set->count--;
}

bool fl_u32set_has(const struct fl_u32set *set, uint32_t v)
{
	return set->size && set->slots[probe(set, v)];
}
