#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# Kernels that watch themselves: PREEMPT_RT and lockdep, use after free (KASAN),
# data races (KCSAN). In each, every workload under every strategy, everything
# at once while strategies are switched and CPUs come and go, and the torture
# test; a complaint of the kernel fails each of these.
#
#   QUELL_KERNELS='rt debug kasan kcsan'   which
#   QUELL_TORTURE_SECONDS=60               of torture per strategy
#   KERNEL=6.12
set -eu
cd "$(dirname "$0")/../.."
lab/need run
. testlib/tap.sh
. testlib/rows.sh

kernel=${KERNEL:-6.12}
seconds=${QUELL_TORTURE_SECONDS:-60}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo 'stress --ms 60000' >"$work/stress"

for config in ${QUELL_KERNELS:-rt debug kasan kcsan}; do
	# They interrupt too much of their own for exact figures.
	rows=$(lab/run --kernel "$kernel" --cpus 8 --isolated 2 --config "base,$config" --path) || rows=/dev/null
	claim "$config: every workload under every strategy" \
		"group_by(.workload) | length >= 10 and all(map(.strategy) | sort == $STRATEGIES) and
			all(.[][]; .ops > 0 or has(\"unavailable\")) and any(.[][]; .ops > 0)"
	build=$(lab/build --config "base,$config" "$kernel")
	check "$config: all at once for a minute, switching strategies, CPUs coming and going" \
		lab/boot --kernel "$build" --cpus 4 --threads multi --timeout 300 \
		--plan "$work/stress" --log "build/results/$kernel-$config-stress.log"
	# lab/config/rt.config leaves the torture test out.
	[ "$config" = rt ] || check "$config: torture, $seconds s per strategy" \
		lab/torture --kernel "$kernel" --config "base,$config" --seconds "$seconds"
done
finish
