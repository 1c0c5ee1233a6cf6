#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# beside: few
# Three routers in a triangle: r1 reaches the server behind r3 directly, or by way of r2. When the direct
# path fails, sessions go by r2 (peer-path-resiliency), and come back: same session, other waypoints; r3
# keeps its side of them. What is under way by r2 then, which is far away, arrives (P-16). Those of a policy
# without it stay where they are.
. "$(dirname "$0")/lib.sh"
# shellcheck source=impair.sh
. "$(dirname "$0")/impair.sh"

if [ ! -x "$BUILD/test/tools/impair" ]; then
	skip "moves to another peer" "$BUILD/test/tools/impair is not built"
	exit 0
fi
add_ns c r1 r2 r3 s
link_ns c eth0 r1 lan0
link_ns r1 direct r3 direct
link_ns r1 left r2 left
impair_link far r2 right r3 right
link_ns r3 lan0 s eth0
add_addr r1 direct 198.51.100.1/24
add_addr r3 direct 198.51.100.2/24
add_addr r1 left 203.0.113.1/24
add_addr r2 left 203.0.113.2/24
add_addr r2 right 192.0.2.1/24
add_addr r3 right 192.0.2.2/24
add_hosts r3

# config ROUTER: interfaces as "NAME LOCAL REMOTE PEER", routes as "SERVICE PEER COST"
config() {
	jq -n --arg router "$1" --arg mode "$MODE" --argjson paths "$2" --argjson routes "$3" --argjson lan "$4" '
	def service($name; $address; $policy; $ports): {name: $name, address: $address, "access-policy": [{source: "staff"}],
		"service-policy": $policy} + $ports;
	def wan: {name: .[0], ifname: .[0], mode: $mode, "network-interface": [{name: .[0], type: "fabric", address: [.[1]],
		"inter-router-security": "fabric", adjacency: [{"ip-address": .[2], peer: .[3]}]}]};
	{authority: {name: "test",
		bfd: {"desired-tx-interval": 100, "required-min-rx-interval": 100, "multiplier": 5, "hold-down-time": 2},
		security: [{name: "fabric", key: [{"security-id": 1,
			"hmac-key": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
			"encryption-key": "000102030405060708090a0b0c0d0e0f"}]}],
		tenant: [{name: "staff"}],
		"service-policy": [
			{name: "roams", "session-resiliency": "revertible-failover", "peer-path-resiliency": true},
			{name: "stays", "session-resiliency": "failover"}],
		service: [
			service("branch"; ["10.1.0.0/24"]; "roams"; {}),
			service("datacenter"; ["10.2.0.0/24"]; "roams"; {}),
			service("loyal"; ["10.2.0.0/24"]; "stays"; {transport: [{protocol: "udp", "port-range": [{"start-port": 8}]}]})],
		router: [{name: "r1"}, {name: "r2"}, {name: "r3"}]},
	router: {name: $router,
		"service-route": [$routes[] | {name: "\(.[0])-\(.[1])", "service-name": .[0]} +
			(if .[1] == "lan" then {"next-hop": {interface: "lan0"}} else {peer: .[1], cost: .[2]} end)],
		"device-interface": ([$paths[] | wan] + (if $lan then [{name: "lan0", ifname: "lan0", mode: $mode,
			"network-interface": [{name: "lan0", tenant: "staff"}]}] else [] end))}}' >"$WORK/$1.json"
	start_router "$1"
}
impair far set both delay=150 >/dev/null
config r1 '[["direct", "198.51.100.1", "198.51.100.2", "r3"], ["left", "203.0.113.1", "203.0.113.2", "r2"]]' \
	'[["datacenter", "r3", 0], ["datacenter", "r2", 10], ["loyal", "r3", 0], ["loyal", "r2", 10], ["branch", "lan", 0]]' true || exit 1
config r2 '[["left", "203.0.113.2", "203.0.113.1", "r1"], ["right", "192.0.2.1", "192.0.2.2", "r3"]]' \
	'[["datacenter", "r3", 0], ["loyal", "r3", 0], ["branch", "r1", 0]]' false || exit 1
config r3 '[["direct", "198.51.100.2", "198.51.100.1", "r1"], ["right", "192.0.2.2", "192.0.2.1", "r2"]]' \
	'[["branch", "r1", 0], ["branch", "r2", 10], ["datacenter", "lan", 0], ["loyal", "lan", 0]]' true || exit 1

bg s "$TOP/test/tools/udp_echo.py" 7
bg s "$TOP/test/tools/udp_echo.py" 8
wait_for 5 listens s udp 7
wait_for 5 listens s udp 8
bg s "$TOP/test/tools/udp_call.py" --answer 9900
wait_for 5 listens s udp 9900
serve_web s
head -c 100000000 /dev/urandom >"$WORK/web/big"

all_up() { local r; for r in r1 r2 r3; do ctl "$r" -j show paths | jq -e '[.paths[].status == "up"] | all' || return 1; done; }
ok "all paths are up" wait_for 30 all_up
# by ROUTER PORT SIDE: the peer of a session's side
by() { ctl "$1" -j show sessions | jq -r --argjson port "$2" "[.sessions[] | select(.\"destination-port\" == \$port).$3.name] | unique | join(\",\")"; }
is_by() { [ "$(by "$1" "$2" "$3")" = "$4" ]; }
moved_to_r2() { is_by r1 80 out r2 && is_by r1 7 out r2 && is_by r3 80 in r2 && is_by r3 7 in r2; }
moved_to_r3() { is_by r1 80 out r3 && is_by r1 7 out r3 && is_by r3 80 in r1 && is_by r3 7 in r1; }
ids() { ctl "$1" -j show sessions | jq -c '[.sessions[] | select(."destination-port" == 80 or ."destination-port" == 7).id] | sort'; }

(exec nsenter --net="/run/netns/$TAG-c" -- "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 1500 --gap 0.01 \
	--timeout 1 --sport 30001 >"$WORK/flow") &
flow=$!
(exec nsenter --net="/run/netns/$TAG-c" -- curl -sf --limit-rate 6M -o "$WORK/got" http://10.2.0.2/big) &
download=$!
PIDS+=("$flow" "$download")
in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 8 --count 3 --sport 30002 >/dev/null
ok "directly to r3" wait_for 10 moved_to_r3
before=$(ids r1)
in_ns r1 ip link set direct down
ok "by way of r2" wait_for 10 moved_to_r2
is "the same sessions on r1" "$(ids r1)" "$before"
is "the same sessions on r3" "$(ids r3)" "$before"
is "they are r2's, too" "$(ids r2)" "$before"
is "a policy without peer-path-resiliency stays" "$(by r1 8 out)" r3
# A call is under way while it goes back: 150 ms of it each way are on the far link then.
(exec nsenter --net="/run/netns/$TAG-c" -- "$TOP/test/tools/udp_call.py" --call 10.2.0.2 9900 --count 2400 --pps 200 \
	>"$WORK/call.json") &
call=$!
PIDS+=("$call")
ok "a call by way of r2" wait_for 5 is_by r1 9900 out r2
in_ns r1 ip link set direct up
ok "back to r3" wait_for 20 moved_to_r3
ok "the call, too" wait_for 5 is_by r1 9900 out r3
wait $call
echo "# $(cat "$WORK/call.json")"
is "the call has ended on r3" "$(by r1 9900 out) $(by r3 9900 in)" "r3 r1"
cmp_num "of the call lost there" "$(jq '.there.sent - .there.received' "$WORK/call.json")" -le 2
cmp_num "and back" "$(jq '.back.sent - .back.received' "$WORK/call.json")" -le 2
is "still the same sessions" "$(ids r1) $(ids r3)" "$before $before"
ok "its policy's session works again" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 8 --count 3 --sport 30002
wait $download
is "the download is whole" "$?:$(cmp "$WORK/got" "$WORK/web/big" && echo same)" "0:same"
wait $flow
cmp_num "echo lost" "$(tail -n1 "$WORK/flow" | cut -d' ' -f1)" -le 30
id=$(ctl r1 -j show sessions | jq -r '.sessions[] | select(."destination-port" == 7).id')
is "explain: there and back" "$(ctl r1 -j explain session "$id" | jq -c '[.moves[].cause]')" '["path down","failback"]'
finish
