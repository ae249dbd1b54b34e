#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long beside
# With lockdep, PROVE_RCU, DEBUG_VM and their like every workload still runs
# under every strategy, and none of them complains (lab/boot fails if one does).
set -eu
cd "$(dirname "$0")/../.."
lab/need run
. testlib/tap.sh
. testlib/rows.sh
rows=$(lab/run --kernel 6.12 --cpus 16 --isolated 2 --config base,debug --path)
claim_quell 16 2
finish
