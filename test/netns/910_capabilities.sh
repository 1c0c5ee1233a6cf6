#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# modes: tc xdp
# The daemon as its service unit runs it: as a user of its own, with the unit's capabilities and no other,
# seeing of the bpffs its own folder alone. It carries traffic, reloads, and adopts after a kill what it
# pinned before. Without any one of its capabilities it does not start: there are none too many.
. "$(dirname "$0")/lib.sh"

unit=$TOP/deploy/systemd/fairleadd.service
setting() { sed -n "s/^$1=//p" "$unit"; }
capabilities=$(setting AmbientCapabilities)
user=64242 stranger=64243 # chosen: numbers of nobody
pins=/sys/fs/bpf/$TAG-own

# The user must get to its programs and files, wherever the source tree lies.
chmod 755 "$WORK"
mkdir "$WORK/bin" "$WORK/run" "$pins"
cp "$BIN/fairleadd" "$BIN/fairlead" "$WORK/bin/"
chown $user:$user "$WORK/run" "$pins"
BIN=$WORK/service

# What the unit's BindReadOnlyPaths=, BindPaths= and RuntimeDirectory= do. Run in a mount namespace.
cat >"$WORK/mounts" <<END
set -e
mkdir -p /run/fairlead
mount --bind "$WORK/run" /run/fairlead
mount --bind "$pins" /mnt
mount -t tmpfs -o mode=755 tmpfs /sys/fs/bpf
mkdir /sys/fs/bpf/fairlead
mount --move /mnt /sys/fs/bpf/fairlead
END

# wrapper NAME PREFIX...: a program in $BIN that runs $WORK/bin/NAME in that view, by way of PREFIX
wrapper() {
	local name=$1
	shift
	mkdir -p "$BIN"
	cat >"$BIN/$name" <<-END
		#!/bin/sh
		exec unshare --mount --propagation private sh -c '. "$WORK/mounts"; exec "\$@"' sh \\
			$* "$WORK/bin/$name" "\$@"
	END
	chmod 755 "$BIN/$name"
}

# as_user NUMBER CAPABILITY...: the command line before a command
as_user() {
	local number=$1 set=-all
	shift
	set+=$(printf ',+%s' "${@,,}" | sed 's/cap_//g')
	[ $# -gt 0 ] || set=-all
	echo setpriv --reuid="$number" --regid="$number" --clear-groups --no-new-privs \
		--inh-caps="$set" --ambient-caps="$set" --bounding-set="$set"
}

# shellcheck disable=SC2086 # a list
wrapper fairleadd "$(as_user $user $capabilities)"
wrapper fairlead

# The pins are not where the library's cleanup looks for them.
end() {
	local status=$? name
	for name in "${!ROUTER_PID[@]}"; do
		stop_router "$name"
		in_ns "$name" "$BIN/fairleadd" -i "$TAG-$name" --remove
	done
	rm -rf "$pins"
	(exit "$status")
	cleanup
}
trap end EXIT

topo_two
start_routers || exit 1
is "it runs as its user" "$(stat -c %u "/proc/${ROUTER_PID[r1]}")" $user
declare -A number=([CAP_NET_ADMIN]=12 [CAP_NET_RAW]=13 [CAP_PERFMON]=38 [CAP_BPF]=39)
mask=0
for capability in $capabilities; do
	mask=$((mask | 1 << ${number[$capability]}))
done
is "with the capabilities that the unit says" \
	"$(sed -n 's/^CapEff:\t//p' "/proc/${ROUTER_PID[r1]}/status")" "$(printf %016x $mask)"
ok "show interfaces" ctl r1 show interfaces
is "all of them up" "$(ctl r1 -j show interfaces | jq -c '[.interfaces[].status] | unique')" '["up"]'
ok "traffic" in_ns c ping -c3 -i0.2 -W1 10.2.0.2
ok "traffic, IPv6" in_ns c ping -c3 -i0.2 -W1 2001:db8:2::2
serve_web s
is "TCP" "$(in_ns c curl -sSm5 http://10.2.0.2/)" hello

change_config r1 '.authority.tenant += [{name: "guests"}]'
kill -HUP "${ROUTER_PID[r1]}"
ok "a reload takes effect" wait_for 5 grep -q "configuration applied" "$WORK/r1.log"

stop_router r1 KILL
start_router r1 || exit 1
ok "on what it pinned before" grep -q "adopted what was running" "$WORK/r1.log"
ok "traffic again" in_ns c ping -c3 -i0.2 -W1 10.2.0.2

# Our own program, attached by hand, is known again without the right to look at any program (CAP_SYS_ADMIN).
if [ "$MODE" = xdp ]; then
	rm "$pins/$TAG-r1/$PIN_VERSION/links/xdp-lan0"
	ok "attached by hand" in_ns r1 bpftool net attach xdpdrv pinned "$pins/$TAG-r1/$PIN_VERSION/progs/fl_xdp_ingress" dev lan0
	for again in once twice; do
		stop_router r1
		start_router r1 || exit 1
		is "restarted $again: lan0" "$(ctl r1 -j show interfaces |
			jq -r '.interfaces[] | select(.name == "lan0") | "\(.status) \(.reason)"')" \
			"up attached by hand (bpftool net attach), left as it is"
	done
	ok "traffic" in_ns c ping -c1 -W1 10.2.0.2
	in_ns r1 bpftool net detach xdpdrv dev lan0
	stop_router r1
	start_router r1 || exit 1
	ok "taken back by a link" test -e "$pins/$TAG-r1/$PIN_VERSION/links/xdp-lan0"
fi

# The group may use the CLI, others may not.
wrapper fairlead "$(as_user $user)"
ok "the daemon's group may use the CLI" ctl r1 show interfaces
wrapper fairlead "$(as_user $stranger)"
ctl r1 show interfaces >/dev/null 2>&1
is "others may not: exit code" $? 4
wrapper fairlead

stop_router r1
for without in $capabilities; do
	# shellcheck disable=SC2046,SC2086
	wrapper fairleadd "$(as_user $user $(printf '%s\n' $capabilities | grep -vx "$without"))"
	timeout 10 nsenter --net="/run/netns/$TAG-r1" -- "$BIN/fairleadd" -i "$TAG-r1" -c "$WORK/r1.json" \
		>"$WORK/without.txt" 2>&1
	is "not without $without: exit code" $? 4
	ok "and says so" grep -q "$without" "$WORK/without.txt"
done
# shellcheck disable=SC2086
wrapper fairleadd "$(as_user $user $capabilities)"
start_router r1 || exit 1
ok "traffic at last" in_ns c ping -c1 -W1 10.2.0.2
finish
