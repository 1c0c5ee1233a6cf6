/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does this host keep up with its packets? The kernel counts, for each CPU, rounds of receiving
 * that ended with work left (the rest is ksoftirqd's, who waits for a CPU like any other) and
 * packets for which there was no room.
 */
#ifndef FL_AGENT_NET_STRAIN_H
#define FL_AGENT_NET_STRAIN_H

#include <stdint.h>

struct fl_strain;

/* Return: 0 or -errno: then this host cannot tell. */
int fl_strain_new(struct fl_strain **ret_strain);
void fl_strain_free(struct fl_strain *strain);

/* All such signs so far: larger than before, if there were any meanwhile. Takes NULL: 0. */
uint64_t fl_strain_read(struct fl_strain *strain);

#endif
