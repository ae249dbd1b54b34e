#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long beside
# A fuzzer has a go at what reads what others wrote: the parser of CPU lists, and
# the readers of records and of a service's snapshots. QUELL_FUZZ_SECONDS (8) each; more
# finds more. What it finds stays in build/cli/fuzz.
set -eu
cd "$(dirname "$0")/../.."
lab/need cli-test
. testlib/tap.sh
cd cli
out=${OUT:-../build/cli}
seconds=${QUELL_FUZZ_SECONDS:-8}

mkdir -p "$out/unit"
flock "$out/unit" make -s OUT="$out/unit" CC=gcc "$out/unit/unit" >&2
make -s OUT="$out/fuzz" CC=clang "$out/fuzz/fuzz_cpulist" "$out/fuzz/fuzz_recfile" >&2
mkdir -p "$out/fuzz/lists" "$out/fuzz/records"
printf '0-3,8-30:2/4,7' >"$out/fuzz/lists/seed"
"$out/unit/unit" --sample "$out/fuzz/records/seed"
"$out/unit/unit" --snapshot "$out/fuzz/records/snapshot"

fuzz() {
	"$out/fuzz/fuzz_$name" "$1" -timeout=60 -rss_limit_mb=1024 -print_final_stats=1 \
		-artifact_prefix="$out/fuzz/$name-" "$corpus"
}
for pair in cpulist:lists recfile:records; do
	name=${pair%:*} corpus=$out/fuzz/${pair#*:}
	log=$out/fuzz/$name.log
	# A thousand in any case, however slow the machine is; then for that long.
	if fuzz -runs=1000 >"$log" 2>&1 && fuzz -max_total_time="$seconds" >>"$log" 2>&1 &&
		runs=$(awk '/number_of_executed_units/ { n += $2 } END { print n }' "$log") && [ "$runs" -ge 1000 ]; then
		ok "fuzz_$name: $runs inputs in ${seconds}s, none did harm"
	else
		not_ok "fuzz_$name" "$(grep -E 'ERROR|SUMMARY|Test unit|number_of_exec' "$log")"
	fi
done
finish
