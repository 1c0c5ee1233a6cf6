#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The agent's engine with a million sessions: opening them, aging them, ending them all at
# once, a new configuration.
MODE=xdp
. "$(dirname "$0")/lib.sh"

N=${N:-1000000}
command="bench/scale.sh: table_scale CONFIG $N"
figure aging-share "share of a core, $N sessions" "<= 0.03" "$command, 240 s on a turned clock"
figure aging-stall "ms, longest turn of the loop" "<= 10" "$command, sessions in use"
figure expiry-stall "ms, longest turn of the loop" "<= 10" "$command, all end at once"
figure expiry-us "us of CPU a session" "" "$command"
figure reload-stall "ms, longest turn of the loop" "<= 10" "$command reload, the same configuration"
figure denial-stall "ms, longest turn of the loop" "<= 10" "$command reload, all sessions are denied"
figure open-us "us of CPU a session, without I/O" "" "$command"
quiet_ns t
config_two r1 | jq --arg me r1 "$(bench_config "$N" 10000)" >"$WORK/r1.json"
for _ in $(seq "${SCALE_ROUNDS:-3}"); do
	out=$(in_ns t "$TOOLS/table_scale" "$WORK/r1.json" "$N") || exit 1
	[ -n "${VERBOSE:-}" ] && note "$(tr '\n' ' ' <<<"$out")"
	value() { awk -v name="$1" '$1 == name { print $2 }' <<<"$out"; }
	[ "$(value open-count)" -eq "$N" ] || note "only $(value open-count) of $N sessions were opened"
	sample aging-share "$(value aging-share)"
	sample aging-stall "$(value aging-stall-ms)"
	sample expiry-stall "$(value expiry-stall-ms)"
	sample expiry-us "$(value expiry-us)"
	sample open-us "$(value open-us)"
	out=$(in_ns t "$TOOLS/table_scale" "$WORK/r1.json" "$N" reload) || exit 1
	[ -n "${VERBOSE:-}" ] && note "$(tr '\n' ' ' <<<"$out")"
	sample reload-stall "$(value reload-stall-ms)"
	sample denial-stall "$(value denial-stall-ms)"
done
finish
