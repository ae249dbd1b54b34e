#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long beside
# The newest kernel shows the same as 6.12.
set -eu
cd "$(dirname "$0")/../.."
lab/need run
. testlib/tap.sh
. testlib/rows.sh
rows=$(lab/run --kernel 7 --cpus 64 --isolated 4 --path)
claim_quell 64 4

rows=$(lab/run --kernel 7 --cpus 16 --plan lab/plans/visited --path)
claim "8 CPUs that the process was on before: broadcast interrupts all others, each time" \
	'map(select(.strategy == "broadcast")) | length == 1 and all(.ops == 8 and .sync_ipis == 8 * 15)'
claim "running and auto: none" \
	'map(select(.strategy != "broadcast")) | length == 2 and all(.ops == 8 and .sync_ipis == 0)'
finish
