#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# The TLB sanitizer on kernels whose flushes are broken on purpose, and on kernels
# as they are, longer.
#
#   TLBSAN_ROUNDS=N   of the workloads on kernels as they are (default 3)
set -eu
cd "$(dirname "$0")/../../.."
. lab/tests/tap.sh
lab/need build boot guest report tlbsan

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
results=build/tlbsan
mkdir -p "$results"

# run NAME OPTION...: leaves the verdict in $verdict.
run() {
	local name=$1
	shift
	verdict=clean
	lab/boot --tlbsan --plan "$tmp/plan" --log "$results/$name.log" "$@" \
		>"$results/$name.jsonl" 2>"$results/$name.err" || verdict=$(
		if grep -q '"tlbsan":"report"' "$results/$name.jsonl"; then echo reported; else echo failed; fi)
	grep -h '^tlbsan: [0-9]' "$results/$name.log.tlbsan" | sed "s/^/# $name: /" || :
}
# of_kind NAME KINDS: one of the reports is of one of these kinds.
of_kind() { jq -es --arg kinds "$2" 'any(.tlbsan == "report" and (.kind as $k | $kinds | split(" ") | index($k)))' "$results/$1.jsonl"; }

broken=$(lab/build --stock --edits lab/tlbsan/tests/faults 6.12)
# fault N WHAT KINDS APPEND PLAN: the kernel so broken is reported.
fault() {
	printf '%b' "$5" >"$tmp/plan"
	run "fault-$1" --kernel "$broken" --cpus 2 --timeout 400 --append "tlbsan_fault=$1 $4"
	check "$2: reported" [ "$verdict" = reported ]
	check "$2: as $3" of_kind "fault-$1" "$3"
}
printf 'mappings --rounds 2\n' >"$tmp/plan"
run fault-0 --kernel "$broken" --cpus 2 --append pti=on
check "the same kernel, not broken: nothing" [ "$verdict" = clean ]
fault 1 "no interrupt for CPU 1 in flush_tlb_mm_range()" "stale-frame use-after-unmap stale-rights" pti=on 'mappings --rounds 2\n'
fault 3 "invalidate_user_asid() left out" "stale-frame use-after-unmap stale-rights" pti=on 'mappings --rounds 2\n'
# That kernel dies of it as well, for the emulator's own TLB is as stale.
fault 4 "kernel ranges not flushed on CPU 1" "stale-frame use-after-unmap stale-rights" pti=off 'vunmap --rounds 12 --map-kib 64\n'

for round in $(seq "${TLBSAN_ROUNDS:-3}"); do
	for kernel in 6.12 7.3; do
		for pti in on off; do
			cp lab/plans/tlbsan "$tmp/plan"
			run "stock-$kernel-$pti" --kernel "$(lab/build --stock $kernel)" --cpus 4 --append pti=$pti
			check "stock $kernel, pti=$pti, round $round: nothing" [ "$verdict" = clean ]
			run "quell-$kernel-$pti" --kernel "$(lab/build $kernel)" --cpus 4 --isolated 1 --append pti=$pti
			check "quell $kernel, pti=$pti, round $round: nothing" [ "$verdict" = clean ]
		done
	done
done
finish
