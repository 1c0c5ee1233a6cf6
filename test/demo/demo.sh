#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The demonstration: a branch and a data centre, two routers, two WAN links, real programs.
#
#   client c -- lan0 R1 wan1 ══ wan1 R2 lan0 -- server s
#                       wan2 ══ wan2
#
# usage: demo.sh up|down. KEEP=1 leaves everything up for a look around; `demo.sh down` removes it.
set -u

here=$(cd "$(dirname "$0")" && pwd)
export BUILD=${BUILD:-$here/../../build}
BUILD=$(cd "$BUILD" && pwd) || exit 1
STATE=/run/fairlead-demo

# What `KEEP=1` left: programs by pid, then pins and namespaces.
down() {
	local pid command ns
	if [ -r "$STATE/pids" ]; then
		while read -r pid command; do
			# The pid may be another program's by now.
			[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$command" ] && kill "$pid"
		done <"$STATE/pids"
	fi
	for ns in c r1 r2 s w p{0..11}; do
		[ -e "/run/netns/fl-demo-$ns" ] || continue
		if [ -e "/sys/fs/bpf/fairlead/fl-demo-$ns" ]; then
			until nsenter --net="/run/netns/fl-demo-$ns" -- "$BUILD/fairleadd" -i "fl-demo-$ns" --remove; do
				sleep 0.1
			done
		fi
		rm -rf "/var/lib/fairlead/fl-demo-$ns"
		ip netns del "fl-demo-$ns"
	done
	rm -rf "$STATE"
}

case ${1:-} in
down)
	down
	echo "The demonstration is taken down."
	exit 0
	;;
up) ;;
*)
	echo "usage: $0 up|down" >&2
	exit 2
	;;
esac

if [ "$(id -u)" -ne 0 ]; then
	echo "make demo needs root: it makes network namespaces and loads BPF programs" >&2
	exit 1
fi
down
mkdir -p "$STATE"
mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
TAG=fl-demo
WORK=$STATE
# shellcheck source=../netns/lib.sh
. "$here/../netns/lib.sh"
# shellcheck source=links.sh
. "$here/links.sh"
# shellcheck source=calls.sh
. "$here/calls.sh"

bold=$(tput bold 2>/dev/null || true) plain=$(tput sgr0 2>/dev/null || true)

act() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }

# run NAMESPACE COMMAND...: show the command, then what it says
run() {
	local ns=$1
	shift
	printf '%s%s$ %s%s\n' "$bold" "$ns" "$*" "$plain"
	if ! in_ns "$ns" "$@" 2>&1 | sed 's/^/    /'; then
		fail "$*"
	fi
}

show() {
	printf '%s%s$ fairlead %s%s\n' "$bold" "$1" "${*:2}" "$plain"
	ctl "$@" 2>&1 | sed 's/^/    /'
}

# counters NAMESPACE DEVICE rx|tx: packets and bytes
counters() {
	in_ns "$1" ip -s -j link show dev "$2" | jq -r ".[0].stats64.$3 | \"\(.packets) \(.bytes)\""
}

act "Two sites, two routers, two links between them"
# The links run through a namespace w of their own, where everything on them can be recorded.
WIRE=1
topo_two
if ! start_routers '.router["first-packet-rate"] = {"per-source": 100000, burst: 100000} |'"$LINKS_CONFIG | $CALL_EXPORT"; then
	exit 1
fi
serve_web s && serve_dns s && serve_iperf s
calls_begin
echo "branch client 10.1.0.2 -- R1 == wan1, wan2 == R2 -- server 10.2.0.2 (and 2001:db8:1::2, 2001:db8:2::2)"
show r1 show interfaces
show r1 show paths

act "Real programs, IPv4 and IPv6"
run c ping -c3 -i0.2 10.2.0.2
run c ping -c3 -i0.2 2001:db8:2::2
run c curl -sS http://10.2.0.2/ 'http://[2001:db8:2::2]/'
run c dig +short @10.2.0.2 www.example.org A www.example.org AAAA
run c wrk -t1 -c20 -d3 http://10.2.0.2/
run c iperf3 -c 10.2.0.2 -t 3 -f m

act "No tunnel header: the same bytes on the LAN and on the WAN"
for side in "r1 lan0 rx" "r1 wan1 tx" "r1 wan2 tx"; do
	# shellcheck disable=SC2086
	counters $side
done >"$WORK/before"
echo "20,000 datagrams of 1,200 bytes from the client to the server:"
in_ns c iperf3 -c 10.2.0.2 -u -l 1200 -b 96M -t 2 >"$WORK/iperf-udp.txt" 2>&1
for side in "r1 lan0 rx" "r1 wan1 tx" "r1 wan2 tx"; do
	# shellcheck disable=SC2086
	counters $side
done >"$WORK/after"
paste -d' ' "$WORK/before" "$WORK/after" | awk '
	{ p[NR] = $3 - $1; b[NR] = $4 - $2 }
	END {
		printf "    %-22s %10s %12s %14s\n", "", "packets", "bytes", "bytes/packet"
		printf "    %-22s %10d %12d %14.1f\n", "LAN, into R1", p[1], b[1], b[1] / p[1]
		wp = p[2] + p[3]; wb = b[2] + b[3]
		printf "    %-22s %10d %12d %14.1f\n", "WAN, out of R1", wp, wb, wb / wp
		printf "    %-22s %10s %12d %13.2f%%\n", "difference", "", wb - b[1], 100 * (wb - b[1]) / b[1]
	}'
echo "The WAN's few extra bytes are the metadata of first packets; after that a packet has none."

act "A first packet and a later one on the WAN (tcpdump)"
bg s "$here/../tools/udp_echo.py" 7
wait_for 5 listens s udp 7
in_ns w timeout 10 tcpdump --immediate-mode -l -i wan1 -n -X -c 6 "udp and not port 1280" >"$WORK/tcpdump.txt" 2>/dev/null &
capture=$!
sleep 0.5
in_ns c "$here/../tools/udp_echo.py" --ask 10.2.0.2 7 --count 3 --size 24 >/dev/null
wait "$capture"
sed 's/^/    /' "$WORK/tcpdump.txt"
echo "4c48 dbc6 ddf6 670c starts the metadata of a session's first packets; its HMAC ends them."

act "What the routers know"
show r1 show sessions limit 6
show r2 show sessions limit 4
show r1 show paths
show r1 show drops

act_links

act "Deny by default"
run c bash -c "curl -sS -m2 http://192.0.2.1/; true"
show r1 explain lan0 tcp 10.1.0.2:40000 192.0.2.1:80
show r1 explain lan0 tcp 10.1.0.2:40000 10.2.0.2:80
show r1 show drops

act "Calls, and a link that goes bad under them"
echo "Twelve people of the branch have been in a call since the beginning."
calls_impair
if calls_scene && calls_zoom && calls_insightd; then
	echo "What the calls suffered from, as fairlead-insightd sees it:"
	calls_show
else
	fail "the calls"
fi

if [ -n "${KEEP:-}" ]; then
	for pid in "${ROUTER_PID[@]}" "${PIDS[@]}"; do
		[ ! -e "/proc/$pid/comm" ] || echo "$pid $(cat "/proc/$pid/comm")"
	done >"$STATE/pids"
	trap - EXIT INT TERM
	act "It stays up: look around"
	cat <<-END
		    in the client's namespace:  nsenter --net=/run/netns/fl-demo-c ping 10.2.0.2
		    a router's CLI:             build/fairlead -i fl-demo-r1 show sessions
		                                build/fairlead -i fl-demo-r1 show paths --watch
		    sessions in the kernel:     bpftool map dump pinned /sys/fs/bpf/fairlead/fl-demo-r1/$PIN_VERSION/fl_sessions | less
		    drops in the kernel:        bpftool map dump pinned /sys/fs/bpf/fairlead/fl-demo-r1/$PIN_VERSION/fl_drops
		    packets on the WAN:         nsenter --net=/run/netns/fl-demo-w tcpdump -ni wan1
		    calls and their causes:     build/fairlead -s $STATE/insight-run/insightd.sock zoom calls last 1h
		                                http://localhost:8090/ (the page)
		    the routers' logs:          $STATE/r1.log, $STATE/r2.log
		    take it down:               make demo-down
	END
	exit $((FAILED > 0))
fi
act "Done. \`make demo KEEP=1\` leaves it up to look around."
finish
