#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# beside: few
# modes: tc xdp
# BFD between two routers, over IPv4 and IPv6: up, down and why, link tests, reloading, keys, restarts.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
# shellcheck source=impair.sh
. "$(dirname "$0")/impair.sh"

if [ ! -x "$BUILD/test/tools/impair" ]; then
	skip "BFD" "$BUILD/test/tools/impair is not built"
	exit 0
fi

# Links that can be bent: wan1 by "impair wan1", wan2 likewise.
# They must not be late, or what they delay is BFD's: before other programs, where that is allowed.
wire() {
	impair_link "$2" "$1" "$2" "$3" "$2" "$4"
	chrt -f -p 20 "${PIDS[-1]}" >/dev/null 2>&1
}
WIRE=1 topo_two

fast='.authority."service-policy"[0]."session-resiliency" = "failover" | .authority.bfd += {"desired-tx-interval": 50, "required-min-rx-interval": 50, "link-test-interval": 2, "echo-detection": "disabled"}'
start_routers "$fast"'
	| (if .router.name == "r1" then [1, 2, "r2"] else [2, 1, "r1"] end) as [$me, $far, $peer]
	| .router."device-interface"[1]."network-interface"[0] |= (.address += ["2001:db8:a::\($me)"]
		| .adjacency += [{"ip-address": "2001:db8:a::\($far)", peer: $peer}])' || exit 1
ok "three paths each, one of them IPv6" wait_for 10 paths_up r1 3
ok "r2 as well" wait_for 10 paths_up r2 3
bg s "$TOP/test/tools/udp_echo.py" 7
wait_for 5 listens s udp 7

# path ROUTER REMOTE PROGRAM: a value of a path
path() { ctl "$1" -j show paths | jq -r --arg remote "$2" ".paths[] | select(.remote == \$remote) | $3"; }
downs() { path "$1" "$2" '[.bfd.downs[]] | add'; }
all_downs() { ctl "$1" -j show paths | jq '[.paths[].bfd.downs[]] | add'; }
# is_path ROUTER REMOTE CONDITION
is_path() { ctl "$1" -j show paths | jq -e --arg remote "$2" ".paths[] | select(.remote == \$remote) | $3"; }

# ms_of_day HH:MM:SS.mmm
ms_of_day() { awk -F'[:.]' '{ print (($1 * 60 + $2) * 60 + $3) * 1000 + $4 }' <<<"$1"; }
# logged_after ROUTER LINES TEXT: when the log said so, ms of the day, beyond its first LINES lines
logged_after() {
	local line
	line=$(tail -n "+$(($2 + 1))" "$WORK/$1.log" | grep -m1 -- "$3") && ms_of_day "${line%% *}"
}

# --- a link that drops everything, carrier kept ---------------------------------------------------
(exec nsenter --net="/run/netns/$TAG-c" -- "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 300 --gap 0.01 \
	--sport 30000 >"$WORK/flow") &
flow=$!
sleep 0.5 # the flow is established
for r in r1 r2; do eval "lines_$r=\$(wc -l <\"\$WORK/$r.log\")"; done
cut_at=$(ms_of_day "$(date +%H:%M:%S.%3N)")
impair wan1 set both blackhole=1
ok "r1: wan1 is down" wait_for 5 is_path r1 198.51.100.2 '.status == "down"'
ok "r1: wan1 is down, IPv6" wait_for 5 is_path r1 2001:db8:a::2 '.status == "down"'
ok "r2: wan1 is down" wait_for 5 is_path r2 198.51.100.1 '.status == "down"'
ok "r1: wan2 is up" is_path r1 203.0.113.2 '.status == "up"'
for r in r1 r2; do
	lines=lines_$r
	at=$(logged_after "$r" "${!lines}" 'down: its peer')
	# 150 ms of detection, and what a busy machine and the command take.
	cmp_num "$r: within detection time, ms" "$((at - cut_at))" -le 400
done
is "r1: why" "$(path r1 198.51.100.2 .reason)" "its peer has fallen silent (BFD)"
is "r1: cause" "$(path r1 198.51.100.2 '.bfd.downs."timer-expiry"')" 1
is "the diagnostic is RFC 5880's" "$(path r1 198.51.100.2 .bfd.diagnostic)" "control detection time expired"
ok "new sessions take wan2" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 3 --sport 30001
wait $flow
# As many as 50 packets are half a second.
cmp_num "the established session has moved: packets lost" "$(sed -n 's/ of 300 lost//p' "$WORK/flow")" -le 50
impair wan1 set both blackhole=0
ok "up again after hold-down" wait_for 10 paths_up r1 3
ok "r2 as well" wait_for 10 paths_up r2 3

# --- one direction -----------------------------------------------------------------------------
impair wan1 set there blackhole=1
ok "r2 hears nothing" wait_for 5 is_path r2 198.51.100.1 '.bfd.downs."timer-expiry" == 2'
ok "and tells r1" wait_for 5 is_path r1 198.51.100.2 '.bfd.downs."remote-down" == 1 and .status == "down"'
impair wan1 set there blackhole=0
wait_paths r1 r2

# --- the device -----------------------------------------------------------------------------------
in_ns r1 ip link set wan2 down
ok "device down: at once" wait_for 2 is_path r1 203.0.113.2 '.status == "down" and .bfd.downs."local-oper-down" == 1'
in_ns r1 ip link set wan2 up
ok "and up again" wait_for 10 paths_up r1 3

# --- sooner than the timer -----------------------------------------------------------------------
# From here on a peer that is late is asked by echo. At 200 ms x 3 the timer takes 400 to 600 ms, asking 160
# to 360; a machine that is too busy to run an agent in time leaves it to the timer, so there are three tries.
set_bfd() { # KEYS
	for r in r1 r2; do
		change_config $r ".authority.bfd += $1"
		ctl $r config apply "$WORK/$r.json" >/dev/null || return 1
	done
	wait_for 10 is_path r1 198.51.100.2 ".bfd.\"detection-ms\" == $2" && wait_for 10 is_path r2 198.51.100.1 ".bfd.\"detection-ms\" == $2"
}
ok "200 ms x 3, asked by echo" set_bfd '{"desired-tx-interval": 200, "required-min-rx-interval": 200, "echo-detection": "enabled"}' 600
tested() { is_path "$1" "$2" '."last-link-test"."loss-percent" == 0 and ."loss-percent" < 1'; }
asked=
for try in 1 2 3; do
	wait_paths r1 r2
	wait_for 70 tested r1 198.51.100.2 && wait_for 70 tested r2 198.51.100.1
	failed="$(path r1 198.51.100.2 '.bfd.downs."echo-failed"') $(path r2 198.51.100.1 '.bfd.downs."echo-failed"')"
	for r in r1 r2; do eval "lines_$r=\$(wc -l <\"\$WORK/$r.log\")"; done
	cut_at=$(ms_of_day "$(date +%H:%M:%S.%3N)")
	impair wan1 set both blackhole=1
	wait_for 5 is_path r1 198.51.100.2 '.status == "down"' && wait_for 5 is_path r2 198.51.100.1 '.status == "down"'
	took=0
	for r in r1 r2; do
		lines=lines_$r
		at=$(logged_after "$r" "${!lines}" 'down: its peer')
		[ $((at - cut_at)) -le "$took" ] || took=$((at - cut_at))
	done
	now_failed="$(path r1 198.51.100.2 '.bfd.downs."echo-failed"') $(path r2 198.51.100.1 '.bfd.downs."echo-failed"')"
	why="$(path r1 198.51.100.2 '"\(.reason); \(.bfd.diagnostic)"')"
	echo "# try $try: both down after $took ms; echo failed: $failed, then $now_failed"
	impair wan1 set both blackhole=0
	if [ "$now_failed" = "$((${failed% *} + 1)) $((${failed#* } + 1))" ] && [ "$took" -lt 400 ]; then
		asked=yes
		break
	fi
done
is "both ends are sure before the timer could be" "$asked" yes
is "why" "$why" "its peer's data plane does not answer (BFD); echo function failed"
ok "up again" wait_paths r1 r2
# An agent that does not run is no dead path: its data plane answers.
before="$(all_downs r1) $(all_downs r2)"
kill -STOP "${ROUTER_PID[r2]}"
no "r2's agent is stopped for 3 s: r1's paths are up" wait_for 3 is_path r1 198.51.100.2 '.status == "down"'
kill -CONT "${ROUTER_PID[r2]}"
is "and none was down" "$(all_downs r1) $(all_downs r2)" "$before"
ok "50 ms x 3 again" set_bfd '{"desired-tx-interval": 50, "required-min-rx-interval": 50}' 150

# --- link tests --------------------------------------------------------------------------------
impair wan1 set there delay=20
impair wan1 set back delay=30
# near ROUTER REMOTE KEY WANTED SLACK
near() { is_path "$1" "$2" ".\"last-link-test\".\"$3\" as \$v | \$v != null and (\$v - $4 | fabs) <= $5"; }
for to in r1:198.51.100.2 r1:2001:db8:a::2 r2:198.51.100.1; do
	ok "latency of 20 + 30 ms: half of it (${to%%:*} to ${to#*:})" wait_for 12 near "${to%%:*}" "${to#*:}" latency-ms 25 1
done
is "nothing is lost" "$(path r1 198.51.100.2 '."last-link-test"."loss-percent"')" 0
# More patience, so that loss alone takes nothing down: a reload, too.
for r in r1 r2; do
	change_config $r '.authority.bfd += {multiplier: 20, "link-test-interval": 1, "link-test-length": 40}'
	kill -HUP "${ROUTER_PID[$r]}"
done
impair wan1 set both delay=0 loss=10
# Of 40 packets 19 % are lost: 1 to 18 of them in all but one of 10,000 tests.
ok "loss of 10 % each way shows" wait_for 20 is_path r1 198.51.100.2 '."last-link-test"."loss-percent" as $l
	| $l >= 2.5 and $l <= 45 and ."loss-percent" > 0 and .mos < 4.4'
impair wan1 set both loss=0
for r in r1 r2; do
	change_config $r '.authority.bfd.multiplier = 3'
	kill -HUP "${ROUTER_PID[$r]}"
done
is "of wan2 nothing is known but good" "$(path r1 203.0.113.2 '."loss-percent"')" 0
wait_paths r1 r2

# --- reloading ------------------------------------------------------------------------------------
before="$(all_downs r1) $(all_downs r2)"
for interval in 400 50 1000 60; do
	change_config r1 ".authority.bfd.\"desired-tx-interval\" = $interval | .authority.bfd.\"required-min-rx-interval\" = $interval"
	kill -HUP "${ROUTER_PID[r1]}"
	ok "r1 asks for $interval ms: used by r2 after a poll sequence" \
		wait_for 10 is_path r2 198.51.100.1 ".bfd.\"transmit-interval-ms\" == ([$interval, 50] | max)"
done
change_config r2 '.authority.bfd.multiplier = 7'
kill -HUP "${ROUTER_PID[r2]}"
ok "r2's multiplier is r1's patience" wait_for 10 is_path r1 198.51.100.2 '.bfd."detection-ms" == 420'
# A key more, and its turn to send once both have it: sessions stay.
turn=$(date -u -d '+3 seconds' +%Y-%m-%dT%H:%M:%SZ)
for r in r1 r2; do
	change_config $r '.authority.security[0].key += [.authority.security[0].key[0] | ."security-id" = 2
		| ."not-before" = "'"$turn"'" | ."hmac-key" |= ("ff" + .[2:])]'
	kill -HUP "${ROUTER_PID[$r]}"
done
for r in r1 r2; do
	ok "$r sends with the new key" wait_for 10 \
		sh -c "'$BIN/fairlead' -i $TAG-$r -j show paths | jq -e '[.paths[].\"security-id\"] | unique == [2]'"
done
received=$(path r1 198.51.100.2 .bfd.received)
ok "packets go on" wait_for 5 is_path r1 198.51.100.2 ".bfd.received > $received + 20"
is "no reload took a path down" "$(all_downs r1) $(all_downs r2)" "$before"

# --- a wrong key ----------------------------------------------------------------------------------
cp "$WORK/r2.json" "$WORK/r2.good"
change_config r2 '.authority.security[0].key[]."hmac-key" |= ("ee" + .[2:])'
kill -HUP "${ROUTER_PID[r2]}"
ok "another key: down" wait_for 10 is_path r1 198.51.100.2 '.status == "down"'
ok "counted" wait_for 10 is_path r1 198.51.100.2 '.bfd."authentication-failures" > 2'
no "and it stays down" wait_for 3 is_path r1 198.51.100.2 '.bfd.state == "up"'
cp "$WORK/r2.good" "$WORK/r2.json"
kill -HUP "${ROUTER_PID[r2]}"
ok "the right one: up" wait_for 10 paths_up r1 3
wait_for 10 paths_up r2 3

# --- restarts -------------------------------------------------------------------------------------
stop_router r2 KILL
start_router r2 || exit 1
ok "r2's agent starts anew: r1 uses its paths again at once, without hold-down" wait_for 2 paths_up r1 3
ok "r2 as well" wait_for 2 paths_up r2 3
is "seen as a restart" "$(path r1 198.51.100.2 '.bfd."peer-restarts"')" 1
is "that kept its sessions: nothing is signalled anew" "$(grep -c 'signalled anew' "$WORK/r1.log")" 0

# One that has lost all of them.
in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 3 --sport 30002 >/dev/null
stop_router r2
in_ns r2 "$BIN/fairleadd" -i "$TAG-r2" --remove 2>/dev/null
start_router r2 || exit 1
ok "r2 has lost its sessions: they are signalled anew" wait_for 10 grep -q 'signalled anew' "$WORK/r1.log"
wait_for 10 paths_up r1 3
ok "and go on" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 3 --sport 30002

# --- in words -------------------------------------------------------------------------------------
ctl r1 show paths >"$WORK/out"
ok "show paths" grep -q '^Peer .*Latency' "$WORK/out"
ctl r1 show paths --detail >"$WORK/out"
ok "show paths --detail" grep -q 'timer-expiry [0-9]*, echo-failed [1-9]' "$WORK/out"
ctl r1 show paths more >/dev/null 2>&1
is "show paths more: usage" "$?" 2

# --- taken out of use ---------------------------------------------------------------------------
change_config r2 '.router.bfd = {state: "disabled"}'
kill -HUP "${ROUTER_PID[r2]}"
ok "BFD disabled at r2: r1 is told" wait_for 10 is_path r1 198.51.100.2 \
	'.status == "down" and .bfd.downs."remote-admin-down" == 1'
is "and r2 goes by its links" "$(path r2 198.51.100.1 '"\(.status) \(.bfd.state)"')" "up disabled"
finish
