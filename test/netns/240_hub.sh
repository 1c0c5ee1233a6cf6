#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# modes: tc xdp
# The hub's way to the Internet: hosts of r1 leave by r2, under an address of r2's. Two of them ping with the
# same identifier, in one piece and in fragments: each gets its own answers.
. "$(dirname "$0")/lib.sh"

topo_two
add_ns i
link_ns r2 inet0 i eth0
add_addr r2 inet0 192.0.2.1/24 2001:db8:f::1/64
add_addr i eth0 192.0.2.254/24 2001:db8:f::fe/64
add_addr i lo 8.8.8.8/32 2001:db8:ff::8/128
add_addr c eth0 10.1.0.3/24 2001:db8:1::3/64
in_ns r2 ip route add default via 192.0.2.254
in_ns r2 ip -6 route add default via 2001:db8:f::fe
[ "$MODE" = xdp ] && host_dev i eth0
start_routers '
	.authority.service += [
		{name: "internet", address: ["0.0.0.0/0", "::/0"], "access-policy": [{source: "staff"}], "service-policy": "both"}
	]
	| .router."service-route" += [{name: "internet", "service-name": "internet"} +
		(if .router.name == "r1" then {peer: "r2"} else {"next-hop": {interface: "inet0"}} end)]
	| if .router.name == "r2" then
		.router."device-interface" += [{name: "inet0", ifname: "inet0", mode: .router."device-interface"[0].mode,
			"network-interface": [{name: "inet0", "source-nat": true}]}]
	  else . end
' || exit 1

# both NAME TARGET SOURCE1 SOURCE2 [OPTION]...: at the same time, from two addresses with one identifier
both() {
	local name=$1 target=$2 source pids=() pid
	for source in "$3" "$4"; do
		in_ns c ping -q -c8 -i0.1 -W2 -e 20000 -I "$source" "${@:5}" "$target" >"$WORK/ping.$source" 2>&1 &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	for source in "$3" "$4"; do
		is "$name, $source" "$(sed -n 's/.* transmitted, \(.*\) received.*/\1/p' "$WORK/ping.$source")" 8
	done
}
in_ns c ping -c1 -W2 -q 8.8.8.8 >/dev/null
both "ping" 8.8.8.8 10.1.0.2 10.1.0.3
both "IPv6 ping" 2001:db8:ff::8 2001:db8:1::2 2001:db8:1::3
both "ping in fragments" 8.8.8.8 10.1.0.2 10.1.0.3 -s 4000
both "IPv6 ping in fragments" 2001:db8:ff::8 2001:db8:1::2 2001:db8:1::3 -s 4000
ids=$(ctl r2 -j show sessions | jq '[.sessions[] | select(."source-port" == 20000)."nat-source-port"] | unique | length')
cmp_num "r2 gave them identifiers of their own" "$ids" -ge 2
cmp_num "r2 dropped nothing for it" "$(drops r2 nat-ports-exhausted)" -eq 0
finish
