#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# Who may defer a flush of kernel addresses, and who must not: the callers in
# the grafted trees against a list. A new caller needs an argument first.
set -eu
cd "$(dirname "$0")/../.."
lab/need series
. testlib/tap.sh

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

calls() { # TREE FUNCTION: "FILE COUNT" of each C file that calls it
	(cd "$1" && grep -rc --include='*.c' "\\b$2(" arch/x86 mm kernel lib drivers 2>/dev/null |
		sed -n '/:0$/d; s/:/ /p' | sort)
}

for version in 6.12 7.3; do
	tree=$(lab/fetch "$version")
	linux/graft --to "$out/$version" "$tree" >/dev/null
	deferring=$(calls "$out/$version" 'flush_tlb_[a-z_]*_deferrable' |
		grep -v '^arch/x86/mm/kernel_flush[a-z_]*.c ')
	if [ "$deferring" = "$(printf '%s\n' 'arch/x86/mm/pat/set_memory.c 3' 'mm/vmalloc.c 5')" ]; then
		ok "Linux $version: only vmalloc, changes of permissions and splits for them defer"
	else
		not_ok "Linux $version: only vmalloc, changes of permissions and splits for them defer" "$deferring"
	fi
	# Both kinds of huge leaf are told of, in the function that clears them.
	check "Linux $version: vmalloc tells of huge leaves" \
		[ "$(grep -c 'kernel_flush_huge_unmapped(P[MU]D_SIZE)' "$out/$version/mm/vmalloc.c")" = 2 ]
	check "Linux $version: and who puts small pages there asks" \
		grep -q 'kernel_flush_new_table()' "$out/$version/mm/memory.c"
	check "Linux $version: nothing is deferred with FRED" grep -q 'if (cpu_feature_enabled(X86_FEATURE_FRED))' \
		"$out/$version/arch/x86/mm/kernel_flush.c"
	# A split to take presence away may wait: whoever takes it flushes that page
	# with an interrupt (secretmem), gives it back at once (vmalloc, for text), or
	# runs alone (hibernation); 7.3's execmem gives it back only.
	takers='kernel/power/snapshot.c mm/secretmem.c mm/vmalloc.c'
	[ "$version" = 6.12 ] || takers='kernel/power/snapshot.c mm/execmem.c mm/secretmem.c mm/vmalloc.c'
	found=$(cd "$tree" && grep -rlE --include='*.c' 'set_direct_map_(invalid|valid)_noflush' mm kernel lib drivers virt fs net arch/x86 |
		grep -v '^arch/x86/mm/' | sort | xargs)
	if [ "$found" = "$takers" ]; then
		ok "Linux $version: who takes presence without a flush"
	else
		not_ok "Linux $version: who takes presence without a flush" "$found"
	fi
	check "Linux $version: secretmem interrupts for it" \
		grep -qF 'flush_tlb_kernel_range(addr, addr + PAGE_SIZE)' "$tree/mm/secretmem.c"
	# What must interrupt calls what always interrupts, in the file as built.
	for file in arch/x86/mm/pgtable.c arch/x86/events/intel/ds.c; do
		[ -f "$out/$version/$file" ] || mkdir -p "$out/$version/${file%/*}"
		[ -f "$out/$version/$file" ] || cp "$tree/$file" "$out/$version/$file"
		check "Linux $version: $file interrupts" \
			grep -q '\bflush_tlb_kernel_range(' "$out/$version/$file"
	done
done
finish
