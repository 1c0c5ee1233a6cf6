#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# New UDP sessions a second: a generator sends one packet of each of many flows, evenly, and a sink
# counts what arrives. A rate holds if every first packet arrives, for DURATION seconds. The highest
# such rate is looked for in short trials, then shown over the full time, RUNS times.
#
#   one router alone: it decides, signs metadata and sends to the peer; behind it the sink
#   both routers:     the second proves the metadata, opens the session too; the server is the sink. Each
#                     agent is bound to a core, as on a machine of its own: the scheduler at times leaves
#                     both on one for seconds while the other idles
#   nftables:         stateful double NAT on both routers, without policy, metadata or proof, as fast
#                     as it will: how fast this machine is, on which the other two depend
MODE=xdp
. "$(dirname "$0")/lib.sh"

DURATION=${DURATION:-20}
RUNS=${RUNS:-3}
TRIAL=3
INITIAL=2000 # ms that an unanswered session lasts: keeps the number of live ones within the table
figure sessions-one-router "new sessions/s, none lost in $DURATION s" ">= 150000" \
	"bench/sessions.sh: first_packets through r1 to a sink, initial-timeout $INITIAL ms"
figure sessions-both-routers "new sessions/s, none lost in $DURATION s" ">= 80000" \
	"bench/sessions.sh: first_packets through r1 and r2 to a sink, initial-timeout $INITIAL ms"
figure sessions-nftables "new sessions/s, through two routers, none lost" "" \
	"bench/sessions.sh: first_packets through two kernels with nftables double NAT"
figure sessions-one-router-cpu "us of agent CPU a session" "" "as sessions-one-router"

fairlead_topo
mac=$(mac_of r1 lan0)
next=0

# Ticks of CPU time that a router's agent has used.
ticks() { awk '{ print $14 + $15 }' "/proc/${ROUTER_PID[$1]}/stat"; }

# settled LENGTH: packets that the sink has got, once no more come. What waits in a queue is not lost.
settled() {
	local before now
	now=$(talk sink "$1")
	until [ "$now" = "${before:-}" ]; do
		before=$now
		sleep 0.3
		now=$(talk sink "$1")
	done
	echo "$now"
}

# attempt RATE SECONDS: true if no packet was lost; sets $achieved, $cpu
attempt() {
	local count before after out lost used=${cpu_of:-r1} t0 t1
	count=$(($1 * $2))
	before=$(talk sink "$length")
	t0=$(ticks "$used")
	out=$(in_ns c "$TOOLS/first_packets" eth0 "$mac" 10.1.1.0 10.2.0.2 $next "$count" "$1") || exit 1
	after=$(settled "$length")
	t1=$(ticks "$used")
	next=$(((next + count) % 500000000))
	achieved=$(jq .rate <<<"$out")
	cpu=$(calc 't/hz*1e6/n' t=$((t1 - t0)) hz="$(getconf CLK_TCK)" n="$count")
	lost=$((count - (after - before)))
	[ -n "${VERBOSE:-}" ] && note "$1/s for $2 s: $out, lost $lost, $cpu us/session"
	[ -z "${VERBOSE:-}" ] || [ "$lost" -eq 0 ] || note "$(reasons r1) $(reasons r2)"
	[ "$lost" -eq 0 ] && awk "BEGIN { exit !($achieved > 0.97 * $1) }"
}

reasons() {
	[ -z "${ROUTER_PID[$1]:-}" ] ||
		ctl "$1" -j show drops | jq -c '[.. | objects | select(.packets) | [.reason, .packets]]'
}

# Sessions of the last attempt have ended.
drained() { [ "$(sessions_of r1)" -lt 1000 ]; }

# measure FIGURE START
measure() {
	local low=0 high=0 rate=$2 i tries=0
	# The peer also hears that sessions have ended: a first packet is told from that by its length.
	in_ns c "$TOOLS/first_packets" eth0 "$mac" 10.1.1.0 10.2.0.2 $next 100 1000 >/dev/null
	next=$((next + 100))
	length=$(talk sink length)
	for i in 1 2 3 4 5 6 7; do
		if attempt "$rate" $TRIAL; then low=$rate; else high=$rate; fi
		wait_for 20 drained
		if [ "$high" -eq 0 ]; then
			rate=$((rate * 5 / 4))
		elif [ "$low" -eq 0 ]; then
			rate=$((rate * 3 / 4))
		else
			[ $((high - low)) -lt $((low / 20)) ] && break
			rate=$(((low + high) / 2))
		fi
	done
	[ "$low" -gt 0 ] || low=$rate
	for i in $(seq "$RUNS"); do
		until attempt "$low" "$DURATION"; do
			wait_for 20 drained
			low=$((low * 93 / 100))
			tries=$((tries + 1))
			[ $tries -lt 8 ] || { unmeasured "$1" "no rate without loss found: $(reasons r1)"; return; }
		done
		sample "$1" "$achieved"
		[ "$1" = sessions-one-router ] && sample sessions-one-router-cpu "$cpu"
		wait_for 20 drained
	done
}

# One router: r2's namespace is the sink.
router_up r1 1048576 $INITIAL alone || exit 1
permanent r1 wan1 198.51.100.2 r2 wan1
permanent r1 wan2 203.0.113.2 r2 wan2
talk_start sink "$TOOLS/blast" --to "$TAG-r2:wan1" --sink-only || exit 1
measure sessions-one-router "${START_ONE:-150000}"
talk_stop sink

router_up r2 1048576 $INITIAL || exit 1
warm || exit 1
taskset -apc 0 "${ROUTER_PID[r1]}" >/dev/null && taskset -apc 1 "${ROUTER_PID[r2]}" >/dev/null || exit 1
talk_start sink "$TOOLS/blast" --to "$TAG-s:eth0" --sink-only || exit 1
measure sessions-both-routers "${START_BOTH:-80000}"
talk_stop sink

kernel_topo n
double_nat n
mac=$(mac_of nr1 lan0)
talk_start sink "$TOOLS/blast" --to "$TAG-ns:eth0" --sink-only || exit 1
# Few enough for conntrack's table, 262144 entries by default.
flows=40000
for i in $(seq "$RUNS"); do
	before=$(talk sink 60)
	rate=$(in_ns nc "$TOOLS/first_packets" eth0 "$mac" 10.1.1.0 10.2.0.2 $next $flows 1e9 | jq .rate)
	after=$(settled 60)
	next=$((next + flows))
	if [ $((after - before)) -eq $flows ]; then
		sample sessions-nftables "$rate"
	else
		unmeasured sessions-nftables "lost $((flows - after + before)) of $flows in the last round"
	fi
done
talk_stop sink
finish
