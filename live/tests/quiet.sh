#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long beside
# What `make run-live` shows is what the module promises: 64 CPUs, four of them
# isolated and busy, on Debian's stock kernel.
set -eu
cd "$(dirname "$0")/../.."
lab/need run-live
. testlib/tap.sh
. testlib/rows.sh

rows=$(live/run --path)
for w in collapse isolated collapse-beside-8 unshare unshare-beside-8 isolated-unshare; do
	claim_each "$w: without the module, before and after, a sync interrupts all 63" $w stock '.sync_ipis == 63 * .ops'
done
for w in collapse isolated; do
	claim_each "$w: with the module at most one CPU per sync" $w live '.sync_ipis <= .ops'
done
for w in isolated isolated-unshare; do
	claim_each "$w: without it, isolated CPUs are interrupted by every sync" $w stock \
		'.isolated_calls.tlb_remove_table_smp_sync == 4 * .ops'
	claim_each "$w: with it, by none" $w live '(.isolated_calls.tlb_remove_table_smp_sync // 0) == 0'
done
claim_each "eight busy unrelated processes: collapses interrupt none of them" collapse-beside-8 live '.sync_ipis == 0'
claim_each "their mm was known every time" collapse-beside-8 live '.stats.mm_known == .stats.syncs'
claim_each "unsharing, whose mms are not known, interrupts these eight" unshare-beside-8 live \
	'.stats.mm_known == 0 and .sync_ipis >= 8 * .ops and .sync_ipis < 10 * .ops'
if jq -es 'map(select(.ops > 0)) | length > 0 and all(.[]; .counters_agree)' "$rows" >/dev/null; then
	ok "the module's counters and the machine's agree"
else
	not_ok "the module's counters and the machine's agree" "$(jq -c 'select(.counters_agree | not)' "$rows")"
fi
finish
