#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# beside: nothing
# Does the bad link of other tests do what it says? Datagrams are measured from end to end and compared
# with the settings and with what the relay says that it did. Accuracy: platform-agent.md G; wider where
# the machine is busy with other things.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
# shellcheck source=impair.sh
. "$(dirname "$0")/impair.sh"

if [ ! -x "$BUILD/test/tools/impair" ]; then
	skip "impaired link" "$BUILD/test/tools/impair is not built"
	exit 0
fi

COUNT=${COUNT:-4000}
PPS=${PPS:-2000}

add_ns a b
impair_link w a eth0 b eth0
add_addr a eth0 10.9.0.1/24 2001:db8:9::1/64
add_addr b eth0 10.9.0.2/24 2001:db8:9::2/64
# Neighbours are known, so that nothing but the datagrams is on the link.
mac() { in_ns "$1" ip -j link show eth0 | jq -r '.[0].address'; }
in_ns a ip neigh replace 10.9.0.2 lladdr "$(mac b)" dev eth0 nud permanent
in_ns b ip neigh replace 10.9.0.1 lladdr "$(mac a)" dev eth0 nud permanent
ok "frames pass" in_ns a ping -c3 -i0.2 -W2 10.9.0.2
ok "frames pass, IPv6" in_ns a ping -c3 -i0.2 -W2 2001:db8:9::2
# Nor are there solicitations, which would have dice of their own.
in_ns a sysctl -qw net.ipv6.conf.all.disable_ipv6=1
in_ns b sysctl -qw net.ipv6.conf.all.disable_ipv6=1

# within WHAT GOT WANTED SLACK
within() {
	if [ $(($2 - $3)) -le "$4" ] && [ $(($3 - $2)) -le "$4" ]; then
		pass "$1 ($2 for $3)"
	else
		fail "$1: $2 is not $3 +- $4"
	fi
}

# measure DIRECTION KEY=VALUE...: COUNT datagrams in that direction; the other one is left clean
measure() {
	local from=a to=b address=10.9.0.2
	[ "$1" = back ] && from=b to=a address=10.9.0.1
	impair w set both delay=0 jitter=0 loss=0 duplicate=0 reorder=0 rate=0 independent=0 >/dev/null
	impair w set "$@" || fail "set $*"
	impair w reset
	probe "$from" "$to" "$address" --count "$COUNT" --pps "$PPS"
	echo "# $*: $(cat "$WORK/probe.json")"
	impair w stats | sed 's/^/# /'
}

# Nothing but its own overhead.
measure there
is "clean: nothing lost" "$(probed lost)" 0
within "clean: overhead, us" "$(probed p50_us)" 0 300
overhead=$(probed p50_us)

for direction in there back; do
	measure "$direction" delay=20
	is "$direction: 20 ms: nothing lost" "$(probed lost)" 0
	within "$direction: 20 ms, us" "$(probed p50_us)" $((20000 + overhead)) 300
	is "$direction: 20 ms: order kept" "$(probed reordered)" 0

	measure "$direction" loss=1
	cmp_num "$direction: 1 % loss, at least" "$(probed lost)" -ge $((COUNT * 5 / 1000))
	cmp_num "$direction: 1 % loss, at most" "$(probed lost)" -le $((COUNT * 15 / 1000))
	is "$direction: what it says it lost" "$(probed lost)" "$(impair_count w "$direction" lost)"
	first=$(probed lost_hash)
	measure "$direction" loss=1
	is "$direction: the same dice lose the same datagrams" "$(probed lost_hash)" "$first"
done

measure there delay=20 jitter=5
is "walking jitter: order kept" "$(probed reordered)" 0
within "walking jitter: mean, us" "$(probed mean_us)" "$(impair_count w there delay_us)" 500
cmp_num "walking jitter: at least 15 ms" "$(probed min_us)" -ge 14900
cmp_num "walking jitter: spread, us" "$(($(probed p99_us) - $(probed min_us)))" -ge 5000

measure there delay=20 jitter=2 independent=1
cmp_num "independent jitter: many out of order" "$(probed reordered)" -ge $((COUNT / 5))
within "independent jitter: p50, us" "$(probed p50_us)" $((20000 + overhead)) 400
within "independent jitter: p90, us" "$(probed p90_us)" $((21600 + overhead)) 500

measure there reorder=3 reorder-by=4
is "reordering: nothing lost" "$(probed lost)" 0
within "reordering: as many as it says" "$(probed reordered)" "$(impair_count w there reordered)" $((COUNT / 200))
cmp_num "reordering: about 3 %" "$(probed reordered)" -ge $((COUNT * 2 / 100))

measure there duplicate=2
is "duplicates: as many as it says" "$(probed duplicates)" "$(impair_count w there duplicated)"
cmp_num "duplicates: about 2 %" "$(probed duplicates)" -ge $((COUNT / 100))

# 142 bytes 2000 times a second are 2.3 Mbit/s.
measure there rate=1 queue=50
within "rate: what gets through, %" $((100 * $(probed received) / COUNT)) 44 4
within "rate: the queue's delay, us" "$(probed p90_us)" 51000 2000

impair w set both rate=0
impair w set there blackhole=1
no "black hole" in_ns a ping -c2 -i0.2 -W1 10.9.0.2
impair w set there blackhole=0
ok "and back" in_ns a ping -c2 -i0.2 -W2 10.9.0.2

# tcp WHAT ADDRESS: through 20 Mbit/s
tcp() {
	local mbps
	mbps=$(in_ns a iperf3 -c "$2" -t 4 -J | jq '(.end.sum_received.bits_per_second // 0) / 1e6 | floor')
	within "$1" "$mbps" 18 2
}

# With the checksums that the sender leaves to its device.
serve_iperf b
impair w set there rate=20
tcp "TCP through 20 Mbit/s" 10.9.0.2
# Tags, which the kernel takes off before it shows a frame.
if in_ns a ip link add link eth0 name eth0.7 type vlan id 7 2>/dev/null; then
	in_ns b ip link add link eth0 name eth0.7 type vlan id 7
	add_addr a eth0.7 10.9.7.1/24
	add_addr b eth0.7 10.9.7.2/24
	in_ns a ip link set eth0.7 up
	in_ns b ip link set eth0.7 up
	ok "tagged frames" in_ns a ping -c3 -i0.2 -W2 10.9.7.2
	tcp "TCP through 20 Mbit/s, tagged" 10.9.7.2
else
	skip "tagged frames" "this kernel has no VLAN devices"
fi
finish
