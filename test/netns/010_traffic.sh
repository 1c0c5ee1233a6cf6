#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# beside: few
# modes: tc xdp
# Real programs across two routers, IPv4 and IPv6, and what is on the wire between the routers.
. "$(dirname "$0")/lib.sh"

topo_two
start_routers || exit 1
serve_web s
serve_dns s
serve_iperf s

ok "ping" in_ns c ping -c3 -i0.1 -W1 10.2.0.2
ok "ping, IPv6" in_ns c ping -c3 -i0.1 -W1 2001:db8:2::2
ok "ping from the server's side" in_ns s ping -c3 -i0.1 -W1 10.1.0.2
ok "ping from the server's side, IPv6" in_ns s ping -c3 -i0.1 -W1 2001:db8:1::2
is "an answer from nginx" "$(in_ns c curl -sSm5 http://10.2.0.2/)" hello
is "an answer from nginx, IPv6" "$(in_ns c curl -sSm5 'http://[2001:db8:2::2]/')" hello
is "nginx sees the client's address" "$(in_ns c curl -sSm5 http://10.2.0.2/me)" 10.1.0.2
for host in 10.2.0.2 '[2001:db8:2::2]'; do
	in_ns c curl -sSm10 -o "$WORK/got" "http://$host/file"
	ok "5 MB from $host arrive unchanged" cmp "$WORK/got" "$WORK/web/file"
done
is "DNS" "$(in_ns c dig +time=2 +tries=1 +short @10.2.0.2 www.example.org)" 10.2.0.2
is "DNS, IPv6" "$(in_ns c dig +time=2 +tries=1 +short @2001:db8:2::2 www.example.org AAAA)" 2001:db8:2::2
is "DNS over TCP" "$(in_ns c dig +tcp +time=2 +tries=1 +short @10.2.0.2 www.example.org)" 10.2.0.2

bulk() {
	in_ns c timeout 20 iperf3 -J -c "$@" -t 2 >"$WORK/iperf.json"
}

bulk 10.2.0.2
cmp_num "TCP bulk, Mb/s" "$(jq '.end.sum_received.bits_per_second / 1e6 | floor' "$WORK/iperf.json")" -gt 500
bulk 2001:db8:2::2 -6 -R
cmp_num "TCP bulk back, IPv6, Mb/s" "$(jq '.end.sum_received.bits_per_second / 1e6 | floor' "$WORK/iperf.json")" -gt 500
bulk 10.2.0.2 -P 4
cmp_num "four at once, Mb/s" "$(jq '.end.sum_received.bits_per_second / 1e6 | floor' "$WORK/iperf.json")" -gt 500
bulk 10.2.0.2 -u -b 100M -l 1200
cmp_num "UDP datagrams" "$(jq '.end.sum.packets' "$WORK/iperf.json")" -gt 15000
in_ns c wrk -t1 -c50 -d2 http://10.2.0.2/ >"$WORK/wrk.txt" 2>&1
cmp_num "requests by wrk" "$(awk '/requests in/ { print $1 }' "$WORK/wrk.txt")" -gt 1000
no "no errors at wrk" grep -E "Socket errors|Non-2xx" "$WORK/wrk.txt"

# Nothing was lost on the way: what a router did not forward would have a reason here.
for r in r1 r2; do
	is "$r dropped nothing" "$(ctl "$r" -j show drops | jq -c '[.drops[] | select(.packets > 0).reason]')" "[]"
done

finish
