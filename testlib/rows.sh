# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Claims about the rows of a run, for the scripts that make one; `rows` is the
# file. After tap.sh.
rows=

# claim WHAT FILTER: passes if FILTER is true of the array of all rows;
# otherwise the rows are shown in short.
claim() {
	local short
	if [ "$(jq -s "$2" "$rows" 2>&1)" = true ]; then
		ok "$1"
	else
		short=$(jq -r '[.workload, .strategy, "ops", .ops, "sync", .sync_ipis, "calls", .call_ipis,
			"tlb", .tlb_ipis, "isolated", .isolated_ipis, .disagreement // ""] | join(" ")' "$rows")
		not_ok "$1" "$2" "$short"
	fi
}

# claim_each WHAT WORKLOAD STRATEGY FILTER: of every such row, and there is one.
claim_each() {
	claim "$1" "map(select(.workload == \"$2\" and .strategy == \"$3\")) | length > 0 and all(.ops > 0 and ($4))"
}

STRATEGIES='["auto","broadcast","property","rcu","receipt","running","walkers"]'

# The witnesses agree, and nearly always at once: measure tries a workload up to
# three times, which must not become what it lives by.
claim_agreement() {
	claim "all counters agree in every row" 'length > 0 and all(.counters_agree == true)'
	claim "and did so at the first attempt, but for one row in ten" \
		'all(.attempts >= 1) and (map(select(.attempts > 1)) | length) <= ([1, length / 10] | max)'
}

# What every kernel must show, whatever quell does: our instrument measures
# today's behaviour to the last interrupt.
claim_instrument() { # BASELINE CPUS
	local others=$(($2 - 1))
	claim "$1: collapse of 64 MiB on $2 CPUs = 32 x $others sync interrupts, exactly" \
		"map(select(.workload == \"collapse\" and .strategy == \"$1\")) |
			length == 1 and .[0].ops == 32 and .[0].sync_ipis == 32 * $others"
	claim "$1: every last-sharer unshare = $others sync interrupts, exactly" \
		"map(select(.workload == \"unshare\" and .strategy == \"$1\")) |
			length == 1 and .[0].ops > 0 and .[0].sync_ipis == .[0].ops * $others"
	claim_agreement
}

claim_quell() { # CPUS ISOLATED
	claim "every workload ran under every strategy" \
		"group_by(.workload) | length >= 10 and all(map(.strategy) | sort == $STRATEGIES)"
	claim_instrument broadcast "$1"
	claim "auto: no sync interrupt for collapse, khugepaged and unshare" \
		'map(select(.strategy == "auto" and (.workload | test("^(collapse|khugepaged|unshare)$")))) |
			length == 3 and all(.ops > 0 and .sync_ipis == 0)'
	claim "running: at most 8 sync interrupts per collapse with 8 busy siblings" \
		'map(select(.strategy == "running" and .workload == "collapse-8-threads")) |
			length == 1 and .[0].ops == 32 and .[0].sync_ipis <= 8 * 32'
	# A sibling whose CPU runs a kernel thread at that moment needs no flush; one
	# that a strategy left out would be lacking every time. And a flush of another
	# program's may fall into the time measured; a ninth would be there every time.
	claim "munmap: the shootdown interrupts the same 8 siblings under every strategy" \
		"map(select(.workload == \"munmap\")) | length == ($STRATEGIES | length) and
			all(.ops > 0 and .tlb_ipis < 8.5 * .ops and .tlb_ipis > 7 * .ops and .sync_ipis == 0)"
	# A kick of the tick is another matter: lru_add_drain_all() waking a worker
	# on a CPU whose page batches are not empty.
	[ "$2" = 0 ] || claim "auto: no other call reaches isolated CPUs from collapse, khugepaged, unshare" \
		'map(select(.strategy == "auto" and (.workload | test("^(collapse|khugepaged|unshare)$")))) |
			length == 3 and all(.isolated == '"$2"' and
				(.isolated_calls | del(.nohz_full_kick_func) | add // 0) == 0)'
	[ "$2" = 0 ] || claim "broadcast: they do reach them, so that they are seen" \
		'map(select(.strategy == "broadcast" and .workload == "collapse")) |
			length == 1 and .[0].isolated_calls.tlb_remove_table_smp_sync == 32 * '"$2"
}
