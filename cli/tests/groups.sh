#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# What each group of events (--what) costs beyond interrupts alone: how many interrupts
# its switching sends to each CPU at the start and at the end, counted by another quell
# that has interrupts switched on already, and how long a membarrier interrupt takes a
# spinning thread meanwhile. Prints what docs/interruptions.md has.
set -eu
cd "$(dirname "$0")/../.."
. lab/tests/tap.sh
. lab/lib.sh
need_packages cli-test
. cli/tests/native.sh
native "the cost of each group" 2 csd/csd_function_entry
quell=build/cli/quell
program witness
# The median of the holes that the loop of witness.c saw.
median() { awk '{ print $2 - $1 }' "$1" | sort -n | awk '{ h[NR] = $1 } END { print h[int((NR + 1) / 2)] + 0 }'; }
most=0
"$tmp/witness" membarrier 1 2 >"$tmp/bare"
echo "# a membarrier interrupt takes $(median "$tmp/bare") ns unobserved"
for what in ipi irq timer softirq sched all; do
	$quell record -q -c 1 -o "$tmp/outer.rec" -- \
		$quell record -q -c 1 --what $what -d 0.2 -o "$tmp/inner.rec"
	patches=$($quell report --json "$tmp/outer.rec" |
		jq '[.causes[] | select(.cause == "text_patching") | .interrupts] | add // 0')
	$quell record -q -c 1 --what $what -o "$tmp/x.rec" -- "$tmp/witness" membarrier 1 2 >"$tmp/with"
	echo "# $what: $patches interrupts of each CPU to switch it, $(median "$tmp/with") ns per membarrier interrupt, $(stat -c %s "$tmp/x.rec") bytes of record"
	if [ "$what" = ipi ]; then
		check "ipi: nothing more is switched" test "$patches" = 0
	else
		check "$what: its switching is seen ($patches)" test "$patches" -gt "$most"
	fi
	[ "$what" != irq ] || most=$patches	# the ends of interrupts, which all have
done
finish
