#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# In a test kernel's machine, run by systemd: fairleadd.service as installed, as router r1 of two. Prints TAP.
MODE=auto
. "$(dirname "$0")/lib.sh"

property() { systemctl show -P "$1" fairleadd; }
status_line() { sed -n "s/^$1:\t*//p" "/proc/$(property MainPID)/status"; }
journal() { journalctl --no-pager -q -o cat -u fairleadd; }
said() { journal | grep -q "$1"; }

ok "service: user and group are made" systemd-sysusers
ok "service: folders are made" systemd-tmpfiles --create fairlead.conf
is "service: systemd's bpffs is root's" "$(stat -c %A /sys/fs/bpf | cut -c5-9)" -----

topo_two
config_two r2 >"$WORK/r2.json"
start_router r2 || exit 1
config_two r1 >/etc/fairlead/fairlead.json
chmod 640 /etc/fairlead/fairlead.json
systemd-tmpfiles --create fairlead.conf
# Not part of the installation: the router lives in a namespace here.
mkdir -p /run/systemd/system/fairleadd.service.d
printf '[Service]\nNetworkNamespacePath=/run/netns/%s\nTimeoutStartSec=300\n' "$TAG-r1" \
	>/run/systemd/system/fairleadd.service.d/namespace.conf
systemctl daemon-reload

ok "service: starts, and says that it is ready" systemctl start fairleadd
is "service: is active" "$(property ActiveState)" active
if [ "$FAILED" -gt 0 ]; then
	systemctl --no-pager -l status fairleadd
	journal | tail -n 40
fi 2>&1 | sed 's/^/# /'
[ "$FAILED" -eq 0 ] || finish
is "service: user" "$(status_line Uid | cut -f1)" "$(id -u fairlead)"
is "service: capabilities (NET_ADMIN, NET_RAW, PERFMON, BPF)" "$(status_line CapEff) $(status_line CapBnd)" \
	"000000c000003000 000000c000003000"
is "service: no new privileges, system calls filtered" "$(status_line NoNewPrivs) $(status_line Seccomp)" "1 2"
ok "service: show interfaces" fairlead show interfaces
is "service: all of them up" "$(fairlead -j show interfaces | jq -c '[.interfaces[].status] | unique')" '["up"]'
is "service: tells a virtual device by its driver" \
	"$(fairlead -j show interfaces | jq -r '[.interfaces[].mode] | unique | join(" ")')" tc
ok "service: ping" in_ns c ping -c3 -W5 10.2.0.2

jq '.authority.tenant += [{name: "guests"}]' /etc/fairlead/fairlead.json >"$WORK/changed.json"
cat "$WORK/changed.json" >/etc/fairlead/fairlead.json
ok "service: reload" systemctl reload fairleadd
ok "service: takes effect" wait_for 5 said "configuration applied"

before=$(property MainPID)
restarted() { [ "$(property ActiveState)" = active ] && [ "$(property MainPID)" != "$before" ]; }
kill -KILL "$before"
ok "service: comes back after a kill" wait_for 20 restarted
ok "service: on what it pinned before" wait_for 5 said "adopted what was running"
ok "service: ping again" in_ns c ping -c3 -W5 10.2.0.2

ok "service: stop" systemctl stop fairleadd
is "service: no failure" "$(property Result)" success
ok "service: the data plane stays" test -e /sys/fs/bpf/fairlead/v*/progs/fl_xdp_ingress
ok "service: root takes it away" in_ns r1 fairleadd --remove
no "service: nothing is left" test -e "$(echo /sys/fs/bpf/fairlead/v*)"

echo '{}' >/etc/fairlead/fairlead.json
no "service: does not start with a bad configuration" systemctl start fairleadd
is "service: and does not try again" "$(property NRestarts) $(property ExecMainStatus)" "0 3"
[ "$FAILED" -eq 0 ] || journal | tail -n 40 | sed 's/^/# /'
finish
