#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast fairlead-insightd takes in past meetings of the stub of Zoom, over TLS on loopback, into its store,
and what that takes.

usage: zoom_ingest.py BUILD [MEETINGS PEOPLE MINUTES]: prints one line of JSON
"""
import json
import os
import sys
import time

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "test", "insightd"))
args = [int(a) for a in sys.argv[2:]] or [60, 100, 60]
del sys.argv[2:]

from service import Insightd, Stub, prepare  # noqa: E402: argv is its own

MB = 1024 * 1024


def status(pid, name):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(next(line for line in f if line.startswith(name)).split()[1]) * 1024


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


prepare()
# Everybody is at the site: what is not stored costs less.
site = {"name": "hq", "lans": ["10.20.0.0/16"], "public-addresses": ["198.51.100.17"]}
with Stub("--meetings", args[0], "--people", args[1], "--minutes", args[2]) as stub, \
        Insightd(stub.base, sites=[site], zoom={"request-rate-percent": 1000000, "max-daily-api-requests": 1000000}) as d:
    pid = d.process.pid
    before = cpu_s(pid)
    started = time.monotonic()
    d.link_server()
    d.wait(300)
    seconds = time.monotonic() - started
    cpu, rss = cpu_s(pid) - before, status(pid, "VmHWM")
    store = d.json("zoom", "status")["store"]
    rows = store["participant_minutes"]
    assert rows == args[0] * args[1] * args[2], store
    print(json.dumps({"participant_minutes": rows, "seconds": round(seconds, 2), "per_second": round(rows / seconds),
                      "rss_mb": round(rss / MB, 1), "cpu_seconds": round(cpu, 2),
                      "per_cpu_second": round(rows / max(cpu, 0.01)),
                      "bytes_a_minute": round((store["file_bytes"] - store["free_bytes"]) / rows, 1)}))
