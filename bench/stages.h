/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What stages.c tells the programs of stages.bpf.h. */
#ifndef FL_BENCH_STAGES_H
#define FL_BENCH_STAGES_H

#include "common/types.h"

#define STAGES_HEADERS 128 /* of a packet, restored before every run */

struct stages_cfg {
	__u8 headers[STAGES_HEADERS];
};

#endif
