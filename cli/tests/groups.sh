#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# What each group of events (--what) costs beyond interrupts alone: how many interrupts
# its switching sends to each CPU at the start and at the end, counted by another quell,
# on a busy CPU, and how long a membarrier interrupt takes a
# spinning thread meanwhile. Prints what docs/operate/interruptions.md has.
set -eu
cd "$(dirname "$0")/../.."
. testlib/tap.sh
. lab/lib.sh
need_packages cli-test
. cli/tests/native.sh
native "the cost of each group" 2 csd/csd_function_entry
quell=build/cli/quell
program witness
# The median of the holes that the loop of witness.c saw.
median() { awk '{ print $2 - $1 }' "$1" | sort -n | awk '{ h[NR] = $1 } END { print h[int((NR + 1) / 2)] + 0 }'; }
ipi=0 most=0
"$tmp/witness" membarrier 1 2 >"$tmp/bare"
echo "# a membarrier interrupt takes $(median "$tmp/bare") ns unobserved"
for what in ipi irq timer softirq sched all; do
	# An idle CPU may be asked without an interrupt, so this one is kept busy.
	background taskset -c 1 sh -c 'while :; do :; done'
	$quell record -q -c 1 -o "$tmp/outer.rec" -- \
		$quell record -q -c 1 --what $what -d 0.2 -o "$tmp/inner.rec"
	kill "${pids[@]}"
	pids=()
	patches=$($quell report --json "$tmp/outer.rec" |
		jq '[.causes[] | select(.cause == "text_patching") | .interrupts] | add // 0')
	$quell record -q -c 1 --what $what -o "$tmp/x.rec" -- "$tmp/witness" membarrier 1 2 >"$tmp/with"
	echo "# $what: $patches interrupts of each CPU to switch it, $(median "$tmp/with") ns per membarrier interrupt, $(stat -c %s "$tmp/x.rec") bytes of record"
	case $what in
	ipi) ipi=$patches; check "ipi: an observer's own start and end are seen ($ipi)" test "$ipi" -gt 0; continue ;;
	irq) most=$patches; check "irq: its switching is more ($((patches - ipi)))" test "$patches" -gt "$ipi" ;;
	# The ends of interrupts are in each of these.
	*) check "$what: its switching is more than irq's ($((patches - ipi)))" test "$patches" -gt "$most" ;;
	esac
done
finish
