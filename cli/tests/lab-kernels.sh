#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# The kernels people run, as Debian ships them: the same load on each, what quell
# counts, what /proc/interrupts does, and what has a name. On 6.1, which has no events
# of senders, kprobes tell them: none is left behind, by a quell that was killed
# either. 6.12+deb13 is Debian 13's.
# KERNELS="6.1 7" takes only these. The table is what docs/measured/kernels.md shows.
set -eu
cd "$(dirname "$0")/../.."
. testlib/tap.sh
. lab/lib.sh
need_packages boot report cli fetch
make -s -C cli quell-static >&2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for name in culprit behind; do
	gcc -O2 -Wall -Wextra -Werror -static -o "$tmp/$name" "cli/tests/$name.c" -pthread
done
loads="membarrier unshare munmap vunmap"
cat >"$tmp/plan" <<-END
	quell record -q -o membarrier.rec -c all -- culprit 200 culprit
	quell report --json membarrier.rec
	quell record -q -o unshare.rec -c all -- unshare --rounds 8
	quell report --json unshare.rec
	quell record -q -o munmap.rec -c all -- munmap --rounds 50
	quell report --json munmap.rec
	quell record -q -o vunmap.rec -c all -- vunmap --rounds 10
	quell report --json vunmap.rec
	behind probes
	behind /s/socket quell serve --socket /s/socket -c all
	behind until quell top --attach /s/socket -n 1 -i 100ms
	behind probes
	behind 9
	behind probes
	quell record -q -o swept.rec -c all -d 100ms
	behind probes
END
says() { # CLAIM JQ
	if jq -es "$2" "$rows" >/dev/null; then ok "$kernel: $1"; else
		not_ok "$kernel: $1" "$(jq -sc '[.[] | select(.quell == "report") | .command, .totals, .proc_interrupts.off]' "$rows")"
	fi
}
# shellcheck disable=SC2016 # a function of jq
of='def of(c): [.[] | select(.quell == "report" and (.command | startswith(c)))][0];'
mkdir -p build/results
table=build/results/kernels.md
# shellcheck disable=SC2016 # Markdown
echo '| kernel | load | interrupts | `/proc/interrupts` | sender known | causes |
|---|---|---|---|---|---|' >"$table"
for kernel in ${KERNELS:-6.1 6.12 6.12-rt 6.12+deb13 7.2 7}; do
	rows=$tmp/$kernel.jsonl
	status=0
	lab/boot --kernel "$(lab/debian-image "$kernel")" --cpus 4 --isolated 1 --plan "$tmp/plan" --log "$tmp/log" \
		--timeout 1500 --add build/cli/quell-static:/bin/quell --add "$tmp/culprit:/bin/culprit" \
		--add "$tmp/behind:/bin/behind" --add cli/Makefile:/s/nothing >"$rows" || status=$?
	cp "$rows" "build/results/kernels-$kernel.jsonl"
	cp "$tmp/log" "build/results/kernels-$kernel.log"
	check "$kernel: boots, and all of it ran" test $status = 0
	says 'every row of /proc/interrupts agrees, and nothing was lost' \
		'[.[] | select(.quell == "report")] | length == 4 and all(.proc_interrupts.agree and .totals.lost_events == 0 and .totals.unaccounted_interrupts == 0)'
	says 'the membarriers are of culprit, from CPU 0 to CPU 1' "$of"' of("culprit") | [.sources[] | select(.cause == "membarrier" and .interrupts > 0)] |
		length == 1 and .[0].task == "culprit" and .[0].senders == "0" and .[0].receivers == "1"'
	# A request may be found by an idle CPU, but none is of anybody else.
	says 'the page-table syncs are of unshare, to three CPUs each' "$of"' of("unshare") | [.sources[] | select(.cause == "pt_sync")] |
		length == 1 and .[0].task == "unshare" and .[0].sends == 8 and .[0].interrupts > 8'
	left=0
	[ "$kernel" != 6.1 ] || left=4
	# Before, while it serves, once it is dead, after the next one.
	says "a service that was killed leaves $left probes, and the next quell sweeps them up" "[.[] | .probes? // empty] == [0, $left, $left, 0]"
	[ "$kernel" != 6.1 ] || check "$kernel: degraded, and it says how" grep -q 'senders are told by kprobes' "$tmp/log"
	for load in $loads; do
		[ "$load" = membarrier ] && command=culprit || command=$load
		jq -rs --arg c "$command" --arg k "$kernel" --arg l "$load" "$of"' of($c) | "| \(.system.release) | \($l) | \(.totals.interrupts) | \(
			if .proc_interrupts.off == 0 then "agrees" else "\(.proc_interrupts.not_traced) not traced" end) | \(
			.totals | if .interrupts == 0 then "-" else "\(100 * (.interrupts - .sender_unknown) / .interrupts * 10 | floor / 10) %" end) | \(
			[.causes[] | select(.interrupts > 0)] | sort_by(-.interrupts) | map("\(.cause) \(.interrupts)") | join(", ")) |"' "$rows" >>"$table" || true
	done
done
sed 's/^/# /' "$table"
finish
