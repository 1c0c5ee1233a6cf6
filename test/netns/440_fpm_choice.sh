#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# beside: few
# A link that is good to BFD and its link tests, and bad to users: it spares UDP port 1280. Only marks in user
# packets tell (svr-protocol.md 4), and they override BFD: a call leaves the path, new ones avoid it, and what
# is said of both names performance monitoring as the source.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
# shellcheck source=impair.sh
. "$(dirname "$0")/impair.sh"

if [ ! -x "$BUILD/test/tools/impair" ]; then
	skip "choice by performance monitoring" "$BUILD/test/tools/impair is not built"
	exit 0
fi
wire() { impair_link "$2" "$1" "$2" "$3" "$2" "$4"; }
WIRE=1 topo_two

start_routers '.authority.bfd = {"desired-tx-interval": 100, "required-min-rx-interval": 100, "multiplier": 10,
		"hold-down-time": 2, "link-test-interval": 1}
	| .authority."performance-monitoring-profile" = [{name: "often", "interval-duration": 1000}]
	| .router."device-interface"[]."network-interface"[].adjacency[]? += {"path-metrics-rolling-avg-interval": 1,
		"performance-monitoring": {enabled: true, profile: "often"}}
	| .authority."service-policy" += [{name: "voice", vector: [{name: "wan1"}, {name: "wan2"}],
		"path-quality-filter": true, "max-loss": 3, "max-latency": 100, "max-jitter": 50,
		"session-resiliency": "failover"}]
	| .authority.service += [{name: "call", address: ["10.2.0.0/24"],
		transport: [{protocol: "udp", "port-range": [{"start-port": 5004, "end-port": 5005}]}],
		"access-policy": [{source: "staff"}], "service-policy": "voice"}]
	| .router."service-route" += [(if .router.name == "r1" then {name: "call", "service-name": "call", peer: "r2"}
		else {name: "call", "service-name": "call", "next-hop": {interface: "lan0"}} end)]' || exit 1
bg s "$TOP/test/tools/udp_call.py" --answer 5004
bg s "$TOP/test/tools/udp_echo.py" 5005
wait_for 5 listens s udp 5004
wait_for 5 listens s udp 5005

# session NOT JQ: the one that has not this id
session() { ctl r1 -j show sessions | jq -r --arg id "$1" "[.sessions[] | select(.id != \$id)][0] | $2"; }
is_way() { [ "$(session none .out.interface)" = "$1" ]; }
# tested KEY: of wan1, by BFD's link tests alone
tested() { ctl r1 -j show paths | jq ".paths[] | select(.interface == \"wan1\") | $1"; }
has_tests() { ctl r1 -j show paths | jq -e '[.paths[]."loss-percent" != null] | all'; }

ok "link tests measure both paths" wait_for 30 has_tests
(exec nsenter --net="/run/netns/$TAG-c" -- "$TOP/test/tools/udp_call.py" --call 10.2.0.2 5004 --count 6000 --pps 200 \
	>"$WORK/call.json") &
call=$!
PIDS+=("$call")
ok "a call is on wan1" wait_for 5 is_way wan1
id=$(session none .id)
fpm() { ctl r1 -j show fpm | jq -e ".scopes[] | select(.class == \"best-effort\" and .protocol == \"udp\" and .interface == \"wan1\") | $1"; }
ok "its packets are measured" wait_for 10 fpm '.status == "valid"'
impair wan1 set both spare=1280 loss=12 >/dev/null
ok "the call moves to wan2" wait_for 20 is_way wan2
echo "# loss by FPM: $(fpm '."loss-percent"'), by link tests: $(tested '."loss-percent"')"
ok "link tests have lost nothing" [ "$(tested '."loss-percent" == 0 and .status == "up"')" = true ]
explained() { ctl r1 -j explain session "$1" | jq -e "$2"; }
ok "explain: moved for what user packets say" explained "$id" '.moves[0] | .cause == "service level" and .from == "r2/wan1" and .to == "r2/wan2"
	and ([.decision.paths[] | select(.path == "r2/wan1")][0] | (."measured-by" | startswith("fpm")) and ."loss-percent" > 3 and (."meets-sla" | not))'
ok "for people, too" sh -c "'$BIN/fairlead' -i $TAG-r1 explain session $id | sed -n '/service level/,\$p' | grep -q 'r2/wan1: .*FPM'"
ok "a new call is answered" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 5005 --count 3
new=$(session "$id" .id)
ok "a new call avoids wan1 at once, by the same figures" explained "$new" '(.moves | length) == 0 and
	([.decision.paths[] | select(.path == "r2/wan1")][0] | (.chosen | not) and (."measured-by" | startswith("fpm")) and ."loss-percent" > 3) and
	([.decision.paths[] | select(.path == "r2/wan2")][0] | .chosen)'
finish
