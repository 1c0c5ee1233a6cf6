// SPDX-License-Identifier: Apache-2.0
/* Memory for large tables: see bigmem.h. */
#include "agent/base/bigmem.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Smaller ones have no whole huge page in them. */
#define WORTH_IT (4u << 20)

void *fl_big_calloc(size_t count, size_t bytes)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	void *memory = calloc(count, bytes);
	uintptr_t first, end;

	if (!memory || count * bytes < WORTH_IT)
		return memory;
	first = ((uintptr_t)memory + page - 1) & ~(page - 1);
	end = ((uintptr_t)memory + count * bytes) & ~(page - 1);
	/* Only advice: without it everything works, a little slower. */
	(void)madvise((void *)first, end - first, MADV_HUGEPAGE);
	return memory;
}
