#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long
# Deferred flushes of kernel addresses, in short: the same load of vunmap and
# BPF programs, with and without, as isolated CPUs in user mode feel it.
# deferral-deep.sh has the rest: stale translations, broken orders, costs.
set -eu
cd "$(dirname "$0")/../.."
lab/need run
. lab/tests/tap.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A second or two after booting the kernel has calibrated the TSC once more,
# and tells every CPU, by interrupts and by patching its code; whom that finds
# in the kernel a flush has to interrupt as well. So something else goes first.
cat >"$work/plan" <<'END'
perf --ms 4000
kflush reset
measure --strategies auto --isolated 4-7 -- vunmap --rounds 200
measure --strategies auto --isolated 4-7 -- vunmap --rounds 40 --jit 1 --map-kib 1024
kflush counters
END

# load WHAT APPEND: sets `felt`, the flushes that interrupted the 4 isolated
# CPUs, `ruled`, those that a rule wants, `other`, the other calls, and `all` by
# name; empty if the kernel complained or the witnesses disagree.
load() {
	felt='' ruled='' other='' all=''
	lab/boot --kernel "$image" --cpus 8 --isolated 4 --timeout 200 --append "$2" \
		--plan "$work/plan" --log "$work/$1.log" >"$work/rows" || return 0
	all=$(jq -cs 'map(select(.workload == "vunmap" and .counters_agree) | .isolated_calls) |
		if length == 2 then map(to_entries[]) | group_by(.key) |
		map({(.[0].key): map(.value) | add}) | add // {} else empty end' "$work/rows")
	felt=$(jq -r '[to_entries[] | select(.key | test("flush")) | .value] | add // 0' <<<"$all")
	other=$(jq -r '[to_entries[] | select(.key | test("flush") | not) | .value] | add // 0' <<<"$all")
	ruled=$(jq -es 'map(select(.test == "counters") | to_entries[] |
		select(.key | startswith("interrupted_")) | .value) | add' "$work/rows") || ruled=0
}

for kernel in 6.12 7.3; do
	image=$(lab/build "$kernel")
	load "$kernel-off" coalesce_tlbi=off
	off=$felt off_other=$other
	load "$kernel-on" ''
	on=$felt
	echo "# Linux $kernel: $off flushes without, $on with, $ruled of them by rule; then all calls: $all"
	check "$kernel: without deferral they are interrupted again and again" [ "$off" -ge 800 ]
	# Next to no large pages change, and a CPU that another call has brought into
	# the kernel is interrupted, rightly.
	check "$kernel: with it never in user mode ($on for $off, $ruled by rule, $other other calls)" \
		[ "$on" -le $((ruled + other)) -a "$ruled" -le 20 ]
	check "$kernel: a bound that the kernel without breaks ($off, $off_other other calls)" [ "$off" -gt $((20 + off_other)) ]
	check "$kernel: the boot log says that it is active" grep -q 'kernel_flush: active on 4' "$work/$kernel-on.log"
done
finish
