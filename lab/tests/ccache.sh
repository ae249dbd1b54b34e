#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick
# What a file of the kernel includes as a binary is never that of an older
# build; what else is compiled comes from the cache.
set -eu
cd "$(dirname "$0")/../.."
. lab/lib.sh
. testlib/tap.sh
need_packages build
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bin=$PWD/lab/bin
cd "$tmp"
export CCACHE_DIR=$tmp/cache CCACHE_DEPEND=1
printf '.section .rodata\n.incbin "blob"\n' >data.S
printf 'asm(".incbin \\"blob\\"");\nint data;\n' >data.c
echo 'int plain;' >plain.c

# holds SOURCE TEXT: compiled by $ccache with TEXT as the blob, it has it.
holds() {
	echo "$2" >blob
	"$ccache" gcc -MMD -MF deps -c -o object "$1" && grep -qa "$2" object
}
for source in data.S data.c; do
	ccache=/usr/bin/ccache
	holds $source blob-of-the-first-build
	if holds $source blob-of-the-second-build; then
		skip "$source: ccache alone takes the old one" "this ccache sees what is included"
	else
		ok "$source: ccache alone takes the old one"
	fi
	ccache=$bin/ccache
	check "$source: not so in our builds" holds $source blob-of-the-third-build
	check "$source: nor the time after" holds $source blob-of-the-fourth-build
done
"$ccache" gcc -MMD -MF deps -c -o object plain.c
rm object
ccache --zero-stats >stats
"$ccache" gcc -MMD -MF deps -c -o object plain.c
check "anything else comes from the cache" grep -qE '^direct_cache_hit[[:space:]]+1$' <(ccache --print-stats)
finish
