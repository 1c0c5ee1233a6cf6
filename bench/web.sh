#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The web page on loopback in Chromium: first load, and each click until its answer is painted.
. "$(dirname "$0")/lib.sh"

command="node test/web/speed.mjs build"
out=$(cd "$BENCH/.." && node test/web/speed.mjs "$BUILD" "$ROUNDS") || exit 1
mapfile -t names < <(cut -d' ' -f1 <<<"$out" | sort -u)
for name in "${names[@]}"; do
	case $name in
	first-load) figure "web-$name" ms "<= 1000" "$command" ;;
	*) figure "web-$name" ms "<= 300" "$command" ;;
	esac
	while read -r _ value; do sample "web-$name" "$value"; done < <(grep "^$name " <<<"$out")
done
finish
