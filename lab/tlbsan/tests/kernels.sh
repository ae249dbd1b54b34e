#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# Kernels as they are, longer: stock and with quell, with and without page table
# isolation, 4 CPUs, everything that changes page tables.
#
#   TLBSAN_ROUNDS=N    times everything (default 1)
#   TLBSAN_KERNELS=..  which (default: 6.12 7.3)
set -eu
cd "$(dirname "$0")/../../.."
. testlib/tap.sh
. lab/tlbsan/tests/run.sh
lab/need build boot guest report tlbsan

plan=$(<lab/plans/tlbsan)
for round in $(seq "${TLBSAN_ROUNDS:-1}"); do
	for kernel in ${TLBSAN_KERNELS:-6.12 7.3}; do
		for pti in on off; do
			run "stock-$kernel-$pti" "$plan\n" --kernel "$(lab/build --stock "$kernel")" --cpus 4 --append pti=$pti
			silent "stock $kernel, pti=$pti, round $round" "stock-$kernel-$pti"
			run "quell-$kernel-$pti" "$plan\n" --kernel "$(lab/build "$kernel")" --cpus 4 --isolated 1 --append pti=$pti
			silent "quell $kernel, pti=$pti, round $round" "quell-$kernel-$pti"
		done
	done
done
finish
