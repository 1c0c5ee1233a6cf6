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
	figure "transit-$name-plain-nat" "ratio to xdp-bench redirect" "" \
		"bench/transit.sh: blast --flows N through plain_nat.bpf.c and through xdp-bench redirect"
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

# ns_by ROUTER N [OPTION]...: "router" is Fairlead, "plain_nat" the least that double NAT can be
ns_by() {
	local got lost
	[ "$(talk "$1" attach)" = ok ] || return 1
	got=$(blast g g0 s s0 "$mac" --seconds "$SECONDS_EACH" --flows "${@:2}")
	talk "$1" detach >/dev/null
	lost=$(jq '.sent - .received' <<<"$got")
	[ "$lost" -eq 0 ] || note "$1, $2 sessions: $lost packets were not forwarded"
	jq .ns <<<"$got"
}
start() {
	talk_start "$1" nsenter --net="/run/netns/$TAG-r" -- "$TOOLS/$1" r0 r1 "${@:2}" || exit 1
}

for name in 1 16k 1M; do
	n=${SESSIONS[$name]}
	start router "$n" "$WORK/order"
	start plain_nat "$n"
	for _ in $(seq "$ROUNDS"); do
		base=$(by_xdp_bench "$n" | jq .ns) || exit 1
		sample transit-xdp-bench-mpps "$(calc 1000/ns ns="$base")"
		ns=$(ns_by plain_nat "$n") || exit 1
		sample "transit-$name-plain-nat" "$(calc base/ns base="$base" ns="$ns")"
		ns=$(ns_by router "$n") || exit 1
		sample "transit-$name" "$(calc base/ns base="$base" ns="$ns")"
		sample "transit-$name-mpps" "$(calc 1000/ns ns="$ns")"
		[ "$name" = 1 ] && one=$ns
		[ "$name" = 1M ] || continue
		[ -n "${one:-}" ] && sample transit-1M-cache-share "$(calc 1-one/ns one="$one" ns="$ns")"
		ns=$(ns_by router "$n" --order "$WORK/order")
		sample transit-1M-by-slot "$(calc base/ns base="$base" ns="$ns")"
	done
	talk_stop router
	talk_stop plain_nat
done
finish
