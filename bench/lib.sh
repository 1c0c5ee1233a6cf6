# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the measuring scripts share: figures, and namespaces that only forward. Namespaces, routers and
# the cleanup at the end are those of the tests (test/netns/lib.sh). run.sh sets BUILD and RESULTS.
#
#   figure NAME UNIT ">= 4" "COMMAND"   declare a figure and its target ("" without one)
#   sample NAME VALUE                   one round's value
#   unmeasured NAME WHY                 it could not be measured
BENCH=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
RESULTS=${RESULTS:?set by run.sh}
ROUNDS=${ROUNDS:-5}
SECONDS_EACH=${SECONDS_EACH:-0.7} # of sending packets in a round
# shellcheck source=test/netns/lib.sh
. "$BENCH/../test/netns/lib.sh"
TOOLS=$BUILD/bench

figure() {
	mkdir -p "$RESULTS/$1"
	jq -n --arg name "$1" --arg unit "$2" --arg target "$3" --arg command "$4" \
		'{name: $name, unit: $unit, target: $target, command: $command}' >"$RESULTS/$1/figure"
	: >"$RESULTS/$1/samples"
}

sample() {
	[ -n "$2" ] && [ "$2" != nan ] && echo "$2" >>"$RESULTS/$1/samples"
}

unmeasured() {
	echo "$2" >"$RESULTS/$1/why"
	note "$1: $2"
}

note() { echo "# $*" >&2; }

# calc 'EXPRESSION' [NAME=VALUE]...
calc() {
	local expression=$1 args=() pair
	shift
	for pair; do args+=(-v "$pair"); done
	awk "${args[@]}" "BEGIN { printf \"%.6g\", ($expression) }" </dev/null
}

# mac_of NAMESPACE DEVICE
mac_of() { in_ns "$1" ip -j link show "$2" | jq -r '.[0].address'; }

# blast FROM_NS FROM_DEV TO_NS TO_DEV MAC OPTION...: the generator's JSON line
blast() {
	"$TOOLS/blast" --from "$TAG-$1:$2" --to "$TAG-$3:$4" --dmac "$5" --dst 10.2.0.2 "${@:6}"
}

# quiet_ns NAME...: a namespace where nothing speaks on its own
quiet_ns() {
	local ns
	add_ns "$@"
	for ns; do
		in_ns "$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	done
}

# permanent NS DEV ADDRESS PEER_NS PEER_DEV: the neighbour is known for good
permanent() {
	in_ns "$1" ip neigh replace "$3" lladdr "$(mac_of "$4" "$5")" dev "$2" nud permanent
}

# kernel_topo PREFIX: client PREFIXc -- PREFIXr1 == PREFIXr2 -- PREFIXs server, addresses as in
# topo_two, the routers forward with the kernel and nothing else
kernel_topo() {
	local p=$1 ns
	quiet_ns "${p}c" "${p}r1" "${p}r2" "${p}s"
	link_ns "${p}c" eth0 "${p}r1" lan0
	link_ns "${p}r1" wan1 "${p}r2" wan1
	link_ns "${p}r2" lan0 "${p}s" eth0
	add_addr "${p}c" eth0 10.1.0.2/24
	add_addr "${p}r1" lan0 10.1.0.1/24
	add_addr "${p}r1" wan1 198.51.100.1/24
	add_addr "${p}r2" wan1 198.51.100.2/24
	add_addr "${p}r2" lan0 10.2.0.1/24
	add_addr "${p}s" eth0 10.2.0.2/24
	in_ns "${p}c" ip route add default via 10.1.0.1
	in_ns "${p}s" ip route add default via 10.2.0.1
	in_ns "${p}r1" ip route add 10.2.0.0/24 via 198.51.100.2
	in_ns "${p}r2" ip route add 10.1.0.0/24 via 198.51.100.1
	for ns in "${p}r1" "${p}r2"; do
		in_ns "$ns" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
			net.ipv4.conf.default.rp_filter=0
	done
	permanent "${p}r1" lan0 10.1.0.2 "${p}c" eth0
	permanent "${p}r1" wan1 198.51.100.2 "${p}r2" wan1
	permanent "${p}r2" wan1 198.51.100.1 "${p}r1" wan1
	permanent "${p}r2" lan0 10.2.0.2 "${p}s" eth0
}

# napi NS DEV...: a receive queue for the frames that XDP sends into a device without a program
napi() {
	local ns=$1 dev
	shift
	for dev; do in_ns "$ns" ethtool -K "$dev" gro on >/dev/null; done
}

# double_nat PREFIX: on both routers of kernel_topo, both addresses and ports, as Fairlead does it.
# A router's 20 addresses give ports for a million flows to one server.
double_nat() {
	local p=$1 i
	for i in $(seq 100 119); do
		add_addr "${p}r1" wan1 "198.51.100.$i/24"
		in_ns "${p}r2" ip neigh replace "198.51.100.$i" lladdr "$(mac_of "${p}r1" wan1)" \
			dev wan1 nud permanent
		add_addr "${p}r2" lan0 "10.2.0.$i/24"
		in_ns "${p}s" ip neigh replace "10.2.0.$i" lladdr "$(mac_of "${p}r2" lan0)" \
			dev eth0 nud permanent
	done
	in_ns "${p}r1" nft -f - <<-END
		table ip nat {
			chain pre {
				type nat hook prerouting priority dstnat;
				iifname lan0 ip daddr 10.2.0.2 dnat to 198.51.100.2
			}
			chain post {
				type nat hook postrouting priority srcnat;
				oifname wan1 snat to 198.51.100.100-198.51.100.119
			}
		}
	END
	in_ns "${p}r2" nft -f - <<-END
		table ip nat {
			chain pre {
				type nat hook prerouting priority dstnat;
				iifname wan1 ip daddr 198.51.100.2 dnat to 10.2.0.2
			}
			chain post {
				type nat hook postrouting priority srcnat;
				oifname lan0 snat to 10.2.0.100-10.2.0.119
			}
		}
	END
}

# A program that reads commands and answers each by a line: talk_start FD-NAME COMMAND...
declare -A TALK_IN=() TALK_OUT=() TALK_PID=()

talk_start() {
	local name=$1 line to from
	shift
	mkfifo "$WORK/$name.in" "$WORK/$name.out"
	(
		# Another one ends when nobody holds its input any more.
		for to in "${TALK_IN[@]}"; do exec {to}>&-; done
		exec "$@" <"$WORK/$name.in" >"$WORK/$name.out" 2>>"$WORK/$name.log"
	) &
	TALK_PID[$name]=$!
	PIDS+=($!)
	exec {to}>"$WORK/$name.in" {from}<"$WORK/$name.out"
	TALK_IN[$name]=$to
	TALK_OUT[$name]=$from
	rm "$WORK/$name.in" "$WORK/$name.out"
	read -r -t 60 line <&"$from" && [ "$line" = ready ] && return
	note "$name does not start: $(tail -n 3 "$WORK/$name.log")"
	return 1
}

# talk NAME COMMAND: prints the answer
talk() {
	local line
	echo "$2" >&"${TALK_IN[$1]}"
	read -r -t 60 line <&"${TALK_OUT[$1]}" && echo "$line"
}

talk_stop() {
	local to=${TALK_IN[$1]} from=${TALK_OUT[$1]}
	exec {to}>&- {from}<&-
	wait "${TALK_PID[$1]}" 2>/dev/null
	unset "TALK_IN[$1]" "TALK_OUT[$1]" "TALK_PID[$1]"
}

# --- Fairlead's routers -------------------------------------------------------------------------

# The configuration of the tests without limits on new sessions; $1: max-sessions, $2: initial-timeout
# in ms. Sources are in 10.1.0.0/16, behind the client's namespace.
bench_config() {
	cat <<-END
		.router."max-sessions" = $1
		| .router."first-packet-rate" = {"per-source": 0}
		| .router.peer = [{name: "r1", "setup-rate": 0}, {name: "r2", "setup-rate": 0}
			| select(.name != \$me)]
		| .authority."session-type" = [{name: "bench", transport: [{protocol: "udp"}],
			"initial-timeout": $2}]
		| (.. | objects | select(has("adjacency")).adjacency[])."max-way-points" = 1000000
		| .authority.service[0].address = ["10.1.0.0/16", "2001:db8:1::/64"]
	END
}

# router_up NAME MAX-SESSIONS INITIAL-TIMEOUT [alone]: "alone" does without BFD, which no peer answers
router_up() {
	config_two "$1" | jq --arg me "$1" "$(bench_config "$2" "$3")
		${4:+| .authority.bfd.state = \"disabled\"}" >"$WORK/$1.json" &&
		start_router "$1"
}

# fairlead_topo: topo_two with the many sources of the generators
fairlead_topo() {
	topo_two
	in_ns r1 ip route add 10.1.0.0/16 via 10.1.0.2
	in_ns r2 ip route add 10.1.0.0/16 via 10.2.0.2 # never used: it has a session or it is dropped
	permanent r1 lan0 10.1.0.2 c eth0
	permanent r2 lan0 10.2.0.2 s eth0
}

fairlead_up() { router_up r1 "$1" "$2" && router_up r2 "$1" "$2"; }

# warm ROUTER: a ping through both, so that paths and next hops are known
warm() { wait_for 10 in_ns c ping -c1 -W1 10.2.0.2; }

sessions_of() { ctl "$1" -j show stats | jq '.data.sessions // .sessions // 0'; }

# open_sessions COUNT: UDP sessions of flows 0 to COUNT-1 of blast --src 10.1.1.0, answered once
open_sessions() {
	local n=$1 have
	talk_start reflector "$TOOLS/blast" --to "$TAG-s:eth0" --sink-only --reflect || return 1
	in_ns c "$TOOLS/first_packets" eth0 "$(mac_of r1 lan0)" 10.1.1.0 10.2.0.2 0 "$n" 40000 >/dev/null
	talk reflector 60 >/dev/null
	talk_stop reflector
	have=$(sessions_of r1)
	[ "$have" -ge "$n" ] || note "only $have of $n sessions open"
	[ "$have" -ge "$n" ]
}
