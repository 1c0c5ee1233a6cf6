#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Round trips of an established UDP session through both routers against plain kernel forwarding, one
# datagram at a time, with the same settings of the end hosts.
. "$(dirname "$0")/lib.sh"

COUNT=${COUNT:-15000}
for mode in xdp tc; do
	for p in p50 p99; do
		target="<= 1.05"
		[ $mode = tc ] && target=""
		figure "rtt-$mode-$p" "ratio to kernel forwarding" "$target" \
			"bench/rtt.sh: rtt 10.2.0.2 $COUNT, mode $mode"
		figure "rtt-$mode-$p-us" us "" "bench/rtt.sh: rtt 10.2.0.2 $COUNT, mode $mode"
	done
done
figure rtt-kernel-p50-us us "" "bench/rtt.sh: rtt 10.2.0.2 $COUNT, kernel forwarding"
figure rtt-kernel-p99-us us "" "bench/rtt.sh: rtt 10.2.0.2 $COUNT, kernel forwarding"

MODE=xdp
fairlead_topo
fairlead_up 16384 600000 || exit 1
warm || exit 1
kernel_topo k
host_dev kc eth0
host_dev ks eth0
bg s "$TOOLS/rtt"
bg ks "$TOOLS/rtt"
wait_for 5 listens s udp 7007
wait_for 5 listens ks udp 7007

for mode in xdp tc; do
	if [ $mode = tc ]; then
		for r in r1 r2; do
			change_config $r '.router."device-interface"[].mode = "tc"'
			ctl $r config apply "$WORK/$r.json" >/dev/null || exit 1
		done
	fi
	for _ in $(seq "$ROUNDS"); do
		own=$(in_ns c "$TOOLS/rtt" 10.2.0.2 "$COUNT") || exit 1
		kernel=$(in_ns kc "$TOOLS/rtt" 10.2.0.2 "$COUNT") || exit 1
		[ -n "${VERBOSE:-}" ] && note "rtt-$mode: $own against $kernel"
		for p in p50 p99; do
			x=$(jq .$p <<<"$own") y=$(jq .$p <<<"$kernel")
			sample "rtt-$mode-$p" "$(calc x/y x="$x" y="$y")"
			sample "rtt-$mode-$p-us" "$x"
			sample "rtt-kernel-$p-us" "$y"
		done
	done
done
finish
