#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# beside: few
# A NAT between two routers: both notice, and follow when it changes; so do their sessions.
#
#	c -- r1 10.9.0.1 --- 10.9.0.254 n 192.0.2.1 --- 192.0.2.2 r2 -- s, where r2 sees r1 as 198.51.100.1
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"

add_ns c r1 n r2 s
link_ns c eth0 r1 lan0
link_ns r1 wan1 n left
link_ns n right r2 wan1
link_ns r2 lan0 s eth0
add_hosts r2
if [ "$MODE" = xdp ]; then
	host_dev n left
	host_dev n right
fi
add_addr r1 wan1 10.9.0.1/24
add_addr n left 10.9.0.254/24
add_addr n right 192.0.2.1/24
add_addr r2 wan1 192.0.2.2/24
in_ns r1 ip route add 192.0.2.0/24 via 10.9.0.254
in_ns r2 ip route add 198.51.100.0/24 via 192.0.2.1
in_ns n sysctl -qw net.ipv4.ip_forward=1

# translate ADDRESS PORT [PROTOCOL PORT PORT]...: r1's address, its BFD port, and other ports of its as r2 shall
# see them. Without state, so that it changes between one packet and the next.
translate() {
	local address=$1 bfd=$2 in="" out=""
	shift 2
	for (( ; $# >= 3; )); do
		in+="iifname \"right\" ip daddr $address $1 dport $3 $1 dport set $2
			"
		out+="oif \"right\" ip saddr $address $1 sport $2 $1 sport set $3
			"
		shift 3
	done
	set -- "$address" "$bfd"
	in_ns n ip addr flush dev lo scope global
	in_ns n ip addr add "$1/32" dev lo
	in_ns n nft -f - <<-END
		flush ruleset
		table ip nat0 {
			chain in {
				type filter hook prerouting priority raw;
				iifname "right" ip daddr $1 udp dport $2 udp dport set 1280
				$in
				iifname "right" ip daddr $1 ip daddr set 10.9.0.1 notrack
				iifname "left" ip saddr 10.9.0.1 notrack
			}
			chain out {
				type filter hook postrouting priority srcnat;
				oif "right" ip saddr 10.9.0.1 ip saddr set $1
				oif "right" ip saddr $1 udp sport 1280 udp sport set $2
				$out
			}
		}
	END
}

# What an address that r2 does not know yet sends to its waypoints goes to r2's kernel, which would end the
# sessions. A firewall has that dropped (README.md, "Limits").
in_ns r2 nft "add table inet fw; add chain inet fw in { type filter hook input priority filter; };
	add rule inet fw in iifname wan1 meta l4proto { tcp, udp } th dport 16384-65533 ct state { new, invalid } drop"

if ! translate 198.51.100.1 40000; then
	skip "BFD through a NAT" "this kernel's nftables cannot rewrite without state"
	exit 0
fi

config() { # ROUTER ADDRESS PEER PEER-ADDRESS
	config_two "$1" | jq --arg local "$2" --arg peer "$3" --arg remote "$4" '
		.authority.bfd += {"desired-tx-interval": 50, "required-min-rx-interval": 50}
		| .router."device-interface" |= .[0:2]
		| .router."device-interface"[1]."network-interface"[0] |= (.address = [$local]
			| .adjacency[0] |= (."ip-address" = $remote | .peer = $peer
				| if $peer == "r1" then ."peer-connectivity" = "outbound-only" else . end))' >"$WORK/$1.json"
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

# Sessions that last: questions and answers, a download, and an upload.
cat >"$WORK/stream.py" <<'END'
"""stream.py serve | stream.py down|up PORT: 10 kB every 10 ms for 15 s, one way; says how much of it came, unchanged."""
import socket, sys, threading, time
def send(conn):
    for i in range(1500):
        conn.sendall(b"%09d " % i * 1000)
        time.sleep(0.01)
    conn.shutdown(socket.SHUT_WR)
def receive(conn):
    got = bytearray()
    while data := conn.recv(65536):
        got += data
    good = got == b"".join(b"%09d " % i * 1000 for i in range(1500))
    return b"%d %s" % (len(got), b"unchanged" if good else b"changed")
def answer(conn):
    if conn.recv(1) == b"d":
        send(conn)
    else:
        conn.sendall(receive(conn))
        conn.close()
if sys.argv[1] == "serve":
    server = socket.create_server(("", 5000))
    while True:
        threading.Thread(target=answer, args=(server.accept()[0],)).start()
conn = socket.create_connection(("10.2.0.2", 5000), 5, ("", int(sys.argv[2])))
conn.settimeout(30)
conn.sendall(sys.argv[1][0].encode())
if sys.argv[1] == "up":
    send(conn)
    print(conn.recv(100).decode())
else:
    print(receive(conn).decode())
END
bg s "$TOP/test/tools/udp_echo.py" 7
bg s python3 "$WORK/stream.py" serve
wait_for 5 listens s udp 7
wait_for 5 listens s tcp 5000
(exec nsenter --net="/run/netns/$TAG-c" -- "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 1300 --gap 0.01 --timeout 0.1 \
	--sport 30000 >"$WORK/flow") &
flow=$!
spawn c "$WORK/down" python3 "$WORK/stream.py" down 31000
down=$!
spawn c "$WORK/up" python3 "$WORK/stream.py" up 32000
up=$!
PIDS+=("$flow" "$down" "$up")
session() { ctl "$1" -j show sessions | jq -r ".sessions[] | select(.\"source-port\" == $2) | .id"; }
of_both() { for port in 30000 31000 32000; do echo "$(session r1 $port) $(session r2 $port)"; done; }
all_six() { [ "$(of_both | wc -w)" = 6 ]; }
ok "three sessions on both routers" wait_for 5 all_six
sessions=$(of_both)

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

# Then the ports of all sessions: r2 asks whose packets these are, and has the same sessions afterwards.
out_port() { ctl r1 -j show session "$(session r1 "$1")" | jq '.sessions[0].out."local-port"'; }
at_port() { [ "$(ctl r2 -j show session "$(session r2 "$1")" | jq '.sessions[0].in."remote-port"')" = "$2" ]; }
translate 198.51.100.9 42000 udp "$(out_port 30000)" 5001 tcp "$(out_port 31000)" 5003 tcp "$(out_port 32000)" 5005
ok "r2 has the UDP session at its new port" wait_for 10 at_port 30000 5001
ok "and the download" wait_for 10 at_port 31000 5003
ok "and the upload" wait_for 10 at_port 32000 5005
is "the same sessions, on both routers" "$(of_both)" "$sessions"
wait $flow $down $up
is "the download" "$(cat "$WORK/down")" "15000000 unchanged"
is "the upload" "$(cat "$WORK/up")" "15000000 unchanged"
lost=$(tail -n1 "$WORK/flow" | cut -d' ' -f1)
cmp_num "datagrams lost by three changes" "$lost" -le 30

# A reload does not lead back to where nobody is.
change_config r2 '.router."device-interface"[1]."network-interface"[0].adjacency[0].cost = 3'
ok "reload" ctl r2 config apply "$WORK/r2.json"
is "the address stays" "$(path r2 '"\(.remote) \(.cost) \(.status)"')" "198.51.100.9 3 up"
finish
