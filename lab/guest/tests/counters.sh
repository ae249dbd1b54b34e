#!/bin/bash
# test: quick beside
# SPDX-License-Identifier: GPL-2.0
# The instrument itself, in a real kernel: the counts of today's behaviour are
# exact, all witnesses agree, and falsifying any one of them is noticed.
set -eu
cd "$(dirname "$0")/../../.."
. testlib/tap.sh
. testlib/rows.sh
. lab/lib.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
need_packages run

kernel=${QUELL_TEST_KERNEL:-$(lab/build 6.12)}
cpus=6
sources='interrupts tlb vectors queued run'
# A kernel without quell has no counters of its own to falsify.
case $kernel in *-stock-*) ;; *) sources+=' stats' ;; esac
{
	echo "measure -- collapse --mib 16"
	echo "measure --name collapse-threads -- collapse --mib 4 --threads 3"
	echo "measure -- unshare --rounds 8"
	echo "measure -- munmap --rounds 20 --threads 3"
	echo "measure --isolated $((cpus - 1)) --name isolated -- collapse --mib 32"
	echo "measure -- vunmap --rounds 2"
	echo "measure -- khugepaged --mib 4"
	for source in $sources; do
		echo "measure --name false-$source --perturb $source -- collapse --mib 4"
	done
} >"$tmp/plan"
if lab/boot --kernel "$kernel" --cpus "$cpus" --isolated 1 --plan "$tmp/plan" \
	--log "$tmp/log" >"$tmp/all" 2>"$tmp/err"; then
	ok "the guest runs the plan"
else
	not_ok "the guest runs the plan" "$(tail -n 20 "$tmp/err")"
fi
grep '"workload":' "$tmp/all" >"$tmp/rows" || true

# every WHAT FILTER CONDITION: some rows pass the filter, and all of those
# the condition.
every() {
	local bad
	bad=$(jq -c "select($2) | select($3 | not)" "$tmp/rows")
	if [ -z "$bad" ] && [ -n "$(jq -c "select($2)" "$tmp/rows")" ]; then
		ok "$1"
	else
		not_ok "$1" "$(head -n 3 <<<"$bad")"
	fi
}

today='(.strategy == "broadcast" or .strategy == "stock")'
others=$((cpus - 1))
every "collapse: every other CPU, once per operation" \
	"$today and .workload == \"collapse\"" ".ops == 8 and .sync_ipis == 8 * $others"
every "threads in user mode change nothing about that" \
	"$today and .workload == \"collapse-threads\"" ".ops == 2 and .sync_ipis == 2 * $others"
every "unshare: the same" \
	"$today and .workload == \"unshare\"" ".ops == 8 and .sync_ipis == 8 * $others"
every "khugepaged: the same, by a kernel thread" \
	"$today and .workload == \"khugepaged\"" ".ops == 2 and .sync_ipis == 2 * $others"
every "munmap: no sync, under no strategy" '.workload == "munmap"' '.ops == 20 and .sync_ipis == 0'
# A CPU that runs a kernel thread just then is spared: at most, and more than two.
every "munmap: three threads, three flushes each time, under every strategy" \
	'.workload == "munmap"' '.tlb_ipis <= 60 and .tlb_ipis > 40'
# Two interruptions in quick succession may look like one to it.
every "the isolated CPU's program sees the interrupts the kernel counts there" \
	"$today and .workload == \"isolated\"" \
	'.isolated_ipis >= .ops and .isolated_interruptions >= .isolated_ipis - 2'
every "and the row names who sent them" "$today and .workload == \"isolated\"" \
	'.isolated_calls.tlb_remove_table_smp_sync == .ops'
rows=$tmp/honest
jq -c 'select(.workload | startswith("false") | not)' "$tmp/rows" >"$rows"
claim_agreement
for source in $sources; do
	every "one too many in '$source' is noticed" ".workload == \"false-$source\"" \
		'.counters_agree == false and (.disagreement | length > 0)'
done
finish
