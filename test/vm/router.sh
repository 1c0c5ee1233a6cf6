#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# In a test kernel's machine: two routers with traffic through them, with each kind of interface. Prints TAP.
. "$(dirname "$0")/../netns/lib.sh"

# Emulation is ten times slower.
wait_for() {
	local end=$((SECONDS + $1 * 10))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.2
	done
}

topo_two
start_routers '.router["first-packet-rate"] = {"per-source": 0}' || exit 1
interfaces() { ctl r1 -j show interfaces | jq -r "[.interfaces[].$1] | unique | join(\" \")"; }
is "$MODE: interfaces" "$(interfaces status) $(interfaces mode)" "up $MODE"
ok "$MODE: ping" in_ns c ping -c3 -W5 10.2.0.2
ok "$MODE: ping, IPv6" in_ns c ping -c3 -W5 2001:db8:2::2

head -c 1000000 /dev/urandom >"$WORK/file"
bg s /bb/httpd -f -p 80 -h "$WORK"
wait_for 2 in_ns s /bb/wget -q -O /dev/null http://127.0.0.1/file
in_ns c /bb/wget -q -T 30 -O "$WORK/got" http://10.2.0.2/file
ok "$MODE: 1 MB by TCP" cmp "$WORK/file" "$WORK/got"
in_ns c /bb/wget -q -T 30 -O "$WORK/got6" 'http://[2001:db8:2::2]/file'
ok "$MODE: 1 MB by TCP, IPv6" cmp "$WORK/file" "$WORK/got6"
cmp_num "$MODE: sessions at r2" "$(ctl r2 -j show sessions | jq '.sessions | length')" -ge 4
is "$MODE: nothing failed its proof" "$(drops r2 hmac-mismatch)" 0
no "$MODE: nobody gets elsewhere" in_ns c ping -c1 -W2 192.0.2.1

stop_router r1 KILL
ok "$MODE: pings go on without the agent" in_ns c ping -c1 -W5 10.2.0.2
start_router r1 || exit 1
ok "$MODE: the next one adopts the sessions" grep -q "adopted what was running" "$WORK/r1.log"
in_ns c /bb/wget -q -T 30 -O "$WORK/again" http://10.2.0.2/file
ok "$MODE: new sessions after that" cmp "$WORK/file" "$WORK/again"
finish
