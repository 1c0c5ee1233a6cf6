// SPDX-License-Identifier: GPL-2.0
/*
 * What the agent wants of a session carried in copies, run by BPF_PROG_TEST_RUN on a struct
 * fl_dup_ask as packet: the data plane's code stays the only writer of its numbers. A TC program,
 * since those of type syscall may sleep and hence take no lock (6.1).
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "bpf/maps.bpf.h"

static __always_inline __u32 fl_dup_answer(struct fl_dup *dup, const struct fl_dup_ask *ask,
					   __u32 now_ms)
{
	__u32 op = ask->op, seq = ask->seq;
	__u64 paths = *(const fl_u64_una *)ask->path;
	__u8 ready = ask->ready;
	__u32 answer = 0;

	bpf_spin_lock(&dup->lock);
	switch (op) {
	case FL_DUP_ASK_NEXT:
		answer = fl_dup_next(dup);
		break;
	case FL_DUP_ASK_CHECK:
		answer = fl_dup_check(dup, seq, now_ms);
		break;
	case FL_DUP_ASK_RESTART:
		fl_dup_restart(dup, seq, now_ms);
		break;
	case FL_DUP_ASK_PATHS:
		*(fl_u64_al *)dup->path = paths;
		dup->ready = ready;
		break;
	}
	bpf_spin_unlock(&dup->lock);
	return answer;
}

SEC("tc")
int fl_dup_ask(struct __sk_buff *ctx)
{
	struct fl_dup_ask *ask = (void *)(long)ctx->data;
	struct fl_dup_key key;
	struct fl_dup *dup;

	if ((void *)(ask + 1) > (void *)(long)ctx->data_end)
		return -1;
	key = ask->key;
	dup = bpf_map_lookup_elem(&fl_dups, &key);
	if (!dup)
		return -1;
	ask->answer = fl_dup_answer(dup, ask, (__u32)(bpf_ktime_get_ns() / 1000000));
	return 0;
}
