#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# New TCP connections a second (connect, one byte, close) through both routers, against nftables
# double NAT, with the same settings of the end hosts; client, server and routers share the CPUs.
. "$(dirname "$0")/lib.sh"

command="bench/tcp.sh: conns 10.2.0.2 10.1.1.1 64 64 $SECONDS_EACH"
# "auto" takes TC on these devices.
for mode in xdp tc; do
	target=">= 0.9"
	figure "tcp-connections-$mode" "ratio to nftables double NAT" "$target" "$command, mode $mode"
	figure "tcp-connections-$mode-rate" "connections/s" "" "$command, mode $mode"
done
figure tcp-connections-nftables-rate "connections/s" "" "$command"

# The client's addresses 10.1.1.1 to 10.1.1.64.
sources() {
	local i
	for i in $(seq 64); do add_addr "$1" eth0 "10.1.1.$i/32"; done
	in_ns "$1" sysctl -qw net.ipv4.ip_local_port_range="1024 65535"
}

MODE=xdp
fairlead_topo
fairlead_up 1048576 10000 || exit 1
warm || exit 1
kernel_topo n
double_nat n
in_ns nr1 ip route add 10.1.1.0/24 via 10.1.0.2
host_dev nc eth0
host_dev ns eth0
sources c
sources nc
bg s "$TOOLS/conns"
bg ns "$TOOLS/conns"
wait_for 5 listens s tcp 7107
wait_for 5 listens ns tcp 7107
# Conntrack holds 262144 entries on this machine; a closed connection need not fill it for minutes.
in_ns nr1 sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_time_wait=1 \
	net.netfilter.nf_conntrack_tcp_timeout_last_ack=1 net.netfilter.nf_conntrack_tcp_timeout_close=1
in_ns nr2 sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_time_wait=1 \
	net.netfilter.nf_conntrack_tcp_timeout_last_ack=1 net.netfilter.nf_conntrack_tcp_timeout_close=1

conns() {
	local out
	out=$(in_ns "$1" "$TOOLS/conns" 10.2.0.2 10.1.1.1 64 64 "${CONN_SECONDS:-2}") || return 1
	[ -n "${VERBOSE:-}" ] && note "$1: $out"
	[ "$(jq .failed <<<"$out")" -eq 0 ] || note "$1: connections failed: $out"
	jq .rate <<<"$out"
}

for mode in xdp tc; do
	if [ $mode = tc ]; then
		for r in r1 r2; do
			change_config $r '.router."device-interface"[].mode = "tc"'
			ctl $r config apply "$WORK/$r.json" >/dev/null || exit 1
		done
	fi
	for _ in $(seq "$ROUNDS"); do
		x=$(conns c) || exit 1
		y=$(conns nc) || exit 1
		sample "tcp-connections-$mode" "$(calc x/y x="$x" y="$y")"
		sample "tcp-connections-$mode-rate" "$x"
		sample tcp-connections-nftables-rate "$y"
	done
done
finish
