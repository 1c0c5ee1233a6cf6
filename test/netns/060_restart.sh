#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# beside: nothing
# The agent dies, the data plane does not: 20 kills at random moments under load. Established sessions lose
# no packet because of it, new ones work again within 2 s of the restart, nothing leaks.
. "$(dirname "$0")/lib.sh"

topo_two
start_routers '.router["first-packet-rate"] = {"per-source": 0}' || exit 1
bg s "$TOP/test/tools/udp_echo.py" 7
wait_for 5 listens s udp 7
serve_web s

maps() { bpftool -j map show | jq length; }
progs() { bpftool -j prog show | jq length; }
links() { bpftool -j link show | jq length; }

# An established flow: a datagram every 5 ms, all through the test. Its session is there before.
in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 20 --sport 30000 >/dev/null
(exec nsenter --net="/run/netns/$TAG-c" -- "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 4000 --gap 0.004 \
	--sport 30000 >"$WORK/flow") &
flow=$!
PIDS+=("$flow")
# Load of new sessions, all the time.
(exec nsenter --net="/run/netns/$TAG-c" -- wrk -t1 -c20 -d60 -H "Connection: close" http://10.2.0.2/ >"$WORK/wrk" 2>&1) &
load=$!

maps_before=$(maps) progs_before=$(progs) links_before=$(links)
slow=0 failed=0
for i in $(seq 20); do
	r=r$((RANDOM % 2 + 1))
	sleep "0.$((RANDOM % 4))$((RANDOM % 10))"
	stop_router $r KILL
	start_router $r || failed=$((failed + 1))
	started=$(date +%s%N)
	# Sessions opened by this test alone: a port of its own every time.
	until in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --timeout 0.2 --sport $((31000 + i)) >/dev/null; do
		[ $(($(date +%s%N) - started)) -lt 10000000000 ] || break
	done
	[ $(($(date +%s%N) - started)) -le 2000000000 ] || slow=$((slow + 1))
done
is "20 restarts" "$failed" 0
is "new sessions within 2 s of every restart" "$slow" 0
wait "$flow"
is "the established flow has lost nothing" "$(tail -n1 "$WORK/flow")" "0 of 4000 lost"

# A killed agent leaves nothing behind that the next one does not take over.
# (Others on this machine may load something meanwhile: less than one a kill.)
cmp_num "maps left by 20 kills" $(($(maps) - maps_before)) -lt 20
cmp_num "programs left" $(($(progs) - progs_before)) -lt 20
cmp_num "links left" $(($(links) - links_before)) -lt 20
ok "its session is still the same" test "$(ctl r1 -j show sessions limit 100000 |
	jq '[.sessions[] | select(."source-port" == 30000)] | length')" = 1

kill $load
wait $load 2>/dev/null
# Waypoints: as many in use as there are sessions to the peer.
ctl r1 clear session all >/dev/null
ctl r2 clear session all >/dev/null
is "no session left" "$(ctl r1 -j show stats | jq .sessions) $(ctl r2 -j show stats | jq .sessions)" "0 0"
is "no flow left" "$(ctl r1 -j show stats | jq .flows) $(ctl r2 -j show stats | jq .flows)" "0 0"
is "no waypoint left in use" "$(ctl r1 -j show peers | jq -c '[.peers[]."waypoints-in-use"]')" "[0]"

# Tables of another size, as an earlier release made them, are taken over as they are.
pins=/sys/fs/bpf/fairlead/$TAG-r1/$PIN_VERSION
entries() { bpftool -j map show pinned "$pins/$1" | jq .max_entries; }
remake() {
	rm "$pins/$1" && bpftool map create "$pins/$1" type array key 4 value "$2" entries "$3" name "$1" flags 0x400
}
buckets=$(entries fl_tags)
fewer=$((buckets * 3 / 4))
slots=$(($(entries fl_flows) - (buckets - fewer) * 8))
stop_router r1
ok "a smaller table" remake fl_tags 8 $fewer
ok "with its slots" remake fl_flows 64 $slots
start_router r1 || fail "no start on it"
wait_for 5 paths_up r1
ok "sessions open" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 20 --timeout 1 --sport 32000
is "in a table of that size" "$(entries fl_tags) $(entries fl_flows)" "$fewer $slots"
is "by two flows" "$(ctl r1 -j show stats | jq .flows)" 2

# Removal takes everything.
stop_router r1
in_ns r1 "$BIN/fairleadd" -i "$TAG-r1" --remove
no "no pins" test -e "/sys/fs/bpf/fairlead/$TAG-r1"
is "no filter on lan0" "$(in_ns r1 tc filter show dev lan0 ingress | grep -c fl_tc)" 0
finish
