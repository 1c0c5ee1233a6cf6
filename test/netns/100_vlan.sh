#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# modes: tc xdp
# Tagged networks on one device, 802.1Q and QinQ: each is an interface with a tenant of its own. Hosts are
# played by frames.py, because this kernel may have no VLAN devices.
. "$(dirname "$0")/lib.sh"

topo_two
host_dev s eth0
start_routers '
	.authority.tenant += [{name: "lab"}, {name: "metro"}]
	| .authority.service += [
		{name: "for-lab", address: ["10.2.0.2/32"], transport: [{protocol: "udp", "port-range": [{"start-port": 7}]}], "access-policy": [{source: "lab"}]},
		{name: "for-metro", address: ["10.2.0.2/32"], transport: [{protocol: "udp", "port-range": [{"start-port": 8}]}], "access-policy": [{source: "metro"}]}
	]
	| if .router.name == "r1" then
		.router."service-route" += [{name: "l", "service-name": "for-lab", peer: "r2"}, {name: "m", "service-name": "for-metro", peer: "r2"}]
		| .router."device-interface"[0]."network-interface" += [
			{name: "lab10", vlan: 10, tenant: "lab"}, {name: "metro20", vlan: 20, "inner-vlan": 30, tenant: "metro"}]
	  else
		.router."service-route" += [{name: "l", "service-name": "for-lab", "next-hop": {interface: "lan0"}}, {name: "m", "service-name": "for-metro", "next-hop": {interface: "lan0"}}]
	  end
' || exit 1
bg s "$TOP/test/tools/udp_echo.py" 7
bg s "$TOP/test/tools/udp_echo.py" 8
bg s "$TOP/test/tools/udp_echo.py" 9
wait_for 5 listens s udp 8
wait_for 5 listens s udp 9
mac=$(mac_of r1 lan0)
# A host that only the router's packets tell about: its MAC is learned from them.
spawn c "$WORK/got" "$TOP/test/tools/frames.py" listen eth0 30
listeners=$!
spawn s "$WORK/arrived" "$TOP/test/tools/frames.py" listen eth0 30
listeners+=" $!"
wait_for 3 grep -q ready "$WORK/got"
wait_for 3 grep -q ready "$WORK/arrived"

frame() { in_ns c "$TOP/test/tools/frames.py" send eth0 --dmac "$mac" --dst 10.2.0.2 "$@"; }

for n in 1 2 3; do
	frame --vlan 10 --src 10.1.0.77 --sport 5010 --dport 7 --payload "lab $n"
	frame --vlan 20 --inner-vlan 30 --src 10.1.0.78 --sport 5020 --dport 8 --payload "metro $n"
	# Priority 5 of no VLAN: the untagged network's.
	frame --vlan 40960 --src 10.1.0.80 --sport 5000 --dport 9 --payload "priority $n"
	frame --vlan 99 --src 10.1.0.79 --sport 5099 --dport 7 --payload "nobody $n"
	sleep 0.1
done
all_answered() { [ "$(jq -s '[.[] | objects | select(.dport == 5010 or .dport == 5020 or .dport == 5000)] | length' "$WORK/got")" -ge 9 ]; }
wait_for 5 all_answered || true
# shellcheck disable=SC2086
kill $listeners 2>/dev/null
# shellcheck disable=SC2086
wait $listeners 2>/dev/null

hex() { printf %s "$1" | od -An -tx1 | tr -d ' \n'; }
answers() { jq -c "select(.dport == $1 and .payload == \"$(hex "$2")\").tags" "$WORK/got" | sort -u; }
for n in 1 2 3; do
	is "answer $n on VLAN 10" "$(answers 5010 "lab $n")" "[10]"
	is "answer $n on VLAN 20, inner 30" "$(answers 5020 "metro $n")" "[20,30]"
	is "answer $n to a priority-tagged packet" "$(answers 5000 "priority $n")" "[]"
	is "its tag ended at r1" "$(jq -c "select(.sport == 5000 and .payload == \"$(hex "priority $n")\").tags" "$WORK/arrived")" "[]"
done
is "a VLAN that is not configured is not ours" "$(answers 5099 "nobody 1")" ""
is "checksums are right" "$(jq -c 'select(.dport == 5010 or .dport == 5020)."checksum-ok"' "$WORK/got" | sort -u)" true
is "tenants by VLAN" "$(ctl r1 -j show sessions | jq -c '[.sessions[] | select(."source-port" > 5000).tenant] | sort | unique')" '["lab","metro"]'
finish
