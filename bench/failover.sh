#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A path drops everything, its carrier stays: the longest time in which nothing of a stream of a datagram
# a millisecond arrives, with BFD at 50 ms x 3. Failures of Fairlead and of the kernel's routing with
# FRR's bfdd and ospfd, on links of their own, alternate. Then a brownout: until sessions with limits have
# moved, and what a call-like stream misses meanwhile.
MODE=tc
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/netns/impair.sh
. "$(dirname "$0")/../test/netns/impair.sh"

FAILURES=${FAILURES:-30}
BROWNOUTS=${BROWNOUTS:-5}
command="bench/failover.sh: $FAILURES failures, BFD 50 ms x 3, udp_gap.py 1 ms"
figure failover-gap "ms, median gap of $FAILURES failures" "" "$command"
figure failover-gap-p99 "ms, 99th percentile of $FAILURES failures" "<= 200" "$command"
figure failover-lost-sessions "sessions lost or reset" "<= 0" "$command"
figure failover-frr-gap "ms, median gap, kernel routing with FRR bfdd and ospfd" "" "$command"
figure failover-ratio "FRR's median gap to ours" ">= 1.3" "$command"
figure brownout-move "s until sessions with limits have moved: +150 ms, 5 % loss" "<= 3" \
	"bench/failover.sh, link tests every second"
figure brownout-gap "ms, longest gap of a call-like stream" "<= 200" "bench/failover.sh"

# sends CLIENT: its stream is bound to its port
sends() { in_ns "$1" ss -Hun 'sport = :6000' | grep -q .; }

# gap CLIENT SERVER SECONDS GAP-S WHAT...: run WHAT in the middle; the receiver's line of JSON
gap() {
	local client=$1 server=$2 seconds=$3 each=$4 receiver
	shift 4
	rm -f "$WORK/gap"
	spawn "$server" "$WORK/gap" "$TOP/test/tools/udp_gap.py" --receive 5004 --quiet 1.5
	receiver=$!
	wait_for 5 listens "$server" udp 5004
	spawn "$client" "$WORK/gap.log" "$TOP/test/tools/udp_gap.py" --send 10.2.0.2 5004 --seconds "$seconds" \
		--gap "$each" --sport 6000
	# The stream is under way, however slowly the programs start.
	wait_for 5 sends "$client"
	sleep 0.5
	"$@"
	wait "$receiver"
	cat "$WORK/gap"
}

percentile() { sort -n | awk -v p="$1" '{ v[NR] = $1 } END { print v[int((NR * p + 99) / 100)] }'; }
median() { percentile 50; }

# --- links by way of a bridge, which can drop everything ------------------------------------------
break_wan() { # NAMESPACE WAN
	in_ns "$1" nft -f - <<-END
		table netdev broken {
			chain left { type filter hook ingress device $2 priority 0; drop; }
			chain right { type filter hook ingress device $2.b priority 0; drop; }
		}
	END
}
mend_wan() { in_ns "$1" nft delete table netdev broken; }

# --- Fairlead ---------------------------------------------------------------------------------------
WIRE=1 topo_two
start_routers '.authority."service-policy"[0]."session-resiliency" = "failover"
	| .authority.bfd = {"desired-tx-interval": 50, "required-min-rx-interval": 50, "multiplier": 3,
		"hold-down-time": 1}' || exit 1
paths_up() { ctl "$1" -j show paths | jq -e '[.paths[].status == "up"] | length == 2 and all'; }
both_up() { paths_up r1 && paths_up r2; }
way() { ctl r1 -j show sessions | jq -r '[.sessions[] | select(."destination-port" == 5004).out.interface][0]'; }
break_way() { broken=$(way) && break_wan w "$broken"; }

# --- the same with the kernel and FRR -----------------------------------------------------------------
# frr_router NAMESPACE LAN-PREFIX
frr_router() {
	local ns=$1 dir=$WORK/frr-$1 name own
	mkdir -p "$dir"
	chmod 755 "$WORK" "$dir"
	chown frr:frr "$dir"
	cat >"$dir/frr.conf" <<-END
		bfd
		 profile fast
		  transmit-interval 50
		  receive-interval 50
		  detect-multiplier 3
		interface wan1
		 ip ospf area 0
		 ip ospf bfd
		 ip ospf bfd profile fast
		 ip ospf network point-to-point
		 ip ospf cost 10
		interface wan2
		 ip ospf area 0
		 ip ospf bfd
		 ip ospf bfd profile fast
		 ip ospf network point-to-point
		 ip ospf cost 20
		interface lan0
		 ip ospf area 0
		 ip ospf passive
		router ospf
	END
	for name in zebra bfdd ospfd; do
		own=()
		[ $name = bfdd ] && own=(--bfdctl "$dir/bfdd.sock")
		bg "$ns" /usr/lib/frr/$name -f "$dir/frr.conf" -z "$dir/zserv.api" -i "$dir/$name.pid" --vty_socket "$dir" \
			--log file:"$dir/log" "${own[@]}"
		wait_for 10 test -S "$dir/zserv.api"
	done
}

frr_topo() {
	local wan
	add_ns kc kr1 kr2 ks kw
	link_ns kc eth0 kr1 lan0
	for wan in wan1 wan2; do
		link_ns kr1 $wan kw $wan
		link_ns kr2 $wan kw $wan.b
		in_ns kw ip link add br-$wan type bridge mcast_snooping 0
		in_ns kw ip link set br-$wan up
		in_ns kw ip link set $wan master br-$wan
		in_ns kw ip link set $wan.b master br-$wan
	done
	link_ns kr2 lan0 ks eth0
	add_addr kc eth0 10.1.0.2/24
	add_addr kr1 lan0 10.1.0.1/24
	add_addr kr1 wan1 198.51.100.1/24
	add_addr kr1 wan2 203.0.113.1/24
	add_addr kr2 wan1 198.51.100.2/24
	add_addr kr2 wan2 203.0.113.2/24
	add_addr kr2 lan0 10.2.0.1/24
	add_addr ks eth0 10.2.0.2/24
	in_ns kc ip route add default via 10.1.0.1
	in_ns ks ip route add default via 10.2.0.1
	for ns in kr1 kr2; do
		in_ns $ns sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
		frr_router $ns
	done
}
frr_up() { # both neighbours full, BFD up, wan1 in use
	local state
	state=$(vtysh --vty_socket "$WORK/frr-kr1" -c 'show bfd peers json' 2>/dev/null) &&
		jq -e '[.[].status == "up"] | length == 2 and all' <<<"$state" &&
		in_ns kr1 ip route get 10.2.0.2 | grep -q 'dev wan1' && in_ns kr2 ip route get 10.1.0.2 | grep -q 'dev wan1'
}

frr=
if [ -x /usr/lib/frr/ospfd ] && [ -x /usr/lib/frr/bfdd ]; then
	frr_topo
	if wait_for 60 frr_up; then
		frr=1
	else
		note "FRR does not come up: $(tail -n 3 "$WORK"/frr-kr1/log 2>/dev/null)"
	fi
fi
[ -n "$frr" ] || unmeasured failover-ratio "needs Debian's package frr"

# --- failures, in turn ----------------------------------------------------------------------------
lost_sessions=0
for _ in $(seq "$FAILURES"); do
	wait_for 20 both_up || exit 1
	out=$(gap c s 2.5 0.001 break_way)
	mend_wan w
	jq .gap_ms <<<"$out" >>"$WORK/ours"
	sample failover-gap "$(jq .gap_ms <<<"$out")"
	[ "$(way)" != null ] || lost_sessions=$((lost_sessions + 1))
	[ -n "$frr" ] || continue
	wait_for 60 frr_up || continue
	out=$(gap kc ks 2.5 0.001 break_wan kw wan1)
	mend_wan kw
	jq .gap_ms <<<"$out" >>"$WORK/theirs"
	sample failover-frr-gap "$(jq .gap_ms <<<"$out")"
done
sample failover-gap-p99 "$(percentile 99 <"$WORK/ours")"
sample failover-lost-sessions "$lost_sessions"
[ -s "$WORK/theirs" ] && sample failover-ratio \
	"$(calc 'b / a' a="$(median <"$WORK/ours")" b="$(median <"$WORK/theirs")")"
for r in r1 r2; do stop_router $r; done

# --- brownout --------------------------------------------------------------------------------------
add_ns bc br1 br2 bs
link_ns bc eth0 br1 lan0
impair_link bw1 br1 wan1 br2 wan1
impair_link bw2 br1 wan2 br2 wan2
link_ns br2 lan0 bs eth0
add_addr br1 wan1 198.51.100.1/24
add_addr br1 wan2 203.0.113.1/24
add_addr br2 wan1 198.51.100.2/24
add_addr br2 wan2 203.0.113.2/24
add_addr bc eth0 10.1.0.2/24
add_addr br1 lan0 10.1.0.1/24
add_addr br2 lan0 10.2.0.1/24
add_addr bs eth0 10.2.0.2/24
in_ns bc ip route add default via 10.1.0.1
in_ns bs ip route add default via 10.2.0.1
for r in r1 r2; do
	config_two $r | jq '.authority.bfd = {"hold-down-time": 1, "link-test-interval": 1}
		| .router."device-interface"[]."network-interface"[].adjacency[]? += {"path-metrics-rolling-avg-interval": 1}
		| .authority."service-policy"[0] += {"path-quality-filter": true, "max-loss": 2, "max-latency": 100,
			"max-jitter": 30, "session-resiliency": "revertible-failover"}' >"$WORK/b$r.json"
	start_router b$r || exit 1
done
measured() { ctl br1 -j show load-balancer | jq -e '[.services[] | select(.service == "datacenter").paths[]
	| has("mos") and ."meets-sla" == "yes" and .state == "up"] | all'; }
bway() { ctl br1 -j show sessions | jq -r '[.sessions[] | select(."destination-port" == 5004).out.interface][0]'; }
is_bway() { [ "$(bway)" = "$1" ]; }
brown() {
	local started
	started=$(date +%s%N)
	impair bw1 set both delay=150 loss=5
	wait_for 15 is_bway wan2 && calc "($(date +%s%N) - $started) / 1e9" >"$WORK/took"
}
for _ in $(seq "$BROWNOUTS"); do
	wait_for 30 measured || exit 1
	ctl br1 clear session all >/dev/null
	rm -f "$WORK/took"
	out=$(gap bc bs 8 0.02 brown)
	impair bw1 set both delay=0 loss=0
	sample brownout-move "$(cat "$WORK/took" 2>/dev/null)"
	sample brownout-gap "$(jq .gap_ms <<<"$out")"
done
finish
