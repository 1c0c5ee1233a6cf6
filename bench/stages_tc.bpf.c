// SPDX-License-Identifier: GPL-2.0
/* Stages under TC: see stages.bpf.h. */
#include "vmlinux.h"

#include "bpf/lib/ctx_tc.bpf.h"
#include "bpf/lib/dup.bpf.h"
#include "bpf/lib/pipeline.bpf.h"
/* Needs the context. */
#include "bench/stages.bpf.h"

static __always_inline int do_nothing(FL_CTX *ctx)
{
	return stages_restore(ctx) ? TC_ACT_SHOT : TC_ACT_OK;
}

static __always_inline int do_all(FL_CTX *ctx)
{
	return stages_restore(ctx) ? TC_ACT_SHOT : fl_ingress(ctx, FL_HOOK_TC_INGRESS);
}

STAGE("tc", stage_tc_nothing, do_nothing)
STAGE("tc", stage_tc_all, do_all)
