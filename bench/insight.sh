#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Store and ranking of the Zoom insights: bytes of a minute, queries over ten million, one ranking.
. "$(dirname "$0")/lib.sh"

# A missed target ends it with 1, which is a result; anything else is an error.
out=$("$TOOLS/insight" "${MINUTES:-10000000}") || [ $? -eq 1 ] || exit 1
while IFS= read -r line; do
	[[ $line =~ ^(.{52})\ +([0-9.]+)\ +([^ ]+)\ *([\<\>]=\ [0-9.e+]+)? ]] || continue
	text=$(sed -E 's/ +$//' <<<"${BASH_REMATCH[1]}")
	value=${BASH_REMATCH[2]} unit=${BASH_REMATCH[3]} target=${BASH_REMATCH[4]:-}
	name=insight-$(tr '[:upper:]' '[:lower:]' <<<"$text" | sed -E 's/[^a-z0-9]+/-/g; s/^-|-$//g')
	figure "$name" "$unit" "$target" "build/bench/insight: $text"
	sample "$name" "$value"
done <<<"$out"
finish
