#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# On every kernel of kernels.txt, emulated by QEMU (no KVM needed): the fixtures, two routers with traffic
# through them, and the installed service under systemd. As root it installs what is missing for that; with
# that in place it needs no root. The last line is "N passed, N failed, N skipped".
#
# usage: test/vm/run.sh BUILD [NAME...]; logs go to BUILD/kernels/NAME/console.log. SUITES="router service"
# runs those alone, APPEND is for the kernel's command line.
set -u

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top" || exit 2
build=$(cd "${1:?usage: $0 BUILD [NAME...]}" && pwd) || exit 2
shift
work=$build/kernels
suites=${SUITES:-fixtures router service}
limit_s=600 # for one kernel; chosen: twice what the slowest took on a busy machine

passed=0 failed=0 skipped=0

# --- what it needs ------------------------------------------------------------------------------

tools() {
	local missing=()
	command -v qemu-system-x86_64 >/dev/null || missing+=(qemu-system-x86)
	[ -x /bin/busybox ] && ! ldd /bin/busybox >/dev/null 2>&1 || missing+=(busybox-static)
	command -v xz >/dev/null || missing+=(xz-utils)
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		echo "not ok - missing: ${missing[*]}; install them or run this as root"
		return 1
	fi
	echo "installing ${missing[*]}"
	DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# --- the machine's file system ------------------------------------------------------------------

# with_libraries ROOT PROGRAM...: each, with what it is linked to, at the same path below ROOT
with_libraries() {
	local root=$1 program path
	shift
	for program; do
		{
			realpath --no-symlinks "$program"
			ldd "$program" 2>/dev/null | grep -oE '/[^ ]+'
		} | while read -r path; do
			mkdir -p "$root$(dirname "$path")"
			cp -Lu "$path" "$root$path"
		done
	done
}

# The fixtures call /bin/sh and `ip`, the routers' script needs the rest; busybox fills the gaps.
base_tree() {
	local root=$1 program
	mkdir -p "$root"/usr/{bin,sbin,lib,lib64} "$root"/{bb,dev,etc,mnt,modules,proc,root,run,sys,tmp,var/lib}
	ln -sf usr/bin usr/sbin usr/lib usr/lib64 "$root/"
	ln -sf ../run "$root/var/run"
	cp /bin/busybox "$root/usr/bin/busybox"
	for program in dash bash ip tc ss jq nsenter sysctl ethtool curl; do
		with_libraries "$root" "$(type -P "$program")"
	done
	ln -sf dash "$root/usr/bin/sh"
	printf 'root:x:0:0::/:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\n' >"$root/etc/group"
	cp "$here/init" "$root/init"
}

# Debian's systemd with as little as will run one service; what the unit calls must be real programs.
systemd_tree() {
	local root=$1 lib=/usr/lib/systemd program
	for program in systemd systemd-journald systemd-executor systemd-shutdown; do
		[ ! -x "$lib/$program" ] || with_libraries "$root" "$lib/$program"
	done
	for program in systemctl journalctl systemd-sysusers systemd-tmpfiles install chown kill; do
		with_libraries "$root" "$(type -P "$program")"
	done
	mkdir -p "$root$lib/system/sysinit.target.wants" "$root/etc/systemd/system"
	cp "$lib"/system/*.target "$lib"/system/systemd-journald* "$root$lib/system/"
	ln -sf ../systemd-journald.service "$root$lib/system/sysinit.target.wants/"
	cp "$here/fairlead-test.service" "$root/etc/systemd/system/"
	echo 00000000000000000000000000000001 >"$root/etc/machine-id" # else it is a first boot
}

# Our programs and tests lie below /fl as in the source tree; and once more as they are installed.
our_tree() {
	local root=$1 file
	mkdir -p "$root/fl/build/test/bpf" "$root/fl/test" "$root"/usr/lib/{sysusers.d,tmpfiles.d}
	for file in test/bpf/runner fairleadd fairlead; do
		with_libraries "$root" "$build/$file" || return 1
		mv "$root$build/$file" "$root/fl/build/$file"
	done
	cp -r test/vm test/netns "$root/fl/test/"
	cp "$root/fl/build/fairleadd" "$root/usr/sbin/"
	cp "$root/fl/build/fairlead" "$root/usr/bin/"
	cp deploy/systemd/fairleadd.service "$root/usr/lib/systemd/system/"
	cp deploy/systemd/fairlead.sysusers "$root/usr/lib/sysusers.d/fairlead.conf"
	cp deploy/systemd/fairlead.tmpfiles "$root/usr/lib/tmpfiles.d/fairlead.conf"
}

initramfs() {
	local dir=$1 root status
	root=$(mktemp -d "${TMPDIR:-/tmp}/fairlead-vm.XXXXXX")
	chmod 755 "$root" # it will be the machine's /
	base_tree "$root" && systemd_tree "$root" && our_tree "$root" && cp "$dir"/modules/* "$root/modules/" &&
		(cd "$root" && find . | busybox cpio -o -H newc -R 0:0 2>/dev/null | gzip -1) >"$dir/initramfs.gz"
	status=$?
	rm -rf "$root"
	return $status
}

# --- a run ---------------------------------------------------------------------------------------

# QEMU 7.2 gets cmpxchg16b wrong: kernel 6.12 then dies in half of the boots. Hence -cx16.
boot() {
	local dir=$1
	timeout "$limit_s" qemu-system-x86_64 -accel tcg,thread=multi -cpu max,-cx16 -smp 2 -m 1024 \
		-nographic -nodefaults -no-reboot -serial mon:stdio -kernel "$dir/vmlinuz" \
		-initrd "$dir/initramfs.gz" -append "console=ttyS0 quiet panic=-1 oops=panic SUITES=${suites// /,} ${APPEND:-}" \
		</dev/null >"$dir/console.raw" 2>&1
	tr -d '\r' <"$dir/console.raw" >"$dir/console.log"
}

# judge NAME: count what the console says; the marks say whether all of it was said
judge() {
	local name=$1 log=$work/$1/console.log ok bad skip suite status
	ok=$(grep -E '^ok\b' "$log" | grep -cv '# SKIP')
	skip=$(grep -cE '^ok\b.*# SKIP' "$log")
	bad=$(grep -cE '^not ok\b' "$log")
	for suite in $suites; do
		status=$(sed -n "s/^@@ end $suite //p" "$log")
		if [ -z "$status" ] || { [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; }; then
			echo "not ok - $name: $suite: ${status:+status }${status:-the machine did not get to its end}" |
				tee -a "$log"
			bad=$((bad + 1))
		fi
	done
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
	printf '%-8s %-32s %4d passed %3d failed %3d skipped  (%d s)\n' "$name" \
		"$(sed -n 's/^@@ kernel //p' "$log")" "$ok" "$bad" "$skip" "$2"
	[ "$bad" -eq 0 ] && return
	grep -E '^not ok\b' "$log" | head -n 20 | sed 's/^/    /'
	echo "    last lines of $log:"
	tail -n 15 "$log" | sed 's/^/    | /'
}

one() {
	local name=$1 suite=$2 dir=$work/$1 started=$SECONDS
	mkdir -p "$dir"
	if ! "$here/fetch.sh" "$suite" "$dir"; then
		if [ ! -s "$dir/packages" ]; then
			echo "not ok - $name: no kernel to be had from $suite"
			failed=$((failed + 1))
			return
		fi
		echo "the archive does not answer: $name is what was fetched before"
	fi
	if ! initramfs "$dir"; then
		echo "not ok - $name: no initramfs"
		failed=$((failed + 1))
		return
	fi
	boot "$dir"
	judge "$name" $((SECONDS - started))
}

tools || exit 1
while read -r name suite _; do
	[[ -z $name || $name == \#* ]] && continue
	[ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
	one "$name" "$suite"
done <"$here/kernels.txt"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
