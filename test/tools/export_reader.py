#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads a router's export socket and prints its lines.

usage: export_reader.py SOCKET [--ack] [--seconds S] [--until TEXT]

--ack acknowledges every record; --until ends, with success, when a line contains TEXT; else it ends after
--seconds (5), with 1 if --until was asked for.
"""
import argparse
import json
import socket
import sys
import time

p = argparse.ArgumentParser()
p.add_argument("socket")
p.add_argument("--ack", action="store_true")
p.add_argument("--seconds", type=float, default=5)
p.add_argument("--until")
args = p.parse_args()

end = time.monotonic() + args.seconds
sock = socket.socket(socket.AF_UNIX)
sock.connect(args.socket)
rest = b""
while time.monotonic() < end:
    sock.settimeout(max(end - time.monotonic(), 0.01))
    try:
        data = sock.recv(65536)
    except TimeoutError:
        break
    if not data:
        break
    *lines, rest = (rest + data).split(b"\n")
    for line in lines:
        print(line.decode(), flush=True)
        record = json.loads(line)
        if args.ack and "seq" in record:
            sock.sendall(b'{"ack":%d}\n' % record["seq"])
        if args.until and args.until.encode() in line:
            sys.exit(0)
sys.exit(1 if args.until else 0)
