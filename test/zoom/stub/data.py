# SPDX-License-Identifier: Apache-2.0
"""What the stub of Zoom serves: the samples, moved to today, and meetings made to any size."""
import base64
import datetime
import hashlib
import json
import os
import re

SAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "samples")
STAMP = re.compile(r"2024-07-11T\d\d:\d\d:\d\d(?:\.\d+)?Z")
STREAM = '{"bitrate":"%d kbps","latency":"%d ms","jitter":"%d ms","avg_loss":"%.1f%%","max_loss":"%.1f%%"%s}'
EMPTY = '{"bitrate":"","latency":"","jitter":"","avg_loss":"","max_loss":""%s}'
VIDEO = ',"frame_rate":"%s","resolution":"%s"'


def iso(epoch):
    return datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def epoch(text):
    for form in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"):
        try:
            return datetime.datetime.strptime(text, form).replace(tzinfo=datetime.timezone.utc).timestamp()
        except ValueError:
            pass
    return None


def sample(name):
    with open(os.path.join(SAMPLES, name), encoding="utf-8") as f:
        return f.read()


class Samples:
    """The sample files as one account: four meetings, one of them with everything."""

    def __init__(self, now):
        ended = epoch("2024-07-11T14:58:04Z")
        self.shift = (int(now) - 3 * 3600 - int(ended)) // 60 * 60
        self.full = "RCCCPP3m8cJrMPkOx90B5A=="
        pages = [self.load("meetings_past_page1.json"), self.load("meetings_past_page2.json")]
        self.past = [m for p in pages for m in p["meetings"]]
        self.one = self.load("meetings_pastone.json")["meetings"]
        self.live = self.load("meetings_live.json")["meetings"]
        for meeting in self.live:
            meeting["start_time"] = iso(int(now) - 600)

    def load(self, name):
        text = STAMP.sub(lambda m: iso(epoch(re.sub(r"\.\d+Z", "Z", m.group())) + self.shift), sample(name))
        return json.loads(text)

    def meeting(self, uuid):
        return next((m for m in self.past + self.one + self.live if m["uuid"] == uuid), None)

    def participants(self, uuid, live):
        if live:
            return self.load("participants_live.json")["participants"]
        if uuid != self.full:
            return []
        return [p for n in (1, 2) for p in self.load(f"participants_past_page{n}.json")["participants"]]

    def qos(self, uuid, live, at, count):
        if live:
            found = self.load("qos_list_live.json")["participants"]
        elif uuid == self.full:
            found = [p for n in (1, 2) for p in self.load(f"qos_list_past_page{n}.json")["participants"]]
        else:
            found = []
        return [json.dumps(p) for p in found[at:at + count]], len(found)

    def summary(self, uuid):
        return self.load("qos_summary.json")["participants"] if uuid == self.full else []

    def feedback(self, uuid):
        return self.load("satisfaction.json")["participants"] if uuid == self.full else []

    def users(self):
        return [u for n in (1, 2) for u in self.load(f"users_page{n}.json")["users"]]

    def me(self):
        return self.load("user_me.json")


def minute_tail(kind):
    """Everything of a minute but its time, for one of a few kinds of minutes."""
    latency, loss = (30 + kind, 0.0) if kind < 6 else (300 + kind, 3.0)
    audio = STREAM % (57, latency, 2, loss, loss * 2, "")
    video = STREAM % (1180, latency, 4, loss, loss * 2, VIDEO % ("27 fps", "1280*720"))
    parts = [f'"{n}":{audio}' for n in ("audio_input", "audio_output")]
    parts += [f'"{n}":{video}' for n in ("video_input", "video_output")]
    parts += [f'"{n}":' + EMPTY % (VIDEO % ("", "")) for n in ("as_input", "as_output")]
    parts.append('"cpu_usage":{"zoom_min_cpu_usage":"1%","zoom_avg_cpu_usage":"4%",'
                 f'"zoom_max_cpu_usage":"9%","system_max_cpu_usage":"{20 + kind}%"}}')
    for media, extra in (("audio", ""), ("video", VIDEO % ("", "")), ("as", VIDEO % ("", ""))):
        for way in ("from_crc", "to_crc", "from_rwg", "to_rwg"):
            parts.append(f'"{media}_device_{way}":' + EMPTY % extra)
    parts.append('"wifi_rssi":{"min_rssi":-71,"avg_rssi":-66,"max_rssi":-60,"rssi_unit":"dBm"}')
    return "," + ",".join(parts) + "}"


class Made:
    """As many meetings, participants and minutes as asked for; the same every time."""

    def __init__(self, now, meetings, people, minutes, spread_s):
        self.people, self.minutes = people, minutes
        self.tails = [minute_tail(k) for k in range(8)]
        self.past, self.live, self.one = [], [], []
        self.index = {}
        for i in range(meetings):
            end = int(now) - 7200 - i * spread_s // max(meetings, 1)
            start = (end - minutes * 60) // 60 * 60
            self.add({"uuid": self.uuid(i), "id": 80000000000 + i, "topic": f"Meeting {i}",
                      "host": f"Host {i}", "email": f"host{i}@example.com", "start_time": iso(start),
                      "end_time": iso(start + minutes * 60), "duration": "10:00", "participants": people,
                      "audio_quality": "good", "video_quality": "fair", "screen_share_quality": ""})

    def add(self, meeting):
        self.past.append(meeting)
        self.index[meeting["uuid"]] = meeting

    @staticmethod
    def uuid(i):
        raw = bytearray(hashlib.sha256(b"meeting %d" % i).digest()[:16])
        if i % 5 == 0:
            raw[0] = 0xfc | raw[0] & 3  # begins with a slash
        if i % 7 == 0:
            raw[3:6] = b"\xff\xff\xff"  # "////"
        return base64.b64encode(bytes(raw)).decode()

    def meeting(self, uuid):
        return self.index.get(uuid)

    def person(self, uuid, n):
        meeting = self.index[uuid]
        ident = hashlib.md5(f"{uuid} {n}".encode()).hexdigest().upper()
        return {"id": f"user{n % 500}", "user_id": str(16778240 + n), "participant_user_id": f"user{n % 500}",
                "participant_uuid": ident, "user_name": f"Person {n}", "email": f"person{n % 500}@example.com",
                "device": "Windows", "ip_address": "198.51.100.17",
                "internal_ip_addresses": [f"10.20.{n // 250 % 250}.{n % 250 + 1}"], "network_type": "Wired",
                "connection_type": "UDP", "join_time": meeting["start_time"],
                "leave_time": meeting["end_time"], "leave_reason": "Host ended the meeting.",
                "pc_name": f"HOST-{n}", "mac_addr": "0a1b-2c3d-%04x" % (n % 65535 + 1),
                "status": "in_meeting", "role": "attendee", "audio_quality": "good", "video_quality": "fair"}

    def participants(self, uuid, _live):
        return [self.person(uuid, n) for n in range(self.people)]

    def qos(self, uuid, _live, at, count):
        start = epoch(self.index[uuid]["start_time"])
        times = [f'{{"date_time":"{iso(start + 60 * m)}"' for m in range(self.minutes)]
        out = []
        for n in range(at, min(at + count, self.people)):
            head = json.dumps(self.person(uuid, n))[:-1]
            out.append(head + ',"health":"Good","issue_list":[],"user_qos":[' +
                       ",".join(t + self.tails[(n + m) % 8] for m, t in enumerate(times)) + "]}")
        return out, self.people

    def summary(self, uuid):
        return [{"id": p["id"], "participant_id": p["user_id"], "qos": [
            {"type": "audio_quality", "details": {"quality": "good", "quality_score": "4.21"}}]}
                for p in self.participants(uuid, False)]

    def feedback(self, uuid):
        return [{"date_time": self.index[uuid]["end_time"], "email": f"person{n}@example.com",
                 "quality": "GOOD" if n else "NOT GOOD", "user_id": f"user{n}"} for n in range(min(2, self.people))]

    def users(self):
        return [{"id": f"user{n}", "email": f"person{n}@example.com"} for n in range(500)]

    def me(self):
        return json.loads(sample("user_me.json"))


class Scene:
    """Meetings that go on, from a file that somebody else writes: {"meeting": {...}, "participants": [{..., "user_qos"}]}."""

    def __init__(self, path):
        self.path = path
        self.past, self.one = [], []

    def scene(self):
        with open(self.path, encoding="utf-8") as f:
            return json.load(f)

    @property
    def live(self):
        return [self.scene()["meeting"]]

    def meeting(self, uuid):
        return next((m for m in self.live if m["uuid"] == uuid), None)

    def participants(self, _uuid, _live):
        return [{k: v for k, v in p.items() if k != "user_qos"} for p in self.scene()["participants"]]

    def qos(self, _uuid, _live, at, count):
        found = self.scene()["participants"]
        return [json.dumps(p) for p in found[at:at + count]], len(found)

    def summary(self, _uuid):
        return []

    def feedback(self, _uuid):
        return []

    def users(self):
        return []

    def me(self):
        return json.loads(sample("user_me.json"))
