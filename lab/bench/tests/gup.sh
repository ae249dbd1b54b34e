#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# An unbiased walk costs at most eight instructions more than in the stock
# kernel, in both kernels; the script itself says whether.
set -eu
cd "$(dirname "$0")/../../.."
lab/need bench
. testlib/tap.sh
for kernel in 6.12 7.3; do
	check "Linux $kernel: at most eight instructions more" lab/bench/gup-instructions $kernel
done
finish
