#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# modes: tc xdp
# What is on the wire between the routers: waypoint addresses, metadata in a session's first packets,
# nothing added to the later ones; ports by the parity rule; one path for both directions.
. "$(dirname "$0")/lib.sh"

WIRE=1
topo_two
host_dev s eth0
host_dev c eth0
start_routers || exit 1
bg s "$TOP/test/tools/udp_echo.py" 7
wait_for 5 listens s udp 7

# 50 datagrams of 100 bytes there and back, one at a time, from one port.
capture w wan1 && capture w wan2 && capture c eth0
ok "50 datagrams are answered" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 50 --size 100
stop_captures

# One path: all packets of the session are on one of the links.
one=$(captured w wan1 udp | wc -l) two=$(captured w wan2 udp | wc -l)
is "the session uses one path" "$(((one > 0) + (two > 0)))" 1
wan=wan1
[ "$two" -gt 0 ] && wan=wan2

is "no inner address on the WAN" "$(captured w $wan 'host 10.1.0.2 or host 10.2.0.2' | wc -l)" 0
is "nothing but UDP and ARP or ND" "$(captured w $wan 'not udp and not arp and not icmp6' | wc -l)" 0
# Metadata starts the payload: its cookie is what follows the UDP header.
meta='udp[8:4] = 0x4c48dbc6 and udp[12:4] = 0xddf6670c'
cmp_num "packets with metadata, of 100" "$(captured w $wan "udp and $meta" | wc -l)" -le 4
cmp_num "packets with metadata" "$(captured w $wan "udp and $meta" | wc -l)" -ge 2
# 100 bytes, UDP and IP header: 128, as on the LAN.
is "all others as long as on the LAN" \
	"$(captured w $wan "udp and not ($meta) and ip[2:2] != 128" | wc -l)" 0
cmp_num "of those" "$(captured w $wan "udp and not ($meta)" | wc -l)" -ge 96
is "as many as on the LAN" "$(captured w $wan 'udp and ip[2:2] >= 128' | wc -l)" "$(captured c eth0 'udp port 7' | wc -l)"

# 3.8: the initiator picks both ports, its own even, the peer's odd.
read -r sport dport < <(captured w $wan 'udp and (src host 198.51.100.1 or src host 203.0.113.1)' |
	sed -nE '1s/.*\.([0-9]+) > [^ ]*\.([0-9]+):.*/\1 \2/p')
is "the initiator's port is even" "$((sport % 2))" 0
is "the peer's port is odd" "$((dport % 2))" 1

# What the hosts see is what was sent.
is "no bad checksum reaches the client" "$(captured c eth0 'udp src port 7' -vv | grep -c 'bad udp cksum')" 0
id=$(ctl r1 -j show sessions | jq -r '.sessions[] | select(."destination-port" == 7).id')
is "the same session id on both routers" "$(ctl r2 -j show sessions | jq -r '.sessions[] | select(."destination-port" == 7).id')" "$id"
is "the session is established" "$(ctl r1 -j show session "$id" | jq -r '.sessions[0].forward.handshake')" established
finish
