# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# small_tree TREE COPY: just the files of TREE that the hooks name, so that a
# test which grafts is quick.
small_tree() {
	local file
	{
		sed -n 's,^\(//\|#\) Changes\?: \([^ ]*\).*,\2,p' linux/hooks/*/*.cocci linux/hooks/*/*.edit
		sed -n 's,^# Pin: \([^ ]*\).*,\1,p' linux/hooks/*/*.pin
		printf '%s\n' Kconfig Makefile mm/mmu_gather.c
	} | sort -u | while read -r file; do
		[ -f "$1/$file" ] || continue
		mkdir -p "$2/$(dirname "$file")"
		cp "$1/$file" "$2/$file"
	done
}
