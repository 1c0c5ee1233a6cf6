#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes a C file with the files of the page in it: embed.sh FILE=PATH..., where PATH is how the
# server calls it. Reproducible: the contents alone decide the ETags.
set -eu

type_of() {
	case $1 in
	*.html) echo 'text/html; charset=utf-8' ;;
	*.css) echo 'text/css; charset=utf-8' ;;
	*.js) echo 'text/javascript; charset=utf-8' ;;
	*.svg) echo 'image/svg+xml' ;;
	*) echo 'text/plain; charset=utf-8' ;;
	esac
}

echo '#include "agent/insight/web.h"'
n=0
for pair in "$@"; do
	cat <<-END
		__asm__(".pushsection .rodata\n"
		        ".hidden fl_asset_$n\n.globl fl_asset_$n\n"
		        "fl_asset_$n: .incbin \"${pair%%=*}\"\n.popsection");
		extern const unsigned char fl_asset_${n}[];
	END
	n=$((n + 1))
done
echo 'const struct fl_web_asset fl_web_assets[] = {'
n=0
for pair in "$@"; do
	file=${pair%%=*}
	printf '{ "%s", "%s", "\\"%s\\"", fl_asset_%d, %d },\n' "${pair#*=}" "$(type_of "$file")" \
		"$(sha256sum "$file" | cut -c1-16)" "$n" "$(wc -c <"$file")"
	n=$((n + 1))
done
echo '};'
echo "const size_t fl_web_asset_count = $n;"
