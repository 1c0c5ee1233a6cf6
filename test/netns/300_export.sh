#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a router tells of itself by its export socket: sessions, neighbours, paths; nothing is lost while
# nobody reads, nor when the agent is killed; what is too much is dropped and counted.
. "$(dirname "$0")/lib.sh"

topo_two
# As dnsmasq writes it, for a host whose name is not that of its namespace.
echo "1720708200 $(mac_of c eth0) 10.1.0.2 HQ-WS-0431 *" >"$WORK/leases"
start_routers '.router["max-sessions"] = 1000 | if .router.name == "r1" then .router.export = {enabled: true,
	site: "branch", "session-minimum": 0, "zoom-service": ["datacenter"], "dhcp-leases": ["'"$WORK/leases"'"],
	capacity: [{interface: "wan1", upload: 40, download: 80}]} else . end' || exit 1
bg s "$TOP/test/tools/udp_echo.py" 8801
wait_for 5 listens s udp 8801
sock=/run/fairlead-export/fairleadd@$TAG-r1.sock
read_export() { "$TOP/test/tools/export_reader.py" "$sock" "$@" >"$WORK/lines"; }
# of TYPE JQ: over all records of a type
of() { jq -s --arg type "$1" "[.[] | select(.type == \$type)] | $2" "$WORK/lines"; }
stat_of() { ctl r1 -j show stats | jq ".export.\"$1\""; }

no "off by default" test -e "/run/fairlead-export/fairleadd@$TAG-r2.sock"
is "show stats says so" "$(ctl r2 -j show stats | jq .export.enabled)" false
is "its folder is closed" "$(stat -c %a "/var/lib/fairlead/$TAG-r1/export")" 700
is "its socket is the group's" "$(stat -c %a "$sock")" 660

# A session, from its first packet to its end.
ok "a call" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 8801 --count 20 --sport 40000
ok "is ended" ctl r1 clear session all
ok "and told of" read_export --until '"ended":true' --seconds 10
ok "hello" jq -se '.[0]."fairlead-export" == 1 and .[0].site == "branch" and .[0].router == "r1"' "$WORK/lines"
is "tuple" "$(of session '.[-1] | [.client, ."client-port", .remote, ."remote-port", .protocol] | map(tostring) | join(" ")' |
	jq -r .)" "10.1.0.2 40000 10.2.0.2 8801 17"
is "MAC" "$(of session '.[-1].mac' | jq -r .)" "$(mac_of c eth0 | tr -d :)"
is "application" "$(of session '.[-1].app' | jq -r .)" zoom
is "path" "$(of session '[.[].paths[].path] | unique | join(" ")' | jq -r .)" r2/wan1
# 20 datagrams each way, with their IP and UDP headers.
cmp_num "bytes" "$(of session '.[-1].bytes')" -ge $((40 * 28))
is "client is a neighbour" "$(of neighbour '[.[] | select(.address == "10.1.0.2")][0].mac' | jq -r .)" \
	"$(mac_of c eth0 | tr -d :)"
is "with the name of its lease" "$(of neighbour '[.[] | select(.address == "10.1.0.2")][-1].name' | jq -r .)" HQ-WS-0431

# Nobody has acknowledged: the next reader gets it again, also of the next process.
cp "$WORK/lines" "$WORK/before"
stop_router r1 KILL
start_router r1
ok "after kill -9" read_export --until '"ended":true'
is "the same records" "$(jq -c 'select(.seq)' "$WORK/lines" | head -n "$(grep -c seq "$WORK/before")")" \
	"$(jq -c 'select(.seq)' "$WORK/before")"

# Acknowledged: gone.
ok "acknowledge" read_export --ack --seconds 2
ok "counted" wait_for 3 sh -c "'$BIN/fairlead' -i '$TAG-r1' -j show stats | jq -e '.export.\"records-acknowledged\" >= $(jq -s 'map(.seq // 0) | max' "$WORK/lines")'"
read_export --seconds 1
is "not told again" "$(of session length)" 0

# One reader at a time.
"$TOP/test/tools/export_reader.py" "$sock" --seconds 4 >/dev/null &
PIDS+=($!)
wait_for 3 sh -c "'$BIN/fairlead' -i '$TAG-r1' -j show stats | jq -e '.export.\"reader-connected\"'"
read_export --seconds 1
ok "a second reader is refused" grep -q "another reader" "$WORK/lines"
wait "${PIDS[-1]}"

# A link goes and comes. Minutes have rates.
in_ns r1 ip link set wan1 down
wait_for 5 sh -c "'$BIN/fairlead' -i '$TAG-r1' -j show paths | jq -e 'any(.paths[]; .status == \"down\")'"
sleep 0.3 # a tick of the collector
in_ns r1 ip link set wan1 up
ok "events" read_export --until '"kind":"PATH_UP"' --seconds 10
is "path down and up" "$(of event '[.[] | select(.subject == "r2/wan1").kind][0:2] | join(" ")' | jq -r .)" "PATH_DOWN PATH_UP"
ok "a minute" read_export --until '"type":"path-minute"' --seconds 70
ok "of both paths" read_export --seconds 1
ok "capacity and rates" jq -se 'any(.[]; .path == "r2/wan1" and ."tx-capacity-mbps" == 40 and
	."rx-capacity-mbps" == 80 and ."tx-mbps" >= 0 and .active)' "$WORK/lines"

# Switched off and on again by a reload.
change_config r1 '.router.export.enabled = false'
ok "off" ctl r1 config apply
no "socket is gone" test -e "$sock"
change_config r1 '.router.export.enabled = true'
ok "on" ctl r1 config apply
ok "socket is there" test -e "$sock"
in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 8801 --sport 40001 >/dev/null
ctl r1 clear session all >/dev/null
ok "and goes on" read_export --until '"client-port":40001'
is "nothing was dropped" "$(stat_of records-dropped)" 0
ok "CLI" sh -c "'$BIN/fairlead' -i '$TAG-r1' show stats | grep -q 'export: [0-9]* records written'"
finish
