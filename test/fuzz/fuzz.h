/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzz targets have in common. */
#ifndef FL_TEST_FUZZ_FUZZ_H
#define FL_TEST_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One input; never fails but by ending the program. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A property that must hold for every input. */
#define MUST(property)                                                                             \
	do {                                                                                       \
		if (!(property)) {                                                                 \
			fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__,           \
				#property);                                                        \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* A copy in memory of exactly its size, so that one byte too far is noticed; to be freed. */
static inline uint8_t *exact_copy(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	MUST(copy);
	if (len)
		memcpy(copy, data, len);
	return copy;
}

#endif
