#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One TCP stream by iperf3 through both routers against plain kernel forwarding: XDP mode, where the end
# hosts send no super-packets (neither do those of the kernel's routers), and TC mode, where both do.
. "$(dirname "$0")/lib.sh"

LENGTH=${LENGTH:-2}
figure bulk-xdp "ratio to kernel forwarding, without GSO" ">= 1.0" "bench/bulk.sh: iperf3 -t $LENGTH"
figure bulk-tc "ratio to kernel forwarding, with GSO" ">= 0.8" "bench/bulk.sh: iperf3 -t $LENGTH"
for how in xdp kernel-no-gso tc kernel-gso; do
	figure "bulk-$how-gbps" "Gb/s" "" "bench/bulk.sh: iperf3 -t $LENGTH, $how"
done

gbps() {
	in_ns "$1" timeout 60 iperf3 -J -c 10.2.0.2 -t "$LENGTH" >"$WORK/iperf.$1.json" ||
		{ note "iperf3 in $1: $(jq -r .error "$WORK/iperf.$1.json")"; return 1; }
	jq '.end.sum_received.bits_per_second / 1e9' "$WORK/iperf.$1.json"
}

# compare FIGURE OWN-NAME KERNEL-NAME
compare() {
	local x y
	for _ in $(seq "$ROUNDS"); do
		x=$(gbps c) || exit 1
		y=$(gbps kc) || exit 1
		sample "$1" "$(calc x/y x="$x" y="$y")"
		sample "bulk-$2-gbps" "$x"
		sample "bulk-$3-gbps" "$y"
	done
}

MODE=tc
fairlead_topo
fairlead_up 16384 10000 || exit 1
warm || exit 1
kernel_topo k
serve_iperf s
serve_iperf ks
compare bulk-tc tc kernel-gso
for r in r1 r2; do
	change_config $r '.router."device-interface"[].mode = "xdp"'
	ctl $r config apply "$WORK/$r.json" >/dev/null || exit 1
done
for ns in c s kc ks; do host_dev $ns eth0; done
compare bulk-xdp xdp kernel-no-gso
finish
