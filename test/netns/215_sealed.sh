#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# modes: tc xdp
# "hmac-packets": "all": what routers send each other in a session ends with an HMAC, also after the
# handshake. Real programs notice nothing but the MTU; what somebody else sends on a session's waypoints
# goes nowhere.
. "$(dirname "$0")/lib.sh"

WIRE=1
topo_two
start_routers '.authority.security[0]."hmac-packets" = "all"' || exit 1
serve_web s
bg s "$TOP/test/tools/udp_echo.py" 7
wait_for 5 listens s udp 7
ask() { in_ns c "$TOP/test/tools/udp_echo.py" --ask "$@"; }
stat_of() { ctl "$1" -j show stats all | jq "[.stats[] | select(.name == \"$2\").count] | add // 0"; }

ok "ping" in_ns c ping -c3 -i0.1 -W1 10.2.0.2
ok "ping, IPv6" in_ns c ping -c3 -i0.1 -W1 2001:db8:2::2
cat >"$WORK/echo.py" <<'END'
import os, socket, sys
for family, host in (socket.AF_INET, "10.2.0.2"), (socket.AF_INET6, "2001:db8:2::2"):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout(2)
    s.connect((host, 7))
    for size in (1, 15, 16, 17, 63, 64, 65, 500, 1400):
        for _ in range(2):
            data = os.urandom(size)
            s.send(data)
            got = s.recv(65536)
            assert got == data, (host, size, len(got))
END
ok "UDP of several lengths" in_ns c python3 "$WORK/echo.py"
ok "5 MB by TCP" in_ns c curl -sf -m 60 -o "$WORK/got" http://10.2.0.2/file
ok "as they were" cmp "$WORK/got" "$WORK/web/file"
ok "5 MB by TCP, IPv6" in_ns c curl -sf -m 60 -o "$WORK/got6" "http://[2001:db8:2::2]/file"
ok "as they were, too" cmp "$WORK/got6" "$WORK/web/file"

# An established session on the wire: 6 bytes of the user, and 16.
added=$(stat_of r1 hmac-added) verified=$(stat_of r2 hmac-verified)
ask 10.2.0.2 7 --count 2 --sport 31000 >/dev/null
capture w wan1 && capture w wan2
ok "an established session" ask 10.2.0.2 7 --count 10 --sport 31000
stop_captures
cmp_num "r1 has added HMACs" $(($(stat_of r1 hmac-added) - added)) -ge 10
cmp_num "r2 has proven them" $(($(stat_of r2 hmac-verified) - verified)) -ge 10
wire=$({ captured w wan1 udp -v; captured w wan2 udp -v; } | grep -oE 'UDP, length [0-9]+' | sort -u)
is "all are as long" "$wire" "UDP, length $((32 + 16))"
is "none was refused" "$(drops r1 hmac-mismatch) $(drops r2 hmac-mismatch)" "0 0"

# What somebody else sends from r1's address on that session's ports.
waypoints() { ctl r1 -j show sessions | jq -r '.sessions[] | select(."source-port" == 31000) | '"$1"; }
forge() {
	local id out
	id=$(waypoints .id)
	out=$(ctl r1 -j show session "$id")
	in_ns r1 python3 - "$(jq -r '.. | objects | select(.["local-waypoint"]?) | [.device, .["local-waypoint"], .["local-port"], .["remote-waypoint"], .["remote-port"]] | join(" ")' <<<"$out")" <<-'END'
		import socket, struct, subprocess, sys, json
		dev, src, sport, dst, dport = sys.argv[1].split()
		own = json.loads(subprocess.check_output(["ip", "-j", "link", "show", dev]))[0]["address"]
		far = json.loads(subprocess.check_output(["ip", "-j", "neigh", "show", dst, "dev", dev]))[0]["lladdr"]
		data = b"not of r1, and no HMAC of its key at the end"
		ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(data), 7, 0x4000, 64, 17, 0, socket.inet_aton(src), socket.inet_aton(dst))
		total = sum(struct.unpack("!10H", ip))
		total = (total & 0xffff) + (total >> 16)
		total = (total & 0xffff) + (total >> 16)
		ip = ip[:10] + struct.pack("!H", ~total & 0xffff) + ip[12:]
		frame = bytes.fromhex(far.replace(":", "") + own.replace(":", "")) + b"\x08\x00" + ip
		frame += struct.pack("!HHHH", int(sport), int(dport), 8 + len(data), 0) + data
		s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
		s.bind((dev, 0))
		for _ in range(5):
		    s.send(frame)
	END
}
forwarded() { ctl r2 -j show session "$(waypoints .id)" | jq -e ".sessions[0].forward.packets"; }
before=$(forwarded)
ok "forged packets" forge
wait_for 5 eval '[ "$(drops r2 hmac-mismatch)" -eq 5 ]'
is "are counted" "$(drops r2 hmac-mismatch)" 5
is "and go nowhere" "$(forwarded)" "$before"

# The same without: this is what it is for. A router that does not ask for HMACs any more is not sent
# them, or it would take them for user data; one that still does gets none, and takes nothing.
# asked FROM PACKETS: what FROM sends with an HMAC, once it has heard of it
asked() { [ "$(ctl "$1" -j show paths | jq -r '[.paths[]."hmac-packets"] | unique | join(" ")')" = "$2" ]; }
apply() {
	change_config "$1" ".authority.security[0].\"hmac-packets\" = \"$2\""
	ctl "$1" config apply "$WORK/$1.json"
}
ok "both send all with one" eval 'asked r1 all && asked r2 all'
ok "r2: only metadata" apply r2 metadata
ok "r1 hears of it" wait_for 5 asked r1 metadata
before=$(drops r1 hmac-mismatch)
no "r1 does not take what r2 sends without" ask 10.2.0.2 7 --count 2 --sport 31000 --timeout 0.5
cmp_num "and counts it" "$(drops r1 hmac-mismatch)" -gt "$before"
ok "r1: only metadata" apply r1 metadata
ok "the session goes on" ask 10.2.0.2 7 --count 3 --sport 31000
before=$(forwarded)
ok "forged packets" forge
want=$((before + 5))
wait_for 5 eval '[ "$(forwarded)" -eq "$want" ]'
is "are forwarded now" "$(forwarded)" "$want"
ok "r1: all again" apply r1 all
is "which r2 has not asked for" "$(ctl r1 -j show paths | jq -r '[.paths[]."hmac-packets"] | unique[]')" metadata
ok "r2: all again" apply r2 all
ok "both send all with one again" wait_for 5 eval 'asked r1 all && asked r2 all'
ok "and the session goes on" ask 10.2.0.2 7 --count 3 --sport 31000

# A new process knows what the last one had agreed on.
kill -9 "${ROUTER_PID[r1]}"
wait "${ROUTER_PID[r1]}" 2>/dev/null
before=$(drops r2 hmac-mismatch)
bg c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 200 --gap 0.02 --sport 31000
asking=$!
start_router r1
wait $asking
is "no packet lost by the restart of r1" "$?" 0
is "none refused" "$(drops r2 hmac-mismatch)" "$before"
finish
