#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One router's fast path against xdp-bench redirect on the same veth pair: 64-byte packets, one core
# for the generator, the router and the sink. No daemon: the tables are filled by the agent's code.
. "$(dirname "$0")/lib.sh"

declare -A SESSIONS=([1]=1 [16k]=16384 [1M]=1048576)
declare -A TARGET=([1]=">= 0.92" [16k]=">= 0.85" [1M]=">= 0.40")
command="bench/transit.sh: blast --flows N through router and through xdp-bench redirect"
for name in 1 16k 1M; do
	figure "transit-$name" "ratio to xdp-bench redirect" "${TARGET[$name]}" "$command"
	figure "transit-$name-mpps" "Mpps" "" "$command"
done
figure transit-xdp-bench-mpps Mpps "" "$command"
figure transit-1M-by-slot "ratio to xdp-bench redirect" "" "$command --order FILE"
figure transit-1M-cache-share "share of a packet's time" "" "1 - ns(1 session) / ns(1M, random order)"

xdp_bench=$("$BENCH/xdp_tools.sh" "$BUILD") || {
	for name in 1 16k 1M; do unmeasured "transit-$name" "no xdp-bench that loads"; done
	exit 0
}
quiet_ns g r s
link_ns g g0 r r0
link_ns r r1 s s0
mac=$(mac_of r r0)

by_xdp_bench() {
	local pid
	spawn r "$WORK/xdp-bench.log" "$xdp_bench" redirect r0 r1
	pid=$!
	wait_for 10 has_xdp || return 1
	blast g g0 s s0 "$mac" --seconds "$SECONDS_EACH" --flows "$1"
	kill "$pid"
	wait "$pid" 2>/dev/null
}
has_xdp() { in_ns r ip link show r0 | grep -q prog/xdp && in_ns r ip link show r1 | grep -q xdp; }

by_router() {
	[ "$(talk router attach)" = ok ] || return 1
	blast g g0 s s0 "$mac" --seconds "$SECONDS_EACH" --flows "$@"
	talk router detach >/dev/null
}

for name in 1 16k 1M; do
	n=${SESSIONS[$name]}
	talk_start router nsenter --net="/run/netns/$TAG-r" -- "$TOOLS/router" r0 r1 "$n" \
		"$WORK/order" || exit 1
	for _ in $(seq "$ROUNDS"); do
		base=$(by_xdp_bench "$n" | jq .ns) || exit 1
		got=$(by_router "$n") || exit 1
		lost=$(jq '.sent - .received' <<<"$got")
		[ "$lost" -eq 0 ] || note "transit-$name: $lost packets were not forwarded"
		ns=$(jq .ns <<<"$got")
		sample "transit-$name" "$(calc base/ns base="$base" ns="$ns")"
		sample "transit-$name-mpps" "$(calc 1000/ns ns="$ns")"
		sample transit-xdp-bench-mpps "$(calc 1000/ns ns="$base")"
		[ "$name" = 1 ] && one=$ns
		[ "$name" = 1M ] || continue
		[ -n "${one:-}" ] && sample transit-1M-cache-share "$(calc 1-one/ns one="$one" ns="$ns")"
		ns=$(by_router "$n" --order "$WORK/order" | jq .ns)
		sample transit-1M-by-slot "$(calc base/ns base="$base" ns="$ns")"
	done
	talk_stop router
done
finish
