#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# What being observed costs a CPU per function-call interrupt it receives, on
# this machine: the median time an interrupt takes from a spinning thread,
# without quell and with it. Prints both; fails if quell costs more than ten
# microseconds or if an interrupt was not seen at all.
set -eu
cd "$(dirname "$0")/../.."
. lab/tests/tap.sh
. lab/lib.sh
need_packages cli-test
make -s -C cli >&2
if [ "$(id -u)" != 0 ] || [ "$(nproc)" -lt 2 ] ||
	! { mountpoint -q /sys/kernel/tracing || mount -t tracefs nodev /sys/kernel/tracing; } 2>/dev/null ||
	[ ! -d /sys/kernel/tracing/events/ipi/ipi_send_cpumask ]; then
	skip "the cost of an observed interrupt" "no root, one CPU, or a kernel that cannot trace IPIs"
	finish
	exit 0
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cc -O2 -Wall -Wextra -Werror -o "$tmp/overhead" cli/tests/overhead.c -lpthread
median() { sort -n | sed -n 3p; }
for _ in 1 2 3 4 5; do
	"$tmp/overhead" 1 >>"$tmp/without"
	build/cli/quell record -q -o "$tmp/x.rec" -c 1 -- "$tmp/overhead" 1 >>"$tmp/with"
done
without=$(median <"$tmp/without") with=$(median <"$tmp/with")
check "the interrupts were recorded" test "$(build/cli/quell report --json "$tmp/x.rec" |
	jq '[.causes[] | select(.cause == "membarrier") | .interrupts] | add')" -ge 3000
if [ "$without" -gt 0 ] && [ $((with - without)) -lt 10000 ]; then
	ok "an interrupt takes $without ns, observed $with ns"
else
	not_ok "an interrupt takes $without ns, observed $with ns"
fi
finish
