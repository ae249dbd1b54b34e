#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# What being observed costs, on this machine. A CPU: the median time a function-call
# interrupt takes from a spinning thread, without quell and with it; fails if quell
# costs more than ten microseconds. And quell itself: the CPU time of joining and
# counting an interrupt as if 100,000 came a second, which no small machine can send;
# and of all of `record` and `export` at a rate that leaves them a CPU, with no event
# lost and every request found; and at the highest rate that can be sent here, where
# either nothing is lost or the record says how much. The CPUs should be idle otherwise.
set -eu
cd "$(dirname "$0")/../.."
. testlib/tap.sh
. lab/lib.sh
. cli/tests/native.sh
need_packages cli-test
native "the cost of an observed interrupt" 2
program overhead flood
median() { sort -n | sed -n 3p; }
for _ in 1 2 3 4 5; do
	"$tmp/overhead" 1 >>"$tmp/without"
	build/cli/quell record -q -o "$tmp/x.rec" -c 1 -- "$tmp/overhead" 1 >>"$tmp/with"
done
without=$(median <"$tmp/without") with=$(median <"$tmp/with")
check "the interrupts were recorded" test "$(build/cli/quell report --json "$tmp/x.rec" |
	jq '[.causes[] | select(.cause == "membarrier") | .interrupts] | add')" -ge 3000
if [ "$without" -gt 0 ] && [ $((with - without)) -lt 10000 ]; then
	ok "an interrupt takes $without ns, observed $with ns"
else
	not_ok "an interrupt takes $without ns, observed $with ns"
fi

make -s -C cli ../build/cli/capacity >&2
for how in "" merge; do
	: >"$tmp/capacity"
	for _ in 1 2 3 4 5; do build/cli/capacity $how >>"$tmp/capacity"; done
	ns=$(median <"$tmp/capacity")
	check "joining and counting${how:+, where every second IPI merges,} takes $ns ns of CPU, so 100,000 a second $((ns / 100)) % of one" \
		test "$ns" -lt $(((${#how} > 0 ? 2 : 1) * 5000))
done

# ticks PID: CPU time of the process so far, in clock ticks.
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
# cost WHAT RATE COMMAND...: quell's CPU time, while CPU 1 is flooded for ten seconds.
cost() {
	local what=$1 rate=$2 pid before after us
	shift 2
	background "$@"
	pid=$!
	wait_for "grep -qs 1 /sys/kernel/tracing/instances/quell.$pid.*/tracing_on"
	sleep 1
	before=$(ticks $pid)
	sent=$("$tmp/flood" 1 10 "$rate")
	sleep 0.5
	after=$(ticks $pid)
	kill $pid
	wait $pid || true
	us=$(((after - before) * 10000000 / $(getconf CLK_TCK) / sent)) # tenths
	check "$what: $((sent / 10)) interrupts a second, $((us / 10)).$((us % 10)) us of CPU for each, so 100,000 would take $((us)) % of one" \
		test "$sent" -ge 10000 -a "$us" -lt 100
}
# Of the flood's requests, those that the record found, each with its sender; what was lost.
found() { jq '[.sources[] | select(.task == "flood" and .function == "__perf_event_read") | .requests] | add' "$tmp/flood.json"; }
lost() { jq .totals.lost_events "$tmp/flood.json"; }
for rate in 10000 0; do
	cost "record$([ $rate = 0 ] && echo " at the highest rate")" $rate build/cli/quell record -q -o "$tmp/flood.rec" -c 1 --buffer 8192
	build/cli/quell report --json "$tmp/flood.rec" >"$tmp/flood.json"
	what="of $sent requests $(found) were found, $(lost) events lost, $(jq .totals.unaccounted_interrupts "$tmp/flood.json") interrupts unaccounted"
	if [ $rate = 0 ] && [ "$(lost)" -gt 0 ]; then
		check "$what: and it says so" grep -q LOST <(build/cli/quell report "$tmp/flood.rec")
	else
		# Some in ten thousand are queued while the last run of their csd is not traced yet.
		check "$what; /proc/interrupts agrees" test "$(lost)" = 0 -a "$(found)" -ge $((sent - sent / 1000)) -a \
			"$(jq .proc_interrupts.agree "$tmp/flood.json")" = true
	fi
done
bytes=$(stat -c %s "$tmp/flood.rec")
note "bytes of the record per interrupt: $((bytes / $(jq .totals.interrupts "$tmp/flood.json")))"
cost export 10000 build/cli/quell export -t "$tmp/x.prom" -i 1s -c 1 --buffer 8192

# What does not concern CPU 1 is not even written: the kernel filters.
background build/cli/quell record -q -o "$tmp/x.rec" -c 1
pid=$!
sleep 2
sent=$("$tmp/flood" 0 3)
instance=$(find /sys/kernel/tracing/instances -maxdepth 1 -name "quell.$pid.*")
filter=$(cat "$instance/events/ipi/ipi_send_cpumask/filter")
events=$(cat "$instance"/per_cpu/cpu*/stats | awk '/^(entries|overrun|read events):/ { n += $NF } END { print n }')
kill $pid
wait $pid || true
check "of $sent interrupts of CPU 0 the record of CPU 1 sees next to nothing ($events events)" \
	test "$sent" -ge 3000 -a "$events" -gt 0 -a "$events" -lt "$sent"
# Linux 6.6 and later.
if dpkg --compare-versions "$(uname -r)" ge 6.6; then
	check "sends to a set of CPUs are filtered too ($filter)" test "$filter" = "cpumask & CPUS{1}"
fi
finish
