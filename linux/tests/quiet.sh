#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# A minute of collapses, unsharing, unmapping and BPF programs on housekeeping
# CPUs, in both kernels: isolated CPUs in user mode feel none of
# it, next to none without page table isolation, and with the stock kernel, or
# with deferral off, they do.
set -eu
cd "$(dirname "$0")/../.."
lab/need run
. testlib/tap.sh

# of COLUMN CONDITION: is it true of that column's row in $rows?
of() { jq -es --arg column "$1" "any(.[]; .column == \$column and ($2))" "$rows"; }

for kernel in 6.12 7.3; do
	rows=$(lab/quiet --kernel "$kernel" --path)
	check "$kernel: the witnesses agree" jq -es 'length == 5 and all(.counters_agree)' "$rows"
	check "$kernel: all did the same work" jq -es 'map({collapses, unshares, vunmaps, text_patches}) | unique | length == 1' "$rows"
	check "$kernel: and that was enough" \
		of quell '.collapses >= 16 and .unshares >= 16 and .vunmaps >= 16 and .text_patches >= 200'
	# Each of these four once for each collapse and unsharing, and more.
	check "$kernel: stock interrupts isolated CPUs" \
		of stock '.isolated_calls.tlb_remove_table_smp_sync >= 4 * (.collapses + .unshares)'
	check "$kernel: for each patch of kernel text, too" of stock '.isolated_calls.do_sync_core >= 4 * .text_patches'
	# But for small pages where a huge leaf was, which are counted.
	check "$kernel: quell does not, not once" of quell '.isolated == 4 and .isolated_ipis <= (.by_rule | add // 0)'
	check "$kernel: nor later" of 'quell, later' '.isolated_ipis <= (.by_rule | add // 0)'
	check "$kernel: nor did they leave user mode for anything else" \
		of quell '.isolated_interruptions <= (.by_rule | add // 0)'
	stock=$(jq -s 'map(select(.column == "stock"))[0].isolated_ipis' "$rows")
	check "$kernel: without PTI at most 2 in 100 of stock's" of 'no PTI' ".isolated_ipis * 50 <= $stock"
	# What a rule says is the truth only if the rules add up to all.
	check "$kernel: and each has its rule" of 'no PTI' '.isolated_ipis <= (.by_rule | add)'
	rows=$(lab/quiet --kernel "$kernel" --guests --path)
	check "$kernel: stock interrupts guests" of stock '.isolated_interruptions >= 4 * (.collapses + .unshares)'
	check "$kernel: quell does not for page tables" \
		of quell '.guests and .isolated == 4 and (.isolated_calls.tlb_remove_table_smp_sync // 0) == 0'
	# A tick ends a guest, too, and who is in the kernel for it is interrupted.
	stock=$(jq -s 'map(select(.column == "stock"))[0].isolated_ipis' "$rows")
	check "$kernel: and next to never for flushes" of quell ".isolated_ipis * 50 <= $stock and .guest_counted > 0"
	rows=$(lab/quiet --kernel "$kernel" --seconds 10 --append kernel_flush=off --path)
	check "$kernel: they are interrupted with deferral off" of quell '.isolated_calls.do_flush_tlb_all >= .vunmaps'
done
finish
