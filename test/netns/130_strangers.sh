#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Strangers on the WAN: silence. Packets with broken, forged or replayed metadata; packets of a session on
# a path that is not its; sources that cannot be. Each has its reason, nothing makes state.
. "$(dirname "$0")/lib.sh"

WIRE=1
topo_two
start_routers || exit 1
bg s "$TOP/test/tools/udp_echo.py" 7
wait_for 5 listens s udp 7

count() { ctl "${2:-r2}" -j show stats | jq .sessions; }
mac=$(mac_of r2 wan1)
# from r1's namespace, past its programs: as a host on the WAN would
wan() { in_ns r1 "$TOP/test/tools/frames.py" send wan1 --dmac "$mac" --dst 198.51.100.2 "$@"; }

# refused REASON OPTION...: the packet makes no session and no answer, and has this reason
refused() {
	local reason=$1 before
	shift
	before=$(drops r2 "$reason")
	wan "$@"
	wait_for 2 sh -c "[ \"\$(\"$BIN/fairlead\" -i $TAG-r2 -j show drops | jq '[.drops[] | select(.reason == \"$reason\").packets] | add // 0')\" -gt $before ]"
	cmp_num "$reason: ${*: -1}" "$(drops r2 "$reason")" -gt "$before"
}

cookie=4c48dbc6ddf6670c
capture w wan1 'src host 198.51.100.2 and udp'
refused hmac-mismatch --src 198.51.100.1 --sport 20000 --dport 20001 --hex "${cookie}100c0000$(printf '00%.0s' {1..16})"
refused metadata-malformed --src 198.51.100.1 --sport 20000 --dport 20001 --hex "${cookie}200c0000$(printf '00%.0s' {1..16})"
refused hmac-mismatch --src 198.51.100.1 --sport 20000 --dport 20001 --hex "${cookie}1fff0000"
refused hmac-mismatch --src 198.51.100.1 --sport 20000 --dport 20001 --hex "${cookie}10"
refused key-unknown --src 198.51.100.1 --sport 20000 --dport 20001 --hex "${cookie}1014000000100004000000ff$(printf '00%.0s' {1..16})"
refused unknown-peer --src 198.51.100.9 --sport 20000 --dport 20001 --hex "${cookie}100c0000$(printf '00%.0s' {1..16})"
refused no-session --src 198.51.100.1 --sport 20000 --dport 20001 --payload hello
sleep 0.3
stop_captures
is "no session came of it" "$(count)" 0
is "no answer to anybody, but one question for metadata to the peer" \
	"$(captured w wan1 'not udp[16:2] = 0' | wc -l) $(captured w wan1 'udp' | grep -c 198.51.100.9)" "1 0"

# A session, recorded.
capture w wan1 'src host 198.51.100.1 and udp and not port 1280' &&
	capture w wan2 'src host 203.0.113.1 and udp and not port 1280'
ok "a session" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --sport 30000 --count 3
stop_captures
wan=wan1
[ "$(captured w wan1 udp | wc -l)" -eq 0 ] && wan=wan2
cat >"$WORK/replay.py" <<'END'
import socket, struct, sys
data = open(sys.argv[1], "rb").read()
size = struct.unpack_from("<I", data, 32)[0]
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sock.bind((sys.argv[2], 0x0800))
sock.send(data[40:40 + size])
END
# Its packets belong to that path alone.
other=wan2
[ $wan = wan2 ] && other=wan1
before=$(drops r2 path-symmetry)
in_ns r1 "$TOP/test/tools/frames.py" send $other --dmac "$(mac_of r2 $other)" \
	--src "$(captured w $wan udp | sed -nE '1s/.* IP ([0-9.]+)\.[0-9]+ >.*/\1/p')" \
	--dst "$(captured w $wan udp | sed -nE '1s/.* > ([0-9.]+)\.[0-9]+:.*/\1/p')" \
	--sport "$(captured w $wan udp | sed -nE '1s/.* IP [0-9.]+\.([0-9]+) >.*/\1/p')" \
	--dport "$(captured w $wan udp | sed -nE '1s/.* > [0-9.]+\.([0-9]+):.*/\1/p')" --payload "by the wrong link"
wait_for 2 sh -c "[ \"\$(\"$BIN/fairlead\" -i $TAG-r2 -j show drops | jq '[.drops[] | select(.reason == \"path-symmetry\").packets] | add // 0')\" -gt $before ]"
cmp_num "on another interface: path-symmetry" "$(drops r2 path-symmetry)" -gt "$before"

# A genuine first packet, sent again once its session is deleted (P-45), within the time that its HMAC holds,
# which a busy machine may miss: so up to three times.
before=$(drops r2 metadata-replay)
for port in 30001 30002 30003; do
	capture w wan1 'src host 198.51.100.1 and udp and not port 1280' &&
		capture w wan2 'src host 203.0.113.1 and udp and not port 1280'
	in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --sport $port --count 3 >/dev/null
	stop_captures
	wan=wan1
	[ "$(captured w wan1 udp | wc -l)" -eq 0 ] && wan=wan2
	ctl r2 clear session all >/dev/null
	in_ns r1 python3 "$WORK/replay.py" "$WORK/w.$wan.pcap" $wan
	wait_for 2 sh -c "[ \"\$(\"$BIN/fairlead\" -i $TAG-r2 -j show drops | jq '[.drops[] | select(.reason == \"metadata-replay\").packets] | add // 0')\" -gt $before ]" && break
done
cmp_num "replayed: metadata-replay" "$(drops r2 metadata-replay)" -gt "$before"
is "no session came of it" "$(count)" 0

# Sources that cannot be, on the LAN.
lan=$(mac_of r1 lan0)
for src in 127.0.0.1 224.0.0.5 255.255.255.255 10.1.0.1; do
	before=$(drops r1 bad-source)
	in_ns c "$TOP/test/tools/frames.py" send eth0 --dmac "$lan" --src $src --dst 10.2.0.2
	wait_for 2 sh -c "[ \"\$(\"$BIN/fairlead\" -i $TAG-r1 -j show drops | jq '[.drops[] | select(.reason == \"bad-source\").packets] | add // 0')\" -gt $before ]"
	cmp_num "source $src" "$(drops r1 bad-source)" -gt "$before"
done
finish
