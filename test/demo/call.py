#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A participant of the demonstration's call, and what Zoom would say of the call.

usage: call.py talk HOST PORT FILE       datagrams there and back, like a voice; at SIGTERM, and at each end of a minute,
                                         FILE gets what was measured of each minute
       call.py scene FILE PERSON...      the call as the stub of Zoom serves it; PERSON: NAME,ADDRESS,MAC,FILE
"""
import datetime
import json
import os
import select
import signal
import socket
import struct
import sys
import time

GAP_S = 0.05  # between datagrams
SIZE = 160  # bytes, as a voice codec's
LATE_S = 1.0  # an answer that takes longer is none


def say(text):
    with open(sys.argv[4] + ".new", "w", encoding="ascii") as f:
        json.dump(text, f)
    os.rename(sys.argv[4] + ".new", sys.argv[4])


class Minute:
    def __init__(self):
        self.sent, self.rtts = 0, []

    def figures(self):
        gaps = [abs(a - b) for a, b in zip(self.rtts, self.rtts[1:])]
        return {"sent": self.sent, "loss_pct": 100 * (1 - len(self.rtts) / self.sent) if self.sent else 0,
                "rtt_ms": 1000 * sum(self.rtts) / len(self.rtts) if self.rtts else None,
                "jitter_ms": 1000 * sum(gaps) / len(gaps) if gaps else None}


def talk(host, port):
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((host, int(port)))
    sock.setblocking(False)
    minutes, due, last = {}, time.time(), 0
    while not stop:
        now = time.time()
        if now >= due:
            due = max(due + GAP_S, now)
            minutes.setdefault(int(now // 60), Minute()).sent += 1
            try:
                sock.send(struct.pack("d", now) + bytes(SIZE - 8))
            except OSError:
                pass  # nothing listens yet, or the link is down: it counts as lost
        if select.select([sock], [], [], max(due - time.time(), 0))[0]:
            try:
                data = sock.recv(2048)
            except OSError:
                continue
            sent = struct.unpack_from("d", data)[0]
            if time.time() - sent < LATE_S:
                minutes[int(sent // 60)].rtts.append(time.time() - sent)
        if int(now // 60) != last:
            last = int(now // 60)
            say({minute: m.figures() for minute, m in minutes.items()})
    say({minute: m.figures() for minute, m in minutes.items()})


def iso(epoch):
    return datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def stream(m):
    if not m or m["rtt_ms"] is None:
        return {"bitrate": "", "latency": "", "jitter": "", "avg_loss": "", "max_loss": ""}
    return {"bitrate": "57 kbps", "latency": f"{m['rtt_ms']:.0f} ms", "jitter": f"{m['jitter_ms'] or 0:.0f} ms",
            "avg_loss": f"{m['loss_pct']:.1f}%", "max_loss": f"{m['loss_pct']:.1f}%"}


def person(n, text):
    name, address, mac, file = text.split(",")
    with open(file, encoding="ascii") as f:
        minutes = {int(minute): m for minute, m in json.load(f).items()}
    # Of a part of a minute Zoom would not speak either.
    minutes = {minute: m for minute, m in minutes.items() if m["sent"] >= 20 / GAP_S}
    first = min(minutes)
    worst = max(m["loss_pct"] * 50 + (m["rtt_ms"] or 1000) for m in minutes.values())
    qos = [{"date_time": iso(minute * 60), "audio_input": stream(m), "audio_output": stream(m),
            "cpu_usage": {"zoom_avg_cpu_usage": "4%", "system_max_cpu_usage": "31%"}} for minute, m in minutes.items()]
    return {"user_id": str(1000 + n), "participant_uuid": f"DEMO-{n}", "id": f"u{n}", "participant_user_id": f"u{n}",
            "user_name": name, "email": f"{name.split()[0].lower()}@example.com", "device": "Windows",
            "ip_address": "203.0.113.200", "internal_ip_addresses": [address], "mac_addr": mac,
            "pc_name": name.split()[0].upper() + "-PC", "network_type": "Wired", "connection_type": "UDP",
            "join_time": iso(first * 60), "status": "in_meeting", "role": "host" if not n else "attendee",
            "audio_quality": "poor" if worst > 250 else "good", "video_quality": "", "user_qos": qos}


def scene(people):
    rows = [person(n, text) for n, text in enumerate(people)]
    start = min(row["join_time"] for row in rows)
    return {"meeting": {"uuid": "demoMeetingOfToday+A==", "id": 84000000001, "topic": "Demonstration",
                        "host": rows[0]["user_name"], "email": rows[0]["email"], "user_type": "Licensed",
                        "start_time": start, "participants": len(rows), "has_voip": True},
            "participants": rows}


if sys.argv[1] == "talk":
    talk(sys.argv[2], sys.argv[3])
else:
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        json.dump(scene(sys.argv[3:]), out)
