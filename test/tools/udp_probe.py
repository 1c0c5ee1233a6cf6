#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Numbered datagrams one way, and what became of them.

usage: udp_probe.py --receive PORT [--quiet S]                     print a line of JSON at the end
       udp_probe.py --send HOST PORT [--count N] [--pps N] [--size N]

Both ends must be on one machine: delays are differences of its clock, taken by the kernel where the
datagram arrives. --receive ends when nothing has come for --quiet (1.5) seconds, or at all for 10.
"""
import argparse
import json
import socket
import struct
import sys
import time
import zlib

SO_TIMESTAMPNS = 35


def receive(args):
    family = socket.AF_INET6
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    sock.bind(("::", args.receive))
    sock.settimeout(10)
    got = []
    try:
        while True:
            data, aside, _, _ = sock.recvmsg(65536, 256)
            seq, total, sent = struct.unpack_from("!IIQ", data)
            sec, nsec = struct.unpack("qq", aside[0][2][:16])
            got.append((seq, total, (sec * 1000000000 + nsec - sent) / 1000))
            sock.settimeout(args.quiet)
    except socket.timeout:
        pass
    report(got)


def report(got):
    seen, highest, reordered, duplicates, depth = set(), -1, 0, 0, 0
    for seq, _, _ in got:
        if seq in seen:
            duplicates += 1
        elif seq < highest:
            reordered += 1
            depth = max(depth, highest - seq)
        seen.add(seq)
        highest = max(highest, seq)
    total = got[0][1] if got else 0
    delays = sorted(delay for _, _, delay in got)
    changes = [abs(a[2] - b[2]) for a, b in zip(got, got[1:])]
    lost = sorted(set(range(total)) - seen)

    def part(fraction):
        return round(delays[min(int(len(delays) * fraction), len(delays) - 1)]) if delays else 0

    print(json.dumps({
        "total": total, "received": len(seen), "lost": len(lost), "duplicates": duplicates,
        "reordered": reordered, "depth": depth, "min_us": part(0), "p50_us": part(0.5), "p90_us": part(0.9),
        "p99_us": part(0.99), "max_us": part(1), "mean_us": round(sum(delays) / max(len(delays), 1)),
        "jitter_us": round(sum(changes) / max(len(changes), 1)),
        "lost_hash": zlib.crc32(repr(lost).encode()),
    }), flush=True)


def send(args):
    family = socket.AF_INET6 if ":" in args.send else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.connect((args.send, args.port))
    pad = b"." * (args.size - 16)
    start = time.monotonic()
    for seq in range(args.count):
        left = start + seq / args.pps - time.monotonic()
        if left > 0:
            time.sleep(left)
        sock.send(struct.pack("!IIQ", seq, args.count, time.time_ns()) + pad)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int, nargs="?")
    parser.add_argument("--receive", type=int, metavar="PORT")
    parser.add_argument("--send", metavar="HOST")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--pps", type=float, default=1000)
    parser.add_argument("--size", type=int, default=100)
    parser.add_argument("--quiet", type=float, default=1.5)
    args = parser.parse_args()
    return send(args) if args.send else receive(args)


if __name__ == "__main__":
    sys.exit(main())
