#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# beside: few
# modes: tc xdp
# A path fails under sessions that use it, once by its cable and once by losing every packet: a download
# goes on, an echo flow loses no more than the detection takes, no session is lost or reset, and both
# directions use one path afterwards. Moved all at once, and each with metadata of its own.
. "$(dirname "$0")/lib.sh"

WIRE=1
topo_two
fast='{"desired-tx-interval": 100, "required-min-rx-interval": 100, "multiplier": 5, "hold-down-time": 1, "link-test-interval": 1}'
policy='.authority."service-policy"[0]."session-resiliency" = "failover"'
start_routers "$policy | .authority.bfd = $fast" || exit 1
bg s "$TOP/test/tools/udp_echo.py" 7
wait_for 5 listens s udp 7
serve_web s
head -c 60000000 /dev/urandom >"$WORK/web/big"

path_up() { ctl "$1" -j show paths | jq -e --arg i "$2" '.paths[] | select(.interface == $i).status == "up"'; }
moved() { ctl r1 -j show stats all | jq '[.stats[] | select(.name == "sessions-moved").count] | add'; }
# Interfaces that r1 sends by and r2 answers by, of the sessions to port 7 and 80.
ways() {
	echo "$(ctl r1 -j show sessions | jq -r '[.sessions[].out.interface] | unique | join(",")')" \
		"$(ctl r2 -j show sessions | jq -r '[.sessions[].in.interface] | unique | join(",")')"
}
both_on_wan1() { [ "$(ctl r1 -j show sessions | jq .live)" = 2 ] && on wan1; }
on() { [ "$(ways)" = "$1 $1" ]; }
all_up() { path_up r1 wan1 && path_up r1 wan2 && path_up r2 wan1 && path_up r2 wan2; }

# fail_over WHAT BREAK MEND: with a download and an echo flow on wan1
fail_over() {
	local what=$1 flow download lost resets
	ctl r1 clear session all >/dev/null
	ok "$what: both paths are up" wait_for 20 all_up
	(exec nsenter --net="/run/netns/$TAG-c" -- "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 400 \
		--gap 0.01 --timeout 0.5 --sport 30001 >"$WORK/flow") &
	flow=$!
	(exec nsenter --net="/run/netns/$TAG-c" -- curl -sf --limit-rate 12M -o "$WORK/got" http://10.2.0.2/big) &
	download=$!
	PIDS+=("$flow" "$download")
	ok "$what: two sessions on wan1" wait_for 5 both_on_wan1
	"$2"
	ok "$what: the sessions move to wan2" wait_for 5 on wan2
	wait $download
	is "$what: the download is whole" "$?:$(cmp "$WORK/got" "$WORK/web/big" && echo same)" "0:same"
	wait $flow
	lost=$(tail -n1 "$WORK/flow" | cut -d' ' -f1)
	cmp_num "$what: echo lost no more than detection takes" "$lost" -le 40
	is "$what: both directions by one path" "$(ways)" "wan2 wan2"
	resets=$(ctl r2 -j show stats all | jq '[.stats[] | select(.name == "tcp-resets-sent").count] | add')
	is "$what: nothing was reset" "$resets" 0
	"$3"
}

cut_cable() { in_ns r1 ip link set wan1 down; }
mend_cable() { in_ns r1 ip link set wan1 up; }
lose_packets() {
	in_ns w nft 'table netdev broken { chain c { type filter hook ingress devices = { wan1, wan1.b } priority 0; drop; }; }'
}
lose_none() { in_ns w nft delete table netdev broken; }
for how in auto never; do
	for r in r1 r2; do
		peer=$([ $r = r1 ] && echo r2 || echo r1)
		change_config $r ".router.peer = [{name: \"$peer\", \"vector-switch\": \"$how\"}]"
		ctl $r config apply >/dev/null
	done
	fail_over "carrier lost, $how" cut_cable mend_cable
	fail_over "packets lost, $how" lose_packets lose_none
done
cmp_num "moves were counted" "$(moved)" -ge 8
finish
