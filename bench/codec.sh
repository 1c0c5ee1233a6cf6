#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What codec and crypto cost a packet of the slow path, in CPU time.
. "$(dirname "$0")/lib.sh"

out=$("$TOOLS/codec") || exit 1
name=
while read -r line; do
	ns=$(awk '{ print $(NF - 1) }' <<<"$line")
	size=$(awk '{ print $(NF - 3) }' <<<"$line")
	text=$(sed -E 's/ +[0-9]+ B +[0-9]+ ns$//' <<<"$line")
	name=codec-$(tr '[:upper:]' '[:lower:]' <<<"$text" | sed -E 's/[^a-z0-9]+/-/g; s/^-|-$//g')-$size
	figure "$name" "ns of CPU" "" "build/bench/codec: $text, $size bytes"
	sample "$name" "$ns"
done <<<"$out"
finish
