#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick
# bench/walk builds and measures: each variant beside the one that does
# nothing, whose ratio is 1. (gup-instructions boots: bench/tests/gup.sh.)
set -eu
cd "$(dirname "$0")/../.."
lab/need cc
. lab/tests/tap.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
check "it builds" make -s -C bench OUT="$tmp"
"$tmp/walk" --rounds 5 --calls 2000 >"$tmp/out" || true
check "eight rows" test "$(grep -cE '^ +[18]  [a-z-]+ +[0-9.]+ +[0-9.]+ \.\. [0-9.]+$' "$tmp/out")" = 8
check "of each variant two" test "$(awk 'NR > 1 { print $2 }' "$tmp/out" | sort | uniq -c | xargs)" = \
	'2 biased-off 2 biased-on 2 none 2 tracker'
check "nothing costs nothing more" test "$(awk '$2 == "none" { print $3 }' "$tmp/out" | xargs)" = '1.000 1.000'
refuses "an unknown option is refused" 'nonsense' "$tmp/walk" --nonsense
finish
