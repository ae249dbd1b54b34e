#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# Deferred flushes of kernel addresses, in both kernels: exact interrupts of
# isolated CPUs with and without, what must interrupt anyway, stale translations
# in every way into the kernel, the orders that lose a request (which must be
# noticed), and what a system call costs in instructions.
#
# The emulator runs one virtual CPU at a time and switches where the guest
# pauses: the kernel's test points pause, so that is where windows are hit.
# What it cannot show: it flushes its TLB at each switch of page tables, so a
# stale translation is one in the model that CONFIG_COALESCE_TLBI_TEST keeps.
# proofs/h-word and proofs/h-defer cover the hardware's side.
#
#   DEFERRAL_PURGES=N    (default 10000)
#   DEFERRAL_SECONDS=N   of each torture (default 10)
set -eu
cd "$(dirname "$0")/../.."
. lab/tests/tap.sh

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
results=build/deferral
mkdir -p "$results"
seconds=${DEFERRAL_SECONDS:-10}

cat >"$tmp/plan" <<END
kflush purges ${DEFERRAL_PURGES:-10000}
kflush remap 1000
kflush never 20
kflush hotplug 10
kflush-torture --seconds $seconds --delay 0
kflush-torture --seconds $seconds --delay 30
kflush-torture --seconds $seconds --broken 1
kflush-torture --seconds $seconds --broken 2
kflush-torture --seconds $seconds --broken 3
END
printf 'kflush getpid %s\n' 0 1 >"$tmp/getpid"

# With instructions as its clock the emulator's cycle counter counts them: for
# all CPUs, so only the least of many measurements is this CPU's alone.
real=$(command -v qemu-system-x86_64)
mkdir "$tmp/bin"
# shellcheck disable=SC2016
printf '#!/bin/sh\nexec %s "$@" -icount shift=0,sleep=off\n' "$real" >"$tmp/bin/qemu-system-x86_64"
chmod +x "$tmp/bin/qemu-system-x86_64"

# getpid BUILD NAME APPEND [ISOLATED]: leaves instructions per getpid() in
# $housekeeping and $isolated
getpid() {
	local file=$results/getpid-$2.jsonl
	PATH=$tmp/bin:$PATH lab/boot --kernel "$1" --cpus 2 --isolated "${4:-1}" --accel tcg \
		--append "$3" --plan "$tmp/getpid" >"$file" || return 1
	housekeeping=$(jq -r 'select(.test == "getpid" and .cpu == 0) | .least / .calls | floor' "$file")
	isolated=$(jq -r 'select(.test == "getpid" and .cpu == 1) | .least / .calls | floor' "$file")
}

for kernel in 6.12 7.3; do
	build=$(lab/build --config base,deferral "$kernel")
	file=$results/$kernel.jsonl
	lab/boot --kernel "$build" --cpus 6 --isolated 4 --threads single --plan "$tmp/plan" --timeout 900 \
		--append 'kunit.enable=1 kunit.autorun=1' --log "$results/$kernel.log" >"$file" || true
	while read -r line; do
		# shellcheck disable=SC2016
		check "Linux $kernel: $line" jq -es --arg ran "$line" \
			'any(.ran == $ran and .exit == 0)' "$file"
	done <"$tmp/plan"
	check "Linux $kernel: KUnit" grep -q '# kernel_flush: pass:6 fail:0' "$results/$kernel.log"

	plain=$(lab/build "$kernel")
	stock=$(lab/build --stock "$kernel")
	getpid "$stock" "$kernel-stock" ''
	s_housekeeping=$housekeeping s_isolated=$isolated
	getpid "$plain" "$kernel-active" ''
	# The numbers themselves, for whoever reads the log.
	echo "# Linux $kernel, instructions per getpid(): stock $s_housekeeping, isolated $s_isolated;" \
		"with deferral $housekeeping, isolated $isolated"
	check "Linux $kernel: not one instruction more on housekeeping CPUs" \
		[ "$housekeeping" -le "$s_housekeeping" ]
	check "Linux $kernel: at most 16 instructions more on isolated CPUs" \
		[ "$isolated" -le $((s_isolated + 16)) ]
	getpid "$plain" "$kernel-inactive" coalesce_tlbi=off
	echo "# Linux $kernel, inactive: $housekeeping, isolated $isolated"
	check "Linux $kernel: nothing on housekeeping CPUs when inactive" \
		[ "$housekeeping" -le "$s_housekeeping" ]
	getpid "$plain" "$kernel-none" '' 0
	none=$isolated
	getpid "$stock" "$kernel-stock-none" '' 0
	echo "# Linux $kernel, no isolated CPU: stock $isolated, with quell $none"
	check "Linux $kernel: nothing when no CPU is isolated" [ "$none" -le "$isolated" ]
done
finish
