#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One request to a control socket, its answer on stdout. usage: ask_socket.py SOCKET COMMAND [NAME=VALUE]..."""
import json
import socket
import sys

request = dict(word.split("=", 1) for word in sys.argv[3:])
request["command"] = sys.argv[2]
sock = socket.socket(socket.AF_UNIX)
sock.settimeout(10)
sock.connect(sys.argv[1])
sock.sendall(json.dumps(request).encode() + b"\n")
answer = b""
while not answer.endswith(b"\n"):
    data = sock.recv(65536)
    if not data:
        break
    answer += data
print(answer.decode(), end="")
