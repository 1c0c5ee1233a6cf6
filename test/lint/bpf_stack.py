#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Call chains of the BPF programs fit the kernel's 512 bytes of stack.

Kernel 6.1 counts each function's stack in steps of 32 bytes, newer ones in smaller steps: what loads
on the developer's kernel may be refused on the oldest that is supported.

usage: bpf_stack.py FILE.bpf.c...
"""
import os
import re
import struct
import subprocess
import sys
import tempfile

LIMIT = 512
STEP = 32


def run(*args):
    return subprocess.run(args, check=True, capture_output=True, text=True).stdout


def frames(path):
    """Bytes of stack by function, from what -fstack-usage wrote."""
    with open(path, encoding="utf-8") as file:
        rows = [line.split("\t") for line in file]
    return {row[0].split(":")[-1]: max(STEP, (int(row[1]) + STEP - 1) // STEP * STEP) for row in rows}


def calls(obj):
    """Callees by function. Calls of functions of ours are 85 10; relocated ones name their target."""
    lines = run("llvm-objdump-14", "-dr", obj).split("\n")
    section, starts, found = "", {}, {}
    for collect in (False, True):
        function = ""
        for line, after in zip(lines, lines[1:] + [""]):
            if match := re.match(r"Disassembly of section (\S+):", line):
                section = match[1]
            elif match := re.match(r"([0-9a-f]+) <(\S+)>:", line):
                if not match[2].startswith("LBB"):
                    function = match[2]
                    starts[section, int(match[1], 16) // 8] = function
            elif collect and (match := re.match(r"\s*(\d+):\s+85 10 00 00((?: \w\w){4})", line)):
                offset = struct.unpack("<i", bytes.fromhex(match[2]))[0]
                target = after.split()[-1] if "R_BPF_64_32" in after else ""
                if target.startswith(".text"):
                    target = starts[".text", offset + 1]
                elif not target:
                    target = starts[section, int(match[1]) + 1 + offset]
                found.setdefault(function, set()).add(target)
    return found


def deepest(function, sizes, callees):
    below = [deepest(callee, sizes, callees) for callee in callees.get(function, ())]
    depth, chain = max(below, default=(0, []))
    return depth + sizes[function], [f"{function} {sizes[function]}"] + chain


def main():
    bad = False
    for source in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            obj = os.path.join(folder, "x.o")
            run("clang", "-target", "bpf", "-mcpu=v3", "-O2", "-g", "-I.", "-fstack-usage", "-c", source, "-o", obj)
            sizes, callees = frames(obj[:-2] + ".su"), calls(obj)
        called = set().union(*callees.values())
        for entry in sorted(set(callees) - called):
            depth, chain = deepest(entry, sizes, callees)
            if depth > LIMIT:
                print(f"# {source}: {depth} bytes: {' > '.join(chain)}")
                bad = True
    print("not ok" if bad else "ok", "- call chains of BPF programs fit the stack of kernel 6.1")
    return bad


sys.exit(main())
