#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The service unit and what `make install` brings: complete, accepted by systemd, and as locked up as
# issue 2 asks. Needs no root and no running systemd. Prints TAP.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 2
build=$(realpath --relative-to="$top" "${BUILD:-build}")
work=$(mktemp -d "${TMPDIR:-/tmp}/fairlead-unit.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root
exposure=25 # tenths: 2.5, issue 2
failed=0

# ok WHAT COMMAND...
ok() {
	local what=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		echo "ok - $what"
	else
		echo "not ok - $what"
		tail -n 20 "$work/out" | sed 's/^/# /'
		failed=1
	fi
}

skip() { echo "ok - $1 # SKIP $2"; }

# silent COMMAND...: for commands that end with 0 whatever they complain about
silent() {
	local out
	out=$("$@" 2>&1)
	[ -z "$out" ] || { echo "$out" && false; }
}

# The make above this one, if any, has given its own variables by the environment.
make_here() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make --no-print-directory B="$build" DESTDIR="$root" PREFIX=/usr "$@"
}

# setting NAME [UNIT]
setting() { sed -n "s/^$1=//p" "$root/usr/lib/systemd/system/${2:-fairleadd}.service"; }

ok "make install" make_here install
[ "$failed" -eq 0 ] || exit 1
for file in sbin/fairleadd sbin/fairlead-insightd bin/fairlead lib/systemd/system/fairleadd.service \
	lib/systemd/system/fairlead-insightd.service lib/sysusers.d/fairlead.conf share/doc/fairlead/insight.schema.json \
	lib/tmpfiles.d/fairlead.conf share/doc/fairlead/examples/branch.json share/man/man8/fairlead.8; do
	ok "installs $file" test -s "$root/usr/$file"
done
ok "the example passes the installed daemon's check" \
	"$root/usr/sbin/fairleadd" --check -c "$root/usr/share/doc/fairlead/examples/branch.json"

ok "and the example of the insight service" \
	"$root/usr/sbin/fairlead-insightd" --check -c "$root/usr/share/doc/fairlead/examples/insight/insight.json"

if command -v systemd-analyze >/dev/null; then
	# Programs must exist where the unit says: in this test, below $root.
	mkdir "$work/unit"
	for unit in fairleadd fairlead-insightd; do
		sed "s|^ExecStart=|&$root|" "$root/usr/lib/systemd/system/$unit.service" >"$work/unit/$unit.service"
		ok "systemd-analyze verify says nothing of $unit" \
			silent systemd-analyze verify --man=no "$work/unit/$unit.service"
		ok "systemd-analyze security of $unit: $exposure tenths or less" systemd-analyze security --offline=true \
			--threshold=$exposure "$work/unit/$unit.service"
	done
	ok "the manual page that the unit names is there" \
		test -s "$root/usr/share/man/man8/$(setting Documentation | sed -E 's/.*man:([a-z]+)\(8\).*/\1.8/')"
else
	skip "systemd-analyze" "systemd is not installed"
fi
ok "may get no capability that it does not start with" \
	test "$(setting CapabilityBoundingSet)" = "$(setting AmbientCapabilities)"

ok "the insight service has no capability" \
	test "$(setting CapabilityBoundingSet fairlead-insightd):$(setting AmbientCapabilities fairlead-insightd)" = ":"
ok "and is not the router's user" test "$(setting User)" != "$(setting User fairlead-insightd)"

if command -v systemd-sysusers >/dev/null; then
	mkdir -p "$root/etc"
	ok "systemd makes the user" systemd-sysusers --root="$root" fairlead.conf
	ok "and it is there" grep -q "^$(setting User):" "$root/etc/passwd"
	ok "and the insight service's, who may read what routers export" \
		grep -q "^fairlead-export:[^:]*:[0-9]*:$(setting User fairlead-insightd)$" "$root/etc/group"
	if [ "$(id -u)" -eq 0 ]; then
		install -D -m 0644 schemas/examples/branch.json "$root/etc/fairlead/fairlead.json"
		install -D -m 0644 schemas/examples/insight/insight.json "$root/etc/fairlead/insight.json"
		ok "systemd-tmpfiles accepts its file" silent systemd-tmpfiles --root="$root" --create fairlead.conf
		gid=$(sed -n "s/^$(setting Group):[^:]*:\([0-9]*\):.*/\1/p" "$root/etc/group")
		ok "the insight service's secrets are root's to read" \
			test "$(stat -c '%a %u:%g' "$root/etc/fairlead/insight.json")" = "600 0:0"
		ok "keys are root's and the daemon's to read" test \
			"$(stat -c '%a %u:%g' "$root/etc/fairlead" "$root/etc/fairlead/fairlead.json" | tr '\n' ' ')" = \
			"750 0:$gid 640 0:$gid "
		ok "export sockets are for their readers" test "$(stat -c '%a %g' "$root/run/fairlead-export")" = \
			"2750 $(sed -n 's/^fairlead-export:[^:]*:\([0-9]*\):.*/\1/p' "$root/etc/group")"
	else
		skip "systemd-tmpfiles" "gives files to users: needs root"
	fi
fi

rm -rf "${root:?}/etc" "${root:?}/run"
ok "make uninstall" make_here uninstall
ok "leaves nothing" test -z "$(find "$root" -type f -o -name 'fairlead*')"
exit $failed
