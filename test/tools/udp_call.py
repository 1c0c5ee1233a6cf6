#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two streams of datagrams in one session, like a call, and what became of each.

usage: udp_call.py --answer PORT
       udp_call.py --call HOST PORT [--count N] [--pps N] [--size N]

The caller sends, the other side sends as much back at the same rate from the first datagram on. Both
must be on one machine: delays are differences of its clock. The caller prints a line of JSON: of
"there" and "back" how many were sent and came, the median of the delay (a hiccup of the machine is no
delay of the link), and its mean change from one datagram to the next, all in us.
"""
import argparse
import json
import select
import socket
import statistics
import struct
import sys
import time

HEAD = struct.Struct("!IIIQ")  # number, how many, a second's, time
SO_TIMESTAMPNS = 35


class Stream:
    """What is heard of one direction."""

    def __init__(self):
        self.count, self.delays, self.changes = 0, [], 0
        self.report_of_other = None

    def take(self, delay_us):
        if self.delays:
            self.changes += abs(delay_us - self.delays[-1])
        self.delays.append(delay_us)

    def report(self):
        return {"sent": self.count, "received": len(self.delays),
                "delay_us": round(statistics.median(self.delays or [0])),
                "jitter_us": round(self.changes / max(len(self.delays) - 1, 1))}


def open_socket():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    return sock


def take(sock, stream):
    data, aside, _, who = sock.recvmsg(65536, 256)
    if data[:1] == b"{":
        stream.report_of_other = json.loads(data)
        return None
    _, count, pps, sent = HEAD.unpack_from(data)
    sec, nsec = struct.unpack("qq", aside[0][2][:16])
    stream.take((sec * 1000000000 + nsec - sent) / 1000)
    return count, pps, len(data), who


def talk(sock, who, heard, count, pps, size):
    """Send them all, and listen until nothing more comes."""
    start, sent, pad = time.monotonic(), 0, b"." * (size - HEAD.size)
    while True:
        left = start + sent / pps - time.monotonic() if sent < count else 1.5
        if left > 0 and not select.select([sock], [], [], left)[0]:
            if sent == count:
                return
            continue
        if left > 0:
            take(sock, heard)
            continue
        sock.sendto(HEAD.pack(sent, count, pps, time.time_ns()) + pad, who)
        sent += 1


def answer(port):
    sock = open_socket()
    sock.bind(("", port))
    while True:
        heard = Stream()
        heard.count, pps, size, who = take(sock, heard)
        talk(sock, who, heard, heard.count, pps, size)
        for _ in range(10):  # the link may lose some
            sock.sendto(json.dumps(heard.report()).encode(), who)
            time.sleep(0.02)


def call(args):
    sock, back = open_socket(), Stream()
    back.count = args.count
    talk(sock, (args.call, args.port), back, args.count, args.pps, args.size)
    sock.settimeout(20)
    while not back.report_of_other:
        take(sock, back)
    print(json.dumps({"there": back.report_of_other, "back": back.report()}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int, nargs="?")
    parser.add_argument("--answer", type=int, metavar="PORT")
    parser.add_argument("--call", metavar="HOST")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--pps", type=int, default=500)
    parser.add_argument("--size", type=int, default=100)
    args = parser.parse_args()
    return call(args) if args.call else answer(args.answer)


if __name__ == "__main__":
    sys.exit(main())
