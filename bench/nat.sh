#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# 64-byte packets through two routers, one core for everything: Fairlead on both (real daemons, sessions
# opened by real first packets, XDP) against the kernel with nftables' stateful NAT of both addresses
# on both.
MODE=xdp
. "$(dirname "$0")/lib.sh"

declare -A FLOWS=([1]=1 [1k]=1000 [100k]=100000)
command="bench/nat.sh: blast --flows N through both routers, xdp, and through nftables NAT on both"
for name in 1 1k 100k; do
	figure "nat-$name" "ratio to nftables double NAT" ">= 4" "$command"
	figure "nat-$name-mpps" Mpps "" "$command"
	figure "nat-$name-nftables-mpps" Mpps "" "$command"
done
figure nat-sealed-mpps Mpps "" "$command, with hmac-packets all: one flow, each packet signed and proven once"

fairlead_topo
fairlead_up 262144 600000 || exit 1
warm || exit 1
kernel_topo n
double_nat n
napi nr1 lan0 wan1
napi nr2 lan0 wan1
fl_mac=$(mac_of r1 lan0)
nft_mac=$(mac_of nr1 lan0)

for name in 1 1k 100k; do
	n=${FLOWS[$name]}
	open_sessions "$n" || exit 1
	# Conntrack's entries, and all handshakes done.
	blast nc eth0 ns eth0 "$nft_mac" --src 10.1.1.0 --flows "$n" --count $((n * 3)) >/dev/null
	blast c eth0 s eth0 "$fl_mac" --src 10.1.1.0 --flows "$n" --count $((n * 3)) >/dev/null
	for _ in $(seq "$ROUNDS"); do
		a=$(blast c eth0 s eth0 "$fl_mac" --src 10.1.1.0 --flows "$n" --seconds "$SECONDS_EACH")
		b=$(blast nc eth0 ns eth0 "$nft_mac" --src 10.1.1.0 --flows "$n" --seconds "$SECONDS_EACH")
		x=$(jq .pps <<<"$a") y=$(jq .pps <<<"$b")
		[ -n "${VERBOSE:-}" ] && note "nat-$name: $a against $b"
		sample "nat-$name" "$(calc x/y x="$x" y="$y")"
		sample "nat-$name-mpps" "$(calc x/1e6 x="$x")"
		sample "nat-$name-nftables-mpps" "$(calc y/1e6 y="$y")"
	done
done

for r in r1 r2; do
	change_config $r '.authority.security[0]."hmac-packets" = "all"'
	ctl $r config apply "$WORK/$r.json" >/dev/null || exit 1
done
sealed() { ctl "$1" -j show paths | jq -e 'all(.paths[]; ."hmac-packets" == "all")'; }
wait_for 10 sealed r1 && wait_for 10 sealed r2 || exit 1
for _ in $(seq "$ROUNDS"); do
	x=$(blast c eth0 s eth0 "$fl_mac" --src 10.1.1.0 --flows 1 --seconds "$SECONDS_EACH" | jq .pps)
	sample nat-sealed-mpps "$(calc x/1e6 x="$x")"
done
finish
