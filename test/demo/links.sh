# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# An act of the demonstration: a link gets bad, then is cut, while a call and a download run. demo.sh
# sources this, and says where it stands ($here).

# What the routers need for it: links watched closely, calls with a service level, downloads without.
# shellcheck disable=SC2034
LINKS_CONFIG='
	.authority.bfd = {"desired-tx-interval": 100, "required-min-rx-interval": 100,
		"link-test-interval": 1} |
	(.. | objects | select(has("ip-address")))."path-metrics-rolling-avg-interval" = 2 |
	.authority."service-policy"[0]."session-resiliency" = "failover" |
	.authority."service-policy" += [{name: "voice", vector: [{name: "wan1"}, {name: "wan2"}],
		"session-resiliency": "failover", "path-quality-filter": true,
		"max-latency": 30, "max-loss": 3}] |
	.authority.service += [{name: "call.datacenter", address: ["10.2.0.0/24"],
		transport: [{protocol: "udp", "port-range": [{"start-port": 7, "end-port": 7}]}],
		"access-policy": [{source: "staff"}], "service-policy": "voice"}]'

# bad_wire DEVICE: `impair` takes the place of the bridge between a wire's two ends in namespace w
bad_wire() {
	local end
	in_ns w ip link del "br-$1"
	for end in "$1" "$1.b"; do
		in_ns w ethtool -K "$end" gro on tso off gso off >/dev/null
		in_ns w ip link set "$end" gro_max_size 1
	done
	bg w "$BUILD/test/tools/impair" -c "$WORK/$1.sock" "$1" "$1.b"
	wait_for 5 "$BUILD/test/tools/impair" -C "$WORK/$1.sock" get
}

all_paths_up() {
	[ "$(ctl r1 -j show paths | jq '[.paths[].status] == ["up", "up"]')" = true ] &&
		[ "$(ctl r2 -j show paths | jq '[.paths[].status] == ["up", "up"]')" = true ]
}

act_links() {
	: "${here:?}"
	local impair=$BUILD/test/tools/impair
	act "A link gets bad, then is cut, during a call and a download"
	bad_wire wan1
	bad_wire wan2
	"$impair" -C "$WORK/wan1.sock" set both delay=5 rate=50 >/dev/null
	"$impair" -C "$WORK/wan2.sock" set both delay=10 rate=50 >/dev/null
	# Paths were down while their wire was changed; what starts now takes the preferred one.
	wait_for 30 all_paths_up
	echo "Calls (UDP port 7) want at most 30 ms one way and 3 % loss; downloads only want to go on."
	in_ns c iperf3 -c 10.2.0.2 -t 25 -R >"$WORK/download.txt" 2>&1 &
	PIDS+=($!)
	in_ns c "$here/links.py" --router "$BUILD/fairlead -i fl-demo-r1" --call 10.2.0.2 7 --seconds 20 \
		--at 4 "wan1 gets bad: 60 ms more each way, 5 % loss" "$impair -C $WORK/wan1.sock set both delay=65 loss=5" \
		--at 12 "wan1 is cut: it carries nothing, and says nothing" "$impair -C $WORK/wan1.sock set both blackhole=1" |
		sed 's/^/    /'
	[ "${PIPESTATUS[0]}" -eq 0 ] || fail "the call"
	show r1 show paths
	"$impair" -C "$WORK/wan1.sock" set both delay=0 loss=0 rate=0 blackhole=0 >/dev/null
	"$impair" -C "$WORK/wan2.sock" set both delay=0 rate=0 >/dev/null
}
