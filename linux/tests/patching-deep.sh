#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# Patched kernel text, in both kernels: stale text in every way into the kernel,
# the orders that lose a synchronisation (which must be noticed), and tracers
# that come and go without interrupting isolated CPUs in user mode, `quell top`,
# modules and livepatches among them; then everything at once, with CPUs that come
# and go.
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
		# As in lab/quiet: or else 7.x leaves the tick on while this is measured.
		echo "patch --rounds 0"
		echo "measure --strategies $3 --isolated 4-7 -- patch --rounds 20"
		echo "measure --name top --strategies $3 --isolated 4-7 -- quell top -i 500ms -n 2"
	} >"$tmp/plan"
	# `measure` misses operations in what quell says, and fails.
	lab/boot --kernel "$1" --cpus 8 --isolated 4 --timeout 900 --plan "$tmp/plan" \
		--add "$(lab/guest-module "$1"):/lib/quell/patch.ko" \
		--add build/cli/quell-static:/bin/quell --append "$4" --log "$2.log" >"$tmp/rows" || true
	jq -c 'select(.workload == "patch")' "$tmp/rows" >"$2"
	jq -c 'select(.workload == "top")' "$tmp/rows" >"${2%.jsonl}-top.jsonl"
}

# A livepatch: loaded and taken back while it waits for the isolated CPUs' programs;
# and one that is left alone, until the kernel kicks these after 15 seconds.
# Both with senders that interrupt as stock does, and without.
sample=samples/livepatch/livepatch-sample.ko
echo "patch --rounds 0" >"$tmp/livepatch"
for off in 0 1; do
	for name in reversed left; do
		rounds=1
		[ $name = left ] || rounds='10 --reverse 1'
		echo "measure --name $name-$off --strategies auto --isolated 4-7 -- patch --only 7 --rounds $rounds --off $off"
	done
done >>"$tmp/livepatch"

echo 'stress --ms 60000 --patch 1' >"$tmp/stress"

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
	check "Linux $kernel: quell interrupts none, and each is in the kernel at most once (a last tick)" \
		jq -es 'length > 0 and all(.isolated_ipis == 0 and .isolated_interruptions <= 4)' "$quell"
	check "Linux $kernel: starting and stopping an observer interrupts each isolated CPU of stock" \
		jq -es 'length > 0 and all(.isolated_ipis >= 4 * 100)' "${stock%.jsonl}-top.jsonl"
	check "Linux $kernel: and none of quell's" jq -es 'length > 0 and all(.isolated_ipis == 0)' "${quell%.jsonl}-top.jsonl"

	build=$(lab/build --config base,livepatch "$kernel")
	rows=$results/$kernel-livepatch.jsonl
	lab/boot --kernel "$build" --cpus 8 --isolated 4 --timeout 900 --plan "$tmp/livepatch" \
		--add "$build/$sample:/lib/quell/livepatch-sample.ko" --log "${rows%.jsonl}.log" >"$rows" || true
	check "Linux $kernel: livepatches that come and go interrupt each isolated CPU if senders do" \
		jq -es 'any(.[]; .workload == "reversed-1" and .livepatches == 20 and .isolated_ipis >= 4 * 10 * .livepatches)' "$rows"
	check "Linux $kernel: and none with quell" \
		jq -es 'any(.[]; .workload == "reversed-0" and .livepatches == 20 and .isolated_ipis == 0 and
			.isolated_interruptions == 0)' "$rows"
	# Twice or so, by an interrupt that is no call; who is in the kernel then may be called.
	check "Linux $kernel: one that is left alone has them kicked, and no more" \
		jq -es 'any(.[]; .workload == "left-0" and .livepatches == 2 and .isolated_ipis <= 4 * 4 and
			.isolated_interruptions <= 4 * 4)' "$rows"

	build=$(lab/build --config base,debug "$kernel")
	check "Linux $kernel with lockdep: everything at once, text patching and hotplug among it" \
		lab/boot --kernel "$build" --cpus 6 --isolated 2 --timeout 900 --plan "$tmp/stress" \
		--add "$(lab/guest-module "$build"):/lib/quell/patch.ko" --log "$results/$kernel-stress.log"
done
finish
