#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# modes: tc xdp
# A NAT between the routers (P-28): r1 has a private waypoint, r2 sees the NAT's address and ports that the
# NAT makes up. Sessions that r1 opens work; a NAT that forgets its mappings costs no session; r2 opens none.
. "$(dirname "$0")/lib.sh"

add_ns c r1 n r2 s
link_ns c eth0 r1 lan0
link_ns r1 wan1 n in
link_ns n out r2 wan1
link_ns r2 lan0 s eth0
add_addr r1 wan1 192.168.9.1/24
add_addr n in 192.168.9.254/24
add_addr n out 198.51.100.254/24
add_addr r2 wan1 198.51.100.2/24
add_hosts r2
in_ns r1 ip route add 198.51.100.0/24 via 192.168.9.254
host_dev n in
host_dev n out
in_ns n sysctl -qw net.ipv4.ip_forward=1
# No port is what it was, and none is in the range of waypoints. TCP out of place goes no further. The end
# of a connection that was never answered is: that r1 tells of in an ACK which has nothing to acknowledge (the
# forbidden port below, 10 s after its SYN).
in_ns n nft "add table ip nat;
	add chain ip nat post { type nat hook postrouting priority srcnat; };
	add rule ip nat post oifname out ip protocol { tcp, udp } masquerade to :2000-9999 random;
	add chain ip nat filter { type filter hook forward priority filter; };
	add rule ip nat filter ct state invalid tcp ackseq 0 tcp flags == ack drop;
	add rule ip nat filter ct state invalid counter drop"
only_wan1='del(.router."device-interface"[2])'
config_two r1 | jq "$only_wan1"'
	| .router."device-interface"[1]."network-interface"[0].address = ["192.168.9.1"]
	| .authority."session-type" = [{name: "kept", timeout: 180000, "nat-keep-alive": true,
		transport: [{protocol: "tcp"}, {protocol: "udp"}]}]
	| .router."device-interface"[1]."network-interface"[0].adjacency[0]."nat-keep-alive" =
		{"tcp-inactivity-timeout": 1, "udp-inactivity-timeout": 100}' >"$WORK/r1.json"
config_two r2 | jq "$only_wan1"'
	| .router."device-interface"[1]."network-interface"[0].adjacency[0] += {
		"ip-address": "198.51.100.254", "peer-connectivity": "outbound-only"}' >"$WORK/r2.json"
launch_router r1
launch_router r2
router_answers r1 r2 || exit 1
wait_paths r1 r2
bg s "$TOP/test/tools/udp_echo.py" 7
serve_web s
wait_for 5 listens s udp 7

capture n out 'host 198.51.100.2'
ok "ping" in_ns c ping -c5 -i0.02 -W2 -q 10.2.0.2
ok "UDP" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 20
is "TCP" "$(in_ns c curl -sSm5 http://10.2.0.2/ 2>&1)" hello
in_ns c curl -sSm20 -o "$WORK/got" http://10.2.0.2/file
ok "5 MB, all of them" cmp "$WORK/got" "$WORK/web/file"
stop_captures
is "r2 sees the NAT's address only" "$(captured n out 'src net 192.168.9.0/24' | wc -l)" 0
is "and ports that are no waypoints" "$(captured n out 'src host 198.51.100.254 and (tcp or udp) and src portrange 10000-65535' | wc -l)" 0
is "no metadata once the sessions are known: handshake done" \
	"$(ctl r2 -j show stats all | jq '[.stats[] | select(.name == "handshake-done").count] | add >= 3')" true

# An error about a TCP segment finds its way in through the NAT: in the session's own protocol.
in_ns s nft "add table inet no; add chain inet no in { type filter hook input priority 0; };
	add rule inet no in tcp dport 4449 reject with icmpx admin-prohibited"
is "TCP to a forbidden port: EHOSTUNREACH" "$(in_ns c python3 -c '
import socket
s = socket.socket()
s.settimeout(3)
print(s.connect_ex(("10.2.0.2", 4449)))')" 113

# The NAT forgets UDP after a second, and gives another port to the same session afterwards.
in_ns n sysctl -qw net.netfilter.nf_conntrack_udp_timeout=1 net.netfilter.nf_conntrack_udp_timeout_stream=1
cat >"$WORK/pause.py" <<'END'
"""Ask, pause, ask again from the same port: how many answers to the second question's tries."""
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 33333))
s.connect(("10.2.0.2", 7))
s.settimeout(1)
def ask(tries):
    for _ in range(tries):
        s.send(b"hello")
        try:
            s.recv(100)
            return True
        except socket.timeout:
            pass
    return False
first = ask(3)
time.sleep(4)
print(first, ask(4))
END
in_ns c python3 "$WORK/pause.py" >"$WORK/pause.out" &
pause=$!
uuid() { ctl "$1" -j show sessions | jq -r '.sessions[] | select(."source-port" == 33333).id'; }
wait_for 5 sh -c "\"$BIN/fairlead\" -i $TAG-r2 -j show sessions | grep -q 33333"
before="$(uuid r1) $(uuid r2)"
wait $pause
is "a session goes on after the NAT forgot it" "$(cat "$WORK/pause.out")" "True True"
is "as the same session, on both routers" "$(uuid r1) $(uuid r2)" "$before"
is "which is one" "$(uuid r1)" "$(uuid r2)"
ok "and there is one" test -n "$(uuid r1)"
cmp_num "r2 asked for metadata" "$(ctl r2 -j show stats all | jq '[.stats[] | select(.name == "control-enable-metadata-sent").count] | add // 0')" -ge 1

# A keep-alive every second or two: two in 7 s also on a busy machine.
# A quiet connection's keep-alives have its numbers: a NAT that looks at them lets them by (P-17).
cat >"$WORK/quiet.py" <<'END'
"""quiet.py serve | quiet.py: a connection that says something, is quiet for 7 s, and says something again."""
import socket, sys, time
if sys.argv[1:]:
    server = socket.create_server(("", 5000))
    conn, _ = server.accept()
    while data := conn.recv(100):
        conn.send(data.upper())
    sys.exit()
conn = socket.create_connection(("10.2.0.2", 5000), timeout=5)
said = []
for word in b"hello", b"again":
    conn.send(word)
    said.append(conn.recv(100).decode())
    time.sleep(7 if word == b"hello" else 0)
print(*said)
END
bg s python3 "$WORK/quiet.py" serve
wait_for 5 listens s tcp 5000
is "a quiet connection goes on" "$(in_ns c python3 "$WORK/quiet.py" 2>&1)" "HELLO AGAIN"
kept() { ctl "$1" -j show stats all | jq "[.stats[] | select(.name == \"control-keep-alive-$2\").count] | add // 0"; }
cmp_num "keep-alives of r1" "$(kept r1 sent)" -ge 2
is "all of them reached r2" "$(kept r2 received)" "$(kept r1 sent)"
in_ns n nft list chain ip nat filter >"$WORK/invalid"
sed 's/^/# /' "$WORK/invalid"
ok "nothing was out of place for the NAT" grep 'counter packets 0 ' "$WORK/invalid"

# Toward r1 there is no way in.
ctl r2 explain lan0 udp 10.2.0.2:9 10.1.0.2:9 >"$WORK/explain"
is "r2 opens no session toward r1: exit code" $? 1
ok "and says why" grep -q "behind a NAT" "$WORK/explain"
finish
