// SPDX-License-Identifier: Apache-2.0
/* Signs of strain: see strain.h. */
#include "agent/net/strain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct fl_strain {
	FILE *file;
};

int fl_strain_new(struct fl_strain **ret_strain)
{
	struct fl_strain *strain = calloc(1, sizeof(*strain));
	int err;

	if (!strain)
		return -ENOMEM;
	strain->file = fopen("/proc/net/softnet_stat", "re");
	if (!strain->file) {
		err = -errno;
		free(strain);
		return err;
	}
	*ret_strain = strain;
	return 0;
}

void fl_strain_free(struct fl_strain *strain)
{
	if (!strain)
		return;
	fclose(strain->file);
	free(strain);
}

/* A line for each CPU: packets, those without room, rounds that ended early, and more. */
uint64_t fl_strain_read(struct fl_strain *strain)
{
	unsigned int dropped, squeezed;
	uint64_t sum = 0;
	char line[512];

	if (!strain)
		return 0;
	rewind(strain->file);
	while (fgets(line, sizeof(line), strain->file))
		if (sscanf(line, "%*x %x %x", &dropped, &squeezed) == 2)
			sum += (uint64_t)dropped + squeezed;
	return sum;
}
