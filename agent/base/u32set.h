/* SPDX-License-Identifier: Apache-2.0 */
/* A set of 32-bit numbers that grows: four to eight bytes a member. */
#ifndef FL_AGENT_BASE_U32SET_H
#define FL_AGENT_BASE_U32SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One table of the set. */
struct fl_u32table {
	uint32_t *slots; /* member + 1, 0 = empty */
	size_t size;     /* power of two, or 0 */
	size_t count;
};

struct fl_u32set {
	struct fl_u32table table;
	struct fl_u32table old; /* smaller one, whose members move over a few at a time */
	size_t moved;           /* its slots that are empty already */
};

void fl_u32set_init(struct fl_u32set *set);
void fl_u32set_done(struct fl_u32set *set);

/**
 * fl_u32set_add() - no effect if it is in already
 * @v: 0..UINT32_MAX - 1
 *
 * Return: 0 or -ENOMEM.
 */
int fl_u32set_add(struct fl_u32set *set, uint32_t v);
void fl_u32set_remove(struct fl_u32set *set, uint32_t v);
bool fl_u32set_has(const struct fl_u32set *set, uint32_t v);

static inline size_t fl_u32set_memory(const struct fl_u32set *set)
{
	return (set->table.size + set->old.size) * sizeof(*set->table.slots);
}

#endif
