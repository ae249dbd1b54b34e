#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# The torture test's walkers and removers on Debian's kernels while the module
# comes and goes, for QUELL_TORTURE_SECONDS (60), and then while it stays: nobody
# is left behind on a removed table, the kernel has no complaint. Modules that
# are broken are found out, each within a minute.
set -eu
cd "$(dirname "$0")/../.."
lab/need run-live
. lab/lib.sh
. testlib/tap.sh
. testlib/broken.sh

seconds=${QUELL_TORTURE_SECONDS:-60}
need_number QUELL_TORTURE_SECONDS "$seconds" 10 86400
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
faults='nobody known idle guess'

# boot NAME THREADS SECONDS: run $tmp/NAME.plan; results in $tmp/NAME.
boot() {
	local status=0 m modules=(--add "$tmp/good/livectl:/bin/livectl" --add "$tmp/good/quell_live.ko:/quell_live.ko")
	for m in torture pt_sync_torture; do modules+=(--add "$tmp/torture/$m.ko:/lib/$m.ko"); done
	for m in $faults; do modules+=(--add "$tmp/$m.ko:/$m.ko"); done
	lab/boot --kernel "$image" --cpus 3 --threads "$2" --plan "$tmp/$1.plan" --log "$tmp/$1.log" \
		--timeout $(($3 * 2 + 300)) "${modules[@]}" >"$tmp/$1" 2>"$tmp/$1.errors" || status=$?
	if [ "$status" = 0 ]; then ok "$kernel, $1: the guest came to its end without complaints"
	else not_ok "$kernel, $1: the guest came to its end without complaints" "$(cat "$tmp/$1.errors")" "$(tail -n 4 "$tmp/$1")"; fi
	grep '"torture":' "$tmp/$1" >"$tmp/$1.rows" || true
}

# clean WHAT SECONDS FILE: the rows there are of nearly all that time, and good.
clean() {
	if jq -es --argjson s "$2" 'length > 0 and (map(.ms) | add) >= $s * 900 and
		all(.[]; .verdict == "SUCCESS" and .found == 0)' "$3" >/dev/null; then ok "$kernel, $1"
	else not_ok "$kernel, $1" "$(tail -n 2 "$3")"; fi
	jq -rs '"# \(map(.walks) | add) walks, \(map(.nmi) | add) more in NMIs; \(map(.removals) | add) removals, " +
		"\(map(.collapses) | add) as by a collapse; \(map(.unshares) | add) unshared"' "$3"
}

# came_and_went WHAT TIMES LEAST
came_and_went() {
	if [ "${2:-0}" -ge "$3" ]; then ok "$kernel, $1: the module came and went, $2 times"
	else not_ok "$kernel, $1: the module came and went at least $3 times" "${2:-no} times"; fi
}

torture() { # KERNEL
	local fault n=0 row
	kernel=$1
	tmp=$top/$kernel
	mkdir "$tmp"
	image=$(lab/debian-image "$kernel")
	kdir=$(live/headers "${image##*/vmlinuz-}")
	live/build "$kdir" "$tmp/good"
	live/torture/build "$kdir" "$tmp/torture"
	for fault in $faults; do "broken_$fault"; done

	echo "livectl toggling /quell_live.ko $seconds torture --ms 10000" >"$tmp/toggled.plan"
	echo "livectl toggling /quell_live.ko 20 race --ms 2000" >>"$tmp/toggled.plan"
	boot toggled single "$seconds"
	clean "toggled: $seconds s of torture, and nothing found" "$seconds" "$tmp/toggled.rows"
	mapfile -t times < <(sed -n 's/^{"toggled":\([0-9]*\)}$/\1/p' "$tmp/toggled")
	came_and_went "the torture" "${times[0]:-}" $((seconds / 60 + 1))
	came_and_went "programs that walk and remove" "${times[1]:-}" 1

	printf '%s\n' "livectl on /quell_live.ko" "torture --ms 60000" "livectl off" >"$tmp/steady.plan"
	boot steady multi 60
	clean "steady: 60 s of torture, and nothing found" 60 "$tmp/steady.rows"

	for fault in $faults; do
		echo "livectl on /$fault.ko"
		# Who guesses is wrong about long walks only.
		echo "torture --ms 60000 fault=no_sync walk_us=400 stutter=0"
		echo "livectl off"
	done >"$tmp/caught.plan"
	boot caught single 240
	for fault in $faults; do
		n=$((n + 1))
		row=$(sed -n "${n}p" "$tmp/caught.rows")
		if [ "$(jq -r .verdict <<<"$row")" = FAILURE ]; then
			ok "$kernel, caught after $(jq .ms <<<"$row") ms: module '$fault'"
		else
			not_ok "$kernel, caught: module '$fault'" "$row"
		fi
	done
}

# While code is being changed, virtual CPUs take turns, at each pause of a walker
# and oftener. On 6.12 livepatch changes thousands of places each time; if they
# truly run at once, QEMU may miss such a change of just the code that another
# CPU is running, and the kernel dies of a trap that nobody expected (int3).
# With the module in place they do run at once.
for kernel in ${KERNEL:-6.1 6.12 7.3}; do torture "$kernel"; done
finish
