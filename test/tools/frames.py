#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Frames as the tests want them: sends what no ordinary program sends, and says what arrives.

usage: frames.py send DEV [OPTION]...    build one frame and send it
       frames.py listen DEV SECONDS      a line of JSON for every IP packet that arrives
       frames.py echo DEV SECONDS        be a tagged host: answer ARP, ND and UDP, tags kept

Only the standard library. Addresses decide the family; MACs default to the device's and, for the
destination, to the broadcast address.
"""
import argparse
import fcntl
import ipaddress
import json
import socket
import struct
import sys
import time

ETH_P_ALL = 3
TAGS = (0x8100, 0x88A8)


def csum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def mac_bytes(text):
    return bytes(int(b, 16) for b in text.split(":"))


def own_mac(dev):
    """By ioctl: /sys may be that of another network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        return fcntl.ioctl(sock, 0x8927, struct.pack("256s", dev.encode()))[18:24]  # SIOCGIFHWADDR


def pseudo(src, dst, proto, length):
    if src.version == 4:
        return src.packed + dst.packed + struct.pack("!BBH", 0, proto, length)
    return src.packed + dst.packed + struct.pack("!IHBB", length, 0, 0, proto)


def ip_packet(src, dst, proto, l4, ttl=64, df=False, ident=0, frag=0, more=False, options=b"", ext=b""):
    if src.version == 6:
        head = struct.pack("!IHBB", 6 << 28, len(l4) + len(ext), ext_first(ext, proto), ttl)
        return head + src.packed + dst.packed + ext + l4
    options += b"\0" * (-len(options) % 4)
    ihl = 5 + len(options) // 4
    flags = (0x4000 if df else 0) | (0x2000 if more else 0) | (frag // 8)
    head = struct.pack("!BBHHHBBH", 0x40 | ihl, 0, ihl * 4 + len(l4), ident, flags, ttl, proto, 0)
    head += src.packed + dst.packed + options
    return head[:10] + struct.pack("!H", csum(head)) + head[12:] + l4


def ext_first(ext, proto):
    return 60 if ext else proto


def udp(src, dst, sport, dport, payload):
    head = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0)
    check = csum(pseudo(src, dst, 17, 8 + len(payload)) + head + payload)
    return head[:6] + struct.pack("!H", check or 0xFFFF) + payload


FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16}


def tcp(src, dst, sport, dport, payload, flags, seq, ack):
    bits = sum(FLAGS[c] for c in flags)
    head = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 5 << 4, bits, 65535, 0, 0)
    check = csum(pseudo(src, dst, 6, 20 + len(payload)) + head + payload)
    return head[:16] + struct.pack("!H", check) + head[18:] + payload


def ethernet(args, family):
    head = mac_bytes(args.dmac) + (mac_bytes(args.smac) if args.smac else own_mac(args.dev))
    if args.vlan and args.inner_vlan:
        head += struct.pack("!HHHH", 0x88A8, args.vlan, 0x8100, args.inner_vlan)
    elif args.vlan:
        head += struct.pack("!HH", 0x8100, args.vlan)
    return head + struct.pack("!H", 0x86DD if family == 6 else 0x0800)


def send(args):
    src, dst = ipaddress.ip_address(args.src), ipaddress.ip_address(args.dst)
    payload = bytes.fromhex(args.hex) if args.hex is not None else args.payload.encode()
    payload += b"x" * (args.size - len(payload))
    proto = args.proto
    if proto == "udp":
        number, l4 = 17, udp(src, dst, args.sport, args.dport, payload)
    elif proto == "tcp":
        number, l4 = 6, tcp(src, dst, args.sport, args.dport, payload, args.flags, args.seq, args.ack)
    else:
        number, l4 = int(proto), payload
    if args.cut is not None:
        l4 = l4[args.cut[0] : args.cut[1]]
    ext = struct.pack("!BBHI", number, 0, 0x0104, 0) if args.ext else b""
    packet = ip_packet(src, dst, number, l4, args.ttl, args.df, args.ident, args.frag, args.more,
                       bytes.fromhex(args.options), ext)
    frame = (b"" if args.l3 else ethernet(args, src.version)) + packet
    if args.truncate:
        frame = frame[: args.truncate]
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((args.dev, 0x86DD if src.version == 6 else 0x0800))
    for _ in range(args.count):
        sock.send(frame)
        args.sport += 1 if args.step else 0
        if args.step:
            l4 = udp(src, dst, args.sport, args.dport, payload)
            packet = ip_packet(src, dst, 17, l4, args.ttl)
            frame = ethernet(args, src.version) + packet
        if args.gap:
            time.sleep(args.gap)


def untag(frame, auxdata):
    """Tags and the rest; the kernel may have taken the outer tag off."""
    tags = []
    for level, kind, data in auxdata:
        if level == 263 and kind == 8 and len(data) >= 20:
            status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", data[:20])
            if status & 0x10:
                tags.append(tci & 0xFFF)
    at = 12
    while struct.unpack_from("!H", frame, at)[0] in TAGS:
        tags.append(struct.unpack_from("!H", frame, at + 2)[0] & 0xFFF)
        at += 4
    return tags, struct.unpack_from("!H", frame, at)[0], frame[at + 2 :]


def describe(tags, ethertype, packet):
    out = {"tags": tags}
    if ethertype == 0x0800:
        ihl = (packet[0] & 15) * 4
        out.update(family=4, proto=packet[9], ttl=packet[8], length=struct.unpack_from("!H", packet, 2)[0])
        out["src"], out["dst"] = (str(ipaddress.ip_address(packet[i : i + 4])) for i in (12, 16))
        out["fragment"] = bool(struct.unpack_from("!H", packet, 6)[0] & 0x3FFF)
        l4 = packet[ihl : out["length"]]
        out["ip-checksum-ok"] = csum(packet[:ihl]) == 0
    elif ethertype == 0x86DD:
        out.update(family=6, proto=packet[6], ttl=packet[7], length=40 + struct.unpack_from("!H", packet, 4)[0])
        out["src"], out["dst"] = (str(ipaddress.ip_address(packet[i : i + 16])) for i in (8, 24))
        l4 = packet[40 : out["length"]]
    else:
        return None
    if out["proto"] in (6, 17) and not out.get("fragment"):
        out["sport"], out["dport"] = struct.unpack_from("!HH", l4)
        src, dst = ipaddress.ip_address(out["src"]), ipaddress.ip_address(out["dst"])
        zero_ok = out["proto"] == 17 and l4[6:8] == b"\0\0"
        out["checksum-ok"] = zero_ok or csum(pseudo(src, dst, out["proto"], len(l4)) + l4) == 0
        head = 8 if out["proto"] == 17 else (l4[12] >> 4) * 4
        out["payload"] = l4[head:].hex()
    else:
        out["payload"] = l4.hex()
    return out


def frames(dev, seconds):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.bind((dev, ETH_P_ALL))
    sock.setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            frame, aux, _, addr = sock.recvmsg(65536, 256)
        except socket.timeout:
            return
        if addr[2] != socket.PACKET_OUTGOING and len(frame) >= 14:
            yield frame, aux, sock


def listen(args):
    print(json.dumps({"ready": True}), flush=True)
    for frame, aux, _ in frames(args.dev, args.seconds):
        out = describe(*untag(frame, aux))
        if out:
            print(json.dumps(out), flush=True)


def retag(frame, tags, ethertype, payload):
    head = frame[6:12] + own_mac_cache[0]
    if len(tags) == 2:
        head += struct.pack("!HHHH", 0x88A8, tags[0], 0x8100, tags[1])
    elif tags:
        head += struct.pack("!HH", 0x8100, tags[0])
    return head + struct.pack("!H", ethertype) + payload


own_mac_cache = []


def echo(args):
    """UDP comes back turned round; ARP requests for any address are answered."""
    own_mac_cache.append(own_mac(args.dev))
    print(json.dumps({"ready": True}), flush=True)
    for frame, aux, sock in frames(args.dev, args.seconds):
        tags, ethertype, packet = untag(frame, aux)
        if ethertype == 0x0806 and packet[6:8] == b"\0\x01":
            reply = packet[:6] + b"\0\x02" + own_mac_cache[0] + packet[24:28] + packet[8:18]
            sock.send(retag(frame, tags, ethertype, reply))
        elif ethertype == 0x0800 and packet[9] == 17:
            out = describe(tags, ethertype, packet)
            src, dst = ipaddress.ip_address(out["dst"]), ipaddress.ip_address(out["src"])
            data = udp(src, dst, out["dport"], out["sport"], bytes.fromhex(out["payload"]))
            sock.send(retag(frame, tags, ethertype, ip_packet(src, dst, 17, data)))
            print(json.dumps(out), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True)
    one = verbs.add_parser("send")
    one.set_defaults(fn=send)
    one.add_argument("dev")
    for name in ("src", "dst"):
        one.add_argument("--" + name, required=True)
    one.add_argument("--proto", default="udp", help="udp, tcp, or a number")
    for name, default in (("sport", 40000), ("dport", 9), ("ttl", 64), ("seq", 1), ("ack", 0), ("ident", 0),
                          ("frag", 0), ("size", 0), ("count", 1), ("vlan", 0), ("inner-vlan", 0), ("truncate", 0)):
        one.add_argument("--" + name, type=int, default=default)
    one.add_argument("--gap", type=float, default=0, help="seconds between frames")
    one.add_argument("--step", action="store_true", help="another source port every time")
    one.add_argument("--cut", type=int, nargs=2, help="send only these bytes of layer 4: a fragment")
    one.add_argument("--flags", default="S")
    one.add_argument("--payload", default="")
    one.add_argument("--hex", help="payload in hex digits")
    one.add_argument("--options", default="", help="IPv4 options in hex digits")
    one.add_argument("--ext", action="store_true", help="IPv6 destination options header")
    for name in ("df", "more", "l3"):
        one.add_argument("--" + name, action="store_true")
    one.add_argument("--smac")
    one.add_argument("--dmac", default="ff:ff:ff:ff:ff:ff")
    for name, fn in (("listen", listen), ("echo", echo)):
        verb = verbs.add_parser(name)
        verb.set_defaults(fn=fn)
        verb.add_argument("dev")
        verb.add_argument("seconds", type=float)
    args = parser.parse_args()
    args.fn(args)


if __name__ == "__main__":
    sys.exit(main())
