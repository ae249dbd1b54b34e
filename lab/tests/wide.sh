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
claim "auto: no sync interrupt" 'map(select(.strategy == "auto")) |
	length == 2 and all(.ops > 0 and .sync_ipis == 0)'
finish
