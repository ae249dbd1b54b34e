#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# Kernels as they are, longer: stock and with quell, with and without page table
# isolation, 4 CPUs, everything that changes page tables. Stock Linux has F4, which
# must be found where it is looked for; elsewhere a report of it, by its writer, is
# counted as that, and every other report is an error.
#
#   TLBSAN_MINUTES=N   of stock Linux in all, processor time (default 30; 0: none)
#   TLBSAN_KERNELS=..  which (default: 6.12 7.3)
#   TLBSAN_PTI=..      with isolation and without (default: on off)
set -eu
cd "$(dirname "$0")/../../.."
. testlib/tap.sh
. lab/tlbsan/tests/run.sh
lab/need build boot guest report tlbsan

read -ra kernels <<<"${TLBSAN_KERNELS:-6.12 7.3}"
plan=$(grep -v '^#' lab/plans/tlbsan)
plan+=$'\nfork-hugetlb --gib 2 --forks 4\npatch --rounds 1\nhotplug --ms 60 --every 10'
read -ra ptis <<<"${TLBSAN_PTI:-on off}"
each=$((${TLBSAN_MINUTES:-30} * 60 / ${#kernels[@]} / ${#ptis[@]}))
f4='.kind == "freed-table" and ([.writer.at] + .writer.stack | any(startswith("__huge_pmd_unshare") or startswith("huge_pmd_unshare")))'

# Of all that ran so far; sets $spent, in seconds.
spend() {
	times >"$results/times"
	spent=$(awk -F '[ms ]+' 'NR == 2 { print int(60 * ($1 + $3) + $2 + $4) }' "$results/times")
}

# stock KERNEL PTI: boots with the plan until the time is over.
stock() {
	local image begin boots=0 clean=0 known=0 done=0 name=stock-$1-$2
	image=$(lab/build --stock "$1")
	spend
	begin=$spent
	while [ $((spent - begin)) -lt "$each" ]; do
		boots=$((boots + 1))
		run "$name" "$plan\n" --kernel "$image" --cpus 4 --append "pti=$2"
		cp "$results/$name.jsonl" "$results/$name-$boots.jsonl"
		if [ "$verdict" = clean ]; then
			clean=$((clean + 1))
		elif [ "$verdict" = reported ] && jq -es "map(select(.tlbsan == \"report\")) | length > 0 and all($f4)" "$results/$name.jsonl" >/dev/null; then
			known=$((known + 1))
		fi
		! ran_all "$name" || done=$((done + 1))
		spend
	done
	echo "# stock $1, pti=$2: $boots boots in $((spent - begin)) s of processor time: $clean without a report, $known with F4 alone"
	check "stock $1, pti=$2: no missing flush but F4 in $boots boots" [ "$boots" = $((clean + known)) ]
	check "and everything was done" [ "$boots" -gt 0 -a "$done" = "$boots" ]
}

# ran_all NAME: the plan ran to its end, and each of its lines did something, but
# table-free, where page tables are freed as pages are: munmap does that.
ran_all() {
	jq -es --argjson lines "$(wc -l <<<"$plan")" '(map(.text // empty | select(test("^ops=[1-9]|unavailable=this-kernel-frees-tables-like-pages"))) | length == $lines) and
		(map(select(.done)) | .[0].failed == 0)' "$results/$1.jsonl" >/dev/null
}

for kernel in "${kernels[@]}"; do
	[ "$each" -gt 0 ] || continue
	run "f4-$kernel" 'lazy --rounds 3 --shared 1\n' --kernel "$(lab/build --stock "$kernel")" --cpus 2 --append pti=on --tlbsan-with stop=1
	reported "stock $kernel has F4" "f4-$kernel" freed-table __huge_pmd_unshare
	for pti in "${ptis[@]}"; do stock "$kernel" "$pti"; done
done
for kernel in "${kernels[@]}"; do
	for pti in "${ptis[@]}"; do
		run "quell-$kernel-$pti" "$plan\nlazy --rounds 3 --shared 1\n" --kernel "$(lab/build "$kernel")" --cpus 4 --isolated 1 \
			--append "pti=$pti"
		silent "quell $kernel, pti=$pti" "quell-$kernel-$pti"
	done
done
finish
