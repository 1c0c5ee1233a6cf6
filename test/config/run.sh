#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The validator and the JSON schema against one corpus: schemas/examples/branch.json, changed by a jq
# program a line of cases.jsonl. "good": both take it; "bad": both refuse it, and the validator names the
# place; "semantic": only the validator can see what is wrong. Prints TAP; needs no root.
#
# usage: run.sh BUILD
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 2
cli=$1/fairlead
npm_dir=$1/npm
work=$(mktemp -d "${TMPDIR:-/tmp}/fairlead-config.XXXXXX")
trap 'rm -rf "$work"' EXIT

result() { # OK WHAT
	[ "$1" = 0 ] && echo "ok - $2" || echo "not ok - $2"
}

"$cli" config schema | cmp - schemas/config.schema.json
result $? "schemas/config.schema.json is what the table says (make schemas)"
for example in schemas/examples/*.json; do
	"$cli" config check "$example"
	result $? "$example is good"
	cp "$example" "$work/example.$(basename "$example")"
done

n=0
while read -r line; do
	n=$((n + 1))
	is=$(jq -r .is <<<"$line") name=$(jq -r .name <<<"$line") file=$work/$(printf %03d $n).$is.json
	jq "$(jq -r .change <<<"$line")" schemas/examples/branch.json >"$file" || { result 1 "case $n: its jq program"; continue; }
	"$cli" -j config check "$file" >"$work/out" 2>/dev/null
	code=$?
	if [ "$is" = good ]; then
		result $code "good: $name"
		continue
	fi
	pointer=$(jq -r .pointer <<<"$line")
	jq -e --arg p "$pointer" '[.findings[] | select(.warning | not).pointer] | any(. == $p)' "$work/out" >/dev/null
	result $((code != 3 || $?)) "$is: $name"
done <test/config/cases.jsonl

# Not JSON at all.
while IFS='|' read -r name text; do
	printf '%b' "$text" >"$work/out.json"
	"$cli" config check "$work/out.json" 2>&1 | grep -q "not JSON, line"
	result $? "not JSON: $name"
done <<'END'
nothing|
half an object|{"authority": {
a comma too many|{"authority": {},}
a key twice|{"authority": {}, "authority": {}}
a comment|{} // end
bytes that are no UTF-8|{"authority": "\xff"}
END

# What is printed with defaults says the same, secrets aside.
if ! command -v npm >/dev/null; then
	echo "ok - the schema agrees # SKIP npm is not here: ajv checks the schema"
	exit 0
fi
if [ ! -d "$npm_dir/node_modules/ajv" ]; then
	npm install --silent --no-audit --no-fund --prefix "$npm_dir" ajv@8 >"$work/npm.log" 2>&1 || {
		tail -n 5 "$work/npm.log"
		echo "ok - the schema agrees # SKIP ajv cannot be installed"
		exit 0
	}
fi
NODE_PATH=$npm_dir/node_modules node test/config/ajv.js schemas/config.schema.json "$work"/[0-9e]*.json
