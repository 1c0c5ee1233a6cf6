// SPDX-License-Identifier: GPL-2.0
/* Stages under XDP: see stages.bpf.h. */
#include "vmlinux.h"

#include "bpf/lib/ctx_xdp.bpf.h"
#include "bpf/lib/pipeline.bpf.h"
/* Needs the context. */
#include "bench/stages.bpf.h"

static __always_inline int do_nothing(FL_CTX *ctx)
{
	return stages_restore(ctx) ? XDP_ABORTED : XDP_PASS;
}

static __always_inline int do_parse(FL_CTX *ctx)
{
	struct fl_job job = {};

	/* Something has to depend on the result. */
	return stages_parse(ctx, &job) ? XDP_ABORTED : job.pkt.ports == 1 ? XDP_DROP : XDP_PASS;
}

static __always_inline int do_find(FL_CTX *ctx)
{
	struct fl_found found = {};
	struct fl_job job = {};

	return stages_find(ctx, &job, &found) || !found.flow ? XDP_ABORTED : XDP_PASS;
}

static __always_inline int do_all(FL_CTX *ctx)
{
	return stages_restore(ctx) ? XDP_ABORTED : fl_ingress(ctx, FL_HOOK_XDP);
}

/* The same by the full path, which takes what is not common. */
static __always_inline int do_full(FL_CTX *ctx)
{
	return stages_restore(ctx) ? XDP_ABORTED
				   : fl_verdict(FL_OWN(fl_ingress_full)(ctx, FL_HOOK_XDP));
}

STAGE("xdp.frags", stage_xdp_nothing, do_nothing)
STAGE("xdp.frags", stage_xdp_parse, do_parse)
STAGE("xdp.frags", stage_xdp_find, do_find)
STAGE("xdp.frags", stage_xdp_all, do_all)
STAGE("xdp.frags", stage_xdp_full, do_full)

struct stages_pairs pairs = {};

/* Nanoseconds of so many packets. */
static __always_inline __u32 time_all(struct stages_run *run)
{
	__u64 start = bpf_ktime_get_ns();

	bpf_loop(STAGES_LOOP * STAGES_PAIR_LOOPS, do_all_once, run, 0);
	return (__u32)(bpf_ktime_get_ns() - start);
}

/*
 * The whole program with its path watched and not, no mark due, timed from within: the difference
 * is less than what test runs one after the other differ by.
 */
SEC("xdp.frags") int stage_xdp_pairs(FL_CTX *ctx)
{
	struct stages_run run = { .ctx = ctx, .verdict = STAGES_NO_VERDICT };
	__u32 id = cfg.path, at = pairs.done;
	struct fl_path *path = bpf_map_lookup_elem(&fl_paths, &id);

	if (!path || at >= STAGES_PAIRS)
		return XDP_ABORTED;
	pairs.off_ns[at] = time_all(&run);
	path->tx_flags = FL_TX_FPM;
	pairs.on_ns[at] = time_all(&run);
	path->tx_flags = 0;
	pairs.done = at + 1;
	return run.verdict;
}

char stages_license[] SEC("license") = "GPL";
