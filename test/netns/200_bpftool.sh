#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# beside: few
# The data plane as seen by bpftool: maps that can be read, links and programs by name, and attachment by
# hand.
. "$(dirname "$0")/lib.sh"

MODE=xdp
topo_two
# A small table: dumps of it stay short.
start_routers '.router["max-sessions"] = 1000' || exit 1
bg s "$TOP/test/tools/udp_echo.py" 7
wait_for 5 listens s udp 7
ok "a session" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 5
pins=/sys/fs/bpf/fairlead/$TAG-r1/$PIN_VERSION
dump() { bpftool map dump pinned "$pins/$1" 2>"$WORK/err"; }

dump fl_sessions >"$WORK/sessions"
for text in '"state": "FL_SESSION_LIVE"' '"tcp_enforcement": "FL_TCP_ENFORCE_RESET"' '"dport": 7' '"kind": "FL_SIDE_PEER"'; do
	ok "sessions: $text" grep -q -- "$text" "$WORK/sessions"
done
dump fl_flows >"$WORK/flows"
for text in '"kind": "FL_KEY_LAN4"' '"kind": "FL_KEY_PEER"' '"out_kind": "FL_OUT_PEER"' '"state": "FL_FLOW_ESTABLISHED"'; do
	ok "flows: $text" grep -q -- "$text" "$WORK/flows"
done
ok "flows count packets" jq -e '[.[].value | select(.key.kind == "FL_KEY_LAN4") | .packets] | max >= 4' "$WORK/flows"
dump fl_paths >"$WORK/paths"
ok "paths: state" grep -q '"state": "FL_PATH_UP"' "$WORK/paths"
ok "paths: label" grep -q '"label": "r2/wan1"' "$WORK/paths"
ok "paths: addresses as bytes" jq -e '[.[].value.local[0:4]] | any(. == [198,51,100,1])' "$WORK/paths"
in_ns c ping -c1 -W1 192.0.2.1 >/dev/null
dump fl_drops >"$WORK/drops"
ok "names: tenants and services" grep -q '"name": "datacenter"' <(dump fl_names)
in_ns c "$TOP/test/tools/frames.py" send eth0 --src 127.0.0.1 --dst 10.2.0.2 --dmac "$(mac_of r1 lan0)"
ok "drops by name" wait_for 3 sh -c "bpftool map dump pinned $pins/fl_drops | grep -q FL_DROP_BAD_SOURCE"
ok "links are pinned" test -e "$pins/links/xdp-lan0"
is "one XDP link a device" "$(bpftool -j link show pinned "$pins/links/xdp-lan0" | jq -r .type)" xdp
ok "programs are pinned by name" test -e "$pins/progs/fl_xdp_ingress"
ok "listed by name" grep -q fl_xdp_ingress <(bpftool prog show)

# By hand: the link away, the pinned program attached by netlink; the agent accepts it.
in_ns r1 "$BIN/fairleadd" --version >/dev/null
rm "$pins/links/xdp-lan0"
ok "bpftool net attach" in_ns r1 bpftool net attach xdpdrv pinned "$pins/progs/fl_xdp_ingress" dev lan0
ok "sessions go on" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 5
stop_router r1
start_router r1
is "the agent leaves it" "$(ctl r1 -j show interfaces | jq -r '.interfaces[] | select(.name == "lan0").mode')" xdp
ok "and says so" grep -q "by hand" <(ctl r1 -j show interfaces | jq -r '.interfaces[] | select(.name == "lan0").reason')
ok "new sessions" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 5
in_ns r1 bpftool net detach xdpdrv dev lan0
finish
