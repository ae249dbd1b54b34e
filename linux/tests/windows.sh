#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long
# No static call that may be patched while user mode exists lies where an
# isolated CPU has not paid its debts yet, in the images as built; one that does is
# found, and an image without the table is refused.
set -eu
cd "$(dirname "$0")/../.."
. testlib/tap.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The same, with one kind of call less allowed.
sed 's/ | __SCK__x86_idle//' linux/windows >"$work/windows"

for kernel in 6.12 7.3; do
	image=$(lab/build "$kernel")/vmlinux
	check "Linux $kernel: no static call in the windows" linux/windows "$image"
	found=$(bash "$work/windows" "$image") || :
	check "Linux $kernel: one that is not allowed is found" grep -q '^a static call of x86_idle, in ' <<<"$found"
	refuses "Linux $kernel: an image without symbols" 'windows: .*no ' linux/windows "${image%/*}/arch/x86/boot/bzImage"
done
finish
