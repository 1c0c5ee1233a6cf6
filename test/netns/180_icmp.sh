#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# modes: tc xdp
# ICMP across the fabric: errors are carried back to the host that caused them, with the addresses that it
# knows (P-24); traceroute shows the way; ICMP that belongs to nothing is dropped.
. "$(dirname "$0")/lib.sh"

topo_two
start_routers || exit 1
cat >"$WORK/probe.py" <<'END'
"""probe.py HOST PORT [TTL]: send a datagram, print the ICMP error that comes back for it."""
import socket, struct, sys
v6 = ":" in sys.argv[1]
s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
if v6:
    s.setsockopt(41, 25, 1)  # IPV6_RECVERR
else:
    s.setsockopt(0, 11, 1)  # IP_RECVERR
if len(sys.argv) > 3:
    s.setsockopt(41 if v6 else 0, 16 if v6 else 2, int(sys.argv[3]))
s.connect((sys.argv[1], int(sys.argv[2])))
s.settimeout(2)
for _ in range(2):  # the first may wait for ARP somewhere
    try:
        s.send(b"probe")
        s.recv(100)
    except OSError:
        pass
    try:
        _, aux, _, _ = s.recvmsg(100, 512, 0x2000 | 0x40)
    except OSError:
        continue
    for _, _, data in aux:
        kind, code = data[5], data[6]
        who = socket.inet_ntop(socket.AF_INET6, data[24:40]) if v6 else socket.inet_ntop(socket.AF_INET, data[20:24])
        print(kind, code, who)
        sys.exit()
print("nothing")
END
probe() { in_ns c python3 "$WORK/probe.py" "$@"; }

is "closed port: told by the server" "$(probe 10.2.0.2 4444)" "3 3 10.2.0.2"
is "closed port, IPv6" "$(probe 2001:db8:2::2 4444)" "1 4 2001:db8:2::2"
is "TTL 1 ends at r1" "$(probe 10.2.0.2 4445 1)" "11 0 10.1.0.1"
is "hop limit 1 ends at r1" "$(probe 2001:db8:2::2 4445 1)" "3 0 2001:db8:1::1"
case $(probe 10.2.0.2 4446 2) in
"11 0 "*) pass "TTL 2 ends at r2, and is told through the session" ;;
*) fail "TTL 2 ends at r2: $(probe 10.2.0.2 4446 2)" ;;
esac
is "TTL 3 arrives" "$(probe 10.2.0.2 4447 3)" "3 3 10.2.0.2"
stat() { ctl "$1" -j show stats all | jq ".stats[] | select(.name == \"$2\").count"; }
cmp_num "r2 carried errors back" "$(stat r2 icmp-errors-translated)" -ge 1

# TCP: a closed port answers with a reset, which is the session's end.
started=$(date +%s%N)
in_ns c curl -sSm3 http://10.2.0.2:4448/ >/dev/null 2>&1
is "TCP to a closed port: no connection" $? 7
cmp_num "and that at once, ms" $((($(date +%s%N) - started) / 1000000)) -lt 500

# An error about a TCP segment travels back to r1 as UDP (P-24).
in_ns s nft "add table inet no; add chain inet no in { type filter hook input priority 0; };
	add rule inet no in tcp dport 4449 reject with icmpx admin-prohibited"
connect() {
	in_ns c python3 -c 'import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
s.settimeout(3)
print(s.connect_ex((sys.argv[1], 4449)))' "$1"
}
before=$(stat r1 icmp-errors-translated)
is "TCP to a forbidden port: EHOSTUNREACH" "$(connect 10.2.0.2)" 113
is "the same over IPv6: EACCES" "$(connect 2001:db8:2::2)" 13
cmp_num "r1 took both errors from r2" "$(stat r1 icmp-errors-translated)" -ge $((before + 2))

# An error may quote no more than 8 bytes of TCP (RFC 792).
mac=$(mac_of r1 lan0)
in_ns s nft "add rule inet no in tcp dport 4450 drop"
in_ns c "$TOP/test/tools/frames.py" send eth0 --proto tcp --src 10.1.0.2 --dst 10.2.0.2 --sport 45000 --dport 4450 --dmac "$mac"
opened() { ctl r2 -j show sessions | jq -e '.sessions[] | select(."destination-port" == 4450)'; }
ok "a connection that nobody answers" wait_for 3 opened
before=$(stat r1 icmp-errors-translated)
quote=4500002812344000400614960a0100020a020002afc8116200000001
in_ns s "$TOP/test/tools/frames.py" send eth0 --proto 1 --src 10.2.0.2 --dst 10.1.0.2 --hex "030d3bc700000000$quote" --dmac "$(mac_of r2 lan0)"
told() { [ "$(stat r1 icmp-errors-translated)" -gt "$before" ]; }
ok "r1 hears of an error that quotes 8 bytes of it" wait_for 3 told

# Errors about nothing that we know, and answers to no question.
inner=450000200000400040110000c0000201c000020300350035000c0000
in_ns c "$TOP/test/tools/frames.py" send eth0 --proto 1 --src 10.1.0.2 --dst 10.2.0.2 --hex "0303fcfc00000000$inner" --dmac "$mac"
in_ns c "$TOP/test/tools/frames.py" send eth0 --proto 1 --src 10.1.0.2 --dst 10.2.0.2 --hex "0000fffe00010000" --dmac "$mac"
wait_for 2 sh -c "\"$BIN/fairlead\" -i $TAG-r1 -j show drops | grep -q icmp-unsolicited"
cmp_num "an answer to no question: icmp-unsolicited" "$(drops r1 icmp-unsolicited)" -ge 1
case $(in_ns c ping -R -c5 -i0.1 -W1 -q 10.2.0.2) in
*" 0% packet loss"*) pass "ping with options, 5 times" ;;
*) fail "pings with options are lost" ;;
esac
ok "ping of 1400 bytes, 20 times" in_ns c ping -c20 -i0.02 -W1 -s 1400 -q 10.2.0.2
finish
