#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long
# Deferred flushes of kernel addresses and deferred synchronisation of patched
# text, in short: the same load of vunmap, BPF programs and tracers, with and
# without, as isolated CPUs in user mode feel it. kernel-flush-deep.sh and
# patching-deep.sh have the rest: what is stale, broken orders, costs.
#
#   KERNEL_FLUSH_KERNELS     (default "6.12 7.3")
set -eu
cd "$(dirname "$0")/../.."
lab/need run
. testlib/tap.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A second or two after booting the kernel has calibrated the TSC once more,
# and tells every CPU, by interrupts and by patching its code; whom that finds
# in the kernel a flush has to interrupt as well. So something else goes first.
cat >"$work/plan" <<'END'
perf --ms 4000
kernel-flush reset
measure --strategies auto --isolated 4-7 -- vunmap --rounds 200
measure --strategies auto --isolated 4-7 -- vunmap --rounds 40 --jit 1 --map-kib 1024
kernel-flush counters
measure --strategies auto --isolated 4-7 -- patch --rounds 4
measure --strategies auto --isolated 4-7 -- patch --entry 1 --rounds 4
kernel-flush reset
measure --name modules --strategies auto --isolated 4-7 -- patch --only 6 --rounds 5
kernel-flush counters
END

# load WHAT APPEND: sets `felt`, the flushes that interrupted the 4 isolated
# CPUs, `ruled`, those that a rule wants, `other`, the other calls, and `all` by
# name; the same for patched text, `text` and `entry` for that in entry code, with
# `patches`, how many there were, and `modules`, the interrupts beyond those by rule
# of a module that comes and goes. Empty if the kernel complained or the witnesses
# disagree.
load() {
	felt='' ruled='' other='' all='' text='' entry='' patches='' modules=''
	lab/boot --kernel "$image" --cpus 8 --isolated 4 --timeout 200 --append "$2" \
		--add "$(lab/guest-module "$image"):/lib/quell/patch.ko" --plan "$work/plan" --log "$work/$1.log" >"$work/rows" || return 0
	all=$(jq -cs 'map(select(.workload == "vunmap" and .counters_agree) | .isolated_calls) |
		if length == 2 then map(to_entries[]) | group_by(.key) |
		map({(.[0].key): map(.value) | add}) | add // {} else empty end' "$work/rows")
	felt=$(jq -r '[to_entries[] | select(.key | test("flush")) | .value] | add // 0' <<<"$all")
	other=$(jq -r '[to_entries[] | select(.key | test("flush") | not) | .value] | add // 0' <<<"$all")
	ruled=$(jq -es 'map(select(.test == "counters"))[0] | [to_entries[] |
		select(.key | startswith("interrupted_")) | .value] | add' "$work/rows") || ruled=0
	modules=$(jq -s 'map(select(.test == "counters"))[1] as $by | map(select(.workload == "modules" and
		.counters_agree)) | if length == 1 then .[0].isolated_ipis - ([$by | to_entries[] |
		select(.key | startswith("interrupted_")) | .value] | add) else empty end' "$work/rows") || :
	read -r patches text entry < <(jq -rs 'map(select(.workload == "patch" and .counters_agree)) |
		if length == 2 then "\(.[0].ops) \(map(.isolated_calls.do_sync_core // 0) | join(" "))" else "" end' "$work/rows") || :
}

for kernel in ${KERNEL_FLUSH_KERNELS:-6.12 7.3}; do
	image=$(lab/build "$kernel")
	load "$kernel-off" kernel_flush=off
	off=$felt off_other=$other off_text=$text off_patches=$patches off_modules=$modules
	load "$kernel-on" ''
	on=$felt
	echo "# Linux $kernel: $off flushes without, $on with, $ruled of them by rule; then all calls: $all"
	check "$kernel: without deferral they are interrupted again and again" [ "$off" -ge 800 ]
	# Next to no large pages change, and a CPU that another call has brought into
	# the kernel is interrupted, rightly.
	check "$kernel: with it never in user mode ($on for $off, $ruled by rule, $other other calls)" \
		[ "$on" -le $((ruled + other)) -a "$ruled" -le 20 ]
	check "$kernel: a bound that the kernel without breaks ($off, $off_other other calls)" [ "$off" -gt $((20 + off_other)) ]
	echo "# Linux $kernel: $off_patches patches of text: $off_text calls without, $text with, $entry for 8 in entry code"
	check "$kernel: without deferral each CPU is interrupted for each patch" [ "$off_text" -ge $((4 * off_patches)) ]
	# One that something else has brought into the kernel is, here too.
	check "$kernel: with it hardly any ($text for $off_text)" [ -n "$text" -a $((20 * ${text:-0})) -le "${off_text:-0}" ]
	check "$kernel: but for each in entry code" [ "$entry" -ge 32 ]
	echo "# Linux $kernel: ten patches by modules: $off_modules interrupts without, $modules with"
	check "$kernel: without deferral modules interrupt them, too" [ "${off_modules:-0}" -ge 400 ]
	check "$kernel: with it they do not" [ "${modules:-100}" -le 16 ]
	check "$kernel: the boot log says that it is active" grep -q 'kernel_flush: active on 4' "$work/$kernel-on.log"
	load "$kernel-no-pti" pti=off
	echo "# Linux $kernel, pti=off: ${felt:-no} flushes with it, $ruled by rule"
	# Large pages would, so that text of 7.x has none (kernel_flush_expected()).
	check "$kernel, pti=off: with it one in 20, all by rule" \
		[ -n "$felt" -a $((20 * ${felt:-0})) -le "$off" -a "${felt:-0}" -le $((ruled + ${other:-0})) ]
done
finish
