#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Memory of a full session table, kernel and agent, by part: what `fairlead show stats` says when
# every session that the table can hold is open, divided by their number.
MODE=xdp
. "$(dirname "$0")/lib.sh"

N=${N:-200000}
command="bench/memory.sh: fairlead -j show stats with $N of $N sessions open"
figure memory-per-session "bytes, kernel and agent" "<= 700" "$command"
PARTS="flows tags flow_index sessions agent-flow-writer agent-session-index agent-waypoints
	agent-deadlines agent-other"
for part in $PARTS; do figure "memory-$part" "bytes a session" "" "$command"; done
figure memory-fixed "bytes in all, whatever the number of sessions" "" "$command"

fairlead_topo
# Not answered and not ended: one router is enough, its peer is a namespace.
router_up r1 "$N" 600000 alone || exit 1
permanent r1 wan1 198.51.100.2 r2 wan1
in_ns c "$TOOLS/first_packets" eth0 "$(mac_of r1 lan0)" 10.1.1.0 10.2.0.2 0 "$N" 40000 >/dev/null
have=$(sessions_of r1)
if [ "$have" -ne "$N" ]; then
	note "$have of $N sessions are open: $(ctl r1 -j show drops)"
	exit 1
fi
stats=$(ctl r1 -j show stats)
memory() { jq --arg part "$1" '(.data // .)."memory-bytes"[$part] // 0' <<<"$stats"; }
total=0
for part in $PARTS; do
	bytes=$(memory "$part")
	sample "memory-$part" "$(calc b/n b="$bytes" n="$have")"
	total=$((total + bytes))
done
sample memory-per-session "$(calc b/n b="$total" n="$have")"
sample memory-fixed $(($(memory nexthops) + $(memory source_bkts) + $(memory denials)))
finish
