#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The validator and the JSON schema against one corpus: schemas/examples/branch.json, changed by a jq
# program a line of cases.jsonl. "good": both take it; "bad": both refuse it; "semantic": only the
# validator can see what is wrong. "findings" are all lines that the validator says, word by word (of a
# refused file without its warnings). Prints TAP; needs no root.
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
	"$cli" -j config check "$example" | jq -e '.good and .findings == []' >/dev/null
	result $? "$example is good, with no warning"
	cp "$example" "$work/example.$(basename "$example")"
done

# All programs in one go: a jq of its own for each takes most of the time of this test.
mapfile -t cases < <(jq -r '[.is, .name, (.findings // [] | join("\u001e"))] | join("\u001f")' test/config/cases.jsonl)
mapfile -t files < <(jq -c "$(jq -rs 'map("(" + .change + ")") | join(",\n")' test/config/cases.jsonl)" \
	schemas/examples/branch.json)
result $((${#cases[@]} == 0 || ${#cases[@]} != ${#files[@]})) "${#cases[@]} cases, ${#files[@]} files"
for n in "${!files[@]}"; do
	IFS=$'\x1f' read -r is name findings <<<"${cases[n]}"
	file=$work/$(printf %03d $((n + 1))).$is.json
	printf '%s\n' "${files[n]}" >"$file"
	said=$("$cli" config check "$file" 2>/dev/null)
	code=$?
	if [ "$is" = good ]; then
		wanted=0 said=$(grep -vxF "$file is good" <<<"$said")
	else
		wanted=3 said=$(grep -v '^warning: ' <<<"$said")
	fi
	diff <(tr '\036' '\n' <<<"$findings") - <<<"$said" | sed 's/^/# /'
	result $((PIPESTATUS[0] || code != wanted)) "$is: $name"
done

# Not JSON at all.
while IFS='|' read -r place name text; do
	printf '%b' "$text" >"$work/out.json"
	"$cli" config check "$work/out.json" 2>&1 | grep -q "not JSON, line ${place%:*}, column ${place#*:}: "
	result $? "not JSON: $name"
done <<'END'
1:1|nothing|
1:16|half an object|{"authority": {
2:1|a comma too many|{"authority": {},\n}
1:19|a key twice|{"authority": {}, "authority": {}}
1:19|a key twice, once with an escape|{"authority": {}, "\\u0061uthority": {}}
2:2|a comment|{}\n // end
1:15|bytes that are no UTF-8|{"authority": "\xff"}
1:9|a NUL as an escape|{"a": "\\u0000"}
1:7|a number that starts with 0|{"a": 0123}
END

# The schema needs a validator that is not ours.
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
