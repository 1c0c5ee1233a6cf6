#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Zoom side of fairlead-insightd: past meetings from the stub of Zoom, over TLS on loopback, into the store.
. "$(dirname "$0")/lib.sh"

figure zoom-ingest "participant-minutes/s" ">= 20000" "bench/zoom_ingest.py: 60 meetings of 100 people and 60 minutes"
figure zoom-ingest-cpu "participant-minutes/CPU s" "" "the same, by CPU time of insightd alone: the stub has the other core"
figure zoom-ingest-memory MB "<= 150" "VmHWM of insightd in the same run"
figure zoom-ingest-store "B" "<= 150" "size of the store by participant-minutes in the same run"
for _ in $(seq "${ROUNDS:-3}"); do
	out=$(python3 -B "$TOP/bench/zoom_ingest.py" "$BUILD" 60 100 60) || exit 1
	sample zoom-ingest "$(jq .per_second <<<"$out")"
	sample zoom-ingest-cpu "$(jq .per_cpu_second <<<"$out")"
	sample zoom-ingest-memory "$(jq .rss_mb <<<"$out")"
	sample zoom-ingest-store "$(jq .bytes_a_minute <<<"$out")"
done
finish
