#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The second compiler: clang takes everything below agent/ without a warning, too. Its warnings need no
# optimization.
set -u
cd "$(dirname "$0")/../.." || exit 2

build=build/clang
mapfile -t objects < <(git ls-files -co --exclude-standard 'agent/*.c' | sed "s|\(.*\)\.c\$|$build/\1.o|")
# The make above this one, if any, has given its own variables by the environment.
if env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make --no-print-directory -k -j2 CC=clang CFLAGS=-O0 HARDEN= B=$build \
	"${objects[@]}" >/tmp/clang.$$ 2>&1; then
	echo "ok - clang compiles the agent"
else
	grep -E 'error:|warning:' /tmp/clang.$$ | sort -u | head -40
	echo "not ok - clang compiles the agent"
fi
rm -f /tmp/clang.$$
