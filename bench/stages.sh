#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Nanoseconds a packet by stage of the data plane, from BPF_PROG_TEST_RUN (build/bench/stages).
. "$(dirname "$0")/lib.sh"

for _ in $(seq "$ROUNDS"); do
	out=$("$TOOLS/stages") || exit 1
	while read -r name ns; do
		unit="ns a packet" target=""
		[ "$name" = fpm-unmarked-percent ] && unit="% of the program" target="<= 3"
		[ -e "$RESULTS/stage-$name/figure" ] ||
			figure "stage-$name" "$unit" "$target" "build/bench/stages, BPF_PROG_TEST_RUN"
		sample "stage-$name" "$ns"
	done <<<"$out"
done
finish
