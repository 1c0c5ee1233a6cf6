#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Round trips of an established UDP session through both routers against plain kernel forwarding, one
# datagram at a time, with the same settings of the end hosts. Client and server on a CPU each, as two
# machines would be, and both on one, which leaves out waking the other CPU and so shows differences
# that this hides. "auto" takes TC on these devices.
. "$(dirname "$0")/lib.sh"

COUNT=${COUNT:-10000}
for cpus in two one; do
	for mode in xdp tc; do
		for p in p50 p99; do
			name=rtt-$mode-$cpus-cpu-$p target=""
			[ $mode-$cpus != xdp-one ] && target="<= 1.05"
			command="bench/rtt.sh: rtt 10.2.0.2 $COUNT, mode $mode, on $cpus CPU"
			figure "$name" "ratio to kernel forwarding" "$target" "$command"
			figure "$name-us" us "" "$command"
			figure "rtt-kernel-$cpus-cpu-$p-us" us "" "$command"
		done
	done
done

MODE=xdp
fairlead_topo
fairlead_up 16384 600000 || exit 1
warm || exit 1
kernel_topo k
host_dev kc eth0
host_dev ks eth0
for ns in s ks; do
	for cpu in 0 1; do
		bg $ns taskset -c $cpu "$TOOLS/rtt" serve $((7000 + cpu))
		wait_for 5 listens $ns udp $((7000 + cpu))
	done
done

# ask NAMESPACE one|two
ask() {
	local port=7001
	[ "$2" = one ] && port=7000
	in_ns "$1" taskset -c 0 "$TOOLS/rtt" 10.2.0.2 $port "$COUNT"
}

for mode in xdp tc; do
	if [ $mode = tc ]; then
		for r in r1 r2; do
			change_config $r '.router."device-interface"[].mode = "tc"'
			ctl $r config apply "$WORK/$r.json" >/dev/null || exit 1
		done
	fi
	for cpus in two one; do
		for _ in $(seq "$ROUNDS"); do
			own=$(ask c $cpus) && kernel=$(ask kc $cpus) || exit 1
			[ -n "${VERBOSE:-}" ] && note "rtt-$mode-$cpus: $own against $kernel"
			for p in p50 p99; do
				x=$(jq .$p <<<"$own") y=$(jq .$p <<<"$kernel")
				sample "rtt-$mode-$cpus-cpu-$p" "$(calc x/y x="$x" y="$y")"
				sample "rtt-$mode-$cpus-cpu-$p-us" "$x"
				sample "rtt-kernel-$cpus-cpu-$p-us" "$y"
			done
		done
	done
done
finish
