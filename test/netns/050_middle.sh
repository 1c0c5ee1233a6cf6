#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# modes: tc xdp
# Three routers: the middle one relays sessions with the same id and waypoints of its own.
. "$(dirname "$0")/lib.sh"

topo_three
start_three || exit 1
serve_web s
serve_dns s
bg s "$TOP/test/tools/udp_echo.py" 7
wait_for 5 listens s udp 7

ok "ping" in_ns c ping -c3 -i0.1 -W1 10.2.0.2
ok "ping, IPv6 over IPv4 waypoints" in_ns c ping -c3 -i0.1 -W1 2001:db8:2::2
ok "ping from the server's side" in_ns s ping -c3 -i0.1 -W1 10.1.0.2
is "nginx sees the client's address" "$(in_ns c curl -sSm5 http://10.2.0.2/me)" 10.1.0.2
in_ns c curl -sSm10 -o "$WORK/got" 'http://[2001:db8:2::2]/file'
ok "5 MB arrive unchanged" cmp "$WORK/got" "$WORK/web/file"
is "DNS" "$(in_ns c dig +time=2 +tries=1 +short @10.2.0.2 www.example.org)" 10.2.0.2

capture w wan1 && capture w wan2
ok "20 datagrams are answered" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 20
stop_captures
for wan in wan1 wan2; do
	is "no inner address on $wan" "$(captured w $wan 'host 10.1.0.2 or host 10.2.0.2' | wc -l)" 0
	meta='udp[8:4] = 0x4c48dbc6'
	cmp_num "packets without metadata on $wan" "$(captured w $wan "udp and not $meta" | wc -l)" -ge 36
done

# The same session on all three, by id.
session() {
	ctl "$1" -j show sessions | jq -r '.sessions[] | select(."destination-port" == 7)'
}
id=$(session r1 | jq -r .id)
is "the middle router has the session by the same id" "$(session r2 | jq -r .id)" "$id"
is "so has the last" "$(session r3 | jq -r .id)" "$id"
is "the middle one came from r1" "$(session r2 | jq -r .in.name)" r1
is "and goes to r3" "$(session r2 | jq -r .out.name)" r3
is "tenant as the first router said" "$(session r3 | jq -r .tenant)" staff
is "handshake done in the middle, forward" "$(session r2 | jq -r .forward.handshake)" established
is "handshake done in the middle, reverse" "$(session r2 | jq -r .reverse.handshake)" established

# 3.1: every router decides for itself what its peer may send.
change_config r3 '.authority.service[1]."access-policy" = [{source: "staff", permission: "deny"}]'
ok "r3 denies the service from now on" ctl r3 config apply "$WORK/r3.json"
no "no new session" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --timeout 0.5
cmp_num "counted at r3" "$(drops r3 access-denied)" -ge 1
is "and nowhere before" "$(drops r1 access-denied) $(drops r2 access-denied)" "0 0"

# TTL: one less at every router.
in_ns s "$TOP/test/tools/frames.py" listen eth0 3 >"$WORK/arrived" &
listener=$!
wait_for 3 grep -q ready "$WORK/arrived"
change_config r3 '.authority.service[1]."access-policy" = [{source: "staff"}]'
ctl r3 config apply "$WORK/r3.json" >/dev/null
in_ns c "$TOP/test/tools/frames.py" send eth0 --src 10.1.0.2 --dst 10.2.0.2 --sport 4321 --dport 4322 --ttl 9 \
	--dmac "$(mac_of r1 lan0)"
wait $listener
is "TTL 9 arrives as 6" "$(jq -r 'select(.dport == 4322).ttl' "$WORK/arrived")" 6
finish
