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
echo 'measure --strategies auto --isolated 4-7 -- vunmap --rounds 200' >"$work/plan"

# load WHAT APPEND: sets `felt`, the interrupts of the 4 isolated CPUs.
load() {
	felt=$(lab/boot --kernel "$image" --cpus 8 --isolated 4 --timeout 200 --append "$2" \
		--plan "$work/plan" --log "$work/$1.log" |
		jq -r 'select(.workload == "vunmap" and .counters_agree) | .isolated_ipis')
}

for kernel in 6.12 7.3; do
	image=$(lab/build "$kernel")
	load "$kernel-off" coalesce_tlbi=off
	off=$felt
	load "$kernel-on" ''
	on=$felt
	echo "# Linux $kernel: $off interrupts without, $on with"
	check "$kernel: without deferral they are interrupted again and again" [ "$off" -ge 800 ]
	# What is left: splits of the direct map, which may not be deferred.
	check "$kernel: with it hardly ever ($on for $off)" [ "$((on * 20))" -le "$off" ]
	check "$kernel: the boot log says that it is active" grep -qi 'kernel_flush:' "$work/$kernel-on.log"
done
finish
