#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick
#
# linux/graft on both kernels: it applies, applies once, and stops at an anchor
# that has moved without touching the tree.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0

# ok TEXT COMMAND...: one TAP line.
ok() {
	local text=$1
	shift
	n=$((n + 1))
	if "$@" >"$work/log" 2>&1; then echo "ok $n - $text"
	else
		echo "not ok $n - $text"
		sed 's/^/# /' "$work/log" | tail -n 5
	fi
}

# says PATTERN COMMAND...: it fails, with that in its one line.
says() {
	local pattern=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		echo "did not fail"
		return 1
	fi
	[ "$(wc -l <"$work/out")" = 1 ] && grep -q "$pattern" "$work/out" || { cat "$work/out"; return 1; }
}

# A tree with just the files that the hooks name, so that a test is quick.
small_tree() {
	local file
	(cd "$top/linux/hooks" && sed -n 's,^\(//\|#\) Changes\?: \([^ ]*\).*,\2,p' ./*/*.cocci ./*/*.edit) |
	cat - <(printf '%s\n' Kconfig Makefile mm/mmu_gather.c) | sort -u | while read -r file; do
		[ -f "$1/$file" ] || continue
		mkdir -p "$2/$(dirname "$file")"
		cp "$1/$file" "$2/$file"
	done
}

same() { diff -r --exclude=.quell-graft "$1" "$2"; }

for kernel in 6.12 7.3; do
	pristine=$("$top/lab/fetch" "$kernel")
	tree=$work/$kernel
	small_tree "$pristine" "$tree"
	cp -R "$tree" "$work/before"
	ok "$kernel: a pristine tree takes it" "$top/linux/graft" "$tree"
	cp -R "$tree" "$work/once"
	ok "$kernel: a second time nothing happens" "$top/linux/graft" "$tree"
	ok "$kernel: ... to any file" same "$work/once" "$tree"
	ok "$kernel: --to leaves the tree alone" "$top/linux/graft" --to "$work/to" "$work/before"
	ok "$kernel: ... and writes what the graft changes" \
		bash -c 'cd "$1" && find . -type f | while read -r f; do cmp "$f" "$2/$f"; done' - "$work/to" "$tree"

	for broken in moved doubled; do
		cp -R "$work/before" "$work/$broken"
		case $broken in
		moved) sed -i 's/gup_fast_pgd_range/gup_quick_pgd_range/' "$work/$broken/mm/gup.c" ;;
		doubled) sed -n '/^collapse\|collapse_huge_page(struct/,/^}/p' "$work/$broken/mm/khugepaged.c" |
			sed 's/collapse_huge_page(/collapse_again(/' >>"$work/$broken/mm/khugepaged.c" ;;
		esac
		cp -R "$work/$broken" "$work/copy"
		case $broken in
		moved) pattern='gup.cocci: mm/gup.c changed in' ;;
		doubled) pattern='khugepaged.cocci: mm/khugepaged.c changed in' ;;
		esac
		ok "$kernel: an anchor that is $broken is named" says "$pattern" "$top/linux/graft" "$work/$broken"
		ok "$kernel: ... and the tree left as it was" same "$work/copy" "$work/$broken"
		rm -rf "$work/copy"
	done
	ok "$kernel: no caller of the old sync is left" \
		bash -c '! grep -rnE "pmdp_get_lockless_sync|[^_]tlb_remove_table_sync_one\(\);" "$1"/mm/*.c "$1"/include/asm-generic "$1"/arch' - "$tree"
	rm -rf "$work/before" "$work/once" "$work/to" "$work/moved" "$work/doubled"
done
echo 'another version' >"$work/7.3/.quell-graft"
ok 'a tree with another version of quell is refused' says 'another version' "$top/linux/graft" "$work/7.3"
ok 'what is no kernel is refused' says 'not a kernel source tree' "$top/linux/graft" "$work"
ok 'an unknown option is refused' says 'unknown option --frob' "$top/linux/graft" --frob
echo "1..$n"
