/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for tables as large as the number of sessions. */
#ifndef FL_AGENT_BASE_BIGMEM_H
#define FL_AGENT_BASE_BIGMEM_H

#include <stddef.h>

/**
 * fl_big_calloc() - calloc() of a table that is read all over the place
 *
 * Asks the kernel for huge pages: nearly every access to a table of small pages also misses the
 * TLB, which in a virtual machine costs more than the access.
 *
 * Return: zeroed memory for free(), or NULL.
 */
void *fl_big_calloc(size_t count, size_t bytes);

#endif
