#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# lab/verdicts goes red for every way in which quell could be judged
# differently from stock, and only for those.
set -eu
cd "$(dirname "$0")/../.."
lab/need report
. testlib/tap.sh
shopt -s lastpipe # `rows | check` counts its result here
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

said() { # RUN STRATEGY VERDICT: one test with one verdict, to its end
	local syncs=0
	[ "$2" = stock ] || syncs=7
	jq -cn --argjson run "$1" --arg strategy "$2" --arg verdict "$3" \
		'{$run, selftest: "cow", $strategy, $verdict, what: "no leak"}'
	jq -cn --argjson run "$1" --arg strategy "$2" --argjson syncs "$syncs" --arg ended "${4:-exit 0}" \
		'{$run, selftest: "cow", $strategy, $ended, pass: 1, fail: 0, skip: 0, xfail: 0, ms: 1, $syncs, kernel: "6"}'
}
planned() { echo '{"planned":"cow"}'; }
green() { # WHAT, rows from stdin
	cat >"$tmp/rows"
	check "$1" lab/verdicts "$tmp/rows"
}
red() { # WHAT PATTERN, rows from stdin
	cat >"$tmp/rows"
	if lab/verdicts "$tmp/rows" >"$tmp/out"; then
		not_ok "$1" "passed" "$(cat "$tmp/out")"
	elif grep -qE "$2" "$tmp/out"; then
		ok "$1"
	else
		not_ok "$1" "wanted: $2" "$(cat "$tmp/out")"
	fi
}

{ planned; said 1 stock pass; said 1 auto pass; said 1 running pass; } | green "the same verdicts pass"
{ planned; said 1 stock fail; said 1 auto fail; } | green "a failure on both is the same"
{ echo '{"planned":"cow","once":true}'; said 1 stock pass; said 1 auto pass; planned | sed s/cow/gup/
	for s in stock auto running; do said 1 "$s" pass | sed s/cow/gup/; done; } |
	green "a slow test is run under one strategy only"
{ planned; said 1 stock pass; said 1 auto pass; said 1 running fail; } |
	red "a failure of one strategy" 'DIFFERENT cow: no leak: stock pass but running fail'
{ planned; said 1 stock fail; said 1 auto pass; } | red "an unexpected success" 'stock fail but auto pass'
{ planned; said 1 stock pass; said 1 auto skip; } | red "a skip" 'stock pass but auto skip'
{ planned; said 1 stock pass; said 1 auto pass | grep -v verdict; } |
	red "a verdict that is not there" 'stock pass but auto absent'
{ planned; said 1 stock pass; said 1 auto pass 'exit 1'; } | red "another exit" 'the end: stock exit_0 but auto exit_1'
{ planned; said 1 stock pass; said 1 auto pass 'signal 11'; } | red "a signal" 'auto signal_11'
{ planned; said 1 stock pass timeout; said 1 auto pass timeout; } | red "a test that hangs on both" 'with stock: timeout'
{ planned; said 1 stock pass 'not run: no program'; said 1 auto pass 'not run: no program'; } |
	red "a test that is not there on both" 'with stock: not_run'
{ planned; said 1 stock pass; said 1 auto pass | grep -v ended; } | red "a test without an end" 'did not end with auto'
{ planned; echo '{"planned":"gup"}'; said 1 stock pass; said 1 auto pass; } |
	red "a test that never ran" 'gup: did not end with stock'
{ planned; said 1 stock pass; said 1 auto pass | sed 's/"syncs":7/"syncs":0/'; } |
	red "tests that led to no sync" 'auto: no test led to a sync'
{ planned; said 1 stock pass; } | red "one kernel only" 'nothing to compare'
red "no rows at all" 'nothing to compare' </dev/null

{ planned; said 1 stock pass; said 1 auto fail; said 2 stock fail; said 2 auto pass; } >"$tmp/rows"
if lab/verdicts "$tmp/rows" >"$tmp/out" && grep -q 'varies cow: no leak: stock pass fail' "$tmp/out"; then
	ok "what varies on stock varies"
else
	not_ok "what varies on stock varies" "$(cat "$tmp/out")"
fi
{ planned; said 1 stock pass; said 1 auto skip; said 2 stock pass; said 2 auto pass; } |
	green "what was skipped once, and then as on stock, varies"
{ planned; said 1 stock pass; said 1 auto skip; said 2 stock pass; said 2 auto skip; } |
	red "what is skipped each time" 'stock pass but auto skip'
{ planned; said 1 stock pass; said 1 auto skip; said 2 stock pass; said 2 auto fail; } |
	red "what is skipped, then fails" 'stock pass but auto skip fail'
{ planned; said 1 stock pass; said 1 auto fail; said 2 stock pass; said 2 auto pass; } |
	red "what varies only with quell" 'stock pass but auto fail pass'
if [ "$(lab/verdicts --differing "$tmp/rows")" = cow ]; then ok "the test to run again is named"; else
	not_ok "the test to run again is named"; fi
finish
