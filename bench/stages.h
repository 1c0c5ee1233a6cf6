/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What stages.c tells the programs of stages.bpf.h. */
#ifndef FL_BENCH_STAGES_H
#define FL_BENCH_STAGES_H

#include "common/types.h"

#define STAGES_HEADERS 128 /* of a packet, restored before every run */
#define STAGES_LOOP    32  /* runs of a stage in one of its program */

/* Of stage_xdp_pairs: tens of thousands of packets each way, in turns of a few microseconds. */
#define STAGES_PAIRS      2048
#define STAGES_PAIR_LOOPS 4 /* times STAGES_LOOP packets a time */

struct stages_cfg {
	__u8 headers[STAGES_HEADERS];
	__u32 path; /* of the packet's session */
};

struct stages_pairs {
	__u32 done;
	__u32 off_ns[STAGES_PAIRS]; /* with performance monitoring off, and on */
	__u32 on_ns[STAGES_PAIRS];
};

#endif
