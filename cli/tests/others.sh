#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# The same load under quell and under tools that see the same interrupts:
# perf, trace-cmd and bpftrace. Membarrier calls interrupt one CPU; each tool's
# count stands beside what /proc/interrupts gained meanwhile on that CPU, which
# includes what starting and stopping the tool itself sent.
set -eu
cd "$(dirname "$0")/../.."
. testlib/tap.sh
. lab/lib.sh
. cli/tests/native.sh
need_packages compare
native "quell beside perf, trace-cmd and bpftrace" 2
if [ ! -d /sys/kernel/tracing/events/irq_vectors/call_function_entry ]; then
	skip "quell beside perf, trace-cmd and bpftrace" "they are asked for x86's events"
	finish
	exit 0
fi
program overhead
witness() { awk '$1 == "CAL:" { print $3 }' /proc/interrupts; } # CPU 1

by_quell() {
	build/cli/quell record -q -o "$tmp/rec" -c 1 -- "$tmp/overhead" 1 >/dev/null &&
		build/cli/quell report --json "$tmp/rec" | jq '[.causes[] | select(.cause == "membarrier") | .interrupts] | add'
}
by_perf() {
	perf stat -x, -a -C 1 -e irq_vectors:call_function_entry,irq_vectors:call_function_single_entry \
		-o "$tmp/perf" "$tmp/overhead" 1 >/dev/null && awk -F, '/irq_vectors/ { n += $1 } END { print n }' "$tmp/perf"
}
by_trace_cmd() {
	trace-cmd record -q -M 2 -e irq_vectors:call_function_entry -e irq_vectors:call_function_single_entry \
		-o "$tmp/dat" "$tmp/overhead" 1 >/dev/null 2>&1 &&
		trace-cmd report -i "$tmp/dat" 2>/dev/null | grep -cE ' call_function(_single)?_entry: '
}
by_bpftrace() {
	bpftrace -q -c "$tmp/overhead 1" -e 'tracepoint:irq_vectors:call_function_entry,
		tracepoint:irq_vectors:call_function_single_entry /cpu == 1/ { @n = count(); }' 2>/dev/null |
		sed -n 's/^@n: //p'
}
# A call is no interrupt if the spinning thread was off its CPU just then.
least=$(($(sed -n 's/^#define ROUNDS[^0-9]*//p' cli/tests/overhead.c) * 99 / 100))
for tool in quell perf trace_cmd bpftrace; do
	name=${tool/_/-}
	if [ "$tool" = trace_cmd ] && ! trace-cmd record -q -e irq_vectors:call_function_entry -o "$tmp/dat" true >/dev/null 2>"$tmp/why"; then
		skip "$name" "does not run here: $(tail -n1 "$tmp/why" | sed 's/^ *//')"
		continue
	fi
	before=$(witness)
	count=$("by_$tool") || count=0
	gained=$(($(witness) - before))
	if [ "${count:-0}" -ge "$least" ] && [ "$count" -le "$gained" ]; then
		ok "$name: $count of $gained interrupts"
	else
		not_ok "$name: ${count:-0} of $gained interrupts, at least $least were due"
	fi
done
finish
