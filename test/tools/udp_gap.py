#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A stream of datagrams, and the longest time in which none of them arrived.

usage: udp_gap.py --receive PORT [--quiet S]              print a line of JSON at the end
       udp_gap.py --send HOST PORT [--seconds S] [--gap S] [--sport PORT]

A gap is measured by the sender's clock, from the last datagram that arrived to the next one that did:
so neither end's being late counts. Both ends must be on one machine. --receive ends when nothing has
come for --quiet (2) seconds after the first.
"""
import argparse
import json
import socket
import struct
import time


def receive(args):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    sock.bind(("::", args.receive))
    sock.settimeout(30)
    got = {}
    duplicates = 0
    try:
        while True:
            seq, sent = struct.unpack_from("!QQ", sock.recv(65536))
            duplicates += seq in got
            got[seq] = sent
            sock.settimeout(args.quiet)
    except socket.timeout:
        pass
    order = sorted(got)
    gap, at, lost = 0, 0, 0
    for a, b in zip(order, order[1:]):
        if b == a + 1:
            continue
        lost += b - a - 1
        if got[b] - got[a] > gap:
            gap, at = got[b] - got[a], got[a]
    print(json.dumps({"received": len(got), "lost": lost, "duplicates": duplicates,
                      "gap_ms": round(gap / 1e6, 3), "gap_at": at / 1e9}))


def send(args):
    family = socket.AF_INET6 if ":" in args.send else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    if args.sport:
        sock.bind(("", args.sport))
    sock.connect((args.send, args.port))
    begin = time.monotonic()
    seq = 0
    while time.monotonic() < begin + args.seconds:
        try:
            sock.send(struct.pack("!QQ", seq, time.time_ns()) + b"." * 84)
        except OSError:
            pass
        seq += 1
        time.sleep(max(0, begin + seq * args.gap - time.monotonic()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int, nargs="?")
    parser.add_argument("--receive", type=int, metavar="PORT")
    parser.add_argument("--send", metavar="HOST")
    parser.add_argument("--quiet", type=float, default=2)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--gap", type=float, default=0.001)
    parser.add_argument("--sport", type=int)
    args = parser.parse_args()
    if args.receive:
        receive(args)
    else:
        send(args)


if __name__ == "__main__":
    main()
