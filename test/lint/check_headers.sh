#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone: it includes what it uses.
set -u
cd "$(dirname "$0")/../.." || exit 2

bad=0
while read -r header; do
	case $header in
	bpf/lib/*)
		# These are written against a context layer, which comes first.
		source='#include "vmlinux.h"\n#include "bpf/lib/ctx_xdp.bpf.h"\n'
		# Or they are one, or bring one.
		if [[ $header == *ctx_* ]] || grep -q 'include.*/ctx_' "$header"; then
			source='#include "vmlinux.h"\n'
		fi
		cmd="clang -target bpf -O1 -w -I. -fsyntax-only -x c -"
		;;
	bench/stages.bpf.h)
		source='#include "vmlinux.h"\n#include "bpf/lib/ctx_xdp.bpf.h"\n#include "bpf/lib/pipeline.bpf.h"\n'
		cmd="clang -target bpf -O1 -w -I. -fsyntax-only -x c -"
		;;
	bpf/*) source='#include "vmlinux.h"\n' cmd="clang -target bpf -O1 -w -I. -fsyntax-only -x c -" ;;
	*) source='' cmd="gcc -std=gnu11 -D_GNU_SOURCE -I. -fsyntax-only -x c -" ;;
	esac
	if ! printf '%b#include "%s"\n' "$source" "$header" | $cmd 2>/tmp/header.$$; then
		echo "$header does not compile alone:"
		head -5 /tmp/header.$$
		bad=1
	fi
done < <(git ls-files -co --exclude-standard '*.h' ':!vmlinux.h' ':!test/*')
rm -f /tmp/header.$$

[ $bad = 0 ] && echo "ok - headers compile alone" || echo "not ok - headers compile alone"
