#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# beside: few
# The plain part of our BFD (RFC 5880, 5881) against FRR's bfdd: each comes up with the other, and notices
# the other's death, administrative shutdown and changed timers. IPv4 and IPv6.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"

frr=/usr/lib/frr
if [ ! -x $frr/bfdd ] || [ ! -x "$BUILD/test/tools/bfd_plain" ]; then
	skip "BFD with FRR" "needs Debian's package frr, and $BUILD/test/tools/bfd_plain"
	exit 0
fi

add_ns a b
link_ns a eth0 b eth0
add_addr a eth0 10.9.0.1/24 2001:db8:9::1/64
add_addr b eth0 10.9.0.2/24 2001:db8:9::2/64

# FRR drops its privileges to a user that must be able to write here.
mkdir "$WORK/frr"
chmod 755 "$WORK"
chown frr:frr "$WORK/frr"
cat >"$WORK/frr/frr.conf" <<-END
	bfd
	 profile fast
	  transmit-interval 50
	  receive-interval 50
	  detect-multiplier 3
	 peer 10.9.0.1 local-address 10.9.0.2 interface eth0
	  profile fast
	 peer 2001:db8:9::1 local-address 2001:db8:9::2 interface eth0
	  profile fast
END

# A busy machine is not what is tested here: before other programs, where that is allowed.
hasten() { chrt -a -f -p 20 "$1" >/dev/null 2>&1; }

# daemon NAME: one of FRR's, in namespace b
daemon() {
	bg b $frr/"$1" -f "$WORK/frr/frr.conf" -z "$WORK/frr/zserv.api" -i "$WORK/frr/$1.pid" \
		--vty_socket "$WORK/frr" --log stdout "${@:2}"
}
vty() { vtysh --vty_socket "$WORK/frr" "$@"; }

daemon zebra
wait_for 10 test -S "$WORK/frr/zserv.api"
daemon bfdd --bfdctl "$WORK/frr/bfdd.sock"
bfdd=${PIDS[-1]}
wait_for 10 test -S "$WORK/frr/bfdd.vty"
hasten "$bfdd"

ours() { # FAMILY LOCAL REMOTE
	bg a "$BUILD/test/tools/bfd_plain" "$2" "$3" 50 3
	eval "plain$1=\${PIDS[-1]}"
	hasten "${PIDS[-1]}"
	mv "$WORK/a.bfd_plain.log" "$WORK/plain$1.log"
}
: "${plain4:=}" "${plain6:=}"
# theirs ADDRESS PROGRAM: a value that FRR has of its session with us
theirs() { vty -c 'show bfd peers json' | jq -r --arg peer "$1" ".[] | select(.peer == \$peer) | $2"; }
is_theirs() { [ "$(theirs "$1" "$2")" = "$3" ]; }
last() { tail -n1 "$WORK/plain$1.log"; }
is_last() { [ "$(last "$1")" = "$2" ]; }

ours 4 10.9.0.1 10.9.0.2
ours 6 2001:db8:9::1 2001:db8:9::2
for family in 4:10.9.0.1 6:2001:db8:9::1; do
	n=${family%%:*} peer=${family#*:}
	ok "IPv$n: we are up" wait_for 15 is_last "$n" up
	ok "IPv$n: FRR is up" wait_for 15 is_theirs "$peer" .status up
	is "IPv$n: intervals agreed on" "$(theirs "$peer" '"\(."remote-transmit-interval") \(."remote-receive-interval") \(."remote-detect-multiplier")"')" "50 50 3"

	# Ours dies without a word.
	pid=plain$n
	kill -KILL "${!pid}"
	ok "IPv$n: FRR notices our death" wait_for 5 is_theirs "$peer" .status down
	is "IPv$n: by its detection time" "$(theirs "$peer" .diagnostic)" "control detection time expired"
done

ours 4 10.9.0.1 10.9.0.2
ours 6 2001:db8:9::1 2001:db8:9::2
ok "we are up again" wait_for 15 is_last 4 up
ok "we are up again, IPv6" wait_for 15 is_last 6 up
# Timers that change under way: a poll sequence of FRR's, which we must answer.
vty -c 'configure terminal' -c bfd -c 'profile fast' -c 'transmit-interval 200' -c 'receive-interval 300' >/dev/null
ok "FRR changes its timers" wait_for 5 is_theirs 10.9.0.1 '."transmit-interval"' 200
sleep 2 # twice the time after which a poll that is not answered would show
is "and nothing went down" "$(cat "$WORK/plain4.log" "$WORK/plain6.log" | tr '\n' ' ')" "up up "

vty -c 'configure terminal' -c bfd -c 'peer 10.9.0.1 local-address 10.9.0.2 interface eth0' -c shutdown >/dev/null
ok "FRR shuts its session down: we are told" wait_for 5 is_last 4 "down remote-admin-down"
is "the other session goes on" "$(last 6)" up

kill -KILL "$bfdd"
ok "FRR dies: we notice" wait_for 5 is_last 6 "down timer-expiry"
finish
