#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# CPU time that forwarding costs a packet, both routers together, against plain kernel forwarding by
# both. Everything runs on one core that is never idle, so a packet's time is what it costs; that of
# generator and sink, measured on a cable between them, is taken off.
MODE=xdp
. "$(dirname "$0")/lib.sh"

command="bench/cpu.sh: (ns through two routers - ns over a cable), blast --flows 1000"
figure cpu-per-packet "ratio to kernel forwarding" "<= 0.35" "$command"
figure cpu-per-packet-ns "ns, both routers" "" "$command"
figure cpu-per-packet-kernel-ns "ns, both routers" "" "$command"
figure cpu-per-packet-tc "ratio to kernel forwarding" "" "$command, mode tc"

fairlead_topo
fairlead_up 16384 600000 || exit 1
warm || exit 1
open_sessions 1000 || exit 1
kernel_topo k
napi kr1 lan0 wan1
napi kr2 lan0 wan1
quiet_ns bg bs
link_ns bg eth0 bs eth0

# ns MAC FROM TO
ns() {
	blast "$2" eth0 "$3" eth0 "$1" --src 10.1.1.0 --flows 1000 --seconds "$SECONDS_EACH" | jq .ns
}

round() {
	cable=$(ns "$(mac_of bs eth0)" bg bs)
	own=$(ns "$(mac_of r1 lan0)" c s)
	kernel=$(ns "$(mac_of kr1 lan0)" kc ks)
	[ -n "${VERBOSE:-}" ] && note "cable $cable, fairlead $own, kernel $kernel"
	ratio=$(calc '(own-cable)/(kernel-cable)' own="$own" cable="$cable" kernel="$kernel")
}

for _ in $(seq "$ROUNDS"); do
	round
	sample cpu-per-packet "$ratio"
	sample cpu-per-packet-ns "$(calc own-cable own="$own" cable="$cable")"
	sample cpu-per-packet-kernel-ns "$(calc kernel-cable kernel="$kernel" cable="$cable")"
done
for r in r1 r2; do
	change_config $r '.router."device-interface"[].mode = "tc"'
	ctl $r config apply "$WORK/$r.json" >/dev/null || exit 1
	napi $r lan0 wan1
done
for _ in $(seq "$ROUNDS"); do
	round
	sample cpu-per-packet-tc "$ratio"
done
finish
