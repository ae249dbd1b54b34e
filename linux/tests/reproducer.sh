#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# The program beside the first part of the series shows the fault in the stock
# kernels and none in quell's. About ten seconds for each boot.
set -eu
cd "$(dirname "$0")/../.."
lab/need run
. testlib/tap.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gcc -O2 -Wall -Wextra -Werror -static -pthread -o "$work/reproducer" linux/letters/1-fix.c
echo reproducer >"$work/plan"

# boot BUILD-DIR: what it says, in $work/said; its exit status is the plan's.
boot() {
	lab/boot --accel tcg --kernel "$1" --cpus 2 --plan "$work/plan" \
		--add "$work/reproducer:/bin/reproducer" --log "$work/log" >"$work/said" 2>&1
}

for kernel in ${KERNELS:-6.12 7.3}; do
	boot "$(lab/build --stock "$kernel")" && r=1 || r=0
	grep -q 'a table freed: CPU 1 heard of 1 of 1' "$work/said" || r=1
	grep -q 'shared tables left: CPU 1 heard of 0 of 8' "$work/said" || r=1
	if [ "$r" = 0 ]; then ok "$kernel, stock: the idle CPU hears of no table that is left"; else
		not_ok "$kernel, stock: the idle CPU hears of no table that is left" "$(tail -n 4 "$work/said")"; fi
	boot "$(lab/build "$kernel")" && r=0 || r=1
	grep -q 'shared tables left: CPU 1 heard of 8 of 8' "$work/said" || r=1
	if [ "$r" = 0 ]; then ok "$kernel: it hears of all"; else
		not_ok "$kernel: it hears of all" "$(tail -n 4 "$work/said")"; fi
done
finish
