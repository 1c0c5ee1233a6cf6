#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Security policies between routers: every HMAC and mode, encrypted metadata, key roll-over without a
# loss, a wrong key.
. "$(dirname "$0")/lib.sh"

WIRE=1
topo_two
start_routers || exit 1
bg s "$TOP/test/tools/udp_echo.py" 7
wait_for 5 listens s udp 7
ask() { in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 7 "$@"; }
# security PROGRAM [ROUTER...]: change the policy "fabric", by default on both
security() {
	local r
	for r in ${2:-r1 r2}; do
		change_config "$r" ".authority.security[0] |= ($1)"
		ctl "$r" config apply "$WORK/$r.json" >/dev/null || return 1
	done
}
# on_wire TEXT: times that it can be read in what passes on the WAN while a session is opened
on_wire() {
	capture w wan1 && capture w wan2
	ask --count 3 >/dev/null
	stop_captures
	cat "$WORK/w.wan1.pcap" "$WORK/w.wan2.pcap" | grep -ac "$1"
}
long="000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f"
key='{"security-id": 1, "hmac-key": "'$long'", "encryption-key": "'$long'"}'

security ".encrypt = false"
cmp_num "metadata in clear: the tenant's name is on the wire" "$(on_wire staff)" -ge 1
for cipher in aes-cbc-128 aes-cbc-256; do
	half=${long:0:$([ $cipher = aes-cbc-128 ] && echo 32 || echo 64)}
	ok "$cipher" security ".encrypt = true | .\"encryption-cipher\" = \"$cipher\" | .key = [$key | .\"encryption-key\" = \"$half\"]"
	is "encrypted with $cipher: it is not" "$(on_wire staff)" 0
	ok "sessions" ask --count 3
done
for hmac in sha1 sha256-128 sha256 sha384 sha512; do
	for mode in regular time-based; do
		ok "$hmac, $mode" security ".\"hmac-cipher\" = \"$hmac\" | .\"hmac-mode\" = \"$mode\""
		ok "sessions with $hmac, $mode" ask --count 3
	done
done
ok "no HMAC" security '."hmac-mode" = "disabled"'
ok "sessions without HMAC" ask --count 3

security '."hmac-mode" = "time-based" | ."hmac-cipher" = "sha256-128"'
ok "sessions before the roll-over" ask --count 3 --sport 30000
# P-44: r1 sends with the next key a while before r2 does; both accept both.
next=$(date -u -d '+3 seconds' +%Y-%m-%dT%H:%M:%SZ)
ok "a second key, active in 3 s" security ".key += [.key[0] | .\"security-id\" = 2 | .\"not-before\" = \"$next\" | .\"hmac-key\" = \"${long:0:32}\"]"
lost=0
for _ in $(seq 60); do
	ask --timeout 0.5 >/dev/null || lost=$((lost + 1))
	sleep 0.1
done
is "new sessions all through the roll-over" "$lost" 0
is "the new key is in use" "$(ctl r1 -j show paths | jq -c '[.paths[]."security-id"] | unique')" "[2]"

security '.key = [.key[1] | ."hmac-key" = "ffffffffffffffffffffffffffffffff"]' r1
before=$(drops r2 hmac-mismatch)
no "a wrong key: no session" ask --timeout 0.5
cmp_num "counted at r2" "$(drops r2 hmac-mismatch)" -gt "$before"
is "no key in the logs" "$(cat "$WORK"/*.log | grep -c "${long:0:32}")" 0
is "none in what the CLI prints" "$(ctl r1 config show | grep -c "${long:0:32}")" 0
finish
