#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A cable between two tun devices in two network namespaces, this one and another.

usage: tun_cable.py DEV NETNS-FILE DEV
"""
import ctypes
import fcntl
import os
import select
import struct
import sys

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
CLONE_NEWNET = 0x40000000


def tun(name):
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


def main():
    first = tun(sys.argv[1])
    netns = os.open(sys.argv[2], os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(netns, CLONE_NEWNET):
        sys.exit("setns: " + os.strerror(ctypes.get_errno()))
    second = tun(sys.argv[3])
    other = {first: second, second: first}
    while True:
        for fd in select.select(list(other), [], [])[0]:
            try:
                os.write(other[fd], os.read(fd, 65536))
            except OSError:
                pass  # down for the moment


if __name__ == "__main__":
    main()
