#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# A sync asks about every CPU and takes no lock to do so, least of all that of another
# CPU's runqueue. CPUS=255 THREADS=64 for the widest machine: a quarter of an hour.
# KERNELS="6.12 7.3".
set -eu
cd "$(dirname "$0")/../.."
lab/need run
. testlib/tap.sh

cpus=${CPUS:-8} threads=${THREADS:-4}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p build/results
gcc -std=gnu11 -O2 -Wall -Wextra -Werror -static -pthread -Ilab/guest -o "$work/locks" lab/tests/locks.c \
	lab/guest/{workload,sysfile,cpulist,json,knobs}.c
echo "locks --threads $threads" >"$work/plan"

# row NAME FILTER WHAT: true of the row of that name.
row() {
	local what="$kernel, $cpus CPUs: $3" row
	row=$(grep "\"locks_of\": *\"$1\"" "$work/rows" || :)
	if [ -n "$row" ] && [ "$(jq "$2" <<<"$row")" = true ]; then ok "$what"; else not_ok "$what" "$2" "$row"; fi
}

for kernel in ${KERNELS:-6.12 7.3}; do
	build=$(lab/build "$kernel")
	log=build/results/locks-$kernel-$cpus.log
	# shellcheck disable=SC2016 # the inner shell's dollars
	check "$kernel: the guest comes to its end" bash -c 'lab/boot --accel tcg --kernel "$1" --cpus "$2" --timeout "$3" \
		--plan "$4/plan" --add "$4/locks:/bin/locks" --log "$5" >"$4/rows"' - \
		"$build" "$cpus" $((300 + 12 * cpus)) "$work" "$log"
	cp "$work/rows" "${log%.log}.jsonl"
	row sched_setaffinity '.windows == 1 and .locks >= 2' \
		"sched_setaffinity() is seen to take that of a task and that of another CPU's runqueue"
	row rcu '.windows > 0 and .locks > 0' "a sync that waits for a grace period takes some"
	# Once walkers publish themselves, auto asks them.
	for s in "running $threads" "auto 0"; do
		row "${s% *}" ".windows > 0 and .asked >= .windows * ${s#* } / 2 and .locks == 0" \
			"${s% *} asks who can be walking and takes none"
	done
done
finish
