#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# Patched kernel text, in both kernels: stale text in every way into the kernel,
# the orders that lose a synchronisation (which must be noticed), and tracers
# that come and go without interrupting isolated CPUs in user mode, `quell top`
# among them.
#
#   PATCHING_SECONDS=N   of each torture (default 60)
#   PATCHING_KERNELS     (default "6.12 7.3")
set -eu
cd "$(dirname "$0")/../.."
lab/need run cli
. testlib/tap.sh

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
results=build/patching
mkdir -p "$results"
seconds=${PATCHING_SECONDS:-60}

{
	for delay in 0 30; do
		echo "kernel-flush-torture --text 1 --seconds $seconds --delay $delay"
	done
	for broken in 1 2 3; do
		echo "kernel-flush-torture --text 1 --seconds 10 --broken $broken"
		echo "kernel-flush-torture --text 1 --seconds 10 --text-broken $broken"
	done
} >"$tmp/torture"

make -s -C cli quell-static >&2

# patched BUILD FILE STRATEGY APPEND: what tracers do to isolated CPUs, one that
# patches again and again and one that is started and stopped.
patched() {
	{
		echo "measure --strategies $3 --isolated 4-7 -- patch --rounds 20"
		echo "measure --name top --strategies $3 --isolated 4-7 -- quell top -i 500ms -n 2"
	} >"$tmp/plan"
	# `measure` misses operations in what quell says, and fails.
	lab/boot --kernel "$1" --cpus 8 --isolated 4 --timeout 900 --plan "$tmp/plan" \
		--add build/cli/quell-static:/bin/quell --append "$4" --log "$2.log" >"$tmp/rows" || true
	jq -c 'select(.workload == "patch")' "$tmp/rows" >"$2"
	jq -c 'select(.workload == "top")' "$tmp/rows" >"${2%.jsonl}-top.jsonl"
}

for kernel in ${PATCHING_KERNELS:-6.12 7.3}; do
	build=$(lab/build --config base,kernel_flush "$kernel")
	file=$results/$kernel.jsonl
	lab/boot --kernel "$build" --cpus 6 --isolated 4 --threads single --accel tcg \
		--plan "$tmp/torture" --timeout $((600 + 4 * seconds)) --log "$results/$kernel.log" >"$file" || true
	while read -r line; do
		# shellcheck disable=SC2016
		check "Linux $kernel: $line" jq -es --arg ran "$line" \
			'any(.ran == $ran and .exit == 0)' "$file"
	done <"$tmp/torture"

	stock=$results/$kernel-stock.jsonl quell=$results/$kernel-quell.jsonl off=$results/$kernel-off.jsonl
	patched "$(lab/build --stock "$kernel")" "$stock" stock ''
	patched "$(lab/build "$kernel")" "$quell" auto ''
	patched "$(lab/build "$kernel")" "$off" auto kernel_flush=off
	check "Linux $kernel: at least 200 patches in each" jq -es 'length > 0 and all(.ops >= 200)' "$stock" "$quell" "$off"
	check "Linux $kernel: stock interrupts each isolated CPU for each" \
		jq -es 'length > 0 and all(.isolated_ipis >= 4 * .ops)' "$stock"
	check "Linux $kernel: so does quell with deferral off" jq -es 'length > 0 and all(.isolated_ipis >= 4 * .ops)' "$off"
	check "Linux $kernel: quell interrupts none" jq -es 'length > 0 and all(.isolated_ipis == 0)' "$quell"
	check "Linux $kernel: starting and stopping an observer interrupts each isolated CPU of stock" \
		jq -es 'length > 0 and all(.isolated_ipis >= 4 * 100)' "${stock%.jsonl}-top.jsonl"
	check "Linux $kernel: and none of quell's" jq -es 'length > 0 and all(.isolated_ipis == 0)' "${quell%.jsonl}-top.jsonl"
done
finish
