#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# beside: few
# Failback: sessions return a few clients at a time, those of a client together, and none is lost. Then a
# link that comes and goes: sessions do not go back and forth with it, and none dies. DURATION: seconds of
# that (20; ten minutes with DURATION=600).
. "$(dirname "$0")/lib.sh"

DURATION=${DURATION:-20}
WIRE=1
topo_two
start_routers '.authority."service-policy"[0]."session-resiliency" = "revertible-failover"
	| .authority.bfd = {"desired-tx-interval": 100, "required-min-rx-interval": 100, "multiplier": 5, "hold-down-time": 3}
	| .router["first-packet-rate"] = {"per-source": 0}' || exit 1
bg s "$TOP/test/tools/udp_echo.py" 7
wait_for 5 listens s udp 7
serve_web s
head -c 100000000 /dev/urandom >"$WORK/web/big"

for i in $(seq 40); do in_ns c ip addr add "10.1.0.$((100 + i))/24" dev eth0; done
path_up() { ctl "$1" -j show paths | jq -e --arg i "$2" '.paths[] | select(.interface == $i).status == "up"'; }
all_up() { path_up r1 wan1 && path_up r1 wan2 && path_up r2 wan1 && path_up r2 wan2; }
ok "both paths are up" wait_for 20 all_up

# 40 clients with 8 sessions each, that say something now and then.
cat >"$WORK/clients.py" <<'END'
import socket, sys, time, random
end = time.monotonic() + float(sys.argv[1])
socks = []
for host in range(40):
    for n in range(8):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("10.1.0.%d" % (101 + host), 20000 + n))
        s.connect(("10.2.0.2", 7))
        socks.append(s)
asked = answered = 0
while time.monotonic() < end:
    s = random.choice(socks)
    s.settimeout(0.5)
    data = b"%d" % asked
    asked += 1
    try:
        s.send(data)
        while s.recv(100) != data:
            pass
        answered += 1
    except OSError:
        pass
    time.sleep(0.002)
# Every single one still works.
dead = 0
for s in socks:
    for _ in range(3):
        try:
            s.settimeout(1)
            s.send(b"last")
            while s.recv(100) != b"last":
                pass
            break
        except OSError:
            pass
    else:
        dead += 1
print(asked, asked - answered, dead)
END
spawn c "$WORK/clients" python3 "$WORK/clients.py" $((25 + DURATION))
clients=$!
PIDS+=("$clients")
(exec nsenter --net="/run/netns/$TAG-c" -- curl -sf --limit-rate $((100000000 / (25 + DURATION))) -o "$WORK/got" http://10.2.0.2/big) &
download=$!
PIDS+=("$download")

# on ROUTER SIDE INTERFACE: how many sessions
on() { ctl "$1" -j show sessions limit 1000 | jq --arg i "$3" "[.sessions[] | select(.$2.interface == \$i)] | length"; }
all_on() { [ "$(on r1 out "$1")" -ge "$2" ] && [ "$(on r1 out "$1")" = "$(on r2 in "$1")" ]; }
moved() { ctl r1 -j show stats all | jq '[.stats[] | select(.name == "sessions-moved").count] | add'; }
live() { ctl "$1" -j show stats | jq .sessions; }
all_open() { [ "$(live r1)" -ge 321 ]; }
ok "all sessions are open" wait_for 20 all_open
ok "all on wan1" wait_for 5 all_on wan1 321
in_ns r1 ip link set wan1 down
ok "all on wan2" wait_for 10 all_on wan2 321
after_failover=$(moved)
in_ns r1 ip link set wan1 up
# A few at a time: between none and all there are steps, and clients are whole at each.
steps=0 torn=0 before=0
for _ in $(seq 400); do
	now=$(ctl r1 -j show sessions limit 1000 | jq -c '[.sessions[] | select(."destination-port" == 7)] | [
		([.[] | select(.out.interface == "wan1")] | length),
		(group_by(.source) | map([.[].out.interface] | unique | length) | map(select(. > 1)) | length)]')
	[ "$(jq '.[0]' <<<"$now")" = "$before" ] || steps=$((steps + 1))
	before=$(jq '.[0]' <<<"$now")
	torn=$((torn + $(jq '.[1]' <<<"$now")))
	[ "$before" = 320 ] && break
	sleep 0.02
done
is "all have returned" "$before" 320
cmp_num "in steps" "$steps" -ge 3
is "a client's sessions return together" "$torn" 0
cmp_num "each has moved twice" "$(moved)" -le $((2 * after_failover))
ok "r2 answers by wan1" wait_for 5 all_on wan1 321

# An oscillating link, 1 s up, 1 s down: shorter than the hold-down.
moves_before=$(moved) round=0
for ((end = SECONDS + DURATION; SECONDS < end; round++)); do
	in_ns r1 ip link set wan1 down
	sleep 1
	in_ns r1 ip link set wan1 up
	sleep 1
done
cmp_num "rounds" "$round" -ge $((DURATION / 3))
cmp_num "the sessions left it once" $(($(moved) - moves_before)) -le 330
wait $clients
read -r asked lost dead <"$WORK/clients"
echo "# $asked datagrams, $lost without an answer"
is "none of 320 sessions has died" "$dead" 0
cmp_num "datagrams lost, per thousand" $((lost * 1000 / asked)) -le 20
wait $download
is "the download is whole" "$?:$(cmp "$WORK/got" "$WORK/web/big" && echo same)" "0:same"
# The download's own may have been over for a while.
calls() { ctl "$1" -j show sessions limit 1000 | jq '[.sessions[] | select(."destination-port" == 7)] | length'; }
is "no session more or less" "$(calls r1) $(calls r2)" "320 320"
finish
