#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# Deferred flushes of kernel addresses, in both kernels, with page table isolation
# and without: exact interrupts of isolated CPUs with and without deferral, what
# must interrupt anyway and each such rule broken, stale translations in every
# way into the kernel, the orders that lose a request
# (which must be noticed), calls where none are allowed, and what a system call
# costs in instructions.
#
# The emulator runs one virtual CPU at a time and switches where the guest
# pauses: the kernel's test points pause, so that is where windows are hit.
# What it cannot show: it flushes its TLB at each switch of page tables, so with
# isolation a stale translation is one in the model that
# CONFIG_KERNEL_FLUSH_TEST keeps. Without, they are real as well.
# proofs/h-word, h-defer and h-sizes cover the hardware's side.
#
#   KERNEL_FLUSH_PURGES=N    (default 10000)
#   KERNEL_FLUSH_SECONDS=N   of each torture (default 10; at most 10 of a broken order)
#   KERNEL_FLUSH_KERNELS     (default "6.12 7.3")
set -eu
cd "$(dirname "$0")/../.."
lab/need run
. testlib/tap.sh

tmp=$(mktemp -d)
typist=
trap '[ -z "$typist" ] || kill "$typist"; rm -rf "$tmp"' EXIT
results=build/kernel-flush
mkdir -p "$results"
seconds=${KERNEL_FLUSH_SECONDS:-10}
wrong=$((seconds < 10 ? seconds : 10))

# What a boot leaves for later comes first (the TSC is calibrated once more, and
# every CPU told).
cat >"$tmp/plan" <<END
perf --ms 4000
kernel-flush purges ${KERNEL_FLUSH_PURGES:-10000}
kernel-flush remap 1000
kernel-flush remap 1000 4
kernel-flush rules 5
kernel-flush hotplug 10
kernel-flush adopt
kernel-flush-torture --seconds $seconds --delay 0
kernel-flush-torture --seconds $seconds --delay 30
END
printf "kernel-flush-torture --seconds $wrong --broken %s\n" 1 2 3 4 5 >>"$tmp/plan"
sed 's/^kernel-flush-torture/& --guests 1/p; d' "$tmp/plan" >"$tmp/guests"
printf 'kernel-flush getpid %s\n' 0 1 >"$tmp/getpid"

# lab/boot takes QEMU from the path; ours adds $QEMU_MORE, and $QEMU_CPU to
# the kind of CPU.
mkdir "$tmp/bin"
cat >"$tmp/bin/qemu-system-x86_64" <<END
#!/bin/bash
args=()
for a in "\$@"; do
	[ "\${a#max,}" = "\$a" ] || a+=\$QEMU_CPU
	args+=("\$a")
done
exec $(command -v qemu-system-x86_64) "\${args[@]}" \$QEMU_MORE
END
chmod +x "$tmp/bin/qemu-system-x86_64"
export QEMU_CPU='' QEMU_MORE=''

# torture BUILD NAME APPEND: the whole plan. As an Intel CPU, whose 32-bit programs
# enter by SYSENTER, which keeps the trap flag. Once the guest says that it
# adopts NMIs, somebody types `nmi` into the monitor, for all CPUs.
torture() {
	mkfifo "$tmp/monitor.in" "$tmp/monitor.out"
	: >"$results/$2.jsonl"
	(
		exec 7<>"$tmp/monitor.in"
		cat "$tmp/monitor.out" >/dev/null &
		until grep -q '"ran":"kernel-flush adopt"' "$results/$2.jsonl"; do sleep 0.5; done
		while sleep 0.05; do echo nmi >&7; done
	) &
	typist=$!
	PATH=$tmp/bin:$PATH QEMU_CPU=,vendor=GenuineIntel \
		QEMU_MORE="-chardev pipe,id=monitor,path=$tmp/monitor -mon chardev=monitor,mode=readline" \
		lab/boot --kernel "$1" --cpus 6 --isolated 4 --threads single --accel tcg --plan "$tmp/plan" \
		--timeout 1200 --append "kunit.enable=1 kunit.autorun=1 apic_extnmi=all nogbpages $3" \
		--log "$results/$2.log" >>"$results/$2.jsonl" || true
	kill "$typist"
	typist=
	rm -f "$tmp/monitor.in" "$tmp/monitor.out"
}

# in_guests BUILD NAME APPEND: isolated CPUs go in and out of guests of KVM. As an
# AMD CPU, whose SVM the emulator has.
in_guests() {
	lab/boot --kernel "$1" --cpus 6 --isolated 4 --threads single --accel tcg --plan "$tmp/guests" \
		--timeout 900 --append "apic_extnmi=all nogbpages $3" \
		--log "$results/$2.log" >"$results/$2.jsonl" || true
}

# getpid BUILD NAME APPEND [ISOLATED]: leaves instructions per getpid() in
# $housekeeping and $isolated. With instructions as its clock the emulator's
# cycle counter counts them: for all CPUs, so only the least of many
# measurements is this CPU's alone.
getpid() {
	local file=$results/getpid-$2.jsonl
	PATH=$tmp/bin:$PATH QEMU_MORE='-icount shift=0,sleep=off' \
		lab/boot --kernel "$1" --cpus 2 --isolated "${4:-1}" --accel tcg \
		--append "$3" --plan "$tmp/getpid" >"$file" || return 1
	housekeeping=$(jq -r 'select(.test == "getpid" and .cpu == 0) | .least / .calls | floor' "$file")
	isolated=$(jq -r 'select(.test == "getpid" and .cpu == 1) | .least / .calls | floor' "$file")
}

# processor BUILD MODEL: what the kernel says of deferral on an AMD processor of
# that family and model, and in $felt how often flushes interrupted it then.
processor() {
	printf 'kernel-flush counters\nmeasure --strategies auto --isolated 2-3 -- vunmap --rounds 20\n' >"$tmp/short"
	# A model that wants new microcode against SRSO is told so by a warning.
	PATH=$tmp/bin:$PATH QEMU_CPU=,vendor=AuthenticAMD,$2 \
		lab/boot --kernel "$1" --cpus 4 --isolated 2 --accel tcg --plan "$tmp/short" \
		--append spec_rstack_overflow=off \
		--log "$results/processor.log" >"$tmp/rows" || return 1
	felt=$(jq -r 'select(.workload) | [.isolated_calls | to_entries[] |
		select(.key | test("flush")) | .value] | add // 0' "$tmp/rows")
	grep -o 'kernel_flush: .*' "$results/processor.log"
}

# objtool_says BUILD SED-PROGRAM: the kernel linked anew with kernel_flush.c so
# changed, and what objtool then says of calls out of code that must not be
# instrumented.
objtool_says() (
	cd "$1"
	source=arch/x86/mm/kernel_flush.c object=arch/x86/mm/kernel_flush.o
	sed "$2" "tree/$source" >"$tmp/changed.c"
	command=$(sed -n '1s/^savedcmd_[^=]*:= //p' arch/x86/mm/.kernel_flush.o.cmd |
		sed "s|-c -o $object [^ ]*|-c -o $tmp/changed.o $tmp/changed.c|
			s|-Wp,-MMD,[^ ]*||; s|$object\$|$tmp/changed.o|")
	eval "$command"
	ar t vmlinux.a | sed "s|^$object\$|$tmp/changed.o|" >"$tmp/objects"
	ld -m elf_x86_64 -z noexecstack -r -o "$tmp/vmlinux.o" "@$tmp/objects"
	tools/objtool/objtool --noinstr --link "$tmp/vmlinux.o" 2>&1
)

for kernel in ${KERNEL_FLUSH_KERNELS:-6.12 7.3}; do
	build=$(lab/build --config base,kernel_flush "$kernel")
	check "Linux $kernel: objtool looks for instrumentation where there must be none" \
		grep -q '^CONFIG_NOINSTR_VALIDATION=y' "$build/.config"
	check "Linux $kernel: and finds none" [ "$(objtool_says "$build" '')" = '' ]
	said=$(objtool_says "$build" 's/^\t\tflush_everything();/\t\tpr_info("");\n&/')
	check "Linux $kernel: but a printk() in kernel_flush_pay()" \
		grep -q 'kernel_flush_pay.*_printk.*leaves .noinstr.text' <<<"$said"

	for pti in on off; do
		name=$kernel-pti-$pti
		file=$results/$name.jsonl
		torture "$build" "$name" "pti=$pti"
		while read -r line; do
			# shellcheck disable=SC2016
			check "Linux $kernel, pti=$pti: $line" jq -es --arg ran "$line" \
				'any(.ran == $ran and .exit == 0)' "$file"
		done <"$tmp/plan"
		check "Linux $kernel, pti=$pti: NMIs came from the monitor in every torture" \
			jq -es 'map(select(.test == "torture") | .adopted) | length == 7 and all(. > 0)' "$file"
		in_guests "$build" "$name-guests" "pti=$pti"
		while read -r line; do
			# shellcheck disable=SC2016
			check "Linux $kernel, pti=$pti: $line" jq -es --arg ran "$line" \
				'any(.ran == $ran and .exit == 0)' "$results/$name-guests.jsonl"
		done <"$tmp/guests"
		# One of nine is about holes, which only isolation leaves.
		check "Linux $kernel, pti=$pti: KUnit" \
			grep -q "# kernel_flush: pass:$([ $pti = on ] && echo 9 || echo 8) fail:0" "$results/$name.log"
	done
	plain=$(lab/build "$kernel")
	processor "$plain" family=16,model=4,stepping=2 >"$tmp/said" || felt=0
	check "Linux $kernel: inactive where no two sizes may meet (erratum 383)" \
		grep -q 'inactive: .*erratum 383' "$tmp/said"
	check "Linux $kernel: and flushes interrupt there" [ "$felt" -ge 40 ]
	processor "$plain" family=23,model=49,stepping=0 >"$tmp/said" || felt=0
	check "Linux $kernel: active on a later processor" grep -q 'active on 2' "$tmp/said"
	stock=$(lab/build --stock "$kernel")
	getpid "$stock" "$kernel-stock" ''
	s_housekeeping=$housekeeping s_isolated=$isolated
	getpid "$plain" "$kernel-active" ''
	# The numbers themselves, for whoever reads the log.
	echo "# Linux $kernel, instructions per getpid(): stock $s_housekeeping, isolated $s_isolated;" \
		"with deferral $housekeeping, isolated $isolated"
	check "Linux $kernel: not one instruction more on housekeeping CPUs" \
		[ "$housekeeping" -le "$s_housekeeping" ]
	check "Linux $kernel: at most 10 instructions more on isolated CPUs" \
		[ "$isolated" -le $((s_isolated + 10)) ]
	getpid "$stock" "$kernel-stock-no-pti" pti=off
	s_housekeeping=$housekeeping s_isolated=$isolated
	getpid "$plain" "$kernel-active-no-pti" pti=off
	echo "# Linux $kernel, pti=off: stock $s_housekeeping, isolated $s_isolated;" \
		"with deferral $housekeeping, isolated $isolated"
	check "Linux $kernel, pti=off: not one instruction more on housekeeping CPUs" \
		[ "$housekeeping" -le "$s_housekeeping" ]
	check "Linux $kernel, pti=off: at most 10 instructions more on isolated CPUs" \
		[ "$isolated" -le $((s_isolated + 10)) ]
	getpid "$stock" "$kernel-stock" ''
	s_housekeeping=$housekeeping
	getpid "$plain" "$kernel-inactive" kernel_flush=off
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
