#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# Walkers and removers at each other while the module comes and goes, for
# QUELL_TORTURE_SECONDS (60): no walk goes astray, the kernel has no complaint.
set -eu
cd "$(dirname "$0")/../.."
. lab/lib.sh
. lab/tests/tap.sh

seconds=${QUELL_TORTURE_SECONDS:-60}
need_number QUELL_TORTURE_SECONDS "$seconds" 10 86400
image=$(lab/debian-image 6.12)
kdir=$(live/headers "${image##*/vmlinuz-}")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
live/build "$kdir" "$tmp/live"
echo "livectl toggling /quell_live.ko $seconds race --ms 2000" >"$tmp/plan"
if lab/boot --kernel "$image" --cpus 4 --threads multi --plan "$tmp/plan" --log "$tmp/log" \
	--timeout $((seconds * 2 + 240)) --add "$tmp/live/livectl:/bin/livectl" \
	--add "$tmp/live/quell_live.ko:/quell_live.ko" >"$tmp/all" 2>"$tmp/errors"; then
	ok "$seconds s of walks and removals, and nothing found"
else
	not_ok "$seconds s of walks and removals, and nothing found" "$(cat "$tmp/errors")" "$(tail -n 4 "$tmp/all")"
fi
# Of the last rounds, what they did.
grep -E '"(toggled|from)"' "$tmp/all" | tail -n 3 | sed 's/^/# /'
times=$(sed -n 's/^{"toggled":\([0-9]*\)}$/\1/p' "$tmp/all")
# Each time changes code in thousands of places, which takes an emulated machine
# that is busy the better part of a minute.
if [ "${times:-0}" -ge $((seconds / 90 + 1)) ]; then ok "the module came and went, $times times"
else not_ok "the module came and went at least $((seconds / 90 + 1)) times" "${times:-no} times"; fi
finish
