#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# In a test kernel's machine: two routers with traffic through them, with each kind of interface. Prints TAP.
. "$(dirname "$0")/lib.sh"

topo_two
start_routers '.router["first-packet-rate"] = {"per-source": 0}' || exit 1
interfaces() { ctl r1 -j show interfaces | jq -r "[.interfaces[].$1] | unique | join(\" \")"; }
is "$MODE: interfaces" "$(interfaces status) $(interfaces mode)" "up $MODE"
ok "$MODE: ping" in_ns c ping -c3 -W5 10.2.0.2
ok "$MODE: ping, IPv6" in_ns c ping -c3 -W5 2001:db8:2::2

head -c 1000000 /dev/urandom >"$WORK/file"
bg s /bb/httpd -f -p 80 -h "$WORK"
wait_for 2 listens s tcp 80
get() { in_ns c curl -sS -m 60 -o "$WORK/got" "http://$1/file" && cmp "$WORK/file" "$WORK/got"; }
ok "$MODE: 1 MB by TCP" get 10.2.0.2
ok "$MODE: 1 MB by TCP, IPv6" get '[2001:db8:2::2]'
cmp_num "$MODE: sessions at r2" "$(ctl r2 -j show sessions | jq '.sessions | length')" -ge 4
is "$MODE: nothing failed its proof" "$(drops r2 hmac-mismatch)" 0
no "$MODE: nobody gets elsewhere" in_ns c ping -c1 -W2 192.0.2.1

# One ping is one session: this one lives through the agent's death, its absence and its return.
spawn c "$WORK/pings" ping -c 1000 10.2.0.2
pings=$!
PIDS+=("$pings")
got() { [ "$(grep -c 'bytes from' "$WORK/pings")" -ge "$1" ]; }
ok "$MODE: a session" wait_for 2 got 2
stop_router r1 KILL
ok "$MODE: goes on without the agent" wait_for 2 got 6
start_router r1 || exit 1
ok "$MODE: the next agent adopts it" grep -q "adopted what was running" "$WORK/r1.log"
ok "$MODE: it goes on" wait_for 2 got $(($(grep -c 'bytes from' "$WORK/pings") + 2))
kill -INT "$pings"
wait "$pings" 2>/dev/null
ok "$MODE: and has lost nothing" grep -q ' 0% packet loss' "$WORK/pings"
ok "$MODE: new sessions after that" get 10.2.0.2
finish
