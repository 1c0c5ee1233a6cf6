// SPDX-License-Identifier: GPL-2.0
/*
 * The data plane stamps flows with jiffies, which user space cannot read. The agent runs this
 * program (BPF_PROG_TEST_RUN) to learn what they are now and how long one is.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

struct fl_clock {
	__u64 jiffies;
	__u64 mono_ns; /* CLOCK_MONOTONIC */
};

SEC("syscall")
int fl_clock_read(struct fl_clock *clock)
{
	clock->jiffies = bpf_jiffies64();
	clock->mono_ns = bpf_ktime_get_ns();
	return 0;
}
