#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Datagrams there and back.

usage: udp_echo.py PORT                                     answer everything, IPv4 and IPv6
       udp_echo.py --ask HOST PORT [--count N] [--size N] [--gap S] [--sport PORT] [--lost N]

--ask sends numbered datagrams from one port, each after the answer to the last or a second later,
and fails if more than --lost (0) are not answered with the same bytes.
"""
import argparse
import socket
import sys
import time


def serve(port):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind(("::", port))
    while True:
        data, who = sock.recvfrom(65536)
        sock.sendto(data, who)


def ask(args):
    family = socket.AF_INET6 if ":" in args.ask else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    if args.sport:
        sock.bind(("", args.sport))
    sock.connect((args.ask, args.port))
    lost = 0
    for i in range(args.count):
        data = b"%08d" % i + b"." * (args.size - 8)
        deadline = time.monotonic() + args.timeout
        answer = None
        try:
            sock.send(data)
        except OSError as err:
            print("datagram %d: %s" % (i, err))
            lost += 1
            continue
        while answer != data and (left := deadline - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                answer = sock.recv(65536)
            except OSError:
                break
        if answer != data:
            print("datagram %d: no answer" % i)
            lost += 1
        time.sleep(args.gap)
    print("%d of %d lost" % (lost, args.count))
    return lost > args.lost


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("--ask", metavar="HOST")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--gap", type=float, default=0)
    parser.add_argument("--timeout", type=float, default=1)
    parser.add_argument("--sport", type=int)
    parser.add_argument("--lost", type=int, default=0)
    args = parser.parse_args()
    return ask(args) if args.ask else serve(args.port)


if __name__ == "__main__":
    sys.exit(main())
