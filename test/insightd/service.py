# SPDX-License-Identifier: Apache-2.0
"""What the tests of insightd have in common: the service, and the CLI that asks it."""
import datetime
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "zoom"))

from harness import BUILD, CERTS, HOOK_SECRET, Stub, prepare, run, wait_for  # noqa: E402,F401

SITE = {"name": "hq", "time-zone": "America/New_York", "lans": ["10.20.0.0/16"], "public-addresses": ["198.51.100.17"]}
BASE = "https://api.zoom.us"


class Insightd:
    """The service with folders of its own."""

    def __init__(self, base=BASE, **conf):
        self.dir = tempfile.mkdtemp(prefix="fl-insightd-")
        self.state, self.run_dir = f"{self.dir}/state", f"{self.dir}/run"
        self.socket = f"{self.run_dir}/insightd.sock"
        self.log_path = f"{self.dir}/log"
        # No routers: those of other tests on this host are not ours to read.
        self.conf = {"enabled": True, "organisation": "acme", "routers": "", "sites": [SITE], **conf}
        self.conf["zoom"] = {
            "client-id": "EXAMPLECLIENTID", "client-secret": "example-client-secret",
            "redirect-uri": "https://portal.example.net/zoom/callback", "oauth-base": base, "api-base": base,
            "ca-file": f"{CERTS}/stub-ca.pem", "allow-private-addresses": True, "request-rate-percent": 10000,
            "max-daily-api-requests": 50000, "first-days": 1, "start-delay-seconds": 0, "live": False,
            "webhook-secret": HOOK_SECRET, **conf.get("zoom", {})}
        self.process = None

    def write_conf(self):
        with open(f"{self.dir}/insight.json", "w", encoding="utf-8") as f:
            json.dump(self.conf, f)

    def start(self, *before, **env):
        """before: words of a command that runs it."""
        self.write_conf()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*before, f"{BUILD}/fairlead-insightd", "-d", "-c", f"{self.dir}/insight.json", "--state", self.state,
                 "--run", self.run_dir], stderr=log, env=dict(os.environ, **env))
        wait_for("the service", lambda: self.process.poll() is not None or self.answers())
        assert self.process.poll() is None, self.log_text()

    def answers(self):
        return self.cli("zoom", "status", check=None)[0] == 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        code = self.stop()
        log = self.log_text()
        shutil.rmtree(self.dir)
        # Sanitizers speak there.
        assert code in (0, -9) and "ERROR: " not in log and "runtime error" not in log, log[-4000:]

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)
        return self.process.returncode

    def kill(self):
        self.process.kill()
        self.process.wait()

    def log_text(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def cli(self, *words, check=0, stdin=None):
        """Exit code, stdout, stderr; the code is what is expected, unless None."""
        done = subprocess.run([f"{BUILD}/fairlead", "-s", self.socket, *map(str, words)], input=stdin, text=True,
                              capture_output=True, timeout=120, check=False,
                              env=dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8"))
        if check is not None:
            assert done.returncode == check, (words, done.returncode, done.stdout, done.stderr)
        return done.returncode, done.stdout, done.stderr

    def json(self, *words, check=0):
        return json.loads(self.cli("-j", *words, check=check)[1])

    def text(self, *words):
        return self.cli(*words)[1]

    def link_server(self, account="acct"):
        return self.cli("zoom", "link", "consent", "dana@example.com", "server", account)[1]

    def account(self, n=0):
        return self.json("zoom", "accounts")["accounts"][n]

    def synced(self):
        accounts = self.json("zoom", "accounts")["accounts"]
        return accounts and all(a["last_sync"] and not a["open_meetings"] and not a["catching_up"] for a in accounts)

    def wait(self, seconds=60):
        wait_for("a sync", self.synced, seconds)

    def calls(self):
        """All of them, in as many pages as it takes."""
        found, page = [], 1
        while True:
            answer = self.json("zoom", "calls", "last", "4w", "page", page)
            found += answer["results"]
            if not answer["results"] or len(found) >= answer["total"]:
                return found
            page += 1

    def credentials(self):
        return sorted(n for n in os.listdir(f"{self.state}/credentials") if n.endswith(".cred"))


class Filled(Insightd):
    """With the correlation fixture in its store, and no Zoom."""

    def __init__(self, *parts, **conf):
        super().__init__(**{"enabled": False, "store": {"minute-days": 3660, "meeting-days": 3660}, **conf})
        os.mkdir(self.state, 0o700)
        subprocess.run([f"{BUILD}/test/insightd/fill", f"{self.state}/insight.db", *parts], check=True)


class Router(threading.Thread):
    """The router of the fixture's site hq, as fairleadd tells by its socket, to whoever comes."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen()
        self.acked = 0

    @staticmethod
    def fixture(name):
        with open(f"test/insight/data/correlation/{name}.json", encoding="utf-8") as f:
            return [row for row in json.load(f) if row["site"] == "hq"]

    @staticmethod
    def seconds(text):
        return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())

    def records(self):
        for row in self.fixture("wan_path_minutes"):
            yield {"type": "path-minute", "minute": self.seconds(row["ts"]) // 60, "path": row["path"], "active": True,
                   "source": "bfd", "rtt-ms": row["rtt_ms"], "jitter-ms": row["jitter_ms"], "loss-percent": row["loss_pct"],
                   "tx-mbps": row["tx_mbps"], "rx-mbps": row["rx_mbps"], "tx-capacity-mbps": row["tx_capacity_mbps"],
                   "rx-capacity-mbps": row["rx_capacity_mbps"], "zoom-bytes": row["zoom_bytes"]}
        for n, row in enumerate(self.fixture("router_sessions")):
            start, end = self.seconds(row["start"]), row["end"] and self.seconds(row["end"])
            yield {"type": "session", "id": f"{n + 1:032x}", "client": row["client_ip"], "client-port": 40000 + n,
                   "remote": "203.0.113.80", "remote-port": 8801, "protocol": 17, "app": row["app"],
                   "mac": row["client_mac"].replace(":", ""), "start": start, "until": end or start + 1800,
                   "ended": bool(end), "bytes": row["bytes"], "paths": [{"since": start, "path": row["path"]}]}

    def run(self):
        reader, _ = self.socket.accept()
        lines = [{"fairlead-export": 1, "site": "hq", "router": "hq-edge-1", "dropped": 0}]
        lines += [{"seq": n + 1, **record} for n, record in enumerate(self.records())]
        reader.sendall("".join(json.dumps(line) + "\n" for line in lines).encode())
        with reader.makefile() as acks:
            for line in acks:
                self.acked = json.loads(line)["ack"]
