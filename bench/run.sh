#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# All measurements, or those that ONLY names: writes BUILD/bench/results.json and prints it as a table.
# A missed target is a result, not a failure; it fails when something does not run.
#
# usage: bench/run.sh BUILD        ONLY="transit rtt" ROUNDS=9 bench/run.sh build
set -u

BUILD=$(cd "$1" && pwd)
export BUILD
here=$(cd "$(dirname "$0")" && pwd)
topics="transit stages nat cpu sessions tcp rtt bulk memory scale bfd move failover codec insight zoom web"
only=${ONLY:-$topics}
failed=0

[ "$(id -u)" -eq 0 ] || {
	echo "bench: needs root for network namespaces" >&2
	exit 1
}
mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
RESULTS=$(mktemp -d "${TMPDIR:-/tmp}/fairlead-results.XXXXXX")
export RESULTS
trap 'rm -rf "$RESULTS"' EXIT
trap 'exit 130' INT TERM

for topic in ${only//,/ }; do
	if [ ! -e "$here/$topic.sh" ]; then
		echo "bench: no such topic: $topic (there are: $topics)" >&2
		exit 2
	fi
done
for topic in ${only//,/ }; do
	started=$SECONDS
	echo "== $topic" >&2
	if ! "$here/$topic.sh"; then
		echo "not ok - bench/$topic.sh ended with an error" >&2
		failed=1
	fi
	echo "   $((SECONDS - started)) s" >&2
done

# Figures to one list. Without a sample, a figure says why.
for dir in "$RESULTS"/*/; do
	[ -e "$dir/figure" ] || continue
	jq -s --slurpfile figure "$dir/figure" --arg kernel "$(uname -r)" \
		--arg why "$(cat "$dir/why" 2>/dev/null)" \
		--arg cpu "$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1), $(nproc) CPUs" '
		def met($t; $v):
			($t | split(" ")) as $p |
			if $t == "" or $v == null then null
			elif $p[0] == ">=" then $v >= ($p[1] | tonumber)
			else $v <= ($p[1] | tonumber) end;
		sort as $s | ($s | length) as $n |
		(if $n == 0 then null
		 elif $n % 2 == 1 then $s[($n - 1) / 2]
		 else ($s[$n / 2 - 1] + $s[$n / 2]) / 2 end) as $median |
		$figure[0] as $f |
		{name: $f.name, unit: $f.unit, median: $median, min: $s[0], max: $s[-1], runs: $n,
		 target: (if $f.target == "" then null else $f.target end),
		 met: met($f.target; $median), command: $f.command, kernel: $kernel, cpu: $cpu}
		+ (if $n == 0 then {why: (if $why == "" then "no sample" else $why end)} else {} end)
	' "$dir/samples"
done | jq -s . >"$BUILD/bench/results.json"

# Numbers to read: three or more digits.
jq -r '
	def show: if . == null then "-" elif . >= 1000 then round | tostring
		else (. * 1000 | round / 1000 | tostring) end;
	["FIGURE", "MEDIAN", "MIN", "MAX", "RUNS", "TARGET", "", "UNIT"],
	(.[] | [.name, (.median | show), (.min | show), (.max | show), .runs, (.target // "-"),
		(if .met == null then "" elif .met then "met" else "MISSED" end),
		.unit + (if .why then " (not measured: " + .why + ")" else "" end)]) | @tsv
' "$BUILD/bench/results.json" | column -t -s "$(printf '\t')"
[ "$failed" -eq 0 ] && ! jq -e 'any(.runs == 0 and .why == "no sample")' "$BUILD/bench/results.json" >/dev/null
