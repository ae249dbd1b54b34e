#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# The kernel's own tests of mm judge quell as they judge stock (6.12; another
# with KERNEL=7.3), and one measured verdict turned around would be noticed.
set -eu
cd "$(dirname "$0")/../.."
lab/need selftests
. testlib/tap.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

if lab/selftests >"$tmp/table"; then ok "the same verdicts with quell as without"; else
	not_ok "the same verdicts with quell as without" "$(grep -E 'DIFFERENT|varies' "$tmp/table")"; fi
rows=build/results/selftests-6.12.jsonl
case ${KERNEL:-6.12} in 7*) rows=build/results/selftests-7.jsonl ;; esac

# One of each strategy, from the middle of what was measured.
for strategy in auto walkers running; do
	awk -v mine="\"strategy\":\"$strategy\",\"verdict\":\"pass\"" '
		index($0, mine) && ++n == 100 { sub(/"verdict":"pass"/, "\"verdict\":\"fail\"") }
		{ print }' "$rows" >"$tmp/rows"
	if cmp -s "$rows" "$tmp/rows"; then
		not_ok "a verdict turned around under $strategy" "there is no 100th success"
	elif lab/verdicts "$tmp/rows" >"$tmp/out"; then
		not_ok "a verdict turned around under $strategy" "nobody noticed"
	else
		check "a verdict turned around under $strategy" grep -q "DIFFERENT .*stock pass but $strategy" "$tmp/out"
	fi
done
finish
