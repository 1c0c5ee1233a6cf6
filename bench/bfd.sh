#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What watching costs: one router's agent with 100 paths, BFD, link tests and performance monitoring at
# their defaults, nothing else to do. A veth charges the sender with what its packets cause at the other end, so this includes the
# peer's softirq and half of what reflecting link tests takes.
# shellcheck source=bench/lib.sh
. "$(dirname "$0")/lib.sh"

command="bench/bfd.sh: run time of fairleadd's threads over ${WATCH_SECONDS:=20} s"
figure bfd-100-paths "% of a core" "<= 2" "$command"
figure bfd-100-paths-fast "% of a core, at 50 ms" "" "$command"

add_ns r1 r2
link_ns r1 wan1 r2 wan1
for n in $(seq 10); do
	add_addr r1 wan1 "198.51.100.$n/24"
	add_addr r2 wan1 "198.51.100.$((100 + n))/24"
done

# config ROUTER OWN-FIRST FAR-FIRST PEER: ten waypoints at each end, a path for every pair
config() {
	config_two "$1" | jq --argjson own "$2" --argjson far "$3" --arg peer "$4" '
		def addr($n): "198.51.100.\($n)";
		.router."device-interface" |= [.[1]]
		| .router."service-route" |= [.[0]]
		| .router."device-interface"[0]."network-interface"[0] |= (
			.address = [range(10) | addr($own + .)]
			| .adjacency = [range(10) as $i | range(10) as $j
				| {"local-address": addr($own + $i), "ip-address": addr($far + $j), peer: $peer,
					"performance-monitoring": {enabled: true}}])' >"$WORK/$1.json"
}
config r1 1 101 r2
config r2 101 1 r1
start_router r1 && start_router r2 || exit 1
wait_for 60 paths_up r1 100 && wait_for 60 paths_up r2 100 || exit 1

# Nanoseconds that all threads of r1's agent have run.
ran() { cat "/proc/${ROUTER_PID[r1]}"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f", sum }'; }

# watch FIGURE
watch() {
	local before
	for _ in $(seq "$ROUNDS"); do
		before=$(ran)
		sleep "$WATCH_SECONDS"
		sample "$1" "$(calc '(after-before)/1e9/seconds*100' after="$(ran)" before="$before" seconds="$WATCH_SECONDS")"
	done
}

watch bfd-100-paths
for r in r1 r2; do
	change_config $r '.authority.bfd += {"desired-tx-interval": 50, "required-min-rx-interval": 50}'
	ctl $r config apply "$WORK/$r.json" >/dev/null || exit 1
done
sleep 5 # poll sequences end
watch bfd-100-paths-fast
finish
