# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The demonstration's calls: sourced by demo.sh. Twelve hosts of the branch talk to the data centre from the
# beginning; near the end a WAN link is made bad under them; then fairlead-insightd sets what Zoom says
# of the call beside what the router measured. The datagrams and their figures are real; Zoom is played by the
# test suite's stub, which serves them over TLS.
# shellcheck disable=SC2154 # here, bold, plain: demo.sh's

# Twelve: a site's model wants 20 minutes of participants, and this takes two of the clock.
CALL_PEOPLE=("Ada Okoye" "Ben Lund" "Chen Wei" "Dana Ruiz" "Emil Novak" "Fatima Aziz" "Goran Ilic" "Hana Sato"
	"Iris Melo" "Jonas Berg" "Kofi Mensah" "Lea Roth")
CALL_PIDS=()
CALL_SINCE=0

# In the configuration of R1: what it tells insightd.
# shellcheck disable=SC2034
CALL_EXPORT='if .router.name == "r1" then .router.export = {enabled: true, site: "branch", "session-minimum": 5,
	"zoom-service": ["datacenter"]} else . end'

# calls_begin: a namespace for each of the people, on the branch's LAN, and a voice in each
calls_begin() {
	local n
	bg s "$here/../tools/udp_echo.py" 8801
	wait_for 5 listens s udp 8801
	for n in "${!CALL_PEOPLE[@]}"; do
		add_ns "p$n"
		in_ns c ip link add link eth0 name "m$n" type macvlan mode bridge
		in_ns c ip link set "m$n" netns "$TAG-p$n"
		in_ns "p$n" ip link set "m$n" name eth0
		in_ns "p$n" ip link set eth0 up
		in_ns "p$n" ip addr add "10.1.0.$((11 + n))/24" dev eth0
		in_ns "p$n" ip route add default via 10.1.0.1
		bg "p$n" "$here/call.py" talk 10.2.0.2 8801 "$WORK/call.$n.json"
		CALL_PIDS+=($!)
	done
	CALL_SINCE=$(date +%s)
}

# until EPOCH
until_second() {
	sleep "$(awk -v to="$1" -v now="$(date +%s.%N)" 'BEGIN { print((to > now) ? to - now : 0) }')"
}

# calls_impair: for one minute of the clock the link that the calls are on has delay and loss. Zoom's figures and the
# router's are of such minutes; at least one of them is good, before.
calls_impair() {
	local start=$((($(date +%s) / 60 + 1) * 60)) wan
	wan=$(ctl r1 -j show sessions | jq -r '[.sessions[] | select(."destination-port" == 8801).out.path][0]')
	wan=${wan#*/}
	[ -S "$WORK/$wan.sock" ] || bad_wire "$wan"
	[ $((start - CALL_SINCE)) -ge 25 ] || start=$((start + 60))
	echo "Figures are of whole minutes: at $(date -d "@$start" +%T) $wan begins to delay each packet by 110 ms"
	echo "and to lose 2 % of them, for a minute. These calls' service has no limits, so they stay on it:"
	until_second "$start"
	"$BUILD/test/tools/impair" -C "$WORK/$wan.sock" set both delay=110 jitter=15 loss=2 >/dev/null
	until_second $((start + 55))
	show r1 show paths
	until_second $((start + 62))
	"$BUILD/test/tools/impair" -C "$WORK/$wan.sock" set both delay=0 jitter=0 loss=0 >/dev/null
}

calls_scene() {
	local n people=() pid
	for pid in "${CALL_PIDS[@]}"; do
		kill "$pid"
		wait "$pid" 2>/dev/null
	done
	for n in "${!CALL_PEOPLE[@]}"; do
		people+=("${CALL_PEOPLE[n]},10.1.0.$((11 + n)),$(mac_of "p$n" eth0),$WORK/call.$n.json")
	done
	"$here/call.py" scene "$WORK/scene.json" "${people[@]}"
}

# calls_zoom: the stub, which serves the call
calls_zoom() {
	"$here/../zoom/stub/certs.sh" "$WORK/certs" >/dev/null 2>&1
	(exec "$here/../zoom/stub/stub.py" --port-file "$WORK/zoom.port" --cert "$WORK/certs/stub.pem" \
		--key "$WORK/certs/stub.key" --scene "$WORK/scene.json" >>"$WORK/zoom.log" 2>&1) &
	PIDS+=($!)
	wait_for 10 test -s "$WORK/zoom.port"
}

insight() {
	printf '%sinsightd$ fairlead %s%s\n' "$bold" "$*" "$plain"
	"$BUILD/fairlead" -s "$WORK/insight-run/insightd.sock" "$@" 2>&1 | sed 's/^/    /'
}

insight_json() { "$BUILD/fairlead" -s "$WORK/insight-run/insightd.sock" -j "$@"; }

has_calls() { insight_json zoom calls last 1h | jq -e ".total >= ${#CALL_PEOPLE[@]}"; }
has_told_all() { ctl r1 -j show stats | jq -e '.export | ."records-acknowledged" > 0 and ."records-written" == ."records-acknowledged"'; }
has_causes() { insight_json zoom insights site branch last 1h | jq -e '.summary | .bad_minutes > 0 and .bad_minutes_unranked == 0'; }

calls_insightd() {
	local base web
	base=https://localhost:$(cat "$WORK/zoom.port")
	web=$("$BUILD/fairlead-insightd" --schema | jq '.properties | has("web")')
	jq -n --argjson web "$web" --arg base "$base" --arg ca "$WORK/certs/stub-ca.pem" --arg routers "/run/fairlead-export/fairleadd@$TAG-r1.sock" '{
		enabled: true, organisation: "demo", routers: $routers,
		sites: [{name: "branch", lans: ["10.1.0.0/24"], "public-addresses": ["203.0.113.200"]}],
		zoom: {"client-id": "EXAMPLECLIENTID", "client-secret": "example-client-secret", "oauth-base": $base,
			"api-base": $base, "ca-file": $ca, "allow-private-addresses": true, "start-delay-seconds": 5}}
		+ if $web then {web: {listen: "127.0.0.1:8090"}} else {} end' >"$WORK/insight.json"
	(exec "$BUILD/fairlead-insightd" -c "$WORK/insight.json" --state "$WORK/insight" --run "$WORK/insight-run" \
		>>"$WORK/insightd.log" 2>&1) &
	PIDS+=($!)
	wait_for 10 test -S "$WORK/insight-run/insightd.sock"
	wait_for 20 has_told_all || fail "the router's records did not come"
	insight zoom link consent demo@example.com server demo-account
	wait_for 60 has_calls || fail "the calls did not come"
}

# calls_show: what the operator sees
calls_show() {
	wait_for 90 has_causes || fail "no cause was found"
	insight zoom calls last 1h
	insight zoom insights site branch last 1h
	insight zoom rank 84000000001 | head -n 12
	insight ask "list bad zoom calls in last 1 day" | head -n 8
	if [ "$(insight_json zoom insights site branch last 1h | jq '.summary | .bad_minutes_site_wan * 2 > .bad_minutes')" != true ]; then
		fail "the link is not named as the cause"
	fi
}
