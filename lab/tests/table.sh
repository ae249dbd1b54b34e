#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# lab/table: what is per operation, what is relative to what, and no time where
# repetitions spread wider than the difference.
set -eu
cd "$(dirname "$0")/../.."
lab/need report
. testlib/tap.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

row() { # WORKLOAD STRATEGY NS JQ-CHANGES
	jq -cn --arg workload "$1" --arg strategy "$2" --argjson ns "$3" '{kernel: "6", cpus: 64, isolated: 4,
		$workload, $strategy, ops: 4, $ns, sync_ipis: 252, call_ipis: 6, tlb_ipis: 1, isolated_ipis: 16,
		counters_agree: true} + '"${4:-{\}}"
}
times() { echo "{repeats: 7, op_ps_least: $1, op_ps: $2, op_ps_most: $3}"; }
{
	row collapse broadcast 4000
	row collapse auto 1000 '{sync_ipis: 0, isolated_ipis: 0}'
	row collapse walkers 1000 '{ops: 0, unavailable: "not here"}'
	row collapse receipt 1000 '{counters_agree: false, disagreement: "one too many"}'
	row gup broadcast 400 "$(times 90 100 110)"
	row gup auto 100 "$(times 95 103 118)"
	row gup walkers 100 "$(times 120 131 140)"
	row gup running 100 "$(times 50 80 89)"
} >"$tmp/rows"
lab/table "$tmp/rows" >"$tmp/table"
shows() { # WHAT LINE
	if sed 's/  */ /g; s/ $//' "$tmp/table" | grep -qxF "$2"; then ok "$1"; else
		not_ok "$1" "wanted: $2" "$(cat "$tmp/table")"; fi
}
shows "interrupts are per operation, the isolated ones are not" 'collapse broadcast 4 63.00 1.50 0.25 16 1.00'
shows "time is relative to broadcast" 'collapse auto 4 0.00 1.50 0.25 0 0.25'
shows "what did not run has neither" 'collapse walkers 0 - - - 16 - (not here)'
shows "a row the witnesses disagree about is marked" 'collapse receipt 4 63.00 1.50 0.25 16 0.25 ! one too many'
shows "what was repeated is 1 for the baseline" 'gup broadcast 4 63.00 1.50 0.25 16 1.00'
shows "no time if the repetitions overlap" 'gup auto 4 63.00 1.50 0.25 16 -'
shows "a median above all of the other's" 'gup walkers 4 63.00 1.50 0.25 16 1.31'
shows "and below" 'gup running 4 63.00 1.50 0.25 16 0.80'
finish
