#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast past meetings come in from the stub, over TLS on loopback, and what that takes.

usage: ingest.py BUILD [MEETINGS PEOPLE MINUTES]: prints one line of JSON
"""
import json
import sys
import time

args = [int(a) for a in sys.argv[2:]] or [60, 100, 60]
del sys.argv[2:]

from harness import Driver, Stub, prepare  # noqa: E402: argv is its own

prepare()
with Stub("--meetings", args[0], "--people", args[1], "--minutes", args[2]) as stub, \
        Driver(stub.base, ZOOM_SCALE=10000, ZOOM_DAILY=1000000) as d:
    before = d.usage()[1]
    started = time.monotonic()
    d.link_server()
    d.wait(300)
    seconds = time.monotonic() - started
    rss, cpu = d.usage()
    rows = sum(m[1] for m in d.meetings().values())
    assert rows == args[0] * args[1] * args[2], rows
    print(json.dumps({"participant_minutes": rows, "seconds": round(seconds, 2), "per_second": round(rows / seconds),
                      "cpu_us_each": round((cpu - before) * 1000 / rows, 2), "rss_mib": round(rss / 1024, 1)}))
