#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# The module waits for each walker the stock kernel waits for, but for those of
# other mms when the mm is known. Three modules, each broken in one place, do
# not, and the same checks find that out.
set -eu
cd "$(dirname "$0")/../.."
lab/need run-live
. lab/lib.sh
. testlib/tap.sh
. testlib/broken.sh

top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
expect() { # NUMBER true|false WHAT
	if [ "${waited[$1]:-missing}" = "$2" ]; then ok "$kernel: $3"; else not_ok "$kernel: $3" "waited: ${waited[$1]:-missing}"; fi
}

for kernel in ${KERNEL:-6.1 6.12 7.3}; do
	image=$(lab/debian-image "$kernel")
	kdir=$(live/headers "${image##*/vmlinuz-}")
	tmp=$top/$kernel
	mkdir "$tmp"
	live/build "$kdir" "$tmp/good"
	cp -r live/tests/hold "$tmp/hold"
	make -s -C "$kdir" M="$tmp/hold" modules >"$tmp/hold.log" 2>&1

	for fault in mask idle guess; do "broken_$fault"; done

	cat >"$tmp/plan" <<END
livectl load /quell_hold.ko
hold waits collapse --mib 2
hold waits unshare --rounds 1
hold waits --trimmed
livectl on /quell_live.ko
hold passes collapse --mib 2
hold waits unshare --rounds 1
hold waits --trimmed
livectl off
livectl on /mask.ko
hold passes --trimmed
livectl off
livectl on /idle.ko
hold passes unshare --rounds 1
livectl off
livectl on /guess.ko
hold passes unshare --rounds 1
livectl off
END
	status=0
	lab/boot --kernel "$image" --cpus 4 --isolated 1 --plan "$tmp/plan" --log "$tmp/log" \
		--add "$tmp/good/livectl:/bin/livectl" --add "$tmp/good/hold:/bin/hold" \
		--add "$tmp/hold/quell_hold.ko:/quell_hold.ko" --add "$tmp/good/quell_live.ko:/quell_live.ko" \
		--add "$tmp/mask.ko:/mask.ko" --add "$tmp/idle.ko:/idle.ko" --add "$tmp/guess.ko:/guess.ko" >"$tmp/all" || status=$?
	[ "$status" = 0 ] || not_ok "$kernel: the guest came to its end without complaints" "$(tail -n 5 "$tmp/all")"

	# What each module did, in the order of the plan.
	mapfile -t waited < <(sed -n 's/^{"hold":.*"waited":\(.*\)}$/\1/p' "$tmp/all")
	expect 0 true "stock: a collapse waits for a walker of another mm"
	expect 1 true "stock: unsharing waits for it"
	expect 2 true "stock: a collapse waits for a walker whose CPU the mask lacks"
	expect 3 false "module: a collapse does not wait for a walker of another mm"
	expect 4 true "module: unsharing does, for it may have shared"
	expect 5 true "module: a collapse waits for a walker whose CPU the mask lacks"
	expect 6 false "caught: a module that trusts the mask"
	expect 7 false "caught: a module that takes CPUs in the kernel for idle"
	expect 8 false "caught: a module that guesses the mm of an unsharing"
done
finish
