#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# beside: nothing
# A busy host is no failed link: BFD at 50 ms x 3 while every CPU is at work, packets are forwarded as fast
# as they can be, and the agents open sessions without a pause. No path may go down.
# DURATION=600 for ten minutes instead of one.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"

DURATION=${DURATION:-60}
topo_two
start_routers '.authority.bfd += {"desired-tx-interval": 50, "required-min-rx-interval": 50, "link-test-interval": 1}
	| .router["first-packet-rate"] = {"per-source": 0} | .router.peer = [{name: (if .router.name == "r1" then "r2" else "r1" end), "setup-rate": 0}]' || exit 1
serve_web s
serve_iperf s

# Every CPU, twice: what these leave is little.
for _ in $(seq $((2 * $(nproc)))); do
	bg c sh -c 'while :; do :; done'
done
# The forwarding plane: small datagrams without a limit, and TCP.
bg c iperf3 -c 10.2.0.2 -u -b 0 -l 64 -t $((DURATION + 30))
# New sessions: every request is one.
bg c wrk -t1 -c20 -d$((DURATION + 30)) -H "Connection: close" http://10.2.0.2/

wait_for 10 paths_up r1 2
cpu() { awk '/^cpu /{ print $2 + $3 + $4 + $6 + $7 + $8 + $9, $5 }' /proc/stat; }
stat() { ctl "$1" -j show stats | jq ".stats[] | select(.name == \"$2\").count"; }
read -r busy idle < <(cpu)
new=$(ctl r1 -j show stats all | jq '[.stats[] | select(.name == "sessions-opened").count] | add')
end=$((SECONDS + DURATION))
while [ $SECONDS -lt $end ]; do
	# The agents are asked, too, which stops them for a while.
	ctl r1 -j show sessions limit 1000 >/dev/null
	sleep 1
done
read -r busy_after idle_after < <(cpu)
# (Virtual machines of which some CPU time is taken away count that as busy.)
cmp_num "CPUs busy, %" $((100 * (busy_after - busy) / (busy_after - busy + idle_after - idle))) -ge 95
opened=$(ctl r1 -j show stats all | jq '[.stats[] | select(.name == "sessions-opened").count] | add')
cmp_num "sessions opened meanwhile" $((opened - new)) -ge $((DURATION * 20))
for r in r1 r2; do
	paths=$(ctl $r -j show paths)
	is "$r: no path went down in $DURATION s" "$(jq -c '[.paths[].bfd.downs | add] | unique' <<<"$paths")" "[0]"
	is "$r: 150 ms of patience" "$(jq -c '[.paths[].bfd."detection-ms"] | unique' <<<"$paths")" "[150]"
	cmp_num "$r: packets received" "$(jq '[.paths[].bfd.received] | min' <<<"$paths")" -ge $((DURATION * 18))
	echo "# $r: $(ctl $r show stats | grep ^BFD)"
done
finish
