/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. */
#ifndef FL_AGENT_DP_DP_INTERNAL_H
#define FL_AGENT_DP_DP_INTERNAL_H

#include <bpf/libbpf.h>

#include "agent/dp/dp.h"

#define FL_DP_PATH 256

struct fl_ring {
	struct ring_buffer *rb;
	fl_punt_fn fn; /* during fl_dp_punt_read() */
	fl_punt_ahead_fn ahead;
	void *ctx;
	int taken;
	/* The kernel's: bytes written, or reserved for it, and bytes read, since the beginning. */
	const unsigned long *produced;
	const unsigned long *consumed;
};

struct fl_dp {
	struct fairlead_bpf *skel;
	struct fl_tables tables;
	char dir[FL_DP_PATH]; /* with the version */
	bool adopted;
	struct fl_ring ring[2]; /* new, live */
};

/* Write an explanation; returns @err, for "return fl_dp_why(...)". */
int fl_dp_why(char why[FL_DP_WHY], int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* What the kernel says of a program pinned by us or an earlier process. Returns 0 or -errno. */
struct bpf_prog_info;
int fl_dp_pinned_program(const struct fl_dp *dp, const char *name, struct bpf_prog_info *ret_info);

int fl_dp_rings_open(struct fl_dp *dp);
void fl_dp_rings_close(struct fl_dp *dp);

/* Take our TC programs off a device, if they are there. */
void fl_dp_detach_tc(uint32_t ifindex);

extern const struct fl_table_ops fl_dp_table_ops;

#endif
