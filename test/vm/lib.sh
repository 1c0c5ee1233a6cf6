# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The tests' namespaces and routers in a test kernel's machine.
. "$(dirname "${BASH_SOURCE[0]}")/../netns/lib.sh"

# Emulation is ten times slower.
wait_for() {
	local end=$((SECONDS + $1 * 10))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.2
	done
}
