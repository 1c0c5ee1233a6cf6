#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What fairleadd will not do, and how it says so: a foreign XDP program, no bpffs, no privileges, no
# configuration, a second agent for one instance. Nothing is left half attached.
. "$(dirname "$0")/lib.sh"

MODE=xdp
topo_two
config_two r1 >"$WORK/r1.json"
config_two r2 >"$WORK/r2.json"

# run_agent COMMAND...: fairleadd in r1's namespace, expected to end by itself; output in $WORK/out
run_agent() {
	timeout 10 nsenter --net="/run/netns/$TAG-r1" -- "$@" >"$WORK/out" 2>&1
}
agent=("$BIN/fairleadd" -i "$TAG-r1" -c "$WORK/r1.json")
nothing_attached() {
	is "nothing attached" "$(in_ns r1 sh -c 'for d in lan0 wan1 wan2; do tc filter show dev $d ingress; ip link show $d; done' |
		grep -cE 'fl_tc|prog/xdp')" 0
}

run_agent "$BIN/fairleadd" -i "$TAG-r1" -c "$WORK/missing.json"
is "no configuration: exit code" $? 3
ok "says which file" grep -q "missing.json" "$WORK/out"
echo '{}' >"$WORK/empty.json"
run_agent "$BIN/fairleadd" -i "$TAG-r1" -c "$WORK/empty.json"
is "an empty one: exit code" $? 3
run_agent "$BIN/fairleadd" --no-such-option
is "unknown option: exit code" $? 2

run_agent setpriv --bounding-set -all --inh-caps -all "${agent[@]}"
is "without capabilities: exit code" $? 4
ok "names them" grep -q "CAP_BPF" "$WORK/out"
nothing_attached

# Mounts of this command alone: an empty /sys/fs/bpf, then a kernel without BTF.
run_agent unshare --mount sh -c 'umount -l /sys/fs/bpf; exec "$@"' sh "${agent[@]}"
is "without bpffs: exit code" $? 1
ok "says what to mount" grep -q "mount -t bpf" "$WORK/out"
mkdir "$WORK/nothing"
run_agent unshare --mount sh -c "mount --bind $WORK/nothing /sys/kernel/btf; exec \"\$@\"" sh "${agent[@]}"
is "without BTF: exit code" $? 1
ok "says so" grep -q "BTF" "$WORK/out"
nothing_attached

# Somebody else's program on one device: that interface is refused, by name; the others work.
cat >"$WORK/foreign.c" <<'END'
__attribute__((section("xdp"), used)) int foreign_pass(void *ctx) { return 2; }
char _license[] __attribute__((section("license"), used)) = "GPL";
END
clang -O2 -target bpf -c "$WORK/foreign.c" -o "$WORK/foreign.o"
in_ns r1 ip link set dev wan1 xdp obj "$WORK/foreign.o" sec xdp
launch_router r1
launch_router r2
router_answers r1 r2 || exit 1
one_path_up() { ctl "$1" -j show paths | jq -e 'any(.paths[]; .status == "up")'; }
wait_for 10 one_path_up r1
wait_for 10 one_path_up r2
state() { ctl r1 -j show interfaces | jq -r ".interfaces[] | select(.name == \"$1\").$2"; }
is "the interface is refused" "$(state wan1 status)" failed
ok "the program is named" grep -q foreign_pass <(state wan1 reason)
ok "and how to take it off" grep -q "xdp off" <(state wan1 reason)
ok "it is left alone" grep -q xdp <(in_ns r1 ip link show wan1)
is "the others work" "$(state wan2 status) $(state lan0 status)" "up up"
ok "traffic by the other link" in_ns c ping -c3 -i0.2 -W1 10.2.0.2
in_ns r1 ip link set dev wan1 xdp off
kill -HUP "${ROUTER_PID[r1]}"
ctl r1 config apply "$WORK/r1.json" >/dev/null

run_agent "${agent[@]}"
is "a second agent of this instance: exit code" $? 1
ok "says so" grep -q "another fairleadd" "$WORK/out"
ok "the first one goes on" in_ns c ping -c1 -W1 10.2.0.2

# No generic XDP unless the configuration allows it.
no "no generic XDP anywhere" in_ns r1 sh -c 'ip link | grep xdpgeneric'

# The CLI without an agent.
"$BIN/fairlead" -i "$TAG-nobody" show sessions >"$WORK/out" 2>&1
is "no agent: exit code" $? 5
ok "says what to do" grep -qi "fairleadd" "$WORK/out"
finish
