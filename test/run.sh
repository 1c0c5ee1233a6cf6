#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs suites and counts. Every suite prints TAP lines; a suite that prints none, or that ends with an
# error without a "not ok", counts as one failure. The last line is "N passed, N failed, N skipped".
#
# usage: test/run.sh BUILD unit|lint|config|deploy|bpf|netns|san|replay|zoom|insightd|web|fuzz|check|all
set -u

build=$1
what=$2
here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
cd "$top" || exit 2

passed=0 failed=0 skipped=0
log_dir=$build/test-logs
mkdir -p "$log_dir"

# suite NAME COMMAND...: run one, show what is not plainly ok.
suite() {
	local name=$1 log="$log_dir/${1//\//_}.log" status ok bad skip started=$SECONDS
	shift
	"$@" >"$log" 2>&1
	status=$?
	skip=$(grep -cE '^(not )?ok\b.*# SKIP' "$log")
	ok=$(grep -E '^ok\b' "$log" | grep -cv '# SKIP')
	bad=$(grep -cE '^not ok\b' "$log")
	if [ "$bad" -eq 0 ] && { [ "$status" -ne 0 ] || [ $((ok + skip)) -eq 0 ]; }; then
		bad=1
		echo "not ok - $name ended with status $status"
	fi
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
	printf '%-28s %4d passed %3d failed %3d skipped  (%d s)\n' "$name" "$ok" "$bad" "$skip" \
		$((SECONDS - started))
	grep -E '^ok\b.*# SKIP' "$log" | sed 's/^/    /'
	if [ "$bad" -ne 0 ]; then
		grep -E '^not ok\b' "$log" | sed 's/^/    /'
		echo "    last lines of $log:"
		tail -n 25 "$log" | sed 's/^/    | /'
	fi
}

run_unit() {
	local bin
	for bin in "$build"/test/unit/test_*; do
		[ -x "$bin" ] || continue
		[[ $bin == *.[od] ]] || suite "unit/$(basename "$bin")" "$bin" --tap=- -j1
	done
}

run_config() {
	suite config test/config/run.sh "$build"
}

run_deploy() {
	suite deploy/unit env BUILD="$build" test/deploy/unit.sh
}

run_lint() {
	local script
	for script in test/lint/*.sh; do
		suite "lint/$(basename "$script" .sh)" "$script"
	done
}

# Debian mounts it at boot; containers and minimal systems may not have it.
mount_bpffs() {
	[ "$(id -u)" -ne 0 ] || mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
}

run_bpf() {
	mount_bpffs
	suite bpf/fixtures "$build/test/bpf/runner"
}

# A script that says "# modes: tc xdp" runs once with each kind of interface.
run_netns() {
	mount_bpffs
	local script mode modes name
	for script in test/netns/[0-9]*.sh; do
		[ -e "$script" ] || continue
		name=netns/$(basename "$script" .sh)
		modes=$(sed -n 's/^# modes: //p' "$script")
		for mode in ${modes:-auto}; do
			suite "$name${modes:+-$mode}" env BUILD="$top/$build" MODE="$mode" timeout -k 20 200 "$script"
		done
	done
}

# End to end with the daemon built by `make SAN=1`: address and undefined-behaviour sanitizers.
run_san() {
	local run
	mount_bpffs
	suite san/insightd env KILLS=5 python3 -B test/insightd/check.py build/san
	for run in 010_traffic:tc 030_policy:auto 040_breakout:xdp 050_middle:tc 070_recovery:auto 080_reload:auto \
		090_mtu:tc 130_strangers:auto 170_limits:auto 180_icmp:xdp 210_security:auto 220_tcp:auto 232_bfd_nat:auto; do
		suite "san/${run/:/-}" env BUILD="$top/$build" BIN="$top/build/san" MODE="${run#*:}" \
			timeout -k 20 200 "test/netns/${run%:*}.sh"
	done
	suite san/web-http timeout -k 20 200 node test/web/http.mjs build/san
}

# The corpus of every fuzz target, without fuzzing.
run_replay() {
	local bin name
	for bin in "$build"/test/fuzz/replay_*; do
		[ -x "$bin" ] || continue
		[[ $bin == *.[od] ]] && continue
		name=${bin##*/replay_}
		suite "replay/$name" "$bin" "test/fuzz/corpus/$name"
	done
}

run_zoom() {
	suite zoom/stub python3 -B test/zoom/check.py "$build"
	suite zoom/prism python3 -B test/zoom/prism.py "$build"
}

run_insightd() {
	suite insightd python3 -B test/insightd/check.py "$build"
}

# The page: its server, then all of it in a browser, then behind insightd itself.
run_web() {
	suite web/http timeout -k 20 120 node test/web/http.mjs "$build"
	suite web/page timeout -k 20 600 node test/web/page.mjs "$build"
	suite web/insightd timeout -k 20 120 node test/web/insightd.mjs "$build"
}

run_fuzz() {
	suite fuzz test/fuzz/run.sh "$build"
}

case $what in
unit | lint | config | deploy | bpf | netns | san | replay | zoom | insightd | web | fuzz) "run_$what" ;;
check)
	run_lint
	run_unit
	run_replay
	run_config
	run_deploy
	run_zoom
	run_insightd
	;;
all)
	run_lint
	run_unit
	run_replay
	run_config
	run_deploy
	run_zoom
	run_insightd
	run_web
	run_bpf
	run_netns
	run_san
	run_fuzz
	;;
*)
	echo "usage: $0 BUILD unit|lint|config|deploy|bpf|netns|san|replay|zoom|insightd|web|fuzz|check|all" >&2
	exit 2
	;;
esac
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
