#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# The counts are as exact on 255 CPUs, the most QEMU emulates.
set -eu
cd "$(dirname "$0")/../.."
lab/need run
. testlib/tap.sh
. testlib/rows.sh
rows=$(lab/run --kernel 6.12 --cpus 255 --plan lab/plans/wide --path)
claim_instrument broadcast 255
claim "auto: no sync interrupt" 'map(select(.strategy == "auto" and .workload != "collapse-silent-64")) |
	length == 2 and all(.ops > 0 and .sync_ipis == 0)'
claim "64 busy threads: every sync asks about 254 CPUs and takes no lock of theirs" \
	'map(select(.workload == "collapse-silent-64")) | length == 2 and all(.ops > 0 and .stats.rq_locks == 0) and
		(map(select(.strategy == "running").stats) | length == 1 and all(.cpus_interrupted > 0 and
			.cpus_interrupted + .skipped_mm + .skipped_idle == 254 * .targeted))'
finish
