# SPDX-License-Identifier: Apache-2.0
"""What the tests of Zoom have in common: the stub, the driver, and TAP."""
import concurrent.futures
import hashlib
import hmac
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
CERTS = os.path.join(BUILD, "zoom", "certs")
HOOK_SECRET = "example-secret-token"


def prepare():
    subprocess.run([os.path.join(HERE, "stub", "certs.sh"), CERTS], check=True)


def wait_for(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"in vain waited for {what}")
        time.sleep(0.02)


class Stub:
    """stub.py, or any other server that writes its port to a file."""

    def __init__(self, *args, cert="stub", script="stub.py"):
        self.dir = tempfile.mkdtemp(prefix="fl-stub-")
        port_file = os.path.join(self.dir, "port")
        self.process = subprocess.Popen(
            [sys.executable, "-B", os.path.join(HERE, "stub", script), "--port-file", port_file,
             "--cert", f"{CERTS}/{cert}.pem", "--key", f"{CERTS}/{cert}.key", *map(str, args)])
        wait_for("the stub", lambda: os.path.exists(port_file))
        with open(port_file, encoding="ascii") as f:
            self.port = int(f.read())
        self.base = f"https://localhost:{self.port}"
        self.context = ssl.create_default_context(cafile=f"{CERTS}/stub-ca.pem")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.dir)

    def request(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(self.base + path, data=data, context=self.context, timeout=10) as r:
            return json.loads(r.read())

    def state(self):
        return self.request("/_ctl/state")

    def faults(self, *faults):
        self.request("/_ctl/faults", list(faults))

    def set(self, **values):
        self.request("/_ctl/set", values)

    def consent(self, url):
        """The person signs in and consents: what the browser brings back."""
        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_):
                return None
        opener = urllib.request.build_opener(Stay, urllib.request.HTTPSHandler(context=self.context))
        try:
            opener.open(url, timeout=10)
        except urllib.error.HTTPError as e:
            if e.code != 302:
                raise
            return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(e.headers["Location"]).query))
        raise AssertionError("no redirect")


class Driver:
    """The program under test, with its folder of state."""

    def __init__(self, base, directory=None, **env):
        self.own = directory is None
        self.dir = directory or tempfile.mkdtemp(prefix="fl-zoom-")
        self.log_path = os.path.join(self.dir, "log")
        # Fast, and a day back: tests of rates and of the past say otherwise.
        env = {"ZOOM_SCALE": 100, "ZOOM_DAYS": 1, **env}
        self.env = dict(os.environ, ZOOM_BASE=base, ZOOM_CA=f"{CERTS}/stub-ca.pem",
                        ZOOM_HOOK_SECRET=HOOK_SECRET, **{k: str(v) for k, v in env.items()})
        self.start()

    def start(self):
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen([f"{BUILD}/test/zoom/driver", self.dir], env=self.env,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        if self.own:
            shutil.rmtree(self.dir)

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.log.close()
        return self.process.returncode

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()

    def ask(self, *words):
        self.process.stdin.write((" ".join(words) + "\n").encode())
        self.process.stdin.flush()
        lines = []
        while True:
            line = self.process.stdout.readline().decode()
            if not line:
                raise AssertionError(f"the driver died at {words[0]}: {self.process.poll()}")
            if line == ".\n":
                return "\n".join(lines)
            lines.append(line.rstrip("\n"))

    def status(self, org="acme"):
        return json.loads(self.ask("status", org))

    def account(self, org="acme", n=0):
        return self.status(org)["accounts"][n]

    def wait(self, seconds=30):
        answer = self.ask("wait", str(seconds))
        assert answer == "synced", f"{answer}: {self.status()}"

    def meetings(self):
        rows = [line.split()[1:] for line in self.ask("dump").splitlines()]
        return {r[0]: (int(r[1]), int(r[2]), int(r[3]), r[4]) for r in rows}

    def usage(self):
        words = self.ask("usage").split()
        return int(words[1]), int(words[3])

    def credentials(self):
        return sorted(n for n in os.listdir(f"{self.dir}/credentials") if n.endswith(".cred"))

    def log_text(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def link_server(self, org="acme", account="acct"):
        answer = self.ask("link-server", org, "dana@example.com", account)
        assert answer.startswith("linked"), answer

    def link(self, stub, org="acme", session="s1"):
        """The whole way of an operator; what the driver says in the end."""
        url = self.ask("link-url", org, session, "dana@example.com")
        back = stub.consent(url)
        return self.ask("back", back["state"], session, back["code"])

    def hook(self, body, when=None, secret=HOOK_SECRET):
        path = os.path.join(self.dir, "hook")
        raw = json.dumps(body).encode()
        stamp = str(int(when or time.time()))
        with open(path, "wb") as f:
            f.write(raw)
        sign = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
        return self.ask("hook", stamp, "v0=" + sign, path)


def one(test):
    """Its TAP lines, and whether it passed."""
    started = time.monotonic()
    try:
        why = test()
    except Exception:
        trace = "".join("# " + line for line in traceback.format_exc().splitlines(True))
        return trace + f"\nnot ok - {test.__name__}", False
    return f"ok - {test.__name__}" + (f" # SKIP {why}" if why else f" ({time.monotonic() - started:.1f} s)"), True


def run(tests):
    """TAP for functions; those named in argv[2:] only, if any. Mostly they wait: four at a time."""
    only = sys.argv[2:]
    wanted = [t for t in tests if not only or any(word in t.__name__ for word in only)]
    failed = False
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", "4"))) as pool:
        for text, good in pool.map(one, wanted):
            print(text, flush=True)
            failed |= not good
    return failed
