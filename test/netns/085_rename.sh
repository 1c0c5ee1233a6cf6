#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A device gets another name: it is no longer one of ours, and nothing of ours stays on it. One that gets
# the configured name takes its place, also while no agent runs.
. "$(dirname "$0")/lib.sh"

topo_two
start_routers || exit 1
bg s "$TOP/test/tools/udp_echo.py" 7
wait_for 5 listens s udp 7

# rename ROUTER FROM TO
rename() {
	in_ns "$1" ip link set "$2" down
	in_ns "$1" ip link set "$2" name "$3"
	in_ns "$1" ip link set "$3" up
}

status() { ctl "$1" -j show interfaces | jq -r '.interfaces[] | select(.name == "wan2").status'; }
status_is() { [ "$(status "$1")" = "$2" ]; }
# programs ROUTER DEVICE: what of ours is there, by hook
programs() {
	in_ns "$1" ip -j -d link show "$2" | jq -r '.[0].xdp // empty | "xdp"'
	in_ns "$1" tc filter show dev "$2" ingress | grep -o 'fl_tc_ingress' | sort -u
}
both_up() { ctl r1 -j show paths | jq -e '[.paths[] | select(.status == "up")] | length == 2'; }
ask() { in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 3; }

ok "two paths" wait_for 10 both_up
was=$(programs r1 wan2 | sort)
ok "programs on wan2" test -n "$was"

rename r1 wan2 old
ok "renamed: the interface has no device" wait_for 5 status_is r1 missing
is "nothing of ours on it" "$(programs r1 old)" ""
no "no pin of its name" test -e "/sys/fs/bpf/fairlead/$TAG-r1"/v*/links/xdp-wan2
ok "traffic by the other path" ask

rename r1 old wan2
ok "its name again: both paths" wait_for 20 both_up
is "the same programs" "$(programs r1 wan2 | sort)" "$was"

# Another device of that name, while the first one is still there.
rename r1 wan2 old
rename r2 wan2 old
ok "no device at either end" wait_for 5 status_is r2 missing
link_ns r1 wan2 r2 wan2
add_addr r1 wan2 203.0.113.1/24
add_addr r2 wan2 203.0.113.2/24
for r in r1 r2; do in_ns $r ip addr flush dev old; done
ok "a new device: both paths" wait_for 20 both_up
is "programs on it" "$(programs r1 wan2 | sort)" "$was"
is "none on the old one" "$(programs r1 old)" ""

# The same while the agent is away: the next one cleans up.
stop_router r1
rename r1 wan2 other
start_router r1
is "away: no device" "$(status r1)" missing
is "nothing of ours on what it was" "$(programs r1 other)" ""
ok "traffic" ask
rename r1 other wan2
ok "and back: both paths" wait_for 20 both_up

# So is an interface that went from the configuration while it was away.
stop_router r1
change_config r1 'del(.router."device-interface"[2])'
start_router r1
is "one path left" "$(ctl r1 -j show paths | jq '.paths | length')" 1
is "nothing of ours on its device" "$(programs r1 wan2)" ""
finish
