#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who may include what: arrows go one way. The rules are those of the table below and nothing else; a
# folder that is not in it may include nothing of ours.
set -u
cd "$(dirname "$0")/../.." || exit 2

# folder: folders that it may include (besides itself)
rules='
common:
bpf: common
agent/base: common
agent/codec: common agent/base
agent/crypto: common agent/base agent/codec
agent/config: common agent/base agent/codec
agent/session: common agent/base agent/codec agent/crypto agent/config agent/path
agent/path: common agent/base agent/codec agent/crypto agent/config
agent/net: common agent/base agent/codec
agent/bfd: common agent/base agent/codec agent/crypto agent/config agent/path agent/net
agent/insight: common agent/base agent/codec
agent/dp: common agent/base agent/codec agent/config agent/session agent/path
agent/export: common agent/base agent/codec agent/crypto agent/config agent/session agent/path
agent/api: common agent/base agent/codec agent/crypto agent/config agent/session agent/path agent/net agent/bfd agent/dp agent/export
agent/zoom: common agent/base agent/codec agent/crypto
agent/insightd: common agent/base agent/codec agent/crypto agent/insight agent/zoom agent/api
agent/cli: common agent/base agent/codec agent/config agent/crypto
agent: common agent/base agent/codec agent/crypto agent/config agent/session agent/path agent/net agent/bfd agent/dp agent/export agent/api
'
# library header pattern: the only folders that may include it
fences='
^(bpf/|xdp/)|\.skel\.h$: agent/dp bpf test/bpf bench
^(sodium|openssl)[./]: agent/crypto agent/base/rand.c test/unit
^json-c/: agent/codec/json.c agent/codec/json.h
^libmnl/: agent/net
^curl/: agent/zoom
^sqlite3\.h$: agent/insight/store
^microhttpd\.h$: agent/insight/http
^systemd/: agent/base agent/main.c agent/reload.c agent/daemon.h agent/session agent/path agent/net agent/bfd agent/dp agent/export agent/api agent/insight/http agent/zoom agent/insightd
'

bad=0
while read -r file; do
	dir=$(dirname "$file")
	while [ "$dir" != . ] && ! grep -q "^$dir:" <<<"$rules"; do dir=$(dirname "$dir"); done
	case $file in test/* | bench/*) dir=any ;; esac
	allowed=$(sed -n "s|^$dir:||p" <<<"$rules")
	while read -r inc; do
		to=$(dirname "$inc")
		while [ "$to" != . ] && [ "$to" != agent ] && ! grep -q "^$to:" <<<"$rules"; do to=$(dirname "$to"); done
		if [ "$dir" != any ] && [ "$to" != "$dir" ] && ! grep -qw -- "$to" <<<"$allowed" &&
			[ "$inc" != vmlinux.h ]; then
			echo "$file must not include \"$inc\""
			bad=1
		fi
		case $inc in test/* | bench/*) [ "$dir" = any ] || { echo "$file includes $inc" && bad=1; } ;; esac
	done < <(grep -hoP '^#include "\K[^"]+' "$file")
	while read -r inc; do
		while IFS=': ' read -r pattern folders; do
			if [ -z "$pattern" ] || ! [[ $inc =~ $pattern ]]; then continue; fi
			ok=0
			for folder in $folders; do [[ $file == "$folder"* ]] && ok=1; done
			[ $ok = 1 ] || { echo "$file must not include <$inc>" && bad=1; }
		done <<<"$fences"
	done < <(grep -hoP '^#include <\K[^>]+' "$file")
done < <(git ls-files -co --exclude-standard '*.c' '*.h' ':!vmlinux.h')

[ $bad = 0 ] && echo "ok - includes go one way" || echo "not ok - includes go one way"
