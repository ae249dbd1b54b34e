#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long
# What a sync costs where the flush interrupts nobody, or not everybody; and
# the size that was made public, 1 GiB.
set -eu
cd "$(dirname "$0")/../.."
lab/need run
. testlib/tap.sh
. testlib/rows.sh

rows=$(lab/run --kernel 6.12 --cpus 64 --isolated 4 --plan lab/plans/silent --path)
claim 'silent: broadcast is 63 for each collapse and unshare' \
	'map(select(.strategy == "broadcast" and (.workload | test("silent")))) |
		length == 3 and all(.sync_ipis == 63 * .ops)'
claim 'silent: property does not skip what no flush has done' \
	'map(select(.strategy == "property" and (.workload | test("silent")))) |
		length == 3 and all(.sync_ipis == 63 * .ops)'
claim 'silent, one thread: auto interrupts nobody' \
	'map(select(.strategy == "auto" and (.workload | test("^(collapse|unshare)-silent$")))) |
		length == 2 and all(.sync_ipis == 0)'
# But not when a kernel thread has the CPU of one for a moment; one left out would
# be lacking every time.
claim 'silent, 8 busy threads: running interrupts these 8' \
	'map(select(.strategy == "running" and .workload == "collapse-silent-8")) |
		length == 1 and all(.sync_ipis <= 8 * .ops and .sync_ipis > 7 * .ops)'
claim 'silent, 8 busy threads: walkers interrupts at most one each' \
	'map(select(.strategy == "walkers" and .workload == "collapse-silent-8")) |
		length == 1 and all(.sync_ipis <= .ops)'
claim 'silent, 8 busy threads: auto interrupts 8 until the bias is trusted, then at most one' \
	'map(select(.strategy == "auto" and .workload == "collapse-silent-8")) |
		length == 1 and all(.stats.skipped_walk > 0 and .sync_ipis < 8 * .ops)'
claim 'elide: a receipt is refused for a flush that leaves CPUs out' \
	'map(select(.strategy == "receipt" and .workload == "collapse-elide-8")) |
		length == 1 and all(.stats.broadcasts > 0 and .stats.receipts < .ops)'
claim '1 GiB: 512 x 63 by broadcast, no sync interrupt by auto' \
	'map(select(.workload == "collapse-1GiB")) |
		map({(.strategy): .sync_ipis}) | add == {broadcast: 32256, auto: 0}'
claim 'no sync interrupt on isolated CPUs but by broadcast' \
	'map(select(.strategy == "auto" or .strategy == "running")) |
		length > 0 and all(.isolated == 4 and ([.isolated_calls | to_entries[] | select(.key | test("smp_sync"))] | length == 0))'
claim 'no sync has taken the lock of another CPU, whomever it asked about' \
	'length > 0 and all(.stats.rq_locks == 0) and
		any(.strategy == "running" and .stats.cpus_interrupted > 0 and .stats.skipped_mm > 0)'
claim_agreement
finish
