#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick
# bench/walk and bench/word build and measure: each variant beside the one that
# does nothing, or a getpid(), whose ratio is 1. (gup-instructions boots:
# lab/bench/tests/gup.sh.)
set -eu
cd "$(dirname "$0")/../../.."
lab/need cc
. testlib/tap.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
check "it builds" make -s -C lab/bench OUT="$tmp"
"$tmp/walk" --rounds 5 --calls 2000 >"$tmp/out" || true
check "eight rows" test "$(grep -cE '^ +[18]  [a-z-]+ +[0-9.]+ +[0-9.]+ \.\. [0-9.]+$' "$tmp/out")" = 8
check "of each variant two" test "$(awk 'NR > 1 { print $2 }' "$tmp/out" | sort | uniq -c | xargs)" = \
	'2 biased-off 2 biased-on 2 none 2 tracker'
check "nothing costs nothing more" test "$(awk '$2 == "none" { print $3 }' "$tmp/out" | xargs)" = '1.000 1.000'
refuses "an unknown option is refused" 'nonsense' "$tmp/walk" --nonsense
"$tmp/word" --rounds 5 --calls 2000 >"$tmp/out" || true
check "seven rows of the entry's word" test "$(grep -cE '^[a-z, ]{12}  +[0-9.]+  +[0-9.]+  +[0-9.]+ \.\. [0-9.]+$' "$tmp/out")" = 7
check "getpid is 1 getpid" test "$(awk '$1 == "getpid" { print $3 }' "$tmp/out")" = 1.000
refuses "an unknown option is refused" 'nonsense' "$tmp/word" --nonsense
refuses "and a number that is none" 'word: not a usable number: x' "$tmp/word" --calls x
finish
