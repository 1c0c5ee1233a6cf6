#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# beside: nothing
# A host that opens sessions as fast as it can: its bucket limits it, and sessions that exist, also those of
# the same service and router, do not notice (P-46).
. "$(dirname "$0")/lib.sh"

topo_two
start_routers || exit 1
add_addr c eth0 10.1.0.66/24
bg s "$TOP/test/tools/udp_echo.py" 7
wait_for 5 listens s udp 7
serve_web s

ok "a session before the flood" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --sport 30000 --count 5
# 4 seconds of new sessions, as many as it can.
(exec nsenter --net="/run/netns/$TAG-c" -- timeout 4 "$TOP/test/tools/frames.py" send eth0 --src 10.1.0.66 --dst 10.2.0.2 \
	--sport 1024 --step --count 60000 --dmac "$(mac_of r1 lan0)") &
flood=$!
sleep 0.3
ok "the session goes on without a loss" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --sport 30000 --count 150 --gap 0.01
ok "another host opens sessions" in_ns c curl -sSm5 -o /dev/null --interface 10.1.0.2 http://10.2.0.2/
wait $flood
cmp_num "the flood was limited: rate-source" "$(drops r1 rate-source)" -gt 1000
limited=$(ctl r1 -j show stats | jq .sessions)
# 1000 at once and 500 a second (the defaults), for a little over 4 seconds.
cmp_num "sessions that it got" "$limited" -lt 5000

# What expires at r2 spends no tokens of r1's session set-up there.
ok "a session to send through" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --sport 30000
(exec nsenter --net="/run/netns/$TAG-c" -- timeout 3 "$TOP/test/tools/frames.py" send eth0 --src 10.1.0.2 --dst 10.2.0.2 \
	--sport 30000 --dport 7 --ttl 2 --count 1000000 --dmac "$(mac_of r1 lan0)") &
flood=$!
flooded() { [ "$(drops r2 ttl-expired)" -gt 1000 ]; }
ok "more than r2 answers" wait_for 3 flooded
for port in $(seq 31000 31009); do
	ok "a session from port $port meanwhile" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --sport "$port"
done
wait $flood
is "r2 refused no set-up" "$(drops r2 rate-peer)" 0
finish
