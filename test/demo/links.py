#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A call over two links that change, drawn as it goes: for the demonstration.

usage: links.py --router "COMMAND" --call HOST PORT [--seconds N] [--download PORT] [--at S TEXT COMMAND]...

Sends 50 datagrams a second to an echo server, as a call does, and draws a line every half second:
what link tests say of each path, how long the call's answers took and how many are missing, and by
which path the router sends the call and the download. COMMAND is the router's CLI; --at runs another
at its time, and says so in between.
"""
import argparse
import json
import shlex
import socket
import struct
import subprocess
import sys
import threading
import time

PPS = 50
STEP = 0.5
WIDTH = 30       # of the plot
FULL_MS = 150    # that it spans
MISSING_S = 0.4  # an answer that takes longer is no use to a call


class Call:
    """The call: when each datagram left, and when its answer came."""

    def __init__(self, host, port):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.connect((host, port))
        self.port = self.sock.getsockname()[1]
        self.sent, self.answered = [], {}
        self.stop = False

    def run(self):
        threading.Thread(target=self.listen, daemon=True).start()
        start = time.monotonic()
        while not self.stop:
            self.sent.append(time.monotonic())
            try:
                self.sock.send(struct.pack("!I", len(self.sent) - 1) + b"." * 156)
            except OSError:
                pass  # counts as missing
            time.sleep(max(0, start + len(self.sent) / PPS - time.monotonic()))

    def listen(self):
        while not self.stop:
            try:
                number, = struct.unpack_from("!I", self.sock.recv(2048))
            except OSError:
                continue
            self.answered.setdefault(number, time.monotonic())

    def between(self, begin, end):
        """Median round trip in ms (None without any), and how many are missing."""
        trips, missing = [], 0
        for number, sent in enumerate(self.sent):
            if not begin <= sent < end:
                continue
            answered = self.answered.get(number)
            if answered is None or answered - sent > MISSING_S:
                missing += 1
            else:
                trips.append((answered - sent) * 1000)
        trips.sort()
        return (trips[len(trips) // 2] if trips else None), missing


def ask(router, *words):
    done = subprocess.run(router + ["-j", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {}


def path_of(sessions, key, port):
    for session in sessions:
        if session.get(key) == port:
            return session["out"].get("path", "-")
    return "-"


def number(value, form):
    return "-" if value is None else form % value


def quality(path):
    if path["status"] != "up":
        return "%16s" % "down"
    return "%7s ms %4s %%" % (number(path.get("latency-ms"), "%.0f"),
                             number(path.get("loss-percent"), "%.0f"))


def bar(trip):
    if trip is None:
        return " " * WIDTH
    filled = max(1, min(WIDTH, round(trip * WIDTH / FULL_MS)))
    return "#" * filled + " " * (WIDTH - filled)


def draw(args, call, begin):
    """One line for half a second that is over."""
    paths = sorted(ask(args.router, "show", "paths").get("paths", []), key=lambda p: p["interface"])
    sessions = ask(args.router, "show", "sessions").get("sessions", [])
    by = path_of(sessions, "source-port", call.port)
    download = path_of(sessions, "destination-port", args.download)
    trip, missing = call.between(begin, begin + STEP)
    print("%5.1f  %s |%s|%4s %3d  %-9s %s" % (
        begin - args.start + STEP, " ".join(quality(path) for path in paths), bar(trip),
        number(trip, "%.0f"), missing, by, download), flush=True)
    return by, download


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--router", type=shlex.split, required=True)
    parser.add_argument("--call", nargs=2, metavar=("HOST", "PORT"), required=True)
    parser.add_argument("--download", type=int, default=5201)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--at", nargs=3, metavar=("S", "TEXT", "COMMAND"), action="append", default=[])
    args = parser.parse_args()

    call = Call(args.call[0], int(args.call[1]))
    threading.Thread(target=call.run, daemon=True).start()
    args.start = time.monotonic()
    todo = sorted((float(at), text, command) for at, text, command in args.at)
    for at, _, command in todo:
        threading.Timer(at, subprocess.run, [command], {"shell": True, "stdout": subprocess.DEVNULL}).start()
    before = (None, None)
    print("    s  %s |call, 0 to %d ms%s| ms lost  call by   download by" % (
        " ".join("%16s" % name for name in ("wan1", "wan2")), FULL_MS, " " * (WIDTH - 19)))
    step = 0
    while step * STEP < args.seconds:
        if todo and step * STEP >= todo[0][0]:
            print("       ---- %s" % todo.pop(0)[1], flush=True)
        begin = args.start + step * STEP
        # Answers of the half second have until then.
        time.sleep(max(0, begin + STEP + MISSING_S - time.monotonic()))
        now = draw(args, call, begin)
        for what, was, is_now in zip(("call", "download"), before, now):
            if was not in (None, "-") and is_now not in ("-", was):
                print("       >>>> the %s has moved from %s to %s" % (what, was, is_now), flush=True)
        before = now
        step += 1
    call.stop = True
    _, missing = call.between(args.start, args.start + args.seconds)
    print("    of the call's %d datagrams %d are missing or late" % (args.seconds * PPS, missing))
    return 0 if missing < args.seconds * PPS / 2 else 1


if __name__ == "__main__":
    sys.exit(main())
