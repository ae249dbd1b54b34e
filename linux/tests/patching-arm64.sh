#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# Patched kernel text on arm64: tracers, static keys, BPF programs and modules that
# come and go, next to the same with senders that interrupt as stock does. Isolated
# CPUs in user mode hear of it in the second case only, and synchronise by themselves
# later; text that entry code executes interrupts them always.
#
#   PATCHING_STOCK=1   the stock kernel as well, another build
set -eu
cd "$(dirname "$0")/../.."
lab/need run arm64
. testlib/tap.sh

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
results=build/patching
mkdir -p "$results"

# The number that the workload has for each, and its name. Kprobes are not among
# them: for one of these all CPUs of an arm64 machine stop.
sources=(1:tracepoint 3:function_tracer 4:bpf 5:static_key 6:module)

# The emulator executes new text at once, so no stale text is seen here: that is for
# the models i-text and i-order.

# plan STRATEGY PREFIX ARGUMENTS
plan() {
	for source in "${sources[@]}"; do
		echo "measure --name $2${source#*:} --strategies $1 --isolated 4-7 -- patch --rounds 10 --only ${source%:*} $3"
	done
}
boot() { # BUILD ROWS
	lab/boot --kernel "$1" --arch arm64 --cpus 8 --isolated 4 --timeout 900 --plan "$tmp/plan" \
		--add "$(lab/guest-module "$1"):/lib/quell/patch.ko" --log "${2%.jsonl}.log" >"$2" || true
}

build=$(lab/build --arch arm64 6.12)
{
	plan auto '' ''
	plan auto interrupting- '--off 1'
	echo "measure --name entry --strategies auto --isolated 4-7 -- patch --rounds 4 --entry 1"
} >"$tmp/plan"
rows=$results/arm64.jsonl
boot "$build" "$rows"
# named NAME CONDITION
named() { jq -es --arg name "$1" "any(.[]; .workload == \$name and ($2))" "$rows"; }
for source in "${sources[@]}"; do
	name=${source#*:}
	check "$name: senders that interrupt reach each isolated CPU" \
		named "interrupting-$name" '.ops >= 20 and .text_deferred == 0 and .isolated_ipis >= 4 * 10'
	check "$name: quell leaves all of them alone" \
		named "$name" '.ops >= 20 and .isolated == 4 and .isolated_ipis == 0'
	# The function tracer calls the CPUs for something else (`ftrace_sync_ipi`).
	[ "$name" = function_tracer ] ||
		check "$name: and says so" named "$name" '.text_batches > 0 and .text_deferred >= 4 * .text_batches'
done
# The measuring itself brings them into the kernel, between two rows.
check "they synchronise at their next entry" \
	jq -es '[.[] | select(.text_deferred > 0) | .text_synced] | length >= 4 and .[0] < .[-1]' "$rows"
check "text of entry code is for everybody" \
	named entry '.ops == 8 and .isolated_ipis >= 4 * 8'

if [ -n "${PATCHING_STOCK:-}" ]; then
	plan stock '' '' >"$tmp/plan"
	rows=$results/arm64-stock.jsonl
	boot "$(lab/build --stock --arch arm64 6.12)" "$rows"
	for source in "${sources[@]}"; do
		check "stock, ${source#*:}: reaches each isolated CPU" \
			named "${source#*:}" '.ops >= 20 and .isolated_ipis >= 4 * 10'
	done
fi
finish
