/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Settings fixed when the programs are loaded: the verifier folds them into the code. Weak, so that
 * each object may declare them and the linker keeps one.
 */
#ifndef FL_BPF_CFG_H
#define FL_BPF_CFG_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

const volatile __u64 fl_hash_seed __weak = 0;
const volatile __u32 fl_hash_buckets __weak = 1;

#endif
