#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Finds an xdp-bench that loads on this kernel and prints the command that runs it. Debian 12's does
# not load on kernels without the tracepoint xdp_redirect_map; then Debian sid's is unpacked, with
# the libraries it needs, below the build folder. Nothing is installed.
#
# usage: bench/xdp_tools.sh BUILD
set -u

build=$1
sid=$build/sid
wrapper=$sid/xdp-bench
note() { echo "# $*" >&2; }

# Does it attach? A veth pair in a namespace of our own tells.
loads() {
	local ns=flx$$ result=1 pid
	ip netns add "$ns" || return 1
	ip link add x0 netns "$ns" type veth peer name x1 netns "$ns"
	nsenter --net="/run/netns/$ns" ip link set x0 up
	nsenter --net="/run/netns/$ns" ip link set x1 up
	(exec nsenter --net="/run/netns/$ns" "$1" drop x0 >"$build/xdp-bench.log" 2>&1) &
	pid=$!
	for _ in $(seq 50); do
		if nsenter --net="/run/netns/$ns" ip -d link show x0 | grep -q 'prog/xdp'; then
			result=0
			break
		fi
		kill -0 $pid 2>/dev/null || break
		sleep 0.1
	done
	kill $pid 2>/dev/null
	wait $pid 2>/dev/null
	ip netns del "$ns"
	return $result
}

# Debian's mirror and key as this machine's apt has them.
mirror() {
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' \
		"Component: main" | grep -v security | head -n 1
}

unpack_sid() {
	local apt=$sid/apt uri key deb opts
	uri=$(mirror)
	key=/usr/share/keyrings/debian-archive-keyring.gpg
	[ -n "$uri" ] || { note "apt knows no Debian mirror"; return 1; }
	mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$sid/root"
	: >"$apt/status"
	: >"$apt/none"
	mkdir -p "$apt/empty"
	echo "deb [signed-by=$key] $uri sid main" >"$apt/sources.list"
	opts=(-o "Dir::State=$apt" -o "Dir::State::status=$apt/status" -o "Dir::Cache=$apt"
		-o "Dir::Etc::sourcelist=$apt/sources.list" -o "Dir::Etc::sourceparts=$apt/empty"
		-o "Dir::Etc::preferencesparts=$apt/empty" -o APT::Install-Recommends=false
		-o APT::Sandbox::User=root)
	apt-get "${opts[@]}" -qq update >&2 || return 1
	apt-get "${opts[@]}" -qq -y --download-only install xdp-tools >&2 || return 1
	for deb in "$apt"/archives/*.deb; do
		dpkg-deb -x "$deb" "$sid/root" || return 1
	done
	rm -rf "$apt"
}

# Only the program, the loader and the libraries stay.
write_wrapper() {
	local loader bin libc
	loader=$(find "$sid/root" -name 'ld-linux*.so.*' | head -n 1)
	libc=$(find "$sid/root" -name 'libc.so.6' | head -n 1)
	bin=$(find "$sid/root" -name xdp-bench -type f | head -n 1)
	[ -n "$loader" ] && [ -n "$libc" ] && [ -n "$bin" ] || return 1
	mkdir -p "$sid/lib"
	cp -L "$(dirname "$libc")"/*.so* "$loader" "$sid/lib/" || return 1
	cp "$bin" "$sid/xdp-bench.bin"
	printf '#!/bin/sh\nexec %s --library-path %s %s "$@"\n' "$sid/lib/$(basename "$loader")" \
		"$sid/lib" "$sid/xdp-bench.bin" >"$wrapper"
	chmod +x "$wrapper"
	rm -rf "$sid/root"
}

mkdir -p "$build"
build=$(cd "$build" && pwd)
sid=$build/sid
wrapper=$sid/xdp-bench
own=$(command -v xdp-bench)
if [ -n "$own" ] && loads "$own"; then
	echo "$own"
	exit 0
fi
if [ ! -x "$wrapper" ]; then
	note "unpacking xdp-tools of Debian sid below $sid"
	unpack_sid && write_wrapper || exit 1
fi
if ! loads "$wrapper"; then
	note "xdp-bench of Debian sid does not load either:"
	tail -n 5 "$build/xdp-bench.log" >&2
	exit 1
fi
echo "$wrapper"
