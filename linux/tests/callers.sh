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

# mentions TREE PATTERN: "FILE COUNT ..." of all that mention it, but for its own; it is
# exported to no module, and drivers are most of the tree to read.
mentions() {
	(cd "$1" && LC_ALL=C grep -rcE --include='*.[ch]' --exclude-dir=drivers --exclude-dir=sound "\b$2\b" . |
		sed -n '/:0$/d; s|^\./||; s/:/ /p' |
		grep -vE '^(arch/([^x]|xtensa)|arch/x86/(mm/pat/set_memory.c|include/asm/set_memory.h)|include/linux/set_memory.h|tools/)' |
		sort | xargs)
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
	# with an interrupt (secretmem; set_memory_np() itself), gives it back at once
	# (vmalloc, for text), or runs alone (hibernation). 7.3's execmem only gives back.
	takers='kernel/power/snapshot.c 1 mm/secretmem.c 1 mm/vmalloc.c 1'
	[ "$version" = 6.12 ] || takers='kernel/power/snapshot.c 1 mm/execmem.c 2 mm/secretmem.c 1 mm/vmalloc.c 1'
	found=$(mentions "$tree" 'set_direct_map_(in)?valid_noflush')
	if [ "$found" = "$takers" ] && ! grep -q 'execmem_set_direct_map_valid(.*false)' "$tree/mm/execmem.c"; then
		ok "Linux $version: who takes presence without a flush"
	else
		not_ok "Linux $version: who takes presence without a flush" "$found"
	fi
	# What must interrupt calls what always interrupts, in the file as built.
	for file in arch/x86/mm/pgtable.c arch/x86/events/intel/ds.c; do
		[ -f "$out/$version/$file" ] || mkdir -p "$out/$version/${file%/*}"
		[ -f "$out/$version/$file" ] || cp "$tree/$file" "$out/$version/$file"
		check "Linux $version: $file interrupts" \
			grep -q '\bflush_tlb_kernel_range(' "$out/$version/$file"
	done
done
finish
