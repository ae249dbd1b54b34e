#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# Another witness of quell's times: perf, which has buffers, a reader and a decoder of its own.
# Both trace the same interruptions of one CPU at the same time, under loads of witness.sh. What
# lies between entry and exit by perf's stamps, paired here, must be what quell says: as often,
# and in all as long, within 5 %.
#
# Who comes second at an event is stamped when the first is through with it, and that takes longer
# at the entry, where caches are cold, than at the exit: some 0.3 us of each. So each load
# runs twice, once with either of them first, and the sums of both are judged.
#
# Both stand at the same events: of what lies outside of them only the loop of witness.sh
# knows. perf drops an event now and then (0.3 to 2 %); of quell /proc/interrupts is asked.
set -eu
cd "$(dirname "$0")/../.."
. testlib/tap.sh
. lab/lib.sh
need_packages compare
. cli/tests/native.sh
native "perf as a witness" 2 timer/hrtimer_expire_entry
[ -d /sys/kernel/tracing/events/irq_vectors ] || { skip "perf as a witness" "no irq_vectors events"; finish; exit 0; }
quell=build/cli/quell
program witness
events=()
for e in irq_vectors:{call_function,call_function_single,local_timer}_{entry,exit} irq:softirq_{entry,exit} sched:sched_switch; do
	events+=(-e "$e")
done

# What perf saw begin on CPU 1 from $2 to $3 (ns), in $1: "kind times ns", summed up.
perf_says() {
	perf script --ns -F cpu,time,event,trace -i "$1" 2>/dev/null | awk -v from="$2" -v to="$3" '
		function end(kind) {
			if (begin[kind] >= from && begin[kind] < to) { n[kind]++; sum[kind] += now - begin[kind] }
			delete begin[kind]
		}
		{
			sub(/:$/, "", $2); split($2, t, "."); now = t[1] * 1000000000 + t[2]
			split($3, e, ":"); event = e[2]
			kind = event; sub(/_(entry|exit)$/, "", kind); sub(/_single$/, "", kind)
		}
		event ~ /_entry$/ { begin[kind] = now; next }
		event ~ /_exit$/ { if (kind in begin) end(kind); next }
		event == "sched_switch" {
			# Of what began before, the end was dropped: none of it is switched out of.
			delete begin["call_function"]; delete begin["local_timer"]; delete begin["softirq"]
			if ("kworker" in begin) end("kworker")
			if ($0 ~ /next_comm=kworker/) begin["kworker"] = now
		}
		END { for (kind in n) printf "%s %d %.0f\n", kind, n[kind], sum[kind] }'
}
# And quell, in $1.
quell_says() {
	"$quell" report --events --json "$1" | jq -r --argjson m "$4" 'select(.quell == "event" and .span_ns) |
		(if .cause == "tick" and .interrupt then "local_timer"
		 elif .cause == "softirq" or .cause == "kworker" then .cause
		 elif .interrupt and (.cause | IN("reschedule", "wakeup", "device", "irq_work", "vector", "unknown", "tick") | not) then "call_function"
		 else "other" end) + " \(.at_ns + $m) \(.span_ns)"' |
		awk -v from="$2" -v to="$3" '$2 >= from && $2 < to { n[$1]++; sum[$1] += $3 }
			END { for (kind in n) printf "%s %d %.0f\n", kind, n[kind], sum[kind] }'
}
of_kind() { awk -v kind="$1" '$1 == kind { n += $2; ns += $3 } END { printf "%d %.0f\n", n, ns }' "$2"; }

perf=(perf record -q -k CLOCK_MONOTONIC -C 1 -m 2048 "${events[@]}" -o)
quells=("$quell" record -q --what all --buffer 16384 -c 1 -o)
# shellcheck disable=SC2016 # the shell's own
inside='"$@" & sleep 1; '"'$tmp/witness'"' $load 1 3 >/dev/null; kill -INT $!; wait $! 2>/dev/null; exit 0'
for load in membarrier timer kworker; do
	export load
	"${perf[@]}" "$tmp/first.data" -- sleep 100 & pids=($!)
	wait_for "[ -s '$tmp/first.data' ]"
	sleep 1
	"${quells[@]}" "$tmp/first.rec" -- "$tmp/witness" $load 1 3 >/dev/null
	kill -INT "${pids[0]}"
	wait || true
	pids=()
	"${quells[@]}" "$tmp/second.rec" -- sh -c "$inside" sh "${perf[@]}" "$tmp/second.data" -- sleep 100
	: >"$tmp/perf"
	: >"$tmp/quell"
	for run in first second; do
		check "$load, perf $run: quell lost nothing" jq -en 'input | .totals.lost_events == 0 and .proc_interrupts.agree' <("$quell" report --json "$tmp/$run.rec")
		m=$("$quell" report --perfetto "$tmp/$run.rec" | jq .otherData.window_opened_monotonic_ns)
		end=$((m + $("$quell" report --json "$tmp/$run.rec" | jq .duration_ns)))
		# What both of them observed.
		read -r from to < <(perf script --ns -F time -i "$tmp/$run.data" 2>/dev/null | tr -d ' :.' |
			sed -n '1p; $p' | sort -n | awk -v m="$m" -v end="$end" 'NR == 1 { a = $1 > m ? $1 : m } { b = $1 < end ? $1 : end } END { printf "%.0f %.0f\n", a, b }')
		perf_says "$tmp/$run.data" "$from" "$to" >>"$tmp/perf"
		quell_says "$tmp/$run.rec" "$from" "$to" "$m" >>"$tmp/quell"
	done
	case $load in membarrier) kinds=call_function ;; timer) kinds='local_timer softirq' ;; *) kinds=kworker ;; esac
	for kind in $kinds; do
		read -r times ns < <(of_kind "$kind" "$tmp/perf")
		read -r said_times said < <(of_kind "$kind" "$tmp/quell")
		echo "# $load: $kind: perf saw $times in $((ns / 1000)) us, quell $said_times in $((said / 1000)) us"
		check "$load: $kind: there is enough to judge ($times)" test "$times" -ge 100
		# A worker's stretch is one for perf, and one for each work that it did for quell.
		[ "$kind" = kworker ] || check "$load: $kind: as often, within 3 %" test $((said_times * 100)) -ge $((times * 97)) -a $((said_times * 100)) -le $((times * 103))
		check "$load: $kind: and as long, within 5 %" test $((said * 100)) -ge $((ns * 95)) -a $((said * 100)) -le $((ns * 105))
	done
done
finish
