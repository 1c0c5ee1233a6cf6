#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TLS in front of Prism, which speaks plain HTTP: hands requests on and keeps what was answered.

usage: front.py --port-file FILE --cert FILE --key FILE --to PORT
GET /_ctl/state: [[method and path, status, what Prism says of a violation], ...]
"""
import argparse
import http.client
import json
import os
import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    to = None
    seen = []

    def log_message(self, *_):
        pass

    def reply(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def hand_on(self, body=None):
        if self.path == "/_ctl/state":
            self.reply(200, "application/json", json.dumps(self.seen).encode())
            return
        head = {n: v for n, v in self.headers.items() if n.lower() not in ("host", "connection", "accept-encoding")}
        upstream = http.client.HTTPConnection("127.0.0.1", self.to, timeout=20)
        upstream.request(self.command, self.path, body, head)
        answer = upstream.getresponse()
        data = answer.read()
        why = answer.getheader("sl-violations") or (data.decode(errors="replace")[:300] if answer.status >= 400 else "")
        self.seen.append([f"{self.command} {self.path}", answer.status, why])
        self.reply(answer.status, answer.getheader("Content-Type", "application/json"), data)
        upstream.close()

    def do_GET(self):
        self.hand_on()

    def do_POST(self):
        self.hand_on(self.rfile.read(int(self.headers.get("Content-Length", 0))))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--port-file", required=True)
    p.add_argument("--cert", required=True)
    p.add_argument("--key", required=True)
    p.add_argument("--to", type=int, required=True)
    args = p.parse_args()
    Front.to = args.to
    server = ThreadingHTTPServer(("127.0.0.1", 0), Front)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(args.cert, args.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with open(args.port_file + ".new", "w", encoding="ascii") as f:
        f.write(str(server.server_address[1]))
    os.rename(args.port_file + ".new", args.port_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
