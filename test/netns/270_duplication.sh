#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# beside: few
# modes: tc xdp
# Packet duplication: two links that lose, and what arrives all the same; a link that is dead.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/impair.sh"

COUNT=${COUNT:-8000}
PPS=${PPS:-1000}

add_ns c r1 r2 s
link_ns c eth0 r1 lan0
impair_link w1 r1 wan1 r2 wan1
SEED=2 impair_link w2 r1 wan2 r2 wan2
link_ns r2 lan0 s eth0
add_addr r1 wan1 198.51.100.1/24
add_addr r1 wan2 203.0.113.1/24
add_addr r2 wan1 198.51.100.2/24
add_addr r2 wan2 203.0.113.2/24
add_hosts r2
policy='.authority."service-policy"[0]."session-resiliency" = "packet-duplication"'
# Once without HMAC, once with it: the data plane makes and proves it.
unsigned=.
[ "$MODE" = tc ] && unsigned='.authority.security[0]."hmac-mode" = "disabled"'
start_routers "$policy | $unsigned" || exit 1

# Open a session and let its handshakes end before anything is lost.
settle() {
	probe "$1" "$2" "$3" --count 20 --pps 20
}

settle c s 10.2.0.2
is "all of a quiet start arrives" "$(probed received)" 20
is "nothing of it twice" "$(probed duplicates)" 0
id=$(ctl r1 -j show sessions | jq -r '[.sessions[] | select(."destination-port" == 9900)][0].id')
is "the session takes both paths" \
	"$(ctl r1 -j show session "$id" | jq -c '[.sessions[0]."copies-out".paths[] | select(.ready).path]')" \
	'["r2/wan1","r2/wan2"]'
ok "and so says the CLI" bash -c "$(declare -f ctl); BIN=$BIN TAG=$TAG; ctl r1 show session $id | grep 'copies .* by r2/wan1, r2/wan2'"
cmp_num "r2 dropped the second copies" "$(drops r2 duplicate)" -ge 15

impair w1 set both loss=10 delay=5
impair w2 set both loss=10 delay=8

# lossy WHAT FROM TO ADDRESS DIRECTION
lossy() {
	probe "$2" "$3" "$4" --count "$COUNT" --pps "$PPS" --size 200
	cmp_num "$1: at least 98.5 % arrive" "$(probed received)" -ge $((COUNT * 985 / 1000))
	is "$1: nothing twice" "$(probed duplicates)" 0
	# What was lost on the faster link comes by the slower one, 3 ms behind the others, and as late
	# as the links were on a busy machine.
	late=$((3000 + $(impair_count w1 "$5" late_max_us) + $(impair_count w2 "$5" late_max_us)))
	cmp_num "$1: overtaken" "$(probed reordered)" -le $((COUNT * 15 / 100))
	cmp_num "$1: overtaken by how many, at most $late us behind" "$(probed depth)" -le \
		$((late * PPS / 1000000 + 2))
}

lossy "to the server" c s 10.2.0.2 there
lossy "to the client" s c 10.1.0.2 back

# The data plane did it: the agent saw the handshakes.
punts=$(ctl r1 -j show stats | jq '[.stats[] | select(.name | startswith("punt-")).count] | add')
cmp_num "packets that r1's agent saw" "$punts" -lt $((COUNT / 10))

# One link is dead, and nobody has noticed yet: nothing is lost.
impair w2 set both loss=0
for dead in w1 w2; do
	impair w1 set both loss=0 blackhole=0
	impair w2 set both loss=0 blackhole=0
	settle c s 10.2.0.2
	impair $dead set both blackhole=1
	probe c s 10.2.0.2 --count 500 --pps 250
	is "$dead is dead: everything arrives" "$(probed received)" 500
	is "$dead is dead: once" "$(probed duplicates)" 0
	probe s c 10.1.0.2 --count 500 --pps 250
	is "$dead is dead: everything arrives at the client" "$(probed received)" 500
done
impair w1 set both blackhole=0
impair w2 set both blackhole=0

finish
