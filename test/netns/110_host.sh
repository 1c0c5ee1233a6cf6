#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# modes: tc xdp
# This host's own traffic: a process on r1 reaches a service through the fabric, one on r2 is reached as
# a service; and what is none of our business passes untouched: ssh, ARP, ping to the router itself.
. "$(dirname "$0")/lib.sh"

topo_two
# What the router's own stack sends has its checksum left to the device; a veth hands it on unfinished,
# which the other router's XDP program cannot see. Hardware finishes it.
if [ "$MODE" = xdp ]; then
	for r in r1 r2; do
		for dev in lan0 wan1 wan2; do
			host_dev $r $dev
		done
	done
fi
start_routers '
	.router."local-tenant" = "staff"
	| .authority.service += [{name: "r2-itself", address: ["10.2.0.1/32"], "access-policy": [{source: "staff"}]}]
	| .router."service-route" += [{name: "itself", "service-name": "r2-itself"} + (if .router.name == "r1" then {peer: "r2"} else {"use-learned-routes": true} end)]
' || exit 1
in_ns r1 ip route add 10.2.0.0/24 via 198.51.100.2 src 10.1.0.1
in_ns r1 ip -6 route add 2001:db8:2::/64 via 2001:db8:a::2 src 2001:db8:1::1
# Answers of r2's own stack need a route to leave by, whatever it is, and what comes out of a session is
# not to be held against the route back.
in_ns r2 ip route add 10.1.0.0/24 via 198.51.100.1
in_ns r2 sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.lo.rp_filter=0
serve_web s
serve_web r2
bg s "$TOP/test/tools/udp_echo.py" 7
wait_for 5 listens s udp 7

ok "ping from the router" in_ns r1 ping -c3 -i0.1 -W1 -I 10.1.0.1 10.2.0.2
ok "HTTP from the router" in_ns r1 curl -sSm5 -o /dev/null http://10.2.0.2/
ok "HTTP from the router, IPv6" in_ns r1 curl -sSm5 -o /dev/null 'http://[2001:db8:2::2]/'
is "the server sees the router's LAN address" "$(in_ns r1 curl -sSm5 http://10.2.0.2/me)" 10.1.0.1
in_ns r1 curl -sSm10 -o "$WORK/got" http://10.2.0.2/file
ok "5 MB arrive unchanged" cmp "$WORK/got" "$WORK/web/file"
ok "20 datagrams" in_ns r1 "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 20
is "as sessions of the host" "$(ctl r1 -j show sessions | jq -r '[.sessions[].in.name] | unique | .[]')" "(host)"
is "a client reaches r2 itself through the fabric" "$(in_ns c curl -sSm5 http://10.2.0.1/me)" 10.1.0.2

# Not ours.
ok "ping the router's LAN address" in_ns c ping -c1 -W1 10.1.0.1
ok "ping between waypoints" in_ns r1 ping -c1 -W1 198.51.100.2
ok "a server on the router, from its LAN" in_ns s curl -sSm5 -o /dev/null http://10.2.0.1/
denied=$(drops r1 no-service)
in_ns c sysctl -qw net.ipv4.icmp_echo_ignore_broadcasts=0
in_ns r1 sysctl -qw net.ipv4.icmp_echo_ignore_broadcasts=0
ok "a directed broadcast of the LAN" in_ns c ping -b -c1 -W1 10.1.0.255
is "is nobody's session" "$(drops r1 no-service)" "$denied"

# An address and a service that go while the agent is not there are not r1's any more when it is back.
map() { bpftool -j map dump pinned "$(echo "/sys/fs/bpf/fairlead/$TAG-r1"/v*)/$1" | jq -c '[.[].formatted.key]'; }
has_local() { map fl_local_addrs | jq -e --argjson a "$1" 'any(.[]; .addr[0:4] == $a)' >/dev/null; }
add_addr r1 lan0 10.1.0.77/24
ok "an address more" wait_for 5 has_local '[10,1,0,77]'
cmp_num "services are shown to the agent" "$(map fl_host_pfx | jq length)" -ge 2
stop_router r1 KILL
in_ns r1 ip addr del 10.1.0.77/24 dev lan0
change_config r1 'del(.router."local-tenant")'
start_router r1
no "the address is not the next agent's" has_local '[10,1,0,77]'
ok "others are" has_local '[10,1,0,1]'
is "nor are the services" "$(map fl_host_pfx | jq length)" 0
finish
