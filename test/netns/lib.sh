# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Network namespaces for tests, and routers in them. A script sources this, makes a topology, starts
# routers and checks what real programs see:
#
#   . "$(dirname "$0")/lib.sh"
#   topo_two
#   start_routers
#   ok "ping" in_ns c ping -c1 10.2.0.2
#   finish
#
# Everything a script makes carries its process id in its name and goes away at its end, also when it
# fails. Results are TAP lines. Nothing waits for a fixed time: wait_for waits for a condition.

set -u
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
BIN=${BIN:-$BUILD} # SAN=1 builds are in build/san
TAG=${TAG:-fl$$} # in the name of every namespace and instance
WORK=${WORK:-$(mktemp -d "${TMPDIR:-/tmp}/fairlead-test.XXXXXX")}
MODE=${MODE:-auto} # of every interface: auto, xdp or tc
# Folder of an instance's pins, below its own.
# shellcheck disable=SC2034 # for scripts
PIN_VERSION=v$(sed -n 's/^#define FL_ABI_VERSION //p' "$TOP/common/abi_version.h")

declare -A ROUTER_PID=() # router name -> pid of its fairleadd
PIDS=()                  # other programs in the background
NAMESPACES=()
FAILED=0

# --- results ------------------------------------------------------------------------------------

pass() { echo "ok - $*"; }

fail() {
	echo "not ok - $*"
	FAILED=$((FAILED + 1))
}

skip() { echo "ok - $1 # SKIP $2"; }

# ok WHAT COMMAND...: the command must succeed; its output is shown when it does not.
ok() {
	local what=$1 out
	shift
	if out=$("$@" 2>&1); then
		pass "$what"
	else
		fail "$what ($* ended with $?)"
		printf '%s\n' "$out" | tail -n 20 | sed 's/^/# /'
	fi
}

# no WHAT COMMAND...: the command must fail.
no() {
	local what=$1
	shift
	if "$@" >/dev/null 2>&1; then
		fail "$what ($* succeeded)"
	else
		pass "$what"
	fi
}

# is WHAT GOT WANTED
is() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1: got \"$2\", not \"$3\""
	fi
}

# cmp_num WHAT GOT OPERATOR WANTED, e.g. cmp_num "no loss" "$lost" -eq 0
cmp_num() {
	if test "$2" "$3" "$4" 2>/dev/null; then
		pass "$1 ($2)"
	else
		fail "$1: $2 is not $3 $4"
	fi
}

# wait_for SECONDS COMMAND...: until it succeeds; fails after that time.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# The last thing in a script. With SAN=1 builds, what the sanitizers of the routers found counts.
finish() {
	local name
	for name in "${!ROUTER_PID[@]}"; do
		stop_router "$name"
	done
	if grep -sqE 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$WORK"/r*.log; then
		grep -shE -A12 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$WORK"/r*.log | head -n 40 | sed 's/^/# /'
		fail "the sanitizers found something"
	fi
	exit $((FAILED > 0))
}

# --- namespaces ----------------------------------------------------------------------------------

# in_ns NAME COMMAND...: without `ip netns exec`, which would hide the mounts below /sys
in_ns() {
	local ns=$1
	shift
	nsenter --net="/run/netns/$TAG-$ns" -- "$@"
}

# spawn NAME LOG COMMAND...: in the background; $! is the command itself
spawn() {
	local ns=$1 log=$2
	shift 2
	(exec nsenter --net="/run/netns/$TAG-$ns" -- "$@" >>"$log" 2>&1) &
}

# bg NAME COMMAND...: in the background until the end of the script; output to $WORK/NAME.COMMAND.log
bg() {
	spawn "$1" "$WORK/$1.$(basename "$2").log" "${@:2}"
	PIDS+=($!)
}

add_ns() {
	local ns
	for ns; do
		ip netns add "$TAG-$ns"
		NAMESPACES+=("$TAG-$ns")
		in_ns "$ns" ip link set lo up
		# Addresses at once usable, and the same before and after.
		in_ns "$ns" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
			net.ipv4.ping_group_range='0 2147483647' net.ipv6.conf.default.autoconf=0
	done
}

add_ns_once() {
	[ -e "/run/netns/$TAG-$1" ] || add_ns "$1"
}

# link_ns NS1 DEV1 NS2 DEV2 [MTU]: a cable
link_ns() {
	local mtu=${5:-1500}
	ip link add "$2" mtu "$mtu" netns "$TAG-$1" type veth peer name "$4" mtu "$mtu" netns "$TAG-$3"
	in_ns "$1" ip link set "$2" up
	in_ns "$3" ip link set "$4" up
}

# host_dev NS DEV: an end host's device toward a router whose interface is in XDP mode. Checksums are
# done by the host, because XDP does not see that they are owed; GRO gives the device a receive queue.
host_dev() {
	in_ns "$1" ethtool -K "$2" tx off gro on >/dev/null
}

# mac_of NS DEV
mac_of() {
	in_ns "$1" ip -j link show dev "$2" | jq -r '.[0].address'
}

add_addr() {
	local ns=$1 dev=$2 addr
	shift 2
	for addr; do
		in_ns "$ns" ip addr add "$addr" dev "$dev" nodad 2>/dev/null ||
			in_ns "$ns" ip addr add "$addr" dev "$dev"
	done
}

# wire NS1 DEV NS2 MTU: a link to the device of the same name in NS2, by way of namespace w, where
# everything on it can be recorded (as $DEV): routers in XDP mode leave nothing to be seen on their own
# devices, and the agent sends past the taps.
wire() {
	local dev=$2
	add_ns_once w
	link_ns "$1" "$dev" w "$dev" "$4"
	link_ns "$3" "$dev" w "$dev.b" "$4"
	in_ns w ip link add "br-$dev" mtu "$4" type bridge mcast_snooping 0
	in_ns w sysctl -qw "net.ipv6.conf.br-$dev.disable_ipv6=1"
	in_ns w ip link set "br-$dev" up
	in_ns w ip link set "$dev" master "br-$dev"
	in_ns w ip link set "$dev.b" master "br-$dev"
	host_dev w "$dev"
	host_dev w "$dev.b"
}

# add_hosts ROUTER: addresses and routes of client c on r1's LAN and server s on ROUTER's
add_hosts() {
	add_addr c eth0 10.1.0.2/24 2001:db8:1::2/64
	add_addr r1 lan0 10.1.0.1/24 2001:db8:1::1/64
	add_addr "$1" lan0 10.2.0.1/24 2001:db8:2::1/64
	add_addr s eth0 10.2.0.2/24 2001:db8:2::2/64
	in_ns c ip route add default via 10.1.0.1
	in_ns c ip -6 route add default via 2001:db8:1::1
	in_ns s ip route add default via 10.2.0.1
	in_ns s ip -6 route add default via 2001:db8:2::1
	if [ "$MODE" = xdp ]; then
		host_dev c eth0
		host_dev s eth0
	fi
}

# topo_two [MTU]: client c -- r1 == r2 -- server s, with two links between the routers. With WIRE=1
# the links can be listened to in namespace w, as wan1 and wan2.
topo_two() {
	local mtu=${1:-1500} wan
	add_ns c r1 r2 s
	link_ns c eth0 r1 lan0 "$mtu"
	for wan in wan1 wan2; do
		if [ -n "${WIRE:-}" ]; then
			wire r1 $wan r2 "$mtu"
		else
			link_ns r1 $wan r2 $wan "$mtu"
		fi
	done
	link_ns r2 lan0 s eth0 "$mtu"
	add_addr r1 wan1 198.51.100.1/24 2001:db8:a::1/64
	add_addr r1 wan2 203.0.113.1/24 2001:db8:b::1/64
	add_addr r2 wan1 198.51.100.2/24 2001:db8:a::2/64
	add_addr r2 wan2 203.0.113.2/24 2001:db8:b::2/64
	add_hosts r2
}

# topo_three [MTU]: client c -- r1 == r2 == r3 -- server s; r2 is a middle router without hosts. The
# links can be listened to in namespace w, as wan1 and wan2.
topo_three() {
	local mtu=${1:-1500}
	add_ns c r1 r2 r3 s
	link_ns c eth0 r1 lan0 "$mtu"
	wire r1 wan1 r2 "$mtu"
	wire r2 wan2 r3 "$mtu"
	link_ns r3 lan0 s eth0 "$mtu"
	add_addr r1 wan1 198.51.100.1/24
	add_addr r2 wan1 198.51.100.2/24
	add_addr r2 wan2 203.0.113.1/24
	add_addr r3 wan2 203.0.113.2/24
	add_hosts r3
}

# --- routers -------------------------------------------------------------------------------------

# config_two ROUTER: the configuration of r1 or r2 of topo_two
config_two() {
	jq -n --arg router "$1" --arg mode "$MODE" -f "$TOP/test/netns/config_two.jq"
}

# config_three ROUTER: the configuration of r1, r2 or r3 of topo_three
config_three() {
	jq -n --arg router "$1" --arg mode "$MODE" -f "$TOP/test/netns/config_three.jq"
}

# start_router NAME [CONFIG]: in its namespace; CONFIG defaults to $WORK/NAME.json
start_router() {
	launch_router "$@"
	router_answers "$1"
}

# launch_router NAME [CONFIG]: the same, without waiting for it
launch_router() {
	local name=$1 config=${2:-$WORK/$1.json}
	spawn "$name" "$WORK/$name.log" "$BIN/fairleadd" -i "$TAG-$name" -c "$config" ${DEBUG:+-d}
	ROUTER_PID[$name]=$!
}

# router_answers NAME...: all of them, within a time
router_answers() {
	local name
	for name; do
		wait_for 40 ctl "$name" show stats && continue
		echo "# $name does not answer:"
		tail -n 20 "$WORK/$name.log" | sed 's/^/# /'
		return 1
	done
}

# stop_router NAME [SIGNAL]: the data plane goes on
stop_router() {
	kill "-${2:-TERM}" "${ROUTER_PID[$1]}"
	wait "${ROUTER_PID[$1]}" 2>/dev/null
	unset "ROUTER_PID[$1]"
}

# paths_up ROUTER [COUNT]: all of its paths can be used; as many as that
paths_up() {
	ctl "$1" -j show paths | jq -e --argjson count "${2:-0}" \
		'(.paths | length >= $count) and all(.paths[]; .status == "up")'
}

# wait_paths ROUTER...: their peers have answered, and hold-down is over
wait_paths() {
	local r
	for r; do
		wait_for 10 paths_up "$r" 1 || echo "# paths of $r are not up: $(ctl "$r" show paths)"
	done
}

# start_routers: r1 and r2 of topo_two, with config_two changed by the jq program $1
start_routers() {
	local r
	for r in r1 r2; do
		config_two "$r" | jq "${1:-.}" >"$WORK/$r.json"
		launch_router "$r"
	done
	router_answers r1 r2 || return 1
	wait_paths r1 r2
}

# start_three: r1, r2 and r3 of topo_three, with config_three changed by the jq program $1
start_three() {
	local r
	for r in r1 r2 r3; do
		config_three "$r" | jq "${1:-.}" >"$WORK/$r.json"
		launch_router "$r"
	done
	router_answers r1 r2 r3 || return 1
	wait_paths r1 r2 r3
}

# change_config ROUTER PROGRAM: change the configuration file by a jq program; not applied yet
change_config() {
	jq "$2" "$WORK/$1.json" >"$WORK/$1.json.new" && mv "$WORK/$1.json.new" "$WORK/$1.json"
}

# ctl ROUTER ARGUMENT...: the CLI
ctl() {
	local router=$1
	shift
	"$BIN/fairlead" -i "$TAG-$router" "$@"
}

# drops ROUTER REASON: how many packets
drops() {
	ctl "$1" -j show drops | jq -r --arg reason "$2" '[.drops[] | select(.reason == $reason).packets] | add // 0'
}

# --- captures -------------------------------------------------------------------------------------

CAPTURES=()

# capture NAMESPACE DEVICE [FILTER]: record what passes there, from now on, but for BFD, which never rests.
# In immediate mode a slot of the ring holds the longest packet asked for: with tcpdump's own sizes the ring
# has 8 slots, too few on a busy machine. 64 KiB is the longest a device gives, and 32 MiB hold 256 of them.
capture() {
	local log=$WORK/tcpdump.$1.$2.log
	spawn "$1" "$log" tcpdump --immediate-mode -s 65600 -B 32768 -i "$2" -n -U -w "$WORK/$1.$2.pcap" \
		"${3:+($3) and }not udp port 1280"
	CAPTURES+=($!)
	PIDS+=($!)
	wait_for 5 grep -q "listening on" "$log"
}

# Waits until nothing more comes: tcpdump may be behind on a busy machine.
stop_captures() {
	local pid before after=-1 quiet=0
	while [ $quiet -lt 3 ]; do
		sleep 0.2
		before=$after
		after=$(cat "$WORK"/*.pcap | wc -c)
		quiet=$((before == after ? quiet + 1 : 0))
	done
	for pid in "${CAPTURES[@]}"; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	CAPTURES=()
}

# captured NAMESPACE DEVICE FILTER [OPTION]...: a line for every packet recorded that fits
captured() {
	tcpdump -n -r "$WORK/$1.$2.pcap" "${@:4}" "$3" 2>/dev/null
}

# --- real servers ---------------------------------------------------------------------------------

# serve_web NAME: nginx on port 80, IPv4 and IPv6; /file is 5 MB of random bytes ($WORK/web/file)
serve_web() {
	local dir=$WORK/web-$1
	mkdir -p "$dir" "$WORK/web"
	[ -e "$WORK/web/file" ] || head -c 5000000 /dev/urandom >"$WORK/web/file"
	cat >"$dir/nginx.conf" <<-END
		daemon off;
		user root;
		worker_processes 1;
		pid $dir/pid;
		error_log stderr;
		events { worker_connections 4096; }
		http {
			access_log off;
			client_body_temp_path $dir/body;
			proxy_temp_path $dir/proxy;
			fastcgi_temp_path $dir/fastcgi;
			uwsgi_temp_path $dir/uwsgi;
			scgi_temp_path $dir/scgi;
			keepalive_requests 1000000;
			send_timeout 1h; # a slow client has minutes in the buffers of sockets
			server {
				listen 80 backlog=4096;
				listen [::]:80 backlog=4096;
				root $WORK/web;
				location = / { return 200 "hello\n"; }
				location = /me { return 200 "\$remote_addr\n"; }
			}
		}
	END
	bg "$1" nginx -e stderr -c "$dir/nginx.conf"
	wait_for 5 listens "$1" tcp 80
}

# serve_dns NAME ADDRESS: a DNS server that knows www.example.org
serve_dns() {
	bg "$1" dnsmasq --keep-in-foreground --no-resolv --no-hosts --conf-file=/dev/null \
		--pid-file --log-facility=- --host-record=www.example.org,10.2.0.2,2001:db8:2::2
	wait_for 5 listens "$1" udp 53
}

serve_iperf() {
	bg "$1" iperf3 --server --forceflush
	wait_for 5 listens "$1" tcp 5201
}

# listens NAME tcp|udp PORT
listens() {
	local flag=-t
	[ "$2" = udp ] && flag=-u
	in_ns "$1" ss -Hln "$flag" "sport = :$3" | grep -q .
}

# --- the end --------------------------------------------------------------------------------------

cleanup() {
	local status=$? name pid ns
	trap - EXIT INT TERM
	for name in "${!ROUTER_PID[@]}"; do
		kill "${ROUTER_PID[$name]}" 2>/dev/null
		wait "${ROUTER_PID[$name]}" 2>/dev/null
	done
	for pid in "${PIDS[@]}"; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	for ns in "${NAMESPACES[@]}"; do
		name=${ns#"$TAG-"}
		if [ -e "/sys/fs/bpf/fairlead/$ns" ]; then
			in_ns "$name" "$BIN/fairleadd" -i "$ns" --remove 2>/dev/null
		fi
		rm -rf "/var/lib/fairlead/$ns" # what `export` has queued
		ip netns del "$ns"
	done
	if [ "$status" -ne 0 ] || [ -n "${KEEP_LOGS:-}" ]; then
		for name in "$WORK"/*.log; do
			[ -s "$name" ] && echo "# --- $name" && tail -n 30 "$name" | sed 's/^/# /'
		done
	fi
	rm -rf "$WORK"
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

if [ "$(id -u)" -ne 0 ]; then
	skip "$(basename "$0")" "needs root for network namespaces"
	exit 0
fi
