#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long beside
# The series, applied by git am to a pristine tree, is what the graft makes of
# it; checkpatch.pl has nothing to say.
set -eu
cd "$(dirname "$0")/../.."
lab/need series
. testlib/tap.sh
. testlib/small-tree.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test@localhost
export GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test@localhost

for kernel in 6.12 7.3; do
	pristine=$(lab/fetch "$kernel")
	# shellcheck disable=SC2016 # the inner shell's dollars
	check "$kernel: a series, and checkpatch.pl --strict is content" \
		bash -c 'linux/series --check "$1" "$2/series" >"$2/table"' - "$pristine" "$work"
	# shellcheck disable=SC2016 # awk's
	check "$kernel: parts 1 to 3 are less than 600 lines of code" \
		awk '/^[123]-/ { n += $3; parts++ } END { exit !(parts == 3 && n > 0 && n < 600) }' "$work/table"
	check "$kernel: one patch for each hook, and a cover letter for each part" \
		test "$(find "$work/series" -name '*.patch' | wc -l)" = \
		"$(($(find linux/hooks -mindepth 1 -maxdepth 1 -type d | wc -l) +
			$(find "$work/series" -mindepth 1 -maxdepth 1 -type d | wc -l)))"
	# shellcheck disable=SC2016 # the inner shell's dollars
	check "$kernel: the cover letters are written" \
		bash -c '! grep -q "\*\*\*" "$1"/*/0000-* && [ "$(grep -l "^Subject: \[PATCH 00*/" "$1"/*/0000-* | wc -l)" -ge 8 ]' - \
		"$work/series"
	# What is not in a part is not spoken of either.
	# shellcheck disable=SC2016 # the inner shell's dollar
	check "$kernel: no word of proofs/ or F-numbers but in the lab's part" \
		bash -c '! grep -nE "^\+.*(proofs/|\bF[0-9]+\b)" "$1"/[!l]*/*.patch' - "$work/series"

	# ... nor a file that neither Linux nor a part up to this one has.
	find "$pristine" -name '*.[ch]' -o -name '*.rst' | sed "s|^$pristine/||" | sort >"$work/known"
	: >"$work/unknown"
	while read -r part; do
		sed -n 's|^+++ b/||p' "$work/series/$part"/*.patch | sort -u - "$work/known" >"$work/known.new"
		mv "$work/known.new" "$work/known"
		grep -hE '^(\+|[A-Za-z])' "$work/series/$part"/*.patch |
			grep -oE '\b(Documentation|arch|include|kernel|mm)/[a-zA-Z0-9_/-]+\.(rst|[ch])\b' |
			sort -u | comm -23 - "$work/known" | sed "s|^|$part: |" >>"$work/unknown"
	done < <(sed '/^#/d; s/ .*//' linux/parts | awk 'NF && !seen[$0]++')
	check "$kernel: no part speaks of a file that is not there yet" diff "$work/unknown" /dev/null

	small_tree "$pristine" "$work/tree"
	cp -R "$work/tree" "$work/grafted"
	git init -q "$work/tree"
	git -C "$work/tree" add -A
	git -C "$work/tree" commit -q -m pristine
	sed '/^#/d; s/ .*//' linux/parts | awk 'NF && !seen[$0]++' | while read -r part; do
		find "$work/series/$part" -name '*.patch' ! -name '0000-*' 2>/dev/null | sort
	done >"$work/list"
	# shellcheck disable=SC2046 # one path a line, none with blanks
	check "$kernel: git am applies it, part after part" git -C "$work/tree" am -q $(cat "$work/list")
	linux/graft "$work/grafted" >/dev/null
	check "$kernel: ... and makes what the graft makes" \
		diff -r --exclude=.git --exclude=.quell-graft "$work/tree" "$work/grafted"
	rm -rf "$work/tree" "$work/grafted" "$work/series"
done
finish
