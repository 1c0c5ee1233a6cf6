#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The kernel's routes and neighbours: a next hop by a static route, one by FRR, changes of either while
# sessions run, a neighbour that changes its MAC address.
. "$(dirname "$0")/lib.sh"

topo_two
# Behind r2's LAN, two gateways to a network with a server: s2 by g1 or g2.
add_ns g1 g2 s2
ip link add br0 netns "$TAG-s" type bridge 2>/dev/null || true
for g in g1 g2; do
	n=${g#g}
	link_ns s "up$n" $g eth0
	link_ns $g lan s2 $g
	add_addr $g lan "10.77.$n.1/24"
	add_addr s2 $g "10.77.$n.2/24"
	in_ns $g sysctl -qw net.ipv4.ip_forward=1
	in_ns $g ip route add 10.1.0.0/24 via 10.2.0.1 dev eth0 onlink
	in_ns $g ip route add 10.88.0.2/32 via "10.77.$n.2"
	add_addr $g eth0 "10.2.0.1$n/24"
done
# One LAN of r2, the server and both gateways.
in_ns s sh -c 'ip link set br0 up; for d in eth0 up1 up2; do ip link set $d master br0; done;
	ip addr flush dev eth0; ip addr add 10.2.0.2/24 dev br0; ip route add default via 10.2.0.1'
# The second one has a link to r2 of its own besides.
link_ns r2 lan1 g2 eth1
add_addr r2 lan1 10.3.0.1/24
add_addr g2 eth1 10.3.0.2/24
[ "$MODE" = xdp ] && host_dev g2 eth1
add_addr s2 lo 10.88.0.2/32
in_ns s2 ip route add default via 10.77.1.1 src 10.88.0.2
in_ns s2 sysctl -qw net.ipv4.conf.all.rp_filter=0
start_routers '
	.authority.service += [{name: "deep", address: ["10.88.0.0/24"], "access-policy": [{source: "staff"}]}]
	| .router."service-route" += [{name: "deep", "service-name": "deep"} + (if .router.name == "r1" then {peer: "r2"} else {"use-learned-routes": true} end)]
	| if .router.name == "r2" then .router."device-interface" += [.router."device-interface"[0] | .name = "lan1" | .ifname = "lan1"
		| ."network-interface"[0].name = "lan1"] else . end
' || exit 1
bg s2 "$TOP/test/tools/udp_echo.py" 7
wait_for 5 listens s2 udp 7
ask() { in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.88.0.2 7 "$@"; }

no "no route yet" ask --timeout 0.3
is "says so" "$(drops r2 no-route | grep -c '^0$')" 0
in_ns r2 ip route add 10.88.0.0/24 via 10.2.0.11
sleep 1.2 # a denial is remembered for a second
ok "a static route" ask --count 5
capture g2 eth0 'udp port 7'
(exec nsenter --net="/run/netns/$TAG-c" -- "$TOP/test/tools/udp_echo.py" --ask 10.88.0.2 7 --count 150 --gap 0.01 --sport 30000 >"$WORK/flow") &
flow=$!
sleep 0.5
in_ns r2 ip route replace 10.88.0.0/24 via 10.2.0.12
wait $flow
stop_captures
is "the route changes under a session: nothing lost" "$(tail -n1 "$WORK/flow")" "0 of 150 lost"
cmp_num "it now goes by the other gateway" "$(captured g2 eth0 'dst port 7' | wc -l)" -gt 20

# A neighbour with another MAC address, as after the failover of a pair.
in_ns g2 ip link set eth0 address 02:00:00:00:00:99
in_ns g2 ping -c1 -W1 10.2.0.1 >/dev/null
ok "a neighbour changes its MAC" wait_for 5 in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.88.0.2 7 --count 3 --timeout 0.3

# A device goes down, and with it the better one of two routes: where it has no IPv6 the kernel does not
# say a word about routes.
in_ns r2 sysctl -qw net.ipv6.conf.lan0.disable_ipv6=1
in_ns r2 ip route replace 10.88.0.0/24 via 10.2.0.11
in_ns r2 ip route add 10.88.0.0/24 via 10.3.0.2 metric 50
ok "by the better one of two routes" wait_for 5 ask --timeout 0.3
in_ns r2 ip link set lan0 down
in_ns s2 ip route replace default via 10.77.2.1 src 10.88.0.2
in_ns g2 ip route replace 10.1.0.0/24 via 10.3.0.1
ok "its device goes down: by the other one" wait_for 3 ask --timeout 0.3
in_ns s2 ip route replace default via 10.77.1.1 src 10.88.0.2
in_ns r2 ip route del 10.88.0.0/24 metric 50
in_ns r2 ip link set lan0 up
in_ns r2 ip route replace 10.88.0.0/24 via 10.2.0.11

if command -v /usr/lib/frr/zebra >/dev/null; then
	in_ns r2 ip route del 10.88.0.0/24
	mkdir -p "$WORK/frr"
	echo 'ip route 10.88.0.0/24 10.2.0.11' >"$WORK/frr/staticd.conf"
	: >"$WORK/frr/zebra.conf"
	chmod a+rx "$WORK"
	chown -R frr:frr "$WORK/frr"
	for program in zebra staticd; do
		bg r2 /usr/lib/frr/$program -f "$WORK/frr/$program.conf" -z "$WORK/frr/zserv" -i "$WORK/frr/$program.pid" \
			--vty_socket "$WORK/frr" -A 127.0.0.1 -P 0 --log stdout
		wait_for 5 grep -q starting "$WORK/r2.$program.log"
		wait_for 5 test -S "$WORK/frr/zserv"
	done
	ok "FRR installs its route" wait_for 20 sh -c "nsenter --net=/run/netns/$TAG-r2 ip route show 10.88.0.0/24 | grep -q 'proto static'"
	sleep 1.2
	ok "a route by FRR" ask --count 5
else
	skip "a route by FRR" "no FRR here (Debian package frr)"
fi
finish
