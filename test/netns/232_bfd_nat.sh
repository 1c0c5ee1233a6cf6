#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# beside: few
# A NAT between two routers: both notice, and follow when it changes.
#
#	r1 10.9.0.1 --- 10.9.0.254 n 192.0.2.1 --- 192.0.2.2 r2, which sees r1 as 198.51.100.1
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"

add_ns r1 n r2
link_ns r1 wan1 n left
link_ns n right r2 wan1
add_addr r1 wan1 10.9.0.1/24
add_addr n left 10.9.0.254/24
add_addr n right 192.0.2.1/24
add_addr r2 wan1 192.0.2.2/24
in_ns r1 ip route add 192.0.2.0/24 via 10.9.0.254
in_ns r2 ip route add 198.51.100.0/24 via 192.0.2.1
in_ns n sysctl -qw net.ipv4.ip_forward=1

# translate ADDRESS PORT: r1's address, and its BFD port, as r2 shall see them. Without state, so that it
# changes between one packet and the next.
translate() {
	in_ns n ip addr replace "$1/32" dev lo
	in_ns n nft -f - <<-END
		flush ruleset
		table ip nat0 {
			chain in {
				type filter hook prerouting priority raw;
				iifname "right" ip daddr $1 udp dport $2 ip daddr set 10.9.0.1 udp dport set 1280 notrack
				iifname "left" ip saddr 10.9.0.1 notrack
			}
			chain out {
				type filter hook postrouting priority srcnat;
				oif "right" ip saddr 10.9.0.1 udp sport 1280 ip saddr set $1 udp sport set $2
			}
		}
	END
}

if ! translate 198.51.100.1 40000; then
	skip "BFD through a NAT" "this kernel's nftables cannot rewrite without state"
	exit 0
fi

config() { # ROUTER ADDRESS PEER PEER-ADDRESS
	config_two "$1" | jq --arg local "$2" --arg peer "$3" --arg remote "$4" '
		.authority.bfd += {"desired-tx-interval": 50, "required-min-rx-interval": 50}
		| .router."device-interface" |= [.[1]]
		| .router."device-interface"[0]."network-interface"[0] |= (.address = [$local]
			| .adjacency[0] |= (."ip-address" = $remote | .peer = $peer))
		| .router."service-route" |= [.[0]]' >"$WORK/$1.json"
}
config r1 10.9.0.1 r2 192.0.2.2
config r2 192.0.2.2 r1 198.51.100.1
launch_router r1
launch_router r2
router_answers r1 r2 || exit 1
wait_paths r1 r2

path() { ctl "$1" -j show paths | jq -r ".paths[0] | $2"; }
is_path() { ctl "$1" -j show paths | jq -e ".paths[0] | $2"; }
ok "r1 is up" is_path r1 '.status == "up"'
ok "r2 is up" is_path r2 '.status == "up"'
is "r2 sees that its peer is behind a NAT" "$(path r2 '"\(.nat.peer) \(.nat.self)"')" "true false"
is "r1 hears that it is behind one" "$(path r1 '"\(.nat.peer) \(.nat.self)"')" "false true"
is "where r2 sees it" "$(path r1 '"\(.nat."seen-at") \(.nat."seen-at-port")"')" "198.51.100.1 40000"
is "and answers to" "$(path r2 '"\(.nat."peer-seen-at") \(.nat."peer-seen-at-port")"')" "198.51.100.1 40000"
ctl r2 show paths >"$WORK/out"
ok "show paths says so" grep -q ' peer ' "$WORK/out"

# Another port: nothing but BFD's answers changes.
translate 198.51.100.1 41000
ok "another port is followed" wait_for 5 is_path r2 '.nat.changes == 1 and .nat."peer-seen-at-port" == 41000'
ok "r1 hears of it" wait_for 5 is_path r1 '.nat."seen-at-port" == 41000'

# Another address: the path leads there from now on.
translate 198.51.100.9 42000
ok "another address is followed" wait_for 5 is_path r2 '.nat.changes == 2 and .remote == "198.51.100.9"'
ok "said in the log" grep -q 'its remote waypoint 198.51.100.1 is reached at 198.51.100.9 now' "$WORK/r2.log"
ok "both are up" wait_for 10 sh -c "'$BIN/fairlead' -i $TAG-r1 -j show paths | jq -e '.paths[0].status == \"up\"' &&
	'$BIN/fairlead' -i $TAG-r2 -j show paths | jq -e '.paths[0].status == \"up\"'"
is "and no change took it down" "$(path r1 '[.bfd.downs[]] | add') $(path r2 '[.bfd.downs[]] | add')" "0 0"

# A reload does not lead back to where nobody is.
change_config r2 '.router."device-interface"[0]."network-interface"[0].adjacency[0].cost = 3'
ok "reload" ctl r2 config apply "$WORK/r2.json"
is "the address stays" "$(path r2 '"\(.remote) \(.cost) \(.status)"')" "198.51.100.9 3 up"
finish
