#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# One boot of 6.12 with every workload under every strategy, four of the CPUs
# isolated: the exact counts. 16 CPUs (QUELL_TEST_CPUS); counts-64.sh has as many as
# `make run`. (lab/guest/tests shows that a wrong count is noticed.)
set -eu
cd "$(dirname "$0")/../.."
. testlib/tap.sh
. testlib/rows.sh
. lab/lib.sh
need_packages run

cpus=${QUELL_TEST_CPUS:-16}
rows=$(lab/run --kernel 6.12 --cpus "$cpus" --isolated 4 --path)
claim_quell "$cpus" 4

# Whatever it does, it tells.
said=$(lab/build 6.12 2>&1 >/dev/null)
check "a second build has nothing to do${said:+: $said}" [ -z "$said" ]
tree=$(lab/fetch 6.12)
check "the pristine tree stayed pristine" \
	test -z "$(grep -rl PT_SYNC "$tree/mm" "$tree/arch/x86/mm" "$tree/include/linux")"
finish
