#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One router's fast path against xdp-bench redirect on the same veth pair: 64-byte packets, one core
# for the generator, the router and the sink. No daemon: the tables are filled by the agent's code.
. "$(dirname "$0")/lib.sh"

# A round is the quickest of so many goes of so many seconds, all in turns, and a go is as quick as its
# quickest tenth, in slices of 16 k packets: a neighbour only makes one longer.
GOES=3
GO=0.5

declare -A SESSIONS=([1]=1 [16k]=16384 [1M]=1048576)
declare -A TARGET=([1]=">= 0.92" [16k]=">= 0.85" [1M]=">= 0.40")
command="bench/transit.sh: blast --flows N through router and through xdp-bench redirect"
for name in 1 16k 1M; do
	figure "transit-$name" "ratio to xdp-bench redirect" "${TARGET[$name]}" "$command"
	figure "transit-$name-mpps" "Mpps" "" "$command"
	figure "transit-$name-plain-nat" "ratio to xdp-bench redirect" "" \
		"bench/transit.sh: blast --flows N through plain_nat.bpf.c and through xdp-bench redirect"
done
figure transit-fpm-unmarked-percent "% more time a packet" "<= 3" \
	"bench/transit.sh: 1 session, its path watched by marks of which none is due, or not watched"
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

# timed SECONDS FLOWS [OPTION]...: nanoseconds a packet, by what is attached now
timed() {
	local got lost
	got=$(blast g g0 s s0 "$mac" --seconds "$1" --flows "${@:2}") || return 1
	lost=$(jq '.sent - .received' <<<"$got")
	[ "$lost" -eq 0 ] || note "$2 sessions: $lost packets were not forwarded"
	jq -e .quickest_ns <<<"$got"
}

# by ROUTER N [OPTION]...: "router" is Fairlead, "plain_nat" the least that double NAT can be
by() {
	local ns
	[ "$(talk "$1" attach)" = ok ] && ns=$(timed "$GO" "${@:2}") || return 1
	talk "$1" detach >/dev/null
	echo "$ns"
}
by_xdp_bench() {
	local pid ns
	spawn r "$WORK/xdp-bench.log" "$xdp_bench" redirect r0 r1
	pid=$!
	wait_for 10 has_xdp && ns=$(timed "$GO" "$1") || return 1
	kill "$pid"
	wait "$pid" 2>/dev/null
	echo "$ns"
}
has_xdp() { in_ns r ip link show r0 | grep -q prog/xdp && in_ns r ip link show r1 | grep -q xdp; }

# least BEST COMMAND...: the number that a command prints, or the best so far ("" at first)
least() {
	local now
	now=$("${@:2}") || return 1
	calc '(best == "" || now < best ? now : best)' best="$1" now="$now"
}

# What performance monitoring adds to a packet, in percent: many short goes, since it is a nanosecond or two.
by_monitored() {
	local off="" on=""
	for _ in $(seq 15); do
		talk router unmonitor >/dev/null
		off=$(least "$off" timed 0.05 1) || return 1
		talk router monitor >/dev/null
		on=$(least "$on" timed 0.05 1) || return 1
	done
	calc '100*(on/off-1)' on="$on" off="$off"
}

start() {
	talk_start "$1" nsenter --net="/run/netns/$TAG-r" -- "$TOOLS/$1" r0 r1 "${@:2}" || exit 1
}

for name in 1 16k 1M; do
	n=${SESSIONS[$name]}
	start router "$n" "$WORK/order"
	start plain_nat "$n"
	for _ in $(seq "$ROUNDS"); do
		base="" plain="" ns=""
		for _ in $(seq $GOES); do
			base=$(least "$base" by_xdp_bench "$n") || exit 1
			plain=$(least "$plain" by plain_nat "$n") || exit 1
			ns=$(least "$ns" by router "$n") || exit 1
		done
		sample transit-xdp-bench-mpps "$(calc 1000/ns ns="$base")"
		sample "transit-$name-plain-nat" "$(calc base/ns base="$base" ns="$plain")"
		sample "transit-$name" "$(calc base/ns base="$base" ns="$ns")"
		sample "transit-$name-mpps" "$(calc 1000/ns ns="$ns")"
		[ "$name" = 1 ] && one=$ns
		[ "$name" = 1M ] || continue
		[ -n "${one:-}" ] && sample transit-1M-cache-share "$(calc 1-one/ns one="$one" ns="$ns")"
		ns=$(by router "$n" --order "$WORK/order") || exit 1
		sample transit-1M-by-slot "$(calc base/ns base="$base" ns="$ns")"
	done
	# Without it, a generator that leaves sessions out makes the figure better.
	used=$(talk router used)
	[ "$used" -eq "$n" ] || { note "$n sessions: packets came of $used only" && exit 1; }
	if [ "$name" = 1 ]; then
		[ "$(talk router attach)" = ok ] || exit 1
		for _ in $(seq "$ROUNDS"); do
			percent=$(by_monitored) || exit 1
			sample transit-fpm-unmarked-percent "$percent"
		done
		talk router detach >/dev/null
	fi
	talk_stop router
	talk_stop plain_nat
done
finish
