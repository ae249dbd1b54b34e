#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long
# Deferred flushes of kernel addresses, in short: the same load of vunmap and
# BPF programs, with and without, as isolated CPUs in user mode feel it.
# deferral-deep.sh has the rest: stale translations, broken orders, costs.
set -eu
cd "$(dirname "$0")/../.."
. lab/tests/tap.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/plan" <<'END'
measure --strategies auto --isolated 4-7 -- vunmap --rounds 200
measure --strategies auto --isolated 4-7 -- vunmap --rounds 40 --jit 1 --map-kib 1024
END

# load WHAT APPEND: sets `felt`, the interrupts of the 4 isolated CPUs; empty
# if the kernel complained or the witnesses disagree.
load() {
	felt=
	lab/boot --kernel "$image" --cpus 8 --isolated 4 --timeout 200 --append "$2" \
		--plan "$work/plan" --log "$work/$1.log" >"$work/rows" || return 0
	felt=$(jq -rs 'map(select(.workload == "vunmap" and .counters_agree)) |
		if length == 2 then map(.isolated_ipis) | add else empty end' "$work/rows")
}

for kernel in 6.12 7.3; do
	image=$(lab/build "$kernel")
	load "$kernel-off" coalesce_tlbi=off
	off=$felt
	load "$kernel-on" ''
	on=$felt
	echo "# Linux $kernel: $off interrupts without, $on with"
	check "$kernel: without deferral they are interrupted again and again" [ "$off" -ge 800 ]
	# A boot that has just ended calibrates the TSC once more, on each CPU.
	check "$kernel: with it never ($on for $off)" [ "$on" -le 4 ]
	check "$kernel: the boot log says that it is active" grep -q 'kernel_flush: active on 4' "$work/$kernel-on.log"
done
finish
