#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs suites and counts. Every suite prints TAP lines; a suite that prints none, or that ends with an
# error without a "not ok", counts as one failure. The last line is "N passed, N failed, N skipped".
#
# usage: test/run.sh BUILD unit|lint|config|deploy|bpf|netns|san|replay|zoom|insightd|web|fuzz|long|check|all
set -u

build=$1
what=$2
here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
cd "$top" || exit 2

passed=0 failed=0 skipped=0
log_dir=$build/test-logs
mkdir -p "$log_dir"

# one NAME COMMAND...: run a suite; its counts go to the .result file beside its log.
one() {
	local log="$log_dir/${1//\//_}.log" status ok bad skip why="" started=$SECONDS name=$1 cpu
	local TIMEFORMAT='%U %S'
	shift
	# What it waited for counts, with what those waited for: not what others reap.
	cpu=$({ time "$@" >"$log" 2>&1; } 2>&1)
	status=$?
	cpu=$(awk '{ printf "%.0f", $1 + $2 }' <<<"$cpu")
	skip=$(grep -cE '^(not )?ok\b.*# SKIP' "$log")
	ok=$(grep -E '^ok\b' "$log" | grep -cv '# SKIP')
	bad=$(grep -cE '^not ok\b' "$log")
	if [ "$bad" -eq 0 ] && { [ "$status" -ne 0 ] || [ $((ok + skip)) -eq 0 ]; }; then
		bad=1
		why="not ok - $name ended with status $status"
	fi
	printf '%s\n' "$ok" "$bad" "$skip" $((SECONDS - started)) "$cpu" "$why" >"${log%.log}.result"
}

# report NAME: count it, and show what is not plainly ok.
report() {
	local log="$log_dir/${1//\//_}.log" ok bad skip took cpu why
	{ read -r ok && read -r bad && read -r skip && read -r took && read -r cpu && read -r why; } <"${log%.log}.result"
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
	printf '%-28s %4d passed %3d failed %3d skipped  (%d s, CPU %d s)\n' "$1" "$ok" "$bad" "$skip" "$took" "$cpu"
	grep -E '^ok\b.*# SKIP' "$log" | sed 's/^/    /'
	if [ "$bad" -ne 0 ]; then
		[ -z "$why" ] || echo "    $why"
		grep -E '^not ok\b' "$log" | sed 's/^/    /'
		echo "    last lines of $log:"
		tail -n 25 "$log" | sed 's/^/    | /'
	fi
}

# suite NAME COMMAND...: one that nothing else runs beside
suite() {
	one "$@"
	report "$1"
}

# pool SIZE NAME COMMAND...: one that may run beside others, so many at a time, itself among them: the
# smallest SIZE of those that run holds. drain waits for all of them. Each is reported when it has ended.
declare -A pool_names=() pool_sizes=() # by process
pool() {
	local size=$1 most pid
	shift
	while :; do
		reap
		most=$size
		for pid in "${!pool_sizes[@]}"; do
			[ "${pool_sizes[$pid]}" -ge "$most" ] || most=${pool_sizes[$pid]}
		done
		[ "${#pool_sizes[@]}" -ge "$most" ] || break
		sleep 0.1
	done
	one "$@" &
	pool_names[$!]=$1
	pool_sizes[$!]=$size
}

reap() {
	local pid
	for pid in "${!pool_names[@]}"; do
		kill -0 "$pid" 2>/dev/null && continue
		report "${pool_names[$pid]}"
		unset "pool_names[$pid]" "pool_sizes[$pid]"
	done
}

drain() {
	while [ ${#pool_names[@]} -gt 0 ]; do
		reap
		sleep 0.1
	done
}

run_unit() {
	local bin
	for bin in "$build"/test/unit/test_*; do
		[ -x "$bin" ] || continue
		[[ $bin == *.[od] ]] || pool 3 "unit/$(basename "$bin")" "$bin" --tap=- -j1
	done
}

run_config() {
	pool 3 config test/config/run.sh "$build"
}

run_deploy() {
	pool 3 deploy/unit env BUILD="$build" test/deploy/unit.sh
}

run_lint() {
	local script
	for script in test/lint/*.sh; do
		pool 3 "lint/$(basename "$script" .sh)" "$script"
	done
}

# Debian mounts it at boot; containers and minimal systems may not have it.
mount_bpffs() {
	[ "$(id -u)" -ne 0 ] || mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
}

run_bpf() {
	mount_bpffs
	pool 3 bpf/fixtures "$build/test/bpf/runner"
}

# netns_scripts SIZE BESIDE: those that say "# beside: BESIDE", so many at a time
netns_scripts() {
	local script mode modes name beside
	for script in test/netns/[0-9]*.sh; do
		[ -e "$script" ] || continue
		beside=$(sed -n 's/^# beside: //p' "$script")
		[ "${beside:-many}" = "$2" ] || continue
		name=netns/$(basename "$script" .sh)
		modes=$(sed -n 's/^# modes: //p' "$script")
		for mode in ${modes:-auto}; do
			pool "$1" "$name${modes:+-$mode}" env BUILD="$top/$build" MODE="$mode" timeout -k 20 200 "$script"
		done
	done
}

# A script that says "# modes: tc xdp" runs once with each kind of interface. Most wait most of the time,
# and run beside others; "# beside: few" measures times, "# beside: nothing" needs the machine for itself.
run_netns() {
	mount_bpffs
	netns_scripts 3 few
	netns_scripts 4 many
	netns_scripts 1 nothing
}

# End to end with the daemon built by `make SAN=1`: address and undefined-behaviour sanitizers.
run_san() {
	local run
	mount_bpffs
	pool 4 san/insightd env KILLS=5 python3 -B test/insightd/check.py build/san
	for run in 010_traffic:tc 030_policy:auto 040_breakout:xdp 050_middle:tc 070_recovery:auto 080_reload:auto \
		090_mtu:tc 130_strangers:auto 170_limits:auto 180_icmp:xdp 210_security:auto 220_tcp:auto 232_bfd_nat:auto; do
		pool 4 "san/${run/:/-}" env BUILD="$top/$build" BIN="$top/build/san" MODE="${run#*:}" \
			timeout -k 20 200 "test/netns/${run%:*}.sh"
	done
	pool 4 san/web-http timeout -k 20 200 node test/web/http.mjs build/san
}

# The corpus of every fuzz target, without fuzzing.
run_replay() {
	local bin name
	for bin in "$build"/test/fuzz/replay_*; do
		[ -x "$bin" ] || continue
		[[ $bin == *.[od] ]] && continue
		name=${bin##*/replay_}
		pool 3 "replay/$name" "$bin" "test/fuzz/corpus/$name"
	done
}

run_zoom() {
	pool 3 zoom/stub python3 -B test/zoom/check.py "$build"
	pool 3 zoom/prism python3 -B test/zoom/prism.py "$build"
}

run_insightd() {
	pool 3 insightd python3 -B test/insightd/check.py "$build"
}

# The page: its server, then all of it in a browser, then behind insightd itself.
run_web() {
	pool 3 web/http timeout -k 20 120 node test/web/http.mjs "$build"
	pool 3 web/page timeout -k 20 600 node test/web/page.mjs "$build"
	pool 3 web/insightd timeout -k 20 120 node test/web/insightd.mjs "$build"
}

# What takes ten minutes each, or more: a whole table of impaired links, a link that comes and goes, and
# BFD on a host that has no time for it, which nothing may run beside.
run_long() {
	local mode
	mount_bpffs
	for mode in tc xdp; do
		pool 3 "long/300_fpm-$mode" env BUILD="$top/$build" MODE="$mode" FULL=1 test/netns/300_fpm.sh
	done
	pool 3 long/430_failback env BUILD="$top/$build" DURATION=600 test/netns/430_failback.sh
	drain
	suite long/233_bfd_busy env BUILD="$top/$build" DURATION=600 test/netns/233_bfd_busy.sh
}

run_fuzz() {
	suite fuzz test/fuzz/run.sh "$build"
}

# What is needed last is built while others wait: with sanitizers, then the targets of fuzzing.
san_log=$log_dir/san-build.log san_status=$log_dir/san-build.status
build_rest() {
	rm -f "$san_status"
	(
		chrt --idle 0 env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make --no-print-directory -j2 SAN=1 test-san \
			>"$san_log" 2>&1
		echo $? >"$san_status.new"
		mv "$san_status.new" "$san_status"
		chrt --idle 0 test/fuzz/run.sh "$build" 0 >/dev/null 2>&1
	) &
	rest_pid=$!
}

# built_san: it is there; else that counts as a failure.
built_san() {
	until [ -e "$san_status" ]; do sleep 0.1; done
	[ "$(cat "$san_status")" -ne 0 ] || return 0
	echo "not ok - the build with sanitizers; last lines of $san_log:"
	tail -n 25 "$san_log" | sed 's/^/    | /'
	failed=$((failed + 1))
	return 1
}

run_check() {
	run_zoom
	run_insightd
	run_lint
	run_unit
	run_replay
	run_config
	run_deploy
}

case $what in
unit | lint | config | deploy | replay | zoom | insightd | web | check | bpf | netns | san | fuzz | long)
	"run_$what"
	drain
	;;
all)
	build_rest
	run_web
	run_check
	run_bpf
	drain
	mount_bpffs
	netns_scripts 3 few
	netns_scripts 4 many
	built_san && run_san
	netns_scripts 1 nothing
	drain
	# It may have ended long ago, and bash has forgotten it then.
	wait "$rest_pid" 2>/dev/null
	# The same inputs in every run of the tests; `make fuzz` looks for new ones.
	FUZZ_SEED=${FUZZ_SEED:-1} run_fuzz
	;;
*)
	echo "usage: $0 BUILD unit|lint|config|deploy|bpf|netns|san|replay|zoom|insightd|web|fuzz|long|check|all" >&2
	exit 2
	;;
esac
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
