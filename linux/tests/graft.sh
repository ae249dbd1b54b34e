#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# linux/graft on both kernels: it applies, applies once, and stops at an anchor
# that has moved without touching the tree.
set -eu
cd "$(dirname "$0")/../.."
lab/need series
. testlib/tap.sh
. testlib/small-tree.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

same() { diff -r --exclude=.quell-graft "$1" "$2"; }

# part_of DIR TREE: every file below DIR is in TREE, the same.
part_of() { (cd "$1" && find . -type f) | while read -r f; do cmp "$1/$f" "$2/$f" || exit 1; done; }

# What spatch made before is kept; a patch that says something else is run again.
small_tree "$(lab/fetch 6.12)" "$work/tree"
cp -R linux/hooks "$work/hooks"
linux/graft --to "$work/kept" "$work/tree" >/dev/null
sed -i 's/^+\ttlb->freed_tables ||/+\ttlb->freed_tables |/' "$work/hooks/10-x86-unshared-tables/tlb.cocci"
QUELL_HOOKS=$work/hooks linux/graft --to "$work/anew" "$work/tree" >/dev/null
check "a changed patch is not taken for the one that was kept" \
	grep -q 'freed_tables | tlb' "$work/anew/arch/x86/include/asm/tlb.h"
rm -rf "$work/tree" "$work/kept" "$work/anew" "$work/hooks"

for kernel in 6.12 7.3; do
	tree=$work/$kernel before=$work/before
	small_tree "$(lab/fetch "$kernel")" "$before"
	cp -R "$before" "$tree"
	check "$kernel: a pristine tree takes it" linux/graft "$tree"
	cp -R "$tree" "$work/once"
	check "$kernel: a second time nothing happens" linux/graft "$tree"
	check "$kernel: ... to any file" same "$work/once" "$tree"
	check "$kernel: --to leaves the tree alone" linux/graft --to "$work/to" "$before"
	check "$kernel: ... and writes what the graft changes" part_of "$work/to" "$tree"

	# An anchor that is gone, and one that is there twice.
	cp -R "$before" "$work/moved"
	sed -i 's/gup_fast_pgd_range/gup_quick_pgd_range/' "$work/moved/mm/gup.c"
	cp -R "$before" "$work/doubled"
	sed '/collapse_huge_page(struct/,/^}/!d; s/collapse_huge_page(/collapse_again(/' \
		"$before/mm/khugepaged.c" >>"$work/doubled/mm/khugepaged.c"
	for broken in moved doubled; do
		cp -R "$work/$broken" "$work/copy"
		case $broken in
		moved) what='22-walks/gup.pin: gup_fast\(\) in mm/gup.c is no longer' ;;
		doubled) what='khugepaged.cocci: mm/khugepaged.c changed in [0-9]+ places, expected' ;;
		esac
		refuses "$kernel: an anchor that is $broken is named" "$what" linux/graft "$work/$broken"
		check "$kernel: ... and the tree left as it was" same "$work/copy" "$work/$broken"
		rm -rf "$work/copy"
	done
	check "$kernel: no caller of the old sync is left" \
		test -z "$(grep -rnE 'pmdp_get_lockless_sync|^\s+tlb_remove_table_sync_one\(\);' \
			"$tree/mm" "$tree/include/asm-generic" "$tree/arch" --include='*.[ch]')"
	rm -rf "$before" "$work/once" "$work/to" "$work/moved" "$work/doubled"
done
echo 'another version' >"$work/7.3/.quell-graft"
refuses 'a tree with another version of quell is refused' 'another version' linux/graft "$work/7.3"
# Debian 13's spatch reads them as OCaml's Str does, Debian 12's as Perl does.
check 'no semantic patch has a regular expression' eval "! grep -rnE '[=!]~' linux/hooks --include='*.cocci'"
refuses 'what is no kernel is refused' 'not a kernel source tree' linux/graft "$work"
refuses 'an unknown option is refused' 'unknown option --frob' linux/graft --frob
finish
