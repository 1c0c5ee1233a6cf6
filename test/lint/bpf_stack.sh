#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# See bpf_stack.py.
cd "$(dirname "$0")/../.." || exit 2
if ! command -v llvm-objdump-14 >/dev/null; then
	echo "ok - call chains of BPF programs # SKIP llvm-objdump-14 is not installed"
	exit 0
fi
exec python3 -B test/lint/bpf_stack.py bpf/tc.bpf.c bpf/xdp_ingress.bpf.c
