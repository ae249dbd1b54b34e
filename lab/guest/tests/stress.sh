#!/bin/bash
# test: long
# SPDX-License-Identifier: GPL-2.0
# Everything at once, on CPUs that really run at once: removers and walkers
# while strategies are switched and CPUs come and go. And that the data check
# of `race` can fail.
set -eu
cd "$(dirname "$0")/../../.."
. testlib/tap.sh
. lab/lib.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
need_packages run

kernel=${QUELL_TEST_KERNEL:-$(lab/build 6.12)}
boot() { # PLAN-LINE
	echo "$1" >"$tmp/plan"
	lab/boot --kernel "$kernel" --cpus 4 --threads multi --plan "$tmp/plan" \
		--timeout 200 --log "$tmp/log" >"$tmp/out" 2>"$tmp/err"
}

if boot "stress --ms 30000"; then
	ok "30 s of stress, no failure and no complaint of the kernel"
else
	not_ok "30 s of stress, no failure and no complaint of the kernel" "$(head -n 20 "$tmp/err")"
fi
grep '"stress":' "$tmp/out" >"$tmp/row" || true
for job in race switch hotplug collapse khugepaged unshare gup munmap vunmap perf; do
	# What a kernel cannot do says so with no operations.
	case $kernel:$job in *-stock-*:switch) continue ;; esac
	check "$job did something meanwhile" jq -en "input | .[\"$job\"].ops > 0" "$tmp/row"
done

if boot "race --ms 300 --spoil 1"; then
	not_ok "race notices a page that reads wrong" "$(cat "$tmp/out")"
else
	check "race notices a page that reads wrong" grep -qE 'wrong=[1-9]' "$tmp/out"
fi
finish
