#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# A second witness of quell's times: a loop that sees what it loses. For timers,
# membarrier, reschedule and kworker loads, every hole in the loop that quell has
# something in is compared with what quell says it took.
#
# Events lie inside: what the processor needs to come in and to go back, and the
# scheduler before and after its event, is in the hole and in no event. It is about
# the same each time; the median difference of every other hole is taken for it, and
# the holes in between must then agree within 5 %. A hole that is longer than that
# by another five times is one the hypervisor made, and is told but not judged; so are
# holes quell has nothing in. How much lies outside is told too: nothing hides there.
set -eu
cd "$(dirname "$0")/../.."
. testlib/tap.sh
. lab/lib.sh
need_packages cli-test
. cli/tests/native.sh
native "the second witness" 2 timer/hrtimer_expire_entry
quell=build/cli/quell
program witness

# The holes of $1 and what quell has in them, as "hole quell", in ns. Of tasks that ran
# only what the loop had to wait for; an interrupt in a hole is part of it anyway.
judged() {
	mono=$($quell report --perfetto "$tmp/$1.rec" | jq .otherData.window_opened_monotonic_ns)
	{
		awk '{ print $1, 0, $2 }' "$tmp/$1.holes"
		$quell report --events --json "$tmp/$1.rec" |
			jq -r --argjson m "$mono" 'select(.quell == "event" and .handler_ns and .victim) |
				select((.cause | IN("task", "kthread", "kworker") | not) or .victim.task == "witness") |
				"\(.at_ns + $m) 1 \(.handler_ns)"'
	} | sort -n -k1,1 -k2,2 | awk '
		function done() { if (sum) print end - begin, sum; sum = 0 }
		$2 == 0 { done(); begin = $1; end = $3 }
		$2 == 1 && $1 < end { sum += $3 }
		END { done() }'
}

for load in membarrier timer reschedule kworker; do
	check "$load: recorded" eval \
		"$quell record -q --what all -c 1 -o $tmp/$load.rec -- $tmp/witness $load 1 4 >$tmp/$load.holes"
	judged "$load" >"$tmp/pairs"
	outside=$(awk 'NR % 2 { print $1 - $2 }' "$tmp/pairs" | sort -n |
		awk '{ d[NR] = $1 } END { print d[int((NR + 1) / 2)] + 0 }')
	read -r n stolen loop said percent bare long < <(awk -v o="$outside" '
		NR % 2 { next }
		$1 - $2 > 6 * o { stolen++; next }
		{ n++; loop += $1; said += $2 + o; bare += $2 }
		$2 > o { l += $1; s += $2 + o }
		END { printf "%d %d %.0f %.0f %.1f %.1f %.1f\n", n, stolen, loop / 1e3, said / 1e3,
			loop ? 100 * said / loop : 0, loop ? 100 * bare / loop : 0, l ? 100 * s / l : 100 }' "$tmp/pairs")
	echo "# $load: $n holes judged ($stolen of a hypervisor not), the loop lost $loop us, quell says $said us: $percent %; of it $bare % between its events, $outside ns per hole outside"
	check "$load: there is enough to judge ($n)" test "$n" -ge 100
	check "$load: nine in ten holes are the kernel's" test $((stolen * 10)) -le "$n"
	check "$load: they agree within 5 % ($percent %)" awk -v p="$percent" 'BEGIN { exit !(p >= 95 && p <= 105) }'
	# Where most of the hole is inside events, what is outside cannot make up for it.
	check "$load: and so do the long ones, within 10 % ($long %)" awk -v p="$long" 'BEGIN { exit !(p >= 90 && p <= 110) }'
done
finish
