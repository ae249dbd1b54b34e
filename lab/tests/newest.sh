#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long
# The newest kernel shows the same as 6.12.
set -eu
cd "$(dirname "$0")/../.."
. lab/tests/tap.sh
. lab/tests/rows.sh
rows=$(lab/run --kernel 7 --cpus 64 --isolated 4 --path)
claim_quell 64 4
finish
