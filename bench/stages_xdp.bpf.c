// SPDX-License-Identifier: GPL-2.0
/* Stages under XDP: see stages.bpf.h. */
#include "vmlinux.h"

#include "bpf/lib/ctx_xdp.bpf.h"
#include "bpf/lib/pipeline.bpf.h"
/* Needs the context. */
#include "bench/stages.bpf.h"

SEC("xdp.frags")
int stage_xdp_nothing(struct xdp_md *ctx)
{
	return stages_restore(ctx) ? XDP_ABORTED : XDP_PASS;
}

SEC("xdp.frags")
int stage_xdp_parse(struct xdp_md *ctx)
{
	struct fl_job job = {};

	/* Something has to depend on the result. */
	return stages_parse(ctx, &job) ? XDP_ABORTED : job.pkt.ports == 1 ? XDP_DROP : XDP_PASS;
}

SEC("xdp.frags")
int stage_xdp_find(struct xdp_md *ctx)
{
	struct fl_found found = {};
	struct fl_job job = {};

	return stages_find(ctx, &job, &found) || !found.flow ? XDP_ABORTED : XDP_PASS;
}

SEC("xdp.frags")
int stage_xdp_all(struct xdp_md *ctx)
{
	return stages_restore(ctx) ? XDP_ABORTED : fl_ingress(ctx, FL_HOOK_XDP);
}

/* The same by the full path, which takes what is not common. */
SEC("xdp.frags")
int stage_xdp_full(struct xdp_md *ctx)
{
	return stages_restore(ctx) ? XDP_ABORTED
				   : fl_verdict(FL_OWN(fl_ingress_full)(ctx, FL_HOOK_XDP));
}

char stages_license[] SEC("license") = "GPL";
