#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick
# Wrong settings are refused at once, in one line, before anything is fetched.
set -eu
cd "$(dirname "$0")/../.."
lab/need cc
. testlib/tap.sh

refuses "no unknown option" "unknown option --cpu " live/run --cpu 3
refuses "no machine too small for the plan" "CPUS is '8'" live/run --cpus 8
refuses "no machine without isolated CPUs" "ISOLATED is '0'" live/run --isolated 0
refuses "refuses an unsupported release" "unknown KERNEL '5.10'" live/run --kernel 5.10
refuses "no headers of other kernels" "no release of Debian's" live/headers 5.10.0-9-amd64
refuses "no module without headers" "no kernel headers in /nowhere" \
	sh -c 'make -s -C live KDIR=/nowhere 2>&1 | grep -v ^make; false'
finish
