#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long beside
# The instrument on kernels we neither changed nor configured: Debian's own
# images behave as design and arithmetic say.
set -eu
cd "$(dirname "$0")/../.."
lab/need run
. testlib/tap.sh
. testlib/rows.sh
for kernel in 6.12 7; do
	rows=$(lab/run --kernel "$kernel" --debian --cpus 64 --plan lab/plans/scale --path)
	claim_instrument stock 64
done
finish
