/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs that end after one more stage each, for BPF_PROG_TEST_RUN: what a stage costs is the
 * difference to the one before. They are made of the data plane's own stages. Test runs repeat a
 * program on what it has made of the packet, so each first puts the headers back. They tell whole
 * nanoseconds, which is why a program does its stages STAGES_LOOP times.
 */
#ifndef FL_BENCH_STAGES_BPF_H
#define FL_BENCH_STAGES_BPF_H

#include "bench/stages.h"

const volatile struct stages_cfg cfg __weak = {};

#define STAGES_NO_VERDICT (-1)

struct stages_run {
	FL_CTX *ctx;
	int verdict; /* of all runs; STAGES_NO_VERDICT at first, and again where two differ */
};

/* Return: 1 to stop, as a callback of bpf_loop(). */
static __always_inline long stages_note(struct stages_run *run, int verdict)
{
	if (run->verdict == STAGES_NO_VERDICT || run->verdict == verdict) {
		run->verdict = verdict;
		return 0;
	}
	run->verdict = STAGES_NO_VERDICT;
	return 1;
}

/* The program @prog, in @section, which runs @stage again and again. */
#define STAGE(section, prog, stage)                                                                \
	static long stage##_once(__u32 i, struct stages_run *run)                                  \
	{                                                                                          \
		(void)i;                                                                           \
		return stages_note(run, stage(run->ctx));                                          \
	}                                                                                          \
                                                                                                   \
	SEC(section) int prog(FL_CTX *ctx)                                                         \
	{                                                                                          \
		struct stages_run run = { .ctx = ctx, .verdict = STAGES_NO_VERDICT };              \
                                                                                                   \
		bpf_loop(STAGES_LOOP, stage##_once, &run, 0);                                      \
		return run.verdict;                                                                \
	}

static __always_inline int stages_restore(FL_CTX *ctx)
{
	const volatile fl_u64_una *from = (const volatile fl_u64_una *)cfg.headers;
	__u8 *data = fl_ctx_data(ctx);

	if ((const void *)(data + STAGES_HEADERS) > fl_ctx_end(ctx))
		return 1;
#pragma clang loop unroll(full)
	for (int i = 0; i < STAGES_HEADERS / 8; i++)
		((fl_u64_una *)data)[i] = from[i];
	return 0;
}

static __always_inline int stages_parse(FL_CTX *ctx, struct fl_job *job)
{
	if (stages_restore(ctx))
		return 1;
	return fl_parse(ctx, job, 4);
}

static __always_inline int stages_find(FL_CTX *ctx, struct fl_job *job, struct fl_found *found)
{
	int err = stages_parse(ctx, job);

	if (err)
		return err;
	if (job->iface_flags & FL_IFACE_WAN)
		fl_find_path(ctx, job);
	return fl_find_flow(ctx, job, false, found, true);
}

#endif
