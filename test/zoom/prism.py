#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does each request fit the API's description? Prism serves openapi.json, and refuses what does not.

usage: prism.py BUILD
"""
import os
import shutil
import socket
import subprocess
import sys

from harness import BUILD, HERE, Driver, Stub, prepare, run, wait_for

VERSION = "5.14.2"
NPM = os.path.join(os.path.dirname(BUILD) if os.path.basename(BUILD) == "san" else BUILD, "npm")
PRISM = os.path.join(NPM, "node_modules", ".bin", "prism")


def install():
    """None, or why not."""
    if os.path.exists(PRISM):
        return None
    if not shutil.which("npm"):
        return "npm is not installed"
    os.makedirs(NPM, exist_ok=True)
    done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", NPM, f"@stoplight/prism-cli@{VERSION}"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False)
    return None if done.returncode == 0 else f"npm cannot install Prism: {done.stdout.decode()[-200:]!r}"


class Prism:
    def __enter__(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.process = subprocess.Popen([PRISM, "mock", "--errors", "-h", "127.0.0.1", "-p", str(self.port),
                                         os.path.join(HERE, "openapi.json")], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_for("Prism", self.answers, 60)
        return self

    def answers(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def every_request_fits_the_description():
    why = install()
    if why:
        return why
    with Prism() as prism, Stub("--to", prism.port, script="front.py") as front:
        def seen():
            return [row for row in front.state() if row[0] != "GET /_ctl/state"]

        with Driver(front.base, ZOOM_LIVE=1) as d:
            # The browser's part is a page: Prism only checks what we would send it to.
            url = d.ask("link-url", "acme", "s1", "dana@example.com")
            state = url.split("&state=")[1].split("&")[0]
            answer = d.ask("back", state, "s1", "ANYCODE")
            assert answer.startswith("linked 7000012345"), answer
            kinds = ("POST /oauth/token", "/v2/users/me", "/v2/users?", "type=past&", "type=pastOne", "type=live",
                     "/participants?", "/participants/qos?", "/participants/qos_summary", "/participants/satisfaction")
            wait_for("all kinds of requests", lambda: all(any(k in row[0] for row in seen()) for k in kinds), 60)
            assert d.ask("unlink", "acme", "7000012345") == "0"
            wait_for("revocation", lambda: any("/oauth/revoke" in row[0] for row in seen()))
        with Driver(front.base) as d:
            d.link_server()
            wait_for("a listing", lambda: seen()[-1][0].startswith("GET /v2"))
        bad = [row for row in seen() if row[1] >= 300 or row[2]]
        assert not bad, bad[:5]
        assert len(seen()) > 15
    return None


if __name__ == "__main__":
    prepare()
    sys.exit(run([every_request_fits_the_description]))
