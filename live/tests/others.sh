#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# The module on Debian's other kernels: 6.1, where no tracepoint tells which
# function an interrupt was for, so that all of them count; and the rt flavour
# of 6.12, which has no huge pages to collapse. 6.12+deb13-amd64 is Debian 13's
# generic one, for which the module is built there, by that Debian's compiler.
set -eu
cd "$(dirname "$0")/../.."
lab/need run-live
. lab/lib.sh
. testlib/tap.sh
. testlib/rows.sh
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
cpus=6

for kernel in ${KERNEL:-6.1 6.12-rt}; do
	image=$(lab/debian-image "$kernel")
	release=${image##*/vmlinuz-}
	tmp=$top/$kernel
	mkdir "$tmp"
	case $kernel in
	*+deb13*)
		live/tests/trixie "$release" "$tmp/good"
		compiler=$(readelf -p .comment "$tmp/good/quell_live.ko" | sed -n 's/.*GCC: //p' | head -n 1)
		make -s -C live/guest OUT="$tmp/good"
		live/tests/trixie "$release" "$tmp/version" KCFLAGS=-DLIVE_LINUX=0x060200
		;;
	*)
		kdir=$(live/headers "$release")
		live/build "$kdir" "$tmp/good"
		make -s -C live KDIR="$kdir" OUT="$tmp/version" KCFLAGS=-DLIVE_LINUX=0x060200 >"$tmp/version.log" 2>&1
		;;
	esac

	case $kernel in *-rt) workloads='unshare' ;; *) workloads='collapse unshare' ;; esac
	for w in $workloads; do
		case $w in collapse) size='--mib 16' ;; *) size='--rounds 8' ;; esac
		echo "measure --isolated $((cpus - 1)) --name isolated-$w -- $w $size"
	done >"$tmp/once"
	{
		cat "$tmp/once"
		echo "livectl refuse /version.ko 95"
		echo "livectl on /quell_live.ko"
		cat "$tmp/once"
		echo "livectl off"
		cat "$tmp/once"
	} >"$tmp/plan"
	status=0
	lab/boot --kernel "$image" --cpus $cpus --isolated 1 --plan "$tmp/plan" --append lpj=16000000 \
		--add "$tmp/good/livectl:/bin/livectl" --add "$tmp/good/quell_live.ko:/quell_live.ko" \
		--add "$tmp/version/quell_live.ko:/version.ko" --timeout 900 --log "$tmp/log" >"$tmp/all" || status=$?
	mkdir -p build/results
	cp "$tmp/all" "build/results/live-$kernel.jsonl"
	cp "$tmp/log" "build/results/live-$kernel.log"
	if [ "$status" = 0 ]; then ok "$kernel: boots, loads it, unloads it, and complains of nothing"
	else not_ok "$kernel: boots, loads it, unloads it, and complains of nothing" "$(tail -n 3 "$tmp/all")"; fi
	rows=$tmp/rows
	grep '"workload":' "$tmp/all" >"$rows" || true
	check "$kernel: not on a Linux nobody has looked at" grep -q 'ran":"livectl refuse /version.ko 95","exit":0' "$tmp/all"
	check "$kernel: it says which are known" grep -q 'Linux 6.2 is not known.*known are 6.1, 6.12 and 7.3' "$tmp/log"
	for w in $workloads; do
		claim_each "$kernel: $w: without it, an isolated CPU in user mode is interrupted by every sync" "isolated-$w" stock \
			'.isolated_ipis >= .ops'
		claim_each "$kernel: $w: with it, by next to none" "isolated-$w" live '.isolated_ipis <= .ops / 4'
		claim_each "$kernel: $w: without it, every other CPU is" "isolated-$w" stock ".call_ipis >= $((cpus - 1)) * .ops"
		# Where it can be told, the syncs alone: a busy machine has other calls beside them.
		case $kernel in *+deb13*) calls=.sync_ipis ;; *) calls=.call_ipis ;; esac
		claim_each "$kernel: $w: with it, less than half of them" "isolated-$w" live "$calls < $((cpus - 1)) * .ops / 2"
	done
	case $kernel in
	*+deb13*) check "$kernel: built by the kernel's own compiler, $compiler" grep -qF "${compiler:-none}, GNU ld" "$tmp/log" ;;
	esac
	case $kernel in
	*-rt)
		claim_each "$kernel: unshare: counters agree" isolated-unshare live .counters_agree
		if grep -q 'no collapse can be told' "$tmp/log"; then not_ok "$kernel: it does not warn that there are no collapses"
		else ok "$kernel: it does not warn that there are no collapses"; fi
		;;
	*) claim_each "$kernel: collapse: the mm was known every time" isolated-collapse live '.stats.mm_known == .stats.syncs and .stats.syncs > 0' ;;
	esac
	jq -r '"# \(.kernel) \(.workload) \(.strategy): \(.ops) syncs, \(.call_ipis) call interrupts, \(.isolated_ipis) on the isolated CPU"' "$tmp/rows"
done
finish
