#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# modes: tc xdp
# The command line: of every verb the table's columns, the JSON's names, and the exit code; and what doctor
# finds, of a host that is fit and of one that is not.
. "$(dirname "$0")/lib.sh"

topo_two
start_routers || exit 1
bg s "$TOP/test/tools/udp_echo.py" 7
wait_for 5 listens s udp 7
ok "a session" in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 --count 3 --sport 30000
in_ns c ping -c1 -W1 192.0.2.1 >/dev/null # something that is denied
uuid=$(ctl r1 -j show sessions | jq -r '.sessions[0].id')

# code WANTED ARGUMENT...: the exit code; output in $WORK/out
code() {
	local wanted=$1
	shift
	"$BIN/fairlead" -i "$TAG-r1" "$@" >"$WORK/out" 2>"$WORK/err"
	is "exit code of: $*" $? "$wanted"
}

# verb COLUMNS FILTER ARGUMENT...: exit code 0; a line of the table has these columns in this order; the JSON
# has what the jq program FILTER asks for
verb() {
	local columns=$1 filter=$2
	shift 2
	code 0 "$@"
	ok "table of: $*" grep -qE "${columns// /.*}" "$WORK/out"
	code 0 -j "$@"
	ok "JSON of: $*" jq -e "$filter" "$WORK/out"
}

verb 'Session.Id Dir Service Tenant Dev.Name Intf.Name VLAN Proto Src.IP Src.Port Dest.IP Dest.Port NAT.IP NAT.Port Timeout Uptime' \
	'.sessions[0] | .id and .service == "datacenter" and ."source-port" == 30000' show sessions
verb 'datacenter' '.sessions | length == 1' show sessions service datacenter
code 0 -j show sessions service branch
ok "no session of another service" jq -e '.sessions == []' "$WORK/out"
verb "$uuid" '.sessions[0] | .id == "'"$uuid"'" and .forward.packets > 0' show session "$uuid"
verb 'Peer Interface Local Remote Status MTU Cost' '.paths | length == 2 and all(.[]; .peer == "r2" and .status == "up")' show paths
verb 'Peer Network.Interface Destination Status Path.MTU Waypoints' '.peers[0] | .peer == "r2" and (.paths | length) == 2' show peers
verb 'Service Prefixes Transport Tenant.Allowed Service-Policy State Sessions' \
	'[.services[].service] | sort == ["branch", "datacenter"]' show services
verb 'IP.Prefix Port,.Proto Tenant Service Next.Hop' '.count >= 4 and (.entries | length) == .count' show fib
verb 'Name Device VLAN Status Mode MTU Tenant' \
	'.interfaces | length == 3 and all(.[]; .status == "up" and (.mode | startswith("'"$MODE"'")))' show interfaces
verb 'Reason Packets Meaning' '.drops[] | select(.reason == "no-service").packets >= 1' show drops
verb 'malformed' '.drops | length > 40' show drops all
verb 'sessions-opened' '.sessions == 1 and (.stats | length) > 0' show stats
verb 'control-delete-sent' '[.stats[].name] | index("control-delete-sent") != null' show stats all
verb 'r1' '.pid > 0' show status
verb 'staff' '.access | map(select(.tenant == "staff" and .access == "allow")) | length == 2' explain
verb 'allowed' '.allowed and (.candidates | map(select(.chosen)) | length) == 1' explain lan0 udp 10.1.0.2:1 10.2.0.2:7
verb 'allowed' '.allowed' explain r2 udp 10.2.0.2:1 10.1.0.2:7 tenant staff
verb 'allowed' '.allowed' explain session "$uuid"
verb 'router' '.router.name == "r1"' config show
ok "no secret in it" sh -c "! \"$BIN/fairlead\" -i $TAG-r1 config show | grep -q 00010203040506070809"
verb 'half-open' '.router."half-open-connection-limit" == 0' config show --defaults
code 0 config schema
ok "the schema is JSON" jq -e '.properties.router' "$WORK/out"
code 0 config check "$WORK/r1.json"
jq '.router."max-sesions" = 5' "$WORK/r1.json" >"$WORK/bad.json"
jq '.authority.tenant += [{name: "guests"}]' "$WORK/r1.json" >"$WORK/new.json"
code 3 config check "$WORK/bad.json"
ok "says what is meant" grep -q 'max-sessions' "$WORK/out"
code 3 -j config check "$WORK/bad.json"
ok "JSON: pointer and problem" jq -e '.findings[0] | .pointer and .problem' "$WORK/out"
code 1 -j config diff "$WORK/new.json"
ok "what would change" jq -e '.changes | length >= 1' "$WORK/out"
code 3 config apply "$WORK/bad.json"
code 0 config apply "$WORK/new.json"
code 0 config apply

# Negative answers, and nonsense.
code 1 explain lan0 udp 10.1.0.2:1 192.0.2.1:7
ok "denied, by its reason" grep -q 'denied: no-service' "$WORK/out"
code 1 -j explain lan0 udp 10.1.0.2:1 192.0.2.1:7
ok "JSON: the reason" jq -e '.reason == "no-service"' "$WORK/out"
code 1 show session 00000000-0000-4000-8000-000000000000
code 2 show session nonsense
code 2 show
code 2 show sessions limit x
ok "what a limit is" grep -q '"x" is no limit: a number from 1 on' "$WORK/err"
code 2 show sessions limit 0
for port in 99999 -1 "" 80x; do
	code 2 explain lan0 udp 10.1.0.2:1 "10.2.0.2:$port"
	is "only what is wrong" "$(cat "$WORK/err")" "fairlead: \"$port\" is no port: 0 to 65535 (IPv6: [ADDRESS]:PORT)"
done
code 2 explain lan0 udp 10.1.0.2:1 '[2001:db8::1'
ok "how it is written" grep -q 'write \[ADDRESS\]' "$WORK/err"
for name in . .. .hidden a/b v2 v2x "$(printf 'x%.0s' {1..33})"; do
	"$BIN/fairlead" -i "$name" show status >/dev/null 2>"$WORK/err"
	is "instance $name: exit code" $? 2
	ok "and why" grep -q 'an instance name has' "$WORK/err"
	"$BIN/fairleadd" -i "$name" --check -c "$WORK/r1.json" >/dev/null 2>"$WORK/err"
	is "the same of the agent" $? 2
done
code 2 explain lan9 udp 10.1.0.2:1 10.2.0.2:7
code 2 explain lan0 udp
code 2 clear session
code 2 frobnicate
code 2 --frobnicate
code 2 --watch doctor
code 2
code 0 --help
code 0 --version
setpriv --reuid=64242 --regid=64242 --clear-groups "$BIN/fairlead" -i "$TAG-r1" show paths >/dev/null 2>&1
is "exit code of a user who may not" $? 4
timeout 3 "$BIN/fairlead" -i "$TAG-r1" --watch 1 show paths >"$WORK/out"
is "--watch goes on" $? 124
cmp_num "and shows again" "$(grep -c Peer "$WORK/out")" -ge 2
code 0 clear session "$uuid"
code 1 clear session "$uuid"
code 0 clear session all

# doctor: as root, with the agent, in its namespace.
doctor() { in_ns r1 "$BIN/fairlead" -i "$TAG-r1" doctor "$@"; }
found() { jq -e --arg level "$1" --arg text "$2" '.findings[] | select(.level == $level and (.finding | test($text)))' "$WORK/doctor"; }
doctor -j >"$WORK/doctor"
code=$?
is "doctor's exit code is its verdict" $code "$(jq 'if .fit then 0 else 1 end' "$WORK/doctor")"
ok "the kernel will do" found ok '^kernel [0-9]'
ok "bpffs" found ok 'is a bpffs'
ok "the agent answers" found ok 'agent runs and answers'
ok "privileges" found ok 'has what the agent needs'
ok "each device" found ok '^wan1: .*driver veth, MTU 1500'
if [ "$MODE" = xdp ]; then
	says=yes
	[ "$(printf '%s\n' 6.3 "$(uname -r)" | sort -V | head -n1)" = 6.3 ] || says=
	is "what its driver says of XDP, where the kernel passes it on (6.3)" \
		"$(found ok '^wan1: its driver has native XDP and redirect, multi-buffer, too' >/dev/null && echo yes)" "$says"
	# A device of another kind, which has no XDP of its own.
	jq '.router."device-interface"[2] |= (.ifname = "lo" | .mode = "xdp")' "$WORK/r1.json" >"$WORK/lo.json"
	in_ns r1 "$BIN/fairlead" -i "$TAG-none" -j doctor --config "$WORK/lo.json" >"$WORK/doctor"
	is "a device without XDP: exit code" $? 1
	is "the driver says so, where the kernel does (6.3)" "$(found FAIL '^lo: its driver has no native XDP' >/dev/null && echo yes)" "$says"
fi
doctor >"$WORK/out"
ok "its table" grep -qE '^ok +kernel' "$WORK/out"
# Ports of source NAT, where an interface has it.
no "without source NAT: no word of ports" found warn 'ports of source NAT'
jq '.router."device-interface"[1]."network-interface"[0]."source-nat" = true' "$WORK/r1.json" >"$WORK/nat.json"
in_ns r1 "$BIN/fairlead" -i "$TAG-none" -j doctor --config "$WORK/nat.json" >"$WORK/doctor"
ok "source NAT: its ports are this host's, too" found warn 'ports of source NAT'
in_ns r1 sysctl -qw net.ipv4.ip_local_port_range='1024 16383'
in_ns r1 "$BIN/fairlead" -i "$TAG-none" -j doctor --config "$WORK/nat.json" >"$WORK/doctor"
ok "and no longer" found ok 'use different ports'
in_ns r1 ip link set wan2 down
wait_for 5 sh -c "\"$BIN/fairlead\" -i $TAG-r1 -j show interfaces | grep -q '\"down\"'"
doctor -j >"$WORK/doctor"
ok "a device that is down" found warn '^wan2 is down'
ok "and what to do" jq -e '.findings[] | select(.finding == "wan2 is down").cure | test("ip link set")' "$WORK/doctor"
in_ns r1 "$BIN/fairlead" -i "$TAG-none" -j doctor --config "$WORK/bad.json" >"$WORK/doctor"
is "a bad file: exit code" $? 1
ok "no agent is a warning" found warn 'does not run'
ok "the file is the failure" found FAIL 'cannot be used'
stop_router r1
code 5 show paths
code 5 -j show paths
finish
