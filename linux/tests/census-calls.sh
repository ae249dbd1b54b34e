#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
#
# Followed by its calls, through other files and headers, no kernel has a walker
# that docs/argue/walkers.md lacks; and without its gates there would be some.
set -eu
cd "$(dirname "$0")/../.."
lab/need series
. testlib/tap.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for kernel in 6.12 7.3; do
	check "$kernel: every walker that calls lead to is listed" \
		linux/census --check --calls "$(lab/fetch "$kernel")"
done
mkdir -p "$work/linux" "$work/docs/argue"
cp linux/census "$work/linux/"
sed '/^## Gates/,$d' docs/argue/walkers.md >"$work/docs/argue/walkers.md"
found() { ! "$work/linux/census" --check --calls "$1" >"$work/log" && grep -q ' kernel_page_present ' "$work/log"; }
check "without the gates the kernel's walks of its own tables are found" found "$(lab/fetch 6.12)"
finish
