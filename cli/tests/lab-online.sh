#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# A CPU that comes online while quell records: observed if all CPUs are, told in
# any case, and what it counted before is not missed.
set -eu
cd "$(dirname "$0")/../.."
. testlib/tap.sh
. lab/lib.sh
need_packages boot report cli
make -s -C cli quell-static >&2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
rows=$tmp/rows
${CC:-cc} -O2 -Wall -Wextra -Werror -static -o "$tmp/online" cli/tests/online.c
cat >"$tmp/plan" <<-END
	quell record -q -o all.rec -c all -- online 2
	quell report --json all.rec
	quell record -q -o two.rec -c 0,1 -- online 3
	quell report --json two.rec
END
image=$(lab/debian-image 6.12)
boot() {
	lab/boot --kernel "$image" --cpus 4 --append maxcpus=2 --plan "$tmp/plan" --log "$tmp/log" \
		--add build/cli/quell-static:/bin/quell --add "$tmp/online:/bin/online" >"$rows"
}
check "Debian 12's 6.12 boots with two of four CPUs online" boot
all=$(jq -s '[.[] | select(.quell == "report")][0]' "$rows")
two=$(jq -s '[.[] | select(.quell == "report")][1]' "$rows")
check "a CPU that comes online is told" jq -en 'input | .notes | map(.text) | any(startswith("CPU 2 came online and is now observed"))' <<<"$all"
check "and observed" jq -en 'input | .system.observed == "0-2" and ([.cpus[] | select(.cpu == 2)][0].interrupts > 0)' <<<"$all"
check "and the counts agree" jq -en 'input | .proc_interrupts.agree and .totals.unaccounted_interrupts == 0' <<<"$all"
check "if only some are observed, it is told that it is not" \
	jq -en 'input | (.notes | map(.text) | any(startswith("CPU 3 came online and is not observed"))) and .system.observed == "0,1"' <<<"$two"
finish
