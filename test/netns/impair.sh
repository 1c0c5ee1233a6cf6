# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Bad links for network tests: source this after lib.sh.
#
#   impair_link w1 r1 wan1 r2 wan1    # instead of link_ns: a cable through namespace w1
#   impair w1 set there delay=20 jitter=2 loss=1
#   lost=$(impair_count w1 there lost)
#
# "there" is from the first namespace to the second. The keys stand in test/tools/impair_link.c.

# impair_link NAME NS1 DEV1 NS2 DEV2 [MTU]: a link that impair carries. Hosts at its ends make no
# super-packets, of which a lossy link would lose 64 KB at a time.
impair_link() {
	local name=$1 mtu=${6:-1500} end
	add_ns "$name"
	in_ns "$name" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	link_ns "$2" "$3" "$name" left "$mtu"
	link_ns "$4" "$5" "$name" right "$mtu"
	in_ns "$2" ethtool -K "$3" tso off gso off >/dev/null
	in_ns "$4" ethtool -K "$5" tso off gso off >/dev/null
	for end in left right; do
		# A device in XDP mode can send to one with GRO only; nothing is to be merged all the same.
		in_ns "$name" ethtool -K "$end" gro on tso off gso off >/dev/null
		in_ns "$name" ip link set "$end" gro_max_size 1
	done
	bg "$name" "$BUILD/test/tools/impair" -c "$WORK/$name.sock" -s "${SEED:-1}" left right
	wait_for 5 impair "$name" get
}

# impair NAME COMMAND...
impair() {
	local name=$1
	shift
	"$BUILD/test/tools/impair" -C "$WORK/$name.sock" "$@"
}

# impair_count NAME there|back WHAT: a count since the last reset
impair_count() {
	impair "$1" stats | sed -n "s/^$2 .*\b$3=\([^ ]*\).*/\1/p"
}

# probe FROM TO ADDRESS [OPTION]...: datagrams from one namespace to another; what became of them is
# in $WORK/probe.json, a value of it by `probed KEY`.
probe() {
	local from=$1 to=$2 address=$3 pid
	shift 3
	spawn "$to" "$WORK/probe.json.new" "$TOP/test/tools/udp_probe.py" --receive 9900
	pid=$!
	wait_for 5 listens "$to" udp 9900
	in_ns "$from" "$TOP/test/tools/udp_probe.py" --send "$address" 9900 "$@"
	wait "$pid"
	mv "$WORK/probe.json.new" "$WORK/probe.json"
}

probed() {
	jq ".$1" "$WORK/probe.json"
}
