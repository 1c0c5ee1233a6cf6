#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes every test/fuzz/fuzz_<name>.c with libFuzzer and sanitizers: first its corpus, then new inputs
# for a while, all targets at once. The sources that a target links are FUZZ_<name> in the Makefile.
# Inputs that do harm are kept in BUILD/fuzz/. FUZZ_SEED is where chance begins (0: elsewhere each time).
#
# usage: test/fuzz/run.sh BUILD [seconds]
set -u
cd "$(dirname "$0")/../.." || exit 2

build=$1
seconds=${2:-${FUZZ_SECONDS:-60}}
seed=${FUZZ_SEED:-0}
out=$build/fuzz
cc=${FUZZ_CC:-clang-14}

if ! command -v "$cc" >/dev/null; then
	echo "ok - fuzz # SKIP $cc is not installed"
	exit 0
fi
names=()
for source in test/fuzz/fuzz_*.c; do
	name=${source#test/fuzz/fuzz_}
	names+=("${name%.c}")
done
mkdir -p "$out"
# Flags of a make that runs this script are not meant for this one.
if ! env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s B="$build" FUZZ_CC="$cc" \
	"${names[@]/#/$out/fuzz_}" 2>&1; then
	echo "not ok - fuzz targets do not build"
	exit 1
fi

# harm NAME LOG: say which input did it, in one line.
harm() {
	local kept
	kept=$(grep -oP 'Test unit written to \K.*|^Running: \K.*' "$2" | tail -1)
	grep -vE '^(INFO|Running|Executed)|^#[0-9]' "$2" | tail -40
	echo "not ok - $1${kept:+ by $kept}"
}

# replay NAME: the corpus, one input after the other.
replay() {
	local log=$out/$1.replay.log files=(test/fuzz/corpus/"$1"/*)
	if "$out/fuzz_$1" -timeout=10 "${files[@]}" >"$log" 2>&1; then
		echo "ok - $1: ${#files[@]} inputs of the corpus"
	else
		harm "$1: corpus" "$log"
		return 1
	fi
}

# fuzz NAME: new inputs; what is learned stays in BUILD for the next time.
fuzz() {
	local log=$out/$1.log
	mkdir -p "$out/corpus/$1"
	"$out/fuzz_$1" -seed="$seed" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 \
		-print_final_stats=1 -artifact_prefix="$out/$1-" "$out/corpus/$1" \
		"test/fuzz/corpus/$1" >"$log" 2>&1
}

status=0
pids=()
fuzzed=()
for name in "${names[@]}"; do
	if ! replay "$name"; then
		status=1
	elif [ "$seconds" -gt 0 ]; then
		fuzz "$name" &
		pids+=($!)
		fuzzed+=("$name")
	fi
done
for i in "${!pids[@]}"; do
	name=${fuzzed[$i]}
	if wait "${pids[$i]}"; then
		runs=$(grep -oP 'number_of_executed_units: \K.*' "$out/$name.log")
		echo "ok - $name: $runs executions in $seconds s"
	else
		harm "$name" "$out/$name.log"
		status=1
	fi
done
exit $status
