#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A router loses its state (3.4): the other one is asked for metadata and tells it again; sessions go on
# with the same id, whichever side has lost them.
. "$(dirname "$0")/lib.sh"

topo_two
# Without BFD, which would tell them before they have to ask (230_bfd.sh).
start_routers '.authority.bfd.state = "disabled"' || exit 1
bg s "$TOP/test/tools/udp_echo.py" 7
wait_for 5 listens s udp 7
serve_iperf s

# forget ROUTER: its data plane is removed, then it starts from nothing
forget() {
	stop_router "$1"
	in_ns "$1" "$BIN/fairleadd" -i "$TAG-$1" --remove
	start_router "$1"
}

session() { ctl "$1" -j show sessions | jq -r '.sessions[] | select(."source-port" == 30000)'; }

ask() { in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --sport 30000 "$@"; }

ok "a session" ask --count 10
id=$(session r1 | jq -r .id)

forget r2 || exit 1
ok "the responder's router has forgotten it: at most 2 datagrams are lost" ask --count 20 --timeout 0.3 --lost 2
is "same id at r1" "$(session r1 | jq -r .id)" "$id"
is "same id at r2" "$(session r2 | jq -r .id)" "$id"
is "established again" "$(session r1 | jq -r .forward.handshake) $(session r2 | jq -r .reverse.handshake)" \
	"established established"
stat() { ctl "$1" -j show stats all | jq ".stats[] | select(.name == \"$2\").count"; }
cmp_num "r2 asked for metadata" "$(stat r2 control-enable-metadata-sent)" -ge 1
cmp_num "r1 was asked" "$(stat r1 control-enable-metadata-received)" -ge 1

forget r1 || exit 1
ok "the initiator's router has forgotten it: a new session, same program" ask --count 20 --timeout 0.3 --lost 2
is "one session at r2" "$(ctl r2 -j show sessions | jq '[.sessions[] | select(."source-port" == 30000)] | length')" 1

# An upload over a router that forgets everything in between: what the client sends again brings the
# session back. (A download would wait for the client to say something.)
(exec nsenter --net="/run/netns/$TAG-c" -- iperf3 -c 10.2.0.2 -t 4 -b 50M -J >"$WORK/iperf.json") &
upload=$!
sleep 1
forget r2
wait $upload
is "the upload ends well" "$?" 0
cmp_num "Mb/s in its last second" "$(jq '.intervals[-1].sum.bits_per_second / 1e6 | floor' "$WORK/iperf.json")" -gt 20

# P-20: an operator's deletion reaches the other router.
ok "another session" ask --count 3 --lost 1
id=$(session r1 | jq -r .id)
ok "cleared at r1" ctl r1 clear session "$id"
no_session() { [ -z "$(session r2)" ]; }
wait_for 3 no_session || true
is "gone at r2" "$(session r2)" ""
finish
