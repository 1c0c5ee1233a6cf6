#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# House format, shell scripts, spelling.
set -u
cd "$(dirname "$0")/../.." || exit 2

check() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		echo "ok - $name"
	else
		echo "$out" | head -40
		echo "not ok - $name"
	fi
}

c_files() {
	git ls-files -co --exclude-standard "*.c" "*.h" ":!vmlinux.h"
}

clang_format() {
	c_files | xargs -r clang-format --dry-run -Werror
}

shell_check() {
	git ls-files -co --exclude-standard '*.sh' .ci/run | xargs shellcheck -x
}

spelling() {
	git ls-files -co --exclude-standard ':!vmlinux.h' ':!LICENSES' ':!test/fuzz/corpus' ':!test/zoom/samples' ':!test/zoom/openapi.json' |
		xargs codespell -q 3 --ignore-words-list=keep-alives,nd,iif,autority
}

check "clang-format" clang_format
check "shellcheck" shell_check
check "codespell" spelling
