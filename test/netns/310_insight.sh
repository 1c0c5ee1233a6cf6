#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fairleadd tells fairlead-insightd: what happened while insightd was away is there when it comes, once,
# whichever of the two is killed meanwhile.
. "$(dirname "$0")/lib.sh"

topo_two
start_routers '.router["max-sessions"] = 1000 | if .router.name == "r1" then .router.export = {enabled: true,
	site: "branch", "session-minimum": 0, "zoom-service": ["datacenter"]} else . end' || exit 1
bg s "$TOP/test/tools/udp_echo.py" 8801
wait_for 5 listens s udp 8801
jq -n --arg routers "/run/fairlead-export/fairleadd@$TAG-r1.sock" '{enabled: true, routers: $routers,
	sites: [{name: "branch", lans: ["10.1.0.0/24"]}]}' >"$WORK/insight.json"

start_insightd() {
	"$BIN/fairlead-insightd" -c "$WORK/insight.json" --state "$WORK/insight" --run "$WORK/run" >>"$WORK/insightd.log" 2>&1 &
	insightd=$!
	PIDS+=("$insightd")
	wait_for 10 test -S "$WORK/run/insightd.sock"
}
ask() { "$TOP/test/tools/ask_socket.py" "$WORK/run/insightd.sock" "$@"; }
call() { # N CALLS: sessions of the client, from first packet to end
	local port
	for port in $(seq "$1" "$2"); do
		in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 8801 --count 2 --sport "$port" >/dev/null
	done
	ctl r1 clear session all >/dev/null
}
sessions() { # that the store has
	python3 -c 'import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM session WHERE end_s >= start_s AND bytes > 0 AND mac IS NOT NULL").fetchone()[0])' \
		"$WORK/insight/insight.db" 2>/dev/null
}
has_sessions() { [ "$(sessions)" = "$1" ]; }
all_acked() { ctl r1 -j show stats | jq -e '.export | ."records-written" == ."records-acknowledged"'; }

# Nobody is there yet.
call 41001 41005
ok "records wait" sh -c "'$BIN/fairlead' -i '$TAG-r1' -j show stats | jq -e '.export.\"queue-bytes\" > 0'"
start_insightd
ok "they come" wait_for 10 has_sessions 5
ok "and are acknowledged" wait_for 5 all_acked
ok "the router is known" sh -c "'$TOP/test/tools/ask_socket.py' '$WORK/run/insightd.sock' 'zoom status' |
	jq -e '.data.routers[0] | .router == \"r1\" and .site == \"branch\" and .connected'"
call 41006 41006
ok "one more, while it is there" wait_for 10 has_sessions 6

# An hour without insightd: what happens in it, not the hour.
kill -KILL "$insightd"
wait "$insightd" 2>/dev/null
call 41007 41012
in_ns r1 ip link set wan1 down
wait_for 5 sh -c "'$BIN/fairlead' -i '$TAG-r1' -j show paths | jq -e 'any(.paths[]; .status == \"down\")'"
sleep 0.3 # a tick of the collector
in_ns r1 ip link set wan1 up
stop_router r1 KILL
start_router r1
call 41013 41014
start_insightd
ok "nothing was lost" wait_for 10 has_sessions 14
ok "all of it is acknowledged" wait_for 5 all_acked
site=$(ask "zoom sites" | jq -r '.data.sites[] | select(.name == "branch").id')
ask "zoom events" site="$site" >"$WORK/events"
ok "D16: the path went down, once" jq -e '[.data.events[] | select(.type == "PATH_DOWN" and .subject == "r2/wan1")] | length == 1' \
	"$WORK/events"
is "nothing was dropped" "$(ctl r1 -j show stats | jq '.export."records-dropped"')" 0
kill "$insightd"
wait "$insightd"
is "insightd ends well" $? 0
finish
