#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# arm64 broadcasts TLB invalidation in hardware, so no flush interrupts anybody
# and every strategy shows what its sync alone costs.
set -eu
cd "$(dirname "$0")/../.."
lab/need run arm64
. testlib/tap.sh
. testlib/rows.sh
rows=$(lab/run --kernel 6.12 --arch arm64 --cpus 8 --plan lab/plans/arm64 --path)
claim "every strategy ran" "group_by(.workload) | length == 4 and all(map(.strategy) | sort == $STRATEGIES)"
claim "broadcast: collapse of 16 MiB on 8 CPUs = 8 x 7 sync interrupts, exactly" \
	'map(select(.workload == "collapse" and .strategy == "broadcast")) |
		length == 1 and .[0].ops == 8 and .[0].sync_ipis == 8 * 7'
claim "property and receipt have nothing to skip by: 8 x 7 as well" \
	'map(select(.workload == "collapse" and (.strategy | test("property|receipt")))) |
		length == 2 and all(.sync_ipis == 8 * 7)'
claim "walkers, running and auto: none" \
	'map(select(.workload == "collapse" and (.strategy | test("walkers|running|auto")))) |
		length == 3 and all(.ops == 8 and .sync_ipis == 0)'
claim "running: at most the 3 busy siblings" \
	'map(select(.workload == "collapse-3-threads" and .strategy == "running")) |
		length == 1 and .[0].sync_ipis <= 8 * 3'
claim "no flush interrupts anybody" 'length > 0 and all(.tlb_ipis == 0)'
claim_agreement
finish
