#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# What the hooks touch compiles on other architectures and configurations, with
# W=1, without a warning that the stock kernel does not have. BUILDS=REGEX
# chooses rows, KERNELS="6.12 7.3" kernels; about two minutes for each row.
# PARTS=REGEX takes the tips of these parts of the series instead of the whole,
# COMMITS=REGEX each of these commits, one after the other.
set -eu
# Called back by graft after each hook: keep what there is so far, for the commit
# and for its part.
if [ "${1:-}" = --kept ]; then
	for name in "$2" "${3##*/}"; do
		mkdir -p "$KEPT/$name"
		cp -R "$4/." "$KEPT/$name/"
	done
	printf '%s\n' "$2" >>"$KEPT/parts"
	printf '%s\n' "${3##*/}" >>"$KEPT/commits"
	exit 0
fi
cd "$(dirname "$0")/../.."
lab/need builds
. lab/lib.sh
. testlib/tap.sh

# NAME ARCH CROSS-PREFIX CONFIG OPTIONS: N- turns an option off.
rows='
x86_64 x86_64 - defconfig TRANSPARENT_HUGEPAGE HUGETLBFS PT_SYNC
x86_64-lab x86_64 - defconfig TRANSPARENT_HUGEPAGE HUGETLBFS KVM KVM_AMD AMD_MEM_ENCRYPT NO_HZ_FULL KUNIT DEBUG_KERNEL PT_SYNC PT_SYNC_LAB KERNEL_FLUSH
x86_64-no-pt-sync x86_64 - defconfig TRANSPARENT_HUGEPAGE HUGETLBFS N-PT_SYNC
x86_64-no-paravirt x86_64 - defconfig N-HYPERVISOR_GUEST N-PARAVIRT TRANSPARENT_HUGEPAGE HUGETLBFS
x86_64-up x86_64 - defconfig N-SMP TRANSPARENT_HUGEPAGE HUGETLBFS
x86_64-allmod x86_64 - allmodconfig PT_SYNC KERNEL_FLUSH
i386 i386 - i386_defconfig TRANSPARENT_HUGEPAGE HUGETLBFS
arm64 arm64 aarch64-linux-gnu- defconfig KVM PT_SYNC
riscv64 riscv riscv64-linux-gnu- defconfig TRANSPARENT_HUGEPAGE HUGETLBFS KVM PT_SYNC
riscv64-up riscv riscv64-linux-gnu- defconfig N-SMP TRANSPARENT_HUGEPAGE HUGETLBFS
mips64 mips mips64el-linux-gnuabi64- loongson3_defconfig TRANSPARENT_HUGEPAGE HUGETLBFS
m68k m68k m68k-linux-gnu- multi_defconfig
'
# Files that nobody changes, but that include what is changed.
beside='mm/memory.c mm/huge_memory.c mm/hugetlb.c mm/madvise.c mm/mprotect.c mm/mmap.c mm/vma.c fs/exec.c init/main.c'

# enabled TREE OUT DIR NAME: does the configuration in OUT build DIR/NAME (an object,
# or a directory with its slash)? As part of what it is linked into, too.
enabled() {
	local line option part found=''
	[ "$3" != . ] && [ -e "$1/$3/Makefile" ] || return 0
	while read -r line; do
		found=yes
		# shellcheck disable=SC2013 # words, on purpose
		for option in $(grep -oE 'CONFIG_[A-Z0-9_]+' <<<"$line"); do
			grep -qE "^$option=[ym]" "$2/.config" || continue 2
		done
		part=$(sed -nE 's/^([a-z0-9_-]+)-(y|objs|\$).*/\1/p' <<<"$line")
		case $part in
		'' | obj | lib) ;;
		*) ! grep -qE "[[:space:]]$part\.o" "$1/$3/Makefile" || enabled "$1" "$2" "$3" "$part.o" || continue ;;
		esac
		enabled "$1" "$2" "${3%/*}" "${3##*/}/"
		return
	done < <(sed -e ':a' -e '/\\$/N; s/\\\n//; ta' "$1/$3/Makefile" | grep -E "[[:space:]]${4//./\\.}([[:space:]]|\$)")
	# A directory that its parent takes by another word, as arch/ does.
	case $4 in */) [ -z "$found" ] ;; *) return 1 ;; esac
}

# objects TREE OUT ARCH: what of it this configuration has.
objects() {
	local c dir name
	for c in $(sed -n 's|^\./\(.*\.c\)$|\1|p' "$files") $beside; do
		[ -e "$1/$c" ] || continue
		case $c in
		arch/x86/*) [ "$3" = x86_64 ] || [ "$3" = i386 ] || continue ;;
		arch/*) [ "${c#arch/"$3"/}" != "$c" ] || continue ;;
		esac
		dir=${c%/*} name=${c##*/} name=${name%.c}.o
		case $c in */kvm/*) dir=${c%/kvm/*}/kvm; name=${c#"$dir"/} name=${name%.c}.o ;; esac
		case $c in */kvm/*) grep -qE '^CONFIG_KVM=[ym]' "$2/.config" || continue ;; esac
		! enabled "$1" "$2" "$dir" "$name" || echo "${c%.c}.o"
	done | sort -u
}

# warnings LOG: without the numbers of lines, which move.
warnings() { grep -E 'warning:|error:' "$1" | sed -E 's/:[0-9]+:[0-9]+:/:/' | sort -u; }

# nothing_for ARCH CHANGED: are these files all documentation, or other architectures'?
nothing_for() {
	local arch=$1
	case $arch in i386 | x86_64) arch=x86 ;; esac
	! grep -vE '^(Documentation|MAINTAINERS)|/$' <<<"$2" | grep -qE "^(arch/($arch/|[^/]*$)|[^a]|a[^r])"
}

# compile STATE ROW...: configure and compile in $work/NAME; STATE.log has what was
# said. A state that changes no Kconfig of the one before has its configuration.
compile() {
	local state=$1 name=$2 arch=$3 cross=$4 config=$5 out=$work/$2 o
	shift 5
	[ "$cross" != - ] || cross=''
	mkdir -p "$out"
	kmake() { make -C "$work/tree" O="$out" ARCH="$arch" CROSS_COMPILE="$cross" CC="ccache ${cross}gcc" "$@"; }
	: >"$out/$state.log"
	if [ "$reconfigure" ]; then
		kmake -s "$config" >>"$out/$state.log" 2>&1 || return 1
		for o; do
			case $o in
			N-*) "$work/tree/scripts/config" --file "$out/.config" -d "${o#N-}" ;;
			*) "$work/tree/scripts/config" --file "$out/.config" -e "$o" ;;
			esac
		done
		{ kmake -s olddefconfig && kmake -s -j"$(nproc)" prepare; } >>"$out/$state.log" 2>&1 || return 1
	fi
	objects "$work/tree" "$out" "$arch" >"$out/$state.objects"
	[ -s "$out/$state.objects" ] || return 1
	# shellcheck disable=SC2046 # the list's words
	kmake -k -s -j"$(nproc)" W=1 $(cat "$out/$state.objects") >>"$out/$state.log" 2>&1
}

use_ccache
export LC_ALL=C
for kernel in ${KERNELS:-6.12 7.3}; do
	pristine=$(lab/fetch "$kernel")
	work=$QUELL_CACHE/builds/${pristine##*/}
	mkdir -p "$work"
	lab/tree "$pristine" "$work" # for the list of files
	files=$work/files
	cp "$work/.quell-files" "$files"
	states=quell
	if [ -n "${PARTS:-}${COMMITS:-}" ]; then
		export KEPT=$work/kept
		rm -rf "$KEPT"
		mkdir "$KEPT"
		linux/graft --to "$work/whole" --then "$PWD/linux/tests/builds.sh --kept" "$pristine" >/dev/null
		rm -rf "$work/whole"
		if [ -n "${COMMITS:-}" ]; then
			states=$(grep -E "$COMMITS" "$KEPT/commits" || true)
		else
			states=$(uniq "$KEPT/parts" | grep -E "$PARTS" || true)
		fi
	fi
	for state in stock $states; do
		reconfigure=yes changed=all
		case $state in
		stock)
			rm -rf "$work/tree" "$work/.quell-files"
			lab/tree "$pristine" "$work" --stock
			# New time stamps: an earlier run may have compiled them changed.
			while read -r f; do
				[ ! -e "$pristine/$f" ] || cp --remove-destination "$pristine/$f" "$work/tree/$f"
			done <"$files" ;;
		quell) lab/tree "$pristine" "$work" ;;
		# A part has all that those before it have.
		*)
			changed=$(rsync -rc --out-format=%n "$KEPT/$state/" "$work/tree/")
			if [ "$before" = stock ]; then
				changed=all
			elif ! grep -q Kconfig <<<"$changed"; then
				reconfigure=''
			fi ;;
		esac
		before=$state
		while read -r name row; do
			if [ -z "$name" ] || ! [[ $name =~ ${BUILDS:-.} ]]; then continue; fi
			! nothing_for "${row%% *}" "$changed" || continue
			note "$kernel $state: $name"
			# shellcheck disable=SC2086 # the row's words
			if compile "$state" "$name" $row; then
				[ "$state" = stock ] || ok "$kernel $name, $state: $(wc -l <"$work/$name/$state.objects") objects compile"
			elif [ "$state" = stock ]; then
				note "$kernel $name: the stock kernel does not compile: $(grep -m1 -E 'error' "$work/$name/stock.log")"
			# -k: an object that fails hides no other.
			elif grep -q 'error:' "$work/$name/stock.log" &&
				[ -z "$(comm -13 <(warnings "$work/$name/stock.log") <(warnings "$work/$name/$state.log"))" ]; then
				ok "$kernel $name, $state: compiles but for what fails in the stock kernel, too"
			else
				not_ok "$kernel $name, $state: compiles" "$(grep -m8 -E 'error|Error' "$work/$name/$state.log")"
			fi
			[ "$state" != stock ] || continue
			more=$(comm -13 <(warnings "$work/$name/stock.log") <(warnings "$work/$name/$state.log"))
			if [ -z "$more" ]; then ok "$kernel $name, $state: no warning that stock has not"; else not_ok "$kernel $name, $state: no warning that stock has not" "$more"; fi
		done <<<"$rows"
	done
done
[ "$tests" -gt 0 ] || not_ok "a row was chosen"
finish
