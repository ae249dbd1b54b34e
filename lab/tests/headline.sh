#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# Collapsing 1 GiB on 64 CPUs: 512 x 63 sync interrupts today; with quell fewer
# than 40 function-call interrupts. Not counted is what the scheduler sends by
# the clock, the more the slower the emulation: remote wake-ups and idle
# balancing, the same under both strategies.
set -eu
cd "$(dirname "$0")/../.."
lab/need run
. testlib/tap.sh
. testlib/rows.sh
rows=$(lab/run --kernel 6.12 --cpus 64 --isolated 0 --plan lab/plans/headline --path)
claim "broadcast: 512 x 63 sync interrupts, exactly" \
	'map(select(.strategy == "broadcast")) | length == 1 and .[0].ops == 512 and .[0].sync_ipis == 512 * 63'
claim "auto: fewer than 40 function-call interrupts" \
	'map(select(.strategy == "auto")) | length == 1 and .[0].ops == 512 and .[0].sync_ipis == 0 and
		(.[0].calls | del(.sched_ttwu_pending, .nohz_csd_func) | add // 0) < 40'
claim_agreement
finish
