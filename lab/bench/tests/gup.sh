#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# An unbiased walk of one page costs at most two instructions more than in the stock
# kernel, a biased one 3 %, in both kernels; the script itself says whether.
set -eu
cd "$(dirname "$0")/../../.."
lab/need bench
. testlib/tap.sh
for kernel in 6.12 7.3; do
	check "Linux $kernel: at most two instructions more, 3 % if biased" lab/bench/gup-instructions $kernel
done
finish
