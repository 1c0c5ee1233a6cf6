#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TCP enforcement (3.5): what may start a session, what a state does not allow, by policy.
. "$(dirname "$0")/lib.sh"

topo_two
start_routers || exit 1
serve_web s
mac=$(mac_of r1 lan0)
# So that the client's own stack says nothing about segments that it has not sent.
in_ns c nft 'add table ip t; add chain ip t out { type filter hook output priority 0; }; add rule ip t out tcp sport 20000-20999 tcp flags & rst == rst drop'
segment() { in_ns c "$TOP/test/tools/frames.py" send eth0 --proto tcp --src 10.1.0.2 --dst 10.2.0.2 --dmac "$mac" "$@"; }
enforce() {
	local r
	for r in r1 r2; do
		change_config $r ".authority.\"service-policy\"[0].\"transport-state-enforcement\" = \"$1\""
		ctl $r config apply "$WORK/$r.json" >/dev/null
		ctl $r clear session all >/dev/null
	done
}
sessions() { ctl r1 -j show sessions | jq "[.sessions[] | select(.\"source-port\" == $1)] | length"; }
resets() { captured c eth0 "tcp[tcpflags] & tcp-rst != 0 and dst port $1" | wc -l; }

capture c eth0 'tcp and src host 10.2.0.2'
port=20000
for how in reset block strict allow; do
	enforce $how
	port=$((port + 1))
	before=$(drops r1 tcp-not-syn)
	segment --sport $port --dport 80 --flags A --seq 1000 --ack 2000 --payload data
	sleep 0.4
	case $how in
	allow) is "$how: a session in the middle may start" "$(sessions $port)" 1 ;;
	*)
		is "$how: a session in the middle may not start" "$(sessions $port)" 0
		cmp_num "$how: counted" "$(drops r1 tcp-not-syn)" -gt "$before"
		;;
	esac
	resets_wanted=0
	case $how in reset | strict | allow) resets_wanted=1 ;; esac
	is "$how: resets to the sender" "$(resets $port)" $resets_wanted
done

enforce reset
before=$(drops r1 tcp-illegal)
segment --sport 20100 --dport 80 --flags SF
segment --sport 20101 --dport 80 --flags SR
sleep 0.3
cmp_num "SYN with FIN or RST" "$(($(drops r1 tcp-illegal) + $(drops r1 tcp-not-syn)))" -gt "$before"

# strict: a blind reset with a wrong sequence number does not end a connection.
enforce strict
(exec nsenter --net="/run/netns/$TAG-c" -- curl -sSm20 --limit-rate 2M --local-port 20500 -o "$WORK/got" http://10.2.0.2/file) &
download=$!
sleep 0.5
for seq in 1 1000000 4000000000; do
	segment --sport 20500 --dport 80 --flags R --seq $seq
	segment --sport 20500 --dport 80 --flags A --seq $seq --ack 77 --payload evil
done
wait $download
is "strict: the download survives forged segments" "$?" 0
ok "unchanged" cmp "$WORK/got" "$WORK/web/file"
cmp_num "strict: counted as tcp-window" "$(drops r1 tcp-window)" -ge 3

# The end of connections: sessions go with them.
enforce reset
in_ns c curl -sSm5 --local-port 20600 -o /dev/null http://10.2.0.2/
is "after both FINs: closing" "$(ctl r1 -j show sessions | jq -r '.sessions[] | select(."source-port" == 20600).forward.tcp')" closing
left=$(ctl r1 -j show sessions | jq -r '.sessions[] | select(."source-port" == 20600)."timeout-seconds"')
cmp_num "seconds left" "$left" -le 15
cat >"$WORK/again.py" <<'END'
import socket, struct
for n in range(3):  # ended by a reset, then the same port again
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.settimeout(2)
    s.bind(("", 21700))
    s.connect(("10.2.0.2", 80))
    s.send(b"GET / HTTP/1.0\r\n\r\n")
    assert b"200" in s.recv(100)
    s.close()
END
ok "the same port again at once" in_ns c python3 "$WORK/again.py"
finish
