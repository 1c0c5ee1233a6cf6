#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Full tables: new sessions are refused, with a reason; no live one is ever pushed out. Session table,
# waypoints, half-open TCP.
. "$(dirname "$0")/lib.sh"

topo_two
start_routers '
	.router["max-sessions"] = 64 | .router["first-packet-rate"] = {"per-source": 0}
	| (.router."device-interface"[]."network-interface"[0] | select(.adjacency)).adjacency[0]."max-way-points" = 40
' || exit 1
bg s "$TOP/test/tools/udp_echo.py" 7
wait_for 5 listens s udp 7
open_many() {
	in_ns c "$TOP/test/tools/frames.py" send eth0 --src 10.1.0.2 --dst 10.2.0.2 --dport 9 --sport "$1" --step --count "$2" \
		--dmac "$(mac_of r1 lan0)"
}
sessions() { ctl "$1" -j show stats | jq .sessions; }

ok "a session" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --sport 30000 --count 3
open_many 20000 60
wait_for 3 sh -c "[ \$(\"$BIN/fairlead\" -i $TAG-r1 -j show stats | jq .sessions) -ge 40 ]"
is "as many sessions as waypoints" "$(sessions r1)" 40
cmp_num "refused: waypoints-exhausted" "$(drops r1 waypoints-exhausted)" -ge 20
ok "the first one lives" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --sport 30000 --count 3

change_config r1 '(.router."device-interface"[]."network-interface"[0] | select(.adjacency)).adjacency[0]."max-way-points" = 1000'
ok "more waypoints" ctl r1 config apply "$WORK/r1.json"
open_many 21000 100
wait_for 3 sh -c "[ \$(\"$BIN/fairlead\" -i $TAG-r1 -j show stats | jq .sessions) -ge 64 ]"
is "as many sessions as the table holds" "$(sessions r1)" 64
cmp_num "refused: table-full" "$(drops r1 table-full)" -ge 50
ok "the first one lives" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --sport 30000 --count 3
# One-way sessions go after 10 s; then there is room again.
ok "room again once they have aged" wait_for 20 in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --sport 30001 --timeout 0.3

# Half-open TCP: SYNs that nobody answers.
ctl r1 clear session all >/dev/null
change_config r1 '.router["half-open-connection-limit"] = 10'
ok "half-open limit" ctl r1 config apply "$WORK/r1.json"
in_ns s nft 'add table ip t; add chain ip t in { type filter hook input priority 0; }; add rule ip t in tcp dport 81 drop'
# At once: before the first ones are given up.
mac=$(mac_of r1 lan0)
pids=()
for port in $(seq 22000 22019); do
	in_ns c "$TOP/test/tools/frames.py" send eth0 --proto tcp --src 10.1.0.2 --dst 10.2.0.2 --dport 81 --sport "$port" \
		--dmac "$mac" &
	pids+=($!)
done
wait "${pids[@]}"
wait_for 3 sh -c "[ \$(\"$BIN/fairlead\" -i $TAG-r1 -j show stats | jq .sessions) -ge 10 ]"
is "ten half-open connections" "$(ctl r1 -j show sessions | jq '[.sessions[] | select(."destination-port" == 81)] | length')" 10
cmp_num "refused: half-open-limit" "$(drops r1 half-open-limit)" -ge 10
finish
