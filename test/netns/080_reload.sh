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
dump() {
	bpftool -j map dump pinned "$(echo "/sys/fs/bpf/fairlead/$TAG-r1"/v*)/$1" |
		jq -c '.[].formatted | del(.. | .wall_offset_ns?)' | md5sum
}
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

# The path under a session is taken away, at either end: the session goes by the other one.
all_up() {
	local r
	for r in r1 r2; do
		ctl "$r" -j show paths | jq -e '[.paths[] | select(.status == "up")] | length == 2' || return
	done
}
way() { ctl "$1" -j show sessions | jq -r "[.sessions[] | .$2.interface + \" \" + .id] | join(\",\")"; }
for r in r1 r2; do
	change_config $r '.authority."service-policy"[0]."session-resiliency" = "failover"'
	cp "$WORK/$r.json" "$WORK/$r.whole"
	ctl $r config apply "$WORK/$r.json" >/dev/null
done
first='.router."device-interface"[1]."network-interface"[0]'
# take_away WHAT ROUTER PROGRAM
take_away() {
	local what=$1 router=$2 flow session
	ctl r1 clear session all >/dev/null
	ok "$what: both paths are up" wait_for 20 all_up
	(exec nsenter --net="/run/netns/$TAG-c" -- "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 300 --gap 0.01 \
		--timeout 0.3 >"$WORK/flow") &
	flow=$!
	wait_for 5 sh -c "\"$BIN/fairlead\" -i $TAG-r2 -j show sessions | jq -e '.sessions | length == 1'"
	session=$(way r1 out)
	is "$what: a session on wan1" "${session% *}" wan1
	change_config "$router" "$3"
	ok "$what" ctl "$router" config apply "$WORK/$router.json"
	wait $flow
	cmp_num "$what: hardly anything is lost" "$(tail -n1 "$WORK/flow" | cut -d' ' -f1)" -le 3
	is "$what: the same session by wan2" "$(way r1 out)" "wan2 ${session#* }"
	is "$what: at the other end, too" "$(way r2 in)" "wan2 ${session#* }"
	cp "$WORK/$router.whole" "$WORK/$router.json"
	ctl "$router" config apply "$WORK/$router.json" >/dev/null
}
take_away "adjacency removed at r1" r1 "del($first.adjacency)"
take_away "adjacency removed at r2" r2 "del($first.adjacency)"
take_away "interface removed at r1" r1 'del(.router."device-interface"[1])'
take_away "address of the peer changed at r1" r1 "$first.adjacency[0].\"ip-address\" = \"198.51.100.9\""
take_away "address of the peer changed at r2" r2 "$first.adjacency[0].\"ip-address\" = \"198.51.100.9\""
finish
