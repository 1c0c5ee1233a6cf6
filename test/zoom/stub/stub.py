#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Zoom for tests: OAuth and the dashboard API over TLS, with state, limits, and faults on demand.

usage: stub.py --port-file FILE --cert FILE --key FILE [--meetings N --people N --minutes N ...]

GET  /_ctl/state            what was asked and given, as JSON
POST /_ctl/faults           [{"match": regex of path, "times": n, ...}]: see fault()
POST /_ctl/set              {"attribute": value} of Zoom
"""
import argparse
import base64
import collections
import email.utils
import hashlib
import json
import os
import re
import secrets
import socket
import socketserver
import ssl
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler

import data

LIMITS = {"light": (80, 1), "medium": (60, 1), "heavy": (40, 1), "resource": (20, 60)}
CATEGORY = {"light": "Light", "medium": "Medium", "heavy": "Heavy", "resource": "Resource-intensive"}
CLASSIC = "dashboard_meetings:read:admin user:read:admin"


class Zoom:
    """All state; one lock for all of it."""

    def __init__(self, args):
        self.args = args
        self.lock = threading.RLock()
        self.client = (args.client_id, args.client_secret)
        self.redirect_uri = args.redirect_uri
        self.scope = args.scope
        self.codes, self.access, self.refresh = {}, {}, set()
        self.lifetime = args.lifetime
        self.skew = 0
        self.pages = {}
        self.page_life = 900
        self.end_time_allowed = True
        self.qss = False  # the account has the add-on of Quality of Service Subscription
        self.daily_limit = 60000
        self.daily = 0
        self.limits_on = args.limits
        self.recent = {label: collections.deque() for label in LIMITS}
        self.counts = collections.Counter()
        self.problems = []
        self.faults = []
        self.log = []
        self.paths = collections.Counter()
        self.rotations = 0
        self.not_ready = set()
        self.used = set()  # access tokens that were good for something
        now = time.time()
        if args.scene:
            self.data = data.Scene(args.scene)
        elif args.meetings is None:
            self.data = data.Samples(now)
        else:
            self.data = data.Made(now, args.meetings, args.people, args.minutes, args.spread)

    # --- tokens -----------------------------------------------------------------------------------

    def grant(self, kind, person):
        token = f"{kind}.{secrets.token_urlsafe(24)}"
        self.access[token] = time.time() + self.lifetime
        answer = {"access_token": token, "token_type": "bearer", "expires_in": self.lifetime,
                  "scope": self.scope}
        if self.args.api_url:
            answer["api_url"] = self.args.api_url
        if person:
            refresh = "refresh." + secrets.token_urlsafe(24)
            self.refresh.add(refresh)
            answer["refresh_token"] = refresh
        return 200, answer

    def token(self, form, basic):
        if basic != self.client:
            return 400, {"reason": "Invalid client_id or client_secret", "error": "invalid_client"}
        grant = form.get("grant_type")
        if grant == "authorization_code":
            want = self.codes.pop(form.get("code"), None)
            if not want or want["until"] < time.time():
                return 400, {"reason": "Invalid authorization code", "error": "invalid_request"}
            if form.get("redirect_uri") != want["redirect_uri"]:
                return 400, {"reason": "Redirect URI mismatch (4,709)", "error": "invalid_request"}
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if want["challenge"] != base64.urlsafe_b64encode(digest).rstrip(b"=").decode():
                return 400, {"reason": "Invalid code verifier", "error": "invalid_grant"}
            return self.grant("AAA", True)
        if grant == "refresh_token":
            if form.get("refresh_token") not in self.refresh:
                return 400, {"reason": "Invalid Token!", "error": "invalid_request"}
            self.refresh.discard(form["refresh_token"])  # every refresh kills the old pair
            self.access.clear()
            self.rotations += 1
            return self.grant("AAA", True)
        if grant == "account_credentials":
            return self.grant("S2S", False)
        return 400, {"reason": "unsupported grant type", "error": "unsupported_grant_type"}

    def authorize(self, query):
        if query.get("client_id") != self.client[0] or query.get("redirect_uri") != self.redirect_uri:
            return None
        code = secrets.token_urlsafe(16)
        self.codes[code] = {"until": time.time() + 300, "redirect_uri": query["redirect_uri"],
                            "challenge": query.get("code_challenge")}
        back = {"code": code, "state": query.get("state", "")}
        return query["redirect_uri"] + "?" + urllib.parse.urlencode(back)

    # --- limits -----------------------------------------------------------------------------------

    def limited(self, label):
        """429 as Zoom sends it, or None."""
        now = time.time()
        self.counts[label] += 1
        if label in ("heavy", "resource"):
            self.daily += 1
        if not self.limits_on:
            return None
        head = {"X-RateLimit-Category": CATEGORY[label]}
        if label in ("heavy", "resource") and self.daily > self.daily_limit:
            midnight = (int(now + self.skew) // 86400 + 1) * 86400
            head.update({"X-RateLimit-Type": "Daily-limit", "Retry-After": data.iso(midnight)})
            return 429, head, {"code": 429, "message": "You have reached the maximum daily rate limit for this API."}
        count, window = LIMITS[label]
        recent = self.recent[label]
        while recent and recent[0] <= now - window:
            recent.popleft()
        if len(recent) >= count:
            self.problems.append(f"over the limit of {label}")
            head["X-RateLimit-Type"] = "QPS"
            return 429, head, {"code": 429, "message": "You have reached the maximum per-second rate limit for this API. Try again later."}
        recent.append(now)
        return None

    # --- pages ------------------------------------------------------------------------------------

    def page(self, key, query, total, page_size, maximum):
        """Where the page begins, and the token of the next one; or an error."""
        if not 1 <= page_size <= maximum:
            return None, error(300, "Validation Failed.", errors=[{"field": "page_size", "message": "Invalid field."}])
        at = 0
        token = query.get("next_page_token")
        if token:
            known = self.pages.get(token)
            if not known or known[0] != key or known[2] < time.time():
                return None, error(300, "The next page token is invalid or expired.")
            at = known[1]
        following = ""
        if at + page_size < total:
            following = "tk" + secrets.token_hex(16)
            self.pages[following] = (key, at + page_size, time.time() + self.page_life)
        return at, following

    def listing(self, key, name, found, query, maximum, default=30):
        size = int(query.get("page_size", default))
        at, following = self.page(key, query, len(found), size, maximum)
        if at is None:
            return following
        return 200, {}, {"page_count": 1, "page_size": size, "total_records": len(found),
                         "next_page_token": following, name: found[at:at + size]}

    # --- the API ----------------------------------------------------------------------------------

    def meetings(self, query):
        kind = query.get("type", "live")
        since, until = data.epoch(query.get("from", "")), data.epoch(query.get("to", ""))
        if since is None or until is None or kind not in ("live", "past", "pastOne"):
            return error(300, "Validation Failed.", errors=[{"field": "from"}])
        if until - since > 31 * 86400 or since > until:
            self.problems.append("window of more than a month")
            return error(300, "Validation Failed.", errors=[{"field": "to"}])
        if since < time.time() - 184 * 86400:
            self.problems.append("window of more than six months ago")
        field = query.get("query_date_type", "start_time")
        if field == "end_time" and not self.end_time_allowed:
            return error(12700, "This account cannot query meetings by end_time.")
        source = {"live": self.data.live, "past": self.data.past, "pastOne": self.data.one}[kind]
        found = source if kind == "live" else [
            m for m in source if since <= data.epoch(m[field if kind == "past" else "start_time"]) <= until]
        same = {k: v for k, v in query.items() if k != "next_page_token"}
        return self.listing(("meetings", json.dumps(same, sort_keys=True)), "meetings", found, query, 300)

    def meeting(self, uuid, rest, query):
        live = query.get("type", "live") == "live"
        meeting = self.data.meeting(uuid)
        if not meeting or uuid in self.not_ready:
            return error(3001, "Meeting ID is invalid or not end.", status=404)
        if not rest:
            return 200, {}, meeting
        key = (uuid, rest, live)
        if rest == "participants/qos":
            size = int(query.get("page_size", 1))
            _, total = self.data.qos(uuid, live, 0, 0)
            at, following = self.page(key, query, total, size, 10)
            if at is None:
                return following
            found, _ = self.data.qos(uuid, live, at, size)
            head = json.dumps({"page_count": 1, "page_size": size, "total_records": total,
                               "next_page_token": following})[:-1]
            return 200, {}, (head + ',"participants":[' + ",".join(found) + "]}").encode()
        if rest == "participants":
            return self.listing(key, "participants", self.data.participants(uuid, live), query, 300)
        if rest == "participants/qos_summary":
            if "type" in query:
                self.problems.append("qos_summary knows no type")
            if not self.qss:
                return error(400, "This API is only available for accounts with the Quality of Service Subscription.")
            return self.listing(key, "participants", self.data.summary(uuid), query, 10, 1)
        if rest == "participants/satisfaction":
            return self.listing(key, "participants", self.data.feedback(uuid), query, 300)
        return error(2300, "This API endpoint is not recognized.")

    def api(self, path, query, bearer):
        """Status, headers, body."""
        label = "resource" if path == "/v2/metrics/meetings" else "heavy"
        if path == "/v2/users":
            label = "medium"
        elif path.startswith("/v2/users/"):
            label = "light"
        if self.access.get(bearer, 0) < time.time():
            return error(124, "Access token is expired." if bearer in self.access else "Invalid access token.", status=401)
        self.used.add(bearer)
        over = self.limited(label)
        if over:
            return over
        if path == "/v2/metrics/meetings":
            return self.meetings(query)
        if path == "/v2/users":
            return self.listing(("users",), "users", self.data.users(), query, 2000)
        if path == "/v2/users/me":
            if bearer.startswith("S2S"):
                return error(1001, "User does not exist: me.", status=404)
            return 200, {}, self.data.me()
        match = re.fullmatch(r"/v2/metrics/meetings/([^/]+)(?:/(.*))?", path)
        if not match:
            return error(2300, "This API endpoint is not recognized.")
        # Decoded once like any server, and once more by the router if it was encoded twice.
        uuid = urllib.parse.unquote(match.group(1))
        if "%" in uuid:
            uuid = urllib.parse.unquote(uuid)
            if not (uuid.startswith("/") or "//" in uuid):
                self.problems.append(f"encoded twice without need: {uuid}")
        elif uuid.startswith("/") or "//" in uuid:
            self.problems.append(f"not encoded twice: {uuid}")
        return self.meeting(uuid, match.group(2) or "", query)

    def state(self):
        return {"counts": self.counts, "problems": self.problems, "rotations": self.rotations,
                "daily": self.daily, "paths": self.paths, "log": self.log[-50:],
                "used": len(self.used), "access": len(self.access), "refresh": len(self.refresh),
                "faults": [f for f in self.faults if f.get("times", 1) > 0]}


def error(code, message, status=400, **more):
    return status, {}, {"code": code, "message": message, **more}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    zoom = None

    def log_message(self, *_):
        pass

    def date_time_string(self, timestamp=None):
        return email.utils.formatdate((timestamp or time.time()) + self.zoom.skew, usegmt=True)

    def reply(self, status, head, body):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send_response(status)
        if not any(h.lower() == "content-type" for h in head):
            self.send_header("Content-Type", "application/json;charset=UTF-8")
        for name, value in head.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def fault(self, path):
        """The first fault that fits: {match, times, after, status, headers, body, sample, delay, drip, huge,
        deep, cut, close}."""
        with self.zoom.lock:
            for fault in self.zoom.faults:
                if fault.get("times", 1) <= 0 or not re.search(fault.get("match", ""), path):
                    continue
                if fault.get("after", 0) > 0:
                    fault["after"] -= 1
                    continue
                fault["times"] = fault.get("times", 1) - 1
                return dict(fault)
        return None

    def misbehave(self, fault):
        time.sleep(fault.get("delay", 0))
        if fault.get("close"):
            self.close_connection = True
            self.connection.close()
            return
        if "sample" in fault:
            wrapped = json.loads(data.sample(fault["sample"]))
            body = wrapped["body"]
            self.reply(wrapped["http_status"], wrapped["headers"],
                       body.encode() if isinstance(body, str) else body)
            return
        status, head = fault.get("status", 200), fault.get("headers", {})
        if fault.get("huge") or fault.get("drip") or fault.get("cut"):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(1 << 30))
            self.end_headers()
            self.close_connection = True
            try:
                self.wfile.write(b'{"meetings":[')
                if fault.get("drip"):
                    for _ in range(fault["drip"]):
                        self.wfile.write(b" ")
                        self.wfile.flush()
                        time.sleep(1)
                for _ in range(fault.get("huge", 0)):
                    self.wfile.write(b" " * (1 << 20))
            except OSError:
                pass
            return
        if fault.get("deep"):
            body = b'{"a":' + b"[" * fault["deep"] + b"]" * fault["deep"] + b"}"
        else:
            body = fault.get("body", {})
            body = body.encode() if isinstance(body, str) else body
        self.reply(status, head, body)

    def basic(self):
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind != "Basic":
            return None
        return tuple(base64.b64decode(value).decode().split(":", 1))

    def handle_request(self, body):
        split = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(split.query, keep_blank_values=True))
        zoom = self.zoom
        if split.path.startswith("/_ctl/"):
            self.control(split.path[6:], body)
            return
        with zoom.lock:
            zoom.log.append(self.path)
            zoom.paths[re.sub(r"/meetings/[^/]+", "/meetings/ID", split.path)] += 1
        fault = self.fault(self.path)
        if fault:
            self.misbehave(fault)
            return
        with zoom.lock:
            if split.path == "/oauth/token":
                form = dict(urllib.parse.parse_qsl(body.decode()))
                status, answer = zoom.token(form, self.basic())
                result = status, {}, answer
            elif split.path == "/oauth/revoke":
                form = dict(urllib.parse.parse_qsl(body.decode()))
                known = zoom.access.pop(form.get("token"), None)
                zoom.counts["revoked"] += known is not None
                result = 200, {}, {"status": "success"}
            elif split.path == "/oauth/authorize":
                back = zoom.authorize(query)
                result = (302, {"Location": back}, {}) if back else (400, {}, {"reason": "You cannot authorize"})
            else:
                kind, _, bearer = self.headers.get("Authorization", "").partition(" ")
                result = zoom.api(split.path, query, bearer if kind == "Bearer" else "")
        self.reply(*result)

    def control(self, what, body):
        zoom = self.zoom
        with zoom.lock:
            if what == "state":
                self.reply(200, {}, zoom.state())
                return
            if what == "faults":
                zoom.faults = json.loads(body)
            elif what == "set":
                for name, value in json.loads(body).items():
                    setattr(zoom, name, set(value) if name == "not_ready" else value)
            elif what == "expire":
                zoom.access = {token: 0 for token in zoom.access}
        self.reply(200, {}, {})

    def do_GET(self):
        self.handle_request(b"")

    def do_POST(self):
        self.handle_request(self.rfile.read(int(self.headers.get("Content-Length", 0))))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address, context):
        super().__init__(address, Handler)
        self.context = context

    def finish_request(self, request, client_address):
        # The handshake belongs to the connection's thread, and must not last for ever.
        request.settimeout(120)
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            tls = self.context.wrap_socket(request, server_side=True)
        except (ssl.SSLError, OSError):
            return
        try:
            Handler(tls, client_address, self)
        except (ssl.SSLError, OSError, ValueError):
            pass
        finally:
            tls.close()

    def handle_error(self, request, client_address):
        pass


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--port-file", required=True)
    p.add_argument("--cert", required=True)
    p.add_argument("--key", required=True)
    p.add_argument("--client-id", default="EXAMPLECLIENTID")
    p.add_argument("--client-secret", default="example-client-secret")
    p.add_argument("--redirect-uri", default="https://portal.example.net/zoom/callback")
    p.add_argument("--scope", default=CLASSIC)
    p.add_argument("--api-url", default="")
    p.add_argument("--lifetime", type=int, default=3599)
    p.add_argument("--limits", action="store_true")
    p.add_argument("--meetings", type=int)
    p.add_argument("--scene", default="")
    p.add_argument("--people", type=int, default=10)
    p.add_argument("--minutes", type=int, default=30)
    p.add_argument("--spread", type=int, default=70000)
    args = p.parse_args()
    Handler.zoom = Zoom(args)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(args.cert, args.key)
    server = Server(("127.0.0.1", args.port), context)
    with open(args.port_file + ".new", "w", encoding="ascii") as f:
        f.write(str(server.server_address[1]))
    os.rename(args.port_file + ".new", args.port_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
