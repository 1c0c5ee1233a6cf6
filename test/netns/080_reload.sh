#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Reloading: all or nothing, said clearly; what did not change is not touched.
. "$(dirname "$0")/lib.sh"

topo_two
start_routers || exit 1
bg s "$TOP/test/tools/udp_echo.py" 7
wait_for 5 listens s udp 7

logged() { grep -c -- "$1" "$WORK/r1.log"; }

# An unchanged file: nothing happens, to the data plane neither. (How far the clocks are apart is
# brought up to date all the time.)
dump() { bpftool -j map dump pinned "$(echo "/sys/fs/bpf/fairlead/$TAG-r1"/v*)/$1" | jq -c 'del(.. | .wall_offset_ns?)' | md5sum; }
before="$(dump fl_ifaces)$(dump fl_paths)$(dump fl_settings)"
kill -HUP "${ROUTER_PID[r1]}"
wait_for 5 grep -q "configuration unchanged" "$WORK/r1.log"
is "SIGHUP with an unchanged file is no change" "$(logged 'configuration unchanged')" 1
is "maps as before" "$(dump fl_ifaces)$(dump fl_paths)$(dump fl_settings)" "$before"
ok "config diff says so" ctl r1 config diff "$WORK/r1.json"

# A bad file changes nothing.
jq '.router."device-interface"[1]."network-interface"[0].adjacency[0].cost = -1 | .authority.tenant[0].colour = "red"' \
	"$WORK/r1.json" >"$WORK/bad.json"
ctl r1 config apply "$WORK/bad.json" >"$WORK/out" 2>&1
is "a bad file: exit code 3" "$?" 3
ok "names the value" grep -q '/router/device-interface/1/network-interface/0/adjacency/0/cost' "$WORK/out"
ok "and the other one" grep -q '/authority/tenant/0/colour' "$WORK/out"
cp "$WORK/r1.json" "$WORK/good.json"
cp "$WORK/bad.json" "$WORK/r1.json"
kill -HUP "${ROUTER_PID[r1]}"
wait_for 5 grep -q "the configuration in use stays" "$WORK/r1.log"
ok "SIGHUP with a bad file keeps the old one" grep -q "the configuration in use stays" "$WORK/r1.log"
echo '{ "authority": ' >"$WORK/r1.json"
ctl r1 config apply "$WORK/r1.json" >"$WORK/out" 2>&1
is "half a file: exit code 3" "$?" 3
ok "says where" grep -qE 'line 1|1:' "$WORK/out"
cp "$WORK/good.json" "$WORK/r1.json"
ok "it still forwards" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7
is "maps as before" "$(dump fl_ifaces)$(dump fl_paths)$(dump fl_settings)" "$before"

# A change: said, and made, while a session goes on.
(exec nsenter --net="/run/netns/$TAG-c" -- "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 300 --gap 0.01 >"$WORK/flow") &
flow=$!
change_config r1 '.router."device-interface"[1]."network-interface"[0].adjacency[0].cost = 7'
ctl r1 config diff "$WORK/r1.json" >"$WORK/out"
is "config diff: exit code 1" "$?" 1
ok "shows the change" grep -q 'cost' "$WORK/out"
ok "apply" ctl r1 config apply "$WORK/r1.json"
is "applied" "$(ctl r1 -j show paths | jq '[.paths[].cost] | max')" 7
change_config r1 'del(.router."device-interface"[1]."network-interface"[0].adjacency[0].cost)'
kill -HUP "${ROUTER_PID[r1]}"
wait_for 5 sh -c "\"$BIN/fairlead\" -i $TAG-r1 -j show paths | jq -e '[.paths[].cost] | max == 0'"
is "a removed key is its default again" "$(ctl r1 -j show paths | jq '[.paths[].cost] | max')" 0
wait $flow
is "the session has lost nothing" "$(tail -n1 "$WORK/flow")" "0 of 300 lost"

# An interface taken out: its programs go, others stay.
change_config r1 'del(.router."device-interface"[2])'
ok "wan2 removed" ctl r1 config apply "$WORK/r1.json"
is "one path left" "$(ctl r1 -j show paths | jq '.paths | length')" 1
is "no program left on wan2" "$(in_ns r1 tc filter show dev wan2 ingress | grep -c fl_tc)" 0
cp "$WORK/good.json" "$WORK/r1.json"
ok "and back" ctl r1 config apply "$WORK/r1.json"
ok "two paths up again" wait_for 5 sh -c "\"$BIN/fairlead\" -i $TAG-r1 -j show paths | jq -e '[.paths[] | select(.status == \"up\")] | length == 2'"
ok "traffic" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 3
finish
