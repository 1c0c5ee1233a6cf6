/* SPDX-License-Identifier: GPL-2.0 */
/* Counting: every packet that is not forwarded has one reason, every other event one counter. */
#ifndef FL_BPF_DROP_H
#define FL_BPF_DROP_H

#include "bpf/maps.bpf.h"

static __always_inline void fl_count(void *map, const void *key)
{
	__u64 *count = bpf_map_lookup_elem(map, key);
	__u64 one = 1;

	if (count)
		*count += 1;
	else
		bpf_map_update_elem(map, key, &one, BPF_NOEXIST);
}

static __noinline void fl_stat_add(enum fl_stat stat)
{
	fl_count(&fl_stats, &stat);
}

static __noinline void fl_drop_count(enum fl_drop_reason reason)
{
	fl_count(&fl_drops, &reason);
}

#endif
