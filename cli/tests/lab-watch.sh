#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# A timer, a kernel worker, a device and membarriers interrupt an isolated CPU of Debian's
# 6.12 for 50 us each, and `watch --over 20us` names each, who did it, and who waited.
#
# An emulated machine is slow, and its host may be busy: 50 us are that or longer there, a
# tick is longer than 20 us as well, and each is planted again until it is named.
set -eu
cd "$(dirname "$0")/../.."
. lab/lib.sh
. testlib/tap.sh
need_packages run live cli
make -s -C cli quell-static >&2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
image=$(lab/debian-image 6.12)
kdir=$(live/headers "${image##*/vmlinuz-}")
cp -r cli/tests/planted "$tmp/planted"
make -s -C "$kdir" M="$tmp/planted" modules >"$tmp/log" 2>&1 || { tail "$tmp/log" >&2; exit 1; }
${CC:-cc} -O2 -Wall -Wextra -Werror -static -pthread -o "$tmp/plant" cli/tests/planted/plant.c

echo plant 3 50 20us >"$tmp/plan"
mkdir -p build/results
lab/boot --kernel "$image" --cpus 4 --isolated 3-3 --plan "$tmp/plan" \
	--add build/cli/quell-static:/bin/quell --add "$tmp/plant:/bin/plant" --add "$tmp/planted/planted.ko:/planted.ko" \
	--timeout 600 --log "$tmp/log" >"$tmp/rows" 2>"$tmp/err" || true
cp "$tmp/rows" build/results/watch.jsonl
cp "$tmp/log" build/results/watch.log

said() { jq -r --arg kind "$1" 'select(.workload == "planted" and .kind == $kind).said[]' "$tmp/rows"; }
names() {
	local lines
	lines=$(said "$2")
	if grep -qE "$3" <<<"$lines"; then
		ok "$1: $(grep -m 1 -oE "[0-9.]+ us on .*" <<<"$(grep -E "$3" <<<"$lines")")"
	else
		not_ok "$1" "wanted $3" "got $lines" "$(tail -n 5 "$tmp/err")"
	fi
}
# At least as long as it was planted.
length='Z, (5[0-9]|[6-9][0-9]|[1-9][0-9]{2,})\.[0-9]+ us on CPU 3:'
by='planter/[0-9]+( of [^ ]+)? on CPU [0-2]'
waited='; victim/[0-9]+( of [^ ]+)? waited'
names "a timer's function, and who had to wait" timer "$length timer planted_timer.*, armed by \(interrupt\) on CPU 3 in [^ ]*$waited"
names "a worker's, and who queued it" work "$length kworker planted_work.*, queued by $by in .*$waited"
names "a device" device "$length device [0-9]+:planted$waited"
names "who called membarrier, and where" membarrier "$length membarrier ipi_mb, sent by $by in membarrier_private_expedited.*$waited"
check "and none of them where nothing is planted" jq -es '[.[] | select(.kind == "nothing").said[]] |
	length > 0 and (any(.[]; test("planted|membarrier")) | not)' "$tmp/rows"
finish
