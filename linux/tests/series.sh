#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick
# The series, applied by git am to a pristine tree, is what the graft makes of
# it; checkpatch.pl has nothing to say.
set -eu
cd "$(dirname "$0")/../.."
lab/need series
. lab/tests/tap.sh
. linux/tests/small-tree.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test@localhost
export GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test@localhost

for kernel in 6.12 7.3; do
	pristine=$(lab/fetch "$kernel")
	check "$kernel: a series, and checkpatch.pl --strict is content" \
		linux/series --check "$pristine" "$work/series"
	check "$kernel: one patch for each hook, and a cover letter" \
		test "$(find "$work/series" -name '*.patch' | wc -l)" = \
		"$(($(find linux/hooks -mindepth 1 -maxdepth 1 -type d | wc -l) + 1))"
	# shellcheck disable=SC2016 # the inner shell's dollar
	check "$kernel: the cover letter is written" \
		bash -c '! grep -q "\*\*\*" "$1" && grep -q "^Subject: \[PATCH 00*/" "$1"' - \
		"$work/series/0000-cover-letter.patch"

	small_tree "$pristine" "$work/tree"
	cp -R "$work/tree" "$work/grafted"
	git init -q "$work/tree"
	git -C "$work/tree" add -A
	git -C "$work/tree" commit -q -m pristine
	find "$work/series" -name '*.patch' ! -name '0000-*' | sort >"$work/list"
	# shellcheck disable=SC2046 # one path a line, none with blanks
	check "$kernel: git am applies it" git -C "$work/tree" am -q $(cat "$work/list")
	linux/graft "$work/grafted" >/dev/null
	check "$kernel: ... and makes what the graft makes" \
		diff -r --exclude=.git --exclude=.quell-graft "$work/tree" "$work/grafted"
	rm -rf "$work/tree" "$work/grafted" "$work/series"
done
finish
