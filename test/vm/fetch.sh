#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches the cloud kernel of a Debian suite; installs nothing. The mirror, and its security archive for
# a suite that has one, are those that apt is set up with.
#
# usage: fetch.sh SUITE DIR; makes DIR/vmlinuz, DIR/modules (numbered in the order of loading) and
# DIR/packages, which says what they come from
set -eu

suite=$1
dir=$2
mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
dir=$(cd "$dir" && pwd)

# archive_of LABEL: URI and codename of the archive with that label, by apt's own settings
archive_of() {
	apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)|$(CODENAME)|$(COMPONENT)' |
		awk -F'|' -v label="$1" '$1 == "Debian" && $2 == label && $5 == "main" { print $3; exit }'
}

sources() {
	local main security
	main=$(archive_of Debian)
	if [ -z "$main" ]; then
		echo "fetch.sh: apt knows no Debian archive; run apt-get update" >&2
		return 1
	fi
	echo "deb [$signed] $main $suite main"
	security=$(archive_of Debian-Security)
	if [ "$suite" = bookworm ] && [ -n "$security" ]; then
		echo "deb [$signed] $security $suite-security main"
	fi
}

apt_here() {
	local tool=$1
	shift
	"$tool" -qq -o "Dir::State=$dir/apt" -o "Dir::State::status=$dir/apt/status" \
		-o "Dir::Etc::sourcelist=$dir/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o "Dir::Cache=$dir/apt/cache" -o APT::Sandbox::User=root -o APT::Default-Release= "$@"
}

# needs PACKAGE: "name=version" of what it depends on
needs() {
	apt_here apt-cache show --no-all-versions "$1" |
		sed -n 's/^Depends: //p' | tr , '\n' | sed -nE 's/^ *([^ ]+) \(= ([^)]+)\).*/\1=\2/p'
}

# The image is a metapackage's dependency, and may itself need others of its version (sid splits
# image, binary and modules).
packages() {
	local todo=(linux-image-cloud-amd64) found=() package next
	while [ ${#todo[@]} -gt 0 ]; do
		package=${todo[0]}
		todo=("${todo[@]:1}")
		while read -r next; do
			case $next in
			linux-image-[0-9]* | linux-binary-[0-9]* | linux-modules-[0-9]*) ;;
			*) continue ;;
			esac
			[[ " ${found[*]} " == *" $next "* ]] && continue
			found+=("$next")
			todo+=("$next")
		done < <(needs "$package")
	done
	[ ${#found[@]} -eq 0 ] || printf '%s\n' "${found[@]}"
}

# unpack ROOT: take from the packages' files what is needed
unpack() {
	local name file n=10
	cp "$(find "$1" -name 'vmlinuz*' -type f | head -n1)" "$dir/vmlinuz"
	rm -rf "$dir/modules"
	mkdir "$dir/modules"
	for name in veth tun dummy sch_ingress cls_bpf act_bpf; do
		file=$(find "$1" -name "$name.ko*" | head -n1)
		case $file in
		*.ko.xz) xz -dc "$file" >"$dir/modules/$n-$name.ko" ;;
		*.ko) cp "$file" "$dir/modules/$n-$name.ko" ;;
		esac
		n=$((n + 1))
	done
}

signed="signed-by=/usr/share/keyrings/debian-archive-keyring.gpg"
sources >"$dir/apt/sources.list"
: >"$dir/apt/status"
apt_here apt-get update
packages >"$dir/packages.new"
if [ ! -s "$dir/packages.new" ]; then
	echo "fetch.sh: no cloud kernel in $suite" >&2
	exit 1
fi
cmp -s "$dir/packages.new" "$dir/packages" && exit
rm -f "$dir/packages"
temp=$(mktemp -d "${TMPDIR:-/tmp}/fairlead-kernel.XXXXXX")
trap 'rm -rf "$temp"' EXIT
mapfile -t list <"$dir/packages.new"
(cd "$temp" && apt_here apt-get download "${list[@]}")
for deb in "$temp"/*.deb; do
	dpkg-deb -x "$deb" "$temp/root"
done
unpack "$temp/root"
mv "$dir/packages.new" "$dir/packages"
