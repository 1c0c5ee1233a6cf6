#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# modes: tc xdp
# Sizes: jumbo frames up to 9000, the MTU of the path, fragments of hosts, DF, the MSS clamp (3.7).
. "$(dirname "$0")/lib.sh"

WIRE=1
topo_two 9000
for wan in wan1 wan2; do
	in_ns r1 ip link set $wan mtu 1500
	in_ns r2 ip link set $wan mtu 1500
done
start_routers || exit 1
bg s "$TOP/test/tools/udp_echo.py" 7
wait_for 5 listens s udp 7
serve_web s
stat() { ctl "$1" -j show stats all | jq ".stats[] | select(.name == \"$2\").count"; }

# LAN 9000, WAN 1500. What must not be cut is told to its sender.
in_ns c ping -M "do" -c1 -W1 -s 2000 10.2.0.2 >"$WORK/ping" 2>&1
ok "DF and too big: the sender is told" grep -qiE 'frag needed|message too long' "$WORK/ping"
cmp_num "by an ICMP error of r1" "$(stat r1 icmp-errors-sent)" -ge 1
ok "with a size that fits" in_ns c ping -M "do" -c1 -W1 -s "$(($(in_ns c ip route get 10.2.0.2 | grep -oP 'mtu \K[0-9]+' || echo 1500) - 28))" 10.2.0.2
in_ns c ip route flush cache
ok "IPv6, the same" in_ns c ping -M "do" -c3 -i0.2 -W1 -s 1400 2001:db8:2::2
# (The first one each way may be lost: by it the host learns the MTU.)
ok "datagrams of 4000 bytes, cut by their host" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 4 --size 4000 --lost 2
ok "of 20000 bytes" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 3 --size 20000
ok "of 4000 bytes, IPv6" in_ns c "$TOP/test/tools/udp_echo.py" --ask 2001:db8:2::2 7 --count 4 --size 4000 --lost 2
cmp_num "fragments came in" "$(stat r1 fragments-received)" -ge 3
cmp_num "and were made whole" "$(stat r1 reassembled)" -ge 3

# A first packet that fits without metadata, and not with it, arrives all the same.
for size in 1300 1380 1440 1472; do
	ok "first datagram of $size bytes" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --size $size
done

# TCP: segments fit, because the MSS was clamped on the way.
capture w wan1 && capture w wan2 && capture s eth0 'tcp[tcpflags] & tcp-syn != 0'
in_ns c curl -sSm10 -o "$WORK/got" http://10.2.0.2/file
stop_captures
ok "5 MB arrive unchanged" cmp "$WORK/got" "$WORK/web/file"
cmp_num "MSS at the server" "$(captured s eth0 tcp | grep -oP 'mss \K[0-9]+' | head -n1)" -le 1460
is "no fragments on the WAN" \
	"$(($(captured w wan1 'ip[6:2] & 0x3fff != 0' | wc -l) + $(captured w wan2 'ip[6:2] & 0x3fff != 0' | wc -l)))" 0

# The WAN takes jumbo frames, too.
for wan in wan1 wan2; do
	in_ns r1 ip link set $wan mtu 9000
	in_ns r2 ip link set $wan mtu 9000
done
wait_for 5 sh -c "\"$BIN/fairlead\" -i $TAG-r1 -j show paths | jq -e '[.paths[].mtu] | min == 9000'"
is "the path's MTU follows its device" "$(ctl r1 -j show paths | jq '[.paths[].mtu] | min')" 9000
in_ns c ip route flush cache
ok "ping of 8900 bytes in one piece" in_ns c ping -M "do" -c3 -i0.1 -W1 -s 8900 10.2.0.2
ok "a datagram of 8900 bytes" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 5 --size 8900
in_ns c curl -sSm10 -o "$WORK/got" http://10.2.0.2/file
ok "5 MB by jumbo frames" cmp "$WORK/got" "$WORK/web/file"
is "nothing malformed" "$(drops r1 malformed) $(drops r2 malformed)" "0 0"
finish
