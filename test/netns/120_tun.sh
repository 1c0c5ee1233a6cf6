#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A WAN device without XDP and without link header (tun): taken by TC, and said so; asking for XDP there is
# refused with the reason. A user-space cable joins the two ends.
. "$(dirname "$0")/lib.sh"

topo_two
# The second link becomes a tun device on each router, joined by tun_cable.py.
in_ns r1 ip link del wan2
spawn r1 "$WORK/cable.log" "$TOP/test/tools/tun_cable.py" tun0 "/run/netns/$TAG-r2" tun0
PIDS+=($!)
wait_for 5 in_ns r1 ip link show tun0
wait_for 5 in_ns r2 ip link show tun0
for r in 1 2; do
	add_addr r$r tun0 203.0.113.$r/24
	in_ns r$r ip link set tun0 up
done
start_routers '
	.router."device-interface"[2].ifname = "tun0"
	| .router."device-interface"[2].mode = "auto"
	| .authority."service-policy"[0].vector = [{name: "wan2"}]
' || exit 1
serve_web s

is "mode" "$(ctl r1 -j show interfaces | jq -r '.interfaces[] | select(.name == "wan2").mode')" tc
ok "with the reason" grep -q "virtual device (tun)" <(ctl r1 -j show interfaces | jq -r '.interfaces[] | select(.name == "wan2").reason')
ok "ping" in_ns c ping -c3 -i0.1 -W1 10.2.0.2
ok "ping, IPv6" in_ns c ping -c3 -i0.1 -W1 2001:db8:2::2
in_ns c curl -sSm10 -o "$WORK/got" http://10.2.0.2/file
ok "5 MB arrive unchanged" cmp "$WORK/got" "$WORK/web/file"
is "by the tun device" "$(ctl r1 -j show sessions | jq -r '[.sessions[].out.path] | unique | .[]')" "r2/wan2"
cmp_num "packets through it" "$(in_ns r1 ip -s -j link show tun0 | jq '.[0].stats64.tx.packets')" -gt 100

change_config r1 '.router."device-interface"[2].mode = "xdp"'
ctl r1 config apply "$WORK/r1.json" >/dev/null 2>&1
is "XDP asked for: refused" "$(ctl r1 -j show interfaces | jq -r '.interfaces[] | select(.name == "wan2").status')" failed
ok "with the reason" grep -q "no native XDP" <(ctl r1 -j show interfaces | jq -r '.interfaces[] | select(.name == "wan2").reason')
finish
