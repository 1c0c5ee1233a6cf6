#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How long it takes, from the word that BFD is down, until the last session is on another path: with a
# thousand, a hundred thousand and a million of them.
MODE=xdp
. "$(dirname "$0")/lib.sh"

for n in 1000 100000 1000000; do
	command="bench/move.sh: table_scale CONFIG $n move"
	figure "move-$n" "ms, mean of 39 moves of $n sessions" "<= 5" "$command"
	figure "move-longest-$n" "ms, longest of 39" "" "$command"
done
figure move-growth "ratio of a million to a thousand sessions" "<= 3" "bench/move.sh"
quiet_ns t
for _ in $(seq "${MOVE_ROUNDS:-3}"); do
	first=
	for n in 1000 100000 1000000; do
		config_two r1 | jq --arg me r1 "$(bench_config "$n" 10000)
			| .authority.\"service-policy\"[0].\"session-resiliency\" = \"failover\"" >"$WORK/r1.json"
		out=$(in_ns t "$TOOLS/table_scale" "$WORK/r1.json" "$n" move) || exit 1
		value() { awk -v name="$1" '$1 == name { print $2 }' <<<"$out"; }
		if [ "$(value move-count)" != "$(value open-count)" ]; then
			note "only $(value move-count) of $n sessions have moved"
			exit 1
		fi
		sample "move-$n" "$(value move-ms)"
		sample "move-longest-$n" "$(value move-longest-ms)"
		[ -n "$first" ] || first=$(value move-ms)
	done
	sample move-growth "$(calc 'a / b' a="$(value move-ms)" b="$first")"
done
finish
