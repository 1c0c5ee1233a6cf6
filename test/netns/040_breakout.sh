#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# modes: tc xdp
# Local breakout: sessions to the Internet leave r1 directly, with source NAT (NAPT), next to the fabric;
# a service to a local next hop with destination NAT.
. "$(dirname "$0")/lib.sh"

topo_two
add_ns i
link_ns r1 inet0 i eth0
add_addr r1 inet0 192.0.2.1/24 2001:db8:f::1/64
add_addr i eth0 192.0.2.254/24 2001:db8:f::fe/64
add_addr i lo 8.8.8.8/32 2001:db8:ff::8/128
in_ns r1 ip route add default via 192.0.2.254
in_ns r1 ip -6 route add default via 2001:db8:f::fe
[ "$MODE" = xdp ] && host_dev i eth0
start_routers '
	.authority.service += [
		{name: "internet", address: ["0.0.0.0/0", "::/0"], "access-policy": [{source: "staff"}]},
		{name: "portal", address: ["10.1.9.9/32"], "access-policy": [{source: "staff"}]}
	]
	| if .router.name == "r1" then
		.router."service-route" += [
			{name: "breakout", "service-name": "internet", "next-hop": {interface: "inet0"}},
			{name: "portal", "service-name": "portal", "next-hop": {interface: "inet0"}, "nat-target": "192.0.2.254"}
		]
		| .router."device-interface" += [{name: "inet0", ifname: "inet0", mode: .router."device-interface"[0].mode,
			"network-interface": [{name: "inet0", "source-nat": true}]}]
	  else . end
' || exit 1
serve_web i
serve_dns i
bg i "$TOP/test/tools/udp_echo.py" 7
serve_iperf i

ok "ping the Internet" in_ns c ping -c3 -i0.1 -W1 8.8.8.8
ok "ping the Internet, IPv6" in_ns c ping -c3 -i0.1 -W1 2001:db8:ff::8
ok "ping in fragments" in_ns c ping -c3 -i0.1 -W1 -s 4000 8.8.8.8
ok "ping in fragments, IPv6" in_ns c ping -c3 -i0.1 -W1 -s 4000 2001:db8:ff::8
ok "UDP in fragments" in_ns c "$TOP/test/tools/udp_echo.py" --ask 192.0.2.254 7 --count 5 --size 4000
ok "the router itself is pinged in fragments" in_ns i ping -c3 -i0.1 -W1 -s 4000 192.0.2.1
is "the server sees the router's address" "$(in_ns c curl -sSm5 http://8.8.8.8/me)" 192.0.2.1
is "likewise IPv6" "$(in_ns c curl -sSm5 'http://[2001:db8:ff::8]/me')" 2001:db8:f::1
is "DNS" "$(in_ns c dig +time=2 +tries=1 +short @8.8.8.8 www.example.org)" 10.2.0.2
in_ns c curl -sSm10 -o "$WORK/got" http://8.8.8.8/file
ok "5 MB arrive unchanged" cmp "$WORK/got" "$WORK/web/file"
is "destination NAT" "$(in_ns c curl -sSm5 http://10.1.9.9/)" hello
ok "the fabric beside it" in_ns c ping -c1 -W1 10.2.0.2
no "nobody opens sessions from the Internet" in_ns i ping -c1 -W1 192.0.2.77

# Two hosts with the same port to the same server: both get answers, by ports of their own.
add_addr c eth0 10.1.0.3/24
for host in 10.1.0.2 10.1.0.3; do
	in_ns c curl -sSm5 --interface $host --local-port 45000 -o /dev/null http://8.8.8.8/ && echo $host
done >"$WORK/two"
is "same port twice" "$(tr '\n' ' ' <"$WORK/two")" "10.1.0.2 10.1.0.3 "
ports=$(ctl r1 -j show sessions | jq -c '[.sessions[] | select(."source-port" == 45000)."nat-source-port"] | unique | length')
is "by different ports outside" "$ports" 2

# traceroute: ICMP errors from outside come back to the host that caused them.
is "a closed port is told" "$(in_ns c "$TOP/test/tools/udp_echo.py" --ask 8.8.8.8 99 --timeout 1 --lost 1 | head -n1)" \
	"datagram 0: no answer"
in_ns c timeout 10 iperf3 -J -c 8.8.8.8 -t 1 >"$WORK/iperf.json"
cmp_num "TCP bulk, Mb/s" "$(jq '.end.sum_received.bits_per_second / 1e6 | floor' "$WORK/iperf.json")" -gt 300
finish
