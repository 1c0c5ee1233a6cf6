#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The acceptance list of the Zoom insights (zoom-api.md 12): every line of it, B and A1 to H27, is named
# by tests that run, in each of the suites that the table below says. What a test must show is in the test; this one
# finds lines that nobody tests any more.
set -u
cd "$(dirname "$0")/../.." || exit 2

# line: suites, then what it is about
list='
A1: unit zoom web | linking, and what goes wrong with it
A2: zoom | several accounts, several organisations
A3: zoom web | status row and the seven fields
A4: unit zoom | unlinking
A5: unit | the two classic permissions suffice
A6: unit zoom | "You cannot authorize the app" is explained
A7: unit zoom web | off until opted in; privacy
B: unit | what is collected
C8: unit | only joins from the managed network
C9: unit web | latency, loss, jitter: six series, legend, wan-avg-latency
C10: unit web | CPU, and who is behind a point
C11: unit web | feedback histogram
C12: unit web | 10 minutes and an hour
C13: unit web | list of clients
D14: unit web | one client, comparable with RSSI
D15: unit web | meeting table
D16: unit web | events between other events
E17: unit | calls, bad calls, a day of a client, usage in MB
E18: unit | one session
E19: unit | names, local time, plain answers
F20: unit web | ranking of bad minutes
F21: unit web | the cases of the product guide
F22: unit web | sums
G23: unit web | checklist
H24: unit zoom | all errors
H25: unit zoom | kill -9 anywhere
H26: unit zoom | a day of 429
H27: unit | the tolerant sample
'

# Names of the tests of a suite, one a line. Python lists its tests: one that is not in the list does not run.
names() {
	case $1 in
	unit) sed -nE 's/^Test\(\w+, (\w+).*/\1/p' test/unit/test_*.c ;;
	zoom) cat test/zoom/check.py test/insightd/check.py 2>/dev/null | sed -nE '/^TESTS = \[/,/\]/{s/TESTS = \[//;s/[],]/\n/gp}' | tr -d ' ' ;;
	web) sed -nE 's/.*test\("([^"]+)".*/\1/p' test/web/*.mjs 2>/dev/null ;;
	esac
}

for suite in unit zoom web; do
	declare "all_$suite=$(names $suite)"
done
while IFS=':|' read -r line suites about; do
	[ -n "$line" ] || continue
	for suite in $suites; do
		if [ "$suite" = web ] && [ ! -d test/web ]; then
			echo "ok - $line in $suite:$about # SKIP there is no test/web"
			continue
		fi
		all=all_$suite
		if grep -qE "(^|[ ,])$line([_ ,]|\$)" <<<"${!all}"; then
			echo "ok - $line in $suite:$about"
		else
			echo "not ok - no test of $suite is named $line:$about"
		fi
	done
done <<<"$list"
